//! Coinbase's first level-2 message, compressed, through real sockets: several megabytes arrive whole and become a book; what
//! inflates beyond the stated limit is refused with that reason, and never held.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use barograph_domain::{MarketKind, Metric, Span, Ts};
use barograph_net::Incoming;
use barograph_venues::session::{
    CloseReason, ConnId, Input, Limits, LinkId, MarketIndex, MarketSpec, Out, SessionConfig, venue,
};
use flate2::{Compress, Compression, FlushCompress};
use std::fmt::Write as _;
use support::{Rig, accept, frame, limits, link, listen, said};
use tokio::io::AsyncWriteExt;

/// As many levels per side as BTC-USD had in August 2026, and half as many again.
const LEVELS: u32 = 35_000;

/// The first message of a product, as the venue writes it.
fn snapshot(levels: u32) -> String {
    let mut rows = String::new();
    for n in 0..levels {
        for (side, cents) in [("bid", 6_500_000 - n), ("offer", 6_500_001 + n)] {
            let (units, part) = (cents / 100, cents % 100);
            let comma = if rows.is_empty() { "" } else { "," };
            write!(
                rows,
                r#"{comma}{{"side":"{side}","event_time":"1970-01-01T00:00:00Z","price_level":"{units}.{part:02}","new_quantity":"0.{:08}"}}"#,
                1 + n
            )
            .unwrap();
        }
    }
    format!(
        r#"{{"channel":"l2_data","client_id":"","timestamp":"2026-10-07T12:00:00.123456Z","sequence_num":0,"events":[{{"type":"snapshot","product_id":"BTC-USD","updates":[{rows}]}}]}}"#
    )
}

/// One compressed message without the end of its flush.
fn packed(parts: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut state = Compress::new(Compression::fast(), false);
    let mut out = Vec::new();
    for part in parts {
        let before = state.total_in();
        while state.total_in() - before < part.len() as u64 {
            out.reserve(1 << 16);
            let from = usize::try_from(state.total_in() - before).unwrap();
            state.compress_vec(&part[from..], &mut out, FlushCompress::None).unwrap();
        }
    }
    out.reserve(1 << 16);
    state.compress_vec(&[], &mut out, FlushCompress::Sync).unwrap();
    assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
    out.truncate(out.len() - 4);
    out
}

/// Says this on every connection, as one compressed message in frames of 64 KiB.
fn serve(rig: &Rig, limits: Limits, message: Vec<u8>) {
    let (listener, at) = listen(rig);
    let venue = rig.net.add_venue("coinbase", limits);
    rig.runtime.spawn(async move {
        loop {
            let mut stream = accept(&listener, "Sec-WebSocket-Extensions: permessage-deflate\r\n").await;
            let pieces: Vec<&[u8]> = message.chunks(64 << 10).collect();
            for (n, piece) in pieces.iter().enumerate() {
                let first = if n == 0 { 0x41 } else { 0x00 } | if n + 1 == pieces.len() { 0x80 } else { 0x00 };
                if stream.write_all(&frame(first, piece)).await.is_err() {
                    break;
                }
            }
            while said(&mut stream).await.is_some() {}
        }
    });
    rig.net.relink(venue, &[link(0, at)]);
}

#[test]
fn a_compressed_snapshot_of_several_megabytes_becomes_a_book() {
    let text = snapshot(LEVELS);
    assert!(text.len() > 7_000_000, "{}", text.len());
    let def = venue("coinbase").unwrap();
    let mut rig = Rig::new();
    let message = packed([text.clone().into_bytes()].into_iter());
    assert!(message.len() < text.len() / 4);
    serve(&rig, (def.limits)(), message);
    let mut session = (def.open)(SessionConfig {
        endpoints: (def.endpoints)(),
        markets: vec![MarketSpec::bare("BTC-USD", MarketKind::Spot)],
        metrics: vec![Metric::Book],
        backfill: Span::ZERO,
        book_depth: 1_000,
        poll_every: Span::secs(60),
        polls_every: Vec::new(),
        polls_in_flight_max: 4,
        trade_side_is_maker: true,
        mcp: None,
    });
    let Incoming::Opened { conn, .. } = rig.next() else { panic!("not opened first") };
    let (now, mut out) = (Ts::from_civil(2026, 10, 7, 12, 0, 1), Out::default());
    session.input(now, &Input::Opened { link: LinkId(0), conn }, &mut out);
    let (on, bytes) = rig.frame();
    assert_eq!((on, &bytes[..]), (conn, text.as_bytes()));
    session.input(now + Span::millis(1), &Input::Frame { conn: ConnId(conn.0), bytes: &bytes }, &mut out);
    assert_eq!(out.faults.len(), 0, "{:?}", out.faults);
    let book = session.book(MarketIndex(0)).expect("a book");
    assert_eq!(book.top(), Some((65_000.0, 65_000.01)));
    assert_eq!(rig.net.stats()[0].links[0].compressed, Some(true));
}

/// Largest memory this process has had, bytes.
#[cfg(target_os = "linux")]
fn memory_max() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

#[test]
#[cfg(target_os = "linux")]
fn what_inflates_beyond_the_limit_is_refused_by_name_and_never_held() {
    const LIMIT: usize = 8 << 20;
    const INFLATED: usize = 256 << 20;
    let parts = || (0..INFLATED >> 20).map(|_| vec![b'x'; 1 << 20]);
    let message = packed(parts());
    assert!(message.len() < LIMIT, "{} bytes: refused for what it becomes, not for what it is", message.len());
    let mut rig = Rig::new();
    let before = memory_max();
    serve(&rig, Limits { deflate: true, message_bytes_max: LIMIT, ..limits() }, message);
    for _ in 0..3 {
        let conn = rig.opened();
        let Incoming::Closed { conn: gone, reason, detail, .. } = rig.next() else { panic!("a message got through") };
        assert_eq!((gone, reason), (conn, CloseReason::Network));
        assert_eq!(detail, format!("a message exceeds {LIMIT} bytes"));
    }
    // The other test's few megabytes run beside this one.
    let grown = memory_max() - before;
    assert!(grown < 128 << 20, "{} MiB were held for messages of at most 8 MiB", grown >> 20);
}
