//! The one place where rows become rows to learn from.

use super::plan::TrainWindow;
use super::rows::{RoleRows, TrainRows};
use crate::targets::LabelSpans;
use barograph_domain::{Span, Ts};

/// What training rows are kept away from: from the first start to the last end of the labels of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Block {
    pub(super) start: Ts,
    pub(super) end: Ts,
}

impl Block {
    /// `None` for a block without rows.
    pub(super) fn of<R>(rows: &RoleRows<R>) -> Option<Self> {
        Some(Self { start: rows.begins()?, end: rows.ends()? })
    }

    pub(super) fn length(self) -> Span {
        self.end - self.start
    }
}

/// The candidates from which one may learn what is judged on a block: the label is known before the block begins, by the embargo or
/// more. A label that ends in the very moment in which the block begins is not, even without an embargo: intervals are closed.
pub(super) fn purge(
    spans: &LabelSpans,
    candidates: impl Iterator<Item = usize>,
    block: Block,
    embargo: Span,
    window: TrainWindow,
) -> TrainRows {
    let known_by = Ts(block.start.0.saturating_sub(embargo.0));
    let from = match window {
        TrainWindow::Expanding => Ts::MIN,
        TrainWindow::Rolling(length) => Ts(known_by.0.saturating_sub(length.0)),
    };
    let all = spans.as_slice();
    let learns = |at: &usize| {
        let span = all[*at];
        span.end < block.start && span.end <= known_by && span.start >= from
    };
    RoleRows::new(spans.clone(), candidates.filter(learns).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::LabelSpan;
    use barograph_testkit::GoldenTable;

    fn spans(of: impl Iterator<Item = (Ts, Ts)>) -> LabelSpans {
        LabelSpans::new(of.enumerate().map(|(row, (start, end))| LabelSpan { row, start, end }).collect()).unwrap()
    }

    /// Research §12.
    #[test]
    fn the_last_row_to_learn_from_is_known_an_hour_before_the_block() {
        let hour = |h: i64| Ts(0) + Span::hours(h);
        let spans = spans((0..13 * 60).map(|m| (Ts(0) + Span::mins(m), Ts(0) + Span::mins(m + 5))));
        let block = Block { start: hour(12), end: hour(13) };
        let train = purge(&spans, 0..12 * 60, block, Span::hours(1), TrainWindow::Expanding);
        let last = train.chosen().next_back().unwrap();
        assert_eq!((last.end, last.start), (hour(11), hour(11) - Span::mins(5)));
        assert_eq!(train.begins(), Some(hour(0)));
        let rolling = purge(&spans, 0..12 * 60, block, Span::hours(1), TrainWindow::Rolling(Span::hours(2)));
        assert_eq!((rolling.begins(), rolling.ends()), (Some(hour(9)), Some(hour(11))));
    }

    #[test]
    fn roles_are_those_computed_elsewhere() {
        let table = GoldenTable::whole("purge");
        #[expect(clippy::cast_possible_truncation, reason = "seconds of a table")]
        let at = |x: f64| Ts::from_secs(x as i64);
        let spans = spans(table.rows().map(|r| (at(r.need("label_start")), at(r.need("label_end")))));
        let role = |n: usize| table.row(n).text("role");
        let test: Vec<usize> = (0..60).filter(|n| role(*n) == "test").collect();
        let block = Block::of(&RoleRows::<super::super::TestRole>::new(spans.clone(), test)).unwrap();
        let train = purge(&spans, 0..60, block, Span::secs(20), TrainWindow::Expanding);
        let want: Vec<usize> = (0..60).filter(|n| role(*n) == "train").collect();
        assert_eq!(train.positions(), want);
    }

    #[test]
    fn a_label_that_only_touches_the_block_is_not_learnt_from() {
        let spans = spans([(0, 9), (1, 10), (2, 11), (10, 12)].map(|(a, b)| (Ts(a), Ts(b))).into_iter());
        let block = Block { start: Ts(10), end: Ts(12) };
        let at = |embargo| purge(&spans, 0..4, block, Span(embargo), TrainWindow::Expanding).positions().to_vec();
        assert_eq!((at(0), at(1), at(2)), (vec![0], vec![0], vec![]));
    }
}
