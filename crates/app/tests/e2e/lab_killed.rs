//! Commands of the lab that are killed in the middle: given again they go on, and say to the byte what an unbroken run says.

use crate::support::Place;
use barograph_domain::{Span, Ts};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Seconds of a market whose mid moves each second by a drawn step.
const SECONDS: i64 = 4_500;
const STUDY: &str = "BTCUSDT --target dir_1s --folds 2 --embargo 10s --rows-min 50 --data data";

fn studied() -> Place {
    let place = Place::new();
    let mut text = String::from("ts,known_ts,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n");
    let (mut state, mut mid) = (7_u64, 1_000.0);
    let begins = Ts::parse("2026-01-05T00:00:00Z").unwrap();
    for second in 0..SECONDS {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let step = f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1_u32 << 31) - 0.5;
        mid += step;
        let at = begins + Span::secs(second);
        let known = at + Span::millis(40);
        writeln!(text, "{},{},{:.3},{:.3},{:.3},50", at.0, known.0, mid - 0.05, 50.0 + 40.0 * step, mid + 0.05)
            .unwrap();
    }
    place.write("a.csv", &text);
    place.ok("lab dataset BTCUSDT --source a.csv --data data");
    place.ok(&format!("lab train {STUDY} --model linear"));
    place
}

/// Files of a folder with what sets a file apart from one that was written anew.
fn files(folder: &Path) -> BTreeMap<String, (u64, i64)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    let one = |entry: std::fs::DirEntry| {
        let about = entry.metadata().unwrap();
        (entry.file_name().into_string().unwrap(), (about.ino(), about.mtime_nsec()))
    };
    entries.map(|entry| one(entry.unwrap())).collect()
}

/// Begins a command and kills it while it waits to keep a part: nobody reads the pipe that stands where the part is written.
fn kill_at(place: &Place, line: &str, parts: &Path, part: &str, before: &str) {
    std::fs::create_dir_all(parts).unwrap();
    let pipe = parts.join(format!("{part}.json.partial"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut running = place.start(line);
    let before = parts.join(format!("{before}.json"));
    for _ in 0..30_000 {
        if before.is_file() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(before.is_file(), "{} was not made: {}", before.display(), running.err.text());
    assert!(running.kill(), "it had ended: {}", running.err.text());
    std::fs::remove_file(pipe).unwrap();
}

/// Killed before one part is kept, then before a later one; `[before, part]` of each.
fn check(place: &Place, line: &str, folder: &str, kills: [[&str; 2]; 2]) {
    let parts = place.path("data/studies/binance-usdm/BTCUSDT/dir_1s").join(folder);
    let want = place.ok(line);
    assert!(!parts.exists(), "nothing is left behind a result");
    let mut kept = BTreeMap::new();
    for [before, part] in kills {
        kill_at(place, line, &parts, part, before);
        let now = files(&parts);
        assert!(now.len() > kept.len(), "{now:?}");
        for (name, about) in &kept {
            assert_eq!(now.get(name), Some(about), "{name} was made again");
        }
        kept = now;
    }
    assert!(place.ok(line) == want, "{line}: the result is another");
    assert!(!parts.exists());
}

#[test]
fn importance_and_a_back_test_that_were_killed_go_on_and_say_the_same() {
    let place = studied();
    let importance = format!("lab importance {STUDY} --model linear --json");
    let kills = [["fold-1-1", "fold-1-2"], ["fold-2-0", "fold-2-1"]];
    check(&place, &importance, "importance-linear.parts", kills);
    let backtest = format!("lab backtest {STUDY} --model linear --fee test=0.1 --json");
    let kills = [["calls-1", "calls-2"], ["linear-daily-2", "linear-daily-3"]];
    check(&place, &backtest, "backtest-linear.parts", kills);
    // What other terms have left behind is not gone on with.
    let parts = place.path("data/studies/binance-usdm/BTCUSDT/dir_1s/backtest-linear.parts");
    let other = format!("lab backtest {STUDY} --model linear --fee test=2 --json");
    let want = place.ok(&other);
    kill_at(&place, &backtest, &parts, "linear-daily-3", "linear-daily-2");
    assert!(place.ok(&other) == want);
}
