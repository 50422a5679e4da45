//! What a recipe becomes: data that predicts.

use super::blend::greedy_weights;
use super::calibrate::Calibrator;
use super::features::{Features, float, place};
use super::forest::Forest;
use super::linear::LinearScorer;
use super::mlp::Mlp;
use super::recipe::{Recipe, RecipeError, TrainSet, ZooModel, ZooTask, class_of};
use super::shuffle::permuted;
use super::{gbm, linear};
use barograph_domain::math::ln;
use serde::{Deserialize, Serialize};

/// What a model says of some rows, in their order.
#[derive(Clone, PartialEq, Debug)]
pub enum ZooPrediction {
    /// Of a yes or no.
    Binary {
        /// Any number that rises with the chance; what a ranking is judged by.
        scores: Vec<f64>,
        /// Calibrated probability of a yes.
        probabilities: Vec<f64>,
    },
    /// Of three classes.
    Classes {
        /// Calibrated probabilities that add up to one.
        probabilities: Vec<[f64; 3]>,
        /// The class said: the likeliest, the lower of equals; of persistence the last class.
        chosen: Vec<u8>,
    },
    /// Of a number.
    Values(Vec<f64>),
}

/// The part that differs from model to model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
enum Core {
    Prior,
    Persistence { column: usize },
    Lines(Vec<LinearScorer>),
    Forests(Vec<Forest>),
    Networks(Mlp),
    Blend(Vec<(f64, FittedModel)>),
    Routed { column: usize, all: Box<FittedModel>, regimes: Vec<(f64, FittedModel)> },
}

/// A fitted model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FittedModel {
    task: ZooTask,
    /// Frequencies of the questions, or the mean, over the training rows.
    base: Vec<f64>,
    core: Core,
    /// One for each question; none where what is said is a probability already, or a number.
    calibrators: Vec<Calibrator>,
    trials: usize,
}

/// What of a model can be asked again for one column alone.
pub(crate) enum Parts<'a> {
    Forests(&'a [Forest]),
    Lines(&'a [LinearScorer]),
    Whole,
}

/// Regimes at most; a column with more values holds no labels.
const REGIMES_MAX: usize = 16;
/// Probabilities are kept this far from 0 and 1 before their logarithm is taken, as in `barograph_verify::scores::brier`.
const CLIP: f64 = 1e-6;

impl Recipe {
    /// Fits the model: the same rows, labels and recipe give the same bits.
    ///
    /// # Errors
    /// The rows, columns or labels do not fit, or there is nothing to tell apart.
    pub fn fit(&self, train: &TrainSet<'_>) -> Result<FittedModel, RecipeError> {
        train.check(self.task)?;
        match &self.model {
            ZooModel::Shuffled { of, block_rows } => {
                let rows: Vec<u32> = train.fit.iter().chain(train.inner).copied().collect();
                let mut labels = train.labels.to_vec();
                for (row, from) in rows.iter().zip(permuted(rows.len(), *block_rows, self.seed)) {
                    labels[place(*row)] = train.label(rows[from]);
                }
                self.with(of).fit(&TrainSet { labels: &labels, ..*train })
            }
            ZooModel::Ensemble { of } => {
                let members = of.iter().map(|m| self.with(m).fit(train)).collect::<Result<Vec<_>, _>>()?;
                self.blend(&members, train)
            }
            _ => self.fit_alone(train),
        }
    }

    /// The greedy average of models that are fitted already, weighed and calibrated on the inner split.
    ///
    /// # Errors
    /// As [`Self::fit`]; also without models.
    pub fn blend(&self, members: &[FittedModel], train: &TrainSet<'_>) -> Result<FittedModel, RecipeError> {
        train.check(self.task)?;
        let said: Vec<Vec<f64>> = members.iter().map(|m| m.answers(train.features, train.inner).concat()).collect();
        let weights = greedy_weights(&said, |said| self.loss(said, train));
        let held = weights.into_iter().zip(members).filter(|(w, _)| *w > 0.0).map(|(w, m)| (w, m.clone()));
        let core = Core::Blend(held.collect());
        if matches!(&core, Core::Blend(held) if held.is_empty()) {
            return Err(RecipeError::Degenerate);
        }
        Ok(self.calibrated(core, members.iter().map(|m| m.trials).sum(), train))
    }

    /// A model of forests that somebody else has grown on the rows to fit on, one for each question: calibrated here as every other is. Its
    /// `trials` are the configurations that were grown for each. The recipe's own model is not asked.
    ///
    /// # Errors
    /// As [`Self::fit`]; also where forests are too few or too many, or were grown on more columns than there are.
    pub fn of_forests(
        &self,
        forests: Vec<Forest>,
        trials: usize,
        train: &TrainSet<'_>,
    ) -> Result<FittedModel, RecipeError> {
        train.check(self.task)?;
        let widest = forests.iter().map(|f| f.columns).max().unwrap_or_default();
        if widest > train.features.columns() {
            return Err(RecipeError::Column(widest));
        }
        if forests.len() != self.task.heads() {
            return Err(RecipeError::Degenerate);
        }
        Ok(self.calibrated(Core::Forests(forests), trials, train))
    }

    /// Mean loss on the inner split of answers, question after question.
    fn loss(&self, said: &[f64], train: &TrainSet<'_>) -> f64 {
        let n = train.inner.len();
        let of = |(at, row): (usize, &u32)| {
            let label = train.label(*row);
            match self.task {
                ZooTask::Regression => (said[at] - label) * (said[at] - label),
                ZooTask::Binary => {
                    let p = if label > 0.5 { said[at] } else { 1.0 - said[at] };
                    -ln(p.max(CLIP))
                }
                ZooTask::Classes => -ln(said[class_of(label).unwrap_or_default() * n + at].max(CLIP)),
            }
        };
        train.inner.iter().enumerate().map(of).sum::<f64>() / float(n)
    }

    fn fit_alone(&self, train: &TrainSet<'_>) -> Result<FittedModel, RecipeError> {
        let known = |column: usize| {
            if column < train.features.columns() { Ok(column) } else { Err(RecipeError::Column(column)) }
        };
        let (core, trials) = match &self.model {
            ZooModel::Persistence { column } => (Core::Persistence { column: known(*column)? }, 1),
            ZooModel::Har { columns } => (Core::Lines(linear::fit_plain(train, self.task, *columns)?), 1),
            ZooModel::Linear => {
                let (lines, trials) = linear::fit(train, self.task, self.preset)?;
                (Core::Lines(lines), trials)
            }
            ZooModel::Gbm => {
                let (forests, trials) = gbm::fit(train, self.task, self.preset)?;
                (Core::Forests(forests), trials)
            }
            ZooModel::Mlp => (Core::Networks(Mlp::fit(train, self.task, self.preset, self.seed)?), 1),
            ZooModel::ByRegime { column, of, rows_min } => {
                return self.routed(train, known(*column)?, of, *rows_min);
            }
            ZooModel::Prior | ZooModel::Ensemble { .. } | ZooModel::Shuffled { .. } => (Core::Prior, 1),
        };
        Ok(self.calibrated(core, trials, train))
    }

    fn routed(
        &self,
        train: &TrainSet<'_>,
        column: usize,
        of: &ZooModel,
        rows_min: usize,
    ) -> Result<FittedModel, RecipeError> {
        let recipe = self.with(of);
        let all = recipe.fit(train)?;
        let label = |row: &u32| train.features.value(*row, column);
        let mut labels: Vec<f64> = train.fit.iter().map(label).filter(|v| !v.is_nan()).collect();
        labels.sort_by(f64::total_cmp);
        labels.dedup();
        if labels.len() > REGIMES_MAX {
            return Err(RecipeError::Column(column));
        }
        let mut trials = all.trials;
        let mut regimes = Vec::new();
        for regime in labels {
            let of = |rows: &[u32]| rows.iter().copied().filter(|r| label(r).total_cmp(&regime).is_eq()).collect();
            let (fit, inner): (Vec<u32>, Vec<u32>) = (of(train.fit), of(train.inner));
            if fit.len() < rows_min {
                continue;
            }
            // A regime in which nothing can be told apart is left to the model of all rows.
            if let Ok(model) = recipe.fit(&TrainSet { fit: &fit, inner: &inner, ..*train }) {
                trials += model.trials;
                regimes.push((regime, model));
            }
        }
        let core = Core::Routed { column, all: Box::new(all), regimes };
        Ok(FittedModel { task: self.task, base: self.base(train), core, calibrators: Vec::new(), trials })
    }

    fn base(&self, train: &TrainSet<'_>) -> Vec<f64> {
        let weights = train.weights_of(train.fit);
        let total: f64 = weights.iter().sum();
        let mean = |head| {
            let labels = train.asked(self.task, head, train.fit);
            labels.iter().zip(&weights).map(|(y, w)| y * w).sum::<f64>() / total
        };
        (0..self.task.heads()).map(mean).collect()
    }

    fn calibrated(&self, core: Core, trials: usize, train: &TrainSet<'_>) -> FittedModel {
        let plain = self.task == ZooTask::Regression || matches!(core, Core::Prior);
        let mut model = FittedModel { task: self.task, base: self.base(train), core, calibrators: Vec::new(), trials };
        if !plain {
            let scores = model.scores(train.features, train.inner);
            let curves = scores.iter().enumerate().filter_map(|(head, scores)| {
                let came = train.asked(self.task, head, train.inner);
                let cases: Vec<_> = scores.iter().zip(came).map(|(s, y)| (*s, y > 0.5)).collect();
                Calibrator::fit(self.calibration, &cases)
            });
            model.calibrators = curves.collect();
        }
        model
    }
}

impl FittedModel {
    /// What kind of thing it predicts.
    #[must_use]
    pub const fn task(&self) -> ZooTask {
        self.task
    }

    /// Configurations that were fitted for it, whatever came of them (research §5, `n_trials`).
    #[must_use]
    pub const fn trials(&self) -> usize {
        self.trials
    }

    /// Frequency of each question over the training rows, or the mean of a regression: the reference of skill.
    #[must_use]
    pub fn base(&self) -> &[f64] {
        &self.base
    }

    /// The forests of a boosted model, one for each question; empty of any other.
    #[must_use]
    pub fn forests(&self) -> &[Forest] {
        if let Core::Forests(forests) = &self.core { forests } else { &[] }
    }

    /// The straight lines of a linear model, one for each question; empty of any other.
    #[must_use]
    pub fn lines(&self) -> &[LinearScorer] {
        if let Core::Lines(lines) = &self.core { lines } else { &[] }
    }

    pub(crate) fn parts(&self) -> Parts<'_> {
        match &self.core {
            Core::Forests(forests) => Parts::Forests(forests),
            Core::Lines(lines) => Parts::Lines(lines),
            Core::Prior | Core::Persistence { .. } | Core::Networks(_) | Core::Blend(_) | Core::Routed { .. } => {
                Parts::Whole
            }
        }
    }

    /// The models of an ensemble with their weights, which add up to one; empty of any other.
    #[must_use]
    pub fn members(&self) -> &[(f64, Self)] {
        if let Core::Blend(members) = &self.core { members } else { &[] }
    }

    /// Regimes that have a model of their own; empty of a model without.
    #[must_use]
    pub fn regimes(&self) -> Vec<f64> {
        if let Core::Routed { regimes, .. } = &self.core { regimes.iter().map(|r| r.0).collect() } else { Vec::new() }
    }

    /// What the model says of some rows.
    ///
    /// # Panics
    /// When a row or a column is not there.
    #[must_use]
    pub fn predict(&self, features: &Features, rows: &[u32]) -> ZooPrediction {
        let scores = self.scores(features, rows);
        let mut answers = self.answers_of(&scores);
        match self.task {
            ZooTask::Regression => ZooPrediction::Values(answers.swap_remove(0)),
            ZooTask::Binary => ZooPrediction::Binary { scores: scores.concat(), probabilities: answers.swap_remove(0) },
            ZooTask::Classes => {
                let probabilities: Vec<[f64; 3]> =
                    (0..rows.len()).map(|n| core::array::from_fn(|head| answers[head][n])).collect();
                let likeliest = |p: &[f64; 3]| if p[2] > p[0].max(p[1]) { 2 } else { u8::from(p[1] > p[0]) };
                let mut chosen: Vec<u8> = probabilities.iter().map(likeliest).collect();
                if let Core::Persistence { column } = &self.core {
                    for (chosen, row) in chosen.iter_mut().zip(rows) {
                        let last = class_of(features.value(*row, *column)).and_then(|c| u8::try_from(c).ok());
                        *chosen = last.unwrap_or_else(|| likeliest(&core::array::from_fn(|head| self.base[head])));
                    }
                }
                ZooPrediction::Classes { probabilities, chosen }
            }
        }
    }

    /// Probabilities of each question, or the numbers: question by question.
    pub(crate) fn answers(&self, features: &Features, rows: &[u32]) -> Vec<Vec<f64>> {
        self.answers_of(&self.scores(features, rows))
    }

    /// What scores mean, question by question.
    pub(crate) fn answers_of(&self, scores: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut answers = scores.to_vec();
        for (answers, curve) in answers.iter_mut().zip(&self.calibrators) {
            answers.iter_mut().for_each(|s| *s = curve.at(*s));
        }
        if let ([a, b, c], ZooTask::Classes) = (&mut answers[..], self.task) {
            for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
                let sum = *a + *b + *c;
                (*a, *b, *c) = (*a / sum, *b / sum, *c / sum);
            }
        }
        answers
    }

    /// Scores of each question; numbers of a regression.
    pub(crate) fn scores(&self, features: &Features, rows: &[u32]) -> Vec<Vec<f64>> {
        match &self.core {
            Core::Prior => self.base.iter().map(|p| vec![*p; rows.len()]).collect(),
            Core::Persistence { column } => (0..self.task.heads())
                .map(|head| rows.iter().map(|r| self.lasting(features.value(*r, *column), head)).collect())
                .collect(),
            Core::Lines(lines) => lines.iter().map(|l| l.margins(features, rows)).collect(),
            Core::Forests(forests) => forests.iter().map(|f| f.margins(features, rows)).collect(),
            Core::Networks(mlp) => mlp.margins(features, rows),
            Core::Blend(members) => self.blended(members, features, rows),
            Core::Routed { column, all, regimes } => {
                let mut scores = vec![vec![0.0; rows.len()]; self.task.heads()];
                for model in regimes.iter().map(|r| &r.1).chain([&**all]) {
                    let routed = |row: u32| {
                        let label = features.value(row, *column);
                        regimes.iter().find(|r| r.0.total_cmp(&label).is_eq()).map_or(&**all, |r| &r.1)
                    };
                    let places: Vec<usize> =
                        (0..rows.len()).filter(|n| core::ptr::eq(routed(rows[*n]), model)).collect();
                    let some: Vec<u32> = places.iter().map(|n| rows[*n]).collect();
                    for (scores, said) in scores.iter_mut().zip(model.answers(features, &some)) {
                        places.iter().zip(said).for_each(|(n, s)| scores[*n] = s);
                    }
                }
                scores
            }
        }
    }

    /// What persistence says where this was last: a sign, whether it was the class, or the number. Missing says nothing.
    fn lasting(&self, last: f64, head: usize) -> f64 {
        match self.task {
            ZooTask::Binary if last > 0.0 => 1.0,
            ZooTask::Binary if last < 0.0 => -1.0,
            ZooTask::Binary => 0.0,
            ZooTask::Classes => f64::from(u8::from(class_of(last) == Some(head))),
            ZooTask::Regression if last.is_nan() => self.base[head],
            ZooTask::Regression => last,
        }
    }

    /// The members' answers averaged; of questions their log odds, which is what a logistic curve calibrates well.
    fn blended(&self, members: &[(f64, Self)], features: &Features, rows: &[u32]) -> Vec<Vec<f64>> {
        let mut sums = vec![vec![0.0; rows.len()]; self.task.heads()];
        for (weight, member) in members {
            for (sum, said) in sums.iter_mut().zip(member.answers(features, rows)) {
                sum.iter_mut().zip(said).for_each(|(s, p)| *s += weight * p);
            }
        }
        if self.task != ZooTask::Regression {
            for p in sums.iter_mut().flatten() {
                let inside = p.clamp(CLIP, 1.0 - CLIP);
                *p = ln(inside / (1.0 - inside));
            }
        }
        sums
    }
}
