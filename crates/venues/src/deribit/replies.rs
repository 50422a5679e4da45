//! Requests and their answers: bars, settled funding and trades (sheet §8). The venue keeps no history of open interest.
//!
//! Bars and funding are asked for in windows of one page, both ends given, so pages go forward in time. Trades of a hole are asked
//! for by number, those before the first one by time and then by number.

use super::session::Deribit;
use super::wire::Frame;
use super::{limits, map};
use crate::session::history::Job;
use crate::session::kit::Kit;
use crate::session::protocol::Rest;
use crate::session::registry::escape;
use crate::session::scan::{elements, list, object, read_plain};
use crate::session::wire::Millis;
use crate::session::{Admit, Desk, FailReason, Out, Priority, RequestId};
use barograph_domain::{Metric, Payload, Span, Ts};

/// Minutes and hours of a page: the venue gives 744 hours, and does not say how many bars.
const ROWS: i64 = 720;
/// Trades of a page.
const TRADES: u32 = 1_000;
/// Our clock and the venue's may differ by this much.
const SLACK: Span = Span::secs(2);

impl Rest for Kit<Deribit> {
    fn ask(&mut self, now: Ts, out: &mut Out) {
        self.ask_pages(now, |kit, job| kit.address(job).map(|url| (url, limits::PUBLIC)), out);
    }

    fn reply(&mut self, now: Ts, request: RequestId, status: u16, body: &[u8], out: &mut Out) {
        let Some(job) = self.desk.history.answered(request) else { return };
        let mut owned = None;
        let answer = read_plain(body, &mut owned, Frame::read);
        if let Some(answer) = answer.filter(|a| status == 200 && !a.result.is_empty()) {
            if job.metric == Metric::Trade {
                return self.past_trades(now, &job, answer.result, body, out);
            }
            let upto = answer.sent.map_or(now, |sent| sent.min(now));
            let read = self.past(now, upto, &job, answer.result, out);
            return self.paged(now, &job, read, Self::page_end(&job), body, out);
        }
        if status == 429 || answer.is_some_and(|a| a.code == Frame::TOO_MANY) {
            self.desk.quiet_until = Some(now + limits::PAUSE);
            out.fault("rate_limited", Some(job.market), "too many requests: nothing is asked for 10 s", body);
        } else {
            out.fault("error_reply", Some(job.market), &format!("http {status}"), body);
        }
        if answer.is_some_and(|a| a.is_final()) {
            self.desk.history.stop(now, &job);
        } else {
            self.retry(now, &job, "", out);
        }
    }

    fn failed(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out) {
        self.no_answer(now, request, reason, out);
    }
}

impl Kit<Deribit> {
    /// The end of the page that begins where the job stands.
    fn page_end(job: &Job) -> Ts {
        let row = if job.metric == Metric::Bar { Span::mins(1) } else { Span::hours(1) };
        if job.metric == Metric::Trade { job.until } else { (job.from + row.times(ROWS)).min(job.until) }
    }

    fn address(&self, job: &Job) -> Option<String> {
        let market = &self.markets[job.market.index()];
        let (from, to) = (job.from.as_millis(), Self::page_end(job).as_millis());
        let by_time = format!("start_timestamp={from}&end_timestamp={to}");
        let first = job.cursor.or(market.hole.filter(|_| job.priority == Priority::Repair));
        let (method, page) = match (job.metric, first) {
            // By the beginning of the bar; closes are a minute later.
            (Metric::Bar, _) => {
                let page = format!("start_timestamp={from}&end_timestamp={}&resolution=1", to - 60_000);
                ("get_tradingview_chart_data", page)
            }
            (Metric::FundingRateSettled, _) => ("get_funding_rate_history", by_time),
            (Metric::Trade, Some(seq)) => {
                ("get_last_trades_by_instrument", format!("start_seq={seq}&count={TRADES}&sorting=asc"))
            }
            (Metric::Trade, None) => {
                ("get_last_trades_by_instrument_and_time", format!("{by_time}&count={TRADES}&sorting=asc"))
            }
            _ => return None,
        };
        let symbol = escape(&market.spec.symbol);
        Some(format!("{}/api/v2/public/{method}?instrument_name={symbol}&{page}", self.config.endpoints.rest))
    }

    /// A page of bars or funding. `None`: it is no such list; false: the settlement this job waits for is missing.
    fn past(&mut self, now: Ts, upto: Ts, job: &Job, result: &str, out: &mut Out) -> Option<bool> {
        let market = &mut self.markets[job.market.index()];
        if job.metric == Metric::Bar {
            let columns = object(result, ["ticks", "open", "high", "low", "close", "volume", "cost"])?.map(list);
            let count = columns[0].as_ref()?.len();
            let row = |n: usize| columns.each_ref().map(|c| c.as_ref().and_then(|c| c.get(n)).copied().unwrap_or(""));
            let bars: Option<Vec<_>> = (0..count).map(|n| map::bar(row(n))).collect();
            let bars = bars?.into_iter().map(|(close, bar)| (close, Payload::Bar(bar)));
            Desk::past_bars(job, bars, upto, &mut market.bars, out);
            return Some(true);
        }
        let mut settled = Vec::new();
        elements(result, |row| {
            let [at, rate] = object(row, ["timestamp", "interest_1h"])?;
            settled.push((Millis::of(at).ts()?, map::rate(rate)?));
            Some(())
        })?;
        settled.sort_unstable_by_key(|(at, _)| *at);
        Some(self.desk.settlements(now, job, settled.into_iter(), 1.0, &mut market.settled, out))
    }

    /// A page of trades, oldest first; the next one begins where this one ends.
    fn past_trades(&mut self, now: Ts, job: &Job, result: &str, body: &[u8], out: &mut Out) {
        let market = &mut self.markets[job.market.index()];
        let mut last = None;
        let read = object(result, ["trades", "has_more"]).and_then(|[trades, more]| {
            map::Trade::each(&market.spec, trades, |t| {
                let at = t.time.ts()?;
                last = Some((t.seq + 1, [at, job.until])).filter(|_| more == "true" && at <= job.until);
                let wanted = at + SLACK >= job.from && at <= job.until;
                if wanted && market.trades.admit(at, t.seq) != Admit::Seen {
                    out.backfilled(job.market, Metric::Trade, at, t.seq, t.payload());
                    for (_, payload) in t.liquidations().filter(|_| self.desk.wants(job.market, Metric::Liquidation)) {
                        out.backfilled(job.market, Metric::Liquidation, at, 0, payload);
                    }
                }
                Some(())
            })
        });
        if read.is_none() {
            out.fault("undecodable", Some(job.market), "an answer that is no list of trades", body);
            return self.retry(now, job, "", out);
        }
        market.hole = None;
        self.trades_paged(now, job, last, out);
    }
}
