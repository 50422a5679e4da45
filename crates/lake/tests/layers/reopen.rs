//! A writer after another: one that stopped in order, and one that did not.

use crate::layers::support::{BEGIN, all_hours, as_kept, book, books, folder, names, open, push};
use barograph_domain::{Span, Ts};
use barograph_lake::layers::{HourGap, LakeConfig, UNFLUSHED, check, compact};

const STEP: Span = Span::millis(40);

fn said(root: &std::path::Path) -> Vec<(u64, Vec<HourGap>)> {
    let lost = |gaps: Vec<HourGap>| gaps.into_iter().filter(|g| g.reason == UNFLUSHED).collect();
    all_hours(root).iter().map(|h| h.manifest().unwrap().unwrap()).map(|m| (m.rows, lost(m.gaps))).collect()
}

fn gap(from: Ts, until: Ts) -> HourGap {
    HourGap { from, until, reason: UNFLUSHED.to_owned() }
}

/// The moment of a book.
fn at(i: u64) -> Ts {
    book(i, STEP).head.ts
}

#[test]
fn a_writer_that_stops_in_order_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    for piece in [0..30, 30..31, 31..310_u64] {
        let (mut writer, opened) = open(LakeConfig::live(root.path()));
        assert_eq!(opened.lost_after, None);
        assert_eq!(opened.unclosed.map(|(_, rows)| rows), (piece.start > 0).then_some(piece.start));
        piece.for_each(|i| push(&mut writer, &book(i, STEP)));
        writer.into_partition().close().unwrap();
    }
    let (writer, _) = open(LakeConfig::live(root.path()));
    writer.into_partition().finish().unwrap();
    assert_eq!(books(root.path()), as_kept((0..310).map(|i| book(i, STEP))));
    assert_eq!(said(root.path()), [(250, vec![]), (60, vec![])]);
}

#[test]
fn what_was_not_flushed_is_a_gap_until_the_next_row() {
    let root = tempfile::tempdir().unwrap();
    let (mut writer, _) = open(LakeConfig::live(root.path()));
    (0..60).for_each(|i| push(&mut writer, &book(i, STEP)));
    drop(writer);
    let hour = folder(root.path(), 13);
    std::fs::write(hour.join("part-1.parquet.partial"), b"PAR1").unwrap();
    let (mut writer, opened) = open(LakeConfig::live(root.path()));
    assert_eq!((opened.lost_after, opened.unclosed.unwrap().1), (Some(at(49)), 50));
    assert_eq!(opened.removed, [hour.join("part-1.parquet.partial")]);
    // Stopped again before a row came: still to be declared.
    writer.partition().flush().unwrap();
    writer.into_partition().close().unwrap();
    let (mut writer, opened) = open(LakeConfig::live(root.path()));
    assert_eq!(opened.lost_after, Some(at(49)));
    (100..120).for_each(|i| push(&mut writer, &book(i, STEP)));
    writer.into_partition().finish().unwrap();
    assert_eq!(said(root.path()), [(70, vec![gap(at(49), at(100))])]);
    assert_eq!(books(root.path()), as_kept((0..50).chain(100..120).map(|i| book(i, STEP))));
    assert_eq!(check(root.path()).unwrap(), []);
}

#[test]
fn a_loss_that_reaches_into_the_next_hour_is_in_both() {
    let root = tempfile::tempdir().unwrap();
    let (mut writer, _) = open(LakeConfig::live(root.path()));
    (0..60).for_each(|i| push(&mut writer, &book(i, STEP)));
    drop(writer);
    let (mut writer, _) = open(LakeConfig::live(root.path()));
    (300..310).for_each(|i| push(&mut writer, &book(i, STEP)));
    writer.into_partition().finish().unwrap();
    let lost = gap(at(49), at(300));
    assert_eq!(said(root.path()), [(50, vec![lost.clone()]), (10, vec![lost])]);
}

#[test]
fn an_import_that_was_killed_leaves_a_declared_empty_hour() {
    let root = tempfile::tempdir().unwrap();
    let (mut writer, _) = open(LakeConfig::import(root.path()));
    (0..60).for_each(|i| push(&mut writer, &book(i, STEP)));
    drop(writer);
    assert_eq!(names(&folder(root.path(), 13)), ["_open.json"]);
    let (writer, opened) = open(LakeConfig::import(root.path()));
    let hour = Ts::from_civil(2024, 8, 8, 13, 0, 0);
    assert_eq!((opened.lost_after, opened.unclosed), (Some(hour), Some((hour, 0))));
    writer.into_partition().finish().unwrap();
    assert_eq!(said(root.path()), [(0, vec![gap(hour, hour + Span::hours(1))])]);
    assert_eq!((books(root.path()), check(root.path()).unwrap()), (vec![], vec![]));
}

#[test]
fn compaction_closes_hours_that_nobody_goes_on_with() {
    let root = tempfile::tempdir().unwrap();
    let config = LakeConfig { compact_on_close: false, ..LakeConfig::live(root.path()) };
    let (mut writer, _) = open(config.clone());
    (0..60).for_each(|i| push(&mut writer, &book(i, STEP)));
    let end = Ts::from_civil(2024, 8, 8, 14, 0, 0);
    let held = compact(&config, Some(end)).unwrap();
    assert_eq!((held.closed, held.left.len()), (0, 1), "the writer is running: {held:?}");
    drop(writer);
    assert_eq!(compact(&config, Some(end - Span(1))).unwrap().closed, 0);
    assert_eq!(check(root.path()).unwrap().len(), 1);
    let report = compact(&config, Some(end)).unwrap();
    assert_eq!((report.closed, report.hours, report.files_removed, report.left.len()), (1, 1, 2, 0), "{report:?}");
    assert!(report.bytes_after < report.bytes_before);
    assert_eq!(said(root.path()), [(50, vec![gap(at(49), end)])]);
    assert_eq!(check(root.path()).unwrap(), []);
    assert_eq!(compact(&config, Some(end)).unwrap(), Default::default());
    assert_eq!(names(&folder(root.path(), 13)), ["_manifest.json".to_owned(), format!("hour-{}.parquet", BEGIN.0)]);
}

#[test]
fn event_time_that_steps_back_keeps_the_order_of_receipt() {
    let root = tempfile::tempdir().unwrap();
    let (mut writer, _) = open(LakeConfig::live(root.path()));
    let back = |i: u64| {
        let mut book = book(i, STEP);
        // Venue clocks of two streams, two seconds apart.
        if i % 2 == 1 {
            book.head.ts = book.head.ts - Span::secs(2);
        }
        book
    };
    for i in 0..100 {
        push(&mut writer, &back(i));
        writer.partition().flush().unwrap();
    }
    drop(writer);
    let (writer, opened) = open(LakeConfig::live(root.path()));
    assert_eq!(opened.unclosed.unwrap().1, 100);
    writer.into_partition().finish().unwrap();
    assert_eq!(books(root.path()), as_kept((0..100).map(back)));
    assert_eq!(check(root.path()).unwrap(), []);
}
