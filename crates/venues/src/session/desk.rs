//! What every session keeps besides its venue's protocol: declared streams and their continuity, open connections and what
//! each of them delivers, history to fetch, the numbering of requests.
//!
//! A connection *covers* a market's channel from the moment its subscription is confirmed or delivers. A stream is lost with
//! the last connection that covers its channel, not before, so planned rotation with overlap leaves no gap. What comes back
//! after a hole has the hole's history fetched, from its beginning.

use crate::funding::Intervals;
use crate::session::history::Job;
use crate::session::seen::{Admit, Ids};
use crate::session::{
    ConnId, History, LagMeter, LinkId, MarketIndex, Out, Polls, Priority, RequestId, Revive, StreamSpec, Tracker,
};
use barograph_domain::{GapReason, Metric, Payload, Span, StatusState, Ts};
use serde::{Deserialize, Serialize};

/// Open-interest history comes in steps of this; shorter holes lose nothing of it.
const INTEREST_STEP: Span = Span::mins(5);
/// The venue's clock may be this far ahead of ours when the end of a hole is said in our time.
const SLACK: Span = Span::secs(2);

/// Venues list a settlement some seconds after it happened.
const SETTLED_AFTER: Span = Span::secs(5);
/// Hearing of a settlement this late means nobody listened.
const ABSENT: Span = Span::mins(10);
/// The markets that settle together are asked about over this many seconds.
const SPREAD: u32 = 20;

/// One instance of a connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Conn {
    /// Its number.
    pub id: ConnId,
    /// Of which link.
    pub link: LinkId,
    /// Channel bits per market.
    covered: Vec<u16>,
}

impl Conn {
    /// Does it deliver this channel?
    #[must_use]
    pub fn covers(&self, market: MarketIndex, channel: u16) -> bool {
        self.covered.get(market.index()).is_some_and(|c| c & channel != 0)
    }
}

/// Links, connections, requests and continuity of one venue: what every session keeps.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Desk {
    /// Continuity of every stream.
    pub tracker: Tracker,
    /// Declared streams.
    pub streams: Vec<StreamSpec>,
    /// History to fetch.
    pub history: History,
    /// Open connections, oldest first.
    pub conns: Vec<Conn>,
    /// The venue's clock against ours.
    pub lag: LagMeter,
    /// No request goes out before (the venue refused).
    pub quiet_until: Option<Ts>,
    /// Subscriptions that do not come.
    pub revive: Revive,
    declared: usize,
    next_request: u64,
    backfill: Span,
}

impl Desk {
    /// Nothing declared, nothing open.
    #[must_use]
    pub fn new(backfill: Span, in_flight_max: u32) -> Self {
        Self {
            tracker: Tracker::default(),
            streams: Vec::new(),
            history: History::new(in_flight_max),
            conns: Vec::new(),
            lag: LagMeter::default(),
            quiet_until: None,
            revive: Revive::default(),
            declared: 0,
            next_request: 0,
            backfill,
        }
    }

    /// Does the tracker know of all streams?
    #[must_use]
    pub fn has_declared(&self) -> bool {
        self.declared == self.streams.len()
    }

    /// Adds to the tracker the streams that were added since the last time.
    pub fn declare(&mut self, now: Ts, silence: impl Fn(Metric) -> Option<Span>, out: &mut Out) {
        while let Some(spec) = self.streams.get(self.declared) {
            self.tracker.declare(now, spec, silence(spec.metric), out);
            self.declared += 1;
        }
    }

    /// A number for the next request.
    pub fn request_id(&mut self) -> RequestId {
        self.next_request += 1;
        RequestId(self.next_request)
    }

    /// The most urgent page of history that is due, with the number of its request; none is used up when nothing is due.
    pub fn next_page(&mut self, now: Ts) -> Option<(RequestId, Job)> {
        self.next_page_ready(now, |_| true)
    }

    /// As [`Self::next_page`], of those jobs only that are ready for another reason too.
    pub fn next_page_ready(&mut self, now: Ts, ready: impl Fn(&Job) -> bool) -> Option<(RequestId, Job)> {
        let id = RequestId(self.next_request + 1);
        let job = self.history.next_ready(now, id, ready)?;
        self.next_request += 1;
        Some((id, job))
    }

    /// What is to be polled next, with the number of the request; none is used up when nothing is due.
    pub fn next_poll(&mut self, now: Ts, polls: &mut Polls) -> Option<(RequestId, MarketIndex, Metric)> {
        let id = RequestId(self.next_request + 1);
        let mut due = None;
        polls.next(now, |market, metric| {
            due = Some((market, metric));
            id
        });
        self.next_request += u64::from(due.is_some());
        due.map(|(market, metric)| (id, market, metric))
    }

    /// As [`Self::next_page`], unless the venue refuses requests for now. A number is used up even when nothing is due: journals
    /// of these venues count that way.
    pub fn page(&mut self, now: Ts) -> Option<(RequestId, Job)> {
        if self.quiet_until.is_some_and(|t| now < t) {
            return None;
        }
        let id = self.request_id();
        Some((id, self.history.next(now, id)?))
    }

    /// Is this stream declared and offered?
    #[must_use]
    pub fn wants(&self, market: MarketIndex, metric: Metric) -> bool {
        self.tracker.get(market, metric).is_some_and(|s| s.state != StatusState::NotOffered)
    }

    /// Data of this stream arrived and are continuous. When it was not live, the history of the hole is wanted.
    pub fn alive(&mut self, market: MarketIndex, metric: Metric, now: Ts, event_ts: Ts, out: &mut Out) {
        let Some(stream) = self.tracker.get(market, metric) else { return };
        let was = (stream.state, stream.newest);
        self.tracker.progress(market, metric, now, event_ts, out);
        match was {
            (StatusState::Live | StatusState::NotOffered, _) => {}
            (_, Some(hole)) => self.missed(market, metric, now, hole, event_ts),
            (_, None) => self.began(market, metric, now, event_ts),
        }
    }

    /// A stream that may rightly be silent is healthy.
    pub fn found(&mut self, market: MarketIndex, metric: Metric, now: Ts, out: &mut Out) {
        if self.tracker.get(market, metric).is_some_and(|s| s.state != StatusState::Live) {
            self.alive(market, metric, now, now, out);
        }
    }

    /// A stream lost its continuity.
    pub fn lost(&mut self, market: MarketIndex, metric: Metric, now: Ts, why: GapReason, out: &mut Out) {
        let state = if metric == Metric::Book && why != GapReason::Disconnected {
            StatusState::Resync
        } else {
            StatusState::Gap
        };
        self.tracker.lost(market, metric, now, state, why, out);
    }

    /// Facts of `(hole, until]` are missing.
    pub fn missed(&mut self, market: MarketIndex, metric: Metric, now: Ts, hole: Ts, until: Ts) {
        let worth = match metric {
            Metric::Bar | Metric::FundingRateSettled | Metric::Trade => true,
            Metric::OpenInterest | Metric::OpenInterestUsd => until - hole > INTEREST_STEP,
            _ => false,
        };
        if worth {
            self.history.want(market, metric, hole, until + SLACK, Priority::Repair, now + SLACK);
        }
    }

    /// First data of a market's stream: what was before is wanted as far as configured.
    pub fn began(&mut self, market: MarketIndex, metric: Metric, now: Ts, first: Ts) {
        let kept = matches!(
            metric,
            Metric::Bar | Metric::FundingRateSettled | Metric::Trade | Metric::OpenInterest | Metric::OpenInterestUsd
        );
        if kept && self.backfill > Span::ZERO {
            self.history.want(market, metric, now - self.backfill, first + SLACK, Priority::Backfill, now + SLACK);
        }
    }

    /// Settled rates of a history job, oldest first: what is new leaves, each with the interval that its neighbours show
    /// (`declared_h` hours until they do). False: the settlement this job waits for is missing.
    pub fn settlements(
        &mut self,
        now: Ts,
        job: &Job,
        rows: impl Iterator<Item = (Ts, f64)>,
        declared_h: f64,
        seen: &mut Ids,
        out: &mut Out,
    ) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "hours, 1 to 24")]
        let mut intervals = Intervals::new(Span::hours(declared_h as i64));
        let waited = job.priority == Priority::Poll;
        let mut newest = None;
        for (at, rate) in rows {
            let interval_h = Some(intervals.settle(at));
            newest = newest.max(Some(at));
            if at <= job.from || at > job.until || seen.admit(at, 0) == Admit::Seen {
                continue;
            }
            let payload = Payload::Funding { rate, interval_h, next_ts: None, special: false };
            self.tracker.progress(job.market, job.metric, now, at, out);
            if waited {
                out.live(job.market, job.metric, at, 0, payload);
            } else {
                out.backfilled(job.market, job.metric, at, 0, payload);
            }
        }
        !waited || newest.is_some_and(|n| n + Span::secs(60) >= job.until)
    }

    /// The venue's next settlement is `next`; `awaited` is the one known before. Once it moves on, the settlement that just
    /// happened is fetched, not by all markets at once; after an absence all that happened meanwhile are.
    pub fn settlement(&mut self, now: Ts, market: MarketIndex, next: Option<Ts>, awaited: &mut Option<Ts>) {
        let metric = Metric::FundingRateSettled;
        let Some(next) = next.filter(|_| self.wants(market, metric)) else { return };
        match awaited.replace(next) {
            None => self.began(market, metric, now, now),
            Some(was) if next > was && was <= now + SLACK => {
                let due = now + SETTLED_AFTER + Span::secs(i64::from(market.0 % SPREAD));
                let from = was - Span::mins(1);
                if now - was > ABSENT {
                    self.history.want(market, metric, from, now, Priority::Repair, due);
                } else {
                    self.history.want(market, metric, from, was + Span::secs(1), Priority::Poll, due);
                }
            }
            Some(_) => {}
        }
    }

    /// As [`Self::settlement`], where the venue says again and again when the next one is: as long as that is the one awaited, none
    /// was missed.
    pub fn settles(&mut self, now: Ts, market: MarketIndex, next: Option<Ts>, awaited: &mut Option<Ts>, out: &mut Out) {
        if next.is_some() && next == *awaited {
            self.none_missed(now, market, out);
        }
        self.settlement(now, market, next, awaited);
    }

    /// Settlements were not listened to for a while, and none happened: the stream is whole again.
    pub fn none_missed(&mut self, now: Ts, market: MarketIndex, out: &mut Out) {
        let metric = Metric::FundingRateSettled;
        let stream = self.tracker.get(market, metric);
        if stream.is_some_and(|s| s.newest.is_some() && s.state != StatusState::Live) {
            self.tracker.found(market, metric, now, out);
        }
    }

    /// A connection opened.
    pub fn open(&mut self, id: ConnId, link: LinkId) {
        self.conns.retain(|c| c.id != id);
        self.conns.push(Conn { id, link, covered: Vec::new() });
    }

    /// A connection closed.
    pub fn close(&mut self, id: ConnId) -> Option<Conn> {
        let at = self.conns.iter().position(|c| c.id == id)?;
        Some(self.conns.remove(at))
    }

    /// Of which link a connection is.
    #[must_use]
    pub fn link_of(&self, id: ConnId) -> Option<LinkId> {
        self.conns.iter().find(|c| c.id == id).map(|c| c.link)
    }

    /// The newest connection of a link.
    #[must_use]
    pub fn newest(&self, link: LinkId) -> Option<ConnId> {
        self.conns.iter().rev().find(|c| c.link == link).map(|c| c.id)
    }

    /// This connection delivers these channels of a market. True: it did not before.
    pub fn cover(&mut self, id: ConnId, market: MarketIndex, channels: u16) -> bool {
        let Some(conn) = self.conns.iter_mut().find(|c| c.id == id) else { return false };
        if conn.covered.len() <= market.index() {
            conn.covered.resize(market.index() + 1, 0);
        }
        let before = conn.covered[market.index()];
        conn.covered[market.index()] |= channels;
        before & channels != channels
    }

    /// What a connection delivers is about to be said anew.
    pub fn uncover_all(&mut self, id: ConnId) {
        self.conns.iter_mut().filter(|c| c.id == id).for_each(|c| c.covered.clear());
    }

    /// No connection delivers these channels of a market any longer.
    pub fn uncover(&mut self, market: MarketIndex, channels: u16) {
        for conn in &mut self.conns {
            if let Some(c) = conn.covered.get_mut(market.index()) {
                *c &= !channels;
            }
        }
    }

    /// Shows a channel of a market, on an open connection, to [`Revive`]: true when it is to be subscribed again now. It comes
    /// while a connection delivers it and none of its streams is stale.
    pub fn is_to_revive(&mut self, now: Ts, market: MarketIndex, channel: u16, metrics: &[Metric]) -> bool {
        let stale = |m: &Metric| self.tracker.get(market, *m).is_some_and(|s| s.state == StatusState::Stale);
        let comes = self.covered(market, channel) && !metrics.iter().any(stale);
        self.revive.check(now, market, channel, comes)
    }

    /// Has nothing of what a connection carries come, however often it was asked for? Then the connection is to be replaced.
    pub fn condemns(&mut self, carried: &[(MarketIndex, u16)]) -> bool {
        let hopeless = !carried.is_empty() && carried.iter().all(|(m, channel)| self.revive.is_hopeless(*m, *channel));
        if hopeless {
            carried.iter().for_each(|(m, channel)| self.revive.condemned(*m, *channel));
        }
        hopeless
    }

    /// Has a connection that carries these fallen silent, against their own rhythm? Then it is to be replaced.
    #[must_use]
    pub fn is_mute(&self, now: Ts, carried: &[(MarketIndex, &[Metric])]) -> bool {
        self.tracker.is_mute(now, carried.iter().flat_map(|(market, metrics)| metrics.iter().map(|m| (*market, *m))))
    }

    /// Does any open connection deliver this channel?
    #[must_use]
    pub fn covered(&self, market: MarketIndex, channel: u16) -> bool {
        self.conns.iter().any(|c| c.covers(market, channel))
    }
}

/// A value that is said when it changes, and again when it has not for a while: what comes from a second connection or too
/// late is not.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct RepeatedValue {
    bits: [u64; 3],
    at: Option<Ts>,
}

impl RepeatedValue {
    /// Is this to be said, at this stamp? Remembers it then.
    pub fn due(&mut self, at: Ts, value: [f64; 3], again: Span) -> bool {
        let bits = value.map(f64::to_bits);
        let due = match self.at {
            None => true,
            Some(t) => at >= t && (bits != self.bits || at - t >= again),
        };
        if due {
            (self.bits, self.at) = (bits, Some(at));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_said_once_per_change_and_now_and_then() {
        let again = Span::secs(10);
        let mut said = RepeatedValue::default();
        for (at, v, want) in
            [(1, 5.0, true), (1, 5.0, false), (2, 5.0, false), (2, 6.0, true), (1, 5.0, false), (12, 6.0, true)]
        {
            assert_eq!(said.due(Ts(0) + Span::secs(at), [v, 0.0, 0.0], again), want, "{at} {v}");
        }
    }

    #[test]
    fn coverage_is_per_connection_and_channel() {
        let mut desk = Desk::new(Span::ZERO, 1);
        let m = MarketIndex(3);
        desk.open(ConnId(1), LinkId(0));
        desk.open(ConnId(2), LinkId(0));
        assert!(desk.cover(ConnId(1), m, 1));
        assert!(!desk.cover(ConnId(1), m, 1));
        assert!(desk.cover(ConnId(2), m, 3));
        assert_eq!(desk.newest(LinkId(0)), Some(ConnId(2)));
        assert!(desk.close(ConnId(2)).unwrap().covers(m, 2));
        assert!(desk.covered(m, 1) && !desk.covered(m, 2));
        desk.uncover(m, 1);
        assert!(!desk.covered(m, 1));
    }
}
