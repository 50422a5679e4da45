//! Liquidations by minute, with the sums of several windows kept up to date (features §2.4).
//!
//! A window of W minutes at t holds the events stamped in `[t − W, t)`. Its sum is kept in whole billionths of the quote
//! unit: integers are added and taken away exactly, so the sum depends on what is in the window and on nothing else, as
//! block folds promise, at the cost of two additions a minute. A late event enters its own minute and every window it is in.

use barograph_domain::time::{self, DAY_MINUTES};
use barograph_domain::{Side, Span, Ts};
use serde::{Deserialize, Serialize};

/// Minutes kept: the longest window.
pub const DAY: i64 = time::DAY.0 / MINUTE_NS;
const RING: usize = DAY_MINUTES as usize;
const MINUTE_NS: i64 = Span::mins(1).0;
/// Windows: 5 min, 1 h, 4 h, 24 h and the configured window of the cascade rule.
pub const WINDOWS: usize = 5;
/// Minutes ahead of the clock that may wait; more are a venue's mistake.
const PENDING_MAX: usize = 8;

/// What one window holds.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Total {
    /// Liquidated longs, quote units.
    pub long: f64,
    /// Liquidated shorts, quote units.
    pub short: f64,
    /// Liquidations in the window.
    pub count: u64,
    /// First minute of the window that has an event.
    pub first: Option<i64>,
}

impl Total {
    /// Both sides.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.long + self.short
    }
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Running {
    long: i128,
    short: i128,
    count: u64,
    /// First minute of the window that has an event; zero while there is none.
    first: i64,
    /// The sums in the quote unit: they move only with events, and are asked for every minute.
    usd: (f64, f64),
}

impl Running {
    fn moved(&mut self) {
        self.usd = (plain(self.long), plain(self.short));
    }
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Bucket {
    minute: i64,
    long: f64,
    short: f64,
    count: u32,
}

/// The last day by minute.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct MinuteSums {
    spans: [i64; WINDOWS],
    /// The first minute that is not complete: windows end before it.
    end: Option<i64>,
    long: Vec<f64>,
    short: Vec<f64>,
    count: Vec<u32>,
    running: [Running; WINDOWS],
    /// Events of minutes that are not complete yet, oldest first.
    pending: Vec<Bucket>,
    ignored: u64,
    /// Nothing leaves a window while earlier minutes than this are completed: the windows are looked at only then. Derived.
    leaves: i64,
}

/// The minute an instant belongs to.
#[must_use]
pub fn minute_of(t: Ts) -> i64 {
    t.0.div_euclid(MINUTE_NS)
}

/// Beginning of a minute.
#[must_use]
pub fn start_of(minute: i64) -> Ts {
    Ts(minute * MINUTE_NS)
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to 29 digits, which 128 bits hold")]
fn exact(usd: f64) -> i128 {
    (usd.clamp(0.0, 1e20) * 1e9).round() as i128
}

#[expect(clippy::cast_precision_loss, reason = "back to the precision it came from")]
fn plain(billionths: i128) -> f64 {
    if billionths == 0 { 0.0 } else { billionths as f64 / 1e9 }
}

#[expect(clippy::cast_possible_truncation, reason = "a remainder below 1,440")]
fn place(minute: i64) -> usize {
    minute.rem_euclid(DAY) as usize
}

/// Place of the minute that lies `span` minutes, at most a day, before the one at this place.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a day, as the places are")]
fn place_before(place: usize, span: i64) -> usize {
    let span = span as usize;
    if place >= span { place - span } else { place + RING - span }
}

impl MinuteSums {
    /// Empty; `cascade` is the window of the cascade rule in minutes, at most a day.
    #[must_use]
    pub fn new(cascade: i64) -> Self {
        Self {
            spans: [5, 60, 240, DAY, cascade.clamp(1, DAY)],
            end: None,
            long: vec![0.0; RING],
            short: vec![0.0; RING],
            count: vec![0; RING],
            running: [Running::default(); WINDOWS],
            pending: Vec::with_capacity(PENDING_MAX),
            ignored: 0,
            leaves: i64::MAX,
        }
    }

    /// Length of a window in minutes.
    #[must_use]
    pub fn span(&self, window: usize) -> i64 {
        self.spans[window]
    }

    /// The first minute that is not complete.
    #[must_use]
    pub fn end(&self) -> Option<i64> {
        self.end
    }

    /// Events that were a day too late, ahead of the clock, or refused; in no window.
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Counts an event that is in no window.
    pub fn ignore(&mut self) {
        self.ignored += 1;
    }

    /// Takes an event of a minute.
    pub fn push(&mut self, minute: i64, side: Side, usd: f64) {
        match self.end {
            Some(end) if minute < end - DAY => self.ignored += 1,
            Some(end) if minute < end => self.add(minute, side, usd, 1),
            _ => self.wait(minute, side, usd),
        }
    }

    fn wait(&mut self, minute: i64, side: Side, usd: f64) {
        let at = self.pending.partition_point(|b| b.minute < minute);
        if self.pending.get(at).is_none_or(|b| b.minute != minute) {
            if self.pending.len() == PENDING_MAX {
                self.ignored += 1;
                return;
            }
            self.pending.insert(at, Bucket { minute, long: 0.0, short: 0.0, count: 0 });
        }
        let bucket = &mut self.pending[at];
        match side {
            Side::Long => bucket.long += usd,
            Side::Short => bucket.short += usd,
        }
        bucket.count = bucket.count.saturating_add(1);
    }

    /// Adds to a minute that is complete, and to the windows it lies in.
    fn add(&mut self, minute: i64, side: Side, usd: f64, events: u32) {
        let (at, end) = (place(minute), self.end.unwrap_or(minute + 1));
        let cell = match side {
            Side::Long => &mut self.long[at],
            Side::Short => &mut self.short[at],
        };
        let before = exact(*cell);
        *cell += usd;
        let gained = exact(*cell) - before;
        let counted = self.count[at].saturating_add(events) - self.count[at];
        self.count[at] += counted;
        for (running, span) in self.running.iter_mut().zip(self.spans) {
            if minute < end - span {
                continue;
            }
            match side {
                Side::Long => running.long += gained,
                Side::Short => running.short += gained,
            }
            running.first = if running.count == 0 { minute } else { running.first.min(minute) };
            running.count += u64::from(counted);
            running.moved();
            self.leaves = self.leaves.min(running.first + span);
        }
    }

    /// Completes every minute before `end`; whether a window gained or lost something.
    pub fn advance(&mut self, end: i64) -> bool {
        let Some(mut at) = self.end else {
            self.end = Some(self.pending.first().map_or(end, |b| b.minute.min(end)).max(end - DAY));
            return self.advance(end);
        };
        let mut moved = end - at > DAY;
        if moved {
            *self =
                Self { pending: core::mem::take(&mut self.pending), ignored: self.ignored, ..Self::new(self.spans[4]) };
            at = end - DAY;
            self.end = Some(at);
            self.pending.retain(|b| b.minute >= at);
        }
        while at < end {
            moved |= self.complete(at);
            at += 1;
        }
        if moved {
            self.find_first(at);
        }
        moved
    }

    /// The first events of windows that end before `at`, after some have left.
    fn find_first(&mut self, at: i64) {
        self.leaves = i64::MAX;
        for (running, span) in self.running.iter_mut().zip(self.spans) {
            if running.count == 0 {
                running.first = 0;
                continue;
            }
            if running.first < at - span {
                // The first event has left the window: which one is the first now?
                running.first = at - span;
                let mut place = place(running.first);
                while running.first < at && self.count[place] == 0 {
                    running.first += 1;
                    place = if place + 1 == RING { 0 } else { place + 1 };
                }
            }
            self.leaves = self.leaves.min(running.first + span);
        }
    }

    /// Completes one minute; whether a window gained or lost something.
    fn complete(&mut self, minute: i64) -> bool {
        let (at, mut moved) = (place(minute), false);
        let due = if minute >= self.leaves { &mut self.running[..] } else { &mut [] };
        for (running, span) in due.iter_mut().zip(self.spans) {
            let gone = place_before(at, span);
            if self.count[gone] == 0 {
                continue;
            }
            moved = true;
            running.long -= exact(self.long[gone]);
            running.short -= exact(self.short[gone]);
            running.count -= u64::from(self.count[gone]);
            running.moved();
        }
        (self.long[at], self.short[at], self.count[at]) = (0.0, 0.0, 0);
        self.end = Some(minute + 1);
        if self.pending.first().is_some_and(|b| b.minute <= minute) {
            let bucket = self.pending.remove(0);
            self.add(minute, Side::Long, bucket.long, bucket.count);
            self.add(minute, Side::Short, bucket.short, 0);
            moved = true;
        }
        moved
    }

    /// What a window holds, up to the last complete minute.
    #[must_use]
    pub fn total(&self, window: usize) -> Total {
        let running = &self.running[window];
        Total {
            long: running.usd.0,
            short: running.usd.1,
            count: running.count,
            first: self.end.map(|_| running.first).filter(|_| running.count > 0),
        }
    }

    /// Events of one complete minute of the last day.
    #[must_use]
    pub fn count_of(&self, minute: i64) -> u32 {
        let inside = self.end.is_some_and(|end| (end - DAY..end).contains(&minute));
        if inside { self.count[place(minute)] } else { 0 }
    }
}

/// Only minutes with events are written; the windows follow from them.
#[derive(Serialize, Deserialize)]
struct Saved {
    cascade: i64,
    end: Option<i64>,
    minutes: Vec<Bucket>,
    pending: Vec<Bucket>,
    ignored: u64,
}

impl From<MinuteSums> for Saved {
    fn from(m: MinuteSums) -> Self {
        let kept = m.end.map_or(0..0, |end| end - DAY..end);
        let minutes = kept
            .filter(|minute| m.count[place(*minute)] > 0)
            .map(|minute| {
                let at = place(minute);
                Bucket { minute, long: m.long[at], short: m.short[at], count: m.count[at] }
            })
            .collect();
        Self { cascade: m.spans[4], end: m.end, minutes, pending: m.pending, ignored: m.ignored }
    }
}

impl From<Saved> for MinuteSums {
    fn from(saved: Saved) -> Self {
        let mut out = Self::new(saved.cascade);
        out.ignored = saved.ignored;
        out.pending = saved.pending;
        out.pending.truncate(PENDING_MAX);
        out.end = saved.end;
        let Some(end) = saved.end else { return out };
        for b in saved.minutes.iter().filter(|b| (end - DAY..end).contains(&b.minute)) {
            out.add(b.minute, Side::Long, b.long, b.count);
            out.add(b.minute, Side::Short, b.short, 0);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows against a plain list, with late events, holes and saves in between.
    #[test]
    fn windows_hold_what_a_plain_list_holds() {
        let mut m = MinuteSums::new(37);
        let mut list: Vec<(i64, Side, f64)> = Vec::new();
        let mut state = 5_u64;
        let (mut now, mut compared) = (10_000_i64, 0);
        for _ in 0..6_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let r = i64::try_from(state >> 40).unwrap();
            let late = if r % 13 == 0 { r % 300 } else { 0 };
            let side = if r % 3 == 0 { Side::Short } else { Side::Long };
            #[expect(clippy::cast_precision_loss, reason = "a test amount")]
            let usd = 1_000.0 + (r % 100_000) as f64 * 0.37;
            m.push(now - late, side, usd);
            list.push((now - late, side, usd));
            now += if r % 997 == 0 { 2_000 } else { i64::from(r % 4 == 0) * (r % 7) };
            m.advance(now);
            if r % 5 == 0 {
                let text = serde_json::to_string(&m).unwrap();
                assert_eq!(serde_json::from_str::<MinuteSums>(&text).unwrap(), m);
            }
            if r % 11 != 0 {
                continue;
            }
            for window in 0..WINDOWS {
                let got = m.total(window);
                let inside: Vec<_> = list.iter().filter(|e| e.0 >= now - m.span(window) && e.0 < now).collect();
                let sum = |side| inside.iter().filter(|e| e.1 == side).map(|e| e.2).sum::<f64>();
                assert_eq!(usize::try_from(got.count), Ok(inside.len()), "window {window} at {now}");
                for (g, w) in [(got.long, sum(Side::Long)), (got.short, sum(Side::Short))] {
                    assert!((g - w).abs() <= 1e-12 * w.max(1.0), "window {window} at {now}: {g} is not {w}");
                }
                assert_eq!(got.first, inside.iter().map(|e| e.0).min());
                compared += 1;
            }
        }
        assert!(compared > 1_000 && m.ignored() == 0);
    }

    #[test]
    fn any_order_and_any_start_give_the_same_bits() {
        let amounts = [0.1, 1e9 + 0.3, 7.77, 1e-3, 123_456.789];
        let mut forward = MinuteSums::new(240);
        let mut long_running = MinuteSums::new(240);
        for i in 0..5_000 {
            long_running.push(i, Side::Long, 3.33);
            long_running.advance(i + 1);
        }
        for (i, usd) in (10_000..).zip(amounts) {
            forward.push(i, Side::Long, usd);
            long_running.push(i, Side::Long, usd);
            forward.advance(i + 1);
            long_running.advance(i + 1);
        }
        for window in 0..WINDOWS {
            assert_eq!(forward.total(window).long.to_bits(), long_running.total(window).long.to_bits());
        }
    }

    #[test]
    fn what_is_far_ahead_of_the_clock_is_counted_and_left_out() {
        let mut m = MinuteSums::new(240);
        m.advance(100);
        for ahead in 0..20 {
            m.push(100 + ahead * 50, Side::Long, 1.0);
        }
        assert_eq!(m.ignored(), 12);
        m.push(100 - DAY - 1, Side::Long, 1.0);
        assert_eq!(m.ignored(), 13);
        m.advance(101);
        assert_eq!(m.total(0).count, 1);
    }
}
