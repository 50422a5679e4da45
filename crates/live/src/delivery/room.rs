//! The mail room of a live process: who wants what, and the dispatcher that delivers them.

use super::mail::Mail;
use super::outbox::StoreOutbox;
use crate::Error;
use barograph_api::NewReceiver;
use barograph_api::watches::{UserWatch, WatchChange};
use barograph_domain::Ts;
use barograph_domain::advice::PositionNotice;
use barograph_domain::text::number_of;
use barograph_engine::rules::RuleBook;
use barograph_net::Clock;
use barograph_notify::dispatch::{Clocks, Dispatcher, Now, Stats, system_clock};
use barograph_notify::receiver::Receiver;
use barograph_notify::sample::{SampleOutcome, try_once};
use barograph_notify::transport::Transport;
use barograph_query::delivery::ask::Wrong;
use barograph_query::delivery::made::MadeReceivers;
use barograph_query::delivery::{DeliveryCommand, DeliveryDesk, Outlet, Outlets, ask};
use barograph_query::positions::NoticeReceivers;
use barograph_store::{Outgoing, StoreTarget, open_outbox};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

/// How long requests under way may take when the process ends.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// See the module. Without receivers nothing is delivered until somebody makes one.
pub struct Room {
    /// Receivers of the settings. Those made on the page come after them.
    fixed: Vec<Receiver>,
    made: OnceLock<MadeReceivers>,
    mail: RwLock<Arc<Mail>>,
    dispatcher: Mutex<Option<Dispatcher>>,
    /// Receivers are changed one at a time.
    changing: Mutex<()>,
    /// It ends.
    closed: AtomicBool,
    tools: Tools,
    /// What the operator has heard.
    said: Mutex<Stats>,
    /// Raised with whatever changes in the outbox.
    changes: Arc<AtomicU64>,
}

/// What a dispatcher is made of.
struct Tools {
    target: StoreTarget,
    transport: Arc<Transport>,
    runtime: tokio::runtime::Handle,
    now: Now,
    /// A made-up world may run faster than the receivers' clocks, and elsewhere.
    rate: f64,
}

impl core::fmt::Debug for Room {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Room").field("mail", &self.mail()).finish_non_exhaustive()
    }
}

impl Room {
    /// Starts delivering to these. Where there are any the outbox's role is taken; the store exists already.
    ///
    /// # Errors
    /// Another process delivers, or a receiver cannot be used.
    pub fn open(
        receivers: Vec<Receiver>,
        target: &StoreTarget,
        book: &RuleBook,
        clock: Arc<dyn Clock>,
        runtime: tokio::runtime::Handle,
    ) -> Result<Arc<Self>, Error> {
        let room = Self::mailbox(receivers.clone(), target, book, clock, runtime)?;
        if !receivers.is_empty() {
            let names: Vec<&str> = receivers.iter().map(|r| r.name.as_str()).collect();
            drop(writeln!(std::io::stderr(), "barograph: [WEBHOOK] telling {}", names.join(", ")));
            *room.place() = Some(room.begin(receivers)?);
        }
        Ok(room)
    }

    /// One that writes messages to these and delivers none: another process of a cluster reads the outbox.
    ///
    /// # Errors
    /// Messages cannot be carried from this machine.
    pub fn mailbox(
        receivers: Vec<Receiver>,
        target: &StoreTarget,
        book: &RuleBook,
        clock: Arc<dyn Clock>,
        runtime: tokio::runtime::Handle,
    ) -> Result<Arc<Self>, Error> {
        let rate = clock.rate();
        let now: Now = Arc::new(move || clock.now());
        let transport = Arc::new(Transport::new().map_err(Error::Failed)?);
        let fixed = receivers.iter().filter(|r| !r.made).cloned().collect();
        Ok(Arc::new(Self {
            fixed,
            made: OnceLock::new(),
            mail: RwLock::new(Arc::new(Mail::new(receivers, book))),
            dispatcher: Mutex::default(),
            changing: Mutex::default(),
            closed: AtomicBool::new(false),
            tools: Tools { target: target.clone(), transport, runtime, now, rate },
            said: Mutex::default(),
            changes: Arc::new(AtomicU64::new(0)),
        }))
    }

    /// Receivers are made on the page and kept there from now on.
    pub fn makes(&self, made: MadeReceivers) {
        // Set once, where the process begins.
        drop(self.made.set(made));
    }

    fn place(&self) -> MutexGuard<'_, Option<Dispatcher>> {
        self.dispatcher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who wants what.
    pub(crate) fn mail(&self) -> Arc<Mail> {
        Arc::clone(&self.mail.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self, receivers: Vec<Receiver>) -> Result<Dispatcher, Error> {
        let Tools { target, transport, runtime, now, rate } = &self.tools;
        let store = open_outbox(target)?;
        let outbox = StoreOutbox::new(target.clone(), store, Arc::clone(now), Arc::clone(&self.changes));
        let Ts(seed) = now();
        let (outbox, clocks) = (Box::new(outbox), Clocks::of_world(Arc::clone(now), *rate));
        Dispatcher::start(receivers, outbox, Arc::clone(transport), runtime.clone(), clocks, seed.cast_unsigned())
            .map_err(Error::refused)
    }

    /// Delivers to these from now on, as if the process had been started with them: what waits stays in the outbox meanwhile.
    fn replace(&self, receivers: Vec<Receiver>) -> Result<(), Error> {
        let before = self.place().take();
        if let Some(before) = before {
            // Not under the lock: what is stored meanwhile is read from the store.
            before.stop(LAST_REQUESTS);
        }
        *self.mail.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(self.mail().among(receivers.clone()));
        self.changes.fetch_add(1, Ordering::Relaxed);
        if receivers.is_empty() {
            return Ok(());
        }
        let next = self.begin(receivers)?;
        let mut place = self.place();
        if self.closed.load(Ordering::Relaxed) {
            next.stop(LAST_REQUESTS);
            return Ok(());
        }
        next.reread();
        *place = Some(next);
        Ok(())
    }

    /// Takes up the receivers made on the page as they are now.
    fn take_up(&self, made: &MadeReceivers) -> Result<(), String> {
        let all = self.fixed.iter().cloned().chain(made.read()?).collect();
        self.replace(all).map_err(|e| barograph_query::chain(&e))
    }

    /// Notifies the dispatcher; false where it has ended. Without receivers nobody has to hear.
    fn hears(&self, command: DeliveryCommand) -> bool {
        match &*self.place() {
            Some(dispatcher) => {
                hear(dispatcher, command);
                true
            }
            None => !self.closed.load(Ordering::Relaxed),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&Dispatcher) -> T) -> Option<T> {
        self.place().as_ref().map(work)
    }

    /// These have been stored just now, and nobody else hands them over.
    pub fn stored(&self, messages: Vec<Outgoing>) {
        if messages.is_empty() {
            return;
        }
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.with(|d| d.deliver(messages));
    }

    /// Another number than before: some delivery or receiver has changed.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Something may have been stored that nobody handed over: the dispatcher reads what waits.
    pub fn reread(&self) {
        self.with(Dispatcher::reread);
    }

    /// The way for what people ask about deliveries: stored first, then the dispatcher hears of it.
    pub fn desk(self: &Arc<Self>, target: StoreTarget) -> DeliveryDesk {
        let room = Arc::downgrade(self);
        let notify = move |command| room.upgrade().is_some_and(|room| room.hears(command));
        let outlets = Arc::new(RoomOutlets(Arc::downgrade(self)));
        DeliveryDesk::beside(target, outlets, ask::understand, Box::new(notify))
    }

    /// What the operator has to know since the last look: deliveries that failed for good, receivers that are not used any
    /// more or again (R4.60).
    pub fn news(&self) -> Vec<String> {
        let Some(now) = self.stats() else { return Vec::new() };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = news(&said, &now);
        *said = now;
        lines
    }

    /// What has been done so far.
    pub fn stats(&self) -> Option<Stats> {
        self.with(Dispatcher::stats)
    }

    /// Lets requests under way end; what is not sent stays in the outbox.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        let dispatcher = self.place().take();
        if let Some(dispatcher) = dispatcher {
            dispatcher.stop(LAST_REQUESTS);
        }
    }
}

impl NoticeReceivers for Room {
    fn of_position(&self, notice: &PositionNotice) -> Option<Outgoing> {
        self.mail().of_position(notice)
    }
    fn of_watch(&self, watch: &UserWatch, turn: &WatchChange) -> Option<Outgoing> {
        self.mail().of_watch(watch, turn)
    }
    fn stored(&self, messages: Vec<Outgoing>) {
        Self::stored(self, messages);
    }
}

/// Receivers as people see and change them. Weak, because the service outlives the room.
struct RoomOutlets(Weak<Room>);

impl Outlets for RoomOutlets {
    fn all(&self) -> Vec<Outlet> {
        let outlet = |r: &Receiver| Outlet {
            name: r.name.clone(),
            format: r.format.name.to_owned(),
            address: r.shown(),
            budget: r.budget,
            made: r.made,
        };
        self.0.upgrade().map(|room| room.mail().receivers().iter().map(outlet).collect()).unwrap_or_default()
    }

    fn sample(&self, name: &str) -> Option<Result<SampleOutcome, String>> {
        let room = self.0.upgrade()?;
        let receiver = room.mail().receivers().iter().find(|r| r.name == name).cloned()?;
        let clock = system_clock();
        let Some(message) = super::sample(clock()) else {
            return Some(Err("the detectors find nothing in the sample's readings".to_owned()));
        };
        let tried = try_once(receiver, message, None, &room.tools.transport, &clock);
        Some(room.tools.runtime.block_on(tried))
    }

    fn make(&self, new: &NewReceiver) -> Result<(), Wrong> {
        let wrong = |reason: String| Wrong { field: "name", value: new.name.clone(), reason };
        let gone = || wrong("this process has stopped delivering".to_owned());
        let room = self.0.upgrade().ok_or_else(gone)?;
        let made = room.made.get().ok_or_else(gone)?;
        let _one_at_a_time = room.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let taken: Vec<String> = room.mail().receivers().iter().map(|r| r.name.clone()).collect();
        made.add(new, &taken)?;
        room.take_up(made).map_err(|why| {
            // What cannot be delivered to is not kept either; those there were go on.
            let undone = made.remove(new.name.trim()).and_then(|_| room.take_up(made));
            wrong(undone.err().unwrap_or(why))
        })
    }

    fn remove(&self, name: &str) -> Result<bool, String> {
        let Some(room) = self.0.upgrade() else { return Ok(false) };
        let Some(made) = room.made.get() else { return Ok(false) };
        let _one_at_a_time = room.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let removed = made.remove(name)?;
        if removed {
            room.take_up(made)?;
        }
        Ok(removed)
    }
}

/// What is new to somebody who has heard `said`. That a receiver is not used any more is reported once; what comes to nothing
/// for that reason is not reported again with each alert.
fn news(said: &Stats, now: &Stats) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(why) = now.broken.as_ref().filter(|_| said.broken.is_none()) {
        lines.push(format!("[WEBHOOK] deliveries are on hold: {why}; retrying, nothing that waits is lost"));
    }
    if said.broken.is_some() && now.broken.is_none() {
        lines.push("[WEBHOOK] deliveries go out again".to_owned());
    }
    for (name, s) in &now.endpoints {
        let before = said.endpoints.get(name).cloned().unwrap_or_default();
        let lost = (s.dead + s.expired).saturating_sub(before.dead + before.expired);
        let see = "see what did not arrive with: barograph alerts dead";
        match (&before.disabled, &s.disabled) {
            (None, Some(why)) => lines.push(format!("[WEBHOOK] {name} is not used any more: {why}; {see}")),
            (Some(_), Some(_)) => {}
            (before, None) => {
                if before.is_some() {
                    lines.push(format!("[WEBHOOK] {name} is used again"));
                }
                if lost > 0 {
                    lines.push(format!("[WEBHOOK] {name}: {} came to nothing; {see}", number_of(lost, "delivery")));
                }
            }
        }
    }
    lines
}

fn hear(dispatcher: &Dispatcher, command: DeliveryCommand) {
    match command {
        DeliveryCommand::Again(again) => dispatcher.replay(*again),
        DeliveryCommand::Silences => dispatcher.reread(),
        DeliveryCommand::Enabled(endpoint) => dispatcher.enable(&endpoint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_notify::dispatch::EndpointStats;

    /// A receiver that is gone is reported once, however many alerts come to nothing after that.
    #[test]
    fn a_receiver_that_is_gone_is_told_of_once() {
        let at = |dead: u64, disabled: Option<&str>| {
            let one = EndpointStats { dead, disabled: disabled.map(str::to_owned), ..EndpointStats::default() };
            Stats { endpoints: [("desk".to_owned(), one)].into(), ..Stats::default() }
        };
        let gone = Some("it answered 410, gone");
        let told = news(&at(0, None), &at(1, gone));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("desk is not used any more: it answered 410, gone"), "{told:?}");
        assert_eq!(news(&at(1, gone), &at(7, gone)), Vec::<String>::new());
        let again = news(&at(7, gone), &at(7, None));
        assert_eq!(again, ["[WEBHOOK] desk is used again"]);
        let lost = news(&at(7, None), &at(8, None));
        assert!(lost[0].contains("desk: 1 delivery came to nothing"), "{lost:?}");
    }
}
