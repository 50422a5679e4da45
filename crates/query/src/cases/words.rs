//! Sentences of cases, in one place, so that a test can read all of them.
//!
//! A case speaks of patterns that public data are consistent with; it names nobody, finds nothing out and advises nothing.

use barograph_domain::Kind;
use barograph_domain::case::{CASE_ALERTS_MAX, CaseStep, Disposition, RecordedFrom};

/// Who acted.
pub const WHO: &str = "Unknown. Public market data name no accounts, and this record makes no guess at who acted.";
/// What a case is.
pub const WHAT: &str = "This record describes patterns that public market data are consistent with. It is no finding about any person \
                        or firm.";
/// Where nothing of the book and the tape is left.
pub const NOTHING_RECORDED: &str = "No books and no trades of that time are recorded.";
/// What books of the store are.
pub const FROM_STORE: &str =
    "Books and trades as the store has them: of a live market one of each minute, not every change.";
/// What books of the journal are.
pub const FROM_JOURNAL: &str = "Books and trades rebuilt from the messages that were received, each change by itself.";
/// What the two precisions are.
pub const PRECISION: &str = "By disposition: cases closed as true among those closed as true or false, with the 95 % interval; somebody thought \
                             them worth filing, so they are no fair sample. On injections: synthetic markets at twice the threshold, \
                             an upper bound.";
/// How to read what followed similar cases.
pub const FOLLOWED: &str = "What followed: the farthest the price went from where it was when the alert began, and what was liquidated in the \
                            hour after it. What came after an alert need not have come of it.";
/// Where a precision has no case.
pub const NO_DISPOSITION: &str = "no case of it has been closed as true or false";
/// Where a precision was not measured.
pub const NOT_INJECTED: &str = "not measured";
/// An answer without cases.
pub const NO_CASES: &str = "no cases are filed";

/// What a recording is.
#[must_use]
pub const fn recorded_from(source: RecordedFrom) -> &'static str {
    match source {
        RecordedFrom::Journal => FROM_JOURNAL,
        RecordedFrom::Store => FROM_STORE,
    }
}

/// How a number came to be.
#[must_use]
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Measured => "measured",
        Kind::Sampled => "sampled",
        Kind::Modelled => "modelled",
        Kind::Proxy => "proxy",
    }
}

/// What an entry did, in words.
#[must_use]
pub const fn did(step: CaseStep) -> &'static str {
    match step {
        CaseStep::Filed => "filed the case",
        CaseStep::Noted => "added a note",
        CaseStep::Acknowledged => "is looking into it",
        CaseStep::Closed(Disposition::True) => "closed it as true",
        CaseStep::Closed(Disposition::False) => "closed it as false",
        CaseStep::Closed(Disposition::Unclear) => "closed it as unclear",
    }
}

/// How many alerts a case may have.
#[must_use]
pub fn alert_count(given: usize) -> String {
    format!(
        "a case has 1 to {CASE_ALERTS_MAX} alerts, {given} were given; group what belongs together and file the rest apart"
    )
}

/// Of what a recording leaves out: how many are kept and can be asked for, and how many were received and not kept. `most` is what a
/// recording is cut to when it is kept.
#[must_use]
pub fn left_out(shown: usize, left: u64, most: usize) -> (u64, u64) {
    let kept = (most.saturating_sub(shown) as u64).min(left);
    (kept, left - kept)
}

/// Why there is nothing to step through, of one alert.
#[must_use]
pub fn nothing_around(title: &str) -> String {
    format!("{title}: {}", uncapitalised(NOTHING_RECORDED))
}

fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_cannot_be_asked_for() {
        for (shown, left, want) in [
            (20, 0, (0, 0)),
            (20, 30, (30, 0)),
            (20, 180, (180, 0)),
            (20, 500, (180, 320)),
            (150, 500, (50, 450)),
            (200, 320, (0, 320)),
        ] {
            assert_eq!(left_out(shown, left, 200), want, "{shown} {left}");
        }
    }
}
