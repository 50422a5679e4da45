//! From TOML to a checked [`Book`] (grammar: regimes §12.1). Everything wrong is reported at once, with its place.
//!
//! Keys of a book: `name`, `allow_proxy`, `freshness`, `span_min`, `coverage_min`, `hysteresis`, `session_base`,
//! `allow_aggressive`, `bias_shift`. A rule without `axis` is of the risk axis. Clauses are read by `clause`, judged as a whole by `check`.

use super::book::{
    Book, CutRequest, ENTER_DEFAULT, Enter, Group, MIN_DWELL_DEFAULT, RULES_MAX, Rule, SessionBase, Test,
};
use super::check;
use super::clause::{self, Scales};
use super::problem::{BookError, Problems, did_you_mean};
use super::tree::{Entry, Node, NodeKind, parse};
use super::{Clause, Freshness, Warming};
use barograph_domain::{Axis, RiskRegime, Span};

const BOOK_KEYS: [&str; 11] = [
    "name",
    "allow_proxy",
    "freshness",
    "span_min",
    "coverage_min",
    "hysteresis",
    "session_base",
    "allow_aggressive",
    "bias_shift",
    "rule",
    "alert",
];
const RULE_KEYS: [&str; 9] = ["id", "axis", "label", "all", "any", "enter", "min_dwell", "text", "text_short"];
/// Longest minimum stay a book may ask for.
const MIN_DWELL_MAX: Span = Span::days(7);
/// Most consecutive evaluations a book may ask for: a day of minutes.
const ENTER_MAX: f64 = 1440.0;

/// A rule with the places of its parts, for the checks.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) rule: Rule,
    pub(super) at: usize,
    /// Place of each clause, group by group.
    pub(super) clauses_at: Vec<Vec<usize>>,
}

pub(super) fn book(file: &str, text: &str) -> Result<Book, BookError> {
    let mut problems = Problems::new(file, text);
    let Some(entries) = parse(text, &mut problems) else { return Err(problems.into_error()) };
    let mut book = settings(&entries, &mut problems);
    let mut scales = Scales::default();
    let mut drafts = Vec::new();
    match find(&entries, "rule") {
        Some(Entry { value: Node { kind: NodeKind::List(rules), .. }, at, .. }) => {
            for node in rules {
                drafts.extend(rule(node, book.hysteresis, &mut scales, &mut problems));
            }
            if rules.is_empty() {
                problems.add(*at, "a rule book needs at least one [[rule]]");
            } else if rules.len() > RULES_MAX {
                problems.add(*at, format!("{} rules are too many; the limit is {RULES_MAX}", rules.len()));
            }
        }
        Some(other) => problems.add(other.value.at, "rules are written as [[rule]] tables"),
        None => problems.add(0, "a rule book needs at least one [[rule]]"),
    }
    check::all(&drafts, &mut problems);
    if !problems.is_empty() {
        return Err(problems.into_error());
    }
    book.scales = scales.table();
    book.rules = drafts.into_iter().map(|d| d.rule).collect();
    finish(&mut book);
    Ok(book)
}

fn settings(entries: &[Entry], problems: &mut Problems<'_>) -> Book {
    unknown_keys(entries, &BOOK_KEYS, "a rule book", problems);
    if let Some(alert) = find(entries, "alert") {
        problems.add(alert.at, "alert rules are not built yet; take the [[alert]] tables out of this book");
    }
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
    Book {
        name: name.unwrap_or_default(),
        allow_proxy: flag(entries, "allow_proxy", problems).unwrap_or(true),
        freshness: freshness.unwrap_or(Freshness::Default),
        span_min: number_of(entries, "span_min", 0.0, 1.0, problems).unwrap_or(0.25),
        coverage_min: number_of(entries, "coverage_min", 0.0, 1.0, problems).unwrap_or(0.80),
        hysteresis: flag(entries, "hysteresis", problems).unwrap_or(true),
        session_base: choice(entries, "session_base", &bases, problems).unwrap_or(SessionBase::Default),
        allow_aggressive: flag(entries, "allow_aggressive", problems).unwrap_or(false),
        bias_shift: if shift < 0.0 { -1 } else { 0 },
        rules: Vec::new(),
        cuts: Vec::new(),
        scales: Vec::new(),
    }
}

fn rule(node: &Node, hysteresis: bool, scales: &mut Scales, problems: &mut Problems<'_>) -> Option<Draft> {
    let NodeKind::Table(entries) = &node.kind else {
        problems.add(node.at, format!("a rule is a table, not {}", node.kind.name()));
        return None;
    };
    unknown_keys(entries, &RULE_KEYS, "a rule", problems);
    axis(entries, problems);
    let id = text_of(entries, "id", problems);
    if id.as_deref().is_none_or(str::is_empty) {
        problems
            .add(find(entries, "id").map_or(node.at, |e| e.value.at), "a rule needs an id, as in id = \"HIGH_VOL\"");
    }
    let label = label(entries, id.as_deref(), node.at, problems);
    let (groups, clauses_at) = condition(entries, node.at, hysteresis, scales, problems);
    let enter = enter(entries, problems).unwrap_or(ENTER_DEFAULT);
    let min_dwell = min_dwell(entries, problems).unwrap_or(MIN_DWELL_DEFAULT);
    let text = text_of(entries, "text", problems).unwrap_or_default();
    let text_short = text_of(entries, "text_short", problems);
    let id = id.unwrap_or_default();
    let rule = Rule { id, axis: Axis::Risk, label: label?, groups, enter, min_dwell, text, text_short };
    Some(Draft { rule, at: node.at, clauses_at })
}

fn axis(entries: &[Entry], problems: &mut Problems<'_>) {
    let Some(word) = text_of(entries, "axis", problems) else { return };
    let at = find(entries, "axis").map_or(0, |e| e.value.at);
    match word.as_str() {
        "risk" => {}
        "trend" | "volatility" | "heat" => {
            problems.add(at, format!("axis '{word}' is not built yet; only rules of axis \"risk\" can be judged"));
        }
        _ => {
            let near = did_you_mean(&word, ["risk", "trend", "volatility", "heat"]);
            problems.add(at, format!("unknown axis '{word}'{near}"));
        }
    }
}

fn label(entries: &[Entry], id: Option<&str>, at: usize, problems: &mut Problems<'_>) -> Option<RiskRegime> {
    let labels = [RiskRegime::SqueezeRisk, RiskRegime::HighVol, RiskRegime::ChopRisk];
    let names = labels.map(RiskRegime::name);
    let find_label = |word: &str| labels.into_iter().find(|l| l.name() == word);
    if let Some(entry) = find(entries, "label") {
        let word = text_of(entries, "label", problems)?;
        let found = find_label(&word);
        match RiskRegime::from_name(&word) {
            _ if found.is_some() => {}
            Some(_) => problems.add(
                entry.value.at,
                format!("no rule can assert {word}: it is what remains when no rule holds or none can be judged"),
            ),
            None => problems.add(
                entry.value.at,
                format!("unknown label '{word}'; risk labels are {}{}", names.join(", "), did_you_mean(&word, names)),
            ),
        }
        return found;
    }
    let id = id?;
    let found = find_label(id);
    if found.is_none() {
        let at = find(entries, "id").map_or(at, |e| e.value.at);
        problems.add(at, format!("id '{id}' is no risk label; add label = one of {}", names.join(", ")));
    }
    found
}

fn condition(
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
            problems.add(at, "a rule needs 'all' or 'any' with at least one clause");
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
        _ => {
            problems
                .add(entry.value.at, "'enter' is \"immediate\" or a number of consecutive evaluations from 1 to 1440");
            None
        }
    }
}

fn min_dwell(entries: &[Entry], problems: &mut Problems<'_>) -> Option<Span> {
    let entry = find(entries, "min_dwell")?;
    let NodeKind::Text(text) = &entry.value.kind else {
        let what = entry.value.kind.name();
        problems.add(entry.value.at, format!("'min_dwell' is a length of time such as \"15m\", not {what}"));
        return None;
    };
    if matches!(text.as_str(), "0" | "0s" | "0m") {
        return Some(Span::ZERO);
    }
    match Span::parse(text) {
        Ok(span) if span <= MIN_DWELL_MAX => Some(span),
        Ok(_) => {
            problems.add(entry.value.at, format!("'min_dwell' of {text} is longer than {MIN_DWELL_MAX}"));
            None
        }
        Err(why) => {
            problems.add(entry.value.at, format!("'min_dwell': {why}"));
            None
        }
    }
}

/// Fills in what depends on the whole book: margin units and percentile boundaries.
fn finish(book: &mut Book) {
    let scales = book.scales.clone();
    let mut cuts: Vec<CutRequest> = Vec::new();
    for clause in book.rules.iter_mut().flat_map(|r| &mut r.groups).flat_map(|g| &mut g.clauses) {
        clause.scale = scales[clause.feature.index()];
        if let Warming::Clause(stand_in) = &mut clause.warming {
            stand_in.scale = scales[stand_in.feature.index()];
        }
        if clause.feature.spec().ranks.is_none() {
            continue;
        }
        let Test::Number { op, value, exit } = clause.test else { continue };
        let mut request = |theta: f64| {
            let wanted = CutRequest { percentile: clause.feature, op, theta };
            cuts.iter().position(|c| *c == wanted).unwrap_or_else(|| {
                cuts.push(wanted);
                cuts.len() - 1
            })
        };
        clause.cuts = Some((request(value), request(exit)));
    }
    book.cuts = cuts;
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

fn number_of(entries: &[Entry], key: &str, lo: f64, hi: f64, problems: &mut Problems<'_>) -> Option<f64> {
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

fn choice<T: Copy>(entries: &[Entry], key: &str, words: &[(&str, T)], problems: &mut Problems<'_>) -> Option<T> {
    let word = text_of(entries, key, problems)?;
    let found = words.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let at = find(entries, key).map_or(0, |e| e.value.at);
        problems.add(at, format!("'{key}' is '{word}'; it is one of {}", names.join(", ")));
    }
    found
}
