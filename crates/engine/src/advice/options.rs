//! Three things that could be done, each with its numbers, and the caller's own numbers unchanged (R1.69, risk §6).
//!
//! No suggested size loses more than 1 % of equity at its stop. How long a regime lasts is estimated from the past, with the
//! number of episodes; no time is promised.

use super::context::{AdviceContext, PastDurations};
use super::intent::Intent;
use super::parameters::Parameters;
use super::size::{ONE_PERCENT, Sizing};
use super::stop::StopPlan;
use super::warnings::WarningSet;
use super::{rounding, size};
use barograph_domain::advice::{Missing, WarningCode};
use barograph_domain::{RiskRegime, Span};

/// A size at a stop and what it loses there.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct SizeOffer {
    /// Base units.
    pub size: Option<f64>,
    /// The stop.
    pub stop: Option<f64>,
    /// Distance to it.
    pub r: Option<f64>,
    /// Loss at the stop with costs.
    pub risk_quote: Option<f64>,
    /// The same as a share of equity.
    pub risk_fraction: Option<f64>,
}

impl SizeOffer {
    fn new(intent: &Intent<'_>, cost: f64, size: Option<f64>, stop: Option<f64>) -> Self {
        let r = stop.map(|s| (intent.entry - s).abs());
        let risk_quote = size.zip(r).map(|(q, r)| q * (r + cost));
        let risk_fraction = risk_quote.zip(intent.equity).map(|(loss, equity)| loss / equity);
        Self { size, stop, r, risk_quote, risk_fraction }
    }
    /// More than 1 % of equity; `None` where that cannot be said.
    #[must_use]
    pub fn above_one_percent(&self) -> Option<bool> {
        self.risk_fraction.map(|f| f > ONE_PERCENT)
    }
}

/// The stop off the cluster.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MoveStop {
    /// Its numbers; the size keeps the risk it had.
    pub offer: SizeOffer,
    /// Why there is no such stop.
    pub missing: Option<Missing>,
}

/// Waiting for NORMAL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait {
    /// How long the label has stood.
    pub age: Span,
    /// How long it stood before.
    pub past: Option<PastDurations>,
}

/// What could be done.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Options {
    /// A smaller size; with any warning of MEDIUM or more.
    pub smaller: Option<SizeOffer>,
    /// The stop off the cluster; with a stop cluster.
    pub move_stop: Option<MoveStop>,
    /// Waiting; while the label is not NORMAL.
    pub wait: Option<Wait>,
    /// The caller's own numbers.
    pub proceed: SizeOffer,
}

pub(super) fn options(
    ctx: Option<&AdviceContext<'_>>,
    intent: &Intent<'_>,
    parameters: &Parameters,
    stop: &StopPlan,
    sizing: &Sizing,
    warnings: &WarningSet,
) -> Options {
    let cost = sizing.cost_per_unit;
    let for_equity = sizing.units.map(|u| u.size);
    let reduced = intent.size.map(|q| capped(intent, q * parameters.reduction(), stop.r, cost));
    let smaller = match (reduced, for_equity) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let move_stop = warnings.has(WarningCode::StopCluster).then(|| MoveStop {
        offer: stop.alternative.map_or_else(SizeOffer::default, |s| moved(intent, stop, cost, s, for_equity)),
        missing: match (stop.alternative, stop.on_level) {
            (Some(_), _) => None,
            (None, Some(_)) => stop.alternative_missing,
            (None, None) => Some(Missing::NoLevelAtStop),
        },
    });
    let not_normal = ctx.filter(|c| c.risk.label != RiskRegime::Normal);
    Options {
        smaller: warnings.is_serious().then(|| SizeOffer::new(intent, cost, smaller, stop.used)),
        move_stop,
        wait: not_normal.map(|c| Wait { age: c.now - c.risk.since, past: c.risk.past }),
        proceed: SizeOffer::new(intent, cost, intent.size, stop.used),
    }
}

/// The size that loses at the moved stop what it lost at the stop before, and never more than 1 % of equity.
fn moved(intent: &Intent<'_>, stop: &StopPlan, cost: f64, to: f64, for_equity: Option<f64>) -> SizeOffer {
    let r = (intent.entry - to).abs();
    let kept = intent.size.or(for_equity).zip(stop.r).map(|(q, before)| q * ((before + cost) / (r + cost)));
    SizeOffer::new(intent, cost, kept.map(|q| capped(intent, q, Some(r), cost)), Some(to))
}

/// Down to the lot, and down to what loses 1 % of equity where equity and stop are known.
fn capped(intent: &Intent<'_>, size: f64, r: Option<f64>, cost: f64) -> f64 {
    match intent.equity.zip(r) {
        None => rounding::down(size, intent.rules.lot),
        Some((equity, r)) => {
            let per_unit = r + cost;
            size::within(size.min(ONE_PERCENT * equity / per_unit), per_unit, equity, intent.rules.lot)
        }
    }
}
