//! What is polled every five minutes or settled hours apart: open interest and settlements. Most minutes bring nothing new of
//! it, so what was chosen stays; only what compares it with the price is made every minute.

use super::{Assembly, allowed};
use crate::catalogue::Feature;
use crate::composite;
use crate::engine::Config;
use crate::features::open_interest::OpenInterestSlots;
use crate::features::reading::{Slot, chosen};
use crate::features::settled::SettledSlots;
use crate::feeds::PriceFeed;
use crate::market::Market;
use barograph_domain::{Reason, Span, State, Ts};

impl Assembly {
    /// What only settlements say.
    pub(super) fn settlements(&mut self, market: &Market, t: Ts) {
        use Feature as F;
        let settled = |pick: fn(&SettledSlots) -> &Slot| chosen(t, market.settled.iter().map(|s| pick(s.slots())));
        if market.settled.is_empty() {
            return;
        }
        self.put(F::FundingRateSettled8h, settled(|s| &s.rate));
        self.put(F::FundingZscore7dSettled, settled(|s| &s.zscore_7d));
        self.put(F::FundingBlock8h, settled(|s| &s.block_8h));
        self.put(F::FundingFarmingShare, settled(|s| &s.farming_share));
        self.hold(t, [F::FundingRateSettled8h, F::FundingZscore7dSettled, F::FundingBlock8h, F::FundingFarmingShare]);
    }

    pub(super) fn open_interest(&mut self, market: &Market, t: Ts, config: &Config) {
        use Feature as F;
        let feeds = || market.open_interest.iter().filter(|f| allowed(f.source.kind, config));
        let pick = |pick: fn(&OpenInterestSlots) -> &Slot| chosen(t, feeds().map(|f| pick(&f.slots)));
        self.put(F::OiDelta1h, pick(|s| &s.delta_1h));
        self.put(F::OiDelta4h, pick(|s| &s.delta_4h));
        self.put(F::OiDelta24h, pick(|s| &s.delta_24h));
        self.put(F::OiZscore7d, pick(|s| &s.zscore_7d));
        self.put(F::OiTrend24h, pick(|s| &s.trend_24h));
        self.put(F::OiDelta4hPct90d, pick(|s| &s.delta_4h_pct));
        self.put(F::OpenInterest, pick(|s| &s.value));
        self.hold(t, [F::OiDelta1h, F::OiDelta4h, F::OiDelta24h, F::OiZscore7d, F::OiTrend24h, F::OiDelta4hPct90d]);
        self.hold(t, [F::OpenInterest]);
    }

    /// A choice among feeds holds as long as what was chosen is ready: the others are not, and stay so until they are read again.
    fn hold<const N: usize>(&mut self, t: Ts, features: [Feature; N]) {
        for slot in features.map(|feature| self.slots.of(feature)) {
            if slot.ready(t).is_some() {
                self.seldom_until = self.seldom_until.min(slot.expires);
            }
        }
    }

    /// Open interest in money, against the volume and against the price.
    pub(super) fn exposure(&mut self, market: &Market, t: Ts, config: &Config) {
        use Feature as F;
        let oi = self.slots.of(F::OpenInterest);
        let price = price_slot(market, t, config);
        let oi_usd = composite::combine(t, &[&oi, &price], |v| Ok(v[0] * v[1]));
        self.put(F::OiUsd, &oi_usd);
        let ratio = composite::combine(t, &[&oi_usd, &self.volume], |v| {
            if v[1] > 0.0 { Ok(v[0] / v[1]) } else { Err(Reason::ZeroDenominator) }
        });
        self.put(F::OiToVolume24h, &ratio);
        self.quadrant(market, t, config);
    }

    fn quadrant(&mut self, market: &Market, t: Ts, config: &Config) {
        use Feature as F;
        let delta = self.slots.of(F::OiDelta4h);
        let price_return = return_4h(market, t, config);
        self.set(
            F::OiPriceQuadrant,
            composite::combine(t, &[&price_return, &delta], |v| Ok(composite::quadrant(v[0], v[1]))),
        );
    }
}

/// The price as a reading: kind and age of the feed it comes from.
fn price_slot(market: &Market, t: Ts, config: &Config) -> Slot {
    market
        .prices
        .iter()
        .filter(|f| allowed(f.source.kind, config))
        .find(|f| t <= f.expires())
        .and_then(|f| f.newest().map(|p| f.origin().instant(p)))
        .unwrap_or(Slot::MISSING)
}

/// Price return over 4 h at the newest instant of the first feed that has both ends.
fn return_4h(market: &Market, t: Ts, config: &Config) -> Slot {
    let both = |f: &PriceFeed| {
        let at = f.anchor_ts()?;
        let (now, then) = (f.price_at(at)?, f.price_at(at - Span::hours(4))?);
        Some(f.origin().instant(now / then - 1.0))
    };
    let slots = || market.prices.iter().filter(|f| allowed(f.source.kind, config));
    slots()
        .filter(|f| t <= f.expires())
        .find_map(both)
        .or_else(|| {
            slots().find(|f| f.anchor_ts().is_some()).map(|f| f.origin().not_ready(State::Warming { have: 1, need: 2 }))
        })
        .unwrap_or(Slot::MISSING)
}
