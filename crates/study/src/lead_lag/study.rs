//! A lead is reported only when it is there twice, by both clocks, and longer than the clocks may differ (research §10).
//!
//! Returns at short steps are hardly correlated because few of them hold a trade of both markets (Epps 1979), so everything is repeated at
//! several steps; every step and every lag is one more chance to find something by luck, which the significance is corrected for.

use super::mids::{MidSeries, StudyClock};
use super::profile::{LagPeak, LagProfile, NoProfile, PROFILE_LAG_MAX};
use crate::money::normal::normal_quantile;
use crate::money::sharpe::count;
use barograph_domain::{Span, Ts};

/// Steps of the grid (research §10).
pub const STEPS: [Span; 4] = [Span::millis(100), Span::secs(1), Span::secs(5), Span::mins(1)];
/// Chance of a false lead, over everything that is tried.
const LEVEL: f64 = 0.05;
/// The live feature's bound on |t|, two-sided 0.05 over 20 lags, rounded up (features §6); the study's is never below it.
pub const T_BOUND_MIN: f64 = 3.1;

/// What a lead is sought in.
#[derive(Clone, PartialEq, Debug)]
pub struct LeadLagSetup {
    /// Steps of the grid, one study each.
    pub steps: Vec<Span>,
    /// Largest difference that the two venues' clocks may have.
    pub skew_bound: Span,
    /// A mid older than this is none.
    pub age_max: Span,
    /// Pairs of markets that are studied together: each is another chance.
    pub pairs_studied: usize,
}

impl LeadLagSetup {
    /// All steps of research §10 for one pair, with mids up to five seconds old.
    #[must_use]
    pub fn new(skew_bound: Span) -> Self {
        Self { steps: STEPS.to_vec(), skew_bound, age_max: Span::secs(5), pairs_studied: 1 }
    }

    /// |t| that a correlation has to exceed: two-sided 0.05 by Bonferroni over lags, steps and pairs.
    #[must_use]
    pub fn t_bound(&self) -> f64 {
        let lags = 2 * usize::try_from(PROFILE_LAG_MAX).unwrap_or_default();
        let tests = count(lags * self.steps.len().max(1) * self.pairs_studied.max(1));
        normal_quantile(1.0 - LEVEL / (2.0 * tests)).map_or(T_BOUND_MIN, |t| t.max(T_BOUND_MIN))
    }
}

/// Why two periods cannot be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeadLagFault {
    /// A period is empty, or the second begins before the first is over.
    Periods,
    /// There is no step, or one is not positive.
    Steps,
}

impl core::fmt::Display for LeadLagFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Periods => "the second period has to begin when the first is over, and neither may be empty",
            Self::Steps => "steps have to be positive",
        })
    }
}

impl core::error::Error for LeadLagFault {}

/// Which of the two markets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeadingMarket {
    /// The first.
    A,
    /// The second.
    B,
}

/// Correlations by one clock in both periods.
#[derive(Clone, PartialEq, Debug)]
pub struct ClockProfiles {
    /// The period in which a lead is sought.
    pub sought: Result<LagProfile, NoProfile>,
    /// The period that has to confirm it.
    pub confirmed: Result<LagProfile, NoProfile>,
}

/// What is reported of one step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum LeadFinding {
    /// One market moves first.
    Leads {
        /// Which of the two.
        market: LeadingMarket,
        /// Lag in steps, by the clock that sees the shorter one.
        lag: i32,
        /// The same as a time.
        lead: Span,
        /// Correlation at that lag in the period that confirmed it.
        rho: f64,
    },
    /// By the venues' clocks the lead is not longer than those may differ: it is not reported whose it is.
    WithinSkew,
    /// The venues' clocks and ours do not see the same market lead, or only one of them sees a lead.
    ClocksDisagree,
    /// Not significant in both periods with the same direction and sign.
    NotConfirmed,
    /// A period has too few returns of both, or one that does not vary.
    TooLittle(NoProfile),
}

/// One step.
#[derive(Clone, PartialEq, Debug)]
pub struct StepLead {
    /// Distance of the grid's points.
    pub step: Span,
    /// By the venues' clocks.
    pub event: ClockProfiles,
    /// By ours.
    pub receipt: ClockProfiles,
    /// What is reported.
    pub finding: LeadFinding,
}

/// Seeks a lead in the first period and confirms it in the second, at every step and by both clocks.
///
/// # Errors
/// Periods that overlap or are empty, or steps that are none.
pub fn lead_lag_study(
    a: &MidSeries,
    b: &MidSeries,
    periods: [(Ts, Ts); 2],
    setup: &LeadLagSetup,
) -> Result<Vec<StepLead>, LeadLagFault> {
    let [first, second] = periods;
    if first.0 >= first.1 || second.0 >= second.1 || second.0 < first.1 {
        return Err(LeadLagFault::Periods);
    }
    if setup.steps.is_empty() || setup.steps.iter().any(|s| *s <= Span::ZERO) {
        return Err(LeadLagFault::Steps);
    }
    let one = |step: Span| {
        let [event, receipt] = StudyClock::ALL.map(|clock| {
            let profile = |period| {
                let returns = |of: &MidSeries| of.returns(clock, period, step, setup.age_max);
                LagProfile::new(&returns(a), &returns(b))
            };
            ClockProfiles { sought: profile(first), confirmed: profile(second) }
        });
        let finding = finding(&event, &receipt, step, setup);
        StepLead { step, event, receipt, finding }
    };
    Ok(setup.steps.iter().map(|step| one(*step)).collect())
}

fn finding(event: &ClockProfiles, receipt: &ClockProfiles, step: Span, setup: &LeadLagSetup) -> LeadFinding {
    let bound = setup.t_bound();
    let (by_event, by_receipt) = match (confirmed(event, bound), confirmed(receipt, bound)) {
        (Err(why), _) | (_, Err(why)) => return LeadFinding::TooLittle(why),
        (Ok(None), Ok(None)) => return LeadFinding::NotConfirmed,
        (Ok(Some(event)), Ok(Some(receipt))) if (event.lag > 0) == (receipt.lag > 0) => (event, receipt),
        (Ok(_), Ok(_)) => return LeadFinding::ClocksDisagree,
    };
    if step.times(i64::from(by_event.lag.abs())) <= setup.skew_bound {
        return LeadFinding::WithinSkew;
    }
    let shorter = if by_receipt.lag.abs() < by_event.lag.abs() { by_receipt } else { by_event };
    LeadFinding::Leads {
        market: if shorter.lag > 0 { LeadingMarket::A } else { LeadingMarket::B },
        lag: shorter.lag,
        lead: step.times(i64::from(shorter.lag.abs())),
        rho: shorter.rho,
    }
}

/// The peak of the second period where both peaks are significant and have the same direction and sign.
fn confirmed(profiles: &ClockProfiles, bound: f64) -> Result<Option<LagPeak>, NoProfile> {
    let [sought, again] =
        [&profiles.sought, &profiles.confirmed].map(|p| p.as_ref().map(|p| p.peak).map_err(|why| *why));
    let (sought, again) = (sought?, again?);
    let same = (sought.lag > 0) == (again.lag > 0) && (sought.rho > 0.0) == (again.rho > 0.0);
    let holds = same && sought.t.abs() > bound && again.t.abs() > bound;
    Ok(holds.then_some(again))
}

#[cfg(test)]
mod tests {
    use super::super::mids::MidPoint;
    use super::*;
    use barograph_domain::math::exp;
    use barograph_domain::random::SplitMix;

    /// Two markets on a grid of a second; the second repeats what the first did `lag` steps ago, and is received `late` later.
    fn pair(lag: i64, skew: Span, late: Span, noise: f64) -> [MidSeries; 2] {
        let mut random = SplitMix::new(11);
        let mut draw = || 1e-4 * (random.unit() + random.unit() - 1.0);
        let moves: Vec<f64> = (0..4_000).map(|_| draw()).collect();
        let own: Vec<f64> = (0..4_000).map(|_| noise * draw()).collect();
        let walk = |shift: i64, own: Option<&[f64]>, skew: Span, late: Span| {
            let mut log = 7.0;
            let point = |k: usize| {
                let from = i64::try_from(k).unwrap() - shift;
                log += usize::try_from(from).ok().map_or(0.0, |from| moves[from]) + own.map_or(0.0, |own| own[k]);
                let at = Ts::from_secs(i64::try_from(k).unwrap());
                MidPoint { event_ts: at + skew, recv_ts: at + late, mid: Some(exp(log)) }
            };
            MidSeries::new(&(0..4_000).map(point).collect::<Vec<_>>())
        };
        [walk(0, None, Span::ZERO, Span::ZERO), walk(lag, Some(&own), skew, late)]
    }

    fn second_step(series: &[MidSeries; 2], skew_bound: Span) -> LeadFinding {
        let periods = [(0, 1_990), (2_000, 3_990)].map(|(a, b)| (Ts::from_secs(a), Ts::from_secs(b)));
        let setup = LeadLagSetup { steps: vec![Span::secs(1)], ..LeadLagSetup::new(skew_bound) };
        lead_lag_study(&series[0], &series[1], periods, &setup).unwrap().remove(0).finding
    }

    #[test]
    fn a_lead_is_reported_when_both_periods_and_both_clocks_have_it() {
        let none = Span::ZERO;
        let forward = second_step(&pair(3, none, none, 1.0), Span::millis(100));
        assert!(
            matches!(forward, LeadFinding::Leads { market: LeadingMarket::A, lag: 3, lead: Span(3_000_000_000), rho } if rho > 0.5)
        );
        let [a, b] = pair(3, none, none, 1.0);
        let backward = second_step(&[b, a], Span::millis(100));
        assert!(matches!(backward, LeadFinding::Leads { market: LeadingMarket::B, lag: -3, .. }), "{backward:?}");
    }

    #[test]
    fn what_is_no_lead_is_not_reported_as_one() {
        let none = Span::ZERO;
        for (series, skew, want) in [
            (pair(0, none, none, 1.0), Span::millis(100), LeadFinding::NotConfirmed),
            (pair(3, none, none, 1.0), Span::secs(3), LeadFinding::WithinSkew),
            (pair(2, none, Span::secs(-5), 1.0), Span::millis(100), LeadFinding::ClocksDisagree),
            (pair(0, Span::secs(2), none, 1.0), Span::millis(100), LeadFinding::ClocksDisagree),
        ] {
            assert_eq!(second_step(&series, skew), want);
        }
        let silent = MidSeries::new(&[]);
        let got = second_step(&[pair(3, none, none, 1.0)[0].clone(), silent], none);
        assert!(matches!(got, LeadFinding::TooLittle(NoProfile::Pairs { have: 0, .. })), "{got:?}");
    }

    /// A lead of the first period alone is luck: the second market follows until the first period is over.
    #[test]
    fn a_lead_that_is_not_there_again_is_not_confirmed() {
        let none = Span::ZERO;
        let ([a, follows], [_, apart]) = (pair(3, none, none, 1.0), pair(3, none, none, 1_000.0));
        let split = Ts::from_secs(1_990);
        let points = |s: &MidSeries, keep: &dyn Fn(Ts) -> bool| {
            let returns =
                s.returns(StudyClock::Event, (Ts::from_secs(0), Ts::from_secs(3_999)), Span::secs(1), Span::secs(1));
            let mut log = 7.0;
            let point = |(k, r): (i64, Option<f64>)| {
                log += r.unwrap_or_default();
                let at = Ts::from_secs(k + 1);
                keep(at).then_some(MidPoint { event_ts: at, recv_ts: at, mid: Some(exp(log)) })
            };
            (0..).zip(returns).filter_map(point).collect::<Vec<_>>()
        };
        let mut mixed = points(&follows, &|at| at < split);
        mixed.extend(points(&apart, &|at| at >= split));
        assert_eq!(second_step(&[a, MidSeries::new(&mixed)], none), LeadFinding::NotConfirmed);
    }

    #[test]
    fn more_chances_need_more_significance() {
        let one = LeadLagSetup { steps: vec![Span::secs(1)], ..LeadLagSetup::new(Span::ZERO) };
        assert!((one.t_bound() - T_BOUND_MIN).abs() < 1e-12, "3.02 is rounded up");
        let all = LeadLagSetup { pairs_studied: 10, ..LeadLagSetup::new(Span::ZERO) };
        assert!((all.t_bound() - 4.0).abs() < 0.05, "0.05 over 800 tests: {}", all.t_bound());
    }

    #[test]
    fn periods_that_overlap_confirm_nothing() {
        let [a, b] = pair(3, Span::ZERO, Span::ZERO, 1.0);
        let at = Ts::from_secs;
        let setup = LeadLagSetup::new(Span::ZERO);
        for periods in [[(at(0), at(10)), (at(9), at(20))], [(at(0), at(0)), (at(9), at(20))]] {
            assert_eq!(lead_lag_study(&a, &b, periods, &setup), Err(LeadLagFault::Periods));
        }
        let setup = LeadLagSetup { steps: vec![Span::ZERO], ..setup };
        let periods = [(at(0), at(10)), (at(10), at(20))];
        assert_eq!(lead_lag_study(&a, &b, periods, &setup), Err(LeadLagFault::Steps));
    }
}
