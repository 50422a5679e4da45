//! Worlds that are not synthetic: bars, and captures.

use crate::client::{PATIENCE, Socket, get, get_path, server};
use barograph_domain::{Span, Ts};
use barograph_sim::Venue::{BinanceUsdm as USDM, Coinbase as CB};
use barograph_sim::world::script::{HistoryBar, HistoryMarket};
use barograph_sim::{Handle, Recording, Server, SimConfig, Source, VirtualClock};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

/// Three hours of five-minute bars that rise by 10 each, with marks, funding and open interest, the origin in the middle.
fn history() -> Vec<HistoryMarket> {
    let begin = Ts::from_civil(2026, 11, 20, 7, 30, 0);
    let at = |n: i64| begin + Span::mins(5 * n);
    let rows = |base: f64| (0..36).map(|n| (at(n), base + n as f64)).collect::<Vec<_>>();
    let bar = |n: i64| {
        let open = 80_000.0 + 10.0 * n as f64;
        HistoryBar {
            open_ts: at(n),
            prices: [open, open + 12.0, open - 3.0, open + 10.0],
            volume: 5.5,
            taker_buy_volume: Some(2.5),
            trades: None,
        }
    };
    vec![HistoryMarket {
        venue: USDM,
        symbol: "BTCUSDT".to_owned(),
        base: "BTC".to_owned(),
        quote: "USDT".to_owned(),
        price_decimals: 2,
        quantity_decimals: 3,
        funding_interval_h: 8,
        bar_length: Span::mins(5),
        bars: (0..36).map(bar).collect(),
        mark: rows(80_001.0),
        index: Vec::new(),
        funding: vec![(Ts::from_civil(2026, 11, 20, 8, 0, 0), -0.000_12)],
        open_interest: rows(9_000.0),
    }]
}

#[tokio::test]
async fn bars_are_served_when_their_time_has_come_and_nothing_else_is() {
    let handle = server(100.0, |c| c.source = Source::History(history())).await;
    let mut market = Socket::open(
        &handle,
        USDM,
        "/market/stream?streams=btcusdt@kline_5m/btcusdt@markPrice@1s/btcusdt@aggTrade/btcusdt@forceOrder",
    )
    .await;
    let mut public = Socket::open(&handle, USDM, "/public/stream?streams=btcusdt@depth/btcusdt@bookTicker").await;
    let capabilities = get_path(&handle, "/sim/capabilities").await.json();
    assert_eq!(capabilities["origin"], "recorded");
    let offered = json!(["candles", "taker_volume", "mark", "funding", "open_interest"]);
    assert_eq!(capabilities["venues"]["binance-usdm"]["offered"], offered);
    let rows = get(&handle, USDM, "/fapi/v1/klines?symbol=BTCUSDT&interval=5m").await.json();
    let closed = (handle.now() - Ts::from_civil(2026, 11, 20, 7, 30, 0)).as_secs() / 300;
    let shown = i64::try_from(rows.as_array().unwrap().len()).unwrap();
    assert!((18..=closed).contains(&shown), "{shown} candles, {closed} have closed");
    assert_eq!(rows[17][4], "80180.00");
    let first = market.until(|m| m["stream"] == "btcusdt@kline_5m").await;
    assert_eq!((first["data"]["k"]["x"].clone(), first["data"]["k"]["v"].clone()), (json!(true), json!("5.500")));
    let mark = market.until(|m| m["stream"] == "btcusdt@markPrice@1s").await;
    assert_eq!(
        (mark["data"]["i"].clone(), mark["data"]["r"].clone(), mark["data"]["T"].clone()),
        (json!(""), json!(""), json!(0))
    );
    assert_eq!(mark["data"]["E"].as_i64().unwrap() % 300_000, 0, "at its stamp");
    let hours = get(&handle, USDM, "/fapi/v1/klines?symbol=BTCUSDT&interval=30m").await.json();
    assert_eq!(hours[0][5], "33.000");
    for path in [
        "/fapi/v1/depth?symbol=BTCUSDT",
        "/fapi/v1/aggTrades?symbol=BTCUSDT",
        "/fapi/v1/ticker/24hr",
        "/fapi/v1/klines?symbol=BTCUSDT&interval=1m",
        "/fapi/v1/markPriceKlines?symbol=BTCUSDT&interval=5m",
    ] {
        let answer = get(&handle, USDM, path).await;
        assert!(answer.status == 404 && answer.json()["msg"].as_str().unwrap().contains("NOT_OFFERED"), "{path}");
    }
    let funding = get(&handle, USDM, "/fapi/v1/fundingRate?symbol=BTCUSDT").await.json();
    assert_eq!(funding[0]["fundingRate"], "-0.00012000");
    let oi = get(&handle, USDM, "/fapi/v1/openInterest?symbol=BTCUSDT").await.json();
    assert_eq!(oi["time"].as_i64().unwrap() % 300_000, 0);
    let past = get(&handle, USDM, "/futures/data/openInterestHist?symbol=BTCUSDT&period=5m&limit=500").await.json();
    assert!(past.as_array().unwrap().iter().all(|r| r["timestamp"].as_i64().unwrap() < handle.now().as_millis()));
    assert_eq!(public.within(Duration::from_millis(300)).await, [] as [Value; 0]);
    let streams: Vec<Value> =
        market.within(Duration::from_millis(3_200)).await.iter().map(|m| m["stream"].clone()).collect();
    assert!(streams.iter().all(|s| s == "btcusdt@kline_5m" || s == "btcusdt@markPrice@1s"), "{streams:?}");
}

async fn playing(recording: Recording, rate: f64) -> Handle {
    let clock = Arc::new(VirtualClock::new(Ts::from_civil(2026, 11, 20, 9, 0, 0), rate));
    let config = SimConfig { source: Source::Recorded(recording), ..SimConfig::default() };
    Server::start(config, clock).await.unwrap()
}

#[tokio::test]
async fn a_capture_is_played_in_the_worlds_clock() {
    let mut recording = Recording::new(USDM);
    let ns = 1_626_992_741_000_000_000;
    for n in 0..5_i64 {
        let ms = ns / 1_000_000 + n * 400;
        let text =
            format!("{{\"stream\":\"btcusdt@depth@0ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":{ms},\"u\":{n}}}}}");
        recording.frame(ns + n * 400_000_000, &text).unwrap();
    }
    recording.body(ns, "/fapi/v1/depth?symbol=BTCUSDT", None, "{\"lastUpdateId\":1,\"E\":1626992741000}");
    let handle = playing(recording, 2.0).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(handle.frames_left(), 5, "nobody listens yet");
    let began = handle.now().as_millis();
    let mut socket = Socket::open(&handle, USDM, "/public/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker").await;
    for n in 0..5_i64 {
        let message = socket.json().await;
        assert_eq!((message["stream"].clone(), message["data"]["u"].clone()), (json!("btcusdt@depth@100ms"), json!(n)));
        let off = message["data"]["E"].as_i64().unwrap() - began - n * 400;
        assert!((0..60_000).contains(&off), "{off} ms");
    }
    let body = get(&handle, USDM, "/fapi/v1/depth?symbol=btcusdt&limit=1000").await;
    assert!(body.json()["E"].as_i64().unwrap() >= began);
    assert_eq!(get(&handle, USDM, "/fapi/v1/depth?symbol=ETHUSDT").await.status, 404);
    assert_eq!(get_path(&handle, "/sim/capabilities").await.json()["origin"], "recorded");
}

/// The text of a capture, where the data is at hand.
fn capture(below: &str) -> Option<String> {
    let file = std::fs::File::open(barograph_testkit::recorded(below)?).unwrap();
    let mut text = String::new();
    if below.ends_with(".gz") {
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    } else {
        zstd::Decoder::new(file).unwrap().read_to_string(&mut text).unwrap();
    }
    Some(text)
}

#[tokio::test]
async fn a_recorded_futures_book_synchronises() {
    let Some(text) = capture("raw/cryptofeed/binance_futures.jsonl.zst") else { return };
    let recording = Recording::of_cryptofeed(USDM, text.lines()).unwrap();
    assert_eq!(recording.counts(), (1_535, 0));
    let handle = playing(recording, 60.0).await;
    let mut socket = Socket::open(&handle, USDM, "/public/stream?streams=sushiusdt@depth@100ms").await;
    let id = |m: &Value, name: &str| m[name].as_u64().unwrap();
    let mut updates = vec![socket.json().await["data"].clone()];
    let snapshot = get(&handle, USDM, "/fapi/v1/depth?symbol=SUSHIUSDT&limit=1000").await.json();
    while handle.frames_left() > 0 {
        updates.push(socket.json().await["data"].clone());
        if updates.len() > 60 {
            break;
        }
    }
    let last = id(&snapshot, "lastUpdateId");
    updates.retain(|m| id(m, "u") >= last);
    assert!(updates.len() > 20 && id(&updates[0], "U") <= last);
    assert!(updates.windows(2).all(|w| id(&w[1], "pu") == id(&w[0], "u")));
    assert_eq!(get(&handle, USDM, "/fapi/v1/exchangeInfo").await.status, 200);
}

#[tokio::test]
async fn a_recorded_coinbase_connection_is_numbered_anew() {
    let Some(text) = capture("raw/cryptofeed/coinbase.jsonl.zst") else { return };
    let recording = Recording::of_cryptofeed(CB, text.lines()).unwrap();
    let (frames, skipped) = recording.counts();
    assert!(frames > 900 && skipped > 0);
    let handle = playing(recording, 40.0).await;
    let mut socket = Socket::open(&handle, CB, "/ws").await;
    for channel in ["level2", "market_trades"] {
        socket.say(&json!({"type": "subscribe", "channel": channel, "product_ids": ["BTC-USD"]}).to_string()).await;
    }
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let end = tokio::time::Instant::now() + PATIENCE;
    for want in 0..200 {
        assert!(tokio::time::Instant::now() < end);
        let message = socket.json().await;
        assert_eq!(message["sequence_num"].as_u64(), Some(want));
        assert!(message["events"][0].get("product_id").is_none_or(|p| p == "BTC-USD"));
        *seen.entry(message["channel"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(seen["l2_data"] > 50 && seen["subscriptions"] == 2, "{seen:?}");
}

#[tokio::test]
async fn a_collectors_file_plays_too() {
    let Some(text) = capture("raw/hftbacktest/binance-usdm_btcusdt_20240718.gz") else { return };
    let recording = Recording::of_hftbacktest(USDM, "BTCUSDT", text.lines().take(3_000)).unwrap();
    assert!(recording.counts().0 > 2_900);
    let handle = playing(recording, 20.0).await;
    let mut socket = Socket::open(&handle, USDM, "/public/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker").await;
    let update = socket.until(|m| m["stream"] == "btcusdt@depth@100ms").await;
    let off = update["data"]["E"].as_i64().unwrap() - handle.now().as_millis();
    assert!(off.abs() < 60_000, "{off} ms");
    socket.until(|m| m["stream"] == "btcusdt@bookTicker").await;
}
