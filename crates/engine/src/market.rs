//! One market: routes events to feeds, makes its minutes, keeps its risk axis.
//!
//! A market's clock is driven by its own events only, so what it says never depends on which other markets are in the
//! run. The row for minute t is made after every input with `recv_ts ≤ t + 200 ms` and before any later one.

mod apply;
mod levels;
mod pairs;
mod preference;
mod watch;

use crate::assemble::Assembly;
use crate::catalogue::Feature;
use crate::engine::{Config, Outputs};
use crate::features::Settings;
use crate::features::basis::Wanted as Compared;
use crate::features::hourly::HOUR;
use crate::features::settled::Settled;
use crate::features::volatility::Wanted;
use crate::feeds::{FundingFeed, OpenInterestFeed, PriceFeed, PriceSeries, RatioFeed};
use crate::liquidations::Liquidations;
use crate::models::{HourReadings, Runner};
use crate::rules::{Axes, AxisStates, Freshness};
use barograph_domain::time::LATENESS;
use barograph_domain::{
    Cell, GapReason, Instrument, MarketKind, Metric, Span, StreamDecl, StreamIndex, TIMEFRAMES, Timeframes, Ts,
};
pub use pairs::PairFeed;
use preference::preference;
use serde::{Deserialize, Serialize};
use watch::Watch;

/// One row a minute.
pub const TICK: Span = Span::mins(1);

/// Where a stream's events go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Route {
    /// Position in `prices`.
    Price(usize),
    /// Position in `indexes`.
    Index(usize),
    /// Position in `funding`.
    Funding(usize),
    /// Position in `settled`.
    Settled(usize),
    /// Position in `open_interest`.
    OpenInterest(usize),
    /// Forced closes.
    Liquidation,
    /// Ratio of all accounts.
    LongShort,
    /// Ratio of the top traders' positions.
    TopTraders,
    /// Stored by others; no feature of this build reads it.
    Unused,
}

/// State of one market.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Market {
    /// Position in the run's list of instruments.
    pub index: u32,
    pub(crate) kind: MarketKind,
    pub(crate) expiry: Option<Ts>,
    /// What its streams carry, whether or not the book reads them, and whether each is asked for live.
    pub(crate) declared: Vec<(Metric, bool)>,
    /// Prices, best first: the definition's own source, then finer before coarser.
    pub(crate) prices: Vec<PriceFeed>,
    pub(crate) indexes: Vec<PriceFeed>,
    pub(crate) funding: Vec<FundingFeed>,
    pub(crate) settled: Vec<Settled>,
    pub(crate) open_interest: Vec<OpenInterestFeed>,
    /// Forced closes, accounts and top traders' positions: each from the best stream that the book may use, where there is one.
    pub(crate) liquidations: Option<Box<Liquidations>>,
    pub(crate) long_short: Option<Box<RatioFeed>>,
    pub(crate) top_traders: Option<Box<RatioFeed>>,
    pub(crate) premium: Option<PairFeed>,
    /// Futures against the index, which stands in for the spot market until that is heard.
    pub(crate) basis: Option<PairFeed>,
    /// Futures against the spot market.
    pub(crate) spot_basis: Option<PairFeed>,
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
    /// How often readings were taken of what comes every five minutes or hours apart. Derived, so not saved.
    #[serde(skip)]
    pub(crate) seldom: u32,
    /// Its levels came about in a catch-up that nobody was told of.
    untold: bool,
    /// Statistical classifiers beside the rules, where they are on.
    pub(crate) models: Option<Box<Runner>>,
    /// In a box, because every minute takes it out and puts it back.
    #[serde(skip)]
    assembly: Option<Box<Assembly>>,
}

impl Market {
    /// A market for an instrument and its declared streams; returns it with the route of each of them.
    pub(crate) fn new(
        index: u32,
        instrument: &Instrument,
        streams: &[(StreamIndex, &StreamDecl)],
        config: &Config,
    ) -> (Self, Vec<(StreamIndex, Route)>) {
        let mut market = Self {
            index,
            kind: instrument.kind,
            expiry: instrument.expiry,
            declared: streams.iter().map(|(_, d)| (d.metric, d.filled)).collect(),
            prices: Vec::new(),
            indexes: Vec::new(),
            funding: Vec::new(),
            settled: Vec::new(),
            open_interest: Vec::new(),
            liquidations: None,
            long_short: None,
            top_traders: None,
            premium: None,
            basis: None,
            spot_basis: None,
            axes: Axes::new(&config.book),
            watch: Watch::new(config),
            closes: Timeframes::default(),
            next_tick: None,
            last_recv: Ts::MIN,
            late_events: 0,
            lost: Vec::new(),
            dirty: false,
            seldom: 0,
            untold: false,
            models: (config.models.markets.includes(index as usize, &instrument.name))
                .then(|| Box::new(Runner::new(instrument.name.clone()))),
            assembly: None,
        };
        let mut routes = Vec::new();
        let mut ordered: Vec<_> = streams.to_vec();
        ordered.sort_by_key(|(_, d)| preference(instrument.kind, d));
        // Contracts whose venue sends marks or candles are never judged by single trades; the quote only gives the basis its
        // mid. A thousand markets are then half as large.
        let better =
            |d: &StreamDecl| matches!(d.metric, Metric::MarkPrice | Metric::Bar) && d.cadence <= TICK && d.filled;
        let has_better = instrument.kind != MarketKind::Spot && streams.iter().any(|(_, d)| better(d));
        for (stream, decl) in ordered {
            let route = match decl.metric {
                Metric::Trade if has_better => Route::Unused,
                Metric::BestBidAsk if has_better => market.add_quote(stream, decl, config.book.freshness),
                _ => market.add(stream, decl, config),
            };
            routes.push((stream, route));
        }
        market.pair_up();
        if let Some(stops) = market.stops_mut() {
            stops.tell();
        }
        market.assembly = Some(Box::new(Assembly::new(config)));
        (market, routes)
    }

    /// A quote that only gives the basis its mid.
    fn add_quote(&mut self, stream: StreamIndex, decl: &StreamDecl, freshness: Freshness) -> Route {
        self.prices.push(PriceFeed::compared_only(stream, decl, freshness));
        Route::Price(self.prices.len() - 1)
    }

    fn add(&mut self, stream: StreamIndex, decl: &StreamDecl, config: &Config) -> Route {
        let (freshness, detectors) = (config.book.freshness, &config.book.detectors);
        let spot = self.kind == MarketKind::Spot;
        let useful = !spot && crate::assemble::allowed(decl.kind, config);
        match decl.metric {
            Metric::MarkPrice | Metric::Bar | Metric::Trade | Metric::BestBidAsk => {
                let minute = decl.cadence <= TICK;
                let measured = minute && (spot || decl.metric == Metric::MarkPrice);
                self.prices.push(PriceFeed::new(stream, decl, measured, freshness, config.book.liquidity));
                Route::Price(self.prices.len() - 1)
            }
            // What marks and futures prices are compared with.
            Metric::IndexPrice | Metric::SpotPrice => {
                self.indexes.push(PriceFeed::new(stream, decl, true, freshness, config.book.liquidity));
                Route::Index(self.indexes.len() - 1)
            }
            Metric::FundingRate | Metric::PremiumIndex => {
                self.funding.push(FundingFeed::new(stream, decl, freshness));
                Route::Funding(self.funding.len() - 1)
            }
            Metric::FundingRateSettled => {
                let (limit, farmed) = (freshness.max_age(decl), detectors.funding.extreme);
                let settled = Settled::new(stream, decl.kind, decl.cadence, limit, farmed);
                self.settled.push(settled);
                Route::Settled(self.settled.len() - 1)
            }
            Metric::OpenInterest | Metric::OpenInterestUsd => {
                self.open_interest.push(OpenInterestFeed::new(stream, decl, freshness));
                Route::OpenInterest(self.open_interest.len() - 1)
            }
            Metric::Liquidation if useful && self.liquidations.is_none() => {
                let (limit, limits) = (freshness.max_age(decl), detectors.liquidations);
                let own = Liquidations::new(stream, decl.kind, decl.delay, limit, limits);
                self.liquidations = Some(Box::new(own));
                Route::Liquidation
            }
            Metric::LongShortRatio if useful && self.long_short.is_none() => {
                self.long_short = Some(Box::new(RatioFeed::new(stream, decl, freshness)));
                Route::LongShort
            }
            Metric::TopTraderPositionRatio if useful && self.top_traders.is_none() => {
                self.top_traders = Some(Box::new(RatioFeed::new(stream, decl, freshness)));
                Route::TopTraders
            }
            Metric::Liquidation
            | Metric::LongShortRatio
            | Metric::TopTraderPositionRatio
            | Metric::TopTraderAccountRatio
            | Metric::TakerVolumeRatio
            | Metric::Book => Route::Unused,
        }
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
        let changed = self.settle(t, &settings);
        self.note_hour(t);
        self.tell_levels(t, out);
        let mut assembly = self.assembly.take().unwrap_or_else(|| Box::new(Assembly::new(config)));
        if changed || assembly.is_due(t) {
            self.read_prices(t, config, &settings);
        }
        assembly.refresh(self, t, changed, config);
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
            row.models.extend_from_slice(models.said());
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

    /// Turns what has arrived into samples. Prices first: the open interest join needs them.
    fn settle(&mut self, t: Ts, settings: &Settings) -> bool {
        if !self.dirty && !self.holds_values() {
            return false;
        }
        self.dirty = false;
        let (mut changed, mut seldom) = (false, false);
        for feeds in [&mut self.prices, &mut self.indexes] {
            for feed in feeds {
                changed |= feed.settle(t, settings);
            }
        }
        for feed in &mut self.funding {
            if feed.settle(t) {
                feed.read(settings);
                feed.series.seen();
                changed = true;
            }
        }
        let prices = &self.prices;
        let close_at = |at: Ts| prices.iter().filter(|p| p.source.metric == Metric::Bar).find_map(|p| p.price_at(at));
        for feed in &mut self.open_interest {
            if feed.settle(t, close_at) || feed.is_outlived(t) {
                feed.read(settings);
                feed.series.seen();
                seldom = true;
            }
        }
        let pairs = [
            (Compared::Mean, &mut self.premium),
            (Compared::Score, &mut self.basis),
            (Compared::Score, &mut self.spot_basis),
        ];
        for (wanted, pair) in pairs {
            let Some(pair) = pair else { continue };
            let (a, b) = (&self.prices[pair.price], &self.indexes[pair.index]);
            if let (Some(x), Some(y)) = (a.anchor_ts(), b.anchor_ts()) {
                pair.pair.settle(wanted, (x, y), |at| a.price_at(at), |at| b.price_at(at));
            }
        }
        for feeds in [&mut self.prices, &mut self.indexes] {
            feeds.iter_mut().for_each(PriceFeed::seen);
        }
        for settled in &mut self.settled {
            seldom |= settled.settle(settings);
        }
        for feed in [&mut self.long_short, &mut self.top_traders].into_iter().flatten() {
            seldom |= feed.series.settle(t);
            feed.series.seen();
        }
        if seldom {
            self.seldom = self.seldom.wrapping_add(1);
            changed = true;
        }
        if let Some(liquidations) = &mut self.liquidations {
            changed |= liquidations.settle(t, settings);
        }
        changed
    }

    /// Takes the readings of price feeds, best first, and of a lesser one only what no better one gives: where a better one says
    /// what it waits for, that is shown until some feed has a value.
    fn read_prices(&mut self, t: Ts, config: &Config, settings: &Settings) {
        let (mut wanted, mut said) = (Wanted::ALL, Wanted::NONE);
        for feed in &mut self.prices {
            let hopeless = wanted.and(said);
            let hopeless = hopeless.without(feed.may_give(hopeless));
            feed.read(wanted.without(hopeless), settings);
            if crate::assemble::allowed(feed.source.kind, config) {
                wanted = feed.slots.lacking(wanted, t);
                if wanted.is_empty() {
                    break;
                }
                said = said.or(wanted.without(feed.slots.unsaid(wanted)));
            }
        }
    }

    /// Live values go on being samples without a new event, and windows of forced closes move on in silence, so a market that has
    /// any settles every minute.
    fn holds_values(&self) -> bool {
        self.prices.iter().chain(&self.indexes).any(PriceFeed::is_filled)
            || self
                .funding
                .iter()
                .any(|f| f.series.is_filled() || f.premium.as_ref().is_some_and(|(p, _)| p.is_filled()))
            || self.open_interest.iter().any(|o| o.series.is_filled())
            || [&self.long_short, &self.top_traders].into_iter().flatten().any(|r| r.series.is_filled())
            || self.liquidations.as_ref().is_some_and(|l| l.has_begun())
    }

    /// What the models see at a whole hour. A price that is older than an hour is not that hour's.
    fn hour_readings(&self, t: Ts, cells: &[Cell]) -> HourReadings {
        let reading = |feature: Feature| cells[feature.index()].ready();
        let fresh = |i: &usize| self.prices[*i].anchor_ts().is_some_and(|a| t - a <= HOUR);
        HourReadings {
            price: self.price(t).filter(|(i, _)| fresh(i)).map(|(_, p)| p),
            rv_1h: reading(Feature::RealizedVol1h),
            rv_24h: reading(Feature::RealizedVol24h),
        }
    }

    fn note_hour(&mut self, t: Ts) {
        let Some(hour) = crate::features::hourly::whole_hour(t) else { return };
        let price = self.price(t).map(|(_, p)| p);
        let zones = self.liquidations.as_ref().and_then(|l| l.levels().near()).unwrap_or_default();
        for feed in &mut self.prices {
            if let PriceSeries::Bars(bars) = &mut feed.series
                && let Some(stops) = &mut bars.stops
            {
                let fresh = t <= bars.series.expires();
                stops.note_hour(hour, price.filter(|_| fresh).and_then(|p| stops.densities(p, zones)));
            }
        }
    }

    /// The price at `t`: the first fresh feed in order of preference, with its position.
    #[must_use]
    pub(crate) fn price(&self, t: Ts) -> Option<(usize, f64)> {
        self.prices
            .iter()
            .enumerate()
            .filter(|(_, p)| t <= p.expires())
            .find_map(|(i, p)| p.newest().map(|price| (i, price)))
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
        let settings = config.settings();
        for feed in &mut self.prices {
            feed.reread(&settings);
        }
        for feed in &mut self.funding {
            feed.read(&settings);
        }
        for feed in &mut self.open_interest {
            feed.read(&settings);
        }
        for settled in &mut self.settled {
            settled.read(&settings);
        }
        if let Some(liquidations) = &mut self.liquidations {
            liquidations.reread(&settings);
        }
        self.axes.reread();
        self.assembly = Some(Box::new(Assembly::new(config)));
    }
}
