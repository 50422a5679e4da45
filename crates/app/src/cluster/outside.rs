//! The world of a worker: a NATS server, a place for objects, PostgreSQL.

use barograph_bus::{Bus, Followed, Swapped};
use barograph_domain::Ts;
use barograph_live::ranges::RangeAnswer;
use barograph_live::worker::{FollowedParcels, OpenStore, Outside, decode_range, question};
use barograph_objects::depot::Depot;
use barograph_query::chain;
use barograph_store::{StoreTarget, open_group_writer, open_reader};
use core::time::Duration;
use std::sync::Arc;

/// How long the journal's answer is waited for: it reads files and packs them.
const RANGE_WITHIN: Duration = Duration::from_secs(5);
/// How long one call waits for a database that has gone away.
const PATIENCE: Duration = Duration::from_secs(1);
/// Checkpoints of a group that are kept: the newest, and those before it should it turn out bad.
const CHECKPOINTS: usize = 3;

/// The world over a real broker, bucket and database.
pub(super) struct ServedOutside {
    pub(super) bus: Arc<Bus>,
    pub(super) depot: Depot,
    pub(super) target: StoreTarget,
}

/// Parcels of the broker.
struct OfBroker(Followed);

impl FollowedParcels for OfBroker {
    fn next(&mut self, within: Duration) -> Option<Vec<u8>> {
        self.0.next(within)
    }
}

impl Outside for ServedOutside {
    fn lease(&self, key: &str) -> Result<Option<(u64, Vec<u8>)>, String> {
        self.bus.lease(key).map(|found| found.map(|e| (e.revision, e.value))).map_err(|e| e.to_string())
    }

    fn leases(&self, prefix: &str) -> Result<Vec<(String, u64)>, String> {
        self.bus.leases(prefix).map_err(|e| e.to_string())
    }

    fn swap_lease(&self, key: &str, expected: u64, value: &[u8]) -> Result<Option<u64>, String> {
        let expected = Some(expected).filter(|revision| *revision > 0);
        match self.bus.swap_lease(key, expected, value).map_err(|e| e.to_string())? {
            Swapped::Written(revision) => Ok(Some(revision)),
            Swapped::Other => Ok(None),
        }
    }

    fn follow(&self, since: Ts) -> Box<dyn FollowedParcels> {
        Box::new(OfBroker(self.bus.follow(since.0)))
    }

    fn range(&self, after: Ts, until: Option<Ts>) -> Result<RangeAnswer, String> {
        decode_range(self.bus.ask(&question(after, until), RANGE_WITHIN).map_err(|e| e.to_string())?)
    }

    fn checkpoint(&self, group: u16) -> Result<Option<(Ts, Vec<u8>)>, String> {
        self.depot.newest(group, None).map_err(|e| chain(&e))
    }

    fn remove(&self, key: &str) {
        // Who hears nothing of it sees that the entry does not change any more.
        drop(self.bus.remove_lease(key));
    }

    fn keep_checkpoint(&self, group: u16, at: Ts, bytes: &[u8]) -> Result<(), String> {
        self.depot.put(group, at, bytes).map_err(|e| chain(&e))?;
        self.depot.keep(group, CHECKPOINTS).map(drop).map_err(|e| chain(&e))
    }

    fn store(&self, group: u16) -> barograph_store::Result<OpenStore> {
        let writer = open_group_writer(&self.target, group, PATIENCE)?;
        Ok((open_reader(&self.target)?, writer))
    }
}
