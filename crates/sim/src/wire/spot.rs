//! Frames and bodies of Binance spot: the futures shapes without mark and funding, with eight decimals, and with the
//! rule that an update's first id follows the previous update's last.

use crate::num::Text;
use crate::wire::usdm::{flag, id};
use crate::wire::usdm_rest::list;
use crate::world::bar::TickBar;
use crate::world::book::{BookUpdate, TouchedLevel};
use crate::world::event::{Top, Trade};
use crate::world::market::TradedMarket;
use crate::world::spec::Spec;

const WIDTH: u8 = 8;

fn price(t: &mut Text, spec: &Spec, tick: i64) {
    t.dw(spec.units(tick), spec.price_decimals, WIDTH);
}

fn quantity(t: &mut Text, spec: &Spec, steps: i64) {
    t.dw(steps, spec.quantity_decimals, WIDTH);
}

fn levels(t: &mut Text, spec: &Spec, all: impl Iterator<Item = (i64, i64)>) {
    list(t, all, |t, (tick, steps)| {
        t.s("[\"");
        price(t, spec, tick);
        t.s("\",\"");
        quantity(t, spec, steps);
        t.s("\"]");
    });
}

pub(crate) fn agg_trade(t: &mut Text, spec: &Spec, trade: &Trade, event_ms: i64) {
    t.s("{\"e\":\"aggTrade\",\"E\":").ms(event_ms).s(",\"s\":\"").s(&spec.symbol).s("\",");
    agg_fields(t, spec, trade);
}

/// A row of REST; the frame has the same fields after three of its own.
pub(crate) fn agg_row(t: &mut Text, spec: &Spec, trade: &Trade) {
    t.s("{");
    agg_fields(t, spec, trade);
}

fn agg_fields(t: &mut Text, spec: &Spec, trade: &Trade) {
    t.s("\"a\":").u(trade.aggregate_id).s(",\"p\":\"");
    price(t, spec, trade.tick);
    t.s("\",\"q\":\"");
    quantity(t, spec, trade.quantity);
    t.s("\",\"f\":").u(trade.first_id).s(",\"l\":").u(trade.last_id).s(",\"T\":").ms(trade.ms);
    t.s(",\"m\":").s(flag(trade.buyer_is_maker)).s(",\"M\":true}");
}

pub(crate) fn trade(t: &mut Text, spec: &Spec, trade: &Trade, id: u64, steps: i64, event_ms: i64) {
    t.s("{\"e\":\"trade\",\"E\":").ms(event_ms).s(",\"s\":\"").s(&spec.symbol).s("\",\"t\":").u(id).s(",\"p\":\"");
    price(t, spec, trade.tick);
    t.s("\",\"q\":\"");
    quantity(t, spec, steps);
    t.s("\",\"T\":").ms(trade.ms).s(",\"m\":").s(flag(trade.buyer_is_maker)).s(",\"M\":true}");
}

pub(crate) fn trade_row(t: &mut Text, spec: &Spec, trade: &Trade, id: u64, steps: i64) {
    t.s("{\"id\":").u(id).s(",\"price\":\"");
    price(t, spec, trade.tick);
    t.s("\",\"qty\":\"");
    quantity(t, spec, steps);
    t.s("\",\"quoteQty\":\"").f(spec.price(trade.tick) * spec.quantity(steps), 8).s("\",\"time\":").ms(trade.ms);
    t.s(",\"isBuyerMaker\":").s(flag(trade.buyer_is_maker)).s(",\"isBestMatch\":true}");
}

/// No time at all: the venue has none here.
pub(crate) fn book_ticker(t: &mut Text, spec: &Spec, top: &Top) {
    t.s("{\"u\":").u(top.id).s(",\"s\":\"").s(&spec.symbol);
    best(t, spec, top, ["b", "B", "a", "A"]);
    t.s("\"}");
}

/// Ends the text before, then the best prices under the names given; the last text stays open.
fn best(t: &mut Text, spec: &Spec, top: &Top, names: [&str; 4]) {
    for (name, side) in [(&names[..2], top.bid), (&names[2..], top.ask)] {
        t.s("\",\"").s(name[0]).s("\":\"");
        price(t, spec, side.0);
        t.s("\",\"").s(name[1]).s("\":\"");
        quantity(t, spec, side.1);
    }
}

pub(crate) fn depth_update(
    t: &mut Text,
    market: &TradedMarket,
    update: &BookUpdate,
    changed: &[TouchedLevel],
    event_ms: i64,
) {
    let (spec, book) = (&market.spec, &market.book);
    t.s("{\"e\":\"depthUpdate\",\"E\":").ms(event_ms).s(",\"s\":\"").s(&spec.symbol);
    t.s("\",\"U\":").u(update.first_id).s(",\"u\":").u(update.last_id).s(",\"b\":");
    let (bids, asks) = changed.split_at(changed.partition_point(|c| c.0));
    levels(t, spec, bids.iter().map(|(_, tick)| (*tick, book.bids.quantity(*tick))));
    t.s(",\"a\":");
    levels(t, spec, asks.iter().map(|(_, tick)| (*tick, book.asks.quantity(*tick))));
    t.s("}");
}

/// Body of `/depth` and payload of the partial streams: no symbol, no time.
pub(crate) fn depth(t: &mut Text, market: &TradedMarket, limit: usize) {
    t.s("{\"lastUpdateId\":").u(market.book.last_id).s(",\"bids\":");
    levels(t, &market.spec, market.book.bids.iter().take(limit));
    t.s(",\"asks\":");
    levels(t, &market.spec, market.book.asks.iter().take(limit));
    t.s("}");
}

pub(crate) fn kline(t: &mut Text, spec: &Spec, bar: &TickBar, interval: (&str, i64), closed: bool, event_ms: i64) {
    let (name, length_ms) = interval;
    t.s("{\"e\":\"kline\",\"E\":").ms(event_ms).s(",\"s\":\"").s(&spec.symbol).s("\",\"k\":{\"t\":").n(bar.open_ms);
    t.s(",\"T\":").n(bar.open_ms + length_ms - 1).s(",\"s\":\"").s(&spec.symbol).s("\",\"i\":\"").s(name);
    let (first, last) = bar.ids.map_or((-1, -1), |(f, l)| (id(f), id(l)));
    t.s("\",\"f\":").n(first).s(",\"L\":").n(last);
    for (field, tick) in [("o", bar.open), ("c", bar.close), ("h", bar.high), ("l", bar.low)] {
        t.s(",\"").s(field).s("\":\"");
        price(t, spec, tick);
        t.s("\"");
    }
    t.s(",\"v\":\"");
    quantity(t, spec, bar.volume);
    t.s("\",\"n\":").n(bar.trades).s(",\"x\":").s(flag(closed)).s(",\"q\":\"").f(bar.quote_volume, 8).s("\",\"V\":\"");
    quantity(t, spec, bar.taker_buy);
    t.s("\",\"Q\":\"").f(bar.taker_buy_quote, 8).s("\",\"B\":\"0\"}}");
}

/// Change, percent and average under the names given; the last text stays open.
fn change(t: &mut Text, spec: &Spec, day: &TickBar, names: [&str; 3]) {
    let percent = if day.open == 0 { 0.0 } else { (day.close - day.open) as f64 / day.open as f64 * 100.0 };
    let average = if day.volume == 0 { spec.price(day.close) } else { day.quote_volume / spec.quantity(day.volume) };
    t.s("\",\"").s(names[0]).s("\":\"");
    price(t, spec, day.close - day.open);
    t.s("\",\"").s(names[1]).s("\":\"").f(percent, 3);
    t.s("\",\"").s(names[2]).s("\":\"").f(average, 8);
}

fn top(market: &TradedMarket) -> Top {
    let (bid, ask) = market.book.top().unwrap_or_default();
    Top { id: market.book.last_id, bid, ask, ms: 0 }
}

pub(crate) fn ticker(t: &mut Text, market: &TradedMarket, event_ms: i64) {
    let (spec, day) = (&market.spec, market.day());
    t.s("{\"e\":\"24hrTicker\",\"E\":").ms(event_ms).s(",\"s\":\"").s(&spec.symbol);
    change(t, spec, &day, ["p", "P", "w"]);
    for (name, tick) in [("x", day.open), ("c", day.close)] {
        t.s("\",\"").s(name).s("\":\"");
        price(t, spec, tick);
    }
    t.s("\",\"Q\":\"");
    quantity(t, spec, market.trades.back().map_or(0, |x| x.quantity));
    best(t, spec, &top(market), ["b", "B", "a", "A"]);
    day_fields(t, spec, &day, ["o", "h", "l", "v", "q"]);
    let (first, last) = day.ids.map_or((0, 0), |(f, l)| (id(f), id(l)));
    t.s("\",\"O\":").ms(day.open_ms).s(",\"C\":").ms(event_ms).s(",\"F\":").n(first).s(",\"L\":").n(last);
    t.s(",\"n\":").n(day.trades).s("}");
}

fn day_fields(t: &mut Text, spec: &Spec, day: &TickBar, names: [&str; 5]) {
    for (name, tick) in [(names[0], day.open), (names[1], day.high), (names[2], day.low)] {
        t.s("\",\"").s(name).s("\":\"");
        price(t, spec, tick);
    }
    t.s("\",\"").s(names[3]).s("\":\"");
    quantity(t, spec, day.volume);
    t.s("\",\"").s(names[4]).s("\":\"").f(day.quote_volume, 8);
}

pub(crate) fn ticker_24h(t: &mut Text, market: &TradedMarket, now_ms: i64) {
    let (spec, day) = (&market.spec, market.day());
    t.s("{\"symbol\":\"").s(&spec.symbol);
    change(t, spec, &day, ["priceChange", "priceChangePercent", "weightedAvgPrice"]);
    for (name, tick) in [("prevClosePrice", day.open), ("lastPrice", day.close)] {
        t.s("\",\"").s(name).s("\":\"");
        price(t, spec, tick);
    }
    t.s("\",\"lastQty\":\"");
    quantity(t, spec, market.trades.back().map_or(0, |x| x.quantity));
    best(t, spec, &top(market), ["bidPrice", "bidQty", "askPrice", "askQty"]);
    day_fields(t, spec, &day, ["openPrice", "highPrice", "lowPrice", "volume", "quoteVolume"]);
    let (first, last) = day.ids.map_or((0, 0), |(f, l)| (id(f), id(l)));
    t.s("\",\"openTime\":").ms(day.open_ms).s(",\"closeTime\":").ms(now_ms).s(",\"firstId\":").n(first);
    t.s(",\"lastId\":").n(last).s(",\"count\":").n(day.trades).s("}");
}

pub(crate) fn last_price(t: &mut Text, market: &TradedMarket, _now_ms: i64) {
    t.s("{\"symbol\":\"").s(&market.spec.symbol).s("\",\"price\":\"");
    price(t, &market.spec, market.last_tick());
    t.s("\"}");
}

pub(crate) fn book_ticker_row(t: &mut Text, market: &TradedMarket, _now_ms: i64) {
    t.s("{\"symbol\":\"").s(&market.spec.symbol);
    best(t, &market.spec, &top(market), ["bidPrice", "bidQty", "askPrice", "askQty"]);
    t.s("\"}");
}

pub(crate) fn exchange_info<'a>(t: &mut Text, markets: impl Iterator<Item = &'a TradedMarket>, now_ms: i64) {
    t.s("{\"timezone\":\"UTC\",\"serverTime\":").ms(now_ms);
    t.s(",\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1,\"limit\":6000},");
    t.s("{\"rateLimitType\":\"RAW_REQUESTS\",\"interval\":\"MINUTE\",\"intervalNum\":5,\"limit\":300000}],\"exchangeFilters\":[],\"symbols\":");
    list(t, markets, symbol);
    t.s("}");
}

fn symbol(t: &mut Text, market: &TradedMarket) {
    let spec = &market.spec;
    t.s("{\"symbol\":\"").s(&spec.symbol).s("\",\"status\":\"TRADING\",\"baseAsset\":\"").s(&spec.base);
    t.s("\",\"baseAssetPrecision\":8,\"quoteAsset\":\"").s(&spec.quote);
    t.s("\",\"quoteAssetPrecision\":8,\"isSpotTradingAllowed\":true,\"isMarginTradingAllowed\":true,");
    t.s("\"permissionSets\":[[\"SPOT\",\"MARGIN\"]],\"permissions\":[],\"filters\":[{\"filterType\":\"PRICE_FILTER\",\"minPrice\":\"");
    t.dw(spec.tick, spec.price_decimals, WIDTH).s("\",\"maxPrice\":\"1000000.00000000\",\"tickSize\":\"");
    t.dw(spec.tick, spec.price_decimals, WIDTH).s("\"},{\"filterType\":\"LOT_SIZE\",\"minQty\":\"");
    quantity(t, spec, 1);
    t.s("\",\"maxQty\":\"900000000.00000000\",\"stepSize\":\"");
    quantity(t, spec, 1);
    t.s("\"},{\"filterType\":\"NOTIONAL\",\"minNotional\":\"5.00000000\",\"applyMinToMarket\":true,\"maxNotional\":\"9000000.00000000\",");
    t.s("\"applyMaxToMarket\":false,\"avgPriceMins\":5}]}");
}
