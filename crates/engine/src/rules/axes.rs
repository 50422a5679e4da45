//! The four axes of one market together: each with its own memory, one record of how often every rule held (C03).

use super::axis::AxisMemory;
use super::book::Book;
use super::fresh::Staleness;
use super::held::HeldRing;
use super::judged::Judged;
use super::set::Ruled;
use barograph_domain::row::HeldCount;
use barograph_domain::{
    AxisState, Cell, HeatRegime, InputAge, MinuteRow, RiskRegime, Span, StreamDecl, TrendRegime, Ts, VolRegime,
};
use serde::{Deserialize, Serialize};

/// States of all axes of one market under one book.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Axes {
    risk: AxisMemory<RiskRegime>,
    trend: AxisMemory<TrendRegime>,
    volatility: AxisMemory<VolRegime>,
    heat: AxisMemory<HeatRegime>,
    held: HeldRing,
    #[serde(skip)]
    last: Last,
}

/// The judgements of the minute before.
#[derive(Clone, Debug, Default)]
struct Last {
    risk: Judged<RiskRegime>,
    trend: Judged<TrendRegime>,
    volatility: Judged<VolRegime>,
    heat: Judged<HeatRegime>,
    /// No input was too old.
    fresh: bool,
}

/// It is made from the readings again: two states of the axes never differ by it.
impl PartialEq for Last {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What the axes say about one minute.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AxisStates {
    /// Crowding and volatility risk.
    pub risk: AxisState<RiskRegime>,
    /// Direction.
    pub trend: AxisState<TrendRegime>,
    /// Volatility class.
    pub volatility: AxisState<VolRegime>,
    /// Activity.
    pub heat: AxisState<HeatRegime>,
}

impl AxisStates {
    /// As a row has them.
    #[must_use]
    pub const fn of(row: &MinuteRow) -> Self {
        Self { risk: row.risk, trend: row.trend, volatility: row.volatility, heat: row.heat }
    }
}

/// One minute, as the axes read it.
struct Minute<'a> {
    book: &'a Book,
    ts: Ts,
    cells: &'a [Cell],
    inputs: &'a [InputAge],
    streams: &'a [StreamDecl],
    /// No input is too old.
    fresh: bool,
    /// Bits of [`Book::counted`].
    holds: u64,
    known: u64,
}

impl Minute<'_> {
    fn judge<L: Ruled>(&mut self, memory: &mut AxisMemory<L>, last: &mut Judged<L>) -> AxisState<L> {
        last.take(self.book, self.cells, self.streams);
        self.holds |= last.counted.holds;
        self.known |= last.counted.known;
        let staleness = last.staleness(self.book, self.ts, (self.cells, self.inputs, self.fresh), self.streams);
        memory.take(self.book, self.ts, self.cells, &last.now, staleness)
    }
}

impl Axes {
    /// Before the first reading.
    #[must_use]
    pub fn new(book: &Book) -> Self {
        Self {
            risk: AxisMemory::new(),
            trend: AxisMemory::new(),
            volatility: AxisMemory::new(),
            heat: AxisMemory::new(),
            held: HeldRing::new(book.counted()),
            last: Last::default(),
        }
    }
    /// Judges one minute. Call it once for every minute of the grid, in order, and with the same book and the same streams, to which
    /// others may be added.
    pub fn step(
        &mut self,
        book: &Book,
        ts: Ts,
        cells: &[Cell],
        inputs: &[InputAge],
        streams: &[StreamDecl],
    ) -> AxisStates {
        let fresh = !Staleness::of(book.freshness, ts, inputs, streams).any;
        let mut minute = Minute { book, ts, cells, inputs, streams, fresh, holds: 0, known: 0 };
        let last = &mut self.last;
        last.fresh = fresh;
        let states = AxisStates {
            risk: minute.judge(&mut self.risk, &mut last.risk),
            trend: minute.judge(&mut self.trend, &mut last.trend),
            volatility: minute.judge(&mut self.volatility, &mut last.volatility),
            heat: minute.judge(&mut self.heat, &mut last.heat),
        };
        self.held.push(ts.0.div_euclid(Span::mins(1).0), minute.holds, minute.known);
        states
    }
    /// The next minute evaluates everything, whatever it reads: under another book, or after a restore.
    pub fn reread(&mut self) {
        self.last = Last::default();
    }
    /// Was no input of the last minute older than its limit?
    pub(crate) const fn inputs_are_fresh(&self) -> bool {
        self.last.fresh
    }
    /// How often each rule and each resting label held in the last 90 days, in the order of [`Book::counted`].
    #[must_use]
    pub fn held(&self) -> &[HeldCount] {
        self.held.counts()
    }
}
