//! What the venue keeps: candles, settled funding, open interest, trades, fetched after the first start and after holes.
//!
//! A task is a range of one kind of one market. Few are under way at once; each is a chain of pages, forward in time by stamp,
//! trades backward by their dense ids (so that a task that has to be cut short joins on to what is live). A page that failed is
//! asked for again after a pause that grows, then given up.

use crate::session::{MarketIndex, RequestId};
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// Tasks under way at once.
const ACTIVE_MAX: usize = 4;
/// A page that fails this often is given up.
pub(super) const ATTEMPTS_MAX: u32 = 6;
/// Pages of trades per task: 100,000 trades. At 20 weights each that is most of a minute's budget.
pub(super) const TRADE_PAGES_MAX: u32 = 100;
const PAUSE_MIN: Span = Span::secs(2);
const PAUSE_MAX: Span = Span::mins(5);

/// What is fetched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Piece {
    /// One-minute candles that close after `from` and at or before `until`.
    Klines,
    /// Settlements after `from`.
    Funding,
    /// Open interest of five minutes after `from`.
    OpenInterest,
    /// Aggregated trades `lo ≤ id < hi`, not before `from`.
    Trades {
        /// First id, 0 where it is not known.
        lo: u64,
        /// Id of the first trade that is known.
        hi: u64,
    },
}

/// A range to fetch.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) market: MarketIndex,
    pub(super) piece: Piece,
    pub(super) from: Ts,
    pub(super) until: Ts,
    /// After a hole, not a first start.
    pub(super) repair: bool,
    pub(super) pages: u32,
    pub(super) attempts: u32,
    pub(super) due: Ts,
    pub(super) asked: Option<RequestId>,
}

/// All ranges that are still to be fetched.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct History {
    tasks: Vec<Task>,
}

impl History {
    /// Adds a range; one of the same kind that has not begun is widened instead, so the list cannot grow with the number of
    /// holes.
    pub(super) fn add(&mut self, new: Task) {
        let same = self.tasks.iter_mut().find(|t| {
            t.asked.is_none()
                && t.pages == 0
                && t.market == new.market
                && core::mem::discriminant(&t.piece) == core::mem::discriminant(&new.piece)
        });
        let Some(task) = same else {
            self.tasks.push(new);
            return;
        };
        task.from = task.from.min(new.from);
        task.until = task.until.max(new.until);
        task.repair |= new.repair;
        if let (Piece::Trades { lo, hi }, Piece::Trades { lo: a, hi: b }) = (&mut task.piece, new.piece) {
            (*lo, *hi) = ((*lo).min(a), (*hi).max(b));
        }
    }

    /// The next range to ask a page of; the caller asks and names the request. Repairs come first.
    pub(super) fn next(&mut self, now: Ts, ask: impl FnOnce(&Task) -> RequestId) -> bool {
        if self.tasks.iter().filter(|t| t.asked.is_some()).count() >= ACTIVE_MAX {
            return false;
        }
        let ready = |t: &&mut Task| t.asked.is_none() && t.due <= now;
        let Some(task) = self.tasks.iter_mut().filter(ready).min_by_key(|t| !t.repair) else { return false };
        task.asked = Some(ask(task));
        true
    }

    fn answered(&mut self, request: RequestId) -> Option<&mut Task> {
        let task = self.tasks.iter_mut().find(|t| t.asked == Some(request))?;
        task.asked = None;
        Some(task)
    }

    /// The page failed. Returns the task when it is given up.
    pub(super) fn failed(&mut self, now: Ts, request: RequestId) -> Option<Task> {
        let task = self.answered(request)?;
        task.attempts += 1;
        task.due = now + PAUSE_MIN.times(1 << task.attempts.min(10)).min(PAUSE_MAX);
        let given_up = (task.attempts >= ATTEMPTS_MAX).then_some(*task);
        if let Some(gone) = given_up {
            self.tasks.retain(|t| *t != gone);
        }
        given_up
    }

    /// The task a request was for.
    pub(super) fn peek(&self, request: RequestId) -> Option<&Task> {
        self.tasks.iter().find(|t| t.asked == Some(request))
    }

    /// A page was read: the task goes on as `next`, or is complete.
    pub(super) fn advance(&mut self, request: RequestId, now: Ts, next: Option<Task>) {
        let Some(at) = self.tasks.iter().position(|t| t.asked == Some(request)) else { return };
        match next {
            Some(next) => {
                self.tasks[at] = Task { pages: next.pages + 1, attempts: 0, due: now, asked: None, ..next };
            }
            None => {
                self.tasks.remove(at);
            }
        }
    }

    /// Forgets a market that is no longer wanted, but for what is under way.
    pub(super) fn remove(&mut self, market: MarketIndex) {
        self.tasks.retain(|t| t.market != market || t.asked.is_some());
    }

    /// Ranges that are not complete.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(piece: Piece, from: i64, until: i64) -> Task {
        Task {
            market: MarketIndex(0),
            piece,
            from: Ts::from_secs(from),
            until: Ts::from_secs(until),
            repair: false,
            pages: 0,
            attempts: 0,
            due: Ts(0),
            asked: None,
        }
    }

    #[test]
    fn ranges_that_wait_are_joined_and_pages_are_retried_then_given_up() {
        let mut history = History::default();
        history.add(task(Piece::Klines, 60, 120));
        history.add(task(Piece::Klines, 300, 360));
        history.add(task(Piece::Trades { lo: 5, hi: 9 }, 0, 9));
        assert_eq!(history.len(), 2);
        let mut now = Ts::from_secs(1_000);
        let mut given_up = 0;
        for n in 0..20 {
            if history.next(now, |t| {
                assert!(t.asked.is_none());
                RequestId(n)
            }) {
                given_up += usize::from(history.failed(now, RequestId(n)).is_some());
            }
            now = now + PAUSE_MAX;
        }
        assert_eq!((given_up, history.len()), (2, 0), "each after its attempts");
    }

    #[test]
    fn few_are_under_way_at_once_and_repairs_go_first() {
        let mut history = History::default();
        for n in 0..10 {
            let mut t = task(Piece::Klines, 0, 60);
            (t.market, t.repair) = (MarketIndex(n), n == 7);
            history.add(t);
        }
        let mut order = Vec::new();
        while history.next(Ts(0), |t| {
            order.push(t.market.0);
            RequestId(u64::from(t.market.0))
        }) {}
        assert_eq!(order, [7, 0, 1, 2]);
    }
}
