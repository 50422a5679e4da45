//! Equal highs and lows by tolerance (features §4.2, R2.9): peaks join the nearest standing cluster within a relative
//! distance of the mean of its members; the second member makes it a level, each further one a revision.
//!
//! Clusters are sorted by their mean in outward coordinates, furthest first, so the nearest is found by bisection and a
//! close looks only at those it can have gone through. Bounds: [`CLUSTERS_MAX`] per face, of more the longest without a
//! new member goes; and the lifetime of levels.

use super::options::{ClusterPeaks, TimeframeOptions};
use super::record::{Face, LevelHappening, Record};
use super::shelf::{Handle, Shelf};
use barograph_domain::{LevelType, Ts};
use serde::{Deserialize, Serialize};

/// Clusters per face, those of one member included.
const CLUSTERS_MAX: usize = 512;

/// Clusters there is room for at once.
const ROOM: usize = 96;

/// A peak that may join.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peak {
    pub(super) price: f64,
    pub(super) bar: i64,
    pub(super) volume: Option<f64>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Cluster {
    /// Of members, outward.
    mean: f64,
    inner: f64,
    outer: f64,
    members: u32,
    level: Option<Handle>,
    first: (i64, f64, Option<f64>),
    newest: i64,
}

/// Clusters of one face.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Clusters {
    face: Face,
    all: Vec<Cluster>,
}

impl Clusters {
    pub(super) fn new(face: Face) -> Self {
        Self { face, all: Vec::with_capacity(ROOM) }
    }

    /// Clusters that a close, in outward coordinates, has gone through are gone.
    #[inline]
    pub(super) fn close(&mut self, close: f64) {
        let count = self.all.len();
        let mut start = count;
        while start > 0 && self.all[start - 1].mean < close {
            start -= 1;
        }
        if start < count {
            let mut kept = start;
            for place in start..count {
                if self.all[place].outer >= close {
                    self.all[kept] = self.all[place];
                    kept += 1;
                }
            }
            self.all.truncate(kept);
        }
    }

    /// A confirmed peak joins, begins a cluster, or is too close to the last member to count. The level that it
    /// makes is handed back; [`Clusters::became`] has to hear where it stands.
    pub(super) fn peak(
        &mut self,
        peak: &Peak,
        options: &TimeframeOptions,
        shelf: &mut Shelf,
        at: (i64, Ts),
        sink: &mut impl FnMut(&LevelHappening),
    ) -> Option<Record> {
        let price = self.face.outward(peak.price);
        let place = match self.nearest(price, options.cluster_tolerance) {
            Ok(place) => place,
            Err(place) => {
                self.begin(peak, price, place, options);
                return None;
            }
        };
        let cluster = &mut self.all[place];
        let least = if options.cluster_peaks == ClusterPeaks::Local { options.cluster_spacing } else { 1 };
        if peak.bar - cluster.newest < least {
            return None;
        }
        let stale = match cluster.level {
            Some(level) => shelf.get(level).is_none_or(|r| at.0 - r.confirmed > options.lifetime()),
            None => peak.bar - cluster.newest > options.lifetime(),
        };
        if stale {
            self.all.remove(place);
            let place = self.all.partition_point(|c| c.mean >= price);
            self.begin(peak, price, place, options);
            return None;
        }
        cluster.members += 1;
        cluster.mean += (price - cluster.mean) / f64::from(cluster.members);
        cluster.inner = cluster.inner.min(price);
        cluster.outer = cluster.outer.max(price);
        // Rounding of the mean must not leave the zone.
        cluster.mean = cluster.mean.clamp(cluster.inner, cluster.outer);
        cluster.newest = peak.bar;
        let prices = self.face.prices(cluster);
        let made = match cluster.level {
            None => {
                let (formed, named, volume) = cluster.first;
                let kind = if self.face == Face::High { LevelType::EqualHighs } else { LevelType::EqualLows };
                let record = Record::zone(kind, prices.0, (prices.1, prices.2), formed, volume);
                Some(Record { members: cluster.members, named, ..record })
            }
            Some(level) => {
                // It stands: that was asked above.
                let _revised = shelf.revise(level, prices, cluster.members, at, sink);
                None
            }
        };
        self.settle(place);
        made
    }

    /// The cluster whose newest member is at `bar` is this level.
    pub(super) fn became(&mut self, bar: i64, level: Handle) {
        if let Some(cluster) = self.all.iter_mut().rev().find(|c| c.newest == bar && c.level.is_none()) {
            cluster.level = Some(level);
        }
    }

    /// A cluster of its own, at the place that its price has.
    fn begin(&mut self, peak: &Peak, price: f64, mut place: usize, options: &TimeframeOptions) {
        if self.all.len() == CLUSTERS_MAX {
            let oldest = peak.bar - options.lifetime();
            self.all.retain(|c| c.newest >= oldest);
            if self.all.len() == CLUSTERS_MAX {
                let gone = (0..self.all.len()).min_by_key(|i| self.all[*i].newest).unwrap_or(0);
                self.all.remove(gone);
            }
            place = self.all.partition_point(|c| c.mean >= price);
        }
        let cluster = Cluster {
            mean: price,
            inner: price,
            outer: price,
            members: 1,
            level: None,
            first: (peak.bar, peak.price, peak.volume),
            newest: peak.bar,
        };
        self.all.insert(place, cluster);
    }

    /// The nearest cluster within the tolerance; of equally near ones the inner.
    ///
    /// # Errors
    /// The place that a cluster at the price would have.
    fn nearest(&self, price: f64, tolerance: f64) -> Result<usize, usize> {
        let mut after = self.all.len();
        while after > 0 && self.all[after - 1].mean < price {
            after -= 1;
        }
        // `after` is the first whose mean is below the price; the one before it is at or above.
        let distance = |i: usize| (price - self.all[i].mean).abs();
        let near = |i: &usize| distance(*i) < tolerance * self.all[*i].mean.abs();
        let inner = Some(after).filter(|i| *i < self.all.len()).filter(near);
        let outer = after.checked_sub(1).filter(near);
        match (inner, outer) {
            (Some(a), Some(b)) => Ok(if distance(b) < distance(a) { b } else { a }),
            (a, b) => a.or(b).ok_or(after),
        }
    }

    /// After its mean moved, a cluster goes to its place.
    fn settle(&mut self, mut place: usize) {
        while place > 0 && self.all[place - 1].mean < self.all[place].mean {
            self.all.swap(place - 1, place);
            place -= 1;
        }
        while place + 1 < self.all.len() && self.all[place].mean < self.all[place + 1].mean {
            self.all.swap(place, place + 1);
            place += 1;
        }
    }
}

impl Face {
    /// Price, bottom and top of a cluster.
    fn prices(self, cluster: &Cluster) -> (f64, f64, f64) {
        match self {
            Self::Low => (-cluster.mean, -cluster.outer, -cluster.inner),
            Self::High => (cluster.mean, cluster.inner, cluster.outer),
        }
    }
}
