//! What follows from a try.

use super::endpoint::{ASKED_TO_WAIT, Item, PAUSED};
use super::{Outcome, PlanAction, Planner, Tried};
use crate::schedule::{FAILING_MAX, MISCONFIGURED_MAX, REJECTS_MAX, clamped, pause_after};
use barograph_domain::delivery::{DeliveryState, Message, MessageKind, Notice, Phase, fingerprint, message_id};
use barograph_domain::{Severity, Span, Ts};

/// After a breakdown of so long, what waits for its next try is sent at the first success.
const HURRIED_AFTER: Span = Span::secs(5);
/// So long before a message is too old it is tried once more.
const LAST_TRY: Span = Span::secs(20);
/// A shorter breakdown is not worth announcing its end.
const ANNOUNCED_AFTER: Span = Span::mins(5);
/// Failures further apart are two breakdowns: the longest pause between two tries of one message is 24 h and a fifth.
const APART: Span = Span::hours(29);

/// At least so long after so many tries: seconds first, doubling, at most five minutes.
fn patience(attempts: u32) -> Span {
    Span::secs(1_i64 << attempts.saturating_sub(1).min(9)).min(Span::mins(5))
}

impl Planner {
    /// A try has ended.
    pub fn tried(&mut self, tried: Tried, now: Ts) {
        let Tried { endpoint: place, message, outcome, parts_done } = tried;
        let Some(mut item) = self.plans.get_mut(place).and_then(|d| d.land(&message)) else { return };
        item.attempts += 1;
        item.parts_done = parts_done;
        match outcome {
            Outcome::Delivered => self.delivered(place, &item, now),
            Outcome::NotInFormat => {
                self.plans[place].end(&item, DeliveryState::Superseded, "not_in_format", now, &mut self.actions);
                self.plans[place].tidy(&message.fingerprint);
            }
            Outcome::Unconfirmed => {
                self.failing(place, now);
                self.plans[place].end(&item, DeliveryState::Dead, "unconfirmed", now, &mut self.actions);
                self.plans[place].tidy(&message.fingerprint);
            }
            Outcome::RetryAfter(asked) => {
                // Who is asked for patience again and again means it, whatever the number says.
                let rest = now + self.of_wire(clamped(asked).max(patience(item.attempts)));
                let plan = &mut self.plans[place];
                (plan.rest_until, plan.probing) = (plan.rest_until.max(rest), true);
                plan.requests_before_rest = plan.requests;
                item.next_try = rest;
                self.failing(place, now);
                self.put_back(place, item, ASKED_TO_WAIT, now);
            }
            Outcome::Retry => {
                item.next_try = now + pause_after(item.attempts, &mut self.jitter);
                self.plans[place].failures += 1;
                self.failing(place, now);
                self.put_back(place, item, "", now);
            }
            Outcome::Learned(word) => {
                let plan = &mut self.plans[place];
                plan.state.learned = Some(word);
                self.actions.push(PlanAction::State(plan.state.clone()));
                item.next_try = now;
                self.put_back(place, item, "", now);
            }
            Outcome::Reject => {
                item.rejects += 1;
                if item.rejects >= REJECTS_MAX {
                    self.plans[place].end(&item, DeliveryState::Dead, "refused", now, &mut self.actions);
                    self.plans[place].tidy(&message.fingerprint);
                } else {
                    item.next_try = now + pause_after(item.attempts, &mut self.jitter);
                    self.put_back(place, item, "", now);
                }
            }
            Outcome::Misconfigured(why) => self.misconfigured(place, item, &why, now),
            Outcome::Disable(why) => {
                self.plans[place].end(&item, DeliveryState::Dead, "endpoint_disabled", now, &mut self.actions);
                self.disable(place, &why, now);
            }
        }
    }

    fn delivered(&mut self, place: usize, item: &Item, now: Ts) {
        let plan = &mut self.plans[place];
        plan.end(item, DeliveryState::Delivered, "", now, &mut self.actions);
        if item.message.notice.kind == MessageKind::Group {
            // What a group reports is known of its members; it has no state of its own.
            plan.tidy(&item.message.fingerprint);
        } else {
            plan.note_confirmed(&item.message);
        }
        // What was under way when it asked for patience says nothing of what it takes after that, however late it is taken.
        if item.request <= plan.requests_before_rest {
            return;
        }
        (plan.failures, plan.probing, plan.misconfigured) = (0, false, 0);
        let failing = plan.state.failing_since.take();
        if failing.is_some() {
            self.actions.push(PlanAction::State(plan.state.clone()));
        }
        // What was under way when it was stopped says nothing about it.
        let stopped = if plan.state.disabled.is_none() { plan.stopped.take() } else { None };
        let Some(since) = [failing, stopped].into_iter().flatten().min() else { return };
        // A single message that fails among others that do not is no breakdown, and is not pressed on the receiver.
        if now - since >= HURRIED_AFTER {
            plan.hurry(now);
        }
        if stopped.is_some() || now - since >= ANNOUNCED_AFTER {
            let name = plan.endpoint.name.clone();
            let text = format!(
                "Nothing could be delivered to '{name}' from {} for {}. What is still worth a message follows.",
                since.floor(Span::secs(1)),
                (now - since).spoken()
            );
            let message = about(&name, Phase::Resolved, &format!("receiver {name} works again"), text, now);
            self.announce(message, None, now);
        }
    }

    /// Tried again later, for this reason where there is one; if something newer waits, that is tried instead.
    fn put_back(&mut self, place: usize, item: Item, why: &str, now: Ts) {
        let plan = &mut self.plans[place];
        let fingerprint = item.message.fingerprint.clone();
        if item.message.notice.kind == MessageKind::Group && !plan.is_gone() {
            plan.report_behind(&item.message, now, &mut self.actions);
        }
        if plan.is_gone() {
            plan.end(&item, DeliveryState::Dead, "endpoint_disabled", now, &mut self.actions);
        } else if !item.replayed && plan.has_newer(&item.message) {
            plan.end(&item, DeliveryState::Superseded, "newer_state", now, &mut self.actions);
        } else if let Some(mut newer) = plan.take_waiting(&fingerprint) {
            plan.replace(&item, &mut newer, now, &mut self.actions);
            newer.next_try = newer.next_try.max(item.next_try);
            newer.attempts = newer.attempts.max(1);
            let change = plan.change(&newer, DeliveryState::Waiting, why, now);
            self.actions.push(PlanAction::Change(change));
            plan.put_waiting(&fingerprint, newer);
        } else {
            let mut item = item;
            if item.next_try >= item.until {
                // One last try while it is still worth delivering; else it waits for its end, or for a sign of life.
                let last = item.until - LAST_TRY;
                item.next_try = if now + LAST_TRY < last { last } else { item.until };
            }
            let change = plan.change(&item, DeliveryState::Waiting, why, now);
            self.actions.push(PlanAction::Change(change));
            plan.put_waiting(&fingerprint, item);
        }
    }

    /// Notes that no try succeeds. Quiet days count neither for the endpoint nor against it: only a try that fails disables.
    fn failing(&mut self, place: usize, now: Ts) {
        let plan = &mut self.plans[place];
        let apart = plan.failed_at.replace(now).is_some_and(|at| now - at > APART);
        match plan.state.failing_since {
            Some(since) if !apart => {
                if now - since >= FAILING_MAX {
                    self.disable(place, "no try has succeeded for three days", now);
                }
            }
            Some(_) | None => {
                plan.state.failing_since = Some(now);
                self.actions.push(PlanAction::State(plan.state.clone()));
            }
        }
    }

    fn misconfigured(&mut self, place: usize, mut item: Item, why: &str, now: Ts) {
        item.next_try = now + pause_after(item.attempts, &mut self.jitter);
        self.failing(place, now);
        let plan = &mut self.plans[place];
        plan.misconfigured += 1;
        let pauses = plan.misconfigured >= MISCONFIGURED_MAX && plan.state.disabled.is_none();
        if pauses {
            plan.state.disabled = Some(format!("{PAUSED}: {why}; check its address and secrets, then enable it"));
            plan.stopped = Some(now);
            self.actions.push(PlanAction::State(plan.state.clone()));
        }
        self.put_back(place, item, "", now);
        if pauses {
            self.announce_stop(place, why, now);
        }
    }

    /// Nothing goes there any more.
    pub(super) fn disable(&mut self, place: usize, why: &str, now: Ts) {
        let plan = &mut self.plans[place];
        if plan.is_gone() {
            return;
        }
        plan.state.disabled = Some(why.to_owned());
        plan.stopped = Some(now);
        self.actions.push(PlanAction::State(plan.state.clone()));
        plan.bury(now, &mut self.actions);
        self.announce_stop(place, why, now);
    }

    fn announce_stop(&mut self, place: usize, why: &str, now: Ts) {
        let name = self.plans[place].endpoint.name.clone();
        let text = format!("Nothing is sent to '{name}' any more: {why}. Enable it again once it can receive.");
        let message = about(&name, Phase::Firing, &format!("receiver {name} is disabled"), text, now);
        self.announce(message, Some(place), now);
    }
}

/// What messages about the delivery to an endpoint are about.
pub(super) fn thing_of(endpoint: &str) -> String {
    format!("delivery|{endpoint}")
}

/// A message about the delivery itself.
fn about(endpoint: &str, phase: Phase, title: &str, text: String, now: Ts) -> Message {
    let thing = thing_of(endpoint);
    let notice = Notice {
        source: "DELIVERY".to_owned(),
        severity: if phase == Phase::Firing { Severity::High } else { Severity::Info },
        title: title.chars().take(60).collect(),
        text,
        closed_at: (phase == Phase::Resolved).then_some(now),
        path: "/alerts".to_owned(),
        ..Notice::bare(MessageKind::Delivery, phase, thing.clone(), now)
    };
    Message {
        id: message_id(&format!("{thing}|{}|{}", phase.name(), now.0)),
        fingerprint: fingerprint(&thing),
        known_at: now,
        notice,
    }
}
