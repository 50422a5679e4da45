//! REST routes of Binance spot.

use crate::Venue;
use crate::num::Text;
use crate::server::core::ServerCore;
use crate::server::limits::Cost;
use crate::server::query::{QueryString, Reply};
use crate::server::rest_usdm::{agg_rows, interval};
use crate::wire::spot as wire;
use crate::wire::usdm_rest::{CandlePrice, kline, list};
use crate::world::market::TradedMarket;

type Answer = Result<Reply, Reply>;

const VENUE: Venue = Venue::BinanceSpot;

fn not_offered() -> Reply {
    Reply::absent("NOT_OFFERED: this world has bars only")
}

/// What a request costs, also when it is refused.
pub(crate) fn cost(path: &str, query: &QueryString) -> Cost {
    let one = query.get("symbol").is_some();
    Cost::Weight(match path {
        "/api/v3/exchangeInfo" => 20,
        "/api/v3/depth" => match query.get("limit").and_then(|l| l.parse::<u32>().ok()).unwrap_or(100) {
            0..=100 => 5,
            101..=500 => 25,
            501..=1_000 => 50,
            _ => 250,
        },
        "/api/v3/trades" => 25,
        "/api/v3/aggTrades" => 4,
        "/api/v3/klines" => 2,
        "/api/v3/ticker/24hr" => {
            if one {
                2
            } else {
                80
            }
        }
        "/api/v3/ticker/price" | "/api/v3/ticker/bookTicker" => {
            if one {
                2
            } else {
                4
            }
        }
        _ => 1,
    })
}

/// Answers a request.
pub(crate) fn answer(core: &ServerCore, path: &str, query: &QueryString) -> Reply {
    let rows_only = markets(core).any(TradedMarket::is_history);
    let answer = match path {
        "/api/v3/depth" | "/api/v3/trades" | "/api/v3/aggTrades" if rows_only => Err(not_offered()),
        path if rows_only && path.starts_with("/api/v3/ticker/") => Err(not_offered()),
        "/api/v3/ping" => Ok(Reply::new(200, b"{}".to_vec())),
        "/api/v3/time" => Ok(write(core, |t, ms| {
            t.s("{\"serverTime\":").ms(ms).s("}");
        })),
        "/api/v3/exchangeInfo" => exchange_info(core, query),
        "/api/v3/depth" => depth(core, query),
        "/api/v3/trades" => trades(core, query),
        "/api/v3/aggTrades" => agg_trades(core, query),
        "/api/v3/klines" => klines(core, query),
        "/api/v3/ticker/24hr" => one_or_all(core, query, wire::ticker_24h),
        "/api/v3/ticker/price" => one_or_all(core, query, wire::last_price),
        "/api/v3/ticker/bookTicker" => one_or_all(core, query, wire::book_ticker_row),
        _ => Err(Reply::absent("Path not found")),
    };
    answer.unwrap_or_else(|refused| refused)
}

fn markets(core: &ServerCore) -> impl Iterator<Item = &TradedMarket> {
    core.world.markets.iter().filter(|m| m.spec.venue == VENUE)
}

fn write(core: &ServerCore, body: impl FnOnce(&mut Text, i64)) -> Reply {
    let mut text = core.text(VENUE);
    body(&mut text, core.now().as_millis());
    Reply::ok(text)
}

fn symbol<'a>(core: &'a ServerCore, query: &QueryString) -> Result<&'a TradedMarket, Reply> {
    let text = query.get("symbol").ok_or_else(|| {
        Reply::refused(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
    })?;
    core.market(VENUE, text).ok_or_else(|| Reply::refused(-1121, "Invalid symbol."))
}

/// The symbols of `symbol`, or of the JSON list `symbols`, or all.
fn chosen<'a>(core: &'a ServerCore, query: &QueryString) -> Result<Vec<&'a TradedMarket>, Reply> {
    if query.get("symbol").is_some() {
        return Ok(vec![symbol(core, query)?]);
    }
    let Some(list) = query.get("symbols") else { return Ok(markets(core).collect()) };
    let names: Vec<String> = serde_json::from_str(list)
        .map_err(|_e| Reply::refused(-1100, "Illegal characters found in parameter 'symbols'."))?;
    let find = |name: &String| core.market(VENUE, name).ok_or_else(|| Reply::refused(-1121, "Invalid symbol."));
    names.iter().map(find).collect()
}

fn one_or_all(core: &ServerCore, query: &QueryString, each: impl Fn(&mut Text, &TradedMarket, i64)) -> Answer {
    let chosen = chosen(core, query)?;
    Ok(write(core, |t, ms| match (&chosen[..], query.get("symbol")) {
        ([market], Some(_)) => each(t, market, ms),
        (all, _) => list(t, all, |t, m| each(t, m, ms)),
    }))
}

fn exchange_info(core: &ServerCore, query: &QueryString) -> Answer {
    let chosen = chosen(core, query)?;
    Ok(write(core, |t, ms| wire::exchange_info(t, chosen.into_iter(), ms)))
}

fn depth(core: &ServerCore, query: &QueryString) -> Answer {
    let market = symbol(core, query)?;
    let limit = usize::try_from(query.number("limit")?.unwrap_or(100)).ok().filter(|l| (1..=5_000).contains(l));
    let limit = limit.ok_or_else(|| Reply::refused(-1130, "Data sent for parameter 'limit' is not valid."))?;
    Ok(write(core, |t, _| wire::depth(t, market, limit)))
}

fn trades(core: &ServerCore, query: &QueryString) -> Answer {
    let market = symbol(core, query)?;
    let limit = query.window(500, 1_000)?.limit;
    let mut rows: Vec<_> =
        market.trades.iter().rev().take(limit).flat_map(|t| t.singles().map(move |s| (t, s))).collect();
    rows.sort_by_key(|(_, (id, _))| *id);
    let newest = rows.iter().skip(rows.len().saturating_sub(limit));
    Ok(write(core, |t, _| list(t, newest, |t, (trade, (id, q))| wire::trade_row(t, &market.spec, trade, *id, *q))))
}

fn agg_trades(core: &ServerCore, query: &QueryString) -> Answer {
    let market = symbol(core, query)?;
    let rows = agg_rows(market, query, &query.window(500, 1_000)?)?;
    Ok(write(core, |t, _| list(t, &rows, |t, r| wire::agg_row(t, &market.spec, r))))
}

fn klines(core: &ServerCore, query: &QueryString) -> Answer {
    let market = symbol(core, query)?;
    let (_, length_ms) = interval(query, "interval", 60_000)?;
    crate::server::rest_usdm::not_in_history(market, length_ms, CandlePrice::Trades)?;
    let bars = market.candles(length_ms, &query.window(500, 1_000)?, core.now().as_millis());
    Ok(write(core, |t, _| list(t, &bars, |t, b| kline(t, &market.spec, b, length_ms, CandlePrice::Trades, 8))))
}
