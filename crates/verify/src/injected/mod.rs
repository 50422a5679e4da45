//! Injected truth (surveillance §9): episodes of a known kind, side and strength laid over a market, look-alikes that must not fire,
//! and what the detectors made of them.
//!
//! [`acts`] has the rules of laying over, the same for every substrate; `plan` draws episodes; [`made`] and [`weeks`] are markets made by
//! a seed, [`recorded`] is one that somebody recorded, played once for the untouched market and every run over it; [`score`] matches.
//! Nothing here reads a file or a clock.

pub mod acts;
pub mod made;
mod plan;
pub mod recorded;
pub mod score;
pub mod synthetic;
pub mod table;
pub mod usual;
pub mod weeks;

pub use plan::{LaidPlan, plan};
pub use score::{Injection, TruthScore};

use acts::LaidActs;
use barograph_domain::{Alert, Span, Ts};
use barograph_engine::order_flow::{FlowThresholds, OrderFlow};
use made::{MarketClass, SCALE, play};

/// Made markets begin on a Monday at midnight.
pub const START: Ts = Ts(1_767_571_200_000_000_000);
/// Episodes that a figure asks for.
pub const EPISODES_MIN: usize = 100;
/// Sizes, volumes and rates over those of the thresholds.
pub const INTENSITIES: [f64; 3] = [0.5, 1.0, 2.0];

/// What the detectors report of a made market, with what is laid over it. `each_hour` is called for every hour of it.
#[must_use]
pub fn alerts_of(
    class: MarketClass,
    seed: u64,
    length: Span,
    mut acts: LaidActs,
    t: &FlowThresholds,
    each_hour: &mut dyn FnMut(),
) -> Vec<Alert> {
    let (mut flow, mut out, mut hour) = (OrderFlow::new(SCALE), Vec::new(), START);
    play(class, seed, length, &mut acts, |at, input| {
        if at >= hour + Span::hours(1) {
            hour = hour + Span::hours(1);
            each_hour();
        }
        flow.step(at, input, t, &mut out);
    });
    out
}
