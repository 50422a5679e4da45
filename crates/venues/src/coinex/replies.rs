//! Requests and their answers (sheet §1 and §2): what the venue refuses, values of all markets, and pages of the past, which
//! [`super::past`] reads.

use super::limits;
use super::session::Coinex;
use super::topics::Channel;
use super::wire::{Answer, Refusal, refusal};
use crate::session::facts::Moment;
use crate::session::kit::Kit;
use crate::session::protocol::{Channel as _, Rest};
use crate::session::scan::{elements, object, read_plain};
use crate::session::{Action, FailReason, MarketIndex, Out, Priority, Request, RequestId};
use barograph_domain::{GapReason, Metric, Span, Ts};

/// What is asked of all markets at once.
const SWEEPS: [&str; 2] = ["ticker", "funding-rate"];
/// How often, although the socket brings it; and how old what it brought may be.
const SWEEP_EVERY: Span = Span::mins(1);
/// After one that failed.
const SWEEP_AGAIN: Span = Span::secs(10);

impl Rest for Kit<Coinex> {
    fn ask(&mut self, now: Ts, out: &mut Out) {
        if self.desk.quiet_until.is_some_and(|until| now < until) {
            return;
        }
        self.sweep(now, out);
        while let Some((id, job)) = self.desk.next_page(now) {
            if let Some(url) = self.address(&job) {
                out.actions.push(Action::Request(Request::get(id, url, limits::PUBLIC, job.priority)));
            } else {
                self.desk.history.answered(id);
                self.desk.history.stop(now, &job);
            }
        }
    }

    fn reply(&mut self, now: Ts, request: RequestId, status: u16, body: &[u8], out: &mut Out) {
        let mut owned = None;
        let answer = read_plain(body, &mut owned, Answer::read).filter(|_| status == 200);
        let good = answer.filter(|a| a.code == 0);
        if good.is_some() {
            self.state.throttled = 0;
        }
        if let Some(at) = self.state.sweeps.iter().position(|s| s.asked == Some(request)) {
            let read = good.and_then(|a| self.swept(now, at, a.data, out));
            self.state.sweeps[at].asked = None;
            self.state.sweeps[at].due = Some(now + if read.is_some() { SWEEP_EVERY } else { SWEEP_AGAIN });
            if good.is_some() && read.is_none() {
                out.fault("undecodable", None, "an answer that is no such list", body);
            } else if read.is_none() && self.refusal_of(now, status, answer, body, out) == Refusal::Final {
                self.state.sweeps[at].due = Some(Ts::MAX);
            }
            return;
        }
        let Some(job) = self.desk.history.answered(request) else { return };
        if let Some(answer) = good {
            return self.page(now, &job, answer, body, out);
        }
        match self.refusal_of(now, status, answer, body, out) {
            Refusal::Final => {
                self.desk.history.stop(now, &job);
                self.never_again(now, &job, out);
            }
            Refusal::TooMany | Refusal::Forbidden | Refusal::Later => self.retry(now, &job, "", out),
        }
    }

    fn failed(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out) {
        if reason == FailReason::Forbidden {
            self.unasked(now, out);
        }
        if let Some(sweep) = self.state.sweeps.iter_mut().find(|s| s.asked == Some(request)) {
            (sweep.asked, sweep.due) = (None, Some(now + SWEEP_AGAIN));
            return out.fault("poll_failed", None, "no answer for all markets", b"");
        }
        self.no_answer(now, request, reason, out);
    }
}

impl Kit<Coinex> {
    /// Nothing is asked for a while, longer each time in a row.
    pub(super) fn rest(&mut self, now: Ts, sample: &[u8], out: &mut Out) {
        let pause = Span(limits::PAUSE.0 << self.state.throttled.min(limits::PAUSE_DOUBLINGS));
        self.state.throttled = self.state.throttled.saturating_add(1);
        self.desk.quiet_until = self.desk.quiet_until.max(Some(now + pause));
        out.fault("rate_limited", None, "coinex throttles: nothing is asked for now", sample);
    }

    /// What a refusal asks for, and does that.
    fn refusal_of(&mut self, now: Ts, status: u16, answer: Option<Answer<'_>>, body: &[u8], out: &mut Out) -> Refusal {
        let refused = match answer {
            _ if status == 429 => Refusal::TooMany,
            Some(answer) => refusal(answer.code),
            None => Refusal::Later,
        };
        match refused {
            Refusal::TooMany => self.rest(now, body, out),
            Refusal::Forbidden => {
                self.desk.quiet_until = Some(now + limits::FORBIDDEN);
                self.unasked(now, out);
                out.fault("region_refused", None, "coinex is not available from here", body);
            }
            Refusal::Final => out.fault("bad_request", None, "coinex refuses this request for good", body),
            Refusal::Later => out.fault("error_reply", None, &format!("http {status}"), body),
        }
        refused
    }

    /// What only answers bring is missed from now on: longer than a silence that would show it.
    fn unasked(&mut self, now: Ts, out: &mut Out) {
        for at in (0..self.markets.len()).filter(|at| self.markets[*at].seat.channels != 0) {
            for metric in [Metric::Bar, Metric::Liquidation] {
                self.desk.lost(MarketIndex::at(at), metric, now, GapReason::Refused, out);
            }
        }
    }

    /// Asks for the values of all markets that are due.
    fn sweep(&mut self, now: Ts, out: &mut Out) {
        if !self.markets.iter().any(|m| m.seat.channels & Channel::State.bit() != 0) {
            return;
        }
        for (at, path) in SWEEPS.iter().enumerate() {
            let sweep = &self.state.sweeps[at];
            if sweep.asked.is_some() || sweep.due.is_some_and(|due| now < due) {
                continue;
            }
            let id = self.desk.request_id();
            self.state.sweeps[at].asked = Some(id);
            let url = format!("{}/v2/futures/{path}", self.config.endpoints.rest);
            out.actions.push(Action::Request(Request::get(id, url, limits::PUBLIC, Priority::Poll)));
        }
    }

    /// Values of all markets: taken where the socket brings none, or none lately.
    fn swept(&mut self, now: Ts, at: usize, data: &str, out: &mut Out) -> Option<()> {
        let metric = if at == 0 { Metric::MarkPrice } else { Metric::FundingRate };
        elements(data, |row| {
            let [symbol] = object(row, ["market"])?;
            let market = self.names.get(symbol.trim().as_bytes()).filter(|m| self.is_wanted(*m));
            let Some(market) = market else { return Some(()) };
            let progress = self.desk.tracker.get(market, metric).and_then(|s| s.progress);
            if progress.is_some_and(|p| now - p < SWEEP_EVERY) {
                return Some(());
            }
            let m = Moment { now, market, at: now };
            let read =
                if at == 0 { self.prices(m, row, "open_interest_volume", out) } else { self.funding(m, row, out) };
            if read.is_none() {
                out.fault("undecodable", Some(market), "a row without its values", row.as_bytes());
            }
            Some(())
        })
    }

    /// Is the state of this market wanted?
    pub(super) fn is_wanted(&self, market: MarketIndex) -> bool {
        self.markets.get(market.index()).is_some_and(|m| m.seat.channels & Channel::State.bit() != 0)
    }
}
