//! Small symmetric systems: Cholesky's factor and what is solved with it.

/// A lower triangle `L` with `L·Lᵀ` equal to the matrix.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Cholesky {
    n: usize,
    l: Vec<f64>,
}

impl Cholesky {
    /// Of a symmetric matrix in rows; `None` where it is not positive definite.
    pub(crate) fn of(a: &[f64], n: usize) -> Option<Self> {
        let mut l = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
                let rest = a[i * n + j] - dot;
                if i == j {
                    if rest <= 0.0 || !rest.is_finite() {
                        return None;
                    }
                    l[i * n + i] = rest.sqrt();
                } else {
                    l[i * n + j] = rest / l[j * n + j];
                }
            }
        }
        Some(Self { n, l })
    }

    /// `L⁻¹·b`.
    pub(crate) fn forward(&self, b: &[f64]) -> Vec<f64> {
        let n = self.n;
        let mut y = vec![0.0; n];
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| self.l[i * n + k] * y[k]).sum();
            y[i] = (b[i] - dot) / self.l[i * n + i];
        }
        y
    }

    /// The solution of `A·x = b`.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let n = self.n;
        let y = self.forward(b);
        let mut x = vec![0.0; n];
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| self.l[k * n + i] * x[k]).sum();
            x[i] = (y[i] - dot) / self.l[i * n + i];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved_and_an_indefinite_one_refused() {
        let a = [4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let x = Cholesky::of(&a, 3).unwrap().solve(&[1.0, -2.0, 0.5]);
        for (row, b) in [1.0, -2.0, 0.5].into_iter().enumerate() {
            let got: f64 = (0..3).map(|k| a[row * 3 + k] * x[k]).sum();
            assert!((got - b).abs() < 1e-14, "{row}: {got}");
        }
        assert!(Cholesky::of(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
    }
}
