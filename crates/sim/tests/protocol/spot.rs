//! Binance spot.

use crate::client::{Socket, get, number, server};
use barograph_sim::Venue::BinanceSpot as SPOT;
use barograph_sim::{FaultRule, InjectedFault, When};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

fn id(m: &Value, name: &str) -> u64 {
    m[name].as_u64().unwrap()
}

#[tokio::test]
async fn rest_answers_have_the_sheets_shapes() {
    let handle = server(30.0, |c| c.world.spot_markets = 5).await;
    handle.sleep(barograph_domain::Span::secs(20)).await;
    let info = get(&handle, SPOT, "/api/v3/exchangeInfo?symbol=BTCUSDT").await.json();
    assert_eq!(info["symbols"].as_array().unwrap().len(), 1);
    assert_eq!(info["symbols"][0]["filters"][0]["tickSize"], "0.01000000");
    let both = get(&handle, SPOT, "/api/v3/ticker/price?symbols=%5B%22BTCUSDT%22%2C%22ETHUSDT%22%5D").await.json();
    assert_eq!(both.as_array().unwrap().len(), 2);
    let depth = get(&handle, SPOT, "/api/v3/depth?symbol=BTCUSDT&limit=17").await;
    assert_eq!(depth.header("x-mbx-used-weight-1m").map(|w| w.parse::<u32>().unwrap() >= 5), Some(true));
    assert_eq!(depth.json()["bids"].as_array().unwrap().len(), 17);
    assert!(depth.json()["bids"][0][0].as_str().unwrap().split_once('.').unwrap().1.len() == 8);
    let rows = get(&handle, SPOT, "/api/v3/aggTrades?symbol=BTCUSDT&limit=1000").await.json();
    let ids: Vec<u64> = rows.as_array().unwrap().iter().map(|r| id(r, "a")).collect();
    assert!(ids.len() > 10 && ids.windows(2).all(|w| w[1] == w[0] + 1), "aggregate ids are dense");
    let from = get(&handle, SPOT, &format!("/api/v3/aggTrades?symbol=BTCUSDT&fromId={}&limit=3", ids[4])).await.json();
    assert_eq!(from.as_array().unwrap().iter().map(|r| id(r, "a")).collect::<Vec<_>>(), ids[4..7]);
    let bars = get(&handle, SPOT, "/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1000").await.json();
    assert_eq!(bars.as_array().unwrap().len(), 1_000);
    assert_eq!(get(&handle, SPOT, "/api/v3/premiumIndex").await.status, 404, "spot has no mark");
}

/// The sheet's procedure for spot: continuity is `U == previous u + 1`.
#[tokio::test]
async fn the_book_synchronises_by_the_spot_rule() {
    let handle = server(5.0, |c| (c.world.spot_markets, c.world.messages_per_s) = (2, 200.0)).await;
    let mut socket = Socket::open(&handle, SPOT, "/stream?streams=btcusdt@depth@100ms").await;
    let mut event = socket.json().await["data"].clone();
    let snapshot = get(&handle, SPOT, "/api/v3/depth?symbol=BTCUSDT&limit=5000").await.json();
    let mut book: [BTreeMap<String, f64>; 2] = Default::default();
    let apply = |book: &mut [BTreeMap<String, f64>; 2], m: &Value, names: [&str; 2]| {
        for (side, name) in book.iter_mut().zip(names) {
            for level in m[name].as_array().unwrap() {
                side.insert(level[0].as_str().unwrap().to_owned(), number(&level[1]));
            }
            side.retain(|_, q| *q > 0.0);
        }
    };
    apply(&mut book, &snapshot, ["bids", "asks"]);
    let mut last = id(&snapshot, "lastUpdateId");
    while id(&event, "u") <= last {
        event = socket.json().await["data"].clone();
    }
    assert!(id(&event, "U") <= last + 1, "a hole before the first event");
    for n in 0..30 {
        assert!(n == 0 || id(&event, "U") == last + 1, "the chain is broken");
        assert!(event.get("pu").is_none() && event.get("T").is_none());
        last = id(&event, "u");
        apply(&mut book, &event, ["b", "a"]);
        event = socket.json().await["data"].clone();
    }
    handle.pause().await;
    let rest = socket.within(Duration::from_millis(300)).await;
    for event in std::iter::once(event).chain(rest.into_iter().map(|m| m["data"].clone())) {
        last = id(&event, "u");
        apply(&mut book, &event, ["b", "a"]);
    }
    let truth = handle.truth().book(SPOT, "BTCUSDT").unwrap();
    assert_eq!(truth.last_update_id, last);
    for (side, levels) in book.iter().zip([truth.bids, truth.asks]) {
        let want: BTreeMap<String, String> =
            levels.iter().map(|l| (format!("{:.8}", l.price), l.quantity.to_string())).collect();
        let got: BTreeMap<String, String> = side.iter().map(|(p, q)| (p.clone(), q.to_string())).collect();
        assert_eq!(got, want);
    }
}

#[tokio::test]
async fn streams_carry_what_spot_has_and_no_more() {
    let handle = server(10.0, |c| c.world.spot_markets = 2).await;
    let names = [
        "btcusdt@bookTicker",
        "btcusdt@trade",
        "btcusdt@aggTrade",
        "btcusdt@kline_1m",
        "btcusdt@markPrice@1s",
        "btcusdt@depth5@100ms",
        "!miniTicker@arr",
        "!ticker@arr",
    ];
    let mut socket = Socket::open(&handle, SPOT, "/stream").await;
    socket.say(&json!({"method": "SUBSCRIBE", "params": names, "id": "a1"}).to_string()).await;
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    for message in socket.within(Duration::from_secs(2)).await {
        if let Some(stream) = message["stream"].as_str() {
            seen.insert(stream.to_owned(), message["data"].clone());
        } else {
            assert_eq!(message, json!({"result": null, "id": "a1"}));
        }
    }
    let mut keys: Vec<&str> = seen.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "!miniTicker@arr",
            "btcusdt@aggTrade",
            "btcusdt@bookTicker",
            "btcusdt@depth5@100ms",
            "btcusdt@kline_1m",
            "btcusdt@trade"
        ]
    );
    assert!(seen["btcusdt@bookTicker"].get("E").is_none(), "no time at all");
    assert_eq!(seen["btcusdt@depth5@100ms"]["bids"].as_array().unwrap().len(), 5);
    assert_eq!(seen["btcusdt@aggTrade"]["M"], true);
}

#[tokio::test]
async fn a_shutdown_is_announced() {
    let handle = server(10.0, |c| c.world.spot_markets = 1).await;
    let mut wrapped = Socket::open(&handle, SPOT, "/stream?streams=btcusdt@aggTrade").await;
    let mut raw = Socket::open(&handle, SPOT, "/ws/btcusdt@aggTrade").await;
    wrapped.text().await;
    raw.text().await;
    handle.inject(FaultRule::new(InjectedFault::ServerShutdown, When::Now).venue(SPOT));
    let told = wrapped.until(|m| m["stream"] == "!serverShutdown").await;
    assert_eq!(told["data"]["e"], "serverShutdown");
    raw.until(|m| m["e"] == "serverShutdown").await;
    assert_eq!(wrapped.closed().await, None, "cut without a word");
    assert_eq!(handle.injected().len(), 2);
}
