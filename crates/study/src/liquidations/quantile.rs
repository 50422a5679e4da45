//! Linear quantile regression (Koenker and Bassett 1978) by weighted least squares, repeated: residual `r` has the weight
//! `τ / max(|r|, ε)` above the line and `(1 − τ) / max(|r|, ε)` below it, and ε falls from step to step (Schlossmacher 1973; Hunter and
//! Lange 2000 bound what ε costs). Fixed steps and a fixed order of sums: the same rows give the same line.

/// Steps; ε falls by a third of a decade in each of the first 24.
const STEPS: i32 = 120;
const EPSILON_FIRST: f64 = 1e-1;
const EPSILON_LAST: f64 = 1e-7;
/// Added to the diagonal, in parts of it: columns that do not vary get the coefficient 0.
const RIDGE: f64 = 1e-9;

/// Coefficients: the constant, then one for each column.
pub type QuantileLine = Vec<f64>;

/// What a line gives for a row.
#[must_use]
pub fn value(line: &[f64], row: &[f64]) -> f64 {
    line.first().copied().unwrap_or(0.0) + line.iter().skip(1).zip(row).map(|(b, x)| b * x).sum::<f64>()
}

/// The line below which `tau` of `y` lie. Rows are of one length; `None` without a row, or where the equations have no solution.
#[must_use]
pub fn fit(rows: &[Vec<f64>], y: &[f64], tau: f64) -> Option<QuantileLine> {
    let width = rows.first()?.len() + 1;
    if rows.len() != y.len() {
        return None;
    }
    let mut line = vec![0.0; width];
    let mut sorted = y.to_vec();
    line[0] = crate::order::quantile(&mut sorted, 1, 2)?;
    let mut epsilon = EPSILON_FIRST;
    for _ in 0..STEPS {
        line = step(rows, y, tau, epsilon, &line)?;
        epsilon = (epsilon * 0.464_158_883_361).max(EPSILON_LAST);
    }
    Some(line)
}

fn step(rows: &[Vec<f64>], y: &[f64], tau: f64, epsilon: f64, line: &[f64]) -> Option<QuantileLine> {
    let width = line.len();
    let (mut square, mut right) = (vec![vec![0.0; width]; width], vec![0.0; width]);
    let mut cells = vec![1.0; width];
    for (row, y) in rows.iter().zip(y) {
        cells[1..].copy_from_slice(row);
        let residual = y - value(line, row);
        let weight = if residual >= 0.0 { tau } else { 1.0 - tau } / residual.abs().max(epsilon);
        for (i, xi) in cells.iter().enumerate() {
            right[i] += weight * xi * y;
            for (j, xj) in cells.iter().enumerate().take(i + 1) {
                square[i][j] += weight * xi * xj;
            }
        }
    }
    solve(square, right)
}

/// Solves symmetric equations by Cholesky's factors; only the lower half is read.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for (i, row) in a.iter_mut().enumerate() {
        row[i] += RIDGE * row[i].max(1e-12);
    }
    for i in 0..n {
        for j in 0..=i {
            let inner: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
            let rest = a[i][j] - inner;
            if i == j {
                // A column that repeats another has nothing left here.
                a[i][i] = if rest > 0.0 { rest.sqrt() } else { return None };
            } else {
                a[i][j] = rest / a[j][j];
            }
        }
    }
    for i in 0..n {
        let inner: f64 = (0..i).map(|k| a[i][k] * b[k]).sum();
        b[i] = (b[i] - inner) / a[i][i];
    }
    for i in (0..n).rev() {
        let inner: f64 = (i + 1..n).map(|k| a[k][i] * b[k]).sum();
        b[i] = (b[i] - inner) / a[i][i];
    }
    b.iter().all(|x| x.is_finite()).then_some(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers spread evenly over 0 to 1, in an order that has no trend.
    fn spread(n: u32) -> impl Iterator<Item = f64> {
        (0..n).map(move |k| (f64::from(k * 7_919 % n) + 0.5) / f64::from(n))
    }

    #[test]
    fn without_columns_it_is_the_quantile() {
        let y: Vec<f64> = spread(1_001).map(|u| u * u).collect();
        let rows = vec![Vec::new(); y.len()];
        for tau in [0.1, 0.5, 0.9] {
            let got = fit(&rows, &y, tau).unwrap()[0];
            assert!((got - tau * tau).abs() < 2e-3, "{tau}: {got}");
        }
    }

    /// `y = 1 + 2x + (1 + x)·u` with u even over 0 to 1: the τ-line is `(1 + τ) + (2 + τ)·x`.
    #[test]
    fn a_spread_that_grows_is_followed() {
        let x: Vec<f64> = (0..40).flat_map(|k| [f64::from(k) / 10.0; 101]).collect();
        let u: Vec<f64> = (0..40).flat_map(|_| spread(101).collect::<Vec<_>>()).collect();
        let y: Vec<f64> = x.iter().zip(&u).map(|(x, u)| 1.0 + 2.0 * x + (1.0 + x) * u).collect();
        let rows: Vec<Vec<f64>> = x.iter().map(|x| vec![*x]).collect();
        for tau in [0.1, 0.9] {
            let line = fit(&rows, &y, tau).unwrap();
            assert!((line[0] - 1.0 - tau).abs() < 0.02 && (line[1] - 2.0 - tau).abs() < 0.02, "{tau}: {line:?}");
            let below = rows.iter().zip(&y).filter(|(row, y)| **y < value(&line, row)).count();
            assert!((below as f64 / y.len() as f64 - tau).abs() < 0.02, "{below} of {}", y.len());
        }
    }

    #[test]
    fn what_cannot_be_fitted_is_not() {
        assert_eq!(fit(&[], &[], 0.5), None);
        assert_eq!(fit(&[vec![1.0]], &[], 0.5), None);
        let flat = fit(&vec![vec![3.0]; 50], &[2.0; 50], 0.9).expect("a column that does not vary takes nothing away");
        assert!((value(&flat, &[3.0]) - 2.0).abs() < 1e-3, "{flat:?}");
    }
}
