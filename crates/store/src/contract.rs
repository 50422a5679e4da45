//! The storage contract: three object-safe, synchronous traits free of any database's ideas.
//!
//! Reads never wait for writes and never see half of one. A write either happened or did not, also when the process is
//! killed; each can be repeated without changing anything further. Order of arrival never shows: not in answers, not in
//! the content hash. The crate's `suite` states all of this as tests, run by every implementation.

use crate::{
    AlertQuery, Appended, CandleQuery, Candles, CaseReader, CheckReport, Checkpoint, Dirty, FenceState, Forgotten, Gap,
    GroupState, ImportRecord, Imported, Inserted, InstrumentInfo, LabelChange, LedgerHead, LedgerPart, LedgerProgress,
    LedgerState, LevelQuery, LiveBatch, NoticeQuery, OutboxReader, Page, Point, PointQuery, PointsVersion, Pruned,
    Range, Replaced, Result, Retention, RowQuery, Rows, RunInfo, RunKey, RunSpec, SignalReader, StoredOrderBook,
    StreamInfo, UniversePart, UniverseState, VersionInfo, WatchState,
};
use barograph_domain::advice::{Position, PositionNotice};
use barograph_domain::forecast::{ForecastEvent, LedgerTick, OutcomeRevision};
use barograph_domain::{
    CalendarEntry, Event, Instrument, InstrumentName, KnownAlert, LevelChange, MinuteRow, StreamDecl, Ts, UniverseRow,
};
use std::ops::ControlFlow;

/// Events in the total order of [`Event::order`].
pub type OrderedEvents<'a> = Box<dyn Iterator<Item = Result<Event>> + Send + 'a>;

/// Questions. `as_of: None` means all that is stored; otherwise only what was known at that moment (`known_ts ≤ as_of`).
pub trait Reader: OutboxReader + CaseReader + SignalReader {
    /// Instruments with at least one point, by name.
    ///
    /// # Errors
    /// When the store cannot be read; so for every method here.
    fn instruments(&self, as_of: Option<Ts>) -> Result<Vec<InstrumentInfo>>;

    /// Streams with at least one point, in rank order, of one instrument or of all; with their freshness. A stream that
    /// was taken back whole is among them, with no point that counts.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn streams(&self, instrument: Option<&InstrumentName>, as_of: Option<Ts>) -> Result<Vec<StreamInfo>>;

    /// The same without streams that were taken back whole: for whoever shows or reads what counts.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn counting_streams(&self, instrument: Option<&InstrumentName>, as_of: Option<Ts>) -> Result<Vec<StreamInfo>> {
        let mut found = self.streams(instrument, as_of)?;
        found.retain(|s| s.points > 0);
        Ok(found)
    }

    /// Metric points, latest revision per key (R1.77, A09). Trades and liquidations are facts of their own: several with
    /// one key are all returned.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn points(&self, query: &PointQuery) -> Result<Page<Point>>;

    /// All revisions of the points of the listed streams as events in the engine's order; stream indexes are positions
    /// in `streams`. A correction stands in the place of what it corrects, as if it had always been known; what was taken back is left out. Only what was received after `after` and, with `as_of`, no later than that. Memory is bounded; the
    /// answer is of one moment, whatever is written meanwhile.
    ///
    /// # Errors
    /// See [`Self::instruments`]; also from each item.
    fn events(&self, streams: &[StreamDecl], after: Option<Ts>, as_of: Option<Ts>) -> Result<OrderedEvents<'_>>;

    /// Candles of an instrument, made from its stored bars, or from its trades where it has none that are short enough. Of
    /// several revisions of a bar the latest counts that was known.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn candles(&self, query: &CandleQuery) -> Result<Candles>;

    /// All runs, by instrument and logic version; with counts of the rows known at `as_of`.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn runs(&self, as_of: Option<Ts>) -> Result<Vec<RunInfo>>;

    /// The runs of one instrument, by logic version; as [`Self::runs`].
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn runs_of(&self, instrument: &InstrumentName, as_of: Option<Ts>) -> Result<Vec<RunInfo>>;

    /// One run.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn run(&self, run: &RunKey, as_of: Option<Ts>) -> Result<Option<RunInfo>>;

    /// The newest minute that a live process has published of each market, by name; imported minutes do not count.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn published(&self, logic_version: &str) -> Result<Vec<(InstrumentName, Ts)>>;

    /// The newest `count` rows, oldest of them first. Empty where there is none.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn latest(&self, run: &RunKey, count: usize, as_of: Option<Ts>) -> Result<Rows>;

    /// Rows of an interval, a page at a time.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn history(&self, run: &RunKey, query: &RowQuery) -> Result<Rows>;

    /// The same rows with the readings of these features only, as far as the run has them, and of the rest the labels of the
    /// axes, the ages of the inputs and the price: for whoever goes through every minute and needs little of each.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn glances(&self, run: &RunKey, query: &RowQuery, features: &[&str]) -> Result<Rows>;

    /// What the rows of a stretch are told apart by: the same text again means the same rows, for whoever keeps what was made of
    /// them. Empty where there is no such run.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn mark(&self, run: &RunKey, range: Range) -> Result<String>;

    /// Changes of the published label, by minute.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn label_changes(&self, run: &RunKey, range: Range, limit: usize, as_of: Option<Ts>) -> Result<Page<LabelChange>>;

    /// Gaps by `known_ts`. A page ends at the first change of `known_ts` after `limit`.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn gaps(&self, run: &RunKey, range: Range, limit: usize, as_of: Option<Ts>) -> Result<Page<Gap>>;

    /// What happened to levels by the time it was known. A page ends at the first change of `known_at` after `limit`.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn level_changes(&self, run: &RunKey, range: Range, limit: usize, as_of: Option<Ts>) -> Result<Page<LevelChange>>;

    /// Levels as they were known to be: of each the last thing that had happened to it. By confirmation.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn levels(&self, run: &RunKey, query: &LevelQuery) -> Result<Page<LevelChange>>;

    /// The logic versions that there are runs of, by name. What a thousand runs have in common is read once.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn versions(&self) -> Result<Vec<VersionInfo>>;

    /// The first minute that knew the newest record of each run that has any: no record of that run is known later.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn alerts_reach(&self) -> Result<Vec<(RunKey, Ts)>>;

    /// Records of alerts by the moment they were known. A page ends at the first change of that moment after `limit`; the next
    /// one has the range of [`AlertQuery::after`].
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn alerts(&self, run: &RunKey, query: &AlertQuery) -> Result<Page<KnownAlert>>;

    /// Order books of an instrument by the moment they show, those known at `as_of`.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn books(
        &self,
        instrument: &InstrumentName,
        range: Range,
        limit: usize,
        as_of: Option<Ts>,
    ) -> Result<Page<StoredOrderBook>>;

    /// The newest checkpoint that is not later than `at`.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn checkpoint(&self, run: &RunKey, at: Ts) -> Result<Option<Checkpoint>>;

    /// Instruments whose run of this logic version does not follow from their points: points were committed and the
    /// rows were not (the process was killed in between), or there is no such run yet. The next run repairs them.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn dirty(&self, logic_version: &str) -> Result<Vec<Dirty>>;

    /// Imports, oldest first.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn imports(&self) -> Result<Vec<ImportRecord>>;

    /// Groups of markets that were ever fenced or published with a fence, by number. The least `through` of them is the
    /// watermark of what is between markets. A moment says that all the group knew until then can be read.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn live_groups(&self) -> Result<Vec<GroupState>>;

    /// Registered positions, oldest first.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn positions(&self, as_of: Option<Ts>) -> Result<Vec<Position>>;

    /// What the watch over positions remembers, by position.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn position_states(&self) -> Result<Vec<WatchState>>;

    /// Notices about positions, newest first.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn notices(&self, query: &NoticeQuery) -> Result<Vec<PositionNotice>>;

    /// Rows between markets, by hour.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn universe(&self, logic_version: &str, range: Range, limit: usize, as_of: Option<Ts>)
    -> Result<Page<UniverseRow>>;

    /// The hours of them that a live process has published; the others were computed from stored minutes.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn published_hours(&self, logic_version: &str, range: Range) -> Result<Vec<Ts>>;

    /// The newest of them.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn latest_universe(&self, logic_version: &str, as_of: Option<Ts>) -> Result<Option<UniverseRow>>;

    /// How they stand to the minutes; `None` before there were any.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn universe_state(&self, logic_version: &str) -> Result<Option<UniverseState>>;

    /// Ticks of the forecast ledger, of so many pieces (an ended day is one, an ended hour of the present day, a tick of the present hour), with what they say
    /// of some events; none named: of all. Every tick comes, also one that says nothing of them. A tick is known 200 ms after
    /// its minute.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn ledger(
        &self,
        logic_version: &str,
        range: Range,
        events: &[ForecastEvent],
        limit_pieces: usize,
        as_of: Option<Ts>,
    ) -> Result<Page<LedgerTick>>;

    /// Hands the same ticks out one after the other, until one breaks off: a year of them need not be in memory. All are of one
    /// moment, whatever is written meanwhile. What is handed out is used again for the next.
    ///
    /// # Errors
    /// See [`Self::instruments`]; ticks before the failure have come by then.
    fn ledger_scan(
        &self,
        logic_version: &str,
        range: Range,
        events: &[ForecastEvent],
        as_of: Option<Ts>,
        each: &mut dyn FnMut(&LedgerTick) -> ControlFlow<()>,
    ) -> Result<()>;

    /// The newest tick of the ledger.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn latest_ledger(&self, logic_version: &str, as_of: Option<Ts>) -> Result<Option<LedgerTick>>;

    /// The minutes whose ticks a live process has published; the others were computed from stored minutes.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn published_ticks(&self, logic_version: &str, range: Range) -> Result<Vec<Ts>>;

    /// Heads of the ledger's chains of the days that begin in a range, by day and event.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn ledger_heads(&self, logic_version: &str, range: Range) -> Result<Vec<LedgerHead>>;

    /// The newest saved state of the ledger's fold that is not later than a moment. One of a moment after
    /// [`LedgerProgress::dirty_since`] follows from other minutes.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn ledger_state(&self, logic_version: &str, before_or_at: Ts) -> Result<Option<LedgerState>>;

    /// The moments of all saved states, ascending.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn ledger_states(&self, logic_version: &str) -> Result<Vec<Ts>>;

    /// Notes on outcomes that stand although minutes they rest on were corrected, by key and moment of the correction.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn ledger_revisions(&self, logic_version: &str) -> Result<Vec<OutcomeRevision>>;

    /// Before this moment retention has thinned a run: minutes beside the 5-minute grid and label changes are gone. `None`: nowhere.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn thinned_until(&self, key: &RunKey) -> Result<Option<Ts>>;

    /// What corrections made anew of a run, the newest first: from which minute on, and since when that is known.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn corrections(&self, key: &RunKey) -> Result<Vec<(Ts, Ts)>>;

    /// How ticks stand to the minutes; `None` before there were any minutes.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn ledger_progress(&self, logic_version: &str) -> Result<Option<LedgerProgress>>;

    /// Every revision of every scheduled event, by the moment it became known.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn calendar(&self, as_of: Option<Ts>) -> Result<Vec<CalendarEntry>>;

    /// Bytes that the database takes, indexes and free room included.
    ///
    /// # Errors
    /// See [`Self::instruments`].
    fn database_bytes(&self) -> Result<u64>;

    /// Looks at everything stored: is it readable, do counts and digests agree, do label changes follow from rows. With
    /// `hash` also the content hash.
    ///
    /// # Errors
    /// Only when the check itself cannot run; faults are in the report.
    fn check(&self, hash: bool) -> Result<CheckReport>;
}

/// Events that are written batch by batch.
pub trait Batches {
    /// The next batch in place of what is there; left empty when there are no more.
    fn next(&mut self, batch: &mut Vec<Event>);

    /// Goes back to just after the first `done` batches: a transaction is repeated when its server was away.
    fn rewind(&mut self, done: usize);
}

/// All at once: one batch.
#[derive(Clone, Copy, Debug)]
pub struct OneBatch<'a> {
    events: &'a [Event],
    done: bool,
}

impl<'a> OneBatch<'a> {
    /// These events.
    #[must_use]
    pub const fn new(events: &'a [Event]) -> Self {
        Self { events, done: false }
    }
}

impl Batches for OneBatch<'_> {
    fn next(&mut self, batch: &mut Vec<Event>) {
        batch.clear();
        if !core::mem::replace(&mut self.done, true) {
            batch.extend_from_slice(self.events);
        }
    }

    fn rewind(&mut self, done: usize) {
        self.done = done > 0;
    }
}

/// Changes. One per role and data folder.
pub trait Writer: Send {
    /// Stores the data payloads of events, in one transaction, and marks the runs of the touched instruments dirty in
    /// the same one. `streams` is what the events' stream indexes mean, `instruments` describes their markets. Sorted
    /// batches of 50,000 and more are fast; any order is right.
    ///
    /// A value equal to one stored under its key changes nothing, except that of two times at which it was known the
    /// earlier counts.
    ///
    /// # Errors
    /// `Invalid` and nothing stored when an event carries no data, does not fit its stream, or an instrument
    /// contradicts the stored one; others as [`crate::Error`] says.
    fn insert_points(
        &mut self,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        events: &[Event],
    ) -> Result<Inserted>;

    /// As [`Self::insert_points`] for one batch of an import that began at `at`: a value other than the one that counts under
    /// its key is a correction known since `at`, and the last import wins for answers after it. Runs of touched instruments
    /// that are replaced for a correction go on answering for moments before it as they did.
    ///
    /// # Errors
    /// As [`Self::insert_points`].
    fn import_points(
        &mut self,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        events: &[Event],
        at: Ts,
    ) -> Result<Imported>;

    /// Imports batch by batch as [`Self::import_points`] does, as long as none changes what counts; from the first that does,
    /// all the rest in one transaction. So readers see a correction whole or not at all, and an import killed half-way leaves
    /// the earlier version standing.
    ///
    /// # Errors
    /// As [`Self::insert_points`]; batches before the failure that changed nothing stay stored.
    fn import_batches(
        &mut self,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        batches: &mut dyn Batches,
        at: Ts,
    ) -> Result<Imported>;

    /// Takes back, as known since `at`, what these events say, where it came from a file and is what counts; an earlier value
    /// beneath counts again: all of it in one transaction. With `dry` nothing is written.
    ///
    /// # Errors
    /// As [`Self::insert_points`].
    fn forget_batches(
        &mut self,
        streams: &[StreamDecl],
        batches: &mut dyn Batches,
        at: Ts,
        dry: bool,
    ) -> Result<Forgotten>;

    /// Makes the caller the owner of a group of markets, in a transaction of its own; how far the group is published. It waits
    /// for a batch of the owner before that is being written: what that one publishes is readable when this returns, and
    /// nothing more of it after. A batch that has not ended after a second is undone. The same token again is no takeover. A new owner calls it before it reads what is published.
    ///
    /// # Errors
    /// `Fenced` when the group has a greater token; `Invalid` for a token above 2^63 or a group other than the one this writer
    /// was opened for; `Busy` when a batch that is being written does not end and cannot be ended.
    fn fence(&mut self, group: u16, token: u64) -> Result<FenceState>;

    /// Publishes what a live process made in one tick, in one transaction; readers see it when this returns. Needs both
    /// roles, or that of a group and its fence. Repeating a batch changes nothing. Points mark no run dirty: the rows know
    /// them already. With a fence, its token is compared first, and the group is locked until the batch is readable.
    ///
    /// # Errors
    /// `Fenced` when the group has a greater token;
    /// `Conflict` when a minute or a tick of the ledger is published already with other content; `Invalid` as for [`Self::insert_points`] and
    /// [`RunWriter::row`], or when a row's instrument has no run in the batch. Nothing is stored then.
    fn append(&mut self, batch: &LiveBatch<'_>) -> Result<Appended>;

    /// Begins to replace a run from the minute `from` on (`None`: all of it). Readers see the old rows until
    /// [`RunWriter::finish`], then the new ones. `seen` is the instrument's version read before its events were.
    ///
    /// Minutes published by [`Self::append`] stay as they are, whatever the replacement says about them: a re-run adds
    /// rows only where there is none, because what was published never changes.
    ///
    /// # Errors
    /// `Invalid` when `from` is off the grid, or the columns differ from those of the rows that stay.
    fn replace<'a>(
        &'a mut self,
        spec: &RunSpec,
        from: Option<Ts>,
        seen: PointsVersion,
    ) -> Result<Box<dyn RunWriter + 'a>>;

    /// Removes a run and all that belongs to it.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn remove_run(&mut self, run: &RunKey) -> Result<()>;

    /// Puts rows between markets, and what they say of pairs, in place of the computed ones of some hours, in one transaction;
    /// the number of rows stored. Hours that a live process has published stay as they are. Every replacement and removal of a run marks the hours from its
    /// first minute on as not following; the part that says [`UniversePart::done`] takes the mark away.
    ///
    /// # Errors
    /// `Invalid` when a row is outside its hours.
    fn replace_universe(&mut self, part: &UniversePart<'_>) -> Result<u64>;

    /// Puts ticks of the forecast ledger, with heads and states, in place of the computed ones of some minutes, in one transaction;
    /// the number of ticks stored. Ticks that a live process has published stay as they are. Every replacement and removal of
    /// a run marks ticks from its first minute on as not following; the part that says [`LedgerPart::done`] takes the mark
    /// away.
    ///
    /// # Errors
    /// `Invalid` when a tick, head or state is outside the minutes it replaces, or ticks are out of order or off the grid.
    fn replace_ledger(&mut self, part: &LedgerPart<'_>) -> Result<u64>;

    /// Adds revisions of scheduled events, in one transaction; how many were not there. One that is there stays as it is.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn put_calendar(&mut self, entries: &[CalendarEntry]) -> Result<u64>;

    /// Adds to the table of imports.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn record_import(&mut self, record: &ImportRecord) -> Result<()>;

    /// Removes what is older than it has to be kept. Killed half-way, the next call completes it. The writer of a group removes
    /// rows, points and books of the markets of its last batch only, by the right of its token.
    ///
    /// # Errors
    /// When the store cannot be written; `Fenced` when the group has a newer owner.
    fn prune(&mut self, retention: &Retention) -> Result<Pruned>;
}

/// A replacement under way. Dropped without [`Self::finish`], it leaves the store as it was.
pub trait RunWriter: Send {
    /// Adds the next row. Its label change, if any, is derived here. A row of a published minute is left out.
    ///
    /// # Errors
    /// `Invalid` when the row is not after the one before, off the minute grid, before `from`, or does not fit the
    /// columns; after that only dropping is possible.
    fn row(&mut self, row: &MinuteRow) -> Result<()>;

    /// Adds a gap; twice is once.
    ///
    /// # Errors
    /// `Invalid` when no row at or after `from` can have seen it.
    fn gap(&mut self, gap: &Gap) -> Result<()>;

    /// Adds something that happened to a level, in order; what belongs to a published minute is left out.
    ///
    /// # Errors
    /// `Invalid` when no row at or after `from` can have known it.
    fn level(&mut self, change: &LevelChange) -> Result<()>;

    /// Adds a record of an alert; twice is once, and what belongs to a published minute is left out.
    ///
    /// # Errors
    /// `Invalid` when no row at or after `from` can have known it.
    fn alert(&mut self, alert: &KnownAlert) -> Result<()>;

    /// Saves the engine as it is after the row of minute `ts`. The store keeps one per 7 days and the latest two.
    ///
    /// # Errors
    /// `Invalid` when `ts` is before `from`.
    fn checkpoint(&mut self, ts: Ts, bytes: &[u8]) -> Result<()>;

    /// Makes the replacement visible, clears the dirty mark if no points came in since `seen`, all at once.
    ///
    /// # Errors
    /// When the store cannot be written; the old rows then stay.
    fn finish(self: Box<Self>) -> Result<Replaced>;
}
