//! What goes wrong, drawn from the seed: kind, whom it hits, when it begins and ends. And the one kill without any other fault.

use super::universe::Universe;
use super::worker::{Note, Worker};
use super::world::{Happens, World};
use barograph_cluster::FencingToken;
use barograph_domain::random::SplitMix;

/// All faults are over then, milliseconds.
pub(crate) const OVER_MS: u64 = 40_000;
/// A worker is killed, with nothing else wrong, and started again.
pub(crate) const CLEAN_KILL_MS: u64 = OVER_MS + 6_000;
pub(crate) const CLEAN_START_MS: u64 = CLEAN_KILL_MS + 6_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Killed, and started again at the end.
    WorkerKilled(usize),
    /// Stands still, and goes on at the end as if nothing had been.
    WorkerPaused(usize),
    /// Reaches the store, and not the key-value store.
    Partition(usize),
    /// Its clock runs at so many thousandths.
    Clock(usize, u64),
    /// Its clock runs at half the pace, and those of all others at twice.
    ClocksApart(usize),
    KvAway,
    KvSlow,
    StoreAway,
    StoreSlow,
    DepotAway,
    /// Loses everything it acknowledges.
    BrokerAway,
    /// Loses everything of one group.
    BrokerDrops(u16),
    /// Loses, doubles and delays.
    BrokerBad,
    IngestKilled,
    UniverseKilled,
    /// A part of the journal cannot be read any more, for ever.
    JournalDamaged,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    pub(crate) fault: Fault,
    pub(crate) begin_ms: u64,
    pub(crate) end_ms: u64,
}

pub(crate) fn plan(random: &mut SplitMix, workers: usize, groups: u16) -> Vec<Planned> {
    let count = 3 + random.below(12);
    let damages = random.below(4) == 0;
    let mut planned: Vec<_> = (0..count).map(|_| draw(random, workers, groups)).collect();
    if damages {
        let damaged = spread(random, Fault::JournalDamaged);
        planned.push(damaged);
        // Nobody misses what is damaged but those who begin before it.
        planned.extend((1..workers).map(|n| Planned { fault: Fault::WorkerKilled(n), ..damaged }));
    }
    if random.below(2) == 0 {
        // Split brain: an owner that goes on for long while others think it dead for long, and whose rows are under way for long.
        let owner = usize::try_from(random.below(workers as u64)).unwrap();
        let parted = spread(random, Fault::Partition(owner));
        let end_ms = (parted.begin_ms + 4_000).min(OVER_MS);
        let together = [Fault::Partition(owner), Fault::ClocksApart(owner), Fault::StoreSlow];
        planned.extend(together.map(|fault| Planned { fault, end_ms, ..parted }));
    }
    planned
}

fn draw(random: &mut SplitMix, workers: usize, groups: u16) -> Planned {
    let worker = usize::try_from(random.below(workers as u64)).unwrap();
    let fault = match random.below(20) {
        18 => Fault::ClocksApart(worker),
        19 => Fault::KvSlow,
        0..=1 => Fault::WorkerKilled(worker),
        2..=4 => Fault::WorkerPaused(worker),
        5..=6 => Fault::Partition(worker),
        7..=8 => Fault::Clock(worker, 500 + random.below(1_501)),
        9 => Fault::KvAway,
        10 => Fault::StoreAway,
        11..=12 => Fault::StoreSlow,
        13 => Fault::DepotAway,
        14 => Fault::BrokerAway,
        15 => Fault::BrokerDrops(u16::try_from(random.below(u64::from(groups))).unwrap()),
        16 => Fault::BrokerBad,
        _ if random.below(2) == 0 => Fault::IngestKilled,
        _ => Fault::UniverseKilled,
    };
    spread(random, fault)
}

fn spread(random: &mut SplitMix, fault: Fault) -> Planned {
    let long_ms = [400, 2_000, 5_000, 12_000][usize::try_from(random.below(4)).unwrap()];
    let begin_ms = 1_000 + random.below(OVER_MS - 4_000);
    let end_ms = (begin_ms + 50 + random.below(long_ms)).min(OVER_MS);
    Planned { fault, begin_ms, end_ms }
}

impl World {
    pub(super) fn begins(&mut self, planned: Planned) {
        match planned.fault {
            Fault::WorkerKilled(n) => self.workers[n].is_up = false,
            Fault::WorkerPaused(n) => self.workers[n].pauses += 1,
            Fault::Partition(n) => self.workers[n].partitions += 1,
            Fault::Clock(n, rate) => self.workers[n].set_rate(self.now_ms, rate),
            Fault::ClocksApart(slow) => {
                for n in 0..self.workers.len() {
                    self.workers[n].set_rate(self.now_ms, if n == slow { 500 } else { 2_000 });
                }
            }
            Fault::KvAway => self.wrong.kv += 1,
            Fault::KvSlow => self.wrong.kv_slow += 1,
            Fault::StoreAway => self.wrong.store += 1,
            Fault::StoreSlow => self.wrong.store_slow += 1,
            Fault::DepotAway => self.wrong.depot += 1,
            Fault::BrokerAway => self.wrong.broker += 1,
            Fault::BrokerDrops(group) => self.wrong.broker_drops[usize::from(group)] += 1,
            Fault::BrokerBad => self.wrong.broker_bad += 1,
            Fault::IngestKilled => {
                if self.ingest.is_up {
                    // Some crashes come between the sync and the sending.
                    if self.below(2) == 0 {
                        let _unsent = self.ingest.flush(true);
                    }
                    self.ingest.crash();
                }
            }
            Fault::UniverseKilled => self.universe.is_up = false,
            Fault::JournalDamaged => {
                let synced = self.ingest.synced;
                if synced > 20 {
                    // Of what is recent: what is old lies before every checkpoint.
                    let [back, count] = [150, 40].map(|n| usize::try_from(self.below(n)).unwrap());
                    let from = (synced - 1).saturating_sub(back);
                    let to = (from + 1 + count).min(synced);
                    self.ingest.damaged.push((from, to));
                }
            }
        }
        self.send(planned.end_ms - planned.begin_ms, Happens::Ends(planned.fault));
    }

    pub(super) fn ends(&mut self, fault: Fault) {
        match fault {
            Fault::WorkerKilled(n) if !self.workers[n].is_up => self.start_worker(n),
            Fault::WorkerKilled(_) | Fault::JournalDamaged => {}
            Fault::WorkerPaused(n) => self.wakes(n),
            Fault::Partition(n) => self.workers[n].partitions = self.workers[n].partitions.saturating_sub(1),
            Fault::Clock(n, _) => self.workers[n].set_rate(self.now_ms, 1_000),
            Fault::ClocksApart(_) => {
                let now_ms = self.now_ms;
                self.workers.iter_mut().for_each(|w| w.set_rate(now_ms, 1_000));
            }
            Fault::KvAway => self.wrong.kv -= 1,
            Fault::KvSlow => self.wrong.kv_slow -= 1,
            Fault::StoreAway => self.wrong.store -= 1,
            Fault::StoreSlow => self.wrong.store_slow -= 1,
            Fault::DepotAway => self.wrong.depot -= 1,
            Fault::BrokerAway => self.wrong.broker -= 1,
            Fault::BrokerDrops(group) => self.wrong.broker_drops[usize::from(group)] -= 1,
            Fault::BrokerBad => self.wrong.broker_bad -= 1,
            Fault::IngestKilled if !self.ingest.is_up => self.start_ingest(),
            Fault::IngestKilled => {}
            Fault::UniverseKilled if !self.universe.is_up => {
                let boot = self.universe.boot + 1;
                self.universe = Universe::new(boot, self.groups);
                self.send(1, Happens::UniverseTick(boot));
            }
            Fault::UniverseKilled => {}
        }
    }

    pub(super) fn start_worker(&mut self, n: usize) {
        let boot = self.workers[n].boot + 10;
        self.workers[n] = Worker::new(n, boot, self.groups, self.now_ms);
        self.send(1, Happens::Noted(n, boot, Note::Tick));
    }

    /// Its store thread is the first to go on, and sends once more what was not answered. Then comes what waited, in its order.
    fn wakes(&mut self, n: usize) {
        self.workers[n].pauses = self.workers[n].pauses.saturating_sub(1);
        if self.workers[n].pauses == 0 && self.workers[n].is_up {
            for group in 0..self.groups {
                self.repeat_batch(n, group, u64::MAX);
            }
            while let Some(note) = self.workers[n].mailbox.pop_front() {
                self.noted(n, note);
            }
        }
    }

    pub(super) fn clean_kill(&mut self) {
        let held = |w: &Worker| (0..self.groups).filter_map(|g| Some((g, w.holds(g)?))).collect::<Vec<_>>();
        let all: Vec<_> = self.workers.iter().map(held).collect();
        let n = (0..all.len()).max_by_key(|n| all[*n].len()).unwrap_or_default();
        if all.iter().map(Vec::len).sum::<usize>() != usize::from(self.groups) {
            self.wrong(format!("six seconds after the last fault these hold groups: {all:?}"));
        }
        self.orphans.clone_from(&all[n]);
        self.workers[n].is_up = false;
        self.send(CLEAN_START_MS - CLEAN_KILL_MS, Happens::CleanStart(n));
    }

    /// The store took something of a group: did it come from whoever took the group over?
    pub(super) fn taken_over(&mut self, group: u16, tenure: FencingToken) {
        if let Some(n) = self.orphans.iter().position(|(orphan, was)| *orphan == group && tenure > *was) {
            self.orphans.remove(n);
            self.report.takeover_ms = self.report.takeover_ms.max(self.now_ms - CLEAN_KILL_MS);
        }
    }
}
