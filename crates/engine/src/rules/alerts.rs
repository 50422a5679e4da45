//! `[[alert]]` tables of a rule book: conditions of the user's own that make alerts (regimes §12.1).
//!
//! A condition is written as that of a regime rule, with the same exit bands: it fires at the full thresholds and goes on while
//! the relaxed ones hold. `severity` is a word, or steps of the first number the condition compares. `pending` is how long it
//! must hold without a break before anything is delivered, `min_dwell` the shortest time it stays so, `cooldown` how long it is quiet
//! after its end. `deliver_within` is for the messages and changes no number.

use super::book::{Clause, Group, Op, Test, Warming};
use super::check;
use super::clause::Scales;
use super::parse::{Draft, condition, find, length_of, text_of, unknown_keys};
use super::problem::{Problems, did_you_mean};
use super::tree::{Entry, Node, NodeKind};
use super::{Enter, Rule};
use crate::catalogue::Feature;
use barograph_domain::{Axis, Pattern, Severity, Span};

/// Most alert rules of a book: each is judged at every market every minute.
pub(super) const ALERTS_MAX: usize = 64;
const ID_CHARS_MAX: usize = 40;
const KEYS: [&str; 11] =
    ["id", "type", "severity", "all", "any", "pending", "min_dwell", "cooldown", "deliver_within", "text", "axis"];

/// The only feature that is judged at every event, and not at minutes alone.
pub const EVENT_FEATURE: Feature = Feature::LiqCount60s;

/// One alert rule.
#[derive(Clone, PartialEq, Debug)]
pub struct AlertRule {
    /// Unique among the alert rules of the book; letters, digits, `_`, `-`.
    pub id: String,
    /// Type of its events; [`Pattern::AlertRule`] unless the book says otherwise.
    pub kind: Pattern,
    /// Holds when every group does.
    pub groups: Vec<Group>,
    /// Severities in rising order, each with the threshold of the first number that it begins at; the first one begins where
    /// the rule does.
    pub tiers: Vec<(Severity, Option<f64>)>,
    /// Time it must hold without a break before it fires.
    pub pending: Span,
    /// Shortest time it goes on.
    pub min_dwell: Span,
    /// Time after its end in which it does not fire again.
    pub cooldown: Span,
    /// How long a message about it is worth delivering; `None`: as usual.
    pub deliver_within: Option<Span>,
    /// The user's own words.
    pub text: String,
}

impl AlertRule {
    /// The clause whose number the steps of severity and the score go by: the first that compares a number.
    #[must_use]
    pub fn leading(&self) -> Option<&Clause> {
        self.clauses().find(|c| matches!(c.test, Test::Number { .. }))
    }
    /// Every written clause.
    pub fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.groups.iter().flat_map(|g| &g.clauses)
    }
    /// Is it judged at every event?
    #[must_use]
    pub fn is_at_event(&self) -> bool {
        self.clauses().any(|c| c.feature == EVENT_FEATURE)
    }
    /// How severe it is at this reading of its leading clause.
    #[must_use]
    pub fn severity(&self, x: Option<f64>) -> Severity {
        let lowest = self.tiers.first().map_or(Severity::Medium, |(s, _)| *s);
        let Some((x, op, abs)) = x.zip(self.leading()).and_then(|(x, c)| match c.test {
            Test::Number { op, .. } => Some((x, op, c.abs)),
            Test::Codes { .. } => None,
        }) else {
            return lowest;
        };
        let x = if abs { x.abs() } else { x };
        let reached = self.tiers.iter().filter(|(_, from)| from.is_some_and(|from| op.holds(x, from)));
        reached.map(|(s, _)| *s).max().unwrap_or(lowest).max(lowest)
    }
}

/// Whatever the rules that are judged at events read beside [`EVENT_FEATURE`], stand-ins included, each once.
pub(super) fn read_at_events(rules: &[AlertRule]) -> Vec<Feature> {
    let stand_in = |c: &Clause| match &c.warming {
        Warming::Clause(stand_in) => Some(stand_in.feature),
        Warming::Unknown | Warming::Always(_) => None,
    };
    let clauses = rules.iter().filter(|r| r.is_at_event()).flat_map(AlertRule::clauses);
    let mut out: Vec<Feature> = clauses.flat_map(|c| [Some(c.feature), stand_in(c)]).flatten().collect();
    out.retain(|f| *f != EVENT_FEATURE);
    out.sort_unstable();
    out.dedup();
    out
}

/// All of a book.
pub(super) fn alerts(
    entries: &[Entry],
    hysteresis: bool,
    scales: &mut Scales,
    problems: &mut Problems<'_>,
) -> Vec<AlertRule> {
    let mut out: Vec<AlertRule> = Vec::new();
    match find(entries, "alert") {
        None => {}
        Some(Entry { value: Node { kind: NodeKind::List(tables), .. }, at, .. }) => {
            if tables.len() > ALERTS_MAX {
                problems.add(*at, format!("{} alert rules are too many; the limit is {ALERTS_MAX}", tables.len()));
            }
            for table in tables {
                let Some(rule) = one(table, hysteresis, scales, problems) else { continue };
                if out.iter().any(|r| r.id == rule.id) {
                    problems.add(table.at, format!("alert id '{}' is used before", rule.id));
                }
                out.push(rule);
            }
        }
        Some(other) => problems.add(other.value.at, "alert rules are written as [[alert]] tables"),
    }
    out
}

fn one(node: &Node, hysteresis: bool, scales: &mut Scales, problems: &mut Problems<'_>) -> Option<AlertRule> {
    let NodeKind::Table(entries) = &node.kind else {
        problems.add(node.at, format!("an alert rule is a table, not {}", node.kind.name()));
        return None;
    };
    unknown_keys(entries, &KEYS, "an alert rule", problems);
    if let Some(axis) = find(entries, "axis") {
        problems.add(axis.at, "an alert rule belongs to no axis; take 'axis' out");
    }
    let id = id(entries, node.at, problems);
    let kind = kind(entries, problems);
    let (groups, clauses_at) = condition(entries, node.at, hysteresis, scales, problems);
    let draft = Draft {
        rule: Rule {
            id: id.clone().unwrap_or_default(),
            axis: Axis::Risk,
            label: 0,
            groups,
            enter: Enter::Immediate,
            min_dwell: Span::ZERO,
            leave: Span::ZERO,
            text: String::new(),
            text_short: None,
        },
        at: node.at,
        clauses_at,
    };
    check::alone(&draft, problems);
    let mut rule = AlertRule {
        id: id?,
        kind: kind?,
        groups: draft.rule.groups,
        tiers: Vec::new(),
        pending: length_of(entries, "pending", problems).unwrap_or(Span::ZERO),
        min_dwell: length_of(entries, "min_dwell", problems).unwrap_or(Span::ZERO),
        cooldown: length_of(entries, "cooldown", problems).unwrap_or(Span::ZERO),
        deliver_within: length_of(entries, "deliver_within", problems),
        text: text_of(entries, "text", problems).unwrap_or_default(),
    };
    rule.tiers = tiers(entries, &rule, problems);
    Some(rule)
}

fn id(entries: &[Entry], at: usize, problems: &mut Problems<'_>) -> Option<String> {
    let Some(entry) = find(entries, "id") else {
        problems.add(at, "an alert rule needs an id, as in id = \"funding_hot\"");
        return None;
    };
    let id = text_of(entries, "id", problems)?;
    let fine = !id.is_empty()
        && id.len() <= ID_CHARS_MAX
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if fine {
        return Some(id);
    }
    let why = format!("alert id '{id}' has 1 to {ID_CHARS_MAX} letters, digits, '_' or '-'");
    problems.add(entry.value.at, why);
    None
}

fn kind(entries: &[Entry], problems: &mut Problems<'_>) -> Option<Pattern> {
    let Some(entry) = find(entries, "type") else { return Some(Pattern::AlertRule) };
    let word = text_of(entries, "type", problems)?;
    let found = Pattern::from_name(&word);
    if found.is_none() {
        let near = did_you_mean(&word, Pattern::ALL.iter().map(|p| p.name()));
        problems.add(entry.value.at, format!("unknown event type '{word}'{near}"));
    }
    found
}

/// The steps, the mildest first.
fn tiers(entries: &[Entry], rule: &AlertRule, problems: &mut Problems<'_>) -> Vec<(Severity, Option<f64>)> {
    let Some(entry) = find(entries, "severity") else { return vec![(Severity::Medium, None)] };
    match &entry.value.kind {
        NodeKind::Text(word) => match severity(word, entry.value.at, problems) {
            Some(severity) => vec![(severity, None)],
            None => Vec::new(),
        },
        NodeKind::Table(steps) => stepped(steps, rule, problems),
        other => {
            let what = other.name();
            problems.add(
                entry.value.at,
                format!("'severity' is a word or steps such as {{ MEDIUM = 2.0, HIGH = 3.0 }}, not {what}"),
            );
            Vec::new()
        }
    }
}

fn severity(word: &str, at: usize, problems: &mut Problems<'_>) -> Option<Severity> {
    let found = Severity::from_name(word);
    if found.is_none() {
        let near = did_you_mean(word, Severity::ALL.iter().map(|s| s.name()));
        problems.add(at, format!("unknown severity '{word}'{near}"));
    }
    found
}

fn stepped(steps: &[Entry], rule: &AlertRule, problems: &mut Problems<'_>) -> Vec<(Severity, Option<f64>)> {
    let mut out: Vec<(Severity, f64, usize)> = Vec::new();
    for step in steps {
        let Some(severity) = severity(&step.key, step.at, problems) else { continue };
        match step.value.kind {
            NodeKind::Number(from) => out.push((severity, from, step.value.at)),
            _ => problems.add(step.value.at, format!("'{}' is a number, not {}", step.key, step.value.kind.name())),
        }
    }
    out.sort_by_key(|(severity, ..)| *severity);
    let Some(leading) = rule.leading() else {
        // A clause that could not be read has been complained about.
        if let Some((_, _, at)) = out.first().filter(|_| rule.clauses().next().is_some()) {
            problems.add(*at, "steps of severity need a clause that compares a number; write one severity as a word");
        }
        return Vec::new();
    };
    let Test::Number { op, value, .. } = leading.test else { return Vec::new() };
    // Each step lies further out than the one before, the first no further than where the rule begins.
    let mut before = None;
    for (severity, from, at) in &out {
        let beyond = |limit: f64| if op.is_below() { *from < limit } else { *from > limit };
        match before {
            None if beyond(value) => problems.add(
                *at,
                format!(
                    "the rule fires from {value} on; its mildest severity, {}, cannot begin later, at {from}",
                    severity.name()
                ),
            ),
            Some(limit) if !beyond(limit) => {
                problems.add(
                    *at,
                    format!(
                        "{} begins at {from}, which the milder severity at {limit} has reached before",
                        severity.name()
                    ),
                );
            }
            _ => {}
        }
        before = Some(*from);
    }
    if op == Op::Eq && out.len() > 1 {
        problems.add(out[1].2, "'==' has one severity");
    }
    out.into_iter().map(|(severity, from, _)| (severity, Some(from))).collect()
}
