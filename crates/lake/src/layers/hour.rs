//! An hour that is being written: its parts so far and what its manifest will say.

use super::digest::RowsDigest;
use super::disk::LakeDisk;
use super::folder::{files_of, number_of, part_name};
use super::manifest::{HourGap, HourManifest, NOTE, OpenNote, PartEntry, SCHEMA_VERSION};
use super::order::RowOrder;
use super::place::LakeMarket;
use super::reader::PartReader;
use super::schema::LakeTable;
use super::{LayerError, LayerResult, buffer::RowBuffer};
use barograph_domain::{Span, Ts};
use std::path::{Path, PathBuf};

/// An hour between its first row and its manifest.
#[derive(Debug)]
pub(super) struct OpenHour {
    pub(super) folder: PathBuf,
    pub(super) begin: Ts,
    pub(super) end: Ts,
    pub(super) rows: u64,
    pub(super) first_ts: Option<Ts>,
    pub(super) last_ts: Option<Ts>,
    /// First and last `known_ts` of the rows that an earlier writer left; `ts` in tables that are in its order.
    pub(super) left: Option<(Ts, Ts)>,
    /// It is as an earlier writer left it: this one has added nothing.
    pub(super) untouched: bool,
    pub(super) order: RowOrder,
    pub(super) parts: Vec<PartEntry>,
    pub(super) digest: RowsDigest,
    gaps: Vec<HourGap>,
    /// Is what stands in the note what is so?
    noted: bool,
    /// Is the note there, and does it say that the writer runs?
    running: bool,
}

impl OpenHour {
    /// Begins an hour; nothing is on disk yet.
    pub(super) fn new(folder: PathBuf, begin: Ts, table: &LakeTable) -> Self {
        Self {
            folder,
            begin,
            end: begin + Span::hours(1),
            rows: 0,
            first_ts: None,
            last_ts: None,
            left: None,
            untouched: false,
            order: RowOrder::of(table),
            parts: Vec::new(),
            digest: RowsDigest::new(table.columns()),
            gaps: Vec::new(),
            noted: false,
            running: false,
        }
    }

    /// An hour that an earlier writer left open, read as far as it was flushed. Files under temporary names are taken away; they are
    /// given back. The last answer is whether rows may be missing behind the last part.
    pub(super) fn resume(
        disk: &mut dyn LakeDisk,
        folder: &Path,
        begin: Ts,
        table: &LakeTable,
    ) -> LayerResult<(Self, Vec<PathBuf>, bool)> {
        let (hour, partial, torn) = Self::read(folder, begin, table)?;
        for path in &partial {
            disk.remove(path).map_err(LayerError::io(path))?;
        }
        Ok((hour, partial, torn))
    }

    /// The same, and nothing is taken away.
    pub(super) fn read(folder: &Path, begin: Ts, table: &LakeTable) -> LayerResult<(Self, Vec<PathBuf>, bool)> {
        let mut hour = Self::new(folder.to_path_buf(), begin, table);
        let note = OpenNote::load(folder)?;
        let (parts, partial) = files_of(folder)?;
        let partial: Vec<PathBuf> = partial.iter().map(|name| folder.join(name)).collect();
        for name in parts {
            hour.take_in(&name, table)?;
        }
        hour.untouched = true;
        let in_order = note.as_ref().is_some_and(|n| n.stopped_in_order);
        hour.gaps = note.map_or_else(Vec::new, |n| n.gaps);
        Ok((hour, partial, !in_order))
    }

    fn take_in(&mut self, name: &str, table: &LakeTable) -> LayerResult<()> {
        let path = self.folder.join(name);
        let mut part = PartReader::open(&path, None)?;
        if part.columns() != table.columns() {
            let what = "the open hour has other columns than the table that is to be written; close it first with: barograph lake compact --close";
            return Err(LayerError::Misuse(format!("'{}': {what}", path.display())));
        }
        let mut buffer = RowBuffer::new(table.columns(), 0);
        while let Some(batch) = part.next()? {
            buffer.clear();
            buffer.extend(&batch, 0..batch.num_rows()).map_err(|e| LayerError::damaged(&path, e))?;
            self.digest.update(&buffer);
            self.order.skip_to_end(&buffer);
            buffer.moments().iter().for_each(|ts| self.count(Ts(*ts)));
            let stamps = if table.place_of("sequence").is_some() { buffer.known_moments() } else { buffer.moments() };
            for known in stamps.iter().map(|ts| Ts(*ts)) {
                self.left = Some(self.left.map_or((known, known), |(first, last)| (first.min(known), last.max(known))));
            }
        }
        let bytes = path.metadata().map_err(LayerError::io(&path))?.len();
        self.parts.push(PartEntry { name: name.to_owned(), rows: part.rows(), bytes });
        Ok(())
    }

    /// Counts a row.
    #[inline]
    pub(super) fn count(&mut self, ts: Ts) {
        self.rows += 1;
        self.first_ts = Some(self.first_ts.map_or(ts, |first| first.min(ts)));
        self.last_ts = Some(self.last_ts.map_or(ts, |last| last.max(ts)));
    }

    pub(super) fn gap(&mut self, gap: HourGap) {
        if self.gaps.last() != Some(&gap) {
            self.gaps.push(gap);
            self.noted = false;
        }
    }

    /// Name of the next part: the first row's moment, or one more than the part before where event time stands still or steps back.
    pub(super) fn next_name(&self, first: Ts) -> String {
        let before = self.parts.last().and_then(|p| number_of(&p.name));
        part_name(before.map_or(first.0, |before| first.0.max(before.saturating_add(1))))
    }

    /// Makes sure that the folder is there and says that its writer runs, before the first row is taken.
    pub(super) fn run(&mut self, disk: &mut dyn LakeDisk) -> LayerResult<()> {
        self.untouched = false;
        if self.running {
            return Ok(());
        }
        disk.make_folder(&self.folder).map_err(LayerError::io(&self.folder))?;
        self.running = true;
        self.note(disk, None)
    }

    /// Puts gaps that are new into the note.
    pub(super) fn note_gaps(&mut self, disk: &mut dyn LakeDisk) -> LayerResult<()> {
        if self.noted { Ok(()) } else { self.note(disk, None) }
    }

    /// Says that everything is flushed and the writer stops.
    pub(super) fn stop(&mut self, disk: &mut dyn LakeDisk, table: &LakeTable, market: &LakeMarket) -> LayerResult<()> {
        let so_far = self.manifest(table, market);
        self.note(disk, Some(so_far))
    }

    fn note(&mut self, disk: &mut dyn LakeDisk, so_far: Option<HourManifest>) -> LayerResult<()> {
        let (stopped_in_order, gaps) = (so_far.is_some(), self.gaps.clone());
        let note = OpenNote { schema_version: SCHEMA_VERSION, stopped_in_order, gaps, so_far };
        note.store(disk, &self.folder)?;
        self.noted = true;
        Ok(())
    }

    fn manifest(&self, table: &LakeTable, market: &LakeMarket) -> HourManifest {
        HourManifest {
            schema_version: SCHEMA_VERSION,
            layer: table.layer(),
            table: table.name().to_owned(),
            exchange: market.exchange.clone(),
            symbol: market.symbol.clone(),
            timeframe: market.timeframe.clone(),
            hour: self.begin,
            rows: self.rows,
            first_ts: self.first_ts,
            last_ts: self.last_ts,
            gaps: self.gaps.clone(),
            content_sha256: self.digest.hex(),
            made_of: Vec::new(),
            files: self.parts.clone(),
        }
    }

    /// Writes the manifest: from then on no row of the hour changes. Every row is in a part.
    pub(super) fn close(
        self,
        disk: &mut dyn LakeDisk,
        table: &LakeTable,
        market: &LakeMarket,
    ) -> LayerResult<HourManifest> {
        let manifest = self.manifest(table, market);
        manifest.store(disk, &self.folder)?;
        let note = self.folder.join(NOTE);
        match disk.remove(&note) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(LayerError::io(&note)(e)),
            _ => Ok(manifest),
        }
    }
}
