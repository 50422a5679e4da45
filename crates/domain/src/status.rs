//! Continuity of a stream. A gap is an event: it reaches features, confidence and the sentence.

use crate::Ts;
use serde::{Deserialize, Serialize};

/// Whether a stream can be trusted now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StatusState {
    /// Data arrive and are continuous.
    Live,
    /// An interval without trustworthy data has been declared.
    Gap,
    /// The stream is being rebuilt (order books).
    Resync,
    /// Connected, but the data make no progress.
    Stale,
    /// The venue does not have this stream.
    NotOffered,
}

/// Why a stream lost its continuity. Words are stored and shown; none is ever removed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// Rows are missing between two that exist (archives).
    MissingRows,
    /// The connection that carried the stream closed.
    Disconnected,
    /// The venue's sequence numbers jumped.
    SequenceJump,
    /// The venue's checksum does not agree with our book.
    ChecksumMismatch,
    /// The best bid is not below the best ask.
    CrossedBook,
    /// A side of the book has no levels.
    EmptyBook,
    /// Connected, but no data within the time the stream is expected to move.
    Silent,
    /// A message of the stream could not be read.
    Undecodable,
    /// Nothing usable has come since the stream was asked for: a book waits for its first snapshot, what is polled for its turn.
    Starting,
    /// The venue refuses requests for now (rate limit, ban, outage).
    Refused,
    /// The program was not running.
    NotRunning,
    /// The venue has no such stream.
    NotOffered,
}

impl GapReason {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::MissingRows,
        Self::Disconnected,
        Self::SequenceJump,
        Self::ChecksumMismatch,
        Self::CrossedBook,
        Self::EmptyBook,
        Self::Silent,
        Self::Undecodable,
        Self::Starting,
        Self::Refused,
        Self::NotRunning,
        Self::NotOffered,
    ];

    /// The stored word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::MissingRows => "missing_rows",
            Self::Disconnected => "disconnected",
            Self::SequenceJump => "sequence_jump",
            Self::ChecksumMismatch => "checksum_mismatch",
            Self::CrossedBook => "crossed_book",
            Self::EmptyBook => "empty_book",
            Self::Silent => "silent",
            Self::Undecodable => "undecodable",
            Self::Starting => "starting",
            Self::Refused => "refused",
            Self::NotRunning => "not_running",
            Self::NotOffered => "not_offered",
        }
    }
    /// The reason of a stored word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.word() == word)
    }
    /// As part of a sentence: "mark price has a gap: the connection closed".
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::MissingRows => "rows are missing",
            Self::Disconnected => "the connection closed",
            Self::SequenceJump => "the venue's sequence jumped",
            Self::ChecksumMismatch => "the venue's checksum disagrees with our book",
            Self::CrossedBook => "the book is crossed",
            Self::EmptyBook => "a side of the book is empty",
            Self::Silent => "the stream is silent",
            Self::Undecodable => "a message could not be read",
            Self::Starting => "nothing usable has come yet",
            Self::Refused => "the venue refuses requests",
            Self::NotRunning => "barograph was not running",
            Self::NotOffered => "the venue does not offer it",
        }
    }
}

/// A change of continuity of one stream.
///
/// A gap that has ended (archives: as soon as it is seen) has `from < until`: samples with `from < stamp < until` are missing,
/// both ends are stamps of rows that exist. A live stream that is lost says `GAP`, `RESYNC` or `STALE` at once with
/// `until` = [`Status::OPEN`], and `LIVE` with both ends when it is found again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
pub struct Status {
    /// The new state.
    pub state: StatusState,
    /// Last trustworthy stamp before a gap.
    pub from: Ts,
    /// First trustworthy stamp after it; [`Status::OPEN`] while it lasts.
    pub until: Ts,
    /// Why data are missing.
    pub reason: GapReason,
}

impl Status {
    /// End of a gap that has not ended.
    pub const OPEN: Ts = Ts::MAX;

    /// Is the stream without trustworthy data from `from` on, with no end yet?
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.until == Self::OPEN && matches!(self.state, StatusState::Gap | StatusState::Resync | StatusState::Stale)
    }
}
