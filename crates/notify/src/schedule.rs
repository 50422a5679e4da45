//! When to try again (delivery §2.1). Randomness is a generator handed in, so that a test repeats.

use barograph_domain::Span;

/// Pauses after the first, second … failed try, as Standard Webhooks recommends them: about 75 hours in all. `deliver_until`
/// ends most deliveries long before.
const PAUSES: [Span; 9] = [
    Span::secs(5),
    Span::mins(5),
    Span::mins(30),
    Span::hours(2),
    Span::hours(5),
    Span::hours(10),
    Span::hours(14),
    Span::hours(20),
    Span::hours(24),
];
/// What a receiver may ask for, at least and at most.
const ASKED_MIN: Span = Span::secs(1);
const ASKED_MAX: Span = Span::hours(1);

/// Tries of a payload that the receiver refuses.
pub const REJECTS_MAX: u32 = 2;
/// Tries at an endpoint that answers as if its address or token were wrong.
pub const MISCONFIGURED_MAX: u32 = 3;
/// An endpoint that fails for so long is disabled.
pub const FAILING_MAX: Span = Span::days(3);

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): jitter guards no secret.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// From a seed: the same numbers each time.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// `span`, up to a fifth longer or shorter.
    #[must_use]
    pub fn around(&mut self, span: Span) -> Span {
        let width = i128::from(span.0) * 2 / 5;
        let part = (i128::from(self.next()) * width) >> 64;
        Span(i64::try_from(i128::from(span.0) - width / 2 + part).unwrap_or(span.0))
    }
}

/// The pause after `failures` failed tries.
#[must_use]
pub fn pause_after(failures: u32, jitter: &mut Jitter) -> Span {
    let place = usize::try_from(failures.max(1) - 1).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    jitter.around(PAUSES[place])
}

/// What a receiver asked for, within reason.
#[must_use]
pub fn clamped(asked: Span) -> Span {
    asked.clamp(ASKED_MIN, ASKED_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_follow_the_schedule_with_a_fifth_of_jitter() {
        let mut jitter = Jitter::seeded(7);
        let mut different = 0;
        for failures in 1..=12_u32 {
            let base = PAUSES[(failures as usize - 1).min(8)];
            let drawn: Vec<Span> = (0..200).map(|_| pause_after(failures, &mut jitter)).collect();
            assert!(drawn.iter().all(|p| p.0 * 10 >= base.0 * 8 && p.0 * 10 <= base.0 * 12), "{failures}");
            different += i32::from(drawn.iter().any(|p| *p != drawn[0]));
        }
        assert_eq!(different, 12);
        assert_eq!(pause_after(1, &mut Jitter::seeded(1)), pause_after(1, &mut Jitter::seeded(1)));
    }

    #[test]
    fn what_is_asked_for_is_kept_within_reason() {
        for (asked, want) in [(Span::millis(350), 1), (Span::secs(7), 7), (Span::hours(9), 3_600), (Span::secs(-4), 1)]
        {
            assert_eq!(clamped(asked), Span::secs(want));
        }
    }
}
