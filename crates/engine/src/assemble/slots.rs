//! The readings of one market with the moments they expire, each in an array of its own: a row takes the readings as they lie,
//! and the next moment at which one is stale is found without looking at them.

use crate::catalogue::Feature;
use crate::features::reading::Slot;
use barograph_domain::{Cell, State, Ts};

/// Readings in the order of the catalogue.
pub(crate) type CatalogueCells = [Cell; Feature::COUNT];

/// Every reading as it was taken, whatever its age.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    cells: CatalogueCells,
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

    /// Sets what is another reading under another name.
    #[inline]
    pub(crate) fn copy(&mut self, feature: Feature, from: Feature) {
        self.cells[feature.index()] = self.cells[from.index()];
        self.expires[feature.index()] = self.expires[from.index()];
    }

    /// Sets a function of one reading that has a value wherever the reading has one, where it lies.
    #[inline]
    pub(crate) fn derive(&mut self, feature: Feature, from: Feature, value: impl FnOnce(f64) -> f64) {
        self.copy(feature, from);
        let cell = &mut self.cells[feature.index()];
        if cell.state == State::Ready {
            cell.value = value(cell.value);
        } else {
            (cell.value, cell.coverage, cell.partial) = (0.0, 0.0, false);
            self.expires[feature.index()] = Ts::MAX;
        }
    }

    /// The readings whatever their age.
    pub(crate) fn cells(&self) -> &CatalogueCells {
        &self.cells
    }

    /// Is none of the readings stale at `t`?
    pub(crate) fn are_fresh(&self, t: Ts) -> bool {
        // In parts of fixed length, which are compared without a loop.
        let (parts, rest) = self.expires.as_chunks::<16>();
        parts.iter().all(|part| part.iter().all(|e| *e >= t)) && rest.iter().all(|e| *e >= t)
    }

    /// First moment after which a reading is stale, where none is yet.
    pub(crate) fn next_expiry(&self) -> Ts {
        self.expires.iter().fold(Ts::MAX, |next, e| next.min(*e))
    }

    /// The readings as they stand at `t`, into `out`, and the first moment after which another one is stale.
    pub(crate) fn at(&self, t: Ts, out: &mut CatalogueCells) -> Ts {
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
