//! The world's clock: what every time stamp of the server is read from.
//!
//! A caller shares one clock with the server and with whatever listens to it, so that receive stamps, ticks and ages run
//! in the same time. At a rate of 60 a minute of the world takes a second. The rate may change while running; the clock
//! never goes backwards.

use barograph_domain::{Span, Ts};
use core::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Slowest rate that is accepted.
pub const RATE_MIN: f64 = 1.0;
/// Fastest rate that is accepted.
pub const RATE_MAX: f64 = 100.0;

/// A source of the present moment.
pub trait Clock: Send + Sync {
    /// The present moment of the world.
    fn now(&self) -> Ts;
    /// Seconds of the world per second of the machine.
    fn rate(&self) -> f64;
}

/// Runs `rate` times as fast as the machine's monotonic clock, from a given origin.
pub struct VirtualClock {
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
struct State {
    base: Ts,
    since: Instant,
    rate: f64,
}

impl State {
    fn at(self, instant: Instant) -> Ts {
        let ns = instant.saturating_duration_since(self.since).as_secs_f64() * self.rate * 1e9;
        self.base + Span(crate::num::round_i64(ns))
    }
}

impl VirtualClock {
    /// A clock that says `origin` now. The rate is held between [`RATE_MIN`] and [`RATE_MAX`].
    #[must_use]
    pub fn new(origin: Ts, rate: f64) -> Self {
        let state = State { base: origin, since: Instant::now(), rate: rate.clamp(RATE_MIN, RATE_MAX) };
        Self { state: Mutex::new(state) }
    }

    /// Changes the rate from now on; the present moment does not jump.
    pub fn set_rate(&self, rate: f64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let instant = Instant::now();
        *state = State { base: state.at(instant), since: instant, rate: rate.clamp(RATE_MIN, RATE_MAX) };
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Ts {
        self.state().at(Instant::now())
    }
    fn rate(&self) -> f64 {
        self.state().rate
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VirtualClock({} at {}x)", self.now(), self.rate())
    }
}

/// How long the machine waits while `span` passes in the world.
#[must_use]
pub fn machine_time(clock: &dyn Clock, span: Span) -> Duration {
    Duration::from_secs_f64((span.as_secs_f64() / clock.rate()).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_at_its_rate_and_a_change_does_not_jump() {
        let since = Instant::now();
        let state = State { base: Ts::from_secs(1_000), since, rate: 60.0 };
        assert_eq!(state.at(since + Duration::from_secs(2)), Ts::from_secs(1_120));
        let clock = VirtualClock::new(Ts::from_secs(1_000), 100.0);
        let before = clock.now();
        clock.set_rate(1.0);
        let after = clock.now();
        assert!(after >= before && clock.rate() < 1.5);
        assert_eq!(machine_time(&VirtualClock::new(before, 50.0), Span::secs(5)), Duration::from_millis(100));
    }

    #[test]
    fn rates_outside_the_range_are_held() {
        assert!((VirtualClock::new(Ts(0), 1_000.0).rate() - RATE_MAX).abs() < 1e-9);
        assert!((VirtualClock::new(Ts(0), 0.0).rate() - RATE_MIN).abs() < 1e-9);
    }
}
