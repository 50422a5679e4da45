//! The detectors of order flow against injected truth, over markets made by a seed and over what stands for a recording of one.
#![expect(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "made numbers of known size, helpers outside of tests, and what was measured for who reads it"
)]

mod cases;
mod injected;
mod overlaid;
mod restore;
mod texts;

use barograph_domain::Span;
use barograph_engine::order_flow::FlowThresholds;
use barograph_verify::injected::acts::LaidActs;
use barograph_verify::injected::made::{self, MarketClass};

/// A class that there is.
fn class(name: &str) -> MarketClass {
    made::class(name).expect("one of the classes")
}

fn alerts_of(class: MarketClass, seed: u64, length: Span, acts: LaidActs) -> Vec<barograph_domain::Alert> {
    let t = FlowThresholds::default();
    barograph_verify::injected::alerts_of(class, seed, length, acts, &t, &mut || {})
}
