//! Eigenvalues and eigenvectors of small symmetric matrices by Jacobi rotations (Golub & Van Loan, "Matrix Computations",
//! §8.5): slow for large ones, but exact to rounding, always convergent, and the same in every build.

/// A symmetric matrix taken apart: `matrix = Σ values[k] · vectors[k] · vectors[k]ᵀ`.
#[derive(Clone, PartialEq, Debug)]
pub struct Eigen {
    /// Eigenvalues, in the order the rotations leave them.
    pub values: Vec<f64>,
    /// Eigenvectors of length 1, one for each value.
    pub vectors: Vec<Vec<f64>>,
}

/// Sweeps after which any matrix of this size is diagonal to rounding; a dozen markets take six or seven.
const SWEEPS_MAX: usize = 50;

/// Takes a symmetric matrix (rows of equal length) apart. Only its upper triangle is read.
#[must_use]
pub fn symmetric(matrix: &[Vec<f64>]) -> Eigen {
    let n = matrix.len();
    let mut a: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| matrix[i.min(j)][i.max(j)]).collect()).collect();
    // Row k of `v` becomes the k-th eigenvector.
    let mut v: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect()).collect();
    let scale: f64 = a.iter().flatten().map(|x| x * x).sum();
    for _ in 0..SWEEPS_MAX {
        let off: f64 = (0..n).flat_map(|i| a[i][i + 1..].iter()).map(|x| x * x).sum();
        if off <= scale * 1e-32 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut v, p, q);
            }
        }
    }
    Eigen { values: (0..n).map(|i| a[i][i]).collect(), vectors: v }
}

/// Turns the plane of `p` and `q` so that their element becomes zero.
fn rotate(a: &mut [Vec<f64>], v: &mut [Vec<f64>], p: usize, q: usize) {
    let apq = a[p][q];
    if apq.abs() < f64::MIN_POSITIVE {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * apq);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for row in a.iter_mut() {
        let (x, y) = (row[p], row[q]);
        row[p] = c * x - s * y;
        row[q] = s * x + c * y;
    }
    mix_rows(a, p, q, c, s);
    mix_rows(v, p, q, c, s);
    a[p][q] = 0.0;
    a[q][p] = 0.0;
}

/// Mixes two rows.
fn mix_rows(rows: &mut [Vec<f64>], p: usize, q: usize, c: f64, s: f64) {
    let (upper, lower) = rows.split_at_mut(q);
    for (x, y) in upper[p].iter_mut().zip(lower[0].iter_mut()) {
        let (old_x, old_y) = (*x, *y);
        *x = c * old_x - s * old_y;
        *y = s * old_x + c * old_y;
    }
}

/// `xᵀ M x` with the negative eigenvalues of `M` taken as 0: never below 0 whatever pieces `M` was put together from.
#[must_use]
pub fn floored_form(matrix: &[Vec<f64>], x: &[f64]) -> f64 {
    let eigen = symmetric(matrix);
    let along = |vector: &[f64]| vector.iter().zip(x).map(|(a, b)| a * b).sum::<f64>();
    eigen.values.iter().zip(&eigen.vectors).map(|(value, vector)| value.max(0.0) * along(vector) * along(vector)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_give_the_matrix_back() {
        let n = 12;
        let element = |i: usize, j: usize| {
            let (i, j) = (u32::try_from(i.min(j)).unwrap(), u32::try_from(i.max(j)).unwrap());
            f64::from((i * 31 + j * 17) % 23) / 23.0 - 0.4 + if i == j { 1.0 } else { 0.0 }
        };
        let matrix: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| element(i, j)).collect()).collect();
        let eigen = symmetric(&matrix);
        for (i, row) in matrix.iter().enumerate() {
            for (j, want) in row.iter().enumerate() {
                let back: f64 = (0..n).map(|k| eigen.values[k] * eigen.vectors[k][i] * eigen.vectors[k][j]).sum();
                assert!((back - want).abs() < 1e-12, "{i},{j}: {back} is not {want}");
                let dot: f64 = (0..n).map(|k| eigen.vectors[i][k] * eigen.vectors[j][k]).sum();
                assert!((dot - if i == j { 1.0 } else { 0.0 }).abs() < 1e-12, "{i},{j}: {dot}");
            }
        }
    }

    #[test]
    fn correlations_that_contradict_each_other_give_no_negative_variance() {
        // a with b and b with c move together, a with c apart: no three series can do that.
        let matrix = vec![vec![1.0, 0.9, -0.9], vec![0.9, 1.0, 0.9], vec![-0.9, 0.9, 1.0]];
        assert!(symmetric(&matrix).values.iter().any(|v| *v < -0.5));
        let x = [1.0, -1.0, 1.0];
        let plain: f64 =
            (0..3).flat_map(|i| (0..3).map(move |j| (i, j))).map(|(i, j)| x[i] * matrix[i][j] * x[j]).sum();
        assert!(plain < 0.0);
        assert!(floored_form(&matrix, &x) >= 0.0);
    }
}
