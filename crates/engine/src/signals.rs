//! What the values of a signal amount to at a moment: its change in a day, its score against a week, its rank in a month
//! (primitives of features §1.1; R1.19).
//!
//! A signal has no declared cadence, so windows end at its newest value and count what is there. How old that value is, is for the caller to
//! state.

use crate::kernel::moments::{Moments, Score};
use crate::kernel::{Block as _, Sum};
use barograph_domain::{Reason, Span, Ts};

/// How far back the change goes.
pub const SIGNAL_LAG: Span = Span::hours(24);
/// The value it is compared with is at most so much older.
const LAG_SLACK: Span = Span::hours(12);
/// What the score is against.
pub const SIGNAL_WEEK: Span = Span::days(7);
/// What the rank is in, the longest window of the three.
pub const SIGNAL_MONTH: Span = Span::days(30);
/// Fewest values for a score or a rank: those that a week of daily values has, less one.
pub const SIGNAL_VALUES_MIN: u32 = 6;

/// One number made of a signal.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SignalReading {
    /// The number, or why there is none.
    pub value: Result<f64, Reason>,
    /// Values it is of.
    pub n: u32,
}

/// What the values amount to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SignalReadings {
    /// The newest value, and the moment it is of.
    pub newest: (Ts, f64),
    /// Change since the value of a day before, as a fraction of that one.
    pub delta_24h: SignalReading,
    /// Score against the values of 7 days, itself among them, in standard deviations.
    pub z_7d: SignalReading,
    /// Rank among the values of 30 days, itself among them, in [0, 1]; equal values count half.
    pub percentile_30d: SignalReading,
}

/// The readings of values in ascending order of their moments; `None` without a value.
#[must_use]
pub fn signal_readings(values: &[(Ts, f64)]) -> Option<SignalReadings> {
    let newest @ (at, now) = *values.last()?;
    let back = |until: Ts| values.iter().rev().copied().skip_while(move |(ts, _)| *ts > until);
    Some(SignalReadings {
        newest,
        delta_24h: change_of(back, at, now),
        z_7d: score_of(back(at), at, now),
        percentile_30d: rank(within(back(at), at, SIGNAL_MONTH), now),
    })
}

/// Those of (at − window, at], of values from there backwards.
fn within(back: impl Iterator<Item = (Ts, f64)>, at: Ts, window: Span) -> impl Iterator<Item = f64> {
    back.take_while(move |(ts, _)| *ts > at - window).map(|(_, v)| v)
}

/// The change to `now` in a day; `back` gives the values of a moment and before, backwards.
pub(crate) fn change_of<I: Iterator<Item = (Ts, f64)>>(back: impl Fn(Ts) -> I, at: Ts, now: f64) -> SignalReading {
    let before = back(at - SIGNAL_LAG).next();
    let value = match before {
        Some((ts, _)) if ts < at - SIGNAL_LAG - LAG_SLACK => Err(Reason::Gap),
        Some((_, 0.0)) => Err(Reason::ZeroDenominator),
        Some((_, then)) => finite(now / then - 1.0),
        None => Err(Reason::Warming),
    };
    SignalReading { value, n: 1 + u32::from(before.is_some()) }
}

/// The score of `now` against the week that ends at `at`, of values from there backwards: the order in which they are added counts to the
/// last bit.
pub(crate) fn score_of(back: impl Iterator<Item = (Ts, f64)>, at: Ts, now: f64) -> SignalReading {
    score(within(back, at, SIGNAL_WEEK), now)
}

/// What a quotient of finite numbers may not be.
fn finite(x: f64) -> Result<f64, Reason> {
    if x.is_finite() { Ok(x) } else { Err(Reason::OutOfDomain) }
}

fn score(values: impl Iterator<Item = f64>, now: f64) -> SignalReading {
    let window = values.map(Moments::of).fold(Moments::EMPTY, Moments::merge);
    let value = match window.score(now) {
        _ if window.n < SIGNAL_VALUES_MIN => Err(Reason::Warming),
        Score::ZeroVariance => Err(Reason::ZeroVariance),
        Score::Of(z) => finite(z),
    };
    SignalReading { value, n: window.n }
}

fn rank(values: impl Iterator<Item = f64>, now: f64) -> SignalReading {
    let half = |v: f64| {
        if v < now {
            1.0
        } else if v > now {
            0.0
        } else {
            0.5
        }
    };
    let below = values.map(|v| Sum::of(half(v))).fold(Sum::EMPTY, Sum::merge);
    let value = below.mean().filter(|_| below.n >= SIGNAL_VALUES_MIN).ok_or(Reason::Warming);
    SignalReading { value, n: below.n }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Ts = Ts::from_civil(2026, 3, 1, 0, 0, 0);

    fn hourly(values: &[f64]) -> Vec<(Ts, f64)> {
        (0_i64..).zip(values).map(|(n, v)| (T0 + Span::hours(n), *v)).collect()
    }

    #[test]
    fn readings_are_those_of_the_primitives() {
        let found = signal_readings(&hourly(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).unwrap();
        assert_eq!(found.newest, (T0 + Span::hours(5), 6.0));
        assert_eq!(found.delta_24h, SignalReading { value: Err(Reason::Warming), n: 1 });
        // Mean 3.5, population variance 35/12.
        let z = found.z_7d.value.unwrap();
        assert!((z - 2.5 / (35.0_f64 / 12.0).sqrt()).abs() < 1e-12, "{z}");
        assert_eq!(found.percentile_30d, SignalReading { value: Ok(5.5 / 6.0), n: 6 });
    }

    #[test]
    fn the_change_is_since_a_day_before() {
        let day = |then: f64, hours: i64| {
            signal_readings(&[(T0, then), (T0 + Span::hours(hours), 3.0)]).unwrap().delta_24h.value
        };
        assert_eq!(day(2.0, 24), Ok(0.5));
        assert_eq!(day(-2.0, 36), Ok(-2.5));
        assert_eq!(day(2.0, 37), Err(Reason::Gap));
        assert_eq!(day(2.0, 23), Err(Reason::Warming));
        assert_eq!(day(0.0, 24), Err(Reason::ZeroDenominator));
        let huge = signal_readings(&[(T0, 1e-300), (T0 + Span::hours(24), 1e300)]).unwrap();
        assert_eq!(huge.delta_24h.value, Err(Reason::OutOfDomain));
    }

    #[test]
    fn windows_end_at_the_newest_value_and_leave_out_their_beginning() {
        let mut values = vec![(T0, 100.0)];
        values.extend((1..=6).map(|d| (T0 + Span::days(d), 1.0)));
        values.push((T0 + SIGNAL_WEEK, 2.0));
        let found = signal_readings(&values).unwrap();
        assert_eq!(found.z_7d.n, 7, "the value of 7 days ago is out");
        assert_eq!(found.percentile_30d.n, 8);
    }

    #[test]
    fn what_never_moves_has_no_score() {
        let flat = signal_readings(&hourly(&[0.1; 9])).unwrap();
        assert_eq!(flat.z_7d, SignalReading { value: Err(Reason::ZeroVariance), n: 9 });
        assert_eq!(flat.percentile_30d.value, Ok(0.5));
        let few = signal_readings(&hourly(&[0.1, 0.2])).unwrap();
        assert_eq!((few.z_7d.value, few.percentile_30d.value), (Err(Reason::Warming), Err(Reason::Warming)));
        assert_eq!(signal_readings(&[]), None);
    }
}
