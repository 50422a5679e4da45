//! From an alert to its receivers, with the real binary: storms, kills, samples, silences.

use crate::support::Place;
use crate::support::http::{Server, address};
use crate::support::receiver::{Receiver, Taken};
use crate::support::sim::Sim;
use barograph_domain::delivery::{
    Delivery, DeliveryState, Figure, Message, MessageKind, Notice, Phase, fingerprint, message_id,
};
use barograph_domain::{InstrumentName, Pattern, Severity, Span, Ts};
use barograph_store::{DeliveryQuery, Outgoing, Sent, StoreTarget, open_outbox, open_reader};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn now() -> Ts {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Ts(i64::try_from(since.as_nanos()).unwrap())
}

/// A rule book of which every live perpetual fires one rule in its first minute.
fn book(place: &Place) {
    let text = include_str!("../../../engine/books/default.toml");
    let rule = "[[alert]]\nid = \"heard\"\nseverity = \"HIGH\"\ntext = \"Funding is heard\"\n\
                all = [{ feature = \"funding_rate_8h\", op = \">\", value = -1.0, scale = 0.1 }]\n";
    place.write("mine.toml", &format!("{text}\n{rule}"));
}

#[test]
fn a_storm_is_two_alerts_and_one_group_and_everything_told_is_on_record() {
    let place = Place::new();
    let sim = Sim::of(&place, 6);
    let receiver = Receiver::start();
    book(&place);
    let more = format!("secrets = [\"{SECRET}\"]\ntypes = [\"ALERT_RULE\"]\n");
    place.write("barograph.toml", &receiver.table("desk", "standard", &more));
    let line = format!(
        "up --all --min-volume-24h 0 --book mine.toml --backfill 0 --books off --data data --listen 127.0.0.1:0 --endpoint {}",
        sim.endpoint
    );
    let mut process = place.start(&line);
    let addr = address(&process.err.wait_for("http://"));
    let server = Server { process, addr };
    // Funding of all six is heard within the first minutes: two go alone, the others as a group.
    let kind = |t: &Taken| t.json()["type"].as_str().unwrap().to_owned();
    let until = Instant::now() + Duration::from_secs(180);
    let taken = loop {
        let taken = receiver.taken();
        if taken.iter().any(|t| kind(t).starts_with("group.")) {
            break taken;
        }
        assert!(Instant::now() < until, "no group came: {:?}", taken.iter().map(kind).collect::<Vec<_>>());
        std::thread::sleep(Duration::from_millis(100));
    };
    let alone = taken.iter().filter(|t| kind(t).starts_with("alert.")).count();
    // One that was heard a minute before the others is no part of their storm.
    assert!((2..=3).contains(&alone), "{:?}", taken.iter().map(kind).collect::<Vec<_>>());
    let group = taken.iter().find(|t| kind(t).starts_with("group.")).unwrap();
    assert!(group.body.matches("Own rule heard").count() >= 3, "{}", group.body);
    for t in &taken {
        assert!(t.headers["webhook-signature"].starts_with("v1,") && t.id().starts_with("msg_"), "{t:?}");
    }
    let alone = &taken.iter().find(|t| kind(t).starts_with("alert.")).unwrap().body;
    for words in ["Own rule heard", "Funding is heard", "funding_rate_8h", "new_entries", "/m/binance-usdm:", "as_of="]
    {
        assert!(alone.contains(words), "{words}: {alone}");
    }
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let items = server.json("/api/v1/deliveries?endpoint=desk")["items"].as_array().unwrap().clone();
        if items.len() >= 7 && items.iter().all(|d| d["state"] == "delivered") {
            break;
        }
        assert!(Instant::now() < until, "{items:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(
        server.get("/metrics").text().contains("barograph_deliveries_total{endpoint=\"desk\",outcome=\"delivered\"}")
    );
}

fn outgoing(n: usize, at: Ts, endpoints: &[&str]) -> Outgoing {
    let instrument = InstrumentName::new("binance-usdm", &format!("M{n}USDT")).unwrap();
    let figure = Figure {
        name: "funding_zscore_24h".to_owned(),
        value: "3.1σ".to_owned(),
        threshold: "3.0σ".to_owned(),
        number: Some(3.1),
        limit: 3.0,
    };
    let notice = Notice {
        kind: MessageKind::Alert,
        phase: Phase::Firing,
        alert_id: format!("alert {n}"),
        revision: 1,
        pattern: Some(Pattern::FundingAnomaly),
        trigger: None,
        rule: None,
        source: "FUNDING".to_owned(),
        severity: Severity::High,
        instrument: Some(instrument),
        symbol: format!("M{n}/USDT"),
        title: format!("M{n}USDT: Funding anomaly"),
        text: "Funding stands out.".to_owned(),
        headline: String::new(),
        figures: vec![figure],
        new_entries: "wait".to_owned(),
        open_positions: "keep".to_owned(),
        clears: "It would clear.".to_owned(),
        fired_30d: Some(0),
        known_days: None,
        inhibited_by: None,
        resumed: false,
        venue_markets: None,
        ts: at,
        known_at: at,
        opened_at: at,
        closed_at: None,
        path: "/".to_owned(),
        members: Vec::new(),
        more_members: 0,
        event: "{}".to_owned(),
        seed4: String::new(),
    };
    let message = Message {
        id: message_id(&format!("storm {n}")),
        fingerprint: fingerprint(&format!("storm {n}")),
        known_at: at,
        notice,
    };
    let delivery = |endpoint: &&str| Delivery {
        endpoint: (*endpoint).to_owned(),
        message: message.id.clone(),
        state: DeliveryState::Waiting,
        via: None,
        reason: String::new(),
        deliver_until: at + Span::hours(1),
        attempts: 0,
        next_try: at,
        ended_at: None,
    };
    Outgoing { deliveries: endpoints.iter().map(delivery).collect(), message }
}

/// Requests by the id of their message.
fn by_id(taken: &[Taken]) -> BTreeMap<String, Vec<&Taken>> {
    let mut out: BTreeMap<String, Vec<&Taken>> = BTreeMap::new();
    taken.iter().for_each(|t| out.entry(t.id().to_owned()).or_default().push(t));
    out
}

/// `ALERT_STORM` and `ALERT_KILLS` make it as large as one likes.
#[test]
fn killed_at_random_points_of_a_storm_nothing_is_lost_and_duplicates_share_an_id() {
    let number = |name: &str, usual: usize| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(usual);
    let (storm, kills) = (number("ALERT_STORM", 3_000), number("ALERT_KILLS", 6));
    let place = Place::new();
    let (each, grouped) = (Receiver::start(), Receiver::start());
    let secret = format!("secrets = [\"{SECRET}\"]\n");
    let tables = each.table("each", "standard", &format!("{secret}groups = false\n"))
        + &grouped.table("grouped", "standard", &secret);
    place.write("barograph.toml", &tables);
    let target = StoreTarget::Folder(place.path("data"));
    let at = now();
    let mut outbox = open_outbox(&target).unwrap();
    let all: Vec<Outgoing> = (0..storm).map(|n| outgoing(n, at, &["each", "grouped"])).collect();
    all.chunks(500).for_each(|piece| outbox.enqueue(piece, &[]).unwrap());
    drop(outbox);
    // A little later each time, so that kills fall into every part of it.
    for n in 0..kills {
        let mut process = place.start("alerts deliver --data data");
        process.err.wait_for("telling");
        std::thread::sleep(Duration::from_millis(20 + 37 * (u64::try_from(n).unwrap() % 13)));
        process.signal("KILL");
        process.wait(Duration::from_secs(20));
    }
    let begun = Instant::now();
    let said = place.ok("alerts deliver --data data");
    eprintln!("the rest of {storm} alerts after {kills} kills took {:.1} s:\n{said}", begun.elapsed().as_secs_f64());
    let taken = each.taken();
    let found = by_id(&taken);
    assert_eq!(found.len(), storm, "each alert reached the receiver");
    for (id, tries) in &found {
        let bodies: Vec<serde_json::Value> = tries.iter().map(|t| t.json()["data"]["alert_id"].clone()).collect();
        assert!(bodies.windows(2).all(|w| w[0] == w[1]), "{id}: {bodies:?}");
    }
    assert!(taken.len() < 2 * storm, "{} requests for {storm} alerts", taken.len());
    let taken = grouped.taken();
    let groups = by_id(&taken);
    assert!(groups.len() <= 5 + kills, "{} messages of one storm", groups.len());
    let reader = open_reader(&target).unwrap();
    for state in DeliveryState::ALL.into_iter().filter(|s| !s.is_final()) {
        let left =
            reader.deliveries(&DeliveryQuery { state: Some(state), limit: 10, ..DeliveryQuery::default() }).unwrap();
        assert!(left.is_empty(), "{state:?}: {left:?}");
    }
}

#[test]
fn what_cannot_be_delivered_is_dead_until_somebody_has_it_sent_again() {
    let place = Place::new();
    let receiver = Receiver::start();
    let secret = format!("secrets = [\"{SECRET}\"]\n");
    place.write("barograph.toml", &receiver.table("desk", "standard", &secret));
    let target = StoreTarget::Folder(place.path("data"));
    let one = outgoing(1, now(), &["desk"]);
    open_outbox(&target).unwrap().enqueue(core::slice::from_ref(&one), &[]).unwrap();
    receiver.answer(410);
    place.ok("alerts deliver --data data");
    assert_eq!(receiver.taken().len(), 1, "what is gone is not asked again");
    let dead = place.ok("alerts dead --data data --json");
    let dead: serde_json::Value = serde_json::from_str(dead.lines().next().unwrap()).unwrap();
    assert_eq!((&dead["state"], &dead["endpoint"]), (&"dead".into(), &"desk".into()));
    receiver.answer(200);
    // It answers again, but nobody has said that it may be used again.
    let replay = format!("alerts replay {} --data data", one.message.id);
    place.ok(&replay);
    let said = place.ok("alerts deliver --data data --for 5s");
    assert!(said.contains(" 0 delivered,") && said.contains("1 dead"), "{said}");
    assert_eq!(receiver.taken().len(), 1);
    let said = place.ok("alerts enable desk --data data");
    assert!(said.contains("desk is used again"), "{said}");
    place.ok(&replay);
    let said = place.ok("alerts deliver --data data --for 5s");
    assert!(said.contains(" 1 delivered,") && said.contains("0 wait"), "{said}");
    let shown = place.ok(&format!("alerts show {} --data data", one.message.id));
    assert!(shown.contains("desk: delivered"), "{shown}");
    assert_eq!(receiver.taken()[1].id(), one.message.id);
    place.run("alerts enable dsk --data data").exits(2).says("dsk");
}

/// What waits for its turn, or for somebody who delivers, has no next try at a moment that is over.
#[test]
fn no_next_try_lies_in_the_past() {
    let place = Place::new();
    place.write(
        "barograph.toml",
        "[[receiver]]\nname = \"desk\"\nformat = \"json\"\nurl = \"https://hooks.example/x\"\n",
    );
    let target = StoreTarget::Folder(place.path("data"));
    let one = outgoing(1, now() - Span::mins(5), &["desk"]);
    open_outbox(&target).unwrap().enqueue(core::slice::from_ref(&one), &[]).unwrap();
    let shown = place.ok(&format!("alerts show {} --data data", one.message.id));
    assert!(shown.contains("desk: waiting, next try when its turn comes, none after"), "{shown}");
    let began = now();
    let listed = place.ok("alerts ls --data data --json");
    let listed: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    let next_try = Ts::parse(listed["next_try"].as_str().unwrap()).unwrap();
    assert!(next_try >= began.floor(Span::secs(1)), "{listed}");
}

/// A receiver that cannot be used is named where people look before they need it.
#[test]
fn a_receiver_that_cannot_be_used_is_named_by_config_show_and_doctor() {
    let place = Place::new();
    let of = |budget: &str| {
        format!(
            "[[receiver]]\nname = \"desk\"\nformat = \"json\"\nurl = \"https://h.example/x\"\n{budget} = \"3/days\"\n"
        )
    };
    for (key, words) in [("budget", "write 3/day"), ("bugdet", "did you mean `budget`?")] {
        std::fs::write(place.path("mine.toml"), of(key)).unwrap();
        place.run("config show --config mine.toml").exits(2).prints("keep_minutes_days").says(words);
        let doctor = place.run("doctor --config mine.toml --endpoint binance-usdm=http://127.0.0.1:1");
        assert!(doctor.out.contains("receivers: mine.toml:1"), "{}", doctor.out);
    }
}

#[test]
fn a_receiver_that_cannot_be_used_stops_only_what_tells_people() {
    let place = Place::new();
    let table = "[[receiver]]\nname = \"desk\"\nformat = \"json\"\nurl = \"env:A_HOOK_NOBODY_SET\"\n";
    place.write("barograph.toml", table);
    drop(open_outbox(&StoreTarget::Folder(place.path("data"))).unwrap());
    place.ok("alerts ls --data data");
    place.run("alerts deliver --data data").exits(2).says("the variable A_HOOK_NOBODY_SET is not set");
    place.run("alerts test").exits(2).says("A_HOOK_NOBODY_SET");
}

#[test]
fn a_sample_shows_what_was_sent_and_what_came_back() {
    let place = Place::new();
    let receiver = Receiver::start();
    place.write("barograph.toml", &receiver.table("home", "json", "token = \"s3cret-token\"\n"));
    let shown = place.ok("alerts test home");
    for words in ["POST 127.0.0.1", "authorization: …", "Sample", "answered 200 within"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains("s3cret"), "{shown}");
    assert_eq!(receiver.taken()[0].headers["authorization"], "Bearer s3cret-token");
    assert!(place.ok("alerts test").contains("home"));
    receiver.answer(500);
    place.run("alerts test home").exits(1).says("'home' did not take the sample");
    place.run("alerts test hom").exits(2).says("did you mean home?");
}

/// Rules that every live perpetual fires and that never end: five at its first minute, five more a minute later.
fn lasting_rules(place: &Place) {
    let text = include_str!("../../../engine/books/default.toml");
    let rules: String = (0..10)
        .map(|n| {
            format!(
                "[[alert]]\nid = \"lasting-{n}\"\nseverity = \"HIGH\"\npending = \"{}m\"\n\
                 all = [{{ feature = \"funding_rate_8h\", op = \">\", value = -1.0, scale = 0.1 }}]\n",
                n / 5
            )
        })
        .collect();
    place.write("mine.toml", &format!("{text}\n{rules}"));
}

/// What became of everything that was to be reported to `each`.
fn told_to_each(target: &StoreTarget) -> Vec<Sent> {
    let query = DeliveryQuery { endpoint: Some("each".to_owned()), limit: 10_000, ..DeliveryQuery::default() };
    open_reader(target).unwrap().deliveries(&query).unwrap()
}

/// Killed in the middle of a storm, in the middle of the replay that follows, and when everything was reported: the journal makes
/// again what was made, and nobody hears of it again.
#[test]
fn the_live_process_is_killed_again_and_again_and_nothing_is_lost_or_told_twice_that_was_on_record() {
    const MARKETS: usize = 6;
    let place = Place::new();
    let sim = Sim::of(&place, MARKETS);
    let (each, grouped) = (Receiver::start(), Receiver::start());
    lasting_rules(&place);
    let more = format!("secrets = [\"{SECRET}\"]\ntypes = [\"ALERT_RULE\"]\n");
    let tables = each.table("each", "standard", &format!("{more}groups = false\n"))
        + &grouped.table("grouped", "standard", &more);
    place.write("barograph.toml", &tables);
    let line = format!(
        "up --all --min-volume-24h 0 --book mine.toml --backfill 0 --books off --data data --listen 127.0.0.1:0 --endpoint {}",
        sim.endpoint
    );
    let target = StoreTarget::Folder(place.path("data"));
    let until = Instant::now() + Duration::from_secs(300);
    let patiently = |what: &str| {
        assert!(Instant::now() < until, "waited in vain for {what}; {} requests came", each.taken().len());
        std::thread::sleep(Duration::from_millis(5));
    };
    // When a process is killed: after so many requests more, and so long after that.
    let kills = [(1, 0), (8, 3), (0, 400), (0, 2_500), (12, 30), (0, 1_500)];
    let mut on_record: BTreeMap<String, usize> = BTreeMap::new();
    for (requests, wait_ms) in kills {
        let before = each.taken().len();
        let mut process = place.start(&line);
        process.err.wait_for("telling");
        while each.taken().len() < before + requests {
            patiently("requests");
        }
        std::thread::sleep(Duration::from_millis(wait_ms));
        assert!(process.kill(), "it had ended: {}", process.err.text());
        let taken = each.taken();
        let found = by_id(&taken);
        let delivered = told_to_each(&target).into_iter().filter(|s| s.delivery.state == DeliveryState::Delivered);
        for id in delivered.map(|s| s.delivery.message) {
            let tries = found.get(&id).map_or(0, Vec::len);
            assert!(tries > 0, "{id} is recorded as delivered and never came");
            assert_eq!(*on_record.entry(id.clone()).or_insert(tries), tries, "{id} was sent again");
        }
    }
    assert!(!on_record.is_empty(), "nothing was on record at any kill");
    let _process = place.start(&line);
    // Both halves of the rules at every market, and nothing of it on its way any more.
    let sent = loop {
        let sent = told_to_each(&target);
        let rules: std::collections::BTreeSet<_> =
            sent.iter().map(|s| (&s.message.notice.rule, &s.message.notice.instrument)).collect();
        if rules.len() == 10 * MARKETS && sent.iter().all(|s| s.delivery.state.is_final()) {
            break sent;
        }
        std::thread::sleep(Duration::from_millis(200));
        patiently("the end");
    };
    let taken = each.taken();
    let found = by_id(&taken);
    for Sent { delivery, message } in &sent {
        // News that a newer one made unnecessary before it was sent is the only thing that need not come.
        let newer = || {
            let same = |other: &&Sent| other.message.fingerprint == message.fingerprint;
            sent.iter().filter(same).any(|s| s.message.known_at > message.known_at && found.contains_key(&s.message.id))
        };
        assert!(found.contains_key(&message.id) || newer(), "{delivery:?} never came: {message:?}");
    }
    for (id, tries) in &on_record {
        assert_eq!(found[id].len(), *tries, "{id} was on record as delivered and was sent again");
    }
    let mut ids: BTreeMap<String, std::collections::BTreeSet<&str>> = BTreeMap::new();
    for t in &taken {
        let data = &t.json()["data"];
        let what = format!("{} {}", data["alert_id"], data["revision"]);
        ids.entry(what).or_default().insert(t.id());
    }
    assert!(ids.values().all(|ids| ids.len() == 1), "one record, two ids: {ids:?}");
    // Every alert that the store holds is among them: both were stored together.
    let reader = open_reader(&target).unwrap();
    for run in reader.runs(None).unwrap() {
        let alerts = reader.alerts(&run.spec.key, &barograph_store::AlertQuery::default()).unwrap().items;
        for known in
            alerts.iter().filter(|known| known.alert.rule.is_some() && known.known_at <= sent[0].message.known_at)
        {
            let about = |s: &&Sent| {
                s.message.notice.instrument.as_ref() == Some(&run.spec.key.instrument)
                    && s.message.notice.rule.as_deref() == known.alert.rule.as_deref()
                    && s.message.notice.opened_at == known.alert.opened_at
            };
            assert!(sent.iter().any(|s| about(&s)), "{}: {known:?}", run.spec.key.instrument);
        }
    }
}

#[test]
fn w15_an_import_says_that_its_alerts_are_stored_and_told_to_nobody() {
    let (place, receiver) = (Place::new(), Receiver::start());
    place.write("barograph.toml", &receiver.table("desk", "json", ""));
    crate::support::data::slice(&place.path("in"), &["BTCUSDT"], "2026-01-28", "2026-02-07");
    let done = place.run("collect --source in --data data").exits(0);
    let said = done.err.lines().find(|line| line.contains("alert record")).unwrap_or_else(|| panic!("{}", done.err));
    let (count, rest) = said.split_once(' ').unwrap();
    assert!(count.replace(',', "").parse::<u64>().is_ok_and(|n| n > 1), "{said}");
    assert_eq!(rest, "alert records stored; alerts of imported history are not delivered");
    assert!(place.ok("events BTCUSDT --json --data data").lines().count() > 0, "and they are");
    assert!(receiver.taken().is_empty(), "{:?}", receiver.taken());
    // Nothing new, no word about alerts.
    let again = place.run("collect --source in --data data").exits(0);
    assert!(!again.err.contains("alert record"), "{}", again.err);
}
