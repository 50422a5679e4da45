//! Subscriptions that are confirmed and stay silent, that are refused, or that nobody answers.

use crate::rig::{FUTURES, Rig, config, perpetual, status_of};
use barograph_domain::{GapReason, Metric, Span, StatusState};
use barograph_venues::session::{ConnId, MarketIndex, suite, venue};

fn number(text: &str) -> u64 {
    serde_json::from_str::<serde_json::Value>(text).unwrap()["id"].as_u64().unwrap()
}

#[test]
fn streams_that_do_not_come_are_subscribed_again() {
    let open = venue("binance-usdm").unwrap().open;
    let few = config("binance-usdm", vec![perpetual("BTCUSDT"), perpetual("ETHUSDT")], &FUTURES);
    let many = config("binance-usdm", (0..60).map(|n| perpetual(&format!("C{n}USDT"))).collect(), &FUTURES);
    let own = ["@markPrice@1s", "@kline_1m", "@aggTrade", "@bookTicker", "@depth@100ms"];
    let confirmed = |text: &str| vec![format!(r#"{{"result":null,"id":{}}}"#, number(text)).into_bytes()];
    let refused = |text: &str| {
        vec![format!(r#"{{"error":{{"code":2,"msg":"Invalid request"}},"id":{}}}"#, number(text)).into_bytes()]
    };
    suite::asks_again_for_what_does_not_come(open, &few, &own, |_, _, _| Vec::new());
    suite::asks_again_for_what_does_not_come(open, &few, &own, |_, _, text| confirmed(text));
    let all = [&own[..], &["@forceOrder"]].concat();
    suite::asks_again_for_what_does_not_come(open, &few, &all, |_, _, text| refused(text));
    let all = ["!markPrice@arr@1s", "!forceOrder@arr", "c7usdt@kline_1m"];
    suite::asks_again_for_what_does_not_come(open, &many, &all, |_, _, text| refused(text));
}

#[test]
fn a_refused_stream_says_so_and_is_found_when_it_is_confirmed() {
    let metrics = [Metric::Liquidation, Metric::MarkPrice];
    let mut rig = Rig::new("binance-usdm", config("binance-usdm", vec![perpetual("BTCUSDT")], &metrics));
    rig.open_all(0);
    let (_, text) = rig.sent.remove(0);
    let events = rig.on(0, &format!(r#"{{"error":{{"code":2,"msg":"no"}},"id":{}}}"#, number(&text)));
    assert_eq!(rig.kinds(), ["error_reply"]);
    for metric in metrics {
        let said = status_of(&events, metric);
        assert_eq!((said[0].state, said[0].reason), (StatusState::Gap, GapReason::Refused), "{metric:?}");
    }
    let mut waited = 0;
    while rig.sent.is_empty() {
        rig.tick(1);
        waited += 1;
    }
    assert_eq!(waited, 31, "after half a minute");
    let texts: Vec<(ConnId, String)> = rig.sent.drain(..).collect();
    assert!(texts[0].1.contains("UNSUBSCRIBE") && texts[0].1.contains("btcusdt@forceOrder"), "{texts:?}");
    assert!(texts[1].1.contains("\"SUBSCRIBE\"") && texts[1].1.contains("btcusdt@forceOrder"), "{texts:?}");
    let events = rig.on(0, &format!(r#"{{"result":null,"id":{}}}"#, number(&texts[1].1)));
    let said = status_of(&events, Metric::Liquidation);
    assert_eq!((said[0].state, said[0].reason), (StatusState::Live, GapReason::Refused), "it may be silent");
    let marks = rig.session.continuity().get(MarketIndex(0), Metric::MarkPrice).unwrap();
    assert_eq!(marks.state, StatusState::Gap, "it may not: data have to come");
}

/// Its stream has nothing to say: the snapshot is asked for all the same, once anything comes over the connection and that has
/// been open for three seconds.
#[test]
fn a_market_whose_orders_do_not_move_has_the_book_of_its_snapshot() {
    for (silent, more) in [(0, 3), (2, 1), (5, 0)] {
        let metrics = [Metric::Book, Metric::BestBidAsk];
        let mut rig = Rig::new("binance-usdm", config("binance-usdm", vec![perpetual("BTCUSDT")], &metrics));
        rig.open_all(0);
        rig.tick(silent);
        assert!(rig.request("/depth").is_none(), "the connection is not up after {silent} s");
        let t = rig.now.as_millis();
        rig.on(
            0,
            &format!(
                r#"{{"stream":"btcusdt@bookTicker","data":{{"e":"bookTicker","u":5,"s":"BTCUSDT","ps":"BTCUSDT","b":"99","B":"1","a":"101","A":"1","T":{t},"E":{t},"st":1}}}}"#
            ),
        );
        if more > 0 {
            rig.now = rig.now + Span::secs(more - 1);
            rig.tick(0);
            assert!(rig.request("/depth").is_none(), "data may still come, {silent} and {more}");
            rig.now = rig.now + Span::secs(1);
        }
        rig.tick(0);
        let request = rig.request("/depth?symbol=BTCUSDT").expect("a snapshot without an event");
        let body = r#"{"lastUpdateId":9,"E":1,"T":1,"bids":[["99","1"]],"asks":[["101","1"]]}"#;
        rig.answer(request.id, 200, body);
        let book = rig.session.book(MarketIndex(0)).expect("a book");
        assert_eq!(book.top(), Some((99.0, 101.0)));
        assert_eq!(rig.kinds(), [""; 0]);
    }
}
