//! Zones as iCalendar names them: by an IANA name, by what programs of other houses call it, or by the rules a `VTIMEZONE` carries
//! (RFC 5545 §3.6.5).
//!
//! Where the house has rules for a zone those count, so that one feed and another say the same; the rules a text carries are read for
//! the zones that are left. Names of Windows are those of the Unicode CLDR table `windowsZones`, for the zones the house writes.

use super::rule::{Allowance, Day, Rule, day_of};
use crate::calendar::Zones;
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};
use std::collections::BTreeMap;

/// What Windows and Outlook call the zones that the house writes.
const WINDOWS: [(&str, &str); 10] = [
    ("Eastern Standard Time", "America/New_York"),
    ("US/Eastern", "America/New_York"),
    ("Central Standard Time", "America/Chicago"),
    ("US/Central", "America/Chicago"),
    ("GMT Standard Time", "Europe/London"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("China Standard Time", "Asia/Hong_Kong"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("Coordinated Universal Time", "UTC"),
];
/// Years whose changes of a zone are read from its own rules: crypto markets began after the first, and nothing is scheduled
/// beyond the last.
const YEARS: (i64, i64) = (2000, 2100);
/// Most zones whose own rules are read: there are about 40 sets of rules on earth.
const OWN_MAX: usize = 64;
/// Most changes of one zone: three for each of the years.
const CHANGES_MAX: usize = 300;

/// One stretch of a `VTIMEZONE`: `STANDARD` or `DAYLIGHT`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Observance {
    /// `DTSTART`, local by the offset before.
    pub(super) start: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) rule: String,
    /// Each `RDATE`.
    pub(super) dates: Vec<String>,
}

/// A `VTIMEZONE` as written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct WrittenZone {
    pub(super) name: String,
    /// `X-LIC-LOCATION`: the IANA name where the other is something else.
    pub(super) location: String,
    pub(super) observances: Vec<Observance>,
}

/// A moment from which another offset counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Change {
    /// The first local time read with the new offset: of times that come twice the first counts, those that are skipped are read
    /// with the offset before.
    local: Ts,
    to: Span,
}

/// The zones of one text over those of the house.
pub(super) struct FeedZones<'a> {
    house: &'a dyn Zones,
    locations: BTreeMap<String, String>,
    own: BTreeMap<String, (Span, Vec<Change>)>,
}

impl core::fmt::Debug for FeedZones<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FeedZones").field("locations", &self.locations).field("own", &self.own).finish_non_exhaustive()
    }
}

impl<'a> FeedZones<'a> {
    /// The zones a text may name. One whose rules cannot be read is none: what names it is refused.
    pub(super) fn new(house: &'a dyn Zones, written: &[WrittenZone]) -> Self {
        let (mut locations, mut own) = (BTreeMap::new(), BTreeMap::new());
        let mut allowance = Allowance::default();
        for zone in written.iter().take(OWN_MAX) {
            locations.insert(zone.name.clone(), zone.location.clone());
            allowance.instances = CHANGES_MAX;
            if let Ok(changes) = changes(zone, &mut allowance) {
                own.insert(zone.name.clone(), changes);
            }
        }
        Self { house, locations, own }
    }
}

impl Zones for FeedZones<'_> {
    fn instant(&self, local: Ts, zone: &str) -> Option<Ts> {
        let house = |name: &str| match name {
            "UTC" | "Z" | "GMT" | "Etc/UTC" => Some(local),
            _ => self.house.instant(local, name),
        };
        let location = self.locations.get(zone).map_or("", String::as_str);
        let by_name = [zone, location].into_iter().find_map(|name| {
            house(name).or_else(|| house(tail(name))).or_else(|| {
                let (_, iana) = WINDOWS.iter().find(|(windows, _)| *windows == name)?;
                house(iana)
            })
        });
        by_name.or_else(|| {
            let (first, changes) = self.own.get(zone)?;
            let at = changes.partition_point(|c| c.local <= local);
            let offset = at.checked_sub(1).map_or(*first, |i| changes[i].to);
            Some(local - offset)
        })
    }
}

/// `/example.org/20260101/America/New_York` as `America/New_York`.
fn tail(name: &str) -> &str {
    let mut slashes = name.char_indices().rev().filter(|(_, c)| *c == '/').map(|(i, _)| i);
    slashes.nth(1).map_or(name, |i| &name[i + 1..])
}

/// The offset before all changes, and the changes in order.
fn changes(zone: &WrittenZone, allowance: &mut Allowance) -> Result<(Span, Vec<Change>), String> {
    let mut list: Vec<(Change, Span)> = Vec::new();
    for observance in &zone.observances {
        let (from, to) = (offset(&observance.from)?, offset(&observance.to)?);
        let start = begun(&observance.start)?;
        let mut onsets = vec![start];
        if !observance.rule.is_empty() {
            let within =
                (day_of(Ts::from_civil(YEARS.0, 1, 1, 0, 0, 0)), day_of(Ts::from_civil(YEARS.1, 1, 1, 0, 0, 0)));
            let days = Rule::parse(&observance.rule)?.days(day_of(start), within, allowance)?;
            let time = start - Ts(day_of(start) * DAY.0);
            onsets.extend(days.into_iter().map(|day: Day| Ts(day * DAY.0) + time));
        }
        for date in observance.dates.iter().flat_map(|d| d.split(',')) {
            allowance.make()?;
            onsets.push(Ts::parse(&super::spelt_out(date))?);
        }
        let skipped = Span((to - from).0.max(0));
        list.extend(onsets.into_iter().map(|at| (Change { local: at + skipped, to }, from)));
    }
    list.sort_unstable();
    list.dedup();
    let first = list.first().map(|(_, from)| *from).ok_or("a zone without a rule")?;
    Ok((first, list.into_iter().map(|(change, _)| change).collect()))
}

/// The local beginning of a stretch. Outlook's is in 1601, before all instants: the rule is what counts, not its age.
fn begun(text: &str) -> Result<Ts, String> {
    let spelt = super::spelt_out(text);
    match spelt.strip_prefix("1601") {
        Some(rest) => Ts::parse(&format!("1970{rest}")),
        None => Ts::parse(&spelt),
    }
}

/// `-0500`, `+053000` (RFC 5545 §3.3.14).
fn offset(text: &str) -> Result<Span, String> {
    let wrong = || format!("'{}' is no offset", text.chars().take(30).collect::<String>());
    let digits = text.trim().strip_prefix(['+', '-']).ok_or_else(wrong)?;
    let is_number = digits.bytes().all(|b| b.is_ascii_digit()) && matches!(digits.len(), 4 | 6);
    if !is_number {
        return Err(wrong());
    }
    let part = |at: usize| digits.get(at..at + 2).and_then(|d| d.parse::<i64>().ok()).unwrap_or_default();
    let span = Span::secs(part(0) * 3_600 + part(2) * 60 + part(4));
    Ok(if text.trim().starts_with('-') { Span(-span.0) } else { span })
}
