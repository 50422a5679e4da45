//! The outbox: with its facts or not at all, every delivery to its end, and nothing delivered that nobody asked for.

use super::rows::{One, minute, one, rows};
use super::sample::{self, START};
use super::{Factory, Site, alerts, hash, open, positions, refused};
use crate::{DeliveryChange, Join, OutboxStore, Outgoing};
use crate::{Error, LiveAlert, LiveBatch, Reader, Result, WatchState, WriterRole};
use barograph_domain::delivery::{
    Attempt, Delivery, DeliveryState, EndpointState, Figure, Message, MessageKind, Notice, Phase, fingerprint,
    message_id,
};
use barograph_domain::{InstrumentName, Pattern, Severity, Span, Trigger};

/// Something to deliver about `what`, the `revision`th of its kind, known at minute `n`.
#[must_use]
pub fn message(what: &str, revision: u32, n: i64) -> Message {
    let at = minute(n);
    let notice = Notice {
        kind: MessageKind::Alert,
        phase: Phase::Firing,
        alert_id: what.to_owned(),
        revision,
        pattern: Some(Pattern::LiquidationCascade),
        trigger: None::<Trigger>,
        rule: None,
        source: "cascade".to_owned(),
        severity: Severity::High,
        instrument: Some(InstrumentName::parse("binance-usdm:BTCUSDT").unwrap()),
        symbol: "BTC/USDT".to_owned(),
        title: "forced closing of longs — “heavy”".to_owned(),
        text: "A cascade of forced closes.".to_owned(),
        headline: "Chop risk. Sideways.".to_owned(),
        figures: vec![Figure {
            name: "liquidations".to_owned(),
            value: "3.1 m USD".to_owned(),
            threshold: "1 m USD".to_owned(),
            number: Some(0.1 + 0.2),
            limit: 1e6,
        }],
        new_entries: "wait".to_owned(),
        open_positions: "review".to_owned(),
        clears: "ten quiet minutes".to_owned(),
        fired_30d: Some(3),
        known_days: None,
        inhibited_by: None,
        resumed: false,
        venue_markets: None,
        ts: at,
        known_at: at,
        opened_at: minute(0),
        closed_at: None,
        path: "/m/binance-usdm:BTCUSDT".to_owned(),
        members: Vec::new(),
        more_members: 0,
        event: String::new(),
        seed4: String::new(),
    };
    Message { id: message_id(&format!("{what}|{revision}")), fingerprint: fingerprint(what), known_at: at, notice }
}

/// It waits for these endpoints.
#[must_use]
pub fn outgoing(message: Message, endpoints: &[&str]) -> Outgoing {
    let delivery = |endpoint: &&str| Delivery {
        endpoint: (*endpoint).to_owned(),
        message: message.id.clone(),
        state: DeliveryState::Waiting,
        via: None,
        reason: String::new(),
        deliver_until: message.known_at + Span::mins(30),
        attempts: 0,
        next_try: message.known_at,
        ended_at: None,
    };
    Outgoing { deliveries: endpoints.iter().map(delivery).collect(), message }
}

fn group(revision: u32, n: i64, phase: Phase) -> Message {
    let mut message = message("group of a storm", revision, n);
    message.notice = Notice { kind: MessageKind::Group, phase, instrument: None, ..message.notice };
    message
}

/// A delivery stands so after a decision at minute `n`.
#[must_use]
pub fn change(endpoint: &str, message: &str, state: DeliveryState, n: i64) -> DeliveryChange {
    DeliveryChange {
        endpoint: endpoint.to_owned(),
        message: message.to_owned(),
        state,
        reason: if state == DeliveryState::Delivered { String::new() } else { "refused".to_owned() },
        attempts: 1,
        next_try: minute(n + 1),
        at: minute(n),
    }
}

/// A try at minute `n`.
#[must_use]
pub fn attempt(endpoint: &str, message: &str, n: i64, status: Option<u16>, latency_ms: u32) -> Attempt {
    let outcome = if status == Some(200) { "delivered" } else { "retry" };
    Attempt {
        endpoint: endpoint.to_owned(),
        message: message.to_owned(),
        at: minute(n),
        status,
        latency_ms,
        outcome: outcome.to_owned(),
        excerpt: "ok — “fine”".to_owned(),
    }
}

pub(super) fn outbox(factory: &dyn Factory) -> (Box<dyn Site>, Box<dyn OutboxStore>, Box<dyn Reader>) {
    let site = factory.site();
    let outbox = site.outbox().unwrap();
    let reader = site.reader().unwrap();
    (site, outbox, reader)
}

pub(super) fn of(reader: &dyn Reader, id: &str, endpoint: &str) -> Delivery {
    let log = reader.message(id).unwrap().unwrap();
    log.outgoing.deliveries.into_iter().find(|d| d.endpoint == endpoint).unwrap()
}

fn bare(one: &One) -> LiveBatch<'_> {
    LiveBatch {
        instruments: &one.instruments,
        streams: &one.streams,
        runs: std::slice::from_ref(&one.spec),
        ..LiveBatch::default()
    }
}

/// In one transaction: together or not at all, and again is nothing new.
pub fn messages_come_with_their_alerts(factory: &dyn Factory) {
    let (site, mut writer, reader) = open(factory);
    let (one, row) = (one(), rows(1, 1));
    let alerts: Vec<LiveAlert> = alerts::story(1).into_iter().map(|alert| LiveAlert { instrument: 0, alert }).collect();
    let told = [outgoing(message("a", 1, 1), &["phone", "desk"]), outgoing(message("b", 1, 1), &[])];
    let full = LiveBatch { rows: &row, alerts: &alerts, messages: &told, ..bare(&one) };
    let mut stray = told.to_vec();
    stray[0].deliveries[1].message = told[1].message.id.clone();
    refused(writer.append(&LiveBatch { messages: &stray, ..full }), "names");
    let mut ended = told.to_vec();
    ended[0].deliveries[1].state = DeliveryState::Dead;
    refused(writer.append(&LiveBatch { messages: &ended, ..full }), "moment of its end");
    assert_eq!(reader.message(&told[0].message.id).unwrap(), None);
    assert_eq!(reader.alerts(&one.spec.key, &crate::AlertQuery::default()).unwrap().items, []);
    assert_eq!(writer.append(&full).unwrap().messages, told, "all of it is to be told");
    assert_eq!(writer.append(&full).unwrap().messages, [], "and nothing of it again");
    assert_eq!(reader.message(&told[0].message.id).unwrap().unwrap().outgoing.message, told[0].message, "every bit");
    let mut outbox = site.outbox().unwrap();
    let id = told[0].message.id.clone();
    outbox.record(&[change("phone", &id, DeliveryState::Delivered, 2)], &[], &[]).unwrap();
    let more = [outgoing(told[0].message.clone(), &["phone", "desk", "late"])];
    let again = LiveBatch { messages: &more, ..full };
    let late = [outgoing(told[0].message.clone(), &["late"])];
    assert_eq!(writer.append(&again).unwrap().messages, late, "only who was not told before");
    assert_eq!(writer.append(&again).unwrap().messages, []);
    assert_eq!(of(&*reader, &id, "phone").state, DeliveryState::Delivered, "it keeps its state");
    let left = outbox.unfinished(9).unwrap();
    let names: Vec<&str> = left[0].deliveries.iter().map(|d| d.endpoint.as_str()).collect();
    assert_eq!((left.len(), names), (1, vec!["desk", "late"]));
    assert!(reader.check(true).unwrap().is_sound());
}

/// So do those about positions; and the content of the store is the same with and without them.
pub fn messages_come_with_their_notices(factory: &dyn Factory) {
    let (site, mut outbox, reader) = outbox(factory);
    let before = hash(&*reader);
    let mut writer = site.positions().unwrap();
    let told = [outgoing(message("position a", 1, 3), &["phone"])];
    let mut stray = told.clone();
    stray[0].deliveries[0].message = "other".to_owned();
    let notices = [positions::notice("n", "a", START)];
    refused(writer.record_check(&[] as &[WatchState], &notices, &stray), "names");
    let all = crate::NoticeQuery { position: None, instrument: None, as_of: None, limit: 9 };
    assert_eq!(reader.notices(&all).unwrap(), [], "the notice is not there without its message");
    for _ in 0..2 {
        writer.record_check(&[], &notices, &told).unwrap();
    }
    assert_eq!(reader.notices(&all).unwrap(), notices);
    assert_eq!(outbox.unfinished(9).unwrap(), told);
    assert_eq!(hash(&*reader), before, "the outbox is no part of the content");
}

/// Oldest first, also those of one moment; with those that go with a group; never half of a message's deliveries.
pub fn what_waits_is_found_again(factory: &dyn Factory) {
    let (_site, mut outbox, reader) = outbox(factory);
    assert_eq!(outbox.last_sign().unwrap(), None);
    let all: Vec<Outgoing> = (0..40_u32)
        .map(|n| outgoing(message(&format!("thing {}", n % 7), n / 7 + 1, i64::from(n / 14)), &["desk", "phone"]))
        .collect();
    let mut mixed = all.clone();
    sample::Random::new(3).shuffle(&mut mixed);
    outbox.enqueue(&mixed, &[]).unwrap();
    let mut want = all.clone();
    let key = |o: &Outgoing| (o.message.known_at, o.message.notice.revision, o.message.id.clone());
    want.sort_by_key(key);
    assert_eq!(outbox.unfinished(99).unwrap(), want);
    assert_eq!(outbox.unfinished(5).unwrap(), want[..5]);
    let mut paged = outbox.unfinished(7).unwrap();
    while let Some(last) = paged.last().cloned() {
        let page = outbox.unfinished_after(&last.message, 7).unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, want, "pages leave nothing out and repeat nothing");
    assert_eq!(outbox.last_sign().unwrap(), want.last().map(|o| o.message.known_at));
    assert_eq!(outbox.recent(minute(2)).unwrap().len(), 12);
    assert_eq!(outbox.recent(START).unwrap(), want);
    // One is delivered to one endpoint, the other goes with a group.
    let group = outgoing(group(1, 3, Phase::Firing), &["phone"]);
    let first = &want[0].message.id;
    let join = |to: &str| Join { endpoint: "phone".to_owned(), message: first.clone(), via: to.to_owned() };
    outbox.enqueue(std::slice::from_ref(&group), &[join(&group.message.id)]).unwrap();
    outbox.record(&[change("desk", first, DeliveryState::Delivered, 4)], &[], &[]).unwrap();
    let now = outbox.unfinished(99).unwrap();
    assert_eq!(now.len(), 41);
    assert_eq!(now[0].deliveries.len(), 1);
    let grouped = &now[0].deliveries[0];
    assert_eq!((grouped.state, grouped.via.as_ref()), (DeliveryState::Grouped, Some(&group.message.id)));
    outbox.enqueue(&[], &[join("elsewhere")]).unwrap();
    assert_eq!(of(&*reader, first, "phone").via.as_deref(), Some("elsewhere"), "it may change to another group");
    let desk = Join { endpoint: "desk".to_owned(), ..join("elsewhere") };
    outbox.enqueue(&[], &[desk]).unwrap();
    assert_eq!(of(&*reader, first, "desk").state, DeliveryState::Delivered, "what has ended goes with nobody");
}

/// A try that failed, then an end; later words change nothing; tries are kept once, in order.
pub fn deliveries_end_once(factory: &dyn Factory) {
    let (_site, mut outbox, reader) = outbox(factory);
    let one = outgoing(message("a", 1, 1), &["phone", "desk"]);
    let id = one.message.id.clone();
    outbox.enqueue(std::slice::from_ref(&one), &[]).unwrap();
    let tries = [attempt("phone", &id, 2, None, 9), attempt("phone", &id, 3, Some(200), 7)];
    outbox.record(&[change("phone", &id, DeliveryState::Waiting, 2)], &tries[..1], &[]).unwrap();
    let waits = of(&*reader, &id, "phone");
    assert_eq!((waits.state, waits.attempts, waits.next_try, waits.ended_at), {
        (DeliveryState::Waiting, 1, minute(3), None)
    });
    let failing = EndpointState {
        endpoint: "phone".to_owned(),
        disabled: Some("answered 410".to_owned()),
        failing_since: Some(minute(2)),
        learned: Some("-100".to_owned()),
        ..EndpointState::default()
    };
    let end = [DeliveryChange { attempts: 2, ..change("phone", &id, DeliveryState::Delivered, 3) }];
    for _ in 0..2 {
        outbox.record(&end, &tries, std::slice::from_ref(&failing)).unwrap();
    }
    outbox.record(&[change("phone", &id, DeliveryState::Dead, 4)], &[], &[]).unwrap();
    let ended = of(&*reader, &id, "phone");
    assert_eq!((ended.state, ended.attempts, ended.ended_at), (DeliveryState::Delivered, 2, Some(minute(3))));
    let log = reader.message(&id).unwrap().unwrap();
    assert_eq!(log.attempts, tries);
    assert_eq!(outbox.last_sign().unwrap(), Some(minute(3)), "a try is a sign too");
    assert_eq!(reader.endpoint_states().unwrap(), std::slice::from_ref(&failing));
    assert!(outbox.enable_endpoint("phone").unwrap());
    assert!(!outbox.enable_endpoint("phone").unwrap() && !outbox.enable_endpoint("desk").unwrap());
    let well = EndpointState { disabled: None, failing_since: None, ..failing };
    assert_eq!(outbox.endpoint_states().unwrap(), [well]);
    refused(outbox.record(&[change("desk", &id, DeliveryState::Grouped, 4)], &[], &[]), "enqueued");
    assert_eq!(of(&*reader, &id, "desk").state, DeliveryState::Waiting);
    assert!(reader.check(false).unwrap().is_sound());
}

/// What goes with a group's message ends with it; what has gone over to a newer one does not.
pub fn members_share_the_end_of_their_group(factory: &dyn Factory) {
    let (_site, mut outbox, reader) = outbox(factory);
    let members: Vec<Outgoing> =
        (0..4).map(|n| outgoing(message(&format!("m{n}"), 1, 1), &["desk", "phone"])).collect();
    let groups: Vec<Outgoing> =
        (1..=2).map(|n| outgoing(group(n, i64::from(n) + 1, Phase::Firing), &["phone"])).collect();
    outbox.enqueue(&members, &[]).unwrap();
    let join = |member: usize, to: usize| Join {
        endpoint: "phone".to_owned(),
        message: members[member].message.id.clone(),
        via: groups[to].message.id.clone(),
    };
    outbox.enqueue(&groups[..1], &[join(0, 0), join(1, 0), join(2, 0)]).unwrap();
    outbox.enqueue(&groups[1..], &[join(2, 1)]).unwrap();
    let state = |n: usize| {
        let found = of(&*reader, &members[n].message.id, "phone");
        (found.state, found.ended_at, found.attempts)
    };
    outbox.record(&[change("phone", &groups[0].message.id, DeliveryState::Superseded, 5)], &[], &[]).unwrap();
    assert_eq!([state(0), state(1)], [(DeliveryState::Superseded, Some(minute(5)), 0); 2]);
    assert_eq!([state(2), state(3)], [(DeliveryState::Grouped, None, 0), (DeliveryState::Waiting, None, 0)]);
    outbox.record(&[change("phone", &groups[1].message.id, DeliveryState::Delivered, 6)], &[], &[]).unwrap();
    assert_eq!(state(2), (DeliveryState::Delivered, Some(minute(6)), 0));
    assert_eq!(of(&*reader, &members[2].message.id, "desk").state, DeliveryState::Waiting, "of another endpoint");
    let via = of(&*reader, &members[2].message.id, "phone").via;
    assert_eq!(via.as_ref(), Some(&groups[1].message.id), "it says where its tries are");
}

/// The newest word about each thing counts; who heard of it since it began is known.
pub fn what_fires_is_known(factory: &dyn Factory) {
    let (_site, mut outbox, reader) = outbox(factory);
    let said = |what: &str, revision, n, phase| {
        let mut message = message(what, revision, n);
        message.notice.phase = phase;
        outgoing(message, &["desk", "phone"])
    };
    let all = [
        said("told", 1, 1, Phase::Firing),
        said("told", 2, 2, Phase::Firing),
        said("over", 1, 1, Phase::Firing),
        said("over", 2, 1, Phase::Resolved),
        said("unseen", 1, 1, Phase::NoData),
        said("quiet", 1, 3, Phase::Firing),
        said("back", 1, -9, Phase::Firing),
        said("back", 1, 0, Phase::Firing),
        outgoing(group(1, 1, Phase::Firing), &["phone"]),
        outgoing(group(2, 2, Phase::Resolved), &["phone"]),
    ];
    let mut all = all.to_vec();
    // An episode of long ago, which someone heard of.
    let id = message_id("back|long ago");
    all[6].deliveries.iter_mut().for_each(|d| d.message.clone_from(&id));
    all[6].message.id = id;
    outbox.enqueue(&all, &[]).unwrap();
    let done = [(0, "phone"), (6, "desk")]
        .map(|(n, to): (usize, &str)| change(to, &all[n].message.id, DeliveryState::Delivered, 4));
    outbox.record(&done, &[], &[]).unwrap();
    let found = outbox.firing().unwrap();
    let found: Vec<(&str, u32, Vec<String>)> =
        found.iter().map(|f| (f.message.notice.alert_id.as_str(), f.message.notice.revision, f.told.clone())).collect();
    let want = [("back", 1, vec![]), ("told", 2, vec!["phone".to_owned()]), ("quiet", 1, vec![])];
    assert_eq!(found, want);
    let groups = |since: i64, as_of: Option<i64>| {
        let found = reader.groups(minute(since), as_of.map(minute)).unwrap();
        found.iter().map(|m| m.notice.revision).collect::<Vec<_>>()
    };
    assert_eq!(groups(0, None), [2]);
    assert_eq!(groups(3, None), [] as [u32; 0], "it is over, and long ago");
    assert_eq!(groups(3, Some(1)), [1], "then it was not over");
    assert_eq!(groups(0, Some(0)), [] as [u32; 0]);
}

/// One dispatcher per store; facts have another writer.
pub fn delivery_is_a_role(factory: &dyn Factory) {
    let (site, mut outbox, _reader) = outbox(factory);
    let Err(error) = site.outbox() else { panic!("two dispatchers") };
    assert!(matches!(error, Error::Locked { role: "delivery", .. }), "{error}");
    drop(site.writer(&WriterRole::ALL).unwrap());
    outbox.enqueue(&[outgoing(message("a", 1, 1), &["phone"])], &[]).unwrap();
    drop(outbox);
    assert_eq!(site.outbox().unwrap().unfinished(9).unwrap().len(), 1);
}

/// Facts come in with what is to be delivered of them while deliveries end, over two connections: neither fails the other.
pub fn the_two_writers_go_on_together(factory: &dyn Factory) {
    const MINUTES: i64 = 120;
    const DELIVERED: u32 = 20;
    let (site, mut writer, reader) = open(factory);
    let mut outbox = site.outbox().unwrap();
    let (one, rows) = (one(), rows(MINUTES, 1));
    let publish = move || -> Result<u64> {
        let mut told = 0;
        for (n, row) in (1..).zip(&rows) {
            let messages: Vec<Outgoing> =
                (0..DELIVERED).map(|k| outgoing(message(&format!("{n} {k}"), 1, n), &["desk", "phone"])).collect();
            let rows = std::slice::from_ref(row);
            told += writer.append(&LiveBatch { rows, messages: &messages, ..bare(&one) })?.messages.len() as u64;
        }
        Ok(told)
    };
    let want = u64::from(DELIVERED) * MINUTES.unsigned_abs();
    let mut deliver = || -> Result<u64> {
        let mut ended = 0;
        while ended < 2 * want {
            let found = outbox.unfinished(64)?;
            let each = found.iter().flat_map(|o| &o.deliveries);
            let (changes, tries): (Vec<_>, Vec<_>) = each
                .map(|d| {
                    let Delivery { endpoint, message, .. } = d;
                    let end = change(endpoint, message, DeliveryState::Delivered, 1);
                    (end, attempt(endpoint, message, 1, Some(200), 3))
                })
                .unzip();
            outbox.record(&changes, &tries, &[])?;
            ended += changes.len() as u64;
        }
        Ok(ended)
    };
    let (told, ended) = std::thread::scope(|scope| {
        let published = scope.spawn(publish);
        let ended = deliver().unwrap();
        (published.join().unwrap().unwrap(), ended)
    });
    assert_eq!((told, ended), (want, 2 * want), "each once");
    assert_eq!(outbox.unfinished(9).unwrap(), []);
    assert!(reader.check(true).unwrap().is_sound());
}
