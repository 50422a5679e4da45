//! From feeds to a row of readings: which feed speaks for a feature, and the features that are functions of others.
//!
//! Preference is the order of the feeds in a market. A stand-in is used only where the rule book allows it and only while
//! the measured reading is not ready (features §2.7). Nothing is recomputed in a minute in which nothing arrived and
//! nothing expired.

mod activity;
mod charts;
mod fill;
mod funding;
mod positions;
mod prices;
mod seldom;
mod sessions;
mod slots;

pub use activity::vol_class;
pub(crate) use sessions::BLACKOUT_MINUTES;
pub(crate) use slots::Slots;

use crate::calendar::NextHigh;
use crate::catalogue::{Feature, each_feature};
use crate::composite;
use crate::engine::Config;
use crate::features::hourly::hour_of;
use crate::features::reading::Slot;
use crate::features::stops::StopSlots;
use crate::feeds::Feeds;
use crate::sessions::Stretch;
use barograph_domain::time::YEAR_DAYS;
use barograph_domain::{
    Cell, GapReason, InputAge, MarketKind, Metric, MinuteRow, Reason, State, StreamIndex, Timeframes, Ts,
};
use charts::ChartsRead;
use fill::fill;
use funding::minutes_to_funding;
use slots::CatalogueCells;

/// Close, stream and readiness of slope, p and volatility on each timeframe.
type TimeframesKey = [[(Ts, Option<StreamIndex>, bool); 3]; 4];

/// Streams that are lost at this moment, and why.
type Lost<'a> = &'a [(StreamIndex, GapReason)];

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
    marked: CatalogueCells,
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
        // Ages are of what the risk axis reads (regimes §9); readings of the other axes carry their own.
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
            daily_bounds: config.book.daily_bounds(),
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
    pub(crate) fn refresh(&mut self, feeds: &Feeds, t: Ts, changed: bool, (lost, config): (Lost<'_>, &Config)) {
        let turned = self.stretch_changes(t, config);
        let near = self.event_is_near();
        self.next_event = config
            .calendar
            .as_ref()
            .map(|calendar| self.next_event.filter(|n| n.holds(t)).unwrap_or_else(|| calendar.next_high_from(t)));
        self.minutes_to_event = self.next_event.and_then(|n| n.minutes(t));
        self.clock(t);
        if changed || self.is_due(t) || turned || near != self.event_is_near() {
            let first = !self.valid;
            self.valid = true;
            self.compute(feeds, t, config, first);
            self.is_marked = !self.slots.are_fresh(t);
            self.next_expiry = self.is_marked.then(|| self.slots.at(t, &mut self.marked));
            self.read_inputs(feeds, t, (lost, config));
            self.read_cuts(feeds, t, config);
        } else {
            self.quiet(feeds, t);
        }
        if self.valid && self.timeframes_read.moved(feeds, t, config) {
            self.timeframe_labels(feeds, t, config);
        }
    }

    /// What moves in a minute in which nothing arrived and nothing expired.
    fn quiet(&mut self, feeds: &Feeds, t: Ts) {
        macro_rules! take {
            (clock $feature:ident $field:tt $among:tt) => {
                self.marked[Feature::$feature.index()] = self.slots.of(Feature::$feature).at(t);
            };
            (countdown $feature:ident ($left:path) $among:tt) => {
                if self.cells()[Feature::$feature.index()].state == State::Ready {
                    self.set(Feature::$feature, $left(feeds, t));
                }
                self.marked[Feature::$feature.index()] = self.slots.of(Feature::$feature).at(t);
            };
            ($($other:tt)*) => {};
        }
        each_feature!(take);
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

    /// The price of the minute, where there is a fresh one.
    pub(crate) const fn price(&self) -> Option<f64> {
        self.price
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
    fn compute(&mut self, feeds: &Feeds, t: Ts, config: &Config, first: bool) {
        let price = feeds.price(t);
        self.price = price.map(|(_, p)| p);
        self.volume = prices::volume_slot(feeds, t, config);
        self.volatility(feeds, t, config);
        self.stops(feeds, t);
        // What has begun never stops to have begun: looked for until all has.
        let declared = feeds.declared.len();
        let mut offered = self.offered;
        if self.complete != Some((declared, offered)) {
            offered = feeds.offered();
            self.complete = Some((declared, feeds.offerable()));
        }
        // Another stream has begun: what was said once is said again.
        let first = first || offered != self.offered;
        if first {
            self.offered = offered;
            self.not_offered(feeds);
        }
        // Most minutes bring nothing new of what is polled every five minutes or settled hours apart.
        let seldom = first || self.seldom != Some(feeds.seldom) || t > self.seldom_until;
        if seldom {
            self.seldom = Some(feeds.seldom);
            self.seldom_until = Ts::MAX;
        }
        if feeds.kind != MarketKind::Spot {
            let funding = self.offers(Metric::FundingRate);
            if funding {
                self.funding(feeds, t, config);
                if seldom {
                    self.settlements(feeds, t);
                }
            }
            if self.offers(Metric::OpenInterest) {
                if seldom {
                    self.open_interest(feeds, t, config);
                }
                self.exposure(feeds, t, config);
            }
            if first || feeds.premium.is_some() || feeds.basis.is_some() || feeds.spot_basis.is_some() {
                self.basis(feeds, t, config);
            }
            if self.offers(Metric::Liquidation) {
                self.liquidations(feeds);
            }
            if first || (seldom && (feeds.long_short.is_some() || feeds.top_traders.is_some())) {
                self.positions(feeds);
            }
            if funding {
                self.funding_signals(t, config);
            }
        }
        if self.charts_read.moved(feeds, t, config) {
            self.charts(feeds, t, config);
        }
        self.functions();
        self.classes();
        self.squeeze(t);
        self.sessions(feeds, t, config);
        self.means(feeds, t, config);
    }

    /// What no stream of the market carries: on spot funding, open interest, premium, basis, liquidations and crowded accounts;
    /// on a contract of which there are candles alone, the same.
    fn not_offered(&mut self, feeds: &Feeds) {
        for spec in crate::catalogue::CATALOGUE {
            // What needs none of these has reasons of its own.
            if is_mean(spec.feature) || !spec.inputs.iter().any(|m| crate::ages::OWN.contains(m)) {
                continue;
            }
            let slot = self.slots.of(spec.feature);
            if !spec.inputs.iter().all(|m| feeds.offers(*m)) {
                self.set(spec.feature, Slot::undefined(Reason::NotOffered));
            } else if slot.cell.state == State::Undefined(Reason::NotOffered) {
                self.set(spec.feature, Slot::MISSING);
            }
        }
    }

    /// Functions of one other reading.
    fn functions(&mut self) {
        let slots = &mut self.slots;
        macro_rules! take {
            (of $feature:ident ($from:ident, $value:expr) $among:tt) => {
                slots.derive(Feature::$feature, Feature::$from, $value);
            };
            (same $feature:ident ($from:ident) $among:tt) => {
                slots.copy(Feature::$feature, Feature::$from);
            };
            ($($other:tt)*) => {};
        }
        each_feature!(take);
    }

    fn squeeze(&mut self, t: Ts) {
        use Feature as F;
        let slots = &self.slots;
        let [delta, z, vol] = [F::OiDelta4h, F::FundingZscore24h, F::RealizedVol1h].map(|f| slots.of(f));
        let risk = composite::combine(t, &[&delta, &z, &vol], |v| Ok(composite::squeeze_score(v[0], v[1], v[2])));
        let direction = composite::direction(&z, &slots.of(F::FundingPct30d), t);
        fill!(self, squeeze { risk, direction });
    }

    fn read_inputs(&mut self, feeds: &Feeds, t: Ts, (lost, config): (Lost<'_>, &Config)) {
        self.inputs.clear();
        for &metric in &self.metrics {
            let (stream, anchor) = crate::ages::input_age(feeds, metric, t, config).unzip();
            self.inputs.push(InputAge {
                metric,
                stream,
                anchor: anchor.unwrap_or(Ts(0)),
                gap: stream.and_then(|s| lost.iter().find(|(l, _)| *l == s).map(|(_, reason)| *reason)),
            });
        }
    }

    fn read_cuts(&mut self, feeds: &Feeds, t: Ts, config: &Config) {
        let mut at = 0;
        // Percentiles of one stream follow each other.
        let mut known: Option<(StreamIndex, i64)> = None;
        for key in &mut self.cut_keys {
            let requests = at..at + key.requests;
            at = requests.end;
            let slot = self.slots.of(key.percentile);
            let stream = slot.ready(t).and(slot.cell.stream);
            let hour_now = |s| crate::ages::anchor_of(feeds, s).map(|anchor| (s, hour_of(anchor)));
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
            crate::ages::others_of(feeds, key.percentile, stream, hour, &mut self.scratch);
            for (request, cut) in cuts {
                *cut = crate::rules::cut(&self.scratch, request.op, request.theta);
            }
        }
    }
}

/// Is it a mean of whichever of its inputs there are? Some of them exist everywhere.
fn is_mean(feature: Feature) -> bool {
    macro_rules! take {
        (mean $feature:ident $field:tt $among:tt) => {
            if feature == Feature::$feature {
                return true;
            }
        };
        ($($other:tt)*) => {};
    }
    each_feature!(take);
    false
}
