//! One endpoint: lanes, what is due, pace, and how it is doing.

use super::storm::{Watch, cause_of, cause_of_group};
use super::stronger::is_lost;
use super::{Endpoint, Order, PlanAction, Send, is_open, order};
use crate::outbox::{Change, Join, waiting};
use barograph_domain::delivery::{Delivery, DeliveryState, EndpointState, Message, MessageKind, Phase};
use barograph_domain::{Severity, Span, Ts};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// After so many failures in a row one request at a time finds out whether the endpoint answers again.
const PROBE_AFTER: u32 = 5;
/// Reason of a delivery that waits because its receiver asked for patience: until when is its next try.
pub(super) const ASKED_TO_WAIT: &str = "asked_to_wait";
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
    /// Which request to this endpoint it went out with last; 0: none.
    pub(super) request: u64,
    /// Messages whose deliveries go with this one.
    pub(super) joined: Vec<Arc<Message>>,
    /// How many alerts it says were held back.
    pub(super) tells_held_back: u32,
    /// A person asked for it.
    pub(super) replayed: bool,
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
            request: 0,
            joined: Vec::new(),
            tells_held_back: 0,
            replayed: false,
        }
    }
}

/// What a receiver has confirmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Confirmed {
    pub(super) phase: Phase,
    pub(super) severity: Severity,
}

impl Confirmed {
    pub(super) const fn of(message: &Message) -> Self {
        Self { phase: message.notice.phase, severity: message.notice.severity }
    }
}

/// Everything about one thing at this endpoint.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) waiting: Option<Item>,
    pub(super) flying: Option<Item>,
    /// What the receiver has confirmed last.
    pub(super) confirmed: Option<Confirmed>,
    /// The receiver may have heard that it fires: a try was made, alone or with a group.
    pub(super) may_know: bool,
}

impl Lane {
    /// The receiver may have heard that it fires.
    pub(super) fn is_known(&self) -> bool {
        self.may_know || self.flying.is_some() || self.confirmed.is_some_and(|t| is_open(t.phase))
    }
}

/// What is planned for one endpoint.
#[derive(Debug)]
pub(super) struct EndpointPlan {
    pub(super) endpoint: Endpoint,
    pub(super) state: EndpointState,
    pub(super) lanes: BTreeMap<String, Lane>,
    pub(super) watches: BTreeMap<String, Watch>,
    pub(super) due: BTreeSet<(Ts, Ts, String)>,
    deadlines: BTreeSet<(Ts, String)>,
    pub(super) in_flight: usize,
    pub(super) rest_until: Ts,
    pub(super) failures: u32,
    /// It asked for patience and has taken nothing since: one request at a time finds out whether it takes more.
    pub(super) probing: bool,
    /// Requests so far.
    pub(super) requests: u64,
    /// How many of them were out when it asked for patience last: those say nothing of what it takes after that.
    pub(super) requests_before_rest: u64,
    pub(super) misconfigured: u32,
    /// A minute of the receiver's.
    pub(super) minute: Span,
    sent: VecDeque<Ts>,
    /// Place of the newest record of each thing that was handed out, alone or with a group.
    newest: BTreeMap<String, Order>,
    /// Since when it was not used; its next success is announced.
    pub(super) stopped: Option<Ts>,
    /// When a try failed last.
    pub(super) failed_at: Option<Ts>,
    /// A delivery has ended without its message being delivered, since this was read last.
    pub(super) lost: bool,
}

impl EndpointPlan {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let state = EndpointState { endpoint: endpoint.name.clone(), ..EndpointState::default() };
        Self {
            endpoint,
            state,
            lanes: BTreeMap::new(),
            watches: BTreeMap::new(),
            due: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            in_flight: 0,
            rest_until: Ts::MIN,
            failures: 0,
            probing: false,
            requests: 0,
            requests_before_rest: 0,
            misconfigured: 0,
            minute: Span::mins(1),
            sent: VecDeque::new(),
            newest: BTreeMap::new(),
            stopped: None,
            failed_at: None,
            lost: false,
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
        waiting(&self.endpoint.name, message, self.endpoint.until(message.notice.phase, now))
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
        message.notice.phase == Phase::Resolved && self.may_know(&message.fingerprint)
    }
    /// The receiver may have heard that it fires.
    pub(super) fn may_know(&self, fingerprint: &str) -> bool {
        self.lanes.get(fingerprint).is_some_and(Lane::is_known)
    }
    /// All that a record says is that something can be seen again, and the receiver never heard that it could not.
    pub(super) fn knows_it_fires(&self, message: &Message) -> bool {
        let confirmed = self.lanes.get(&message.fingerprint).and_then(|l| l.confirmed);
        message.notice.resumed
            && confirmed.is_some_and(|t| t.phase == Phase::Firing && t.severity >= message.notice.severity)
    }
    /// Nothing about a thing waits or is under way.
    pub(super) fn is_idle(&self, fingerprint: &str) -> bool {
        self.lanes.get(fingerprint).is_none_or(|l| l.waiting.is_none() && l.flying.is_none())
    }
    /// Something about a thing waits, is held or under way.
    pub(super) fn has_unsent(&self, fingerprint: &str) -> bool {
        !self.is_idle(fingerprint) || self.watches.values().any(|w| w.holds_since(fingerprint).is_some())
    }
    /// Something newer about the same thing was handed out or is held.
    pub(super) fn has_newer(&self, message: &Message) -> bool {
        let place = order(message);
        self.newest.get(&message.fingerprint).is_some_and(|newest| *newest > place)
            || self.watches.values().any(|w| w.holds_since(&message.fingerprint).is_some_and(|held| held > place))
    }
    /// As [`Self::has_newer`], or something newer waits.
    pub(super) fn is_late(&self, message: &Message) -> bool {
        let waits = self.lanes.get(&message.fingerprint).and_then(|l| l.waiting.as_ref());
        waits.is_some_and(|i| !i.replayed && order(&i.message) > order(message)) || self.has_newer(message)
    }
    /// This very record was handed out already.
    pub(super) fn has_handed_out(&self, message: &Message) -> bool {
        self.newest.get(&message.fingerprint) == Some(&order(message))
    }
    pub(super) fn note_handed_out(&mut self, message: &Message) {
        let newest = self.newest.entry(message.fingerprint.clone()).or_insert_with(|| order(message));
        *newest = order(message).max(*newest);
    }
    /// The receiver may hear of these from now on, whatever comes of the try.
    fn note_tried(&mut self, item: &Item) {
        let alone = (item.message.notice.kind != MessageKind::Group && !item.replayed).then_some(&item.message);
        for message in item.joined.iter().chain(alone) {
            self.note_may_know(message);
        }
        if let Some(message) = alone {
            self.note_handed_out(message);
        }
    }
    pub(super) fn note_may_know(&mut self, message: &Message) {
        if message.notice.kind != MessageKind::Group && is_open(message.notice.phase) {
            self.lanes.entry(message.fingerprint.clone()).or_default().may_know = true;
        }
    }
    /// The receiver has confirmed it.
    pub(super) fn note_confirmed(&mut self, message: &Message) {
        let lane = self.lanes.entry(message.fingerprint.clone()).or_default();
        lane.confirmed = Some(Confirmed::of(message));
        lane.may_know = is_open(message.notice.phase);
        self.tidy(&message.fingerprint);
    }
    /// Forgets places of records that are too old to come late.
    pub(super) fn forget(&mut self, now: Ts) {
        let oldest = now - self.endpoint.resolved_within.max(self.endpoint.fired_within).max(Span::days(1));
        self.newest.retain(|_, (known_at, ..)| *known_at >= oldest);
    }

    /// Ends a delivery, and what goes with it.
    pub(super) fn end(&mut self, item: &Item, state: DeliveryState, reason: &str, now: Ts, out: &mut Vec<PlanAction>) {
        out.push(PlanAction::Change(self.change(item, state, reason, now)));
        self.settle_budget(item, state, reason, now, out);
        self.lost |= is_lost(state);
        if item.message.notice.kind == MessageKind::Group {
            let watch = cause_of_group(&item.message).and_then(|cause| self.watches.get_mut(&cause));
            if let Some(storm) = watch.and_then(|watch| watch.storm_of(&item.message)) {
                storm.members.values_mut().for_each(|part| part.tally.end());
            }
        }
        for message in &item.joined {
            if let Some(watch) = cause_of(message).and_then(|cause| self.watches.get_mut(&cause)) {
                watch.settle(message);
            }
            if state == DeliveryState::Delivered {
                self.note_confirmed(message);
            }
        }
    }
    pub(super) fn change(&self, item: &Item, state: DeliveryState, reason: &str, now: Ts) -> Change {
        Change {
            endpoint: self.endpoint.name.clone(),
            message: item.message.id.clone(),
            state,
            reason: reason.to_owned(),
            attempts: item.attempts,
            next_try: item.next_try,
            at: now,
        }
    }

    /// What is unsent about a thing need not be delivered any more.
    pub(super) fn drop_unsent(&mut self, fingerprint: &str, why: &str, now: Ts, out: &mut Vec<PlanAction>) {
        if let Some(old) = self.take_waiting(fingerprint) {
            self.end(&old, DeliveryState::Superseded, why, now, out);
        }
        let known = self.may_know(fingerprint);
        let held: Vec<Item> = self.watches.values_mut().filter_map(|w| w.release_held(fingerprint, known)).collect();
        for item in held {
            self.end(&item, DeliveryState::Superseded, why, now, out);
        }
    }

    /// The members of groups are known by the newest record, whether this endpoint hears of it or not.
    pub(super) fn overhear(&mut self, message: &Arc<Message>) {
        for watch in self.watches.values_mut() {
            watch.overhear(message);
        }
    }

    /// A message passed that this endpoint does not want: what it says may make older news about the same thing unnecessary.
    pub(super) fn overheard(&mut self, message: &Arc<Message>, now: Ts, out: &mut Vec<PlanAction>) {
        if message.notice.phase == Phase::Resolved {
            let is_older = |i: &Item| !i.replayed && order(&i.message) < order(message);
            let waits = self.lanes.get(&message.fingerprint).and_then(|l| l.waiting.as_ref()).is_some_and(is_older);
            let held = self.watches.values().filter_map(|w| w.holds_since(&message.fingerprint)).max();
            if waits || held.is_some_and(|held| held < order(message)) {
                self.drop_unsent(&message.fingerprint, "newer_state", now, out);
            }
            if let Some(lane) = self.lanes.get_mut(&message.fingerprint) {
                (lane.confirmed, lane.may_know) = (None, false);
                self.tidy(&message.fingerprint);
            }
        }
        self.overhear(message);
    }

    /// Puts a message into its lane; only the newest unsent one stays.
    pub(super) fn push(&mut self, mut item: Item, now: Ts, out: &mut Vec<PlanAction>) {
        if self.is_gone() {
            return self.end(&item, DeliveryState::Dead, "endpoint_disabled", now, out);
        }
        if item.until <= now {
            return self.end(&item, DeliveryState::Expired, "too_old", now, out);
        }
        let fingerprint = item.message.fingerprint.clone();
        let lane = self.lanes.entry(fingerprint.clone()).or_default();
        let is_newer = |other: &Item| order(&other.message) > order(&item.message);
        if lane.waiting.as_ref().is_some_and(is_newer) {
            return self.end(&item, DeliveryState::Superseded, "newer_state", now, out);
        }
        if let Some(old) = self.take_waiting(&fingerprint) {
            let began = is_open(old.message.notice.phase) && item.message.notice.phase == Phase::Resolved;
            // An end that somebody waits for may go with a group of which nothing was delivered yet.
            let known = self.may_know(&fingerprint)
                || old.joined.iter().chain(&item.joined).any(|m| self.may_know(&m.fingerprint));
            if began && !item.replayed && !known {
                self.end(&old, DeliveryState::Superseded, "newer_state", now, out);
                self.end(&item, DeliveryState::Superseded, "never_told", now, out);
                return self.tidy(&fingerprint);
            }
            self.replace(&old, &mut item, now, out);
        }
        self.put_waiting(&fingerprint, item);
    }

    /// A newer message takes the place of an older one, and what goes with that.
    pub(super) fn replace(&mut self, old: &Item, new: &mut Item, now: Ts, out: &mut Vec<PlanAction>) {
        if !old.joined.is_empty() {
            // What the newer one says of a thing itself ends with the older message, by the store.
            let newer: BTreeSet<&str> = new.joined.iter().map(|m| m.fingerprint.as_str()).collect();
            let goes = old.joined.iter().filter(|m| !newer.contains(m.fingerprint.as_str()));
            let goes: Vec<Arc<Message>> = goes.cloned().collect();
            let joins = goes.iter().map(|message| Join {
                endpoint: self.endpoint.name.clone(),
                message: message.id.clone(),
                via: new.message.id.clone(),
            });
            out.push(PlanAction::Enqueue(Vec::new(), joins.collect()));
            new.joined.extend(goes);
            new.until = new.until.max(old.until);
        }
        self.settle_budget(old, DeliveryState::Superseded, "newer_state", now, out);
        out.push(PlanAction::Change(self.change(old, DeliveryState::Superseded, "newer_state", now)));
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
            l.waiting.is_none() && l.flying.is_none() && !l.may_know && l.confirmed.is_none_or(|t| !is_open(t.phase))
        });
        if empty {
            self.lanes.remove(fingerprint);
        }
    }

    /// Ends what is too old to be worth delivering.
    pub(super) fn expire(&mut self, now: Ts, out: &mut Vec<PlanAction>) {
        while let Some((until, fingerprint)) = self.deadlines.first().cloned().filter(|(until, _)| *until <= now) {
            match self.take_waiting(&fingerprint) {
                Some(item) => self.end(&item, DeliveryState::Expired, "too_old", now, out),
                None => drop(self.deadlines.remove(&(until, fingerprint.clone()))),
            }
            self.tidy(&fingerprint);
        }
    }

    /// Everything that waits is dead; a person may have it sent again.
    pub(super) fn bury(&mut self, now: Ts, out: &mut Vec<PlanAction>) {
        let all: Vec<String> = self.lanes.keys().cloned().collect();
        for fingerprint in all {
            if let Some(item) = self.take_waiting(&fingerprint) {
                self.end(&item, DeliveryState::Dead, "endpoint_disabled", now, out);
            }
            self.tidy(&fingerprint);
        }
        let causes: Vec<String> = self.watches.keys().cloned().collect();
        for cause in causes {
            for item in self.close_storm(&cause, now, out) {
                self.end(&item, DeliveryState::Dead, "endpoint_disabled", now, out);
            }
        }
        self.watches.clear();
    }

    /// Used again.
    pub(super) fn enable(&mut self, now: Ts, out: &mut Vec<PlanAction>) {
        self.state.disabled = None;
        self.state.failing_since = None;
        (self.failures, self.probing, self.misconfigured, self.rest_until) = (0, false, 0, now);
        out.push(PlanAction::State(self.state.clone()));
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
        let most = if self.probing || self.failures >= PROBE_AFTER { 1 } else { self.endpoint.in_flight_max };
        most.saturating_sub(self.in_flight)
    }

    /// The first moment at which pace and rests allow a message.
    fn open_at(&self) -> Ts {
        let mut at = self.rest_until;
        if let Some(last) = self.sent.back() {
            at = at.max(*last + self.endpoint.pace.gap);
        }
        let most = self.endpoint.pace.per_minute;
        if most > 0 && self.sent.len() >= most {
            at = at.max(self.sent[self.sent.len() - most] + self.minute);
        }
        at
    }

    fn is_open(&self, now: Ts) -> bool {
        self.state.disabled.is_none() && self.room() > 0 && self.open_at() <= now
    }

    /// Sends what is due.
    pub(super) fn send(&mut self, place: usize, now: Ts, out: &mut Vec<PlanAction>) {
        if self.is_open(now) {
            self.hold_back(now, out);
        }
        while self.is_open(now) {
            let Some((next_try, known_at, fingerprint)) = self.due.pop_first() else { return };
            if next_try > now {
                self.due.insert((next_try, known_at, fingerprint));
                return;
            }
            let Some(mut item) = self.take_waiting(&fingerprint) else { continue };
            if self.knows_it_fires(&item.message) && !item.replayed {
                self.end(&item, DeliveryState::Superseded, "nothing_new", now, out);
                continue;
            }
            self.spend(&mut item, out);
            self.note_tried(&item);
            out.push(PlanAction::Send(Send {
                endpoint: place,
                message: Arc::clone(&item.message),
                attempts: item.attempts,
                parts_done: item.parts_done,
                learned: self.state.learned.clone(),
                held_back: self.held_back_in(&item),
            }));
            self.requests += 1;
            item.request = self.requests;
            if let Some(lane) = self.lanes.get_mut(&fingerprint) {
                lane.flying = Some(item);
            }
            self.in_flight += 1;
            self.note_sent(now);
        }
    }

    fn note_sent(&mut self, now: Ts) {
        let keep = self.endpoint.pace.per_minute.max(1);
        self.sent.push_back(now);
        while self.sent.len() > keep {
            self.sent.pop_front();
        }
    }

    pub(super) fn next_wake(&self) -> Option<Ts> {
        let send = self.due.first().filter(|_| self.state.disabled.is_none() && self.room() > 0);
        let send = send.map(|(next_try, ..)| (*next_try).max(self.open_at()));
        let expire = self.deadlines.first().map(|(until, _)| *until);
        let storms = self.watches.values().filter_map(|w| self.storm_wake(w)).min();
        [send, expire, storms].into_iter().flatten().min()
    }
}
