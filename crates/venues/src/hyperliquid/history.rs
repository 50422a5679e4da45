//! What is asked for: candles and settled funding of the past, and the contexts of all coins now.
//!
//! All of it is `POST /info`. Only the newest 5000 candles exist: what is older is said to be not available. Funding comes
//! 500 rows at a time, ascending, from a moment on; its interval is computed from the stamps, because rows of May 2023 are
//! eight hours apart.

use super::limits::{self, CANDLE_ROWS, CANDLES_KEPT, FUNDING_ROWS, INFO};
use super::map;
use super::market::{self, Channel};
use super::session::Hyperliquid;
use super::wire;
use crate::session::history::Job;
use crate::session::kit::Kit;
use crate::session::protocol::{Channel as _, Rest};
use crate::session::scan::plain;
use crate::session::{Action, Admit, FailReason, MarketIndex, Out, Priority, Request, RequestId};
use barograph_domain::{Metric, Payload, Span, Ts};

const MINUTE: Span = Span::mins(1);
/// A candle of history is taken this long after its end.
const CANDLE_SETTLES: Span = Span::secs(2);
/// Contexts are asked for this often, although the socket brings them.
const CHECK_EVERY: Span = Span::mins(1);
/// From here on settlements are certainly hourly.
const HOURLY_SINCE: Ts = Ts::from_civil(2024, 1, 1, 0, 0, 0);

/// End of the page that begins where the job does.
fn page_end(job: &Job) -> Ts {
    match job.metric {
        Metric::Bar => job.until.min(job.from.floor(MINUTE) + MINUTE.times(CANDLE_ROWS)),
        _ => job.until,
    }
}

/// The page of a job.
pub(super) fn request(rest: &str, coin: &str, job: &Job, id: RequestId) -> Option<Request> {
    let (from, until) = (job.from.as_millis(), page_end(job).as_millis());
    let (body, weight) = match job.metric {
        Metric::Bar => {
            // Candles are addressed by their beginning.
            let (start, end) = (from.div_euclid(60_000) * 60_000, until - 60_000);
            let req = format!(r#"{{"coin":"{coin}","interval":"1m","startTime":{start},"endTime":{end}}}"#);
            (format!(r#"{{"type":"candleSnapshot","req":{req}}}"#), limits::weight(CANDLE_ROWS, 60))
        }
        Metric::FundingRateSettled => {
            let start = from + 1;
            let hours = ((until - from) / 3_600_000).min(FUNDING_ROWS);
            let body = format!(r#"{{"type":"fundingHistory","coin":"{coin}","startTime":{start},"endTime":{until}}}"#);
            (body, limits::weight(hours, 20))
        }
        _ => return None,
    };
    Some(post(rest, body, weight, job.priority, id))
}

fn post(rest: &str, body: String, weight: u32, priority: Priority, id: RequestId) -> Request {
    let url = format!("{rest}/info");
    Request { id, url, body: Some(body), pool: INFO, weight, priority, timeout: Span::secs(15) }
}

impl Rest for Kit<Hyperliquid> {
    fn ask(&mut self, now: Ts, out: &mut Out) {
        let rest = self.config.endpoints.rest.clone();
        if self.state.contexts_asked.is_none() && self.state.contexts_due <= now && self.wants_contexts() {
            let id = self.desk.request_id();
            let body = r#"{"type":"metaAndAssetCtxs"}"#.to_owned();
            out.actions.push(Action::Request(post(&rest, body, 20, Priority::Poll, id)));
            self.state.contexts_asked = Some(id);
        }
        loop {
            let Some((id, mut job)) = self.desk.next_page(now) else { return };
            let kept = (now - MINUTE.times(CANDLES_KEPT - 2)).ceil(MINUTE);
            if job.metric == Metric::Bar && job.from < kept {
                self.desk.history.answered(id);
                let why = format!("the venue keeps {CANDLES_KEPT} candles: what is older is not available");
                out.fault("not_kept", Some(job.market), &why, &[]);
                self.desk.history.advance(now, &job, kept, None);
                continue;
            }
            job.until = job.until.min(now);
            let coin = self.markets.get(job.market.index()).map(|m| m.coin.as_str());
            match coin.and_then(|c| request(&rest, c, &job, id)) {
                Some(request) => out.actions.push(Action::Request(request)),
                None => self.desk.history.stop(now, &job),
            }
        }
    }

    fn reply(&mut self, now: Ts, request: RequestId, status: u16, body: &[u8], out: &mut Out) {
        if self.state.contexts_asked == Some(request) {
            self.state.contexts_asked = None;
            let every = self.contexts_every();
            self.state.contexts_due = now + every;
            if status != 200 || self.contexts(now, body, out).is_none() {
                out.fault("poll_failed", None, &format!("status {status} for the contexts"), body);
            }
            return self.ask(now, out);
        }
        let Some(job) = self.desk.history.answered(request) else { return };
        let page = if status != 200 {
            None
        } else if job.metric == Metric::Bar {
            self.candles(now, &job, body, out)
        } else {
            self.settlements(now, &job, body, out)
        };
        match page {
            Some(upto) => {
                self.desk.history.advance(now, &job, upto, None);
            }
            None => self.retry(now, &job, &format!("status {status}, or not such a list"), out),
        }
        self.ask(now, out);
    }

    fn failed(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out) {
        if self.state.contexts_asked == Some(request) {
            self.state.contexts_asked = None;
            self.state.contexts_due = now + Span::secs(10);
            out.fault("poll_failed", None, &format!("contexts: {reason:?}"), &[]);
        } else if let Some(job) = self.desk.history.answered(request) {
            self.retry(now, &job, &format!("{reason:?}"), out);
        }
        self.ask(now, out);
    }
}

impl Kit<Hyperliquid> {
    fn wants_contexts(&self) -> bool {
        market::channels(&self.config) & Channel::Context.bit() != 0 && self.markets.iter().any(|m| m.wanted)
    }

    /// How often contexts are asked for: every minute as a check, as configured where the socket does not bring them.
    fn contexts_every(&self) -> Span {
        let all = self.markets.iter().filter(|m| m.wanted).all(|m| m.channels & Channel::Context.bit() != 0);
        if all {
            CHECK_EVERY
        } else {
            self.config.every_or(Metric::OpenInterest, self.config.poll_every).max(Span::secs(5))
        }
    }

    /// Contexts of all coins: taken where the socket brings none, or none lately.
    fn contexts(&mut self, now: Ts, body: &[u8], out: &mut Out) -> Option<()> {
        let mut rows = Vec::new();
        // Once a minute: a copy without blanks is cheap.
        let body = plain(body)?;
        wire::contexts(&body, |coin, row| {
            let market = self.names.get(coin.as_bytes());
            if let Some(market) = market.filter(|m| self.markets.get(m.index()).is_some_and(|m| m.wanted)) {
                rows.push((market, row));
            }
        })?;
        for (market, row) in rows {
            let progress = self.desk.tracker.get(market, Metric::MarkPrice).and_then(|s| s.progress);
            let streamed = self.desk.covered(market, Channel::Context.bit());
            if !streamed || progress.is_none_or(|p| now - p >= CHECK_EVERY) {
                self.context(now, market, &row, out);
            }
        }
        Some(())
    }

    fn candles(&mut self, now: Ts, job: &Job, body: &[u8], out: &mut Out) -> Option<Ts> {
        let rows: Vec<wire::Candle<'_>> = serde_json::from_slice(body).ok()?;
        let end = page_end(job);
        for row in &rows {
            let Some((close, bar)) = map::candle(row) else {
                out.fault("bad_candle", Some(job.market), "candle is not a sound minute", row.o.as_bytes());
                continue;
            };
            let m = self.markets.get_mut(job.market.index())?;
            let wanted = close > job.from && close <= end && close + CANDLE_SETTLES <= now && row.s == m.coin;
            if wanted && m.bars.admit(close) != Admit::Seen {
                out.backfilled(job.market, Metric::Bar, close, 0, Payload::Bar(bar));
            }
        }
        Some(end)
    }

    fn settlements(&mut self, now: Ts, job: &Job, body: &[u8], out: &mut Out) -> Option<Ts> {
        let rows: Vec<wire::Settled<'_>> = serde_json::from_slice(body).ok()?;
        let hours: Vec<Option<Ts>> = rows.iter().map(|r| map::settled_at(r.time)).collect();
        for (n, row) in rows.iter().enumerate() {
            let (Some(at), Some(rate)) = (hours[n], map::rate(row.funding_rate.as_bytes())) else {
                out.fault("bad_funding", Some(job.market), "row is no settlement", row.funding_rate.as_bytes());
                continue;
            };
            let m = self.markets.get_mut(job.market.index())?;
            let known = m.settled.is_some_and(|(first, last)| (first..=last).contains(&at));
            if known || at > now {
                continue;
            }
            // From the row before, else from the one after.
            let before = n.checked_sub(1).and_then(|p| hours[p]).or(m.settled.map(|(_, last)| last));
            let after = hours.get(n + 1).copied().flatten();
            let computed = before.and_then(|b| map::interval(b, at)).or(after.and_then(|a| map::interval(at, a)));
            let interval_h = computed.or((at >= HOURLY_SINCE).then_some(1.0));
            m.settled = Some(m.settled.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
            let payload = Payload::Funding { rate, interval_h, next_ts: None, special: false };
            self.settled(now, job.market, at, payload, out);
        }
        let full = i64::try_from(rows.len()).is_ok_and(|n| n >= FUNDING_ROWS);
        let last = rows.last().and_then(|r| wire::millis(u64::try_from(r.time).ok()?)).filter(|t| *t > job.from);
        Some(last.filter(|_| full).unwrap_or(job.until))
    }

    fn settled(&mut self, now: Ts, market: MarketIndex, at: Ts, payload: Payload, out: &mut Out) {
        if self.desk.wants(market, Metric::FundingRateSettled) {
            self.desk.tracker.progress(market, Metric::FundingRateSettled, now, at, out);
            out.backfilled(market, Metric::FundingRateSettled, at, 0, payload);
        }
    }
}
