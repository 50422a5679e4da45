//! Requests and their answers: book snapshots, candles, settled funding, open interest, trades and ratios (sheet §3). Source of the
//! ratios: the official page "Trading Statistics" in a public copy; no capture has them (README).
//!
//! Lists come newest first and are turned round. Candles, funding and open interest are asked for in windows of one page, both
//! ends given, so pages go forward in time; trades are paged backwards by id, because many share a stamp.

use super::books::Step;
use super::session::Okx;
use super::{limits, map, symbols, wire};
use crate::session::facts::Moment;
use crate::session::history::Job;
use crate::session::kit::Kit;
use crate::session::protocol::Rest;
use crate::session::wire::{Millis, rows};
use crate::session::{
    Action, Admit, Decimal, Desk, FailReason, MarketIndex, Out, PoolId, Priority, Request, RequestId,
};
use barograph_domain::{Metric, Span, Ts};

/// Rows of a page. More are allowed in places, but older documents say 100 everywhere.
const ROWS: i64 = 100;
/// What is polled, and where it is found: how many accounts are long for each that is short, of all traders and of the largest
/// twentieth, and the same of the positions of those.
pub(super) const RATIOS: [(Metric, &str); 3] = [
    (Metric::LongShortRatio, "long-short-account-ratio-contract"),
    (Metric::TopTraderAccountRatio, "long-short-account-ratio-contract-top-trader"),
    (Metric::TopTraderPositionRatio, "long-short-position-ratio-contract-top-trader"),
];
/// Candles younger than this are in the first of the two lists (1,440 of them).
const RECENT: Span = Span::mins(1_400);
/// The venue keeps settlements for three months and open interest for 1,440 rows of five minutes.
const FUNDING_KEPT: Span = Span::days(90);
const INTEREST_KEPT: Span = Span::mins(1_435 * 5);
/// Open interest comes in rows of five minutes, named by their beginning.
const INTEREST_STEP: Span = Span::mins(5);

impl Rest for Kit<Okx> {
    fn ask(&mut self, now: Ts, out: &mut Out) {
        self.ask_pages(now, |kit, job| Some(kit.address(now, job)), out);
    }

    fn reply(&mut self, now: Ts, request: RequestId, status: u16, body: &[u8], out: &mut Out) {
        let list = match symbols::open(body) {
            Ok(list) if status == 200 => Ok(list),
            Ok(_) => Err(format!("http {status}")),
            Err(why) => Err(why),
        };
        let throttled = status == 429 || list.as_ref().is_err_and(|why| why.contains(" 50011"));
        if throttled {
            let pause = Span(limits::PAUSE.0 << self.state.throttled.min(limits::PAUSE_DOUBLINGS));
            self.state.throttled = self.state.throttled.saturating_add(1);
            self.desk.quiet_until = Some(now + pause);
            out.fault("rate_limited", None, "okx throttles: nothing is asked for now", body);
        } else if list.is_ok() {
            self.state.throttled = 0;
        }
        if let Some(market) = self.market_fetching(request) {
            return self.book_reply(now, market, list.ok(), body, out);
        }
        let Some(job) = self.desk.history.answered(request) else { return };
        match list {
            Ok(list) => self.history_reply(now, &job, list, body, out),
            Err(why) => {
                if !throttled {
                    out.fault("error_reply", Some(job.market), &why, b"");
                }
                // Wrong parameters stay wrong.
                if ["51000", "51001", "50014", "50015"].iter().any(|code| why.contains(code)) {
                    self.desk.history.stop(now, &job);
                } else {
                    self.retry(now, &job, "", out);
                }
            }
        }
    }

    fn failed(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out) {
        if reason == FailReason::Forbidden {
            out.fault("region_refused", None, "okx is not available from here: set another host", b"");
            self.desk.quiet_until = Some(now + Span::mins(10));
        }
        if let Some(market) = self.market_fetching(request) {
            return self.markets[market.index()].book.fetch_failed(now);
        }
        if let Some(job) = self.desk.history.answered(request) {
            self.retry(now, &job, "", out);
        }
    }
}

impl Kit<Okx> {
    /// Fetches a book for a splice (B2).
    pub(super) fn fetch_book(&mut self, now: Ts, market: MarketIndex, out: &mut Out) {
        if self.desk.quiet_until.is_some_and(|t| now < t) {
            return;
        }
        let id = self.desk.request_id();
        let m = &mut self.markets[market.index()];
        m.book.fetching = Some(id);
        let url = format!("{}/api/v5/market/books?instId={}&sz=400", self.config.endpoints.rest, m.spec.symbol);
        out.actions.push(Action::Request(Request::get(id, url, limits::BOOKS, Priority::Sync)));
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
        let symbol = &self.markets[job.market.index()].spec.symbol;
        if let Some((_, path)) = RATIOS.iter().find(|(metric, _)| *metric == job.metric) {
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

    fn market_fetching(&self, request: RequestId) -> Option<MarketIndex> {
        let at = self.markets.iter().position(|m| m.book.fetching == Some(request))?;
        u32::try_from(at).ok().map(MarketIndex)
    }

    /// B3 to B6.
    fn book_reply(&mut self, now: Ts, market: MarketIndex, list: Option<&str>, body: &[u8], out: &mut Out) {
        let mut done = None;
        let whole = list.is_some_and(|list| {
            wire::Depth::each(list, |d| {
                let step = self.markets[market.index()].book.splice(&d);
                done = Some((step, d.seq, d.ts.by(now)));
            })
        });
        match done.filter(|_| whole) {
            Some((step @ (Step::Applied | Step::Broken(_)), seq, at)) => {
                self.stepped(Moment { now, market, at: at.unwrap_or(now) }, "", step, seq, out);
            }
            Some((Step::Ignored | Step::Alive, ..)) => self.markets[market.index()].book.fetch_failed(now),
            None => {
                out.fault("error_reply", Some(market), "no book in the answer", body);
                self.markets[market.index()].book.fetch_failed(now);
            }
        }
    }

    fn history_reply(&mut self, now: Ts, job: &Job, list: &str, body: &[u8], out: &mut Out) {
        if job.metric == Metric::Trade {
            return self.past_trades(now, job, list, body, out);
        }
        let read = self.past(now, job, list, out);
        self.paged(now, job, read, Self::window(now, job).1, body, out);
    }

    /// A page of history but of trades. `None`: it is no such list; false: the settlement this job waits for is missing.
    fn past(&mut self, now: Ts, job: &Job, list: &str, out: &mut Out) -> Option<bool> {
        let market = &mut self.markets[job.market.index()];
        match job.metric {
            Metric::Bar => {
                let bars = rows(list, |row: [&str; 9]| map::candle(&market.spec, &row))?;
                let closed = bars.into_iter().rev().filter(|(closed, ..)| *closed).map(|(_, close, bar)| (close, bar));
                Desk::past_bars(job, closed, now + Span::mins(1), &mut market.bars, out);
            }
            Metric::FundingRateSettled => {
                let settled = rows(list, |s: wire::Settlement<'_>| {
                    let paid = if s.realized_rate.is_empty() { &s.funding_rate } else { &s.realized_rate };
                    s.funding_time.ts().zip(map::rate(paid))
                })?;
                let (settled, declared) = (settled.into_iter().rev(), market.interval_h.unwrap_or(8.0));
                return Some(self.desk.settlements(now, job, settled, declared, &mut market.settled, out));
            }
            // Beginning of the five minutes, contracts, base units, USD. Known when the five minutes are over.
            Metric::OpenInterest | Metric::OpenInterestUsd => {
                let usd = job.metric == Metric::OpenInterestUsd;
                let values = rows(list, |[start, _, base, dollars]: [&str; 4]| {
                    let start = Millis::of(start).ts()?;
                    Some((start + INTEREST_STEP, map::qty(if usd { dollars } else { base })?))
                })?;
                Desk::past_values(job, values.into_iter().rev(), now, out);
            }
            _ => {
                let ratios = rows(list, |[stamp, ratio]: [&str; 2]| {
                    let ratio = Decimal::parse(ratio.as_bytes()).map(Decimal::to_f64).filter(|ratio| *ratio > 0.0);
                    Millis::of(stamp).ts().zip(ratio)
                })?;
                self.desk.ratio(now, job, ratios, out);
            }
        }
        Some(true)
    }

    /// A page of trades, newest first; the next one ends where this one begins.
    fn past_trades(&mut self, now: Ts, job: &Job, list: &str, body: &[u8], out: &mut Out) {
        let market = &mut self.markets[job.market.index()];
        let trades = rows(list, |t: wire::Trade<'_>| {
            let id: u64 = t.trade_id.parse().ok()?;
            Some((id, t.ts.ts()?, map::trade(&market.spec, &t)?))
        });
        let Some(trades) = trades else {
            out.fault("undecodable", Some(job.market), "an answer that is no list of trades", body);
            return self.retry(now, job, "", out);
        };
        let last = trades.iter().map(|(id, at, _)| (*id, *at)).min();
        let first = job.priority == Priority::Backfill;
        for (id, at, payload) in trades.into_iter().rev() {
            let missed = market.trades.missed(id, first) && at >= job.from && at <= job.until;
            if missed && market.trades.seen.admit(at, id) != Admit::Seen {
                out.backfilled(job.market, Metric::Trade, at, id, payload);
            }
        }
        let next = last.filter(|(_, at)| *at >= job.from).map(|(id, at)| (id, [job.from, at]));
        self.trades_paged(now, job, next, out);
    }
}
