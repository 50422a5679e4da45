//! `gbm` against LightGBM on equal rows, on one core, one after the other: `gbm_against_lightgbm PYTHON [rows] [columns]`, where PYTHON has
//! lightgbm, numpy and scikit-learn. A fifth of the rows is the inner split, by which both stop. It prints both times and AUCs, the
//! ratio of the times (at most 1.3 is wanted) and the difference of the AUCs (0.001).

#![allow(clippy::unwrap_used, clippy::allow_attributes, reason = "a program that measures")]
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it measures and says so"
)]

mod made;

use barograph_lab::zoo::{FitThreads, Recipe, TrainSet, ZooModel, ZooPrediction, ZooTask};
use barograph_verify::scores::auc;
use std::process::Command;
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let python = arguments.next().unwrap_or_else(|| "python3".to_owned());
    let mut numbers = arguments.map(|a| a.parse::<u32>().unwrap());
    let (n, columns) = (numbers.next().unwrap_or(200_000), numbers.next().unwrap_or(197));
    let (features, labels) = made::made(usize::try_from(n).unwrap(), usize::try_from(columns).unwrap());
    let (fit, inner): (Vec<u32>, Vec<u32>) = ((0..n / 5 * 4).collect(), (n / 5 * 4..n).collect());
    let train = TrainSet {
        features: &features,
        labels: &labels,
        weights: None,
        fit: &fit,
        inner: &inner,
        threads: FitThreads::One,
    };
    let from = Instant::now();
    let model = Recipe::quick(ZooModel::Gbm, ZooTask::Binary).fit(&train).unwrap();
    let ours = from.elapsed().as_secs_f64();
    let ZooPrediction::Binary { scores, .. } = model.predict(&features, &inner) else { return };
    let came = inner.iter().map(|r| labels[usize::try_from(*r).unwrap()] > 0.5);
    let our_auc = auc(scores.into_iter().zip(came)).unwrap();
    println!("gbm, 1 thread: {ours:.2} s, {} trees, inner AUC {our_auc:.4}", model.forests()[0].trees.len());

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/lightgbm_speed.py");
    let out = Command::new(python).args([script, &n.to_string(), &columns.to_string(), "1"]).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    print!("{text}");
    let after = |mark: &str| {
        let rest = &text[text.find(mark)? + mark.len()..];
        rest.split_whitespace().next()?.trim_end_matches(',').parse::<f64>().ok()
    };
    let (Some(theirs), Some(their_auc)) = (after("threads: "), after("inner AUC ")) else {
        println!("LightGBM gave no figures: {}", String::from_utf8_lossy(&out.stderr));
        return;
    };
    println!("time {:.2} × LightGBM's, AUC {:+.4}", ours / theirs, our_auc - their_auc);
}
