//! What a live process publishes: one batch per tick, whole or not at all.
//!
//! A row published here is final. Equal content again changes nothing, other content for the same minute is
//! [`crate::Error::Conflict`], and a later replacement of the run ([`crate::Writer::replace`]) leaves it where it is:
//! re-runs only fill minutes that have no published row. Points written here are already in the rows, so they mark no
//! run dirty. Minutes that only an import has computed are not published; a live row takes their place.

use crate::{Fence, Gap, Inserted, LiveAlert, LiveLedger, LiveLedgerState, LiveUniverse, Outgoing, RunSpec};
use barograph_domain::{CalendarEntry, Event, Instrument, LevelChange, MinuteRow, StreamDecl, Ts};
use serde::{Deserialize, Serialize};

/// How a metric point came to be known (R1.18). Part of the content; of two ways at one time the first here counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Received from the venue's stream at `known_ts`.
    Live,
    /// Asked for later, after a hole or at first start; `known_ts` is when the answer came.
    Backfill,
    /// From files; `known_ts` is what the declaration of the stream says.
    #[default]
    Import,
    /// From files, and other than what was stored: `known_ts` is the moment of the import.
    Correction,
    /// Taken back: from `known_ts` on the value counts no more.
    TakenBack,
}

impl Provenance {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Live, Self::Backfill, Self::Import, Self::Correction, Self::TakenBack];

    /// The word people see.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Live => "live",
            Self::Backfill => "backfill",
            Self::Correction => "correction",
            Self::TakenBack => "taken_back",
        }
    }

    /// The stored number.
    #[must_use]
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Import => 0,
            Self::Live => 1,
            Self::Backfill => 2,
            // Of one moment: first what is taken back, then what counts instead.
            Self::TakenBack => 3,
            Self::Correction => 4,
        }
    }

    /// Its place among rows of one key and moment: what corrects comes after what was received.
    pub(crate) const fn rank(self) -> u8 {
        if self.corrects() { self.code() } else { 0 }
    }

    /// Does it change what an earlier row of its key said?
    #[must_use]
    pub const fn corrects(self) -> bool {
        matches!(self, Self::Correction | Self::TakenBack)
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|p| i64::from(p.code()) == code)
    }
}

/// An order book at a moment (R3.40), best level first on both sides.
#[derive(Clone, PartialEq, Debug)]
pub struct BookSample {
    /// Position of the market in [`LiveBatch::instruments`].
    pub instrument: usize,
    /// The moment it shows, by the venue's clock.
    pub ts: Ts,
    /// When it was known.
    pub known_ts: Ts,
    /// Price and base quantity, descending; at most [`BOOK_LEVELS_MAX`].
    pub bids: Vec<(f64, f64)>,
    /// Price and base quantity, ascending; at most [`BOOK_LEVELS_MAX`].
    pub asks: Vec<(f64, f64)>,
}

/// Levels a side that are kept of an order book: 25 show the depth the features read, in under a kilobyte.
pub const BOOK_LEVELS_MAX: usize = 25;

/// A stored order book.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredOrderBook {
    /// The moment it shows.
    pub ts: Ts,
    /// When it was known.
    pub known_ts: Ts,
    /// Price and base quantity, best first.
    pub bids: Vec<(f64, f64)>,
    /// Price and base quantity, best first.
    pub asks: Vec<(f64, f64)>,
}

/// Something that happened to a level of one market.
#[derive(Clone, PartialEq, Debug)]
pub struct LiveLevel {
    /// Position of the market in [`LiveBatch::instruments`].
    pub instrument: usize,
    /// What happened.
    pub change: LevelChange,
}

/// What one tick of a live process publishes: everything or nothing, in one transaction.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiveBatch<'a> {
    /// By which right a process writes that has one group of several; `None`: it has all markets.
    pub fence: Option<Fence>,
    /// Meaning of the positions in rows and books.
    pub instruments: &'a [Instrument],
    /// Meaning of the stream indexes in points and rows. Handing in the same list every time is fast.
    pub streams: &'a [StreamDecl],
    /// Data payloads received live.
    pub points: &'a [Event],
    /// Data payloads asked for later; `recv_ts` is when the answer came.
    pub backfill: &'a [Event],
    /// One for each instrument with rows or gaps. `streams` in them is ignored.
    pub runs: &'a [RunSpec],
    /// Minute rows; `row.instrument` is a position in `instruments`. Each enters every run of its instrument in `runs`.
    pub rows: &'a [MinuteRow],
    /// Minutes that a replayed journal makes again: compared with what is published of them and never written.
    pub again: &'a [MinuteRow],
    /// Changes of continuity; each enters every run of its instrument in `runs`.
    pub gaps: &'a [Gap],
    /// What happened to levels, all of a minute together and in order; each enters every run of its instrument in `runs`.
    pub levels: &'a [LiveLevel],
    /// Records of alerts, in order; each enters every run of its instrument in `runs`.
    pub alerts: &'a [LiveAlert],
    /// Order books.
    pub books: &'a [BookSample],
    /// Rows between markets. An hour that is published already stays as it is.
    pub universe: &'a [LiveUniverse],
    /// Ticks of the forecast ledger. One that is published already with other content refuses the batch.
    pub ledger: &'a [LiveLedger],
    /// States of its fold.
    pub ledger_states: &'a [LiveLedgerState],
    /// Revisions of scheduled events. One that is there stays as it is.
    pub calendar: &'a [CalendarEntry],
    /// What is to be delivered of all this. A message or delivery that is there already stays as it is.
    pub messages: &'a [Outgoing],
}

/// What a live batch changed.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Appended {
    /// Points, backfill included.
    pub points: Inserted,
    /// Rows that were published.
    pub rows: u64,
    /// Rows that were published before, with the same content.
    pub rows_same: u64,
    /// Rows of [`LiveBatch::again`] that were published with other content. They stay as they are.
    pub rows_other: u64,
    /// Gaps that were not stored before.
    pub gaps: u64,
    /// Things that happened to levels and were not stored before.
    pub levels: u64,
    /// Records of alerts that were not stored before.
    pub alerts: u64,
    /// Order books that were not stored before.
    pub books: u64,
    /// Rows between markets that were not published before.
    pub universe: u64,
    /// Ticks of the ledger that were not published before.
    pub ledger: u64,
    /// Revisions of scheduled events that were not stored before.
    pub calendar: u64,
    /// What is to be delivered now: messages that were not stored before, and of those that were the deliveries to endpoints that
    /// had none. Whatever a replayed journal makes again and the store knows is not here, because it was delivered or waits.
    pub messages: Vec<Outgoing>,
}
