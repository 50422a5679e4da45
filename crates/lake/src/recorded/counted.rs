//! Quantities as a recording has them, in base units.

use crate::error::Error;
use barograph_domain::{InstrumentName, MarketKind};
use barograph_venues::counting::{self, QtyUnit};
use barograph_venues::session::{MarketSpec, registry};
use barograph_venues::symbols::coin_m_contract_size;

const COIN_M: &str = "binance-coinm";

/// How a venue counts quantities.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Counted {
    /// In base, so much at a time.
    Base(f64),
    /// In contracts that are worth so much quote.
    Quote(f64),
}

impl Counted {
    /// `None`: in contracts, and nobody knows what one is worth.
    pub(super) fn of(venue: &str, spec: &MarketSpec) -> Option<Self> {
        Some(match QtyUnit::of(venue, spec) {
            QtyUnit::Base => Self::Base(1.0),
            QtyUnit::Quote => Self::Quote(1.0),
            QtyUnit::Contracts => match size_of(venue, spec)? {
                worth if spec.inverse || venue == COIN_M => Self::Quote(worth),
                worth => Self::Base(worth),
            },
        })
    }

    /// What a quantity at a price is in base.
    pub(super) fn base(self, qty: f64, price: f64) -> f64 {
        match self {
            Self::Base(unit) => qty * unit,
            Self::Quote(worth) => qty * worth / price,
        }
    }
}

/// What a contract is worth: as it was said, or as COIN-M has it for all of its markets.
fn size_of(venue: &str, spec: &MarketSpec) -> Option<f64> {
    spec.contract_size.or_else(|| (venue == COIN_M).then(|| f64::from(coin_m_contract_size(&spec.symbol))))
}

/// What a recording's session needs to know of its market: what the venue's list says where the recorder has kept it, else what the symbol
/// says, and the contract size where the user gives it.
pub(super) fn spec_of(
    market: &InstrumentName,
    listed: Option<MarketSpec>,
    given: Option<f64>,
) -> Result<MarketSpec, Error> {
    let venue = market.venue.as_str();
    let kind = registry::kind(market).unwrap_or(MarketKind::Perpetual);
    let mut spec = MarketSpec::bare(&market.symbol, kind);
    spec.inverse = counting::is_inverse(venue, &market.symbol);
    if let Some(listed) = listed {
        (spec.kind, spec.inverse, spec.contract_size) = (listed.kind, listed.inverse, listed.contract_size);
    }
    spec.contract_size = size_of(venue, &spec);
    let Some(given) = given else { return Ok(spec) };
    if QtyUnit::of(venue, &spec) != QtyUnit::Contracts {
        return Err(Error::Usage(format!(
            "quantities of {market} are not counted in contracts, so that it has no contract size; leave --contract-size out"
        )));
    }
    match spec.contract_size {
        Some(known) if known.to_bits() != given.to_bits() => Err(Error::Usage(format!(
            "--contract-size {given} contradicts what is known of {market}: {known}; leave it out"
        ))),
        _ => Ok(MarketSpec { contract_size: Some(given), ..spec }),
    }
}

/// Why a recording cannot be played whose quantities nobody can turn into base units.
pub(super) fn no_size(market: &InstrumentName, spec: &MarketSpec) -> Error {
    let unit = if spec.inverse { "quote" } else { "base" };
    Error::Usage(format!(
        "quantities of {market} are counted in contracts, and nothing says what one is worth: the venue's list of instruments is not in the \
         recording; give it with --contract-size, in {unit} units (OKX: ctVal times ctMult of /api/v5/public/instruments)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_size_is_that_of_the_list_else_the_given_one() {
        let listed =
            |size| MarketSpec { contract_size: size, ..MarketSpec::bare("BTC-USDT-SWAP", MarketKind::Perpetual) };
        for (market, listed, given, want) in [
            ("okx:BTC-USDT-SWAP", None, Some(0.01), Ok(Some(0.01))),
            ("okx:BTC-USDT-SWAP", Some(listed(Some(0.01))), None, Ok(Some(0.01))),
            ("okx:BTC-USDT-SWAP", Some(listed(Some(0.01))), Some(0.01), Ok(Some(0.01))),
            ("okx:BTC-USDT-SWAP", Some(listed(None)), Some(0.01), Ok(Some(0.01))),
            (
                "okx:BTC-USDT-SWAP",
                Some(listed(Some(0.01))),
                Some(1.0),
                Err("contradicts what is known of okx:BTC-USDT-SWAP: 0.01"),
            ),
            ("okx:BTC-USDT-SWAP", None, None, Ok(None)),
            ("binance-coinm:BTCUSD_PERP", None, None, Ok(Some(100.0))),
            ("okx:BTC-USDT", None, Some(1.0), Err("not counted in contracts")),
            ("binance-usdm:BTCUSDT", None, Some(1.0), Err("not counted in contracts")),
        ] {
            let found = spec_of(&InstrumentName::parse(market).unwrap(), listed, given);
            match (found, want) {
                (Ok(spec), Ok(want)) => assert_eq!(spec.contract_size, want, "{market} {given:?}"),
                (Err(e), Err(part)) => assert!(e.to_string().contains(part), "{market}: {e}"),
                (found, want) => panic!("{market} {given:?}: {found:?}, not {want:?}"),
            }
        }
    }

    #[test]
    fn quantities_become_base_units_once() {
        for (market, size, qty, price, want) in [
            ("okx:BTC-USDT-SWAP", Some(0.01), 5.0, 100.0, Some(0.05)),
            ("okx:BTC-USD-SWAP", Some(100.0), 5.0, 100.0, Some(5.0)),
            ("okx:BTC-USD-SWAP", None, 5.0, 100.0, None),
            // The list says ten dollars a contract, and books count dollars.
            ("deribit:BTC-PERPETUAL", Some(10.0), 500.0, 100.0, Some(5.0)),
            ("bybit:BTCUSD", Some(1.0), 500.0, 100.0, Some(5.0)),
            ("deribit:BTC_USDC-PERPETUAL", Some(0.0001), 5.0, 100.0, Some(5.0)),
        ] {
            let name = InstrumentName::parse(market).unwrap();
            let spec = MarketSpec { contract_size: size, ..spec_of(&name, None, None).unwrap() };
            let found = Counted::of(name.venue.as_str(), &spec).map(|c| c.base(qty, price));
            assert_eq!(found, want, "{market}");
        }
    }
}
