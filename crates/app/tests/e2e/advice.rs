//! Advice on a trade in mind, and positions that are watched: the same on the command line and over HTTP, over stored data
//! and live.

use crate::support::data::{slice, stored};
use crate::support::http::Server;
use crate::support::sim::Sim;
use crate::support::{Place, json_lines};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const MOMENT: &str = "2026-02-05T18:30:00Z";

/// Words no answer may hold, and sides only where one was given.
fn no_instruction(answer: &Value, at: &str) {
    match answer {
        Value::String(text) if at.ends_with("/side") => assert!(["long", "short"].contains(&text.as_str()), "{at}"),
        Value::String(text) => {
            for word in text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_lowercase) {
                let forbidden =
                    ["buy", "sell", "order", "guarantee", "guaranteed", "will", "profit", "profits", "long", "short"];
                assert!(!forbidden.contains(&word.as_str()), "{at}: '{word}' in {text}");
            }
        }
        Value::Array(items) => items.iter().for_each(|i| no_instruction(i, at)),
        Value::Object(fields) => fields.iter().for_each(|(name, v)| no_instruction(v, &format!("{at}/{name}"))),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn a_trade_on_a_recording_is_not_judged_by_its_end_unless_that_is_asked_for() {
    let stored = stored();
    let line = "advise BTCUSDT --side long --entry 70000 --data data";
    let said = stored.place.run(line).exits(1);
    let told = said.out.lines().find(|line| line.starts_with("Recorded until ")).expect(&said.out);
    assert!(told.contains(" 2026: nothing is known of now"), "{told}");
    let (_, again) = told.split_once("By its last reading: ").expect(told);
    let by_last = stored.place.run(&format!("{line} {again}"));
    assert!(!by_last.out.contains("Recorded until") && !by_last.out.contains("stale"), "{}", by_last.out);
}

#[test]
fn advice_as_of_a_moment_is_one_answer() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    let price = server.json(&format!("/api/v1/markets/binance-usdm:BTCUSDT/context?as_of={MOMENT}"))["price"]
        .as_f64()
        .unwrap()
        .round();
    for (side, stop) in [("long", price - 900.0), ("short", price + 900.0)] {
        let body = json!({
            "symbol": "BTCUSDT", "side": side, "entry": price, "stop": stop, "equity": 10_000.0, "size": 0.5,
            "strategy": "swing", "lot": 0.001, "taker_fee": 0.0004,
            "trades": {"wins": 110, "n": 200, "average_win": 1.5, "average_loss": 1.0},
        });
        let reply = server.send("POST", &format!("/api/v1/advice?as_of={MOMENT}"), &body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let over_http = reply.json();
        let line = format!(
            "advise BTCUSDT --side {side} --entry {price} --stop {stop} --equity 10000 --size 0.5 --strategy swing --lot 0.001 \
             --taker-fee 0.0004 --trades 200 --wins 110 --average-win 1.5 --average-loss 1 --data data --as-of {MOMENT}"
        );
        let avoid = over_http["verdict"] == "AVOID";
        let said = stored.place.run(&format!("{line} --json")).exits(i32::from(avoid));
        assert_eq!(json_lines(&said.out), std::slice::from_ref(&over_http), "{side}");
        no_instruction(&over_http, "");
        assert_eq!((&over_http["side"], &over_http["entry"]), (&json!(side), &json!(price)));
        assert_eq!(over_http["snapshot"]["timestamp"], "2026-02-05T18:29:00Z");
        let market = over_http["market"]["price"].as_f64().unwrap();
        assert!((market - price).abs() <= 0.5, "{market}");
        // The market's health was judged, and not found low.
        let judged_not = over_http["not_evaluated"].as_array().unwrap();
        assert!(!judged_not.contains(&json!("low_health")), "{judged_not:?}");
        assert!(!over_http["reasons"].to_string().contains("low_health"), "{over_http}");
        let stop = &over_http["stop"];
        let of = |name: &str| stop[name].as_f64().unwrap_or_else(|| panic!("{name}: {stop}"));
        assert!((of("r_atr") - of("r") / of("atr")).abs() < 1e-12, "{stop}");
        assert!((of("r") - (price - of("used")).abs()).abs() < 1e-9, "{stop}");
        // The evening of the crash.
        assert_eq!(over_http["snapshot"]["risk"], "HIGH_VOL", "{over_http}");
        let codes: Vec<&str> =
            over_http["reasons"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap()).collect();
        assert!(codes.contains(&"high_volatility"), "{codes:?}");
        let loss = over_http["size"]["loss_at_stop"].as_f64().unwrap();
        assert!(loss > 0.0 && loss <= 100.0, "{over_http}");
        let wait = over_http["options"].as_array().unwrap().iter().find(|o| o["option"] == "wait").unwrap();
        assert!(wait["episodes"].as_u64() > Some(0) && wait["median_s"].as_u64() > Some(0), "{wait}");
        let own = over_http["options"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&own["option"], &own["size"], &own["above_one_percent"]),
            (&json!("proceed_unchanged"), &json!(0.5), &json!(true))
        );
        // People read the same.
        let text = stored.place.run(&line).exits(i32::from(avoid)).out;
        for words in [
            " verdict     ",
            over_http["verdict"].as_str().unwrap(),
            " because     ",
            " stop        ",
            " size        ",
            "As planned",
        ] {
            assert!(text.contains(words), "'{words}' is not in\n{text}");
        }
        assert!(text.lines().all(|l| l.chars().count() <= 100), "{text}");
    }
}

#[test]
fn what_cannot_be_answered_says_why() {
    let place = &stored().place;
    let advise = "advise --data data BTCUSDT --entry 65000";
    for (more, said) in [
        ("--side up", "side is 'up': it must be long or short"),
        ("--side long --stop 66000", "stop is 66000: it must be below the entry of a long"),
        ("--side short --stop 64000", "stop is 64000: it must be above the entry of a short"),
        ("--side long --equity -5", "equity is -5: it must be a number above zero"),
        ("--side long --user-cap 2", "user_cap is 2"),
        ("", "--side"),
        ("--side long --wins 5", "--trades"),
    ] {
        place.run(&format!("{advise} {more}")).exits(2).says(said);
    }
    // An entry far from the market is asked about, and its price is printed.
    let far = "advise --data data BTCUSDT --side long --entry 6500 --as-of 2026-02-05T18:30:00Z";
    place
        .run(far)
        .exits(2)
        .says("entry 6500 is 90 % below the market price of ")
        .says("if it is meant, ask with confirm: --confirm");
    let meant = place.run(&format!("{far} --confirm"));
    assert!(
        meant.out.contains("\n market      6") && meant.out.contains(" as of 2026-02-05 18:29Z ("),
        "{}",
        meant.out
    );
    place.run("advise --data data BTCUSDX --side long --entry 1").exits(2).says("did you mean");
    place
        .run_with(&format!("{advise} --side long"), &[("BAROGRAPH_STOP_MODE", "far")])
        .exits(2)
        .says("base or beyond_cluster");
    // Nothing was known of the market then: no failure, but AVOID with the legacy parameters.
    let none = place.run(&format!("{advise} --side long --atr 400 --as-of 2020-01-01 --json")).exits(1);
    let answer = &json_lines(&none.out)[0];
    assert_eq!((&answer["error"], &answer["decided_by"]), (&json!("no_snapshot"), &json!("no_data")));
    assert_eq!((&answer["stop"]["used"], &answer["target"]["price"]), (&json!(64_400.0), &json!(66_200.0)));
    assert_eq!(answer["target"]["effective_rr"], 2.0);
}

#[test]
fn positions_are_registered_listed_and_taken_out() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT"], "2026-02-04", "2026-02-06");
    place.ok("collect --source in --data data");
    let before = place.hash("data");
    place.run("positions ls --data data").exits(0).prints("no positions are registered");
    let added = place.ok("positions add BTCUSDT --side long --entry 70000 --stop 60000 --strategy swing --data data");
    assert!(added.starts_with("registered "), "{added}");
    let listed = json_lines(&place.ok("positions ls --data data --json"));
    let card = &listed[0];
    assert_eq!(card["position"]["instrument"], "binance-usdm:BTCUSDT");
    // Recorded history is old: there is nothing to judge a position by now.
    assert_eq!((&card["flag"], &card["context"]["stale"]), (&json!("grey"), &json!(true)), "{card}");
    assert_eq!(card["card"], "Market context: CONSERVATIVE (high caution)");
    let id = card["position"]["id"].as_str().unwrap().to_owned();
    // The price is of the last minute of the history, and says so.
    assert!(card["context"]["price_at"].as_str().unwrap().starts_with("2026-02-0"), "{card}");
    let shown = place.ok("positions ls --data data");
    let priced = shown.lines().find(|l| l.starts_with(" price ")).unwrap();
    assert!(priced.contains(" as of 2026-02-0") && priced.ends_with(" ago)"), "{shown}");

    let server = Server::start(&place, "data");
    let over_http = server.json(&format!("/api/v1/positions/{id}"));
    assert_eq!(over_http["position"], card["position"]);
    no_instruction(&over_http, "");
    let new = json!({"symbol": "binance-usdm:BTCUSDT", "side": "short", "entry": 65000, "id": "mine"});
    assert_eq!(server.send("POST", "/api/v1/positions", &new).status, 201);
    assert_eq!(
        json_lines(&place.ok("positions ls --data data --json")).len(),
        2,
        "what HTTP registers the command line sees"
    );
    assert_eq!(server.send("DELETE", "/api/v1/positions/mine", &Value::Null).status, 204);
    assert_eq!(server.json("/api/v1/positions")["items"].as_array().unwrap().len(), 1);
    let wrong = json!({"symbol": "BTCUSDT", "side": "short", "entry": 0});
    assert_eq!(server.send("POST", "/api/v1/positions", &wrong).problem(), "bad-field");

    place.run(&format!("positions rm {} --data data", &id[..8])).exits(0).prints("is watched no more");
    place.run(&format!("positions rm {id} --data data")).exits(2).says("no position");
    place
        .run("positions add BTCUSDT --side long --entry 1 --opened-at 2099-01-01 --data data")
        .exits(2)
        .says("lies ahead");
    assert_eq!(place.hash("data"), before, "positions are no part of the content");
}

/// The cards, once there are so many.
fn watched(server: &Server, count: usize) -> Vec<Value> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let cards = server.json("/api/v1/positions")["items"].as_array().unwrap().clone();
        if cards.len() == count {
            return cards;
        }
        assert!(Instant::now() < until, "{} instead of {count}", cards.len());
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_live_process_watches_the_positions_of_its_file() {
    let place = Place::new();
    let sim = Sim::start(&place);
    place.write("barograph.toml", "symbols = [\"BTCUSDT\"]\npositions_file = \"held.toml\"\n");
    let entry =
        |side: &str, entry: f64| format!("[[position]]\nsymbol = \"BTCUSDT\"\nside = \"{side}\"\nentry = {entry:?}\n");
    place.write("held.toml", &entry("long", 80_000.0));
    let line = format!("up --backfill 0 --books off --listen 127.0.0.1:0 --data data --endpoint {}", sim.endpoint);
    let mut server = Server::of(place.start(&line));
    let cards = watched(&server, 1);
    let id = cards[0]["position"]["id"].as_str().unwrap();
    std::thread::sleep(Duration::from_millis(1_200));
    place.write("held.toml", &format!("{}{}", entry("long", 80_000.0), entry("short", 85_000.0)));
    watched(&server, 2);
    let refused = server.send("DELETE", &format!("/api/v1/positions/{id}"), &Value::Null);
    assert_eq!((refused.status, refused.problem().as_str()), (409, "conflict"));
    // A minute comes, and positions are checked against its snapshot.
    let until = Instant::now() + Duration::from_secs(90);
    loop {
        let card = server.json(&format!("/api/v1/positions/{id}"));
        no_instruction(&card, "");
        if card["context"]["snapshot_id"].as_str().is_some_and(|s| !s.is_empty()) {
            break;
        }
        assert!(Instant::now() < until, "{card}");
        std::thread::sleep(Duration::from_secs(1));
    }
    let body = json!({"symbol": "BTCUSDT", "side": "long", "entry": 50_000, "atr": 400, "confirm": true});
    let advice = server.send("POST", "/api/v1/advice", &body).json();
    assert!(advice["snapshot"]["snapshot_id"].is_string(), "{advice}");
    let notices = server.json(&format!("/api/v1/notices?position={id}"))["items"].clone();
    assert_eq!(notices.as_array().unwrap().len(), 1, "once per episode: {notices}");
    assert_eq!(notices[0]["trigger"], "context_unavailable");
    place.write("held.toml", &entry("short", 85_000.0));
    watched(&server, 1);
    // An edit that is refused leaves what was watched before.
    place.write("held.toml", &format!("{}stop = 84000.0\n", entry("short", 85_000.0)));
    server.process.err.wait_for("is registered with confirm = true; still watched without a stop");
    watched(&server, 1);
    server.process.signal("TERM");
    assert_eq!(server.process.wait(Duration::from_secs(30)), Some(0), "{}", server.process.err.text());
    // Before the first minute there was no context, which is reported as well.
    let said = server.process.err.text();
    for words in
        ["1 of 1 position of held.toml is watched", "2 of 2 positions of held.toml are", "Market context unavailable"]
    {
        assert!(said.contains(words), "'{words}' is not in\n{said}");
    }
    let told = place.ok("positions notices --data data");
    assert!(told.contains("context unavailable"), "{told}");
}

#[test]
fn positions_are_checked_as_advice_is_and_a_reached_stop_is_said() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT"], "2026-02-04", "2026-02-06");
    place.ok("collect --source in --data data");
    let add = "positions add BTCUSDT --data data --opened-at 2026-02-05T23:00:00Z";
    for (more, said) in [
        (
            "--side long --entry 63000 --stop 64000",
            "stop 64000 is above the entry 63000 of a long: it must be below it",
        ),
        (
            "--side short --entry 63000 --stop 62000",
            "stop 62000 is below the entry 63000 of a short: it must be above it",
        ),
        ("--side long --entry 630 --stop 620", "entry 630 is 99 % below the market price of"),
        ("--side long --entry 630000", "times the market price of"),
    ] {
        let refused = place.run(&format!("{add} {more}"));
        refused.exits(2).says(said).says("confirm");
    }
    let server = Server::start(&place, "data");
    let far = json!({"symbol": "BTCUSDT", "side": "long", "entry": 220, "stop": 230});
    let reply = server.send("POST", "/api/v1/positions", &far);
    assert_eq!((reply.status, reply.problem().as_str()), (400, "bad-field"), "{}", reply.text());
    place.ok(&format!("{add} --side long --entry 63000 --stop 64000 --confirm --id trailed"));
    place.run("positions rm trailed --data data").exits(0);
    // A long whose stop lies above the last price of the history.
    place.ok(&format!("{add} --side long --entry 70000 --stop 69000 --id through"));
    let card = &json_lines(&place.ok("positions ls --data data --json"))[0];
    assert_eq!(card["stop_state"]["state"], "reached", "{card}");
    assert!(card["stop_state"]["distance"].as_f64().unwrap() < 0.0);
    let held = card["guidance"]["open_positions"].as_str().unwrap();
    assert!(held.contains("stop reached") && !held.contains("no action"), "{held}");
    let shown = place.ok("positions ls --data data");
    assert!(shown.contains("stop 69,000 reached: price ") && shown.contains("beyond it"), "{shown}");
    assert!(!shown.contains("no action needed"), "{shown}");
    no_instruction(card, "");
    // The same stop leads the headline wherever positions are known.
    drop(server);
    let server = Server::start(&place, "data");
    // Behind "Recorded until …" it begins in lower case.
    let stop = "top 69,000 of your long reached: price ";
    let printed = json_lines(&place.ok("context BTCUSDT --data data --json")).remove(0);
    for snapshot in [server.json("/api/v1/markets/binance-usdm:BTCUSDT/context"), printed] {
        assert!(snapshot["headline"].as_str().unwrap().contains(stop), "{snapshot}");
        let held = snapshot["guidance"]["open_positions"].as_str().unwrap();
        assert!(held.starts_with("stop reached: act on your plan"), "{held}");
    }
    let row = &server.json("/api/v1/board")["rows"][0];
    assert!(row["headline"].as_str().unwrap().contains(stop), "{row}");
}

#[test]
fn the_list_reads_the_positions_file_and_names_bad_entries() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT"], "2026-02-04", "2026-02-06");
    place.ok("collect --source in --data data");
    place.write("barograph.toml", "positions_file = \"held.toml\"\n");
    let opened = "opened_at = \"2026-02-05T23:00:00Z\"\n";
    let of = |id: &str, entry: f64, stop: f64| {
        format!(
            "[[position]]\nsymbol = \"BTCUSDT\"\nside = \"long\"\nid = \"{id}\"\nentry = {entry:?}\nstop = {stop:?}\n{opened}"
        )
    };
    place.write(
        "held.toml",
        &[of("good", 63_000.0, 60_000.0), of("bad", 63_000.0, 64_000.0), of("far", 2.0, 1.0)].concat(),
    );
    let listed = place.run("positions ls --data data");
    listed
        .exits(0)
        .prints("long from 63,000, stop 60,000")
        .prints("1 of positions_file not watched yet")
        .says("held.toml: position 2 (BTCUSDT) is not taken up: stop 64000 is above the entry 63000")
        .says("position 3 (BTCUSDT) is not taken up: entry 2 is 100 % below the market price");
}
