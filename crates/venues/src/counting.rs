//! What quantities count in a venue's messages and archives: base units, quote units, or contracts.
//! Sources: venue sheets, heads on units of OKX, Deribit, Bybit, Coinbase, CoinEx and COIN-M.

use crate::session::MarketSpec;
use barograph_domain::MarketKind;

/// What one unit of a quantity is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QtyUnit {
    /// A unit of the base asset.
    Base,
    /// A unit of the quote currency: contracts that settle in the base asset, where the venue states what they are worth.
    Quote,
    /// A contract; its worth is [`MarketSpec::contract_size`].
    Contracts,
}

impl QtyUnit {
    /// Of a market's book and trades.
    #[must_use]
    pub fn of(venue: &str, spec: &MarketSpec) -> Self {
        match (venue, spec.kind) {
            (_, MarketKind::Spot) => Self::Base,
            ("okx" | "binance-coinm" | "coinbase", _) => Self::Contracts,
            ("bybit" | "coinex" | "deribit", _) if spec.inverse => Self::Quote,
            _ => Self::Base,
        }
    }
}

/// Is this a contract that settles in its base asset? What the symbol says, for where no list of instruments is at hand.
#[must_use]
pub fn is_inverse(venue: &str, symbol: &str) -> bool {
    match venue {
        "binance-coinm" => true,
        // `BTC-USD-SWAP`; `BTC-USD_UM-SWAP` is linear.
        "okx" => symbol.split('-').nth(1) == Some("USD") && symbol.split('-').count() > 2,
        // `BTC-PERPETUAL`; linear ones name their currency (`BTC_USDC-PERPETUAL`).
        "deribit" => symbol.contains('-') && !symbol.contains('_'),
        // `BTCUSD`.
        "coinex" => symbol.strip_suffix("USD").is_some_and(|base| !base.is_empty()),
        // `BTCUSD`, and with a month and a year `BTCUSDZ25`.
        "bybit" => symbol.rsplit_once("USD").is_some_and(|(base, rest)| {
            let month = rest.len() == 3 && rest.bytes().skip(1).all(|b| b.is_ascii_digit());
            !base.is_empty() && (rest.is_empty() || month)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MarketKind::{DatedFuture, Perpetual, Spot};

    #[test]
    fn symbols_say_what_quantities_count() {
        for (venue, symbol, kind, inverse, unit) in [
            ("okx", "BTC-USDT", Spot, false, QtyUnit::Base),
            ("okx", "BTC-USD", Spot, false, QtyUnit::Base),
            ("okx", "BTC-USDT-SWAP", Perpetual, false, QtyUnit::Contracts),
            ("okx", "BTC-USD-SWAP", Perpetual, true, QtyUnit::Contracts),
            ("okx", "BTC-USD_UM-SWAP", Perpetual, false, QtyUnit::Contracts),
            ("okx", "BTC-USD-220527", DatedFuture, true, QtyUnit::Contracts),
            ("binance-coinm", "BTCUSD_PERP", Perpetual, true, QtyUnit::Contracts),
            ("binance-usdm", "BTCUSDT", Perpetual, false, QtyUnit::Base),
            ("coinbase", "BTC-USD", Spot, false, QtyUnit::Base),
            ("coinbase", "BIP-20DEC30-CDE", Perpetual, false, QtyUnit::Contracts),
            ("bybit", "BTCUSDT", Perpetual, false, QtyUnit::Base),
            ("bybit", "BTCPERP", Perpetual, false, QtyUnit::Base),
            ("bybit", "BTCUSD", Perpetual, true, QtyUnit::Quote),
            ("bybit", "BTCUSDZ25", DatedFuture, true, QtyUnit::Quote),
            ("deribit", "BTC-PERPETUAL", Perpetual, true, QtyUnit::Quote),
            ("deribit", "BTC_USDC-PERPETUAL", Perpetual, false, QtyUnit::Base),
            ("coinex", "BTCUSDT", Perpetual, false, QtyUnit::Base),
            ("coinex", "BTCUSD", Perpetual, true, QtyUnit::Quote),
            ("hyperliquid", "BTC", Perpetual, false, QtyUnit::Base),
        ] {
            assert_eq!(is_inverse(venue, symbol), inverse, "{venue}:{symbol}");
            let spec = MarketSpec { inverse, ..MarketSpec::bare(symbol, kind) };
            assert_eq!(QtyUnit::of(venue, &spec), unit, "{venue}:{symbol}");
        }
    }
}
