//! The book of a market, second by second: what its changes add up to and how it stands at the end of each.
//!
//! Seconds are cut by the venue's clock at the changes themselves: a change after the end of a second may arrive before the row of that
//! second is closed, so the book as it stood is kept aside first.

use crate::order_flow::Contribution;
use crate::row::ResearchRow;
use crate::seconds::{BookFlow, Listened};
use crate::structural::{STRUCTURAL, at, structural};
use barograph_domain::cell::Reason;
use barograph_domain::depth::{BookSides, DEPTH, DepthLevel};
use barograph_domain::{Span, Ts};
use std::collections::VecDeque;

/// The grid of rows.
pub const SECOND: Span = Span::secs(1);
/// An older book says nothing.
const AGE_MAX: Span = Span::secs(5);

/// The second that a moment belongs to: `(t − 1 s, t]`.
pub(crate) fn second_of(t: Ts) -> i64 {
    t.ceil(SECOND).0.div_euclid(SECOND.0)
}

/// Its end.
pub(crate) fn end_of(second: i64) -> Ts {
    Ts(second * SECOND.0)
}

/// The twenty best levels of both sides.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Top {
    bids: [DepthLevel; DEPTH],
    asks: [DepthLevel; DEPTH],
    there: [usize; 2],
}

impl Top {
    const EMPTY: Self = Self {
        bids: [DepthLevel { price: 0.0, size: 0.0 }; DEPTH],
        asks: [DepthLevel { price: 0.0, size: 0.0 }; DEPTH],
        there: [0; 2],
    };

    fn set(&mut self, sides: &BookSides<'_>) {
        for (n, (side, own)) in [(sides.bids, &mut self.bids), (sides.asks, &mut self.asks)].into_iter().enumerate() {
            self.there[n] = side.len().min(DEPTH);
            own[..self.there[n]].copy_from_slice(&side[..self.there[n]]);
        }
    }

    fn sides(&self) -> BookSides<'_> {
        BookSides { bids: &self.bids[..self.there[0]], asks: &self.asks[..self.there[1]] }
    }
}

/// Mid and spread in basis points.
pub(crate) type Quote = (f64, f64);

/// How the book stood at the end of a second.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Instant {
    pub(crate) mid: Result<f64, Reason>,
    pub(crate) micro: Result<f64, Reason>,
    /// Of one level and of five.
    pub(crate) imbalance: [Result<f64, Reason>; 2],
    /// In basis points.
    pub(crate) spread: Result<f64, Reason>,
    /// Quote of five levels of bids and of asks.
    pub(crate) depth: [Result<f64, Reason>; 2],
    /// Mean size at the best prices.
    pub(crate) best_size: Result<f64, Reason>,
    /// Logarithms of the mid over the one and the five seconds that end here, as far as both mids are there.
    pub(crate) moved: [Option<f64>; 2],
}

impl Instant {
    /// Nothing was known.
    pub(crate) const NONE: Self = {
        let none = Err(Reason::MissingInput);
        Self {
            mid: none,
            micro: none,
            imbalance: [none; 2],
            spread: none,
            depth: [none; 2],
            best_size: none,
            moved: [None; 2],
        }
    };

    fn of(row: &ResearchRow) -> Self {
        let best = |at: usize| row.get(at);
        let best_size = best(at::BID_SIZE).and_then(|b| Ok(f64::midpoint(b, best(at::ASK_SIZE)?)));
        Self {
            mid: row.get(at::MID),
            micro: row.get(at::MICROPRICE),
            imbalance: [row.get(at::IMBALANCE), row.get(at::IMBALANCE + 2)],
            spread: row.get(at::SPREAD_BPS),
            depth: [row.get(at::DEPTH), row.get(at::DEPTH + 1)],
            best_size,
            moved: [None; 2],
        }
    }
}

/// A second that is over by the venue's clock.
#[derive(Clone, Debug)]
pub(crate) struct BookSecond {
    pub(crate) second: i64,
    /// Columns 1 to 109, until the row is made.
    pub(crate) row: Option<Box<ResearchRow>>,
    /// May anything of the book be used?
    pub(crate) valid: Result<(), Reason>,
    pub(crate) instant: Instant,
    pub(crate) heard: Listened,
    pub(crate) flow: BookFlow,
    /// Milliseconds since the last change; `None` before the first.
    pub(crate) age_ms: Option<f64>,
    /// Seconds since the end of the last gap; `None` where none was declared.
    pub(crate) since_gap_s: Option<f64>,
    /// How long after it happened each change arrived.
    pub(crate) delays: Vec<Span>,
}

impl BookSecond {
    /// Nobody made its row: how the book stood was not known then. What happened in it counts.
    pub(crate) fn forget_state(&mut self) {
        (self.valid, self.instant) = (Err(Reason::MissingInput), Instant::NONE);
    }
}

/// One book.
#[derive(Clone, Debug)]
pub(crate) struct MarketBook {
    tick: Option<f64>,
    /// `None` before the first state and from a gap to the next state.
    top: Option<Top>,
    changed: Option<Ts>,
    /// From when on every change is known.
    begun: Option<Ts>,
    in_gap: bool,
    gap_end: Option<Ts>,
    /// A gap lies in the second under way.
    gap_now: bool,
    flow: BookFlow,
    delays: Vec<Span>,
    /// Kept between seconds, so that none need ask for memory.
    spare: Vec<Span>,
    /// The second under way.
    second: Option<i64>,
    over: VecDeque<BookSecond>,
}

impl MarketBook {
    pub(crate) fn new(tick: Option<f64>) -> Self {
        Self {
            tick,
            top: None,
            changed: None,
            begun: None,
            in_gap: false,
            gap_end: None,
            gap_now: false,
            flow: BookFlow::default(),
            delays: Vec::new(),
            spare: Vec::new(),
            second: None,
            over: VecDeque::new(),
        }
    }

    /// Something happens at a moment; `sides` is the book before it. Seconds that ended before it are over.
    pub(crate) fn until(&mut self, event: Ts, sides: &BookSides<'_>) {
        let now = second_of(event);
        let mut second = *self.second.get_or_insert(now);
        while second < now {
            self.end(second, sides);
            second += 1;
        }
        self.second = Some(second.max(now));
    }

    /// Seconds are counted from here at the latest, whether or not there is a book yet.
    pub(crate) fn listen(&mut self, at: Ts) {
        self.second.get_or_insert(second_of(at));
    }

    fn end(&mut self, second: i64, sides: &BookSides<'_>) {
        let end = end_of(second);
        let (row, valid) = self.state(second, sides);
        let whole = self.begun.is_some_and(|begun| begun <= end - SECOND) && !self.in_gap && !self.gap_now;
        let heard = Listened { whole: u32::from(whole), gaps: u32::from(self.in_gap || self.gap_now), lost_ns: 0 };
        self.gap_now = false;
        let instant = Instant::of(&row);
        let since = |t: Ts| (end - t).as_secs_f64();
        self.over.push_back(BookSecond {
            second,
            row: Some(row),
            valid,
            instant,
            heard,
            flow: core::mem::take(&mut self.flow),
            age_ms: self.changed.map(|t| since(t) * 1e3),
            since_gap_s: if self.in_gap { Some(0.0) } else { self.gap_end.map(since) },
            delays: core::mem::replace(&mut self.delays, core::mem::take(&mut self.spare)),
        });
    }

    /// The book after all changes of one update of the venue, of so many levels. They count at their own second: where the row of that
    /// is made already, what they add is handed back.
    pub(crate) fn change(
        &mut self,
        event: Ts,
        delay: Span,
        sides: &BookSides<'_>,
        updates: u32,
    ) -> Option<(i64, BookFlow)> {
        let mut late = None;
        let second = second_of(event);
        let is_now = self.second.is_none_or(|now| now == second);
        let earlier = if is_now { None } else { self.over.iter().position(|one| one.second == second) };
        let (flow, delays) = match earlier {
            _ if is_now => (&mut self.flow, Some(&mut self.delays)),
            Some(at) => {
                let one = &mut self.over[at];
                (&mut one.flow, Some(&mut one.delays))
            }
            None => (&mut late.insert((second, BookFlow::default())).1, None),
        };
        match &self.top {
            Some(before) => flow.take(&Contribution::of(&before.sides(), sides)),
            None => {
                // The first state, also after a gap, is no change.
                self.begun = Some(event);
                if core::mem::take(&mut self.in_gap) {
                    self.gap_end = Some(event);
                    self.gap_now = true;
                }
            }
        }
        flow.updates += updates;
        delays.into_iter().for_each(|all| all.push(delay));
        self.top.get_or_insert(Top::EMPTY).set(sides);
        self.changed = Some(event);
        // Of seconds whose rows are to come this is the newest state that they know.
        for at in earlier.unwrap_or(self.over.len())..self.over.len() {
            self.stand(at, sides);
        }
        late
    }

    /// How the book stood at the end of a second that waits for its row.
    fn stand(&mut self, at: usize, sides: &BookSides<'_>) {
        let second = self.over[at].second;
        let (row, valid) = self.state(second, sides);
        let instant = Instant::of(&row);
        let age_ms = self.changed.map(|t| (end_of(second) - t).as_secs_f64() * 1e3);
        let one = &mut self.over[at];
        (one.row, one.valid, one.instant, one.age_ms) = (Some(row), valid, instant, age_ms);
    }

    /// Columns 1 to 109 at the end of a second, and whether anything of the book may be used.
    fn state(&self, second: i64, sides: &BookSides<'_>) -> (Box<ResearchRow>, Result<(), Reason>) {
        let mut row = Box::<ResearchRow>::default();
        let valid = match (&self.top, self.changed) {
            (None, _) | (_, None) => Err(if self.in_gap { Reason::Gap } else { Reason::MissingInput }),
            (Some(_), Some(changed)) if end_of(second) - changed > AGE_MAX => Err(Reason::Stale),
            _ => sides.uncrossed(),
        };
        match valid {
            Ok(()) => structural(sides, self.tick, &mut row),
            Err(reason) => row.withhold(0..STRUCTURAL, reason),
        }
        (row, valid)
    }

    /// Changes are missing from here to the next state.
    pub(crate) fn gap(&mut self) {
        self.top = None;
        self.begun = None;
        self.in_gap = true;
    }

    /// Mid and spread in force at a moment, where the book can be used.
    pub(crate) fn quote(&self, at: Ts) -> Option<Quote> {
        let fresh = self.changed.is_some_and(|t| at - t <= AGE_MAX);
        let (bid, ask) = self.top.as_ref().filter(|_| fresh)?.sides().best().ok()?;
        let mid = f64::midpoint(bid.price, ask.price);
        Some((mid, 1e4 * (ask.price - bid.price) / mid))
    }

    /// The oldest second that is over and was not taken.
    pub(crate) fn oldest(&self) -> Option<i64> {
        self.over.front().map(|one| one.second)
    }

    /// A second that is over; those before it are let go.
    pub(crate) fn over(&mut self, second: i64) -> Option<&mut BookSecond> {
        self.let_go(second - 1);
        self.over.front_mut().filter(|one| one.second == second)
    }

    /// Seconds up to one have their rows.
    pub(crate) fn let_go(&mut self, second: i64) {
        while let Some(one) = self.over.front_mut().filter(|one| one.second <= second) {
            self.spare = core::mem::take(&mut one.delays);
            self.spare.clear();
            self.over.pop_front();
        }
    }
}
