//! LAYERING: orders are stacked at several prices of one side at once, the market answers, and all are taken back together
//! (surveillance §5).

use super::facts::Facts;
use super::finding::{EvidenceStrength, FlowFinding, FlowVerdict};
use super::posted::{BookMoment, PostedOrder};
use super::recent::Recent;
use super::stack::Stack;
use super::view::FlowView;
use super::{accounting::RestingSide, usual::of_length};
use barograph_domain::Span;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Layering {
    stacks: Recent<Stack>,
}

impl Layering {
    /// Judges stacks of which nobody can be missing any more.
    pub(super) fn second(&mut self, v: &mut FlowView<'_>) {
        let together = v.span(v.t.layer_together_ms / 1e3);
        for at in 0..v.posted.orders.len() {
            let first = v.posted.orders[at];
            let Some(gone) = first.gone_stacked.filter(|gone| !first.stacked && v.now - gone.at >= together) else {
                continue;
            };
            let in_it = |o: &PostedOrder| {
                let near = !o.stacked && o.side == first.side && o.distance_bps <= v.t.layer_distance_bps;
                let after = o.posted.at - first.posted.at;
                let went = |other: BookMoment| (other.at - gone.at).0.abs() <= together.0;
                near && (Span::ZERO..=together).contains(&after) && o.gone_stacked.is_some_and(went)
            };
            let mut prices: Vec<i64> = v.posted.orders.iter().filter(|o| in_it(o)).map(|o| o.units).collect();
            prices.sort_unstable();
            prices.dedup();
            let (levels, life) = (prices.len() as f64, gone.at - first.posted.at);
            if levels < v.t.layer_levels || life.as_secs_f64() > v.t.layer_life_s {
                continue;
            }
            let size = v.posted.orders.iter().filter(|o| in_it(o)).map(|o| o.size).sum();
            let opposite = v.tenths.took(first.side.opposite(), first.posted.at, gone.at);
            let usual = of_length(&v.usual.levels.opposite_stacked, life).unwrap_or(f64::INFINITY);
            let moved = first.moved_away(&gone) / (v.t.layer_move_spreads * first.posted.spread);
            let answer = moved.max(if usual > 0.0 { opposite / usual } else { 0.0 });
            let counts = answer >= 1.0 && !first.is_stale(&gone, v.t);
            for order in v.posted.orders.iter_mut().filter(|o| prices.contains(&o.units) && in_it(o)) {
                (order.stacked, order.counted) = (true, order.counted || counts);
            }
            if counts {
                v.seconds.set_apart(first.posted.at, gone.at);
                self.stacks.push(Stack { at: v.now, side: first.side, levels, size, life, answer });
            }
        }
        self.stacks.forget(v.now, v.span(v.t.layer_window_s));
    }

    fn mean(&self, of: fn(&Stack) -> f64) -> f64 {
        self.stacks.mean(|_| true, of)
    }

    pub(super) fn judge(&self, v: &FlowView<'_>, factor: f64) -> FlowVerdict {
        let (n, t) = (self.stacks.count(|_| true), v.t);
        let holds = n > 0.0 && n >= factor * t.layer_episodes;
        let strengths = [
            Some(EvidenceStrength::of("layer_levels", self.mean(|s| s.levels), t.layer_levels, "count")),
            Some(EvidenceStrength::of("layer_episodes", n, t.layer_episodes, "count")),
            Some(EvidenceStrength::of("layer_answer", self.mean(|s| s.answer), 1.0, "ratio")),
            None,
        ];
        let known = v.usual.levels.add_stacked.is_some();
        v.of_book(|| FlowFinding::by_score(holds, strengths, t), known)
    }

    pub(super) fn show(&self, facts: &mut Facts) {
        facts.word("side", self.stacks.newest().map_or(RestingSide::Bid, |s| s.side).name());
        facts.number("stacks", self.stacks.count(|_| true));
        facts.number("levels", self.mean(|s| s.levels));
        facts.number("size", self.mean(|s| s.size));
        facts.number("life_s", self.mean(|s| s.life.as_secs_f64()));
    }
}
