//! Runs: what one logic version made of one instrument's points — rows, label changes, gaps, checkpoints.
//!
//! A run is replaced from a minute on, never edited; its key is (instrument, logic version), and that of a row is the
//! run and its minute (ADR 3). A row made at `ts` may be used from `ts` + 200 ms (features §1, "emission").

use barograph_domain::time::LATENESS;
use barograph_domain::{InstrumentName, MinuteRow, RiskRegime, Span, Status, StreamDecl, StreamIndex, Ts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rows exist on this grid.
pub const GRID: Span = Span::mins(1);

/// The minute whose row is the first to see an event received at `recv_ts`.
#[must_use]
pub fn row_of(recv_ts: Ts) -> Ts {
    if recv_ts < Ts::MIN + GRID + GRID {
        Ts::MIN
    } else if recv_ts > Ts::MAX - GRID {
        Ts::MAX
    } else {
        (recv_ts - LATENESS).ceil(GRID)
    }
}

/// Every stream index in a row.
pub(crate) fn stream_slots(row: &mut MinuteRow) -> impl Iterator<Item = &mut StreamIndex> {
    let cells = row.cells.iter_mut().map(|c| &mut c.stream);
    cells.chain(row.inputs.iter_mut().map(|i| &mut i.stream)).flatten()
}

/// The newest row that may be used at `as_of`.
#[must_use]
pub fn usable_until(as_of: Ts) -> Ts {
    if as_of < Ts::MIN + LATENESS { Ts::MIN } else { as_of - LATENESS }
}

/// Which run.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RunKey {
    /// Whose rows.
    pub instrument: InstrumentName,
    /// Which arithmetic and rule book (regimes §12).
    pub logic_version: String,
}

/// One feature column (R1.21: the computation version travels with the values).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct FeatureColumn {
    /// Catalogue id.
    pub id: String,
    /// Version of its arithmetic.
    pub version: u16,
}

/// What the positions in a row mean.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Columns {
    /// Of `MinuteRow::cells`.
    pub features: Vec<FeatureColumn>,
    /// Of `MinuteRow::cuts`, named by whoever reads them.
    pub cuts: Vec<String>,
    /// Of `MinuteRow::held`: rule ids in the book's order.
    pub rules: Vec<String>,
}

/// What a run was made with; enough to render its rows again without the files it came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunSpec {
    /// Which run.
    pub key: RunKey,
    /// Release that computes it.
    pub release: String,
    /// Name of the rule book.
    pub book: String,
    /// The rule book itself.
    pub book_text: String,
    /// Settings that touch numbers, as they enter the logic version.
    pub config: String,
    /// Meaning of positions.
    pub columns: Columns,
    /// Meaning of stream indexes in the rows handed in; may hold other instruments' streams too.
    pub streams: Vec<StreamDecl>,
}

/// A stored run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunInfo {
    /// What it was last written with; `streams` are those of its own instrument.
    pub spec: RunSpec,
    /// Number of rows.
    pub rows: u64,
    /// First and last minute; `None` while empty.
    pub minutes: Option<(Ts, Ts)>,
}

/// What runs of one logic version have in common.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VersionInfo {
    /// The version.
    pub logic_version: String,
    /// Name of its rule book.
    pub book: String,
    /// The book itself.
    pub book_text: String,
}

/// Rows with what their positions and stream indexes mean. `MinuteRow::instrument` is 0: the position in a list is a
/// fact of the process that held the list.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rows {
    /// Meaning of positions.
    pub columns: Columns,
    /// Meaning of stream indexes.
    pub streams: Vec<StreamDecl>,
    /// In ascending order.
    pub rows: Vec<MinuteRow>,
    /// Where the next page starts; `None` when there is none.
    pub next: Option<Ts>,
    /// Since when rows count that a correction made, by their minutes. Others count since 200 ms after theirs.
    pub corrected: BTreeMap<Ts, Ts>,
}

/// Which rows are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowQuery {
    /// By row minute.
    pub range: crate::Range,
    /// Only rows whose minute is a multiple of this since 1970.
    pub every: Option<Span>,
    /// Those so long after such a multiple, in place of those at it: less than `every`, which then has to be given.
    pub after: Option<Span>,
    /// At most this many.
    pub limit: usize,
    /// Use only rows known then (`ts` + 200 ms ≤ `as_of`).
    pub as_of: Option<Ts>,
}

/// The published risk label changed. Derived by the store from the rows it is given, and kept for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LabelChange {
    /// Minute of the first row with the new label.
    pub ts: Ts,
    /// The label before; `None` at a run's first row.
    pub from: Option<RiskRegime>,
    /// The new label.
    pub to: RiskRegime,
}

/// A change of continuity the engine heard of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Which stream.
    pub stream: StreamDecl,
    /// What, from when, until when.
    pub status: Status,
    /// When it was known.
    pub known_ts: Ts,
}

/// Saved state of the engine after the row of a minute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The last row made before saving: everything received until `ts` + 200 ms is in it.
    pub ts: Ts,
    /// The engine's own bytes.
    pub bytes: Vec<u8>,
}

/// An instrument whose rows do not follow from its points yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dirty {
    /// Market of the run.
    pub instrument: InstrumentName,
    /// Earliest `known_ts` that changed. `None`: there is no run of this logic version yet.
    pub since: Option<Ts>,
    /// Hand this to [`crate::Writer::replace`].
    pub version: crate::PointsVersion,
}

impl Checkpoint {
    /// Everything received until then is in it: read the events after this moment.
    #[must_use]
    pub fn knows_until(&self) -> Ts {
        Ts(self.ts.0.saturating_add(LATENESS.0))
    }
    /// The first row to make after restoring it: replace from this minute on.
    #[must_use]
    pub fn next_row(&self) -> Ts {
        Ts(self.ts.0.saturating_add(GRID.0))
    }
}

impl Dirty {
    /// The last minute whose row has seen nothing of what changed: ask for the newest checkpoint not later than this.
    /// `None`: run all of it.
    #[must_use]
    pub fn last_good_row(&self) -> Option<Ts> {
        self.since.filter(|t| *t > Ts::MIN).map(|t| Ts(row_of(t).0.saturating_sub(GRID.0)))
    }
}

/// What a finished replacement wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Replaced {
    /// Rows written.
    pub rows: u64,
    /// Label changes among them.
    pub label_changes: u64,
    /// Gaps stored.
    pub gaps: u64,
    /// Things that happened to levels.
    pub levels: u64,
    /// Records of alerts.
    pub alerts: u64,
    /// Rows left out because their minutes are published already.
    pub kept: u64,
}
