//! Stop multiplier, reward/risk ratio and the two factors of the size, each with the reason where it is a fallback (risk §1).
//!
//! The legacy parameters of R2.31 stand in for what is missing: 1.5 ATR and a ratio of 1.5.

use super::context::{AdviceContext, NO_FORECASTS};
use super::intent::OperatorSettings;
use super::sign;
use crate::rules::STOP_MULT;
use barograph_domain::advice::Missing;
use barograph_domain::{Posture, Side, TrendRegime};

/// Legacy stop distance, ATR (R2.31).
const LEGACY_MULT: f64 = 1.5;
/// Legacy reward over risk (R2.31).
const LEGACY_RATIO: f64 = 1.5;

/// Parameters for one side.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parameters {
    /// Stop distance, ATR, from the book's `stop_mult_min` to 4.
    pub stop_loss_atr_mult: f64,
    /// Why it is the legacy one.
    pub mult_fallback: Option<Missing>,
    /// Reward over risk.
    pub risk_reward_ratio: f64,
    /// Why it is the legacy one.
    pub ratio_fallback: Option<Missing>,
    /// Trend label (the alias `market_regime`); SIDEWAYS where it is not known.
    pub market_regime: TrendRegime,
    /// Confidence; `None` where it is not known.
    pub confidence: Option<f64>,
    /// Why it is not.
    pub confidence_reason: Option<&'static str>,
    /// `calibrated`, `heuristic` or `not_available`.
    pub confidence_kind: &'static str,
    /// `min(1, 1 / risk_multiplier)`.
    pub size_factor: f64,
    /// Why it is the default.
    pub size_fallback: Option<Missing>,
    /// Factor of the posture: 0.5 to 1.25.
    pub posture_factor: f64,
    /// Why it is the default.
    pub posture_fallback: Option<Missing>,
    /// Posture AGGRESSIVE holds, with everything fresh.
    pub aggressive: bool,
}

impl Parameters {
    /// Both distances are the legacy ones: nothing of the context enters stop and target.
    #[must_use]
    pub const fn is_legacy(&self) -> bool {
        self.mult_fallback.is_some() && self.ratio_fallback.is_some()
    }
    /// Some parameter is a fallback.
    #[must_use]
    pub const fn any_fallback(&self) -> bool {
        self.mult_fallback.is_some()
            || self.ratio_fallback.is_some()
            || self.size_fallback.is_some()
            || self.posture_fallback.is_some()
    }
    /// What both factors leave of a size; never above 1, so that AGGRESSIVE enlarges nothing by itself.
    #[must_use]
    pub fn reduction(&self) -> f64 {
        self.size_factor * self.posture_factor.min(1.0)
    }
}

/// Parameters of this context for this side.
#[must_use]
pub fn parameters(ctx: Option<&AdviceContext<'_>>, side: Side, settings: &OperatorSettings) -> Parameters {
    let (stop_loss_atr_mult, mult_fallback) = multiplier(ctx, settings);
    let (risk_reward_ratio, market_regime, ratio_fallback) = ratio(ctx, side);
    let (size_factor, size_fallback) = size_factor(ctx);
    let (posture_factor, posture_fallback) = posture_factor(ctx);
    let confidence = ctx.and_then(|c| c.confidence);
    Parameters {
        stop_loss_atr_mult,
        mult_fallback,
        risk_reward_ratio,
        ratio_fallback,
        market_regime,
        confidence: confidence.map(|c| c.value),
        confidence_reason: match (confidence, ctx) {
            (Some(_), _) => None,
            (None, Some(c)) => c.confidence_missing,
            (None, None) => Some(NO_FORECASTS),
        },
        confidence_kind: match confidence {
            None => "not_available",
            Some(c) if c.calibrated.is_some() => "calibrated",
            Some(_) => "heuristic",
        },
        size_factor,
        size_fallback,
        posture_factor,
        posture_fallback,
        aggressive: posture_fallback.is_none() && ctx.is_some_and(|c| c.posture == Posture::Aggressive),
    }
}

fn multiplier(ctx: Option<&AdviceContext<'_>>, settings: &OperatorSettings) -> (f64, Option<Missing>) {
    let Some(c) = ctx else { return (LEGACY_MULT, Some(Missing::NoSnapshot)) };
    let Some(mult) = c.session.and_then(|s| s.adaptive_mult).filter(|m| m.is_finite()) else {
        return (LEGACY_MULT, Some(Missing::SessionNotAvailable));
    };
    let by_volatility = c.volatility.risk_multiplier().filter(|_| settings.stop_uses_vol_multiplier).unwrap_or(1.0);
    ((mult * by_volatility).clamp(c.verdict.stop_mult_min, STOP_MULT.1), None)
}

fn ratio(ctx: Option<&AdviceContext<'_>>, side: Side) -> (f64, TrendRegime, Option<Missing>) {
    let Some(c) = ctx else { return (LEGACY_RATIO, TrendRegime::Sideways, Some(Missing::NoSnapshot)) };
    let Some(trend) = c.known_trend() else {
        return (LEGACY_RATIO, TrendRegime::Sideways, Some(missing(c, Missing::TrendNotAvailable)));
    };
    let with_the_trend = f64::from(trend.label.direction()) * sign(side) > 0.0;
    let ratio = match (with_the_trend, trend.label.is_strong()) {
        (true, true) => 4.0,
        (true, false) => 2.5,
        (false, _) => 1.5,
    };
    (ratio, trend.label, None)
}

fn size_factor(ctx: Option<&AdviceContext<'_>>) -> (f64, Option<Missing>) {
    match ctx {
        None => (0.5, Some(Missing::NoSnapshot)),
        Some(c) => c
            .volatility
            .size_factor()
            .map_or_else(|| (0.5, Some(missing(c, Missing::VolatilityNotAvailable))), |f| (f, None)),
    }
}

/// Why a part is not there: age, where the whole reading is too old.
const fn missing(c: &AdviceContext<'_>, otherwise: Missing) -> Missing {
    if c.stale.is_some() { Missing::ContextUnusable } else { otherwise }
}

fn posture_factor(ctx: Option<&AdviceContext<'_>>) -> (f64, Option<Missing>) {
    match ctx {
        None => (0.5, Some(Missing::NoSnapshot)),
        Some(c) if c.is_unusable() => (0.5, Some(Missing::ContextUnusable)),
        Some(c) => (of_posture(c.posture), None),
    }
}

const fn of_posture(posture: Posture) -> f64 {
    match posture {
        Posture::Reduce => 0.5,
        Posture::Hold => 0.75,
        Posture::Normal => 1.0,
        Posture::Aggressive => 1.25,
    }
}
