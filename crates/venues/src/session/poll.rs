//! What has no stream is asked for again and again: when, in which order, how many at once.
//!
//! Every poll has an interval and a priority, which follows from the market's volume of 24 h (R3.32). Values that move are asked
//! for at the wanted interval, those that do not up to four times less often (R3.33). At most `in_flight_max` polls are under way
//! (R3.34, R3.35). Due polls wait in order of how late they are in units of their own interval, and each step of priority counts
//! for half an interval: where not all can be asked in time, large markets are asked first, and no market starves.

use crate::session::{MarketIndex, RequestId};
use barograph_domain::{Metric, Span, Ts};
use serde::{Deserialize, Serialize};

/// Quiet markets are asked this many times less often.
const STRETCH_MAX: i64 = 4;

/// No interval is stretched beyond this: after five minutes a value counts as stale.
const STRETCHED_MAX: Span = Span::mins(4);
/// Highest priority.
const PRIORITY_MAX: u8 = 3;
/// Lateness is measured in parts of an interval; a step of priority is worth half of one.
const PARTS: i64 = 64;
const STEP: i64 = PARTS / 2;

/// Priority of a market by its volume of 24 h in quote currency: above a billion, a hundred and ten million, and all others.
fn priority(volume_24h_quote: Option<f64>) -> u8 {
    let volume = volume_24h_quote.unwrap_or(0.0);
    [1e7, 1e8, 1e9].into_iter().map(|least| u8::from(volume >= least)).sum::<u8>().min(PRIORITY_MAX)
}

/// One value that is polled.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Poll {
    /// Market, by its place in the configuration.
    pub market: MarketIndex,
    /// Metric of the stream.
    pub metric: Metric,
    /// Wanted interval.
    pub every: Span,
    /// 0 to 3; higher goes first.
    pub priority: u8,
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

    /// Adds a poll of a market with this volume of 24 h; the first one is due at `first` (spread them, so that they do not come
    /// in bursts).
    pub fn add(&mut self, market: MarketIndex, metric: Metric, every: Span, volume_24h_quote: Option<f64>, first: Ts) {
        let priority = priority(volume_24h_quote);
        self.polls.push(Poll {
            market,
            metric,
            every,
            priority,
            current: every,
            due: first,
            at_once: false,
            asked: None,
        });
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
        let late = |p: &Poll| (now - p.due).0 / (p.current.0 / PARTS).max(1) + i64::from(p.priority) * STEP;
        let due =
            self.polls.iter_mut().filter(|p| p.asked.is_none() && (p.at_once || p.due <= now)).max_by_key(|p| late(p));
        let Some(poll) = due else { return false };
        poll.asked = Some(ask(poll.market, poll.metric));
        self.in_flight += 1;
        true
    }

    /// Whose poll a request is.
    #[must_use]
    pub fn asked_by(&self, request: RequestId) -> Option<MarketIndex> {
        self.polls.iter().find(|p| p.asked == Some(request)).map(|p| p.market)
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
            let longest = poll.every.times(STRETCH_MAX).min(STRETCHED_MAX).max(poll.every);
            (poll.current + Span(poll.every.0 / 4)).min(longest)
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
            polls.add(MarketIndex(m), Metric::OpenInterest, Span::secs(60), None, at(first));
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
        polls.add(MarketIndex(9), Metric::OpenInterest, Span::mins(5), None, at(12));
        assert!(polls.next(at(400), |_, _| RequestId(500)) && polls.answered(at(400), RequestId(500), false).is_some());
        assert!(polls.all().iter().all(|p| p.current <= p.every.max(Span::mins(4))), "never stale by plan");
        polls.remove(MarketIndex(2));
        assert_eq!(polls.in_flight, 0);
    }

    #[test]
    fn after_a_pause_everything_is_asked_at_once_and_then_at_its_old_times() {
        let at = |s: i64| Ts(0) + Span::secs(s);
        let mut polls = Polls::new(8);
        polls.add(MarketIndex(0), Metric::OpenInterest, Span::secs(60), None, at(40));
        polls.add(MarketIndex(1), Metric::OpenInterest, Span::secs(60), None, at(5));
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

    #[test]
    fn large_markets_go_first_where_there_is_no_time_for_all_and_none_starves() {
        let at = |s: i64| Ts(0) + Span::secs(s);
        let mut polls = Polls::new(1);
        // A hundred values a minute are wanted, and one request a second is possible.
        for m in 0..100_u32 {
            let volume = [None, Some(5e7), Some(5e8), Some(5e9)][m as usize % 4];
            polls.add(MarketIndex(m), Metric::OpenInterest, Span::secs(60), volume, at(0));
        }
        let mut order = Vec::new();
        for s in 0..3_600_u64 {
            let now = at(i64::try_from(s).unwrap());
            assert!(polls.next(now, |m, _| {
                order.push(m.0);
                RequestId(s)
            }));
            polls.answered(now, RequestId(s), true);
        }
        assert!(order[..25].iter().all(|m| m % 4 == 3), "the largest first: {:?}", &order[..25]);
        let asked = |class: u32| order.iter().filter(|m| *m % 4 == class).count() / 25;
        let times = [0, 1, 2, 3].map(asked);
        assert!(times.is_sorted() && times[3] > times[0], "{times:?} times an hour, by size");
        let least = (0..100).map(|m| order.iter().filter(|o| **o == m).count()).min().unwrap();
        assert!(least >= 20, "every market at least every three minutes: {least} times");
    }
}
