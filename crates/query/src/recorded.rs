//! Markets that are recordings: nothing listens to them, and they have an end. They are not late, and nobody waits for them.

use crate::render::Lens;
use barograph_domain::{HeadlineKind, HeadlinePart, MinuteRow, Snapshot, Span, Ts};

/// A stopped process is started again within a day; what is older is a recording.
const ENDED_AFTER: Span = Span::days(1);

/// Where a recording ends: the newest minute, where nothing listens to the market and it is older than a day.
#[must_use]
pub fn recorded_until(newest: Ts, now: Ts, is_listened: impl FnOnce() -> bool) -> Option<Ts> {
    (now - newest > ENDED_AFTER && !is_listened()).then_some(newest)
}

/// "5 Mar 2026"
#[must_use]
pub fn day(t: Ts) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day, ..) = t.civil();
    let month = usize::try_from(month).ok().and_then(|m| MONTHS.get(m.checked_sub(1)?)).copied().unwrap_or("?");
    format!("{day} {month} {year}")
}

impl Lens {
    /// The newest minute of a market at the present moment; of a recording with where it ends, and its last headline instead of what
    /// is too old. Labels and ages are those of the present: a program must not take the last label for one of now.
    #[must_use]
    pub fn at_present_or_end(
        &self,
        row: &MinuteRow,
        previous: Option<&MinuteRow>,
        now: Ts,
        is_listened: impl FnOnce() -> bool,
    ) -> Snapshot {
        let present = self.at_present(row, previous, now);
        let Some(until) = recorded_until(row.ts, now, is_listened) else { return present };
        let last = self.snapshot(row, previous);
        let ends = HeadlinePart {
            nth: 1,
            sentence: 1,
            kind: HeadlineKind::Data,
            axis: None,
            word: None,
            metric: None,
            value: None,
            unit: None,
            horizon: None,
            severity: 0,
            text: format!("recorded until {}", day(until)),
        };
        let headline = format!("Recorded until {}. Last reading: {}", day(until), uncapitalised(&last.headline));
        let rest = last.headline_parts.into_iter().map(|part| HeadlinePart {
            nth: part.nth.saturating_add(1),
            sentence: part.sentence.saturating_add(1),
            ..part
        });
        let headline_parts = core::iter::once(ends).chain(rest).collect();
        Snapshot { recorded_until: Some(until), headline, headline_parts, ..present }
    }
}

fn uncapitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_ends_where_nothing_listens_for_more_than_a_day() {
        let end = Ts::from_civil(2026, 3, 5, 10, 1, 0);
        for (later, is_listened, want) in [
            (Span::hours(2), false, None),
            (Span::days(1), false, None),
            (Span::hours(25), false, Some(end)),
            (Span::days(260), false, Some(end)),
            (Span::days(260), true, None),
        ] {
            assert_eq!(recorded_until(end, end + later, || is_listened), want, "{later} {is_listened}");
        }
        assert_eq!(day(end), "5 Mar 2026");
        assert_eq!(day(Ts::from_civil(2025, 12, 31, 23, 59, 0)), "31 Dec 2025");
    }
}
