//! What the writer refuses, and what it says.

use crate::journal::support::{begin, open, open_with, read};
use barograph_domain::{Span, Ts};
use barograph_lake::journal::{ControlRecord, Error, FRAME_BYTES_MAX, JournalConfig, JournalWriter, Recovery};

#[test]
fn stamps_must_increase_over_everything_and_across_processes() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let at = begin();
    let (a, b) = (writer.connection("v", "a", 0, at).unwrap(), writer.connection("v", "b", 1, at).unwrap());
    writer.frame(a, at + Span(5), b"x").unwrap();
    for stale in [at + Span(5), at + Span(4), Ts(-1)] {
        let error = writer.frame(b, stale, b"y").unwrap_err();
        assert!(matches!(error, Error::Stamp { .. }), "{error}");
        assert_eq!(error.recovery(), Recovery::Refuse);
        assert!(writer.control(stale, &ControlRecord::Tick).is_err());
    }
    writer.control(at + Span(6), &ControlRecord::Tick).unwrap();
    writer.close().unwrap();
    let mut writer = open(dir.path());
    let a = writer.connection("v", "a", 0, at).unwrap();
    let text = writer.frame(a, at + Span(6), b"z").unwrap_err().to_string();
    assert!(text.contains("1770303590000000006 is not later than 1770303590000000006"), "{text}");
    writer.frame(a, at + Span(7), b"z").unwrap();
    writer.close().unwrap();
    // Nothing refused was written.
    assert_eq!(read(dir.path()).len(), 3);
}

#[test]
fn a_second_writer_is_refused_in_plain_words() {
    let dir = tempfile::tempdir().unwrap();
    let writer = open(dir.path());
    let error = JournalWriter::open(JournalConfig::new(dir.path()), begin()).unwrap_err();
    let want = format!("process {} already writes this journal", std::process::id());
    assert!(error.to_string().starts_with(&want), "{error}");
    assert_eq!(error.recovery(), Recovery::Fatal);
    writer.close().unwrap();
    open(dir.path()).close().unwrap();
}

#[test]
fn a_name_that_is_no_file_name_and_a_closed_key_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let at = begin();
    assert!(writer.connection("v", "../c", 0, at).is_err());
    assert!(writer.connection("", "c", 0, at).is_err());
    let key = writer.connection("v", "c", 0, at).unwrap();
    assert!(writer.connection("v", "c", 0, at).unwrap_err().to_string().contains("already open"));
    writer.close_connection(key, at).unwrap();
    // Its slot is used again; the old key stays closed.
    let again = writer.connection("v", "c", 0, at).unwrap();
    assert!(writer.frame(key, at + Span(1), b"x").unwrap_err().to_string().contains("closed"));
    assert!(writer.close_connection(key, at).is_err());
    writer.frame(again, at + Span(1), b"x").unwrap();
    assert!(writer.reply(again, at + Span(2), barograph_venues::session::RequestId(1), 200, b"").is_err());
    let huge = vec![b'x'; FRAME_BYTES_MAX + 1];
    assert!(writer.frame(again, at + Span(3), &huge).unwrap_err().to_string().contains("are allowed"));
    writer.frame(again, at + Span(3), &huge[1..]).unwrap();
    writer.close().unwrap();
    assert_eq!(read(dir.path()).len(), 2);
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("file");
    std::fs::write(&root, b"").unwrap();
    let error = JournalWriter::open(JournalConfig::new(&root), begin()).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
    // A venue's folder is in the way: known when the first frame is written, and from then on.
    let mut writer = open_with(JournalConfig::new(dir.path()));
    std::fs::write(dir.path().join("venue=v"), b"").unwrap();
    let key = writer.connection("v", "c", 0, begin()).unwrap();
    writer.frame(key, begin() + Span(1), b"x").unwrap();
    let error = writer.flush().and_then(|t| t.wait()).unwrap_err();
    assert!(error.to_string().contains("venue=v"), "{error}");
    assert_eq!(error.recovery(), Recovery::Reopen);
    assert!(writer.stats().failed.is_some());
    assert!(matches!(writer.frame(key, begin() + Span::secs(9), b"x"), Err(Error::Poisoned { .. })));
    assert!(writer.close().is_err());
}
