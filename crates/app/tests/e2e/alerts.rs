//! From an alert to its receivers, with the real binary: storms, kills, samples, silences.

use crate::support::Place;
use crate::support::http::{Server, address};
use crate::support::receiver::{Receiver, Taken};
use crate::support::sim::Sim;
use barograph_domain::delivery::{
    Delivery, DeliveryState, Figure, Message, MessageKind, Notice, Phase, fingerprint, message_id,
};
use barograph_domain::{InstrumentName, Pattern, Severity, Span, Ts};
use barograph_store::{DeliveryQuery, Outgoing, Target, open_outbox, open_reader};
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
    let target = Target::Folder(place.path("data"));
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
    let target = Target::Folder(place.path("data"));
    let one = outgoing(1, now(), &["desk"]);
    open_outbox(&target).unwrap().enqueue(core::slice::from_ref(&one), &[]).unwrap();
    receiver.answer(410);
    place.ok("alerts deliver --data data");
    assert_eq!(receiver.taken().len(), 1, "what is gone is not asked again");
    let dead = place.ok("alerts dead --data data --json");
    let dead: serde_json::Value = serde_json::from_str(dead.lines().next().unwrap()).unwrap();
    assert_eq!((&dead["state"], &dead["endpoint"]), (&"dead".into(), &"desk".into()));
    receiver.answer(200);
    place.ok(&format!("alerts replay {} --data data", one.message.id));
    let said = place.ok("alerts deliver --data data --for 5s");
    let shown = place.ok(&format!("alerts show {} --data data", one.message.id));
    assert!(said.contains("1 delivered") || shown.contains("disabled"), "{said}\n{shown}");
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
