//! Records of alerts: appended and never changed, kept for ever (surveillance §1; R3.25, R4.28).
//!
//! Each belongs to a run, like what happened to levels, and holds the whole state of its episode, so that an answer as of a
//! moment needs nothing but the records known then. Sentences are made from a record when somebody reads it.

use crate::Range;
use barograph_domain::alert::AlertChange;
use barograph_domain::{KnownAlert, Pattern, Severity, Ts};

/// A record of an alert of one market, on its way into the store.
#[derive(Clone, PartialEq, Debug)]
pub struct LiveAlert {
    /// Position of the market in [`crate::LiveBatch::instruments`].
    pub instrument: usize,
    /// The record.
    pub alert: KnownAlert,
}

/// Which records are wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlertQuery {
    /// By the moment they were known.
    pub range: Range,
    /// These patterns only; empty: all.
    pub patterns: Vec<Pattern>,
    /// These changes only; empty: all.
    pub changes: Vec<AlertChange>,
    /// Only the episode whose id begins like this; empty: all.
    pub episode: String,
    /// At least as severe.
    pub severity: Option<Severity>,
    /// Only episodes that are not over, each by the last that was known of it.
    pub open: bool,
    /// The newest first; a page then leads back in time.
    pub newest_first: bool,
    /// A page ends at the first change of the moment they were known after this many.
    pub limit: usize,
    /// Use only what was known then; `None`: all that is stored.
    pub as_of: Option<Ts>,
}

impl Default for AlertQuery {
    /// All of them, the oldest first.
    fn default() -> Self {
        Self {
            range: Range::ALL,
            patterns: Vec::new(),
            changes: Vec::new(),
            episode: String::new(),
            severity: None,
            open: false,
            newest_first: false,
            limit: usize::MAX,
            as_of: None,
        }
    }
}

impl AlertQuery {
    /// The range of the next page, from what [`crate::Page::next`] said.
    #[must_use]
    pub const fn after(&self, next: Ts) -> Range {
        if self.newest_first {
            Range { start: self.range.start, end: next }
        } else {
            Range { start: next, end: self.range.end }
        }
    }
}
