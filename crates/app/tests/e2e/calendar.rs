//! The calendar: over files known as of what it says, live from when it was read, and in every case never before; what lies
//! around a trade enters its advice.

use crate::support::data::{Mood, market, now, slice};
use crate::support::http::Server;
use crate::support::sim::Sim;
use crate::support::{Place, json_lines};
use barograph_domain::Span;
use serde_json::{Value, json};
use std::time::Duration;

/// 14:00 in New York is 19:00 UTC in winter.
const CALENDAR: &str = "name,at,zone,impact,known\n\
    FOMC,2026-02-05 14:00,America/New_York,high,2026-02-01T00:00:00Z\n\
    Retail Sales,2026-02-05 13:30,UTC,medium,2026-02-01T00:00:00Z\n\
    Nothing,2026-02-05,,high,\n";

fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|r| r["code"].as_str().or(r.as_str()).unwrap()).collect()
}

/// The hash over all content.
fn hash(place: &Place) -> String {
    place.ok("db check --hash --data data").lines().last().unwrap().to_owned()
}

fn imported() -> Place {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], "2026-01-29", "2026-02-07");
    place.write("events.csv", CALENDAR);
    place.write("barograph.toml", "calendar = \"events.csv\"\n");
    let said = place.run("collect --source in --data data");
    assert!(said.err.contains("calendar entry 3: 'Nothing' on 2026-02-05 has no time of day"), "{}", said.err);
    place
}

#[test]
fn two_hours_before_an_event_new_entries_wait_and_nobody_knew_before_it_was_known() {
    let place = imported();
    let server = Server::start(&place, "data");
    let calendar = |as_of: &str| server.json(&format!("/api/v1/calendar?as_of={as_of}"));
    let near = calendar("2026-02-05T17:30:00Z");
    assert_eq!((&near["minutes_to_event"], &near["blackout"]), (&json!(90.0), &json!("pre_news_blackout")));
    assert_eq!(near["next_high"]["id"], "fomc-2026-02-05");
    let before = calendar("2026-01-31T23:59:59Z");
    assert_eq!((&before["available"], &before["coming"]), (&json!(false), &json!([])));
    assert_eq!(
        (&before["minutes_to_event"], &before["minutes_to_event_reason"]),
        (&json!(null), &json!("not_offered"))
    );
    assert_eq!(calendar("2026-02-05T19:00:01Z")["minutes_to_event_reason"], "missing_input");
    assert!(near.get("minutes_to_event_reason").is_none(), "{near}");
    assert_eq!(calendar("2026-02-01")["coming"].as_array().unwrap().len(), 2);
    let text = place.ok("calendar --as-of 2026-02-05T17:30:00Z --data data");
    assert!(text.starts_with("FOMC in 90 min: new entries wait (pre_news_blackout)"), "{text}");
    let shown = |at: &str| place.ok(&format!("context BTCUSDT --as-of 2026-02-05T{at}Z --data data"));
    assert!(shown("17:30:00").contains("\n news        blackout: FOMC in 90 min (pre_news_blackout)\n"));
    assert!(!shown("16:30:00").contains(" news "), "{}", shown("16:30:00"));
    // The snapshot of each minute says it, from the minute on that is two hours away.
    for (at, bad) in [("16:59:30", false), ("17:00:30", true), ("18:59:30", true), ("19:01:30", false)] {
        let shown = server.json(&format!("/api/v1/markets/BTCUSDT/context?as_of=2026-02-05T{at}Z"));
        let listed = words(&shown["session"]["bad_period"]).contains(&"pre_news_blackout");
        let other = words(&shown["session"]["bad_period"]).iter().any(|w| *w != "pre_news_blackout");
        assert!(listed == bad || other && !listed, "{at}: {}", shown["session"]);
    }
    // Advice: AVOID, or a warning where that is set; before it was known the condition could not be judged.
    let ask = |as_of: &str| {
        let body = json!({"symbol": "BTCUSDT", "side": "long", "entry": 70_000.0});
        server.send("POST", &format!("/api/v1/advice?as_of={as_of}"), &body).json()
    };
    let advice = ask("2026-02-05T17:30:00Z");
    assert_eq!((&advice["verdict"], &advice["decided_by"]), (&json!("AVOID"), &json!("pre_news_blackout")));
    let reason = &advice["reasons"][0]["text"];
    assert!(reason.as_str().unwrap().starts_with("FOMC in 90 min"), "{reason}");
    assert!(advice["warnings"].as_array().unwrap().iter().any(|w| w["reason"] == "pre_news_blackout"), "{advice}");
    assert!(!words(&ask("2026-02-05T12:00:00Z")["reasons"]).contains(&"pre_news_blackout"));
    assert!(words(&ask("2026-01-31T12:00:00Z")["not_evaluated"]).contains(&"pre_news_blackout"));
    place.write("barograph.toml", "calendar = \"events.csv\"\nnews_blackout = \"warn\"\n");
    let line = "advise BTCUSDT --side long --entry 70000 --as-of 2026-02-05T17:30:00Z --json --data data";
    let warned = json_lines(&place.run(line).out);
    let own = warned[0]["reasons"].as_array().unwrap().iter().find(|r| r["code"] == "pre_news_blackout").unwrap();
    assert_eq!(own["verdict"], "CAUTION");
}

#[test]
fn the_shipped_calendar_is_read_without_a_file_and_knows_of_a_move_when_that_was_announced() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT"], "2026-02-03", "2026-02-06");
    place.write("barograph.toml", "calendar = \"shipped\"\n");
    place.ok("collect --source in --data data");
    let next = |as_of: &str| place.ok(&format!("calendar --as-of {as_of} --data data"));
    for (as_of, first, second) in [
        ("2026-02-04T13:30:00Z", "US nonfarm payrolls (January) in 2 d", "2026-02-06 13:30"),
        ("2026-02-05T13:30:00Z", "US nonfarm payrolls (January) in 6 d", "2026-02-11 13:30"),
        ("2026-02-11T12:30:00Z", "US nonfarm payrolls (January) in 60 min: new entries wait", "2026-02-11 13:30"),
        ("2026-03-18T00:00:00Z", "FOMC decision in 18 h", "2026-03-18 18:00"),
    ] {
        let text = next(as_of);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with(first) && lines[1].contains(second), "{as_of}: {text}");
    }
    assert!(next("2026-03-18T00:00:00Z").contains("US nonfarm payrolls (March)  (BLS)"));
}

#[test]
fn an_event_that_is_added_later_changes_the_minutes_from_when_it_says_it_was_known() {
    let whole = imported();
    let want = hash(&whole);
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], "2026-01-29", "2026-02-07");
    place.ok("collect --source in --data data");
    assert_ne!(hash(&place), want);
    place.write("events.csv", CALENDAR);
    place.write("barograph.toml", "calendar = \"events.csv\"\n");
    place.ok("collect --source in --data data");
    assert_eq!(hash(&place), want);
    place.write("barograph.toml", "calendar = \"nowhere.csv\"\n");
    let missing = place.run("collect --source in --data data");
    assert!(missing.code == Some(2) && missing.err.contains("calendar: cannot read nowhere.csv"), "{}", missing.err);
}

#[test]
fn a_position_that_moves_as_one_with_the_trade_is_a_reason() {
    let place = imported();
    let line = "advise BTCUSDT --side long --entry 70000 --json --data data";
    let alone = &json_lines(&place.run(line).out)[0];
    assert!(!words(&alone["reasons"]).contains(&"exposure_overlap"), "{alone}");
    assert!(!words(&alone["not_evaluated"]).contains(&"exposure_overlap"), "{alone}");
    place.ok("positions add ETHUSDT --side long --entry 2000 --size 1 --confirm --data data");
    // What the markets did months ago says nothing of how they move now.
    let old = &json_lines(&place.run(line).out)[0];
    assert!(words(&old["not_evaluated"]).contains(&"exposure_overlap"), "{old}");
    let place = Place::new();
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        market(&place.path("in"), symbol, Mood::Calm, (now() - Span::hours(30), now() - Span::secs(10)));
    }
    place.ok("collect --source in --data data");
    place.ok("positions add ETHUSDT --side long --entry 2000 --size 1 --confirm --data data");
    let hour = &json_lines(&place.ok("universe --json --data data"))[0];
    let corr = hour["pairs"][0]["reading"]["corr_20"]["value"].as_f64().unwrap();
    assert!(corr > 0.9, "both move as one: {corr}");
    let held = &json_lines(&place.run(line).out)[0];
    let reason = held["reasons"].as_array().unwrap().iter().find(|r| r["code"] == "exposure_overlap").unwrap();
    assert!(reason["text"].as_str().unwrap().contains(&format!("ETHUSDT ({corr:.2})")), "{reason}");
    assert!(held["options"].as_array().unwrap().iter().any(|o| o["option"] == "smaller_size"), "{held}");
    // With one market nothing is compared, and nothing can be said.
    place.write("barograph.toml", "watch = \"off\"\n");
    place.ok("collect --source in --data data");
    let off = &json_lines(&place.run(line).out)[0];
    assert!(words(&off["not_evaluated"]).contains(&"exposure_overlap"), "{off}");
}

#[test]
fn a_live_process_reads_the_calendar_and_its_journal_says_the_same_again() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let at = now() + Span::mins(90);
    place
        .write("events.json", &format!("[{{\"name\": \"CPI\", \"at\": \"{}\", \"known\": \"2020-01-01\"}}]", at.iso()));
    place.write("barograph.toml", "calendar = \"events.json\"\n");
    let line = format!("up --symbols BTCUSDT,ETHUSDT --backfill 0 --no-serve --data data --endpoint {}", sim.endpoint);
    let begun = now();
    let mut up = place.start(&line);
    up.err.wait_for("listening to 2 of 3 markets");
    std::thread::sleep(Duration::from_secs(65));
    up.signal("KILL");
    up.wait(Duration::from_secs(10));
    let mut again = place.start(&line);
    again.err.wait_for("going on from");
    std::thread::sleep(Duration::from_secs(3));
    again.signal("TERM");
    assert_eq!(again.wait(Duration::from_secs(30)), Some(0), "{}", again.err.text());
    let calendar = &json_lines(&place.ok("calendar --json --data data"))[0];
    let entry = &calendar["next_high"];
    let known = barograph_domain::Ts::parse(entry["known_ts"].as_str().unwrap()).unwrap();
    assert!(known > begun, "it was not known before it was read: {entry}");
    let context = &json_lines(&place.ok("context BTCUSDT --json --data data"))[0];
    // Where the market itself gives a reason, that one is named.
    assert!(!words(&context["session"]["bad_period"]).is_empty(), "{}", context["session"]);
    let said = place.ok("verify determinism data");
    assert!(said.starts_with("equal: ") && !said.starts_with("equal: 0 "), "{said}");
    assert!(place.ok("db check --data data").contains("1 calendar entry\n"), "{}", place.ok("db check --data data"));
}
