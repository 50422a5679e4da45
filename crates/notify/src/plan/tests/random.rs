//! Whatever happens: every delivery ends or waits, order is kept, and nobody gets more than five messages of a cause in a minute.

use super::*;
use crate::plan::storm::cause_of;
use barograph_domain::delivery::MessageKind;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Record { market: u8, phase: u8, to: u8 },
    Pass(u32),
    Answers(u8),
    Restart,
    Enable,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..12_u8, 0..4_u8, 1..4_u8).prop_map(|(market, phase, to)| Step::Record { market, phase, to }),
        4 => prop_oneof![Just(200_u32), 1_000..20_000_u32, 60_000..900_000_u32].prop_map(Step::Pass),
        1 => (0..6_u8).prop_map(Step::Answers),
        1 => Just(Step::Restart),
        1 => Just(Step::Enable),
    ];
    proptest::collection::vec(step, 1..80)
}

fn answers(world: &mut World, how: u8) {
    world.answers(move |send| match (how, send.endpoint) {
        (1, 0) => Some(Outcome::Retry),
        (2, 0) => Some(Outcome::RetryAfter(Span::secs(9))),
        (3, 0) => None,
        (4, 0) => Some(Outcome::Reject),
        (5, 0) => Some(Outcome::Misconfigured("it answered 401".into())),
        _ => Some(Outcome::Delivered),
    });
}

fn check(world: &World) {
    let mut newest: BTreeMap<(usize, &str), (Ts, u32)> = BTreeMap::new();
    let mut first: BTreeMap<(usize, String), BTreeMap<&str, Ts>> = BTreeMap::new();
    for (at, send) in &world.sent {
        let message = &send.message;
        let order = (message.known_at, message.notice.revision);
        let before = newest.entry((send.endpoint, &message.fingerprint)).or_insert(order);
        assert!(*before <= order, "older news after newer: {}", message.notice.title);
        *before = order;
        let cause = cause_of(message).or_else(|| {
            let group = message.notice.alert_id.strip_prefix("group|")?.split_once('|')?.1;
            Some(group.rsplit_once('|')?.0.to_owned())
        });
        if let Some(cause) = cause {
            first.entry((send.endpoint, cause)).or_default().entry(&message.id).or_insert(*at);
        }
    }
    for ((endpoint, cause), ids) in first {
        // Counted by the moment a message was known: how late an endpoint hears it is its own doing.
        let mut at: Vec<Ts> = ids.keys().map(|id| world.shelf.messages[*id].known_at).collect();
        at.sort_unstable();
        // What was under way at a crash may be sent once more, as a member of a group.
        let most = 5 + world.restarts;
        assert!(at.windows(most + 1).all(|w| w[most] - w[0] >= Span::mins(1)), "{endpoint} {cause} {at:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]
    #[test]
    fn every_delivery_ends_and_order_is_kept(steps in steps()) {
        let endpoints = || vec![Endpoint::new("a"), Endpoint::new("b")];
        let mut world = World::of(endpoints());
        let mut nth = 0;
        for step in steps {
            match step {
                Step::Record { market, phase, to } => {
                    nth += 1;
                    world.now = world.now + Span::millis(1);
                    let phase = [Phase::Firing, Phase::Resolved, Phase::Firing, Phase::NoData][usize::from(phase)];
                    let to: &[&str] = if to == 3 { &["a", "b"] } else if to == 2 { &["b"] } else { &["a"] };
                    world.alert(&format!("okx:C{market}-USDT"), nth, phase, to);
                }
                Step::Pass(ms) => world.pass(Span::millis(i64::from(ms))),
                Step::Answers(how) => answers(&mut world, how),
                Step::Restart => world.restart(endpoints()),
                Step::Enable => {
                    world.planner.enable("a", world.now);
                    world.settle();
                }
            }
        }
        check(&world);
        answers(&mut world, 0);
        world.restart(endpoints());
        world.planner.enable("a", world.now);
        world.pass(Span::days(2));
        check(&world);
        let open: Vec<_> = world.shelf.rows.values().filter(|d| !d.state.is_final()).collect();
        prop_assert!(open.is_empty(), "without an end: {open:?}");
        for row in world.shelf.rows.values() {
            let message = &world.shelf.messages[&row.message];
            let sent = world.sent.iter().any(|(_, s)| s.message.id == row.message);
            let via = row.via.as_ref().is_some_and(|v| world.sent.iter().any(|(_, s)| s.message.id == *v));
            prop_assert!(row.state != DeliveryState::Delivered || sent || via, "delivered without a request: {row:?}");
            prop_assert!(row.state == DeliveryState::Delivered || !row.reason.is_empty(), "no reason: {row:?}");
            prop_assert!(message.notice.kind != MessageKind::Sample);
        }
    }
}
