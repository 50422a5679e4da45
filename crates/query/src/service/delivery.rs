//! Deliveries, endpoints, groups and silences: read from the store, changed through the desk of a process that delivers.

use super::{Service, internal};
use crate::delivery::{DeliveryDesk, Failed, ask};
use barograph_api::{
    AskDeliveries, DeliveryFilter, DeliveryName, DeliveryView, EndpointView, GroupView, MessageView, NewReceiver,
    NewSilence, Page, QueryError, SampleView, SilenceView,
};
use barograph_domain::delivery::{BudgetUse, Delivery};
use barograph_domain::{Span, Ts};
use barograph_notify::budget::AlertBudget;
use barograph_notify::dispatch::budget_of;
use barograph_notify::sample::SampleOutcome;
use barograph_store::{DeliveryPlace, DeliveryQuery, MessageLog, ReplayOutcome};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far back groups and figures of endpoints reach.
const RECENT: Span = Span::hours(24);
const NOT_HERE: &str = "this process serves what is stored and listens to no venue, or not yet: messages, silences and receivers are the \
                        business of the process that does; start it with barograph up, or open its page";

impl AskDeliveries for Service {
    fn deliveries(&self, filter: &DeliveryFilter) -> Result<Page<DeliveryView>, QueryError> {
        let place = |p: &barograph_api::DeliveryPlace| DeliveryPlace {
            known_at: p.known_at,
            message: p.message.clone(),
            endpoint: p.endpoint.clone(),
        };
        let query = DeliveryQuery {
            state: filter.state,
            endpoint: filter.endpoint.clone(),
            instrument: filter.instrument.clone(),
            kind: filter.kind,
            as_of: filter.as_of,
            before: filter.after.as_ref().map(place),
            after: None,
            limit: filter.limit + 1,
        };
        let mut found = self.reader.deliveries(&query).map_err(internal)?;
        let more = found.len() > filter.limit;
        found.truncate(filter.limit);
        let now = filter.as_of.unwrap_or_else(|| self.clock.now());
        let view = |s: barograph_store::Sent| DeliveryView::new(not_before(s.delivery, now), &s.message);
        Ok(Page { items: found.into_iter().map(view).collect(), more })
    }

    fn message(&self, id: &str) -> Result<MessageView, QueryError> {
        let found = self.reader.message(id).map_err(internal)?;
        let MessageLog { outgoing, attempts } = found.ok_or_else(|| unknown(DeliveryName::Message, id))?;
        let (message, now) = (outgoing.message, self.clock.now());
        Ok(MessageView {
            message: message.id,
            fingerprint: message.fingerprint,
            known_at: message.known_at,
            notice: message.notice,
            deliveries: outgoing.deliveries.into_iter().map(|d| not_before(d, now)).collect(),
            attempts,
        })
    }

    fn replay(&self, message: &str, endpoint: &str) -> Result<DeliveryView, QueryError> {
        let desk = self.delivery_desk()?;
        let names = desk.outlet_names();
        if !names.is_empty() && !names.iter().any(|name| name == endpoint) {
            return Err(unknown(DeliveryName::Endpoint, endpoint));
        }
        let conflict = |reason: String, hint: &str| QueryError::Conflict { reason, hint: hint.to_owned() };
        let replayed = desk.replay(endpoint, message, self.clock.now());
        self.board.hub.deliveries_moved();
        match replayed.map_err(failed)? {
            ReplayOutcome::Waits(again) => {
                let delivery = again.deliveries.into_iter().next();
                let delivery = delivery.ok_or_else(|| unknown(DeliveryName::Message, message))?;
                Ok(DeliveryView::new(delivery, &again.message))
            }
            ReplayOutcome::Unfinished => Err(conflict(
                format!("'{message}' still waits for '{endpoint}'"),
                "nothing has to be done; its page shows the next try",
            )),
            ReplayOutcome::Delivered => Err(conflict(
                format!("'{endpoint}' has confirmed '{message}'"),
                "only what is dead, expired, held back or superseded is sent again",
            )),
            ReplayOutcome::Missing => Err(unknown(DeliveryName::Message, &format!("{message} to {endpoint}"))),
        }
    }

    /// Those of the settings, and those that something was stored about, by name.
    fn endpoints(&self) -> Result<Vec<EndpointView>, QueryError> {
        let mut all: BTreeMap<String, EndpointView> = BTreeMap::new();
        fn of<'a>(all: &'a mut BTreeMap<String, EndpointView>, name: &str) -> &'a mut EndpointView {
            all.entry(name.to_owned())
                .or_insert_with(|| EndpointView { name: name.to_owned(), ..EndpointView::default() })
        }
        let mut budgets = BTreeMap::new();
        for outlet in self.deliveries.get().into_iter().flat_map(|d| d.outlets.iter()).flat_map(|o| o.all()) {
            let one = of(&mut all, &outlet.name);
            one.budget = outlet.budget.map(|budget| budget.to_string());
            one.budget_most = outlet.budget.map(|budget| budget.most);
            one.made_here = outlet.made;
            (one.format, one.address) = (Some(outlet.format), Some(outlet.address));
            budgets.extend(outlet.budget.map(|budget| (outlet.name, budget)));
        }
        for state in self.reader.endpoint_states().map_err(internal)? {
            let one = of(&mut all, &state.endpoint);
            let used = budget_of(&state);
            (one.disabled, one.failing_since) = (state.disabled, state.failing_since);
            if let Some(budget) = budgets.get(&state.endpoint) {
                (one.budget_used, one.budget_next_at) = spent(*budget, &used, self.clock.now());
                one.held_back_now = used.held_back;
            }
        }
        for count in self.reader.delivered_counts(self.clock.now() - RECENT).map_err(internal)? {
            let one = of(&mut all, &count.endpoint);
            (one.waiting, one.delivered_24h, one.held_back_24h) = (count.waiting, count.delivered, count.held_back);
            (one.latency_ms_p50, one.latency_ms_p99) = (count.latency_ms_p50, count.latency_ms_p99);
        }
        Ok(all.into_values().collect())
    }

    fn enable_endpoint(&self, name: &str) -> Result<EndpointView, QueryError> {
        let desk = self.delivery_desk()?;
        let find = || Ok(self.endpoints()?.into_iter().find(|o| o.name == name));
        find()?.ok_or_else(|| unknown(DeliveryName::Endpoint, name))?;
        let enabled = desk.enable(name);
        self.board.hub.deliveries_moved();
        enabled.map_err(failed)?;
        find()?.ok_or_else(|| unknown(DeliveryName::Endpoint, name))
    }

    fn why_not_delivering(&self) -> Option<String> {
        self.deliveries.get().is_none().then(|| NOT_HERE.to_owned())
    }

    fn try_endpoint(&self, name: &str) -> Result<SampleView, QueryError> {
        let outlets = self.delivery_desk()?.outlets.as_ref().ok_or(QueryError::NotDelivering)?;
        let tried = outlets.sample(name).ok_or_else(|| unknown(DeliveryName::Endpoint, name))?;
        let shown = tried.map_err(|reason| QueryError::Conflict {
            reason,
            hint: "correct its settings; docs/alerts.md says what each format needs".to_owned(),
        })?;
        let SampleOutcome { request, status, reply, latency_ms, delivered, body, headers: _ } = shown;
        Ok(SampleView { request, status, reply, latency_ms, delivered, body })
    }

    fn make_receiver(&self, new: &NewReceiver) -> Result<EndpointView, QueryError> {
        let outlets = self.delivery_desk()?.outlets.as_ref().ok_or(QueryError::NotDelivering)?;
        outlets.make(new).map_err(|w| QueryError::BadField {
            field: w.field.to_owned(),
            value: w.value,
            reason: w.reason,
        })?;
        self.board.hub.deliveries_moved();
        let name = new.name.trim();
        let made = self.endpoints()?.into_iter().find(|o| o.name == name);
        made.ok_or_else(|| unknown(DeliveryName::Endpoint, name))
    }

    fn remove_receiver(&self, name: &str) -> Result<(), QueryError> {
        let outlets = self.delivery_desk()?.outlets.as_ref().ok_or(QueryError::NotDelivering)?;
        if outlets.all().iter().any(|o| o.name == name && !o.made) {
            return Err(QueryError::Conflict {
                reason: format!("receiver '{name}' stands in the settings"),
                hint: "take its [[receiver]] table or variable out and start the process again".to_owned(),
            });
        }
        let removed = outlets.remove(name).map_err(|reason| QueryError::Unavailable { reason })?;
        self.board.hub.deliveries_moved();
        if removed { Ok(()) } else { Err(unknown(DeliveryName::Endpoint, name)) }
    }

    fn groups(&self, as_of: Option<Ts>) -> Result<Vec<GroupView>, QueryError> {
        let since = as_of.unwrap_or_else(|| self.clock.now()) - RECENT;
        let found = self.reader.groups(since, as_of).map_err(internal)?;
        Ok(found.into_iter().map(|m| GroupView { message: m.id, known_at: m.known_at, notice: m.notice }).collect())
    }

    fn silences(&self, all: bool, as_of: Option<Ts>) -> Result<Vec<SilenceView>, QueryError> {
        let moment = as_of.unwrap_or_else(|| self.clock.now());
        let found = self.reader.silences(as_of, (!all).then_some(moment)).map_err(internal)?;
        Ok(found.into_iter().map(|s| SilenceView::at(s, moment)).collect())
    }

    fn put_silence(&self, new: &NewSilence) -> Result<SilenceView, QueryError> {
        let desk = self.delivery_desk()?;
        let now = self.clock.now();
        let silence = ask::silence(new, now, desk.understand).map_err(|w| QueryError::BadField {
            field: w.field.to_owned(),
            value: w.value,
            reason: w.reason,
        })?;
        let silenced = desk.silence(&silence);
        self.board.hub.deliveries_moved();
        silenced.map_err(failed)?;
        Ok(SilenceView::at(silence, now))
    }

    fn end_silence(&self, id: &str) -> Result<(), QueryError> {
        let ended = self.delivery_desk()?.end_silence(id, self.clock.now(), "api");
        self.board.hub.deliveries_moved();
        if ended.map_err(failed)? { Ok(()) } else { Err(unknown(DeliveryName::Silence, id)) }
    }
}

impl Service {
    /// Commands about deliveries are carried out there from now on.
    pub fn deliver_through(&self, desk: Arc<DeliveryDesk>) {
        // Set once, where the process begins.
        drop(self.deliveries.set(desk));
    }

    fn delivery_desk(&self) -> Result<&DeliveryDesk, QueryError> {
        self.deliveries.get().map(|d| &**d).ok_or(QueryError::NotDelivering)
    }
}

/// How many alerts count against a budget at a moment, and when there is room for the next where it is spent.
fn spent(budget: AlertBudget, used: &BudgetUse, now: Ts) -> (u32, Option<Ts>) {
    let mut counting: Vec<Option<Ts>> = used
        .spent
        .iter()
        .map(|one| one.delivered_at)
        .filter(|at| at.is_none_or(|at| at > now - budget.window))
        .collect();
    // What is under way counts for longest: it has not been delivered yet.
    counting.sort_by_key(|at| at.unwrap_or(Ts::MAX));
    let most = usize::try_from(budget.most).unwrap_or(usize::MAX);
    let first_free = counting.len().checked_sub(most).and_then(|n| counting.get(n).copied().flatten());
    (u32::try_from(counting.len()).unwrap_or(u32::MAX), first_free.map(|at| at + budget.window))
}

/// What waits although its moment has come waits for its turn: its next try is now or later, not then. Where that is later than
/// `deliver_until`, it waits for its end alone.
fn not_before(delivery: Delivery, now: Ts) -> Delivery {
    let next_try = if delivery.state.is_final() { delivery.next_try } else { delivery.next_try.max(now) };
    Delivery { next_try, ..delivery }
}

fn unknown(what: DeliveryName, id: &str) -> QueryError {
    QueryError::Unknown { what, id: id.to_owned() }
}

fn failed(f: Failed) -> QueryError {
    match f {
        Failed::Store(e) => super::advice::unwritable(e),
        Failed::Unheard => QueryError::Unavailable {
            reason: "it is stored, and this process has stopped delivering; the next start takes it up".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::delivery::DeliveryState;

    #[test]
    fn a_spent_budget_says_when_there_is_room_again() {
        use barograph_domain::delivery::Spent;
        let now = Ts::from_civil(2026, 2, 5, 12, 0, 0);
        let budget = AlertBudget::parse("3/day").unwrap();
        let of = |hours: &[Option<i64>]| {
            let one = |h: &Option<i64>| Spent { message: "m".into(), delivered_at: h.map(|h| now - Span::hours(h)) };
            spent(budget, &BudgetUse { spent: hours.iter().map(one).collect(), ..BudgetUse::default() }, now)
        };
        let at = |hours| Some(now + Span::hours(hours));
        assert_eq!(of(&[]), (0, None));
        assert_eq!(of(&[Some(2), Some(30)]), (1, None), "a day ago no longer counts");
        assert_eq!(of(&[Some(2), Some(22), Some(5)]), (3, at(2)));
        assert_eq!(of(&[Some(2), Some(22), Some(5), Some(1)]), (4, at(19)), "after the second oldest");
        assert_eq!(of(&[None, None, None]), (3, None), "nothing is delivered yet");
        assert_eq!(of(&[None, Some(20), None]), (3, at(4)));
    }

    #[test]
    fn no_next_try_lies_in_the_past() {
        let now = Ts::from_civil(2026, 2, 5, 12, 0, 0);
        let at = |state: DeliveryState, next_try: Ts| Delivery {
            endpoint: "desk".to_owned(),
            message: "msg".to_owned(),
            state,
            via: None,
            reason: String::new(),
            deliver_until: now + Span::mins(30),
            attempts: 0,
            next_try,
            ended_at: None,
        };
        let (past, later) = (now - Span::mins(3), now + Span::mins(3));
        assert_eq!(not_before(at(DeliveryState::Waiting, past), now).next_try, now);
        assert_eq!(not_before(at(DeliveryState::Waiting, later), now).next_try, later);
        assert_eq!(not_before(at(DeliveryState::Delivered, past), now).next_try, past, "what was is not changed");
        // Nobody delivers, and it has become too old: no try is left, which the two moments say.
        for state in [DeliveryState::Waiting, DeliveryState::Grouped] {
            let too_old = Delivery { deliver_until: now - Span::mins(1), ..at(state, past) };
            let listed = not_before(too_old, now);
            assert_eq!((listed.next_try, listed.deliver_until), (now, now - Span::mins(1)));
        }
    }
}
