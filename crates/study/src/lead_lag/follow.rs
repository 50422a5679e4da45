//! What a lead is worth to someone who follows it, after costs (research §10).
//!
//! The rule: when the leader's last return, as received by us, is among its largest tenth of an earlier period, take the same direction in
//! the follower (the other one where they correlate negatively) and hold for the lead. The bound comes from the period in which the lead was
//! sought and is traded in the one that confirmed it; the follower's order book is met after the latency, like every order's.

use super::mids::{MidSeries, StudyClock};
use crate::money::backtest::{BacktestFault, HoldRule, StanceSignal, backtest};
use crate::money::blotter::{FundingPayment, Stance, TradeTerms};
use crate::money::books::BookAt;
use crate::money::report::TradeReport;
use crate::money::resample::quantile;
use barograph_domain::{Span, Ts};

/// Moves smaller than this quantile of the leader's earlier ones are not followed.
pub const FOLLOW_QUANTILE: f64 = 0.9;

/// The rule as it was set before it was traded.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FollowRule {
    /// Distance of the grid's points.
    pub step: Span,
    /// How long the leader leads, and the position is held.
    pub lead: Span,
    /// Smallest move of the leader, as an absolute logarithmic return over a step, that is followed.
    pub bound: f64,
    /// Do they correlate negatively?
    pub opposite: bool,
    /// A mid older than this is none.
    pub age_max: Span,
}

impl FollowRule {
    /// Sets the bound by the leader's moves in a period, by our clock. `None` where it has none.
    #[must_use]
    pub fn fit(
        leader: &MidSeries,
        period: (Ts, Ts),
        step: Span,
        lead: Span,
        opposite: bool,
        age_max: Span,
    ) -> Option<Self> {
        let returns = leader.returns(StudyClock::Receipt, period, step, age_max);
        let mut sizes: Vec<f64> = returns.into_iter().flatten().map(f64::abs).collect();
        sizes.sort_by(f64::total_cmp);
        Some(Self { step, lead, bound: quantile(&sizes, FOLLOW_QUANTILE)?, opposite, age_max })
    }

    /// What the rule wants at each point of the grid in a period. A leader that does not move is not followed.
    #[must_use]
    pub fn signals(&self, leader: &MidSeries, period: (Ts, Ts)) -> Vec<StanceSignal> {
        let returns = leader.returns(StudyClock::Receipt, period, self.step, self.age_max);
        let moments = core::iter::successors(Some(period.0 + self.step), |t| Some(*t + self.step));
        let stance = |r: Option<f64>| match r.filter(|r| r.abs() >= self.bound && r.abs() > 0.0) {
            None => Stance::Flat,
            Some(r) if (r > 0.0) == self.opposite => Stance::Short,
            Some(_) => Stance::Long,
        };
        moments.zip(returns).map(|(known_ts, r)| StanceSignal { known_ts, stance: stance(r) }).collect()
    }

    /// Trades the follower by the rule in a period that the bound was not set by.
    ///
    /// # Errors
    /// The period has no point, or the terms cannot be traded on.
    pub fn value(
        &self,
        leader: &MidSeries,
        period: (Ts, Ts),
        terms: &TradeTerms,
        follower: &mut dyn BookAt,
        payments: &[FundingPayment],
    ) -> Result<TradeReport, BacktestFault> {
        let holding = HoldRule { horizon: self.lead, renewed: false };
        backtest(&self.signals(leader, period), holding, terms, follower, payments)
    }
}

#[cfg(test)]
mod tests {
    use super::super::mids::MidPoint;
    use super::*;
    use crate::money::books::RecordedBooks;
    use crate::money::fees::TakerFee;
    use crate::money::fills::TakerBook;

    /// The leader jumps by 20 bps every 20 s, up and down in turn, and wobbles between; the follower does the same three seconds later.
    fn mid(s: i64) -> f64 {
        let jumps = s.div_euclid(20);
        1_000.0 * (1.0 + if jumps % 2 == 0 { 0.0 } else { 0.002 }) + 0.01 * if s % 2 == 0 { 1.0 } else { 0.0 }
    }

    fn market(half_spread: f64) -> (MidSeries, RecordedBooks) {
        let point = |s: i64| MidPoint { event_ts: Ts::from_secs(s), recv_ts: Ts::from_secs(s), mid: Some(mid(s)) };
        let points: Vec<_> = (0..2_000).map(point).collect();
        let book = |s: i64| TakerBook::new([(mid(s - 3) - half_spread, 1e3)], [(mid(s - 3) + half_spread, 1e3)]).ok();
        let books = (0..2_100).map(|s| (Ts::from_secs(s), book(s))).collect();
        (MidSeries::new(&points), RecordedBooks::new(books, Span::secs(1)))
    }

    fn value(half_spread: f64, latency: Span, opposite: bool) -> TradeReport {
        let (leader, mut books) = market(half_spread);
        let at = Ts::from_secs;
        let (one, lead, age) = (Span::secs(1), Span::secs(3), Span::secs(5));
        let mut rule = FollowRule::fit(&leader, (at(0), at(1_000)), one, lead, opposite, age).unwrap();
        assert!(rule.bound < 1e-4, "nine in ten moves are wobbles");
        rule.bound = 1e-3;
        let terms = TradeTerms { latency, ..TradeTerms::new(TakerFee::new("test", 5.0).unwrap()) };
        rule.value(&leader, (at(1_000), at(1_999)), &terms, &mut books, &[]).unwrap()
    }

    #[test]
    fn following_earns_the_move_less_the_costs() {
        let report = value(0.05, Span::millis(250), false);
        assert_eq!(report.trips.len(), 49);
        assert!((report.break_even_cost_bps().unwrap() - 20.0).abs() < 0.3, "{:?}", report.break_even_cost_bps());
        assert!((report.avg_cost_bps().unwrap() - 11.0).abs() < 0.1, "5 bps a side and a spread of 1");
        assert!(report.net() > 0.0 && value(0.6, Span::millis(250), false).net() < 0.0, "a wide spread eats it");
    }

    #[test]
    fn who_comes_late_or_goes_the_other_way_pays() {
        let late = value(0.05, Span::secs(4), false);
        assert!(late.break_even_cost_bps().unwrap().abs() < 1.0, "{:?}", late.break_even_cost_bps());
        let other = value(0.05, Span::millis(250), true);
        assert!((other.break_even_cost_bps().unwrap() + 20.0).abs() < 0.3, "{:?}", other.break_even_cost_bps());
    }
}
