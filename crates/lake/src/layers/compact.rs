//! Many parts of a closed hour become one file with the same rows.
//!
//! The order of steps decides what a crash leaves: the file is written and synced under its temporary name, read back and digested; it
//! takes its place; the manifest names it alone; the parts go. A file that the manifest does not name does not count, so whatever is left
//! over after any step is taken away by the next compaction.

use super::buffer::RowBuffer;
use super::catalogue::{LakeHour, LakeQuery, markets};
use super::digest::RowsDigest;
use super::disk::{LakeDisk, RealDisk, partial, settle};
use super::encode::{FileForm, GROUP_ROWS, ParquetFile};
use super::folder::{COMPACT_LOCK, WRITER_LOCK, files_of, number_of};
use super::manifest::{NOTE, PartEntry, is_closed};
use super::reader::PartReader;
use super::recover::{close_abandoned, hold};
use super::schema::LakeTable;
use super::settings::LakeConfig;
use super::{HourManifest, LayerError, LayerResult};
use barograph_domain::{Span, Ts};
use std::path::{Path, PathBuf};

/// What a compaction did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CompactionReport {
    /// Hours that had several files and have one now.
    pub hours: u64,
    /// Files that went.
    pub files_removed: u64,
    /// Bytes of the files before.
    pub bytes_before: u64,
    /// Bytes of the files that took their place.
    pub bytes_after: u64,
    /// Hours that had no writer any more and were closed.
    pub closed: u64,
    /// Folders that were left as they are, and why.
    pub left: Vec<(PathBuf, String)>,
}

/// Makes one file of each closed hour. Hours that ended before `close_before` and have no writer are closed first; with `None` they
/// are left open. Markets may have a running writer: it does not touch closed hours.
///
/// # Errors
/// When a folder cannot be read. What concerns one market or hour is in the report, and the others go on.
pub fn compact(config: &LakeConfig, close_before: Option<Ts>) -> LayerResult<CompactionReport> {
    let mut report = CompactionReport::default();
    let mut disk = RealDisk;
    for market in markets(&config.root, &LakeQuery::default())? {
        let hours = market.hours(Ts::MIN, Ts::MAX)?;
        for hour in &hours {
            let over = close_before.is_some_and(|before| hour.hour + Span::hours(1) <= before);
            if over && !is_closed(&hour.folder) {
                match close_left(&mut disk, &market.folder, hour) {
                    Ok(closed) => report.closed += u64::from(closed),
                    Err(e) => report.left.push((hour.folder.clone(), e.with_cause())),
                }
            }
        }
        for hour in hours.iter().filter(|hour| is_closed(&hour.folder)) {
            match compact_hour(&mut disk, &hour.folder, &market.folder, config) {
                Ok(done) => report.add(&done),
                Err(e) => report.left.push((hour.folder.clone(), e.with_cause())),
            }
        }
    }
    Ok(report)
}

/// Closes an hour that has no writer; false where its writer has closed it since it was looked at: it stays as it is then.
fn close_left(disk: &mut dyn LakeDisk, market: &Path, hour: &LakeHour) -> LayerResult<bool> {
    let _lock = hold(&market.join(WRITER_LOCK))?;
    if is_closed(&hour.folder) {
        return Ok(false);
    }
    let table = LakeTable::found(hour.layer, &hour.table, &columns_in(&hour.folder)?);
    close_abandoned(disk, &hour.folder, hour.hour, &table, &hour.market).map(|()| true)
}

impl CompactionReport {
    fn add(&mut self, hour: &Compacted) {
        self.files_removed += hour.removed;
        if let Some((before, after)) = hour.bytes {
            self.hours += 1;
            self.bytes_before += before;
            self.bytes_after += after;
        }
    }
}

/// Columns of the first part of an hour; none where there is no part: such an hour has no rows either.
fn columns_in(hour: &Path) -> LayerResult<Vec<super::LakeColumn>> {
    match files_of(hour)?.0.first() {
        Some(name) => Ok(PartReader::open(&hour.join(name), None)?.columns().to_vec()),
        None => Ok(Vec::new()),
    }
}

/// What was done with an hour.
#[derive(Debug, Default)]
pub(super) struct Compacted {
    removed: u64,
    bytes: Option<(u64, u64)>,
}

/// Makes one file of a closed hour, and takes away what does not count.
pub(super) fn compact_hour(
    disk: &mut dyn LakeDisk,
    folder: &Path,
    market: &Path,
    config: &LakeConfig,
) -> LayerResult<Compacted> {
    let _lock = hold(&market.join(COMPACT_LOCK))?;
    let Some(mut manifest) = HourManifest::load(folder)? else { return Ok(Compacted::default()) };
    let mut done = Compacted { removed: clean(disk, folder, &manifest)?, bytes: None };
    if manifest.files.len() <= 1 {
        return Ok(done);
    }
    let number = manifest.files.first().and_then(|f| number_of(&f.name)).unwrap_or_default();
    let name = format!("hour-{number:019}.parquet");
    let path = folder.join(&name);
    if let Err(e) = merge(disk, folder, &manifest, &path, config) {
        // The parts are as they were; what was begun is of no use to anybody.
        drop(disk.remove(&partial(&path)));
        return Err(e);
    }
    settle(disk, &path)?;
    let bytes = path.metadata().map_err(LayerError::io(&path))?.len();
    let before: u64 = manifest.files.iter().map(|f| f.bytes).sum();
    manifest.files = vec![PartEntry { name, rows: manifest.rows, bytes }];
    manifest.store(disk, folder)?;
    done.removed += clean(disk, folder, &manifest)?;
    done.bytes = Some((before, bytes));
    Ok(done)
}

/// Takes away files that the manifest does not name.
fn clean(disk: &mut dyn LakeDisk, folder: &Path, manifest: &HourManifest) -> LayerResult<u64> {
    let (files, partial) = files_of(folder)?;
    let counts = |name: &String| manifest.files.iter().any(|f| f.name == *name);
    let note = Some(NOTE.to_owned()).filter(|note| folder.join(note).exists());
    let mut removed = 0;
    for name in files.into_iter().filter(|name| !counts(name)).chain(partial).chain(note) {
        let path = folder.join(name);
        disk.remove(&path).map_err(LayerError::io(&path))?;
        removed += 1;
    }
    if removed > 0 {
        disk.sync_folder(folder).map_err(LayerError::io(folder))?;
    }
    Ok(removed)
}

/// Writes the rows of all files into one, under its temporary name, and reads it back.
fn merge(
    disk: &mut dyn LakeDisk,
    folder: &Path,
    manifest: &HourManifest,
    path: &Path,
    config: &LakeConfig,
) -> LayerResult<()> {
    let failed = |e: parquet::errors::ParquetError| LayerError::io(path)(e.into());
    let columns = PartReader::open(&folder.join(&manifest.files[0].name), None)?.columns().to_vec();
    let form = FileForm::new(&columns, config).map_err(LayerError::Misuse)?;
    let temporary = partial(path);
    let file = disk.create(&temporary).map_err(LayerError::io(&temporary))?;
    let mut out = ParquetFile::begin(&form, file).map_err(failed)?;
    let mut buffer = RowBuffer::new(&columns, 0);
    for entry in &manifest.files {
        let part = folder.join(&entry.name);
        let mut rows = PartReader::open(&part, None)?;
        while let Some(batch) = rows.next()? {
            let mut from = 0;
            while from < batch.num_rows() {
                let until = batch.num_rows().min(from + GROUP_ROWS - buffer.rows);
                buffer.extend(&batch, from..until).map_err(|e| LayerError::damaged(&part, e))?;
                from = until;
                if buffer.rows == GROUP_ROWS {
                    out.write(&buffer).map_err(failed)?;
                    buffer.clear();
                }
            }
        }
    }
    if buffer.rows > 0 {
        out.write(&buffer).map_err(failed)?;
    }
    let mut file = out.finish().map_err(failed)?;
    file.sync().map_err(LayerError::io(&temporary))?;
    drop(file);
    let digest = digest_of(std::slice::from_ref(&temporary))?;
    if digest == manifest.content_sha256 {
        return Ok(());
    }
    let said = &manifest.content_sha256;
    Err(LayerError::damaged(
        folder,
        format!("its rows have digest {digest} and its manifest says {said}; left as it is"),
    ))
}

/// The digest of the rows of files, which follow each other; of none, that of a table without columns.
pub(super) fn digest_of(files: &[PathBuf]) -> LayerResult<String> {
    let mut digest: Option<RowsDigest> = None;
    for path in files {
        let mut rows = PartReader::open(path, None)?;
        let columns = rows.columns().to_vec();
        let mut buffer = RowBuffer::new(&columns, 0);
        while let Some(batch) = rows.next()? {
            buffer.clear();
            buffer.extend(&batch, 0..batch.num_rows()).map_err(|e| LayerError::damaged(path, e))?;
            digest.get_or_insert_with(|| RowsDigest::new(&columns)).update(&buffer);
        }
    }
    Ok(digest.unwrap_or_else(|| RowsDigest::new(&[])).hex())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{GoldSignal, LakeMarket, SignalWriter, hours};

    #[test]
    fn an_hour_that_its_writer_closes_meanwhile_is_not_closed_again() {
        let root = tempfile::tempdir().unwrap();
        let (mut writer, _) =
            SignalWriter::open(LakeConfig::import(root.path()), LakeMarket::new("okx", "BTC-USDT")).unwrap();
        let ts = Ts::from_civil(2026, 5, 1, 10, 0, 0);
        writer.push(&GoldSignal { ts, known_ts: ts, signal: "atr", value: Some(1.0), word: None }).unwrap();
        writer.partition().flush().unwrap();
        let seen = hours(root.path(), &LakeQuery::default()).unwrap();
        let market = seen[0].folder.ancestors().nth(4).unwrap();
        let held = close_left(&mut RealDisk, market, &seen[0]).unwrap_err().to_string();
        assert!(held.contains(&std::process::id().to_string()), "{held}");
        writer.into_partition().finish().unwrap();
        let closed = seen[0].manifest().unwrap();
        assert!(!close_left(&mut RealDisk, market, &seen[0]).unwrap());
        assert_eq!(seen[0].manifest().unwrap(), closed);
    }
}
