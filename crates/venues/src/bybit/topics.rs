//! Topics: what is subscribed for a market, what each topic delivers, how many go into one request and one connection.

use super::limits;
use super::map::Category;
use crate::session::facts::RATIO_PERIOD;
use crate::session::offer::{self, Of, Offer};
use crate::session::protocol::{Channel as _, channels};
use barograph_domain::{Metric, Span};

channels! {
    /// What a topic carries; its bit is the channel bit of coverage.
    Channel {
        /// `orderbook.{50|200|1000}`.
        Book "orderbook" [Book],
        Trade "publicTrade" [Trade],
        /// Mark, index, funding, open interest, and best bid and ask of contracts.
        Ticker "tickers" [BestBidAsk, MarkPrice, IndexPrice, FundingRate, OpenInterest, OpenInterestUsd],
        /// All of them since 2025; the sampled topic is gone.
        Liquidation "allLiquidation" [Liquidation],
        Kline "kline.1" [Bar],
        /// Best bid and ask of spot, whose ticker has none.
        Top "orderbook.1" [BestBidAsk],
    }
}

impl Channel {
    /// The topic of a market.
    pub(super) fn topic(self, symbol: &str, depth: usize) -> String {
        match self {
            Self::Book => format!("orderbook.{depth}.{symbol}"),
            _ => format!("{}.{symbol}", self.word()),
        }
    }

    /// What a topic is, and of which symbol.
    pub(super) fn of(topic: &str, depth: usize) -> Option<(Self, &str)> {
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

/// Tickers move with the mark price, and the top of spot is repeated every 3 s.
const TICKER: Span = Span::mins(1);
/// Bars come every minute; deep books are not repeated.
const SLOW: Span = Span::secs(150);

/// What the venue offers. Settled funding and the ratio are fetched; the ticker says when the former is due.
pub(super) const STREAMS: [Offer<Channel>; 13] = [
    Offer::over(Metric::Bar, Of::All, Channel::Kline).every(Span::mins(1)).delay(Span::secs(2)).silence(SLOW),
    Offer::over(Metric::Trade, Of::All, Channel::Trade),
    Offer::over(Metric::BestBidAsk, Of::Spot, Channel::Top).silence(TICKER),
    Offer::over(Metric::BestBidAsk, Of::Contracts, Channel::Ticker).silence(TICKER),
    Offer::over(Metric::MarkPrice, Of::Contracts, Channel::Ticker).silence(TICKER),
    Offer::over(Metric::IndexPrice, Of::Contracts, Channel::Ticker).silence(TICKER),
    Offer::over(Metric::FundingRate, Of::Perpetuals, Channel::Ticker).silence(TICKER),
    Offer::over(Metric::FundingRateSettled, Of::Perpetuals, Channel::Ticker).at_settlements().delay(Span::secs(10)),
    Offer::over(Metric::OpenInterest, Of::Contracts, Channel::Ticker).silence(TICKER),
    Offer::over(Metric::OpenInterestUsd, Of::Contracts, Channel::Ticker).silence(TICKER),
    Offer::over(Metric::Liquidation, Of::Contracts, Channel::Liquidation),
    Offer::over(Metric::LongShortRatio, Of::Contracts, Channel::Ticker)
        .every(RATIO_PERIOD)
        .delay(Span::mins(1))
        .silence(Span::hours(1)),
    Offer::over(Metric::Book, Of::All, Channel::Book).silence(SLOW),
];
/// Streams the venue has for at least one kind of market.
pub(super) const METRICS: [Metric; 12] = offer::metrics(&STREAMS);

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
            assert_eq!(Channel::of(&topic, 200), Some((*channel, "BTCUSDT-26JUN26")), "{topic}");
        }
        for topic in ["", "orderbook.500.BTCUSDT", "orderbook.50.BTCUSDT", "kline.5.BTCUSDT", "insurance.USDT", "x.y"] {
            assert_eq!(Channel::of(topic, 200), None, "{topic}");
        }
    }
}
