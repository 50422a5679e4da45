//! Rule books replayed over what is stored: counted, chosen by a budget, saved, refused; and the commands of the guide.

use crate::support::data::slice;
use crate::support::{Outcome, Place, json_lines};

const GUIDE: &str = include_str!("../../../../docs/calibration.md");

fn stored() -> Place {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], "2025-12-10", "2026-02-10");
    place.ok("replay in --data data");
    place
}

#[test]
fn a_changed_book_is_counted_over_stored_minutes_and_again_from_kept_columns() {
    let place = stored();
    let ask = "rules whatif --data data --json --set HIGH_VOL.realized_vol_1h=0.9";
    let first = json_lines(&place.ok(ask)).remove(0);
    // What was kept of the first answer gives the second one.
    assert!(place.path("data/whatif").is_dir());
    assert_eq!(json_lines(&place.ok(ask)).remove(0), first);
    assert_eq!(first["all"]["minutes_not_as_published"], 0, "the base replayed is what was published");
    assert_eq!(first["markets"].as_array().map(Vec::len), Some(2));
    let high = |view: &serde_json::Value| {
        let labels = view["all"]["axes"][0]["labels"].as_array().unwrap().clone();
        labels.into_iter().find(|l| l["label"] == "HIGH_VOL").unwrap()
    };
    let (before, after) = (&high(&first)["share"]["before"], &high(&first)["share"]["after"]);
    assert!(before.as_f64() > after.as_f64() && after.as_f64() > Some(0.0), "{before} {after}");
    let forecast = &first["all"]["forecasts"][0];
    assert_eq!(forecast["event"], "hv_1h");
    assert!(forecast["before"]["events"].as_u64() > Some(0), "{forecast}");
    // Nothing changed, nothing differs.
    let same = json_lines(&place.ok("rules whatif --data data --json")).remove(0);
    assert_eq!((&same["all"]["axes"][0]["same_share"], high(&same)["overlap"].as_f64()), (&1.0.into(), Some(1.0)));
    let table = place.ok("rules whatif --data data --set HIGH_VOL.realized_vol_1h=0.9 --budget 50/day");
    assert!(table.contains("HIGH_VOL as a forecast of hv_1h") && table.contains("a budget of 50"), "{table}");
    assert!(table.lines().all(|l| l.chars().count() <= 80), "{table}");
    place.run("rules whatif --data data --budget 0.01/day").exits(1);
    // Columns that are damaged or gone are made again.
    std::fs::remove_dir_all(place.path("data/whatif")).unwrap();
    assert_eq!(json_lines(&place.ok(ask)).remove(0), first);
}

#[test]
fn a_threshold_is_chosen_in_one_stretch_and_told_of_the_next() {
    let place = stored();
    let view = json_lines(
        &place.ok("rules whatif --data data --json --tune HIGH_VOL.realized_vol_1h --budget 0.5/day --save mine.toml"),
    );
    let tuned = &view[0]["tuned"];
    assert!(tuned["value"].as_f64() > Some(0.0), "{tuned}");
    assert!(tuned["chosen_on"]["entries_per_day"].as_f64() <= Some(0.5), "{tuned}");
    assert_eq!(tuned["chosen_on"]["to"], tuned["following"]["from"]);
    assert_eq!(tuned["forecasts"][0]["event"], "hv_1h");
    let table = place.ok("rules whatif --data data --tune HIGH_VOL.realized_vol_1h --budget 0.5/day");
    assert!(table.contains("judged in what followed") && table.lines().all(|l| l.chars().count() <= 80), "{table}");
}

#[test]
fn a_saved_book_keeps_its_comments_and_what_cannot_be_replayed_is_refused() {
    let place = stored();
    place.ok("rules whatif --data data --set HIGH_VOL.realized_vol_1h=0.9 --save mine.toml");
    let saved = std::fs::read_to_string(place.path("mine.toml")).unwrap();
    assert!(saved.contains("value = 0.9") && saved.contains("# Every market against its own history"), "{saved}");
    place.ok("rules check mine.toml");
    place.run("rules whatif --data data --save mine.toml").exits(2).says("mine.toml is there already");
    place.run("rules whatif --data data --set HIGH_VOLL.realized_vol_1h=1").exits(2).says("did you mean 'HIGH_VOL'?");
    std::fs::write(place.path("other.toml"), saved.replace("span_min = 0.25", "span_min = 0.5")).unwrap();
    place.run("rules whatif other.toml --data data").exits(2).says("'span_min' is 0.25");
    place.run("rules whatif --data data --market NOWHERE").exits(2).says("NOWHERE");
}

/// As typed, with the folder of this test.
#[test]
fn the_commands_of_the_calibration_guide_run() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], "2025-12-10", "2026-02-10");
    let blocks = GUIDE.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let commands: Vec<&str> = blocks.flat_map(str::lines).filter_map(|l| l.strip_prefix("barograph ")).collect();
    assert!(commands.len() >= 4, "{commands:?}");
    for command in commands {
        let command = command.split(" #").next().unwrap_or(command).trim();
        place.ok(&command.replace("testdata/history", "in"));
    }
}

#[test]
fn a_condition_on_signals_is_counted_beside_the_books_and_states_its_values() {
    let place = stored();
    let day = |n: i32| format!("2026-01-{:02}T00:00:00Z,BTCUSDT,x.mood,{},news\n", n, n % 2);
    let rows: String = (1..=28).map(day).collect();
    place.write("own.csv", &format!("timestamp,symbol,metric_name,value,source\n{rows}"));
    place.ok("signals import own.csv --known-after 1h --data data");
    let asked = |when: &str, more: &[&str]| {
        let mut command = place.command(["rules", "whatif", "--data", "data", "--market", "BTCUSDT", "--when", when]);
        command.args(["--from", "2026-01-01", "--to", "2026-01-29"]).args(more);
        Outcome::of(when, command)
    };
    let when = "signal x.mood within 2d; x.mood > 0.5";
    let view = json_lines(&asked(when, &["--json"]).exits(0).out).remove(0);
    let of = &view["signals"];
    let told = |x: &serde_json::Value| x.as_f64().unwrap();
    // It begins each second day, an hour late; before the first hour was over nobody knew anything.
    assert!((told(&of["entries_per_day"]) - 0.5).abs() < 1e-3 && (told(&of["share"]) - 0.5).abs() < 2e-3, "{of}");
    assert!((told(&of["known_share"]) - (1.0 - 1.0 / (28.0 * 24.0))).abs() < 1e-3, "{of}");
    assert_eq!((&of["used"][0]["revisions"], &of["used"][0]["source"]), (&28.into(), &"news".into()));
    assert_eq!(of["forecasts"][0]["event"], "hv_1h");
    let table = asked(when, &[]).exits(0).out;
    assert!(table.contains("began 0.50 times per market-day, true on 50.0 % of minutes, undecided on"), "{table}");
    assert!(table.contains("not of market data alone: x.mood from news (binance-usdm:BTCUSDT)"), "{table}");
    assert!(table.lines().all(|l| l.chars().count() <= 80), "{table}");
    let before =
        json_lines(&place.ok("rules whatif --data data --market BTCUSDT --from 2026-01-01 --to 2026-01-29 --json"));
    assert_eq!((&before[0]["all"], &before[0]["signals"]), (&view["all"], &serde_json::Value::Null));
    asked("x.mood > 0.5", &[]).exits(2).says("put a line above it: signal x.mood");
    asked("signal x.none; x.none > 1", &[]).exits(2).says("no value of its signals is known for these markets");
}
