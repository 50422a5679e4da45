//! What is fetched afterwards: all of it, once, what everybody waits for first, and no candle that is still running.

use crate::rig::{Rig, START, config, data_of, perpetual};
use barograph_domain::{Metric, Payload, Span, Ts};
use barograph_venues::session::{Emit, Origin, Request, SessionConfig};
use std::collections::BTreeMap;

fn ms(at: Ts) -> i64 {
    at.as_millis()
}

fn symbol(n: usize) -> String {
    format!("C{n}USDT")
}

/// So many markets with a day of history, every connection open.
fn opened(markets: usize, metrics: &[Metric]) -> Rig {
    let markets = (0..markets).map(|n| perpetual(&symbol(n))).collect();
    let wanted = SessionConfig { backfill: Span::days(1), ..config("binance-usdm", markets, metrics) };
    let mut rig = Rig::new("binance-usdm", wanted);
    rig.open_all(0);
    rig
}

fn mark(rig: &mut Rig, conn: u32, market: usize, there: Ts, next: Ts) -> Vec<Emit> {
    let (name, e, next) = (symbol(market), ms(there), ms(next));
    rig.on(
        conn,
        &format!(
            r#"{{"stream":"x","data":{{"e":"markPriceUpdate","E":{e},"s":"{name}","p":"100","i":"100","r":"0.0001","T":{next},"st":1}}}}"#
        ),
    )
}

fn trade(rig: &mut Rig, market: usize, id: u64) -> Vec<Emit> {
    let (name, t) = (symbol(market), ms(rig.now));
    rig.on(
        0,
        &format!(
            r#"{{"stream":"x","data":{{"e":"aggTrade","E":{t},"a":{id},"s":"{name}","p":"100","q":"1","f":1,"l":1,"T":{t},"m":false,"st":1}}}}"#
        ),
    )
}

fn candle(rig: &mut Rig, close: Ts) -> Vec<Emit> {
    let (name, e, open) = (symbol(0), ms(close), ms(close - Span::mins(1)));
    rig.on(
        0,
        &format!(
            r#"{{"stream":"x","data":{{"e":"kline","E":{e},"s":"{name}","k":{{"t":{open},"T":{},"s":"{name}","i":"1m","f":1,"L":2,"o":"1.0","c":"1.5","h":"2.0","l":"0.5","v":"7","n":2,"x":true,"q":"9","V":"1","Q":"1","B":"0"}}}}}}"#,
            e - 1
        ),
    )
}

fn argument<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.url.split(['?', '&']).find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

fn number(request: &Request, name: &str) -> Option<i64> {
    argument(request, name).map(|n| n.parse().unwrap())
}

/// Settlements every hour, stamped 3 ms late and listed 10 s later, as the venue lists them: the oldest from `startTime` on, or
/// the newest.
fn settlements(rig: &Rig, request: &Request, markets: usize) -> String {
    let limit = usize::try_from(number(request, "limit").unwrap()).unwrap();
    let range = number(request, "startTime").unwrap_or(0)..=number(request, "endTime").unwrap_or(i64::MAX);
    let symbols: Vec<String> = match argument(request, "symbol") {
        Some(one) => vec![one.to_owned()],
        None => (0..markets).map(symbol).collect(),
    };
    let listed = ms(rig.now) - 10_000;
    let hours = (-48..72).map(|h| ms(START + Span::hours(h)) + 3).filter(|at| *at <= listed && range.contains(at));
    let mut rows: Vec<String> = hours
        .flat_map(|at| {
            symbols.iter().map(move |s| format!(r#"{{"symbol":"{s}","fundingTime":{at},"fundingRate":"0.0001"}}"#))
        })
        .collect();
    if number(request, "startTime").is_some() {
        rows.truncate(limit);
    } else {
        rows.drain(..rows.len().saturating_sub(limit));
    }
    format!("[{}]", rows.join(","))
}

/// Lets time pass and answers what is asked about funding.
fn settle(rig: &mut Rig, seconds: i64, markets: usize) -> Vec<Emit> {
    let mut events = Vec::new();
    for _ in 0..seconds {
        events.extend(rig.tick(1));
        while let Some(request) = rig.request("/funding") {
            let body = if request.url.contains("fundingInfo") {
                let rows: Vec<String> =
                    (0..markets).map(|n| format!(r#"{{"symbol":"{}","fundingIntervalHours":1}}"#, symbol(n))).collect();
                format!("[{}]", rows.join(","))
            } else {
                settlements(rig, &request, markets)
            };
            events.extend(rig.answer(request.id, 200, &body));
        }
    }
    data_of(&events, Metric::FundingRateSettled)
}

#[test]
fn every_settlement_of_an_absence_is_read_once() {
    for (markets, hours) in [(1, 24), (30, 24), (30, 3), (2, 1), (1, 60)] {
        let mut rig = opened(markets, &[Metric::FundingRate, Metric::FundingRateSettled, Metric::MarkPrice]);
        rig.now = START + Span::mins(20);
        settle(&mut rig, 5, markets);
        for n in 0..markets {
            let there = rig.now;
            mark(&mut rig, 0, n, there, START + Span::hours(1));
        }
        let first = settle(&mut rig, 30, markets);
        assert!(first.iter().all(|e| e.event_ts <= START + Span::secs(1)), "the past of a first start");
        // Away, and back: what was saved goes on.
        let saved = rig.session.save();
        let mut back = opened(markets, &[Metric::FundingRate, Metric::FundingRateSettled, Metric::MarkPrice]);
        back.session.restore(&saved).unwrap();
        back.now = rig.now + Span::hours(hours);
        back.asked.clear();
        back.open_all(100);
        for n in 0..markets {
            let there = back.now;
            mark(&mut back, 100, n, there, START + Span::hours(hours + 1));
        }
        let got = settle(&mut back, 120, markets);
        let mut read: BTreeMap<(u32, Ts), u32> = BTreeMap::new();
        for e in &got {
            *read.entry((e.market.0, e.event_ts)).or_default() += 1;
        }
        let wanted: BTreeMap<(u32, Ts), u32> = (0..u32::try_from(markets).unwrap())
            .flat_map(|m| (1..=hours).map(move |h| ((m, START + Span::hours(h) + Span::millis(3)), 1)))
            .collect();
        assert_eq!(read, wanted, "{markets} markets, {hours} hours");
        let newest = START + Span::hours(hours);
        for e in &got {
            let origin = if e.event_ts > newest { Origin::Live } else { Origin::Backfill };
            assert_eq!(e.origin, origin, "only the newest is news: {e:?}");
        }
    }
}

#[test]
fn candles_of_all_come_before_trades_of_any_and_old_trades_are_not_fetched() {
    let mut rig = opened(20, &[Metric::Bar, Metric::Trade]);
    rig.now = START + Span::secs(30);
    for n in 0..20 {
        trade(&mut rig, n, 1_000_000);
    }
    // A trade every 20 ms, and every candle.
    let (mut order, mut trades) = (Vec::new(), Vec::new());
    for _ in 0..120 {
        rig.tick(1);
        while let Some(request) = rig.request("/") {
            let body = if request.url.contains("/klines") {
                order.push('c');
                let (from, until) = (number(&request, "startTime").unwrap(), number(&request, "endTime").unwrap());
                let first = from + (60_000 - from % 60_000) % 60_000;
                let rows: Vec<String> = (0..500)
                    .map(|n| first + n * 60_000)
                    .filter(|open| *open <= until)
                    .map(|open| format!(r#"[{open},"1.0","2.0","0.5","1.5","7",{},"9",3,"1","1","0"]"#, open + 59_999))
                    .collect();
                format!("[{}]", rows.join(","))
            } else {
                order.push('t');
                let (from, limit) = (number(&request, "fromId").unwrap(), number(&request, "limit").unwrap());
                let at = |id: i64| ms(START + Span::secs(30)) - (1_000_000 - id) * 20;
                let rows: Vec<String> = (from..from + limit)
                    .map(|id| format!(r#"{{"a":{id},"p":"100","q":"1","f":1,"l":1,"T":{},"m":false}}"#, at(id)))
                    .collect();
                format!("[{}]", rows.join(","))
            };
            let events = rig.answer(request.id, 200, &body);
            trades.extend(data_of(&events, Metric::Trade));
        }
    }
    let text: String = order.iter().collect();
    assert_eq!(text, "c".repeat(60) + &"t".repeat(100), "a day is three pages of candles; five pages of trades each");
    let oldest = trades.iter().map(|e| e.event_ts).min().unwrap();
    assert_eq!((trades.len(), oldest), (20 * 4_500, START - Span::mins(1)), "the running minute and the one before");
}

#[test]
fn a_candle_is_closed_when_the_venues_clock_says_so() {
    // Our clock is ahead of the venue's or behind it, by milliseconds; the process starts around a minute's end.
    for (ahead, last) in [(1_500, -1), (-1_500, -1), (0, 0)] {
        let mut rig = opened(1, &[Metric::Bar, Metric::MarkPrice]);
        // There it is 800 ms before twelve, or 700 ms after.
        let there = START + Span::millis(if ahead > 0 { -800 } else { 700 });
        rig.now = there + Span::millis(ahead);
        mark(&mut rig, 0, 0, there, START + Span::hours(4));
        rig.tick(1);
        let request = rig.request("/klines").unwrap();
        let until = number(&request, "endTime").unwrap();
        assert_eq!(until, ms(START + Span::mins(last)) - 1, "ahead by {ahead} ms");
        let row = |close: Ts| {
            let open = ms(close - Span::mins(1));
            format!(r#"[{open},"1.0","2.0","0.5","1.5","7",{},"9",3,"1","1","0"]"#, open + 59_999)
        };
        // The venue lists the running candle too.
        let body = format!("[{},{}]", row(START - Span::mins(1)), row(START));
        let mut bars = data_of(&rig.answer(request.id, 200, &body), Metric::Bar);
        for minute in 0..3 {
            let close = START + Span::mins(minute);
            if minute > 0 || ahead > 0 {
                rig.now = close + Span::millis(ahead.max(0));
                bars.extend(data_of(&candle(&mut rig, close), Metric::Bar));
            }
            rig.tick(1);
            if let Some(request) = rig.request("/klines") {
                bars.extend(data_of(&rig.answer(request.id, 200, &format!("[{}]", row(START))), Metric::Bar));
            }
        }
        let mut closes: Vec<i64> = bars.iter().map(|b| (b.event_ts - START).as_secs() / 60).collect();
        closes.sort_unstable();
        assert_eq!(closes, [-1, 0, 1, 2], "each candle once, ahead by {ahead} ms");
    }
}

#[test]
fn trades_between_two_holes_are_not_told_again() {
    let mut rig = opened(1, &[Metric::Trade]);
    let mut told: BTreeMap<u64, u32> = BTreeMap::new();
    let mut count = |events: &[Emit]| {
        for e in data_of(events, Metric::Trade) {
            *told.entry(e.seq).or_default() += 1;
        }
    };
    count(&trade(&mut rig, 0, 1_000));
    rig.tick(1);
    let past = rig.request("/aggTrades").expect("the running minute");
    rig.answer(past.id, 200, "[]");
    // Seven holes of nine trades, eleven trades between them; four are asked for at once, the others wait.
    for hole in 0..7 {
        for id in 0..11 {
            count(&trade(&mut rig, 0, 1_010 + hole * 20 + id));
        }
    }
    for _ in 0..60 {
        while let Some(request) = rig.request("/aggTrades") {
            let (from, limit) = (number(&request, "fromId").unwrap(), number(&request, "limit").unwrap());
            let t = ms(rig.now);
            let rows: Vec<String> = (from..from + limit)
                .map(|id| format!(r#"{{"a":{id},"p":"100","q":"1","f":1,"l":1,"T":{t},"m":false}}"#))
                .collect();
            count(&rig.answer(request.id, 200, &format!("[{}]", rows.join(","))));
        }
        rig.tick(1);
    }
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), (1_000..=1_140).collect::<Vec<_>>());
    assert!(told.values().all(|n| *n == 1), "once each: {told:?}");
    assert_eq!(rig.kinds(), [""; 0]);
}

/// Labels name the beginning of their five minutes. What was not asked for is left out, and what is not over yet; COIN-M counts
/// contracts and says beside them what they are worth in the coin.
#[test]
fn open_interest_of_the_past_is_that_of_its_page_in_the_coin() {
    for (id, symbol, st, base) in [("binance-usdm", "BTCUSDT", 1, 70.0), ("binance-coinm", "BTCUSD_PERP", 2, 9.0)] {
        for (later, last) in [(Span::ZERO, 0), (Span::secs(299), 0), (Span::secs(300), 5), (Span::hours(1), 5)] {
            let metrics = [Metric::MarkPrice, Metric::OpenInterest];
            let wanted = SessionConfig { backfill: Span::hours(1), ..config(id, vec![perpetual(symbol)], &metrics) };
            let mut rig = Rig::new(id, wanted);
            rig.open_all(0);
            let (e, next) = (ms(rig.now), ms(START + Span::hours(4)));
            rig.on(
                0,
                &format!(
                    r#"{{"stream":"x","data":{{"e":"markPriceUpdate","E":{e},"s":"{symbol}","p":"100","i":"100","r":"0.0001","T":{next},"st":{st}}}}}"#
                ),
            );
            rig.tick(0);
            let request = rig.request("/futures/data/openInterestHist").expect("the past hour");
            rig.now = rig.now + later;
            let rows: Vec<String> = (-75..=15)
                .step_by(5)
                .map(|minute| ms(START + Span::mins(minute)))
                .map(|t| format!(r#"{{"sumOpenInterest":"70","sumOpenInterestValue":"9","timestamp":{t}}}"#))
                .collect();
            let got = data_of(&rig.answer(request.id, 200, &format!("[{}]", rows.join(","))), Metric::OpenInterest);
            let minutes: Vec<i64> = got.iter().map(|e| (e.event_ts - START).as_secs() / 60).collect();
            assert_eq!(minutes, (-55..=last).step_by(5).collect::<Vec<i64>>(), "{id}, answered {later} later");
            assert!(got.iter().all(|e| e.payload == Payload::Value(base) && e.origin == Origin::Backfill), "{got:?}");
            assert_eq!(rig.kinds(), [""; 0]);
        }
    }
}
