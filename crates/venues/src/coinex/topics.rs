//! Channels: what is subscribed for a market, how, and what comes over it.

use crate::session::MarketSpec;
use crate::session::offer::{self, Of, Offer};
use crate::session::protocol::{Channel as _, channels};
use barograph_domain::{Metric, Span};

channels! {
    /// A channel; its bit is the channel bit of coverage. Bars, liquidations and settled funding are asked for.
    Channel {
        /// A full book, then changes, and a full one about each minute.
        Book "depth" [Book],
        Trade "deals" [Trade],
        Quote "bbo" [BestBidAsk],
        State "state" [MarkPrice, IndexPrice, FundingRate, OpenInterest, OpenInterestUsd],
    }
}

/// Not a subscription: the first deals of a market, which are history, have come on a connection.
pub(super) const DEALS_BEGUN: u16 = 1 << 15;

/// Levels of each side that the venue sends: one of four numbers, the others are refused (sheet §2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct DepthLimit(usize);

impl DepthLimit {
    const ALL: [usize; 4] = [5, 10, 20, 50];
    const DEEPEST: Self = Self(50);

    /// `None`: the venue has no such depth.
    pub(super) fn new(levels: usize) -> Option<Self> {
        Self::ALL.contains(&levels).then_some(Self(levels))
    }

    /// The smallest that holds so many levels, else the deepest there is.
    pub(super) fn holding(levels: usize) -> Self {
        (levels..=Self::DEEPEST.0).find_map(Self::new).unwrap_or(Self::DEEPEST)
    }

    /// Levels of each side.
    pub(super) const fn levels(self) -> usize {
        self.0
    }
}

/// Bars are asked for this long after the end of their minute, those of several markets spread over some seconds.
pub(super) const BAR_AFTER: Span = Span::secs(2);
/// Seconds over which they are spread.
pub(super) const BARS_WITHIN: u32 = 5;
/// New liquidations are asked for this often, unless the settings have another interval.
pub(super) const LIQUIDATIONS_EVERY: Span = Span::secs(15);

/// The state comes about each second, and by request each minute: three of those may fail.
const STATE: Span = Span::mins(3);
/// Best prices come only when they change.
const QUOTE: Span = Span::mins(5);
/// A full book comes about each minute.
const BOOK: Span = Span::secs(150);

const fn state(metric: Metric) -> Offer<Channel> {
    Offer::over(metric, Of::Perpetuals, Channel::State).silence(STATE)
}

/// What the venue offers. What is asked for needs no channel; it stands beside the state because a market that is wanted has one.
pub(super) const STREAMS: [Offer<Channel>; 11] = [
    state(Metric::Bar).every(Span::mins(1)).delay(Span::secs(8)).silence(Span::mins(5)),
    Offer::over(Metric::Trade, Of::Perpetuals, Channel::Trade),
    Offer::over(Metric::BestBidAsk, Of::Perpetuals, Channel::Quote).silence(QUOTE),
    state(Metric::MarkPrice),
    state(Metric::IndexPrice),
    state(Metric::FundingRate),
    Offer::over(Metric::FundingRateSettled, Of::Perpetuals, Channel::State).at_settlements().delay(Span::secs(30)),
    state(Metric::OpenInterest),
    state(Metric::OpenInterestUsd),
    state(Metric::Liquidation).every(LIQUIDATIONS_EVERY).delay(LIQUIDATIONS_EVERY),
    Offer::over(Metric::Book, Of::Perpetuals, Channel::Book).silence(BOOK),
];
/// Streams the venue has.
pub(super) const METRICS: [Metric; 11] = offer::metrics(&STREAMS);

/// The number of a ping; subscriptions count from 1.
pub(super) const PING_ID: &str = "0";
/// A ping.
pub(super) const PING: &str = r#"{"method":"server.ping","params":{},"id":0}"#;

/// A subscribe or unsubscribe request of one channel. Symbols are graphic ASCII without quotes: nothing has to be escaped.
pub(super) fn request<'a>(
    channel: Channel,
    verb: &str,
    number: u64,
    depth: DepthLimit,
    specs: impl Iterator<Item = &'a MarketSpec>,
) -> String {
    let name = |spec: &MarketSpec| match channel {
        // Prices not merged, changes only.
        Channel::Book => format!(r#"["{}",{},"0",false]"#, spec.symbol, depth.levels()),
        Channel::Trade | Channel::Quote | Channel::State => format!(r#""{}""#, spec.symbol),
    };
    let names: Vec<String> = specs.map(name).collect();
    let (topic, names) = (channel.word(), names.join(","));
    format!(r#"{{"method":"{topic}.{verb}","params":{{"market_list":[{names}]}},"id":{number}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checklist_04_other_depths_are_refused() {
        let known: Vec<usize> = (0..=1_000).filter(|n| DepthLimit::new(*n).is_some()).collect();
        assert_eq!(known, [5, 10, 20, 50]);
        for (wanted, asked) in
            [(0, 5), (1, 5), (5, 5), (6, 10), (20, 20), (21, 50), (50, 50), (200, 50), (usize::MAX, 50)]
        {
            assert_eq!(DepthLimit::holding(wanted).levels(), asked, "{wanted}");
        }
    }
}
