//! What a live tick costs: a minute of a thousand markets, published minute by minute over more than two hours.
//! `cargo bench -p barograph-store --bench append`; prints lines `figure <name> <number>`, of a server too if
//! `BAROGRAPH_BENCH_DB` names one (`postgres://…`, an empty schema).

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

use barograph_domain::{Event, Instrument, MinuteRow, Payload, Span, StreamDecl, StreamIndex};
use barograph_store::suite::sample::{self, Market, START};
use barograph_store::{LiveBatch, PgWriter, Role, RunSpec, SqliteWriter, Writer};
use std::time::{Duration, Instant};

const MARKETS: usize = 1000;
const STREAMS: usize = 8;
/// Past two changes of the hour, so that packing is in the figures.
const MINUTES: i64 = 150;

struct Plant {
    instruments: Vec<Instrument>,
    streams: Vec<StreamDecl>,
    runs: Vec<RunSpec>,
    markets: Vec<Market>,
    random: sample::Random,
}

impl Plant {
    fn new() -> Self {
        let instruments: Vec<Instrument> = (0..MARKETS).map(|n| sample::instrument(&format!("M{n:04}USDT"))).collect();
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
        let markets = (0..MARKETS).map(|n| Market::new(n as u64)).collect();
        Self { instruments, streams, runs, markets, random: sample::Random::new(3) }
    }

    /// Rows name streams by their places in the whole list.
    fn rows(&mut self, n: i64) -> Vec<MinuteRow> {
        let per = u16::try_from(self.streams.len() / MARKETS).unwrap();
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
        let per = self.streams.len() / MARKETS;
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

fn figures(name: &str, writer: &mut dyn Writer) -> u64 {
    let mut plant = Plant::new();
    let (mut times, mut points_total) = (Vec::new(), 0);
    for n in 1..=MINUTES {
        let (rows, points) = (plant.rows(n), plant.points(n));
        points_total += points.len() as u64;
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
    points_total
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
    let dir = tempfile::tempdir().unwrap();
    let mut writer = SqliteWriter::open(dir.path(), &Role::ALL).unwrap();
    let points = figures("sqlite", &mut writer);
    drop(writer);
    let bytes = std::fs::metadata(dir.path().join(barograph_store::sqlite::FILE)).unwrap().len();
    let rows = MARKETS as u64 * u64::try_from(MINUTES).unwrap();
    println!("figure sqlite_bytes_per_market_minute {}", bytes / rows);
    println!("{} points a market and minute", points / rows);
    import("sqlite", &mut SqliteWriter::open(dir.path(), &Role::ALL).unwrap());
    match std::env::var("BAROGRAPH_BENCH_DB") {
        Ok(url) => {
            let mut writer = PgWriter::connect(&url, &Role::ALL).unwrap();
            figures("postgres", &mut writer);
            import("postgres", &mut writer);
        }
        Err(_) => println!("skipped: BAROGRAPH_BENCH_DB names no server"),
    }
}
