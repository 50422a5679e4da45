//! `verify accounts` and `verify liquidations`: what detectors and models give against sets that know better, by the commands that users
//! run. Synthetic files decide what must be found; recorded ones give the tables of docs/order-flow.md.

use crate::support::{Outcome, Place, json_lines};
use std::fmt::Write as _;

const HEADER: &str = "time,user,coin,side,px,sz,crossed\n";

fn address(account: u32) -> String {
    format!("0x{account:040x}")
}

/// Nothing that was printed looks like an address, or holds the digits of one.
#[track_caller]
fn shows_no_address(done: &Outcome) {
    for text in [&done.out, &done.err] {
        assert!(!text.to_lowercase().contains("0x"), "{}: {text}", done.line);
        assert!(!text.contains("0000000000000000000000"), "{}: {text}", done.line);
    }
}

/// Two accounts that trade back and forth in hour 2, a cycle of three in hour 3, a market maker with everyone in hour 4, one-sided
/// trades in hour 5, and a taker whose other side is not in the file in every hour.
fn fills() -> String {
    let mut text = HEADER.to_owned();
    // Hour, seller, buyer and size; the buyer takes.
    let deals = [
        (2, 1, 2, "5"),
        (2, 2, 1, "5"),
        (3, 1, 2, "3"),
        (3, 2, 3, "3"),
        (3, 3, 1, "3"),
        (4, 9, 1, "4"),
        (4, 9, 2, "3"),
        (4, 5, 9, "2"),
        (4, 6, 9, "3"),
        (5, 1, 2, "4"),
        (5, 1, 2, "2"),
    ];
    for hour in 0..7 {
        writeln!(text, "2023-04-01T{hour:02}:00:00Z,{},ETH,Bid,1800.5,7,true", address(77)).unwrap();
        for (at, (_, seller, buyer, qty)) in deals.iter().filter(|(of, ..)| *of == hour).enumerate() {
            let time = format!("2023-04-01T{hour:02}:10:{at:02}Z");
            writeln!(text, "{time},{},ETH,Ask,1800.5,{qty},false", address(*seller)).unwrap();
            writeln!(text, "{time},{},ETH,Bid,1800.5,{qty},true", address(*buyer)).unwrap();
        }
    }
    text
}

#[test]
fn round_trips_are_labelled_and_no_address_is_shown() {
    let place = Place::new();
    place.write("fills.csv", &fills());
    let done = place.run("verify accounts fills.csv --data d --json").exits(0);
    shows_no_address(&done);
    let value = &json_lines(&done.out)[0];
    let trips = value["report"]["round_trips"].as_array().unwrap();
    let of: Vec<_> =
        trips.iter().map(|t| (t["hour"].as_str().unwrap(), t["accounts"].as_array().unwrap().len())).collect();
    assert_eq!(of, [("2023-04-01T02:00:00Z", 2), ("2023-04-01T03:00:00Z", 3)]);
    assert_eq!((value["accounts"].as_u64(), value["report"]["markets"][0]["joined"].as_u64()), (Some(7), Some(11)));
    assert_eq!(value["report"]["classes"][0]["score"]["roc"][0]["state"], "withheld");

    // The salt is the folder's: equal there, another elsewhere, and what is counted does not depend on it.
    let again = place.ok("verify accounts fills.csv --data d --json");
    assert_eq!(again, done.out);
    let other = place.run("verify accounts fills.csv --salt of-somebody-else --json").exits(0);
    shows_no_address(&other);
    let elsewhere = &json_lines(&other.out)[0];
    assert_ne!(elsewhere["report"]["round_trips"][0]["accounts"], value["report"]["round_trips"][0]["accounts"]);
    assert_eq!(elsewhere["report"]["classes"], value["report"]["classes"]);
    let salt = place.path("d/accounts.salt");
    assert_eq!(std::fs::read(&salt).unwrap().len(), 32);
    std::fs::write(&salt, "short").unwrap();
    place.run("verify accounts fills.csv --data d").exits(2).says("shorter than it was made");
}

#[test]
fn a_file_of_something_else_is_refused_without_an_address() {
    let place = Place::new();
    place.write("no-header.csv", &format!("{0},{0},ETH\n", address(3)));
    place.write("wrong.csv", &format!("{HEADER}{0},{0},{0},{0},{0},{0},{0}\n", address(3)));
    place.write("half.csv", &format!("{1}{0},{0},{0},{0},{0},{0},{0}\n", address(3), fills()));
    for (line, code, words) in [
        ("verify accounts no-header.csv --data d", 2, "it has no column 'time'"),
        ("verify accounts wrong.csv --data d", 2, "line 2: 'time' is no moment"),
        ("verify accounts nowhere.csv --data d", 2, "nowhere.csv cannot be read"),
        ("verify accounts half.csv --data d --salt short", 2, "--salt has fewer than 16 characters"),
    ] {
        let done = place.run(line).exits(code).says(words);
        shows_no_address(&done);
    }
    let done = place.run("verify accounts half.csv --data d").exits(0).prints("left out: 1 row, 'time' is no moment");
    shows_no_address(&done);
}

#[test]
fn hyperliquid_of_2023_gives_the_tables_of_the_document() {
    let file = "derivatives/hyperliquid_2023/non_mm_trades.csv.gz";
    let Some(path) = barograph_testkit::recorded(file) else { return };
    let place = Place::new();
    let done = place.run(&format!("verify accounts {} --data d", path.display())).exits(0);
    shows_no_address(&done);
    is_in_the_document(&done.out);
    let json = place.run(&format!("verify accounts {} --data d --json", path.display())).exits(0);
    shows_no_address(&json);
}

#[test]
fn liquidations_of_aave_give_the_table_of_the_document() {
    let file = "derivatives/onchain_liquidations/aave_wbtc_liquidations.parquet";
    let Some(path) = barograph_testkit::recorded(file) else { return };
    let place = Place::new();
    let map = "time=timestamp,usd=collateral_amount_usd,symbol=market_name";
    let out = place.ok(&format!("verify liquidations {} --columns {map}", path.display()));
    is_in_the_document(&out);
}

/// Every row of a table that was printed stands in docs/order-flow.md as it was printed.
#[track_caller]
fn is_in_the_document(out: &str) {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/order-flow.md");
    let text = std::fs::read_to_string(root).unwrap();
    let rows: Vec<&str> = out.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows.len() > 3, "{out}");
    for row in rows {
        assert!(text.lines().any(|line| line == row), "docs/order-flow.md does not have\n{row}");
    }
}

/// A tape whose seconds hold one to five liquidations, drawn alike on every day: its band holds.
#[test]
fn a_band_that_holds_is_shown_and_one_on_too_little_is_withheld() {
    let place = Place::new();
    let mut random = crate::support::Random::new(7);
    let mut text = "timestamp,symbol,price,amount\n".to_owned();
    for minute in 0..4_000_u64 {
        // A hundred minutes a day.
        let from = 1_700_006_400_000 + (minute / 100) * 86_400_000 + (minute % 100) * 60_000;
        for second in 0..1 + random.below(6) {
            for k in 0..1 + random.below(5) {
                let (at, qty) = (from + second * 1_000 + k, 1 + random.below(100));
                writeln!(text, "{at},BTCUSDT,100,{qty}").unwrap();
            }
        }
    }
    place.write("tape.csv", &text);
    let done = place.run("verify liquidations tape.csv --json").exits(0);
    let value = &json_lines(&done.out)[0];
    let studies = value["studies"].as_array().unwrap();
    assert_eq!((studies.len(), value["tapes"].as_u64()), (6, Some(1)));
    for study in studies {
        let held = study["check"]["held"].as_f64().unwrap();
        assert!((held - 0.8).abs() < 0.05 && study["withheld"].is_null(), "{study}");
    }
    assert_eq!(value["absent"].as_array().unwrap().len(), 2);
    place.run("verify liquidations tape.csv").exits(0).prints("holds: reported 1.2 M, probably");

    let head: String = text.lines().take(200).fold(String::new(), |all, line| all + line + "\n");
    place.write("short.csv", &head);
    place.run("verify liquidations short.csv").exits(0).prints("withheld: ");
    place.run("verify liquidations short.csv --columns time=timestamp,usd=value").exits(2).says("no column 'value'");
    place.run("verify liquidations nowhere.csv").exits(2).says("nowhere.csv cannot be read");
}
