//! What is delivered to an Alertmanager again every minute, so that it neither lets an alert end that fires nor keeps one that does not
//! (delivery §6.2).
//!
//! Beside the planner, because nothing is decided here: what its endpoint has confirmed and nobody has ended is delivered again. A
//! refresh that fails is made up for by the next; four of them fit into the time an alert lasts.

use super::SendTarget;
use crate::format::RequestContext;
use crate::transport::{Post, ReplyReading, Transport};
use barograph_domain::delivery::{Message, Phase};
use barograph_domain::{Span, Ts};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const EVERY: Span = Span::mins(1);
/// Alerts in one request: a few hundred kilobytes.
const AT_ONCE: usize = 200;

/// Alerts of one endpoint.
#[derive(Debug, Default)]
struct Confirmed {
    /// By fingerprint.
    firing: BTreeMap<String, Arc<Message>>,
    /// In the request under way.
    flying: BTreeSet<String>,
    /// Ended while a request under way says that they fire: the end is delivered once more behind it.
    owed: Vec<Arc<Message>>,
}

#[derive(Debug)]
pub(super) struct Refresh {
    /// By position of the endpoint.
    endpoints: BTreeMap<usize, Confirmed>,
    next: Ts,
}

impl Refresh {
    pub(super) fn of(targets: &[Arc<SendTarget>], now: Ts) -> Self {
        let pushed = targets.iter().enumerate().filter(|(_, t)| t.receiver.format.refresh.is_some());
        Self { endpoints: pushed.map(|(place, _)| (place, Confirmed::default())).collect(), next: now + EVERY }
    }

    /// A message became known: an end ends it here, whatever becomes of its deliveries.
    pub(super) fn note(&mut self, message: &Message) {
        if message.notice.phase != Phase::Resolved {
            return;
        }
        for confirmed in self.endpoints.values_mut() {
            confirmed.firing.remove(&message.fingerprint);
            if confirmed.flying.contains(&message.fingerprint) {
                confirmed.owed.push(Arc::new(message.clone()));
            }
        }
    }

    /// An endpoint has confirmed it.
    pub(super) fn confirmed(&mut self, place: usize, message: &Arc<Message>) {
        if let Some(confirmed) = self.endpoints.get_mut(&place)
            && matches!(message.notice.phase, Phase::Firing | Phase::NoData)
        {
            confirmed.firing.insert(message.fingerprint.clone(), Arc::clone(message));
        }
    }

    /// What is to be delivered again now, by endpoint.
    pub(super) fn due(&mut self, now: Ts) -> Vec<(usize, Vec<Arc<Message>>)> {
        if now < self.next {
            return Vec::new();
        }
        self.next = now + EVERY;
        let idle = self.endpoints.iter_mut().filter(|(_, t)| t.flying.is_empty() && !t.firing.is_empty());
        idle.map(|(place, confirmed)| {
            confirmed.flying = confirmed.firing.keys().cloned().collect();
            (*place, confirmed.firing.values().cloned().collect())
        })
        .collect()
    }

    /// A request has ended; what is to be delivered behind it.
    pub(super) fn done(&mut self, place: usize) -> Vec<Arc<Message>> {
        let Some(confirmed) = self.endpoints.get_mut(&place) else { return Vec::new() };
        confirmed.flying.clear();
        core::mem::take(&mut confirmed.owed)
    }

    /// `None` where no endpoint is of this kind.
    pub(super) fn next_wake(&self) -> Option<Ts> {
        self.endpoints.values().any(|t| !t.firing.is_empty()).then_some(self.next)
    }
}

/// Delivers it again; `wire` is the receivers' clock. What comes of it is not on record: these are no deliveries.
pub(super) async fn deliver(transport: &Transport, target: &SendTarget, messages: &[Arc<Message>], wire: &super::Now) {
    let Some(refresh) = target.receiver.format.refresh else { return };
    for some in messages.chunks(AT_ONCE) {
        let context = RequestContext { receiver: &target.receiver, learned: None, now: wire(), repeats: None };
        let request = refresh(some, &context);
        let Some(url) = target.url_of(&request) else { return };
        let headers = target.headers("", &request, wire());
        let body = Bytes::from(request.body);
        let receiver = &target.receiver;
        let post = Post {
            endpoint: &receiver.name,
            url: &url,
            allowed: &receiver.allow_private,
            headers: &headers,
            body: &body,
            gap: receiver.format.host_gap,
            verdict: ReplyReading::Status,
        };
        if transport.post(post).await.is_err() {
            return;
        }
    }
}
