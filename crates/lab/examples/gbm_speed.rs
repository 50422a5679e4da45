//! Times of the zoo on random columns: `gbm_speed [rows] [columns]`. A fifth of the rows is the inner split, so that the fit has what a
//! fold has; the signal is in the first columns. `tests/peers/lightgbm_speed.py` times LightGBM on the same rows.

#![allow(clippy::unwrap_used, clippy::allow_attributes, reason = "a program that measures")]
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it measures and says so"
)]

mod made;

use barograph_lab::explain::{PermutationPlan, permutation_importance, tree_shap};
use barograph_lab::zoo::{FitThreads, FittedModel, Recipe, TrainSet, ZooModel, ZooPrediction, ZooTask};
use barograph_verify::scores::auc;
use std::time::Instant;

fn timed<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let from = Instant::now();
    let out = run();
    println!("{what}: {:.2} s", from.elapsed().as_secs_f64());
    out
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|a| a.parse::<u32>().unwrap());
    let (n, columns) = (arguments.next().unwrap_or(50_000), arguments.next().unwrap_or(197));
    let (features, labels) =
        timed("columns", || made::made(usize::try_from(n).unwrap(), usize::try_from(columns).unwrap()));
    let (fit, inner): (Vec<u32>, Vec<u32>) = ((0..n / 5 * 4).collect(), (n / 5 * 4..n).collect());
    let train =
        |threads| TrainSet { features: &features, labels: &labels, weights: None, fit: &fit, inner: &inner, threads };
    let fitted = |what: &str, model: ZooModel, threads| -> FittedModel {
        let model = timed(what, || Recipe::quick(model, ZooTask::Binary).fit(&train(threads)).unwrap());
        let ZooPrediction::Binary { scores, .. } =
            timed("  predict the inner split", || model.predict(&features, &inner))
        else {
            return model;
        };
        let came = inner.iter().map(|r| labels[usize::try_from(*r).unwrap()] > 0.5);
        println!("  inner AUC {:.4}", auc(scores.into_iter().zip(came)).unwrap());
        model
    };
    let one = fitted("gbm, one core", ZooModel::Gbm, FitThreads::One);
    let all = fitted("gbm, all cores", ZooModel::Gbm, FitThreads::All);
    println!("  the same bits: {}, trees: {}", one == all, all.forests()[0].trees.len());
    fitted("linear", ZooModel::Linear, FitThreads::One);
    fitted("mlp", ZooModel::Mlp, FitThreads::One);
    let some: Vec<u32> = inner.iter().copied().take(10_000).collect();
    timed("TreeSHAP of 10,000 rows", || tree_shap(&all.forests()[0], &features, &some));
    let groups: Vec<Vec<usize>> = (0..features.columns()).map(|c| vec![c]).collect();
    timed("permutation of every column five times, rows of the inner split", || {
        permutation_importance(&all, &features, &labels, &inner, &groups, PermutationPlan::default())
    });
}
