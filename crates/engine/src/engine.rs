//! `step(event)` in, rows out: the only way anything reaches the features.

use crate::calendar::{Applied, Calendar};
use crate::features::ReadinessSettings;
use crate::liquidity::{LevelHappening, Named};
use crate::market::{FeedRoute, MarketState};
use crate::models::{FitRequest, ModelPolicy, ModelUpdate, Runner};
use crate::rules::RuleBook;
use barograph_domain::{
    CalendarEntry, Event, Instrument, InstrumentName, KnownAlert, LevelChange, Metric, MinuteRow, Payload, Span,
    StreamDecl, StreamIndex,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an engine is configured with. The book carries every number that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// The rule book.
    pub book: Arc<RuleBook>,
    /// Statistical models: of which markets, and who fits them.
    pub models: ModelPolicy,
    /// What is scheduled, as far as it is known; `None`: there is no calendar. Each entry counts from when it was known.
    pub calendar: Option<Arc<Calendar>>,
}

impl Config {
    /// A book, without models.
    #[must_use]
    pub fn new(book: Arc<RuleBook>) -> Self {
        Self { book, models: ModelPolicy::default(), calendar: None }
    }

    /// Readiness as the book sets it.
    #[must_use]
    pub fn settings(&self) -> ReadinessSettings {
        ReadinessSettings {
            span_min: self.book.span_min,
            coverage_min: self.book.coverage_min,
            allow_proxy: self.book.allow_proxy,
            sessions: self.book.sessions,
        }
    }
}

/// Rows made by the latest steps. Rows are kept and reused: after warm-up nothing allocates.
#[derive(Debug)]
pub struct Outputs {
    rows: Vec<MinuteRow>,
    used: usize,
    /// What happened to levels, with the place of the row it belongs to.
    levels: Vec<(usize, LevelOut)>,
    alerts: Vec<AlertOut>,
}

/// A record of an alert of one market.
#[derive(Clone, PartialEq, Debug)]
pub struct AlertOut {
    /// Position of the market in the run's list.
    pub instrument: u32,
    /// The record and when it was known.
    pub known: KnownAlert,
}

/// Minutes made before somebody takes them: 240 rows of 6 kB.
pub const AT_ONCE: Span = Span::hours(4);

/// Changes of levels there is room for at once.
const LEVELS_ROOM: usize = 256;

impl Default for Outputs {
    fn default() -> Self {
        Self { rows: Vec::new(), used: 0, levels: Vec::with_capacity(LEVELS_ROOM), alerts: Vec::new() }
    }
}

/// Something that happened to a level of a market, or a level that stands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LevelOut {
    /// Position of the market in the run's list.
    pub instrument: u32,
    /// Timeframe of its bars.
    pub timeframe: Span,
    /// What happened and the level after it.
    pub change: LevelHappening,
}

impl LevelOut {
    /// The change as it is published, with the name-based id.
    #[must_use]
    pub fn published(&self, instrument: &InstrumentName) -> LevelChange {
        self.change.published(&Named { instrument: &instrument.to_string(), timeframe: self.timeframe, tick: None })
    }
}

impl Outputs {
    /// Rows made since the last [`Self::clear`], in order of time within each instrument.
    #[must_use]
    #[inline]
    pub fn rows(&self) -> &[MinuteRow] {
        &self.rows[..self.used]
    }

    /// The same, for callers that add what the engine does not know.
    pub fn rows_mut(&mut self) -> &mut [MinuteRow] {
        &mut self.rows[..self.used]
    }

    /// What happened to levels in the minute of the row at `place`, in order.
    pub fn levels(&self, place: usize) -> impl Iterator<Item = &LevelOut> {
        let start = self.levels.partition_point(|(row, _)| *row < place);
        self.levels[start..].iter().take_while(move |(row, _)| *row == place).map(|(_, level)| level)
    }

    /// Adds something that happened to a level in the minute of the next row.
    pub(crate) fn push_level(&mut self, level: LevelOut) {
        self.levels.push((self.used, level));
    }

    /// Records of alerts since the last [`Self::clear`], in order; one that an event made comes before the row of its minute.
    #[must_use]
    pub fn alerts(&self) -> &[AlertOut] {
        &self.alerts
    }

    /// Adds a record of an alert.
    pub fn push_alert(&mut self, alert: AlertOut) {
        self.alerts.push(alert);
    }

    /// Forgets the rows and keeps their memory. Called after every event, of which few make anything.
    #[inline]
    pub fn clear(&mut self) {
        self.used = 0;
        self.levels.clear();
        if !self.alerts.is_empty() {
            self.alerts.clear();
        }
    }

    pub(crate) fn next_row(&mut self) -> &mut MinuteRow {
        if self.used == self.rows.len() {
            self.rows.push(MinuteRow::bare(barograph_domain::Ts(0)));
        }
        self.used += 1;
        &mut self.rows[self.used - 1]
    }
}

/// Instant and price of a row on a whole hour.
fn whole_hour(row: &MinuteRow) -> Option<(barograph_domain::Ts, f64)> {
    (row.ts.floor(Span::hours(1)) == row.ts).then_some(row.ts).zip(row.price)
}

/// The engine over any number of markets. Markets do not see each other, so any partition gives the same rows.
#[derive(Clone, Debug)]
pub struct Engine {
    config: Config,
    streams: Vec<StreamDecl>,
    /// Market and place of every stream.
    routes: Vec<Option<(usize, FeedRoute)>>,
    markets: Vec<MarketState>,
}

/// State that goes to a checkpoint; streams and book are checked against it on load. Borrowed while it is written: a
/// thousand markets are not held twice.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedEngine<'a> {
    format: u32,
    book: String,
    streams: Cow<'a, [StreamDecl]>,
    markets: Cow<'a, [MarketState]>,
    calendar: Option<Cow<'a, Calendar>>,
}

/// Version of [`SavedEngine`]; raised whenever any saved structure changes.
const SAVED_FORMAT: u32 = 17;

/// Why a checkpoint cannot be used. The caller falls back to replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RestoreError {
    /// Not a checkpoint, or damaged.
    Unreadable,
    /// Written by a build with other state.
    OtherFormat,
    /// Written with other streams or another rule book.
    OtherRun,
}

impl core::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "the checkpoint is damaged",
            Self::OtherFormat => "the checkpoint was written by another version",
            Self::OtherRun => "the checkpoint belongs to other streams or another rule book",
        })
    }
}
impl std::error::Error for RestoreError {}

impl Engine {
    /// An engine for these instruments and declared streams (sorted, as [`StreamIndex`] counts them).
    #[must_use]
    pub fn new(config: Config, instruments: &[Instrument], streams: &[StreamDecl]) -> Self {
        let mut engine = Self { config, streams: Vec::new(), routes: Vec::new(), markets: Vec::new() };
        engine.add(instruments, streams);
        engine
    }

    /// Adds instruments with all their streams, behind those there are: a live process takes up new markets without stopping
    /// the others. Stream indexes go on counting.
    pub fn add(&mut self, instruments: &[Instrument], streams: &[StreamDecl]) {
        let first = self.streams.len();
        self.streams.extend_from_slice(streams);
        self.routes.resize(self.streams.len(), None);
        let mut of: BTreeMap<&InstrumentName, Vec<(StreamIndex, &StreamDecl)>> = BTreeMap::new();
        for (at, decl) in (first..).zip(streams) {
            #[expect(clippy::expect_used, reason = "a run is planned in streams that an index can count")]
            let index = StreamIndex(u16::try_from(at).expect("at most 65,536 streams in one process"));
            of.entry(&decl.instrument).or_default().push((index, decl));
        }
        for instrument in instruments {
            #[expect(clippy::expect_used, reason = "fewer markets than streams")]
            let index = u32::try_from(self.markets.len()).expect("few markets");
            let own = of.remove(&instrument.name).unwrap_or_default();
            let (market, placed) = MarketState::new(index, instrument, &own, &self.config);
            for (stream, route) in placed {
                self.routes[stream.index()] = Some((self.markets.len(), route));
            }
            self.markets.push(market);
        }
        for (stream, decl) in of.into_values().flatten() {
            self.join(stream, decl);
        }
    }

    /// A spot market came later than a contract of it: its price is a stream of that contract from now on.
    fn join(&mut self, stream: StreamIndex, decl: &StreamDecl) {
        let mut known = self.streams.iter().zip(&self.routes).filter(|(d, _)| d.instrument == decl.instrument);
        let Some(at) = known.find_map(|(_, route)| route.map(|(market, _)| market)) else { return };
        if decl.metric == Metric::SpotPrice
            && let Some(market) = self.markets.get_mut(at)
        {
            self.routes[stream.index()] = Some((at, market.join_spot(stream, decl, &self.config)));
        }
    }

    /// Position of the market that a stream belongs to.
    #[must_use]
    pub fn market_of(&self, stream: StreamIndex) -> Option<usize> {
        self.routes.get(stream.index()).copied().flatten().map(|(market, _)| market)
    }

    /// Whether anything is made of a stream's facts; what only the store keeps leads nowhere here.
    #[must_use]
    pub fn reads(&self, stream: StreamIndex) -> bool {
        self.routes.get(stream.index()).copied().flatten().is_some_and(|(_, route)| route != FeedRoute::Unused)
    }

    /// A market as it is now, to begin a catch-up from.
    #[must_use]
    pub fn market(&self, at: usize) -> Option<&MarketState> {
        self.markets.get(at)
    }

    /// A market of this engine as it was at its very beginning.
    #[must_use]
    pub fn fresh_market(&self, at: usize, instrument: &Instrument) -> Option<MarketState> {
        let index = u32::try_from(at).ok().filter(|_| at < self.markets.len())?;
        let own: Vec<(StreamIndex, &StreamDecl)> = (0_u16..)
            .zip(&self.streams)
            .filter(|(_, d)| d.instrument == instrument.name)
            .map(|(i, d)| (StreamIndex(i), d))
            .collect();
        Some(MarketState::new(index, instrument, &own, &self.config).0)
    }

    /// Puts in place of a market what it would be had it known `history` all along: `base` (an earlier state of the same
    /// market) goes through these events, in the total order, up to the minute the market has reached. Rows made on the way
    /// are not published: what was published stays as it is, and only minutes to come are made from the fuller past. `base` may
    /// come from a checkpoint: what it derives is made again. Handed back are the prices of the whole hours passed.
    pub fn catch_up(&mut self, at: usize, base: MarketState, history: &[Event]) -> Vec<(barograph_domain::Ts, f64)> {
        let mut hours = Vec::new();
        let Some(reached) = self.markets.get(at).map(|m| m.next_tick()) else { return hours };
        let mut market = base;
        market.reread(&self.config);
        let mut unseen = Outputs::default();
        for event in history {
            let Some(Some((owner, route))) = self.routes.get(event.stream.index()).copied() else { continue };
            if owner != at {
                continue;
            }
            while market.advance_some(event.recv_ts, AT_ONCE, &self.config, &self.streams, &mut unseen) {
                hours.extend(unseen.rows().iter().filter_map(whole_hour));
                unseen.clear();
            }
            market.advance(event.recv_ts, &self.config, &self.streams, &mut unseen);
            market.apply(event, route, self.streams[event.stream.index()].delay, &self.config, &mut unseen);
            hours.extend(unseen.rows().iter().filter_map(whole_hour));
            unseen.clear();
        }
        if let Some(reached) = reached {
            market.reach(reached, &self.config, &self.streams, &mut unseen);
            hours.extend(unseen.rows().iter().filter_map(whole_hour));
        }
        market.adopt_episodes(&self.markets[at]);
        if let (Some(new), Some(old)) = (&mut market.models, &self.markets[at].models) {
            new.adopt(old);
        }
        self.markets[at] = market;
        hours
    }

    /// A market that is no longer listened to makes no rows until something arrives for it again.
    pub fn rest(&mut self, at: usize) {
        if let Some(market) = self.markets.get_mut(at) {
            market.rest();
        }
    }

    /// Ends every alert that is open, each with a record that says so: nothing follows them any more, because windows begin anew.
    pub fn end_episodes(&mut self, ts: barograph_domain::Ts, out: &mut Outputs) {
        for market in &mut self.markets {
            market.end_episodes(ts, &self.config, out);
        }
    }

    /// The declared streams, in the order of their indexes.
    #[must_use]
    pub fn streams(&self) -> &[StreamDecl] {
        &self.streams
    }

    /// Adds some of the rows that an event makes due in the market at `at` to `out`, where they reach over more than
    /// [`AT_ONCE`]. Asked until it says false, with `out` emptied in between, a hole of any length takes the same memory.
    pub fn approach(&mut self, at: usize, recv_ts: barograph_domain::Ts, out: &mut Outputs) -> bool {
        let Some(market) = self.markets.get_mut(at) else { return false };
        market.advance_some(recv_ts, AT_ONCE, &self.config, &self.streams, out)
    }

    /// Takes one event, in the total order; rows that became due before it are added to `out`.
    #[inline]
    pub fn step(&mut self, event: &Event, out: &mut Outputs) {
        if event.payload == Payload::Tick {
            return self.pass(event.recv_ts, out);
        }
        let Some(Some((at, route))) = self.routes.get(event.stream.index()) else { return };
        let Some(market) = self.markets.get_mut(*at) else { return };
        market.advance(event.recv_ts, &self.config, &self.streams, out);
        market.apply(event, *route, self.streams[event.stream.index()].delay, &self.config, out);
    }

    /// Time passed in every market.
    fn pass(&mut self, recv_ts: barograph_domain::Ts, out: &mut Outputs) {
        for market in &mut self.markets {
            market.advance(recv_ts, &self.config, &self.streams, out);
        }
    }

    /// From now on other markets have models. One that had some and shall goes on with them.
    pub fn set_models(&mut self, policy: ModelPolicy, instruments: &[Instrument]) {
        for ((at, market), instrument) in self.markets.iter_mut().enumerate().zip(instruments) {
            match (policy.markets.includes(at, &instrument.name), &market.models) {
                (true, None) => market.models = Some(Box::new(Runner::new(instrument.name.clone()))),
                (false, Some(_)) => market.models = None,
                (true, Some(_)) | (false, None) => {}
            }
        }
        self.config.models = policy;
    }

    /// A fit that a market wants from outside; the first in the order of markets.
    #[must_use]
    pub fn fit_wanted(&self) -> Option<FitRequest> {
        self.markets.iter().filter_map(|m| m.models.as_ref()).filter(|m| m.awaits()).find_map(|m| m.wanted())
    }

    /// A fit came at `at`, in the total order as any event: minutes due before it are made without it. One of a market that
    /// has no models is passed over.
    ///
    /// # Errors
    /// A sentence, when the fit saw what came after `at`.
    pub fn update_model(
        &mut self,
        at: barograph_domain::Ts,
        update: &ModelUpdate,
        out: &mut Outputs,
    ) -> Result<(), String> {
        let owner =
            self.markets.iter_mut().find(|m| m.models.as_ref().is_some_and(|r| *r.instrument() == update.instrument));
        let Some(market) = owner else { return Ok(()) };
        market.advance(at, &self.config, &self.streams, out);
        match &mut market.models {
            Some(models) => models.enter(at, update.clone()),
            None => Ok(()),
        }
    }

    /// Word of a scheduled event came at `at`, in the total order as any event: minutes due before it are made without it.
    ///
    /// # Errors
    /// A sentence, when it says that it was known before `at`: minutes that could have known it are made already.
    pub fn update_calendar(
        &mut self,
        at: barograph_domain::Ts,
        entry: &CalendarEntry,
        out: &mut Outputs,
    ) -> Result<Applied, String> {
        if entry.known_ts < at {
            return Err(format!("'{}' comes at {at} and says it was known at {}", entry.id, entry.known_ts));
        }
        for market in &mut self.markets {
            market.advance(at, &self.config, &self.streams, out);
        }
        self.markets.iter_mut().for_each(MarketState::forget_event);
        let calendar = self.config.calendar.get_or_insert_with(Arc::default);
        Ok(Arc::make_mut(calendar).apply(entry.clone()))
    }

    /// What is scheduled, as far as it is known; `None` where there is no calendar.
    #[must_use]
    pub fn calendar(&self) -> Option<&Calendar> {
        self.config.calendar.as_deref()
    }

    /// Makes the last minute of every market, as far as it is over at `now`; called once, at the end of the input.
    pub fn finish(&mut self, now: barograph_domain::Ts, out: &mut Outputs) {
        for market in &mut self.markets {
            market.finish(now, &self.config, &self.streams, out);
        }
    }

    /// The markets, for what is not in rows.
    #[must_use]
    pub fn markets(&self) -> &[MarketState] {
        &self.markets
    }

    /// State as bytes: restoring them and going on equals never having stopped.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "writing plain data to memory cannot fail")]
        postcard::to_allocvec(&self.state()).expect("plain data serialises")
    }

    /// As [`Self::save`], to be written as part of something larger.
    #[must_use]
    pub fn state(&self) -> SavedEngine<'_> {
        SavedEngine {
            format: SAVED_FORMAT,
            book: crate::rules::logic_version(&self.config.book, ""),
            streams: Cow::Borrowed(&self.streams),
            markets: Cow::Borrowed(&self.markets),
            calendar: self.config.calendar.as_deref().map(Cow::Borrowed),
        }
    }

    /// An engine that goes on where [`Self::save`] left off.
    ///
    /// # Errors
    /// When the bytes are damaged or belong to another run; nothing is restored then.
    pub fn restore(
        config: Config,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        bytes: &[u8],
    ) -> Result<Self, RestoreError> {
        let (format, _rest): (u32, _) = postcard::take_from_bytes(bytes).map_err(|_e| RestoreError::Unreadable)?;
        if format != SAVED_FORMAT {
            return Err(RestoreError::OtherFormat);
        }
        let saved = postcard::from_bytes(bytes).map_err(|_e| RestoreError::Unreadable)?;
        Self::from_state(config, instruments, streams, saved)
    }

    /// An engine that goes on where [`Self::state`] was taken.
    ///
    /// # Errors
    /// When it belongs to another run or was made by another version.
    pub fn from_state(
        config: Config,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        saved: SavedEngine<'_>,
    ) -> Result<Self, RestoreError> {
        if saved.format != SAVED_FORMAT {
            return Err(RestoreError::OtherFormat);
        }
        if saved.book != crate::rules::logic_version(&config.book, "")
            || *saved.streams != *streams
            || saved.markets.len() != instruments.len()
        {
            return Err(RestoreError::OtherRun);
        }
        let mut engine = Self::new(config, instruments, streams);
        // A run over files brings a calendar that holds the saved one.
        if engine.config.calendar.is_none() {
            engine.config.calendar = saved.calendar.map(|c| Arc::new(c.into_owned()));
        }
        engine.markets = saved.markets.into_owned();
        for market in &mut engine.markets {
            market.reread(&engine.config);
        }
        engine.set_models(engine.config.models.clone(), instruments);
        Ok(engine)
    }
}
