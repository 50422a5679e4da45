//! One process of a cluster with the groups that it should have: as many as there are, shared out among the workers that are there.

use super::driver::{GroupThread, WorkerPlan};
use super::stand::{EngineStand, GroupStand};
use crate::Error;
use barograph_cluster::{Revision, Roster, WorkerId, shares};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

/// How often a worker shows that it is there, and looks who else is.
const SHOW_EVERY: Duration = Duration::from_millis(500);
/// What the keys of workers begin with.
const PREFIX: &str = "worker-";

/// What the groups of a process are made of.
#[derive(Clone, Debug)]
pub struct RosterPlan {
    /// Of each group.
    pub worker: WorkerPlan,
    /// Who has shown nothing for so long is gone, milliseconds.
    pub ttl_ms: u64,
    /// How it does, for people and for measures.
    pub stand: Arc<EngineStand>,
}

/// Has groups until `stop`; then gives them up in order.
///
/// # Errors
/// A thread cannot be started.
pub fn run_groups(plan: &RosterPlan, stop: &AtomicBool) -> Result<(), Error> {
    let (me, outside) = (plan.worker.me.worker.clone(), Arc::clone(&plan.worker.outside));
    let groups: Vec<GroupThread> = (0..plan.worker.groups)
        .map(|group| GroupThread::start(group, plan.worker.clone()))
        .collect::<Result<_, _>>()?;
    let began = Instant::now();
    let now = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut roster = Roster::new(me.clone(), plan.ttl_ms);
    let (key, mut mine) = (format!("{PREFIX}{me}"), 0);
    plan.stand.pulse.beat();
    while !stop.load(Ordering::Relaxed) {
        // Where the broker is away, whoever was there stays until its time is over.
        let shown = match outside.lease(&key) {
            Ok(found) => outside.swap_lease(&key, found.map_or(0, |(revision, _)| revision), b"here"),
            Err(why) => Err(why),
        };
        if let Ok(Some(revision)) = shown {
            mine = revision;
        }
        plan.stand.broker.answered(shown.map(drop));
        // Where that fails, who was there stays until its time is over.
        for (name, revision) in outside.leases(PREFIX).unwrap_or_default() {
            let worker = WorkerId::new(name.trim_start_matches(PREFIX));
            roster.seen(now(), &worker, Revision(revision));
        }
        let live = roster.live(now());
        // Who has just come waits until it knows who is there; who cannot show itself takes nothing.
        if mine > 0 && now() >= plan.ttl_ms {
            let place = live.iter().position(|w| *w == me);
            let all = shares(plan.worker.groups, &live);
            for (number, group) in (0_u16..).zip(&groups) {
                group.want(place.is_some_and(|at| all[at].iter().any(|g| g.0 == number)));
            }
        }
        plan.stand.comes_round(groups.iter().map(GroupThread::stand).collect(), mine > 0);
        if groups.iter().any(GroupThread::has_ended) {
            // Others take all groups of a process that is gone; of one that lacks a thread nobody takes that one.
            return Err(Error::failed("the thread of a group has ended; this is a bug"));
        }
        std::thread::sleep(SHOW_EVERY);
    }
    groups.iter().for_each(|group| group.want(false));
    groups.into_iter().for_each(GroupThread::end);
    outside.remove(&key);
    Ok(())
}

/// How many of these are held here.
#[must_use]
pub fn held(stands: &[GroupStand]) -> usize {
    stands.iter().filter(|stand| stand.is_held()).count()
}
