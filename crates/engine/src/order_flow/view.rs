//! What a detector looks at when a second has closed.

use super::FlowThresholds;
use super::finding::{FlowFinding, FlowVerdict};
use super::posted::Posted;
use super::seconds::{Seconds, Tenths};
use super::usual::Usual;
use barograph_domain::{Span, Ts};

/// One market at the end of a second.
pub(super) struct FlowView<'a> {
    pub(super) now: Ts,
    pub(super) t: &'a FlowThresholds,
    pub(super) usual: &'a Usual,
    pub(super) posted: &'a mut Posted,
    pub(super) seconds: &'a mut Seconds,
    pub(super) tenths: &'a Tenths,
    /// Smallest step of prices that was seen, in units.
    pub(super) tick: f64,
    /// The book is followed; trades are.
    pub(super) has_book: bool,
    pub(super) has_trades: bool,
}

impl FlowView<'_> {
    /// So many seconds.
    #[expect(clippy::cast_possible_truncation, clippy::unused_self, reason = "at most an hour of nanoseconds")]
    pub(super) fn span(&self, seconds: f64) -> Span {
        Span((seconds * 1e9).round() as i64)
    }

    /// The verdict of a detector of books: only where the book comes often enough, with trades beside it, and what it is compared
    /// with is `known`.
    pub(super) fn of_book(&self, finding: impl FnOnce() -> FlowFinding, known: bool) -> FlowVerdict {
        match self.usual.levels.interval_ms {
            _ if !self.has_book || !self.has_trades => FlowVerdict::NoData,
            Some(ms) if ms > self.t.book_interval_ms => FlowVerdict::NotOffered,
            Some(_) if known => FlowVerdict::Of(finding()),
            Some(_) | None => FlowVerdict::NoData,
        }
    }

    /// The verdict of a detector of trades, where what it is compared with is `known`.
    pub(super) fn of_trades(&self, finding: impl FnOnce() -> FlowFinding, known: bool) -> FlowVerdict {
        if self.has_trades && known { FlowVerdict::Of(finding()) } else { FlowVerdict::NoData }
    }
}
