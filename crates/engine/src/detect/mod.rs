//! Detectors: patterns consistent with a behaviour, as episodes with evidence (surveillance §1 to §4).
//!
//! Every detector is one row of a table: how readings are judged, what is shown and reported, how long calm closes an episode. The
//! step takes readings and returns records; it knows no market, store or clock. Parts: [`inputs`] what is judged, [`thresholds`]
//! the numbers that may be set, [`table`] the detectors, [`judge`] how they judge, [`shown`] what a record shows, [`episode`]
//! opening and closing, [`checks`] what each would read of a stored minute, [`changes`] labels that changed, [`base_rate`] how often it spoke before, [`score`] 0 to 100, [`words`]
//! what is reported of each pattern, [`explain`] sentences, [`meaning`] guidance, [`pairs`] two markets, [`data`] what is lost or too
//! old, [`ruled`] the user's own rules, [`burst_so_far`] a burst between two records, [`plain`] the same over plain lists, [`rarity`] how
//! severe what is common may be, [`lifts`] whether it forecasts, [`drifts`] inputs that have moved. Accounts are never visible: no text says that anything was detected.

pub mod base_rate;
mod burst;
pub mod changes;
pub mod checks;
pub mod data;
pub mod drifts;
pub mod episode;
pub mod explain;
mod fact;
mod flow_words;
pub mod inputs;
pub mod judge;
mod labels;
pub mod lifts;
pub mod meaning;
pub mod pairs;
pub mod plain;
pub(crate) mod ranks;
pub mod rarity;
pub mod ruled;
pub mod score;
pub mod shown;
mod so_far;
pub mod surveillance;
pub mod table;
pub mod thresholds;
pub mod words;

pub(crate) use episode::ended_by_start;
pub use inputs::{AxisLabels, Inputs, LiquidationInputs};
pub use rarity::{Judging, SeverityTable};
pub use score::score;
pub use so_far::burst_so_far;
pub use surveillance::Surveillance;
pub use thresholds::Thresholds;
