//! Going on where another planner stopped.

use super::desk::Item;
use super::storm::{Storm, cause_of};
use super::{Action, Planner};
use crate::outbox::{Outgoing, Recovered};
use barograph_domain::Ts;
use barograph_domain::delivery::{Delivery, DeliveryState, Message, MessageKind, Phase};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Planner {
    /// Takes over. The planner must be new.
    pub fn recover(&mut self, from: Recovered, now: Ts) {
        for state in from.endpoints {
            if let Some(place) = self.place(&state.endpoint) {
                self.desks[place].state = state;
            }
        }
        self.mutes.set(from.silences);
        self.mutes.set_ended(from.ended);
        for firing in from.firing {
            let message = Arc::new(firing.message);
            let told: Vec<usize> = firing.told.iter().filter_map(|name| self.place(name)).collect();
            for place in told {
                let lane = self.desks[place].lanes.entry(message.fingerprint.clone()).or_default();
                lane.told = Some(message.notice.phase);
            }
            self.resume_storm(&message);
            if message.notice.kind == MessageKind::Alert {
                self.turn_outages(&message, now);
                self.firing.insert(message.fingerprint.clone(), message);
            }
        }
        self.resume_recent(from.recent);
        self.turn_silences(now);
        self.resume_unfinished(from.unfinished, now);
        self.complete_members();
    }

    /// Deliveries from the store, after the queue has overflown; what is in hand already is passed over.
    pub fn adopt(&mut self, unfinished: Vec<Outgoing>, now: Ts) {
        for outgoing in unfinished {
            let deliveries = outgoing.deliveries.into_iter().filter(|d| d.state == DeliveryState::Waiting).collect();
            self.take(Outgoing { message: outgoing.message, deliveries }, now);
        }
    }

    /// A message of a group says which storm goes on.
    fn resume_storm(&mut self, message: &Message) {
        let notice = &message.notice;
        if notice.kind != MessageKind::Group || notice.phase == Phase::Resolved {
            return;
        }
        let parts = notice.alert_id.strip_prefix("group|").and_then(|rest| rest.split_once('|'));
        let Some((endpoint, rest)) = parts else { return };
        let Some((cause, _began)) = rest.rsplit_once('|') else { return };
        let Some(place) = self.place(endpoint) else { return };
        let watch = self.desks[place].watches.entry(cause.to_owned()).or_default();
        let newer = watch.storm.as_ref().is_none_or(|s| s.began < notice.opened_at || s.update < notice.revision);
        if newer {
            let mut storm = Storm::new(endpoint, cause, notice.opened_at);
            (storm.update, storm.told_at) = (notice.revision, message.known_at);
            if let Some(before) = watch.storm.take().filter(|s| s.id == storm.id) {
                storm.members = before.members;
            }
            watch.storm = Some(storm);
        }
    }

    /// What was told lately counts towards storms.
    fn resume_recent(&mut self, recent: Vec<Outgoing>) {
        let recent: Vec<(Arc<Message>, Vec<Delivery>)> =
            recent.into_iter().map(|o| (Arc::new(o.message), o.deliveries)).collect();
        let ends: BTreeMap<String, Ts> = recent
            .iter()
            .filter(|(m, _)| m.notice.kind == MessageKind::Group && m.notice.phase == Phase::Resolved)
            .map(|(m, _)| (m.notice.alert_id.clone(), m.known_at))
            .collect();
        for (message, _) in &recent {
            if !ends.contains_key(&message.notice.alert_id) {
                self.resume_storm(message);
            }
        }
        for (message, rows) in &recent {
            for row in rows {
                let Some(place) = self.place(&row.endpoint) else { continue };
                let silent = row.state == DeliveryState::Superseded && row.reason != "newer_state";
                match cause_of(message) {
                    Some(cause) if row.via.is_none() && !silent && row.state.is_final() => {
                        let watch = self.desks[place].watches.entry(cause).or_default();
                        watch.note_alone(message.known_at, message);
                    }
                    Some(cause) if row.via.is_some() => {
                        let watch = self.desks[place].watches.entry(cause).or_default();
                        if let Some(storm) = watch.storm.as_mut() {
                            storm.members.insert(message.fingerprint.clone(), Arc::clone(message));
                        }
                    }
                    Some(_) => {}
                    None => {
                        if let Some(cause) = cause_of_group(message) {
                            let watch = self.desks[place].watches.entry(cause).or_default();
                            watch.note_message(message.known_at);
                        }
                    }
                }
            }
        }
    }

    fn resume_unfinished(&mut self, unfinished: Vec<Outgoing>, now: Ts) {
        let mut joined: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        let waits = |o: &Outgoing, d: &Delivery| {
            unfinished_has(&unfinished, d.via.as_deref(), &d.endpoint) && d.message == o.message.id
        };
        let mut grouped = Vec::new();
        for outgoing in &unfinished {
            for row in &outgoing.deliveries {
                if row.state == DeliveryState::Grouped && waits(outgoing, row) {
                    let via = row.via.clone().unwrap_or_default();
                    joined.entry((row.endpoint.clone(), via)).or_default().push(row.message.clone());
                    grouped.push((row.endpoint.clone(), row.message.clone()));
                }
            }
        }
        for outgoing in unfinished {
            let message = Arc::new(outgoing.message);
            let muted = self.note(&message, now);
            for mut row in outgoing.deliveries {
                let Some(place) = self.place(&row.endpoint) else { continue };
                if row.state.is_final() || grouped.contains(&(row.endpoint.clone(), row.message.clone())) {
                    continue;
                }
                // What went with a group that is not there any more waits on its own.
                row.state = DeliveryState::Waiting;
                let joined = joined.remove(&(row.endpoint.clone(), message.id.clone())).unwrap_or_default();
                let item = Item { joined, inherited: true, ..Item::of(Arc::clone(&message), &row) };
                self.resume_item(place, item, muted, now);
            }
        }
    }

    fn resume_item(&mut self, place: usize, item: Item, muted: Option<&'static str>, now: Ts) {
        if let Some(why) = muted.filter(|_| item.message.notice.phase != Phase::Resolved) {
            return self.mute(place, &item, why, now);
        }
        let desk = &mut self.desks[place];
        if let Some(watch) = cause_of(&item.message).and_then(|c| desk.watches.get_mut(&c)) {
            // What was known before the group began was told on its own.
            let before = watch.storm.as_ref().is_some_and(|s| item.message.known_at < s.began);
            if before || item.attempts > 0 {
                watch.note_alone(item.message.known_at, &item.message);
                return desk.push(item, now, &mut self.actions);
            }
        }
        self.route(place, item, now);
    }

    /// Members of long storms are known by what still fires.
    fn complete_members(&mut self) {
        for message in self.firing.values() {
            let Some(cause) = cause_of(message) else { continue };
            for desk in &mut self.desks {
                let Some(storm) = desk.watches.get_mut(&cause).and_then(|w| w.storm.as_mut()) else { continue };
                let told = desk.lanes.get(&message.fingerprint).is_some_and(|l| l.told.is_some());
                if told && message.known_at >= storm.began && message.known_at <= storm.told_at {
                    storm.members.entry(message.fingerprint.clone()).or_insert_with(|| Arc::clone(message));
                }
            }
        }
        debug_assert!(self.actions.iter().all(|a| !matches!(a, Action::Send(_))), "recovering sends nothing yet");
    }
}

fn cause_of_group(message: &Message) -> Option<String> {
    let rest = message.notice.alert_id.strip_prefix("group|")?.split_once('|')?.1;
    Some(rest.rsplit_once('|')?.0.to_owned())
}

fn unfinished_has(unfinished: &[Outgoing], via: Option<&str>, endpoint: &str) -> bool {
    // Few messages are of groups, so this is a short walk.
    unfinished
        .iter()
        .filter(|o| o.message.notice.kind == MessageKind::Group)
        .any(|o| Some(o.message.id.as_str()) == via && o.deliveries.iter().any(|d| d.endpoint == endpoint))
}
