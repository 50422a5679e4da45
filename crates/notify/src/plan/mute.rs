//! What nobody is to hear: silences, and markets of a venue that is not heard.

use super::Planner;
use crate::labels::{Inhibition, Labels, Matchers, labels};
use barograph_domain::delivery::{Message, MessageKind, Notice, Phase, Silence};
use barograph_domain::{InstrumentName, Pattern, Severity, Ts, Venue};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Markets of one venue without a price that make an outage, at least; at least half of its markets besides.
const OUTAGE_MARKETS: usize = 3;

#[derive(Debug)]
struct Known {
    silence: Silence,
    /// `None`: it cannot be read and silences nothing.
    matchers: Option<Matchers>,
    active: bool,
}

/// What is known of a venue.
#[derive(Debug, Default)]
struct Hearing {
    /// Markets without a price.
    without: BTreeSet<InstrumentName>,
    /// Markets that are listened to, as far as messages say.
    markets: usize,
    /// Markets that messages were about: so many there are at least.
    seen: BTreeSet<InstrumentName>,
    /// Since when it is an outage.
    since: Option<Ts>,
}

impl Hearing {
    /// Most of the venue is not heard: the fault is there, or between, and not at the markets.
    fn is_out(&self) -> bool {
        let lost = self.without.len();
        lost >= OUTAGE_MARKETS && lost * 2 >= self.markets.max(self.seen.len())
    }
    fn mutes(&self, instrument: &InstrumentName) -> bool {
        self.since.is_some() && self.without.contains(instrument)
    }
}

/// Everything that mutes.
#[derive(Debug)]
pub(super) struct Mutes {
    silences: Vec<Known>,
    venues: BTreeMap<Venue, Hearing>,
    /// Alerts that an outage kept back, by fingerprint.
    kept_back: BTreeMap<String, InstrumentName>,
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

    pub(super) fn next_wake(&self) -> Option<Ts> {
        self.silences.iter().map(|k| if k.active { k.silence.ends_at } else { k.silence.starts_at }).min()
    }

    fn silenced(&self, labels: &Labels) -> bool {
        self.silences.iter().any(|k| k.active && k.matchers.as_ref().is_some_and(|m| m.hold(labels)))
    }

    /// Is the market of this alert one of those an outage makes silent?
    pub(super) fn is_out(&self, message: &Message) -> bool {
        let Some(instrument) = &message.notice.instrument else { return false };
        if !self.venues.get(&instrument.venue).is_some_and(|h| h.mutes(instrument)) {
            return false;
        }
        let venue = instrument.venue.to_string();
        let source = Labels::from([("event_type", Pattern::DataGap.name().to_owned()), ("venue", venue)]);
        self.outage.mutes(&source, &labels(&message.notice))
    }

    pub(super) fn keep_back(&mut self, message: &Message) {
        if let Some(instrument) = &message.notice.instrument {
            self.kept_back.insert(message.fingerprint.clone(), instrument.clone());
        }
    }

    /// Why nobody is to hear of it, wherever it would go; see `stronger.rs` for what one endpoint need not hear.
    pub(super) fn mute_of(&mut self, message: &Message) -> Option<&'static str> {
        if message.notice.kind != MessageKind::Alert {
            return None;
        }
        if self.is_out(message) {
            self.keep_back(message);
            return Some("inhibited");
        }
        (!self.silences.is_empty() && self.silenced(&labels(&message.notice))).then_some("silenced")
    }
}

/// Our own word that the price of a market is lost: a lost price is what makes a gap severe.
fn is_lost_price(notice: &Notice) -> bool {
    notice.phase == Phase::Firing && notice.severity >= Severity::High
}

impl Planner {
    /// Notes what an alert says about its venue's data; begins or ends an outage.
    pub(super) fn update_outages(&mut self, message: &Arc<Message>, now: Ts) {
        let Some(instrument) = &message.notice.instrument else { return };
        let hearing = self.mutes.venues.entry(instrument.venue.clone()).or_default();
        if !hearing.seen.contains(instrument) {
            hearing.seen.insert(instrument.clone());
        }
        if message.notice.pattern != Some(Pattern::DataGap) || message.notice.rule.is_some() {
            return;
        }
        if let Some(markets) = message.notice.venue_markets {
            hearing.markets = usize::try_from(markets).unwrap_or(usize::MAX);
        }
        let lost = is_lost_price(&message.notice);
        if lost {
            hearing.without.insert(instrument.clone());
        } else {
            hearing.without.remove(instrument);
        }
        let was_out = hearing.since.is_some();
        hearing.since = hearing.is_out().then(|| hearing.since.unwrap_or(message.known_at));
        let venue = &instrument.venue;
        if hearing.since.is_some() {
            self.keep_unsent_back(if was_out { Some(instrument) } else { None }, venue, now);
        }
        if was_out && !lost {
            self.deliver_what_was_kept(message, venue, now);
        }
    }

    /// Some of a venue is heard again: what was kept back of that and still fires is delivered.
    fn deliver_what_was_kept(&mut self, because: &Message, venue: &Venue, now: Ts) {
        let kept = self.mutes.kept_back.iter().filter(|(_, i)| i.venue == *venue);
        let heard: Vec<(String, InstrumentName)> = kept
            .filter(|(_, i)| !self.mutes.venues.get(venue).is_some_and(|h| h.mutes(i)))
            .map(|(f, i)| (f.clone(), i.clone()))
            .collect();
        for (fingerprint, instrument) in heard {
            self.mutes.kept_back.remove(&fingerprint);
            self.deliver_after(&fingerprint, &format!("outage|{instrument}|{}", because.known_at.0), now);
        }
    }

    /// An outage covers another market, or begins: what is unsent about its markets is not delivered.
    fn keep_unsent_back(&mut self, only: Option<&InstrumentName>, venue: &Venue, now: Ts) {
        let covers = |i: &InstrumentName| i.venue == *venue && only.is_none_or(|only| only == i);
        let about = self.firing.values().filter(|m| m.notice.instrument.as_ref().is_some_and(covers));
        let about: Vec<Arc<Message>> = about.filter(|m| self.mutes.is_out(m)).cloned().collect();
        for message in about {
            if self.drop_unsent(&message.fingerprint, "inhibited", now) {
                self.mutes.keep_back(&message);
            }
        }
    }

    /// True when anything was unsent.
    fn drop_unsent(&mut self, fingerprint: &str, why: &'static str, now: Ts) -> bool {
        let before = self.actions.len();
        for plan in &mut self.plans {
            plan.drop_unsent(fingerprint, why, now, &mut self.actions);
        }
        self.actions.len() > before
    }

    /// Begins and ends silences.
    pub(super) fn update_silences(&mut self, now: Ts) {
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
                self.deliver_after(&fingerprint, &id, now);
            }
        }
    }

    /// Silences that ended while no planner ran: what they covered and was not delivered since is delivered now.
    pub(super) fn end_missed_silences(&mut self, silences: &[Silence], now: Ts) {
        for silence in silences {
            let Ok(matchers) = Matchers::new(&silence.matchers) else { continue };
            let covered: Vec<String> = self
                .firing
                .values()
                .filter(|m| m.known_at < silence.ends_at && m.notice.phase == Phase::Firing)
                .filter(|m| matchers.hold(&labels(&m.notice)))
                .map(|m| m.fingerprint.clone())
                .collect();
            for fingerprint in covered {
                self.deliver_after(&fingerprint, &silence.id, now);
            }
        }
    }

    /// A silence has begun: what is unsent and covered is not delivered.
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

    /// What still fires is delivered again, unless something else mutes it.
    fn deliver_after(&mut self, fingerprint: &str, after: &str, now: Ts) {
        let Some(message) = self.firing.get(fingerprint).cloned() else { return };
        if message.notice.phase == Phase::Firing && self.mutes.mute_of(&message).is_none() {
            self.again(&message, after, now);
        }
    }
}
