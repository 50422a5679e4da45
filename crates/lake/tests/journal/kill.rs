//! Processes that are killed, or run out of room, in the middle of writing. The child is this test program itself.

use crate::journal::support::{Line, begin, open, open_with, read, read_after};
use barograph_domain::Span;
use barograph_lake::journal::{Error, JournalConfig, JournalWriter};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

const FOLDER: &str = "BAROGRAPH_TEST_JOURNAL";

fn child(name: &str, folder: &Path, shell: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{shell} exec \"$0\" \"$@\""));
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--include-ignored"]).env(FOLDER, folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn frame(i: i64) -> Vec<u8> {
    format!("{{\"i\":{i},\"filler\":\"{:0200}\"}}", i * 7_919).into_bytes()
}

/// Writes until it is killed; says after every twentieth line how many are flushed.
#[test]
#[ignore = "a part of the test below, which runs it as its own process"]
fn child_writes_for_ever() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut writer = open_with(JournalConfig { block_bytes: 4_096, ..JournalConfig::new(folder) });
    let key = writer.connection("v", "c", 0, begin()).unwrap();
    for i in 1.. {
        writer.frame(key, begin() + Span(i), &frame(i)).unwrap();
        if i % 20 == 0 {
            writer.flush().unwrap().wait().unwrap();
            println!("flushed {i}");
        }
    }
}

#[test]
fn killed_at_any_moment_everything_flushed_is_there() {
    for kill_after in [1, 7, 40] {
        let dir = tempfile::tempdir().unwrap();
        let mut running = child("journal::kill::child_writes_for_ever", dir.path(), "").spawn().unwrap();
        let mut said = BufReader::new(running.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut flushed = 0;
        let number = |line: String| line.split("flushed ").nth(1)?.parse::<usize>().ok();
        for n in said.by_ref().filter_map(number).take(kill_after) {
            flushed = n;
        }
        running.kill().unwrap();
        running.wait().unwrap();
        // What it managed to say before it died counts too.
        flushed = said.filter_map(number).last().unwrap_or(flushed);
        assert!(flushed >= kill_after * 20);
        let (lines, tails) = read_after(dir.path(), None);
        assert!(lines.len() >= flushed, "{} of {flushed} flushed lines", lines.len());
        for (i, line) in lines.iter().enumerate() {
            let n = i as i64 + 1;
            let (at, bytes, seq) = (begin() + Span(n), frame(n), i as u64);
            assert_eq!(*line, Line::Frame { at, venue: "v".into(), connection: "c".into(), seq, bytes });
        }
        assert_eq!(tails.len(), 1);
        // The dead process holds no lock, and its last stamp is known.
        let (writer, recovered) = JournalWriter::open(JournalConfig::new(dir.path()), begin()).unwrap();
        assert_eq!(recovered.last, lines.last().map(Line::at));
        writer.close().unwrap();
    }
}

/// Writes until the system refuses, checks what the writer says then, and that it says it for ever.
#[test]
#[ignore = "a part of the test below, which runs it as its own process"]
fn child_runs_out_of_room() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut writer = open(Path::new(&folder));
    let key = writer.connection("v", "c", 0, begin()).unwrap();
    let mut flushed = 0;
    for i in 1..100_000 {
        let done = writer
            .frame(key, begin() + Span(i), &frame(i))
            .and_then(|()| if i % 20 == 0 { writer.flush()?.wait().map(|()| flushed = i) } else { Ok(()) });
        if let Err(error) = done {
            assert!(matches!(error, Error::Poisoned { .. }), "{error}");
            assert!(error.to_string().contains("c-0.zst") && error.to_string().contains("make room"), "{error}");
            assert!(matches!(writer.poll(begin()), Err(Error::Poisoned { .. })));
            assert!(writer.sync().is_err() && writer.stats().failed.is_some());
            println!("flushed {flushed}");
            return;
        }
    }
    panic!("the limit was never reached");
}

#[test]
fn out_of_room_the_writer_stops_and_what_was_flushed_is_there() {
    let dir = tempfile::tempdir().unwrap();
    // A limit on the size of files stands for a full device; the signal that goes with it is switched off.
    let shell = "trap '' XFSZ; ulimit -f 40;";
    let ended = child("journal::kill::child_runs_out_of_room", dir.path(), shell).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{said}");
    let flushed: usize = said.split("flushed ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    let lines = read(dir.path());
    assert!(flushed > 20 && lines.len() >= flushed, "{} of {flushed}", lines.len());
    let (writer, recovered) = JournalWriter::open(JournalConfig::new(dir.path()), begin()).unwrap();
    assert_eq!(recovered.unclosed.len(), 1);
    drop(writer);
}
