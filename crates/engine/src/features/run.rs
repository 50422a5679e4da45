//! Closed bars that follow each other without a hole, by column: what a whole history is pushed as.
//!
//! A run says nothing that its bars do not say one by one. Whoever takes runs ends in the same state, to the bit, as by taking
//! the bars; only the loops are turned round, part by part instead of bar by bar.

use super::bars::{BarSample, BuiltBar};
use barograph_domain::{Span, Ts};

/// Columns of equal length, oldest first; every bar has a base volume, and its quote volume is that times its close.
#[derive(Clone, Copy, Debug)]
pub struct BarSeries<'a> {
    /// Close of the first bar.
    pub first: Ts,
    /// Length of a bar, above zero.
    pub step: Span,
    /// Bars close at whole multiples of the step after this.
    pub phase: Span,
    /// First prices.
    pub open: &'a [f64],
    /// Highest prices.
    pub high: &'a [f64],
    /// Lowest prices.
    pub low: &'a [f64],
    /// Last prices.
    pub close: &'a [f64],
    /// Base volumes.
    pub volume: &'a [f64],
}

impl<'a> BarSeries<'a> {
    /// The same with all columns as long as the shortest, so that none is read beyond its end.
    #[must_use]
    pub fn even(self) -> Self {
        let n =
            [self.open, self.high, self.low, self.close, self.volume].map(<[f64]>::len).into_iter().min().unwrap_or(0);
        self.cut(n)
    }

    /// The first `n` bars.
    #[inline]
    pub(crate) fn cut(&self, n: usize) -> Self {
        let cut = |c: &'a [f64]| &c[..n];
        Self {
            open: cut(self.open),
            high: cut(self.high),
            low: cut(self.low),
            close: cut(self.close),
            volume: cut(self.volume),
            ..*self
        }
    }

    /// The bars from `from` on, up to `upto`.
    #[inline]
    pub(crate) fn part(&self, from: usize, upto: usize) -> Self {
        let part = |c: &'a [f64]| &c[from..upto];
        Self {
            first: self.close_ts(from),
            open: part(self.open),
            high: part(self.high),
            low: part(self.low),
            close: part(self.close),
            volume: part(self.volume),
            ..*self
        }
    }

    /// Bars held.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.close.len()
    }

    /// Without a bar?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.close.is_empty()
    }

    /// Index of the first bar: its close after the phase, in steps.
    #[must_use]
    pub fn index(&self) -> i64 {
        (self.first - self.phase).0.div_euclid(self.step.0)
    }

    /// Close of bar `i`.
    #[must_use]
    #[inline]
    #[expect(clippy::cast_possible_wrap, reason = "rows of a frame")]
    pub fn close_ts(&self, i: usize) -> Ts {
        Ts(self.first.0 + i as i64 * self.step.0)
    }

    /// Bars from bar `at` on that close up to `t`, that one included; none where it closes later.
    #[must_use]
    #[inline]
    pub fn upto(&self, at: usize, t: Ts) -> usize {
        let left = t.0 - self.close_ts(at).0;
        let count =
            if left < 0 { 0 } else { usize::try_from(left / self.step.0).unwrap_or(usize::MAX).saturating_add(1) };
        count.min(self.len() - at)
    }

    /// Bar `i` as a part of a longer one.
    #[must_use]
    #[inline]
    pub fn sample(&self, i: usize) -> BarSample {
        BarSample {
            open: self.open[i],
            high: self.high[i],
            low: self.low[i],
            close: self.close[i],
            volume: Some(self.volume[i]),
            quote_volume: None,
        }
    }

    /// Bar `i`, with the index of the first given.
    #[must_use]
    #[inline]
    #[expect(clippy::cast_possible_wrap, reason = "rows of a frame")]
    pub fn bar(&self, first: i64, i: usize) -> BuiltBar {
        BuiltBar::of(first + i as i64, &self.sample(i))
    }
}
