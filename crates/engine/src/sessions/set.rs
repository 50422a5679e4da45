//! Which session an instant belongs to: hours of the day in a zone each, the rest of the day last (features §3, A10).

use super::history::Stretch;
use super::zone::Zone;
use barograph_domain::time::DAY;
use barograph_domain::{Span, TradingSession, Ts};
use serde::{Deserialize, Serialize};

const MINUTE: Span = Span::mins(1);

/// Hours of one session, half-open, in local minutes of the day; the end may lie on the next day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionHours {
    /// Whose clock.
    pub zone: Zone,
    /// First minute.
    pub start: u16,
    /// Minute after the last one; below `start` it is on the next day.
    pub end: u16,
    /// Saturdays and Sundays have it too.
    pub weekends: bool,
}

/// Hours of Asian, London and New York session; what they leave is rollover. Where two overlap, the one that opened later
/// has the instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SessionSet {
    /// In the order of [`TradingSession::ALL`], without rollover.
    pub hours: [SessionHours; 3],
}

impl SessionSet {
    /// 00–08, 08–13 and 13–21 UTC.
    pub const UTC: Self = Self { hours: [utc(0, 480), utc(480, 780), utc(780, 1260)] };
    /// 09–17 in Tokyo, 08–13 in London, 08–16 in New York: moves with daylight saving.
    pub const LOCAL: Self = Self {
        hours: [
            SessionHours { zone: Zone::Tokyo, start: 540, end: 1020, weekends: true },
            SessionHours { zone: Zone::London, start: 480, end: 780, weekends: true },
            SessionHours { zone: Zone::NewYork, start: 480, end: 960, weekends: true },
        ],
    };
    /// Foreign exchange: Tokyo, London and New York business hours, closed from Friday's to Sunday's close.
    pub const FOREX: Self = Self {
        hours: [
            SessionHours { zone: Zone::Tokyo, start: 540, end: 1080, weekends: false },
            SessionHours { zone: Zone::London, start: 480, end: 1020, weekends: false },
            SessionHours { zone: Zone::NewYork, start: 480, end: 1020, weekends: false },
        ],
    };
    /// Cash equities: Tokyo, London and New York exchange hours.
    pub const STOCKS: Self = Self {
        hours: [
            SessionHours { zone: Zone::Tokyo, start: 540, end: 930, weekends: false },
            SessionHours { zone: Zone::London, start: 480, end: 990, weekends: false },
            SessionHours { zone: Zone::NewYork, start: 570, end: 960, weekends: false },
        ],
    };

    /// The session of an instant; a boundary belongs to the session that starts there.
    #[must_use]
    pub fn session(&self, t: Ts) -> TradingSession {
        let mut found: Option<(Ts, TradingSession)> = None;
        for (hours, session) in self.hours.iter().zip(TradingSession::ALL) {
            if let Some(opened) = hours.opened(t)
                && found.is_none_or(|(before, _)| opened >= before)
            {
                found = Some((opened, session));
            }
        }
        found.map_or(TradingSession::Rollover, |(_, session)| session)
    }

    /// The stretch of one session that an instant lies in.
    #[must_use]
    pub fn stretch(&self, t: Ts) -> Stretch {
        if *self == Self::UTC {
            return utc_stretch(t);
        }
        Stretch { session: self.session(t), from: self.start(t), until: self.end(t) }
    }

    /// Start of the stretch of one session that an instant lies in: the last instant at or before it at which the session
    /// changed.
    #[must_use]
    pub fn start(&self, t: Ts) -> Ts {
        let session = self.session(t);
        let mut from = t;
        // A stretch changes only where some session opens or closes; at most a weekend passes without a change.
        for _ in 0..32 {
            let before = self.edge_before(from);
            if self.session(before - Span(1)) != session {
                return before;
            }
            from = before - Span(1);
        }
        from
    }

    /// End of that stretch.
    #[must_use]
    pub fn end(&self, t: Ts) -> Ts {
        let session = self.session(t);
        let mut from = t;
        for _ in 0..32 {
            from = self.edge_after(from);
            if self.session(from) != session {
                return from;
            }
        }
        from
    }

    fn edge_before(&self, t: Ts) -> Ts {
        self.edges(t).into_iter().flatten().filter(|e| *e <= t).max().unwrap_or_else(|| t.floor(DAY))
    }

    fn edge_after(&self, t: Ts) -> Ts {
        self.edges(t).into_iter().flatten().filter(|e| *e > t).min().unwrap_or_else(|| t.floor(DAY) + DAY)
    }

    /// Openings and closings of the three days around an instant.
    fn edges(&self, t: Ts) -> [[Ts; 6]; 3] {
        self.hours.map(|h| {
            let day = (t + h.zone.offset(t)).floor(DAY);
            let at = |d: i64, minute: u16| h.zone_instant(day + DAY.times(d), minute);
            [at(-1, h.start), at(-1, h.end), at(0, h.start), at(0, h.end), at(1, h.start), at(1, h.end)]
        })
    }
}

impl SessionHours {
    /// When the stretch that `t` lies in opened; `None` outside.
    fn opened(&self, t: Ts) -> Option<Ts> {
        let local = t + self.zone.offset(t);
        let day = local.floor(DAY);
        for day in [day, day - DAY] {
            let closes = if self.end > self.start { day } else { day + DAY };
            let (from, until) = (self.zone_instant(day, self.start), self.zone_instant(closes, self.end));
            if t >= from && t < until && (self.weekends || !day.is_weekend()) {
                return Some(from);
            }
        }
        None
    }

    /// UTC instant of a local minute of a local day.
    fn zone_instant(&self, local_day: Ts, minute: u16) -> Ts {
        let local = local_day + MINUTE.times(i64::from(minute));
        // The offset at the instant itself; asked once more where the clock changes in between.
        let near = local - self.zone.offset(local);
        local - self.zone.offset(near)
    }
}

/// The stretch by the usual hours, read off the minute of the day.
fn utc_stretch(t: Ts) -> Stretch {
    let day = t.floor(DAY);
    let at = |minute: u16| day + MINUTE.times(i64::from(minute));
    for (hours, session) in SessionSet::UTC.hours.iter().zip(TradingSession::ALL) {
        if t < at(hours.end) {
            return Stretch { session, from: at(hours.start), until: at(hours.end) };
        }
    }
    let last = SessionSet::UTC.hours[2].end;
    Stretch { session: TradingSession::Rollover, from: at(last), until: day + DAY }
}

const fn utc(start: u16, end: u16) -> SessionHours {
    SessionHours { zone: Zone::Utc, start, end, weekends: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Ts {
        Ts::parse(text).unwrap()
    }

    #[test]
    fn utc_hours_are_half_open_and_boundaries_belong_to_what_starts() {
        let s = SessionSet::UTC;
        for (time, want) in [
            ("00:00:00", TradingSession::Asian),
            ("07:59:59", TradingSession::Asian),
            ("08:00:00", TradingSession::London),
            ("12:59:59", TradingSession::London),
            ("13:00:00", TradingSession::Ny),
            ("20:59:59", TradingSession::Ny),
            ("21:00:00", TradingSession::Rollover),
            ("23:59:59", TradingSession::Rollover),
        ] {
            assert_eq!(s.session(at(&format!("2026-02-05T{time}Z"))), want, "{time}");
        }
        assert_eq!(s.start(at("2026-02-05T15:12:00Z")), at("2026-02-05T13:00:00Z"));
        assert_eq!(s.end(at("2026-02-05T15:12:00Z")), at("2026-02-05T21:00:00Z"));
        assert_eq!(s.start(at("2026-02-05T21:00:00Z")), at("2026-02-05T21:00:00Z"));
        assert_eq!(s.end(at("2026-02-05T23:00:00Z")), at("2026-02-06T00:00:00Z"));
    }

    #[test]
    fn the_short_way_to_a_stretch_agrees_with_the_long_one() {
        let s = SessionSet::UTC;
        for minute in 0..3 * 1_440 {
            let t = at("2026-02-05T00:00:00Z") + Span::mins(minute) + Span(minute % 3);
            let long = Stretch { session: s.session(t), from: s.start(t), until: s.end(t) };
            assert_eq!(s.stretch(t), long, "{t:?}");
        }
    }

    #[test]
    fn local_hours_move_with_daylight_saving_and_the_later_opening_has_the_overlap() {
        let s = SessionSet::LOCAL;
        for (time, want) in [
            ("2026-01-15T13:30:00Z", TradingSession::Ny),
            ("2026-07-15T12:30:00Z", TradingSession::Ny),
            ("2026-01-15T12:30:00Z", TradingSession::London),
            ("2026-07-15T11:30:00Z", TradingSession::London),
            ("2026-01-15T07:30:00Z", TradingSession::Asian),
            ("2026-07-15T07:30:00Z", TradingSession::London),
            ("2026-01-15T21:00:00Z", TradingSession::Rollover),
            ("2026-07-15T20:00:00Z", TradingSession::Rollover),
        ] {
            assert_eq!(s.session(at(time)), want, "{time}");
        }
    }

    #[test]
    fn forex_has_no_session_at_weekends() {
        let s = SessionSet::FOREX;
        assert_eq!(s.session(at("2026-02-07T15:00:00Z")), TradingSession::Rollover);
        assert_eq!(s.session(at("2026-02-06T15:00:00Z")), TradingSession::Ny);
        // From New York's close on Friday to Tokyo's opening on Monday.
        assert_eq!(s.end(at("2026-02-07T15:00:00Z")), at("2026-02-09T00:00:00Z"));
        assert_eq!(s.start(at("2026-02-07T15:00:00Z")), at("2026-02-06T22:00:00Z"));
    }
}
