//! A server that is restarted, or dies without a word, under load: nothing acknowledged is lost, and life goes on.

use crate::server::Server;
use barograph_domain::{Event, MinuteRow, Span};
use barograph_store::suite::hash;
use barograph_store::suite::sample::{self, START, SampleMarket};
use barograph_store::{Error, LiveBatch, PgReader, PgWriter, Reader, Recovery, RowQuery, Writer, WriterRole};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const MARKETS: usize = 20;

/// Publishes minutes as fast as they go in; `disturb` is called three times meanwhile, each time after some more of them.
fn under_load(server: &Server, disturb: impl Fn(&Server)) {
    let url = server.schema();
    let instruments: Vec<_> = (0..MARKETS).map(|n| sample::instrument(&format!("M{n:02}USDT"))).collect();
    let streams = sample::streams(&instruments);
    let per = u16::try_from(streams.len() / MARKETS).unwrap();
    let runs: Vec<_> = instruments.iter().map(|i| sample::spec(i, &[])).collect();
    let mut writer = PgWriter::connect(&url, &WriterRole::ALL).unwrap().with_patience(Duration::from_secs(60));
    let reader = PgReader::connect(&url).unwrap();
    let (acknowledged, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let away = AtomicUsize::new(0);
    let mut markets: Vec<SampleMarket> = (0..MARKETS).map(|n| SampleMarket::new(n as u64)).collect();
    let all_events = sample::events(&streams, 400, 7);
    std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut minute = 0;
            while !done.load(Ordering::SeqCst) {
                minute += 1;
                let ts = START + Span::mins(minute);
                let rows: Vec<MinuteRow> = (0_u16..)
                    .zip(&mut markets)
                    .map(|(at, market)| {
                        let mut row = market.row(ts);
                        row.instrument = u32::from(at);
                        let cells = row.cells.iter_mut().map(|c| &mut c.stream);
                        let slots = cells.chain(row.inputs.iter_mut().map(|i| &mut i.stream));
                        slots.flatten().for_each(|s| s.0 += at * per);
                        row
                    })
                    .collect();
                let points: Vec<Event> = all_events.iter().filter(|e| e.event_ts == ts).copied().collect();
                let batch = LiveBatch {
                    instruments: &instruments,
                    streams: &streams,
                    points: &points,
                    runs: &runs,
                    rows: &rows,
                    ..LiveBatch::default()
                };
                // However long it takes, it answers with success: the writer itself waits for the server.
                writer.append(&batch).unwrap();
                acknowledged.store(usize::try_from(minute).unwrap(), Ordering::SeqCst);
            }
        });
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let begin = Instant::now();
                let answer = reader.latest(&runs[0].key, 1, None);
                assert!(begin.elapsed() < Duration::from_secs(20), "a reader waited");
                match answer {
                    Ok(found) => assert!(found.rows.len() <= 1),
                    Err(e @ Error::Unavailable { .. }) => {
                        assert_eq!(e.recovery(), Recovery::RetryAfter);
                        away.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(other) => panic!("{other}"),
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        for round in 0..4 {
            let target = acknowledged.load(Ordering::SeqCst) + 20;
            while acknowledged.load(Ordering::SeqCst) < target && !load.is_finished() {
                std::thread::sleep(Duration::from_millis(5));
            }
            if round < 3 && !load.is_finished() {
                disturb(server);
            }
        }
        done.store(true, Ordering::SeqCst);
    });
    assert!(away.load(Ordering::SeqCst) > 0, "no reader noticed");
    // Every acknowledged minute is there, once, and nothing else.
    let minutes = acknowledged.load(Ordering::SeqCst);
    let everything =
        RowQuery { range: barograph_store::Range::ALL, every: None, after: None, limit: usize::MAX, as_of: None };
    for (at, run) in runs.iter().enumerate() {
        let mut market = SampleMarket::new(at as u64);
        let found = reader.history(&run.key, &everything).unwrap().rows;
        assert_eq!(found.len(), minutes, "{}", run.key.instrument);
        for (n, row) in (1..).zip(&found) {
            let want = market.row(START + Span::mins(n));
            assert_eq!((row.ts, row.price, row.held.as_slice()), (want.ts, want.price, want.held.as_slice()));
        }
    }
    let until = START + Span::mins(i64::try_from(minutes).unwrap());
    let stored = reader.events(&streams, None, None).unwrap().map(|e| e.unwrap());
    let want: Vec<Event> = all_events.iter().filter(|e| e.event_ts <= until).copied().collect();
    assert_eq!(stored.collect::<Vec<_>>(), want);
    hash(&reader);
}

#[test]
fn a_restart_under_load_loses_nothing() {
    let Some(server) = Server::start(&[]) else { return };
    under_load(&server, |server| {
        server.down();
        std::thread::sleep(Duration::from_millis(700));
        server.up();
    });
}

#[test]
fn a_killed_server_under_load_loses_nothing() {
    let Some(server) = Server::start(&[]) else { return };
    under_load(&server, |server| {
        server.kill();
        std::thread::sleep(Duration::from_millis(700));
        server.up();
    });
}

/// The caller hears within the patience that the writer was given, and may go on later with the same writer.
#[test]
fn patience_has_an_end() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let url = server.schema();
    let instruments = vec![sample::instrument("BTCUSDT")];
    let streams = sample::streams(&instruments);
    let events = sample::events(&streams, 20, 1);
    let mut writer = PgWriter::connect(&url, &WriterRole::ALL).unwrap().with_patience(Duration::from_millis(300));
    writer.insert_points(&instruments, &streams, &events[..10]).unwrap();
    server.down();
    let error = writer.insert_points(&instruments, &streams, &events).unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert_eq!(error.recovery(), Recovery::RetryAfter);
    assert!(error.to_string().contains("does not answer"), "{error}");
    let error = PgReader::connect(&url).unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    server.up();
    let done = writer.insert_points(&instruments, &streams, &events).unwrap();
    assert_eq!((done.new, done.same), (events.len() as u64 - 10, 10));
    hash(&PgReader::connect(&url).unwrap());
}
