//! What a venue takes of a trade that takes from its book: as the reader has set it, else as the venue publishes it for accounts
//! without a discount.
//!
//! Published fees are those of the lowest tier: Deribit and CoinEx name them in their instrument lists (`taker_commission`,
//! `taker_fee_rate`: deribit §4, coinex §2), the others on their fee pages, as of 2026. A venue that has none here has none published that holds for
//! everybody. They change, and with volume nearly everybody pays less: a number to hold a spread against, not a bill.

use barograph_domain::{InstrumentName, MarketKind, Venue};
use core::fmt;

/// Venue, fee on contracts and on spot markets, in ten-thousandths of the value.
const PUBLISHED: [(&str, Option<f64>, Option<f64>); 8] = [
    ("binance-usdm", Some(5.0), None),
    ("binance-coinm", Some(5.0), None),
    ("binance-spot", None, Some(10.0)),
    ("bybit", Some(5.5), Some(10.0)),
    ("okx", Some(5.0), Some(10.0)),
    ("hyperliquid", Some(4.5), Some(7.0)),
    ("deribit", Some(5.0), None),
    ("coinex", Some(5.0), None),
];
/// A fee beyond these is a mistake of whoever wrote it: the highest that retail accounts are charged is 1.2 % of the value, and rebates
/// of a taker are a few ten-thousandths.
const BPS: core::ops::RangeInclusive<f64> = -10.0..=200.0;

/// Where a fee comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeeFrom {
    /// The reader's settings.
    Settings,
    /// The venue's own list, lowest tier.
    Published,
}

impl FeeFrom {
    /// The word in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Published => "published",
        }
    }
}

/// Fees of one venue, in ten-thousandths of the value.
#[derive(Clone, PartialEq, Debug)]
struct VenueFees {
    venue: Venue,
    contracts: f64,
    spot: f64,
}

/// Fees that the reader has set, by venue.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TakerFees(Vec<VenueFees>);

impl TakerFees {
    /// As written: `bybit=5.5/10,okx=4`, in ten-thousandths of the value: on contracts and on spot markets, or one for both.
    ///
    /// # Errors
    /// A sentence about what is no fee.
    pub fn parse(text: &str) -> Result<Self, String> {
        let one = |part: &str| {
            let wrong = || {
                format!(
                    "'{part}' is no fee; write VENUE=BPS, as in bybit=5.5, or bybit=5.5/10 for contracts and spot markets, each from {} to {}",
                    BPS.start(),
                    BPS.end()
                )
            };
            let (venue, fees) = part.split_once('=').ok_or_else(wrong)?;
            let venue = Venue::new(venue.trim()).map_err(|e| format!("'{part}': {e}"))?;
            let (contracts, spot) = fees.split_once('/').unwrap_or((fees, fees));
            let bps = |text: &str| text.trim().parse().ok().filter(|b: &f64| BPS.contains(b)).ok_or_else(wrong);
            Ok(VenueFees { venue, contracts: bps(contracts)?, spot: bps(spot)? })
        };
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let fees: Vec<_> = parts.map(one).collect::<Result<_, String>>()?;
        match fees.iter().enumerate().find(|(at, of)| fees[..*at].iter().any(|earlier| earlier.venue == of.venue)) {
            Some((_, of)) => Err(format!("{} has two fees; write one", of.venue)),
            None => Ok(Self(fees)),
        }
    }

    /// What a taker pays on a market, in ten-thousandths of the value, and where that comes from; `None` where nobody has named it.
    #[must_use]
    pub fn of(&self, market: &InstrumentName, kind: MarketKind) -> Option<(f64, FeeFrom)> {
        if let Some(of) = self.0.iter().find(|of| of.venue == market.venue) {
            return Some((if kind == MarketKind::Spot { of.spot } else { of.contracts }, FeeFrom::Settings));
        }
        let (_, contracts, spot) = PUBLISHED.iter().find(|(venue, ..)| *venue == market.venue.as_str())?;
        let bps = if kind == MarketKind::Spot { spot } else { contracts };
        bps.map(|bps| (bps, FeeFrom::Published))
    }
}

impl fmt::Display for TakerFees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, VenueFees { venue, contracts, spot }) in self.0.iter().enumerate() {
            write!(f, "{}{venue}={contracts}", if at == 0 { "" } else { "," })?;
            if contracts.total_cmp(spot).is_ne() {
                write!(f, "/{spot}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_goes_before_what_is_published() {
        let market = |text: &str| InstrumentName::parse(text).unwrap();
        let set = TakerFees::parse("bybit = 2.5 / 8, gate=-0.5,").unwrap();
        let of = |name: &str, kind| set.of(&market(name), kind);
        assert_eq!(of("bybit:BTCUSDT", MarketKind::Perpetual), Some((2.5, FeeFrom::Settings)));
        assert_eq!(of("bybit:BTCUSDT", MarketKind::Spot), Some((8.0, FeeFrom::Settings)));
        assert_eq!(of("gate:BTC_USDT", MarketKind::Spot), Some((-0.5, FeeFrom::Settings)), "a rebate");
        assert_eq!(of("okx:BTC-USDT-SWAP", MarketKind::Perpetual), Some((5.0, FeeFrom::Published)));
        assert_eq!(of("hyperliquid:PURR/USDC", MarketKind::Spot), Some((7.0, FeeFrom::Published)));
        assert_eq!(of("coinbase:BTC-USD", MarketKind::Spot), None);
        assert_eq!(set.to_string(), "bybit=2.5/8,gate=-0.5");
        assert_eq!(TakerFees::parse(&set.to_string()), Ok(set));
    }

    #[test]
    fn what_is_no_fee_is_refused() {
        for (text, why) in [
            ("bybit", "VENUE=BPS"),
            ("bybit=5 bps", "VENUE=BPS"),
            ("bybit=nan", "VENUE=BPS"),
            ("bybit=2000", "from -10 to 200"),
            ("bybit=5/x", "VENUE=BPS"),
            ("bybit=5/10/15", "VENUE=BPS"),
            ("bybit=-1000", "from -10 to 200"),
            ("By Bit=5", "not a venue id"),
            ("okx=5,okx=4", "two fees"),
        ] {
            let refused = TakerFees::parse(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }
}
