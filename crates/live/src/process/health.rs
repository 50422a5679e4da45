//! A line that says that all is well, or what is not: when everything has come for the first time, and each hour.

use super::Process;
use crate::view::state_word;
use barograph_domain::text::number_of;
use barograph_domain::{Span, StatusState, Ts};
use barograph_venues::session::Continuity;
use std::collections::BTreeMap;
use std::io::Write as _;

/// Said by then even if something has not come.
const FIRST_WITHIN: Span = Span::mins(1);
/// And again, on whole hours.
const EVERY: Span = Span::hours(1);

/// When the next line is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Health {
    begun: Ts,
    next: Option<Ts>,
}

impl Health {
    pub(super) const fn new(begun: Ts) -> Self {
        Self { begun, next: None }
    }

    /// Is it due? `well`: every offered stream is live.
    fn is_due(&mut self, at: Ts, well: impl FnOnce() -> bool) -> bool {
        let due = match self.next {
            Some(next) => at >= next,
            None => at - self.begun >= FIRST_WITHIN || well(),
        };
        if due {
            self.next = Some((at + Span(1)).ceil(EVERY));
        }
        due
    }
}

/// How the streams of a venue do, in words: `27 of 27 streams live`, and what the others wait for.
fn spoken(streams: &[Continuity]) -> String {
    let offered: Vec<&Continuity> = streams.iter().filter(|s| s.state != StatusState::NotOffered).collect();
    let live = offered.iter().filter(|s| s.state == StatusState::Live).count();
    let mut others: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for s in offered.iter().filter(|s| s.state != StatusState::Live) {
        *others.entry((state_word(s.state), s.reason.spoken())).or_default() += 1;
    }
    let mut text = format!("{live} of {} live", number_of(offered.len(), "stream"));
    for ((state, why), count) in others {
        text.push_str(&format!("; {count} {state}: {why}"));
    }
    text
}

fn is_well(streams: &[Continuity]) -> bool {
    streams.iter().all(|s| matches!(s.state, StatusState::Live | StatusState::NotOffered))
}

impl Process {
    /// Says how the venues do, when that is due.
    pub(super) fn report_health(&mut self, at: Ts) {
        let venues = &self.core.venues;
        let well = || venues.iter().all(|v| is_well(v.session.continuity().all()));
        if !self.health.is_due(at, well) {
            return;
        }
        for venue in venues {
            let streams = venue.session.continuity().all();
            let markets = venue.instruments.len();
            let noun = if markets == 1 { "market" } else { "markets" };
            let line = format!("{} {markets} {noun}, {}", venue.id, spoken(streams));
            drop(writeln!(std::io::stderr(), "barograph: [MKT] {line}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_when_all_is_well_then_hourly_and_after_a_minute_at_the_latest() {
        let at = |s: i64| Ts::from_secs(7_200 + 900 + s);
        let mut health = Health::new(at(0));
        let said: Vec<i64> = (0..8_000).filter(|s| health.is_due(at(*s), || *s >= 7)).collect();
        assert_eq!(said, [7, 2_700, 6_300]);
        let mut health = Health::new(at(0));
        let said: Vec<i64> = (0..100).filter(|s| health.is_due(at(*s), || false)).collect();
        assert_eq!(said, [60]);
    }

    #[test]
    fn what_is_not_live_is_counted_with_its_reason() {
        use barograph_domain::{GapReason, Kind, Metric};
        use barograph_venues::session::{MarketIndex, Out, StreamSpec, Tracker};
        let mut tracker = Tracker::default();
        let mut out = Out::default();
        for (n, offered) in [(0, true), (1, true), (2, true), (3, false)] {
            let spec = StreamSpec {
                market: MarketIndex(n),
                metric: Metric::MarkPrice,
                offered,
                kind: Kind::Measured,
                cadence: Span::secs(1),
                delay: Span::ZERO,
                filled: true,
            };
            tracker.declare(Ts(0), &spec, None, &mut out);
        }
        tracker.progress(MarketIndex(0), Metric::MarkPrice, Ts(1), Ts(1), &mut out);
        let starting = GapReason::Starting.spoken();
        assert_eq!(spoken(tracker.all()), format!("1 of 3 streams live; 2 RESYNC: {starting}"));
        assert!(!is_well(tracker.all()));
    }
}
