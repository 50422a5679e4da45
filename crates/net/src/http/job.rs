//! One request on its way through the desk.

use super::desk::Asks;
use crate::error::{Error, Result};
use barograph_domain::Span;
use barograph_venues::session::{PoolId, Priority, Request, RequestId};
use bytes::Bytes;
use tokio::sync::oneshot;

/// An answer to a caller of [`crate::Net::fetch`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetched {
    /// HTTP status.
    pub status: u16,
    /// The body, decompressed.
    pub body: Bytes,
}

/// A request of someone who is not a session: discovery, a check of reachability.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetch {
    /// Complete address.
    pub url: String,
    /// `POST` body, JSON; `None` for GET.
    pub body: Option<String>,
    /// Which budget it is taken from.
    pub pool: PoolId,
    /// How much of it.
    pub weight: u32,
    /// Give up on an attempt after this long.
    pub timeout: Span,
}

/// Who asked.
#[derive(Debug)]
pub(crate) enum Asker {
    /// A session; the answer goes to the core.
    Session(RequestId),
    /// A caller who waits for it.
    Caller(oneshot::Sender<Result<Fetched>>),
}

/// A request that waits or is under way.
#[derive(Debug)]
pub(crate) struct WaitingRequest {
    pub(crate) url: String,
    pub(crate) body: Option<String>,
    pub(crate) pool: PoolId,
    pub(crate) weight: u32,
    pub(crate) priority: Priority,
    pub(crate) timeout: Span,
    pub(crate) asker: Asker,
    /// Attempts that failed.
    pub(crate) failures: u32,
}

impl WaitingRequest {
    pub(crate) fn of_session(request: Request) -> Self {
        let Request { id, url, body, pool, weight, priority, timeout } = request;
        Self { url, body, pool, weight, priority, timeout, asker: Asker::Session(id), failures: 0 }
    }

    pub(crate) fn of_caller(fetch: Fetch) -> (Self, oneshot::Receiver<Result<Fetched>>) {
        let (sender, receiver) = oneshot::channel();
        let Fetch { url, body, pool, weight, timeout } = fetch;
        let asker = Asker::Caller(sender);
        (Self { url, body, pool, weight, priority: Priority::Sync, timeout, asker, failures: 0 }, receiver)
    }

    /// The error of a job that finds no place.
    pub(crate) const fn no_place(&self, has_pool: bool) -> Error {
        if has_pool { Error::Dropped } else { Error::NoSuchPool { pool: self.pool } }
    }
}

impl Asks for WaitingRequest {
    fn pool(&self) -> PoolId {
        self.pool
    }
    fn weight(&self) -> u32 {
        self.weight
    }
    fn priority(&self) -> Priority {
        self.priority
    }
}
