//! Which markets of a venue are listened to: its own list, filtered by what was asked for (R3.30, R3.31, R3.35).

use crate::failure::Failure;
use barograph_domain::{MarketKind, Span};
use barograph_net::{Fetch, Net, VenueIndex};
use barograph_venues::session::{Endpoints, MarketSpec, VenueDef};

/// Kinds of market that are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    Spot,
    Futures,
    Both,
}

impl Wanted {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "spot" => Some(Self::Spot),
            "futures" => Some(Self::Futures),
            "both" => Some(Self::Both),
            _ => None,
        }
    }

    fn takes(self, kind: MarketKind) -> bool {
        match self {
            Self::Both => true,
            Self::Spot => kind == MarketKind::Spot,
            // Dated contracts have no funding; they are listened to when named.
            Self::Futures => kind == MarketKind::Perpetual,
        }
    }
}

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Symbols by name; empty: all that pass the filter.
    pub(crate) symbols: Vec<String>,
    pub(crate) quote: Option<String>,
    pub(crate) kind: Wanted,
    /// In quote currency.
    pub(crate) volume_min: f64,
    pub(crate) markets_max: usize,
}

const TIMEOUT: Span = Span::secs(20);

/// The venue's own list.
pub(crate) async fn list(
    net: &Net,
    index: VenueIndex,
    def: &VenueDef,
    endpoints: &Endpoints,
) -> Result<Vec<MarketSpec>, Failure> {
    let mut bodies = Vec::new();
    for ask in (def.discovery)(endpoints) {
        let url = ask.url.clone();
        let fetch = Fetch { url: ask.url, body: ask.body, pool: ask.pool, weight: ask.weight, timeout: TIMEOUT };
        let answer = net
            .fetch(index, fetch)
            .await
            .map_err(|e| Failure::broken(format!("{} does not answer: {}", def.id, crate::failure::chain(&e))))?;
        if answer.status != 200 {
            let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(200)]).into_owned();
            return Err(Failure::broken(format!("{url} answered {}: {body}", answer.status)));
        }
        bodies.push(answer.body.to_vec());
    }
    (def.instruments)(&bodies).map_err(|e| Failure::broken(format!("the market list of {}: {e}", def.id)))
}

/// What is listened to, busiest first.
pub(crate) fn choose(venue: &str, all: &[MarketSpec], choice: &Choice) -> Result<Vec<MarketSpec>, Failure> {
    if choice.symbols.is_empty() {
        let wanted = |m: &&MarketSpec| {
            m.trading
                && choice.kind.takes(m.kind)
                && choice.quote.as_ref().is_none_or(|q| m.quote.eq_ignore_ascii_case(q))
                && m.volume_24h_quote.is_none_or(|v| v >= choice.volume_min)
        };
        let mut chosen: Vec<MarketSpec> = all.iter().filter(wanted).cloned().collect();
        let volume = |m: &MarketSpec| m.volume_24h_quote.unwrap_or(0.0);
        chosen.sort_by(|a, b| volume(b).total_cmp(&volume(a)).then_with(|| a.symbol.cmp(&b.symbol)));
        chosen.truncate(choice.markets_max);
        if chosen.is_empty() {
            return Err(Failure::usage(format!(
                "none of the {} markets of {venue} passes the filter; loosen --quote, --market-type or --min-volume-24h",
                all.len()
            )));
        }
        return Ok(chosen);
    }
    let mut chosen: Vec<MarketSpec> = Vec::new();
    for wanted in &choice.symbols {
        let squeezed = squeeze(wanted);
        let exact = all.iter().find(|m| m.symbol == *wanted);
        // "BTC/USDT" may name a perpetual and dated contracts; the perpetual is meant, then spot.
        let mut alike: Vec<&MarketSpec> = all
            .iter()
            .filter(|m| squeeze(&m.symbol) == squeezed || squeeze(&format!("{}{}", m.base, m.quote)) == squeezed)
            .collect();
        alike.sort_by_key(|m| (m.kind != MarketKind::Perpetual, m.kind != MarketKind::Spot, m.symbol.clone()));
        let Some(found) = exact.or(alike.first().copied()) else {
            return Err(Failure::usage(unknown(venue, all, wanted)));
        };
        if !chosen.iter().any(|c| c.symbol == found.symbol) {
            chosen.push(found.clone());
        }
    }
    Ok(chosen)
}

fn unknown(venue: &str, all: &[MarketSpec], wanted: &str) -> String {
    let upper = wanted.to_uppercase();
    let mut near: Vec<(f64, &str)> =
        all.iter().map(|m| (strsim::jaro_winkler(&m.symbol, &upper), m.symbol.as_str())).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<&str> = near.iter().take(3).filter(|n| n.0 > 0.8).map(|n| n.1).collect();
    let hint = if near.is_empty() { String::new() } else { format!(" — did you mean {}?", near.join(" or ")) };
    format!("{venue} has no market '{wanted}'{hint}")
}

fn squeeze(symbol: &str) -> String {
    symbol.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(symbol: &str, kind: MarketKind, quote: &str, volume: f64) -> MarketSpec {
        let base = symbol.trim_end_matches(quote).to_owned();
        MarketSpec { base, quote: quote.to_owned(), volume_24h_quote: Some(volume), ..MarketSpec::bare(symbol, kind) }
    }

    fn chosen(choice: &Choice) -> Result<Vec<String>, String> {
        let all = [
            market("BTCUSDT", MarketKind::Perpetual, "USDT", 9e9),
            market("ETHUSDT", MarketKind::Perpetual, "USDT", 4e9),
            market("BTCUSDC", MarketKind::Perpetual, "USDC", 1e9),
            market("DUSTUSDT", MarketKind::Perpetual, "USDT", 50.0),
            MarketSpec { trading: false, ..market("OLDUSDT", MarketKind::Perpetual, "USDT", 1e9) },
        ];
        choose("binance-usdm", &all, choice)
            .map(|c| c.into_iter().map(|m| m.symbol).collect())
            .map_err(|e| e.text().unwrap_or_default())
    }

    #[test]
    fn markets_are_named_or_filtered() {
        let all = Choice {
            symbols: Vec::new(),
            quote: Some("usdt".to_owned()),
            kind: Wanted::Futures,
            volume_min: 10_000.0,
            markets_max: 10,
        };
        assert_eq!(chosen(&all), Ok(vec!["BTCUSDT".to_owned(), "ETHUSDT".to_owned()]));
        let named = Choice { symbols: vec!["btc/usdt".to_owned(), "BTCUSDT".to_owned()], ..all.clone() };
        assert_eq!(chosen(&named), Ok(vec!["BTCUSDT".to_owned()]), "twice is once");
        let wrong = Choice { symbols: vec!["BTCUDST".to_owned()], ..all.clone() };
        assert!(chosen(&wrong).is_err_and(|e| e.contains("did you mean BTCUSDT")));
        let none = Choice { quote: Some("EUR".to_owned()), ..all };
        assert!(chosen(&none).is_err_and(|e| e.contains("none of the 5 markets")));
    }
}
