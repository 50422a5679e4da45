//! Whether a market pays funding, and how much of that is known.

use barograph_domain::{InstrumentName, MarketKind, Ts};
use barograph_study::money::blotter::FundingPayment;
use barograph_study::money::funding::FundingCover;
use barograph_venues::session::registry;

/// What is known of the funding of a market from a moment to another; settlements in their order. Of a venue that nobody knows a settlement
/// says that there are more, and without one none is reckoned with.
pub(crate) fn funding_cover(market: &InstrumentName, settlements: &[FundingPayment], from: Ts, to: Ts) -> FundingCover {
    match registry::kind(market) {
        Some(MarketKind::Perpetual) => FundingCover::of(settlements, from, to),
        Some(_) => FundingCover::NotDue,
        None if settlements.is_empty() => FundingCover::NotStated,
        None => FundingCover::of(settlements, from, to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_perpetuals_pay_and_of_an_unknown_venue_a_settlement_tells() {
        let paid = [FundingPayment { at: Ts::from_secs(60), rate: 1e-4, mark: None }];
        for (market, settlements, want) in [
            ("binance-usdm:BTCUSDT", &[][..], FundingCover::Unknown),
            ("binance-usdm:BTCUSDT", &paid, FundingCover::Known { settlements: 1 }),
            ("binance-usdm:BTCUSDT_260327", &[], FundingCover::NotDue),
            ("binance-spot:BTCUSDT", &[], FundingCover::NotDue),
            ("coinbase:BTC-USD", &[], FundingCover::NotDue),
            ("nasdaq:AAPL", &[], FundingCover::NotStated),
            ("somewhere:BTC-PERP", &paid, FundingCover::Known { settlements: 1 }),
        ] {
            let name = InstrumentName::parse(market).unwrap();
            assert_eq!(funding_cover(&name, settlements, Ts::from_secs(0), Ts::from_secs(120)), want, "{market}");
        }
    }
}
