//! Instrument lists to markets. Nothing is read out of a symbol's text: base, quote and settlement are fields of the list.
//! Source: sheets USD-M §3.3 and §6, spot §3.3 and §8; fixture `jkorf_binance_public` for COIN-M.

use super::flavour::{Class, Flavour};
use super::limits::{FUNDING, WEIGHT};
use crate::session::{Ask, BaseAddresses, Decimal, MarketSpec};
use barograph_domain::{MarketKind, Ts};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Requests whose answers, in this order, make the list.
pub(super) fn discovery(flavour: &Flavour, at: &BaseAddresses) -> Vec<Ask> {
    let get =
        |path: &str, pool, weight| Ask { url: format!("{}{}{path}", at.rest, flavour.api), body: None, pool, weight };
    match flavour.class {
        Class::UsdM | Class::CoinM => {
            vec![get("/exchangeInfo", WEIGHT, 1), get("/ticker/24hr", WEIGHT, 40), get("/fundingInfo", FUNDING, 1)]
        }
        Class::Spot => {
            vec![get("/exchangeInfo?showPermissionSets=false", WEIGHT, 20), get("/ticker/24hr?type=MINI", WEIGHT, 80)]
        }
        Class::Us => vec![get("/exchangeInfo", WEIGHT, 10), get("/ticker/24hr", WEIGHT, 40)],
    }
}

#[derive(Deserialize)]
struct Info {
    symbols: Vec<Symbol>,
}

/// Unknown fields, filters and words are ignored: all of the venue's lists are open.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Symbol {
    symbol: String,
    base_asset: String,
    quote_asset: String,
    margin_asset: Option<String>,
    contract_type: Option<String>,
    status: Option<String>,
    /// COIN-M's name for it.
    contract_status: Option<String>,
    contract_size: Option<f64>,
    delivery_date: Option<i64>,
    #[serde(default)]
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    filter_type: String,
    tick_size: Option<String>,
    step_size: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    symbol: String,
    /// Quote units; COIN-M has none.
    quote_volume: Option<String>,
    volume: Option<String>,
}

/// A step of zero means that the rule is off.
fn step(text: Option<&String>) -> Option<Decimal> {
    text.and_then(|t| Decimal::parse(t.as_bytes())).filter(|d| d.mantissa > 0)
}

/// `1000PEPE` is a thousand PEPE, `1MBABYDOGE` a million BABYDOGE, `1INCH` is 1INCH.
pub(super) fn multiplier(asset: &str) -> (String, f64) {
    const PREFIXES: [(&str, f64); 5] = [("1000000", 1e6), ("100000", 1e5), ("10000", 1e4), ("1000", 1e3), ("1M", 1e6)];
    for (prefix, factor) in PREFIXES {
        if let Some(rest) = asset.strip_prefix(prefix)
            && rest.chars().next().is_some_and(char::is_alphabetic)
        {
            return (rest.to_owned(), factor);
        }
    }
    (asset.to_owned(), 1.0)
}

impl Symbol {
    fn spec(self, flavour: &Flavour) -> MarketSpec {
        let filter = |kind: &str| self.filters.iter().find(|f| f.filter_type == kind);
        let tick = step(filter("PRICE_FILTER").and_then(|f| f.tick_size.as_ref()));
        let lot = step(filter("LOT_SIZE").and_then(|f| f.step_size.as_ref()));
        let kind = match self.contract_type.as_deref() {
            _ if !flavour.is_futures() => MarketKind::Spot,
            Some(t) if t.contains("PERPETUAL") => MarketKind::Perpetual,
            _ => MarketKind::DatedFuture,
        };
        let expiry = self.delivery_date.filter(|_| kind == MarketKind::DatedFuture).and_then(Ts::from_epoch);
        let status = self.status.or(self.contract_status);
        let inverse = flavour.class == Class::CoinM;
        let (base, base_multiplier) = multiplier(&self.base_asset);
        MarketSpec {
            symbol: self.symbol,
            base,
            base_multiplier,
            quote: self.quote_asset,
            settle: self.margin_asset.filter(|_| flavour.is_futures()),
            kind,
            tick,
            step: lot,
            contract_size: self.contract_size.filter(|s| inverse && *s > 0.0),
            inverse,
            funding_interval_h: (kind == MarketKind::Perpetual).then_some(8.0),
            expiry,
            trading: status.as_deref() == Some("TRADING"),
            volume_24h_quote: None,
        }
    }
}

/// Symbols of an instrument list, and whether they can be traded now; `None` when it is no such list.
pub(super) fn statuses(body: &[u8]) -> Option<Vec<(String, bool)>> {
    #[derive(Deserialize)]
    struct List {
        symbols: Vec<One>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct One {
        symbol: String,
        status: Option<String>,
        contract_status: Option<String>,
    }
    let list: List = serde_json::from_slice(body).ok()?;
    let is_traded = |one: &One| one.status.as_deref().or(one.contract_status.as_deref()) == Some("TRADING");
    Some(list.symbols.into_iter().map(|one| (one.symbol.clone(), is_traded(&one))).collect())
}

/// The markets of the answers to [`discovery`].
pub(super) fn instruments(flavour: &Flavour, answers: &[Vec<u8>]) -> Result<Vec<MarketSpec>, String> {
    let [info, tickers, rest @ ..] = answers else {
        return Err(format!("{} answers are not enough; instrument list and tickers are needed", answers.len()));
    };
    let info: Info = serde_json::from_slice(info).map_err(|e| format!("exchangeInfo cannot be read: {e}"))?;
    let tickers: Vec<Ticker> =
        serde_json::from_slice(tickers).map_err(|e| format!("ticker/24hr cannot be read: {e}"))?;
    let tickers: BTreeMap<&str, &Ticker> = tickers.iter().map(|t| (&*t.symbol, t)).collect();
    let intervals: BTreeMap<String, f64> = match rest.first() {
        Some(body) => super::rest::funding_info(body).ok_or("fundingInfo cannot be read")?.into_iter().collect(),
        None => BTreeMap::new(),
    };
    let number = |text: Option<&String>| {
        text.and_then(|t| Decimal::parse(t.as_bytes())).map(Decimal::to_f64).filter(|v| *v >= 0.0)
    };
    let mut markets = Vec::with_capacity(info.symbols.len());
    for symbol in info.symbols {
        let mut spec = symbol.spec(flavour);
        let ticker = tickers.get(&*spec.symbol);
        spec.volume_24h_quote = ticker.and_then(|t| match spec.contract_size {
            Some(size) if spec.inverse => number(t.volume.as_ref()).map(|contracts| contracts * size),
            _ => number(t.quote_volume.as_ref()),
        });
        if let Some(hours) = intervals.get(&spec.symbol).filter(|_| spec.kind == MarketKind::Perpetual) {
            spec.funding_interval_h = Some(*hours);
        }
        markets.push(spec);
    }
    Ok(markets)
}
