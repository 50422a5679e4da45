//! Mid-rank of a bar's volume among the latest 200 bars that have one (features §4.9, `s_v`).

use serde::{Deserialize, Serialize};

/// Bars a volume is ranked among.
const BARS: usize = 200;

/// The latest volumes; their order does not matter to a rank.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Volumes {
    latest: Vec<f64>,
    next: usize,
}

impl Volumes {
    pub(super) fn new() -> Self {
        Self { latest: Vec::with_capacity(BARS), next: 0 }
    }

    #[inline]
    pub(super) fn push(&mut self, volume: Option<f64>) {
        let Some(v) = volume else { return };
        if self.latest.len() < BARS {
            self.latest.push(v);
        } else {
            self.latest[self.next] = v;
            self.next = if self.next + 1 == BARS { 0 } else { self.next + 1 };
        }
    }

    /// Rank in [0, 1]; 1 for a level without volume or among none, which leaves the factor out.
    pub(super) fn rank(&self, volume: Option<f64>) -> f64 {
        let Some(v) = volume.filter(|_| !self.latest.is_empty()) else { return 1.0 };
        let (mut below, mut upto) = (0_u64, 0_u64);
        for other in &self.latest {
            below += u64::from(*other < v);
            upto += u64::from(*other <= v);
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 400")]
        let (twice, n) = ((below + upto) as f64, self.latest.len() as f64);
        0.5 * twice / n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_count_half_and_only_the_latest_count() {
        let mut v = Volumes::new();
        assert_eq!(v.rank(Some(3.0)), 1.0);
        (1..=4).for_each(|x| v.push(Some(f64::from(x))));
        v.push(None);
        assert_eq!((v.rank(Some(3.0)), v.rank(None)), (0.625, 1.0));
        (0..200).for_each(|_| v.push(Some(9.0)));
        assert_eq!(v.rank(Some(3.0)), 0.0);
    }
}
