//! Has a back-test reached a Sharpe ratio of 2 after costs (research §8, R5.4)? All conditions, each with what was measured: not reached is
//! a result too.

use super::blotter::LATENCY;
use super::deflate::{DeflatedSharpe, TrialSpread};
use super::report::TradeReport;
use super::sharpe::{NoSharpe, SharpeMoments};
use barograph_domain::Span;

/// Annual Sharpe ratio after costs that has to be exceeded.
pub const GOAL_SHARPE: f64 = 2.0;
/// Days out of sample that it has to be measured on.
pub const GOAL_DAYS_MIN: usize = 90;
/// Deflated Sharpe ratio, with all trials, that has to be reached.
pub const GOAL_DEFLATED_MIN: f64 = 0.95;

/// A condition that is not met.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum GoalMiss {
    /// Too few days.
    Days {
        /// Days that there are.
        have: usize,
    },
    /// Orders reached the order book sooner than they could have.
    Latency {
        /// The latency.
        latency: Span,
    },
    /// A position is still open, and in no figure.
    Unclosed,
    /// There is no ratio.
    Undefined(NoSharpe),
    /// The ratio is not above 2.
    Sharpe {
        /// The ratio.
        net: f64,
    },
    /// The lower end of its 90 % band is not above 0.
    Band {
        /// The lower end.
        low: f64,
    },
    /// The deflated ratio with all trials is below 0.95; `None` where it is undefined.
    Deflated {
        /// The deflated ratio.
        probability: Option<f64>,
    },
}

impl core::fmt::Display for GoalMiss {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Days { have } => {
                let have = barograph_domain::text::number_of(*have, "day");
                write!(f, "{have} out of sample where {GOAL_DAYS_MIN} are asked")
            }
            Self::Latency { latency } => write!(f, "a latency of {} s is below 0.25 s", latency.as_secs_f64()),
            Self::Unclosed => write!(f, "a position is still open"),
            Self::Undefined(why) => why.fmt(f),
            Self::Sharpe { net } => write!(f, "a Sharpe ratio of {net:.2} is not above {GOAL_SHARPE}"),
            Self::Band { low } => write!(f, "the lower end of its band, {low:.2}, is not above 0"),
            Self::Deflated { probability: Some(p) } => {
                write!(f, "a deflated Sharpe ratio of {p:.3} is below {GOAL_DEFLATED_MIN}")
            }
            Self::Deflated { probability: None } => write!(f, "the deflated Sharpe ratio is undefined"),
        }
    }
}

/// Conditions that a report out of sample does not meet; none: the goal is reached. That fees are of a named tier and fills are a taker's is
/// so by construction.
#[must_use]
pub fn sharpe_goal(report: &TradeReport, trials: &TrialSpread, seed: u64) -> Vec<GoalMiss> {
    let mut misses = Vec::new();
    let days = report.daily_net.len();
    if days < GOAL_DAYS_MIN {
        misses.push(GoalMiss::Days { have: days });
    }
    if report.terms.latency < LATENCY {
        misses.push(GoalMiss::Latency { latency: report.terms.latency });
    }
    if report.unclosed {
        misses.push(GoalMiss::Unclosed);
    }
    let moments =
        match report.sharpe_net_band(seed).and_then(|b| Ok((b, SharpeMoments::population(&report.daily_net)?))) {
            Ok((band, moments)) => {
                let sharpe = (band.value <= GOAL_SHARPE).then_some(GoalMiss::Sharpe { net: band.value });
                let low = (band.low <= 0.0).then_some(GoalMiss::Band { low: band.low });
                misses.extend(sharpe.into_iter().chain(low));
                moments
            }
            Err(why) => {
                misses.push(GoalMiss::Undefined(why));
                return misses;
            }
        };
    let probability = DeflatedSharpe::both(&moments, trials).map(|[all, _]| all.probability);
    if probability.is_none_or(|p| p < GOAL_DEFLATED_MIN) {
        misses.push(GoalMiss::Deflated { probability });
    }
    misses
}

#[cfg(test)]
mod tests {
    use super::super::blotter::{TradeTerms, UntradedCounts};
    use super::super::fees::TakerFee;
    use super::*;
    use barograph_domain::Ts;

    fn report(daily: impl Fn(u32) -> f64, days: u32, latency: Span) -> TradeReport {
        let terms = TradeTerms { latency, ..TradeTerms::new(TakerFee::new("VIP 0", 5.0).unwrap()) };
        let period = (Ts::from_secs(0), Ts::from_secs(i64::from(days) * 86_400 - 1));
        let report = TradeReport::new(&terms, Vec::new(), UntradedCounts::default(), false, period);
        TradeReport { daily_net: (0..days).map(daily).collect(), ..report }
    }

    const ALONE: TrialSpread = TrialSpread { trials: 1, trials_effective: 1.0, variance: 0.0 };

    /// Days around a mean with a deviation of about 0.01.
    fn around(mean: f64) -> impl Fn(u32) -> f64 {
        move |d| mean + 0.01 * (f64::from(d * 37 % 101) / 29.0 - 50.0 / 29.0)
    }

    #[test]
    fn it_is_reached_only_with_all_conditions() {
        assert_eq!(sharpe_goal(&report(around(0.003), 120, LATENCY), &ALONE, 1), []);
        let many = TrialSpread { trials: 1_000, trials_effective: 5.0, variance: 0.02 };
        let deflated = sharpe_goal(&report(around(0.003), 120, LATENCY), &many, 1);
        assert!(matches!(deflated[..], [GoalMiss::Deflated { probability: Some(p) }] if p < 0.1), "{deflated:?}");
        let hasty = sharpe_goal(&report(around(0.003), 89, Span::millis(249)), &ALONE, 1);
        assert_eq!(hasty[..2], [GoalMiss::Days { have: 89 }, GoalMiss::Latency { latency: Span::millis(249) }]);
        let flat = sharpe_goal(&report(around(0.0), 120, LATENCY), &ALONE, 1);
        assert!(
            matches!(flat[..], [GoalMiss::Sharpe { .. }, GoalMiss::Band { .. }, GoalMiss::Deflated { .. }]),
            "{flat:?}"
        );
        let none = sharpe_goal(&report(|_| 0.0, 120, LATENCY), &ALONE, 1);
        assert_eq!(none, [GoalMiss::Undefined(NoSharpe::NoVariation)]);
        assert_eq!(GoalMiss::Days { have: 1 }.to_string(), "1 day out of sample where 90 are asked");
        assert_eq!(flat[0].to_string().split(" is").nth(1), Some(" not above 2"));
    }
}
