//! What only files and processes can show of the forecast ledger: kills at random moments, damage on disk, files of schema 11.

use crate::common::{child, child_folder, reader, writer};
use barograph_domain::forecast::{ForecastEvent, LedgerTick};
use barograph_domain::{Span, Ts};
use barograph_store::suite::forecasts::{STEP, markets, ticks};
use barograph_store::suite::hash;
use barograph_store::suite::sample::Random;
use barograph_store::{
    LedgerHead, LedgerPart, LedgerState, LiveBatch, LiveLedger, Range, Reader, SqliteReader, SqliteWriter, Writer,
};
use std::path::Path;
use std::time::{Duration, Instant};

const T0: Ts = Ts::from_civil(2026, 1, 1, 12, 0, 0);
const COMPUTED: usize = 300;
const LIVE: usize = 500;
const KILLS: u64 = 10;

fn head(tick: &LedgerTick, rows: usize) -> LedgerHead {
    let head = [u8::try_from(rows % 251).unwrap(); 32];
    LedgerHead { day: tick.ts.floor(Span::days(1)), event: ForecastEvent::Calm4h, rows: rows as u64, head }
}

/// A stretch computed in parts, then ticks published one by one, as often as needed.
fn work(folder: &Path) {
    let all = ticks(T0, LIVE, &markets(3), 4);
    let mut writer = writer(folder);
    let reader = reader(folder);
    for (nth, own) in all[..COMPUTED].chunks(50).enumerate() {
        let range = Range { start: own[0].ts, end: own[own.len() - 1].ts + STEP };
        // The chain of a day goes on over what is published of it already.
        let newest = own[own.len() - 1].ts;
        let day = newest.floor(Span::days(1));
        let published = reader.published_ticks("v1", Range { start: newest, end: day + Span::days(1) }).unwrap();
        let last = published.last().copied().unwrap_or(newest);
        let at = all.iter().position(|t| t.ts == last).unwrap();
        let heads = [head(&all[at], at)];
        let states = [LedgerState { ts: range.end, bytes: vec![7; 100] }];
        let (logic_version, done) = ("v1", (nth == 5).then_some("a"));
        let part = LedgerPart {
            logic_version,
            range,
            ticks: own,
            heads: &heads,
            states: &states,
            revisions: &[],
            alerts: &[],
            done,
        };
        writer.replace_ledger(&part).unwrap();
    }
    for (nth, tick) in all.iter().enumerate().skip(COMPUTED - 20) {
        let live = [LiveLedger { logic_version: "v1".to_owned(), tick: tick.clone(), heads: vec![head(tick, nth)] }];
        writer.append(&LiveBatch { ledger: &live, ..LiveBatch::default() }).unwrap();
    }
}

#[test]
fn child_keeps_a_ledger() {
    if let Some(folder) = child_folder() {
        work(&folder);
    }
}

/// Computed parts are computed again and take no published tick back, published ones are published again: the end is the same.
#[test]
fn a_killed_ledger_ends_where_an_undisturbed_one_ends() {
    let (calm, rough) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let begun = Instant::now();
    assert!(child("ledger::child_keeps_a_ledger", calm.path()).status().unwrap().success());
    let whole = begun.elapsed();
    let want = hash(&reader(calm.path()));
    let mut random = Random::new(20_261_124);
    let mut killed = 0;
    for _ in 0..KILLS {
        let mut working = child("ledger::child_keeps_a_ledger", rough.path()).spawn().unwrap();
        std::thread::sleep(whole.mul_f64(random.unit()).max(Duration::from_millis(5)));
        working.kill().unwrap();
        killed += u32::from(!working.wait().unwrap().success());
        match SqliteReader::open(rough.path()) {
            Ok(reader) => drop(hash(&reader)),
            Err(barograph_store::Error::Missing { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert!(killed >= 4, "only {killed} of {KILLS} were killed in time");
    assert!(child("ledger::child_keeps_a_ledger", rough.path()).status().unwrap().success());
    let ticks = |folder: &Path| reader(folder).ledger("v1", Range::ALL, &[], usize::MAX, None).unwrap().items;
    assert!(ticks(calm.path()) == ticks(rough.path()));
    assert_eq!(ticks(calm.path()).len(), LIVE);
    assert_eq!(heads_now(rough.path()), heads_now(calm.path()));
    assert_eq!(hash(&reader(rough.path())), want);
}

fn heads_now(folder: &Path) -> Vec<LedgerHead> {
    reader(folder).ledger_heads("v1", Range::ALL).unwrap()
}

fn small(folder: &Path) -> SqliteWriter {
    let mut writer = writer(folder);
    let all = ticks(T0, 5, &markets(2), 4);
    let (heads, states) = ([head(&all[0], 5)], [LedgerState { ts: T0, bytes: vec![7; 100] }]);
    writer
        .replace_ledger(&LedgerPart {
            logic_version: "v1",
            range: Range { start: T0.floor(Span::days(1)), end: Ts::MAX },
            ticks: &all,
            heads: &heads,
            states: &states,
            revisions: &[],
            alerts: &[],
            done: None,
        })
        .unwrap();
    writer
}

/// Bytes and columns changed on disk without anyone writing them.
#[test]
fn a_changed_piece_head_or_state_is_found() {
    for (change, word) in [
        ("UPDATE ledger_pieces SET live = 1", "not what was written"),
        ("UPDATE ledger_pieces SET last_ts = last_ts + 60000000000", "not what was written"),
        ("UPDATE ledger_pieces SET logic_version = 'v2'", "not what was written"),
        ("UPDATE ledger_pieces SET digest = digest + 1", "not what was written"),
        ("UPDATE ledger_pieces SET body = substr(body, 1, 99)", "not what was written"),
        ("UPDATE ledger_heads SET rows = rows + 1", "not what was written"),
        ("UPDATE ledger_heads SET head = x'00'", "another length"),
        ("UPDATE ledger_heads SET event = 'hv_2h'", "no event of this build"),
        ("UPDATE ledger_states SET body = substr(body, 1, 9)", "the state of the ledger"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        drop(small(dir.path()));
        assert!(reader(dir.path()).check(true).unwrap().is_sound());
        let file = dir.path().join(barograph_store::sqlite::FILE);
        rusqlite::Connection::open(file).unwrap().execute_batch(change).unwrap();
        let report = reader(dir.path()).check(false).unwrap();
        assert_eq!(report.problems.len(), 1, "{change}: {:?}", report.problems);
        assert!(report.problems[0].contains(word), "{change}: {:?}", report.problems);
    }
}

/// A file of the schema before gets the tables and means what it meant.
#[test]
fn a_file_of_schema_11_gets_a_ledger() {
    let dir = tempfile::tempdir().unwrap();
    drop(writer(dir.path()));
    let before = hash(&reader(dir.path()));
    let back =
        "DROP TABLE ledger_pieces; DROP TABLE ledger_heads; DROP TABLE ledger_states; DROP TABLE ledger_progress; DROP TABLE ledger_notes;
        DROP TABLE signals;
        DROP TABLE cases; DROP TABLE case_entries; DROP TABLE case_recordings; DROP TABLE live_groups;
        PRAGMA user_version = 11;";
    let file = dir.path().join(barograph_store::sqlite::FILE);
    rusqlite::Connection::open(file).unwrap().execute_batch(back).unwrap();
    let error = SqliteReader::open(dir.path()).unwrap_err();
    assert!(matches!(error, barograph_store::Error::Outdated { found: 11, known: 15, .. }), "{error}");
    drop(writer(dir.path()));
    assert_eq!(hash(&reader(dir.path())), before);
    drop(small(dir.path()));
    assert_eq!(reader(dir.path()).ledger("v1", Range::ALL, &[], 1, None).unwrap().items.len(), 5);
}
