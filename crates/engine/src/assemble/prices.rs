//! What is read off prices: volatility, levels and the day's volume of the best feed that has them, and what compares two feeds.

use super::Assembly;
use super::fill::{fill, pick_each};
use crate::ages::allowed;
use crate::catalogue::{Feature, each_feature};
use crate::composite;
use crate::engine::Config;
use crate::features::ReadinessSettings;
use crate::features::basis::{PairReadings, PairSlots};
use crate::features::reading::{MISSING, ReadingOrigin, Slot, Window};
use crate::features::volatility::VolatilitySlots;
use crate::feeds::{Feeds, PairFeed, PriceFeed, PriceSeries};
use barograph_domain::time::YEAR_DAYS;
use barograph_domain::{Kind, MarketKind, Metric, Reason, Span, State, Ts};

impl Assembly {
    pub(super) fn volatility(&mut self, feeds: &Feeds, t: Ts, config: &Config) {
        let usable = || feeds.prices.iter().filter(|f| allowed(f.source.kind, config));
        let mut others = usable();
        let best = others.next();
        let pick = |of: fn(&VolatilitySlots) -> &Slot| {
            let own = best.map_or(&MISSING, |f| of(&f.slots));
            // Nearly always the best feed has it.
            if own.ready(t).is_some() { own } else { first_ready(t, own, others.clone().map(|f| of(&f.slots))) }
        };
        // Value and interval come from the same feed: the first whose value is ready.
        let mut put_interval = |value: &Slot, window: usize, features: [Feature; 3]| {
            let of_value = |f: &&PriceFeed| Some(f.source.stream) == value.cell.stream;
            let feed = best.filter(of_value).or_else(|| usable().find(of_value));
            let three = feed.map_or([value; 3], |f| f.slots.realized[window].each_ref());
            for (feature, slot) in features.into_iter().zip(three) {
                self.put(feature, slot);
            }
        };
        macro_rules! take {
            (interval $feature:ident ($window:literal, $low:ident, $high:ident) $among:tt) => {
                let features = [Feature::$feature, Feature::$low, Feature::$high];
                put_interval(pick(|s| &s.realized[$window][0]), $window, features);
            };
            ($($other:tt)*) => {};
        }
        each_feature!(take);
        let mut put = |feature, of: fn(&VolatilitySlots) -> &Slot| self.slots.set(feature, pick(of));
        pick_each!(price, put);
        self.vol_pct_30d = *pick(|s| &s.pct_30d);
    }

    pub(super) fn basis(&mut self, feeds: &Feeds, t: Ts, config: &Config) {
        let slots = |pair: Option<&PairFeed>, against: &[Metric], wanted: PairReadings| match pair {
            None => PairSlots::NOT_OFFERED,
            Some(p) => {
                let (price, index) = (&feeds.prices[p.price], &feeds.indexes[p.index]);
                let Some(anchor) = p.pair.anchor_ts() else {
                    let carried = feeds.carries(index.source.metric);
                    return if carried { PairSlots::MISSING } else { PairSlots::NOT_OFFERED };
                };
                let event_at = |at: Ts| price.event_at(at).min(index.event_at(at));
                let (event, max_age) = (event_at(anchor), price.max_age().max(index.max_age()));
                // Either price may go on while their newest common instant grows old.
                let expires = price.expires().min(index.expires()).min(event + max_age);
                let kind = if against.contains(&index.source.metric) { Kind::Measured } else { Kind::Proxy };
                let stream = price.source.stream;
                let origin = ReadingOrigin { anchor, event, expires, kind, stream };
                // What was compared before a hole says nothing after it.
                if price.gap_ended(anchor, t) || index.gap_ended(anchor, t) {
                    return PairSlots::undefined(&origin, Reason::Gap);
                }
                let gap = |a, b| price.has_gap(a, b) || index.has_gap(a, b);
                p.pair.slots(&origin, max_age, &config.settings(), wanted, gap, event_at)
            }
        };
        let premium = slots(feeds.premium.as_ref(), &[Metric::IndexPrice], PairReadings::Mean);
        let basis = slots(feeds.compared(), &[Metric::SpotPrice], PairReadings::Score);
        fill!(self, dated { apr: basis_apr(feeds, &basis.value, t) });
        fill!(self, premium = premium);
        fill!(self, basis = basis);
    }

    pub(super) fn stops(&mut self, feeds: &Feeds, t: Ts) {
        let zones = feeds.liquidations.as_ref().and_then(|l| l.levels().near());
        // Whether a bar was seen, and whether the range of bars is ready, in the feed that stands.
        let mut stands: Option<(bool, bool)> = None;
        for feed in &feeds.prices {
            if let PriceSeries::Bars(bars) = &feed.series
                && let Some(stops) = &bars.stops
            {
                stops.read(self.price, zones, &feed.origin(), &mut self.stop_slots);
                let slots = &self.stop_slots;
                let seen = slots.atr_14.cell.state != State::Undefined(Reason::MissingInput);
                let ready = slots.atr_14.ready(t).is_some();
                if stands.is_none_or(|(s, r)| !s || (!r && ready)) {
                    stands = Some((seen, ready));
                    self.put_stops();
                }
            }
        }
        if stands.is_none() {
            self.put_stops();
        }
    }

    /// What was read last; nothing, where no feed has levels.
    fn put_stops(&mut self) {
        fill!(self, stops = &self.stop_slots);
    }
}

/// Where `own` is not ready: the first of the others that is; else the first of all that is not missing.
#[inline(never)]
fn first_ready<'a>(t: Ts, own: &'a Slot, others: impl Iterator<Item = &'a Slot>) -> &'a Slot {
    let mut first_seen = own;
    for slot in others {
        if slot.ready(t).is_some() {
            return slot;
        }
        if first_seen.cell.state == State::Undefined(Reason::MissingInput) {
            first_seen = slot;
        }
    }
    first_seen
}

/// Quote volume of the trailing day, from the finest bars that cover it.
pub(super) fn volume_slot(feeds: &Feeds, t: Ts, config: &Config) -> Slot {
    let mut seen = Slot::MISSING;
    for feed in &feeds.prices {
        let PriceSeries::Bars(bars) = &feed.series else { continue };
        let (series, volume) = (&bars.series, &bars.volume);
        let Some(anchor) = series.anchor() else { continue };
        let (n, total) = volume.day(anchor, series.step());
        let kind = if volume.is_estimated() { Kind::Proxy } else { Kind::Measured };
        if !allowed(kind, config) {
            continue;
        }
        let origin = ReadingOrigin { kind, ..feed.origin() };
        let expected = Span::hours(24).0 / series.step().0;
        // A sum over part of a day is not the day's volume, so the quarter-span rule does not apply here.
        let settings = ReadinessSettings { span_min: 2.0, ..config.settings() };
        let counted = Window {
            n,
            expected,
            min_n: 1,
            first: series.first(),
            anchor,
            gap: series.has_gap(series.instant(anchor) - Span::hours(24), series.instant(anchor)),
        };
        let slot = origin.windowed(counted.fullness(&settings), || Ok(total));
        if slot.ready(t).is_some() {
            return slot;
        }
        if seen.cell.state == State::Undefined(Reason::MissingInput) {
            seen = slot;
        }
    }
    seen
}

fn basis_apr(feeds: &Feeds, basis: &Slot, t: Ts) -> Slot {
    if feeds.kind != MarketKind::DatedFuture {
        return Slot::undefined(Reason::NotOffered);
    }
    let Some(expiry) = feeds.expiry else { return Slot::MISSING };
    composite::combine(t, &[basis], |v| {
        let days = (expiry - basis.cell.anchor).as_days_f64();
        if days < 1.0 {
            Err(Reason::OutOfDomain)
        } else {
            Ok(barograph_domain::math::ln(1.0 + v[0]) * YEAR_DAYS / days)
        }
    })
}
