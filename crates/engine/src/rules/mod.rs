//! Rule books: regimes as data (regimes §2, §6, §10.1, §12).
//!
//! A [`Book`] is read from TOML and checked as a whole; [`evaluate`] judges one row of readings in three-valued logic;
//! [`RiskAxis`] is the memory of the risk axis (exit band, dwell, staleness, 90-day shares); [`nearest_flip`] and
//! [`nearest_exit`] say exactly what would change the label. Only the risk axis is built. Alert rules, the other axes and
//! calibrated probabilities are not.

mod axis;
mod book;
mod check;
mod clause;
mod cut;
mod eval;
mod flip;
mod fresh;
mod held;
mod margin;
mod parse;
mod problem;
mod range;
mod tree;
mod version;

pub use axis::RiskAxis;
pub use book::{Book, Clause, CutRequest, Enter, Group, Op, Rule, SessionBase, Test, Warming, word_of, words_of};
pub use cut::{cut, mid_rank, rank_of};
pub use eval::{Evaluation, Truth, clause_holds, evaluate, group_result, holds_relaxed, rule_result};
pub use flip::{Scene, apply_exit, apply_flip, nearest_exit, nearest_flip, with_override};
pub use fresh::{Freshness, Staleness};
pub use held::{HELD_MINUTES, HeldRing};
pub use margin::{Judged, judge, label_margin, rule_margin};
pub use problem::{BookError, Problem};
pub use version::{canonical, input_digest, logic_version, snapshot_id};
