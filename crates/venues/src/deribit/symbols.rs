//! Instrument lists to markets (sheet §4): perpetual contracts, inverse and linear.

use super::limits::{LISTS, PUBLIC};
use super::map;
use super::wire::Frame;
use crate::session::scan::{elements, object, read_plain};
use crate::session::wire::Millis;
use crate::session::{Ask, BaseAddresses, Decimal, MarketSpec};
use barograph_domain::{MarketKind, Ts};
use std::collections::BTreeMap;

/// What contracts settle in; volumes are listed by it.
const SETTLED_IN: [&str; 3] = ["BTC", "ETH", "USDC"];

/// One list of all contracts, and their volumes.
pub(super) fn discovery(endpoints: &BaseAddresses) -> Vec<Ask> {
    let ask = |path: String, pool| Ask::get(format!("{}/api/v2/public/{path}", endpoints.rest), pool);
    let mut asks = vec![ask("get_instruments?currency=any&kind=future&expired=false".to_owned(), LISTS)];
    let volumes = |coin| ask(format!("get_book_summary_by_currency?currency={coin}&kind=future"), PUBLIC);
    asks.extend(SETTLED_IN.iter().map(volumes));
    asks
}

/// Instruments of all answers, in the order of the lists; volumes from the summaries.
pub(super) fn instruments(answers: &[Vec<u8>]) -> Result<Vec<MarketSpec>, String> {
    let mut specs: Vec<MarketSpec> = Vec::new();
    let mut volumes = BTreeMap::new();
    for (n, body) in answers.iter().enumerate() {
        let mut owned = None;
        let answer = read_plain(body, &mut owned, Frame::read);
        let read = elements(answer.map_or("", |a| a.result), |row| {
            let [symbol, volume] = object(row, ["instrument_name", "volume_usd"])?;
            volumes.extend(map::qty(volume).map(|v| (symbol.to_owned(), v)));
            specs.extend(market(row));
            Some(())
        });
        let why = || format!("answer {n}: not a list of deribit {}", answer.map_or("", |a| a.error));
        read.ok_or_else(why)?;
    }
    specs.iter_mut().for_each(|spec| spec.volume_24h_quote = volumes.get(&spec.symbol).copied());
    Ok(specs)
}

/// The market of a row; `None` for what is left out.
fn market(row: &str) -> Option<MarketSpec> {
    let [symbol, kind, period, active, state] =
        object(row, ["instrument_name", "kind", "settlement_period", "is_active", "state"])?;
    let [base, quote, settle] = object(row, ["base_currency", "quote_currency", "settlement_currency"])?;
    let [type_, older] = object(row, ["instrument_type", "future_type"])?;
    let [size, tick, step] = object(row, ["contract_size", "tick_size", "min_trade_amount"])?;
    let valid = !symbol.is_empty() && symbol.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b':' | b'"' | b'\\'));
    if kind != "future" || period != "perpetual" || !valid {
        return None;
    }
    // Lists of 2021 have neither type nor settlement: all contracts were inverse.
    let inverse = [type_, older].contains(&"reversed") || (type_.is_empty() && older.is_empty());
    let positive = |text: &str| map::decimal(text).filter(|d: &Decimal| d.mantissa > 0);
    Some(MarketSpec {
        base: base.to_owned(),
        quote: quote.to_owned(),
        settle: [settle, base].into_iter().find(|s| !s.is_empty()).map(str::to_owned),
        tick: positive(tick),
        step: positive(step),
        contract_size: map::price(size),
        inverse,
        funding_interval_h: Some(1.0),
        trading: active == "true" && matches!(state, "" | "open" | "created" | "started"),
        ..MarketSpec::bare(symbol, MarketKind::Perpetual)
    })
}

/// The venue's clock: when it answered, else what it answered.
pub(super) fn read_time(body: &[u8]) -> Option<Ts> {
    let mut owned = None;
    let answer = read_plain(body, &mut owned, Frame::read)?;
    answer.sent.or_else(|| Millis::of(answer.result).ts())
}
