//! What an axis said last, kept for as long as none of its readings says something else to a clause.
//!
//! A clause only asks on which side of a threshold a reading lies. So a judgement stands while every reading stays within the
//! stretch around it in which all clauses on it say the same, and in most minutes a few numbers are compared and nothing is
//! evaluated. The same goes for the closes of charts, whose ages do not change between them. None of this is saved: after a restore
//! the first minute evaluates everything again.

use super::book::{Book, Clause, Op, Test};
use super::eval::{AsRead, Evaluation, Reading, evaluate_with};
use super::fresh::{Close, Staleness};
use super::set::{RuleSet, Ruled};
use crate::catalogue::Feature;
use barograph_domain::{Cell, InputAge, State, StreamDecl, StreamIndex, Ts};

/// The last judgement of one axis of one market under one book, with what it rests on.
#[derive(Clone, Debug)]
pub(super) struct Judged<L> {
    /// `None`: nothing was judged yet.
    now: Option<Evaluation<L>>,
    read: Vec<Stretch>,
    closes: Vec<AsClosed>,
    /// The last moment at which no close is too late.
    closes_until: Ts,
}

/// It is made from the readings again: two states of an axis never differ by it.
impl<L> PartialEq for Judged<L> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<L> Default for Judged<L> {
    fn default() -> Self {
        Self { now: None, read: Vec::new(), closes: Vec::new(), closes_until: Ts::MIN }
    }
}

impl<L: Ruled> Judged<L> {
    /// What [`super::evaluate`] says of these readings.
    pub(super) fn evaluate(&mut self, book: &Book, cells: &[Cell], streams: &[StreamDecl]) -> Evaluation<L> {
        let readings = AsRead::new(book, cells);
        if let Some(now) = self.now
            && self.read.iter().all(|s| s.holds(readings.read(s.feature)))
            && self.closes.iter().all(|c| AsClosed::of(c.feature, cells) == *c)
        {
            return now;
        }
        let set = L::of(book);
        self.note_readings(set, &readings);
        self.note_closes(set, book, cells, streams);
        let now = evaluate_with(set, &readings);
        self.now = Some(now);
        now
    }

    /// What [`Staleness::of_axis`] says of the readings that were evaluated last. `inputs_fresh`: no input is too old.
    pub(super) fn staleness(
        &self,
        book: &Book,
        ts: Ts,
        (cells, inputs, inputs_fresh): (&[Cell], &[InputAge], bool),
        streams: &[StreamDecl],
    ) -> Staleness {
        if inputs_fresh && ts <= self.closes_until {
            return Staleness::default();
        }
        Staleness::of_axis::<L>(book, ts, cells, inputs, streams)
    }

    fn note_readings(&mut self, set: &RuleSet<L>, readings: &AsRead<'_>) {
        self.read.clear();
        self.read.reserve(set.features().len());
        set.each_clause(&mut |clause| {
            let known = self.read.iter().position(|s| s.feature == clause.feature);
            let at = known.unwrap_or(self.read.len());
            if known.is_none() {
                self.read.push(Stretch::whole(clause.feature, readings.read(clause.feature)));
            }
            self.read[at].narrow(clause);
        });
    }

    fn note_closes(&mut self, set: &RuleSet<L>, book: &Book, cells: &[Cell], streams: &[StreamDecl]) {
        self.closes.clear();
        self.closes.extend(set.closes.iter().map(|f| AsClosed::of(*f, cells)));
        let closes = set.closes.iter().filter_map(|f| Close::of(book, *f, cells, streams));
        self.closes_until = closes.map(|c| c.due + c.max_age).min().unwrap_or(Ts::MAX);
    }
}

/// A feature as it was read, and how far it may move before a clause says something else.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    feature: Feature,
    reading: Reading,
    from: f64,
    upto: f64,
    /// A clause tells one number from all others, zeros of either sign too.
    exact: bool,
}

impl Stretch {
    /// Of a feature that no clause reads.
    const fn whole(feature: Feature, reading: Reading) -> Self {
        Self { feature, reading, from: f64::NEG_INFINITY, upto: f64::INFINITY, exact: false }
    }

    fn narrow(&mut self, clause: &Clause) {
        let Reading::Value(x) = self.reading else { return };
        let (from, upto) = match clause.test {
            Test::Codes { .. } => {
                self.exact = true;
                return;
            }
            Test::Number { op, value, .. } if clause.abs => mirrored(x, around(op, x.abs(), value)),
            Test::Number { op, value, .. } => around(op, x, value),
        };
        self.from = self.from.max(from);
        self.upto = self.upto.min(upto);
    }

    /// Do all clauses say of this reading what they said of the noted one? A number that is none never holds.
    #[inline]
    fn holds(&self, reading: Reading) -> bool {
        match (reading, self.reading) {
            (Reading::Value(x), Reading::Value(was)) => {
                self.from <= x && x <= self.upto && (!self.exact || x.to_bits() == was.to_bits())
            }
            (now, was) => now == was,
        }
    }
}

/// The numbers around `x` that lie on its side of a threshold, both ends included.
fn around(op: Op, x: f64, threshold: f64) -> (f64, f64) {
    let (below, above) = (threshold.next_down(), threshold.next_up());
    match (op, op.holds(x, threshold)) {
        (Op::Gt, true) => (above, f64::INFINITY),
        (Op::Gt, false) => (f64::NEG_INFINITY, threshold),
        (Op::Ge, true) => (threshold, f64::INFINITY),
        (Op::Ge, false) => (f64::NEG_INFINITY, below),
        (Op::Lt, true) => (f64::NEG_INFINITY, below),
        (Op::Lt, false) => (threshold, f64::INFINITY),
        (Op::Le, true) => (f64::NEG_INFINITY, threshold),
        (Op::Le, false) => (above, f64::INFINITY),
        (Op::Eq, true) => (threshold, threshold),
        (Op::Eq, false) if x > threshold => (above, f64::INFINITY),
        (Op::Eq, false) => (f64::NEG_INFINITY, below),
    }
}

/// The numbers around `x` whose sizes lie in a stretch that its own lies in.
fn mirrored(x: f64, (from, upto): (f64, f64)) -> (f64, f64) {
    if from <= 0.0 {
        (-upto, upto)
    } else if x < 0.0 {
        (-upto, -from)
    } else {
        (from, upto)
    }
}

/// What the age of a chart's reading is counted from.
#[derive(Clone, Copy, PartialEq, Debug)]
struct AsClosed {
    feature: Feature,
    state: State,
    anchor: Ts,
    stream: Option<StreamIndex>,
}

impl AsClosed {
    fn of(feature: Feature, cells: &[Cell]) -> Self {
        let cell = cells.get(feature.index());
        Self {
            feature,
            state: cell.map_or(State::Stale, |c| c.state),
            anchor: cell.map_or(Ts::MIN, |c| c.anchor),
            stream: cell.and_then(|c| c.stream),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::eval::evaluate;
    use super::*;
    use barograph_domain::{HeatRegime, Kind, Reason, RiskRegime, TrendRegime, VolRegime};
    use proptest::prelude::*;

    /// Numbers at, beside and far from what books compare with, of both signs.
    fn number() -> impl Strategy<Value = f64> {
        let at = prop::sample::select(vec![
            0.0, 0.01, 0.02, 0.022, 0.05, 0.09, 0.1, 0.25, 0.3, 0.33, 0.45, 0.5, 0.72, 0.8, 0.9, 0.95, 1.0, 1.6, 1.8, 2.0, 3.0,
        ]);
        let beside = (at, 0_u8..3).prop_map(|(x, side): (f64, u8)| match side {
            0 => x.next_down(),
            1 => x,
            _ => x.next_up(),
        });
        (prop_oneof![4 => beside, 2 => -4.0..4.0_f64, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)], any::<bool>())
            .prop_map(|(x, negative)| if negative { -x } else { x })
    }

    fn cell() -> impl Strategy<Value = Cell> {
        let state = prop_oneof![
            8 => Just(State::Ready),
            1 => Just(State::Stale),
            1 => Just(State::Warming { have: 1, need: 2 }),
            1 => prop::sample::select(Reason::ALL.to_vec()).prop_map(State::Undefined),
        ];
        let kind = prop_oneof![4 => Just(Kind::Measured), 1 => Just(Kind::Proxy)];
        (number(), state, kind).prop_map(|(value, state, kind)| Cell {
            state,
            ..Cell::ready_at(value, Ts::from_secs(0), kind)
        })
    }

    fn same<L: Ruled>(book: &Book, rows: &[Vec<Cell>]) -> Result<(), TestCaseError> {
        let mut judged = Judged::<L>::default();
        for cells in rows {
            prop_assert_eq!(judged.evaluate(book, cells, &[]), evaluate(book, cells), "{}", L::AXIS.name());
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_kept_is_what_an_evaluation_says(
            book in prop::sample::select(Book::SHIPPED.to_vec()),
            first in prop::collection::vec(cell(), Feature::COUNT),
            moves in prop::collection::vec((0..Feature::COUNT, cell()), 0..200),
        ) {
            let Some(book) = Book::shipped(book) else { return Ok(()) };
            let mut rows = vec![first];
            for (at, cell) in moves {
                let mut next = rows[rows.len() - 1].clone();
                next[at] = cell;
                rows.push(next);
            }
            same::<RiskRegime>(&book, &rows)?;
            same::<TrendRegime>(&book, &rows)?;
            same::<VolRegime>(&book, &rows)?;
            same::<HeatRegime>(&book, &rows)?;
        }
    }
}
