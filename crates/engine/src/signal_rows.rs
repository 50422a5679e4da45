//! Numbers of a signal on rows of something else: at each row's moment what was known then, and which values those were (R1.19).
//!
//! A signal is no market data. What is made of it can be repeated only with the same values, so whoever uses them states their digest.

use crate::signal_track::{RevisionKnown, SignalRevision, SignalTrack};
use crate::signals::SIGNAL_MONTH;
use barograph_domain::{SignalNumber, Span, Ts};
use sha2::{Digest as _, Sha256};

/// What lies so far before the first row matters to none: the longest window, and a day for values that were taken back.
pub const SIGNAL_BEFORE: Span = Span(SIGNAL_MONTH.0 + Span::days(1).0);

/// Which values of a signal some rows are made of.
#[derive(Clone, PartialEq, Debug)]
pub struct SignalUse {
    /// Every revision that one of the rows could know of, in the order in which they became known.
    pub revisions: Vec<SignalRevision>,
    /// Digest of them, and of what they are of; 64 hexadecimal digits.
    pub digest: String,
}

impl SignalUse {
    /// How many of them are known since a moment that comes from there.
    #[must_use]
    pub fn known(&self, from: RevisionKnown) -> usize {
        self.revisions.iter().filter(|r| r.known == from).count()
    }
}

/// What a signal is of, as its digest has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignalOf<'a> {
    /// Its name.
    pub name: &'a str,
    /// `venue:symbol`, or `*`.
    pub scope: &'a str,
    /// Who measured it.
    pub source: &'a str,
}

/// Those of all revisions that count for rows whose moments lie between `first` and `last`, both among them: what became known later
/// is no part of any row.
#[must_use]
pub fn signal_use(of: SignalOf<'_>, all: &[SignalRevision], (first, last): (Ts, Ts)) -> SignalUse {
    let counts = |r: &&SignalRevision| r.event_ts >= first - SIGNAL_BEFORE && r.known_ts <= last;
    let mut revisions: Vec<SignalRevision> = all.iter().filter(counts).copied().collect();
    revisions.sort_by_key(|r| (r.known_ts, r.event_ts));
    let mut digest = Sha256::new();
    for text in [of.name, of.scope, of.source] {
        digest.update(text.as_bytes());
        digest.update([0]);
    }
    for revision in &revisions {
        digest.update(revision.event_ts.0.to_le_bytes());
        digest.update(revision.known_ts.0.to_le_bytes());
        // One zero, as stored; these bits are those of no finite number.
        digest.update(revision.value.map_or([0xff; 8], |v| (v + 0.0).to_le_bytes()));
    }
    let digest = digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
    SignalUse { revisions, digest }
}

/// Numbers of a signal, one list for each number, each as long as there are rows.
#[derive(Clone, PartialEq, Debug)]
pub struct SignalNumbers {
    /// In the order in which the numbers were asked for; `None` where one is absent.
    pub columns: Vec<Vec<Option<f64>>>,
    /// Rows that had a value.
    pub rows: usize,
}

/// Numbers of a signal at moments that ascend. A value that is older than `within` is absent, and so is what is made of it.
#[must_use]
pub fn signal_numbers(
    used: &SignalUse,
    moments: impl Iterator<Item = Ts>,
    within: Span,
    numbers: &[SignalNumber],
) -> SignalNumbers {
    let has_rank = numbers.contains(&SignalNumber::Percentile30d);
    let mut track = if has_rank { SignalTrack::ranked } else { SignalTrack::new }(used.revisions.clone());
    let mut out = SignalNumbers { columns: vec![Vec::new(); numbers.len()], rows: 0 };
    let (mut newest, mut found) = (None, vec![None; numbers.len()]);
    for at in moments {
        if track.advance(at) {
            newest = track.newest();
            found = numbers.iter().map(|number| track.number(*number)).collect();
        }
        let stands = newest.is_some_and(|(event, _)| at - event <= within);
        out.rows += usize::from(stands);
        for (column, value) in out.columns.iter_mut().zip(&found) {
            column.push(value.filter(|_| stands));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Ts = Ts::from_civil(2026, 3, 1, 0, 0, 0);
    const OF: SignalOf<'static> = SignalOf { name: "x.a", scope: "*", source: "desk" };

    /// Second of its moment, second since when it is known, value.
    type Written = (i64, i64, Option<f64>);

    fn used(revisions: &[Written], rows: i64) -> SignalUse {
        let revision = |(event, known, value): &Written| SignalRevision {
            event_ts: T0 + Span::secs(*event),
            known_ts: T0 + Span::secs(*known),
            value: *value,
            known: RevisionKnown::Arrived,
        };
        let all: Vec<SignalRevision> = revisions.iter().map(revision).collect();
        signal_use(OF, &all, (T0, T0 + Span::secs(rows - 1)))
    }

    fn numbers(used: &SignalUse, rows: i64, within: Span, numbers: &[SignalNumber]) -> SignalNumbers {
        signal_numbers(used, (0..rows).map(|s| T0 + Span::secs(s)), within, numbers)
    }

    #[test]
    fn a_row_has_what_was_known_when_it_was_and_nothing_that_is_too_old() {
        // The value of second 1 is known at 3 and revised at 5; it is too old from second 7 on.
        let of = used(&[(1, 5, Some(9.0)), (1, 3, Some(7.0)), (40, 40, Some(1.0))], 8);
        let found = numbers(&of, 8, Span::secs(5), &[SignalNumber::Value]);
        let (seven, nine) = (Some(7.0), Some(9.0));
        assert_eq!(found.columns, [[None, None, None, seven, seven, nine, nine, None]]);
        assert_eq!((found.rows, of.revisions.len()), (4, 2), "what came after the last row is no part of it");
    }

    #[test]
    fn readings_are_absent_until_there_is_enough_of_them() {
        let hour = |h: i32| {
            let at = -3_600 * i64::from(7 - h);
            (at, if h == 6 { 2 } else { at }, Some(f64::from(h)))
        };
        let hourly: Vec<Written> = (0..7).map(hour).collect();
        let asked = [SignalNumber::Percentile30d, SignalNumber::Delta24h, SignalNumber::Z7d];
        let found = numbers(&used(&hourly, 4), 4, Span::days(1), &asked);
        // Six values give a rank; the seventh is known at second 2.
        let rank = |n: f64| Some((n - 0.5) / n);
        assert_eq!(found.columns[0], [rank(6.0), rank(6.0), rank(7.0), rank(7.0)]);
        assert_eq!(found.columns[1], [None; 4]);
        let z = found.columns[2][3].unwrap();
        assert!((z - 1.5).abs() < 1e-12, "mean 3, variance 4: {z}");
    }

    #[test]
    fn the_digest_is_that_of_what_could_be_known() {
        let first = used(&[(1, 3, Some(7.0))], 8).digest;
        assert_eq!(first, used(&[(9, 9, Some(2.0)), (1, 3, Some(7.0))], 8).digest, "later than every row");
        assert_eq!(first.len(), 64);
        for other in [(1, 3, Some(8.0)), (1, 4, Some(7.0)), (2, 3, Some(7.0)), (1, 3, None)] {
            assert_ne!(first, used(&[other], 8).digest, "{other:?}");
        }
        let elsewhere = signal_use(
            SignalOf { source: "other", ..OF },
            &used(&[(1, 3, Some(7.0))], 8).revisions,
            (T0, T0 + Span::secs(7)),
        );
        assert_ne!(first, elsewhere.digest);
    }
}
