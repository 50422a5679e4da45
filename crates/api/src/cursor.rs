//! Cursors: where an ascending walk stands, bound to the query it belongs to.
//!
//! A cursor is the instant of the last row shown and how many rows at that instant have been shown, so that rows with
//! equal stamps are neither lost nor doubled, plus a check of the query, so that it cannot be used with another one.

use crate::problem::{Problem, ProblemKind};
use barograph_domain::Ts;
use sha2::{Digest as _, Sha256};

/// Most rows of one instant that a walk passes over. No server hands out a cursor behind more: one is refused.
const SKIP_MAX: usize = 100_000;

/// Where the next page begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CursorPosition {
    /// First instant of the next page.
    pub(crate) ts: Ts,
    /// Rows at that instant that have been shown.
    pub(crate) skip: usize,
}

impl CursorPosition {
    /// The position after a page whose rows have these instants, when the page itself began at `from`.
    pub(crate) fn after(from: Option<Self>, instants: impl DoubleEndedIterator<Item = Ts> + Clone) -> Option<Self> {
        let last = instants.clone().next_back()?;
        let same = instants.rev().take_while(|t| *t == last).count();
        let before = from.filter(|p| p.ts == last).map_or(0, |p| p.skip);
        Some(Self { ts: last, skip: before.saturating_add(same) })
    }

    /// The text a client hands back.
    pub(crate) fn encode(self, fingerprint: &str) -> String {
        format!("{}-{}-{}", self.ts.0, self.skip, check(fingerprint))
    }

    /// Reads a client's text.
    pub(crate) fn decode(text: &str, fingerprint: &str) -> Result<Self, Problem> {
        let bad = |detail: &str| bad(text, detail);
        let mut parts = text.rsplitn(3, '-');
        let (Some(seal), Some(skip), Some(ts)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad("the cursor is none of this server's"));
        };
        let (Ok(ts), Ok(skip)) = (ts.parse(), skip.parse()) else {
            return Err(bad("the cursor is none of this server's"));
        };
        if seal != check(fingerprint) {
            return Err(bad("the cursor belongs to another query"));
        }
        if skip > SKIP_MAX {
            return Err(bad("the cursor passes over more rows than there are at one instant"));
        }
        Ok(Self { ts: Ts(ts), skip })
    }
}

/// Refuses a client's text.
pub(crate) fn bad(text: &str, detail: &str) -> Problem {
    Problem::new(ProblemKind::BadCursor, detail)
        .value(text)
        .hint("use next_cursor of the page before, with the same other parameters; leave cursor out to begin")
}

/// What binds a cursor to its query.
pub(crate) fn check(fingerprint: &str) -> String {
    Sha256::digest(fingerprint.as_bytes()).iter().take(4).map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip_and_keep_to_their_query() {
        for p in
            [CursorPosition { ts: Ts(1_770_302_100_000_000_000), skip: 1 }, CursorPosition { ts: Ts(-5), skip: 12 }]
        {
            let text = p.encode("history a=1");
            assert_eq!(CursorPosition::decode(&text, "history a=1"), Ok(p));
            assert_eq!(CursorPosition::decode(&text, "history a=2").unwrap_err().kind, ProblemKind::BadCursor);
        }
        for (skip, good) in [(SKIP_MAX, true), (SKIP_MAX + 1, false), (usize::MAX, false)] {
            let text = CursorPosition { ts: Ts(1), skip }.encode("q");
            assert_eq!(CursorPosition::decode(&text, "q").is_ok(), good, "{text}");
        }
        for text in ["", "x", "1-2", "1-x-00000000", "99999999999999999999-1-00000000"] {
            assert_eq!(CursorPosition::decode(text, "").unwrap_err().kind, ProblemKind::BadCursor, "{text}");
        }
    }

    #[test]
    fn equal_stamps_are_counted_across_pages() {
        let at = |n: &[i64]| n.iter().copied().map(Ts).collect::<Vec<_>>();
        let after = |from, n: &[i64]| CursorPosition::after(from, at(n).into_iter());
        assert_eq!(after(None, &[]), None);
        assert_eq!(after(None, &[1, 2, 2]), Some(CursorPosition { ts: Ts(2), skip: 2 }));
        let from = Some(CursorPosition { ts: Ts(2), skip: 2 });
        assert_eq!(after(from, &[2, 2]), Some(CursorPosition { ts: Ts(2), skip: 4 }));
        assert_eq!(after(from, &[2, 3]), Some(CursorPosition { ts: Ts(3), skip: 1 }));
    }
}
