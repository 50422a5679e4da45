//! How often a market came is delivered once: by the message that arrives, whatever was replaced before and whoever was started again.

use super::muted::silence;
use super::storms::{changed, last};
use super::*;
use barograph_domain::delivery::MessageKind;

/// A group of three markets that all of it was delivered of, and a minute later.
fn storm() -> World {
    let mut world = World::new(&["a"]);
    for market in ["okx:M2-USDT", "okx:M3-USDT", "okx:M4-USDT"] {
        changed(&mut world, market, 1, "a");
    }
    world.pass(Span::secs(70));
    assert!(world.shelf.rows.values().all(|row| row.state.is_final()), "all of it was delivered");
    world
}

/// These changes of one more market, one a second.
fn changes(world: &mut World, nths: core::ops::RangeInclusive<u32>) {
    for nth in nths {
        changed(world, "okx:M1-USDT", nth, "a");
        world.pass(Span::secs(1));
    }
}

/// What the group said last.
fn title(world: &World) -> &str {
    let group = world.sent.iter().rev().find(|(_, s)| s.message.notice.kind == MessageKind::Group);
    &group.unwrap().1.message.notice.title
}

/// The same with a restart at that place and without: it makes no difference.
fn check(want: &str, story: impl Fn(&mut World, &dyn Fn(&mut World))) {
    for restarts in [false, true] {
        let mut world = storm();
        story(&mut world, &|world| {
            if restarts {
                world.restart(vec![Endpoint::new("a")]);
            }
        });
        assert_eq!(title(&world), want, "restarts: {restarts}; {:?}", world.log(0));
    }
}

#[test]
fn what_a_replaced_message_said_its_successor_says() {
    check("Regime change 5 times on M1-USDT", |world, restart| {
        world.answers(|_| Some(Outcome::Retry));
        changes(world, 1..=4);
        world.pass(Span::mins(6));
        assert_eq!(title(world), "Regime change 4 times on M1-USDT");
        restart(world);
        changes(world, 5..=5);
        world.pass(Span::mins(6));
        world.answers(|_| Some(Outcome::Delivered));
        world.pass(Span::mins(10));
        assert_eq!(world.shelf.count(DeliveryState::Waiting) + world.shelf.count(DeliveryState::Grouped), 0);
    });
}

/// Twelve minutes of silence of the receiver: longer than what a start reads back.
#[test]
fn a_long_failure_loses_no_count() {
    check("Regime change 7 times on M1-USDT", |world, restart| {
        world.answers(|_| Some(Outcome::Retry));
        for nth in 1..=6 {
            changes(world, nth..=nth);
            world.pass(Span::mins(3));
        }
        restart(world);
        changes(world, 7..=7);
        world.pass(Span::mins(6));
        world.answers(|_| Some(Outcome::Delivered));
        world.pass(Span::mins(5));
    });
}

#[test]
fn what_was_held_and_replaced_before_a_restart_counts() {
    check("Regime change 3 times on M1-USDT", |world, restart| {
        changes(world, 1..=4);
        restart(world);
        world.pass(Span::mins(6));
    });
}

#[test]
fn what_was_delivered_or_given_up_is_not_counted_again() {
    check("M1-USDT: Risk regime HIGH_VOL", |world, restart| {
        changes(world, 1..=4);
        world.pass(Span::mins(5));
        assert_eq!(title(world), "Regime change 3 times on M1-USDT");
        changed(world, "okx:M2-USDT", 2, "a");
        changed(world, "okx:M3-USDT", 2, "a");
        changed(world, "okx:M4-USDT", 2, "a");
        world.pass(Span::secs(70));
        restart(world);
        changes(world, 5..=5);
        world.pass(Span::mins(6));
    });
    check("M1-USDT: Risk regime HIGH_VOL", |world, restart| {
        world.answers(|_| Some(Outcome::NotInFormat));
        changes(world, 1..=1);
        world.answers(|_| Some(Outcome::Delivered));
        restart(world);
        changes(world, 2..=2);
        world.pass(Span::mins(6));
    });
}

/// Whether what is under way is delivered is known when it has come back: until then the group makes no other message.
#[test]
fn the_next_message_waits_for_the_one_under_way() {
    for (outcome, want) in [
        (Outcome::Retry, "Regime change 4 times on M1-USDT"),
        (Outcome::RetryAfter(Span::secs(9)), "Regime change 4 times on M1-USDT"),
        (Outcome::Delivered, "Regime change 3 times on M1-USDT"),
    ] {
        let mut world = storm();
        world.answers(|_| None);
        changes(&mut world, 1..=4);
        world.pass(Span::mins(6));
        let sent = world.count(0);
        world.answers(move |_| Some(outcome.clone()));
        world.settle();
        world.answers(|_| Some(Outcome::Delivered));
        world.pass(Span::mins(1));
        assert_eq!((title(&world), world.count(0)), (want, sent + 1));
        assert!(world.shelf.rows.values().all(|row| row.state.is_final()));
    }
}

/// What a silence took away is not counted when it is over.
#[test]
fn what_was_silenced_does_not_count() {
    check("Regime change 2 times on M1-USDT", |world, restart| {
        changes(world, 1..=3);
        world.planner.set_silences(vec![silence("M1-USDT", world.now, world.now + Span::secs(5))], world.now);
        world.settle();
        changes(world, 4..=4);
        world.pass(Span::secs(10));
        world.planner.set_silences(Vec::new(), world.now);
        changes(world, 5..=6);
        restart(world);
        world.pass(Span::mins(6));
        assert_eq!(last(world).kind, MessageKind::Group);
    });
}
