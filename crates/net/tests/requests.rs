//! Requests over loopback: answers, refusals, breakdowns, compression, sharing of budgets.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use barograph_domain::Span;
use barograph_net::{Bounds, Error, Fetch, Incoming, NetOptions, SystemClock};
use barograph_venues::session::{Action, FailReason, Limits, Pool, PoolId, Priority, Request, RequestId};
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{Rig, answer, head, header, limits, listen, pool};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

type Heard = Arc<Mutex<Vec<(Instant, String)>>>;

/// Answers the n-th request of the venue's life with `script(n, request line)`; an empty answer hangs up.
fn serve(rig: &Rig, listener: TcpListener, script: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static) -> Heard {
    let heard: Heard = Arc::default();
    let (all, script) = (Arc::clone(&heard), Arc::new(script));
    let handle = rig.runtime.handle().clone();
    rig.runtime.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (all, script) = (Arc::clone(&all), Arc::clone(&script));
            handle.spawn(async move {
                while let Some(head) = head(&mut stream).await {
                    if let Some(length) = header(&head, "content-length").and_then(|v| v.parse().ok()) {
                        let mut body = vec![0; length];
                        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut body).await.unwrap();
                    }
                    let line = head.lines().next().unwrap().to_owned();
                    let n = {
                        let mut all = all.lock().unwrap();
                        all.push((Instant::now(), line.clone()));
                        all.len() - 1
                    };
                    let answer = script(n, &line);
                    if answer.is_empty() || stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    heard
}

fn request(id: u64, at: SocketAddr, priority: Priority) -> Request {
    Request {
        id: RequestId(id),
        url: format!("http://{at}/r/{id}"),
        body: None,
        pool: PoolId(0),
        weight: 1,
        priority,
        timeout: Span::secs(2),
    }
}

/// What comes of one request: status and body, or why not; and how many times it was asked.
fn check(
    script: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static,
    want: Result<(u16, &[u8]), FailReason>,
    asked: usize,
) {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let heard = serve(&rig, listener, script);
    let venue = rig.net.add_venue("test", limits());
    rig.net.act(venue, Action::Request(request(9, at, Priority::Poll)));
    let got = match rig.next_within(Duration::from_secs(20)) {
        Some(Incoming::Reply { request: RequestId(9), status, body, .. }) => Ok((status, body)),
        Some(Incoming::Failed { request: RequestId(9), reason, .. }) => Err(reason),
        other => panic!("{other:?}"),
    };
    assert_eq!(got.as_ref().map(|(status, body)| (*status, &body[..])).map_err(|r| *r), want);
    assert_eq!(heard.lock().unwrap().len(), asked, "attempts");
    rig.stop();
}

#[test]
fn every_answer_that_is_one_goes_to_the_session() {
    check(|_, _| answer(200, "", b"[1]"), Ok((200, b"[1]")), 1);
    check(|_, _| answer(404, "", b"none"), Ok((404, b"none")), 1);
    check(|_, _| answer(400, "", b"{\"code\":-1121}"), Ok((400, b"{\"code\":-1121}")), 1);
}

#[test]
fn breakdowns_are_tried_again_a_few_times() {
    check(|n, _| if n < 2 { answer(503, "", b"") } else { answer(200, "", b"ok") }, Ok((200, b"ok")), 3);
    check(|n, _| if n == 0 { Vec::new() } else { answer(200, "", b"ok") }, Ok((200, b"ok")), 2);
    check(|_, _| answer(502, "", b""), Err(FailReason::Network), 4);
}

#[test]
fn what_is_forbidden_is_not_asked_again() {
    check(|_, _| answer(403, "", b""), Err(FailReason::Forbidden), 1);
    check(|_, _| answer(451, "", b""), Err(FailReason::Forbidden), 1);
}

/// How often a venue that always says `status` is asked, when 30 requests wait and another 10 come later.
fn check_forbidden(status: u16) {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let heard = serve(&rig, listener, move |_, _| answer(status, "", b""));
    let one_at_once = Pool { in_flight_max: 1, ..pool(0, 1_000) };
    let venue = rig.net.add_venue("test", Limits { pools: vec![one_at_once], ..limits() });
    for n in 0..30 {
        rig.net.act(venue, Action::Request(request(n, at, Priority::Poll)));
    }
    for n in 0..40 {
        if n == 30 {
            (30..40).for_each(|n| rig.net.act(venue, Action::Request(request(n, at, Priority::Poll))));
        }
        let told = rig.next_within(Duration::from_secs(20));
        assert!(matches!(told, Some(Incoming::Failed { reason: FailReason::Forbidden, .. })), "{told:?}");
    }
    assert_eq!(heard.lock().unwrap().len(), 1, "{status}");
    assert!(rig.net.stats()[0].halted_until.is_some());
}

#[test]
fn a_venue_that_refuses_us_is_asked_once_and_everybody_is_told() {
    check_forbidden(403);
    check_forbidden(451);
}

/// A request sent just as the venue refuses us fails like the others and does not wait for the rest to be over.
#[test]
fn a_request_made_while_a_venue_refuses_us_is_refused() {
    for _ in 0..20 {
        let mut rig = Rig::new();
        let (listener, at) = listen(&rig);
        let _heard = serve(&rig, listener, |_, _| answer(403, "", b""));
        let one_at_once = Pool { in_flight_max: 1, ..pool(0, 1_000) };
        let venue = rig.net.add_venue("test", Limits { pools: vec![one_at_once], ..limits() });
        // Four at once, and the answer comes somewhere among them.
        let (net, sent) = (&rig.net, 4 * 1_500);
        std::thread::scope(|s| {
            for first in 0..4 {
                let all = (first..sent).step_by(4);
                s.spawn(move || all.for_each(|n| net.act(venue, Action::Request(request(n, at, Priority::Poll)))));
            }
        });
        for told in 0..sent {
            let what = rig.next_within(Duration::from_secs(20));
            assert!(matches!(what, Some(Incoming::Failed { .. })), "{told} of {sent}: {what:?}");
        }
    }
}

#[test]
fn after_the_rest_one_request_finds_out_whether_a_venue_still_refuses_us() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let heard = serve(&rig, listener, |n, _| match n {
        0..=1 => answer(403, "Retry-After: 0\r\n", b""),
        _ => answer(200, "", b"ok"),
    });
    let venue = rig.net.add_venue("test", limits());
    let halted = |rig: &Rig| rig.net.stats()[0].halted_until.is_some();
    rig.net.act(venue, Action::Request(request(0, at, Priority::Poll)));
    let Incoming::Failed { reason: FailReason::Forbidden, .. } = rig.next() else { panic!("refused") };
    for round in 1..=2_u64 {
        while halted(&rig) {
            std::thread::sleep(Duration::from_millis(5));
        }
        (0..8).for_each(|n| rig.net.act(venue, Action::Request(request(round * 10 + n, at, Priority::Poll))));
        for _ in 0..8 {
            match rig.next() {
                Incoming::Failed { reason: FailReason::Forbidden, .. } if round == 1 => {}
                Incoming::Reply { status: 200, .. } if round == 2 => {}
                other => panic!("round {round}: {other:?}"),
            }
        }
    }
    assert_eq!(heard.lock().unwrap().len(), 1 + 1 + 8, "one probe, and all once it is allowed");
}

/// Two venues of one exchange, and one of another.
fn exchange(rig: &Rig, weight: u32) -> [u8; 3] {
    let limits = |operator, shared| Limits {
        operator,
        pools: vec![Pool { shared, ..pool(0, weight) }, pool(1, weight)],
        host_rests_on_429: true,
        ..limits()
    };
    [
        rig.net.add_venue("a", limits("one", Some("futures"))),
        rig.net.add_venue("b", limits("one", Some("futures"))),
        rig.net.add_venue("c", limits("other", None)),
    ]
}

#[test]
fn venues_of_one_exchange_share_a_budget() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let heard = serve(&rig, listener, |_, _| answer(200, "X-Used: 1\r\n", b"ok"));
    let [a, b, c] = exchange(&rig, 100);
    // 90 of 100 may be spent a minute, by both together.
    for (venue, n) in [(a, 1), (b, 2), (c, 3), (a, 4), (b, 5)] {
        rig.net.act(venue, Action::Request(Request { weight: 40, ..request(n, at, Priority::Sync) }));
    }
    for _ in 0..3 {
        let Incoming::Reply { status: 200, .. } = rig.next() else { panic!("no reply") };
    }
    assert!(rig.next_within(Duration::from_millis(500)).is_none(), "80 are spent: the rest waits for the next minute");
    let stats = rig.net.stats();
    assert_eq!([0, 1, 2].map(|v| stats[v].pools[0].used), [80, 80, 40]);
    assert_eq!(heard.lock().unwrap().len(), 3);
}

#[test]
fn a_ban_of_one_venue_halts_the_exchange_and_too_many_rests_the_host() {
    for (status, halted) in [(418, [true, true, false]), (451, [true, true, false]), (429, [false, false, false])] {
        let mut rig = Rig::new();
        let (listener, at) = listen(&rig);
        let heard = serve(&rig, listener, move |n, _| match n {
            0 => answer(status, "Retry-After: 2\r\n", b""),
            _ => answer(200, "", b"ok"),
        });
        let [a, _, c] = exchange(&rig, 1_000);
        rig.net.act(a, Action::Request(request(1, at, Priority::Sync)));
        while rig.net.stats()[0].refusals == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!([0, 1, 2].map(|v| rig.net.stats()[v].halted_until.is_some()), halted, "{status}");
        // A different budget of the same host, the shared one of the other venue, and a stranger's.
        let pools = rig.net.stats();
        let rests = |v: usize, p: usize| pools[v].halted_until.or(pools[v].pools[p].paused_until).is_some();
        assert_eq!([rests(0, 0), rests(0, 1), rests(1, 0), rests(2, 0)], [true, true, true, false], "{status}");
        rig.net.act(c, Action::Request(request(2, at, Priority::Sync)));
        let mut answered = 0;
        while answered < 1 {
            match rig.next() {
                Incoming::Reply { status: 200, .. } => answered += 1,
                Incoming::Failed { reason: FailReason::Forbidden, .. } if status == 451 => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(heard.lock().unwrap().len(), 2, "the stranger is not stopped by {status}");
    }
}

#[test]
fn compressed_answers_are_unpacked() {
    let text = b"{\"symbols\":[]}".repeat(50_000);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&text).unwrap();
    let gzip = gzip.finish().unwrap();
    let wire = answer(200, "Content-Encoding: gzip\r\n", &gzip);
    check(move |_, _| wire.clone(), Ok((200, &text)), 1);
    check(|_, _| answer(200, "Content-Encoding: br\r\n", b"x"), Err(FailReason::Network), 4);
}

/// An answer of more than 1,000 bytes where that is the most: the error says so, and nobody asks again.
fn check_too_large(wire: Vec<u8>) {
    let rig = Rig::with(
        Arc::new(SystemClock),
        Bounds::default(),
        &NetOptions { seed: Some(1), body_bytes_max: 1_000, ..NetOptions::default() },
    );
    let (listener, at) = listen(&rig);
    let heard = serve(&rig, listener, move |_, _| wire.clone());
    let venue = rig.net.add_venue("test", limits());
    let url = format!("http://{at}/list");
    let fetch = Fetch { url, body: None, pool: PoolId(0), weight: 1, timeout: Span::secs(2) };
    let why = rig.runtime.block_on(rig.net.fetch(venue, fetch)).unwrap_err();
    assert!(matches!(&why, Error::TooLarge { bytes_max: 1_000, .. }), "{why}");
    assert_eq!(why.to_string(), format!("answer from '{at}' exceeds the limit of 1000 bytes"));
    assert_eq!(heard.lock().unwrap().len(), 1, "what is too large once is too large again");
    rig.stop();
}

#[test]
fn l5_an_answer_over_the_limit_is_refused_however_it_is_sent() {
    let body = vec![b' '; 1_001];
    check_too_large(answer(200, "", &body));
    let chunk = [&b"3e9\r\n"[..], &body, b"\r\n0\r\n\r\n"].concat();
    check_too_large([&b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"[..], &chunk].concat());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&body).unwrap();
    check_too_large(answer(200, "Content-Encoding: gzip\r\n", &gzip.finish().unwrap()));
}

#[test]
fn a_caller_shares_the_budget_and_gets_errors_of_its_own() {
    let rig = Rig::new();
    let (listener, at) = listen(&rig);
    let heard = serve(&rig, listener, |_, line| answer(200, "", line.as_bytes()));
    let venue = rig.net.add_venue("test", limits());
    let fetch = |pool: u8, url: String| Fetch {
        url,
        body: Some("{}".to_owned()),
        pool: PoolId(pool),
        weight: 40,
        timeout: Span::secs(2),
    };
    let got = rig.runtime.block_on(rig.net.fetch(venue, fetch(0, format!("http://{at}/list")))).unwrap();
    assert_eq!((got.status, &got.body[..]), (200, &b"POST /list HTTP/1.1"[..]));
    assert_eq!(rig.net.stats()[0].pools[0].used, 40);
    let cases = [fetch(5, format!("http://{at}/list")), fetch(0, format!("ftp://{at}/list"))];
    let errors = cases.map(|f| rig.runtime.block_on(rig.net.fetch(venue, f)).unwrap_err());
    assert!(matches!(&errors[0], Error::NoSuchPool { .. }), "{}", errors[0]);
    assert!(matches!(&errors[1], Error::Address { .. }), "{}", errors[1]);
    assert_eq!(heard.lock().unwrap().len(), 1);
    rig.stop();
}

#[test]
fn a_budget_rests_as_long_as_the_venue_says() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let heard = serve(&rig, listener, |n, _| match n {
        0 => answer(429, "Retry-After: 1\r\n", b""),
        _ => answer(200, "", b"ok"),
    });
    let venue = rig.net.add_venue("test", limits());
    rig.net.act(venue, Action::Request(request(1, at, Priority::Poll)));
    let Incoming::Reply { status: 200, .. } = rig.next() else { panic!("no reply") };
    let heard = heard.lock().unwrap();
    let waited = heard[1].0 - heard[0].0;
    assert!(waited >= Duration::from_secs(1), "waited {waited:?}");
    assert_eq!((heard.len(), rig.net.stats()[0].refusals), (2, 1));
}

#[test]
fn a_ban_stops_everything_until_it_ends() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let heard = serve(&rig, listener, |n, _| match n {
        0 => answer(418, "Retry-After: 1\r\n", b""),
        _ => answer(200, "", b"ok"),
    });
    let venue = rig.net.add_venue("test", Limits { pools: vec![pool(0, 100), pool(1, 100)], ..limits() });
    rig.net.act(venue, Action::Request(request(1, at, Priority::Sync)));
    while rig.net.stats()[0].halted_until.is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    rig.net.act(venue, Action::Request(Request { pool: PoolId(1), ..request(2, at, Priority::Sync) }));
    for _ in 0..2 {
        let Incoming::Reply { status: 200, .. } = rig.next() else { panic!("no reply") };
    }
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 3);
    assert!(heard[1].0 - heard[0].0 >= Duration::from_secs(1), "the other budget rests too");
}

#[test]
fn a_ban_by_an_operator_stops_all_its_venues() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let heard = serve(&rig, listener, |n, _| match n {
        0 => answer(418, "Retry-After: 1\r\n", b""),
        _ => answer(200, "", b"ok"),
    });
    let futures = rig.net.add_venue("futures", Limits { operator: "one", ..limits() });
    let spot = rig.net.add_venue("spot", Limits { operator: "one", ..limits() });
    let other = rig.net.add_venue("other", Limits { operator: "another", ..limits() });
    rig.net.act(futures, Action::Request(request(1, at, Priority::Sync)));
    while rig.net.stats()[0].halted_until.is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let stats = rig.net.stats();
    assert_eq!((stats[1].halted_until, stats[2].halted_until), (stats[0].halted_until, None));
    rig.net.act(spot, Action::Request(request(2, at, Priority::Sync)));
    rig.net.act(other, Action::Request(request(3, at, Priority::Sync)));
    let order: Vec<u8> = (0..3)
        .map(|_| match rig.next() {
            Incoming::Reply { venue, status: 200, .. } => venue,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(order[0], other, "who has nothing to do with it goes on");
    let heard = heard.lock().unwrap();
    let first = heard[0].0;
    let late = heard.iter().filter(|(at, _)| *at - first >= Duration::from_secs(1)).count();
    assert_eq!((heard.len(), late), (4, 2), "both venues of the operator waited");
}

#[test]
fn a_venue_that_says_403_to_the_hasty_rests_as_a_whole() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let heard = serve(&rig, listener, |n, _| match n {
        0 => answer(403, "", b"access too frequent"),
        _ => answer(200, "", b"ok"),
    });
    let hasty = Limits { rest_after_403: Some(Span::secs(1)), pools: vec![pool(0, 100), pool(1, 100)], ..limits() };
    let venue = rig.net.add_venue("test", hasty);
    rig.net.act(venue, Action::Request(request(1, at, Priority::Sync)));
    let Incoming::Reply { request: RequestId(1), status: 403, body, .. } = rig.next() else { panic!("no answer") };
    assert_eq!(&body[..], b"access too frequent", "the body says why");
    rig.net.act(venue, Action::Request(Request { pool: PoolId(1), ..request(2, at, Priority::Sync) }));
    let Incoming::Reply { request: RequestId(2), status: 200, .. } = rig.next() else { panic!("no answer") };
    let heard = heard.lock().unwrap();
    assert!(heard.len() == 2 && heard[1].0 - heard[0].0 >= Duration::from_millis(950), "{heard:?}");
}

#[test]
fn what_the_venue_counts_is_believed() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    serve(&rig, listener, |_, _| answer(200, "X-Used: 700\r\n", b"ok"));
    let venue = rig.net.add_venue("test", limits());
    rig.net.act(venue, Action::Request(request(1, at, Priority::Poll)));
    let Incoming::Reply { .. } = rig.next() else { panic!("no reply") };
    let pool = &rig.net.stats()[0].pools[0];
    assert_eq!((pool.used, pool.left), (700, 200));
}

#[test]
fn at_the_end_every_request_is_accounted_for() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    // Accepts and never answers.
    rig.runtime.spawn(async move {
        let mut held = Vec::new();
        loop {
            held.push(listener.accept().await.unwrap());
        }
    });
    let venue = rig.net.add_venue("test", limits());
    for id in 0..20 {
        rig.net.act(venue, Action::Request(Request { timeout: Span::secs(60), ..request(id, at, Priority::Backfill) }));
    }
    assert!(rig.next_within(Duration::from_millis(200)).is_none());
    let mut failed: Vec<u64> = rig
        .stop()
        .into_iter()
        .map(|item| match item {
            Incoming::Failed { request, reason: FailReason::Dropped, .. } => request.0,
            other => panic!("{other:?}"),
        })
        .collect();
    failed.sort_unstable();
    assert_eq!(failed, (0..20).collect::<Vec<_>>());
}
