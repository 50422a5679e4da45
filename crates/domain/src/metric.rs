//! Metrics: the kinds of thing a stream can carry, with their wire names (payloads §1) and freshness constants
//! (features §9).

use crate::time::Span;
use serde::{Deserialize, Serialize};

/// What one stream measures. The order is the order in which equal receive times enter the engine: prices first, so
/// that anything derived at the same instant sees them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Closed OHLCV bars; the stream's cadence is the timeframe.
    Bar,
    /// Single trades (or aggregated ones as the venue sends them).
    Trade,
    /// Best bid and ask.
    BestBidAsk,
    /// Venue mark price.
    MarkPrice,
    /// Venue index price.
    IndexPrice,
    /// Close of the premium index bar: mark premium as a fraction, the raw material of funding.
    PremiumIndex,
    /// Running funding rate (estimate of the next settlement), fraction per interval.
    FundingRate,
    /// Settled funding rate, fraction per interval.
    FundingRateSettled,
    /// Open interest, base units, one side.
    OpenInterest,
    /// Open interest in USD. Never used as open interest itself: it changes sign in a crash (features §2.7).
    OpenInterestUsd,
    /// A single liquidation.
    Liquidation,
    /// Accounts long / short as reported, top traders.
    TopTraderAccountRatio,
    /// Positions long / short as reported, top traders.
    TopTraderPositionRatio,
    /// Accounts long / short as reported, all traders.
    LongShortRatio,
    /// Taker buy / sell volume.
    TakerVolumeRatio,
    /// The order book; its points are the top of it, its continuity is that of the book.
    Book,
    /// Price of the spot market that a contract's basis is of ([`crate::leg`]).
    SpotPrice,
}

impl Metric {
    /// Every metric, in rank order.
    pub const ALL: [Self; 17] = [
        Self::Bar,
        Self::Trade,
        Self::BestBidAsk,
        Self::MarkPrice,
        Self::IndexPrice,
        Self::PremiumIndex,
        Self::FundingRate,
        Self::FundingRateSettled,
        Self::OpenInterest,
        Self::OpenInterestUsd,
        Self::Liquidation,
        Self::TopTraderAccountRatio,
        Self::TopTraderPositionRatio,
        Self::LongShortRatio,
        Self::TakerVolumeRatio,
        Self::Book,
        Self::SpotPrice,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bar => "bar",
            Self::Trade => "trade",
            Self::BestBidAsk => "best_bid_ask",
            Self::MarkPrice => "mark_price",
            Self::IndexPrice => "index_price",
            Self::PremiumIndex => "premium_index",
            Self::FundingRate => "funding_rate",
            Self::FundingRateSettled => "funding_rate_settled",
            Self::OpenInterest => "open_interest",
            Self::OpenInterestUsd => "open_interest_usd",
            Self::Liquidation => "liquidation_usd",
            Self::TopTraderAccountRatio => "top_trader_account_ratio",
            Self::TopTraderPositionRatio => "top_trader_position_ratio",
            Self::LongShortRatio => "long_short_ratio",
            Self::TakerVolumeRatio => "taker_volume_ratio",
            Self::Book => "order_book",
            Self::SpotPrice => "spot_price",
        }
    }
    /// The metric of this wire name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }
    /// How a person names it in a sentence ("open interest is 14 min old").
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Bar => "candles",
            Self::Trade => "trades",
            Self::BestBidAsk => "best bid and ask",
            Self::MarkPrice => "mark price",
            Self::IndexPrice => "index price",
            Self::PremiumIndex => "premium index",
            Self::FundingRate => "funding",
            Self::FundingRateSettled => "settled funding",
            Self::OpenInterest | Self::OpenInterestUsd => "open interest",
            Self::Liquidation => "liquidations",
            Self::TopTraderAccountRatio => "top trader account ratio",
            Self::TopTraderPositionRatio => "top trader position ratio",
            Self::LongShortRatio => "long/short ratio",
            Self::TakerVolumeRatio => "taker volume ratio",
            Self::Book => "order book",
            Self::SpotPrice => "spot price",
        }
    }
    /// The verb that goes with [`Self::spoken`]: candles are, funding is.
    #[must_use]
    pub fn verb(self) -> &'static str {
        if self.spoken().ends_with('s') { "are" } else { "is" }
    }
    /// Unit of the headline value.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Bar
            | Self::Trade
            | Self::BestBidAsk
            | Self::Book
            | Self::MarkPrice
            | Self::IndexPrice
            | Self::SpotPrice => "quote",
            Self::PremiumIndex => "fraction",
            Self::FundingRate | Self::FundingRateSettled => "fraction per interval",
            Self::OpenInterest => "base",
            Self::OpenInterestUsd | Self::Liquidation => "USD",
            Self::TopTraderAccountRatio
            | Self::TopTraderPositionRatio
            | Self::LongShortRatio
            | Self::TakerVolumeRatio => "ratio",
        }
    }
    /// `max_age` of the table in features §9 before cadence and delay of the actual source are taken into account.
    /// For bars the timeframe is added by the caller; for settled funding the interval is.
    #[must_use]
    pub const fn max_age_base(self) -> Span {
        match self {
            Self::Bar | Self::Trade | Self::Liquidation => Span::secs(60),
            Self::BestBidAsk | Self::Book => Span::secs(5),
            Self::MarkPrice
            | Self::IndexPrice
            | Self::PremiumIndex
            | Self::FundingRate
            | Self::OpenInterest
            | Self::OpenInterestUsd
            | Self::SpotPrice => Span::secs(300),
            Self::FundingRateSettled => Span::secs(600),
            Self::TopTraderAccountRatio
            | Self::TopTraderPositionRatio
            | Self::LongShortRatio
            | Self::TakerVolumeRatio => Span::secs(900),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_match_serde() {
        for m in Metric::ALL {
            assert_eq!(Metric::from_name(m.name()), Some(m));
        }
        assert!(Metric::ALL.is_sorted());
    }
}
