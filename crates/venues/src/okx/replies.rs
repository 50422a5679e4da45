//! Requests and their answers: book snapshots, candles, settled funding, open interest and trades (sheet §3); ratios are read in
//! [`super::ratios`].
//!
//! Lists come newest first and are turned round. Candles, funding and open interest are asked for in windows of one page, both
//! ends given, so pages go forward in time; trades are paged backwards by id, because many share a stamp.

use super::books::Step;
use super::session::{IdHole, Market, Okx};
use super::{limits, map, ratios, symbols, wire};
use crate::session::history::Job;
use crate::session::wire::each;
use crate::session::{Action, Admit, FailReason, MarketIndex, Out, PoolId, Priority, Request, RequestId};
use barograph_domain::{Metric, Payload, Span, Ts};

/// Rows of a page. More are allowed in places, but older documents say 100 everywhere.
const ROWS: i64 = 100;
/// Time for an answer.
const TIMEOUT: Span = Span::secs(10);
/// Candles younger than this are in the first of the two lists (1,440 of them).
const RECENT: Span = Span::mins(1_400);
/// The venue keeps settlements for three months and open interest for 1,440 rows of five minutes.
const FUNDING_KEPT: Span = Span::days(90);
const INTEREST_KEPT: Span = Span::mins(1_435 * 5);
/// Open interest comes in rows of five minutes, named by their beginning.
const INTEREST_STEP: Span = Span::mins(5);
/// Pages of trades: of a hole, and at first start.
const REPAIR_PAGES: u32 = 100;
const START_PAGES: u32 = 10;

impl Okx {
    /// Asks for what is due.
    pub(super) fn ask(&mut self, now: Ts, out: &mut Out) {
        if self.state.desk.quiet_until.is_some_and(|t| now < t) {
            return;
        }
        loop {
            let id = self.number();
            let Some(job) = self.state.desk.history.next(now, id) else { return };
            let (url, pool) = self.address(now, &job);
            out.actions.push(request(id, url, pool, job.priority));
        }
    }

    /// Fetches a book for a splice (B2).
    pub(super) fn fetch_book(&mut self, now: Ts, market: MarketIndex, out: &mut Out) {
        if self.state.desk.quiet_until.is_some_and(|t| now < t) {
            return;
        }
        let id = self.number();
        let m = &mut self.state.markets[market.index()];
        m.book.fetching = Some(id);
        let url = format!("{}/api/v5/market/books?instId={}&sz=400", self.config.endpoints.rest, m.spec.symbol);
        out.actions.push(request(id, url, limits::BOOKS, Priority::Sync));
    }

    /// Where the page that begins where the job stands begins and ends.
    fn window(now: Ts, job: &Job) -> (Ts, Ts) {
        let (kept, long) = match job.metric {
            Metric::Bar => (Span::days(3_650), Span::mins(ROWS)),
            Metric::FundingRateSettled => (FUNDING_KEPT, Span::hours(ROWS - 1)),
            Metric::OpenInterest | Metric::OpenInterestUsd => (INTEREST_KEPT, INTEREST_STEP.times(ROWS - 2)),
            _ => return (job.from, job.until),
        };
        let from = job.from.max(now - kept);
        (from, (from + long).min(job.until))
    }

    fn address(&self, now: Ts, job: &Job) -> (String, PoolId) {
        let rest = &self.config.endpoints.rest;
        let symbol = &self.state.markets[job.market.index()].spec.symbol;
        if let Some(path) = ratios::path(job.metric) {
            let url = format!("{rest}/api/v5/rubik/stat/contracts/{path}?instId={symbol}&period=5m&limit=1");
            return (url, limits::RATIOS);
        }
        let (from, to) = Self::window(now, job);
        let (from_ms, to_ms) = (from.as_millis(), to.as_millis());
        match job.metric {
            Metric::Bar => {
                let (path, pool) = if now - from < RECENT {
                    ("candles", limits::CANDLES)
                } else {
                    ("history-candles", limits::PAST_CANDLES)
                };
                // By the beginning of the bar, both ends excluded; closes are a minute later.
                let (before, after) = (from_ms - 60_000, to_ms - 60_000 + 1);
                (
                    format!(
                        "{rest}/api/v5/market/{path}?instId={symbol}&bar=1m&before={before}&after={after}&limit={ROWS}"
                    ),
                    pool,
                )
            }
            Metric::FundingRateSettled => {
                let (before, after) = (from_ms, to_ms + 1);
                (
                    format!(
                        "{rest}/api/v5/public/funding-rate-history?instId={symbol}&before={before}&after={after}&limit={ROWS}"
                    ),
                    limits::FUNDING,
                )
            }
            Metric::OpenInterest | Metric::OpenInterestUsd => {
                let step = INTEREST_STEP.0 / 1_000_000;
                let (begin, end) = (from_ms - step, to_ms);
                (
                    format!(
                        "{rest}/api/v5/rubik/stat/contracts/open-interest-history?instId={symbol}&period=5m&begin={begin}&end={end}&limit={ROWS}"
                    ),
                    limits::INTEREST,
                )
            }
            _ => {
                let page = match job.cursor {
                    Some(id) => format!("type=1&after={id}"),
                    None => format!("type=2&after={}", to_ms + 1),
                };
                (format!("{rest}/api/v5/market/history-trades?instId={symbol}&{page}&limit={ROWS}"), limits::TRADES)
            }
        }
    }

    /// An answer.
    pub(super) fn reply(&mut self, now: Ts, request: RequestId, status: u16, body: &[u8], out: &mut Out) {
        let list = match symbols::open(body) {
            Ok(list) if status == 200 => Ok(list),
            Ok(_) => Err(format!("http {status}")),
            Err(why) => Err(why),
        };
        let throttled = status == 429 || list.as_ref().is_err_and(|why| why.contains(" 50011"));
        if throttled {
            let pause = Span(limits::PAUSE.0 << self.state.throttled.min(limits::PAUSE_DOUBLINGS));
            self.state.throttled = self.state.throttled.saturating_add(1);
            self.state.desk.quiet_until = Some(now + pause);
            out.fault("rate_limited", None, "okx throttles: nothing is asked for now", body);
        } else if list.is_ok() {
            self.state.throttled = 0;
        }
        if let Some(market) = self.market_fetching(request) {
            return self.book_reply(now, market, list.ok(), body, out);
        }
        let Some(job) = self.state.desk.history.answered(request) else { return };
        match list {
            Ok(list) => self.history_reply(now, &job, list, body, out),
            Err(why) => {
                if !throttled {
                    out.fault("error_reply", Some(job.market), &why, b"");
                }
                // Wrong parameters stay wrong.
                if ["51000", "51001", "50014", "50015"].iter().any(|code| why.contains(code)) {
                    self.state.desk.history.stop(now, &job);
                } else {
                    self.again(now, &job, out);
                }
            }
        }
    }

    fn market_fetching(&self, request: RequestId) -> Option<MarketIndex> {
        let at = self.state.markets.iter().position(|m| m.book.fetching == Some(request))?;
        u32::try_from(at).ok().map(MarketIndex)
    }

    /// B3 to B6.
    fn book_reply(&mut self, now: Ts, market: MarketIndex, list: Option<&str>, body: &[u8], out: &mut Out) {
        let mut done = None;
        let whole = list.is_some_and(|list| {
            wire::Depth::each(list, |d| {
                let step = self.state.markets[market.index()].book.splice(&d);
                done = Some((step, d.seq, map::stamp(d.ts, now)));
            })
        });
        match done.filter(|_| whole) {
            Some((Step::Applied, seq, at)) => self.book_moved(now, market, at.unwrap_or(now), seq, out),
            Some((Step::Broken(why), ..)) => {
                self.broken(now, market, why, "", out);
                self.resubscribe(now, market, out);
            }
            Some((Step::Ignored | Step::Alive, ..)) => self.state.markets[market.index()].book.fetch_failed(now),
            None => {
                out.fault("error_reply", Some(market), "no book in the answer", body);
                self.state.markets[market.index()].book.fetch_failed(now);
            }
        }
    }

    fn history_reply(&mut self, now: Ts, job: &Job, list: &str, body: &[u8], out: &mut Out) {
        let page = Self::window(now, job).1;
        let read = match job.metric {
            Metric::Bar => self.past_bars(now, job, list, out),
            Metric::FundingRateSettled => self.past_funding(now, job, list, out),
            Metric::OpenInterest | Metric::OpenInterestUsd => self.past_interest(now, job, list, out),
            metric if ratios::path(metric).is_some() => self.ratio(now, job, list, out),
            _ => return self.past_trades(now, job, list, body, out),
        };
        match read {
            None => {
                out.fault("undecodable", Some(job.market), "an answer that is no such list", body);
                self.again(now, job, out);
            }
            // The settlement that is waited for is not in the list yet.
            Some(false) => self.again(now, job, out),
            Some(true) => {
                self.state.desk.history.advance(now, job, page, None);
            }
        }
    }

    /// No answer.
    pub(super) fn failed(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out) {
        if reason == FailReason::Forbidden {
            out.fault("region_refused", None, "okx is not available from here: set another host", b"");
            self.state.desk.quiet_until = Some(now + Span::mins(10));
        }
        if let Some(market) = self.market_fetching(request) {
            return self.state.markets[market.index()].book.fetch_failed(now);
        }
        if let Some(job) = self.state.desk.history.answered(request) {
            self.again(now, &job, out);
        }
    }

    /// Tries again later; says so when that was the last time.
    pub(super) fn again(&mut self, now: Ts, job: &Job, out: &mut Out) {
        if self.state.desk.history.retry(now, job) {
            let why = format!("{} from {} to {} could not be fetched", job.metric.spoken(), job.from, job.until);
            out.fault("history_given_up", Some(job.market), &why, b"");
        }
    }

    fn past_bars(&mut self, now: Ts, job: &Job, list: &str, out: &mut Out) -> Option<bool> {
        let mut rows = Vec::new();
        let market = &mut self.state.markets[job.market.index()];
        let whole = each(list, |row: [&str; 9]| rows.push(map::candle(&market.spec, &row)));
        if !whole || rows.iter().any(Option::is_none) {
            return None;
        }
        for (closed, close, bar) in rows.into_iter().rev().flatten() {
            let wanted = closed && close > job.from && close <= job.until && close <= now + Span::mins(1);
            if wanted && market.bars.admit(close) != Admit::Seen {
                out.backfilled(job.market, Metric::Bar, close, 0, bar);
            }
        }
        Some(true)
    }

    /// False: the settlement this job waits for is missing.
    fn past_funding(&mut self, now: Ts, job: &Job, list: &str, out: &mut Out) -> Option<bool> {
        let mut rows = Vec::new();
        let whole = each(list, |s: wire::Settlement<'_>| {
            let paid = if s.realized_rate.is_empty() { &s.funding_rate } else { &s.realized_rate };
            rows.push(s.funding_time.ts().zip(map::rate(paid)));
        });
        if !whole || rows.iter().any(Option::is_none) {
            return None;
        }
        let market = &mut self.state.markets[job.market.index()];
        let declared = market.interval_h.unwrap_or(8.0);
        let rows = rows.into_iter().rev().flatten();
        Some(self.state.desk.settlements(now, job, rows, declared, &mut market.settled, out))
    }

    /// Rows: beginning of the five minutes, contracts, base units, USD. Known when the five minutes are over.
    fn past_interest(&mut self, now: Ts, job: &Job, list: &str, out: &mut Out) -> Option<bool> {
        let mut rows = Vec::new();
        let usd = job.metric == Metric::OpenInterestUsd;
        let whole = each(list, |[ts, _, base, dollars]: [&str; 4]| {
            let at = ts.parse().ok().and_then(|ms: i64| crate::session::wire::Millis(Some(ms)).ts());
            rows.push(at.zip(map::qty(if usd { dollars } else { base })));
        });
        if !whole || rows.iter().any(Option::is_none) {
            return None;
        }
        for (start, value) in rows.into_iter().rev().flatten() {
            let at = start + INTEREST_STEP;
            if at > job.from && at <= job.until && at <= now {
                out.backfilled(job.market, job.metric, at, 0, Payload::Value(value));
            }
        }
        Some(true)
    }

    /// A page of trades, newest first; the next one ends where this one begins.
    fn past_trades(&mut self, now: Ts, job: &Job, list: &str, body: &[u8], out: &mut Out) {
        let mut rows = Vec::new();
        let market = &mut self.state.markets[job.market.index()];
        let whole = each(list, |t: wire::Trade<'_>| {
            let id: Option<u64> = t.trade_id.parse().ok();
            rows.push(id.zip(t.ts.ts()).zip(map::trade(&market.spec, &t)));
        });
        if !whole || rows.iter().any(Option::is_none) {
            out.fault("undecodable", Some(job.market), "an answer that is no list of trades", body);
            return self.again(now, job, out);
        }
        let last = rows.iter().flatten().map(|((id, at), _)| (*id, *at)).min();
        for ((id, at), payload) in rows.into_iter().rev().flatten() {
            let missed = market.missed(id, job.priority == Priority::Backfill);
            if missed && at >= job.from && at <= job.until && market.trades.admit(at, id) != Admit::Seen {
                out.backfilled(job.market, Metric::Trade, at, id, payload);
            }
        }
        let most = if job.priority == Priority::Backfill { START_PAGES } else { REPAIR_PAGES };
        match last {
            Some((id, at)) if at >= job.from && job.pages + 1 < most => {
                self.state.desk.history.advance(now, job, job.from, Some(id));
            }
            Some((_, at)) if at >= job.from && job.priority != Priority::Backfill => {
                let why = format!("trades between {} and {at} are too many to fetch", job.from);
                out.fault("history_cut", Some(job.market), &why, b"");
                self.state.desk.history.stop(now, job);
            }
            _ => self.state.desk.history.stop(now, job),
        }
    }
}

impl Market {
    /// A trade of the socket: `merged` matches, of which `id` is the last. It ends a hole that is open.
    pub(super) fn numbered(&mut self, id: u64, merged: u64) {
        let before = id.saturating_sub(merged);
        match self.holes.last_mut() {
            Some(hole) if hole.until.is_none() => hole.until = Some(before.max(hole.after)),
            // What was before the first trade is one hole, open downwards.
            None => self.holes.push(IdHole { after: 0, until: Some(before) }),
            Some(_) => {}
        }
        self.last_trade = self.last_trade.max(Some(id));
    }

    /// Was this match never delivered? `first`: also if it is older than the first one that was.
    fn missed(&self, id: u64, first: bool) -> bool {
        let inside = |h: &IdHole| id > h.after && h.until.is_none_or(|u| id <= u) && (first || h.after > 0);
        self.holes.is_empty() || self.holes.iter().any(inside)
    }
}

fn request(id: RequestId, url: String, pool: PoolId, priority: Priority) -> Action {
    Action::Request(Request { id, url, body: None, pool, weight: 1, priority, timeout: TIMEOUT })
}
