//! One order book and its way to the venue's: the procedures of the sheets, USD-M §5 and spot §5, step by step.
//!
//! 1. Events are held from the first one on.
//! 2. A snapshot is asked for.
//! 3. Held events older than it are dropped.
//! 4. The first one that is applied has to straddle it; a snapshot older than everything held is asked for again, and what is
//!    held stays.
//! 5. Every later event has to follow the one before: `pu` equals the last `u` on futures, `U` is the last `u` plus one on spot.
//!    Otherwise the book is dropped and the procedure begins again with this event.
//! 6. Quantities are absolute, zero removes.
//!
//! Two readings of step 4 and 5 that go beyond the sheets and are safe: an event with `pu ≤ id ≤ u` contains everything that
//! happened after the book, so it is taken as the first after a snapshot, and it is taken when it comes over another instance
//! of the connection, which may cut its batches elsewhere.
//!
//! A snapshot covers a range; beyond it levels are unknown until they are touched. When the top has moved half of it on
//! either side, or after [`REFRESH_EVERY`], a new snapshot is fetched while the book goes on, and takes its place.
//!
//! Held: at most [`HELD_MAX`] events and [`HELD_LEVELS_MAX`] levels; the oldest go first, which is right, because a snapshot
//! that is still to come is newer than they are.

use super::frame::{Change, Levels};
use crate::session::{BookFault, ConnId, Decimal, OrderBook, RequestId};
use barograph_domain::{GapReason, Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// 25 s of a stream with ten events per second.
pub(super) const HELD_MAX: usize = 256;
/// 24 bytes each: 96 KiB per book while it is being built.
pub(super) const HELD_LEVELS_MAX: usize = 4_096;
/// First and longest pause between snapshots that did not fit.
const PAUSE_MIN: Span = Span::millis(250);
const PAUSE_MAX: Span = Span::secs(60);
/// Far levels drift from the venue's; near ones do not.
const REFRESH_EVERY: Span = Span::hours(4);
/// No sooner after the last snapshot than this.
const REFRESH_PAUSE: Span = Span::secs(10);
/// A book that was good for this long is asked for again at once.
const STEADY: Span = Span::secs(60);

/// Update ids of one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Ids {
    pub(super) first: u64,
    pub(super) last: u64,
    /// Last id of the event before; futures only.
    pub(super) previous: Option<u64>,
}

/// An event that waits for a snapshot.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Held {
    ids: Ids,
    conn: ConnId,
    event_ts: Ts,
    bids: Vec<Change>,
    asks: Vec<Change>,
}

/// Where the procedure stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Phase {
    /// No event yet on this connection.
    Waiting,
    /// Events are held; a snapshot is under way, or will be asked for.
    Building,
    /// The book can be trusted.
    Live,
}

/// What an event did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// The book moved.
    Applied,
    /// Held, or older than the book.
    Nothing,
    /// The book was lost; the procedure has begun again.
    Lost(GapReason),
}

/// A book and its state.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct BookSync {
    book: OrderBook,
    /// Last update id the book contains.
    id: u64,
    /// Nothing was applied since the snapshot.
    fresh: bool,
    /// The connection of the newest event.
    conn: Option<ConnId>,
    pub(super) phase: Phase,
    pub(super) asked: Option<RequestId>,
    /// Not before.
    pub(super) ask_at: Option<Ts>,
    attempts: u32,
    live_since: Option<Ts>,
    held: VecDeque<Held>,
    held_levels: usize,
    levels_max: usize,
    /// Lowest bid and highest ask that are well inside of what the snapshot covered.
    inside: (i64, i64),
    /// When the top was last reported.
    pub(super) told: Option<Ts>,
}

impl BookSync {
    pub(super) fn new(scale: u8, levels_max: usize) -> Self {
        Self {
            book: OrderBook::new(scale, levels_max),
            id: 0,
            fresh: true,
            conn: None,
            phase: Phase::Waiting,
            asked: None,
            ask_at: None,
            attempts: 0,
            live_since: None,
            held: VecDeque::new(),
            held_levels: 0,
            levels_max,
            inside: (i64::MIN, i64::MAX),
            told: None,
        }
    }

    /// The book, while it can be trusted.
    pub(super) fn book(&self) -> Option<&OrderBook> {
        (self.phase == Phase::Live).then_some(&self.book)
    }

    /// The connection is gone: nothing of what is known can be continued.
    pub(super) fn disconnected(&mut self) {
        self.phase = Phase::Waiting;
        self.forget();
        (self.asked, self.ask_at, self.attempts) = (None, None, 0);
    }

    fn forget(&mut self) {
        self.book.clear();
        self.held = VecDeque::new();
        self.held_levels = 0;
    }

    /// An event of the stream.
    pub(super) fn event(&mut self, now: Ts, conn: ConnId, ids: Ids, event_ts: Ts, levels: &Levels) -> Step {
        if self.phase != Phase::Live {
            self.hold(now, conn, ids, event_ts, levels);
            return Step::Nothing;
        }
        if self.asked.is_some() {
            // A snapshot to replace the book is under way.
            self.hold(now, conn, ids, event_ts, levels);
        }
        match self.follows(conn, ids) {
            Follows::Older => Step::Nothing,
            Follows::Next => match self.apply(ids, &levels.bids, &levels.asks) {
                Ok(()) => {
                    self.conn = Some(conn);
                    Step::Applied
                }
                Err(fault) => self.restart(now, conn, ids, event_ts, levels, fault.reason()),
            },
            Follows::Hole => self.restart(now, conn, ids, event_ts, levels, GapReason::SequenceJump),
        }
    }

    fn restart(&mut self, now: Ts, conn: ConnId, ids: Ids, event_ts: Ts, levels: &Levels, why: GapReason) -> Step {
        self.forget();
        self.phase = Phase::Waiting;
        if self.live_since.is_some_and(|since| now - since >= STEADY) {
            self.attempts = 0;
        }
        if self.attempts > 0 {
            // Lost again right after it was built: not at once.
            self.failed(now);
        }
        self.attempts = self.attempts.max(1);
        self.hold(now, conn, ids, event_ts, levels);
        Step::Lost(why)
    }

    fn hold(&mut self, now: Ts, conn: ConnId, ids: Ids, event_ts: Ts, levels: &Levels) {
        if self.phase == Phase::Waiting {
            self.phase = Phase::Building;
            self.ask_at = self.ask_at.or(Some(now));
        }
        let count = levels.bids.len() + levels.asks.len();
        self.held_levels += count;
        self.held.push_back(Held { ids, conn, event_ts, bids: levels.bids.clone(), asks: levels.asks.clone() });
        while self.held.len() > HELD_MAX || (self.held_levels > HELD_LEVELS_MAX && self.held.len() > 1) {
            if let Some(gone) = self.held.pop_front() {
                self.held_levels -= gone.bids.len() + gone.asks.len();
            }
        }
    }

    fn follows(&self, conn: ConnId, ids: Ids) -> Follows {
        let id = self.id;
        if self.fresh {
            // Step 3 and 4.
            let from = ids.previous.map_or(ids.first.saturating_sub(1), |pu| pu.min(ids.first));
            return match ids.previous {
                Some(_) if ids.last < id => Follows::Older,
                None if ids.last <= id => Follows::Older,
                _ if from <= id => Follows::Next,
                _ => Follows::Hole,
            };
        }
        if ids.last <= id {
            return Follows::Older;
        }
        let other_instance = self.conn != Some(conn);
        match ids.previous {
            Some(pu) if pu == id || (other_instance && pu < id) => Follows::Next,
            None if ids.first <= id + 1 => Follows::Next,
            _ => Follows::Hole,
        }
    }

    fn apply(&mut self, ids: Ids, bids: &[Change], asks: &[Change]) -> Result<(), BookFault> {
        let pair = |c: &Change| (c.price, c.qty);
        self.book.change(bids.iter().map(pair), asks.iter().map(pair))?;
        self.id = ids.last;
        self.fresh = false;
        self.book.check()
    }

    /// A snapshot came. `Ok` gives the stamp of the newest held event that was applied; `Err` says why the book is not there
    /// yet, or, while it is live, not renewed.
    pub(super) fn snapshot(&mut self, now: Ts, id: u64, levels: &Levels) -> Result<Option<Ts>, GapReason> {
        self.asked = None;
        let before = (self.phase == Phase::Live).then(|| (self.book.clone(), self.id, self.fresh, self.conn));
        let scale = self.book.scale().max(scale_of(levels));
        let scale =
            self.held.iter().fold(scale, |s, h| s.max(scale_of_changes(&h.bids)).max(scale_of_changes(&h.asks)));
        if scale == self.book.scale() {
            self.book.clear();
        } else {
            self.book = OrderBook::new(scale, self.levels_max);
        }
        (self.id, self.fresh, self.conn) = (id, true, None);
        let loaded = self.load(levels).and_then(|()| self.book.check());
        let inside = self.middle();
        let outcome = loaded.map_err(BookFault::reason).and_then(|()| self.catch_up());
        // A renewed book is never older than the one it replaces.
        let outcome = match &before {
            Some((_, live_id, ..)) if self.id < *live_id => outcome.and(Err(GapReason::SequenceJump)),
            _ => outcome,
        };
        match (outcome, before) {
            (Ok(newest), _) => {
                self.phase = Phase::Live;
                self.inside = inside;
                self.held = VecDeque::new();
                self.held_levels = 0;
                (self.ask_at, self.live_since) = (None, Some(now));
                Ok(newest)
            }
            (Err(why), Some(live)) => {
                (self.book, self.id, self.fresh, self.conn) = live;
                self.held = VecDeque::new();
                self.held_levels = 0;
                self.failed(now);
                Err(why)
            }
            (Err(why), None) => {
                self.book.clear();
                self.phase = Phase::Building;
                self.failed(now);
                Err(why)
            }
        }
    }

    /// How far the top may move into what a snapshot that was just loaded covers: half of either side.
    fn middle(&self) -> (i64, i64) {
        let half = |best: Option<crate::session::BookLevel>, worst: Option<&crate::session::BookLevel>| {
            best.zip(worst).map(|(best, worst)| best.units + (worst.units - best.units) / 2)
        };
        let low = half(self.book.best_bid(), self.book.bids().last());
        let high = half(self.book.best_ask(), self.book.asks().last());
        (low.unwrap_or(i64::MIN), high.unwrap_or(i64::MAX))
    }

    fn load(&mut self, levels: &Levels) -> Result<(), BookFault> {
        self.book.reserve();
        levels.bids.iter().try_for_each(|c| self.book.bid(c.price, c.qty))?;
        levels.asks.iter().try_for_each(|c| self.book.ask(c.price, c.qty))
    }

    /// Step 3 to 5 over what is held. On failure everything stays held.
    fn catch_up(&mut self) -> Result<Option<Ts>, GapReason> {
        let mut held = core::mem::take(&mut self.held);
        let mut newest = None;
        let mut outcome = Ok(());
        for event in &held {
            match self.follows(event.conn, event.ids) {
                Follows::Older => continue,
                Follows::Hole => outcome = Err(GapReason::SequenceJump),
                Follows::Next => {
                    self.conn = Some(event.conn);
                    newest = Some(event.event_ts);
                    outcome = self.apply(event.ids, &event.bids, &event.asks).map_err(BookFault::reason);
                }
            }
            if outcome.is_err() {
                break;
            }
        }
        if outcome.is_err() && newest.is_some() {
            // A hole among the held ones: what is before it is of no use.
            let last = self.id;
            held.retain(|h| h.ids.last > last);
        }
        self.held_levels = held.iter().map(|h| h.bids.len() + h.asks.len()).sum();
        self.held = held;
        outcome.map(|()| newest)
    }

    /// The snapshot did not come, or did not fit: again, after a pause that grows.
    pub(super) fn failed(&mut self, now: Ts) {
        self.asked = None;
        let pause = PAUSE_MIN.times(1 << self.attempts.min(8)).min(PAUSE_MAX);
        self.attempts = self.attempts.saturating_add(1);
        self.ask_at = Some(now + pause);
    }

    /// Whether a snapshot is to be asked for now.
    pub(super) fn wants_snapshot(&self, now: Ts) -> bool {
        if self.asked.is_some() || self.phase == Phase::Waiting {
            return false;
        }
        if self.phase == Phase::Building || self.ask_at.is_some() {
            return self.ask_at.is_some_and(|at| at <= now);
        }
        let age = self.live_since.map_or(Span::ZERO, |since| now - since);
        let (low, high) = self.inside;
        let outside =
            self.book.best_bid().is_some_and(|b| b.units < low) || self.book.best_ask().is_some_and(|a| a.units > high);
        age >= REFRESH_EVERY || (outside && age >= REFRESH_PAUSE)
    }

    /// Nothing came on an open connection: a quiet market. Its snapshot alone is its book.
    pub(super) fn build_anyway(&mut self, now: Ts) {
        if self.phase == Phase::Waiting {
            self.phase = Phase::Building;
            self.ask_at = Some(now);
        }
    }

    /// Levels held, for the bound on memory.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        (self.held.len(), self.held_levels)
    }
}

enum Follows {
    Older,
    Next,
    Hole,
}

fn scale_of_changes(changes: &[Change]) -> u8 {
    changes.iter().map(|c| c.price.scale).max().unwrap_or(0)
}

fn scale_of(levels: &Levels) -> u8 {
    scale_of_changes(&levels.bids).max(scale_of_changes(&levels.asks))
}

/// Digits of a tick, where it is known.
pub(super) fn scale_of_tick(tick: Option<Decimal>) -> u8 {
    tick.map_or(0, |t| t.scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(bid: &str, ask: &str) -> Levels {
        let change = |text: &str| Change { price: Decimal::parse(text.as_bytes()).unwrap(), qty: 1.0 };
        Levels { bids: vec![change(bid), change("50")], asks: vec![change(ask), change("150")], ..Levels::default() }
    }

    fn at(s: i64) -> Ts {
        Ts::from_secs(1_000 + s)
    }

    fn ids(n: u64) -> Ids {
        Ids { first: n, last: n, previous: Some(n - 1) }
    }

    #[test]
    fn what_is_held_is_bounded_and_the_newest_stay() {
        let mut book = BookSync::new(0, 100);
        let wide = Levels { bids: levels("99", "101").bids.repeat(100), ..Levels::default() };
        let narrow = levels("99", "101");
        for n in 1..=1_000 {
            book.event(at(0), ConnId(0), ids(n), at(0), if n > 900 { &wide } else { &narrow });
            let (events, levels) = book.held();
            assert!(events <= HELD_MAX && levels <= HELD_LEVELS_MAX + 200, "{events} events, {levels} levels");
        }
        assert!(book.wants_snapshot(at(0)));
        assert!(book.snapshot(at(1), 950, &levels("99", "101")).is_err(), "older than what is still held");
        assert_eq!(book.phase, Phase::Building);
        assert!(book.snapshot(at(2), 999, &levels("99", "101")).is_ok());
    }

    #[test]
    fn a_book_is_renewed_before_the_price_leaves_what_it_covers() {
        let mut book = BookSync::new(0, 100);
        book.event(at(0), ConnId(0), ids(10), at(0), &levels("99", "101"));
        book.snapshot(at(1), 10, &levels("99", "101")).unwrap();
        let mut moved = levels("60", "101");
        moved.bids[1] = Change { price: Decimal { mantissa: 99, scale: 0 }, qty: 0.0 };
        assert_eq!(book.event(at(2), ConnId(0), ids(11), at(2), &moved), Step::Applied);
        assert!(!book.wants_snapshot(at(3)), "not so soon after the last");
        assert!(book.wants_snapshot(at(20)));
        book.asked = Some(RequestId(1));
        book.event(at(21), ConnId(0), ids(12), at(21), &levels("59", "101"));
        assert!(book.book().is_some(), "it goes on meanwhile");
        assert!(book.snapshot(at(22), 5, &levels("58", "101")).is_err(), "older than the book: the book stays");
        assert_eq!(book.book().and_then(OrderBook::top), Some((60.0, 101.0)));
        book.asked = Some(RequestId(2));
        book.event(at(60), ConnId(0), ids(13), at(60), &levels("57", "101"));
        assert!(book.snapshot(at(61), 13, &levels("57", "101")).is_ok());
        assert_eq!(book.book().and_then(OrderBook::top), Some((57.0, 101.0)));
        assert_eq!(
            book.event(at(62), ConnId(0), ids(14), at(62), &levels("58", "101")),
            Step::Applied,
            "the chain goes on"
        );
    }
}
