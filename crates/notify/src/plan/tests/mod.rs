//! The planner on a clock made by hand, with a store in memory and receivers that answer as the test says.

mod budgets;
mod counts;
mod endpoints;
mod muted;
mod random;
mod storms;

use super::{Endpoint, Outcome, PlanAction, Planner, Send, Tried};
use crate::outbox::{Outgoing, Recovered};
use crate::testing::{Shelf, T0, message, notice, outgoing, with};
use barograph_domain::delivery::{Delivery, DeliveryState, Message, Phase};
use barograph_domain::{Span, Ts};

/// How a receiver answers the nth request that reaches it.
type Answer = Box<dyn FnMut(&Send) -> Option<Outcome>>;

/// Planner, store and receivers.
struct World {
    planner: Planner,
    shelf: Shelf,
    now: Ts,
    /// Every request, when it was made.
    sent: Vec<(Ts, Send)>,
    /// Messages that went with each of them.
    carried: Vec<Vec<Message>>,
    in_air: Vec<Send>,
    answer: Answer,
    restarts: usize,
}

impl World {
    fn new(endpoints: &[&str]) -> Self {
        Self::of(endpoints.iter().map(|e| Endpoint::new(e)).collect())
    }
    fn of(endpoints: Vec<Endpoint>) -> Self {
        let mut planner = Planner::new(endpoints, 1);
        planner.recover(Recovered::default(), T0);
        let answer: Answer = Box::new(|_| Some(Outcome::Delivered));
        let (sent, carried) = (Vec::new(), Vec::new());
        Self { planner, shelf: Shelf::default(), now: T0, sent, carried, in_air: Vec::new(), answer, restarts: 0 }
    }
    fn answers(&mut self, answer: impl FnMut(&Send) -> Option<Outcome> + 'static) {
        self.answer = Box::new(answer);
    }
    /// A message reaches store and planner.
    fn tell(&mut self, outgoing: &Outgoing) {
        self.shelf.put(outgoing);
        self.planner.take(outgoing.clone(), self.now);
        self.settle();
    }
    /// Messages that were stored together reach the planner before it does anything.
    fn tell_together(&mut self, all: &[Outgoing]) {
        for outgoing in all {
            self.shelf.put(outgoing);
            self.planner.take(outgoing.clone(), self.now);
        }
        self.settle();
    }
    /// The nth record of an alert at a market, to these endpoints.
    fn alert(&mut self, instrument: &str, nth: u32, phase: Phase, to: &[&str]) -> Message {
        let message = message(notice(instrument, phase), nth, self.now);
        self.tell(&outgoing(message.clone(), to));
        message
    }
    /// Does what is to be done until nothing is.
    fn settle(&mut self) {
        loop {
            self.planner.tick(self.now);
            let actions = self.planner.drain();
            if actions.is_empty() && self.in_air.is_empty() {
                return;
            }
            for action in actions {
                self.apply(action);
            }
            let mut stays = Vec::new();
            let mut answered = false;
            for send in core::mem::take(&mut self.in_air) {
                match (self.answer)(&send) {
                    Some(outcome) => {
                        answered = true;
                        let Send { endpoint, message, .. } = send;
                        self.planner.tried(Tried { endpoint, message, outcome, parts_done: 0 }, self.now);
                    }
                    None => stays.push(send),
                }
            }
            self.in_air = stays;
            if !answered && !self.in_air.is_empty() {
                return;
            }
        }
    }
    fn apply(&mut self, action: PlanAction) {
        match action {
            PlanAction::Enqueue(messages, joins) => {
                messages.iter().for_each(|m| self.shelf.put(m));
                self.shelf.join(&joins);
            }
            PlanAction::Change(change) => self.shelf.change(&change),
            PlanAction::State(state) => drop(self.shelf.states.insert(state.endpoint.clone(), state)),
            PlanAction::Send(send) => {
                assert!(self.shelf.messages.contains_key(&send.message.id), "stored before it is sent");
                let of = |d: &&Delivery| d.via.as_ref() == Some(&send.message.id) && !d.state.is_final();
                let name = self.planner.plans[send.endpoint].endpoint.name.as_str();
                let rows = self.shelf.rows.values().filter(|d| d.endpoint == name).filter(of);
                self.carried.push(rows.map(|d| self.shelf.messages[&d.message].clone()).collect());
                self.sent.push((self.now, send.clone()));
                self.in_air.push(send);
            }
        }
    }
    /// Lets time pass, waking when the planner asks to.
    fn pass(&mut self, span: Span) {
        let end = self.now + span;
        let mut wakes = 0;
        while let Some(at) = self.planner.next_wake().filter(|at| *at <= end) {
            wakes += 1;
            assert!(wakes < 20_000, "the planner asks to be woken at {at} without end");
            self.now = self.now.max(at);
            self.settle();
        }
        self.now = end;
        self.settle();
    }
    /// Killed and started again: what is in the air is lost.
    fn restart(&mut self, endpoints: Vec<Endpoint>) {
        self.in_air.clear();
        self.restarts += 1;
        self.planner = Planner::new(endpoints, 2);
        self.planner.recover(self.shelf.recovered(self.now), self.now);
        self.settle();
    }
    fn row(&self, endpoint: &str, message: &Message) -> (DeliveryState, &str) {
        let row = &self.shelf.rows[&(endpoint.to_owned(), message.id.clone())];
        (row.state, &row.reason)
    }
    /// Seconds since the beginning and titles of what an endpoint was sent.
    fn log(&self, endpoint: usize) -> Vec<(i64, String)> {
        let of = self.sent.iter().filter(|(_, s)| s.endpoint == endpoint);
        of.map(|(at, s)| ((*at - T0).as_secs(), s.message.notice.title.clone())).collect()
    }
    fn count(&self, endpoint: usize) -> usize {
        self.sent.iter().filter(|(_, s)| s.endpoint == endpoint).count()
    }
}

#[test]
fn an_alert_is_sent_once_and_recorded() {
    let mut world = World::new(&["a", "b"]);
    let fired = world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::mins(10));
    assert_eq!(world.row("a", &fired), (DeliveryState::Delivered, ""));
    assert_eq!((world.count(0), world.count(1)), (1, 0));
    // The same from the store changes nothing while it is in hand, and a message nobody waits for is sent to nobody.
    world.alert("okx:ETH-USDT", 1, Phase::Firing, &[]);
    assert_eq!(world.sent.len(), 1);
}

#[test]
fn only_the_newest_unsent_state_is_sent_and_order_is_kept() {
    let mut world = World::new(&["a"]);
    world.answers(|_| None);
    let one = world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    world.now = world.now + Span::secs(70);
    let two = world.alert("okx:BTC-USDT", 2, Phase::Firing, &["a"]);
    world.now = world.now + Span::secs(70);
    let three = world.alert("okx:BTC-USDT", 3, Phase::Resolved, &["a"]);
    assert_eq!(world.count(0), 1, "one message about a thing is under way at a time");
    world.answers(|_| Some(Outcome::Delivered));
    world.settle();
    let ids: Vec<&str> = world.sent.iter().map(|(_, s)| s.message.id.as_str()).collect();
    assert_eq!(ids, [one.id.as_str(), three.id.as_str()]);
    assert_eq!(world.row("a", &two), (DeliveryState::Superseded, "newer_state"));
    assert_eq!(world.row("a", &three).0, DeliveryState::Delivered);
}

#[test]
fn what_was_over_before_anybody_could_be_told_is_not_told() {
    let slow =
        |name| Endpoint { pace: super::DeliveryPace { gap: Span::secs(100), per_minute: 0 }, ..Endpoint::new(name) };
    let mut world = World::of(vec![slow("a")]);
    world.alert("okx:ETH-USDT", 1, Phase::Firing, &["a"]);
    let fired = world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::secs(5));
    let over = world.alert("okx:BTC-USDT", 2, Phase::Resolved, &["a"]);
    world.pass(Span::mins(10));
    assert_eq!(world.row("a", &fired), (DeliveryState::Superseded, "newer_state"));
    assert_eq!(world.row("a", &over), (DeliveryState::Superseded, "never_told"));
    // An endpoint that wants no ends does not hear of what is over either.
    let fired = world.alert("okx:SOL-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::secs(50));
    let again = world.alert("okx:XRP-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::secs(5));
    world.alert("okx:XRP-USDT", 2, Phase::Resolved, &[]);
    world.pass(Span::mins(10));
    assert_eq!(world.row("a", &fired).0, DeliveryState::Delivered);
    assert_eq!(world.row("a", &again), (DeliveryState::Superseded, "newer_state"));
}

#[test]
fn what_was_tried_before_a_crash_is_sent_again_with_its_id_and_its_end_is_told() {
    let mut world = World::new(&["a"]);
    world.answers(|_| None);
    // Sent first, so that the other has to wait where the pace is slow.
    world.alert("okx:ETH-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::millis(1));
    let fired = world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::secs(1));
    world.restart(vec![Endpoint::new("a")]);
    assert_eq!(world.sent.len(), 4);
    assert_eq!(world.sent[3].1.message.id, fired.id);
    world.restart(vec![Endpoint {
        pace: super::DeliveryPace { gap: Span::secs(60), per_minute: 0 },
        ..Endpoint::new("a")
    }]);
    world.pass(Span::secs(1));
    // The end is reported although no confirmation is on record: the receiver may have heard the beginning.
    world.answers(|_| Some(Outcome::Delivered));
    let over = world.alert("okx:BTC-USDT", 2, Phase::Resolved, &["a"]);
    world.pass(Span::mins(5));
    assert_eq!(world.row("a", &over).0, DeliveryState::Delivered);
}
