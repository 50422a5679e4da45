//! Channels: what is subscribed for a market, how, and what comes over it.

use crate::session::offer::{self, Of, Offer};
use crate::session::protocol::{Channel as _, channels};
use barograph_domain::{Metric, Span};

channels! {
    /// A channel; its bit is the channel bit of coverage. Settled funding is fetched.
    Channel {
        /// Whole depth: a snapshot, then changes.
        Book "book" [Book],
        /// Every trade, marked where somebody was liquidated.
        Trade "trades" [Trade, Liquidation],
        Quote "quote" [BestBidAsk],
        Ticker "ticker" [MarkPrice, IndexPrice, FundingRate, OpenInterest, OpenInterestUsd],
        /// The running bar.
        Chart "chart.trades" [Bar],
    }
}

impl Channel {
    /// What stands behind the market's name: how often, or the minutes of a bar.
    const fn tail(self) -> &'static str {
        match self {
            Self::Book | Self::Trade | Self::Ticker => ".100ms",
            Self::Quote => "",
            Self::Chart => ".1",
        }
    }

    /// The channel of a market, in the venue's words.
    pub(super) fn topic(self, symbol: &str) -> String {
        format!("{}.{symbol}{}", self.word(), self.tail())
    }

    /// What a channel is, and of which symbol.
    pub(super) fn of(topic: &str) -> Option<(Self, &str)> {
        let symbol = |c: Self| topic.strip_prefix(c.word())?.strip_prefix('.')?.strip_suffix(c.tail());
        Self::ALL.iter().find_map(|c| symbol(*c).filter(|s| !s.contains('.')).map(|s| (*c, s)))
    }
}

/// Tickers move with the mark price.
const TICKER: Span = Span::mins(1);
/// Quotes and books come only when they change.
const SLOW: Span = Span::mins(5);

/// What the venue offers. Minutes without trades may have no bar on the socket.
pub(super) const STREAMS: [Offer<Channel>; 11] = [
    Offer::over(Metric::Bar, Of::Contracts, Channel::Chart)
        .every(Span::mins(1))
        .delay(Span::secs(2))
        .silence(Span::mins(15)),
    Offer::over(Metric::Trade, Of::Contracts, Channel::Trade),
    Offer::over(Metric::BestBidAsk, Of::Contracts, Channel::Quote).silence(SLOW),
    Offer::over(Metric::MarkPrice, Of::Contracts, Channel::Ticker).silence(TICKER),
    Offer::over(Metric::IndexPrice, Of::Contracts, Channel::Ticker).silence(TICKER),
    Offer::over(Metric::FundingRate, Of::Perpetuals, Channel::Ticker).silence(TICKER),
    Offer::over(Metric::FundingRateSettled, Of::Perpetuals, Channel::Ticker).at_settlements().delay(Span::secs(30)),
    Offer::over(Metric::OpenInterest, Of::Contracts, Channel::Ticker).silence(TICKER),
    Offer::over(Metric::OpenInterestUsd, Of::Contracts, Channel::Ticker).silence(TICKER),
    Offer::over(Metric::Liquidation, Of::Contracts, Channel::Trade),
    Offer::over(Metric::Book, Of::Contracts, Channel::Book).silence(SLOW),
];
/// Streams the venue has.
pub(super) const METRICS: [Metric; 11] = offer::metrics(&STREAMS);

/// The first request of a connection: a heartbeat each 30 s, and now and then a question that has to be answered with [`TEST`].
pub(super) const HEARTBEAT: &str =
    r#"{"jsonrpc":"2.0","id":0,"method":"public/set_heartbeat","params":{"interval":30}}"#;
/// The answer to a `test_request`.
pub(super) const TEST: &str = r#"{"jsonrpc":"2.0","id":0,"method":"public/test","params":{}}"#;

/// A subscribe or unsubscribe request. Symbols are graphic ASCII without quotes: nothing has to be escaped.
pub(super) fn request(verb: &str, number: u64, topics: &[String]) -> String {
    let names = topics.join("\",\"");
    format!(r#"{{"jsonrpc":"2.0","id":{number},"method":"public/{verb}","params":{{"channels":["{names}"]}}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_as_it_was_written() {
        for channel in Channel::ALL {
            assert_eq!(Channel::of(&channel.topic("SOL_USDC-PERPETUAL")), Some((*channel, "SOL_USDC-PERPETUAL")));
        }
        for topic in ["", "book", "book.X.raw", "book.X.none.20.100ms", "trades.future.any.100ms", "chart.trades.X.5"] {
            assert_eq!(Channel::of(topic), None, "{topic}");
        }
    }
}
