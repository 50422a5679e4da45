//! Mids of one market with both their clocks, and returns of them on a grid.

use barograph_domain::math::ln;
use barograph_domain::{Span, Ts};

/// A mid with its two moments.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MidPoint {
    /// When it was so, by the venue's clock.
    pub event_ts: Ts,
    /// When it was received, by ours.
    pub recv_ts: Ts,
    /// The mid; `None` where a gap begins.
    pub mid: Option<f64>,
}

/// By whose clock two markets are compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StudyClock {
    /// The venues': what happened first, as far as their clocks agree.
    Event,
    /// Ours: what could be known first.
    Receipt,
}

impl StudyClock {
    /// Both clocks.
    pub const ALL: [Self; 2] = [Self::Event, Self::Receipt];
}

/// Mids in the order of either clock.
#[derive(Clone, PartialEq, Debug)]
pub struct MidSeries {
    by_event: Vec<(Ts, Option<f64>)>,
    by_receipt: Vec<(Ts, Option<f64>)>,
}

impl MidSeries {
    /// From points in any order; of equal moments the last counts. A mid that is not positive is a gap.
    #[must_use]
    pub fn new(points: &[MidPoint]) -> Self {
        let by = |clock: fn(&MidPoint) -> Ts| {
            let mut out: Vec<_> =
                points.iter().map(|p| (clock(p), p.mid.filter(|m| m.is_finite() && *m > 0.0))).collect();
            out.sort_by_key(|(at, _)| *at);
            out
        };
        Self { by_event: by(|p| p.event_ts), by_receipt: by(|p| p.recv_ts) }
    }

    const fn by(&self, clock: StudyClock) -> &Vec<(Ts, Option<f64>)> {
        match clock {
            StudyClock::Event => &self.by_event,
            StudyClock::Receipt => &self.by_receipt,
        }
    }

    /// Logarithmic returns between the points of a grid: entry `k` is that from `from + k·step` to `from + (k+1)·step`, while the end is not
    /// beyond `to`. A point's mid is the last one at or before it, if it is not older than `age_max` and no gap has begun since; a
    /// return without either mid is absent.
    #[must_use]
    pub fn returns(&self, clock: StudyClock, (from, to): (Ts, Ts), step: Span, age_max: Span) -> Vec<Option<f64>> {
        let points = self.by(clock);
        let mut next = 0;
        let (mut out, mut before) = (Vec::new(), None);
        let mut at = from;
        while step > Span::ZERO && at <= to {
            while points.get(next).is_some_and(|(t, _)| *t <= at) {
                next += 1;
            }
            let newest = next.checked_sub(1).map(|n| points[n]);
            let mid = newest.filter(|(t, _)| at - *t <= age_max).and_then(|(_, mid)| mid);
            if at > from {
                out.push(mid.zip(before).map(|(now, then): (f64, f64)| ln(now / then)));
            }
            before = mid;
            at = at + step;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_are_those_of_the_last_mids_by_the_clock_asked_for() {
        let point = |event, recv, mid| MidPoint { event_ts: Ts::from_secs(event), recv_ts: Ts::from_secs(recv), mid };
        let points = [point(0, 1, Some(100.0)), point(2, 3, Some(200.0)), point(4, 5, None), point(7, 7, Some(50.0))];
        let series = MidSeries::new(&points);
        let ask =
            |clock, to| series.returns(clock, (Ts::from_secs(0), Ts::from_secs(to)), Span::secs(1), Span::secs(1));
        let up = Some(ln(2.0));
        assert_eq!(ask(StudyClock::Event, 4), [Some(0.0), up, Some(0.0), None]);
        assert_eq!(ask(StudyClock::Receipt, 4), [None, Some(0.0), up, Some(0.0)]);
        assert_eq!(ask(StudyClock::Event, 8)[4..], [None, None, None, Some(0.0)], "a gap, and nothing to compare with");
        assert!(ask(StudyClock::Event, -1).is_empty());
    }
}
