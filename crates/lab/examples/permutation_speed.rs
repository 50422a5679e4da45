//! How long permutation importance takes over many rows: `permutation_speed [rows] [columns]`, a million by 197 unless given. As `barograph
//! lab importance` does it: a hundred thousand rows, the same share of every day, each column five times (research §9, budget).

#![allow(clippy::unwrap_used, clippy::allow_attributes, reason = "a program that measures")]
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it measures and says so"
)]

mod made;

use barograph_domain::Ts;
use barograph_lab::explain::{PermutationPlan, permutation_importance, sampled_by_day};
use barograph_lab::zoo::{FitThreads, Recipe, TrainSet, ZooModel, ZooTask};
use std::time::Instant;

/// Rows that are permuted at most, as in a study.
const PERMUTED_MAX: usize = 100_000;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|a| a.parse::<u32>().unwrap());
    let (n, columns) = (arguments.next().unwrap_or(1_000_000), arguments.next().unwrap_or(197));
    let (features, labels) = made::made(usize::try_from(n).unwrap(), usize::try_from(columns).unwrap());
    // What the model has learnt from does not matter here; how many trees it has does.
    let (fit, inner): (Vec<u32>, Vec<u32>) = ((0..n / 50).collect(), (n / 50..n / 40).collect());
    let train = TrainSet {
        features: &features,
        labels: &labels,
        weights: None,
        fit: &fit,
        inner: &inner,
        threads: FitThreads::default(),
    };
    let model = Recipe::quick(ZooModel::Gbm, ZooTask::Binary).fit(&train).unwrap();
    let times: Vec<Ts> =
        (0..n).map(|s| Ts::from_civil(2026, 2, 5, 0, 0, 0) + barograph_domain::Span::secs(i64::from(s))).collect();
    let all: Vec<u32> = (0..n).collect();
    let groups: Vec<Vec<usize>> = (0..features.columns()).map(|c| vec![c]).collect();
    let from = Instant::now();
    let sample = sampled_by_day(&all, &times, PERMUTED_MAX);
    let found =
        permutation_importance(&model, &features, &labels, &sample, &groups, PermutationPlan::default()).unwrap();
    println!(
        "{} of {n} rows, {} columns five times, {} trees: {:.2} s",
        sample.len(),
        found.len(),
        model.forests()[0].trees.len(),
        from.elapsed().as_secs_f64()
    );
}
