//! The writing side: rows of one market's table, in order, hour by hour.

use super::buffer::RowBuffer;
use super::compact::compact_hour;
use super::disk::{LakeDisk, RealDisk, partial, settle};
use super::encode::{FileForm, GROUP_ROWS, ParquetFile};
use super::folder::WRITER_LOCK;
use super::hour::OpenHour;
use super::manifest::{HourGap, PartEntry};
use super::place::{LakeMarket, hour_of};
use super::recover::{LeftBehind, hold, loss, recover};
use super::schema::LakeTable;
use super::settings::LakeConfig;
use super::slices::CellSlice;
use super::under_way::LeftRows;
use super::{LayerError, LayerResult};
use crate::file_lock::FileLock;
use barograph_domain::{Span, Ts};
use std::path::PathBuf;

/// Writes one market's table. There is one of it per partition; a lock sees to that.
///
/// Rows come in order (`sequence`, or `ts` for tables without one) hour by hour; the hours of one writer only rise, while a later writer
/// may begin with any hour that is not closed. They are kept in memory until a part is due, an hour is over or
/// [`Self::flush`] is called. Dropping the writer loses what was not flushed, as a crash does, and the hour's manifest will say so;
/// [`Self::close`] and [`Self::finish`] lose nothing. After a failed write nothing more is written.
#[derive(Debug)]
pub struct PartitionWriter {
    pub(super) config: LakeConfig,
    pub(super) table: LakeTable,
    pub(super) market: LakeMarket,
    /// The market's folder of the table.
    pub(super) folder: PathBuf,
    form: FileForm,
    pub(super) disk: Box<dyn LakeDisk>,
    /// Let go when this is dropped.
    _lock: FileLock,
    pub(super) sequence_at: Option<usize>,
    gap_at: Option<usize>,
    buffer: RowBuffer,
    pub(super) part: Part,
    pub(super) hour: Option<OpenHour>,
    /// An earlier writer did not stop in order: what came after this moment may be lost.
    pub(super) loss: Option<Ts>,
    pub(super) last_ts: Option<Ts>,
    /// The first hour that may still be written to, once one was closed.
    pub(super) open_from: Option<Ts>,
    /// Rows of an earlier writer that may be lost come again: nothing has to be declared.
    pub(super) rows_come_again: bool,
    /// The hour under way on disk that was looked at last: where it begins, and what it holds.
    pub(super) looked_at: Option<(Ts, LeftRows)>,
    /// The closed hour that was met last.
    pub(super) met_closed: Option<Ts>,
    /// The first hour that rows were added to.
    pub(super) first_hour: Option<Ts>,
    failed: Option<String>,
    stats: PartitionStats,
}

/// The part under way.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Rows in it, those in the buffer included.
    pub(super) rows: u64,
    first_ts: Ts,
    first_known: Ts,
    /// Its place, and the file under its temporary name, once rows of it were written.
    file: Option<(PathBuf, ParquetFile)>,
}

/// What was found when a partition was opened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OpenedPartition {
    /// The hour that goes on, and how many of its rows are there.
    pub unclosed: Option<(Ts, u64)>,
    /// The writer before did not stop in order: nothing is known behind this moment, and the hour's manifest will say so.
    pub lost_after: Option<Ts>,
    /// Temporary files that were taken away.
    pub removed: Vec<PathBuf>,
}

/// Counts since the partition was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PartitionStats {
    /// Rows taken.
    pub rows: u64,
    /// Part files written.
    pub parts: u64,
    /// Bytes of part files.
    pub bytes: u64,
    /// Hours closed.
    pub hours: u64,
}

/// What every row has.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowHead<'a> {
    pub(super) ts: Ts,
    pub(super) known_ts: Ts,
    /// Not looked at in tables without the column.
    pub(super) sequence: u64,
    /// Why nothing is known since the row before.
    pub(super) gap: Option<&'a str>,
}

impl PartitionWriter {
    /// Takes the partition and looks at what an earlier writer left there.
    ///
    /// # Errors
    /// When another process writes it, a name cannot be part of a path, or the folder cannot be used.
    pub fn open(config: LakeConfig, table: LakeTable, market: LakeMarket) -> LayerResult<(Self, OpenedPartition)> {
        Self::open_on(config, table, market, Box::new(RealDisk))
    }

    pub(super) fn open_on(
        config: LakeConfig,
        table: LakeTable,
        market: LakeMarket,
        mut disk: Box<dyn LakeDisk>,
    ) -> LayerResult<(Self, OpenedPartition)> {
        if config.flush_every <= Span::ZERO {
            return Err(LayerError::Misuse("the time between two parts must be positive".to_owned()));
        }
        if table.by_timeframe() != market.timeframe.is_some() {
            let what = "a timeframe belongs to the markets of bars, and to no others";
            return Err(LayerError::Misuse(format!("table '{}': {what}", table.name())));
        }
        let form = FileForm::new(table.columns(), &config).map_err(LayerError::Misuse)?;
        let folder = market.folder(&config.root.join(table.layer().word()).join(table.name()))?;
        disk.make_folder(&folder).map_err(LayerError::io(&folder))?;
        let lock = hold(&folder.join(WRITER_LOCK))?;
        let LeftBehind { open, loss, removed, last_ts } = recover(disk.as_mut(), &folder, &table)?;
        let unclosed = open.as_ref().map(|hour| (hour.begin, hour.rows));
        let opened = OpenedPartition { unclosed, lost_after: loss, removed };
        let writer = Self {
            sequence_at: table.place_of("sequence"),
            gap_at: table.place_of("gap"),
            buffer: RowBuffer::new(table.columns(), 0),
            part: Part::default(),
            hour: open,
            loss,
            last_ts,
            open_from: None,
            rows_come_again: false,
            looked_at: None,
            met_closed: None,
            first_hour: None,
            failed: None,
            stats: PartitionStats::default(),
            _lock: lock,
            config,
            table,
            market,
            folder,
            form,
            disk,
        };
        Ok((writer, opened))
    }

    /// The table.
    #[must_use]
    pub const fn table(&self) -> &LakeTable {
        &self.table
    }

    /// Counts since the partition was opened.
    #[must_use]
    pub const fn stats(&self) -> PartitionStats {
        self.stats
    }

    /// The `ts` of the latest row, those of earlier writers included; `None` for an empty partition.
    #[must_use]
    pub const fn last_ts(&self) -> Option<Ts> {
        self.last_ts
    }

    /// Adds rows by columns: one slice per column of the table, in its order and all of one length. All rows are taken or none.
    ///
    /// # Errors
    /// When columns do not fit the table, a row is out of order or of a closed hour, or the disk refuses.
    pub fn append(&mut self, cells: &[CellSlice<'_>]) -> LayerResult<()> {
        self.working()?;
        let appended = self.append_checked(cells);
        self.remember(appended)
    }

    /// Makes every row so far part of a file that a crash does not take.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&mut self) -> LayerResult<()> {
        self.working()?;
        let flushed = self.flush_part();
        self.remember(flushed)
    }

    /// Flushes when the oldest row in memory was known `flush_every` ago; for quiet markets, whose next row may take long.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush_if_due(&mut self, now: Ts) -> LayerResult<()> {
        if self.is_due(now) { self.flush() } else { self.working() }
    }

    /// Flushes and stops within the hour, which stays under way: a later writer goes on with it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn close(mut self) -> LayerResult<PartitionStats> {
        self.flush()?;
        // A loss is declared by the first row behind it; until there is one, the hour stays as it was found.
        let declared = self.loss.is_none();
        if let Some(hour) = self.hour.as_mut().filter(|hour| declared && (self.rows_come_again || !hour.untouched)) {
            hour.stop(self.disk.as_mut(), &self.table, &self.market)?;
        }
        Ok(self.stats)
    }

    /// Flushes and closes the hour: nothing more will come of it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(mut self) -> LayerResult<PartitionStats> {
        self.working()?;
        if let Some(hour) = self.hour.as_mut().filter(|_| self.loss.is_some()) {
            let end = hour.end;
            hour.gap(loss(hour, end));
        }
        self.close_hour()?;
        Ok(self.stats)
    }

    /// Closes the hour, and writes nothing more if that fails.
    pub(super) fn guarded_close(&mut self) -> LayerResult<()> {
        self.working()?;
        let closed = self.close_hour();
        self.remember(closed)
    }

    fn working(&self) -> LayerResult<()> {
        match &self.failed {
            Some(cause) => Err(LayerError::Stopped { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    /// After a failed write nothing more is written.
    fn remember<T>(&mut self, outcome: LayerResult<T>) -> LayerResult<T> {
        if let Err(e) = &outcome
            && !e.is_refusal()
        {
            self.failed = Some(e.to_string());
        }
        outcome
    }

    /// Begins a row: `ts` and `known_ts` are in the buffer then, the other columns are to follow, and [`Self::end_row`].
    #[inline]
    pub(super) fn begin_row(&mut self, head: &RowHead<'_>) -> LayerResult<&mut RowBuffer> {
        self.working()?;
        let begun = self.begin_row_checked(head);
        self.remember(begun)?;
        Ok(&mut self.buffer)
    }

    pub(super) fn end_row(&mut self) {
        self.buffer.rows += 1;
        self.stats.rows += 1;
    }

    fn begin_row_checked(&mut self, head: &RowHead<'_>) -> LayerResult<()> {
        self.check_hour(head.ts)?;
        if let Some(hour) = self.hour.as_mut().filter(|hour| hour.begin <= head.ts && head.ts < hour.end) {
            hour.order.step(head.ts, head.sequence)?;
            self.make_room(head.ts, head.known_ts)?;
        } else {
            self.make_room(head.ts, head.known_ts)?;
            if let Some(hour) = &mut self.hour {
                hour.order.step(head.ts, head.sequence)?;
            }
        }
        self.count(head.ts, head.gap);
        self.part.rows += 1;
        self.buffer.columns[0].push_i64(head.ts.0);
        self.buffer.columns[1].push_i64(head.known_ts.0);
        Ok(())
    }

    /// May a row of this moment be written?
    #[inline]
    fn check_hour(&self, ts: Ts) -> LayerResult<()> {
        match &self.hour {
            Some(hour) if hour.begin <= ts && ts < hour.end => Ok(()),
            _ => self.check_other_hour(ts),
        }
    }

    /// Sees to it that a row can be put into the buffer: its hour is the open one, and neither part nor buffer is full.
    #[inline]
    fn make_room(&mut self, ts: Ts, known_ts: Ts) -> LayerResult<()> {
        let same = self.hour.as_ref().is_some_and(|hour| hour.begin <= ts && ts < hour.end);
        if !same || self.loss.is_some() || self.part.rows == 0 {
            self.enter(ts)?;
        }
        if self.is_due(known_ts) {
            self.flush_part()?;
        }
        if self.buffer.rows >= GROUP_ROWS {
            self.spill()?;
        }
        if self.part.rows == 0 {
            (self.part.first_ts, self.part.first_known) = (ts, known_ts);
        }
        Ok(())
    }

    fn is_due(&self, now: Ts) -> bool {
        self.part.rows > 0 && now.0.saturating_sub(self.part.first_known.0) >= self.config.flush_every.0
    }

    /// Counts a row of the open hour.
    #[inline]
    fn count(&mut self, ts: Ts, gap: Option<&str>) {
        if let Some(hour) = &mut self.hour {
            if let Some(reason) = gap {
                // Where no row is before it, how long nothing was known is not known either: such a gap has no length, and no other is so.
                let from = self.last_ts.map_or(ts, |from| from.min(Ts(ts.0 - 1)));
                hour.gap(HourGap { from, until: ts, reason: reason.to_owned() });
            }
            hour.count(ts);
        }
        self.last_ts = Some(ts);
    }

    /// Writes the buffer into the part's file as a row group.
    fn spill(&mut self) -> LayerResult<()> {
        let Some(hour) = self.hour.as_mut().filter(|_| self.buffer.rows > 0) else { return Ok(()) };
        self.buffer.settle();
        hour.digest.update(&self.buffer);
        if self.part.file.is_none() {
            let path = hour.folder.join(hour.next_name(self.part.first_ts));
            let temporary = partial(&path);
            let file = self.disk.create(&temporary).map_err(LayerError::io(&temporary))?;
            let file = ParquetFile::begin(&self.form, file).map_err(|e| LayerError::io(&temporary)(e.into()))?;
            self.part.file = Some((path, file));
        }
        if let Some((path, file)) = &mut self.part.file {
            file.write(&self.buffer).map_err(|e| LayerError::io(path)(e.into()))?;
        }
        self.buffer.clear();
        Ok(())
    }

    /// Ends the part and puts its file in its place.
    fn flush_part(&mut self) -> LayerResult<()> {
        let Some(hour) = self.hour.as_mut().filter(|_| self.part.rows > 0) else { return Ok(()) };
        hour.note_gaps(self.disk.as_mut())?;
        self.spill()?;
        let part = std::mem::take(&mut self.part);
        let (Some((path, file)), Some(hour)) = (part.file, &mut self.hour) else { return Ok(()) };
        let mut file = file.finish().map_err(|e| LayerError::io(&path)(e.into()))?;
        file.sync().map_err(LayerError::io(&path))?;
        drop(file);
        settle(self.disk.as_mut(), &path)?;
        let bytes = path.metadata().map_err(LayerError::io(&path))?.len();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        hour.parts.push(PartEntry { name, rows: part.rows, bytes });
        self.stats.parts += 1;
        self.stats.bytes += bytes;
        Ok(())
    }

    pub(super) fn close_hour(&mut self) -> LayerResult<()> {
        self.flush_part()?;
        let Some(hour) = self.hour.take() else { return Ok(()) };
        let (folder, end) = (hour.folder.clone(), hour.end);
        hour.close(self.disk.as_mut(), &self.table, &self.market)?;
        self.open_from = Some(end);
        self.stats.hours += 1;
        if !self.config.compact_on_close {
            return Ok(());
        }
        match compact_hour(self.disk.as_mut(), &folder, &self.folder, &self.config) {
            // Whoever compacts this market now, or comes next, does it.
            Err(LayerError::Held { .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    fn append_checked(&mut self, cells: &[CellSlice<'_>]) -> LayerResult<()> {
        let columns = self.table.columns();
        let (Some(CellSlice::Moment(ts)), Some(CellSlice::Moment(known))) = (cells.first(), cells.get(1)) else {
            return Err(LayerError::Misuse("the first two columns are the moments 'ts' and 'known_ts'".to_owned()));
        };
        if cells.len() != columns.len() {
            let what = format!("{} columns were given and the table has {}", cells.len(), columns.len());
            return Err(LayerError::Misuse(what));
        }
        for (slice, column) in cells.iter().zip(columns) {
            slice.check(column, ts.len())?;
        }
        let sequence_at = self.sequence_at;
        let sequence = |row: usize| match sequence_at.map(|at| &cells[at]) {
            Some(CellSlice::U64(all)) => all[row],
            _ => 0,
        };
        self.check_rows(ts, sequence)?;
        let gap_at = self.gap_at;
        let is_gap = |row: usize| matches!(gap_at.map(|at| &cells[at]), Some(CellSlice::Bool(all)) if all[row]);
        let mut from = 0;
        while from < ts.len() {
            self.make_room(ts[from], known[from])?;
            let end = self.hour.as_ref().map_or(Ts::MIN, |hour| hour.end);
            let room = (from + GROUP_ROWS - self.buffer.rows).min(ts.len());
            self.part.rows += 1;
            let fits = |row: usize| row < room && ts[row] < end && !self.is_due(known[row]);
            let until = (from + 1..).find(|row| !fits(*row)).unwrap_or(room);
            self.part.rows += (until - from - 1) as u64;
            for row in from..until {
                self.count(ts[row], is_gap(row).then_some(DECLARED));
            }
            if let Some(hour) = &mut self.hour {
                (from..until).try_for_each(|row| hour.order.step(ts[row], sequence(row)))?;
            }
            for (slice, out) in cells.iter().zip(&mut self.buffer.columns) {
                slice.append(out, from..until, self.buffer.rows);
            }
            self.buffer.rows += until - from;
            self.stats.rows += (until - from) as u64;
            from = until;
        }
        Ok(())
    }

    /// Is every row in order and of an hour that may be written to?
    fn check_rows(&self, ts: &[Ts], sequence: impl Fn(usize) -> u64) -> LayerResult<()> {
        let parked = |hour: &&OpenHour| hour.untouched && ts.first().is_some_and(|first| *first < hour.begin);
        let mut hour = self.hour.as_ref().filter(|hour| !parked(hour)).map(|hour| (hour.begin, hour.order));
        for (row, at) in ts.iter().enumerate() {
            let begin = hour_of(*at);
            let order = match &mut hour {
                Some((open, order)) if *open == begin => order,
                Some((open, _)) if begin < *open => {
                    return Err(LayerError::PassedHour { ts: *at, open_from: *open });
                }
                other => {
                    self.check_hour(*at)?;
                    &mut other.insert((begin, super::order::RowOrder::of(&self.table))).1
                }
            };
            order.step(*at, sequence(row))?;
        }
        Ok(())
    }
}

/// Reason of a gap that is only said by a row's column.
const DECLARED: &str = "declared_by_row";
