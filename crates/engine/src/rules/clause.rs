//! Reads one clause of a rule book: `{ feature, abs, op, value, exit, scale, warming }`.
//!
//! What is compared must fit the feature's kind; what is left out takes the defaults of regimes §6 (exit) and §7 (scale).

use super::book::{Clause, Op, Test, Warming, words_of};
use super::parse::{find, flag, text_of, unknown_keys};
use super::problem::{Problems, did_you_mean};
use super::tree::{Entry, Node, NodeKind};
use crate::catalogue::{CATALOGUE, Feature, ValueType};

const CLAUSE_KEYS: [&str; 7] = ["feature", "abs", "op", "value", "exit", "scale", "warming"];

/// Margin unit per feature: a book states at most one.
#[derive(Clone, Debug, Default)]
pub(super) struct Scales(Vec<(Feature, f64)>);

impl Scales {
    /// Per catalogue position: stated in the book, else the catalogue's.
    pub(super) fn table(&self) -> Vec<Option<f64>> {
        CATALOGUE.iter().map(|s| self.of(s.feature)).collect()
    }
    /// Takes over the units of `other` for features that have none stated yet.
    pub(super) fn fill_from(&mut self, other: &Self) {
        for (feature, scale) in &other.0 {
            if self.stated(*feature).is_none() {
                self.0.push((*feature, *scale));
            }
        }
    }
    fn stated(&self, feature: Feature) -> Option<f64> {
        self.0.iter().find(|(f, _)| *f == feature).map(|(_, s)| *s)
    }
    fn of(&self, feature: Feature) -> Option<f64> {
        self.stated(feature).or(feature.spec().scale)
    }
}

/// Reads a clause; `None` when it cannot be read at all.
pub(super) fn read(node: &Node, hysteresis: bool, scales: &mut Scales, problems: &mut Problems<'_>) -> Option<Clause> {
    let mut clause = plain(node, hysteresis, scales, problems)?;
    let NodeKind::Table(entries) = &node.kind else { return None };
    if let Some(entry) = find(entries, "warming") {
        clause.warming = warming(entry, clause.feature, hysteresis, scales, problems)?;
    }
    Some(clause)
}

fn plain(node: &Node, hysteresis: bool, scales: &mut Scales, problems: &mut Problems<'_>) -> Option<Clause> {
    let NodeKind::Table(entries) = &node.kind else {
        problems.add(
            node.at,
            format!(
                "a clause is a table such as {{ feature = \"realized_vol_1h\", op = \">\", value = 0.80 }}, not {}",
                node.kind.name()
            ),
        );
        return None;
    };
    if let Some(nested) = entries.iter().find(|e| e.key == "all" || e.key == "any") {
        problems.add(nested.at, format!("'{}' cannot be nested here; alternatives go one level deep", nested.key));
        return None;
    }
    unknown_keys(entries, &CLAUSE_KEYS, "a clause", problems);
    let abs = flag(entries, "abs", problems).unwrap_or(false);
    let feature = feature(entries, node.at, problems)?;
    let test = test(entries, node.at, feature, hysteresis, problems);
    if abs && words_of(feature).is_some() {
        problems.add(
            find(entries, "abs").map_or(node.at, |e| e.at),
            format!("'{}' has no absolute value: it is no number", feature.id()),
        );
        return None;
    }
    scale(entries, feature, node.at, scales, problems);
    Some(Clause { feature, abs, test: test?, scale: None, warming: Warming::Unknown, cuts: None, place: 0 })
}

fn feature(entries: &[Entry], at: usize, problems: &mut Problems<'_>) -> Option<Feature> {
    if find(entries, "feature").is_none() {
        problems.add(at, "a clause needs a feature, as in feature = \"realized_vol_1h\"");
        return None;
    }
    let id = text_of(entries, "feature", problems)?;
    let found = Feature::from_id(&id);
    if found.is_none() {
        let at = find(entries, "feature").map_or(at, |e| e.value.at);
        problems.add(at, format!("unknown feature '{id}'{}", did_you_mean(&id, CATALOGUE.iter().map(|s| s.id))));
    }
    found
}

fn test(entries: &[Entry], at: usize, feature: Feature, hysteresis: bool, problems: &mut Problems<'_>) -> Option<Test> {
    let Some(op_entry) = find(entries, "op") else {
        problems.add(at, "a clause needs an op: one of >, >=, <, <=, ==, in");
        return None;
    };
    let sign = text_of(entries, "op", problems)?;
    let op = Op::from_sign(&sign);
    if op.is_none() && sign != "in" {
        problems.add(op_entry.value.at, format!("unknown op '{sign}'; it is one of >, >=, <, <=, ==, in"));
        return None;
    }
    let Some(value) = find(entries, "value") else {
        problems.add(at, "a clause needs a value to compare with");
        return None;
    };
    match (words_of(feature), op) {
        (Some(words), None | Some(Op::Eq)) => {
            if let Some(exit) = find(entries, "exit") {
                problems.add(exit.at, format!("'{}' is no number: it has no exit threshold", feature.id()));
            }
            codes(&value.value, feature, words, op.is_none(), problems)
        }
        (Some(_), Some(_)) => {
            problems.add(
                op_entry.value.at,
                format!("'{}' is no number; compare it with == or in, not '{sign}'", feature.id()),
            );
            None
        }
        (None, None) => {
            problems.add(op_entry.value.at, format!("'{}' is a number; 'in' is for words", feature.id()));
            None
        }
        (None, Some(op)) => number(entries, feature, op, value, hysteresis, problems),
    }
}

fn number(
    entries: &[Entry],
    feature: Feature,
    op: Op,
    value: &Entry,
    hysteresis: bool,
    problems: &mut Problems<'_>,
) -> Option<Test> {
    let NodeKind::Number(threshold) = value.value.kind else {
        let unit = feature.spec().unit;
        problems.add(
            value.value.at,
            format!("'{}' is a number ({unit}); it cannot be compared with {}", feature.id(), value.value.kind.name()),
        );
        return None;
    };
    if op == Op::Eq && feature.spec().ranks.is_some() {
        problems.add(value.at, format!("'{}' is a percentile; compare it with >, >=, < or <=", feature.id()));
        return None;
    }
    let mut exit = default_exit(feature, op, threshold);
    if let Some(entry) = find(entries, "exit") {
        let NodeKind::Number(stated) = entry.value.kind else {
            problems.add(entry.value.at, format!("'exit' is a number, not {}", entry.value.kind.name()));
            return None;
        };
        let wrong_side = if op.is_above() { stated > threshold } else { stated < threshold };
        if op == Op::Eq {
            problems.add(entry.at, "'==' has no exit threshold");
        } else if wrong_side {
            let (side, sign) = if op.is_above() { ("above", "below") } else { ("below", "above") };
            problems.add(
                entry.value.at,
                format!("exit {stated} lies {side} value {threshold}; for '{}' it lies at or {sign} it", op.sign()),
            );
        }
        exit = stated;
    }
    Some(Test::Number { op, value: threshold, exit: if hysteresis { exit } else { threshold } })
}

/// Regimes §6: `>` ×0.9, `<` ×1.1, percentiles and efficiency ±0.05; a negative threshold moves the same way outward.
fn default_exit(feature: Feature, op: Op, threshold: f64) -> f64 {
    let band = match feature {
        Feature::Efficiency12h | Feature::Heat | Feature::TrendP => 0.05,
        _ if feature.spec().ranks.is_some() => 0.05,
        Feature::VolDaily => threshold.abs() * 0.05,
        _ => threshold.abs() * 0.1,
    };
    let exit = match op {
        Op::Gt | Op::Ge => threshold - band,
        Op::Lt | Op::Le => threshold + band,
        Op::Eq => threshold,
    };
    // Twelve digits: 0.8 less a tenth is 0.72, not 0.7200000000000001.
    format!("{exit:.11e}").parse().unwrap_or(exit)
}

fn codes(value: &Node, feature: Feature, words: &[&str], list: bool, problems: &mut Problems<'_>) -> Option<Test> {
    let one = core::slice::from_ref(value);
    let members = match (&value.kind, list) {
        (NodeKind::List(members), true) if !members.is_empty() => members.as_slice(),
        (_, true) => {
            problems.add(value.at, format!("'in' needs a list, as in value = [\"{}\"]", words[0]));
            return None;
        }
        (_, false) => one,
    };
    let mut mask = 0_u64;
    for member in members {
        let word = match &member.kind {
            NodeKind::Bool(b) if feature.spec().value == ValueType::Bool => {
                if *b {
                    "true"
                } else {
                    "false"
                }
            }
            NodeKind::Text(word) if feature.spec().value != ValueType::Bool => word,
            other => {
                let want = if feature.spec().value == ValueType::Bool { "true or false" } else { "a word" };
                problems.add(
                    member.at,
                    format!("'{}' is {want}; it cannot be compared with {}", feature.id(), other.name()),
                );
                return None;
            }
        };
        let Some(code) = words.iter().position(|w| *w == word) else {
            let near = did_you_mean(word, words.iter().copied());
            problems.add(
                member.at,
                format!("'{}' is never '{word}'; its words are {}{near}", feature.id(), words.join(", ")),
            );
            return None;
        };
        mask |= 1 << code;
    }
    Some(Test::Codes { mask, list })
}

fn scale(entries: &[Entry], feature: Feature, at: usize, scales: &mut Scales, problems: &mut Problems<'_>) {
    let Some(entry) = find(entries, "scale") else {
        if words_of(feature).is_none() && scales.of(feature).is_none() {
            problems.add(at, format!("'{}' has no margin unit of its own; add scale = …", feature.id()));
        }
        return;
    };
    match (entry.value.kind.clone(), scales.stated(feature)) {
        _ if words_of(feature).is_some() => {
            problems.add(entry.at, format!("'{}' is no number: it has no scale", feature.id()))
        }
        (NodeKind::Number(s), None) if s > 0.0 => scales.0.push((feature, s)),
        (NodeKind::Number(s), Some(before)) if s > 0.0 => {
            if s.total_cmp(&before).is_ne() {
                problems.add(
                    entry.value.at,
                    format!(
                        "scale {s} differs from {before} stated earlier for '{}'; a feature has one margin unit",
                        feature.id()
                    ),
                );
            }
        }
        _ => problems.add(entry.value.at, "'scale' is a number above 0"),
    }
}

fn warming(
    entry: &Entry,
    feature: Feature,
    hysteresis: bool,
    scales: &mut Scales,
    problems: &mut Problems<'_>,
) -> Option<Warming> {
    if feature.spec().ranks.is_none() {
        problems.add(entry.at, format!("'warming' is for percentiles; '{}' is none", feature.id()));
        return None;
    }
    match &entry.value.kind {
        NodeKind::Bool(holds) => Some(Warming::Always(*holds)),
        NodeKind::Table(inner) => {
            if let Some(nested) = find(inner, "warming") {
                problems.add(nested.at, "a stand-in has no 'warming' of its own");
            }
            let stand_in = plain(&entry.value, hysteresis, scales, problems)?;
            if stand_in.feature.spec().ranks.is_some() {
                problems.add(entry.value.at, "a stand-in must not be a percentile: it has no history either");
                return None;
            }
            Some(Warming::Clause(Box::new(stand_in)))
        }
        other => {
            problems.add(entry.value.at, format!("'warming' is true, false or a clause, not {}", other.name()));
            None
        }
    }
}
