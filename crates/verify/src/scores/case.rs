//! The scored case, and how many of a set are independent of each other.
//!
//! A case whose outcome is unknown, void or not yet due is no case: resolution decides that before (verification §3). Windows of
//! neighbouring cases overlap, so that a thousand five-minute forecasts of the next day are about three observations.

use super::sums::{float, ratio};
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// One resolved forecast of a binary event.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Case {
    /// When it was issued; its window is `(issued, issued + h]`.
    pub issued: Ts,
    /// Probability of the event, in [0, 1].
    pub p: f64,
    /// Did the event happen within the window?
    pub happened: bool,
}

impl Case {
    /// The outcome as a number: 1 happened, 0 not.
    #[must_use]
    pub fn outcome(self) -> f64 {
        f64::from(u8::from(self.happened))
    }
    /// `(p − o)²` of this case's probability.
    #[must_use]
    pub fn loss(self) -> f64 {
        self.loss_of(self.p)
    }
    /// `(q − o)²` of another probability for the same case: a reference's, another classifier's.
    #[must_use]
    pub fn loss_of(self, q: f64) -> f64 {
        let d = q - self.outcome();
        d * d
    }
}

/// Frequency of the event among the cases; `None` without cases.
#[must_use]
pub fn base_rate(cases: &[Case]) -> Option<f64> {
    ratio(cases.iter().map(|c| c.outcome()).sum(), float(cases.len()))
}

/// Places of the cases whose windows of this length do not overlap, taken greedily from the first on. Of several cases of one moment
/// (symbols of a pool) the first is taken: one moment is one observation, however many symbols share it.
///
/// # Panics
/// When the times are not in order.
#[must_use]
pub fn non_overlapping(times: impl IntoIterator<Item = Ts>, horizon: Span) -> Vec<usize> {
    let mut taken = Vec::new();
    let mut open_until: Option<Ts> = None;
    let mut before = Ts::MIN;
    for (place, t) in times.into_iter().enumerate() {
        assert!(before <= t, "cases out of order: {t} after {before}");
        let repeated = !taken.is_empty() && before == t;
        before = t;
        if !repeated && open_until.is_none_or(|until| t >= until) {
            taken.push(place);
            open_until = Some(t + horizon);
        }
    }
    taken
}

/// How many windows of this length fit without overlap: the number of observations a set is worth.
///
/// # Panics
/// As [`non_overlapping`].
#[must_use]
pub fn n_eff(times: impl IntoIterator<Item = Ts>, horizon: Span) -> usize {
    non_overlapping(times, horizon).len()
}

/// The mean of each moment's values, in the order of time: what a pool of symbols said at once is one bounded value.
///
/// # Panics
/// When the times are not in order.
#[must_use]
pub fn mean_by_time(values: impl IntoIterator<Item = (Ts, f64)>) -> Vec<(Ts, f64)> {
    let mut moments: Vec<(Ts, f64, usize)> = Vec::new();
    for (t, x) in values {
        match moments.last_mut() {
            Some((last, sum, n)) if *last == t => {
                *sum += x;
                *n += 1;
            }
            last => {
                assert!(last.is_none_or(|(before, _, _)| *before < t), "values out of order at {t}");
                moments.push((t, x, 1));
            }
        }
    }
    moments.into_iter().map(|(t, sum, n)| (t, sum / float(n))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(of: &[i64]) -> Vec<Ts> {
        of.iter().map(|m| Ts(0) + Span::mins(*m)).collect()
    }

    #[test]
    fn windows_that_touch_do_not_overlap() {
        let check = |times: &[i64], horizon: i64, want: &[usize]| {
            assert_eq!(non_overlapping(minutes(times), Span::mins(horizon)), want, "{times:?} for {horizon}");
        };
        check(&[], 10, &[]);
        check(&[0, 5, 10, 15, 20, 29, 30], 10, &[0, 2, 4, 6]);
        check(&[0, 9, 19, 20], 10, &[0, 2]);
        // Two symbols of one moment, and an instant event, of which a moment still counts once.
        check(&[0, 0, 10, 10], 10, &[0, 2]);
        check(&[0, 0, 5], 0, &[0, 2]);
        assert_eq!(n_eff(minutes(&[0, 5, 10]), Span::mins(60)), 1);
    }

    #[test]
    fn one_moment_is_one_value() {
        let at = |m: i64| Ts(0) + Span::mins(m);
        let means = mean_by_time([(at(0), 1.0), (at(0), 3.0), (at(5), -1.0)]);
        assert_eq!(means, [(at(0), 2.0), (at(5), -1.0)]);
    }
}
