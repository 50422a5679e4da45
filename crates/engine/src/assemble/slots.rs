//! The readings of one market with the moments they expire, each in an array of its own: a row takes the readings as they lie,
//! and the next moment at which one is stale is found without looking at them.

use crate::catalogue::Feature;
use crate::features::reading::Slot;
use barograph_domain::{Cell, State, Ts};

/// Readings in the order of the catalogue.
pub(crate) type Cells = [Cell; Feature::COUNT];

/// Every reading as it was taken, whatever its age.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    cells: Cells,
    /// [`Ts::MAX`] where nothing is ready, which cannot grow stale.
    expires: [Ts; Feature::COUNT],
}

impl Slots {
    /// Nothing seen.
    pub(crate) const MISSING: Self =
        Self { cells: [Slot::MISSING.cell; Feature::COUNT], expires: [Ts::MAX; Feature::COUNT] };

    #[inline]
    pub(crate) fn of(&self, feature: Feature) -> Slot {
        Slot { cell: self.cells[feature.index()], expires: self.expires[feature.index()] }
    }

    #[inline]
    pub(crate) fn set(&mut self, feature: Feature, slot: &Slot) {
        self.cells[feature.index()] = slot.cell;
        self.expires[feature.index()] = slot.expires;
    }

    /// The readings whatever their age.
    pub(crate) fn cells(&self) -> &Cells {
        &self.cells
    }

    /// First moment after which a reading is stale; `None` where one may be at `t`.
    pub(crate) fn fresh_until(&self, t: Ts) -> Option<Ts> {
        let mut next = Ts::MAX;
        // In threes, so that the usual answer costs one question for each three.
        let (threes, rest) = self.expires.as_chunks::<3>();
        for [a, b, c] in threes {
            let least = *a.min(b).min(c);
            if least < t {
                return None;
            }
            next = next.min(least);
        }
        rest.iter().all(|e| *e >= t).then(|| rest.iter().fold(next, |next, e| next.min(*e)))
    }

    /// The readings as they stand at `t`, into `out`, and the first moment after which another one is stale.
    pub(crate) fn at(&self, t: Ts, out: &mut Cells) -> Ts {
        *out = self.cells;
        let mut next = Ts::MAX;
        for (expires, cell) in self.expires.iter().zip(out) {
            if *expires >= t {
                next = next.min(*expires);
            } else if cell.state == State::Ready {
                cell.state = State::Stale;
            }
        }
        next
    }
}
