//! How far a venue's stamps are from our receive clock: latency, or a clock that is wrong.
//!
//! Receive time minus event time is the way of a message plus the difference of two clocks. Nothing is received before it
//! was sent and no way takes seconds for every message, so the minimum over a window tells the two apart: clearly negative, or
//! larger than any way can be, it is the clocks ([`LagVerdict::Skew`], and then no quantile is a latency). Quantiles come from
//! two histograms of fixed size, the running window and the one before, with buckets of an eighth of their value.

use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// Length of a window.
const WINDOW: Span = Span::mins(1);
/// Stamps are whole milliseconds and clocks under NTP are within some; a minimum below this is a wrong clock.
const NEGATIVE_MAX: Span = Span::millis(-100);
/// No way from a venue takes this long for every message of a window.
const POSITIVE_MAX: Span = Span::secs(5);
/// Fewer messages than this say nothing about a clock.
const SAMPLES_MIN: u64 = 20;
/// Eighths of a power of two, from 1 µs to about 19 h, for either sign.
const EIGHTHS: usize = 8;
const BUCKETS: usize = 36 * EIGHTHS;

/// What the lag is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LagVerdict {
    /// The way of the messages.
    Latency,
    /// One of the two clocks is wrong: `lag.min` is the difference, plus the fastest way.
    Skew,
}

/// The lag of the last one to two minutes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lag {
    /// What it is made of.
    pub verdict: LagVerdict,
    /// Messages counted.
    pub count: u64,
    /// Smallest receive minus event time, exact.
    pub min: Span,
    /// Median, within an eighth.
    pub p50: Span,
    /// 95th percentile, within an eighth.
    pub p95: Span,
    /// 99th percentile, within an eighth.
    pub p99: Span,
    /// Largest, exact.
    pub max: Span,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Window {
    counts: Vec<u32>,
    total: u64,
    min: Span,
    max: Span,
}

impl Window {
    fn new() -> Self {
        Self { counts: vec![0; 2 * BUCKETS], total: 0, min: Span(i64::MAX), max: Span(i64::MIN) }
    }

    fn clear(&mut self) {
        self.counts.fill(0);
        (self.total, self.min, self.max) = (0, Span(i64::MAX), Span(i64::MIN));
    }
}

/// Collects lags of one venue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LagMeter {
    /// Beginning of the running window.
    since: Option<Ts>,
    running: Window,
    before: Window,
}

impl Default for LagMeter {
    fn default() -> Self {
        Self { since: None, running: Window::new(), before: Window::new() }
    }
}

/// Position of a lag: ascending from the most negative to the most positive.
fn bucket(lag: Span) -> usize {
    let micros = (lag.0 / 1_000).unsigned_abs() + 1;
    let power = micros.ilog2();
    // Three bits below the leading one.
    let eighth = if power >= 3 { micros >> (power - 3) } else { micros << (3 - power) } & 7;
    let at = (power as usize * EIGHTHS + usize::try_from(eighth).unwrap_or(0)).min(BUCKETS - 1);
    if lag.0 < 0 { BUCKETS - 1 - at } else { BUCKETS + at }
}

/// Lower edge of a bucket (of its absolute value).
fn value(bucket: usize) -> Span {
    let at = if bucket >= BUCKETS { bucket - BUCKETS } else { BUCKETS - 1 - bucket };
    let (power, eighth) = (at / EIGHTHS, at % EIGHTHS);
    let micros = (((EIGHTHS + eighth) as u64) << power) / EIGHTHS as u64;
    let ns = i64::try_from(micros.saturating_sub(1).saturating_mul(1_000)).unwrap_or(i64::MAX);
    Span(if bucket >= BUCKETS { ns } else { -ns })
}

impl LagMeter {
    /// A message stamped `event_ts` by the venue was received at `now`.
    #[inline]
    pub fn note(&mut self, now: Ts, event_ts: Ts) {
        let since = *self.since.get_or_insert(now);
        if now - since >= WINDOW {
            core::mem::swap(&mut self.running, &mut self.before);
            self.running.clear();
            // After a long silence the window before is old as well.
            if now - since >= WINDOW.times(2) {
                self.before.clear();
            }
            self.since = Some(now);
        }
        let lag = now - event_ts;
        let window = &mut self.running;
        window.total += 1;
        window.min = window.min.min(lag);
        window.max = window.max.max(lag);
        if let Some(count) = window.counts.get_mut(bucket(lag)) {
            *count = count.saturating_add(1);
        }
    }

    /// The lag now; `None` while too little was received to say.
    #[must_use]
    pub fn lag(&self) -> Option<Lag> {
        let count = self.running.total + self.before.total;
        if count < SAMPLES_MIN {
            return None;
        }
        let (min, max) = (self.running.min.min(self.before.min), self.running.max.max(self.before.max));
        let at = |percent: u64| {
            let rank = (count * percent).div_ceil(100).max(1);
            let mut seen = 0;
            for (bucket, (a, b)) in self.running.counts.iter().zip(&self.before.counts).enumerate() {
                seen += u64::from(*a) + u64::from(*b);
                if seen >= rank {
                    return value(bucket).max(min).min(max);
                }
            }
            max
        };
        let skewed = min < NEGATIVE_MAX || min > POSITIVE_MAX;
        let verdict = if skewed { LagVerdict::Skew } else { LagVerdict::Latency };
        Some(Lag { verdict, count, min, p50: at(50), p95: at(95), p99: at(99), max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lags(all: impl Iterator<Item = Span>) -> Option<Lag> {
        let mut meter = LagMeter::default();
        for (n, lag) in (0..).zip(all) {
            let now = Ts::from_secs(1_000) + Span::millis(n);
            meter.note(now, now - lag);
        }
        meter.lag()
    }

    #[test]
    fn quantiles_are_within_an_eighth() {
        let lag = lags((1..=1_000).map(Span::millis)).unwrap();
        assert_eq!((lag.verdict, lag.count), (LagVerdict::Latency, 1_000));
        assert_eq!((lag.min, lag.max), (Span::millis(1), Span::millis(1_000)));
        for (got, want) in [(lag.p50, 500.0), (lag.p95, 950.0), (lag.p99, 990.0)] {
            let off = got.as_secs_f64() * 1e3 / want - 1.0;
            assert!((-0.125..=0.0).contains(&off), "{got:?} for {want}");
        }
    }

    #[test]
    fn the_minimum_tells_a_wrong_clock_from_a_long_way() {
        let spread = |base: i64| (0..100).map(move |n| Span::millis(base + n % 40));
        assert_eq!(lags(spread(-1_500)).unwrap().verdict, LagVerdict::Skew, "our clock is behind");
        assert_eq!(lags(spread(7_000)).unwrap().verdict, LagVerdict::Skew, "our clock is ahead");
        assert_eq!(lags(spread(400)).unwrap().verdict, LagVerdict::Latency);
        assert_eq!(lags(spread(-20)).unwrap().verdict, LagVerdict::Latency, "clocks under NTP");
        assert_eq!(lags((0..5).map(|_| Span::secs(-9))), None, "five messages say nothing");
        let skewed = lags(spread(-1_500)).unwrap();
        assert!((skewed.p50.as_secs_f64() + 1.48).abs() < 0.2, "{:?}", skewed.p50);
    }

    #[test]
    fn a_window_is_forgotten_after_two() {
        let mut meter = LagMeter::default();
        for second in 0..300 {
            let now = Ts::from_secs(10_000 + second);
            meter.note(now, now - if second < 100 { Span::secs(3) } else { Span::millis(5) });
        }
        let lag = meter.lag().unwrap();
        assert_eq!(lag.max, Span::millis(5));
        assert!((60..=120).contains(&lag.count), "{}", lag.count);
    }
}
