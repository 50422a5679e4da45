//! From TOML to a checked [`RuleBook`] (grammar: regimes §12.1). Everything wrong is reported at once, with its place.
//!
//! Keys of a book: `name`, `allow_proxy`, `freshness`, `span_min`, `coverage_min`, `hysteresis`, `session_base`, `trend_tf`,
//! `sessions`, `[[session]]`, `[session_multipliers]`, `[detectors]`, `[order_flow]`, `[verdict]`, `[liquidity]`, `[[alert]]`, `[[posture]]`,
//! `dwell_counts`, `allow_aggressive`, `bias_shift`, `severity`, `[[lift]]`. A rule without `axis`
//! is of the risk axis; an axis other than risk without a rule of its own takes the standard rules of `books/axes.toml`.
//! Clauses are read by `clause`, judged as a whole by `check`.

use super::book::{
    CutRequest, DwellCounts, ENTER_DEFAULT, Enter, Group, MIN_DWELL_DEFAULT, RULES_MAX, Rule, RuleBook, SessionBase,
    Test,
};
use super::check;
use super::clause::{self, Scales};
use super::problem::{BookError, Problems, did_you_mean};
use super::set::{RuleSet, Ruled};
use super::tree::{Entry, Node, NodeKind, parse};
use super::{Clause, Freshness, Warming};
use barograph_domain::{Axis, HeatRegime, RiskRegime, Span, TrendRegime, VolRegime};
use std::sync::LazyLock;

const BOOK_KEYS: [&str; 25] = [
    "name",
    "allow_proxy",
    "freshness",
    "span_min",
    "coverage_min",
    "hysteresis",
    "session_base",
    "trend_tf",
    "sessions",
    "session",
    "session_multipliers",
    "detectors",
    "order_flow",
    "verdict",
    "liquidity",
    "allow_aggressive",
    "bias_shift",
    "rule",
    "alert",
    "posture",
    "dwell_counts",
    "severity",
    "lift",
    "drift",
    "skill",
];
/// Most rules of an axis other than risk: all axes together with their resting labels are counted in 64 bits.
const AXIS_RULES_MAX: usize = 9;
const RULE_KEYS: [&str; 10] =
    ["id", "axis", "label", "all", "any", "enter", "min_dwell", "leave", "text", "text_short"];
/// Longest minimum stay a book may ask for.
const MIN_DWELL_MAX: Span = Span::days(7);
/// Most consecutive evaluations a book may ask for: a day of minutes.
const ENTER_MAX: f64 = 1440.0;

/// Rules of the trend, volatility and heat axes for books that state none of their own (regimes §3–§6).
const STANDARD_AXES: &str = include_str!("../../books/axes.toml");
/// The same as a tree: every book is read with it.
static STANDARD_ENTRIES: LazyLock<Vec<Entry>> =
    LazyLock::new(|| parse(STANDARD_AXES, &mut Problems::new("axes.toml", STANDARD_AXES)).unwrap_or_default());
/// Timeframes the trend axis can read.
const TREND_TIMEFRAMES: [(&str, Span); 4] =
    [("1h", Span::hours(1)), ("4h", Span::hours(4)), ("1d", Span::days(1)), ("1w", Span::days(7))];

/// A rule with the places of its parts, for the checks. Its label is a code of its axis.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) rule: Rule<u8>,
    pub(super) at: usize,
    /// Place of each clause, group by group.
    pub(super) clauses_at: Vec<Vec<usize>>,
}

pub(super) fn book(file: &str, text: &str) -> Result<RuleBook, BookError> {
    let mut problems = Problems::new(file, text);
    let Some(entries) = parse(text, &mut problems) else { return Err(problems.into_error()) };
    let mut book = settings(&entries, &mut problems);
    let mut scales = Scales::default();
    let mut drafts = rules(&entries, book.risk.hysteresis, &mut scales, &mut problems);
    check::all(&drafts, &mut problems);
    book.postures = super::posture::postures(&entries, &mut problems);
    book.alerts = super::alerts::alerts(&entries, book.risk.hysteresis, &mut scales, &mut problems);
    book.read_at_events = super::alerts::read_at_events(&book.alerts);
    book.drift_rules = super::drifts::rules(&entries, &mut problems);
    if !problems.is_empty() {
        return Err(problems.into_error());
    }
    drafts.extend(standard(&drafts, book.risk.hysteresis, &mut scales)?);
    book.scales = scales.table();
    let hysteresis = book.risk.hysteresis;
    book.risk = of_axis(&drafts, hysteresis);
    book.trend = of_axis(&drafts, hysteresis);
    book.volatility = of_axis(&drafts, hysteresis);
    book.heat = of_axis(&drafts, hysteresis);
    finish(&mut book);
    Ok(book)
}

fn rules(entries: &[Entry], hysteresis: bool, scales: &mut Scales, problems: &mut Problems<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    match find(entries, "rule") {
        Some(Entry { value: Node { kind: NodeKind::List(rules), .. }, at, .. }) => {
            for node in rules {
                drafts.extend(rule(node, hysteresis, scales, problems));
            }
            for axis in [Axis::Risk, Axis::Trend, Axis::Volatility, Axis::Heat] {
                let n = drafts.iter().filter(|d| d.rule.axis == axis).count();
                let limit = if axis == Axis::Risk { RULES_MAX } else { AXIS_RULES_MAX };
                if n > limit {
                    problems.add(*at, format!("{n} rules of one axis are too many; the limit is {limit}"));
                }
            }
            if !drafts.iter().any(|d| d.rule.axis == Axis::Risk) {
                problems.add(*at, "a rule book needs at least one [[rule]] of axis \"risk\"");
            }
        }
        Some(other) => problems.add(other.value.at, "rules are written as [[rule]] tables"),
        None => problems.add(0, "a rule book needs at least one [[rule]]"),
    }
    drafts
}

/// The standard rules of every axis that `drafts` says nothing about.
fn standard(drafts: &[Draft], hysteresis: bool, scales: &mut Scales) -> Result<Vec<Draft>, BookError> {
    let mut problems = Problems::new("axes.toml", STANDARD_AXES);
    // Margin units that the book states itself stay as they are.
    let mut own = Scales::default();
    let mut out = rules_only(&STANDARD_ENTRIES, hysteresis, &mut own, &mut problems);
    out.retain(|d| !drafts.iter().any(|own| own.rule.axis == d.rule.axis));
    scales.fill_from(&own);
    if problems.is_empty() { Ok(out) } else { Err(problems.into_error()) }
}

fn rules_only(entries: &[Entry], hysteresis: bool, scales: &mut Scales, problems: &mut Problems<'_>) -> Vec<Draft> {
    match find(entries, "rule").map(|e| &e.value.kind) {
        Some(NodeKind::List(rules)) => {
            rules.iter().filter_map(|node| rule(node, hysteresis, scales, problems)).collect()
        }
        _ => Vec::new(),
    }
}

fn of_axis<L: Ruled>(drafts: &[Draft], hysteresis: bool) -> RuleSet<L> {
    let own = drafts.iter().filter(|d| d.rule.axis == L::AXIS);
    let rules = own.filter_map(|d| Some(d.rule.clone().with_label(L::from_code(d.rule.label)?))).collect();
    RuleSet::new(rules, hysteresis)
}

fn settings(entries: &[Entry], problems: &mut Problems<'_>) -> RuleBook {
    unknown_keys(entries, &BOOK_KEYS, "a rule book", problems);
    let name = text_of(entries, "name", problems);
    if name.as_deref().is_none_or(|n| n.trim().is_empty()) {
        problems
            .add(find(entries, "name").map_or(0, |e| e.value.at), "a rule book needs a name, as in name = \"mine\"");
    }
    let freshness = choice(entries, "freshness", &Freshness::ALL.map(|f| (f.name(), f)), problems);
    let bases = [("default", SessionBase::Default), ("seed", SessionBase::Seed)];
    let shift = number_of(entries, "bias_shift", -1.0, 0.0, problems).unwrap_or(0.0);
    if shift > -1.0 && shift < 0.0 {
        problems.add(find(entries, "bias_shift").map_or(0, |e| e.value.at), "'bias_shift' is 0 or -1");
    }
    RuleBook {
        name: name.unwrap_or_default(),
        allow_proxy: flag(entries, "allow_proxy", problems).unwrap_or(true),
        freshness: freshness.unwrap_or(Freshness::Default),
        span_min: number_of(entries, "span_min", 0.0, 1.0, problems).unwrap_or(0.25),
        coverage_min: number_of(entries, "coverage_min", 0.0, 1.0, problems).unwrap_or(0.80),
        session_base: choice(entries, "session_base", &bases, problems).unwrap_or(SessionBase::Default),
        sessions: super::hours::sessions(entries, problems),
        session_multipliers: super::hours::multipliers(entries, problems),
        detectors: super::detectors::thresholds(entries, problems),
        order_flow: super::detectors::order_flow(entries, problems),
        liquidity: super::levels::options(entries, problems),
        verdict: super::verdict::table(entries, problems),
        severity: super::severity::table(entries, problems),
        trend_tf: choice(entries, "trend_tf", &TREND_TIMEFRAMES, problems).unwrap_or(Span::hours(1)),
        allow_aggressive: flag(entries, "allow_aggressive", problems).unwrap_or(false),
        bias_shift: if shift < 0.0 { -1 } else { 0 },
        risk: RuleSet::new(Vec::new(), flag(entries, "hysteresis", problems).unwrap_or(true)),
        trend: RuleSet::new(Vec::new(), true),
        volatility: RuleSet::new(Vec::new(), true),
        heat: RuleSet::new(Vec::new(), true),
        cuts: Vec::new(),
        features: Vec::new(),
        shown: Vec::new(),
        scales: Vec::new(),
        postures: Vec::new(),
        dwell: choice(entries, "dwell_counts", &DwellCounts::ALL.map(|d| (d.name(), d)), problems)
            .unwrap_or(DwellCounts::Minutes),
        alerts: Vec::new(),
        read_at_events: Vec::new(),
        drift_rules: super::DriftRules::default(),
    }
}

fn rule(node: &Node, hysteresis: bool, scales: &mut Scales, problems: &mut Problems<'_>) -> Option<Draft> {
    let NodeKind::Table(entries) = &node.kind else {
        problems.add(node.at, format!("a rule is a table, not {}", node.kind.name()));
        return None;
    };
    unknown_keys(entries, &RULE_KEYS, "a rule", problems);
    let axis = axis(entries, problems)?;
    let id = text_of(entries, "id", problems);
    if id.as_deref().is_none_or(str::is_empty) {
        problems
            .add(find(entries, "id").map_or(node.at, |e| e.value.at), "a rule needs an id, as in id = \"HIGH_VOL\"");
    }
    let label = match axis {
        Axis::Risk => label::<RiskRegime>(entries, id.as_deref(), node.at, problems),
        Axis::Trend => label::<TrendRegime>(entries, id.as_deref(), node.at, problems),
        Axis::Volatility => label::<VolRegime>(entries, id.as_deref(), node.at, problems),
        Axis::Heat => label::<HeatRegime>(entries, id.as_deref(), node.at, problems),
    };
    let (groups, clauses_at) = condition(entries, node.at, hysteresis, scales, problems);
    let enter = enter(entries, problems).unwrap_or(if axis == Axis::Trend { Enter::Immediate } else { ENTER_DEFAULT });
    let min_dwell = length_of(entries, "min_dwell", problems).unwrap_or(MIN_DWELL_DEFAULT);
    let leave = leave(entries, axis, problems).unwrap_or(Span::ZERO);
    let text = text_of(entries, "text", problems).unwrap_or_default();
    let text_short = text_of(entries, "text_short", problems);
    let id = id.unwrap_or_default();
    let rule = Rule { id, axis, label: label?, groups, enter, min_dwell, leave, text, text_short };
    Some(Draft { rule, at: node.at, clauses_at })
}

fn axis(entries: &[Entry], problems: &mut Problems<'_>) -> Option<Axis> {
    const AXES: [(&str, Axis); 4] =
        [("risk", Axis::Risk), ("trend", Axis::Trend), ("volatility", Axis::Volatility), ("heat", Axis::Heat)];
    let Some(entry) = find(entries, "axis") else { return Some(Axis::Risk) };
    let word = text_of(entries, "axis", problems)?;
    let found = AXES.into_iter().find(|(name, _)| *name == word).map(|(_, axis)| axis);
    if found.is_none() {
        let near = did_you_mean(&word, AXES.map(|(name, _)| name));
        problems.add(entry.value.at, format!("unknown axis '{word}'{near}"));
    }
    found
}

/// The code of the label a rule asserts: its `label`, else its id.
fn label<L: Ruled>(entries: &[Entry], id: Option<&str>, at: usize, problems: &mut Problems<'_>) -> Option<u8> {
    let labels: Vec<L> = L::LABELS.iter().copied().filter(|l| l.is_asserted()).collect();
    let names: Vec<&str> = labels.iter().map(|l| l.word()).collect();
    let axis = L::AXIS.name();
    let find_label = |word: &str| labels.iter().find(|l| l.word() == word).map(|l| l.code());
    if let Some(entry) = find(entries, "label") {
        let word = text_of(entries, "label", problems)?;
        let found = find_label(&word);
        match L::of_word(&word) {
            _ if found.is_some() => {}
            Some(_) => problems.add(
                entry.value.at,
                format!("no rule can assert {word}: it is what remains when no rule holds or none can be judged"),
            ),
            None => {
                let near = did_you_mean(&word, names.iter().copied());
                problems.add(
                    entry.value.at,
                    format!("unknown label '{word}'; {axis} labels are {}{near}", names.join(", ")),
                );
            }
        }
        return found;
    }
    let id = id?;
    let found = find_label(id);
    if found.is_none() {
        let at = find(entries, "id").map_or(at, |e| e.value.at);
        problems.add(at, format!("id '{id}' is no {axis} label; add label = one of {}", names.join(", ")));
    }
    found
}

pub(super) fn condition(
    entries: &[Entry],
    at: usize,
    hysteresis: bool,
    scales: &mut Scales,
    problems: &mut Problems<'_>,
) -> (Vec<Group>, Vec<Vec<usize>>) {
    let (all, any) = (find(entries, "all"), find(entries, "any"));
    let entry = match (all, any) {
        (Some(entry), None) | (None, Some(entry)) => entry,
        (Some(_), Some(extra)) => {
            problems
                .add(extra.at, "a rule has either 'all' or 'any'; put the alternatives inside all as { any = […] }");
            return (Vec::new(), Vec::new());
        }
        (None, None) => {
            problems.add(at, "a condition needs 'all' or 'any' with at least one clause");
            return (Vec::new(), Vec::new());
        }
    };
    let NodeKind::List(members) = &entry.value.kind else {
        problems.add(entry.value.at, format!("'{}' is a list of clauses, not {}", entry.key, entry.value.kind.name()));
        return (Vec::new(), Vec::new());
    };
    if members.is_empty() {
        problems.add(entry.value.at, format!("'{}' has no clause", entry.key));
    }
    let (mut groups, mut places) = (Vec::new(), Vec::new());
    let mut take = |any: bool, nodes: &[Node], problems: &mut Problems<'_>| {
        let read: Vec<(Clause, usize)> =
            nodes.iter().filter_map(|n| clause::read(n, hysteresis, scales, problems).map(|c| (c, n.at))).collect();
        let (clauses, at): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        groups.push(Group { any, clauses });
        places.push(at);
    };
    if entry.key == "any" {
        take(true, members, problems);
        return (groups, places);
    }
    for member in members {
        match inner_any(member, problems) {
            Some(nodes) => take(true, nodes, problems),
            None => take(false, core::slice::from_ref(member), problems),
        }
    }
    (groups, places)
}

/// The members of `{ any = […] }`; `None` for a plain clause.
fn inner_any<'a>(member: &'a Node, problems: &mut Problems<'_>) -> Option<&'a [Node]> {
    let NodeKind::Table(entries) = &member.kind else { return None };
    let any = find(entries, "any")?;
    if let Some(extra) = entries.iter().find(|e| e.key != "any") {
        problems.add(extra.at, format!("'{}' does not belong beside 'any'", extra.key));
    }
    match &any.value.kind {
        NodeKind::List(nodes) if !nodes.is_empty() => Some(nodes),
        NodeKind::List(_) => {
            problems.add(any.value.at, "'any' has no clause");
            Some(&[])
        }
        other => {
            problems.add(any.value.at, format!("'any' is a list of clauses, not {}", other.name()));
            Some(&[])
        }
    }
}

fn enter(entries: &[Entry], problems: &mut Problems<'_>) -> Option<Enter> {
    let entry = find(entries, "enter")?;
    match &entry.value.kind {
        NodeKind::Text(word) if word == "immediate" => Some(Enter::Immediate),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number from 1 to 1440")]
        NodeKind::Number(n) if (1.0..=ENTER_MAX).contains(n) && n.fract().abs() < f64::MIN_POSITIVE => {
            Some(Enter::After(*n as u32))
        }
        NodeKind::Text(text) if Span::parse(text).is_ok() => length_of(entries, "enter", problems).map(Enter::For),
        _ => {
            problems.add(
                entry.value.at,
                "'enter' is \"immediate\", a number of consecutive evaluations from 1 to 1440, or a length of time such as \"2h\"",
            );
            None
        }
    }
}

/// Where labels have no order, none is calmer.
fn leave(entries: &[Entry], axis: Axis, problems: &mut Problems<'_>) -> Option<Span> {
    let entry = find(entries, "leave")?;
    if matches!(axis, Axis::Trend | Axis::Heat) {
        problems
            .add(entry.at, format!("'leave' means nothing on the {} axis: none of its labels is calmer", axis.name()));
        return None;
    }
    length_of(entries, "leave", problems)
}

/// A length of time such as `"15m"`, at most a week.
pub(super) fn length_of(entries: &[Entry], key: &str, problems: &mut Problems<'_>) -> Option<Span> {
    length_within(entries, key, MIN_DWELL_MAX, problems)
}

/// The same of a length that may be as long as `most`.
pub(super) fn length_within(entries: &[Entry], key: &str, most: Span, problems: &mut Problems<'_>) -> Option<Span> {
    let entry = find(entries, key)?;
    let NodeKind::Text(text) = &entry.value.kind else {
        let what = entry.value.kind.name();
        problems.add(entry.value.at, format!("'{key}' is a length of time such as \"15m\", not {what}"));
        return None;
    };
    if matches!(text.as_str(), "0" | "0s" | "0m") {
        return Some(Span::ZERO);
    }
    match Span::parse(text) {
        Ok(span) if span <= most => Some(span),
        Ok(_) => {
            problems.add(entry.value.at, format!("'{key}' of {text} is longer than {most}"));
            None
        }
        Err(why) => {
            problems.add(entry.value.at, format!("'{key}': {why}"));
            None
        }
    }
}

/// Fills in what depends on the whole book: margin units and percentile boundaries.
fn finish(book: &mut RuleBook) {
    let scales = book.scales.clone();
    let mut cuts: Vec<CutRequest> = Vec::new();
    book.risk.each_clause_mut(&mut |c| complete(c, &scales, &mut cuts));
    book.trend.each_clause_mut(&mut |c| complete(c, &scales, &mut cuts));
    book.volatility.each_clause_mut(&mut |c| complete(c, &scales, &mut cuts));
    book.heat.each_clause_mut(&mut |c| complete(c, &scales, &mut cuts));
    let of_alerts = book.alerts.iter_mut().flat_map(|r| &mut r.groups).flat_map(|g| &mut g.clauses);
    for (place, clause) in of_alerts.enumerate() {
        (clause.scale, clause.place) = (scales[clause.feature.index()], place);
    }
    book.risk.note_readers(&scales);
    book.trend.note_readers(&scales);
    book.volatility.note_readers(&scales);
    book.heat.note_readers(&scales);
    book.cuts = cuts;
    book.features = book.features_read();
    book.shown = book.features_to_show();
}

fn complete(clause: &mut Clause, scales: &[Option<f64>], cuts: &mut Vec<CutRequest>) {
    clause.scale = scales[clause.feature.index()];
    if let Warming::Clause(stand_in) = &mut clause.warming {
        stand_in.scale = scales[stand_in.feature.index()];
    }
    let Test::Number { op, value, exit } = clause.test else { return };
    if clause.feature.spec().ranks.is_none() {
        return;
    }
    let mut request = |theta: f64| {
        let wanted = CutRequest { percentile: clause.feature, op, theta };
        cuts.iter().position(|c| *c == wanted).unwrap_or_else(|| {
            cuts.push(wanted);
            cuts.len() - 1
        })
    };
    clause.cuts = Some((request(value), request(exit)));
}

pub(super) fn find<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    entries.iter().find(|e| e.key == key)
}

pub(super) fn unknown_keys(entries: &[Entry], known: &[&str], of: &str, problems: &mut Problems<'_>) {
    for entry in entries.iter().filter(|e| !known.contains(&e.key.as_str())) {
        let near = did_you_mean(&entry.key, known.iter().copied());
        problems.add(entry.at, format!("unknown key '{}' of {of}{near}", entry.key));
    }
}

pub(super) fn text_of(entries: &[Entry], key: &str, problems: &mut Problems<'_>) -> Option<String> {
    let entry = find(entries, key)?;
    if let NodeKind::Text(text) = &entry.value.kind {
        return Some(text.clone());
    }
    problems.add(entry.value.at, format!("'{key}' is a text, not {}", entry.value.kind.name()));
    None
}

pub(super) fn flag(entries: &[Entry], key: &str, problems: &mut Problems<'_>) -> Option<bool> {
    let entry = find(entries, key)?;
    if let NodeKind::Bool(value) = entry.value.kind {
        return Some(value);
    }
    problems.add(entry.value.at, format!("'{key}' is true or false, not {}", entry.value.kind.name()));
    None
}

pub(super) fn number_of(entries: &[Entry], key: &str, lo: f64, hi: f64, problems: &mut Problems<'_>) -> Option<f64> {
    let entry = find(entries, key)?;
    match entry.value.kind {
        NodeKind::Number(x) if (lo..=hi).contains(&x) => Some(x),
        NodeKind::Number(x) => {
            problems.add(entry.value.at, format!("'{key}' is {x}; it lies between {lo} and {hi}"));
            None
        }
        _ => {
            problems.add(entry.value.at, format!("'{key}' is a number, not {}", entry.value.kind.name()));
            None
        }
    }
}

pub(super) fn choice<T: Copy>(
    entries: &[Entry],
    key: &str,
    words: &[(&str, T)],
    problems: &mut Problems<'_>,
) -> Option<T> {
    let word = text_of(entries, key, problems)?;
    let found = words.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let at = find(entries, key).map_or(0, |e| e.value.at);
        problems.add(at, format!("'{key}' is '{word}'; it is one of {}", names.join(", ")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{BOOK_KEYS, RULE_KEYS};

    #[test]
    fn every_key_is_in_the_guide() {
        const GUIDE: &str = include_str!("../../../../docs/rules.md");
        let forms =
            |key: &str| [format!("`{key}`"), format!("`[{key}]`"), format!("`[[{key}]]`"), format!("\n{key} =")];
        let is_named = |key: &&&str| forms(key).iter().any(|form| GUIDE.contains(form.as_str()));
        let missing: Vec<_> = BOOK_KEYS.iter().chain(&RULE_KEYS).filter(|key| !is_named(key)).collect();
        assert!(missing.is_empty(), "not in docs/rules.md: {missing:?}");
    }
}
