//! Was it right: the ledger that an import leaves, made again to the bit, also after kills and in another's folder; the scorecard; the
//! export that other tools read.

#![expect(clippy::print_stderr, reason = "a test that failed says what repeats it")]

use crate::support::data::slice;
use crate::support::{Place, Random, json_lines};
use serde_json::Value;
use std::time::{Duration, Instant};

const MARKETS: [&str; 3] = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];

fn imported(until: &str) -> Place {
    let place = Place::new();
    slice(&place.path("in"), &MARKETS, "2026-01-10", until);
    place.ok("collect --source in --data data");
    place
}

fn one(text: &str) -> Value {
    json_lines(text).remove(0)
}

#[test]
fn what_was_registered_is_made_again_to_the_bit_and_what_was_changed_is_named() {
    let place = imported("2026-02-08");
    let found = one(&place.ok("verify forecasts data --json"));
    assert_eq!((&found["equal"], &found["ticks"]), (&Value::Bool(true), &found["ticks_equal"]));
    assert!(found["forecasts"].as_u64() > Some(150_000) && found["outcomes"].as_u64() > Some(150_000), "{found}");
    assert_eq!(found["heads"], found["heads_equal"]);
    // Somebody writes another head over one of them: it no longer follows from the rows of its day.
    let change = "import sqlite3; c = sqlite3.connect('data/barograph.db'); \
                  n = c.execute('UPDATE ledger_heads SET head = zeroblob(32) WHERE (day, event) = \
                  (SELECT day, event FROM ledger_heads ORDER BY day, event LIMIT 1)'); \
                  c.commit(); assert n.rowcount == 1";
    let ran = std::process::Command::new("python3").args(["-c", change]).current_dir(place.path("")).status();
    if !ran.is_ok_and(|status| status.success()) {
        barograph_testkit::skipped("a changed head of the ledger (no Python with sqlite3)");
        return;
    }
    place.run("verify forecasts data").exits(1).prints("is not that of its rows");
    place.run("db check --data data").exits(1);
    // Somebody takes all of them away: rows without a head are named, too.
    let change =
        "import sqlite3; c = sqlite3.connect('data/barograph.db'); c.execute('DELETE FROM ledger_heads'); c.commit()";
    let ran = std::process::Command::new("python3").args(["-c", change]).current_dir(place.path("")).status();
    assert!(ran.is_ok_and(|status| status.success()));
    let gone = one(&place.run("verify forecasts data --json").exits(1).out);
    assert_eq!(
        (&gone["heads"], &gone["heads_equal"], &gone["equal"]),
        (&found["heads"], &0.into(), &Value::Bool(false))
    );
    place.run("verify forecasts data").exits(1).prints("is missing");
    // Nobody reads it to the end, and it fails all the same.
    let mut unread = place.command(["verify", "forecasts", "data"]).spawn().unwrap();
    drop(unread.stdout.take());
    assert_eq!(unread.wait().unwrap().code(), Some(1));
    place.run("forecasts --from 2027-01-01 --data data").exits(0).says("no forecast matches");
}

/// What decides when processes are killed; `KILL_SEED` repeats a run that failed.
fn moments() -> Random {
    let seed = std::env::var("KILL_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(15);
    eprintln!("KILL_SEED={seed}");
    Random::new(seed)
}

/// Killed at ten random moments of an import, the next one ends in the ledger of an undisturbed one.
#[test]
fn killed_at_any_moment_the_ledger_ends_the_same() {
    let begun = Instant::now();
    let place = imported("2026-01-24");
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap();
    let (want, mut moments) = (place.hash("data"), moments());
    for n in 0..10 {
        let wait_ms = moments.below(took_ms);
        eprintln!("kill {n} after {wait_ms} of {took_ms} ms");
        let mut running = place.start("collect --source in --data other");
        std::thread::sleep(Duration::from_millis(wait_ms));
        running.kill();
        if n % 3 == 1 {
            let seen = place.run("verify forecasts other").err;
            let unfinished =
                ["not what its minutes give", "no forecast is registered there yet"].map(|words| seen.contains(words));
            assert_eq!(unfinished.contains(&true), seen.contains("run it again"), "{seen}");
        }
    }
    place.ok("collect --source in --data other");
    assert_eq!(place.hash("other"), want, "a killed import leaves no trace");
    let found = one(&place.ok("verify forecasts other --json"));
    assert_eq!(found["equal"], true, "{found}");
}

/// A live process over the built-in venue server, twenty times as fast as the machine's clock, is killed at random moments and started
/// again: what it registered and what came of it is made again to the bit.
#[test]
fn killed_while_it_listens_what_was_registered_is_made_again_to_the_bit() {
    let (place, mut moments) = (Place::new(), moments());
    for n in 0..3 {
        let mut demo = place.start("demo --listen 127.0.0.1:0 --data data");
        demo.out.wait_for("stop with Ctrl-C");
        // A tick of the ledger comes every fifteen seconds: at least one is behind each kill.
        let wait_ms = 16_000 + moments.below(15_000);
        eprintln!("kill {n} after {wait_ms} ms");
        std::thread::sleep(Duration::from_millis(wait_ms));
        assert!(demo.kill(), "it had ended: {}", demo.err.text());
    }
    let live = json_lines(&place.ok("forecasts --market M0001USDT --json --data data"));
    assert!(!live.is_empty(), "nothing was registered live");
    let found = one(&place.ok("verify forecasts data --json"));
    assert_eq!((&found["equal"], &found["ticks"]), (&Value::Bool(true), &found["ticks_equal"]), "{found}");
}

/// Markets one after the other, and days one after the other, give the ledger of all at once.
#[test]
fn the_order_of_imports_leaves_no_trace() {
    let place = imported("2026-01-24");
    let want = place.hash("data");
    slice(&place.path("early"), &["SOLUSDT", "BTCUSDT"], "2026-01-10", "2026-01-17");
    slice(&place.path("late"), &["BTCUSDT"], "2026-01-10", "2026-01-24");
    place.ok("collect --source late --data other");
    place.ok("collect --source early --data other");
    place.ok("collect --source in --data other");
    assert_eq!(place.hash("other"), want);
}

#[test]
fn the_scorecard_adds_up_and_never_claims_what_its_band_does_not() {
    let place = imported("2026-02-20");
    let card = one(&place.ok("scorecard --json --data data"));
    let rows = card["rows"].as_array().unwrap();
    assert!(rows.len() > 14 * 4, "{} rows", rows.len());
    for row in rows {
        let d = &row["denominators"];
        let n = |key: &str| d[key].as_u64().unwrap();
        let sum = |key: &str| d[key].as_object().unwrap().values().map(|v| v.as_u64().unwrap()).sum::<u64>();
        assert_eq!(n("asked"), n("issued") + sum("not_issued"), "{row}");
        assert_eq!(n("issued"), n("waiting") + n("void") + n("unresolvable") + n("resolved"), "{row}");
        assert_eq!(n("resolved"), sum("abstained") + n("scored"), "{row}");
        let (low, high) = (row["persistence"]["low"].as_f64(), row["persistence"]["high"].as_f64());
        let sequence = &row["sequence"];
        assert!(row["window"] == "all" || sequence.is_null(), "a sequence of a window that moves: {row}");
        let better = !sequence["activated_at"].is_null();
        let worse = sequence["high"].as_f64().is_some_and(|high| high < 0.0);
        let want = match (low, high) {
            (Some(low), _) if low > 0.0 => {
                if better {
                    "skill"
                } else {
                    "better_so_far"
                }
            }
            (_, Some(high)) if high < 0.0 => {
                if worse {
                    "worse_than_persistence"
                } else {
                    "worse_so_far"
                }
            }
            (Some(_), Some(_)) => "no_skill_shown",
            _ => "too_little_data",
        };
        assert_eq!(row["verdict"], want, "{row}");
    }
    let text = place.ok("scorecard --market btc --event hv_1h --window all --data data");
    assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
    place.ok("scorecard --market BTCUSDT --data data");
    place.ok("scorecard --picture skill.svg --data data");
    let picture = std::fs::read_to_string(place.path("skill.svg")).unwrap();
    for row in card["rows"].as_array().unwrap().iter().filter(|r| r["scope"] == "all" && r["window"] == "all") {
        let (event, asked) = (row["event"].as_str().unwrap(), row["denominators"]["asked"] != 0);
        assert_eq!(picture.contains(&format!(">{event}</text>")), asked, "{event}");
        if let (Some(low), true) = (row["persistence"]["low"].as_f64(), asked) {
            let low = format!("({:+.1} % to", low * 100.0).replace('-', "−");
            assert!(picture.contains(&low), "{event}: no {low}");
        }
    }
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n") && !picture.contains("NaN"), "{picture}");
    place.run("scorecard --picture a.svg --window 30d --window 90d --data data").exits(2).says("give --window once");
    place.run("scorecard --picture no/a.svg --data data").exits(2).says("cannot write no/a.svg");
    place.run("scorecard --event hv_2h --data data").exits(2).says("Did you mean 'hv_1h'?");
    place.run("scorecard --market XRPUSDT --data data").exits(2).says("XRPUSDT");
    place.run("scorecard --window 7d --data data").exits(2).says("30d");
    place.run("scorecard --as-of 2020-01-01T00:00:00Z --data data").exits(2).says("no forecast");
    place.run("scorecard --data nowhere").exits(2);
    // As it was known a week before: nothing that came later is in it.
    let earlier = one(&place.ok("scorecard --json --as-of 2026-02-01T00:00:00Z --data data"));
    assert_eq!(earlier["span"][1], "2026-01-31T23:55:00Z", "{}", earlier["span"]);
}

/// Every score of the card, made again from the exported file alone.
#[test]
fn the_export_holds_everything_that_scores_are_made_of() {
    let place = imported("2026-02-08");
    place.run("forecasts --export ledger.txt --data data").exits(2).says("--format");
    place.ok("forecasts --export ledger.csv --data data");
    place.ok("forecasts --export ledger.parquet --event hv_1h --data data");
    let parquet = std::fs::read(place.path("ledger.parquet")).unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    let text = std::fs::read_to_string(place.path("ledger.csv")).unwrap();
    let mut lines = text.lines().map(|l| l.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let at = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let (event, p, outcome, id) = (at("event_id"), at("probability"), at("outcome"), at("forecast_id"));
    let (kind, not_issued) = (at("kind"), at("not_issued_reason"));
    let (mut losses, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
    for row in lines {
        if row[kind] != "forecast" {
            assert_eq!((row[id], row[kind] == "not_issued"), ("", !row[not_issued].is_empty()), "{row:?}");
            continue;
        }
        assert!(seen.insert(row[id].to_owned()), "{} twice", row[id]);
        if row[event] == "hv_1h"
            && let (Ok(p), Ok(o)) = (row[p].parse::<f64>(), row[outcome].parse::<f64>())
        {
            losses.push((p - o) * (p - o));
        }
    }
    let card = one(&place.ok("scorecard --json --event hv_1h --market all --window all --data data"));
    let row = &card["rows"][0];
    assert_eq!(row["denominators"]["scored"].as_u64().unwrap(), u64::try_from(losses.len()).unwrap());
    let mean = losses.iter().sum::<f64>() / row["denominators"]["scored"].as_f64().unwrap();
    assert!((mean - row["score"].as_f64().unwrap()).abs() < 1e-12, "{mean} for {}", row["score"]);
    let newest = place.ok("forecasts --event trend_up_24h --market BTCUSDT --limit 3 --json --data data");
    assert_eq!(json_lines(&newest).len(), 3);
    place.ok("forecasts --limit 5 --data data");
}

/// Seven weeks of readings make a reference; a book that asks reports it, in events like any other, and a second import says the same.
#[test]
fn what_has_moved_is_said() {
    let place = Place::new();
    slice(&place.path("in"), &MARKETS[..1], "2025-12-07", "2026-03-05");
    let book = place.ok("rules show default");
    let rules = "\n[[drift]]\nid = \"moved\"\nfeature = \"realized_vol_24h\"\nabove = 0.3\nseverity = \"MEDIUM\"\n\
                 [[skill]]\nevent = \"hv_1h\"\nbelow = 1\n";
    std::fs::write(
        place.path("mine.toml"),
        format!("{}{rules}", book.replace("name = \"default\"", "name = \"mine\"")),
    )
    .unwrap();
    place.ok("rules check mine.toml");
    place.ok("collect --source in --data data --book mine.toml");
    let report = one(&place.ok("drift --data data --book mine.toml --json"));
    let readings = report["readings"].as_array().unwrap();
    assert!(readings.len() > 8, "{report}");
    let vol = readings.iter().find(|r| r["feature"] == "realized_vol_24h").unwrap();
    // Weeks from 8 December on; the seventh after it is the first with half of thirteen behind it. There is no word before 26.
    assert_eq!(
        (&vol["n"], &vol["word"], vol["past"].as_array().unwrap().len()),
        (&Value::from(2_016), &Value::Null, 5),
        "{vol}"
    );
    let skill = report["skills"].as_array().unwrap().iter().find(|s| s["event"] == "hv_1h").unwrap();
    assert!(skill["n_eff"].as_u64() > Some(600) && skill["low"].as_f64() < skill["high"].as_f64(), "{skill}");
    place
        .run("drift --data data --book mine.toml")
        .exits(0)
        .prints("Has the market changed?")
        .prints("without 26 weeks");
    let told = |patterns: &str| {
        json_lines(&place.ok(&format!("events --data data --book mine.toml --json --pattern {patterns}")))
    };
    let (moved, worse) = (told("FEATURE_DRIFT"), told("SKILL_LOST"));
    assert!(!moved.is_empty() && !worse.is_empty(), "{moved:?} {worse:?}");
    let psi = moved[0]["data"]["psi"].as_f64();
    assert!(psi > Some(0.3), "{}", moved[0]);
    let before = place.hash("data");
    place.ok("collect --source in --data data --book mine.toml");
    assert_eq!(place.hash("data"), before);
    let found = one(&place.ok("verify forecasts data --book mine.toml --json"));
    assert_eq!(found["equal"], true, "{found}");
}
