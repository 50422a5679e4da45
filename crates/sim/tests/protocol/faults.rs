//! Every fault is visible to a client, and on record.

use crate::client::{Socket, get, server};
use barograph_domain::Span;
use barograph_sim::Venue::BinanceUsdm as USDM;
use barograph_sim::{FaultRule, Handle, InjectedFault, When};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

/// What a client saw of an aggTrade stream with one fault injected.
async fn trades(fault: InjectedFault) -> (Handle, Socket, Vec<Result<u64, String>>) {
    let handle = server(10.0, |c| c.world.messages_per_s = 300.0).await;
    let mut socket = Socket::open(&handle, USDM, "/market/ws/btcusdt@aggTrade").await;
    let mut seen = Vec::new();
    for n in 0..60 {
        if n == 10 {
            handle.inject(FaultRule::new(fault, When::Now).market("BTCUSDT").stream("aggTrade"));
        }
        match socket.frame().await {
            Some(Message::Text(text)) => seen.push(
                serde_json::from_str::<Value>(&text)
                    .map_err(|_e| text.to_string())
                    .and_then(|m| m["a"].as_u64().ok_or_else(|| text.to_string())),
            ),
            Some(_) => {}
            None => break,
        }
    }
    (handle, socket, seen)
}

/// Steps between the ids of consecutive messages.
fn steps(seen: &[Result<u64, String>]) -> Vec<i64> {
    let ids: Vec<u64> = seen.iter().filter_map(|s| s.as_ref().ok()).copied().collect();
    ids.windows(2).map(|w| w[1].cast_signed() - w[0].cast_signed()).filter(|step| *step != 1).collect()
}

#[tokio::test]
async fn faults_of_messages_show_in_the_ids() {
    let cases: [(InjectedFault, &[i64]); 5] = [
        (InjectedFault::Drop, &[2]),
        (InjectedFault::Duplicate, &[0]),
        (InjectedFault::Reorder, &[2, -1, 2]),
        (InjectedFault::SequenceJump(7), &[8]),
        (InjectedFault::TruncatedText, &[2]),
    ];
    for (fault, want) in cases {
        let (handle, _socket, seen) = trades(fault).await;
        assert_eq!(steps(&seen), want, "{fault:?}");
        assert_eq!(seen.iter().filter(|s| s.is_err()).count(), usize::from(fault == InjectedFault::TruncatedText));
        let record = handle.injected();
        assert_eq!((record.len(), record[0].fault), (1, fault));
        assert_eq!(record[0].market.as_deref(), Some("BTCUSDT"));
        assert!(record[0].stream.as_deref().unwrap().contains("aggTrade") && !record[0].detail.is_empty());
    }
}

#[tokio::test]
async fn half_a_frame_ends_the_connection() {
    let (handle, _socket, seen) = trades(InjectedFault::TruncatedFrame).await;
    assert!(seen.len() < 60 && steps(&seen).is_empty(), "{} messages", seen.len());
    assert_eq!(handle.injected_total(), 1);
}

#[tokio::test]
async fn a_delay_comes_late_and_whole() {
    let handle = server(1.0, |c| c.world.messages_per_s = 300.0).await;
    let mut socket = Socket::open(&handle, USDM, "/market/ws/btcusdt@aggTrade").await;
    let mut last = socket.json().await["a"].as_u64().unwrap();
    handle.inject(FaultRule::new(InjectedFault::Delay(Span::secs(1)), When::Now));
    let mut longest = Duration::ZERO;
    for _ in 0..60 {
        let began = Instant::now();
        let id = socket.json().await["a"].as_u64().unwrap();
        longest = longest.max(began.elapsed());
        assert_eq!(id, last + 1);
        last = id;
    }
    assert!(longest > Duration::from_millis(700), "{longest:?}");
}

#[tokio::test]
async fn a_half_open_socket_says_nothing_for_ever() {
    let handle = server(5.0, |_| {}).await;
    let mut socket = Socket::open(&handle, USDM, "/market/ws/btcusdt@aggTrade").await;
    socket.text().await;
    handle.inject(FaultRule::new(InjectedFault::HalfOpen, When::Now));
    while handle.injected().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    socket.within(Duration::from_millis(300)).await;
    socket.say("{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":3}").await;
    assert_eq!(socket.within(Duration::from_secs(1)).await, [] as [Value; 0]);
    assert_eq!(handle.connections(), 1, "still open");
}

#[tokio::test]
async fn a_cut_closes_and_refusals_keep_out() {
    let handle = server(5.0, |_| {}).await;
    let mut socket = Socket::open(&handle, USDM, "/market/ws/btcusdt@aggTrade").await;
    handle.inject(FaultRule::new(InjectedFault::Cut, When::Now));
    assert_eq!(socket.closed().await, Some(1001));
    handle.inject(FaultRule::new(InjectedFault::RefuseSockets(Span::secs(60)), When::Now));
    let stream = tokio::net::TcpStream::connect(handle.addr).await.unwrap();
    let address = format!("{}/market/stream", handle.ws_base(USDM));
    let refused = tokio_tungstenite::client_async(address, stream).await.unwrap_err();
    assert!(refused.to_string().contains("503"), "{refused}");
}

#[tokio::test]
async fn a_connection_has_a_life() {
    let handle = server(50.0, |c| c.connection_life = Span::secs(20)).await;
    let mut socket = Socket::open(&handle, USDM, "/market/ws/btcusdt@aggTrade").await;
    assert_eq!(socket.closed().await, Some(1001));
}

#[tokio::test]
async fn a_stale_book_stops_while_trades_go_on() {
    let handle = server(10.0, |c| c.world.messages_per_s = 200.0).await;
    let mut book = Socket::open(&handle, USDM, "/public/ws/btcusdt@depth@100ms").await;
    let mut trades = Socket::open(&handle, USDM, "/market/ws/btcusdt@aggTrade").await;
    let mut last = book.json().await["u"].as_u64().unwrap();
    handle.inject(FaultRule::new(InjectedFault::StaleBook(Span::secs(8)), When::Now).market("btcusdt"));
    let mut broken = 0;
    let mut longest = Duration::ZERO;
    while broken == 0 {
        let began = Instant::now();
        let update = book.json().await;
        longest = longest.max(began.elapsed());
        broken += u32::from(update["pu"].as_u64() != Some(last));
        last = update["u"].as_u64().unwrap();
    }
    assert!(longest > Duration::from_millis(600), "{longest:?}");
    assert!(trades.within(Duration::from_millis(100)).await.len() > 20, "trades never stopped");
    assert_eq!(handle.injected()[0].market.as_deref(), Some("BTCUSDT"));
}

#[tokio::test]
async fn a_jump_of_update_ids_breaks_the_chain() {
    let handle = server(5.0, |_| {}).await;
    let mut book = Socket::open(&handle, USDM, "/public/ws/btcusdt@depth@100ms").await;
    let mut last = book.json().await["u"].as_u64().unwrap();
    handle.inject(FaultRule::new(InjectedFault::SequenceJump(500), When::Now).stream("depth").market("BTCUSDT"));
    loop {
        let update = book.json().await;
        if update["pu"].as_u64() != Some(last) {
            assert_eq!(update["pu"].as_u64(), Some(last + 500));
            break;
        }
        last = update["u"].as_u64().unwrap();
    }
}

#[tokio::test]
async fn a_skewed_clock_stamps_wrongly() {
    let handle = server(2.0, |_| {}).await;
    handle
        .inject(FaultRule::new(InjectedFault::ClockSkew(Span::millis(-1_400), Span::hours(1)), When::Now).venue(USDM));
    while handle.injected().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let said = get(&handle, USDM, "/fapi/v1/time").await.json()["serverTime"].as_i64().unwrap();
    let off = said - handle.now().as_millis();
    assert!((-2_400..=-1_400).contains(&off), "{off} ms");
}

#[tokio::test]
async fn rest_fails_in_every_way() {
    let handle = server(1.0, |_| {}).await;
    let path = "/fapi/v1/depth?symbol=BTCUSDT";
    let cases = [
        (InjectedFault::TooManyRequests(Some(Span::secs(7))), 429, Some("7")),
        (InjectedFault::TooManyRequests(None), 429, None),
        (InjectedFault::Banned(Some(Span::mins(2))), 418, Some("120")),
        (InjectedFault::Banned(None), 418, None),
        (InjectedFault::ServerError(503), 503, None),
    ];
    for (fault, status, wait) in cases {
        handle.inject(FaultRule::new(fault, When::Now).stream("/depth"));
        assert_eq!(get(&handle, USDM, "/fapi/v1/time").await.status, 200, "another path");
        let answer = get(&handle, USDM, path).await;
        assert_eq!((answer.status, answer.header("retry-after")), (status, wait), "{fault:?}");
        assert_eq!(get(&handle, USDM, path).await.status, 200, "once");
    }
    handle.inject(FaultRule::new(InjectedFault::SlowRest(Span::millis(600)), When::Now));
    let began = Instant::now();
    assert_eq!(get(&handle, USDM, path).await.status, 200);
    assert!(began.elapsed() > Duration::from_millis(590));
    handle.inject(FaultRule::new(InjectedFault::CutBody, When::Now));
    let cut = get(&handle, USDM, path).await;
    assert!(cut.status == 200 && cut.missing > 1_000, "{} bytes missing", cut.missing);
    assert_eq!(handle.injected_total(), 7);
    assert_eq!(handle.injected()[6].stream.as_deref(), Some("/fapi/v1/depth"));
}

#[tokio::test]
async fn budgets_run_out_as_on_the_venue() {
    let handle = server(1.0, |_| {}).await;
    let path = "/fapi/v1/aggTrades?symbol=BTCUSDT";
    for n in 1..=120 {
        let answer = get(&handle, USDM, path).await;
        assert_eq!(answer.status, 200, "request {n}");
    }
    let refused = get(&handle, USDM, path).await;
    assert_eq!((refused.status, refused.json()["code"].as_i64()), (429, Some(-1003)));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    for _ in 0..11 {
        get(&handle, USDM, path).await;
    }
    assert_eq!(get(&handle, USDM, path).await.status, 418, "a ban for those who do not listen");
    assert_eq!(get(&handle, USDM, "/fapi/v1/ping").await.status, 418);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let handle = server(100.0, |c| {
        c.queue_bytes_max = 64 << 10;
        c.world.messages_per_s = 600.0;
    })
    .await;
    let streams = ["btcusdt", "ethusdt", "solusdt"].map(|s| format!("{s}@aggTrade")).join("/");
    let idle = Socket::open(&handle, USDM, &format!("/market/stream?streams={streams}")).await;
    let mut reader = Socket::open(&handle, USDM, "/market/ws/btcusdt@markPrice@1s").await;
    let end = Instant::now() + crate::client::PATIENCE;
    while handle.slow_clients() == 0 && Instant::now() < end {
        reader.text().await;
    }
    assert_eq!(handle.slow_clients(), 1);
    while handle.connections() > 1 && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(handle.connections(), 1, "the other one lives");
    drop(idle);
}
