//! What is subscribed and does not come is subscribed again.
//!
//! A subscription can be confirmed and stay silent, be refused for now ("too frequent"), or never be answered; no connection
//! closes for that, so nothing else would mend it. Every tick shows each subscription here: one that does not come is asked
//! for again after [`WAIT`], then after pauses that double up to [`AGAIN_MAX`]. Where that has not helped [`HOPELESS`] times
//! with anything on a connection, the connection itself is to be closed; its session decides that.

use crate::session::MarketIndex;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Subscribing a thousand names within a venue's message rate and being confirmed takes half a minute at most.
const WAIT: Span = Span::secs(30);
/// First pause between two attempts; doubles.
const AGAIN: Span = Span::mins(1);
/// Longest pause.
const AGAIN_MAX: Span = Span::mins(16);
/// Attempts are forgotten when the subscription was well for this long.
const WELL: Span = Span::mins(10);
/// So many attempts in vain on everything condemn a connection; and as many again the next one.
const HOPELESS: u32 = 4;

/// One subscription that did not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Item {
    tries: u32,
    /// Attempts that had been made when a connection was last condemned for it.
    condemned: u32,
    due: Ts,
    /// Since when it comes again.
    well: Option<Ts>,
}

/// Subscriptions that did not come, by market and channel bit.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Revive {
    items: BTreeMap<(MarketIndex, u16), Item>,
}

impl Revive {
    /// Looks at one subscription on an open connection. True: subscribe it again now.
    pub fn check(&mut self, now: Ts, market: MarketIndex, channel: u16, comes: bool) -> bool {
        let key = (market, channel);
        if comes {
            if let Some(item) = self.items.get_mut(&key) {
                let since = *item.well.get_or_insert(now);
                if item.tries == 0 || now - since >= WELL {
                    self.items.remove(&key);
                }
            }
            return false;
        }
        let item = self.items.entry(key).or_insert(Item { tries: 0, condemned: 0, due: now + WAIT, well: None });
        item.well = None;
        if now < item.due {
            return false;
        }
        item.due = now + AGAIN.times(1 << item.tries.min(8)).min(AGAIN_MAX);
        item.tries = item.tries.saturating_add(1);
        true
    }

    /// A connection has opened, and subscribes everything: what did not come before is given time again.
    pub fn opened(&mut self, now: Ts) {
        for item in self.items.values_mut() {
            item.due = item.due.max(now + WAIT);
        }
    }

    /// Has this one been asked for again and again in vain?
    #[must_use]
    pub fn is_hopeless(&self, market: MarketIndex, channel: u16) -> bool {
        self.items.get(&(market, channel)).is_some_and(|i| i.tries >= i.condemned + HOPELESS && i.well.is_none())
    }

    /// The connection is to be replaced for it; its pauses go on growing.
    pub fn condemned(&mut self, market: MarketIndex, channel: u16) {
        if let Some(item) = self.items.get_mut(&(market, channel)) {
            item.condemned = item.tries;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: MarketIndex = MarketIndex(1);

    fn at(s: i64) -> Ts {
        Ts(0) + Span::secs(s)
    }

    #[test]
    fn what_does_not_come_is_asked_for_less_and_less_often() {
        let mut revive = Revive::default();
        let asked: Vec<i64> = (0..5_000).filter(|s| revive.check(at(*s), M, 4, false)).collect();
        assert_eq!(asked, [30, 90, 210, 450, 930, 1_890, 2_850, 3_810, 4_770]);
        assert!(revive.is_hopeless(M, 4) && !revive.is_hopeless(M, 2));
        revive.opened(at(6_000));
        let asked: Vec<i64> = (6_000..6_100).filter(|s| revive.check(at(*s), M, 4, false)).collect();
        assert_eq!(asked, [6_030], "a new connection is given time");
        revive.condemned(M, 4);
        assert!(!revive.is_hopeless(M, 4), "not at once again");
    }

    #[test]
    fn what_comes_for_a_moment_does_not_begin_anew() {
        let mut revive = Revive::default();
        // Comes every third second, and is looked at every second.
        let asked: Vec<i64> = (0..1_000).filter(|s| revive.check(at(*s), M, 4, s % 3 == 0)).collect();
        assert!(asked.is_empty(), "a second of silence is none: {asked:?}");
        let asked: Vec<i64> = (1_000..3_000).filter(|s| revive.check(at(*s), M, 4, s % 100 == 99)).collect();
        assert_eq!(asked, [1_030, 1_090, 1_210, 1_450, 1_930, 2_890], "its pauses go on growing");
        let asked: Vec<i64> = (3_000..4_000).filter(|s| revive.check(at(*s), M, 4, *s < 3_700)).collect();
        assert_eq!(asked, [3_730, 3_790, 3_910], "well for ten minutes: forgotten");
    }
}
