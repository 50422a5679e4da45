//! SPOOFING: a large order is shown, the other side trades, and the order is taken back before it could (surveillance §5).
//!
//! How likely a large order that comes and goes is one of these depends on where it stands: neither at the best price nor far
//! away. Its weight is `(d/d*)·exp(1 − d/d*)` of its distance `d`, 1 at the distance `d*` where this market's own large orders are
//! taken back most often (posting distance decides: arXiv 2504.15908).

use super::facts::Facts;
use super::finding::{EvidenceStrength, FlowFinding, FlowVerdict};
use super::view::FlowView;
use super::{accounting::RestingSide, usual::of_length};
use barograph_domain::math::exp;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The trades of so long after the order count as well.
const AFTER: Span = Span::secs(1);
/// Large orders that are remembered.
const MEMORY: usize = 64;

/// A large order that came and went.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Feint {
    at: Ts,
    side: RestingSide,
    size: f64,
    size_from: f64,
    distance_bps: f64,
    weight: f64,
    life: Span,
    opposite: f64,
    opposite_from: f64,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Spoofing {
    feints: VecDeque<Feint>,
}

impl Spoofing {
    /// Judges the large orders that went a second ago or more.
    pub(super) fn second(&mut self, v: &mut FlowView<'_>) {
        let (t, levels) = (v.t, &v.usual.levels);
        for order in v.posted.orders.iter_mut().filter(|o| !o.judged) {
            let (Some(size_from), Some(gone)) = (order.large_from, order.gone) else { continue };
            let (life, until) = (gone.at - order.posted.at, gone.at + AFTER);
            if v.now < until {
                continue;
            }
            order.judged = true;
            let lived = life.as_secs_f64() <= t.spoof_life_s && order.traded <= t.spoof_traded * order.size;
            let opposite = v.tenths.took(order.side.opposite(), order.posted.at, until);
            let Some(opposite_from) = of_length(&levels.opposite_large, life + AFTER) else { continue };
            if !lived || opposite <= 0.0 || opposite < opposite_from || order.is_stale(&gone, t) {
                continue;
            }
            order.counted = true;
            v.seconds.set_apart(order.posted.at, until);
            let far = levels.distance_bps.map_or(1.0, |most| order.distance_bps / most);
            let (side, size, distance_bps, weight) = (order.side, order.size, order.distance_bps, far * exp(1.0 - far));
            self.feints.push_back(Feint {
                at: v.now,
                side,
                size,
                size_from,
                distance_bps,
                weight,
                life,
                opposite,
                opposite_from,
            });
        }
        while self.feints.len() > MEMORY
            || self.feints.front().is_some_and(|f| v.now - f.at >= v.span(t.spoof_window_s))
        {
            self.feints.pop_front();
        }
    }

    fn of(&self, side: RestingSide) -> impl Iterator<Item = &Feint> {
        self.feints.iter().filter(move |f| f.side == side)
    }

    fn side(&self) -> RestingSide {
        let more = self.of(RestingSide::Ask).count() > self.of(RestingSide::Bid).count();
        if more { RestingSide::Ask } else { RestingSide::Bid }
    }

    pub(super) fn judge(&self, v: &FlowView<'_>, factor: f64) -> FlowVerdict {
        let (n, t) = (self.of(self.side()).count() as f64, v.t);
        let mean = |of: fn(&Feint) -> f64| self.of(self.side()).map(of).sum::<f64>() / n.max(1.0);
        let holds = n > 0.0 && n >= factor * t.spoof_episodes;
        let strengths = [
            Some(EvidenceStrength::of("spoof_size", mean(|f| f.weight * f.size), mean(|f| f.size_from), "base")),
            Some(EvidenceStrength::of("spoof_episodes", n, t.spoof_episodes, "count")),
            Some(EvidenceStrength::of("spoof_opposite", mean(|f| f.opposite), mean(|f| f.opposite_from), "base")),
            None,
        ];
        v.of_book(|| FlowFinding::by_score(holds, strengths, t), levels_known(v))
    }

    pub(super) fn show(&self, facts: &mut Facts) {
        let n = self.of(self.side()).count() as f64;
        let mean = |of: fn(&Feint) -> f64| self.of(self.side()).map(of).sum::<f64>() / n.max(1.0);
        facts.word("side", self.side().name());
        facts.number("orders", n);
        facts.number("size", mean(|f| f.size));
        facts.number("distance_bps", mean(|f| f.distance_bps));
        facts.number("life_s", mean(|f| f.life.as_secs_f64()));
        facts.number("opposite_volume", mean(|f| f.opposite));
    }
}

fn levels_known(v: &FlowView<'_>) -> bool {
    v.usual.levels.add_large.is_some() && v.usual.levels.opposite_large[0].is_some()
}
