//! Frames and bodies of Coinbase Advanced. Every frame is numbered per connection: its place stays open here.

use crate::num::Text;
use crate::wire::usdm_rest::list;
use crate::world::bar::TickBar;
use crate::world::book::TouchedLevel;
use crate::world::event::Trade;
use crate::world::market::TradedMarket;
use crate::world::spec::Spec;

/// `{"channel":…,"sequence_num":` the number, `,"events":[`.
fn head(t: &mut Text, channel: &str, now_ms: i64) {
    t.s("{\"channel\":\"").s(channel).s("\",\"client_id\":\"\",\"timestamp\":\"").iso(now_ms);
    t.s("\",\"sequence_num\":").number_here().s(",\"events\":[");
}

/// The complete set of subscriptions of a connection.
pub(crate) fn subscriptions(t: &mut Text, channels: &[(String, Vec<String>)], now_ms: i64) {
    head(t, "subscriptions", now_ms);
    t.s("{\"subscriptions\":{");
    for (n, (channel, products)) in channels.iter().enumerate() {
        t.s(if n == 0 { "\"" } else { ",\"" }).s(channel).s("\":");
        list(t, products, |t, p| {
            t.s("\"").s(p).s("\"");
        });
    }
    t.s("}}]}");
}

pub(crate) fn book_snapshot(t: &mut Text, market: &TradedMarket, now_ms: i64) {
    let spec = &market.spec;
    head(t, "l2_data", now_ms);
    t.s("{\"type\":\"snapshot\",\"product_id\":\"").s(&spec.symbol).s("\",\"updates\":");
    let bids = market.book.bids.iter().map(|l| ("bid", l));
    let asks = market.book.asks.iter().map(|l| ("offer", l));
    list(t, bids.chain(asks), |t, (side, (tick, steps))| level(t, spec, side, None, tick, steps));
    t.s("}]}");
}

pub(crate) fn book_update(t: &mut Text, market: &TradedMarket, changed: &[TouchedLevel], now_ms: i64) {
    let spec = &market.spec;
    head(t, "l2_data", now_ms);
    t.s("{\"type\":\"update\",\"product_id\":\"").s(&spec.symbol).s("\",\"updates\":");
    list(t, changed, |t, (bid, tick)| {
        let (side, ladder) = if *bid { ("bid", &market.book.bids) } else { ("offer", &market.book.asks) };
        level(t, spec, side, Some(now_ms), *tick, ladder.quantity(*tick));
    });
    t.s("}]}");
}

/// The venue stamps the levels of a snapshot with the epoch.
fn level(t: &mut Text, spec: &Spec, side: &str, at_ms: Option<i64>, tick: i64, steps: i64) {
    t.s("{\"side\":\"").s(side).s("\",\"event_time\":\"");
    match at_ms {
        Some(ms) => t.iso(ms),
        None => t.s("1970-01-01T00:00:00Z"),
    };
    t.s("\",\"price_level\":\"").d(spec.units(tick), spec.price_decimals).s("\",\"new_quantity\":\"");
    if steps == 0 {
        t.s("0")
    } else {
        t.d(steps, spec.quantity_decimals)
    };
    t.s("\"}");
}

/// Newest first, as the venue lists them. `side` is the maker's.
pub(crate) fn trades<'a>(t: &mut Text, spec: &Spec, kind: &str, trades: impl Iterator<Item = &'a Trade>, now_ms: i64) {
    head(t, "market_trades", now_ms);
    t.s("{\"type\":\"").s(kind).s("\",\"trades\":");
    let singles = trades.flat_map(|trade| trade.singles().map(move |s| (trade, s)));
    list(t, singles, |t, (trade, (id, steps))| {
        single(t, spec, trade, id, steps);
        t.s("}");
    });
    t.s("}]}");
}

fn single(t: &mut Text, spec: &Spec, trade: &Trade, id: u64, steps: i64) {
    t.s("{\"trade_id\":\"").u(id).s("\",\"product_id\":\"").s(&spec.symbol);
    t.s("\",\"price\":\"").d(spec.units(trade.tick), spec.price_decimals);
    t.s("\",\"size\":\"").d(steps, spec.quantity_decimals);
    let side = if trade.buyer_is_maker { "BUY" } else { "SELL" };
    // The order of the last two differs between socket and REST; a map does not care.
    t.s("\",\"side\":\"").s(side).s("\",\"time\":\"").iso(trade.ms).s("\"");
}

pub(crate) fn ticker(t: &mut Text, market: &TradedMarket, channel: &str, kind: &str, now_ms: i64) {
    let (spec, day) = (&market.spec, market.day());
    head(t, channel, now_ms);
    t.s("{\"type\":\"").s(kind).s("\",\"tickers\":[{\"type\":\"ticker\",\"product_id\":\"").s(&spec.symbol);
    t.s("\",\"price\":\"").d(spec.units(market.last_tick()), spec.price_decimals);
    t.s("\",\"volume_24_h\":\"").d(day.volume, spec.quantity_decimals);
    for (field, tick) in
        [("low_24_h", day.low), ("high_24_h", day.high), ("low_52_w", day.low), ("high_52_w", day.high)]
    {
        t.s("\",\"").s(field).s("\":\"").d(spec.units(tick), spec.price_decimals);
    }
    t.s("\",\"price_percent_chg_24_h\":\"").f(percent(&day), 8);
    // The batched form carries no best prices.
    if let Some(((bid, bid_steps), (ask, ask_steps))) = market.book.top().filter(|_| channel == "ticker") {
        t.s("\",\"best_bid\":\"").d(spec.units(bid), spec.price_decimals);
        t.s("\",\"best_bid_quantity\":\"").d(bid_steps, spec.quantity_decimals);
        t.s("\",\"best_ask\":\"").d(spec.units(ask), spec.price_decimals);
        t.s("\",\"best_ask_quantity\":\"").d(ask_steps, spec.quantity_decimals);
    }
    t.s("\"}]}]}");
}

fn percent(day: &TickBar) -> f64 {
    if day.open == 0 { 0.0 } else { (day.close - day.open) as f64 / day.open as f64 * 100.0 }
}

/// Five-minute candles of one product, newest first.
pub(crate) fn candles(t: &mut Text, spec: &Spec, kind: &str, bars: &[TickBar], now_ms: i64) {
    head(t, "candles", now_ms);
    t.s("{\"type\":\"").s(kind).s("\",\"candles\":");
    list(t, bars.iter().rev(), |t, bar| {
        candle(t, spec, bar);
        t.s(",\"product_id\":\"").s(&spec.symbol).s("\"}");
    });
    t.s("}]}");
}

/// Without the closing brace.
pub(crate) fn candle(t: &mut Text, spec: &Spec, bar: &TickBar) {
    t.s("{\"start\":\"").n(bar.open_ms / 1_000);
    for (field, tick) in [("low", bar.low), ("high", bar.high), ("open", bar.open), ("close", bar.close)] {
        t.s("\",\"").s(field).s("\":\"").d(spec.units(tick), spec.price_decimals);
    }
    t.s("\",\"volume\":\"").d(bar.volume, spec.quantity_decimals).s("\"");
}

pub(crate) fn heartbeat(t: &mut Text, counter: i64, now_ms: i64) {
    head(t, "heartbeats", now_ms);
    // The time in the format of the venue's language, which nobody should parse.
    let mut time = Text::skewed(t.skew_ms);
    time.iso(now_ms);
    let time = String::from_utf8_lossy(&time.bytes).replace('T', " ").replace('Z', "000");
    t.s("{\"current_time\":\"")
        .s(&time)
        .s(" +0000 UTC m=+")
        .n(counter)
        .s(".000000000\",\"heartbeat_counter\":")
        .n(counter);
    t.s("}]}");
}

pub(crate) fn status<'a>(t: &mut Text, kind: &str, markets: impl Iterator<Item = &'a TradedMarket>, now_ms: i64) {
    head(t, "status", now_ms);
    t.s("{\"type\":\"").s(kind).s("\",\"products\":");
    list(t, markets, |t, m| {
        let spec = &m.spec;
        t.s("{\"product_type\":\"SPOT\",\"id\":\"").s(&spec.symbol).s("\",\"base_currency\":\"").s(&spec.base);
        t.s("\",\"quote_currency\":\"").s(&spec.quote).s("\",\"base_increment\":\"").d(1, spec.quantity_decimals);
        t.s("\",\"quote_increment\":\"").d(spec.tick, spec.price_decimals).s("\",\"display_name\":\"").s(&spec.base);
        t.s("/").s(&spec.quote).s("\",\"status\":\"online\",\"status_message\":\"\",\"min_market_funds\":\"1\"}");
    });
    t.s("}]}");
}

/// A product of REST; `alias_to` is the pair that is another name of it.
pub(crate) fn product(t: &mut Text, market: &TradedMarket) {
    let (spec, day) = (&market.spec, market.day());
    t.s("{\"product_id\":\"")
        .s(&spec.symbol)
        .s("\",\"price\":\"")
        .d(spec.units(market.last_tick()), spec.price_decimals);
    t.s("\",\"price_percentage_change_24h\":\"").f(percent(&day), 8);
    t.s("\",\"volume_24h\":\"").d(day.volume, spec.quantity_decimals);
    t.s("\",\"base_increment\":\"").d(1, spec.quantity_decimals);
    for field in ["quote_increment", "price_increment"] {
        t.s("\",\"").s(field).s("\":\"").d(spec.tick, spec.price_decimals);
    }
    t.s("\",\"quote_min_size\":\"1\",\"quote_max_size\":\"50000000\",\"base_min_size\":\"")
        .d(1, spec.quantity_decimals);
    t.s("\",\"base_max_size\":\"34000000\",\"status\":\"online\",\"cancel_only\":false,\"limit_only\":false,\"post_only\":false,");
    t.s("\"trading_disabled\":false,\"auction_mode\":false,\"view_only\":false,\"is_disabled\":false,\"product_type\":\"SPOT\",");
    t.s("\"product_venue\":\"CBE\",\"quote_currency_id\":\"")
        .s(&spec.quote)
        .s("\",\"base_currency_id\":\"")
        .s(&spec.base);
    t.s("\",\"alias\":\"\",\"alias_to\":[\"").s(&spec.base).s("-USDC\"],\"fcm_trading_session_details\":null}");
}

pub(crate) fn product_book(t: &mut Text, market: &TradedMarket, limit: usize, now_ms: i64) {
    let spec = &market.spec;
    t.s("{\"pricebook\":{\"product_id\":\"").s(&spec.symbol).s("\"");
    let sides = [("bids", &market.book.bids), ("asks", &market.book.asks)];
    for (name, ladder) in sides {
        t.s(",\"").s(name).s("\":");
        list(t, ladder.iter().take(limit), |t, (tick, steps)| {
            t.s("{\"price\":\"").d(spec.units(tick), spec.price_decimals);
            t.s("\",\"size\":\"").d(steps, spec.quantity_decimals).s("\"}");
        });
    }
    let ((bid, _), (ask, _)) = market.book.top().unwrap_or_default();
    let middle = (spec.price(bid) + spec.price(ask)) / 2.0;
    t.s(",\"time\":\"").iso(now_ms).s("\"},\"last\":\"").d(spec.units(market.last_tick()), spec.price_decimals);
    t.s("\",\"mid_market\":\"").f(middle, spec.price_decimals + 1);
    t.s("\",\"spread_bps\":\"").f((spec.price(ask) - spec.price(bid)) / middle * 1e4, 5);
    t.s("\",\"spread_absolute\":\"").d(spec.units(ask - bid), spec.price_decimals).s("\"}");
}

pub(crate) fn rest_trades(t: &mut Text, market: &TradedMarket, limit: usize) {
    let spec = &market.spec;
    let newest = market.trades.iter().rev().take(limit).flat_map(|trade| trade.singles().map(move |s| (trade, s)));
    t.s("{\"trades\":");
    list(t, newest.take(limit), |t, (trade, (id, steps))| {
        single(t, spec, trade, id, steps);
        t.s(",\"bid\":\"\",\"ask\":\"\",\"exchange\":\"coinbase\"}");
    });
    let ((bid, _), (ask, _)) = market.book.top().unwrap_or_default();
    t.s(",\"best_bid\":\"").d(spec.units(bid), spec.price_decimals);
    t.s("\",\"best_ask\":\"").d(spec.units(ask), spec.price_decimals).s("\"}");
}
