//! Classes of volatility, heat and crowding: functions of other readings of the same minute (features §2.5, §5).

use super::{Assembly, allowed};
use crate::catalogue::Feature;
use crate::composite;
use crate::engine::Config;
use crate::features::positions;
use crate::features::reading::{Slot, choose};
use crate::feeds::PriceSeries;
use crate::market::Market;
use barograph_domain::math::tanh;
use barograph_domain::{Cell, Kind, Label as _, Metric, Reason, State, Ts, VolRegime};

/// Days of a year: markets never close.
const DAYS: f64 = 365.0;
/// Percentile bounds of LOW, NORMAL and HIGH (R2.18).
const PCT_BOUNDS: [f64; 3] = [0.25, 0.75, 0.95];
/// Upper ends of STABLE, HIGH_VOL and EXPLOSIVE, daily (R4.14).
const DAILY_BOUNDS: [f64; 3] = [0.01, 0.05, 0.10];
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

impl Assembly {
    /// Readings that follow from the day's volatility.
    pub(super) fn classes(&mut self, t: Ts, config: &Config) {
        use Feature as F;
        let annual = self.slots.of(F::RealizedVol24h);
        self.set(F::VolAnnual, annual);
        let of_annual = |f: &dyn Fn(f64) -> f64| composite::combine(t, &[&annual], |v| Ok(f(v[0])));
        let daily = of_annual(&|v| v / DAYS.sqrt());
        self.set(F::VolDaily, daily);
        let bounds = config.book.daily_bounds(DAILY_BOUNDS);
        let of_class =
            |f: &dyn Fn(VolRegime) -> f64| composite::combine(t, &[&daily], |v| Ok(f(class_within(v[0], bounds))));
        self.set(F::VolClass, of_class(&|c| f64::from(c.code())));
        self.set(F::RiskMultiplier, of_class(&|c| c.risk_multiplier().unwrap_or(1.0)));
        self.set(F::SizeFactor, of_class(&|c| c.size_factor().unwrap_or(1.0)));
        let rank = self.slots.of(F::VolPctRank);
        let class = composite::combine(t, &[&rank], |v| {
            let class = PCT_BOUNDS.iter().position(|b| v[0] < *b).unwrap_or(PCT_BOUNDS.len());
            #[expect(clippy::cast_precision_loss, reason = "four classes")]
            Ok(class as f64)
        });
        self.set(F::VolClassPct, class);
    }

    /// Mean of the ready percentiles; three of four are needed.
    pub(super) fn heat(&mut self, market: &Market, t: Ts, config: &Config) {
        let volume = volume_rank(market, &self.volume, config);
        let offered = |slot: Slot, metric| if self.offers(metric) { slot } else { Slot::undefined(Reason::NotOffered) };
        let oi = choose(
            t,
            market.open_interest.iter().filter(|f| allowed(f.source.kind, config)).map(|f| &f.slots.delta_24h_size_pct),
        );
        let oi = offered(oi, Metric::OpenInterest);
        let funding = offered(funding_rank(market, t, config), Metric::FundingRate);
        let parts = [volume, oi, funding, self.vol_pct_30d];
        self.set(Feature::Heat, mean_of(t, &parts, HEAT_PARTS));
    }

    /// Mean of the ready signs of crowding; two are needed.
    pub(super) fn long_bias(&mut self, t: Ts) {
        use Feature as F;
        let of = |feature: F, f: &dyn Fn(f64) -> f64| {
            let slot = self.slots.of(feature);
            composite::combine(t, &[&slot], |v| Ok(f(v[0]).clamp(-1.0, 1.0)))
        };
        let parts = [
            of(F::FundingPct30d, &|p| 2.0 * p - 1.0),
            of(F::LongShortRatio, &|ratio| positions::long_share(ratio).map_or(0.0, |share| 2.0 * share - 1.0)),
            of(F::Basis, &|b| tanh(b / BASIS_SCALE)),
            of(F::OiPriceQuadrant, &|q| match q {
                q if (q - 1.0).abs() < 0.5 => QUADRANT,
                q if (q - 2.0).abs() < 0.5 => -QUADRANT,
                _ => 0.0,
            }),
        ];
        self.set(F::LongBias, mean_of(t, &parts, BIAS_PARTS));
    }
}

/// The mean of what is ready: as old as the oldest part, partial where one is or where one is missing.
fn mean_of(t: Ts, parts: &[Slot], need: u32) -> Slot {
    let ready = || parts.iter().filter(|p| p.ready(t).is_some());
    let n = ready().fold(0_u32, |n, _| n + 1);
    if n < need {
        // Stale parts make it stale, not warming: what is missing was there.
        let was_ready = parts.iter().filter(|p| p.cell.state == State::Ready).fold(0_u32, |n, _| n + 1);
        if was_ready >= need {
            return Slot::undefined(Reason::Stale);
        }
        let possible = parts.iter().filter(|p| p.cell.state != State::Undefined(Reason::NotOffered));
        if possible.fold(0_u32, |n, _| n + 1) < need {
            return Slot::undefined(Reason::NotOffered);
        }
        let state = State::Warming { have: n, need };
        return Slot { cell: Cell { state, ..Cell::undefined(Reason::Warming) }, expires: Ts::MAX };
    }
    let sum: f64 = ready().map(|p| p.cell.value).sum();
    let anchor = ready().map(|p| p.cell.anchor).min().unwrap_or(t);
    let kind = ready().map(|p| p.cell.kind).max().unwrap_or(Kind::Measured);
    #[expect(clippy::cast_precision_loss, reason = "four parts")]
    let (all, seen) = (parts.len() as f32, n as f32);
    let coverage = ready().map(|p| p.cell.coverage).fold(seen / all, f32::min);
    let partial = seen < all || ready().any(|p| p.cell.partial);
    let cell = Cell { coverage, partial, ..Cell::ready_at(sum / f64::from(n), anchor, kind) };
    Slot { cell, expires: ready().map(|p| p.expires).min().unwrap_or(t) }
}

/// Percentile of the day's volume within 30 d.
fn volume_rank(market: &Market, volume: &Slot, config: &Config) -> Slot {
    let bars = market.prices.iter().find_map(|f| match &f.series {
        PriceSeries::Bars(bars) if Some(f.source.stream) == volume.cell.stream => Some(bars),
        PriceSeries::Bars(_) | PriceSeries::Plain(_) => None,
    });
    // Bars happen at their close, so that the event of the sum is its instant.
    bars.map_or(*volume, |b| b.volume.rank().slot(volume, volume.cell.anchor, &config.settings()))
}

/// Percentile of the size of funding within 30 d: of the running rate, else of settlements.
fn funding_rank(market: &Market, t: Ts, config: &Config) -> Slot {
    let running =
        choose(t, market.funding.iter().filter(|f| allowed(f.source.kind, config)).map(|f| &f.slots.size_pct_30d));
    if running.ready(t).is_some() || !config.book.allow_proxy {
        return running;
    }
    let settled =
        market.settled.iter().map(|s| s.slots().size_pct_30d.of_kind(Kind::Proxy)).find(|s| s.ready(t).is_some());
    settled.unwrap_or(running)
}
