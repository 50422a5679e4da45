//! Ratios of accounts and positions, polled: which share of them is long. Source: sheet USD-M §3.3 and §9.
//!
//! A row is stamped with the beginning of its five minutes and measured at their end, as archives are since 2026-06-25; where a
//! stamp is younger than that (the documents disagree) it is taken as the end. The endpoints have a budget of their own.

use super::limits::{self, DATA};
use super::rest;
use super::session::{Binance, Purpose};
use crate::session::kit::Kit;
use crate::session::registry::escape;
use crate::session::{Out, Priority, RequestId, StreamSpec};
use barograph_domain::{Metric, Payload, Span, Ts};

/// Rows of the venue.
pub(super) const PERIOD: Span = Span::mins(5);
/// The first round is spread over this much: a start waits for it.
const FIRST_WITHIN: Span = Span::secs(20);

/// Where a ratio is found; `None`: it is none of these.
pub(super) const fn path(metric: Metric) -> Option<&'static str> {
    match metric {
        Metric::TopTraderAccountRatio => Some("topLongShortAccountRatio"),
        Metric::TopTraderPositionRatio => Some("topLongShortPositionRatio"),
        Metric::LongShortRatio => Some("globalLongShortAccountRatio"),
        Metric::TakerVolumeRatio => Some("takerlongshortRatio"),
        _ => None,
    }
}

impl Kit<Binance> {
    /// Interval of the ratios of a market, as far as the budget allows.
    pub(super) fn ratio_every(&self, metric: Metric) -> Span {
        let markets = self.markets.iter().filter(|m| m.wanted).count();
        limits::ratio_interval(markets, self.config.every_or(metric, PERIOD))
    }

    /// Schedules one.
    pub(super) fn poll_ratio(&mut self, now: Ts, stream: &StreamSpec) {
        let every = self.ratio_every(stream.metric);
        let markets = i64::try_from(self.markets.len().max(1)).unwrap_or(i64::MAX);
        let offset = Span(FIRST_WITHIN.0 / markets * i64::from(stream.market.0).rem_euclid(markets));
        let volume = self.spec(stream.market).and_then(|s| s.volume_24h_quote);
        self.state.ratios.add(stream.market, stream.metric, every, volume, now + offset);
    }

    pub(super) fn ask_ratios(&mut self, now: Ts, out: &mut Out) {
        while self.may_ask(now) {
            let Some((id, market, metric)) = self.desk.next_poll(now, &mut self.state.ratios) else { return };
            let (Some(symbol), Some(path)) = (self.spec(market).map(|s| escape(&s.symbol)), path(metric)) else {
                return;
            };
            let rest = &self.config.endpoints.rest;
            let url = format!("{rest}/futures/data/{path}?symbol={symbol}&period=5m&limit=1");
            self.request_as(now, id, Purpose::Ratio, url, (DATA, 1), Priority::Poll, out);
        }
    }

    /// An answer. One without a row says that there is none yet.
    pub(super) fn ratio(&mut self, now: Ts, request: RequestId, body: &[u8], out: &mut Out) -> Option<()> {
        let row = rest::ratio(body)?;
        let (market, metric) = self.state.ratios.answered(now, request, true)?;
        let Some((stamp, ratio)) = row else { return Some(()) };
        let at = if stamp + PERIOD <= now { stamp + PERIOD } else { stamp };
        let known = self.desk.tracker.get(market, metric).and_then(|s| s.newest);
        if known.is_none_or(|newest| at > newest) {
            self.desk.tracker.progress(market, metric, now, at, out);
            out.live(market, metric, at, 0, Payload::Value(ratio));
        }
        Some(())
    }
}
