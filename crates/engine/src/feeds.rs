//! Streams of one market with the windows that hang on them: prices, funding, open interest.
//!
//! A feed is one declared stream (or one series derived from others) with its grid, its windows and its latest readings.
//! Several feeds may offer the same reading; which one is shown is decided in `assemble`, never mixed inside a window.

mod pairs;
mod preference;
mod ratio;
mod set;
mod usd;

use crate::chart::{ChartReadings, Charts};
use crate::features::bars::{BarSample, DayVolume, Priced};
use crate::features::funding::{FundingSlots, RunningFunding};
use crate::features::open_interest::{OpenInterest, OpenInterestSlots};
use crate::features::premium_funding::PremiumFunding;
use crate::features::reading::{ReadinessSettings, ReadingOrigin};
use crate::features::settled::Settled;
use crate::features::stops::Stops;
use crate::features::volatility::{Volatility, VolatilityReadings, VolatilitySlots};
use crate::liquidity::TimeframeOptions;
use crate::rules::Freshness;
use crate::series::Series;
use barograph_domain::time::LATENESS;
use barograph_domain::{GapReason, Kind, Metric, Span, Status, StatusState, StreamDecl, StreamIndex, Ts};
pub use pairs::PairFeed;
pub use ratio::RatioFeed;
use serde::{Deserialize, Serialize};
pub use set::{FeedRoute, Feeds};
pub use usd::UsdJoin;

/// One row a minute.
pub const TICK: Span = Span::mins(1);

/// Grid of prices and funding (features §1, window).
pub const MINUTE: Span = Span::mins(1);
/// Grid of open interest.
const FIVE_MINUTES: Span = Span::secs(300);
/// How far back single samples are looked up: the longest lag is 24 h, and an hour for samples at whole hours.
const LOOKBACK: Span = Span::hours(26);

/// How far back samples are kept that are only compared as they come: longer than any row is late.
const COMPARED_BACK: Span = Span::hours(2);

/// Hours between settlements where neither rows nor settlements say: what most venues have.
const ASSUMED_INTERVAL_H: f64 = 8.0;

/// What every feed knows about its stream.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct StreamSource {
    /// Position among the run's streams.
    pub stream: StreamIndex,
    /// Metric of the stream.
    pub metric: Metric,
    /// Kind of readings taken from this feed.
    pub kind: Kind,
}

impl StreamSource {
    /// Origin of a reading at the newest sample of `series`.
    #[inline]
    pub fn origin<V: Copy>(&self, series: &Series<V>) -> ReadingOrigin {
        let anchor = series.anchor_ts().unwrap_or(Ts(0));
        let event = series.event_ts().unwrap_or(Ts(0));
        ReadingOrigin { anchor, event, expires: series.expires(), kind: self.kind, stream: self.stream }
    }
}

/// Samples of a price feed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "a few per market, and plain series are the hot ones")]
pub enum PriceSeries {
    /// Mark prices, trades or mids.
    Plain(Series<f64>),
    /// Closed bars and what only they give.
    Bars(Box<Bars>),
}

/// A series of closed bars.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bars {
    /// Its samples.
    pub series: Series<BarSample>,
    /// Volume of the day, the hour and the sessions.
    pub volume: DayVolume,
    /// Levels and stops, where an hour can be built.
    pub stops: Option<Stops>,
    /// Charts of the longer timeframes, where one can be built.
    pub charts: Option<Charts>,
    /// What is read off the charts; derived, so not saved.
    #[serde(skip, default = "no_readings")]
    pub(crate) readings: ChartReadings,
}

fn no_readings() -> ChartReadings {
    ChartReadings::NONE
}

/// A stream of prices.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PriceFeed {
    /// Which stream.
    pub source: StreamSource,
    /// Kind of the stream itself: what is defined on bars is measured by bars.
    pub declared: Kind,
    /// Its samples.
    pub series: PriceSeries,
    /// Its volatility windows; an index has none.
    pub volatility: Option<Volatility>,
    /// Readings that were not taken since samples moved.
    #[serde(skip, default = "all")]
    pub unread: VolatilityReadings,
    /// Latest readings; derived, so not saved.
    #[serde(skip)]
    pub slots: VolatilitySlots,
}

fn all() -> VolatilityReadings {
    VolatilityReadings::ALL
}

impl Bars {
    fn settle(&mut self, t: Ts, settings: &ReadinessSettings) {
        self.volume.settle(&self.series, settings);
        if let Some(stops) = &mut self.stops {
            stops.settle(&self.series, t + LATENESS, settings);
        }
        for &index in self.series.changed() {
            let Some(bar) = self.series.at(index) else { continue };
            let close = self.series.instant(index);
            if let Some(charts) = &mut self.charts
                && charts.push(close, &bar, |_| ())
            {
                self.readings.update(charts);
            }
        }
    }

    /// After a restore: readings are derived from the charts again.
    fn reread(&mut self) {
        if let Some(charts) = &self.charts {
            self.readings.update(charts);
        }
    }
}

impl PriceFeed {
    /// A feed for one declared stream. `measured`: its readings are what the definition asks for.
    #[must_use]
    pub fn new(
        stream: StreamIndex,
        decl: &StreamDecl,
        measured: bool,
        freshness: Freshness,
        options: TimeframeOptions,
    ) -> Self {
        let held = StreamDecl { filled: decl.filled || is_event_stream(decl.metric), ..decl.clone() };
        let max_age = freshness.max_age(&held);
        let kind = if measured { decl.kind } else { Kind::Proxy };
        let bars = decl.metric == Metric::Bar;
        let series = if bars {
            let series = Series::new(&held, MINUTE, LOOKBACK, max_age);
            let step = series.step();
            PriceSeries::Bars(Box::new(Bars {
                series,
                volume: DayVolume::new(step),
                stops: Stops::new(step, options),
                charts: Charts::new(step),
                readings: ChartReadings::NONE,
            }))
        } else {
            PriceSeries::Plain(Series::new(&held, MINUTE, LOOKBACK, max_age))
        };
        let step = MINUTE.max(held.cadence);
        Self {
            source: StreamSource { stream, metric: decl.metric, kind },
            declared: decl.kind,
            series,
            volatility: (decl.metric != Metric::IndexPrice).then(|| Volatility::new(step, bars)),
            unread: VolatilityReadings::ALL,
            slots: VolatilitySlots::MISSING,
        }
    }

    /// A feed that is only compared with another one as it comes: no windows, and no longer a memory than that needs.
    #[must_use]
    pub fn compared_only(stream: StreamIndex, decl: &StreamDecl, freshness: Freshness) -> Self {
        let held = StreamDecl { filled: true, ..decl.clone() };
        let series = Series::new(&held, MINUTE, COMPARED_BACK, freshness.max_age(&held));
        Self {
            source: StreamSource { stream, metric: decl.metric, kind: Kind::Proxy },
            declared: decl.kind,
            series: PriceSeries::Plain(series),
            volatility: None,
            unread: VolatilityReadings::ALL,
            slots: VolatilitySlots::MISSING,
        }
    }

    /// Samples up to `t`; whether anything changed.
    pub fn settle(&mut self, t: Ts, settings: &ReadinessSettings) -> bool {
        match &mut self.series {
            PriceSeries::Plain(series) => {
                let changed = series.settle(t);
                if changed && let Some(volatility) = &mut self.volatility {
                    volatility.settle(series, settings);
                }
                if changed {
                    self.unread = VolatilityReadings::ALL;
                }
                changed
            }
            PriceSeries::Bars(bars) => {
                let changed = bars.series.settle(t);
                if changed {
                    self.unread = VolatilityReadings::ALL;
                    if let Some(volatility) = &mut self.volatility {
                        volatility.settle(&bars.series, settings);
                    }
                    bars.settle(t, settings);
                }
                changed
            }
        }
    }

    /// Recomputes the readings at the anchor, whatever was taken already.
    pub fn reread(&mut self, settings: &ReadinessSettings) {
        if let PriceSeries::Bars(bars) = &mut self.series {
            bars.reread();
        }
        self.unread = VolatilityReadings::ALL;
        self.read(VolatilityReadings::ALL, settings);
    }

    /// Those of the parts that may have a value, or had one when they were last taken.
    pub fn may_give(&mut self, among: VolatilityReadings) -> VolatilityReadings {
        let may = among.and(self.volatility.as_mut().map_or(among, Volatility::may_give));
        may.or(self.slots.had(among.without(may)))
    }

    /// Takes those of the wanted readings that were not taken since samples moved.
    pub fn read(&mut self, wanted: VolatilityReadings, settings: &ReadinessSettings) {
        let wanted = wanted.and(self.unread);
        self.unread = self.unread.without(wanted);
        let Some(volatility) = self.volatility.as_mut().filter(|_| !wanted.is_empty()) else { return };
        let (source, slots) = (self.source, &mut self.slots);
        match &self.series {
            PriceSeries::Plain(series) => volatility.read(series, &source.origin(series), settings, wanted, slots),
            PriceSeries::Bars(bars) => {
                volatility.read(&bars.series, &source.origin(&bars.series), settings, wanted, slots);
            }
        }
    }

    /// Everything downstream has seen the changes.
    pub fn seen(&mut self) {
        match &mut self.series {
            PriceSeries::Plain(series) => series.seen(),
            PriceSeries::Bars(bars) => bars.series.seen(),
        }
    }

    /// Takes a declared gap.
    pub fn gap(&mut self, status: &Status) {
        match &mut self.series {
            PriceSeries::Plain(series) => series.gap(status),
            PriceSeries::Bars(bars) => bars.series.gap(status),
        }
    }

    /// Grid step.
    #[must_use]
    pub fn step(&self) -> Span {
        match &self.series {
            PriceSeries::Plain(series) => series.step(),
            PriceSeries::Bars(bars) => bars.series.step(),
        }
    }

    /// Whether the last price holds until the next one.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        match &self.series {
            PriceSeries::Plain(series) => series.is_filled(),
            PriceSeries::Bars(bars) => bars.series.is_filled(),
        }
    }

    /// Price at a grid instant.
    #[must_use]
    #[inline]
    pub fn price_at(&self, t: Ts) -> Option<f64> {
        match &self.series {
            PriceSeries::Plain(series) => series.at_ts(t),
            PriceSeries::Bars(bars) => bars.series.at_ts(t).map(|b| b.price()),
        }
    }

    /// Newest price.
    #[must_use]
    #[inline]
    pub fn newest(&self) -> Option<f64> {
        match &self.series {
            PriceSeries::Plain(series) => series.newest().map(|(_, p)| p),
            PriceSeries::Bars(bars) => bars.series.newest().map(|(_, b)| b.price()),
        }
    }

    /// Origin of readings at the anchor.
    #[must_use]
    #[inline]
    pub fn origin(&self) -> ReadingOrigin {
        match &self.series {
            PriceSeries::Plain(series) => self.source.origin(series),
            PriceSeries::Bars(bars) => self.source.origin(&bars.series),
        }
    }

    /// Instant of the anchor.
    #[must_use]
    #[inline]
    pub fn anchor_ts(&self) -> Option<Ts> {
        match &self.series {
            PriceSeries::Plain(series) => series.anchor_ts(),
            PriceSeries::Bars(bars) => bars.series.anchor_ts(),
        }
    }

    /// Age limit.
    #[must_use]
    #[inline]
    pub fn max_age(&self) -> Span {
        match &self.series {
            PriceSeries::Plain(series) => series.max_age(),
            PriceSeries::Bars(bars) => bars.series.max_age(),
        }
    }

    /// Does a declared gap reach into `(after, upto]`?
    #[must_use]
    #[inline]
    pub fn has_gap(&self, after: Ts, upto: Ts) -> bool {
        match &self.series {
            PriceSeries::Plain(series) => series.has_gap(after, upto),
            PriceSeries::Bars(bars) => bars.series.has_gap(after, upto),
        }
    }
}

/// Trades and quotes come when they come: their last value holds.
#[must_use]
pub fn is_event_stream(metric: Metric) -> bool {
    matches!(metric, Metric::Trade | Metric::BestBidAsk)
}

/// A stream of running funding rates, or the series modelled from the premium index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FundingFeed {
    /// Which stream.
    pub source: StreamSource,
    /// Premium samples and the model over them, where the rates are modelled.
    pub premium: Option<(Series<f64>, PremiumFunding)>,
    /// Rates per 8 h.
    pub series: Series<f64>,
    /// Windows over them.
    pub windows: RunningFunding,
    /// Next settlement as last announced.
    pub next_ts: Option<Ts>,
    /// Kind of the stream itself: rates over an assumed interval are a stand-in.
    declared: Kind,
    /// Hours between settlements as a row last said.
    interval_h: Option<f64>,
    /// Stamp of the first rate over an assumed interval.
    assumed_from: Option<Ts>,
    /// The same as the venue always has it.
    venue_h: Option<f64>,
    /// Latest readings; derived, so not saved.
    #[serde(skip)]
    pub slots: FundingSlots,
}

impl FundingFeed {
    /// Takes a rate for one interval. Where no row says how long that is, it is what the market's settlements have shown, else
    /// what its venue always has; a live venue is waited for, and an archive that nothing has set yet is taken for the usual
    /// eight hours and marked as a stand-in. Settlements that are declared and not heard count for nothing: an archive added
    /// later may not change earlier rows.
    pub fn push(&mut self, stamp: Ts, rate: f64, interval_h: Option<f64>, settled: &[Settled]) {
        self.interval_h = interval_h.filter(|h| *h > 0.0).or(self.interval_h);
        let shown = || settled.iter().find_map(Settled::interval_hours);
        let known = self.interval_h.or_else(shown).or(self.venue_h);
        let Some(hours) = known.or((!self.series.is_filled()).then_some(ASSUMED_INTERVAL_H)) else { return };
        match known {
            None => self.assumed_from = self.assumed_from.or(Some(stamp)),
            Some(hours) => self.take_back(stamp, hours),
        }
        self.source.kind = if known.is_some() { self.declared } else { Kind::Proxy };
        self.series.push(stamp, rate * (8.0 / hours));
    }

    /// Rates over an interval that turns out to be another one are on another scale: they are missing from here on.
    fn take_back(&mut self, stamp: Ts, hours: f64) {
        let Some(first) = self.assumed_from.take() else { return };
        if hours.to_bits() == ASSUMED_INTERVAL_H.to_bits() {
            return;
        }
        let (from, reason) = (first - self.series.step(), GapReason::MissingRows);
        self.series.gap(&Status { state: StatusState::Gap, from, until: stamp, reason });
    }

    /// A feed for one declared stream of running rates, or of the premium index.
    #[must_use]
    pub fn new(stream: StreamIndex, decl: &StreamDecl, freshness: Freshness) -> Self {
        let max_age = freshness.max_age(decl);
        let modelled = decl.metric == Metric::PremiumIndex;
        // Modelled rates arrive with their premium sample: what was filled or missing there is so here.
        let series_decl = StreamDecl { filled: decl.filled && !modelled, ..decl.clone() };
        let series: Series<f64> = Series::new(&series_decl, MINUTE, LOOKBACK, max_age);
        let step = series.step();
        let premium = modelled.then(|| (Series::new(decl, MINUTE, LOOKBACK, max_age), PremiumFunding::new(step)));
        let kind = if modelled { Kind::Modelled } else { decl.kind };
        Self {
            source: StreamSource { stream, metric: decl.metric, kind },
            premium,
            series,
            windows: RunningFunding::new(step),
            next_ts: None,
            declared: kind,
            interval_h: None,
            assumed_from: None,
            venue_h: decl.instrument.venue.funding_interval_h(),
            slots: FundingSlots::MISSING,
        }
    }

    /// Samples up to `t`; whether anything changed.
    pub fn settle(&mut self, t: Ts) -> bool {
        if let Some((premium, model)) = &mut self.premium
            && premium.settle(t)
        {
            model.settle(premium, |at, rate| self.series.put(at, premium.event_at(at), rate));
            premium.seen();
        }
        let changed = self.series.settle(t);
        if changed {
            self.windows.settle(&self.series);
        }
        changed
    }

    /// Recomputes the readings at the anchor.
    pub fn read(&mut self, settings: &ReadinessSettings) {
        self.windows.read(&self.series, &self.source.origin(&self.series), settings, &mut self.slots);
    }

    /// Takes a declared gap.
    pub fn gap(&mut self, status: &Status) {
        if let Some((premium, _)) = &mut self.premium {
            premium.gap(status);
        }
        self.series.gap(status);
    }
}

/// A stream of open interest, or the series derived from USD and price.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenInterestFeed {
    /// Which stream.
    pub source: StreamSource,
    /// USD samples waiting for a price of the same instant, where the series is derived.
    pub usd: Option<UsdJoin>,
    /// Base units.
    pub series: Series<f64>,
    /// Windows over them.
    pub windows: OpenInterest,
    /// Latest readings; derived, so not saved.
    #[serde(skip)]
    pub slots: OpenInterestSlots,
    /// Until when they hold by what was heard when they were taken; derived as well.
    #[serde(skip, default = "never")]
    read_until: Ts,
}

fn never() -> Ts {
    Ts::MIN
}

impl OpenInterestFeed {
    /// A feed for one declared stream of open interest, in base units or USD.
    #[must_use]
    pub fn new(stream: StreamIndex, decl: &StreamDecl, freshness: Freshness) -> Self {
        let max_age = freshness.max_age(decl);
        let in_usd = decl.metric == Metric::OpenInterestUsd;
        let series_decl = StreamDecl { filled: decl.filled && !in_usd, ..decl.clone() };
        let series: Series<f64> = Series::new(&series_decl, FIVE_MINUTES, LOOKBACK, max_age);
        let step = series.step();
        // The same formula on a grid coarser than the definition's is a stand-in (features §2.7).
        let kind = if in_usd || step > FIVE_MINUTES { Kind::Proxy } else { decl.kind };
        let usd = in_usd.then(|| UsdJoin::new(Series::new(decl, FIVE_MINUTES, LOOKBACK, max_age)));
        Self {
            source: StreamSource { stream, metric: decl.metric, kind },
            usd,
            series,
            windows: OpenInterest::new(step),
            slots: OpenInterestSlots::MISSING,
            read_until: Ts::MIN,
        }
    }

    /// Samples up to `t`; `price_at` gives the close of the bar that ends at an instant. Whether anything changed.
    pub fn settle(&mut self, t: Ts, price_at: impl Fn(Ts) -> Option<f64>) -> bool {
        if let Some(join) = &mut self.usd {
            join.settle(t, price_at, &mut self.series);
        }
        let changed = self.series.settle(t);
        if changed {
            self.windows.settle(&self.series);
        }
        changed
    }

    /// Takes a row.
    pub fn push(&mut self, stamp: Ts, value: f64) {
        match &mut self.usd {
            Some(join) => join.series.push(stamp, value),
            None => self.series.push(stamp, value),
        }
    }

    /// The newest event heard. An archive's dollars may wait for their price; only what is priced counts there.
    #[must_use]
    pub fn heard_ts(&self) -> Option<Ts> {
        let live = self.usd.as_ref().filter(|join| join.series.is_filled());
        live.map_or_else(
            || self.series.heard_ts(),
            |join| join.series.heard_ts().filter(|_| self.series.anchor().is_some()),
        )
    }

    /// Moment after which the newest sample is too old.
    #[must_use]
    pub fn expires(&self) -> Ts {
        self.series.expires_heard(self.heard_ts())
    }

    /// The readings would be too old at `t` by what was heard when they were taken, and are not: between two instants of the
    /// grid a live stream goes on speaking.
    #[must_use]
    pub fn is_outlived(&self, t: Ts) -> bool {
        t > self.read_until && t <= self.expires()
    }

    /// Recomputes the readings at the anchor.
    pub fn read(&mut self, settings: &ReadinessSettings) {
        self.read_until = self.expires();
        let origin = ReadingOrigin { expires: self.read_until, ..self.source.origin(&self.series) };
        self.slots = self.windows.slots(&self.series, &origin, settings);
    }

    /// Takes a declared gap.
    pub fn gap(&mut self, status: &Status) {
        if let Some(join) = &mut self.usd {
            join.series.gap(status);
        }
        self.series.gap(status);
    }
}
