//! Many alerts of one cause become a few messages.
//!
//! The first two markets of a cause are told at once. A third within 60 s makes a group: from then on every record of the cause
//! is held, and goes with the group's next message. Updates go when something has changed, 10 s and 60 s after the group began and
//! then every five minutes; a change after a quiet time goes at once. In any minute at most five messages of a cause leave.

use super::Action;
use super::desk::{Desk, Item};
use super::group;
use crate::outbox::{Join, Outgoing};
use barograph_domain::delivery::{DeliveryState, Message, MessageKind, Phase};
use barograph_domain::{InstrumentName, Pattern, Span, Ts};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Alerts within this are of one storm.
const WITHIN: Span = Span::mins(1);
/// Markets that are told on their own.
const ALONE: usize = 2;
/// Messages of one cause within a minute, at most.
const MESSAGES_MAX: usize = 5;
/// When a group is told again, after its beginning; then regularly.
const SOON: Span = Span::secs(10);
const LATER: Span = Span::mins(1);
const REGULARLY: Span = Span::mins(5);

/// What makes alerts belong together: the user's rule, or the family of the pattern; whatever the venue.
pub(super) fn cause_of(message: &Message) -> Option<String> {
    if message.notice.kind != MessageKind::Alert {
        return None;
    }
    match (&message.notice.rule, message.notice.pattern) {
        (Some(rule), _) => Some(format!("rule|{rule}")),
        (None, Some(pattern)) => Some(format!("family|{:?}", pattern.family())),
        (None, None) => None,
    }
}

/// A group that goes on.
#[derive(Debug)]
pub(super) struct Storm {
    pub(super) id: String,
    pub(super) began: Ts,
    pub(super) update: u32,
    pub(super) told_at: Ts,
    pub(super) changed: bool,
    /// The newest record about each member.
    pub(super) members: BTreeMap<String, Arc<Message>>,
    held: BTreeMap<String, Item>,
}

impl Storm {
    pub(super) fn new(endpoint: &str, cause: &str, began: Ts) -> Self {
        let id = group::id(endpoint, cause, began);
        Self { id, began, update: 0, told_at: Ts::MIN, changed: false, members: BTreeMap::new(), held: BTreeMap::new() }
    }
    fn due(&self) -> Ts {
        if self.update == 0 {
            self.began
        } else if self.told_at < self.began + SOON {
            self.began + SOON
        } else if self.told_at < self.began + LATER {
            self.began + LATER
        } else {
            self.told_at + REGULARLY
        }
    }
    pub(super) fn phase(&self) -> Phase {
        let any = |phase| self.members.values().any(|m| m.notice.phase == phase);
        [Phase::Firing, Phase::NoData, Phase::Resolved].into_iter().find(|p| any(*p)).unwrap_or(Phase::Happened)
    }
    fn is_over(&self) -> bool {
        matches!(self.phase(), Phase::Resolved | Phase::Happened)
    }
}

/// One cause at one endpoint.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Moments of the messages of the last minute.
    recent: VecDeque<Ts>,
    /// Alerts of the last minute that were told on their own.
    alone: VecDeque<(Ts, Arc<Message>)>,
    pub(super) storm: Option<Storm>,
}

impl Watch {
    pub(super) fn holds(&self, message: &Message) -> bool {
        let held = self.storm.as_ref().and_then(|s| s.held.get(&message.fingerprint));
        held.is_some_and(|item| item.message.id == message.id)
    }
    pub(super) fn held(&self) -> usize {
        self.storm.as_ref().map_or(0, |s| s.held.len())
    }
    pub(super) fn into_held(self) -> impl Iterator<Item = Item> {
        self.storm.into_iter().flat_map(|s| s.held.into_values())
    }
    /// Nothing is told of this member any more.
    pub(super) fn release_held(&mut self, fingerprint: &str) -> Option<Item> {
        let storm = self.storm.as_mut()?;
        let item = storm.held.remove(fingerprint)?;
        storm.members.remove(fingerprint);
        Some(item)
    }
    /// A member's state is known although this endpoint is not told of it.
    pub(super) fn overhear(&mut self, message: &Arc<Message>) {
        if let Some(member) = self.storm.as_mut().and_then(|s| s.members.get_mut(&message.fingerprint)) {
            *member = Arc::clone(message);
        }
    }
    fn forget(&mut self, now: Ts) {
        while self.recent.front().is_some_and(|at| *at <= now - WITHIN) {
            self.recent.pop_front();
        }
        while self.alone.front().is_some_and(|(at, _)| *at <= now - WITHIN) {
            self.alone.pop_front();
        }
    }
    /// May this go on its own?
    fn is_alone(&self, message: &Message) -> bool {
        let mut markets: Vec<&Option<InstrumentName>> = self.alone.iter().map(|(_, m)| &m.notice.instrument).collect();
        markets.push(&message.notice.instrument);
        markets.sort_unstable();
        markets.dedup();
        markets.len() <= ALONE && self.recent.len() + 1 < MESSAGES_MAX
    }
    pub(super) fn note_alone(&mut self, at: Ts, message: &Arc<Message>) {
        self.note_message(at);
        let place = self.alone.partition_point(|(other, _)| *other <= at);
        self.alone.insert(place, (at, Arc::clone(message)));
    }
    pub(super) fn note_message(&mut self, at: Ts) {
        let place = self.recent.partition_point(|other| *other <= at);
        self.recent.insert(place, at);
    }
    /// The first moment at which the next message of the group may go.
    fn open_at(&self, storm: &Storm) -> Ts {
        match self.recent.len().checked_sub(MESSAGES_MAX) {
            Some(place) => storm.due().max(self.recent[place] + WITHIN),
            None => storm.due(),
        }
    }
    pub(super) fn next_wake(&self) -> Option<Ts> {
        let storm = self.storm.as_ref()?;
        let closes = storm.is_over().then(|| self.open_at(storm).max(storm.began + LATER));
        let tells = storm.changed.then(|| self.open_at(storm));
        [tells, closes].into_iter().flatten().min()
    }
}

impl Desk {
    /// Sends an alert on its own or lets it go with a group.
    pub(super) fn route(&mut self, item: Item, now: Ts, out: &mut Vec<Action>) {
        let cause = cause_of(&item.message).filter(|_| self.plan.groups);
        let Some(cause) = cause.filter(|_| !self.is_gone() && item.until > now) else {
            return self.push(item, now, out);
        };
        let watch = self.watches.entry(cause.clone()).or_default();
        watch.forget(now);
        if watch.storm.is_none() && watch.is_alone(&item.message) {
            watch.note_alone(now, &item.message);
            return self.push(item, now, out);
        }
        if watch.storm.is_none() {
            // After a restart records come late; those known before the beginning would seem to have gone alone.
            let mut storm = Storm::new(&self.plan.name, &cause, now.min(item.message.known_at));
            storm.members = watch.alone.iter().map(|(_, m)| (m.fingerprint.clone(), Arc::clone(m))).collect();
            watch.storm = Some(storm);
        }
        self.hold(&cause, item, now, out);
        self.tell(&cause, now, out);
    }

    /// Keeps a record until the group's next message.
    fn hold(&mut self, cause: &str, item: Item, now: Ts, out: &mut Vec<Action>) {
        let fingerprint = item.message.fingerprint.clone();
        let unsent = self.lanes.get(&fingerprint).and_then(|l| l.waiting.as_ref());
        let older = unsent.is_some_and(|i| !i.replayed && i.message.known_at <= item.message.known_at);
        let older = older.then(|| self.take_waiting(&fingerprint)).flatten();
        let Some(storm) = self.watches.get_mut(cause).and_then(|w| w.storm.as_mut()) else { return };
        storm.members.insert(fingerprint.clone(), Arc::clone(&item.message));
        storm.changed = true;
        let held = storm.held.insert(fingerprint, item);
        for old in older.into_iter().chain(held) {
            self.end(&old, DeliveryState::Superseded, "newer_state", now, out);
        }
    }

    /// Tells a group what has changed, if it is time to.
    fn tell(&mut self, cause: &str, now: Ts, out: &mut Vec<Action>) {
        let Some(watch) = self.watches.get_mut(cause) else { return };
        watch.forget(now);
        let Some(storm) = &watch.storm else { return };
        if !storm.changed || watch.open_at(storm) > now {
            return;
        }
        let Some(storm) = watch.storm.as_mut() else { return };
        let phase = storm.phase();
        storm.changed = false;
        storm.told_at = now;
        storm.update += 1;
        let message = group::message(storm, cause, now);
        let held = core::mem::take(&mut storm.held);
        let wanted = phase != Phase::Resolved || self.plan.filter.resolved;
        if !wanted || held.is_empty() {
            for item in held.into_values() {
                self.end(&item, DeliveryState::Superseded, "newer_state", now, out);
            }
            return;
        }
        watch.note_message(now);
        let row = self.row(&message, now);
        let mut item = Item::of(Arc::new(message.clone()), &row);
        let joins = held.values().map(|i| Join {
            endpoint: self.plan.name.clone(),
            message: i.message.id.clone(),
            via: message.id.clone(),
        });
        let joins = joins.collect();
        item.joined = held.into_values().map(|i| i.message.id.clone()).collect();
        out.push(Action::Enqueue(vec![Outgoing { message, deliveries: vec![row] }], joins));
        self.push(item, now, out);
    }

    /// Tells what is due and closes what is over.
    pub(super) fn update_storms(&mut self, now: Ts, out: &mut Vec<Action>) {
        let due: Vec<String> = self
            .watches
            .iter()
            .filter(|(_, w)| w.next_wake().is_some_and(|at| at <= now))
            .map(|(cause, _)| cause.clone())
            .collect();
        for cause in due {
            let was_due = self.watches.get(&cause).and_then(|w| w.storm.as_ref()).is_some_and(|s| s.changed);
            self.tell(&cause, now, out);
            let Some(watch) = self.watches.get_mut(&cause) else { continue };
            let closes = watch.storm.as_ref().is_some_and(|s| {
                // A storm of moments has no end of its own: it is over when nothing came for a whole interval.
                let quiet = !was_due || s.phase() == Phase::Resolved;
                s.is_over() && !s.changed && quiet && now >= s.began + LATER
            });
            if closes {
                watch.storm = None;
            }
        }
        self.watches.retain(|_, w| {
            w.forget(now);
            w.storm.is_some() || !w.recent.is_empty()
        });
    }
}

/// The word of the part that speaks, of a cause.
pub(super) fn source_of(messages: &[&Arc<Message>]) -> &'static str {
    let mut words: Vec<&str> = messages.iter().filter_map(|m| m.notice.pattern.map(Pattern::source)).collect();
    words.dedup();
    match words.first() {
        Some(first) if words.iter().all(|w| w == first) => {
            messages.first().and_then(|m| m.notice.pattern).map_or("", Pattern::source)
        }
        _ => "BAROGRAPH",
    }
}
