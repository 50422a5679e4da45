//! Which workers are there, as one of them sees it.
//!
//! Each worker writes an entry of its own again and again; whose revision has not changed for the time to live, by the observer's own
//! clock, is gone. Observers may differ for a while: shares that overlap meet at the lease.

use crate::{Revision, WorkerId};
use std::collections::BTreeMap;

/// Workers by their newest entry.
#[derive(Clone, Debug)]
pub struct Roster {
    me: WorkerId,
    ttl_ms: u64,
    /// The revision, and since when it has been the same.
    seen: BTreeMap<WorkerId, (Revision, u64)>,
}

impl Roster {
    /// That of worker `me`, who is always there; others are gone after `ttl_ms` without a change.
    #[must_use]
    pub const fn new(me: WorkerId, ttl_ms: u64) -> Self {
        Self { me, ttl_ms, seen: BTreeMap::new() }
    }

    /// An entry was read at `now_ms`.
    pub fn seen(&mut self, now_ms: u64, worker: &WorkerId, revision: Revision) {
        match self.seen.get_mut(worker) {
            Some((known, _)) if *known == revision => {}
            Some(known) => *known = (revision, now_ms),
            None => drop(self.seen.insert(worker.clone(), (revision, now_ms))),
        }
    }

    /// Who is there at `now_ms`, sorted; with it [`crate::shares`] says who should hold what.
    #[must_use]
    pub fn live(&self, now_ms: u64) -> Vec<WorkerId> {
        let alive = |since: u64| now_ms.saturating_sub(since) < self.ttl_ms;
        let others = self.seen.iter().filter(|(worker, (_, since))| **worker != self.me && alive(*since));
        let mut live: Vec<_> = others.map(|(worker, _)| worker.clone()).collect();
        live.push(self.me.clone());
        live.sort_unstable();
        live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_changes_nothing_is_gone() {
        let [a, b, c] = ["a", "b", "c"].map(WorkerId::new);
        let mut roster = Roster::new(b.clone(), 100);
        for (now, worker, revision) in [(0, &a, 1), (10, &c, 2), (90, &a, 1), (90, &c, 3), (95, &b, 4)] {
            roster.seen(now, worker, Revision(revision));
        }
        let cases =
            [(99, vec![&a, &b, &c]), (100, vec![&b, &c]), (189, vec![&b, &c]), (190, vec![&b]), (999, vec![&b])];
        for (now, live) in cases {
            assert_eq!(roster.live(now).iter().collect::<Vec<_>>(), live, "at {now}");
        }
    }
}
