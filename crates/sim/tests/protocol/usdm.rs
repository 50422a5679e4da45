//! Binance USD-M.

use crate::client::{Socket, get, get_path, number, server};
use barograph_sim::Venue::BinanceUsdm as USDM;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::test]
async fn the_exchange_says_what_is_traded() {
    let handle = server(1.0, |c| c.world.usdm_markets = 40).await;
    let answer = get(&handle, USDM, "/fapi/v1/exchangeInfo").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-mbx-used-weight-1m"), Some("1"));
    let info = answer.json();
    assert_eq!(info["futuresType"], "U_MARGINED");
    let symbols = info["symbols"].as_array().unwrap();
    assert_eq!(symbols.len(), 40);
    for (n, name) in ["BTCUSDT", "ETHUSDT", "SOLUSDT", "M0001USDT"].iter().enumerate() {
        assert_eq!(symbols[n]["symbol"], **name);
        assert_eq!(symbols[n]["status"], "TRADING");
    }
    assert_eq!(symbols[0]["filters"][0]["tickSize"], "0.10");
    assert_eq!(symbols[0]["filters"][1]["stepSize"], "0.001");
    assert!(symbols.iter().any(|s| s["contractType"] == "TRADIFI_PERPETUAL"));
    let capabilities = get_path(&handle, "/sim/capabilities").await.json();
    assert_eq!(capabilities["origin"], "synthetic");
    assert_eq!(capabilities["venues"]["binance-usdm"]["markets"], 40);
}

#[tokio::test]
async fn errors_have_the_venues_codes() {
    let handle = server(1.0, |_| {}).await;
    let cases = [
        ("/fapi/v1/klines?symbol=NOPEUSDT&interval=1m", 400, -1121),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=1s", 400, -1120),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=1501", 400, -1130),
        ("/fapi/v1/depth?symbol=BTCUSDT&limit=7", 400, -4021),
        ("/fapi/v1/openInterest", 400, -1102),
        ("/fapi/v1/aggTrades?symbol=BTCUSDT&startTime=1", 400, -4166),
        ("/fapi/v1/nothing", 404, -5000),
    ];
    for (path, status, code) in cases {
        let answer = get(&handle, USDM, path).await;
        assert_eq!((answer.status, answer.json()["code"].as_i64()), (status, Some(code)), "{path}");
    }
    let lower = get(&handle, USDM, "/fapi/v1/openInterest?symbol=btcusdt").await.json();
    assert_eq!(lower["symbol"], "BTCUSDT", "lower case is understood and echoed in upper case");
}

#[tokio::test]
async fn an_acknowledgement_proves_nothing() {
    let handle = server(5.0, |_| {}).await;
    let mut market = Socket::open(&handle, USDM, "/market/stream").await;
    let names =
        ["btcusdt@aggTrade", "btcusdt@depth@100ms", "BTCUSDT@markPrice@1s", "nope@aggTrade", "btcusdt@invented"];
    market.say(&json!({"method": "SUBSCRIBE", "params": names, "id": 1}).to_string()).await;
    assert_eq!(market.text().await, "{\"result\":null,\"id\":1}");
    market.say("{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":3}").await;
    let listed = market.until(|m| m["id"] == 3).await;
    assert_eq!(listed["result"], json!(names));
    let mut streams = BTreeMap::new();
    for message in market.within(Duration::from_secs(2)).await {
        *streams.entry(message["stream"].to_string()).or_insert(0) += 1;
    }
    assert_eq!(streams.keys().collect::<Vec<_>>(), ["\"btcusdt@aggTrade\""], "{streams:?}");
    market.say("{\"method\":\"UNSUBSCRIBE\",\"params\":[\"btcusdt@aggTrade\"],\"id\":4}").await;
    market.until(|m| m["id"] == 4).await;
    assert_eq!(market.within(Duration::from_millis(500)).await, [] as [Value; 0]);
}

#[tokio::test]
async fn an_address_without_a_tier_gets_the_public_one() {
    let handle = server(5.0, |_| {}).await;
    let mut old =
        Socket::open(&handle, USDM, "/ws/btcusdt@aggTrade/btcusdt@markPrice@1s/btcusdt@bookTicker/btcusdt@trade").await;
    let kinds: std::collections::BTreeSet<String> =
        old.within(Duration::from_secs(2)).await.iter().map(|m| m["e"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["bookTicker", "trade"]);
}

#[tokio::test]
async fn fields_come_in_the_venues_order() {
    let handle = server(20.0, |_| {}).await;
    let keys = |text: &str| -> Vec<String> {
        // Order matters here, which a map would lose.
        let mut keys = Vec::new();
        for part in text.split('"').skip(1).step_by(2) {
            if text.contains(&format!("\"{part}\":")) && !keys.contains(&part.to_owned()) {
                keys.push(part.to_owned());
            }
        }
        keys
    };
    let cases = [
        ("/market/ws/btcusdt@markPrice@1s", "e E s p ap P i r T st"),
        ("/market/ws/btcusdt@aggTrade", "e E a s p q nq f l T m st"),
        ("/public/ws/btcusdt@bookTicker", "e u s ps b B a A T E st"),
        ("/public/ws/btcusdt@depth@100ms", "e E T s ps U u pu b a st"),
        ("/market/ws/btcusdt@kline_1m", "e E s k t T i f L o c h l v n x q V Q B"),
        ("/market/ws/btcusdt@ticker", "e E s ps p P w c Q o h l v q O C F L n st"),
    ];
    for (path, want) in cases {
        let mut socket = Socket::open(&handle, USDM, path).await;
        let text = socket.text().await;
        assert_eq!(keys(&text).join(" "), want, "{text}");
    }
}

/// The sheet's procedure, step by step; the client's book at the end equals a snapshot of the same id.
#[tokio::test]
async fn snapshot_and_updates_make_the_servers_book() {
    let handle = server(3.0, |c| c.world.messages_per_s = 200.0).await;
    let mut socket = Socket::open(&handle, USDM, "/public/stream?streams=btcusdt@depth@100ms").await;
    let mut buffer = vec![socket.json().await["data"].clone()];
    let snapshot = get(&handle, USDM, "/fapi/v1/depth?symbol=BTCUSDT&limit=1000").await.json();
    let last = snapshot["lastUpdateId"].as_u64().unwrap();
    let id = |m: &Value, name: &str| m[name].as_u64().unwrap();
    while id(buffer.last().unwrap(), "u") < last {
        buffer.push(socket.json().await["data"].clone());
    }
    let first = buffer.iter().position(|m| id(m, "u") >= last).unwrap();
    assert!(id(&buffer[first], "U") <= last && last <= id(&buffer[first], "u"));
    let mut book: [BTreeMap<String, String>; 2] = Default::default();
    let apply = |book: &mut [BTreeMap<String, String>; 2], m: &Value, names: [&str; 2]| {
        for (side, name) in book.iter_mut().zip(names) {
            for level in m[name].as_array().unwrap() {
                let (price, quantity) = (level[0].as_str().unwrap().to_owned(), level[1].as_str().unwrap().to_owned());
                if number(&level[1]) > 0.0 {
                    side.insert(price, quantity)
                } else {
                    side.remove(&price)
                };
            }
        }
    };
    apply(&mut book, &snapshot, ["bids", "asks"]);
    let mut previous = None;
    let mut updates = 0;
    let take = |m: &Value, book: &mut _, previous: &mut Option<u64>| {
        if let Some(previous) = *previous {
            assert_eq!(id(m, "pu"), previous, "the chain is broken");
        }
        *previous = Some(id(m, "u"));
        apply(book, m, ["b", "a"]);
    };
    for message in &buffer[first..] {
        take(message, &mut book, &mut previous);
    }
    while updates < 40 {
        let message = socket.json().await["data"].clone();
        take(&message, &mut book, &mut previous);
        updates += 1;
    }
    handle.pause().await;
    for message in socket.within(Duration::from_millis(300)).await {
        take(&message["data"], &mut book, &mut previous);
    }
    let end = get(&handle, USDM, "/fapi/v1/depth?symbol=BTCUSDT&limit=1000").await.json();
    assert_eq!(end["lastUpdateId"].as_u64(), previous);
    for (side, name) in book.iter().zip(["bids", "asks"]) {
        let text = |level: &Value, n: usize| level[n].as_str().unwrap().to_owned();
        let want: BTreeMap<String, String> =
            end[name].as_array().unwrap().iter().map(|l| (text(l, 0), text(l, 1))).collect();
        assert_eq!(side, &want, "{name}");
    }
    let truth = handle.truth().book(USDM, "BTCUSDT").unwrap();
    assert_eq!(truth.bids[0].price.to_string(), number(&end["bids"][0][0]).to_string());
    assert_eq!(Some(truth.last_update_id), previous);
}

#[tokio::test]
async fn one_stream_too_many_loses_them_all() {
    let handle = server(1.0, |_| {}).await;
    let mut socket = Socket::open(&handle, USDM, "/market/stream").await;
    for (request, count) in [(1, 512), (2, 512), (3, 1)] {
        let names: Vec<String> = (0..count).map(|n| format!("made{request}up{n}usdt@aggTrade")).collect();
        socket.say(&json!({"method": "SUBSCRIBE", "params": names, "id": request}).to_string()).await;
        let answer = socket.json().await;
        if request < 3 {
            assert_eq!(answer, json!({"result": null, "id": request}));
        } else {
            assert_eq!(answer, json!({"error": {"code": 4, "msg": "Too many subscriptions"}, "id": 3}));
        }
    }
    assert_eq!(socket.closed().await, Some(1008));
}

#[tokio::test]
async fn a_client_that_talks_too_much_is_closed() {
    let handle = server(1.0, |_| {}).await;
    let mut socket = Socket::open(&handle, USDM, "/market/stream").await;
    for n in 0..40 {
        socket.say(&json!({"method": "LIST_SUBSCRIPTIONS", "id": n}).to_string()).await;
    }
    assert_eq!(socket.closed().await, Some(1008));
}
