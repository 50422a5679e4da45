//! Levels of a timeframe near the price, with their strengths: what a density is summed over every minute changes only when a
//! bar of the timeframe closes.

use crate::liquidity::density::counts;
use crate::liquidity::{Face, Liquidity};

/// Levels of one face.
#[derive(Clone, Debug)]
struct Side {
    /// Near edges in outward coordinates and strengths, from the nearest outwards.
    levels: Vec<(f64, f64)>,
    /// All that count are here from this edge on.
    from: f64,
    /// The first level that is not here any more begins here.
    until: f64,
}

/// Levels of both faces around the price they were looked for at.
#[derive(Clone, Debug)]
pub(super) struct Nearby {
    sides: [Side; 2],
    /// The price and how far it may go before they are looked for again.
    around: Option<(f64, f64)>,
}

impl Default for Nearby {
    fn default() -> Self {
        // From beyond every price on: nothing is known.
        let side = || Side { levels: Vec::new(), from: f64::INFINITY, until: f64::INFINITY };
        Self { sides: [side(), side()], around: None }
    }
}

impl Nearby {
    /// Has the price gone so far that levels are to be looked for around the new one?
    pub(super) fn is_left(&self, price: f64) -> bool {
        self.around.is_none_or(|(centre, room)| (price - centre).abs() > room)
    }

    /// Looks for the levels that a density at or near `price` is made of.
    pub(super) fn read(&mut self, levels: &Liquidity, price: f64, reach: f64) {
        let room = 0.5 * reach;
        self.around = Some((price, 0.5 * room));
        for (face, side) in Face::BOTH.into_iter().zip(&mut self.sides) {
            let outward = face.outward(price);
            side.levels.clear();
            (side.from, side.until) = (outward - room, f64::INFINITY);
            for record in levels.beyond(face, face.outward(side.from)) {
                let near = record.near(face);
                if near - outward > reach + room {
                    side.until = near;
                    break;
                }
                if counts(record.kind) {
                    side.levels.push((near, levels.strength(record)));
                }
            }
        }
    }

    /// What [`crate::liquidity::density::of_levels`] says of the same levels; `None` where some of them may not be here.
    pub(super) fn density(&self, price: f64, reach: f64, face: Face) -> Option<f64> {
        let (side, outward) = (&self.sides[face as usize], face.outward(price));
        if !(side.from <= outward && side.until - outward > reach) {
            return None;
        }
        let mut sum = 0.0;
        for &(near, strength) in &side.levels {
            let distance = near - outward;
            // What the price has gone beyond is not on this side of it.
            if distance < 0.0 {
                continue;
            }
            if distance > reach {
                break;
            }
            sum += strength * (1.0 - distance / reach);
        }
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::bars::BuiltBar;
    use crate::liquidity::{TimeframeOptions, density};
    use barograph_domain::Ts;

    #[test]
    fn densities_are_those_of_all_levels_to_the_bit() {
        let mut levels = Liquidity::new(TimeframeOptions::default());
        let (mut nearby, mut price, mut seed) = (Nearby::default(), 1_000.0_f64, 7_u64);
        let mut unit = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            f64::from(u32::try_from(seed >> 33).unwrap()) / f64::from(1_u32 << 31)
        };
        assert_eq!(nearby.density(price, 1.0, Face::Low), None, "nothing is known yet");
        let (mut known, mut asked) = (0, 0);
        for index in 0..2_000 {
            let open = price;
            price += 8.0 * (unit() - 0.5);
            let (high, low) = (open.max(price) + 2.0 * unit(), open.min(price) - 2.0 * unit());
            let bar = BuiltBar { index, open, high, low, close: price, volume: Some(unit()), quote_volume: None };
            levels.push(&bar, Ts(0), &mut ());
            let Some(reach) = levels.atr().value().map(|a| 2.0 * a) else { continue };
            nearby.read(&levels, price, reach);
            for step in -6_i32..=6 {
                let at = price + f64::from(step) * 0.25 * reach;
                for face in Face::BOTH {
                    let got = nearby.density(at, reach, face);
                    asked += 1;
                    if let Some(got) = got {
                        known += 1;
                        assert_eq!(got.to_bits(), density::of_levels(&levels, at, reach, face).to_bits(), "{index}");
                    }
                    assert!(got.is_some() || step.abs() > 1, "within the room everything is known");
                }
            }
        }
        assert!(known > asked / 3 && known < asked, "{known} of {asked}");
    }
}
