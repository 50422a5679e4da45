//! Silences, stronger alerts, outages.

use super::*;
use barograph_domain::Pattern;
use barograph_domain::delivery::{Compare, Matcher, Silence};

fn silence(symbol: &str, from: Ts, until: Ts) -> Silence {
    let matcher = Matcher { label: "symbol".into(), op: Compare::Is, value: symbol.into() };
    Silence {
        id: format!("silence of {symbol}"),
        matchers: vec![matcher],
        author: "me".into(),
        reason: "maintenance".into(),
        starts_at: from,
        ends_at: until,
        created_at: from,
    }
}

#[test]
fn a_silenced_alert_is_told_when_the_silence_ends_and_it_still_fires() {
    let mut world = World::new(&["a"]);
    let ends = T0 + Span::mins(10);
    let list = vec![silence("BTC-USDT", T0, ends), silence("SOL-USDT", T0, ends)];
    world.shelf.silences.clone_from(&list);
    world.planner.set_silences(list, T0);
    let silenced = world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    let over = world.alert("okx:SOL-USDT", 1, Phase::Firing, &["a"]);
    world.alert("okx:ETH-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::mins(2));
    world.alert("okx:SOL-USDT", 2, Phase::Resolved, &["a"]);
    assert_eq!(world.log(0), [(0, "FUNDING_ANOMALY ETH-USDT".to_owned())]);
    assert_eq!(world.row("a", &silenced), (DeliveryState::Superseded, "silenced"));
    assert_eq!(world.row("a", &over), (DeliveryState::Superseded, "silenced"));
    world.restart(vec![Endpoint::new("a")]);
    world.pass(Span::mins(10));
    assert_eq!(world.log(0)[1..], [(600, "FUNDING_ANOMALY BTC-USDT".to_owned())]);
    let again = &world.sent[1].1.message;
    assert!(again.id != silenced.id && again.fingerprint == silenced.fingerprint);
}

#[test]
fn a_silence_that_begins_or_ends_early_holds_from_that_moment() {
    let slow = Endpoint { pace: crate::plan::Pace { gap: Span::secs(100), per_minute: 0 }, ..Endpoint::new("a") };
    let mut world = World::of(vec![slow]);
    world.alert("okx:ETH-USDT", 1, Phase::Firing, &["a"]);
    let waits = world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    world.planner.set_silences(vec![silence("BTC-USDT", T0 + Span::secs(5), T0 + Span::hours(9))], world.now);
    world.pass(Span::secs(4));
    assert_eq!(world.row("a", &waits).0, DeliveryState::Waiting);
    world.pass(Span::secs(400));
    assert_eq!(world.row("a", &waits), (DeliveryState::Superseded, "silenced"));
    assert_eq!(world.count(0), 1);
    world.planner.set_silences(Vec::new(), world.now);
    world.pass(Span::mins(3));
    assert_eq!(world.count(0), 2);
}

#[test]
fn the_end_of_what_was_told_is_told_in_spite_of_a_silence() {
    let mut world = World::new(&["a"]);
    world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    world.planner.set_silences(vec![silence("BTC-USDT", T0, T0 + Span::hours(9))], T0);
    world.pass(Span::mins(2));
    let worse = world.alert("okx:BTC-USDT", 2, Phase::Firing, &["a"]);
    let over = world.alert("okx:BTC-USDT", 3, Phase::Resolved, &["a"]);
    assert_eq!(world.row("a", &worse), (DeliveryState::Superseded, "silenced"));
    assert_eq!(world.row("a", &over).0, DeliveryState::Delivered);
}

#[test]
fn a_stronger_alert_inhibits() {
    let mut world = World::new(&["a"]);
    let n = with(&notice("okx:BTC-USDT", Phase::Firing), |n| {
        n.event = r#"{"inhibited_by":"FUNDING_MANIPULATION"}"#.into();
    });
    let out = outgoing(message(n, 1, T0), &["a"]);
    world.tell(&out);
    assert_eq!(world.row("a", &out.message), (DeliveryState::Superseded, "inhibited"));
    assert_eq!(world.count(0), 0);
}

fn stale(world: &mut World, instrument: &str, nth: u32, phase: Phase) {
    let n = with(&notice(instrument, phase), |n| n.pattern = Some(Pattern::FeedStale));
    let m = message(n, nth, world.now);
    world.tell(&outgoing(m, &["a"]));
}

#[test]
fn an_outage_mutes_its_venue_but_not_itself_and_ends() {
    let mut world = World::new(&["a"]);
    for market in ["okx:A-USDT", "okx:B-USDT"] {
        stale(&mut world, market, 1, Phase::Firing);
    }
    world.alert("okx:A-USDT", 1, Phase::Firing, &["a"]);
    assert_eq!(world.count(0), 3, "two markets are no outage");
    stale(&mut world, "okx:C-USDT", 1, Phase::Firing);
    assert_eq!(world.count(0), 4, "the outage itself is told");
    let muted = world.alert("okx:B-USDT", 1, Phase::Firing, &["a"]);
    let other = world.alert("bybit:BUSDT", 1, Phase::Firing, &["a"]);
    assert_eq!(world.row("a", &muted), (DeliveryState::Superseded, "inhibited"));
    assert_eq!(world.row("a", &other).0, DeliveryState::Delivered);
    world.pass(Span::mins(5));
    let before = world.count(0);
    stale(&mut world, "okx:C-USDT", 2, Phase::Resolved);
    world.pass(Span::mins(6));
    let told: Vec<String> = world.log(0).split_off(before).into_iter().map(|(_, t)| t).collect();
    assert!(told.contains(&"FUNDING_ANOMALY B-USDT".to_owned()), "{told:?}");
}

#[test]
fn a_silence_that_ended_while_nobody_ran_ends_now() {
    let mut planner = Planner::new(vec![Endpoint::new("a")], 1);
    let message = message(notice("okx:BTC-USDT", Phase::Firing), 1, T0);
    let matchers = vec![Matcher { label: "venue".into(), op: Compare::Is, value: "okx".into() }];
    let (author, reason) = (String::new(), String::new());
    let ended = Silence {
        id: "s".into(),
        matchers,
        author,
        reason,
        starts_at: T0 - Span::mins(1),
        ends_at: T0 + Span::mins(30),
        created_at: T0 - Span::mins(1),
    };
    let firing = vec![crate::outbox::Firing { message: message.clone(), told: Vec::new() }];
    let from = crate::outbox::Recovered { firing, ended: vec![ended], ..Default::default() };
    planner.recover(from, T0 + Span::hours(2));
    planner.tick(T0 + Span::hours(2));
    let sent = planner
        .drain()
        .into_iter()
        .filter(|a| matches!(a, Action::Send(s) if s.message.fingerprint == message.fingerprint));
    assert_eq!(sent.count(), 1, "what it covered still fires and is told");
}
