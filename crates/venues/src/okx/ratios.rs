//! How many accounts are long for each that is short, of all traders and of the largest twentieth, and the same of the positions of
//! those; polled. Rows of five minutes, stamped with their beginning; contracts only. Source: the official page "Trading
//! Statistics" in a public copy; no capture has them (README).

use super::session::Okx;
use crate::session::history::Job;
use crate::session::wire::{Millis, each};
use crate::session::{Decimal, MarketIndex, Out, Priority};
use barograph_domain::{Metric, Payload, Span, Ts};

/// What is polled here, in the order of [`super::session::Market::ratio_due`].
pub(super) const METRICS: [Metric; 3] =
    [Metric::LongShortRatio, Metric::TopTraderAccountRatio, Metric::TopTraderPositionRatio];
/// Rows of the venue.
pub(super) const PERIOD: Span = Span::mins(5);
/// The first round is spread over this much: a start waits for it.
const FIRST_WITHIN: Span = Span::secs(20);

/// Where a ratio is found; `None`: it is none of these.
pub(super) const fn path(metric: Metric) -> Option<&'static str> {
    match metric {
        Metric::LongShortRatio => Some("long-short-account-ratio-contract"),
        Metric::TopTraderAccountRatio => Some("long-short-account-ratio-contract-top-trader"),
        Metric::TopTraderPositionRatio => Some("long-short-position-ratio-contract-top-trader"),
        _ => None,
    }
}

impl Okx {
    /// Wants the newest row of each market and ratio whose turn it is.
    pub(super) fn want_ratios(&mut self, now: Ts) {
        let spread = FIRST_WITHIN.0 / i64::try_from(self.state.markets.len().max(1)).unwrap_or(i64::MAX);
        for (n, market) in (0_u32..).zip(&mut self.state.markets) {
            let index = MarketIndex(n);
            if market.channels == 0 {
                continue;
            }
            for (metric, next) in METRICS.into_iter().zip(&mut market.ratio_due) {
                if !self.state.desk.wants(index, metric) {
                    continue;
                }
                let due = *next.get_or_insert(now + Span(spread * i64::from(n)));
                if now >= due {
                    *next = Some((due + self.config.every_or(metric, PERIOD)).max(now));
                    self.state.desk.history.want(index, metric, now - PERIOD.times(2), now, Priority::Poll, now);
                }
            }
        }
    }

    /// An answer; an empty list says that there is no row yet.
    pub(super) fn ratio(&mut self, now: Ts, job: &Job, list: &str, out: &mut Out) -> Option<bool> {
        let mut rows = Vec::new();
        let whole = each(list, |[stamp, ratio]: [&str; 2]| {
            let stamp = stamp.parse().ok().and_then(|ms: i64| Millis(Some(ms)).ts());
            let ratio = Decimal::parse(ratio.as_bytes()).map(Decimal::to_f64).filter(|ratio| *ratio > 0.0);
            rows.push(stamp.zip(ratio));
        });
        if !whole || rows.iter().any(Option::is_none) {
            return None;
        }
        let Some((stamp, ratio)) = rows.into_iter().flatten().max_by_key(|(stamp, _)| *stamp) else {
            return Some(true);
        };
        // One that is younger than its five minutes is taken for the end of them.
        let at = if stamp + PERIOD <= now { stamp + PERIOD } else { stamp };
        let known = self.state.desk.tracker.get(job.market, job.metric).and_then(|s| s.newest);
        if known.is_none_or(|before| at > before) {
            self.state.desk.tracker.progress(job.market, job.metric, now, at, out);
            out.live(job.market, job.metric, at, 0, Payload::Value(ratio));
        }
        Some(true)
    }
}
