//! Instruments as a venue lists them, and the streams a session declares.

use crate::mcp::McpSource;
use crate::session::Decimal;
use barograph_domain::{Kind, MarketKind, Metric, Span, Ts};
use serde::{Deserialize, Serialize};

/// Position of a market in a session's configuration. Never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MarketIndex(pub u32);

impl MarketIndex {
    /// The market at this position of a list.
    #[must_use]
    pub fn at(position: usize) -> Self {
        Self(u32::try_from(position).unwrap_or(u32::MAX))
    }

    /// As a list position.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// An instrument, from the venue's own list.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MarketSpec {
    /// The venue's symbol, case kept.
    pub symbol: String,
    /// Base asset, multiplier removed (`PEPE` of `1000PEPEUSDT`).
    pub base: String,
    /// Units of `base` in one unit of the listed base asset (1000 for `1000PEPE`).
    pub base_multiplier: f64,
    /// Quote asset.
    pub quote: String,
    /// Settlement asset of contracts.
    pub settle: Option<String>,
    /// Spot, perpetual or dated.
    pub kind: MarketKind,
    /// Price step.
    pub tick: Option<Decimal>,
    /// Quantity step.
    pub step: Option<Decimal>,
    /// Contracts: what one contract is worth, in base units (linear) or quote units (inverse).
    pub contract_size: Option<f64>,
    /// Settled in the base asset.
    pub inverse: bool,
    /// Hours between settlements, where known.
    pub funding_interval_h: Option<f64>,
    /// Expiry of dated contracts.
    pub expiry: Option<Ts>,
    /// Can be traded now.
    pub trading: bool,
    /// Volume of the last 24 h in quote currency, where the list or the ticker says so.
    pub volume_24h_quote: Option<f64>,
}

impl MarketSpec {
    /// A market of which only symbol and kind are known.
    #[must_use]
    pub fn bare(symbol: &str, kind: MarketKind) -> Self {
        Self {
            symbol: symbol.to_owned(),
            base: String::new(),
            base_multiplier: 1.0,
            quote: String::new(),
            settle: None,
            kind,
            tick: None,
            step: None,
            contract_size: None,
            inverse: false,
            funding_interval_h: None,
            expiry: None,
            trading: true,
            volume_24h_quote: None,
        }
    }
}

/// Base addresses, without trailing slash. Defaults are the venue's production hosts; the built-in venue server and
/// proxies are set here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BaseAddresses {
    /// `https://fapi.binance.com`
    pub rest: String,
    /// `wss://fstream.binance.com`
    pub ws: String,
}

/// How a session is configured.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SessionConfig {
    /// Where the venue is.
    pub endpoints: BaseAddresses,
    /// Wanted markets; [`MarketIndex`] counts them.
    pub markets: Vec<MarketSpec>,
    /// Wanted streams. What is not listed is neither subscribed nor declared.
    pub metrics: Vec<Metric>,
    /// Fetch this much history at first start; zero: none.
    pub backfill: Span,
    /// Levels kept per side and book.
    pub book_depth: usize,
    /// How often open interest (and whatever else has no stream) is asked for; stretched where the budget does not allow it.
    pub poll_every: Span,
    /// Intervals of single metrics instead.
    #[serde(default)]
    pub polls_every: Vec<(Metric, Span)>,
    /// Requests of regular polls under way at once (R3.35, `max_concurrent_checks`).
    pub polls_in_flight_max: u32,
    /// Coinbase: how `side` of a trade is read (coinbase §4); true: it is the maker's side.
    pub trade_side_is_maker: bool,
    /// A server of tools: what is called of it. `None`: it is a venue of its own wire.
    #[serde(default)]
    pub mcp: Option<McpSource>,
}

impl SessionConfig {
    /// How often this metric is asked for, where it is polled: what was said of it, else `otherwise`.
    #[must_use]
    pub fn every_or(&self, metric: Metric, otherwise: Span) -> Span {
        self.polls_every.iter().find(|(m, _)| *m == metric).map_or(otherwise, |(_, every)| *every)
    }

    /// Whether state saved under `self` goes on under `other`: all is the same but the list of markets, which grows while a
    /// session runs and is compared with the markets in the state.
    #[must_use]
    pub fn differs_in_markets_only(&self, other: &Self) -> bool {
        let bare = |c: &Self| Self { markets: Vec::new(), ..c.clone() };
        bare(self) == bare(other)
    }
}

/// One stream of one market.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StreamSpec {
    /// Market, by its place in the configuration.
    pub market: MarketIndex,
    /// Metric of the stream.
    pub metric: Metric,
    /// False: the venue does not have it. Such a stream answers `NOT_OFFERED` and never has data.
    pub offered: bool,
    /// Measured, or sampled (liquidations of which the venue shows one per second).
    pub kind: Kind,
    /// Bars: the timeframe. Polled values: the interval. Streams: one second. Settled funding: the usual interval.
    pub cadence: Span,
    /// How long after its stamp a value is usually received.
    pub delay: Span,
    /// The last value holds until the next one (everything but bars and settled funding).
    pub filled: bool,
}
