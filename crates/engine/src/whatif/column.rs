//! One feature over many rows: numbers apart from what stands beside them, which seldom changes.

use super::runs::Runs;
use barograph_domain::{Cell, Kind, State, StreamIndex, Ts};
use serde::{Deserialize, Serialize};

/// What a reading is beside its number.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReadingStanding {
    /// Whether there is a number. How much is missing while it warms is left out: no rule asks.
    pub state: State,
    /// How the number came to be.
    pub kind: Kind,
    /// The stream it rests on.
    pub stream: Option<StreamIndex>,
}

impl ReadingStanding {
    /// Of a reading.
    #[must_use]
    pub const fn of(cell: &Cell) -> Self {
        let state = match cell.state {
            State::Warming { .. } => State::Warming { have: 0, need: 0 },
            other => other,
        };
        Self { state, kind: cell.kind, stream: cell.stream }
    }
}

/// A moment that either stays as it is or moves with the row.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum Anchored {
    /// This moment.
    At(Ts),
    /// So many nanoseconds before the row's minute.
    Behind(i64),
}

impl Anchored {
    /// The moment, seen from a row.
    #[must_use]
    pub const fn seen_from(self, ts: Ts) -> Ts {
        match self {
            Self::At(at) => at,
            Self::Behind(by) => Ts(ts.0.saturating_sub(by)),
        }
    }
    /// As it goes on from the row before, whose moment is given with it, or how it is written anew: a moment that has moved as far
    /// as the rows did is taken to go on so, any other to stay.
    pub(super) fn of(anchor: Ts, ts: Ts, before: Option<(Self, Ts)>) -> Self {
        match before {
            Some((before, _)) if before.seen_from(ts) == anchor => before,
            Some((before, row)) if anchor - before.seen_from(row) == ts - row => {
                Self::Behind(ts.0.saturating_sub(anchor.0))
            }
            _ => Self::At(anchor),
        }
    }
}

/// A feature row by row.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ReadingColumn {
    /// One number a row, zero where there is none; empty where the numbers were not read.
    pub values: Vec<f64>,
    /// What stands beside them.
    pub standing: Runs<ReadingStanding>,
    /// When the newest sample was.
    pub anchors: Runs<Anchored>,
}

impl ReadingColumn {
    /// Takes the reading of one more row; `last` is the minute of the row before.
    pub(super) fn push(&mut self, ts: Ts, cell: &Cell, last: Option<Ts>) {
        let standing = ReadingStanding::of(cell);
        let has_value = matches!(standing.state, State::Ready | State::Stale);
        self.values.push(if has_value { cell.value } else { 0.0 });
        self.standing.push(standing, 1);
        let before = self.anchors.rows().checked_sub(1).and_then(|row| self.anchors.at(row));
        self.anchors.push(Anchored::of(cell.anchor, ts, before.zip(last)), 1);
    }
    /// The number of a row, where it is ready.
    #[must_use]
    pub fn ready(&self, row: u32) -> Option<f64> {
        let standing = self.standing.at(row)?;
        let value = self.values.get(usize::try_from(row).ok()?)?;
        matches!(standing.state, State::Ready).then_some(*value)
    }
    /// When the newest sample of a row was, where its reading is ready.
    #[must_use]
    pub fn anchor(&self, row: u32, ts: Ts) -> Option<Ts> {
        matches!(self.standing.at(row)?.state, State::Ready).then_some(())?;
        Some(self.anchors.at(row)?.seen_from(ts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;

    /// Runs stay few whatever the clock of a reading: one an hour, one in five minutes, one in all.
    #[test]
    fn moments_that_stay_and_moments_that_move_are_few_runs() {
        for (step, runs) in [(60, 10), (5, 120), (1, 2)] {
            let mut column = ReadingColumn::default();
            let mut last = None;
            for n in 0..600 {
                let ts = Ts(0) + Span::mins(n);
                let anchor = ts.floor(Span::mins(step));
                column.push(ts, &Cell::ready_at(0.0, anchor, Kind::Measured), last);
                assert_eq!(column.anchor(u32::try_from(n).unwrap(), ts), Some(anchor));
                last = Some(ts);
            }
            assert_eq!(column.anchors.iter().count(), runs, "every {step} min");
        }
    }
}
