//! Classes of volatility, heat and crowding: functions of other readings of the same minute (features §2.5, §5).

use super::Assembly;
use super::fill::fill;
use crate::ages::allowed;
use crate::catalogue::{Feature, each_feature};
use crate::composite;
use crate::engine::Config;
use crate::features::positions;
use crate::features::reading::{Slot, choose, chosen};
use crate::feeds::{Feeds, PriceSeries};
use crate::rules::DAILY_BOUNDS;
use barograph_domain::math::tanh;
use barograph_domain::{Cell, Kind, Label as _, Metric, Reason, State, Ts, VolRegime};

/// Percentile bounds of LOW, NORMAL and HIGH (R2.18).
const PCT_BOUNDS: [f64; 3] = [0.25, 0.75, 0.95];
/// Parts that heat and crowding need.
const HEAT_PARTS: u32 = 3;
const BIAS_PARTS: u32 = 2;
/// Basis that counts as half-crowded (A25).
const BASIS_SCALE: f64 = 0.005;
/// Weight of a quadrant in which one side opens.
const QUADRANT: f64 = 0.5;

/// The class of a daily volatility (R4.14).
#[must_use]
pub fn vol_class(vol_daily: f64) -> VolRegime {
    class_within(vol_daily, DAILY_BOUNDS)
}

fn class_within(vol_daily: f64, bounds: [f64; 3]) -> VolRegime {
    match bounds.iter().position(|b| vol_daily <= *b) {
        Some(0) => VolRegime::Stable,
        Some(1) => VolRegime::HighVol,
        Some(_) => VolRegime::Explosive,
        None => VolRegime::Extreme,
    }
}

/// Code of the class of a percentile of volatility (R2.18).
#[inline]
pub(super) fn class_of_rank(rank: f64) -> f64 {
    let class = PCT_BOUNDS.iter().position(|b| rank < *b).unwrap_or(PCT_BOUNDS.len());
    #[expect(clippy::cast_precision_loss, reason = "four classes")]
    let class = class as f64;
    class
}

impl Assembly {
    /// What follows from the class of the day's volatility.
    pub(super) fn classes(&mut self) {
        let slots = &mut self.slots;
        let class = class_within(slots.cells()[Feature::VolDaily.index()].value, self.daily_bounds);
        macro_rules! take {
            (class $feature:ident ($value:expr) $among:tt) => {
                slots.derive(Feature::$feature, Feature::VolDaily, |_| of_class(class, $value));
            };
            ($($other:tt)*) => {};
        }
        each_feature!(take);
    }

    pub(super) fn means(&mut self, feeds: &Feeds, t: Ts, config: &Config) {
        fill!(self, mean { heat: self.heat(feeds, t, config), long_bias: self.long_bias(t) });
    }

    /// Mean of the ready percentiles; three of four are needed.
    fn heat(&self, feeds: &Feeds, t: Ts, config: &Config) -> Slot {
        static NOT_OFFERED: Slot = Slot::undefined(Reason::NotOffered);
        let volume = volume_rank(feeds, &self.volume, config);
        let oi = if self.offers(Metric::OpenInterest) {
            let feeds = feeds.open_interest.iter().filter(|f| allowed(f.source.kind, config));
            chosen(t, feeds.map(|f| &f.slots.delta_24h_size_pct))
        } else {
            &NOT_OFFERED
        };
        let funding = if self.offers(Metric::FundingRate) { funding_rank(feeds, t, config) } else { NOT_OFFERED };
        mean_of(t, [&volume, oi, &funding, &self.vol_pct_30d], HEAT_PARTS)
    }

    /// Mean of the ready signs of crowding; two are needed.
    fn long_bias(&self, t: Ts) -> Slot {
        use Feature as F;
        let funding = self.sign_of(F::FundingPct30d, |p| 2.0 * p - 1.0);
        let accounts =
            self.sign_of(F::LongShortRatio, |r| positions::long_share(r).map_or(0.0, |share| 2.0 * share - 1.0));
        let basis = self.sign_of(F::Basis, |b| tanh(b / BASIS_SCALE));
        let quadrant = self.sign_of(F::OiPriceQuadrant, |q| match q {
            q if (q - 1.0).abs() < 0.5 => QUADRANT,
            q if (q - 2.0).abs() < 0.5 => -QUADRANT,
            _ => 0.0,
        });
        mean_of(t, [&funding, &accounts, &basis, &quadrant], BIAS_PARTS)
    }

    /// What a reading says of the crowded side.
    #[inline]
    fn sign_of(&self, feature: Feature, sign: impl FnOnce(f64) -> f64) -> Slot {
        composite::of_one(&self.slots.of(feature), |v| sign(v).clamp(-1.0, 1.0))
    }
}

/// A function of a class of volatility, as the catalogue states it.
#[inline]
fn of_class(class: VolRegime, value: impl FnOnce(VolRegime) -> f64) -> f64 {
    value(class)
}

/// The mean of what is ready: as old as the oldest part, partial where one is or where one is missing.
fn mean_of(t: Ts, parts: [&Slot; 4], need: u32) -> Slot {
    // Sums of floating-point numbers begin with the zero that changes no bit.
    let (mut n, mut sum) = (0_u32, -0.0);
    let (mut anchor, mut expires, mut kind) = (Ts::MAX, Ts::MAX, Kind::Measured);
    let (mut coverage, mut partial) = (1.0_f32, false);
    for part in parts {
        let Some(value) = part.ready(t) else { continue };
        n += 1;
        sum += value;
        anchor = anchor.min(part.cell.anchor);
        expires = expires.min(part.expires);
        kind = kind.max(part.cell.kind);
        // A plain comparison is one instruction, `min` minds what is not a number.
        coverage = if part.cell.coverage < coverage { part.cell.coverage } else { coverage };
        partial |= part.cell.partial;
    }
    if n < need {
        return too_few(n, parts, need);
    }
    #[expect(clippy::cast_precision_loss, reason = "four parts")]
    let (all, seen) = (parts.len() as f32, n as f32);
    let share = seen / all;
    let (coverage, partial) = (if share < coverage { share } else { coverage }, partial || seen < all);
    Slot { cell: Cell { coverage, partial, ..Cell::ready_at(sum / f64::from(n), anchor, kind) }, expires }
}

/// What a mean is of which fewer parts are ready than it needs.
#[cold]
fn too_few(ready: u32, parts: [&Slot; 4], need: u32) -> Slot {
    let count = |of: fn(State) -> bool| parts.iter().filter(|p| of(p.cell.state)).fold(0_u32, |n, _| n + 1);
    // Stale parts make it stale, not warming: what is missing was there.
    if count(|state| state == State::Ready) >= need {
        return Slot::undefined(Reason::Stale);
    }
    if count(|state| state != State::Undefined(Reason::NotOffered)) < need {
        return Slot::undefined(Reason::NotOffered);
    }
    let state = State::Warming { have: ready, need };
    Slot { cell: Cell { state, ..Cell::undefined(Reason::Warming) }, expires: Ts::MAX }
}

/// Percentile of the day's volume within 30 d.
fn volume_rank(feeds: &Feeds, volume: &Slot, config: &Config) -> Slot {
    let bars = feeds.prices.iter().find_map(|f| match &f.series {
        PriceSeries::Bars(bars) if Some(f.source.stream) == volume.cell.stream => Some(bars),
        PriceSeries::Bars(_) | PriceSeries::Plain(_) => None,
    });
    // Bars happen at their close, so that the event of the sum is its instant.
    bars.map_or(*volume, |b| b.volume.rank().slot(volume, volume.cell.anchor, &config.settings()))
}

/// Percentile of the size of funding within 30 d: of the running rate, else of settlements.
fn funding_rank(feeds: &Feeds, t: Ts, config: &Config) -> Slot {
    let running =
        choose(t, feeds.funding.iter().filter(|f| allowed(f.source.kind, config)).map(|f| &f.slots.size_pct_30d));
    if running.ready(t).is_some() || !config.book.allow_proxy {
        return running;
    }
    let settled =
        feeds.settled.iter().map(|s| s.slots().size_pct_30d.of_kind(Kind::Proxy)).find(|s| s.ready(t).is_some());
    settled.unwrap_or(running)
}
