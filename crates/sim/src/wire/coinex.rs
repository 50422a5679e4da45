//! Messages and bodies of CoinEx futures, shapes of the venue sheet, sections 2 and 3.
//!
//! What the venue has listed keeps its stamp: only what is stamped when it is sent goes by a clock that is wrong.

use crate::num::Text;
use crate::wire::usdm::{flag, levels};
use crate::wire::usdm_rest::list;
use crate::world::bar::TickBar;
use crate::world::event::{Liquidation, Mark, Trade};
use crate::world::market::TradedMarket;
use crate::world::perp::{CAPS, SettledFunding};
use crate::world::spec::Spec;
use crate::world::window::DepthWindow;
use flate2::Crc;

const HOUR_MS: i64 = 3_600_000;

/// A message of a topic.
pub(crate) fn pushed(t: &mut Text, topic: &str, data: impl FnOnce(&mut Text)) {
    t.s("{\"method\":\"").s(topic).s(".update\",\"data\":");
    data(t);
    t.s(",\"id\":null}");
}

/// The answer to a request on the socket. `data` is JSON, or empty.
pub(crate) fn answered(t: &mut Text, id: &str, code: u32, message: &str, data: &str) {
    t.s("{\"id\":").s(id).s(",\"code\":").u(code.into());
    t.s(if data.is_empty() { "" } else { ",\"data\":" }).s(data).s(",\"message\":\"").s(message).s("\"}");
}

/// A body of REST around its data; `more` where it is one of several pages.
pub(crate) fn body(t: &mut Text, more: Option<bool>, data: impl FnOnce(&mut Text)) {
    t.s("{\"code\":0,\"data\":");
    data(t);
    if let Some(more) = more {
        t.s(",\"pagination\":{\"has_next\":").s(flag(more)).s("}");
    }
    t.s(",\"message\":\"OK\"}");
}

/// A whole book or what changed of it, and the checksum of the whole.
pub(crate) fn depth(
    t: &mut Text,
    market: &TradedMarket,
    whole: &DepthWindow,
    sent: &DepthWindow,
    is_full: bool,
    now_ms: i64,
) {
    let spec = &market.spec;
    t.s("{\"market\":\"").s(&spec.symbol).s("\",\"is_full\":").s(flag(is_full)).s(",\"depth\":{\"asks\":");
    levels(t, spec, sent.asks.iter().copied());
    t.s(",\"bids\":");
    levels(t, spec, sent.bids.iter().copied());
    t.s(",\"last\":\"").d(spec.units(market.last_tick()), spec.price_decimals);
    t.s("\",\"updated_at\":").ms(now_ms).s(",\"checksum\":").u(checksum(&written(spec, whole)).into()).s("}}");
}

/// `bid price:bid amount:…:ask price:ask amount:…`
fn written(spec: &Spec, whole: &DepthWindow) -> Vec<u8> {
    let mut t = Text::default();
    for (tick, steps) in whole.bids.iter().chain(&whole.asks) {
        t.s(if t.bytes.is_empty() { "" } else { ":" });
        t.d(spec.units(*tick), spec.price_decimals).s(":").d(*steps, spec.quantity_decimals);
    }
    t.bytes
}

/// CRC-32 of IEEE, sent without a sign as in the venue's example.
fn checksum(written: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(written);
    crc.sum()
}

/// Newest first, as the venue lists them.
pub(crate) fn deals<'a>(t: &mut Text, spec: &Spec, trades: impl Iterator<Item = &'a Trade>) {
    list(t, trades, |t, trade| {
        t.s("{\"deal_id\":").u(trade.aggregate_id).s(",\"created_at\":").n(trade.ms);
        t.s(",\"side\":\"").s(if trade.buyer_is_maker { "sell" } else { "buy" });
        t.s("\",\"price\":\"").d(spec.units(trade.tick), spec.price_decimals);
        t.s("\",\"amount\":\"").d(trade.quantity, spec.quantity_decimals).s("\"}");
    });
}

pub(crate) fn deal_list<'a>(t: &mut Text, spec: &Spec, trades: impl Iterator<Item = &'a Trade>) {
    pushed(t, "deals", |t| {
        t.s("{\"market\":\"").s(&spec.symbol).s("\",\"deal_list\":");
        deals(t, spec, trades);
        t.s("}");
    });
}

/// Best bid and best ask: tick and steps of each.
pub(crate) fn best(t: &mut Text, spec: &Spec, (bid, ask): ((i64, i64), (i64, i64)), now_ms: i64) {
    pushed(t, "bbo", |t| {
        t.s("{\"market\":\"").s(&spec.symbol).s("\",\"updated_at\":").ms(now_ms);
        for (side, (tick, steps)) in [("bid", bid), ("ask", ask)] {
            t.s(",\"best_").s(side).s("_price\":\"").d(spec.units(tick), spec.price_decimals);
            t.s("\",\"best_").s(side).s("_size\":\"").d(steps, spec.quantity_decimals).s("\"");
        }
        t.s("}");
    });
}

/// The day of a market, without the closing brace.
fn day(t: &mut Text, symbol: &str, market: &TradedMarket) {
    let (spec, day) = (&market.spec, market.day());
    t.s("{\"market\":\"").s(symbol);
    let last = market.last_tick();
    for (field, tick) in [("last", last), ("open", day.open), ("close", last), ("high", day.high), ("low", day.low)] {
        t.s("\",\"").s(field).s("\":\"").d(spec.units(tick), spec.price_decimals);
    }
    t.s("\",\"volume\":\"").d(day.volume, spec.quantity_decimals).s("\",\"value\":\"").f(day.quote_volume, 5);
    t.s("\",\"volume_sell\":\"").d(day.volume - day.taker_buy, spec.quantity_decimals);
    t.s("\",\"volume_buy\":\"").d(day.taker_buy, spec.quantity_decimals).s("\",\"period\":86400");
}

fn prices(t: &mut Text, mark: &Mark) {
    t.s(",\"mark_price\":\"").f(mark.mark, 8).s("\",\"index_price\":\"").f(mark.index, 8).s("\"");
}

fn funding(t: &mut Text, market: &TradedMarket, mark: &Mark) {
    let interval_ms = market.spec.funding_interval_h * HOUR_MS;
    let settled = market.perp.as_ref().and_then(|p| p.settled.back()).map_or(mark.rate, |s| s.rate);
    t.s(",\"latest_funding_rate\":\"").f(settled, 8).s("\",\"latest_funding_time\":").n(mark.next_ms - interval_ms);
    t.s(",\"next_funding_rate\":\"").f(mark.rate, 8).s("\",\"next_funding_time\":").n(mark.next_ms);
}

/// A row of the state stream. `name` may be one that nobody can trade.
pub(crate) fn state(t: &mut Text, name: &str, market: &TradedMarket) {
    day(t, name, market);
    if let Some(perp) = &market.perp {
        t.s(",\"open_interest_size\":\"").d(perp.positions.open_interest(), market.spec.quantity_decimals);
        t.s("\",\"insurance_fund_size\":\"21000000.50\"");
        prices(t, &perp.mark);
        funding(t, market, &perp.mark);
    }
    t.s("}");
}

/// The distance of the mark price from the index, of the minute that began last; none of a market without them.
pub(crate) fn rate(t: &mut Text, market: &TradedMarket, name: &str, now_ms: i64) {
    t.s("[");
    if let Some(perp) = &market.perp {
        t.s("{\"market\":\"").s(&market.spec.symbol).s("\",\"created_at\":").n(now_ms - now_ms.rem_euclid(60_000));
        t.s(",\"").s(name).s("\":\"").f(perp.mark.mark / perp.mark.index - 1.0, 8).s("\"}");
    }
    t.s("]");
}

/// Two tiers of every market.
pub(crate) fn tiers(t: &mut Text, market: &TradedMarket) {
    t.s("{\"market\":\"").s(&market.spec.symbol);
    t.s("\",\"level\":[{\"amount\":\"20\",\"leverage\":\"100\",\"maintenance_margin_rate\":\"0.005\",\"min_initial_margin_rate\":\"0.01\"},");
    t.s("{\"amount\":\"100\",\"leverage\":\"50\",\"maintenance_margin_rate\":\"0.01\",\"min_initial_margin_rate\":\"0.02\"}]}");
}

/// A row of `/ticker`, which has another word for open interest than the stream.
pub(crate) fn ticker(t: &mut Text, market: &TradedMarket) {
    day(t, &market.spec.symbol, market);
    if let Some(perp) = &market.perp {
        prices(t, &perp.mark);
        t.s(",\"open_interest_volume\":\"").d(perp.positions.open_interest(), market.spec.quantity_decimals).s("\"");
    }
    t.s("}");
}

/// A row of `/funding-rate`; an empty one where there is no funding.
pub(crate) fn funding_rate(t: &mut Text, market: &TradedMarket) {
    t.s("{\"market\":\"").s(&market.spec.symbol).s("\"");
    if let Some(perp) = &market.perp {
        t.s(",\"mark_price\":\"").f(perp.mark.mark, 8).s("\"");
        funding(t, market, &perp.mark);
        let cap = if market.spec.funding_interval_h == 8 { CAPS.0 } else { CAPS.1 };
        t.s(",\"max_funding_rate\":\"").f(cap, 8).s("\",\"min_funding_rate\":\"").f(-cap, 8).s("\"");
    }
    t.s("}");
}

/// A row of `/market`.
pub(crate) fn market(t: &mut Text, market: &TradedMarket) {
    let spec = &market.spec;
    t.s("{\"market\":\"").s(&spec.symbol).s("\",\"contract_type\":\"linear\",\"base_ccy\":\"").s(&spec.base);
    t.s("\",\"quote_ccy\":\"").s(&spec.quote).s("\",\"base_ccy_precision\":").u(spec.quantity_decimals.into());
    t.s(",\"quote_ccy_precision\":").u(spec.price_decimals.into()).s(",\"tick_size\":\"");
    t.d(spec.tick, spec.price_decimals).s("\",\"min_amount\":\"").d(1, spec.quantity_decimals);
    t.s("\",\"taker_fee_rate\":\"0.0005\",\"maker_fee_rate\":\"0.0003\",\"leverage\":[\"1\",\"10\",\"100\"],");
    let open = market.perp.as_ref().map_or(0, |p| p.positions.open_interest());
    t.s("\"open_interest_volume\":\"").d(open, spec.quantity_decimals);
    t.s("\",\"is_market_available\":true,\"is_copy_trading_available\":true,\"is_api_trading_available\":true,");
    t.s("\"status\":\"online\",\"delisted_at\":0}");
}

/// A row of `/kline`.
pub(crate) fn kline(t: &mut Text, spec: &Spec, bar: &TickBar) {
    t.s("{\"market\":\"").s(&spec.symbol).s("\",\"created_at\":").n(bar.open_ms);
    for (field, tick) in [("open", bar.open), ("close", bar.close), ("high", bar.high), ("low", bar.low)] {
        t.s(",\"").s(field).s("\":\"").d(spec.units(tick), spec.price_decimals).s("\"");
    }
    t.s(",\"volume\":\"").d(bar.volume, spec.quantity_decimals);
    t.s("\",\"value\":\"").f(bar.quote_volume, 5).s("\"}");
}

/// A row of `/funding-rate-history`. What theory would have paid is not made: it is the same here.
pub(crate) fn settled(t: &mut Text, symbol: &str, row: &SettledFunding) {
    t.s("{\"market\":\"").s(symbol).s("\",\"funding_time\":").n(row.ms);
    t.s(",\"theoretical_funding_rate\":\"").f(row.rate, 8).s("\",\"actual_funding_rate\":\"").f(row.rate, 8).s("\"}");
}

/// A row of `/liquidation-history`, with the blank that the venue puts before names. The side is that of the position.
pub(crate) fn liquidation(t: &mut Text, spec: &Spec, order: &Liquidation) {
    t.s("{\"market\":\" ").s(&spec.symbol).s("\",\"side\":\"").s(if order.long { "long" } else { "short" });
    t.s("\",\"liq_price\":\"").d(spec.units(order.trigger_tick(spec)), spec.price_decimals);
    t.s("\",\"liq_amount\":\"").d(order.quantity, spec.quantity_decimals);
    t.s("\",\"bkr_price\":\"").d(spec.units(order.tick), spec.price_decimals);
    t.s("\",\"created_at\":").n(order.ms).s("}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_sheet() {
        let asks = "84311.2:0.34:84312.0:2.15";
        assert_eq!(checksum(format!("84310.5:0.52:84309.9:1.07:{asks}").as_bytes()), 1_965_609_965);
        assert_eq!(checksum(asks.as_bytes()), 3_319_476_284);
    }
}
