//! The latest bars in a row: a ring as long as the longest definition needs. A missing bar empties it, because patterns of
//! neighbouring bars are not read across a hole.

use crate::features::bars::BuiltBar;
use serde::{Deserialize, Serialize};

/// Ring of bars, addressed backwards from the newest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Window {
    bars: Vec<BuiltBar>,
    mask: usize,
    /// Bars in a row, counting up to the length of the ring.
    run: usize,
    /// Place of the newest.
    head: usize,
}

const EMPTY: BuiltBar =
    BuiltBar { index: 0, open: 0.0, high: 0.0, low: 0.0, close: 0.0, volume: None, quote_volume: None };

impl Window {
    /// Holds at least `length` bars.
    pub(super) fn new(length: usize) -> Self {
        let size = length.max(4).next_power_of_two();
        Self { bars: vec![EMPTY; size], mask: size - 1, run: 0, head: 0 }
    }

    #[inline]
    pub(super) fn push(&mut self, bar: &BuiltBar) {
        if self.run > 0 && self.bars[self.head].index + 1 != bar.index {
            self.run = 0;
        }
        self.head = (self.head + 1) & self.mask;
        self.bars[self.head] = *bar;
        self.run = (self.run + 1).min(self.bars.len());
    }

    /// Bars that lie behind the ones pushed next: they take their places, which nobody looks at.
    pub(super) fn skip(&mut self, bars: usize) {
        self.head = self.head.wrapping_add(bars) & self.mask;
        self.run = 0;
    }

    /// Bars there is room for.
    pub(super) fn room(&self) -> usize {
        self.bars.len()
    }

    /// Bars in a row.
    #[inline]
    pub(super) fn run(&self) -> usize {
        self.run
    }

    /// The bar `back` bars before the newest; meaningful below [`Self::run`].
    #[inline]
    pub(super) fn back(&self, back: usize) -> &BuiltBar {
        &self.bars[self.head.wrapping_sub(back) & self.mask]
    }
}
