//! What the socket does not bring: bars, liquidations, settled funding, and deals that were missed (sheet §2).
//!
//! Bars and liquidations are asked for regularly, from where the last answer ended. Bars come in windows of one page, so those go
//! forward in time; liquidations and funding come in numbered pages, until one is the last. Of deals there
//! is one page, of those behind a number. There is no history of open interest.

use super::map::{self, Deal};
use super::session::Coinex;
use super::topics::{BAR_AFTER, BARS_WITHIN, LIQUIDATIONS_EVERY};
use super::wire::Answer;
use crate::session::facts::Moment;
use crate::session::history::Job;
use crate::session::kit::Kit;
use crate::session::registry::escape;
use crate::session::scan::elements;
use crate::session::{Admit, Desk, MarketIndex, Out, Priority};
use barograph_domain::{GapReason, Metric, Payload, Span, Ts};

const MINUTE: Span = Span::mins(1);
/// Bars of a page.
const BARS: i64 = 1_000;
/// Deals of a page.
const DEALS: usize = 1_000;
/// Rows of a numbered page; more are not known to be allowed.
const ROWS: u32 = 100;
/// Pages of one job at most, whatever the answers promise.
const PAGES: u32 = 200;
/// A regular request for bars goes back this far; beyond that they are history.
const BARS_BACK: Span = Span::hours(2);
/// A bar that has not come is asked for again after this long.
const BAR_AGAIN: Span = Span::secs(5);
/// In the first half of the minute only: the next request asks for it as well.
const BARS_WITHIN_MINUTE: Span = Span::secs(30);
/// A bar is final by the venue's clock this long after its end.
const BAR_SETTLES: Span = Span::secs(1);
/// What is asked for regularly and is younger than this is reported as it happened.
const FRESH: Span = Span::mins(3);
/// Liquidations may be listed this late.
const LISTED_LATE: Span = Span::mins(2);

/// Wants the bars and liquidations of each market whose time has come.
pub(super) fn want(kit: &mut Kit<Coinex>, now: Ts) {
    for at in 0..kit.markets.len() {
        let index = MarketIndex::at(at);
        if kit.markets[at].seat.channels == 0 {
            continue;
        }
        if kit.desk.wants(index, Metric::Bar) {
            kit.want_bars(now, index);
        }
        if kit.desk.wants(index, Metric::Liquidation) {
            kit.want_liquidations(now, index);
        }
    }
}

impl Kit<Coinex> {
    fn want_bars(&mut self, now: Ts, index: MarketIndex) {
        let market = &mut self.markets[index.index()];
        if market.bars_due.is_some_and(|due| now < due) {
            return;
        }
        let until = now.floor(MINUTE);
        let from = market.bars_upto.unwrap_or(until - MINUTE).max(until - BARS_BACK);
        market.bars_due = Some(until + MINUTE + BAR_AFTER + Span::secs(i64::from(index.0 % BARS_WITHIN)));
        self.desk.history.want(index, Metric::Bar, from, until, Priority::Poll, now);
    }

    fn want_liquidations(&mut self, now: Ts, index: MarketIndex) {
        let every = self.config.every_or(Metric::Liquidation, LIQUIDATIONS_EVERY);
        let spread = Span(every.0 / i64::try_from(self.markets.len()).unwrap_or(i64::MAX).max(1));
        let market = &mut self.markets[index.index()];
        let due = *market.liquidations_due.get_or_insert(now + spread.times(i64::from(index.0)));
        if now < due {
            return;
        }
        market.liquidations_due = Some((due + every).max(now));
        let (from, priority) = match market.liquidations_upto {
            Some(upto) => (upto - LISTED_LATE, Priority::Poll),
            None if self.config.backfill > MINUTE => (now - self.config.backfill, Priority::Backfill),
            None => (now - MINUTE, Priority::Poll),
        };
        self.desk.history.want(index, Metric::Liquidation, from, now, priority, now);
    }

    /// The venue refused a request for good: what is asked for regularly is not asked for again while the program runs.
    pub(super) fn never_again(&mut self, now: Ts, job: &Job, out: &mut Out) {
        let market = &mut self.markets[job.market.index()];
        match job.metric {
            Metric::Bar => market.bars_due = Some(Ts::MAX),
            Metric::Liquidation => market.liquidations_due = Some(Ts::MAX),
            _ => return,
        }
        self.desk.lost(job.market, job.metric, now, GapReason::Refused, out);
    }

    /// The end of the page that begins where the job stands.
    fn page_end(job: &Job) -> Ts {
        if job.metric == Metric::Bar {
            (job.from.floor(MINUTE) + MINUTE.times(BARS - 1)).min(job.until)
        } else {
            job.until
        }
    }

    /// Where a page is found; `None`: the venue has no such history.
    pub(super) fn address(&self, job: &Job) -> Option<String> {
        let market = &self.markets[job.market.index()];
        let (from, to) = (job.from.as_millis(), Self::page_end(job).as_millis());
        let pages = format!("start_time={from}&end_time={to}&page={}&limit={ROWS}", job.cursor.unwrap_or(1));
        let (path, query) = match job.metric {
            // By the beginning of bars: the last one shows that the one before it is final.
            Metric::Bar => {
                let from = job.from.floor(MINUTE).as_millis();
                ("kline", format!("period=1min&limit={BARS}&start_time={from}&end_time={to}"))
            }
            Metric::FundingRateSettled => ("funding-rate-history", pages),
            Metric::Liquidation => ("liquidation-history", pages),
            Metric::Trade => {
                let hole = market.holes.first().filter(|_| job.priority == Priority::Repair);
                let known = hole.map_or(0, |hole| hole.after);
                ("deals", format!("limit={DEALS}&last_id={known}"))
            }
            _ => return None,
        };
        let (rest, symbol) = (&self.config.endpoints.rest, escape(&market.spec.symbol));
        Some(format!("{rest}/v2/futures/{path}?market={symbol}&{query}"))
    }

    /// A page was answered.
    pub(super) fn page(&mut self, now: Ts, job: &Job, answer: Answer<'_>, body: &[u8], out: &mut Out) {
        let data = answer.data;
        let read = match job.metric {
            Metric::Bar => {
                let read = self.past_bars(now, job, data, out);
                return self.paged(now, job, read.map(|()| true), Self::page_end(job), body, out);
            }
            Metric::Trade => self.past_deals(now, job, data, out),
            Metric::FundingRateSettled => self.past_settlements(now, job, data, answer.has_next, out),
            _ => self.past_liquidations(now, job, data, out),
        };
        // A page with no rows is the last one.
        let (more, rows) = (answer.has_next, read.map_or(0, |rows| rows.unwrap_or(0)));
        match read {
            None => self.paged(now, job, None, job.until, body, out),
            // What is waited for is not there yet.
            Some(None) => self.paged(now, job, Some(false), job.until, body, out),
            Some(Some(_)) if more && rows > 0 && job.pages + 1 < PAGES => {
                self.desk.history.advance(now, job, job.from, Some(job.cursor.unwrap_or(1) + 1));
            }
            Some(Some(_)) => {
                if more && rows > 0 {
                    out.fault("history_cut", Some(job.market), "more pages than are read", b"");
                }
                if job.metric == Metric::Liquidation {
                    let market = &mut self.markets[job.market.index()];
                    let upto = market.liquidations_upto.map_or(job.until, |upto| upto.max(job.until));
                    market.liquidations_upto = Some(upto);
                    // The next request begins there.
                    market.liquidations = market.liquidations.split_off(&(upto - LISTED_LATE, 0));
                    self.desk.alive(job.market, job.metric, now, now, out);
                }
                self.desk.history.advance(now, job, job.until, None);
            }
        }
    }

    /// Bars of a page. One is final when a newer one is there, or the venue's clock is past its end.
    fn past_bars(&mut self, now: Ts, job: &Job, data: &str, out: &mut Out) -> Option<()> {
        let market = &mut self.markets[job.market.index()];
        let mut bars = Vec::new();
        elements(data, |row| {
            match map::bar(&market.spec, row) {
                Some(bar) => bars.push(bar),
                None => out.fault("bad_candle", Some(job.market), "a candle that is no sound minute", row.as_bytes()),
            }
            Some(())
        })?;
        bars.sort_unstable_by_key(|(close, _)| *close);
        let there = self.state.venue_now.map_or(now, |there| there.min(now)) - BAR_SETTLES;
        let last = bars.last().map_or(there, |(close, _)| (*close - MINUTE).max(there)).min(now);
        let page = Self::page_end(job);
        for (close, bar) in bars.into_iter().filter(|(close, _)| *close > job.from && *close <= page && *close <= last)
        {
            market.bars_upto = market.bars_upto.max(Some(close));
            if job.priority == Priority::Poll && now - close < FRESH {
                let m = Moment { now, market: job.market, at: close - MINUTE };
                self.desk.bar(m, Some(Payload::Bar(bar)), &mut market.bars, out);
            } else {
                Desk::past_bars(job, core::iter::once((close, Payload::Bar(bar))), last, &mut market.bars, out);
            }
        }
        let misses = market.bars_upto.is_none_or(|upto| upto < job.until);
        if job.priority == Priority::Poll && misses && now - job.until < BARS_WITHIN_MINUTE {
            market.bars_due = Some(now + BAR_AGAIN);
        }
        Some(())
    }

    /// Settlements of a page: how many. `Some(None)`: the one that is waited for is not among them, nor on a page behind.
    fn past_settlements(&mut self, now: Ts, job: &Job, data: &str, more: bool, out: &mut Out) -> Option<Option<usize>> {
        let mut settled = Vec::new();
        elements(data, |row| {
            settled.push(map::settlement(row)?);
            Some(())
        })?;
        settled.sort_unstable_by_key(|(at, _)| *at);
        let (count, market) = (settled.len(), &mut self.markets[job.market.index()]);
        let declared = market.interval_h.unwrap_or(8.0);
        let whole = self.desk.settlements(now, job, settled.into_iter(), declared, &mut market.settled, out);
        Some((whole || more).then_some(count))
    }

    /// Liquidations of a page: how many.
    fn past_liquidations(&mut self, now: Ts, job: &Job, data: &str, out: &mut Out) -> Option<Option<usize>> {
        let market = &mut self.markets[job.market.index()];
        let (mut liquidated, mut count) = (Vec::new(), 0);
        elements(data, |row| {
            count += 1;
            liquidated.extend(map::liquidation(&market.spec, now, row)?);
            Some(())
        })?;
        liquidated.sort_by_key(|(at, ..)| *at);
        for (at, id, payload) in liquidated {
            // A request that waited for the one before it begins where that one did: what is older than the overlap has come.
            let came = market.liquidations_upto.is_some_and(|upto| at < upto - LISTED_LATE);
            if at < job.from || came || !market.liquidations.insert((at, id)) {
                continue;
            }
            if job.priority == Priority::Poll && now - at < FRESH {
                self.desk.alive(job.market, job.metric, now, at, out);
                out.live(job.market, job.metric, at, 0, payload);
            } else {
                out.backfilled(job.market, job.metric, at, 0, payload);
            }
        }
        Some(Some(count))
    }

    /// Deals behind the last one that was known, or the newest there are; the venue lists no more than one page.
    fn past_deals(&mut self, now: Ts, job: &Job, data: &str, out: &mut Out) -> Option<Option<usize>> {
        let mut deals = Vec::new();
        Deal::each(&self.markets[job.market.index()].spec, now, data, |deal| deals.push(deal))?;
        deals.sort_unstable_by_key(|deal| (deal.at, deal.id));
        let market = &mut self.markets[job.market.index()];
        let repairs = job.priority == Priority::Repair && !market.holes.is_empty();
        for deal in &deals {
            let missed = if repairs { market.holes.iter().any(|hole| hole.has(deal.id)) } else { deal.at >= job.from };
            if missed && deal.at <= job.until && market.deals.admit(deal.at, deal.id) != Admit::Seen {
                out.backfilled(job.market, Metric::Trade, deal.at, deal.id, deal.payload());
            }
        }
        if repairs {
            // One that ends beyond what was listed came meanwhile: another request is on its way for it. One behind which nothing has
            // come yet goes on behind what was listed.
            let reached = deals.iter().map(|deal| deal.id).max().unwrap_or(0);
            market.holes.retain(|hole| hole.before.is_none_or(|before| before > reached));
            let listed = deals.iter().filter(|deal| deal.at <= job.until).map(|deal| deal.id).max();
            market.holes.iter_mut().for_each(|hole| hole.after = hole.after.max(listed.unwrap_or(0)));
        }
        if repairs && deals.len() >= DEALS {
            out.fault("history_cut", Some(job.market), "more deals were missed than the venue lists", b"");
        }
        Some(Some(deals.len()))
    }
}
