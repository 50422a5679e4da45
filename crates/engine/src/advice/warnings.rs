//! Warnings of the entry gate (R1.66–R1.68, risk §6): what holds now, apart from how it is said.

use super::context::AdviceContext;
use super::intent::Intent;
use super::stop::StopPlan;
use super::verdict::{Judgement, ReasonSet};
use barograph_domain::advice::{NoticeLevel, ReasonCode, Verdict, WarningCode};
use barograph_domain::{Posture, RiskRegime, StopVulnerability};

/// A stop closer than this is inside the noise, ATR.
const TIGHT: f64 = 0.5;

/// The warnings that hold, in table order; further reasons of the verdict follow, one line each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WarningSet {
    codes: u16,
    /// Reasons no warning of their own speaks for.
    others: ReasonSet,
    judgement: Judgement,
}

impl WarningSet {
    /// Does it hold?
    #[must_use]
    pub const fn has(&self, code: WarningCode) -> bool {
        self.codes >> code as u16 & 1 == 1
    }
    /// Code, level, and the reason behind a `W_REASONS`.
    pub fn iter(&self) -> impl Iterator<Item = (WarningCode, NoticeLevel, Option<ReasonCode>)> {
        let own = WarningCode::ALL.iter().copied().filter(|c| self.has(*c)).map(|c| (c, level(c), None));
        let judgement = self.judgement;
        let other = self.others.iter().filter(|r| *r != ReasonCode::Ok && !self.is_covered(*r));
        own.chain(other.map(move |r| (WarningCode::Reasons, of_verdict(judgement.asks(r)), Some(r))))
    }
    /// Is there one of MEDIUM or more?
    #[must_use]
    pub fn is_serious(&self) -> bool {
        self.iter().any(|(_, level, _)| level >= NoticeLevel::Medium)
    }
    /// A warning of its own says it already.
    const fn is_covered(&self, reason: ReasonCode) -> bool {
        match reason {
            ReasonCode::DataStale => self.has(WarningCode::Stale),
            ReasonCode::SqueezeRisk => self.has(WarningCode::Squeeze),
            ReasonCode::HighVolatility => self.has(WarningCode::HighVol),
            ReasonCode::ChopRisk => self.has(WarningCode::Chop),
            ReasonCode::StopCluster => self.has(WarningCode::StopCluster),
            ReasonCode::NoData
            | ReasonCode::PreNewsBlackout
            | ReasonCode::ExtremeVolatility
            | ReasonCode::SqueezeAgainstSide
            | ReasonCode::RolloverSession
            | ReasonCode::SessionVolAnomaly
            | ReasonCode::AgainstTrend
            | ReasonCode::AgainstStrongTrend
            | ReasonCode::UnconfirmedRegime
            | ReasonCode::LowConfidence
            | ReasonCode::ExposureOverlap
            | ReasonCode::LowHealth
            | ReasonCode::Ok => false,
        }
    }
}

const fn level(code: WarningCode) -> NoticeLevel {
    match code {
        WarningCode::Squeeze | WarningCode::HighVol | WarningCode::StopCluster | WarningCode::Stale => {
            NoticeLevel::High
        }
        WarningCode::Chop | WarningCode::Posture | WarningCode::StopTight | WarningCode::Reasons => NoticeLevel::Medium,
        WarningCode::StopMedium => NoticeLevel::Low,
    }
}

const fn of_verdict(verdict: Verdict) -> NoticeLevel {
    match verdict {
        Verdict::Avoid => NoticeLevel::High,
        Verdict::Caution => NoticeLevel::Medium,
        Verdict::Allow => NoticeLevel::Info,
    }
}

pub(super) fn warnings(
    ctx: Option<&AdviceContext<'_>>,
    intent: &Intent<'_>,
    stop: &StopPlan,
    judgement: &Judgement,
) -> WarningSet {
    use WarningCode as W;
    let label = ctx.map(|c| c.risk.label);
    let clustered = judgement.reasons.has(ReasonCode::StopCluster);
    let medium = ctx.and_then(|c| c.stops.of(intent.side)) == Some(StopVulnerability::Medium);
    let tight = stop.r.zip(stop.atr).is_some_and(|(r, a)| r < TIGHT * a);
    let holds = [
        (W::Squeeze, label == Some(RiskRegime::SqueezeRisk)),
        (W::HighVol, label == Some(RiskRegime::HighVol)),
        (W::Chop, label == Some(RiskRegime::ChopRisk)),
        (W::StopCluster, clustered),
        (W::StopMedium, medium && !clustered),
        (W::Posture, ctx.is_some_and(|c| matches!(c.posture, Posture::Reduce | Posture::Hold))),
        (W::Stale, ctx.is_some_and(|c| c.stale.is_some())),
        (W::StopTight, tight),
    ];
    let codes = holds.iter().filter(|(_, yes)| *yes).fold(0, |set, (code, _)| set | 1 << *code as u16);
    WarningSet { codes, others: judgement.reasons, judgement: *judgement }
}
