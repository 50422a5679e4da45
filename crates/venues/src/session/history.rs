//! History that is fetched page by page: what is wanted, what was asked, when to try again.
//!
//! There is at most one job per market and metric, so memory is bounded by the markets. A job walks forward in windows the
//! venue can answer with one page; what is wanted meanwhile is appended to it. A page without an answer is tried again
//! after a growing pause and given up after [`TRIES_MAX`] times: the caller says so. What a request looks like and how its
//! answer is read is the venue's business.

use crate::session::{MarketIndex, Priority, RequestId};
use barograph_domain::{Metric, Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Times one page is asked for.
pub const TRIES_MAX: u8 = 8;
/// Pause before the second try; doubles with each further one up to [`PAUSE_MAX`]. Eight tries take about 10 minutes.
const PAUSE: Span = Span::secs(5);
/// Longest pause.
const PAUSE_MAX: Span = Span::mins(5);
/// A request nobody answered and nobody reported as failed (a restart in between) counts as failed after this long.
const ANSWER_MAX: Span = Span::mins(10);

/// History of one metric of one market.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Market, by its place in the configuration.
    pub market: MarketIndex,
    /// Metric of the stream.
    pub metric: Metric,
    /// Facts after this instant are still wanted: the beginning of the next page.
    pub from: Ts,
    /// Facts up to this instant are wanted.
    pub until: Ts,
    /// How urgent.
    pub priority: Priority,
    /// Not asked before.
    pub due: Ts,
    /// Venues that page backwards: where the next page ends.
    pub cursor: Option<u64>,
    /// Pages read so far.
    pub pages: u32,
    tries: u8,
    asked: Option<(RequestId, Ts)>,
    /// Wanted after this job is done.
    then: Option<(Ts, Ts, Priority)>,
}

impl Job {
    /// One that is not asked for by itself: facts of such a span in an answer that was made for something else.
    pub(crate) const fn once(market: MarketIndex, metric: Metric, [from, until]: [Ts; 2], priority: Priority) -> Self {
        Self {
            market,
            metric,
            from,
            until,
            priority,
            due: from,
            cursor: None,
            pages: 0,
            tries: 0,
            asked: None,
            then: None,
        }
    }
}

/// All history jobs of a session.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct History {
    jobs: BTreeMap<(MarketIndex, Metric), Job>,
    in_flight: u32,
    in_flight_max: u32,
}

impl History {
    /// No history wanted yet; at most `in_flight_max` pages under way at once.
    #[must_use]
    pub fn new(in_flight_max: u32) -> Self {
        Self { jobs: BTreeMap::new(), in_flight: 0, in_flight_max: in_flight_max.max(1) }
    }

    /// Wants the facts in `(from, until]`, not asked for before `due`.
    pub fn want(&mut self, market: MarketIndex, metric: Metric, from: Ts, until: Ts, priority: Priority, due: Ts) {
        if from >= until {
            return;
        }
        let fresh = Job { due, ..Job::once(market, metric, [from, until], priority) };
        let job = self.jobs.entry((market, metric)).or_insert(fresh);
        if *job == fresh {
            return;
        }
        // A poll waits for a fact that may not be there yet; the others take what there is. They are never one job.
        let alike = (job.priority == Priority::Poll) == (priority == Priority::Poll);
        if job.asked.is_none() && job.pages == 0 && job.tries == 0 && alike {
            job.from = job.from.min(from);
            job.until = job.until.max(until);
            job.due = job.due.min(due);
            job.priority = job.priority.min(priority);
        } else if from < job.from || until > job.until {
            let (a, b, p) = job.then.unwrap_or((from, until, priority));
            job.then = Some((a.min(from), b.max(until), p.max(priority)));
        }
    }

    /// The most urgent job that is due, marked as asked for with `request`.
    pub fn next(&mut self, now: Ts, request: RequestId) -> Option<Job> {
        self.next_ready(now, request, |_| true)
    }

    /// As [`Self::next`], of those jobs only that are ready for another reason too.
    pub fn next_ready(&mut self, now: Ts, request: RequestId, ready: impl Fn(&Job) -> bool) -> Option<Job> {
        if self.in_flight >= self.in_flight_max {
            return None;
        }
        let due = self.jobs.values_mut().filter(|j| j.asked.is_none() && j.due <= now && ready(j));
        let job = due.min_by_key(|j| (j.priority, j.due))?;
        job.asked = Some((request, now));
        self.in_flight += 1;
        Some(*job)
    }

    /// Whose page this request was; it is no longer under way.
    pub fn answered(&mut self, request: RequestId) -> Option<Job> {
        let job = self.jobs.values_mut().find(|j| j.asked.is_some_and(|(id, _)| id == request))?;
        job.asked = None;
        self.in_flight -= 1;
        Some(*job)
    }

    /// Whose page this is, while it is under way.
    #[must_use]
    pub fn asked(&self, request: RequestId) -> Option<&Job> {
        self.jobs.values().find(|j| j.asked.is_some_and(|(id, _)| id == request))
    }

    /// The page was read: everything up to `upto` is there. True when the job is done.
    pub fn advance(&mut self, now: Ts, job: &Job, upto: Ts, cursor: Option<u64>) -> bool {
        let key = (job.market, job.metric);
        let Some(job) = self.jobs.get_mut(&key) else { return true };
        job.tries = 0;
        job.pages += 1;
        job.from = job.from.max(upto);
        job.cursor = cursor;
        job.due = now;
        job.from >= job.until && self.finish(now, key)
    }

    /// The job ends here although not everything was found (the venue keeps no more).
    pub fn stop(&mut self, now: Ts, job: &Job) {
        self.finish(now, (job.market, job.metric));
    }

    fn finish(&mut self, now: Ts, key: (MarketIndex, Metric)) -> bool {
        if let Some(job) = self.jobs.remove(&key)
            && let Some((from, until, priority)) = job.then
        {
            self.want(job.market, job.metric, from, until, priority, now);
        }
        true
    }

    /// The page was not answered usefully: later again, or given up (true).
    pub fn retry(&mut self, now: Ts, job: &Job) -> bool {
        let key = (job.market, job.metric);
        let Some(job) = self.jobs.get_mut(&key) else { return false };
        job.tries += 1;
        if job.tries >= TRIES_MAX {
            return self.finish(now, key);
        }
        job.due = now + Span((PAUSE.0 << (job.tries - 1)).min(PAUSE_MAX.0));
        false
    }

    /// Requests that were never answered are no longer waited for; returns their jobs.
    pub fn tick(&mut self, now: Ts) -> Option<Job> {
        let lost = |j: &Job| j.asked.is_some_and(|(_, at)| now - at > ANSWER_MAX);
        let request = self.jobs.values().find(|j| lost(j))?.asked?.0;
        self.answered(request)
    }

    /// Nothing is asked for before `until`.
    pub fn pause(&mut self, until: Ts) {
        for job in self.jobs.values_mut() {
            job.due = job.due.max(until);
        }
    }

    /// Forgets the jobs of a market that is no longer wanted.
    pub fn remove(&mut self, market: MarketIndex) {
        let gone = self.jobs.values().filter(|j| j.market == market && j.asked.is_some()).count();
        self.in_flight -= u32::try_from(gone).unwrap_or(0);
        self.jobs.retain(|k, _| k.0 != market);
    }

    /// Is history of this market and of such a metric still to come? Polls are not history: they wait for what has not
    /// happened.
    #[must_use]
    pub fn wanted(&self, market: MarketIndex, of: &dyn Fn(Metric) -> bool) -> bool {
        let own = (market, Metric::ALL[0])..=(market, Metric::ALL[Metric::ALL.len() - 1]);
        self.jobs.range(own).any(|((_, metric), j)| j.priority != Priority::Poll && of(*metric))
    }

    /// Jobs not done yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Is nothing wanted?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: MarketIndex = MarketIndex(0);

    fn at(s: i64) -> Ts {
        Ts(0) + Span::secs(s)
    }

    #[test]
    fn a_job_walks_forward_and_what_comes_meanwhile_follows() {
        let mut h = History::new(1);
        h.want(M, Metric::Bar, at(0), at(100), Priority::Backfill, at(0));
        h.want(M, Metric::Bar, at(50), at(120), Priority::Repair, at(0));
        h.want(MarketIndex(1), Metric::Bar, at(0), at(100), Priority::Backfill, at(0));
        let job = h.next(at(0), RequestId(1)).unwrap();
        assert_eq!((job.from, job.until, job.priority), (at(0), at(120), Priority::Repair), "one job for both");
        assert_eq!(h.next(at(0), RequestId(2)), None, "one at once");
        h.want(M, Metric::Bar, at(200), at(300), Priority::Repair, at(0));
        let job = h.answered(RequestId(1)).unwrap();
        assert!(!h.advance(at(1), &job, at(60), None));
        let job = h.next(at(1), RequestId(3)).unwrap();
        assert_eq!((job.from, job.until, job.pages), (at(60), at(120), 1));
        let job = h.answered(RequestId(3)).unwrap();
        assert!(h.advance(at(2), &job, at(120), None));
        let job = h.next(at(2), RequestId(4)).unwrap();
        assert_eq!((job.from, job.until), (at(200), at(300)));
        assert_eq!(h.answered(RequestId(9)), None);
        let wanted = |h: &History, m: u32, metric: Metric| h.wanted(MarketIndex(m), &|x| x == metric);
        assert!(wanted(&h, 0, Metric::Bar) && wanted(&h, 1, Metric::Bar) && !wanted(&h, 2, Metric::Bar));
        assert!(!wanted(&h, 0, Metric::Trade));
        h.remove(M);
        assert_eq!((h.len(), h.in_flight), (1, 0));
        assert!(!wanted(&h, 0, Metric::Bar) && wanted(&h, 1, Metric::Bar));
        h.want(M, Metric::FundingRateSettled, at(0), at(100), Priority::Poll, at(0));
        assert!(!wanted(&h, 0, Metric::FundingRateSettled));
    }

    #[test]
    fn a_failing_page_waits_longer_each_time_and_is_given_up() {
        let mut h = History::new(4);
        h.want(M, Metric::Bar, at(0), at(100), Priority::Repair, at(0));
        let (mut now, mut waits) = (at(0), Vec::new());
        for n in 1.. {
            let Some(_) = h.next(now, RequestId(n)) else {
                now = now + Span::secs(1);
                continue;
            };
            waits.push((now - at(0)).as_secs());
            let job = h.answered(RequestId(n)).unwrap();
            if h.retry(now, &job) {
                break;
            }
        }
        assert_eq!(waits, [0, 5, 15, 35, 75, 155, 315, 615]);
        assert!(h.is_empty());
    }

    #[test]
    fn a_request_nobody_answers_is_not_waited_for_for_ever() {
        let mut h = History::new(1);
        h.want(M, Metric::Bar, at(0), at(100), Priority::Repair, at(0));
        assert!(h.next(at(0), RequestId(1)).is_some());
        assert_eq!(h.tick(at(600)), None);
        let job = h.tick(at(601)).unwrap();
        assert!(!h.retry(at(601), &job));
        assert!(h.next(at(606), RequestId(2)).is_some());
    }
}
