//! Many alerts of one cause.

use super::*;
use barograph_domain::delivery::MessageKind;
use barograph_domain::{Pattern, Severity};

fn at(world: &World, endpoint: usize) -> Vec<i64> {
    world.log(endpoint).into_iter().map(|(s, _)| s).collect()
}

#[test]
fn the_third_market_within_a_minute_makes_a_group_with_updates() {
    let mut world = World::new(&["a"]);
    let mut members = Vec::new();
    for i in 0..1_000_u32 {
        members.push(world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a"]));
        world.pass(Span::millis(60));
    }
    world.pass(Span::secs(10));
    // Two alone at 0, the group at 0, its updates after 10 s and 60 s.
    assert_eq!(at(&world, 0), [0, 0, 0, 10, 60]);
    assert!(members.iter().all(|m| world.row("a", m).0 == DeliveryState::Delivered));
    let (_, last) = world.sent.last().unwrap();
    let told = &last.message.notice;
    assert_eq!(
        (told.kind, told.phase, told.members.len(), told.more_members),
        (MessageKind::Group, Phase::Firing, 10, 990)
    );
    assert_eq!(told.title, "FUNDING_ANOMALY at 1000 markets");
    // Ends go with the group: while anything changes every five minutes, and the last one closes it.
    for (i, m) in members.iter().enumerate() {
        let instrument = m.notice.instrument.clone().unwrap().to_string();
        world.alert(&instrument, 2, Phase::Resolved, &["a"]);
        if i == 500 {
            world.pass(Span::mins(6));
        }
    }
    world.pass(Span::mins(11));
    assert_eq!(at(&world, 0), [0, 0, 0, 10, 60, 360, 660]);
    assert_eq!(world.sent.last().unwrap().1.message.notice.phase, Phase::Resolved);
    assert_eq!(world.shelf.count(DeliveryState::Waiting) + world.shelf.count(DeliveryState::Grouped), 0);
    // It is over: the next alert is told alone.
    world.alert("okx:C1-USDT", 3, Phase::Firing, &["a"]);
    assert_eq!(world.sent.last().unwrap().1.message.notice.kind, MessageKind::Alert);
}

#[test]
fn other_causes_and_slow_ones_are_no_storm() {
    let mut world = World::new(&["a"]);
    for (i, pattern) in
        [Pattern::FundingAnomaly, Pattern::BasisManipulation, Pattern::LiquidationCascade].into_iter().enumerate()
    {
        for j in 0..2 {
            let n = with(&notice(&format!("okx:C{i}{j}-USDT"), Phase::Firing), |n| n.pattern = Some(pattern));
            world.tell(&outgoing(message(n, 1, world.now), &["a"]));
        }
    }
    world.pass(Span::secs(61));
    for i in 0..5 {
        world.alert(&format!("okx:S{i}-USDT"), 1, Phase::Firing, &["a"]);
        world.pass(Span::secs(31));
    }
    assert!(world.sent.iter().all(|(_, s)| s.message.notice.kind == MessageKind::Alert));
    assert_eq!(world.count(0), 11);
}

#[test]
fn moments_group_as_well_and_the_group_ends_when_it_is_quiet() {
    let mut world = World::new(&["a"]);
    let happened = |world: &mut World, i: u32| {
        let n = with(&notice(&format!("okx:C{i}-USDT"), Phase::Happened), |n| n.pattern = Some(Pattern::RegimeChange));
        world.tell(&outgoing(message(n, 1, world.now), &["a"]));
    };
    for i in 0..100 {
        happened(&mut world, i);
        world.pass(Span::secs(1));
    }
    world.pass(Span::mins(30));
    assert_eq!(at(&world, 0), [0, 1, 2, 12, 62, 362]);
    assert!(world.sent.iter().all(|(_, s)| s.message.notice.phase == Phase::Happened));
    happened(&mut world, 200);
    assert_eq!(world.sent.last().unwrap().1.message.notice.kind, MessageKind::Alert);
}

#[test]
fn a_flapping_market_is_held_to_five_messages_a_minute() {
    let mut world = World::new(&["a"]);
    for nth in 0..40_u32 {
        let phase = if nth % 2 == 0 { Phase::Firing } else { Phase::Resolved };
        world.alert("okx:BTC-USDT", nth + 1, phase, &["a"]);
        world.pass(Span::secs(3));
    }
    world.pass(Span::hours(1));
    let at = at(&world, 0);
    assert!(at.windows(6).all(|w| w[5] - w[0] >= 60), "{at:?}");
    assert_eq!(world.shelf.count(DeliveryState::Waiting) + world.shelf.count(DeliveryState::Grouped), 0);
    assert_eq!(world.sent.last().unwrap().1.message.notice.phase, Phase::Resolved);
}

#[test]
fn a_group_that_cannot_be_told_hands_its_members_to_the_next() {
    let mut world = World::new(&["a"]);
    world.answers(|_| Some(Outcome::Retry));
    let all: Vec<_> = (0..5).map(|i| world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a"])).collect();
    world.pass(Span::secs(11));
    world.answers(|_| Some(Outcome::Delivered));
    world.pass(Span::mins(6));
    assert!(all.iter().all(|m| world.row("a", m).0 == DeliveryState::Delivered));
    let via = |m: &Message| world.shelf.rows[&("a".to_owned(), m.id.clone())].via.clone();
    assert!(via(&all[0]).is_none() && via(&all[4]).is_some());
    assert_eq!(via(&all[2]), via(&all[4]), "the first message of the group was never confirmed");
}

#[test]
fn a_storm_goes_on_after_a_restart() {
    let mut world = World::new(&["a"]);
    for i in 0..20 {
        world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a"]);
    }
    world.pass(Span::secs(5));
    world.restart(vec![Endpoint::new("a")]);
    world.alert("okx:D-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::secs(20));
    let titles: Vec<(i64, String)> = world.log(0).split_off(2);
    assert_eq!(
        titles,
        [(0, "FUNDING_ANOMALY at 3 markets".to_owned()), (10, "FUNDING_ANOMALY at 21 markets".to_owned())]
    );
    assert_eq!(world.shelf.count(DeliveryState::Delivered), world.shelf.rows.len());
}

#[test]
fn the_severest_stand_first_and_events_of_the_original_are_kept() {
    let mut world = World::new(&["a"]);
    for (i, severity) in [Severity::Low, Severity::Medium, Severity::Critical].into_iter().enumerate() {
        let n = with(&notice(&format!("okx:C{i}-USDT"), Phase::Firing), |n| n.severity = severity);
        world.tell(&outgoing(message(n, 1, world.now), &["a"]));
    }
    let told = &world.sent[2].1.message.notice;
    assert_eq!(told.severity, Severity::Critical);
    assert_eq!(
        told.members.iter().map(|m| m.severity).collect::<Vec<_>>(),
        [Severity::Critical, Severity::Medium, Severity::Low]
    );
    let event: serde_json::Value = serde_json::from_str(&told.seed4).unwrap();
    assert_eq!(event["severity"], "CRITICAL");
    assert_eq!(event["title"], "FUNDING_ANOMALY at 3 markets");
    assert_eq!(event["data"]["symbols"].as_array().unwrap().len(), 3);
}

#[test]
fn a_crash_after_a_storm_of_ends_does_not_let_its_members_out_alone() {
    let mut world = World::new(&["a", "b"]);
    let tell = |world: &mut World, market: u32, phase, nth, to: &[&str]| {
        world.now = world.now + Span::millis(1);
        world.alert(&format!("okx:C{market}-USDT"), nth, phase, to);
    };
    tell(&mut world, 0, Phase::Resolved, 1, &["a", "b"]);
    tell(&mut world, 1, Phase::Resolved, 2, &["a"]);
    tell(&mut world, 2, Phase::Resolved, 3, &["a"]);
    for market in 0..6 {
        tell(&mut world, market, Phase::Firing, 4 + market, &["a"]);
    }
    tell(&mut world, 0, Phase::Firing, 10, &["a"]);
    tell(&mut world, 0, Phase::Firing, 11, &["b"]);
    world.restart(vec![Endpoint::new("a"), Endpoint::new("b")]);
    tell(&mut world, 0, Phase::Firing, 12, &["a"]);
    tell(&mut world, 0, Phase::Firing, 13, &["a"]);
    world.restart(vec![Endpoint::new("a"), Endpoint::new("b")]);
    assert!(world.count(0) <= 6, "{:?}", world.log(0));
}
