//! How often a detector spoke at a market in the last 90 days (regimes §16). Beginnings are kept by moment, so that "in the last
//! 30 days" is what anybody finds who counts the records again; judged minutes are counted by UTC day, so that three months of
//! them fit in half a kilobyte. Moments are bounded by number as well: of more than [`CAME_MAX`] the oldest are dropped, so that a
//! count over 90 days says at most so many, and one over 30 days is right until it would.

use barograph_domain::alert::{AlertChange, BaseRate};
use barograph_domain::time::DAY_MINUTES;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

const DAYS: i64 = 90;
const DAYS_KEPT: usize = 90;
const QUARTER: Span = Span::days(DAYS);
const MONTH: Span = Span::days(30);

/// Moments kept of one detector, or of one kind of happening, at one market: one in every quarter of an hour of 90 days, which is
/// 70 to 140 KB. What a person could follow is far below it.
const CAME_MAX: usize = 90 * 96;

/// Enters what came among what came before, oldest first; what is out of reach is dropped, and the oldest of too many.
fn enter<T>(came: &mut Vec<T>, new: T, at: impl Fn(&T) -> Ts) {
    let t = at(&new);
    came.retain(|one| at(one) > t - QUARTER);
    let place = came.partition_point(|one| at(one) <= t);
    came.insert(place, new);
    came.drain(..came.len().saturating_sub(CAME_MAX));
}

/// The UTC day of a moment.
pub(super) const fn day_of(t: Ts) -> i64 {
    t.0.div_euclid(Span::days(1).0)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Day {
    held: u16,
    known: u16,
}

impl Day {
    #[inline]
    fn count(&mut self, minutes: u16, known: bool, held: bool) {
        if known {
            self.known = self.known.saturating_add(minutes);
            if held {
                self.held = self.held.saturating_add(minutes);
            }
        }
    }
}

/// The last 90 days of one detector, today included.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Spoken {
    /// Newest last; shorter while there are fewer.
    days: Vec<Day>,
    today: i64,
    /// When episodes of these days began, oldest first.
    began: Vec<Ts>,
}

impl Spoken {
    #[inline]
    fn on(&mut self, day: i64) -> Option<&mut Day> {
        if day == self.today && !self.days.is_empty() {
            return self.days.last_mut();
        }
        self.of_other_day(day)
    }

    /// The same on another day than the last.
    #[cold]
    fn of_other_day(&mut self, day: i64) -> Option<&mut Day> {
        if self.days.is_empty() || day - self.today >= DAYS {
            self.days.clear();
            self.days.reserve_exact(DAYS_KEPT);
            self.days.push(Day::default());
            self.today = day;
        }
        while self.today < day {
            self.today += 1;
            if self.days.len() == DAYS_KEPT {
                self.days.remove(0);
            }
            self.days.push(Day::default());
        }
        let back = usize::try_from(self.today - day).ok()?;
        let at = self.days.len().checked_sub(1 + back)?;
        self.days.get_mut(at)
    }

    /// An episode began.
    pub fn fired(&mut self, t: Ts) {
        enter(&mut self.began, t, |at| *at);
    }

    /// What there was before a record of the episode that began at `opened_at`. Its beginning counts from now on.
    pub(super) fn rate_of(&mut self, change: AlertChange, t: Ts, opened_at: Ts) -> BaseRate {
        let before = self.rate_beside(t, opened_at);
        if change == AlertChange::Opened {
            self.fired(opened_at);
        }
        before
    }

    /// One minute passed: could it be judged, and was an episode open?
    pub fn minute(&mut self, t: Ts, known: bool, held: bool) {
        self.minute_of(day_of(t), known, held);
    }

    /// The same of a minute whose day is known.
    #[inline]
    pub(super) fn minute_of(&mut self, day: i64, known: bool, held: bool) {
        self.minutes_of(day, 1, known, held);
    }

    /// The same for some minutes judged at once, such as the hour of a pair.
    pub fn minutes(&mut self, t: Ts, count: u16, known: bool, held: bool) {
        self.minutes_of(day_of(t), count, known, held);
    }

    #[inline]
    fn minutes_of(&mut self, day: i64, count: u16, known: bool, held: bool) {
        if let Some(day) = self.on(day) {
            day.count(count, known, held);
        }
    }

    /// What there was up to `t`, without the episode that began at `opened_at` and speaks now.
    #[must_use]
    pub fn rate_beside(&self, t: Ts, opened_at: Ts) -> BaseRate {
        let before = &self.began[..self.began.partition_point(|at| *at < opened_at)];
        BaseRate { fired_90d: within(QUARTER, t, before), fired_30d: within(MONTH, t, before), ..self.judged(t) }
    }

    /// Over how much of the last 90 days and of the 30 before `t` it could be judged, and in how much of the former an episode was
    /// open.
    pub(super) fn judged(&self, t: Ts) -> BaseRate {
        let minutes_of_day = f64::from(DAY_MINUTES);
        let sum = |pick: fn(&Day) -> u16| self.days.iter().map(|d| u32::from(pick(d))).sum::<u32>();
        let known = sum(|d| d.known);
        BaseRate {
            known_days: f64::from(known) / minutes_of_day,
            known_days_30d: Some((f64::from(self.known_since(day_of(t) - 30)) / minutes_of_day).min(30.0)),
            held_share_90d: (known > 0).then(|| f64::from(sum(|d| d.held)) / f64::from(known)),
            ..BaseRate::default()
        }
    }

    /// Minutes of this UTC day and those after it that could be judged.
    fn known_since(&self, day: i64) -> u32 {
        let days = usize::try_from(self.today - day + 1).unwrap_or(0).min(self.days.len());
        self.days[self.days.len() - days..].iter().map(|d| u32::from(d.known)).sum()
    }
}

/// How many of these moments, oldest first, lie within so long before `t`.
fn within(span: Span, t: Ts, moments: &[Ts]) -> u32 {
    u32::try_from(moments.len() - moments.partition_point(|at| *at <= t - span)).unwrap_or(u32::MAX)
}

/// The last 90 days of several detectors. A minute mostly says of all of them what the one before said, so minutes that say the
/// same are counted together and entered when another one comes or a record is asked for: one number moves in most minutes, and
/// not one in a place of its own for each detector. What is saved has all of them entered.
#[derive(Clone, Debug)]
pub(super) struct Records {
    entered: Vec<Spoken>,
    waiting: Minutes,
}

/// Minutes of one day that said the same: which detectors could be judged and which had an episode open, a bit each.
#[derive(Clone, Copy, Debug, Default)]
struct Minutes {
    day: i64,
    known: u32,
    held: u32,
    count: u16,
}

impl Records {
    /// Nothing has been seen by so many detectors, at most 32.
    pub(super) fn new(detectors: usize) -> Self {
        Self { entered: vec![Spoken::default(); detectors], waiting: Minutes::default() }
    }

    /// One minute of a day passed.
    #[inline]
    pub(super) fn minute(&mut self, day: i64, known: u32, held: u32) {
        let waiting = &mut self.waiting;
        if (waiting.day, waiting.known, waiting.held) != (day, known, held) {
            self.enter();
            self.waiting = Minutes { day, known, held, count: 0 };
        }
        self.waiting.count = self.waiting.count.saturating_add(1);
    }

    /// The record of one detector up to now.
    pub(super) fn of(&mut self, at: usize) -> Option<&mut Spoken> {
        self.enter();
        self.entered.get_mut(at)
    }

    fn enter(&mut self) {
        let Minutes { day, known, held, count } = core::mem::take(&mut self.waiting);
        if count > 0 {
            for (at, spoken) in self.entered.iter_mut().enumerate() {
                spoken.minutes_of(day, count, known >> at & 1 == 1, held >> at & 1 == 1);
            }
        }
    }

    /// With every minute entered.
    fn whole(&self) -> Cow<'_, [Spoken]> {
        if self.waiting.count == 0 {
            return Cow::Borrowed(&self.entered);
        }
        let mut all = self.clone();
        all.enter();
        Cow::Owned(all.entered)
    }
}

/// Two are the same that say the same, however much of it is entered.
impl PartialEq for Records {
    fn eq(&self, other: &Self) -> bool {
        self.whole() == other.whole()
    }
}

impl Serialize for Records {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.whole().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Records {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { entered: Vec::deserialize(deserializer)?, waiting: Minutes::default() })
    }
}

/// When several happenings of one kind, such as the labels that an axis took, came in the last 90 days.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Tally {
    /// When, and which of them; oldest first.
    came: Vec<(Ts, u16)>,
}

/// Happenings there is room for at once.
const TALLY_ROOM: usize = 64;

impl Default for Tally {
    fn default() -> Self {
        Self { came: Vec::with_capacity(TALLY_ROOM) }
    }
}

impl Tally {
    /// How often this one came in the 90 and the 30 days before `t`.
    #[must_use]
    pub fn before(&self, t: Ts, which: u16) -> (u32, u32) {
        let count = |span: Span| {
            let first = self.came.partition_point(|(at, _)| *at <= t - span);
            u32::try_from(self.came[first..].iter().filter(|(_, w)| *w == which).count()).unwrap_or(u32::MAX)
        };
        (count(QUARTER), count(MONTH))
    }

    /// It came.
    pub fn fired(&mut self, t: Ts, which: u16) {
        enter(&mut self.came, (t, which), |(at, _)| *at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_days_are_remembered_and_no_more() {
        let mut s = Spoken::default();
        let at = |day: i64, minute: i64| Ts::from_civil(2026, 1, 1, 0, 0, 0) + Span::days(day) + Span::mins(minute);
        let rate = |s: &Spoken, t: Ts| s.rate_beside(t, t);
        assert_eq!(rate(&s, at(0, 0)), BaseRate { known_days_30d: Some(0.0), ..BaseRate::default() });
        for day in 0..120 {
            if day % 10 == 0 {
                s.fired(at(day, 3));
            }
            for minute in 0..1_440 {
                s.minute(at(day, minute), minute < 720, minute < 72);
            }
        }
        let last = rate(&s, at(119, 1_439));
        assert_eq!((last.fired_90d, last.fired_30d), (9, 3), "days 30 to 119");
        assert!((last.known_days - 45.0).abs() < 1e-12);
        assert_eq!(last.known_days_30d, Some(15.5), "today and the thirty days before");
        assert_eq!(rate(&s, at(139, 0)).known_days_30d, Some(5.5), "nobody looked for twenty days");
        assert_eq!(rate(&s, at(150, 0)).known_days_30d, Some(0.0));
        assert_eq!(last.held_share_90d, Some(0.1));
        s.fired(at(118, 0));
        assert_eq!(rate(&s, at(119, 0)).fired_90d, 10, "yesterday still counts");
        s.minute(at(300, 0), true, false);
        assert_eq!(rate(&s, at(300, 0)).fired_90d, 0);
        s.fired(at(200, 0));
        assert_eq!(rate(&s, at(300, 0)).fired_90d, 0, "what is out of reach is in no count");
    }

    /// What came 30 days ago to the minute is over, a minute later than that it counts: not by calendar days.
    #[test]
    fn a_month_is_thirty_days_to_the_minute() {
        let now = Ts::from_civil(2026, 4, 20, 9, 30, 0);
        let (mut s, mut t) = (Spoken::default(), Tally::default());
        for at in [now - Span::days(30), now - Span::days(30) + Span::mins(1), now - Span::days(29)] {
            s.fired(at);
            t.fired(at, 5);
        }
        assert_eq!((s.rate_beside(now, now).fired_30d, t.before(now, 5).1), (2, 2));
        let earlier = now - Span::mins(1);
        assert_eq!((s.rate_beside(earlier, earlier).fired_30d, t.before(earlier, 5).1), (3, 3));
    }

    /// A detector that speaks every minute, and a label that changes as often: what is kept is the newest, and no more than fits.
    #[test]
    fn however_often_something_comes_a_bounded_number_is_kept() {
        let at = |n: usize| Ts::from_civil(2026, 1, 1, 0, 0, 0) + Span::mins(i64::try_from(n).unwrap());
        let (mut s, mut t) = (Spoken::default(), Tally::default());
        let n = CAME_MAX + 5_000;
        for minute in 0..n {
            s.fired(at(minute));
            t.fired(at(minute), 5);
        }
        assert_eq!((s.began.len(), t.came.len()), (CAME_MAX, CAME_MAX));
        assert_eq!((s.began[0], t.came[0]), (at(5_000), (at(5_000), 5)), "the oldest are gone");
        let most = u32::try_from(CAME_MAX).unwrap();
        assert_eq!((s.rate_beside(at(n), at(n)).fired_90d, t.before(at(n), 5)), (most, (most, most)));
        // One that comes late and is older than all that is kept is dropped itself.
        s.fired(at(7));
        assert_eq!((s.began.len(), s.began[0]), (CAME_MAX, at(5_000)));
    }

    #[test]
    fn minutes_that_are_entered_together_count_as_one_by_one() {
        let mut records = Records::new(3);
        let mut plain = vec![Spoken::default(); 3];
        let mut seed = 7_u64;
        for minute in 0..5_000_i64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Most say what the one before said; a day is left out now and then, and one is asked for.
            let said = if seed >> 60 == 0 { u32::try_from(seed >> 40 & 63).unwrap() } else { 0b010_101 };
            let (known, held) = (said & 7, said >> 3 & 7);
            let day = minute / 700 * 2 + i64::from(seed >> 59 == 1);
            let now = Ts::from_civil(1970, 1, 1, 0, 0, 0) + Span::days(day);
            records.minute(day, known, held);
            for (at, spoken) in plain.iter_mut().enumerate() {
                spoken.minute_of(day, known >> at & 1 == 1, held >> at & 1 == 1);
            }
            if seed >> 56 == 3 {
                assert_eq!(records.of(1).map(|s| s.judged(now)), Some(plain[1].judged(now)), "at {minute}");
            }
            if seed >> 55 == 9 {
                let text = serde_json::to_string(&records).unwrap();
                assert_eq!(text, serde_json::to_string(&plain).unwrap(), "at {minute}");
                let restored: Records = serde_json::from_str(&text).unwrap();
                assert_eq!(restored, records);
                records = restored;
            }
        }
    }

    #[test]
    fn each_of_a_kind_is_counted_for_itself() {
        let at = |day: i64| Ts::from_civil(2026, 1, 1, 12, 0, 0) + Span::days(day);
        let mut t = Tally::default();
        for day in 0..120 {
            t.fired(at(day), u16::from(day % 3 == 0));
            t.fired(at(day), 7);
        }
        let text = serde_json::to_string(&t).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), t);
        assert_eq!([0, 1, 7, 9].map(|w| t.before(at(119), w)), [(60, 20), (30, 10), (90, 30), (0, 0)]);
        assert_eq!(t.before(at(119 + 60), 7), (30, 0), "nobody came for two months");
    }

    #[test]
    fn an_episode_is_no_earlier_one_to_itself() {
        let at = |day: i64| Ts::from_civil(2026, 1, 1, 12, 0, 0) + Span::days(day);
        let mut s = Spoken::default();
        for day in [0, 40, 80] {
            s.fired(at(day));
        }
        let fired = |rate: BaseRate| (rate.fired_90d, rate.fired_30d);
        let now = at(80) + Span::mins(1);
        assert_eq!((fired(s.rate_beside(now, now)), fired(s.rate_beside(now, at(80)))), ((3, 1), (2, 0)));
        assert_eq!(fired(s.rate_beside(at(45), at(40))), (1, 0), "one that is open for long");
        assert_eq!(fired(s.rate_beside(at(100), at(0))), (0, 0), "its own beginning is out of reach already");
    }
}
