//! Features, rule book and regimes: one deterministic engine for live, replay and batch.
//!
//! Ring 1. `step(event)` in, readings and labels out; no clock, file, socket, thread, randomness or unordered map.
#![warn(missing_docs)]

pub mod catalogue;
pub mod rules;
