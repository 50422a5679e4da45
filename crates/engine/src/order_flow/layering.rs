//! LAYERING: orders are stacked at several prices of one side at once, the market answers, and all are taken back together
//! (surveillance §5).

use super::facts::Facts;
use super::finding::{EvidenceStrength, FlowFinding, FlowVerdict};
use super::posted::PostedOrder;
use super::view::FlowView;
use super::{accounting::RestingSide, usual::of_length};
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Stacks that are remembered.
const MEMORY: usize = 64;

/// Orders that came and went together.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Stack {
    at: Ts,
    side: RestingSide,
    levels: f64,
    size: f64,
    life: Span,
    /// What the market did over what it had to, whichever of the two it did more of.
    answer: f64,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Layering {
    stacks: VecDeque<Stack>,
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
                let went = |gone: super::posted::BookMoment| {
                    (gone.at - first.gone_stacked.map_or(gone.at, |g| g.at)).0.abs() <= together.0
                };
                !o.stacked
                    && o.side == first.side
                    && o.posted.at - first.posted.at <= together
                    && o.posted.at >= first.posted.at
                    && o.distance_bps <= v.t.layer_distance_bps
                    && o.gone_stacked.is_some_and(went)
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
                self.stacks.push_back(Stack { at: v.now, side: first.side, levels, size, life, answer });
            }
        }
        while self.stacks.len() > MEMORY
            || self.stacks.front().is_some_and(|s| v.now - s.at >= v.span(v.t.layer_window_s))
        {
            self.stacks.pop_front();
        }
    }

    fn mean(&self, of: fn(&Stack) -> f64) -> f64 {
        self.stacks.iter().map(of).sum::<f64>() / (self.stacks.len() as f64).max(1.0)
    }

    pub(super) fn judge(&self, v: &FlowView<'_>, factor: f64) -> FlowVerdict {
        let (n, t) = (self.stacks.len() as f64, v.t);
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
        facts.word("side", self.stacks.back().map_or(RestingSide::Bid, |s| s.side).name());
        facts.number("stacks", self.stacks.len() as f64);
        facts.number("levels", self.mean(|s| s.levels));
        facts.number("size", self.mean(|s| s.size));
        facts.number("life_s", self.mean(|s| s.life.as_secs_f64()));
    }
}
