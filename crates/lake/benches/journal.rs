//! The journal's rows of bench/targets.toml: bytes of frames per second on one core before compression, and zstd level,
//! ratio and rate on recorded frames. Besides: what the whole writer sustains, and what a reader gives back.
//!
//! Prints `figure <name> <number>` lines; rates in 10⁶ bytes of frames per second, medians over runs. What is a matter of one
//! thread is measured in the time that thread was running, where the system has it, so that other work on the machine
//! does not show; `journal_write` and `journal_read` are in real time. The frames are those of
//! the recorded sessions of six Binance streams; where they are missing, 900-byte frames of the same form are made up and
//! the first line says so.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints and stops where something is missing"
)]

mod timing;

use barograph_domain::{Span, Ts};
use barograph_lake::journal::{JournalConfig, JournalReader, JournalWriter};
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;
use timing::{median, running, runs};
use zstd::bulk::Compressor;

const RUNS: usize = 5;
/// The default level.
const LEVEL: i32 = 1;
const BEGIN: Ts = Ts::from_civil(2026, 2, 5, 14, 0, 0);
const FILES: [&str; 6] = [
    "binance-usdm_btcusdt_20240808.gz",
    "binance-usdm_ethusdt_20240808.gz",
    "binance-coinm_btcusd_perp_20240808.gz",
    "binance-coinm_ethusd_perp_20240808.gz",
    "binance-spot_btcusdt_20240808.gz",
    "binance-spot_ethusdt_20240808.gz",
];

fn main() {
    let connections = frames();
    let frames: usize = connections.iter().map(Vec::len).sum();
    let bytes: usize = connections.iter().flatten().map(Vec::len).sum();
    println!("{frames} frames, {bytes} bytes, on {} connections", connections.len());
    let rate = |seconds: f64| bytes as f64 / seconds / 1e6;

    println!("figure journal_accept_mb_s {:.0}", median(runs(RUNS, || rate(accept(&connections)))));
    println!("figure journal_write_mb_s {:.0}", median(runs(RUNS, || rate(write(&connections)))));
    println!("figure journal_read_mb_s {:.0}", median(runs(RUNS, || rate(read(&connections)))));

    let text = text(&connections);
    for level in [1, 2, 3, 4, 5, 6] {
        let (packed, seconds) = blocks(&text, 128 << 10, level);
        let ratio = text.len() as f64 / packed as f64;
        println!("figure journal_zstd{level}_ratio {ratio:.2}");
        println!("figure journal_zstd{level}_mb_s {:.0}", text.len() as f64 / seconds / 1e6);
    }
    // What blocks that stand alone cost against one long stream, by their size.
    for kib in [4, 16, 64, 128, 512] {
        let (packed, _) = blocks(&text, kib << 10, LEVEL);
        println!("figure journal_block_{kib}k_ratio {:.2}", text.len() as f64 / packed as f64);
    }
    let whole = zstd::encode_all(&text[..], LEVEL).unwrap().len();
    println!("figure journal_one_stream_ratio {:.2}", text.len() as f64 / whole as f64);
}

/// Seconds the calling thread spends on handing every frame in: the queue has room for all of them, so it never waits.
fn accept(connections: &[Vec<Vec<u8>>]) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    // The writer thread is left with nothing to do but take blocks: it packs at the fastest level there is.
    let config = JournalConfig { queue_bytes: 1 << 30, level: -50, ..JournalConfig::new(dir.path()) };
    let mut writer = JournalWriter::open(config, BEGIN).unwrap().0;
    // Once to have the buffers, then for the figure.
    hand_in(&mut writer, connections);
    writer.flush().unwrap().wait().unwrap();
    hand_in(&mut writer, connections)
}

/// Seconds until every frame is packed and with the operating system, at the default level.
fn write(connections: &[Vec<Vec<u8>>]) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = JournalWriter::open(JournalConfig::new(dir.path()), BEGIN).unwrap().0;
    let began = Instant::now();
    hand_in(&mut writer, connections);
    writer.flush().unwrap().wait().unwrap();
    began.elapsed().as_secs_f64()
}

/// Seconds until every frame is read back, merged.
fn read(connections: &[Vec<Vec<u8>>]) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = JournalWriter::open(JournalConfig::new(dir.path()), BEGIN).unwrap().0;
    hand_in(&mut writer, connections);
    writer.close().unwrap();
    let began = Instant::now();
    let mut reader = JournalReader::open(dir.path(), None).unwrap();
    let mut n = 0;
    while reader.next().unwrap().is_some() {
        n += 1;
    }
    assert_eq!(n, connections.iter().map(Vec::len).sum::<usize>());
    began.elapsed().as_secs_f64()
}

/// Hands in one frame of each connection after the other, five microseconds apart.
fn hand_in(writer: &mut JournalWriter, connections: &[Vec<Vec<u8>>]) -> f64 {
    let mut at = writer.last().unwrap_or(BEGIN);
    let mut turns: Vec<_> = connections
        .iter()
        .enumerate()
        .map(|(i, frames)| (writer.connection("v", &format!("c{i}"), 0, at).unwrap(), frames.iter()))
        .collect();
    let began = running();
    let mut left = turns.len();
    while left > 0 {
        left = turns.len();
        for (key, frames) in &mut turns {
            let Some(frame) = frames.next() else {
                left -= 1;
                continue;
            };
            at = at + Span(5_000);
            writer.frame(*key, at, frame).unwrap();
        }
    }
    let seconds = running() - began;
    for (key, _) in turns {
        writer.close_connection(key, at).unwrap();
    }
    seconds
}

/// Packs a text in blocks that stand alone, with checksums: bytes, and the median of the seconds.
fn blocks(text: &[u8], size: usize, level: i32) -> (usize, f64) {
    let mut compressor = Compressor::new(level).unwrap();
    compressor.set_parameter(zstd::zstd_safe::CParameter::ChecksumFlag(true)).unwrap();
    let mut out = Vec::with_capacity(zstd::zstd_safe::compress_bound(size));
    let mut packed = 0;
    let seconds = median(runs(RUNS, || {
        packed = 0;
        let began = running();
        for block in text.chunks(size) {
            packed += compressor.compress_to_buffer(block, &mut out).unwrap();
        }
        running() - began
    }));
    (packed, seconds)
}

/// The lines of every connection, one connection after the other, as they stand in files.
fn text(connections: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let mut text = Vec::new();
    for (i, frame) in connections.iter().flatten().enumerate() {
        let stamp = BEGIN + Span(5_000).times(i64::try_from(i).unwrap());
        text.extend_from_slice(stamp.0.to_string().as_bytes());
        text.push(b' ');
        text.extend_from_slice(frame);
        text.push(b'\n');
    }
    text
}

fn frames() -> Vec<Vec<Vec<u8>>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("BAROGRAPH_SHARED_DATA").map_or(beside, PathBuf::from).join("raw/hftbacktest");
    if !data.exists() {
        println!("skipped: recorded frames not found at {}; made-up ones are used", data.display());
        return (0..6).map(|c| (0..20_000).map(|i| made_up(c * 20_000 + i)).collect()).collect();
    }
    let one = |name: &&str| {
        let mut text = Vec::new();
        // A recording may have been cut off while the collector ran; what is whole is used.
        let read = MultiGzDecoder::new(std::fs::File::open(data.join(name)).unwrap()).read_to_end(&mut text);
        assert!(read.is_ok() || !text.is_empty());
        text.split(|b| *b == b'\n').filter(|l| l.len() > 20).map(|l| l[20..].to_vec()).collect()
    };
    FILES.iter().map(one).collect()
}

/// A depth message of about 900 bytes and 35 levels.
fn made_up(i: u64) -> Vec<u8> {
    let level = |n: u64| {
        format!("[\"{}.{}\",\"{}.{:03}\"]", 61_000 + (i + n) % 700, n % 10, (i * n) % 50, (i + n * 37) % 1_000)
    };
    let side = |from: u64, to: u64| (from..to).map(level).collect::<Vec<_>>().join(",");
    format!(
        "{{\"stream\":\"btcusdt@depth@0ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":{},\"s\":\"BTCUSDT\",\"U\":{i},\"u\":{},\
         \"b\":[{}],\"a\":[{}]}}}}",
        1_723_161_256_298 + i,
        i + 40,
        side(0, 18),
        side(18, 35)
    )
    .into_bytes()
}
