//! What the dispatcher needs of a store: messages that wait, and a place for what became of them.
//!
//! The program implements [`Outbox`] over its store; the shapes follow what a transaction can promise. Every call blocks and is
//! made from the dispatcher's own thread, never from a thread that serves sockets.

use barograph_domain::Ts;
use barograph_domain::delivery::{Attempt, Delivery, DeliveryState, EndpointState, Message, Silence};
pub use barograph_domain::delivery::{DeliveryChange as Change, Firing, Join, Outgoing};
use core::fmt;

/// A new delivery of a message, to be tried at once and until a moment.
#[must_use]
pub fn waiting(endpoint: &str, message: &Message, deliver_until: Ts) -> Delivery {
    Delivery {
        endpoint: endpoint.to_owned(),
        message: message.id.clone(),
        state: DeliveryState::Waiting,
        via: None,
        reason: String::new(),
        deliver_until,
        attempts: 0,
        next_try: message.known_at,
        ended_at: None,
    }
}

/// Everything a planner needs to go on where another stopped.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Recovered {
    /// Messages with deliveries that have no end yet, with those deliveries only; the first known first.
    pub unfinished: Vec<Outgoing>,
    /// There are more than these: [`Outbox::unfinished_after`] the last.
    pub more: bool,
    /// Messages of the last ten minutes with all their deliveries: storms go on.
    pub recent: Vec<Outgoing>,
    /// The newest message about each thing that fires, groups included.
    pub firing: Vec<Firing>,
    /// How endpoints are doing.
    pub endpoints: Vec<EndpointState>,
    /// Silences that hold now or later.
    pub silences: Vec<Silence>,
    /// Silences that have ended since anything was delivered or tried: nobody was there to notice.
    pub ended: Vec<Silence>,
}

/// Why the store did not do it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OutboxError {
    /// It is away for now; the same call may succeed later.
    Unavailable(String),
    /// It cannot be used any more by this process.
    Broken(String),
}

impl fmt::Display for OutboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the outbox cannot be reached for now: {why}"),
            Self::Broken(why) => write!(f, "the outbox cannot be used: {why}"),
        }
    }
}
impl std::error::Error for OutboxError {}

/// Where messages wait.
pub trait Outbox: Send {
    /// What there is to do. Called at the start, and whenever the queue to the dispatcher has overflown.
    ///
    /// # Errors
    /// When the store cannot be used; so for every method here.
    fn recover(&mut self) -> Result<Recovered, OutboxError>;

    /// Messages with deliveries that have no end yet and that were known after this one, as [`Recovered::unfinished`]; true when
    /// there are more.
    ///
    /// # Errors
    /// See [`Self::recover`].
    fn unfinished_after(&mut self, last: &Message) -> Result<(Vec<Outgoing>, bool), OutboxError>;

    /// Stores messages that no fact brings along (of groups, about delivery), and lets deliveries go with them, in one transaction.
    ///
    /// # Errors
    /// See [`Self::recover`].
    fn enqueue(&mut self, messages: &[Outgoing], joins: &[Join]) -> Result<(), OutboxError>;

    /// Stores what became of deliveries, the tries and how endpoints are doing, in one transaction. Deliveries that go with a
    /// message share the end given to it here; one that has ended stays as it is.
    ///
    /// # Errors
    /// See [`Self::recover`].
    fn record(&mut self, changes: &[Change], attempts: &[Attempt], states: &[EndpointState])
    -> Result<(), OutboxError>;

    /// Silences that hold now or later.
    ///
    /// # Errors
    /// See [`Self::recover`].
    fn silences(&mut self) -> Result<Vec<Silence>, OutboxError>;
}
