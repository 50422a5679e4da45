//! The lake's rows of bench/targets.toml: raw bytes per second that become the wide book table on disk, by compression and layout, and
//! what a reader gives back.
//!
//! Prints `figure <name> <number>` lines; rates in 10⁶ raw bytes per second, which are 8 bytes × columns × rows, medians over runs. Writing
//! is in real time, with as many cores as the writer takes and syncs included; the rest in the time the thread was running where the
//! system says so, so that other work on the machine does not show. Everything is in it: a book per row handed in, the digest of the rows,
//! encoding, compression, manifest. The books are those of a recorded session of Binance, kept by hand from its depth messages; where it is missing
//! books of the same form are made up and the first line says so.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints and stops where something is missing"
)]

mod timing;

use barograph_domain::{Span, Ts};
use barograph_lake::layers::{
    BookHead, BookWriter, FloatEncoding, LakeCompression, LakeConfig, LakeMarket, LakeQuery, LakeReader, LakeTable,
    compact, hours, list,
};
use flate2::read::MultiGzDecoder;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;
use timing::{median, running, runs};

const RUNS: usize = 3;
/// Rows of a run: three row groups and a piece.
const ROWS: usize = 200_000;
const BEGIN: Ts = Ts::from_civil(2026, 2, 5, 14, 0, 0);

struct Book {
    head: BookHead,
    bids: Vec<(f64, f64)>,
    asks: Vec<(f64, f64)>,
}

fn main() {
    let books = books();
    let raw = (8 * LakeTable::orderbook().columns().len() * books.len()) as f64;
    println!("{} rows of the wide book, {:.0} MB raw", books.len(), raw / 1e6);
    let zstd = LakeCompression::Zstd(1);
    let forms = [
        ("zstd1_plain", zstd, FloatEncoding::Plain),
        ("zstd_1_plain", LakeCompression::Zstd(-1), FloatEncoding::Plain),
        ("zstd_3_plain", LakeCompression::Zstd(-3), FloatEncoding::Plain),
        ("zstd_5_plain", LakeCompression::Zstd(-5), FloatEncoding::Plain),
        ("zstd_9_plain", LakeCompression::Zstd(-9), FloatEncoding::Plain),
        ("zstd3_plain", LakeCompression::Zstd(3), FloatEncoding::Plain),
        ("lz4_plain", LakeCompression::Lz4, FloatEncoding::Plain),
        ("snappy_plain", LakeCompression::Snappy, FloatEncoding::Plain),
        ("none_plain", LakeCompression::Uncompressed, FloatEncoding::Plain),
        ("zstd1_dictionary", zstd, FloatEncoding::Dictionary),
        ("lz4_dictionary", LakeCompression::Lz4, FloatEncoding::Dictionary),
        ("snappy_dictionary", LakeCompression::Snappy, FloatEncoding::Dictionary),
        ("none_dictionary", LakeCompression::Uncompressed, FloatEncoding::Dictionary),
        ("zstd1_split", zstd, FloatEncoding::ByteStreamSplit),
        ("lz4_split", LakeCompression::Lz4, FloatEncoding::ByteStreamSplit),
    ];
    for (name, compression, floats) in forms {
        let mut packed = 0;
        let form = |root: &Path| LakeConfig { compression, floats, ..LakeConfig::import(root) };
        let seconds = median(runs(RUNS, || {
            let root = tempfile::tempdir().unwrap();
            let (_, seconds) = write(form(root.path()), &books);
            packed = list(root.path()).unwrap().iter().map(|l| l.bytes).sum::<u64>();
            seconds
        }));
        println!("figure lake_{name}_mb_s {:.0}", raw / seconds / 1e6);
        println!("figure lake_{name}_ratio {:.2}", raw / packed as f64);
    }

    let seconds = median(runs(RUNS, || {
        let root = tempfile::tempdir().unwrap();
        write(LakeConfig::import(root.path()), &books).1
    }));
    println!("figure lake_write_mb_s {:.0}", raw / seconds / 1e6);
    println!("figure lake_write_rows_s {:.0}", books.len() as f64 / seconds);
    let root = tempfile::tempdir().unwrap();
    write(LakeConfig::import(root.path()), &books);
    println!("figure lake_read_mb_s {:.0}", raw / median(runs(RUNS, || read(root.path(), books.len(), None))) / 1e6);
    let two = ["ts", "bid_price_L0"];
    println!(
        "figure lake_read_2_columns_ms {:.1}",
        median(runs(RUNS, || read(root.path(), books.len(), Some(&two)))) * 1e3
    );
    parts(&books[..20_000]);
}

/// Part files as a live writer makes them, and what compaction takes.
fn parts(books: &[Book]) {
    let root = tempfile::tempdir().unwrap();
    let config = LakeConfig { compact_on_close: false, ..LakeConfig::live(root.path()) };
    let (running, wall) = write(config.clone(), books);
    let before = list(root.path()).unwrap();
    let seconds = before.iter().map(|l| l.bytes).sum::<u64>();
    let began = self::running();
    let report = compact(&config, None).unwrap();
    println!("figure lake_parts {}", report.files_removed);
    println!("figure lake_part_ms {:.2}", running * 1e3 / report.files_removed as f64);
    println!("figure lake_part_wall_ms {:.2}", wall * 1e3 / report.files_removed as f64);
    println!("figure lake_part_kb {:.1}", seconds as f64 / 1e3 / report.files_removed as f64);
    println!("figure lake_compact_part_ms {:.2}", (self::running() - began) * 1e3 / report.files_removed as f64);
    println!("figure lake_compact_ratio {:.2}", report.bytes_before as f64 / report.bytes_after as f64);
}

/// Seconds of this thread and of the clock on the wall until every book is on disk.
fn write(config: LakeConfig, books: &[Book]) -> (f64, f64) {
    let (mut writer, _) = BookWriter::open(config, LakeMarket::new("binance-usdm", "BTCUSDT")).unwrap();
    let (began, wall) = (running(), Instant::now());
    for book in books {
        writer.push(&book.head, book.bids.iter().copied(), book.asks.iter().copied()).unwrap();
    }
    writer.into_partition().finish().unwrap();
    (running() - began, wall.elapsed().as_secs_f64())
}

fn read(root: &Path, rows: usize, columns: Option<&[&str]>) -> f64 {
    let began = running();
    let hours = hours(root, &LakeQuery::default()).unwrap();
    let read: usize = LakeReader::new(hours, columns).map(|batch| batch.unwrap().rows()).sum();
    assert_eq!(read, rows);
    running() - began
}

fn books() -> Vec<Book> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("BAROGRAPH_SHARED_DATA").map_or(beside, PathBuf::from);
    let file = data.join("raw/hftbacktest/binance-usdm_btcusdt_20240808.gz");
    let levels = if file.exists() { recorded(&file) } else { Vec::new() };
    if levels.is_empty() {
        println!("skipped: no recorded books at {}; made-up ones are used", file.display());
    }
    let levels = if levels.is_empty() { made_up() } else { levels };
    let one = |i: usize| {
        let (updates, bids, asks) = &levels[i % levels.len()];
        let ts = BEGIN + Span::millis(15).times(i64::try_from(i).unwrap());
        let head =
            BookHead { ts, known_ts: ts + Span(2_345_678), updates: *updates, sequence: i as u64 * 3, gap: None };
        let turn = (i / levels.len()) as f64;
        let moved = |side: &[(f64, f64)]| side.iter().map(|(p, s)| (moved(*p, turn), moved(*s, turn))).collect();
        Book { head, bids: moved(bids), asks: moved(asks) }
    };
    println!("{} different books, one after the other and again, each time a little moved", levels.len());
    (0..ROWS).map(one).collect()
}

/// A price or size a few thousandths higher with each turn, written with as many digits: or else the compressor finds the turn before.
fn moved(number: f64, turn: f64) -> f64 {
    (number * 1e3 + turn).round() / 1e3
}

type Levels = (u32, Vec<(f64, f64)>, Vec<(f64, f64)>);

/// A book after each depth message of a recording. Levels that fell out of the stream's view before it began are not known, which the
/// form of the table does not mind.
fn recorded(file: &Path) -> Vec<Levels> {
    let mut text = Vec::new();
    let read = MultiGzDecoder::new(std::fs::File::open(file).unwrap()).read_to_end(&mut text);
    assert!(read.is_ok() || !text.is_empty());
    let mut sides = [BTreeMap::<i64, (f64, f64)>::new(), BTreeMap::new()];
    let mut books = Vec::new();
    for line in text.split(|b| *b == b'\n').filter(|l| l.len() > 20) {
        let Ok(message) = serde_json::from_slice::<serde_json::Value>(&line[20..]) else { continue };
        let data = &message["data"];
        if data["e"] != "depthUpdate" {
            continue;
        }
        let mut updates = 0;
        for ((side, key), sign) in sides.iter_mut().zip(["b", "a"]).zip([-1.0, 1.0]) {
            for level in data[key].as_array().into_iter().flatten() {
                let cell = |at: usize| level[at].as_str().and_then(|t| t.parse::<f64>().ok());
                let (Some(price), Some(size)) = (cell(0), cell(1)) else { continue };
                updates += 1;
                #[expect(clippy::cast_possible_truncation, reason = "prices in hundredths are far below 2⁵³")]
                let place = (sign * price * 100.0).round() as i64;
                if size == 0.0 {
                    side.remove(&place);
                } else {
                    side.insert(place, (price, size));
                }
            }
        }
        let [bids, asks] = &sides;
        let best = |side: &BTreeMap<i64, (f64, f64)>| side.values().take(20).copied().collect::<Vec<_>>();
        books.push((updates, best(bids), best(asks)));
    }
    books
}

/// Books whose best level moves now and then and whose sizes change, a few at a time.
fn made_up() -> Vec<Levels> {
    let mut state = 1_u64;
    let mut roll = move |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut sizes = [[1.0; 20]; 2];
    let mut mid = 600_000_u64;
    (0..50_000)
        .map(|_| {
            mid = mid + roll(3) - 1;
            let updates = 1 + roll(8);
            for _ in 0..updates {
                sizes[usize::from(roll(2) == 0)][usize::try_from(roll(20)).unwrap()] = roll(90_000) as f64 / 1e3;
            }
            let level = |side: usize, k: u64| {
                let price = if side == 0 { mid - 1 - k } else { mid + k };
                (price as f64 / 10.0, sizes[side][usize::try_from(k).unwrap()])
            };
            let updates = u32::try_from(updates).unwrap();
            (updates, (0..20).map(|k| level(0, k)).collect(), (0..20).map(|k| level(1, k)).collect())
        })
        .collect()
}
