//! Requests and their answers: candles and trades of the past, and the product of a future now.
//!
//! Candles: at most 350 per answer, both ends of the range counted, pages from the end backwards. Trades: by time, newest
//! first, as many as the venue gives. Minutes without trades have no candle. The running candle is never taken.

use super::limits::{CANDLES_MAX, PUBLIC, TRADES_PER_PAGE};
use super::map::{self, AggressorFrom, Trade};
use super::market::Sink;
use super::session::Coinbase;
use super::trades::TradeFeed;
use super::wire;
use crate::session::history::Job;
use crate::session::kit::Kit;
use crate::session::protocol::Rest;
use crate::session::seen::{Admit, Minutes};
use crate::session::{Action, FailReason, MarketIndex, Out, Priority, Request, RequestId};
use barograph_domain::{Metric, Payload, Span, Ts};

const MINUTE: Span = Span::mins(1);
/// A candle is taken this long after its end: the answer may be a second old (the venue caches).
pub(super) const CANDLE_SETTLES: Span = Span::secs(5);
/// Pages of one hole in trades; at a thousand trades each, a minute of the busiest product.
const TRADE_PAGES_MAX: u32 = 20;

impl Rest for Kit<Coinbase> {
    /// Polls, then history.
    fn ask(&mut self, now: Ts, out: &mut Out) {
        let rest = self.config.endpoints.rest.clone();
        while let Some((id, market, _)) = self.desk.next_poll(now, &mut self.state.polls) {
            if let Some(m) = self.markets.get(market.index()) {
                out.actions.push(Action::Request(product(&rest, &m.product, id)));
            }
        }
        // Whether a candle is closed is for the venue's clock to say, which is that of its messages.
        let there = self.state.conns.iter().map(|c| c.venue_now).max();
        let closed = |job: &Job| job.metric != Metric::Bar || there.is_some_and(|t| t >= job.until);
        while let Some((id, job)) = self.desk.next_page_ready(now, closed) {
            let product = self.markets.get(job.market.index()).map(|m| m.product.as_str());
            match product.and_then(|p| request(&rest, p, &job, id)) {
                Some(request) => out.actions.push(Action::Request(request)),
                None => self.desk.history.stop(now, &job),
            }
        }
    }

    fn reply(&mut self, now: Ts, request: RequestId, status: u16, body: &[u8], out: &mut Out) {
        if let Some(market) = self.state.polls.asked_by(request) {
            let moved = status == 200 && self.present(now, market, body, out);
            if status != 200 {
                out.fault("poll_failed", Some(market), &format!("status {status} for the product"), body);
            }
            self.state.polls.answered(now, request, moved);
            return self.ask(now, out);
        }
        let Some(job) = self.desk.history.answered(request) else { return };
        let side = self.venue.side;
        let next = match self.product(now, job.market, out) {
            Some((p, mut sink)) if status == 200 && job.metric == Metric::Bar => {
                candles(body, &job, p.scale, &mut p.bars_emitted, &mut sink)
            }
            Some((p, mut sink)) if status == 200 => trades(body, &job, side, &mut p.trades, &mut sink),
            _ => Next::Bad,
        };
        match next {
            Next::Bad => self.retry(now, &job, &format!("status {status}, or not such a list"), out),
            Next::Page(end) => {
                self.desk.history.advance(now, &job, job.from, Some(end));
            }
            Next::Done => {
                self.desk.history.advance(now, &job, job.until, None);
            }
        }
        self.ask(now, out);
    }

    fn failed(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out) {
        if let Some((market, _)) = self.state.polls.answered(now, request, false) {
            out.fault("poll_failed", Some(market), &format!("no answer: {reason:?}"), &[]);
        } else if let Some(job) = self.desk.history.answered(request) {
            self.retry(now, &job, &format!("{reason:?}"), out);
        }
    }
}

impl Kit<Coinbase> {
    /// Present values of a future; true when they moved.
    fn present(&mut self, now: Ts, market: MarketIndex, body: &[u8], out: &mut Out) -> bool {
        let read = serde_json::from_slice::<wire::Product>(body).map_err(|_e| "answer is no product");
        let Some((p, mut sink)) = self.product(now, market, out) else { return false };
        let derived = match read.and_then(|product| map::derived(&product, now)) {
            Ok(derived) => derived,
            Err(why) => {
                sink.fault("poll_failed", why, body);
                return false;
            }
        };
        if let Some(oi) = derived.open_interest {
            sink.live(Metric::OpenInterest, now, 0, Payload::Value(oi));
        }
        if let Some(index) = derived.index {
            sink.live(Metric::IndexPrice, now, 0, Payload::Value(index));
        }
        if let Some(rate) = derived.funding {
            let (interval_h, next_ts) = (derived.interval_h, derived.next_ts);
            sink.live(Metric::FundingRate, now, 0, Payload::Funding { rate, interval_h, next_ts, special: false });
        }
        core::mem::replace(&mut p.derived, derived) != derived
    }
}

/// The page of a job: `None` for jobs nobody should have made.
pub(super) fn request(rest: &str, symbol: &str, job: &Job, id: RequestId) -> Option<Request> {
    let product = format!("{rest}/api/v3/brokerage/market/products/{symbol}");
    let url = match job.metric {
        Metric::Bar => {
            let (start, end) = candle_page(job);
            format!("{product}/candles?start={start}&end={end}&granularity=ONE_MINUTE&limit={CANDLES_MAX}")
        }
        Metric::Trade => {
            let (start, end) = trade_page(job);
            format!("{product}/ticker?limit={TRADES_PER_PAGE}&start={start}&end={end}")
        }
        _ => return None,
    };
    Some(Request::get(id, url, PUBLIC, job.priority))
}

/// The product of a future.
pub(super) fn product(rest: &str, symbol: &str, id: RequestId) -> Request {
    Request::get(id, format!("{rest}/api/v3/brokerage/market/products/{symbol}"), PUBLIC, Priority::Poll)
}

/// First and last candle start of the page, in seconds.
fn candle_page(job: &Job) -> (i64, i64) {
    let first = job.from.floor(MINUTE).0.div_euclid(1_000_000_000);
    let newest = (job.until - MINUTE).floor(MINUTE).0.div_euclid(1_000_000_000);
    let last = job.cursor.and_then(|c| i64::try_from(c).ok()).unwrap_or(newest).min(newest);
    (first.max(last - (CANDLES_MAX - 1) * 60).min(last), last)
}

fn trade_page(job: &Job) -> (i64, i64) {
    let start = job.from.0.div_euclid(1_000_000_000);
    let newest = (job.until + Span(999_999_999)).0.div_euclid(1_000_000_000);
    let last = job.cursor.and_then(|c| i64::try_from(c).ok()).unwrap_or(newest);
    (start, last.max(start))
}

/// What comes after a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// The answer is no such page: try again.
    Bad,
    /// Another page, ending at this second.
    Page(u64),
    /// The job is done.
    Done,
}

/// Reads a page of candles, oldest first into the sink.
pub(super) fn candles(body: &[u8], job: &Job, scale: f64, emitted: &mut Minutes, sink: &mut Sink<'_>) -> Next {
    let Ok(page) = serde_json::from_slice::<wire::Candles<'_>>(body) else { return Next::Bad };
    let (first, last) = candle_page(job);
    for row in page.candles.iter().rev() {
        let Some((close, bar)) = map::candle(row, scale) else {
            sink.fault("bad_candle", "candle is not sound", row.start.as_bytes());
            continue;
        };
        let wanted = close > job.from && close <= job.until && close + CANDLE_SETTLES <= sink.now;
        if wanted && emitted.admit(close) != Admit::Seen {
            sink.backfilled(Metric::Bar, close, 0, Payload::Bar(bar));
        }
    }
    match u64::try_from(first - 60) {
        Ok(end) if Ts::from_secs(first) > job.from && first < last => Next::Page(end),
        _ => Next::Done,
    }
}

/// Reads a page of trades into the holes of the product, oldest first.
pub(super) fn trades(body: &[u8], job: &Job, from: AggressorFrom, feed: &mut TradeFeed, sink: &mut Sink<'_>) -> Next {
    let Ok(page) = serde_json::from_slice::<wire::Trades<'_>>(body) else { return Next::Bad };
    let mut rows: Vec<Trade> = Vec::with_capacity(page.trades.len());
    for row in &page.trades {
        match map::trade(row, from, sink.now) {
            Ok(trade) => rows.push(trade),
            Err(why) => sink.fault("bad_trade", why, row.trade_id),
        }
    }
    rows.sort_unstable_by_key(|t| t.id);
    for trade in &rows {
        feed.fill(trade, sink);
    }
    let (start, end) = trade_page(job);
    let oldest = rows.first().map(|t| t.time.0.div_euclid(1_000_000_000));
    match oldest.and_then(|o| u64::try_from(o.min(end - 1)).ok()) {
        _ if !feed.open_holes(job.from, job.until) => Next::Done,
        Some(next) if oldest.is_some_and(|o| o > start) && job.pages + 1 < TRADE_PAGES_MAX => Next::Page(next),
        _ => {
            let missing = feed.give_up(job.from, job.until);
            sink.fault("hole_given_up", &format!("the venue does not have {missing} missing trades"), &[]);
            Next::Done
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::history::History;

    #[test]
    fn pages_go_backwards_and_never_ask_for_more_than_350() {
        let mut history = History::new(1);
        let (from, until) = (Ts::from_secs(1_795_000_020), Ts::from_secs(1_795_000_020 + 60 * 800));
        history.want(MarketIndex(0), Metric::Bar, from, until, Priority::Backfill, from);
        let mut job = history.next(until, RequestId(1)).unwrap();
        let mut pages = Vec::new();
        loop {
            let (first, last) = candle_page(&job);
            assert!((last - first) / 60 < CANDLES_MAX, "both ends are counted");
            pages.push(((last - first) / 60 + 1, last));
            if Ts::from_secs(first) <= from {
                break;
            }
            job.cursor = u64::try_from(first - 60).ok();
        }
        assert_eq!(pages.iter().map(|p| p.0).sum::<i64>(), 800, "every minute once");
        assert!(pages.windows(2).all(|w| w[0].1 > w[1].1), "backwards");
        let url = request("https://x", "BTC-USD", &job, RequestId(2)).unwrap().url;
        assert!(url.starts_with("https://x/api/v3/brokerage/market/products/BTC-USD/candles?start="), "{url}");
    }
}
