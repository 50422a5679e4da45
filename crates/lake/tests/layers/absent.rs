//! Hours that are missing between others: which are found, and which are only stated.

use crate::layers::support::{book, market, push};
use barograph_domain::{GapReason, Span, Ts};
use barograph_lake::layers::{
    BookHead, BookWriter, HourAbsence, LakeConfig, TradeWriter, WideTrade, absent_hours, check,
};
use std::path::Path;

const NINE: Ts = Ts::from_civil(2026, 3, 2, 9, 0, 0);

/// Hours behind nine, each with what is before it.
type Hours = &'static [(i64, Option<GapReason>)];

fn trades(root: &Path, hours: Hours) {
    let (mut writer, _) = TradeWriter::open(LakeConfig::import(root), market()).unwrap();
    for (sequence, (hour, gap)) in (0..).zip(hours) {
        let ts = NINE + Span::hours(*hour);
        let trade = WideTrade { ts, known_ts: ts, sequence, price: 1.0, size: 1.0, is_buy: true, gap: *gap };
        writer.push(&trade).unwrap();
    }
    writer.into_partition().close().unwrap();
}

fn books(root: &Path, hours: Hours) {
    let (mut writer, _) = BookWriter::open(LakeConfig::import(root), market()).unwrap();
    for (sequence, (hour, gap)) in (0..).zip(hours) {
        let (ts, mut state) = (NINE + Span::hours(*hour), book(1, Span::secs(1)));
        state.head = BookHead { ts, known_ts: ts, sequence, gap: *gap, ..state.head };
        push(&mut writer, &state);
    }
    writer.into_partition().close().unwrap();
}

const LOST: Option<GapReason> = Some(GapReason::Disconnected);

/// Hours of books, hours of trades, and for each absence its table, first hour, number and why.
type Case = (Hours, Hours, &'static [(&'static str, i64, i64, HourAbsence)]);

const CASES: [Case; 6] = [
    (&[(0, LOST), (1, None), (2, None)], &[(0, LOST), (1, None), (2, None)], &[]),
    (&[(0, LOST), (3, LOST)], &[], &[("orderbook", 1, 2, HourAbsence::Declared)]),
    // Nothing shows that the book moved; and that nobody traded is ordinary.
    (
        &[(0, LOST), (3, None)],
        &[(0, LOST), (3, None)],
        &[("orderbook", 1, 2, HourAbsence::Quiet), ("trades", 1, 2, HourAbsence::Quiet)],
    ),
    (&[(0, None), (1, None), (2, None)], &[(0, None), (2, None)], &[("trades", 1, 1, HourAbsence::Quiet)]),
    // Somebody traded while there was no book.
    (&[(0, None), (2, None)], &[(0, None), (1, None), (2, None)], &[("orderbook", 1, 1, HourAbsence::TakenAway)]),
    (&[(0, None), (2, LOST)], &[(0, None), (1, None), (2, None)], &[("orderbook", 1, 1, HourAbsence::Declared)]),
];

#[test]
fn absent_hours_are_told_apart_by_what_is_declared_and_by_other_tables() {
    for (of_books, of_trades, want) in CASES {
        let root = tempfile::tempdir().unwrap();
        books(root.path(), of_books);
        trades(root.path(), of_trades);
        let found = absent_hours(root.path()).unwrap();
        let told: Vec<_> =
            found.iter().map(|a| (a.table.as_str(), (a.from - NINE).0 / Span::hours(1).0, a.count(), a.why)).collect();
        assert_eq!(told, want, "{of_books:?} {of_trades:?}");
        let taken = want.iter().filter(|w| w.3 == HourAbsence::TakenAway).count();
        assert_eq!(check(root.path()).unwrap().len(), taken, "{of_books:?} {of_trades:?}");
    }
}
