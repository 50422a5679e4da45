//! Channels: what is subscribed for a market, and how.

use super::map;
use crate::session::MarketSpec;
use crate::session::facts::RATIO_PERIOD;
use crate::session::offer::{self, Of, Offer};
use crate::session::protocol::{Channel as _, channels};
use barograph_domain::{Metric, Span};

channels! {
    /// A channel; its bit is the channel bit of coverage. Settled funding is fetched when it was missed.
    Channel {
        /// 400 levels, snapshot and updates.
        Book "books" [Book],
        /// May merge matches; never together with `trades-all`.
        Trade "trades" [Trade],
        Ticker "tickers" [BestBidAsk],
        Mark "mark-price" [MarkPrice],
        /// Under the name of the index.
        Index "index-tickers" [IndexPrice],
        /// Running and last settled.
        Funding "funding-rate" [FundingRate],
        Interest "open-interest" [OpenInterest, OpenInterestUsd],
        /// One subscription for all contracts of a type.
        Liquidation "liquidation-orders" [Liquidation],
        /// On the business socket.
        Candle "candle1m" [Bar],
    }
}

impl Channel {
    /// What a subscription of this channel names: the instrument, its index, or all of its type.
    pub(super) fn arg(self, spec: &MarketSpec) -> String {
        let (key, name) = match self {
            Self::Index => ("instId", map::index_of(spec).replace(['"', '\\'], "")),
            Self::Liquidation => ("instType", map::inst_type(spec.kind).to_owned()),
            _ => ("instId", spec.symbol.replace(['"', '\\'], "")),
        };
        format!("{{\"channel\":\"{}\",\"{key}\":\"{name}\"}}", self.word())
    }

    /// One subscription serves several markets.
    pub(super) const fn is_shared(self) -> bool {
        matches!(self, Self::Index | Self::Liquidation)
    }
}

const fn ratio(metric: Metric) -> Offer<Channel> {
    let row = Offer::new(metric, Of::Contracts, None);
    row.every(RATIO_PERIOD).delay(Span::mins(1)).silence(Span::hours(1))
}

/// Bars and the index come each minute, and about as often something is said of a book.
const SLOW: Span = Span::secs(150);
/// Open interest comes every three seconds, and when it changes.
const INTEREST: Span = Span::secs(30);

/// What the venue offers; silence is two and a half times what it promises for a quiet market. Best bid and ask come only when they
/// change; at most one liquidation per contract and second is sent; ratios are polled.
pub(super) const STREAMS: [Offer<Channel>; 14] = [
    Offer::over(Metric::Bar, Of::All, Channel::Candle).every(Span::mins(1)).delay(Span::secs(2)).silence(SLOW),
    Offer::over(Metric::Trade, Of::All, Channel::Trade),
    Offer::over(Metric::BestBidAsk, Of::All, Channel::Ticker).silence(Span::mins(5)),
    Offer::over(Metric::MarkPrice, Of::Contracts, Channel::Mark).silence(Span::secs(25)),
    Offer::over(Metric::IndexPrice, Of::Contracts, Channel::Index).silence(SLOW),
    Offer::over(Metric::FundingRate, Of::Perpetuals, Channel::Funding).silence(Span::secs(225)),
    Offer::over(Metric::FundingRateSettled, Of::Perpetuals, Channel::Funding).at_settlements().delay(Span::secs(90)),
    Offer::over(Metric::OpenInterest, Of::Contracts, Channel::Interest).silence(INTEREST),
    Offer::over(Metric::OpenInterestUsd, Of::Contracts, Channel::Interest).silence(INTEREST),
    Offer::over(Metric::Liquidation, Of::Contracts, Channel::Liquidation).sampled(),
    Offer::over(Metric::Book, Of::All, Channel::Book).silence(SLOW),
    ratio(Metric::LongShortRatio),
    ratio(Metric::TopTraderAccountRatio),
    ratio(Metric::TopTraderPositionRatio),
];
/// Streams the venue has for at least one kind of market.
pub(super) const METRICS: [Metric; 14] = offer::metrics(&STREAMS);

/// A subscribe or unsubscribe request.
pub(super) fn request(op: &str, number: u64, args: &[String]) -> String {
    format!("{{\"id\":\"{number}\",\"op\":\"{op}\",\"args\":[{}]}}", args.join(","))
}
