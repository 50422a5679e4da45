//! What nobody is to hear: silences, stronger alerts, and markets of a venue that is not heard.

use super::Planner;
use crate::labels::{Inhibition, Labels, Matchers, labels};
use barograph_domain::delivery::{Message, MessageKind, Phase, Silence};
use barograph_domain::{InstrumentName, Pattern, Ts, Venue};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Markets of one venue without data that make an outage.
const OUTAGE_MARKETS: usize = 3;

#[derive(Debug)]
struct Known {
    silence: Silence,
    /// `None`: it cannot be read and silences nothing.
    matchers: Option<Matchers>,
    active: bool,
}

/// A venue whose data are missing.
#[derive(Debug, Default)]
struct Hearing {
    /// By fingerprint of the alert that says so.
    without: BTreeMap<String, InstrumentName>,
    /// Since when so many are without that it is an outage.
    since: Option<Ts>,
}

/// Everything that mutes.
#[derive(Debug)]
pub(super) struct Mutes {
    silences: Vec<Known>,
    venues: BTreeMap<Venue, Hearing>,
    /// Fingerprints of alerts that an outage kept back, by venue.
    kept_back: BTreeMap<Venue, BTreeSet<String>>,
    outage: Inhibition,
}

impl Default for Mutes {
    fn default() -> Self {
        Self {
            silences: Vec::new(),
            venues: BTreeMap::new(),
            kept_back: BTreeMap::new(),
            outage: Inhibition::by_outage(),
        }
    }
}

impl Mutes {
    /// Replaces the silences; one that is gone has ended.
    pub(super) fn set(&mut self, silences: Vec<Silence>) {
        let before = core::mem::take(&mut self.silences);
        let mut new: Vec<Known> = silences
            .into_iter()
            .map(|silence| {
                let active = before.iter().any(|k| k.silence.id == silence.id && k.active);
                Known { matchers: Matchers::new(&silence.matchers).ok(), silence, active }
            })
            .collect();
        for mut gone in before.into_iter().filter(|k| k.active) {
            if !new.iter().any(|k| k.silence.id == gone.silence.id) {
                gone.silence.ends_at = gone.silence.starts_at;
                new.push(gone);
            }
        }
        self.silences = new;
    }

    /// Silences that held when somebody delivered last and have ended since: their end is still to be noticed.
    pub(super) fn set_ended(&mut self, silences: Vec<Silence>) {
        self.silences.extend(silences.into_iter().map(|silence| Known {
            matchers: Matchers::new(&silence.matchers).ok(),
            silence,
            active: true,
        }));
    }

    pub(super) fn next_wake(&self) -> Option<Ts> {
        self.silences.iter().map(|k| if k.active { k.silence.ends_at } else { k.silence.starts_at }).min()
    }

    fn silenced(&self, labels: &Labels) -> bool {
        self.silences.iter().any(|k| k.active && k.matchers.as_ref().is_some_and(|m| m.hold(labels)))
    }

    fn outage_mutes(&self, target: &Labels, venue: &Venue) -> bool {
        let source = Labels::from([("event_type", "DATA_GAP".to_owned()), ("venue", venue.to_string())]);
        self.outage.mutes(&source, target)
    }

    /// Why nobody is to hear of it.
    pub(super) fn mute_of(&mut self, message: &Message) -> Option<&'static str> {
        if message.notice.kind != MessageKind::Alert {
            return None;
        }
        if is_inhibited(message) {
            return Some("inhibited");
        }
        let venue = message.notice.instrument.as_ref().map(|i| &i.venue);
        let out = venue.filter(|v| self.venues.get(*v).is_some_and(|h| h.since.is_some()));
        if out.is_none() && self.silences.is_empty() {
            return None;
        }
        let labels = labels(&message.notice);
        if let Some(venue) = out.filter(|v| self.outage_mutes(&labels, v)).cloned() {
            self.kept_back.entry(venue).or_default().insert(message.fingerprint.clone());
            return Some("inhibited");
        }
        self.silenced(&labels).then_some("silenced")
    }
}

/// The engine says that an open alert says the same more strongly.
fn is_inhibited(message: &Message) -> bool {
    // Most events say nothing of it; those that do are read.
    let event = &message.notice.event;
    event.contains("\"inhibited_by\"")
        && serde_json::from_str::<serde_json::Value>(event)
            .is_ok_and(|e| e.get("inhibited_by").is_some_and(|by| !by.is_null()))
}

const fn is_about_data(pattern: Option<Pattern>) -> bool {
    matches!(pattern, Some(Pattern::DataGap | Pattern::FeedStale))
}

impl Planner {
    /// Notes what an alert says about its venue's data; begins or ends an outage.
    pub(super) fn turn_outages(&mut self, message: &Arc<Message>, now: Ts) {
        let Some(instrument) = message.notice.instrument.as_ref().filter(|_| is_about_data(message.notice.pattern))
        else {
            return;
        };
        let hearing = self.mutes.venues.entry(instrument.venue.clone()).or_default();
        match message.notice.phase {
            Phase::Firing => drop(hearing.without.insert(message.fingerprint.clone(), instrument.clone())),
            Phase::Resolved | Phase::NoData | Phase::Happened => drop(hearing.without.remove(&message.fingerprint)),
        }
        let markets = hearing.without.values().collect::<BTreeSet<_>>().len();
        let venue = &instrument.venue;
        match hearing.since {
            None if markets >= OUTAGE_MARKETS => {
                hearing.since = Some(now);
                self.keep_back(venue, now);
            }
            Some(since) if markets < OUTAGE_MARKETS => {
                hearing.since = None;
                let kept = self.mutes.kept_back.remove(venue).unwrap_or_default();
                let after = format!("outage|{venue}|{}", since.0);
                for fingerprint in kept {
                    self.tell_after(&fingerprint, &after, now);
                }
            }
            Some(_) | None => {}
        }
    }

    /// An outage begins: what is unsent about the venue's markets is not told.
    fn keep_back(&mut self, venue: &Venue, now: Ts) {
        let about: Vec<Arc<Message>> = self.firing.values().cloned().collect();
        for message in about {
            if message.notice.instrument.as_ref().is_some_and(|i| i.venue == *venue)
                && self.mutes.outage_mutes(&labels(&message.notice), venue)
                && self.drop_unsent(&message.fingerprint, "inhibited", now)
            {
                self.mutes.kept_back.entry(venue.clone()).or_default().insert(message.fingerprint.clone());
            }
        }
    }

    /// True when anything was unsent.
    fn drop_unsent(&mut self, fingerprint: &str, why: &'static str, now: Ts) -> bool {
        let before = self.actions.len();
        for desk in &mut self.desks {
            desk.drop_unsent(fingerprint, why, now, &mut self.actions);
        }
        self.actions.len() > before
    }

    /// Begins and ends silences.
    pub(super) fn turn_silences(&mut self, now: Ts) {
        let mut ended = Vec::new();
        let mut began = false;
        for known in &mut self.mutes.silences {
            match (known.active, known.silence.is_active(now)) {
                (false, true) => (known.active, began) = (true, true),
                (true, false) => {
                    known.active = false;
                    ended.push((known.silence.id.clone(), known.matchers.take()));
                }
                (true, true) | (false, false) => {}
            }
        }
        self.mutes.silences.retain(|k| k.silence.ends_at > now);
        if began {
            self.hush(now);
        }
        for (id, matchers) in ended {
            let Some(matchers) = matchers else { continue };
            let covered: Vec<String> = self
                .firing
                .values()
                .filter(|m| m.notice.phase == Phase::Firing && matchers.hold(&labels(&m.notice)))
                .map(|m| m.fingerprint.clone())
                .collect();
            for fingerprint in covered {
                self.tell_after(&fingerprint, &id, now);
            }
        }
    }

    /// A silence has begun: what is unsent and covered is not told.
    fn hush(&mut self, now: Ts) {
        let covered: Vec<String> = self
            .firing
            .values()
            .filter(|m| self.mutes.silenced(&labels(&m.notice)))
            .map(|m| m.fingerprint.clone())
            .collect();
        for fingerprint in covered {
            self.drop_unsent(&fingerprint, "silenced", now);
        }
    }

    /// What still fires is told again, unless something else mutes it.
    fn tell_after(&mut self, fingerprint: &str, after: &str, now: Ts) {
        let Some(message) = self.firing.get(fingerprint).cloned() else { return };
        if message.notice.phase == Phase::Firing && self.mutes.mute_of(&message).is_none() {
            self.again(&message, after, now);
        }
    }
}
