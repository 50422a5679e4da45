//! Subscriptions the venue has not answered yet, by the number of their request.

use crate::session::{ConnId, MarketIndex};
use serde::{Deserialize, Serialize};

/// One request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Pending<C> {
    number: u64,
    conn: ConnId,
    wanted: Vec<(MarketIndex, C)>,
}

/// Requests of a session that numbers them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct OpenRequests<C> {
    pending: Vec<Pending<C>>,
    count: u64,
}

impl<C> Default for OpenRequests<C> {
    fn default() -> Self {
        Self { pending: Vec::new(), count: 0 }
    }
}

impl<C: Copy + PartialEq> OpenRequests<C> {
    /// A number for the next request.
    pub(crate) fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// These were subscribed with this request.
    pub(crate) fn wait(&mut self, number: u64, conn: ConnId, wanted: &[(MarketIndex, C)]) {
        self.pending.push(Pending { number, conn, wanted: wanted.to_vec() });
    }

    /// The venue has answered a request: what was subscribed with it, unless it was none of these.
    pub(crate) fn answered(&mut self, conn: ConnId, number: u64) -> Option<Vec<(MarketIndex, C)>> {
        let at = self.pending.iter().position(|p| p.conn == conn && p.number == number)?;
        Some(self.pending.swap_remove(at).wanted)
    }

    /// The connection is gone.
    pub(crate) fn forget(&mut self, conn: ConnId) {
        self.pending.retain(|p| p.conn != conn);
    }

    /// These are subscribed anew on the connection: the answer to that counts.
    pub(crate) fn renew(&mut self, conn: ConnId, wanted: &[(MarketIndex, C)]) {
        for pending in self.pending.iter_mut().filter(|p| p.conn == conn) {
            pending.wanted.retain(|one| !wanted.contains(one));
        }
        self.pending.retain(|p| !p.wanted.is_empty());
    }
}
