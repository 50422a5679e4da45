//! What is to be fitted on what.

use super::features::{Features, place};
use serde::{Deserialize, Serialize};

/// What kind of thing is predicted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZooTask {
    /// A label is 0 or 1.
    Binary,
    /// A label is 0, 1 or 2.
    Classes,
    /// A label is any finite number.
    Regression,
}

impl ZooTask {
    /// Yes-or-no questions (or numbers) that a model answers: three for classes, else one.
    #[must_use]
    pub const fn heads(self) -> usize {
        match self {
            Self::Binary | Self::Regression => 1,
            Self::Classes => 3,
        }
    }

    /// The label as question `head` asks it.
    #[must_use]
    pub fn asked(self, label: f64, head: usize) -> f64 {
        match self {
            Self::Binary | Self::Regression => label,
            Self::Classes => f64::from(u8::from(class_of(label) == Some(head))),
        }
    }

    fn admits(self, label: f64) -> bool {
        match self {
            Self::Binary => class_of(label).is_some_and(|c| c < 2),
            Self::Classes => class_of(label).is_some(),
            Self::Regression => label.is_finite(),
        }
    }
}

/// A label as the class it names.
pub(super) fn class_of(label: f64) -> Option<usize> {
    [0.0, 1.0, 2.0].iter().position(|c| label.total_cmp(c).is_eq())
}

/// How much is tried: this and the seed decide a fit, a clock never does (research §4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// One configuration, few rounds: minutes.
    #[default]
    Quick,
    /// Several configurations, many rounds; the inner split chooses.
    Best,
}

/// How a score becomes a probability, on the inner split.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationRule {
    /// A logistic curve of two numbers (Platt 1999): steady where little can be told apart.
    #[default]
    Platt,
    /// The best rising curve: any shape, wants many cases.
    Isotonic,
}

/// Which model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZooModel {
    /// Frequency or mean of the training rows.
    Prior,
    /// What a column says has just been: a sign for yes or no, a class, or the number itself (A30).
    Persistence {
        /// The column.
        column: usize,
    },
    /// Corsi's heterogeneous autoregression: least squares on realised volatilities of three lengths; for classes and yes-or-no targets
    /// a logistic regression on the same columns.
    Har {
        /// The regressors.
        columns: [usize; 3],
    },
    /// Ridge or L2 logistic regression on standardised columns; the strength is chosen on the inner split.
    Linear,
    /// Gradient boosting over histograms.
    Gbm,
    /// A network of two layers of 64 units, three seeds averaged.
    Mlp,
    /// Caruana's greedy average of other models.
    Ensemble {
        /// The models it may draw on.
        of: Vec<Self>,
    },
    /// One model per regime, routed by the label of the row.
    ByRegime {
        /// Column with the label, a small whole number.
        column: usize,
        /// What is fitted.
        of: Box<Self>,
        /// Regimes with fewer training rows are left to the model of all rows (research §4: 5,000).
        rows_min: usize,
    },
    /// The control: a model on labels permuted in blocks, which must not know anything.
    Shuffled {
        /// What is fitted; boosting in the specification.
        of: Box<Self>,
        /// Rows of a block, 10 · h of them.
        block_rows: usize,
    },
}

/// A model to be fitted.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Recipe {
    /// The model, with the columns it needs.
    pub model: ZooModel,
    /// Of what kind its target is.
    pub task: ZooTask,
    /// How much is tried.
    pub preset: Preset,
    /// Decides every draw.
    pub seed: u64,
    /// How scores become probabilities.
    pub calibration: CalibrationRule,
}

impl Recipe {
    /// The quick recipe of a model with seed 1.
    #[must_use]
    pub const fn quick(model: ZooModel, task: ZooTask) -> Self {
        Self { model, task, preset: Preset::Quick, seed: 1, calibration: CalibrationRule::Platt }
    }

    /// The same for another model.
    pub(super) fn with(&self, model: &ZooModel) -> Self {
        Self { model: model.clone(), ..self.clone() }
    }
}

/// Whether growing trees may use more than one core. No bit of the fit depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FitThreads {
    /// One core.
    #[default]
    One,
    /// As many as there are.
    All,
}

/// Rows a model learns from: those it is fitted on, and later ones for early stopping, calibration and weights (research §3), both
/// purged by the caller and in the order of time.
#[derive(Clone, Copy, Debug)]
pub struct TrainSet<'a> {
    /// Inputs of all rows of the study.
    pub features: &'a Features,
    /// Labels of all rows; only those of the rows named below are read.
    pub labels: &'a [f64],
    /// Weights of all rows, not negative; all alike where `None`.
    pub weights: Option<&'a [f64]>,
    /// Rows to fit on.
    pub fit: &'a [u32],
    /// Rows of the inner split.
    pub inner: &'a [u32],
    /// How many cores may grow trees.
    pub threads: FitThreads,
}

/// Why nothing was fitted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecipeError {
    /// There is nothing to fit on, or nothing to calibrate with.
    NoRows,
    /// A row, a label or a weight does not fit; the row.
    Row(u32),
    /// A column is named that is not there.
    Column(usize),
    /// All labels of the training rows, or of the inner split, are the same.
    OneOutcome,
    /// No column says anything, or the system cannot be solved.
    Degenerate,
}

impl core::fmt::Display for RecipeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoRows => f.write_str("there are no rows to fit on or to calibrate with"),
            Self::Row(row) => write!(f, "row {row} is not there, or its label or weight is none"),
            Self::Column(column) => write!(f, "there is no column {column}"),
            Self::OneOutcome => f.write_str("all labels are the same"),
            Self::Degenerate => f.write_str("no column says anything"),
        }
    }
}

impl core::error::Error for RecipeError {}

impl TrainSet<'_> {
    /// Every named row is there, with a label of the task and a weight.
    pub(super) fn check(&self, task: ZooTask) -> Result<(), RecipeError> {
        if self.fit.is_empty() || self.inner.is_empty() {
            return Err(RecipeError::NoRows);
        }
        let rows = self.features.rows().min(self.labels.len());
        let fits = |row: u32| {
            let at = place(row);
            let weight = self.weights.map_or(Some(1.0), |w| w.get(at).copied());
            at < rows && task.admits(self.labels[at]) && weight.is_some_and(|w| w >= 0.0 && w.is_finite())
        };
        match self.fit.iter().chain(self.inner).find(|r| !fits(**r)) {
            Some(row) => Err(RecipeError::Row(*row)),
            None => Ok(()),
        }
    }

    /// Labels of some rows as question `head` asks them.
    pub(super) fn asked(&self, task: ZooTask, head: usize, rows: &[u32]) -> Vec<f64> {
        rows.iter().map(|r| task.asked(self.labels[place(*r)], head)).collect()
    }

    pub(super) fn weights_of(&self, rows: &[u32]) -> Vec<f64> {
        rows.iter().map(|r| self.weights.map_or(1.0, |w| w[place(*r)])).collect()
    }

    pub(super) fn label(&self, row: u32) -> f64 {
        self.labels[place(row)]
    }
}
