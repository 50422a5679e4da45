//! Mid-rank of a bar's volume among the latest 200 bars that have one (features §4.9, `s_v`).
//!
//! Most levels are used up within a few bars and nobody asks for their strength, so a rank may wait: more volumes are kept
//! than are ranked, and the rank as of an earlier moment is the same whenever it is taken.

use serde::{Deserialize, Serialize};

/// Bars a volume is ranked among.
const BARS: u32 = 200;
/// Volumes kept where ranks do not wait, and where they may wait for 824 bars; powers of two.
const KEPT: [u32; 2] = [256, 1_024];
/// Twice the bars between two looks for ranks that have waited long enough.
const RANK_EVERY: u32 = 2 * 64;

/// The latest volumes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Volumes {
    ring: Vec<f64>,
    kept: u32,
    /// Volumes seen.
    count: u32,
}

impl Volumes {
    /// `wait`: a rank may be asked for later than its moment.
    pub(super) fn new(wait: bool) -> Self {
        let kept = KEPT[usize::from(wait)];
        Self { ring: Vec::with_capacity(kept.min(512) as usize), kept, count: 0 }
    }

    #[inline]
    pub(super) fn push(&mut self, volume: Option<f64>) {
        let Some(v) = volume else { return };
        if self.ring.len() < self.kept as usize {
            self.ring.push(v);
        } else {
            self.ring[(self.count & (self.kept - 1)) as usize] = v;
        }
        self.count = self.count.wrapping_add(1);
    }

    /// A volume was seen that [`Self::fill`] will bring before ranks are taken.
    #[inline]
    pub(super) fn count(&mut self) {
        self.count = self.count.wrapping_add(1);
    }

    /// The volumes that were counted last.
    pub(super) fn fill(&mut self, mut volumes: &[f64]) {
        let kept = self.kept as usize;
        let room = (kept - self.ring.len()).min(volumes.len());
        self.ring.extend_from_slice(&volumes[..room]);
        volumes = &volumes[room.max(volumes.len().saturating_sub(kept))..];
        let mut place = (self.count as usize).wrapping_sub(volumes.len()) % kept;
        for v in volumes {
            self.ring[place] = *v;
            place = (place + 1) % kept;
        }
    }

    /// The moment that a rank may be taken of later.
    #[inline]
    pub(super) fn moment(&self) -> u32 {
        self.count
    }

    /// Whether a rank of this moment must not wait any longer.
    pub(super) fn is_due(&self, moment: u32) -> bool {
        self.count.wrapping_sub(moment) > self.kept.saturating_sub(BARS + RANK_EVERY)
    }

    /// Rank in [0, 1] among the volumes up to a moment whose volumes are still kept; 1 for a level without volume or among none,
    /// which leaves the factor out.
    pub(super) fn rank(&self, volume: Option<f64>, moment: u32) -> f64 {
        let n = moment.min(BARS);
        let Some(v) = volume.filter(|_| n > 0) else { return 1.0 };
        // The ring began at 0 and its length divides 2^32, so places go on through the wrap of the count.
        let place = |moment: u32| (moment & (self.kept - 1)) as usize;
        let (from, upto) = (place(moment.wrapping_sub(n)), place(moment));
        let twice = if from < upto {
            counted(&self.ring[from..upto], v)
        } else {
            counted(&self.ring[from..], v) + counted(&self.ring[..upto], v)
        };
        0.5 * f64::from(twice) / f64::from(n)
    }
}

/// Volumes below, and those below or equal.
fn counted(volumes: &[f64], v: f64) -> u32 {
    let (mut below, mut upto) = (0_u32, 0_u32);
    for other in volumes {
        below += u32::from(*other < v);
        upto += u32::from(*other <= v);
    }
    below + upto
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these are exact in binary")]
mod tests {
    use super::*;

    #[test]
    fn equals_count_half_only_the_latest_count_and_a_rank_may_wait() {
        let mut v = Volumes::new(true);
        let now = |v: &Volumes, x| v.rank(x, v.moment());
        assert_eq!(now(&v, Some(3.0)), 1.0);
        (1..=4).for_each(|x| v.push(Some(f64::from(x))));
        v.push(None);
        assert_eq!((now(&v, Some(3.0)), now(&v, None)), (0.625, 1.0));
        let early = v.moment();
        (0..200).for_each(|_| v.push(Some(9.0)));
        assert_eq!((now(&v, Some(3.0)), v.rank(Some(3.0), early)), (0.0, 0.625));
        for n in 0..2_000_u32 {
            v.push(Some(f64::from(n * 7 % 100)));
            let (want, moment) = (now(&v, Some(50.0)), v.moment());
            let mut later = v.clone();
            (0..824).for_each(|_| later.push(Some(1.0)));
            assert_eq!(later.rank(Some(50.0), moment), want);
        }
    }
}
