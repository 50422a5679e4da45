//! From events that repeat to the instances of each within a time (RFC 5545 §3.8.5, §3.8.4.4).
//!
//! An instance is named by its event's `UID` and the local day it was first set for, so it keeps its name when it is moved, called
//! off or given another hour, alone or with all others; one that was added for another hour of a day carries that hour too. A day
//! that is excluded is an instance that is called off: whoever knew of it learns that it is not coming.

use super::rule::{Allowance, Day, Rule, Until, day_of};
use super::{Component, Written, spelt_out};
use crate::calendar::Zones;
use crate::calendar::fields::{Fields, Numbered, Within};
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};
use std::collections::{BTreeMap, BTreeSet};

/// How far local days lie from those of UTC, and a day for what moves with a change of the clock.
const SLACK: Day = 2;

/// What a local time is local to.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Local {
    /// A day without a time.
    Day,
    Utc,
    Zone(String),
}

/// A time as iCalendar writes it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Stamp {
    local: Ts,
    of: Local,
}

impl Stamp {
    fn parse(value: &str, zone: &str) -> Result<Self, String> {
        // A period begins where its first half is.
        let text = spelt_out(value.split('/').next().unwrap_or_default());
        let wrong = || format!("'{}' is no date", text.chars().take(30).collect::<String>());
        let of = match (text.len(), text.ends_with('Z'), zone.is_empty()) {
            (10, ..) => Local::Day,
            (20, true, _) => Local::Utc,
            (19, false, false) => Local::Zone(zone.to_owned()),
            (19, false, true) => {
                return Err(format!("'{text}' does not name the zone it is local in; add TZID, or Z for UTC"));
            }
            _ => return Err(wrong()),
        };
        if !text.contains('-') {
            return Err(wrong());
        }
        Ok(Self { local: Ts::parse(&text).map_err(|_why| wrong())?, of })
    }

    /// Every date of a list.
    fn list<'a>(written: &'a [Written]) -> impl Iterator<Item = Result<Self, String>> + 'a {
        written.iter().flat_map(|w| w.value.split(',').map(|value| Self::parse(value.trim(), &w.zone)))
    }

    /// The instant; `None` for a day, or in a zone that is not known.
    fn instant(&self, zones: &dyn Zones) -> Option<Ts> {
        match &self.of {
            Local::Day => None,
            Local::Utc => Some(self.local),
            Local::Zone(zone) => zones.instant(self.local, zone),
        }
    }

    /// As entries are written.
    fn text(&self) -> String {
        let text = self.local.iso();
        match self.of {
            Local::Day => text[..10].to_owned(),
            Local::Utc => text,
            Local::Zone(_) => text.trim_end_matches('Z').to_owned(),
        }
    }
}

/// Days and instants that a list of dates names.
#[derive(Debug, Default)]
struct Named {
    days: BTreeSet<Day>,
    instants: BTreeSet<Ts>,
}

impl Named {
    /// Where the event has no time of day, the day counts alone; where a date has none, all instances of its day are meant.
    fn add(&mut self, stamp: &Stamp, start: &Stamp, zones: &dyn Zones) {
        if start.of == Local::Day || stamp.of == Local::Day {
            self.days.insert(day_of(stamp.local));
        }
        self.instants.extend(stamp.instant(zones));
    }

    fn has(&self, instance: &Stamp, zones: &dyn Zones) -> bool {
        self.days.contains(&day_of(instance.local))
            || instance.instant(zones).is_some_and(|at| self.instants.contains(&at))
    }
}

/// Every event, those that repeat as their instances within a time, in the order of the text.
pub(super) fn instances(events: Vec<Component>, within: Within, zones: &dyn Zones) -> Vec<Numbered> {
    let mut changed: BTreeMap<String, Vec<Written>> = BTreeMap::new();
    let mut first: BTreeMap<String, Component> = BTreeMap::new();
    for event in &events {
        match &event.instance {
            Some(written) if event.refused.is_none() => {
                changed.entry(event.fields.id.clone()).or_default().push(written.clone());
            }
            Some(_) => {}
            None if event.rules.is_empty() && event.dates.is_empty() => {}
            None => drop(first.entry(event.fields.id.clone()).or_insert_with(|| event.clone())),
        }
    }
    let mut allowance = Allowance::default();
    let mut list = Vec::new();
    for (number, event) in (1..).zip(events) {
        let read = match (event.refused, &event.instance) {
            (Some(why), _) => Err(why.to_owned()),
            (None, Some(written)) => one(&event, written, first.get(&event.fields.id), zones).map(|f| vec![f]),
            (None, None) if event.rules.is_empty() && event.dates.is_empty() => Ok(vec![event.fields.clone()]),
            (None, None) => {
                let changed = changed.get(&event.fields.id).map_or(&[][..], Vec::as_slice);
                repeated(&event, changed, within, zones, &mut allowance)
            }
        };
        // Single events and changed instances are named one by one, and there are no more of them than the text has.
        let repeats = event.instance.is_none() && !(event.rules.is_empty() && event.dates.is_empty());
        match read {
            Ok(fields) => list.extend(fields.into_iter().map(|f| Numbered { number, fields: Ok(f), repeats })),
            Err(why) => {
                let name: String = event.fields.name.chars().take(60).collect();
                list.push(Numbered { number, fields: Err(format!("'{name}': {why}")), repeats });
            }
        }
    }
    list
}

/// The instances of an event that repeats.
fn repeated(
    event: &Component,
    changed: &[Written],
    within: Within,
    zones: &dyn Zones,
    allowance: &mut Allowance,
) -> Result<Vec<Fields>, String> {
    let start = Stamp::parse(&event.fields.at, &event.fields.zone)?;
    let days = (day_of(within.from) - SLACK, day_of(within.to) + SLACK);
    let (mut elsewhere, mut excluded) = (Named::default(), Named::default());
    for stamp in Stamp::list(changed).flatten() {
        elsewhere.add(&stamp, &start, zones);
    }
    for stamp in Stamp::list(&event.excluded) {
        excluded.add(&stamp?, &start, zones);
    }
    let mut fields = Vec::new();
    for instance in set(event, &start, days, zones, allowance)? {
        if elsewhere.has(&instance, zones) {
            continue;
        }
        let mut one = fields_of(&event.fields, &instance, &start, zones);
        if excluded.has(&instance, zones) {
            "cancelled".clone_into(&mut one.cancelled);
        }
        fields.push(one);
    }
    Ok(fields)
}

/// Instances by the rule and those that are named beside it.
fn set(
    event: &Component,
    start: &Stamp,
    days: (Day, Day),
    zones: &dyn Zones,
    allowance: &mut Allowance,
) -> Result<Vec<Stamp>, String> {
    let rule = match event.rules.as_slice() {
        [] => None,
        [rule] => Some(Rule::parse(rule)?),
        _ => return Err("more than one RRULE is not followed; write an event for each".to_owned()),
    };
    let inside = |day: &Day| (days.0..=days.1).contains(day);
    let by_rule = match &rule {
        Some(rule) => rule.days(day_of(start.local), days, allowance)?,
        None => Some(day_of(start.local)).filter(inside).into_iter().collect(),
    };
    let mut list: Vec<Stamp> = by_rule
        .into_iter()
        .map(|day| Stamp { local: at_time_of(start, day), of: start.of.clone() })
        .filter(|s| is_in_time(s, rule.as_ref().and_then(|r| r.until), zones))
        .collect();
    for stamp in Stamp::list(&event.dates) {
        let stamp = stamp?;
        let stamp = if stamp.of == Local::Day {
            Stamp { local: at_time_of(start, day_of(stamp.local)), of: start.of.clone() }
        } else {
            stamp
        };
        if inside(&day_of(stamp.local)) && !list.contains(&stamp) {
            allowance.make()?;
            list.push(stamp);
        }
    }
    Ok(list)
}

/// The last instance is the one at `UNTIL` at the latest.
fn is_in_time(instance: &Stamp, until: Option<Until>, zones: &dyn Zones) -> bool {
    match until {
        None | Some(Until::Date(_)) => true,
        Some(Until::Local(at)) => instance.local <= at,
        // A day has no instant, and an event in a zone that is not known is refused later, with that as the reason.
        Some(Until::Utc(at)) => instance.instant(zones).is_none_or(|t| t <= at),
    }
}

fn at_time_of(start: &Stamp, day: Day) -> Ts {
    Ts(day.saturating_mul(DAY.0).saturating_add(time_of(start).0))
}

/// Local time of day.
fn time_of(stamp: &Stamp) -> Span {
    Span(stamp.local.0.rem_euclid(DAY.0))
}

fn fields_of(of: &Fields, instance: &Stamp, start: &Stamp, zones: &dyn Zones) -> Fields {
    let zone = match &instance.of {
        Local::Zone(zone) => zone.clone(),
        Local::Utc => String::new(),
        Local::Day => of.zone.clone(),
    };
    let id = if of.id.is_empty() { String::new() } else { format!("{}/{}", of.id, key(instance, start, zones)) };
    Fields { id, at: instance.text(), zone, ..of.clone() }
}

/// What names an instance beside the `UID`: its local day where it is at the event's time of day, else the time as well.
fn key(instance: &Stamp, start: &Stamp, zones: &dyn Zones) -> String {
    let same_hour = || {
        let at = instance.instant(zones)?;
        let days = day_of(at) - 1..=day_of(at) + 1;
        let at_start = |day: &Day| Stamp { local: at_time_of(start, *day), of: start.of.clone() }.instant(zones);
        days.into_iter().find(|day| at_start(day) == Some(at))
    };
    let is_day = instance.of == Local::Day || start.of == Local::Day;
    let own = instance.of == start.of && time_of(instance) == time_of(start);
    let day = if is_day || own { Some(day_of(instance.local)) } else { same_hour() };
    match day {
        Some(day) => Ts(day.saturating_mul(DAY.0)).iso()[..10].to_owned(),
        None => instance.text(),
    }
}

/// A changed instance: what it leaves out is the event's.
fn one(event: &Component, written: &Written, of: Option<&Component>, zones: &dyn Zones) -> Result<Fields, String> {
    let instance = Stamp::parse(&written.value, &written.zone)?;
    let start = match of {
        Some(of) => Stamp::parse(&of.fields.at, &of.fields.zone)?,
        None => instance.clone(),
    };
    let base = of.map_or(&event.fields, |of| &of.fields);
    let first = fields_of(&Fields { id: event.fields.id.clone(), ..base.clone() }, &instance, &start, zones);
    let mut fields = event.fields.clone();
    fields.id = first.id;
    if fields.at.is_empty() {
        (fields.at, fields.zone) = (first.at, first.zone);
    }
    for (own, from) in [(&mut fields.name, &base.name), (&mut fields.impact, &base.impact)] {
        if own.trim().is_empty() {
            from.clone_into(own);
        }
    }
    Ok(fields)
}
