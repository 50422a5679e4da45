//! What makes a market perpetual: premium, mark, funding, positions and their liquidation.
//!
//! The premium wanders around the level its episode wants. Mark is index × (1 + smoothed premium). The funding rate
//! follows the venue's formula: average premium of the interval so far plus a damped interest of 0.01 % per 8 hours,
//! capped. Rates and intervals: Binance, "Introduction to funding rates", as restated in the venue sheet.

use crate::num::{floor_i64, round_i64};
use crate::rng::Random;
use crate::world::episode::Mood;
use crate::world::event::{Liquidation, Mark};
use crate::world::positions::Holders;
use crate::world::spec::Spec;
use std::collections::VecDeque;

/// A settled funding payment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SettledFunding {
    /// When it was stamped, ms: some milliseconds after the full hour.
    pub ms: i64,
    /// The rate of the interval.
    pub rate: f64,
    /// Mark price at settlement.
    pub mark: f64,
}

/// Open interest at a full five minutes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OpenInterestPoint {
    /// When, ms.
    pub ms: i64,
    /// Open contracts, one side, in steps.
    pub steps: i64,
    /// Mark price then.
    pub mark: f64,
}

/// The state of a perpetual beside its book.
#[derive(Clone, Debug)]
pub struct Perp {
    /// Who holds what.
    pub positions: Holders,
    /// Latest full second.
    pub mark: Mark,
    /// Settlements since the beginning, oldest first, the newest 500.
    pub settled: VecDeque<SettledFunding>,
    /// Open interest every five minutes, oldest first, the newest 8,640 (30 days).
    pub open_interest: VecDeque<OpenInterestPoint>,
    /// Perpetual / index - 1, before smoothing.
    pub(super) premium: f64,
    smoothed: f64,
    average: f64,
    sum: f64,
    seconds: f64,
    /// Largest liquidation of the running second.
    pub(super) largest: Option<Liquidation>,
    pub(super) liquidations: u64,
}

/// Interest per 8 hours.
const INTEREST: f64 = 0.000_1;
/// How far interest may pull the rate away from the premium.
const DAMPER: f64 = 0.000_5;
/// The cap of intervals of 8 hours and of shorter ones.
pub(crate) const CAPS: (f64, f64) = (0.003, 0.02);
const SETTLED_MAX: usize = 500;
const OPEN_INTEREST_MAX: usize = 8_640;
const HOUR_MS: i64 = 3_600_000;
const FIVE_MINUTES_MS: i64 = 300_000;

/// The rate of an interval with this average premium.
#[must_use]
pub fn funding_rate(average_premium: f64, interval_h: i64) -> f64 {
    let share = interval_h as f64 / 8.0;
    let pull = (INTEREST - average_premium).clamp(-DAMPER, DAMPER);
    let cap = if interval_h == 8 { CAPS.0 } else { CAPS.1 };
    ((average_premium + pull) * share).clamp(-cap, cap)
}

impl Perp {
    pub(super) fn new(spec: &Spec, index: f64, premium: f64, now_ms: i64, mood: &Mood, rng: &mut Random) -> Self {
        let interval_ms = spec.funding_interval_h * HOUR_MS;
        let started = now_ms.div_euclid(interval_ms) * interval_ms;
        let seconds = ((now_ms - started) / 1_000) as f64;
        let mark = index * (1.0 + premium);
        let steps = spec.steps(spec.open_interest_notional, mark);
        let mut perp = Self {
            positions: Holders::new(steps, mark, mood, rng),
            mark: Mark {
                ms: now_ms,
                mark,
                average: mark,
                index,
                settle: index,
                rate: funding_rate(premium, spec.funding_interval_h),
                next_ms: started + interval_ms,
            },
            settled: VecDeque::new(),
            open_interest: VecDeque::new(),
            premium,
            smoothed: premium,
            average: mark,
            sum: premium * seconds,
            seconds,
            largest: None,
            liquidations: 0,
        };
        let now = perp.sample(now_ms.div_euclid(FIVE_MINUTES_MS) * FIVE_MINUTES_MS);
        perp.open_interest.push_back(now);
        perp
    }

    /// Mark price with this index.
    pub(super) fn mark_at(&self, index: f64) -> f64 {
        index * (1.0 + self.smoothed)
    }

    /// The premium wanders for one step of `dt` seconds.
    pub(super) fn wander(&mut self, mood: &Mood, dt: f64, rng: &mut Random) {
        // Half of the way in about half a minute; noise of a few basis points.
        self.premium +=
            (mood.premium - self.premium) * dt / 40.0 + 0.000_02 * dt.sqrt() * rng.bell() * (1.0 + mood.restless * 1e3);
        self.premium = self.premium.clamp(-0.03, 0.03);
        self.smoothed += (self.premium - self.smoothed) * dt / 10.0;
    }

    /// A full second: funding accumulates, the rate is estimated, intervals settle.
    pub(super) fn second(&mut self, ms: i64, index: f64, spec: &Spec, rng: &mut Random) {
        let mark = self.mark_at(index);
        self.average += (mark - self.average) / 30.0;
        self.sum += self.premium;
        self.seconds += 1.0;
        let rate = funding_rate(self.sum / self.seconds, spec.funding_interval_h);
        let interval_ms = spec.funding_interval_h * HOUR_MS;
        let mut next_ms = self.mark.next_ms;
        if ms >= next_ms {
            let settled = SettledFunding { ms: next_ms + rng.below(7), rate: as_printed(rate), mark };
            self.settled.push_back(settled);
            if self.settled.len() > SETTLED_MAX {
                self.settled.pop_front();
            }
            (self.sum, self.seconds) = (0.0, 0.0);
            next_ms = ms.div_euclid(interval_ms) * interval_ms + interval_ms;
        }
        self.mark =
            Mark { ms, mark, average: self.average, index, settle: index * (1.0 + self.smoothed / 2.0), rate, next_ms };
        if ms % FIVE_MINUTES_MS == 0 {
            let now = self.sample(ms);
            self.open_interest.push_back(now);
            if self.open_interest.len() > OPEN_INTEREST_MAX {
                self.open_interest.pop_front();
            }
        }
    }

    /// People open and close positions, never more than was traded.
    pub(super) fn turnover(&mut self, mood: &Mood, traded: i64, rng: &mut Random) {
        let steps = self.positions.open_interest() as f64;
        let mut part = |per_minute: f64| {
            let mean = steps * per_minute / 60.0;
            floor_i64(mean * 2.0 * rng.unit() + rng.unit()).min(traded)
        };
        let (opened, closed) = (part(mood.opening), part(mood.closing));
        self.positions.open(opened, self.mark.mark, mood, rng);
        self.positions.close(closed, rng);
    }

    /// Perpetual sells off, or is bought up, by a liquidation.
    pub(super) fn push(&mut self, relative: f64) {
        self.premium = (self.premium + relative).clamp(-0.03, 0.03);
    }

    const fn sample(&self, ms: i64) -> OpenInterestPoint {
        OpenInterestPoint { ms, steps: self.positions.open_interest(), mark: self.mark.mark }
    }
}

/// A rate as its text says it, with eight decimals.
fn as_printed(rate: f64) -> f64 {
    round_i64(rate * 1e8) as f64 / 1e8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_the_premium() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        near(funding_rate(0.0, 8), 0.000_1);
        near(funding_rate(0.001, 8), 0.000_5);
        near(funding_rate(-0.001, 8), -0.000_5);
        near(funding_rate(-0.001, 4), -0.000_25);
        near(funding_rate(0.02, 8), 0.003);
        near(funding_rate(-0.5, 1), -0.02);
    }
}
