//! `[detectors]` and `[order_flow]` of a rule book: every number the detectors go by (surveillance §2, §5, R3.26). What is not stated
//! is the originals' number, or the specification's. `own_history` says whether a market is judged against its own past besides (features S09, S10).

use super::parse::{find, flag};
use super::problem::{Problems, did_you_mean};
use super::tree::{Entry, NodeKind};
use crate::detect::Thresholds;
use crate::detect::thresholds::KEYS;
use crate::order_flow::FlowThresholds;

const OWN_HISTORY: &str = "own_history";

pub(super) fn thresholds(entries: &[Entry], problems: &mut Problems<'_>) -> Thresholds {
    let mut out = Thresholds::default();
    let Some(entry) = find(entries, "detectors") else { return out };
    let NodeKind::Table(table) = &entry.value.kind else {
        problems.add(entry.value.at, "'detectors' is a table such as { burst_count = 5 }");
        return out;
    };
    out.own_history = flag(table, OWN_HISTORY, problems).unwrap_or(out.own_history);
    let known: Vec<&str> = KEYS.iter().map(|k| k.name).collect();
    for entry in table.iter().filter(|e| e.key != OWN_HISTORY) {
        if !known.contains(&entry.key.as_str()) {
            let near = did_you_mean(&entry.key, known.iter().copied().chain([OWN_HISTORY]));
            problems.add(entry.at, format!("unknown key '{}' of detectors{near}", entry.key));
            continue;
        }
        number(entry, |value| out.set(&entry.key, value), problems);
    }
    for (first, second, why) in out.steps_down() {
        let at = find(table, second).or_else(|| find(table, first)).map_or(entry.at, |e| e.value.at);
        problems.add(at, why);
    }
    out
}

fn number(entry: &Entry, set: impl FnOnce(f64) -> Result<(), String>, problems: &mut Problems<'_>) {
    let NodeKind::Number(value) = entry.value.kind else {
        problems.add(entry.value.at, format!("'{}' is a number, not {}", entry.key, entry.value.kind.name()));
        return;
    };
    if let Err(why) = set(value) {
        problems.add(entry.value.at, why);
    }
}

pub(super) fn order_flow(entries: &[Entry], problems: &mut Problems<'_>) -> FlowThresholds {
    let mut out = FlowThresholds::default();
    let Some(entry) = find(entries, "order_flow") else { return out };
    let NodeKind::Table(table) = &entry.value.kind else {
        problems.add(entry.value.at, "'order_flow' is a table such as { spoof_episodes = 4 }");
        return out;
    };
    for entry in table {
        number(entry, |value| out.set(&entry.key, value), problems);
    }
    out
}
