//! Sessions of a rule book: a named set, hours of one's own, base multipliers (features §3, R2.59).
//!
//! `sessions = "utc"` (or `local`, `forex`, `stocks`) takes a set that is built in; `[[session]]` tables replace single
//! sessions of it: `name`, `zone`, `start`, `end` ("HH:MM" of that zone, the end may be past midnight), `weekends`.
//! `[session_multipliers]` gives base multipliers by session name, as `barograph sessions` prints them.

use super::parse::{choice, find, flag, text_of, unknown_keys};
use super::problem::{Problems, did_you_mean};
use super::tree::{Entry, Node, NodeKind};
use crate::sessions::{SEED_BASE, SessionHours, SessionSet, Zone};
use barograph_domain::TradingSession;

const SETS: [(&str, SessionSet); 4] = [
    ("utc", SessionSet::UTC),
    ("local", SessionSet::LOCAL),
    ("forex", SessionSet::FOREX),
    ("stocks", SessionSet::STOCKS),
];
const HOURS_KEYS: [&str; 5] = ["name", "zone", "start", "end", "weekends"];
/// Bounds of a base multiplier: those of the multiplier itself.
const MULTIPLIER: (f64, f64) = (0.5, 4.0);

pub(super) fn sessions(entries: &[Entry], problems: &mut Problems<'_>) -> SessionSet {
    let mut set = choice(entries, "sessions", &SETS, problems).unwrap_or(SessionSet::UTC);
    match find(entries, "session").map(|e| &e.value) {
        None => {}
        Some(Node { kind: NodeKind::List(tables), .. }) => {
            for table in tables {
                if let Some((at, hours)) = one(table, problems) {
                    set.hours[at] = hours;
                }
            }
        }
        Some(other) => problems.add(other.at, "sessions are written as [[session]] tables"),
    }
    set
}

fn one(node: &Node, problems: &mut Problems<'_>) -> Option<(usize, SessionHours)> {
    let NodeKind::Table(entries) = &node.kind else {
        problems.add(node.at, format!("a session is a table, not {}", node.kind.name()));
        return None;
    };
    unknown_keys(entries, &HOURS_KEYS, "a session", problems);
    let names: Vec<(&str, usize)> =
        TradingSession::ALL.iter().take(3).enumerate().map(|(i, s)| (s.name(), i)).collect();
    if find(entries, "name").is_none() {
        problems.add(node.at, "a session needs a name: ASIAN, LONDON or NY (what they leave is ROLLOVER)");
    }
    let at = choice(entries, "name", &names, problems);
    let zone = match find(entries, "zone") {
        None => Some(Zone::Utc),
        Some(entry) => {
            let name = text_of(entries, "zone", problems)?;
            let found = Zone::NAMES.into_iter().find(|(n, _)| *n == name).map(|(_, z)| z);
            if found.is_none() {
                let known = Zone::NAMES.map(|(n, _)| n);
                let near = did_you_mean(&name, known);
                problems.add(entry.value.at, format!("unknown zone '{name}'{near}; known are {}", known.join(", ")));
            }
            found
        }
    };
    let (start, end) = (clock(entries, "start", node.at, problems), clock(entries, "end", node.at, problems));
    let weekends = flag(entries, "weekends", problems).unwrap_or(true);
    let (start, end) = (start?, end?);
    if start == end {
        problems.add(node.at, "a session starts and ends at different times");
        return None;
    }
    Some((at?, SessionHours { zone: zone?, start, end, weekends }))
}

/// Minutes of the day of "HH:MM".
fn clock(entries: &[Entry], key: &str, at: usize, problems: &mut Problems<'_>) -> Option<u16> {
    let Some(entry) = find(entries, key) else {
        problems.add(at, format!("a session needs '{key}', as in {key} = \"08:00\""));
        return None;
    };
    let text = text_of(entries, key, problems)?;
    let parsed = text.split_once(':').and_then(|(h, m)| {
        let (h, m): (u16, u16) = (h.parse().ok()?, m.parse().ok()?);
        (h <= 24 && m < 60 && (h < 24 || m == 0)).then_some(h * 60 + m)
    });
    if parsed.is_none() {
        problems.add(entry.value.at, format!("'{key}' is '{text}'; times are written \"HH:MM\""));
    }
    parsed
}

pub(super) fn multipliers(entries: &[Entry], problems: &mut Problems<'_>) -> [f64; 4] {
    let mut out = SEED_BASE;
    let Some(entry) = find(entries, "session_multipliers") else { return out };
    let NodeKind::Table(table) = &entry.value.kind else {
        problems.add(entry.value.at, "'session_multipliers' is a table such as { ASIAN = 1.0, NY = 1.8 }");
        return out;
    };
    unknown_keys(table, &TradingSession::ALL.map(TradingSession::name), "session_multipliers", problems);
    for session in TradingSession::ALL {
        let Some(entry) = find(table, session.name()) else { continue };
        match entry.value.kind {
            NodeKind::Number(x) if (MULTIPLIER.0..=MULTIPLIER.1).contains(&x) => out[session.index()] = x,
            NodeKind::Number(x) => problems.add(
                entry.value.at,
                format!("the multiplier {x} lies outside {} to {} average true ranges", MULTIPLIER.0, MULTIPLIER.1),
            ),
            _ => problems.add(entry.value.at, "a multiplier is a number"),
        }
    }
    out
}
