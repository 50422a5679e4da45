//! The command line: exit codes, messages, settings and their origin, JSON lines, pipes and colour.

use crate::support::data::{Mood, market, now, slice, stored};
use crate::support::{Outcome, Place, json_lines, keys};
use barograph_domain::Span;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Command;

/// Every command on a good day and on the bad days of its own, run where `in` and `data` are. Code 0 names words of
/// standard output, every other code words of the message.
const EXITS: &[(&str, i32, &str)] = &[
    ("--version", 0, "barograph 0.1.0"),
    ("--help", 0, "It never places an order"),
    ("replay --help", 0, "64 hex digits"),
    ("", 2, ""),
    ("predict", 2, "unrecognized subcommand 'predict'"),
    ("replay", 2, "<PATHS>"),
    ("replay nowhere", 2, "there is no file or folder nowhere"),
    ("replay in/import.toml", 2, "import.toml"),
    ("replay in --book nowhere.toml", 2, "there is no rule book 'nowhere.toml'"),
    ("replay in --from yesterday", 2, "'yesterday' is not a time"),
    ("replay in --from 2026-02-01 --until 2026-02-01", 2, "--until 2026-02-01T00:00:00Z is not later than --from"),
    ("replay in --every 0s", 2, "'0s' is not a positive length of time"),
    ("replay in --every 90s", 2, "'90s' is not a whole number of minutes"),
    ("replay in --stamp middle", 2, "'middle' is no stamp; write one of open, close, instant"),
    ("replay in --metric price", 2, "'price' is no metric"),
    (
        "replay in --metric my_signal",
        2,
        "'my_signal' is no metric; signals of your own come in with: barograph signals import FILE; write one of",
    ),
    (
        "replay in --columns time=t,value=v,metric=my_signal",
        2,
        "'my_signal' is no metric; signals of your own come in with: barograph signals import FILE; write one of",
    ),
    ("replay in --market option", 2, "'option' is no market kind"),
    ("replay in --delay bar", 2, "'bar' is not METRIC=TIME"),
    ("replay in --columns time=t", 2, "column map has nothing to read"),
    ("replay in --where a=b", 2, "--columns"),
    ("replay in --symbol BTCUSDT", 2, "one symbol at a time"),
    ("replay in --from 2026-02-06", 0, "binance-usdm:BTCUSDT  2026-02-07 00:01Z"),
    ("collect --columns time=t --data other", 2, "--columns is about files"),
    ("collect --venue nasdaq --data other", 2, "there is no live venue 'nasdaq'"),
    ("collect --source nowhere --data other", 2, "there is no file or folder nowhere"),
    ("collect --source in --interval soon --data other", 2, "'soon' is not a length of time"),
    ("collect --source in --data data", 0, ""),
    ("collect_derivatives_metrics --once --continuous --data other", 2, "cannot be used with '--continuous'"),
    (
        "collect_derivatives_metrics --symbol BTCUSDT --venue nasdaq --continuous --interval 60 --data other",
        2,
        "there is no live venue 'nasdaq'",
    ),
    ("collect_derivatives_metrics --symbol BTCUSDT --source in/binance-usdm/BTCUSDT --data data", 0, ""),
    ("context --data data", 2, "say which market"),
    ("context BTCUSDT --data nowhere", 2, "there is no data folder nowhere yet"),
    ("context BTCUSDT --data data", 0, "Recorded until 7 Feb 2026: its last reading."),
    ("context BTCUSDT --now --data data", 0, "No reading: "),
    ("context BTCUSDT --now --as-of 2026-02-05 --data data", 2, "cannot be used with"),
    ("context binance-usdm:btc/usdt --data data", 0, "binance-usdm:BTCUSDT"),
    (
        "context bybit:BTCUSDT --data data",
        2,
        "'bybit:BTCUSDT' is not in the data folder — did you mean binance-usdm:BTCUSDT?",
    ),
    ("context BTCUSD --data data", 2, "did you mean BTCUSDT?"),
    ("context BTCUSDT --symbol BTCUSDT --data data", 2, "cannot be used with '--symbol <SYMBOL>'"),
    ("context BTCUSDT --as-of 2026-02-05T14:35:00Z --data data", 0, "2026-02-05 14:34Z"),
    ("context BTCUSDT --as-of 2199-01-01 --data data", 2, "2199-01-01T00:00:00Z lies ahead of the clock"),
    ("context BTCUSDT --as-of 2020-01-01 --data data", 2, "had no snapshot at 2020-01-01T00:00:00Z"),
    ("context BTCUSDT --book absolute --data data", 2, "computed with rule book default, not with 'absolute'"),
    ("generate_market_context --symbol BTCUSDT --data data", 0, "binance-usdm:BTCUSDT"),
    ("generate_market_context --symbol XRPUSDT --data data", 2, "'XRPUSDT' is not in the data folder"),
    ("freshness --data data", 1, "recordings only: nothing is listening"),
    ("freshness --threshold 300 --data data", 1, "recordings only"),
    ("freshness BTCUSDT --threshold 100000000 --data data", 0, "fresh"),
    ("freshness --threshold 0 --data data", 2, "'0' is not a positive length of time"),
    ("freshness --data nowhere", 2, "there is no data folder nowhere yet"),
    ("freshness XRPUSDT --data data", 2, "'XRPUSDT' is not in the data folder"),
    ("monitor_context_freshness --threshold 300 --data data", 1, "recordings only"),
    ("monitor_context_freshness --threshold 100000000 --symbol BTCUSDT --data data", 0, "fresh"),
    ("analyze BTCUSDT --data data", 0, "health "),
    ("analyze_futures_market binance-usdm:BTCUSDT --data data", 0, "FUNDING_MANIPULATION"),
    ("analyze BTCUSDT --as-of 2026-02-05T18:30:00Z --data data", 0, "at 2026-02-05 18:30Z"),
    ("analyze BTCUSDT --as-of 2020-01-01 --data data", 2, "had no snapshot at 2020-01-01T00:00:00Z"),
    ("analyze XRPUSDT --data data", 2, "'XRPUSDT' is not in the data folder"),
    ("levels BTCUSDT --data data", 0, "SWING_HIGH"),
    ("levels BTCUSDT --type equal_lows,PREV_DAY_LOW --all --data data", 0, "PREV_DAY_LOW"),
    ("levels BTCUSDT --as-of 2020-01-01 --data data", 0, "was known at 2020-01-01T00:00:00Z: data begin"),
    ("levels BTCUSDT --as-of 2026-02-05T18:30:00Z --data data", 0, "as of 2026-02-05T18:30:00Z"),
    ("levels BTCUSDT\u{200e} --data data", 2, "'BTCUSDT\\u{200e}' is not in the data folder — did you mean BTCUSDT?"),
    ("sessions BTCUSDT --data data", 0, "usual volume a minute"),
    ("levels BTCUSDT --type SWING_HIG --data data", 2, "did you mean SWING_HIGH?"),
    ("levels BTCUSDT --timeframe often --data data", 2, "'often' is not a length of time"),
    ("levels XRPUSDT --data data", 2, "'XRPUSDT' is not in the data folder"),
    ("events --pattern REGIME_CHANGE --long --data data", 0, "Risk turned from"),
    ("events BTCUSDT --as-of 2020-01-01 --data data", 0, "nothing of BTCUSDT was known at 2020-01-01T00:00:00Z"),
    ("markets --data data", 0, "binance-usdm:ETHUSDT"),
    ("markets --data nowhere", 2, "there is no data folder nowhere yet"),
    ("markets --quote USDT --data data", 2, "--venue"),
    ("markets --venue nasdaq --data data", 2, "there is no live venue 'nasdaq'"),
    ("doctor --venue nasdaq --data data", 1, "must be put right"),
    ("features", 0, "realized_vol_1h"),
    ("features oi_delta_4h", 0, "R1.26"),
    ("features oi_delta_4", 2, "unknown feature 'oi_delta_4' — did you mean 'oi_delta_4h'?"),
    ("rules", 2, ""),
    ("rules show", 0, "name = \"default\""),
    ("rules show seed1-strict", 0, "name = \"seed1-strict\""),
    ("rules show seed9", 2, "name a file or one of default, absolute, seed1-strict"),
    ("rules check absolute", 0, "absolute.toml is sound"),
    ("rules check default", 0, "no alert rules of your own; posture table of "),
    ("rules check broken.toml", 2, "broken.toml:5:"),
    ("verify causality nowhere", 2, "there is no file or folder nowhere"),
    ("verify causality -n 0", 2, "0 is not in 1.."),
    ("verify determinism nowhere", 2, "there is no file or folder nowhere"),
    ("verify patterns --class calm", 2, "[possible values: all, deep, middle, thin, busy, quiet]"),
    ("verify patterns BTCUSDT --class deep", 2, "cannot be used with"),
    ("verify patterns BTCUSDT --data fresh", 2, "fresh holds no journal"),
    ("db migrate --data fresh", 0, "this version's schema"),
    ("db check --data data", 0, "label changes"),
    ("db check --data nowhere", 2, "there is no data folder nowhere yet"),
    ("db prune --days 90 --data data", 0, "removed 0 minute rows"),
    ("db prune --days many --data data", 2, "invalid value 'many'"),
    ("db prune --days 0 --data data", 2, "0 is not in 1..=36500"),
    ("db prune --days 4294967295 --data data", 2, "is not in 1..=36500"),
    ("config show", 0, "keep_minutes_days"),
    ("config show --config nowhere.toml", 2, "there is no configuration file nowhere.toml"),
    ("serve --data nowhere", 2, "there is no data folder nowhere yet"),
    ("serve --data data --listen 0.0.0.0:8600", 2, "there is no access token yet"),
    ("serve --data data --listen [::]:8600", 2, "there is no access token yet"),
    ("serve --data data --listen 192.168.1.1:8600", 2, "there is no access token yet"),
    ("serve --data data --listen nonsense", 2, "'nonsense' is not an address"),
    ("serve --data data --listne 127.0.0.1:1", 2, "--listen"),
    ("demo --listen 0.0.0.0:8600 --data other", 2, "there is no access token yet"),
    ("demo --json --data other", 2, "replay --json"),
];

#[test]
fn every_command_ends_with_its_code_and_says_why_in_one_sentence() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], "2026-02-03", "2026-02-07");
    place.write("broken.toml", "name = \"mine\"\n[[rule]]\nid = \"HIGH_VOL\"\naxis = \"risk\"\nall = [{ feature = \"realised_vol_1h\", op = \">\", value = 0.8 }]\ntext = \"x\"\n");
    place.ok("collect --source in --data data");
    for (line, code, words) in EXITS {
        let done = place.run(line).exits(*code);
        match code {
            0 => drop(done.prints(words)),
            _ => drop(sentence(done).says(words)),
        }
    }
    assert!(!place.path("other").exists(), "a refused command has made a data folder");
}

/// Standard error ends with one sentence in the house style; without a command the help stands there instead.
fn sentence(done: Outcome) -> Outcome {
    let line = &done.line;
    if done.err.contains("Usage: barograph") {
        assert!(line.is_empty() || *line == "rules", "{line}:\n{}", done.err);
        return done;
    }
    let last = done.err.lines().last().unwrap_or_else(|| panic!("{line} says nothing"));
    let text = last.strip_prefix("barograph: ").unwrap_or_else(|| panic!("{line}: who speaks? {}", done.err));
    assert_eq!(done.err.matches("barograph: ").count(), 1, "{line}: {}", done.err);
    assert!(!text.starts_with(|c: char| c.is_uppercase()), "{line}: begins with a capital: {text}");
    assert!(!text.ends_with(['.', '!', ':', ' ']), "{line}: ends like prose: {text}");
    assert!(!text.contains("  ") && !text.contains("Error") && !text.contains("Err("), "{line}: {text}");
    // What is above are facts of the run, not a second error.
    let before: Vec<&str> = done.err.lines().collect();
    for fact in &before[..before.len() - 1] {
        let known = ["reading ", "book ", "failed ", "rejected ", "read ", "stored "];
        assert!(known.iter().any(|k| fact.starts_with(k)), "{line}: {fact}");
    }
    done
}

/// `barograph.toml` of the current folder, and what is wrong with it.
const FILES: &[(&str, &str)] = &[
    ("# mine\n\nlistn = \"127.0.0.1:1\"\n", "unknown key `listn` in barograph.toml:3 — did you mean `listen`?"),
    ("symbls = \"BTCUSDT\"\n", "unknown key `symbls` in barograph.toml:1"),
    ("book = absolute\n", "barograph.toml:1:"),
    ("data = \"x\"\ndata = \"y\"\n", "barograph.toml:2:"),
    ("data = 1.5\n", "barograph.toml:1: `data` must be a text or a whole number"),
    ("[serve]\nlisten = \"127.0.0.1:1\"\n", "unknown key `serve` in barograph.toml:1"),
    ("keep_minutes_days = 0\n", "keep_minutes_days (barograph.toml:1): '0' is not a whole number above zero"),
    ("stream_clients_max = \"many\"\n", "stream_clients_max (barograph.toml:1): 'many' is not a whole number"),
    ("default_venue = \"Binance Futures\"\n", "default_venue (barograph.toml:1): 'Binance Futures' is not a venue id"),
];

#[test]
fn a_wrong_configuration_file_is_refused_with_its_line() {
    for (text, words) in FILES {
        let place = Place::new();
        place.write("barograph.toml", text);
        drop(sentence(place.run("config show").exits(2)).says(words));
        drop(place.run("features").exits(2).says(words));
        // The same file under another name, and nothing wrong where it is not read.
        std::fs::rename(place.path("barograph.toml"), place.path("mine.toml")).unwrap();
        let words = words.replace("barograph.toml", "mine.toml");
        drop(place.run("config show --config mine.toml").exits(2).says(&words));
        place.ok("config show");
    }
}

#[test]
fn wrong_variables_are_refused_by_name() {
    let place = Place::new();
    for (name, value, words) in [
        ("BAROGRAPH_DTA", "x", "unknown environment variable BAROGRAPH_DTA — did you mean BAROGRAPH_DATA?"),
        ("BAROGRAPH_FROBNICATE", "x", "unknown environment variable BAROGRAPH_FROBNICATE"),
        ("BAROGRAPH_KEEP_MINUTES_DAYS", "1000000", "'1000000' is more than 36500 days"),
        ("BAROGRAPH_KEEP_MINUTES_DAYS", "-3", "keep_minutes_days (environment BAROGRAPH_KEEP_MINUTES_DAYS): '-3'"),
    ] {
        drop(sentence(place.run_with("config show", &[(name, value)]).exits(2)).says(words));
    }
    place
        .run_with("serve --data x", &[("BAROGRAPH_LISTEN", "10.0.0.1:80")])
        .exits(2)
        .says("environment BAROGRAPH_LISTEN");
    place.run_with("config show", &[("OTHER_PROGRAM", "x"), ("BAROGRAPHY", "x")]).exits(0);
}

/// Value and origin of one setting.
fn setting(place: &Place, line: &str, env: &[(&str, &str)], key: &str) -> (String, String) {
    let shown = place.run_with(&format!("{line} --json"), env).exits(0).out;
    let found = json_lines(&shown).into_iter().find(|l| l["key"] == key).unwrap();
    let text = |field: &str| found[field].as_str().unwrap().to_owned();
    (text("value"), text("origin"))
}

#[test]
fn flags_win_over_variables_over_the_file_over_defaults() {
    let place = Place::new();
    let folder = place.root().join("share/barograph").display().to_string();
    let book = |line: &str, env: &[(&str, &str)]| setting(&place, line, env, "book");
    let is = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(setting(&place, "config show", &[], "data"), is(&folder, "default"));
    assert_eq!(book("config show", &[]), is("default", "default"));
    place.write("barograph.toml", "# mine\nbook = \"absolute\"\nhost_names = [\"a.example\", \"b.example\"]\n");
    assert_eq!(book("config show", &[]), is("absolute", "barograph.toml:2"));
    assert_eq!(setting(&place, "config show", &[], "host_names").0, "a.example,b.example");
    let env = [("BAROGRAPH_BOOK", "seed1-strict")];
    assert_eq!(book("config show", &env), is("seed1-strict", "environment BAROGRAPH_BOOK"));
    assert_eq!(book("config show --book mine.toml", &env), is("mine.toml", "flag --book"));
    // What is shown is what is used.
    for (env, name) in [(&[][..], "absolute"), (&env[..], "seed1-strict")] {
        place.run_with("rules show", env).exits(0).prints(&format!("name = \"{name}\""));
    }
    // HOME stands in where the platform says no more.
    let mut command = place.command(["config", "show"]);
    command.env_remove("XDG_DATA_HOME");
    Outcome::of("config show", command).exits(0).prints("home/.local/share/barograph");
}

/// Commands whose standard output must be JSON and nothing else; where `data` is, and files in `in`.
const JSON: &[(&str, &[&str])] = &[
    ("context BTCUSDT", &["snapshot_id", "regimes", "guidance", "explanation", "age_s"]),
    ("context BTCUSDT --as-of 2026-02-05", &["snapshot_id", "regimes", "guidance", "explanation"]),
    ("generate_market_context --symbol BTCUSDT", &["snapshot_id"]),
    ("freshness --threshold 100000000", &["instrument", "what", "age_s", "threshold_s", "stale"]),
    (
        "verify patterns --pattern WASH_TRADING --intensity 2 --episodes 3",
        &["kind", "pattern", "class", "intensity", "injections", "figures", "recall", "recall_95", "false_alerts"],
    ),
    ("analyze BTCUSDT", &["instrument", "health", "alerts", "patterns", "sources", "logic_version"]),
    ("levels BTCUSDT", &["level_id", "type", "price", "known_at", "strength", "last_event"]),
    ("markets", &["instrument", "kind", "streams", "newest_event"]),
    ("features", &["id", "unit", "formula", "inputs", "window"]),
    ("features oi_delta_4h", &["id", "unit", "formula", "inputs", "window"]),
    ("rules show", &["text"]),
    ("rules check default", &["book", "rules", "features", "logic_version"]),
    ("config show", &["key", "value", "origin"]),
    ("db check --hash", &["sound", "problems", "counts", "sha256"]),
    ("db migrate", &["data"]),
    ("verify causality in/binance-usdm/ETHUSDT -n 2", &["rewritten", "compared", "points", "seed"]),
    ("verify determinism in/binance-usdm/ETHUSDT", &["equal", "hash"]),
    ("replay in --from 2026-02-05 --until 2026-02-05T03:00:00Z", &["type", "instrument", "ts"]),
    ("collect --source in", &[]),
];

#[test]
fn json_means_objects_and_nothing_else() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], "2026-02-03", "2026-02-07");
    place.ok("collect --source in --data data");
    for (line, fields) in JSON {
        let out = place.ok(&format!("{line} --json --data data"));
        let lines = json_lines(&out);
        assert_eq!(lines.is_empty(), fields.is_empty(), "{line}: {out}");
        for object in lines {
            for field in *fields {
                assert!(object.get(*field).is_some(), "{line}: no {field} in {object}");
            }
        }
    }
    // The verdict no comes as JSON, too.
    let stale = place.run("freshness --json --data data").exits(1);
    assert!(json_lines(&stale.out).iter().all(|l| l["stale"] == true), "{}", stale.out);
}

/// One line as (type, instrument, ts).
fn what(line: &Value) -> (String, String, String) {
    let text = |field: &str| line[field].as_str().unwrap_or_else(|| panic!("no {field} in {line}")).to_owned();
    (text("type"), text("instrument"), text("ts"))
}

#[test]
fn replay_lines_carry_what_they_promise() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], "2026-01-17", "2026-02-07");
    let out = place.ok("replay in --json --every 1h");
    let catalogue: BTreeSet<String> =
        json_lines(&place.ok("features --json")).iter().map(|f| f["id"].as_str().unwrap().to_owned()).collect();
    let (mut seen, mut null_count) = (BTreeSet::new(), 0);
    for line in json_lines(&out) {
        let (kind, instrument, ts) = what(&line);
        assert!(["binance-usdm:BTCUSDT", "binance-usdm:ETHUSDT"].contains(&instrument.as_str()), "{line}");
        assert!(ts.len() == 20 && ts.ends_with('Z'), "{line}");
        match kind.as_str() {
            "features" => {
                let fields =
                    ["computation_version", "instrument", "readings", "source_metrics", "ts", "type", "values"];
                assert_eq!(keys(&line), fields);
                let values = line["values"].as_object().unwrap();
                let readings = line["readings"].as_object().unwrap();
                assert!(values.keys().eq(catalogue.iter()), "every feature, and none besides");
                let null: Vec<&String> = values.iter().filter(|(_, v)| v.is_null()).map(|(k, _)| k).collect();
                assert!(readings.keys().eq(null.iter().copied()), "a reason where there is no value, and only there");
                assert!(readings.values().all(|r| r.as_str().is_some_and(|t| !t.is_empty())), "{line}");
                null_count += null.len();
            }
            "snapshot" => {
                assert_eq!(line["timestamp"], ts.as_str());
                assert!(line["explanation"]["reasoning"].as_str().is_some_and(|t| !t.is_empty()));
                assert!(line.get("age_s").is_none(), "a replayed snapshot has no present moment");
            }
            "label_change" => assert_ne!(line["from"], line["to"]),
            "event" => {
                let words = ["alert_id", "pattern_type", "severity", "change", "state", "known_at", "description"];
                assert!(words.iter().all(|f| line[*f].is_string()), "{line}");
                assert_eq!(line["timestamp"], ts.as_str());
            }
            "gap" => assert!(["stream", "metric", "source", "state", "from"].iter().all(|f| line[*f].is_string())),
            other => panic!("unknown type {other}"),
        }
        seen.insert(kind);
    }
    assert!(
        ["event", "features", "gap", "label_change", "snapshot"].iter().all(|t| seen.contains(*t)),
        "only {seen:?}"
    );
    assert!(null_count > 0, "nothing was warming up");
}

/// A name that somebody else chose begins no line of its own.
#[test]
fn the_name_of_a_file_stays_on_its_line() {
    let place = Place::new();
    let forged = "y\n[CASCADE] z.csv";
    std::fs::write(place.path(forged), "neither,time\n1,2\n").unwrap();
    let path = place.path(forged).display().to_string();
    for (args, code) in [(vec!["replay", &path], 2), (vec!["replay", "in\n[CASCADE] nowhere.csv"], 2)] {
        let done = Outcome::of(args[1], place.command(&args)).exits(code);
        assert!(done.err.lines().all(|l| !l.starts_with("[CASCADE]")), "{}", done.err);
        assert!(done.err.contains("\\n[CASCADE]"), "{}", done.err);
    }
}

#[test]
fn from_until_and_every_thin_lines_and_change_none() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], "2026-01-17", "2026-02-07");
    let all = place.ok("replay in --json --from 2026-02-05T12:00:00Z --until 2026-02-05T18:00:00Z");
    let all: Vec<&str> = all.lines().collect();
    let known: BTreeSet<&str> = all.iter().copied().collect();
    let count =
        |lines: &[&str], kind: &str| lines.iter().filter(|l| l.starts_with(&format!("{{\"type\":\"{kind}\""))).count();
    assert_eq!((count(&all, "snapshot"), count(&all, "features")), (720, 720), "two markets, 360 minutes");
    assert!(count(&all, "label_change") > 0, "this stretch was chosen for its changes");
    for (options, lines) in
        [("--every 60s", 720), ("--every 1h", 12), ("--every 3600", 12), ("--every 15m", 48), ("--every 1d", 0)]
    {
        let thin =
            place.ok(&format!("replay in --json --from 2026-02-05T12:00:00Z --until 2026-02-05T18:00:00Z {options}"));
        let thin: Vec<&str> = thin.lines().collect();
        assert_eq!((count(&thin, "snapshot"), count(&thin, "features")), (lines, lines), "{options}");
        assert_eq!(count(&thin, "label_change"), count(&all, "label_change"), "{options}: changes are never thinned");
        assert!(thin.iter().all(|l| known.contains(l)), "{options}: evaluation stays at a minute");
    }
    // The first minute shown is --from, the last one before --until.
    let times: BTreeSet<String> = all.iter().map(|l| what(&serde_json::from_str(l).unwrap()).2).collect();
    assert_eq!(times.first().unwrap(), "2026-02-05T12:00:00Z");
    assert!(times.last().unwrap().as_str() < "2026-02-05T18:00:00Z");
    let open = place.ok("replay in --json --every 1h --from 2026-02-06T22:00:00Z");
    assert_eq!(count(&open.lines().collect::<Vec<_>>(), "snapshot"), 6, "to the end of the data, midnight included");
}

#[test]
fn who_stops_reading_is_not_an_error() {
    let stored = stored();
    for line in ["replay in --json", "replay in", "features --json", "config show"] {
        let mut child = stored.place.command(line.split(' ')).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        drop(out);
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{line}: {err}");
        assert!(!first.is_empty(), "{line}");
        let words = err.to_lowercase();
        assert!(!words.contains("pipe") && !words.contains("panicked"), "{line}: {err}");
    }
}

const ESCAPE: char = '\u{1b}';

#[test]
fn colour_is_for_terminals_that_want_it() {
    let stored = stored();
    let lines = [
        "context BTCUSDT --data data",
        "replay in --from 2026-02-05",
        "markets --data data",
        "--help",
        "freshness --data data",
    ];
    for line in lines {
        let done = stored.place.run(line);
        assert!(!done.out.contains(ESCAPE) && !done.err.contains(ESCAPE), "{line}: colour in a pipe");
    }
    // The same on a terminal of `script`'s making.
    let on_terminal = |no_color: Option<&str>| {
        let inner = format!("{} context BTCUSDT --data data", env!("CARGO_BIN_EXE_barograph"));
        let mut script = Command::new("script");
        script.args(["-qec", &inner, "/dev/null"]).current_dir(stored.place.path("")).env_remove("NO_COLOR");
        script.envs(no_color.map(|v| ("NO_COLOR", v)));
        script.stdin(std::process::Stdio::null()).output()
    };
    match on_terminal(None) {
        Ok(shown) if shown.status.success() => {
            let text = String::from_utf8(shown.stdout).unwrap();
            assert!(text.contains(&format!("{ESCAPE}[")), "no colour on a terminal: {text}");
            let plain = String::from_utf8(on_terminal(Some("1")).unwrap().stdout).unwrap();
            assert!(plain.contains("posture") && !plain.contains(ESCAPE), "NO_COLOR is not honoured: {plain}");
        }
        other => barograph_testkit::skipped(&format!("no terminal can be made here with `script` ({other:?})")),
    }
}

#[test]
fn text_fits_eighty_columns() {
    let stored = stored();
    for line in [
        "context BTCUSDT --data data --as-of 2026-02-05T14:35:00Z",
        "context BTCUSDT --data data",
        "replay in",
        "markets --data data",
        "freshness --data data",
        "doctor --endpoint binance-usdm=http://127.0.0.1:1/x --data data",
        "features",
    ] {
        let done = stored.place.run(line);
        for text in done.out.lines() {
            assert!(text.chars().count() <= 80, "{line}: {} columns: {text}", text.chars().count());
        }
    }
}

#[test]
fn u7_the_volatility_class_is_shown_with_its_figure() {
    let stored = stored();
    let line = "context BTCUSDT --data data --as-of 2026-02-05T14:35:00Z";
    let snapshot = json_lines(&stored.place.ok(&format!("{line} --json"))).remove(0);
    let daily = snapshot["explanation"]["features"]["vol_daily"]["value"].as_f64().unwrap();
    let figure = format!("             24 h vol {:.0} % annualised", 100.0 * daily * 365_f64.sqrt());
    let text = stored.place.ok(line);
    let at = text.lines().position(|line| line.starts_with(" volatility  ")).unwrap();
    assert_eq!(text.lines().nth(at + 1), Some(figure.as_str()), "{text}");
}

/// A text without its line breaks and indents.
fn unfolded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_people_read_begins_with_the_headline_of_the_snapshot() {
    let stored = stored();
    for minute in ["2026-02-05T14:35:00Z", "2026-02-05T14:55:00Z"] {
        let line = format!("context BTCUSDT --data data --as-of {minute}");
        let snapshot = json_lines(&stored.place.ok(&format!("{line} --json"))).remove(0);
        let headline = snapshot["headline"].as_str().unwrap();
        let text = unfolded(&stored.place.ok(&line));
        assert!(!headline.is_empty() && text.contains(headline), "{headline}: {text}");
    }
    let snapshots = json_lines(&stored.place.ok("replay in --json --from 2026-02-06"));
    let report = unfolded(&stored.place.ok("replay in"));
    for market in ["BTCUSDT", "ETHUSDT"] {
        let of_market = |s: &&Value| {
            s["headline"].is_string() && s["instrument"].as_str().is_some_and(|name| name.ends_with(market))
        };
        let Some(last) = snapshots.iter().rev().find(of_market) else { continue };
        let headline = last["headline"].as_str().unwrap();
        assert!(report.contains(headline), "{headline}: {report}");
    }
    assert!(snapshots.iter().any(|s| s["headline"].is_string()), "no snapshot");
}

#[test]
fn loops_go_on_until_they_are_stopped() {
    let place = Place::new();
    let end = now() - Span::mins(30);
    let start = end - Span::hours(3);
    market(&place.path("in"), "BTCUSDT", Mood::Calm, (start, end));
    let mut collect =
        place.start("collect_derivatives_metrics --symbol BTCUSDT --continuous --interval 1 --source in --data data");
    collect.err.wait_for("stored ");
    collect.err.wait_for("stored 0 new points");
    // The source grows: the next reads bring it in.
    market(&place.path("in"), "BTCUSDT", Mood::Calm, (start, end + Span::mins(20)));
    collect.err.wait_for(" minutes of 1 market computed");
    let mut context =
        place.start("generate_market_context --symbol BTCUSDT --continuous --interval 1 --data data --json");
    let first: Value = serde_json::from_str(&context.out.wait_for("snapshot_id")).unwrap();
    let second: Value = serde_json::from_str(&context.out.wait_for("snapshot_id")).unwrap();
    assert_eq!(first["snapshot_id"], second["snapshot_id"]);
    assert!(second["age_s"].as_i64().unwrap() > first["age_s"].as_i64().unwrap(), "time goes on");
    // Stale, and still watching.
    let mut watch = place.start("monitor_context_freshness --threshold 300 --continuous --interval 1 --data data");
    for _ in 0..2 {
        let said = watch.err.wait_for("older than");
        assert!(said.starts_with("barograph: "), "{said}");
    }
    for running in [&mut collect, &mut context, &mut watch] {
        assert!(running.kill(), "it had ended by itself");
    }
}
