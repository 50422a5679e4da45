//! The board of this process: turns the table that the HTTP surface publishes.
//!
//! One thread turns it up to five times a second. Slow cells are made once per minute row and market, the price and the state of
//! streams come from the live board under its own short locks; nothing is copied of a market that has not moved. What lies
//! before this process — the last hour, the price a day ago, open episodes — is read from the store a few markets per turn.

mod alerts;
mod cells;
mod health;
mod lost;
mod past;
mod reading;

use super::{Latest, Service};
use crate::positions::WatchedStops;
use crate::render::Lens;
pub use alerts::AlertBook;
use barograph_api::board::{Cells, Column, DataState, HeaderView, Hub, SetWith, Table, Value, flags};
use barograph_api::feeds::FeedsPulse;
use barograph_api::live::DataOrigin;
use barograph_domain::health::HealthScore;
use barograph_domain::{GapReason, InstrumentName, Metric, Reason, Span, StatusState, Ts};
use barograph_engine::explain::PresentReading;
use barograph_engine::explain::headline::Held;
use barograph_store::RunKey;
use bytes::Bytes;
use cells::{RenderedRow, base, change, origin_of};
use health::{HealthOfAll, Weighed};
use lost::{is_lost, required};
use past::{Trail, changes};
use reading::PastState;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// At most so often.
pub const EVERY: Span = Span::millis(200);
/// Updates while somebody follows it.
const UPDATES_A_SECOND: usize = 5;
/// How often it is reported how venues, queues and streams do.
const PULSE_EVERY: Span = Span::secs(5);
/// Rows are as of now while the newest is not older than this.
const FRESH: Span = Span::mins(3);

/// The board and what it is turned from.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) hub: Arc<Hub>,
    pub(super) alerts: Mutex<AlertBook>,
    health: HealthOfAll,
    /// Raised when a market or a minute comes.
    news: AtomicU64,
    /// What of the store cannot be read, until somebody has said it.
    unreadable: Mutex<Vec<String>>,
    keeper: Mutex<Keeper>,
}

/// What is remembered from turn to turn.
#[derive(Debug, Default)]
struct Keeper {
    seen: u64,
    markets: Vec<Kept>,
    /// Number in the table by place on the live board.
    places: Vec<Option<usize>>,
    /// Markets on the live board when `places` was made.
    grown: usize,
    /// States of all streams, by place and position.
    states: Vec<Vec<StatusState>>,
    second: i64,
    /// When it was published last how venues, queues and streams do.
    pulsed: Ts,
    /// From when to when minutes are stored.
    reach: Option<(Ts, Ts)>,
    /// Generation of the counters, and markets, when they were shown last.
    alerts: (u64, usize),
    /// Where the next look at staleness begins.
    next: usize,
    /// Where the next reading of the store begins.
    next_read: usize,
}

#[derive(Debug)]
struct Kept {
    name: InstrumentName,
    latest: Option<Arc<Latest>>,
    /// Its cells are to be made anew.
    moved: bool,
    /// The hour before it was followed.
    minutes: PastState,
    trail: Trail,
    /// The price a day before the row.
    base: Option<f64>,
    /// Bits of [`flags`] as the row has them.
    flags: i64,
    /// What its cells and headline were made from that moves while no minute comes.
    reading: Option<PresentReading>,
    /// What its health is made of.
    weighed: Option<Weighed>,
    /// The worst placed position, as its headline has it.
    held: Option<Held>,
    /// Its headline without that position, where there is one.
    impersonal: Option<String>,
    /// Metrics whose loss is the market's.
    required: Vec<Metric>,
    /// Records of its alerts.
    alerts: PastState,
}

impl Board {
    pub(super) fn new() -> Self {
        Self {
            hub: Hub::new(DataOrigin::Measured),
            alerts: Mutex::default(),
            health: HealthOfAll::default(),
            news: AtomicU64::new(1),
            unreadable: Mutex::default(),
            keeper: Mutex::default(),
        }
    }

    /// What of the store turned out to be damaged since the last call, one line each.
    pub(super) fn take_unreadable(&self) -> Vec<String> {
        core::mem::take(&mut *self.unreadable.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A market or a minute has come.
    pub(super) fn news(&self) {
        self.news.fetch_add(1, Ordering::Release);
    }
}

impl Service {
    /// Turns the board, unless that has just been done.
    pub fn update_board(&self) {
        let now = self.clock.now();
        let mut keeper = self.board.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        if now.0 >= self.board.hub.updated().0 && now.0 - self.board.hub.updated().0 < EVERY.0 {
            return;
        }
        let news = self.board.news.load(Ordering::Acquire);
        let came = keeper.seen != news;
        keeper.seen = news;
        let mut told = Vec::new();
        if came {
            keeper.take_in(self, &mut told);
        }
        let unreadable = keeper.read_past(self, &self.board.alerts, now);
        self.board.unreadable.lock().unwrap_or_else(PoisonError::into_inner).extend(unreadable);
        keeper.check_stale(now, now - self.board.hub.updated());
        keeper.mark_alerted(&self.board.alerts);
        let rendered = keeper.render(self, &self.stops(), now);
        let second = now.0.div_euclid(1_000_000_000);
        let each_second = keeper.second != second;
        keeper.second = second;
        let origin = came.then(|| self.origin());
        self.publish_dispatched();
        self.board.hub.update(now, |table| {
            if let Some(origin) = origin {
                table.of_origin(origin);
                table.reaches(keeper.reach);
            }
            keeper.set(table, rendered);
            keeper.set_live(self, table);
            keeper.count(self, table, now);
            told.into_iter().for_each(|change| table.changed(change));
            for kept in &mut keeper.markets {
                kept.trail.changes.drain(..).for_each(|change| table.remember(change));
            }
        });
        if each_second && self.board.hub.feeds_wanted() {
            self.publish_feeds(&mut keeper, now);
            if now < keeper.pulsed || now - keeper.pulsed >= PULSE_EVERY {
                keeper.pulsed = now;
                // Words and finite numbers: writing them cannot fail.
                self.board.hub.venues(&serde_json::to_vec(&self.pulse_now()).unwrap_or_default());
            }
        }
    }

    /// Rows of the board, brought up to date, as they read for somebody without a position: others may read what leaves this process.
    pub(super) fn impersonal_rows(&self, of: &[InstrumentName]) -> Vec<(InstrumentName, Bytes)> {
        self.update_board();
        // Held while the rows are written, so that no update comes between the two.
        let keeper = self.board.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let own = keeper.markets.iter().filter_map(|k| Some((&k.name, k.impersonal.as_deref()?)));
        self.board.hub.named_rows(of, &own.collect())
    }

    /// How everything that listens does; where nothing is listened to, what is stored.
    pub(super) fn pulse_now(&self) -> FeedsPulse {
        let now = self.clock.now();
        let pulse = self.live.as_ref().map(|live| live.pulse(now)).unwrap_or_default();
        FeedsPulse { t: now.as_millis(), storage: self.storage(), ..pulse }
    }

    /// The health of a market as the board had it last, where it has come to it.
    pub(super) fn health_on_board(&self, market: &InstrumentName) -> Option<Arc<HealthScore>> {
        self.board.health.of(market)
    }

    /// Does anybody follow the board?
    pub fn board_is_followed(&self) -> bool {
        self.board.hub.heard()
    }

    /// Where the data come from, as the live process or the stored streams say it.
    pub(super) fn origin(&self) -> DataOrigin {
        if let Some(live) = &self.live {
            return live.origin();
        }
        let newest = self.newest_of_all();
        origin_of(newest.iter().flat_map(|l| l.lens.streams.iter()))
    }

    /// Reports the streams whose state has changed since the last second.
    fn publish_feeds(&self, keeper: &mut Keeper, now: Ts) {
        let Some(live) = &self.live else { return };
        let mut changed: Vec<FeedLine> = Vec::new();
        live.board().each_place(|place, market| {
            if keeper.states.len() <= place {
                keeper.states.resize(place + 1, Vec::new());
            }
            let states = &mut keeper.states[place];
            for (at, s) in market.streams.iter().enumerate() {
                if states.get(at) == Some(&s.state) {
                    continue;
                }
                states.resize(states.len().max(at + 1), s.state);
                states[at] = s.state;
                let reason = (s.state != StatusState::Live).then(|| GapReason::word(s.reason));
                let age = s.last.map(|last| (now - last.event_ts).0.max(0) / 1_000_000);
                changed.push(FeedLine(s.decl.instrument.to_string(), s.decl.metric.name(), s.state, reason, age));
            }
        });
        if !changed.is_empty() {
            // Words and whole numbers: writing them cannot fail.
            self.board.hub.feeds(&serde_json::to_vec(&changed).unwrap_or_default());
        }
    }
}

impl Kept {
    fn new(name: InstrumentName) -> Self {
        Self {
            name,
            latest: None,
            moved: true,
            minutes: PastState::Unread,
            trail: Trail::default(),
            base: None,
            flags: flags::WARMING,
            reading: None,
            weighed: None,
            held: None,
            impersonal: None,
            required: Vec::new(),
            alerts: PastState::Unread,
        }
    }

    fn key(&self) -> Option<RunKey> {
        let logic_version = self.latest.as_ref()?.lens.logic_version.clone();
        Some(RunKey { instrument: self.name.clone(), logic_version })
    }

    /// Its health; `None` while its last hour or its alerts are still to be read. Kept for whoever asks about this market.
    fn health(&self, service: &Service, now: Ts) -> Option<HealthScore> {
        let Some(weighed) = self.weighed.as_ref().filter(|_| !self.lacks_past()) else {
            service.board.health.forget(&self.name);
            return None;
        };
        // Of an hour that is being read again the half would be missing: what was known is shown until then.
        if self.minutes == PastState::Again {
            return service.board.health.of(&self.name).map(|known| HealthScore::clone(&known));
        }
        let health = {
            let book = service.board.alerts.lock().unwrap_or_else(PoisonError::into_inner);
            weighed.health(&self.trail, &book, now)
        };
        service.board.health.set(&self.name, health.clone());
        Some(health)
    }

    fn price_of_row(&self) -> Value {
        self.latest.as_ref().and_then(|l| l.row.price).map_or(Value::Null, |x| Column::Price.number(x))
    }
}

impl Keeper {
    /// Takes in new markets and minutes; what changed with them is reported.
    fn take_in(&mut self, service: &Service, told: &mut Vec<barograph_api::board::ChangeView>) {
        let newest: BTreeMap<InstrumentName, Arc<Latest>> =
            service.newest_of_all().into_iter().map(|l| (l.lens.instrument.name.clone(), l)).collect();
        let known: BTreeMap<InstrumentName, usize> =
            self.markets.iter().enumerate().map(|(i, k)| (k.name.clone(), i)).collect();
        let first = newest.values().map(|l| l.first).min();
        self.reach = first.zip(newest.values().map(|l| l.row.ts).max());
        for name in barograph_api::AskMarkets::instruments(service).iter().filter(|n| !known.contains_key(*n)) {
            self.markets.push(Kept::new(name.clone()));
            self.grown = 0;
        }
        for kept in &mut self.markets {
            let Some(latest) = newest.get(&kept.name) else { continue };
            if kept.latest.as_ref().is_some_and(|held| Arc::ptr_eq(held, latest)) {
                continue;
            }
            let before = kept.latest.as_ref().map(|held| &held.row).filter(|row| row.ts < latest.row.ts);
            // A minute that came while nobody looked stands between: what it changed is reported with it.
            let between = latest.previous.as_ref().filter(|p| before.is_some_and(|b| b.ts < p.ts));
            let steps: Vec<_> = [before, between, Some(&latest.row)].into_iter().flatten().collect();
            for pair in steps.windows(2) {
                told.extend(changes(&kept.name, pair[0], pair[1]));
            }
            for row in between.into_iter().chain([&latest.row]) {
                // Minutes that did not come by here, or came otherwise: the store has them.
                if !kept.trail.goes_on_with(row) {
                    kept.minutes.read_again();
                }
                kept.trail.close(row, &latest.lens);
            }
            kept.required = required(&latest.row, &latest.lens.streams);
            kept.latest = Some(Arc::clone(latest));
            kept.moved = true;
            // Nobody here hears when another process begins or ends an episode.
            if service.live.is_none() {
                kept.alerts.read_again();
            }
        }
    }

    /// Inputs grow old without any minute coming: a part of the markets is looked at in each turn, all within a second. Ages move once
    /// a minute at most, those of days once an hour. `passed`: since the last turn; where nobody looks, turns are rare.
    fn check_stale(&mut self, now: Ts, passed: Span) {
        let count = self.markets.len();
        let turns = usize::try_from(passed.0 / EVERY.0).unwrap_or(1).clamp(1, UPDATES_A_SECOND);
        for _ in 0..(count.div_ceil(UPDATES_A_SECOND) * turns).min(count) {
            let Some(kept) = self.markets.get_mut(self.next % count) else { break };
            self.next = (self.next + 1) % count;
            if let Some(latest) = &kept.latest {
                kept.moved |= kept.reading != Some(latest.lens.reading_at_present(&latest.row, now));
            }
        }
    }

    /// Alerts of a market have changed, and with them its health.
    fn mark_alerted(&mut self, book: &Mutex<AlertBook>) {
        let changed = book.lock().unwrap_or_else(PoisonError::into_inner).take_changed();
        for kept in self.markets.iter_mut().filter(|kept| changed.contains(&kept.name)) {
            kept.moved = true;
        }
    }

    /// The cells of the markets that moved.
    fn render(&mut self, service: &Service, stops: &WatchedStops, now: Ts) -> Vec<(usize, RenderedRow)> {
        let mut all = Vec::new();
        for kept in &mut self.markets {
            let held = kept.latest.as_ref().and_then(|l| stops.held(&kept.name, &l.row));
            kept.moved |= held != kept.held;
            kept.held = held;
        }
        for (i, kept) in self.markets.iter_mut().enumerate().filter(|(_, k)| k.moved) {
            kept.moved = false;
            kept.impersonal = None;
            let mut rendered = match &kept.latest {
                Some(l) => {
                    let shown = |lens: &Lens| {
                        let is_listened = || service.is_listened(&kept.name);
                        lens.at_present_or_end(&l.row, l.previous.as_ref(), now, is_listened)
                    };
                    let lens = l.lens.holding(kept.held);
                    let snapshot = shown(&lens);
                    kept.weighed = Some(Weighed::new(&lens, &l.row, l.first, &snapshot));
                    let rendered = RenderedRow::of(&lens, &l.row, &snapshot);
                    kept.impersonal = kept.held.map(|_| shown(&l.lens.holding(None)).headline);
                    rendered
                }
                None => RenderedRow::nothing(),
            };
            if let Some(health) = kept.health(service, now) {
                rendered.healthy(&health);
            } else {
                rendered.reasons.push((Column::Health, Reason::Warming.name()));
            }
            kept.flags = rendered.cells[Column::Flags as usize].whole().unwrap_or(0);
            kept.base = kept.latest.as_ref().and_then(|l| base(&l.row).ok());
            kept.reading = kept.latest.as_ref().map(|l| l.lens.reading_at_present(&l.row, now));
            all.push((i, rendered));
        }
        all
    }

    /// Sets what comes from rows.
    fn set(&self, table: &mut Table, rendered: Vec<(usize, RenderedRow)>) {
        for (at, RenderedRow { cells, reasons, headline }) in rendered {
            let kept = &self.markets[at];
            let i = table.admit(&kept.name);
            for spec in Column::ALL.iter().filter(|spec| spec.set_with == SetWith::Minute) {
                table.set(i, spec.column, cells[spec.column as usize]);
            }
            table.explain(i, reasons);
            table.headline(i, &headline);
            if let Some(latest) = &kept.latest {
                table.spark(i, kept.trail.spark(latest.row.ts));
                table.made_by(&latest.lens.logic_version);
            }
        }
    }

    /// Sets prices, changes and flags: from the live board where there is one, else from rows.
    fn set_live(&mut self, service: &Service, table: &mut Table) {
        let Some(live) = &service.live else {
            for kept in &self.markets {
                if let Some(i) = table.place(&kept.name) {
                    put(table, i, kept, kept.price_of_row(), kept.flags);
                }
            }
            return;
        };
        if self.grown != live.board().size() {
            self.grown = live.board().size();
            let of: BTreeMap<&InstrumentName, usize> =
                self.markets.iter().enumerate().map(|(i, k)| (&k.name, i)).collect();
            self.places = live.board().names().iter().map(|name| of.get(name).copied()).collect();
        }
        let mut heard = vec![false; self.markets.len()];
        live.board().each_place(|place, market| {
            let Some(i) = self.places.get(place).copied().flatten() else { return };
            let Some(kept) = self.markets.get(i) else { return };
            heard[i] = true;
            let price = market.price().map_or_else(|| kept.price_of_row(), |x| Column::Price.number(x));
            let lost = if is_lost(market, &kept.required) { flags::LOST } else { 0 };
            put(table, i, kept, price, (kept.flags & !flags::LOST) | lost);
        });
        // Markets of the folder that are not listened to any more.
        for (i, kept) in self.markets.iter().enumerate().filter(|(i, _)| !heard[*i]) {
            put(table, i, kept, kept.price_of_row(), kept.flags);
        }
    }

    /// Sets counts of alerts, and the header.
    fn count(&mut self, service: &Service, table: &mut Table, now: Ts) {
        let mut book = service.board.alerts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.alerts == (book.generation, self.markets.len());
        self.alerts = (book.generation, self.markets.len());
        for (i, kept) in self.markets.iter().enumerate().filter(|_| !known) {
            for (column, value) in open_cells(&book, &kept.name) {
                table.set(i, column, value);
            }
        }
        let newest = self.markets.iter().filter_map(|k| Some(k.latest.as_ref()?.row.ts)).max();
        let (mut header, listened) = header_of(table.cells(), &mut book, now);
        header.data = data_of(header.live, listened, service.live.is_some(), newest.unwrap_or(Ts(0)) + FRESH, now);
        table.header(header);
    }
}

/// Market, metric, state, reason and age in milliseconds of a stream.
#[derive(serde::Serialize)]
struct FeedLine(String, &'static str, StatusState, Option<&'static str>, Option<i64>);

fn put(table: &mut Table, i: usize, kept: &Kept, price: Value, set: i64) {
    table.set(i, Column::Price, price);
    table.set(i, Column::Change24h, change(price, kept.base));
    table.set(i, Column::Flags, Value::Whole(set));
}

/// What a row says of the open alerts of its market.
fn open_cells(book: &AlertBook, market: &InstrumentName) -> [(Column, Value); 2] {
    let whole = |n: usize| Value::Whole(i64::try_from(n).unwrap_or(i64::MAX));
    let (open, experimental) = book.open(market);
    [(Column::OpenAlerts, whole(open)), (Column::OpenExperimental, whole(experimental))]
}

/// Counts markets by their flags; and how many of them are no recordings that have ended.
fn header_of<'a>(cells: impl Iterator<Item = &'a Cells>, book: &mut AlertBook, now: Ts) -> (HeaderView, u32) {
    let mut listened = 0;
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let [cascades, volatility] = book.begun(now);
    let mut header = HeaderView {
        cascades_24h: small(cascades),
        volatility_events_24h: small(volatility),
        open_alerts: small(book.all_open()),
        open_experimental: small(book.all_experimental()),
        ..HeaderView::default()
    };
    for cells in cells {
        let set = cells[Column::Flags as usize].whole().unwrap_or(0);
        header.markets += 1;
        header.lost += u32::from(set & flags::LOST != 0);
        header.live += u32::from(set & (flags::LOST | flags::STALE) == 0);
        listened += u32::from(set & flags::RECORDED == 0);
    }
    (header, listened)
}

/// How the data of the markets that are listened to are; without a live process they are as good as new until `until`.
fn data_of(fresh: u32, listened: u32, live: bool, until: Ts, now: Ts) -> DataState {
    match (fresh, listened) {
        _ if !live && now > until => DataState::Recorded,
        (_, 0) => DataState::Stale,
        (live, markets) if live == markets => DataState::Live,
        (0, _) => DataState::Stale,
        _ => DataState::Degraded,
    }
}
