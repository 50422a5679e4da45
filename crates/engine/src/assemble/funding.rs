//! Running funding: of the best feed, or of settlements in its place.

use super::{Assembly, Slots};
use crate::ages::allowed;
use crate::catalogue::{Feature, each_feature};
use crate::engine::Config;
use crate::features::funding::FundingSlots;
use crate::features::reading::{Slot, chosen};
use crate::features::settled::SettledSlots;
use crate::feeds::Feeds;
use barograph_domain::{Kind, Metric, Ts};

impl Assembly {
    pub(super) fn funding(&mut self, feeds: &Feeds, t: Ts, config: &Config) {
        let usable = || feeds.funding.iter().filter(|f| allowed(f.source.kind, config));
        let best = usable().next().map(|f| &f.slots);
        // Nearly always the best feed has it.
        let running = |pick: fn(&FundingSlots) -> &Slot| match best.map(pick).filter(|s| s.ready(t).is_some()) {
            Some(slot) => slot,
            None => chosen(t, usable().map(|f| pick(&f.slots))),
        };
        let proxies = || feeds.settled.iter().filter(|_| config.book.allow_proxy);
        let put = |slots: &mut Slots, feature, pick: fn(&FundingSlots) -> &Slot, proxy: fn(&SettledSlots) -> &Slot| {
            let own = running(pick);
            if own.ready(t).is_some() {
                return slots.set(feature, own);
            }
            let stand_in = chosen(t, proxies().map(|s| proxy(s.slots()))).of_kind(Kind::Proxy);
            slots.set(feature, chosen(t, [own, &stand_in].into_iter()));
        };
        macro_rules! take {
            (funding $feature:ident ($field:ident) $among:tt) => {
                self.put(Feature::$feature, running(|s| &s.$field));
            };
            (funding $feature:ident ($field:ident or $proxy:ident) $among:tt) => {
                put(&mut self.slots, Feature::$feature, |s| &s.$field, |s| &s.$proxy);
            };
            (countdown $feature:ident ($left:path) $among:tt) => {
                self.set(Feature::$feature, $left(feeds, t));
            };
            ($($other:tt)*) => {};
        }
        each_feature!(take);
    }
}

/// Minutes to the next settlement that a running rate has announced.
pub(super) fn minutes_to_funding(feeds: &Feeds, t: Ts) -> Slot {
    let running = feeds.funding.iter().find(|f| f.source.metric == Metric::FundingRate);
    match running.and_then(|f| f.next_ts.map(|n| (f, n))) {
        Some((feed, next)) if next > t => {
            let origin = feed.source.origin(&feed.series);
            origin.instant((next - t).as_secs_f64() / 60.0)
        }
        _ => Slot::MISSING,
    }
}
