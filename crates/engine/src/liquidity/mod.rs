//! Liquidity: price levels where orders are thought to lie, and what happens at them (features §4, R2.8–R2.16).
//!
//! Reading order: `options`, `record` (a level and its changes), `timeframe` (the order in which a bar is worked through),
//! `shelf` (why that is cheap), then one definition per file: `swings`, `clusters` and `kde`, `structure`, `blocks`, `gaps`,
//! `profile`, `extremes`; `strength`, `reactions`, `density`; `query` for those who ask. Nothing is known before the bar that
//! completes it has closed, and what was known is never changed: clusters grow by revisions.

mod blocks;
mod clusters;
pub mod density;
pub mod extremes;
mod gaps;
pub mod kde;
mod options;
pub mod profile;
pub mod query;
mod reactions;
mod record;
mod run;
mod shelf;
mod strength;
mod structure;
mod swings;
mod timeframe;
mod volumes;
mod window;

pub use options::{BlockRule, ClusterMethod, ClusterPeaks, TimeframeOptions};
pub use reactions::Reaction;
pub use record::{Face, Happening, LevelHappening, Named, Record, strength_at};
pub use run::Added;
pub use shelf::LEVELS_MAX;
pub use structure::{BreakKind, StructureBreak, SwingRef};
pub use timeframe::{LevelSink, Liquidity};
