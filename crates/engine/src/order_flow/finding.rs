//! What a detector of order flow finds: does the pattern hold, and how strong is each piece of its evidence (surveillance §3, §5).

use super::FlowThresholds;
use crate::detect::judge::{Judgement, RuleFinding};
use crate::kernel::Moments;
use crate::kernel::fold::Block as _;
use crate::kernel::moments::Score;
use barograph_domain::Severity;
use barograph_domain::math::{exp, ln};

/// One piece of evidence: a number against the one it is compared with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct EvidenceStrength {
    /// What was measured, by a name of its own.
    pub name: &'static str,
    /// Its value, in `unit`.
    pub value: f64,
    /// What it is compared with; above zero.
    pub threshold: f64,
    /// Unit of both.
    pub unit: &'static str,
}

impl EvidenceStrength {
    /// Of a quantity in this unit.
    #[must_use]
    pub const fn of(name: &'static str, value: f64, threshold: f64, unit: &'static str) -> Self {
        Self { name, value, threshold, unit }
    }
    /// Value over threshold.
    #[must_use]
    pub fn u(&self) -> f64 {
        if self.threshold > 0.0 { (self.value / self.threshold).max(0.0) } else { 0.0 }
    }
}

/// Pieces of evidence of one finding; no detector has more than four.
pub type Strengths = [Option<EvidenceStrength>; 4];

/// What one evaluation says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum FlowVerdict {
    /// The feed is too coarse, or the venue does not have what it needs.
    NotOffered,
    /// It cannot be judged now.
    NoData,
    /// It was judged.
    Of(FlowFinding),
}

/// A judgement with its evidence.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FlowFinding {
    /// The pattern is there; of an open episode: it goes on.
    pub holds: bool,
    /// How strong the evidence is.
    pub strengths: Strengths,
    /// How severe it is.
    pub severity: Severity,
}

impl FlowFinding {
    /// Nothing of the kind is there.
    pub const CALM: Self = Self { holds: false, strengths: [None; 4], severity: Severity::Low };

    /// MEDIUM, HIGH from the score of the thresholds on.
    #[must_use]
    pub fn by_score(holds: bool, strengths: Strengths, t: &FlowThresholds) -> Self {
        let severity = if union_score(&strengths) > t.flow_high_score { Severity::High } else { Severity::Medium };
        Self { holds, strengths, severity }
    }
}

impl FlowVerdict {
    /// As the one machine of all episodes takes it: `u` is the one number whose score is that of all the evidence.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        match self {
            Self::NotOffered => Judgement::NotApplicable,
            Self::NoData => Judgement::NoData,
            Self::Of(f) => {
                let missing = 1.0 - union_score(&f.strengths) / 100.0;
                let u = if f.holds { (-ln(missing)).max(0.0).sqrt() } else { 0.0 };
                Judgement::Of(RuleFinding { fires: f.holds, u, severity: f.severity })
            }
        }
    }
}

/// `100 · (1 − Π (1 − e))` with `e = 0.5 · (1 − exp(−u²))`: pieces of evidence that do not depend on each other (surveillance §3).
#[must_use]
pub fn union_score(strengths: &Strengths) -> f64 {
    let of = |s: &EvidenceStrength| 0.5 * (1.0 - exp(-s.u() * s.u()));
    100.0 * (1.0 - strengths.iter().flatten().fold(1.0, |missing, s| missing * (1.0 - of(s))))
}

/// Standard score of the last of these numbers, itself included; `None` where they are all equal (features §1).
pub(super) fn score_of_last(values: &[f64]) -> Option<f64> {
    let all = values.iter().fold(Moments::EMPTY, |all, x| all.merge(Moments::of(*x)));
    match all.score(*values.last()?) {
        Score::Of(z) => Some(z),
        Score::ZeroVariance => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::score;

    #[test]
    fn evidence_adds_up_and_never_to_certainty() {
        let at = |u: f64| Some(EvidenceStrength::of("x", u, 1.0, "count"));
        let three = |u: f64| union_score(&[at(u), at(u), at(u), None]);
        assert!(union_score(&[None; 4]).abs() < f64::EPSILON);
        assert!((three(1.0) - 68.007).abs() < 0.001, "{}", three(1.0));
        assert!((three(9.0) - 87.5).abs() < 1e-9);
        assert!(union_score(&[at(1.0), at(1.0), None, None]) < three(1.0));
        for u in [0.0, 0.4, 1.0, 3.0] {
            let finding = FlowFinding { holds: true, strengths: [at(u), at(u), at(u), None], severity: Severity::Low };
            let Judgement::Of(judged) = FlowVerdict::Of(finding).judgement() else { panic!("it was judged") };
            assert!((score(judged.u) - three(u)).abs() < 1e-9, "the machine's score is that of the evidence");
        }
    }
}
