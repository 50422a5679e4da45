//! Hours between settlements, where the file does not say: inferred from the settlements themselves, forward in time only.
//!
//! Venues change intervals (Binance to 4 h and back, Hyperliquid from 8 h to 1 h in 2023), and `funding_rate_8h` is wrong
//! by that factor if one number is declared for a whole file. A shorter step is believed at once, because missing rows
//! cannot make steps shorter; a longer one only when it came twice in a row, because a missing row makes one.

use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// Intervals venues use, in hours.
const KNOWN_H: [i64; 6] = [1, 2, 4, 6, 8, 24];
/// Settlement stamps jitter by milliseconds, at worst by some seconds.
const JITTER: Span = Span::mins(2);

/// What is known about the interval of one stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Intervals {
    hours: i64,
    last: Option<Ts>,
    longer: Option<i64>,
}

impl Intervals {
    /// Starts from a declared interval.
    #[must_use]
    pub fn new(declared: Span) -> Self {
        Self { hours: hours_of(declared).unwrap_or(8), last: None, longer: None }
    }
    /// Hours the settlement at `at` was paid for. Call in order of time; special settlements are not asked about.
    #[expect(clippy::cast_precision_loss, reason = "at most 24")]
    pub fn settle(&mut self, at: Ts) -> f64 {
        let step = self.last.and_then(|last| hours_of(at - last));
        if self.last.is_none_or(|last| at > last) {
            self.last = Some(at);
        }
        match step {
            Some(h) if h < self.hours => (self.hours, self.longer) = (h, None),
            Some(h) if h > self.hours && self.longer == Some(h) => (self.hours, self.longer) = (h, None),
            Some(h) if h > self.hours => self.longer = Some(h),
            Some(_) => self.longer = None,
            None => {}
        }
        self.hours as f64
    }
}

/// Hours between settlements as the running rates of a stream show it, each with the settlement it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Awaited {
    next: Option<Ts>,
    hours: Option<i64>,
}

impl Awaited {
    /// The interval of a running rate that is for the settlement at `next`; `None` while nothing shows it. Two settlements do, and
    /// so does one at an hour at which longer intervals have none: settlements are at whole intervals of the UTC day.
    #[expect(clippy::cast_precision_loss, reason = "at most 24")]
    pub fn interval_h(&mut self, next: Ts) -> Option<f64> {
        if self.next != Some(next) {
            let step = self.next.and_then(|last| hours_of(next - last));
            let hour = (next.0 - next.floor(Span::days(1)).0) / Span::hours(1).0;
            let longest = KNOWN_H.into_iter().rev().find(|h| hour % h == 0);
            // Eight hours are the usual case: an hour that allows for them, or for a day, shows nothing.
            self.hours = step.or(longest.filter(|h| *h < 8)).or(self.hours);
            self.next = Some(next);
        }
        self.hours.map(|h| h as f64)
    }
}

/// Whole hours that a venue could use, allowing for jitter.
fn hours_of(step: Span) -> Option<i64> {
    let nearest = Ts(step.0 + Span::mins(30).0).floor(Span::hours(1)).0;
    let hours = nearest / Span::hours(1).0;
    ((step.0 - nearest).abs() <= JITTER.0 && KNOWN_H.contains(&hours)).then_some(hours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_rates_show_their_interval_once_they_can() {
        let cases: [(&[i64], &[Option<f64>]); 6] = [
            (&[8, 8, 16, 24], &[None, None, Some(8.0), Some(8.0)]),
            (&[4, 4, 8, 12], &[Some(4.0), Some(4.0), Some(4.0), Some(4.0)]),
            (&[8, 12, 16], &[None, Some(4.0), Some(4.0)]),
            (&[13, 14], &[Some(1.0), Some(1.0)]),
            // A recording with a hole of a day, and one whose contract changes from four to eight hours.
            (&[4, 32, 36], &[Some(4.0), Some(4.0), Some(4.0)]),
            (&[4, 8, 16], &[Some(4.0), Some(4.0), Some(8.0)]),
        ];
        for (next_h, want) in cases {
            let mut awaited = Awaited::default();
            let got: Vec<_> = next_h
                .iter()
                .map(|h| awaited.interval_h(Ts::from_civil(2026, 10, 7, 0, 0, 0) + Span::hours(*h)))
                .collect();
            assert_eq!(got, want, "{next_h:?}");
        }
    }

    fn check(declared_h: i64, stamps_h: &[i64], want: &[f64]) {
        let mut intervals = Intervals::new(Span::hours(declared_h));
        let got: Vec<f64> = stamps_h
            .iter()
            .enumerate()
            .map(|(i, h)| intervals.settle(Ts(0) + Span::hours(*h) + Span::millis(i64::try_from(i).unwrap() * 7)))
            .collect();
        assert_eq!(got, want, "{stamps_h:?}");
    }

    #[test]
    fn a_shorter_interval_counts_at_once_a_longer_one_when_it_repeats() {
        check(8, &[0, 8, 16, 17, 18], &[8.0, 8.0, 8.0, 1.0, 1.0]);
        check(8, &[0, 8, 12, 16, 24, 32], &[8.0, 8.0, 4.0, 4.0, 4.0, 8.0]);
    }

    #[test]
    fn missing_rows_change_nothing() {
        check(1, &[0, 1, 3, 4, 5, 9, 10], &[1.0; 7]);
        check(8, &[0, 24, 32, 1000, 1008], &[8.0; 5]);
    }

    #[test]
    fn an_interval_no_venue_uses_is_taken_for_eight() {
        check(5, &[0, 5, 10], &[8.0; 3]);
    }
}
