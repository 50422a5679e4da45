//! What one endpoint's budget lets pass and holds back (verification §5).
//!
//! Decided when something could be sent, of all that is due at that moment: the most severe pass, then the first known. A message
//! counts from its first try on and for a whole window after it was delivered; one that ends without that counts no more, unless the
//! receiver may have taken it.

use super::endpoint::{EndpointPlan, Item};
use super::{PlanAction, is_open};
use crate::budget::{HeldBack, is_limited};
use crate::outbox::Outgoing;
use barograph_domain::Ts;
use barograph_domain::delivery::{DeliveryState, Message, MessageKind, Phase, Spent};
use core::cmp::Reverse;
use std::collections::BTreeSet;

/// Reason of what a budget has held back.
const OVER_BUDGET: &str = "over_budget";
/// Reason of a try that the receiver may have taken.
const UNCONFIRMED: &str = "unconfirmed";

impl EndpointPlan {
    /// The receiver never heard that it began, so its end is no news: with a budget that is what held it back.
    pub(super) fn was_held_back(&self, message: &Message) -> bool {
        self.endpoint.budget.is_some()
            && message.notice.kind == MessageKind::Alert
            && !self.has_unsent(&message.fingerprint)
    }

    /// Does it count against the budget if it is sent now?
    fn counts(&self, item: &Item) -> bool {
        let known = |m: &Message| {
            let confirmed = self.lanes.get(&m.fingerprint).and_then(|lane| lane.confirmed);
            m.notice.phase != Phase::Happened && confirmed.is_some_and(|c| is_open(c.phase))
        };
        let tells = |m: &Message| !known(m);
        let news = match item.message.notice.kind {
            // What came and went while a group held it is news as well.
            MessageKind::Group => item.joined.iter().any(|m| tells(m)),
            _ => tells(&item.message),
        };
        news && !item.replayed && is_limited(&item.message, &item.joined) && !self.is_spent(item)
    }

    fn is_spent(&self, item: &Item) -> bool {
        self.state.budget.spent.iter().any(|one| one.message == item.message.id)
    }

    /// What was under way and has come to its end while no planner ran counts no more.
    pub(super) fn forget_ended(&mut self, unfinished: &[Outgoing]) {
        let rows = unfinished.iter().flat_map(|o| &o.deliveries).filter(|row| row.endpoint == self.endpoint.name);
        let under_way: BTreeSet<&str> = rows.map(|row| row.message.as_str()).collect();
        let counts = |one: &Spent| one.delivered_at.is_some() || under_way.contains(one.message.as_str());
        self.state.budget.spent.retain(counts);
    }

    /// Ends what is due and more than the budget has left for.
    pub(super) fn hold_back(&mut self, now: Ts, out: &mut Vec<PlanAction>) {
        let Some(budget) = self.endpoint.budget else { return };
        let left = budget.left(&mut self.state.budget, now);
        let due = self.due.iter().take_while(|(next_try, ..)| *next_try <= now);
        let waiting = due.filter_map(|(.., fingerprint)| self.lanes.get(fingerprint)?.waiting.as_ref());
        let mut limited: Vec<&Item> = waiting.filter(|item| self.counts(item)).collect();
        limited.sort_by_key(|item| (Reverse(item.message.notice.severity), item.message.known_at, &item.message.id));
        let over: Vec<String> = limited.into_iter().skip(left).map(|item| item.message.fingerprint.clone()).collect();
        for fingerprint in over {
            let Some(item) = self.take_waiting(&fingerprint) else { continue };
            let used = &mut self.state.budget;
            used.held_back = used.held_back.saturating_add(u32::try_from(item.joined.len().max(1)).unwrap_or(u32::MAX));
            used.since.get_or_insert(now);
            out.push(PlanAction::State(self.state.clone()));
            self.end(&item, DeliveryState::HeldBack, OVER_BUDGET, now, out);
            self.tidy(&fingerprint);
        }
    }

    /// It is about to be sent: it counts from now on, and names what was held back.
    pub(super) fn spend(&mut self, item: &mut Item, out: &mut Vec<PlanAction>) {
        if self.endpoint.budget.is_none() {
            return;
        }
        if self.counts(item) {
            self.state.budget.spent.push(Spent { message: item.message.id.clone(), delivered_at: None });
            out.push(PlanAction::State(self.state.clone()));
        }
        if item.tells_held_back == 0 && item.message.notice.kind != MessageKind::Sample {
            item.tells_held_back = self.state.budget.held_back;
        }
    }

    /// What a message says was held back.
    pub(super) fn held_back_in(&self, item: &Item) -> Option<HeldBack> {
        let (count, budget) = (item.tells_held_back, self.endpoint.budget?);
        let since = self.state.budget.since?;
        (count > 0).then_some(HeldBack { count, since, budget })
    }

    /// A delivery has come to its end.
    pub(super) fn settle_budget(
        &mut self,
        item: &Item,
        state: DeliveryState,
        reason: &str,
        now: Ts,
        out: &mut Vec<PlanAction>,
    ) {
        if self.endpoint.budget.is_none() {
            return;
        }
        let used = &mut self.state.budget;
        let place = used.spent.iter().position(|one| one.message == item.message.id);
        if state == DeliveryState::Delivered || reason == UNCONFIRMED {
            if let Some(place) = place {
                used.spent[place].delivered_at = Some(now);
            }
        } else if let Some(place) = place {
            used.spent.remove(place);
        }
        let told = state == DeliveryState::Delivered && item.tells_held_back > 0;
        if told {
            used.held_back = used.held_back.saturating_sub(item.tells_held_back);
            used.since = (used.held_back > 0).then_some(now);
        }
        if told || place.is_some() {
            out.push(PlanAction::State(self.state.clone()));
        }
    }
}
