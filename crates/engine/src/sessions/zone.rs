//! Offsets of the time zones that sessions are written in, by the rules in force since 2007.
//!
//! Crypto markets have no data older than those rules, so four rules replace a time-zone database: the European Union's
//! (last Sunday of March to last Sunday of October, 01:00 UTC), the United States' (second Sunday of March to first Sunday
//! of November, 02:00 local), and fixed offsets.

use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// A time zone sessions may be written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Zone {
    /// UTC, the whole year.
    Utc,
    /// Asia/Tokyo, UTC+9.
    Tokyo,
    /// Asia/Hong_Kong and Asia/Singapore, UTC+8.
    HongKong,
    /// Europe/London.
    London,
    /// Europe/Berlin, Europe/Paris, Europe/Zurich.
    Berlin,
    /// America/New_York.
    NewYork,
    /// America/Chicago.
    Chicago,
}

#[derive(Clone, Copy)]
enum Rule {
    Fixed,
    Europe,
    UnitedStates,
}

impl Zone {
    /// Every zone with its IANA name.
    pub const NAMES: [(&'static str, Self); 9] = [
        ("UTC", Self::Utc),
        ("Asia/Tokyo", Self::Tokyo),
        ("Asia/Hong_Kong", Self::HongKong),
        ("Asia/Singapore", Self::HongKong),
        ("Europe/London", Self::London),
        ("Europe/Berlin", Self::Berlin),
        ("Europe/Zurich", Self::Berlin),
        ("America/New_York", Self::NewYork),
        ("America/Chicago", Self::Chicago),
    ];

    /// The first IANA name of the zone.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, z)| *z == self).map_or("UTC", |(n, _)| n)
    }

    const fn standard(self) -> (i64, Rule) {
        match self {
            Self::Utc => (0, Rule::Fixed),
            Self::Tokyo => (9, Rule::Fixed),
            Self::HongKong => (8, Rule::Fixed),
            Self::London => (0, Rule::Europe),
            Self::Berlin => (1, Rule::Europe),
            Self::NewYork => (-5, Rule::UnitedStates),
            Self::Chicago => (-6, Rule::UnitedStates),
        }
    }

    /// Local time minus UTC at this moment.
    #[must_use]
    pub fn offset(self, t: Ts) -> Span {
        let (hours, rule) = self.standard();
        let year = match rule {
            Rule::Fixed => return Span::hours(hours),
            Rule::Europe | Rule::UnitedStates => t.civil().0,
        };
        let (from, until) = match rule {
            Rule::Fixed | Rule::Europe => {
                (last_sunday(year, 3) + Span::hours(1), last_sunday(year, 10) + Span::hours(1))
            }
            // 02:00 standard time in spring, 02:00 daylight time in autumn.
            Rule::UnitedStates => {
                (nth_sunday(year, 3, 2) + Span::hours(2 - hours), nth_sunday(year, 11, 1) + Span::hours(1 - hours))
            }
        };
        Span::hours(if t >= from && t < until { hours + 1 } else { hours })
    }
}

/// 0 Sunday … 6 Saturday; 1970-01-01 was a Thursday.
fn weekday(day: Ts) -> i64 {
    (day.0.div_euclid(Span::days(1).0) + 4).rem_euclid(7)
}

fn nth_sunday(year: i64, month: i64, n: i64) -> Ts {
    let first = Ts::from_civil(year, month, 1, 0, 0, 0);
    first + Span::days((7 - weekday(first)).rem_euclid(7) + 7 * (n - 1))
}

/// Of a month with 31 days.
fn last_sunday(year: i64, month: i64) -> Ts {
    let last = Ts::from_civil(year, month, 31, 0, 0, 0);
    last - Span::days(weekday(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_change_when_the_rules_say() {
        for (zone, at, hours) in [
            (Zone::London, "2026-03-29T00:59:59Z", 0),
            (Zone::London, "2026-03-29T01:00:00Z", 1),
            (Zone::London, "2026-10-25T00:59:59Z", 1),
            (Zone::London, "2026-10-25T01:00:00Z", 0),
            (Zone::Berlin, "2023-03-26T01:00:00Z", 2),
            (Zone::NewYork, "2026-03-08T06:59:59Z", -5),
            (Zone::NewYork, "2026-03-08T07:00:00Z", -4),
            (Zone::NewYork, "2026-11-01T05:59:59Z", -4),
            (Zone::NewYork, "2026-11-01T06:00:00Z", -5),
            (Zone::Chicago, "2025-03-09T08:00:00Z", -5),
            (Zone::Tokyo, "2026-07-01T00:00:00Z", 9),
            (Zone::HongKong, "2026-07-01T00:00:00Z", 8),
        ] {
            assert_eq!(zone.offset(Ts::parse(at).unwrap()), Span::hours(hours), "{zone:?} {at}");
        }
    }
}
