//! The hidden state of the synthetic market: six phases that follow each other, each with its own volatility, pull on
//! price, pull on open interest and pull on the premium.
//!
//! The numbers are chosen so that a year holds every risk label of every shipped book some of the time, not to match a
//! real market's frequencies. Real behaviour imitated: quiet crowding ends in a fall against the crowd, storms trend and
//! shed positions, chop is volatile and goes nowhere.

use super::rng::Random;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ClimatePhase {
    /// Little happens.
    Calm,
    /// The usual.
    Ordinary,
    /// Volatile around a level, no new positions.
    Chop,
    /// Very volatile, trending, positions are shed.
    Storm,
    /// Quiet, positions and premium grow on one side.
    Crowding,
    /// The crowd is forced out.
    Unwind,
}

/// One phase under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Climate {
    pub(crate) phase: ClimatePhase,
    /// Direction: of the trend in a storm, of the crowd in crowding and unwind.
    pub(crate) side: f64,
    /// Annualised volatility aimed at.
    pub(crate) vol: f64,
    /// Premium aimed at, fraction.
    pub(crate) premium: f64,
    /// Drift of ln(open interest) per minute.
    pub(crate) oi_drift: f64,
    /// Minutes still to go.
    left: u32,
    /// Minutes since it began.
    pub(crate) age: u32,
}

/// Next phases with their weights out of 100.
const fn next(phase: ClimatePhase) -> &'static [(ClimatePhase, u16)] {
    use ClimatePhase::{Calm, Chop, Crowding, Ordinary, Storm, Unwind};
    match phase {
        Calm => &[(Ordinary, 70), (Crowding, 15), (Chop, 15)],
        Ordinary => &[(Calm, 40), (Chop, 30), (Storm, 20), (Crowding, 10)],
        Chop => &[(Ordinary, 50), (Calm, 35), (Storm, 15)],
        Storm => &[(Chop, 50), (Ordinary, 50)],
        Crowding => &[(Unwind, 60), (Calm, 40)],
        Unwind => &[(Chop, 40), (Ordinary, 60)],
    }
}

impl Climate {
    pub(crate) fn first(rng: &mut Random) -> Self {
        Self::enter(ClimatePhase::Ordinary, 1.0, rng)
    }

    /// One minute passes; true when a new phase has begun.
    pub(crate) fn pass(&mut self, rng: &mut Random) -> bool {
        self.age += 1;
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return false;
        }
        let mut draw = rng.below(100);
        let mut chosen = ClimatePhase::Ordinary;
        for (phase, weight) in next(self.phase) {
            chosen = *phase;
            if draw < *weight {
                break;
            }
            draw -= weight;
        }
        *self = Self::enter(chosen, self.side, rng);
        true
    }

    fn enter(phase: ClimatePhase, last_side: f64, rng: &mut Random) -> Self {
        // An unwind is against the crowd of the crowding before it; every other phase draws its own side.
        let side = if phase == ClimatePhase::Unwind { last_side } else { rng.sign() };
        let (vol, premium, oi_per_hour, hours) = match phase {
            ClimatePhase::Calm => (rng.between(0.16, 0.28), 0.000_1 * side, 0.0005, (6.0, 14.0)),
            ClimatePhase::Ordinary => (rng.between(0.34, 0.52), 0.000_3 * side, 0.001, (6.0, 16.0)),
            ClimatePhase::Chop => (rng.between(0.58, 0.78), 0.000_1 * side, 0.0, (9.0, 8.0)),
            ClimatePhase::Storm => (rng.between(1.1, 2.2), -0.000_8 * side, -0.012, (1.0, 4.0)),
            ClimatePhase::Crowding => (rng.between(0.14, 0.20), 0.003_0 * side, 0.040, (4.0, 1.0)),
            ClimatePhase::Unwind => (rng.between(1.2, 2.4), -0.001_2 * side, -0.060, (1.0, 1.5)),
        };
        let minutes = 60.0 * (hours.0 + rng.exponential(hours.1)).min(72.0);
        Self { phase, side, vol, premium, oi_drift: oi_per_hour / 60.0, left: whole(minutes), age: 0 }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 60 and 4320 by construction")]
fn whole(minutes: f64) -> u32 {
    minutes as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_and_every_phase_is_reached() {
        let all = [
            ClimatePhase::Calm,
            ClimatePhase::Ordinary,
            ClimatePhase::Chop,
            ClimatePhase::Storm,
            ClimatePhase::Crowding,
            ClimatePhase::Unwind,
        ];
        for phase in all {
            assert_eq!(next(phase).iter().map(|(_, w)| w).sum::<u16>(), 100, "{phase:?}");
        }
        let mut rng = Random::new(1);
        let mut climate = Climate::first(&mut rng);
        let mut minutes = [0_u32; 6];
        for _ in 0..365 * 1_440 {
            climate.pass(&mut rng);
            minutes[all.iter().position(|p| *p == climate.phase).unwrap()] += 1;
        }
        assert!(minutes.iter().all(|m| *m > 1_000), "{minutes:?}");
    }

    #[test]
    fn an_unwind_keeps_the_side_of_its_crowd() {
        let mut rng = Random::new(2);
        let mut climate = Climate::first(&mut rng);
        let mut seen = 0;
        while seen < 20 {
            let before = climate;
            if climate.pass(&mut rng) && climate.phase == ClimatePhase::Unwind {
                assert_eq!(climate.side.to_bits(), before.side.to_bits());
                seen += 1;
            }
        }
    }
}
