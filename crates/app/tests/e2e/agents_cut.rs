//! Nobody in a session sees the future: it answers what a store answers that ends at its clock. Values of the next day that are put under
//! stamps of the day before, a leak without any later moment in it, are found by that.

use crate::agents_locked::{Client, FROM, MARKETS, UNTIL, attempt, embellish};
use crate::support::data::{FILES, STORED_FROM, slice, stored};
use crate::support::{Place, Random};
use barograph_domain::Ts;
use std::collections::{BTreeMap, BTreeSet};

const BOTH: [&str; 2] = ["BTCUSDT", "ETHUSDT"];
/// The day before the clock, and the one that begins with it.
const BEFORE: &str = "2026-02-02";
const AFTER: &str = "2026-02-03";

/// Asks both the same hostile questions: the tools whose answers differ, each with a question.
fn differing(one: &Place, other: &Place, record: &str, calls: usize) -> BTreeMap<&'static str, String> {
    let args = format!("--locked --from {FROM} --until {UNTIL} --agent hostile --record {record}");
    let [mut first, mut second] = [one, other].map(|place| Client::start(place, &args));
    let (mut random, clock, mut found) = (Random::new(41), Ts::parse(FROM).unwrap(), BTreeMap::new());
    let mut cursors = Vec::new();
    for _ in 0..calls {
        let (tool, mut given) = attempt(&mut random, clock, MARKETS);
        embellish(&mut random, tool, &mut given, &cursors);
        let answer = first.call(tool, &given);
        cursors.extend(answer["structuredContent"]["next"].as_str().map(str::to_owned));
        if answer != second.call(tool, &given) {
            found.entry(tool).or_insert_with(|| given.to_string());
        }
    }
    first.end();
    second.end();
    found
}

/// What is known up to the clock, from the files in `in`.
fn cut() -> Place {
    let place = Place::new();
    slice(&place.path("in"), &BOTH, STORED_FROM, AFTER);
    place
}

#[test]
fn a_session_answers_what_a_store_answers_that_ends_at_its_clock() {
    let cut = cut();
    cut.ok("collect --source in --data data");
    assert_eq!(differing(&stored().place, &cut, "cut.jsonl", 1_200), BTreeMap::new());
}

#[test]
fn values_of_the_next_day_are_found_in_every_tool_that_shows_values() {
    let [known, ahead] = [cut(), cut()];
    slice(&ahead.path("later"), &BOTH, AFTER, "2026-02-04");
    for (symbol, file) in BOTH.iter().flat_map(|symbol| FILES.map(|file| (symbol, file))) {
        let at = |folder: &str| ahead.path(folder).join("binance-usdm").join(symbol).join(file);
        let read = |folder: &str| std::fs::read_to_string(at(folder)).unwrap();
        let later = read("later");
        let values: BTreeMap<String, &str> = later
            .lines()
            .filter_map(|row| row.split_once(','))
            .map(|(stamp, values)| (stamp.replacen(AFTER, BEFORE, 1), values))
            .collect();
        let planted = |row: &str| {
            let stamp = row.split(',').next().unwrap();
            values.get(stamp).map_or_else(|| format!("{row}\n"), |values| format!("{stamp},{values}\n"))
        };
        std::fs::write(at("in"), read("in").lines().map(planted).collect::<String>()).unwrap();
    }
    for place in [&known, &ahead] {
        place.ok("collect --source in --data data");
    }
    let found: BTreeSet<_> = differing(&known, &ahead, "ahead.jsonl", 1_200).into_keys().collect();
    for tool in ["advise", "context", "events", "history", "levels", "markets", "similar", "universe"] {
        assert!(found.contains(tool), "{tool} is not among {found:?}");
    }
}
