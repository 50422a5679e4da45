//! The mail room of a live process: who wants what, and the dispatcher that delivers them.

use super::mail::Mail;
use super::outbox::StoreOutbox;
use crate::Error;
use barograph_domain::Ts;
use barograph_domain::advice::PositionNotice;
use barograph_domain::text::number_of;
use barograph_engine::rules::RuleBook;
use barograph_net::Clock;
use barograph_notify::dispatch::{Clocks, Dispatcher, Now, Stats};
use barograph_notify::receiver::Receiver;
use barograph_notify::transport::Transport;
use barograph_query::delivery::{DeliveryCommand, DeliveryDesk, Outlet, ask};
use barograph_query::positions::NoticeReceivers;
use barograph_store::{Outgoing, StoreTarget, open_outbox};
use core::sync::atomic::{AtomicU64, Ordering};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long requests under way may take when the process ends.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// See the module. Without receivers there is no room.
pub struct Room {
    pub(crate) mail: Mail,
    dispatcher: Mutex<Option<Dispatcher>>,
    /// What the operator has heard.
    said: Mutex<Stats>,
    /// Raised with whatever changes in the outbox.
    changes: Arc<AtomicU64>,
}

impl core::fmt::Debug for Room {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Room").field("mail", &self.mail).finish_non_exhaustive()
    }
}

impl Room {
    /// Starts delivering to these. The outbox's role is taken; the store exists already.
    ///
    /// # Errors
    /// Another process delivers, or a receiver cannot be used.
    pub fn open(
        receivers: Vec<Receiver>,
        target: &StoreTarget,
        book: &RuleBook,
        clock: Arc<dyn Clock>,
        runtime: tokio::runtime::Handle,
    ) -> Result<Option<Arc<Self>>, Error> {
        if receivers.is_empty() {
            return Ok(None);
        }
        // A made-up world may run faster than the receivers' clocks, and elsewhere.
        let rate = clock.rate();
        let now: Now = Arc::new(move || clock.now());
        let changes = Arc::new(AtomicU64::new(0));
        let outbox = StoreOutbox::new(target.clone(), open_outbox(target)?, Arc::clone(&now), Arc::clone(&changes));
        let transport = Arc::new(Transport::new().map_err(Error::Failed)?);
        let names: Vec<&str> = receivers.iter().map(|r| r.name.as_str()).collect();
        drop(writeln!(std::io::stderr(), "barograph: [WEBHOOK] telling {}", names.join(", ")));
        let mail = Mail::new(receivers.clone(), book);
        let Ts(seed) = now();
        let (outbox, clocks) = (Box::new(outbox), Clocks::of_world(now, rate));
        let dispatcher = Dispatcher::start(receivers, outbox, transport, runtime, clocks, seed.cast_unsigned())
            .map_err(Error::refused)?;
        Ok(Some(Arc::new(Self { mail, dispatcher: Mutex::new(Some(dispatcher)), said: Mutex::default(), changes })))
    }

    fn with<T>(&self, work: impl FnOnce(&Dispatcher) -> T) -> Option<T> {
        self.dispatcher.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(work)
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
        let outlet = |r: &Receiver| Outlet {
            name: r.name.clone(),
            format: r.format.name.to_owned(),
            address: r.shown(),
            budget: r.budget.map(|budget| budget.to_string()),
        };
        let outlets = self.mail.receivers().iter().map(outlet).collect();
        let room = Arc::downgrade(self);
        let notify = move |command| room.upgrade().is_some_and(|room| room.with(|d| hear(d, command)).is_some());
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
        let dispatcher = self.dispatcher.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(dispatcher) = dispatcher {
            dispatcher.stop(LAST_REQUESTS);
        }
    }
}

impl NoticeReceivers for Room {
    fn of_position(&self, notice: &PositionNotice) -> Option<Outgoing> {
        self.mail.of_position(notice)
    }
    fn stored(&self, messages: Vec<Outgoing>) {
        Self::stored(self, messages);
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
