//! Frames of Binance USD-M: payloads of the market streams, fields in the order of the venue's captures of 2026-10.

use crate::num::Text;
use crate::wire::usdm_rest::maybe;
use crate::world::bar::TickBar;
use crate::world::book::{BookUpdate, TouchedLevel};
use crate::world::event::{Liquidation, Mark, Top, Trade};
use crate::world::market::TradedMarket;
use crate::world::script::MarkSample;
use crate::world::spec::Spec;

/// `[["price","quantity"],…]` of the given levels.
pub(crate) fn levels(t: &mut Text, spec: &Spec, levels: impl Iterator<Item = (i64, i64)>) {
    t.s("[");
    for (n, (tick, steps)) in levels.enumerate() {
        t.s(if n == 0 { "[\"" } else { ",[\"" });
        t.d(spec.units(tick), spec.price_decimals).s("\",\"").d(steps, spec.quantity_decimals).s("\"]");
    }
    t.s("]");
}

pub(crate) fn agg_trade(t: &mut Text, spec: &Spec, trade: &Trade, event_ms: i64) {
    t.s("{\"e\":\"aggTrade\",\"E\":").ms(event_ms).s(",\"a\":").u(trade.aggregate_id);
    t.s(",\"s\":\"").s(&spec.symbol).s("\",\"p\":\"").d(spec.units(trade.tick), spec.price_decimals);
    t.s("\",\"q\":\"").d(trade.quantity, spec.quantity_decimals);
    t.s("\",\"nq\":\"").d(trade.quantity, spec.quantity_decimals);
    t.s("\",\"f\":").u(trade.first_id).s(",\"l\":").u(trade.last_id).s(",\"T\":").ms(trade.ms);
    t.s(",\"m\":").s(flag(trade.buyer_is_maker)).s(",\"st\":1}");
}

/// One single trade. Not in the sheet's captures; fields as the venue documents them for futures.
pub(crate) fn trade(t: &mut Text, spec: &Spec, trade: &Trade, id: u64, quantity: i64, event_ms: i64) {
    t.s("{\"e\":\"trade\",\"E\":").ms(event_ms).s(",\"T\":").ms(trade.ms).s(",\"s\":\"").s(&spec.symbol);
    t.s("\",\"t\":").u(id).s(",\"p\":\"").d(spec.units(trade.tick), spec.price_decimals);
    t.s("\",\"q\":\"")
        .d(quantity, spec.quantity_decimals)
        .s("\",\"X\":\"MARKET\",\"m\":")
        .s(flag(trade.buyer_is_maker));
    t.s(",\"st\":1}");
}

pub(crate) fn book_ticker(t: &mut Text, spec: &Spec, top: &Top) {
    t.s("{\"e\":\"bookTicker\",\"u\":").u(top.id).s(",\"s\":\"").s(&spec.symbol).s("\",\"ps\":\"").s(&spec.symbol);
    t.s("\",\"b\":\"").d(spec.units(top.bid.0), spec.price_decimals);
    t.s("\",\"B\":\"").d(top.bid.1, spec.quantity_decimals);
    t.s("\",\"a\":\"").d(spec.units(top.ask.0), spec.price_decimals);
    t.s("\",\"A\":\"").d(top.ask.1, spec.quantity_decimals);
    t.s("\",\"T\":").ms(top.ms).s(",\"E\":").ms(top.ms).s(",\"st\":1}");
}

pub(crate) fn depth_update(
    t: &mut Text,
    market: &TradedMarket,
    update: &BookUpdate,
    changed: &[TouchedLevel],
    event_ms: i64,
) {
    let spec = &market.spec;
    t.s("{\"e\":\"depthUpdate\",\"E\":").ms(event_ms).s(",\"T\":").ms(event_ms).s(",\"s\":\"").s(&spec.symbol);
    t.s("\",\"ps\":\"").s(&spec.symbol).s("\",\"U\":").u(update.first_id).s(",\"u\":").u(update.last_id);
    t.s(",\"pu\":").u(update.previous_id).s(",\"b\":");
    sides(t, market, changed);
    t.s(",\"st\":1}");
}

/// The changed bids, then `,"a":` and the changed asks.
pub(crate) fn sides(t: &mut Text, market: &TradedMarket, changed: &[TouchedLevel]) {
    let asks_from = changed.partition_point(|c| c.0);
    let (bids, asks) = changed.split_at(asks_from);
    levels(t, &market.spec, bids.iter().map(|(_, tick)| (*tick, market.book.bids.quantity(*tick))));
    t.s(",\"a\":");
    levels(t, &market.spec, asks.iter().map(|(_, tick)| (*tick, market.book.asks.quantity(*tick))));
}

/// The best levels as an event of their own; ids as of the latest change.
pub(crate) fn partial_depth(t: &mut Text, market: &TradedMarket, depth: usize, update: &BookUpdate, event_ms: i64) {
    let spec = &market.spec;
    t.s("{\"e\":\"depthUpdate\",\"E\":").ms(event_ms).s(",\"T\":").ms(event_ms).s(",\"s\":\"").s(&spec.symbol);
    t.s("\",\"ps\":\"").s(&spec.symbol).s("\",\"U\":").u(update.first_id).s(",\"u\":").u(update.last_id);
    t.s(",\"pu\":").u(update.previous_id).s(",\"b\":");
    levels(t, spec, market.book.bids.iter().take(depth));
    t.s(",\"a\":");
    levels(t, spec, market.book.asks.iter().take(depth));
    t.s(",\"st\":1}");
}

/// `kind` is `1` for USD-M; the venue mixes rows of its other market (`2`) into all-market frames.
pub(crate) fn mark_price(t: &mut Text, symbol: &str, mark: &Mark, kind: &str) {
    t.s("{\"e\":\"markPriceUpdate\",\"E\":").ms(mark.ms).s(",\"s\":\"").s(symbol).s("\",\"p\":\"").f(mark.mark, 8);
    t.s("\",\"ap\":\"").f(mark.average, 8).s("\",\"P\":\"").f(mark.settle, 8).s("\",\"i\":\"").f(mark.index, 8);
    t.s("\",\"r\":\"").f(mark.rate, 8).s("\",\"T\":").ms(mark.next_ms).s(",\"st\":").s(kind).s("}");
}

/// A mark of a history: what is not known is the empty text, and 0 for the next settlement.
pub(crate) fn mark_sample(t: &mut Text, symbol: &str, sample: &MarkSample) {
    t.s("{\"e\":\"markPriceUpdate\",\"E\":").ms(sample.ms).s(",\"s\":\"").s(symbol).s("\",\"p\":\"").f(sample.mark, 8);
    t.s("\",\"P\":\"\",\"i\":\"");
    maybe(t, sample.index).s("\",\"r\":\"\",\"T\":0,\"st\":1}");
}

pub(crate) fn force_order(t: &mut Text, spec: &Spec, order: &Liquidation, event_ms: i64) {
    t.s("{\"e\":\"forceOrder\",\"E\":").ms(event_ms).s(",\"o\":{\"s\":\"").s(&spec.symbol).s("\",\"S\":\"");
    t.s(if order.long { "SELL" } else { "BUY" }).s("\",\"o\":\"LIMIT\",\"f\":\"IOC\",\"q\":\"");
    t.d(order.quantity, spec.quantity_decimals).s("\",\"p\":\"").d(spec.units(order.tick), spec.price_decimals);
    t.s("\",\"ap\":\"").d(order.average_units, spec.price_decimals).s("\",\"X\":\"FILLED\",\"l\":\"");
    t.d(order.last_fill, spec.quantity_decimals).s("\",\"z\":\"").d(order.quantity, spec.quantity_decimals);
    t.s("\",\"T\":").ms(order.ms).s("},\"ps\":\"").s(&spec.symbol).s("\",\"st\":1}");
}

pub(crate) fn kline(t: &mut Text, spec: &Spec, bar: &TickBar, interval: (&str, i64), closed: bool, event_ms: i64) {
    let (name, length_ms) = interval;
    t.s("{\"e\":\"kline\",\"E\":").ms(event_ms).s(",\"s\":\"").s(&spec.symbol).s("\",\"k\":{\"t\":").n(bar.open_ms);
    t.s(",\"T\":").n(bar.open_ms + length_ms - 1).s(",\"s\":\"").s(&spec.symbol).s("\",\"i\":\"").s(name);
    let (first, last) = bar.ids.map_or((-1, -1), |(f, l)| (id(f), id(l)));
    t.s("\",\"f\":").n(first).s(",\"L\":").n(last);
    for (field, tick) in [("o", bar.open), ("c", bar.close), ("h", bar.high), ("l", bar.low)] {
        t.s(",\"").s(field).s("\":\"").d(spec.units(tick), spec.price_decimals).s("\"");
    }
    t.s(",\"v\":\"").d(bar.volume, spec.quantity_decimals).s("\",\"n\":").n(bar.trades).s(",\"x\":").s(flag(closed));
    t.s(",\"q\":\"").f(bar.quote_volume, 5).s("\",\"V\":\"").d(bar.taker_buy, spec.quantity_decimals);
    t.s("\",\"Q\":\"").f(bar.taker_buy_quote, 5).s("\",\"B\":\"0\"}}");
}

pub(crate) fn ticker(t: &mut Text, market: &TradedMarket, event_ms: i64) {
    let (spec, day) = (&market.spec, market.day());
    t.s("{\"e\":\"24hrTicker\",\"E\":").ms(event_ms).s(",\"s\":\"").s(&spec.symbol).s("\",\"ps\":\"").s(&spec.symbol);
    change(t, spec, &day, ["p", "P", "w"]);
    t.s(",\"c\":\"").d(spec.units(day.close), spec.price_decimals).s("\",\"Q\":\"");
    t.d(market.trades.back().map_or(0, |x| x.quantity), spec.quantity_decimals);
    for (field, tick) in [("o", day.open), ("h", day.high), ("l", day.low)] {
        t.s("\",\"").s(field).s("\":\"").d(spec.units(tick), spec.price_decimals);
    }
    t.s("\",\"v\":\"").d(day.volume, spec.quantity_decimals).s("\",\"q\":\"").f(day.quote_volume, 2);
    let (first, last) = day.ids.map_or((0, 0), |(f, l)| (id(f), id(l)));
    t.s("\",\"O\":").ms(day.open_ms).s(",\"C\":").ms(event_ms).s(",\"F\":").n(first).s(",\"L\":").n(last);
    t.s(",\"n\":").n(day.trades).s(",\"st\":1}");
}

/// Ends the text before; then change, change in percent and average price of a day, under the names given.
pub(crate) fn change(t: &mut Text, spec: &Spec, day: &TickBar, names: [&str; 3]) {
    let change = day.close - day.open;
    let percent = if day.open == 0 { 0.0 } else { change as f64 / day.open as f64 * 100.0 };
    let average = if day.volume == 0 { spec.price(day.close) } else { day.quote_volume / spec.quantity(day.volume) };
    t.s("\",\"").s(names[0]).s("\":\"").d(spec.units(change), spec.price_decimals);
    t.s("\",\"").s(names[1]).s("\":\"").f(percent, 3);
    t.s("\",\"").s(names[2]).s("\":\"").f(average, spec.price_decimals).s("\"");
}

pub(crate) fn mini_ticker(t: &mut Text, market: &TradedMarket, event_ms: i64) {
    let (spec, day) = (&market.spec, market.day());
    t.s("{\"e\":\"24hrMiniTicker\",\"E\":").ms(event_ms).s(",\"s\":\"").s(&spec.symbol).s("\"");
    for (field, tick) in [("c", day.close), ("o", day.open), ("h", day.high), ("l", day.low)] {
        t.s(",\"").s(field).s("\":\"").d(spec.units(tick), spec.price_decimals).s("\"");
    }
    t.s(",\"v\":\"").d(day.volume, spec.quantity_decimals).s("\",\"q\":\"").f(day.quote_volume, 2).s("\"");
    if market.perp.is_some() {
        t.s(",\"ps\":\"").s(&spec.symbol).s("\",\"st\":1");
    }
    t.s("}");
}

pub(crate) const fn flag(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}

pub(crate) fn id(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// One of the two all-market frames: coins with a row of the venue's inverse market among them, or everything else.
pub(crate) fn mark_prices<'a>(t: &mut Text, markets: impl Iterator<Item = &'a TradedMarket>, tradfi: bool) {
    let start = t.bytes.len();
    let mut first = true;
    t.s("[");
    for market in markets.filter(|m| m.spec.tradfi == tradfi) {
        let Some(perp) = &market.perp else { continue };
        if !first {
            t.s(",");
        }
        if first && !tradfi && market.spec.base == "BTC" {
            mark_price(t, "BTCUSD_PERP", &perp.mark, "2");
            t.s(",");
        }
        first = false;
        mark_price(t, &market.spec.symbol, &perp.mark, "1");
    }
    if first {
        t.bytes.truncate(start);
    } else {
        t.s("]");
    }
}

pub(crate) fn tickers<'a>(t: &mut Text, markets: impl Iterator<Item = &'a TradedMarket>, ms: i64) {
    crate::wire::usdm_rest::list(t, markets, |t, m| ticker(t, m, ms));
}

pub(crate) fn mini_tickers<'a>(t: &mut Text, markets: impl Iterator<Item = &'a TradedMarket>, ms: i64) {
    crate::wire::usdm_rest::list(t, markets, |t, m| mini_ticker(t, m, ms));
}

pub(crate) fn book_ticker_now(t: &mut Text, market: &TradedMarket, ms: i64) {
    if let Some((bid, ask)) = market.book.top() {
        book_ticker(t, &market.spec, &Top { id: market.book.last_id, bid, ask, ms });
    }
}
