//! An outbox in memory, for programs that have no store: what waits in it ends with the process.

use crate::outbox::{Change, Firing, Join, Outbox, OutboxError, Outgoing, Recovered};
use barograph_domain::Span;
use barograph_domain::delivery::{Attempt, Delivery, DeliveryState, EndpointState, Message, Phase, Silence};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Messages that are kept once all their deliveries have ended, and their tries: a few megabytes.
const ENDED_MAX: usize = 1_000;
/// Storms of the last minutes go on, as in the store of the program.
const RECENT: Span = Span::mins(10);

/// See the module. Clones are the same outbox.
#[derive(Clone, Debug, Default)]
pub struct MemoryOutbox(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    /// In the order in which they came.
    messages: Vec<Outgoing>,
    tries: Vec<Attempt>,
    endpoints: BTreeMap<String, EndpointState>,
    silences: Vec<Silence>,
}

impl MemoryOutbox {
    fn open(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in; one that is there stays as it is. It has to be handed to the dispatcher afterwards, as of one in a store.
    pub fn put(&self, outgoing: &Outgoing) {
        self.open().put(outgoing);
    }

    /// The deliveries of a message, each as it stands; empty for one that is not known, or not any more.
    #[must_use]
    pub fn deliveries(&self, message: &str) -> Vec<Delivery> {
        self.open().messages.iter().filter(|o| o.message.id == message).flat_map(|o| o.deliveries.clone()).collect()
    }

    /// The tries of a message, oldest first.
    #[must_use]
    pub fn tries(&self, message: &str) -> Vec<Attempt> {
        self.open().tries.iter().filter(|t| t.message == message).cloned().collect()
    }

    /// Nobody hears of what these match; takes the place of those before. The dispatcher has to read again.
    pub fn silence(&self, silences: Vec<Silence>) {
        self.open().silences = silences;
    }
}

impl Held {
    fn put(&mut self, outgoing: &Outgoing) {
        if self.messages.iter().all(|o| o.message.id != outgoing.message.id) {
            self.messages.push(outgoing.clone());
        }
    }

    fn row(&mut self, endpoint: &str, message: &str) -> Option<&mut Delivery> {
        let own = self.messages.iter_mut().filter(|o| o.message.id == message).flat_map(|o| &mut o.deliveries);
        own.filter(|d| !d.state.is_final()).find(|d| d.endpoint == endpoint)
    }

    fn change(&mut self, change: &Change) {
        let Some(row) = self.row(&change.endpoint, &change.message) else { return };
        (row.state, row.reason, row.attempts) = (change.state, change.reason.clone(), change.attempts);
        (row.next_try, row.via) = (change.next_try, None);
        if !change.state.is_final() {
            return;
        }
        row.ended_at = Some(change.at);
        // What goes with a group shares its end.
        let joined = self.messages.iter_mut().flat_map(|o| &mut o.deliveries).filter(|d| {
            d.via.as_ref() == Some(&change.message) && d.endpoint == change.endpoint && !d.state.is_final()
        });
        for row in joined {
            (row.state, row.reason, row.ended_at) = (change.state, change.reason.clone(), Some(change.at));
        }
    }

    /// Forgets the oldest of what has ended.
    fn tidy(&mut self) {
        let has_ended = |o: &Outgoing| o.deliveries.iter().all(|d| d.state.is_final());
        let mut spare = self.messages.iter().filter(|o| has_ended(o)).count().saturating_sub(ENDED_MAX);
        // Now and then, not for each message: every one of them is looked at.
        if spare < ENDED_MAX / 10 {
            return;
        }
        self.messages.retain(|o| {
            let goes = spare > 0 && has_ended(o);
            spare -= usize::from(goes);
            !goes
        });
        let kept = &self.messages;
        self.tries.retain(|t| kept.iter().any(|o| o.message.id == t.message));
    }

    fn recovered(&self) -> Recovered {
        let mut by_time: Vec<&Outgoing> = self.messages.iter().collect();
        by_time.sort_by_key(|o| (o.message.known_at, o.message.id.as_str()));
        let waiting = |o: &&Outgoing| Outgoing {
            message: o.message.clone(),
            deliveries: o.deliveries.iter().filter(|d| !d.state.is_final()).cloned().collect(),
        };
        let since = by_time.last().map(|o| o.message.known_at - RECENT);
        let newest: BTreeMap<&str, &Outgoing> = by_time.iter().map(|o| (o.message.fingerprint.as_str(), *o)).collect();
        let firing = newest.values().filter(|o| matches!(o.message.notice.phase, Phase::Firing | Phase::NoData));
        Recovered {
            unfinished: by_time.iter().map(waiting).filter(|o| !o.deliveries.is_empty()).collect(),
            recent: by_time.iter().filter(|o| Some(o.message.known_at) >= since).map(|o| (*o).clone()).collect(),
            firing: firing.map(|o| Firing { message: o.message.clone(), told: confirmed_by(&by_time, o) }).collect(),
            endpoints: self.endpoints.values().cloned().collect(),
            silences: self.silences.clone(),
            ended: Vec::new(),
            more: false,
        }
    }
}

/// Who has confirmed a message about the same thing since it began.
fn confirmed_by(all: &[&Outgoing], newest: &Outgoing) -> Vec<String> {
    let episode = |o: &&&Outgoing| {
        o.message.fingerprint == newest.message.fingerprint && o.message.known_at >= newest.message.notice.opened_at
    };
    let rows = all.iter().filter(episode).flat_map(|o| &o.deliveries);
    let mut out: Vec<String> =
        rows.filter(|d| d.state == DeliveryState::Delivered).map(|d| d.endpoint.clone()).collect();
    out.sort_unstable();
    out.dedup();
    out
}

impl Outbox for MemoryOutbox {
    fn recover(&mut self) -> Result<Recovered, OutboxError> {
        Ok(self.open().recovered())
    }

    /// Everything that waits is read at once.
    fn unfinished_after(&mut self, _last: &Message) -> Result<(Vec<Outgoing>, bool), OutboxError> {
        Ok((Vec::new(), false))
    }

    fn enqueue(&mut self, messages: &[Outgoing], joins: &[Join]) -> Result<(), OutboxError> {
        let mut held = self.open();
        messages.iter().for_each(|m| held.put(m));
        for join in joins {
            if let Some(row) = held.row(&join.endpoint, &join.message) {
                (row.state, row.via) = (DeliveryState::Grouped, Some(join.via.clone()));
            }
        }
        Ok(())
    }

    fn record(&mut self, changes: &[Change], tries: &[Attempt], states: &[EndpointState]) -> Result<(), OutboxError> {
        let mut held = self.open();
        held.tries.extend_from_slice(tries);
        changes.iter().for_each(|c| held.change(c));
        held.endpoints.extend(states.iter().map(|s| (s.endpoint.clone(), s.clone())));
        held.tidy();
        Ok(())
    }

    fn silences(&mut self) -> Result<Vec<Silence>, OutboxError> {
        Ok(self.open().silences.clone())
    }
}
