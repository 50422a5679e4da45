//! CoinEx futures.

use crate::client::{Socket, get, number, server};
use barograph_domain::Span;
use barograph_sim::Venue::Coinex as CX;
use barograph_sim::{FaultRule, InjectedFault, When};
use flate2::Crc;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::Read as _;
use tokio_tungstenite::tungstenite::Message;

const PATH: &str = "/v2/futures";

fn ask(method: &str, markets: &Value, id: u32) -> String {
    json!({"method": method, "params": {"market_list": markets}, "id": id}).to_string()
}

/// The next message, which comes packed.
async fn message(socket: &mut Socket) -> Value {
    loop {
        match socket.frame().await {
            Some(Message::Binary(packed)) => return unpacked(&packed).expect("a whole message"),
            Some(Message::Ping(_) | Message::Pong(_)) => {}
            other => panic!("expected a packed message, got {other:?}"),
        }
    }
}

fn unpacked(packed: &[u8]) -> Option<Value> {
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

async fn until(socket: &mut Socket, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let message = message(socket).await;
        if wanted(&message) {
            return message;
        }
    }
}

/// A book in the venue's texts: price and amount, best first.
#[derive(Default)]
struct Texts([Vec<(String, String)>; 2]);

impl Texts {
    fn apply(&mut self, data: &Value) {
        if data["is_full"] == true {
            *self = Self::default();
        }
        for (side, name) in ["bids", "asks"].iter().enumerate() {
            for level in data["depth"][name].as_array().unwrap() {
                let text = |n: usize| level[n].as_str().unwrap().to_owned();
                let (price, amount) = (text(0), text(1));
                self.0[side].retain(|(p, _)| *p != price);
                if number(&level[1]) > 0.0 {
                    self.0[side].push((price, amount));
                }
            }
            let key = |p: &String| p.parse::<f64>().unwrap() * if side == 0 { -1.0 } else { 1.0 };
            self.0[side].sort_by(|a, b| key(&a.0).total_cmp(&key(&b.0)));
        }
    }

    fn checksum(&self) -> u64 {
        let levels: Vec<String> = self.0.iter().flatten().map(|(p, a)| format!("{p}:{a}")).collect();
        let mut crc = Crc::new();
        crc.update(levels.join(":").as_bytes());
        crc.sum().into()
    }
}

#[tokio::test]
async fn markets_are_listed_and_books_follow_their_checksums_to_the_truth() {
    let handle = server(20.0, |c| c.world.coinex_markets = 2).await;
    let list = get(&handle, CX, "/v2/futures/market").await;
    assert_eq!(list.header("x-ratelimit-limit"), Some("400"));
    let list = list.json();
    assert_eq!((list["code"].as_i64(), list["message"].as_str()), (Some(0), Some("OK")));
    assert_eq!(list["data"][1]["market"], "ETHUSDT");
    assert_eq!(list["data"][0]["contract_type"], "linear");
    let mut socket = Socket::open(&handle, CX, PATH).await;
    socket.say(&ask("depth.subscribe", &json!([["BTCUSDT", 20, "0", false]]), 7)).await;
    assert_eq!(message(&mut socket).await, json!({"id": 7, "code": 0, "message": "OK"}));
    let (mut book, mut full) = (Texts::default(), 0);
    // More than a minute of the world: the full book comes again.
    for n in 0..400 {
        let update = message(&mut socket).await;
        assert_eq!(update["method"], "depth.update");
        assert!(n > 0 || update["data"]["is_full"] == true, "the first one is whole");
        full += u32::from(update["data"]["is_full"] == true);
        book.apply(&update["data"]);
        assert_eq!(Some(book.checksum()), update["data"]["depth"]["checksum"].as_u64(), "message {n}");
    }
    assert!(full >= 2, "{full} full books");
    handle.pause().await;
    while let Ok(Some(Message::Binary(packed))) =
        tokio::time::timeout(std::time::Duration::from_millis(300), socket.frame()).await
    {
        book.apply(&unpacked(&packed).unwrap()["data"]);
    }
    let truth = handle.truth().book(CX, "BTCUSDT").unwrap();
    for (ours, theirs) in book.0.iter().zip([&truth.bids, &truth.asks]) {
        assert_eq!(ours.len(), 20);
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_eq!(ours.0, format!("{:.2}", theirs.price));
            assert!((ours.1.parse::<f64>().unwrap() - theirs.quantity).abs() < 1e-9, "{ours:?} is not {theirs:?}");
        }
    }
}

#[tokio::test]
async fn requests_are_answered_with_codes_and_topics_begin_with_what_is() {
    let handle = server(20.0, |c| (c.world.coinex_markets, c.world.messages_per_s) = (2, 200.0)).await;
    handle.sleep(Span::secs(20)).await;
    let mut socket = Socket::open(&handle, CX, PATH).await;
    socket.say(r#"{"method":"server.ping","params":{},"id":0}"#).await;
    assert_eq!(message(&mut socket).await, json!({"id": 0, "code": 0, "data": {"result": "pong"}, "message": "OK"}));
    let refused = [
        (ask("kline.subscribe", &json!(["BTCUSDT"]), 1), 20_002),
        (ask("depth.subscribe", &json!([["BTCUSDT", 25, "0", false]]), 1), 20_001),
        (ask("depth.subscribe", &json!([["BTCUSDT", 20, "0.1", false]]), 1), 20_001),
        (ask("bbo.subscribe", &json!(["BTCUSDT", "NOPEUSDT"]), 1), 20_001),
        ("no json".to_owned(), 20_002),
    ];
    for (text, code) in refused {
        socket.say(&text).await;
        assert_eq!(message(&mut socket).await["code"], code, "{text}");
    }
    socket.say(&ask("deals.subscribe", &json!(["BTCUSDT"]), 2)).await;
    let history = until(&mut socket, |m| m["method"] == "deals.update").await;
    let ids = |m: &Value| -> Vec<u64> {
        m["data"]["deal_list"].as_array().unwrap().iter().map(|d| d["deal_id"].as_u64().unwrap()).collect()
    };
    let first = ids(&history);
    assert!(first.len() > 10 && first.windows(2).all(|w| w[0] > w[1]), "newest first: {first:?}");
    let next = until(&mut socket, |m| m["method"] == "deals.update").await;
    assert_eq!(ids(&next).last(), Some(&(first[0] + 1)), "what follows joins on");
    socket.say(&ask("bbo.subscribe", &json!(["ETHUSDT"]), 3)).await;
    let best = until(&mut socket, |m| m["method"] == "bbo.update").await;
    assert!(number(&best["data"]["best_bid_price"]) < number(&best["data"]["best_ask_price"]), "{best}");
    socket.say(&ask("state.subscribe", &json!([]), 4)).await;
    let states = until(&mut socket, |m| m["method"] == "state.update").await;
    let rows = states["data"]["state_list"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|r| r["market"].as_str().unwrap()).collect();
    assert_eq!(names, ["BTCUSDT", "ETHUSDT", "BTCUSDT_SIGNPRICE"]);
    assert!(number(&rows[0]["open_interest_size"]) > 0.0 && rows[0]["next_funding_time"].is_i64());
    for topic in ["deals", "bbo", "state"] {
        let markets = if topic == "deals" {
            json!(["BTCUSDT"])
        } else if topic == "bbo" {
            json!(["ETHUSDT"])
        } else {
            json!([])
        };
        socket.say(&ask(&format!("{topic}.unsubscribe"), &markets, 5)).await;
        until(&mut socket, |m| m["id"] == 5).await;
    }
    let quiet = tokio::time::timeout(std::time::Duration::from_millis(300), socket.frame()).await;
    assert!(quiet.is_err(), "nothing is subscribed, but {quiet:?} came");
}

#[tokio::test]
async fn too_many_requests_on_a_socket_are_refused_and_it_stays_open() {
    let handle = server(1.0, |c| c.world.coinex_markets = 1).await;
    let mut socket = Socket::open(&handle, CX, PATH).await;
    for _ in 0..34 {
        socket.say(r#"{"method":"server.ping","params":{},"id":0}"#).await;
    }
    until(&mut socket, |m| m["code"] == 23_002).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    socket.say(r#"{"method":"server.time","params":{},"id":9}"#).await;
    let answer = until(&mut socket, |m| m["id"] == 9).await;
    assert!(answer["data"]["timestamp"].is_i64(), "{answer}");
}

#[tokio::test]
async fn rest_answers_have_the_sheets_shapes() {
    let handle = server(50.0, |c| {
        (c.world.coinex_markets, c.world.messages_per_s) = (2, 200.0);
        c.world.episodes = vec![barograph_sim::world::episode::Scheduled::all(
            Span::secs(5),
            barograph_sim::world::episode::Spell::Cascade,
        )];
    })
    .await;
    handle.sleep(Span::secs(90)).await;
    let data = async |path: &str| {
        let body = get(&handle, CX, path).await.json();
        assert_eq!(body["code"], 0, "{path}: {body}");
        body
    };
    let now = data("/v2/time").await["data"]["timestamp"].as_i64().unwrap();
    let ticker = data("/v2/futures/ticker?market=ETHUSDT").await;
    assert_eq!(ticker["data"].as_array().unwrap().len(), 1);
    assert!(number(&ticker["data"][0]["open_interest_volume"]) > 0.0);
    assert_eq!(data("/v2/futures/funding-rate").await["data"].as_array().unwrap().len(), 2);
    let book = data("/v2/futures/depth?market=BTCUSDT&limit=10&interval=0").await;
    let mut texts = Texts::default();
    texts.apply(&book["data"]);
    assert_eq!(Some(texts.checksum()), book["data"]["depth"]["checksum"].as_u64());
    let bars = data(&format!(
        "/v2/futures/kline?market=BTCUSDT&period=1min&limit=1000&start_time={}&end_time={now}",
        now - 10 * 60_000
    ))
    .await;
    let starts: Vec<i64> = bars["data"].as_array().unwrap().iter().map(|b| b["created_at"].as_i64().unwrap()).collect();
    assert!(starts.len() >= 10 && starts.windows(2).all(|w| w[1] == w[0] + 60_000), "oldest first: {starts:?}");
    let deals = data("/v2/futures/deals?market=BTCUSDT&limit=50").await;
    let tenth = deals["data"][9]["deal_id"].as_u64().unwrap();
    let behind = data(&format!("/v2/futures/deals?market=BTCUSDT&limit=1000&last_id={tenth}")).await;
    let behind = behind["data"].as_array().unwrap();
    assert!(behind.len() >= 9 && behind.iter().all(|d| d["deal_id"].as_u64() > Some(tenth)));
    let mut settled = Vec::new();
    for page in 1.. {
        let path = format!("/v2/futures/funding-rate-history?market=BTCUSDT&limit=40&page={page}");
        let body = data(&path).await;
        settled.extend(body["data"].as_array().unwrap().iter().map(|r| r["funding_time"].as_i64().unwrap()));
        if body["pagination"]["has_next"] == false {
            break;
        }
    }
    assert!(settled.len() >= 89 && settled.windows(2).all(|w| w[0] > w[1]), "{} settlements", settled.len());
    let listed = data("/v2/futures/liquidation-history?market=BTCUSDT&limit=100").await;
    let row = &listed["data"][0];
    assert_eq!((row["market"].as_str(), row["side"].as_str()), (Some(" BTCUSDT"), Some("long")), "{listed}");
    let truth = handle.truth().liquidations(CX, "BTCUSDT").unwrap();
    assert!(truth.iter().any(|l| (l.trigger - number(&row["liq_price"])).abs() < 1e-9));
    for (path, code) in [
        ("/v2/futures/kline?market=BTCUSDT&period=2min", 4_004),
        ("/v2/futures/kline?market=NOPE&period=1min", 4_004),
        ("/v2/futures/deals?market=BTCUSDT&limit=1001", 4_004),
        ("/v2/futures/depth?market=BTCUSDT&limit=7&interval=0", 4_004),
        ("/v2/futures/liquidation-history?market=BTCUSDT&page=0", 4_004),
    ] {
        let answer = get(&handle, CX, path).await;
        assert_eq!((answer.status, answer.json()["code"].as_i64()), (200, Some(code)), "{path}");
    }
    assert_eq!(get(&handle, CX, "/v2/futures/nothing").await.status, 404);
}

#[tokio::test]
async fn faults_are_those_of_this_venue() {
    let handle = server(10.0, |c| c.world.coinex_markets = 1).await;
    let refusals = [
        (InjectedFault::TooManyRequests(None), 200, Some(4_213)),
        (InjectedFault::TooManyRequests(Some(Span::secs(5))), 429, None),
        (InjectedFault::Banned(None), 200, Some(4_007)),
        (InjectedFault::Banned(Some(Span::secs(5))), 403, None),
    ];
    for (fault, status, code) in refusals {
        handle.inject(FaultRule::new(fault, When::Now).venue(CX));
        let answer = get(&handle, CX, "/v2/futures/market").await;
        assert_eq!(answer.status, status, "{fault:?}");
        match code {
            Some(code) => assert_eq!(answer.json()["code"], code, "{fault:?}"),
            None => assert_eq!(answer.header("retry-after"), Some("5"), "{fault:?}"),
        }
    }
    let mut socket = Socket::open(&handle, CX, PATH).await;
    socket.say(&ask("depth.subscribe", &json!([["BTCUSDT", 5, "0", false]]), 1)).await;
    let mut book = Texts::default();
    book.apply(&until(&mut socket, |m| m["method"] == "depth.update").await["data"]);
    handle.inject(FaultRule::new(InjectedFault::WrongCheck, When::Now).venue(CX).stream("depth"));
    let wrong = async |socket: &mut Socket, book: &mut Texts| loop {
        let update = message(socket).await;
        book.apply(&update["data"]);
        if Some(book.checksum()) != update["data"]["depth"]["checksum"].as_u64() {
            return;
        }
    };
    wrong(&mut socket, &mut book).await;
    // A lost message, and a book that stands still, are found by the next checksum.
    for fault in [InjectedFault::Drop, InjectedFault::StaleBook(Span::secs(3))] {
        socket.say(&ask("depth.unsubscribe", &json!([["BTCUSDT", 5, "0", false]]), 2)).await;
        socket.say(&ask("depth.subscribe", &json!([["BTCUSDT", 5, "0", false]]), 3)).await;
        until(&mut socket, |m| m["id"] == 3).await;
        book.apply(&message(&mut socket).await["data"]);
        handle.inject(FaultRule::new(fault, When::Now).venue(CX).stream("depth"));
        wrong(&mut socket, &mut book).await;
    }
    handle.inject(FaultRule::new(InjectedFault::TruncatedText, When::Now).venue(CX).stream("depth"));
    loop {
        let Some(Message::Binary(packed)) = socket.frame().await else { continue };
        if unpacked(&packed).is_none() {
            break;
        }
    }
    assert_eq!(handle.injected_total(), 8);
}
