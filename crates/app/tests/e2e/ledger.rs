//! The ledger over minutes that retention has thinned: what is registered stays, what can be judged again is, and the rest is named.

use crate::support::data::slice;
use crate::support::{Place, json_lines};
use serde_json::Value;

const FROM: &str = "2026-01-10";
const UNTIL: &str = "2026-01-31";
/// The first state that is saved where minutes are whole: five days before the newest is 26 January.
const WHOLE: &str = "2026-01-29T00:00:00Z";

/// Three weeks of some markets, of which five days are kept by the minute.
fn thinned(markets: &[&str]) -> Place {
    let place = Place::new();
    place.write("barograph.toml", "keep_minutes_days = 5\n");
    slice(&place.path("in"), markets, FROM, UNTIL);
    place.ok("collect --source in --data data");
    place
}

fn verified(place: &Place) -> Value {
    json_lines(&place.ok("verify forecasts data --json")).remove(0)
}

/// Rows of the export that were issued before a moment.
fn issued_before(place: &Place, moment: &str) -> String {
    place.ok(&format!("forecasts --export ledger.csv --to {moment} --data data"));
    let text = std::fs::read_to_string(place.path("ledger.csv")).unwrap();
    // What has resolved behind the moment is not of it.
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let at = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let (resolved, outcome, symbol) = (at("resolved_at"), at("outcome"), at("symbol"));
    let mut rows = Vec::new();
    for line in text.lines().skip(1) {
        let mut cells: Vec<&str> = line.split(',').collect();
        if cells[resolved] >= moment {
            cells.truncate(resolved.min(outcome));
        }
        rows.push(format!("{} {}", cells[symbol], cells.join(",")));
    }
    rows.join("\n")
}

#[test]
fn what_thinned_minutes_held_is_named_and_the_rest_is_made_again() {
    let place = thinned(&["BTCUSDT", "ETHUSDT"]);
    let found = verified(&place);
    let not = &found["not_judged"];
    assert_eq!((&found["equal"], &not["until"]), (&Value::Bool(true), &Value::from(WHOLE)), "{found}");
    assert_eq!((&not["from"], &not["thinned_until"]), (&"2026-01-10T00:05:00Z".into(), &"2026-01-26T00:00:00Z".into()));
    let n = |v: &Value| v.as_u64().unwrap();
    assert_eq!(n(&found["ticks"]), n(&found["ticks_equal"]) + n(&not["ticks"]), "{found}");
    assert!(n(&found["ticks_equal"]) > 500 && found["heads"] == found["heads_equal"], "{found}");
    place
        .run("verify forecasts data")
        .exits(0)
        .prints("not judged again")
        .prints("2026-01-26T00:00:00Z have been thinned");
    // A head of the stretch that is not judged again still has to follow from its rows.
    let change = "import sqlite3; c = sqlite3.connect('data/barograph.db'); \
                  n = c.execute('UPDATE ledger_heads SET head = zeroblob(32) WHERE (day, event) = \
                  (SELECT day, event FROM ledger_heads ORDER BY day, event LIMIT 1)'); c.commit(); assert n.rowcount == 1";
    let ran = std::process::Command::new("python3").args(["-c", change]).current_dir(place.path("")).status();
    if ran.is_ok_and(|status| status.success()) {
        place.run("verify forecasts data").exits(1).prints("is not that of its rows");
    } else {
        barograph_testkit::skipped("a changed head of thinned days (no Python with sqlite3)");
    }
}

/// It begins where minutes of all markets are whole; before that nothing of the others changes.
#[test]
fn a_market_that_comes_late_leaves_what_is_registered_over_thinned_minutes() {
    let place = thinned(&["BTCUSDT", "ETHUSDT"]);
    let before = issued_before(&place, WHOLE);
    assert!(before.lines().count() > 50_000, "{}", before.lines().count());
    slice(&place.path("late"), &["SOLUSDT"], FROM, UNTIL);
    let done = place.run("collect --source late --data data").exits(0);
    assert!(done.err.contains("SOLUSDT begin at 2026-01-29T00:00:00Z"), "{}", done.err);
    assert!(issued_before(&place, WHOLE) == before, "what was registered is another now");
    let first = place.ok("forecasts --market SOLUSDT --to 2026-01-29T00:10:00Z --json --data data");
    let first = json_lines(&first).remove(0);
    assert_eq!(first["issued_ts"], WHOLE, "{first}");
    assert_eq!(verified(&place)["equal"], true);
    let hash = place.hash("data");
    place.ok("collect --source late --data data");
    assert_eq!(place.hash("data"), hash);
}
