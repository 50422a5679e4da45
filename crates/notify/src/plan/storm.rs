//! Many alerts of one cause become a few messages.
//!
//! The first two alerts of a cause are delivered at once. A third within 60 s makes a group: from then on every record of the cause
//! is held, and goes with the group's next message. Updates go when something has changed, 10 s and 60 s after the group began and
//! then every five minutes. In any minute at most five messages of a cause leave. A group is over when all its members are, or
//! when a whole interval has passed without three alerts in any minute: what still goes on is delivered alone from there.

use super::endpoint::{EndpointPlan, Item, Lane};
use super::group;
use super::tally::Tally;
use super::{Order, PlanAction, is_open, order};
use crate::outbox::{Join, Outgoing};
use barograph_domain::delivery::{DeliveryState, Message, MessageKind, Phase, fingerprint};
use barograph_domain::{Pattern, Span, Ts};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Alerts within this are of one storm.
const WITHIN: Span = Span::mins(1);
/// Alerts that are delivered on their own.
const ALONE: usize = 2;
/// Messages of one cause within a minute, at most.
const MESSAGES_MAX: usize = 5;
/// When a group is reported again, after its beginning; then regularly.
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
        (None, Some(pattern)) => Some(format!("family|{}", pattern.family().name())),
        (None, None) => None,
    }
}

/// The cause of a group, by a message of it.
pub(super) fn cause_of_group(message: &Message) -> Option<String> {
    let rest = message.notice.alert_id.strip_prefix("group|")?.split_once('|')?.1;
    Some(rest.rsplit_once('|')?.0.to_owned())
}

/// A member of a group.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The newest record about it.
    pub(super) message: Arc<Message>,
    /// The receiver has not heard that record yet.
    pub(super) fresh: bool,
    /// It began while the group held it, and the receiver has not heard that either.
    unheard: bool,
    /// How often it came that the receiver does not know of yet.
    pub(super) tally: Tally,
}

impl Part {
    /// A member that a message of the group has named.
    pub(super) fn named(message: Arc<Message>, fresh: bool) -> Self {
        let tally = Tally::heard(&message.notice.alert_id);
        Self { message, fresh, unheard: false, tally }
    }
    /// It began and is over, and the receiver has heard of neither: no end of anything it knows.
    pub(super) fn came_and_went(&self) -> bool {
        self.unheard && self.message.notice.phase == Phase::Resolved
    }
}

/// A group that goes on.
#[derive(Debug)]
pub(super) struct Storm {
    pub(super) id: String,
    /// Fingerprint of its messages.
    print: String,
    pub(super) began: Ts,
    pub(super) update: u32,
    /// Which of them its newest message is that was handed out.
    pub(super) newest: u32,
    pub(super) reported_at: Ts,
    /// Phase of its newest message.
    pub(super) reported: Phase,
    /// When there were last so many alerts in a minute that it is a storm.
    pub(super) dense_at: Ts,
    /// That was since its last message.
    dense: bool,
    /// It ends when its last message has come to an end.
    closing: bool,
    /// By fingerprint. Those that are over leave when that was reported.
    pub(super) members: BTreeMap<String, Part>,
    held: BTreeMap<String, Item>,
    deadlines: BTreeSet<(Ts, String)>,
    /// Records that were held by another process until newer ones took their places, by fingerprint: they count with what is held next.
    pub(super) replaced: BTreeMap<String, Vec<Arc<Message>>>,
}

impl Storm {
    pub(super) fn new(endpoint: &str, cause: &str, began: Ts) -> Self {
        Self {
            print: fingerprint(&group::id(endpoint, cause, began)),
            id: group::id(endpoint, cause, began),
            began,
            update: 0,
            newest: 0,
            reported_at: Ts::MIN,
            reported: Phase::Happened,
            dense_at: began,
            dense: false,
            closing: false,
            members: BTreeMap::new(),
            held: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            replaced: BTreeMap::new(),
        }
    }
    fn due(&self) -> Ts {
        if self.update == 0 {
            self.began
        } else if self.reported_at < self.began + SOON {
            self.began + SOON
        } else if self.reported_at < self.began + LATER {
            self.began + LATER
        } else {
            self.reported_at + REGULARLY
        }
    }
    /// Nothing happened since its last message that would make a storm.
    fn is_quiet(&self, now: Ts) -> bool {
        self.update > 0 && !self.dense && now >= self.reported_at + REGULARLY
    }
    /// When it is over if nothing more comes.
    fn closes_at(&self) -> Ts {
        if self.closing {
            self.reported_at
        } else if phase_of(self.members.values()) == Phase::Resolved {
            self.began + LATER
        } else {
            self.began.max(self.reported_at).max(self.dense_at) + REGULARLY
        }
    }
    /// The newest record about a member; it counts.
    fn put(&mut self, message: &Arc<Message>, fresh: bool) {
        let before = self.members.remove(&message.fingerprint);
        let unheard = match &before {
            Some(part) if part.fresh || is_open(part.message.notice.phase) => part.unheard,
            Some(_) | None => fresh && is_open(message.notice.phase) && message.notice.revision == 1,
        };
        let mut tally = before.map(|part| part.tally).unwrap_or_default();
        tally.count(&message.notice.alert_id);
        self.members.insert(message.fingerprint.clone(), Part { message: Arc::clone(message), fresh, unheard, tally });
    }
    fn keep(&mut self, item: Item) -> Option<Item> {
        let fingerprint = item.message.fingerprint.clone();
        for before in self.replaced.remove(&fingerprint).unwrap_or_default() {
            self.put(&before, true);
        }
        self.put(&item.message, true);
        self.deadlines.insert((item.until, fingerprint.clone()));
        let old = self.held.insert(fingerprint, item)?;
        self.forget_deadline(&old);
        Some(old)
    }
    fn let_go(&mut self, fingerprint: &str) -> Option<Item> {
        let item = self.held.remove(fingerprint)?;
        self.forget_deadline(&item);
        Some(item)
    }
    fn forget_deadline(&mut self, item: &Item) {
        let fingerprint = &item.message.fingerprint;
        if self.held.get(fingerprint).is_none_or(|other| other.until != item.until) {
            self.deadlines.remove(&(item.until, fingerprint.clone()));
        }
    }
}

/// Where a group of these stands.
pub(super) fn phase_of<'a>(parts: impl Iterator<Item = &'a Part>) -> Phase {
    let phases: BTreeSet<Phase> = parts.map(|p| p.message.notice.phase).collect();
    let first = [Phase::Firing, Phase::NoData, Phase::Resolved].into_iter().find(|p| phases.contains(p));
    first.unwrap_or(Phase::Happened)
}

/// One cause at one endpoint.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Moments of the messages of the last minute.
    recent: VecDeque<Ts>,
    /// Records of the last minute.
    arrivals: VecDeque<(Ts, Arc<Message>)>,
    /// When each alert of the last minute was heard of last.
    alerts: BTreeMap<String, Ts>,
    pub(super) storm: Option<Storm>,
}

impl Watch {
    pub(super) fn holds(&self, message: &Message) -> bool {
        let held = self.storm.as_ref().and_then(|s| s.held.get(&message.fingerprint));
        held.is_some_and(|item| item.message.id == message.id)
    }
    /// Place of what is held about a thing.
    pub(super) fn holds_since(&self, fingerprint: &str) -> Option<Order> {
        self.storm.as_ref()?.held.get(fingerprint).map(|item| order(&item.message))
    }
    /// What is newest about a member has not come to an end at the receiver yet.
    pub(super) fn is_fresh(&self, fingerprint: &str) -> bool {
        self.storm.as_ref().and_then(|s| s.members.get(fingerprint)).is_some_and(|part| part.fresh)
    }
    pub(super) fn held(&self) -> usize {
        self.storm.as_ref().map_or(0, |s| s.held.len())
    }
    /// What was held goes no further; the member stays if the receiver knows of it.
    pub(super) fn release_held(&mut self, fingerprint: &str, known: bool) -> Option<Item> {
        let storm = self.storm.as_mut()?;
        let item = storm.let_go(fingerprint)?;
        if known {
            if let Some(part) = storm.members.get_mut(fingerprint) {
                part.fresh = false;
                part.tally.drop_uncounted();
            }
        } else {
            storm.members.remove(fingerprint);
        }
        Some(item)
    }
    /// A member's state is known although this endpoint does not hear of it.
    pub(super) fn overhear(&mut self, message: &Arc<Message>) {
        if let Some(part) = self.storm.as_mut().and_then(|s| s.members.get_mut(&message.fingerprint))
            && order(&part.message) < order(message)
        {
            (part.message, part.fresh) = (Arc::clone(message), false);
        }
    }
    /// What went with a message of the group has come to an end.
    pub(super) fn settle(&mut self, message: &Message) {
        let part = self.storm.as_mut().and_then(|s| s.members.get_mut(&message.fingerprint));
        if let Some(part) = part.filter(|p| p.message.id == message.id) {
            (part.fresh, part.unheard) = (false, false);
        }
    }
    /// The storm whose newest message this is.
    pub(super) fn storm_of(&mut self, message: &Message) -> Option<&mut Storm> {
        let (id, update) = (&message.notice.alert_id, message.notice.revision);
        self.storm.as_mut().filter(|storm| storm.id == *id && storm.newest == update)
    }
    fn forget(&mut self, now: Ts) {
        while self.recent.front().is_some_and(|at| *at <= now - WITHIN) {
            self.recent.pop_front();
        }
        while let Some((at, message)) = self.arrivals.front().filter(|(at, _)| *at <= now - WITHIN) {
            if self.alerts.get(&message.fingerprint) == Some(at) {
                self.alerts.remove(&message.fingerprint);
            }
            self.arrivals.pop_front();
        }
    }
    /// May this go on its own?
    fn is_alone(&self, message: &Message) -> bool {
        let alerts = self.alerts.len() + usize::from(!self.alerts.contains_key(&message.fingerprint));
        alerts <= ALONE && self.recent.len() + 1 < MESSAGES_MAX
    }
    fn is_dense(&self) -> bool {
        self.alerts.len() > ALONE || self.arrivals.len() >= MESSAGES_MAX
    }
    pub(super) fn note_arrival(&mut self, at: Ts, message: &Arc<Message>) {
        let place = self.arrivals.partition_point(|(other, _)| *other <= at);
        self.arrivals.insert(place, (at, Arc::clone(message)));
        let last = self.alerts.entry(message.fingerprint.clone()).or_insert(at);
        *last = at.max(*last);
    }
    pub(super) fn note_alone(&mut self, at: Ts, message: &Arc<Message>) {
        self.note_message(at);
        self.note_arrival(at, message);
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
}

impl EndpointPlan {
    /// Sends an alert on its own or lets it go with a group.
    pub(super) fn route(&mut self, item: Item, now: Ts, out: &mut Vec<PlanAction>) {
        if !item.replayed && self.is_late(&item.message) {
            return self.end(&item, DeliveryState::Superseded, "newer_state", now, out);
        }
        if self.knows_it_fires(&item.message) && !self.has_unsent(&item.message.fingerprint) {
            self.overhear(&item.message);
            return self.end(&item, DeliveryState::Superseded, "nothing_new", now, out);
        }
        let cause = cause_of(&item.message).filter(|_| self.endpoint.groups);
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
            let mut storm = Storm::new(&self.endpoint.name, &cause, now.min(item.message.known_at));
            watch.arrivals.iter().for_each(|(_, message)| storm.put(message, false));
            watch.storm = Some(storm);
        }
        // Its message is made by the next tick, of all that became known together with it.
        self.hold(&cause, item, now, out);
    }

    /// Keeps a record until the group's next message.
    fn hold(&mut self, cause: &str, item: Item, now: Ts, out: &mut Vec<PlanAction>) {
        let fingerprint = item.message.fingerprint.clone();
        let unsent = self.lanes.get(&fingerprint).and_then(|l| l.waiting.as_ref());
        let older = unsent.is_some_and(|i| !i.replayed).then(|| self.take_waiting(&fingerprint)).flatten();
        let Some(watch) = self.watches.get_mut(cause) else { return };
        watch.note_arrival(now, &item.message);
        let dense = watch.is_dense();
        let Some(storm) = watch.storm.as_mut() else { return };
        if dense {
            (storm.dense, storm.dense_at) = (true, now);
        }
        let held = storm.keep(item);
        for old in older.into_iter().chain(held) {
            self.end(&old, DeliveryState::Superseded, "newer_state", now, out);
        }
    }

    /// A message of a group has come back and was not delivered: what is due of the group takes its place.
    pub(super) fn report_behind(&mut self, message: &Message, now: Ts, out: &mut Vec<PlanAction>) {
        if let Some(cause) = cause_of_group(message) {
            self.expire_held(&cause, now, out);
            self.report(&cause, now, out);
        }
    }

    /// Reports what has changed of a group, if it is time to. What a lone message under way is about waits for that to land: the
    /// receiver would hear it in the wrong order. All of it waits for the group's own message under way: whether that is
    /// delivered is known then.
    fn report(&mut self, cause: &str, now: Ts, out: &mut Vec<PlanAction>) {
        let Some(watch) = self.watches.get_mut(cause) else { return };
        watch.forget(now);
        let opens = watch.storm.as_ref().map(|storm| watch.open_at(storm));
        let Some(storm) = watch.storm.as_mut().filter(|_| opens.is_some_and(|at| at <= now)) else { return };
        let flies = |f: &String| self.lanes.get(f).is_some_and(|l| l.flying.is_some());
        for (fingerprint, part) in &mut storm.members {
            part.unheard &= !self.lanes.get(fingerprint).is_some_and(Lane::is_known);
        }
        let (later, ready): (BTreeSet<String>, BTreeSet<String>) = storm.held.keys().cloned().partition(flies);
        if ready.is_empty() || flies(&storm.print) {
            return;
        }
        storm.closing = storm.is_quiet(now) && later.is_empty();
        storm.dense = false;
        if storm.update > 0 {
            storm.members.retain(|_, p| p.fresh || is_open(p.message.notice.phase));
        }
        storm.update += 1;
        let message = group::message(storm, cause, &later, now);
        let goes = message.notice.phase != Phase::Resolved || self.endpoint.filter.resolved;
        for (fingerprint, part) in &mut storm.members {
            match (later.contains(fingerprint), goes) {
                (true, true) => part.tally.leave_out(),
                (false, true) => part.tally.write(),
                (false, false) => part.tally.drop_uncounted(),
                (true, false) => {}
            }
        }
        (storm.reported_at, storm.reported) = (now, message.notice.phase);
        let mut joined: Vec<Item> = ready.iter().filter_map(|f| storm.let_go(f)).collect();
        if !goes {
            for item in joined {
                self.end(&item, DeliveryState::Superseded, "newer_state", now, out);
            }
            return;
        }
        storm.newest = storm.update;
        watch.note_message(now);
        joined.sort_by_key(|i| order(&i.message));
        let unsent = self.lanes.get(&message.fingerprint).and_then(|l| l.waiting.as_ref()).map(|i| i.until);
        // As long as any of what it says is worth delivering, and no longer.
        let until = joined.iter().map(|i| i.until).chain(unsent).max().unwrap_or(now);
        let row = barograph_domain::delivery::Delivery { deliver_until: until, ..self.row(&message, now) };
        let mut item = Item::of(Arc::new(message.clone()), &row);
        let joins = joined.iter().map(|i| Join {
            endpoint: self.endpoint.name.clone(),
            message: i.message.id.clone(),
            via: message.id.clone(),
        });
        let joins = joins.collect();
        item.joined = joined.into_iter().map(|i| i.message).collect();
        for message in &item.joined {
            self.note_handed_out(message);
        }
        out.push(PlanAction::Enqueue(vec![Outgoing { message, deliveries: vec![row] }], joins));
        self.push(item, now, out);
    }

    /// When a storm has to be looked at again. What waits for a message under way is looked at when that lands.
    pub(super) fn storm_wake(&self, watch: &Watch) -> Option<Ts> {
        let storm = watch.storm.as_ref()?;
        let acts = if storm.held.is_empty() {
            // While a message of the group waits, what comes goes with the next: alone it would be delivered before older news.
            self.is_idle(&storm.print).then(|| storm.closes_at())
        } else {
            let flies = |f: &String| self.lanes.get(f).is_some_and(|l| l.flying.is_some());
            (!flies(&storm.print) && storm.held.keys().any(|f| !flies(f))).then(|| watch.open_at(storm))
        };
        let deadline = storm.deadlines.first().map(|(until, _)| *until);
        [acts, deadline].into_iter().flatten().min()
    }

    /// Delivers what is due and closes what is over.
    pub(super) fn update_storms(&mut self, now: Ts, out: &mut Vec<PlanAction>) {
        let due: Vec<String> = self
            .watches
            .iter()
            .filter(|(_, w)| self.storm_wake(w).is_some_and(|at| at <= now))
            .map(|(cause, _)| cause.clone())
            .collect();
        for cause in due {
            self.expire_held(&cause, now, out);
            self.report(&cause, now, out);
            let storm = self.watches.get(&cause).and_then(|w| w.storm.as_ref());
            if storm.is_some_and(|s| s.held.is_empty() && self.is_idle(&s.print) && s.closes_at() <= now) {
                self.close_storm(&cause, now, out);
            }
        }
        self.watches.retain(|_, w| {
            w.forget(now);
            w.storm.is_some() || !w.recent.is_empty()
        });
    }

    /// What is held and too old to be worth delivering.
    fn expire_held(&mut self, cause: &str, now: Ts, out: &mut Vec<PlanAction>) {
        loop {
            let storm = self.watches.get(cause).and_then(|w| w.storm.as_ref());
            let first = storm.and_then(|s| s.deadlines.first()).filter(|(until, _)| *until <= now).cloned();
            let Some((_, fingerprint)) = first else { return };
            let known = self.may_know(&fingerprint);
            let item = self.watches.get_mut(cause).and_then(|w| w.release_held(&fingerprint, known));
            if let Some(item) = item {
                self.end(&item, DeliveryState::Expired, "too_old", now, out);
            }
        }
    }

    /// Ends a group. Where its newest message said that it goes on, its end is on record, although nobody receives it.
    pub(super) fn close_storm(&mut self, cause: &str, now: Ts, out: &mut Vec<PlanAction>) -> Vec<Item> {
        let Some(mut storm) = self.watches.get_mut(cause).and_then(|w| w.storm.take()) else { return Vec::new() };
        if storm.update > 0 && is_open(storm.reported) {
            storm.update += 1;
            let message = group::closing(&storm, cause, now);
            out.push(PlanAction::Enqueue(vec![Outgoing { message, deliveries: Vec::new() }], Vec::new()));
        }
        storm.held.into_values().collect()
    }
}

/// The word of the part that speaks, of a cause.
pub(super) fn source_of(messages: &[&Arc<Message>]) -> &'static str {
    let mut words = messages.iter().filter_map(|m| m.notice.pattern.map(Pattern::source));
    match words.next() {
        Some(first) if words.all(|w| w == first) => first,
        _ => "BAROGRAPH",
    }
}
