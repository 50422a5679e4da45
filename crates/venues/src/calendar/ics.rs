//! iCalendar (RFC 5545) as far as a calendar of releases needs it: `VEVENT` with `UID`, `SUMMARY`, `DTSTART`, `STATUS`,
//! `PRIORITY`, `CATEGORIES`, `DTSTAMP` and `LAST-MODIFIED`.
//!
//! Folded lines are joined, text escapes undone. Repeating events (`RRULE`) are refused one by one: a release calendar names each
//! date, and guessing them would be worse. Zones defined inside the file are not read; their name must be an IANA name.

use super::fields::Fields;

pub(super) fn events(text: &str) -> Result<Vec<Fields>, String> {
    let lines = unfolded(text);
    if !lines.first().is_some_and(|l| l.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err("not iCalendar: the first line is not BEGIN:VCALENDAR".to_owned());
    }
    let mut list = Vec::new();
    let mut open: Option<Fields> = None;
    // Alarms and zones lie within events or beside them; what is in them is not the event's.
    let mut inner = 0_u32;
    for line in &lines {
        let Some((name, parameters, value)) = property(line) else { continue };
        match (name.as_str(), &mut open) {
            ("BEGIN", None) if value.eq_ignore_ascii_case("VEVENT") => open = Some(Fields::default()),
            ("BEGIN", Some(_)) => inner += 1,
            ("END", Some(_)) if inner > 0 => inner -= 1,
            ("END", Some(_)) => list.extend(open.take()),
            (_, Some(fields)) if inner == 0 => take(fields, &name, &parameters, value),
            _ => {}
        }
    }
    if open.is_some() {
        return Err("not iCalendar: the last event has no END:VEVENT; is the file cut off?".to_owned());
    }
    Ok(list)
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

fn take(fields: &mut Fields, name: &str, parameters: &Parameters, value: &str) {
    match name {
        "UID" => fields.id = unescaped(value),
        "SUMMARY" => fields.name = unescaped(value),
        "STATUS" => fields.cancelled = value.to_owned(),
        "DTSTART" => {
            fields.at = spelt_out(value);
            let zone = parameters.iter().find(|(k, _)| k == "TZID");
            fields.zone = zone.map(|(_, v)| v.trim_start_matches('/').to_owned()).unwrap_or_default();
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
        // A date that would have to be guessed.
        "RRULE" | "RDATE" => "a repeating event; name each date".clone_into(&mut fields.time),
        _ => {}
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
