//! What detectors and models give, held against what knows better: episodes that were laid over a market, and recorded sets (surveillance §9, §10, §11).

pub(crate) mod accounts;
mod accounts_print;
pub(crate) mod liquidations;
mod liquidations_print;
pub(crate) mod patterns;
mod patterns_print;
mod patterns_recorded;
mod salt;
