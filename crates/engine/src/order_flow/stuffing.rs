//! QUOTE_STUFFING: levels change far more often than ever here, hardly anything trades, and the price does not move
//! (surveillance §5). An update is a level that changed: a feed in steps of 100 ms sends ten messages a second whatever happens.

use super::facts::Facts;
use super::finding::{EvidenceStrength, FlowFinding, FlowVerdict};
use super::view::FlowView;
use barograph_domain::Severity;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct QuoteStuffing {
    /// Seconds in a row until now, and the rate of the last of them over its limit.
    run: u32,
    rate: f64,
    limit: f64,
    trades: u32,
}

impl QuoteStuffing {
    /// Judges the second that closed. Was it one of them?
    pub(super) fn second(&mut self, v: &FlowView<'_>) -> bool {
        let mut back = v.seconds.back();
        let (newest, before) = (back.next(), back.next());
        let levels = &v.usual.levels;
        let (Some(sum), Some(rare), Some(median)) = (newest, levels.rate, levels.rate_median) else {
            self.run = 0;
            return false;
        };
        let rate = f64::from(sum.updates);
        (self.rate, self.limit, self.trades) = (rate, rare.max(v.t.stuffing_medians * median), sum.trades);
        // An open episode goes on a little below the limit that begins one.
        let limit = if self.run > 0 { v.t.flow_keep * self.limit } else { self.limit };
        let still = sum.mid.zip(before.and_then(|b| b.mid));
        let still = still.is_some_and(|(now, then)| 0.5 * (now - then).abs() <= v.t.stuffing_ticks * v.tick);
        let hit = rate > limit && rate > v.t.stuffing_per_trade * f64::from(sum.trades.max(1)) && still;
        self.run = if hit { self.run.saturating_add(1) } else { 0 };
        hit
    }

    pub(super) fn lose(&mut self) {
        self.run = 0;
    }

    pub(super) fn judge(&self, v: &FlowView<'_>, _factor: f64) -> FlowVerdict {
        let (run, t) = (f64::from(self.run), v.t);
        let finding = || FlowFinding {
            holds: run >= t.stuffing_seconds,
            strengths: [
                Some(EvidenceStrength::of("book_updates_1s", self.rate, self.limit, "count")),
                Some(EvidenceStrength::of("stuffing_seconds", run, t.stuffing_seconds, "s")),
                None,
                None,
            ],
            severity: if run >= t.stuffing_medium_s { Severity::Medium } else { Severity::Low },
        };
        v.of_book(finding, v.usual.levels.rate.is_some() && v.usual.levels.rate_median.is_some())
    }

    pub(super) fn show(&self, facts: &mut Facts) {
        facts.number("updates_1s", self.rate);
        facts.number("usual_most_1s", self.limit);
        facts.number("trades_1s", f64::from(self.trades));
        facts.number("seconds", f64::from(self.run));
    }
}
