//! Requests and their answers: candles, settled funding, open interest and trades (sheet §3).
//!
//! Lists come newest first and are turned round. Windows are as long as one page, so pages go forward in time and no cursor is
//! needed. `startTime` never goes out without `endTime`.

use super::session::Bybit;
use super::{limits, map, wire};
use crate::session::history::Job;
use crate::session::kit::Kit;
use crate::session::protocol::Rest;
use crate::session::registry::escape;
use crate::session::seen::identity;
use crate::session::wire::rows;
use crate::session::{Admit, Decimal, Desk, FailReason, Out, Priority, RequestId};
use barograph_domain::{Metric, Span, Ts};

/// Rows of a page of candles, and of funding and open interest.
const CANDLES: i64 = 1_000;
const ROWS: i64 = 200;
/// Newest trades: all there may be of contracts, and of spot.
const TRADES: u32 = 1_000;
const TRADES_SPOT: u32 = 60;
/// What is polled: how many accounts are long for each that is short, of contracts (`account-ratio`).
pub(super) const RATIO: Metric = Metric::LongShortRatio;

impl Rest for Kit<Bybit> {
    fn ask(&mut self, now: Ts, out: &mut Out) {
        self.ask_pages(now, |kit, job| Some((kit.address(job), limits::POOL)), out);
    }

    fn reply(&mut self, now: Ts, request: RequestId, status: u16, body: &[u8], out: &mut Out) {
        let Some(job) = self.desk.history.answered(request) else { return };
        if status == 403 || status == 429 {
            return self.forbidden(now, &job, status, body, out);
        }
        let answer: Option<wire::Answer<'_>> = serde_json::from_slice(body).ok();
        let Some(answer) = answer.filter(|_| status == 200) else {
            out.fault("error_reply", Some(job.market), &format!("http {status}"), body);
            return self.retry(now, &job, "", out);
        };
        let list: Option<wire::List<'_>> = answer.result.and_then(|r| serde_json::from_str(r.get()).ok());
        let Some(list) = list.filter(|_| answer.ret_code == 0) else {
            let why = format!("bybit says {} {}", answer.ret_code, answer.ret_msg);
            out.fault("error_reply", Some(job.market), &why, b"");
            return self.retry(now, &job, "", out);
        };
        // Whichever clock is behind: nothing is taken for closed too early.
        let upto = answer.time.ts().map_or(now, |t| t.min(now));
        let read = self.past(now, upto, &job, list.list.get(), out);
        self.paged(now, &job, read, Self::page_end(&job), body, out);
    }

    fn failed(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out) {
        self.no_answer(now, request, reason, out);
    }
}

impl Kit<Bybit> {
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
        let market = &self.markets[job.market.index()];
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
            RATIO => {
                format!("{rest}/v5/market/account-ratio?category={category}&symbol={symbol}&period=5min&limit=1")
            }
            _ => {
                let limit = if market.category == map::Category::Spot { TRADES_SPOT } else { TRADES };
                format!("{rest}/v5/market/recent-trade?category={category}&symbol={symbol}&limit={limit}")
            }
        }
    }

    /// Too many requests, or not from here.
    fn forbidden(&mut self, now: Ts, job: &Job, status: u16, body: &[u8], out: &mut Out) {
        let often = status == 429 || body.windows(8).any(|w| w.eq_ignore_ascii_case(b"frequent"));
        let (kind, why) = if often {
            ("rate_limited", "too many requests: nothing is asked for 10 minutes")
        } else {
            ("region_refused", "bybit refuses this address (http 403): set another host or leave the venue out")
        };
        out.fault(kind, Some(job.market), why, body);
        self.desk.quiet_until = Some(now + limits::BAN);
        self.retry(now, job, "", out);
    }

    /// A page of history. `None`: it is no such list; false: the settlement this job waits for is missing.
    fn past(&mut self, now: Ts, upto: Ts, job: &Job, json: &str, out: &mut Out) -> Option<bool> {
        let market = &mut self.markets[job.market.index()];
        match job.metric {
            Metric::Bar => {
                let bars = rows(json, |[start, o, h, l, c, v, t]: [&str; 7]| {
                    let close = Ts::from_millis(start.parse().ok()?) + Span::mins(1);
                    Some((close, map::bar(&market.spec, [o, h, l, c, v, t])?))
                })?;
                Desk::past_bars(job, bars.into_iter().rev(), upto, &mut market.bars, out);
            }
            Metric::FundingRateSettled => {
                let settled = rows(json, |s: wire::Settlement<'_>| {
                    s.funding_rate_timestamp.ts().zip(map::rate(&s.funding_rate))
                })?;
                let declared = market.ticker.funding().and_then(|f| f.1).or(market.spec.funding_interval_h);
                let (settled, declared) = (settled.into_iter().rev(), declared.unwrap_or(8.0));
                return Some(self.desk.settlements(now, job, settled, declared, &mut market.settled, out));
            }
            Metric::OpenInterest | Metric::OpenInterestUsd => {
                let values = rows(json, |i: wire::Interest<'_>| {
                    i.timestamp.ts().zip(map::one_sided(&i.single_open_interest, &i.open_interest))
                })?;
                // Inverse contracts are counted in USD, and the list has no price to turn that into base units.
                if market.spec.inverse == (job.metric == Metric::OpenInterestUsd) {
                    Desk::past_values(job, values.into_iter().rev(), Ts::MAX, out);
                }
            }
            RATIO => {
                let positive =
                    |text: &str| Some(Decimal::parse(text.as_bytes())?.to_f64()).filter(|share| *share > 0.0);
                let ratios = rows(json, |r: wire::Ratio<'_>| {
                    let ratio = positive(&r.buy_ratio).zip(positive(&r.sell_ratio)).map(|(long, short)| long / short);
                    r.timestamp.ts().zip(ratio)
                })?;
                self.desk.ratio(now, job, ratios, out);
            }
            _ => return self.past_trades(job, json, out),
        }
        Some(true)
    }

    /// The venue keeps the newest 1,000 only.
    fn past_trades(&mut self, job: &Job, json: &str, out: &mut Out) -> Option<bool> {
        let market = &mut self.markets[job.market.index()];
        let trades = rows(json, |t: wire::PastTrade<'_>| {
            let payload = map::trade(&market.spec, &t.price, &t.size, &t.side)?;
            Some((t.time.ts()?, identity(&[t.exec_id.as_bytes()]), payload))
        })?;
        let cut = trades.len() >= 1_000 && trades.iter().map(|t| t.0).min().is_some_and(|oldest| oldest > job.from);
        if cut && job.priority == Priority::Repair {
            let why = "the venue keeps 1,000 trades: those before them are lost";
            out.fault("history_cut", Some(job.market), why, b"");
        }
        for (at, id, payload) in trades.into_iter().rev().filter(|t| t.0 >= job.from && t.0 <= job.until) {
            let emit = match market.trades.admit(at, id) {
                Admit::New => true,
                Admit::Seen => false,
                // Older than what is remembered, but well inside the hole: it was never here.
                Admit::TooLate => at > job.from && at < job.until,
            };
            if emit {
                out.backfilled(job.market, Metric::Trade, at, 0, payload);
            }
        }
        Some(true)
    }
}
