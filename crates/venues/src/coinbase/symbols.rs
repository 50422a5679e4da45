//! The product list: `/market/products`, all of them in one answer (920 spot products in the recording of 2026-08-09).
//!
//! Aliases are left out: `BTC-USDC` is the book of `BTC-USD` under another name. Of the 405 products that end in `-USDC`
//! five have no alias and are books of their own; a session that is asked for an alias by name listens to the canonical
//! product. Futures of the US venue (`-CDE`) take their base from the contract; a funding rate makes them perpetuals,
//! whatever `contract_expiry_type` says.

use super::limits::PUBLIC;
use super::map;
use super::wire::{Product, Products, stamp};
use crate::session::registry::escape;
use crate::session::{Ask, BaseAddresses, Decimal, MarketSpec};
use barograph_domain::MarketKind;

/// Books of their own although their name looks like an alias: two official, three seen without an alias on 2026-08-09.
const NO_ALIAS: [&str; 5] = ["USDT-USDC", "EURC-USDC", "XSGD-USDC", "TGBP-USDC", "AUDD-USDC"];

/// One request for spot, one for futures.
pub(super) fn discovery(endpoints: &BaseAddresses) -> Vec<Ask> {
    let ask = |kind: &str| {
        Ask::get(format!("{}/api/v3/brokerage/market/products?product_type={kind}", endpoints.rest), PUBLIC)
    };
    vec![ask("SPOT"), ask("FUTURE")]
}

/// The page behind an answer that says there is one. None has been seen: the one recorded answer holds all 920 products and
/// says `has_next: false`.
pub(super) fn further(_: &BaseAddresses, ask: &Ask, body: &[u8]) -> Option<Ask> {
    let list: Products = serde_json::from_slice(body).ok()?;
    let cursor = list.pagination.filter(|p| p.has_next)?.next_cursor;
    if cursor.is_empty() {
        return Some(ask.clone());
    }
    let first = ask.url.split("&cursor=").next().unwrap_or_default();
    Some(Ask { url: format!("{first}&cursor={}", escape(&cursor)), ..ask.clone() })
}

/// Instruments of the answers.
pub(super) fn instruments(answers: &[Vec<u8>]) -> Result<Vec<MarketSpec>, String> {
    let mut all = Vec::new();
    for (n, body) in answers.iter().enumerate() {
        let list: Products =
            serde_json::from_slice(body).map_err(|e| format!("answer {n} is no coinbase product list: {e}"))?;
        all.extend(list.products.iter().filter_map(instrument));
    }
    Ok(all)
}

/// The market of a product; `None` for aliases, and for derivatives that are gone from this venue.
pub(super) fn instrument(p: &Product) -> Option<MarketSpec> {
    let gone = p.product_id.ends_with("-INTX");
    let valid = !p.product_id.is_empty() && p.product_id.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    if !p.alias.is_empty() || gone || !valid {
        return None;
    }
    let some = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let step = |text: &str| Decimal::parse(text.as_bytes()).filter(|d| d.mantissa > 0);
    let mut spec = MarketSpec {
        base: p.base_currency_id.clone(),
        quote: p.quote_currency_id.clone(),
        tick: step(&p.price_increment).or_else(|| step(&p.quote_increment)),
        step: step(&p.base_increment),
        trading: !p.is_disabled && !p.trading_disabled && !p.view_only && matches!(p.status.as_str(), "online" | ""),
        volume_24h_quote: map::qty(p.approximate_quote_24h_volume.as_bytes()).map(|(_, v)| v),
        ..MarketSpec::bare(&p.product_id, MarketKind::Spot)
    };
    if let Some(future) = &p.future_product_details {
        let rate = future.funding_rate.as_deref().and_then(some);
        spec.kind = if rate.is_some() { MarketKind::Perpetual } else { MarketKind::DatedFuture };
        spec.base.clone_from(&future.contract_root_unit);
        spec.settle = some(&p.quote_currency_id);
        spec.contract_size = map::price(future.contract_size.as_bytes()).map(|(_, v)| v);
        spec.funding_interval_h = future.funding_interval.as_deref().filter(|_| rate.is_some()).and_then(map::hours);
        let expiry = future.contract_expiry.as_deref().and_then(|t| stamp(t.as_bytes()));
        spec.expiry = expiry.filter(|_| spec.kind == MarketKind::DatedFuture);
        spec.trading &= p.fcm_trading_session_details.as_ref().is_none_or(|s| s.is_session_open);
    }
    Some(spec)
}

/// The product whose frames answer a request for this symbol.
pub(super) fn canonical(symbol: &str) -> &str {
    match symbol.strip_suffix('C') {
        Some(usd) if usd.ends_with("-USD") && !NO_ALIAS.contains(&symbol) => usd,
        _ => symbol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_fold_and_real_books_do_not() {
        for (symbol, want) in [
            ("BTC-USDC", "BTC-USD"),
            ("BTC-USD", "BTC-USD"),
            ("USDT-USDC", "USDT-USDC"),
            ("EURC-USDC", "EURC-USDC"),
            ("XSGD-USDC", "XSGD-USDC"),
            ("ETH-BTC", "ETH-BTC"),
            ("BIP-20DEC30-CDE", "BIP-20DEC30-CDE"),
        ] {
            assert_eq!(canonical(symbol), want);
        }
    }
}
