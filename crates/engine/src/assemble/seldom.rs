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
        let feeds = || market.prices.iter().filter(|f| allowed(f.source.kind, config));
        // The first that is not silent gives the price, and nearly always its return.
        let fresh = feeds().find(|f| t <= f.expires()).map(|f| (f, f.origin()));
        let price = fresh.and_then(|(f, origin)| f.newest().map(|p| origin.instant(p))).unwrap_or(Slot::MISSING);
        let oi_usd = composite::combine(t, &[&oi, &price], |v| Ok(v[0] * v[1]));
        self.put(F::OiUsd, &oi_usd);
        let ratio = composite::combine(t, &[&oi_usd, &self.volume], |v| {
            if v[1] > 0.0 { Ok(v[0] / v[1]) } else { Err(Reason::ZeroDenominator) }
        });
        self.put(F::OiToVolume24h, &ratio);
        let own = fresh.and_then(|(f, origin)| return_4h(f).map(|r| origin.instant(r)));
        let price_return = own.unwrap_or_else(|| any_return_4h(feeds(), t));
        let delta = self.slots.of(F::OiDelta4h);
        let quadrant = composite::combine(t, &[&price_return, &delta], |v| Ok(composite::quadrant(v[0], v[1])));
        self.put(F::OiPriceQuadrant, &quadrant);
    }
}

/// Price return over 4 h at the newest instant of a feed that has both ends.
fn return_4h(feed: &PriceFeed) -> Option<f64> {
    let at = feed.anchor_ts()?;
    let (now, then) = (feed.price_at(at)?, feed.price_at(at - Span::hours(4))?);
    Some(now / then - 1.0)
}

/// The same of the first feed that is not silent and has it, else what the first waits for that has spoken.
#[cold]
fn any_return_4h<'a>(feeds: impl Iterator<Item = &'a PriceFeed> + Clone, t: Ts) -> Slot {
    let mut fresh = feeds.clone().filter(|f| t <= f.expires());
    if let Some(slot) = fresh.find_map(|f| return_4h(f).map(|r| f.origin().instant(r))) {
        return slot;
    }
    let mut spoken = feeds.filter(|f| f.anchor_ts().is_some());
    spoken.next().map_or(Slot::MISSING, |f| f.origin().not_ready(State::Warming { have: 1, need: 2 }))
}
