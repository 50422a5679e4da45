//! Whole live processes against the built-in venue server, and whole machines without a network.

mod bed;
mod ends;
mod faults;
mod fitted;
mod shares;
mod stops;

pub(crate) use bed::{core_of, listening, never_prunes, setup};
