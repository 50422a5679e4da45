//! Deliveries, endpoints, groups and silences: read from the store, changed through the desk of a process that delivers.

use super::{Service, internal};
use crate::delivery::{DeliveryDesk, Failed, ask};
use barograph_api::{
    AskDeliveries, DeliveryFilter, DeliveryName, DeliveryView, EndpointView, GroupView, MessageView, NewSilence, Page,
    QueryError, SilenceView,
};
use barograph_domain::delivery::Delivery;
use barograph_domain::{Span, Ts};
use barograph_store::{DeliveryPlace, DeliveryQuery, MessageLog, ReplayOutcome};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far back groups and figures of endpoints reach.
const RECENT: Span = Span::hours(24);

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
        let known = desk.outlets.is_empty() || desk.outlets.iter().any(|o| o.name == endpoint);
        if !known {
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
        for outlet in self.deliveries.get().iter().flat_map(|d| &d.outlets) {
            let one = of(&mut all, &outlet.name);
            one.budget.clone_from(&outlet.budget);
            (one.format, one.address) = (Some(outlet.format.clone()), Some(outlet.address.clone()));
        }
        for state in self.reader.endpoint_states().map_err(internal)? {
            let one = of(&mut all, &state.endpoint);
            (one.disabled, one.failing_since) = (state.disabled, state.failing_since);
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
