//! Sums over windows of equal width, without ever subtracting.

/// Sums over `width` numbers in a row. Numbers are cut into blocks as long as a window; a window is the end of one block and the
/// beginning of the next (van Herk 1992, Gil and Werman 1993), so that calm stretches after wild ones keep all their digits.
#[derive(Debug)]
pub(super) struct WindowSums {
    width: usize,
    /// From the beginning of the block up to here.
    heads: Vec<f64>,
    /// From here to the end of the block.
    tails: Vec<f64>,
}

impl WindowSums {
    pub(super) fn new(numbers: &[f64], width: usize) -> Self {
        let mut heads = numbers.to_vec();
        let mut tails = numbers.to_vec();
        for block in heads.chunks_mut(width) {
            let mut sum = 0.0;
            block.iter_mut().for_each(|x| {
                sum += *x;
                *x = sum;
            });
        }
        for block in tails.chunks_mut(width) {
            let mut sum = 0.0;
            block.iter_mut().rev().for_each(|x| {
                sum += *x;
                *x = sum;
            });
        }
        Self { width, heads, tails }
    }

    /// The sum of the window that begins here; `None` where it goes past the end.
    pub(super) fn get(&self, first: usize) -> Option<f64> {
        let last = *self.heads.get(first + self.width - 1)?;
        Some(if first.is_multiple_of(self.width) { last } else { self.tails[first] + last })
    }
}

/// How many are marked, for the number of marks in any stretch.
#[derive(Debug)]
pub(super) struct Marks(Vec<usize>);

impl Marks {
    pub(super) fn new(marked: impl Iterator<Item = bool>) -> Self {
        let mut upto = vec![0];
        let mut n = 0;
        upto.extend(marked.map(|m| {
            n += usize::from(m);
            n
        }));
        Self(upto)
    }

    /// Marks among `first..=last`.
    pub(super) fn among(&self, first: usize, last: usize) -> usize {
        self.0[last + 1] - self.0[first]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_the_sum_of_its_numbers() {
        let numbers: Vec<f64> = (0..50_u32).map(|n| f64::from(n * n % 17)).collect();
        for width in [1, 3, 7, 50] {
            let sums = WindowSums::new(&numbers, width);
            for first in 0..50 {
                let want = numbers.get(first..first + width).map(|w| w.iter().sum::<f64>());
                assert_eq!(sums.get(first), want, "{width} from {first}");
            }
        }
    }

    #[test]
    fn a_calm_window_after_a_wild_one_is_exact() {
        let numbers = [1e18, 1.0, 1e18, 1e-7, 2e-7, 3e-7];
        assert_eq!(WindowSums::new(&numbers, 3).get(3), Some(1e-7 + 2e-7 + 3e-7));
    }

    #[test]
    fn marks_are_counted_between_two_places() {
        let marks = Marks::new([true, false, true, true].into_iter());
        assert_eq!([marks.among(0, 3), marks.among(1, 1), marks.among(1, 2)], [3, 0, 1]);
    }
}
