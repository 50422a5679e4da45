//! How often a stream moves: what is a long silence for a busy one is nothing for a quiet one.

use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

const WINDOW: Span = Span::mins(1);
/// Once a second on average.
const BUSY: u32 = 60;

/// Counts movements of one stream in windows of a minute.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Pace {
    since: Option<Ts>,
    moved: Option<Ts>,
    count: u32,
    busy: bool,
}

impl Pace {
    /// It moved.
    pub fn note(&mut self, now: Ts) {
        if self.since.is_none_or(|s| now - s >= WINDOW) {
            self.busy = self.count >= BUSY;
            self.count = 0;
            self.since = Some(now);
        }
        self.count = self.count.saturating_add(1);
        self.busy |= self.count >= BUSY;
        self.moved = Some(now);
    }

    /// It moved at least once a second on average in the running window or the one before.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.busy
    }

    /// How long it has not moved; `None` when it never did.
    #[must_use]
    pub fn silence(&self, now: Ts) -> Option<Span> {
        self.moved.map(|m| now - m)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_is_once_a_second() {
        let at = |ms: i64| Ts(0) + Span::millis(ms);
        let mut pace = Pace::default();
        assert_eq!((pace.is_busy(), pace.silence(at(5))), (false, None));
        for n in 0..120 {
            pace.note(at(n * 1_100));
        }
        assert!(!pace.is_busy(), "a little less than once a second");
        for n in 0..120 {
            pace.note(at(140_000 + n * 900));
        }
        assert!(pace.is_busy());
        assert_eq!(pace.silence(at(140_000 + 119 * 900 + 7)), Some(Span::millis(7)));
        for n in 0..3 {
            pace.note(at(400_000 + n * 70_000));
        }
        assert!(!pace.is_busy());
    }
}
