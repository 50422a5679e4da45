//! For programs that embed the delivery: receivers are registered, events of the program's own are dispatched to them, each type
//! by a function of its name (R4.32). A function of the program is a receiver like any other (R3.29, [`Receiver::calling`]).
//!
//! Thin on purpose: an event becomes a message in a [`MemoryOutbox`], and from there on everything is as for the program's alerts:
//! filters, order, retries, groups, ends on record. What is not delivered when the process ends is gone; who cannot afford that
//! implements [`crate::outbox::Outbox`] over a store and uses [`Dispatcher`] itself. `examples/callback.rs` shows both calls.

mod memory;
#[cfg(test)]
mod tests;

pub use memory::MemoryOutbox;

use crate::dispatch::{Dispatcher, Now, Stats};
use crate::outbox::{Outgoing, waiting};
use crate::receiver::Receiver;
use crate::transport::Transport;
use barograph_domain::delivery::{Message, MessageKind, Notice, Phase, fingerprint, message_id};
use barograph_domain::{InstrumentName, Pattern, Severity, Ts};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;

/// Something that happened, in the fields of R4.29; type, time and source are added when it is dispatched.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Of which market.
    pub instrument: InstrumentName,
    /// How severe.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// What happened, in sentences.
    pub description: String,
    /// Its facts.
    pub data: Map<String, Value>,
}

/// Registered receivers and the thread that delivers to them.
pub struct Events {
    receivers: Vec<Receiver>,
    outbox: MemoryOutbox,
    dispatcher: Dispatcher,
    now: Now,
    dispatched: AtomicU64,
}

impl core::fmt::Debug for Events {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Events").field("receivers", &self.receivers).finish_non_exhaustive()
    }
}

impl Events {
    /// Registers receivers and starts delivering to them; requests and callbacks run on `runtime`.
    ///
    /// # Errors
    /// When a receiver cannot be used, two have one name, or no thread can be made.
    pub fn start(receivers: Vec<Receiver>, runtime: Handle, now: Now) -> Result<Self, String> {
        let outbox = MemoryOutbox::default();
        let transport = Arc::new(Transport::new()?);
        let Ts(seed) = now();
        let (own, store) = (receivers.clone(), Box::new(outbox.clone()));
        let dispatcher = Dispatcher::start(own, store, transport, runtime, Arc::clone(&now), seed.cast_unsigned())?;
        Ok(Self { receivers, outbox, dispatcher, now, dispatched: AtomicU64::new(0) })
    }

    /// Delivers an event of a type to every receiver that wants it; the id of its message, by which [`Self::outbox`] knows what
    /// became of it. Two events are never one, however alike they are.
    pub fn dispatch(&self, pattern: Pattern, event: &Event) -> String {
        let nth = self.dispatched.fetch_add(1, Ordering::Relaxed);
        let message = message_of(pattern, event, (self.now)(), nth);
        let id = message.id.clone();
        let wants = self.receivers.iter().filter(|r| r.wants(&message.notice));
        let deliveries = wants.map(|r| waiting(&r.name, &message, r.deliver_until(&message.notice))).collect();
        let outgoing = Outgoing { message, deliveries };
        self.outbox.put(&outgoing);
        self.dispatcher.deliver(vec![outgoing]);
        id
    }

    /// `LIQUIDATION_CASCADE`; see [`Self::dispatch`].
    pub fn dispatch_cascade_event(&self, event: &Event) -> String {
        self.dispatch(Pattern::LiquidationCascade, event)
    }
    /// `FUNDING_ANOMALY`; see [`Self::dispatch`].
    pub fn dispatch_funding_anomaly(&self, event: &Event) -> String {
        self.dispatch(Pattern::FundingAnomaly, event)
    }
    /// `FUNDING_REVERSAL`; see [`Self::dispatch`].
    pub fn dispatch_funding_reversal(&self, event: &Event) -> String {
        self.dispatch(Pattern::FundingReversal, event)
    }
    /// `VOLATILITY_REGIME_CHANGE`; see [`Self::dispatch`].
    pub fn dispatch_volatility_regime_change(&self, event: &Event) -> String {
        self.dispatch(Pattern::VolatilityRegimeChange, event)
    }
    /// `CORRELATION_BREAK`; see [`Self::dispatch`].
    pub fn dispatch_correlation_break(&self, event: &Event) -> String {
        self.dispatch(Pattern::CorrelationBreak, event)
    }
    /// `REGIME_CONFIRMED`; see [`Self::dispatch`].
    pub fn dispatch_regime_confirmed(&self, event: &Event) -> String {
        self.dispatch(Pattern::RegimeConfirmed, event)
    }

    /// Where it is written what became of each delivery.
    #[must_use]
    pub const fn outbox(&self) -> &MemoryOutbox {
        &self.outbox
    }
    /// What has been done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.dispatcher.stats()
    }
    /// Ends: requests and calls under way may take as long as `within`; the outbox is handed back with what they gave.
    pub fn stop(self, within: Duration) -> MemoryOutbox {
        self.dispatcher.stop(within);
        self.outbox
    }
}

fn message_of(pattern: Pattern, event: &Event, at: Ts, nth: u64) -> Message {
    let symbol =
        event.instrument.base_quote().map_or_else(|| event.instrument.symbol.clone(), |(b, q)| format!("{b}/{q}"));
    let envelope = |severity: &str| {
        json!({
            "event_type": pattern.name(), "timestamp": at.iso_millis(), "symbol": symbol, "severity": severity,
            "title": event.title, "description": event.description, "source": pattern.source(), "data": event.data,
        })
    };
    let mut own = envelope(event.severity.name());
    own["instrument"] = json!(event.instrument.to_string());
    let what = format!("embedded|{}|{}|{}|{nth}", event.instrument, pattern.name(), at.0);
    let notice = Notice {
        pattern: Some(pattern),
        source: pattern.source().to_owned(),
        severity: event.severity,
        instrument: Some(event.instrument.clone()),
        title: event.title.clone(),
        text: event.description.clone(),
        path: format!("/m/{}?as_of={at}", event.instrument),
        event: own.to_string(),
        seed4: pattern.seed4().map_or_else(String::new, |_| envelope(event.severity.seed4()).to_string()),
        symbol,
        ..Notice::bare(MessageKind::Alert, Phase::Happened, what.clone(), at)
    };
    // Of one thing only the newest news is delivered; these are no news of one thing.
    Message { id: message_id(&what), fingerprint: fingerprint(&what), known_at: at, notice }
}
