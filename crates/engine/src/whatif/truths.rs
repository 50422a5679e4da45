//! What clauses say of every row: all that an evaluation asks of readings.

use super::column::{ReadingColumn, ReadingStanding};
use super::history::StoredHistory;
use super::runs::Runs;
use crate::catalogue::Feature;
use crate::rules::{Clause, RuleBook, Truth, Warming, clause_key};
use barograph_domain::{Kind, Reason, State};
use serde::{Deserialize, Serialize};

/// What a clause says at its full threshold and at its exit threshold.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct ClauseTruth {
    full: Code,
    relaxed: Code,
}

/// A [`Truth`] in a form that is stored.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
enum Code {
    True,
    False,
    Unknown,
    Stale,
    NotApplicable,
}

impl ClauseTruth {
    const fn both(code: Code) -> Self {
        Self { full: code, relaxed: code }
    }
    const fn holds(full: bool, relaxed: bool) -> Self {
        const fn code(holds: bool) -> Code {
            if holds { Code::True } else { Code::False }
        }
        Self { full: code(full), relaxed: code(relaxed) }
    }
    /// At one of the two thresholds.
    #[must_use]
    pub const fn truth(self, relaxed: bool) -> Truth {
        match if relaxed { self.relaxed } else { self.full } {
            Code::True => Truth::True,
            Code::False => Truth::False,
            Code::Unknown => Truth::Unknown,
            Code::Stale => Truth::Stale,
            Code::NotApplicable => Truth::NotApplicable,
        }
    }
}

/// Under which key a history keeps what a clause says: it tells clauses apart that may say other things.
#[must_use]
pub fn clause_truth_key(clause: &Clause, book: &RuleBook) -> String {
    format!("{}{}{}", u8::from(book.allow_proxy), u8::from(book.uses_last_values()), clause_key(clause))
}

/// What a clause says of every row: as kept, or from its column. The error is the feature whose column is missing.
///
/// # Errors
/// The feature that was not read.
pub fn clause_truths(history: &StoredHistory, clause: &Clause, book: &RuleBook) -> Result<Runs<ClauseTruth>, Feature> {
    if let Some(kept) = history.said.get(&clause_truth_key(clause, book)) {
        return Ok(kept.clone());
    }
    let column = history.columns.get(&clause.feature).filter(|c| !c.values.is_empty() || history.ts.is_empty());
    let column = column.ok_or(clause.feature)?;
    let stand_in = match &clause.warming {
        Warming::Clause(inner) => Some(clause_truths(history, inner, book)?),
        Warming::Unknown | Warming::Always(_) => None,
    };
    Ok(from_column(column, clause, book, stand_in.as_ref()))
}

fn from_column(
    column: &ReadingColumn,
    clause: &Clause,
    book: &RuleBook,
    stand_in: Option<&Runs<ClauseTruth>>,
) -> Runs<ClauseTruth> {
    let mut out = Runs::default();
    let mut other = stand_in.map(Runs::reading);
    for (start, end, standing) in column.standing.iter() {
        match reading(standing, book) {
            Beside::Value => values(column, clause, start, end, &mut out),
            Beside::ClauseTruth(code) => out.push(ClauseTruth::both(code), end - start),
            Beside::Warming => match (&clause.warming, &mut other) {
                (Warming::Always(holds), _) => out.push(ClauseTruth::holds(*holds, *holds), end - start),
                (Warming::Clause(_), Some(other)) => {
                    let mut row = start;
                    while row < end {
                        other.go_to(row);
                        let (said, upto) = other.now().unwrap_or((ClauseTruth::both(Code::Unknown), end));
                        out.push(said, upto.min(end) - row);
                        row = upto.min(end);
                    }
                }
                _ => out.push(ClauseTruth::both(Code::Unknown), end - start),
            },
        }
    }
    out
}

fn values(column: &ReadingColumn, clause: &Clause, start: u32, end: u32, out: &mut Runs<ClauseTruth>) {
    let at = |row: u32| usize::try_from(row).unwrap_or(usize::MAX);
    let numbers = column.values.get(at(start)..at(end)).unwrap_or(&[]);
    let mut rows = 0;
    let mut before = None;
    for x in numbers {
        let now = (clause.holds(*x, false), clause.holds(*x, true));
        if before != Some(now) {
            if let Some((full, relaxed)) = before {
                out.push(ClauseTruth::holds(full, relaxed), rows);
            }
            (before, rows) = (Some(now), 0);
        }
        rows += 1;
    }
    if let Some((full, relaxed)) = before {
        out.push(ClauseTruth::holds(full, relaxed), rows);
    }
}

enum Beside {
    Value,
    Warming,
    ClauseTruth(Code),
}

/// As the rules read a cell (regimes §2).
fn reading(standing: ReadingStanding, book: &RuleBook) -> Beside {
    let may_enter = book.allow_proxy || matches!(standing.kind, Kind::Measured | Kind::Sampled);
    match standing.state {
        State::Ready if may_enter => Beside::Value,
        State::Stale if book.uses_last_values() && may_enter => Beside::Value,
        State::Stale | State::Undefined(Reason::Stale) => Beside::ClauseTruth(Code::Stale),
        State::Warming { .. } | State::Undefined(Reason::Warming) => Beside::Warming,
        State::Undefined(Reason::NotOffered) => Beside::ClauseTruth(Code::NotApplicable),
        State::Ready | State::Undefined(_) => Beside::ClauseTruth(Code::Unknown),
    }
}

/// Notes what every clause of a book says.
pub(super) fn note(history: &mut StoredHistory, book: &RuleBook) {
    let mut clauses: Vec<&Clause> = Vec::new();
    book.risk().each_clause(&mut |c| clauses.push(c));
    book.trend().each_clause(&mut |c| clauses.push(c));
    book.volatility().each_clause(&mut |c| clauses.push(c));
    book.heat().each_clause(&mut |c| clauses.push(c));
    clauses.extend(book.alerts().iter().flat_map(crate::rules::AlertRule::clauses));
    for clause in clauses {
        let key = clause_truth_key(clause, book);
        if !history.said.contains_key(&key)
            && let Ok(runs) = clause_truths(history, clause, book)
        {
            history.said.insert(key, runs);
        }
    }
}
