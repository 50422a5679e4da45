//! A small world behind the API: four markets, two rule books, hundreds of snapshots, points with revisions, and
//! switches that make it slow or broken. What its snapshots say is in `weather`.

use super::found::{checked, detailed, grown};
pub(crate) use super::found::{events, page};
use super::held::{advice, card, hour, notice};
use super::listening::Listening;
use super::told::Told;
pub(crate) use super::weather::points;
use super::weather::{feature_row, overlay, similar, snapshot};
use barograph_api::analysis::AnalysisView;
use barograph_api::board::{BoardView, Hub};
use barograph_api::chart::{ChartQuery, ChartView, ContinuityView};
use barograph_api::clock::{ClockView, StoryView};
use barograph_api::events::HourOfLiquidations;
use barograph_api::live::DataOrigin;
use barograph_api::{
    AskBoard, AskEvents, AskMarkets, AskPositions, CalendarView, CatalogueEntry, DeliveryName, EventFilter, EventView,
    FeatureRowView, FeedFilter, FeedHealth, FeedsView, Health, LevelFilter, LevelView, MarketHealth, MarketNow,
    MarketView, MetricPoint, Page, QueryError, Rendered, STREAM_BUFFER, SeriesWindow, StreamEvent, StreamView,
};
use barograph_domain::advice::{
    AdviceRequest, AdviceView, NewPosition, Position, PositionBook, PositionCard, PositionNotice,
};
use barograph_domain::portfolio::{PortfolioRequest, PortfolioView};
use barograph_domain::similar::SimilarView;
use barograph_domain::{
    InstrumentName, Kind, LevelEvent, LevelType, MarketKind, Metric, Reason, Side, Snapshot, Span, Stamp, Ts,
    UniverseRow,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::time::Duration;
use tokio::sync::broadcast;

/// First minute of every market.
pub(crate) const START: Ts = Ts::from_civil(2026, 2, 5, 0, 0, 0);
/// Minutes of history.
pub(crate) const MINUTES: i64 = 720;
/// Markets that have snapshots.
pub(crate) const LIVING: [&str; 3] = ["binance-usdm:BTCUSDT", "binance-usdm:ETHUSDT", "bybit:BTCUSDT"];
/// A market that has none yet.
pub(crate) const EMPTY: &str = "coinbase:BTC-USD";

/// What goes wrong with reads that may touch the disk.
#[derive(Clone, Debug, Default)]
pub(crate) enum Trouble {
    #[default]
    None,
    Broken,
    Panics,
    /// Reads from memory panic; the others are fine.
    MemoryPanics,
    Slow(Duration),
    /// Reads wait until something else is set.
    Held,
    /// Scorecards and replays of changed books wait until something else is set; what is kept of them is not there.
    Computing,
    /// The database restarts and says for how many seconds.
    Away(Option<u32>),
    /// This many reads succeed, then all fail.
    BreaksAfter(usize),
}

pub(crate) struct World {
    names: Arc<[InstrumentName]>,
    now: AtomicI64,
    trouble: Mutex<Trouble>,
    trouble_set: Condvar,
    reads: AtomicUsize,
    contexts: AtomicUsize,
    history: BTreeMap<(InstrumentName, &'static str), Vec<Arc<Snapshot>>>,
    /// The present view of each market, rendered once a second, as the real program does it.
    present: RwLock<BTreeMap<InstrumentName, (i64, Rendered)>>,
    events: broadcast::Sender<Arc<StreamEvent>>,
    positions: Mutex<Vec<Position>>,
    /// The board, turned by the test itself.
    pub(crate) hub: Arc<Hub>,
    /// What people received.
    pub(crate) told: Mutex<Told>,
    /// Cases that were filed.
    pub(crate) cases: Mutex<Vec<barograph_api::cases::CaseView>>,
    /// What is heard of venues; `None`: recorded history only.
    pub(crate) listening: Mutex<Option<Listening>>,
}

pub(crate) fn name(text: &str) -> InstrumentName {
    InstrumentName::parse(text).unwrap()
}

pub(crate) fn minute(n: i64) -> Ts {
    START + Span::mins(n)
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        let mut names: Vec<InstrumentName> = LIVING.iter().chain([&EMPTY]).map(|t| name(t)).collect();
        names.sort();
        let mut history = BTreeMap::new();
        for id in LIVING.map(name) {
            for book in ["default", "seed1-strict"] {
                let all = (0..MINUTES).map(|n| Arc::new(snapshot(&id, book, n))).collect();
                history.insert((id.clone(), book), all);
            }
        }
        Arc::new(Self {
            names: names.into(),
            now: AtomicI64::new((minute(MINUTES - 1) + Span::secs(30)).0),
            trouble: Mutex::default(),
            trouble_set: Condvar::new(),
            reads: AtomicUsize::new(0),
            contexts: AtomicUsize::new(0),
            history,
            present: RwLock::default(),
            events: broadcast::Sender::new(STREAM_BUFFER),
            positions: Mutex::default(),
            hub: Hub::new(DataOrigin::Synthetic),
            told: Mutex::default(),
            cases: Mutex::default(),
            listening: Mutex::default(),
        })
    }

    pub(crate) fn set_now(&self, now: Ts) {
        self.now.store(now.0, Ordering::Relaxed);
    }
    pub(crate) fn set_trouble(&self, trouble: Trouble) {
        self.reads.store(0, Ordering::Relaxed);
        *self.trouble.lock().unwrap() = trouble;
        self.trouble_set.notify_all();
    }
    /// Publishes minute `n` (which may lie beyond the history) of a market.
    pub(crate) fn publish(&self, id: &str, n: i64) -> Arc<Snapshot> {
        let (snapshot, event) = published(id, n);
        self.send([event]);
        snapshot
    }
    /// Publishes at once what has been made before.
    pub(crate) fn send(&self, events: impl IntoIterator<Item = StreamEvent>) {
        for event in events {
            // Nobody listening is fine.
            drop(self.events.send(Arc::new(event)));
        }
    }
    /// Reads that have begun since the last trouble was set.
    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
    /// How often a context was asked for.
    pub(crate) fn contexts(&self) -> usize {
        self.contexts.load(Ordering::Relaxed)
    }
    pub(crate) fn listeners(&self) -> usize {
        self.events.receiver_count()
    }

    #[expect(clippy::panic_in_result_fn, reason = "the panic is what is being tested")]
    pub(crate) fn disk(&self) -> Result<(), QueryError> {
        let trouble = self.trouble.lock().unwrap().clone();
        let broken = || Err(QueryError::Internal { source: "secret path is gone".into() });
        let reads = self.reads.fetch_add(1, Ordering::Relaxed);
        match trouble {
            Trouble::None | Trouble::MemoryPanics | Trouble::Computing => Ok(()),
            Trouble::Broken => broken(),
            Trouble::Away(retry_after_s) => {
                Err(QueryError::Away { reason: "the database is restarting".to_owned(), retry_after_s })
            }
            Trouble::Panics => panic!("a planted panic"),
            Trouble::Slow(time) => {
                std::thread::sleep(time);
                Ok(())
            }
            Trouble::Held => {
                let held = self.trouble.lock().unwrap();
                drop(self.trouble_set.wait_while(held, |t| matches!(t, Trouble::Held)).unwrap());
                Ok(())
            }
            Trouble::BreaksAfter(n) => {
                if reads < n {
                    Ok(())
                } else {
                    broken()
                }
            }
        }
    }

    /// A computation of seconds.
    pub(crate) fn computes(&self) {
        let held = self.trouble.lock().unwrap();
        drop(self.trouble_set.wait_while(held, |t| matches!(t, Trouble::Computing)).unwrap());
    }

    fn memory(&self) {
        let panics = matches!(*self.trouble.lock().unwrap(), Trouble::MemoryPanics);
        assert!(!panics, "a planted panic");
    }

    fn stored(&self, id: &InstrumentName, book: Option<&str>) -> Result<&[Arc<Snapshot>], QueryError> {
        let book = book.unwrap_or("default");
        if !["default", "seed1-strict"].contains(&book) {
            let known = vec!["default".to_owned(), "seed1-strict".to_owned()];
            return Err(QueryError::UnknownBook { name: book.to_owned(), known });
        }
        let found = self.history.iter().find(|((i, b), _)| i == id && *b == book);
        Ok(found.map_or(&[][..], |(_, all)| all))
    }

    fn newest(&self, id: &InstrumentName, book: Option<&str>, as_of: Option<Ts>) -> Result<Arc<Snapshot>, QueryError> {
        let all = self.stored(id, book)?;
        let known = all.iter().rfind(|s| as_of.is_none_or(|t| s.known_ts <= t));
        known.cloned().ok_or_else(|| QueryError::NothingYet {
            instrument: id.clone(),
            as_of,
            first: all.first().map(|s| s.known_ts),
        })
    }
}

/// Minute `n` of a market as it is published.
pub(crate) fn published(id: &str, n: i64) -> (Arc<Snapshot>, StreamEvent) {
    let snapshot = Arc::new(snapshot(&name(id), "default", n));
    let json = Rendered::fixed(Arc::clone(&snapshot)).unwrap().json;
    let snapshot_id = snapshot.snapshot_id.clone();
    (snapshot, StreamEvent { instrument: name(id), snapshot_id: Some(snapshot_id), json })
}

/// A level every ten minutes, every third used up after five, as they were known to be.
pub(crate) fn levels(as_of: Option<Ts>) -> Vec<LevelView> {
    let known = |t: Ts| as_of.is_none_or(|a| t + Span::millis(200) <= a);
    let kinds = [LevelType::EqualLows, LevelType::BearishOb];
    let of = |n: usize| {
        let at = minute(i64::try_from(n).unwrap() * 10);
        let used = Some(at + Span::mins(5)).filter(|t| n.is_multiple_of(3) && known(*t));
        LevelView {
            level_id: format!("0f8fad5b-d9cb-569f-a165-{n:012x}"),
            revision: 1,
            level_type: kinds[n % 2],
            timeframe: if n.is_multiple_of(4) { "1h" } else { "15m" }.to_owned(),
            side: Some(if n.is_multiple_of(2) { "LONG" } else { "SHORT" }),
            price: 60_000.0,
            top: 60_010.0,
            bottom: 59_990.5,
            formed_at: at - Span::mins(5),
            confirmed_at: at,
            known_at: at + Span::millis(200),
            touched_at: used,
            mitigated_at: used,
            swept_at: None,
            touches: u32::from(used.is_some()),
            members: 2,
            volume: None,
            strength: 0.25,
            kind: Kind::Measured,
            last_event: if used.is_some() { LevelEvent::Broken } else { LevelEvent::Known },
        }
    };
    (0..72).map(of).filter(|l| known(l.confirmed_at)).collect()
}

impl AskMarkets for World {
    fn analysis(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<AnalysisView, QueryError> {
        self.disk()?;
        Ok(checked(&*self.newest(id, None, as_of)?))
    }
    fn similar(&self, id: &InstrumentName, _as_of: Option<Ts>) -> Result<SimilarView, QueryError> {
        Ok(similar(id))
    }
    fn now(&self) -> Ts {
        Ts(self.now.load(Ordering::Relaxed))
    }
    fn instruments(&self) -> Arc<[InstrumentName]> {
        Arc::clone(&self.names)
    }
    fn catalogue(&self) -> Vec<CatalogueEntry> {
        let line = |id, value_type, words: &[&'static str]| CatalogueEntry {
            id,
            version: 1,
            group: "funding",
            unit: "σ",
            value_type,
            words: words.to_vec(),
            formula: "z(f8; 24 h)".to_owned(),
            inputs: vec!["funding_rate"],
            window: "24 h, 60 s",
            warm_up: "6",
            update: "window",
            ranks: None,
            scale: Some(1.0),
            source: "R1.22",
            spoken: "funding against its day",
        };
        vec![
            line("funding_zscore_24h", "number", &[]),
            line("oi_delta_4h", "number", &[]),
            line("realized_vol_1h", "number", &[]),
            line("funding_extreme_flag", "bool", &[]),
            line("squeeze_direction", "enum", &["LONG_SQUEEZE", "SHORT_SQUEEZE"]),
        ]
    }
    fn health(&self) -> Health {
        let markets = LIVING.map(|id| MarketHealth {
            instrument: name(id),
            newest: Some(minute(MINUTES - 1)),
            gap_alert: Some(Span::hours(2)),
        });
        Health { store_open: true, problems: Vec::new(), markets: markets.to_vec() }
    }
    fn markets(&self, as_of: Option<Ts>) -> Result<Vec<MarketView>, QueryError> {
        self.disk()?;
        let now = as_of.unwrap_or_else(|| self.now());
        Ok(self.names.iter().map(|id| self.market(id, as_of, now)).collect())
    }
    fn context(&self, id: &InstrumentName, book: Option<&str>, as_of: Option<Ts>) -> Result<Rendered, QueryError> {
        self.contexts.fetch_add(1, Ordering::Relaxed);
        if as_of.is_some() || book.is_some() {
            self.disk()?;
            let found = self.newest(id, book, as_of)?;
            return if as_of.is_some() {
                Rendered::fixed(found)
            } else {
                Rendered::present(overlay(&found, self.now()))
            };
        }
        self.memory();
        let second = self.now().0.div_euclid(1_000_000_000);
        if let Some((at, rendered)) = self.present.read().unwrap().get(id)
            && *at == second
        {
            return Ok(rendered.clone());
        }
        let rendered = Rendered::present(overlay(&*self.newest(id, None, None)?, self.now()))?;
        self.present.write().unwrap().insert(id.clone(), (second, rendered.clone()));
        Ok(rendered)
    }
    fn history(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        w: &SeriesWindow,
    ) -> Result<Page<Arc<Snapshot>>, QueryError> {
        self.disk()?;
        let known = self.stored(id, book)?.iter().filter(|s| w.as_of.is_none_or(|t| s.known_ts <= t));
        Ok(page(known.map(|s| (s.timestamp, Arc::clone(s))), w))
    }
    fn features(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        w: &SeriesWindow,
    ) -> Result<Page<FeatureRowView>, QueryError> {
        self.disk()?;
        let known = self.stored(id, book)?.iter().filter(|s| w.as_of.is_none_or(|t| s.known_ts <= t));
        Ok(page(known.map(|s| (s.timestamp, feature_row(s))), w))
    }
    fn latest_features(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        as_of: Option<Ts>,
    ) -> Result<FeatureRowView, QueryError> {
        self.disk()?;
        Ok(feature_row(&*self.newest(id, book, as_of)?))
    }
    fn metrics(&self, id: &InstrumentName, metric: Metric, w: &SeriesWindow) -> Result<Page<MetricPoint>, QueryError> {
        self.disk()?;
        let points = points(id, metric, w.as_of);
        Ok(page(points.into_iter().map(|p| (p.timestamp, p)), w))
    }
    fn levels(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        filter: &LevelFilter,
        w: &SeriesWindow,
    ) -> Result<Page<LevelView>, QueryError> {
        self.disk()?;
        self.stored(id, book)?;
        let known = levels(w.as_of).into_iter().filter(|l| {
            filter.timeframe.is_none_or(|t| t.compact() == l.timeframe)
                && (filter.kinds.is_empty() || filter.kinds.contains(&l.level_type))
                && !(filter.active && l.mitigated_at.is_some())
        });
        Ok(page(known.map(|l| (l.confirmed_at, l)), w))
    }
}

impl AskEvents for World {
    fn events(
        &self,
        id: Option<&InstrumentName>,
        book: Option<&str>,
        filter: &EventFilter,
        w: &SeriesWindow,
    ) -> Result<Page<EventView>, QueryError> {
        self.disk()?;
        if let Some(id) = id {
            self.stored(id, book)?;
        }
        let mut found = events(w.as_of);
        found.retain(|e| {
            id.is_none_or(|id| *id == e.instrument)
                && (filter.patterns.is_empty() || filter.patterns.contains(&e.pattern_type))
                && (filter.changes.is_empty() || filter.changes.contains(&e.change))
                && filter.severity.is_none_or(|s| e.severity >= s)
        });
        if filter.newest_first {
            found.reverse();
        }
        Ok(page(found.into_iter().map(|e| (e.known_at, e)), w))
    }
    fn event(&self, id: &str, as_of: Option<Ts>) -> Result<EventView, QueryError> {
        self.disk()?;
        let mut known = events(as_of).into_iter().filter(|e| e.alert_id.starts_with(id));
        let newest = known.next().map(|first| known.fold(first, |a, b| if b.revision > a.revision { b } else { a }));
        newest.map(detailed).ok_or_else(|| QueryError::Unknown { what: DeliveryName::Alert, id: id.to_owned() })
    }
    fn burst_so_far(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<Option<EventView>, QueryError> {
        self.disk()?;
        Ok(grown(as_of).filter(|e| e.instrument == *id))
    }
    fn liquidations_by_hour(
        &self,
        start: Ts,
        end: Ts,
        _as_of: Option<Ts>,
    ) -> Result<Vec<HourOfLiquidations>, QueryError> {
        self.disk()?;
        let hours = (end - start).as_secs() / 3_600;
        let sums = |n| if n == 0 { Err(Reason::Gap) } else { Ok((0.0, 0.5)) };
        Ok((0..hours).map(|n| HourOfLiquidations::new(start + Span::hours(n), sums(n))).collect())
    }
    fn subscribe(&self) -> broadcast::Receiver<Arc<StreamEvent>> {
        self.events.subscribe()
    }
    fn universe(&self, as_of: Option<Ts>) -> Result<Option<UniverseRow>, QueryError> {
        self.disk()?;
        let ts = as_of.unwrap_or_else(|| self.now()).floor(Span::hours(1));
        Ok((ts >= START).then(|| hour(ts)))
    }
    fn universe_history(&self, w: &SeriesWindow) -> Result<Page<UniverseRow>, QueryError> {
        self.disk()?;
        Ok(page((0..12).map(|n| (START + Span::hours(n), hour(START + Span::hours(n)))), w))
    }
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
}

impl AskBoard for World {
    fn board(&self) -> Result<Arc<Hub>, QueryError> {
        self.disk()?;
        Ok(Arc::clone(&self.hub))
    }
    fn board_at(&self, moment: Ts) -> Result<BoardView, QueryError> {
        self.disk()?;
        Ok(BoardView::empty(moment, DataOrigin::Synthetic))
    }
    fn clock(&self) -> ClockView {
        let story = StoryView { from: START, until: minute(MINUTES), speed: 600 };
        ClockView { now: self.now(), rate: 20.0, simulated: true, story: Some(story) }
    }
    fn chart(&self, id: &InstrumentName, asked: &ChartQuery) -> Result<ChartView, QueryError> {
        Ok(ChartView::empty(id, asked.interval.unwrap_or(Span::hours(1))))
    }
    fn continuity(&self, id: &InstrumentName, window: &SeriesWindow) -> Result<ContinuityView, QueryError> {
        Ok(ContinuityView::empty(id, window))
    }
    fn live(&self, id: &InstrumentName) -> Result<MarketNow, QueryError> {
        let none = || QueryError::NotLive { instrument: Some(id.clone()) };
        self.listening.lock().unwrap().as_ref().and_then(|l| l.market(id, self.now())).ok_or_else(none)
    }
    fn feeds(&self, filter: &FeedFilter) -> Result<FeedsView, QueryError> {
        let none = || QueryError::NotLive { instrument: None };
        self.listening.lock().unwrap().as_ref().map(|l| l.feeds(filter, self.now())).ok_or_else(none)
    }
    fn feed_health(&self) -> FeedHealth {
        self.listening.lock().unwrap().as_ref().map(|l| l.health()).unwrap_or_default()
    }
    fn metrics_text(&self) -> String {
        self.listening.lock().unwrap().as_ref().map(|l| l.metrics_text.clone()).unwrap_or_default()
    }
}

impl AskPositions for World {
    fn advise(&self, request: &AdviceRequest, as_of: Option<Ts>) -> Result<AdviceView, QueryError> {
        self.disk()?;
        let id = self.resolve(&request.symbol, false)?;
        if request.side != "long" {
            let reason = format!("side is '{}': it must be long or short", request.side);
            return Err(QueryError::BadField { field: "side".to_owned(), value: request.side.clone(), reason });
        }
        Ok(advice(request, &*self.newest(&id, None, as_of)?))
    }
    fn portfolio(&self, _: &PortfolioRequest, as_of: Option<Ts>) -> Result<PortfolioView, QueryError> {
        Err(QueryError::NotCompared { as_of, newest: None })
    }
    fn positions(&self, as_of: Option<Ts>) -> Result<Vec<PositionCard>, QueryError> {
        self.disk()?;
        let known = self.positions.lock().unwrap();
        Ok(known.iter().filter(|p| as_of.is_none_or(|t| p.opened_at <= t)).map(card).collect())
    }
    fn register(&self, new: &NewPosition) -> Result<PositionCard, QueryError> {
        let instrument = self.resolve(&new.symbol, false)?;
        let position = Position {
            id: new.id.clone().unwrap(),
            instrument,
            side: Side::Short,
            entry: new.entry,
            stop: new.stop,
            size: new.size,
            strategy: new.strategy.clone(),
            opened_at: self.now(),
            registered_by: PositionBook::User,
        };
        self.positions.lock().unwrap().push(position.clone());
        Ok(card(&position))
    }
    fn unregister(&self, id: &str) -> Result<(), QueryError> {
        if id == "of-the-file" {
            let (reason, hint) = ("it is kept by the positions file".to_owned(), "change the file".to_owned());
            return Err(QueryError::Conflict { reason, hint });
        }
        let mut known = self.positions.lock().unwrap();
        let at = known.iter().position(|p| p.id == id);
        at.map(|at| drop(known.remove(at))).ok_or_else(|| QueryError::UnknownPosition { id: id.to_owned() })
    }
    fn notices(&self, position: Option<&str>, _: Option<Ts>, limit: usize) -> Result<Vec<PositionNotice>, QueryError> {
        let known = self.positions.lock().unwrap();
        let of = known.iter().filter(|p| position.is_none_or(|id| p.id == id));
        Ok(of.take(limit).map(notice).collect())
    }
}

impl World {
    fn market(&self, id: &InstrumentName, as_of: Option<Ts>, now: Ts) -> MarketView {
        let newest = self.newest(id, None, as_of).ok();
        let stream = |metric: Metric, source: &str, cadence_s| {
            let newest_event = newest.as_ref().map(|s| s.timestamp);
            StreamView {
                metric: metric.name(),
                unit: metric.unit(),
                source: source.to_owned(),
                kind: Kind::Measured,
                cadence_s,
                delay_s: 5,
                stamp: Stamp::Instant,
                max_age_s: 300,
                newest_event,
                age_s: newest_event.map(|t| (now - t).as_secs()),
            }
        };
        MarketView {
            instrument: id.clone(),
            kind: if id.venue.as_str() == "coinbase" { MarketKind::Spot } else { MarketKind::Perpetual },
            first_minute: newest.as_ref().map(|_| START),
            last_minute: newest.as_ref().map(|s| s.timestamp),
            label: newest.as_ref().map(|s| s.regimes.risk.label),
            trend: None,
            volatility: None,
            heat: None,
            since: newest.as_ref().map(|s| s.regimes.risk.since),
            recorded_until: None,
            stale: false,
            age_s: newest.as_ref().map(|s| (now - s.timestamp).as_secs()),
            streams: match id.venue.as_str() {
                "coinbase" => vec![stream(Metric::Bar, "coinbase", 60)],
                venue => vec![
                    stream(Metric::FundingRate, venue, 60),
                    stream(Metric::OpenInterest, venue, 300),
                    stream(Metric::OpenInterest, "hyperliquid-archive", 300),
                ],
            },
        }
    }
}
