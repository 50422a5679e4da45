//! How often came what was stated (research §5, verification §4.1): every model's calibrated probabilities on the test rows of all folds.

use barograph_domain::Span;
use barograph_domain::scorecard::{CurveStep, ReliabilityRow};
use barograph_lab::zoo::board::{FoldPrediction, ZooEntry};
use barograph_lab::zoo::{ZooPrediction, ZooTask};
use barograph_verify::scores::{Binning, Case, corp, reliability};
use serde::{Deserialize, Serialize};

/// Stated against observed probabilities, in the folder of a study.
pub const RELIABILITY: &str = "reliability.json";

/// Stated against observed probabilities of every model that states any.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReliabilitySheet {
    /// Models in the order in which they were fitted; of classes each class by itself, one against the rest.
    pub models: Vec<ModelReliability>,
}

/// One question to one model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ModelReliability {
    /// The model.
    pub model: String,
    /// The class; `None` of a question with yes and no.
    pub class: Option<usize>,
    /// Ten bins of equal width; empty ones are left out.
    pub reliability: Vec<ReliabilityRow>,
    /// Curve by isotonic regression (CORP).
    pub curve: Vec<CurveStep>,
}

pub(super) fn reliability_of(task: ZooTask, entries: &[ZooEntry], horizon: Span) -> ReliabilitySheet {
    let of = |(entry, head): (&ZooEntry, usize)| {
        let cases: Vec<Case> = entry.folds.iter().flat_map(|fold| cases(fold, task, head)).collect();
        let bins = reliability(&cases, Binning::EqualWidth, horizon);
        Some(ModelReliability {
            model: entry.model.clone(),
            class: (task == ZooTask::Classes).then_some(head),
            reliability: bins.iter().map(ReliabilityRow::from).collect(),
            curve: corp(&cases)?.curve.iter().map(CurveStep::from).collect(),
        })
    };
    let questions = entries.iter().flat_map(|entry| (0..task.heads()).map(move |head| (entry, head)));
    ReliabilitySheet { models: questions.filter_map(of).collect() }
}

/// Stated probabilities of one fold with what came; none of numbers.
fn cases(fold: &FoldPrediction, task: ZooTask, head: usize) -> Vec<Case> {
    let stated: Vec<f64> = match &fold.said {
        ZooPrediction::Binary { probabilities, .. } => probabilities.clone(),
        ZooPrediction::Classes { probabilities, .. } => probabilities.iter().map(|p| p[head]).collect(),
        ZooPrediction::Values(_) => return Vec::new(),
    };
    let rows = fold.times.iter().zip(&fold.labels).zip(stated);
    rows.map(|((t, y), p)| Case { issued: *t, p, happened: task.asked(*y, head) > 0.5 }).collect()
}
