//! Random columns whose first four say something; `tests/peers/lightgbm_speed.py` draws the same numbers. The two that act together
//! also say something alone: of a pure product chance decides in which round trees find it, and with it every comparison.

use barograph_domain::random::SplitMix;
use barograph_lab::zoo::Features;

/// Columns and a yes or no for each row.
pub(crate) fn made(seed: u64, rows: usize, columns: usize) -> (Features, Vec<f64>) {
    let mut random = SplitMix::new(seed);
    let mut x: Vec<Vec<f64>> = Vec::new();
    for _ in 0..columns {
        x.push((0..rows).map(|_| random.unit() + random.unit() + random.unit() - 1.5).collect());
    }
    let signal = |r: usize| x[0][r] * x[1][r] + 0.4 * x[0][r] + 0.3 * x[1][r] + 0.5 * x[2][r] + 0.3 * x[3][r].abs();
    let labels = (0..rows).map(|r| f64::from(u8::from(signal(r) - 0.12 + 2.0 * (random.unit() - 0.5) > 0.0))).collect();
    let features = Features::new(rows, x.iter().map(|c| c.iter().map(|v| Some(*v))));
    (features.unwrap(), labels)
}
