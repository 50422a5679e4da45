//! Target: just before the liquidity level nearest to the ratio's distance, else the ratio, else three ATR (R2.16, risk §3).
//!
//! The legacy values are kept as printed although they disagree: stop 1.5 ATR and target 3 ATR make 2.0, not the printed
//! 1.5; `effective_rr` says what the two prices really offer (S07). It is never below half the nominal ratio: a level nearer
//! than that is no target, and the limit of ten ATR gives way.

use super::context::AdviceContext;
use super::intent::Intent;
use super::parameters::Parameters;
use super::stop::{PAD, StopPlan, is_live};
use super::{rounding, sign};
use barograph_domain::advice::{Missing, TargetSource};
use barograph_domain::{Level, LevelType, Side, Ts};

/// Legacy target distance, ATR (R2.31).
const LEGACY_TARGET: f64 = 3.0;
/// No target lies farther, ATR.
const CAP: f64 = 10.0;
/// Levels weaker than this are no target (features §4.7).
const WEAKEST: f64 = 0.3;
/// Farthest candidate, in multiples of the ratio's distance.
const REACH: f64 = 1.5;
/// Least a target offers, as a share of the nominal ratio.
pub(super) const LEAST: f64 = 0.5;

/// Where a target could lie.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Target {
    /// The price.
    pub price: Option<f64>,
    /// Where it comes from.
    pub source: Option<TargetSource>,
    /// Position, in the context's levels, of the level it lies before.
    pub level: Option<usize>,
    /// Distance to it over distance to the stop.
    pub effective_rr: Option<f64>,
    /// Pulled in to 10 ATR, or to half the nominal ratio where that lies farther.
    pub capped: bool,
    /// Why there is none.
    pub missing: Option<Missing>,
}

impl Target {
    const fn none(why: Missing) -> Self {
        Self { price: None, source: None, level: None, effective_rr: None, capped: false, missing: Some(why) }
    }
}

pub(super) fn place(
    ctx: Option<&AdviceContext<'_>>,
    intent: &Intent<'_>,
    parameters: &Parameters,
    stop: &StopPlan,
) -> Target {
    let levels = ctx.and_then(|c| Some((c.levels?, c.now)));
    take_target(intent, parameters, stop.r, stop.atr, levels)
}

/// The target of R2.27 for a stop distance `r`; levels with the moment they are seen from.
#[must_use]
pub fn take_target(
    intent: &Intent<'_>,
    parameters: &Parameters,
    r: Option<f64>,
    atr: Option<f64>,
    levels: Option<(&[Level], Ts)>,
) -> Target {
    let (entry, side) = (intent.entry, intent.side);
    let (distance, source, level) = match (atr, r) {
        (Some(atr), _) if parameters.is_legacy() => (LEGACY_TARGET * atr, TargetSource::Fallback, None),
        (_, None) => return Target::none(Missing::NoStop),
        (Some(atr), Some(r)) => {
            match levels.and_then(|(l, now)| liquidity(l, now, intent, parameters.risk_reward_ratio * r, r, atr)) {
                Some((index, distance)) => (distance, TargetSource::Liquidity, Some(index)),
                None => (parameters.risk_reward_ratio * r, TargetSource::Ratio, None),
            }
        }
        (None, Some(r)) => (parameters.risk_reward_ratio * r, TargetSource::Ratio, None),
    };
    let least = r.map_or(0.0, |r| LEAST * parameters.risk_reward_ratio * r);
    let cap = atr.map(|a| (CAP * a).max(least));
    let capped = cap.is_some_and(|c| distance > c);
    let within = if capped { cap.unwrap_or(distance) } else { distance.max(least) };
    let raw = entry + sign(side) * within;
    // Towards the entry, which is away from it seen from the other side.
    let mut price = rounding::away(raw, side, intent.rules.tick);
    // A step of the venue's grid never takes a level's target, or a capped one, below the least.
    if (capped || source == TargetSource::Liquidity) && (price - entry) * sign(side) < least {
        let farther = if side == Side::Long { Side::Short } else { Side::Long };
        price = rounding::away(raw, farther, intent.rules.tick);
    }
    if !(price.is_finite() && price > 0.0 && (price - entry) * sign(side) > 0.0) {
        return Target::none(Missing::OutOfDomain);
    }
    let effective_rr = r.map(|r| (price - entry).abs() / r);
    Target { price: Some(price), source: Some(source), level, effective_rr, capped, missing: None }
}

/// The candidate whose near edge is closest to the wanted distance, and how far before it the target lies.
fn liquidity(levels: &[Level], now: Ts, intent: &Intent<'_>, wanted: f64, r: f64, atr: f64) -> Option<(usize, f64)> {
    let mut best: Option<(usize, f64)> = None;
    for (i, level) in levels.iter().enumerate() {
        if level.strength < WEAKEST || !is_target(level.kind) || !is_live(level, now) {
            continue;
        }
        let d = (near_edge(level, intent.side) - intent.entry) * sign(intent.side);
        // The target lies before the level, at a price of the venue's grid.
        let offered =
            (rounding::away(intent.entry + sign(intent.side) * (d - PAD * atr), intent.side, intent.rules.tick)
                - intent.entry)
                * sign(intent.side);
        if d < r || d > REACH * wanted || d <= PAD * atr || offered < LEAST * wanted {
            continue;
        }
        let better = best.is_none_or(|(_, b)| {
            let (mine, theirs) = ((d - wanted).abs(), (b - wanted).abs());
            mine < theirs || (mine <= theirs && d < b)
        });
        if better {
            best = Some((i, d));
        }
    }
    best.map(|(i, d)| (i, d - PAD * atr))
}

const fn near_edge(level: &Level, side: Side) -> f64 {
    match side {
        Side::Long => level.bottom,
        Side::Short => level.top,
    }
}

const fn is_target(kind: LevelType) -> bool {
    use LevelType as T;
    match kind {
        T::EqualHighs
        | T::EqualLows
        | T::BullishOb
        | T::BearishOb
        | T::VolumeNode
        | T::SessionHigh
        | T::SessionLow
        | T::PrevDayHigh
        | T::PrevDayLow => true,
        T::BullishFvg | T::BearishFvg | T::SwingHigh | T::SwingLow | T::LiquidationZone => false,
    }
}
