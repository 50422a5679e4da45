//! `severity` and `lift` of a rule book: whether alerts that are common on a market are called less severe, and which of them were
//! measured to forecast their event: in rows of the book, or on each market as it goes (verification §5). How it is judged is `detect::rarity`.

use super::parse::{choice, find, number_of, text_of, unknown_keys};
use super::problem::{Problems, did_you_mean};
use super::tree::{Entry, Node, NodeKind};
use crate::detect::rarity::{MeasuredLift, SeverityBy, SeverityTable};
use barograph_domain::Pattern;

/// Lifts are counted on each market as it goes.
const MEASURED: &str = "measured";
const KEYS: [&str; 5] = ["pattern", "label", "event", "lower", "measured"];
/// Events that a lift can be of (verification §2): all but the reaction to a level, which is no alert's.
const EVENTS: [&str; 13] = [
    "hv_1h",
    "squeeze_4h",
    "chop_4h",
    "calm_4h",
    "trend_up_24h",
    "trend_down_24h",
    "vol_class_24h",
    "vol_up_24h",
    "corr_break_7d",
    "zone_reach_24h",
    "alert_cascade_1h",
    "alert_move_1h",
    "post_fund_rev_8h",
];
/// More rows than there are patterns and labels.
const LIFTS_MAX: usize = 64;
/// A lift is a ratio of frequencies; nothing measured comes near.
const LIFT_MAX: f64 = 10_000.0;

pub(super) fn table(entries: &[Entry], problems: &mut Problems<'_>) -> SeverityTable {
    let words = SeverityBy::ALL.map(|by| (by.name(), by));
    let by = choice(entries, "severity", &words, problems).unwrap_or_default();
    let mut out = SeverityTable { by, ..SeverityTable::FIXED };
    match find(entries, "lift") {
        None => {}
        Some(Entry { value: Node { kind: NodeKind::List(rows), .. }, at, .. }) => {
            if by == SeverityBy::Fixed {
                problems.add(*at, "[[lift]] counts only where the book says severity = \"rarity\"");
            }
            if rows.len() > LIFTS_MAX {
                problems.add(*at, format!("{} lifts are too many; the limit is {LIFTS_MAX}", rows.len()));
            }
            out.lifts.extend(rows.iter().filter_map(|row| lift(row, problems)));
        }
        Some(Entry { value: Node { kind: NodeKind::Text(word), at }, .. }) => {
            out.measures = word == MEASURED && by == SeverityBy::Rarity;
            if word != MEASURED {
                problems.add(*at, format!("'lift' is \"{MEASURED}\", or a list of [[lift]] tables"));
            } else if by == SeverityBy::Fixed {
                problems.add(*at, "lifts count only where the book says severity = \"rarity\"");
            }
        }
        Some(other) => problems.add(other.value.at, "lifts are written as [[lift]] tables"),
    }
    out
}

fn lift(node: &Node, problems: &mut Problems<'_>) -> Option<MeasuredLift> {
    let NodeKind::Table(entries) = &node.kind else {
        problems.add(node.at, format!("a lift is a table, not {}", node.kind.name()));
        return None;
    };
    unknown_keys(entries, &KEYS, "a lift", problems);
    for key in ["pattern", "event", "lower", "measured"] {
        if find(entries, key).is_none() {
            problems.add(node.at, format!("a lift needs '{key}'"));
        }
    }
    let at = |key| find(entries, key).map_or(node.at, |e| e.value.at);
    let word = text_of(entries, "pattern", problems)?;
    let pattern = Pattern::from_name(&word);
    if pattern.is_none() {
        let near = did_you_mean(&word, Pattern::ALL.iter().map(|p| p.name()));
        problems.add(at("pattern"), format!("'{word}' is no event type{near}"));
    }
    let event = text_of(entries, "event", problems)?;
    if !EVENTS.contains(&event.as_str()) {
        let near = did_you_mean(&event, EVENTS.iter().copied());
        problems.add(at("event"), format!("'{event}' is no event that is scored{near}"));
    }
    let lower = number_of(entries, "lower", 0.0, LIFT_MAX, problems)?;
    let measured = text_of(entries, "measured", problems)?;
    if measured.trim().is_empty() {
        problems.add(at("measured"), "'measured' says on which recordings, as in \"BTCUSDT 2022 to 2024, hourly\"");
    }
    Some(MeasuredLift { pattern: pattern?, label: text_of(entries, "label", problems), event, lower, measured })
}

/// Lines for the logic version; none of a book that knows no rarity. Where a lift was measured changes no record.
pub(super) fn lines(table: &SeverityTable) -> Vec<(String, String)> {
    if table.by == SeverityBy::Fixed {
        return Vec::new();
    }
    let lift = |(i, l): (usize, &MeasuredLift)| {
        let what = format!("{} {} {}", l.pattern.name(), l.label.as_deref().unwrap_or("*"), l.lower);
        (format!("lift.{i:02}"), what)
    };
    let by = ("by".to_owned(), table.by.name().to_owned());
    let measures = table.measures.then(|| ("lift".to_owned(), MEASURED.to_owned()));
    core::iter::once(by).chain(measures).chain(table.lifts.iter().enumerate().map(lift)).collect()
}

#[cfg(test)]
mod tests {
    use super::EVENTS;
    use barograph_domain::forecast::ForecastEvent;
    use std::collections::BTreeSet;

    #[test]
    fn events_are_those_that_are_forecast() {
        let known = ForecastEvent::ALL.into_iter().filter(|e| *e != ForecastEvent::LevelReact).map(ForecastEvent::id);
        assert_eq!(EVENTS.into_iter().collect::<BTreeSet<_>>(), known.collect());
    }
}
