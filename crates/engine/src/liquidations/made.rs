//! What some liquidations add up to: how many, how much of each side, from when to when, between which prices.
//!
//! Sums are in the order in which the closes are added, so that the same events give the same bits.

use super::slots::Side3;
use barograph_domain::{Side, Span, Ts};
use serde::{Deserialize, Serialize};

/// One liquidation.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Close {
    /// Its stamp.
    pub at: Ts,
    /// Side of the position that was closed.
    pub liquidated_side: Side,
    /// Price in quote units.
    pub price: f64,
    /// Quote units.
    pub usd: f64,
}

/// The sums.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Made {
    /// Liquidations counted.
    pub count: u32,
    /// Liquidated longs, quote units.
    pub long_usd: f64,
    /// Liquidated shorts, quote units.
    pub short_usd: f64,
    /// Stamps of the earliest and of the newest close.
    pub first: Ts,
    /// See `first`.
    pub last: Ts,
    /// Lowest and highest price.
    pub low: f64,
    /// See `low`.
    pub high: f64,
    /// Part of the time was not listened to: there may have been more.
    pub lower_bound: bool,
}

impl Default for Made {
    /// Nothing yet: the first close that is added sets every bound.
    fn default() -> Self {
        Self {
            count: 0,
            long_usd: 0.0,
            short_usd: 0.0,
            first: Ts::MAX,
            last: Ts::MIN,
            low: f64::INFINITY,
            high: 0.0,
            lower_bound: false,
        }
    }
}

impl Made {
    /// One more.
    pub fn add(&mut self, close: &Close) {
        self.count = self.count.saturating_add(1);
        match close.liquidated_side {
            Side::Long => self.long_usd += close.usd,
            Side::Short => self.short_usd += close.usd,
        }
        (self.first, self.last) = (self.first.min(close.at), self.last.max(close.at));
        (self.low, self.high) = (self.low.min(close.price), self.high.max(close.price));
    }

    /// Both sides.
    #[must_use]
    pub fn usd(&self) -> f64 {
        self.long_usd + self.short_usd
    }

    /// From the first to the last.
    #[must_use]
    pub fn span(&self) -> Span {
        (self.last - self.first).max(Span::ZERO)
    }

    /// Quote units an hour, counted over the floor at least (S03).
    #[must_use]
    pub fn velocity(&self, floor_h: f64) -> f64 {
        self.usd() / (self.span().as_secs_f64() / 3_600.0).max(floor_h)
    }

    /// The side beyond `share`.
    #[must_use]
    pub fn side(&self, share: f64) -> Option<Side3> {
        Side3::of_sums(self.long_usd, self.short_usd, share)
    }
}
