//! Where a run joins what earlier runs have written: what is there already, what follows it, and what is missing between them.

use super::DatasetReport;
use barograph_domain::{Span, Ts};
use barograph_lake::layers::{LayerResult, PartitionWriter, RUNS_FOLLOW, RowPlace};

/// What a venue dates this much back is still waited for: an hour is over when this much more was heard.
pub(super) const LATE: Span = Span::mins(1);

const HOUR: Span = Span::hours(1);

/// One market's run on its way.
#[derive(Debug, Default)]
pub(super) struct RunEdge {
    /// The newest moment that earlier runs wrote of any table.
    before: Option<Ts>,
    /// Something was met that is there already.
    overlaps: bool,
    /// Rows were added.
    pub(super) begun: bool,
    /// Up to when everything was heard, by the receive clock.
    heard: Option<Ts>,
    /// When it is asked next whether hours are over.
    next_look: Option<Ts>,
}

/// How the first row of a run lies to what is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Joint {
    /// It goes on with what is there.
    Follows,
    /// Nothing is known of the time before it, whether the lake holds an earlier run, will get one, or neither. So the lake has the same rows
    /// in whichever order runs are added.
    Hole,
}

impl RunEdge {
    pub(super) fn new<'a>(tables: impl Iterator<Item = &'a PartitionWriter>) -> Self {
        let newest = |table: &PartitionWriter| table.left().map(|(_, last)| last).max(table.last_ts());
        Self { before: tables.filter_map(newest).max(), ..Self::default() }
    }

    /// Is a row to be written, and behind which sequence number? What is not is counted by why it is not.
    pub(super) fn admits(
        &mut self,
        table: &mut PartitionWriter,
        (ts, known): (Ts, Ts),
        done: &mut DatasetReport,
    ) -> LayerResult<RowPlace> {
        let hour = ts.floor(HOUR);
        let place = table.place_of_row(ts, known)?;
        match place {
            RowPlace::New { .. } => {}
            RowPlace::There | RowPlace::Closed => {
                self.overlaps = true;
                done.already += 1;
                done.already_hours.insert(hour);
            }
            RowPlace::Before => {
                done.before += 1;
                done.before_hours.insert(hour);
            }
            RowPlace::Late => done.late += 1,
        }
        Ok(place)
    }

    /// The first row is about to be written; `newest` is what earlier runs wrote before it.
    pub(super) fn joint(&self, known: Ts, newest: Option<Ts>) -> Joint {
        match newest {
            _ if self.overlaps => Joint::Follows,
            Some(newest) if newest <= known && known - newest <= RUNS_FOLLOW => Joint::Follows,
            _ => Joint::Hole,
        }
    }

    /// The hour of the newest moment that earlier runs wrote, where a row is not of an hour before that: it can be gone on with.
    pub(super) fn goes_on_with(&self, ts: Ts) -> Option<Ts> {
        self.before.map(|before| before.floor(HOUR)).filter(|hour| *hour <= ts)
    }

    /// What an earlier run may have lost is in this one: it goes over what is there, or there is nothing.
    pub(super) fn brings_what_was_lost(&self) -> bool {
        self.overlaps || self.before.is_none()
    }

    /// Everything up to a moment was heard. Sometimes: hours that end by then are over.
    pub(super) fn heard(&mut self, recv: Ts) -> Option<Ts> {
        self.heard = Some(recv);
        if self.next_look.is_some_and(|at| recv < at) {
            return None;
        }
        self.next_look = Some((recv - LATE).floor(HOUR) + HOUR + LATE);
        Some(recv - LATE)
    }

    /// Was an hour heard to its end?
    pub(super) fn is_over(&self, hour: Ts) -> bool {
        self.heard.is_some_and(|heard| hour + HOUR + LATE <= heard)
    }
}
