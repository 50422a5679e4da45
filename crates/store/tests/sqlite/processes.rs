//! Several processes on one folder: locks, readers beside writers, folders that may only be read.

use crate::common::{child, child_folder, reader, sample, writer};
use barograph_domain::{Span, Ts};
use barograph_store::suite::hash;
use barograph_store::suite::sample::START;
use barograph_store::{Error, PointsVersion, Reader, Recovery, SqliteReader, SqliteWriter, Writer, WriterRole};
use barograph_store::{ImportRecord, Inserted};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// The child of the next test: holds its locks until it is killed.
#[test]
fn child_holds_locks() {
    let Some(folder) = child_folder() else { return };
    let _writer = writer(&folder);
    println!("\nready");
    std::thread::sleep(std::time::Duration::from_secs(60));
}

#[test]
fn one_process_per_role() {
    let dir = tempfile::tempdir().unwrap();
    let mut holder = child("processes::child_holds_locks", dir.path()).spawn().unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|l| l == "ready"));
    for role in WriterRole::ALL {
        let error = SqliteWriter::open(dir.path(), &[role]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("process {} already writes as '{}'", holder.id(), role.name())), "{text}");
        assert!(matches!(error, Error::Locked { pid, .. } if pid == Some(holder.id())));
        assert_eq!(error.recovery(), Recovery::Fatal);
    }
    reader(dir.path());
    holder.kill().unwrap();
    holder.wait().unwrap();
    // However it died, its locks are gone.
    writer(dir.path());
}

#[test]
fn the_two_roles_may_be_two_processes() {
    let dir = tempfile::tempdir().unwrap();
    let s = sample(3000);
    let mut ingest = SqliteWriter::open(dir.path(), &[WriterRole::Ingest]).unwrap();
    let mut context = SqliteWriter::open(dir.path(), &[WriterRole::Context]).unwrap();
    let wrong = ingest.replace(&s.spec, None, PointsVersion::default()).map(drop).unwrap_err();
    assert!(wrong.to_string().contains("role 'context'"));
    let wrong = context.insert_points(&s.instruments, &s.streams, &s.events).unwrap_err();
    assert!(wrong.to_string().contains("role 'ingest'"));
    let import = ImportRecord {
        started: Ts(0),
        finished: Ts(1),
        release: String::new(),
        source: String::new(),
        inserted: Inserted::default(),
        rejected: 0,
        detail: "{}".to_owned(),
    };
    let wrong = context.record_import(&import).unwrap_err();
    assert!(wrong.to_string().contains("role 'ingest'"));
    let wrong = context.put_calendar(&[]).unwrap_err();
    assert!(wrong.to_string().contains("role 'ingest'"));
    // Points go in while rows are replaced, also while some of them are on disk already.
    let mut run = context.replace(&s.spec, None, PointsVersion::default()).unwrap();
    for (rows, events) in s.rows.chunks(100).zip(s.events.chunks(s.events.len() / 30)) {
        rows.iter().for_each(|r| run.row(r).unwrap());
        ingest.insert_points(&s.instruments, &s.streams, events).unwrap();
    }
    run.finish().unwrap();
    let reader = reader(dir.path());
    assert_eq!(reader.runs(None).unwrap()[0].rows, 3000);
    assert_eq!(reader.dirty(&s.spec.key.logic_version).unwrap().len(), 1, "points came in meanwhile");
    hash(&reader);
}

/// Never half of one run, never a wait.
#[test]
fn threads_read_while_one_writes() {
    let dir = tempfile::tempdir().unwrap();
    let s = sample(6000);
    let mut w = writer(dir.path());
    s.fill(&mut w);
    let reader = reader(dir.path());
    let done = AtomicBool::new(false);
    let marker = |rows: &[barograph_domain::MinuteRow]| rows.iter().map(|r| r.held[0].held).collect::<Vec<_>>();
    let old = marker(&reader.latest(&s.spec.key, 5000, None).unwrap().rows);
    let new: Vec<_> = s
        .rows
        .iter()
        .map(|r| {
            let mut r = r.clone();
            r.held[0].held += 1_000_000;
            r
        })
        .collect();
    let want = marker(&new[1000..]);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut seen_new = false;
                while !(seen_new && done.load(Ordering::Relaxed)) {
                    let found = marker(&reader.latest(&s.spec.key, 5000, None).unwrap().rows);
                    assert!(found == old || found == want, "half a run");
                    seen_new = found == want;
                }
            });
        }
        let mut run = w.replace(&s.spec, Some(new[500].ts), PointsVersion(1)).unwrap();
        new[500..].iter().for_each(|r| run.row(r).unwrap());
        run.finish().unwrap();
        done.store(true, Ordering::Relaxed);
    });
}

/// An answer under way is of one moment.
#[test]
fn events_do_not_see_what_is_written_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let s = sample(4000);
    let mut w = writer(dir.path());
    let (first, second) = s.events.split_at(s.events.len() / 2);
    w.insert_points(&s.instruments, &s.streams, first).unwrap();
    let reader = reader(dir.path());
    let mut events = reader.events(&s.streams, None, None).unwrap();
    let head: Vec<_> = events.by_ref().take(10).map(|e| e.unwrap()).collect();
    w.insert_points(&s.instruments, &s.streams, second).unwrap();
    let rest: Vec<_> = events.map(|e| e.unwrap()).collect();
    assert_eq!(head.into_iter().chain(rest).collect::<Vec<_>>(), first);
    assert_eq!(reader.events(&s.streams, None, None).unwrap().count(), s.events.len());
}

/// Runs a test as a child that has no rights beyond those of the file modes, or says why it cannot.
fn as_nobody(test: &str, folder: &Path) {
    let mut command = child(test, folder);
    if fs::metadata(folder).unwrap().uid() == 0 {
        command.uid(65_534);
    }
    match command.output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            let ran = output.status.success() && text.contains("1 passed");
            assert!(ran, "{text}{}", String::from_utf8_lossy(&output.stderr));
        }
        Err(e) => barograph_testkit::skipped_part(test, &format!("cannot run as an unprivileged user here ({e})")),
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn child_reads_a_read_only_folder() {
    let Some(folder) = child_folder() else { return };
    let reader = reader(&folder);
    assert_eq!(reader.runs(None).unwrap()[0].rows, 200);
    hash(&reader);
    let error = SqliteWriter::open(&folder, &WriterRole::ALL).unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }), "{error}");
    assert!(error.to_string().contains("cannot be written; choose another data folder"), "{error}");
    let error = SqliteWriter::open(&folder.join("new"), &WriterRole::ALL).unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }), "{error}");
}

#[test]
fn a_read_only_folder_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    sample(200).fill(&mut writer(dir.path()));
    for entry in fs::read_dir(dir.path()).unwrap() {
        set_mode(&entry.unwrap().path(), 0o444);
    }
    set_mode(dir.path(), 0o555);
    as_nobody("processes::child_reads_a_read_only_folder", dir.path());
    set_mode(dir.path(), 0o755);
}

#[test]
fn child_reads_beside_a_writer() {
    let Some(folder) = child_folder() else { return };
    assert_eq!(reader(&folder).runs(None).unwrap()[0].rows, 200);
}

#[test]
fn a_reader_without_rights_sees_what_is_still_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut w = writer(dir.path());
    sample(200).fill(&mut w);
    for entry in fs::read_dir(dir.path()).unwrap() {
        set_mode(&entry.unwrap().path(), 0o644);
    }
    set_mode(dir.path(), 0o755);
    as_nobody("processes::child_reads_beside_a_writer", dir.path());
    drop(w);
}

#[test]
fn child_meets_a_log_it_cannot_join() {
    let Some(folder) = child_folder() else { return };
    match SqliteReader::open(&folder) {
        // Either the newest rows or an error: never the state before them.
        Ok(reader) => assert_eq!(reader.runs(None).unwrap()[0].rows, 200),
        Err(error) => assert!(matches!(error, Error::ReadOnly { .. }), "{error}"),
    }
}

#[test]
fn a_log_that_cannot_be_joined_is_not_ignored() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut w = writer(dir.path());
    sample(200).fill(&mut w);
    for name in ["barograph.db", "barograph.db-wal"] {
        fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
        set_mode(&copy.path().join(name), 0o444);
    }
    set_mode(copy.path(), 0o555);
    as_nobody("processes::child_meets_a_log_it_cannot_join", copy.path());
    set_mode(copy.path(), 0o755);
    // Whoever may write merges it.
    set_mode(&copy.path().join("barograph.db"), 0o644);
    set_mode(&copy.path().join("barograph.db-wal"), 0o644);
    assert_eq!(reader(copy.path()).latest(&sample(1).spec.key, 1, None).unwrap().rows[0].ts, START + Span::mins(200));
    assert_eq!(reader(copy.path()).checkpoint(&sample(1).spec.key, Ts::MAX).unwrap().map(|c| c.bytes.len()), Some(19));
}
