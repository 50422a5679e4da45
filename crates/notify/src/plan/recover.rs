//! Going on where another planner stopped.

use super::endpoint::{ASKED_TO_WAIT, Confirmed, Item};
use super::result::thing_of;
use super::storm::{Part, Storm, Watch, cause_of, cause_of_group};
use super::stronger::is_held_back;
use super::{PlanAction, Planner, order};
use crate::outbox::{Outgoing, Recovered};
use barograph_domain::Ts;
use barograph_domain::delivery::{Delivery, DeliveryState, Member, Message, MessageKind, Phase};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Planner {
    /// Takes over. The planner must be new.
    pub fn recover(&mut self, from: Recovered, now: Ts) {
        for state in from.endpoints {
            if let Some(place) = self.place(&state.endpoint) {
                let plan = &mut self.plans[place];
                plan.stopped = state.disabled.as_ref().map(|_| state.failing_since.unwrap_or(now));
                // Nothing was taken since a try failed: one request finds out whether anything is now.
                plan.probing = state.failing_since.is_some();
                plan.state = state;
                if !from.more {
                    plan.forget_ended(&from.unfinished);
                }
            }
        }
        self.mutes.set(from.silences);
        let recent: Vec<(Arc<Message>, Vec<Delivery>)> =
            from.recent.into_iter().map(|o| (Arc::new(o.message), o.deliveries)).collect();
        for (message, rows) in &recent {
            self.resume_places(message, rows);
        }
        let mut unconfirmed = Vec::new();
        for firing in from.firing {
            let message = Arc::new(firing.message);
            self.resume_confirmed(&message, &firing.told);
            self.resume_storm(&message, false);
            if message.notice.kind == MessageKind::Alert && !self.is_over(&message) {
                if firing.told.is_empty() {
                    unconfirmed.push(Arc::clone(&message));
                }
                self.firing.insert(message.fingerprint.clone(), Arc::clone(&message));
                let newest = self.newest.entry(message.fingerprint.clone()).or_insert_with(|| order(&message));
                *newest = order(&message).max(*newest);
                self.update_outages(&message, now);
            }
        }
        for message in unconfirmed {
            if self.mutes.is_out(&message) {
                self.mutes.keep_back(&message);
            }
        }
        for outgoing in &from.unfinished {
            self.resume_waiting_storm(outgoing);
        }
        self.resume_recent(&recent);
        self.update_silences(now);
        self.resume_rests(&from.unfinished);
        self.resume_unfinished(&from.unfinished, now);
        for storm in self.plans.iter_mut().flat_map(|plan| plan.watches.values_mut()).filter_map(|w| w.storm.as_mut()) {
            storm.replaced.clear();
        }
        self.complete_members();
        self.resume_behind(&self.held_back(&recent));
        self.end_missed_silences(&from.ended, now);
        debug_assert!(self.actions.iter().all(|a| !matches!(a, PlanAction::Send(_))), "recovering sends nothing yet");
    }

    /// How far each thing and each endpoint was, so that what comes late is known for what it is.
    fn resume_places(&mut self, message: &Arc<Message>, rows: &[Delivery]) {
        if message.notice.kind == MessageKind::Alert {
            let newest = self.newest.entry(message.fingerprint.clone()).or_insert_with(|| order(message));
            *newest = order(message).max(*newest);
        }
        for row in rows.iter().filter(|row| row.state == DeliveryState::Delivered) {
            if let Some(place) = self.place(&row.endpoint) {
                self.plans[place].note_handed_out(message);
            }
        }
    }

    /// What endpoints have confirmed about what fires.
    fn resume_confirmed(&mut self, message: &Arc<Message>, by: &[String]) {
        let stopped = self.plans.iter_mut().find(|d| message.notice.alert_id == thing_of(&d.endpoint.name));
        if let Some(plan) = stopped.filter(|_| message.notice.kind == MessageKind::Delivery) {
            plan.stopped = Some(message.known_at);
        }
        if message.notice.kind == MessageKind::Group {
            return;
        }
        for place in by.iter().filter_map(|name| self.place(name)).collect::<Vec<_>>() {
            let lane = self.plans[place].lanes.entry(message.fingerprint.clone()).or_default();
            lane.confirmed = Some(Confirmed::of(message));
        }
    }

    /// Deliveries from the store, after the queue has overflown; what is in hand already is passed over.
    pub fn adopt(&mut self, unfinished: Vec<Outgoing>, now: Ts) {
        self.resume_rests(&unfinished);
        for outgoing in unfinished {
            let deliveries = outgoing.deliveries.into_iter().filter(|d| d.state == DeliveryState::Waiting).collect();
            self.accept(Outgoing { message: outgoing.message, deliveries }, true, now);
        }
    }

    /// How long receivers that have taken nothing since they asked for patience are left alone.
    fn resume_rests(&mut self, unfinished: &[Outgoing]) {
        let asked = |row: &&Delivery| row.state == DeliveryState::Waiting && row.reason == ASKED_TO_WAIT;
        for row in unfinished.iter().flat_map(|o| &o.deliveries).filter(asked) {
            let Some(place) = self.place(&row.endpoint) else { continue };
            let plan = &mut self.plans[place];
            if plan.state.failing_since.is_some() {
                plan.rest_until = plan.rest_until.max(row.next_try);
            }
        }
    }

    /// A message of a group says which storm goes on; one that waits to be delivered keeps its storm, whatever it says.
    fn resume_storm(&mut self, message: &Message, waits: bool) {
        let notice = &message.notice;
        if notice.kind != MessageKind::Group || (notice.phase == Phase::Resolved && !waits) {
            return;
        }
        let parts = notice.alert_id.strip_prefix("group|").and_then(|rest| rest.split_once('|'));
        let Some((endpoint, rest)) = parts else { return };
        let Some((cause, _began)) = rest.rsplit_once('|') else { return };
        let Some(place) = self.place(endpoint) else { return };
        let watch = self.plans[place].watches.entry(cause.to_owned()).or_default();
        let newer = watch.storm.as_ref().is_none_or(|s| s.began < notice.opened_at || s.update < notice.revision);
        if newer {
            let mut storm = Storm::new(endpoint, cause, notice.opened_at);
            (storm.update, storm.reported_at, storm.reported) = (notice.revision, message.known_at, notice.phase);
            (storm.newest, storm.dense_at) = (notice.revision, message.known_at);
            if let Some(before) = watch.storm.take().filter(|s| s.id == storm.id) {
                storm.members = before.members;
            }
            watch.storm = Some(storm);
        }
    }

    /// A group whose message waits goes on, however old that is.
    fn resume_waiting_storm(&mut self, outgoing: &Outgoing) {
        let waits = |row: &Delivery| !row.state.is_final() && self.place(&row.endpoint).is_some();
        if outgoing.deliveries.iter().any(waits) {
            self.resume_storm(&outgoing.message, true);
        }
    }

    /// What was delivered lately counts towards storms.
    fn resume_recent(&mut self, recent: &[(Arc<Message>, Vec<Delivery>)]) {
        let ends: BTreeMap<String, Ts> = recent
            .iter()
            .filter(|(m, _)| m.notice.kind == MessageKind::Group && m.notice.phase == Phase::Resolved)
            .map(|(m, _)| (m.notice.alert_id.clone(), m.known_at))
            .collect();
        for (message, _) in recent {
            if !ends.contains_key(&message.notice.alert_id) {
                self.resume_storm(message, false);
            }
        }
        for (message, rows) in recent {
            for row in rows {
                let Some(place) = self.place(&row.endpoint) else { continue };
                let silent = row.state == DeliveryState::Superseded && row.reason != "newer_state";
                match cause_of(message) {
                    Some(cause) if row.via.is_some() || (row.state.is_final() && !silent) => {
                        let watch = self.plans[place].watches.entry(cause).or_default();
                        watch.resume_record(message, row);
                    }
                    Some(cause) => {
                        // Nobody was to hear of it, nor of what was held about the same thing.
                        let watch = self.plans[place].watches.get_mut(&cause).filter(|_| silent);
                        if let Some(storm) = watch.and_then(|w| w.storm.as_mut()) {
                            storm.replaced.remove(&message.fingerprint);
                        }
                    }
                    None => {
                        if let Some(cause) = cause_of_group(message) {
                            let watch = self.plans[place].watches.entry(cause).or_default();
                            watch.note_message(message.known_at);
                        }
                    }
                }
            }
            self.resume_unheard_end(message, rows);
        }
    }

    /// An end that an endpoint did not want ended what was held for it.
    fn resume_unheard_end(&mut self, message: &Message, rows: &[Delivery]) {
        let Some(cause) = cause_of(message).filter(|_| message.notice.phase == Phase::Resolved) else { return };
        for plan in self.plans.iter_mut().filter(|plan| rows.iter().all(|row| row.endpoint != plan.endpoint.name)) {
            if let Some(storm) = plan.watches.get_mut(&cause).and_then(|w| w.storm.as_mut()) {
                storm.replaced.remove(&message.fingerprint);
            }
        }
    }

    fn resume_unfinished(&mut self, unfinished: &[Outgoing], now: Ts) {
        let groups: BTreeSet<(&str, &str)> = unfinished
            .iter()
            .filter(|o| o.message.notice.kind == MessageKind::Group)
            .flat_map(|o| o.deliveries.iter().map(|d| (o.message.id.as_str(), d.endpoint.as_str())))
            .collect();
        // What went with a group that is not there any more waits on its own.
        let goes_with = |d: &Delivery| {
            let via = d.via.as_deref().filter(|_| d.state == DeliveryState::Grouped)?;
            groups.contains(&(via, d.endpoint.as_str())).then(|| (d.endpoint.clone(), via.to_owned()))
        };
        let mut joined: BTreeMap<(String, String), Vec<Arc<Message>>> = BTreeMap::new();
        let mut alone = Vec::new();
        for outgoing in unfinished {
            let message = Arc::new(outgoing.message.clone());
            let mut rows = Vec::new();
            for row in outgoing.deliveries.iter().filter(|row| !row.state.is_final()) {
                match (goes_with(row), self.place(&row.endpoint)) {
                    (_, None) => self.end_unknown(row, now),
                    (Some(group), Some(place)) => {
                        self.plans[place].note_handed_out(&message);
                        joined.entry(group).or_default().push(Arc::clone(&message));
                    }
                    (None, Some(place)) => rows.push((place, row.clone())),
                }
            }
            alone.push((message, rows));
        }
        for (message, rows) in alone {
            let muted = if self.is_over(&message) { None } else { self.note(&message, now) };
            for (place, row) in rows {
                let joined = joined.remove(&(row.endpoint.clone(), message.id.clone())).unwrap_or_default();
                let item = Item { joined, ..Item::of(Arc::clone(&message), &row) };
                let muted = self.why_not(place, &message, muted);
                self.resume_item(place, item, muted, now);
            }
        }
    }

    fn resume_item(&mut self, place: usize, item: Item, muted: Option<&'static str>, now: Ts) {
        if let Some(why) = muted.filter(|_| item.message.notice.phase != Phase::Resolved) {
            return self.mute(place, &item, why, now);
        }
        let plan = &mut self.plans[place];
        // The other process may have sent it without having recorded that.
        for message in item.joined.iter().chain([&item.message]) {
            plan.note_may_know(message);
        }
        for message in &item.joined {
            let watch = cause_of(message).and_then(|cause| plan.watches.get_mut(&cause));
            if let Some(storm) = watch.and_then(|w| w.storm.as_mut()) {
                let part = Part::named(Arc::clone(message), true);
                storm.members.entry(message.fingerprint.clone()).or_insert(part);
            }
        }
        let watch = cause_of_group(&item.message).and_then(|cause| plan.watches.get_mut(&cause));
        if let Some(storm) = watch.and_then(|watch| watch.storm_of(&item.message)) {
            storm.resume_tallies(&item.message.notice.members);
        }
        if !plan.is_late(&item.message)
            && let Some(watch) = cause_of(&item.message).and_then(|c| plan.watches.get_mut(&c))
        {
            // What was known before the group began was delivered on its own.
            let before = watch.storm.as_ref().is_some_and(|s| item.message.known_at < s.began);
            if before || item.attempts > 0 {
                watch.note_alone(item.message.known_at, &item.message);
                return plan.push(item, now, &mut self.actions);
            }
        }
        self.route(place, item, now);
    }

    /// Endpoints and messages that were held back lately.
    fn held_back(&self, recent: &[(Arc<Message>, Vec<Delivery>)]) -> BTreeSet<(usize, String)> {
        let rows = recent.iter().flat_map(|(_, rows)| rows).filter(|row| is_held_back(row.state, &row.reason));
        rows.filter_map(|row| Some((self.place(&row.endpoint)?, row.message.clone()))).collect()
    }

    /// Members of long storms are known by what still fires.
    fn complete_members(&mut self) {
        for message in self.firing.values() {
            let Some(cause) = cause_of(message) else { continue };
            for plan in &mut self.plans {
                let Some(storm) = plan.watches.get_mut(&cause).and_then(|w| w.storm.as_mut()) else { continue };
                let confirmed = plan.lanes.get(&message.fingerprint).is_some_and(|l| l.confirmed.is_some());
                if confirmed && message.known_at >= storm.began && message.known_at <= storm.reported_at {
                    let part = || Part::named(Arc::clone(message), false);
                    storm.members.entry(message.fingerprint.clone()).or_insert_with(part);
                }
            }
        }
    }
}

impl Watch {
    /// A record of before the start that went alone, was held or went with a group.
    fn resume_record(&mut self, message: &Arc<Message>, row: &Delivery) {
        let replaced = row.state == DeliveryState::Superseded && row.reason == "newer_state";
        let thing = &message.fingerprint;
        match &mut self.storm {
            // What its message counted is in that message: see `resume_tallies`.
            Some(storm) if row.via.is_some() => {
                let part = Part::named(Arc::clone(message), !row.state.is_final());
                storm.members.insert(thing.clone(), part);
                storm.replaced.remove(thing);
            }
            Some(storm) if replaced && message.known_at >= storm.began => {
                storm.replaced.entry(thing.clone()).or_default().push(Arc::clone(message));
                self.note_arrival(message.known_at, message);
            }
            _ if row.via.is_some() => {}
            storm => {
                if let Some(storm) = storm {
                    storm.replaced.remove(thing);
                }
                self.note_alone(message.known_at, message);
            }
        }
    }
}

impl Storm {
    /// What the group's newest message counts, which waits.
    fn resume_tallies(&mut self, members: &[Member]) {
        for member in members {
            if let Some(part) = self.members.get_mut(&member.fingerprint) {
                part.tally.resume(member.times.unwrap_or_else(|| u32::from(part.fresh)));
            }
        }
    }
}
