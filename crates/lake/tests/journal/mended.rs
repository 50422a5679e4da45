//! A file whose header is damaged: what its name and its blocks say stands in for it.

use crate::journal::support::{Line, begin, files, open, read};
use barograph_domain::{Span, Ts};
use barograph_lake::journal::{ControlRecord, EntryKind, JournalReader};
use std::path::Path;

/// Two connections and control records over three hours, a line each in every ten minutes; the second connection begins an hour later.
fn three_hours(root: &Path, closed: bool) -> Vec<Line> {
    let mut writer = open(root);
    let mut keys = vec![writer.connection("v", "c-1", 0, begin()).unwrap()];
    for n in 0..18_i64 {
        let at = begin() + Span::mins(10 * n);
        if n == 6 {
            keys.push(writer.connection("v", "d", 0, at).unwrap());
        }
        writer.control(at + Span(1), &ControlRecord::Tick).unwrap();
        for (key, add) in keys.iter().zip(2..) {
            writer.frame(*key, at + Span(add), b"line").unwrap();
        }
        writer.flush().unwrap().wait().unwrap();
    }
    if closed {
        writer.close().unwrap();
    } else {
        writer.abandon();
    }
    read(root)
}

/// A line: its stamp, its connection, its number.
type StampedLine = (Ts, String, u64);

/// Stamps of the lines, what was said between them and how many lines were read by then, and the files that were mended.
fn passing_over(root: &Path) -> (Vec<StampedLine>, Vec<(usize, String)>, usize) {
    let mut reader = JournalReader::open(root, None).unwrap();
    let (mut read, mut said) = (Vec::new(), Vec::new());
    loop {
        match reader.next() {
            Ok(Some(entry)) => {
                let (of, seq) = match entry.kind {
                    EntryKind::Frame { venue, connection, seq, .. } => (format!("{venue}/{connection}"), seq),
                    EntryKind::Control(_) => (String::new(), 0),
                };
                read.push((entry.at, of, seq));
            }
            Ok(None) => return (read, said, reader.mended().len()),
            Err(e) => {
                said.push((read.len(), e.to_string()));
                assert!(reader.pass_over());
            }
        }
    }
}

/// Where the block of the header ends: the marker, its length in it, and that many bytes.
fn header_end(bytes: &[u8]) -> usize {
    57 + u32::from_le_bytes(bytes[13..17].try_into().unwrap()) as usize
}

#[test]
fn no_line_is_lost_with_a_header() {
    for closed in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let all = three_hours(dir.path(), closed);
        let (want, said, mended) = passing_over(dir.path());
        assert_eq!((want.len(), said.len(), mended), (all.len(), 0, 0));
        for path in files(dir.path()) {
            let whole = std::fs::read(&path).unwrap();
            let end = header_end(&whole);
            for at in [0, 3, 20, 56, 60, end - 1] {
                let mut bytes = whole.clone();
                bytes[at] ^= 0x81;
                std::fs::write(&path, &bytes).unwrap();
                let (read, said, mended) = passing_over(dir.path());
                assert_eq!((said, mended), (vec![], 1), "{} byte {at}", path.display());
                assert!(read == want, "{} byte {at}: {} lines", path.display(), read.len());
            }
            std::fs::write(&path, whole).unwrap();
        }
    }
}

#[test]
fn lines_that_are_damaged_with_the_header_are_missed_where_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let all = three_hours(dir.path(), true);
    // Of the second hour: header and first block.
    let path = files(dir.path()).into_iter().filter(|p| p.to_string_lossy().contains("/c-1-")).nth(1).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let end = header_end(&bytes);
    bytes[10..end + 30].fill(0x55);
    std::fs::write(&path, bytes).unwrap();
    let (read, said, _) = passing_over(dir.path());
    // The first hour has one line of ten seconds before its end.
    let place = all.iter().position(|line| line.at() == begin() + Span::mins(10) + Span(2)).unwrap();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].0, place, "at the moment of the first line that is lost: {said:?}");
    assert!(said[0].1.contains("is damaged at line"), "{said:?}");
    assert_eq!(read.len(), all.len() - 6, "the rest of that file, and nothing else");
}
