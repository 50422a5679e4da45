//! Points and rows per second, bytes per row. `cargo bench -p barograph-store`; one core, no journal of the runs.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when it cannot go on")]

use barograph_domain::{Event, MinuteRow, Span, Ts};
use barograph_store::codec::{self, ChunkBuilder};
use barograph_store::suite::sample::{self, FEATURES, START, SampleMarket};
use barograph_store::{PointsVersion, Reader, SqliteReader, SqliteWriter, Writer, WriterRole};
use divan::Bencher;
use divan::counter::ItemsCount;
use std::path::Path;

fn main() {
    bytes_per_row();
    divan::main();
}

/// A quarter of a year of minutes.
const MINUTES: i64 = 90 * 1440;
/// Events per transaction.
const BATCH: usize = 100_000;

fn market() -> (Vec<barograph_domain::Instrument>, Vec<barograph_domain::StreamDecl>, Vec<Event>) {
    let instruments = vec![sample::instrument("BTCUSDT")];
    let streams = sample::streams(&instruments);
    let events = sample::events(&streams, MINUTES, 1);
    (instruments, streams, events)
}

fn rows(n: i64) -> Vec<MinuteRow> {
    let mut market = SampleMarket::new(7);
    (1..=n).map(|i| market.row(START + Span::mins(i))).collect()
}

fn writer(folder: &Path) -> SqliteWriter {
    SqliteWriter::open(folder, &WriterRole::ALL).unwrap()
}

#[divan::bench(sample_count = 3)]
fn insert_points(bencher: Bencher<'_, '_>) {
    let (instruments, streams, events) = market();
    bencher
        .counter(ItemsCount::new(events.len()))
        .with_inputs(|| {
            let dir = tempfile::tempdir().unwrap();
            let writer = writer(dir.path());
            (dir, writer)
        })
        .bench_local_refs(|(_, writer)| {
            for batch in events.chunks(BATCH) {
                writer.insert_points(&instruments, &streams, batch).unwrap();
            }
        });
}

#[divan::bench(sample_count = 3)]
fn insert_points_again(bencher: Bencher<'_, '_>) {
    let (instruments, streams, events) = market();
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    writer.insert_points(&instruments, &streams, &events).unwrap();
    bencher.counter(ItemsCount::new(events.len())).bench_local(|| {
        for batch in events.chunks(BATCH) {
            writer.insert_points(&instruments, &streams, batch).unwrap();
        }
    });
}

#[divan::bench(sample_count = 3)]
fn read_events(bencher: Bencher<'_, '_>) {
    let (instruments, streams, events) = market();
    let dir = tempfile::tempdir().unwrap();
    writer(dir.path()).insert_points(&instruments, &streams, &events).unwrap();
    let reader = SqliteReader::open(dir.path()).unwrap();
    bencher
        .counter(ItemsCount::new(events.len()))
        .bench_local(|| reader.events(&streams, None, None).unwrap().map(|e| e.unwrap().seq).sum::<u64>());
}

#[divan::bench(sample_count = 3)]
fn write_rows(bencher: Bencher<'_, '_>) {
    let instrument = sample::instrument("BTCUSDT");
    let spec = sample::spec(&instrument, &sample::streams(std::slice::from_ref(&instrument)));
    let rows = rows(50_000);
    bencher
        .counter(ItemsCount::new(rows.len()))
        .with_inputs(|| {
            let dir = tempfile::tempdir().unwrap();
            let writer = writer(dir.path());
            (dir, writer)
        })
        .bench_local_refs(|(_, writer)| {
            let mut run = writer.replace(&spec, None, PointsVersion::default()).unwrap();
            for row in &rows {
                run.row(row).unwrap();
            }
            run.finish().unwrap()
        });
}

fn chunk(rows: &[MinuteRow]) -> Vec<u8> {
    let mut builder = ChunkBuilder::new(width(), (0..6).map(Some).collect()).unwrap();
    for row in rows {
        builder.push(row).unwrap();
    }
    builder.finish().unwrap()
}

const fn width() -> codec::Width {
    codec::Width { features: FEATURES, cuts: 4, rules: 3 }
}

#[divan::bench]
fn decode_hour(bencher: Bencher<'_, '_>) {
    let blob = chunk(&rows(60));
    bencher.counter(ItemsCount::new(60_usize)).bench_local(|| codec::decode(&blob, width()).unwrap().len());
}

#[divan::bench]
fn latest_row(bencher: Bencher<'_, '_>) {
    let instrument = sample::instrument("BTCUSDT");
    let spec = sample::spec(&instrument, &sample::streams(std::slice::from_ref(&instrument)));
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let mut run = writer.replace(&spec, None, PointsVersion::default()).unwrap();
    for row in &rows(10_000) {
        run.row(row).unwrap();
    }
    run.finish().unwrap();
    let reader = SqliteReader::open(dir.path()).unwrap();
    let as_of: Option<Ts> = Some(START + Span::mins(5_000));
    bencher.bench_local(|| reader.latest(&spec.key, 1, as_of).unwrap().rows.len());
}

/// Printed, because divan has no unit for it.
fn bytes_per_row() {
    let instrument = sample::instrument("BTCUSDT");
    let spec = sample::spec(&instrument, &sample::streams(std::slice::from_ref(&instrument)));
    let dir = tempfile::tempdir().unwrap();
    let rows = rows(50_000);
    {
        let mut writer = writer(dir.path());
        let mut run = writer.replace(&spec, None, PointsVersion::default()).unwrap();
        for row in &rows {
            run.row(row).unwrap();
        }
        run.finish().unwrap();
    }
    let bytes = std::fs::metadata(dir.path().join(barograph_store::sqlite::FILE)).unwrap().len();
    let blob = chunk(&rows[10_000..10_060]).len();
    println!("file bytes per row: {}", bytes / rows.len() as u64);
    println!("chunk bytes per row: {}", blob / 60);
    let points = tempfile::tempdir().unwrap();
    let (instruments, streams, events) = market();
    {
        let mut writer = writer(points.path());
        for batch in events.chunks(BATCH) {
            writer.insert_points(&instruments, &streams, batch).unwrap();
        }
    }
    let bytes = std::fs::metadata(points.path().join(barograph_store::sqlite::FILE)).unwrap().len();
    println!("file bytes per point: {}", bytes / events.len() as u64);
}
