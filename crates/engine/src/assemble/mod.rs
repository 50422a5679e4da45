//! From feeds to a row of readings: which feed speaks for a feature, and the features that are functions of others.
//!
//! Preference is the order of the feeds in a market. A stand-in is used only where the rule book allows it and only while
//! the measured reading is not ready (features §2.7). Nothing is recomputed in a minute in which nothing arrived and
//! nothing expired.

mod activity;
mod charts;
mod positions;
mod seldom;
mod sessions;
mod slots;

pub use activity::vol_class;
pub(crate) use sessions::BLACKOUT_MINUTES;
pub(crate) use slots::Slots;

use crate::calendar::NextHigh;
use crate::catalogue::Feature;
use crate::composite;
use crate::engine::Config;
use crate::features::basis::{PairSlots, Wanted};
use crate::features::funding::FundingSlots;
use crate::features::hourly::hour_of;
use crate::features::reading::{MISSING, Slot, chosen};
use crate::features::settled::SettledSlots;
use crate::features::stops::StopSlots;
use crate::features::volatility::VolatilitySlots;
use crate::feeds::{PriceFeed, PriceSeries};
use crate::market::{Market, PairFeed};
use crate::sessions::Stretch;
use barograph_domain::time::YEAR_DAYS;
use barograph_domain::{
    Cell, InputAge, Kind, MarketKind, Metric, MinuteRow, Reason, State, StreamIndex, Timeframes, Ts,
};
use charts::ChartsRead;
use slots::Cells;

/// Close, stream and readiness of slope, p and volatility on each timeframe.
type TimeframesKey = [[(Ts, Option<StreamIndex>, bool); 3]; 4];

/// Requests of one percentile that stand together.
#[derive(Clone, Debug)]
struct CutKey {
    percentile: Feature,
    requests: usize,
    /// Stream and hour that their cuts were computed from.
    from: Option<(StreamIndex, i64)>,
}

/// Readings of one market as of its last minute.
#[derive(Clone, Debug)]
pub(crate) struct Assembly {
    slots: Slots,
    /// The readings with what is stale marked so; not kept while nothing is, as they are those of `slots` then.
    marked: Cells,
    is_marked: bool,
    inputs: Vec<InputAge>,
    cuts: Vec<Option<f64>>,
    /// What the cuts were computed from, per run of requests of one percentile: unchanged percentiles keep their cuts.
    cut_keys: Vec<CutKey>,
    metrics: Vec<Metric>,
    scratch: Vec<f64>,
    price: Option<f64>,
    /// The session under way.
    stretch: Option<Stretch>,
    /// Minutes to the next event of the calendar, where there is one.
    minutes_to_event: Option<f64>,
    /// What that was counted from, until the calendar says otherwise.
    next_event: Option<NextHigh>,
    /// Percentile within 30 d of the day's volatility: a part of heat.
    vol_pct_30d: Slot,
    /// Quote volume of the trailing day.
    volume: Slot,
    /// Memory for what is read off levels.
    stop_slots: StopSlots,
    timeframes: Timeframes,
    /// Readings with those of another timeframe in their place.
    scratch_cells: Vec<Cell>,
    /// What the timeframes' labels were taken from.
    timeframes_key: Option<TimeframesKey>,
    /// As of which bars the charts were read, for the readings and for the labels.
    charts_read: ChartsRead,
    timeframes_read: ChartsRead,
    /// As of which of them the readings of open interest, settlements and positions were chosen, and until when the choice holds.
    seldom: Option<u32>,
    seldom_until: Ts,
    /// First moment after which some ready reading is stale. It is asked for in minutes in which nothing arrives, so it is found
    /// when that comes to pass.
    next_expiry: Option<Ts>,
    /// What the market offered when it was last said what it does not.
    offered: u8,
    /// With so many declared streams it can offer this and no more.
    complete: Option<(usize, u8)>,
    /// Upper ends of the classes of daily volatility under the book.
    daily_bounds: [f64; 3],
    valid: bool,
}

impl Assembly {
    pub(crate) fn new(config: &Config) -> Self {
        // Ages are told of what the risk axis reads (regimes §9); readings of the other axes carry their own.
        let mut metrics: Vec<Metric> =
            config.book.risk().features().iter().flat_map(|f| f.spec().inputs).copied().collect();
        metrics.sort_unstable();
        metrics.dedup();
        let cuts = config.book.cuts();
        let runs = cuts.chunk_by(|a, b| a.percentile == b.percentile);
        let cut_keys =
            runs.map(|run| CutKey { percentile: run[0].percentile, requests: run.len(), from: None }).collect();
        Self {
            slots: Slots::MISSING,
            marked: [Cell::undefined(Reason::MissingInput); Feature::COUNT],
            is_marked: false,
            inputs: Vec::with_capacity(metrics.len()),
            cuts: vec![None; cuts.len()],
            cut_keys,
            metrics,
            scratch: Vec::with_capacity(2_200),
            price: None,
            stretch: None,
            minutes_to_event: None,
            next_event: None,
            vol_pct_30d: Slot::MISSING,
            volume: Slot::MISSING,
            stop_slots: StopSlots::MISSING,
            timeframes: Timeframes::default(),
            scratch_cells: Vec::with_capacity(Feature::COUNT),
            timeframes_key: None,
            charts_read: ChartsRead::default(),
            timeframes_read: ChartsRead::default(),
            seldom: None,
            seldom_until: Ts::MIN,
            next_expiry: None,
            offered: 0,
            complete: None,
            daily_bounds: config.book.daily_bounds(activity::DAILY_BOUNDS),
            valid: false,
        }
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        if self.is_marked { &self.marked } else { self.slots.cells() }
    }

    /// Labels of the trend and the volatility axis on every timeframe.
    pub(crate) fn timeframes(&self) -> &Timeframes {
        &self.timeframes
    }

    pub(crate) fn inputs(&self) -> &[InputAge] {
        &self.inputs
    }

    /// The calendar changed: what is next is read from it again.
    pub(crate) fn forget_event(&mut self) {
        self.next_event = None;
    }

    /// A hole was declared: what rests on it is read again.
    pub(crate) fn forget_expiry(&mut self) {
        self.next_expiry = Some(Ts::MIN);
        self.seldom = None;
    }

    /// Would [`Self::refresh`] compute at `t` although nothing changed?
    pub(crate) fn is_due(&mut self, t: Ts) -> bool {
        !self.valid || t > *self.next_expiry.get_or_insert_with(|| self.slots.next_expiry())
    }

    /// Brings the readings to `t`; `changed` says whether any feed moved.
    pub(crate) fn refresh(&mut self, market: &Market, t: Ts, changed: bool, config: &Config) {
        let turned = self.clock(t, config);
        let near = self.event_is_near();
        self.next_event = config
            .calendar
            .as_ref()
            .map(|calendar| self.next_event.filter(|n| n.holds(t)).unwrap_or_else(|| calendar.next_high_from(t)));
        self.minutes_to_event = self.next_event.and_then(|n| n.minutes(t));
        self.event_clock(t);
        if changed || self.is_due(t) || turned || near != self.event_is_near() {
            let first = !self.valid;
            self.valid = true;
            self.compute(market, t, config, first);
            self.is_marked = !self.slots.are_fresh(t);
            self.next_expiry = self.is_marked.then(|| self.slots.at(t, &mut self.marked));
            self.read_inputs(market, t, config);
            self.read_cuts(market, t, config);
        } else {
            if self.cells()[Feature::MinutesToFunding.index()].state == State::Ready {
                self.set(Feature::MinutesToFunding, minutes_to_funding(market, t));
            }
            use Feature as F;
            for feature in [F::MinutesToFunding, F::Session, F::SessionElapsedFrac, F::MinutesToEvent] {
                self.marked[feature.index()] = self.slots.of(feature).at(t);
            }
        }
        if self.valid && self.timeframes_read.moved(market, t, config) {
            self.timeframe_labels(market, t, config);
        }
    }

    /// Copies the readings into a row without allocating once the row has been used before.
    pub(crate) fn write(&self, row: &mut MinuteRow) {
        row.cells.clear();
        row.cells.extend_from_slice(self.cells());
        row.cuts.clone_from(&self.cuts);
        row.inputs.clone_from(&self.inputs);
        row.price = self.price;
        row.timeframes.trend = self.timeframes.trend;
        row.timeframes.volatility = self.timeframes.volatility;
    }

    /// Does the market offer it, as of the last look?
    fn offers(&self, metric: Metric) -> bool {
        self.offered & crate::ages::bit(metric) != 0
    }

    fn set(&mut self, feature: Feature, slot: Slot) {
        self.slots.set(feature, &slot);
    }

    fn put(&mut self, feature: Feature, slot: &Slot) {
        self.slots.set(feature, slot);
    }

    /// What depends only on streams that the market does not have is said once: `first`.
    fn compute(&mut self, market: &Market, t: Ts, config: &Config, first: bool) {
        let price = market.price(t);
        self.price = price.map(|(_, p)| p);
        self.volume = volume_slot(market, t, config);
        self.volatility(market, t, config);
        self.stops(market, t);
        // What has begun never stops to have begun: looked for until all has.
        let declared = market.declared.len();
        let mut offered = self.offered;
        if self.complete != Some((declared, offered)) {
            offered = market.offered();
            self.complete = Some((declared, market.offerable()));
        }
        // Another stream has begun: what was said once is said again.
        let first = first || offered != self.offered;
        if first {
            self.offered = offered;
            self.not_offered(market);
        }
        // Most minutes bring nothing new of what is polled every five minutes or settled hours apart.
        let seldom = first || self.seldom != Some(market.seldom) || t > self.seldom_until;
        if seldom {
            self.seldom = Some(market.seldom);
            self.seldom_until = Ts::MAX;
        }
        if market.kind != MarketKind::Spot {
            let funding = self.offers(Metric::FundingRate);
            if funding {
                self.funding(market, t, config);
                if seldom {
                    self.settlements(market, t);
                }
            }
            if self.offers(Metric::OpenInterest) {
                if seldom {
                    self.open_interest(market, t, config);
                }
                self.exposure(market, t, config);
            }
            if first || market.premium.is_some() || market.basis.is_some() || market.spot_basis.is_some() {
                self.basis(market, t, config);
            }
            if self.offers(Metric::Liquidation) {
                self.liquidations(market);
            }
            if first || (seldom && (market.long_short.is_some() || market.top_traders.is_some())) {
                self.positions(market);
            }
            if funding {
                self.funding_signals(t, config);
            }
        }
        if self.charts_read.moved(market, t, config) {
            self.charts(market, t, config);
        }
        composite::derive(&mut self.slots, t);
        self.classes();
        self.sessions(market, t, config);
        self.heat(market, t, config);
        self.long_bias(t);
    }

    /// What no stream of the market carries: on spot funding, open interest, premium, basis, forced closes and crowded accounts;
    /// on a contract of which there are candles alone, the same.
    fn not_offered(&mut self, market: &Market) {
        for spec in crate::catalogue::CATALOGUE {
            // Some of their parts exist everywhere. What needs none of these has reasons of its own.
            if matches!(spec.feature, Feature::Heat | Feature::LongBias)
                || !spec.inputs.iter().any(|m| crate::ages::OWN.contains(m))
            {
                continue;
            }
            let slot = self.slots.of(spec.feature);
            if !spec.inputs.iter().all(|m| market.offers(*m)) {
                self.set(spec.feature, Slot::undefined(Reason::NotOffered));
            } else if slot.cell.state == State::Undefined(Reason::NotOffered) {
                self.set(spec.feature, Slot::MISSING);
            }
        }
    }

    fn funding(&mut self, market: &Market, t: Ts, config: &Config) {
        use Feature as F;
        let feeds = || market.funding.iter().filter(|f| allowed(f.source.kind, config));
        let best = feeds().next().map(|f| &f.slots);
        // Nearly always the best feed has it.
        let running = |pick: fn(&FundingSlots) -> &Slot| match best.map(pick).filter(|s| s.ready(t).is_some()) {
            Some(slot) => slot,
            None => chosen(t, feeds().map(|f| pick(&f.slots))),
        };
        let proxies = || market.settled.iter().filter(|_| config.book.allow_proxy);
        let mut with_proxy = |feature: F, pick: fn(&FundingSlots) -> &Slot, proxy: fn(&SettledSlots) -> &Slot| {
            let own = running(pick);
            if own.ready(t).is_some() {
                return self.slots.set(feature, own);
            }
            let stand_in = chosen(t, proxies().map(|s| proxy(s.slots()))).of_kind(Kind::Proxy);
            self.slots.set(feature, chosen(t, [own, &stand_in].into_iter()));
        };
        with_proxy(F::FundingRate8h, |s| &s.rate, |s| &s.rate);
        with_proxy(F::FundingZscore24h, |s| &s.zscore, |s| &s.zscore_7d);
        with_proxy(F::FundingMa8h, |s| &s.ma_8h, |s| &s.ma_8h);
        with_proxy(F::FundingPct30d, |s| &s.pct_30d, |s| &s.pct_30d);
        self.put(F::FundingMean24h, running(|s| &s.mean_24h));
        self.put(F::FundingStd24h, running(|s| &s.std_24h));
        self.put(F::FundingVol24h, running(|s| &s.vol_24h));
        self.put(F::FundingTrend24h, running(|s| &s.trend_24h));
        self.put(F::FundingChange8h, running(|s| &s.change_8h));
        self.set(F::MinutesToFunding, minutes_to_funding(market, t));
    }

    fn volatility(&mut self, market: &Market, t: Ts, config: &Config) {
        use Feature as F;
        let feeds = || market.prices.iter().filter(|f| allowed(f.source.kind, config));
        let mut others = feeds();
        let best = others.next();
        let pick = |of: fn(&VolatilitySlots) -> &Slot| {
            let own = best.map_or(&MISSING, |f| of(&f.slots));
            // Nearly always the best feed has it.
            if own.ready(t).is_some() { own } else { first_ready(t, own, others.clone().map(|f| of(&f.slots))) }
        };
        // Value and interval come from the same feed: the first whose value is ready.
        let mut with_interval = |value: &Slot, w: usize, [is, low, high]: [F; 3]| {
            let of_value = |f: &&PriceFeed| Some(f.source.stream) == value.cell.stream;
            let feed = best.filter(of_value).or_else(|| feeds().find(of_value));
            let [own, lo, hi] = feed.map_or([value; 3], |f| f.slots.realized[w].each_ref());
            self.put(is, own);
            self.put(low, lo);
            self.put(high, hi);
        };
        with_interval(pick(|s| &s.realized[0][0]), 0, [F::RealizedVol1h, F::RealizedVol1hLo, F::RealizedVol1hHi]);
        with_interval(pick(|s| &s.realized[1][0]), 1, [F::RealizedVol4h, F::RealizedVol4hLo, F::RealizedVol4hHi]);
        with_interval(pick(|s| &s.realized[2][0]), 2, [F::RealizedVol24h, F::RealizedVol24hLo, F::RealizedVol24hHi]);
        self.put(F::RealizedVol1hPct90d, pick(|s| &s.pct[0]));
        self.put(F::RealizedVol4hPct90d, pick(|s| &s.pct[1]));
        self.put(F::VolPctRank, pick(|s| &s.pct[2]));
        self.put(F::Efficiency12h, pick(|s| &s.efficiency_12h));
        self.put(F::PriceChange24h, pick(|s| &s.moves.change));
        self.put(F::PriceMove24hPct90d, pick(|s| &s.moves.size_pct));
        self.put(F::VolZ30d, pick(|s| &s.z_30d));
        self.put(F::VolReversionGap, pick(|s| &s.reversion_gap));
        self.put(F::VolHarForecast, pick(|s| &s.har));
        self.put(F::VolHalflife, pick(|s| &s.halflife));
        self.vol_pct_30d = *pick(|s| &s.pct_30d);
    }

    fn basis(&mut self, market: &Market, t: Ts, config: &Config) {
        use Feature as F;
        let slots = |pair: Option<&PairFeed>, against: &[Metric], wanted: Wanted| match pair {
            None => PairSlots::NOT_OFFERED,
            Some(p) => {
                let (price, index) = (&market.prices[p.price], &market.indexes[p.index]);
                let Some(anchor) = p.pair.anchor_ts() else {
                    let carried = market.carries(index.source.metric);
                    return if carried { PairSlots::MISSING } else { PairSlots::NOT_OFFERED };
                };
                let event_at = |at: Ts| price.event_at(at).min(index.event_at(at));
                let (event, max_age) = (event_at(anchor), price.max_age().max(index.max_age()));
                // Either price may go on while their newest common instant grows old.
                let expires = price.expires().min(index.expires()).min(event + max_age);
                let kind = if against.contains(&index.source.metric) { Kind::Measured } else { Kind::Proxy };
                let stream = price.source.stream;
                let origin = crate::features::reading::Origin { anchor, event, expires, kind, stream };
                // What was compared before a hole says nothing after it.
                if price.gap_ended(anchor, t) || index.gap_ended(anchor, t) {
                    return PairSlots::undefined(&origin, Reason::Gap);
                }
                let gap = |a, b| price.has_gap(a, b) || index.has_gap(a, b);
                p.pair.slots(&origin, max_age, &config.settings(), wanted, gap, event_at)
            }
        };
        let premium = slots(market.premium.as_ref(), &[Metric::IndexPrice], Wanted::Mean);
        let basis = slots(market.compared(), &[Metric::SpotPrice], Wanted::Score);
        self.put(F::Premium, &premium.value);
        self.put(F::PremiumMa8h, &premium.ma_8h);
        self.put(F::Basis, &basis.value);
        self.put(F::BasisZscore7d, &basis.zscore_7d);
        self.set(F::BasisApr, basis_apr(market, &basis.value, t));
    }

    fn stops(&mut self, market: &Market, t: Ts) {
        let zones = market.liquidations.as_ref().and_then(|l| l.levels().near());
        // Whether a bar was seen, and whether the range of bars is ready, in the feed that stands.
        let mut stands: Option<(bool, bool)> = None;
        for feed in &market.prices {
            if let PriceSeries::Bars(bars) = &feed.series
                && let Some(stops) = &bars.stops
            {
                stops.read(self.price, zones, &feed.origin(), &mut self.stop_slots);
                let slots = &self.stop_slots;
                let seen = slots.atr_14.cell.state != State::Undefined(Reason::MissingInput);
                let ready = slots.atr_14.ready(t).is_some();
                if stands.is_none_or(|(s, r)| !s || (!r && ready)) {
                    stands = Some((seen, ready));
                    Self::put_stops(&mut self.slots, slots);
                }
            }
        }
        if stands.is_none() {
            Self::put_stops(&mut self.slots, &StopSlots::MISSING);
        }
    }

    fn put_stops(slots: &mut Slots, chosen: &StopSlots) {
        use Feature as F;
        slots.set(F::Atr14, &chosen.atr_14);
        slots.set(F::PrevDayHigh, &chosen.prev_day_high);
        slots.set(F::PrevDayLow, &chosen.prev_day_low);
        slots.set(F::StopDensityLong, &chosen.density[0]);
        slots.set(F::StopDensityShort, &chosen.density[1]);
        slots.set(F::StopVulnerabilityLong, &chosen.vulnerability[0]);
        slots.set(F::StopVulnerabilityShort, &chosen.vulnerability[1]);
        slots.set(F::StopVulnerability, &chosen.vulnerability[2]);
        slots.set(F::SessionHigh, &chosen.session_high);
        slots.set(F::SessionLow, &chosen.session_low);
        slots.set(F::ProfilePoc, &chosen.profile[0]);
        slots.set(F::ProfileVah, &chosen.profile[1]);
        slots.set(F::ProfileVal, &chosen.profile[2]);
    }

    fn read_inputs(&mut self, market: &Market, t: Ts, config: &Config) {
        self.inputs.clear();
        for &metric in &self.metrics {
            let (stream, anchor) = crate::ages::input_age(market, metric, t, config).unzip();
            self.inputs.push(InputAge {
                metric,
                stream,
                anchor: anchor.unwrap_or(Ts(0)),
                gap: stream.and_then(|s| market.lost(s)),
            });
        }
    }

    fn read_cuts(&mut self, market: &Market, t: Ts, config: &Config) {
        let mut at = 0;
        // Percentiles of one stream follow each other.
        let mut known: Option<(StreamIndex, i64)> = None;
        for key in &mut self.cut_keys {
            let requests = at..at + key.requests;
            at = requests.end;
            let slot = self.slots.of(key.percentile);
            let stream = slot.ready(t).and(slot.cell.stream);
            let hour_now = |s| crate::ages::anchor_of(market, s).map(|anchor| (s, hour_of(anchor)));
            let from = stream.and_then(|s| known.filter(|k| k.0 == s).or_else(|| hour_now(s)));
            known = from.or(known);
            if from == key.from {
                continue;
            }
            key.from = from;
            let cuts = config.book.cuts()[requests.clone()].iter().zip(&mut self.cuts[requests]);
            let Some((_, hour)) = from else {
                cuts.for_each(|(_, cut)| *cut = None);
                continue;
            };
            crate::ages::others_of(market, key.percentile, stream, hour, &mut self.scratch);
            for (request, cut) in cuts {
                *cut = crate::rules::cut(&self.scratch, request.op, request.theta);
            }
        }
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

/// May readings of this kind be shown under this book?
pub(crate) fn allowed(kind: Kind, config: &Config) -> bool {
    config.book.allow_proxy || matches!(kind, Kind::Measured | Kind::Sampled)
}

fn minutes_to_funding(market: &Market, t: Ts) -> Slot {
    let running = market.funding.iter().find(|f| f.source.metric == Metric::FundingRate);
    match running.and_then(|f| f.next_ts.map(|n| (f, n))) {
        Some((feed, next)) if next > t => {
            let origin = feed.source.origin(&feed.series);
            origin.instant((next - t).as_secs_f64() / 60.0)
        }
        _ => Slot::MISSING,
    }
}

/// Quote volume of the trailing day, from the finest bars that cover it.
fn volume_slot(market: &Market, t: Ts, config: &Config) -> Slot {
    let mut seen = Slot::MISSING;
    for feed in &market.prices {
        let PriceSeries::Bars(bars) = &feed.series else { continue };
        let (series, volume) = (&bars.series, &bars.volume);
        let Some(anchor) = series.anchor() else { continue };
        let (n, total) = volume.day(anchor, series.step());
        let kind = if volume.is_estimated() { Kind::Proxy } else { Kind::Measured };
        if !allowed(kind, config) {
            continue;
        }
        let origin = crate::features::reading::Origin { kind, ..feed.origin() };
        let expected = barograph_domain::Span::hours(24).0 / series.step().0;
        // A sum over part of a day is not the day's volume, so the quarter-span rule does not apply here.
        let settings = crate::features::Settings { span_min: 2.0, ..config.settings() };
        let counted = crate::features::reading::Window {
            n,
            expected,
            min_n: 1,
            first: series.first(),
            anchor,
            gap: series.has_gap(series.instant(anchor) - barograph_domain::Span::hours(24), series.instant(anchor)),
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

fn basis_apr(market: &Market, basis: &Slot, t: Ts) -> Slot {
    if market.kind != MarketKind::DatedFuture {
        return Slot::undefined(Reason::NotOffered);
    }
    let Some(expiry) = market.expiry else { return Slot::MISSING };
    composite::combine(t, &[basis], |v| {
        let days = (expiry - basis.cell.anchor).as_days_f64();
        if days < 1.0 {
            Err(Reason::OutOfDomain)
        } else {
            Ok(barograph_domain::math::ln(1.0 + v[0]) * YEAR_DAYS / days)
        }
    })
}
