//! The feeds of one market: which there are, in order of preference, what they are compared with, and how they come to a minute.

use super::preference::preference;
use super::{FundingFeed, OpenInterestFeed, PairFeed, PriceFeed, PriceSeries, RatioFeed, TICK};
use crate::ages::allowed;
use crate::engine::Config;
use crate::features::ReadinessSettings;
use crate::features::basis::PairReadings as Compared;
use crate::features::settled::Settled;
use crate::features::stops::Stops;
use crate::features::volatility::VolatilityReadings;
use crate::liquidations::Liquidations;
use crate::liquidations::levels::ZoneLevels;
use crate::rules::Freshness;
use barograph_domain::{Instrument, MarketKind, Metric, StreamDecl, StreamIndex, Ts};
use serde::{Deserialize, Serialize};

/// Where a stream's events go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum FeedRoute {
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
    /// A stream of liquidations.
    Liquidation,
    /// Ratio of all accounts.
    LongShort,
    /// Ratio of the top traders' positions.
    TopTraders,
    /// Stored by others; no feature of this build reads it.
    Unused,
}

/// Everything that the readings of one market are taken from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Feeds {
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
    /// Liquidations, accounts and top traders' positions: each from the best stream that the book may use, where there is one.
    pub(crate) liquidations: Option<Box<Liquidations>>,
    pub(crate) long_short: Option<Box<RatioFeed>>,
    pub(crate) top_traders: Option<Box<RatioFeed>>,
    pub(crate) premium: Option<PairFeed>,
    /// Futures against the index, which stands in for the spot market until that is heard.
    pub(crate) basis: Option<PairFeed>,
    /// Futures against the spot market.
    pub(crate) spot_basis: Option<PairFeed>,
    /// How often readings were taken of what comes every five minutes or hours apart. Derived, so not saved.
    #[serde(skip)]
    pub(crate) seldom: u32,
}

impl Feeds {
    /// For an instrument and its declared streams, with the route of each of them.
    pub(crate) fn new(
        instrument: &Instrument,
        streams: &[(StreamIndex, &StreamDecl)],
        config: &Config,
    ) -> (Self, Vec<(StreamIndex, FeedRoute)>) {
        let mut feeds = Self {
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
            seldom: 0,
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
                Metric::Trade if has_better => FeedRoute::Unused,
                Metric::BestBidAsk if has_better => feeds.add_quote(stream, decl, config.book.freshness),
                _ => feeds.add(stream, decl, config),
            };
            routes.push((stream, route));
        }
        feeds.pair_up();
        if let Some(stops) = feeds.stops_mut() {
            stops.keep_changes();
        }
        (feeds, routes)
    }

    /// A quote that only gives the basis its mid.
    fn add_quote(&mut self, stream: StreamIndex, decl: &StreamDecl, freshness: Freshness) -> FeedRoute {
        self.prices.push(PriceFeed::compared_only(stream, decl, freshness));
        FeedRoute::Price(self.prices.len() - 1)
    }

    pub(super) fn add(&mut self, stream: StreamIndex, decl: &StreamDecl, config: &Config) -> FeedRoute {
        let (freshness, detectors) = (config.book.freshness, &config.book.detectors);
        let spot = self.kind == MarketKind::Spot;
        let useful = !spot && allowed(decl.kind, config);
        match decl.metric {
            Metric::MarkPrice | Metric::Bar | Metric::Trade | Metric::BestBidAsk => {
                let minute = decl.cadence <= TICK;
                let measured = minute && (spot || decl.metric == Metric::MarkPrice);
                self.prices.push(PriceFeed::new(stream, decl, measured, freshness, config.book.liquidity));
                FeedRoute::Price(self.prices.len() - 1)
            }
            // What marks and futures prices are compared with.
            Metric::IndexPrice | Metric::SpotPrice => {
                self.indexes.push(PriceFeed::new(stream, decl, true, freshness, config.book.liquidity));
                FeedRoute::Index(self.indexes.len() - 1)
            }
            Metric::FundingRate | Metric::PremiumIndex => {
                self.funding.push(FundingFeed::new(stream, decl, freshness));
                FeedRoute::Funding(self.funding.len() - 1)
            }
            Metric::FundingRateSettled => {
                let (limit, farmed) = (freshness.max_age(decl), detectors.funding.extreme);
                let settled = Settled::new(stream, decl.kind, decl.cadence, limit, farmed);
                self.settled.push(settled);
                FeedRoute::Settled(self.settled.len() - 1)
            }
            Metric::OpenInterest | Metric::OpenInterestUsd => {
                self.open_interest.push(OpenInterestFeed::new(stream, decl, freshness));
                FeedRoute::OpenInterest(self.open_interest.len() - 1)
            }
            Metric::Liquidation if useful && self.liquidations.is_none() => {
                let (limit, limits) = (freshness.max_age(decl), detectors.liquidations);
                let own = Liquidations::new(stream, decl.kind, decl.delay, limit, limits);
                self.liquidations = Some(Box::new(own));
                FeedRoute::Liquidation
            }
            Metric::LongShortRatio if useful && self.long_short.is_none() => {
                self.long_short = Some(Box::new(RatioFeed::new(stream, decl, freshness)));
                FeedRoute::LongShort
            }
            Metric::TopTraderPositionRatio if useful && self.top_traders.is_none() => {
                self.top_traders = Some(Box::new(RatioFeed::new(stream, decl, freshness)));
                FeedRoute::TopTraders
            }
            Metric::Liquidation
            | Metric::LongShortRatio
            | Metric::TopTraderPositionRatio
            | Metric::TopTraderAccountRatio
            | Metric::TakerVolumeRatio
            | Metric::Book => FeedRoute::Unused,
        }
    }

    /// Turns what has arrived into samples. Prices first: the open interest join needs them.
    #[inline]
    pub(crate) fn settle(&mut self, t: Ts, settings: &ReadinessSettings) -> bool {
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
    #[inline]
    pub(crate) fn read_prices(&mut self, t: Ts, config: &Config, settings: &ReadinessSettings) {
        let (mut wanted, mut said) = (VolatilityReadings::ALL, VolatilityReadings::NONE);
        for feed in &mut self.prices {
            let hopeless = wanted.and(said);
            let hopeless = hopeless.without(feed.may_give(hopeless));
            feed.read(wanted.without(hopeless), settings);
            if allowed(feed.source.kind, config) {
                wanted = feed.slots.lacking(wanted, t);
                if wanted.is_empty() {
                    break;
                }
                said = said.or(wanted.without(feed.slots.unsaid(wanted)));
            }
        }
    }

    /// Live values go on being samples without a new event, and windows of liquidations move on in silence, so a market that has
    /// any settles every minute.
    #[inline]
    pub(crate) fn holds_values(&self) -> bool {
        self.prices.iter().chain(&self.indexes).any(PriceFeed::is_filled)
            || self
                .funding
                .iter()
                .any(|f| f.series.is_filled() || f.premium.as_ref().is_some_and(|(p, _)| p.is_filled()))
            || self.open_interest.iter().any(|o| o.series.is_filled())
            || [&self.long_short, &self.top_traders].into_iter().flatten().any(|r| r.series.is_filled())
            || self.liquidations.as_ref().is_some_and(|l| l.has_begun())
    }

    /// A whole hour is over: the densities of stops go into their history.
    #[inline]
    pub(crate) fn note_hour(&mut self, t: Ts) {
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
    #[inline]
    #[must_use]
    pub(crate) fn price(&self, t: Ts) -> Option<(usize, f64)> {
        self.prices
            .iter()
            .enumerate()
            .filter(|(_, p)| t <= p.expires())
            .find_map(|(i, p)| p.newest().map(|price| (i, price)))
    }

    /// The feed whose levels are this market's: the first in order of preference that has any.
    pub(crate) fn stops(&self) -> Option<&Stops> {
        self.prices.iter().find_map(|p| match &p.series {
            PriceSeries::Bars(bars) => bars.stops.as_ref(),
            PriceSeries::Plain(_) => None,
        })
    }

    #[inline]
    pub(crate) fn stops_mut(&mut self) -> Option<&mut Stops> {
        self.prices.iter_mut().find_map(|p| match &mut p.series {
            PriceSeries::Bars(bars) => bars.stops.as_mut(),
            PriceSeries::Plain(_) => None,
        })
    }

    #[inline]
    pub(crate) fn zones_mut(&mut self) -> Option<&mut ZoneLevels> {
        self.liquidations.as_mut().map(|l| l.levels_mut())
    }

    /// After a restore: readings are derived from the windows again.
    pub(crate) fn reread(&mut self, settings: &ReadinessSettings) {
        for feed in &mut self.prices {
            feed.reread(settings);
        }
        for feed in &mut self.funding {
            feed.read(settings);
        }
        for feed in &mut self.open_interest {
            feed.read(settings);
        }
        for settled in &mut self.settled {
            settled.read(settings);
        }
        if let Some(liquidations) = &mut self.liquidations {
            liquidations.reread(settings);
        }
    }
}
