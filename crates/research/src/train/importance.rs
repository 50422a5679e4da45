//! What the models of a study go by (research §9): how much worse each gets without a column or a group of columns that move together, and
//! what columns add to its predictions.

use super::artefact::write;
use super::fold::FoldRows;
use super::lineup::LIGHTGBM;
use super::request::StudyRequest;
use super::run::{KeptFit, Study};
use crate::ResearchError;
use crate::parts::KeptParts;
use barograph_lab::explain::{
    ImportanceRow, PartialCurve, PermutationPlan, PermutationRun, ShapValues, linear_shap, partial_dependence,
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
/// Columns and groups that are permuted before what came of them is kept.
const KEPT_AT_ONCE: usize = 8;
/// Steps of a fold, for whoever shows how far it is: how many columns a fold has is known when it is reached.
const FOLD_STEPS: usize = 100;
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

/// What a model goes by in one regime of volatility: a third of the rows that it was fitted on, by the volatility of their last five minutes.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct RegimeImportance {
    /// `low`, `middle` or `high`.
    pub regime: String,
    /// Test rows of each fold that lie in it, of those that were permuted.
    pub rows: Vec<usize>,
    /// Single columns that were permuted over all rows, by how much the loss grows over these; the most important first. Empty where a fold has
    /// fewer than a block of them.
    pub columns: Vec<InputImportance>,
    /// The same of groups of columns that move together.
    pub groups: Vec<InputImportance>,
    /// Mean size of what a column adds to a margin over the sampled rows of it; only of trees and lines.
    pub mean_abs_shap: BTreeMap<String, f64>,
    /// Curves of its most important columns in the last fold, over rows of it.
    pub curves: BTreeMap<String, Vec<PartialCurve>>,
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
    /// The same in each regime of volatility; of reports that an earlier version made, none.
    #[serde(default)]
    pub regimes: Vec<RegimeImportance>,
}

/// Increases by the names of what was permuted.
type ByName = BTreeMap<Vec<String>, Vec<f64>>;

/// What one fold says.
#[derive(Serialize, Deserialize)]
struct FoldImportance {
    sample_rows: usize,
    names: Vec<String>,
    /// Mean increase without each column, then without each group; over all rows and over those of each regime.
    increases: Vec<(f64, [Option<f64>; 3])>,
    /// Rows of each regime.
    regime_rows: [usize; 3],
    /// Mean size of what columns add in each regime, summed over questions; nothing of a regime without a row.
    regime_shap: [Vec<f64>; 3],
    /// Mean size of what columns add, for each question of trees or lines.
    shap: Vec<Vec<f64>>,
    /// Gains of splits, for each question of trees.
    gains: Vec<Vec<f64>>,
    additivity: f64,
}

/// A fold's model with its rows: opened where something of the fold is still to be made.
struct OpenFold {
    kept: KeptFit,
    rows: FoldRows,
    sample: Vec<u32>,
    /// The regime of each row of the sample.
    regimes: Vec<Option<usize>>,
}

/// Regimes of volatility, calm ones first.
const REGIMES: [&str; 3] = ["low", "middle", "high"];

impl OpenFold {
    fn open(study: &Study<'_>, model: &str, fold: &StudyFold) -> Result<Self, ResearchError> {
        let kept = study.kept(model, fold)?;
        let transforms =
            Transforms::fit(&study.rows.frame, &fold.learn.train).map_err(|e| ResearchError::Refused(e.to_string()))?;
        let rows = FoldRows::new(
            &study.rows.frame,
            &study.labels,
            &fold.learn,
            &fold.test,
            &transforms,
            study.request.weights,
        )?;
        let sample = sampled_by_day(&rows.test, &rows.times, PERMUTED_MAX);
        let regimes = sample.iter().map(|row| rows.regime_of(*row)).collect();
        Ok(Self { kept, rows, sample, regimes })
    }

    /// Rows of the sample that lie in a regime.
    fn in_regime(&self, regime: usize) -> Vec<u32> {
        let within = self.sample.iter().zip(&self.regimes).filter(|(_, own)| **own == Some(regime));
        within.map(|(row, _)| *row).collect()
    }
}

/// The importance of the inputs of a study that was fitted: of one of its models. `step` is called with how many of how many steps are done.
///
/// What is finished is kept in the study's folder: a call that was killed is gone on with by the next one of the same settings.
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
    let of = ("importance by regime", model, &study.config_hash, study.fits_digest(&[model], &folds)?);
    let parts = KeptParts::open(request.folder.join(format!("importance-{model}.parts")), &of)?;
    let mut report = ImportanceReport {
        model: model.to_owned(),
        sample_rows: Vec::new(),
        columns: Vec::new(),
        groups: Vec::new(),
        mean_abs_shap: BTreeMap::new(),
        additivity: 0.0,
        gain: BTreeMap::new(),
        curves: BTreeMap::new(),
        regimes: REGIMES
            .map(|name| RegimeImportance { regime: name.to_owned(), ..RegimeImportance::default() })
            .to_vec(),
    };
    let clusters: Vec<Vec<String>> = parts.part("groups", || clusters(&study, &folds))?;
    // Over all rows, then over those of each regime.
    let mut increases: [[ByName; 2]; 4] = Default::default();
    // Folds of which the explained rows have some of each regime.
    let mut explained = [0.0_f64; 3];
    let mut last = None;
    for (n, fold) in folds.iter().enumerate() {
        let mut open = None;
        let name = format!("fold-{}", fold.number);
        let found = parts.part(&name, || {
            let open = open.insert(OpenFold::open(&study, model, fold)?);
            let mut within =
                |done: usize, of: usize| step(n * FOLD_STEPS + done * FOLD_STEPS / of.max(1), folds.len() * FOLD_STEPS);
            within(0, 1);
            of_fold(open, &clusters, (&parts, &name), &mut within)
        })?;
        report.add(&found, &clusters, &mut increases);
        for (folds, sizes) in explained.iter_mut().zip(&found.regime_shap) {
            *folds += f64::from(u8::from(!sizes.is_empty()));
        }
        last = open;
    }
    let [all, by_regime @ ..] = &increases;
    [report.columns, report.groups] = all.each_ref().map(|of| ranked(of, folds.len()));
    for (regime, of) in report.regimes.iter_mut().zip(by_regime) {
        [regime.columns, regime.groups] = of.each_ref().map(|of| ranked(of, folds.len()));
    }
    if let Some(fold) = folds.last() {
        let mut curves_of = |columns: &[InputImportance], regime: Option<usize>| {
            let mut found = BTreeMap::new();
            for name in columns.iter().take(CURVES).flat_map(|c| &c.columns) {
                let part = format!("curves-{}-{}", regime.map_or("all", |r| REGIMES[r]), found.len());
                let curves: Vec<PartialCurve> = parts.part(&part, || {
                    let open = match &mut last {
                        Some(open) => open,
                        none => none.insert(OpenFold::open(&study, model, fold)?),
                    };
                    let (kept, rows) = (&open.kept, &open.rows);
                    let sample = regime.map_or_else(|| open.sample.clone(), |regime| open.in_regime(regime));
                    let column = rows.names.iter().position(|n| n == name);
                    Ok(column.map_or_else(Vec::new, |c| {
                        partial_dependence(&kept.model, &rows.inputs, &rows.fit, &sample, c)
                    }))
                })?;
                found.insert(name.clone(), curves);
            }
            Ok::<_, ResearchError>(found)
        };
        report.curves = curves_of(&report.columns, None)?;
        for (n, regime) in report.regimes.iter_mut().enumerate() {
            regime.curves = curves_of(&regime.columns, Some(n))?;
        }
    }
    let folds = f64::from(u32::try_from(folds.len()).unwrap_or(u32::MAX));
    report.mean_abs_shap.values_mut().for_each(|v| *v /= folds);
    for (regime, folds) in report.regimes.iter_mut().zip(explained) {
        regime.mean_abs_shap.values_mut().for_each(|v| *v /= folds);
    }
    write(&request.folder.join(IMPORTANCE), &report, true)?;
    write(&study.beside(&format!("importance-{model}.json")), &report, true)?;
    parts.end();
    Ok(report)
}

impl ImportanceReport {
    fn add(&mut self, of: &FoldImportance, clusters: &[Vec<String>], increases: &mut [[ByName; 2]; 4]) {
        self.sample_rows.push(of.sample_rows);
        let alone = of.names.iter().map(|name| (0, vec![name.clone()]));
        let together = clusters.iter().map(|names| (1, names.clone()));
        for ((kind, names), (all, by_regime)) in alone.chain(together).zip(&of.increases) {
            let values = [Some(*all)].into_iter().chain(by_regime.iter().copied());
            for (by_name, value) in increases.iter_mut().zip(values) {
                by_name[kind].entry(names.clone()).or_default().extend(value);
            }
        }
        for ((regime, rows), sizes) in self.regimes.iter_mut().zip(of.regime_rows).zip(&of.regime_shap) {
            regime.rows.push(rows);
            for (name, size) in of.names.iter().zip(sizes) {
                *regime.mean_abs_shap.entry(name.clone()).or_default() += size;
            }
        }
        for (sums, by_question) in [(&mut self.mean_abs_shap, &of.shap), (&mut self.gain, &of.gains)] {
            for (name, size) in by_question.iter().flat_map(|sizes| of.names.iter().zip(sizes)) {
                *sums.entry(name.clone()).or_default() += size;
            }
        }
        self.additivity = self.additivity.max(of.additivity);
    }
}

/// Groups by name, as of the last fold.
fn clusters(study: &Study<'_>, folds: &[StudyFold]) -> Result<Vec<Vec<String>>, ResearchError> {
    let Some(last) = folds.last() else { return Ok(Vec::new()) };
    let refused = |e: &dyn std::fmt::Display| ResearchError::Refused(e.to_string());
    let transforms = Transforms::fit(&study.rows.frame, &last.learn.train).map_err(|e| refused(&e))?;
    let found = transforms.redundancy(&study.rows.frame, &last.learn.train).map_err(|e| refused(&e))?;
    Ok(found.redundant().map(|c| c.columns.clone()).collect())
}

/// Columns alone, then together with those that they move with; pieces of it are kept among the parts, behind the name of the fold.
fn of_fold(
    open: &OpenFold,
    clusters: &[Vec<String>],
    (parts, name): (&KeptParts, &str),
    step: &mut dyn FnMut(usize, usize),
) -> Result<FoldImportance, ResearchError> {
    let OpenFold { kept, rows, sample, regimes } = open;
    let place = |name: &String| rows.names.iter().position(|n| n == name);
    let alone = (0..rows.names.len()).map(|c| vec![c]);
    let together = clusters.iter().map(|names| names.iter().filter_map(place).collect::<Vec<_>>());
    let groups: Vec<Vec<usize>> = alone.chain(together).collect();
    let plan = PermutationPlan::default();
    let too_short = || {
        ResearchError::Refused(format!(
            "a test block has {} rows; columns are permuted in blocks of {}, and two of them are the least",
            sample.len(),
            plan.block_rows
        ))
    };
    let mut run = None;
    let mut increases = Vec::with_capacity(groups.len());
    for (n, some) in groups.chunks(KEPT_AT_ONCE).enumerate() {
        let means: Vec<(f64, [Option<f64>; 3])> = parts.part(&format!("{name}-{n}"), || {
            step(increases.len(), groups.len());
            let run = match &mut run {
                Some(run) => run,
                none => none.insert(
                    PermutationRun::new(&kept.model, &rows.inputs, &rows.labels, sample, plan).ok_or_else(too_short)?,
                ),
            };
            let of = |group: &Vec<usize>| {
                let (row, by_regime) = run.by_class(group, regimes, plan.block_rows);
                (row.mean, by_regime)
            };
            Ok(some.iter().map(of).collect())
        })?;
        increases.extend(means);
    }
    let mut found = FoldImportance {
        sample_rows: sample.len(),
        names: rows.names.clone(),
        increases,
        regime_rows: [0, 1, 2].map(|regime| open.in_regime(regime).len()),
        regime_shap: [const { Vec::new() }; 3],
        shap: Vec::new(),
        gains: Vec::new(),
        additivity: 0.0,
    };
    found.explain(kept, rows);
    Ok(found)
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

impl FoldImportance {
    fn explain(&mut self, kept: &KeptFit, rows: &FoldRows) {
        let sample = sampled_by_day(&rows.test, &rows.times, EXPLAINED_MAX);
        let regimes: Vec<Option<usize>> = sample.iter().map(|row| rows.regime_of(*row)).collect();
        for forest in kept.model.forests() {
            let shap = tree_shap(forest, &rows.inputs, &sample);
            self.shap.push(shap.mean_abs());
            self.explain_regimes(&shap, &regimes);
            self.gains.push(forest.gains());
            for (at, margin) in forest.margins(&rows.inputs, &sample).into_iter().enumerate() {
                let sum = shap.base + shap.row(at).iter().sum::<f64>();
                self.additivity = self.additivity.max((sum - margin).abs());
            }
        }
        for line in kept.model.lines() {
            let shap = linear_shap(line, &rows.inputs, &sample);
            self.shap.push(shap.mean_abs());
            self.explain_regimes(&shap, &regimes);
        }
    }

    /// Adds what columns add in each regime.
    fn explain_regimes(&mut self, shap: &ShapValues, regimes: &[Option<usize>]) {
        let mut rows = [0.0; 3];
        let mut sums = [const { Vec::new() }; 3];
        for (at, regime) in regimes.iter().enumerate().filter_map(|(at, regime)| Some((at, (*regime)?))) {
            rows[regime] += 1.0;
            let own = &mut sums[regime];
            own.resize(self.names.len(), 0.0);
            own.iter_mut().zip(shap.row(at)).for_each(|(sum, part)| *sum += part.abs());
        }
        let there = self.regime_shap.iter_mut().zip(sums).zip(rows).filter(|(_, n)| *n > 0.0);
        for ((total, own), n) in there {
            total.resize(self.names.len(), 0.0);
            total.iter_mut().zip(own).for_each(|(total, sum): (&mut f64, f64)| *total += sum / n);
        }
    }
}
