//! LightGBM itself, through `lightgbm3` (research §4), on the rows, presets and interface of the zoo's own boosting.
//!
//! A question at a time, as the zoo asks them: a yes or no by log loss, a number by squared loss in deviations of the training labels. Early
//! stopping and the choice among configurations go by the inner split. What it has grown is kept as a forest of the zoo: predictions,
//! Shapley values and artefacts are those of every other forest, and need no LightGBM.
//!
//! The same rows give the same bits on one machine: one core, the deterministic mode, a seed. Another platform may differ in the last bits,
//! because the library takes exponentials of the platform's mathematics.

use crate::fault::LightGbmFault;
use crate::lightgbm_text::forest_of;
use barograph_domain::math::{exp, ln};
use barograph_lab::zoo::{Features, FittedModel, Forest, GbmConfig, Recipe, RecipeError, TrainSet, TreeNode, ZooTask};
use lightgbm3::{Booster, Dataset};
use serde_json::json;

/// Whether this build can fit with LightGBM: it can.
pub const LIGHTGBM_BUILT: bool = true;

/// Fits LightGBM with a recipe's preset, seed and calibration; the recipe's own model is not asked.
///
/// # Errors
/// The rows, columns or labels do not fit, all labels are the same, rows have weights, which the bindings do not pass on, or the library
/// fails.
pub fn fit_lightgbm(recipe: &Recipe, train: &TrainSet<'_>) -> Result<FittedModel, LightGbmFault> {
    if train.weights.is_some() {
        return Err(LightGbmFault::Failed("its bindings take no weights of rows; fit without them".to_owned()));
    }
    // What does not fit is refused before any of it is read.
    recipe.of_forests(nothing(recipe.task, train.features), 0, train)?;
    let configs = GbmConfig::of(recipe.preset);
    let mut forests = Vec::new();
    for head in 0..recipe.task.heads() {
        let job = Job::of(recipe, train, head)?;
        let mut best: Option<(f64, Forest)> = None;
        for config in configs {
            let (loss, forest) = job.run(*config, recipe.seed)?;
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, forest));
            }
        }
        forests.push(best.ok_or(RecipeError::Degenerate)?.1);
    }
    Ok(recipe.of_forests(forests, configs.len(), train)?)
}

fn nothing(task: ZooTask, features: &Features) -> Vec<Forest> {
    let empty = Forest { base: 0.0, columns: features.columns(), trees: Vec::new() };
    vec![empty; task.heads()]
}

fn failed(e: &lightgbm3::Error) -> LightGbmFault {
    LightGbmFault::Failed(e.to_string())
}

/// Rows as the library reads them, one after another, NaN where missing.
struct Table {
    values: Vec<f64>,
    labels: Vec<f64>,
}

impl Table {
    fn of(train: &TrainSet<'_>, task: ZooTask, head: usize, rows: &[u32]) -> Self {
        let columns = train.features.columns();
        let at = |row: &u32| usize::try_from(*row).unwrap_or(usize::MAX);
        let row = |row: usize| (0..columns).map(move |c| train.features.get(row, c).unwrap_or(f64::NAN));
        Self {
            values: rows.iter().flat_map(|r| row(at(r))).collect(),
            labels: rows.iter().map(|r| task.asked(train.labels[at(r)], head)).collect(),
        }
    }
}

/// One question of a fit.
struct Job<'a> {
    train: &'a TrainSet<'a>,
    columns: i32,
    logistic: bool,
    fit: Table,
    inner: Table,
    /// Labels are given as deviations from it, in units of the scale: the library keeps them in 32 bits, and returns are small.
    base: f64,
    scale: f64,
}

impl<'a> Job<'a> {
    fn of(recipe: &Recipe, train: &'a TrainSet<'a>, head: usize) -> Result<Self, LightGbmFault> {
        let columns = i32::try_from(train.features.columns()).map_err(|e| LightGbmFault::Failed(e.to_string()))?;
        let of = |rows| Table::of(train, recipe.task, head, rows);
        let (fit, inner) = (of(train.fit), of(train.inner));
        let n = f64::from(u32::try_from(fit.labels.len()).unwrap_or(u32::MAX));
        let mean = fit.labels.iter().sum::<f64>() / n;
        let variance = fit.labels.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>() / n;
        if variance <= 0.0 || !variance.is_finite() {
            return Err(RecipeError::OneOutcome.into());
        }
        let logistic = recipe.task != ZooTask::Regression;
        let (base, scale) = if logistic { (0.0, 1.0) } else { (mean, variance.sqrt()) };
        Ok(Self { train, columns, logistic, fit, inner, base, scale })
    }

    #[expect(clippy::cast_possible_truncation, reason = "the library keeps labels in 32 bits")]
    fn scaled(&self, label: f64) -> f32 {
        ((label - self.base) / self.scale) as f32
    }

    fn data(&self, of: &Table, reference: Option<&Dataset>) -> Result<Dataset, LightGbmFault> {
        let labels: Vec<f32> = of.labels.iter().map(|y| self.scaled(*y)).collect();
        Dataset::from_slice_with_reference(&of.values, &labels, self.columns, true, reference).map_err(|e| failed(&e))
    }

    /// What the library grows with one configuration; ends where the inner loss has not fallen for as many rounds as the patience is.
    fn grown(&self, config: GbmConfig, seed: u64) -> Result<Booster, LightGbmFault> {
        let fit = self.data(&self.fit, None)?;
        let inner = self.data(&self.inner, Some(&fit))?;
        let settings = json!({
            "objective": if self.logistic { "binary" } else { "regression" },
            "metric": if self.logistic { "binary_logloss" } else { "l2" },
            "num_iterations": config.rounds,
            "early_stopping_rounds": config.patience,
            "learning_rate": config.rate,
            "max_depth": config.depth,
            "num_leaves": 1_u32 << config.depth,
            "min_data_in_leaf": GbmConfig::LEAF_ROWS,
            "lambda_l2": GbmConfig::RIDGE,
            "seed": seed & 0x7fff_ffff,
            "deterministic": true,
            "force_row_wise": true,
            "num_threads": 1,
            "verbosity": -1,
        });
        Booster::train_with_valid(fit, Some(inner), &settings).map_err(|e| failed(&e))
    }

    /// The forest of one configuration, cut back to its best round, and its inner loss.
    fn run(&self, config: GbmConfig, seed: u64) -> Result<(f64, Forest), LightGbmFault> {
        let text = self.grown(config, seed)?.save_string().map_err(|e| failed(&e))?;
        let mut forest = forest_of(&text, self.train.features.columns()).map_err(LightGbmFault::Failed)?;
        let (least, kept) = self.best_round(&forest);
        forest.trees.truncate(kept);
        for leaf in forest.trees.iter_mut().flat_map(|t| &mut t.nodes) {
            if let TreeNode::Leaf { value, .. } = leaf {
                *value *= self.scale;
            }
        }
        forest.base = self.base;
        Ok((least, forest))
    }

    /// The least inner loss, and after how many trees.
    fn best_round(&self, forest: &Forest) -> (f64, usize) {
        let mut margins = vec![0.0; self.inner.labels.len()];
        let (mut least, mut kept) = (f64::INFINITY, 0);
        for (round, tree) in forest.trees.iter().enumerate() {
            let alone = Forest { base: 0.0, columns: forest.columns, trees: vec![tree.clone()] };
            let added = alone.margins(self.train.features, self.train.inner);
            margins.iter_mut().zip(added).for_each(|(m, a)| *m += a);
            let loss: f64 = margins.iter().zip(&self.inner.labels).map(|(m, y)| self.loss(*y, *m)).sum();
            if loss < least {
                (least, kept) = (loss, round + 1);
            }
        }
        (least, kept)
    }

    fn loss(&self, label: f64, margin: f64) -> f64 {
        if self.logistic {
            // ln(1 + e^m) − y·m, without overflow.
            margin.max(0.0) + ln(1.0 + exp(-margin.abs())) - label * margin
        } else {
            let off = margin - (label - self.base) / self.scale;
            off * off
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_lab::explain::tree_shap;
    use barograph_lab::zoo::{FitThreads, Preset, ZooModel};

    fn near(got: f64, want: f64, what: &str) {
        assert!((got - want).abs() < 1e-6 * want.abs().max(1.0), "{what}: {got} is not {want}");
    }

    /// Numbers as a sine would draw them, a third of the second column missing; the third is missing only where it was not in training.
    fn rows() -> (Features, Vec<f64>) {
        let cell = |r: u32, c: u32| f64::from((r * 7919 + c * 104_729 + r * r * 31) % 1_000) / 500.0 - 1.0;
        let there = |r: u32, c: u32| !(c == 1 && r % 3 == 0) && !(c == 2 && r >= 900 && r % 2 == 0);
        let column = |c: u32| (0..1_200).map(move |r| there(r, c).then(|| cell(r, c)));
        let signal = |r: u32| cell(r, 0) * 2.0 + if cell(r, 3) > 0.2 { 1.0 } else { -0.5 };
        let labels = (0..1_200).map(|r| f64::from(u8::from(signal(r) + cell(r, 5) > 0.0))).collect();
        (Features::new(1_200, (0..5).map(column)).unwrap(), labels)
    }

    /// What LightGBM says itself of rows that it has and has not seen: margins, and what each column adds to them.
    #[test]
    fn the_forest_says_and_explains_what_the_library_does() {
        let (features, labels) = rows();
        let (fit, inner): (Vec<u32>, Vec<u32>) = ((0..700).collect(), (700..900).collect());
        for task in [ZooTask::Binary, ZooTask::Regression] {
            let train = TrainSet {
                features: &features,
                labels: &labels,
                weights: None,
                fit: &fit,
                inner: &inner,
                threads: FitThreads::One,
            };
            let recipe = Recipe::quick(ZooModel::Gbm, task);
            let job = Job::of(&recipe, &train, 0).unwrap();
            let booster = job.grown(GbmConfig::of(Preset::Quick)[0], 1).unwrap();
            let forest = forest_of(&booster.save_string().unwrap(), 5).unwrap();
            assert!(forest.trees.len() > 5, "{}", forest.trees.len());
            let all: Vec<u32> = (0..1_200).collect();
            let asked = Table::of(&train, task, 0, &all).values;
            let (margins, parts) =
                (booster.raw_scores(&asked, 5, true).unwrap(), booster.predict_contrib(&asked, 5, true).unwrap());
            let (said, shap) = (forest.margins(&features, &all), tree_shap(&forest, &features, &all));
            for n in 0..1_200 {
                near(said[n], margins[n], &format!("{task:?}, row {n}"));
                for c in 0..5 {
                    near(shap.row(n)[c], parts[n * 6 + c], &format!("{task:?}, row {n}, column {c}"));
                }
                near(shap.base, parts[n * 6 + 5], "base");
            }
        }
    }
}
