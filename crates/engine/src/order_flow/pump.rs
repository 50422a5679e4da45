//! PUMP_AND_DUMP: within five minutes the price rises further than it does here, on many times the usual volume that buyers take;
//! within an hour half of it is gone again (surveillance §5). Opens with the rise, and is reported again with the fall.

use super::facts::Facts;
use super::finding::{FlowFinding, FlowVerdict};
use super::hours::Hours;
use super::rise::{RISE_S, Rise};
use super::view::FlowView;
use crate::kernel::{TrailingHist, rank};
use barograph_domain::{Severity, Span};
use serde::{Deserialize, Serialize};

/// Days of its own that a market needs.
const DAYS_MIN: usize = 7;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct PumpAndDump {
    rises: TrailingHist,
    rise: Option<Rise>,
}

impl Default for PumpAndDump {
    fn default() -> Self {
        Self { rises: TrailingHist::new(Span::days(1), 30), rise: None }
    }
}

impl PumpAndDump {
    /// Looks at the second that closed.
    pub(super) fn second(&mut self, second: i64, v: &FlowView<'_>, hours: &Hours) {
        let Some(mid) = v.seconds.back().next().and_then(|s| s.mid) else { return };
        if let Some(rise) = &mut self.rise {
            rise.follow(v.now, mid, v.t);
            if v.now - rise.at > v.span(60.0 * v.t.pump_back_min) {
                self.rise = None;
            }
            return;
        }
        let window = || v.seconds.back().take(RISE_S);
        let low = window().filter_map(|s| s.mid).fold(mid, f64::min);
        let moved = mid / low - 1.0;
        let rare = self.rises.quantile(v.t.pump_rise_q).filter(|_| self.rises.slots() >= DAYS_MIN);
        if second % 60 == 59 {
            self.rises.push(v.now, moved);
        }
        let limit = rare.unwrap_or(0.0).max(v.t.pump_rise);
        if moved < limit || rare.is_none() {
            return;
        }
        let mut fives: Vec<f64> = hours.same_hour(second.div_euclid(3_600)).map(|r| r.five).collect();
        fives.sort_unstable_by(f64::total_cmp);
        let usual = rank::quantile(&fives, 0.5).filter(|five| *five > 0.0 && fives.len() >= DAYS_MIN);
        let volume: f64 = window().map(super::seconds::SecondSum::volume).sum();
        let buyers = window().map(|s| s.bought).sum::<f64>() / volume;
        let Some(volume_u) = usual.map(|usual| volume / usual).filter(|u| *u >= v.t.pump_volume) else { return };
        if buyers >= v.t.pump_buyers {
            let (at, from, move_u) = (v.now, low, (moved, limit));
            self.rise = Some(Rise { at, from, top: mid, move_u, volume_u, buyers, back: 0.0, fell: None });
        }
    }

    pub(super) fn judge(&self, v: &FlowView<'_>, _factor: f64) -> FlowVerdict {
        let of = |rise: &Rise| FlowFinding {
            holds: rise.fell.is_none_or(|fell| fell == v.now),
            strengths: rise.strengths(v.t),
            severity: if rise.fell.is_some() { Severity::High } else { Severity::Medium },
        };
        let finding = || self.rise.as_ref().map_or(FlowFinding::CALM, of);
        v.of_trades(finding, v.has_book && self.rises.slots() >= DAYS_MIN)
    }

    pub(super) fn show(&self, facts: &mut Facts) {
        let Some(rise) = &self.rise else { return };
        facts.word("phase", if rise.fell.is_some() { "DUMP" } else { "PUMP" });
        facts.number("rise_5m", rise.move_u.0);
        facts.number("volume_ratio", rise.volume_u);
        facts.number("buyers", rise.buyers);
        facts.number("given_back", rise.back);
    }
}
