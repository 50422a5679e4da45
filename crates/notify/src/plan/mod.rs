//! What is sent to whom, and when: a state machine without clock, socket or store.
//!
//! Everything that happens goes in with the moment it happened; out come [`PlanAction`]s, in the order in which they have to be done.
//! Each endpoint has a plan of its own (`endpoint.rs`) with one lane per fingerprint: in a lane only the newest unsent state is
//! kept, and one message is under way at a time, which is the whole of the order that is promised. Storms (`storm.rs`) stand in
//! front of the lanes and turn the alerts of one cause into a few messages of a group. What nobody shall hear (`mute.rs`), and
//! what one endpoint need not hear (`stronger.rs`), is stopped before both. A planner is made anew after a crash from what the
//! store knows (`recover.rs`).
//!
//! Choices where several would do:
//! - What began and was over before anything could be delivered is not delivered: its end is superseded with it. Once a try was
//!   made, the receiver may have heard, and hears the end too. In a group it is counted as what came and went.
//! - The message of a group is made by [`Planner::tick`], of all that was taken before: alerts of one moment go together.
//! - Every record of an alert counts towards a storm, its end as well: a thousand ends within a minute are a storm of their own.
//! - In any minute an endpoint gets at most five messages of one cause; an update that would be the sixth waits.
//! - When a silence ends, whatever it covers and still fires is delivered again, also to those who knew before it began.
//! - A stronger alert mutes a weaker one only where the stronger one was or will be delivered; the end of what was muted so is not.
//!   What does not arrive, or is over, mutes nothing: the weaker one is delivered then, if it still fires.
//! - What the receiver of a group has confirmed, it knows of each member.
//! - How often something came is delivered once: a group's message that takes another's place counts again what that one did. So
//!   the next is made when the one under way has come back.
//! - A budget holds back what is due at a moment, the least severe first, and at once: what is late is no news (`budget.rs`).
//! - Older news never follow newer ones about the same thing, whichever way they came; what a person has sent again may.

mod budget;
mod endpoint;
mod group;
mod mute;
mod recover;
mod result;
mod storm;
mod stronger;
mod tally;
#[cfg(test)]
mod tests;

use crate::budget::{AlertBudget, HeldBack};
use crate::outbox::{Change, Join, Outgoing};
use crate::receiver::Filter;
use crate::schedule::Jitter;
use barograph_domain::delivery::{
    DELIVER_FIRED_WITHIN, DELIVER_RESOLVED_WITHIN, Delivery, DeliveryState, EndpointState, Message, MessageKind,
    Notice, Phase, Silence, message_id,
};
use barograph_domain::{Span, Ts};
use endpoint::{EndpointPlan, Item};
use mute::Mutes;
use std::collections::BTreeMap;
use std::sync::Arc;
use stronger::Behind;

/// How fast an endpoint may be written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DeliveryPace {
    /// At least so long between two messages.
    pub gap: Span,
    /// At most so many within a minute; 0 is any number.
    pub per_minute: usize,
}

impl DeliveryPace {
    /// As fast as requests come back.
    pub const FREE: Self = Self { gap: Span::ZERO, per_minute: 0 };
}

/// What a planner knows of an endpoint.
#[derive(Clone, PartialEq, Debug)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// How fast it may be written to.
    pub pace: DeliveryPace,
    /// Requests under way at a time, at most.
    pub in_flight_max: usize,
    /// Storms become groups.
    pub groups: bool,
    /// What it wants, for messages that are made here.
    pub filter: Filter,
    /// It is sent an alert although a stronger one that it is sent says the same: programs that know only some types.
    pub hears_weaker: bool,
    /// How many alerts it is sent within a time; `None`: any number.
    pub budget: Option<AlertBudget>,
    /// How long it is worth delivering that something began.
    pub fired_within: Span,
    /// How long it is worth delivering that something is over.
    pub resolved_within: Span,
}

impl Endpoint {
    /// One with the usual limits.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            pace: DeliveryPace::FREE,
            in_flight_max: 32,
            groups: true,
            filter: Filter::default(),
            hears_weaker: false,
            budget: None,
            fired_within: DELIVER_FIRED_WITHIN,
            resolved_within: DELIVER_RESOLVED_WITHIN,
        }
    }
    /// No try of a message of this phase after this.
    #[must_use]
    pub fn until(&self, phase: Phase, known_at: Ts) -> Ts {
        known_at
            + match phase {
                Phase::Firing | Phase::NoData | Phase::Happened => self.fired_within,
                Phase::Resolved => self.resolved_within,
            }
    }
}

/// Something to send.
#[derive(Clone, PartialEq, Debug)]
pub struct Send {
    /// Position of the endpoint.
    pub endpoint: usize,
    /// Message to deliver.
    pub message: Arc<Message>,
    /// Tries before this one.
    pub attempts: u32,
    /// Parts of it that the receiver has confirmed before.
    pub parts_done: u32,
    /// What the receiver answered before that the request needs.
    pub learned: Option<String>,
    /// What its budget has held back that no message has named to it.
    pub held_back: Option<HeldBack>,
}

/// Something to do.
#[derive(Clone, PartialEq, Debug)]
pub enum PlanAction {
    /// Store messages and what goes with them; their sends come later in the list.
    Enqueue(Vec<Outgoing>, Vec<Join>),
    /// Store where a delivery stands.
    Change(Change),
    /// Store how an endpoint is doing.
    State(EndpointState),
    /// Send this delivery now.
    Send(Send),
}

/// What came of a try; see [`crate::outcome`] for how answers become one.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// The receiver has confirmed it.
    Delivered,
    /// Not before this long.
    RetryAfter(Span),
    /// Later, by the schedule.
    Retry,
    /// The receiver does not take this payload.
    Reject,
    /// The endpoint is gone.
    Disable(String),
    /// The address or a secret seems to be wrong.
    Misconfigured(String),
    /// The receiver answered with something that the next request needs; try again with it.
    Learned(String),
    /// The format has no words for it.
    NotInFormat,
    /// It may have been taken, and trying again would only repeat it.
    Unconfirmed,
}

/// The end of a try.
#[derive(Clone, PartialEq, Debug)]
pub struct Tried {
    /// Position of the endpoint.
    pub endpoint: usize,
    /// What was sent.
    pub message: Arc<Message>,
    /// What came of it.
    pub outcome: Outcome,
    /// Parts of it that the receiver has confirmed.
    pub parts_done: u32,
}

/// Decides what is sent to whom, and when: a state machine without a clock or a socket.
#[derive(Debug)]
pub struct Planner {
    plans: Vec<EndpointPlan>,
    mutes: Mutes,
    behind: Behind,
    firing: BTreeMap<String, Arc<Message>>,
    /// Place of the newest record of each thing.
    newest: BTreeMap<String, Order>,
    forgets_at: Ts,
    jitter: Jitter,
    /// Seconds of its moments per second of the receivers.
    rate: f64,
    actions: Vec<PlanAction>,
}

/// Place of a message among those about the same thing. What is delivered again because something is over stands behind the record it
/// repeats and before whatever is known after that.
type Order = (Ts, u32, Ts);

fn order(message: &Message) -> Order {
    (message.notice.known_at, message.notice.revision, message.known_at)
}

const fn is_open(phase: Phase) -> bool {
    matches!(phase, Phase::Firing | Phase::NoData)
}

/// Places of records that have become too old are forgotten this often.
const FORGET_EVERY: Span = Span::hours(1);
/// A record that comes later than this after a newer one is not known for what it is.
const REMEMBERED: Span = Span::days(2);

impl Planner {
    /// For these endpoints; the seed decides jitter.
    #[must_use]
    pub fn new(endpoints: Vec<Endpoint>, seed: u64) -> Self {
        Self {
            plans: endpoints.into_iter().map(EndpointPlan::new).collect(),
            mutes: Mutes::default(),
            behind: Behind::default(),
            firing: BTreeMap::new(),
            newest: BTreeMap::new(),
            forgets_at: Ts::MIN,
            jitter: Jitter::seeded(seed),
            rate: 1.0,
            actions: Vec::new(),
        }
    }

    /// The same where its moments pass so many times as fast as the receivers' time, in which they ask for patience and set limits.
    #[must_use]
    pub fn at_rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        let minute = self.of_wire(Span::mins(1));
        let gaps: Vec<Span> = self.plans.iter().map(|plan| self.of_wire(plan.endpoint.pace.gap)).collect();
        for (plan, gap) in self.plans.iter_mut().zip(gaps) {
            (plan.minute, plan.endpoint.pace.gap) = (minute, gap);
        }
        self
    }

    /// How much of the planner's time passes while so much passes at a receiver.
    fn of_wire(&self, span: Span) -> Span {
        #[expect(clippy::cast_possible_truncation, reason = "days at most; what is out of range saturates")]
        let ns = (span.as_secs_f64() * self.rate * 1e9).round() as i64;
        Span(ns)
    }

    /// What is to be done since this was asked last.
    #[must_use]
    pub fn drain(&mut self) -> Vec<PlanAction> {
        core::mem::take(&mut self.actions)
    }

    /// A message became known, with the deliveries that wait; those for unknown endpoints end. A message without any delivery is
    /// heard as well: it may end what others wait for.
    pub fn take(&mut self, outgoing: Outgoing, now: Ts) {
        self.accept(outgoing, false, now);
    }

    /// `asked` is what the store says still waits, so that it was not delivered yet even if it seems so.
    fn accept(&mut self, outgoing: Outgoing, asked: bool, now: Ts) {
        let Outgoing { message, deliveries } = outgoing;
        let message = Arc::new(message);
        let over = self.is_over(&message);
        let was_inhibited = self.firing.get(&message.fingerprint).is_some_and(|m| m.notice.inhibited_by.is_some());
        let muted = if over { None } else { self.note(&message, now) };
        let mut meant = vec![false; self.plans.len()];
        for row in deliveries {
            let Some(place) = self.place(&row.endpoint) else {
                self.end_unknown(&row, now);
                continue;
            };
            meant[place] = true;
            let plan = &mut self.plans[place];
            if row.state.is_final() || plan.knows(&message) || (!asked && plan.has_handed_out(&message)) {
                continue;
            }
            let item = Item::of(Arc::clone(&message), &row);
            let ends_unheard =
                message.notice.phase == Phase::Resolved && (was_inhibited || self.plans[place].was_held_back(&message));
            let muted = self.why_not(place, &message, muted);
            let plan = &mut self.plans[place];
            match muted {
                None if ends_unheard && !plan.may_know(&message.fingerprint) => {
                    self.mute(place, &item, "never_told", now);
                }
                _ if over => plan.end(&item, DeliveryState::Superseded, "newer_state", now, &mut self.actions),
                Some(why) if !plan.must_hear_end(&message) => self.mute(place, &item, why, now),
                _ => self.route(place, item, now),
            }
        }
        for (plan, _) in self.plans.iter_mut().zip(meant).filter(|(_, meant)| !meant && !over) {
            plan.overheard(&message, now, &mut self.actions);
        }
    }

    /// The moment something has to be done even if nothing happens.
    #[must_use]
    pub fn next_wake(&self) -> Option<Ts> {
        self.plans.iter().filter_map(EndpointPlan::next_wake).chain(self.mutes.next_wake()).min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Ts) {
        self.update_silences(now);
        for place in 0..self.plans.len() {
            self.plans[place].expire(now, &mut self.actions);
            self.plans[place].update_storms(now, &mut self.actions);
        }
        self.deliver_what_was_behind(now);
        for place in 0..self.plans.len() {
            self.plans[place].send(place, now, &mut self.actions);
        }
        if self.forgets_at <= now {
            self.forgets_at = now + FORGET_EVERY;
            self.newest.retain(|_, (known_at, ..)| *known_at >= now - REMEMBERED);
            self.plans.iter_mut().for_each(|d| d.forget(now));
        }
    }

    /// The silences that hold now or later.
    pub fn set_silences(&mut self, silences: Vec<Silence>, now: Ts) {
        self.mutes.set(silences);
        self.update_silences(now);
    }

    /// A person wants an endpoint to be used again.
    pub fn enable(&mut self, endpoint: &str, now: Ts) {
        if let Some(place) = self.place(endpoint) {
            self.plans[place].enable(now, &mut self.actions);
        }
    }

    /// A person wants something delivered again: at once, on its own, whatever is silenced.
    pub fn replay(&mut self, outgoing: Outgoing, now: Ts) {
        let message = Arc::new(outgoing.message);
        for row in outgoing.deliveries {
            let Some(place) = self.place(&row.endpoint) else { continue };
            if !self.plans[place].knows(&message) {
                let item = Item { replayed: true, ..Item::of(Arc::clone(&message), &row) };
                self.plans[place].push(item, now, &mut self.actions);
            }
        }
    }

    /// Rows that wait or are under way, for measurements.
    #[must_use]
    pub fn queue(&self) -> usize {
        self.plans.iter().map(EndpointPlan::queue).sum()
    }

    fn place(&self, endpoint: &str) -> Option<usize> {
        self.plans.iter().position(|d| d.endpoint.name == endpoint)
    }

    /// It came late: what it is about is over already.
    fn is_over(&self, message: &Message) -> bool {
        message.notice.kind == MessageKind::Alert
            && self.newest.get(&message.fingerprint).is_some_and(|newest| *newest > order(message))
            && !self.firing.contains_key(&message.fingerprint)
    }

    /// Remembers what fires, and says whether nobody is to hear of this.
    fn note(&mut self, message: &Arc<Message>, now: Ts) -> Option<&'static str> {
        if message.notice.kind != MessageKind::Alert {
            return None;
        }
        let newest = self.newest.entry(message.fingerprint.clone()).or_insert_with(|| order(message));
        if *newest <= order(message) {
            *newest = order(message);
            match message.notice.phase {
                Phase::Firing | Phase::NoData => {
                    self.firing.insert(message.fingerprint.clone(), Arc::clone(message));
                }
                Phase::Resolved => {
                    self.firing.remove(&message.fingerprint);
                    self.behind.ended = true;
                }
                Phase::Happened => {}
            }
            self.update_outages(message, now);
        }
        self.mutes.mute_of(message)
    }

    /// Nobody receives it, and what waits about the same thing is not delivered either.
    fn mute(&mut self, place: usize, item: &Item, why: &'static str, now: Ts) {
        let plan = &mut self.plans[place];
        plan.drop_unsent(&item.message.fingerprint, why, now, &mut self.actions);
        plan.end(item, DeliveryState::Superseded, why, now, &mut self.actions);
        plan.overhear(&item.message);
    }

    /// The settings know no such endpoint any more.
    fn end_unknown(&mut self, row: &Delivery, now: Ts) {
        if !row.state.is_final() {
            self.actions.push(PlanAction::Change(Change {
                endpoint: row.endpoint.clone(),
                message: row.message.clone(),
                state: DeliveryState::Dead,
                reason: "no_such_receiver".to_owned(),
                attempts: row.attempts,
                next_try: row.next_try,
                at: now,
            }));
        }
    }

    fn route(&mut self, place: usize, item: Item, now: Ts) {
        self.plans[place].route(item, now, &mut self.actions);
    }

    /// A message made here, for every endpoint that wants it; `but` is left out.
    fn announce(&mut self, message: Message, but: Option<usize>, now: Ts) {
        self.announce_at(message, |place| Some(place) != but, now);
    }

    /// A message made here, for those endpoints `at` which it is meant and that want it.
    fn announce_at(&mut self, message: Message, at: impl Fn(usize) -> bool, now: Ts) {
        let rows: Vec<(usize, Delivery)> = self
            .plans
            .iter()
            .enumerate()
            .filter(|(place, plan)| {
                at(*place) && plan.state.disabled.is_none() && plan.endpoint.filter.wants(&message.notice)
            })
            .map(|(place, plan)| (place, plan.row(&message, now)))
            .collect();
        if rows.is_empty() {
            return;
        }
        let deliveries = rows.iter().map(|(_, row)| row.clone()).collect();
        self.actions.push(PlanAction::Enqueue(vec![Outgoing { message: message.clone(), deliveries }], Vec::new()));
        let message = Arc::new(message);
        for (place, row) in rows {
            let item = Item::of(Arc::clone(&message), &row);
            match self.why_not(place, &message, None) {
                Some(why) => self.mute(place, &item, why, now),
                None => self.route(place, item, now),
            }
        }
    }

    /// The same again under an id of its own, because what muted it is over.
    fn again(&mut self, message: &Message, after: &str, now: Ts) {
        self.again_at(message, after, |_| true, now);
    }

    /// As [`Self::again`], at some endpoints.
    fn again_at(&mut self, message: &Message, after: &str, at: impl Fn(usize) -> bool, now: Ts) {
        let id = message_id(&format!("{}|after|{after}", message.id));
        let notice = Notice { resumed: false, ..message.notice.clone() };
        self.announce_at(Message { id, known_at: now, notice, ..message.clone() }, at, now);
    }
}
