//! `kill -9` at random moments of an import; running it again ends where an undisturbed import ends.
//!
//! The import is that of the application in small: points in batches, then the engine for whatever is dirty, from the
//! last checkpoint before the first change, then the rows in one replacement, then the record of the import. The engine
//! is a toy, but like the real one it reads only stored points, has memory, and saves it.

use crate::common::{child, child_folder, reader, writer};
use barograph_domain::row::HeldCount;
use barograph_domain::time::LATENESS;
use barograph_domain::{AxisState, Cell, Event, Kind, MinuteRow, Payload, Reason, RiskRegime, Span, StreamDecl, Ts};
use barograph_store::run::{GRID, row_of};
use barograph_store::suite::{hash, sample};
use barograph_store::{Checkpoint, Dirty, ImportRecord, Inserted, Reader, SqliteReader, SqliteWriter, Writer};
use sample::{FEATURES, Random};
use std::path::Path;
use std::time::{Duration, Instant};

const MINUTES: i64 = 4 * 1440;
const BATCH: usize = 1500;
const KILLS: u64 = 12;
const FILES: usize = 3;

/// Remembers a price and how often it rose.
#[derive(Clone, Copy, Default)]
struct Toy {
    price: f64,
    rises: u32,
}

impl Toy {
    fn step(&mut self, event: &Event) {
        if let Payload::Value(v) = event.payload {
            self.rises += u32::from(v > self.price);
            self.price = v;
        }
    }

    fn row(&self, ts: Ts) -> MinuteRow {
        let mut risk = AxisState::default();
        if self.rises % 50 > 25 {
            risk.label = RiskRegime::Normal;
        }
        let value = |at: usize| self.price * f64::from(u32::try_from(at).unwrap_or(0) + 1).sqrt();
        let cell = |at| match at {
            0 => Cell::undefined(Reason::NotOffered),
            _ => Cell::ready_at(value(at), ts, Kind::Measured),
        };
        MinuteRow {
            cells: (0..FEATURES).map(cell).collect(),
            cuts: vec![None; 4],
            risk,
            held: vec![HeldCount { held: self.rises, known: 0 }; 3],
            price: Some(self.price),
            ..MinuteRow::bare(ts)
        }
    }

    fn save(&self) -> Vec<u8> {
        self.price.to_le_bytes().into_iter().chain(self.rises.to_le_bytes()).collect()
    }

    fn restore(bytes: &[u8]) -> Self {
        let price = f64::from_le_bytes(bytes[..8].try_into().unwrap());
        Self { price, rises: u32::from_le_bytes(bytes[8..].try_into().unwrap()) }
    }
}

/// Runs the engine for one instrument and replaces its rows.
fn rerun(writer: &mut SqliteWriter, reader: &SqliteReader, streams: &[StreamDecl], dirty: &Dirty) {
    let own: Vec<StreamDecl> = streams.iter().filter(|s| s.instrument == dirty.instrument).cloned().collect();
    let instrument = sample::instrument(&dirty.instrument.symbol);
    let spec = sample::spec(&instrument, &own);
    let checkpoint = dirty.last_good_row().and_then(|ts| reader.checkpoint(&spec.key, ts).unwrap());
    let mut toy = checkpoint.as_ref().map_or_else(Toy::default, |c| Toy::restore(&c.bytes));
    let after = checkpoint.as_ref().map(Checkpoint::knows_until);
    let from = checkpoint.as_ref().map(Checkpoint::next_row);
    let mut events = reader.events(&own, after, None).unwrap().map(|e| e.unwrap()).peekable();
    let mut run = writer.replace(&spec, from, dirty.version).unwrap();
    let mut ts = from.unwrap_or_else(|| row_of(events.peek().unwrap().recv_ts));
    while events.peek().is_some() {
        while let Some(event) = events.next_if(|e| e.recv_ts <= ts + LATENESS) {
            toy.step(&event);
        }
        run.row(&toy.row(ts)).unwrap();
        if ts.floor(Span::hours(6)) == ts {
            run.checkpoint(ts, &toy.save()).unwrap();
        }
        ts = ts + GRID;
    }
    run.finish().unwrap();
}

/// All of it, as often as needed.
fn import(folder: &Path) {
    let instruments: Vec<_> = ["BTCUSDT", "ETHUSDT"].map(sample::instrument).to_vec();
    let streams = sample::streams(&instruments);
    let mut events = sample::events(&streams, MINUTES, 5);
    // Three files, each with a part of everything.
    Random::new(1).shuffle(&mut events);
    let mut writer = writer(folder);
    let reader = reader(folder);
    for file in events.chunks(events.len() / FILES + 1) {
        let mut total = Inserted::default();
        for batch in file.chunks(BATCH) {
            total.new += writer.insert_points(&instruments, &streams, batch).unwrap().new;
        }
        for dirty in reader.dirty(&sample::spec(&instruments[0], &[]).key.logic_version).unwrap() {
            rerun(&mut writer, &reader, &streams, &dirty);
        }
        let record = ImportRecord {
            started: Ts(0),
            finished: Ts(1),
            release: String::new(),
            source: "file".to_owned(),
            inserted: total,
            rejected: 0,
            detail: String::new(),
        };
        writer.record_import(&record).unwrap();
    }
}

#[test]
fn child_imports() {
    if let Some(folder) = child_folder() {
        import(&folder);
    }
}

#[test]
fn killed_imports_end_where_undisturbed_ones_end() {
    let (calm, rough) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let begun = Instant::now();
    assert!(child("kill::child_imports", calm.path()).status().unwrap().success());
    let whole = begun.elapsed();
    let want = hash(&reader(calm.path()));
    let mut random = Random::new(20_261_120);
    let mut killed = 0;
    for _ in 0..KILLS {
        let mut importing = child("kill::child_imports", rough.path()).spawn().unwrap();
        let share = f64::from(u32::try_from(random.below(1000)).unwrap()) / 1000.0;
        std::thread::sleep(whole.mul_f64(share).max(Duration::from_millis(5)));
        importing.kill().unwrap();
        killed += u32::from(!importing.wait().unwrap().success());
        match SqliteReader::open(rough.path()) {
            // Whatever is there is sound: old or new, never half.
            Ok(reader) => drop(hash(&reader)),
            Err(barograph_store::Error::Missing { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert!(killed >= 6, "only {killed} of {KILLS} were killed in time");
    assert!(child("kill::child_imports", rough.path()).status().unwrap().success());
    let reader = reader(rough.path());
    assert_eq!(hash(&reader), want);
    assert_eq!(reader.dirty(&sample::spec(&sample::instrument("BTCUSDT"), &[]).key.logic_version).unwrap(), []);
}

#[test]
fn a_kill_between_points_and_rows_is_repaired() {
    let (calm, rough) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    import(calm.path());
    import(rough.path());
    // New points, and then the process ended.
    let instruments: Vec<_> = ["BTCUSDT", "ETHUSDT"].map(sample::instrument).to_vec();
    let streams = sample::streams(&instruments);
    let late = sample::events(&streams, MINUTES + 300, 5);
    for folder in [calm.path(), rough.path()] {
        writer(folder).insert_points(&instruments, &streams, &late).unwrap();
    }
    let dirty = reader(rough.path()).dirty("v0.1.0+0123456789ab").unwrap();
    assert_eq!(dirty.len(), 2);
    assert!(dirty.iter().all(|d| d.since.is_some_and(|t| t > sample::START + Span::mins(MINUTES))));
    // One store is repaired by the next import, the other by hand from the beginning.
    import(rough.path());
    let mut w = writer(calm.path());
    let r = reader(calm.path());
    for d in r.dirty("v0.1.0+0123456789ab").unwrap() {
        rerun(&mut w, &r, &streams, &Dirty { since: None, ..d });
    }
    assert_eq!(hash(&r), hash(&reader(rough.path())));
}
