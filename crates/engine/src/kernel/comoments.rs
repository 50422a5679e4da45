//! Two samples at a time: means, spreads, co-movement (features §1.2, code ABF-c; features §1.1, `corr`).
//!
//! A block of pairs is made in two passes over data centred on their means, blocks merge pairwise (Chan, Golub & LeVeque
//! 1979), and nothing is ever subtracted: a correlation depends only on the pairs of its window and how they are cut into
//! blocks, which is aligned to absolute time. Zero variance is decided exactly by `min == max`.

use barograph_domain::math::{atanh, tanh};

/// Count, means, centred sums and extremes of pairs.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CoMoments {
    /// Pairs present.
    pub n: u32,
    mean: [f64; 2],
    mxx: f64,
    mxy: f64,
    myy: f64,
    min: [f64; 2],
    max: [f64; 2],
}

impl CoMoments {
    /// No pairs; merging it changes no bit.
    pub const EMPTY: Self = Self {
        n: 0,
        mean: [0.0; 2],
        mxx: 0.0,
        mxy: 0.0,
        myy: 0.0,
        min: [f64::INFINITY; 2],
        max: [f64::NEG_INFINITY; 2],
    };

    /// The block of these pairs, in their order.
    pub fn of(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let mut block = Self::EMPTY;
        let (mut sum_x, mut sum_y) = (0.0, 0.0);
        for (x, y) in pairs.clone() {
            block.n += 1;
            sum_x += x;
            sum_y += y;
            block.min = [block.min[0].min(x), block.min[1].min(y)];
            block.max = [block.max[0].max(x), block.max[1].max(y)];
        }
        if block.n == 0 {
            return block;
        }
        let n = f64::from(block.n);
        block.mean = [sum_x / n, sum_y / n];
        for (x, y) in pairs {
            let (dx, dy) = (x - block.mean[0], y - block.mean[1]);
            block.mxx += dx * dx;
            block.mxy += dx * dy;
            block.myy += dy * dy;
        }
        block
    }

    /// This block followed by `right`.
    #[must_use]
    pub fn merge(self, right: Self) -> Self {
        if self.n == 0 {
            return right;
        }
        if right.n == 0 {
            return self;
        }
        let (na, nb) = (f64::from(self.n), f64::from(right.n));
        let n = na + nb;
        let (dx, dy) = (right.mean[0] - self.mean[0], right.mean[1] - self.mean[1]);
        let weight = na * nb / n;
        Self {
            n: self.n + right.n,
            mean: [self.mean[0] + dx * (nb / n), self.mean[1] + dy * (nb / n)],
            mxx: self.mxx + right.mxx + dx * dx * weight,
            mxy: self.mxy + right.mxy + dx * dy * weight,
            myy: self.myy + right.myy + dy * dy * weight,
            min: [self.min[0].min(right.min[0]), self.min[1].min(right.min[1])],
            max: [self.max[0].max(right.max[0]), self.max[1].max(right.max[1])],
        }
    }

    /// Slope of the second on the first by least squares, with an intercept; `None` when the first does not vary.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "features §1: zero variance is decided exactly by min == max")]
    pub fn slope(&self) -> Option<f64> {
        let flat = self.n < 2 || self.min[0] == self.max[0];
        if flat || self.mxx <= 0.0 { None } else { Some(self.mxy / self.mxx) }
    }

    /// Pearson correlation, in [−1, 1]; `None` when either side does not vary.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "features §1: zero variance is decided exactly by min == max")]
    pub fn correlation(&self) -> Option<f64> {
        let flat = self.n < 2 || self.min[0] == self.max[0] || self.min[1] == self.max[1];
        let spread = (self.mxx * self.myy).sqrt();
        // Values that differ by less than rounding leave a spread of 0, which divides nothing.
        if flat || spread <= 0.0 { None } else { Some((self.mxy / spread).clamp(-1.0, 1.0)) }
    }
}

/// 95 % band of a correlation of `n` pairs: `tanh(atanh r ± 1.96/√(n−3))` (Fisher 1921). `None` for fewer than 4 pairs.
#[must_use]
pub fn fisher_band(r: f64, n: u32) -> Option<[f64; 2]> {
    if n < 4 {
        return None;
    }
    let (z, half) = (atanh(r), 1.96 / f64::from(n - 3).sqrt());
    Some([tanh(z - half), tanh(z + half)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n: u32) -> Vec<(f64, f64)> {
        (0..n)
            .map(|i| (f64::from(i * 37 % 101) * 1e-4 + 5.0, f64::from(i * 53 % 97) * 1e-4 - f64::from(i) * 1e-6))
            .collect()
    }

    #[test]
    fn blocks_merge_to_what_one_pass_finds() {
        let all = sample(200);
        let whole = CoMoments::of(all.iter().copied());
        for cut in [1, 59, 100, 199] {
            let merged = CoMoments::of(all[..cut].iter().copied()).merge(CoMoments::of(all[cut..].iter().copied()));
            assert_eq!(merged.n, whole.n);
            let (a, b) = (merged.correlation().unwrap(), whole.correlation().unwrap());
            assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        }
        assert_eq!(CoMoments::EMPTY.merge(whole), whole);
        assert_eq!(whole.merge(CoMoments::EMPTY), whole);
    }

    #[test]
    fn a_side_that_does_not_vary_has_no_correlation() {
        let flat = CoMoments::of((0..20).map(|i| (0.1, f64::from(i))));
        assert_eq!(flat.correlation(), None);
        let line = CoMoments::of((0..20).map(|i| (f64::from(i), 3.0 - f64::from(i))));
        assert_eq!(line.correlation(), Some(-1.0));
        assert_eq!(fisher_band(-1.0, 20), Some([-1.0, -1.0]));
        assert_eq!(fisher_band(0.5, 3), None);
    }
}
