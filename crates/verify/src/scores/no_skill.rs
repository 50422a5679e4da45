//! What decisions cost by chance: years in which a classifier knows nothing that persistence does not know, looked at every day.
//!
//! A condition stays with 80 % and begins with 10 % from one hour to the next. Persistence, as somebody measured it, is the
//! true frequency of the next hour given the state, off by noise; the classifier is the same frequency, off by noise of its own of the
//! same law, which differs from year to year from next to none to more than the frequencies themselves. Neither is better, so the mean difference is exactly zero: the hardest kind of no skill, on the edge of some. A
//! classifier that is plain noise around persistence is worse than that on average, and activates less ([`Skill::Noise`]).

use super::case::Case;
use super::random::SplitMix;
use super::sequence::{Activation, ConfidenceSequence};
use barograph_domain::{Span, Ts};

/// Length of a window, and time from one forecast to the next.
const WINDOW: Span = Span::hours(1);
/// Forecasts of a year.
const CASES: i64 = 24 * 365;
/// Chance of the condition in the next window, given that it holds and that it does not.
const STAYS: f64 = 0.8;
const BEGINS: f64 = 0.1;
/// Furthest that a stated probability is off: of the informed, and in the worst year of the others.
const NOISE_LEAST: f64 = 0.05;
const NOISE_MOST: f64 = 0.5;

/// What the simulated classifier knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Skill {
    /// As much as persistence, with errors of its own: the mean difference is zero.
    Even,
    /// Persistence, with noise added: worse on average.
    Noise,
    /// Whether the coming change is likely, which persistence cannot see: skill of about a fifth.
    Informed,
}

/// How many of this many simulated years without skill ever activate.
#[must_use]
pub fn false_activations(years: usize, seed: u64) -> usize {
    activated(years, seed, Skill::Even)
}

/// How many of this many simulated years ever activate, given what the classifier knows.
#[must_use]
pub fn activated(years: usize, seed: u64, skill: Skill) -> usize {
    let mut seeds = SplitMix::new(seed);
    (0..years).filter(|_| year(seeds.bits(), skill).is_some()).count()
}

/// One year: when, if ever, the classifier activates. The sequence is looked at every hour, which is more than daily.
#[must_use]
pub fn year(seed: u64, skill: Skill) -> Option<Activation> {
    let mut random = SplitMix::new(seed);
    let mut sequence = ConfidenceSequence::of_loss_differences();
    let least = skill == Skill::Informed;
    let noise = if least { NOISE_LEAST } else { NOISE_MOST * random.unit() };
    let mut holds = random.unit() < 0.5;
    for i in 0..CASES {
        // A hint of the change to come, which half of all windows have; only the informed know of it.
        let hint = random.unit() < 0.5;
        let known = if holds { STAYS } else { BEGINS };
        let truth = match (skill, hint, holds) {
            (Skill::Even | Skill::Noise, _, _) => known,
            (Skill::Informed, true, true) => 2.0 * STAYS - 1.0,
            (Skill::Informed, true, false) => 2.0 * BEGINS,
            (Skill::Informed, false, true) => 1.0,
            (Skill::Informed, false, false) => 0.0,
        };
        let mut off = || noise * (2.0 * random.unit() - 1.0);
        let reference = if skill == Skill::Even { (known + off()).clamp(0.0, 1.0) } else { known };
        let p = (truth + off()).clamp(0.0, 1.0);
        holds = random.unit() < truth;
        let case = Case { issued: Ts(0) + WINDOW.times(i), p, happened: holds };
        sequence.feed(case.issued + WINDOW, case.loss_of(reference) - case.loss());
    }
    sequence.activation()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 7;

    #[test]
    fn a_hundred_years_without_skill_activate_at_most_five_times() {
        for skill in [Skill::Even, Skill::Noise] {
            let ever = activated(100, SEED, skill);
            assert!(ever <= 5, "{ever} of 100 years activate with {skill:?}");
        }
        assert_eq!(false_activations(100, SEED), activated(100, SEED, Skill::Even));
    }

    #[test]
    fn skill_activates_within_the_year() {
        assert_eq!(activated(20, SEED, Skill::Informed), 20);
        let when = year(SEED, Skill::Informed).unwrap();
        assert!(when.lower > 0.0 && when.n > 30 && when.at == Ts(0) + WINDOW.times(i64::try_from(when.n).unwrap()));
    }
}
