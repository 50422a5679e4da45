//! One stream sampled on its own grid (features §1: anchor, grid sample, gap).
//!
//! A stream's rows wait until a minute is made and then become samples of the grid instants they belong to. Archives are
//! sampled by stamp and never filled: a missing row is a missing sample, so a delayed series gives right values late and
//! never wrong values on time. Live streams hold their last value for at most `max_age`. The anchor is the newest instant
//! that has a sample; the age of what is computed from the series is counted from the event behind that sample, which may
//! lie minutes before the instant ([ADR 20](../../../docs/adr/0020-age-is-that-of-the-event.md)).

use barograph_domain::{Span, Status, StatusState, StreamDecl, Ts};
use serde::{Deserialize, Serialize};

/// Slack for polled, settled and archived stamps that lie a little after their grid instant (features §1, grid sample).
pub const STAMP_TOLERANCE: Span = Span::secs(5);

/// Events are dated by the second they fell in: ages are asked for in seconds, and limits are whole ones.
const SECOND: Span = Span::secs(1);

/// Declared gaps kept for reasons: windows reach back 90 days at most, and more than this many gaps in it say the same.
const GAPS_MAX: usize = 64;

/// A sample waiting for its instant.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Waiting<V> {
    index: i64,
    stamp: Ts,
    /// When it may become the sample of its instant: at once where it is stamped there; where it is stamped before, only
    /// when the instant's own row would have arrived, so that a delayed series is never right by luck and then corrected.
    due: Ts,
    value: V,
}

/// A place on the ring.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Slot<V> {
    stamp: Ts,
    value: Option<V>,
}

impl<V> Slot<V> {
    const MISSING: Self = Self { stamp: Ts::MIN, value: None };
}

/// Samples of one stream; `V` is a number or a bar.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Series<V> {
    step: Span,
    filled: bool,
    delay: Span,
    max_age: Span,
    /// Greatest age of a sample while its stream goes on speaking: the next one is due a step later.
    sample_age_max: Span,
    /// Places of the ring, a power of two.
    places: usize,
    /// Index at the first place: the first that was ever written. So the ring fills from its beginning, and memory that was taken
    /// for it is used only as samples come.
    origin: i64,
    /// As far as places have been used; what lies behind is missing.
    slots: Vec<Slot<V>>,
    /// Newest index with a slot, present or missing.
    head: Option<i64>,
    anchor: Option<i64>,
    /// Event behind the sample of the anchor.
    event: Ts,
    first: Option<i64>,
    waiting: Vec<Waiting<V>>,
    last: Option<Waiting<V>>,
    gaps: Vec<(Ts, Ts)>,
    /// Instants that changed in the latest [`Self::settle`], ascending.
    #[serde(skip)]
    changed: Vec<i64>,
}

impl<V: Copy> Series<V> {
    /// A series for `decl` on a grid of at least `base`, that remembers samples `lookback` into the past.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand slots")]
    pub fn new(decl: &StreamDecl, base: Span, lookback: Span, max_age: Span) -> Self {
        let step = base.max(decl.cadence);
        let slots = (lookback.0 / step.0 + 2).max(4) as usize;
        Self {
            step,
            filled: decl.filled,
            delay: decl.delay,
            max_age,
            sample_age_max: max_age.max(step + decl.cadence.times(2)),
            places: slots.next_power_of_two(),
            origin: 0,
            slots: Vec::with_capacity(slots.next_power_of_two()),
            head: None,
            anchor: None,
            event: Ts::MIN,
            first: None,
            waiting: Vec::with_capacity(8),
            last: None,
            gaps: Vec::with_capacity(GAPS_MAX),
            changed: Vec::with_capacity(16),
        }
    }

    /// Grid step.
    #[must_use]
    pub fn step(&self) -> Span {
        self.step
    }

    /// Whether the last value holds until the next one.
    #[must_use]
    pub fn is_filled(&self) -> bool {
        self.filled
    }

    /// Takes a row; it becomes a sample when its instant has come.
    pub fn push(&mut self, stamp: Ts, value: V) {
        let slack = if self.filled { Span::ZERO } else { STAMP_TOLERANCE };
        let index = -(-(stamp - slack).0).div_euclid(self.step.0);
        let instant = self.instant(index);
        let due = if self.filled || instant - stamp <= slack { instant } else { instant + self.delay };
        self.wait(Waiting { index, stamp, due, value });
    }

    /// Takes a value computed for an instant of this grid from an event at `stamp`, which may be older than a step.
    pub fn put(&mut self, instant: Ts, stamp: Ts, value: V) {
        self.wait(Waiting { index: instant.0 / self.step.0, stamp, due: instant, value });
    }

    fn wait(&mut self, row: Waiting<V>) {
        let Waiting { index, stamp, .. } = row;
        // Of many rows for one instant only the last can become its sample.
        match self.waiting.last_mut().filter(|w| self.filled && w.index == index && w.stamp <= stamp) {
            Some(earlier) => *earlier = row,
            None => self.waiting.push(row),
        }
    }

    /// Takes a declared gap: samples strictly between its ends become missing at the next settle. A gap that is still open
    /// (live streams) stops the last value from being held; `LIVE` gives it its end.
    pub fn gap(&mut self, status: &Status) {
        match status.state {
            StatusState::NotOffered => return,
            StatusState::Live => {
                for gap in self.gaps.iter_mut().filter(|g| g.1 == Status::OPEN) {
                    gap.1 = status.until;
                }
                return;
            }
            StatusState::Gap | StatusState::Resync | StatusState::Stale => {}
        }
        // One open gap at a time: whatever else goes wrong inside it is the same hole.
        if status.is_open() && self.gaps.iter().any(|g| g.1 == Status::OPEN) {
            return;
        }
        if self.gaps.len() == GAPS_MAX {
            self.gaps.remove(0);
        }
        self.gaps.push((status.from, status.until));
        let (Some(head), Some(oldest)) = (self.head, self.oldest()) else { return };
        let from = (status.from.floor(self.step).0 / self.step.0 + 1).max(oldest);
        for index in from..=head {
            if self.instant(index) >= status.until {
                break;
            }
            let at = self.place(index);
            if self.slots.get_mut(at).is_some_and(|slot| slot.value.take().is_some()) {
                self.changed.push(index);
            }
        }
        self.anchor = (oldest..=head).rev().find(|i| self.at(*i).is_some());
        self.event = self.anchor.map_or(Ts::MIN, |a| self.event_behind(self.instant(a)));
    }

    /// Turns waiting rows into samples of all instants up to `t`. Returns whether anything changed; what did is in
    /// [`Self::changed`].
    pub fn settle(&mut self, t: Ts) -> bool {
        if self.filled {
            self.settle_filled(t, t.0.div_euclid(self.step.0));
        } else if !self.waiting.is_empty() {
            self.settle_archive(t);
        }
        !self.changed.is_empty()
    }

    /// Forgets which instants changed; called when everything downstream has seen them.
    pub fn seen(&mut self) {
        self.changed.clear();
    }

    fn settle_archive(&mut self, t: Ts) {
        // Nearly always one row waits, and is due.
        if let [w] = self.waiting[..] {
            if w.due <= t {
                self.waiting.clear();
                self.write(w.index, w.stamp, Some(w.value));
            }
            return;
        }
        self.waiting.sort_by_key(|w| (w.index, w.stamp));
        for k in 0..self.waiting.len() {
            let w = self.waiting[k];
            if w.due <= t {
                self.write_again(w.index, w.stamp, Some(w.value));
            }
        }
        self.waiting.retain(|w| w.due > t);
    }

    /// The last value at or before each instant, while younger than `max_age`. Ticks come every minute and steps are
    /// not finer, so at most a few instants are open.
    fn settle_filled(&mut self, t: Ts, now: i64) {
        self.waiting.sort_by_key(|w| w.stamp);
        let due = self.waiting.partition_point(|w| w.stamp <= t);
        for k in 0..due {
            let w = self.waiting[k];
            if self.last.is_none_or(|l| w.stamp >= l.stamp) {
                if let Some(l) = self.last.filter(|l| l.index < w.index) {
                    self.hold(l, w.index - 1);
                }
                if self.head.is_some_and(|h| w.index <= h) {
                    // Arrived after its minute was made: it counts for the rows to come.
                    self.write_again(w.index, w.stamp, Some(w.value));
                }
                self.last = Some(w);
            } else if self.head.is_some_and(|h| w.index <= h) {
                self.write_again(w.index, w.stamp, Some(w.value));
            }
        }
        if due == self.waiting.len() {
            self.waiting.clear();
        } else {
            self.waiting.drain(..due);
        }
        if let Some(l) = self.last {
            self.hold(l, now);
        }
    }

    fn hold(&mut self, held: Waiting<V>, upto: i64) {
        let start = self.head.map_or(held.index, |h| (h + 1).max(held.index));
        for index in start..=upto {
            let instant = self.instant(index);
            let fresh = instant - held.stamp <= self.max_age;
            let broken =
                self.gaps.iter().any(|(from, until)| *from >= held.stamp && *from < instant && instant < *until);
            self.write(index, held.stamp, (fresh && !broken).then_some(held.value));
        }
    }

    /// As [`Self::write`], where rows are seldom.
    #[inline(never)]
    fn write_again(&mut self, index: i64, stamp: Ts, value: Option<V>) {
        self.write(index, stamp, value);
    }

    #[inline(always)]
    fn write(&mut self, index: i64, stamp: Ts, value: Option<V>) {
        match self.head {
            // Nearly always the next one.
            Some(head) if index == head + 1 => {
                *self.slot(index) = Slot { stamp, value };
                self.head = Some(index);
            }
            _ => {
                if !self.write_elsewhere(index, stamp, value) {
                    return;
                }
            }
        }
        if value.is_some() {
            self.first = Some(self.first.map_or(index, |f| f.min(index)));
            if self.anchor.is_none_or(|a| index >= a) {
                self.anchor = Some(index);
                self.event = dated(stamp, self.instant(index));
            }
        }
        self.changed.push(index);
    }

    /// Writes a sample that is not the next one; whether it is taken.
    #[inline(never)]
    fn write_elsewhere(&mut self, index: i64, stamp: Ts, value: Option<V>) -> bool {
        match self.head {
            Some(head) if index <= head => {
                if index <= head - self.span() {
                    return false;
                }
                let slot = self.slot(index);
                if slot.value.is_some() && slot.stamp > stamp {
                    return false;
                }
                *slot = Slot { stamp, value };
            }
            head => {
                if head.is_none() {
                    self.origin = index;
                }
                let from = head.map_or(index, |h| (h + 1).max(index - self.span() + 1));
                for skipped in from..index {
                    *self.slot(skipped) = Slot::MISSING;
                }
                *self.slot(index) = Slot { stamp, value };
                self.head = Some(index);
            }
        }
        true
    }

    /// The slot of an index.
    fn slot(&mut self, index: i64) -> &mut Slot<V> {
        let at = self.place(index);
        if at >= self.slots.len() {
            self.slots.resize(at + 1, Slot::MISSING);
        }
        &mut self.slots[at]
    }

    fn span(&self) -> i64 {
        i64::try_from(self.places).unwrap_or(i64::MAX)
    }

    /// Index of the oldest sample that is kept.
    pub fn oldest(&self) -> Option<i64> {
        self.head.map(|h| h - self.span() + 1)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the mask keeps the low bits only")]
    fn place(&self, index: i64) -> usize {
        (index.wrapping_sub(self.origin).cast_unsigned() as usize) & (self.places - 1)
    }

    /// The instant of a grid index.
    #[must_use]
    pub fn instant(&self, index: i64) -> Ts {
        Ts(index * self.step.0)
    }

    /// Newest index with a sample.
    #[must_use]
    pub fn anchor(&self) -> Option<i64> {
        self.anchor
    }

    /// Instant of the anchor.
    #[must_use]
    pub fn anchor_ts(&self) -> Option<Ts> {
        self.anchor.map(|a| self.instant(a))
    }

    /// The event behind the newest sample: what is read off the series is as old as this.
    #[must_use]
    pub fn event_ts(&self) -> Option<Ts> {
        self.anchor.map(|_| self.event)
    }

    /// The event behind the sample of an instant of this grid; the instant itself where that is forgotten.
    #[must_use]
    #[inline]
    pub fn event_at(&self, t: Ts) -> Ts {
        // Most ask for the newest, whose event is known.
        if self.anchor_ts() == Some(t) { self.event } else { self.event_behind(t) }
    }

    fn event_behind(&self, t: Ts) -> Ts {
        let index = t.0 / self.step.0;
        let held = self.holds(index).then(|| self.slots.get(self.place(index))).flatten();
        held.filter(|slot| slot.value.is_some()).map_or(t, |slot| dated(slot.stamp, t))
    }

    /// Does the ring reach to an index?
    #[inline]
    fn holds(&self, index: i64) -> bool {
        self.head.is_some_and(|head| head.wrapping_sub(index).cast_unsigned() < self.places as u64)
    }

    /// The newest event heard, whether or not it is a sample yet: how old the stream is.
    #[must_use]
    pub fn heard_ts(&self) -> Option<Ts> {
        let event = self.event_ts()?;
        if !self.filled {
            return Some(event);
        }
        Some(self.last.map_or(event, |l| event.max(l.stamp.floor(SECOND))))
    }

    /// Index of the first sample ever.
    #[must_use]
    pub fn first(&self) -> Option<i64> {
        self.first
    }

    /// Instants that changed since the last [`Self::seen`].
    #[must_use]
    pub fn changed(&self) -> &[i64] {
        &self.changed
    }

    /// The sample of a grid index; `None` when missing or forgotten.
    #[must_use]
    pub fn at(&self, index: i64) -> Option<V> {
        if self.holds(index) { self.slots.get(self.place(index))?.value } else { None }
    }

    /// The sample of an instant; `None` when the instant is not on this grid.
    #[must_use]
    #[inline]
    pub fn at_ts(&self, t: Ts) -> Option<V> {
        // Most ask for the newest, which takes no division to find.
        match self.anchor {
            Some(anchor) if self.instant(anchor) == t => self.at(anchor),
            _ => (t.0 % self.step.0 == 0).then(|| self.at(t.0 / self.step.0)).flatten(),
        }
    }

    /// The newest sample with its instant.
    #[must_use]
    pub fn newest(&self) -> Option<(Ts, V)> {
        let a = self.anchor?;
        self.at(a).map(|v| (self.instant(a), v))
    }

    /// Moment after which the newest sample is too old: its stream has been silent for longer than the limit, or the sample
    /// itself is older than that although the next one was due.
    #[must_use]
    pub fn expires(&self) -> Ts {
        self.expires_heard(self.heard_ts())
    }

    /// The same where the stream was last heard at `heard`: for series computed from those of a stream.
    #[must_use]
    pub fn expires_heard(&self, heard: Option<Ts>) -> Ts {
        let Some((event, heard)) = self.event_ts().zip(heard) else { return Ts::MIN };
        if heard <= event {
            // The age of a sample is limited by no less than that of its stream.
            return event + self.max_age;
        }
        (heard.max(event) + self.max_age).min(event + self.sample_age_max)
    }

    /// Age limit.
    #[must_use]
    pub fn max_age(&self) -> Span {
        self.max_age
    }

    /// Did a declared gap end in `(after, upto]`?
    #[must_use]
    pub fn gap_ended(&self, after: Ts, upto: Ts) -> bool {
        self.gaps.iter().any(|(_, until)| *until > after && *until <= upto)
    }

    /// Does a declared gap reach into `(after, upto]`?
    #[must_use]
    pub fn has_gap(&self, after: Ts, upto: Ts) -> bool {
        self.gaps.iter().any(|(from, until)| *from < upto && *until > after)
    }
}

/// When the sample of an instant happened: a stamp a little after its instant counts as the instant.
fn dated(stamp: Ts, instant: Ts) -> Ts {
    stamp.min(instant).floor(SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{GapReason, InstrumentName, Kind, Metric, Stamp};

    fn decl(cadence: Span, filled: bool) -> StreamDecl {
        StreamDecl {
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
            metric: Metric::OpenInterest,
            kind: Kind::Measured,
            cadence,
            source: "binance-usdm".to_owned(),
            delay: Span::secs(60),
            stamp: Stamp::Instant,
            filled,
        }
    }

    fn series(cadence: Span, filled: bool) -> Series<f64> {
        let d = decl(cadence, filled);
        Series::new(&d, Span::mins(1), Span::hours(2), d.max_age())
    }

    const M: Span = Span::mins(1);

    #[test]
    fn archives_are_sampled_by_stamp_and_never_filled() {
        let mut s = series(M, false);
        s.push(Ts(0), 1.0);
        s.push(Ts(0) + M + Span::millis(4), 2.0);
        s.push(Ts(0) + M.times(3), 4.0);
        s.settle(Ts(0) + M.times(3));
        assert_eq!([0, 1, 2, 3, 4].map(|i| s.at(i)), [Some(1.0), Some(2.0), None, Some(4.0), None]);
        assert_eq!(s.anchor(), Some(3));
        s.seen();
        assert!(!s.settle(Ts(0) + M.times(9)), "nothing new, nothing filled");
    }

    #[test]
    fn a_row_for_a_later_instant_waits() {
        let mut s = series(Span::mins(5), false);
        s.push(Ts(0) + M.times(3), 7.0);
        assert!(!s.settle(Ts(0) + M.times(4)));
        // The row of the instant itself is known 60 s after it; until then the one before does not stand in.
        assert!(!s.settle(Ts(0) + M.times(5)));
        assert!(s.settle(Ts(0) + M.times(6)));
        assert_eq!(s.at(1), Some(7.0));
    }

    #[test]
    fn live_streams_hold_their_last_value_until_it_is_too_old() {
        let mut s = series(Span::secs(1), true);
        s.push(Ts(0) + Span::secs(59), 1.0);
        for minute in 1..=8 {
            s.settle(Ts(0) + M.times(minute));
        }
        // 300 s is the table's limit: the minute at 5:59 + 1 s is the first that is too old.
        assert_eq!([1, 5, 6].map(|i| s.at(i)), [Some(1.0), Some(1.0), None]);
        assert_eq!(s.anchor(), Some(5));
    }

    #[test]
    fn a_value_stamped_after_the_instant_does_not_count_for_it() {
        let mut s = series(Span::secs(1), true);
        s.push(Ts(0) + Span::secs(30), 1.0);
        s.push(Ts(0) + Span::secs(60) + Span::millis(50), 2.0);
        s.settle(Ts(0) + M);
        assert_eq!(s.at(1), Some(1.0));
        s.settle(Ts(0) + M.times(2));
        assert_eq!(s.at(2), Some(2.0));
    }

    #[test]
    fn a_live_value_that_arrives_late_counts_for_the_rows_to_come() {
        let mut s = series(Span::secs(1), true);
        s.push(Ts(0) + Span::secs(20), 1.0);
        s.settle(Ts(0) + M);
        assert_eq!(s.at(1), Some(1.0));
        s.push(Ts(0) + Span::secs(59), 2.0);
        s.settle(Ts(0) + M.times(2));
        assert_eq!([1, 2].map(|i| s.at(i)), [Some(2.0), Some(2.0)]);
    }

    #[test]
    fn a_declared_gap_takes_back_what_was_filled() {
        let mut s = series(Span::secs(1), true);
        s.push(Ts(0) + M, 1.0);
        for minute in 1..=4 {
            s.settle(Ts(0) + M.times(minute));
        }
        s.seen();
        s.gap(&Status {
            state: StatusState::Gap,
            from: Ts(0) + M,
            until: Ts(0) + M.times(4),
            reason: GapReason::MissingRows,
        });
        assert_eq!([1, 2, 3, 4].map(|i| s.at(i)), [Some(1.0), None, None, Some(1.0)]);
        assert_eq!(s.changed(), [2, 3]);
        assert!(s.has_gap(Ts(0) + M.times(2), Ts(0) + M.times(3)));
        assert!(!s.has_gap(Ts(0) + M.times(4), Ts(0) + M.times(9)));
    }

    #[test]
    fn what_the_ring_has_forgotten_is_out_of_reach_and_touches_nothing_newer() {
        let mut s = series(M, false);
        for minute in 0..=300 {
            s.push(Ts(0) + M.times(minute), 1.0);
            s.settle(Ts(0) + M.times(minute));
        }
        // Two hours of minutes take a ring of 128 places.
        assert_eq!((s.oldest(), s.at(172), s.at(173)), (Some(173), None, Some(1.0)));
        s.seen();
        let (state, reason) = (StatusState::Gap, GapReason::MissingRows);
        s.gap(&Status { state, from: Ts(0), until: Ts(0) + M.times(200), reason });
        assert_eq!(s.changed(), (173..200).collect::<Vec<i64>>(), "as far back as it reaches, and no further");
        assert!((200..=300).all(|i| s.at(i) == Some(1.0)), "what lies behind the gap stays");
        s.seen();
        s.push(Ts(0) + M.times(172), 9.0);
        assert!(!s.settle(Ts(0) + M.times(301)), "a row that comes too late");
    }

    #[test]
    fn a_revision_replaces_and_an_older_stamp_does_not() {
        let mut s = series(M, false);
        s.push(Ts(0) + M, 1.0);
        s.settle(Ts(0) + M);
        s.push(Ts(0) + M, 1.5);
        s.settle(Ts(0) + M.times(2));
        assert_eq!(s.at(1), Some(1.5));
        s.push(Ts(0) + M - Span::secs(10), 9.0);
        s.settle(Ts(0) + M.times(3));
        assert_eq!(s.at(1), Some(1.5));
    }
}
