//! Options of one currency and its volatility index, asked for over HTTP (sheet §5, §8 and §9; R4.66).
//!
//! Three rooms: [`names`] reads what an option is called, [`chain`] the summary of all options of a currency, [`dvol`] the bars of
//! the index. Pure: addresses and bodies. Left out: the streams of the same (a summary once an hour needs none), prices, greeks, and
//! combinations.

mod chain;
mod dvol;
mod names;

pub use chain::{OptionChain, Unusable, chain};
pub use dvol::{DvolBars, DvolStep, dvol};
pub use names::{OptionName, option_name};

use super::limits;
use super::wire::Frame;
use crate::session::{Ask, BaseAddresses};
use barograph_domain::{InstrumentName, OptionCurrency, Ts};

/// Currencies whose options settle in the coin itself, and have a volatility index. All others settle in USDC and have none.
const OWN: [&str; 2] = ["BTC", "ETH"];

/// Currencies of which the venue is known to list options (its notices to traders, January 2026).
const LISTED: [&str; 6] = ["AVAX", "BTC", "ETH", "SOL", "TRX", "XRP"];

/// The currencies of which the venue is known to list options, where this is none of them. It may have begun since.
#[must_use]
pub fn instead_of(currency: &OptionCurrency) -> Option<&'static [&'static str]> {
    (!LISTED.contains(&currency.as_str())).then_some(LISTED.as_slice())
}

/// Does the currency have a volatility index?
#[must_use]
pub fn has_dvol(currency: &OptionCurrency) -> bool {
    OWN.contains(&currency.as_str())
}

/// The perpetual contract on the same underlying: what is known of the options is kept with it.
#[must_use]
pub fn perpetual(currency: &OptionCurrency) -> Option<InstrumentName> {
    let settled = if has_dvol(currency) { "" } else { "_USDC" };
    InstrumentName::new(super::VENUE.id, &format!("{currency}{settled}-PERPETUAL")).ok()
}

/// The currency whose options a perpetual contract of the venue goes with.
#[must_use]
pub fn currency_of(market: &InstrumentName) -> Option<OptionCurrency> {
    let base =
        market.symbol.as_str().strip_suffix("-PERPETUAL").filter(|_| market.venue.as_str() == super::VENUE.id)?;
    let currency = OptionCurrency::parse(base.strip_suffix("_USDC").unwrap_or(base)).ok()?;
    // BTC_USDC-PERPETUAL has the same underlying as BTC-PERPETUAL, whose options are the ones that trade.
    Some(currency)
}

/// What the underlying is called at the beginning of an option's name.
fn underlying(currency: &OptionCurrency) -> String {
    let settled = if has_dvol(currency) { "" } else { "_USDC" };
    format!("{currency}{settled}")
}

/// Asks for the summary of all options of a currency; those that settle in USDC come in one list.
#[must_use]
pub fn chain_ask(endpoints: &BaseAddresses, currency: &OptionCurrency) -> Ask {
    let listed = if has_dvol(currency) { currency.as_str() } else { "USDC" };
    let path = format!("get_book_summary_by_currency?currency={listed}&kind=option");
    Ask::get(format!("{}/api/v2/public/{path}", endpoints.rest), limits::PUBLIC)
}

/// Asks for bars of the volatility index between two moments.
#[must_use]
pub fn dvol_ask(endpoints: &BaseAddresses, currency: &OptionCurrency, (from, to): (Ts, Ts), step: DvolStep) -> Ask {
    let (from, to, step) = (from.as_millis(), to.as_millis(), step.span().as_secs());
    let path = format!(
        "get_volatility_index_data?currency={currency}&start_timestamp={from}&end_timestamp={to}&resolution={step}"
    );
    Ask::get(format!("{}/api/v2/public/{path}", endpoints.rest), limits::PUBLIC)
}

/// The part of an answer that is asked for, and when it was given.
///
/// # Errors
/// What the venue refused, or that it is no answer of its production host.
fn result<'a>(frame: Option<Frame<'a>>, body: &'a str) -> Result<(&'a str, Option<Ts>), String> {
    let frame = frame.ok_or("it is not JSON as the venue writes it")?;
    if !frame.error.is_empty() {
        return Err(format!("the venue refuses: {}", frame.error));
    }
    // Prices of the test network are nobody's.
    if crate::session::scan::object(body, ["testnet"]).is_some_and(|[testnet]| testnet == "true") {
        return Err("it comes from the venue's test network, whose prices are made up".to_owned());
    }
    if frame.result.is_empty() {
        return Err("it has no result".to_owned());
    }
    Ok((frame.result, frame.sent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> OptionCurrency {
        OptionCurrency::parse(text).unwrap()
    }

    #[test]
    fn addresses_are_those_of_the_sheet() {
        let at = BaseAddresses { rest: "https://www.deribit.com".into(), ws: "wss://www.deribit.com".into() };
        let base = "https://www.deribit.com/api/v2/public/";
        let chain = |c: &str| chain_ask(&at, &of(c)).url;
        assert_eq!(chain("BTC"), format!("{base}get_book_summary_by_currency?currency=BTC&kind=option"));
        assert_eq!(chain("SOL"), format!("{base}get_book_summary_by_currency?currency=USDC&kind=option"));
        let index = dvol_ask(&at, &of("ETH"), (Ts::from_millis(1_000), Ts::from_millis(61_000)), DvolStep::Hour);
        let end = "currency=ETH&start_timestamp=1000&end_timestamp=61000&resolution=3600";
        assert_eq!(index.url, format!("{base}get_volatility_index_data?{end}"));
    }

    #[test]
    fn a_currency_without_options_is_answered_with_those_that_have_them() {
        let listed = instead_of(&of("DOGE")).unwrap();
        assert!(listed.contains(&"BTC") && listed.contains(&"SOL"), "{listed:?}");
        assert!(OWN.iter().chain(listed).all(|currency| instead_of(&of(currency)).is_none()));
    }

    #[test]
    fn a_currency_has_its_perpetual_contract_and_back() {
        for (currency, market) in [("BTC", "deribit:BTC-PERPETUAL"), ("SOL", "deribit:SOL_USDC-PERPETUAL")] {
            let name = perpetual(&of(currency)).unwrap();
            assert_eq!(name.to_string(), market);
            assert_eq!(currency_of(&name), Some(of(currency)));
        }
        let linear = InstrumentName::parse("deribit:BTC_USDC-PERPETUAL").unwrap();
        assert_eq!(currency_of(&linear), Some(of("BTC")));
        for other in ["deribit:BTC-26MAR27", "bybit:BTC-PERPETUAL"] {
            assert_eq!(currency_of(&InstrumentName::parse(other).unwrap()), None, "{other}");
        }
    }
}
