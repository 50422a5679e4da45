//! `verify`: the two promises checked by the command that users run, on the built-in history and with a book of their own.

use crate::support::data::slice;
use crate::support::{Place, hash_line, json_lines};

/// Last line `rewritten readings: 0 of M`, M without separators; M.
fn rewritten(out: &str) -> u64 {
    let last = out.lines().last().unwrap();
    let compared = last.strip_prefix("rewritten readings: 0 of ").unwrap_or_else(|| panic!("{out}"));
    assert!(compared.bytes().all(|b| b.is_ascii_digit()), "{last}");
    compared.parse().unwrap()
}

/// Last line `equal: …` with the hash.
fn equal(out: &str) -> String {
    let hash = out.lines().last().unwrap().strip_prefix("equal: ").unwrap_or_else(|| panic!("{out}"));
    hash_line(hash)
}

#[test]
fn the_built_in_history_is_causal_and_deterministic() {
    let place = Place::new();
    let done = place.run("verify causality -n 3").exits(0).prints("checked at 3 points, seed 1, book default, v0.1.0+");
    // Three markets, at three cuts of three months: millions of readings.
    assert!(rewritten(&done.out) > 1_000_000, "{}", done.out);
    for declared in ["binance-usdm:BTCUSDT bar 1h", "binance-usdm:SOLUSDT open_interest_usd 1h hyperliquid"] {
        assert!(done.err.contains(declared), "{}", done.err);
    }
    let done = place.run("verify determinism").exits(0);
    let hash = equal(&done.out);
    for check in ["random chunks: equal", "saved and restored at random points: equal", "files in another order: equal"]
    {
        assert!(done.err.contains(check), "{}", done.err);
    }
    let shipped = crate::support::data::shipped().display().to_string();
    assert_eq!(hash_line(&place.ok(&format!("replay {shipped} --hash"))), hash, "the hash of a replay");
}

#[test]
fn cuts_follow_their_seed() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT"], "2026-01-20", "2026-02-07");
    let compared = |options: &str| rewritten(&place.ok(&format!("verify causality in {options}")));
    let one = compared("-n 3 --seed 1");
    assert_eq!(compared("--points 3 --seed 1"), one);
    assert_ne!(compared("-n 3 --seed 2"), one);
    assert!(compared("-n 6 --seed 1") > one);
    for seed in [1, 2, 3] {
        equal(&place.ok(&format!("verify determinism in --seed {seed}")));
    }
}

const BOOK: &str = r#"
name = "mine"

[[rule]]
id = "HIGH_VOL"
axis = "risk"
all = [{ feature = "realized_vol_24h", op = ">", value = 0.6, exit = 0.5, scale = 0.1 }]
enter = 3
min_dwell = "30m"
text = "A wild day"

[[rule]]
id = "SQUEEZE_RISK"
axis = "risk"
all = [{ feature = "funding_pct_30d", op = ">", value = 0.9, scale = 0.1, warming = false }, { feature = "oi_zscore_7d", op = ">", value = 1.0, scale = 0.5 }]
text = "Crowded by my measure"
"#;

#[test]
fn books_of_ones_own_are_checked_too() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], "2026-01-20", "2026-02-07");
    place.write("mine.toml", BOOK);
    place.run("rules check mine.toml").exits(0).prints("mine.toml is sound: book 'mine', 2 rules");
    for (book, name) in [("mine.toml", "mine"), ("absolute", "absolute"), ("seed1-strict", "seed1-strict")] {
        let done = place.run(&format!("verify causality in -n 2 --book {book}")).exits(0);
        assert!(rewritten(&done.out) > 100_000);
        assert!(done.out.contains(&format!("book {name}, v0.1.0+")), "{}", done.out);
        equal(&place.ok(&format!("verify determinism in --book {book}")));
    }
    // It is that book that was checked: it finds other weather.
    let labels = |book: &str| -> Vec<String> {
        let out = place.ok(&format!("replay in --json --every 1d --book {book}"));
        let changes = json_lines(&out).into_iter().filter(|l| l["type"] == "label_change" && l["axis"] == "risk");
        changes.map(|l| format!("{} {}", l["ts"], l["to"])).collect()
    };
    assert!(labels("mine.toml").iter().any(|l| l.contains("HIGH_VOL")));
    assert_ne!(labels("mine.toml"), labels("default"));
}
