//! The four markets of the family: what differs between them, as data.

use crate::session::Endpoints;
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
    pub(super) metrics: &'static [Metric],
}

const FUTURES: &[Metric] = &[
    Metric::Bar,
    Metric::Trade,
    Metric::BestBidAsk,
    Metric::MarkPrice,
    Metric::IndexPrice,
    Metric::FundingRate,
    Metric::FundingRateSettled,
    Metric::OpenInterest,
    Metric::Liquidation,
    Metric::Book,
];
/// The other futures market asks for ratios by pair, over all its contracts: that is no market's own.
const USDM_METRICS: &[Metric] = &[
    Metric::Bar,
    Metric::Trade,
    Metric::BestBidAsk,
    Metric::MarkPrice,
    Metric::IndexPrice,
    Metric::FundingRate,
    Metric::FundingRateSettled,
    Metric::OpenInterest,
    Metric::Liquidation,
    Metric::TopTraderAccountRatio,
    Metric::TopTraderPositionRatio,
    Metric::LongShortRatio,
    Metric::TakerVolumeRatio,
    Metric::Book,
];
const SPOT: &[Metric] = &[Metric::Bar, Metric::Trade, Metric::BestBidAsk, Metric::Book];

pub(super) const USDM: Flavour = Flavour {
    class: Class::UsdM,
    id: "binance-usdm",
    api: "/fapi/v1",
    public: "/public/stream",
    market: "/market/stream",
    metrics: USDM_METRICS,
};
pub(super) const COINM: Flavour = Flavour {
    class: Class::CoinM,
    id: "binance-coinm",
    api: "/dapi/v1",
    public: "/stream",
    market: "/stream",
    metrics: FUTURES,
};
pub(super) const SPOT_COM: Flavour = Flavour {
    class: Class::Spot,
    id: "binance-spot",
    api: "/api/v3",
    public: "/stream",
    market: "/stream",
    metrics: SPOT,
};
pub(super) const SPOT_US: Flavour =
    Flavour { class: Class::Us, id: "binance-us", api: "/api/v3", public: "/stream", market: "/stream", metrics: SPOT };

impl Flavour {
    pub(super) fn endpoints(&self) -> Endpoints {
        let (rest, ws) = match self.class {
            Class::UsdM => ("https://fapi.binance.com", "wss://fstream.binance.com"),
            Class::CoinM => ("https://dapi.binance.com", "wss://dstream.binance.com"),
            // The hosts that serve public data and nothing else (spot sheet §2).
            Class::Spot => ("https://data-api.binance.vision", "wss://data-stream.binance.vision"),
            Class::Us => ("https://api.binance.us", "wss://stream.binance.us:9443"),
        };
        Endpoints { rest: rest.to_owned(), ws: ws.to_owned() }
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

    /// Whether this market offers the stream for instruments of this kind.
    pub(super) fn offers(&self, metric: Metric, kind: MarketKind) -> bool {
        let funding = matches!(metric, Metric::FundingRate | Metric::FundingRateSettled);
        self.metrics.contains(&metric) && !(funding && kind == MarketKind::DatedFuture)
    }

    /// Silence after which a stream is stale (USD-M sheet §9.2; spot sheet §9 for Binance.US, where whole minutes without a trade
    /// are normal and the socket's pings say that it lives). `None`: silence is normal.
    pub(super) fn silence(&self, metric: Metric, poll_every: Span) -> Option<Span> {
        match (self.class, metric) {
            (_, Metric::Liquidation | Metric::FundingRateSettled) => None,
            (_, Metric::OpenInterest) => Some(poll_every.times(5)),
            // Rows of five minutes that come some minutes late, asked for less often where the budget is small.
            (_, metric) if super::ratios::path(metric).is_some() => Some(Span::hours(1)),
            (_, Metric::MarkPrice | Metric::IndexPrice | Metric::FundingRate) => Some(Span::secs(10)),
            (_, Metric::Bar) => Some(Span::secs(180)),
            (Class::Us, _) => None,
            (_, Metric::Trade) => Some(Span::mins(5)),
            _ => Some(Span::secs(60)),
        }
    }
}
