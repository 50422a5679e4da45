//! From a minute row to the published snapshot: pure, deterministic, rendered on demand (regimes §8–§10, §14).
//!
//! [`render`] is the moment of the row itself, [`at_present`] the same reading with freshness judged now. Texts are made
//! from the facts of the explanation only. Probabilities come with the row, from the ledger of forecasts.

mod axes;
mod calls;
mod changed;
mod eased;
mod evidence;
mod facts;
mod flips;
pub mod guidance;
pub mod headline;
mod minute;
mod models;
mod moment;
mod notes;
mod numbers;
mod present;
mod snapshot;
mod text;
mod views;
mod waiting;

pub use eased::Eased;
pub use facts::Context;
pub use minute::{Care, Minute, StopCare, care_by_stop, minute};
pub use moment::{AxisMoment, SmallestChange, moment};
pub(crate) use numbers::{capitalised, rank_percent};
pub use numbers::{price, significant};
pub use present::{PresentReading, at_present, axes_at_present, reading_at_present};
pub use snapshot::render;
