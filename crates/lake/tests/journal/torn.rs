//! A file that ends anywhere, or holds anything, gives back what was flushed and nothing else.

use crate::journal::support::{Dice, Line, begin, files, open, open_with, read, read_after, scribble};
use barograph_domain::{Span, Ts};
use barograph_lake::journal::{
    ControlRecord, Error, JournalConfig, JournalReader, JournalWriter, RecoveredJournal, Retention, Tail, prune,
};
use std::path::{Path, PathBuf};

/// One connection, `n` lines in blocks of about three, every block flushed; the file's bytes and its length after each
/// block with the number of lines up to there.
fn journal(dir: &Path, n: usize, closed: bool) -> (PathBuf, Vec<Line>, Vec<(usize, usize)>) {
    let mut writer = open(dir);
    let key = writer.connection("v", "c", 0, begin()).unwrap();
    let (mut ends, mut lines) = (Vec::new(), Vec::new());
    let mut path = PathBuf::new();
    for seq in 0..n {
        let (at, bytes) = (begin() + Span(1 + seq as i64), format!("{{\"seq\":{seq}}}").into_bytes());
        writer.frame(key, at, &bytes).unwrap();
        lines.push(Line::Frame { at, venue: "v".into(), connection: "c".into(), seq: seq as u64, bytes });
        if seq % 3 == 2 {
            writer.flush().unwrap().wait().unwrap();
            path = files(dir).remove(0);
            ends.push((usize::try_from(path.metadata().unwrap().len()).unwrap(), seq + 1));
        }
    }
    if closed {
        writer.close().unwrap();
    } else {
        // As a killed process: the file is what is on disk now.
        let bytes = std::fs::read(&path).unwrap();
        writer.close().unwrap();
        std::fs::write(&path, bytes).unwrap();
    }
    (path, lines, ends)
}

#[test]
fn cut_at_any_byte_every_flushed_line_comes_back_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (path, lines, ends) = journal(dir.path(), 12, true);
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let (end, flushed) = *ends.iter().rfind(|(end, _)| *end <= cut).unwrap_or(&(0, 0));
        let (found, tails) = read_after(dir.path(), None);
        assert!(found == lines[..flushed], "cut at {cut}: {} lines of {flushed}", found.len());
        // The header is a block of its own: before the first lines it is all that can be whole.
        let end = if flushed == 0 && tails[0].bytes_lost < cut as u64 {
            cut - usize::try_from(tails[0].bytes_lost).unwrap()
        } else {
            end
        };
        let tail = Tail {
            path: path.clone(),
            bytes_lost: (cut - end) as u64,
            last_good: flushed.checked_sub(1).map(|i| lines[i].at()),
            lines: flushed as u64,
        };
        assert_eq!(tails, std::slice::from_ref(&tail), "cut at {cut}");
        // The next process finds the same, and goes on behind it.
        let (mut writer, recovered) = JournalWriter::open(JournalConfig::new(dir.path()), begin()).unwrap();
        let last = tail.last_good;
        assert_eq!(recovered, RecoveredJournal { last, unclosed: vec![tail], damaged: vec![] }, "cut at {cut}");
        // (Closing waits for the device, so not at every byte.)
        if cut % 16 != 0 {
            continue;
        }
        let key = writer.connection("v", "c", 0, begin()).unwrap();
        writer.frame(key, begin() + Span::secs(1), b"after").unwrap();
        writer.close().unwrap();
        assert_eq!(read(dir.path()).len(), flushed + 1, "cut at {cut}");
        assert_eq!(std::fs::read(&path).unwrap(), whole[..cut], "repaired in place");
        std::fs::remove_file(files(dir.path()).into_iter().find(|p| *p != path).unwrap()).unwrap();
    }
}

#[test]
fn zeros_and_scrambled_bytes_at_the_end_are_a_tail() {
    let dir = tempfile::tempdir().unwrap();
    let (path, lines, ends) = journal(dir.path(), 12, false);
    let whole = std::fs::read(&path).unwrap();
    let (end, flushed) = ends[2];
    let mut dice = Dice(5);
    for from in end..whole.len() {
        for zeros in [true, false] {
            let mut bytes = whole.clone();
            for b in &mut bytes[from..] {
                *b = if zeros { 0 } else { u8::try_from(dice.roll(256)).unwrap() };
            }
            std::fs::write(&path, &bytes).unwrap();
            let (found, tails) = read_after(dir.path(), None);
            // The last bytes may happen to be the right ones.
            let want = if bytes == whole { lines.len() } else { flushed };
            assert!(found == lines[..want], "from {from}: {} lines", found.len());
            assert_eq!(tails[0].bytes_lost > 0, bytes != whole);
        }
    }
}

#[test]
fn a_changed_byte_in_the_middle_is_an_error_with_file_and_line() {
    for closed in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let (path, lines, ends) = journal(dir.path(), 12, closed);
        let whole = std::fs::read(&path).unwrap();
        // Everything between the first and the last block of lines.
        for at in ends[0].0..ends[2].0 {
            let mut bytes = whole.clone();
            // (One bit of a zstd frame header, the fifth of its first byte, means nothing and is not looked at here.)
            bytes[at] ^= 0x81;
            std::fs::write(&path, &bytes).unwrap();
            let flushed = ends.iter().rfind(|(end, _)| *end <= at).unwrap().1;
            let mut reader = JournalReader::open(dir.path(), None).unwrap();
            let mut read = 0;
            let error = loop {
                match reader.next() {
                    Ok(Some(entry)) => {
                        assert_eq!(entry.at, lines[read].at());
                        read += 1;
                    }
                    Ok(None) => panic!("byte {at} went unnoticed after {read} lines"),
                    Err(e) => break e,
                }
            };
            assert_eq!(read, flushed, "byte {at}");
            assert!(reader.next().is_err(), "it went on after an error");
            match &error {
                // Line 1 is the header.
                Error::Damaged { path: p, line, .. } => {
                    assert_eq!((p, *line), (&path, flushed as u64 + 2), "byte {at}")
                }
                other => panic!("byte {at}: {other}"),
            }
            assert!(error.to_string().contains("c-0.zst' is damaged at line"), "{error}");
        }
        let mut bytes = whole.clone();
        bytes[ends[0].0] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        // A new process starts all the same, says so, and does not use a stamp twice.
        let (writer, recovered) = JournalWriter::open(JournalConfig::new(dir.path()), begin()).unwrap();
        assert_eq!(recovered.damaged.len(), usize::from(!closed));
        assert_eq!(recovered.last, lines.last().map(Line::at));
        drop(writer);
    }
}

#[test]
fn a_damaged_file_can_be_passed_over_and_the_others_are_read_on() {
    let dir = tempfile::tempdir().unwrap();
    let (path, lines, ends) = journal(dir.path(), 12, true);
    let mut writer = open(dir.path());
    // Records among the frames of the other file, before the damage and behind it, and one in a later hour.
    let last = lines.last().unwrap().at();
    let key = writer.connection("v", "d", 1, last).unwrap();
    for n in 1..=20 {
        writer.frame(key, last + Span(n), b"beside").unwrap();
    }
    writer.frame(key, last + Span::hours(1), b"later").unwrap();
    writer.close().unwrap();
    let whole = std::fs::read(&path).unwrap();
    for (at, kept) in [(ends[0].0 + 3, ends[0].1), (ends[1].0 + 3, ends[1].1)] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x81;
        std::fs::write(&path, &bytes).unwrap();
        let mut reader = JournalReader::open(dir.path(), None).unwrap();
        let (mut read, mut said) = (Vec::new(), Vec::new());
        loop {
            match reader.next() {
                Ok(Some(entry)) => read.push(entry.at),
                Ok(None) => break,
                Err(e) => {
                    assert!(matches!(&e, Error::Damaged { path: p, .. } if *p == path), "{e}");
                    assert!(reader.next().is_err(), "nobody goes on unawares");
                    assert!(reader.pass_over());
                    said.push(read.len());
                }
            }
        }
        assert_eq!(said, [kept], "once, at its place");
        let beside = (1..=20).map(|n| last + Span(n)).chain([last + Span::hours(1)]);
        let want: Vec<Ts> = lines[..kept].iter().map(Line::at).chain(beside).collect();
        assert_eq!(read, want, "byte {at}");
    }
}

#[test]
fn lines_that_were_never_written_so_are_errors() {
    let header = "#{\"format\":\"barograph-journal\",\"version\":1,\"kind\":\"frames\",\"venue\":\"v\",\"connection\":\"c\",\
                  \"rank\":0,\"opened\":\"2026-02-05T14:59:50Z\",\"first_ns\":5,\"first_seq\":0}\n";
    let check = |text: &str, want: &str| {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("venue=v/date=2026-02-05");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("c-0.zst"), zstd::encode_all(text.as_bytes(), 3).unwrap()).unwrap();
        let error = JournalReader::open(dir.path(), None).and_then(|mut r| r.next().map(|_| ())).unwrap_err();
        assert!(error.to_string().contains(want), "{error}");
    };
    // Packed by another program: no markers, so nothing says where a line may begin.
    check(&format!("{header}5 x\n"), "line 1");
    check("5 x\n", "line 1");
}

#[test]
fn a_stamp_twice_in_two_files_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open_with(JournalConfig::new(dir.path()));
    scribble(&mut writer, 3, 50, 1, Span::millis(1));
    writer.close().unwrap();
    let from = files(dir.path()).into_iter().find(|p| p.ends_with("c0-0.zst")).unwrap();
    std::fs::copy(&from, from.with_file_name("c0-1.zst")).unwrap();
    let mut reader = JournalReader::open(dir.path(), None).unwrap();
    let error = loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a doubled file went unnoticed"),
            Err(e) => break e,
        }
    };
    assert!(error.to_string().contains("of another file"), "{error}");
}

/// Two connections and control records over five hours, a line each in every half hour.
fn five_hours(root: &Path) {
    let mut writer = open(root);
    let keys = ["c", "d"].map(|name| writer.connection("v", name, 0, begin()).unwrap());
    for half in 0..10_i64 {
        let at = begin() + Span::mins(30 * half);
        writer.control(at + Span(1), &ControlRecord::Tick).unwrap();
        for (n, key) in (2..).zip(keys) {
            writer.frame(key, at + Span(n), b"line").unwrap();
        }
    }
    writer.close().unwrap();
}

/// Stamps of the lines, and what was said between them.
fn passing_over(root: &Path, after: Option<Ts>) -> (Vec<Ts>, Vec<String>) {
    let mut reader = JournalReader::open(root, after).unwrap();
    let (mut read, mut said) = (Vec::new(), Vec::new());
    loop {
        match reader.next() {
            Ok(Some(entry)) => read.push(entry.at),
            Ok(None) => return (read, said),
            Err(e) => {
                said.push(e.to_string());
                assert!(reader.pass_over());
            }
        }
    }
}

#[test]
fn a_file_that_was_taken_away_is_missed_once_and_the_others_are_read() {
    let whole = tempfile::tempdir().unwrap();
    five_hours(whole.path());
    let (all, said) = passing_over(whole.path(), None);
    assert_eq!((all.len(), said.len()), (30, 0));
    let kept = files(whole.path());
    let of = |name: &str| kept.iter().filter(|p| p.to_string_lossy().contains(name)).count();
    assert_eq!((of("control"), of("/c-"), of("/d-")), (6, 6, 6));
    for (n, gone) in kept.iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        five_hours(dir.path());
        let gone = dir.path().join(gone.strip_prefix(whole.path()).unwrap());
        let lines = text_of(&gone);
        std::fs::remove_file(&gone).unwrap();
        let (read, said) = passing_over(dir.path(), None);
        assert_eq!(read.len(), all.len() - lines, "{}", gone.display());
        // Behind the last file of a connection nothing can miss it.
        assert_eq!(said.len(), usize::from(n % 6 != 5), "{}: {said:?}", gone.display());
        for sentence in &said {
            let from = [1, 2, 4, 6, 8][n % 6];
            let told = if lines == 1 { format!("line {from}") } else { format!("lines {from} to {}", from + 1) };
            assert!(sentence.contains(&told) && sentence.contains("is missing"), "{sentence}");
        }
        // Whoever begins later misses what is missing from there on, and what ended before is not asked for.
        for half in [0, 3, 6] {
            let after = begin() + Span::mins(30 * half);
            let (later, said) = passing_over(dir.path(), Some(after));
            assert_eq!(later.len(), read.iter().filter(|at| **at > after).count());
            let hour = [0, 1, 3, 5, 7][(n % 6).min(4)];
            assert!(said.len() == usize::from(n % 6 != 5 && hour >= half) || hour < half, "{half} {n}: {said:?}");
        }
    }
}

#[test]
fn what_retention_removed_is_not_missed() {
    let dir = tempfile::tempdir().unwrap();
    five_hours(dir.path());
    let retention = Retention { max_age: Span::hours(2), max_bytes: u64::MAX };
    let pruned = prune(dir.path(), begin() + Span::mins(30 * 9), &retention).unwrap();
    assert_eq!(pruned.hours.len(), 3);
    let (read, said) = passing_over(dir.path(), None);
    assert_eq!((read.len(), said), (15, vec![]));
}

/// Lines of a file without its header.
fn text_of(path: &Path) -> usize {
    crate::journal::support::text(path).iter().filter(|b| **b == b'\n').count() - 1
}
