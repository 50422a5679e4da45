//! Two figures on recorded Binance depth frames of about 900 bytes and 35 levels, one core: decoding by
//! library, and the whole way of a frame through session and book. Which library reads what is decided by them (ADR 0010).
//!
//! Prints `figure <name> <number>` lines, which `cargo x bench` collects. Time is the thread's own on the processor where the
//! system says it (Linux), because others use the machine; the median of several rounds.
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads a clock and files")]
#![expect(clippy::print_stdout, reason = "figures are its output")]

use barograph_domain::{MarketKind, Metric, Span, Ts};
use barograph_venues::session::{
    ConnId, Decimal, Input, MarketIndex, MarketSpec, OrderBook, Out, RequestId, Scan, Session, SessionConfig, venue,
};
use serde::Deserialize;
use std::borrow::Cow;
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The first of the two has the snapshot; the second goes on after midnight.
const FILES: [&str; 2] =
    ["raw/hftbacktest/binance-usdm_btcusdt_20240718.gz", "raw/hftbacktest/binance-usdm_btcusdt_20240719.gz"];
/// Frames are taken from the recording until they have this many bytes on average.
const BYTES_MEAN: usize = 900;
const ROUNDS: usize = 9;
/// Passes over the frames per round: the system counts a thread's time in steps of milliseconds.
const PASSES: usize = 40;
/// Set, the way through the session is gone once and nothing is measured: for profilers, which count instructions.
const ONCE: &str = "BAROGRAPH_DECODE_ONCE";

/// The depth frames, and the snapshot they join.
struct Recording {
    frames: Vec<(Ts, Vec<u8>)>,
    snapshot: Vec<u8>,
}

fn recording() -> Option<Recording> {
    let root = std::env::var_os("BAROGRAPH_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let mut text = Vec::new();
    for file in FILES {
        let bytes = std::fs::read(root.join(file)).ok()?;
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text).ok()?;
    }
    let mut found = Recording { frames: Vec::new(), snapshot: Vec::new() };
    let mut total = 0;
    for line in text.split(|b| *b == b'\n').filter(|l| l.len() > 20) {
        let (stamp, body) = (&line[..19], &line[20..]);
        if body.starts_with(b"{\"lastUpdateId\"") {
            found.snapshot = body.to_vec();
        } else if body.windows(6).take(40).any(|w| w == b"@depth") {
            let at: i64 = std::str::from_utf8(stamp).ok()?.parse().ok()?;
            total += body.len();
            found.frames.push((Ts(at), body.to_vec()));
            if found.frames.len() > 4_000 && total / found.frames.len() >= BYTES_MEAN {
                break;
            }
        }
    }
    Some(found)
}

/// Time of this thread on the processor, else of the wall, in seconds.
fn clock(start: Instant) -> f64 {
    let own = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = own.as_deref().and_then(|t| t.split(' ').next()).and_then(|n| n.parse::<f64>().ok());
    nanos.map_or_else(|| start.elapsed().as_secs_f64(), |n| n / 1e9)
}

/// Median rate of the rounds, per second.
fn rate(count: usize, mut round: impl FnMut()) -> f64 {
    let passes = || (0..PASSES).for_each(|_| round());
    (count * PASSES) as f64 / median(std::iter::repeat_with(timed(passes)).take(ROUNDS).collect())
}

/// Seconds that a piece of work takes.
fn timed(mut work: impl FnMut()) -> impl FnMut() -> f64 {
    move || {
        let wall = Instant::now();
        let start = clock(wall);
        work();
        clock(wall) - start
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read to be as much work as the session's reading")]
struct Envelope<'a> {
    stream: &'a str,
    #[serde(borrow)]
    data: Depth<'a>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read to be as much work as the session's reading")]
struct Depth<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    event: u64,
    #[serde(rename = "T")]
    at: u64,
    s: &'a str,
    #[serde(rename = "U")]
    first: u64,
    u: u64,
    pu: u64,
    #[serde(borrow)]
    b: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    #[serde(borrow)]
    a: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

fn serde_json_reads(bytes: &[u8], into: &mut Vec<(Decimal, f64)>) {
    let frame: Envelope<'_> = serde_json::from_slice(bytes).expect("a frame");
    into.clear();
    for (price, qty) in frame.data.b.iter().chain(&frame.data.a) {
        let parse = |t: &str| Decimal::parse(t.as_bytes()).expect("a number");
        into.push((parse(price), parse(qty).to_f64()));
    }
}

fn scan_reads(bytes: &[u8], into: &mut Vec<(Decimal, f64)>) -> Option<()> {
    into.clear();
    let mut ids = 0;
    Scan::new(bytes).object(|key, scan| match key {
        b"data" => scan.object(|key, scan| {
            match key {
                b"E" | b"T" | b"U" | b"u" | b"pu" => ids ^= scan.unsigned()?,
                b"b" | b"a" => scan.array(|scan| {
                    scan.eat(b'[')?;
                    let price = scan.decimal()?;
                    scan.eat(b',')?;
                    into.push((price, scan.decimal()?.to_f64()));
                    scan.eat(b']')
                })?,
                _ => scan.skip()?,
            }
            Some(())
        }),
        _ => scan.skip(),
    })?;
    black_box(ids);
    Some(())
}

/// A session whose book is live, and how many frames it took.
fn joined(r: &Recording, out: &mut Out) -> (Box<dyn Session>, usize) {
    let def = venue("binance-usdm").expect("listed");
    let mut spec = MarketSpec::bare("BTCUSDT", MarketKind::Perpetual);
    spec.tick = Decimal::parse(b"0.1");
    let mut session = (def.open)(SessionConfig {
        endpoints: (def.endpoints)(),
        markets: vec![spec],
        metrics: vec![Metric::Book],
        backfill: Span::ZERO,
        book_depth: 1_000,
        poll_every: Span::secs(60),
        polls_every: Vec::new(),
        polls_in_flight_max: 1,
        trade_side_is_maker: true,
        mcp: None,
    });
    let (link, conn) = (session.links()[0].id, ConnId(0));
    session.input(r.frames[0].0, &Input::Opened { link, conn }, out);
    let mut begun = 0;
    while session.book(MarketIndex(0)).is_none() {
        let (now, bytes) = &r.frames[begun];
        out.clear();
        session.input(*now, &Input::Frame { conn, bytes }, out);
        begun += 1;
        // As recorded: the snapshot came 300 ms after the first frame.
        if begun == 8 {
            session.input(*now, &Input::Reply { request: RequestId(1), status: 200, body: &r.snapshot }, out);
        }
    }
    (session, begun)
}

/// All frames after those it took to join.
#[inline(never)]
fn through(r: &Recording, session: &mut Box<dyn Session>, begun: usize, out: &mut Out) {
    for (now, bytes) in &r.frames[begun..] {
        out.clear();
        session.input(*now, &Input::Frame { conn: ConnId(0), bytes }, out);
    }
}

/// Frames through session and book; joining is not counted.
fn through_the_session(r: &Recording) -> f64 {
    let (mut times, mut out) = (Vec::new(), Out::default());
    for _ in 0..ROUNDS {
        let mut sessions: Vec<_> = (0..PASSES).map(|_| joined(r, &mut out)).collect();
        let count: usize = sessions.iter().map(|(_, begun)| r.frames.len() - begun).sum();
        let through_all = || sessions.iter_mut().for_each(|(session, begun)| through(r, session, *begun, &mut out));
        times.push(timed(through_all)() / count as f64);
        assert!(sessions.iter().all(|(s, _)| s.book(MarketIndex(0)).is_some()), "books are good to the end");
    }
    1.0 / median(times)
}

fn book_updates(r: &Recording) -> f64 {
    let mut all = Vec::new();
    for (_, bytes) in &r.frames {
        let mut bids = true;
        Scan::new(bytes).object(|key, scan| match key {
            b"data" => scan.object(|key, scan| match key {
                b"b" | b"a" => {
                    bids = key == b"b";
                    scan.array(|scan| {
                        scan.eat(b'[')?;
                        let price = scan.decimal()?;
                        scan.eat(b',')?;
                        all.push((bids, price, scan.decimal()?.to_f64()));
                        scan.eat(b']')
                    })
                }
                _ => scan.skip(),
            }),
            _ => scan.skip(),
        });
    }
    rate(all.len(), || {
        let mut book = OrderBook::new(1, 2_000);
        book.reserve();
        for (is_bid, price, qty) in &all {
            let set = if *is_bid { book.bid(*price, *qty) } else { book.ask(*price, *qty) };
            black_box(set.is_ok());
        }
    })
}

fn main() {
    let Some(r) = recording() else {
        println!("skipped: {} is missing", FILES[0]);
        return;
    };
    let bytes: usize = r.frames.iter().map(|(_, b)| b.len()).sum();
    let mut levels = Vec::new();
    let mut count = 0;
    for (_, bytes) in &r.frames {
        scan_reads(bytes, &mut levels).expect("a frame");
        count += levels.len();
    }
    println!("{} frames, {} bytes and {} levels each", r.frames.len(), bytes / r.frames.len(), count / r.frames.len());
    if std::env::var_os(ONCE).is_some() {
        let (mut session, begun) = joined(&r, &mut Out::default());
        through(&r, &mut session, begun, &mut Out::default());
        let state = session.save();
        println!(
            "{} bytes of state, {:016x}",
            state.len(),
            state.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
        );
        return;
    }
    let serde_json =
        rate(r.frames.len(), || r.frames.iter().for_each(|(_, b)| serde_json_reads(black_box(b), &mut levels)));
    println!("figure decode_serde_json_per_s {serde_json:.0}");
    let scan = rate(r.frames.len(), || {
        for (_, b) in &r.frames {
            scan_reads(black_box(b), &mut levels).expect("a frame");
        }
    });
    println!("figure decode_scan_per_s {scan:.0}");
    println!("figure book_level_updates_per_s {:.0}", book_updates(&r));
    println!("figure decode_session_book_per_s {:.0}", through_the_session(&r));
}
