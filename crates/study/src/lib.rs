//! Research on recorded rows, up to the point where a model is fitted: what is to be predicted, which rows may teach it, and what a
//! prediction was worth in money.
//!
//! Ring 1: the same rows give the same numbers; no clock, file, thread or unseeded randomness.
#![warn(missing_docs)]

pub mod folds;
pub mod frame;
pub mod lead_lag;
pub mod liquidations;
pub mod money;
mod order;
pub mod targets;
pub mod transforms;

pub use frame::{FrameColumn, ResearchFrame, ResearchFrameError};
