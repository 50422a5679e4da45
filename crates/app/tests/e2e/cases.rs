//! Cases from the command line: filed from a stored alert, written into, closed, exported; and the commands of the guide.

use crate::support::data::slice;
use crate::support::{Outcome, Place, json_lines};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const GUIDE: &str = include_str!("../../../../docs/cases.md");

fn stored() -> Place {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT"], "2026-01-25", "2026-02-07");
    place.ok("replay in --data data");
    place
}

fn alerts(place: &Place) -> Vec<String> {
    let found = json_lines(&place.ok("events --data data --json --limit 200"));
    let mut ids: Vec<String> = found.iter().map(|e| e["alert_id"].as_str().unwrap().to_owned()).collect();
    ids.dedup();
    assert!(ids.len() > 3, "{ids:?}");
    ids
}

/// Two alerts of one pattern.
fn two_of_a_pattern(place: &Place) -> [String; 2] {
    let found = json_lines(&place.ok("events --data data --json --limit 200"));
    let text = |e: &Value, key: &str| e[key].as_str().unwrap().to_owned();
    let all: Vec<(String, String)> = found.iter().map(|e| (text(e, "pattern_type"), text(e, "alert_id"))).collect();
    let pair = all.iter().find_map(|(pattern, first)| {
        let second = all.iter().find(|(other, id)| other == pattern && id != first)?;
        Some([first.clone(), second.1.clone()])
    });
    pair.expect("a pattern that was seen twice")
}

/// A line whose words may be quoted.
fn typed(place: &Place, line: &str) -> Outcome {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(n, part)| -> Vec<String> {
        if n % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
    });
    Outcome::of(line, place.command(words))
}

fn ok(place: &Place, line: &str) -> String {
    typed(place, line).exits(0).out
}

fn case(place: &Place, line: &str) -> Value {
    json_lines(&ok(place, line)).remove(0)
}

#[test]
fn a_case_is_filed_from_an_alert_and_closed() {
    let place = stored();
    let ids = two_of_a_pattern(&place);
    let none = place.ok("cases --data data");
    assert!(none.contains("no cases are filed") && none.contains("cases file EVENT_ID"), "{none}");
    let long = place.ok("events --data data --long --limit 200");
    assert!(ids.iter().any(|id| long.contains(&format!("alert {id}"))), "{long}");

    let file = format!("cases file {} --data data --author ann --json", &ids[0][..13]);
    let filed = case(&place, &format!("{file} --note odd"));
    assert_eq!((&filed["state"], &filed["entries"][0]["note"]), (&"open".into(), &"odd".into()));
    assert_eq!(filed["alerts"][0]["alert_id"], ids[0]);
    assert!(!filed["alerts"][0]["description"].as_str().unwrap().is_empty());
    assert_eq!(case(&place, &file)["entries"].as_array().unwrap().len(), 1, "filed twice is one case");
    let id = filed["case_id"].as_str().unwrap();
    let short = &id[..8];

    let told = place.ok(&format!("cases ack {short} --data data --author bob"));
    assert!(told.contains("acknowledged") && told.contains(&format!("barograph cases show {short}")), "{told}");
    ok(&place, &format!("cases note {short} 'asked the venue' --data data --author bob"));
    let closed = case(&place, &format!("cases close {short} true --data data --author bob --json"));
    assert_eq!((&closed["state"], &closed["disposition"]), (&"closed".into(), &"true".into()));
    let precision = &closed["precision"][0];
    assert_eq!(precision["precision_by_disposition"]["value"], 1.0);
    assert!(precision["precision_by_disposition"]["low"].as_f64() < Some(0.5), "{precision}");
    place.run(&format!("cases ack {short} --data data --author bob")).exits(2).says("the case is closed");

    let shown = place.ok(&format!("cases show {short} --data data"));
    for text in ["closed as true", "asked the venue", "Who acted: unknown", ids[0].as_str()] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(shown.lines().all(|l| l.chars().count() <= 80), "{shown}");
    let list = place.ok("cases --data data --state closed");
    assert!(list.contains(short) && list.contains("precision by disposition: 1.00 (0.21–1.00)"), "{list}");
    assert!(place.ok("cases --data data --state open").contains("no case is open"));
    assert!(place.ok("db check --data data").contains("1 case"));

    // A second case of the same pattern finds the first.
    let second = case(&place, &format!("cases file {} --data data --author ann --json", ids[1]));
    assert_eq!(second["alerts"][0]["pattern_type"], closed["alerts"][0]["pattern_type"]);
    assert_eq!((&second["similar"][0]["case_id"], &second["similar"][1]), (&id.into(), &Value::Null));

    // With what followed, as the alert itself has it; on the terminal and on paper too.
    let event = json_lines(&place.ok(&format!("events --id {} --data data --json", ids[0]))).remove(0);
    let outcome = &second["similar"][0]["outcome"];
    assert_eq!(outcome, &event["evidence"]["outcome"]);
    assert!(outcome["spans"][2]["max_move"].is_f64(), "{outcome}");
    let short = &second["case_id"].as_str().unwrap()[..8];
    let shown = place.ok(&format!("cases show {short} --data data"));
    let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("farthest price after 5 min ") && flat.contains("; liquidated in 1 h: "), "{shown}");
    assert!(shown.lines().all(|l| l.chars().count() <= 80), "{shown}");
    place.ok(&format!("cases export {short} --data data --format html --out case.html"));
    let page = std::fs::read_to_string(place.path("case.html")).unwrap();
    assert!(page.contains("Liquidated in 1 h") && page.contains("need not have come of it"), "{page}");
}

#[test]
fn what_cannot_be_filed_or_written_says_what_to_do() {
    let place = stored();
    let id = alerts(&place).remove(0);
    for (line, words) in [
        ("cases file 00000000-0000-0000-0000-000000000000 --author a", "barograph events --long"),
        ("cases file abc --author a", "'abc' is too short for the id of an alert"),
        ("cases show 00000000", "barograph cases"),
        ("cases --state lost", "open, acknowledged, closed"),
        (&format!("cases file {id} --author ' '"), "1 to 100 visible characters"),
    ] {
        typed(&place, &format!("{line} --data data")).exits(2).says(words);
    }
    let filed = case(&place, &format!("cases file {id} --data data --author ann --json"));
    let id = filed["case_id"].as_str().unwrap();
    place.run(&format!("cases close {id} maybe --data data --author a")).exits(2).says("true, false, unclear");
    typed(&place, &format!("cases note {id} ' ' --data data --author a")).exits(2).says("a note needs words");
    place.run(&format!("cases export {id} --format pdf --data data")).exits(2).says("json, html");
}

#[test]
fn an_export_can_be_checked_and_names_nobody() {
    let place = stored();
    let ids = alerts(&place);
    let line = format!("cases file {} {} --data data --author ann --note '<b>x</b>' --json", ids[0], ids[1]);
    let filed = case(&place, &line);
    assert_eq!(filed["alert_count"], 2);
    let id = filed["case_id"].as_str().unwrap();
    place.ok(&format!("cases export {id} --data data --out case.json"));
    let json: Value = serde_json::from_slice(&std::fs::read(place.path("case.json")).unwrap()).unwrap();
    assert_eq!((&json["format"], &json["case"]["case_id"]), (&"barograph-case".into(), &id.into()));
    let attached = json["attachments"].as_array().unwrap();
    assert!(attached.len() >= 2);
    for one in attached {
        let digest = Sha256::digest(one["content"].as_str().unwrap().as_bytes());
        let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(one["sha256"], hex.as_str(), "{}", one["name"]);
    }
    place.ok(&format!("cases export {id} --data data --format html --out case.html"));
    let page = std::fs::read_to_string(place.path("case.html")).unwrap();
    for section in
        ["1. Who", "2. Instrument", "3. Venue", "4. Times", "5. Orders and trades", "6. Description", "7. Reasons"]
    {
        assert!(page.contains(section), "{section}");
    }
    assert!(page.contains("Unknown. Public market data name no accounts"));
    assert!(page.contains("&lt;b&gt;x&lt;/b&gt;") && !page.contains("<b>x</b>") && !page.contains("<script"));
    assert!(!page.contains("http://") && !page.contains("https://"), "it needs nothing from elsewhere");
    // Nothing of books is stored of files of bars: the answer says so.
    let replay = place.ok(&format!("cases replay {id} --data data"));
    let flat = replay.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("no books and no trades of that time are recorded"), "{replay}");
    assert!(place.ok(&format!("cases record {id} --data data")).contains("0 recordings added"));
}

/// As typed, with the ids that the first of them print.
#[test]
fn the_commands_of_the_guide_run() {
    let place = stored();
    let event = alerts(&place).remove(0);
    let commands: Vec<&str> = GUIDE.lines().filter_map(|l| l.strip_prefix("barograph ")).collect();
    assert!(commands.len() > 10, "{commands:?}");
    let mut id = String::new();
    for command in commands {
        let line = command.replace("EVENT_ID", &event).replace("CASE_ID", &id).replace('"', "'");
        let out = ok(&place, &format!("{line} --data data"));
        if command.starts_with("cases file") {
            let at = out.find("case ").unwrap() + "case ".len();
            id = out[at..].chars().take(36).collect();
        }
    }
    assert!(std::fs::read_to_string(place.path("case.html")).unwrap().contains("closed it as true"));
}
