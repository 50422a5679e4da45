//! Calendars in every format say the same; what is wrong is refused with its place and the rest is read.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod feeds;
mod shipped;

use barograph_domain::{Impact, Span, Ts};
use barograph_venues::calendar::{Format, Known, Parsed, Within, Zones, parse, usual};

/// New York as the law of 2007 has it: four hours behind from the second Sunday of March to the first of November.
struct NewYork;

impl Zones for NewYork {
    fn instant(&self, local: Ts, zone: &str) -> Option<Ts> {
        let (year, ..) = local.civil();
        let sunday = |month: i64, from: i64| {
            let first = Ts::from_civil(year, month, from, 2, 0, 0);
            let weekday = (first.0.div_euclid(Span::days(1).0) + 4).rem_euclid(7);
            first + Span::days((7 - weekday) % 7)
        };
        let summer = local >= sunday(3, 8) && local < sunday(11, 1);
        (zone == "America/New_York").then(|| local + Span::hours(if summer { 4 } else { 5 }))
    }
}

/// Read on 1 January 2026.
const WITHIN: Within = Within::from_now(Ts::from_civil(2026, 1, 1, 0, 0, 0));

fn read(text: &str, format: Format) -> Parsed {
    parse(text, format, "test", Known::At(Ts::from_civil(2026, 1, 1, 0, 0, 0)), WITHIN, &NewYork).unwrap()
}

const TOML: &str = r#"
[[event]]
name = "FOMC statement"
id = "fomc-2026-03"
at = "2026-03-18 14:00"
zone = "America/New_York"
impact = "high"

[[event]]
name = "CPI, February"
id = "cpi-2026-02"
at = 2026-03-11
known = "2025-12-01"

[[event]]
name = "Retail sales"
id = "retail-2026-01"
at = "2026-02-17T13:30:00Z"
impact = "medium"
cancelled = true
"#;

const CSV: &str = "name,id,date,time,zone,impact,known,status,note\r\n\
    FOMC statement,fomc-2026-03,2026-03-18,14:00,America/New_York,high,,,kept apart\r\n\
    \"CPI, February\",cpi-2026-02,2026-03-11,08:30,America/New_York,HIGH,2025-12-01,,\r\n\
    \r\n\
    Retail sales,retail-2026-01,2026-02-17,13:30Z,,medium,,cancelled,\"with a \"\"quote\"\"\"\r\n";

const JSON: &str = r#"{"events": [
    {"title": "FOMC statement", "id": "fomc-2026-03", "date": "2026-03-18T14:00", "tz": "America/New_York", "impact": "high"},
    {"name": "CPI, February", "id": "cpi-2026-02", "at": "2026-03-11", "known": "2025-12-01"},
    {"name": "Retail sales", "id": "retail-2026-01", "at": "2026-02-17T13:30:00Z", "impact": "medium", "cancelled": true}
]}"#;

const ICS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:America/New_York\r\nBEGIN:STANDARD\r\n\
    DTSTART:19701101T020000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
    BEGIN:VEVENT\r\nUID:fomc-2026-03\r\nDTSTART;TZID=\"America/New_York\":20260318T140000\r\nSUMMARY:FOMC \r\n statement\r\n\
    PRIORITY:1\r\nBEGIN:VALARM\r\nSUMMARY:not the name\r\nEND:VALARM\r\nEND:VEVENT\r\n\
    BEGIN:VEVENT\r\nUID:cpi-2026-02\r\nDTSTART;VALUE=DATE:20260311\r\nSUMMARY:CPI\\, February\r\nX-KNOWN:20251201\r\nEND:VEVENT\r\n\
    BEGIN:VEVENT\r\nUID:retail-2026-01\r\nDTSTART:20260217T133000Z\r\nSUMMARY:Retail sales\r\nCATEGORIES:US,Medium\r\n\
    STATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[test]
fn the_same_calendar_in_every_format() {
    for (format, name, text) in [
        (Format::Toml, "a.toml", TOML),
        (Format::Csv, "a.csv", CSV),
        (Format::Json, "a.json", JSON),
        (Format::Ics, "a.ics", ICS),
    ] {
        assert_eq!((Format::of(name, ""), Format::of("feed", text)), (format, format));
        let parsed = read(text, format);
        assert_eq!(parsed.refused, [], "{format:?}");
        let got: Vec<_> = parsed
            .entries
            .iter()
            .map(|e| (e.id.as_str(), e.name.as_str(), e.impact, e.at.iso(), e.known_ts.iso(), e.cancelled))
            .collect();
        let now = || "2026-01-01T00:00:00Z".to_owned();
        let want = [
            // Daylight saving has begun on the eighth: 14:00 in New York is 18:00 UTC, 08:30 is 12:30.
            (
                "cpi-2026-02",
                "CPI, February",
                Impact::High,
                "2026-03-11T12:30:00Z".to_owned(),
                "2025-12-01T00:00:00Z".to_owned(),
                false,
            ),
            ("retail-2026-01", "Retail sales", Impact::Medium, "2026-02-17T13:30:00Z".to_owned(), now(), true),
            ("fomc-2026-03", "FOMC statement", Impact::High, "2026-03-18T18:00:00Z".to_owned(), now(), false),
        ];
        assert_eq!(got, want, "{format:?}");
    }
}

#[test]
fn a_date_alone_has_a_time_where_the_hour_is_fixed_and_winter_is_an_hour_later() {
    let parsed = read("name,at\nFOMC,2026-01-28\nNonfarm payrolls,2026-07-02\nFOMC minutes,2026-02-18\n", Format::Csv);
    let at: Vec<String> = parsed.entries.iter().map(|e| e.at.iso()).collect();
    assert_eq!(at, ["2026-01-28T19:00:00Z", "2026-07-02T12:30:00Z"]);
    assert_eq!(parsed.entries[0].id, "fomc-2026-01-28");
    assert_eq!(parsed.refused.len(), 1);
    assert!(parsed.refused[0].number == 3 && parsed.refused[0].why.contains("no time of day"), "{:?}", parsed.refused);
    assert_eq!(usual("Fed rate decision").map(|(t, ..)| t), Some(Span::hours(14)));
    assert!(usual("Retail sales").is_none() && usual("scpi").is_none());
}

#[test]
fn the_array_of_a_release_list_is_read_too() {
    let parsed = read(r#"[["2026-03-18", "FOMC Meeting", "high"], ["2026-03-12", "PPI", "medium"]]"#, Format::Json);
    assert_eq!(parsed.entries.len(), 1);
    assert_eq!((parsed.entries[0].at.iso().as_str(), parsed.refused[0].number), ("2026-03-18T18:00:00Z", 2));
}

#[test]
fn what_is_wrong_is_refused_with_the_reason_and_the_rest_is_read() {
    let cases = [
        ("X,2026-03-18 14:00,,high", "does not say where it is local"),
        ("X,2026-03-18 14:00,Mars/Olympus,high", "is no time zone"),
        ("X,2026-03-18 14:00Z,America/New_York,high", "write one of them"),
        ("X,2026-02-30 14:00Z,,high", "is not a time"),
        ("X,2026-03-18 14:00Z,,huge", "is no impact"),
        ("X,2026-03-18 14:00Z,,", "has no impact"),
        (",2026-03-18 14:00Z,,high", "needs a name"),
        ("X,,,high", "has no time"),
        ("FINE,2026-03-19 14:00Z,,high", "is there twice"),
    ];
    for (line, why) in cases {
        let parsed = read(&format!("name,at,zone,impact\nFINE,2026-03-19 14:00Z,,high\n{line}\n"), Format::Csv);
        assert_eq!(parsed.entries.len(), 1, "{line}");
        assert!(parsed.refused[0].why.contains(why), "{line}: {:?}", parsed.refused);
    }
}

#[test]
fn a_text_that_is_no_calendar_says_so() {
    let cases = [
        (Format::Toml, "a = 1", "no [[event]]"),
        (Format::Toml, "[[event]\n", "not TOML"),
        (Format::Toml, "[[event]]\nname = \"X\"\nwhen = 1\n", "'when' is no field"),
        (Format::Csv, "a,b\n1,2\n", "must name the columns"),
        (Format::Csv, "name,at\n\"open,1\n", "never closed"),
        (Format::Json, "{", "not JSON"),
        (Format::Json, "{}", "without an 'events'"),
        (Format::Ics, "<html>", "not iCalendar"),
        (Format::Ics, "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\n", "cut off"),
    ];
    for (format, text, why) in cases {
        let got = parse(text, format, "test", Known::At(Ts(0)), WITHIN, &NewYork).unwrap_err();
        assert!(got.contains(why), "{text}: {got}");
    }
}

#[test]
fn entries_of_a_replay_are_known_as_long_before_as_is_declared() {
    let parsed =
        parse("name,at\nFOMC,2026-01-28\n", Format::Csv, "f", Known::Ahead(Span::days(7)), WITHIN, &NewYork).unwrap();
    assert_eq!(parsed.entries[0].known_ts.iso(), "2026-01-21T19:00:00Z");
}
