//! The live loop: what arrives is journalled, then interpreted, then published; once a second time passes.
//!
//! One thread does it all in the order of the receive stamps. Compression, disk, database, sockets and HTTP have threads of their
//! own; between them are bounded queues.

pub(crate) mod books;
mod connections;
mod enter;
mod health;

use crate::calendar::CalendarSource;
use crate::config::{LiveConfig, MarketsChange};
use crate::core::{Core, CoreSink as _};
use crate::delivery::Room;
use crate::fitting::Fitter;
use crate::meter::Meter;
use crate::publish::Publisher;
use crate::published::Published;
use crate::recorder::Recorder;
use crate::replay::{self, connection_name};
use crate::scheduled::Reading;
use crate::setup::Setup;
use crate::storing::{Keep, Order, Storing};
use crate::{Error, chain, checkpoint};
use barograph_domain::{Span, Ts};
use barograph_lake::journal::{ControlRecord, FileKey};
use barograph_net::{Clock, InboxReceiver, Incoming, Net, Stamper};
use barograph_query::live::board::Board;
use barograph_query::service::Service;
use barograph_store::StoreTarget;
use barograph_venues::session::{Action, CloseReason, ConnId, FailReason, Input};
use connections::{Connections, write_line};
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Ticks come this long after each whole second: the one after a whole minute finds everything that counts for it.
const TICK_AFTER: Span = Span(200_001_000);
const SECOND: Span = Span::secs(1);
/// A checkpoint is written this often, so that the journal behind it replays in seconds.
const CHECKPOINT_EVERY: Span = Span::mins(10);
/// And this long after a whole minute at the earliest and latest: packing a thousand markets takes a second or two, in which
/// nothing is published.
const CHECKPOINT_WITHIN: core::ops::Range<Span> = Span::secs(10)..Span::secs(45);
/// Retention is looked at this often.
const PRUNE_EVERY: Span = Span::hours(1);
/// Backfilled facts go to the store in pieces of this size.
const BACKFILL_PIECE: usize = 20_000;
/// What may come together here while the database is away and no batch more can wait for it: at most some 200 MB. A thousand
/// markets make 10,000 a minute.
const HELD_MAX: usize = 500_000;

/// What a live process is made of.
pub(crate) struct Plan {
    pub(crate) data: PathBuf,
    pub(crate) setup: Setup,
    pub(crate) config: LiveConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keep: Keep,
    /// Where the calendar is read.
    pub(crate) calendar: Option<CalendarSource>,
    /// Who hears of alerts.
    pub(crate) room: Option<Arc<Room>>,
    /// What is published before the journal is run again.
    pub(crate) published: Published,
    /// Where that is.
    pub(crate) target: StoreTarget,
}

/// A change asked for from outside while running.
#[derive(Clone, Debug)]
pub enum Change {
    /// The complete new list of a venue's markets.
    Markets(MarketsChange),
}

/// Everything the loop owns.
pub(crate) struct Process {
    plan: Plan,
    core: Core,
    publisher: Publisher,
    journal: Recorder,
    net: Arc<Net>,
    runtime: tokio::runtime::Handle,
    stamper: Stamper,
    inbox: InboxReceiver,
    storing: Storing,
    meter: Arc<Meter>,
    files: BTreeMap<(usize, ConnId), FileKey>,
    connections: Connections,
    rest: Vec<FileKey>,
    fitter: Fitter,
    calendar: Option<Reading>,
    /// A state that waits for the store.
    packed: Option<checkpoint::Packed>,
    /// Stamps of our own that are left.
    own: Ts,
    own_until: Ts,
    next_tick: Ts,
    next_books: Ts,
    next_checkpoint: Ts,
    next_prune: Ts,
    health: health::Health,
    /// Ends as if killed; for the fault simulation.
    #[cfg(test)]
    pub(crate) kill: Arc<AtomicBool>,
}

impl core::fmt::Debug for Process {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Process").field("at", &self.core.at).finish_non_exhaustive()
    }
}

/// The way to the venues and back.
pub(crate) struct Network {
    pub(crate) net: Arc<Net>,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) stamper: Stamper,
    pub(crate) inbox: InboxReceiver,
}

/// State before the network is opened.
pub(crate) struct Prepared {
    pub(crate) core: Core,
    pub(crate) publisher: Publisher,
    pub(crate) journal: Recorder,
    /// Went on from an earlier process.
    pub(crate) resumed: Option<Ts>,
    /// What happened on the way, for people.
    pub(crate) notes: Vec<String>,
}

/// Loads what an earlier process left, or begins. `at` is later than everything in the journal.
pub(crate) fn prepare(
    plan: &Plan,
    mut journal: Recorder,
    at: Ts,
    board: Arc<Board>,
    meter: &Arc<Meter>,
    storing: &Storing,
) -> Result<Prepared, Error> {
    let mut notes: Vec<String> = Vec::new();
    let mut publisher = Publisher::new(plan.setup.clone(), board, Arc::clone(meter));
    publisher.delivers_to(plan.room.clone());
    publisher.keeps(plan.published.clone(), plan.target.clone());
    publisher.replays_into(storing.spill(), storing.asked_to_stop());
    let (mut found, troubles) = replay::last_state(&plan.data, &plan.setup, &mut publisher)?;
    notes.extend(troubles);
    let fits = found.as_ref().is_some_and(|core| same_venues(&core.config, &plan.config));
    let resumed = found.as_ref().filter(|_| fits).map(|core| core.at);
    let start = ControlRecord::Start {
        release: env!("CARGO_PKG_VERSION").to_owned(),
        config: plan.config.to_json()?,
        resumed_from: resumed,
    };
    journal.control(at, &start).map_err(|e| Error::failed(chain(&e)))?;
    if found.is_some() && !fits {
        notes.push("venues, streams or addresses differ from the last start: windows begin anew".to_owned());
    }
    if let Some(core) = found.as_mut().filter(|_| !fits) {
        // The last of a minute that was not over is the newest there is.
        core.samples.waiting().for_each(|event| publisher.sample(event));
        core.end_episodes(at, &mut publisher)?;
    }
    publisher.spill_all()?;
    storing.send(Order::Replayed)?;
    let (found, gone) = if fits { (found, None) } else { (None, found) };
    let mut publisher = if found.is_none() { publisher.anew() } else { publisher };
    let mut core = match found {
        Some(core) => core,
        None => Core::new(plan.setup.clone(), plan.config.clone(), at, &mut publisher)?,
    };
    // Windows begin anew; what was forecast goes on.
    gone.into_iter().for_each(|gone| core.adopt_ledger(gone.forecasts.into_ledger()));
    publisher.replayed();
    if resumed.is_some() {
        for one in &plan.config.venues {
            if let Some(index) = core.venue(&one.id) {
                core.pass_on_wanted(index, &one.session.markets, &mut publisher);
            }
        }
        core.resume(at, &mut publisher)?;
        core.reconfigure(at, &plan.config, &mut publisher)?;
        for venue in &core.venues {
            for known in venue.session.continuity().all() {
                if let Some(stream) = venue.place(known.market, known.metric) {
                    publisher.adopt(stream, known);
                }
            }
        }
    }
    Ok(Prepared { core, publisher, journal, resumed, notes })
}

/// May the windows of the one go on in the other? Markets may differ; they are changed while running, too.
fn same_venues(a: &LiveConfig, b: &LiveConfig) -> bool {
    a.venues.len() == b.venues.len()
        && a.origin == b.origin
        && a.venues.iter().zip(&b.venues).all(|(x, y)| {
            let (p, q) = (&x.session, &y.session);
            x.id == y.id && p.endpoints == q.endpoints && p.metrics == q.metrics && p.book_depth == q.book_depth
        })
}

use enter::read_calendar;

impl Process {
    /// Joins the parts. The network is open, nothing has been asked of it.
    pub(crate) fn new(
        plan: Plan,
        prepared: Prepared,
        network: Network,
        storing: Storing,
        meter: Arc<Meter>,
    ) -> Result<Self, Error> {
        let Network { net, runtime, stamper, inbox } = network;
        let Prepared { core, publisher, mut journal, .. } = prepared;
        let after = core.at;
        let mut rest = Vec::new();
        for (rank, venue) in (0_u32..).zip(&core.venues) {
            let key = journal
                .connection(venue.id, barograph_lake::journal::REST, rank, after)
                .map_err(|e| Error::failed(chain(&e)))?;
            rest.push(key);
        }
        Ok(Self {
            fitter: Fitter::start()?,
            calendar: plan.calendar.clone().map(|source| read_calendar(source, &plan, &net, &runtime)).transpose()?,
            packed: None,
            own: after,
            own_until: after,
            next_tick: after.ceil(SECOND) + TICK_AFTER,
            next_books: after.ceil(plan.keep.books_every),
            next_checkpoint: after + CHECKPOINT_EVERY,
            next_prune: after,
            health: health::Health::new(after),
            #[cfg(test)]
            kill: Arc::default(),
            plan,
            core,
            publisher,
            journal,
            net,
            runtime,
            stamper,
            inbox,
            storing,
            meter,
            files: BTreeMap::new(),
            connections: Connections::default(),
            rest,
        })
    }

    /// Shows minutes from now on.
    pub(crate) fn serve(&mut self, service: Arc<Service>) {
        self.publisher.serve(service);
    }

    /// Prints a line per change of label.
    pub(crate) fn report_weather(&mut self, tell: crate::publish::Weather) {
        self.publisher.weather = Some(tell);
    }

    /// Runs until `stop`; then everything is written and closed.
    pub(crate) fn run(mut self, stop: &AtomicBool, changes: &mpsc::Receiver<Change>) -> Result<(), Error> {
        for venue in 0..self.core.venues.len() {
            self.relink(venue);
        }
        let mut batch = Vec::new();
        let result = loop {
            #[cfg(test)]
            if self.kill.load(Ordering::Relaxed) {
                return self.abandon();
            }
            if stop.load(Ordering::Relaxed) {
                break Ok(());
            }
            let taken = self.inbox.take(&mut batch, self.patience());
            (self.own, self.own_until) = (taken.now, taken.own_until);
            if let Err(e) = self.work(&batch, changes) {
                break Err(e);
            }
            if taken.ended {
                break Ok(());
            }
        };
        let ended = self.end();
        result.and(ended)
    }

    /// How long to wait for something to arrive.
    fn patience(&self) -> Duration {
        let wait = self.next_tick - self.plan.clock.now();
        let wait = barograph_net::clock::real(self.plan.clock.as_ref(), wait).min(Duration::from_millis(100));
        self.journal.pass_on_within().map_or(wait, |within| wait.min(within))
    }

    /// The next stamp of our own: later than everything taken, earlier than everything to come.
    fn stamp(&mut self) -> Ts {
        let stamp = self.own;
        self.own = stamp + Span(1);
        stamp
    }

    fn work(&mut self, batch: &[(Ts, Incoming)], changes: &mpsc::Receiver<Change>) -> Result<(), Error> {
        // The end of one input is the beginning of the next: the clock is read once for each.
        let mut began = self.plan.clock.now();
        for (at, incoming) in batch {
            self.incoming(*at, incoming)?;
            let ended = self.plan.clock.now();
            self.meter.passed(*at, (began, ended), matches!(incoming, Incoming::Frame { .. }));
            began = ended;
        }
        if !self.publisher.batch.messages.is_empty() {
            // Whom an alert wakes does not wait for the second to be over.
            self.store()?;
        }
        if self.own >= self.next_tick {
            let now = self.stamp();
            self.tick(now)?;
            self.models()?;
            self.scheduled()?;
            while let Ok(Change::Markets(change)) = changes.try_recv() {
                self.change(&change)?;
            }
        }
        self.act()?;
        self.journal.pass_on(false).map_err(|e| Error::failed(chain(&e)))
    }

    fn incoming(&mut self, at: Ts, incoming: &Incoming) -> Result<(), Error> {
        let journal = |e: barograph_lake::journal::Error| Error::failed(chain(&e));
        match incoming {
            Incoming::Opened { venue, link, conn, url } => {
                let index = usize::from(*venue);
                let id = self.core.venues[index].id;
                let key =
                    self.journal.connection(id, &connection_name(*conn), u32::from(*venue), at).map_err(journal)?;
                self.files.insert((index, *conn), key);
                self.connections.opened((index, id), *link, *conn, at).as_deref().into_iter().for_each(write_line);
                let record = ControlRecord::Open { venue: id.to_owned(), link: *link, conn: *conn, url: url.clone() };
                self.journal.control(at, &record).map_err(journal)?;
                let input = Input::Opened { link: *link, conn: *conn };
                self.core.input(at, index, &input, &mut self.publisher)?;
            }
            Incoming::Closed { venue, conn, reason, detail } => {
                let index = usize::from(*venue);
                let id = self.core.venues[index].id;
                let record = ControlRecord::Close { venue: id.to_owned(), conn: *conn, reason: *reason };
                self.journal.control(at, &record).map_err(journal)?;
                if let Some(key) = self.files.remove(&(index, *conn)) {
                    self.journal.close_connection(key, at).map_err(journal)?;
                }
                let lost = self.connections.closed((index, id), *conn, (*reason, detail), at);
                lost.as_deref().into_iter().for_each(write_line);
                let input = Input::Closed { conn: *conn, reason: *reason };
                self.core.input(at, index, &input, &mut self.publisher)?;
            }
            Incoming::Frame { venue, conn, bytes } => {
                let index = usize::from(*venue);
                if let Some(key) = self.files.get(&(index, *conn)) {
                    self.journal.frame(*key, at, bytes).map_err(journal)?;
                }
                let v = &self.meter.venues[index];
                v.messages.fetch_add(1, Ordering::Relaxed);
                v.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                self.core.input(at, index, &Input::Frame { conn: *conn, bytes }, &mut self.publisher)?;
            }
            Incoming::Reply { venue, request, status, body } => {
                let index = usize::from(*venue);
                self.journal.reply(self.rest[index], at, *request, *status, body).map_err(journal)?;
                let input = Input::Reply { request: *request, status: *status, body };
                self.core.input(at, index, &input, &mut self.publisher)?;
            }
            Incoming::Failed { venue, request, reason, detail } => {
                let index = usize::from(*venue);
                let id = self.core.venues[index].id;
                let record = ControlRecord::Failed { venue: id.to_owned(), id: *request, reason: *reason };
                self.journal.control(at, &record).map_err(journal)?;
                self.meter.fault(index, "request_failed", detail);
                let input = Input::Failed { request: *request, reason: *reason };
                self.core.input(at, index, &input, &mut self.publisher)?;
            }
        }
        Ok(())
    }

    /// A second has passed for everyone.
    fn beat(&mut self, at: Ts) -> Result<(), Error> {
        let due = self.next_tick;
        let journal = |e: barograph_lake::journal::Error| Error::failed(chain(&e));
        self.journal.control(at, &ControlRecord::Tick).map_err(journal)?;
        let rows = self.publisher.batch.rows.len();
        let began = self.plan.clock.now();
        self.core.tick(at, &mut self.publisher)?;
        let ended = self.plan.clock.now();
        self.publisher.ticked();
        self.report_health(at);
        if self.publisher.batch.rows.len() > rows {
            self.meter.features.add((ended - began).0.max(0));
            // Everything of the minute is readable now.
            self.meter.minute_to_readable.add((self.plan.clock.now() - (due - Span(1_000))).0);
        }
        self.next_tick = (at - TICK_AFTER + Span(1)).ceil(SECOND) + TICK_AFTER;
        Ok(())
    }

    fn tick(&mut self, at: Ts) -> Result<(), Error> {
        let journal = |e: barograph_lake::journal::Error| Error::failed(chain(&e));
        self.beat(at)?;
        let kept = at >= self.next_books;
        self.books(at, kept);
        if kept {
            self.next_books = (at + Span(1)).ceil(self.plan.keep.books_every);
        }
        self.store()?;
        self.journal.poll(at).map_err(journal)?;
        let stats = self.journal.stats();
        self.meter.fetching.store(self.core.fetching() as u64, Ordering::Relaxed);
        self.meter.journal_raw.store(stats.bytes_raw, Ordering::Relaxed);
        self.meter.journal_written.store(stats.bytes_written, Ordering::Relaxed);
        self.meter.journal_files.store(stats.files_open, Ordering::Relaxed);
        self.meter.journal_queue.store(stats.queue_bytes, Ordering::Relaxed);
        if at >= self.next_prune && self.storing.has_room() {
            self.storing.send(Order::Prune(at))?;
            self.next_prune = at + PRUNE_EVERY;
        }
        self.checkpoint(at)
    }

    /// Packs the state when it is due, and writes it when the store has taken everything from before it: what lies before a
    /// checkpoint is not run again after a crash.
    fn checkpoint(&mut self, at: Ts) -> Result<(), Error> {
        let fits = CHECKPOINT_WITHIN.contains(&(at - at.floor(Span::mins(1))));
        if at >= self.next_checkpoint && fits && self.packed.is_none() && self.storing.has_room() {
            self.core.settle(&mut self.publisher).and_then(|()| self.send())?;
            self.packed = Some(checkpoint::pack(&mut self.core, &mut self.publisher)?);
            self.next_checkpoint = at + CHECKPOINT_EVERY;
        }
        if self.meter.store_queue.load(Ordering::Acquire) == 0
            && let Some(packed) = self.packed.take()
        {
            checkpoint::write(&self.plan.data, &packed)?;
        }
        Ok(())
    }

    /// Hands what has come together to the store, behind the journal. Where no place is left, because the database is away,
    /// it goes on coming together here: a database costs no frame.
    fn store(&mut self) -> Result<(), Error> {
        let has_news = !self.publisher.batch.rows.is_empty()
            || !self.publisher.batch.gaps.is_empty()
            || !self.publisher.batch.calendar.is_empty()
            // Who hears of one on the stream and asks must find it.
            || !self.publisher.batch.alerts.is_empty()
            || !self.publisher.batch.hours.is_empty()
            || self.publisher.batch.backfill.len() >= BACKFILL_PIECE;
        let may_wait = !self.storing.has_room() && self.publisher.batch.len() < HELD_MAX;
        if has_news && !may_wait { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<(), Error> {
        let ticket = self.journal.flush().map_err(|e| Error::failed(chain(&e)))?;
        let batch = self.publisher.take(Some(ticket));
        self.storing.send(Order::Write(Box::new(batch)))
    }

    /// Books that can be trusted, as they are now: shown every second, stored when `kept`.
    fn books(&mut self, at: Ts, kept: bool) {
        books::books_of(&self.core, at, |sample| self.publisher.book(sample, kept));
    }

    /// How many subscriptions each link of a venue carries, for people.
    fn report_carried(&self, venue: usize) {
        let session = &self.core.venues[venue].session;
        let carried = session.links().iter().map(|l| (l.id.0, session.carried(l.id) as u64)).collect();
        self.meter.carries(venue, carried);
    }

    fn relink(&mut self, venue: usize) {
        let links = self.core.venues[venue].session.links();
        self.connections.want(venue, links);
        self.net.relink(u8::try_from(venue).unwrap_or(u8::MAX), links);
        self.report_carried(venue);
    }

    /// Hands to the network what the sessions asked for.
    fn act(&mut self) -> Result<(), Error> {
        let mut actions = core::mem::take(&mut self.publisher.actions);
        // A request is written down with a stamp; what there are no stamps for waits for the next batch.
        let free = usize::try_from((self.own_until - self.own).0).unwrap_or(0);
        let rest = actions.split_off(actions.len().min(free));
        for (venue, action) in actions.drain(..) {
            if let Action::Request(request) = &action {
                // Whoever reads the journal learns what each answer answers.
                let record = ControlRecord::Request {
                    venue: self.core.venues[venue].id.to_owned(),
                    id: request.id,
                    url: request.url.clone(),
                    purpose: format!("{:?}", request.priority).to_lowercase(),
                };
                let at = self.stamp();
                self.journal.control(at, &record).map_err(|e| Error::failed(chain(&e)))?;
            }
            match action {
                Action::Relink => self.relink(venue),
                other => self.net.act(u8::try_from(venue).unwrap_or(u8::MAX), other),
            }
        }
        self.publisher.actions = if rest.is_empty() { actions } else { rest };
        Ok(())
    }

    /// As after kill -9: nothing is written any more, no checkpoint; the store ends with what has reached it.
    #[cfg(test)]
    fn abandon(self) -> Result<(), Error> {
        self.journal.abandon();
        // Batches that waited for the journal are lost with it.
        drop(self.storing.finish());
        self.runtime.block_on(self.net.stop());
        Ok(())
    }

    /// Closes the network and works through all that it has received by then: what has a stamp is journalled. Closings are
    /// not passed on, and requests without an answer not given up: whoever goes on from here does both.
    fn drain(&mut self) -> Result<(), Error> {
        // Beside the taking, because connections hand over their rest as far as there is room.
        let net = Arc::clone(&self.net);
        let stopping = self.runtime.spawn(async move { net.stop().await });
        let mut batch = Vec::new();
        let mut result = Ok(());
        loop {
            let taken = self.inbox.take(&mut batch, self.patience());
            (self.own, self.own_until) = (taken.now, taken.own_until);
            let told = batch.iter().filter(|(_, incoming)| !follows_from_the_end(incoming));
            for (at, incoming) in told {
                if result.is_ok() {
                    result = self.incoming(*at, incoming);
                }
            }
            if result.is_ok() && self.own >= self.next_tick {
                let now = self.stamp();
                result = self.beat(now);
            }
            // Nobody is there any more to do what sessions ask for.
            self.publisher.actions.clear();
            if taken.ended {
                break;
            }
        }
        self.runtime.block_on(stopping).map_err(Error::failed)?;
        result
    }

    /// Everything that has arrived is written; a checkpoint makes the next start quick.
    fn end(mut self) -> Result<(), Error> {
        let journal = |e: barograph_lake::journal::Error| Error::failed(chain(&e));
        self.drain().and_then(|()| self.core.settle(&mut self.publisher))?;
        self.books(self.core.at, true);
        let at = self.stamper.stamp();
        // The last of a minute that is not over is the newest there is; when the minute goes on after a restart, its last
        // joins it.
        for event in self.core.samples.waiting() {
            self.publisher.sample(event);
        }
        self.core.at = at;
        self.journal.control(at, &ControlRecord::Stop).map_err(journal)?;
        let ticket = self.journal.flush().map_err(journal)?;
        let batch = self.publisher.take(Some(ticket));
        let sent = if batch.is_empty() { Ok(()) } else { self.storing.send(Order::Write(Box::new(batch))) };
        let packed = checkpoint::pack(&mut self.core, &mut self.publisher);
        let stored = self.storing.finish().and(sent);
        self.journal.close().map_err(journal)?;
        // Without the store nothing is said to be done: the next start runs the journal from an earlier checkpoint again.
        stored?;
        checkpoint::write(&self.plan.data, &packed?).map(|_| ())
    }
}

/// Does it only say that the network was asked to stop?
fn follows_from_the_end(incoming: &Incoming) -> bool {
    match incoming {
        Incoming::Closed { reason, .. } => *reason == CloseReason::Stopping,
        Incoming::Failed { reason, .. } => *reason == FailReason::Dropped,
        Incoming::Opened { .. } | Incoming::Frame { .. } | Incoming::Reply { .. } => false,
    }
}
