//! REST bodies of Binance USD-M, shapes of the venue sheet, section 3.3.

use crate::num::Text;
use crate::wire::usdm::{change, id, levels};
use crate::world::bar::{PriceRange, TickBar};
use crate::world::event::Trade;
use crate::world::market::TradedMarket;
use crate::world::perp::{CAPS, OpenInterestPoint, SettledFunding};
use crate::world::spec::Spec;

/// A perpetual never expires: the date the venue writes instead.
const NEVER_MS: i64 = 4_133_404_800_000;

/// `[a,b,…]`.
pub(crate) fn list<T>(t: &mut Text, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Text, T)) {
    t.s("[");
    for (n, item) in items.into_iter().enumerate() {
        if n > 0 {
            t.s(",");
        }
        each(t, item);
    }
    t.s("]");
}

pub(crate) fn exchange_info<'a>(t: &mut Text, markets: impl Iterator<Item = &'a TradedMarket>, now_ms: i64) {
    t.s("{\"timezone\":\"UTC\",\"serverTime\":").ms(now_ms);
    t.s(",\"futuresType\":\"U_MARGINED\",\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1,\"limit\":2400}],");
    t.s("\"exchangeFilters\":[],\"assets\":[{\"asset\":\"USDT\",\"marginAvailable\":true,\"autoAssetExchange\":\"-10000\"}],\"symbols\":");
    list(t, markets, symbol);
    t.s("}");
}

fn symbol(t: &mut Text, market: &TradedMarket) {
    let spec = &market.spec;
    t.s("{\"symbol\":\"").s(&spec.symbol).s("\",\"pair\":\"").s(&spec.symbol).s("\",\"contractType\":\"");
    t.s(if spec.tradfi { "TRADIFI_PERPETUAL" } else { "PERPETUAL" }).s("\",\"deliveryDate\":").n(NEVER_MS);
    t.s(",\"onboardDate\":").n(market.past.start_ms).s(",\"status\":\"TRADING\",\"baseAsset\":\"").s(&spec.base);
    t.s("\",\"quoteAsset\":\"").s(&spec.quote).s("\",\"marginAsset\":\"").s(&spec.quote).s("\",\"pricePrecision\":");
    t.u(spec.price_decimals.into()).s(",\"quantityPrecision\":").u(spec.quantity_decimals.into());
    t.s(",\"underlyingType\":\"").s(if spec.tradfi { "EQUITY" } else { "COIN" });
    t.s("\",\"underlyingSubType\":[],\"triggerProtect\":\"0.0500\",\"liquidationFee\":\"0.012500\",\"marketTakeBound\":\"0.05\",");
    t.s("\"maxMoveOrderLimit\":10000,\"permissionSets\":[\"GRID\",\"COPY\"],\"filters\":[{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"");
    t.d(spec.tick, spec.price_decimals).s("\",\"minPrice\":\"").d(spec.tick, spec.price_decimals);
    t.s("\",\"maxPrice\":\"4529764\"},{\"filterType\":\"LOT_SIZE\",\"stepSize\":\"").d(1, spec.quantity_decimals);
    t.s("\",\"minQty\":\"")
        .d(1, spec.quantity_decimals)
        .s("\",\"maxQty\":\"100000000\"},{\"filterType\":\"MIN_NOTIONAL\",\"notional\":\"5\"},");
    t.s("{\"filterType\":\"PERCENT_PRICE\",\"multiplierUp\":\"1.0500\",\"multiplierDown\":\"0.9500\",\"multiplierDecimal\":\"4\"},");
    t.s("{\"filterType\":\"POSITION_RISK_CONTROL\",\"positionControlSide\":\"NONE\"}]}");
}

pub(crate) fn premium_index(t: &mut Text, market: &TradedMarket, now_ms: i64) {
    if let Some(script) = &market.script {
        let sample = script.mark(now_ms);
        t.s("{\"symbol\":\"").s(&market.spec.symbol).s("\",\"markPrice\":\"");
        maybe(t, sample.map(|s| s.mark)).s("\",\"indexPrice\":\"");
        maybe(t, sample.and_then(|s| s.index))
            .s("\",\"estimatedSettlePrice\":\"\",\"lastFundingRate\":\"\",\"interestRate\":\"\",");
        t.s("\"nextFundingTime\":0,\"time\":").ms(sample.map_or(now_ms, |s| s.ms)).s("}");
        return;
    }
    let Some(perp) = &market.perp else { return };
    let mark = &perp.mark;
    t.s("{\"symbol\":\"")
        .s(&market.spec.symbol)
        .s("\",\"markPrice\":\"")
        .f(mark.mark, 8)
        .s("\",\"indexPrice\":\"")
        .f(mark.index, 8);
    t.s("\",\"estimatedSettlePrice\":\"").f(mark.settle, 8).s("\",\"lastFundingRate\":\"").f(mark.rate, 8);
    t.s("\",\"interestRate\":\"0.00010000\",\"nextFundingTime\":").ms(mark.next_ms).s(",\"time\":").ms(mark.ms).s("}");
}

pub(crate) fn funding_rate(t: &mut Text, symbol: &str, row: &SettledFunding) {
    t.s("{\"symbol\":\"").s(symbol).s("\",\"fundingTime\":").ms(row.ms).s(",\"fundingRate\":\"").f(row.rate, 8);
    t.s("\",\"markPrice\":\"").f(row.mark, 8).s("\",\"rateType\":\"Regular\"}");
}

/// The venue lists adjusted symbols only: here those whose interval is not 8 hours.
pub(crate) fn funding_info(t: &mut Text, spec: &Spec) {
    t.s("{\"symbol\":\"").s(&spec.symbol).s("\",\"adjustedFundingRateCap\":\"").f(CAPS.1, 8);
    t.s("\",\"adjustedFundingRateFloor\":\"")
        .f(-CAPS.1, 8)
        .s("\",\"fundingIntervalHours\":")
        .n(spec.funding_interval_h);
    t.s(",\"disclaimer\":false,\"updateTime\":1770000000000}");
}

/// A number, or the empty text by which the venue says that there is none.
pub(crate) fn maybe(t: &mut Text, x: Option<f64>) -> &mut Text {
    match x {
        Some(x) => t.f(x, 8),
        None => t,
    }
}

pub(crate) fn open_interest(t: &mut Text, spec: &Spec, steps: i64, now_ms: i64) {
    t.s("{\"symbol\":\"").s(&spec.symbol).s("\",\"openInterest\":\"").d(steps, spec.quantity_decimals);
    t.s("\",\"time\":").ms(now_ms).s("}");
}

/// Stamped with the beginning of its period, as the venue does since 2026-06-25: the value is that of the end.
pub(crate) fn open_interest_hist(t: &mut Text, spec: &Spec, row: &OpenInterestPoint, length_ms: i64) {
    t.s("{\"symbol\":\"").s(&spec.symbol).s("\",\"sumOpenInterest\":\"").dw(row.steps, spec.quantity_decimals, 8);
    t.s("\",\"sumOpenInterestValue\":\"").f(spec.quantity(row.steps) * row.mark, 8);
    t.s("\",\"CMCCirculatingSupply\":\"0.000\",\"timestamp\":").ms(row.ms - length_ms).s("}");
}

/// Which ratio is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ratio {
    TopAccounts,
    TopPositions,
    Accounts,
    Takers,
}

/// Shares wander slowly around a half, each ratio with a time of its own.
pub(crate) fn ratio(t: &mut Text, spec: &Spec, ms: i64, what: Ratio) {
    #[expect(clippy::cast_precision_loss, reason = "five-minute periods since 1970")]
    let period = (ms / 300_000) as f64;
    let (slow, wide) = match what {
        Ratio::TopAccounts => (41.0, 0.12),
        Ratio::TopPositions => (29.0, 0.15),
        Ratio::Accounts => (67.0, 0.10),
        Ratio::Takers => (7.0, 0.05),
    };
    let long = 0.52 + wide * (period / slow).sin();
    if what == Ratio::Takers {
        t.s("{\"buySellRatio\":\"").f(long / (1.0 - long), 4).s("\",\"buyVol\":\"").f(1_000.0 * long, 3);
        t.s("\",\"sellVol\":\"").f(1_000.0 * (1.0 - long), 3);
    } else {
        t.s("{\"symbol\":\"").s(&spec.symbol).s("\",\"longShortRatio\":\"").f(long / (1.0 - long), 4);
        t.s("\",\"longAccount\":\"").f(long, 4).s("\",\"shortAccount\":\"").f(1.0 - long, 4);
    }
    t.s("\",\"timestamp\":").ms(ms).s("}");
}

/// Which prices a candle request asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CandlePrice {
    Trades,
    Mark,
    Index,
    Premium,
}

/// `width` is the least number of decimals: 8 on spot.
pub(crate) fn kline(t: &mut Text, spec: &Spec, bar: &TickBar, length_ms: i64, what: CandlePrice, width: u8) {
    t.s("[").n(bar.open_ms);
    match what {
        CandlePrice::Trades => {
            for tick in [bar.open, bar.high, bar.low, bar.close] {
                t.s(",\"").dw(spec.units(tick), spec.price_decimals, width).s("\"");
            }
        }
        CandlePrice::Mark => range(t, &bar.mark, 8),
        CandlePrice::Index => range(t, &bar.index, 8),
        CandlePrice::Premium => range(t, &bar.premium, 8),
    }
    if what == CandlePrice::Trades {
        t.s(",\"").dw(bar.volume, spec.quantity_decimals, width).s("\",").n(bar.open_ms + length_ms - 1);
        let quote_decimals = if width == 8 { 8 } else { 5 };
        t.s(",\"").f(bar.quote_volume, quote_decimals).s("\",").n(bar.trades);
        t.s(",\"").dw(bar.taker_buy, spec.quantity_decimals, width);
        t.s("\",\"").f(bar.taker_buy_quote, quote_decimals).s("\",\"0\"]");
    } else {
        t.s(",\"0\",").n(bar.open_ms + length_ms - 1).s(",\"0\",").n(length_ms / 1_000).s(",\"0\",\"0\",\"0\"]");
    }
}

fn range(t: &mut Text, range: &PriceRange, decimals: u8) {
    for x in [range.open, range.high, range.low, range.close] {
        t.s(",\"").f(x, decimals).s("\"");
    }
}

pub(crate) fn ticker_24h(t: &mut Text, market: &TradedMarket, now_ms: i64) {
    let (spec, day) = (&market.spec, market.day());
    t.s("{\"symbol\":\"").s(&spec.symbol);
    change(t, spec, &day, ["priceChange", "priceChangePercent", "weightedAvgPrice"]);
    t.s(",\"lastPrice\":\"").d(spec.units(day.close), spec.price_decimals).s("\",\"lastQty\":\"");
    t.d(market.trades.back().map_or(0, |x| x.quantity), spec.quantity_decimals);
    for (field, tick) in [("openPrice", day.open), ("highPrice", day.high), ("lowPrice", day.low)] {
        t.s("\",\"").s(field).s("\":\"").d(spec.units(tick), spec.price_decimals);
    }
    t.s("\",\"volume\":\"").d(day.volume, spec.quantity_decimals).s("\",\"quoteVolume\":\"").f(day.quote_volume, 2);
    let (first, last) = day.ids.map_or((0, 0), |(f, l)| (id(f), id(l)));
    t.s("\",\"openTime\":").ms(day.open_ms).s(",\"closeTime\":").ms(now_ms).s(",\"firstId\":").n(first);
    t.s(",\"lastId\":").n(last).s(",\"count\":").n(day.trades).s("}");
}

pub(crate) fn book_ticker(t: &mut Text, market: &TradedMarket, now_ms: i64) {
    let spec = &market.spec;
    let ((bid, bid_qty), (ask, ask_qty)) = market.book.top().unwrap_or_default();
    t.s("{\"symbol\":\"").s(&spec.symbol).s("\",\"bidPrice\":\"").d(spec.units(bid), spec.price_decimals);
    t.s("\",\"bidQty\":\"").d(bid_qty, spec.quantity_decimals);
    t.s("\",\"askPrice\":\"").d(spec.units(ask), spec.price_decimals);
    t.s("\",\"askQty\":\"").d(ask_qty, spec.quantity_decimals);
    t.s("\",\"time\":").ms(now_ms).s(",\"lastUpdateId\":").u(market.book.last_id).s("}");
}

pub(crate) fn price(t: &mut Text, market: &TradedMarket, now_ms: i64) {
    let spec = &market.spec;
    t.s("{\"symbol\":\"").s(&spec.symbol).s("\",\"price\":\"").d(spec.units(market.last_tick()), spec.price_decimals);
    t.s("\",\"time\":").ms(now_ms).s("}");
}

pub(crate) fn depth(t: &mut Text, market: &TradedMarket, limit: usize, now_ms: i64) {
    let book = &market.book;
    t.s("{\"lastUpdateId\":").u(book.last_id).s(",\"E\":").ms(now_ms).s(",\"T\":").ms(now_ms).s(",\"bids\":");
    levels(t, &market.spec, book.bids.iter().take(limit));
    t.s(",\"asks\":");
    levels(t, &market.spec, book.asks.iter().take(limit));
    t.s("}");
}

pub(crate) fn agg_trade(t: &mut Text, spec: &Spec, trade: &Trade) {
    t.s("{\"a\":").u(trade.aggregate_id).s(",\"p\":\"").d(spec.units(trade.tick), spec.price_decimals);
    t.s("\",\"q\":\"")
        .d(trade.quantity, spec.quantity_decimals)
        .s("\",\"nq\":\"")
        .d(trade.quantity, spec.quantity_decimals);
    t.s("\",\"f\":").u(trade.first_id).s(",\"l\":").u(trade.last_id).s(",\"T\":").ms(trade.ms);
    t.s(",\"m\":").s(crate::wire::usdm::flag(trade.buyer_is_maker)).s("}");
}

pub(crate) fn trade(t: &mut Text, spec: &Spec, trade: &Trade, id: u64, quantity: i64) {
    t.s("{\"id\":").u(id).s(",\"price\":\"").d(spec.units(trade.tick), spec.price_decimals);
    t.s("\",\"qty\":\"").d(quantity, spec.quantity_decimals).s("\",\"quoteQty\":\"");
    t.f(spec.price(trade.tick) * spec.quantity(quantity), 2).s("\",\"time\":").ms(trade.ms);
    t.s(",\"isBuyerMaker\":").s(crate::wire::usdm::flag(trade.buyer_is_maker)).s("}");
}
