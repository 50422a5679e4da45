//! The memory of the risk axis: from raw label to published label (regimes §6, §9).
//!
//! The exit band is literal: a published label stays while its relaxed clauses hold and no rule of higher precedence is
//! true at full thresholds. Readings of a new raw label are counted from the first one on, also while the band holds.

use super::book::Book;
use super::eval::{AsRead, Evaluation, evaluate, held_by_exit_band};
use super::fresh::Staleness;
use super::held::HeldRing;
use barograph_domain::row::HeldCount;
use barograph_domain::{AxisState, Cell, HeldBy, InputAge, RiskRegime, Span, StreamDecl, Ts};
use serde::{Deserialize, Serialize};

/// State of the risk axis of one market under one book. Save and restore with serde; it continues bit for bit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RiskAxis {
    state: AxisState,
    started: bool,
    held: HeldRing,
}

impl RiskAxis {
    /// Before the first reading.
    #[must_use]
    pub fn new(book: &Book) -> Self {
        Self { state: AxisState::default(), started: false, held: HeldRing::new(book.rules().len()) }
    }
    /// Judges one minute. Call it once for every minute of the grid, in order.
    pub fn step(
        &mut self,
        book: &Book,
        ts: Ts,
        cells: &[Cell],
        inputs: &[InputAge],
        streams: &[StreamDecl],
    ) -> AxisState {
        let staleness = Staleness::of(book.freshness, ts, inputs, streams);
        let now = evaluate(book, cells);
        self.held.push(ts.0.div_euclid(Span::mins(1).0), now.holds, now.known);
        if !self.started {
            self.started = true;
            self.state.since = ts;
        }
        self.state = advance(book, self.state, ts, &now, staleness, || {
            held_by_exit_band(book, &AsRead::new(book, cells), self.state.label, now.holds)
        });
        self.state
    }
    /// The state after the last step.
    #[must_use]
    pub const fn state(&self) -> AxisState {
        self.state
    }
    /// How often each rule held in the last 90 days, in the book's order.
    #[must_use]
    pub fn held(&self) -> &[HeldCount] {
        self.held.counts()
    }
}

/// One transition. `band_holds` is asked only where it matters.
pub(crate) fn advance(
    book: &Book,
    before: AxisState,
    ts: Ts,
    now: &Evaluation,
    staleness: Staleness,
    band_holds: impl FnOnce() -> bool,
) -> AxisState {
    let mut s = AxisState { raw_label: now.raw, held_by: HeldBy::None, stale: staleness.any, ..before };
    let enter = |s: AxisState, label| AxisState { label, since: ts, candidate: None, candidate_count: 0, ..s };
    let reset = |s: AxisState| AxisState { candidate: None, candidate_count: 0, ..s };
    if now.raw == before.label {
        return reset(s);
    }
    if now.raw == RiskRegime::Unknown {
        // A reading can be too old while every input is fresh (a clock coarser than its input): that is no last reading to show.
        let shows_last = now.unknown_by_stale && staleness.any && !staleness.past_gap_alert;
        return if shows_last { reset(s) } else { enter(s, RiskRegime::Unknown) };
    }
    if before.label == RiskRegime::Unknown || !book.hysteresis {
        return enter(s, now.raw);
    }
    s.candidate_count = if before.candidate == Some(now.raw) { before.candidate_count.saturating_add(1) } else { 1 };
    s.candidate = Some(now.raw);
    if band_holds() {
        s.held_by = HeldBy::Hysteresis;
        return s;
    }
    let stays = now.raw.severity() < before.label.severity() && ts - before.since < book.min_dwell(before.label);
    if stays || s.candidate_count < book.enter(now.fired) {
        s.held_by = HeldBy::Dwell;
        return s;
    }
    enter(s, now.raw)
}
