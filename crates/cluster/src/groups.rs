//! Which group an instrument belongs to, and which worker should hold which group.
//!
//! Both are functions of names alone, so that every node computes the same from the same lists. That two workers never hold one group is
//! not decided here but by the lease; what is here keeps them from wanting the same.

use std::fmt;
use std::sync::Arc;

/// A group of instruments: what one worker computes as a whole. Counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GroupId(pub u16);

/// A worker by the name it has in the settings; the same after a restart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WorkerId(pub Arc<str>);

impl WorkerId {
    /// The worker of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// FNV-1a with 64 bits (Fowler, Noll and Vo; draft-eastlake-fnv, section 2): the same on every machine and in every release.
fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Spreads the bits of a hash: names that differ in their last letter differ in the low bits of FNV alone. The finisher of SplitMix64.
const fn spread(hash: u64) -> u64 {
    let z = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The group of an instrument, by its name as in [`barograph_domain`]; `groups` is how many the settings have. Another number of groups
/// gives other groups, and so needs an empty set of checkpoints.
#[must_use]
pub fn group_of(instrument: &str, groups: u16) -> GroupId {
    let group = spread(fnv1a(instrument.bytes())) % u64::from(groups.max(1));
    GroupId(u16::try_from(group).unwrap_or_default())
}

/// How much a worker is the one for a group: the worker with the highest takes it (rendezvous hashing, Thaler and Ravishankar 1998).
fn affinity(group: GroupId, worker: &WorkerId) -> u64 {
    spread(fnv1a(worker.0.bytes().chain([0]).chain(group.0.to_be_bytes())))
}

/// Which groups each worker should hold, in the order of `workers`, groups ascending. Every group has one worker and no worker has more than
/// its even share, rounded up. Pairs are served by affinity, so most groups stay where they are when a worker comes or goes.
/// A worker that is listed twice counts once.
#[must_use]
pub fn shares(groups: u16, workers: &[WorkerId]) -> Vec<Vec<GroupId>> {
    let mut held = vec![Vec::new(); workers.len()];
    let named: Vec<usize> = (0..workers.len()).filter(|n| !workers[..*n].contains(&workers[*n])).collect();
    if named.is_empty() {
        return held;
    }
    let each = usize::from(groups).div_ceil(named.len());
    let mut pairs = Vec::with_capacity(usize::from(groups) * named.len());
    for group in (0..groups).map(GroupId) {
        pairs.extend(named.iter().map(|n| (affinity(group, &workers[*n]), &workers[*n], group, *n)));
    }
    pairs.sort_unstable_by(|a, b| (b.0, b.1, b.2).cmp(&(a.0, a.1, a.2)));
    let mut taken = vec![false; usize::from(groups)];
    for (_, _, group, n) in pairs {
        let taken = &mut taken[usize::from(group.0)];
        if !*taken && held[n].len() < each {
            *taken = true;
            held[n].push(group);
        }
    }
    held.iter_mut().for_each(|groups| groups.sort_unstable());
    held
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Vectors of the authors' test suite (isthe.com/chongo/src/fnv, `test_fnv.c`).
    #[test]
    fn the_hash_is_that_of_its_authors() {
        let cases = [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)];
        for (text, hash) in cases {
            assert_eq!(fnv1a(text.bytes()), hash, "{text}");
        }
    }

    #[test]
    fn instruments_spread_over_the_groups_and_stay_there() {
        let mut counts = [0_u32; 8];
        for n in 0..1_000 {
            counts[usize::from(group_of(&format!("binance:C{n}USDT"), 8).0)] += 1;
        }
        assert!(counts.iter().all(|c| (95..=155).contains(c)), "{counts:?}");
        assert_eq!(group_of("binance:BTCUSDT", 1), GroupId(0));
        assert_eq!(group_of("binance:BTCUSDT", 0), GroupId(0));
        // Computed by a program of its own in another language: a changed hash would move every checkpoint.
        assert_eq!([group_of("BTC-USDT", 64), group_of("ETH-USDT", 64)], [GroupId(48), GroupId(60)]);
    }

    fn workers(count: usize, salt: u64) -> Vec<WorkerId> {
        (0..count).map(|n| WorkerId::new(&format!("w{salt}-{n}"))).collect()
    }

    /// The worker of each group.
    fn holder(shares: &[Vec<GroupId>], workers: &[WorkerId], group: u16) -> WorkerId {
        let n = shares.iter().position(|s| s.contains(&GroupId(group))).unwrap();
        workers[n].clone()
    }

    proptest! {
        #[test]
        fn every_group_has_one_worker_and_none_has_too_many(groups in 1_u16..80, count in 1_usize..9, salt in any::<u64>()) {
            let names = workers(count, salt);
            let held = shares(groups, &names);
            let mut all: Vec<u16> = held.iter().flatten().map(|g| g.0).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..groups).collect::<Vec<_>>());
            prop_assert!(held.iter().all(|h| h.len() <= usize::from(groups).div_ceil(count)));
            let mut reversed = names.clone();
            reversed.reverse();
            let other = shares(groups, &reversed);
            for group in 0..groups {
                prop_assert_eq!(holder(&held, &names, group), holder(&other, &reversed, group));
            }
        }
    }

    /// How many move beside those of the worker that goes, over a hundred sets of names, as a share of those it left.
    #[test]
    fn few_groups_move_when_a_worker_goes() {
        for (groups, count, share_max) in [(16, 2, 0.0), (16, 3, 0.2), (16, 4, 0.5), (64, 4, 0.3), (64, 8, 1.0)] {
            let (mut moved, mut left) = (0_u32, 0_u32);
            for salt in 0..100 {
                let names = workers(count, salt);
                let (before, after) = (shares(groups, &names), shares(groups, &names[1..]));
                for group in 0..groups {
                    let was = holder(&before, &names, group);
                    left += u32::from(was == names[0]);
                    moved += u32::from(was != names[0] && was != holder(&after, &names[1..], group));
                }
            }
            let share = f64::from(moved) / f64::from(left);
            assert!(share <= share_max, "{groups} groups, {count} workers: {share}");
        }
    }

    #[test]
    fn nobody_holds_nothing_and_a_double_counts_once() {
        assert_eq!(shares(4, &[]), Vec::<Vec<GroupId>>::new());
        let twice = [WorkerId::new("a"), WorkerId::new("a")];
        assert_eq!(shares(2, &twice), [vec![GroupId(0), GroupId(1)], vec![]]);
    }
}
