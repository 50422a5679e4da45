//! The contest as a fold over the rules' ledger and the rows beside it: every tick in, one tick of each contestant out.
//!
//! Contestants are asked what the rules are asked, at the same ticks, and their windows resolve as those do. Once a week everything is
//! fitted anew on what had resolved by then, less an embargo ([`Contest::jobs`], [`run`], [`Contest::enter`]: a fit is data, so that
//! any thread may run it); until then fits stand. So nothing that comes later can change what was said.
//!
//! Reading order: `sighting`, `example`, `fold`, `fit`, then the contestants (`tables`, `logistic`, `boosting`) and what is common to
//! them (`gate`, `curve`).

mod boosting;
mod curve;
mod example;
mod fit;
mod fold;
mod gate;
pub(crate) mod linear;
mod logistic;
mod sighting;
mod tables;

pub use example::{Example, KnownThen};
pub use fit::{Fit, FitJob, ModelStatement, run};
pub use fold::Contest;
pub use sighting::{INPUTS, ModelInputs, Sighting, features};
