//! The questions of the HTTP surface, answered from the store: newest contexts from memory, everything else read on demand.
//!
//! A thread looks for new minutes every second, so another process may write into the same folder meanwhile.

mod advice;
#[cfg(test)]
mod aging_tests;
pub mod board;
mod book;
mod cases;
mod chart;
mod chart_intervals;
mod cross_venue;
mod delivery;
mod events;
#[cfg(test)]
mod hand_clock;
#[cfg(test)]
mod health_tests;
mod list;
mod markets;
mod mirrored;
mod moved;
mod news;
mod options;
mod paper;
mod scores;
mod signals;
#[cfg(test)]
mod similar_cases_tests;
mod stops;
mod storage;
mod studies;
#[cfg(test)]
mod taken_back_tests;
#[cfg(test)]
mod test_rows;
mod universe;
mod watch_past;
#[cfg(test)]
mod watch_signal_tests;
mod watch_signals;
#[cfg(test)]
mod watch_tests;
mod watches;
mod whatif;

use crate::contest::InUse;
use crate::levels::RunReach;
use crate::live::Live;
use crate::render::{Books, Lens, align};
use crate::{Error, chain};
use barograph_api::clock::StoryView;
use barograph_api::{QueryError, Rendered, SeriesWindow, StreamEvent};
use barograph_domain::forecast::{Calls, LedgerTick};
use barograph_domain::health::HealthScore;
use barograph_domain::time::LATENESS;
use barograph_domain::{InstrumentName, MinuteRow, Span, Ts, UniverseRow};
use barograph_engine::explain::headline::Held;
use barograph_net::Clock;
use barograph_store::{LedgerProgress, Range, Reader, RowQuery, Rows, RunInfo, RunKey};
use book::lens_for;
pub use book::{BookId, configured_run, lens_of, other_book, reach};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::broadcast;

/// So much of a market's rows is held at most to find the newest of them.
const READ_WHOLE: Span = Span::hours(6);

/// A second, and the stop that leads the headline in it.
type Moment = (i64, Option<Held>);

/// The newest minute of one market.
#[derive(Debug)]
struct Latest {
    lens: Lens,
    /// The first minute there is of it.
    first: Ts,
    row: MinuteRow,
    previous: Option<MinuteRow>,
    /// Rendered for one second of the present.
    rendered: Mutex<Option<(Moment, Rendered)>>,
}

/// Store and memory behind the API.
pub struct Service {
    reader: Box<dyn Reader>,
    clock: Arc<dyn Clock>,
    /// A live process beside it, whose minutes come straight from memory.
    live: Option<Box<dyn Live>>,
    book: BookId,
    default_venue: String,
    names: RwLock<Arc<[InstrumentName]>>,
    /// The same markets with what is known of them.
    held: RwLock<list::Held>,
    /// Rule books that rows were read by.
    books: Mutex<Books>,
    latest: RwLock<BTreeMap<InstrumentName, Arc<Latest>>>,
    /// The newest hour between the markets of a live process.
    hour: RwLock<Option<Arc<UniverseRow>>>,
    sender: broadcast::Sender<Arc<StreamEvent>>,
    /// Until when the stream has stored alerts, where nobody here makes them.
    alerts_seen: Mutex<BTreeMap<InstrumentName, Ts>>,
    /// Which markets have been called stale, and when something was last said about each.
    told: Mutex<BTreeMap<InstrumentName, (bool, Ts)>>,
    /// Data gaps over two hours that have been reported.
    gaps: Mutex<crate::gap_alert::GapAlerts>,
    /// All markets in one table, and what is reported of it.
    board: board::Board,
    /// What charts have shown of the past.
    closes: chart::Closes,
    /// Where the stops of positions stand.
    stops: stops::Known,
    /// The newest tick of a live process's ledger, with its logic version.
    tick: RwLock<Option<(String, LedgerTick)>>,
    /// How far the ledger had come when it was looked at last: an import makes it after the minutes.
    ledger_seen: Mutex<BTreeMap<String, Option<LedgerProgress>>>,
    /// Scorecards that were answered.
    scores: scores::Answered,
    /// Where positions are registered.
    desk: std::sync::OnceLock<Arc<crate::positions::PositionDesk>>,
    /// Where signals are brought; nowhere where this process stores none.
    signal_desk: std::sync::OnceLock<crate::signals::SignalDesk>,
    /// Where cases are written.
    cases: std::sync::OnceLock<Arc<crate::cases::CaseDesk>>,
    /// Where commands about deliveries go; nowhere where this process delivers nothing.
    deliveries: std::sync::OnceLock<Arc<crate::delivery::DeliveryDesk>>,
    /// Where watches are kept; nowhere where this process judges none.
    watches: std::sync::OnceLock<Arc<crate::watch::WatchDesk>>,
    /// Why this process, which would judge watches, cannot have their file.
    unwatched: Mutex<Option<String>>,
    /// What of deliveries and positions was seen last.
    moved: moved::Moved,
    /// Where raw messages are kept.
    journal: std::sync::OnceLock<Arc<storage::Journal>>,
    /// Bytes of the database, when it was asked last.
    weight: Mutex<Option<u64>>,
    /// Whose forecasts are shown of which event; the rules' where nothing was chosen.
    in_use: std::sync::OnceLock<InUse>,
    /// The data folder, for what lies beside the store.
    folder: std::sync::OnceLock<std::path::PathBuf>,
    /// Where the lab leaves its studies.
    studies: std::sync::OnceLock<crate::studies::StudyFolder>,
    /// What takers pay, as far as the reader has set it.
    taker_fees: std::sync::OnceLock<barograph_venues::fees::TakerFees>,
    /// The recorded stretch that a first reader of the page is shown.
    story: std::sync::OnceLock<StoryView>,
}

impl core::fmt::Debug for Service {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Service").field("book", &self.book).finish_non_exhaustive()
    }
}

impl Service {
    /// Over an open store; `book` is the one whose rows are meant where none is named.
    ///
    /// # Errors
    /// The store does not answer, or holds rows of a rule book that this build cannot read.
    pub fn new(
        reader: Box<dyn Reader>,
        clock: Arc<dyn Clock>,
        live: Option<Box<dyn Live>>,
        book: BookId,
        default_venue: String,
    ) -> Result<Self, Error> {
        let service = Self {
            reader,
            clock,
            live,
            book,
            default_venue,
            names: RwLock::new(Arc::from([])),
            held: RwLock::default(),
            books: Mutex::default(),
            latest: RwLock::new(BTreeMap::new()),
            hour: RwLock::default(),
            sender: broadcast::channel(barograph_api::STREAM_BUFFER).0,
            alerts_seen: Mutex::default(),
            told: Mutex::new(BTreeMap::new()),
            gaps: Mutex::default(),
            board: board::Board::new(),
            closes: chart::Closes::default(),
            stops: stops::Known::default(),
            tick: RwLock::default(),
            ledger_seen: Mutex::default(),
            scores: scores::Answered::default(),
            desk: std::sync::OnceLock::new(),
            signal_desk: std::sync::OnceLock::new(),
            cases: std::sync::OnceLock::new(),
            deliveries: std::sync::OnceLock::new(),
            watches: std::sync::OnceLock::new(),
            unwatched: Mutex::new(None),
            moved: moved::Moved::default(),
            journal: std::sync::OnceLock::new(),
            weight: Mutex::default(),
            in_use: std::sync::OnceLock::new(),
            folder: std::sync::OnceLock::new(),
            studies: std::sync::OnceLock::new(),
            taker_fees: std::sync::OnceLock::new(),
            story: std::sync::OnceLock::new(),
        };
        service.refresh()?;
        Ok(service)
    }

    /// A first reader of the page is shown this stretch of what is stored. Once.
    pub fn begin_with(&self, story: StoryView) {
        // A second stretch is not meant by anybody.
        self.story.get_or_init(|| story);
    }

    /// Shows the forecasts of contestants that were chosen and have earned it. Once; what is in memory is read again.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn use_contestants(&self, in_use: InUse) -> Result<(), Error> {
        // A second choice is not meant by anybody.
        drop(self.in_use.set(in_use));
        self.ledger_seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.refresh()
    }

    /// Takes a minute the moment it is made; the store follows.
    pub fn take(&self, name: &InstrumentName, lens: &Lens, row: &MinuteRow) {
        let mut held = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        let before = held.get(name);
        if before.is_some_and(|l| l.row.ts >= row.ts) {
            return;
        }
        let first = list::first_minute(before, &lens.logic_version, row);
        let previous = before.map(|l| l.row.clone());
        let rendered = Mutex::new(None);
        let lens = lens.clone().stating(self.calls_before(lens, row, before));
        let fresh = Arc::new(Latest { lens, first, row: row.clone(), previous, rendered });
        held.insert(name.clone(), Arc::clone(&fresh));
        drop(held);
        self.board.news();
        self.publish(name, &fresh);
    }

    /// Takes what the ledger has registered after the minutes of a tick; rows that come later carry it.
    pub fn take_tick(&self, logic_version: &str, tick: &LedgerTick) {
        *self.tick.write().unwrap_or_else(PoisonError::into_inner) = Some((logic_version.to_owned(), tick.clone()));
    }

    /// What the ledger had stated before a minute: in memory, or as the minute before had it.
    fn calls_before(&self, lens: &Lens, row: &MinuteRow, previous: Option<&Arc<Latest>>) -> Option<Arc<Calls>> {
        let kept = self.tick.read().unwrap_or_else(PoisonError::into_inner);
        let known = kept.as_ref().filter(|(of, tick)| *of == lens.logic_version && tick.ts < row.ts);
        match known {
            Some((_, tick)) => crate::calls::of(tick, &lens.instrument.name).map(Arc::new),
            None => previous.filter(|p| p.lens.logic_version == lens.logic_version)?.lens.calls.clone(),
        }
    }

    fn publish(&self, name: &InstrumentName, latest: &Latest) {
        if self.sender.receiver_count() == 0 {
            return;
        }
        let lens = latest.lens.holding(self.held_as_read_last(&latest.lens, &latest.row));
        let snapshot = lens.snapshot(&latest.row, latest.previous.as_ref());
        let snapshot_id = snapshot.snapshot_id.clone();
        if let Ok(rendered) = Rendered::fixed(Arc::new(snapshot)) {
            // Nobody listening is fine.
            drop(self.sender.send(Arc::new(StreamEvent {
                instrument: name.clone(),
                snapshot_id: Some(snapshot_id),
                json: rendered.json,
            })));
        }
    }

    fn market(&self, name: &InstrumentName) -> Option<Arc<Latest>> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The run of a market under a book, with what its rows need to be explained.
    fn run(&self, id: &InstrumentName, book: Option<&str>) -> Result<(RunInfo, Lens), QueryError> {
        let runs = self.reader.runs_of(id, None).map_err(internal)?;
        let wanted = book.map_or_else(|| self.book.clone(), BookId::named);
        let Some(info) = configured_run(&runs, id, &wanted) else {
            let nothing = || QueryError::NothingYet { instrument: id.clone(), as_of: None, first: None };
            return Err(match book {
                Some(_) => QueryError::UnknownBook { name: wanted.name, known: book::books(&runs, Some(id)) },
                None => other_book(&runs, Some(id), &wanted).unwrap_or_else(nothing),
            });
        };
        let held = Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner));
        let instrument = held.get(id).map_or_else(|| crate::render::instrument(id), |known| known.instrument.clone());
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let lens = lens_for(&mut books, info, &instrument).map_err(|e| unreadable(&e))?;
        Ok((info.clone(), lens))
    }

    /// The run of a market and how far it reaches: of the present and the configured book from memory, where its minutes are.
    fn run_at(&self, id: &InstrumentName, book: Option<&str>, as_of: Option<Ts>) -> Result<RunReach, QueryError> {
        if let (None, None, Some(latest)) = (book, as_of, self.market(id)) {
            return Ok(RunReach { key: latest.key(), newest: Some(latest.row.ts) });
        }
        Ok(RunReach::of(&self.run(id, book)?.0))
    }

    /// Is it that there is nothing yet? A live process makes rows of its own book within a minute.
    fn is_empty(&self, e: &QueryError) -> bool {
        let other = matches!(e, QueryError::OtherBook { .. });
        matches!(e, QueryError::NothingYet { .. }) || (other && self.live.is_some())
    }

    fn newest(&self, info: &RunInfo, lens: &Lens, as_of: Option<Ts>) -> Result<(Lens, Vec<MinuteRow>), QueryError> {
        let mut rows = self.reader.latest(&info.spec.key, 2, as_of).map_err(internal)?;
        align(&mut rows.rows, &rows.columns);
        if rows.rows.is_empty() {
            return Err(QueryError::NothingYet {
                instrument: info.spec.key.instrument.clone(),
                as_of,
                first: info.minutes.map(|m| m.0 + LATENESS),
            });
        }
        Ok((lens.over(&rows), rows.rows))
    }

    /// The row before a minute, as it counts at the same moment: a correction changes both.
    fn before(&self, key: &RunKey, minute: Ts, as_of: Option<Ts>) -> Result<Option<MinuteRow>, QueryError> {
        // Nearly always a minute back; a longer hole is looked behind in ever larger steps.
        let mut end = minute;
        for span in [Span::mins(5), Span::hours(6), Span::days(7), Span::days(400)] {
            let start = minute - span;
            if let Some(row) = self.last_inside(key, Range { start, end }, as_of)? {
                return Ok(Some(row));
            }
            end = start;
        }
        Ok(None)
    }

    /// The newest row of a stretch.
    fn last_inside(&self, key: &RunKey, stretch: Range, as_of: Option<Ts>) -> Result<Option<MinuteRow>, QueryError> {
        let read = |range, limit| {
            let query = RowQuery { range, every: None, after: None, limit, as_of };
            self.reader.history(key, &query).map_err(internal)
        };
        let short = narrowed(stretch, |part| Ok(!read(part, 1)?.rows.is_empty()))?;
        let mut rows = read(short, usize::MAX)?;
        align(&mut rows.rows, &rows.columns);
        Ok(rows.rows.pop())
    }

    /// Rows of a window, with the row before each so that "what changed" is as it was published.
    fn rows(&self, key: &RunKey, window: &SeriesWindow, before: bool) -> Result<(Rows, bool), QueryError> {
        let start = window.start.unwrap_or(Ts::MIN);
        let lead = if before && window.every.is_none() && start > Ts::MIN + Span::hours(1) {
            Span::hours(1)
        } else {
            Span::ZERO
        };
        let wanted = window.limit + window.skip + 1;
        let query = RowQuery {
            range: Range { start: start - lead, end: window.end.unwrap_or(Ts::MAX) },
            every: window.every,
            after: None,
            limit: wanted + if lead == Span::ZERO { 0 } else { 60 },
            as_of: window.as_of,
        };
        let mut rows = self.reader.history(key, &query).map_err(internal)?;
        align(&mut rows.rows, &rows.columns);
        let inside = rows.rows.iter().filter(|r| r.ts >= start).count();
        let more = inside > window.limit + window.skip || rows.next.is_some();
        Ok((rows, more))
    }
}

impl Latest {
    fn key(&self) -> RunKey {
        RunKey { instrument: self.lens.instrument.name.clone(), logic_version: self.lens.logic_version.clone() }
    }

    fn shows(&self, lens: &Lens, row: &MinuteRow, previous: Option<&MinuteRow>) -> bool {
        let same_lens = self.lens.logic_version == lens.logic_version
            && self.lens.streams == lens.streams
            && self.lens.corrected == lens.corrected;
        same_lens && self.row == *row && self.previous.as_ref() == previous
    }

    /// Rendered at most once per second, and when the position in its market stands otherwise: ages count in seconds.
    /// `health` is asked once for it.
    fn at(
        &self,
        now: Ts,
        held: Option<Held>,
        is_listened: impl FnOnce() -> bool,
        health: impl FnOnce() -> Option<HealthScore>,
    ) -> Result<Rendered, QueryError> {
        let key = (now.as_millis() / 1_000, held);
        let mut kept = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, rendered)) = kept.as_ref()
            && *at == key
        {
            return Ok(rendered.clone());
        }
        let lens = self.lens.holding(held);
        let mut snapshot = lens.at_present_or_end(&self.row, self.previous.as_ref(), now, is_listened);
        snapshot.health = health();
        let rendered = Rendered::present(Arc::new(snapshot))?;
        *kept = Some((key, rendered.clone()));
        Ok(rendered)
    }
}

/// A stretch halved until it may be read whole; its newest row, if it has one, is inside. `holds`: is there a row?
fn narrowed(stretch: Range, mut holds: impl FnMut(Range) -> Result<bool, QueryError>) -> Result<Range, QueryError> {
    let Range { mut start, mut end } = stretch;
    while end - start > READ_WHOLE {
        let middle = start + Span((end - start).0 / 2);
        if holds(Range { start: middle, end })? {
            start = middle;
        } else {
            end = middle;
        }
    }
    Ok(Range { start, end })
}

fn split(rows: &[MinuteRow]) -> Result<(&MinuteRow, Option<&MinuteRow>), QueryError> {
    match rows {
        [] => Err(QueryError::Unavailable { reason: "the row has just been replaced; ask again".to_owned() }),
        [row] => Ok((row, None)),
        [.., previous, row] => Ok((row, Some(previous))),
    }
}

pub(crate) fn unreadable(failed: &Error) -> QueryError {
    QueryError::Unavailable { reason: chain(failed) }
}

pub(crate) fn internal(e: barograph_store::Error) -> QueryError {
    if e.recovery() == barograph_store::Recovery::RetryAfter {
        return QueryError::Away {
            reason: "the database is away for a moment; ask again".to_owned(),
            retry_after_s: Some(2),
        };
    }
    QueryError::Internal { source: Box::new(e) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_stretch_is_narrowed_to_its_newest_row() {
        let hour = |n: i64| Ts(0) + Span::hours(n);
        let stretch = Range { start: hour(0), end: hour(9_600) };
        let cases: [&[i64]; 5] = [&[], &[0], &[9_599], &[17, 4_800], &[4_799, 4_801, 5_000]];
        for rows in cases {
            let mut asked = 0;
            let inside = |n: i64, part: Range| part.start <= hour(n) && hour(n) < part.end;
            let found = narrowed(stretch, |part| {
                asked += 1;
                Ok(rows.iter().any(|n| inside(*n, part)))
            })
            .unwrap();
            assert!(found.end - found.start <= READ_WHOLE && asked < 20, "{rows:?}: {found:?}, asked {asked} times");
            assert!(rows.last().is_none_or(|newest| inside(*newest, found)), "{rows:?}: {found:?}");
        }
    }
}
