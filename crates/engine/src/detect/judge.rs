//! How readings become a judgement: does a pattern hold, how far beyond its threshold, how severely (surveillance §2, §3).
//!
//! `u` is the statistic over its threshold; an episode goes on while `u` is above `keep` (0.9), whatever the other conditions of
//! its beginning were. [`super::table`] says who judges what.

use super::inputs::{Inputs, Seen};
use super::thresholds::Thresholds;
use crate::features::funding_signals::{AnomalyReasons, is_reversal};
use crate::liquidations::VELOCITY_PCT;
use barograph_domain::{Cell, Severity, State};

/// What one evaluation says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Judgement {
    /// The venue does not have what it needs.
    NotApplicable,
    /// It cannot be judged now.
    NoData,
    /// It was judged.
    Of(RuleFinding),
}

/// A judgement with its numbers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RuleFinding {
    /// An episode may begin.
    pub fires: bool,
    /// Statistic over threshold.
    pub u: f64,
    /// How severe it is.
    pub severity: Severity,
}

/// A number of any size is there.
#[inline]
pub(super) fn is_ready(cell: &Cell) -> bool {
    matches!(cell.state, State::Ready)
}

/// A number whose size is below a limit.
#[inline]
pub(super) fn is_below(cell: &Cell, limit: f64) -> bool {
    is_ready(cell) && cell.value.abs() < limit
}

/// One statistic, by its absolute value, against one threshold.
pub(super) fn one(
    cell: &Cell,
    c: f64,
    fires: impl Fn(f64, f64) -> bool,
    severity: impl Fn(f64) -> Severity,
) -> Judgement {
    let seen = Seen::of(cell);
    match seen.number() {
        Some(x) => {
            let u = x.abs() / c;
            Judgement::Of(RuleFinding { fires: fires(x.abs(), c), u, severity: severity(u) })
        }
        None if seen == Seen::NotOffered => Judgement::NotApplicable,
        None => Judgement::NoData,
    }
}

pub(super) fn by_score(u: f64, t: &Thresholds) -> Severity {
    if super::score(u) > t.high_score { Severity::High } else { Severity::Medium }
}

pub(super) fn two_steps(x: f64, high: f64) -> Severity {
    if x > high { Severity::High } else { Severity::Medium }
}

#[inline]
pub(super) fn larger_share(long: f64) -> f64 {
    long.max(1.0 - long)
}

/// The share of the larger side.
pub(super) fn larger(long_share: &Cell) -> Cell {
    Cell { value: larger_share(long_share.value), ..*long_share }
}

pub(super) fn anomaly(i: &Inputs, t: &Thresholds) -> Judgement {
    let (z, change) = (Seen::of(&i.funding_zscore), Seen::of(&i.funding_change));
    if z == Seen::NotOffered && change == Seen::NotOffered {
        return Judgement::NotApplicable;
    }
    let reasons = AnomalyReasons::of(z.number(), change.number(), None, &t.funding);
    let u_z = z.number().map(|z| z.abs() / t.funding.anomaly_z);
    let u_change = change.number().map(|c| c.abs() / t.funding.change);
    // The score needs its z; a change alone decides only where it fires.
    if u_z.is_none() && !reasons.change {
        return Judgement::NoData;
    }
    let manipulated = z.number().is_some_and(|z| z.abs() > t.funding_manipulation_z);
    let severity = if manipulated { Severity::High } else { Severity::Medium };
    let u = u_z.unwrap_or(0.0).max(u_change.unwrap_or(0.0));
    // Before a week of hours the floor alone decides, uncalibrated (ADR 18).
    let rare =
        manipulated || !t.own_history || i.funding_pct.ready().is_none_or(|p| extremity(p) > t.funding_anomaly_pct);
    Judgement::Of(RuleFinding { fires: reasons.is_event() && rare, u, severity })
}

/// How far out a rank lies, whichever end it is near: 1 is beyond everything, 0.5 the middle.
pub(super) fn extremity(rank: f64) -> f64 {
    rank.max(1.0 - rank)
}

pub(super) fn reversal(i: &Inputs, t: &Thresholds) -> Judgement {
    match (Seen::of(&i.funding_rate), Seen::of(&i.funding_change)) {
        (Seen::NotOffered, _) | (_, Seen::NotOffered) => Judgement::NotApplicable,
        (Seen::Value(rate), Seen::Value(change)) => Judgement::Of(RuleFinding {
            fires: is_reversal(rate, change, &t.funding),
            // With the sign turned back the reversal is over, however large the change.
            u: if rate * (rate - change) < 0.0 { change.abs() / t.funding.change } else { 0.0 },
            severity: Severity::Medium,
        }),
        _ => Judgement::NoData,
    }
}

pub(super) fn burst(i: &Inputs, t: &Thresholds) -> Judgement {
    let l = &i.liquidations;
    let floor = t.liquidations.burst_count;
    let c = if t.own_history { l.burst_threshold.ready().unwrap_or(floor).max(floor) } else { floor };
    one(&l.count_60s, c, |x, c| x >= c, |_| Severity::High)
}

pub(super) fn sustained(i: &Inputs, t: &Thresholds) -> Judgement {
    let l = &i.liquidations;
    let (velocity, total) = (Seen::of(&l.velocity), Seen::of(&l.total));
    let (Some(x), Some(usd)) = (velocity.number(), total.number()) else {
        return if velocity == Seen::NotOffered { Judgement::NotApplicable } else { Judgement::NoData };
    };
    let limits = &t.liquidations;
    let floors = x > limits.critical_velocity && usd > limits.cascade_total;
    // Before a week of hours the floor alone decides, uncalibrated (surveillance §2).
    let rare = !t.own_history || l.velocity_pct.ready().is_none_or(|p| p > VELOCITY_PCT);
    let c = if t.own_history { l.velocity_threshold.ready() } else { None }.unwrap_or(limits.critical_velocity);
    let ratio = x / limits.critical_velocity;
    let severity = if ratio >= t.cascade_critical_ratio { Severity::Critical } else { Severity::High };
    Judgement::Of(RuleFinding { fires: floors && rare, u: x / c.max(limits.critical_velocity), severity })
}

pub(super) fn one_sided(i: &Inputs, t: &Thresholds) -> Judgement {
    let l = &i.liquidations;
    let share = Seen::of(&l.long_share_1h);
    if share == Seen::Calm {
        return Judgement::Of(RuleFinding { fires: false, u: 0.0, severity: Severity::Medium });
    }
    let enough = l.events_1h.ready().is_some_and(|n| n >= t.liquidations.one_sided_events);
    one(&larger(&l.long_share_1h), t.liquidations.one_sided_share, |x, c| x > c && enough, |_| Severity::Medium)
}
