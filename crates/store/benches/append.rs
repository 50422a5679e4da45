//! What live data cost: a tick of a thousand markets, minute by minute over more than two hours, and the bytes of a day of a
//! hundred.
//! `cargo bench -p barograph-store --bench append`; prints lines `figure <name> <number>`, of a server too: the one that
//! `BAROGRAPH_BENCH_DB` names (`postgres://…`, an empty schema), else one of its own where PostgreSQL is installed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

#[path = "../tests/postgres/server.rs"]
#[expect(dead_code, reason = "tests do more with a server")]
mod server;

use barograph_domain::{Event, Instrument, MinuteRow, Payload, Span, StreamDecl, StreamIndex};
use barograph_store::suite::sample::{self, START, SampleMarket};
use barograph_store::{LiveBatch, PgWriter, RunSpec, SqliteWriter, Writer, WriterRole};
use std::time::{Duration, Instant};

const MARKETS: usize = 1000;
const STREAMS: usize = 8;
/// A day is whole hours, so that everything is packed as it stays.
const DAY: i64 = 1_440;
const DAY_MARKETS: usize = 100;
/// Past two changes of the hour, so that packing is in the figures.
const MINUTES: i64 = 150;

struct Plant {
    instruments: Vec<Instrument>,
    streams: Vec<StreamDecl>,
    runs: Vec<RunSpec>,
    markets: Vec<SampleMarket>,
    random: sample::Random,
}

impl Plant {
    fn new(count: usize) -> Self {
        let instruments: Vec<Instrument> = (0..count).map(|n| sample::instrument(&format!("M{n:04}USDT"))).collect();
        let base = sample::streams(&instruments);
        // Two more than the sample has, live: no delay, the last value holds.
        let extra = base
            .iter()
            .filter(|s| s.cadence == Span::mins(1))
            .map(|s| StreamDecl { kind: barograph_domain::Kind::Proxy, ..s.clone() });
        let mut streams: Vec<StreamDecl> =
            base.iter().cloned().chain(extra).map(|s| StreamDecl { delay: Span::ZERO, filled: true, ..s }).collect();
        streams.sort();
        streams.dedup();
        let runs = instruments.iter().map(|i| sample::spec(i, &[])).collect();
        let markets = (0..count).map(|n| SampleMarket::new(n as u64)).collect();
        Self { instruments, streams, runs, markets, random: sample::Random::new(3) }
    }

    /// Rows name streams by their places in the whole list.
    fn rows(&mut self, n: i64) -> Vec<MinuteRow> {
        let per = u16::try_from(self.streams.len() / self.markets.len()).unwrap();
        let list = self.markets.iter_mut().zip(0_u16..);
        list.map(|(market, at)| {
            let mut row = market.row(START + Span::mins(n));
            row.instrument = u32::from(at);
            let cells = row.cells.iter_mut().map(|c| &mut c.stream).chain(row.inputs.iter_mut().map(|i| &mut i.stream));
            cells.flatten().for_each(|s| s.0 += at * per);
            row
        })
        .collect()
    }

    fn points(&mut self, n: i64) -> Vec<Event> {
        let ts = START + Span::mins(n);
        let mut all = Vec::with_capacity(self.streams.len());
        let per = self.streams.len() / self.markets.len();
        for (at, stream) in self.streams.iter().enumerate() {
            if at % per >= STREAMS {
                continue;
            }
            let payload = match sample::payload(stream.metric, 50_000.0, &mut self.random) {
                // Venues speak decimals.
                Payload::Value(v) => Payload::Value((v * 100.0).round() / 100.0),
                other => other,
            };
            let jitter = Span(i64::try_from(self.random.below(180_000_000)).unwrap());
            let stream = StreamIndex(u16::try_from(at).unwrap());
            all.push(Event { recv_ts: ts + jitter, event_ts: ts, stream, seq: 0, payload });
        }
        all
    }
}

/// A day of a hundred markets; market-minutes.
fn day(writer: &mut dyn Writer) -> u64 {
    let mut plant = Plant::new(DAY_MARKETS);
    let mut points_total = 0;
    for n in 1..=DAY {
        let (rows, points) = (plant.rows(n), plant.points(n));
        points_total += points.len();
        let batch = LiveBatch {
            instruments: &plant.instruments,
            streams: &plant.streams,
            points: &points,
            runs: &plant.runs,
            rows: &rows,
            ..LiveBatch::default()
        };
        writer.append(&batch).unwrap();
    }
    let minutes = DAY_MARKETS * usize::try_from(DAY).unwrap();
    println!("{} points a market and minute", points_total / minutes);
    minutes as u64
}

fn figures(name: &str, writer: &mut dyn Writer) {
    let mut plant = Plant::new(MARKETS);
    let mut times = Vec::new();
    for n in 1..=MINUTES {
        let (rows, points) = (plant.rows(n), plant.points(n));
        let batch = LiveBatch {
            instruments: &plant.instruments,
            streams: &plant.streams,
            points: &points,
            runs: &plant.runs,
            rows: &rows,
            ..LiveBatch::default()
        };
        let begin = Instant::now();
        let done = writer.append(&batch).unwrap();
        times.push(begin.elapsed());
        assert_eq!((done.rows, done.points.new), (MARKETS as u64, points.len() as u64));
        if n == MINUTES {
            let begin = Instant::now();
            assert_eq!(writer.append(&batch).unwrap().rows_same, MARKETS as u64);
            figure(name, "repeated", begin.elapsed());
        }
    }
    figure(name, "first", times[0]);
    times.remove(0);
    times.sort();
    figure(name, "median", times[times.len() / 2]);
    figure(name, "p99", times[times.len() * 99 / 100]);
    figure(name, "worst", times[times.len() - 1]);
}

fn figure(store: &str, what: &str, time: Duration) {
    println!("figure append_1000_markets_{store}_{what}_ms {:.0}", time.as_secs_f64() * 1e3);
}

/// Points of a quarter of a year of one market's minutes into an empty store, in batches as an import writes them.
fn import(store: &str, writer: &mut dyn Writer) {
    let instruments = vec![sample::instrument("IMPORTUSDT")];
    let streams = sample::streams(&instruments);
    let events = sample::events(&streams, 90 * 1440, 1);
    let begin = Instant::now();
    for batch in events.chunks(100_000) {
        writer.insert_points(&instruments, &streams, batch).unwrap();
    }
    println!("figure import_points_per_s_{store} {:.0}", events.len() as f64 / begin.elapsed().as_secs_f64());
}

fn main() {
    let (dir, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let minutes = day(&mut SqliteWriter::open(whole.path(), &WriterRole::ALL).unwrap());
    let bytes = std::fs::metadata(whole.path().join(barograph_store::sqlite::FILE)).unwrap().len();
    println!("figure sqlite_bytes_per_market_minute {}", bytes / minutes);
    if std::env::var_os("BAROGRAPH_BENCH_KEEP").is_some() {
        println!("kept: {}", whole.keep().display());
    }
    figures("sqlite", &mut SqliteWriter::open(dir.path(), &WriterRole::ALL).unwrap());
    import("sqlite", &mut SqliteWriter::open(dir.path(), &WriterRole::ALL).unwrap());
    if let Ok(url) = std::env::var("BAROGRAPH_BENCH_DB") {
        server(&url, None);
        return;
    }
    // Written through to the disk, as a server is that people rely on.
    let Some(own) = server::Server::start(&[]) else { return };
    server(&own.schema(), Some(&own.schema()));
}

/// The same on a server, in one schema the ticks, in the other the day.
fn server(url: &str, other: Option<&str>) {
    if let Some(url) = other {
        let minutes = day(&mut PgWriter::connect(url, &WriterRole::ALL).unwrap());
        let sizes = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
                     WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace";
        let bytes: u64 = server::Server::ask(url, sizes)[0][0].as_deref().unwrap().parse().unwrap();
        println!("figure postgres_bytes_per_market_minute {}", bytes / minutes);
    }
    let mut writer = PgWriter::connect(url, &WriterRole::ALL).unwrap();
    figures("postgres", &mut writer);
    import("postgres", &mut writer);
}
