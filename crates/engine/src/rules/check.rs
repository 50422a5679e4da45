//! Checks on rules that could be read: can every clause and rule hold, is every rule reachable, are ids unique?
//!
//! "Shadowed" is decided for conjunctions of comparisons and is sound: a reported rule truly never decides. Implications
//! that need more than interval inclusion per feature are not looked for.

use super::book::{Clause, Group, Test, Warming};
use super::parse::Draft;
use super::problem::Problems;
use super::range::{Ranges, domain};

pub(super) fn all(drafts: &[Draft], problems: &mut Problems<'_>) {
    for (i, draft) in drafts.iter().enumerate() {
        if let Some(first) = drafts[..i]
            .iter()
            .filter(|d| d.rule.axis == draft.rule.axis)
            .find(|d| d.rule.id == draft.rule.id && !d.rule.id.is_empty())
        {
            let line = problems.line_of(first.at);
            problems.add(draft.at, format!("rule id '{}' is used before, in line {line}", draft.rule.id));
        }
        let sound = clauses_can_hold(draft, problems) && rule_can_hold(draft, problems);
        if sound
            && let Some(first) =
                drafts[..i].iter().filter(|d| d.rule.axis == draft.rule.axis).find(|d| shadows(d, draft))
        {
            problems.add(
                draft.at,
                format!(
                    "rule '{}' never decides: whenever it holds, '{}' in line {} holds first",
                    draft.rule.id,
                    first.rule.id,
                    problems.line_of(first.at)
                ),
            );
        }
    }
}

/// A rule that stands for itself: can every clause hold, and all of them together?
pub(super) fn alone(draft: &Draft, problems: &mut Problems<'_>) {
    let _found = clauses_can_hold(draft, problems) && rule_can_hold(draft, problems);
}

fn each(draft: &Draft) -> impl Iterator<Item = (&Clause, usize)> {
    draft.rule.groups.iter().zip(&draft.clauses_at).flat_map(|(g, at)| g.clauses.iter().zip(at.iter().copied()))
}

fn clauses_can_hold(draft: &Draft, problems: &mut Problems<'_>) -> bool {
    let mut fine = true;
    for (clause, at) in each(draft) {
        let stand_in = match &clause.warming {
            Warming::Clause(c) => Some(&**c),
            Warming::Unknown | Warming::Always(_) => None,
        };
        for c in core::iter::once(clause).chain(stand_in) {
            let Some(range) = Ranges::of_clause(c) else { continue };
            let values = domain(c.feature);
            let possible = if c.abs { range.clone() } else { range.and(&values) };
            if range.is_empty() || possible.is_empty() {
                problems.add(at, format!("'{}' can never hold{}", spelled(c), hint(c)));
                fine = false;
            }
        }
    }
    fine
}

fn hint(c: &Clause) -> &'static str {
    if c.abs {
        ": an absolute value is never negative"
    } else if c.feature.spec().ranks.is_some() {
        ": a percentile lies between 0 and 1, so 95 % is 0.95"
    } else {
        ": the feature has no such values"
    }
}

/// The clause as written: `abs(oi_delta_1h) < 0.02`.
fn spelled(c: &Clause) -> String {
    let name = if c.abs { format!("abs({})", c.feature.id()) } else { c.feature.id().to_owned() };
    match c.test {
        Test::Number { op, value, .. } => format!("{name} {} {value}", op.sign()),
        Test::Codes { .. } => name,
    }
}

/// The set of values every plain clause on this one's feature allows together.
fn allowed(groups: &[Group], like: &Clause) -> Option<Ranges> {
    let mut out: Option<Ranges> = None;
    for group in groups {
        let [only] = group.clauses.as_slice() else { continue };
        if only.feature == like.feature
            && let Some(r) = Ranges::of_clause(only)
        {
            out = Some(out.map_or_else(|| domain(only.feature).and(&r), |o| o.and(&r)));
        }
    }
    out
}

fn codes_allowed(groups: &[Group], like: &Clause) -> Option<u64> {
    let masks = groups.iter().filter_map(|g| match g.clauses.as_slice() {
        [Clause { feature, test: Test::Codes { mask, .. }, .. }] if *feature == like.feature => Some(*mask),
        _ => None,
    });
    masks.reduce(|a, b| a & b)
}

fn rule_can_hold(draft: &Draft, problems: &mut Problems<'_>) -> bool {
    let groups = &draft.rule.groups;
    for (clause, at) in each(draft) {
        let numbers = allowed(groups, clause).is_some_and(|r| r.is_empty());
        let words = codes_allowed(groups, clause) == Some(0);
        if numbers || words {
            problems.add(
                at,
                format!(
                    "rule '{}' can never hold: its clauses on '{}' exclude each other",
                    draft.rule.id,
                    clause.feature.id()
                ),
            );
            return false;
        }
    }
    true
}

/// Does `later` holding always mean `earlier` holds?
fn shadows(earlier: &Draft, later: &Draft) -> bool {
    !earlier.rule.groups.is_empty() && earlier.rule.groups.iter().all(|g| implied(g, &later.rule.groups))
}

/// Does the conjunction `given` imply the disjunction `wanted`?
fn implied(wanted: &Group, given: &[Group]) -> bool {
    let by_plain_clauses = wanted.clauses.iter().any(|w| {
        let single = given.iter().find_map(|g| match g.clauses.as_slice() {
            [only] if only.feature == w.feature => Some(only),
            _ => None,
        });
        single.is_some_and(|s| s.warming == w.warming) && within(w, allowed(given, w), codes_allowed(given, w))
    });
    by_plain_clauses
        || given.iter().any(|g| g.clauses.iter().all(|c| wanted.clauses.iter().any(|w| clause_implies(c, w))))
}

fn clause_implies(c: &Clause, w: &Clause) -> bool {
    let mask = match c.test {
        Test::Codes { mask, .. } => Some(mask),
        Test::Number { .. } => None,
    };
    c.feature == w.feature && c.warming == w.warming && within(w, Ranges::of_clause(c), mask)
}

fn within(w: &Clause, range: Option<Ranges>, mask: Option<u64>) -> bool {
    match (w.test.clone(), Ranges::of_clause(w)) {
        (Test::Codes { mask: allowed, .. }, _) => mask.is_some_and(|m| m & !allowed == 0),
        (Test::Number { .. }, Some(wide)) => range.is_some_and(|r| r.within(&wide)),
        (Test::Number { .. }, None) => false,
    }
}
