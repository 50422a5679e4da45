//! Hourly views of a finer series: samples at whole hours, percentiles of a reading at whole hours (clock "1 h").

use super::reading::{ReadinessSettings, Slot};
use crate::kernel::RankWindow;
use crate::kernel::rank::Omission;
use crate::series::Series;
use barograph_domain::{Reason, Span, State, Ts};
use serde::{Deserialize, Serialize};

/// One hour.
pub const HOUR: Span = Span::hours(1);

/// The hour index of an instant that lies on a whole hour.
#[must_use]
pub fn whole_hour(t: Ts) -> Option<i64> {
    (t.0.rem_euclid(HOUR.0) == 0).then(|| t.0.div_euclid(HOUR.0))
}

/// Newest whole hour of a series with a sample, not later than its anchor.
#[must_use]
pub fn newest_hour<V: Copy>(series: &Series<V>) -> Option<i64> {
    if HOUR.0 % series.step().0 != 0 {
        return None;
    }
    let newest = series.anchor_ts()?.floor(HOUR);
    // One missing hour is looked past; what is older than that is stale anyway.
    [newest, newest - HOUR].into_iter().find(|t| series.at_ts(*t).is_some()).map(|t| t.0 / HOUR.0)
}

/// Percentile of one reading within its own trailing hours.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HourlyRank {
    window: RankWindow,
    min_n: usize,
    /// How the window and the shorter one are filled; this is asked every minute and moves once an hour. Derived, so not saved.
    #[serde(skip)]
    filled: Option<[Fillings; 2]>,
}

/// What a window holds at the hour that was entered last, and at the one after it, which is under way.
#[derive(Clone, Copy, Debug)]
struct Fillings {
    /// The instant before the first of the two.
    after: Ts,
    at: [Filled; 2],
}

impl Fillings {
    fn of(last: i64, filled: impl Fn(i64) -> Filled) -> Self {
        Self { after: Ts((last - 1) * HOUR.0), at: [filled(last), filled(last + 1)] }
    }

    /// At the hour that an instant belongs to. A percentile is asked for a dozen times a minute, so the hour is found without
    /// the division of [`hour_of`].
    #[inline]
    fn at(&self, anchor: Ts) -> Option<&Filled> {
        let into = anchor - self.after;
        let [last, next] = &self.at;
        if into <= Span::ZERO || into > HOUR.times(2) {
            return None;
        }
        Some(if into <= HOUR { last } else { next })
    }
}

impl HourlyRank {
    /// A window of `hours`, ready from `min_n` values on.
    #[must_use]
    pub fn new(hours: usize, min_n: usize) -> Self {
        Self { window: RankWindow::new(hours), min_n, filled: None }
    }

    /// Also ranks among the newest `length` hours, by size where `sizes` says so (see [`Self::slot_within`]).
    #[must_use]
    pub fn also_within(self, length: usize, sizes: bool) -> Self {
        Self { window: self.window.also_within(length, sizes), ..self }
    }

    /// The reading at a whole hour, `None` where it was not ready.
    pub fn push(&mut self, hour: i64, value: Option<f64>) {
        self.window.push(hour, value);
        let last = self.window.newest().unwrap_or(hour);
        let of = |filled: &dyn Fn(i64) -> Filled| Fillings::of(last, filled);
        self.filled = Some([of(&|hour| self.filled(hour)), of(&|hour| self.filled_within(hour))]);
    }

    /// The window, for cuts.
    #[must_use]
    pub fn window(&self) -> &RankWindow {
        &self.window
    }

    /// Percentile of a reading among the hours before it: the reading takes the place of the hour under way, so value and
    /// percentile always speak of the same moment (regimes §10.1). `min_n` alone decides, with coverage of the span seen
    /// (features §1, coverage). A reading that is not ready hands its state on. `anchor`: the grid instant of the reading, which
    /// says which hour is under way; the event behind it may lie in the hour before.
    #[must_use]
    pub fn slot(&self, of: &Slot, anchor: Ts, settings: &ReadinessSettings) -> Slot {
        let Some(x) = of.cell.ready() else { return awaited(of, self.window.count(), self.min_n) };
        let known = self.filled.as_ref().and_then(|[whole, _]| whole.at(anchor));
        let filled = known.copied().unwrap_or_else(|| self.filled(hour_of(anchor)));
        filled.place(of, self.min_n, settings, || self.window.percentile_without(filled.out, filled.hour, x).0)
    }

    /// As [`Self::slot`] among the hours of the shorter window.
    #[must_use]
    pub fn slot_within(&self, of: &Slot, anchor: Ts, min_n: usize, settings: &ReadinessSettings) -> Slot {
        let Some(x) = of.cell.ready() else { return awaited(of, self.window.count(), min_n) };
        let known = self.filled.as_ref().and_then(|[_, within]| within.at(anchor));
        let filled = known.copied().unwrap_or_else(|| self.filled_within(hour_of(anchor)));
        filled.place(of, min_n, settings, || self.window.percentile_within_without(filled.out, filled.hour, x).0)
    }

    fn filled(&self, hour: i64) -> Filled {
        let have = self.window.count_at(hour);
        let coverage = self.window.coverage_of_span(hour, have);
        Filled { hour, have, coverage, partial: self.window.is_partial(hour), out: self.window.left_out_at(hour) }
    }

    #[expect(clippy::cast_precision_loss, reason = "window lengths are a few thousand")]
    fn filled_within(&self, hour: i64) -> Filled {
        let (have, length) = (self.window.count_within(hour), self.window.length_within());
        let span = self.window.first().map_or(1, |f| (hour - f + 1).clamp(1, length.max(1)));
        let partial = self.window.first().is_none_or(|f| hour - f + 1 < length);
        Filled { hour, have, coverage: have as f64 / span as f64, partial, out: self.window.left_out_within_at(hour) }
    }
}

/// The percentile of a reading that is not ready: in its state, but what a percentile waits for is hours.
#[expect(clippy::cast_possible_truncation, reason = "counts of a few thousand")]
fn awaited(of: &Slot, have: usize, min_n: usize) -> Slot {
    let mut slot = *of;
    if let State::Warming { .. } = slot.cell.state {
        slot.cell.state = State::Warming { have: have.min(min_n) as u32, need: min_n as u32 };
    }
    slot
}

/// What a window holds at an hour.
#[derive(Clone, Copy, Debug)]
struct Filled {
    hour: i64,
    have: usize,
    coverage: f64,
    partial: bool,
    out: Omission,
}

impl Filled {
    /// A percentile with its state: enough values, well covered. Where they are not, nobody asks for the percentile.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "counts of a few thousand; coverage is shown, not computed with"
    )]
    fn place(&self, of: &Slot, min_n: usize, settings: &ReadinessSettings, percentile: impl FnOnce() -> f64) -> Slot {
        let mut slot = *of;
        if self.have < min_n {
            slot.cell.state = State::Warming { have: self.have as u32, need: min_n as u32 };
        } else if self.coverage < settings.coverage_min {
            slot.cell.state = State::Undefined(Reason::Gap);
        } else {
            slot.cell.value = percentile();
            slot.cell.coverage = self.coverage.min(1.0) as f32;
            slot.cell.partial = self.partial;
            return slot;
        }
        slot.cell.value = 0.0;
        slot.cell.coverage = 0.0;
        slot.cell.partial = false;
        slot.expires = Ts::MAX;
        slot
    }
}

/// The hour under way at an instant; a whole hour belongs to the hour it ends.
#[must_use]
pub fn hour_of(anchor: Ts) -> i64 {
    -(-anchor.0).div_euclid(HOUR.0)
}
