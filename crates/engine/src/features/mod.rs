//! Feature kernels, one family per file. Each owns its windows, learns about new samples instant by instant, and leaves
//! readings with the moment at which they expire.

pub mod atr;
pub mod bars;
pub mod basis;
pub mod daily_vol;
pub mod funding;
pub mod funding_signals;
pub mod hourly;
pub mod moves;
mod nearby;
pub mod open_interest;
pub mod positions;
pub mod premium_funding;
mod quarters;
pub mod reading;
pub mod run;
pub mod settled;
pub(crate) mod slots;
pub mod stops;
pub mod volatility;

pub use reading::{ReadinessSettings, Slot};
