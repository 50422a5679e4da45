//! What is stored: the same whatever the order, the repetitions and the accidents; point in time; one writer; retention.

use crate::support::data::{FILES, STORED_UNTIL, slice, stored};
use crate::support::http::Server;
use crate::support::{Outcome, Place, Random, json_lines};
use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

const MARKETS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];
const FROM: &str = "2026-01-30";
const MIDDLE: &str = "2026-02-03";
const UNTIL: &str = "2026-02-07";

/// Keeps of a written slice the data lines for which `keep(market, file, line number)` holds.
fn sift(folder: &Path, keep: impl Fn(&str, &str, usize) -> bool) {
    for market in MARKETS {
        for file in FILES {
            let path = folder.join("binance-usdm").join(market).join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            let kept: Vec<&str> =
                (0..).zip(text.lines()).filter(|(n, _)| *n == 0 || keep(market, file, *n)).map(|(_, l)| l).collect();
            if kept.len() > 1 {
                std::fs::write(&path, kept.join("\n") + "\n").unwrap();
            } else {
                std::fs::remove_file(&path).unwrap();
            }
        }
    }
}

/// Two folders that together hold the week in `all`.
fn halves(place: &Place, how: &str) {
    let (a, b) = (place.path("a"), place.path("b"));
    match how {
        "time" => {
            slice(&a, &MARKETS, FROM, MIDDLE);
            slice(&b, &MARKETS, MIDDLE, UNTIL);
            return;
        }
        "overlap" => {
            slice(&a, &MARKETS, FROM, "2026-02-05");
            slice(&b, &MARKETS, "2026-02-01", UNTIL);
            return;
        }
        _ => {}
    }
    let first = |market: &str, file: &str, line: usize| match how {
        "kind" => file == FILES[0],
        "market" => market == MARKETS[0],
        "rows" => line.is_multiple_of(2),
        other => panic!("{other}"),
    };
    slice(&a, &MARKETS, FROM, UNTIL);
    slice(&b, &MARKETS, FROM, UNTIL);
    sift(&a, first);
    sift(&b, |market, file, line| !first(market, file, line));
}

#[test]
fn two_imports_in_any_order_equal_one() {
    let whole = Place::new();
    slice(&whole.path("all"), &MARKETS, FROM, UNTIL);
    whole.ok("collect --source all --data data");
    let want = whole.hash("data");
    for how in ["time", "overlap", "kind", "market", "rows"] {
        let place = Place::new();
        halves(&place, how);
        for (one, other) in [("a", "b"), ("b", "a")] {
            let data = format!("{one}-{other}");
            place.ok(&format!("collect --source {one} --data {data}"));
            assert_ne!(place.hash(&data), want, "half of it cannot be all of it");
            place.ok(&format!("replay {other} --data {data}"));
            assert_eq!(place.hash(&data), want, "halves by {how}, {one} first");
        }
        place.ok("collect --source a --source b --data both");
        assert_eq!(place.hash("both"), want, "halves by {how} in one command");
    }
}

#[test]
fn what_is_thinned_does_not_depend_on_how_it_came() {
    let place = Place::new();
    place.write("barograph.toml", "keep_minutes_days = 2\n");
    slice(&place.path("all"), &MARKETS, FROM, UNTIL);
    halves(&place, "time");
    place.ok("collect --source all --data one");
    for (one, other) in [("a", "b"), ("b", "a")] {
        let data = format!("{one}-{other}");
        place.ok(&format!("collect --source {one} --data {data}"));
        place.ok(&format!("collect --source {other} --data {data}"));
        assert_eq!(place.hash(&data), place.hash("one"), "{one} first");
    }
}

#[test]
fn importing_again_changes_nothing() {
    let place = Place::new();
    slice(&place.path("in"), &MARKETS, MIDDLE, UNTIL);
    let first = place.run("collect --source in --data data").exits(0);
    assert!(!first.err.contains("already stored"), "{}", first.err);
    first.says("forecasts registered and resolved at ");
    let hash = place.hash("data");
    for line in
        ["collect --source in --data data", "replay in --data data", "collect --source in --source in --data data"]
    {
        let again = place.run(line).exits(0).says("stored 0 new points");
        let again = again.says("already stored; 0 minutes of 0 markets computed");
        assert!(!again.err.contains("forecasts"), "{}", again.err);
        assert_eq!(place.hash("data"), hash, "{line}");
    }
    // A corrected value is a revision: what follows from it is computed again, and the store is another one.
    let path = place.path("in/binance-usdm/BTCUSDT/candles_1h.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let line = text.lines().nth(30).unwrap();
    let (start, volume) = line.rsplit_once(',').unwrap();
    std::fs::write(&path, text.replace(line, &format!("{start},{volume}1"))).unwrap();
    place.run("collect --source in --data data").exits(0).says("stored 0 new points, 1 revised");
    assert_ne!(place.hash("data"), hash);
    place.run("collect --source in --data data").exits(0).says("0 minutes of 0 markets computed");
}

#[test]
fn a_second_writer_is_told_who_the_first_is() {
    let place = Place::new();
    slice(&place.path("in"), &MARKETS, MIDDLE, UNTIL);
    place.ok("replay in --data data");
    let stored = place.hash("data");
    // It has read its source, keeps the store for the next time, and is held fast.
    let mut first = place.start("collect --source in --data data --continuous --interval 1h");
    first.err.wait_for("stored 0 new points");
    std::thread::sleep(Duration::from_millis(500));
    let id = first.id().to_string();
    first.signal("STOP");
    for line in
        ["collect --source in --data data", "replay in --data data", "db migrate --data data", "db prune --data data"]
    {
        let done = place.run(line).exits(3);
        let words = format!(
            "barograph: process {id} already writes as 'ingest' into 'data'; stop it or choose another data folder"
        );
        assert_eq!(done.err.lines().last(), Some(words.as_str()), "{line}");
        assert_eq!(done.err.matches("barograph: ").count(), 1, "{line}: {}", done.err);
    }
    // Who only reads does not wait, nor does who writes elsewhere.
    place.ok("context BTCUSDT --data data --as-of 2026-02-06");
    place.ok("markets --data data");
    place.ok("db check --data data");
    place.ok("replay in --data other");
    assert_eq!(place.hash("other"), stored);
    first.signal("CONT");
    assert!(first.kill(), "it had ended by itself: {}", first.err.text());
    place.run("collect --source in --data data").exits(0).says("stored 0 new points");
}

/// Rights as the file modes say: the superuser has to become somebody else first.
fn as_nobody(place: &Place, line: &str) -> Option<Outcome> {
    let mut command = place.command(line.split(' '));
    if std::fs::metadata(place.root()).unwrap().uid() == 0 {
        command.uid(65_534);
        // The folders above the binary may be closed to others; then nothing can be tested here.
        if let Err(e) = command.spawn().map(|mut child| child.wait()) {
            barograph_testkit::skipped(&format!("'{line}' cannot run as an unprivileged user here ({e})"));
            return None;
        }
    }
    Some(Outcome::of(line, command))
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_that_may_only_be_read_is_read() {
    let place = Place::new();
    slice(&place.path("in"), &MARKETS, MIDDLE, UNTIL);
    place.ok("replay in --data data");
    let context = place.ok("context BTCUSDT --as-of 2026-02-06 --json --data data");
    let hash = place.hash("data");
    mode(place.root(), 0o755);
    for entry in std::fs::read_dir(place.path("data")).unwrap() {
        mode(&entry.unwrap().path(), 0o444);
    }
    mode(&place.path("data"), 0o555);
    for line in [
        "collect --source in --data data",
        "replay in --data data",
        "db prune --data data",
        "collect --source in --data new",
    ] {
        let Some(done) = as_nobody(&place, line) else { return };
        let done = done.exits(3);
        let said = done.err.lines().last().unwrap();
        assert!(
            said.contains("cannot be written; choose another data folder or allow writing"),
            "{line}: {}",
            done.err
        );
    }
    assert!(!place.path("new").exists());
    let read = as_nobody(&place, "context BTCUSDT --as-of 2026-02-06 --json --data data").unwrap();
    assert_eq!(read.exits(0).out, context);
    let checked = as_nobody(&place, "db check --hash --data data").unwrap();
    assert_eq!(crate::support::hash_line(&checked.exits(0).out), hash);
    mode(&place.path("data"), 0o755);
}

/// What happens to the file, and what is said then.
const DAMAGE: &[(&str, &str)] =
    &[("text", "is not a barograph store"), ("middle", "damaged"), ("half", "damaged"), ("folder", "it is a folder")];

fn damage(path: &Path, how: &str) {
    let mut bytes = std::fs::read(path).unwrap();
    match how {
        "text" => bytes = b"Dear diary, today I put my notes where my database was.\n".repeat(100),
        "middle" => {
            let middle = bytes.len() / 2;
            bytes[middle - 40_000..middle + 40_000].fill(0xaa);
        }
        "half" => bytes.truncate(bytes.len() / 2),
        "folder" => {
            std::fs::remove_file(path).unwrap();
            return std::fs::create_dir(path).unwrap();
        }
        other => panic!("{other}"),
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_database_is_called_that() {
    let place = Place::new();
    slice(&place.path("in"), &MARKETS, FROM, UNTIL);
    place.ok("replay in --data sound");
    let sound = std::fs::read(place.path("sound/barograph.db")).unwrap();
    for (how, words) in DAMAGE {
        let file = place.path("data/barograph.db");
        drop(std::fs::remove_dir_all(place.path("data")));
        std::fs::create_dir(place.path("data")).unwrap();
        std::fs::write(&file, &sound).unwrap();
        damage(&file, how);
        let checked = place.run("db check --hash --data data");
        assert!(matches!(checked.code, Some(1 | 3)), "{how}: {checked:?}");
        let told = format!("{}{}", checked.out, checked.err);
        assert!(told.contains(words), "{how}: '{words}' is not in {told}");
        for line in [
            "context BTCUSDT --data data",
            "markets --data data",
            "collect --source in --data data",
            "serve --listen 127.0.0.1:0 --data data",
        ] {
            // A hole in the middle need not lie where a command reads; a file that is no store is one everywhere.
            if *how == "middle" {
                continue;
            }
            let done = place.run(line).exits(3);
            assert_eq!(done.err.matches("barograph: ").count(), 1, "{how}: {line}: {}", done.err);
            assert!(done.err.lines().last().unwrap().contains(words), "{how}: {line}: {}", done.err);
        }
    }
}

/// Kills of one folder before it is let through, and how often it may be tried: a repetition has less left to do and may be
/// through before it is killed.
const KILLS_EACH: u64 = 5;
const TRIES_EACH: u64 = 40;
const FOLDERS: u64 = 10;

#[test]
fn killed_anywhere_a_repetition_ends_in_the_same_store() {
    let place = Place::new();
    slice(&place.path("in"), &MARKETS, "2026-02-04", "2026-02-06");
    let lines = ["collect --source in --data", "replay in --data"];
    let begun = Instant::now();
    place.ok(&format!("{} calm", lines[0]));
    let whole = begun.elapsed();
    let want = place.hash("calm");
    let mut random = Random::new(50);
    let mut in_time = 0;
    for folder in 0..FOLDERS {
        let data = format!("rough-{folder}");
        let mut here = 0;
        for kill in 0..TRIES_EACH {
            if here == KILLS_EACH {
                break;
            }
            let line = format!("{} {data}", lines[usize::try_from((folder + kill) % 2).unwrap()]);
            let mut running = place.start(&line);
            // Earlier with every try, so that the kills come however fast the machine has become meanwhile.
            let share = u32::try_from(random.below(1_000)).unwrap() / (1 + u32::try_from(kill / 4).unwrap());
            // The moment is the point: nothing can be waited for.
            std::thread::sleep(whole * share / 1_000);
            let killed = u64::from(running.kill());
            here += killed;
            in_time += killed;
            if place.path(&data).join("barograph.db").exists() {
                let checked = place.run(&format!("db check --data {data}"));
                let missing = checked.err.contains("nothing is stored");
                assert!(checked.code == Some(0) || missing, "after kill {kill} of folder {folder}: {checked:?}");
            }
        }
        place.ok(&format!("{} {data}", lines[usize::try_from(folder % 2).unwrap()]));
        assert_eq!(place.hash(&data), want, "folder {folder}");
        std::fs::remove_dir_all(place.path(&data)).unwrap();
    }
    assert_eq!(in_time, FOLDERS * KILLS_EACH, "kills that came in time");
}

#[test]
fn the_past_reads_the_same_after_newer_rows_came() {
    let place = Place::new();
    halves(&place, "time");
    place.ok("collect --source a --data data");
    let mut random = Random::new(12);
    let mut moments: Vec<String> = (0..10)
        .map(|_| format!("2026-02-0{}T{:02}:{:02}:00.200Z", 1 + random.below(2), random.below(24), random.below(60)))
        .collect();
    // The last moment before anything of the second half was known.
    moments.push("2026-02-03T00:00:59Z".to_owned());
    let read = || -> Vec<String> {
        let line = |market: &str, moment: &String| format!("context {market} --as-of {moment} --json --data data");
        MARKETS.iter().flat_map(|m| moments.iter().map(|t| line(m, t))).map(|line| place.ok(&line)).collect()
    };
    let before = read();
    let newest = place.ok("context BTCUSDT --json --data data");
    place.run("collect --source b --data data").exits(0).says("minutes of 2 markets computed");
    for (was, is) in before.iter().zip(read()) {
        assert_eq!(*was, is);
    }
    assert_ne!(place.ok("context BTCUSDT --json --data data"), newest, "the present has moved on");
    // Each moment sees the minute before it and nothing later.
    for (text, moment) in before.iter().zip(&moments) {
        let snapshot: serde_json::Value = serde_json::from_str(text).unwrap();
        assert!(snapshot["known_ts"].as_str().unwrap() <= moment.as_str(), "{moment}: {}", snapshot["known_ts"]);
        assert!(snapshot.get("age_s").is_none());
    }
}

#[test]
fn pruning_keeps_the_grid_and_every_change_of_label() {
    let place = Place::new();
    let folder = stored();
    std::fs::create_dir(place.path("data")).unwrap();
    std::fs::copy(folder.place.path("data/barograph.db"), place.path("data/barograph.db")).unwrap();
    let source = folder.place.path("in").display().to_string();
    let changes = json_lines(&place.ok(&format!("replay {source} --json --every 1d")));
    let changes: BTreeSet<String> = changes
        .iter()
        .filter(|l| l["type"] == "label_change" && l["axis"] == "risk" && l["instrument"] == "binance-usdm:BTCUSDT")
        .map(|l| l["ts"].as_str().unwrap().to_owned())
        .collect();
    let pruned = json_lines(&place.ok("db prune --days 3 --json --data data"));
    let removed = pruned[0]["rows"].as_u64().unwrap();
    assert!(removed > 30_000, "three weeks less three days of two markets: {removed}");
    let hash = place.hash("data");
    // Old days: the grid and the changes. Young ones: every minute.
    let server = Server::start(&place, "data");
    for (day, thinned) in [("2026-01-31", true), ("2026-02-02", true), ("2026-02-05", false)] {
        let range = format!("start={day}T00:00:00Z&end={day}T23:59:00Z");
        let path = format!("/api/v1/markets/binance-usdm:BTCUSDT/context/history?limit=1000&{range}");
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = server.json(&format!("{path}{cursor}"));
            items.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let shown: BTreeSet<String> = items.iter().map(|i| i["timestamp"].as_str().unwrap().to_owned()).collect();
        let minutes = (0..24 * 60 - 1).map(|m| format!("{day}T{:02}:{:02}:00Z", m / 60, m % 60));
        let on_grid = |t: &String| t[15..16].parse::<u32>().unwrap() % 5 == 0;
        let want: BTreeSet<String> = minutes.filter(|t| !thinned || on_grid(t) || changes.contains(t)).collect();
        assert_eq!(shown, want, "{day}");
        assert!(!thinned || want.iter().any(|t| !on_grid(t)), "{day} was chosen for a change off the grid");
    }
    drop(server);
    // Once is enough, and what was removed is not missed by the next import.
    place.run("db prune --days 3 --data data").exits(0).prints("removed 0 minute rows");
    place
        .run(&format!("replay {source} --data data"))
        .exits(0)
        .says("stored 0 new points")
        .says("0 minutes of 0 markets");
    assert_eq!(place.hash("data"), hash);
    assert!(place.ok("context BTCUSDT --json --data data").contains(STORED_UNTIL), "the newest minute stays");
}
