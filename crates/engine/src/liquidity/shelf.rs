//! The levels that stand: sorted by their near edge on each face, so that a bar looks only at those it reaches.
//!
//! A level faces away from the market until it is mitigated, so the levels that a bar can touch or go through are exactly
//! those whose near edge lies within its range: the end of the sorted array. Everything else costs nothing per bar; age is
//! taken when strength is asked. Bounds: a level lives `TimeframeOptions::lifetime` bars (ten half-lives), and of more than
//! [`LEVELS_MAX`] the longest confirmed goes. Mitigated levels leave at once: their last change has all of their story.

use super::profile::NODES_MAX;
use super::record::{Face, Happening, LevelHappening, Record};
use super::volumes::Volumes;
use crate::features::bars::BuiltBar;
use barograph_domain::{LevelType, Ts};
use serde::{Deserialize, Serialize};

/// Levels of one timeframe. A trend of 2,000 bars leaves about 600 behind it.
pub const LEVELS_MAX: usize = 1_024;
/// Levels there is room for at once: a random walk has 110 on average, 280 at most.
const ROOM: usize = 256;
/// Bars between sweeps for levels past their lifetime.
const EXPIRY_EVERY: i64 = 64;

/// One face: near edges in outward coordinates, furthest first, with the place of their records.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sorted {
    edges: Vec<f64>,
    slots: Vec<u32>,
}

impl Sorted {
    fn insert(&mut self, edge: f64, slot: u32) {
        // Most new levels are near the market, at the end of the array: the few nearer ones move up one by one. Of equals the
        // newer one is nearer the end.
        let mut place = self.edges.len();
        self.edges.push(edge);
        self.slots.push(slot);
        // Of one length, so that no step looks for an end.
        let (edges, slots) = (&mut self.edges[..=place], &mut self.slots[..=place]);
        while place > 0 && edges[place - 1] < edge {
            (edges[place], slots[place]) = (edges[place - 1], slots[place - 1]);
            place -= 1;
        }
        (edges[place], slots[place]) = (edge, slot);
    }

    /// How many edges lie within `out`. They are the last ones; that the last few are simply counted spares a wrong guess.
    #[inline]
    fn reached(&self, out: f64) -> usize {
        const FEW: usize = 8;
        let within = |edge: &f64| usize::from(*edge <= out);
        match self.edges.last_chunk::<FEW>() {
            Some(few) => match few.iter().map(within).sum() {
                FEW => self.edges.iter().rev().take_while(|edge| **edge <= out).count(),
                count => count,
            },
            None => self.edges.iter().map(within).sum(),
        }
    }

    fn remove(&mut self, slot: u32) {
        if let Some(place) = self.slots.iter().rposition(|s| *s == slot) {
            self.edges.remove(place);
            self.slots.remove(place);
        }
    }
}

/// All standing levels of a timeframe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Shelf {
    records: Vec<Record>,
    free: Vec<u32>,
    faces: [Sorted; 2],
    /// Volume nodes: they have no face.
    nodes: Vec<u32>,
    keys: u32,
    /// Stretch of bars that was swept last.
    stretch: i64,
}

/// Names a level for as long as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Handle {
    slot: u32,
    key: u32,
}

impl Shelf {
    /// Empty, with room for what is usual.
    pub(super) fn new() -> Self {
        let face = || Sorted { edges: Vec::with_capacity(ROOM), slots: Vec::with_capacity(ROOM) };
        Self {
            records: Vec::with_capacity(ROOM),
            free: Vec::with_capacity(ROOM),
            faces: [face(), face()],
            nodes: Vec::with_capacity(NODES_MAX),
            keys: 0,
            stretch: 0,
        }
    }

    /// Puts a level on the shelf and says so.
    pub(super) fn add(
        &mut self,
        mut record: Record,
        (confirmed, known_at): (i64, Ts),
        sink: &mut impl FnMut(&LevelHappening),
    ) -> Handle {
        if self.len() == LEVELS_MAX {
            self.drop_oldest();
        }
        self.keys = self.keys.wrapping_add(1);
        record.key = self.keys;
        record.confirmed = confirmed;
        record.known_at = known_at;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.records[slot as usize] = record;
                slot
            }
            None => {
                self.records.push(record);
                u32::try_from(self.records.len() - 1).unwrap_or(u32::MAX)
            }
        };
        match Face::of(record.kind) {
            Some(face) => self.faces[face as usize].insert(near(&record, face), slot),
            None => self.nodes.push(slot),
        }
        sink(&LevelHappening { what: Happening::Known, record, bar: confirmed, known_at });
        Handle { slot, key: record.key }
    }

    /// The level, while it stands.
    pub(super) fn get(&self, handle: Handle) -> Option<&Record> {
        self.records.get(handle.slot as usize).filter(|r| r.key == handle.key)
    }

    /// A further member: new price and edges, next revision. `None` when the level no longer stands.
    pub(super) fn revise(
        &mut self,
        handle: Handle,
        (price, bottom, top): (f64, f64, f64),
        members: u32,
        (bar, known_at): (i64, Ts),
        sink: &mut impl FnMut(&LevelHappening),
    ) -> Option<()> {
        let record = self.records.get_mut(handle.slot as usize).filter(|r| r.key == handle.key)?;
        let face = Face::of(record.kind)?;
        let before = near(record, face);
        (record.price, record.bottom, record.top, record.members) = (price, bottom, top, members);
        record.revision += 1;
        record.known_at = known_at;
        let (now, record) = (near(record, face), *record);
        if now.to_bits() != before.to_bits() {
            let sorted = &mut self.faces[face as usize];
            sorted.remove(handle.slot);
            sorted.insert(now, handle.slot);
        }
        sink(&LevelHappening { what: Happening::Revised, record, bar, known_at });
        Some(())
    }

    /// Touches, sweeps and mitigations by a bar; `touched` hears of each touch. Levels past their lifetime go unheard.
    #[expect(clippy::inline_always, reason = "as its caller")]
    #[inline(always)]
    pub(super) fn meet(
        &mut self,
        bar: &BuiltBar,
        (known_at, lifetime): (Ts, i64),
        sink: &mut impl FnMut(&LevelHappening),
        touched: &mut impl FnMut(&mut Record, Face),
    ) {
        self.meet_face::<false>(bar, (known_at, lifetime), sink, touched);
        self.meet_face::<true>(bar, (known_at, lifetime), sink, touched);
        for &slot in &self.nodes {
            let record = &mut self.records[slot as usize];
            if bar.low <= record.top && record.bottom <= bar.high {
                touch(record, bar.index, known_at, sink);
            }
        }
    }

    /// One face; which is known to the compiler, for this is what most of a bar's work is. Of many bars nothing is in reach: that
    /// takes a look at the nearest edge.
    #[inline]
    fn meet_face<const HIGH: bool>(
        &mut self,
        bar: &BuiltBar,
        at: (Ts, i64),
        sink: &mut impl FnMut(&LevelHappening),
        touched: &mut impl FnMut(&mut Record, Face),
    ) {
        let face = if HIGH { Face::High } else { Face::Low };
        let (out, ..) = face.bar(bar);
        if self.faces[face as usize].edges.last().is_some_and(|nearest| *nearest <= out) {
            self.meet_reached::<HIGH>(bar, at, sink, touched);
        }
    }

    /// A face whose nearest edge is in reach.
    fn meet_reached<const HIGH: bool>(
        &mut self,
        bar: &BuiltBar,
        (known_at, lifetime): (Ts, i64),
        sink: &mut impl FnMut(&LevelHappening),
        touched: &mut impl FnMut(&mut Record, Face),
    ) {
        let face = if HIGH { Face::High } else { Face::Low };
        let (out, inner, close) = face.bar(bar);
        let sorted = &mut self.faces[face as usize];
        let count = sorted.edges.len();
        let reached = count - sorted.reached(out);
        let mut gone = 0;
        for place in reached..count {
            let slot = sorted.slots[place];
            let record = &mut self.records[slot as usize];
            let over = bar.index - record.confirmed > lifetime;
            if over || meet_one(record, face, (out, inner, close), bar.index, known_at, sink, touched) {
                record.key = 0;
                self.free.push(slot);
                gone += 1;
            } else if gone > 0 {
                sorted.edges[place - gone] = sorted.edges[place];
                sorted.slots[place - gone] = slot;
            }
        }
        if gone > 0 {
            sorted.edges.truncate(count - gone);
            sorted.slots.truncate(count - gone);
        }
    }

    /// The profile of a further day replaces the nodes of the former one.
    pub(super) fn replace_nodes(
        &mut self,
        nodes: &[Record],
        (bar, known_at): (i64, Ts),
        sink: &mut impl FnMut(&LevelHappening),
    ) {
        for slot in self.nodes.drain(..) {
            let record = &mut self.records[slot as usize];
            record.mitigated = Some(bar);
            sink(&LevelHappening { what: Happening::Mitigated { broken: false }, record: *record, bar, known_at });
            record.key = 0;
            self.free.push(slot);
        }
        for node in nodes {
            self.add(*node, (bar, known_at), sink);
        }
    }

    /// Whether the levels are looked through at this bar.
    #[inline]
    pub(super) fn is_due(&self, bar: i64) -> bool {
        bar.div_euclid(EXPIRY_EVERY) != self.stretch
    }

    /// From time to time, forgets what is past its lifetime. Such a level is neither shown nor met, so the moment of
    /// forgetting never shows.
    #[inline]
    pub(super) fn expire(&mut self, bar: i64, (first, lifetime): (i64, i64), volumes: &Volumes) {
        if self.is_due(bar) {
            self.stretch = bar.div_euclid(EXPIRY_EVERY);
            // As long as nothing can be too old there is nothing to look for.
            if bar - first > lifetime || volumes.is_due(0) {
                self.sweep(bar, lifetime, volumes);
            }
        }
    }

    /// Those that stay and have waited long for their rank get it.
    fn sweep(&mut self, bar: i64, lifetime: i64, volumes: &Volumes) {
        let (records, free) = (&mut self.records, &mut self.free);
        for sorted in &mut self.faces {
            let mut kept = 0;
            for place in 0..sorted.slots.len() {
                let slot = sorted.slots[place];
                let record = &mut records[slot as usize];
                if bar - record.confirmed > lifetime {
                    record.key = 0;
                    free.push(slot);
                } else {
                    if record.rank.is_none() && volumes.is_due(record.moment) {
                        record.rank = Some(volumes.rank(record.volume, record.moment));
                    }
                    sorted.edges[kept] = sorted.edges[place];
                    sorted.slots[kept] = slot;
                    kept += 1;
                }
            }
            sorted.edges.truncate(kept);
            sorted.slots.truncate(kept);
        }
    }

    /// Levels that wait for the rank of their volume get it.
    pub(super) fn take_ranks(&mut self, volumes: &Volumes) {
        for slot in self.faces.iter().flat_map(|s| &s.slots) {
            let record = &mut self.records[*slot as usize];
            if record.rank.is_none() {
                record.rank = Some(volumes.rank(record.volume, record.moment));
            }
        }
    }

    /// Levels that stand: lows, then highs, each from the nearest outwards, then nodes.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        let faced = self.faces.iter().flat_map(|s| s.slots.iter().rev());
        faced.chain(&self.nodes).map(|slot| &self.records[*slot as usize])
    }

    /// Levels of a face from the nearest outwards, from the first whose near edge is at or beyond `from` (a price).
    pub(super) fn beyond(&self, face: Face, from: f64) -> impl Iterator<Item = &Record> {
        let sorted = &self.faces[face as usize];
        let from = face.outward(from);
        let end = sorted.edges.partition_point(|edge| *edge >= from);
        sorted.slots[..end].iter().rev().map(|slot| &self.records[*slot as usize])
    }

    /// Levels that stand.
    pub(super) fn len(&self) -> usize {
        self.faces[0].slots.len() + self.faces[1].slots.len() + self.nodes.len()
    }

    fn drop_oldest(&mut self) {
        let standing = self.faces.iter().flat_map(|s| &s.slots).chain(&self.nodes);
        let oldest = standing.copied().min_by_key(|slot| {
            let r = &self.records[*slot as usize];
            (r.confirmed, r.formed, r.kind, r.price.to_bits())
        });
        if let Some(slot) = oldest {
            for sorted in &mut self.faces {
                sorted.remove(slot);
            }
            self.nodes.retain(|s| *s != slot);
            self.records[slot as usize].key = 0;
            self.free.push(slot);
        }
    }
}

/// Near edge in outward coordinates.
#[inline]
fn near(record: &Record, face: Face) -> f64 {
    match face {
        Face::Low => -record.top,
        Face::High => record.bottom,
    }
}

/// Far edge in outward coordinates.
#[inline]
pub(super) fn far(record: &Record, face: Face) -> f64 {
    match face {
        Face::Low => -record.bottom,
        Face::High => record.top,
    }
}

fn touch(record: &mut Record, bar: i64, known_at: Ts, sink: &mut impl FnMut(&LevelHappening)) {
    record.touched = Some(record.touched.unwrap_or(bar));
    record.touches += 1;
    sink(&LevelHappening { what: Happening::Touched, record: *record, bar, known_at });
}

/// Blocks and gaps are used up by the wick itself: they are not swept.
const fn is_block(kind: LevelType) -> bool {
    matches!(kind, LevelType::BullishOb | LevelType::BearishOb)
}

const fn is_gap(kind: LevelType) -> bool {
    matches!(kind, LevelType::BullishFvg | LevelType::BearishFvg)
}

/// What a bar that reaches the near edge does to a level; true when it is used up.
#[expect(clippy::inline_always, reason = "called for each face, which is a constant there")]
#[inline(always)]
fn meet_one(
    record: &mut Record,
    face: Face,
    (out, inner, close): (f64, f64, f64),
    bar: i64,
    known_at: Ts,
    sink: &mut impl FnMut(&LevelHappening),
    touched: &mut impl FnMut(&mut Record, Face),
) -> bool {
    let far = far(record, face);
    if inner <= far {
        touch(record, bar, known_at, sink);
        touched(record, face);
    }
    // What becomes of a level cannot be guessed: worked out without branches, as far as nobody listens.
    let (block, gap) = (is_block(record.kind), is_gap(record.kind));
    let swept = (out > far) & (close < far) & !(block | gap);
    record.swept = if swept { Some(record.swept.unwrap_or(bar)) } else { record.swept };
    if swept {
        sink(&LevelHappening { what: Happening::Swept, record: *record, bar, known_at });
    }
    let mitigated = (block & (out > far)) | (gap & (out >= far)) | (!(block | gap) & (close > far));
    if mitigated {
        record.mitigated = Some(bar);
        let what = Happening::Mitigated { broken: close > far };
        sink(&LevelHappening { what, record: *record, bar, known_at });
    }
    mitigated
}
