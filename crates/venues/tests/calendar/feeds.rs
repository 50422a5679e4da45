//! Events that repeat, as feeds write them: which moments they come to, under which names, and what is refused.

use super::{NewYork, WITHIN, read};
use barograph_domain::{Span, Ts};
use barograph_venues::calendar::{Format, Known, Within, parse};

/// A calendar of these events, each with its lines; `UID:a`, a name and high impact where an event has none of its own.
fn feed(events: &[&str]) -> String {
    let body: String = events
        .iter()
        .map(|lines| {
            let uid = if lines.contains("UID:") { "" } else { "UID:a\n" };
            let rest = if lines.contains("RECURRENCE-ID") { "" } else { "SUMMARY:X\nX-IMPACT:high\n" };
            format!("BEGIN:VEVENT\n{uid}{rest}{lines}\nEND:VEVENT\n")
        })
        .collect();
    format!("BEGIN:VCALENDAR\n{body}END:VCALENDAR\n")
}

/// What a text comes to: `id at`, with `off` where it is called off, by time; then what is refused.
fn shown(text: &str, within: Within) -> Vec<String> {
    let parsed = parse(text, Format::Ics, "test", Known::At(Ts(0)), within, &NewYork).unwrap();
    let line = |e: &barograph_domain::CalendarEntry| {
        let off = if e.cancelled { " off" } else { "" };
        format!("{} {}{off}", e.id, e.at.iso().trim_end_matches(":00Z"))
    };
    let refused = parsed.refused.iter().map(|r| format!("refused {}: {}", r.number, r.why));
    parsed.entries.iter().map(line).chain(refused).collect()
}

/// From the first to the last day of these, whole days of UTC.
fn days(from: (i64, i64), to: (i64, i64)) -> Within {
    Within { from: Ts::from_civil(2026, from.0, from.1, 0, 0, 0), to: Ts::from_civil(2026, to.0, to.1, 23, 59, 59) }
}

const NY: &str = "DTSTART;TZID=America/New_York:";

/// One event, or several, over March to May 2026.
#[track_caller]
fn check(events: &[&str], want: &[&str]) {
    assert_eq!(shown(&feed(events), days((3, 1), (5, 31))), want, "{events:?}");
}

#[test]
fn weeks_months_and_years() {
    // Every other Thursday at 08:30: an hour sooner in UTC once New York has put its clocks forward, on 8 March.
    check(
        &[&format!("{NY}20260226T083000\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4")],
        &["a/2026-03-12 2026-03-12T12:30", "a/2026-03-26 2026-03-26T12:30", "a/2026-04-09 2026-04-09T12:30"],
    );
    check(
        &[&format!("{NY}20260302T083000\nRRULE:FREQ=WEEKLY;BYDAY=MO,FR;UNTIL=20260310T000000Z")],
        &["a/2026-03-02 2026-03-02T13:30", "a/2026-03-06 2026-03-06T13:30", "a/2026-03-09 2026-03-09T12:30"],
    );
    // The first Friday, as payrolls mostly are; three ways to write it.
    let first = ["a/2026-03-06 2026-03-06T13:30", "a/2026-04-03 2026-04-03T12:30", "a/2026-05-01 2026-05-01T12:30"];
    for rule in ["BYDAY=1FR", "BYDAY=FR;BYSETPOS=1", "BYDAY=FR;BYMONTHDAY=1,2,3,4,5,6,7"] {
        check(&[&format!("{NY}20200103T083000\nRRULE:FREQ=MONTHLY;{rule}")], &first);
    }
    // The last weekday of a month; the last Wednesday; the 31st, which April does not have; the last but one.
    let monthly = |rule: &str| {
        shown(&feed(&[&format!("DTSTART:20251231T190000Z\nRRULE:FREQ=MONTHLY;{rule}")]), days((3, 1), (5, 31)))
    };
    for (rule, want) in [
        ("BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ["03-31", "04-30", "05-29"].as_slice()),
        ("BYDAY=-1WE", &["03-25", "04-29", "05-27"]),
        ("BYMONTHDAY=31", &["03-31", "05-31"]),
        ("BYMONTHDAY=-2", &["03-30", "04-29", "05-30"]),
        ("INTERVAL=2;BYMONTHDAY=15", &["04-15"]),
        ("BYMONTH=4;BYMONTHDAY=10", &["04-10"]),
        ("", &["03-31", "05-31"]),
    ] {
        let want: Vec<String> = want.iter().map(|d| format!("a/2026-{d} 2026-{d}T19:00")).collect();
        assert_eq!(monthly(rule), want, "{rule}");
    }
    let yearly = |start: &str, rule: &str| {
        shown(&feed(&[&format!("DTSTART:{start}T190000Z\nRRULE:FREQ=YEARLY;{rule}")]), days((1, 1), (12, 31)))
    };
    for (start, rule, want) in [
        ("20200517", "", ["05-17"].as_slice()),
        ("20240229", "", &[]),
        ("20200122", "BYMONTH=1,3;BYDAY=4WE", &["01-28", "03-25"]),
        ("20200101", "BYDAY=1TH,-1TH", &["01-01", "12-31"]),
        ("20200113", "BYMONTHDAY=13;BYDAY=FR", &["02-13", "03-13", "11-13"]),
        ("20230405", "INTERVAL=2", &[]),
        ("20240405", "INTERVAL=2", &["04-05"]),
    ] {
        let want: Vec<String> = want.iter().map(|d| format!("a/2026-{d} 2026-{d}T19:00")).collect();
        assert_eq!(yearly(start, rule), want, "{start} {rule}");
    }
    // Weeks begin where the rule puts it (the example of RFC 5545 §3.8.5.3).
    for (start_of_week, last) in [("MO", "10"), ("SU", "17")] {
        let rule =
            format!("DTSTART:20260505T120000Z\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2;BYDAY=TU,SU;WKST={start_of_week}");
        check(&[&rule], &["a/2026-05-05 2026-05-05T12:00", &format!("a/2026-05-{last} 2026-05-{last}T12:00")]);
    }
}

#[test]
fn an_endless_rule_ends_with_the_time_that_is_read() {
    let daily = feed(&[&format!("{NY}19990104T140000\nRRULE:FREQ=DAILY")]);
    let now = Ts::from_civil(2026, 3, 1, 0, 0, 0);
    let parsed = parse(&daily, Format::Ics, "test", Known::At(now), Within::from_now(now), &NewYork).unwrap();
    assert_eq!((parsed.entries.len(), parsed.refused.len()), (401, 0), "a day behind, 400 ahead");
    let (first, last) = (&parsed.entries[0], &parsed.entries[400]);
    assert_eq!((first.at.iso().as_str(), last.at.iso().as_str()), ("2026-02-28T19:00:00Z", "2027-04-04T18:00:00Z"));
    // Over files the beginning is fixed: years by the day fit, and a month later all that was read is there again.
    let whole = |now| {
        let known = Known::Ahead(Span::days(30));
        parse(&daily, Format::Ics, "test", known, Within::all_until(now), &NewYork).unwrap().entries
    };
    let (sooner, later) = (whole(now), whole(now + Span::days(30)));
    assert_eq!((sooner[0].at.iso().as_str(), later.len()), ("2019-01-01T19:00:00Z", sooner.len() + 30));
    assert_eq!(sooner, later[..sooner.len()]);
}

#[test]
fn dates_that_are_added_left_out_moved_and_called_off() {
    let wednesdays = format!("{NY}20260304T140000\nRRULE:FREQ=WEEKLY;COUNT=4");
    check(
        &[&format!(
            "{wednesdays}\nEXDATE;TZID=America/New_York:20260311T140000\nEXDATE:20260318T180000Z\n\
             RDATE;TZID=America/New_York:20260306T140000,20260306T153000\nRDATE;VALUE=DATE:20260401"
        )],
        &[
            "a/2026-03-04 2026-03-04T19:00",
            "a/2026-03-06 2026-03-06T19:00",
            "a/2026-03-06T15:30:00 2026-03-06T20:30",
            "a/2026-03-11 2026-03-11T18:00 off",
            "a/2026-03-18 2026-03-18T18:00 off",
            "a/2026-03-25 2026-03-25T18:00",
            "a/2026-04-01 2026-04-01T18:00",
        ],
    );
    // Moved to the day before, named as an instant; called off with nothing but its name; one of an event that is not in the text.
    check(
        &[
            &wednesdays,
            "RECURRENCE-ID:20260311T180000Z\nDTSTART;TZID=America/New_York:20260310T150000",
            "RECURRENCE-ID;TZID=America/New_York:20260318T140000\nSTATUS:CANCELLED",
            "UID:b\nSUMMARY:Y\nX-IMPACT:low\nRECURRENCE-ID:20260319T180000Z\nDTSTART:20260320T180000Z",
        ],
        &[
            "a/2026-03-04 2026-03-04T19:00",
            "a/2026-03-11 2026-03-10T19:00",
            "a/2026-03-18 2026-03-18T18:00 off",
            "b/2026-03-19 2026-03-20T18:00",
            "a/2026-03-25 2026-03-25T18:00",
        ],
    );
    // All of it called off; dates without a rule; a text's own zone; whole days of what keeps its hour.
    check(
        &[&format!("{NY}20260304T140000\nRRULE:FREQ=DAILY;COUNT=1\nSTATUS:CANCELLED")],
        &["a/2026-03-04 2026-03-04T19:00 off"],
    );
    check(
        &[&format!("{NY}20260304T140000\nRDATE:20260404T180000Z")],
        &["a/2026-03-04 2026-03-04T19:00", "a/2026-04-04 2026-04-04T18:00"],
    );
    let local = feed(&["DTSTART:20260304T140000\nRRULE:FREQ=DAILY;COUNT=1"])
        .replace(":VCALENDAR\nBEGIN", ":VCALENDAR\nX-WR-TIMEZONE:America/New_York\nBEGIN");
    assert_eq!(shown(&local, WITHIN), ["a/2026-03-04 2026-03-04T19:00"]);
    let all_day = feed(&["DTSTART;VALUE=DATE:20260304\nRRULE:FREQ=WEEKLY;UNTIL=20260318\nEXDATE;VALUE=DATE:20260311"]);
    assert_eq!(
        shown(&all_day.replace("SUMMARY:X", "SUMMARY:CPI"), WITHIN),
        ["a/2026-03-04 2026-03-04T13:30", "a/2026-03-11 2026-03-11T12:30 off", "a/2026-03-18 2026-03-18T12:30"]
    );
}

#[test]
fn an_instance_keeps_its_name_through_revisions() {
    let weekly = |hour: &str| format!("{NY}20260304T{hour}0000\nRRULE:FREQ=WEEKLY;COUNT=2");
    let other = "RECURRENCE-ID;TZID=America/New_York:20260311T140000\nDTSTART;TZID=America/New_York:20260313T090000";
    let off = format!("{}\nEXDATE;TZID=America/New_York:20260311T140000", weekly("14"));
    for events in [
        &[weekly("14").as_str()][..],
        &[weekly("15").as_str()],
        &[&weekly("14"), other],
        &[other, &weekly("14")],
        &[&off],
    ] {
        let ids: Vec<String> =
            shown(&feed(events), WITHIN).iter().map(|l| l.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(ids, ["a/2026-03-04", "a/2026-03-11"], "{events:?}");
    }
}

#[test]
fn zones_by_any_name_and_by_the_rules_they_bring() {
    // What Outlook writes, rules since 1601 included; the end of March is not in daylight saving time yet in Berlin.
    let outlook = |name: &str, location: &str| {
        format!(
            "BEGIN:VTIMEZONE\nTZID:{name}\n{location}BEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n\
             RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\n\
             TZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n"
        )
    };
    let at = |zone: &str, block: &str, local: &str| {
        let text =
            feed(&[&format!("DTSTART;TZID={zone}:{local}")]).replace("BEGIN:VEVENT", &format!("{block}BEGIN:VEVENT"));
        shown(&text, WITHIN).join("")
    };
    let own = outlook("Somewhere", "");
    for (zone, block, local, want) in [
        ("\"/example.org/20260101/America/New_York\"", "", "20260304T140000", "2026-03-04T19:00"),
        ("Eastern Standard Time", "", "20260304T140000", "2026-03-04T19:00"),
        ("Eastern", &outlook("Eastern", "X-LIC-LOCATION:America/New_York\n"), "20260304T140000", "2026-03-04T19:00"),
        ("Somewhere", &own, "20260328T140000", "2026-03-28T13:00"),
        ("Somewhere", &own, "20260329T140000", "2026-03-29T12:00"),
        // Skipped: read with the offset before. Twice: the first counts.
        ("Somewhere", &own, "20260329T023000", "2026-03-29T01:30"),
        ("Somewhere", &own, "20261025T023000", "2026-10-25T00:30"),
        ("Somewhere", &own, "20261025T030000", "2026-10-25T02:00"),
    ] {
        assert_eq!(at(zone, block, local), format!("a {want}"), "{zone} {local}");
    }
    for (zone, block) in [("Nowhere", own.as_str()), ("Somewhere", &own.replace("+0", "east"))] {
        assert!(
            at(zone, block, "20260304T140000").contains("is no time zone"),
            "{}",
            at(zone, block, "20260304T140000")
        );
    }
}

#[test]
fn what_cannot_be_followed_is_refused_once_and_the_rest_is_read() {
    for (lines, why) in [
        ("RRULE:FREQ=DAILY;INTERVAL=0", "INTERVAL=0 is no number that can be followed"),
        ("RRULE:FREQ=SECONDLY", "FREQ=SECONDLY is not followed"),
        ("RRULE:FREQ=HOURLY;COUNT=3", "FREQ=HOURLY is not followed"),
        ("RRULE:COUNT=3", "needs FREQ"),
        ("RRULE:FREQ=DAILY;COUNT=0", "COUNT=0 is no number"),
        ("RRULE:FREQ=DAILY;COUNT=3;UNTIL=20260401", "COUNT or UNTIL"),
        ("RRULE:FREQ=DAILY;BYHOUR=9,10", "BYHOUR is not followed"),
        ("RRULE:FREQ=DAILY;UNTIL=soon", "UNTIL: "),
        ("RRULE:FREQ=WEEKLY;BYDAY=1FR", "belongs to a month or a year"),
        ("RRULE:FREQ=WEEKLY;BYDAY=XX", "'XX' is no weekday"),
        ("RRULE:FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32 is no number"),
        ("RRULE:FREQ=MONTHLY;BYDAY=0FR", "BYDAY=0 is no number"),
        ("RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY", "more than one RRULE"),
        ("RRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY", "EXRULE is not followed"),
        ("RRULE:FREQ=DAILY\nEXDATE:20260230T000000Z", "is no date"),
        ("RRULE:FREQ=DAILY\nRDATE:20260304T140000", "does not name the zone"),
        ("RECURRENCE-ID;RANGE=THISANDFUTURE:20260304T140000Z", "all after it is not followed"),
        ("RRULE:FREQ=DAILY\nX-IMPACT:huge", "is no impact"),
    ] {
        let text = feed(&[&format!("UID:b\n{NY}20260304T140000\n{lines}"), &format!("{NY}20260304T140000")]);
        let got = shown(&text, WITHIN);
        assert!(got.len() == 2 && got[0] == "a 2026-03-04T19:00" && got[1].contains(why), "{lines}: {got:?}");
    }
    for start in
        ["DTSTART:20260230T140000Z", "DTSTART:soon", "DTSTART:20260304T140000", "DTSTART:1772632800", "SUMMARY:Z"]
    {
        let got = shown(&feed(&[&format!("{start}\nRRULE:FREQ=DAILY")]), WITHIN);
        assert!(got.len() == 1 && got[0].starts_with("refused 1: "), "{start}: {got:?}");
    }
    // A thousand million of them are as many as there is time for.
    let far = feed(&[&format!("{NY}20260304T140000\nRRULE:FREQ=DAILY;COUNT=1000000000")]);
    assert_eq!(shown(&far, days((3, 1), (3, 5))), ["a/2026-03-04 2026-03-04T19:00", "a/2026-03-05 2026-03-05T19:00"]);
    let wide = feed(&[&format!("{NY}20260304T140000\nRRULE:FREQ=YEARLY;INTERVAL=4294967295")]);
    assert_eq!(shown(&wide, WITHIN), ["a/2026-03-04 2026-03-04T19:00"]);
    let never = feed(&[&format!("{NY}20260304T140000\nRRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=9")]);
    assert_eq!(shown(&never, WITHIN), ["a/2026-03-04 2026-03-04T19:00"]);
}

#[test]
fn four_mebibytes_of_events_end_with_a_reason() {
    let many = |lines: &str, most: usize| {
        let event = format!("BEGIN:VEVENT\nUID:u\nSUMMARY:X\nX-IMPACT:high\n{lines}\nEND:VEVENT\n");
        let count = ((4 << 20) / event.len()).min(most);
        format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", event.repeat(count))
    };
    let within = Within::all_until(Ts::from_civil(2026, 1, 1, 0, 0, 0));
    let of = |text: &str| parse(text, Format::Ics, "test", Known::At(Ts(0)), within, &NewYork);
    for lines in ["DTSTART:20260304T140000Z", "DTSTART:19000101T140000Z\nRRULE:FREQ=DAILY;COUNT=1000000000"] {
        let why = of(&many(lines, usize::MAX)).unwrap_err();
        assert!(why.contains("4096 are read at most"), "{why}");
    }
    // As many as may be, each with rules that take long: some are read, and the others are refused.
    let cases = [
        ("DTSTART:20100101T140000Z\nRRULE:FREQ=DAILY", "more than 4096 events"),
        ("DTSTART:17000101T140000Z\nRRULE:FREQ=DAILY;COUNT=1000000000", "more than 1000000 days"),
        ("DTSTART:17000101T140000Z\nRRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=9", "more than 1000000 days"),
    ];
    for (lines, why) in cases {
        let parsed = of(&many(lines, 4_000)).unwrap();
        assert!(parsed.entries.len() <= 4_096 && parsed.refused.len() > 3_000, "{lines}");
        assert!(parsed.refused.last().is_some_and(|r| r.why.contains(why)), "{lines}: {:?}", parsed.refused.last());
    }
    let list = format!("{NY}20260304T140000\nRDATE:{}20260305T140000Z", "20260304T140000Z,".repeat(200_000));
    assert_eq!(read(&feed(&[&list]), Format::Ics).entries.len(), 3);
}
