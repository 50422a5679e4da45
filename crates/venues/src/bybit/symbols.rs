//! Instrument lists to markets (sheet §5).

use super::map::Category;
use super::{limits, wire};
use crate::session::wire::each;
use crate::session::{Ask, BaseAddresses, Decimal, MarketSpec};
use barograph_domain::{MarketKind, Ts};
use std::collections::BTreeMap;

/// Instruments in one page: the most there may be.
const PAGE: u32 = 1_000;

/// The lists and tickers of all categories.
pub(super) fn discovery(endpoints: &BaseAddresses) -> Vec<Ask> {
    let get = |path: String| Ask::get(format!("{}{path}", endpoints.rest), limits::POOL);
    let mut asks = Vec::new();
    for category in Category::ALL {
        let word = category.word();
        asks.push(get(format!("/v5/market/instruments-info?category={word}&status=Trading&limit={PAGE}")));
        asks.push(get(format!("/v5/market/tickers?category={word}")));
    }
    asks
}

/// The page behind an answer whose list goes on. The cursor is percent-encoded already and goes back as it came.
pub(super) fn further(endpoints: &BaseAddresses, _: &Ask, body: &[u8]) -> Option<Ask> {
    let (list, _) = open(body).ok()?;
    let cursor = list.next_page_cursor.filter(|c| !c.is_empty())?;
    let url = format!(
        "{}/v5/market/instruments-info?category={}&status=Trading&limit={PAGE}&cursor={cursor}",
        endpoints.rest, list.category
    );
    Some(Ask::get(url, limits::POOL))
}

fn open(body: &[u8]) -> Result<(wire::List<'_>, Ts), String> {
    let answer: wire::Answer<'_> = serde_json::from_slice(body).map_err(|e| format!("not an answer of bybit: {e}"))?;
    if answer.ret_code != 0 {
        return Err(format!("bybit says {} {}", answer.ret_code, answer.ret_msg));
    }
    let result = answer.result.ok_or("an answer of bybit without result")?;
    let list = serde_json::from_str(result.get()).map_err(|e| format!("a result of bybit without list: {e}"))?;
    Ok((list, answer.time.ts().unwrap_or(Ts(0))))
}

/// Instruments of all answers, in the order of the lists; volumes from the tickers.
pub(super) fn instruments(answers: &[Vec<u8>]) -> Result<Vec<MarketSpec>, String> {
    let mut volumes = BTreeMap::new();
    let mut specs: Vec<MarketSpec> = Vec::new();
    for (n, body) in answers.iter().enumerate() {
        let (list, _) = open(body).map_err(|e| format!("answer {n}: {e}"))?;
        let json = list.list.get();
        if !json.contains("\"priceFilter\"") {
            let inverse = list.category == "inverse";
            each(json, |v: wire::Volume<'_>| {
                // Turnover is in the quote currency; of inverse contracts in the base currency, and volume in USD.
                let text = if inverse { &v.volume24h } else { &v.turnover24h };
                if let Some(volume) = super::map::qty(text) {
                    volumes.insert((list.category.to_string(), v.symbol.into_owned()), volume);
                }
            });
            continue;
        }
        let category = list.category.as_ref();
        let whole = each(json, |i: wire::Instrument| specs.extend(market(category, i)));
        if !whole {
            return Err(format!("answer {n}: an instrument of bybit without symbol or tick"));
        }
    }
    for spec in &mut specs {
        let category = super::map::category(spec).word().to_owned();
        spec.volume_24h_quote = volumes.get(&(category, spec.symbol.clone())).copied();
    }
    let mut known = std::collections::BTreeSet::new();
    specs.retain(|s| known.insert((s.kind, s.symbol.clone())));
    Ok(specs)
}

fn market(category: &str, i: wire::Instrument) -> Option<MarketSpec> {
    let kind = match i.contract_type.as_str() {
        "LinearPerpetual" | "InversePerpetual" => MarketKind::Perpetual,
        "LinearFutures" | "InverseFutures" => MarketKind::DatedFuture,
        "" if category == "spot" || i.lot_size_filter.qty_step.is_empty() => MarketKind::Spot,
        _ => return None,
    };
    let inverse = i.contract_type.starts_with("Inverse");
    let (base, base_multiplier) = multiplier(&i.base_coin);
    let dated = kind == MarketKind::DatedFuture;
    let step = if i.lot_size_filter.qty_step.is_empty() {
        &i.lot_size_filter.base_precision
    } else {
        &i.lot_size_filter.qty_step
    };
    Some(MarketSpec {
        base: base.to_owned(),
        base_multiplier,
        quote: i.quote_coin,
        settle: i.settle_coin.filter(|s| !s.is_empty()),
        kind,
        tick: Decimal::parse(i.price_filter.tick_size.as_bytes()).filter(|t| t.mantissa > 0),
        step: Decimal::parse(step.as_bytes()).filter(|t| t.mantissa > 0),
        // Sizes are base units, of inverse contracts USD: one contract is one of them.
        contract_size: (kind != MarketKind::Spot).then_some(1.0),
        inverse,
        funding_interval_h: i
            .funding_interval
            .filter(|m| kind == MarketKind::Perpetual && *m >= 60)
            .map(|m| f64::from(m) / 60.0),
        expiry: i.delivery_time.ts().filter(|_| dated),
        trading: i.status == "Trading",
        volume_24h_quote: None,
        symbol: i.symbol,
    })
}

/// The coin and how many of it one unit is: `1000PEPE`, `10000000AIDOGE`, `SHIB1000`.
fn multiplier(coin: &str) -> (&str, f64) {
    let of = |digits: &str| {
        let power = digits.len() >= 4 && digits.starts_with('1') && digits[1..].bytes().all(|b| b == b'0');
        power.then(|| digits.parse().ok()).flatten()
    };
    let head = coin.len() - coin.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let tail = coin.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    if head < coin.len()
        && let Some(n) = of(&coin[..head])
    {
        return (&coin[head..], n);
    }
    if tail > 0
        && let Some(n) = of(&coin[tail..])
    {
        return (&coin[..tail], n);
    }
    (coin, 1.0)
}

/// The venue's clock.
pub(super) fn time(endpoints: &BaseAddresses) -> Option<Ask> {
    Some(Ask::get(format!("{}/v5/market/time", endpoints.rest), limits::POOL))
}

/// Reads the answer of [`time`].
pub(super) fn read_time(body: &[u8]) -> Option<Ts> {
    let answer: wire::Answer<'_> = serde_json::from_slice(body).ok()?;
    let clock: wire::Clock<'_> = serde_json::from_str(answer.result?.get()).ok()?;
    clock.time_nano.parse().ok().map(Ts).filter(|t| crate::number::PLAUSIBLE.contains(t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipliers_are_taken_off_the_coin() {
        for (coin, base, n) in [
            ("BTC", "BTC", 1.0),
            ("1000PEPE", "PEPE", 1e3),
            ("10000000AIDOGE", "AIDOGE", 1e7),
            ("SHIB1000", "SHIB", 1e3),
            ("1INCH", "1INCH", 1.0),
            ("0G", "0G", 1.0),
            ("C98", "C98", 1.0),
            ("1000", "1000", 1.0),
            ("API3", "API3", 1.0),
        ] {
            let (b, m) = multiplier(coin);
            assert_eq!((b, m.to_bits()), (base, f64::to_bits(n)), "{coin}");
        }
    }
}
