//! A journal that is read again and again as it grows is read once.

use crate::journal::support::{begin, files, open};
use barograph_domain::Span;
use barograph_lake::journal::{ControlRecord, JournalCursor, JournalReader, Selection, SettledJournal};

#[test]
fn a_look_costs_what_is_new_however_long_the_journal_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let keys: Vec<_> = (0..3).map(|n| writer.connection("v", &format!("c{n}"), 0, begin()).unwrap()).collect();
    let mut settled = SettledJournal::new(dir.path());
    let (mut cursor, mut done, mut lines, mut costs) = (JournalCursor::default(), None, 0, Vec::new());
    // Two hours in looks of ten seconds; one connection is seldom heard.
    let looks = 720;
    for n in 0..looks {
        let at = begin() + Span::secs(10 * n);
        writer.control(at + Span(1), &ControlRecord::Tick).unwrap();
        for (k, key) in (0_i64..).zip(&keys) {
            if k < 2 || n % 50 == 0 {
                writer.frame(*key, at + Span(2 + k), format!("frame {n} of {k}").as_bytes()).unwrap();
            }
        }
        writer.flush().unwrap().wait().unwrap();
        let Some(until) = settled.poll().unwrap() else { continue };
        let before = cursor.bytes_read() + settled.bytes_read();
        let selection = Selection { after: done, until: Some(until), ..Selection::default() };
        let mut reader = JournalReader::resume(dir.path(), selection, cursor).unwrap();
        while let Some(entry) = reader.next().unwrap() {
            assert!(done.is_none_or(|done| entry.at > done) && entry.at <= until);
            lines += 1;
        }
        (cursor, done) = (reader.into_cursor(), Some(until));
        costs.push(cursor.bytes_read() + settled.bytes_read() - before);
    }
    let selection = Selection { after: done, ..Selection::default() };
    let mut reader = JournalReader::resume(dir.path(), selection, cursor).unwrap();
    while reader.next().unwrap().is_some() {
        lines += 1;
    }
    assert_eq!(lines, u64::try_from(3 * looks + (looks + 49) / 50).unwrap(), "every line once");
    let size: u64 = files(dir.path()).iter().map(|p| p.metadata().unwrap().len()).sum();
    let (early, late): (u64, u64) =
        (costs[10..110].iter().sum(), costs[costs.len() - 110..costs.len() - 10].iter().sum());
    assert!(late <= early * 5 / 4, "{early} bytes for 100 looks, {late} an hour later");
    let all: u64 = costs.iter().sum();
    assert!(all <= 5 * size, "{all} bytes were read of {size}");
    writer.close().unwrap();
    // Of a journal that nobody writes nothing is read twice either.
    let ended = settled.poll().unwrap();
    assert!(ended > done && settled.poll().unwrap() == ended);
}
