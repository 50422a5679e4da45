//! Hours under way: what earlier writers left of them, when one is gone on with, and when it is closed.
//!
//! A row of a later hour closes the hour before it. At the end of a run the last hour stays under way, because what follows may be in
//! another file; whoever knows that nothing follows closes it. An hour that is closed is never written again (R5.14).

use super::folder::{files_of, hours_of};
use super::hour::OpenHour;
use super::manifest::{HourGap, HourManifest, NOTE, OpenNote, UNFLUSHED, is_closed};
use super::place::{hour_folder, hour_of};
use super::recover::loss;
use super::writer::PartitionWriter;
use super::{LayerError, LayerResult};
use barograph_domain::{Span, Ts};
use std::path::{Path, PathBuf};

/// What a row of an import is to what the partition holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowPlace {
    /// It was known after everything its hour holds, or its hour is not there yet.
    New {
        /// The last sequence number of its hour; `None` where there is none.
        behind: Option<u64>,
    },
    /// Its hour is under way, and what was known at its moment is there already.
    There,
    /// Its hour is under way, and it was known before everything that is there: rows do not go in front of others.
    Before,
    /// Its hour was closed by an earlier writer.
    Closed,
    /// This writer has been in a later hour already.
    Late,
}

/// What an earlier writer left in an hour under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct LeftRows {
    /// First and last stamp, in the sense of [`PartitionWriter::place_of_row`].
    stamps: Option<(Ts, Ts)>,
    last_sequence: Option<u64>,
}

impl PartitionWriter {
    /// What a row is to what earlier writers left, by its hour and by when it was known; in tables that are in the order of `ts`, by that.
    /// Rows of the very moment of the last one that is there count as being there.
    ///
    /// # Errors
    /// When an hour under way cannot be read.
    pub fn place_of_row(&mut self, ts: Ts, known_ts: Ts) -> LayerResult<RowPlace> {
        let begin = hour_of(ts);
        let stamp = if self.sequence_at.is_some() { known_ts } else { ts };
        let left = match &self.hour {
            Some(hour) if hour.begin == begin => {
                LeftRows { stamps: hour.left, last_sequence: hour.order.last_sequence() }
            }
            _ => {
                let passed = self.open_from().is_some_and(|from| ts < from);
                if passed && self.first_hour.is_some_and(|first| first <= begin) {
                    return Ok(RowPlace::Late);
                }
                let folder = hour_folder(&self.folder, begin);
                if self.met_closed == Some(begin) || is_closed(&folder) {
                    self.met_closed = Some(begin);
                    return Ok(RowPlace::Closed);
                }
                if passed {
                    return Ok(RowPlace::Before);
                }
                self.read_left(begin, &folder)?
            }
        };
        Ok(match left.stamps {
            Some((first, _)) if stamp < first => RowPlace::Before,
            Some((_, last)) if stamp <= last => RowPlace::There,
            _ => RowPlace::New { behind: left.last_sequence },
        })
    }

    /// What an hour under way on disk holds, looked at once.
    fn read_left(&mut self, begin: Ts, folder: &Path) -> LayerResult<LeftRows> {
        if let Some((_, left)) = self.looked_at.filter(|(hour, _)| *hour == begin) {
            return Ok(left);
        }
        let mut left = LeftRows::default();
        if !files_of(folder)?.0.is_empty() {
            // Only read: what a writer left unfinished is taken away when rows are added.
            let (hour, ..) = OpenHour::read(folder, begin, &self.table)?;
            left = LeftRows { stamps: hour.left, last_sequence: hour.order.last_sequence() };
        }
        self.looked_at = Some((begin, left));
        Ok(left)
    }

    /// First and last stamp of the hour under way as an earlier writer left it, in the sense of [`Self::place_of_row`]; `None` where there is
    /// none.
    #[must_use]
    pub fn left(&self) -> Option<(Ts, Ts)> {
        self.hour.as_ref().and_then(|hour| hour.left)
    }

    /// When the newest thing was known that earlier writers left in the hour of a row or before it, as far as that is said; `None` where
    /// nothing is there.
    ///
    /// # Errors
    /// When an hour cannot be read.
    pub fn newest_before(&mut self, ts: Ts) -> LayerResult<Option<Ts>> {
        let begin = hour_of(ts);
        let left = match &self.hour {
            Some(hour) if hour.begin == begin => hour.left,
            _ => {
                let folder = hour_folder(&self.folder, begin);
                if is_closed(&folder) {
                    HourManifest::load(&folder)?.and_then(|m| m.first_ts.zip(m.last_ts))
                } else {
                    self.read_left(begin, &folder)?.stamps
                }
            }
        };
        left.map_or_else(|| self.last_ts_before(begin), |(_, last)| Ok(Some(last)))
    }

    /// The `ts` of the latest row in the hours before one; `None` where they hold none.
    fn last_ts_before(&self, begin: Ts) -> LayerResult<Option<Ts>> {
        let last = |(hour, folder): (Ts, PathBuf)| {
            // An hour that is damaged does not stop others from being written: how far back is known is not said then.
            let closed = HourManifest::load(&folder).ok().flatten();
            let said = closed.or_else(|| OpenNote::load(&folder).ok().flatten()?.so_far);
            said.map_or_else(|| OpenHour::read(&folder, hour, &self.table).ok()?.0.last_ts, |said| said.last_ts)
        };
        Ok(hours_of(&self.folder, Ts::MIN, begin)?.into_iter().rev().find_map(last))
    }

    /// The last sequence number of the hour under way; `None` where there is none.
    #[must_use]
    pub fn last_sequence(&self) -> Option<u64> {
        self.hour.as_ref().and_then(|hour| hour.order.last_sequence())
    }

    /// The hour that rows are added to: where it begins, and whether this writer has added any. `None` before the first row.
    #[must_use]
    pub fn hour(&self) -> Option<(Ts, bool)> {
        self.hour.as_ref().map(|hour| (hour.begin, !hour.untouched))
    }

    /// What an earlier writer may have lost is played again: it is not declared as lost.
    pub fn expect_lost_rows_again(&mut self) {
        self.rows_come_again = true;
        self.loss = None;
    }

    /// Lets the hour that an earlier writer left stay under way whatever comes, because what comes does not follow it. Without effect
    /// once rows were added to it.
    pub fn leave_under_way(&mut self) {
        if self.hour.as_ref().is_some_and(|hour| hour.untouched) {
            (self.hour, self.loss) = (None, None);
        }
    }

    /// Goes on with the hour that an earlier writer left, if it begins at a moment: what comes follows it, even where no row of it does.
    pub fn go_on_with(&mut self, begin: Ts) {
        if let Some(hour) = self.hour.as_mut().filter(|hour| hour.begin == begin) {
            hour.untouched = false;
        }
    }

    /// Closes the hour that is gone on with, if it ends at a moment or before.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn close_until(&mut self, over: Ts) -> LayerResult<()> {
        let Some(hour) = self.hour.as_mut().filter(|hour| !hour.untouched && hour.end <= over) else { return Ok(()) };
        if self.loss.take().is_some() {
            let end = hour.end;
            hour.gap(loss(hour, end));
        }
        self.guarded_close()
    }

    /// From now on rows become a part file at the latest so long after the first of them.
    pub fn set_flush_every(&mut self, every: Span) {
        self.config.flush_every = every;
    }

    /// The first hour that this writer may still write to, once it has written.
    fn open_from(&self) -> Option<Ts> {
        self.hour.as_ref().filter(|hour| !hour.untouched).map(|hour| hour.begin).or(self.open_from)
    }

    /// May a row of this moment be written, which is not of the hour that is written to?
    #[cold]
    pub(super) fn check_other_hour(&self, ts: Ts) -> LayerResult<()> {
        if ts < Ts(0) {
            return Err(LayerError::Misuse(format!("a row of {ts}, before 1970")));
        }
        if is_closed(&hour_folder(&self.folder, hour_of(ts))) {
            let open_from = self.open_from().unwrap_or(Ts::MIN).max(hour_of(ts) + Span::hours(1));
            return Err(LayerError::ClosedHour { ts, open_from });
        }
        if let Some(open_from) = self.open_from().filter(|from| ts < *from) {
            return Err(LayerError::PassedHour { ts, open_from });
        }
        Ok(())
    }

    /// Makes the hour of a moment the one that rows are added to.
    pub(super) fn enter(&mut self, ts: Ts) -> LayerResult<()> {
        if self.hour.as_ref().is_some_and(|hour| ts < hour.begin) {
            self.leave_under_way();
        }
        let lost = self.loss.take();
        if let (Some(hour), Some(_)) = (&mut self.hour, lost) {
            hour.gap(loss(hour, ts));
        }
        if self.hour.as_ref().is_some_and(|hour| ts >= hour.end) {
            self.close_hour()?;
        }
        if self.hour.is_none() {
            self.begin_hour(ts, lost)?;
        }
        let Some(hour) = &mut self.hour else { return Ok(()) };
        self.first_hour = self.first_hour.or(Some(hour.begin));
        hour.run(self.disk.as_mut())
    }

    fn begin_hour(&mut self, ts: Ts, lost: Option<Ts>) -> LayerResult<()> {
        let begin = hour_of(ts);
        let folder = hour_folder(&self.folder, begin);
        if self.first_hour.is_none() {
            // The newest row there is may be of a later hour, which does not go before what comes now.
            self.last_ts = self.last_ts_before(begin)?;
        }
        let mut hour = if folder.join(NOTE).exists() || !files_of(&folder)?.0.is_empty() {
            let (mut hour, _, torn) = OpenHour::resume(self.disk.as_mut(), &folder, begin, &self.table)?;
            if torn && !self.rows_come_again {
                hour.gap(loss(&hour, ts));
            }
            self.last_ts = hour.last_ts.or(self.last_ts);
            hour
        } else {
            OpenHour::new(folder, begin, &self.table)
        };
        if let Some(from) = lost {
            hour.gap(HourGap { from, until: ts.max(Ts(from.0 + 1)), reason: UNFLUSHED.to_owned() });
        }
        self.hour = Some(hour);
        Ok(())
    }
}
