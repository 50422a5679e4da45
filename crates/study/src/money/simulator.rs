//! A user's own rule through the same costs (research §7, R4.71): entry and exit on columns and regime labels, long or short.
//!
//! The rule is a pure function of one row and of the labels as known then; it sees no other row, so it cannot see a later one. A row
//! whose order book could not be used is not shown to it, and the position stays as it is.

use super::backtest::{BacktestFault, check_terms};
use super::blotter::{Blotter, FundingPayment, Stance, TradeTerms, TradesSoFar};
use super::books::BookAt;
use super::report::TradeReport;
use crate::frame::ResearchFrame;
use barograph_domain::time::LATENESS;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// Labels of one axis as they became known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelTrack {
    axis: String,
    /// `None` where there was no label from then on.
    changes: Vec<(Ts, Option<String>)>,
}

impl LabelTrack {
    /// Of an axis, such as `vol_regime`, from the moments when each label was known. Brought into the order of time here; of equal
    /// moments the last counts.
    #[must_use]
    pub fn new(axis: &str, mut changes: Vec<(Ts, Option<String>)>) -> Self {
        changes.sort_by_key(|(at, _)| *at);
        Self { axis: axis.to_owned(), changes }
    }

    /// The axis.
    #[must_use]
    pub fn axis(&self) -> &str {
        &self.axis
    }

    /// The label as known at a moment.
    #[must_use]
    pub fn as_of(&self, at: Ts) -> Option<&str> {
        let until = self.changes.partition_point(|(t, _)| *t <= at);
        self.changes[..until].last()?.1.as_deref()
    }
}

/// What a rule may know: one row, and the labels as of it.
#[derive(Clone, Copy, Debug)]
pub struct RuleRow<'a> {
    frame: &'a ResearchFrame,
    labels: &'a [LabelTrack],
    row: usize,
    known_ts: Ts,
    held: Stance,
}

impl<'a> RuleRow<'a> {
    /// A row of a frame that was known at this moment, while no position is held.
    #[must_use]
    pub const fn of(frame: &'a ResearchFrame, labels: &'a [LabelTrack], row: usize, known_ts: Ts) -> Self {
        Self { frame, labels, row, known_ts, held: Stance::Flat }
    }

    /// When the row was known.
    #[must_use]
    pub const fn known_ts(&self) -> Ts {
        self.known_ts
    }

    /// The position held when the row was known.
    #[must_use]
    pub const fn held(&self) -> Stance {
        self.held
    }

    /// The row's number of a column; `None` where it is absent or there is no such column.
    #[must_use]
    pub fn value(&self, column: &str) -> Option<f64> {
        self.frame.column(column)?.get(self.row)
    }

    /// The label of an axis; `None` where it has none.
    #[must_use]
    pub fn label(&self, axis: &str) -> Option<&'a str> {
        self.labels.iter().find(|track| track.axis == axis)?.as_of(self.known_ts)
    }
}

/// A simulation between two rows: where one that was stopped goes on.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct SimulationPoint {
    /// The next row.
    pub row: usize,
    /// What was traded before it.
    pub done: TradesSoFar,
}

/// Rows between two points: somewhat more than an hour.
const POINT_EVERY: usize = 4_096;

/// Trades what a rule wants on each usable row. A row is known 200 ms after its moment, when the last input that it uses may have
/// come; orders follow after the latency of the terms. A position that is open at the last row is left there.
///
/// # Errors
/// There is no row, or the terms cannot be traded on.
pub fn simulate(
    frame: &ResearchFrame,
    labels: &[LabelTrack],
    terms: &TradeTerms,
    books: &mut dyn BookAt,
    payments: &[FundingPayment],
    rule: impl Fn(&RuleRow<'_>) -> Stance,
) -> Result<TradeReport, BacktestFault> {
    simulate_known_after(LATENESS, frame, labels, terms, books, payments, rule)
}

/// The same from a point on that an earlier call over the same rows, labels, terms, books and payments gave to `keep`, as it is given one
/// every 4,096 rows; what comes out is what that call would have said. Books are asked for no moment before the row of the point.
///
/// # Errors
/// As [`simulate`].
pub fn simulate_from(
    (point, keep): (SimulationPoint, &mut dyn FnMut(&SimulationPoint)),
    frame: &ResearchFrame,
    labels: &[LabelTrack],
    terms: &TradeTerms,
    books: &mut dyn BookAt,
    payments: &[FundingPayment],
    rule: impl Fn(&RuleRow<'_>) -> Stance,
) -> Result<TradeReport, BacktestFault> {
    run((point, keep), LATENESS, frame, labels, terms, books, payments, rule)
}

/// The same for rows that are known later than others are.
///
/// # Errors
/// As [`simulate`]; also when a row would be known before its moment.
pub fn simulate_known_after(
    known_after: Span,
    frame: &ResearchFrame,
    labels: &[LabelTrack],
    terms: &TradeTerms,
    books: &mut dyn BookAt,
    payments: &[FundingPayment],
    rule: impl Fn(&RuleRow<'_>) -> Stance,
) -> Result<TradeReport, BacktestFault> {
    run((SimulationPoint::default(), &mut |_| {}), known_after, frame, labels, terms, books, payments, rule)
}

#[expect(clippy::too_many_arguments, reason = "what both entries share, each of which has fewer")]
fn run(
    (point, keep): (SimulationPoint, &mut dyn FnMut(&SimulationPoint)),
    known_after: Span,
    frame: &ResearchFrame,
    labels: &[LabelTrack],
    terms: &TradeTerms,
    books: &mut dyn BookAt,
    payments: &[FundingPayment],
    rule: impl Fn(&RuleRow<'_>) -> Stance,
) -> Result<TradeReport, BacktestFault> {
    check_terms(terms)?;
    if known_after < Span::ZERO {
        return Err(BacktestFault::Terms);
    }
    let (Some(first), Some(last)) = (frame.times().first(), frame.times().last()) else {
        return Err(BacktestFault::Empty);
    };
    let period = (*first + known_after, *last + known_after);
    let begun = point.row;
    let mut blotter = Blotter::going_on(books, terms, payments, point.done);
    for (row, t) in frame.times().iter().enumerate().skip(begun) {
        if row > begun && row.is_multiple_of(POINT_EVERY) {
            keep(&SimulationPoint { row, done: blotter.so_far().clone() });
        }
        let known_ts = *t + known_after;
        let wanted = if t == last {
            Stance::Flat
        } else if frame.is_valid(row) {
            rule(&RuleRow { frame, labels, row, known_ts, held: Stance::from(blotter.held()) })
        } else {
            continue;
        };
        move_to(&mut blotter, wanted, known_ts);
    }
    let (trips, untraded, unclosed) = blotter.finish();
    Ok(TradeReport::new(terms, trips, untraded, unclosed, period))
}

/// Leaves what is not wanted and enters what is; is that held now? What was not traded is counted by the blotter, and tried again on the
/// next row.
fn move_to(blotter: &mut Blotter<'_>, wanted: Stance, at: Ts) -> bool {
    let held = blotter.held();
    if Stance::from(held) == wanted {
        return true;
    }
    let left = held.is_none() || blotter.leave(at).is_ok();
    left && wanted.side().is_none_or(|side| blotter.enter(side, at).is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::books::RecordedBooks;
    use super::super::fees::TakerFee;
    use super::super::fills::TakerBook;
    use super::*;
    use barograph_domain::Side;

    fn market() -> (ResearchFrame, RecordedBooks, TradeTerms) {
        let mid = |s: i64| 1_000.0 + f64::from(i32::try_from(s).unwrap());
        let book = |s: i64| TakerBook::new([(mid(s) - 0.5, 100.0)], [(mid(s) + 0.5, 100.0)]).ok();
        let books = (0..40).map(|s| (Ts::from_secs(s), book(s))).collect();
        let column = (0..30).map(|s| Some(f64::from(s % 10))).collect();
        let times = (0..30).map(Ts::from_secs).collect();
        let valid = (0..30).map(|s| s != 14).collect();
        let frame = ResearchFrame::new(times, valid, vec![("x".to_owned(), column)]).unwrap();
        let terms = TradeTerms::new(TakerFee::new("test", 1.0).unwrap());
        (frame, RecordedBooks::new(books, Span::secs(2)), terms)
    }

    #[test]
    fn the_rule_sees_one_row_and_labels_as_known() {
        let (frame, mut books, terms) = market();
        let calm = |at| (Ts::from_secs(at), Some("LOW".to_owned()));
        let labels = [LabelTrack::new("vol_regime", vec![(Ts::from_secs(20), None), calm(0)])];
        let rule = |row: &RuleRow<'_>| match (row.label("vol_regime"), row.value("x"), row.value("nothing")) {
            (Some("LOW"), Some(x), None) if x < 4.0 => Stance::Long,
            (Some("LOW"), Some(x), None) if x < 8.0 => Stance::Short,
            _ => Stance::Flat,
        };
        let report = simulate(&frame, &labels, &terms, &mut books, &[], rule).unwrap();
        let held: Vec<_> = report.trips.iter().map(|t| (t.held, t.entry_at, t.exit_at)).collect();
        let at = |s: i64| Ts::from_secs(s) + Span::millis(450);
        // The row of second 14 cannot be used: the long of 10 is left a second late.
        let want = [
            (Side::Long, at(0), at(4)),
            (Side::Short, at(4), at(8)),
            (Side::Long, at(10), at(15)),
            (Side::Short, at(15), at(18)),
        ];
        assert_eq!(held, want);
    }

    #[test]
    fn the_last_row_leaves_and_a_position_held_costs_nothing() {
        let (frame, mut books, terms) = market();
        let report = simulate(&frame, &[], &terms, &mut books, &[], |_| Stance::Long).unwrap();
        assert_eq!((report.trips.len(), report.unclosed), (1, false));
        assert_eq!(report.trips[0].exit_at, Ts::from_secs(29) + Span::millis(450));
        let quantity = 10_000.0 / 1_000.5;
        assert!((report.trips[0].gross() - 29.0 * quantity).abs() < 1e-9);
        let none = simulate(&ResearchFrame::default(), &[], &terms, &mut books, &[], |_| Stance::Long);
        assert_eq!(none, Err(BacktestFault::Empty));
    }
}
