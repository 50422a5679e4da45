//! What a feed that publishes at most one liquidation per market and second leaves out (surveillance §11).
//!
//! A full tape is thinned as such feeds are ([`thin`]), and what it had is modelled from what is left, by quantile regression
//! ([`quantile`]). [`coverage`] fits on the first half of the days and checks on the second; a band that does not hold there is withheld.

pub mod coverage;
pub mod quantile;
pub mod thin;

pub use coverage::{BandCheck, CoverageFit, ThinningStudy, WithheldBand, thinning_study};
pub use thin::{TapeLiquidation, ThinnedMinute, Thinning, minutes};
