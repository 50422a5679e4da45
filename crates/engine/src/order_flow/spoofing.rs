//! SPOOFING: a large order is shown, the other side trades, and the order is taken back before it could (surveillance §5).
//!
//! How likely a large order that comes and goes is one of these depends on where it stands: neither at the best price nor far
//! away. Its weight is `(d/d*)·exp(1 − d/d*)` of its distance `d`, 1 at the distance `d*` where this market's own large orders are
//! taken back most often (posting distance decides: arXiv 2504.15908).

use super::facts::Facts;
use super::feint::{Feint, FeintSize};
use super::finding::{EvidenceStrength, FlowFinding, FlowVerdict};
use super::recent::Recent;
use super::view::FlowView;
use super::{accounting::RestingSide, usual::of_length};
use barograph_domain::Span;
use barograph_domain::math::exp;
use serde::{Deserialize, Serialize};

/// The trades of so long after the order count as well.
const AFTER: Span = Span::secs(1);

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Spoofing {
    feints: Recent<Feint>,
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
            let (at, side, size, distance_bps) = (v.now, order.side, order.size, order.distance_bps);
            let far = levels.distance_bps.map_or(1.0, |most| distance_bps / most);
            let of_it = FeintSize { size, size_from, distance_bps, weight: far * exp(1.0 - far) };
            self.feints.push(Feint { at, side, of_it, life, opposite, opposite_from });
        }
        self.feints.forget(v.now, v.span(t.spoof_window_s));
    }

    fn count(&self, side: RestingSide) -> f64 {
        self.feints.count(|f| f.side == side)
    }

    fn side(&self) -> RestingSide {
        let more = self.count(RestingSide::Ask) > self.count(RestingSide::Bid);
        if more { RestingSide::Ask } else { RestingSide::Bid }
    }

    /// The mean of a number over the side that has more.
    fn mean(&self, of: fn(&Feint) -> f64) -> f64 {
        let side = self.side();
        self.feints.mean(|f| f.side == side, of)
    }

    pub(super) fn judge(&self, v: &FlowView<'_>, factor: f64) -> FlowVerdict {
        let (n, t) = (self.count(self.side()), v.t);
        let mean = |of| self.mean(of);
        let holds = n > 0.0 && n >= factor * t.spoof_episodes;
        let strengths = [
            Some(EvidenceStrength::of(
                "spoof_size",
                mean(|f| f.of_it.weight * f.of_it.size),
                mean(|f| f.of_it.size_from),
                "base",
            )),
            Some(EvidenceStrength::of("spoof_episodes", n, t.spoof_episodes, "count")),
            Some(EvidenceStrength::of("spoof_opposite", mean(|f| f.opposite), mean(|f| f.opposite_from), "base")),
            None,
        ];
        v.of_book(|| FlowFinding::by_score(holds, strengths, t), levels_known(v))
    }

    pub(super) fn show(&self, facts: &mut Facts) {
        facts.word("side", self.side().name());
        facts.number("orders", self.count(self.side()));
        facts.number("size", self.mean(|f| f.of_it.size));
        facts.number("distance_bps", self.mean(|f| f.of_it.distance_bps));
        facts.number("life_s", self.mean(|f| f.life.as_secs_f64()));
        facts.number("opposite_volume", self.mean(|f| f.opposite));
    }
}

fn levels_known(v: &FlowView<'_>) -> bool {
    v.usual.levels.add_large.is_some() && v.usual.levels.opposite_large[0].is_some()
}
