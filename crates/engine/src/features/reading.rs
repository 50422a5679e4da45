//! From a window to a reading: is there enough, how much of it, until when does it hold (features §1, coverage).

use crate::kernel::moments::Score;
use crate::sessions::SessionSet;
use barograph_domain::{Cell, Kind, Reason, Span, State, StreamIndex, Ts};
use serde::{Deserialize, Serialize};

/// What the rule book says about readiness (regimes §12.1).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReadinessSettings {
    /// Share of the window the data must span while it is not yet full.
    pub span_min: f64,
    /// Share of samples that must be present.
    pub coverage_min: f64,
    /// May a proxy stand in for a measured value (features §2.7)?
    pub allow_proxy: bool,
    /// When the sessions are.
    pub sessions: SessionSet,
}

impl Default for ReadinessSettings {
    fn default() -> Self {
        Self { span_min: 0.25, coverage_min: 0.80, allow_proxy: true, sessions: SessionSet::UTC }
    }
}

/// A reading and the last moment at which it is not stale.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Slot {
    /// The reading.
    pub cell: Cell,
    /// After this moment a ready reading is stale.
    pub expires: Ts,
}

impl Slot {
    /// No value, for this reason, whatever the time.
    #[must_use]
    pub const fn undefined(reason: Reason) -> Self {
        Self { cell: Cell::undefined(reason), expires: Ts::MAX }
    }
    /// Never seen.
    pub const MISSING: Self = Self::undefined(Reason::MissingInput);

    /// The reading as it stands at `t`.
    #[must_use]
    pub fn at(&self, t: Ts) -> Cell {
        let mut cell = self.cell;
        if cell.state == State::Ready && t > self.expires {
            cell.state = State::Stale;
        }
        cell
    }
    /// The value, if ready at `t`.
    #[must_use]
    pub fn ready(&self, t: Ts) -> Option<f64> {
        if t > self.expires { None } else { self.cell.ready() }
    }
    /// The same reading of a coarser clock after its input moved on: it holds as long as the input, but no longer than
    /// `span` past its own instant.
    #[must_use]
    pub fn renewed(mut self, input_expires: Ts, span: Span) -> Self {
        if self.expires != Ts::MAX {
            self.expires = input_expires.min(self.cell.anchor + span);
        }
        self
    }
    /// The same reading under another kind.
    #[must_use]
    pub const fn of_kind(mut self, kind: Kind) -> Self {
        self.cell.kind = kind;
        self
    }
    /// The same provenance with another number: for functions of one reading.
    #[must_use]
    pub const fn with_value(mut self, value: f64) -> Self {
        self.cell.value = value;
        self
    }
}

/// A window as counted.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Samples present.
    pub n: u32,
    /// Samples a full window has.
    pub expected: i64,
    /// Samples below which there is no reading.
    pub min_n: u32,
    /// Grid index of the first sample ever, of the kind counted.
    pub first: Option<i64>,
    /// Grid index of the newest instant.
    pub anchor: i64,
    /// A declared gap reaches into the window.
    pub gap: bool,
}

/// How full a window is that has enough.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fullness {
    /// Present / expected.
    pub coverage: f32,
    /// The first sample is later than the window's start.
    pub partial: bool,
}

impl Window {
    /// Enough samples, and enough of the window or of the span seen.
    ///
    /// # Errors
    /// The state that the reading has instead: `gap` when one reaches into the window, else warming.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "window sizes are a few thousand")]
    #[inline]
    pub fn fullness(&self, settings: &ReadinessSettings) -> Result<Fullness, State> {
        let expected = self.expected as f64;
        let n = f64::from(self.n);
        let spans_enough = || {
            let span = self.first.map_or(0, |f| (self.anchor - f + 1).min(self.expected).max(0)) as f64;
            span >= settings.span_min * expected && n >= settings.coverage_min * span
        };
        if self.n >= self.min_n.max(1) && (n >= settings.coverage_min * expected || spans_enough()) {
            let partial = self.first.is_none_or(|f| f > self.anchor - self.expected + 1);
            return Ok(Fullness { coverage: (n / expected).min(1.0) as f32, partial });
        }
        Err(self.lacks(settings, expected))
    }

    /// What a window is that has not enough.
    #[cold]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "window sizes are a few thousand")]
    fn lacks(&self, settings: &ReadinessSettings, expected: f64) -> State {
        if self.gap {
            return State::Undefined(Reason::Gap);
        }
        let need = self.min_n.max((settings.coverage_min * settings.span_min * expected).ceil() as u32).max(1);
        State::Warming { have: self.n.min(need), need }
    }
}

/// Where a reading comes from and how long it holds.
#[derive(Clone, Copy, Debug)]
pub struct ReadingOrigin {
    /// Grid instant of the value: windows end here.
    pub anchor: Ts,
    /// The oldest event among the newest it needs: its age counts from here.
    pub event: Ts,
    /// Age limit of the input.
    pub expires: Ts,
    /// Kind of the input.
    pub kind: Kind,
    /// The stream.
    pub stream: StreamIndex,
}

impl ReadingOrigin {
    /// A reading that is ready.
    #[must_use]
    pub fn ready(&self, value: f64, full: Fullness) -> Slot {
        Slot {
            cell: Cell {
                value,
                anchor: self.event,
                coverage: full.coverage,
                state: State::Ready,
                kind: self.kind,
                partial: full.partial,
                stream: Some(self.stream),
            },
            expires: self.expires,
        }
    }
    /// A reading of an instant: no window to be full.
    #[must_use]
    pub fn instant(&self, value: f64) -> Slot {
        self.ready(value, Fullness { coverage: 1.0, partial: false })
    }
    /// A reading that is not ready.
    #[must_use]
    pub fn not_ready(&self, state: State) -> Slot {
        Slot {
            cell: Cell {
                value: 0.0,
                anchor: self.event,
                coverage: 0.0,
                state,
                kind: self.kind,
                partial: false,
                stream: Some(self.stream),
            },
            expires: Ts::MAX,
        }
    }
    /// A reading without a value for this reason.
    #[must_use]
    pub fn undefined(&self, reason: Reason) -> Slot {
        self.not_ready(State::Undefined(reason))
    }
    /// A window's value, when the window has enough.
    #[must_use]
    pub fn windowed(&self, full: Result<Fullness, State>, value: impl FnOnce() -> Result<f64, Reason>) -> Slot {
        match full {
            Ok(full) => match value() {
                Ok(v) => self.ready(v, full),
                Err(reason) => self.undefined(reason),
            },
            Err(state) => self.not_ready(state),
        }
    }
    /// The same origin at another instant, where what is read happened at that instant: the close of a bar, the end of a day.
    #[must_use]
    pub fn at(&self, anchor: Ts) -> Self {
        Self { anchor, event: anchor, ..*self }
    }
    /// The same origin at an earlier instant of a coarser clock, whose sample happened at `event`: a value renewed every
    /// `clock` holds that much longer than its input may be old.
    #[must_use]
    pub fn clocked(&self, anchor: Ts, event: Ts, clock: Span, max_age: Span) -> Self {
        Self { anchor, event, expires: self.expires.min(event + clock + max_age), ..*self }
    }
}

/// A standard score as a value.
///
/// # Errors
/// `zero_variance` when all values of the window are equal.
pub fn score_value(score: Score) -> Result<f64, Reason> {
    match score {
        Score::Of(z) => Ok(z),
        Score::ZeroVariance => Err(Reason::ZeroVariance),
    }
}

/// Stands where nothing was seen.
pub(crate) static MISSING: Slot = Slot::MISSING;

/// The first candidate that is ready at `t`; else the first that was ever seen; else missing input.
#[must_use]
pub fn choose<'a>(t: Ts, candidates: impl Iterator<Item = &'a Slot>) -> Slot {
    *chosen(t, candidates)
}

/// As [`choose`], where it lies.
pub(crate) fn chosen<'a>(t: Ts, candidates: impl Iterator<Item = &'a Slot>) -> &'a Slot {
    let mut seen = None;
    for slot in candidates {
        if slot.ready(t).is_some() {
            return slot;
        }
        if seen.is_none() && slot.cell.state != State::Undefined(Reason::MissingInput) {
            seen = Some(slot);
        }
    }
    seen.unwrap_or(&MISSING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(n: u32, expected: i64, min_n: u32, first: i64, anchor: i64) -> Window {
        Window { n, expected, min_n, first: Some(first), anchor, gap: false }
    }

    #[test]
    fn a_quarter_of_the_window_is_enough_when_it_is_well_covered() {
        let s = ReadinessSettings::default();
        let full = window(1440, 1440, 6, 0, 5000).fullness(&s).unwrap();
        assert_eq!((full.coverage, full.partial), (1.0, false));
        let quarter = window(360, 1440, 6, 0, 359).fullness(&s).unwrap();
        assert!(quarter.partial && (quarter.coverage - 0.25).abs() < 1e-6);
        assert_eq!(window(359, 1440, 6, 0, 358).fullness(&s), Err(State::Warming { have: 288, need: 288 }));
        assert!(window(280, 1440, 6, 0, 359).fullness(&s).is_err(), "78 % of the span");
        let strict = ReadinessSettings { span_min: 0.0, coverage_min: 0.0, ..s };
        assert!(window(6, 1440, 6, 0, 5).fullness(&strict).is_ok());
        assert_eq!(window(5, 1440, 6, 0, 4).fullness(&strict), Err(State::Warming { have: 5, need: 6 }));
    }

    /// Rows show and store it: a window that gave nothing covers nothing.
    #[test]
    fn a_reading_that_is_not_ready_has_neither_value_nor_coverage() {
        let t = Ts::from_civil(2026, 2, 5, 0, 0, 0);
        let (kind, stream) = (Kind::Proxy, Some(StreamIndex(3)));
        let origin = ReadingOrigin { anchor: t, event: t, expires: t, kind, stream: StreamIndex(3) };
        let full = Fullness { coverage: 0.9, partial: true };
        let (warming, gap) = (State::Warming { have: 3, need: 6 }, State::Undefined(Reason::Gap));
        for (slot, state) in [
            (origin.windowed(Err(warming), || Ok(7.0)), warming),
            (origin.windowed(Err(gap), || Ok(7.0)), gap),
            (origin.windowed(Ok(full), || Err(Reason::ZeroVariance)), State::Undefined(Reason::ZeroVariance)),
        ] {
            let cell = Cell { value: 0.0, anchor: t, coverage: 0.0, state, kind, partial: false, stream };
            assert_eq!(slot, Slot { cell, expires: Ts::MAX }, "{state:?}");
        }
        let whole = Cell { stream, ..Cell::ready_at(7.0, t, kind) };
        assert_eq!(origin.instant(7.0), Slot { cell: whole, expires: t }, "an instant has no window to be full");
        let part = Cell { coverage: 0.9, partial: true, ..whole };
        assert_eq!(origin.windowed(Ok(full), || Ok(7.0)), Slot { cell: part, expires: t });
    }

    #[test]
    fn a_gap_is_the_reason_when_there_is_one() {
        let w = Window { gap: true, ..window(10, 60, 48, 0, 500) };
        assert_eq!(w.fullness(&ReadinessSettings::default()), Err(State::Undefined(Reason::Gap)));
    }
}
