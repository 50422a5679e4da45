//! What can be subscribed: names of streams, parsed as the venues spell them.
//!
//! A name that means nothing is still acknowledged by Binance, so parsing gives `None` and the session decides.

use crate::Venue;
use crate::world::bar::INTERVALS;
use crate::world::book::Speed;

/// One kind of stream of one market.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stream {
    AggTrade,
    Trade,
    BookTicker,
    Depth(Speed),
    Partial(u8, Speed),
    /// Every so many seconds.
    Mark(u8),
    /// Index into [`INTERVALS`].
    Kline(u8),
    Ticker,
    MiniTicker,
    ForceOrder,
    // Coinbase.
    Level2,
    MarketTrades,
    ProductTicker,
    ProductTickerBatch,
    FiveMinutes,
    // CoinEx.
    /// So many levels of a side, whole each time or as changes.
    Window(u8, bool),
    Deals,
    Best,
}

impl Stream {
    /// A bit per group, for one quick test per event.
    pub(crate) const fn bit(self) -> u32 {
        1 << match self {
            Self::AggTrade => 0,
            Self::Trade => 1,
            Self::BookTicker => 2,
            Self::Depth(_) => 3,
            Self::Partial(..) => 4,
            Self::Mark(_) => 5,
            Self::Kline(_) => 6,
            Self::Ticker => 7,
            Self::MiniTicker => 8,
            Self::ForceOrder => 9,
            Self::Level2 => 10,
            Self::MarketTrades => 11,
            Self::ProductTicker => 12,
            Self::ProductTickerBatch => 13,
            Self::FiveMinutes => 14,
            Self::Window(..) => 15,
            Self::Deals => 16,
            Self::Best => 17,
        }
    }
}

/// Streams of all markets at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Everything {
    /// Every so many seconds.
    Marks(u8),
    ForceOrders,
    BookTickers,
    Tickers,
    MiniTickers,
}

/// What a name asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum SubscribedName {
    /// A stream of the market with this lower-case symbol.
    One(String, Stream),
    All(Everything),
}

/// Which streams a connection may carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tier {
    Public,
    Market,
    /// Spot has no tiers.
    Whole,
}

/// What a Binance stream name asks for on a connection of this tier; `None` when nothing will ever come.
pub(crate) fn binance(venue: Venue, tier: Tier, name: &str) -> Option<SubscribedName> {
    let futures = venue == Venue::BinanceUsdm;
    let wanted = if let Some(rest) = name.strip_prefix('!') {
        SubscribedName::All(everything(futures, rest)?)
    } else {
        let (symbol, stream) = name.split_once('@')?;
        if symbol.bytes().any(|b| b.is_ascii_uppercase()) {
            return None;
        }
        SubscribedName::One(symbol.to_owned(), one(futures, stream)?)
    };
    (tier == Tier::Whole || tier == tier_of(&wanted)).then_some(wanted)
}

fn everything(futures: bool, name: &str) -> Option<Everything> {
    Some(match (name, futures) {
        ("markPrice@arr@1s", true) => Everything::Marks(1),
        ("markPrice@arr", true) => Everything::Marks(3),
        ("forceOrder@arr", true) => Everything::ForceOrders,
        ("bookTicker", true) => Everything::BookTickers,
        ("ticker@arr", true) => Everything::Tickers,
        ("miniTicker@arr", _) => Everything::MiniTickers,
        _ => return None,
    })
}

fn one(futures: bool, stream: &str) -> Option<Stream> {
    if let Some(interval) = stream.strip_prefix("kline_") {
        let n = INTERVALS.iter().position(|(name, _)| *name == interval)?;
        return Some(Stream::Kline(u8::try_from(n).ok()?));
    }
    if let Some(rest) = stream.strip_prefix("depth") {
        return depth(futures, rest);
    }
    Some(match (stream, futures) {
        ("aggTrade", _) => Stream::AggTrade,
        ("trade", _) => Stream::Trade,
        ("bookTicker", _) => Stream::BookTicker,
        ("ticker", _) => Stream::Ticker,
        ("miniTicker", _) => Stream::MiniTicker,
        ("markPrice@1s", true) => Stream::Mark(1),
        ("markPrice", true) => Stream::Mark(3),
        ("forceOrder", true) => Stream::ForceOrder,
        _ => return None,
    })
}

/// `[levels][@speed]`. On futures the default speed has no suffix, and `@250ms` written out delivers nothing.
fn depth(futures: bool, rest: &str) -> Option<Stream> {
    let (levels, speed) = rest.split_once('@').map_or((rest, None), |(levels, speed)| (levels, Some(speed)));
    let speed = match (speed, futures) {
        (None, true) => Speed::Ms250,
        (None, false) => Speed::Ms1000,
        (Some("100ms"), _) => Speed::Ms100,
        (Some("500ms"), true) => Speed::Ms500,
        (Some("1000ms"), false) => Speed::Ms1000,
        (Some(_), _) => return None,
    };
    match levels {
        "" => Some(Stream::Depth(speed)),
        "5" => Some(Stream::Partial(5, speed)),
        "10" => Some(Stream::Partial(10, speed)),
        "20" => Some(Stream::Partial(20, speed)),
        _ => None,
    }
}

const fn tier_of(wanted: &SubscribedName) -> Tier {
    match wanted {
        SubscribedName::All(Everything::BookTickers)
        | SubscribedName::One(_, Stream::Depth(_) | Stream::Partial(..) | Stream::BookTicker | Stream::Trade) => {
            Tier::Public
        }
        SubscribedName::All(_) | SubscribedName::One(..) => Tier::Market,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_the_sheets_say() {
        use Speed::{Ms100, Ms250, Ms1000};
        let cases = [
            (Venue::BinanceUsdm, Tier::Public, "btcusdt@depth@100ms", Some(Stream::Depth(Ms100))),
            (Venue::BinanceUsdm, Tier::Public, "btcusdt@depth", Some(Stream::Depth(Ms250))),
            (Venue::BinanceUsdm, Tier::Public, "btcusdt@depth@250ms", None),
            (Venue::BinanceUsdm, Tier::Public, "btcusdt@depth20@100ms", Some(Stream::Partial(20, Ms100))),
            (Venue::BinanceUsdm, Tier::Public, "btcusdt@aggTrade", None),
            (Venue::BinanceUsdm, Tier::Market, "btcusdt@aggTrade", Some(Stream::AggTrade)),
            (Venue::BinanceUsdm, Tier::Market, "btcusdt@bookTicker", None),
            (Venue::BinanceUsdm, Tier::Market, "BTCUSDT@aggTrade", None),
            (Venue::BinanceUsdm, Tier::Market, "btcusdt@kline_1s", None),
            (Venue::BinanceUsdm, Tier::Market, "btcusdt@nonsense", None),
            (Venue::BinanceSpot, Tier::Whole, "btcusdt@depth", Some(Stream::Depth(Ms1000))),
            (Venue::BinanceSpot, Tier::Whole, "btcusdt@markPrice@1s", None),
            (Venue::BinanceSpot, Tier::Whole, "btcusdt@aggTrade", Some(Stream::AggTrade)),
        ];
        for (venue, tier, name, want) in cases {
            let got = binance(venue, tier, name);
            assert_eq!(got, want.map(|s| SubscribedName::One("btcusdt".to_owned(), s)), "{name}");
        }
        assert_eq!(binance(Venue::BinanceSpot, Tier::Whole, "!ticker@arr"), None);
        let marks = binance(Venue::BinanceUsdm, Tier::Market, "!markPrice@arr@1s");
        assert_eq!(marks, Some(SubscribedName::All(Everything::Marks(1))));
    }
}
