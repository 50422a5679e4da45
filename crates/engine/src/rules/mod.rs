//! Rule books: regimes as data (regimes §2, §6, §10.1, §12).
//!
//! A [`RuleBook`] is read from TOML and checked as a whole; [`evaluate`] judges one row of readings in three-valued logic;
//! [`Axes`] is the memory of the four axes (exit band, dwell, staleness, 90-day shares); [`nearest_flip`] and
//! [`nearest_exit`] say exactly what would change a label. Calibrated probabilities are not built.

mod alerts;
mod axes;
mod axis;
mod book;
mod check;
mod clause;
mod cut;
mod detectors;
mod drifts;
mod eval;
mod flip;
mod formula;
mod fresh;
mod held;
mod hours;
mod judged;
mod levels;
mod margin;
mod parse;
mod posture;
mod problem;
mod range;
mod readers;
mod set;
mod severity;
mod tree;
mod verdict;
mod version;

pub use alerts::{AlertRule, EVENT_FEATURE};
pub use axes::{Axes, AxisStates};
pub use axis::parts_of;
pub use axis::{AxisMemory, RiskAxis};
pub(crate) use axis::{moves_every, step_of};
pub(crate) use book::DAILY_BOUNDS;
pub use book::{
    Clause, CutRequest, DwellCounts, Enter, Group, Op, Rule, RuleBook, SessionBase, Test, Warming, word_of, words_of,
};
pub use cut::{cut, mid_rank, rank_of};
pub use drifts::{DriftLimit, DriftRule, DriftRules, SkillRule};
pub(crate) use eval::{ClauseSource, Dated, DatedReadings, evaluate_with, groups_truth};
pub use eval::{Evaluation, Truth, clause_holds, condition, evaluate, group_result, holds_relaxed, rule_result};
pub use flip::{Scene, apply_exit, apply_flip, nearest_changes, nearest_exit, nearest_flip, with_override};
pub use fresh::{Close, Freshness, Staleness, clock_of};
pub use held::{HELD_MINUTES, HeldRing};
pub use levels::CLUSTER_METHODS;
pub(crate) use margin::margin_of;
pub use margin::{Judged, judge, label_margin, rule_distance, rule_margin};
pub use posture::{PostureRow, PostureWhen};
pub(crate) use problem::did_you_mean;
pub use problem::{BookError, BookProblem};
pub use set::{RuleSet, Ruled};
pub use verdict::{BaseRates, Inputs, STOP_MULT, VerdictTable};
pub use version::{canonical, input_digest, logic_version, snapshot_id};
pub(crate) use version::{clause_key, replayed_as_stored};
