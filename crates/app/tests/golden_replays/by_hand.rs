//! Readings computed outside the engine from the recorded files (`by_hand.csv`): met to 1e-9, never blessed.

use crate::frozen::folder;
use serde_json::Value;

/// Relative difference allowed; values below a thousandth are compared as if they were one.
const TOLERANCE: f64 = 1e-9;

/// Holds an episode's hourly rows against the table.
pub(crate) fn check(episode: &str, hourly: &[Value]) {
    let table = std::fs::read_to_string(folder().join("by_hand.csv")).unwrap();
    let mut compared = 0;
    for line in table.lines().skip(1).filter(|l| l.split(',').next() == Some(episode)) {
        let [_, market, ts, feature, want] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("by_hand.csv: not five cells: {line}");
        };
        let row = hourly.iter().find(|l| l["instrument"] == market && l["ts"] == ts);
        let row = row.unwrap_or_else(|| panic!("by_hand.csv: no row for {line}"));
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
    assert!(compared > 0, "by_hand.csv has nothing about {episode}");
}
