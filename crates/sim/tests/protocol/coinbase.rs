//! Coinbase Advanced.

use crate::client::{Socket, get, number, server};
use barograph_domain::Span;
use barograph_sim::Venue::Coinbase as CB;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn subscribe(channel: &str, products: &[&str]) -> String {
    json!({"type": "subscribe", "channel": channel, "product_ids": products}).to_string()
}

#[tokio::test]
async fn the_number_counts_every_message_of_a_connection() {
    let handle = server(10.0, |c| (c.world.coinbase_markets, c.world.messages_per_s) = (5, 200.0)).await;
    let mut socket = Socket::open(&handle, CB, "/ws").await;
    socket.say(&subscribe("level2", &["BTC-USD", "ETH-USD"])).await;
    socket.say(&subscribe("market_trades", &["BTC-USD"])).await;
    socket.say("{\"type\":\"subscribe\",\"channel\":\"heartbeats\"}").await;
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for want in 0..300 {
        let message = socket.json().await;
        assert_eq!(message["sequence_num"].as_u64(), Some(want), "{message}");
        *seen.entry(message["channel"].as_str().unwrap().to_owned()).or_default() += 1;
        if want == 0 {
            assert_eq!(message["events"][0]["subscriptions"], json!({"level2": ["BTC-USD", "ETH-USD"]}));
        }
    }
    assert_eq!(seen["subscriptions"], 3);
    assert_eq!(
        seen.keys().map(String::as_str).collect::<Vec<_>>(),
        ["heartbeats", "l2_data", "market_trades", "subscriptions"]
    );
}

#[tokio::test]
async fn snapshot_then_updates_make_the_book() {
    let handle = server(10.0, |c| c.world.coinbase_markets = 1).await;
    let mut socket = Socket::open(&handle, CB, "/ws").await;
    socket.say(&subscribe("level2", &["BTC-USDC"])).await;
    let mut book: BTreeMap<(String, String), f64> = BTreeMap::new();
    let apply = |book: &mut BTreeMap<(String, String), f64>, message: &Value| {
        for event in message["events"].as_array().unwrap() {
            assert_eq!(event["product_id"], "BTC-USD", "frames carry the canonical name");
            for u in event["updates"].as_array().unwrap() {
                let key = (u["side"].as_str().unwrap().to_owned(), u["price_level"].as_str().unwrap().to_owned());
                book.insert(key, number(&u["new_quantity"]));
            }
        }
        book.retain(|_, q| *q > 0.0);
    };
    let first = socket.until(|m| m["channel"] == "l2_data").await;
    assert_eq!(first["events"][0]["type"], "snapshot");
    assert_eq!(first["events"][0]["updates"][0]["event_time"], "1970-01-01T00:00:00Z");
    apply(&mut book, &first);
    for _ in 0..50 {
        let update = socket.json().await;
        assert_eq!(update["events"][0]["type"], "update");
        apply(&mut book, &update);
    }
    handle.pause().await;
    for message in socket.within(std::time::Duration::from_millis(300)).await {
        apply(&mut book, &message);
    }
    let truth = handle.truth().book(CB, "BTC-USD").unwrap();
    let side = |name: &str| -> BTreeMap<String, String> {
        book.iter().filter(|((s, _), _)| s == name).map(|((_, p), q)| (p.clone(), q.to_string())).collect()
    };
    for (name, levels) in [("bid", &truth.bids), ("offer", &truth.asks)] {
        let want: BTreeMap<String, String> =
            levels.iter().map(|l| (format!("{:.2}", l.price), l.quantity.to_string())).collect();
        assert_eq!(side(name), want, "{name}");
    }
}

#[tokio::test]
async fn thirty_books_are_the_limit_and_a_name_held_gives_no_snapshot() {
    let handle = server(1.0, |c| c.world.coinbase_markets = 40).await;
    let mut socket = Socket::open(&handle, CB, "/ws").await;
    let names = handle.truth().symbols(CB);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    socket.say(&subscribe("level2", &names[..30])).await;
    let ack = socket.json().await;
    assert_eq!(ack["events"][0]["subscriptions"]["level2"].as_array().unwrap().len(), 30);
    socket.say(&subscribe("level2", &names[30..31])).await;
    let refused = socket.until(|m| m["type"] == "error").await;
    assert_eq!(refused, json!({"type": "error", "message": "too many L2 streams requested in a single session"}));
    socket.say(&json!({"type": "unsubscribe", "channel": "level2", "product_ids": [names[0]]}).to_string()).await;
    socket.until(|m| m["channel"] == "subscriptions").await;
    socket.say(&subscribe("level2", &[names[30], names[1], "NOPE-USD"])).await;
    let ack = socket.until(|m| m["channel"] == "subscriptions").await;
    let held = ack["events"][0]["subscriptions"]["level2"].as_array().unwrap();
    assert!(held.len() == 30 && !held.contains(&json!("NOPE-USD")), "a refused product is just missing");
    let next = socket.until(|m| m["events"][0]["type"] == "snapshot").await;
    assert_eq!(next["events"][0]["product_id"], names[30]);
    let more = socket.within(std::time::Duration::from_millis(400)).await;
    assert!(more.iter().all(|m| m["events"][0]["type"] != "snapshot"), "a held name gives no new snapshot");
}

#[tokio::test]
async fn silence_after_connecting_and_nonsense_are_answered() {
    let handle = server(20.0, |c| c.world.coinbase_markets = 1).await;
    let mut silent = Socket::open(&handle, CB, "/ws").await;
    assert_eq!(silent.closed().await, Some(1008), "no subscription within five seconds");
    let mut socket = Socket::open(&handle, CB, "/ws").await;
    socket.say(&subscribe("l2_data", &["BTC-USD"])).await;
    assert_eq!(socket.json().await["type"], "error", "the channel is subscribed under another name");
}

#[tokio::test]
async fn rest_answers_have_the_sheets_shapes() {
    let handle = server(30.0, |c| c.world.coinbase_markets = 4).await;
    handle.sleep(Span::secs(15)).await;
    let time = get(&handle, CB, "/api/v3/brokerage/time").await;
    assert!(time.header("x-ratelimit-limit") == Some("10") && time.json()["epochMillis"].is_string());
    let seconds: i64 = time.json()["epochSeconds"].as_str().unwrap().parse().unwrap();
    let products = get(&handle, CB, "/api/v3/brokerage/market/products").await.json();
    assert_eq!(products["num_products"], 4);
    assert_eq!(get(&handle, CB, "/api/v3/brokerage/market/products/ETH-USD").await.json()["price_increment"], "0.01");
    let book = get(&handle, CB, "/api/v3/brokerage/market/product_book?product_id=BTC-USD&limit=3").await.json();
    assert_eq!(book["pricebook"]["asks"].as_array().unwrap().len(), 3);
    let path = |from: i64| {
        format!(
            "/api/v3/brokerage/market/products/BTC-USD/candles?start={}&end={seconds}&granularity=ONE_MINUTE",
            seconds - from
        )
    };
    let candles = get(&handle, CB, &path(300 * 60)).await.json();
    let starts: Vec<i64> =
        candles["candles"].as_array().unwrap().iter().map(|c| c["start"].as_str().unwrap().parse().unwrap()).collect();
    assert!(starts.len() >= 299 && starts.windows(2).all(|w| w[0] == w[1] + 60), "newest first, no holes");
    let refused = get(&handle, CB, &path(400 * 60)).await;
    assert_eq!((refused.status, refused.json()["error"].clone()), (400, json!("INVALID_ARGUMENT")));
    let trades = get(&handle, CB, "/api/v3/brokerage/market/products/BTC-USD/ticker?limit=5").await.json();
    assert_eq!(trades["trades"].as_array().unwrap().len(), 5);
    for _ in 0..12 {
        get(&handle, CB, "/api/v3/brokerage/time").await;
    }
}
