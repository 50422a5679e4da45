//! How many liquidations within 60 s, asked at every event (`liq_count_60s`, R3.20), and what they add up to.

use super::made::{Close, Made};
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The window.
pub const MINUTE: Span = Span::secs(60);
/// Closes kept; a minute with more of them is counted as this many.
const CLOSES_MAX: usize = 4_096;
/// Closes there is room for from the first event on; a wilder minute grows it once.
const CLOSES_ROOM: usize = 128;

/// Closes of the last minute.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Recent {
    closes: VecDeque<Close>,
    /// Everything up to a minute before this has been let go.
    asked: Option<Ts>,
}

impl Recent {
    /// Takes an event; returns the newest stamp t and how many lie in `(t − 60 s, t]`. An event that comes later than
    /// younger ones counts with them.
    pub fn push(&mut self, close: Close) -> (Ts, u32) {
        if self.closes.capacity() == 0 {
            self.closes.reserve(CLOSES_ROOM);
        }
        let newest = self.closes.back().map_or(close.at, |b| b.at.max(close.at));
        if close.at > newest - MINUTE {
            let place = self.closes.partition_point(|c| c.at <= close.at);
            self.closes.insert(place, close);
        }
        // Rows ask for the minute they belong to, which ends a little before the newest event.
        let keep = self.asked.map_or(newest, |a| a.min(newest)) - MINUTE;
        while self.closes.front().is_some_and(|c| c.at <= keep) || self.closes.len() > CLOSES_MAX {
            self.closes.pop_front();
        }
        (newest, self.count(newest))
    }

    /// Is there none at all, however new?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.closes.is_empty()
    }

    /// Events in `(t − 60 s, t]`.
    #[must_use]
    pub fn count(&self, t: Ts) -> u32 {
        let (from, upto) = self.within(t);
        u32::try_from(upto - from).unwrap_or(u32::MAX)
    }

    /// What the events in `(t − 60 s, t]` add up to; `None` where there is none.
    #[must_use]
    pub fn made(&self, t: Ts) -> Option<Made> {
        let (from, upto) = self.within(t);
        let mut made: Option<Made> = None;
        for close in self.closes.range(from..upto) {
            made.get_or_insert_default().add(close);
        }
        // Those that found no room are missing from the sums.
        made.map(|made| Made { lower_bound: self.closes.len() == CLOSES_MAX, ..made })
    }

    fn within(&self, t: Ts) -> (usize, usize) {
        let upto = self.closes.partition_point(|c| c.at <= t);
        (self.closes.partition_point(|c| c.at <= t - MINUTE), upto)
    }

    /// Nobody will ask for an earlier moment than this.
    pub fn settle(&mut self, t: Ts) {
        self.asked = Some(t);
        while self.closes.front().is_some_and(|c| c.at <= t - MINUTE) {
            self.closes.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Side;

    fn at(s: i64) -> Ts {
        Ts::from_secs(s)
    }

    fn close(s: i64) -> Close {
        Close { at: at(s), liquidated_side: Side::Long, price: 100.0, usd: 10.0 }
    }

    #[test]
    fn the_window_is_open_at_its_beginning_and_closed_at_its_end() {
        let mut r = Recent::default();
        assert_eq!([0, 10, 59, 60].map(|s| r.push(close(s)).1), [1, 2, 3, 3], "the one at 0 is 60 s old at 60");
        assert_eq!(r.push(close(5)), (at(60), 4), "a late one counts with the others, as of the newest");
        assert_eq!([r.count(at(59)), r.count(at(60)), r.count(at(119)), r.count(at(120))], [3, 4, 1, 0]);
        r.settle(at(119));
        assert_eq!(r.push(close(119)), (at(119), 2));
        assert_eq!(r.push(close(1)), (at(119), 2), "older than the minute: in no count");
    }

    #[test]
    fn what_a_minute_adds_up_to_is_what_it_holds() {
        let mut r = Recent::default();
        assert_eq!(r.made(at(0)), None);
        for (s, liquidated_side, price) in [(0, Side::Long, 90.0), (7, Side::Short, 101.0), (61, Side::Long, 99.0)] {
            r.push(Close { at: at(s), liquidated_side, price, usd: price });
        }
        let made = r.made(at(61)).unwrap();
        assert_eq!((made.count, made.long_usd, made.short_usd), (2, 99.0, 101.0), "the one at 0 has left the minute");
        assert_eq!((made.low, made.high, made.span()), (99.0, 101.0, Span::secs(54)));
        assert!(!made.lower_bound);
        for s in 0..5_000 {
            r.push(Close { at: Ts::from_secs(100) + Span::millis(s), ..close(0) });
        }
        assert!(r.made(at(105)).unwrap().lower_bound, "some found no room");
    }
}
