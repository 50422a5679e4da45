//! Instrument lists to markets (sheet §4): all futures are perpetual contracts, linear or inverse.

use super::limits::PUBLIC;
use super::map;
use super::wire::Answer;
use crate::session::scan::{elements, object, read_plain};
use crate::session::wire::Millis;
use crate::session::{Ask, BaseAddresses, Decimal, MarketSpec};
use barograph_domain::{MarketKind, Ts};
use std::collections::BTreeMap;

/// All markets, and their volumes.
pub(super) fn discovery(endpoints: &BaseAddresses) -> Vec<Ask> {
    ["market", "ticker"].map(|list| Ask::get(format!("{}/v2/futures/{list}", endpoints.rest), PUBLIC)).into()
}

/// The data of an answer; the error is the venue's.
fn open(answer: Option<Answer<'_>>) -> Result<&str, String> {
    match answer {
        Some(Answer { code: 0, data, .. }) => Ok(data),
        Some(Answer { code, message, .. }) => Err(format!("coinex answers {code} {message}")),
        None => Err("not an answer of coinex".to_owned()),
    }
}

/// Instruments of all answers, in the order of the lists; volumes from the tickers.
pub(super) fn instruments(answers: &[Vec<u8>]) -> Result<Vec<MarketSpec>, String> {
    let mut specs: Vec<MarketSpec> = Vec::new();
    let mut volumes = BTreeMap::new();
    for (n, body) in answers.iter().enumerate() {
        let mut owned = None;
        let data = open(read_plain(body, &mut owned, Answer::read)).map_err(|e| format!("answer {n}: {e}"))?;
        let read = elements(data, |row| {
            let [symbol, kind, volume, value] = object(row, ["market", "contract_type", "volume", "value"])?;
            if kind.is_empty() {
                volumes.insert(symbol.to_owned(), (map::qty(volume), map::qty(value)));
            } else {
                specs.extend(market(symbol, kind, row));
            }
            Some(())
        });
        read.ok_or_else(|| format!("answer {n}: not a list of markets or tickers of coinex"))?;
    }
    for spec in &mut specs {
        // Inverse contracts are USD, and so is the count of them.
        let volume = volumes.get(&spec.symbol);
        spec.volume_24h_quote = volume.and_then(|(volume, value)| if spec.inverse { *volume } else { *value });
    }
    Ok(specs)
}

/// The market of a row; `None` for what cannot be subscribed by its name.
fn market(symbol: &str, kind: &str, row: &str) -> Option<MarketSpec> {
    let [base, quote, places, tick, available, status] =
        object(row, ["base_ccy", "quote_ccy", "base_ccy_precision", "tick_size", "is_market_available", "status"])?;
    let valid = !symbol.is_empty() && symbol.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b':' | b'"' | b'\\'));
    if !valid || !matches!(kind, "linear" | "inverse") {
        return None;
    }
    let inverse = kind == "inverse";
    let (coin, base_multiplier) = units(base);
    Some(MarketSpec {
        base: coin.to_owned(),
        base_multiplier,
        quote: quote.to_owned(),
        settle: Some(if inverse { base } else { quote }.to_owned()),
        tick: Decimal::parse(tick.as_bytes()).filter(|d| d.mantissa > 0),
        step: places.parse().ok().filter(|p| *p <= 18 && !inverse).map(|scale| Decimal { mantissa: 1, scale }),
        inverse,
        // Other words than this one are not known.
        trading: available == "true" && matches!(status, "" | "online"),
        ..MarketSpec::bare(symbol, MarketKind::Perpetual)
    })
}

/// The coin, and how many of it one unit is: `1000PEPE`.
fn units(coin: &str) -> (&str, f64) {
    let bare = coin.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &coin[..coin.len() - bare.len()];
    let power = digits.len() >= 4 && digits.strip_prefix('1').is_some_and(|zeros| zeros.bytes().all(|b| b == b'0'));
    match digits.parse().ok().filter(|_| power && !bare.is_empty()) {
        Some(count) => (bare, count),
        None => (coin, 1.0),
    }
}

/// The venue's clock.
pub(super) fn time(endpoints: &BaseAddresses) -> Option<Ask> {
    Some(Ask::get(format!("{}/v2/time", endpoints.rest), PUBLIC))
}

/// Reads the answer of [`time`].
pub(super) fn read_time(body: &[u8]) -> Option<Ts> {
    let mut owned = None;
    let data = open(read_plain(body, &mut owned, Answer::read)).ok()?;
    let [at] = object(data, ["timestamp"])?;
    Millis::of(at).ts()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_of_a_coin_are_units_of_it() {
        for (coin, want) in [
            ("1000PEPE", ("PEPE", 1_000.0)),
            ("PEPE", ("PEPE", 1.0)),
            ("1INCH", ("1INCH", 1.0)),
            ("1000", ("1000", 1.0)),
        ] {
            assert_eq!(units(coin), want);
        }
    }
}
