//! Which instrument a name means (UX §1), and the nearest known word for "did you mean".

use crate::query::QueryError;
use barograph_domain::InstrumentName;
use barograph_domain::text::escape_control;

/// The venue a bare symbol means on alias routes unless configured otherwise.
pub const DEFAULT_VENUE: &str = "binance-usdm";

/// How alike two words must be before one is suggested for the other.
const LIKENESS_MIN: f64 = 0.75;

/// Resolves `venue:symbol` or a bare symbol (`BTCUSDT`, `btcusdt`, `BTC/USDT`) among `instruments`. A bare symbol that
/// several answer to is ambiguous, except on alias routes, where `default_venue` wins if it has one.
///
/// # Errors
/// [`QueryError::UnknownSymbol`] with the nearest names, [`QueryError::Ambiguous`] with all candidates.
pub fn resolve(
    instruments: &[InstrumentName],
    default_venue: &str,
    name: &str,
    alias: bool,
) -> Result<InstrumentName, QueryError> {
    let found: Vec<&InstrumentName> = match name.split_once(':') {
        Some((venue, symbol)) => {
            instruments.iter().filter(|i| i.venue.as_str() == venue && i.answers_to(symbol)).collect()
        }
        None => instruments.iter().filter(|i| i.answers_to(name)).collect(),
    };
    let exact = |i: &&&InstrumentName| name.rsplit(':').next() == Some(i.symbol.as_str());
    match found.as_slice() {
        [] => Err(unknown(instruments, name)),
        [one] => Ok((*one).clone()),
        // Two spellings on one venue ("BTC-USDT" and "BTCUSDT"): the one written exactly is meant.
        several if name.contains(':') && several.iter().filter(exact).count() == 1 => {
            several.iter().find(exact).map(|i| (**i).clone()).ok_or_else(|| unknown(instruments, name))
        }
        several => {
            let mut at_default = several.iter().filter(|i| i.venue.as_str() == default_venue);
            match (alias, at_default.next(), at_default.next()) {
                (true, Some(one), None) => Ok((**one).clone()),
                _ => Err(QueryError::Ambiguous {
                    name: name.to_owned(),
                    candidates: several.iter().map(|i| (*i).clone()).collect(),
                }),
            }
        }
    }
}

fn unknown(instruments: &[InstrumentName], name: &str) -> QueryError {
    let symbol = name.rsplit(':').next().unwrap_or(name);
    let mut alike: Vec<String> =
        instruments.iter().filter(|i| i.answers_to(symbol)).map(InstrumentName::to_string).collect();
    if alike.is_empty() {
        let upper = symbol.to_uppercase();
        alike.extend(nearest(&upper, instruments.iter().map(|i| i.symbol.as_str())).map(str::to_owned));
    }
    QueryError::UnknownSymbol { name: escape_control(name).into_owned(), nearest: alike }
}

/// The known word most like `word`, if any is alike enough; among equals the first.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        let likeness = strsim::jaro_winkler(word, candidate);
        if likeness >= LIKENESS_MIN && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(all: &[&str], name: &str, alias: bool) -> String {
        let instruments: Vec<InstrumentName> = all.iter().map(|t| InstrumentName::parse(t).unwrap()).collect();
        match resolve(&instruments, DEFAULT_VENUE, name, alias) {
            Ok(found) => found.to_string(),
            Err(QueryError::UnknownSymbol { nearest, .. }) => format!("unknown {}", nearest.join(",")),
            Err(QueryError::Ambiguous { candidates, .. }) => format!("ambiguous {}", candidates.len()),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn names_mean_what_people_mean() {
        const ALL: &[&str] = &["binance-usdm:BTCUSDT", "binance-usdm:ETHUSDT", "bybit:BTCUSDT", "coinbase:BTC-USD"];
        for (name, alias, want) in [
            ("bybit:BTCUSDT", false, "bybit:BTCUSDT"),
            ("bybit:btc/usdt", false, "bybit:BTCUSDT"),
            ("ethusdt", false, "binance-usdm:ETHUSDT"),
            ("BTC/USD", false, "coinbase:BTC-USD"),
            ("BTCUSDT", false, "ambiguous 2"),
            ("BTCUSDT", true, "binance-usdm:BTCUSDT"),
            ("BTC-USD", true, "coinbase:BTC-USD"),
            ("BTCUSDX", false, "unknown BTCUSDT"),
            ("bybit:ETHUSDT", false, "unknown binance-usdm:ETHUSDT"),
            ("§", false, "unknown "),
            ("ETHUSDT\0", false, "unknown ETHUSDT"),
            ("bybit:BTCUSDT\u{7f}", true, "unknown BTCUSDT"),
        ] {
            assert_eq!(among(ALL, name, alias), want, "{name} {alias}");
        }
        assert_eq!(among(&["bybit:BTCUSDT", "okx:BTC-USDT"], "BTCUSDT", true), "ambiguous 2");
        assert_eq!(among(&["okx:BTC-USDT", "okx:BTCUSDT"], "okx:BTC-USDT", false), "okx:BTC-USDT");
    }

    #[test]
    fn the_nearest_word_is_near() {
        assert_eq!(nearest("as-of", ["as_of", "book"]), Some("as_of"));
        assert_eq!(nearest("zzz", ["as_of", "book"]), None);
    }
}
