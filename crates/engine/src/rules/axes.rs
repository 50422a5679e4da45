//! The four axes of one market together: each with its own memory, one record of how often every rule held (C03).

use super::axis::AxisMemory;
use super::book::RuleBook;
use super::eval::{AsRead, Dated};
use super::fresh::{Freshness, Staleness};
use super::held::HeldRing;
use super::judged::Judged;
use super::set::Ruled;
use barograph_domain::row::HeldCount;
use barograph_domain::{
    AxisState, Cell, HeatRegime, InputAge, MinuteRow, RiskRegime, Span, StreamDecl, StreamIndex, TrendRegime, Ts,
    VolRegime,
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
    /// The streams that the inputs came from, with their age limits: they seldom change, and declarations never do.
    limits: Vec<Option<(StreamIndex, Span)>>,
    /// No input was too old.
    fresh: bool,
    calm: Option<Calm>,
}

/// A minute in which every axis gave the label it has, with no reading too old. While the judgements stand the next minute leaves
/// everything as it is, so that the memories of the axes need not be asked.
#[derive(Clone, Copy, Debug)]
struct Calm {
    states: AxisStates,
    holds: u64,
    known: u64,
    /// The last moment at which no close is too late.
    until: Ts,
}

impl Last {
    /// Is no input too old? As [`Staleness::of`] says it, which is asked where one may be.
    fn inputs_are_fresh(&mut self, freshness: Freshness, ts: Ts, inputs: &[InputAge], streams: &[StreamDecl]) -> bool {
        let is_fresh = |(of, input): (&Option<(StreamIndex, Span)>, &InputAge)| match (of, input.stream) {
            (Some((known, limit)), Some(stream)) => *known == stream && ts - input.anchor <= *limit,
            (of, stream) => of.is_none() && stream.is_none(),
        };
        if self.limits.len() == inputs.len() && self.limits.iter().zip(inputs).all(is_fresh) {
            return true;
        }
        let limit = |stream: StreamIndex| Some((stream, freshness.max_age(streams.get(stream.index())?)));
        self.limits.clear();
        self.limits.extend(inputs.iter().map(|input| input.stream.and_then(limit)));
        !Staleness::of(freshness, ts, inputs, streams).any
    }

    /// What was said of the minute before, where it goes for this one too.
    #[inline]
    fn calm(&self, ts: Ts, readings: &AsRead<'_>) -> Option<&Calm> {
        self.calm.as_ref().filter(|calm| {
            self.fresh
                && ts <= calm.until
                && self.risk.still_stands(readings)
                && self.trend.still_stands(readings)
                && self.volatility.still_stands(readings)
                && self.heat.still_stands(readings)
        })
    }

    /// The last moment up to which nothing moves by itself, where no axis waits for anything.
    fn calm_until(&self, states: &AxisStates) -> Option<Ts> {
        let of_two = self.risk.settled_until(states.risk.label)?.min(self.trend.settled_until(states.trend.label)?);
        let volatility = self.volatility.settled_until(states.volatility.label)?;
        Some(of_two.min(volatility).min(self.heat.settled_until(states.heat.label)?))
    }
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
    /// Direction of the price.
    pub trend: AxisState<TrendRegime>,
    /// Volatility class.
    pub volatility: AxisState<VolRegime>,
    /// Activity of the market.
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
    book: &'a RuleBook,
    ts: Ts,
    cells: &'a [Cell],
    inputs: &'a [InputAge],
    streams: &'a [StreamDecl],
    /// No input is too old.
    fresh: bool,
    /// Bits of [`RuleBook::counted`].
    holds: u64,
    known: u64,
}

impl Minute<'_> {
    fn judge<L: Ruled>(&mut self, memory: &mut AxisMemory<L>, last: &mut Judged<L>) -> AxisState<L> {
        last.take(self.book, self.cells, self.streams);
        self.holds |= last.counted.holds;
        self.known |= last.counted.known;
        let staleness = last.staleness(self.book, self.ts, (self.cells, self.inputs, self.fresh), self.streams);
        let read = Dated::new(self.book, self.cells, self.streams);
        memory.take(self.book, self.ts, &read, &last.now, staleness)
    }
}

impl Axes {
    /// Before the first reading.
    #[must_use]
    pub fn new(book: &RuleBook) -> Self {
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
        book: &RuleBook,
        ts: Ts,
        cells: &[Cell],
        inputs: &[InputAge],
        streams: &[StreamDecl],
    ) -> AxisStates {
        let fresh = self.last.inputs_are_fresh(book.freshness, ts, inputs, streams);
        self.last.fresh = fresh;
        let at = ts.0.div_euclid(Span::mins(1).0);
        if let Some(calm) = self.last.calm(ts, &AsRead::new(book, cells)) {
            self.held.push(at, calm.holds, calm.known);
            return calm.states;
        }
        let mut minute = Minute { book, ts, cells, inputs, streams, fresh, holds: 0, known: 0 };
        let last = &mut self.last;
        let states = AxisStates {
            risk: minute.judge(&mut self.risk, &mut last.risk),
            trend: minute.judge(&mut self.trend, &mut last.trend),
            volatility: minute.judge(&mut self.volatility, &mut last.volatility),
            heat: minute.judge(&mut self.heat, &mut last.heat),
        };
        let (holds, known) = (minute.holds, minute.known);
        let until = last.calm_until(&states).filter(|until| fresh && ts <= *until);
        last.calm = until.map(|until| Calm { states, holds, known, until });
        self.held.push(at, holds, known);
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
    /// How often each rule and each resting label held in the last 90 days, in the order of [`RuleBook::counted`].
    #[must_use]
    pub fn held(&self) -> &[HeldCount] {
        self.held.counts()
    }
}
