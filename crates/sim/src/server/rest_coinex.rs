//! REST routes of CoinEx futures, public part. What is refused is refused with HTTP 200 and a code (sheet section 1).

use crate::Venue;
use crate::num::{Text, index, natural};
use crate::server::core::ServerCore;
use crate::server::depths::depth_of;
use crate::server::query::{QueryString, Reply};
use crate::wire::coinex as wire;
use crate::wire::usdm_rest::list;
use crate::world::candles::HistoryWindow;
use crate::world::market::TradedMarket;
use crate::world::window::DepthWindow;
use barograph_domain::Span;

type Answer = Result<Reply, Reply>;

const VENUE: Venue = Venue::Coinex;
/// Rows of a page of bars or deals at most.
const ROWS_MAX: i64 = 1_000;
/// Rows of a numbered page at most.
const PAGE_MAX: i64 = 100;
const PERIODS: [(&str, i64); 13] = [
    ("1min", 60),
    ("3min", 180),
    ("5min", 300),
    ("15min", 900),
    ("30min", 1_800),
    ("1hour", 3_600),
    ("2hour", 7_200),
    ("4hour", 14_400),
    ("6hour", 21_600),
    ("12hour", 43_200),
    ("1day", 86_400),
    ("3day", 259_200),
    ("1week", 604_800),
];

/// Answers a request.
pub(crate) fn answer(core: &ServerCore, path: &str, query: &QueryString) -> Reply {
    let answer = match path {
        "/v2/ping" => Ok(write(core, |t, _| wire::body(t, None, |t| _ = t.s("{\"result\":\"pong\"}")))),
        "/v2/time" => Ok(write(core, |t, ms| wire::body(t, None, |t| _ = t.s("{\"timestamp\":").ms(ms).s("}")))),
        "/v2/futures/market" => some_or_all(core, query, wire::market),
        "/v2/futures/ticker" => some_or_all(core, query, wire::ticker),
        "/v2/futures/funding-rate" => some_or_all(core, query, wire::funding_rate),
        "/v2/futures/depth" => depth(core, query),
        "/v2/futures/deals" => deals(core, query),
        "/v2/futures/kline" => kline(core, query),
        "/v2/futures/funding-rate-history" => settled(core, query),
        "/v2/futures/liquidation-history" => liquidations(core, query),
        "/v2/futures/premium-index-history" => rates(core, query, "premium_index"),
        "/v2/futures/basis-history" => rates(core, query, "basis_rate"),
        "/v2/futures/position-level" => some_or_all(core, query, wire::tiers),
        _ => Err(Reply::absent("Path not found")),
    };
    answer.unwrap_or_else(|refused| refused)
}

fn write(core: &ServerCore, body: impl FnOnce(&mut Text, i64)) -> Reply {
    core.written(VENUE, body)
}

fn refused(code: i64, text: &str) -> Reply {
    let mut t = Text::default();
    t.s("{\"code\":").n(code).s(",\"data\":{},\"message\":\"").s(text).s("\"}");
    Reply::ok(t)
}

fn malformed(name: &str) -> Reply {
    refused(4_004, &format!("parameter error: {name}"))
}

/// Too many requests (429) or an address that may not ask (418), as the venue answers them: with a code, and with a status where
/// it is the gate before the venue that refuses and names a time.
pub(crate) fn too_many(status: u16, wait: Option<Span>) -> Reply {
    match (status, wait) {
        (418, None) => refused(4_007, "IP prohibited"),
        (418, Some(wait)) => Reply::new(403, b"<html>403 Forbidden</html>".to_vec()).after(wait),
        (_, None) => refused(4_213, "too frequent"),
        (_, Some(wait)) => Reply::new(429, b"<html>429 Too Many Requests</html>".to_vec()).after(wait),
    }
}

fn number(query: &QueryString, name: &str) -> Result<Option<i64>, Reply> {
    query.number(name).map_err(|_binance| malformed(name))
}

/// A number from 1 to a limit.
fn count(query: &QueryString, name: &str, default: i64, most: i64) -> Result<usize, Reply> {
    let given = number(query, name)?.unwrap_or(default);
    if (1..=most).contains(&given) { Ok(index(given)) } else { Err(malformed(name)) }
}

fn market<'a>(core: &'a ServerCore, query: &QueryString) -> Result<&'a TradedMarket, Reply> {
    query.get("market").and_then(|name| core.market(VENUE, name)).ok_or_else(|| malformed("market"))
}

/// The market of a request that asks for what rows of a history do not have.
fn traded<'a>(core: &'a ServerCore, query: &QueryString) -> Result<&'a TradedMarket, Reply> {
    let market = market(core, query)?;
    if market.is_history() { Err(Reply::absent("NOT_OFFERED: this world has bars only")) } else { Ok(market) }
}

/// A row for each market that is named, ten at most, or for all.
fn some_or_all(core: &ServerCore, query: &QueryString, row: impl Fn(&mut Text, &TradedMarket)) -> Answer {
    let names: Vec<&str> = query.get("market").unwrap_or_default().split(',').filter(|n| !n.is_empty()).collect();
    let known = |name: &&str| core.market(VENUE, name).is_some();
    if names.len() > 10 || !names.iter().all(known) {
        return Err(malformed("market"));
    }
    let asked = |m: &&TradedMarket| names.is_empty() || names.iter().any(|n| n.eq_ignore_ascii_case(&m.spec.symbol));
    let rows = core.world.markets.iter().filter(|m| m.spec.venue == VENUE).filter(asked);
    Ok(write(core, |t, _| wire::body(t, None, |t| list(t, rows, row))))
}

fn depth(core: &ServerCore, query: &QueryString) -> Answer {
    let market = traded(core, query)?;
    let depth = number(query, "limit")?.and_then(depth_of).ok_or_else(|| malformed("limit"))?;
    // Prices that are merged are not served.
    if query.get("interval") != Some("0") {
        return Err(malformed("interval"));
    }
    let window = DepthWindow::of(&market.book, depth);
    Ok(write(core, |t, ms| wire::body(t, None, |t| wire::depth(t, market, &window, &window, true, ms))))
}

fn deals(core: &ServerCore, query: &QueryString) -> Answer {
    let market = traded(core, query)?;
    let (limit, known) = (count(query, "limit", 100, ROWS_MAX)?, natural(number(query, "last_id")?.unwrap_or(0)));
    let rows = market.trades.iter().rev().take_while(|t| t.aggregate_id > known).take(limit);
    Ok(write(core, |t, _| wire::body(t, None, |t| wire::deals(t, &market.spec, rows))))
}

/// Oldest first; the last one is still forming.
fn kline(core: &ServerCore, query: &QueryString) -> Answer {
    let market = market(core, query)?;
    let wanted = query.get("period").unwrap_or_default();
    let (_, seconds) = PERIODS.iter().find(|p| p.0 == wanted).ok_or_else(|| malformed("period"))?;
    if query.get("price_type").is_some_and(|kind| kind != "latest_price") {
        return Err(Reply::absent("NOT_OFFERED: candles of trades only"));
    }
    if market.script.as_ref().is_some_and(|s| !s.has_length(seconds * 1_000)) {
        return Err(Reply::absent("NOT_OFFERED: this world has candles of its own length and multiples only"));
    }
    let limit = count(query, "limit", 100, ROWS_MAX)?;
    let window = HistoryWindow { start_ms: number(query, "start_time")?, end_ms: number(query, "end_time")?, limit };
    let bars = market.candles(seconds * 1_000, &window, core.now().as_millis());
    Ok(write(core, |t, _| wire::body(t, None, |t| list(t, &bars, |t, b| wire::kline(t, &market.spec, b)))))
}

/// The rows of the page that is asked for, newest first, of those given oldest first; and whether there is another.
fn page<T: Copy>(query: &QueryString, rows: &[T], ms: impl Fn(&T) -> i64) -> Result<(Vec<T>, bool), Reply> {
    let (limit, number_of) = (count(query, "limit", 10, PAGE_MAX)?, count(query, "page", 1, i64::MAX)?);
    let (start_ms, end_ms) = (number(query, "start_time")?, number(query, "end_time")?);
    let inside = |r: &&T| start_ms.is_none_or(|s| ms(r) >= s) && end_ms.is_none_or(|e| ms(r) <= e);
    let mut newest = rows.iter().rev().filter(inside).skip((number_of - 1).saturating_mul(limit)).copied();
    let rows: Vec<T> = newest.by_ref().take(limit).collect();
    Ok((rows, newest.next().is_some()))
}

fn settled(core: &ServerCore, query: &QueryString) -> Answer {
    let market = market(core, query)?;
    let window = HistoryWindow {
        start_ms: number(query, "start_time")?.or(Some(i64::MIN)),
        end_ms: number(query, "end_time")?,
        limit: usize::MAX,
    };
    let (rows, more) = page(query, &market.funding(&window, core.now().as_millis()), |r| r.ms)?;
    let symbol = &market.spec.symbol;
    Ok(write(core, |t, _| wire::body(t, Some(more), |t| list(t, &rows, |t, r| wire::settled(t, symbol, r)))))
}

/// How far the mark price is from the index: what this world knows of the past is the newest row alone.
fn rates(core: &ServerCore, query: &QueryString, name: &str) -> Answer {
    let market = traded(core, query)?;
    Ok(write(core, |t, ms| wire::body(t, Some(false), |t| wire::rate(t, market, name, ms))))
}

fn liquidations(core: &ServerCore, query: &QueryString) -> Answer {
    let market = traded(core, query)?;
    let all: Vec<_> = market.liquidations.iter().copied().collect();
    let (rows, more) = page(query, &all, |r| r.ms)?;
    Ok(write(core, |t, _| wire::body(t, Some(more), |t| list(t, &rows, |t, r| wire::liquidation(t, &market.spec, r)))))
}
