//! What is asked for: book snapshots, open interest, settlements, funding intervals; and what the answers say.

use super::flavour::Class;
use super::frame::{self, Data};
use super::limits::{self, DATA, FUNDING, WEIGHT};
use super::rest;
use super::session::{Binance, Purpose, base_quantity};
use crate::session::kit::Kit;
use crate::session::protocol::Rest;
use crate::session::registry::escape;
use crate::session::{Action, FailReason, MarketIndex, Out, PoolId, Priority, Request, RequestId, scan};
use barograph_domain::{GapReason, Metric, Payload, Span, StatusState, Ts};
use std::collections::BTreeMap;

/// More due settlements than this are asked for with one request for all markets.
const SETTLED_BULK: usize = 20;
/// Rows of such an answer at most.
const SETTLED_PAGE: usize = 1_000;
/// No market settles less often than once a day.
const SETTLED_WITHIN: Span = Span::days(2);
/// Settlements are asked for this often until they are listed: ten minutes.
const SETTLED_ATTEMPTS_MAX: u32 = 20;
const SETTLED_PAUSE: Span = Span::secs(30);
/// Intervals can change at any time; the list costs one request.
const FUNDING_INFO_EVERY: Span = Span::mins(30);
/// A hole in open interest this long is filled from the five-minute history.
const OPEN_INTEREST_HOLE: Span = Span::mins(10);
const TIMEOUT: Span = Span::secs(10);
/// After 403 or 451: what refuses an address does not change its mind soon.
const FORBIDDEN_PAUSE: Span = Span::mins(10);
/// Waiting for budget included. A thousand books at weight 1 wait half a minute.
const PATIENCE: Span = Span::mins(5);

impl Rest for Kit<Binance> {
    fn ask(&mut self, now: Ts, out: &mut Out) {
        for market in self.each(None) {
            self.ask_depth(now, market, out);
        }
        self.ask_polls(now, out);
        self.ask_ratios(now, out);
        self.ask_settled(now, out);
        self.ask_funding_info(now, out);
        self.ask_status(now, out);
        self.ask_history(now, out);
    }

    fn reply(&mut self, now: Ts, request: RequestId, status: u16, body: &[u8], out: &mut Out) {
        // Whatever it says: we are answered.
        self.state.refused_until = None;
        if let Some((Purpose::Status(Some(market)), _)) = self.state.asked.get(&request).copied()
            && status == 400
        {
            // Not a symbol of this venue any more.
            self.state.asked.remove(&request);
            return self.traded(now, market, false, out);
        }
        if status != 200 {
            self.unanswered(now, request, &format!("the answer has status {status}"), body, out);
            return;
        }
        let Some((purpose, _)) = self.state.asked.get(&request).copied() else { return };
        let read = match purpose {
            Purpose::Depth(market) => self.snapshot(now, market, request, body, out),
            Purpose::OpenInterest => self.open_interest(now, request, body, out),
            Purpose::Ratio => self.ratio(now, request, body, out),
            Purpose::FundingInfo => self.funding_info(body),
            Purpose::Settled(market) => self.settled(now, market.is_none(), body, out),
            Purpose::History => self.history_page(now, request, body, out),
            Purpose::Status(market) => self.statuses(now, market, body, out),
        };
        if read.is_none() {
            self.unanswered(now, request, "the answer cannot be read", body, out);
            return;
        }
        self.state.asked.remove(&request);
        match purpose {
            Purpose::OpenInterest => self.ask_polls(now, out),
            Purpose::Ratio => self.ask_ratios(now, out),
            Purpose::History => self.ask_history(now, out),
            Purpose::Depth(_) | Purpose::FundingInfo | Purpose::Settled(_) | Purpose::Status(_) => {}
        }
    }

    fn failed(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out) {
        if reason == FailReason::Forbidden {
            self.forbidden(now, request, out);
        } else {
            self.unanswered(now, request, "no answer", &[], out);
        }
    }
}

impl Kit<Binance> {
    pub(super) fn api(&self, path: &str) -> String {
        format!("{}{}{path}", self.config.endpoints.rest, self.venue.flavour.api)
    }

    /// Not while the venue refuses this address; after the pause one request at a time.
    pub(super) fn may_ask(&self, now: Ts) -> bool {
        self.state.refused_until.is_none_or(|until| now >= until && self.state.asked.is_empty())
    }

    pub(super) fn request(
        &mut self,
        now: Ts,
        purpose: Purpose,
        url: String,
        cost: (PoolId, u32),
        priority: Priority,
        out: &mut Out,
    ) -> RequestId {
        let id = self.desk.request_id();
        self.request_as(now, id, purpose, url, cost, priority, out);
        id
    }

    /// As [`Self::request`], with this number.
    #[expect(clippy::too_many_arguments, reason = "a request and what it is for")]
    pub(super) fn request_as(
        &mut self,
        now: Ts,
        id: RequestId,
        purpose: Purpose,
        url: String,
        (pool, weight): (PoolId, u32),
        priority: Priority,
        out: &mut Out,
    ) {
        self.state.asked.insert(id, (purpose, now));
        out.actions.push(Action::Request(Request { id, url, body: None, pool, weight, priority, timeout: TIMEOUT }));
    }

    pub(super) fn ask_depth(&mut self, now: Ts, market: MarketIndex, out: &mut Out) {
        let Some(m) = self.markets.get(market.index()).filter(|m| m.wanted) else { return };
        if !self.may_ask(now) || !m.book.as_ref().is_some_and(|b| b.wants_snapshot(now)) {
            return;
        }
        let Some(symbol) = self.spec(market).map(|s| escape(&s.symbol)) else { return };
        let (limit, weight) = limits::depth(self.venue.flavour, self.config.book_depth);
        let limit = limit.map_or(String::new(), |n| format!("&limit={n}"));
        let url = self.api(&format!("/depth?symbol={symbol}{limit}"));
        let id = self.request(now, Purpose::Depth(market), url, (WEIGHT, weight), Priority::Sync, out);
        if let Some(book) = self.markets.get_mut(market.index()).and_then(|m| m.book.as_mut()) {
            book.asked = Some(id);
        }
    }

    pub(super) fn ask_polls(&mut self, now: Ts, out: &mut Out) {
        while self.may_ask(now) {
            let Some((id, market, _)) = self.desk.next_poll(now, &mut self.state.polls) else { return };
            let Some(symbol) = self.spec(market).map(|s| escape(&s.symbol)) else { return };
            let url = self.api(&format!("/openInterest?symbol={symbol}"));
            self.request_as(now, id, Purpose::OpenInterest, url, (WEIGHT, 1), Priority::Poll, out);
        }
    }

    pub(super) fn ask_funding_info(&mut self, now: Ts, out: &mut Out) {
        if self.may_ask(now) && self.state.funding_info_due.is_some_and(|due| due <= now) {
            self.state.funding_info_due = Some(now + FUNDING_INFO_EVERY);
            let url = self.api("/fundingInfo");
            self.request(now, Purpose::FundingInfo, url, (FUNDING, 1), Priority::Poll, out);
        }
    }

    pub(super) fn ask_settled(&mut self, now: Ts, out: &mut Out) {
        if !self.has(Metric::FundingRateSettled) || !self.may_ask(now) {
            return;
        }
        let is_due = |at: &usize| {
            let m = &self.markets[*at];
            m.wanted && m.settle_due.is_some_and(|due| due <= now)
        };
        let mut due: Vec<usize> = (0..self.markets.len()).filter(is_due).collect();
        if self.state.refused_until.is_some() {
            due.truncate(1);
        }
        let Some(first) = due.first() else { return };
        let from = due.iter().filter_map(|at| self.markets[*at].settle_from).min();
        // Settlements are stamped some milliseconds after their hour.
        let since = from.map_or(String::new(), |t| format!("startTime={}&", (t - Span::secs(10)).as_millis()));
        for at in &due {
            let m = &mut self.markets[*at];
            m.settle_attempts += 1;
            m.settle_due = (m.settle_attempts < SETTLED_ATTEMPTS_MAX).then(|| now + SETTLED_PAUSE);
        }
        if due.len() > SETTLED_BULK {
            // The newest rows of all markets: those that settle each hour crowd out those that do each eight, a page further
            // back has them.
            let page = self.state.settled_before.filter(|_| from.is_none());
            let page = page.map_or(String::new(), |t| format!("endTime={}&", t.as_millis() - 1));
            let url = self.api(&format!("/fundingRate?{since}{page}limit={SETTLED_PAGE}"));
            self.request(now, Purpose::Settled(None), url, (FUNDING, 1), Priority::Poll, out);
            return;
        }
        debug_assert!(due.contains(first));
        for at in due {
            let market = MarketIndex::at(at);
            let Some(symbol) = self.spec(market).map(|s| escape(&s.symbol)) else { continue };
            let url = self.api(&format!("/fundingRate?symbol={symbol}&{since}limit=10"));
            self.request(now, Purpose::Settled(Some(market)), url, (FUNDING, 1), Priority::Poll, out);
        }
    }

    /// 403 or 451: the venue is not for this address. What depends on requests says so; everything is asked for again when one
    /// request has been answered.
    fn forbidden(&mut self, now: Ts, request: RequestId, out: &mut Out) {
        let Some((purpose, _)) = self.state.asked.remove(&request) else { return };
        match purpose {
            Purpose::Depth(market) => {
                let book = self.markets.get_mut(market.index()).and_then(|m| m.book.as_mut());
                if let Some(book) = book.filter(|b| b.asked == Some(request)) {
                    book.failed(now);
                }
            }
            Purpose::OpenInterest => {
                self.state.polls.answered(now, request, false);
            }
            Purpose::Ratio => {
                self.state.ratios.answered(now, request, true);
            }
            Purpose::FundingInfo => self.state.funding_info_due = Some(now),
            Purpose::Settled(_) | Purpose::Status(_) => {}
            Purpose::History => self.state.history.put_back(now, request),
        }
        let said = self.state.refused_until.is_some_and(|until| now < until);
        self.state.refused_until = Some(now + FORBIDDEN_PAUSE);
        if said {
            return;
        }
        let why = "the venue refuses requests from this address (403 or 451): use another host or leave the venue out";
        out.fault("region_refused", None, why, &[]);
        for market in self.each(None) {
            let m = &self.markets[market.index()];
            if !m.wanted {
                continue;
            }
            // A book that is there goes on without requests.
            let has_book = m.book.as_ref().is_some_and(|b| b.book().is_some());
            for metric in [Metric::OpenInterest, Metric::FundingRateSettled, Metric::Book] {
                if metric != Metric::Book || !has_book {
                    self.desk.tracker.lost(market, metric, now, StatusState::Gap, GapReason::Refused, out);
                }
            }
        }
    }

    /// No answer, or none of use. What is regular comes again by itself.
    fn unanswered(&mut self, now: Ts, request: RequestId, why: &str, body: &[u8], out: &mut Out) {
        let Some((purpose, _)) = self.state.asked.remove(&request) else { return };
        let market = match purpose {
            Purpose::Depth(market) => {
                let book = self.markets.get_mut(market.index()).and_then(|m| m.book.as_mut());
                if let Some(book) = book.filter(|b| b.asked == Some(request)) {
                    book.failed(now);
                }
                Some(market)
            }
            Purpose::OpenInterest => self.state.polls.answered(now, request, false).map(|(market, _)| market),
            Purpose::Ratio => self.state.ratios.answered(now, request, true).map(|(market, _)| market),
            Purpose::FundingInfo => {
                self.state.funding_info_due = Some(now + SETTLED_PAUSE);
                None
            }
            Purpose::Settled(market) | Purpose::Status(market) => market,
            Purpose::History => {
                let given_up = self.state.history.failed(now, request);
                if let Some(task) = given_up {
                    let piece = format!("{:?} of {} to {} is given up", task.piece, task.from, task.until);
                    out.fault("history_given_up", Some(task.market), &piece, body);
                }
                given_up.map(|t| t.market)
            }
        };
        out.fault("request_failed", market, &format!("{purpose:?}: {why}"), body);
    }

    /// Requests that nobody will answer any more, as after a restart, are given up and asked anew.
    pub(super) fn expire(&mut self, now: Ts, out: &mut Out) {
        let patience = |purpose| if purpose == Purpose::History { PATIENCE.times(6) } else { PATIENCE };
        let old = self.state.asked.iter().filter(|(_, (purpose, at))| now - *at > patience(*purpose));
        let old: Vec<RequestId> = old.map(|(id, _)| *id).collect();
        for request in old {
            self.unanswered(now, request, "no answer for minutes", &[], out);
        }
    }

    fn snapshot(&mut self, now: Ts, market: MarketIndex, request: RequestId, body: &[u8], out: &mut Out) -> Option<()> {
        let m = self.markets.get(market.index())?;
        // The connection was lost meanwhile: a new snapshot will be asked for.
        if m.book.as_ref().is_none_or(|b| b.asked != Some(request)) {
            return Some(());
        }
        let mut levels = self.venue.levels.take().unwrap_or_default();
        let plain;
        let read = match frame::read(body, &mut levels) {
            Some(frame) => Some(frame),
            None => {
                plain = scan::plain(body).unwrap_or_default();
                frame::read(&plain, &mut levels)
            }
        };
        let head = read.and_then(|frame| match frame.data {
            Data::One(f) if f.has_levels && levels.wrong.is_none() => f.last_update_id.map(|id| (id, f.T.or(f.E))),
            Data::One(_) | Data::Many(_) => None,
        });
        let outcome = head.map(|(id, stamp)| {
            let at = stamp.and_then(|n| i64::try_from(n).ok()).and_then(Ts::from_epoch).unwrap_or(now);
            let book = self.markets.get_mut(market.index()).and_then(|m| m.book.as_mut());
            (id, at, book.map(|b| b.snapshot(now, id, &levels)))
        });
        self.venue.levels = Some(levels);
        let (id, at, outcome) = outcome?;
        match outcome? {
            Ok(newest) => {
                let event_ts = newest.map_or(at, |n| n.max(at));
                self.book_moved(now, market, event_ts, id, out);
            }
            // A live book that was not renewed is still the book.
            Err(_)
                if self
                    .markets
                    .get(market.index())
                    .and_then(|m| m.book.as_ref())
                    .is_some_and(|b| b.book().is_some()) => {}
            // Too old or not whole: asked for again after a pause; what is held stays.
            Err(why) => self.desk.tracker.lost(market, Metric::Book, now, StatusState::Resync, why, out),
        }
        Some(())
    }

    fn open_interest(&mut self, now: Ts, request: RequestId, body: &[u8], out: &mut Out) -> Option<()> {
        let (at, amount) = rest::open_interest(body)?;
        // What does not move is asked for less often.
        let moved = self.state.polls.asked_by(request).is_some_and(|market| {
            let m = self.markets.get(market.index());
            m.is_some_and(|m| m.interest_raw.is_none_or(|before| before.to_bits() != amount.to_bits()))
        });
        let (market, metric) = self.state.polls.answered(now, request, moved)?;
        if let Some(m) = self.markets.get_mut(market.index()) {
            m.interest_raw = Some(amount);
        }
        let class = self.venue.flavour.class;
        let (Some(m), Some(spec)) = (self.markets.get(market.index()), self.spec(market)) else {
            return Some(());
        };
        let amount = match (class, m.mark) {
            (Class::CoinM, Some(mark)) => base_quantity(class, spec, amount, mark),
            // Contracts are worth nothing that can be said without a price.
            (Class::CoinM, None) => return Some(()),
            _ => amount,
        };
        let before = m.open_interest;
        if !m.wanted || before.is_some_and(|(t, _)| at <= t) {
            return Some(());
        }
        if let Some(m) = self.markets.get_mut(market.index()) {
            m.open_interest = Some((at, amount));
        }
        if let Some((from, _)) = before.filter(|(t, _)| at - *t > OPEN_INTEREST_HOLE) {
            self.fetch_open_interest(now, market, from, at, true);
        }
        self.desk.tracker.progress(market, metric, now, at, out);
        out.live(market, metric, at, 0, Payload::Value(amount));
        self.begin(now, market, at);
        Some(())
    }

    fn funding_info(&mut self, body: &[u8]) -> Option<()> {
        let listed = rest::funding_info(body)?;
        // Not listed means eight hours.
        for m in &mut self.markets {
            m.interval_h = 8.0;
        }
        for (symbol, hours) in listed {
            let market = self.venue.names.get(symbol.as_bytes());
            if let Some(m) = market.and_then(|m| self.markets.get_mut(m.index())) {
                m.interval_h = hours;
            }
        }
        Some(())
    }

    fn settled(&mut self, now: Ts, of_all: bool, body: &[u8], out: &mut Out) -> Option<()> {
        let mut rows = rest::funding(body)?;
        rows.sort_by_key(|r| r.at);
        let oldest = rows.first().map(|r| r.at).filter(|_| of_all && rows.len() >= SETTLED_PAGE);
        // Newest regular settlement by symbol: the ones before it are history, not news, and at start not even that.
        let newest: BTreeMap<String, Ts> =
            rows.iter().filter(|r| !r.special).map(|r| (r.symbol.clone(), r.at)).collect();
        for row in rows {
            let Some(market) = self.venue.names.get(row.symbol.as_bytes()) else { continue };
            let Some(m) = self.markets.get_mut(market.index()).filter(|m| m.wanted) else { continue };
            // At start there is nothing to wait for but the newest one.
            if m.settle_from.is_none_or(|from| row.at >= from - Span::secs(10)) && !row.special {
                (m.settle_due, m.settle_attempts) = (None, 0);
            }
            let old = m.settled.or(newest.get(&row.symbol).map(|t| *t - Span(1)));
            if old.is_some_and(|t| row.at <= t) {
                continue;
            }
            m.settled = Some(row.at);
            let interval_h = Some(m.interval_h);
            let payload = Payload::Funding { rate: row.rate, interval_h, next_ts: None, special: row.special };
            if newest.get(&row.symbol).is_some_and(|newest| row.at < *newest) {
                out.backfilled(market, Metric::FundingRateSettled, row.at, 0, payload);
                continue;
            }
            self.desk.tracker.progress(market, Metric::FundingRateSettled, now, row.at, out);
            out.live(market, Metric::FundingRateSettled, row.at, 0, payload);
        }
        self.state.settled_before = oldest.filter(|at| now - *at < SETTLED_WITHIN);
        if self.state.settled_before.is_some() {
            // Whoever was not on this page is looked for on the one before it, at once.
            for m in self.markets.iter_mut().filter(|m| m.wanted && m.settle_from.is_none()) {
                m.settle_due = m.settle_due.map(|_| now);
            }
        }
        Some(())
    }

    pub(super) fn data_pool(&self) -> PoolId {
        DATA
    }
}
