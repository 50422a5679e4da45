//! What a receiver's budget lets pass, what it holds back and what becomes of that (verification §5).

use super::random::{Step, answers, steps};
use super::*;
use crate::budget::AlertBudget;
use barograph_domain::Severity;
use barograph_domain::delivery::{Message, MessageKind};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const HELD: (DeliveryState, &str) = (DeliveryState::HeldBack, "over_budget");
const DELIVERED: (DeliveryState, &str) = (DeliveryState::Delivered, "");

fn limited(name: &str, budget: &str) -> Endpoint {
    Endpoint { budget: Some(AlertBudget::parse(budget).unwrap()), ..Endpoint::new(name) }
}

impl World {
    /// An alert of this severity at a market, to "a".
    fn severe(&mut self, market: &str, nth: u32, phase: Phase, severity: Severity) -> Message {
        let notice = with(&notice(market, phase), |n| n.severity = severity);
        let message = message(notice, nth, self.now);
        self.tell(&outgoing(message.clone(), &["a"]));
        message
    }
    /// What the last request to an endpoint says was held back.
    fn last_says(&self) -> Option<String> {
        self.sent.last().and_then(|(_, send)| send.held_back.as_ref().map(ToString::to_string))
    }
}

#[test]
fn what_is_over_the_budget_is_held_back_and_the_next_message_says_so() {
    let mut world = World::of(vec![limited("a", "1/hour")]);
    let first = world.severe("okx:BTC-USDT", 1, Phase::Firing, Severity::High);
    world.pass(Span::mins(10));
    let second = world.severe("okx:ETH-USDT", 1, Phase::Firing, Severity::High);
    world.pass(Span::mins(10));
    let third = world.severe("okx:SOL-USDT", 1, Phase::Happened, Severity::High);
    assert_eq!([&first, &second, &third].map(|m| world.row("a", m)), [DELIVERED, HELD, HELD]);
    assert_eq!(world.sent.len(), 1);
    // A restart forgets neither what was spent nor what was held back.
    world.restart(vec![limited("a", "1/hour")]);
    let fourth = world.severe("okx:XRP-USDT", 1, Phase::Firing, Severity::High);
    assert_eq!(world.row("a", &fourth), HELD);
    world.pass(Span::mins(40));
    let fifth = world.severe("okx:ADA-USDT", 1, Phase::Firing, Severity::High);
    assert_eq!(world.row("a", &fifth), DELIVERED, "an hour is over");
    assert_eq!(world.last_says().unwrap(), "3 held back since 2026-02-05 14:45 UTC, by budget 1/hour.");
    world.pass(Span::mins(60));
    world.severe("okx:DOT-USDT", 1, Phase::Firing, Severity::High);
    assert_eq!(world.last_says(), None, "said once");
}

#[test]
fn what_does_not_count_is_never_held_back() {
    let mut world = World::of(vec![limited("a", "1/day")]);
    let first = world.severe("okx:BTC-USDT", 1, Phase::Firing, Severity::Medium);
    world.pass(Span::mins(5));
    let worse = world.severe("okx:BTC-USDT", 2, Phase::Firing, Severity::High);
    let critical = world.severe("okx:ETH-USDT", 1, Phase::Firing, Severity::Critical);
    let held = world.severe("okx:SOL-USDT", 1, Phase::Firing, Severity::High);
    world.pass(Span::mins(5));
    let over = world.severe("okx:BTC-USDT", 3, Phase::Resolved, Severity::High);
    let unheard = world.severe("okx:SOL-USDT", 2, Phase::Resolved, Severity::High);
    let position = with(&notice("okx:BTC-USDT", Phase::Happened), |n| n.kind = MessageKind::Position);
    let position = message(position, 9, world.now);
    world.tell(&outgoing(position.clone(), &["a"]));
    let went = [&first, &worse, &critical, &over, &position];
    assert_eq!(went.map(|m| world.row("a", m)), [DELIVERED; 5]);
    assert_eq!(world.row("a", &held), HELD);
    assert_eq!(world.row("a", &unheard), (DeliveryState::Superseded, "never_told"), "nobody heard of its beginning");
    // A person wants it all the same.
    let row = barograph_domain::delivery::Delivery {
        deliver_until: world.now + Span::mins(30),
        ..outgoing(held.clone(), &["a"]).deliveries.remove(0)
    };
    world.shelf.rows.insert(("a".to_owned(), held.id.clone()), row.clone());
    world.planner.replay(Outgoing { message: held.clone(), deliveries: vec![row] }, world.now);
    world.settle();
    assert_eq!(world.row("a", &held), DELIVERED);
}

#[test]
fn of_one_moment_the_most_severe_pass() {
    let mut world = World::of(vec![Endpoint { groups: false, ..limited("a", "2/day") }]);
    let all = [Severity::Low, Severity::High, Severity::Medium, Severity::High].map(|severity| {
        let market = format!("okx:C{}-USDT", world.shelf.messages.len());
        let notice = with(&notice(&market, Phase::Firing), |n| n.severity = severity);
        let one = outgoing(message(notice, 1, world.now), &["a"]);
        world.shelf.put(&one);
        one
    });
    world.tell_together(&all);
    assert_eq!(all.each_ref().map(|o| world.row("a", &o.message)), [HELD, DELIVERED, HELD, DELIVERED]);
}

#[test]
fn a_group_counts_as_one_and_is_held_back_with_its_members() {
    let mut world = World::of(vec![limited("a", "3/hour")]);
    let all: Vec<Message> =
        (0..6).map(|n| world.severe(&format!("okx:C{n}-USDT"), 1, Phase::Firing, Severity::High)).collect();
    world.pass(Span::mins(3));
    assert_eq!(all.iter().filter(|m| world.row("a", m) == DELIVERED).count(), 3, "two alone, one with the first group");
    assert_eq!(all.iter().filter(|m| world.row("a", m) == HELD).count(), 3, "with the next");
    world.pass(Span::mins(60));
    world.severe("okx:X-USDT", 1, Phase::Firing, Severity::High);
    assert!(world.last_says().unwrap().starts_with("3 held back"), "{:?}", world.last_says());
}

#[test]
fn what_cannot_be_delivered_costs_nothing() {
    let mut world = World::of(vec![limited("a", "1/day")]);
    world.answers(|_| Some(Outcome::Retry));
    let lost = world.severe("okx:BTC-USDT", 1, Phase::Firing, Severity::High);
    world.pass(Span::mins(10));
    let waits = world.severe("okx:SOL-USDT", 1, Phase::Firing, Severity::High);
    assert_eq!(world.row("a", &waits), HELD, "one is under way");
    world.pass(Span::mins(40));
    assert_eq!(world.row("a", &lost).0, DeliveryState::Expired);
    world.answers(|_| Some(Outcome::Delivered));
    let next = world.severe("okx:ETH-USDT", 1, Phase::Firing, Severity::High);
    world.pass(Span::mins(5));
    assert_eq!(world.row("a", &next), DELIVERED);
}

/// When an endpoint confirmed messages that count, worked out from the store alone.
fn counted(world: &World, endpoint: &str) -> Vec<Ts> {
    let rows =
        || world.shelf.rows.values().filter(|row| row.endpoint == endpoint && row.state == DeliveryState::Delivered);
    let mut own: Vec<_> = rows().filter(|row| row.via.is_none()).collect();
    own.sort_by_key(|row| (row.ended_at, world.shelf.messages[&row.message].known_at));
    let (mut open, mut out) = (BTreeSet::new(), Vec::new());
    for row in own {
        let message = &world.shelf.messages[&row.message];
        let parts: Vec<&Message> = match message.notice.kind {
            MessageKind::Alert => vec![message],
            MessageKind::Group => {
                let with_it = rows().filter(|part| part.via.as_ref() == Some(&row.message));
                with_it.map(|part| &world.shelf.messages[&part.message]).collect()
            }
            MessageKind::Position | MessageKind::Watch | MessageKind::Delivery | MessageKind::Sample => continue,
        };
        let is_end = message.notice.kind == MessageKind::Alert && message.notice.phase == Phase::Resolved;
        let news = parts.iter().any(|m| !open.contains(&m.fingerprint));
        let critical = parts.iter().any(|m| m.notice.severity == Severity::Critical);
        if news && !is_end && !critical {
            out.extend(row.ended_at);
        }
        for part in parts {
            match part.notice.phase {
                Phase::Firing | Phase::NoData => drop(open.insert(part.fingerprint.clone())),
                Phase::Resolved | Phase::Happened => drop(open.remove(&part.fingerprint)),
            }
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]
    #[test]
    fn no_window_has_more_than_the_budget_and_nothing_is_lost(steps in steps(), severities in any::<u64>()) {
        let endpoints = || vec![limited("a", "2/hour"), limited("b", "3/day")];
        let mut world = World::of(endpoints());
        let (mut nth, mut open) = (0, BTreeMap::new());
        for step in steps {
            match step {
                Step::Record { market, phase, to } => {
                    nth += 1;
                    world.now = world.now + Span::millis(1);
                    let phase = [Phase::Firing, Phase::Resolved, Phase::Firing, Phase::NoData][usize::from(phase)];
                    let to: &[&str] = [&[][..], &["a"], &["b"], &["a", "b"]][usize::from(to)];
                    let severity = Severity::ALL[usize::try_from(severities.rotate_left(nth) % 5).unwrap()];
                    // What begins again is an episode of its own: the store knows who heard of it by its opening.
                    let opened_at = *open.entry(market).or_insert(world.now);
                    if phase == Phase::Resolved {
                        open.remove(&market);
                    }
                    let notice = with(&notice(&format!("okx:C{market}-USDT"), phase), |n| {
                        (n.severity, n.opened_at) = (severity, opened_at);
                    });
                    let one = message(notice, nth, world.now);
                    world.tell(&outgoing(one, to));
                }
                Step::Pass(ms) => world.pass(Span::millis(i64::from(ms) * 4)),
                Step::Answers(how) => answers(&mut world, how),
                Step::Restart => world.restart(endpoints()),
                Step::Enable => {
                    world.planner.enable("a", world.now);
                    world.settle();
                }
            }
        }
        answers(&mut world, 0);
        world.restart(endpoints());
        world.planner.enable("a", world.now);
        world.pass(Span::days(2));
        for (endpoint, most, window) in [("a", 2, Span::hours(1)), ("b", 3, Span::days(1))] {
            let at = counted(&world, endpoint);
            prop_assert!(at.windows(most + 1).all(|w| w[most] - w[0] >= window), "{endpoint}: {at:?}");
        }
        for row in world.shelf.rows.values() {
            prop_assert!(row.state.is_final(), "without an end: {row:?}");
            prop_assert!(row.state == DeliveryState::Delivered || !row.reason.is_empty(), "no reason: {row:?}");
            prop_assert_eq!(row.state == DeliveryState::HeldBack, row.reason == "over_budget");
        }
    }
}
