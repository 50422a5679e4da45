//! A reader gives back the order of processing, whatever the files are.

use crate::journal::support::{Line, begin, files, open, open_with, read, read_after, read_selected, scribble, text};
use barograph_domain::{Span, Ts};
use barograph_lake::journal::{ControlRecord, JournalConfig, REST, RecoveredJournal, Selection, survey};
use barograph_venues::session::RequestId;

fn check(seed: u64, n: usize, connections: usize, step: Span, change: impl FnOnce(&mut JournalConfig)) {
    let dir = tempfile::tempdir().unwrap();
    let mut config = JournalConfig::new(dir.path());
    change(&mut config);
    let mut writer = open_with(config);
    let written = scribble(&mut writer, seed, n, connections, step);
    writer.close().unwrap();
    let (lines, tails) = read_after(dir.path(), None);
    assert!(lines == written, "seed {seed}: {} lines of {}", lines.len(), written.len());
    assert_eq!(tails, []);
    // From any line on, the rest comes back with the same numbers.
    for i in (0..n).step_by(n / 7 + 1) {
        let (rest, _) = read_after(dir.path(), Some(written[i].at()));
        assert!(rest == written[i + 1..], "seed {seed}: after line {i}");
    }
}

#[test]
fn merged_by_stamp_the_files_give_the_order_of_processing() {
    check(1, 3_000, 7, Span::millis(2), |_| {});
    // Many small blocks.
    check(2, 3_000, 7, Span::millis(2), |c| c.block_bytes = 200);
    // Through hours and a midnight.
    check(3, 3_000, 5, Span::mins(1), |_| {});
    // Small files.
    check(4, 3_000, 4, Span::millis(1), |c| c.rotate_bytes = 5_000);
    // Handed over at every line, a queue that is full most of the time.
    check(5, 3_000, 4, Span::secs(3), |c| c.queue_bytes = 64);
}

#[test]
fn hundreds_of_connections_are_merged() {
    check(6, 6_000, 400, Span::millis(30), |_| {});
}

#[test]
fn a_file_is_text_with_a_header_and_one_frame_per_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let at = begin();
    let key = writer.connection("binance-usdm", "market-0", 3, at).unwrap();
    writer.frame(key, at + Span(5), b"{\"e\":1}").unwrap();
    writer.frame(key, at + Span(6), b"a\nb\\").unwrap();
    writer.control(at + Span(7), &ControlRecord::Tick).unwrap();
    writer.close().unwrap();
    let frames = dir.path().join("venue=binance-usdm/date=2026-02-05/market-0-0.zst");
    let control = dir.path().join("control/date=2026-02-05/0.zst");
    match std::process::Command::new("zstdcat").arg(&frames).output() {
        Ok(shown) => assert_eq!(shown.stdout, text(&frames)),
        Err(e) => barograph_testkit::skipped_part("read by zstdcat", &e.to_string()),
    }
    assert_eq!(files(dir.path()), [control.clone(), frames.clone()]);
    assert_eq!(
        String::from_utf8(text(&frames)).unwrap(),
        "#{\"format\":\"barograph-journal\",\"version\":1,\"kind\":\"frames\",\"venue\":\"binance-usdm\",\
         \"connection\":\"market-0\",\"rank\":3,\"opened\":\"2026-02-05T14:59:50Z\",\
         \"first_ns\":1770303590000000005,\"first_seq\":0}\n\
         1770303590000000005 {\"e\":1}\n1770303590000000006 a\\nb\\\\\n"
    );
    assert_eq!(
        String::from_utf8(text(&control)).unwrap(),
        "#{\"format\":\"barograph-journal\",\"version\":1,\"kind\":\"control\",\"opened\":\"2026-02-05T14:59:50Z\",\
         \"first_ns\":1770303590000000007,\"first_seq\":0}\n{\"at\":1770303590000000007,\"op\":\"tick\"}\n"
    );
}

#[test]
fn a_new_hour_and_a_full_file_begin_a_new_one_and_the_numbers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open_with(JournalConfig { rotate_bytes: 60, ..JournalConfig::new(dir.path()) });
    let key = writer.connection("v", "c", 0, begin()).unwrap();
    // Two lines of 30 bytes fill a file; the hour ends between the third and the fourth.
    for (i, after) in [1, 2, 3, 11, 12, 13].into_iter().enumerate() {
        writer.frame(key, begin() + Span::secs(after), format!("{i}23456789").as_bytes()).unwrap();
    }
    writer.close().unwrap();
    let names: Vec<_> = files(dir.path()).iter().map(|p| p.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["c-0.zst", "c-1.zst", "c-2.zst", "c-3.zst"]);
    let lines: Vec<_> = files(dir.path()).iter().map(|p| text(p).iter().filter(|b| **b == b'\n').count() - 1).collect();
    assert_eq!(lines, [2, 1, 2, 1]);
    let seqs: Vec<_> = read(dir.path())
        .iter()
        .map(|l| match l {
            Line::Frame { seq, .. } => *seq,
            Line::Control { .. } => unreachable!(),
        })
        .collect();
    assert_eq!(seqs, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_reply_shares_its_stamp_with_its_body_and_comes_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let at = |n| begin() + Span(n);
    let rest = writer.connection("v", REST, 0, begin()).unwrap();
    let other = writer.connection("w", REST, 0, begin()).unwrap();
    let venue = || "v".to_owned();
    let asked = ControlRecord::Request {
        venue: venue(),
        id: RequestId(4),
        url: "https://v/depth".into(),
        purpose: "sync".into(),
    };
    writer.control(at(1), &asked).unwrap();
    writer.reply(rest, at(2), RequestId(4), 200, b"{\n}").unwrap();
    // The stamp is taken by now, for everybody.
    assert!(writer.frame(rest, at(2), b"again").is_err());
    let answered = ControlRecord::Reply { venue: venue(), id: RequestId(5), status: 503 };
    writer.control(at(3), &answered).unwrap();
    assert!(writer.frame(other, at(3), b"of another venue").is_err());
    writer.frame(rest, at(3), b"").unwrap();
    writer.close().unwrap();
    let frame = |n, seq, bytes: &[u8]| Line::Frame {
        at: at(n),
        venue: venue(),
        connection: REST.to_owned(),
        seq,
        bytes: bytes.to_vec(),
    };
    assert_eq!(
        read(dir.path()),
        [
            Line::Control { at: at(1), record: asked },
            Line::Control { at: at(2), record: ControlRecord::Reply { venue: venue(), id: RequestId(4), status: 200 } },
            frame(2, 0, b"{\n}"),
            Line::Control { at: at(3), record: answered },
            frame(3, 1, b""),
        ]
    );
}

#[test]
fn a_part_of_a_journal_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let written = scribble(&mut writer, 9, 2_000, 6, Span::secs(20));
    writer.close().unwrap();
    let (from, to) = (written[300].at(), written[1_500].at());
    let selection = Selection { after: Some(from), until: Some(to), venue: Some("venue-1".to_owned()) };
    let (lines, _) = read_selected(dir.path(), selection).unwrap();
    let want: Vec<_> = written
        .into_iter()
        .filter(|l| l.at() > from && l.at() <= to)
        .filter(|l| matches!(l, Line::Control { .. }) || matches!(l, Line::Frame { venue, .. } if venue == "venue-1"))
        .collect();
    assert!(lines == want && lines.len() > 300, "{} of {}", lines.len(), want.len());
}

#[test]
fn a_second_process_goes_on_where_the_first_ended() {
    let dir = tempfile::tempdir().unwrap();
    let mut written = Vec::new();
    for run in 0..3 {
        let mut writer = open(dir.path());
        assert_eq!(writer.last(), written.last().map(Line::at));
        // Looking needs no lock.
        assert_eq!(survey(dir.path()).unwrap().last, writer.last());
        written.extend(scribble(&mut writer, run, 200, 3, Span::millis(1)));
        writer.close().unwrap();
    }
    assert!(read(dir.path()) == written);
}

#[test]
fn a_journal_that_is_not_there_or_empty_has_no_lines() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(read(&dir.path().join("none")), []);
    assert_eq!(survey(&dir.path().join("none")).unwrap(), RecoveredJournal::default());
    open(dir.path()).close().unwrap();
    assert_eq!(read_after(dir.path(), Some(Ts::MAX)), (vec![], vec![]));
}
