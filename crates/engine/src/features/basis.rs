//! Two prices compared at the same instants: premium (mark over index) and basis (futures over spot or index), features
//! §2.3.

use super::reading::{ReadinessSettings, ReadingOrigin, Slot, Window, score_value};
use super::slots::slots;
use crate::kernel::{Fold, Moments, Sum};
use barograph_domain::{Reason, Span, Ts};
use serde::{Deserialize, Serialize};

/// Samples below which a mean or score says nothing.
const MIN_N: u32 = 6;
/// `(t − W)` of the score of the basis.
const WEEK: Span = Span::days(7);
/// Window of the mean of the premium.
const EIGHT_HOURS: Span = Span::hours(8);
/// Grid of the score (features §2.3: 300 s).
const SCORE_STEP: Span = Span::secs(300);

/// Ratio of two series on their common grid, less one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BasisPair {
    step: Span,
    seen: Option<i64>,
    first: Option<i64>,
    newest: Option<(i64, f64)>,
    means: Fold<Sum>,
    score_step: Span,
    scores: Fold<Moments>,
    /// What the week up to an instant of the score's grid says; it moves every five minutes. Derived, so not saved.
    #[serde(skip)]
    week: Option<Week>,
}

/// The week up to an instant of the score's grid.
#[derive(Clone, Copy, Debug)]
struct Week {
    anchor: i64,
    n: u32,
    /// Grid index of the first ratio ever, which stays what it is.
    first: Option<i64>,
    /// Of the ratio of the instant, where there is one.
    score: Option<Result<f64, Reason>>,
}

/// What is asked of a pair beside its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PairReadings {
    /// The mean of 8 h: of a premium.
    Mean,
    /// The score within 7 d: of a basis.
    Score,
}

slots! {
    /// Readings of a pair.
    pub struct PairSlots {
        /// `a / b − 1`.
        pub value: Slot,
        /// Mean of 8 h.
        pub ma_8h: Slot,
        /// Standard score within 7 d.
        pub zscore_7d: Slot,
    }
}

impl PairSlots {
    /// No two prices to compare.
    pub const NOT_OFFERED: Self = {
        const NONE: Slot = Slot::undefined(Reason::NotOffered);
        Self { value: NONE, ma_8h: NONE, zscore_7d: NONE }
    };

    /// All readings without a value, for this reason.
    #[must_use]
    pub fn undefined(origin: &ReadingOrigin, reason: Reason) -> Self {
        let slot = origin.undefined(reason);
        Self { value: slot, ma_8h: slot, zscore_7d: slot }
    }
}

impl BasisPair {
    /// For two series of these steps.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 2,016 samples a week at 300 s"
    )]
    pub fn new(step_a: Span, step_b: Span) -> Self {
        let step = step_a.max(step_b);
        let score_step = step.max(SCORE_STEP);
        Self {
            step,
            seen: None,
            first: None,
            newest: None,
            means: Fold::new((EIGHT_HOURS.0 / step.0).max(1) as usize),
            score_step,
            scores: Fold::new((WEEK.0 / score_step.0).max(1) as usize),
            week: None,
        }
    }

    /// Learns about all common instants up to the older of the two anchors. `a` and `b` look samples up by instant. What is not
    /// wanted of this pair is not kept.
    pub fn settle(
        &mut self,
        wanted: PairReadings,
        anchors: (Ts, Ts),
        a: impl Fn(Ts) -> Option<f64>,
        b: impl Fn(Ts) -> Option<f64>,
    ) {
        let upto = anchors.0.min(anchors.1).0.div_euclid(self.step.0);
        // A day back is as far as the samples themselves reach.
        let from = self.seen.map_or(upto, |s| (s + 1).max(upto - Span::hours(24).0 / self.step.0));
        for index in from..=upto {
            let at = Ts(index * self.step.0);
            let ratio = match (a(at), b(at)) {
                (Some(x), Some(y)) if y > 0.0 => Some(x / y - 1.0),
                _ => None,
            };
            match wanted {
                PairReadings::Mean => self.means.set(index, ratio),
                PairReadings::Score if at.0 % self.score_step.0 == 0 => {
                    self.scores.set(at.0 / self.score_step.0, ratio);
                    self.week = None;
                }
                PairReadings::Score => {}
            }
            if let Some(r) = ratio {
                self.first.get_or_insert(index);
                self.newest = Some((index, r));
            }
        }
        self.seen = Some(self.seen.map_or(upto, |s| s.max(upto)));
        if let Some((newest, _)) = self.newest.filter(|_| wanted == PairReadings::Score) {
            let anchor = self.score_anchor(Ts(newest * self.step.0));
            if self.week.is_none_or(|week| week.anchor != anchor) {
                self.week = Some(self.week_upto(anchor));
            }
        }
    }

    /// Newest instant with a value.
    #[must_use]
    pub fn anchor_ts(&self) -> Option<Ts> {
        self.newest.map(|(i, _)| Ts(i * self.step.0))
    }

    fn score_anchor(&self, at: Ts) -> i64 {
        at.0.div_euclid(self.score_step.0)
    }

    fn week_upto(&self, anchor: i64) -> Week {
        let week = self.scores.window(anchor - WEEK.0 / self.score_step.0, anchor);
        let leaf = self.scores.leaf(anchor);
        let first = self.first.map(|f| Ts(f * self.step.0).ceil(self.score_step).0 / self.score_step.0);
        let score = (leaf.n > 0).then(|| score_value(week.score(leaf.mean)));
        Week { anchor, n: week.n, first, score }
    }

    /// The value and what is wanted beside it; `gap` is whether a declared gap of either input reaches into an interval,
    /// `event_at` when the older of the two samples of an instant happened.
    #[must_use]
    pub fn slots(
        &self,
        origin: &ReadingOrigin,
        max_age: Span,
        settings: &ReadinessSettings,
        wanted: PairReadings,
        gap: impl Fn(Ts, Ts) -> bool,
        event_at: impl Fn(Ts) -> Ts,
    ) -> PairSlots {
        let Some((anchor, value)) = self.newest else { return PairSlots::MISSING };
        let at = Ts(anchor * self.step.0);
        let value = origin.instant(value);
        match wanted {
            PairReadings::Mean => {
                PairSlots { value, ma_8h: self.mean(at, origin, settings, gap), zscore_7d: Slot::MISSING }
            }
            PairReadings::Score => PairSlots {
                value,
                ma_8h: Slot::MISSING,
                zscore_7d: self.score(at, origin, max_age, settings, gap, event_at),
            },
        }
    }

    fn mean(&self, at: Ts, origin: &ReadingOrigin, settings: &ReadinessSettings, gap: impl Fn(Ts, Ts) -> bool) -> Slot {
        let anchor = at.0 / self.step.0;
        let third = self.means.window(anchor - EIGHT_HOURS.0 / self.step.0, anchor);
        let counted = Window {
            n: third.n,
            expected: EIGHT_HOURS.0 / self.step.0,
            min_n: MIN_N,
            first: self.first,
            anchor,
            gap: gap(at - EIGHT_HOURS, at),
        };
        origin.windowed(counted.fullness(settings), || third.mean().ok_or(Reason::MissingInput))
    }

    fn score(
        &self,
        at: Ts,
        origin: &ReadingOrigin,
        max_age: Span,
        settings: &ReadinessSettings,
        gap: impl Fn(Ts, Ts) -> bool,
        event_at: impl Fn(Ts) -> Ts,
    ) -> Slot {
        let anchor = self.score_anchor(at);
        let week = self.week.filter(|week| week.anchor == anchor).unwrap_or_else(|| self.week_upto(anchor));
        let scored_at = Ts(anchor * self.score_step.0);
        let origin = origin.clocked(scored_at, event_at(scored_at), self.score_step, max_age);
        let Some(score) = week.score else { return origin.undefined(Reason::Gap) };
        let counted = Window {
            n: week.n,
            expected: WEEK.0 / self.score_step.0,
            min_n: MIN_N,
            first: week.first,
            anchor,
            gap: gap(scored_at - WEEK, scored_at),
        };
        origin.windowed(counted.fullness(settings), || score)
    }
}
