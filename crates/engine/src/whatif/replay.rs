//! The labels of one axis under a book, from what its clauses said: evaluation and memory are those of the live axes.
//!
//! Between two rows at which nothing a clause says changes, an axis whose raw label is published stays as it is, so that whole
//! runs are stepped over; while another label waits, every row is taken, because dwell counts them. A replay goes on from the
//! axes as the first row has them; a label that waits there is taken to have been counted by the newest input of that row.

use super::history::{StoredHistory, place};
use super::runs::Runs;
use super::truths::{ClauseTruth, clause_truths};
use crate::catalogue::Feature;
use crate::rules::{
    AxisMemory, Clause, ClauseSource, DatedReadings, Evaluation, RuleBook, Ruled, Staleness, Truth, evaluate_with,
};
use barograph_domain::{Span, State, Ts};

/// Labels of an axis, row by row.
#[derive(Clone, PartialEq, Debug)]
pub struct ReplayedAxis<L> {
    /// The published label of each row.
    pub labels: Runs<L>,
    /// What the rules said, before exit bands and dwell.
    pub raw: Runs<L>,
}

/// What the clauses of an axis say of a row, by their places.
struct Recorded<'a> {
    said: &'a [ClauseTruth],
    history: &'a StoredHistory,
    row: u32,
    ts: Ts,
}

impl ClauseSource for Recorded<'_> {
    fn truth(&self, clause: &Clause, relaxed: bool) -> Truth {
        self.said.get(clause.place).map_or(Truth::Unknown, |s| s.truth(relaxed))
    }
}

impl DatedReadings for Recorded<'_> {
    fn anchor(&self, feature: Feature) -> Option<Ts> {
        self.history.columns.get(&feature)?.anchor(self.row, self.ts)
    }
    fn cadence(&self, feature: Feature) -> Option<Span> {
        let beside = self.history.columns.get(&feature)?.standing.at(self.row)?;
        let stream = beside.stream.filter(|_| matches!(beside.state, State::Ready))?;
        Some(self.history.streams.get(stream.index())?.cadence)
    }
}

/// The labels of an axis under a book.
///
/// # Errors
/// A feature that a clause compares and whose numbers the history lacks.
pub fn replay<L: Ruled>(book: &RuleBook, history: &StoredHistory) -> Result<ReplayedAxis<L>, Feature> {
    let set = L::of(book);
    let tracks = set.written().map(|clause| clause_truths(history, clause, book)).collect::<Result<Vec<_>, _>>()?;
    let stale = history.staleness_of::<L>(book);
    let mut out = ReplayedAxis { labels: Runs::default(), raw: Runs::default() };
    let (rows, Some(first)) = (history.rows(), &history.first) else { return Ok(out) };
    let first = first[place(L::AXIS)].state::<L>();
    out.labels.push(first.label, 1);
    out.raw.push(first.raw_label, 1);
    let mut cursors: Vec<_> = tracks.iter().map(Runs::reading).collect();
    let Some(said) = cursors.iter().map(|c| c.now().map(|(said, _)| said)).collect::<Option<Vec<_>>>() else {
        return Ok(out);
    };
    let there = Recorded { said: &said, history, row: 0, ts: history.ts.first().copied().unwrap_or(Ts(0)) };
    let mut memory = AxisMemory::resumed(book, first, &there, evaluate_with(set, &there).fired);
    let mut ages = stale.reading();
    let mut now_said = Vec::with_capacity(cursors.len());
    let mut row = 1;
    while row < rows {
        let mut end = rows;
        now_said.clear();
        for cursor in &mut cursors {
            cursor.go_to(row);
            let Some((said, upto)) = cursor.now() else { return Ok(out) };
            now_said.push(said);
            end = end.min(upto);
        }
        ages.go_to(row);
        let ((any, past_gap_alert), upto) = ages.now().unwrap_or(((false, false), rows));
        end = end.min(upto);
        let staleness = Staleness { any, past_gap_alert };
        let evaluation = evaluate_with(set, &Recorded { said: &now_said, history, row, ts: Ts(0) });
        let same = Stretch { book, history, said: &now_said, staleness, evaluation, from: row, end };
        same.run(&mut memory, &mut out);
        row = end;
    }
    Ok(out)
}

/// Rows of which every clause says the same.
struct Stretch<'a, L> {
    book: &'a RuleBook,
    history: &'a StoredHistory,
    said: &'a [ClauseTruth],
    staleness: Staleness,
    evaluation: Evaluation<L>,
    from: u32,
    end: u32,
}

impl<L: Ruled> Stretch<'_, L> {
    fn run(&self, memory: &mut AxisMemory<L>, out: &mut ReplayedAxis<L>) {
        let at = |row: u32| usize::try_from(row).unwrap_or(usize::MAX);
        let times = self.history.ts.get(at(self.from)..at(self.end)).unwrap_or(&[]);
        for (row, ts) in (self.from..self.end).zip(times) {
            let readings = Recorded { said: self.said, history: self.history, row, ts: *ts };
            let state = memory.take(self.book, *ts, &readings, &self.evaluation, self.staleness);
            if state.raw_label == state.label {
                out.labels.push(state.label, self.end - row);
                break;
            }
            out.labels.push(state.label, 1);
        }
        out.raw.push(self.evaluation.raw, self.end - self.from);
    }
}
