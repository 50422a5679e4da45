//! Ranked probability score: ordered classes, where a miss by two is worse than a miss by one.

use super::sums::{float, ratio};

/// `Σ_{k<K} (P_k − O_k)²/(K−1)` of one case: `P`, `O` cumulated over the classes, `class` the one that came. 0 is perfect, 1 the worst.
/// `None` below two classes, or where there is no such class.
#[must_use]
pub fn rps(probabilities: &[f64], class: usize) -> Option<f64> {
    let last = probabilities.len().checked_sub(1).filter(|last| *last > 0 && class <= *last)?;
    let mut cumulated = 0.0;
    let mut sum = 0.0;
    for (k, p) in probabilities[..last].iter().enumerate() {
        cumulated += p;
        let d = cumulated - if k >= class { 1.0 } else { 0.0 };
        sum += d * d;
    }
    Some(sum / float(last))
}

/// The mean over cases; `None` without any, or where one of them has no score.
#[must_use]
pub fn mean_rps<'a>(cases: impl IntoIterator<Item = (&'a [f64], usize)>) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0);
    for (probabilities, class) in cases {
        sum += rps(probabilities, class)?;
        n += 1;
    }
    ratio(sum, float(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_classes_it_is_the_brier_score() {
        assert!((rps(&[0.7, 0.3], 1).unwrap() - 0.49).abs() < 1e-15);
        assert_eq!((rps(&[1.0], 0), rps(&[0.5, 0.5], 2)), (None, None));
        assert_eq!(mean_rps([(&[0.0, 0.0, 1.0][..], 0), (&[1.0, 0.0, 0.0][..], 0)]), Some(0.5));
        assert_eq!(mean_rps([]), None);
    }
}
