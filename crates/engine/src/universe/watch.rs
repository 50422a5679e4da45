//! Which markets are compared: at most twelve, one per asset, in an order that does not depend on how they were named.
//!
//! Pairs grow with the square of the markets, and a correlation between two venues of one asset says nothing about assets; so
//! the list is short, and of several markets of an asset one stands for it.

use barograph_domain::{InstrumentName, MarketKind};
use serde::{Deserialize, Serialize};

/// Most markets of a watch-list: 66 pairs.
pub const WATCH_MAX: usize = 12;

/// Assets that most portfolios hold, in the order of their usual market value; they come first, others follow by name.
const MAJORS: [&str; 16] = [
    "BTC", "ETH", "SOL", "BNB", "XRP", "DOGE", "ADA", "TRX", "AVAX", "LINK", "LTC", "DOT", "BCH", "SUI", "TON", "HYPE",
];

/// One market of the watch-list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Watch {
    /// The market.
    pub instrument: InstrumentName,
    /// The asset it prices, for example `BTC`.
    pub asset: String,
}

impl Watch {
    /// A market under the asset its symbol names; under the symbol where it names none.
    #[must_use]
    pub fn of(instrument: &InstrumentName) -> Self {
        let asset = asset_of(instrument).unwrap_or_else(|| instrument.symbol.clone());
        Self { instrument: instrument.clone(), asset }
    }

    /// `BASE/QUOTE`, or the asset alone where the symbol does not say.
    #[must_use]
    pub fn market_words(&self) -> String {
        self.instrument.base_quote().map_or_else(|| self.asset.clone(), |(_, quote)| format!("{}/{quote}", self.asset))
    }
}

/// The base asset; contracts of a thousand units are contracts of the asset (`1000PEPE`), wrapped dollars are none.
fn asset_of(name: &InstrumentName) -> Option<String> {
    const DOLLARS: [&str; 7] = ["USDT", "USDC", "FDUSD", "BUSD", "TUSD", "DAI", "USD"];
    let (base, _) = name.base_quote()?;
    let plain = base.trim_start_matches(|c: char| c.is_ascii_digit());
    let plain = if plain.is_empty() { base.as_str() } else { plain };
    (!DOLLARS.contains(&plain)).then(|| plain.to_owned())
}

fn rank(watch: &Watch) -> (usize, &str) {
    (MAJORS.iter().position(|m| *m == watch.asset).unwrap_or(MAJORS.len()), &watch.asset)
}

/// Puts a watch-list in its order: majors first, then by asset, then by name; a market named twice stays once.
#[must_use]
pub fn ordered(mut list: Vec<Watch>) -> Vec<Watch> {
    list.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.instrument.cmp(&b.instrument)));
    list.dedup_by(|a, b| a.instrument == b.instrument);
    list.truncate(WATCH_MAX);
    list
}

/// The watch-list of a process that names none: of each major among these markets one, a perpetual before a spot market before a
/// dated contract, and among equals the first by name.
#[must_use]
pub fn default_watch(markets: &[(InstrumentName, MarketKind)]) -> Vec<Watch> {
    let worth = |kind: MarketKind| match kind {
        MarketKind::Perpetual => 0_u8,
        MarketKind::Spot => 1,
        MarketKind::DatedFuture => 2,
    };
    let mut found: Vec<(u8, Watch)> = markets
        .iter()
        .map(|(name, kind)| (worth(*kind), Watch::of(name)))
        .filter(|(_, w)| MAJORS.contains(&w.asset.as_str()))
        .collect();
    found.sort_by(|(ka, a), (kb, b)| {
        rank(a).cmp(&rank(b)).then(ka.cmp(kb)).then_with(|| a.instrument.cmp(&b.instrument))
    });
    found.dedup_by(|(_, a), (_, b)| a.asset == b.asset);
    ordered(found.into_iter().map(|(_, w)| w).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[Watch]) -> Vec<String> {
        list.iter().map(|w| w.instrument.to_string()).collect()
    }

    #[test]
    fn one_market_per_major_whatever_the_order_they_are_named_in() {
        let mut markets: Vec<(InstrumentName, MarketKind)> = [
            ("okx:ETH-USDT-SWAP", MarketKind::Perpetual),
            ("binance-spot:BTCUSDT", MarketKind::Spot),
            ("binance-usdm:SOLUSDT", MarketKind::Perpetual),
            ("binance-usdm:BTCUSDT", MarketKind::Perpetual),
            ("binance-usdm:ETHUSDT", MarketKind::Perpetual),
            ("binance-usdm:1000PEPEUSDT", MarketKind::Perpetual),
            ("kraken:USDTUSD", MarketKind::Spot),
        ]
        .into_iter()
        .map(|(n, k)| (InstrumentName::parse(n).unwrap(), k))
        .collect();
        let want = ["binance-usdm:BTCUSDT", "binance-usdm:ETHUSDT", "binance-usdm:SOLUSDT"];
        assert_eq!(names(&default_watch(&markets)), want);
        markets.reverse();
        assert_eq!(names(&default_watch(&markets)), want);
    }

    #[test]
    fn a_list_of_ones_own_is_sorted_and_bounded() {
        let of = |n: &str| Watch::of(&InstrumentName::parse(n).unwrap());
        let list = ordered(vec![of("okx:ZZZ-USDT"), of("okx:AAA-USDT"), of("okx:BTC-USDT"), of("okx:AAA-USDT")]);
        assert_eq!(names(&list), ["okx:BTC-USDT", "okx:AAA-USDT", "okx:ZZZ-USDT"]);
        assert_eq!((list[0].asset.as_str(), list[0].market_words().as_str()), ("BTC", "BTC/USDT"));
        let many = (0..40).map(|i| of(&format!("okx:A{i:02}-USDT"))).collect();
        assert_eq!(ordered(many).len(), WATCH_MAX);
        assert_eq!(of("binance-usdm:1000PEPEUSDT").asset, "PEPE");
    }
}
