//! `[detectors]` of a rule book: every number the detectors go by (surveillance §2, R3.26). What is not stated is the
//! originals' number. `own_history` says whether a market is judged against its own past besides (features S09, S10).

use super::parse::{find, flag};
use super::problem::{Problems, did_you_mean};
use super::tree::{Entry, NodeKind};
use crate::detect::Thresholds;
use crate::detect::thresholds::KEYS;

const OWN_HISTORY: &str = "own_history";

pub(super) fn thresholds(entries: &[Entry], problems: &mut Problems<'_>) -> Thresholds {
    let mut out = Thresholds::default();
    let Some(entry) = find(entries, "detectors") else { return out };
    let NodeKind::Table(table) = &entry.value.kind else {
        problems.add(entry.value.at, "'detectors' is a table such as { burst_count = 5 }");
        return out;
    };
    out.own_history = flag(table, OWN_HISTORY, problems).unwrap_or(out.own_history);
    for entry in table.iter().filter(|e| e.key != OWN_HISTORY) {
        if !KEYS.iter().any(|k| k.name == entry.key) {
            let near = did_you_mean(&entry.key, KEYS.iter().map(|k| k.name).chain([OWN_HISTORY]));
            problems.add(entry.at, format!("unknown key '{}' of detectors{near}", entry.key));
            continue;
        }
        let NodeKind::Number(value) = entry.value.kind else {
            problems.add(entry.value.at, format!("'{}' is a number, not {}", entry.key, entry.value.kind.name()));
            continue;
        };
        if let Err(why) = out.set(&entry.key, value) {
            problems.add(entry.value.at, why);
        }
    }
    for (first, second, why) in out.steps_down() {
        let at = find(table, second).or_else(|| find(table, first)).map_or(entry.at, |e| e.value.at);
        problems.add(at, why);
    }
    out
}
