//! The four axes of one market together: each with its own memory, one record of how often every rule held (C03).

use super::axis::AxisMemory;
use super::book::Book;
use super::eval::evaluate;
use super::fresh::Staleness;
use super::held::HeldRing;
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
    /// Bits of [`Book::counted`].
    holds: u64,
    known: u64,
}

impl Minute<'_> {
    fn judge<L: Ruled>(&mut self, memory: &mut AxisMemory<L>) -> AxisState<L> {
        let now = evaluate::<L>(self.book, self.cells);
        let (first, resting) = self.book.counted_at(L::AXIS);
        self.holds |= u64::from(now.holds) << first | u64::from(now.raw == L::RESTING) << resting;
        self.known |= u64::from(now.known) << first | u64::from(now.raw != L::UNKNOWN) << resting;
        let staleness = Staleness::of_axis::<L>(self.book, self.ts, self.cells, self.inputs, self.streams);
        memory.take(self.book, self.ts, self.cells, &now, staleness)
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
        }
    }
    /// Judges one minute. Call it once for every minute of the grid, in order.
    pub fn step(
        &mut self,
        book: &Book,
        ts: Ts,
        cells: &[Cell],
        inputs: &[InputAge],
        streams: &[StreamDecl],
    ) -> AxisStates {
        let mut minute = Minute { book, ts, cells, inputs, streams, holds: 0, known: 0 };
        let states = AxisStates {
            risk: minute.judge(&mut self.risk),
            trend: minute.judge(&mut self.trend),
            volatility: minute.judge(&mut self.volatility),
            heat: minute.judge(&mut self.heat),
        };
        self.held.push(ts.0.div_euclid(Span::mins(1).0), minute.holds, minute.known);
        states
    }
    /// How often each rule and each resting label held in the last 90 days, in the order of [`Book::counted`].
    #[must_use]
    pub fn held(&self) -> &[HeldCount] {
        self.held.counts()
    }
}
