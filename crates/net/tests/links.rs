//! Links over loopback: planned replacement, changes of the wanted set, refusals, pacing, bad peers.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use barograph_domain::{Span, Ts};
use barograph_net::{Bounds, Clock, Incoming, LinkState, LinkStats, NetOptions};
use barograph_venues::session::{Action, CloseReason, ConnId, Limits, Link, LinkId};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{PING, PONG, Rig, TEXT, accept, frame, head, limits, link, listen, said};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// Accepts for ever; the n-th connection sends its number every 20 ms, after `silent(n)`.
fn counting_venue(rig: &Rig, listener: TcpListener, silent: fn(usize) -> Duration) -> Arc<Mutex<Vec<Instant>>> {
    let accepted: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let all = Arc::clone(&accepted);
    rig.runtime.spawn(async move {
        loop {
            let mut stream = accept(&listener, "").await;
            let n = {
                let mut all = all.lock().unwrap();
                all.push(Instant::now());
                all.len() - 1
            };
            tokio::spawn(async move {
                tokio::time::sleep(silent(n)).await;
                while stream.write_all(&frame(TEXT, n.to_string().as_bytes())).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
    });
    accepted
}

/// Everything but frames; frames as (connection, text).
enum Seen {
    Opened(ConnId),
    Frame(ConnId),
    Closed(ConnId, CloseReason),
}

fn see(item: Incoming) -> Seen {
    match item {
        Incoming::Opened { conn, .. } => Seen::Opened(conn),
        Incoming::Closed { conn, reason, .. } => Seen::Closed(conn, reason),
        Incoming::Frame { conn, .. } => Seen::Frame(conn),
        other @ (Incoming::Reply { .. } | Incoming::Failed { .. }) => panic!("{other:?}"),
    }
}

/// Runs until the first instance is closed; checks that at no moment nothing is open, and returns how long both were, and
/// whether the new one had spoken when the old one went.
fn check_rotation(limits: Limits, silent: fn(usize) -> Duration, ask: bool) -> (Duration, bool) {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    counting_venue(&rig, listener, silent);
    let venue = rig.net.add_venue("test", limits);
    rig.net.relink(venue, &[link(0, at)]);
    let first = rig.opened();
    if ask {
        rig.net.act(venue, Action::Replace { conn: first });
    }
    let (mut second, mut spoke) = (None, false);
    loop {
        match see(rig.next()) {
            Seen::Opened(conn) => {
                assert!(second.is_none(), "a third instance");
                second = Some((conn, Instant::now()));
            }
            Seen::Frame(conn) => spoke |= second.is_some_and(|(s, _)| s == conn),
            Seen::Closed(conn, reason) => {
                assert_eq!((conn, reason), (first, CloseReason::Replaced));
                let (_, since) = second.expect("closed before the new one was open");
                return (since.elapsed(), spoke);
            }
        }
    }
}

#[test]
fn a_connection_is_replaced_before_its_limit_with_both_running() {
    let limits = Limits { rotate_after: Some(Span::millis(900)), rotate_overlap: Span::millis(300), ..limits() };
    let (both, spoke) = check_rotation(limits, |_| Duration::ZERO, false);
    assert!(spoke && both >= Duration::from_millis(280), "{both:?}");
}

#[test]
fn the_old_instance_waits_for_the_first_word_of_the_new_one() {
    let limits = Limits { rotate_after: Some(Span::millis(900)), rotate_overlap: Span::millis(300), ..limits() };
    let silent = |n| Duration::from_millis(if n == 0 { 0 } else { 500 });
    let (both, spoke) = check_rotation(limits, silent, false);
    assert!(spoke && both >= Duration::from_millis(480), "{both:?}");
}

#[test]
fn the_venues_warning_replaces_at_once() {
    let limits = Limits { rotate_after: Some(Span::hours(23)), rotate_overlap: Span::millis(200), ..limits() };
    let (both, spoke) = check_rotation(limits, |_| Duration::ZERO, true);
    assert!(spoke && both >= Duration::from_millis(180), "{both:?}");
}

#[test]
fn while_no_new_one_can_be_opened_the_old_one_stays() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let venue = rig.net.add_venue(
        "test",
        Limits { rotate_after: Some(Span::millis(200)), rotate_overlap: Span::millis(50), ..limits() },
    );
    rig.runtime.spawn(async move {
        let mut stream = accept(&listener, "").await;
        drop(listener);
        while stream.write_all(&frame(TEXT, b"x")).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    rig.net.relink(venue, &[link(0, at)]);
    let first = rig.opened();
    let until = Instant::now() + Duration::from_millis(800);
    while let Some(item) = rig.next_within(until.saturating_duration_since(Instant::now())) {
        assert!(matches!(see(item), Seen::Frame(conn) if conn == first));
    }
    assert!(rig.net.stats()[0].connect_failures > 0, "it was tried");
}

#[test]
fn links_come_and_go_without_touching_the_others() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    counting_venue(&rig, listener, |_| Duration::from_secs(60));
    let venue = rig.net.add_venue("test", limits());
    let moved = Link { url: format!("ws://{at}/other"), ..link(1, at) };
    rig.net.relink(venue, &[link(0, at), link(1, at)]);
    let mut open = std::collections::BTreeMap::new();
    for _ in 0..2 {
        let Incoming::Opened { link, conn, .. } = rig.next() else { panic!() };
        open.insert(link, conn);
    }
    // The first stays, the second has a new address, a third is added.
    rig.net.relink(venue, &[link(0, at), moved, link(2, at)]);
    let (mut opened, mut closed) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        match rig.next() {
            Incoming::Opened { link, .. } => opened.push(link),
            Incoming::Closed { conn, reason, .. } => closed.push((conn, reason)),
            other => panic!("{other:?}"),
        }
    }
    opened.sort();
    assert_eq!(opened, [LinkId(1), LinkId(2)]);
    assert_eq!(closed, [(open[&LinkId(1)], CloseReason::Asked)]);
    let stats = &rig.net.stats()[0];
    assert_eq!((stats.open, stats.wanted), (3, 3));
    assert_eq!(rig.stop().len(), 3, "one closing each");
}

/// Answers every handshake with `answer`; how often one came within `within`.
fn check_refusals(answer: &'static [u8], within: Duration, attempts: std::ops::RangeInclusive<usize>) {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let count: Arc<Mutex<usize>> = Arc::default();
    let counted = Arc::clone(&count);
    rig.runtime.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            head(&mut stream).await;
            *counted.lock().unwrap() += 1;
            stream.write_all(answer).await.unwrap();
        }
    });
    let venue = rig.net.add_venue("test", limits());
    rig.net.relink(venue, &[link(0, at)]);
    assert!(rig.next_within(within).is_none(), "nothing opens");
    let count = *count.lock().unwrap();
    assert!(attempts.contains(&count), "{count} attempts of {attempts:?}: {answer:?}");
    let stats = &rig.net.stats()[0];
    assert!(stats.last_error.is_some() && stats.connect_failures >= 1);
}

#[test]
fn refused_handshakes_are_respected() {
    let cases: [(&[u8], _); 6] = [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 1..=1),
        (b"HTTP/1.1 451 Legal\r\nContent-Length: 0\r\n\r\n", 1..=1),
        (b"HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", 1..=2),
        (b"HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n", 1..=1),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 2..=40),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 2..=40),
    ];
    // All at once, because each of them waits.
    std::thread::scope(|threads| {
        for (answer, attempts) in cases {
            threads.spawn(move || check_refusals(answer, Duration::from_millis(2_500), attempts));
        }
    });
}

#[test]
fn new_connections_keep_to_the_venues_rate() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let accepted = counting_venue(&rig, listener, |_| Duration::from_secs(60));
    let venue = rig.net.add_venue("test", Limits { connects_max: 3, connects_per: Span::millis(500), ..limits() });
    let links: Vec<Link> = (0..9).map(|id| link(id, at)).collect();
    rig.net.relink(venue, &links);
    for _ in 0..9 {
        rig.opened();
    }
    let accepted = accepted.lock().unwrap();
    for window in accepted.windows(4) {
        // Accepting is a little later than dialling, by less than this.
        assert!(window[3] - window[0] >= Duration::from_millis(400), "{:?}", window[3] - window[0]);
    }
}

#[test]
fn texts_keep_to_the_venues_rate_and_order() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let venue = rig.net.add_venue("test", Limits { messages_per_s: 5, ..limits() });
    let heard = rig.runtime.spawn(async move {
        let mut stream = accept(&listener, "").await;
        let mut heard = Vec::new();
        while heard.len() < 12 {
            let (_, text) = said(&mut stream).await.unwrap();
            heard.push((Instant::now(), String::from_utf8(text).unwrap()));
        }
        heard
    });
    rig.net.relink(venue, &[link(0, at)]);
    let conn = rig.opened();
    for n in 0..12 {
        rig.net.act(venue, Action::Send { conn, text: n.to_string() });
    }
    rig.net.act(venue, Action::Send { conn: ConnId(9_999), text: "nobody".to_owned() });
    let heard = rig.runtime.block_on(heard).unwrap();
    assert!(heard.iter().enumerate().all(|(n, (_, text))| *text == n.to_string()));
    for window in heard.windows(6) {
        assert!(window[5].0 - window[0].0 >= Duration::from_millis(950));
    }
    assert_eq!(rig.net.stats()[0].unsent, 1);
}

#[test]
fn pongs_take_their_place_among_the_texts() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let venue = rig.net.add_venue("test", Limits { messages_per_s: 5, ..limits() });
    let heard = rig.runtime.spawn(async move {
        let mut stream = accept(&listener, "").await;
        stream.write_all(&frame(PING, b"x").repeat(4)).await.unwrap();
        let mut heard = Vec::new();
        while heard.len() < 12 {
            let (first, _) = said(&mut stream).await.unwrap();
            heard.push((Instant::now(), first));
        }
        heard
    });
    rig.net.relink(venue, &[link(0, at)]);
    let conn = rig.opened();
    // The pongs are on their way before there is a text.
    while rig.net.stats()[0].sent < 4 {
        std::thread::sleep(Duration::from_millis(2));
    }
    for n in 0..8 {
        rig.net.act(venue, Action::Send { conn, text: n.to_string() });
    }
    let heard = rig.runtime.block_on(heard).unwrap();
    assert!(heard[..4].iter().all(|(_, first)| *first == PONG));
    for window in heard.windows(6) {
        assert!(window[5].0 - window[0].0 >= Duration::from_millis(900), "six in {:?}", window[5].0 - window[0].0);
    }
}

/// What one link says of itself, asked until it is so.
fn link_stats(rig: &Rig, so: impl Fn(&LinkStats) -> bool) -> LinkStats {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let stats = rig.net.stats()[0].links[0].clone();
        if so(&stats) {
            return stats;
        }
        assert!(Instant::now() < until, "{stats:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_link_says_what_it_does() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let rotate_after = Some(Span::hours(23));
    let venue = rig.net.add_venue("test", Limits { rotate_after, rotate_overlap: Span::secs(60), ..limits() });
    let secret = Link { url: format!("ws://{at}/stream?listenKey=abc"), ..link(5, at) };
    // Nobody accepts yet: the handshake is under way.
    rig.net.relink(venue, core::slice::from_ref(&secret));
    let s = link_stats(&rig, |s| s.state == LinkState::Connecting);
    assert_eq!((s.link, s.url, s.frames, s.last_frame), (5, format!("ws://{at}/stream"), 0, None));
    assert_eq!((s.compressed, s.rotate_at, s.opened), (None, None, 0));
    counting_venue(&rig, listener, |_| Duration::ZERO);
    let first = rig.opened();
    let (_, text) = rig.frame();
    assert_eq!(&text[..], b"0");
    let s = link_stats(&rig, |s| s.state == LinkState::Open);
    assert!(s.frames >= 1 && s.bytes == s.frames && s.last_frame.is_some(), "{s:?}");
    assert_eq!((s.compressed, s.opened, s.lost), (Some(false), 1, 0));
    let left = s.rotate_at.unwrap() - s.since.unwrap();
    assert!(left > Span::hours(21) && left < Span::hours(23), "replaced in {left}");
    rig.net.act(venue, Action::Replace { conn: first });
    let s = link_stats(&rig, |s| s.state == LinkState::Rotating);
    assert_eq!((s.opened, s.lost), (2, 0));
    rig.net.act(venue, Action::Close { conn: ConnId(first.0 + 1), reason: CloseReason::Network });
    let s = link_stats(&rig, |s| s.lost == 1);
    assert!(s.state != LinkState::Waiting, "the old instance serves on: {s:?}");
}

/// What a bad peer sends, and how the connection ends.
fn check_end(wire: Vec<u8>, want: (CloseReason, &str)) {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    let venue = rig.net.add_venue("test", Limits { message_bytes_max: 1_000, ..limits() });
    rig.runtime.spawn(async move {
        let mut stream = accept(&listener, "").await;
        stream.write_all(&wire).await.unwrap();
    });
    rig.net.relink(venue, &[link(0, at)]);
    rig.opened();
    loop {
        if let Incoming::Closed { reason, detail, .. } = rig.next() {
            assert_eq!(reason, want.0, "{detail}");
            assert!(detail.contains(want.1), "'{detail}' does not say '{}'", want.1);
            return;
        }
    }
}

#[test]
fn every_bad_end_has_its_reason() {
    use CloseReason::{ByVenue, Network};
    check_end(frame(TEXT, &[b'x'; 1_001]), (Network, "exceeds 1000 bytes"));
    check_end(frame(0xc1, b"compressed without agreement"), (Network, "0xc1"));
    check_end(frame(0x83, b"reserved"), (Network, "0x83"));
    check_end(frame(PING, &[0; 126]), (Network, "control frame"));
    check_end(frame(0x80, b"no beginning"), (Network, "out of place"));
    check_end(vec![TEXT, 0x81, 1, 2, 3, 4, 5], (Network, "masks"));
    check_end(frame(0x88, &[0x03, 0xe8]), (ByVenue, "code 1000"));
    check_end(Vec::new(), (ByVenue, "hung up"));
    check_end(frame(TEXT, b"half a frame")[..5].to_vec(), (ByVenue, "within a message"));
}

#[test]
fn a_session_can_close_and_the_link_comes_back() {
    let mut rig = Rig::new();
    let (listener, at) = listen(&rig);
    counting_venue(&rig, listener, |_| Duration::from_secs(60));
    let venue = rig.net.add_venue("test", limits());
    rig.net.relink(venue, &[link(0, at)]);
    let first = rig.opened();
    rig.net.act(venue, Action::Close { conn: first, reason: CloseReason::Asked });
    assert!(matches!(see(rig.next()), Seen::Closed(conn, CloseReason::Asked) if conn == first));
    assert_ne!(rig.opened(), first);
}

/// Fifty times real time, from a fixed origin.
struct Fast(Instant);
impl Clock for Fast {
    fn now(&self) -> Ts {
        Ts::from_secs(1_770_000_000) + Span(i64::try_from(self.0.elapsed().as_nanos()).unwrap() * 50)
    }
    fn rate(&self) -> f64 {
        50.0
    }
}

#[test]
fn a_faster_clock_shortens_every_wait_and_makes_the_stamps() {
    let options = NetOptions { first_conn: 77, ..NetOptions::default() };
    let mut rig = Rig::with(Arc::new(Fast(Instant::now())), Bounds::default(), &options);
    let (listener, at): (_, SocketAddr) = listen(&rig);
    let limits = Limits { ping_every: Some(Span::secs(10)), dead_after: Span::secs(30), ..limits() };
    let venue = rig.net.add_venue("test", limits);
    let pings = rig.runtime.spawn(async move {
        let mut stream = accept(&listener, "").await;
        let mut texts = Vec::new();
        while let Some((_, text)) = said(&mut stream).await {
            texts.push(String::from_utf8_lossy(&text).into_owned());
        }
        texts
    });
    rig.net.relink(venue, &[Link { ping: Some("{\"op\":\"ping\"}".to_owned()), ..link(0, at) }]);
    assert_eq!(rig.opened(), ConnId(77));
    let opened = rig.last;
    assert!(matches!(see(rig.next()), Seen::Closed(_, CloseReason::Dead)));
    let lived = (rig.last - opened).as_secs_f64();
    assert!((30.0..90.0).contains(&lived), "closed after {lived} s of its clock");
    // The listener lives on the rig's own runtime.
    let texts = rig_texts(pings);
    rig.stop();
    assert!(texts.len() >= 2 && texts[0] == "{\"op\":\"ping\"}" && texts[1] == texts[0], "{texts:?}");
}

fn rig_texts(task: tokio::task::JoinHandle<Vec<String>>) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !task.is_finished() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(task).unwrap()
}
