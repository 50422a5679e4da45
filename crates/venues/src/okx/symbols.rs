//! Instrument lists to markets (sheet §8).

use super::{limits, map, wire};
use crate::session::wire::each;
use crate::session::{Ask, BaseAddresses, Decimal, MarketSpec};
use barograph_domain::{MarketKind, Ts};
use std::collections::BTreeMap;

/// Instruments and tickers of spot, perpetual and dated contracts.
pub(super) fn discovery(endpoints: &BaseAddresses) -> Vec<Ask> {
    let mut asks = Vec::new();
    for kind in [MarketKind::Spot, MarketKind::Perpetual, MarketKind::DatedFuture] {
        for path in ["public/instruments", "market/tickers"] {
            let url = format!("{}/api/v5/{path}?instType={}", endpoints.rest, map::inst_type(kind));
            asks.push(Ask::get(url, limits::LISTS));
        }
    }
    asks
}

/// The list in an answer; the error is the venue's.
pub(super) fn open(body: &[u8]) -> Result<&str, String> {
    let answer: wire::Answer<'_> = serde_json::from_slice(body).map_err(|e| format!("not an answer of okx: {e}"))?;
    if answer.code != "0" {
        return Err(format!("okx says {} {}", answer.code, answer.msg));
    }
    answer.data.map(serde_json::value::RawValue::get).ok_or_else(|| "an answer of okx without data".to_owned())
}

/// Instruments of all answers, in the order of the lists; volumes from the tickers.
pub(super) fn instruments(answers: &[Vec<u8>]) -> Result<Vec<MarketSpec>, String> {
    let mut volumes = BTreeMap::new();
    let mut specs: Vec<MarketSpec> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    for (n, body) in answers.iter().enumerate() {
        let json = open(body).map_err(|e| format!("answer {n}: {e}"))?;
        let whole = if json.contains("\"tickSz\"") {
            each(json, |i: wire::Instrument| {
                specs.extend(market(i).filter(|s| known.insert(s.symbol.clone())));
            })
        } else {
            each(json, |t: wire::Ticker<'_>| {
                if let Some(volume) = map::qty(&t.vol_ccy24h) {
                    volumes.insert(t.inst_id.into_owned(), (volume, map::price(&t.last)));
                }
            })
        };
        if !whole {
            return Err(format!("answer {n}: not a list of instruments or tickers of okx"));
        }
    }
    for spec in &mut specs {
        spec.volume_24h_quote = match (volumes.get(&spec.symbol), spec.kind) {
            (Some((quote, _)), MarketKind::Spot) => Some(*quote),
            // Base units.
            (Some((base, Some(last))), _) => Some(base * last),
            _ => None,
        };
    }
    Ok(specs)
}

fn market(i: wire::Instrument) -> Option<MarketSpec> {
    let kind = match i.inst_type.as_str() {
        "SPOT" => MarketKind::Spot,
        "SWAP" => MarketKind::Perpetual,
        "FUTURES" => MarketKind::DatedFuture,
        _ => return None,
    };
    let spot = kind == MarketKind::Spot;
    let inverse = !spot && i.ct_type == "inverse";
    // Derivatives leave base and quote empty; the underlying has them.
    let name = if i.uly.is_empty() { map::index_name(&i.inst_id) } else { i.uly.clone() };
    let (base, quote) = if spot { (i.base_ccy, i.quote_ccy) } else { pair(&name) };
    // A linear contract is worth base units, an inverse one quote units; anything else has no known worth.
    let worth_in = if inverse { &quote } else { &base };
    let worth = map::qty(&i.ct_val).zip(map::qty(&i.ct_mult)).map(|(v, m)| v * m).filter(|w| *w > 0.0);
    let known = i.ct_val_ccy.is_empty() || i.ct_val_ccy == *worth_in;
    let positive = |text: &str| Decimal::parse(text.as_bytes()).filter(|d| d.mantissa > 0);
    Some(MarketSpec {
        contract_size: worth.filter(|_| !spot && known),
        settle: (!i.settle_ccy.is_empty()).then_some(i.settle_ccy),
        base,
        base_multiplier: 1.0,
        quote,
        kind,
        tick: positive(&i.tick_sz),
        step: positive(&i.lot_sz),
        inverse,
        funding_interval_h: None,
        expiry: i.exp_time.ts().filter(|_| kind == MarketKind::DatedFuture),
        trading: i.state == "live",
        volume_24h_quote: None,
        symbol: i.inst_id,
    })
}

fn pair(name: &str) -> (String, String) {
    let (base, quote) = name.split_once('-').unwrap_or((name, ""));
    (base.to_owned(), quote.trim_end_matches("_UM").to_owned())
}

/// The venue's clock.
pub(super) fn time(endpoints: &BaseAddresses) -> Option<Ask> {
    Some(Ask::get(format!("{}/api/v5/public/time", endpoints.rest), limits::TIME))
}

/// Reads the answer of [`time`].
pub(super) fn read_time(body: &[u8]) -> Option<Ts> {
    let mut at = None;
    each(open(body).ok()?, |c: wire::Clock| at = c.ts.ts());
    at
}
