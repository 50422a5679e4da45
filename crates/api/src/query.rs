//! The one question this crate asks of the rest of the program: [`Query`].
//!
//! Methods are synchronous. [`Query::context`] without book and `as_of`, [`Query::live`], [`Query::feeds`],
//! [`Query::feed_health`], [`Query::metrics_text`], [`Query::now`], [`Query::instruments`], [`Query::subscribe`] and
//! [`Query::health`] are called on the async threads and must answer from memory, within about a millisecond; everything
//! else runs on the blocking pool and may touch the disk. Point-in-time rule for all of them: `as_of` filters on
//! `known_ts ≤ as_of`, and it is never later than [`Query::now`] (this crate has seen to it).

use crate::board::{BoardView, Hub};
use crate::chart::{ChartQuery, ChartView, ContinuityView};
use crate::delivery::{DeliveryFilter, DeliveryView, EndpointView, GroupView, MessageView, NewSilence, SilenceView};
use crate::events::{EventView, HourOfLiquidations};
use crate::feeds::{FeedFilter, FeedHealth, FeedsPulse, FeedsView};
use crate::live::LiveView;
use crate::names;
pub use crate::query_error::QueryError;
use crate::universe::CalendarView;
use crate::view::{CatalogueEntry, FeatureRowView, LevelView, MarketView, MetricPoint, StreamView};
use axum::http::HeaderValue;
use barograph_domain::advice::{AdviceRequest, AdviceView, NewPosition, Notice, PositionCard};
use barograph_domain::alert::Change;
use barograph_domain::portfolio::{PortfolioRequest, PortfolioView};
use barograph_domain::{
    InstrumentName, Level, LevelType, Metric, Pattern, Reason, Severity, Snapshot, Span, StatusState, Ts, UniverseRow,
};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::broadcast;

/// What the HTTP surface needs to know; the binary implements it over store and engine.
pub trait Query: Send + Sync + 'static {
    /// The present moment: the wall clock, or the replay's own.
    fn now(&self) -> Ts;

    /// Every instrument there is, sorted by name.
    fn instruments(&self) -> Arc<[InstrumentName]>;

    /// The venue a bare symbol means on alias routes, where it trades there.
    fn default_venue(&self) -> &str {
        names::DEFAULT_VENUE
    }

    /// Which instrument a name means; see [`names::resolve`].
    ///
    /// # Errors
    /// [`QueryError::UnknownSymbol`] or [`QueryError::Ambiguous`].
    fn resolve(&self, name: &str, alias: bool) -> Result<InstrumentName, QueryError> {
        names::resolve(&self.instruments(), self.default_venue(), name, alias)
    }

    /// Every market, sorted by name, as known at `as_of` (`None`: now).
    ///
    /// # Errors
    /// [`QueryError::Unavailable`] or [`QueryError::Internal`].
    fn markets(&self, as_of: Option<Ts>) -> Result<Vec<MarketView>, QueryError>;

    /// One market, as [`Self::markets`] says it.
    ///
    /// # Errors
    /// As [`Self::markets`]; [`QueryError::NothingYet`] where it was not known at `as_of`.
    fn market(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<MarketView, QueryError> {
        let found = self.markets(as_of)?.into_iter().find(|m| m.instrument == *id);
        found.ok_or_else(|| QueryError::NothingYet { instrument: id.clone(), as_of, first: None })
    }

    /// The streams of one market that have said something, in source rank order, as known at `as_of` (`None`: now). An
    /// instrument without any has none. By default, those in [`Self::markets`].
    ///
    /// # Errors
    /// As [`Self::markets`].
    fn streams(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<Vec<StreamView>, QueryError> {
        let market = self.markets(as_of)?.into_iter().find(|m| m.instrument == *id);
        Ok(market.map(|m| m.streams).unwrap_or_default())
    }

    /// The newest snapshot. `book` `None` is the configured one. `as_of` `None`: the present-moment overlay of
    /// regimes §9 with `age_s`, made with [`Rendered::present`]; `Some`: that moment, made with [`Rendered::fixed`].
    ///
    /// # Errors
    /// [`QueryError::NothingYet`], [`QueryError::UnknownBook`], [`QueryError::OtherBook`], or the store's failure.
    fn context(&self, id: &InstrumentName, book: Option<&str>, as_of: Option<Ts>) -> Result<Rendered, QueryError>;

    /// Published snapshots, ascending, without overlay.
    ///
    /// # Errors
    /// [`QueryError::UnknownBook`], [`QueryError::OtherBook`], or the store's failure. An empty stretch is an empty page.
    fn history(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        window: &Window,
    ) -> Result<Page<Arc<Snapshot>>, QueryError>;

    /// Feature rows, ascending.
    ///
    /// # Errors
    /// As [`Self::history`].
    fn features(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        window: &Window,
    ) -> Result<Page<FeatureRowView>, QueryError>;

    /// The newest feature row.
    ///
    /// # Errors
    /// As [`Self::context`].
    fn latest_features(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        as_of: Option<Ts>,
    ) -> Result<FeatureRowView, QueryError>;

    /// Metric points, ascending by (timestamp, source): the newest revision known at `as_of` of each.
    ///
    /// # Errors
    /// [`QueryError::UnknownMetric`] when this instrument has no stream of it, [`QueryError::NotOffered`] when its venue has
    /// none, or the store's failure.
    fn metrics(&self, id: &InstrumentName, metric: Metric, window: &Window) -> Result<Page<MetricPoint>, QueryError>;

    /// Levels by confirmation: of each the latest revision known at `as_of`, its strength that of then. `every` is not asked
    /// for.
    ///
    /// # Errors
    /// As [`Self::history`].
    fn levels(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        filter: &LevelFilter,
        window: &Window,
    ) -> Result<Page<LevelView>, QueryError>;

    /// Levels that stand at `as_of` (`None`: now), all of them, as advice about stops and targets asks for them. By default none.
    ///
    /// # Errors
    /// As [`Self::history`].
    fn standing_levels(
        &self,
        _id: &InstrumentName,
        _book: Option<&str>,
        _as_of: Option<Ts>,
    ) -> Result<Vec<Level>, QueryError> {
        Ok(Vec::new())
    }

    /// Events of one market, or of all (`None`), by `known_at` and then by market; of equal ones the window's `skip` passes over
    /// the first. `every` is not asked for. By default none.
    ///
    /// # Errors
    /// As [`Self::history`]; a market without a run of the book has none where all are asked for.
    fn events(
        &self,
        _id: Option<&InstrumentName>,
        _book: Option<&str>,
        _filter: &EventFilter,
        _window: &Window,
    ) -> Result<Page<EventView>, QueryError> {
        Ok(Page { items: Vec::new(), more: false })
    }

    /// Stored liquidations of all markets by hour, the earliest first: every hour with `start ≤ t < end`, both of which are whole
    /// hours. By default none.
    ///
    /// # Errors
    /// [`QueryError::Unavailable`] or [`QueryError::Internal`].
    fn liquidations_by_hour(
        &self,
        _start: Ts,
        _end: Ts,
        _as_of: Option<Ts>,
    ) -> Result<Vec<HourOfLiquidations>, QueryError> {
        Ok(Vec::new())
    }

    /// The feature catalogue, in row order. Asked once, when serving begins.
    fn catalogue(&self) -> Vec<CatalogueEntry>;

    /// New snapshots and alerts of the configured book, as they are published. The channel should hold [`STREAM_BUFFER`]; nobody
    /// listens while its sender's `receiver_count()` is 0, and then nothing needs to be rendered.
    fn subscribe(&self) -> broadcast::Receiver<Arc<StreamEvent>>;

    /// The board as it moves. Asked on the blocking pool; turning it is the affair of whoever implements this.
    ///
    /// # Errors
    /// [`QueryError::Unavailable`] where there is none; that is the default, also for [`Self::board_at`].
    fn board(&self) -> Result<Arc<Hub>, QueryError> {
        Err(QueryError::no_board())
    }

    /// The board as it was known at a moment.
    ///
    /// # Errors
    /// See [`Self::board`], or the store's failure.
    fn board_at(&self, _moment: Ts) -> Result<BoardView, QueryError> {
        Err(QueryError::no_board())
    }

    /// Candles with what was known at their closes. By default, and so for [`Self::continuity`], there are none.
    ///
    /// # Errors
    /// As [`Self::history`].
    fn chart(&self, id: &InstrumentName, asked: &ChartQuery) -> Result<ChartView, QueryError> {
        Ok(ChartView::empty(id, asked))
    }

    /// How the streams of a market stood in `start ≤ t < end`; the window has both.
    ///
    /// # Errors
    /// As [`Self::history`].
    fn continuity(&self, id: &InstrumentName, window: &Window) -> Result<ContinuityView, QueryError> {
        Ok(ContinuityView::empty(id, window))
    }

    /// Whether the program can answer, and how old its newest answers are.
    fn health(&self) -> Health;

    /// A market as it is this moment.
    ///
    /// # Errors
    /// [`QueryError::NotLive`] where this process does not listen to it; that is the default.
    fn live(&self, id: &InstrumentName) -> Result<LiveView, QueryError> {
        Err(QueryError::NotLive { instrument: Some(id.clone()) })
    }

    /// Streams, venues and journal of a live process; [`FeedFilter::page`] chooses.
    ///
    /// # Errors
    /// [`QueryError::NotLive`] where this process listens to nothing; that is the default.
    fn feeds(&self, _filter: &FeedFilter) -> Result<FeedsView, QueryError> {
        Err(QueryError::NotLive { instrument: None })
    }

    /// How everything that listens does now, as the board's stream tells it every few seconds. Asked on the blocking pool. By
    /// default there is nothing to be told.
    fn feeds_pulse(&self) -> Option<FeedsPulse> {
        None
    }

    /// How many streams are listened to, and how many of them are lost. Nothing is, by default.
    fn feed_health(&self) -> FeedHealth {
        FeedHealth::default()
    }

    /// Does the venue of this market say that it does not have this metric? By default, what [`Self::live`] says.
    fn not_offered(&self, id: &InstrumentName, metric: Metric) -> bool {
        self.live(id).is_ok_and(|live| {
            let mut of_metric = live.streams.iter().filter(|s| s.metric == metric.name()).peekable();
            of_metric.peek().is_some() && of_metric.all(|s| s.continuity == StatusState::NotOffered)
        })
    }

    /// Advice on a trade somebody has in mind. A market without a snapshot is answered too: AVOID for want of data.
    ///
    /// # Errors
    /// [`QueryError::UnknownSymbol`], [`QueryError::Ambiguous`], [`QueryError::BadField`], or the store's failure. By
    /// default, and so for positions, [`QueryError::Unavailable`].
    fn advise(&self, _request: &AdviceRequest, _as_of: Option<Ts>) -> Result<AdviceView, QueryError> {
        Err(QueryError::no_positions())
    }

    /// Registered positions with what is around them, oldest first.
    ///
    /// # Errors
    /// As [`Self::advise`].
    fn positions(&self, _as_of: Option<Ts>) -> Result<Vec<PositionCard>, QueryError> {
        Err(QueryError::no_positions())
    }

    /// One of them.
    ///
    /// # Errors
    /// [`QueryError::UnknownPosition`], and as [`Self::advise`].
    fn position(&self, id: &str, as_of: Option<Ts>) -> Result<PositionCard, QueryError> {
        let found = self.positions(as_of)?.into_iter().find(|c| c.position.id == id);
        found.ok_or_else(|| QueryError::UnknownPosition { id: id.to_owned() })
    }

    /// Registers a position to be watched.
    ///
    /// # Errors
    /// [`QueryError::BadField`], [`QueryError::Conflict`], and as [`Self::advise`].
    fn register(&self, _new: &NewPosition) -> Result<PositionCard, QueryError> {
        Err(QueryError::no_positions())
    }

    /// Takes a position out.
    ///
    /// # Errors
    /// [`QueryError::UnknownPosition`], [`QueryError::Conflict`], and as [`Self::advise`].
    fn unregister(&self, _id: &str) -> Result<(), QueryError> {
        Err(QueryError::no_positions())
    }

    /// Notices about positions, newest first.
    ///
    /// # Errors
    /// As [`Self::advise`].
    fn notices(&self, _position: Option<&str>, _as_of: Option<Ts>, _limit: usize) -> Result<Vec<Notice>, QueryError> {
        Err(QueryError::no_positions())
    }

    /// Deliveries, newest first.
    ///
    /// # Errors
    /// The store's failure; by default, and so for all about deliveries and silences, [`QueryError::Unavailable`].
    fn deliveries(&self, _filter: &DeliveryFilter) -> Result<Page<DeliveryView>, QueryError> {
        Err(QueryError::no_deliveries())
    }

    /// One message with its deliveries and tries.
    ///
    /// # Errors
    /// [`QueryError::Unknown`], and as [`Self::deliveries`].
    fn message(&self, _id: &str) -> Result<MessageView, QueryError> {
        Err(QueryError::no_deliveries())
    }

    /// Has a message sent again to an endpoint.
    ///
    /// # Errors
    /// [`QueryError::Unknown`]; [`QueryError::Conflict`] where it has been delivered or still waits;
    /// [`QueryError::NotDelivering`] where another process would have to; and as [`Self::deliveries`].
    fn replay(&self, _message: &str, _endpoint: &str) -> Result<DeliveryView, QueryError> {
        Err(QueryError::no_deliveries())
    }

    /// Endpoints, by name.
    ///
    /// # Errors
    /// As [`Self::deliveries`].
    fn endpoints(&self) -> Result<Vec<EndpointView>, QueryError> {
        Err(QueryError::no_deliveries())
    }

    /// Uses an endpoint again that was disabled.
    ///
    /// # Errors
    /// [`QueryError::Unknown`], [`QueryError::NotDelivering`], and as [`Self::deliveries`].
    fn enable_endpoint(&self, _name: &str) -> Result<EndpointView, QueryError> {
        Err(QueryError::no_deliveries())
    }

    /// Groups of the 24 hours before `as_of` (`None`: now) and those that fired then, newest first.
    ///
    /// # Errors
    /// As [`Self::deliveries`].
    fn groups(&self, _as_of: Option<Ts>) -> Result<Vec<GroupView>, QueryError> {
        Err(QueryError::no_deliveries())
    }

    /// Silences as they were known at `as_of` (`None`: now), by the moment they were made; those that are over only with `all`.
    ///
    /// # Errors
    /// As [`Self::deliveries`].
    fn silences(&self, _all: bool, _as_of: Option<Ts>) -> Result<Vec<SilenceView>, QueryError> {
        Err(QueryError::no_deliveries())
    }

    /// Adds a silence that begins now.
    ///
    /// # Errors
    /// [`QueryError::BadField`], [`QueryError::NotDelivering`], and as [`Self::deliveries`].
    fn put_silence(&self, _new: &NewSilence) -> Result<SilenceView, QueryError> {
        Err(QueryError::no_deliveries())
    }

    /// Ends a silence now.
    ///
    /// # Errors
    /// [`QueryError::Unknown`] where there is none that holds now or later, [`QueryError::NotDelivering`], and as
    /// [`Self::deliveries`].
    fn end_silence(&self, _id: &str) -> Result<(), QueryError> {
        Err(QueryError::no_deliveries())
    }

    /// The newest whole hour between the markets that was known at `as_of` (`None`: now). By default there is none.
    ///
    /// # Errors
    /// The store's failure; so for [`Self::universe_history`] and [`Self::calendar`].
    fn universe(&self, _as_of: Option<Ts>) -> Result<Option<UniverseRow>, QueryError> {
        Ok(None)
    }

    /// Whole hours between the markets, ascending. `every` is not asked for.
    ///
    /// # Errors
    /// See [`Self::universe`].
    fn universe_history(&self, _window: &Window) -> Result<Page<UniverseRow>, QueryError> {
        Ok(Page { items: Vec::new(), more: false })
    }

    /// A basket judged as one.
    ///
    /// # Errors
    /// [`QueryError::NotCompared`], [`QueryError::UnknownSymbol`], [`QueryError::Ambiguous`], [`QueryError::BadField`], or the
    /// store's failure.
    fn portfolio(&self, _request: &PortfolioRequest, as_of: Option<Ts>) -> Result<PortfolioView, QueryError> {
        Err(QueryError::NotCompared { as_of, newest: None })
    }

    /// What is scheduled, as known at `as_of` (`None`: now). By default no calendar is known.
    ///
    /// # Errors
    /// See [`Self::universe`].
    fn calendar(&self, as_of: Option<Ts>) -> Result<CalendarView, QueryError> {
        Ok(CalendarView {
            timestamp: as_of.unwrap_or_else(|| self.now()),
            available: false,
            next_high: None,
            minutes_to_event: None,
            minutes_to_event_reason: Some(Reason::NotOffered.name()),
            blackout: None,
            coming: Vec::new(),
        })
    }

    /// More counters for `/metrics`, as [`crate::exposition`] wants them; empty by default. The names
    /// `barograph_build_info`, `barograph_http_…` and `barograph_snapshot_age_seconds` are taken.
    fn metrics_text(&self) -> String {
        String::new()
    }
}

/// Snapshots that a channel behind [`Query::subscribe`] should hold: four minutes of a thousand markets that all publish at
/// once. At about 8 kB each this is 33 MB at most; all clients share them, and one is dropped once every client has read it.
pub const STREAM_BUFFER: usize = 4_096;

/// Which rows of an ascending series: `start ≤ ts < end`, then `skip`, then at most `limit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// First instant; `None`: from the beginning.
    pub start: Option<Ts>,
    /// First instant no longer wanted; `None`: to the end.
    pub end: Option<Ts>,
    /// Keep only rows whose instant is a whole multiple of this since 1970, so that thinning does not depend on where
    /// a page begins. `None` keeps all.
    pub every: Option<Span>,
    /// Rows at exactly `start` that an earlier page has shown already.
    pub skip: usize,
    /// Most rows wanted; at least 1.
    pub limit: usize,
    /// Only what was known then; `None`: everything known.
    pub as_of: Option<Ts>,
}

/// Which levels.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LevelFilter {
    /// One timeframe only.
    pub timeframe: Option<Span>,
    /// These types only; empty: all.
    pub kinds: Vec<LevelType>,
    /// Only those that nothing has traded through and that are not past their lifetime.
    pub active: bool,
}

/// Which events.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventFilter {
    /// These patterns only; empty: all.
    pub patterns: Vec<Pattern>,
    /// These changes only; empty: all.
    pub changes: Vec<Change>,
    /// At least as severe.
    pub severity: Option<Severity>,
    /// Only episodes that are not over, each by the last that was known of it.
    pub open: bool,
    /// The newest first: the window is walked from its end.
    pub newest_first: bool,
}

/// Some rows, and whether the window holds more after them.
#[derive(Clone, PartialEq, Debug)]
pub struct Page<T> {
    /// At most `limit` rows, ascending unless asked for the other way round.
    pub items: Vec<T>,
    /// There are more.
    pub more: bool,
}

/// A snapshot with its JSON, rendered once and shared by all requests.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The snapshot; alias routes map it.
    pub snapshot: Arc<Snapshot>,
    /// Its canonical JSON.
    pub json: Bytes,
    /// Its validator.
    pub etag: HeaderValue,
}

impl Rendered {
    /// A snapshot as it was published: the validator is strong, the bytes decide.
    ///
    /// # Errors
    /// [`QueryError::Internal`] when it cannot be written as JSON.
    pub fn fixed(snapshot: Arc<Snapshot>) -> Result<Self, QueryError> {
        let json = to_json(&*snapshot)?;
        let etag = crate::etag::strong(&json);
        Ok(Self { snapshot, json, etag })
    }

    /// A snapshot seen from the present moment. Its ages change every second while nothing else does, so the validator
    /// is weak: it covers everything except the counted seconds, and changes when freshness, label, bias, posture or a
    /// text does.
    ///
    /// # Errors
    /// [`QueryError::Internal`] when it cannot be written as JSON.
    pub fn present(snapshot: Arc<Snapshot>) -> Result<Self, QueryError> {
        let json = to_json(&*snapshot)?;
        let mut timeless = (*snapshot).clone();
        timeless.age_s = None;
        let axes = &mut timeless.regimes;
        for age in [&mut axes.risk.age_s, &mut axes.trend.age_s, &mut axes.volatility.age_s, &mut axes.heat.age_s] {
            *age = 0;
        }
        timeless.explanation.inputs.iter_mut().for_each(|i| i.age_s = i.age_s.map(|_| 0));
        timeless.explanation.features.values_mut().for_each(|f| f.age_s = f.age_s.map(|_| 0));
        let etag = crate::etag::weak(&to_json(&timeless)?);
        Ok(Self { snapshot, json, etag })
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Bytes, QueryError> {
    // Grown from nothing a snapshot is copied eight times.
    let mut json = Vec::with_capacity(SNAPSHOT_ROOM);
    barograph_domain::json::write(&mut json, value).map_err(|e| QueryError::Internal { source: Box::new(e) })?;
    json.shrink_to_fit();
    Ok(Bytes::from(json))
}

/// Bytes that a snapshot seldom exceeds.
const SNAPSHOT_ROOM: usize = 32 << 10;

/// What has just been published.
#[derive(Clone, Debug)]
pub struct StreamEvent {
    /// Whose.
    pub instrument: InstrumentName,
    /// Id of a snapshot, which is the event's id on the stream; `None`: a record of an alert.
    pub snapshot_id: Option<String>,
    /// Its canonical JSON on one line, as [`Rendered::fixed`] makes it; that of an [`EventView`] for an alert.
    pub json: Bytes,
}

/// State of the program behind the API.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Health {
    /// The store has been opened.
    pub store_open: bool,
    /// What else keeps it from answering well, one sentence each.
    pub problems: Vec<String>,
    /// Per instrument.
    pub markets: Vec<MarketHealth>,
}

/// How far one market has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarketHealth {
    /// Which.
    pub instrument: InstrumentName,
    /// Newest snapshot of the configured book; `None` before the first.
    pub newest: Option<Ts>,
    /// Age at which the market counts as lost: the largest `gap_alert` of the inputs its book reads (features §9).
    /// `None`: recorded history, which may be of any age.
    pub gap_alert: Option<Span>,
}
