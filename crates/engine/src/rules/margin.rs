//! How far readings are from thresholds, in the scale units of regimes §7.
//!
//! Margins are always taken at full thresholds. A flag or a word has no distance: it limits a rule only by being false.
//! A label's margin is that of the rule that gave it; NORMAL's is the distance to the nearest rule.

use super::book::{Clause, Op, Rule, RuleBook, Test, Warming};
use super::eval::{AsRead, ClauseSource, Evaluation, Reading, Truth, evaluate, group_truth, rule_truth};
use super::set::Ruled;
use barograph_domain::Cell;

/// One clause, judged at full thresholds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Judged<'a> {
    /// The clause that was judged: the written one or its stand-in.
    pub clause: &'a Clause,
    /// Outcome at full thresholds.
    pub truth: Truth,
    /// The reading, where there is a usable one.
    pub value: Option<f64>,
    /// Distance to the threshold, positive when the clause holds; `None` for unknown readings, flags, words and constants.
    pub margin: Option<f64>,
    /// A stand-in or a constant took the place of a percentile without history.
    pub by_default: bool,
}

/// Judges one clause of the book.
#[must_use]
pub fn judge<'a>(book: &RuleBook, cells: &[Cell], clause: &'a Clause) -> Judged<'a> {
    let readings = AsRead::new(book, cells);
    let truth = readings.truth(clause, false);
    let (effective, by_default) = match (&clause.warming, readings.read(clause.feature)) {
        (Warming::Clause(stand_in), Reading::Warming) => (&**stand_in, true),
        (Warming::Always(_), Reading::Warming) => (clause, true),
        _ => (clause, false),
    };
    let value = match readings.read(effective.feature) {
        Reading::Value(x) => Some(x),
        Reading::Warming | Reading::Stale | Reading::Unknown | Reading::NotOffered => None,
    };
    let margin = value.and_then(|x| clause_margin(effective, x));
    Judged { clause: effective, truth, value, margin, by_default }
}

/// `(x − θ)/s` for `>`, `(θ − x)/s` for `<`; `None` for flags and words.
fn clause_margin(clause: &Clause, x: f64) -> Option<f64> {
    let (Test::Number { op, value, .. }, Some(scale)) = (&clause.test, clause.scale) else { return None };
    let x = if clause.abs { x.abs() } else { x };
    Some(match op {
        Op::Gt | Op::Ge => (x - value) / scale,
        Op::Lt | Op::Le => (value - x) / scale,
        Op::Eq => -(x - value).abs() / scale,
    })
}

/// Margin of a judged clause with constants, flags and words as plus or minus infinity.
fn bound(judged: &Judged<'_>) -> f64 {
    judged.margin.unwrap_or(if judged.truth == Truth::True { f64::INFINITY } else { f64::NEG_INFINITY })
}

/// Smallest over the groups of the largest over a group's members; `None` when a part is unknown or nothing measures.
#[must_use]
pub fn rule_margin<L>(book: &RuleBook, cells: &[Cell], rule: &Rule<L>) -> Option<f64> {
    let readings = AsRead::new(book, cells);
    let mut out = f64::INFINITY;
    for group in &rule.groups {
        if !matches!(group_truth(group, &readings, false), Truth::True | Truth::False) {
            return None;
        }
        let known = group.clauses.iter().map(|c| judge(book, cells, c)).filter(|j| !j.truth.is_unknown());
        out = out.min(
            known.filter(|j| j.truth != Truth::NotApplicable).map(|j| bound(&j)).fold(f64::NEG_INFINITY, f64::max),
        );
    }
    out.is_finite().then_some(out)
}

/// How far a false rule is from being true: the largest shortfall of its false groups. Unknown groups could only add.
fn distance<L>(book: &RuleBook, cells: &[Cell], rule: &Rule<L>) -> Option<f64> {
    let readings = AsRead::new(book, cells);
    if rule_truth(rule, &readings, false) != Truth::False {
        return None;
    }
    let false_groups = rule.groups.iter().filter(|g| group_truth(g, &readings, false) == Truth::False);
    let shortfall = |g: &super::Group| {
        -g.clauses
            .iter()
            .map(|c| judge(book, cells, c))
            .filter(|j| j.truth == Truth::False)
            .map(|j| bound(&j))
            .fold(f64::NEG_INFINITY, f64::max)
    };
    let out = false_groups.map(shortfall).fold(f64::NEG_INFINITY, f64::max);
    out.is_finite().then_some(out)
}

/// How far a rule is from its thresholds, whatever the label is and whatever other rules say: positive while it holds, negative by
/// how much its readings would have to move where it does not. `None` where they cannot be judged, or nothing in it measures.
#[must_use]
pub fn rule_distance<L>(book: &RuleBook, cells: &[Cell], rule: &Rule<L>) -> Option<f64> {
    match rule_truth(rule, &AsRead::new(book, cells), false) {
        Truth::True => rule_margin(book, cells, rule),
        _ => distance(book, cells, rule).map(|d| -d),
    }
}

/// Distance of the raw label to its nearest alternative; `None` for UNKNOWN and where nothing measures.
#[must_use]
pub fn label_margin<L: Ruled>(book: &RuleBook, cells: &[Cell]) -> Option<f64> {
    margin_of(book, cells, &evaluate::<L>(book, cells))
}

/// The same of readings that were judged already.
pub(crate) fn margin_of<L: Ruled>(book: &RuleBook, cells: &[Cell], now: &Evaluation<L>) -> Option<f64> {
    let rules = L::of(book).rules();
    match now.fired {
        Some(i) => rule_margin(book, cells, &rules[i]),
        None if now.raw == L::RESTING => rules.iter().filter_map(|r| distance(book, cells, r)).min_by(f64::total_cmp),
        None => None,
    }
}
