//! Archives that are imported again with other numbers, taken back, or begin late: whole files win, from the import on; what was
//! answered before stays.

use crate::support::data::{Mood, market, slice};
use crate::support::http::Server;
use crate::support::{Place, json_lines};
use barograph_domain::{Span, Ts};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

const FROM: &str = "2026-01-25";
const UNTIL: &str = "2026-02-07";
const MOMENT: &str = "2026-02-05T14:35:00Z";

/// Multiplies the prices of a slice's candles from a day on.
fn scale(folder: &Path, factor: f64, since: &str) {
    let path = folder.join("binance-usdm/BTCUSDT/candles_1h.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let prices: Vec<bool> = header.split(',').map(|c| ["open", "high", "low", "close"].contains(&c)).collect();
    let mut out = format!("{header}\n");
    for row in rows.lines() {
        let late = row >= since;
        let cells = row.split(',').zip(&prices).map(|(cell, price)| match cell.parse::<f64>() {
            Ok(v) if *price && late => format!("{}", v * factor),
            _ => cell.to_owned(),
        });
        writeln!(out, "{}", cells.collect::<Vec<_>>().join(",")).unwrap();
    }
    std::fs::write(path, out).unwrap();
}

/// Two archives of the same days: as recorded, and 3 % higher.
fn archives() -> Place {
    let place = Place::new();
    for name in ["a", "b"] {
        slice(&place.path(name), &["BTCUSDT"], FROM, UNTIL);
    }
    scale(&place.path("b"), 1.03, FROM);
    place
}

/// The hash over the rows that count now.
fn rows(place: &Place, data: &str) -> Value {
    let report = json_lines(&place.ok(&format!("db check --hash --json --data {data}"))).remove(0);
    assert_eq!(report["sound"], true, "{report}");
    let sections = report["sections"].as_array().unwrap();
    sections.iter().find(|s| s["section"] == "rows").unwrap().clone()
}

fn context(place: &Place, data: &str) -> String {
    place.ok(&format!("context BTCUSDT --data {data} --as-of {MOMENT} --json"))
}

#[test]
fn h1_a_corrected_archive_counts_whole_and_answers_before_it_stay() {
    let place = archives();
    for name in ["a", "b"] {
        place.ok(&format!("collect --source {name} --data only-{name}"));
    }
    let (a, b) = (rows(&place, "only-a"), rows(&place, "only-b"));
    assert_ne!(a, b);
    let before = context(&place, "only-a");

    place.ok("collect --source a --data data");
    let done = place.run("collect --source b --data data").exits(0);
    assert!(done.err.contains("rows contradict stored ones (largest change +3.0 %)"), "{}", done.err);
    assert_eq!(rows(&place, "data"), b, "all of the second, nothing of the first");
    assert_eq!(context(&place, "data"), before, "a moment before the import is answered as it was");

    let done = place.run("collect --source a --data data").exits(0);
    assert!(done.err.contains("contradict stored ones"), "{}", done.err);
    assert_eq!(rows(&place, "data"), a, "the right file again heals");
    let done = place.run("collect --source a --data data").exits(0);
    assert!(!done.err.contains("contradict"), "{}", done.err);
    assert_eq!(context(&place, "data"), before);
}

/// Nobody could know the corrected minute before the correction: it says since when it is known, and a read of that moment says the
/// same.
#[test]
fn h1_a_corrected_minute_is_known_since_the_import_that_corrected_it() {
    let place = archives();
    place.ok("collect --source a --data data");
    let page = |server: &Server, more: &str| {
        let path = "/api/v1/markets/binance-usdm:BTCUSDT/context/history";
        let page = server.json(&format!("{path}?start={MOMENT}&limit=3{more}"));
        page["items"].as_array().unwrap().clone()
    };
    let since = |item: &Value| Ts::parse(item["known_ts"].as_str().unwrap()).unwrap();
    let server = Server::start(&place, "data");
    let first = page(&server, "");
    assert_eq!(first[0]["known_ts"], "2026-02-05T14:35:00.200Z", "{}", first[0]);
    drop(server);

    let imported = Ts(i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos()).unwrap());
    place.ok("collect --source b --data data");
    let server = Server::start(&place, "data");
    let now = page(&server, "");
    for (was, is) in first.iter().zip(&now) {
        assert_ne!(was["price"], is["price"]);
        assert!(since(is) >= imported, "{}", is["known_ts"]);
        assert_eq!(since(is), since(&now[0]), "one import, one moment");
    }
    let moment = since(&now[0]);
    assert_eq!(page(&server, &format!("&as_of={moment}")), now, "a read of that moment says the same");
    assert_eq!(
        page(&server, &format!("&as_of={}", moment - Span::millis(1))),
        first,
        "and one before what was said then"
    );
    // On a grid each snapshot is explained against the corrected minute before it.
    assert_eq!(page(&server, "&every=1m"), now);
}

/// Outcomes that were known a day before the correction stand; a note says what they would be now, also to those who ask later.
#[test]
fn an_outcome_stands_when_its_minutes_are_corrected_and_a_note_says_what_it_would_be() {
    let place = Place::new();
    for name in ["a", "b"] {
        slice(&place.path(name), &["BTCUSDT", "ETHUSDT"], FROM, UNTIL);
    }
    scale(&place.path("b"), 1.1, "2026-01-31");
    let exported = || {
        place.ok("forecasts --export ledger.csv --data data");
        let text = std::fs::read_to_string(place.path("ledger.csv")).unwrap();
        let header: Vec<String> = text.lines().next().unwrap().split(',').map(str::to_owned).collect();
        let at = |name: &str| header.iter().position(|h| h == name).unwrap();
        let (id, outcome) = (at("forecast_id"), at("outcome"));
        let (revised_at, revised) = (at("revised_at"), at("revised_outcome"));
        let rows = text.lines().skip(1).map(|l| l.split(',').map(str::to_owned).collect::<Vec<_>>());
        let of = |r: Vec<String>| (r[id].clone(), (r[outcome].clone(), r[revised_at].clone(), r[revised].clone()));
        rows.filter(|r| !r[id].is_empty()).map(of).collect::<BTreeMap<_, _>>()
    };
    let counted = || {
        let card = json_lines(&place.ok("scorecard --json --market all --window all --data data")).remove(0);
        let revised = |row: &Value| row["denominators"]["revised"].as_u64().unwrap();
        card["rows"].as_array().unwrap().iter().map(revised).sum::<u64>()
    };
    place.ok("collect --source a --data data");
    let before = exported();
    assert!(before.values().all(|(_, at, _)| at.is_empty()) && counted() == 0);

    place.ok("collect --source b --data data");
    let after = exported();
    let moved =
        before.iter().filter(|(id, (was, ..))| !was.is_empty() && after.get(*id).is_some_and(|now| now.0 != *was));
    assert_eq!(moved.count(), 0, "an outcome does not change");
    let noted: Vec<_> = after.values().filter(|(_, at, _)| !at.is_empty()).collect();
    assert!(noted.len() > 100 && noted.iter().all(|(stands, _, now)| stands != now), "{}", noted.len());
    assert_eq!(counted(), noted.len() as u64);
    let verify = || json_lines(&place.ok("verify forecasts data --json")).remove(0);
    assert_eq!(verify()["equal"], true);
    let hash = place.hash("data");
    place.ok("collect --source b --data data");
    assert_eq!(place.hash("data"), hash, "nothing is noted twice");

    // The right file heals: the notes stay, and say that all is as it stood.
    place.ok("collect --source a --data data");
    assert!(exported().values().all(|(_, at, _)| at.is_empty()) && counted() == 0);
    assert_eq!(verify()["equal"], true);
    let past = noted[0].1.clone();
    let then = json_lines(&place.ok(&format!("scorecard --json --market all --window all --as-of {past} --data data")));
    assert!(then[0]["rows"].as_array().unwrap().iter().any(|r| r["denominators"]["revised"].as_u64() > Some(0)));
}

/// What an import leaves that was killed after its points and before its minutes.
#[test]
fn h1_minutes_that_a_killed_import_left_old_are_named_and_made_by_the_next() {
    let place = archives();
    place.ok("collect --source a --data data");
    let unfinished = || {
        let done = place.run("doctor --json --data data --endpoint binance-usdm=http://127.0.0.1:1");
        json_lines(&done.out).into_iter().find(|finding| finding["check"] == "minutes")
    };
    assert_eq!(unfinished(), None);
    let mark = "UPDATE runs SET dirty_since = 1769904000000000000, dirty_version =
        (SELECT points_version FROM instruments WHERE name = runs.instrument)";
    let Ok(done) = std::process::Command::new("sqlite3").arg(place.path("data/barograph.db")).arg(mark).output() else {
        barograph_testkit::skipped("sqlite3 is not installed");
        return;
    };
    assert!(done.status.success(), "{done:?}");
    let found = unfinished().unwrap();
    assert_eq!(found["verdict"], "warn");
    let text = found["text"].as_str().unwrap();
    assert!(text.ends_with(": binance-usdm:BTCUSDT from 2026-02-01T00:00:00Z"), "{text}");
    assert!(found["do"].as_str().unwrap().contains("barograph replay"), "{found}");
    place.ok("replay a --data data");
    assert_eq!(unfinished(), None, "the next import makes them");
}

#[test]
fn h1_a_file_can_be_taken_back() {
    let place = archives();
    // What both archives say alike is taken back with either unless one is kept; only the candles are in the second here.
    let folder = place.path("b/binance-usdm/BTCUSDT");
    for file in std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()) {
        if !file.ends_with("candles_1h.csv") {
            std::fs::remove_file(file).unwrap();
        }
    }
    place.ok("collect --source a --data data");
    let a = rows(&place, "data");
    let counted = || json_lines(&place.ok("markets --json --data data"))[0]["points"].clone();
    let points = counted();
    place.ok("collect --source b --data data");
    assert_eq!(counted(), points, "what was replaced is not counted beside what replaced it");
    let b = rows(&place, "data");
    let dry = place.run("db forget --source b --data data --dry-run").exits(0).prints("would be taken back");
    assert!(!dry.out.starts_with("0 values"), "{}", dry.out);
    assert_eq!(rows(&place, "data"), b, "nothing was touched");
    place.run("db forget --source b --data data").exits(0).prints("taken back");
    assert_eq!(rows(&place, "data"), a, "what was there before counts again");
    assert_eq!(counted(), points);
    let again = place.run("db forget --source b/binance-usdm/BTCUSDT/candles_1h.csv --data data").exits(1);
    assert!(again.err.contains("nothing that counts came from these files"), "{}", again.err);
    let none = place.run("db forget --source b --data nowhere").exits(2);
    assert!(!place.path("nowhere").exists(), "{}", none.err);
}

#[test]
fn h1_what_a_file_that_stays_says_too_stays() {
    let place = archives();
    place.ok("collect --source a --data data");
    let a = rows(&place, "data");
    place.ok("collect --source b --data data");
    // Both say the same of funding and open interest; only the candles differ.
    let done = place.run("db forget --source b --keep a --data data").exits(0).prints("say them too");
    assert!(!done.out.contains("\n0 rows stay"), "{}", done.out);
    assert_eq!(rows(&place, "data"), a);
    place.run("db forget --source a --keep a --data data").exits(1);
    assert_eq!(rows(&place, "data"), a, "nothing but what stays");
}

#[test]
fn h1_in_one_command_one_file_wins_whole_whatever_the_order() {
    let place = archives();
    place.ok("collect --source b --data only-b");
    let want = rows(&place, "only-b");
    let mut hashes = Vec::new();
    for (data, sources) in [("ab", "--source a --source b"), ("ba", "--source b --source a")] {
        let done = place.run(&format!("collect {sources} --data {data}")).exits(0);
        assert!(done.err.contains("the file whose path sorts last counts"), "{}", done.err);
        assert_eq!(rows(&place, data), want);
        hashes.push(place.hash(data));
    }
    assert_eq!(hashes[0], hashes[1]);
}

/// Hours of a market; its open interest table has ratio columns that are blank until a day, or none.
fn with_ratios(place: &Place, name: &str, begins: Option<&str>, until: &str) {
    slice(&place.path(name), &["BTCUSDT"], FROM, until);
    let folder = place.path(name).join("binance-usdm/BTCUSDT");
    std::fs::remove_file(place.path(name).join("import.toml")).unwrap();
    for file in ["funding_8h.csv", "open_interest_usd_1h.hyperliquid.csv"] {
        std::fs::remove_file(folder.join(file)).unwrap();
    }
    let mut text = String::from("create_time,symbol,sum_open_interest,sum_open_interest_value");
    if begins.is_some() {
        text.push_str(
            ",count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio",
        );
    }
    let candles = std::fs::read_to_string(folder.join("candles_1h.csv")).unwrap();
    for (n, row) in candles.lines().skip(1).enumerate() {
        let ratios = match begins {
            Some(day) if row >= day => ",1.5,1.6,1.7,0.9",
            Some(_) => ",,,,",
            None => "",
        };
        let (time, coins) = (row[..19].replace('T', " "), 80_000 + n);
        write!(text, "\n{time},BTCUSDT,{coins},{}{ratios}", coins * 70_000).unwrap();
    }
    std::fs::write(folder.join("BTCUSDT-metrics.csv"), text + "\n").unwrap();
}

/// Ids of the snapshots that a replay or a store gives, by minute.
fn ids(place: &Place, command: &str) -> Vec<(String, String)> {
    let lines = json_lines(&place.ok(command));
    let snapshots = lines.into_iter().filter(|l| l["snapshot_id"].is_string());
    snapshots.map(|l| (l["ts"].as_str().unwrap().to_owned(), l["snapshot_id"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn h8_ratios_that_begin_later_change_nothing_before() {
    let place = Place::new();
    with_ratios(&place, "late", Some("2026-02-04"), UNTIL);
    with_ratios(&place, "early", None, "2026-02-03");
    let options = "--venue binance-usdm --stamp open --json --every 1h";
    let (late, early) =
        (ids(&place, &format!("replay late {options}")), ids(&place, &format!("replay early {options}")));
    assert!(early.len() > 100, "{}", early.len());
    assert_eq!(late[..early.len() - 2], early[..early.len() - 2]);
    let done = place.run("verify causality late --venue binance-usdm --stamp open -n 12").exits(0);
    assert!(done.out.contains("rewritten readings: 0 of"), "{}", done.out);
}

/// What is stored of inputs whose columns begin late, stay blank or are not there has the ids of their replay.
#[test]
fn h8_stored_ids_are_those_of_a_replay() {
    let place = Place::new();
    for (name, begins) in [("late", Some("2026-02-04")), ("blank", Some("2030-01-01")), ("without", None)] {
        with_ratios(&place, name, begins, UNTIL);
        let options = "--venue binance-usdm --stamp open";
        let replayed = ids(&place, &format!("replay {name} {options} --json --every 1h"));
        place.ok(&format!("replay {name} {options} --data stored-{name}"));
        let server = Server::start(&place, &format!("stored-{name}"));
        let path = "/api/v1/markets/binance-usdm:BTCUSDT/context/history";
        let page = server.json(&format!("{path}?start={FROM}&end={UNTIL}&every=1h&limit=1000"));
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let stored: BTreeMap<String, String> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| (text(&i["timestamp"]), text(&i["snapshot_id"])))
            .collect();
        let both: Vec<_> = replayed.iter().filter(|(ts, _)| stored.contains_key(ts)).collect();
        assert!(both.len() > 250, "{name}: {} of {} and {}", both.len(), replayed.len(), stored.len());
        for (ts, id) in both {
            assert_eq!(stored[ts], *id, "{name} {ts}");
        }
    }
}

#[test]
fn h9_stamps_are_stated_and_checked_against_each_other() {
    let place = Place::new();
    let end = Ts::from_civil(2026, 2, 5, 0, 0, 0);
    market(&place.path("in"), "BTCUSDT", Mood::Choppy, (end - Span::hours(12), end));
    let done = place.run("verify causality in -n 2").exits(0);
    assert!(
        done.out.contains("assumed binance-usdm:BTCUSDT bar 1m") && done.out.contains("stamps agree"),
        "{}",
        done.out
    );
    // The same with each mark price known a minute before the bar that ends at it.
    let path = place.path("in/BTCUSDT/mark.csv");
    let marks = std::fs::read_to_string(&path).unwrap();
    let rows: Vec<(&str, &str)> = marks.lines().filter_map(|row| row.split_once(',')).collect();
    let mut early = String::from("timestamp,mark\n");
    for pair in rows[1..].windows(2) {
        writeln!(early, "{},{}", pair[0].0, pair[1].1).unwrap();
    }
    std::fs::write(&path, early).unwrap();
    let done = place.run("verify causality in -n 2").exits(1);
    assert!(done.out.contains("stamps contradict each other: binance-usdm:BTCUSDT mark_price"), "{}", done.out);
    assert!(done.out.contains("rewritten readings: 0 of"), "no cut can see it: {}", done.out);
    assert!(done.err.contains("contradict each other about their stamps"), "{}", done.err);
    let told = json_lines(&place.run("verify causality in -n 2 --json").exits(1).out).remove(0);
    let pairs = told["stamps"]["compared"].as_array().unwrap();
    assert!(pairs.iter().any(|pair| pair["contradicts"] == true), "{told}");
    // One price stream cannot be wrong about itself.
    slice(&place.path("alone"), &["BTCUSDT"], "2026-02-03", UNTIL);
    let done = place.run("verify causality alone -n 2").exits(0);
    assert!(done.out.contains("binance-usdm:BTCUSDT has one price stream"), "{}", done.out);
}
