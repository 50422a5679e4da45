//! REST routes of Coinbase Advanced, public part.

use crate::Venue;
use crate::num::Text;
use crate::server::coinbase::canonical;
use crate::server::core::ServerCore;
use crate::server::query::{QueryString, Reply};
use crate::wire::coinbase as wire;
use crate::wire::usdm_rest::list;
use crate::world::candles::HistoryWindow;
use crate::world::market::TradedMarket;

type Answer = Result<Reply, Reply>;

const VENUE: Venue = Venue::Coinbase;
/// Candles that one request may span.
const CANDLES_MAX: i64 = 350;
const GRANULARITIES: [(&str, i64); 9] = [
    ("ONE_MINUTE", 60),
    ("FIVE_MINUTE", 300),
    ("FIFTEEN_MINUTE", 900),
    ("THIRTY_MINUTE", 1_800),
    ("ONE_HOUR", 3_600),
    ("TWO_HOUR", 7_200),
    ("FOUR_HOUR", 14_400),
    ("SIX_HOUR", 21_600),
    ("ONE_DAY", 86_400),
];

/// Answers a request.
pub(crate) fn answer(core: &ServerCore, path: &str, query: &QueryString) -> Reply {
    let Some(path) = path.strip_prefix("/api/v3/brokerage") else { return Reply::absent("Path not found") };
    let rows_only = core.world.markets.iter().any(|m| m.spec.venue == VENUE && m.is_history());
    let answer = match path {
        "/market/product_book" if rows_only => Err(refused(404, "NOT_OFFERED", "this world has bars only")),
        path if rows_only && path.ends_with("/ticker") => Err(refused(404, "NOT_OFFERED", "this world has bars only")),
        "/time" => Ok(time(core)),
        "/market/products" => products(core, query),
        "/market/product_book" => product_book(core, query),
        _ => match path.strip_prefix("/market/products/").map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
            Some((name, "")) => product(core, name).map(|m| write(core, |t, _| wire::product(t, m))),
            Some((name, "candles")) => candles(core, name, query),
            Some((name, "ticker")) => ticker(core, name, query),
            _ => Err(Reply::absent("Path not found")),
        },
    };
    answer.unwrap_or_else(|refused| refused)
}

fn write(core: &ServerCore, body: impl FnOnce(&mut Text, i64)) -> Reply {
    core.written(VENUE, body)
}

fn refused(status: u16, error: &str, text: &str) -> Reply {
    let mut t = Text::default();
    t.s("{\"error\":\"").s(error).s("\",\"error_details\":\"").s(text).s("\",\"message\":\"").s(text).s("\"}");
    Reply::new(status, t.bytes)
}

fn invalid(text: &str) -> Reply {
    refused(400, "INVALID_ARGUMENT", text)
}

fn number(query: &QueryString, name: &str) -> Result<Option<i64>, Reply> {
    query.number(name).map_err(|_binance| invalid(&format!("{name} is not a number")))
}

fn product<'a>(core: &'a ServerCore, name: &str) -> Result<&'a TradedMarket, Reply> {
    let found = core.market(VENUE, &canonical(name));
    found.ok_or_else(|| refused(404, "NOT_FOUND", "valid product_id is required"))
}

fn time(core: &ServerCore) -> Reply {
    let skew_ms = core.hub.skew_ms(VENUE);
    write(core, |t, ms| {
        t.s("{\"iso\":\"").iso(ms).s("\",\"epochSeconds\":\"").n((ms + skew_ms) / 1_000);
        t.s("\",\"epochMillis\":\"").ms(ms).s("\"}");
    })
}

fn products(core: &ServerCore, query: &QueryString) -> Answer {
    let all = core.world.markets.iter().filter(|m| m.spec.venue == VENUE);
    let futures = query.get("product_type").is_some_and(|kind| kind != "SPOT");
    let offset = crate::num::index(number(query, "offset")?.unwrap_or(0));
    let limit = number(query, "limit")?.map_or(usize::MAX, crate::num::index);
    let chosen: Vec<&TradedMarket> = all.filter(|_| !futures).skip(offset).take(limit).collect();
    Ok(write(core, |t, _| {
        t.s("{\"products\":");
        list(t, &chosen, |t, m| wire::product(t, m));
        t.s(",\"num_products\":").u(chosen.len() as u64).s("}");
    }))
}

fn product_book(core: &ServerCore, query: &QueryString) -> Answer {
    let market = product(core, query.get("product_id").unwrap_or_default())?;
    let limit = number(query, "limit")?.map_or(usize::MAX, crate::num::index);
    Ok(write(core, |t, ms| wire::product_book(t, market, limit, ms)))
}

fn candles(core: &ServerCore, name: &str, query: &QueryString) -> Answer {
    let market = product(core, name)?;
    let wanted = query.get("granularity").unwrap_or_default();
    let granularity = GRANULARITIES.iter().find(|g| g.0 == wanted);
    let (_, seconds) = granularity.ok_or_else(|| invalid("granularity is not supported"))?;
    let (Some(start), Some(end)) = (number(query, "start")?, number(query, "end")?) else {
        return Err(invalid("start and end are required"));
    };
    if (end - start) / seconds > CANDLES_MAX {
        return Err(invalid("number of candles requested should be less than 350"));
    }
    let limit = crate::num::index(number(query, "limit")?.unwrap_or(CANDLES_MAX).clamp(1, CANDLES_MAX));
    let window = HistoryWindow {
        start_ms: Some(start * 1_000),
        end_ms: Some(end * 1_000),
        limit: crate::num::index(CANDLES_MAX + 1),
    };
    if market.script.as_ref().is_some_and(|s| !s.has_length(seconds * 1_000)) {
        return Err(refused(404, "NOT_OFFERED", "this world has candles of its own length and multiples only"));
    }
    let mut bars = market.candles(seconds * 1_000, &window, core.now().as_millis());
    bars.retain(|b| b.trades > 0);
    Ok(write(core, |t, _| {
        t.s("{\"candles\":");
        list(t, bars.iter().rev().take(limit), |t, b| {
            wire::candle(t, &market.spec, b);
            t.s("}");
        });
        t.s("}");
    }))
}

fn ticker(core: &ServerCore, name: &str, query: &QueryString) -> Answer {
    let market = product(core, name)?;
    let limit = crate::num::index(number(query, "limit")?.unwrap_or(100).clamp(1, 1_000));
    Ok(write(core, |t, _| wire::rest_trades(t, market, limit)))
}
