//! Pauses between attempts: exponential with full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015).
//!
//! Full jitter spreads the sockets of one cut evenly over the pause, which is what a venue that has just restarted needs.

use crate::random::Random;
use barograph_domain::Span;

/// Pauses that grow with each failure.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Span,
    max: Span,
    failures: u32,
    random: Random,
}

impl Backoff {
    /// The longest pause after one failure is `first`; it doubles with each further one, up to `max`.
    pub(crate) const fn new(first: Span, max: Span, random: Random) -> Self {
        Self { first, max, failures: 0, random }
    }

    /// Another failure: how long to wait.
    pub(crate) fn failed(&mut self) -> Span {
        let longest = self.longest();
        self.failures = self.failures.saturating_add(1);
        Span(self.random.up_to(longest.0))
    }

    /// It has worked for long enough.
    pub(crate) const fn healthy(&mut self) {
        self.failures = 0;
    }

    fn longest(&self) -> Span {
        let factor = 1_i64.checked_shl(self.failures.min(62)).unwrap_or(i64::MAX);
        Span(self.first.0.saturating_mul(factor)).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_maximum_and_starts_over() {
        let mut b = Backoff::new(Span::millis(500), Span::secs(60), Random::seeded(3));
        let bounds = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000];
        for bound in bounds {
            assert_eq!(b.longest(), Span::millis(bound));
            assert!(b.failed() <= Span::millis(bound));
        }
        for _ in 0..200 {
            assert!(b.failed() <= Span::secs(60), "no overflow after many failures");
        }
        b.healthy();
        assert_eq!(b.longest(), Span::millis(500));
    }

    #[test]
    fn pauses_are_spread_over_the_whole_bound_and_follow_the_seed() {
        let first = |seed| Backoff::new(Span::secs(8), Span::secs(8), Random::seeded(seed)).failed();
        let mut quarters = [0; 4];
        for seed in 0..400 {
            assert_eq!(first(seed), first(seed));
            quarters[usize::try_from(first(seed).0 * 4 / (Span::secs(8).0 + 1)).unwrap()] += 1;
        }
        assert!(quarters.iter().all(|n| *n > 60), "{quarters:?}");
    }
}
