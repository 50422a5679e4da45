//! What if the rules had been others: rule books replayed over stored readings (verification §5, R4.62, C22).
//!
//! A [`StoredHistory`] is what a run stored of one market, column by column. [`replay`] gives the labels of an axis under any book, by
//! the code of the live axes; [`alert_entries`] the episodes of the book's own alert rules. [`compare`] counts two replays
//! against each other, [`judge`] one of them against outcomes, wherever those come from ([`Outcomes`]), [`losses`] its skill. [`check`]
//! refuses what stored readings cannot show; [`edit`] changes a threshold in a book's text, and [`Control`] says within which ends
//! people turn it. Left out: reading a store, threads, files.

mod alerts;
mod column;
mod control;
mod count;
mod edit;
mod history;
mod outcome;
mod refuse;
mod replay;
mod runs;
mod skill;
mod truths;

pub use alerts::{RuleEntries, alert_entries};
pub use column::{Anchored, ReadingColumn, ReadingStanding};
pub use control::Control;
pub use count::{AxisCounts, LabelCounts, compare};
pub use edit::{EditError, Place, Setting, WrittenBook, place_of};
pub use history::{Builder, InputSeen, StoredAxis, StoredHistory};
pub use outcome::{Hits, ObservedEvent, Outcomes, chop_4h, hv_1h, judge, median};
pub use refuse::{Refusal, check};
pub use replay::{ReplayedAxis, replay};
pub use runs::Runs;
pub use skill::{DayLosses, losses};
pub use truths::{ClauseTruth, clause_truth_key, clause_truths};
