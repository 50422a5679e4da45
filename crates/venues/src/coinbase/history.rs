//! What is asked for over REST: candles and trades of the past, and the product of a future now.
//!
//! Candles: at most 350 per answer, both ends of the range counted, pages from the end backwards. Trades: by time, newest
//! first, as many as the venue gives. Minutes without trades have no candle. The running candle is never taken.

use super::limits::{CANDLES_MAX, PUBLIC, TRADES_PER_PAGE};
use super::map::{self, AggressorFrom, Trade};
use super::sink::Sink;
use super::trades::TradeFeed;
use super::wire;
use crate::session::history::Job;
use crate::session::seen::{Admit, Minutes};
use crate::session::{Priority, Request, RequestId};
use barograph_domain::{Metric, Payload, Span, Ts};

const MINUTE: Span = Span::mins(1);
/// A candle is taken this long after its end: the answer may be a second old (the venue caches).
pub(super) const CANDLE_SETTLES: Span = Span::secs(5);
/// Pages of one hole in trades; at a thousand trades each, a minute of the busiest product.
const TRADE_PAGES_MAX: u32 = 20;

fn get(id: RequestId, url: String, priority: Priority) -> Request {
    Request { id, url, body: None, pool: PUBLIC, weight: 1, priority, timeout: Span::secs(10) }
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
    Some(get(id, url, job.priority))
}

/// The product of a future.
pub(super) fn product(rest: &str, symbol: &str, id: RequestId) -> Request {
    get(id, format!("{rest}/api/v3/brokerage/market/products/{symbol}"), Priority::Poll)
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
    use crate::session::MarketIndex;
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
