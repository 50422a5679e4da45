//! The waiting line in front of a venue's request budgets: who goes next, and when. Pure; the moment is an argument.
//!
//! More urgent requests go first. Less urgent ones may use only a part of a budget, so that a book that has to be built
//! anew never finds it empty; and while more urgent ones keep it short, every waiting level still earns a sixteenth of
//! what is spent before it. Budgets do not wait for one another. Each level's line is bounded; a full one refuses.

use crate::limit::budget::Budget;
use crate::stats::PoolStats;
use crate::world::lock;
use barograph_domain::Ts;
use barograph_venues::session::{Pool, PoolId, Priority};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Requests of one level that may wait for one budget: more than a thousand markets with several kinds of history each.
pub(crate) const WAITING_MAX: usize = 8_192;

/// Left unspent of every budget.
const MARGIN_PERCENT: u32 = 10;

/// How much of a budget each level may use, in percent.
const SHARE_PERCENT: [u32; 4] = [100, 90, 75, 50];

/// A waiting level earns its turn when this many times its weight has been spent on more urgent ones.
const SPENT_BEFORE: u64 = 16;

/// A request as far as the desk cares.
pub(crate) trait Asks {
    fn pool(&self) -> PoolId;
    fn weight(&self) -> u32;
    fn priority(&self) -> Priority;
}

/// The waiting line of one venue.
#[derive(Debug)]
pub(crate) struct WaitingLine<J> {
    counters: Vec<Counter<J>>,
    next: usize,
}

/// One budget and who waits for it.
#[derive(Debug)]
struct Counter<J> {
    id: PoolId,
    name: &'static str,
    /// May be that of other venues too.
    budget: Arc<Mutex<Budget>>,
    in_flight: u32,
    in_flight_max: u32,
    lines: [VecDeque<J>; 4],
    earned: [u64; 4],
    /// To be tried again at a moment.
    later: Vec<(Ts, J)>,
}

/// What the desk says.
#[derive(Debug)]
pub(crate) enum Next<J> {
    /// This one now; its weight is spent and it is under way.
    Go(J),
    /// Nobody before this moment; `None`: nobody until something changes.
    Wait(Option<Ts>),
}

const fn level(priority: Priority) -> usize {
    match priority {
        Priority::Sync => 0,
        Priority::Poll => 1,
        Priority::Repair => 2,
        Priority::Backfill => 3,
    }
}

/// A pool's budget, all unspent.
pub(crate) fn budget(pool: &Pool) -> Budget {
    Budget::new(pool.weight, pool.per, pool.aligned, MARGIN_PERCENT)
}

impl<J: Asks> WaitingLine<J> {
    /// With the venue's pools, each with its budget.
    pub(crate) fn new(pools: &[Pool], budget: impl Fn(&Pool) -> Arc<Mutex<Budget>>) -> Self {
        let counter = |p: &Pool| Counter {
            id: p.id,
            name: p.name,
            budget: budget(p),
            in_flight: 0,
            in_flight_max: p.in_flight_max.max(1),
            lines: Default::default(),
            earned: [0; 4],
            later: Vec::new(),
        };
        Self { counters: pools.iter().map(counter).collect(), next: 0 }
    }

    pub(crate) fn has_pool(&self, pool: PoolId) -> bool {
        self.counters.iter().any(|c| c.id == pool)
    }

    /// Takes a place at the end of the line, or gives the request back when the line is full.
    pub(crate) fn push(&mut self, job: J) -> Result<(), J> {
        let level = level(job.priority());
        match self.counter(job.pool()) {
            Some(counter) if counter.lines[level].len() < WAITING_MAX => {
                counter.lines[level].push_back(job);
                Ok(())
            }
            Some(_) | None => Err(job),
        }
    }

    /// One that was under way comes back to be tried again at `at`, before the others of its level.
    pub(crate) fn again(&mut self, at: Ts, job: J) {
        if let Some(counter) = self.counter(job.pool()) {
            counter.in_flight = counter.in_flight.saturating_sub(1);
            counter.later.push((at, job));
        }
    }

    /// One that was under way is done with.
    pub(crate) fn done(&mut self, pool: PoolId) {
        if let Some(counter) = self.counter(pool) {
            counter.in_flight = counter.in_flight.saturating_sub(1);
        }
    }

    /// The venue says how much is used in the period in which a request was sent.
    pub(crate) fn observed(&mut self, pool: PoolId, now: Ts, sent: Ts, used: u32) {
        if let Some(counter) = self.counter(pool) {
            lock(&counter.budget).observed(now, sent, used);
        }
    }

    /// Nothing from this budget before `until`.
    pub(crate) fn pause(&mut self, pool: PoolId, until: Ts) {
        if let Some(counter) = self.counter(pool) {
            lock(&counter.budget).pause(until);
        }
    }

    /// Nothing from any budget before `until`.
    pub(crate) fn pause_all(&mut self, until: Ts) {
        self.counters.iter().for_each(|c| lock(&c.budget).pause(until));
    }

    /// Requests under way, of all pools.
    pub(crate) fn in_flight(&self) -> u32 {
        self.counters.iter().map(|c| c.in_flight).sum()
    }

    /// Who goes now.
    pub(crate) fn next(&mut self, now: Ts) -> Next<J> {
        let mut wake: Option<Ts> = None;
        for turn in 0..self.counters.len() {
            let i = (self.next + turn) % self.counters.len();
            match self.counters[i].next(now) {
                Next::Go(job) => {
                    self.next = i + 1;
                    return Next::Go(job);
                }
                Next::Wait(Some(at)) => wake = Some(wake.map_or(at, |w| w.min(at))),
                Next::Wait(None) => {}
            }
        }
        Next::Wait(wake)
    }

    /// Everyone who waits, in no particular order; nobody waits afterwards.
    pub(crate) fn clear(&mut self) -> Vec<J> {
        let mut all = Vec::new();
        for counter in &mut self.counters {
            counter.lines.iter_mut().for_each(|line| all.extend(line.drain(..)));
            all.extend(counter.later.drain(..).map(|(_, job)| job));
        }
        all
    }

    /// For people.
    pub(crate) fn stats(&self, now: Ts) -> Vec<PoolStats> {
        let stats = |c: &Counter<J>| {
            let mut waiting = [0, 1, 2, 3].map(|level| c.lines[level].len());
            c.later.iter().for_each(|(_, job)| waiting[level(job.priority())] += 1);
            let mut budget = lock(&c.budget);
            let used = budget.used(now);
            PoolStats {
                pool: c.name,
                used,
                left: budget.cap().saturating_sub(used),
                in_flight: c.in_flight,
                waiting,
                paused_until: budget.paused_until(now),
            }
        };
        self.counters.iter().map(stats).collect()
    }

    fn counter(&mut self, pool: PoolId) -> Option<&mut Counter<J>> {
        self.counters.iter_mut().find(|c| c.id == pool)
    }
}

impl<J: Asks> Counter<J> {
    fn next(&mut self, now: Ts) -> Next<J> {
        self.bring_back(now);
        let retry = self.later.iter().map(|(at, _)| *at).min();
        let Some((level, limit)) = self.next_level() else { return Next::Wait(retry) };
        if self.in_flight >= self.in_flight_max {
            return Next::Wait(None);
        }
        let Some(weight) = self.lines[level].front().map(Asks::weight) else { return Next::Wait(retry) };
        let mut budget = lock(&self.budget);
        let at = budget.ready_at(now, weight, limit);
        if at > now {
            return Next::Wait(Some(retry.map_or(at, |r| r.min(at))));
        }
        let Some(job) = self.lines[level].pop_front() else { return Next::Wait(retry) };
        budget.spend(now, weight);
        drop(budget);
        self.in_flight += 1;
        self.credit(level, weight);
        Next::Go(job)
    }

    /// Whose turn it is, and how far the budget may be used for it.
    fn next_level(&self) -> Option<(usize, u32)> {
        let cap = lock(&self.budget).cap();
        let earned = |level: &usize| {
            let weight = self.lines[*level].front().map(Asks::weight);
            weight.is_some_and(|w| self.earned[*level] >= SPENT_BEFORE * u64::from(w.max(1)))
        };
        if let Some(level) = [3, 2, 1].into_iter().find(earned) {
            return Some((level, cap));
        }
        let level = self.lines.iter().position(|line| !line.is_empty())?;
        let share = u64::from(cap) * u64::from(SHARE_PERCENT[level]) / 100;
        Some((level, u32::try_from(share).unwrap_or(cap).max(1)))
    }

    /// What is spent on one level is earned by the less urgent ones that wait.
    fn credit(&mut self, level: usize, weight: u32) {
        let due = SPENT_BEFORE * u64::from(weight.max(1));
        self.earned[level] = self.earned[level].saturating_sub(due);
        for lower in level + 1..self.lines.len() {
            if self.lines[lower].is_empty() {
                self.earned[lower] = 0;
            } else {
                self.earned[lower] += u64::from(weight.max(1));
            }
        }
    }

    fn bring_back(&mut self, now: Ts) {
        let mut i = 0;
        while i < self.later.len() {
            if self.later[i].0 <= now {
                let (_, job) = self.later.remove(i);
                self.lines[level(job.priority())].push_front(job);
            } else {
                i += 1;
            }
        }
    }
}
