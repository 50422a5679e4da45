//! Crashes after every byte that is written and every step between: what is lost, and is it said?
//!
//! The disk here counts bytes and steps down and then refuses everything, as it looks to a process that is killed: part of a write may be
//! done, nothing after it is. A power failure also takes what was not synced: content of files, and renames of which the folder was not
//! synced.

use super::disk::{LakeDisk, LakeFile, RealDisk};
use super::manifest::UNFLUSHED;
use super::rows::{TradeWriter, WideTrade};
use super::writer::PartitionWriter;
use super::{CompactionReport, LakeConfig, LakeMarket, LakeQuery, LakeReader, LakeTable, LayerResult};
use super::{check, compact, hours};
use barograph_domain::{Span, Ts};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

/// What a disk knows that ends.
#[derive(Debug, Default)]
struct State {
    /// Bytes and steps until the end.
    left: u64,
    /// Files with content that is not synced.
    unsynced: BTreeSet<PathBuf>,
    /// Renames whose folder is not synced, and what was in their place.
    renames: Vec<(PathBuf, PathBuf, Option<Vec<u8>>)>,
}

impl State {
    fn step(&mut self) -> io::Result<()> {
        self.left = self.left.checked_sub(1).ok_or_else(ended)?;
        Ok(())
    }

    /// Takes away what a power failure takes.
    fn cut_power(&mut self) {
        for (from, to, before) in self.renames.drain(..).rev() {
            // What was taken away since cannot be put back by a rename.
            if std::fs::rename(&to, &from).is_ok()
                && let Some(before) = before
            {
                std::fs::write(&to, before).unwrap();
            }
        }
        for path in std::mem::take(&mut self.unsynced) {
            if path.exists() {
                std::fs::write(path, b"").unwrap();
            }
        }
    }
}

fn ended() -> io::Error {
    io::Error::other("the process was killed")
}

#[derive(Clone, Debug)]
struct MortalDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct MortalFile {
    disk: MortalDisk,
    path: PathBuf,
    file: std::fs::File,
}

impl MortalDisk {
    fn new(left: u64) -> Self {
        Self(Arc::new(Mutex::new(State { left, ..State::default() })))
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        f(&mut self.0.lock().unwrap())
    }
}

impl LakeDisk for MortalDisk {
    fn make_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.with(State::step)?;
        std::fs::create_dir_all(folder)
    }

    fn create(&mut self, path: &Path) -> io::Result<Box<dyn LakeFile>> {
        self.with(State::step)?;
        Ok(Box::new(MortalFile { disk: self.clone(), path: path.to_owned(), file: std::fs::File::create(path)? }))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.with(|state| {
            state.step()?;
            state.renames.push((from.to_owned(), to.to_owned(), std::fs::read(to).ok()));
            if state.unsynced.remove(from) {
                state.unsynced.insert(to.to_owned());
            }
            std::fs::rename(from, to)
        })
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.with(State::step)?;
        RealDisk.remove(path)
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.with(|state| {
            state.step()?;
            state.renames.retain(|(_, to, _)| to.parent() != Some(folder));
            Ok(())
        })
    }
}

impl Write for MortalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let path = self.path.clone();
        let n = self.disk.with(|state| {
            state.unsynced.insert(path);
            let n = bytes.len().min(usize::try_from(state.left).unwrap_or(usize::MAX));
            state.left -= n as u64;
            Ok(n)
        })?;
        self.file.write_all(&bytes[..n])?;
        if n == 0 { Err(ended()) } else { Ok(n) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl LakeFile for MortalFile {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.with(|state| {
            state.step()?;
            state.unsynced.remove(&self.path);
            Ok(())
        })
    }
}

/// 1.2 seconds before the end of an hour.
const BEGIN: Ts = Ts(Ts::from_civil(2024, 8, 8, 13, 59, 58).0 + 800_000_000);
const ROWS: u64 = 14;

/// Bytes and steps between two crashes that are tried. `LAKE_CRASH_STEP=1` tries all of them, which takes minutes.
static STEP: LazyLock<usize> = LazyLock::new(|| {
    let asked = std::env::var("LAKE_CRASH_STEP").ok().and_then(|step| step.parse().ok());
    asked.unwrap_or(67)
});

fn trade(i: u64) -> WideTrade {
    let ts = BEGIN + Span::millis(150).times(i64::try_from(i).unwrap());
    WideTrade { ts, known_ts: ts, sequence: i, price: 1.0 + i as f64, size: 2.0, is_buy: true, gap: None }
}

fn open(root: &Path, disk: MortalDisk) -> LayerResult<TradeWriter> {
    let config = LakeConfig { flush_every: Span::millis(450), ..LakeConfig::live(root) };
    let market = LakeMarket::new("x", "y");
    let (partition, _) = PartitionWriter::open_on(config, LakeTable::trades(), market, Box::new(disk))?;
    Ok(TradeWriter::on(partition))
}

/// Writes rows until the end of the disk: how many were taken.
fn write(root: &Path, disk: MortalDisk) -> u64 {
    let mut taken = 0;
    let run = || -> LayerResult<()> {
        let mut writer = open(root, disk)?;
        for i in 0..ROWS {
            writer.push(&trade(i))?;
            taken = i + 1;
        }
        writer.into_partition().finish().map(drop)
    };
    // Killed or not: what is on disk counts.
    drop(run());
    taken
}

fn sequences(root: &Path) -> Vec<u64> {
    let hours = hours(root, &LakeQuery::default()).unwrap();
    let batches = LakeReader::new(hours, None).map(Result::unwrap);
    batches.flat_map(|b| (0..b.rows()).map(|r| b.count("sequence", r).unwrap()).collect::<Vec<_>>()).collect()
}

/// Kills a writer and looks at what the next one makes of it.
fn crash(left: u64, power: bool) {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let disk = MortalDisk::new(left);
    let taken = write(root, disk.clone());
    if power {
        disk.0.lock().unwrap().cut_power();
    }
    let case = format!("after {left} bytes and steps, power {power}");

    let mut writer = open(root, MortalDisk::new(u64::MAX)).unwrap();
    let kept = sequences(root);
    assert_eq!(kept, (0..kept.len() as u64).collect::<Vec<_>>(), "{case}");
    let lost = taken.saturating_sub(kept.len() as u64);
    assert!(lost <= 3, "{lost} rows of 150 ms lost {case}: more than 450 ms");
    // Of an hour that nobody has closed, whatever the first writer came to.
    let next = WideTrade { ts: BEGIN + Span::hours(2), known_ts: BEGIN + Span::hours(2), ..trade(30) };
    writer.push(&next).unwrap();
    writer.into_partition().finish().unwrap();
    compact(&LakeConfig::live(root), None).unwrap();

    assert_eq!(check(root).unwrap(), [], "{case}");
    assert_eq!(sequences(root), [kept.clone(), vec![30]].concat(), "{case}");
    let all = hours(root, &LakeQuery::default()).unwrap();
    let gaps: Vec<_> = all.iter().flat_map(|h| h.manifest().unwrap().unwrap().gaps).collect();
    for i in kept.len() as u64..taken {
        let ts = trade(i).ts;
        let said = gaps.iter().any(|g| g.reason == UNFLUSHED && g.from <= ts && ts <= g.until);
        assert!(said, "row {i} is lost and no gap says so {case}: {gaps:?}");
    }
    assert!(all.iter().all(|h| h.files().unwrap().len() <= 1), "{case}");
}

/// Bytes and steps of a writer that is not killed.
fn whole() -> u64 {
    let root = tempfile::tempdir().unwrap();
    let disk = MortalDisk::new(u64::MAX);
    assert_eq!(write(root.path(), disk.clone()), ROWS);
    assert_eq!(sequences(root.path()).len() as u64, ROWS);
    let left = disk.0.lock().unwrap().left;
    u64::MAX - left
}

#[test]
fn a_killed_writer_loses_at_most_what_was_not_flushed_and_says_so() {
    // A prime: over releases that move them, all places of all files are met.
    (0..whole()).step_by(*STEP).for_each(|left| crash(left, false));
}

#[test]
fn a_power_failure_loses_no_more() {
    (3..whole()).step_by(*STEP).for_each(|left| crash(left, true));
}

/// Compaction is killed at any byte: the rows are there, once, whatever it has left.
#[test]
fn a_killed_compaction_changes_no_row() {
    let config = |root: &Path| LakeConfig { compact_on_close: false, ..LakeConfig::live(root) };
    let mut left = 0;
    loop {
        let root = tempfile::tempdir().unwrap();
        let disk = MortalDisk::new(u64::MAX);
        let form = LakeConfig { flush_every: Span::millis(450), ..config(root.path()) };
        let partition = PartitionWriter::open_on(form, LakeTable::trades(), LakeMarket::new("x", "y"), Box::new(disk));
        let mut writer = TradeWriter::on(partition.unwrap().0);
        (0..ROWS).for_each(|i| writer.push(&trade(i)).unwrap());
        writer.into_partition().finish().unwrap();
        let hour = &hours(root.path(), &LakeQuery::default()).unwrap()[0];
        let below = hour.folder.ancestors().nth(4).unwrap();
        let mut disk = MortalDisk::new(left);
        let done = super::compact::compact_hour(&mut disk, &hour.folder, below, &config(root.path())).is_ok();
        disk.0.lock().unwrap().cut_power();
        assert_eq!(sequences(root.path()), (0..ROWS).collect::<Vec<_>>(), "after {left}");
        let CompactionReport { left: refused, .. } = compact(&config(root.path()), None).unwrap();
        assert_eq!(refused, []);
        assert_eq!(check(root.path()).unwrap(), [], "after {left}");
        assert_eq!(sequences(root.path()), (0..ROWS).collect::<Vec<_>>(), "after {left}");
        if done {
            break;
        }
        left += 97;
    }
}
