//! How many forced closes within 60 s, asked at every event (`liq_count_60s`, R3.20).

use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The window.
pub const MINUTE: Span = Span::secs(60);
/// Stamps kept; a minute with more of them is counted as this many.
const STAMPS_MAX: usize = 4_096;
/// Stamps there is room for from the first event on; a wilder minute grows it once.
const STAMPS_ROOM: usize = 128;

/// Stamps of the last minute.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Recent {
    stamps: VecDeque<Ts>,
    /// Everything up to a minute before this has been let go.
    asked: Option<Ts>,
}

impl Recent {
    /// Takes an event; returns the newest stamp t and how many lie in `(t − 60 s, t]`. An event that comes later than
    /// younger ones counts with them.
    pub fn push(&mut self, at: Ts) -> (Ts, u32) {
        if self.stamps.capacity() == 0 {
            self.stamps.reserve(STAMPS_ROOM);
        }
        let newest = self.stamps.back().copied().map_or(at, |b| b.max(at));
        if at > newest - MINUTE {
            let place = self.stamps.partition_point(|s| *s <= at);
            self.stamps.insert(place, at);
        }
        // Rows ask for the minute they belong to, which ends a little before the newest event.
        let keep = self.asked.map_or(newest, |a| a.min(newest)) - MINUTE;
        while self.stamps.front().is_some_and(|s| *s <= keep) || self.stamps.len() > STAMPS_MAX {
            self.stamps.pop_front();
        }
        (newest, self.count(newest))
    }

    /// Events in `(t − 60 s, t]`.
    #[must_use]
    pub fn count(&self, t: Ts) -> u32 {
        let upto = self.stamps.partition_point(|s| *s <= t);
        let before = self.stamps.partition_point(|s| *s <= t - MINUTE);
        u32::try_from(upto - before).unwrap_or(u32::MAX)
    }

    /// Nobody will ask for an earlier moment than this.
    pub fn settle(&mut self, t: Ts) {
        self.asked = Some(t);
        while self.stamps.front().is_some_and(|s| *s <= t - MINUTE) {
            self.stamps.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_open_at_its_beginning_and_closed_at_its_end() {
        let mut r = Recent::default();
        let at = |s: i64| Ts::from_secs(s);
        assert_eq!([0, 10, 59, 60].map(|s| r.push(at(s)).1), [1, 2, 3, 3], "the one at 0 is 60 s old at 60");
        assert_eq!(r.push(at(5)), (at(60), 4), "a late one counts with the others, as of the newest");
        assert_eq!([r.count(at(59)), r.count(at(60)), r.count(at(119)), r.count(at(120))], [3, 4, 1, 0]);
        r.settle(at(119));
        assert_eq!(r.push(at(119)), (at(119), 2));
        assert_eq!(r.push(at(1)), (at(119), 2), "older than the minute: in no count");
    }
}
