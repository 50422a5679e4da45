//! Requests and their answers: candles, settled funding, open interest and trades (sheet §3).
//!
//! Lists come newest first and are turned round. Windows are as long as one page, so pages go forward in time and no cursor is
//! needed. `startTime` never goes out without `endTime`.

use super::map;
use super::session::Bybit;
use super::{limits, ratios, wire};
use crate::session::history::Job;
use crate::session::registry::escape;
use crate::session::seen::identity;
use crate::session::wire::each;
use crate::session::{Action, Admit, FailReason, Out, Priority, Request, RequestId};
use barograph_domain::{Metric, Payload, Span, Ts};

/// Rows of a page of candles, and of funding and open interest.
const CANDLES: i64 = 1_000;
const ROWS: i64 = 200;
/// Newest trades: all there may be of contracts, and of spot.
const TRADES: u32 = 1_000;
const TRADES_SPOT: u32 = 60;
/// Time for an answer.
const TIMEOUT: Span = Span::secs(10);

impl Bybit {
    /// Asks for what is due.
    pub(super) fn ask(&mut self, now: Ts, out: &mut Out) {
        if self.state.desk.quiet_until.is_some_and(|t| now < t) {
            return;
        }
        loop {
            let id = self.state.desk.request_id();
            let Some(job) = self.state.desk.history.next(now, id) else { return };
            let url = self.address(&job);
            out.actions.push(Action::Request(Request {
                id,
                url,
                body: None,
                pool: limits::POOL,
                weight: 1,
                priority: job.priority,
                timeout: TIMEOUT,
            }));
        }
    }

    /// The end of the page that begins where the job stands.
    fn page_end(job: &Job) -> Ts {
        let long = match job.metric {
            Metric::Bar => Span::mins(CANDLES - 1),
            Metric::FundingRateSettled => Span::hours(ROWS - 1),
            Metric::OpenInterest | Metric::OpenInterestUsd => Span::mins(5 * (ROWS - 1)),
            _ => return job.until,
        };
        (job.from + long).min(job.until)
    }

    fn address(&self, job: &Job) -> String {
        let market = &self.state.markets[job.market.index()];
        let (rest, category) = (&self.config.endpoints.rest, market.category.word());
        let symbol = escape(&market.spec.symbol);
        let (from, to) = (job.from.as_millis(), Self::page_end(job).as_millis());
        match job.metric {
            Metric::Bar => {
                // By the beginning of the bar; closes are a minute later.
                let (from, to) = (from - 60_000, to - 60_000);
                format!(
                    "{rest}/v5/market/kline?category={category}&symbol={symbol}&interval=1&start={from}&end={to}&limit={CANDLES}"
                )
            }
            Metric::FundingRateSettled => format!(
                "{rest}/v5/market/funding/history?category={category}&symbol={symbol}&startTime={from}&endTime={to}&limit={ROWS}"
            ),
            Metric::OpenInterest | Metric::OpenInterestUsd => format!(
                "{rest}/v5/market/open-interest?category={category}&symbol={symbol}&intervalTime=5min&startTime={from}&endTime={to}&limit={ROWS}"
            ),
            ratios::METRIC => {
                format!("{rest}/v5/market/account-ratio?category={category}&symbol={symbol}&period=5min&limit=1")
            }
            _ => {
                let limit = if market.category == map::Category::Spot { TRADES_SPOT } else { TRADES };
                format!("{rest}/v5/market/recent-trade?category={category}&symbol={symbol}&limit={limit}")
            }
        }
    }

    /// An answer.
    pub(super) fn reply(&mut self, now: Ts, request: RequestId, status: u16, body: &[u8], out: &mut Out) {
        let Some(job) = self.state.desk.history.answered(request) else { return };
        if status == 403 || status == 429 {
            return self.refused(now, &job, status, body, out);
        }
        let answer: Option<wire::Answer<'_>> = serde_json::from_slice(body).ok();
        let Some(answer) = answer.filter(|_| status == 200) else {
            out.fault("error_reply", Some(job.market), &format!("http {status}"), body);
            return self.given_up(now, &job, out);
        };
        let list: Option<wire::List<'_>> = answer.result.and_then(|r| serde_json::from_str(r.get()).ok());
        let Some(list) = list.filter(|_| answer.ret_code == 0) else {
            let why = format!("bybit says {} {}", answer.ret_code, answer.ret_msg);
            out.fault("error_reply", Some(job.market), &why, b"");
            return self.given_up(now, &job, out);
        };
        // Whichever clock is behind: nothing is taken for closed too early.
        let upto = answer.time.ts().map_or(now, |t| t.min(now));
        let read = match job.metric {
            Metric::Bar => self.past_bars(&job, upto, list.list.get(), out),
            Metric::FundingRateSettled => self.past_funding(now, &job, list.list.get(), out),
            Metric::OpenInterest | Metric::OpenInterestUsd => self.past_interest(&job, list.list.get(), out),
            ratios::METRIC => self.ratio(now, &job, list.list.get(), out),
            _ => self.past_trades(now, &job, list.list.get(), out),
        };
        match read {
            None => {
                out.fault("undecodable", Some(job.market), "an answer that is no such list", body);
                self.given_up(now, &job, out);
            }
            // The settlement that is waited for is not in the list yet.
            Some(false) => self.given_up(now, &job, out),
            Some(true) => {
                self.state.desk.history.advance(now, &job, Self::page_end(&job), None);
            }
        }
    }

    /// Too many requests, or not from here.
    fn refused(&mut self, now: Ts, job: &Job, status: u16, body: &[u8], out: &mut Out) {
        let often = status == 429 || body.windows(8).any(|w| w.eq_ignore_ascii_case(b"frequent"));
        let (kind, why) = if often {
            ("rate_limited", "too many requests: nothing is asked for 10 minutes")
        } else {
            ("region_refused", "bybit refuses this address (http 403): set another host or leave the venue out")
        };
        out.fault(kind, Some(job.market), why, body);
        self.state.desk.quiet_until = Some(now + limits::BAN);
        self.given_up(now, job, out);
    }

    /// No answer.
    pub(super) fn failed(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out) {
        let Some(job) = self.state.desk.history.answered(request) else { return };
        if reason == FailReason::Forbidden {
            out.fault("region_refused", Some(job.market), "bybit is not available from here", b"");
            self.state.desk.quiet_until = Some(now + limits::BAN);
        }
        self.given_up(now, &job, out);
    }

    /// Tries again later; says so when that was the last time.
    pub(super) fn given_up(&mut self, now: Ts, job: &Job, out: &mut Out) {
        if self.state.desk.history.retry(now, job) {
            let why = format!("{} from {} to {} could not be fetched", job.metric.spoken(), job.from, job.until);
            out.fault("history_given_up", Some(job.market), &why, b"");
        }
    }

    fn past_bars(&mut self, job: &Job, upto: Ts, json: &str, out: &mut Out) -> Option<bool> {
        let mut rows = Vec::new();
        let spec = &self.state.markets[job.market.index()].spec;
        let whole = each(json, |[start, o, h, l, c, v, t]: [&str; 7]| {
            let close = start.parse().ok().map(|ms: i64| Ts::from_millis(ms) + Span::mins(1));
            rows.push(close.zip(map::bar(spec, [o, h, l, c, v, t])));
        });
        if !whole || rows.iter().any(Option::is_none) {
            return None;
        }
        for (close, bar) in rows.into_iter().rev().flatten() {
            let wanted = close > job.from && close <= job.until && close <= upto;
            let admitted = wanted && self.state.markets[job.market.index()].bars.admit(close) != Admit::Seen;
            if admitted {
                out.backfilled(job.market, Metric::Bar, close, 0, bar);
            }
        }
        Some(true)
    }

    /// False: the settlement this job waits for is missing.
    fn past_funding(&mut self, now: Ts, job: &Job, json: &str, out: &mut Out) -> Option<bool> {
        let mut rows = Vec::new();
        let whole = each(json, |s: wire::Settlement<'_>| {
            rows.push(s.funding_rate_timestamp.ts().zip(map::rate(&s.funding_rate)));
        });
        if !whole || rows.iter().any(Option::is_none) {
            return None;
        }
        let market = &mut self.state.markets[job.market.index()];
        let declared = market.ticker.funding().and_then(|f| f.1).or(market.spec.funding_interval_h).unwrap_or(8.0);
        let rows = rows.into_iter().rev().flatten();
        Some(self.state.desk.settlements(now, job, rows, declared, &mut market.settled, out))
    }

    fn past_interest(&mut self, job: &Job, json: &str, out: &mut Out) -> Option<bool> {
        let mut rows = Vec::new();
        let whole = each(json, |i: wire::Interest<'_>| {
            rows.push(i.timestamp.ts().zip(map::one_sided(&i.single_open_interest, &i.open_interest)));
        });
        if !whole || rows.iter().any(Option::is_none) {
            return None;
        }
        // Inverse contracts are counted in USD, and the list has no price to turn that into base units.
        let usd = self.state.markets[job.market.index()].spec.inverse;
        if usd == (job.metric == Metric::OpenInterestUsd) {
            for (at, value) in rows.into_iter().rev().flatten().filter(|(at, _)| *at > job.from && *at <= job.until) {
                out.backfilled(job.market, job.metric, at, 0, Payload::Value(value));
            }
        }
        Some(true)
    }

    /// The venue keeps the newest 1,000 only.
    fn past_trades(&mut self, _now: Ts, job: &Job, json: &str, out: &mut Out) -> Option<bool> {
        let mut rows = Vec::new();
        let spec = &self.state.markets[job.market.index()].spec;
        let whole = each(json, |t: wire::PastTrade<'_>| {
            let payload = map::trade(spec, &t.price, &t.size, &t.side);
            rows.push(t.time.ts().zip(payload).map(|(at, p)| (at, identity(&[t.exec_id.as_bytes()]), p)));
        });
        if !whole || rows.iter().any(Option::is_none) {
            return None;
        }
        let oldest = rows.iter().flatten().map(|r| r.0).min();
        let cut = rows.len() >= 1_000 && oldest.is_some_and(|t| t > job.from);
        if cut && job.priority == Priority::Repair {
            let why = "the venue keeps 1,000 trades: those before them are lost";
            out.fault("history_cut", Some(job.market), why, b"");
        }
        for (at, id, payload) in rows.into_iter().rev().flatten() {
            self.past_trade(job, at, id, payload, out);
        }
        Some(true)
    }

    fn past_trade(&mut self, job: &Job, at: Ts, id: u64, payload: Payload, out: &mut Out) {
        if at < job.from || at > job.until {
            return;
        }
        let emit = match self.state.markets[job.market.index()].trades.admit(at, id) {
            Admit::New => true,
            Admit::Seen => false,
            // Older than what is remembered, but well inside the hole: it was never here.
            Admit::TooLate => at > job.from && at < job.until,
        };
        if emit {
            out.backfilled(job.market, Metric::Trade, at, 0, payload);
        }
    }
}
