//! Symbols as each venue writes them, from pairs as other tools write them; contract sizes; venue names of other tools.
//! Sources: venue sheets, sections on symbol mapping.

use barograph_domain::{MarketKind, Ts};

/// A pair as freqtrade names files: base, quote and, for contracts, the settlement currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pair {
    /// What is traded.
    pub base: String,
    /// What it is priced in.
    pub quote: String,
    /// What a contract settles in.
    pub settle: Option<String>,
}

impl Pair {
    /// The venue's own symbol for this pair.
    #[must_use]
    pub fn native(&self, venue: &str) -> String {
        let Self { base, quote, settle } = self;
        match (venue, settle) {
            ("binance-coinm", _) => format!("{base}{quote}_PERP"),
            ("okx", Some(_)) => format!("{base}-{quote}-SWAP"),
            ("okx" | "coinbase", None) | ("dydx", _) => format!("{base}-{quote}"),
            ("hyperliquid", Some(_)) => base.clone(),
            ("gate", _) => format!("{base}_{quote}"),
            ("deribit", Some(settle)) if settle == base => format!("{base}-PERPETUAL"),
            ("deribit", Some(_)) => format!("{base}_{quote}-PERPETUAL"),
            _ => format!("{base}{quote}"),
        }
    }
}

/// A symbol as people and other tools write it, in the one spelling the venue has: Binance has capitals without dashes and
/// slashes, CoinEx too, and Bybit but for dated contracts (`BTCUSDT-26DEC25`). Letters that are not ASCII stay as they are. Other
/// venues have dashes or lower case of their own; their symbols are kept as given.
#[must_use]
pub fn spelled(venue: &str, symbol: &str) -> String {
    let dated = || symbol.rsplit_once('-').is_some_and(|(_, tail)| tail.bytes().any(|b| b.is_ascii_digit()));
    let dropped: &[char] = match venue {
        _ if venue.starts_with("binance") => &['-', '/'],
        "bybit" if dated() => &['/'],
        "bybit" | "coinex" => &['-', '/'],
        _ => return symbol.to_owned(),
    };
    symbol.chars().filter(|c| !dropped.contains(c)).map(|c| c.to_ascii_uppercase()).collect()
}

/// A venue as other tools write it: their name for ours, else lower case.
#[must_use]
pub fn venue_id(word: &str) -> String {
    venue_of_tardis(&word.trim().to_ascii_lowercase())
}

/// Kind of a market of a venue with several kinds, where its symbols tell them apart: OKX writes `BTC-USDT` for spot.
#[must_use]
pub fn kind(venue: &str, symbol: &str) -> Option<MarketKind> {
    (venue == "okx" && symbol.split('-').count() == 2).then_some(MarketKind::Spot)
}

/// Expiry of a dated contract whose symbol ends in `_YYMMDD` or `-YYMMDD`: 08:00 UTC of that day on Binance and OKX.
#[must_use]
pub fn expiry(symbol: &str) -> Option<Ts> {
    let (_, date) =
        symbol.rsplit_once(['_', '-']).filter(|(_, d)| d.len() == 6 && d.bytes().all(|b| b.is_ascii_digit()))?;
    Ts::parse(&format!("20{}-{}-{}T08:00", &date[..2], &date[2..4], &date[4..])).ok()
}

/// USD per contract on COIN-M: 100 for BTC, 10 for everything else.
#[must_use]
pub fn coin_m_contract_size(symbol: &str) -> u32 {
    if symbol.starts_with("BTCUSD") { 100 } else { 10 }
}

/// Our venue id for an exchange name of Tardis, where ours differs.
#[must_use]
pub fn venue_of_tardis(exchange: &str) -> String {
    match exchange {
        "binance-futures" => "binance-usdm",
        "binance-delivery" => "binance-coinm",
        "binance" => "binance-spot",
        "okex-swap" | "okex-futures" | "okex" => "okx",
        "gate-io" | "gate-io-futures" => "gate",
        "coinbase-international" => "coinbase",
        other => other,
    }
    .to_owned()
}

/// Our venue id for an exchange folder of freqtrade; `futures` decides where an exchange has both.
#[must_use]
pub fn venue_of_freqtrade(exchange: &str, futures: bool, quote: &str, settle: Option<&str>) -> Option<&'static str> {
    let inverse = settle.is_some_and(|s| s != quote);
    Some(match (exchange, futures) {
        ("binance", true) if inverse => "binance-coinm",
        ("binance", true) => "binance-usdm",
        ("binance", false) => "binance-spot",
        ("binanceus", false) => "binance-us",
        ("bybit", true) => "bybit",
        ("okx" | "myokx" | "okex", true) => "okx",
        ("hyperliquid", true) => "hyperliquid",
        ("gate" | "gateio", true) => "gate",
        ("coinex", true) => "coinex",
        ("kraken", false) => "kraken",
        ("coinbase" | "coinbasepro", false) => "coinbase",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_become_each_venues_own_symbols() {
        let pair = Pair { base: "BTC".into(), quote: "USDT".into(), settle: Some("USDT".into()) };
        for (venue, symbol) in [
            ("binance-usdm", "BTCUSDT"),
            ("bybit", "BTCUSDT"),
            ("okx", "BTC-USDT-SWAP"),
            ("gate", "BTC_USDT"),
            ("hyperliquid", "BTC"),
        ] {
            assert_eq!(pair.native(venue), symbol, "{venue}");
        }
        let spot = Pair { settle: None, ..pair };
        assert_eq!(spot.native("binance-spot"), "BTCUSDT");
        assert_eq!(spot.native("okx"), "BTC-USDT");
        assert_eq!(expiry("BTCUSDT_261225"), Some(Ts::from_civil(2026, 12, 25, 8, 0, 0)));
        assert_eq!((expiry("BTCUSD_PERP"), expiry("BTCUSDT_269999")), (None, None));
    }

    #[test]
    fn a_symbol_has_one_spelling_where_the_venue_has_one() {
        for (venue, given, want) in [
            ("binance-usdm", "btcusdt", "BTCUSDT"),
            ("binance-usdm", "BTC/USDT", "BTCUSDT"),
            ("binance-spot", "BTC-USDT", "BTCUSDT"),
            ("binance-usdm", "btcusdt_261225", "BTCUSDT_261225"),
            ("binance-coinm", "BTCUSD_PERP", "BTCUSD_PERP"),
            ("binance-usdm", "币安人生usdt", "币安人生USDT"),
            ("binance-usdm", "éusdt", "éUSDT"),
            ("bybit", "BTC-USDT", "BTCUSDT"),
            ("bybit", "btcusdt", "BTCUSDT"),
            ("coinex", "btc-usdt", "BTCUSDT"),
            ("bybit", "BTCUSDT-26DEC25", "BTCUSDT-26DEC25"),
            ("okx", "BTC-USDT-SWAP", "BTC-USDT-SWAP"),
            ("coinbase", "BTC-USD", "BTC-USD"),
            ("kraken", "BTC/USD", "BTC/USD"),
            ("deribit", "BTC-PERPETUAL", "BTC-PERPETUAL"),
            ("hyperliquid", "kPEPE", "kPEPE"),
            ("mexc", "btc_usdt", "btc_usdt"),
        ] {
            assert_eq!(spelled(venue, given), want, "{venue} {given}");
        }
    }
}
