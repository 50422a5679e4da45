//! What the detectors of one market compare with now, for whoever has to stay above or below it.

use super::posted::median_size;
use super::usual::{WINDOWS, of_length};
use super::{FlowThresholds, OrderFlow};
use barograph_domain::Span;

/// Sizes, volumes and rates that are much at one market, by its own last day.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FlowLimits {
    /// Base quantity that a large order reaches.
    pub add_large: f64,
    /// Base quantity that each of stacked orders reaches.
    pub add_stacked: f64,
    /// Median base quantity of the ten best levels of both sides.
    pub median_size: f64,
    /// Base volumes of trades of one side in windows of some seconds.
    opposite_large: [Option<f64>; WINDOWS.len()],
    opposite_stacked: [Option<f64>; WINDOWS.len()],
    /// Changes of levels a second that are a flood, however little trades.
    pub rate: f64,
    /// The middle, in the smallest steps of prices that were seen.
    pub price_ticks: f64,
    /// That step, in units.
    pub tick: i64,
}

impl FlowLimits {
    /// Base volume of trades of one side within so long: beside large orders, and beside stacked ones.
    #[must_use]
    pub fn opposite(&self, length: Span) -> (f64, f64) {
        let of = |levels| of_length(levels, length).unwrap_or(0.0);
        (of(&self.opposite_large), of(&self.opposite_stacked))
    }
}

impl OrderFlow {
    /// What the three detectors of books compare with now; `None` while that is not known.
    #[must_use]
    pub fn limits(&self, t: &FlowThresholds) -> Option<FlowLimits> {
        let (levels, state) = (&self.usual.levels, self.accounting.state());
        let (bid, ask, tick) = (state.bids.first()?, state.asks.first()?, self.tick?);
        let median_size = median_size(state);
        Some(FlowLimits {
            add_large: levels.add_large?.max(t.spoof_median_sizes * median_size),
            add_stacked: levels.add_stacked?,
            median_size,
            opposite_large: levels.opposite_large.map(|of| of.filter(|v| *v > 0.0)),
            opposite_stacked: levels.opposite_stacked.map(|of| of.filter(|v| *v > 0.0)),
            rate: levels.rate?.max(t.stuffing_medians * levels.rate_median?),
            price_ticks: 0.5 * (bid.units + ask.units) as f64 / tick as f64,
            tick,
        })
    }
}
