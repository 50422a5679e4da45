//! Many alerts of one cause.

use super::*;
use barograph_domain::delivery::MessageKind;
use barograph_domain::{Pattern, Severity};

fn at(world: &World, endpoint: usize) -> Vec<i64> {
    world.log(endpoint).into_iter().map(|(s, _)| s).collect()
}

#[test]
fn the_third_alert_within_a_minute_makes_a_group_with_updates() {
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
        (MessageKind::Group, Phase::Firing, 100, 900)
    );
    assert_eq!(told.title, "Funding anomaly on 1000 markets");
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
    // It is over: the next alert is delivered alone.
    world.alert("okx:C1-USDT", 3, Phase::Firing, &["a"]);
    assert_eq!(world.sent.last().unwrap().1.message.notice.kind, MessageKind::Alert);
}

#[test]
fn what_becomes_known_together_goes_with_one_message() {
    for restarts in [false, true] {
        let mut world = World::new(&["a"]);
        let fired = |i: u32| message(notice(&format!("okx:C{i}-USDT"), Phase::Firing), 1, T0);
        let five: Vec<Outgoing> = (0..5).map(|i| outgoing(fired(i), &["a"])).collect();
        if restarts {
            // Killed when they were stored and nothing was done about them.
            five.iter().for_each(|one| world.shelf.put(one));
            world.restart(vec![Endpoint::new("a")]);
        } else {
            world.tell_together(&five);
        }
        let sent = world.sent.iter().map(|(_, send)| &send.message.notice);
        let groups: Vec<_> = sent.filter(|notice| notice.kind == MessageKind::Group).collect();
        assert_eq!((world.count(0), groups.len()), (3, 1), "restarts: {restarts}");
        assert_eq!(groups[0].title, "Funding anomaly on 5 markets");
        assert!(groups[0].text.contains(": 5 active; 3 new since the last message."), "{}", groups[0].text);
        assert!(five.iter().all(|one| world.row("a", &one.message).0 == DeliveryState::Delivered));
    }
}

/// C8 comes and goes between two messages of a group: that is counted, and is no end of anything that the receiver knows.
#[test]
fn what_came_and_went_between_two_messages_is_not_told_as_an_end() {
    for restarts in [false, true] {
        let mut world = World::new(&["a"]);
        for market in 0..3 {
            world.alert(&format!("okx:C{market}-USDT"), 1, Phase::Firing, &["a"]);
        }
        world.pass(Span::secs(70));
        world.alert("okx:C9-USDT", 1, Phase::Firing, &["a"]);
        world.pass(Span::secs(1));
        world.alert("okx:C8-USDT", 1, Phase::Firing, &["a"]);
        world.pass(Span::secs(1));
        for market in [8, 0] {
            world.alert(&format!("okx:C{market}-USDT"), 2, Phase::Resolved, &["a"]);
        }
        if restarts {
            world.restart(vec![Endpoint::new("a")]);
        }
        world.pass(Span::mins(6));
        let text = &last(&world).text;
        let want = ": 3 active, 1 ended, 1 came and went; 2 new since the last message.";
        assert!(text.contains(want), "restarts: {restarts}; {text}");
    }
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
        [(0, "Funding anomaly on 3 markets".to_owned()), (10, "Funding anomaly on 21 markets".to_owned())]
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
    assert_eq!(event["title"], "Funding anomaly on 3 markets");
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

pub(super) fn last(world: &World) -> &barograph_domain::delivery::Notice {
    &world.sent.last().unwrap().1.message.notice
}

#[test]
fn alerts_are_counted_and_not_markets() {
    let mut world = World::new(&["a"]);
    for pattern in [Pattern::FundingAnomaly, Pattern::FundingReversal, Pattern::FundingFarming] {
        let n = with(&notice("okx:BTC-USDT", Phase::Firing), |n| n.pattern = Some(pattern));
        world.tell(&outgoing(message(n, 1, world.now), &["a"]));
    }
    assert_eq!((world.count(0), last(&world).kind), (3, MessageKind::Group));
    let told = last(&world);
    assert_eq!(told.title, "3 alerts on BTC-USDT");
    let text = "Same cause, 3 alerts on BTC-USDT: 3 active; 1 new since the last message. BTC-USDT: Longs pay 2.6σ above their day.";
    assert_eq!((told.text.as_str(), told.headline.is_empty()), (text, false));
}

/// A label that changed, in the words of its own message.
pub(super) fn changed(world: &mut World, market: &str, nth: u32, endpoint: &str) {
    let n = with(&notice(market, Phase::Happened), |n| {
        n.pattern = Some(Pattern::RegimeChange);
        n.alert_id = format!("{market} {nth}");
        n.title = format!("{}: Risk regime HIGH_VOL", n.instrument.as_ref().unwrap().symbol);
        n.text = "Extreme volatility: 1 h volatility is 124 %, limit 80 %. Price 62,868.".into();
        n.headline = "Extreme volatility. Strong downtrend, −6.1 % in 24 h.".into();
    });
    world.tell(&outgoing(message(n, nth, world.now), &[endpoint]));
}

/// The first alert of a market that joins a group alone is delivered as itself, and never as a repetition.
#[test]
fn a_group_of_one_says_what_its_own_message_would() {
    let mut world = World::new(&["a"]);
    for market in ["okx:M2-USDT", "okx:M3-USDT", "okx:M4-USDT"] {
        changed(&mut world, market, 1, "a");
    }
    world.pass(Span::secs(30));
    changed(&mut world, "okx:M1-USDT", 1, "a");
    world.pass(Span::mins(2));
    let told = last(&world);
    assert_eq!((told.kind, told.members.len()), (MessageKind::Group, 1));
    assert_eq!(told.title, "M1-USDT: Risk regime HIGH_VOL");
    assert_eq!(told.text, "Extreme volatility: 1 h volatility is 124 %, limit 80 %. Price 62,868.");
    assert_eq!(told.headline, "Extreme volatility. Strong downtrend, −6.1 % in 24 h.");
    assert_eq!(told.instrument.as_ref().map(ToString::to_string).as_deref(), Some("okx:M1-USDT"));
    assert_eq!((told.figures.len(), told.fired_30d), (1, Some(3)));
    // The same market again: the first of these at once, three with the next message.
    for nth in 2..6 {
        changed(&mut world, "okx:M1-USDT", nth, "a");
        world.pass(Span::secs(1));
    }
    world.pass(Span::mins(6));
    let told = last(&world);
    assert_eq!(told.title, "Regime change 3 times on M1-USDT");
    assert!(
        told.text.starts_with("3 times on M1-USDT. The last: Extreme volatility: 1 h volatility is 124 %"),
        "{}",
        told.text
    );
}

/// What a group delivered before a restart is not counted again after it.
#[test]
fn a_restart_counts_only_what_was_not_told_yet() {
    let mut world = World::new(&["a"]);
    for market in ["okx:M2-USDT", "okx:M3-USDT", "okx:M4-USDT"] {
        changed(&mut world, market, 1, "a");
    }
    for nth in 1..7 {
        changed(&mut world, "okx:M1-USDT", nth, "a");
        world.pass(Span::secs(1));
    }
    world.pass(Span::secs(70));
    assert!(world.shelf.rows.values().all(|row| row.state.is_final()), "all of it was delivered");
    world.restart(vec![Endpoint::new("a")]);
    changed(&mut world, "okx:M1-USDT", 7, "a");
    world.pass(Span::mins(6));
    let told = last(&world);
    assert_eq!(told.title, "M1-USDT: Risk regime HIGH_VOL", "{}", told.text);
}

#[test]
fn a_group_names_its_markets_with_their_venue_where_there_are_several() {
    let mut world = World::new(&["a"]);
    for market in ["okx:A-USDT", "bybit:A-USDT", "okx:B-USDT"] {
        changed(&mut world, market, 1, "a");
    }
    let told = last(&world);
    assert_eq!(told.title, "Regime change on 3 markets");
    assert_eq!(
        told.text,
        "Same cause on 3 markets (okx:B-USDT, bybit:A-USDT and okx:A-USDT); 1 new since the last message. \
         okx:B-USDT: Extreme volatility: 1 h volatility is 124 %, limit 80 %. Price 62,868."
    );
    assert_eq!(told.headline, "okx:B-USDT: Extreme volatility. Strong downtrend, −6.1 % in 24 h.");
    assert_eq!(told.instrument, None);
}

/// Whatever words the text is made of, all of it is said: numbers, and what they cannot show.
#[test]
fn a_group_says_the_whole_text_of_the_first() {
    for text in [
        "Ended after 28 min. 4 % of the positions are in one tier (alert at 30 %). Part of it is modelled.",
        "Ended after 1 h 36 min: no liquidations left to compare. The venue publishes only part of its liquidations.",
        "Longs pay 2.6σ above their day. Data is back, and it continues.",
    ] {
        let mut world = World::new(&["a"]);
        for market in 0..3 {
            let n = with(&notice(&format!("okx:C{market}-USDT"), Phase::Resolved), |n| n.text = text.into());
            world.tell(&outgoing(message(n, 1, world.now), &["a"]));
        }
        assert_eq!(last(&world).kind, MessageKind::Group);
        assert!(last(&world).text.ends_with(&format!("-USDT: {text}")), "{}", last(&world).text);
    }
}

#[test]
fn a_group_names_what_is_news_first_and_forgets_what_is_over() {
    let mut world = World::new(&["a"]);
    let tell = |world: &mut World, market: u32, nth, phase, severity| {
        let n = with(&notice(&format!("okx:C{market}-USDT"), phase), |n| n.severity = severity);
        world.tell(&outgoing(message(n, nth, world.now), &["a"]));
    };
    for market in 0..20 {
        tell(&mut world, market, 1, Phase::Firing, Severity::High);
    }
    world.pass(Span::secs(70));
    for market in 0..15 {
        tell(&mut world, market, 2, Phase::Resolved, Severity::High);
    }
    tell(&mut world, 30, 1, Phase::Firing, Severity::Medium);
    world.pass(Span::mins(5));
    let told = last(&world);
    // The first end went at once, because nothing had changed for long, and has left.
    assert_eq!(told.members.len(), 20);
    // What is news, what goes on before what is over; then what was reported before.
    let first: Vec<_> = told.members.iter().map(|m| (m.instrument.symbol.as_str(), m.phase)).collect();
    assert_eq!((first[0], first[1].1), (("C30-USDT", Phase::Firing), Phase::Resolved));
    assert!(first[15..].iter().all(|(_, phase)| *phase == Phase::Firing), "{first:?}");
    assert_eq!(
        told.text,
        "Same cause on 20 markets (C30-USDT, C1-USDT, C10-USDT, C11-USDT, C12-USDT and 15 more): 6 active, 14 ended; 15 new since \
         the last message. C30-USDT: Longs pay 2.6σ above their day."
    );
    let shown = &told.members[0];
    assert_eq!((shown.figures.len(), shown.fired_30d, shown.fingerprint.len()), (1, Some(3), 16));
    assert!(!shown.clears.is_empty() && told.members[10].figures.is_empty());
    // Three more within a minute keep it going; those that were over are gone from it.
    for market in 40..43 {
        tell(&mut world, market, 1, Phase::Firing, Severity::Low);
    }
    world.pass(Span::mins(6));
    let text = &last(&world).text;
    assert!(
        text.starts_with("Same cause on 9 markets (C40-USDT, ") && text.contains("9 active; 3 new since"),
        "{text}"
    );
}

#[test]
fn a_storm_is_over_after_a_quiet_interval_and_alerts_are_told_at_once_again() {
    let mut world = World::new(&["a"]);
    for i in 0..20 {
        world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a"]);
    }
    world.pass(Span::secs(65));
    // One every 40 s is no storm. Some of them wait for the end of the interval, the others are delivered at once.
    for i in 0..14 {
        world.alert(&format!("okx:S{i}-USDT"), 1, Phase::Firing, &["a"]);
        world.pass(Span::secs(40));
    }
    assert_eq!(at(&world, 0), [0, 0, 0, 10, 65, 365, 385, 425, 465, 505, 545, 585]);
    assert_eq!(last(&world).kind, MessageKind::Alert);
    // The store says that the group is over, and a member's end is delivered alone.
    let groups = world.shelf.messages.values().filter(|m| m.notice.kind == MessageKind::Group);
    let newest = groups.max_by_key(|m| m.notice.revision).unwrap();
    assert_eq!(newest.notice.phase, Phase::Resolved);
    assert!(
        newest.notice.text.ends_with("What is still active is reported on its own from here."),
        "{}",
        newest.notice.text
    );
    world.pass(Span::mins(2));
    world.alert("okx:C7-USDT", 2, Phase::Resolved, &["a"]);
    assert_eq!((last(&world).kind, last(&world).phase), (MessageKind::Alert, Phase::Resolved));
    assert!(world.planner.firing.len() > 20 && world.planner.plans[0].lanes.len() == 33, "what goes on is remembered");
}

#[test]
fn a_member_waits_for_its_lone_message_under_way_and_that_is_not_sent_after_it() {
    let mut world = World::new(&["a"]);
    world.answers(|s| if s.message.notice.kind == MessageKind::Alert { None } else { Some(Outcome::Delivered) });
    let fired = world.alert("okx:C0-USDT", 1, Phase::Firing, &["a"]);
    for i in 1..4 {
        world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a"]);
    }
    world.pass(Span::secs(1));
    let over = world.alert("okx:C0-USDT", 2, Phase::Resolved, &["a"]);
    world.pass(Span::secs(30));
    assert_eq!(world.row("a", &over).0, DeliveryState::Waiting, "its beginning is under way");
    world.answers(|_| Some(Outcome::Retry));
    world.settle();
    world.answers(|_| Some(Outcome::Delivered));
    world.pass(Span::mins(7));
    assert_eq!(world.row("a", &fired), (DeliveryState::Superseded, "newer_state"));
    assert_eq!(world.row("a", &over).0, DeliveryState::Delivered);
    assert_eq!(world.sent.iter().filter(|(_, s)| s.message.id == fired.id).count(), 1);
}

#[test]
fn the_end_of_what_was_told_alone_is_told_with_a_group_of_which_nothing_was() {
    let slow =
        Endpoint { pace: crate::plan::DeliveryPace { gap: Span::secs(20), per_minute: 0 }, ..Endpoint::new("a") };
    let mut world = World::of(vec![slow]);
    let told = world.alert("okx:C0-USDT", 1, Phase::Firing, &["a"]);
    world.pass(Span::secs(15));
    for i in 1..4 {
        world.alert(&format!("okx:C{i}-USDT"), 1, Phase::Firing, &["a"]);
    }
    let ends: Vec<_> = (0..4).map(|i| world.alert(&format!("okx:C{i}-USDT"), 2, Phase::Resolved, &["a"])).collect();
    world.pass(Span::mins(6));
    assert_eq!(world.row("a", &told).0, DeliveryState::Delivered);
    assert_eq!(world.row("a", &ends[0]).0, DeliveryState::Delivered);
    assert_eq!(last(&world).phase, Phase::Resolved);
}

#[test]
fn what_is_held_or_goes_with_a_group_is_not_told_when_it_is_too_old() {
    let mut world = World::new(&["a"]);
    let tell = |world: &mut World, market: u32, minutes: i64| {
        let mut out = outgoing(message(notice(&format!("okx:C{market}-USDT"), Phase::Firing), 1, world.now), &["a"]);
        out.deliveries[0].deliver_until = world.now + Span::mins(minutes);
        world.tell(&out);
        out.message
    };
    for market in 0..3 {
        tell(&mut world, market, 5);
    }
    world.pass(Span::secs(61));
    tell(&mut world, 9, 5);
    let held = tell(&mut world, 3, 1);
    world.pass(Span::mins(2));
    assert_eq!(world.row("a", &held), (DeliveryState::Expired, "too_old"));
    // The group's message lives as long as the longest of those it carries.
    world.answers(|_| Some(Outcome::Retry));
    let goes = tell(&mut world, 4, 5);
    world.pass(Span::mins(3));
    assert_eq!(world.row("a", &goes).0, DeliveryState::Grouped);
    world.pass(Span::mins(3));
    assert_eq!(world.row("a", &goes), (DeliveryState::Expired, "too_old"));
}
