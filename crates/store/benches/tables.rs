//! The originals' queries over five million points, in a file and on a server.
//! `cargo bench -p barograph-store --bench tables`; prints lines `figure <name> <number>`, the slowest of each query's three
//! runs. `BAROGRAPH_BENCH_POINTS` asks for another number of points.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

#[path = "../tests/postgres/server.rs"]
#[expect(dead_code, reason = "tests do more with a server")]
mod server;

use barograph_domain::{Event, Instrument, Metric, Payload, Span, StreamDecl, StreamIndex};
use barograph_store::suite::sample::{self, Random, START};
use barograph_store::{PgWriter, SqliteWriter, Writer, WriterRole};
use std::time::{Duration, Instant};

const SYMBOLS: [&str; 3] = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];
const POINTS: usize = 5_000_000;
const BATCH: usize = 100_000;

/// Name, and the query as it is typed; `{day}` is a day before the newest row.
const QUERIES: &[(&str, &str)] = &[
    ("latest", "SELECT * FROM market_metrics WHERE symbol = 'BTC/USDT' ORDER BY ts DESC LIMIT 10"),
    ("latest_bare", "SELECT * FROM market_metrics WHERE symbol = 'BTCUSDT' ORDER BY ts DESC LIMIT 10"),
    (
        "latest_of_metric",
        "SELECT ts, value FROM market_metrics WHERE symbol = 'BTC/USDT' AND metric_name = 'open_interest' ORDER BY ts DESC LIMIT 10",
    ),
    ("newest", "SELECT max(ts) FROM market_metrics WHERE symbol = 'BTC/USDT' AND metric_name = 'funding_rate'"),
    (
        "hours",
        "SELECT {hour}, count(*), avg(value) FROM market_metrics WHERE symbol = 'BTC/USDT' AND metric_name = 'mark_price'
         AND ts > {day} GROUP BY 1 ORDER BY 1",
    ),
    ("funding", "SELECT * FROM futures_funding_rates WHERE symbol = 'BTC/USDT' ORDER BY ts DESC LIMIT 10"),
    ("liquidations", "SELECT count(*), sum(value_usd) FROM futures_liquidations WHERE symbol = 'BTC/USDT' AND ts > {day}"),
    ("basis", "SELECT * FROM futures_basis_history WHERE symbol = 'BTC/USDT' ORDER BY ts DESC LIMIT 10"),
    ("snapshots", "SELECT * FROM market_snapshots WHERE symbol = 'BTC/USDT' ORDER BY ts DESC LIMIT 10"),
];

/// Minutes of three markets, stream by stream, until there are enough points.
fn fill(writer: &mut dyn Writer, points: usize) {
    let instruments: Vec<Instrument> = SYMBOLS.map(sample::instrument).to_vec();
    let mut streams = sample::streams(&instruments);
    streams.retain(|s| s.metric != Metric::Trade);
    let index = streams.iter().filter(|s| s.metric == Metric::MarkPrice);
    let index: Vec<StreamDecl> = index.map(|s| StreamDecl { metric: Metric::IndexPrice, ..s.clone() }).collect();
    streams.extend(index);
    streams.sort();
    let mut random = Random::new(5);
    let (mut written, mut minute) = (0, 0);
    let mut batch: Vec<Event> = Vec::with_capacity(BATCH + 32);
    while written < points {
        batch.clear();
        while batch.len() < BATCH {
            minute += 1;
            let ts = START + Span::mins(minute);
            for (at, stream) in (0_u16..).zip(&streams) {
                let due = match stream.metric {
                    Metric::Liquidation => random.once_in(30),
                    _ => (minute * 60) % stream.cadence.as_secs().max(60) == 0,
                };
                if due {
                    let payload: Payload = sample::payload(stream.metric, 50_000.0, &mut random);
                    batch.push(Event {
                        recv_ts: ts + stream.delay,
                        event_ts: ts,
                        stream: StreamIndex(at),
                        seq: 0,
                        payload,
                    });
                }
            }
        }
        written += batch.len();
        batch.sort_by(Event::order);
        writer.insert_points(&instruments, &streams, &batch).unwrap();
    }
    println!("{written} points of {minute} minutes");
}

fn measure(store: &str, mut ask: impl FnMut(&str) -> usize) {
    let (hour, day) = match store {
        "sqlite" => ("substr(ts, 1, 13)", "datetime((SELECT max(ts) FROM market_rows), '-1 day')"),
        _ => ("date_trunc('hour', ts)", "(SELECT max(ts) FROM market_rows) - interval '1 day'"),
    };
    let mut slowest = Duration::ZERO;
    for (name, sql) in QUERIES {
        let sql = sql.replace("{hour}", hour).replace("{day}", day);
        let mut worst = Duration::ZERO;
        for _ in 0..3 {
            let begin = Instant::now();
            assert!(ask(&sql) > 0, "{sql}");
            worst = worst.max(begin.elapsed());
        }
        println!("figure tables_{store}_{name}_ms {:.1}", worst.as_secs_f64() * 1e3);
        slowest = slowest.max(worst);
    }
    println!("figure tables_{store}_slowest_ms {:.1}", slowest.as_secs_f64() * 1e3);
}

fn main() {
    let points = std::env::var("BAROGRAPH_BENCH_POINTS").ok().and_then(|n| n.parse().ok()).unwrap_or(POINTS);
    let dir = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    fill(&mut SqliteWriter::open(dir.path(), &WriterRole::ALL).unwrap(), points);
    println!("figure tables_sqlite_points_per_s {:.0}", points as f64 / begin.elapsed().as_secs_f64());
    let conn = rusqlite::Connection::open(dir.path().join(barograph_store::sqlite::FILE)).unwrap();
    measure("sqlite", |sql| {
        let mut statement = conn.prepare(sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        let mut count = 0;
        while rows.next().unwrap().is_some() {
            count += 1;
        }
        count
    });
    let Some(own) = server::Server::start(&["fsync=off"]) else { return };
    let url = own.schema();
    let begin = Instant::now();
    fill(&mut PgWriter::connect(&url, &WriterRole::ALL).unwrap(), points);
    println!("figure tables_postgres_points_per_s {:.0}", points as f64 / begin.elapsed().as_secs_f64());
    server::Server::ask(&url, "ANALYZE");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        drop(tokio::spawn(connection));
        client
    });
    measure("postgres", |sql| {
        let answer = runtime.block_on(client.simple_query(sql)).unwrap();
        answer.iter().filter(|m| matches!(m, tokio_postgres::SimpleQueryMessage::Row(_))).count()
    });
}
