//! What was said against what came (verification): forecasts registered before their windows, resolved by themselves, scored.
//!
//! Ring 1: the same arguments give the same numbers, on any machine, at any time; no clock, file, socket, thread, unordered map or
//! unseeded randomness. `ledger` registers and resolves what published minutes assert, `scores` says how good forecasts were that
//! have resolved, `injected` what detectors find of episodes that were laid over a market. Truth is docs/spec/verification.md.
#![warn(missing_docs)]

pub mod accounts;
pub mod contest;
pub mod injected;
pub mod ledger;
pub mod scorecard;
pub mod scores;
