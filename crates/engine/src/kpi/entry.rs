//! What advice said of one entry at its moment, and the plans that are followed side by side.
//!
//! Each [`Arm`] is the same entry with another stop or target, so that a difference between two arms comes from that part of the
//! advice alone: the plain pair (1.5 ATR, ratio 1.5), the context's pair, and one part of either.

use super::fill::TradePlan;
use crate::advice::{AdviceContext, Intent, OperatorSettings, advise};
use barograph_domain::advice::{ReasonCode, TargetSource, Verdict};
use barograph_domain::{Side, TradingSession, Ts};
use serde::Serialize;

/// Distance of the plain stop, ATR, and the plain ratio (R2.31).
const PLAIN: f64 = 1.5;

/// With which stop and target an entry is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// 1.5 ATR, ratio 1.5: nothing of the context.
    Plain,
    /// Stop and target of the advice.
    Context,
    /// Stop of the advice, ratio 1.5.
    ContextStop,
    /// 1.5 ATR, target of the advice for that stop.
    ContextTarget,
    /// Stop of the advice, target at its ratio: no level.
    RatioTarget,
}

impl Arm {
    /// Every arm, in the order of [`JudgedEntry::plans`].
    pub const ALL: [Self; 5] = [Self::Plain, Self::Context, Self::ContextStop, Self::ContextTarget, Self::RatioTarget];
    /// Position in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Context => "context",
            Self::ContextStop => "context_stop",
            Self::ContextTarget => "context_target",
            Self::RatioTarget => "ratio_target",
        }
    }
    /// As people read it.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Plain => "plain: 1.5 ATR, ratio 1.5",
            Self::Context => "with context",
            Self::ContextStop => "context's stop alone, ratio 1.5",
            Self::ContextTarget => "context's target alone, 1.5 ATR",
            Self::RatioTarget => "with context, no levels as targets",
        }
    }
}

/// An entry with what was advised at its moment.
#[derive(Clone, PartialEq, Debug)]
pub struct JudgedEntry {
    /// Close of the bar that decided: the trade begins here.
    pub at: Ts,
    /// Whose side.
    pub side: Side,
    /// Entry price.
    pub price: f64,
    /// ATR(14) of the context.
    pub atr: f64,
    /// Session at the entry, where known.
    pub session: Option<TradingSession>,
    /// Confidence, where there is one.
    pub confidence: Option<f64>,
    /// ALLOW, CAUTION or AVOID.
    pub verdict: Verdict,
    /// The reason that decided.
    pub decided_by: ReasonCode,
    /// What volatility and posture leave of a usual size, at most 1.
    pub size: f64,
    /// Where the target of the advice comes from.
    pub target_source: TargetSource,
    /// Plans in the order of [`Arm::ALL`].
    pub plans: [TradePlan; 5],
}

impl JudgedEntry {
    /// The plan of an arm.
    #[must_use]
    pub const fn plan(&self, arm: Arm) -> &TradePlan {
        &self.plans[arm.index()]
    }
}

/// Why an entry could not be judged; it is counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotJudged {
    /// No context at that moment.
    NoContext,
    /// No average true range: neither stop can be placed.
    NoAtr,
    /// A stop or target that is no price.
    OutOfRange,
}

/// Asks for advice on an entry, without the caller's own stop.
///
/// # Errors
/// Where no plan follows from the context.
pub fn judge(
    ctx: Option<&AdviceContext<'_>>,
    settings: &OperatorSettings,
    (at, side, price): (Ts, Side, f64),
) -> Result<JudgedEntry, NotJudged> {
    let ctx = ctx.ok_or(NotJudged::NoContext)?;
    let atr = ctx.atr_14.filter(|a| a.is_finite() && *a > 0.0).ok_or(NotJudged::NoAtr)?;
    let intent = Intent::new("", side, price);
    let of = |intent: &Intent<'_>| advise(Some(ctx), intent, settings).map_err(|_wrong| NotJudged::OutOfRange);
    let advice = of(&intent)?;
    let plain = plain(side, price, atr).ok_or(NotJudged::OutOfRange)?;
    let aside = of(&Intent { stop: Some(plain.stop), ..intent })?;
    let (Some(stop), Some(target), Some(other)) = (advice.stop.used, advice.target.price, aside.target.price) else {
        return Err(NotJudged::OutOfRange);
    };
    let context = TradePlan { side, entry: price, stop, target };
    let at_ratio = |ratio: f64| {
        let target = price + sign(side) * ratio * context.risk();
        (target > 0.0).then_some(TradePlan { target, ..context }).ok_or(NotJudged::OutOfRange)
    };
    Ok(JudgedEntry {
        at,
        side,
        price,
        atr,
        session: ctx.session.map(|s| s.session),
        confidence: ctx.confidence.map(|c| c.value),
        verdict: advice.judgement.verdict,
        decided_by: advice.judgement.decided_by,
        size: advice.parameters.reduction(),
        target_source: advice.target.source.ok_or(NotJudged::OutOfRange)?,
        plans: [
            plain,
            context,
            at_ratio(PLAIN)?,
            TradePlan { target: other, ..plain },
            at_ratio(advice.parameters.risk_reward_ratio)?,
        ],
    })
}

/// The plain pair; `None` where it would not be prices.
#[must_use]
pub fn plain(side: Side, price: f64, atr: f64) -> Option<TradePlan> {
    let risk = PLAIN * atr;
    let (stop, target) = (price - sign(side) * risk, price + sign(side) * PLAIN * risk);
    let fine = risk > 0.0 && stop > 0.0 && target > 0.0 && stop.is_finite() && target.is_finite();
    fine.then_some(TradePlan { side, entry: price, stop, target })
}

const fn sign(side: Side) -> f64 {
    match side {
        Side::Long => 1.0,
        Side::Short => -1.0,
    }
}
