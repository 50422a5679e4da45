//! Sessions and engine as one deterministic machine: journal records in, rows, facts, gaps and actions out.
//!
//! Live and replay run this same code; the only difference is who hands over the inputs and who takes the outputs. Every
//! input has its own receive stamp, so the order of processing is the order of stamps and the journal can repeat it.

use crate::Error;
use crate::catchup::CatchUps;
use crate::config::LiveConfig;
use crate::due::take_due;
use crate::flows::Flows;
use crate::forecasts::Forecasts;
use crate::hours::Hours;
use crate::samples::Samples;
use crate::setup::Setup;
use barograph_domain::forecast::LedgerTick;
use barograph_domain::{
    CalendarEntry, Event, GapReason, Instrument, InstrumentName, Metric, MinuteRow, Payload, Span, Stamp, Status,
    StatusState, StreamDecl, StreamIndex, Ts, UniverseRow, Venue,
};
use barograph_engine::models::ModelUpdate;
use barograph_engine::{AlertOut, Engine, LevelOut, Outputs};
use barograph_store::LedgerState;
use barograph_venues::session::{
    Action, CloseReason, ConnId, FailReason, Fault, Input, MarketIndex, Origin, Out, RequestId, Session, StreamSpec,
};
use barograph_verify::ledger::Ledger;
use std::collections::BTreeSet;

mod ends;
pub(super) mod facts;
mod history;
mod legs;

use facts::{Heard, status_event};
use history::{catching_up, fetching};

const METRICS: usize = Metric::ALL.len();

/// Takes what the core makes, in order. What an implementation does not take is let go.
pub(crate) trait CoreSink {
    /// A minute of one market is published.
    fn row(&mut self, _row: &MinuteRow) -> Result<(), Error> {
        Ok(())
    }
    /// Something happened to a level in the minute whose row comes next.
    fn level(&mut self, _level: &LevelOut) -> Result<(), Error> {
        Ok(())
    }
    /// A record of an alert: an event's own at once, that of a minute before its row, that of an hour behind it.
    fn alert(&mut self, _alert: &AlertOut) -> Result<(), Error> {
        Ok(())
    }
    /// The same, of the minute whose row comes next: the row says why.
    fn alert_of(&mut self, alert: &AlertOut, _row: &MinuteRow) -> Result<(), Error> {
        self.alert(alert)
    }
    /// Forecasts and outcomes of a minute are published; the rows of that minute came before.
    fn forecasts(&mut self, _tick: LedgerTick) -> Result<(), Error> {
        Ok(())
    }
    /// The ledger before a day that begins.
    fn ledger_state(&mut self, _state: LedgerState) {}
    /// The ledger that processes before this moment have left, for one that begins with nothing else.
    fn ledger_before(&mut self, _at: Ts) -> Result<Option<Ledger>, Error> {
        Ok(None)
    }
    /// An hour between the markets is published; the rows of that hour came before.
    fn hour(&mut self, _row: &UniverseRow) -> Result<(), Error> {
        Ok(())
    }
    /// Word of scheduled events has entered.
    fn scheduled(&mut self, _entries: &[CalendarEntry]) {}
    /// A fact arrived.
    fn fact(&mut self, _event: &Event, _metric: Metric, _origin: Origin) -> Result<(), Error> {
        Ok(())
    }
    /// Continuity of a stream changed.
    fn status(&mut self, _stream: StreamIndex, _status: &Status, _known_ts: Ts) -> Result<(), Error> {
        Ok(())
    }
    /// A venue shall be sent something. Replay ignores it.
    fn action(&mut self, _venue: usize, _action: Action) {}
    /// A fact is stored as a metric point.
    fn sample(&mut self, _event: &Event) {}
    /// Something could not be used.
    fn fault(&mut self, _venue: usize, _fault: &Fault) {}
    /// A market is listened to from now on, or not any more. One who has no such list gets it.
    fn wanted(&mut self, _instrument: u32, _is: bool) {}
    /// The list of instruments or streams has grown.
    fn grown(
        &mut self,
        _instruments: &[Instrument],
        _streams: &[StreamDecl],
        _not_offered: &[StreamDecl],
    ) -> Result<(), Error> {
        Ok(())
    }
}

/// One venue's session with what the engine calls its streams.
pub(crate) struct VenueState {
    pub(crate) id: &'static str,
    pub(crate) session: Box<dyn Session>,
    /// Stream of `market × METRICS + metric`.
    places: Vec<Option<StreamIndex>>,
    /// Instrument of each market.
    pub(crate) instruments: Vec<u32>,
    /// How many of the session's declarations are known here.
    declared: usize,
    /// Open connections.
    pub(super) open: BTreeSet<ConnId>,
    /// Requests without an answer.
    pub(super) asked: BTreeSet<RequestId>,
}

impl core::fmt::Debug for VenueState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("VenueState").field("id", &self.id).field("declared", &self.declared).finish_non_exhaustive()
    }
}

/// The machine.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) setup: Setup,
    pub(crate) config: LiveConfig,
    pub(crate) venues: Vec<VenueState>,
    pub(crate) engine: Engine,
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) streams: Vec<StreamDecl>,
    /// Streams that were wanted and that their venues do not have.
    not_offered: Vec<StreamDecl>,
    /// What is remembered of each stream.
    pub(super) heard: Vec<Heard>,
    /// Whether each instrument's minutes are made here, and the same of each stream.
    pub(crate) mine: (Vec<bool>, Vec<bool>),
    /// Later inputs may make the rows of the next minute.
    due: Ts,
    pub(crate) catchups: CatchUps,
    pub(crate) samples: Samples,
    /// Between the markets.
    pub(crate) hours: Hours,
    /// What minutes assert, and what came of it.
    pub(crate) forecasts: Forecasts,
    /// Patterns in books and trades.
    pub(crate) flows: Flows,
    /// Stamp of the newest input.
    pub(crate) at: Ts,
    out: Out,
    rows: Outputs,
    batch: Vec<(Event, Origin)>,
    /// Streams of spot prices, and the contracts' streams that repeat them.
    legs: Vec<(StreamIndex, StreamIndex)>,
    ripe: Vec<Event>,
    waiting: Vec<Event>,
}

impl Core {
    /// A machine at its beginning. Streams are declared by the sessions; nothing has been received.
    pub(crate) fn new(setup: Setup, config: LiveConfig, at: Ts, sink: &mut dyn CoreSink) -> Result<Self, Error> {
        let engine = Engine::new(config.engine(&setup), &[], &[]);
        let mut core = Self::empty(setup, config, engine, at);
        for one in core.config.venues.clone() {
            let def = one.def()?;
            core.venues.push(VenueState::new(def.id, (def.open)(one.session)));
        }
        for at_venue in 0..core.venues.len() {
            core.declare(at_venue, sink)?;
        }
        if core.setup.share.is_all() {
            sink.ledger_before(at)?.into_iter().for_each(|ledger| core.adopt_ledger(ledger));
        }
        Ok(core)
    }

    /// Nothing but an engine.
    pub(super) fn empty(setup: Setup, config: LiveConfig, engine: Engine, at: Ts) -> Self {
        Self {
            setup,
            config,
            venues: Vec::new(),
            engine,
            instruments: Vec::new(),
            streams: Vec::new(),
            legs: Vec::new(),
            not_offered: Vec::new(),
            heard: Vec::new(),
            mine: (Vec::new(), Vec::new()),
            due: Ts::MIN,
            catchups: CatchUps::default(),
            samples: Samples::default(),
            hours: Hours::default(),
            forecasts: Forecasts::default(),
            flows: Flows::default(),
            at,
            out: Out::default(),
            rows: Outputs::default(),
            batch: Vec::new(),
            ripe: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Takes what a session declares beyond what is known.
    pub(super) fn declare(&mut self, at_venue: usize, sink: &mut dyn CoreSink) -> Result<(), Error> {
        let venue = &mut self.venues[at_venue];
        let specs: Vec<StreamSpec> = venue.session.streams()[venue.declared..].to_vec();
        if specs.is_empty() {
            return Ok(());
        }
        venue.declared += specs.len();
        let markets = &self.config.venues[at_venue].session.markets;
        let source = Venue::new(venue.id).map_err(Error::failed)?;
        let (known, first_stream) = (self.instruments.len(), self.streams.len());
        for spec in &specs {
            if spec.market.index() >= markets.len() {
                return Err(Error::failed(format!(
                    "{} declares market {} of {}",
                    venue.id,
                    spec.market.0,
                    markets.len()
                )));
            }
            while venue.instruments.len() <= spec.market.index() {
                let of = &markets[venue.instruments.len()];
                let name = InstrumentName::new(source.as_str(), &of.symbol).map_err(Error::failed)?;
                // A market that was known before keeps its place: its rows go on.
                let at = self.instruments.iter().position(|i| i.name == name).unwrap_or_else(|| {
                    self.instruments.push(Instrument { name, kind: of.kind, expiry: of.expiry });
                    self.instruments.len() - 1
                });
                venue.instruments.push(u32::try_from(at).map_err(Error::failed)?);
            }
            let decl = StreamDecl {
                instrument: self.instruments[venue.instruments[spec.market.index()] as usize].name.clone(),
                metric: spec.metric,
                kind: spec.kind,
                cadence: spec.cadence,
                source: self.config.origin.clone().unwrap_or_else(|| venue.id.to_owned()),
                delay: spec.delay,
                stamp: if spec.metric == Metric::Bar { Stamp::Close } else { Stamp::Instant },
                filled: spec.filled,
            };
            if !spec.offered {
                self.not_offered.push(decl);
                continue;
            }
            let place = spec.market.index() * METRICS + spec.metric as usize;
            if venue.places.len() <= place {
                venue.places.resize((spec.market.index() + 1) * METRICS, None);
            }
            let index = match self.streams.iter().position(|d| *d == decl) {
                Some(at) => at,
                None => {
                    self.streams.push(decl);
                    self.streams.len() - 1
                }
            };
            let index = u16::try_from(index).map_err(|_e| {
                Error::refused("more than 65,536 streams; record fewer markets or fewer metrics per process".to_owned())
            })?;
            venue.places[place] = Some(StreamIndex(index));
        }
        self.join_legs()?;
        self.heard.extend(self.streams[self.heard.len()..].iter().map(Heard::nothing));
        let share = self.setup.share;
        self.mine.0.extend(self.instruments[self.mine.0.len()..].iter().map(|i| share.has(&i.name)));
        self.mine.1.extend(self.streams[self.mine.1.len()..].iter().map(|d| share.has(&d.instrument)));
        self.engine.add(&self.instruments[known..], &self.streams[first_stream..]);
        self.forecasts.know(&self.instruments);
        self.compare();
        if self.config.venues[at_venue].session.backfill > Span::ZERO {
            self.settle(sink)?;
            for at in (known..self.instruments.len()).filter(|at| self.mine.0[*at]) {
                self.catchups.begin(at, None, self.at);
            }
        }
        sink.grown(&self.instruments, &self.streams, &self.not_offered)
    }

    /// Compares the markets that are to be compared among those there are.
    pub(super) fn compare(&mut self) {
        // Between the markets of several processes somebody else compares.
        let list = if self.setup.share.is_all() { self.config.watch.list(&self.instruments) } else { Vec::new() };
        self.hours.watch(list, &self.config.book, &self.instruments);
    }

    /// Takes one input of one venue.
    pub(crate) fn input(
        &mut self,
        at: Ts,
        at_venue: usize,
        input: &Input<'_>,
        sink: &mut dyn CoreSink,
    ) -> Result<(), Error> {
        self.reach(at, sink)?;
        let Some(venue) = self.venues.get_mut(at_venue) else {
            return Err(Error::failed(format!("the journal names venue number {at_venue}, which was not started")));
        };
        match input {
            Input::Opened { conn, .. } => {
                venue.open.insert(*conn);
            }
            Input::Closed { conn, .. } => {
                venue.open.remove(conn);
            }
            Input::Reply { request, .. } | Input::Failed { request, .. } => {
                venue.asked.remove(request);
            }
            Input::Frame { .. } | Input::Tick | Input::Markets(_) => {}
        }
        let mut out = core::mem::take(&mut self.out);
        venue.session.input(at, input, &mut out);
        if venue.session.streams().len() > venue.declared {
            self.declare(at_venue, sink)?;
        }
        self.facts(at, at_venue, &out.events, sink)?;
        self.flow(at, at_venue, &out, sink)?;
        for action in out.actions.drain(..) {
            if let Action::Request(request) = &action {
                self.venues[at_venue].asked.insert(request.id);
            }
            sink.action(at_venue, action);
        }
        for fault in &out.faults {
            sink.fault(at_venue, fault);
        }
        out.clear();
        self.out = out;
        Ok(())
    }

    /// Markets of which history is still to be fetched or taken up.
    pub(crate) fn fetching(&self) -> usize {
        if self.catchups.len() == 0 {
            return 0;
        }
        let mut waiting = fetching(&self.venues, &self.engine);
        waiting.extend(self.catchups.unread());
        waiting.len()
    }

    /// A fit came.
    pub(crate) fn model(&mut self, at: Ts, update: &ModelUpdate, sink: &mut dyn CoreSink) -> Result<(), Error> {
        self.reach(at, sink)?;
        self.engine.update_model(at, update, &mut self.rows).map_err(Error::failed)?;
        self.drain(sink)
    }

    /// Word of scheduled events came.
    pub(crate) fn scheduled(
        &mut self,
        at: Ts,
        entries: &[CalendarEntry],
        sink: &mut dyn CoreSink,
    ) -> Result<(), Error> {
        self.reach(at, sink)?;
        for entry in entries {
            self.engine.update_calendar(at, entry, &mut self.rows).map_err(Error::failed)?;
        }
        sink.scheduled(entries);
        self.drain(sink)
    }

    /// Position of a venue.
    pub(crate) fn venue(&self, id: &str) -> Option<usize> {
        self.venues.iter().position(|v| v.id == id)
    }

    /// As [`Self::input`], for a venue by its id. One that is not listened to any more is passed over.
    pub(crate) fn named(&mut self, at: Ts, id: &str, input: &Input<'_>, sink: &mut dyn CoreSink) -> Result<(), Error> {
        match self.venue(id) {
            Some(index) => self.input(at, index, input, sink),
            None => Ok(()),
        }
    }

    /// Passes on which of the known markets of a venue are on a list.
    pub(crate) fn pass_on_wanted(
        &self,
        at_venue: usize,
        markets: &[barograph_venues::session::MarketSpec],
        sink: &mut dyn CoreSink,
    ) {
        let wanted: BTreeSet<&str> = markets.iter().map(|m| m.symbol.as_str()).collect();
        let known = &self.config.venues[at_venue].session.markets;
        for (spec, instrument) in known.iter().zip(&self.venues[at_venue].instruments) {
            sink.wanted(*instrument, wanted.contains(spec.symbol.as_str()));
        }
    }

    /// After a restart with another list of markets: what is new is taken up, what is gone rests. The same with models.
    pub(crate) fn reconfigure(&mut self, at: Ts, config: &LiveConfig, sink: &mut dyn CoreSink) -> Result<(), Error> {
        if self.config.models != config.models {
            self.config.models = config.models.clone();
            self.engine.set_models(self.config.models(), &self.instruments);
        }
        if self.config.watch != config.watch {
            self.config.watch = config.watch.clone();
            self.compare();
        }
        for one in &config.venues {
            let Some(index) = self.venue(&one.id) else { continue };
            let known: Vec<&str> =
                self.config.venues[index].session.markets.iter().map(|m| m.symbol.as_str()).collect();
            let wanted: Vec<&str> = one.session.markets.iter().map(|m| m.symbol.as_str()).collect();
            if known != wanted {
                self.markets(at, index, &one.session.markets, sink)?;
            }
        }
        Ok(())
    }

    /// Time passed for everyone: minutes that are due are made first, then the sessions look at their clocks.
    pub(crate) fn tick(&mut self, at: Ts, sink: &mut dyn CoreSink) -> Result<(), Error> {
        self.reach(at, sink)?;
        let tick = Event { recv_ts: at, event_ts: at, stream: StreamIndex(0), seq: 0, payload: Payload::Tick };
        self.engine.step(&tick, &mut self.rows);
        self.drain(sink)?;
        for hour in self.hours.close((&self.setup.book.detectors, &self.setup.book.severity)) {
            sink.hour(&hour.row)?;
            hour.alerts.iter().try_for_each(|alert| sink.alert(alert))?;
            self.forecasts.hour(&hour.row);
        }
        let ticks = if self.setup.share.is_all() { self.forecasts.close() } else { Vec::new() };
        for tick in ticks {
            let told = self.forecasts.judge(&tick, &self.setup.book);
            sink.forecasts(tick)?;
            told.iter().try_for_each(|alert| sink.alert(alert))?;
        }
        if let Some(state) = self.forecasts.state_at_midnight() {
            sink.ledger_state(state);
        }
        // What was true at a minute's end is complete now.
        let mut late = core::mem::take(&mut self.waiting);
        self.samples.take((at - barograph_domain::time::LATENESS).floor(Span::mins(1)), &mut self.ripe, &mut late);
        for event in self.ripe.drain(..) {
            sink.sample(&event);
        }
        self.pass_on_all(late, sink)?;
        for venue in 0..self.venues.len() {
            self.input(at, venue, &Input::Tick, sink)?;
        }
        self.flow_tick(at, sink)?;
        let venues = &self.venues;
        let look = |engine: &Engine| catching_up(venues, engine);
        let known = self.catchups.work(at, &mut self.engine, &self.instruments, look);
        for (market, hours) in known {
            self.hours.remember(market, &hours);
        }
        Ok(())
    }

    /// The process that wrote what came before has ended, and another one goes on here: its connections are gone, its
    /// requests will not be answered, and nobody listened in between.
    pub(crate) fn resume(&mut self, at: Ts, sink: &mut dyn CoreSink) -> Result<(), Error> {
        // Its last sign of life: until then it was there, and a hole that was open had another reason.
        let stopped = self.at;
        self.reach(at, sink)?;
        self.settle(sink)?;
        if self.fetches_history() {
            let look = catching_up(&self.venues, &self.engine);
            let known = self.catchups.resume(at, &mut self.engine, &self.instruments, &look);
            for (market, hours) in known {
                self.hours.remember(market, &hours);
            }
        }
        self.flow_away(at, sink)?;
        for market in 0..self.instruments.len() {
            // Minutes nobody was there to publish are not made.
            self.engine.rest(market);
        }
        let lost = self.lost();
        for stream in 0..self.streams.len() {
            let (Some(from), Ok(index)) = (self.heard[stream].newest, u16::try_from(stream)) else { continue };
            // Nothing was due from this stream while nobody listened (settlements, mostly).
            if at - from <= self.streams[stream].cadence {
                continue;
            }
            let from = if lost.contains(&StreamIndex(index)) { from.max(stopped) } else { from };
            self.heard[stream].away = Some(from);
            let status = Status { state: StatusState::Gap, from, until: Status::OPEN, reason: GapReason::NotRunning };
            self.step(&status_event(at, StreamIndex(index), status), Origin::Live, sink)?;
        }
        for at_venue in 0..self.venues.len() {
            let open: Vec<ConnId> = self.venues[at_venue].open.iter().copied().collect();
            for conn in open {
                self.input(at, at_venue, &Input::Closed { conn, reason: CloseReason::Stopping }, sink)?;
            }
            let asked: Vec<RequestId> = self.venues[at_venue].asked.iter().copied().collect();
            for request in asked {
                self.input(at, at_venue, &Input::Failed { request, reason: FailReason::Dropped }, sink)?;
            }
            self.venues[at_venue].session.resume(at);
        }
        Ok(())
    }

    /// Streams with a hole that was reported and goes on.
    fn lost(&self) -> BTreeSet<StreamIndex> {
        let mut found = BTreeSet::new();
        for venue in &self.venues {
            let holes = venue.session.continuity().all().iter().filter(|known| known.hole.is_some());
            found.extend(holes.filter_map(|known| venue.place(known.market, known.metric)));
        }
        let joined: Vec<_> = self.legs.iter().filter(|(of, _)| found.contains(of)).map(|(_, to)| *to).collect();
        found.extend(joined);
        found
    }

    /// A new list of a venue's markets.
    pub(crate) fn markets(
        &mut self,
        at: Ts,
        at_venue: usize,
        markets: &[barograph_venues::session::MarketSpec],
        sink: &mut dyn CoreSink,
    ) -> Result<(), Error> {
        // The session appends what it does not know, in order; the list here follows it.
        let known = &mut self.config.venues[at_venue].session.markets;
        let before: BTreeSet<String> = known.iter().map(|m| m.symbol.clone()).collect();
        known.extend(markets.iter().filter(|m| !before.contains(&m.symbol)).cloned());
        // Before the session says what is lost with it.
        self.pass_on_wanted(at_venue, markets, sink);
        self.input(at, at_venue, &Input::Markets(markets), sink)?;
        self.settle(sink)?;
        let wanted: BTreeSet<&str> = markets.iter().map(|m| m.symbol.as_str()).collect();
        for (market, spec) in self.config.venues[at_venue].session.markets.iter().enumerate() {
            if !wanted.contains(spec.symbol.as_str())
                && let Some(instrument) = self.venues[at_venue].instruments.get(market)
            {
                self.engine.rest(*instrument as usize);
                self.forecasts.gone(*instrument as usize);
            }
        }
        Ok(())
    }

    /// Does any venue get asked for what it keeps?
    fn fetches_history(&self) -> bool {
        self.config.venues.iter().any(|v| v.session.backfill > Span::ZERO)
    }

    fn drain(&mut self, sink: &mut dyn CoreSink) -> Result<(), Error> {
        // The engine knows no books: what their detectors have open is entered here, before anybody reads the row.
        for row in self.rows.rows_mut() {
            row.open.experimental = self.flows.open(row);
        }
        let all = self.setup.share.is_all();
        let mut alerts: Vec<&AlertOut> = self.rows.alerts().iter().collect();
        for (place, row) in self.rows.rows().iter().enumerate() {
            for alert in take_due(&mut alerts, row) {
                if all {
                    self.forecasts.alert(alert, &self.setup.logic_version);
                }
                if alert.known.alert.ts == row.ts { sink.alert_of(alert, row)? } else { sink.alert(alert)? }
            }
            for level in self.rows.levels(place) {
                if all {
                    self.forecasts.level(level);
                }
                sink.level(level)?;
            }
            sink.row(row)?;
            self.flows.row(row, &self.instruments, &self.setup.book.order_flow);
            self.hours.row(row);
            if all {
                self.forecasts.row(row, &self.streams, &self.setup.book);
            }
        }
        for alert in alerts {
            if all {
                self.forecasts.alert(alert, &self.setup.logic_version);
            }
            sink.alert(alert)?;
        }
        self.rows.clear();
        Ok(())
    }
}

impl VenueState {
    pub(super) fn new(id: &'static str, session: Box<dyn Session>) -> Self {
        Self {
            id,
            session,
            places: Vec::new(),
            instruments: Vec::new(),
            declared: 0,
            open: BTreeSet::new(),
            asked: BTreeSet::new(),
        }
    }

    /// The engine's stream of a market's metric; `None` where it is not offered or not wanted.
    pub(crate) fn place(&self, market: MarketIndex, metric: Metric) -> Option<StreamIndex> {
        self.places.get(market.index() * METRICS + metric as usize).copied().flatten()
    }
}
