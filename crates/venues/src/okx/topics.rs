//! Channels: what is subscribed for a market and on which socket.

use super::{map, ratios};
use crate::session::{MarketSpec, SessionConfig};
use barograph_domain::{MarketKind, Metric};

/// A channel; its bit is the channel bit of coverage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub(super) enum Channel {
    /// `books`: 400 levels, snapshot and updates.
    Book,
    /// `trades`, which may merge matches; never together with `trades-all`.
    Trade,
    /// `tickers`: best bid and ask.
    Ticker,
    /// `mark-price`.
    Mark,
    /// `index-tickers`, under the name of the index.
    Index,
    /// `funding-rate`: running and last settled.
    Funding,
    /// `open-interest`.
    Interest,
    /// `liquidation-orders`, one subscription for all contracts of a type.
    Liquidation,
    /// `candle1m`, on the business socket.
    Candle,
}

impl Channel {
    pub(super) const ALL: [Self; 9] = [
        Self::Book,
        Self::Trade,
        Self::Ticker,
        Self::Mark,
        Self::Index,
        Self::Funding,
        Self::Interest,
        Self::Liquidation,
        Self::Candle,
    ];

    pub(super) const fn bit(self) -> u16 {
        1 << self as u16
    }

    /// The venue's word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Book => "books",
            Self::Trade => "trades",
            Self::Ticker => "tickers",
            Self::Mark => "mark-price",
            Self::Index => "index-tickers",
            Self::Funding => "funding-rate",
            Self::Interest => "open-interest",
            Self::Liquidation => "liquidation-orders",
            Self::Candle => "candle1m",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.word() == word)
    }

    /// Streams that end with this channel. Settled funding is not among them: it is fetched when it was missed.
    pub(super) const fn metrics(self) -> &'static [Metric] {
        match self {
            Self::Book => &[Metric::Book],
            Self::Trade => &[Metric::Trade],
            Self::Ticker => &[Metric::BestBidAsk],
            Self::Mark => &[Metric::MarkPrice],
            Self::Index => &[Metric::IndexPrice],
            Self::Funding => &[Metric::FundingRate],
            Self::Interest => &[Metric::OpenInterest, Metric::OpenInterestUsd],
            Self::Liquidation => &[Metric::Liquidation],
            Self::Candle => &[Metric::Bar],
        }
    }

    /// What a subscription of this channel names: the instrument, its index, or all of its type.
    pub(super) fn arg(self, spec: &MarketSpec) -> String {
        let (key, name) = match self {
            Self::Index => ("instId", map::index_of(spec).replace(['"', '\\'], "")),
            Self::Liquidation => ("instType", map::inst_type(spec.kind).to_owned()),
            _ => ("instId", spec.symbol.replace(['"', '\\'], "")),
        };
        format!("{{\"channel\":\"{}\",\"{key}\":\"{name}\"}}", self.word())
    }
}

/// Streams the venue has for at least one kind of market.
pub(super) const METRICS: &[Metric] = &[
    Metric::Bar,
    Metric::Trade,
    Metric::BestBidAsk,
    Metric::MarkPrice,
    Metric::IndexPrice,
    Metric::FundingRate,
    Metric::FundingRateSettled,
    Metric::OpenInterest,
    Metric::OpenInterestUsd,
    Metric::Liquidation,
    Metric::Book,
    Metric::LongShortRatio,
    Metric::TopTraderAccountRatio,
    Metric::TopTraderPositionRatio,
];

fn channel(metric: Metric) -> Option<Channel> {
    Some(match metric {
        Metric::Bar => Channel::Candle,
        Metric::Trade => Channel::Trade,
        Metric::BestBidAsk => Channel::Ticker,
        Metric::MarkPrice => Channel::Mark,
        Metric::IndexPrice => Channel::Index,
        Metric::FundingRate | Metric::FundingRateSettled => Channel::Funding,
        Metric::OpenInterest | Metric::OpenInterestUsd => Channel::Interest,
        Metric::Liquidation => Channel::Liquidation,
        Metric::Book => Channel::Book,
        Metric::PremiumIndex
        | Metric::TopTraderAccountRatio
        | Metric::TopTraderPositionRatio
        | Metric::LongShortRatio
        | Metric::TakerVolumeRatio
        | Metric::SpotPrice => return None,
    })
}

/// Does the venue have this stream of this market?
pub(super) fn offered(spec: &MarketSpec, metric: Metric) -> bool {
    match channel(metric) {
        // Polled, of contracts.
        None => ratios::path(metric).is_some() && spec.kind != MarketKind::Spot,
        Some(Channel::Book | Channel::Trade | Channel::Ticker | Channel::Candle) => true,
        Some(Channel::Mark | Channel::Index | Channel::Interest | Channel::Liquidation) => {
            spec.kind != MarketKind::Spot
        }
        Some(Channel::Funding) => spec.kind == MarketKind::Perpetual,
    }
}

/// Bits of the channels a market needs for the wanted streams.
pub(super) fn channels(spec: &MarketSpec, config: &SessionConfig) -> u16 {
    let wanted = config.metrics.iter().filter(|m| offered(spec, **m));
    wanted.filter_map(|m| channel(*m)).fold(0, |bits, c| bits | c.bit())
}

/// A subscribe or unsubscribe request.
pub(super) fn request(op: &str, number: u64, args: &[String]) -> String {
    format!("{{\"id\":\"{number}\",\"op\":\"{op}\",\"args\":[{}]}}", args.join(","))
}
