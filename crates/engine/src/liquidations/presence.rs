//! Since when a stream of events has been listened to, and where it was not (features §1, gap).
//!
//! A stream without events is silent, not missing: zero is a value while it is live. So what counts is not samples but time:
//! how much of a window lies after the beginning and outside declared gaps.

use barograph_domain::{GapReason, Span, Status, StatusState, Ts};
use serde::{Deserialize, Serialize};

/// Gaps remembered; a month with more of them counts the oldest two as one, with what lay between.
const GAPS_MAX: usize = 64;
/// How far back anybody asks.
const MEMORY: Span = Span::days(31);

/// When a stream was there.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Presence {
    since: Option<Ts>,
    /// Ascending; an open gap ends at [`Status::OPEN`] and is the last.
    gaps: Vec<(Ts, Ts)>,
}

impl Presence {
    /// The stream spoke at `at`, or was said to be live.
    pub fn begin(&mut self, at: Ts) {
        self.since = Some(self.since.map_or(at, |s| s.min(at)));
    }

    /// Beginning, once there is one.
    #[must_use]
    pub fn since(&self) -> Option<Ts> {
        self.since
    }

    /// Is it lost now?
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.gaps.last().is_some_and(|g| g.1 == Status::OPEN)
    }

    /// Takes a change of continuity that became known at `recv_ts`. A gap of a live stream begins at its last event, which
    /// may be hours old where nobody is liquidated; it was there until one `heartbeat` before the loss was noticed.
    pub fn status(&mut self, status: &Status, recv_ts: Ts, heartbeat: Span) {
        match status.state {
            StatusState::NotOffered => {}
            StatusState::Live => match self.gaps.last_mut().filter(|g| g.1 == Status::OPEN) {
                Some(open) => open.1 = status.until.max(open.0),
                None if self.since.is_none() => self.begin(status.until),
                // Found again without having been reported lost: the process was away.
                None if status.from < status.until => self.insert(status.from, status.until),
                None => {}
            },
            StatusState::Gap | StatusState::Resync | StatusState::Stale if self.is_lost() => {}
            StatusState::Gap | StatusState::Resync | StatusState::Stale => {
                // An archive that ended says itself since when.
                let noticed = status.is_open() && status.reason != GapReason::MissingRows;
                let from = if noticed { status.from.max(recv_ts - heartbeat) } else { status.from };
                self.insert(from, status.until);
            }
        }
    }

    fn insert(&mut self, from: Ts, until: Ts) {
        if from >= until {
            return;
        }
        let at = self.gaps.partition_point(|g| g.0 <= from);
        self.gaps.insert(at, (from, until));
        // Overlapping gaps are one, so that nothing is counted twice.
        let mut merged: usize = 0;
        for i in 1..self.gaps.len() {
            if self.gaps[i].0 <= self.gaps[merged].1 {
                self.gaps[merged].1 = self.gaps[merged].1.max(self.gaps[i].1);
            } else {
                merged += 1;
                self.gaps[merged] = self.gaps[i];
            }
        }
        self.gaps.truncate(merged + 1);
        if self.gaps.len() > GAPS_MAX {
            let second = self.gaps.remove(1);
            self.gaps[0].1 = second.1;
        }
    }

    /// Forgets gaps that no window reaches any more.
    pub fn forget(&mut self, now: Ts) {
        self.gaps.retain(|g| g.1 == Status::OPEN || now - g.1 < MEMORY);
    }

    /// Was it never lost, as far as anybody remembers?
    #[must_use]
    pub fn is_unbroken(&self) -> bool {
        self.gaps.is_empty()
    }

    /// Time in `[from, until)` that lies in gaps.
    #[must_use]
    pub fn lost(&self, from: Ts, until: Ts) -> Span {
        Span(self.gaps.iter().map(|g| (g.1.min(until).0 - g.0.max(from).0).max(0)).sum())
    }

    /// Time in `[from, until)` that it was there.
    #[must_use]
    pub fn present(&self, from: Ts, until: Ts) -> Span {
        let Some(since) = self.since else { return Span::ZERO };
        let from = from.max(since);
        if from >= until { Span::ZERO } else { Span((until - from).0 - self.lost(from, until).0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::GapReason;

    const M: Span = Span::mins(1);

    fn at(minutes: i64) -> Ts {
        Ts(0) + M.times(minutes)
    }
    fn status(state: StatusState, from: i64, until: Option<i64>) -> Status {
        Status { state, from: at(from), until: until.map_or(Status::OPEN, at), reason: GapReason::Disconnected }
    }

    #[test]
    fn a_silent_stream_is_lost_when_the_loss_is_noticed_and_not_at_its_last_event() {
        let mut p = Presence::default();
        p.begin(at(0));
        p.status(&status(StatusState::Gap, 10, None), at(300), M);
        assert!(p.is_lost());
        assert_eq!(p.lost(at(0), at(310)), M.times(11));
        p.status(&status(StatusState::Live, 10, Some(305)), at(305), M);
        assert!(!p.is_lost());
        assert_eq!(p.lost(at(0), at(400)), M.times(6));
        assert_eq!(p.present(at(-50), at(400)), M.times(394));
    }

    #[test]
    fn gaps_of_the_past_are_taken_as_declared_and_never_counted_twice() {
        let mut p = Presence::default();
        p.begin(at(0));
        p.status(&status(StatusState::Gap, 100, Some(110)), at(500), M);
        p.status(&status(StatusState::Gap, 20, Some(30)), at(500), M);
        p.status(&status(StatusState::Gap, 25, Some(40)), at(500), M);
        assert_eq!(p.lost(at(0), at(500)), M.times(30));
        assert_eq!(p.lost(at(28), at(105)), M.times(17));
        p.status(&status(StatusState::Live, 200, Some(220)), at(220), M);
        assert_eq!(p.lost(at(0), at(500)), M.times(50), "found again after the process was away");
        p.forget(at(40) + Span::days(31));
        assert_eq!(p.lost(at(0), at(500)), M.times(30), "the oldest is out of everybody's reach");
    }

    #[test]
    fn many_gaps_overstate_rather_than_forget() {
        let mut p = Presence::default();
        p.begin(at(0));
        for i in 0..100 {
            p.status(&status(StatusState::Gap, 10 * i, Some(10 * i + 1)), at(2_000), M);
        }
        assert!(p.lost(at(0), at(2_000)) >= M.times(100));
        assert_eq!(p.lost(at(900), at(2_000)), M.times(10), "recent ones are exact");
    }
}
