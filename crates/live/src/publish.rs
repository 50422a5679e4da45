//! What the core makes, to everyone who wants it: memory at once, the store in batches behind the journal.

use crate::Error;
use crate::alert_lines::AlertLines;
use crate::core::CoreSink;
use crate::delivery::Room;
use crate::meter::Meter;
use crate::published::{Published, Until};
use crate::setup::Setup;
use crate::share::Share;
use barograph_domain::forecast::LedgerTick;
use barograph_domain::pattern::Family;
use barograph_domain::text::escape_control;
use barograph_domain::{
    CalendarEntry, Event, Instrument, Metric, MinuteRow, Pattern, Payload, Status, StatusState, StreamDecl,
    StreamIndex, Ts, UniverseRow,
};
use barograph_engine::{AlertOut, LevelOut};
use barograph_lake::journal::Ticket;
use barograph_query::live::board::{self, Board};
use barograph_query::render::Lens;
use barograph_query::service::Service;
use barograph_query::service::board::AlertBook;
use barograph_store::run::row_of;
use barograph_store::{
    BookSample, Gap, LedgerState, LiveAlert, LiveLedger, LiveLedgerState, LiveLevel, LiveUniverse, Outgoing, RunSpec,
    StoreTarget,
};
use barograph_venues::session::{Action, Continuity, Fault, Origin};
use barograph_verify::ledger::Ledger;
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

/// What goes into the store together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) instruments: Arc<Vec<Instrument>>,
    pub(crate) streams: Arc<Vec<StreamDecl>>,
    pub(crate) runs: Arc<Vec<RunSpec>>,
    pub(crate) points: Vec<Event>,
    pub(crate) backfill: Vec<Event>,
    pub(crate) rows: Vec<MinuteRow>,
    /// Minutes that a replayed journal makes of those that are published.
    pub(crate) again: Vec<MinuteRow>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) levels: Vec<LiveLevel>,
    pub(crate) alerts: Vec<LiveAlert>,
    pub(crate) books: Vec<BookSample>,
    pub(crate) hours: Vec<LiveUniverse>,
    pub(crate) calendar: Vec<CalendarEntry>,
    /// Forecasts and outcomes; their heads are added where they are stored.
    pub(crate) ledger: Vec<LiveLedger>,
    pub(crate) ledger_states: Vec<LiveLedgerState>,
    /// What is to be delivered of it.
    pub(crate) messages: Vec<Outgoing>,
    /// The journal holds everything this was made of once this is done.
    pub(crate) ticket: Option<Ticket>,
    /// In a cluster: the newest tick all of whose rows the store has with it, and the newest input.
    pub(crate) through: Option<Ts>,
    pub(crate) reached: Option<Ts>,
}

impl Batch {
    /// Nothing to store.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows, those made again included, facts, changes of continuity and of levels, records of alerts, and books in it.
    pub(crate) fn len(&self) -> usize {
        let made = self.rows.len()
            + self.again.len()
            + self.gaps.len()
            + self.levels.len()
            + self.alerts.len()
            + self.books.len()
            + self.hours.len()
            + self.calendar.len()
            + self.ledger.len()
            + self.ledger_states.len();
        self.points.len() + self.backfill.len() + made
    }
}

/// Takes batches of a journal that is run again.
pub(crate) type Spill = Box<dyn FnMut(Batch) -> Result<(), Error> + Send>;

/// Takes each published minute with what explains it, positions included.
pub(crate) type Weather = Box<dyn FnMut(&Lens, &MinuteRow) + Send>;

/// Takes the core's outputs.
pub(crate) struct Publisher {
    setup: Setup,
    service: Option<Arc<Service>>,
    board: Arc<Board>,
    writer: board::Writer,
    meter: Arc<Meter>,
    lenses: Vec<Lens>,
    instruments: Arc<Vec<Instrument>>,
    streams: Arc<Vec<StreamDecl>>,
    /// Position of each stream's venue.
    venue_of: Vec<Option<u8>>,
    /// Position of each stream's market.
    market_of: Vec<usize>,
    runs: Arc<Vec<RunSpec>>,
    pub(crate) batch: Batch,
    /// What happened to levels in the minute whose row comes next.
    levels: Vec<LiveLevel>,
    /// What was published before a journal is run again, and the same by market.
    published: Published,
    /// Where a ledger of earlier processes is.
    stored: Option<StoreTarget>,
    until: Vec<Until>,
    /// To be done by the network, in order.
    pub(crate) actions: Vec<(usize, Action)>,
    /// Replayed after a restart: what was sent to venues then is not sent again, and nothing is news.
    pub(crate) replaying: bool,
    /// Faults reported since the last tick.
    told: u32,
    alert_lines: AlertLines,
    /// What alerts did before minutes are shown: of it the store may not have everything yet when the board reads it.
    heard: AlertBook,
    /// Where what is made goes while a journal is run again, and whether to go on with that.
    spill: Option<(Spill, Arc<AtomicBool>)>,
    /// Who hears of alerts. A replayed alert makes its message too: it has the same id, and of what the store knows already
    /// nothing is delivered again.
    room: Option<Arc<Room>>,
    /// Prints one line per change of the weather.
    pub(crate) weather: Option<Weather>,
    /// In a cluster: all that inputs up to these made is here or in the store. Rows are made by ticks alone, so the newest tick is what
    /// others wait for.
    through: Option<Ts>,
    reached: Option<Ts>,
}

impl core::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Publisher").field("replaying", &self.replaying).finish_non_exhaustive()
    }
}

/// A replay's rows and facts go to the store in pieces of this size: some megabytes.
const SPILL_AT: usize = 5_000;
/// Faults reported per tick; the others are counted.
const REPORTED_MAX: u32 = 5;

impl Publisher {
    pub(crate) fn new(setup: Setup, board: Arc<Board>, meter: Arc<Meter>) -> Self {
        Self {
            setup,
            service: None,
            board,
            writer: board::Writer::default(),
            meter,
            lenses: Vec::new(),
            instruments: Arc::default(),
            streams: Arc::default(),
            venue_of: Vec::new(),
            market_of: Vec::new(),
            runs: Arc::default(),
            batch: Batch::default(),
            levels: Vec::new(),
            published: Published::default(),
            stored: None,
            until: Vec::new(),
            actions: Vec::new(),
            replaying: true,
            told: 0,
            alert_lines: AlertLines::default(),
            heard: AlertBook::default(),
            spill: None,
            room: None,
            weather: None,
            through: None,
            reached: None,
        }
    }

    /// One that begins anew: windows and numbers of markets are others, what was heard stays true.
    pub(crate) fn anew(self) -> Self {
        let Self { setup, board, meter, room, heard, stored, .. } = self;
        Self { room, heard, stored, ..Self::new(setup, board, meter) }
    }

    /// Alerts are delivered to the receivers of this room.
    pub(crate) fn delivers_to(&mut self, room: Option<Arc<Room>>) {
        self.room = room;
    }

    /// Minutes are shown from now on.
    pub(crate) fn serve(&mut self, service: Arc<Service>) {
        service.know(&self.instruments);
        service.take_heard(core::mem::take(&mut self.heard));
        self.service = Some(service);
    }

    /// What a replayed journal makes goes there piece by piece; `stop` ends the replay.
    pub(crate) fn replays_into(&mut self, spill: Spill, stop: Arc<AtomicBool>) {
        self.spill = Some((spill, stop));
    }

    /// What a replayed journal makes of this is neither written nor reported again.
    pub(crate) fn keeps(&mut self, published: Published, target: StoreTarget) {
        self.stored = published.has_any_tick().then_some(target);
        self.published = published;
    }

    /// Up to where a market is published, as far as a replay may meet it.
    fn until(&self, instrument: usize) -> Until {
        // In a cluster also behind that: a tick that is lost for good leaves its minute to a later one, which makes it otherwise.
        let looks = self.replaying || matches!(self.setup.share, Share::Group { .. });
        if looks { self.until.get(instrument).copied().unwrap_or_default() } else { Until::default() }
    }

    /// Is a record of an alert published? `row` is that of its minute, where it belongs to one.
    fn is_published(&self, alert: &AlertOut, row: Option<&MinuteRow>) -> bool {
        let until = self.until(alert.instrument as usize);
        match row {
            Some(row) => until.has_minute(row.ts),
            // What is said of a pair goes with its hour.
            None if alert.known.alert.pattern == Pattern::CorrelationBreak => {
                self.replaying && self.published.has_hour(row_of(alert.known.known_at))
            }
            // And what is said of drift with its tick.
            None if alert.known.alert.pattern.family() == Family::Drift => {
                self.replaying && self.published.has_tick(row_of(alert.known.known_at))
            }
            None => until.has_alert(&alert.known),
        }
    }

    /// Everything has been made of the inputs up to this stamp, the last of which is a tick or not.
    pub(crate) const fn reaches(&mut self, at: Ts, is_tick: bool) {
        self.reached = Some(at);
        if is_tick {
            self.through = self.reached;
        }
    }

    /// Hands over what a replay has made so far.
    pub(crate) fn spill_all(&mut self) -> Result<(), Error> {
        let batch = if self.spill.is_some() && !self.batch.is_empty() { self.take(None) } else { return Ok(()) };
        self.spill.as_mut().map_or(Ok(()), |(spill, _)| spill(batch))
    }

    /// A replay has come a little further.
    fn went_on(&mut self) -> Result<(), Error> {
        match &self.spill {
            Some((_, stop)) if stop.load(Ordering::Relaxed) => Err(Error::Stopped),
            Some(_) if self.replaying && self.batch.len() >= SPILL_AT => self.spill_all(),
            _ => Ok(()),
        }
    }

    /// The past has been replayed; what comes now is news.
    pub(crate) fn replayed(&mut self) {
        self.replaying = false;
        // In a cluster the node that listens may begin anew with other markets while this goes on: what came before goes this way.
        if !matches!(self.setup.share, Share::Group { .. }) {
            self.spill = None;
        }
    }

    /// The batch of what has come together, with what it means.
    pub(crate) fn take(&mut self, ticket: Option<Ticket>) -> Batch {
        self.told = 0;
        Batch {
            instruments: Arc::clone(&self.instruments),
            streams: Arc::clone(&self.streams),
            runs: Arc::clone(&self.runs),
            ticket,
            through: self.through,
            reached: self.reached,
            ..core::mem::take(&mut self.batch)
        }
    }

    /// A second has passed: alerts that found no room are reported as a number.
    pub(crate) fn ticked(&mut self) {
        for line in self.alert_lines.rest() {
            self.write_line(format_args!("{line}"));
        }
        for line in self.room.iter().flat_map(|room| room.news()) {
            self.write_line(format_args!("{line}"));
        }
    }

    /// What an earlier process knew of a stream.
    pub(crate) fn adopt(&self, stream: StreamIndex, known: &Continuity) {
        self.writer.adopt(stream, known);
    }

    /// An order book as it is now, for whoever asks; `stored` at the moments that are kept.
    pub(crate) fn book(&mut self, sample: BookSample, stored: bool) {
        self.writer.book(&sample);
        if stored {
            self.batch.books.push(sample);
        }
    }

    /// A record to whoever listens, to the log, into the outbox and into the batch; `row` is that of its minute.
    fn publish_alert(&mut self, alert: &AlertOut, row: Option<&MinuteRow>) {
        if self.is_published(alert, row) {
            return;
        }
        let AlertOut { instrument, known } = alert;
        let instrument = *instrument as usize;
        let lens = self.lenses.get(instrument);
        // What an hour made comes behind the rows of its minute.
        let of_minute = |r: &&MinuteRow| r.instrument as usize == instrument && r.ts == known.alert.ts;
        let behind = || self.batch.rows.iter().rev().take_while(|r| r.ts >= known.alert.ts).find(of_minute);
        let row = row.or_else(behind);
        let minute = lens.zip(row).and_then(|(lens, row)| lens.minute(&known.alert, row));
        match (&self.service, lens) {
            (Some(service), Some(lens)) => service.take_alert(lens, known, minute.as_ref()),
            _ => self.heard.note(&self.instruments[instrument].name, &known.alert),
        }
        // Of patterns in books and trades it is not known how often they are right on a real market: they are shown, and call nobody.
        if let (Some(room), Some(lens)) = (&self.room, lens)
            && !known.alert.pattern.is_experimental()
        {
            self.batch.messages.extend(room.mail().of_alert(lens, known, minute.as_ref()));
        }
        if !self.replaying
            && let Some(line) = self.alert_lines.line(&self.instruments[instrument].name, &known.alert, minute.as_ref())
        {
            self.write_line(format_args!("{line}"));
        }
        self.batch.alerts.push(LiveAlert { instrument, alert: known.clone() });
    }

    fn write_line(&self, line: core::fmt::Arguments<'_>) {
        // Standard error may be closed; there is nobody left to report to.
        drop(writeln!(std::io::stderr(), "barograph: {line}"));
    }
}

impl CoreSink for Publisher {
    fn level(&mut self, level: &LevelOut) -> Result<(), Error> {
        let instrument = level.instrument as usize;
        let change = level.published(&self.instruments[instrument].name);
        self.levels.push(LiveLevel { instrument, change });
        Ok(())
    }

    fn alert(&mut self, alert: &AlertOut) -> Result<(), Error> {
        self.publish_alert(alert, None);
        Ok(())
    }

    fn alert_of(&mut self, alert: &AlertOut, row: &MinuteRow) -> Result<(), Error> {
        self.publish_alert(alert, Some(row));
        Ok(())
    }

    fn row(&mut self, row: &MinuteRow) -> Result<(), Error> {
        self.meter.rows.fetch_add(1, Ordering::Relaxed);
        let at = row.instrument as usize;
        if let (Some(service), Some(lens)) = (&self.service, self.lenses.get(at)) {
            service.take(&self.instruments[at].name, lens, row);
        }
        if !self.replaying
            && let (Some(weather), Some(lens)) = (&mut self.weather, self.lenses.get(at))
        {
            let held = self.service.as_ref().and_then(|s| s.held_as_read_last(lens, row));
            weather(&lens.holding(held), row);
        }
        if self.until(at).has_minute(row.ts) {
            self.levels.clear();
            self.batch.again.push(row.clone());
        } else {
            self.batch.levels.append(&mut self.levels);
            self.batch.rows.push(row.clone());
        }
        self.went_on()
    }

    fn scheduled(&mut self, entries: &[CalendarEntry]) {
        self.batch.calendar.extend_from_slice(entries);
    }

    fn hour(&mut self, row: &UniverseRow) -> Result<(), Error> {
        if self.replaying && self.published.has_hour(row.ts) {
            return Ok(());
        }
        if let Some(service) = &self.service {
            service.take_hour(row);
        }
        let logic_version = self.setup.logic_version.clone();
        self.batch.hours.push(LiveUniverse { logic_version, row: row.clone() });
        Ok(())
    }

    fn forecasts(&mut self, tick: LedgerTick) -> Result<(), Error> {
        if self.replaying && self.published.has_tick(tick.ts) {
            return Ok(());
        }
        let logic_version = self.setup.logic_version.clone();
        if let Some(service) = &self.service {
            service.take_tick(&logic_version, &tick);
        }
        self.batch.ledger.push(LiveLedger { logic_version, tick, heads: Vec::new() });
        Ok(())
    }

    fn ledger_before(&mut self, at: Ts) -> Result<Option<Ledger>, Error> {
        let Some(target) = &self.stored else { return Ok(None) };
        let reader = barograph_store::open_reader(target).map_err(Error::from)?;
        crate::ledger::stored_before(reader.as_ref(), &self.setup, at)
    }

    fn ledger_state(&mut self, state: LedgerState) {
        if self.replaying && self.published.has_tick(state.ts) {
            return;
        }
        let logic_version = self.setup.logic_version.clone();
        self.batch.ledger_states.push(LiveLedgerState { logic_version, state });
    }

    fn fact(&mut self, event: &Event, metric: Metric, origin: Origin) -> Result<(), Error> {
        match origin {
            Origin::Live => {
                self.writer.fact(event, metric);
                if !self.replaying
                    && let Some(Some(venue)) = self.venue_of.get(event.stream.index())
                {
                    self.meter.fact((*venue).into());
                    // Some messages have no stamp of the venue and carry ours: they say nothing about either clock.
                    let stamped = event.event_ts != event.recv_ts;
                    if stamped && matches!(metric, Metric::Trade | Metric::BestBidAsk | Metric::MarkPrice) {
                        self.meter.lagged((*venue).into(), event.recv_ts, event.event_ts);
                    }
                }
            }
            Origin::Backfill => {
                // Trades of the past are in the journal; the store keeps what minutes are made of.
                if !matches!(event.payload, Payload::Trade { .. }) {
                    self.batch.backfill.push(*event);
                }
            }
        }
        self.went_on()
    }

    fn status(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Error> {
        self.writer.status(stream, status, known_ts);
        let decl = &self.streams[stream.index()];
        let market = self.market_of.get(stream.index()).copied().unwrap_or(usize::MAX);
        if !self.until(market).has_known(known_ts) {
            self.batch.gaps.push(Gap { stream: decl.clone(), status: *status, known_ts });
        }
        self.went_on()?;
        let decl = &self.streams[stream.index()];
        let news = status.is_open() || (status.state == StatusState::Live && status.until > status.from);
        if !self.replaying && news && self.writer.is_wanted(stream) && self.told < REPORTED_MAX {
            self.told += 1;
            let what = if status.is_open() {
                format!("lost: {}", status.reason.spoken())
            } else {
                format!("{} back after {}", decl.metric.verb(), (status.until - status.from).spoken())
            };
            self.write_line(format_args!("[MKT] {} {} {what}", decl.instrument, decl.metric.spoken()));
        }
        Ok(())
    }

    fn wanted(&mut self, instrument: u32, is: bool) {
        self.writer.wanted(instrument, is);
    }

    fn sample(&mut self, event: &Event) {
        self.batch.points.push(*event);
    }

    fn action(&mut self, venue: usize, action: Action) {
        if !self.replaying {
            self.actions.push((venue, action));
        }
    }

    fn fault(&mut self, venue: usize, fault: &Fault) {
        // In a cluster the node that listens says what its venues send wrongly.
        if self.replaying || matches!(self.setup.share, Share::Group { .. }) {
            return;
        }
        self.meter.fault(venue, fault.kind, &fault.detail);
        if self.told < REPORTED_MAX {
            self.told += 1;
            let id = self.meter.venues.get(venue).map_or("", |v| v.id);
            self.write_line(format_args!("[MKT] {id} {}: {}", fault.kind, escape_control(&fault.detail)));
        }
    }

    fn grown(
        &mut self,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        not_offered: &[StreamDecl],
    ) -> Result<(), Error> {
        if !instruments.starts_with(&self.instruments) || !streams.starts_with(&self.streams) {
            // Another machine than the one before, in a journal that holds both: its numbers mean other markets.
            self.spill_all()?;
            self.batch = Batch::default();
            self.writer = board::Writer::default();
        }
        let venue_of = |d: &StreamDecl| {
            let id = d.instrument.venue.as_str();
            self.meter.venues.iter().position(|v| v.id == id).and_then(|at| u8::try_from(at).ok())
        };
        self.venue_of = streams.iter().map(venue_of).collect();
        let places: BTreeMap<_, _> = instruments.iter().enumerate().map(|(at, i)| (&i.name, at)).collect();
        let market_of = |d: &StreamDecl| places.get(&d.instrument).copied().unwrap_or(usize::MAX);
        self.market_of = streams.iter().map(market_of).collect();
        self.until = self.published.of(instruments);
        self.instruments = Arc::new(instruments.to_vec());
        self.streams = Arc::new(streams.to_vec());
        let shared: Arc<[StreamDecl]> = streams.into();
        self.lenses =
            instruments.iter().map(|i| Lens { streams: Arc::clone(&shared), ..self.setup.lens(i, &[]) }).collect();
        let mine = instruments.iter().filter(|i| self.setup.share.has(&i.name));
        self.runs = Arc::new(mine.map(|i| self.setup.run(&i.name, &[])).collect());
        self.board.grow(&mut self.writer, instruments, streams, not_offered);
        if let Some(service) = &self.service {
            service.know(instruments);
        }
        Ok(())
    }
}
