//! What an axis said last, kept for as long as none of its readings says something else to a clause.
//!
//! A clause only asks on which side of a threshold a reading lies. So a judgement stands while every reading stays within the
//! stretch around it in which all clauses on it say the same, and in most minutes a few numbers are compared and nothing is
//! evaluated. The same goes for the closes of charts, whose ages do not change between them. None of this is saved: after a restore
//! the first minute evaluates everything again.

use super::book::{Op, RuleBook, Test};
use super::eval::{AsRead, Evaluation, Reading, evaluate_with};
use super::fresh::{Close, Staleness};
use super::set::{RuleSet, Ruled};
use crate::catalogue::Feature;
use barograph_domain::{Cell, InputAge, State, StreamDecl, StreamIndex, Ts};

/// The last judgement of one axis of one market under one book, with what it rests on.
#[derive(Clone, Debug)]
pub(super) struct Judged<L> {
    /// It was judged before.
    stands: bool,
    pub(super) now: Evaluation<L>,
    pub(super) counted: Counted,
    read: Vec<Stretch>,
    closes: Vec<AsClosed>,
    /// The last moment at which no close is too late.
    closes_until: Ts,
}

/// What holds and what is known, as bits of [`RuleBook::counted`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    pub(super) holds: u64,
    pub(super) known: u64,
}

impl<L: Ruled> Default for Judged<L> {
    fn default() -> Self {
        Self {
            stands: false,
            now: Evaluation::nothing(),
            counted: Counted::default(),
            read: Vec::new(),
            closes: Vec::new(),
            closes_until: Ts::MIN,
        }
    }
}

impl<L: Ruled> Judged<L> {
    /// Brings `now` to what [`super::evaluate`] says of these readings.
    pub(super) fn take(&mut self, book: &RuleBook, cells: &[Cell], streams: &[StreamDecl]) {
        let readings = AsRead::new(book, cells);
        if !self.still_stands(&readings) {
            self.stands = false;
            self.anew(book, &readings, streams);
        }
    }

    /// Does it say of these readings what it said last?
    #[inline]
    pub(super) fn still_stands(&self, readings: &AsRead<'_>) -> bool {
        self.stands
            && self.read.iter().all(|s| s.holds(readings))
            && self.closes.iter().all(|c| c.holds(readings.cells))
    }

    /// Until when no close is too late, where this label is the one it gives: nothing is waited for then.
    pub(super) fn settled_until(&self, label: L) -> Option<Ts> {
        (self.now.raw == label).then_some(self.closes_until)
    }

    fn anew(&mut self, book: &RuleBook, readings: &AsRead<'_>, streams: &[StreamDecl]) {
        let set = L::of(book);
        if self.read.len() != set.watched.len() {
            self.read = set.watched.iter().map(|w| Stretch::nowhere(w.feature)).collect();
        }
        for (stretch, watched) in self.read.iter_mut().zip(&set.watched) {
            if !stretch.holds(readings) {
                *stretch = Stretch::of(watched, readings);
            }
        }
        self.note_closes(set, book, readings.cells, streams);
        let now = evaluate_with(set, readings);
        let (first, resting) = book.counted_at(L::AXIS);
        self.counted = Counted {
            holds: u64::from(now.holds) << first | u64::from(now.raw == L::RESTING) << resting,
            known: u64::from(now.known) << first | u64::from(now.raw != L::UNKNOWN) << resting,
        };
        (self.now, self.stands) = (now, true);
    }

    /// What [`Staleness::of_axis`] says of the readings that were taken last. `inputs_fresh`: no input is too old.
    pub(super) fn staleness(
        &self,
        book: &RuleBook,
        ts: Ts,
        (cells, inputs, inputs_fresh): (&[Cell], &[InputAge], bool),
        streams: &[StreamDecl],
    ) -> Staleness {
        if inputs_fresh && ts <= self.closes_until {
            return Staleness::default();
        }
        Staleness::of_axis::<L>(book, ts, cells, inputs, streams)
    }

    fn note_closes(&mut self, set: &RuleSet<L>, book: &RuleBook, cells: &[Cell], streams: &[StreamDecl]) {
        self.closes.clear();
        self.closes.extend(set.closes.iter().map(|f| AsClosed::of(*f, cells)));
        let closes = set.closes.iter().filter_map(|f| Close::of(book, *f, cells, streams));
        self.closes_until = closes.map(|c| c.due + c.max_age).min().unwrap_or(Ts::MAX);
    }
}

/// A feature that clauses of an axis read, with all that they compare it with.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Watched {
    feature: Feature,
    /// Threshold and operator, of the absolute value where it says so.
    thresholds: Vec<(Op, f64, bool)>,
    /// A clause compares it with words: it distinguishes one number from all others, zeros of either sign too.
    words: bool,
}

impl Watched {
    /// Every feature the clauses read.
    pub(super) fn of<L: Ruled>(set: &RuleSet<L>) -> Vec<Self> {
        let mut out: Vec<Self> = Vec::new();
        set.each_clause(&mut |clause| {
            let at = out.iter().position(|w| w.feature == clause.feature).unwrap_or_else(|| {
                out.push(Self { feature: clause.feature, thresholds: Vec::new(), words: false });
                out.len() - 1
            });
            match clause.test {
                Test::Number { op, value, .. } => out[at].thresholds.push((op, value, clause.abs)),
                Test::Codes { .. } => out[at].words = true,
            }
        });
        out
    }
}

/// A feature as it was read, and how far it may move before a clause says something else.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    feature: Feature,
    /// `None`: it was not read.
    reading: Option<Reading>,
    /// Of a number whose size alone is asked for; else none lies between these.
    from: f64,
    upto: f64,
}

impl Stretch {
    const fn nowhere(feature: Feature) -> Self {
        Self { feature, reading: None, from: f64::INFINITY, upto: f64::NEG_INFINITY }
    }

    fn of(watched: &Watched, readings: &AsRead<'_>) -> Self {
        let reading = readings.read(watched.feature);
        let mut out = Self { reading: Some(reading), ..Self::nowhere(watched.feature) };
        if let Reading::Value(x) = reading
            && !watched.words
        {
            (out.from, out.upto) = (f64::NEG_INFINITY, f64::INFINITY);
            for (op, threshold, abs) in &watched.thresholds {
                let (from, upto) =
                    if *abs { mirrored(x, around(*op, x.abs(), *threshold)) } else { around(*op, x, *threshold) };
                (out.from, out.upto) = (out.from.max(from), out.upto.min(upto));
            }
        }
        out
    }

    /// Do all clauses say of what is read now what they said of what was noted? Of a number that is none nobody knows.
    #[inline]
    fn holds(&self, readings: &AsRead<'_>) -> bool {
        self.is_within(readings) || self.is_same(readings)
    }

    /// Most are, most of the time.
    #[inline]
    fn is_within(&self, readings: &AsRead<'_>) -> bool {
        readings.cells.get(self.feature.index()).is_some_and(|c| {
            matches!(c.state, State::Ready)
                && readings.may_enter(c.kind)
                && self.from <= c.value
                && c.value <= self.upto
        })
    }

    fn is_same(&self, readings: &AsRead<'_>) -> bool {
        match (readings.read(self.feature), self.reading) {
            (Reading::Value(x), Some(Reading::Value(was))) => {
                x.to_bits() == was.to_bits() || (self.from <= x && x <= self.upto)
            }
            (now, was) => Some(now) == was,
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
    #[inline]
    fn holds(&self, cells: &[Cell]) -> bool {
        *self == Self::of(self.feature, cells)
    }

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
    use barograph_domain::{
        HeatRegime, InstrumentName, Kind, Metric, Reason, RiskRegime, Span, Stamp, TrendRegime, VolRegime,
    };
    use proptest::prelude::*;

    /// Sizes between two limits are a stretch on the number's own side; those down to none reach over both.
    #[test]
    fn a_stretch_of_sizes_holds_its_number_and_no_other_side() {
        let cases = [
            (0.05, (0.01, 0.2), (0.01, 0.2)),
            (-0.05, (0.01, 0.2), (-0.2, -0.01)),
            (0.05, (0.0, 0.2), (-0.2, 0.2)),
            (0.05, (-1.0, 0.2), (-0.2, 0.2)),
        ];
        for (x, sizes, want) in cases {
            assert_eq!(mirrored(x, sizes), want, "{x} {sizes:?}");
        }
    }

    /// Numbers at, beside and far from what books compare with, of both signs.
    fn number() -> impl Strategy<Value = f64> {
        let at = prop::sample::select(vec![
            0.0, 0.01, 0.02, 0.022, 0.05, 0.09, 0.1, 0.25, 0.3, 0.33, 0.45, 0.5, 0.72, 0.8, 0.9, 0.95, 1.0, 1.6, 1.8,
            2.0, 3.0,
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
        (number(), state, kind, 0_i64..20, 0_u16..3).prop_map(|(value, state, kind, anchor, stream)| Cell {
            state,
            stream: (stream < 2).then_some(StreamIndex(stream)),
            ..Cell::ready_at(value, Ts::from_secs(anchor * 600), kind)
        })
    }

    fn streams() -> Vec<StreamDecl> {
        let decl = |cadence, filled| StreamDecl {
            instrument: InstrumentName::parse("binance:BTCUSDT").unwrap(),
            metric: Metric::Bar,
            kind: Kind::Measured,
            cadence,
            source: "binance".to_owned(),
            delay: Span::secs(60),
            stamp: Stamp::Open,
            filled,
        };
        vec![decl(Span::mins(1), true), decl(Span::hours(1), false)]
    }

    /// Minute by minute the same as without memory: the judgement, and whether a close is too late.
    fn same<L: Ruled>(book: &RuleBook, rows: &[(i64, Vec<Cell>)]) -> Result<(), TestCaseError> {
        let (mut judged, streams) = (Judged::<L>::default(), streams());
        for (ts, cells) in rows {
            let ts = Ts::from_secs(*ts);
            judged.take(book, cells, &streams);
            let now: Evaluation<L> = evaluate(book, cells);
            prop_assert!(judged.now.eq(&now), "{:?} for {:?}", judged.now, now);
            let anew = Staleness::of_axis::<L>(book, ts, cells, &[], &streams);
            let kept = judged.staleness(book, ts, (cells, &[], true), &streams);
            prop_assert!(kept.eq(&anew), "{:?} for {:?}", kept, anew);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_kept_is_what_an_evaluation_says(
            book in prop::sample::select(RuleBook::SHIPPED.to_vec()),
            first in prop::collection::vec(cell(), Feature::COUNT),
            moves in prop::collection::vec((0..Feature::COUNT, cell(), 0_i64..40_000), 0..200),
        ) {
            let Some(book) = RuleBook::shipped(book) else { return Ok(()) };
            let mut rows = vec![(0, first)];
            for (at, cell, ts) in moves {
                let mut next = rows[rows.len() - 1].1.clone();
                next[at] = cell;
                rows.push((ts, next));
            }
            same::<RiskRegime>(&book, &rows)?;
            same::<TrendRegime>(&book, &rows)?;
            same::<VolRegime>(&book, &rows)?;
            same::<HeatRegime>(&book, &rows)?;
        }
    }
}
