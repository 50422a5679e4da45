//! What is polled every five minutes or settled hours apart: open interest and settlements. Most minutes bring nothing new of
//! it, so what was chosen stays; only what compares it with the price is made every minute.

use super::Assembly;
use super::fill::{fill, pick_each};
use crate::ages::allowed;
use crate::catalogue::Feature;
use crate::composite;
use crate::engine::Config;
use crate::features::open_interest::OpenInterestSlots;
use crate::features::reading::{Slot, chosen};
use crate::features::settled::SettledSlots;
use crate::feeds::{Feeds, PriceFeed};
use barograph_domain::{Reason, Span, State, Ts};

impl Assembly {
    /// What only settlements say.
    pub(super) fn settlements(&mut self, feeds: &Feeds, t: Ts) {
        let mut put = |feature, of: fn(&SettledSlots) -> &Slot| {
            self.hold(feature, chosen(t, feeds.settled.iter().map(|s| of(s.slots()))), t);
        };
        if !feeds.settled.is_empty() {
            pick_each!(settled, put);
        }
    }

    pub(super) fn open_interest(&mut self, feeds: &Feeds, t: Ts, config: &Config) {
        let usable = || feeds.open_interest.iter().filter(|f| allowed(f.source.kind, config));
        let mut put = |feature, of: fn(&OpenInterestSlots) -> &Slot| {
            self.hold(feature, chosen(t, usable().map(|f| of(&f.slots))), t);
        };
        pick_each!(open_interest, put);
    }

    /// A choice among feeds holds as long as what was chosen is ready: the others are not, and stay so until they are read again.
    #[inline]
    fn hold(&mut self, feature: Feature, slot: &Slot, t: Ts) {
        self.put(feature, slot);
        if slot.ready(t).is_some() {
            self.seldom_until = self.seldom_until.min(slot.expires);
        }
    }

    /// What compares open interest with the price and the volume.
    pub(super) fn exposure(&mut self, feeds: &Feeds, t: Ts, config: &Config) {
        use Feature as F;
        let oi = self.slots.of(F::OpenInterest);
        let usable = || feeds.prices.iter().filter(|f| allowed(f.source.kind, config));
        // The first that is not silent gives the price, and nearly always its return.
        let fresh = usable().find(|f| t <= f.expires()).map(|f| (f, f.origin()));
        let price = fresh.and_then(|(f, origin)| f.newest().map(|p| origin.instant(p))).unwrap_or(Slot::MISSING);
        let usd = composite::combine(t, &[&oi, &price], |v| Ok(v[0] * v[1]));
        let to_volume = composite::combine(t, &[&usd, &self.volume], |v| {
            if v[1] > 0.0 { Ok(v[0] / v[1]) } else { Err(Reason::ZeroDenominator) }
        });
        let own = fresh.and_then(|(f, origin)| return_4h(f).map(|r| origin.instant(r)));
        let price_return = own.unwrap_or_else(|| any_return_4h(usable(), t));
        let delta = self.slots.of(F::OiDelta4h);
        let quadrant = composite::combine(t, &[&price_return, &delta], |v| Ok(composite::quadrant(v[0], v[1])));
        fill!(self, exposure { usd, to_volume, quadrant });
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
