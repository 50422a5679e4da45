//! Which name a dated COIN-M contract had at a moment: statistics are asked for by pair and `CURRENT_QUARTER` or
//! `NEXT_QUARTER`, and these names pass from contract to contract at each quarterly expiry.
//!
//! Contracts expire on the last Friday of March, June, September and December at 08:00 UTC (`BTCUSD_261225`: 25 December 2026).
//! Left out: serial contracts between the quarters, which COIN-M does not list.

use barograph_domain::{Span, Ts};

/// What statistics are asked for until when; afterwards the contract has another name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Named {
    /// The value of `contractType`.
    pub(super) name: &'static str,
    /// First quarterly expiry behind the moment.
    pub(super) until: Ts,
}

/// The name at `at` of the contract that expires at `expiry`; `None` before it was the next quarter, when it had none, and
/// after its end.
pub(super) fn named(expiry: Ts, at: Ts) -> Option<Named> {
    let until = expiry_after(at);
    let same_day = |a: Ts, b: Ts| a.floor(Span::days(1)) == b.floor(Span::days(1));
    let name = if same_day(expiry, until) {
        "CURRENT_QUARTER"
    } else if same_day(expiry, expiry_after(until)) {
        "NEXT_QUARTER"
    } else {
        return None;
    };
    Some(Named { name, until })
}

/// The first quarterly expiry later than `at`.
pub(super) fn expiry_after(at: Ts) -> Ts {
    let (year, month, ..) = at.civil();
    let mut quarter = (month - 1) / 3;
    let mut year = year;
    loop {
        let expiry = last_friday(year, quarter * 3 + 3) + Span::hours(8);
        if expiry > at {
            return expiry;
        }
        (year, quarter) = if quarter == 3 { (year + 1, 0) } else { (year, quarter + 1) };
    }
}

/// Midnight of the last Friday of a month that has 30 or 31 days.
fn last_friday(year: i64, month: i64) -> Ts {
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let last = Ts::from_civil(next.0, next.1, 1, 0, 0, 0) - Span::days(1);
    let day = (last - Ts(0)).as_days();
    // Day 0 was a Thursday, so Fridays are 1 modulo 7.
    last - Span::days((day - 1).rem_euclid(7))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i64, month: i64, day: i64) -> Ts {
        Ts::from_civil(year, month, day, 8, 0, 0)
    }

    #[test]
    fn expiries_are_those_of_listed_contracts() {
        // Dates out of names of contracts that were listed.
        for (at, want) in [
            (day(2022, 5, 13), day(2022, 6, 24)),
            (day(2024, 8, 8), day(2024, 9, 27)),
            (day(2026, 11, 20), day(2026, 12, 25)),
            (day(2026, 12, 25), day(2027, 3, 26)),
            (day(2026, 12, 31), day(2027, 3, 26)),
            (day(2024, 12, 27) - Span(1), day(2024, 12, 27)),
        ] {
            assert_eq!(expiry_after(at), want, "after {at}");
        }
    }

    #[test]
    fn a_contract_changes_its_name_at_the_expiry_of_the_one_before() {
        let expiry = day(2026, 12, 25);
        let name = |at| named(expiry, at).map(|n| n.name);
        assert_eq!(name(day(2026, 6, 1)), None, "not yet listed");
        assert_eq!(name(day(2026, 9, 25) - Span(1)), Some("NEXT_QUARTER"));
        assert_eq!(named(expiry, day(2026, 9, 25) - Span(1)).map(|n| n.until), Some(day(2026, 9, 25)));
        assert_eq!(name(day(2026, 9, 25)), Some("CURRENT_QUARTER"));
        assert_eq!(name(expiry), None, "expired");
    }
}
