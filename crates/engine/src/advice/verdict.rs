//! ALLOW, CAUTION or AVOID with every reason, in the order of the table (R1.43–R1.44, R2.6, R2.47, R2.55–R2.56, risk §5).
//!
//! The most severe reason decides. A condition whose input is not there is not evaluated and says so; it never counts as
//! fine.

use super::context::{AdviceContext, CrowdedSide};
use super::intent::{Blackout, Settings};
use super::sign;
use super::stop::StopPlan;
use barograph_domain::advice::{ReasonCode, Verdict};
use barograph_domain::{RiskRegime, Session, Side, StopVulnerability, VolRegime};

/// How long before an event the blackout begins, minutes (R2.55).
const BLACKOUT_MIN: f64 = 120.0;
/// Correlation from which a position is the same exposure (R2.56).
pub(super) const SAME_EXPOSURE: f64 = 0.9;

/// A set of reasons, iterated in table order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReasonSet(u32);

impl ReasonSet {
    fn insert(&mut self, code: ReasonCode) {
        self.0 |= 1 << code as u32;
    }
    /// Is it in?
    #[must_use]
    pub const fn has(self, code: ReasonCode) -> bool {
        self.0 >> code as u32 & 1 == 1
    }
    /// Those that are in, in table order.
    pub fn iter(self) -> impl Iterator<Item = ReasonCode> {
        ReasonCode::ALL.iter().copied().filter(move |c| self.has(*c))
    }
}

/// The verdict and what it rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// Most severe of all reasons.
    pub verdict: Verdict,
    /// The first reason that asks for it.
    pub decided_by: ReasonCode,
    /// All reasons; `ok` alone when there is none.
    pub reasons: ReasonSet,
    /// Conditions whose input is not there.
    pub not_evaluated: ReasonSet,
    /// A calendar event asks for CAUTION only.
    pub blackout_warns: bool,
}

impl Judgement {
    /// What a reason asks for on its own.
    #[must_use]
    pub const fn asks(&self, code: ReasonCode) -> Verdict {
        use ReasonCode as R;
        match code {
            R::PreNewsBlackout if self.blackout_warns => Verdict::Caution,
            R::DataStale | R::NoData | R::PreNewsBlackout | R::ExtremeVolatility | R::SqueezeAgainstSide => {
                Verdict::Avoid
            }
            R::Ok => Verdict::Allow,
            R::SqueezeRisk
            | R::HighVolatility
            | R::ChopRisk
            | R::RolloverSession
            | R::SessionVolAnomaly
            | R::StopCluster
            | R::AgainstStrongTrend
            | R::UnconfirmedRegime
            | R::LowConfidence
            | R::ExposureOverlap
            | R::LowHealth => Verdict::Caution,
        }
    }
}

pub(super) fn judge(ctx: Option<&AdviceContext<'_>>, side: Side, stop: &StopPlan, settings: &Settings) -> Judgement {
    let mut found = Found::default();
    match ctx {
        None => found.without_context(),
        Some(c) => found.of(c, side, stop),
    }
    if found.reasons.0 == 0 {
        found.reasons.insert(ReasonCode::Ok);
    }
    let mut out = Judgement {
        verdict: Verdict::Allow,
        decided_by: ReasonCode::Ok,
        reasons: found.reasons,
        not_evaluated: found.unknown,
        blackout_warns: settings.blackout == Blackout::Warn,
    };
    for code in found.reasons.iter() {
        let asked = out.asks(code);
        if asked > out.verdict {
            (out.verdict, out.decided_by) = (asked, code);
        }
    }
    out
}

#[derive(Default)]
struct Found {
    reasons: ReasonSet,
    unknown: ReasonSet,
}

impl Found {
    /// A condition: true, false, or not known.
    fn when(&mut self, code: ReasonCode, holds: Option<bool>) {
        match holds {
            Some(true) => self.reasons.insert(code),
            Some(false) => {}
            None => self.unknown.insert(code),
        }
    }

    fn without_context(&mut self) {
        use ReasonCode as R;
        self.reasons.insert(R::NoData);
        for code in R::ALL.iter().filter(|c| !matches!(c, R::NoData | R::Ok)) {
            self.unknown.insert(*code);
        }
    }

    fn of(&mut self, c: &AdviceContext<'_>, side: Side, stop: &StopPlan) {
        use ReasonCode as R;
        let label = c.risk.label;
        let known = label != RiskRegime::Unknown;
        let risk = |wanted: RiskRegime| known.then_some(label == wanted);
        let volatility = c.known_volatility();
        self.when(R::DataStale, Some(c.stale.is_some()));
        self.when(R::NoData, Some(!known && c.stale.is_none()));
        self.when(R::PreNewsBlackout, c.event.map(|next| next.is_some_and(|e| is_near(e.minutes))));
        self.when(R::ExtremeVolatility, volatility.map(|v| v == VolRegime::Extreme));
        self.when(R::SqueezeRisk, risk(RiskRegime::SqueezeRisk));
        self.when(R::SqueezeAgainstSide, against_side(c, side));
        let explosive = volatility.map(|v| v == VolRegime::Explosive);
        self.when(R::HighVolatility, either(risk(RiskRegime::HighVol), explosive));
        self.when(R::ChopRisk, risk(RiskRegime::ChopRisk));
        self.when(R::RolloverSession, c.session.map(|s| s.session == Session::Rollover));
        self.when(R::SessionVolAnomaly, c.session.and_then(|s| s.vol_ratio).map(|r| r > 2.0));
        self.when(R::StopCluster, is_clustered(c, side, stop));
        self.when(R::AgainstStrongTrend, against_trend(c, side));
        self.when(R::UnconfirmedRegime, c.trend.and_then(|t| t.mtf_confidence).map(|m| m < 0.5));
        self.when(R::LowConfidence, c.confidence.map(|x| x.value < 0.4));
        self.when(R::ExposureOverlap, c.overlaps.map(|o| o.iter().any(|o| o.correlation > SAME_EXPOSURE)));
        self.when(R::LowHealth, c.health.map(|h| h < 50.0));
    }
}

fn is_near(minutes: f64) -> bool {
    (0.0..=BLACKOUT_MIN).contains(&minutes)
}

/// True if either is; not known only when neither is true and one is not known.
const fn either(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn against_side(c: &AdviceContext<'_>, side: Side) -> Option<bool> {
    match (c.risk.label, c.risk.crowded) {
        (RiskRegime::Unknown, _) | (RiskRegime::SqueezeRisk, None) => None,
        (RiskRegime::SqueezeRisk, Some(CrowdedSide(crowded))) => Some(crowded == side),
        _ => Some(false),
    }
}

fn is_clustered(c: &AdviceContext<'_>, side: Side, stop: &StopPlan) -> Option<bool> {
    let on_level = stop.clusters_known.then_some(stop.on_level.is_some());
    either(on_level, c.stops.of(side).map(|v| v == StopVulnerability::High))
}

fn against_trend(c: &AdviceContext<'_>, side: Side) -> Option<bool> {
    let t = c.known_trend()?;
    Some(t.mtf_confirmed && t.label.is_strong() && f64::from(t.label.direction()) * sign(side) < 0.0)
}
