//! The store: rows, gaps, fences and marks of each group, and hours. What nobody may ever do is checked where it would happen.

use super::engine::{Row, hour_of, mix};
use barograph_cluster::{FencingToken, Hole};
use barograph_domain::Ts;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a worker stores at once.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) group: u16,
    pub(crate) token: FencingToken,
    /// The acquisition behind it, which no bug can change: for the check alone.
    pub(crate) tenure: FencingToken,
    pub(crate) through: Ts,
    /// The newest tick in it.
    pub(crate) ticked: Option<Ts>,
    pub(crate) rows: Vec<Row>,
    pub(crate) gaps: Vec<Hole>,
    /// What the state behind the rows was without.
    pub(crate) lineage: Rc<Vec<Hole>>,
}

/// How far a group is published.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Published {
    pub(crate) through: Option<Ts>,
    /// The newest minute that has rows.
    pub(crate) minute: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct StoredRow {
    pub(crate) hash: u64,
    tenure: FencingToken,
    pub(crate) lineage: Rc<Vec<Hole>>,
}

#[derive(Debug, Default)]
pub(crate) struct Shelf {
    fence: Option<FencingToken>,
    /// Worker and boot that gave it.
    fenced_by: (usize, u64),
    /// The newest acquisition that was fenced.
    newest: Option<FencingToken>,
    pub(crate) through: Option<Ts>,
    pub(crate) ticked: Option<Ts>,
    pub(crate) rows: BTreeMap<(i64, u8), StoredRow>,
    pub(crate) gaps: Vec<Hole>,
}

#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) shelves: Vec<Shelf>,
    pub(crate) hours: BTreeMap<i64, u64>,
    pub(crate) refused: u32,
    pub(crate) ignores_fence: bool,
    pub(crate) frames_count: bool,
}

impl Store {
    pub(crate) fn new(groups: usize) -> Self {
        let shelves = (0..groups).map(|_| Shelf::default()).collect();
        Self { shelves, hours: BTreeMap::new(), refused: 0, ignores_fence: false, frames_count: false }
    }

    /// Refuses tokens smaller than this from now on; false if there is a greater one, or this one of somebody else.
    pub(crate) fn fence(&mut self, group: u16, token: FencingToken, by: (usize, u64)) -> bool {
        let shelf = &mut self.shelves[usize::from(group)];
        shelf.newest = shelf.newest.max(Some(token));
        let is_newest = shelf.fence.is_none_or(|fence| fence < token || fence == token && shelf.fenced_by == by);
        if is_newest {
            (shelf.fence, shelf.fenced_by) = (Some(token), by);
        }
        is_newest
    }

    pub(crate) fn published(&self, group: u16) -> Published {
        let shelf = &self.shelves[usize::from(group)];
        Published { through: shelf.through, minute: shelf.rows.last_key_value().map(|((minute, _), _)| *minute) }
    }

    /// Takes a batch, or refuses it; what is wrong with the world if it takes it.
    pub(crate) fn append(&mut self, batch: &Batch) -> Result<Option<String>, ()> {
        let shelf = &mut self.shelves[usize::from(batch.group)];
        if shelf.fence.is_none_or(|fence| batch.token < fence) && !self.ignores_fence {
            self.refused += 1;
            return Err(());
        }
        let group = batch.group;
        let mut wrong = None;
        if shelf.newest.is_some_and(|newest| batch.tenure < newest) {
            wrong =
                Some(format!("group {group}: rows of tenure {:?} behind the fence {:?}", batch.tenure, shelf.newest));
        }
        for row in &batch.rows {
            let key = (row.minute, row.instrument);
            match shelf.rows.get(&key) {
                None => {
                    let stored = StoredRow { hash: row.hash, tenure: batch.tenure, lineage: Rc::clone(&batch.lineage) };
                    shelf.rows.insert(key, stored);
                }
                Some(known) if known.hash != row.hash => {
                    wrong = Some(format!("group {group}: another row for {key:?} at {}", row.stamp.0));
                }
                Some(known) if known.tenure != batch.tenure => {
                    wrong = Some(format!(
                        "group {group}: row {key:?} published twice, by {:?} and {:?}",
                        known.tenure, batch.tenure
                    ));
                }
                Some(_) => {}
            }
        }
        for gap in &batch.gaps {
            if !shelf.gaps.contains(gap) {
                shelf.gaps.push(*gap);
            }
        }
        shelf.through = shelf.through.max(Some(batch.through));
        let ticked = if self.frames_count { Some(batch.through) } else { batch.ticked };
        shelf.ticked = shelf.ticked.max(ticked);
        Ok(wrong)
    }

    /// What an hour is, from the rows that are here now.
    pub(crate) fn hour(&self, hour: i64) -> u64 {
        let of_hour = |shelf: &Shelf| {
            let rows = shelf.rows.iter().filter(|((minute, _), _)| hour_of(*minute) == hour);
            rows.fold(1, |hash, ((minute, instrument), row)| {
                mix(mix(hash, row.hash), minute.cast_unsigned() << 8 | u64::from(*instrument))
            })
        };
        self.shelves.iter().map(of_hour).fold(0, mix)
    }

    /// Writes an hour; what is wrong if it was written otherwise before.
    pub(crate) fn write_hour(&mut self, hour: i64) -> Option<String> {
        let hash = self.hour(hour);
        let known = *self.hours.entry(hour).or_insert(hash);
        (known != hash).then(|| format!("hour {hour} written twice with other content"))
    }
}
