//! How long a stream is usually silent, by its own recent history: what is nothing for a quiet market is an alarm for one that
//! speaks ten times a second.
//!
//! A socket may answer pings and deliver nothing (a half-alive venue). Then the only sign is that a stream is silent far longer
//! than it has been of late: [`TIMES`] the longest pause between two messages of the last five to ten minutes. Kept are the
//! longest pauses of the running window and of the one before, so memory is constant and a quiet hour is learnt within one.
//! Of 9,457 s of recorded streams of Binance (`raw/hftbacktest`), whole and thinned to a 10th and a 50th, no pause is called
//! too long. Streams of fewer than [`PAUSES_MIN`] messages in two windows have no rhythm; their venue's constant counts.

use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// Length of a window.
const WINDOW: Span = Span::mins(5);
/// Fewer pauses than this say nothing about the longest.
const PAUSES_MIN: u32 = 100;
/// A silence this many times the longest pause is none of the stream's own.
const TIMES: i64 = 4;
/// Shorter silences come from the way as well: two retransmissions of a lost packet take some three seconds.
pub const FLOOR: Span = Span::secs(4);

/// Pauses of one stream.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Rhythm {
    /// Beginning of the running window.
    since: Option<Ts>,
    running: Pauses,
    before: Pauses,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
struct Pauses {
    count: u32,
    longest: Span,
}

impl Rhythm {
    /// Something came after a pause.
    #[inline]
    pub fn note(&mut self, now: Ts, pause: Span) {
        let since = *self.since.get_or_insert(now);
        if now - since >= WINDOW {
            let stale = now - since >= WINDOW.times(2);
            self.before = if stale { Pauses::default() } else { self.running };
            (self.running, self.since) = (Pauses::default(), Some(now));
        }
        self.running.count = self.running.count.saturating_add(1);
        self.running.longest = self.running.longest.max(pause);
    }

    /// A silence longer than this is suspect; `None` while too little is known.
    #[must_use]
    pub fn limit(&self) -> Option<Span> {
        let known = self.running.count.saturating_add(self.before.count) >= PAUSES_MIN;
        known.then(|| self.running.longest.max(self.before.longest).times(TIMES).max(FLOOR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Ts {
        Ts(0) + Span::millis(ms)
    }

    fn every(ms: i64, count: i64) -> Rhythm {
        let mut rhythm = Rhythm::default();
        (1..=count).for_each(|n| rhythm.note(at(n * ms), Span::millis(ms)));
        rhythm
    }

    #[test]
    fn a_silence_is_measured_by_the_stream_s_own_pauses() {
        for (ms, count, want) in
            [(100, 99, None), (100, 100, Some(FLOOR)), (3_000, 150, Some(Span::secs(12))), (10_000, 500, None)]
        {
            assert_eq!(every(ms, count).limit(), want, "every {ms} ms, {count} times");
        }
    }

    #[test]
    fn one_long_pause_is_learnt_and_forgotten() {
        let mut rhythm = every(100, 200);
        rhythm.note(at(27_000), Span::secs(7));
        assert_eq!(rhythm.limit(), Some(Span::secs(28)));
        for n in 0..6_500 {
            rhythm.note(at(27_100 + n * 100), Span::millis(100));
        }
        assert_eq!(rhythm.limit(), Some(FLOOR));
    }
}
