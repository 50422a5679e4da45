//! Messages per second from a socket on loopback to the core: small frames in the clear, and the same compressed.
//!
//! The venue writes from a buffer made beforehand, in a thread of its own; the network has one worker. Prints `figure
//! <name> <number>` lines. Rates are medians over runs and depend on what else the machine does; the processor time per
//! message, of the network's worker alone, does so far less. It is read from `/proc` and left out where there is none.
//! Aim: 50,000 messages per second on one core, which is 20 µs per message.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark: its output is its purpose")]

#[path = "../tests/support/mod.rs"]
mod support;

use barograph_net::{Bounds, Incoming, Net, NetOptions, SystemClock, inbox};
use barograph_venues::session::Limits;
use flate2::{Compress, Compression, FlushCompress};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{accept, frame, limits, link};
use tokio::io::AsyncWriteExt;

/// A small trade message of Binance.
const TEXT: &str = r#"{"e":"aggTrade","E":1770274800123,"s":"BTCUSDT","a":2940123456,"p":"63514.10","q":"0.012","f":6871234567,"l":6871234569,"T":1770274800120,"m":true}"#;
const FRAMES: usize = 400_000;
const RUNS: usize = 5;

fn main() {
    let plain = frame(0x81, TEXT.as_bytes()).repeat(FRAMES);
    run("net_frames", &plain, "", FRAMES);
    // As a busy market sends them: 50,000 a second in pieces of ten. Only the processor time says something here.
    let (_, cpu) = once(&Arc::from(&plain[..plain.len() / 4]), "", FRAMES / 4, Some(10));
    if let Some(cpu) = cpu {
        println!("figure net_frames_in_tens_cpu_us {cpu:.2}");
    }
    let mut state = Compress::new(Compression::fast(), false);
    let mut packed = Vec::new();
    for n in 0..FRAMES {
        let text = TEXT.replace("2940123456", &(2_940_123_456 + n).to_string());
        let mut wire = Vec::with_capacity(1_024);
        state.compress_vec(text.as_bytes(), &mut wire, FlushCompress::Sync).unwrap();
        packed.extend(frame(0xc1, &wire[..wire.len() - 4]));
    }
    run("net_deflate_frames", &packed, "Sec-WebSocket-Extensions: permessage-deflate\r\n", FRAMES);
}

fn run(name: &str, wire: &[u8], extension: &'static str, frames: usize) {
    let wire: Arc<[u8]> = Arc::from(wire);
    let mut rates: Vec<(f64, Option<f64>)> = (0..RUNS).map(|_| once(&wire, extension, frames, None)).collect();
    rates.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (rate, cpu) = rates[RUNS / 2];
    println!("figure {name}_per_s {rate:.0}");
    if let Some(cpu) = cpu {
        println!("figure {name}_cpu_us {cpu:.2}");
    }
}

/// Messages per second, and microseconds of the network's worker per message.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn once(wire: &Arc<[u8]>, extension: &'static str, frames: usize, piece: Option<usize>) -> (f64, Option<f64>) {
    let venue = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = venue.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let at = listener.local_addr().unwrap();
    let wire = Arc::clone(wire);
    venue.spawn(async move {
        let mut stream = accept(&listener, extension).await;
        let began = Instant::now();
        let piece = piece.map_or(wire.len(), |n| wire.len() / frames * n);
        for (n, piece) in wire.chunks(piece).enumerate() {
            // A piece every 200 µs; spinning, because timers are coarser than that.
            while piece.len() < wire.len() && began.elapsed() < Duration::from_micros(200) * u32::try_from(n).unwrap() {
                std::hint::spin_loop();
            }
            stream.write_all(piece).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("net-worker")
        .enable_all()
        .build()
        .unwrap();
    let clock = Arc::new(SystemClock);
    let (stamper, mut receiver) = inbox(Arc::clone(&clock) as _, Bounds::default(), barograph_domain::Ts::MIN);
    let net = Net::start(runtime.handle().clone(), clock, stamper, &NetOptions::default()).unwrap();
    let index = net.add_venue("bench", Limits { deflate: !extension.is_empty(), ..limits() });
    let (mut batch, mut count) = (Vec::new(), 0);
    let began = Instant::now();
    net.relink(index, &[link(0, at)]);
    while count < frames {
        receiver.take(&mut batch, Duration::from_secs(5));
        count += batch.iter().filter(|(_, item)| matches!(item, Incoming::Frame { .. })).count();
    }
    let rate = frames as f64 / began.elapsed().as_secs_f64();
    let cpu = worker_ns().map(|ns| ns as f64 / 1e3 / frames as f64);
    runtime.block_on(net.stop());
    (rate, cpu)
}

/// Processor time of the network's worker so far, in ns.
fn worker_ns() -> Option<u64> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    tasks.flatten().find_map(|task| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        let times = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        (name.trim() == "net-worker").then(|| times.split_whitespace().next()?.parse().ok())?
    })
}
