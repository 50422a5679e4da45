//! The clock everything in this crate waits by.
//!
//! A world that runs faster than the machine (the built-in venue server at 100 times real time) hands its own clock in;
//! then receive stamps, budgets, pauses and ages all run in that world, and every wait here is shorter by the same factor.
//! Only the time that real work of the machine needs (a handshake, an answer) has a floor in real time.

use barograph_domain::{Span, Ts};
use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::time::SystemTime;

/// A source of the present moment. `now` is called under a lock: it must not block.
pub trait Clock: Send + Sync {
    /// The present moment, UTC.
    fn now(&self) -> Ts;
    /// Seconds of this clock per second of the machine; 1 is real time.
    fn rate(&self) -> f64;
}

/// The machine's clock.
#[derive(Clone, Copy, Default, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Ts {
        let ns = match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
        };
        Ts(ns)
    }
    fn rate(&self) -> f64 {
        1.0
    }
}

/// A clock that others keep, such as a played world's, of which this crate knows nothing: read through two functions.
#[derive(Debug)]
pub struct ClockOf<C> {
    clock: Arc<C>,
    now: fn(&C) -> Ts,
    rate: fn(&C) -> f64,
}

impl<C> ClockOf<C> {
    /// `now` and `rate` are what [`Clock`] wants of them.
    pub fn new(clock: Arc<C>, now: fn(&C) -> Ts, rate: fn(&C) -> f64) -> Self {
        Self { clock, now, rate }
    }
}

impl<C: Send + Sync> Clock for ClockOf<C> {
    fn now(&self) -> Ts {
        (self.now)(&self.clock)
    }
    fn rate(&self) -> f64 {
        (self.rate)(&self.clock)
    }
}

impl fmt::Debug for dyn Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({} at {}x)", self.now(), self.rate())
    }
}

/// How long the machine waits while `span` passes on `clock`; negative spans are no wait.
#[must_use]
pub fn real(clock: &dyn Clock, span: Span) -> Duration {
    let rate = clock.rate();
    let seconds = span.as_secs_f64().max(0.0) / if rate.is_finite() && rate > 0.0 { rate } else { 1.0 };
    // A century: tokio's timers take no larger one, and no wait here is meant to be longer.
    Duration::from_secs_f64(seconds.min(3.15e9))
}

/// As [`real`], but not less than `floor` of the machine's own time.
#[must_use]
pub(crate) fn real_at_least(clock: &dyn Clock, span: Span, floor: Duration) -> Duration {
    real(clock, span).max(floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct At(f64);
    impl Clock for At {
        fn now(&self) -> Ts {
            Ts(0)
        }
        fn rate(&self) -> f64 {
            self.0
        }
    }

    #[test]
    fn waits_shrink_with_the_rate_and_never_overflow() {
        let cases = [
            (1.0, Span::secs(10), Duration::from_secs(10)),
            (100.0, Span::secs(10), Duration::from_millis(100)),
            (0.0, Span::secs(10), Duration::from_secs(10)),
            (f64::NAN, Span::secs(10), Duration::from_secs(10)),
            (1.0, Span::secs(-3), Duration::ZERO),
        ];
        for (rate, span, want) in cases {
            assert_eq!(real(&At(rate), span), want, "{rate} {span}");
        }
        assert!(real(&At(1e-300), Span(i64::MAX)) <= Duration::from_secs(3_150_000_000));
        assert_eq!(real_at_least(&At(100.0), Span::secs(10), Duration::from_secs(2)), Duration::from_secs(2));
    }

    #[test]
    fn the_system_clock_is_in_this_century() {
        let now = SystemClock.now();
        assert!(now > Ts::from_civil(2025, 1, 1, 0, 0, 0) && now < Ts::from_civil(2100, 1, 1, 0, 0, 0), "{now}");
    }
}
