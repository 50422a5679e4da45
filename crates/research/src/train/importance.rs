//! What the models of a study go by (research §9): how much worse each gets without a column or a group of columns that move together, and
//! what columns add to its predictions.

use super::artefact::write;
use super::fold::FoldRows;
use super::lineup::LIGHTGBM;
use super::run::{KeptFit, Study, StudyRequest};
use crate::ResearchError;
use barograph_lab::explain::{
    ImportanceRow, PartialCurve, PermutationPlan, linear_shap, partial_dependence, permutation_importance,
    sampled_by_day, tree_shap,
};
use barograph_study::folds::StudyFold;
use barograph_study::transforms::Transforms;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The importance of a study's inputs, in its folder.
pub const IMPORTANCE: &str = "importance.json";

/// Rows that are permuted in a fold at most, the same share of every day (research §9, budget).
const PERMUTED_MAX: usize = 100_000;
/// Rows whose parts are computed in a fold at most.
const EXPLAINED_MAX: usize = 10_000;
/// Columns with a curve of partial dependence: the first by importance.
const CURVES: usize = 8;

/// A column, or a group of columns that move together.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct InputImportance {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// How much the loss on test rows grows when it is permuted, mean over folds: nats of a question, squared units of a number.
    pub increase: f64,
    /// Ends of the 95 % band of that mean, by Student's t over folds.
    pub band: [f64; 2],
    /// Two-sided chance of such a mean where the column says nothing.
    pub p: f64,
    /// The increase of each fold, in the order of time.
    pub by_fold: Vec<f64>,
}

/// What a model goes by.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ImportanceReport {
    /// The model.
    pub model: String,
    /// Test rows of each fold that were permuted.
    pub sample_rows: Vec<usize>,
    /// Single columns, the most important first.
    pub columns: Vec<InputImportance>,
    /// Clusters of columns whose ranks go together (Spearman from 0.95 on), permuted as one: they stand in for one another.
    pub groups: Vec<InputImportance>,
    /// Mean size of what a column adds to a margin, over the sampled test rows of all folds; only of trees and lines.
    pub mean_abs_shap: BTreeMap<String, f64>,
    /// Largest difference between the parts of a row with their base and its margin.
    pub additivity: f64,
    /// Gain of splits over all folds; shown, not ranked by.
    pub gain: BTreeMap<String, f64>,
    /// Curves of the most important columns, in the last fold.
    pub curves: BTreeMap<String, Vec<PartialCurve>>,
}

/// Increases by the names of what was permuted.
type ByName = BTreeMap<Vec<String>, Vec<f64>>;

/// The importance of the inputs of a study that was fitted: of one of its models.
///
/// # Errors
/// The study was not fitted with these settings, the model has no columns of its own, or test blocks are shorter than two blocks of a
/// permutation.
pub fn importance(
    request: &StudyRequest,
    model: &str,
    step: &mut dyn FnMut(usize, usize),
) -> Result<ImportanceReport, ResearchError> {
    if !["linear", "gbm", LIGHTGBM, "mlp", "ensemble"].contains(&model) {
        return Err(ResearchError::Refused(format!(
            "'{model}' has no columns of its own; there is the importance of linear, gbm, {LIGHTGBM}, mlp, ensemble"
        )));
    }
    let study = Study::open(request)?;
    let folds: Vec<StudyFold> = study.folds.folds().to_vec();
    let mut report = ImportanceReport {
        model: model.to_owned(),
        sample_rows: Vec::new(),
        columns: Vec::new(),
        groups: Vec::new(),
        mean_abs_shap: BTreeMap::new(),
        additivity: 0.0,
        gain: BTreeMap::new(),
        curves: BTreeMap::new(),
    };
    let clusters = clusters(&study, &folds)?;
    let (mut single, mut grouped) = (ByName::new(), ByName::new());
    for (n, fold) in folds.iter().enumerate() {
        step(n, folds.len());
        let kept = study.kept(model, fold)?;
        let transforms =
            Transforms::fit(&study.rows.frame, &fold.learn.train).map_err(|e| ResearchError::Refused(e.to_string()))?;
        let rows = FoldRows::new(&study.rows.frame, &study.labels, &fold.learn, &fold.test, &transforms)?;
        let sample = sampled_by_day(&rows.test, &rows.times, PERMUTED_MAX);
        report.sample_rows.push(sample.len());
        permuted(&kept, &rows, &sample, &clusters, &mut single, &mut grouped)?;
        parts(&kept, &rows, &mut report);
        if n + 1 == folds.len() {
            report.columns = ranked(&single, folds.len());
            report.groups = ranked(&grouped, folds.len());
            let most: Vec<&String> = report.columns.iter().take(CURVES).flat_map(|c| &c.columns).collect();
            let training: Vec<u32> = rows.fit.clone();
            for name in most {
                let Some(at) = rows.names.iter().position(|n| n == name) else { continue };
                let curves = partial_dependence(&kept.model, &rows.inputs, &training, &sample, at);
                report.curves.insert(name.clone(), curves);
            }
        }
    }
    let folds = u32::try_from(folds.len()).unwrap_or(u32::MAX);
    report.mean_abs_shap.values_mut().for_each(|v| *v /= f64::from(folds));
    write(&request.folder.join(IMPORTANCE), &report, true)?;
    write(&study.beside(&format!("importance-{model}.json")), &report, true)?;
    Ok(report)
}

/// Groups by name, as of the last fold.
fn clusters(study: &Study<'_>, folds: &[StudyFold]) -> Result<Vec<Vec<String>>, ResearchError> {
    let Some(last) = folds.last() else { return Ok(Vec::new()) };
    let refused = |e: &dyn std::fmt::Display| ResearchError::Refused(e.to_string());
    let transforms = Transforms::fit(&study.rows.frame, &last.learn.train).map_err(|e| refused(&e))?;
    let found = transforms.redundancy(&study.rows.frame, &last.learn.train).map_err(|e| refused(&e))?;
    Ok(found.redundant().map(|c| c.columns.clone()).collect())
}

fn permuted(
    kept: &KeptFit,
    rows: &FoldRows,
    sample: &[u32],
    clusters: &[Vec<String>],
    single: &mut ByName,
    grouped: &mut ByName,
) -> Result<(), ResearchError> {
    let place = |name: &String| rows.names.iter().position(|n| n == name);
    let alone = (0..rows.names.len()).map(|c| vec![c]);
    let together = clusters.iter().map(|names| names.iter().filter_map(place).collect::<Vec<_>>());
    let groups: Vec<Vec<usize>> = alone.chain(together).collect();
    let plan = PermutationPlan::default();
    let found = permutation_importance(&kept.model, &rows.inputs, &rows.labels, sample, &groups, plan);
    let Some(found) = found else {
        return Err(ResearchError::Refused(format!(
            "a test block has {} rows; columns are permuted in blocks of {}, and two of them are the least",
            sample.len(),
            plan.block_rows
        )));
    };
    for (n, row) in found.into_iter().enumerate() {
        if n < rows.names.len() {
            single.entry(vec![rows.names[n].clone()]).or_default().push(row.mean);
        } else {
            grouped.entry(clusters[n - rows.names.len()].clone()).or_default().push(row.mean);
        }
    }
    Ok(())
}

/// Columns that entered every fold, the most important first. A study of one fold has no band: nothing is ranked then.
fn ranked(increases: &ByName, folds: usize) -> Vec<InputImportance> {
    let whole = increases.iter().filter(|(_, by_fold)| by_fold.len() == folds);
    let row = |(columns, by_fold): (&Vec<String>, &Vec<f64>)| {
        let row = ImportanceRow::of(Vec::new(), by_fold.clone())?;
        let band = [row.low, row.high];
        Some(InputImportance { columns: columns.clone(), increase: row.mean, band, p: row.p, by_fold: row.increases })
    };
    let mut found: Vec<InputImportance> = whole.filter_map(row).collect();
    found.sort_by(|a, b| b.increase.total_cmp(&a.increase));
    found
}

fn parts(kept: &KeptFit, rows: &FoldRows, report: &mut ImportanceReport) {
    let sample = sampled_by_day(&rows.test, &rows.times, EXPLAINED_MAX);
    for forest in kept.model.forests() {
        let shap = tree_shap(forest, &rows.inputs, &sample);
        for (name, size) in rows.names.iter().zip(shap.mean_abs()) {
            *report.mean_abs_shap.entry(name.clone()).or_default() += size;
        }
        for (name, gain) in rows.names.iter().zip(forest.gains()) {
            *report.gain.entry(name.clone()).or_default() += gain;
        }
        for (at, margin) in forest.margins(&rows.inputs, &sample).into_iter().enumerate() {
            let sum = shap.base + shap.row(at).iter().sum::<f64>();
            report.additivity = report.additivity.max((sum - margin).abs());
        }
    }
    for line in kept.model.lines() {
        let shap = linear_shap(line, &rows.inputs, &sample);
        for (name, size) in rows.names.iter().zip(shap.mean_abs()) {
            *report.mean_abs_shap.entry(name.clone()).or_default() += size;
        }
    }
}
