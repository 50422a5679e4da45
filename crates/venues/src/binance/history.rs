//! What the venue keeps: candles, settled funding, open interest, trades, fetched after the first start and after holes.
//!
//! A task is a range of one kind of one market. Few are under way at once; each is a chain of pages, forward in time by stamp,
//! trades backward by their dense ids (so that a task that has to be cut short joins on to what is live). A page that failed is
//! asked for again after a pause that grows, then given up. Repairs go first, then what first starts need, then their trades.

use crate::session::{MarketIndex, RequestId};
use barograph_domain::{Metric, Span, Ts};
use serde::{Deserialize, Serialize};

/// Tasks under way at once.
const ACTIVE_MAX: usize = 4;
/// A page that fails this often is given up.
pub(super) const ATTEMPTS_MAX: u32 = 6;
/// Pages of trades per task: 100,000 trades. At 20 weights each that is most of a minute's budget.
pub(super) const TRADE_PAGES_MAX: u32 = 100;
/// Ranges of trades of one market that wait: a dozen reconnects before the first of them is filled. What comes after them stays
/// a hole.
const TRADE_RANGES_MAX: usize = 32;
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

impl Piece {
    fn metric(self) -> Metric {
        match self {
            Self::Klines => Metric::Bar,
            Self::Funding => Metric::FundingRateSettled,
            Self::OpenInterest => Metric::OpenInterest,
            Self::Trades { .. } => Metric::Trade,
        }
    }
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

impl Piece {
    /// One range instead of both says the same.
    fn joins(self, other: Self) -> bool {
        match (self, other) {
            (Self::Trades { lo, hi }, Self::Trades { lo: a, hi: b }) => lo <= b && a <= hi,
            _ => core::mem::discriminant(&self) == core::mem::discriminant(&other),
        }
    }
}

impl Task {
    /// Lower goes first: every market waits for its candles, nobody for old trades.
    fn rank(&self) -> u8 {
        match self.piece {
            _ if self.repair => 0,
            Piece::Klines | Piece::Funding | Piece::OpenInterest => 1,
            Piece::Trades { .. } => 2,
        }
    }
}

/// All ranges that are still to be fetched.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct History {
    tasks: Vec<Task>,
}

impl History {
    /// Adds a range; one of the same kind that has not begun is widened instead, so the list cannot grow with the number of
    /// holes. Trades between two holes are known already, so their ranges are joined only where they touch, and are bounded in
    /// number: false when there are too many.
    pub(super) fn add(&mut self, new: Task) -> bool {
        let same = self
            .tasks
            .iter_mut()
            .find(|t| t.asked.is_none() && t.pages == 0 && t.market == new.market && t.piece.joins(new.piece));
        let Some(task) = same else {
            let ranges = |t: &&Task| t.market == new.market && matches!(t.piece, Piece::Trades { .. });
            let is_full = matches!(new.piece, Piece::Trades { .. })
                && self.tasks.iter().filter(ranges).count() >= TRADE_RANGES_MAX;
            if !is_full {
                self.tasks.push(new);
            }
            return !is_full;
        };
        task.from = task.from.min(new.from);
        task.until = task.until.max(new.until);
        task.repair |= new.repair;
        if let (Piece::Trades { lo, hi }, Piece::Trades { lo: a, hi: b }) = (&mut task.piece, new.piece) {
            (*lo, *hi) = ((*lo).min(a), (*hi).max(b));
        }
        true
    }

    /// The next range to ask a page of; the caller asks and names the request. A market is finished before the next one.
    pub(super) fn next(&mut self, now: Ts, ask: impl FnOnce(&Task) -> RequestId) -> bool {
        if self.tasks.iter().filter(|t| t.asked.is_some()).count() >= ACTIVE_MAX {
            return false;
        }
        let ready = |t: &&mut Task| t.asked.is_none() && t.due <= now;
        let Some(task) = self.tasks.iter_mut().filter(ready).min_by_key(|t| t.rank()) else { return false };
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

    /// The page was not answered, for a reason that says nothing about it.
    pub(super) fn put_back(&mut self, now: Ts, request: RequestId) {
        if let Some(task) = self.answered(request) {
            task.due = now;
        }
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

    /// Is anything of this market and of such a metric still to come?
    pub(super) fn wanted(&self, market: MarketIndex, of: &dyn Fn(Metric) -> bool) -> bool {
        self.tasks.iter().any(|t| t.market == market && of(t.piece.metric()))
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
        history.add(task(Piece::Trades { lo: 9, hi: 11 }, 9, 11));
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
    fn trades_between_two_holes_are_not_fetched_and_holes_are_bounded() {
        let mut history = History::default();
        for n in 0..40_u32 {
            let lo = u64::from(n) * 100;
            let taken = history.add(task(Piece::Trades { lo, hi: lo + 5 }, i64::from(n), i64::from(n)));
            assert_eq!(taken, n < 32, "hole {n}");
        }
        let mut other = task(Piece::Trades { lo: 0, hi: 5 }, 0, 1);
        other.market = MarketIndex(1);
        assert!(history.add(other), "another market has a bound of its own");
        let ids = history.tasks.iter().map(|t| match t.piece {
            Piece::Trades { lo, hi } => hi - lo,
            _ => 0,
        });
        assert_eq!((history.len(), ids.sum::<u64>()), (33, 33 * 5), "nothing but the holes");
    }

    #[test]
    fn few_are_under_way_at_once_and_repairs_go_first() {
        let mut history = History::default();
        for n in 0..10 {
            // The first markets have many trades.
            let piece = if n < 6 { Piece::Trades { lo: 0, hi: 9 } } else { Piece::Klines };
            let mut t = task(piece, 0, 60);
            (t.market, t.repair) = (MarketIndex(n), n == 7);
            history.add(t);
        }
        let mut order = Vec::new();
        while history.next(Ts(0), |t| {
            order.push(t.market.0);
            RequestId(u64::from(t.market.0))
        }) {}
        assert_eq!(order, [7, 6, 8, 9], "a repair, then candles; trades wait");
    }
}
