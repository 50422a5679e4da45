//! How many accounts are long for each that is short, polled (sheet §3, `account-ratio`). Rows of five minutes, stamped with their
//! beginning; contracts only.

use super::session::Bybit;
use super::wire;
use crate::session::history::Job;
use crate::session::wire::each;
use crate::session::{Decimal, MarketIndex, Out, Priority};
use barograph_domain::{Metric, Payload, Span, Ts};

/// What is polled here.
pub(super) const METRIC: Metric = Metric::LongShortRatio;
/// Rows of the venue.
pub(super) const PERIOD: Span = Span::mins(5);
/// The first round is spread over this much.
const FIRST_WITHIN: Span = Span::secs(20);

impl Bybit {
    /// Wants the newest row of each market whose turn it is.
    pub(super) fn want_ratios(&mut self, now: Ts) {
        let every = self.config.every_or(METRIC, PERIOD);
        let spread = FIRST_WITHIN.0 / i64::try_from(self.state.markets.len().max(1)).unwrap_or(i64::MAX);
        for (n, market) in (0_u32..).zip(&mut self.state.markets) {
            let index = MarketIndex(n);
            if market.channels == 0 || !self.state.desk.wants(index, METRIC) {
                continue;
            }
            let due = *market.ratio_due.get_or_insert(now + Span(spread * i64::from(n)));
            if now >= due {
                market.ratio_due = Some((due + every).max(now));
                self.state.desk.history.want(index, METRIC, now - PERIOD.times(2), now, Priority::Poll, now);
            }
        }
    }

    /// An answer; an empty list says that there is no row yet.
    pub(super) fn ratio(&mut self, now: Ts, job: &Job, json: &str, out: &mut Out) -> Option<bool> {
        let mut rows = Vec::new();
        let number = |text: &str| Decimal::parse(text.as_bytes()).map(Decimal::to_f64).filter(|share| *share > 0.0);
        let whole = each(json, |r: wire::Ratio<'_>| {
            let ratio = number(&r.buy_ratio).zip(number(&r.sell_ratio)).map(|(long, short)| long / short);
            rows.push(r.timestamp.ts().zip(ratio));
        });
        if !whole || rows.iter().any(Option::is_none) {
            return None;
        }
        let newest = rows.into_iter().flatten().max_by_key(|(stamp, _)| *stamp);
        let Some((stamp, ratio)) = newest else { return Some(true) };
        let at = if stamp + PERIOD <= now { stamp + PERIOD } else { stamp };
        let known = self.state.desk.tracker.get(job.market, METRIC).and_then(|s| s.newest);
        if known.is_none_or(|before| at > before) {
            self.state.desk.tracker.progress(job.market, METRIC, now, at, out);
            out.live(job.market, METRIC, at, 0, Payload::Value(ratio));
        }
        Some(true)
    }
}
