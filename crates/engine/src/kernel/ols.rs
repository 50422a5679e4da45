//! Least squares line of samples against their position (features §1.1, `ols`).

/// A fitted line.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FittedLine {
    /// Change per step.
    pub slope: f64,
    /// Value at position 0.
    pub intercept: f64,
    /// Pearson correlation of position and value.
    pub r: f64,
}

/// Fits `y` on `x`; `None` with fewer than two points or when either does not vary. Two passes over data centred on
/// their means: windows here are a few dozen points, so exactness is cheap.
pub fn ols(points: impl Iterator<Item = (f64, f64)> + Clone) -> Option<FittedLine> {
    let (mut n, mut sum_x, mut sum_y) = (0.0, 0.0, 0.0);
    for (x, y) in points.clone() {
        n += 1.0;
        sum_x += x;
        sum_y += y;
    }
    if n < 2.0 {
        return None;
    }
    let (mean_x, mean_y) = (sum_x / n, sum_y / n);
    let (mut sxx, mut sxy, mut syy) = (0.0, 0.0, 0.0);
    let (mut lo, mut hi) = (f64::INFINITY, f64::NEG_INFINITY);
    for (x, y) in points {
        let (dx, dy) = (x - mean_x, y - mean_y);
        sxx += dx * dx;
        sxy += dx * dy;
        syy += dy * dy;
        lo = lo.min(y);
        hi = hi.max(y);
    }
    if lo >= hi || sxx <= 0.0 {
        return None;
    }
    let slope = sxy / sxx;
    Some(FittedLine { slope, intercept: mean_y - slope * mean_x, r: sxy / (sxx * syy).sqrt() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_is_found_and_a_flat_one_has_no_slope() {
        let line = ols((0..24).map(|i| (f64::from(i), 3.0 + 0.5 * f64::from(i)))).unwrap();
        assert!(
            (line.slope - 0.5).abs() < 1e-12 && (line.intercept - 3.0).abs() < 1e-12 && (line.r - 1.0).abs() < 1e-12
        );
        assert_eq!(ols((0..24).map(|i| (f64::from(i), 7.0))), None);
        assert_eq!(ols(core::iter::once((0.0, 1.0))), None);
    }
}
