//! The venues this build can listen to, and how to find their markets.

use crate::session::{BaseAddresses, Limits, MarketSpec, PoolId, Session, SessionConfig};
use crate::symbols;
use barograph_domain::{InstrumentName, MarketKind, Metric};

/// A request of discovery; all answers together make the instrument list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    /// Complete address.
    pub url: String,
    /// `POST` body, JSON; `None` for GET.
    pub body: Option<String>,
    /// Which budget it is taken from.
    pub pool: PoolId,
    /// How much of it.
    pub weight: u32,
}

impl Ask {
    /// A GET that costs one.
    #[must_use]
    pub fn get(url: String, pool: PoolId) -> Self {
        Self { url, body: None, pool, weight: 1 }
    }
}

/// Instruments, or what was wrong with which answer.
pub type Instruments = Result<Vec<MarketSpec>, String>;

/// One venue: constants and constructors.
#[derive(Debug)]
pub struct VenueDef {
    /// Venue id, as in `binance-usdm`.
    pub id: &'static str,
    /// Kind of its markets, unless their symbols say more.
    pub trades: MarketKind,
    /// Production hosts.
    pub endpoints: fn() -> BaseAddresses,
    /// What the venue allows; also what discovery is paced by.
    pub limits: fn() -> Limits,
    /// Streams the venue offers for at least one kind of market.
    pub metrics: &'static [Metric],
    /// Requests whose answers list all instruments with their 24 h volume.
    pub discovery: fn(&BaseAddresses) -> Vec<Ask>,
    /// The page behind this answer, where the list goes on; ask until there is none. An answer that says there is more but not
    /// where gives the same request again, which whoever pages refuses.
    pub further: fn(&BaseAddresses, &Ask, &[u8]) -> Option<Ask>,
    /// Instruments from the answers (status 200), in the order of the requests, each list's pages together. The error says
    /// what was wrong with which answer.
    pub instruments: fn(&[Vec<u8>]) -> Instruments,
    /// The request that says what time it is there, and the function that reads the answer (for clock skew).
    pub time: fn(&BaseAddresses) -> Option<Ask>,
    /// Reads the answer of `time`.
    pub read_time: fn(&[u8]) -> Option<barograph_domain::Ts>,
    /// A session.
    pub open: fn(SessionConfig) -> Box<dyn Session>,
}

/// A text as part of a query: UTF-8, percent-encoded. Symbols may hold letters that are not ASCII.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// Whole lists: what most venues answer with.
#[must_use]
pub fn no_further(_: &BaseAddresses, _: &Ask, _: &[u8]) -> Option<Ask> {
    None
}

/// All venues, by id.
pub const VENUES: &[&VenueDef] = &[
    &crate::binance::venue::BINANCE_COINM,
    &crate::binance::venue::BINANCE_SPOT,
    &crate::binance::venue::BINANCE_US,
    &crate::binance::venue::BINANCE_USDM,
    &crate::bybit::VENUE,
    &crate::coinbase::VENUE,
    &crate::coinex::VENUE,
    &crate::deribit::VENUE,
    &crate::hyperliquid::VENUE,
    &crate::okx::VENUE,
];

/// The venue of this id.
#[must_use]
pub fn venue(id: &str) -> Option<&'static VenueDef> {
    VENUES.iter().copied().find(|v| v.id == id)
}

/// Venues of which files are known, and no session.
const ELSEWHERE: [(&str, MarketKind); 3] =
    [("kraken", MarketKind::Spot), ("dydx", MarketKind::Perpetual), ("gate", MarketKind::Perpetual)];

/// What the markets of this venue are, unless their symbols say more; `None`: nobody has heard of it.
#[must_use]
pub fn trades(id: &str) -> Option<MarketKind> {
    let elsewhere = || ELSEWHERE.iter().find(|(known, _)| *known == id).map(|(_, kind)| *kind);
    venue(id).map(|def| def.trades).or_else(elsewhere).or_else(|| crate::mcp::trades(id))
}

/// Market kind of an instrument: what its symbol says, else what its venue trades.
#[must_use]
pub fn kind(name: &InstrumentName) -> Option<MarketKind> {
    let venue = name.venue.as_str();
    symbols::kind(venue, &name.symbol).or_else(|| name.kind(trades(venue)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_follows_venue_and_symbol() {
        let kind = |name: &str| kind(&InstrumentName::parse(name).unwrap());
        assert_eq!(kind("coinbase:BTC-USD"), Some(MarketKind::Spot));
        assert_eq!(kind("binance-usdm:BTCUSDT_261225"), Some(MarketKind::DatedFuture));
        assert_eq!(kind("okx:BTC-USDT-SWAP"), Some(MarketKind::Perpetual));
        assert_eq!(kind("okx:BTC-USDT"), Some(MarketKind::Spot));
        assert_eq!(kind("okx:BTC-USD-220527"), Some(MarketKind::DatedFuture));
        assert_eq!(kind("deribit:BTC-PERPETUAL"), Some(MarketKind::Perpetual));
        assert_eq!(kind("mexc:BTCUSDT"), None);
    }
}
