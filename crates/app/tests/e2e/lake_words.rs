//! What the commands of the lake say: of holes, of what was left out, of options that cannot be meant; and their exit codes.

use crate::support::{Place, json_lines};
use serde_json::{Value, json};

/// 2026-03-02, midnight.
const DAY: i64 = 1_772_409_600;

/// A book a second as wide rows, from a second of the day until another.
fn wide(from: i64, until: i64) -> String {
    let row = |n: i64| {
        let (bid, ask) = (100 + n % 7, 108 + n % 5);
        format!("{}000000,{}100000,{bid},1,{ask},2\n", DAY + n, DAY + n)
    };
    let head = "timestamp,local_timestamp,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n".to_owned();
    head + &(from..until).map(row).collect::<String>()
}

fn import(place: &Place, name: &str, lake: &str) -> Value {
    json_lines(&place.ok(&format!("lake import okx:X --source {name} --lake {lake} --json"))).remove(0)
}

/// The document of `lake check --json`, and its exit code.
fn checked(place: &Place, code: i32) -> Value {
    let said = place.run("lake check --lake lake --json").exits(code).out.clone();
    let mut lines = json_lines(&said);
    assert_eq!(lines.len(), 1, "one document: {said}");
    lines.remove(0)
}

#[test]
fn holes_are_named_and_hours_that_were_taken_away_are_a_finding() {
    let place = Place::new();
    place.write("late.csv", &wide(14 * 3_600, 14 * 3_600 + 90));
    place.write("early.csv", &wide(9 * 3_600, 12 * 3_600 - 30));
    import(&place, "late.csv", "lake");
    import(&place, "early.csv", "lake");
    let said = checked(&place, 0);
    assert_eq!((&said["hours"], &said["findings"]), (&json!(8), &json!([])), "{said}");
    let absent = &said["absent"][0];
    let want = json!(["orderbook", "2026-03-02T12:00:00Z", "2026-03-02T14:00:00Z", 2, "declared"]);
    assert_eq!(json!([absent["table"], absent["from"], absent["until"], absent["hours"], absent["why"]]), want);
    let text = place.ok("lake check --lake lake");
    assert!(
        text.contains("no rows from 2026-03-02T12:00:00Z to 2026-03-02T14:00:00Z (2 hours): no data came in them"),
        "{text}"
    );
    assert!(text.ends_with("8 hours read, 4 of them under way: every row is as its manifest says\n"), "{text}");
    let listed = &json_lines(&place.ok("lake ls --lake lake --json"))[0];
    assert_eq!(listed["range"], json!(["2026-03-02T09:00:00Z", "2026-03-02T14:01:29Z"]), "the last row, not its hour");
    assert_eq!(listed["gaps"], json!(1), "{listed}");

    let hour = place.path("lake/bronze/orderbook/exchange=okx/symbol=X/year=2026/month=03/day=02/hour=10");
    std::fs::remove_dir_all(&hour).unwrap();
    let said = checked(&place, 1);
    let finding = &said["findings"][0];
    assert!(finding["path"].as_str().unwrap().ends_with("hour=11"), "{said}");
    assert!(finding["what"].as_str().unwrap().contains("the hours before it, from 2026-03-02T10:00:00Z"), "{said}");
    place.run("lake check --lake lake").exits(1).prints("Import the recording of that time again").says("1 finding");
    let again = import(&place, "early.csv", "lake");
    assert!(again["already_there"].as_u64().unwrap() > 7_000, "{again}");
    assert_eq!(checked(&place, 0)["findings"], json!([]));
}

#[test]
fn what_an_import_leaves_out_is_counted_with_its_file_and_line() {
    let place = Place::new();
    let text = wide(9 * 3_600, 9 * 3_600 + 90);
    let lines: Vec<&str> = text.lines().collect();
    let mixed =
        [&lines[..20], &lines[19..50], &["what,is,this"], &lines[10..12], &lines[50..]].concat().join("\n") + "\n";
    place.write("mixed.csv", &mixed);
    let said = import(&place, "mixed.csv", "lake");
    assert_eq!((&said["repeated"], &said["first_repeated"]), (&json!(1), &json!("mixed.csv, line 21")), "{said}");
    assert_eq!((&said["unreadable"], &said["first_unreadable"]), (&json!(1), &json!("mixed.csv, line 52")), "{said}");
    assert_eq!((&said["refused"], &said["books"]), (&json!(2), &json!(90)), "{said}");
    let text = place.ok("lake import okx:X --source mixed.csv --lake other");
    for part in [
        "1 row repeats what came before it, or lies in the time of an earlier file, and was passed over; the first: mixed.csv, line 21",
        "2 messages could not be used; the first: mixed.csv, line 53: it was received at 2026-03-02T09:00:09.100Z, and a row above it at",
        "1 line could not be read as part of a recording and was left out; the first: mixed.csv, line 52",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn options_that_cannot_be_meant_are_refused_in_one_sentence() {
    let place = Place::new();
    place.write("a.csv", &wide(9 * 3_600, 9 * 3_600 + 90));
    import(&place, "a.csv", "lake");
    for (command, says) in [
        (
            "lake import okx:X --source a.csv --lake new --tick 1e308",
            "--tick 1e308: it cannot be the step of these prices",
        ),
        ("lake import okx:X --source a.csv --lake new --tick=-1", "'-1' is no price step: write a number above zero"),
        ("lake import okx:X --source a.csv --lake new --tick 0", "'0' is no price step"),
        ("lake import okx:X --source a.csv --lake new --tick NaN", "'NaN' is no price step"),
        ("lake import okx:X --source a.csv --lake lake --tick 0.5", "that were made without it"),
        ("lake gold okx:X --bars 1s,1s --lake lake", "--bars: 1s is given twice"),
        (
            "lake gold okx:X --lake lake --data none",
            "the data folder none, which is not there, holds nothing of it either",
        ),
        ("lake export okx:X --format minutes --data none", "minutes are those of the data folder, which --data names"),
        (
            "lake export okx:X --format hftbacktest-npy --source lake --from 2026-03-03 --until 2026-03-02",
            "--from 2026-03-03T00:00:00Z is after --until 2026-03-02T00:00:00Z",
        ),
        ("lake export okx:X --format hftbacktest-npy --source lake --out -", "not to standard output; name the file"),
        ("lab pair okx:X --lake lake --out -", "not to standard output; name the file"),
        ("lab train okx:X --target dir_5s --target dir_5s --lake lake", "--target: dir_5s is given twice"),
        ("lake check --lake none", "none holds no lake; name its folder with --lake"),
        ("lake ls --lake none", "holds no lake"),
        ("lake compact --lake none", "holds no lake"),
        ("lake export okx:X --format hftbacktest-npy --source lake --out gone/x.npy", "cannot write gone/x.npy"),
    ] {
        place.run(command).exits(2).says(says);
    }
    assert!(!place.path("new").exists());
    std::fs::create_dir(place.path("taken")).unwrap();
    place
        .run("lake export okx:X --format hftbacktest-npy --source lake --out taken")
        .exits(3)
        .says("cannot write taken:")
        .says("choose another place with --out");
    assert!(!place.path("taken.part").exists());
}

#[test]
fn a_recording_beside_of_another_time_is_named() {
    let place = Place::new();
    place.write("own.csv", &wide(9 * 3_600, 9 * 3_600 + 90));
    place.write("before.csv", &wide(3_600, 3_690));
    place.write("behind.csv", &wide(20 * 3_600, 20 * 3_600 + 90));
    let import = "lake import BTCUSDT --source own.csv --lake lake";
    place
        .run(&format!("{import} --beside bybit:BTCUSDT=before.csv"))
        .exits(2)
        .says("the recording of bybit:BTCUSDT given beside is of 2026-03-02T01:00:00")
        .says("Nothing was written");
    assert!(!place.path("lake").exists());
    place
        .run(&format!("{import} --beside bybit:BTCUSDT=behind.csv"))
        .exits(0)
        .prints("what was given of bybit:BTCUSDT beside is of 2026-03-02T20:00:00")
        .prints("nothing of it was compared");
}
