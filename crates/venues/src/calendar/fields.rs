//! From named fields to an entry: one set of rules for every format.

use barograph_domain::{CalendarEntry, Impact, Span, Ts};
use std::collections::BTreeSet;

/// Rules of time zones, from outside: they change by law.
pub trait Zones {
    /// The instant of a local time (given as if it were UTC) in the zone of this IANA name. Of a time that happens twice, the first;
    /// a time that is skipped is read with the offset before the change. `None` for a zone that is not known.
    fn instant(&self, local: Ts, zone: &str) -> Option<Ts>;
}

/// The text formats of a calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `[[event]]` tables.
    Toml,
    /// A header line and one event per line.
    Csv,
    /// An array of objects, or an object with an `events` array.
    Json,
    /// iCalendar (RFC 5545).
    Ics,
}

impl Format {
    /// The format of a file name or URL path by its ending; else by what the text begins with.
    #[must_use]
    pub fn of(name: &str, text: &str) -> Self {
        let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        match ending.as_str() {
            "toml" => return Self::Toml,
            "csv" => return Self::Csv,
            "json" => return Self::Json,
            "ics" | "ical" | "ifb" | "icalendar" => return Self::Ics,
            _ => {}
        }
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.get(..15).is_some_and(|t| t.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
            Self::Ics
        } else if text.starts_with("[[") || text.lines().next().is_some_and(|l| !l.contains(',') && l.contains('=')) {
            Self::Toml
        } else if text.starts_with(['[', '{']) {
            Self::Json
        } else {
            Self::Csv
        }
    }

    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Toml => "TOML",
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Ics => "iCalendar",
        }
    }
}

/// When entries count as known that do not say it themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// From this instant on: the moment they were read, for a running process.
    At(Ts),
    /// This long before they happen: the declared assumption of a replay, for events whose dates are published ahead.
    Ahead(Span),
}

/// The time within which instances of repeating events are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Within {
    /// The first moment.
    pub from: Ts,
    /// The last moment.
    pub to: Ts,
}

impl Within {
    /// How far ahead instances are read: a year, and a month for what is set early.
    pub const AHEAD: Span = Span::days(400);

    /// What a running process needs at `now`: what is to come, and the day behind it.
    #[must_use]
    pub const fn from_now(now: Ts) -> Self {
        Self { from: Ts(now.0.saturating_sub(Span::days(1).0)), to: Ts(now.0.saturating_add(Self::AHEAD.0)) }
    }

    /// What runs over files need at `now`: everything since 2019, when most archives of perpetual swaps begin. The beginning is fixed so
    /// that a run does not depend on its day, and late enough that an event of every day fits into the engine's calendar.
    #[must_use]
    pub const fn all_until(now: Ts) -> Self {
        Self { from: Ts::from_civil(2019, 1, 1, 0, 0, 0), to: Self::from_now(now).to }
    }
}

/// An entry that could not be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Which entry of the text, from 1.
    pub number: usize,
    /// What is wrong and what to write instead.
    pub why: String,
}

/// What a text held.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parsed {
    /// Entries, by the moment they became known, then by time.
    pub entries: Vec<CalendarEntry>,
    /// The others.
    pub refused: Vec<Refused>,
}

/// One event as a text names it; every format fills these.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Fields {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) impact: String,
    /// Date, or date and time, as written.
    pub(super) at: String,
    /// Time of day, where it is written apart.
    pub(super) time: String,
    pub(super) zone: String,
    pub(super) source: String,
    pub(super) known: String,
    pub(super) cancelled: String,
}

/// One event of a text with its number from 1. Instances of one that repeats share its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Numbered {
    pub(super) number: usize,
    pub(super) fields: Result<Fields, String>,
    /// Counts only within the time that is read.
    pub(super) repeats: bool,
}

/// Local time and zone of releases whose hour is fixed, and their impact: statements of the Federal Open Market Committee come
/// at 14:00, the Labor Department's consumer prices and payrolls at 08:30, both New York time.
#[must_use]
pub fn usual(name: &str) -> Option<(Span, &'static str, Impact)> {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(str::to_ascii_uppercase)
        .filter(|w| !w.is_empty())
        .collect();
    let has = |w: &str| words.iter().any(|x| x == w);
    let both = |a: &str, b: &str| words.windows(2).any(|w| w[0] == a && w[1] == b);
    let new_york = "America/New_York";
    if (has("FOMC") && !has("MINUTES")) || both("RATE", "DECISION") && has("FED") {
        return Some((Span::hours(14), new_york, Impact::High));
    }
    if has("CPI") || has("NFP") || both("NONFARM", "PAYROLLS") || both("EMPLOYMENT", "SITUATION") {
        return Some((Span::mins(8 * 60 + 30), new_york, Impact::High));
    }
    None
}

/// Reads a calendar. Instances of repeating events (iCalendar) are those `within` a time; whatever else a text names is read whole.
///
/// # Errors
/// A sentence when the text as a whole is not of the format; entries that are wrong one by one are in the answer.
pub fn parse(
    text: &str,
    format: Format,
    source: &str,
    known: Known,
    within: Within,
    zones: &dyn Zones,
) -> Result<Parsed, String> {
    let text = text.trim_start_matches('\u{feff}');
    let raw = match format {
        Format::Toml => super::tables::toml(text)?,
        Format::Csv => super::tables::csv(text)?,
        Format::Json => super::tables::json(text)?,
        Format::Ics => {
            return super::ics::read(text, within, zones, |list, zones| checked(list, source, known, within, zones));
        }
    };
    let list = (1..).zip(raw).map(|(number, fields)| Numbered { number, fields: Ok(fields), repeats: false });
    Ok(checked(list.collect(), source, known, within, zones))
}

fn checked(list: Vec<Numbered>, source: &str, known: Known, within: Within, zones: &dyn Zones) -> Parsed {
    let mut parsed = Parsed::default();
    let mut seen = BTreeSet::new();
    for Numbered { number, fields, repeats } in list {
        let read = fields.and_then(|f| entry(&f, source, known, zones));
        if repeats && read.as_ref().is_ok_and(|e| e.at < within.from || e.at > within.to) {
            continue;
        }
        // Two entries of one event known at one moment contradict each other or say the same twice: the first is kept.
        let read = read.and_then(|e| {
            let first = seen.insert((e.id.clone(), e.known_ts));
            if first {
                Ok(e)
            } else {
                Err(format!("'{}' is there twice; give each event its own id, and each revision its own 'known'", e.id))
            }
        });
        match read {
            Ok(entry) => parsed.entries.push(entry),
            // What is wrong with one instance is wrong with the others.
            Err(_) if parsed.refused.last().is_some_and(|r| r.number == number) => {}
            Err(why) => parsed.refused.push(Refused { number, why }),
        }
    }
    parsed.entries.sort_by(|a, b| (a.known_ts, a.at, &a.id).cmp(&(b.known_ts, b.at, &b.id)));
    parsed
}

fn entry(f: &Fields, source: &str, known: Known, zones: &dyn Zones) -> Result<CalendarEntry, String> {
    let name = f.name.trim();
    if name.is_empty() {
        return Err("an event needs a name".to_owned());
    }
    if name.len() > 200 || f.id.len() > 200 {
        return Err(format!("'{}…' is too long; at most 200 bytes", name.chars().take(30).collect::<String>()));
    }
    let usual = usual(name);
    let at = instant(f, name, usual.map(|(time, zone, _)| (time, zone)), zones)?;
    let impact = match f.impact.trim() {
        "" => usual
            .map(|(.., impact)| impact)
            .ok_or_else(|| format!("'{name}' has no impact; write impact = \"high\", \"medium\" or \"low\""))?,
        word => Impact::from_name(word)
            .ok_or_else(|| format!("'{word}' of '{name}' is no impact; write high, medium or low"))?,
    };
    let known_ts = match (f.known.trim(), known) {
        ("", Known::At(t)) => t,
        ("", Known::Ahead(span)) => at - span,
        (text, _) => Ts::parse(text)?,
    };
    let cancelled = match f.cancelled.trim().to_ascii_lowercase().as_str() {
        "" | "false" | "no" | "confirmed" | "tentative" => false,
        "true" | "yes" | "cancelled" => true,
        word => return Err(format!("'{word}' of '{name}' does not say whether it is cancelled; write true or false")),
    };
    let id = if f.id.trim().is_empty() { id_of(name, at) } else { f.id.trim().to_owned() };
    let source = if f.source.trim().is_empty() { source } else { f.source.trim() };
    Ok(CalendarEntry { id, name: name.to_owned(), impact, at, source: source.to_owned(), known_ts, cancelled })
}

/// Words of the name and the day: the same event of the same day, however often it is read.
fn id_of(name: &str, at: Ts) -> String {
    let words: Vec<String> =
        name.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
    format!("{}-{}", words.join("-"), &at.iso()[..10])
}

fn instant(f: &Fields, name: &str, usual: Option<(Span, &'static str)>, zones: &dyn Zones) -> Result<Ts, String> {
    let (at, time, zone) = (f.at.trim(), f.time.trim(), f.zone.trim());
    if at.is_empty() {
        return Err(format!("'{name}' has no time; write at = \"2026-03-18 14:00\" and zone = \"America/New_York\""));
    }
    let in_zone = |local: Ts, zone: &str| {
        let known = match zone {
            "UTC" | "Z" | "GMT" | "Etc/UTC" => Some(local),
            _ => zones.instant(local, zone),
        };
        known
            .ok_or_else(|| format!("'{zone}' of '{name}' is no time zone; write its IANA name, as in America/New_York"))
    };
    let date_only = at.len() == 10;
    match (date_only, time, zone) {
        (true, "", _) => {
            let day = Ts::parse(at)?;
            let (time, at_zone) = usual.ok_or_else(|| {
                format!("'{name}' on {at} has no time of day; only FOMC, CPI and NFP are known to keep theirs")
            })?;
            in_zone(day + time, if zone.is_empty() { at_zone } else { zone })
        }
        (true, time, zone) => located(&format!("{at} {time}"), zone, name, in_zone),
        (false, "", zone) => located(at, zone, name, in_zone),
        (false, ..) => Err(format!("'{name}' gives its time twice: '{at}' and '{time}'")),
    }
}

/// A date and time: with its own offset, or local in a zone.
fn located(text: &str, zone: &str, name: &str, in_zone: impl Fn(Ts, &str) -> Result<Ts, String>) -> Result<Ts, String> {
    let tail = text.get(11..).unwrap_or_default();
    let has_offset = tail.contains(['Z', 'z', '+', '-']) || tail.ends_with("UTC");
    match (has_offset, zone.is_empty()) {
        (true, true) => Ts::parse(text),
        (false, false) => in_zone(Ts::parse(text)?, zone),
        (true, false) => Err(format!("'{text}' of '{name}' has an offset and a zone; write one of them")),
        (false, true) => Err(format!(
            "'{text}' of '{name}' does not say where it is local; add zone = \"America/New_York\", or Z for UTC"
        )),
    }
}
