//! The questions of the HTTP surface, answered from the store: newest contexts from memory, everything else read on demand.
//!
//! A thread looks for new minutes every second, so another process may write into the same folder meanwhile.

mod advice;
pub(crate) mod board;
mod book;
mod chart;
mod delivery;
mod events;
mod list;
mod moved;
mod news;
mod stops;
mod storage;
mod universe;

use crate::clock::Clock;
use crate::failure::Failure;
use crate::live::view::LiveView;
use crate::render::{Books, Lens, align, features};
use crate::shown::{catalogue_entries, metric_point, stream_view};
use barograph_api::board::{BoardView, Hub};
use barograph_api::chart::{ChartQuery, ChartView, ContinuityView};
use barograph_api::feeds::FeedsPulse;
use barograph_api::{
    CalendarView, CatalogueEntry, DeliveryFilter, DeliveryView, EndpointView, FeatureRowView, GroupView, LevelFilter,
    LevelView, MarketView, MessageView, MetricPoint, NewSilence, SilenceView, StreamView,
};
use barograph_api::{
    EventFilter, EventView, FeedFilter, FeedHealth, FeedsView, Health, MarketHealth, Page, Query, QueryError, Rendered,
    StreamEvent, Window, events::HourOfLiquidations,
};
use barograph_domain::advice::{AdviceRequest, AdviceView, NewPosition, Notice, PositionCard};
use barograph_domain::portfolio::{PortfolioRequest, PortfolioView};
use barograph_domain::{InstrumentName, Level, Metric, MinuteRow, Snapshot, Span, Ts, UniverseRow};
use barograph_engine::explain::headline::Held;
use barograph_store::run::LATENESS;
use barograph_store::{PointQuery, Range, Reader, RowQuery, Rows, RunInfo, RunKey};
use book::lens_for;
pub(crate) use book::{BookId, configured_run, lens_of, other_book, reach};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::broadcast;

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
pub(crate) struct Service {
    reader: Box<dyn Reader>,
    clock: Arc<dyn Clock>,
    /// A live process beside it, whose minutes come straight from memory.
    live: Option<LiveView>,
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
    /// Until when the stream has been told of stored alerts, where nobody here makes them.
    alerts_seen: Mutex<BTreeMap<InstrumentName, Ts>>,
    /// Which markets have been called stale, and when something was last said about each.
    told: Mutex<BTreeMap<InstrumentName, (bool, Ts)>>,
    /// Data gaps over two hours that have been told.
    gaps: Mutex<crate::gap_alert::GapAlerts>,
    /// All markets in one table, and what is told of it.
    board: board::Board,
    /// What charts have shown of the past.
    closes: chart::Closes,
    /// Where the stops of positions stand.
    stops: stops::Known,
    /// Where positions are registered.
    desk: std::sync::OnceLock<Arc<crate::positions::Desk>>,
    /// Where wishes about deliveries go; nowhere where this process delivers nothing.
    deliveries: std::sync::OnceLock<Arc<crate::delivery::DeliveryDesk>>,
    /// What of deliveries and positions was seen last.
    moved: moved::Moved,
    /// Where raw messages are kept.
    journal: std::sync::OnceLock<Arc<storage::Journal>>,
    /// Bytes of the database, when it was asked last.
    weight: Mutex<Option<u64>>,
}

impl core::fmt::Debug for Service {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Service").field("book", &self.book).finish_non_exhaustive()
    }
}

impl Service {
    pub(crate) fn new(
        reader: Box<dyn Reader>,
        clock: Arc<dyn Clock>,
        live: Option<LiveView>,
        book: BookId,
        default_venue: String,
    ) -> Result<Self, Failure> {
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
            desk: std::sync::OnceLock::new(),
            deliveries: std::sync::OnceLock::new(),
            moved: moved::Moved::default(),
            journal: std::sync::OnceLock::new(),
            weight: Mutex::default(),
        };
        service.look()?;
        Ok(service)
    }

    /// Takes a minute the moment it is made; the store follows.
    pub(crate) fn take(&self, name: &InstrumentName, lens: &Lens, row: &MinuteRow) {
        let mut held = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        let before = held.get(name);
        if before.is_some_and(|l| l.row.ts >= row.ts) {
            return;
        }
        let first = list::first_minute(before, &lens.logic_version, row);
        let previous = before.map(|l| l.row.clone());
        let rendered = Mutex::new(None);
        let fresh = Arc::new(Latest { lens: lens.clone(), first, row: row.clone(), previous, rendered });
        held.insert(name.clone(), Arc::clone(&fresh));
        drop(held);
        self.board.news();
        self.publish(name, &fresh);
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
        let lens = lens_for(&mut books, info, &instrument).map_err(unreadable)?;
        Ok((info.clone(), lens))
    }

    /// Is it that there is nothing yet? A live process makes rows of its own book within a minute.
    fn is_empty(&self, e: &QueryError) -> bool {
        let other = matches!(e, QueryError::OtherBook { .. });
        matches!(e, QueryError::NothingYet { .. }) || (other && self.live.is_some())
    }

    fn newest(&self, info: &RunInfo, lens: Lens, as_of: Option<Ts>) -> Result<(Lens, Vec<MinuteRow>), QueryError> {
        let mut rows = self.reader.latest(&info.spec.key, 2, as_of).map_err(internal)?;
        align(&mut rows.rows, &rows.columns);
        if rows.rows.is_empty() {
            return Err(QueryError::NothingYet {
                instrument: info.spec.key.instrument.clone(),
                as_of,
                first: info.minutes.map(|m| m.0 + LATENESS),
            });
        }
        Ok((Lens { streams: rows.streams.as_slice().into(), ..lens }, rows.rows))
    }

    /// Rows of a window, with the row before each so that "what changed" is as it was published.
    fn rows(&self, key: &RunKey, window: &Window, before: bool) -> Result<(Rows, bool), QueryError> {
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

impl Query for Service {
    fn now(&self) -> Ts {
        self.clock.now()
    }

    fn instruments(&self) -> Arc<[InstrumentName]> {
        Arc::clone(&self.names.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn default_venue(&self) -> &str {
        &self.default_venue
    }

    fn markets(&self, as_of: Option<Ts>) -> Result<Vec<MarketView>, QueryError> {
        match as_of {
            None => Ok(self.markets_now()),
            Some(moment) => self.markets_at(moment),
        }
    }

    fn streams(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<Vec<StreamView>, QueryError> {
        let moment = as_of.unwrap_or_else(|| self.clock.now());
        let streams = self.reader.streams(Some(id), as_of).map_err(internal)?;
        Ok(streams.iter().map(|s| stream_view(&s.decl, s.newest_event, moment)).collect())
    }

    fn context(&self, id: &InstrumentName, book: Option<&str>, as_of: Option<Ts>) -> Result<Rendered, QueryError> {
        if let (None, None, Some(latest)) = (book, as_of, self.market(id)) {
            return self.rendered(&latest, self.clock.now());
        }
        let (info, lens) = self.run(id, book)?;
        let (lens, rows) = self.newest(&info, lens, as_of)?;
        let (row, previous) = split(&rows)?;
        let lens = self.holding(&lens, row, as_of)?;
        match as_of {
            Some(moment) => Rendered::fixed(Arc::new(lens.as_of(row, previous, moment))),
            None => Rendered::present(Arc::new(lens.at_present(row, previous, self.clock.now()))),
        }
    }

    fn history(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        window: &Window,
    ) -> Result<Page<Arc<Snapshot>>, QueryError> {
        let (info, lens) = self.run(id, book)?;
        let start = window.start.unwrap_or(Ts::MIN);
        let (rows, more) = self.rows(&info.spec.key, window, true)?;
        let lens = Lens { streams: rows.streams.as_slice().into(), ..lens };
        let first = rows.rows.iter().position(|r| r.ts >= start).unwrap_or(rows.rows.len());
        let mut items = Vec::new();
        for at in (first..rows.rows.len()).skip(window.skip).take(window.limit) {
            let row = &rows.rows[at];
            let snapshot = if window.every.is_some() || at == 0 {
                let pair = self.newest(&info, lens.clone(), Some(row.ts + LATENESS))?.1;
                lens.snapshot(row, pair.len().checked_sub(2).map(|i| &pair[i]))
            } else {
                lens.snapshot(row, Some(&rows.rows[at - 1]))
            };
            items.push(Arc::new(snapshot));
        }
        Ok(Page { items, more })
    }

    fn features(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        window: &Window,
    ) -> Result<Page<FeatureRowView>, QueryError> {
        let (info, lens) = self.run(id, book)?;
        let (rows, more) = self.rows(&info.spec.key, window, false)?;
        let lens = Lens { streams: rows.streams.as_slice().into(), ..lens };
        let items = rows.rows.iter().skip(window.skip).take(window.limit).map(|r| features(r, &lens)).collect();
        Ok(Page { items, more })
    }

    fn latest_features(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        as_of: Option<Ts>,
    ) -> Result<FeatureRowView, QueryError> {
        let (info, lens) = self.run(id, book)?;
        let (lens, rows) = self.newest(&info, lens, as_of)?;
        Ok(features(split(&rows)?.0, &lens))
    }

    fn metrics(&self, id: &InstrumentName, metric: Metric, window: &Window) -> Result<Page<MetricPoint>, QueryError> {
        let streams = self.reader.streams(Some(id), None).map_err(internal)?;
        if !streams.iter().any(|s| s.decl.metric == metric) {
            // Nobody was forced out yet: that is an answer.
            if metric == Metric::Liquidation && !streams.is_empty() && !self.not_offered(id, metric) {
                return Ok(Page { items: Vec::new(), more: false });
            }
            if self.not_offered(id, metric) {
                return Err(QueryError::NotOffered { metric, venue: id.venue.as_str().to_owned() });
            }
            let mut known: Vec<String> = streams.iter().map(|s| s.decl.metric.name().to_owned()).collect();
            known.dedup();
            return Err(QueryError::UnknownMetric { name: metric.name().to_owned(), known });
        }
        let query = PointQuery {
            instrument: id.clone(),
            metric,
            source: None,
            cadence: None,
            range: Range { start: window.start.unwrap_or(Ts::MIN), end: window.end.unwrap_or(Ts::MAX) },
            limit: window.limit + window.skip,
            as_of: window.as_of,
        };
        let page = self.reader.points(&query).map_err(internal)?;
        let more = page.next.is_some() || page.items.len() > window.limit + window.skip;
        let items = page.items.iter().skip(window.skip).take(window.limit).map(|p| metric_point(id, p)).collect();
        Ok(Page { items, more })
    }

    fn levels(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        filter: &LevelFilter,
        window: &Window,
    ) -> Result<Page<LevelView>, QueryError> {
        let (info, _) = self.run(id, book)?;
        crate::levels::page(self.reader.as_ref(), &info, filter, window, self.clock.now()).map_err(internal)
    }

    fn standing_levels(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        as_of: Option<Ts>,
    ) -> Result<Vec<Level>, QueryError> {
        let (info, _) = self.run(id, book)?;
        crate::levels::standing(self.reader.as_ref(), &info, as_of, self.clock.now()).map_err(internal)
    }

    fn events(
        &self,
        id: Option<&InstrumentName>,
        book: Option<&str>,
        filter: &EventFilter,
        window: &Window,
    ) -> Result<Page<EventView>, QueryError> {
        self.events_of(id, book, filter, window)
    }

    fn liquidations_by_hour(
        &self,
        start: Ts,
        end: Ts,
        as_of: Option<Ts>,
    ) -> Result<Vec<HourOfLiquidations>, QueryError> {
        self.by_hour(start, end, as_of)
    }

    fn catalogue(&self) -> Vec<CatalogueEntry> {
        catalogue_entries(&self.book.read())
    }

    fn subscribe(&self) -> broadcast::Receiver<Arc<StreamEvent>> {
        self.sender.subscribe()
    }

    fn board(&self) -> Result<Arc<Hub>, QueryError> {
        Ok(self.board_now())
    }

    fn board_at(&self, moment: Ts) -> Result<BoardView, QueryError> {
        self.board_of(moment)
    }

    fn chart(&self, id: &InstrumentName, asked: &ChartQuery) -> Result<ChartView, QueryError> {
        self.chart_of(id, asked)
    }

    fn continuity(&self, id: &InstrumentName, window: &Window) -> Result<ContinuityView, QueryError> {
        self.continuity_of(id, window)
    }

    fn live(&self, id: &InstrumentName) -> Result<barograph_api::LiveView, QueryError> {
        let now = self.clock.now();
        let found = self.live.as_ref().and_then(|live| live.market(id, now));
        found.ok_or_else(|| QueryError::NotLive { instrument: Some(id.clone()) })
    }

    fn feeds(&self, filter: &FeedFilter) -> Result<FeedsView, QueryError> {
        let live = self.live.as_ref().ok_or(QueryError::NotLive { instrument: None })?;
        Ok(live.feeds(filter, self.clock.now()))
    }

    fn feeds_pulse(&self) -> Option<FeedsPulse> {
        self.weigh();
        Some(self.pulse_now())
    }

    fn feed_health(&self) -> FeedHealth {
        self.live.as_ref().map(LiveView::health).unwrap_or_default()
    }

    fn not_offered(&self, id: &InstrumentName, metric: Metric) -> bool {
        self.live.as_ref().is_some_and(|live| live.not_offered(id, metric))
    }

    fn advise(&self, request: &AdviceRequest, as_of: Option<Ts>) -> Result<AdviceView, QueryError> {
        self.advice(request, as_of)
    }

    fn positions(&self, as_of: Option<Ts>) -> Result<Vec<PositionCard>, QueryError> {
        self.cards(as_of)
    }

    fn register(&self, new: &NewPosition) -> Result<PositionCard, QueryError> {
        self.registered(new)
    }

    fn unregister(&self, id: &str) -> Result<(), QueryError> {
        self.unregistered(id)
    }

    fn deliveries(&self, filter: &DeliveryFilter) -> Result<Page<DeliveryView>, QueryError> {
        self.sent(filter)
    }

    fn message(&self, id: &str) -> Result<MessageView, QueryError> {
        self.message_log(id)
    }

    fn replay(&self, message: &str, endpoint: &str) -> Result<DeliveryView, QueryError> {
        self.sent_again(message, endpoint)
    }

    fn endpoints(&self) -> Result<Vec<EndpointView>, QueryError> {
        self.outlets()
    }

    fn enable_endpoint(&self, name: &str) -> Result<EndpointView, QueryError> {
        self.enabled(name)
    }

    fn groups(&self, as_of: Option<Ts>) -> Result<Vec<GroupView>, QueryError> {
        self.told_groups(as_of)
    }

    fn silences(&self, all: bool, as_of: Option<Ts>) -> Result<Vec<SilenceView>, QueryError> {
        self.known_silences(all, as_of)
    }

    fn put_silence(&self, new: &NewSilence) -> Result<SilenceView, QueryError> {
        self.silenced(new)
    }

    fn end_silence(&self, id: &str) -> Result<(), QueryError> {
        self.unsilenced(id)
    }

    fn notices(&self, position: Option<&str>, as_of: Option<Ts>, limit: usize) -> Result<Vec<Notice>, QueryError> {
        self.told(position, as_of, limit)
    }

    fn universe(&self, as_of: Option<Ts>) -> Result<Option<UniverseRow>, QueryError> {
        self.asked_hour(as_of)
    }

    fn universe_history(&self, window: &Window) -> Result<Page<UniverseRow>, QueryError> {
        self.hours(window)
    }

    fn portfolio(&self, request: &PortfolioRequest, as_of: Option<Ts>) -> Result<PortfolioView, QueryError> {
        self.basket(request, as_of)
    }

    fn calendar(&self, as_of: Option<Ts>) -> Result<CalendarView, QueryError> {
        self.scheduled(as_of)
    }

    fn metrics_text(&self) -> String {
        self.live.as_ref().map(LiveView::metrics).unwrap_or_default()
    }

    fn health(&self) -> Health {
        let latest = self.newest_of_all();
        let newest = |name: &InstrumentName| {
            let at = latest.binary_search_by(|l| l.lens.instrument.name.cmp(name));
            at.ok().map(|at| latest[at].row.ts)
        };
        let markets = self
            .instruments()
            .iter()
            .map(|name| MarketHealth {
                instrument: name.clone(),
                newest: newest(name),
                // Serving recorded history is a use of its own: being old is told by `freshness` and by every snapshot,
                // and does not make the server unready.
                gap_alert: None,
            })
            .collect();
        Health { store_open: true, problems: Vec::new(), markets }
    }
}

impl Latest {
    fn shows(&self, lens: &Lens, row: &MinuteRow, previous: Option<&MinuteRow>) -> bool {
        let same_lens = self.lens.logic_version == lens.logic_version && self.lens.streams == lens.streams;
        same_lens && self.row == *row && self.previous.as_ref() == previous
    }

    /// Rendered at most once per second, and when the position in its market stands otherwise: ages count in seconds.
    fn at(&self, now: Ts, held: Option<Held>) -> Result<Rendered, QueryError> {
        let key = (now.as_millis() / 1_000, held);
        let mut kept = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, rendered)) = kept.as_ref()
            && *at == key
        {
            return Ok(rendered.clone());
        }
        let lens = self.lens.holding(held);
        let rendered = Rendered::present(Arc::new(lens.at_present(&self.row, self.previous.as_ref(), now)))?;
        *kept = Some((key, rendered.clone()));
        Ok(rendered)
    }
}

fn split(rows: &[MinuteRow]) -> Result<(&MinuteRow, Option<&MinuteRow>), QueryError> {
    match rows {
        [] => Err(QueryError::Unavailable { reason: "the row has just been replaced; ask again".to_owned() }),
        [row] => Ok((row, None)),
        [.., previous, row] => Ok((row, Some(previous))),
    }
}

fn unreadable(failure: Failure) -> QueryError {
    QueryError::Unavailable { reason: failure.text().unwrap_or_default() }
}

fn internal(e: barograph_store::Error) -> QueryError {
    if e.recovery() == barograph_store::Recovery::RetryAfter {
        return QueryError::Away {
            reason: "the database is away for a moment; ask again".to_owned(),
            retry_after_s: Some(2),
        };
    }
    QueryError::Internal { source: Box::new(e) }
}
