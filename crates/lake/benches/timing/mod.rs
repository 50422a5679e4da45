//! What benchmarks measure with.

use std::sync::LazyLock;
use std::time::Instant;

/// Seconds this thread has been running: Linux says so in `/proc`; elsewhere the clock on the wall has to do.
pub(crate) fn running() -> f64 {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match schedule.split(' ').next().and_then(|n| n.parse::<f64>().ok()) {
        Some(ns) => ns / 1e9,
        None => BEGAN.elapsed().as_secs_f64(),
    }
}

/// What each of so many runs gives.
pub(crate) fn runs(times: usize, mut run: impl FnMut() -> f64) -> Vec<f64> {
    (0..times).map(|_| run()).collect()
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
