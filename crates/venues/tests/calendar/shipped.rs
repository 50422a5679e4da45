//! The shipped calendar: as many dates as the authorities named for 2026, each at its hour in New York, and nobody knows of a date that
//! was moved before that was announced.

use super::{NewYork, WITHIN};
use barograph_domain::{CalendarEntry, Impact, Span, Ts};
use barograph_venues::calendar::{Known, SHIPPED, Zones as _, shipped};
use std::collections::BTreeMap;

/// Days that follow the month of `kind` in New York, by the last word.
fn days(entries: &[CalendarEntry], kind: &str, hour: Span) -> Vec<String> {
    let last: BTreeMap<_, _> = entries.iter().filter(|e| e.id.starts_with(kind)).map(|e| (&e.id, e)).collect();
    let mut days: Vec<String> = last
        .values()
        .map(|e| {
            let day = Ts::parse(&e.at.iso()[..10]).unwrap();
            assert_eq!(NewYork.instant(day + hour, "America/New_York"), Some(e.at), "{e:?}");
            day.iso()[5..10].to_owned()
        })
        .collect();
    days.sort();
    days
}

#[test]
fn the_dates_of_2026_at_their_hours() {
    let parsed = shipped(Known::Ahead(Span::days(30)), WITHIN, &NewYork).unwrap();
    assert_eq!(parsed.refused, []);
    assert!(parsed.entries.iter().all(|e| e.impact == Impact::High && !e.cancelled && e.source != SHIPPED));
    let half_past_eight = Span::mins(8 * 60 + 30);
    let cases = [
        ("fomc-", Span::hours(14), "01-28 03-18 04-29 06-17 07-29 09-16 10-28 12-09"),
        ("us-cpi-", half_past_eight, "01-13 02-13 03-11 04-10 05-12 06-10 07-14 08-12 09-11 10-14 11-10 12-10"),
        ("us-payrolls-", half_past_eight, "01-09 02-11 03-06 04-03 05-08 06-05 07-02 08-07 09-04 10-02 11-06 12-04"),
    ];
    for (kind, hour, want) in cases {
        assert_eq!(days(&parsed.entries, kind, hour).join(" "), want, "{kind}");
    }
    assert_eq!(parsed.entries.len(), 8 + 12 + 12 + 2, "two were moved");
}

#[test]
fn a_date_is_known_a_month_before_and_a_moved_one_when_that_was_announced() {
    let parsed = shipped(Known::Ahead(Span::days(30)), WITHIN, &NewYork).unwrap();
    let known = |id: &str| -> Vec<(String, String)> {
        let words = parsed.entries.iter().filter(|e| e.id == id);
        words.map(|e| (e.at.iso(), e.known_ts.iso())).collect()
    };
    let pair = |at: &str, known: &str| (at.to_owned(), known.to_owned());
    assert_eq!(known("us-cpi-2026-02"), [pair("2026-03-11T12:30:00Z", "2026-02-09T12:30:00Z")]);
    assert_eq!(
        known("us-payrolls-2026-01"),
        [pair("2026-02-06T13:30:00Z", "2026-01-07T13:30:00Z"), pair("2026-02-11T13:30:00Z", "2026-02-04T17:00:00Z")]
    );
    assert_eq!(
        known("us-cpi-2026-01"),
        [pair("2026-02-11T13:30:00Z", "2026-01-12T13:30:00Z"), pair("2026-02-13T13:30:00Z", "2026-02-04T17:00:00Z")]
    );
    // First words of moved dates are as old as the rule would make them.
    for e in parsed.entries.iter().filter(|e| e.known_ts < Ts::from_civil(2026, 2, 4, 17, 0, 0)) {
        assert_eq!(e.known_ts, e.at - Span::days(30), "{e:?}");
    }
}
