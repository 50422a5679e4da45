//! One market: routes events to feeds, makes its minutes, keeps its risk axis.
//!
//! A market's clock is driven by its own events only, so what it says never depends on which other markets are in the
//! run. The row for minute t is made after every input with `recv_ts ≤ t + 200 ms` and before any later one.

mod apply;
mod levels;
mod watch;

use crate::assemble::Assembly;
use crate::catalogue::Feature;
use crate::engine::{Config, Outputs};
use crate::features::hourly::HOUR;
pub use crate::feeds::{FeedRoute, Feeds, PairFeed, TICK};
use crate::models::{HourReadings, Runner};
use crate::rules::{Axes, AxisStates};
use barograph_domain::time::LATENESS;
use barograph_domain::{Cell, GapReason, Instrument, Span, StreamDecl, StreamIndex, TIMEFRAMES, Timeframes, Ts};
use serde::{Deserialize, Serialize};
use watch::Watch;

/// State of one market.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MarketState {
    /// Position in the run's list of instruments.
    pub index: u32,
    pub(crate) feeds: Feeds,
    axes: Axes,
    watch: Watch,
    /// Labels of the risk and the heat axis at the last close of each timeframe.
    closes: Timeframes,
    next_tick: Option<Ts>,
    last_recv: Ts,
    late_events: u64,
    /// Streams that are lost at this moment, and why.
    lost: Vec<(StreamIndex, GapReason)>,
    /// Something arrived since the last row.
    dirty: bool,
    /// Its levels came about in a catch-up that nobody heard of.
    untold: bool,
    /// Statistical classifiers beside the rules, where they are on.
    pub(crate) models: Option<Box<Runner>>,
    /// In a box, because every minute takes it out and puts it back.
    #[serde(skip)]
    assembly: Option<Box<Assembly>>,
}

impl MarketState {
    /// A market for an instrument and its declared streams; returns it with the route of each of them.
    pub(crate) fn new(
        index: u32,
        instrument: &Instrument,
        streams: &[(StreamIndex, &StreamDecl)],
        config: &Config,
    ) -> (Self, Vec<(StreamIndex, FeedRoute)>) {
        let (feeds, routes) = Feeds::new(instrument, streams, config);
        let market = Self {
            index,
            feeds,
            axes: Axes::new(&config.book),
            watch: Watch::new(config),
            closes: Timeframes::default(),
            next_tick: None,
            last_recv: Ts::MIN,
            late_events: 0,
            lost: Vec::new(),
            dirty: false,
            untold: false,
            models: (config.models.markets.includes(index as usize, &instrument.name))
                .then(|| Box::new(Runner::new(instrument.name.clone()))),
            assembly: Some(Box::new(Assembly::new(config))),
        };
        (market, routes)
    }

    /// Compares futures prices with those of a spot market from now on.
    pub(crate) fn join_spot(&mut self, stream: StreamIndex, decl: &StreamDecl, config: &Config) -> FeedRoute {
        self.feeds.join_spot(stream, decl, config)
    }

    /// Makes every minute that is due before something received at `recv_ts`; for most events none is.
    #[inline]
    pub(crate) fn advance(&mut self, recv_ts: Ts, config: &Config, streams: &[StreamDecl], out: &mut Outputs) {
        if self.next_tick.is_some_and(|t| t + LATENESS < recv_ts) {
            self.make_due(recv_ts, config, streams, out);
        }
    }

    fn make_due(&mut self, recv_ts: Ts, config: &Config, streams: &[StreamDecl], out: &mut Outputs) {
        while let Some(t) = self.next_tick.filter(|t| *t + LATENESS < recv_ts) {
            self.tick(t, config, streams, out);
            self.next_tick = Some(t + TICK);
        }
    }

    /// Makes some of the minutes due before something received at `recv_ts`, where they are more than `most` is long; false
    /// where [`Self::advance`] is to make the rest. A year of silence is half a million rows, too many to hold at once.
    pub(crate) fn advance_some(
        &mut self,
        recv_ts: Ts,
        most: Span,
        config: &Config,
        streams: &[StreamDecl],
        out: &mut Outputs,
    ) -> bool {
        let Some(upto) = self.next_tick.map(|t| t + most).filter(|t| *t + LATENESS < recv_ts) else { return false };
        self.advance(upto, config, streams, out);
        true
    }

    /// Makes every minute before `reached`, so that this one is the next.
    pub(crate) fn reach(&mut self, reached: Ts, config: &Config, streams: &[StreamDecl], out: &mut Outputs) {
        self.advance(reached - TICK + LATENESS + Span(1), config, streams, out);
        out.clear();
        self.next_tick = Some(reached);
        self.untold = true;
    }

    /// The calendar changed.
    pub(crate) fn forget_event(&mut self) {
        if let Some(assembly) = &mut self.assembly {
            assembly.forget_event();
        }
    }

    /// Makes no more minutes until something arrives.
    pub(crate) fn rest(&mut self) {
        self.next_tick = None;
    }

    /// Makes the minute that the last input belongs to.
    pub(crate) fn finish(&mut self, now: Ts, config: &Config, streams: &[StreamDecl], out: &mut Outputs) {
        if self.next_tick.is_some() {
            let last = (self.last_recv - LATENESS).ceil(TICK);
            self.advance((last + LATENESS + Span(1)).min(now), config, streams, out);
        }
    }

    fn tick(&mut self, t: Ts, config: &Config, streams: &[StreamDecl], out: &mut Outputs) {
        let settings = config.settings();
        let changed = (self.dirty || self.feeds.holds_values()) && self.feeds.settle(t, &settings);
        self.dirty = false;
        self.feeds.note_hour(t);
        self.report_levels(t, out);
        let mut assembly = self.assembly.take().unwrap_or_else(|| Box::new(Assembly::new(config)));
        if changed || assembly.is_due(t) {
            self.feeds.read_prices(t, config, &settings);
        }
        assembly.refresh(&self.feeds, t, changed, (&self.lost, config));
        let states = self.axes.step(&config.book, t, assembly.cells(), assembly.inputs(), streams);
        self.note_closes(t, &states);
        self.watch(t, &states, &assembly, (config, streams), out);
        let row = out.next_row();
        assembly.write(row);
        row.instrument = self.index;
        row.ts = t;
        row.risk = states.risk;
        row.trend = states.trend;
        row.volatility = states.volatility;
        row.heat = states.heat;
        row.timeframes.risk = self.closes.risk;
        row.timeframes.heat = self.closes.heat;
        row.open = self.open_alerts();
        row.models.clear();
        if let Some(mut models) = self.models.take() {
            models.minute(t, config.models.fits, || self.hour_readings(t, assembly.cells()));
            row.models.extend_from_slice(models.readings());
            self.models = Some(models);
        }
        row.held.clear();
        row.held.extend_from_slice(self.axes.held());
        self.assembly = Some(assembly);
    }

    /// The risk and the heat axis have no bars of their own: on a timeframe they read as they did at its last close.
    fn note_closes(&mut self, t: Ts, states: &AxisStates) {
        // All of them close at whole hours.
        if crate::features::hourly::whole_hour(t).is_none() {
            return;
        }
        for (i, timeframe) in TIMEFRAMES.into_iter().enumerate() {
            if (t - crate::chart::offset_of(timeframe)).0.rem_euclid(timeframe.0) == 0 {
                self.closes.risk[i] = states.risk.label;
                self.closes.heat[i] = states.heat.label;
            }
        }
    }

    /// What the models see at a whole hour. A price that is older than an hour is not that hour's.
    fn hour_readings(&self, t: Ts, cells: &[Cell]) -> HourReadings {
        let reading = |feature: Feature| cells[feature.index()].ready();
        let fresh = |i: &usize| self.feeds.prices[*i].anchor_ts().is_some_and(|a| t - a <= HOUR);
        HourReadings {
            price: self.feeds.price(t).filter(|(i, _)| fresh(i)).map(|(_, p)| p),
            rv_1h: reading(Feature::RealizedVol1h),
            rv_24h: reading(Feature::RealizedVol24h),
        }
    }

    /// Events that arrived later than declared, after their minute was made.
    #[must_use]
    pub fn late_events(&self) -> u64 {
        self.late_events
    }

    /// The next minute to be made.
    #[must_use]
    pub fn next_tick(&self) -> Option<Ts> {
        self.next_tick
    }

    /// After a restore: readings are derived from the windows again.
    pub(crate) fn reread(&mut self, config: &Config) {
        self.feeds.reread(&config.settings());
        self.axes.reread();
        self.assembly = Some(Box::new(Assembly::new(config)));
    }
}
