//! The key-value store, linearizable, and the depot of checkpoints.

use super::engine::Engine;
use barograph_cluster::{CasOutcome, Holder, LeaseEntry, Revision};
use barograph_domain::Ts;

#[derive(Debug)]
pub(crate) struct Kv {
    revision: u64,
    pub(crate) leases: Vec<Option<LeaseEntry>>,
    /// Of each worker.
    pub(crate) present: Vec<Revision>,
}

impl Kv {
    pub(crate) fn new(groups: usize, workers: usize) -> Self {
        Self { revision: 0, leases: vec![None; groups], present: vec![Revision(0); workers] }
    }

    fn next(&mut self) -> Revision {
        self.revision += 1;
        Revision(self.revision)
    }

    /// Without `expected` it is written whatever is there, which nobody should do.
    pub(crate) fn write(&mut self, group: u16, expected: Option<Revision>, holder: Option<Holder>) -> CasOutcome {
        let is = self.leases[usize::from(group)].as_ref().map_or(Revision(0), |e| e.revision);
        if expected.is_some_and(|expected| expected != is) {
            return CasOutcome::Other;
        }
        let revision = self.next();
        self.leases[usize::from(group)] = Some(LeaseEntry { revision, holder });
        CasOutcome::Written(revision)
    }

    pub(crate) fn present(&mut self, worker: usize) {
        self.present[worker] = self.next();
    }
}

/// Checkpoints by group, the newest last; two are kept.
#[derive(Debug)]
pub(crate) struct Depot {
    kept: Vec<Vec<(Ts, Engine)>>,
}

impl Depot {
    pub(crate) fn new(groups: usize) -> Self {
        Self { kept: vec![Vec::new(); groups] }
    }

    pub(crate) fn put(&mut self, group: u16, at: Ts, state: Engine) {
        let kept = &mut self.kept[usize::from(group)];
        kept.retain(|(other, _)| *other != at);
        kept.push((at, state));
        kept.sort_by_key(|(at, _)| *at);
        if kept.len() > 2 {
            kept.remove(0);
        }
    }

    /// The newest, or the one before that if the newest cannot be read.
    pub(crate) fn get(&self, group: u16, is_damaged: bool) -> Option<Engine> {
        self.kept[usize::from(group)].iter().rev().nth(usize::from(is_damaged)).map(|(_, state)| state.clone())
    }
}
