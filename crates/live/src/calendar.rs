//! The economic calendar: where it is read, in which zones, and since when what it says may be used.
//!
//! A live process reads it at its start and every hour; what is new enters with the stamp of that moment. Over files an entry
//! that does not say since when it was known counts as known [`AHEAD`] before it happens: releases are dated long before.

use crate::Error;
use barograph_domain::{CalendarEntry, Span, Ts};
use barograph_engine::calendar::{Applied, Calendar};
use barograph_engine::sessions::Zone;
use barograph_venues::calendar::{Format, Known, Parsed, SHIPPED, Within, Zones, parse, shipped};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

/// How long before an event its date is taken to be known, over files.
pub(crate) const AHEAD: Span = Span::days(30);
/// Entries that could not be used which are named; the others are counted.
const NAMED_MAX: usize = 5;

/// Where a calendar is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CalendarSource {
    /// Within the program: decisions of the FOMC, US consumer prices and payrolls of 2026.
    Shipped,
    /// On the disk.
    File(PathBuf),
    /// At an address.
    Url(String),
}

impl CalendarSource {
    /// As set; none where nothing is.
    ///
    /// # Errors
    /// An address with a user name or a password before its host: it would be sent nowhere, and is not repeated.
    pub fn of(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        if text == SHIPPED {
            return Ok(Some(Self::Shipped));
        }
        let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
            return Ok((!text.is_empty()).then(|| Self::File(PathBuf::from(text))));
        };
        if rest.split(['/', '?', '#']).next().is_some_and(|place| place.contains('@')) {
            return Err("a user name or a password in an address is not supported; use an address without one, or a \
                        file that something else downloads"
                .to_owned());
        }
        Ok(Some(Self::Url(text.to_owned())))
    }

    /// What entries are said to come from: the name of the file, or the host.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Shipped => SHIPPED.to_owned(),
            Self::File(path) => path.file_name().map_or_else(|| "file".into(), |n| n.to_string_lossy()).into_owned(),
            Self::Url(url) => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
            }
        }
    }

    /// The host of the address, because what follows may hold a key; or the path.
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Shipped | Self::Url(_) => self.name(),
        }
    }

    /// A message about it that does not repeat what is not shown.
    pub(crate) fn redacted(&self, message: &str) -> String {
        match self {
            Self::Shipped | Self::File(_) => message.to_owned(),
            Self::Url(url) => message.replace(url.as_str(), &self.shown()),
        }
    }

    fn ending(&self) -> String {
        match self {
            Self::Shipped => String::new(),
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        }
    }
}

/// What a source holds whose text, where it is not within the program, is `text`.
fn read(source: &CalendarSource, text: &str, known: Known, within: Within) -> Result<Parsed, String> {
    match source {
        CalendarSource::Shipped => shipped(known, within, &Rules),
        CalendarSource::File(_) | CalendarSource::Url(_) => {
            parse(text, Format::of(&source.ending(), text), &source.name(), known, within, &Rules)
        }
    }
}

/// The entries of a text. Those that cannot be used are reported; the rest is read.
pub(crate) fn entries(
    source: &CalendarSource,
    text: &str,
    known: Known,
    within: Within,
) -> Result<Vec<CalendarEntry>, String> {
    let parsed = read(source, text, known, within).map_err(|why| format!("calendar: {why}"))?;
    let mut err = std::io::stderr().lock();
    for refused in parsed.refused.iter().take(NAMED_MAX) {
        drop(writeln!(err, "barograph: calendar entry {}: {}; it is left out", refused.number, refused.why));
    }
    if parsed.refused.len() > NAMED_MAX {
        drop(writeln!(err, "barograph: {} more calendar entries are left out", parsed.refused.len() - NAMED_MAX));
    }
    Ok(parsed.entries)
}

/// The calendar of the settings for a run over files at `now`; none where it is set to an address, which a live process reads.
pub fn of_files(setting: Option<&CalendarSource>, now: Ts) -> Result<Vec<CalendarEntry>, Error> {
    let Some(source) = setting else { return Ok(Vec::new()) };
    let Some(text) = text_of(source).map_err(|why| Error::refused(format!("calendar: {why}")))? else {
        return Ok(Vec::new());
    };
    entries(source, &text, Known::Ahead(AHEAD), Within::all_until(now)).map_err(Error::refused)
}

/// What a run over files reads of a source; `None` of an address.
fn text_of(source: &CalendarSource) -> Result<Option<String>, String> {
    match source {
        CalendarSource::Shipped => Ok(Some(String::new())),
        CalendarSource::File(path) => {
            std::fs::read_to_string(path).map(Some).map_err(|e| format!("cannot read {}: {e}", path.display()))
        }
        CalendarSource::Url(_) => Ok(None),
    }
}

/// Can the file be read that the setting names? Entries that cannot be used are reported where they are taken in, not here.
pub fn check_file(setting: Option<&CalendarSource>, now: Ts) -> Result<(), String> {
    let Some(source) = setting else { return Ok(()) };
    let Some(text) = text_of(source)? else { return Ok(()) };
    let parsed = read(source, &text, Known::Ahead(AHEAD), Within::all_until(now));
    parsed.map(|_| ()).map_err(|why| format!("cannot read {}: {why}", source.shown()))
}

/// A calendar of all these, each known when it says.
pub fn of_entries(mut entries: Vec<CalendarEntry>) -> Option<Calendar> {
    if entries.is_empty() {
        return None;
    }
    entries.sort_by(|a, b| (a.known_ts, a.at, &a.id).cmp(&(b.known_ts, b.at, &b.id)));
    let mut calendar = Calendar::default();
    for entry in entries {
        calendar.apply(entry);
    }
    Some(calendar)
}

/// Those of `entries` that say something new to a calendar at `at`, known from then on at the earliest. Of several that were
/// known by then of one event the newest alone counts: the others would be taken for words against it, hour after hour.
pub(crate) fn news(known: Option<&Calendar>, mut entries: Vec<CalendarEntry>, at: Ts) -> Vec<CalendarEntry> {
    let mut calendar = known.cloned().unwrap_or_default();
    let mut newest: BTreeMap<String, Ts> = BTreeMap::new();
    for e in entries.iter().filter(|e| e.known_ts <= at) {
        let held = newest.entry(e.id.clone()).or_insert(e.known_ts);
        *held = (*held).max(e.known_ts);
    }
    entries.retain(|e| e.known_ts > at || newest.get(&e.id) == Some(&e.known_ts));
    entries
        .into_iter()
        .map(|e| CalendarEntry { known_ts: e.known_ts.max(at), ..e })
        .filter(|e| matches!(calendar.apply(e.clone()), Applied::New | Applied::Revised))
        .collect()
}

/// Those of a file's entries that the stored ones, by when they were known, do not say yet.
///
/// A live process may have heard of an event already, later than a file takes it to be known. An entry that does not say
/// since when it was known and contradicts the last stored word is a correction: it is known just after that word.
pub fn not_stored(stored: &[CalendarEntry], of_file: &[CalendarEntry]) -> Vec<CalendarEntry> {
    let content = |e: &CalendarEntry| (e.at, e.impact, e.cancelled, e.name.clone());
    let alone = |e: &CalendarEntry| of_file.iter().filter(|other| other.id == e.id).count() == 1;
    let take = |e: &CalendarEntry| {
        let last = stored.iter().rfind(|k| k.id == e.id);
        if last.is_some_and(|k| content(k) == content(e)) {
            return None;
        }
        // A file that contradicts itself corrects nothing.
        let undated = e.known_ts == e.at - AHEAD && alone(e);
        if let Some(last) = last.filter(|k| undated && e.known_ts <= k.known_ts) {
            return Some(CalendarEntry { known_ts: last.known_ts + Span(1), ..e.clone() });
        }
        let is_known = stored.iter().any(|k| (&k.id, k.known_ts) == (&e.id, e.known_ts));
        (!is_known).then(|| e.clone())
    };
    of_file.iter().filter_map(take).collect()
}

/// The zones whose rules this program knows: those that sessions are written in.
struct Rules;

impl Zones for Rules {
    fn instant(&self, local: Ts, zone: &str) -> Option<Ts> {
        let zone = Zone::NAMES.iter().find(|(name, _)| *name == zone).map(|(_, z)| *z)?;
        let (before, after) = (zone.offset(local - Span::days(1)), zone.offset(local + Span::days(1)));
        let fits = |offset: Span| zone.offset(local - offset) == offset;
        let offset = if fits(before) || !fits(after) { before } else { after };
        Some(local - offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Impact;

    #[test]
    fn local_times_follow_the_rules_of_their_zone() {
        let at = |mo, d, h, mi| Ts::from_civil(2026, mo, d, h, mi, 0);
        for (local, zone, want) in [
            (at(3, 18, 14, 0), "America/New_York", Some(at(3, 18, 18, 0))),
            (at(1, 28, 14, 0), "America/New_York", Some(at(1, 28, 19, 0))),
            // 8 March: 02:30 is skipped, read with the offset before. 1 November: 01:30 comes twice, the first counts.
            (at(3, 8, 2, 30), "America/New_York", Some(at(3, 8, 7, 30))),
            (at(11, 1, 1, 30), "America/New_York", Some(at(11, 1, 5, 30))),
            (at(3, 8, 3, 0), "America/New_York", Some(at(3, 8, 7, 0))),
            (at(7, 1, 8, 0), "Europe/London", Some(at(7, 1, 7, 0))),
            (at(7, 1, 9, 0), "Asia/Tokyo", Some(at(7, 1, 0, 0))),
            (at(7, 1, 9, 0), "Mars/Olympus", None),
        ] {
            assert_eq!(Rules.instant(local, zone), want, "{local} {zone}");
        }
    }

    #[test]
    fn sources_are_told_apart_and_keep_secrets() {
        assert_eq!(CalendarSource::of(" "), Ok(None));
        assert_eq!(CalendarSource::of(" shipped "), Ok(Some(CalendarSource::Shipped)));
        let text = "https://calendar.example/feed.ics?key=s3cret";
        let url = CalendarSource::of(text).unwrap().unwrap();
        assert_eq!((url.name().as_str(), url.shown().as_str()), ("calendar.example", "calendar.example"));
        assert_eq!(url.redacted(&format!("address '{text}' is wrong")), "address 'calendar.example' is wrong");
        assert!(url.ending().ends_with(".ics"));
        assert_eq!(CalendarSource::of("a/b.csv").unwrap().unwrap().name(), "b.csv");
        assert_eq!(CalendarSource::of("mail@home.csv").unwrap().unwrap().name(), "mail@home.csv");
        for with_user in ["https://ann:s3cret@calendar.example/feed.ics", "http://s3cret@calendar.example?a=1"] {
            let why = CalendarSource::of(with_user).unwrap_err();
            assert!(why.contains("is not supported") && !why.contains("s3cret"), "{why}");
        }
    }

    #[test]
    fn only_what_is_new_enters_and_never_as_known_before() {
        let entry = |id: &str, known| CalendarEntry {
            id: id.to_owned(),
            name: id.to_owned(),
            impact: Impact::High,
            at: Ts(1_000),
            source: "x".to_owned(),
            known_ts: Ts(known),
            cancelled: false,
        };
        let first = news(None, vec![entry("a", 1), entry("b", 90)], Ts(50));
        assert_eq!(first.iter().map(|e| e.known_ts).collect::<Vec<_>>(), [Ts(50), Ts(90)]);
        let known = of_entries(first).unwrap();
        assert_eq!(news(Some(&known), vec![entry("a", 1), entry("b", 90), entry("c", 2)], Ts(60)).len(), 1);
        // Two revisions of one event, both long known: the newer counts, in whatever order, and is no news an hour later.
        let later = CalendarEntry { at: Ts(2_000), ..entry("d", 20) };
        for read in [[entry("d", 10), later.clone()], [later.clone(), entry("d", 10)]] {
            let first = news(None, read.to_vec(), Ts(50));
            assert_eq!(first.iter().map(|e| (e.at, e.known_ts)).collect::<Vec<_>>(), [(Ts(2_000), Ts(50))]);
            let known = of_entries(first).unwrap();
            assert_eq!(news(Some(&known), read.to_vec(), Ts(60)), []);
        }
    }

    #[test]
    fn a_correction_without_a_date_of_its_own_is_known_just_after_what_it_corrects() {
        let at = Ts::from_civil(2026, 3, 18, 18, 0, 0);
        let entry = |impact, at: Ts, known_ts| CalendarEntry {
            id: "fomc".to_owned(),
            name: "FOMC".to_owned(),
            impact,
            at,
            source: "x".to_owned(),
            known_ts,
            cancelled: false,
        };
        let known = at - AHEAD;
        let first = entry(Impact::Medium, at, known);
        assert_eq!(not_stored(&[], std::slice::from_ref(&first)), std::slice::from_ref(&first));
        assert_eq!(not_stored(std::slice::from_ref(&first), std::slice::from_ref(&first)), []);
        let corrected = entry(Impact::High, at, known);
        let stored = [first.clone(), entry(Impact::High, at, known + Span(1))];
        assert_eq!(not_stored(&stored[..1], std::slice::from_ref(&corrected)), stored[1..]);
        assert_eq!(not_stored(&stored, std::slice::from_ref(&corrected)), [], "once");
        let sooner = entry(Impact::High, at - Span::hours(1), known - Span::hours(1));
        assert_eq!(not_stored(&stored, std::slice::from_ref(&sooner))[0].known_ts, known + Span(2));
        // One with a date of its own is what it says, and nothing new where that date is taken.
        let dated = entry(Impact::Low, at, known + Span(1));
        assert_eq!(not_stored(&stored, std::slice::from_ref(&dated)), []);
        assert_eq!(not_stored(&stored, &[first, corrected]), [], "a file that contradicts itself");
    }
}
