//! The ledger as a fold over published minutes: what they assert, registered before its window; what came, as soon as it is known
//! (verification §2, §3, §7).
//!
//! It reads what was published and nothing else, so it can be made again from stored rows, and it looks at all markets of a logic
//! version together, because references and calibration pool them. Minutes of all markets are handed in first, then the minute is
//! closed; the order of markets leaves no trace. Beside forecasts it says whether the market has changed (`drift`, `skills`) and what alerts
//! are held against (`moves`). Storing, chains of hashes over days ([`chain`]) and scores are elsewhere.

pub mod calibration;
pub mod chain;
mod drift;
mod fold;
mod followed;
mod market;
mod minutes;
mod moves;
mod pairs;
mod references;
mod sample;
mod seldom;
mod skills;
mod standing;
mod windows;

pub use calibration::{Basis, CalibrationTables};
pub use fold::{Ledger, SavedLedger};
pub use sample::{AxisLabel, GridReadings, MinuteSample, features, of_glance};
pub use standing::StandingOutcome;

use barograph_domain::Span;

/// Forecasts are registered on this grid.
pub const GRID: Span = Span::mins(5);

/// Share of a window's minutes that must have been seen before it may be said that nothing happened.
pub const COVERAGE_MIN: f64 = 0.80;
