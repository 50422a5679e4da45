//! `[[drift]]` and `[[skill]]` of a rule book: alerts about what the book reads and how good its forecasts have been (verification §5).
//!
//! They are judged when a week, or a day, is over, on what the ledger says of it. How is `detect::drifts`.

use super::parse::{choice, find, length_within, number_of, text_of, unknown_keys};
use super::problem::{Problems, did_you_mean};
use super::tree::{Entry, Node, NodeKind};
use crate::catalogue::{CATALOGUE, Feature, ValueType};
use barograph_domain::forecast::ForecastEvent;
use barograph_domain::{Severity, Span};

/// As many of either as a book has alert rules at most.
const RULES_MAX: usize = super::alerts::ALERTS_MAX;
const DRIFT_KEYS: [&str; 4] = ["id", "feature", "above", "severity"];
const SKILL_KEYS: [&str; 5] = ["id", "event", "below", "for", "severity"];
/// The one word for a threshold.
const OWN_WEEKS: &str = "p95";
/// An index beyond it is not met with.
const INDEX_MAX: f64 = 100.0;
/// A forecast can be as much worse than persistence as it likes; below this nobody asks.
const SKILL_MIN: f64 = -10.0;
/// Longest that a skill may be asked to stay below.
const LASTS_MAX: Span = Span::days(366);

/// What an index is held against.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum DriftLimit {
    /// The 95th percentile of the reading's own earlier weeks, and never less than 0.25: the word is "changed" then.
    OwnWeeks,
    /// This number.
    Index(f64),
}

/// An alert for a reading that is spread otherwise than it was.
#[derive(Clone, PartialEq, Debug)]
pub struct DriftRule {
    /// Unique among the rules of the book.
    pub id: String,
    /// The reading.
    pub feature: Feature,
    /// What its index must exceed.
    pub above: DriftLimit,
    /// How severe it is.
    pub severity: Severity,
}

/// An alert for forecasts that have been worse than persistence.
#[derive(Clone, PartialEq, Debug)]
pub struct SkillRule {
    /// Unique among the rules of the book.
    pub id: String,
    /// Forecasts of what.
    pub event: ForecastEvent,
    /// What the whole 90 % band of the skill must lie below.
    pub below: f64,
    /// For how long.
    pub lasts: Span,
    /// How severe it is.
    pub severity: Severity,
}

/// Both kinds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DriftRules {
    /// About readings.
    pub drifts: Vec<DriftRule>,
    /// About forecasts.
    pub skills: Vec<SkillRule>,
}

impl DriftRules {
    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drifts.is_empty() && self.skills.is_empty()
    }
}

/// All of a book.
pub(super) fn rules(entries: &[Entry], problems: &mut Problems<'_>) -> DriftRules {
    let drifts = tables(entries, "drift", problems, drift);
    let skills = tables(entries, "skill", problems, skill);
    let mut ids: Vec<&str> = drifts.iter().map(|d| &*d.id).chain(skills.iter().map(|s| &*s.id)).collect();
    ids.sort_unstable();
    if let Some(twice) = ids.windows(2).find(|w| w[0] == w[1]) {
        let at = find(entries, "drift").or_else(|| find(entries, "skill")).map_or(0, |e| e.at);
        problems.add(at, format!("the id '{}' is used twice among [[drift]] and [[skill]]", twice[0]));
    }
    DriftRules { drifts, skills }
}

fn tables<T>(
    entries: &[Entry],
    key: &str,
    problems: &mut Problems<'_>,
    one: impl Fn(&[Entry], usize, &mut Problems<'_>) -> Option<T>,
) -> Vec<T> {
    let Some(entry) = find(entries, key) else { return Vec::new() };
    let NodeKind::List(rows) = &entry.value.kind else {
        problems.add(entry.value.at, format!("these are written as [[{key}]] tables"));
        return Vec::new();
    };
    if rows.len() > RULES_MAX {
        problems.add(entry.at, format!("{} [[{key}]] tables are too many; the limit is {RULES_MAX}", rows.len()));
    }
    let table = |node: &Node, problems: &mut Problems<'_>| match &node.kind {
        NodeKind::Table(entries) => one(entries, node.at, problems),
        other => {
            problems.add(node.at, format!("[[{key}]] is a table, not {}", other.name()));
            None
        }
    };
    rows.iter().filter_map(|node| table(node, problems)).collect()
}

fn severity(entries: &[Entry], problems: &mut Problems<'_>) -> Severity {
    choice(entries, "severity", &Severity::ALL.map(|s| (s.name(), s)), problems).unwrap_or(Severity::Low)
}

fn drift(entries: &[Entry], at: usize, problems: &mut Problems<'_>) -> Option<DriftRule> {
    unknown_keys(entries, &DRIFT_KEYS, "a drift rule", problems);
    let word = needed(entries, "feature", "feature = \"realized_vol_24h\"", at, problems)?;
    let feature = Feature::from_id(&word);
    let place = find(entries, "feature").map_or(at, |e| e.value.at);
    match feature {
        None => {
            let near = did_you_mean(&word, CATALOGUE.iter().map(|s| s.id));
            problems.add(place, format!("'{word}' is no feature{near}"));
        }
        Some(feature) if !matches!(feature.spec().value, ValueType::Number) => {
            problems.add(place, format!("'{word}' is a word or a flag, and only numbers drift"));
        }
        Some(_) => {}
    }
    let above = match find(entries, "above").map(|e| (&e.value.kind, e.value.at)) {
        None => Some(DriftLimit::OwnWeeks),
        Some((NodeKind::Text(word), _)) if word == OWN_WEEKS => Some(DriftLimit::OwnWeeks),
        Some((NodeKind::Number(_), _)) => number_of(entries, "above", 0.0, INDEX_MAX, problems).map(DriftLimit::Index),
        Some((_, at)) => {
            problems.add(at, format!("'above' is \"{OWN_WEEKS}\", or an index such as 0.5"));
            None
        }
    };
    let id = text_of(entries, "id", problems).unwrap_or_else(|| format!("drift_{word}"));
    Some(DriftRule { id, feature: feature?, above: above?, severity: severity(entries, problems) })
}

fn skill(entries: &[Entry], at: usize, problems: &mut Problems<'_>) -> Option<SkillRule> {
    unknown_keys(entries, &SKILL_KEYS, "a skill rule", problems);
    let word = needed(entries, "event", "event = \"hv_1h\"", at, problems)?;
    let event = ForecastEvent::EVERY_TICK.into_iter().find(|e| e.id() == word && *e != ForecastEvent::VolClass24h);
    if event.is_none() {
        let all = ForecastEvent::EVERY_TICK.iter().filter(|e| **e != ForecastEvent::VolClass24h).map(|e| e.id());
        let place = find(entries, "event").map_or(at, |e| e.value.at);
        problems.add(place, format!("'{word}' is no event with a rolling skill{}", did_you_mean(&word, all)));
    }
    let lasts = length_within(entries, "for", LASTS_MAX, problems).unwrap_or(Span::ZERO);
    let below = number_of(entries, "below", SKILL_MIN, 1.0, problems).unwrap_or(0.0);
    let id = text_of(entries, "id", problems).unwrap_or_else(|| format!("skill_{word}"));
    Some(SkillRule { id, event: event?, below, lasts, severity: severity(entries, problems) })
}

fn needed(entries: &[Entry], key: &str, example: &str, at: usize, problems: &mut Problems<'_>) -> Option<String> {
    if find(entries, key).is_none() {
        problems.add(at, format!("'{key}' is missing, as in {example}"));
    }
    text_of(entries, key, problems)
}

/// Lines for the logic version; none of a book without such rules.
pub(super) fn lines(rules: &DriftRules) -> Vec<(String, String)> {
    let drift = |(i, d): (usize, &DriftRule)| {
        let above = match d.above {
            DriftLimit::OwnWeeks => OWN_WEEKS.to_owned(),
            DriftLimit::Index(x) => x.to_string(),
        };
        (format!("drift.{i:02}"), format!("{} {} {above} {}", d.id, d.feature.id(), d.severity.name()))
    };
    let skill = |(i, s): (usize, &SkillRule)| {
        let text = format!("{} {} {} {} {}", s.id, s.event.id(), s.below, s.lasts.0, s.severity.name());
        (format!("skill.{i:02}"), text)
    };
    let drifts = rules.drifts.iter().enumerate().map(drift);
    drifts.chain(rules.skills.iter().enumerate().map(skill)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleBook;

    fn parse(more: &str) -> Result<RuleBook, String> {
        let rule = "name = \"mine\"\n[[rule]]\nid = \"HIGH_VOL\"\naxis = \"risk\"\nlabel = \"HIGH_VOL\"\nall = [{ feature = \"realized_vol_1h\", op = \">\", value = 0.8 }]\n";
        RuleBook::parse("mine.toml", &format!("{rule}{more}")).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let text = "[[drift]]\nfeature = \"realized_vol_24h\"\n\
                    [[drift]]\nid = \"far\"\nfeature = \"realized_vol_1h\"\nabove = 1.5\nseverity = \"MEDIUM\"\n\
                    [[skill]]\nevent = \"hv_1h\"\nbelow = 0\nfor = \"30d\"\n";
        let book = parse(text).unwrap();
        let rules = book.drift_rules();
        let (own, far) = (&rules.drifts[0], &rules.drifts[1]);
        assert_eq!(
            (own.id.as_str(), own.above, own.severity),
            ("drift_realized_vol_24h", DriftLimit::OwnWeeks, Severity::Low)
        );
        assert_eq!((far.id.as_str(), far.above, far.severity), ("far", DriftLimit::Index(1.5), Severity::Medium));
        let skill = &rules.skills[0];
        assert_eq!((skill.id.as_str(), skill.below, skill.lasts), ("skill_hv_1h", 0.0, Span::days(30)));
        let version = |book: &RuleBook| crate::rules::logic_version(book, "");
        assert_ne!(version(&book), version(&parse("").unwrap()), "they are part of the logic");
    }

    #[test]
    fn mistakes_are_named() {
        let check = |more: &str, says: &str| {
            let why = parse(more).unwrap_err();
            assert!(why.contains(says), "{more}: {why}");
        };
        check("[[drift]]\n", "'feature' is missing");
        check("[[drift]]\nfeature = \"realised_vol_24h\"\n", "is no feature");
        check("[[drift]]\nfeature = \"vol_class\"\n", "only numbers drift");
        check("[[drift]]\nfeature = \"realized_vol_1h\"\nabove = \"p90\"\n", "'above' is \"p95\"");
        check("[[skill]]\nevent = \"alert_move_1h\"\n", "no event with a rolling skill");
        check("[[skill]]\nevent = \"hv_1h\"\nfor = \"400d\"\n", "longer than 366d");
        check("[[skill]]\nevent = \"hv_1h\"\n[[skill]]\nevent = \"hv_1h\"\n", "used twice");
        check("[drift]\nfeature = \"realized_vol_1h\"\n", "[[drift]] tables");
    }
}
