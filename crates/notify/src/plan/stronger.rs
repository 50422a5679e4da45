//! What an endpoint need not hear because a stronger alert says the same, for as long as that is so.
//!
//! The stronger one speaks for the weaker only where it is heard. Where it does not arrive, or ends while the weaker goes on, the
//! weaker is delivered then: else the receiver would know of nothing, or of an end alone.

use super::endpoint::EndpointPlan;
use super::{Planner, is_open};
use barograph_domain::Ts;
use barograph_domain::delivery::{DeliveryState, Message, Phase};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const INHIBITED: &str = "inhibited";

/// Alerts that a stronger one speaks for.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// Position of the endpoint and fingerprint of the weaker one; fingerprint of the stronger.
    by: BTreeMap<(usize, String), String>,
    /// Something has ended that may have spoken for others.
    pub(super) ended: bool,
}

impl EndpointPlan {
    /// The receiver has heard that it fires, or is about to be: what was tried and not confirmed is not enough.
    fn hears_of(&self, fingerprint: &str) -> bool {
        let confirmed = self.lanes.get(fingerprint).and_then(|l| l.confirmed);
        confirmed.is_some_and(|t| is_open(t.phase))
            || self.has_unsent(fingerprint)
            || self.watches.values().any(|w| w.is_fresh(fingerprint))
    }

    /// As [`Self::hears_of`], and no less severe than this.
    fn hears_all_of(&self, message: &Message) -> bool {
        let confirmed = self.lanes.get(&message.fingerprint).and_then(|l| l.confirmed).filter(|t| is_open(t.phase));
        self.hears_of(&message.fingerprint)
            && (self.has_unsent(&message.fingerprint)
                || confirmed.is_none_or(|t| t.severity >= message.notice.severity))
    }
}

impl Planner {
    /// Why this endpoint need not hear of it: what mutes it everywhere, or a stronger alert that is heard there.
    pub(super) fn why_not(
        &mut self,
        place: usize,
        message: &Message,
        everywhere: Option<&'static str>,
    ) -> Option<&'static str> {
        if everywhere.is_some() {
            return everywhere;
        }
        let by = self.stronger_at(place, message)?;
        self.behind.by.insert((place, message.fingerprint.clone()), by);
        Some(INHIBITED)
    }

    /// Fingerprint of the stronger alert that speaks for this one at an endpoint.
    fn stronger_at(&self, place: usize, message: &Message) -> Option<String> {
        let (notice, plan) = (&message.notice, &self.plans[place]);
        let by = notice.inhibited_by.filter(|_| notice.phase != Phase::Resolved && !plan.endpoint.hears_weaker)?;
        let stronger = |m: &&Arc<Message>| {
            let other = &m.notice;
            let speaks = other.pattern == Some(by) && other.rule.is_none() && other.instrument == notice.instrument;
            // Whatever the record calls it: a milder one does not speak for a more severe one.
            speaks && other.severity >= notice.severity
        };
        let found = self.firing.values().filter(stronger).find(|m| plan.hears_of(&m.fingerprint))?;
        Some(found.fingerprint.clone())
    }

    /// Delivers what fires and has nothing to speak for it any more.
    pub(super) fn deliver_what_was_behind(&mut self, now: Ts) {
        let lost: usize = self.plans.iter_mut().map(|plan| usize::from(core::mem::take(&mut plan.lost))).sum();
        if !core::mem::take(&mut self.behind.ended) && lost == 0 {
            return;
        }
        let stands = |((place, weaker), by): &(&(usize, String), &String)| {
            self.firing.contains_key(weaker) && self.firing.contains_key(*by) && self.plans[*place].hears_of(by)
        };
        let gone = self.behind.by.iter().filter(|entry| !stands(entry));
        let gone: Vec<((usize, String), String)> = gone.map(|(key, by)| (key.clone(), by.clone())).collect();
        let mut free: BTreeMap<(String, String), BTreeSet<usize>> = BTreeMap::new();
        for ((place, weaker), by) in gone {
            self.behind.by.remove(&(place, weaker.clone()));
            free.entry((weaker, by)).or_default().insert(place);
        }
        for ((weaker, by), mut places) in free {
            let Some(message) = self.firing.get(&weaker).cloned() else { continue };
            places.retain(|place| !self.plans[*place].hears_all_of(&message));
            if message.notice.phase == Phase::Firing && !places.is_empty() && self.mutes.mute_of(&message).is_none() {
                self.again_at(&message, &format!("stronger|{by}|{}", now.0), |place| places.contains(&place), now);
            }
        }
    }

    /// What other planners have left untold, as far as the store knows: behind what is heard, and what was held back lately.
    pub(super) fn resume_behind(&mut self, held_back: &BTreeSet<(usize, String)>) {
        let weaker: Vec<Arc<Message>> =
            self.firing.values().filter(|m| m.notice.inhibited_by.is_some()).cloned().collect();
        for message in weaker {
            for place in 0..self.plans.len() {
                let key = (place, message.fingerprint.clone());
                let plan = &self.plans[place];
                if plan.hears_all_of(&message) || !plan.endpoint.filter.wants(&message.notice) {
                    continue;
                }
                let by = self.stronger_at(place, &message);
                let was_held_back = held_back.contains(&(place, message.id.clone()));
                // Who spoke for it is gone, which is all that has to be known.
                if let Some(by) = by.or_else(|| was_held_back.then(String::new)) {
                    self.behind.by.insert(key, by);
                }
            }
        }
        self.behind.ended = true;
    }
}

/// A delivery that ended so has reached the receiver with nothing.
pub(super) const fn is_lost(state: DeliveryState) -> bool {
    matches!(state, DeliveryState::Dead | DeliveryState::Expired | DeliveryState::Superseded | DeliveryState::HeldBack)
}

/// Was it held back because a stronger one speaks for it, or its venue is out?
pub(super) fn is_held_back(state: DeliveryState, reason: &str) -> bool {
    state == DeliveryState::Superseded && reason == INHIBITED
}
