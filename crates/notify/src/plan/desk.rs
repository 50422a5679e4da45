//! One endpoint: lanes, what is due, pace, and how it is doing.

use super::storm::Watch;
use super::{Action, Endpoint, Send};
use crate::outbox::{Change, Join};
use barograph_domain::delivery::{Delivery, DeliveryState, EndpointState, Message, Phase};
use barograph_domain::{Span, Ts};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// After so many failures in a row one request at a time finds out whether the endpoint answers again.
const PROBE_AFTER: u32 = 5;
/// Begins the reason of an endpoint that rests until a person has looked at it; its messages wait until they are too old.
pub(super) const PAUSED: &str = "paused";

/// A message on its way to this endpoint.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) message: Arc<Message>,
    pub(super) until: Ts,
    pub(super) attempts: u32,
    pub(super) rejects: u32,
    pub(super) next_try: Ts,
    pub(super) parts_done: u32,
    /// Messages whose deliveries go with this one.
    pub(super) joined: Vec<String>,
    /// A person asked for it.
    pub(super) replayed: bool,
    /// Taken over from a process that may have sent it without having recorded that.
    pub(super) inherited: bool,
}

impl Item {
    pub(super) fn of(message: Arc<Message>, row: &Delivery) -> Self {
        Self {
            message,
            until: row.deliver_until,
            attempts: row.attempts,
            rejects: 0,
            next_try: row.next_try,
            parts_done: 0,
            joined: Vec::new(),
            replayed: false,
            inherited: false,
        }
    }
    /// The receiver may have heard of it.
    const fn was_tried(&self) -> bool {
        self.attempts > 0 || self.inherited
    }
}

/// Everything about one thing at this endpoint.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) waiting: Option<Item>,
    pub(super) flying: Option<Item>,
    /// What the receiver has confirmed last.
    pub(super) told: Option<Phase>,
}

/// One endpoint.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) plan: Endpoint,
    pub(super) state: EndpointState,
    pub(super) lanes: BTreeMap<String, Lane>,
    pub(super) watches: BTreeMap<String, Watch>,
    due: BTreeSet<(Ts, Ts, String)>,
    deadlines: BTreeSet<(Ts, String)>,
    pub(super) in_flight: usize,
    pub(super) rest_until: Ts,
    pub(super) failures: u32,
    pub(super) misconfigured: u32,
    sent: VecDeque<Ts>,
}

impl Desk {
    pub(super) fn new(plan: Endpoint) -> Self {
        let state = EndpointState { endpoint: plan.name.clone(), ..EndpointState::default() };
        Self {
            plan,
            state,
            lanes: BTreeMap::new(),
            watches: BTreeMap::new(),
            due: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            in_flight: 0,
            rest_until: Ts::MIN,
            failures: 0,
            misconfigured: 0,
            sent: VecDeque::new(),
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.state.disabled.as_deref().is_some_and(|why| why.starts_with(PAUSED))
    }
    pub(super) fn is_gone(&self) -> bool {
        self.state.disabled.is_some() && !self.is_paused()
    }
    /// A new delivery of a message that was made here.
    pub(super) fn row(&self, message: &Message, now: Ts) -> Delivery {
        Delivery {
            endpoint: self.plan.name.clone(),
            message: message.id.clone(),
            state: DeliveryState::Waiting,
            via: None,
            reason: String::new(),
            deliver_until: self.plan.until(message.notice.phase, now),
            attempts: 0,
            next_try: now,
            ended_at: None,
        }
    }
    /// Is it in hand already?
    pub(super) fn knows(&self, message: &Message) -> bool {
        let same = |item: &Option<Item>| item.as_ref().is_some_and(|i| i.message.id == message.id);
        self.lanes.get(&message.fingerprint).is_some_and(|l| same(&l.waiting) || same(&l.flying))
            || self.watches.values().any(|w| w.holds(message))
    }
    pub(super) fn queue(&self) -> usize {
        let lanes: usize =
            self.lanes.values().map(|l| usize::from(l.waiting.is_some()) + usize::from(l.flying.is_some())).sum();
        lanes + self.watches.values().map(Watch::held).sum::<usize>()
    }
    /// The receiver knows that it fires: it has to hear the end, whatever mutes it.
    pub(super) fn must_hear_end(&self, message: &Message) -> bool {
        message.notice.phase == Phase::Resolved && self.is_told_firing(&message.fingerprint)
    }
    fn is_told_firing(&self, fingerprint: &str) -> bool {
        self.lanes.get(fingerprint).is_some_and(|l| {
            matches!(l.told, Some(Phase::Firing | Phase::NoData))
                || l.flying.is_some()
                || l.waiting.as_ref().is_some_and(Item::was_tried)
        })
    }

    pub(super) fn end(&self, item: &Item, state: DeliveryState, reason: &str, now: Ts, out: &mut Vec<Action>) {
        out.push(Action::Change(self.change(item, state, reason, now)));
    }
    pub(super) fn change(&self, item: &Item, state: DeliveryState, reason: &str, now: Ts) -> Change {
        Change {
            endpoint: self.plan.name.clone(),
            message: item.message.id.clone(),
            state,
            reason: reason.to_owned(),
            attempts: item.attempts,
            next_try: item.next_try,
            at: now,
        }
    }

    /// What is unsent about a thing need not be told any more.
    pub(super) fn drop_unsent(&mut self, fingerprint: &str, why: &str, now: Ts, out: &mut Vec<Action>) {
        if let Some(old) = self.take_waiting(fingerprint) {
            self.end(&old, DeliveryState::Superseded, why, now, out);
        }
        let held: Vec<Item> = self.watches.values_mut().filter_map(|w| w.release_held(fingerprint)).collect();
        for item in held {
            self.end(&item, DeliveryState::Superseded, why, now, out);
        }
    }

    /// A message passed that this endpoint does not want: what it says may make older news about the same thing unnecessary.
    pub(super) fn overheard(&mut self, message: &Arc<Message>, now: Ts, out: &mut Vec<Action>) {
        for watch in self.watches.values_mut() {
            watch.overhear(message);
        }
        let is_older = |i: &Item| !i.replayed && i.message.known_at < message.known_at;
        let over = message.notice.phase == Phase::Resolved;
        if over && self.lanes.get(&message.fingerprint).and_then(|l| l.waiting.as_ref()).is_some_and(is_older) {
            self.drop_unsent(&message.fingerprint, "newer_state", now, out);
        }
        if over && let Some(lane) = self.lanes.get_mut(&message.fingerprint) {
            lane.told = None;
            self.tidy(&message.fingerprint);
        }
    }

    /// Puts a message into its lane; only the newest unsent one stays.
    pub(super) fn push(&mut self, mut item: Item, now: Ts, out: &mut Vec<Action>) {
        if self.is_gone() {
            return self.end(&item, DeliveryState::Dead, "endpoint_disabled", now, out);
        }
        if item.until <= now {
            return self.end(&item, DeliveryState::Expired, "too_old", now, out);
        }
        let fingerprint = item.message.fingerprint.clone();
        let lane = self.lanes.entry(fingerprint.clone()).or_default();
        let is_older = |other: &Item| {
            (other.message.known_at, other.message.notice.revision)
                > (item.message.known_at, item.message.notice.revision)
        };
        if lane.waiting.as_ref().is_some_and(is_older) {
            return self.end(&item, DeliveryState::Superseded, "newer_state", now, out);
        }
        let knew = matches!(lane.told, Some(Phase::Firing | Phase::NoData)) || lane.flying.is_some();
        if let Some(old) = self.take_waiting(&fingerprint) {
            let unheard = !knew && !old.was_tried() && item.message.notice.phase == Phase::Resolved;
            let began = matches!(old.message.notice.phase, Phase::Firing | Phase::NoData);
            if unheard && began && !item.replayed {
                self.end(&old, DeliveryState::Superseded, "newer_state", now, out);
                self.end(&item, DeliveryState::Superseded, "never_told", now, out);
                return self.tidy(&fingerprint);
            }
            self.replace(&old, &mut item, now, out);
        }
        self.put_waiting(&fingerprint, item);
    }

    /// A newer message takes the place of an older one, and what goes with that.
    pub(super) fn replace(&self, old: &Item, new: &mut Item, now: Ts, out: &mut Vec<Action>) {
        if !old.joined.is_empty() {
            let joins = old.joined.iter().map(|message| Join {
                endpoint: self.plan.name.clone(),
                message: message.clone(),
                via: new.message.id.clone(),
            });
            out.push(Action::Enqueue(Vec::new(), joins.collect()));
            new.joined.extend(old.joined.iter().cloned());
        }
        self.end(old, DeliveryState::Superseded, "newer_state", now, out);
    }

    pub(super) fn put_waiting(&mut self, fingerprint: &str, item: Item) {
        self.deadlines.insert((item.until, fingerprint.to_owned()));
        let (next_try, known_at) = (item.next_try, item.message.known_at);
        let lane = self.lanes.entry(fingerprint.to_owned()).or_default();
        lane.waiting = Some(item);
        if lane.flying.is_none() {
            self.due.insert((next_try, known_at, fingerprint.to_owned()));
        }
    }

    pub(super) fn take_waiting(&mut self, fingerprint: &str) -> Option<Item> {
        let item = self.lanes.get_mut(fingerprint)?.waiting.take()?;
        self.deadlines.remove(&(item.until, fingerprint.to_owned()));
        self.due.remove(&(item.next_try, item.message.known_at, fingerprint.to_owned()));
        Some(item)
    }

    /// The message under way has come back.
    pub(super) fn land(&mut self, message: &Message) -> Option<Item> {
        let lane = self.lanes.get_mut(&message.fingerprint)?;
        let item = lane.flying.take_if(|i| i.message.id == message.id)?;
        self.in_flight -= 1;
        if let Some(next) = &lane.waiting {
            self.due.insert((next.next_try, next.message.known_at, message.fingerprint.clone()));
        }
        Some(item)
    }

    /// Forgets a lane that has nothing to remember.
    pub(super) fn tidy(&mut self, fingerprint: &str) {
        let empty = self.lanes.get(fingerprint).is_some_and(|l| {
            l.waiting.is_none()
                && l.flying.is_none()
                && matches!(l.told, None | Some(Phase::Resolved | Phase::Happened))
        });
        if empty {
            self.lanes.remove(fingerprint);
        }
    }

    /// Ends what is too old to be worth telling.
    pub(super) fn expire(&mut self, now: Ts, out: &mut Vec<Action>) {
        while let Some((until, fingerprint)) = self.deadlines.first().cloned().filter(|(until, _)| *until <= now) {
            match self.take_waiting(&fingerprint) {
                Some(item) => self.end(&item, DeliveryState::Expired, "too_old", now, out),
                None => drop(self.deadlines.remove(&(until, fingerprint.clone()))),
            }
            self.tidy(&fingerprint);
        }
    }

    /// Everything that waits is dead; a person may have it sent again.
    pub(super) fn bury(&mut self, now: Ts, out: &mut Vec<Action>) {
        let all: Vec<String> = self.lanes.keys().cloned().collect();
        for fingerprint in all {
            if let Some(item) = self.take_waiting(&fingerprint) {
                self.end(&item, DeliveryState::Dead, "endpoint_disabled", now, out);
            }
            self.tidy(&fingerprint);
        }
        for watch in core::mem::take(&mut self.watches).into_values() {
            for item in watch.into_held() {
                self.end(&item, DeliveryState::Dead, "endpoint_disabled", now, out);
            }
        }
    }

    /// Used again.
    pub(super) fn enable(&mut self, now: Ts, out: &mut Vec<Action>) {
        self.state.disabled = None;
        self.state.failing_since = None;
        (self.failures, self.misconfigured, self.rest_until) = (0, 0, now);
        out.push(Action::State(self.state.clone()));
        self.hurry(now);
    }

    /// What waits for its next try need not wait any more.
    pub(super) fn hurry(&mut self, now: Ts) {
        let later = (now, Ts::MAX, String::from(char::MAX));
        for (next_try, known_at, fingerprint) in self.due.split_off(&later) {
            let Some(item) = self.lanes.get_mut(&fingerprint).and_then(|l| l.waiting.as_mut()) else { continue };
            // What the receiver refuses is not pressed on it.
            let soon = if item.rejects > 0 { next_try } else { now };
            item.next_try = soon;
            self.due.insert((soon, known_at, fingerprint));
        }
    }

    const fn room(&self) -> usize {
        let most = if self.failures >= PROBE_AFTER { 1 } else { self.plan.in_flight_max };
        most.saturating_sub(self.in_flight)
    }

    /// The first moment at which pace and rests allow a message.
    fn open_at(&self) -> Ts {
        let mut at = self.rest_until;
        if let Some(last) = self.sent.back() {
            at = at.max(*last + self.plan.pace.gap);
        }
        let most = self.plan.pace.per_minute;
        if most > 0 && self.sent.len() >= most {
            at = at.max(self.sent[self.sent.len() - most] + Span::mins(1));
        }
        at
    }

    /// Sends what is due.
    pub(super) fn send(&mut self, place: usize, now: Ts, out: &mut Vec<Action>) {
        while self.state.disabled.is_none() && self.room() > 0 && self.open_at() <= now {
            let Some((next_try, known_at, fingerprint)) = self.due.pop_first() else { return };
            if next_try > now {
                self.due.insert((next_try, known_at, fingerprint));
                return;
            }
            let Some(item) = self.take_waiting(&fingerprint) else { continue };
            out.push(Action::Send(Send {
                endpoint: place,
                message: Arc::clone(&item.message),
                attempts: item.attempts,
                parts_done: item.parts_done,
                learned: self.state.learned.clone(),
            }));
            if let Some(lane) = self.lanes.get_mut(&fingerprint) {
                lane.flying = Some(item);
            }
            self.in_flight += 1;
            self.note_sent(now);
        }
    }

    fn note_sent(&mut self, now: Ts) {
        let keep = self.plan.pace.per_minute.max(1);
        self.sent.push_back(now);
        while self.sent.len() > keep {
            self.sent.pop_front();
        }
    }

    pub(super) fn failed_too_long(&self, now: Ts) -> bool {
        self.state.disabled.is_none()
            && self.state.failing_since.is_some_and(|since| now - since >= crate::schedule::FAILING_MAX)
    }

    pub(super) fn next_wake(&self) -> Option<Ts> {
        let send = self.due.first().filter(|_| self.state.disabled.is_none() && self.room() > 0);
        let send = send.map(|(next_try, ..)| (*next_try).max(self.open_at()));
        let expire = self.deadlines.first().map(|(until, _)| *until);
        let failing = self
            .state
            .failing_since
            .filter(|_| self.state.disabled.is_none())
            .map(|s| s + crate::schedule::FAILING_MAX);
        let storms = self.watches.values().filter_map(|w| w.next_wake()).min();
        [send, expire, failing, storms].into_iter().flatten().min()
    }
}
