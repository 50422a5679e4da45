//! ALLOW, CAUTION or AVOID with every reason, in the order of the table (R1.43–R1.44, R2.6, R2.47, R2.55–R2.56, risk §5).
//!
//! The book's table says what each finding asks for ([`VerdictTable`]); the most severe decides. A condition whose input is not there is not evaluated and says so; it never counts as
//! fine.

use super::context::{AdviceContext, CrowdedSide, TrendContext};
use super::intent::{Blackout, OperatorSettings};
use super::sign;
use super::stop::StopPlan;
use crate::rules::VerdictTable;
use barograph_domain::advice::{ReasonCode, Verdict};
use barograph_domain::thresholds::SAME_EXPOSURE;
use barograph_domain::{RiskRegime, Side, StopVulnerability, TradingSession, VolRegime};

/// How long before an event the blackout begins, minutes (R2.55).
const BLACKOUT_MIN: f64 = 120.0;

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
    /// All findings; `ok` with a verdict of ALLOW.
    pub reasons: ReasonSet,
    /// Conditions whose input is not there.
    pub not_evaluated: ReasonSet,
    /// Those that ask for AVOID, by themselves or together.
    avoid: ReasonSet,
    /// Those that ask for CAUTION.
    caution: ReasonSet,
}

impl Judgement {
    /// What a reason asks for, by itself or together with others that hold.
    #[must_use]
    pub const fn asks(&self, code: ReasonCode) -> Verdict {
        if self.avoid.has(code) {
            Verdict::Avoid
        } else if self.caution.has(code) {
            Verdict::Caution
        } else {
            Verdict::Allow
        }
    }
}

pub(super) fn judge(
    ctx: Option<&AdviceContext<'_>>,
    side: Side,
    stop: &StopPlan,
    settings: &OperatorSettings,
) -> Judgement {
    let table = ctx.map_or(&VerdictTable::SEED, |c| c.verdict);
    let mut found = Found::default();
    match ctx {
        None => found.without_context(),
        Some(c) => found.of(c, side, stop, table),
    }
    let warns = settings.blackout == Blackout::Warn && found.reasons.has(ReasonCode::PreNewsBlackout);
    let event = 1 << ReasonCode::PreNewsBlackout as u32;
    let holding = if warns { found.reasons.0 & !event } else { found.reasons.0 };
    let (avoid, avoid_by) = table.asking(Verdict::Avoid, holding);
    let (caution, caution_by) = table.asking(Verdict::Caution, holding);
    let caution_by = if warns { Some(ReasonCode::PreNewsBlackout) } else { caution_by };
    let (verdict, decided_by) = match (avoid_by, caution_by) {
        (Some(code), _) => (Verdict::Avoid, code),
        (None, Some(code)) => (Verdict::Caution, code),
        (None, None) => (Verdict::Allow, ReasonCode::Ok),
    };
    if verdict == Verdict::Allow {
        found.reasons.insert(ReasonCode::Ok);
    }
    Judgement {
        verdict,
        decided_by,
        reasons: found.reasons,
        not_evaluated: found.unknown,
        avoid: ReasonSet(avoid),
        caution: ReasonSet(if warns { caution | event } else { caution }),
    }
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
        for code in R::ALL.iter().filter(|c| !matches!(c, R::NoData | R::AgainstTrend | R::Ok)) {
            self.unknown.insert(*code);
        }
    }

    fn of(&mut self, c: &AdviceContext<'_>, side: Side, stop: &StopPlan, table: &VerdictTable) {
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
        self.when(R::RolloverSession, c.session.map(|s| s.session == TradingSession::Rollover));
        self.when(R::SessionVolAnomaly, c.session.and_then(|s| s.vol_ratio).map(|r| r > table.session_vol_ratio));
        self.when(R::StopCluster, is_clustered(c, side, stop));
        let trend = c.known_trend();
        let against = |t: &TrendContext| f64::from(t.label.direction()) * sign(side) < 0.0;
        if table.reads(R::AgainstTrend) {
            self.when(R::AgainstTrend, trend.map(|t| against(&t)));
        }
        let confirmed = |t: &TrendContext| t.mtf_confirmed || (table.early_trend && t.early);
        self.when(R::AgainstStrongTrend, trend.map(|t| confirmed(&t) && t.label.is_strong() && against(&t)));
        let agreement = c.trend.and_then(|t| t.mtf_confidence);
        self.when(R::UnconfirmedRegime, agreement.map(|m| m < table.agreement_min));
        self.when(R::LowConfidence, c.confidence.and_then(|x| x.is_low(table.confidence_min)));
        self.when(R::ExposureOverlap, c.overlaps.map(|o| o.iter().any(|o| o.correlation > SAME_EXPOSURE)));
        self.when(R::LowHealth, c.health.map(|h| h < table.health_min));
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
