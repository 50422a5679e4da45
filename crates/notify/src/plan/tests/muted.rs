//! Silences, stronger alerts, outages.

use super::*;
use barograph_domain::delivery::{Compare, Matcher, Notice, Silence};
use barograph_domain::{Pattern, Severity};

pub(super) fn silence(symbol: &str, from: Ts, until: Ts) -> Silence {
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
    let slow =
        Endpoint { pace: crate::plan::DeliveryPace { gap: Span::secs(100), per_minute: 0 }, ..Endpoint::new("a") };
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

/// A record of funding at a market, of this pattern.
fn funding(world: &World, pattern: Pattern, nth: u32, phase: Phase, by: Option<Pattern>) -> Message {
    let n = with(&notice("okx:BTC-USDT", phase), |n| (n.pattern, n.inhibited_by) = (Some(pattern), by));
    message(n, nth, world.now)
}

/// Above three deviations both speak: who is sent the stronger need not hear the weaker, who is not sent it must.
#[test]
fn a_stronger_alert_mutes_a_weaker_one_only_where_it_is_delivered() {
    const BY: Option<Pattern> = Some(Pattern::FundingManipulation);
    let program = Endpoint { hears_weaker: true, ..Endpoint::new("program") };
    let mut world = World::of(vec![Endpoint::new("all"), Endpoint::new("funding"), program]);
    let stronger = funding(&world, Pattern::FundingManipulation, 1, Phase::Firing, None);
    // The list of funding is for anomalies and reversals only.
    world.tell(&outgoing(stronger, &["all", "program"]));
    let weaker = funding(&world, Pattern::FundingAnomaly, 1, Phase::Firing, BY);
    world.tell(&outgoing(weaker.clone(), &["all", "funding", "program"]));
    assert_eq!(world.row("all", &weaker), (DeliveryState::Superseded, "inhibited"));
    assert_eq!(world.row("funding", &weaker).0, DeliveryState::Delivered);
    assert_eq!(world.row("program", &weaker).0, DeliveryState::Delivered, "it may know the weaker type only");
    // Another market's stronger alert says nothing of this one, and what is over mutes nothing.
    world.pass(Span::mins(10));
    world.restart(vec![Endpoint::new("all"), Endpoint::new("funding"), Endpoint::new("program")]);
    let worse = funding(&world, Pattern::FundingAnomaly, 2, Phase::Firing, BY);
    world.tell(&outgoing(worse.clone(), &["all", "funding"]));
    assert_eq!(world.row("all", &worse), (DeliveryState::Superseded, "inhibited"), "after a restart as well");
    assert_eq!(world.row("funding", &worse).0, DeliveryState::Delivered);
    let over = funding(&world, Pattern::FundingAnomaly, 3, Phase::Resolved, None);
    world.tell(&outgoing(over.clone(), &["all", "funding"]));
    assert_eq!(world.row("all", &over), (DeliveryState::Superseded, "never_told"), "the end of what was never heard");
    assert_eq!(world.row("funding", &over).0, DeliveryState::Delivered);
}

/// Whatever a record says of it: a milder alert does not speak for a more severe one.
#[test]
fn a_milder_alert_mutes_no_severer_one() {
    for (severity, muted) in [(Severity::Medium, false), (Severity::High, true), (Severity::Critical, true)] {
        let mut world = World::new(&["a"]);
        let mut stronger = funding(&world, STRONGER, 1, Phase::Firing, None);
        stronger.notice.severity = severity;
        world.tell(&outgoing(stronger, &["a"]));
        let weaker = funding(&world, WEAKER, 1, Phase::Firing, Some(STRONGER));
        assert_eq!(weaker.notice.severity, Severity::High);
        world.tell(&outgoing(weaker.clone(), &["a"]));
        let state = if muted { DeliveryState::Superseded } else { DeliveryState::Delivered };
        assert_eq!(world.row("a", &weaker).0, state, "beside {severity:?}");
    }
}

#[test]
fn where_the_stronger_one_was_not_delivered_the_weaker_one_is() {
    let mut world = World::new(&["a"]);
    let alone = funding(&world, Pattern::FundingAnomaly, 1, Phase::Firing, Some(Pattern::FundingManipulation));
    world.tell(&outgoing(alone.clone(), &["a"]));
    assert_eq!(world.row("a", &alone).0, DeliveryState::Delivered, "nobody sent the stronger one here");
}

/// Reports a stronger alert and the weaker one behind it, at one endpoint.
fn both(world: &mut World) -> (Message, Message) {
    let stronger = funding(world, Pattern::FundingManipulation, 1, Phase::Firing, None);
    world.tell(&outgoing(stronger.clone(), &["a"]));
    let weaker = funding(world, Pattern::FundingAnomaly, 1, Phase::Firing, Some(Pattern::FundingManipulation));
    world.tell(&outgoing(weaker.clone(), &["a"]));
    assert_eq!(world.row("a", &weaker), (DeliveryState::Superseded, "inhibited"));
    (stronger, weaker)
}

/// Patterns and phases of what an endpoint was sent about funding, in order.
fn heard(world: &World) -> Vec<(Pattern, Phase)> {
    let of = world.sent.iter().map(|(_, s)| &s.message.notice);
    of.filter_map(|n| Some((n.pattern?, n.phase))).collect()
}

const STRONGER: Pattern = Pattern::FundingManipulation;
const WEAKER: Pattern = Pattern::FundingAnomaly;

#[test]
fn the_weaker_one_is_told_when_the_stronger_one_does_not_arrive() {
    let ends: [(&str, Outcome, DeliveryState); 4] = [
        ("refused", Outcome::Reject, DeliveryState::Dead),
        ("no answer until it is too old", Outcome::Retry, DeliveryState::Expired),
        ("nobody knows whether it was taken", Outcome::Unconfirmed, DeliveryState::Dead),
        ("the format has no words for it", Outcome::NotInFormat, DeliveryState::Superseded),
    ];
    for (what, outcome, state) in ends {
        let mut world = World::new(&["a"]);
        // It is under way while the weaker one becomes known.
        world.answers(|_| None);
        let (stronger, weaker) = both(&mut world);
        world.answers(move |s| {
            let is_stronger = s.message.notice.pattern == Some(STRONGER);
            Some(if is_stronger { outcome.clone() } else { Outcome::Delivered })
        });
        world.settle();
        world.pass(Span::hours(2));
        assert_eq!(world.row("a", &stronger).0, state, "{what}");
        let told: Vec<(Pattern, Phase)> = heard(&world).into_iter().filter(|(p, _)| *p == WEAKER).collect();
        assert_eq!(told, [(WEAKER, Phase::Firing)], "{what}");
        // Its end is reported as well, and nothing else.
        let over = funding(&world, WEAKER, 2, Phase::Resolved, None);
        world.tell(&outgoing(over.clone(), &["a"]));
        world.pass(Span::hours(1));
        assert_eq!(world.row("a", &over).0, DeliveryState::Delivered, "{what}");
        assert_eq!(heard(&world).iter().filter(|(p, _)| *p == WEAKER).count(), 2, "{what}");
        assert_eq!(world.row("a", &weaker), (DeliveryState::Superseded, "inhibited"), "{what}");
    }
}

#[test]
fn the_weaker_one_is_told_when_the_stronger_one_ends_before_it() {
    for restarts in [false, true] {
        let mut world = World::new(&["a"]);
        both(&mut world);
        world.pass(Span::mins(40));
        assert_eq!(heard(&world), [(STRONGER, Phase::Firing)]);
        if restarts {
            world.restart(vec![Endpoint::new("a")]);
        }
        let over = funding(&world, STRONGER, 2, Phase::Resolved, None);
        world.tell(&outgoing(over, &["a"]));
        world.pass(Span::mins(10));
        let want = [(STRONGER, Phase::Firing), (STRONGER, Phase::Resolved), (WEAKER, Phase::Firing)];
        assert_eq!(heard(&world), want, "after a restart: {restarts}");
        world.restart(vec![Endpoint::new("a")]);
        world.pass(Span::mins(10));
        assert_eq!(heard(&world).len(), 3, "once");
        let over = funding(&world, WEAKER, 2, Phase::Resolved, None);
        world.tell(&outgoing(over, &["a"]));
        world.pass(Span::mins(10));
        assert_eq!(heard(&world)[3..], [(WEAKER, Phase::Resolved)]);
    }
}

#[test]
fn what_ends_with_the_stronger_one_or_was_told_before_it_is_not_told_again() {
    let mut world = World::new(&["a"]);
    both(&mut world);
    // Both of one minute: the planner learns of both before it acts.
    for pattern in [STRONGER, WEAKER] {
        let over = outgoing(funding(&world, pattern, 2, Phase::Resolved, None), &["a"]);
        world.shelf.put(&over);
        world.planner.take(over, world.now);
    }
    world.settle();
    world.pass(Span::hours(1));
    assert_eq!(heard(&world), [(STRONGER, Phase::Firing), (STRONGER, Phase::Resolved)]);
    // Confirmed before the stronger one began: the receiver knows that it fires.
    let mut world = World::new(&["a"]);
    let early = funding(&world, WEAKER, 1, Phase::Firing, None);
    world.tell(&outgoing(early, &["a"]));
    world.pass(Span::mins(2));
    let stronger = funding(&world, STRONGER, 1, Phase::Firing, None);
    world.tell(&outgoing(stronger, &["a"]));
    let again = funding(&world, WEAKER, 2, Phase::Firing, Some(STRONGER));
    world.tell(&outgoing(again, &["a"]));
    world.pass(Span::mins(2));
    let over = funding(&world, STRONGER, 2, Phase::Resolved, None);
    world.tell(&outgoing(over, &["a"]));
    world.pass(Span::hours(1));
    let want = [(WEAKER, Phase::Firing), (STRONGER, Phase::Firing), (STRONGER, Phase::Resolved)];
    assert_eq!(heard(&world), want);
}

/// A stronger alert that waits in a group, or is under way with it, is about to be heard.
#[test]
fn a_stronger_alert_that_goes_with_a_group_speaks_for_the_weaker_one() {
    let slow =
        Endpoint { pace: crate::plan::DeliveryPace { gap: Span::secs(30), per_minute: 0 }, ..Endpoint::new("a") };
    let mut world = World::of(vec![slow]);
    for market in ["okx:ETH-USDT", "okx:SOL-USDT", "okx:XRP-USDT"] {
        world.alert(market, 1, Phase::Firing, &["a"]);
    }
    both(&mut world);
    for nth in 2..7 {
        world.pass(Span::secs(15));
        let worse = funding(&world, WEAKER, nth, Phase::Firing, Some(STRONGER));
        world.tell(&outgoing(worse.clone(), &["a"]));
        assert_eq!(world.row("a", &worse), (DeliveryState::Superseded, "inhibited"), "record {nth}");
    }
    world.pass(Span::hours(1));
    let weaker = world.shelf.rows.values().filter(|d| world.shelf.messages[&d.message].notice.pattern == Some(WEAKER));
    let btc = weaker.filter(|d| world.shelf.messages[&d.message].notice.inhibited_by.is_some());
    assert!(btc.clone().count() == 6 && btc.clone().all(|d| d.reason == "inhibited"));
}

/// A burst grows: its first message is the only one until it ends, unless it becomes more severe.
#[test]
fn one_burst_is_one_message_and_its_end() {
    let mut world = World::new(&["a"]);
    let record = |world: &World, nth: u32, phase: Phase, severity: Severity| {
        let n = with(&notice("okx:BTC-USDT", phase), |n| {
            (n.pattern, n.severity) = (Some(Pattern::LiquidationCascade), severity);
            n.resumed = nth > 1 && phase == Phase::Firing;
        });
        message(n, nth, world.now)
    };
    let mut rows = Vec::new();
    for (nth, severity) in [(1, Severity::High), (2, Severity::High), (3, Severity::High), (4, Severity::Critical)] {
        let m = record(&world, nth, Phase::Firing, severity);
        world.tell(&outgoing(m.clone(), &["a"]));
        rows.push(m);
        world.pass(Span::secs(2));
    }
    let states: Vec<(DeliveryState, &str)> = rows.iter().map(|m| world.row("a", m)).collect();
    let again = (DeliveryState::Superseded, "nothing_new");
    assert_eq!(states[1..3], [again, again]);
    assert_eq!((states[0].0, states[3].0), (DeliveryState::Delivered, DeliveryState::Delivered), "it became worse");
    let over = record(&world, 5, Phase::Resolved, Severity::Critical);
    world.tell(&outgoing(over.clone(), &["a"]));
    assert_eq!((world.row("a", &over).0, world.count(0)), (DeliveryState::Delivered, 3));
}

/// Says of a market that its price is lost, or is heard again; it is one of so many of its venue.
fn gap(world: &mut World, instrument: &str, nth: u32, phase: Phase, of: u32, change: impl FnOnce(&mut Notice)) {
    let n = with(&notice(instrument, phase), |n| {
        (n.pattern, n.venue_markets) = (Some(Pattern::DataGap), Some(of));
        change(n);
    });
    let m = message(n, nth, world.now);
    // Nobody wants to hear of data, which changes nothing for what it mutes.
    world.tell(&outgoing(m, &[]));
}

#[test]
fn an_outage_mutes_the_markets_that_are_not_heard_and_ends() {
    let mut world = World::new(&["a"]);
    gap(&mut world, "okx:A-USDT", 1, Phase::Firing, 6, |_| ());
    gap(&mut world, "okx:B-USDT", 1, Phase::Firing, 6, |_| ());
    world.alert("okx:A-USDT", 1, Phase::Firing, &["a"]);
    assert_eq!(world.count(0), 1, "two markets are no outage");
    gap(&mut world, "okx:C-USDT", 1, Phase::Firing, 6, |_| ());
    let muted = world.alert("okx:B-USDT", 1, Phase::Firing, &["a"]);
    let heard = world.alert("okx:D-USDT", 1, Phase::Firing, &["a"]);
    let other = world.alert("bybit:BUSDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::mins(1));
    assert_eq!(world.row("a", &muted), (DeliveryState::Superseded, "inhibited"));
    assert_eq!(world.row("a", &heard).0, DeliveryState::Delivered);
    assert_eq!(world.row("a", &other).0, DeliveryState::Delivered);
    // Another market joins it, and one is heard again while the others are not.
    gap(&mut world, "okx:E-USDT", 1, Phase::Firing, 6, |_| ());
    let again = world.alert("okx:C-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::mins(5));
    let before = world.count(0);
    gap(&mut world, "okx:C-USDT", 2, Phase::Resolved, 6, |_| ());
    let told = |world: &World| world.log(0).split_off(before).into_iter().map(|(_, t)| t).collect::<Vec<_>>();
    assert_eq!(told(&world), ["FUNDING_ANOMALY C-USDT"]);
    assert_eq!(world.row("a", &again), (DeliveryState::Superseded, "inhibited"));
    world.pass(Span::mins(2));
    gap(&mut world, "okx:E-USDT", 2, Phase::Resolved, 6, |_| ());
    assert_eq!(told(&world), ["FUNDING_ANOMALY C-USDT", "FUNDING_ANOMALY B-USDT"]);
}

#[test]
fn late_inputs_and_few_markets_are_no_outage() {
    type Change = fn(&mut Notice);
    let cases: [(&str, u32, Change, bool); 5] = [
        ("half of the venue", 6, |_| (), true),
        ("three of many", 7, |_| (), false),
        ("another input than the price", 6, |n| n.severity = Severity::Medium, false),
        ("an input past its limit", 6, |n| n.pattern = Some(Pattern::FeedStale), false),
        ("a rule of the user's own", 6, |n| n.rule = Some("mine".into()), false),
    ];
    for (what, of, change, mutes) in cases {
        let mut world = World::new(&["a"]);
        for market in ["okx:A-USDT", "okx:B-USDT", "okx:C-USDT"] {
            gap(&mut world, market, 1, Phase::Firing, of, change);
        }
        let n = with(&notice("okx:A-USDT", Phase::Firing), |n| n.severity = Severity::Critical);
        let out = outgoing(message(n, 1, world.now), &["a"]);
        world.tell(&out);
        let want = if mutes { DeliveryState::Superseded } else { DeliveryState::Delivered };
        assert_eq!(world.row("a", &out.message).0, want, "{what}");
    }
}

#[test]
fn what_an_outage_kept_back_is_told_after_a_restart() {
    let mut world = World::new(&["a"]);
    for market in ["okx:A-USDT", "okx:B-USDT", "okx:C-USDT"] {
        gap(&mut world, market, 1, Phase::Firing, 4, |_| ());
    }
    world.alert("okx:A-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::mins(20));
    world.restart(vec![Endpoint::new("a")]);
    assert_eq!(world.count(0), 0);
    gap(&mut world, "okx:B-USDT", 2, Phase::Resolved, 4, |_| ());
    assert_eq!(world.log(0), [(1_200, "FUNDING_ANOMALY A-USDT".to_owned())]);
}

#[test]
fn a_silence_that_ended_while_nobody_was_there_is_made_up_for_once() {
    let mut world = World::new(&["a"]);
    let list = vec![silence("BTC-USDT", T0, T0 + Span::mins(5)), silence("SOL-USDT", T0, T0 + Span::mins(5))];
    world.shelf.silences.clone_from(&list);
    world.planner.set_silences(list, T0);
    world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a"]);
    world.alert("okx:SOL-USDT", 1, Phase::Firing, &["a"]);
    world.alert("okx:SOL-USDT", 2, Phase::Resolved, &["a"]);
    world.now = T0 + Span::mins(9);
    world.restart(vec![Endpoint::new("a")]);
    assert_eq!(world.log(0), [(540, "FUNDING_ANOMALY BTC-USDT".to_owned())]);
    world.restart(vec![Endpoint::new("a")]);
    assert_eq!(world.count(0), 1);
}

#[test]
fn a_member_that_was_told_through_a_group_hears_its_end_in_spite_of_a_silence() {
    let mut world = World::new(&["a"]);
    for i in 0..4 {
        world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a"]);
    }
    world.pass(Span::mins(1));
    world.planner.set_silences(vec![silence("C3-USDT", T0, T0 + Span::hours(9))], world.now);
    let over = world.alert("okx:C3-USDT", 2, Phase::Resolved, &["a"]);
    world.pass(Span::mins(6));
    assert_eq!(world.row("a", &over).0, DeliveryState::Delivered);
}

#[test]
fn what_can_be_seen_again_is_news_for_those_who_were_told_that_it_could_not() {
    let mut world = World::new(&["a", "b"]);
    world.alert("okx:BTC-USDT", 1, Phase::Firing, &["a", "b"]);
    world.pass(Span::mins(2));
    let tell = |world: &mut World, nth, to: &[&str], change: fn(&mut Notice)| {
        let m = message(with(&notice("okx:BTC-USDT", Phase::Firing), change), nth, world.now);
        world.tell(&outgoing(m.clone(), to));
        world.pass(Span::mins(2));
        m
    };
    tell(&mut world, 2, &["b"], |n| n.phase = Phase::NoData);
    let seen = tell(&mut world, 3, &["a", "b"], |n| n.resumed = true);
    assert_eq!(world.row("a", &seen), (DeliveryState::Superseded, "nothing_new"));
    assert_eq!((world.count(0), world.count(1)), (1, 3));
    // Worse than before is news whatever else it says; so is what was never delivered.
    tell(&mut world, 4, &["a"], |n| (n.resumed, n.severity) = (true, Severity::Critical));
    assert_eq!(world.count(0), 2);
    let n = with(&notice("okx:ETH-USDT", Phase::Firing), |n| n.resumed = true);
    world.tell(&outgoing(message(n, 2, world.now), &["a"]));
    assert_eq!(world.count(0), 3);
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
        .filter(|a| matches!(a, PlanAction::Send(s) if s.message.fingerprint == message.fingerprint));
    assert_eq!(sent.count(), 1, "what it covered still fires and is told");
}
