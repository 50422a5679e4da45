//! What other feeds of a market said, as it was known: the columns `dv_*` and `sx_session_vol_ratio` (features §7).
//!
//! They are readings of the engine, minute by minute as they were published. A row sees the newest that was known at its second, and
//! nothing of one that was older by then than its source allows. A minute that was corrected counts from when the correction was known, and
//! only where no later minute was known by then.

use crate::catalogue::catalogue;
use crate::stream::at;
use barograph_domain::cell::Reason;
use barograph_domain::{Span, Ts};
use barograph_engine::Feature;
use std::collections::VecDeque;

/// Columns that are readings of derivatives.
pub const DERIVATIVES: usize = 12;

/// The readings that the columns 174 to 185 are, in their order.
///
/// # Panics
/// When the catalogue names a reading that the engine does not have; a test sees to it.
#[must_use]
pub fn derivatives() -> [Feature; DERIVATIVES] {
    core::array::from_fn(|n| {
        let id = catalogue()[at::DERIVATIVES + n].id;
        let found = id.strip_prefix("dv_").and_then(Feature::from_id);
        found.unwrap_or_else(|| panic!("{id} is no reading of the engine"))
    })
}

/// One reading.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FeedReading {
    /// What it was, or why there was none.
    pub value: Result<f64, Reason>,
    /// When the oldest of the newest facts behind it happened.
    pub anchor: Ts,
    /// How old these may be (features §9).
    pub age_max: Span,
}

impl FeedReading {
    fn at(&self, t: Ts) -> Result<f64, Reason> {
        if self.value.is_ok() && t - self.anchor > self.age_max { Err(Reason::Stale) } else { self.value }
    }
}

/// Readings that became known at one moment: of a market's derivatives, of its session, or both.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FeedMinute {
    /// The minute that they are of: a correction of an earlier one does not take the place of a later one.
    pub minute: Ts,
    /// From when on they may be used.
    pub known: Ts,
    /// Columns 174 to 185. Those of a spot market are of its perpetual (R3.17).
    pub derivatives: Option<[FeedReading; DERIVATIVES]>,
    /// Column 190.
    pub session_vol_ratio: Option<FeedReading>,
}

/// Readings in the order in which they became known. Moments are asked for in order.
#[derive(Clone, Debug, Default)]
pub struct FeedMinutes {
    to_come: VecDeque<FeedMinute>,
    /// Each with its minute.
    derivatives: Option<(Ts, [FeedReading; DERIVATIVES])>,
    session_vol_ratio: Option<(Ts, FeedReading)>,
}

impl FeedMinutes {
    /// More readings; none became known before those there are.
    pub fn extend(&mut self, more: impl IntoIterator<Item = FeedMinute>) {
        self.to_come.extend(more);
    }

    /// Columns 174 to 185, and column 190, as they were known at a moment.
    pub fn at(&mut self, t: Ts) -> ([Result<f64, Reason>; DERIVATIVES], Result<f64, Reason>) {
        while self.to_come.front().is_some_and(|next| next.known <= t) {
            let Some(next) = self.to_come.pop_front() else { break };
            newer(&mut self.derivatives, next.minute, next.derivatives);
            newer(&mut self.session_vol_ratio, next.minute, next.session_vol_ratio);
        }
        let none = Err(Reason::MissingInput);
        let derivatives = self.derivatives.as_ref().map_or([none; DERIVATIVES], |(_, all)| all.map(|one| one.at(t)));
        (derivatives, self.session_vol_ratio.map_or(none, |(_, one)| one.at(t)))
    }
}

/// Takes what became known, unless it is of an earlier minute than what there is.
fn newer<T>(held: &mut Option<(Ts, T)>, minute: Ts, next: Option<T>) {
    if let Some(next) = next
        && held.as_ref().is_none_or(|(of, _)| *of <= minute)
    {
        *held = Some((minute, next));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_derivatives_is_a_reading() {
        assert_eq!(derivatives()[0], Feature::FundingRate8h);
        assert_eq!(derivatives()[11], Feature::RealizedVol1h);
        assert_eq!(catalogue()[at::SESSION + 4].id, "sx_session_vol_ratio");
        assert!(Feature::from_id("session_vol_ratio").is_some());
    }

    #[test]
    fn a_reading_counts_from_when_it_was_known_until_it_is_too_old() {
        let minute = Ts::from_civil(2026, 2, 5, 12, 0, 0);
        let reading = |value, anchor| FeedReading { value, anchor, age_max: Span::secs(300) };
        let of = |n: i64, value| FeedMinute {
            minute: minute + Span::mins(n),
            known: minute + Span::mins(n) + Span::millis(200),
            derivatives: Some([reading(value, minute + Span::mins(n)); DERIVATIVES]),
            session_vol_ratio: (n == 0).then(|| reading(Ok(1.5), minute)),
        };
        let mut minutes = FeedMinutes::default();
        minutes.extend([of(0, Ok(1.0)), of(1, Err(Reason::Gap)), of(2, Ok(2.0))]);
        let mut at = |secs: i64| {
            let (derivatives, session) = minutes.at(minute + Span::secs(secs));
            (derivatives[7], session)
        };
        assert_eq!(at(0), (Err(Reason::MissingInput), Err(Reason::MissingInput)), "known 200 ms later");
        assert_eq!(at(1), (Ok(1.0), Ok(1.5)));
        assert_eq!(at(60), (Ok(1.0), Ok(1.5)));
        assert_eq!(at(61), (Err(Reason::Gap), Ok(1.5)));
        assert_eq!(at(300), (Ok(2.0), Ok(1.5)));
        assert_eq!(at(301), (Ok(2.0), Err(Reason::Stale)));
        assert_eq!((at(420).0, at(421).0), (Ok(2.0), Err(Reason::Stale)));
    }

    #[test]
    fn a_correction_counts_from_when_it_was_known_and_never_in_place_of_a_later_minute() {
        let begin = Ts::from_civil(2026, 2, 5, 12, 0, 0);
        let of = |n: i64, known: i64, value: f64, both: bool| {
            let anchor = begin + Span::mins(n);
            let reading = FeedReading { value: Ok(value), anchor, age_max: Span::secs(300) };
            FeedMinute {
                minute: anchor,
                known: begin + Span::secs(known),
                derivatives: Some([reading; DERIVATIVES]),
                session_vol_ratio: both.then_some(reading),
            }
        };
        let mut minutes = FeedMinutes::default();
        // Minute 1 is corrected at second 90, before minute 2 is there, and once more at 150, behind it; of the session only minute 1 is known.
        minutes.extend([
            of(0, 1, 0.0, false),
            of(1, 61, 1.0, true),
            of(1, 90, 1.5, true),
            of(2, 121, 2.0, false),
            of(1, 150, 1.75, true),
            of(3, 181, 3.0, false),
        ]);
        let mut at = |secs: i64| {
            let (derivatives, session) = minutes.at(begin + Span::secs(secs));
            (derivatives[0].ok(), session.ok())
        };
        for (secs, derivative, session) in [
            (60, 0.0, None),
            (89, 1.0, Some(1.0)),
            (90, 1.5, Some(1.5)),
            (121, 2.0, Some(1.5)),
            (150, 2.0, Some(1.75)),
            (180, 2.0, Some(1.75)),
            (181, 3.0, Some(1.75)),
        ] {
            assert_eq!(at(secs), (Some(derivative), session), "second {secs}");
        }
    }
}
