//! REST routes of Binance USD-M: what is asked, what it costs, what is answered.

use crate::Venue;
use crate::num::Text;
use crate::server::core::ServerCore;
use crate::server::limits::Cost;
use crate::server::query::{QueryString, Reply};
use crate::wire::usdm_rest::{self as wire, CandlePrice, Ratio, list};
use crate::world::bar::INTERVALS;
use crate::world::market::TradedMarket;

type Answer = Result<Reply, Reply>;

const VENUE: Venue = Venue::BinanceUsdm;

/// What a request costs, also when it is refused.
pub(crate) fn cost(path: &str, query: &QueryString) -> Cost {
    let one = query.get("symbol").is_some();
    let limit = query.get("limit").and_then(|l| l.parse::<u32>().ok());
    Cost::Weight(match path {
        "/fapi/v1/fundingRate" | "/fapi/v1/fundingInfo" => return Cost::Funding,
        path if path.starts_with("/futures/data/") => return Cost::Data,
        "/fapi/v1/premiumIndex" if !one => 10,
        "/fapi/v1/klines"
        | "/fapi/v1/markPriceKlines"
        | "/fapi/v1/indexPriceKlines"
        | "/fapi/v1/premiumIndexKlines" => match limit {
            Some(..=100) => 1,
            Some(..=500) => 2,
            None | Some(..=1_000) => 5,
            Some(_) => 10,
        },
        "/fapi/v1/ticker/24hr" => {
            if one {
                1
            } else {
                40
            }
        }
        "/fapi/v1/ticker/bookTicker" => {
            if one {
                2
            } else {
                5
            }
        }
        "/fapi/v1/ticker/price" | "/fapi/v2/ticker/price" => {
            if one {
                1
            } else {
                2
            }
        }
        "/fapi/v1/depth" => match limit {
            None => 1,
            Some(..=50) => 2,
            Some(..=100) => 5,
            Some(..=500) => 10,
            Some(_) => 20,
        },
        "/fapi/v1/aggTrades" => 20,
        "/fapi/v1/trades" => 5,
        _ => 1,
    })
}

/// Answers a request.
pub(crate) fn answer(core: &ServerCore, path: &str, query: &QueryString) -> Reply {
    let answer = match path {
        "/fapi/v1/ping" => Ok(Reply::new(200, b"{}".to_vec())),
        "/fapi/v1/time" => Ok(time(core)),
        "/fapi/v1/exchangeInfo" => Ok(write(core, |t, ms| wire::exchange_info(t, markets(core), ms))),
        "/fapi/v1/premiumIndex" => one_or_all(core, query, wire::premium_index),
        "/fapi/v1/fundingRate" => funding_rate(core, query),
        "/fapi/v1/fundingInfo" => Ok(funding_info(core)),
        "/fapi/v1/openInterest" => open_interest(core, query),
        "/futures/data/openInterestHist" => open_interest_hist(core, query),
        "/futures/data/topLongShortAccountRatio" => ratio(core, query, Ratio::TopAccounts),
        "/futures/data/topLongShortPositionRatio" => ratio(core, query, Ratio::TopPositions),
        "/futures/data/globalLongShortAccountRatio" => ratio(core, query, Ratio::Accounts),
        "/futures/data/takerlongshortRatio" => ratio(core, query, Ratio::Takers),
        "/fapi/v1/klines" => klines(core, query, "symbol", CandlePrice::Trades),
        "/fapi/v1/markPriceKlines" => klines(core, query, "symbol", CandlePrice::Mark),
        "/fapi/v1/premiumIndexKlines" => klines(core, query, "symbol", CandlePrice::Premium),
        "/fapi/v1/indexPriceKlines" => klines(core, query, "pair", CandlePrice::Index),
        "/fapi/v1/ticker/24hr" => traded(core, query).and_then(|()| one_or_all(core, query, wire::ticker_24h)),
        "/fapi/v1/ticker/bookTicker" => traded(core, query).and_then(|()| one_or_all(core, query, wire::book_ticker)),
        "/fapi/v1/ticker/price" | "/fapi/v2/ticker/price" => {
            traded(core, query).and_then(|()| one_or_all(core, query, wire::price))
        }
        "/fapi/v1/depth" => traded(core, query).and_then(|()| depth(core, query)),
        "/fapi/v1/aggTrades" => traded(core, query).and_then(|()| agg_trades(core, query)),
        "/fapi/v1/trades" => traded(core, query).and_then(|()| trades(core, query)),
        _ => Err(Reply::absent("Path not found")),
    };
    answer.unwrap_or_else(|refused| refused)
}

/// Refuses what a history does not have.
fn traded(core: &ServerCore, query: &QueryString) -> Result<(), Reply> {
    let asked = query.get("symbol").and_then(|s| core.market(VENUE, s));
    let history = asked.map_or_else(|| markets(core).any(TradedMarket::is_history), TradedMarket::is_history);
    if history { Err(Reply::absent("NOT_OFFERED: this world has bars only")) } else { Ok(()) }
}

/// The newest open interest; a history may have none yet, or none at all.
fn open_interest(core: &ServerCore, query: &QueryString) -> Answer {
    let market = symbol(core, query)?;
    let now_ms = core.now().as_millis();
    let (steps, ms) = match &market.script {
        None => (market.perp.as_ref().map(|p| p.positions.open_interest()), now_ms),
        Some(script) => {
            let newest = script.newest_open_interest(now_ms);
            (newest.map(|o| o.steps), newest.map_or(now_ms, |o| o.ms))
        }
    };
    let steps = steps.ok_or_else(|| Reply::absent("NOT_OFFERED: no open interest here"))?;
    Ok(write(core, |t, _| wire::open_interest(t, &market.spec, steps, ms)))
}

fn markets(core: &ServerCore) -> impl Iterator<Item = &TradedMarket> {
    core.world.markets.iter().filter(|m| m.spec.venue == VENUE)
}

fn write(core: &ServerCore, body: impl FnOnce(&mut Text, i64)) -> Reply {
    let mut text = core.text(VENUE);
    body(&mut text, core.now().as_millis());
    Reply::ok(text)
}

fn time(core: &ServerCore) -> Reply {
    write(core, |t, ms| {
        t.s("{\"serverTime\":").ms(ms).s("}");
    })
}

fn named<'a>(core: &'a ServerCore, query: &QueryString, name: &str) -> Result<&'a TradedMarket, Reply> {
    let text = query.get(name).ok_or_else(|| {
        let text = format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed.");
        Reply::refused(-1102, &text)
    })?;
    core.market(VENUE, text).ok_or_else(|| Reply::refused(-1121, "Invalid symbol."))
}

fn symbol<'a>(core: &'a ServerCore, query: &QueryString) -> Result<&'a TradedMarket, Reply> {
    named(core, query, "symbol")
}

fn one_or_all(core: &ServerCore, query: &QueryString, each: impl Fn(&mut Text, &TradedMarket, i64)) -> Answer {
    if query.get("symbol").is_some() {
        let market = symbol(core, query)?;
        return Ok(write(core, |t, ms| each(t, market, ms)));
    }
    Ok(write(core, |t, ms| list(t, markets(core), |t, m| each(t, m, ms))))
}

fn funding_rate(core: &ServerCore, query: &QueryString) -> Answer {
    let window = query.window(100, 1_000)?;
    if query.get("symbol").is_some() {
        let market = symbol(core, query)?;
        let rows = market.funding(&window, core.now().as_millis());
        return Ok(write(core, |t, _| list(t, &rows, |t, r| wire::funding_rate(t, &market.spec.symbol, r))));
    }
    let mut all: Vec<(&str, _)> = markets(core)
        .flat_map(|m| m.funding(&window, core.now().as_millis()).into_iter().map(|r| (m.spec.symbol.as_str(), r)))
        .collect();
    all.sort_by_key(|(_, r)| r.ms);
    let skipped = if window.start_ms.is_some() { 0 } else { all.len().saturating_sub(window.limit) };
    let rows = all.iter().skip(skipped).take(window.limit);
    Ok(write(core, |t, _| list(t, rows, |t, (name, r)| wire::funding_rate(t, name, r))))
}

fn funding_info(core: &ServerCore) -> Reply {
    let adjusted = markets(core).filter(|m| m.spec.funding_interval_h != 8);
    write(core, |t, _| list(t, adjusted, |t, m| wire::funding_info(t, &m.spec)))
}

/// The name and length of the parameter `interval` or `period`.
pub(crate) fn interval(query: &QueryString, name: &str, shortest_ms: i64) -> Result<(&'static str, i64), Reply> {
    let wanted = query.get(name).unwrap_or_default();
    let found = INTERVALS.iter().find(|(n, length_ms)| *n == wanted && *length_ms >= shortest_ms);
    found.copied().ok_or_else(|| Reply::refused(-1120, "Invalid interval."))
}

fn open_interest_hist(core: &ServerCore, query: &QueryString) -> Answer {
    let market = symbol(core, query)?;
    let (_, length_ms) = interval(query, "period", 300_000)?;
    let mut window = query.window(30, 500)?;
    // Rows are stamped with the beginning of a period and hold the value of its end.
    window.start_ms = window.start_ms.map(|ms| ms + length_ms);
    window.end_ms = window.end_ms.map(|ms| ms + length_ms);
    let rows = market.open_interest(length_ms, &window, core.now().as_millis());
    Ok(write(core, |t, _| list(t, &rows, |t, r| wire::open_interest_hist(t, &market.spec, r, length_ms))))
}

/// As rows of open interest: stamped with the beginning of a period, for its end.
fn ratio(core: &ServerCore, query: &QueryString, what: Ratio) -> Answer {
    let market = symbol(core, query)?;
    let (_, length_ms) = interval(query, "period", 300_000)?;
    let mut window = query.window(30, 500)?;
    window.start_ms = window.start_ms.map(|ms| ms + length_ms);
    window.end_ms = window.end_ms.map(|ms| ms + length_ms);
    let rows = market.open_interest(length_ms, &window, core.now().as_millis());
    Ok(write(core, |t, _| list(t, &rows, |t, r| wire::ratio(t, &market.spec, r.ms - length_ms, what))))
}

fn klines(core: &ServerCore, query: &QueryString, name: &str, what: CandlePrice) -> Answer {
    let market = named(core, query, name)?;
    let (_, length_ms) = interval(query, "interval", 60_000)?;
    let window = query.window(500, 1_500)?;
    not_in_history(market, length_ms, what)?;
    let bars = market.candles(length_ms, &window, core.now().as_millis());
    Ok(write(core, |t, _| list(t, &bars, |t, b| wire::kline(t, &market.spec, b, length_ms, what, 0))))
}

/// Candles that rows cannot give: shorter ones, and those of mark, index and premium.
pub(crate) fn not_in_history(market: &TradedMarket, length_ms: i64, what: CandlePrice) -> Result<(), Reply> {
    match &market.script {
        Some(script) if what != CandlePrice::Trades || !script.has_length(length_ms) => {
            Err(Reply::absent("NOT_OFFERED: this world has candles of its own length and multiples only"))
        }
        _ => Ok(()),
    }
}

fn depth(core: &ServerCore, query: &QueryString) -> Answer {
    let market = symbol(core, query)?;
    let limit = query.number("limit")?.unwrap_or(500);
    let limit = [5, 10, 20, 50, 100, 500, 1_000_usize].into_iter().find(|l| i64::try_from(*l) == Ok(limit));
    let limit = limit.ok_or_else(|| Reply::refused(-4021, "Invalid depth limit."))?;
    Ok(write(core, |t, ms| wire::depth(t, market, limit, ms)))
}

fn agg_trades(core: &ServerCore, query: &QueryString) -> Answer {
    let market = symbol(core, query)?;
    let window = query.window(500, 1_000)?;
    if window.start_ms.is_some_and(|s| s < core.now().as_millis() - 48 * 3_600_000) {
        return Err(Reply::refused(-4166, "Search window is restricted to recent 48 hours."));
    }
    let rows = agg_rows(market, query, &window)?;
    Ok(write(core, |t, _| list(t, &rows, |t, r| wire::agg_trade(t, &market.spec, r))))
}

/// Aggregate trades from an id on, or of a window. Only what the server still remembers.
pub(crate) fn agg_rows(
    market: &TradedMarket,
    query: &QueryString,
    window: &crate::world::candles::HistoryWindow,
) -> Result<Vec<crate::world::event::Trade>, Reply> {
    let from_id = query.number("fromId")?.map(crate::num::natural);
    let rows: Vec<_> =
        market.trades.iter().filter(|t| from_id.is_none_or(|id| t.aggregate_id >= id)).copied().collect();
    let mut window = *window;
    if from_id.is_some() {
        // Paging by id goes forward, like paging from a start.
        window.start_ms = Some(i64::MIN);
    }
    Ok(window.of(&rows, |t| t.ms))
}

fn trades(core: &ServerCore, query: &QueryString) -> Answer {
    let market = symbol(core, query)?;
    let window = query.window(500, 1_000)?;
    let rows: Vec<_> =
        market.trades.iter().rev().take(window.limit).flat_map(|t| t.singles().map(move |s| (t, s))).collect();
    let mut rows = rows;
    rows.sort_by_key(|(_, (id, _))| *id);
    let skipped = rows.len().saturating_sub(window.limit);
    let newest = rows.iter().skip(skipped);
    Ok(write(core, |t, _| list(t, newest, |t, (trade, (id, q))| wire::trade(t, &market.spec, trade, *id, *q))))
}
