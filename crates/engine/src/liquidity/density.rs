//! Stop density (features §4.10, A04): how much strength lies near the price on each side, nearer counting more. Modelled:
//! nobody outside the venue sees stops.

use super::record::Face;
use super::timeframe::Liquidity;
use barograph_domain::{Level, LevelType};
use serde::{Deserialize, Serialize};

/// Density looks this many average true ranges around the price.
pub const REACH_ATR: f64 = 2.0;
/// Types that features §4.10 names for a side: equal highs or lows, swing, order block, session extreme, previous day,
/// liquidation zone.
pub const TYPES_NAMED: f32 = 6.0;

/// Shares of a side's history at which LOW ends and HIGH begins: thirds.
pub const THIRDS: (f64, f64) = (1.0 / 3.0, 2.0 / 3.0);
/// The same for the worse of two sides: √(1/3) and √(2/3), because of two independent sides both must lie below a cut for the
/// worse to lie below it.
pub const WORSE_THIRDS: (f64, f64) = (0.577_350_269_189_625_8, 0.816_496_580_927_726);
/// Densities at [`THIRDS`] over the built-in history, hourly bars of BTC, ETH and SOL: the cuts where there is no history.
pub const SIDE_CUTS: (f64, f64) = (0.15, 0.49);
/// Those at which the worse of both sides falls into thirds there.
pub const WORSE_CUTS: (f64, f64) = (0.43, 0.83);

/// LOW 0, MEDIUM 1 or HIGH 2; none at all is always LOW.
#[must_use]
pub fn class(density: f64, cuts: (f64, f64)) -> f64 {
    if density <= 0.0 || density <= cuts.0 {
        0.0
    } else if density <= cuts.1 {
        1.0
    } else {
        2.0
    }
}

/// A zone of realised liquidations, given by whoever follows them.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Zone {
    /// Below the market where longs were liquidated, above it where shorts were.
    pub face: Face,
    /// Upper edge.
    pub top: f64,
    /// Lower edge.
    pub bottom: f64,
    /// In [0, 1].
    pub strength: f64,
}

/// Does this type count towards the density?
#[inline]
#[must_use]
pub const fn counts(kind: LevelType) -> bool {
    !matches!(kind, LevelType::BullishFvg | LevelType::BearishFvg | LevelType::VolumeNode)
}

/// `Σ strength·(1 − d/reach)` over levels of one face wholly on their side of the price and within `reach` of it; d is the
/// distance to the near edge.
#[must_use]
pub fn of_levels(levels: &Liquidity, price: f64, reach: f64, face: Face) -> f64 {
    let outward = face.outward(price);
    let mut sum = 0.0;
    for record in levels.beyond(face, price) {
        let distance = record.near(face) - outward;
        if distance > reach {
            break;
        }
        if counts(record.kind) {
            sum += levels.strength(record) * (1.0 - distance / reach);
        }
    }
    sum
}

/// [`of_levels`] over levels that were already taken, each face from the nearest outwards.
#[must_use]
pub fn of_known(levels: &[Level], price: f64, reach: f64, face: Face) -> f64 {
    let outward = face.outward(price);
    levels.iter().filter(|l| l.side == Some(face.side()) && counts(l.kind)).fold(0.0, |sum, level| {
        let near = match face {
            Face::Low => -level.top,
            Face::High => level.bottom,
        };
        let distance = near - outward;
        if (0.0..=reach).contains(&distance) { sum + level.strength * (1.0 - distance / reach) } else { sum }
    })
}

/// The same over zones of liquidations.
#[must_use]
pub fn of_zones(zones: &[Zone], price: f64, reach: f64, face: Face) -> f64 {
    zones.iter().filter(|z| z.face == face).fold(0.0, |sum, z| {
        let distance = match face {
            Face::Low => price - z.top,
            Face::High => z.bottom - price,
        };
        if (0.0..=reach).contains(&distance) { sum + z.strength * (1.0 - distance / reach) } else { sum }
    })
}
