//! What goes wrong, drawn from the seed: kind, whom it hits, when it begins and ends.

use barograph_domain::random::SplitMix;

/// All faults are over then, milliseconds.
pub(crate) const OVER_MS: u64 = 40_000;

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
