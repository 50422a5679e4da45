//! Episodes of a book's own alert rules over stored rows, by the code that watches live.
//!
//! Rules that are judged at every event are left out: stored minutes do not hold what they read between two of them.

use super::history::StoredHistory;
use super::runs::Runs;
use super::truths::{ClauseTruth, clause_truths};
use crate::catalogue::Feature;
use crate::detect::ruled::Replaying;
use crate::rules::{AlertRule, Clause, ClauseSource, RuleBook, Truth, groups_truth};
use barograph_domain::Ts;

/// What the clauses of a rule say of a row, the first of them at place `first`.
struct OfRule<'a> {
    first: usize,
    said: &'a [ClauseTruth],
}

impl ClauseSource for OfRule<'_> {
    fn truth(&self, clause: &Clause, relaxed: bool) -> Truth {
        let at = clause.place.checked_sub(self.first);
        at.and_then(|at| self.said.get(at)).map_or(Truth::Unknown, |s| s.truth(relaxed))
    }
}

/// A rule's id, and when its episodes opened; `None` for a rule that is judged at every event.
pub type RuleEntries = (String, Option<Vec<Ts>>);

/// When episodes of each alert rule opened, by the rule's id; `None` for a rule that is judged at every event. An episode under
/// way at the first row opens there.
///
/// # Errors
/// A feature that a clause compares and whose numbers the history lacks.
pub fn alert_entries(book: &RuleBook, history: &StoredHistory) -> Result<Vec<RuleEntries>, Feature> {
    let entries = |rule: &AlertRule| match rule.is_at_event() {
        true => Ok((rule.id.clone(), None)),
        false => Ok((rule.id.clone(), Some(of_rule(rule, book, history)?))),
    };
    book.alerts().iter().map(entries).collect()
}

fn of_rule(rule: &AlertRule, book: &RuleBook, history: &StoredHistory) -> Result<Vec<Ts>, Feature> {
    let tracks = rule.clauses().map(|clause| clause_truths(history, clause, book)).collect::<Result<Vec<_>, _>>()?;
    let mut cursors: Vec<_> = tracks.iter().map(Runs::reading).collect();
    let first = rule.clauses().map(|c| c.place).min().unwrap_or(0);
    let mut watch = Replaying::default();
    let mut opened = Vec::new();
    let mut now_said = Vec::with_capacity(cursors.len());
    let mut until = 0;
    let (mut full, mut relaxed) = (Truth::Unknown, Truth::Unknown);
    for (row, ts) in (0_u32..).zip(&history.ts) {
        if row >= until {
            now_said.clear();
            until = u32::MAX;
            for cursor in &mut cursors {
                cursor.go_to(row);
                let Some((said, upto)) = cursor.now() else { return Ok(opened) };
                now_said.push(said);
                until = until.min(upto);
            }
            let readings = OfRule { first, said: &now_said };
            full = groups_truth(&rule.groups, &readings, false);
            relaxed = groups_truth(&rule.groups, &readings, true);
        }
        if watch.minute(*ts, rule, full, relaxed) {
            opened.push(*ts);
        }
    }
    Ok(opened)
}
