//! Recordings as an episode reads them: where they lie, or in a folder of their own with an `import.toml`.
//!
//! Some files hold years around the days an episode is about. Those are cut: read by the importers like anyone's, and what
//! falls between two instants is written out again, one CSV per stream, every number as the shortest decimal that gives
//! the same binary value back.

use barograph_domain::{Event, Payload, Stamp, StreamDecl, Ts};
use barograph_lake::{ImportOptions, ImportPlan, plan};
use barograph_testkit::recorded;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Files below the folder of recordings, each with what `import.toml` says about it (nothing: the file says it all).
pub(crate) type Files = &'static [(&'static str, &'static str)];

/// What an episode reads.
pub(crate) enum Inputs {
    /// The history in this repository.
    BuiltIn,
    /// An episode of this repository: its folder below `testdata/episodes`.
    Shipped(&'static str),
    /// A file or folder of recordings, untouched.
    AsTheyLie { path: &'static str },
    /// Copies of whole files.
    Whole { files: Files },
    /// What falls between two instants.
    Cut { between: (&'static str, &'static str), files: Files },
}

impl Inputs {
    /// The path to give to the program, made in `folder` where it has to be made; `None` where recordings are missing.
    pub(crate) fn path(&self, folder: &Path) -> Option<PathBuf> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        match self {
            Self::BuiltIn => Some(root.join("testdata/history")),
            Self::Shipped(name) => Some(root.join("testdata/episodes").join(name)),
            Self::AsTheyLie { path } => recorded(path),
            Self::Whole { files } => copy(files, &folder.join("files")),
            Self::Cut { between, files } => {
                let whole = copy(files, &folder.join("whole"))?;
                let between = (Ts::parse(between.0).unwrap(), Ts::parse(between.1).unwrap());
                let cut = folder.join("files");
                // The present decides only which rows are refused as future ones; recordings have none.
                let read = plan(&[whole], &ImportOptions::new(Ts::parse("2030-01-01").unwrap())).unwrap();
                assert!(read.failed().is_empty(), "{:?}", read.failed());
                write_cut(&read, between, &cut);
                Some(cut)
            }
        }
    }
}

fn copy(files: Files, folder: &Path) -> Option<PathBuf> {
    std::fs::create_dir_all(folder).unwrap();
    let mut manifest = "version = 1\n".to_owned();
    for (below, entry) in files {
        let from = recorded(below)?;
        let name = from.file_name().unwrap().to_str().unwrap().to_owned();
        std::fs::write(folder.join(&name), std::fs::read(&from).unwrap()).unwrap();
        if !entry.is_empty() {
            write!(manifest, "[[file]]\npath = {name:?}\n{entry}\n").unwrap();
        }
    }
    std::fs::write(folder.join("import.toml"), manifest).unwrap();
    Some(folder.to_path_buf())
}

fn write_cut(read: &ImportPlan, (from, until): (Ts, Ts), folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let mut tables = vec![String::new(); read.streams().len()];
    let mut events = read.open(None);
    for event in events.by_ref().filter(|e| e.event_ts >= from && e.event_ts < until) {
        let at = event.stream.index();
        line(&event, &read.streams()[at], &mut tables[at]);
    }
    let report = events.finish();
    assert_eq!((report.rejected_rows, report.failed.len()), (0, 0), "{:?} {:?}", report.rejected, report.failed);
    let mut manifest = "version = 1\n".to_owned();
    for (i, (decl, table)) in read.streams().iter().zip(&tables).enumerate() {
        assert!(!table.is_empty(), "{} has no row between {from} and {until}", decl.label());
        std::fs::write(folder.join(format!("{i}.csv")), table).unwrap();
        entry(i, decl, table, &mut manifest);
    }
    std::fs::write(folder.join("import.toml"), manifest).unwrap();
}

/// One event as a line of CSV, after a header.
fn line(event: &Event, decl: &StreamDecl, out: &mut String) {
    let step = if decl.stamp == Stamp::Open { decl.cadence } else { barograph_domain::Span::ZERO };
    let time = event.event_ts - step;
    let head = |out: &mut String, names: &str| {
        if out.is_empty() {
            out.push_str(names);
        }
    };
    match event.payload {
        Payload::Bar(b) => {
            head(out, "time,open,high,low,close,volume\n");
            let volume = b.volume.map(|v| v.to_string()).unwrap_or_default();
            writeln!(out, "{time},{},{},{},{},{volume}", b.open, b.high, b.low, b.close).unwrap();
        }
        Payload::Funding { rate, .. } => {
            head(out, "time,rate\n");
            writeln!(out, "{time},{rate}").unwrap();
        }
        Payload::Value(value) => {
            head(out, "time,value\n");
            writeln!(out, "{time},{value}").unwrap();
        }
        other => panic!("episodes have no {other:?}"),
    }
}

/// What the importers said about a stream, said again about its table.
fn entry(i: usize, decl: &StreamDecl, table: &str, out: &mut String) {
    let header = table.lines().next().unwrap_or_default();
    let columns: Vec<String> = header.split(',').map(|c| format!("{c} = {c:?}")).collect();
    // The words of both formats are the same, quotes included.
    let word = |value: serde_json::Result<String>| value.unwrap();
    let (stamp, kind) = (word(serde_json::to_string(&decl.stamp)), word(serde_json::to_string(&decl.kind)));
    write!(
        out,
        "[[file]]\npath = \"{i}.csv\"\nvenue = {:?}\nsymbol = {:?}\nmetric = {:?}\nsource = {:?}\nkind = {kind}\nstamp = {stamp}\n\
         cadence = \"{}\"\ndelay = \"{}\"\ncolumns = {{ {} }}\n",
        decl.instrument.venue.as_str(),
        decl.instrument.symbol,
        decl.metric.name(),
        decl.source,
        decl.cadence,
        decl.delay,
        columns.join(", "),
    )
    .unwrap();
}
