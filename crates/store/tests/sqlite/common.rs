//! What the tests of the SQLite implementation share.

use barograph_domain::{Event, Instrument, MinuteRow, Span, StreamDecl};
use barograph_store::suite::sample::{self, START, SampleMarket};
use barograph_store::{PointsVersion, RunSpec, SqliteReader, SqliteWriter, Writer, WriterRole};
use std::path::Path;
use std::process::{Command, Stdio};

/// One market with its points and rows.
pub(crate) struct Sample {
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) streams: Vec<StreamDecl>,
    pub(crate) events: Vec<Event>,
    pub(crate) spec: RunSpec,
    pub(crate) rows: Vec<MinuteRow>,
}

pub(crate) fn sample(minutes: i64) -> Sample {
    let instruments = vec![sample::instrument("BTCUSDT")];
    let streams = sample::streams(&instruments);
    let events = sample::events(&streams, minutes, 1);
    let spec = sample::spec(&instruments[0], &streams);
    let mut market = SampleMarket::new(1);
    let rows = (1..=minutes).map(|n| market.row(START + Span::mins(n))).collect();
    Sample { instruments, streams, events, spec, rows }
}

impl Sample {
    /// Points, rows and a checkpoint.
    pub(crate) fn fill(&self, writer: &mut dyn Writer) {
        writer.insert_points(&self.instruments, &self.streams, &self.events).unwrap();
        let mut run = writer.replace(&self.spec, None, PointsVersion(1)).unwrap();
        for row in &self.rows {
            run.row(row).unwrap();
        }
        run.checkpoint(self.rows[self.rows.len() - 1].ts, b"state of the engine").unwrap();
        run.finish().unwrap();
    }
}

pub(crate) fn writer(folder: &Path) -> SqliteWriter {
    SqliteWriter::open(folder, &WriterRole::ALL).unwrap()
}

pub(crate) fn reader(folder: &Path) -> SqliteReader {
    SqliteReader::open(folder).unwrap()
}

/// Name of the variable that shows a test that it is the child, and where to work.
pub(crate) const CHILD: &str = "BAROGRAPH_STORE_TEST_CHILD";

/// The folder, if this process is the child of a test.
pub(crate) fn child_folder() -> Option<std::path::PathBuf> {
    std::env::var_os(CHILD).map(Into::into)
}

/// This test binary again, running one test as a child.
pub(crate) fn child(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD, folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
