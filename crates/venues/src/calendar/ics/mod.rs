//! iCalendar (RFC 5545) as far as a calendar of releases needs it: `VEVENT` with `UID`, `SUMMARY`, `DTSTART`, `STATUS`, `PRIORITY`,
//! `CATEGORIES`, repetitions (`RRULE`, `RDATE`, `EXDATE`, `RECURRENCE-ID`), and `VTIMEZONE`.
//!
//! Folded lines are joined, text escapes undone. Who sends the text, alarms, people and places are left out on purpose. Repetitions
//! are followed within the time that is read ([ADR 39](../../../../../docs/adr/0039-repetitions-are-followed-by-rules-of-our-own.md)).

mod rule;
mod series;
mod zones;

use super::Zones;
use super::fields::{Fields, Numbered, Within};
use zones::{FeedZones, Observance, WrittenZone};

/// Most events of a text, instances counted: as many as the engine's calendar holds. Of more, the oldest would leave it and be new again
/// at each reading.
const EVENTS_MAX: usize = 4_096;

/// What a text holds, one `VEVENT` after another.
#[derive(Debug, Default)]
struct Feed {
    events: Vec<Component>,
    zones: Vec<WrittenZone>,
    /// `X-WR-TIMEZONE`: where times without a zone are local.
    zone: String,
}

/// A `VEVENT` as written.
#[derive(Clone, Debug, Default)]
struct Component {
    fields: Fields,
    rules: Vec<String>,
    /// `RDATE`, `EXDATE` and `RECURRENCE-ID`, each with the zone it is local in.
    dates: Vec<Written>,
    excluded: Vec<Written>,
    instance: Option<Written>,
    /// Why the event is not followed.
    refused: Option<&'static str>,
}

/// A date or a list of dates, spelt as they came.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Written {
    value: String,
    zone: String,
}

/// Reads the events, instances of repeating ones within a time, and hands them on with the zones they are local in.
///
/// # Errors
/// A text that is no calendar, or holds more than is kept of one.
pub(super) fn read<T>(
    text: &str,
    within: Within,
    zones: &dyn Zones,
    then: impl FnOnce(Vec<Numbered>, &dyn Zones) -> T,
) -> Result<T, String> {
    let feed = feed(text)?;
    let zones = FeedZones::new(zones, &feed.zones);
    let list = series::instances(feed.events, within, &zones);
    few_enough(list.iter().filter(|n| n.fields.is_ok()).count())?;
    Ok(then(list, &zones))
}

fn few_enough(count: usize) -> Result<(), String> {
    if count > EVENTS_MAX {
        return Err(format!(
            "it has {count} events, and {EVENTS_MAX} are read at most; use a feed of fewer, for example one of high impact alone"
        ));
    }
    Ok(())
}

fn feed(text: &str) -> Result<Feed, String> {
    let lines = unfolded(text);
    if !lines.first().is_some_and(|l| l.trim().eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err("not iCalendar: the first line is not BEGIN:VCALENDAR".to_owned());
    }
    let mut feed = Feed::default();
    let mut open: Option<Component> = None;
    let mut zone: Option<WrittenZone> = None;
    // Alarms lie within events; what is in them is not the event's.
    let mut inner = 0_u32;
    for line in &lines {
        let Some((name, parameters, value)) = property(line) else { continue };
        match (name.as_str(), &mut open, &mut zone) {
            ("BEGIN", None, None) if value.eq_ignore_ascii_case("VEVENT") => open = Some(Component::default()),
            ("BEGIN", None, None) if value.eq_ignore_ascii_case("VTIMEZONE") => zone = Some(WrittenZone::default()),
            ("BEGIN", Some(_), _) => inner += 1,
            ("END", Some(_), _) if inner > 0 => inner -= 1,
            ("END", Some(_), _) => feed.events.extend(open.take()),
            (_, Some(event), _) if inner == 0 => take(event, &name, &parameters, value),
            ("BEGIN", None, Some(zone)) => zone.observances.push(Observance::default()),
            ("END", None, Some(_)) if value.eq_ignore_ascii_case("VTIMEZONE") => feed.zones.extend(zone.take()),
            (_, None, Some(zone)) => of_zone(zone, &name, value),
            ("X-WR-TIMEZONE", None, None) => value.trim().clone_into(&mut feed.zone),
            _ => {}
        }
    }
    if open.is_some() {
        return Err("not iCalendar: the last event has no END:VEVENT; is the file cut off?".to_owned());
    }
    // Before anything is made of them.
    few_enough(feed.events.len())?;
    for event in &mut feed.events {
        localise(event, &feed.zone);
    }
    Ok(feed)
}

/// Lines with their continuations joined (RFC 5545 §3.1).
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some(last)) => last.push_str(more),
            _ if line.trim().is_empty() => {}
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// What stands between a property's name and its value.
type Parameters = Vec<(String, String)>;

/// `NAME;PARAM=a;PARAM="b:c":value`.
fn property(line: &str) -> Option<(String, Parameters, &str)> {
    let mut quoted = false;
    let colon = line.char_indices().find_map(|(i, c)| match c {
        '"' => {
            quoted = !quoted;
            None
        }
        ':' if !quoted => Some(i),
        _ => None,
    })?;
    let (head, value) = (&line[..colon], &line[colon + 1..]);
    let mut parts = head.split(';');
    let name = parts.next()?.trim().to_ascii_uppercase();
    let parameters = parts
        .filter_map(|p| p.split_once('='))
        .map(|(k, v)| (k.trim().to_ascii_uppercase(), v.trim_matches('"').to_owned()))
        .collect();
    Some((name, parameters, value))
}

fn parameter<'a>(parameters: &'a Parameters, name: &str) -> &'a str {
    parameters.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str())
}

fn take(event: &mut Component, name: &str, parameters: &Parameters, value: &str) {
    let fields = &mut event.fields;
    let zone = || parameter(parameters, "TZID").trim_start_matches('/').to_owned();
    let written = || Written { value: value.trim().to_owned(), zone: zone() };
    match name {
        "UID" => fields.id = unescaped(value),
        "SUMMARY" => fields.name = unescaped(value),
        "STATUS" => fields.cancelled = value.to_owned(),
        "DTSTART" => {
            fields.at = spelt_out(value);
            fields.zone = zone();
        }
        // RFC 5545 §3.8.1.9: 1 to 4 high, 5 medium, 6 to 9 low, 0 unsaid.
        "PRIORITY" if fields.impact.is_empty() => {
            fields.impact = match value.trim() {
                "1" | "2" | "3" | "4" => "high",
                "5" => "medium",
                "6" | "7" | "8" | "9" => "low",
                _ => "",
            }
            .to_owned();
        }
        "X-IMPACT" => value.trim().clone_into(&mut fields.impact),
        "CATEGORIES" => {
            let word = value.split(',').map(str::trim).find_map(barograph_domain::Impact::from_name);
            if let Some(impact) = word {
                impact.name().clone_into(&mut fields.impact);
            }
        }
        "X-KNOWN" => fields.known = spelt_out(value),
        "RRULE" => event.rules.push(value.to_owned()),
        "RDATE" => event.dates.push(written()),
        "EXDATE" => event.excluded.push(written()),
        "EXRULE" => event.refused = Some("an EXRULE is not followed; write EXDATE"),
        "RECURRENCE-ID" => {
            event.instance = Some(written());
            if parameter(parameters, "RANGE").eq_ignore_ascii_case("THISANDFUTURE") {
                event.refused =
                    Some("a change of an instance and all after it is not followed; write an event of its own");
            }
        }
        _ => {}
    }
}

fn of_zone(zone: &mut WrittenZone, name: &str, value: &str) {
    match (name, zone.observances.last_mut()) {
        ("TZID", None) => value.trim().trim_start_matches('/').clone_into(&mut zone.name),
        ("X-LIC-LOCATION", _) => value.trim().clone_into(&mut zone.location),
        ("DTSTART", Some(o)) => value.trim().clone_into(&mut o.start),
        ("TZOFFSETFROM", Some(o)) => value.trim().clone_into(&mut o.from),
        ("TZOFFSETTO", Some(o)) => value.trim().clone_into(&mut o.to),
        ("RRULE", Some(o)) => value.trim().clone_into(&mut o.rule),
        ("RDATE", Some(o)) => o.dates.push(value.trim().to_owned()),
        _ => {}
    }
}

/// Times without a zone are local where the whole calendar is; a date alone has no zone.
fn localise(event: &mut Component, zone: &str) {
    let fill = |at: &str, own: &mut String| {
        if own.is_empty() && at.len() > 10 && !at.ends_with('Z') {
            zone.clone_into(own);
        }
    };
    fill(&event.fields.at, &mut event.fields.zone);
    for written in event.dates.iter_mut().chain(&mut event.excluded).chain(&mut event.instance) {
        fill(&written.value, &mut written.zone);
    }
}

/// `20260318T140000Z` as `2026-03-18T14:00:00Z`, `20260318` as `2026-03-18`; anything else stays as it is and is refused later.
fn spelt_out(value: &str) -> String {
    let v = value.trim();
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let date = |d: &str| format!("{}-{}-{}", &d[..4], &d[4..6], &d[6..8]);
    match (v.is_ascii(), v.len()) {
        (true, 8) if digits(v) => date(v),
        (true, 15 | 16) if digits(&v[..8]) && &v[8..9] == "T" && digits(&v[9..15]) && matches!(&v[15..], "" | "Z") => {
            format!("{}T{}:{}:{}{}", date(v), &v[9..11], &v[11..13], &v[13..15], &v[15..])
        }
        _ => v.to_owned(),
    }
}

/// Text escapes undone (RFC 5545 §3.3.11).
fn unescaped(value: &str) -> String {
    let mut text = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n' | 'N') => text.push(' '),
                Some(other) => text.push(other),
                None => {}
            },
            (c, false) => text.push(c),
        }
    }
    text
}
