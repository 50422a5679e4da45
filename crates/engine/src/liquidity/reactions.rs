//! Whether a touched level held (features §4.3): within 12 bars price goes one average true range away from the far side
//! before a close goes half of one through it. A level has one trial in 12 bars; the strength at the touch goes with the
//! outcome, so that strength can be checked against what happened (R2.13, R2.49).

use super::options::TimeframeOptions;
use super::record::{Face, Record};
use super::shelf::far;
use crate::features::bars::BuiltBar;
use barograph_domain::LevelType;
use serde::{Deserialize, Serialize};

/// Bars that a level has for its reaction.
pub(super) const BARS: i64 = 12;
/// Average true ranges away from the far side that are a reaction.
const AWAY: f64 = 1.0;
/// Average true ranges that a close may be through the far side.
const THROUGH: f64 = 0.5;
/// Trials at a time; a touch beyond them is not followed. One per standing level near the market.
const TRIALS_MAX: usize = 256;
/// Trials there is room for at once: twelve bars of some touches each.
const ROOM: usize = 64;

/// How a touch ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Reaction {
    /// What made the level.
    pub kind: LevelType,
    /// Bar that carries its price.
    pub formed: i64,
    /// Its price when touched.
    pub price: f64,
    /// The bar that touched it.
    pub touched: i64,
    /// The bar that decided.
    pub bar: i64,
    /// Price turned away.
    pub held: bool,
    /// Strength just before the touch.
    pub strength: f64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Trial {
    kind: LevelType,
    face: Face,
    formed: i64,
    price: f64,
    touched: i64,
    strength: f64,
    /// Outward: an inner extreme at or below this is a reaction.
    away: f64,
    /// Outward: a close beyond this ends it.
    through: f64,
}

/// Touches being followed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Reactions {
    trials: Vec<Trial>,
}

impl Reactions {
    /// With room for them where touches are followed.
    pub(super) fn new(followed: bool) -> Self {
        Self { trials: Vec::with_capacity(if followed { ROOM } else { 0 }) }
    }

    /// Begins to follow a touch that `record` has just counted.
    #[inline]
    pub(super) fn touch(&mut self, record: &mut Record, face: Face, bar: i64, atr: f64, options: &TimeframeOptions) {
        if bar <= record.followed || self.trials.len() == TRIALS_MAX {
            return;
        }
        record.followed = bar + BARS;
        let far = far(record, face);
        let before = Record { touches: record.touches.saturating_sub(1), ..*record };
        self.trials.push(Trial {
            kind: record.kind,
            face,
            formed: record.formed,
            price: record.price,
            touched: bar,
            strength: before.strength(bar, options),
            away: far - AWAY * atr,
            through: far + THROUGH * atr,
        });
    }

    /// Takes a bar for the touches of earlier ones. A close is the last moment of its bar, so an extreme of the same bar
    /// came before it.
    #[inline]
    pub(super) fn push(&mut self, bar: &BuiltBar, mut told: impl FnMut(Reaction)) {
        if self.trials.is_empty() {
            return;
        }
        self.trials.retain(|t| {
            let (_, inner, close) = t.face.bar(bar);
            let held = inner <= t.away;
            let over = held || close > t.through || bar.index >= t.touched + BARS;
            if over {
                told(Reaction {
                    kind: t.kind,
                    formed: t.formed,
                    price: t.price,
                    touched: t.touched,
                    bar: bar.index,
                    held,
                    strength: t.strength,
                });
            }
            !over
        });
    }
}
