//! What has no stream is asked for again and again: when, in which order, how many at once.
//!
//! Every poll has an interval and a priority (R3.32). Activity shortens the interval down to the wanted one, quiet markets
//! stretch it up to four times (R3.33). At most `in_flight_max` polls are under way (R3.34, R3.35); due polls wait in order of
//! how late they are in units of their own interval, so no market starves.

use crate::session::{MarketIndex, RequestId};
use barograph_domain::{Metric, Span, Ts};
use serde::{Deserialize, Serialize};

/// Quiet markets are asked this many times less often.
const STRETCH_MAX: i64 = 4;

/// One value that is polled.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Poll {
    /// Whose.
    pub market: MarketIndex,
    /// Which.
    pub metric: Metric,
    /// Wanted interval.
    pub every: Span,
    /// Interval now, `every` to `4 × every`.
    pub current: Span,
    /// When it is due.
    pub due: Ts,
    /// Due now whatever the schedule says, once; the schedule stays as it is.
    pub at_once: bool,
    /// The request under way.
    pub asked: Option<RequestId>,
}

/// The schedule of a session.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Polls {
    polls: Vec<Poll>,
    in_flight: u32,
    /// Most polls under way at once.
    pub in_flight_max: u32,
}

impl Polls {
    /// An empty schedule.
    #[must_use]
    pub fn new(in_flight_max: u32) -> Self {
        Self { polls: Vec::new(), in_flight: 0, in_flight_max: in_flight_max.max(1) }
    }

    /// Adds a poll; the first one is due at `first` (spread them, so that they do not come in bursts).
    pub fn add(&mut self, market: MarketIndex, metric: Metric, every: Span, first: Ts) {
        self.polls.push(Poll { market, metric, every, current: every, due: first, at_once: false, asked: None });
    }

    /// Removes the polls of a market that is no longer wanted.
    pub fn remove(&mut self, market: MarketIndex) {
        let gone = self.polls.iter().filter(|p| p.market == market && p.asked.is_some()).count();
        self.in_flight -= u32::try_from(gone).unwrap_or(0);
        self.polls.retain(|p| p.market != market);
    }

    /// Nobody listened for a while: every value is asked for at once, those of long silence first, and then at its old times,
    /// so that the polls of many markets stay spread.
    pub fn wake(&mut self) {
        self.polls.iter_mut().for_each(|p| p.at_once = true);
    }

    /// The next poll to ask for at `now`; the caller makes the request and names it with `ask`.
    pub fn next(&mut self, now: Ts, mut ask: impl FnMut(MarketIndex, Metric) -> RequestId) -> bool {
        if self.in_flight >= self.in_flight_max {
            return false;
        }
        let late = |p: &Poll| (now - p.due).0 / (p.current.0 / 64).max(1);
        let due =
            self.polls.iter_mut().filter(|p| p.asked.is_none() && (p.at_once || p.due <= now)).max_by_key(|p| late(p));
        let Some(poll) = due else { return false };
        poll.asked = Some(ask(poll.market, poll.metric));
        self.in_flight += 1;
        true
    }

    /// An answer (or none) came: which poll it was. `moved`: the value changed since the last time.
    pub fn answered(&mut self, now: Ts, request: RequestId, moved: bool) -> Option<(MarketIndex, Metric)> {
        let poll = self.polls.iter_mut().find(|p| p.asked == Some(request))?;
        poll.asked = None;
        self.in_flight -= 1;
        if core::mem::take(&mut poll.at_once) && poll.due > now {
            return Some((poll.market, poll.metric));
        }
        poll.current = if moved {
            Span((poll.current.0 / 2).max(poll.every.0))
        } else {
            Span((poll.current.0 + poll.every.0 / 4).min(poll.every.0 * STRETCH_MAX))
        };
        // On its own grid: answers that take long do not shift the schedule.
        poll.due = (poll.due + poll.current).max(now);
        Some((poll.market, poll.metric))
    }

    /// All polls.
    #[must_use]
    pub fn all(&self) -> &[Poll] {
        &self.polls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_goes_first_few_at_once_and_quiet_markets_are_asked_less() {
        let at = |s: i64| Ts(0) + Span::secs(s);
        let mut polls = Polls::new(2);
        for (m, first) in [(0, 10), (1, 5), (2, 7)] {
            polls.add(MarketIndex(m), Metric::OpenInterest, Span::secs(60), at(first));
        }
        let mut asked = Vec::new();
        let mut id = 0;
        while polls.next(at(10), |m, _| {
            asked.push(m.0);
            id += 1;
            RequestId(id)
        }) {}
        assert_eq!(asked, [1, 2], "two at once, the latest first");
        assert_eq!(polls.answered(at(11), RequestId(1), false), Some((MarketIndex(1), Metric::OpenInterest)));
        assert_eq!(polls.answered(at(11), RequestId(1), false), None, "once");
        assert_eq!(polls.all()[1].due, at(80), "stretched by a quarter, on its own grid");
        for n in 0..20 {
            polls.polls[1].asked = Some(RequestId(100 + n));
            polls.in_flight += 1;
            polls.answered(at(12), RequestId(100 + n), false);
        }
        assert_eq!(polls.all()[1].current, Span::secs(240));
        polls.remove(MarketIndex(2));
        assert_eq!(polls.in_flight, 0);
    }

    #[test]
    fn after_a_pause_everything_is_asked_at_once_and_then_at_its_old_times() {
        let at = |s: i64| Ts(0) + Span::secs(s);
        let mut polls = Polls::new(8);
        polls.add(MarketIndex(0), Metric::OpenInterest, Span::secs(60), at(40));
        polls.add(MarketIndex(1), Metric::OpenInterest, Span::secs(60), at(5));
        polls.wake();
        let mut asked = Vec::new();
        while polls.next(at(10), |m, _| {
            asked.push(m.0);
            RequestId(u64::from(m.0))
        }) {}
        assert_eq!(asked, [1, 0], "the one that is overdue first");
        polls.answered(at(11), RequestId(0), true);
        polls.answered(at(11), RequestId(1), true);
        assert_eq!((polls.all()[0].due, polls.all()[1].due), (at(40), at(65)));
        assert!(!polls.next(at(12), |_, _| RequestId(9)), "once");
    }
}
