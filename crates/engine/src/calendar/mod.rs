//! What is scheduled, as far as it is known: the next event that matters, and the blackout before it (features §2.6,
//! `minutes_to_event`; R2.55).
//!
//! Entries are revisions and are only ever added. Of an event the newest revision known by then counts; once its moment has passed
//! it is history and later revisions of it are refused, so that what was said before it can be read again as it was. Reading
//! the entries from files is `venues`, fetching them is `app`.

use barograph_domain::{CalendarEntry, Impact, Span, Ts};
use serde::{Deserialize, Serialize};

/// How long before an event of high impact new entries wait (R2.55).
pub const BLACKOUT: Span = Span::hours(2);
/// The reason given while they do.
pub const BLACKOUT_REASON: &str = "pre_news_blackout";
/// Events held; beyond it the oldest past ones leave. Twenty years of a busy calendar.
const EVENTS_MAX: usize = 4_096;
/// Revisions of one event held.
const REVISIONS_MAX: usize = 64;

/// What became of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    /// A new event.
    New,
    /// A later word about an event there was.
    Revised,
    /// Nothing new in it.
    Same,
    /// The event had happened by then, or this revision is older than one that is held: what is written stays.
    Refused,
}

/// All revisions of one event, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Scheduled {
    revisions: Vec<CalendarEntry>,
}

impl Scheduled {
    /// The revision in force at `t`.
    fn at(&self, t: Ts) -> Option<&CalendarEntry> {
        self.revisions.iter().rev().find(|e| e.known_ts <= t)
    }

    fn last(&self) -> Option<&CalendarEntry> {
        self.revisions.last()
    }
}

/// The calendar of a process. An empty one is not the same as none: whoever has no calendar holds no [`Calendar`].
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Calendar {
    /// By id.
    events: Vec<Scheduled>,
}

/// The state of the blackout at a moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Blackout<'a> {
    /// The event that is near.
    pub event: &'a CalendarEntry,
    /// Minutes until it.
    pub minutes: f64,
}

/// The next event of high impact, with the time within which that answer holds: the calendar is read once for many minutes.
/// Whoever keeps it lets it go when the calendar changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NextHigh {
    from: Ts,
    /// First moment at which the answer may be another.
    until: Ts,
    /// When it is; `None` when nothing of high impact is known to come.
    at: Option<Ts>,
}

impl NextHigh {
    /// Does this say what is next at `t`?
    #[must_use]
    pub fn holds(&self, t: Ts) -> bool {
        self.from <= t && t < self.until
    }

    /// Minutes from `t` to it.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "centuries of minutes fit a float")]
    pub fn minutes(&self, t: Ts) -> Option<f64> {
        self.at.map(|at| (at - t).0 as f64 / Span::mins(1).0 as f64)
    }
}

impl Calendar {
    /// Takes one revision.
    pub fn apply(&mut self, entry: CalendarEntry) -> Applied {
        let found = self.events.binary_search_by(|s| s.revisions[0].id.as_str().cmp(&entry.id));
        match found {
            Err(at) => {
                self.events.insert(at, Scheduled { revisions: vec![entry] });
                self.forget_oldest();
                Applied::New
            }
            Ok(at) => {
                let revisions = &mut self.events[at].revisions;
                let Some(last) = revisions.last() else { return Applied::Refused };
                if entry.known_ts < last.known_ts {
                    return Applied::Refused;
                }
                if same_content(last, &entry) {
                    return Applied::Same;
                }
                if last.at <= entry.known_ts || entry.known_ts == last.known_ts {
                    return Applied::Refused;
                }
                if revisions.len() == REVISIONS_MAX {
                    revisions.remove(0);
                }
                revisions.push(entry);
                Applied::Revised
            }
        }
    }

    fn forget_oldest(&mut self) {
        if self.events.len() > EVENTS_MAX {
            let when = |s: &Scheduled| s.last().map(|e| e.at);
            if let Some(oldest) = (0..self.events.len()).min_by_key(|i| when(&self.events[*i])) {
                self.events.remove(oldest);
            }
        }
    }

    /// The events that are still to come at `t`, by what was known then, soonest first; those called off are left out.
    #[must_use]
    pub fn coming(&self, t: Ts) -> Vec<&CalendarEntry> {
        let mut list: Vec<&CalendarEntry> = self.known(t).filter(|e| e.at >= t).collect();
        list.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        list
    }

    fn known(&self, t: Ts) -> impl Iterator<Item = &CalendarEntry> {
        self.events.iter().filter_map(move |s| s.at(t)).filter(|e| !e.cancelled)
    }

    /// The next event of high impact at or after `t`, by what was known at `t`.
    #[must_use]
    pub fn next_high(&self, t: Ts) -> Option<&CalendarEntry> {
        self.known(t).filter(|e| e.impact == Impact::High && e.at >= t).min_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)))
    }

    /// The same with the time within which it holds: until the event has passed, or until more becomes known.
    #[must_use]
    pub fn next_high_from(&self, t: Ts) -> NextHigh {
        let at = self.next_high(t).map(|e| e.at);
        let word = self.revisions().map(|e| e.known_ts).filter(|known| *known > t).min().unwrap_or(Ts::MAX);
        NextHigh { from: t, until: at.map_or(word, |at| word.min(at + Span(1))), at }
    }

    /// Minutes to it; `None` when nothing of high impact is known to come.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "centuries of minutes fit a float")]
    pub fn minutes_to_event(&self, t: Ts) -> Option<f64> {
        self.next_high(t).map(|e| (e.at - t).0 as f64 / Span::mins(1).0 as f64)
    }

    /// The blackout at `t`: an event of high impact at most two hours away.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "two hours")]
    pub fn blackout(&self, t: Ts) -> Option<Blackout<'_>> {
        let event = self.next_high(t).filter(|e| e.at - t <= BLACKOUT)?;
        Some(Blackout { event, minutes: (event.at - t).0 as f64 / Span::mins(1).0 as f64 })
    }

    /// Events held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// True when nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Every revision held, by event and in the order it became known.
    pub fn revisions(&self) -> impl Iterator<Item = &CalendarEntry> {
        self.events.iter().flat_map(|s| &s.revisions)
    }
}

/// The same event at the same time, however it is spelt and whoever says so.
fn same_content(a: &CalendarEntry, b: &CalendarEntry) -> bool {
    (a.at, a.impact, a.cancelled, &a.name) == (b.at, b.impact, b.cancelled, &b.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64, hour: i64, minute: i64) -> Ts {
        Ts::from_civil(2026, 3, day, hour, minute, 0)
    }

    fn entry(id: &str, impact: Impact, when: Ts, known: Ts) -> CalendarEntry {
        CalendarEntry {
            id: id.to_owned(),
            name: id.to_uppercase(),
            impact,
            at: when,
            source: "test".to_owned(),
            known_ts: known,
            cancelled: false,
        }
    }

    #[test]
    fn two_hours_before_an_event_of_high_impact_and_not_after_it() {
        let mut c = Calendar::default();
        assert_eq!(c.apply(entry("fomc", Impact::High, at(18, 18, 0), at(1, 0, 0))), Applied::New);
        assert_eq!(c.apply(entry("ppi", Impact::Medium, at(18, 12, 30), at(1, 0, 0))), Applied::New);
        let cases = [
            (at(18, 12, 0), Some(360.0), false),
            (at(18, 15, 59), Some(121.0), false),
            (at(18, 16, 0), Some(120.0), true),
            (at(18, 18, 0), Some(0.0), true),
            (at(18, 18, 1), None, false),
        ];
        for (t, minutes, blackout) in cases {
            assert_eq!((c.minutes_to_event(t), c.blackout(t).is_some()), (minutes, blackout), "at {t}");
        }
        assert_eq!(c.coming(at(18, 12, 0)).iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["ppi", "fomc"]);
        assert_eq!(
            c.blackout(at(18, 16, 30)).map(|b| (b.event.id.clone(), b.minutes)),
            Some(("fomc".to_owned(), 90.0))
        );
    }

    #[test]
    fn a_revision_counts_from_when_it_is_known_and_the_past_stays_as_it_was() {
        let mut c = Calendar::default();
        c.apply(entry("cpi", Impact::High, at(11, 12, 30), at(1, 0, 0)));
        assert_eq!(c.apply(entry("cpi", Impact::High, at(13, 12, 30), at(10, 0, 0))), Applied::Revised);
        assert_eq!(c.minutes_to_event(at(9, 12, 30)), Some(2.0 * 1_440.0), "not known yet");
        assert_eq!(c.minutes_to_event(at(11, 12, 30)), Some(2.0 * 1_440.0), "put off");
        assert_eq!(c.apply(entry("cpi", Impact::High, at(13, 12, 30), at(11, 0, 0))), Applied::Same);
        assert_eq!(
            c.apply(entry("cpi", Impact::High, at(20, 12, 30), at(14, 0, 0))),
            Applied::Refused,
            "it has happened"
        );
        assert_eq!(c.apply(entry("cpi", Impact::High, at(20, 12, 30), at(2, 0, 0))), Applied::Refused, "older word");
        let off = CalendarEntry { cancelled: true, ..entry("cpi", Impact::High, at(13, 12, 30), at(12, 0, 0)) };
        assert_eq!(c.apply(off), Applied::Revised);
        assert_eq!((c.minutes_to_event(at(11, 23, 0)).is_some(), c.minutes_to_event(at(12, 0, 0))), (true, None));
        assert_eq!(c.revisions().count(), 3);
    }

    #[test]
    fn what_is_next_is_read_once_for_many_minutes_and_says_the_same() {
        let mut c = Calendar::default();
        c.apply(entry("cpi", Impact::High, at(2, 12, 30), at(1, 0, 0)));
        c.apply(entry("cpi", Impact::High, at(3, 12, 30), at(2, 3, 7)));
        c.apply(entry("nfp", Impact::High, at(3, 1, 0), at(2, 20, 0)));
        c.apply(entry("nfp", Impact::Low, at(3, 1, 0), at(2, 22, 0)));
        let (mut kept, mut read): (Option<NextHigh>, u32) = (None, 0);
        for minute in -60..4 * 1_440 {
            let t = at(1, 0, 0) + Span::mins(1).times(minute);
            let next = kept.filter(|n| n.holds(t)).unwrap_or_else(|| {
                read += 1;
                c.next_high_from(t)
            });
            kept = Some(next);
            assert_eq!(next.minutes(t), c.minutes_to_event(t), "at {t}");
        }
        assert_eq!(read, 6, "at first, at four words, and after the event");
    }

    #[test]
    fn what_is_not_known_yet_is_not_seen_and_saving_changes_nothing() {
        let mut c = Calendar::default();
        c.apply(entry("nfp", Impact::High, at(6, 13, 30), at(5, 0, 0)));
        assert_eq!(c.minutes_to_event(at(4, 0, 0)), None);
        let back: Calendar = postcard::from_bytes(&postcard::to_allocvec(&c).unwrap()).unwrap();
        assert_eq!(back, c);
    }

    #[test]
    fn beyond_its_room_the_oldest_leaves() {
        let mut c = Calendar::default();
        for i in 0..i64::try_from(EVENTS_MAX).unwrap() + 5 {
            c.apply(entry(&format!("e{i:06}"), Impact::High, at(1, 0, i), Ts(0)));
        }
        assert_eq!(c.len(), EVENTS_MAX);
        assert!(c.revisions().all(|e| e.at >= at(1, 0, 5)));
    }
}
