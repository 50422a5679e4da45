//! An outcome whose minutes were corrected later: it stands, and a note says what it would be now (verification §3).

use super::{ForecastEvent, WindowOutcome};
use crate::{InstrumentName, Span, Ts};
use serde::{Deserialize, Serialize};

/// A correction that came within this after the outcome makes it anew; a later one leaves it and is noted.
pub const REVISED_AFTER: Span = Span::hours(24);

/// The forecasts that an outcome is of, whoever stated them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct OutcomeKey {
    /// When they were registered.
    pub issued_ts: Ts,
    /// What they were about.
    pub event: ForecastEvent,
    /// Whose.
    pub market: InstrumentName,
    /// As in the issue.
    pub subject: Option<Box<str>>,
}

/// A note.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct OutcomeRevision {
    /// Of what.
    pub key: OutcomeKey,
    /// Since when the correction is known.
    pub known_ts: Ts,
    /// When the outcome became known.
    pub resolved_ts: Ts,
    /// The outcome, which stands.
    pub stands: WindowOutcome,
    /// What the corrected minutes would make it.
    pub now: WindowOutcome,
}

impl OutcomeRevision {
    /// Do the corrected minutes say otherwise? A correction that was itself corrected may be back where it was.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.now != self.stands
    }
}

impl WindowOutcome {
    /// As a word, the class with it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Happened => "happened",
            Self::Class(0) => "class_0",
            Self::Class(1) => "class_1",
            Self::Class(2) => "class_2",
            Self::Class(_) => "class_3",
            Self::Gap => "gap",
            Self::Void => "void",
        }
    }

    /// The outcome of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let classes = (0..4).map(Self::Class);
        [Self::Missed, Self::Happened, Self::Gap, Self::Void].into_iter().chain(classes).find(|o| o.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_word() {
        let all = [WindowOutcome::Missed, WindowOutcome::Happened, WindowOutcome::Gap, WindowOutcome::Void];
        for outcome in all.into_iter().chain((0..4).map(WindowOutcome::Class)) {
            assert_eq!(WindowOutcome::of_word(outcome.word()), Some(outcome));
        }
        assert_eq!(WindowOutcome::of_word("class_4"), None);
    }
}
