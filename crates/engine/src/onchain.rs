//! Readings of on-chain and sentiment series as known at a moment (features §2.6; R1.32–R1.34, R4.68).
//!
//! Everything here is a function of the values that were known then. A day that is not over counts in no reading: it only shows that its
//! source is alive. Both ends of a change are of one vintage, the one known at the moment. No rule, label or alert reads any of this
//! ([ADR 41]).
//!
//! [ADR 41]: https://github.com/barograph/barograph/blob/main/docs/adr/0041-values-of-ones-own-stand-beside.md

use crate::kernel::moments::{Moments, Score};
use crate::kernel::{Block as _, Sum};
use barograph_domain::thresholds::TVL_JUMP_MIN;
use barograph_domain::{Reason, Span, Ts};
use std::collections::BTreeMap;

const DAY: Span = Span::days(1);
/// What `tvl_trend` calls a move, as a fraction.
pub const TREND_MIN: f64 = 0.02;
/// What confirms it: another series that moved the same way by so much on the same day.
const CONFIRMED_BY: f64 = 0.05;
/// Hours of scores that a standard score wants.
pub const SCORES_MIN: u32 = 24;
/// The window of the score.
const SCORE_WINDOW: Span = Span::days(7);

/// A value as known at the moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OnchainValue {
    /// Start of its interval, or the moment of a text.
    pub at: Ts,
    /// In the unit of its series.
    pub value: f64,
    /// Its interval was not over when it was last read.
    pub provisional: bool,
    /// Since when it was known is assumed: it was fetched later.
    pub assumed: bool,
}

/// A series as known at the moment, ascending.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OnchainInput<'a> {
    /// Its values.
    pub values: &'a [OnchainValue],
    /// What a value describes, from its moment on.
    pub interval: Span,
    /// The newest value is stale so long after the end of its interval.
    pub stale_after: Span,
}

/// One reading.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OnchainReading {
    /// The number, or why there is none.
    pub value: Result<f64, Reason>,
    /// Values it is of.
    pub n: u32,
    /// Values it wants.
    pub need: u32,
    /// Of its values, those whose moment of being known is assumed.
    pub assumed: u32,
    /// Until when its newest value reaches.
    pub until: Option<Ts>,
}

/// Which way TVL goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TvlTrend {
    /// More than [`TREND_MIN`] up in seven days.
    Up,
    /// More than that down.
    Down,
    /// Between the two: no more than [`TREND_MIN`] either way.
    Flat,
}

impl TvlTrend {
    /// The word in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "UP",
            Self::Down => "DOWN",
            Self::Flat => "FLAT",
        }
    }

    /// The trend of a change in seven days, as a fraction.
    #[must_use]
    pub fn of(delta: f64) -> Self {
        if delta > TREND_MIN {
            Self::Up
        } else if delta < -TREND_MIN {
            Self::Down
        } else {
            Self::Flat
        }
    }
}

impl OnchainInput<'_> {
    /// The newest complete value, where the source is alive.
    fn anchor(&self, now: Ts) -> Result<OnchainValue, Reason> {
        let newest = self.values.last().ok_or(Reason::MissingInput)?;
        // History that was fetched in one piece has one value a day and none of the running one, which shows otherwise that a source lives.
        let slack = if newest.assumed { DAY } else { Span::ZERO };
        if now - (newest.at + self.interval + slack) > self.stale_after {
            return Err(Reason::Stale);
        }
        // The first day of a series that has only just begun is not over yet.
        self.values.iter().rev().find(|v| !v.provisional).copied().ok_or(Reason::Warming)
    }

    fn of_day(&self, day: Ts) -> Option<OnchainValue> {
        self.values.iter().rev().find(|v| v.at == day && !v.provisional).copied()
    }

    /// Why there is no value of a day: nothing reaches back so far, or a hole.
    fn absent(&self, day: Ts) -> Reason {
        if self.values.first().is_none_or(|first| first.at > day) { Reason::Warming } else { Reason::Gap }
    }

    fn made(&self, need: u32, of: &[OnchainValue], value: Result<f64, Reason>) -> OnchainReading {
        // Windows are of days, so there are fewer than 2^32.
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        OnchainReading {
            value: value.and_then(|v| if v.is_finite() { Ok(v) } else { Err(Reason::OutOfDomain) }),
            n: count(of.len()),
            need,
            assumed: count(of.iter().filter(|v| v.assumed).count()),
            until: of.iter().map(|v| v.at + self.interval).max(),
        }
    }

    /// The newest complete value and the one so many days before it.
    fn ends(&self, days: i64, now: Ts) -> Result<[OnchainValue; 2], Reason> {
        let last = self.anchor(now)?;
        let day = last.at - Span::days(days);
        Ok([self.of_day(day).ok_or_else(|| self.absent(day))?, last])
    }

    /// `delta(x, days)`: the newest complete value over the one so many days before, less one.
    #[must_use]
    pub fn change(&self, days: i64, now: Ts) -> OnchainReading {
        match self.ends(days, now) {
            Err(reason) => self.made(2, &[], Err(reason)),
            Ok(both @ [before, last]) => {
                let value = if before.value == 0.0 {
                    Err(Reason::ZeroDenominator)
                } else {
                    Ok(last.value / before.value - 1.0)
                };
                self.made(2, &both, value)
            }
        }
    }

    /// The newest complete value less the one so many days before.
    #[must_use]
    pub fn difference(&self, days: i64, now: Ts) -> OnchainReading {
        match self.ends(days, now) {
            Err(reason) => self.made(2, &[], Err(reason)),
            Ok(both @ [before, last]) => self.made(2, &both, Ok(last.value - before.value)),
        }
    }

    /// The sum of the days that end with the newest complete one; days that are missing count as missing, not as zero.
    #[must_use]
    pub fn sum(&self, days: i64, need: u32, now: Ts) -> OnchainReading {
        let last = match self.anchor(now) {
            Ok(last) => last,
            Err(reason) => return self.made(need, &[], Err(reason)),
        };
        let window = (last.at - Span::days(days), last.at);
        let is_in = |v: &&OnchainValue| v.at > window.0 && v.at <= window.1 && !v.provisional;
        let of: Vec<OnchainValue> = self.values.iter().filter(is_in).copied().collect();
        let total = of.iter().map(|v| Sum::of(v.value)).fold(Sum::EMPTY, Sum::merge);
        let value = if total.n >= need { Ok(total.total()) } else { Err(self.absent(window.0 + DAY)) };
        self.made(need, &of, value)
    }

    /// Volume of seven days over a quarter of that of 28 (`dex_volume_ratio`).
    #[must_use]
    pub fn week_to_month(&self, now: Ts) -> OnchainReading {
        let (week, month) = (self.sum(7, 6, now), self.sum(28, 24, now));
        let value = week.value.and_then(|week| {
            let total = month.value?;
            if total == 0.0 { Err(Reason::ZeroDenominator) } else { Ok(week / (total / 4.0)) }
        });
        OnchainReading { value, ..month }
    }

    /// The newest complete value itself.
    #[must_use]
    pub fn newest(&self, now: Ts) -> OnchainReading {
        match self.anchor(now) {
            Ok(last) => self.made(1, &[last], Ok(last.value)),
            Err(reason) => self.made(1, &[], Err(reason)),
        }
    }

    /// The standard score of the newest hour against those of seven days, itself among them (`sentiment_z_7d`). An hour is the mean of
    /// what was scored in it; an hour without a text is missing.
    #[must_use]
    pub fn score(&self, now: Ts) -> OnchainReading {
        let last = match self.anchor(now) {
            Ok(last) => last.at.floor(Span::hours(1)),
            Err(reason) => return self.made(SCORES_MIN, &[], Err(reason)),
        };
        let mut hours: BTreeMap<Ts, (Sum, bool)> = BTreeMap::new();
        for v in self.values.iter().filter(|v| v.at >= last + Span::hours(1) - SCORE_WINDOW) {
            let (sum, assumed) = hours.entry(v.at.floor(Span::hours(1))).or_insert((Sum::EMPTY, false));
            *sum = (*sum).merge(Sum::of(v.value));
            *assumed |= v.assumed;
        }
        let of = |(at, (sum, assumed)): (&Ts, &(Sum, bool))| {
            Some(OnchainValue { at: *at, value: sum.mean()?, provisional: false, assumed: *assumed })
        };
        let means: Vec<OnchainValue> = hours.iter().filter_map(of).collect();
        let window = means.iter().map(|v| Moments::of(v.value)).fold(Moments::EMPTY, Moments::merge);
        let value = match means.last().map(|v| window.score(v.value)) {
            _ if window.n < SCORES_MIN => Err(Reason::Warming),
            None | Some(Score::ZeroVariance) => Err(Reason::ZeroVariance),
            Some(Score::Of(z)) => Ok(z),
        };
        OnchainReading { until: means.last().map(|v| v.at + Span::hours(1)), ..self.made(SCORES_MIN, &means, value) }
    }

    /// The move of the newest complete day as a fraction, where it is large enough to be doubted.
    #[must_use]
    pub fn jump(&self, now: Ts) -> Option<(Ts, f64)> {
        let [before, last] = self.ends(1, now).ok()?;
        let moved = last.value / before.value - 1.0;
        (moved.is_finite() && moved.abs() >= TVL_JUMP_MIN).then_some((last.at, moved))
    }

    /// Did this series move the same way on that day, so that the other's jump need not be a change of how it is counted?
    #[must_use]
    pub fn confirms(&self, day: Ts, moved: f64) -> bool {
        let both = self.of_day(day).zip(self.of_day(day - DAY));
        both.is_some_and(|(last, before)| {
            let own = last.value / before.value - 1.0;
            own.is_finite() && own.abs() >= CONFIRMED_BY && (own > 0.0) == (moved > 0.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Ts = Ts::from_civil(2026, 11, 1, 0, 0, 0);

    fn days(values: &[f64]) -> Vec<OnchainValue> {
        let value = |(n, v): (i64, &f64)| OnchainValue {
            at: T0 + Span::days(n),
            value: *v,
            provisional: false,
            assumed: false,
        };
        (0_i64..).zip(values).map(value).collect()
    }

    const fn input(values: &[OnchainValue]) -> OnchainInput<'_> {
        OnchainInput { values, interval: DAY, stale_after: Span::hours(36) }
    }

    /// So many hours after the end of the last of `n` days.
    fn after(n: i64, hours: i64) -> Ts {
        T0 + Span::days(n) + Span::hours(hours)
    }

    #[test]
    fn a_change_is_between_complete_days_that_are_both_there() {
        let mut all = days(&[100.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 103.0, 200.0]);
        all[8].provisional = true;
        all[0].assumed = true;
        let found = input(&all).change(7, after(8, 3));
        assert!((found.value.unwrap() - 0.03).abs() < 1e-12, "the running day is no end: {found:?}");
        assert_eq!((found.n, found.need, found.assumed, found.until), (2, 2, 1, Some(after(8, 0))));
        assert_eq!(TvlTrend::of(found.value.unwrap()), TvlTrend::Up);
        assert_eq!(
            (TvlTrend::of(0.02), TvlTrend::of(-0.02), TvlTrend::of(-0.021)),
            (TvlTrend::Flat, TvlTrend::Flat, TvlTrend::Down)
        );
        assert_eq!(input(&all).difference(7, after(8, 3)).value, Ok(3.0));
        assert_eq!(input(&all[1..]).change(7, after(8, 3)).value, Err(Reason::Warming), "nothing reaches back so far");
        let mut holed = days(&[7.0; 10]);
        holed.remove(2);
        assert_eq!(input(&holed).change(7, after(10, 1)).value, Err(Reason::Gap));
        all[0].value = 0.0;
        assert_eq!(input(&all).change(7, after(8, 3)).value, Err(Reason::ZeroDenominator));
    }

    #[test]
    fn nothing_old_passes_for_new() {
        let all = days(&[1.0; 8]);
        assert_eq!(input(&all).change(7, after(8, 36)).value, Ok(0.0));
        assert_eq!(input(&all).change(7, after(8, 37)).value, Err(Reason::Stale));
        let history: Vec<_> = all.iter().map(|v| OnchainValue { assumed: true, ..*v }).collect();
        assert_eq!(input(&history).change(7, after(8, 60)).value, Ok(0.0), "a day more where nothing was watched");
        assert_eq!(input(&history).change(7, after(8, 61)).value, Err(Reason::Stale));
        assert_eq!(input(&[]).change(7, after(8, 0)).value, Err(Reason::MissingInput));
        let begun = [OnchainValue { provisional: true, ..all[0] }];
        assert_eq!(input(&begun).newest(after(0, 5)).value, Err(Reason::Warming));
    }

    #[test]
    fn a_sum_wants_six_of_seven_and_a_ratio_24_of_28() {
        let mut all = days(&[-1.0, 2.0, -4.0, 8.0, -16.0, 32.0, -64.0]);
        let now = after(7, 12);
        assert_eq!(input(&all).sum(7, 6, now).value, Ok(-43.0));
        all.remove(1);
        let six = input(&all).sum(7, 6, now);
        assert_eq!((six.value, six.n), (Ok(-45.0), 6), "a missing day is no zero");
        all.remove(1);
        assert_eq!(input(&all).sum(7, 6, now).value, Err(Reason::Gap));
        assert_eq!(input(&all[2..]).sum(7, 6, now).value, Err(Reason::Warming));
        let mut month = vec![1.0; 21];
        month.extend([2.0; 7]);
        let month = days(&month);
        let ratio = input(&month).week_to_month(after(28, 12));
        assert!((ratio.value.unwrap() - 14.0 / (35.0 / 4.0)).abs() < 1e-12 && ratio.n == 28, "{ratio:?}");
        assert_eq!(input(&month[5..]).week_to_month(after(28, 12)).value, Err(Reason::Warming));
        assert_eq!(input(&days(&[0.0; 28])).week_to_month(after(28, 12)).value, Err(Reason::ZeroDenominator));
    }

    #[test]
    fn an_hour_of_scores_is_their_mean_and_24_make_a_score() {
        let hour = |n: i64, m: i64, value| OnchainValue {
            at: T0 + Span::hours(n) + Span::mins(m),
            value,
            provisional: false,
            assumed: n == 0,
        };
        let mut all: Vec<_> = (0..23).map(|n| hour(n, 5, 0.0)).collect();
        all.extend([hour(23, 1, 0.5), hour(23, 59, 1.5)]);
        let at = |values: &[OnchainValue], hours| {
            let now = T0 + Span::hours(hours);
            OnchainInput { values, interval: Span::ZERO, stale_after: Span::hours(6) }.score(now)
        };
        // One of 24 at 1, the others at 0: mean 1/24, variance 23/576.
        let found = at(&all, 24);
        assert!((found.value.unwrap() - (23.0_f64).sqrt()).abs() < 1e-12, "{found:?}");
        assert_eq!((found.n, found.assumed), (24, 1));
        assert_eq!(at(&all[1..], 24).value, Err(Reason::Warming));
        assert_eq!(at(&all, 30).value, Err(Reason::Stale));
        assert_eq!(at(&all[..24], 24).n, 24, "without the second text of an hour it is the first alone");
        let flat: Vec<_> = (0..24).map(|n| hour(n, 0, 0.5)).collect();
        assert_eq!(at(&flat, 24).value, Err(Reason::ZeroVariance));
        // What is seven days old is out.
        let mut old = vec![hour(-168, 30, 9.0), hour(-144, 0, 0.0)];
        old.extend(all);
        assert_eq!(at(&old, 24).n, 25);
    }

    #[test]
    fn a_jump_is_doubted_until_another_series_moved_with_it() {
        let tvl = days(&[100.0, 140.0]);
        let now = after(2, 1);
        let (day, moved) = input(&tvl).jump(now).unwrap();
        assert!(day == T0 + DAY && (moved - 0.4).abs() < 1e-12);
        for (other, confirms) in
            [([50.0, 53.0], true), ([50.0, 51.0], false), ([50.0, 30.0], false), ([0.0, 30.0], false)]
        {
            assert_eq!(input(&days(&other)).confirms(day, moved), confirms, "{other:?}");
        }
        assert_eq!(input(&days(&[100.0, 119.0])).jump(now), None);
    }

    /// What comes later changes nothing that was read before: every reading of every prefix, with a far future behind it.
    #[test]
    fn later_values_change_no_earlier_reading_that_leaves_them_out() {
        let all = days(&(0..40).map(|n| f64::from(n * n % 17) + 1.0).collect::<Vec<_>>());
        for n in 1..=40 {
            let known = &all[..n];
            let now = after(i64::try_from(n).unwrap(), 1);
            let again: Vec<_> = all.iter().filter(|v| v.at + DAY <= now).copied().collect();
            for read in [OnchainInput::newest, OnchainInput::week_to_month, OnchainInput::score] {
                assert_eq!(read(&input(known), now), read(&input(&again), now));
            }
        }
    }
}
