//! Rows that are made of other rows, over all of their history at once: the gold tables.
//!
//! What comes in is written once and stays (bronze, silver). What is made of it has to be what one run over all of it makes, whichever
//! part came first. So the whole table of a market is written beside the lake, and then hour by hour it is compared with what is there: an
//! hour with the same rows stays as it is, to the byte; one that is missing is put in its place; one with other rows is replaced, and its
//! manifest says what it was made of. Hours that the new table does not have stay: what they were made of may be gone.
//!
//! ```text
//! <root>/_derived/…    the table as it is written, and hours that were replaced until they are gone; not in any layer
//! ```
//!
//! A replaced hour is moved away before the new one is put in its place: a reader may miss it for a moment, and never sees a part of it.

use super::catalogue::LakeHour;
use super::disk::{LakeDisk, RealDisk};
use super::folder::{COMPACT_LOCK, WRITER_LOCK, hours_of};
use super::manifest::{HourManifest, HourSource, OpenNote, is_closed};
use super::place::{LakeMarket, Layer, hour_folder};
use super::recover::hold;
use super::settings::LakeConfig;
use super::{LayerError, LayerResult};
use crate::file_lock::FileLock;
use barograph_domain::Ts;
use std::path::{Path, PathBuf};

/// Folder of what is being made, in the lake's.
const BESIDE: &str = "_derived";

/// What an hour was made of.
pub type SourcesOfHour<'a> = dyn FnMut(Ts) -> Vec<HourSource> + 'a;

/// A table of one market that is being made anew beside the lake. One process does that at a time, and none writes the table besides.
#[derive(Debug)]
pub struct DerivedTable {
    config: LakeConfig,
    table: String,
    market: LakeMarket,
    /// The market's folder of the table in the lake, and beside it.
    folder: PathBuf,
    beside: PathBuf,
    /// Let go when this is dropped.
    _lock: FileLock,
}

/// What became of the hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DerivedReport {
    /// Rows that there are more of.
    pub rows: u64,
    /// Hours that were not there.
    pub hours: u64,
    /// Closed hours that have other rows now.
    pub replaced: u64,
}

impl DerivedTable {
    /// Takes the table of a market.
    ///
    /// # Errors
    /// When another process writes it, a name cannot be part of a path, or the folder cannot be used.
    pub fn open(config: &LakeConfig, table: &str, market: &LakeMarket) -> LayerResult<Self> {
        let of = |root: &Path| market.folder(&root.join(Layer::Gold.word()).join(table));
        let root = config.root.join(BESIDE);
        let (folder, beside) = (of(&config.root)?, of(&root)?);
        RealDisk.make_folder(&folder).map_err(LayerError::io(&folder))?;
        let lock = hold(&folder.join(WRITER_LOCK))?;
        // What a run left that was killed.
        clear(&beside)?;
        let config = LakeConfig { root, ..config.clone() };
        Ok(Self { config, table: table.to_owned(), market: market.clone(), folder, beside, _lock: lock })
    }

    /// How the table is written: with the table's own writer, which is closed before [`Self::settle`].
    #[must_use]
    pub const fn config(&self) -> &LakeConfig {
        &self.config
    }

    /// Puts hours in their places.
    ///
    /// The first hour stays as it is where the lake has earlier rows: its beginning was made without what came before it.
    ///
    /// # Errors
    /// When another process compacts the market, or the disk refuses.
    pub fn settle(self, sources: &mut SourcesOfHour<'_>) -> LayerResult<DerivedReport> {
        let _compacting = hold(&self.folder.join(COMPACT_LOCK))?;
        let earliest = hours_of(&self.folder, Ts::MIN, Ts::MAX)?.first().map(|(hour, _)| *hour);
        let mut report = DerivedReport::default();
        let made = hours_of(&self.beside, Ts::MIN, Ts::MAX)?;
        let first = made.first().map(|(hour, _)| *hour);
        for (hour, folder) in made {
            let keeps_first = first == Some(hour) && earliest.is_some_and(|earliest| earliest < hour);
            self.settle_hour(hour, &folder, (keeps_first, sources), &mut report)?;
        }
        clear(&self.beside)?;
        // Those above may be in use by another market.
        for above in self.beside.ancestors().skip(1).take_while(|above| above.starts_with(&self.config.root)) {
            if std::fs::remove_dir(above).is_err() {
                break;
            }
        }
        Ok(report)
    }

    fn settle_hour(
        &self,
        hour: Ts,
        made: &Path,
        (keeps, sources): (bool, &mut SourcesOfHour<'_>),
        report: &mut DerivedReport,
    ) -> LayerResult<()> {
        let there = self.hour(hour, hour_folder(&self.folder, hour));
        let exists = there.folder.is_dir() && !there.files()?.is_empty();
        let new = self.hour(hour, made.to_owned());
        let (new_rows, closes) = (rows_of(&new)?, is_closed(made));
        let mut before = 0;
        if exists {
            let was_closed = is_closed(&there.folder);
            if keeps || (there.content_digest()? == new.content_digest()? && (was_closed || !closes)) {
                return Ok(());
            }
            before = rows_of(&there)?;
            report.replaced += u64::from(was_closed);
        } else {
            report.hours += 1;
        }
        report.rows += new_rows.saturating_sub(before);
        write_sources(made, sources(hour))?;
        self.put(made, &there.folder)
    }

    fn hour(&self, hour: Ts, folder: PathBuf) -> LakeHour {
        LakeHour { layer: Layer::Gold, table: self.table.clone(), market: self.market.clone(), hour, folder }
    }

    /// Puts a folder in the place of another.
    fn put(&self, made: &Path, place: &Path) -> LayerResult<()> {
        let mut disk = RealDisk;
        let above = place.parent().unwrap_or(&self.folder);
        disk.make_folder(above).map_err(LayerError::io(above))?;
        let gone = self.beside.join("replaced");
        if place.is_dir() {
            disk.rename(place, &gone).map_err(LayerError::io(place))?;
        }
        disk.rename(made, place).map_err(LayerError::io(place))?;
        disk.sync_folder(above).map_err(LayerError::io(above))?;
        clear(&gone)
    }
}

/// Rows of an hour, as it says itself.
fn rows_of(hour: &LakeHour) -> LayerResult<u64> {
    let said = hour.manifest()?.map_or_else(|| hour.so_far(), |manifest| Ok(Some(manifest)))?;
    Ok(said.map_or(0, |said| said.rows))
}

/// Writes what an hour was made of into what it says of itself.
fn write_sources(folder: &Path, made_of: Vec<HourSource>) -> LayerResult<()> {
    let mut disk = RealDisk;
    if let Some(manifest) = HourManifest::load(folder)? {
        return HourManifest { made_of, ..manifest }.store(&mut disk, folder);
    }
    let Some(mut note) = OpenNote::load(folder)? else { return Ok(()) };
    note.so_far = note.so_far.map(|so_far| HourManifest { made_of, ..so_far });
    note.store(&mut disk, folder)
}

fn clear(folder: &Path) -> LayerResult<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(LayerError::io(folder)(e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{GoldSignal, LakeQuery, SignalWriter, check, compact, hours};
    use barograph_domain::Span;

    const BEGIN: Ts = Ts::from_civil(2026, 5, 1, 10, 0, 0);

    /// Makes the table of these minutes, each with a number.
    fn make(root: &Path, rows: &[(i64, f64)]) -> DerivedReport {
        let market = LakeMarket::new("okx", "BTC-USDT");
        let table = DerivedTable::open(&LakeConfig::import(root), "signals", &market).unwrap();
        let (mut writer, _) = SignalWriter::open(table.config().clone(), market).unwrap();
        for (minute, value) in rows {
            let ts = BEGIN + Span::mins(*minute);
            writer.push(&GoldSignal { ts, known_ts: ts, signal: "atr", value: Some(*value), word: None }).unwrap();
        }
        writer.into_partition().close().unwrap();
        let source = |hour: Ts| HourSource { what: "minutes".to_owned(), hour: Some(hour), content_sha256: None };
        table.settle(&mut |hour| vec![source(hour)]).unwrap()
    }

    fn report(rows: u64, hours: u64, replaced: u64) -> DerivedReport {
        DerivedReport { rows, hours, replaced }
    }

    /// Every file of the lake but the locks, with its bytes.
    fn bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                found.extend(bytes(&path));
            } else if path.extension().is_none_or(|e| e != "lock") {
                found.push((path.clone(), std::fs::read(&path).unwrap()));
            }
        }
        found.sort();
        found
    }

    fn same(a: &Path, b: &Path) -> bool {
        let of = |root: &Path| -> Vec<(PathBuf, Vec<u8>)> {
            bytes(root).into_iter().map(|(path, bytes)| (path.strip_prefix(root).unwrap().to_owned(), bytes)).collect()
        };
        of(a) == of(b)
    }

    #[test]
    fn an_hour_that_is_the_same_stays_and_others_are_as_one_run_makes_them() {
        let (one, many) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let all: Vec<_> = (-130..130).map(|n| (n, (n * n) as f64)).collect();
        assert_eq!(make(one.path(), &all), report(260, 6, 0));
        // The newest first, whose beginning was made without what came before; then what is behind it; then what is older.
        let half: Vec<_> = (0..70).map(|n| (n, if n < 5 { -1.0 } else { (n * n) as f64 })).collect();
        assert_eq!(make(many.path(), &half), report(70, 2, 0));
        assert_eq!(make(many.path(), &half), report(0, 0, 0));
        let untouched = bytes(many.path());
        let more: Vec<_> = half.iter().copied().chain(all[200..].iter().copied()).collect();
        assert_eq!(make(many.path(), &more), report(60, 1, 0));
        assert!(
            untouched
                .iter()
                .filter(|(p, _)| p.to_string_lossy().contains("hour=10"))
                .all(|file| bytes(many.path()).contains(file))
        );
        assert_eq!(make(many.path(), &all), report(130, 3, 1), "the hour at ten has other rows");
        assert!(same(one.path(), many.path()));
        assert_eq!(check(many.path()).unwrap(), []);
        let hours = hours(many.path(), &LakeQuery::default()).unwrap();
        assert_eq!(hours[1].manifest().unwrap().unwrap().made_of[0].hour, Some(hours[1].hour));
        assert!(!many.path().join(BESIDE).exists());
        // One file of each hour, and the last one closed: the rows are the same, and so nothing is written.
        compact(&LakeConfig::import(many.path()), Some(BEGIN + Span::days(1))).unwrap();
        let closed = bytes(many.path());
        assert_eq!(make(many.path(), &all), report(0, 0, 0));
        assert_eq!(bytes(many.path()), closed);
    }

    #[test]
    fn what_its_rows_were_made_of_may_be_gone() {
        let root = tempfile::tempdir().unwrap();
        let all: Vec<_> = (0..130).map(|n| (n, n as f64)).collect();
        make(root.path(), &all);
        let before = bytes(root.path());
        // The first of those that are left is not what it was.
        let mut left = all[70..].to_vec();
        left[0].1 = -1.0;
        assert_eq!(make(root.path(), &left), report(0, 0, 0));
        assert_eq!(bytes(root.path()), before);
    }

    #[test]
    fn a_killed_run_leaves_what_was_there() {
        let root = tempfile::tempdir().unwrap();
        let all: Vec<_> = (0..130).map(|n| (n, n as f64)).collect();
        make(root.path(), &all[..70]);
        let market = LakeMarket::new("okx", "BTC-USDT");
        let killed = DerivedTable::open(&LakeConfig::import(root.path()), "signals", &market).unwrap();
        let (mut writer, _) = SignalWriter::open(killed.config().clone(), market.clone()).unwrap();
        writer.push(&GoldSignal { ts: BEGIN, known_ts: BEGIN, signal: "atr", value: Some(9.0), word: None }).unwrap();
        writer.partition().flush().unwrap();
        let held = DerivedTable::open(&LakeConfig::import(root.path()), "signals", &market).unwrap_err().to_string();
        assert!(held.contains(&format!("process {}", std::process::id())), "{held}");
        drop((writer, killed));
        assert_eq!(make(root.path(), &all), report(60, 1, 0));
        assert_eq!(check(root.path()).unwrap(), []);
    }
}
