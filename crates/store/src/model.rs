//! What goes in and out of a store besides runs: instruments, streams, metric points, imports, retention, checks.
//!
//! A metric point is the data payload of one event (R1.13). Its key is the declared stream, `event_ts` and the venue's
//! sequence where there is one (R1.18: source, symbol, metric, timestamp); a value that differs under one key is a
//! revision, kept with its own `known_ts` (A09). `tags` of the original shape follow from the stream's declaration.

use barograph_domain::{Instrument, InstrumentName, LevelType, Metric, Payload, Span, StreamDecl, Ts};

/// Roles of writing processes; each is held by one process at a time, but for [`Self::Group`]. Readers hold none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum WriterRole {
    /// Writes metric points and the table of imports.
    Ingest,
    /// Writes rows, label changes, gaps and checkpoints of runs.
    Context,
    /// Writes what became of deliveries.
    Delivery,
    /// Publishes the markets of one group beside the writers of other groups, and writes nothing but that. On a server any
    /// number of processes hold it at once, also of one group: who may write is decided by the token of
    /// [`crate::Writer::fence`]. It excludes `Ingest` and `Context`. In a file it is both of them, so one process at a time.
    Group(u16),
}

impl WriterRole {
    /// Those of a process that writes facts; deliveries have a writer of their own.
    pub const ALL: [Self; 2] = [Self::Ingest, Self::Context];

    /// The word in messages and in the name of the lock.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Context => "context",
            Self::Delivery => "delivery",
            Self::Group(_) => "live-group",
        }
    }
}

/// A half-open interval of time: `start ≤ t < end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// First instant inside.
    pub start: Ts,
    /// First instant after.
    pub end: Ts,
}

impl Range {
    /// All of time.
    pub const ALL: Self = Self { start: Ts::MIN, end: Ts::MAX };

    /// Is the instant inside?
    #[must_use]
    pub fn contains(&self, t: Ts) -> bool {
        self.start <= t && t < self.end
    }
}

/// One page of an answer in ascending order.
#[derive(Clone, PartialEq, Debug)]
pub struct Page<T> {
    /// What was found.
    pub items: Vec<T>,
    /// Where the next page starts: the `start` of the same query. `None`: this was the last page.
    pub next: Option<Ts>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None }
    }
}

/// Counts the writes that changed an instrument's points. Not part of the content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct PointsVersion(pub i64);

/// One instrument and what is stored about it.
#[derive(Clone, PartialEq, Debug)]
pub struct InstrumentInfo {
    /// Name, kind and expiry.
    pub instrument: Instrument,
    /// Metric points of all its streams, as its streams count them.
    pub points: u64,
    /// Earliest `event_ts`.
    pub first_event: Ts,
    /// Latest `event_ts`.
    pub newest_event: Ts,
    /// Hand this to [`crate::Writer::replace`]; read it before reading the events.
    pub version: PointsVersion,
}

/// One stream and how fresh it is.
#[derive(Clone, PartialEq, Debug)]
pub struct StreamInfo {
    /// What was declared.
    pub decl: StreamDecl,
    /// Metric points, revisions included; of a stream that was corrected those that count, which may be none.
    pub points: u64,
    /// Earliest `event_ts` of these.
    pub first_event: Ts,
    /// Latest `event_ts` of these: freshness counts from here.
    pub newest_event: Ts,
    /// Latest `known_ts`.
    pub newest_known: Ts,
}

/// A metric point as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    /// Its stream: source, instrument, metric, cadence.
    pub stream: StreamDecl,
    /// When it happened.
    pub event_ts: Ts,
    /// When it could first be used.
    pub known_ts: Ts,
    /// Venue's own sequence; 0 where there is none.
    pub seq: u64,
    /// The whole observation; [`Payload::headline`] is its one number.
    pub payload: Payload,
    /// How it came to be known.
    pub provenance: crate::Provenance,
}

/// Which levels are wanted, as they were known to be.
#[derive(Clone, PartialEq, Debug)]
pub struct LevelQuery {
    /// By confirmation.
    pub range: Range,
    /// One timeframe only.
    pub timeframe: Option<Span>,
    /// These types only; empty: all.
    pub kinds: Vec<LevelType>,
    /// Only those that nothing has traded through.
    pub standing: bool,
    /// A page ends at the first change of `confirmed_at` after this many.
    pub limit: usize,
    /// Use only what was known then; `None`: all that is stored.
    pub as_of: Option<Ts>,
}

impl Default for LevelQuery {
    /// All of them, as they are now.
    fn default() -> Self {
        Self { range: Range::ALL, timeframe: None, kinds: Vec::new(), standing: false, limit: usize::MAX, as_of: None }
    }
}

/// Which metric points are wanted. Answers are ordered by (`event_ts`, stream, sequence).
#[derive(Clone, PartialEq, Debug)]
pub struct PointQuery {
    /// Market of the points.
    pub instrument: InstrumentName,
    /// Which metric.
    pub metric: Metric,
    /// One source only.
    pub source: Option<String>,
    /// One cadence only.
    pub cadence: Option<Span>,
    /// By `event_ts`.
    pub range: Range,
    /// A page ends at the first change of `event_ts` after this many points.
    pub limit: usize,
    /// Use only what was known then; `None`: all that is stored.
    pub as_of: Option<Ts>,
}

/// What a batch of points changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Inserted {
    /// Keys that did not exist.
    pub new: u64,
    /// Values that differ from those stored under their key.
    pub revised: u64,
    /// Already stored; changed nothing.
    pub same: u64,
    /// Already stored, but known earlier than the store thought: `known_ts` is now the earlier one.
    pub earlier: u64,
}

impl Inserted {
    /// Did the content of the store change?
    #[must_use]
    pub const fn changed(&self) -> bool {
        self.new + self.revised + self.earlier > 0
    }
}

/// Rows that say something else than what was stored under their keys.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Contradiction {
    /// How many.
    pub rows: u64,
    /// The largest relative change of their numbers.
    pub largest: Option<f64>,
}

/// What an import changed.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Imported {
    /// As for any batch; `revised` are the corrections.
    pub inserted: Inserted,
    /// Those of them that contradict what counted before.
    pub contradiction: Contradiction,
}

/// What taking rows back changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Forgotten {
    /// Values that counted and count no more.
    pub taken_back: u64,
    /// Of these, keys where an earlier value counts again.
    pub restored: u64,
    /// Values that something later has taken the place of already.
    pub superseded: u64,
    /// Values that are not stored, or did not come from a file.
    pub not_stored: u64,
}

/// One import, as people look it up later. The only place with wall-clock times.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportRecord {
    /// When it began.
    pub started: Ts,
    /// When it ended.
    pub finished: Ts,
    /// Release that did it.
    pub release: String,
    /// What was imported, as the person named it.
    pub source: String,
    /// What it changed.
    pub inserted: Inserted,
    /// Rows that were refused.
    pub rejected: u64,
    /// Everything else (reasons, declarations), JSON.
    pub detail: String,
}

/// How long things are kept (A22). Nothing is ever removed except through [`crate::Writer::prune`]. What was registered in the
/// forecast ledger, what came of it and the heads of its chains are kept for ever (verification §7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Minute rows younger than this, counted from the newest row of the instrument, are all kept; of older ones the
    /// 5-minute grid and the minutes of label changes are.
    pub minute_rows: Span,
    /// Metric points younger than this, counted from the newest of their stream; `None` keeps all for ever.
    pub points: Option<Span>,
    /// Raw live data younger than this are kept: points received live or by backfill, counted from the newest of their
    /// stream, and order books, counted from the newest of their instrument. The journal and the lake have them longer.
    pub raw: Span,
    /// Messages younger than this, counted from the newest, are kept with their deliveries and tries; older ones go once all
    /// their deliveries have ended.
    pub deliveries: Span,
}

impl Default for Retention {
    /// Minute rows 90 days, raw live data 7 days, deliveries 30 days, imported points for ever.
    fn default() -> Self {
        Self { minute_rows: Span::days(90), points: None, raw: Span::days(7), deliveries: Span::days(30) }
    }
}

/// What a prune removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pruned {
    /// Minute rows.
    pub rows: u64,
    /// Metric points.
    pub points: u64,
    /// Order books.
    pub books: u64,
    /// Messages, with their deliveries and tries.
    pub messages: u64,
    /// States of the forecast ledger's fold; the newest eight of each logic version stay.
    pub ledger_states: u64,
}

/// SHA-256 over one kind of content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SectionHash {
    /// What was hashed.
    pub section: &'static str,
    /// How many of them.
    pub count: u64,
    /// 64 hex digits.
    pub sha256: String,
}

/// SHA-256 over all content in canonical order: independent of insertion order, of the database's layout and ids, of
/// wall-clock times and of checkpoints.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContentHash {
    /// 64 hex digits over the sections.
    pub sha256: String,
    /// The parts, so that two stores that differ show where.
    pub sections: Vec<SectionHash>,
}

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CheckReport {
    /// One line per fault; empty when sound.
    pub problems: Vec<String>,
    /// Counts of what was looked at: name and number.
    pub counts: Vec<(&'static str, u64)>,
    /// The hash, where asked for and where the content could be read.
    pub hash: Option<ContentHash>,
}

impl CheckReport {
    /// No fault was found.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}
