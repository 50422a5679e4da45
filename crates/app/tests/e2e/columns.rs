//! What people read on a terminal of 80 columns (UX §3): no line is longer, so no terminal breaks a word; a recording reads as one, and
//! commands beside a world of another pace judge by its clock.

use crate::support::data::slice;
use crate::support::{Place, json_lines};
use std::time::{Duration, Instant};

/// Every command that prints for people over stored data, run where `in` and `data` are.
const PRINTS: [&str; 27] = [
    "replay in --from 2026-02-04",
    "context BTCUSDT --data data",
    "context BTCUSDT --now --data data",
    "context ETHUSDT --as-of 2026-02-05T14:35:00Z --data data",
    "advise BTCUSDT --side long --entry 69366 --as-of 2026-02-05T14:35:00Z --data data",
    "markets --data data",
    "freshness --threshold 100000000 --data data",
    "levels BTCUSDT --data data",
    "levels BTCUSDT --all --data data",
    "events --limit 200 --data data",
    "events --limit 200 --long --data data",
    "sessions BTCUSDT --data data",
    "similar BTCUSDT --data data",
    "universe --data data",
    "portfolio --data data",
    "positions ls --data data",
    "alerts ls --data data",
    "alerts silences --data data",
    "calendar --data data",
    "scorecard --data data",
    "drift --data data",
    "forecasts --data data",
    "contest --data data",
    "rules check default",
    "rules whatif --data data",
    "config show",
    "features oi_delta_4h",
];

#[test]
fn no_line_is_longer_than_a_terminal() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], "2026-01-20", "2026-02-07");
    place.ok("collect --source in --data data");
    let mut long = Vec::new();
    let mut printed = 0;
    for line in PRINTS {
        let done = place.run_with(line, &[("COLUMNS", "80")]);
        printed += usize::from(done.code == Some(0) && !done.out.is_empty());
        assert!(!done.out.contains('\x1b'), "{line}: colours in a pipe");
        // A path or an address has no place to be folded at.
        let cut = |l: &&str| l.chars().count() > 80 && l.split_whitespace().all(|word| word.chars().count() < 60);
        long.extend(done.out.lines().filter(cut).map(|l| format!("{line}: {l}")));
    }
    assert!(long.is_empty(), "{} lines:\n{}", long.len(), long.join("\n"));
    assert!(printed > 20, "only {printed} commands printed anything");
}

#[test]
fn a_recording_reads_as_one_and_programs_get_what_holds_now() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT"], "2026-02-03", "2026-02-07");
    place.ok("collect --source in --data data");
    let last = place.ok("context BTCUSDT --data data");
    assert!(last.contains("Recorded until 7 Feb 2026: its last reading."), "{last}");
    assert!(last.contains("barograph up --symbols BTCUSDT"), "how to ask for now:\n{last}");
    assert!(!last.contains("UNKNOWN ?") && !last.contains(" old (limit"), "{last}");
    let now = place.ok("context BTCUSDT --now --data data");
    assert!(now.contains("UNKNOWN ?") && !now.contains("its last reading"), "{now}");
    let json = &json_lines(&place.ok("context BTCUSDT --json --data data"))[0];
    assert_eq!(json["regimes"]["risk"]["raw_label"], "UNKNOWN", "a program takes no old label for one of now");
    assert!(json["recorded_until"].as_str().is_some_and(|t| t.starts_with("2026-02-0")), "{}", json["recorded_until"]);
    assert!(json["headline"].as_str().unwrap().starts_with("Recorded until "), "{}", json["headline"]);
    let markets = place.ok("markets --data data");
    assert!(markets.contains("recorded until ") && !markets.contains("SILENT"), "{markets}");
    let fresh = place.run("freshness --data data").exits(1).says("recordings only");
    assert!(fresh.out.contains("recorded until ") && !fresh.out.contains("stale"), "{}", fresh.out);
}

/// The demo's world began hours ago and runs at twenty times the pace: by the machine's clock all of it is old.
#[test]
fn commands_beside_the_demo_judge_by_its_clock() {
    let place = Place::new();
    let mut demo = place.start("demo --listen 127.0.0.1:0");
    demo.out.wait_for("stop with Ctrl-C");
    let until = Instant::now() + Duration::from_secs(120);
    let said = loop {
        let said = place.ok("markets");
        if said.contains("LIVE since ") && !said.contains("SILENT") {
            break said;
        }
        assert!(Instant::now() < until, "{said}");
        std::thread::sleep(Duration::from_secs(1));
    };
    assert!(said.contains("recorded until 5 Mar 2026"), "{said}");
    // Its first label comes with its first full minute; on a busy machine one is published before the history of funding is there.
    let is_read =
        || Some(place.run("context M0001USDT")).is_some_and(|d| d.code == Some(0) && !d.out.contains("UNKNOWN ?"));
    while !is_read() {
        assert!(Instant::now() < until, "no minute of the made-up market was published");
        std::thread::sleep(Duration::from_secs(1));
    }
    let context = place.ok("context M0001USDT");
    assert!(!context.contains(" h old") && !context.contains("UNKNOWN ?"), "{context}");
    demo.signal("KILL");
    demo.wait(Duration::from_secs(10));
    // Its clock went with it: by the machine's the world is hours behind.
    assert!(place.ok("markets").contains("nothing is listening"));
}
