//! The outbox: what is to be delivered, to whom, and what became of it.
//!
//! A message is stored in the transaction of the fact it reports ([`crate::LiveBatch::messages`],
//! [`crate::PositionWriter::record_check`]), so that one is never there without the other. From then on its deliveries belong to
//! the dispatcher, which writes over a connection and in a role of its own ([`crate::Role::Delivery`]); it and the writer of
//! facts wait for each other for moments and touch different records. What people ask for (a silence, another try of what is
//! dead) goes through [`OutboxDesk`]. None of it is part of the content hash. A try is stored when it is over: killed before
//! that, the next process tries again, under the same id.

use crate::Result;
use barograph_domain::delivery::{
    Attempt, Delivery, DeliveryChange, DeliveryState, EndpointState, Firing, Join, Message, MessageKind, Outgoing,
    Silence,
};
use barograph_domain::{InstrumentName, Ts};

/// A place in the list of deliveries, which is ordered by the moment the message was known, its id and the endpoint.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DeliveryPlace {
    /// When the message was known.
    pub known_at: Ts,
    /// Its id.
    pub message: String,
    /// Name of the endpoint.
    pub endpoint: String,
}

/// Which deliveries are wanted; newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeliveryQuery {
    /// In this state only.
    pub state: Option<DeliveryState>,
    /// To this endpoint only.
    pub endpoint: Option<String>,
    /// About this market only.
    pub instrument: Option<InstrumentName>,
    /// Of this kind only.
    pub kind: Option<MessageKind>,
    /// Only of messages known by then; `None`: all.
    pub as_of: Option<Ts>,
    /// Only what comes after this place in the list, which is what is older.
    pub before: Option<DeliveryPlace>,
    /// Only what comes before this place in the list, which is what is newer.
    pub after: Option<DeliveryPlace>,
    /// At most so many.
    pub limit: usize,
}

/// A delivery with its message.
#[derive(Clone, PartialEq, Debug)]
pub struct Sent {
    /// On its way, or at its end.
    pub delivery: Delivery,
    /// What it is about.
    pub message: Message,
}

impl Sent {
    /// Its place in the list.
    #[must_use]
    pub fn place(&self) -> DeliveryPlace {
        let Delivery { message, endpoint, .. } = &self.delivery;
        DeliveryPlace { known_at: self.message.known_at, message: message.clone(), endpoint: endpoint.clone() }
    }
}

/// All that is stored about a message.
#[derive(Clone, PartialEq, Debug)]
pub struct MessageLog {
    /// What was to be delivered, and to whom.
    pub outgoing: Outgoing,
    /// Every try, oldest first.
    pub attempts: Vec<Attempt>,
}

/// How one endpoint has done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EndpointCount {
    /// Its name.
    pub endpoint: String,
    /// Deliveries that wait or go with a group.
    pub waiting: u64,
    /// Tries that were confirmed.
    pub delivered: u64,
    /// Deliveries that its budget held back.
    pub held_back: u64,
    /// Of them, half took no longer than this; `None` where there are none.
    pub latency_ms_p50: Option<u32>,
    /// Of them, 99 of 100 took no longer than this.
    pub latency_ms_p99: Option<u32>,
}

/// What became of a request to have something sent again.
#[derive(Clone, PartialEq, Debug)]
pub enum ReplayOutcome {
    /// It waits again, with this one delivery; the dispatcher of a running process has to hear of it.
    Waits(Box<Outgoing>),
    /// It has not come to an end yet.
    Unfinished,
    /// The receiver has confirmed it.
    Delivered,
    /// There is no such message, or it was never meant for this endpoint.
    Missing,
}

/// Questions about the outbox; no lock is needed.
pub trait OutboxReader: Send + Sync {
    /// Deliveries with their messages, newest first.
    ///
    /// # Errors
    /// When the store cannot be read; so for every method here.
    fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Sent>>;

    /// One message with its deliveries and every try.
    ///
    /// # Errors
    /// See [`Self::deliveries`].
    fn message(&self, id: &str) -> Result<Option<MessageLog>>;

    /// The newest message of each group that was known since then or whose newest message says it fires; newest first. With
    /// `as_of`, as it was known then.
    ///
    /// # Errors
    /// See [`Self::deliveries`].
    fn groups(&self, since: Ts, as_of: Option<Ts>) -> Result<Vec<Message>>;

    /// What each endpoint has confirmed since then, and what waits for it; by name. An endpoint nothing was ever meant for is
    /// not in it.
    ///
    /// # Errors
    /// See [`Self::deliveries`].
    fn delivered_counts(&self, since: Ts) -> Result<Vec<EndpointCount>>;

    /// How endpoints are doing, by name; an endpoint that never failed is not in it.
    ///
    /// # Errors
    /// See [`Self::deliveries`].
    fn endpoint_states(&self) -> Result<Vec<EndpointState>>;

    /// Silences as they were known at `as_of` (`None`: now), by the moment they were made; with `active_at` only those that hold
    /// then or later.
    ///
    /// # Errors
    /// See [`Self::deliveries`].
    fn silences(&self, as_of: Option<Ts>, active_at: Option<Ts>) -> Result<Vec<Silence>>;
}

/// What people ask of the outbox. Takes no role: the caller is the process whose dispatcher hears of it, or holds the role
/// itself so that there is none.
pub trait OutboxDesk: Send {
    /// Stores a silence; false when one of this id is there.
    ///
    /// # Errors
    /// `Invalid` when it ends before it begins or has no matcher; else when the store cannot be written, as for every method here.
    fn put_silence(&mut self, silence: &Silence) -> Result<bool>;

    /// Ends a silence at `at`, by whom; false when there is none of this id that would hold after that. What was known of it
    /// before stays readable.
    ///
    /// # Errors
    /// See [`Self::put_silence`].
    fn end_silence(&mut self, id: &str, at: Ts, by: &str) -> Result<bool>;

    /// Has something sent again that is dead, expired, held back or superseded: its tries are counted anew and it is worth delivering for as
    /// long as if it had become known at `now`.
    ///
    /// # Errors
    /// See [`Self::put_silence`].
    fn replay(&mut self, endpoint: &str, message: &str, now: Ts) -> Result<ReplayOutcome>;

    /// Says that an endpoint is in use again, whatever it answered before; what was learned of it stays. False when it was.
    ///
    /// # Errors
    /// See [`Self::put_silence`].
    fn enable_endpoint(&mut self, name: &str) -> Result<bool>;
}

/// The dispatcher's side, one per store: [`crate::Role::Delivery`].
pub trait OutboxStore: OutboxDesk {
    /// Messages with deliveries that have no end yet, with those deliveries only; at most `limit` messages, the first known
    /// first.
    ///
    /// # Errors
    /// When the store cannot be read; so for every method here that asks.
    fn unfinished(&mut self, limit: usize) -> Result<Vec<Outgoing>>;

    /// As [`Self::unfinished`], of what comes behind this message.
    ///
    /// # Errors
    /// See [`Self::unfinished`].
    fn unfinished_after(&mut self, last: &Message, limit: usize) -> Result<Vec<Outgoing>>;

    /// When the newest message was known or the newest try began; `None`: nothing was ever delivered.
    ///
    /// # Errors
    /// See [`Self::unfinished`].
    fn last_sign(&mut self) -> Result<Option<Ts>>;

    /// Messages known since then with all their deliveries, the first known first.
    ///
    /// # Errors
    /// See [`Self::unfinished`].
    fn recent(&mut self, since: Ts) -> Result<Vec<Outgoing>>;

    /// The newest message about each thing, where it says that the thing fires; the first known first. What is older than
    /// deliveries are kept is not in it.
    ///
    /// # Errors
    /// See [`Self::unfinished`].
    fn firing(&mut self) -> Result<Vec<Firing>>;

    /// As [`OutboxReader::endpoint_states`].
    ///
    /// # Errors
    /// See [`Self::unfinished`].
    fn endpoint_states(&mut self) -> Result<Vec<EndpointState>>;

    /// As [`OutboxReader::silences`].
    ///
    /// # Errors
    /// See [`Self::unfinished`].
    fn silences(&mut self, as_of: Option<Ts>, active_at: Option<Ts>) -> Result<Vec<Silence>>;

    /// Stores messages that no fact brings along (of groups, about delivery, samples), and lets deliveries go with them, in one
    /// transaction. A delivery that goes with one group already changes to the other; one that has ended stays as it is.
    ///
    /// # Errors
    /// `Invalid` and nothing stored when a delivery names another message; else when the store cannot be written.
    fn enqueue(&mut self, messages: &[Outgoing], joins: &[Join]) -> Result<()>;

    /// Stores what became of deliveries, the tries and the state of endpoints, in one transaction. A delivery that has ended
    /// stays as it is, so that a repetition changes nothing.
    ///
    /// Whatever goes with a message ([`Join`]) at the moment its delivery ends is given the same end here, by the store. A group
    /// whose message is replaced by a newer one must therefore be enqueued, with joins, before the old message is superseded.
    ///
    /// # Errors
    /// `Invalid` and nothing stored when a change says [`DeliveryState::Grouped`]; else when the store cannot be written.
    fn record(&mut self, changes: &[DeliveryChange], attempts: &[Attempt], endpoints: &[EndpointState]) -> Result<()>;
}
