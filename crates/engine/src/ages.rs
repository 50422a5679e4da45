//! Which stream speaks for a metric at a moment, whether there is any, how old it is, and the history behind a percentile.

use crate::catalogue::{Feature, each_feature};
use crate::engine::Config;
use crate::features::settled::Settled;
use crate::feeds::{Feeds, PairFeed, PriceFeed, PriceSeries, RatioFeed};
use barograph_domain::{Kind, MarketKind, Metric, StreamIndex, Ts};

/// What only contracts have, and not all of them.
pub(crate) const OWN: [Metric; 7] = [
    Metric::FundingRate,
    Metric::OpenInterest,
    Metric::FundingRateSettled,
    Metric::IndexPrice,
    Metric::Liquidation,
    Metric::LongShortRatio,
    Metric::TopTraderPositionRatio,
];

/// Place of one of them in a set.
pub(crate) fn bit(metric: Metric) -> u8 {
    OWN.iter().position(|m| *m == metric).map_or(0, |at| 1 << at)
}

impl Feeds {
    /// Is there any stream of what only contracts have, or of what stands in for it? What no stream carries is never awaited, and an
    /// archive that has not begun is not there: nothing earlier may show that it will begin. A live stream is asked for.
    #[inline]
    pub(crate) fn offers(&self, metric: Metric) -> bool {
        // Whether liquidations are listened to says their own presence, of archives too.
        let asked = |(m, live): &(Metric, bool)| *live && *m != Metric::Liquidation;
        self.has(metric, |d| asked(d) || self.has_heard(d.0))
    }

    /// Is there a stream of the metric, or of what stands in for it, of which this holds?
    #[inline]
    fn has(&self, metric: Metric, begun: impl Fn(&(Metric, bool)) -> bool) -> bool {
        let any = |of: &[Metric]| {
            self.kind != MarketKind::Spot && self.declared.iter().any(|d| of.contains(&d.0) && begun(d))
        };
        match metric {
            Metric::FundingRate => any(&[Metric::FundingRate, Metric::PremiumIndex, Metric::FundingRateSettled]),
            Metric::OpenInterest => any(&[Metric::OpenInterest, Metric::OpenInterestUsd]),
            Metric::FundingRateSettled
            | Metric::SpotPrice
            | Metric::Liquidation
            | Metric::LongShortRatio
            | Metric::TopTraderPositionRatio => any(&[metric]),
            // What a basis is of; where both are, each pair looks at its own.
            Metric::IndexPrice => any(&[Metric::IndexPrice, Metric::SpotPrice]),
            Metric::MarkPrice
            | Metric::Bar
            | Metric::Trade
            | Metric::BestBidAsk
            | Metric::PremiumIndex
            | Metric::OpenInterestUsd
            | Metric::TopTraderAccountRatio
            | Metric::TakerVolumeRatio
            | Metric::Book => true,
        }
    }

    /// The pair behind the basis: with the spot market from its first price on, as an archive of it may begin late.
    pub(crate) fn compared(&self) -> Option<&PairFeed> {
        match (self.spot_basis.as_ref(), self.basis.as_ref()) {
            (Some(spot), Some(index)) => Some(if self.has_heard(Metric::SpotPrice) { spot } else { index }),
            (spot, index) => spot.or(index),
        }
    }

    /// Is there a stream of it that is asked for live, or has begun?
    pub(crate) fn carries(&self, metric: Metric) -> bool {
        self.declared.iter().any(|(m, live)| *m == metric && (*live || self.has_heard(metric)))
    }

    /// Has anything come of what only contracts have?
    fn has_heard(&self, metric: Metric) -> bool {
        let ratio = |feed: &Option<Box<RatioFeed>>| feed.as_ref().is_some_and(|f| f.newest().is_some());
        match metric {
            Metric::FundingRate | Metric::PremiumIndex => self.funding.iter().any(|f| f.series.heard_ts().is_some()),
            Metric::FundingRateSettled => self.settled.iter().any(|s| s.event().is_some()),
            Metric::OpenInterest | Metric::OpenInterestUsd => self.open_interest.iter().any(|o| o.heard_ts().is_some()),
            Metric::IndexPrice | Metric::SpotPrice => {
                self.indexes.iter().any(|p| p.source.metric == metric && p.heard_ts().is_some())
            }
            Metric::Liquidation => self.liquidations.as_ref().is_some_and(|l| l.anchor().is_some()),
            Metric::LongShortRatio => ratio(&self.long_short),
            Metric::TopTraderPositionRatio => ratio(&self.top_traders),
            Metric::MarkPrice
            | Metric::Bar
            | Metric::Trade
            | Metric::BestBidAsk
            | Metric::TopTraderAccountRatio
            | Metric::TakerVolumeRatio
            | Metric::Book => true,
        }
    }

    /// What is offered now, a bit for each metric of its own that a contract may have.
    pub(crate) fn offered(&self) -> u8 {
        OWN.iter().filter(|m| self.offers(**m)).fold(0, |bits, m| bits | bit(*m))
    }

    /// What is offered when everything that was declared has begun.
    pub(crate) fn offerable(&self) -> u8 {
        OWN.iter().filter(|m| self.has(**m, |_| true)).fold(0, |bits, m| bits | bit(*m))
    }
}

impl PriceFeed {
    /// After this moment its readings are stale.
    #[must_use]
    pub fn expires(&self) -> Ts {
        match &self.series {
            PriceSeries::Plain(series) => series.expires(),
            PriceSeries::Bars(bars) => bars.series.expires(),
        }
    }

    /// The newest event heard.
    #[must_use]
    pub fn heard_ts(&self) -> Option<Ts> {
        match &self.series {
            PriceSeries::Plain(series) => series.heard_ts(),
            PriceSeries::Bars(bars) => bars.series.heard_ts(),
        }
    }

    /// The event behind the price of a grid instant.
    #[must_use]
    #[inline]
    pub fn event_at(&self, t: Ts) -> Ts {
        match &self.series {
            PriceSeries::Plain(series) => series.event_at(t),
            PriceSeries::Bars(bars) => bars.series.event_at(t),
        }
    }

    /// Did a declared gap end in `(after, upto]`?
    #[must_use]
    pub fn gap_ended(&self, after: Ts, upto: Ts) -> bool {
        match &self.series {
            PriceSeries::Plain(series) => series.gap_ended(after, upto),
            PriceSeries::Bars(bars) => bars.series.gap_ended(after, upto),
        }
    }
}

/// Stream of a metric's input and its newest event: the first fresh candidate, else the first ever seen.
/// Only streams that the book may use count: a stand-in that it refuses must not hide a stale measurement.
pub(crate) fn input_age(feeds: &Feeds, metric: Metric, t: Ts, config: &Config) -> Option<(StreamIndex, Ts)> {
    let mut seen = None;
    let mut consider = |stream: StreamIndex, anchor: Option<Ts>, expires: Ts| {
        let found = anchor.map(|a| (stream, a));
        seen = seen.or(found);
        found.filter(|_| t <= expires)
    };
    let fresh = match metric {
        Metric::FundingRate => feeds
            .funding
            .iter()
            .filter(|f| allowed(f.source.kind, config))
            .find_map(|f| consider(f.source.stream, f.series.heard_ts(), f.series.expires()))
            .or_else(|| {
                let mut settled = feeds.settled.iter().filter(|_| config.book.allow_proxy);
                settled.find_map(|s| consider(s.stream(), s.event(), s.expires()))
            }),
        Metric::FundingRateSettled => feeds.settled.iter().find_map(|s| consider(s.stream(), s.event(), s.expires())),
        Metric::OpenInterest => feeds
            .open_interest
            .iter()
            .filter(|o| allowed(o.source.kind, config))
            .find_map(|o| consider(o.source.stream, o.heard_ts(), o.expires())),
        Metric::MarkPrice => feeds
            .prices
            .iter()
            .filter(|p| allowed(p.source.kind, config))
            .find_map(|p| consider(p.source.stream, p.heard_ts(), p.expires())),
        Metric::Bar => feeds
            .prices
            .iter()
            .filter(|p| matches!(p.series, PriceSeries::Bars(..)))
            .find_map(|p| consider(p.source.stream, p.heard_ts(), p.expires())),
        Metric::IndexPrice | Metric::SpotPrice => feeds
            .indexes
            .iter()
            .filter(|p| p.source.metric == metric)
            .find_map(|p| consider(p.source.stream, p.heard_ts(), p.expires())),
        Metric::Liquidation => feeds.liquidations.as_ref().and_then(|l| consider(l.stream(), l.anchor(), l.expires())),
        Metric::LongShortRatio => of_ratio(&feeds.long_short, &mut consider),
        Metric::TopTraderPositionRatio => of_ratio(&feeds.top_traders, &mut consider),
        Metric::Trade
        | Metric::BestBidAsk
        | Metric::PremiumIndex
        | Metric::OpenInterestUsd
        | Metric::TopTraderAccountRatio
        | Metric::TakerVolumeRatio
        | Metric::Book => None,
    };
    fresh.or(seen)
}

type Found = Option<(StreamIndex, Ts)>;

fn of_ratio(feed: &Option<Box<RatioFeed>>, consider: &mut dyn FnMut(StreamIndex, Option<Ts>, Ts) -> Found) -> Found {
    feed.as_ref().and_then(|f| consider(f.source.stream, f.series.heard_ts(), f.series.expires()))
}

/// The newest grid instant of a stream that percentiles are taken of.
pub(crate) fn anchor_of(feeds: &Feeds, stream: StreamIndex) -> Option<Ts> {
    let price = || feeds.prices.iter().find(|p| p.source.stream == stream).map(PriceFeed::anchor_ts);
    let oi = || feeds.open_interest.iter().find(|o| o.source.stream == stream).map(|o| o.series.anchor_ts());
    let funding = || feeds.funding.iter().find(|f| f.source.stream == stream).map(|f| f.series.anchor_ts());
    let settled = || feeds.settled.iter().find(|s| s.stream() == stream).map(Settled::anchor);
    let forced = || feeds.liquidations.as_ref().filter(|l| l.stream() == stream).map(|l| l.anchor());
    price().or_else(oi).or_else(funding).or_else(settled).or_else(forced).flatten()
}

/// The values a percentile ranks its newest one against, sorted, into `out`. `stream` says whose history it is, `hour` which
/// hour is under way.
pub(crate) fn others_of(
    feeds: &Feeds,
    percentile: Feature,
    stream: Option<StreamIndex>,
    hour: i64,
    out: &mut Vec<f64>,
) {
    out.clear();
    let Some(stream) = stream else { return };
    macro_rules! take {
        (price $feature:ident $field:tt ($window:literal)) => {
            if percentile == Feature::$feature {
                let feed = feeds.prices.iter().find(|p| p.source.stream == stream);
                if let Some(volatility) = feed.and_then(|p| p.volatility.as_ref()) {
                    volatility.ranks()[$window].window().others(hour, out);
                }
            }
        };
        (open_interest $feature:ident $field:tt ($rank:ident)) => {
            if percentile == Feature::$feature
                && let Some(feed) = feeds.open_interest.iter().find(|o| o.source.stream == stream)
            {
                feed.windows.$rank().window().others(hour, out);
            }
        };
        (liquidations $feature:ident $field:tt ($rank:ident)) => {
            if percentile == Feature::$feature
                && let Some(own) = &feeds.liquidations
            {
                own.$rank().window().others(hour, out);
            }
        };
        (funding $feature:ident $field:tt ($rank:ident)) => {
            if percentile == Feature::$feature {
                if let Some(feed) = feeds.funding.iter().find(|f| f.source.stream == stream) {
                    feed.windows.$rank().window().others(hour, out);
                } else if let Some(settled) = feeds.settled.iter().find(|s| s.stream() == stream) {
                    settled.others_of_month(out);
                }
            }
        };
        ($($other:tt)*) => {};
    }
    each_feature!(take);
}

/// May readings of this kind be shown under this book?
pub(crate) fn allowed(kind: Kind, config: &Config) -> bool {
    config.book.allow_proxy || matches!(kind, Kind::Measured | Kind::Sampled)
}
