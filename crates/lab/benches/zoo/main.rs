//! What the zoo's trees take: `cargo bench -p barograph-lab --bench zoo`; prints `figure <name> <number>` lines. `gbm` fits 200,000 rows of
//! 197 columns on one core, and where `PEERS_PYTHON` names a Python with lightgbm and scikit-learn, LightGBM fits the same rows right
//! after: how many times as long it took, and how much better it ranks. `importance` permutes each of 197 columns of a million rows.
//! `controls` counts how many of a hundred boards without a leak are stamped as if there were one.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints and stops when it cannot go on")]
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a benchmark looks at the clock")]

mod controls;
mod made;

use barograph_domain::{Span, Ts};
use barograph_lab::explain::{PermutationPlan, permutation_importance, sampled_by_day};
use barograph_lab::zoo::{Features, FitThreads, FittedModel, Recipe, TrainSet, ZooModel, ZooPrediction, ZooTask};
use barograph_verify::scores::auc;
use std::time::Instant;

const COLUMNS: usize = 197;
/// `tests/peers/lightgbm_speed.py` draws with it too.
const SEED: u64 = 1;
/// Rows that are permuted at most, as in a study (research §9, budget).
const PERMUTED_MAX: usize = 100_000;

fn fitted(features: &Features, labels: &[f64], [fit, inner]: [&[u32]; 2], threads: FitThreads) -> FittedModel {
    let train = TrainSet { features, labels, weights: None, fit, inner, threads };
    Recipe::quick(ZooModel::Gbm, ZooTask::Binary).fit(&train).unwrap()
}

fn fitted_as(recipe: &Recipe, features: &Features, labels: &[f64], [fit, inner]: [&[u32]; 2]) -> FittedModel {
    let train = TrainSet { features, labels, weights: None, fit, inner, threads: FitThreads::One };
    recipe.fit(&train).unwrap()
}

/// Seconds and AUC of LightGBM on the same rows, where there is a Python for it.
fn of_lightgbm(rows: u32) -> Option<(f64, f64)> {
    let python = std::env::var_os("PEERS_PYTHON")?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/lightgbm_speed.py");
    let answer = std::process::Command::new(python)
        .args([script, &rows.to_string(), &COLUMNS.to_string(), "1"])
        .output()
        .ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    let after = |mark: &str| -> Option<f64> {
        let rest = text.split_once(mark)?.1;
        rest.split_whitespace().next()?.trim_end_matches(',').parse().ok()
    };
    Some((after("threads: ")?, after("inner AUC ")?))
}

fn gbm(rows: u32) {
    let (features, labels) = made::made(SEED, usize::try_from(rows).unwrap(), COLUMNS);
    let all: Vec<u32> = (0..rows).collect();
    // A fifth is the inner split, by which both stop.
    let (fit, inner) = all.split_at(all.len() / 5 * 4);
    let begun = Instant::now();
    let model = fitted(&features, &labels, [fit, inner], FitThreads::One);
    let ours = begun.elapsed().as_secs_f64();
    println!("figure lab_gbm_s {ours:.2}");
    let ZooPrediction::Binary { scores, .. } = model.predict(&features, inner) else { return };
    let came = inner.iter().map(|r| labels[usize::try_from(*r).unwrap()] > 0.5);
    let our_auc = auc(scores.into_iter().zip(came)).unwrap();
    let Some((theirs, their_auc)) = of_lightgbm(rows) else {
        return println!("PEERS_PYTHON names no Python with lightgbm and scikit-learn: nothing to compare with");
    };
    println!("figure lab_gbm_times {:.3}", ours / theirs);
    println!("figure lab_gbm_auc_more {:.5}", our_auc - their_auc);
}

fn importance(rows: u32) {
    let (features, labels) = made::made(SEED, usize::try_from(rows).unwrap(), COLUMNS);
    let all: Vec<u32> = (0..rows).collect();
    // What the model has learnt from does not matter here; how many trees it has does.
    let (fit, inner) = all[..all.len() / 40].split_at(all.len() / 50);
    let model = fitted(&features, &labels, [fit, inner], FitThreads::default());
    let start = Ts::from_civil(2026, 2, 5, 0, 0, 0);
    let times: Vec<Ts> = all.iter().map(|s| start + Span::secs(i64::from(*s))).collect();
    let groups: Vec<Vec<usize>> = (0..COLUMNS).map(|c| vec![c]).collect();
    let begun = Instant::now();
    let sample = sampled_by_day(&all, &times, PERMUTED_MAX);
    let plan = PermutationPlan::default();
    let found = permutation_importance(&model, &features, &labels, &sample, &groups, plan).unwrap();
    assert_eq!(found.len(), COLUMNS);
    println!("figure lab_importance_s {:.2}", begun.elapsed().as_secs_f64());
}

fn main() {
    // `-- gbm` measures one of them; `-- gbm 50000` over so many rows.
    let mut named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let rows = named.last().and_then(|last| last.parse::<u32>().ok());
    named.retain(|name| name.parse::<u32>().is_err());
    let wanted = |name: &str| named.is_empty() || named.iter().any(|one| one == name);
    if wanted("gbm") {
        gbm(rows.unwrap_or(200_000));
    }
    if wanted("controls") {
        println!("figure lab_controls_stamped {}", controls::stamped(100));
    }
    if wanted("importance") {
        importance(rows.unwrap_or(1_000_000));
    }
}
