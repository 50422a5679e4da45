//! Markets that are not traded go silent; that is no gap (spot checklist 14).

use crate::rig::{Rig, config, data_of, perpetual, status_of};
use barograph_domain::{GapReason, MarketKind, Metric, Span, StatusState};
use barograph_venues::session::{Emit, MarketIndex, MarketSpec};

const STREAMS: [Metric; 3] = [Metric::Trade, Metric::BestBidAsk, Metric::Bar];

fn spot(symbol: &str) -> MarketSpec {
    MarketSpec::bare(symbol, MarketKind::Spot)
}

/// Trade, quote and candle of a market.
fn frames(rig: &mut Rig, symbol: &str, id: u64) -> Vec<Emit> {
    let t = rig.now.as_millis();
    let (close, low) = (rig.now.floor(Span::mins(1)).as_millis(), symbol.to_lowercase());
    let texts = [
        format!(
            r#"{{"stream":"{low}@aggTrade","data":{{"e":"aggTrade","E":{t},"a":{id},"s":"{symbol}","p":"100","q":"1","f":1,"l":1,"T":{t},"m":false}}}}"#
        ),
        format!(
            r#"{{"stream":"{low}@bookTicker","data":{{"u":{id},"s":"{symbol}","b":"99","B":"1","a":"101","A":"1"}}}}"#
        ),
        format!(
            r#"{{"stream":"{low}@kline_1m","data":{{"e":"kline","E":{t},"s":"{symbol}","k":{{"t":{},"T":{},"s":"{symbol}","i":"1m","f":1,"L":2,"o":"1.0","c":"1.5","h":"2.0","l":"0.5","v":"7","n":2,"x":true,"q":"9","V":"1","Q":"1","B":"0"}}}}}}"#,
            close - 60_000,
            close - 1
        ),
    ];
    texts.iter().flat_map(|text| rig.on(0, text)).collect()
}

/// Two markets; the first falls silent while the list says `answer` of it. What is said of either within `minutes`.
fn silent(answer: (u16, &str), minutes: i64) -> (Rig, [Vec<Emit>; 2], usize) {
    let mut rig = Rig::new("binance-spot", config("binance-spot", vec![spot("BTCUSDT"), spot("ETHUSDT")], &STREAMS));
    rig.open_all(0);
    frames(&mut rig, "BTCUSDT", 1);
    frames(&mut rig, "ETHUSDT", 1);
    let (mut told, mut asked) = ([Vec::new(), Vec::new()], 0);
    for second in 0..minutes * 60 {
        let mut events = rig.tick(1);
        events.extend(frames(&mut rig, "ETHUSDT", 2 + u64::try_from(second).unwrap()));
        while let Some(request) = rig.request("/exchangeInfo") {
            assert!(request.url.ends_with("/exchangeInfo?symbol=BTCUSDT"), "only what is silent: {}", request.url);
            assert_eq!(request.weight, 20);
            asked += 1;
            events.extend(rig.answer(request.id, answer.0, answer.1));
        }
        for event in events {
            told[event.market.index()].push(event);
        }
    }
    (rig, told, asked)
}

fn losses(events: &[Emit]) -> usize {
    STREAMS.iter().map(|m| status_of(events, *m).iter().filter(|s| s.state != StatusState::Live).count()).sum()
}

#[test]
fn the_silence_of_a_halted_market_is_no_gap() {
    let halted =
        r#"{"timezone":"UTC","symbols":[{"symbol":"BTCUSDT","status":"HALT","baseAsset":"BTC","quoteAsset":"USDT"}]}"#;
    let gone = r#"{"code":-1121,"msg":"Invalid symbol."}"#;
    for answer in [(200, halted), (200, r#"{"symbols":[]}"#), (400, gone)] {
        let (mut rig, told, asked) = silent(answer, 180);
        assert_eq!(losses(&told[0]) + losses(&told[1]), 0, "{answer:?}: {:?}", told[0]);
        assert!((30..=37).contains(&asked), "asked again every five minutes: {asked}");
        assert_eq!(rig.kinds(), ["market_halted"], "said once");
        // It trades again: data show it, and silence counts again.
        let events = frames(&mut rig, "BTCUSDT", 2);
        let lost = status_of(&events, Metric::Trade).len() + status_of(&events, Metric::BestBidAsk).len();
        assert_eq!((lost, data_of(&events, Metric::Trade).len()), (0, 1));
        rig.asked.clear();
        let events: Vec<Emit> = (0..61).flat_map(|_| rig.tick(1)).collect();
        let said = status_of(&events, Metric::BestBidAsk);
        assert_eq!((said[0].state, said[0].reason), (StatusState::Stale, GapReason::Silent));
    }
}

#[test]
fn the_silence_of_a_traded_market_is_a_gap() {
    let traded = r#"{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT"}]}"#;
    let (mut rig, told, asked) = silent((200, traded), 30);
    assert_eq!(losses(&told[0]), 3, "each stream once");
    assert!((5..=7).contains(&asked), "{asked}");
    assert_eq!(rig.kinds(), [""; 0]);
    // A halt that is found out later ends the gap, and a list without one ends the halt.
    let halted = traded.replace("TRADING", "BREAK");
    let mut events = Vec::new();
    let mut id = 1_000_000;
    for body in [&*halted, traded] {
        for _ in 0..310 {
            events.extend(rig.tick(1));
            id += 1;
            frames(&mut rig, "ETHUSDT", id);
            if let Some(request) = rig.request("/exchangeInfo") {
                events.extend(rig.answer(request.id, 200, body));
            }
        }
        let live = status_of(&events, Metric::BestBidAsk).iter().filter(|s| s.state == StatusState::Live).count();
        assert_eq!(live, 1, "found once");
    }
    assert_eq!(rig.kinds()[..2], ["market_halted", "market_trades"]);
    let state = rig.session.continuity().get(MarketIndex(0), Metric::BestBidAsk).unwrap().state;
    assert_eq!(state, StatusState::Stale, "traded and silent: a gap again");
}

#[test]
fn settling_futures_rest_and_one_list_serves_all() {
    let metrics = [Metric::BestBidAsk, Metric::MarkPrice];
    let markets = vec![perpetual("AUSDT"), perpetual("BUSDT"), perpetual("CUSDT")];
    let mut rig = Rig::new("binance-usdm", config("binance-usdm", markets, &metrics));
    rig.open_all(0);
    let t = rig.now.as_millis();
    for symbol in ["AUSDT", "BUSDT", "CUSDT"] {
        rig.on(1, &format!(r#"{{"stream":"x","data":{{"e":"bookTicker","u":1,"s":"{symbol}","b":"1","B":"1","a":"2","A":"1","T":{t},"E":{t},"st":1}}}}"#));
    }
    let (mut events, mut asked) = (Vec::new(), 0);
    for _ in 0..290 {
        events.extend(rig.tick(1));
        while let Some(request) = rig.request("/exchangeInfo") {
            assert_eq!((request.url.split("/exchangeInfo").nth(1), request.weight), (Some(""), 1));
            asked += 1;
            let body = r#"{"symbols":[{"symbol":"AUSDT","status":"SETTLING"},{"symbol":"BUSDT","status":"TRADING"}]}"#;
            events.extend(rig.answer(request.id, 200, body));
        }
    }
    assert_eq!(asked, 1);
    let lost = |n: u32| events.iter().filter(|e| e.market == MarketIndex(n) && e.metric == Metric::BestBidAsk).count();
    assert_eq!([0, 1, 2].map(lost), [0, 1, 0], "A settles, B is traded and silent, C is gone from the list");
    assert_eq!(rig.kinds(), ["market_halted", "market_halted"]);
}
