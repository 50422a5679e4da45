//! What each group computes here: for every instrument a hash over all its inputs, and at the first tick 200 ms after a minute a row
//! with that hash. One input more, less or in another place changes every row after it.

use barograph_cluster::{Hole, JournalStretch, StretchMessage};
use barograph_domain::Ts;
use barograph_domain::time::LATENESS;
use std::rc::Rc;

pub(crate) const MINUTE_NS: i64 = 2_000_000_000;
pub(crate) const HOUR_MINUTES: i64 = 5;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Frame {
        group: u16,
        instrument: u8,
        value: u64,
    },
    Tick,
    /// The ingest node has started: what it had not synced is gone.
    Start,
}

/// One line of the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) stamp: Ts,
    pub(crate) kind: Kind,
}

/// A message: a stretch, and where its lines stand in the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Frames {
    pub(crate) stretch: JournalStretch,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

impl StretchMessage for Frames {
    fn stretch(&self) -> JournalStretch {
        self.stretch
    }
    fn weight(&self) -> usize {
        32 * (self.to - self.from)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    pub(crate) minute: i64,
    pub(crate) instrument: u8,
    pub(crate) hash: u64,
    /// The tick that made it.
    pub(crate) stamp: Ts,
}

/// The hour a minute belongs to.
pub(crate) const fn hour_of(minute: i64) -> i64 {
    minute.div_euclid(HOUR_MINUTES)
}

/// The end of an hour.
pub(crate) const fn hour_end(hour: i64) -> Ts {
    Ts((hour + 1) * HOUR_MINUTES * MINUTE_NS)
}

pub(crate) const fn mix(hash: u64, value: u64) -> u64 {
    let z = (hash.rotate_left(23) ^ value).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^ (z >> 29)
}

/// The state of one group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Engine {
    group: u16,
    pub(crate) at: Ts,
    hashes: Vec<u64>,
    made: i64,
    /// What it was without, which is part of the hashes too.
    pub(crate) gaps: Rc<Vec<Hole>>,
}

impl Engine {
    pub(crate) fn new(group: u16, instruments: u8) -> Self {
        let hashes = (0..u64::from(instruments)).collect();
        Self { group, at: Ts(0), hashes, made: -1, gaps: Rc::default() }
    }

    pub(crate) fn step(&mut self, entry: &Entry, rows: &mut Vec<Row>) {
        self.at = entry.stamp;
        let stamp = entry.stamp.0.cast_unsigned();
        match entry.kind {
            Kind::Frame { group, instrument, value } if group == self.group => {
                let hash = &mut self.hashes[usize::from(instrument)];
                *hash = mix(mix(*hash, stamp), value);
            }
            Kind::Frame { .. } => {}
            Kind::Start => self.all(stamp),
            Kind::Tick => {
                self.all(stamp);
                let minute = (entry.stamp.0 - LATENESS.0).div_euclid(MINUTE_NS) - 1;
                if minute > self.made {
                    self.made = minute;
                    rows.extend((0_u8..).zip(&self.hashes).map(|(instrument, hash)| Row {
                        minute,
                        instrument,
                        hash: *hash,
                        stamp: entry.stamp,
                    }));
                }
            }
        }
    }

    pub(crate) fn gap(&mut self, gap: Hole) {
        self.at = gap.until;
        self.all(gap.after.0.cast_unsigned());
        self.all(!gap.until.0.cast_unsigned());
        Rc::make_mut(&mut self.gaps).push(gap);
    }

    fn all(&mut self, value: u64) {
        self.hashes.iter_mut().for_each(|hash| *hash = mix(*hash, value));
    }
}
