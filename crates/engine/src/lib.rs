//! Features, rule book and regimes: one deterministic engine for live, replay and batch.
//!
//! Ring 1. `step(event)` in, readings and labels out; no clock, file, socket, thread, randomness or unordered map.
//! Reading order: `catalogue` (what is computed), `kernel` (arithmetic), `series` (streams on grids), `features` (windows),
//! `liquidity` (levels), `feeds` and `market` (one market), `assemble` (which feed speaks), `rules` (labels), `explain` (why),
//! `engine` (the door).
#![warn(missing_docs)]

pub mod advice;
mod ages;
mod assemble;
pub mod calendar;
pub mod catalogue;
pub mod chart;
pub mod composite;
pub mod context;
pub mod cross_venue;
pub mod detect;
pub mod engine;
pub mod explain;
pub mod features;
pub mod feeds;
pub mod kernel;
pub mod kpi;
pub mod liquidations;
pub mod liquidity;
pub mod market;
pub mod models;
pub mod number_key;
pub mod onchain;
pub mod options;
pub mod order_flow;
pub mod rules;
pub mod series;
pub mod sessions;
pub mod signal_rows;
pub mod signal_scopes;
pub mod signal_track;
pub mod signals;
pub mod similar;
pub mod universe;
pub mod whatif;

pub use assemble::vol_class;
pub use catalogue::{CATALOGUE, Feature};
pub use engine::{AT_ONCE, AlertOut, Config, Engine, LevelOut, Outputs, RestoreError, SavedEngine};
pub use market::MarketState;
