//! Both stores side by side: the same content has the same hash; and what only the server has: views, partitions, locks.

use crate::server::{Server, shared};
use barograph_domain::{Instrument, Metric, Payload, Side, Span, Ts};
use barograph_store::suite::sample::{self, START, SampleMarket};
use barograph_store::suite::{alerts, hash};
use barograph_store::{
    BookSample, Error, LiveAlert, LiveBatch, PgReader, PgWriter, PointsVersion, Reader, Retention, SqliteReader,
    SqliteWriter, StoreTarget, Writer, WriterRole, migrate, open_reader, open_writer, show_basis_every,
};

const MINUTES: i64 = 500;

/// An import, a run, a live tail with order books, and a little pruning.
fn fill(writer: &mut dyn Writer) {
    let instruments: Vec<Instrument> = ["BTCUSDT", "ETHUSDT"].map(sample::instrument).to_vec();
    let streams = sample::streams(&instruments);
    let events = sample::events(&streams, MINUTES, 1);
    let (old, live): (Vec<_>, Vec<_>) = events.iter().partition(|e| e.event_ts <= START + Span::mins(300));
    for part in old.chunks(700) {
        writer.insert_points(&instruments, &streams, part).unwrap();
    }
    let spec = sample::spec(&instruments[0], &streams);
    let mut market = SampleMarket::new(1);
    let mut run = writer.replace(&spec, None, PointsVersion(99)).unwrap();
    for n in 1..=300 {
        run.row(&market.row(START + Span::mins(n))).unwrap();
    }
    run.finish().unwrap();
    for n in 301..=MINUTES {
        let ts = START + Span::mins(n);
        let rows = [market.row(ts)];
        let points: Vec<_> = live.iter().filter(|e| e.event_ts == ts).copied().collect();
        let books = [BookSample {
            instrument: 0,
            ts,
            known_ts: ts + Span::millis(70),
            bids: vec![(100.0, 1.0), (99.5, 2.0)],
            asks: vec![(100.5, 1.5)],
        }];
        let runs = [spec.clone()];
        let told = if n % 100 == 0 { alerts::story(n) } else { Vec::new() };
        let told: Vec<LiveAlert> = told.into_iter().map(|alert| LiveAlert { instrument: 0, alert }).collect();
        let batch = LiveBatch {
            instruments: &instruments,
            streams: &streams,
            points: &points,
            runs: &runs,
            rows: &rows,
            alerts: &told,
            books: &books,
            ..LiveBatch::default()
        };
        writer.append(&batch).unwrap();
    }
    let retention = Retention { minute_rows: Span::mins(250), raw: Span::mins(150), ..Retention::default() };
    writer.prune(&retention).unwrap();
}

#[test]
fn the_same_content_has_the_same_hash() {
    let Some(server) = shared() else { return };
    let (dir, url) = (tempfile::tempdir().unwrap(), server.schema());
    fill(&mut SqliteWriter::open(dir.path(), &WriterRole::ALL).unwrap());
    fill(&mut PgWriter::connect(&url, &WriterRole::ALL).unwrap());
    let (file, server) = (SqliteReader::open(dir.path()).unwrap(), PgReader::connect(&url).unwrap());
    let sections = |r: &dyn Reader| r.check(true).unwrap().hash.unwrap().sections;
    assert_eq!(sections(&file), sections(&server));
    assert_eq!(hash(&file), hash(&server));
}

#[test]
fn views_answer_in_sql() {
    let Some(server) = shared() else { return };
    let url = server.schema();
    let mut writer = PgWriter::connect(&url, &WriterRole::ALL).unwrap();
    fill(&mut writer);
    // A basis, a settled rate with everything known about it, and a liquidation.
    let instruments = vec![sample::instrument("BTCUSDT")];
    let mut streams = sample::streams(&instruments);
    let base = streams[0].clone();
    for metric in [Metric::IndexPrice, Metric::FundingRateSettled] {
        streams.push(barograph_domain::StreamDecl { metric, ..base.clone() });
    }
    let at = START + Span::days(40);
    let event = |metric: Metric, payload| barograph_domain::Event {
        recv_ts: at + Span::secs(2),
        event_ts: at,
        stream: barograph_domain::StreamIndex(
            u16::try_from(streams.iter().position(|s| s.metric == metric).unwrap()).unwrap(),
        ),
        seq: 0,
        payload,
    };
    let funding =
        Payload::Funding { rate: 0.0001, interval_h: Some(8.0), next_ts: Some(at + Span::hours(8)), special: false };
    let forced = Payload::Liquidation { liquidated_side: Side::Long, price: 100.0, qty: 2.5 };
    let events = [
        event(Metric::MarkPrice, Payload::Value(101.0)),
        event(Metric::IndexPrice, Payload::Value(100.0)),
        event(Metric::Trade, Payload::Trade { price: 102.0, qty: 1.0, aggressor_side: None }),
        event(Metric::FundingRateSettled, funding),
        event(Metric::Liquidation, forced),
    ];
    writer.insert_points(&instruments, &streams, &events).unwrap();
    let one = |sql: &str| -> Vec<String> {
        let rows = Server::ask(&url, &format!("SET timezone = 'UTC'; {sql}"));
        rows.first()
            .unwrap_or_else(|| panic!("{sql} has no row"))
            .iter()
            .map(|v| v.clone().unwrap_or_default())
            .collect()
    };
    let cases = [
        (
            "SELECT ts, venue, symbol, funding_rate, settled, interval_h, next_funding_time FROM futures_funding_rates
             WHERE settled",
            vec!["2026-02-10 00:00:00+00", "binance-usdm", "BTC/USDT", "0.0001", "t", "8", "2026-02-10 08:00:00+00"],
        ),
        (
            "SELECT ts, symbol, liquidated_side, price, quantity, value_usd FROM futures_liquidations
             ORDER BY ts DESC LIMIT 1",
            vec!["2026-02-10 00:00:00+00", "BTC/USDT", "long", "100", "2.5", "250"],
        ),
        (
            "SELECT ts, futures_price, spot_price, basis, round(basis_fraction::numeric, 6), spot_source
             FROM futures_basis_history",
            vec!["2026-02-10 00:00:00+00", "102", "100", "2", "0.020000", "index"],
        ),
        (
            "SELECT ts, symbol, best_bid, best_ask, bid_prices, bid_quantities FROM market_snapshots
             WHERE kind = 'order_book' ORDER BY ts DESC LIMIT 1",
            vec!["2026-01-01 08:20:00+00", "BTC/USDT", "100", "100.5", "{100,99.5}", "{1,2}"],
        ),
        (
            "SELECT count(*) > 5, bool_and(open > 0 AND high >= low AND close > 0) FROM market_snapshots
             WHERE kind = 'kline'",
            vec!["t", "t"],
        ),
        (
            "SELECT ts, metric_name, value, source FROM market_metrics WHERE metric_name = 'index_price'",
            vec!["2026-02-10 00:00:00+00", "index_price", "100", "binance_futures"],
        ),
        ("SELECT count(*) > 100 FROM metric_points WHERE provenance = 'live'", vec!["t"]),
        (
            "SELECT known_time, venue, symbol, pattern_type, change, severity, evidence->>'state' FROM market_alerts
             WHERE severity <> 'INFO' ORDER BY known_time LIMIT 1",
            vec![
                "2026-01-01 06:40:07+00",
                "binance-usdm",
                "BTC/USDT",
                "LIQUIDATION_CASCADE",
                "OPENED",
                "CRITICAL",
                "OPEN",
            ],
        ),
        (
            "SELECT ts, symbol, axis, regime, previous_regime, book FROM regimes WHERE axis = 'risk' ORDER BY ts LIMIT 1",
            { vec!["2026-01-01 00:01:00+00", "BTC/USDT", "risk", "UNKNOWN", "", "default"] },
        ),
    ];
    for (sql, want) in cases {
        assert_eq!(one(sql), want, "{sql}");
    }
    // R3.39: the history of the basis is as dense as it is said to be; nothing that is stored goes.
    let later: Vec<_> = [0, 1, 60, 61]
        .iter()
        .flat_map(|minutes| events[1..3].iter().map(move |e| (e, Span::mins(*minutes) - Span::secs(3))))
        .map(|(e, shift)| barograph_domain::Event { event_ts: e.event_ts + shift, recv_ts: e.recv_ts + shift, ..*e })
        .collect();
    writer.insert_points(&instruments, &streams, &later).unwrap();
    let shown = |every: Span| {
        show_basis_every(&StoreTarget::parse(&url), every).unwrap();
        one("SELECT count(*), max(ts) FROM futures_basis_history")
    };
    assert_eq!(shown(Span::mins(1)), ["4", "2026-02-10 01:01:00+00"]);
    assert_eq!(shown(Span::hours(1)), ["2", "2026-02-10 01:00:00+00"]);
    assert_eq!(shown(Span::days(1)), ["1", "2026-02-10 00:00:00+00"]);
    assert_eq!(shown(Span::mins(1)), ["4", "2026-02-10 01:01:00+00"]);
}

/// Made when needed, dropped when empty.
#[test]
fn partitions_follow_the_months() {
    let Some(server) = shared() else { return };
    let url = server.schema();
    let mut writer = PgWriter::connect(&url, &WriterRole::ALL).unwrap();
    let instruments = vec![sample::instrument("BTCUSDT")];
    let streams = sample::streams(&instruments);
    let mut events = Vec::new();
    for month in [1, 2, 4] {
        let shift = Ts::from_civil(2026, month, 1, 0, 0, 0) - START;
        events.extend(sample::events(&streams, 10, 1).into_iter().map(|mut e| {
            (e.event_ts, e.recv_ts) = (e.event_ts + shift, e.recv_ts + shift);
            e
        }));
    }
    writer.insert_points(&instruments, &streams, &events).unwrap();
    let partitions = || -> Vec<String> {
        let sql = "SELECT inhrelid::regclass::text FROM pg_inherits
                   WHERE inhparent = 'points'::regclass ORDER BY 1";
        Server::ask(&url, sql).into_iter().filter_map(|r| r[0].clone()).collect()
    };
    assert_eq!(partitions(), ["points_y2026m01", "points_y2026m02", "points_y2026m04"]);
    writer.prune(&Retention { points: Some(Span::days(20)), ..Retention::default() }).unwrap();
    assert_eq!(partitions(), ["points_y2026m04"]);
    hash(&PgReader::connect(&url).unwrap());
}

#[test]
fn one_writer_per_role_and_schema() {
    let Some(server) = shared() else { return };
    let (url, other) = (server.schema(), server.schema());
    let holder = PgWriter::connect(&url, &[WriterRole::Ingest]).unwrap();
    let error = PgWriter::connect(&url, &[WriterRole::Ingest]).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&format!("process {} already writes as 'ingest'", std::process::id())), "{text}");
    assert!(matches!(error, Error::Locked { .. }));
    drop((
        PgWriter::connect(&url, &[WriterRole::Context]).unwrap(),
        PgWriter::connect(&other, &WriterRole::ALL).unwrap(),
    ));
    drop(holder);
    drop(PgWriter::connect(&url, &WriterRole::ALL).unwrap());
}

/// Through the same door as a folder.
#[test]
fn targets_open() {
    let Some(server) = shared() else { return };
    let url = server.schema();
    let target = StoreTarget::parse(&url);
    let Err(error) = open_reader(&target) else { panic!("nothing is stored yet") };
    assert!(matches!(error, Error::Missing { .. }), "{error}");
    migrate(&target).unwrap();
    migrate(&target).unwrap();
    assert_eq!(open_reader(&target).unwrap().runs(None).unwrap(), []);
    drop(open_writer(&target, &WriterRole::ALL).unwrap());
    // Whoever comes with a newer schema is left alone.
    Server::ask(&url, "UPDATE barograph_schema SET version = 99");
    let Err(error) = open_writer(&target, &WriterRole::ALL) else { panic!("written by a newer build") };
    assert!(matches!(error, Error::Newer { found: 99, .. }), "{error}");
    // So is another program's schema.
    let url = server.schema();
    Server::ask(&url, "CREATE TABLE points (name text)");
    let Err(error) = open_writer(&StoreTarget::parse(&url), &WriterRole::ALL) else { panic!("another program's") };
    assert!(matches!(error, Error::NotAStore { .. }), "{error}");
}
