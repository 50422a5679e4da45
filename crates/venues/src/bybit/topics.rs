//! Topics: what is subscribed for a market, what each topic delivers, how many go into one request and one connection.

use super::limits;
use super::map::Category;
use crate::session::{MarketSpec, SessionConfig};
use barograph_domain::{MarketKind, Metric};

/// What a topic carries; its bit is the channel bit of coverage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub(super) enum Channel {
    /// `orderbook.{50|200|1000}`.
    Book,
    /// `publicTrade`.
    Trade,
    /// `tickers`: mark, index, funding, open interest, and best bid and ask of contracts.
    Ticker,
    /// `allLiquidation`.
    Liquidation,
    /// `kline.1`.
    Kline,
    /// `orderbook.1`: best bid and ask of spot, whose ticker has none.
    Top,
}

impl Channel {
    pub(super) const ALL: [Self; 6] =
        [Self::Book, Self::Trade, Self::Ticker, Self::Liquidation, Self::Kline, Self::Top];

    pub(super) const fn bit(self) -> u16 {
        1 << self as u8
    }

    /// Streams that end with this channel.
    pub(super) const fn metrics(self) -> &'static [Metric] {
        match self {
            Self::Book => &[Metric::Book],
            Self::Trade => &[Metric::Trade],
            Self::Ticker => TICKER,
            Self::Liquidation => &[Metric::Liquidation],
            Self::Kline => &[Metric::Bar],
            Self::Top => &[Metric::BestBidAsk],
        }
    }

    /// The topic of a market.
    pub(super) fn topic(self, symbol: &str, depth: usize) -> String {
        match self {
            Self::Book => format!("orderbook.{depth}.{symbol}"),
            Self::Trade => format!("publicTrade.{symbol}"),
            Self::Ticker => format!("tickers.{symbol}"),
            Self::Liquidation => format!("allLiquidation.{symbol}"),
            Self::Kline => format!("kline.1.{symbol}"),
            Self::Top => format!("orderbook.1.{symbol}"),
        }
    }

    /// What a topic is, and of which symbol.
    pub(super) fn parse(topic: &str, depth: usize) -> Option<(Self, &str)> {
        let (word, rest) = topic.split_once('.')?;
        Some(match word {
            "orderbook" => {
                let (levels, symbol) = rest.split_once('.')?;
                let levels: usize = levels.parse().ok()?;
                match levels {
                    1 => (Self::Top, symbol),
                    n if n == depth => (Self::Book, symbol),
                    _ => return None,
                }
            }
            "publicTrade" => (Self::Trade, rest),
            "tickers" => (Self::Ticker, rest),
            "allLiquidation" => (Self::Liquidation, rest),
            "kline" => (Self::Kline, rest.strip_prefix("1.")?),
            _ => return None,
        })
    }
}

const TICKER: &[Metric] = &[
    Metric::BestBidAsk,
    Metric::MarkPrice,
    Metric::IndexPrice,
    Metric::FundingRate,
    Metric::OpenInterest,
    Metric::OpenInterestUsd,
];

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
    Metric::LongShortRatio,
    Metric::Book,
];

/// Does the venue have this stream of this market?
pub(super) fn offered(spec: &MarketSpec, metric: Metric) -> bool {
    match metric {
        Metric::Bar | Metric::Trade | Metric::BestBidAsk | Metric::Book => true,
        Metric::MarkPrice
        | Metric::IndexPrice
        | Metric::OpenInterest
        | Metric::OpenInterestUsd
        | Metric::Liquidation
        | Metric::LongShortRatio => spec.kind != MarketKind::Spot,
        Metric::FundingRate | Metric::FundingRateSettled => spec.kind == MarketKind::Perpetual,
        Metric::PremiumIndex
        | Metric::TopTraderAccountRatio
        | Metric::TopTraderPositionRatio
        | Metric::TakerVolumeRatio
        | Metric::SpotPrice => false,
    }
}

/// Bits of the channels a market needs for the wanted streams.
pub(super) fn channels(spec: &MarketSpec, config: &SessionConfig) -> u16 {
    config.metrics.iter().filter(|m| offered(spec, **m)).fold(0, |bits, metric| bits | channel(spec, *metric).bit())
}

fn channel(spec: &MarketSpec, metric: Metric) -> Channel {
    match metric {
        Metric::Bar => Channel::Kline,
        Metric::Trade => Channel::Trade,
        Metric::Book => Channel::Book,
        Metric::Liquidation => Channel::Liquidation,
        Metric::BestBidAsk if spec.kind == MarketKind::Spot => Channel::Top,
        // Settled funding is fetched; the ticker says when.
        _ => Channel::Ticker,
    }
}

/// The depth subscribed for a wanted one: there are topics for three only, levels beyond the deepest do not exist.
pub(super) fn depth(wanted: usize) -> usize {
    limits::DEPTHS.into_iter().find(|d| *d >= wanted).unwrap_or(limits::DEPTHS[2])
}

/// Topics in one request.
pub(super) const fn batch(category: Category) -> usize {
    match category {
        Category::Spot => limits::ARGS_SPOT_MAX,
        Category::Linear | Category::Inverse => limits::ARGS_OTHER_MAX,
    }
}

/// Characters the topics of a market take in the list of its connection: quotes and comma included.
pub(super) fn characters(symbol: &str, bits: u16, depth: usize) -> usize {
    Channel::ALL.iter().filter(|c| bits & c.bit() != 0).map(|c| c.topic(symbol, depth).len() + 3).sum()
}

/// A subscribe or unsubscribe request.
pub(super) fn request(op: &str, number: u64, topics: &[String]) -> String {
    let args: Vec<String> = topics.iter().map(|t| format!("\"{}\"", t.replace(['"', '\\'], ""))).collect();
    format!("{{\"req_id\":\"{number}\",\"op\":\"{op}\",\"args\":[{}]}}", args.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_as_it_was_written() {
        for channel in Channel::ALL {
            let topic = channel.topic("BTCUSDT-26JUN26", 200);
            assert_eq!(Channel::parse(&topic, 200), Some((channel, "BTCUSDT-26JUN26")), "{topic}");
        }
        for topic in ["", "orderbook.500.BTCUSDT", "orderbook.50.BTCUSDT", "kline.5.BTCUSDT", "insurance.USDT", "x.y"] {
            assert_eq!(Channel::parse(topic, 200), None, "{topic}");
        }
    }
}
