//! The four markets of the family: what differs between them, as data.

use super::plan::Channel;
use super::ratios;
use crate::policy::{FUNDING_INTERVAL, archive_delay};
use crate::session::BaseAddresses;
use crate::session::offer::{self, Of, Offer};
use barograph_domain::{MarketKind, Metric, Span};

/// One market of the family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// Linear futures.
    UsdM,
    /// Inverse futures; quantities count contracts.
    CoinM,
    /// binance.com spot.
    Spot,
    /// Binance.US spot.
    Us,
}

/// What is particular to a market.
#[derive(Debug)]
pub(super) struct Flavour {
    pub(super) class: Class,
    /// Venue id.
    pub(super) id: &'static str,
    /// Path in front of the REST routes.
    pub(super) api: &'static str,
    /// Socket paths of book streams and of everything else. USD-M: without a route most streams stay silent (sheet §1).
    pub(super) public: &'static str,
    pub(super) market: &'static str,
    pub(super) streams: &'static [Offer<Channel>],
    /// Streams of at least one kind of market.
    pub(super) metrics: &'static [Metric],
}

/// What a market of the family offers, and the silence after which a stream is stale (USD-M §9 line 2; spot §9).
const fn streams(class: Class) -> [Offer<Channel>; 14] {
    const MARKS: Span = Span::secs(10);
    [
        on(Metric::Bar, Of::All, Channel::Kline)
            .every(Span::mins(1))
            .delay(archive_delay(Metric::Bar))
            .silence(Span::secs(180)),
        busy(on(Metric::Trade, Of::All, Channel::AggTrade), class, Span::mins(5)),
        busy(on(Metric::BestBidAsk, Of::All, Channel::BookTicker), class, Span::mins(1)),
        on(Metric::MarkPrice, Of::Contracts, Channel::MarkPrice).silence(MARKS),
        // COIN-M: one index per pair, for all its contracts.
        on(
            Metric::IndexPrice,
            Of::Contracts,
            match class {
                Class::CoinM => Channel::IndexPrice,
                Class::UsdM | Class::Spot | Class::Us => Channel::MarkPrice,
            },
        )
        .silence(MARKS),
        on(Metric::FundingRate, Of::Perpetuals, Channel::MarkPrice).silence(MARKS),
        // Asked for when the mark price stream has moved on to the next settlement.
        on(Metric::FundingRateSettled, Of::Perpetuals, Channel::MarkPrice)
            .every(FUNDING_INTERVAL)
            .delay(archive_delay(Metric::FundingRateSettled)),
        Offer::new(Metric::OpenInterest, Of::Contracts, None).polled().delay(Span::secs(2)).silence_polls(5),
        // One order per symbol and second is shown, since 2026-04-14 the largest, before the latest.
        on(Metric::Liquidation, Of::Contracts, Channel::ForceOrder).sampled(),
        ratio(Metric::TopTraderAccountRatio, class),
        ratio(Metric::TopTraderPositionRatio, class),
        ratio(Metric::LongShortRatio, class),
        ratio(Metric::TakerVolumeRatio, class),
        busy(on(Metric::Book, Of::All, Channel::Depth), class, Span::mins(1)),
    ]
}

const fn on(metric: Metric, of: Of, channel: Channel) -> Offer<Channel> {
    Offer::new(metric, of, Some(channel))
}

/// At Binance.US whole minutes without a trade are normal, and the socket's pings say that it lives.
const fn busy(row: Offer<Channel>, class: Class, silence: Span) -> Offer<Channel> {
    match class {
        Class::Us => row,
        Class::UsdM | Class::CoinM | Class::Spot => row.silence(silence),
    }
}

/// Rows of five minutes that come some minutes late, asked for less often where the budget is small. COIN-M has them by pair,
/// over all its contracts: that is no market's own.
const fn ratio(metric: Metric, class: Class) -> Offer<Channel> {
    let of = match class {
        Class::UsdM => Of::Contracts,
        Class::CoinM | Class::Spot | Class::Us => Of::Nowhere,
    };
    Offer::new(metric, of, None).every(ratios::PERIOD).delay(archive_delay(metric)).silence(Span::hours(1))
}

const CONTRACTS: [MarketKind; 2] = [MarketKind::Perpetual, MarketKind::DatedFuture];
const USDM_STREAMS: [Offer<Channel>; 14] = streams(Class::UsdM);
const COINM_STREAMS: [Offer<Channel>; 14] = streams(Class::CoinM);
const SPOT_STREAMS: [Offer<Channel>; 14] = streams(Class::Spot);
const US_STREAMS: [Offer<Channel>; 14] = streams(Class::Us);
const USDM_METRICS: [Metric; 14] = offer::metrics_of(&USDM_STREAMS, &CONTRACTS);
const COINM_METRICS: [Metric; 10] = offer::metrics_of(&COINM_STREAMS, &CONTRACTS);
const SPOT_METRICS: [Metric; 4] = offer::metrics_of(&SPOT_STREAMS, &[MarketKind::Spot]);

pub(super) const USDM: Flavour = Flavour {
    class: Class::UsdM,
    id: "binance-usdm",
    api: "/fapi/v1",
    public: "/public/stream",
    market: "/market/stream",
    streams: &USDM_STREAMS,
    metrics: &USDM_METRICS,
};
pub(super) const COINM: Flavour = Flavour {
    class: Class::CoinM,
    id: "binance-coinm",
    api: "/dapi/v1",
    public: "/stream",
    market: "/stream",
    streams: &COINM_STREAMS,
    metrics: &COINM_METRICS,
};
pub(super) const SPOT_COM: Flavour = Flavour {
    class: Class::Spot,
    id: "binance-spot",
    api: "/api/v3",
    public: "/stream",
    market: "/stream",
    streams: &SPOT_STREAMS,
    metrics: &SPOT_METRICS,
};
pub(super) const SPOT_US: Flavour = Flavour { class: Class::Us, id: "binance-us", streams: &US_STREAMS, ..SPOT_COM };

impl Flavour {
    pub(super) fn endpoints(&self) -> BaseAddresses {
        let (rest, ws) = match self.class {
            Class::UsdM => ("https://fapi.binance.com", "wss://fstream.binance.com"),
            Class::CoinM => ("https://dapi.binance.com", "wss://dstream.binance.com"),
            // The hosts that serve public data and nothing else (spot §2).
            Class::Spot => ("https://data-api.binance.vision", "wss://data-stream.binance.vision"),
            Class::Us => ("https://api.binance.us", "wss://stream.binance.us:9443"),
        };
        BaseAddresses { rest: rest.to_owned(), ws: ws.to_owned() }
    }

    pub(super) const fn is_futures(&self) -> bool {
        matches!(self.class, Class::UsdM | Class::CoinM)
    }

    /// `st` of rows that belong to the other futures market.
    pub(super) fn foreign_mark(&self) -> Option<u64> {
        match self.class {
            Class::UsdM => Some(2),
            Class::CoinM => Some(1),
            Class::Spot | Class::Us => None,
        }
    }
}
