//! Whatever happens: every delivery ends or waits, order is kept, and nobody gets more than five messages of a cause in a minute.

use super::*;
use crate::plan::storm::cause_of;
use barograph_domain::delivery::MessageKind;
use barograph_testkit::Voice;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Record { market: u8, phase: u8, to: u8 },
    Pass(u32),
    Answers(u8),
    Restart,
    Enable,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..12_u8, 0..4_u8, 0..4_u8).prop_map(|(market, phase, to)| Step::Record { market, phase, to }),
        4 => prop_oneof![Just(200_u32), 1_000..20_000_u32, 60_000..900_000_u32].prop_map(Step::Pass),
        2 => (0..8_u8).prop_map(Step::Answers),
        1 => Just(Step::Restart),
        1 => Just(Step::Enable),
    ];
    proptest::collection::vec(step, 1..80)
}

pub(super) fn answers(world: &mut World, how: u8) {
    world.answers(move |send| match (how, send.endpoint) {
        (1, 0) => Some(Outcome::Retry),
        (2, 0) => Some(Outcome::RetryAfter(Span::secs(9))),
        (3, 0) => None,
        (4, 0) => Some(Outcome::Reject),
        (5, 0) => Some(Outcome::Misconfigured("it answered 401".into())),
        // Some tries hang, some fail, by what is sent: lone messages are under way while groups pass, and come back.
        (6, _) => match send.message.id.bytes().map(u32::from).sum::<u32>() % 3 {
            0 => None,
            1 => Some(Outcome::Delivered),
            _ => Some(Outcome::Retry),
        },
        (7, _) => Some(if send.attempts == 0 { Outcome::Retry } else { Outcome::Delivered }),
        _ => Some(Outcome::Delivered),
    });
}

fn check(world: &World) {
    let mut newest: BTreeMap<(usize, &str), (Ts, u32)> = BTreeMap::new();
    let mut first: BTreeMap<(usize, String), BTreeMap<&str, Ts>> = BTreeMap::new();
    for ((at, send), carried) in world.sent.iter().zip(&world.carried) {
        let message = &send.message;
        // Of a group itself, and of every alert it speaks for, each of which it names once.
        let named: BTreeSet<&str> = carried.iter().map(|m| m.fingerprint.as_str()).collect();
        assert_eq!(named.len(), carried.len(), "two records of one alert in {}", message.notice.title);
        for told in core::iter::once(&**message).chain(carried) {
            let order = (told.known_at, told.notice.revision);
            let before = newest.entry((send.endpoint, &told.fingerprint)).or_insert(order);
            assert!(*before <= order, "older news after newer: {} in {}", told.notice.title, message.notice.title);
            *before = order;
        }
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

/// Everything that the steps say, to two receivers.
fn taken(world: &mut World, steps: Vec<Step>) {
    let mut nth = 0;
    for step in steps {
        match step {
            Step::Record { market, phase, to } => {
                nth += 1;
                world.now = world.now + Span::millis(1);
                let phase = [Phase::Firing, Phase::Resolved, Phase::Firing, Phase::NoData][usize::from(phase)];
                let to: &[&str] = [&[][..], &["a"], &["b"], &["a", "b"]][usize::from(to)];
                world.alert(&format!("okx:C{market}-USDT"), nth, phase, to);
            }
            Step::Pass(ms) => world.pass(Span::millis(i64::from(ms))),
            Step::Answers(how) => answers(world, how),
            Step::Restart => world.restart(endpoints()),
            Step::Enable => {
                world.planner.enable("a", world.now);
                world.settle();
            }
        }
    }
}

fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("a"), Endpoint::new("b")]
}

/// The catalogue of what groups say; with `--nocapture` it is printed. Words of their members are the engine's.
#[test]
fn no_group_has_a_private_word() {
    let mut runner = TestRunner::deterministic();
    let mut voice = Voice::default();
    for _ in 0..60 {
        let drawn = steps().new_tree(&mut runner).unwrap().current();
        let mut world = World::of(endpoints());
        taken(&mut world, drawn);
        for (_, send) in &world.sent {
            let notice = &send.message.notice;
            if notice.kind == MessageKind::Group {
                voice.check("group: title", &notice.title.replace("FUNDING_ANOMALY", "Funding anomaly"));
                voice.check_each("group", &notice.text);
            }
        }
    }
    println!("{}", voice.catalogue());
    assert!(voice.len() > 20, "only {} templates: part of the catalogue is gone", voice.len());
    let faults = voice.faults();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]
    #[test]
    fn every_delivery_ends_and_order_is_kept(steps in steps()) {
        let mut world = World::of(endpoints());
        taken(&mut world, steps);
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
