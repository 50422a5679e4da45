//! Writers of several groups at once in one server: what they leave is what one writer leaves, and a takeover ends what the owner
//! before was writing.

use crate::server::Server;
use barograph_domain::{Event, Instrument, MarketKind, MinuteRow, Span, StreamDecl, StreamIndex, Ts};
use barograph_store::suite::hash;
use barograph_store::suite::sample::{self, START, SampleMarket};
use barograph_store::{
    BookSample, Error, Fence, GroupState, LiveBatch, PgReader, PgWriter, Reader, Retention, RunSpec, Writer, WriterRole,
};
use std::time::{Duration, Instant};

const GROUPS: usize = 4;
const MARKETS: usize = 5;
const BATCHES: usize = 200;
/// A month ends among the batches.
const BEGIN: Ts = Ts::from_civil(2026, 1, 31, 22, 30, 0);
const KEEP: Retention =
    Retention { raw: Span::mins(60), minute_rows: Span::days(90), points: None, deliveries: Span::days(30) };

/// One minute of a group.
struct Minute {
    points: Vec<Event>,
    rows: Vec<MinuteRow>,
    books: Vec<BookSample>,
}

/// What the writer of one group has in its lists, and publishes.
struct Group {
    instruments: Vec<Instrument>,
    streams: Vec<StreamDecl>,
    runs: Vec<RunSpec>,
    minutes: Vec<Minute>,
}

/// All groups list all markets, each in an order of its own, with a spot market behind every one.
fn group(number: usize) -> Group {
    let name = |n: usize| format!("M{n:02}USDT");
    let mut instruments: Vec<Instrument> = (0..GROUPS * MARKETS).map(|n| sample::instrument(&name(n))).collect();
    let spot = |i: &Instrument| {
        let name = barograph_domain::InstrumentName::new("binance-spot", &i.name.symbol).unwrap();
        Instrument { name, kind: MarketKind::Spot, expiry: None }
    };
    instruments.extend(instruments.iter().map(spot).collect::<Vec<_>>());
    instruments.rotate_left(number * 7);
    if number % 2 == 1 {
        instruments.reverse();
    }
    let mut streams = sample::streams(&instruments);
    let turned = streams.len() / GROUPS * number;
    streams.rotate_left(turned);
    let place =
        |decl: &StreamDecl| StreamIndex(u16::try_from(streams.iter().position(|s| s == decl).unwrap()).unwrap());
    let mut minutes: Vec<Minute> =
        (0..BATCHES).map(|_| Minute { points: Vec::new(), rows: Vec::new(), books: Vec::new() }).collect();
    let mut runs = Vec::new();
    for n in number * MARKETS..(number + 1) * MARKETS {
        let market = sample::instrument(&name(n));
        let at = instruments.iter().position(|i| *i == market).unwrap();
        let own = sample::streams(std::slice::from_ref(&market));
        let slots: Vec<StreamIndex> = own.iter().map(place).collect();
        runs.push(sample::spec(&market, &[]));
        let mut rows = SampleMarket::new(n as u64);
        for (minute, ts) in minutes.iter_mut().zip((1..).map(|n| BEGIN + Span::mins(n))) {
            let mut row = rows.row(ts);
            row.instrument = u32::try_from(at).unwrap();
            let cells = row.cells.iter_mut().map(|c| &mut c.stream);
            let named = cells.chain(row.inputs.iter_mut().map(|i| &mut i.stream));
            named.flatten().for_each(|s| *s = slots[s.index()]);
            minute.rows.push(row);
            let side = |sign: f64| (1..=3).map(|i| (100.0 + sign * f64::from(i), 1.0)).collect();
            let known_ts = ts + Span::millis(70);
            minute.books.push(BookSample { instrument: at, ts, known_ts, bids: side(-1.0), asks: side(1.0) });
        }
        for event in sample::events(&own, i64::try_from(BATCHES).unwrap(), n as u64) {
            let minute = usize::try_from((event.event_ts - START).as_secs() / 60 - 1).unwrap();
            let later = BEGIN - START;
            let (recv_ts, event_ts) = (event.recv_ts + later, event.event_ts + later);
            let stream = slots[event.stream.index()];
            minutes[minute].points.push(Event { recv_ts, event_ts, stream, ..event });
        }
    }
    Group { instruments, streams, runs, minutes }
}

fn publish(writer: &mut dyn Writer, group: &Group, n: usize, fence: Option<Fence>) -> Result<(), Error> {
    let Minute { points, rows, books } = &group.minutes[n];
    // What a later minute wants that no earlier one did: dictionaries grow while others write.
    let shown = if n < BATCHES / 2 { group.instruments.len() / 2 } else { group.instruments.len() };
    let used = |at: usize| rows.iter().any(|r| r.instrument == u32::try_from(at).unwrap());
    let last = (0..group.instruments.len()).rfind(|at| used(*at)).unwrap_or(0);
    let batch = LiveBatch {
        fence,
        instruments: &group.instruments[..shown.max(last + 1)],
        streams: &group.streams,
        points,
        runs: &group.runs,
        rows,
        books,
        ..LiveBatch::default()
    };
    writer.append(&batch).map(drop)
}

fn of(group: usize, token: u64, minute: usize) -> Fence {
    let through = Some(BEGIN + Span::mins(i64::try_from(minute).unwrap() + 1));
    Fence { group: u16::try_from(group).unwrap(), token, through }
}

fn number(answer: &[Vec<Option<String>>]) -> i64 {
    answer[0][0].as_ref().unwrap().parse().unwrap()
}

/// Each prunes meanwhile, and a month's partitions are made and dropped while the others write.
#[test]
fn writers_of_several_groups_leave_what_one_writer_leaves() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let (url, whole) = (server.schema(), server.schema());
    drop(PgWriter::connect(&url, &[]).unwrap());
    let groups: Vec<Group> = (0..GROUPS).map(group).collect();
    let go = std::sync::Barrier::new(GROUPS);
    let end = std::sync::Barrier::new(GROUPS);
    std::thread::scope(|scope| {
        for (at, group) in groups.iter().enumerate() {
            let (url, go, end) = (&url, &go, &end);
            scope.spawn(move || {
                let mut writer = PgWriter::connect(url, &[WriterRole::Group(u16::try_from(at).unwrap())]).unwrap();
                assert_eq!(writer.fence(u16::try_from(at).unwrap(), 9).unwrap().through, None);
                go.wait();
                for n in 0..BATCHES {
                    publish(&mut writer, group, n, Some(of(at, 9, n))).unwrap();
                    if n % 40 == 39 {
                        writer.prune(&KEEP).unwrap();
                    }
                }
                end.wait();
                writer.prune(&KEEP).unwrap();
            });
        }
    });
    // What somebody read just then is dropped by the next one.
    PgWriter::connect(&url, &WriterRole::ALL).unwrap().prune(&KEEP).unwrap();
    let mut one = PgWriter::connect(&whole, &WriterRole::ALL).unwrap();
    for n in 0..BATCHES {
        for group in &groups {
            publish(&mut one, group, n, None).unwrap();
        }
    }
    one.prune(&KEEP).unwrap();
    let (many, one) = (PgReader::connect(&url).unwrap(), PgReader::connect(&whole).unwrap());
    let sections = |r: &PgReader| r.check(true).unwrap().hash.unwrap().sections;
    assert_eq!(sections(&many), sections(&one));
    assert_eq!(hash(&many), hash(&one));
    let through = Some(BEGIN + Span::mins(i64::try_from(BATCHES).unwrap()));
    let state = |group: usize| GroupState { group: u16::try_from(group).unwrap(), token: 9, through };
    assert_eq!(many.live_groups().unwrap(), (0..GROUPS).map(state).collect::<Vec<_>>());
    // None waited for another in a circle, which the server would have ended by refusing one of them.
    assert_eq!(number(&Server::ask(&url, "SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'")), 0);
    let partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent IN ('points'::regclass, 'books'::regclass)";
    assert_eq!(number(&Server::ask(&url, partitions)), 2, "January is over");
}

/// A connection that holds what a statement locks until it is dropped.
struct Holder {
    runtime: tokio::runtime::Runtime,
    client: tokio_postgres::Client,
}

impl Holder {
    fn of(url: &str, sql: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
            drop(tokio::spawn(connection));
            client.batch_execute(&format!("BEGIN; {sql}")).await.unwrap();
            client
        });
        Self { runtime, client }
    }

    fn end(&self) -> bool {
        self.runtime.block_on(self.client.batch_execute("COMMIT")).is_ok()
    }
}

/// Waits until so many locks are waited for.
fn waiting(url: &str, count: i64) {
    let begin = Instant::now();
    while number(&Server::ask(url, "SELECT count(*) FROM pg_locks WHERE NOT granted")) < count {
        assert!(begin.elapsed() < Duration::from_secs(20), "nobody waits");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the owner before is writing is readable when the fence returns, and what it writes next is refused.
#[test]
fn a_takeover_waits_for_the_batch_under_way() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let url = server.schema();
    let markets = group(0);
    let mut old = PgWriter::connect(&url, &[WriterRole::Group(0)]).unwrap();
    old.fence(0, 1).unwrap();
    publish(&mut old, &markets, 0, Some(of(0, 1, 0))).unwrap();
    // The batch stands at its books, with the group locked.
    let holder = Holder::of(&url, "LOCK TABLE books IN ACCESS EXCLUSIVE MODE");
    // Its lock of the role is in nobody's way.
    let mut newer = PgWriter::connect(&url, &[WriterRole::Group(0)]).unwrap();
    let through = std::thread::scope(|scope| {
        let under_way = scope.spawn(|| publish(&mut old, &markets, 1, Some(of(0, 1, 1))));
        waiting(&url, 1);
        let takeover = scope.spawn(|| newer.fence(0, 2));
        waiting(&url, 2);
        std::thread::sleep(Duration::from_millis(300));
        assert!(!takeover.is_finished() && !under_way.is_finished());
        // Another group is not held up by it.
        let mut other = PgWriter::connect(&url, &[WriterRole::Group(3)]).unwrap();
        assert_eq!(other.fence(3, 1).unwrap().through, None);
        assert!(holder.end());
        under_way.join().unwrap().unwrap();
        takeover.join().unwrap().unwrap().through
    });
    assert_eq!(through, of(0, 1, 1).through);
    let reader = PgReader::connect(&url).unwrap();
    let before = hash(&reader);
    for n in [2, 1] {
        let error = publish(&mut old, &markets, n, Some(of(0, 1, n))).unwrap_err();
        assert!(matches!(error, Error::Fenced { group: 0, token: 1, newer: 2 }), "{error}");
    }
    let error = old.prune(&KEEP).unwrap_err();
    assert!(matches!(error, Error::Fenced { group: 0, token: 1, newer: 2 }), "{error}");
    assert_eq!(hash(&reader), before);
    for n in 1..4 {
        publish(&mut newer, &markets, n, Some(of(0, 2, n))).unwrap();
    }
    hash(&reader);
}

/// An owner that stopped in the middle of a batch is cut off.
#[test]
fn a_takeover_ends_a_batch_that_does_not_end() {
    let Some(server) = Server::start(&["fsync=off"]) else { return };
    let url = server.schema();
    let markets = group(0);
    let mut newer = PgWriter::connect(&url, &[WriterRole::Group(0)]).unwrap();
    newer.fence(0, 1).unwrap();
    publish(&mut newer, &markets, 0, Some(of(0, 1, 0))).unwrap();
    let holder = Holder::of(&url, "UPDATE live_groups SET through_ts = through_ts + 1");
    let begin = Instant::now();
    assert_eq!(newer.fence(0, 2).unwrap().through, of(0, 1, 0).through, "what was under way did not happen");
    assert!(begin.elapsed() >= Duration::from_secs(1), "it has time to end by itself");
    assert!(!holder.end(), "its connection is gone");
    publish(&mut newer, &markets, 1, Some(of(0, 2, 1))).unwrap();
    hash(&PgReader::connect(&url).unwrap());
}
