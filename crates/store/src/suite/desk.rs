//! The outbox as people see it: lists and counts, silences, having something sent again, and what is forgotten.

use super::outbox::{attempt, change, message, of, outbox, outgoing};
use super::rows::minute;
use super::{Factory, refused};
use crate::{DeliveryChange, DeliveryPlace, DeliveryQuery, EndpointCount, Outgoing, ReplayOutcome, Sent};
use crate::{Retention, WriterRole};
use barograph_domain::delivery::{Attempt, Compare, DeliveryState, Matcher, MessageKind, Phase, Silence};
use barograph_domain::{InstrumentName, Span, Ts};

fn ids(found: &[Outgoing]) -> Vec<&str> {
    found.iter().map(|o| o.message.id.as_str()).collect()
}

/// By state, endpoint, market and kind; page by page in both directions.
pub fn deliveries_come_in_pages(factory: &dyn Factory) {
    let (_site, mut outbox, reader) = outbox(factory);
    let mut all: Vec<Outgoing> = (0..30)
        .map(|n| {
            let mut message = message(&format!("thing {n}"), 1, i64::from(n / 4));
            if n % 5 == 0 {
                message.notice.kind = MessageKind::Position;
                message.notice.instrument = Some(InstrumentName::parse("bybit:ETHUSDT").unwrap());
            }
            outgoing(message, &["desk", "phone"])
        })
        .collect();
    outbox.enqueue(&all, &[]).unwrap();
    let dead: Vec<DeliveryChange> =
        all.iter().step_by(3).map(|o| change("phone", &o.message.id, DeliveryState::Dead, 99)).collect();
    outbox.record(&dead, &[], &[]).unwrap();
    all.sort_by_key(|o| core::cmp::Reverse((o.message.known_at, o.message.id.clone())));
    let want: Vec<DeliveryPlace> = all
        .iter()
        .flat_map(|o| ["phone", "desk"].map(|e| (o, e.to_owned())))
        .map(|(o, endpoint)| DeliveryPlace { known_at: o.message.known_at, message: o.message.id.clone(), endpoint })
        .collect();
    let places = |found: &[Sent]| found.iter().map(Sent::place).collect::<Vec<_>>();
    let mut before = None;
    let mut joined = Vec::new();
    loop {
        let page =
            reader.deliveries(&DeliveryQuery { before: before.clone(), limit: 7, ..DeliveryQuery::default() }).unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.place());
        joined.extend(places(&page));
    }
    assert_eq!(joined, want);
    let newer = DeliveryQuery { after: Some(want[10].clone()), limit: 99, ..DeliveryQuery::default() };
    assert_eq!(places(&reader.deliveries(&newer).unwrap()), want[..10]);
    let asked = |change: &dyn Fn(&mut DeliveryQuery)| {
        let mut query = DeliveryQuery { limit: 99, ..DeliveryQuery::default() };
        change(&mut query);
        reader.deliveries(&query).unwrap().len()
    };
    assert_eq!(asked(&|q| q.state = Some(DeliveryState::Dead)), 10);
    assert_eq!(asked(&|q| q.endpoint = Some("desk".to_owned())), 30);
    assert_eq!(asked(&|q| q.kind = Some(MessageKind::Position)), 12);
    assert_eq!(asked(&|q| q.instrument = Some(InstrumentName::parse("bybit:ETHUSDT").unwrap())), 12);
    assert_eq!(asked(&|q| q.as_of = Some(minute(1))), 16);
    let found = reader.deliveries(&DeliveryQuery { limit: 1, ..DeliveryQuery::default() }).unwrap();
    assert_eq!(found[0].message, all[0].message);
}

/// Dead, expired and superseded ones wait again, and only those.
pub fn the_dead_wait_again(factory: &dyn Factory) {
    let (_site, mut outbox, reader) = outbox(factory);
    let one = outgoing(message("a", 1, 1), &["a", "b", "c", "d", "e"]);
    let id = one.message.id.as_str();
    outbox.enqueue(std::slice::from_ref(&one), &[]).unwrap();
    let ends = [
        ("a", DeliveryState::Dead),
        ("b", DeliveryState::Expired),
        ("c", DeliveryState::Superseded),
        ("d", DeliveryState::Delivered),
    ];
    outbox.record(&ends.map(|(e, state)| change(e, id, state, 2)), &[attempt("a", id, 2, Some(500), 1)], &[]).unwrap();
    let now = minute(600);
    for endpoint in ["a", "b", "c"] {
        let ReplayOutcome::Waits(found) = outbox.replay(endpoint, id, now).unwrap() else { panic!("{endpoint}") };
        assert_eq!((&found.message, found.deliveries.len()), (&one.message, 1));
        let delivery = of(&*reader, id, endpoint);
        assert_eq!(delivery, found.deliveries[0]);
        let said = (delivery.state, delivery.attempts, delivery.next_try, delivery.deliver_until, delivery.ended_at);
        assert_eq!(said, (DeliveryState::Waiting, 0, now, now + Span::mins(30), None));
        assert_eq!(outbox.replay(endpoint, id, now).unwrap(), ReplayOutcome::Unfinished);
    }
    for (endpoint, message, want) in [
        ("d", id, ReplayOutcome::Delivered),
        ("e", id, ReplayOutcome::Unfinished),
        ("f", id, ReplayOutcome::Missing),
        ("a", "msg_none", ReplayOutcome::Missing),
    ] {
        assert_eq!(outbox.replay(endpoint, message, now).unwrap(), want);
    }
    assert_eq!(outbox.unfinished(9).unwrap()[0].deliveries.len(), 4);
    assert_eq!(reader.message(id).unwrap().unwrap().attempts.len(), 1, "what was tried stays in the log");
    outbox.record(&[change("a", id, DeliveryState::Delivered, 601)], &[], &[]).unwrap();
    assert_eq!(of(&*reader, id, "a").state, DeliveryState::Delivered);
    // That something is over is worth delivering for a day.
    let mut over = message("b", 1, 1);
    over.notice.phase = Phase::Resolved;
    let over = outgoing(over, &["a"]);
    outbox.enqueue(std::slice::from_ref(&over), &[]).unwrap();
    outbox.record(&[change("a", &over.message.id, DeliveryState::Dead, 2)], &[], &[]).unwrap();
    outbox.replay("a", &over.message.id, now).unwrap();
    assert_eq!(of(&*reader, &over.message.id, "a").deliver_until, now + Span::hours(24));
}

/// What each endpoint confirmed, how fast, and what waits for it.
pub fn endpoints_are_counted(factory: &dyn Factory) {
    let (_site, mut outbox, reader) = outbox(factory);
    let all: Vec<Outgoing> =
        (0..100).map(|n| outgoing(message(&format!("t{n}"), 1, i64::from(n)), &["desk", "phone"])).collect();
    outbox.enqueue(&all, &[]).unwrap();
    let (changes, tries): (Vec<_>, Vec<_>) = (0_u32..)
        .zip(&all)
        .map(|(n, o)| {
            let (id, at) = (&o.message.id, i64::from(n));
            (change("phone", id, DeliveryState::Delivered, at), attempt("phone", id, at, Some(200), n + 1))
        })
        .unzip();
    outbox.record(&changes, &tries, &[]).unwrap();
    outbox.record(&[], &[attempt("desk", &all[0].message.id, 70, Some(500), 9000)], &[]).unwrap();
    let count = |endpoint: &str, waiting, delivered, p50, p99| EndpointCount {
        endpoint: endpoint.to_owned(),
        waiting,
        delivered,
        held_back: 0,
        latency_ms_p50: p50,
        latency_ms_p99: p99,
    };
    let desk = count("desk", 100, 0, None, None);
    let found = |since| reader.delivered_counts(minute(since)).unwrap();
    assert_eq!(found(0), [desk.clone(), count("phone", 0, 100, Some(50), Some(99))]);
    assert_eq!(found(90), [desk.clone(), count("phone", 0, 10, Some(95), Some(100))]);
    outbox.record(&[change("desk", &all[1].message.id, DeliveryState::HeldBack, 95)], &[], &[]).unwrap();
    let desk = EndpointCount { waiting: 99, ..desk };
    assert_eq!(found(90)[0], EndpointCount { held_back: 1, ..desk.clone() });
    assert_eq!(found(1000), [desk, count("phone", 0, 0, None, None)]);
}

/// A silence that is ended early is still known as it was before.
pub fn silences_are_known_as_they_were(factory: &dyn Factory) {
    let (_site, mut outbox, reader) = outbox(factory);
    let silence = |id: &str, from: i64, until: i64| Silence {
        id: id.to_owned(),
        matchers: vec![Matcher {
            label: "instrument".to_owned(),
            op: Compare::Matches,
            value: "binance-usdm:.*".to_owned(),
        }],
        author: "ann".to_owned(),
        reason: "maintenance — “planned”".to_owned(),
        starts_at: minute(from),
        ends_at: minute(until),
        created_at: minute(from),
    };
    let (a, b) = (silence("a", 10, 130), silence("b", 20, 40));
    assert!(outbox.put_silence(&b).unwrap() && outbox.put_silence(&a).unwrap());
    assert!(!outbox.put_silence(&silence("a", 11, 12)).unwrap(), "twice is once");
    refused(outbox.put_silence(&silence("c", 5, 5)), "later");
    refused(outbox.put_silence(&Silence { matchers: Vec::new(), ..silence("c", 5, 6) }), "matcher");
    let known = |as_of: Option<i64>, at: Option<i64>| reader.silences(as_of.map(minute), at.map(minute)).unwrap();
    assert_eq!(known(None, None), [a.clone(), b.clone()]);
    assert_eq!(known(None, Some(40)), std::slice::from_ref(&a));
    assert_eq!(known(Some(15), None), std::slice::from_ref(&a));
    assert!(outbox.end_silence("a", minute(60), "bob").unwrap());
    assert!(!outbox.end_silence("a", minute(61), "bob").unwrap(), "over already");
    assert!(!outbox.end_silence("none", minute(61), "bob").unwrap());
    let ended = Silence { ends_at: minute(60), ..a.clone() };
    assert_eq!(known(None, None), [ended, b.clone()]);
    assert_eq!(known(None, Some(60)), []);
    assert_eq!(known(Some(59), None), [a.clone(), b], "then nobody knew that it would end");
    assert_eq!(outbox.silences(Some(minute(59)), Some(minute(59))).unwrap(), [a]);
    assert!(reader.check(true).unwrap().is_sound());
}

/// What has been delivered goes after a while, with its tries; what has not stays, however old.
pub fn old_messages_go_once_they_have_ended(factory: &dyn Factory) {
    let (site, mut outbox, reader) = outbox(factory);
    let all: Vec<Outgoing> =
        (0..1200).map(|n| outgoing(message(&format!("t{n}"), 1, 10 * n), &["desk", "phone"])).collect();
    outbox.enqueue(&all, &[]).unwrap();
    let ends = |endpoint: &str| {
        all.iter().map(|o| change(endpoint, &o.message.id, DeliveryState::Delivered, 1)).collect::<Vec<_>>()
    };
    let tries: Vec<Attempt> = all.iter().map(|o| attempt("phone", &o.message.id, 1, Some(200), 1)).collect();
    outbox.record(&ends("phone"), &tries, &[]).unwrap();
    outbox.record(&ends("desk")[1..], &[], &[]).unwrap();
    let mut writer = site.writer(&WriterRole::ALL).unwrap();
    assert_eq!(writer.prune(&Retention::default()).unwrap().messages, 0, "thirty days are kept");
    let keep = Retention { deliveries: Span::mins(1000), ..Retention::default() };
    assert_eq!(writer.prune(&keep).unwrap().messages, 1200 - 1 - 101);
    let left = outbox.recent(Ts::MIN).unwrap();
    assert_eq!(ids(&left), ids(&[&all[..1], &all[1099..]].concat()));
    assert_eq!(left[0].deliveries.len(), 2, "one waits, and so the other is kept");
    assert_eq!(reader.message(&all[0].message.id).unwrap().unwrap().attempts.len(), 1);
    assert_eq!(reader.delivered_counts(Ts::MIN).unwrap()[1].delivered, 102);
    assert_eq!(writer.prune(&keep).unwrap().messages, 0);
    assert!(reader.check(true).unwrap().is_sound());
}
