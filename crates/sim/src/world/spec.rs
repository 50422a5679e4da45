//! What is traded: names, tick sizes and typical sizes of every market of the synthetic world.
//!
//! The first three assets are well-known names, so that a demo reads naturally; the rest are made up and say so
//! (`M0001`). Prices of the known ones are round numbers of the right order, not anybody's quotes.

use crate::Venue;
use crate::num::{natural, pow10, round_i64};
use crate::rng::Random;
use barograph_domain::math;

/// One tradable market as its venue lists it.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Venue that lists it.
    pub venue: Venue,
    /// Dense index of the asset whose price it follows.
    pub asset: usize,
    /// The venue's spelling, upper case.
    pub symbol: String,
    /// Lower-case spelling, as in stream names.
    pub lower: String,
    /// What is traded.
    pub base: String,
    /// What it is paid with.
    pub quote: String,
    /// Decimals of a price.
    pub price_decimals: u8,
    /// Smallest price change, in units of 10^-`price_decimals`.
    pub tick: i64,
    /// Decimals of a quantity; the smallest quantity is one unit of the last.
    pub quantity_decimals: u8,
    /// Hours between funding settlements; 0 where there is no funding.
    pub funding_interval_h: i64,
    /// A share, metal or index instead of a coin (own all-market frame on USD-M).
    pub tradfi: bool,
    /// Typical trade, in quote units.
    pub trade_notional: f64,
    /// Open interest at the beginning, in quote units.
    pub open_interest_notional: f64,
}

impl Spec {
    /// Price of one tick.
    #[must_use]
    pub fn tick_size(&self) -> f64 {
        self.tick as f64 / pow10(self.price_decimals) as f64
    }
    /// Price units of 10^-`price_decimals` of a price in ticks.
    #[must_use]
    pub const fn units(&self, tick: i64) -> i64 {
        tick * self.tick
    }
    /// Price of a price in ticks; the nearest float to its decimal text.
    #[must_use]
    pub fn price(&self, tick: i64) -> f64 {
        self.units(tick) as f64 / pow10(self.price_decimals) as f64
    }
    /// Quantity in base units.
    #[must_use]
    pub fn quantity(&self, steps: i64) -> f64 {
        steps as f64 / pow10(self.quantity_decimals) as f64
    }
    /// Steps of a notional at a price, at least 1.
    #[must_use]
    pub fn steps(&self, notional: f64, price: f64) -> i64 {
        round_i64(notional / price * pow10(self.quantity_decimals) as f64).max(1)
    }
}

/// Something with one price that several markets follow.
#[derive(Clone, Debug)]
pub struct AssetSpec {
    /// Its name.
    pub name: String,
    /// Price at the beginning, in quote units.
    pub price: f64,
    /// How much of the common factor it takes.
    pub beta: f64,
}

const KNOWN: [(&str, f64, f64, f64, f64); 3] = [
    // name, price, beta, trade notional, open interest notional
    ("BTC", 83_100.0, 1.0, 6_000.0, 2.0e8),
    ("ETH", 3_120.0, 1.2, 4_000.0, 1.3e8),
    ("SOL", 142.0, 1.5, 2_000.0, 6.5e7),
];

/// The `n`-th asset.
#[must_use]
pub fn asset(seed: u64, n: usize) -> AssetSpec {
    if let Some((name, price, beta, ..)) = KNOWN.get(n) {
        return AssetSpec { name: (*name).to_owned(), price: *price, beta: *beta };
    }
    let mut rng = Random::new(seed, 1, n as u64);
    // From 0.02 to 400, evenly in the logarithm.
    let price = math::exp(math::ln(0.02) + rng.unit() * math::ln(20_000.0));
    AssetSpec { name: format!("M{:04}", n - KNOWN.len() + 1), price, beta: 0.6 + 1.2 * rng.unit() }
}

/// The market of asset `n` on a venue.
#[must_use]
pub fn market(seed: u64, venue: Venue, n: usize) -> Spec {
    let asset = asset(seed, n);
    let (price_decimals, tick) = tick(venue, n, asset.price);
    let (trade_notional, oi) = KNOWN.get(n).map_or((400.0, 8.0e6), |k| (k.3, k.4));
    let quote = if venue == Venue::Coinbase { "USD" } else { "USDT" };
    let symbol = match venue {
        Venue::Coinbase => format!("{}-{quote}", asset.name),
        Venue::BinanceUsdm | Venue::BinanceSpot | Venue::Coinex => format!("{}{quote}", asset.name),
    };
    let perp = venue.has_perpetuals();
    // Every ninth made-up market settles every 4 hours, every fifteenth every hour.
    let funding_interval_h = match n {
        _ if !perp => 0,
        0..3 => 8,
        _ if n.is_multiple_of(15) => 1,
        _ if n.is_multiple_of(9) => 4,
        _ => 8,
    };
    Spec {
        venue,
        asset: n,
        lower: symbol.to_lowercase(),
        symbol,
        base: asset.name,
        quote: quote.to_owned(),
        price_decimals,
        tick,
        quantity_decimals: quantity_decimals(venue, asset.price),
        funding_interval_h,
        tradfi: venue == Venue::BinanceUsdm && n >= 10 && n.is_multiple_of(10),
        trade_notional,
        open_interest_notional: if perp { oi } else { 0.0 },
    }
}

/// Decimals and tick: about one part in ten thousand of the price, finer for the known names.
fn tick(venue: Venue, n: usize, price: f64) -> (u8, i64) {
    match (venue, n) {
        (Venue::BinanceUsdm, 0) => (2, 10),
        (Venue::BinanceSpot | Venue::Coinbase | Venue::Coinex, 0) | (_, 1 | 2) => (2, 1),
        _ => {
            let decimals = natural(-crate::num::floor_i64(math::log10(price * 1e-4))).min(8);
            (u8::try_from(decimals).unwrap_or(8), 1)
        }
    }
}

/// So many that one step is worth at most ten quote units, as far as three decimals go; spot trades finer.
fn quantity_decimals(venue: Venue, price: f64) -> u8 {
    let perp = match price {
        _ if price > 100.0 => 3,
        _ if price > 10.0 => 1,
        _ => 0,
    };
    if venue == Venue::BinanceUsdm { perp } else { perp + 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ticks_and_prices_fit_together() {
        let btc = market(1, Venue::BinanceUsdm, 0);
        assert_eq!((btc.symbol.as_str(), btc.lower.as_str(), btc.tick), ("BTCUSDT", "btcusdt", 10));
        assert!((btc.tick_size() - 0.1).abs() < 1e-12);
        assert_eq!(market(1, Venue::Coinbase, 0).symbol, "BTC-USD");
        for n in 3..400 {
            let spec = market(7, Venue::BinanceUsdm, n);
            let relative = spec.tick_size() / asset(7, n).price;
            assert!((1e-6..1e-3).contains(&relative), "{}: tick is {relative} of the price", spec.symbol);
            assert!(spec.symbol.starts_with('M') && spec.symbol.ends_with("USDT"));
        }
    }
}
