//! What was before the server began: bars, funding and open interest, made when asked for.
//!
//! Nothing is stored. The price path is a walk backward from the first price: days are a sum of seeded steps, hours a
//! bridge between two days, minutes a bridge between two hours. Each piece has random numbers of its own, so a minute
//! is the same however it is asked for, and the path ends exactly where the live market begins.

use crate::Venue;
use crate::num::{natural, round_i64};
use crate::rng::Random;
use crate::world::bar::{PriceRange, TickBar};
use crate::world::perp::{SettledFunding, funding_rate};
use crate::world::spec::Spec;
use barograph_domain::math;
use std::collections::VecDeque;

/// Relative deviations of the path.
const DAY: f64 = 0.025;
const HOUR: f64 = 0.005;
const MINUTE: f64 = 0.000_6;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// The history of one market.
#[derive(Clone, Debug)]
pub struct MarketPast {
    seed: u64,
    asset: u64,
    /// First minute that is not past, ms.
    pub origin_ms: i64,
    /// First minute there is, ms.
    pub start_ms: i64,
    /// Index price at the origin.
    pub index: f64,
    /// Premium at the origin; 0 on spot.
    pub premium: f64,
    /// Open interest at the origin, in steps.
    pub open_interest: i64,
    /// Taker orders per second.
    pub trades_per_s: f64,
}

impl MarketPast {
    pub(super) fn new(seed: u64, spec: &Spec, index: f64, origin_ms: i64, days: i64, trades_per_s: f64) -> Self {
        let perp = spec.funding_interval_h > 0;
        let asset = spec.asset as u64;
        let premium = if perp { 0.000_3 * Random::new(seed, 30, asset).bell() } else { 0.0 };
        let origin_ms = origin_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
        let open_interest = if perp { spec.steps(spec.open_interest_notional, index * (1.0 + premium)) } else { 0 };
        Self {
            seed,
            asset,
            origin_ms,
            start_ms: origin_ms - days * 24 * HOUR_MS,
            index,
            premium,
            open_interest,
            trades_per_s,
        }
    }

    fn rng(&self, kind: u64, number: i64) -> Random {
        Random::new(self.seed ^ (self.asset << 32), kind, natural(number))
    }

    /// Logarithm of the index at each hour of the `day`-th day back, later edge first.
    fn day(&self, day: i64) -> [f64; 25] {
        let later: f64 = math::ln(self.index) - (0..day).map(|d| DAY * self.rng(31, d).bell()).sum::<f64>();
        let earlier = later - DAY * self.rng(31, day).bell();
        let mut rng = self.rng(32, day);
        let mut path = [0.0; 25];
        for n in 1..25 {
            path[n] = path[n - 1] + HOUR * rng.bell();
        }
        let end = path[24];
        for (n, p) in path.iter_mut().enumerate() {
            let share = n as f64 / 24.0;
            *p += later + share * (earlier - later - end);
        }
        path
    }

    /// Premium at an hour's edge, `hour` hours before the origin.
    fn premium_edge(&self, hour: i64) -> f64 {
        if hour <= 0 {
            self.premium
        } else if self.open_interest == 0 {
            0.0
        } else {
            // A lean that lasts about as long as a funding interval: settlements differ, as they do on the venue.
            0.000_7 * self.rng(41, hour.div_euclid(8)).bell() + 0.000_3 * self.rng(33, hour).bell()
        }
    }

    fn open_interest_edge(&self, hour: i64) -> f64 {
        let wave = if hour <= 0 { 0.0 } else { 0.015 * self.rng(34, hour).bell() };
        self.open_interest as f64 * (1.0 + wave)
    }

    /// Hours before the origin, later edge, and how far into the hour `ms` lies (0 at its earlier edge).
    fn place(&self, ms: i64) -> (i64, f64) {
        let before = self.origin_ms - ms;
        let hour = (before + HOUR_MS - 1).div_euclid(HOUR_MS).max(1);
        (hour, 1.0 - (before - (hour - 1) * HOUR_MS) as f64 / HOUR_MS as f64)
    }

    /// Open interest at a moment of the past, in steps.
    #[must_use]
    pub fn open_interest_at(&self, ms: i64) -> i64 {
        let (hour, share) = self.place(ms);
        let (early, late) = (self.open_interest_edge(hour), self.open_interest_edge(hour - 1));
        round_i64(early + share * (late - early))
    }

    /// Premium at a moment of the past.
    #[must_use]
    pub fn premium_at(&self, ms: i64) -> f64 {
        let (hour, share) = self.place(ms);
        let (early, late) = (self.premium_edge(hour), self.premium_edge(hour - 1));
        early + share * (late - early)
    }

    /// Index price at a full minute of the past.
    #[must_use]
    pub fn index_at(&self, ms: i64) -> f64 {
        let (hour, share) = self.place(ms);
        let day = self.day((hour - 1).div_euclid(24));
        let path = self.minutes_of(hour, &day);
        path[crate::num::index(round_i64(share * 60.0)).min(60)]
    }

    /// Index prices at the 61 minute edges of an hour, earlier first.
    fn minutes_of(&self, hour: i64, day: &[f64; 25]) -> [f64; 61] {
        let in_day = crate::num::index((hour - 1).rem_euclid(24));
        let (late, early) = (day[in_day], day[in_day + 1]);
        let mut rng = self.rng(35, hour);
        let mut path = [0.0; 61];
        for n in 1..61 {
            path[n] = path[n - 1] + MINUTE * rng.bell();
        }
        let end = path[60];
        for (n, p) in path.iter_mut().enumerate() {
            let share = n as f64 / 60.0;
            *p = math::exp(*p + early + share * (late - early - end));
        }
        path
    }

    /// Calls `each` with every minute of `from_ms..to_ms` that is past, in order, until it returns false.
    pub fn minutes(&self, spec: &Spec, from_ms: i64, to_ms: i64, mut each: impl FnMut(&TickBar) -> bool) {
        let from = from_ms.max(self.start_ms).div_euclid(MINUTE_MS) * MINUTE_MS;
        let to = to_ms.min(self.origin_ms);
        if from >= to {
            return;
        }
        let mut day = (i64::MIN, [0.0; 25]);
        let mut hour = (self.origin_ms - from + HOUR_MS - 1).div_euclid(HOUR_MS);
        while hour >= 1 {
            let number = (hour - 1).div_euclid(24);
            if day.0 != number {
                day = (number, self.day(number));
            }
            let path = self.minutes_of(hour, &day.1);
            let begin = self.origin_ms - hour * HOUR_MS;
            let edges = (self.premium_edge(hour), self.premium_edge(hour - 1));
            // 39 and what follows are taken.
            let own = if spec.venue == Venue::Coinex { 42 } else { 36 + spec.venue as u64 };
            let mut rng = self.rng(own, hour);
            for n in 0..60_usize {
                let open_ms = begin + n as i64 * MINUTE_MS;
                let premium = |n: usize| edges.0 + n as f64 / 60.0 * (edges.1 - edges.0);
                let bar = self.bar(spec, open_ms, (path[n], path[n + 1]), (premium(n), premium(n + 1)), &mut rng);
                if open_ms >= to || (open_ms >= from && !each(&bar)) {
                    return;
                }
            }
            hour -= 1;
        }
    }

    fn bar(&self, spec: &Spec, open_ms: i64, index: (f64, f64), premium: (f64, f64), rng: &mut Random) -> TickBar {
        let (up, down, volume, buys) = (rng.unit(), rng.unit(), rng.unit(), rng.unit());
        let (first, last) = (index.0 * (1.0 + premium.0), index.1 * (1.0 + premium.1));
        let (high, low) = (first.max(last) * (1.0 + 0.000_2 * up), first.min(last) * (1.0 - 0.000_2 * down));
        let tick = |price: f64| round_i64(price / spec.tick_size()).max(1);
        let ratio = last / first - 1.0;
        let usual = self.trades_per_s * 60.0;
        let busy = (0.5 + 0.6 * volume) * (0.7 + 0.6 * ratio.abs() / MINUTE);
        let trades = round_i64(usual * busy * 2.0).max(1);
        let quantity = spec.steps(usual * busy * spec.trade_notional, first);
        let buy_share = (0.5 + 0.25 * math::tanh(ratio / MINUTE) + 0.1 * (buys - 0.5)).clamp(0.02, 0.98);
        let taker_buy = round_i64(quantity as f64 * buy_share);
        let middle = (first + last) / 2.0;
        let range = |a: f64, b: f64| PriceRange { open: a, high: a.max(b), low: a.min(b), close: b };
        TickBar {
            open_ms,
            open: tick(first),
            high: tick(high),
            low: tick(low),
            close: tick(last),
            volume: quantity,
            quote_volume: spec.quantity(quantity) * middle,
            taker_buy,
            taker_buy_quote: spec.quantity(taker_buy) * middle,
            trades,
            ids: None,
            mark: range(first, last),
            index: range(index.0, index.1),
            premium: range(premium.0, premium.1),
        }
    }

    /// Complete hours and the part of the running one, for the rolling day.
    pub(super) fn last_day(&self, spec: &Spec) -> VecDeque<TickBar> {
        let mut hours: VecDeque<TickBar> = VecDeque::with_capacity(26);
        let from = (self.origin_ms - 23 * HOUR_MS).div_euclid(HOUR_MS) * HOUR_MS;
        self.minutes(spec, from, self.origin_ms, |bar| {
            let hour = bar.open_ms.div_euclid(HOUR_MS) * HOUR_MS;
            match hours.back_mut() {
                Some(last) if last.open_ms == hour => last.join(bar),
                _ => hours.push_back(TickBar { open_ms: hour, ..*bar }),
            }
            true
        });
        hours
    }

    /// Settlements of the past in `from_ms..=to_ms`, in order.
    #[must_use]
    pub fn settled(&self, spec: &Spec, from_ms: i64, to_ms: i64) -> Vec<SettledFunding> {
        if spec.funding_interval_h == 0 {
            return Vec::new();
        }
        let interval = spec.funding_interval_h * HOUR_MS;
        let first = (from_ms.max(self.start_ms) - 10 + interval - 1).div_euclid(interval) * interval;
        let mut settled = Vec::new();
        let mut at = first;
        while at <= to_ms && at < self.origin_ms {
            let ms = at + self.rng(39, at / HOUR_MS).below(7);
            let mean =
                (0..spec.funding_interval_h).map(|h| self.premium_at(at - h * HOUR_MS - HOUR_MS / 2)).sum::<f64>()
                    / spec.funding_interval_h as f64;
            let rate = round_i64(funding_rate(mean, spec.funding_interval_h) * 1e8) as f64 / 1e8;
            if ms >= from_ms && ms <= to_ms {
                settled.push(SettledFunding { ms, rate, mark: self.index_at(at) * (1.0 + self.premium_at(at)) });
            }
            at += interval;
        }
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::spec;

    fn past() -> (Spec, MarketPast) {
        let spec = spec::market(5, Venue::BinanceUsdm, 0);
        let past = MarketPast::new(5, &spec, 83_100.0, 1_795_000_000_000, 30, 5.0);
        (spec, past)
    }

    fn bars(from: i64, to: i64) -> Vec<TickBar> {
        let (spec, past) = past();
        let mut all = Vec::new();
        past.minutes(&spec, from, to, |b| {
            all.push(*b);
            true
        });
        all
    }

    #[test]
    fn the_past_is_the_same_however_it_is_asked_for_and_ends_at_the_origin() {
        let (spec, past) = past();
        let end = past.origin_ms;
        let all = bars(end - 3 * 24 * HOUR_MS, end + HOUR_MS);
        assert_eq!(all.len(), 3 * 24 * 60);
        assert!(all.windows(2).all(|w| w[1].open_ms == w[0].open_ms + MINUTE_MS && w[1].open == w[0].close));
        assert!(
            all.iter()
                .all(|b| b.low <= b.open.min(b.close) && b.high >= b.open.max(b.close) && b.taker_buy <= b.volume)
        );
        for (from, minutes) in [(777, 5), (100, 61), (4_000, 300)] {
            let begin = end - from * MINUTE_MS;
            assert_eq!(
                bars(begin, begin + minutes * MINUTE_MS),
                all[all.len() - crate::num::index(from)..][..crate::num::index(minutes)]
            );
        }
        let first = past.index * (1.0 + past.premium);
        assert_eq!(all.last().map(|b| b.close), Some(round_i64(first / spec.tick_size())));
        assert_eq!(bars(0, past.start_ms), []);
    }

    #[test]
    fn funding_of_the_past_follows_its_premium() {
        let (spec, past) = past();
        let all = past.settled(&spec, 0, past.origin_ms);
        assert_eq!(all.len(), 90);
        for s in &all {
            let hour = s.ms.div_euclid(8 * HOUR_MS) * 8 * HOUR_MS;
            let mean = (0..8).map(|h| past.premium_at(hour - h * HOUR_MS - HOUR_MS / 2)).sum::<f64>() / 8.0;
            assert!((s.rate - funding_rate(mean, 8)).abs() < 1e-8);
            assert!((0..7).contains(&(s.ms - hour)));
        }
        let part = past.settled(&spec, all[3].ms, all[5].ms);
        assert_eq!(part, all[3..=5]);
    }
}
