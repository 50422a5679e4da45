//! The universe: `metaAndAssetCtxs` of the core exchange, volumes joined by position.
//!
//! Delisted coins keep their place so that positions stay valid. Names are case-sensitive: a lower-case `k` in front means a
//! thousand units. There is no fixed price step (at most five significant digits, at most `6 − szDecimals` decimals).

use super::limits::INFO;
use super::wire::{Coin, Meta, Volume};
use crate::session::{Ask, BaseAddresses, Decimal, MarketSpec};
use barograph_domain::MarketKind;

/// One request.
pub(super) fn discovery(endpoints: &BaseAddresses) -> Vec<Ask> {
    let body = Some(r#"{"type":"metaAndAssetCtxs"}"#.to_owned());
    vec![Ask { url: format!("{}/info", endpoints.rest), body, pool: INFO, weight: 20 }]
}

/// Instruments of the answer.
pub(super) fn instruments(answers: &[Vec<u8>]) -> Result<Vec<MarketSpec>, String> {
    let mut all = Vec::new();
    for (n, body) in answers.iter().enumerate() {
        let (meta, volumes): (Meta, Vec<Volume>) =
            serde_json::from_slice(body).map_err(|e| format!("answer {n} is no hyperliquid universe: {e}"))?;
        if meta.universe.len() != volumes.len() {
            let (coins, rows) = (meta.universe.len(), volumes.len());
            return Err(format!("answer {n} has {coins} coins and {rows} contexts: they cannot be joined"));
        }
        all.extend(meta.universe.iter().zip(&volumes).filter_map(|(coin, volume)| instrument(coin, volume)));
    }
    Ok(all)
}

/// Base asset and units of a coin's name.
pub(super) fn base(name: &str) -> (&str, f64) {
    let upper = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    match name.strip_prefix('k') {
        Some(rest) if upper(rest) => (rest, 1_000.0),
        _ => (name, 1.0),
    }
}

fn instrument(coin: &Coin, volume: &Volume) -> Option<MarketSpec> {
    let valid = !coin.name.is_empty() && coin.name.bytes().all(|b| b.is_ascii_graphic() && b != b':' && b != b'"');
    if !valid {
        return None;
    }
    let (base, base_multiplier) = base(&coin.name);
    Some(MarketSpec {
        base: base.to_owned(),
        base_multiplier,
        quote: "USD".to_owned(),
        settle: Some("USDC".to_owned()),
        step: (coin.sz_decimals <= 18).then_some(Decimal { mantissa: 1, scale: coin.sz_decimals }),
        funding_interval_h: Some(1.0),
        trading: coin.is_delisted != Some(true),
        volume_24h_quote: volume.day_ntl_vlm.as_deref().and_then(|v| super::map::qty(v.as_bytes())),
        ..MarketSpec::bare(&coin.name, MarketKind::Perpetual)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_k_is_a_thousand() {
        for (name, want) in
            [("kPEPE", ("PEPE", 1_000.0)), ("BTC", ("BTC", 1.0)), ("KAS", ("KAS", 1.0)), ("k", ("k", 1.0))]
        {
            assert_eq!(base(name), want);
        }
    }
}
