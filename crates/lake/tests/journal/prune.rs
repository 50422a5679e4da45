//! Retention removes whole hours, the oldest first, and nothing that is being written.

use crate::journal::support::{begin, files, open, read};
use barograph_domain::{Span, Ts};
use barograph_lake::journal::{ControlRecord, JournalWriter, Pruned, Retention, prune};
use std::path::Path;

const KEEP_ALL: Retention = Retention { max_age: Span::days(1_000), max_bytes: u64::MAX };

/// Two connections and control records in each of `hours` hours from 22:00 on; the writer has the last hour open.
fn journal(dir: &Path, hours: i64) -> (JournalWriter, Ts) {
    let mut writer = open(dir);
    let from = Ts::from_civil(2026, 2, 5, 22, 0, 0);
    let keys = ["a", "b"].map(|c| writer.connection("v", c, 0, from).unwrap());
    for hour in 0..hours {
        let at = from + Span::hours(hour);
        writer.frame(keys[0], at + Span::mins(10), b"a").unwrap();
        writer.frame(keys[1], at + Span::mins(20), b"b").unwrap();
        writer.control(at + Span::mins(30), &ControlRecord::Tick).unwrap();
    }
    let now = from + Span::hours(hours - 1) + Span::mins(40);
    writer.poll(now).unwrap();
    writer.flush().unwrap().wait().unwrap();
    (writer, now)
}

/// Prunes and checks that hours went whole, oldest first, and that what is left can be read.
fn check(hours: i64, age: Span, bytes: impl FnOnce(u64) -> u64, want_removed: i64) -> Pruned {
    let dir = tempfile::tempdir().unwrap();
    let (writer, now) = journal(dir.path(), hours);
    let total: u64 = files(dir.path()).iter().map(|p| p.metadata().unwrap().len()).sum();
    let pruned = prune(dir.path(), now, &Retention { max_age: age, max_bytes: bytes(total) }).unwrap();
    let from = Ts::from_civil(2026, 2, 5, 22, 0, 0);
    let removed: Vec<Ts> = (0..want_removed).map(|h| from + Span::hours(h)).collect();
    assert_eq!(pruned.hours, removed);
    assert_eq!(pruned.files.len() as i64, 3 * want_removed);
    assert_eq!(pruned.left + pruned.bytes, total);
    assert!(pruned.files.iter().all(|f| !f.exists()));
    let left: Vec<Ts> = read(dir.path()).iter().map(crate::journal::support::Line::at).collect();
    assert_eq!(left.len() as i64, 3 * (hours - want_removed));
    assert!(left.iter().all(|at| *at >= from + Span::hours(want_removed)));
    drop(writer);
    pruned
}

#[test]
fn hours_older_than_the_limit_go() {
    let all = |_| u64::MAX;
    check(6, Span::days(9), all, 0);
    // It is 03:40; 00:00 to 01:00 ended 2 h 40 min ago.
    check(6, Span::hours(2), all, 3);
    check(6, Span::mins(161), all, 2);
    // The present hour stays whatever the limit.
    check(6, Span(1), all, 5);
}

#[test]
fn the_oldest_hours_go_until_the_rest_fits() {
    check(6, Span::days(9), |total| total, 0);
    check(6, Span::days(9), |total| total - 1, 1);
    check(6, Span::days(9), |_| 0, 5);
    let pruned = check(6, Span::days(9), |total| total / 2, 3);
    // The folders of a day that is gone are gone.
    assert!(pruned.files[..6].iter().all(|f| !f.parent().unwrap().exists()));
}

#[test]
fn files_that_a_writer_has_open_stay_and_those_a_dead_one_left_go() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let key = writer.connection("v", "silent", 0, begin()).unwrap();
    writer.frame(key, begin() + Span(1), b"x").unwrap();
    writer.flush().unwrap().wait().unwrap();
    // Two days later nobody has called `poll`, so the file is still open.
    let later = begin() + Span::days(2);
    let nothing = Retention { max_age: Span(1), max_bytes: 0 };
    assert_eq!(prune(dir.path(), later, &nothing).unwrap().files.len(), 0);
    assert_eq!(prune(dir.path(), later, &KEEP_ALL).unwrap().left, files(dir.path())[0].metadata().unwrap().len());
    let torn = std::fs::read(&files(dir.path())[0]).unwrap();
    let path = files(dir.path()).remove(0);
    writer.close().unwrap();
    std::fs::write(&path, torn).unwrap();
    // The next writer began after that file's lines, so the file is not its own.
    let (writer, _) = JournalWriter::open(barograph_lake::journal::JournalConfig::new(dir.path()), later).unwrap();
    assert_eq!(prune(dir.path(), later, &nothing).unwrap().files, [path]);
    writer.close().unwrap();
}

#[test]
fn the_present_hour_stays_even_when_its_files_are_closed() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, now) = journal(dir.path(), 3);
    writer.close().unwrap();
    let nothing = Retention { max_age: Span(1), max_bytes: 0 };
    assert_eq!(prune(dir.path(), now, &nothing).unwrap().hours.len(), 2);
    assert_eq!(read(dir.path()).len(), 3);
}

#[test]
fn an_empty_file_goes_with_its_day() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("venue=v/date=2026-02-05");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("c-0.zst"), b"").unwrap();
    let now = Ts::from_civil(2026, 2, 6, 0, 30, 0);
    let keep = Retention { max_age: Span::hours(1), max_bytes: u64::MAX };
    assert_eq!(prune(dir.path(), now, &keep).unwrap().files.len(), 0);
    assert_eq!(prune(dir.path(), now + Span::hours(1), &keep).unwrap().files.len(), 1);
}
