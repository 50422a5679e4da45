//! What the forecast ledger costs: bytes a market and minute, and how fast a year of ten markets is gone through on two threads.
//! `cargo bench -p barograph-store --bench ledger`; prints lines `figure <name> <number>`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

use barograph_domain::forecast::{ForecastEvent, LedgerTick};
use barograph_domain::{Span, Ts};
use barograph_store::codec::ledger::{decode, encode};
use barograph_store::suite::forecasts::{markets, ticks};
use barograph_store::{
    LedgerPart, LiveBatch, LiveLedger, Range, Reader, SqliteReader, SqliteWriter, Writer, WriterRole,
};
use std::ops::ControlFlow;
use std::time::Instant;

const T0: Ts = Ts::from_civil(2025, 1, 1, 0, 0, 0);
/// Of a day: twelve an hour.
const TICKS: usize = 288;
const DAYS: i64 = 365;
const MARKETS: usize = 10;

fn main() {
    for count in [3, 100] {
        density(count);
    }
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let reader = SqliteReader::open(folder.path()).unwrap();
    println!("figure ledger_year_file_mb {:.1}", reader.database_bytes().unwrap() as f64 / 1e6);
    year(&reader, "all", &[]);
    year(&reader, "one_event", &[ForecastEvent::HighVol1h]);
    live(100);
    live(1_000);
}

fn density(count: usize) {
    let all = ticks(T0, TICKS, &markets(count), 1);
    let per = |bytes: usize| bytes as f64 / count as f64 / 1_440.0;
    let begun = Instant::now();
    let day = encode(&all).unwrap();
    let packing = begun.elapsed();
    for (name, size) in [("day", TICKS), ("hour", 12), ("tick", 1)] {
        let bytes = all.chunks(size).map(|own| encode(own).unwrap().len()).sum();
        println!("figure ledger_bytes_{count}_markets_{name} {:.1}", per(bytes));
    }
    let begun = Instant::now();
    let found = decode(&day).unwrap();
    let items: usize = found.iter().map(|t| t.issues.len() + t.resolutions.len()).sum();
    println!("figure ledger_encode_{count}_million_a_second {:.1}", items as f64 / packing.as_secs_f64() / 1e6);
    println!("figure ledger_decode_{count}_million_a_second {:.1}", items as f64 / begun.elapsed().as_secs_f64() / 1e6);
}

/// A year of days that are alike but for their dates and noise.
fn fill(folder: &std::path::Path) {
    let mut writer = SqliteWriter::open(folder, &WriterRole::ALL).unwrap();
    let markets = markets(MARKETS);
    for day in 0..DAYS {
        let start = T0 + Span::days(day);
        let all = ticks(start, TICKS, &markets, day.unsigned_abs());
        let range = Range { start, end: start + Span::days(1) };
        let (heads, states) = (&[], &[]);
        writer
            .replace_ledger(&LedgerPart {
                logic_version: "v1",
                range,
                ticks: &all,
                heads,
                states,
                revisions: &[],
                alerts: &[],
                done: None,
            })
            .unwrap();
    }
}

fn year(reader: &SqliteReader, name: &str, events: &[ForecastEvent]) {
    let middle = T0 + Span::days(DAYS / 2);
    let halves = [Range { start: T0, end: middle }, Range { start: middle, end: Ts::MAX }];
    let begun = Instant::now();
    let items: usize = std::thread::scope(|scope| {
        let half = |range| scope.spawn(move || scan(reader, range, events));
        halves.map(half).map(|thread| thread.join().unwrap()).iter().sum()
    });
    println!("figure ledger_year_{name}_items {items}");
    println!("figure ledger_year_{name}_s {:.2}", begun.elapsed().as_secs_f64());
}

fn scan(reader: &SqliteReader, range: Range, events: &[ForecastEvent]) -> usize {
    let mut items = 0;
    let each = &mut |tick: &LedgerTick| {
        items += tick.issues.len() + tick.resolutions.len();
        ControlFlow::Continue(())
    };
    reader.ledger_scan("v1", range, events, None, each).unwrap();
    items
}

/// Ticks of so many markets over a midnight: the ordinary one, and the longest, which packs the day.
fn live(count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SqliteWriter::open(folder.path(), &WriterRole::ALL).unwrap();
    let mut took = Vec::new();
    for tick in ticks(T0, TICKS + 2, &markets(count), 1) {
        let live = [LiveLedger { logic_version: "v1".to_owned(), tick, heads: Vec::new() }];
        let begun = Instant::now();
        writer.append(&LiveBatch { ledger: &live, ..LiveBatch::default() }).unwrap();
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    println!("figure ledger_append_{count}_median_ms {:.1}", took[took.len() / 2]);
    println!("figure ledger_append_{count}_longest_ms {:.0}", took[took.len() - 1]);
}
