//! One budget: so much weight per period.
//!
//! A sliding budget counts what was spent within the last period. An aligned one is refilled by the venue at whole
//! multiples of the period by its own clock, which is never quite ours: spending close to a boundary is counted in both
//! periods, as far as [`skew`] reaches. What the venue reports as used corrects our count upward, never downward, since
//! its report is older than our newest request. Some of the weight is left unspent as a margin, for requests that take
//! longer to arrive than others and for other programs behind the same address.

use barograph_domain::{Span, Ts};
use std::collections::VecDeque;

/// A budget and what has been spent of it.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    cap: u32,
    per: Span,
    aligned: bool,
    /// What still counts: until when, how much, and in which of the venue's periods (aligned budgets).
    spent: VecDeque<Spent>,
    used: u32,
    paused_until: Ts,
}

#[derive(Clone, Copy, Debug)]
struct Spent {
    until: Ts,
    weight: u32,
    period: Ts,
}

/// How far the venue's clock may be from ours: 2 s, the worst of the recorded captures being 1.5 s; a tenth of short periods.
const fn skew(per: Span) -> Span {
    let tenth = per.0 / 10;
    let two_s = Span::secs(2).0;
    Span(if tenth < two_s { tenth } else { two_s })
}

impl Budget {
    /// `weight` per `per`, of which `margin_percent` is left.
    pub(crate) fn new(weight: u32, per: Span, aligned: bool, margin_percent: u32) -> Self {
        let kept = u64::from(weight) * u64::from(margin_percent) / 100;
        let cap = weight.saturating_sub(u32::try_from(kept).unwrap_or(u32::MAX)).max(1);
        let per = Span(per.0.max(1));
        Self { cap, per, aligned, spent: VecDeque::new(), used: 0, paused_until: Ts::MIN }
    }

    /// What may be spent per period.
    pub(crate) const fn cap(&self) -> u32 {
        self.cap
    }

    /// What counts as spent at `now`.
    pub(crate) fn used(&mut self, now: Ts) -> u32 {
        self.forget(now);
        self.used
    }

    /// End of the current pause, where there is one.
    pub(crate) fn paused_until(&self, now: Ts) -> Option<Ts> {
        (self.paused_until > now).then_some(self.paused_until)
    }

    /// The earliest moment from `now` on at which `weight` more stays within `limit`, if nothing else is spent. A weight
    /// larger than the limit may go when nothing else counts.
    pub(crate) fn ready_at(&mut self, now: Ts, weight: u32, limit: u32) -> Ts {
        self.forget(now);
        let limit = limit.min(self.cap);
        let room = limit.saturating_sub(weight);
        let mut used = self.used;
        let mut at = now;
        let mut order: Vec<Spent> = Vec::new();
        if used > room {
            order.extend(&self.spent);
            order.sort_by_key(|s| s.until);
        }
        for spent in order {
            if used <= room {
                break;
            }
            used = used.saturating_sub(spent.weight);
            at = at.max(spent.until);
        }
        at.max(self.paused_until)
    }

    /// Spends `weight` at `now`.
    pub(crate) fn spend(&mut self, now: Ts, weight: u32) {
        self.forget(now);
        let (until, period) = self.span_of(now);
        self.add(Spent { until, weight, period });
    }

    /// The venue says that `used` counts in the period in which a request of ours was sent.
    pub(crate) fn observed(&mut self, now: Ts, sent: Ts, used: u32) {
        self.forget(now);
        let (until, period) = self.span_of(sent);
        if until <= now {
            return;
        }
        let ours: u32 = self.spent.iter().filter(|s| !self.aligned || s.period == period).map(|s| s.weight).sum();
        if used > ours {
            self.add(Spent { until, weight: used - ours, period });
        }
    }

    /// Spends nothing before `until`.
    pub(crate) fn pause(&mut self, until: Ts) {
        self.paused_until = self.paused_until.max(until);
    }

    /// Until when something spent at `at` counts, and the venue's period that is.
    fn span_of(&self, at: Ts) -> (Ts, Ts) {
        if !self.aligned {
            return (at + self.per, at);
        }
        let skew = skew(self.per);
        let end = (at + skew).floor(self.per) + self.per;
        (end + skew, end)
    }

    fn add(&mut self, spent: Spent) {
        self.used = self.used.saturating_add(spent.weight);
        // Requests of one moment share an entry, so that memory follows the number of moments with a limit of their own.
        match self.spent.back_mut() {
            Some(last) if last.until == spent.until && last.period == spent.period => {
                last.weight = last.weight.saturating_add(spent.weight);
            }
            _ => self.spent.push_back(spent),
        }
    }

    fn forget(&mut self, now: Ts) {
        self.spent.retain(|s| s.until > now);
        self.used = self.spent.iter().fold(0, |sum, s| sum.saturating_add(s.weight));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(i64) -> Ts = Ts::from_secs;

    #[test]
    fn a_sliding_budget_gives_back_after_the_period() {
        let mut b = Budget::new(10, Span::secs(60), false, 0);
        b.spend(S(0), 4);
        b.spend(S(30), 6);
        for (now, weight, want) in [(30, 1, 60), (30, 4, 60), (30, 5, 90), (60, 4, 60), (60, 5, 90), (90, 10, 90)] {
            assert_eq!(b.clone().ready_at(S(now), weight, u32::MAX), S(want), "{weight} at {now}");
        }
    }

    #[test]
    fn an_aligned_budget_is_refilled_at_the_boundary_give_or_take_the_skew() {
        let mut b = Budget::new(10, Span::secs(60), true, 0);
        b.spend(S(10), 10);
        assert_eq!(b.clone().ready_at(S(11), 1, u32::MAX), S(62));
        // So close to the boundary the venue may have begun the next period: it counts until the end of that.
        let mut b = Budget::new(10, Span::secs(60), true, 0);
        b.spend(S(59), 10);
        assert_eq!(b.ready_at(S(61), 1, u32::MAX), S(122));
    }

    #[test]
    fn the_venues_count_corrects_upward_only() {
        let mut b = Budget::new(100, Span::secs(60), true, 10);
        assert_eq!(b.cap(), 90);
        b.spend(S(5), 20);
        b.observed(S(6), S(5), 10);
        assert_eq!(b.used(S(6)), 20);
        b.observed(S(6), S(5), 70);
        assert_eq!(b.used(S(6)), 70);
        b.observed(S(70), S(5), 100);
        assert_eq!(b.used(S(70)), 0, "that was the period before");
    }

    #[test]
    fn too_large_a_weight_waits_for_an_empty_budget_and_a_pause_holds_everything() {
        let mut b = Budget::new(10, Span::secs(60), false, 0);
        assert_eq!(b.ready_at(S(0), 50, u32::MAX), S(0));
        b.spend(S(0), 1);
        assert_eq!(b.ready_at(S(1), 50, u32::MAX), S(60));
        assert_eq!(b.ready_at(S(1), 2, 2), S(60), "a lower limit");
        b.pause(S(100));
        b.pause(S(80));
        assert_eq!(b.ready_at(S(1), 1, u32::MAX), S(100));
        assert_eq!((b.paused_until(S(99)), b.paused_until(S(100))), (Some(S(100)), None));
    }

    #[test]
    fn even_a_budget_of_one_can_be_spent() {
        for margin in [0, 10, 100] {
            assert_eq!(Budget::new(1, Span::secs(1), false, margin).cap(), 1);
        }
    }
}
