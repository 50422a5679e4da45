//! Readings computed outside the engine from the recorded files (`by_hand*.csv`): met to 1e-9, never blessed.

use crate::frozen::folder;
use serde_json::Value;

/// Relative difference allowed; values below a thousandth are compared as if they were one.
const TOLERANCE: f64 = 1e-9;

/// Of the episodes whose recordings lie elsewhere, and of those that lie in the repository.
const TABLES: [&str; 2] = ["by_hand.csv", "by_hand_shipped.csv"];

/// Holds an episode's hourly rows against the tables.
pub(crate) fn check(episode: &str, hourly: &[Value]) {
    let text = TABLES.map(|name| std::fs::read_to_string(folder().join(name)).unwrap());
    let mut compared = 0;
    for line in text.iter().flat_map(|t| t.lines().skip(1)).filter(|l| l.split(',').next() == Some(episode)) {
        let [_, market, ts, feature, want] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("by hand: not five cells: {line}");
        };
        let row = hourly.iter().find(|l| l["instrument"] == market && l["ts"] == ts);
        let row = row.unwrap_or_else(|| panic!("by hand: no row for {line}"));
        let got = row["values"][feature].as_f64();
        let reason = row["readings"][feature].as_str();
        let want: Option<f64> = (!want.is_empty()).then(|| want.parse().unwrap());
        let met = match (got, want) {
            (Some(got), Some(want)) => (got - want).abs() <= TOLERANCE * want.abs().max(1e-3),
            (None, None) => reason.is_some(),
            _ => false,
        };
        assert!(met, "{line}: the replay says {got:?} {reason:?}");
        compared += 1;
    }
    assert!(compared > 0, "nothing by hand about {episode}");
}
