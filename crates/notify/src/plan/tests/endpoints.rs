//! Failures, pace and rests of endpoints.

use super::*;
use crate::plan::DeliveryPace;
use crate::plan::tests::muted;

#[test]
fn failures_follow_the_schedule_until_it_is_too_old() {
    let mut world = World::new(&["a"]);
    world.answers(|_| Some(Outcome::Retry));
    let fired = world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::hours(2));
    let at: Vec<i64> = world.log(0).into_iter().map(|(s, _)| s).collect();
    assert_eq!(at.len(), 4, "{at:?}");
    assert!((4..=6).contains(&at[1]) && (240..=370).contains(&at[2]), "{at:?}");
    assert_eq!(at[3], 30 * 60 - 20, "once more before it is too old");
    assert_eq!(world.row("a", &fired), (DeliveryState::Expired, "too_old"));
}

#[test]
fn a_rest_that_is_asked_for_delays_that_endpoint_and_no_other() {
    let mut world = World::new(&["a", "b"]);
    world.answers(|s| {
        Some(if s.endpoint == 0 && s.attempts == 0 { Outcome::RetryAfter(Span::secs(7)) } else { Outcome::Delivered })
    });
    world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a", "b"]);
    world.pass(Span::secs(3));
    world.alert("okx:ETH-USDT", 1, Phase::Firing, &["a", "b"]);
    world.pass(Span::mins(1));
    let at = |e| world.log(e).into_iter().map(|(s, _)| s).collect::<Vec<_>>();
    assert_eq!(at(1), [0, 3]);
    // The second market's alert asks when the rest ends, and is refused for now as well: nothing follows it.
    assert_eq!(at(0), [0, 7, 14, 14]);
}

/// Ten wait for a receiver that asked for patience: after each rest one request asks, and the others follow a success.
#[test]
fn after_a_rest_one_request_asks_before_the_others_follow() {
    let mut world = World::of(vec![Endpoint { groups: false, ..Endpoint::new("a") }]);
    world.answers(|_| None);
    for i in 0..10 {
        world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a"]);
    }
    assert_eq!(world.count(0), 10, "nothing was known of it yet");
    world.answers(|_| Some(Outcome::RetryAfter(Span::secs(20))));
    world.settle();
    world.pass(Span::secs(110));
    let at: Vec<i64> = world.log(0).split_off(10).into_iter().map(|(s, _)| s).collect();
    assert_eq!(at, [20, 40, 60, 80, 100], "one after each rest");
    world.answers(|_| Some(Outcome::Delivered));
    world.pass(Span::secs(10));
    assert_eq!(world.shelf.count(DeliveryState::Delivered), 10);
    // What was under way before the rest says nothing of what comes after it.
    let mut nth = 0;
    world.answers(move |_| {
        nth += 1;
        Some(if nth % 2 == 1 && nth < 10 { Outcome::RetryAfter(Span::secs(20)) } else { Outcome::Delivered })
    });
    world.pass(Span::mins(1));
    let began = world.count(0);
    for i in 0..6 {
        let one = outgoing(message(notice(&format!("okx:D{i}-USDT"), Phase::Firing), 1, world.now), &["a"]);
        world.shelf.put(&one);
        world.planner.take(one, world.now);
    }
    world.settle();
    world.pass(Span::mins(5));
    let at: Vec<i64> = world.log(0).split_off(began).into_iter().map(|(s, _)| s).collect();
    assert!(at[..6].iter().all(|s| *s == at[0]) && at[6] < at[7], "one request after the rest: {at:?}");
    assert_eq!(world.shelf.count(DeliveryState::Delivered), 16);
}

/// Four are refused for 20 s while two sent before that are still out: their late success sends nothing, one request does.
#[test]
fn a_late_success_of_what_was_sent_before_a_rest_does_not_end_it() {
    let mut world = World::of(vec![Endpoint { groups: false, ..Endpoint::new("a") }]);
    world.answers(|_| None);
    for i in 0..6 {
        world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a"]);
    }
    let is = |s: &Send, names: &[&str]| names.iter().any(|name| s.message.notice.title.contains(name));
    world.answers(move |s| (!is(s, &["C4", "C5"])).then_some(Outcome::RetryAfter(Span::secs(20))));
    world.settle();
    world.pass(Span::secs(30));
    world.answers(move |s| is(s, &["C4"]).then_some(Outcome::Delivered));
    world.settle();
    assert_eq!(world.count(0), 6, "the rest is over, and nothing sent after it was taken: {:?}", world.log(0));
    world.answers(move |s| is(s, &["C5"]).then_some(Outcome::Delivered));
    world.settle();
    assert_eq!(world.count(0), 7, "one request asks: {:?}", world.log(0));
    assert_eq!(world.shelf.states["a"].failing_since, Some(T0));
    world.answers(|_| Some(Outcome::Delivered));
    world.settle();
    assert_eq!((world.count(0), world.shelf.count(DeliveryState::Delivered)), (10, 6));
    assert_eq!(world.shelf.states["a"].failing_since, None);
}

/// Killed in the middle of a rest: another process keeps to it, and begins with one request.
#[test]
fn a_rest_and_the_one_request_after_it_outlive_a_restart() {
    let endpoints = || vec![Endpoint { groups: false, ..Endpoint::new("a") }];
    let mut world = World::of(endpoints());
    world.answers(|_| Some(Outcome::RetryAfter(Span::secs(60))));
    let one = outgoing(message(notice("okx:C0-USDT", Phase::Firing), 1, world.now), &["a"]);
    let two = outgoing(message(notice("okx:C1-USDT", Phase::Firing), 1, world.now), &["a"]);
    for alert in [&one, &two] {
        world.shelf.put(alert);
        world.planner.take(alert.clone(), world.now);
    }
    world.settle();
    assert_eq!(world.row("a", &one.message), (DeliveryState::Waiting, "asked_to_wait"));
    world.pass(Span::secs(10));
    world.restart(endpoints());
    world.alert("okx:C2-USDT", 1, Phase::Firing, &["a"]);
    world.answers(|_| None);
    world.pass(Span::secs(49));
    assert_eq!(world.count(0), 2, "{:?}", world.log(0));
    world.pass(Span::secs(1));
    assert_eq!(world.count(0), 3, "one request asks: {:?}", world.log(0));
    // The same of a process that was not there when the rest was over.
    world.restart(endpoints());
    world.pass(Span::secs(30));
    assert_eq!(world.count(0), 4, "{:?}", world.log(0));
    world.answers(|_| Some(Outcome::Delivered));
    world.settle();
    assert_eq!((world.count(0), world.shelf.count(DeliveryState::Delivered)), (6, 3));
    // Once it has taken something nothing is left of the rest.
    world.restart(endpoints());
    world.answers(|_| None);
    for i in 3..6 {
        world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a"]);
    }
    assert_eq!(world.count(0), 9, "{:?}", world.log(0));
}

/// A receiver's rest and the limits of a service last as long as its own clock says, however fast the planner's world runs.
#[test]
fn rests_and_limits_are_in_the_receivers_time() {
    let slow = Endpoint { pace: DeliveryPace { gap: Span::secs(1), per_minute: 2 }, ..Endpoint::new("a") };
    let mut world = World::of(vec![slow.clone()]);
    world.planner = Planner::new(vec![slow], 1).at_rate(20.0);
    world.planner.recover(Recovered::default(), T0);
    world.answers(|s| {
        Some(if s.attempts == 0 && s.message.notice.title.ends_with("BTC-USDT") {
            Outcome::RetryAfter(Span::secs(7))
        } else {
            Outcome::Delivered
        })
    });
    world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    world.alert("okx:ETH-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::mins(25));
    let at: Vec<i64> = world.log(0).into_iter().map(|(s, _)| s).collect();
    // 7 s of the receiver are 140 s; two a minute are two in 20 minutes.
    assert_eq!(at, [0, 140, 1_200]);
}

#[test]
fn an_endpoint_that_is_gone_hears_nothing_more_and_others_hear_of_it() {
    let mut world = World::new(&["a", "b"]);
    world.answers(|s| {
        Some(if s.endpoint == 0 { Outcome::Disable("it answered 410".into()) } else { Outcome::Delivered })
    });
    let fired = world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::mins(2));
    let later = world.alert("okx:ETH-USDT", 1, Phase::Firing, &["a", "b"]);
    world.pass(Span::hours(1));
    assert_eq!(world.count(0), 1);
    assert_eq!(world.row("a", &fired), (DeliveryState::Dead, "endpoint_disabled"));
    assert_eq!(world.row("a", &later), (DeliveryState::Dead, "endpoint_disabled"));
    assert_eq!(world.log(1)[0], (0, "receiver a is disabled".to_owned()));
    assert_eq!(world.shelf.states["a"].disabled.as_deref(), Some("it answered 410"));
    // A person enables it and has the dead letter sent again, with its id.
    world.answers(|_| Some(Outcome::Delivered));
    world.planner.enable("a", world.now);
    let again = outgoing(fired.clone(), &["a"]);
    let mut again = again;
    again.deliveries[0].deliver_until = world.now + Span::mins(30);
    world.shelf.rows.insert(("a".into(), fired.id.clone()), again.deliveries[0].clone());
    world.planner.replay(again, world.now);
    world.settle();
    assert_eq!(world.row("a", &fired), (DeliveryState::Delivered, ""));
    let told = world.log(0).split_off(1);
    assert_eq!(
        told.iter().map(|(_, t)| t.as_str()).collect::<Vec<_>>(),
        [&fired.notice.title, "receiver a works again"]
    );
    // Others heard that it was stopped, so they hear the end of that as well; once.
    assert_eq!(world.log(1).last().unwrap().1, "receiver a works again");
    world.alert("okx:SOL-USDT", 1, Phase::Firing, &["a"]);
    assert_eq!(world.count(0), 4);
}

#[test]
fn three_days_of_failures_disable() {
    let within = |name| Endpoint { fired_within: Span::days(9), ..Endpoint::new(name) };
    let mut world = World::of(vec![within("a")]);
    world.answers(|_| Some(Outcome::Retry));
    let mut out = outgoing(message(notice("okx:BTC-USDT", Phase::Firing), 1, T0), &["a"]);
    out.deliveries[0].deliver_until = T0 + Span::days(9);
    world.tell(&out);
    world.pass(Span::hours(71));
    assert!(world.shelf.states["a"].disabled.is_none());
    world.pass(Span::hours(30));
    assert!(world.shelf.states["a"].disabled.is_some());
    assert_eq!(world.row("a", &out.message).0, DeliveryState::Dead);
}

#[test]
fn a_short_failure_and_quiet_days_disable_nothing() {
    for days in [3, 4] {
        let mut world = World::new(&["a"]);
        world.answers(|_| Some(Outcome::Retry));
        world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
        world.pass(Span::days(days));
        assert!(world.shelf.states["a"].disabled.is_none(), "{days} days without a try");
        // One more failure after that is the first of another breakdown.
        let fired = world.alert("okx:ETH-USDT", 1, Phase::Firing, &["a"]);
        assert!(world.shelf.states["a"].disabled.is_none(), "{days}");
        world.answers(|_| Some(Outcome::Delivered));
        world.pass(Span::secs(10));
        assert_eq!(world.row("a", &fired).0, DeliveryState::Delivered);
    }
}

#[test]
fn what_waits_for_a_receiver_that_is_no_more_ends_when_another_process_takes_over() {
    let mut world = World::new(&["a", "b"]);
    world.answers(|s| (s.endpoint == 1).then_some(Outcome::Delivered));
    let all: Vec<_> = (0..5).map(|i| world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a", "b"])).collect();
    assert_eq!(world.shelf.count(DeliveryState::Grouped), 1);
    world.answers(|_| Some(Outcome::Delivered));
    world.restart(vec![Endpoint::new("b")]);
    for m in &all {
        assert_eq!(world.row("a", m), (DeliveryState::Dead, "no_such_receiver"));
    }
    world.pass(Span::secs(11));
    assert_eq!(world.shelf.count(DeliveryState::Waiting) + world.shelf.count(DeliveryState::Grouped), 0);
}

#[test]
fn older_news_that_come_late_are_not_told_after_newer_ones() {
    let mut world = World::new(&["a"]);
    let opened = message(notice("okx:BTC-USDT", Phase::Firing), 1, T0);
    let worse = message(notice("okx:BTC-USDT", Phase::Firing), 2, T0 + Span::secs(1));
    let closed = message(notice("okx:BTC-USDT", Phase::Resolved), 3, T0 + Span::secs(2));
    // The queue had overflown: what was dropped is read from the store when newer news were delivered already.
    for (newer, older) in [(&worse, &opened), (&closed, &opened), (&closed, &worse)] {
        world.now = newer.known_at;
        world.tell(&outgoing(newer.clone(), &["a"]));
        let late = outgoing(older.clone(), &["a"]);
        world.shelf.put(&late);
        world.shelf.rows.get_mut(&("a".to_owned(), older.id.clone())).unwrap().state = DeliveryState::Waiting;
        world.planner.adopt(vec![late], world.now);
        world.settle();
        world.pass(Span::mins(2));
        assert_eq!(world.row("a", older), (DeliveryState::Superseded, "newer_state"));
    }
    assert_eq!(world.count(0), 2, "{:?}", world.log(0));
    // Nor does it come back with the end of a silence.
    world.planner.set_silences(vec![muted::silence("BTC-USDT", T0, world.now + Span::hours(1))], world.now);
    world.pass(Span::hours(2));
    assert_eq!(world.count(0), 2, "{:?}", world.log(0));
}

#[test]
fn what_is_refused_twice_is_dead_and_wrong_secrets_pause_after_three() {
    let mut world = World::new(&["a"]);
    world.answers(|_| Some(Outcome::Reject));
    let fired = world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::mins(20));
    assert_eq!((world.count(0), world.row("a", &fired)), (2, (DeliveryState::Dead, "refused")));
    world.answers(|_| Some(Outcome::Misconfigured("it answered 401".into())));
    let fired = world.alert("okx:ETH-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::mins(20));
    world.alert("okx:SOL-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::mins(5));
    assert_eq!(world.count(0), 2 + 3);
    assert!(world.shelf.states["a"].disabled.as_deref().unwrap().starts_with("paused: it answered 401"));
    // What waits is sent when it is enabled in time.
    world.answers(|_| Some(Outcome::Delivered));
    world.planner.enable("a", world.now);
    world.settle();
    assert_eq!(world.row("a", &fired).0, DeliveryState::Delivered);
}

#[test]
fn what_the_receiver_told_is_kept_and_the_message_is_sent_again_at_once() {
    let mut world = World::new(&["a"]);
    world.answers(|s| Some(if s.learned.is_none() { Outcome::Learned("-100123".into()) } else { Outcome::Delivered }));
    let fired = world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    assert_eq!((world.count(0), world.row("a", &fired).0), (2, DeliveryState::Delivered));
    assert_eq!(world.shelf.states["a"].learned.as_deref(), Some("-100123"));
    world.restart(vec![Endpoint::new("a")]);
    world.alert("okx:ETH-USDT", 1, Phase::Firing, &["a"]);
    assert_eq!(world.count(0), 3);
}

#[test]
fn an_end_of_failures_sends_what_waits_and_is_announced() {
    let mut world = World::new(&["a"]);
    world.answers(|_| Some(Outcome::Retry));
    let fired = world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::mins(7));
    world.answers(|_| Some(Outcome::Delivered));
    let other = world.alert("okx:ETH-USDT", 1, Phase::Firing, &["a"]);
    // Nothing else passes: the first success hurries the other, whose next try was half an hour away.
    assert_eq!(world.row("a", &other).0, DeliveryState::Delivered);
    assert_eq!(world.row("a", &fired).0, DeliveryState::Delivered);
    assert_eq!(world.log(0).last().unwrap().1, "receiver a works again");
    assert!(world.shelf.states["a"].failing_since.is_none());
}

#[test]
fn pace_and_places_under_way_are_kept() {
    let paced =
        Endpoint { pace: DeliveryPace { gap: Span::secs(1), per_minute: 20 }, groups: false, ..Endpoint::new("a") };
    let few = Endpoint { in_flight_max: 3, groups: false, ..Endpoint::new("b") };
    let mut world = World::of(vec![paced, few]);
    world.answers(|s| (s.endpoint == 0).then_some(Outcome::Delivered));
    for i in 0..50 {
        world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a", "b"]);
    }
    assert_eq!((world.count(0), world.count(1)), (1, 3));
    world.pass(Span::secs(59));
    assert_eq!(world.count(0), 20);
    world.pass(Span::mins(3));
    assert_eq!(world.count(0), 50);
    let at: Vec<i64> = world.log(0).into_iter().map(|(s, _)| s).collect();
    assert!(at.windows(2).all(|w| w[1] > w[0]) && at.windows(21).all(|w| w[20] >= w[0] + 60), "{at:?}");
}

#[test]
fn one_message_that_fails_among_others_is_not_pressed_on_the_receiver() {
    let mut world = World::of(vec![Endpoint { groups: false, ..Endpoint::new("a") }]);
    world.answers(|s| Some(if s.message.notice.title.contains("BAD") { Outcome::Retry } else { Outcome::Delivered }));
    let bad = world.alert("okx:BAD-USDT", 1, Phase::Firing, &["a"]);
    for i in 0..100 {
        world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a"]);
    }
    assert_eq!((world.count(0), world.row("a", &bad).0), (101, DeliveryState::Waiting));
}
