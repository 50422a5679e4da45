//! What can be wrong with a file or a folder: one clear error each, and nothing lost.

use crate::common::{Sample, reader, sample, writer};
use barograph_domain::case::CaseStep;
use barograph_domain::delivery::{Compare, DeliveryState, Matcher, Silence};
use barograph_domain::{GapReason, Span, Status, StatusState};
use barograph_store::suite::sample::START;
use barograph_store::suite::{alerts, cases, hash, levels, outbox, positions, signals};
use barograph_store::{
    AlertQuery, BookSample, DeliveryQuery, Error, Gap, LevelQuery, LiveBatch, NoticeQuery, OutboxReader, PointsVersion,
    Reader, Result, SqliteReader, SqliteWriter, StoreTarget, WatchState, Writer, WriterRole, open_cases, open_outbox,
    open_positions, open_signals, sqlite,
};
use std::fs;
use std::path::Path;

/// Puts something at the place of the store, and what the message says about it.
type Maker<'a> = (&'a dyn Fn(&Path), &'a str);
/// A write that needs space.
type Attempt<'a> = &'a dyn Fn(&mut SqliteWriter) -> Result<()>;

fn file(folder: &Path) -> std::path::PathBuf {
    folder.join(sqlite::FILE)
}

/// A store with points and rows, closed.
fn filled(folder: &Path) -> (Sample, String) {
    let sample = sample(300);
    let mut writer = writer(folder);
    sample.fill(&mut writer);
    drop(writer);
    let hash = hash(&reader(folder));
    (sample, hash)
}

/// Points few at a time, so that they lie in rows, as all did in older files; how many times there was something new.
fn insert_in_rows(writer: &mut SqliteWriter, s: &Sample) -> PointsVersion {
    let slices = s.events.chunks(10);
    let version = PointsVersion(i64::try_from(slices.len()).unwrap());
    for slice in slices {
        writer.insert_points(&s.instruments, &s.streams, slice).unwrap();
    }
    version
}

/// With levels, and with positions and what was reported about them.
fn filled_with_all(folder: &Path) -> (Sample, String) {
    let sample = sample(300);
    let mut w = writer(folder);
    let version = insert_in_rows(&mut w, &sample);
    let mut run = w.replace(&sample.spec, None, version).unwrap();
    sample.rows.iter().for_each(|r| run.row(r).unwrap());
    (4..28).flat_map(|k| levels::story(10 * k)).for_each(|c| run.level(&c).unwrap());
    (4..28).flat_map(|k| alerts::story(10 * k)).for_each(|a| run.alert(&a).unwrap());
    run.checkpoint(sample.rows[299].ts, b"state of the engine").unwrap();
    run.finish().unwrap();
    drop(w);
    let mut book = open_positions(&StoreTarget::Folder(folder.to_owned())).unwrap();
    for id in ["one", "two", "gone"] {
        book.put_position(&positions::position(id, 50_000.0), START).unwrap();
        let state = WatchState { position: id.to_owned(), state: "{\"seen\":1}".to_owned() };
        book.record_check(&[state], &[positions::notice(&format!("notice of {id}"), id, START)], &[]).unwrap();
    }
    book.remove_position("gone", START + Span::mins(1)).unwrap();
    drop(book);
    fill_outbox(folder);
    let mut own = open_signals(&StoreTarget::Folder(folder.to_owned())).unwrap();
    own.put_signals(&[signals::signal(0, 1, Some(1.0))]).unwrap();
    drop(own);
    let mut desk = open_cases(&StoreTarget::Folder(folder.to_owned())).unwrap();
    let (case, recording) = (cases::filed("a", 1), cases::recorded("a"));
    assert!(desk.file_case(&case, &cases::entry(1, "ann", CaseStep::Filed, None), &[recording]).unwrap());
    desk.write_case(&case.case_id, &cases::entry(2, "ann", CaseStep::Noted, Some("x"))).unwrap();
    drop(desk);
    let hash = hash(&reader(folder));
    (sample, hash)
}

/// Messages to two endpoints, some delivered, and a silence.
fn fill_outbox(folder: &Path) {
    let mut store = open_outbox(&StoreTarget::Folder(folder.to_owned())).unwrap();
    let all: Vec<_> =
        (0..8).map(|n| outbox::outgoing(outbox::message(&format!("t{n}"), 1, n), &["desk", "phone"])).collect();
    store.enqueue(&all, &[]).unwrap();
    for (n, one) in (0..).zip(&all[..5]) {
        let id = &one.message.id;
        let end = [outbox::change("phone", id, DeliveryState::Delivered, n)];
        store.record(&end, &[outbox::attempt("phone", id, n, Some(200), 5)], &[]).unwrap();
    }
    let matchers = vec![Matcher { label: "venue".to_owned(), op: Compare::Is, value: "bybit".to_owned() }];
    let (starts_at, ends_at) = (START, START + Span::hours(1));
    let (id, author, reason) = ("s".to_owned(), "ann".to_owned(), "work".to_owned());
    let silence = Silence { id, matchers, author, reason, starts_at, ends_at, created_at: START };
    assert!(store.put_silence(&silence).unwrap());
}

/// Says no with the message a person sees.
fn says<T: std::fmt::Debug>(answer: Result<T>, words: &[&str]) -> Error {
    let error = answer.unwrap_err();
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "'{text}' does not mention '{word}'");
    }
    assert!(!text.ends_with('.') && text.lines().count() == 1, "{text}");
    error
}

#[test]
fn nothing_is_stored_yet() {
    let dir = tempfile::tempdir().unwrap();
    let error = says(SqliteReader::open(dir.path()), &["nothing is stored", "barograph.db"]);
    assert!(matches!(error, Error::Missing { .. }));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "a reader creates nothing");
    // Killed between making the file and its tables.
    fs::write(file(dir.path()), b"").unwrap();
    assert!(matches!(SqliteReader::open(dir.path()), Err(Error::Missing { .. })));
    writer(dir.path());
    reader(dir.path());
}

#[test]
fn other_files_are_not_stores() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path());
    let foreign = |path: &Path| {
        let conn = rusqlite::Connection::open(path).unwrap();
        conn.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    };
    let makers: [Maker<'_>; 3] = [
        (&|p| fs::write(p, "symbol,price\n".repeat(1000)).unwrap(), "no SQLite database"),
        (&foreign, "another program"),
        (&|p| fs::create_dir(p).unwrap(), "folder"),
    ];
    for (make, words) in makers {
        make(&path);
        let error = says(SqliteWriter::open(dir.path(), &[]), &["is not a barograph store", words]);
        assert!(matches!(error, Error::NotAStore { .. }));
        let error = SqliteReader::open(dir.path()).unwrap_err();
        assert!(matches!(error, Error::NotAStore { .. }), "{error}");
        if path.is_dir() { fs::remove_dir(&path).unwrap() } else { fs::remove_file(&path).unwrap() }
    }
}

#[test]
fn newer_files_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    rusqlite::Connection::open(file(dir.path())).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let bytes = fs::read(file(dir.path())).unwrap();
    for error in [
        says(SqliteWriter::open(dir.path(), &WriterRole::ALL), &["version 99", "knows up to", "newer"]),
        says(SqliteReader::open(dir.path()), &["version 99"]),
    ] {
        assert!(matches!(error, Error::Newer { found: 99, .. }));
    }
    assert!(fs::read(file(dir.path())).unwrap() == bytes);
}

#[test]
fn a_changed_number_is_found() {
    let changes = [
        ("UPDATE points SET value = value + 1e-9 WHERE value IS NOT NULL AND event_ts % 7 = 0", "not what was written"),
        ("UPDATE points SET known_ts = event_ts + 1 WHERE event_ts % 7 = 0", "its record says"),
        ("DELETE FROM points WHERE event_ts % 7 = 0", "its record says"),
        ("UPDATE feature_chunks SET rows = rows - 1", "does not hold"),
        ("UPDATE feature_chunks SET body = zeroblob(20)", "chunk"),
        ("UPDATE label_changes SET after = 'HIGH_VOL'", "label changes"),
        ("DELETE FROM label_changes", "label changes"),
        ("UPDATE layouts SET body = '{}'", "layout"),
        ("UPDATE streams SET decl = replace(decl, 'bar', 'tar')", "a stream"),
        ("UPDATE instruments SET kind = 'option'", "no kind of market"),
        ("UPDATE checkpoints SET body = zeroblob(9)", "checkpoint"),
        ("UPDATE parts SET from_ts = 0, until_ts = 0", "overlaps"),
        ("DELETE FROM runs", "belong to nothing"),
        ("UPDATE runs SET logic_version = replace(logic_version, 'v0', 'v1')", "the record of the run"),
        ("UPDATE runs SET book_text = ''", "the record of the run"),
        ("UPDATE layouts SET body = replace(body, 'feature_1', 'feature_l')", "layout"),
        ("UPDATE level_changes SET body = zeroblob(9) WHERE step = 1", "level"),
        ("UPDATE level_changes SET known_ts = known_ts + 1 WHERE step = 1", "another time or level"),
        ("UPDATE level_changes SET confirmed_ts = confirmed_ts + 1 WHERE step = 1", "another time or level"),
        ("UPDATE level_changes SET level = zeroblob(16) WHERE step = 1", "another time or level"),
        ("UPDATE level_changes SET row_ts = row_ts + 60000000000 WHERE step = 1", "another time or level"),
        ("DELETE FROM level_changes WHERE step = 0", "is missing"),
        ("UPDATE level_changes SET segment = 77", "belong to nothing"),
        ("UPDATE alerts SET body = replace(body, 'LONG', 'long')", "the alert"),
        ("UPDATE alerts SET known_ts = known_ts + 1", "the alert"),
        ("UPDATE alerts SET severity = severity - 1", "other words or times"),
        ("UPDATE alerts SET pattern = 'SPOOFING'", "other words or times"),
        ("UPDATE alerts SET row_ts = row_ts + 60000000000", "other words or times"),
        ("UPDATE alerts SET segment = 77", "belong to nothing"),
        ("UPDATE positions SET body = replace(body, 'swing', 'swung')", "the position"),
        ("UPDATE positions SET removed_at = registered_at + 9 WHERE id = 'one'", "the position 'one'"),
        ("UPDATE position_states SET body = '{}'", "the memory of the position"),
        ("UPDATE position_notices SET ts = ts + 1", "the notice"),
        ("UPDATE position_notices SET body = replace(body, 'HIGH', 'high')", "the notice"),
        ("UPDATE messages SET body = replace(body, 'heavy', 'light')", "the message"),
        ("UPDATE messages SET fingerprint = 'f'", "the message"),
        ("UPDATE messages SET known_ts = known_ts + 1", "the message"),
        ("UPDATE messages SET phase = 'resolved'", "other words"),
        ("UPDATE messages SET instrument = 'bybit:BTCUSDT'", "other words"),
        ("DELETE FROM messages", "what cannot be"),
        ("UPDATE deliveries SET state = 'lost'", "what cannot be"),
        ("UPDATE deliveries SET state = 'waiting'", "what cannot be"),
        ("UPDATE deliveries SET state = 'grouped' WHERE ended_ts IS NULL", "what cannot be"),
        ("UPDATE deliveries SET ended_ts = NULL", "what cannot be"),
        ("UPDATE deliveries SET known_ts = known_ts + 1", "what cannot be"),
        ("UPDATE attempts SET message = 'm'", "belong to no message"),
        ("UPDATE silences SET ends_ts = ends_ts + 1", "the silence"),
        ("UPDATE silences SET changed_by = 'bob'", "the silence"),
        ("UPDATE silences SET body = replace(body, 'bybit', 'kraken')", "the silence"),
        ("UPDATE signals SET value = value + 1", "the value of the signal 'x.desk_flow'"),
        ("UPDATE signals SET known_ts = known_ts + 1", "the value of the signal 'x.desk_flow'"),
        ("UPDATE signals SET stated = 1", "the value of the signal 'x.desk_flow'"),
        ("UPDATE signals SET tags = '[]'", "cannot be read"),
        ("UPDATE cases SET filed_at = filed_at + 1", "the case"),
        ("UPDATE cases SET body = replace(body, 'Burst', 'burst')", "the case"),
        ("UPDATE cases SET patterns = 'SPOOFING'", "the case"),
        ("DELETE FROM cases", "has entries and no file"),
        ("UPDATE case_entries SET author = 'bob'", "entry 1 of the case"),
        ("UPDATE case_entries SET note = 'y' WHERE seq = 2", "entry 2 of the case"),
        ("UPDATE case_entries SET kind = 'closed' WHERE seq = 2", "cannot be read"),
        ("UPDATE case_entries SET at = at + 1 WHERE seq = 2", "entry 2 of the case"),
        ("DELETE FROM case_entries WHERE seq = 1", "entry 1 of the case"),
        ("DELETE FROM case_entries", "has no entry"),
        ("UPDATE case_recordings SET body = replace(body, 'store', 'journal')", "the recording"),
        ("UPDATE case_recordings SET recorded_at = recorded_at - 1", "the recording"),
    ];
    for (sql, words) in changes {
        let dir = tempfile::tempdir().unwrap();
        filled_with_all(dir.path());
        rusqlite::Connection::open(file(dir.path())).unwrap().execute_batch(sql).unwrap();
        let report = reader(dir.path()).check(true).unwrap();
        assert!(report.problems.iter().any(|p| p.contains(words)), "{sql}: {:?}", report.problems);
    }
}

/// What was written live is looked at as closely.
#[test]
fn a_changed_live_number_is_found() {
    let changes = [
        ("UPDATE live_points SET body = zeroblob(9)", "piece"),
        ("DELETE FROM live_points WHERE piece = (SELECT max(piece) FROM live_points)", "its record says"),
        ("UPDATE feature_chunks SET body = zeroblob(9) WHERE rows = 1", "chunk"),
        ("UPDATE feature_chunks SET rows = 2 WHERE rows = 1", "does not hold"),
        ("UPDATE gaps SET reason = 'boredom'", "no reason of a gap"),
        ("UPDATE books SET body = zeroblob(9)", "order book"),
    ];
    for (sql, words) in changes {
        let dir = tempfile::tempdir().unwrap();
        let s = sample(70);
        let mut w = writer(dir.path());
        let status = Status { state: StatusState::Gap, from: START, until: START, reason: GapReason::Silent };
        let gaps = [Gap { stream: s.streams[0].clone(), status, known_ts: START }];
        let level = vec![(1.0, 2.0)];
        let books = [BookSample { instrument: 0, ts: START, known_ts: START, bids: level, asks: vec![(2.0, 2.0)] }];
        for row in &s.rows {
            let points: Vec<_> = s.events.iter().filter(|e| e.event_ts == row.ts).copied().collect();
            let batch = LiveBatch {
                instruments: &s.instruments,
                streams: &s.streams,
                points: &points,
                runs: std::slice::from_ref(&s.spec),
                rows: std::slice::from_ref(row),
                gaps: &gaps,
                books: &books,
                ..LiveBatch::default()
            };
            w.append(&batch).unwrap();
        }
        drop(w);
        hash(&reader(dir.path()));
        rusqlite::Connection::open(file(dir.path())).unwrap().execute_batch(sql).unwrap();
        let report = reader(dir.path()).check(true).unwrap();
        assert!(report.problems.iter().any(|p| p.contains(words)), "{sql}: {:?}", report.problems);
    }
}

/// Wherever it is: found, or without consequence.
#[test]
fn a_damaged_byte_never_passes_as_sound() {
    let dir = tempfile::tempdir().unwrap();
    let (sample, hash) = filled_with_all(dir.path());
    let key = &sample.spec.key;
    let told = |reader: &SqliteReader| {
        let query = NoticeQuery { position: None, instrument: None, as_of: None, limit: 9 };
        (reader.positions(None).unwrap(), reader.position_states().unwrap(), reader.notices(&query).unwrap())
    };
    let before = told(&reader(dir.path()));
    let messages = |reader: &SqliteReader| {
        let query = DeliveryQuery { limit: 99, ..DeliveryQuery::default() };
        let found = reader.deliveries(&query).unwrap();
        (found.into_iter().map(|s| s.message).collect::<Vec<_>>(), reader.silences(None, None).unwrap())
    };
    let said = messages(&reader(dir.path()));
    let good = fs::read(file(dir.path())).unwrap();
    let mut found = 0;
    for n in 0..600 {
        let mut bytes = good.clone();
        let at = (n * 7919 + 101) * 131 % good.len();
        bytes[at] ^= 1 << (n % 8);
        fs::write(file(dir.path()), &bytes).unwrap();
        let Ok(reader) = SqliteReader::open(dir.path()) else {
            found += 1;
            continue;
        };
        // No question may panic, whatever it answers.
        let _answers = (
            reader.runs(None).is_ok(),
            reader.latest(key, 9, None).is_ok(),
            reader.levels(key, &LevelQuery::default()).is_ok(),
            reader.alerts(key, &AlertQuery::default()).is_ok(),
            reader.events(&sample.streams, None, None).map(Iterator::count).is_ok(),
        );
        match reader.check(true) {
            Ok(report) if report.is_sound() => {
                assert_eq!(report.hash.unwrap().sha256, hash, "byte {at} changed something");
                assert_eq!(told(&reader), before, "byte {at} changed a position");
                assert_eq!(messages(&reader), said, "byte {at} changed a message");
            }
            _ => found += 1,
        }
    }
    assert!(found > 150, "only {found} of 600 damaged bytes mattered: is the file mostly empty?");
}

#[test]
fn a_truncated_file_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let good = fs::read(file(dir.path())).unwrap();
    fs::write(file(dir.path()), &good[..good.len() / 2]).unwrap();
    let noticed = SqliteReader::open(dir.path()).and_then(|r| r.check(true));
    match noticed {
        Err(Error::Corrupt { .. }) => {}
        Ok(report) => assert!(!report.is_sound()),
        Err(other) => panic!("{other}"),
    }
    let wrote = SqliteWriter::open(dir.path(), &WriterRole::ALL).and_then(|mut w| {
        let s = sample(400);
        w.insert_points(&s.instruments, &s.streams, &s.events)
    });
    let error = says(wrote, &["damaged", "restore a copy"]);
    assert!(matches!(error, Error::Corrupt { .. }));
}

/// Points and rows, small and large writes: all or nothing, then poisoned until opened again.
#[test]
fn a_full_disk_loses_nothing() {
    let more = sample(20_000);
    let attempts: [Attempt<'_>; 2] =
        [&|w| w.insert_points(&more.instruments, &more.streams, &more.events).map(drop), &|w| {
            let mut run = w.replace(&more.spec, None, PointsVersion::default())?;
            more.rows.iter().try_for_each(|row| run.row(row))?;
            run.finish().map(drop)
        }];
    for attempt in attempts {
        let dir = tempfile::tempdir().unwrap();
        let (_, before) = filled(dir.path());
        let mut w = writer(dir.path());
        w.limit_pages(50).unwrap();
        let error = says(attempt(&mut w), &["no space left", "nothing already stored was lost"]);
        assert!(matches!(error, Error::Full { .. }));
        assert_eq!(hash(&reader(dir.path())), before);
        let error = says(attempt(&mut w), &["earlier write failed", "open the store again"]);
        assert!(matches!(error, Error::Poisoned { .. }));
        drop(w);
        assert_eq!(hash(&reader(dir.path())), before);
        // With space again, the same command goes through.
        attempt(&mut writer(dir.path())).unwrap();
        assert_ne!(hash(&reader(dir.path())), before);
    }
}

/// Imported minutes take a few dozen bytes each, and take no more when the same files are imported again.
#[test]
fn imported_minutes_are_packed_and_stay_so() {
    let dir = tempfile::tempdir().unwrap();
    let s = sample(300);
    let counts = || -> (i64, i64, i64) {
        let conn = rusqlite::Connection::open(file(dir.path())).unwrap();
        let sql = "SELECT (SELECT count(*) FROM points), count(*), sum(points) FROM live_points";
        conn.query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap()
    };
    writer(dir.path()).insert_points(&s.instruments, &s.streams, &s.events).unwrap();
    let first = counts();
    assert!(first.0 < 24 && first.1 == 5, "{first:?}: rows, pieces and their points");
    assert_eq!(first.0 + first.2, i64::try_from(s.events.len()).unwrap());
    for at in [START + Span::days(400), START + Span::days(401)] {
        writer(dir.path()).import_points(&s.instruments, &s.streams, &s.events, at).unwrap();
        assert_eq!(counts(), first);
    }
}

#[test]
fn people_can_ask_in_sql() {
    let dir = tempfile::tempdir().unwrap();
    insert_in_rows(&mut writer(dir.path()), &sample(300));
    let conn = rusqlite::Connection::open(file(dir.path())).unwrap();
    let sql = "SELECT instrument, source, cadence_s, event_time, known_time, value FROM metric_points
               WHERE metric = 'mark_price' ORDER BY event_ts LIMIT 1";
    let row: (String, String, i64, String, String, f64) =
        conn.query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?))).unwrap();
    assert_eq!((row.0.as_str(), row.1.as_str(), row.2), ("binance-usdm:BTCUSDT", "binance-usdm", 60));
    assert_eq!((row.3.as_str(), row.4.as_str()), ("2026-01-01T00:01:00Z", "2026-01-01T00:01:02Z"));
    assert!(row.5 > 0.0);
}

/// What the second version of the schema and those after it changed, taken back.
const BACK_TO_1: &str = "
DROP VIEW market_metrics; DROP VIEW futures_funding_rates; DROP VIEW futures_liquidations; DROP VIEW futures_basis_history;
DROP VIEW market_snapshots; DROP VIEW regimes; DROP VIEW market_alerts;
DROP TABLE table_markets; DROP TABLE spellings; DROP TABLE market_rows; DROP TABLE settlements; DROP TABLE forced_closes;
DROP TABLE ledger_pieces; DROP TABLE ledger_heads; DROP TABLE ledger_states; DROP TABLE ledger_progress; DROP TABLE ledger_notes;
DROP TABLE axis_changes; DROP TABLE settings; DROP TABLE row_metrics;
DROP VIEW metric_points;
CREATE VIEW metric_points AS SELECT event_ts, value FROM points;
CREATE TABLE segments_1 (segment INTEGER PRIMARY KEY, run INTEGER, from_ts INTEGER NOT NULL, until_ts INTEGER NOT NULL)
    STRICT;
INSERT INTO segments_1 SELECT segment, run, from_ts, until_ts FROM parts;
DROP TABLE parts; DROP TABLE segments; ALTER TABLE segments_1 RENAME TO segments;
CREATE INDEX segments_run ON segments (run, from_ts);
ALTER TABLE runs DROP COLUMN live_segment;
ALTER TABLE runs DROP COLUMN digest;
UPDATE feature_chunks SET chunk = -(chunk >> 32 << 32 | (((chunk & 4294967295) - 2147483648) / 60 + 2147483648));
UPDATE feature_chunks SET chunk = -chunk;
CREATE TABLE gaps_1 (segment INTEGER NOT NULL, row_ts INTEGER NOT NULL, known_ts INTEGER NOT NULL, decl TEXT NOT NULL,
    state TEXT NOT NULL, from_ts INTEGER NOT NULL, until_ts INTEGER NOT NULL,
    PRIMARY KEY (segment, row_ts, known_ts, decl, state, from_ts, until_ts)) STRICT, WITHOUT ROWID;
INSERT INTO gaps_1 SELECT segment, row_ts, known_ts, decl, state, from_ts, until_ts FROM gaps;
DROP TABLE gaps; ALTER TABLE gaps_1 RENAME TO gaps;
DROP INDEX points_corrected; DROP TABLE past_runs; ALTER TABLE runs DROP COLUMN corrected_ts;
ALTER TABLE points DROP COLUMN provenance;
DROP TABLE live_points; DROP TABLE books;
DROP TABLE level_changes; DROP TABLE alerts;
DROP TABLE positions; DROP TABLE position_states; DROP TABLE position_notices;
DROP TABLE universe_rows; DROP TABLE universe_state; DROP TABLE calendar_entries;
DROP TABLE messages; DROP TABLE deliveries; DROP TABLE attempts; DROP TABLE endpoint_states; DROP TABLE silences;
DROP TABLE signals; DROP TABLE live_groups;
DROP TABLE cases; DROP TABLE case_entries; DROP TABLE case_recordings;
PRAGMA user_version = 1;
";

/// As the release before live writing left them; their gaps are missing rows.
#[test]
fn old_files_open_and_mean_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let s = sample(400);
    let mut w = writer(dir.path());
    let version = insert_in_rows(&mut w, &s);
    let mut run = w.replace(&s.spec, None, version).unwrap();
    let status = Status { state: StatusState::Gap, from: START, until: START, reason: GapReason::MissingRows };
    run.gap(&Gap { stream: s.streams[0].clone(), status, known_ts: s.rows[7].ts }).unwrap();
    s.rows.iter().for_each(|r| run.row(r).unwrap());
    run.finish().unwrap();
    drop(w);
    let before = hash(&reader(dir.path()));
    rusqlite::Connection::open(file(dir.path())).unwrap().execute_batch(BACK_TO_1).unwrap();
    let error = SqliteReader::open(dir.path()).unwrap_err();
    assert!(matches!(error, Error::Outdated { found: 1, .. }), "{error}");
    drop(writer(dir.path()));
    assert_eq!(hash(&reader(dir.path())), before);
}

/// A number changed on disk without anyone writing it is found in hours between markets and in the calendar.
#[test]
fn a_changed_column_of_an_hour_or_a_calendar_entry_is_found() {
    use barograph_domain::{CalendarEntry, Impact, Span, UniverseRow};
    use barograph_store::{Range, UniversePart};
    for change in [
        "UPDATE universe_rows SET live = 1",
        "UPDATE universe_rows SET known_ts = known_ts + 1",
        "UPDATE universe_rows SET watch = 'x'",
        "UPDATE universe_rows SET logic_version = 'v2'",
        "UPDATE calendar_entries SET at = at + 1",
        "UPDATE calendar_entries SET name = 'y'",
        "UPDATE calendar_entries SET impact = 'low'",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut w = writer(dir.path());
        let known_ts = START + Span::millis(200);
        let row = UniverseRow { ts: START, known_ts, markets: Vec::new(), pairs: Vec::new(), leading: None };
        let rows = [row];
        w.replace_universe(&UniversePart {
            logic_version: "v1",
            range: Range::ALL,
            rows: &rows,
            alerts: &[],
            done: None,
        })
        .unwrap();
        let entry = CalendarEntry {
            id: "a".to_owned(),
            name: "A".to_owned(),
            impact: Impact::High,
            at: START,
            source: "s".to_owned(),
            known_ts: START,
            cancelled: false,
        };
        w.put_calendar(&[entry]).unwrap();
        drop(w);
        assert!(reader(dir.path()).check(false).unwrap().is_sound());
        rusqlite::Connection::open(file(dir.path())).unwrap().execute_batch(change).unwrap();
        let problems = reader(dir.path()).check(false).unwrap().problems;
        assert!(problems.iter().any(|p| p.contains("not what was written")), "{change}: {problems:?}");
    }
}
