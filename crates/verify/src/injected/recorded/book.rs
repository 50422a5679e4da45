//! The book of a recording, as episodes are laid over it: in whole numbers of a scale that is fine enough for any venue.

use super::super::acts::Substrate;
use barograph_domain::depth::DepthLevel;
use barograph_engine::order_flow::{BookState, FlowLevel, RestingSide};

/// Digits of a price altogether: a float holds two more, so that a price may rise a hundredfold.
const DIGITS: u8 = 13;

/// What really rests.
#[derive(Clone, Debug, Default)]
pub(super) struct RecordedBook {
    bids: Vec<FlowLevel>,
    asks: Vec<FlowLevel>,
    /// Smallest step of prices that was seen, in units.
    pub(super) tick: i64,
    scale: Option<u8>,
}

/// Places behind the point, so that a price has as many digits as a float can hold whole.
fn scale_of(price: f64) -> u8 {
    let (mut digits, mut left) = (0, price);
    while left >= 1.0 && digits < DIGITS {
        (digits, left) = (digits + 1, left / 10.0);
    }
    DIGITS - digits
}

#[expect(clippy::cast_possible_truncation, reason = "fifteen digits at most")]
fn units(price: f64, one: f64) -> i64 {
    (price * one).round() as i64
}

fn one(scale: u8) -> f64 {
    (0..scale).fold(1.0, |one, _| 10.0 * one)
}

impl RecordedBook {
    /// Decimals of its prices; `None` before the first state.
    pub(super) const fn scale(&self) -> Option<u8> {
        self.scale
    }

    /// The book is like this, within so much of its best prices. Is there one?
    pub(super) fn take(&mut self, bids: &[DepthLevel], asks: &[DepthLevel], within: f64) -> bool {
        let (Some(best), Some(_)) = (bids.first(), asks.first()) else { return false };
        let one = one(*self.scale.get_or_insert_with(|| scale_of(best.price)));
        fill(&mut self.bids, bids, one, within);
        fill(&mut self.asks, asks, one, within);
        true
    }

    /// Is its best bid not below its best ask?
    pub(super) fn is_crossed(&self) -> bool {
        self.best(RestingSide::Bid) >= self.best(RestingSide::Ask)
    }

    pub(super) fn state(&self) -> BookState<'_> {
        BookState { bids: &self.bids, asks: &self.asks }
    }

    /// Price of so many units, in quote.
    pub(super) fn price(&self, units: i64) -> f64 {
        units as f64 / one(self.scale.unwrap_or(0))
    }

    /// Best bid plus best ask.
    pub(super) fn mid2(&self) -> i64 {
        self.best(RestingSide::Bid) + self.best(RestingSide::Ask)
    }

    const fn side(&self, side: RestingSide) -> &Vec<FlowLevel> {
        match side {
            RestingSide::Bid => &self.bids,
            RestingSide::Ask => &self.asks,
        }
    }
}

fn fill(to: &mut Vec<FlowLevel>, from: &[DepthLevel], one: f64, within: f64) {
    to.clear();
    let Some(best) = from.first().map(|l| l.price) else { return };
    let near = from.iter().take_while(|l| (l.price - best).abs() <= within * best);
    to.extend(near.map(|l| FlowLevel { units: units(l.price, one), qty: l.size }));
}

impl Substrate for RecordedBook {
    fn best(&self, side: RestingSide) -> i64 {
        self.side(side).first().map_or(0, |l| l.units)
    }
    fn last(&self, side: RestingSide) -> i64 {
        self.side(side).last().map_or(0, |l| l.units)
    }
    fn tick(&self) -> i64 {
        self.tick.max(1)
    }
    fn lot(&self, qty: f64) -> f64 {
        qty
    }
    /// What was recorded is not moved: that would take away what really rested.
    fn shift(&mut self, _up: bool) -> Option<FlowLevel> {
        None
    }
    fn takes_what_it_reaches(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prices of any size become different whole numbers and come back.
    #[test]
    fn prices_keep_their_ticks() {
        for (price, tick) in [(63_120.1, 0.1), (1.084_5, 0.000_1), (0.000_012_34, 1e-8), (0.3, 0.01), (104_000.0, 1.0)]
        {
            let levels = |sign: f64| -> Vec<DepthLevel> {
                (1..30).map(|n| DepthLevel { price: price + sign * tick * f64::from(n), size: 1.0 }).collect()
            };
            let mut book = RecordedBook::default();
            assert!(book.take(&levels(-1.0), &levels(1.0), 10.0));
            let steps: Vec<i64> = book.asks.windows(2).map(|w| w[1].units - w[0].units).collect();
            assert!(steps.iter().all(|s| *s == steps[0] && *s > 0), "{price}: {steps:?}");
            let back = book.price(book.best(RestingSide::Ask));
            assert!((back / (price + tick) - 1.0).abs() < 1e-12, "{price}: {back}");
        }
        assert!(!RecordedBook::default().take(&[], &[DepthLevel { price: 1.0, size: 1.0 }], 1.0));
    }
}
