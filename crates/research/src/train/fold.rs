//! One fold as models see it: rows that teach, tune and judge, their labels and inputs.

use super::inputs::{InputMaker, MadeInputs, inputs_of};
use super::weights::RowWeights;
use crate::ResearchError;
use barograph_domain::Ts;
use barograph_lab::zoo::{Features, FitThreads, TrainSet, ZooTask};
use barograph_study::ResearchFrame;
use barograph_study::folds::{LearningRows, TestRows};
use barograph_study::targets::{LabelledRows, TargetId, TargetKind};
use barograph_study::transforms::Transforms;

/// Rows of a fold, numbered from 0: those to fit on, those to tune by, those to judge by.
pub(super) struct FoldRows {
    pub(super) times: Vec<Ts>,
    pub(super) labels: Vec<f64>,
    pub(super) fit: Vec<u32>,
    pub(super) tune: Vec<u32>,
    pub(super) test: Vec<u32>,
    /// Inputs of the models.
    pub(super) inputs: Features,
    /// The same, and behind them the regime that the last half hour was in.
    pub(super) routed: Features,
    /// What baselines repeat: the last value, then the volatilities of three lengths.
    pub(super) plain: Features,
    pub(super) names: Vec<String>,
    /// Training rows of each regime.
    pub(super) regimes: [usize; 3],
    /// Of the rows to fit on and to tune by; `None` where all count alike.
    weights: Option<Vec<f64>>,
}

impl FoldRows {
    pub(super) fn new(
        frame: &ResearchFrame,
        labels: &LabelledRows,
        learn: &LearningRows,
        test: &TestRows,
        transforms: &Transforms,
        weights: RowWeights,
    ) -> Result<Self, ResearchError> {
        let maker = InputMaker::fit(frame, labels, learn, transforms);
        Self::made(frame, labels, learn, Some(test), &maker, weights)
    }

    /// The same where inputs are made already, and without rows to judge by where nothing is to be judged.
    pub(super) fn made(
        frame: &ResearchFrame,
        labels: &LabelledRows,
        learn: &LearningRows,
        test: Option<&TestRows>,
        maker: &InputMaker,
        weights: RowWeights,
    ) -> Result<Self, ResearchError> {
        let failed = |e: &dyn std::fmt::Display| ResearchError::Failed(e.to_string());
        let judged = test.into_iter().flat_map(TestRows::rows);
        let rows: Vec<usize> = learn.fit.rows().chain(learn.tune.rows()).chain(judged).collect();
        let number = |n: usize| u32::try_from(n).map_err(|e| failed(&e));
        let (fits, tunes, all) =
            (number(learn.fit.len())?, number(learn.fit.len() + learn.tune.len())?, number(rows.len())?);
        let values = [labels.of(&learn.fit), labels.of(&learn.tune), test.map_or(Some(Vec::new()), |t| labels.of(t))];
        let Some(values) = values.into_iter().collect::<Option<Vec<_>>>() else {
            return Err(ResearchError::Failed("the folds were made from other labels".to_owned()));
        };
        let labels = values.into_iter().flatten().map(|v| maker.class(v)).collect();
        let MadeInputs { inputs, routed, plain, names, regime } = maker.make(frame, &rows)?;
        let weights = weights.of(learn);
        let mut regimes = [0; 3];
        for class in regime.iter().take(learn.fit.len()).flatten() {
            regimes[[0.0, 1.0].iter().position(|c| class <= c).unwrap_or(2)] += 1;
        }
        Ok(Self {
            times: rows.iter().map(|r| frame.times()[*r]).collect(),
            labels,
            fit: (0..fits).collect(),
            tune: (fits..tunes).collect(),
            test: (tunes..all).collect(),
            inputs,
            routed,
            plain,
            names,
            regimes,
            weights,
        })
    }

    pub(super) fn train_set<'a>(&'a self, features: &'a Features) -> TrainSet<'a> {
        TrainSet {
            features,
            labels: &self.labels,
            weights: self.weights.as_deref(),
            fit: &self.fit,
            inner: &self.tune,
            threads: FitThreads::default(),
        }
    }

    /// What a model of this name reads.
    pub(super) fn of(&self, model: &str) -> &Features {
        inputs_of(model, [&self.plain, &self.routed, &self.inputs])
    }

    /// The regime of volatility of a row, 0 to 2, where its column is there and the rows to fit on had three.
    pub(super) fn regime_of(&self, row: u32) -> Option<usize> {
        let class = self.routed.get(usize::try_from(row).ok()?, self.routed.columns().checked_sub(1)?)?;
        [0.0, 1.0, 2.0].iter().position(|c| class <= *c)
    }

    /// Labels of some of its rows.
    pub(super) fn labels_of(&self, rows: &[u32]) -> Vec<f64> {
        rows.iter().map(|r| self.labels[usize::try_from(*r).unwrap_or(usize::MAX)]).collect()
    }

    /// Frequency of a question over the rows to fit on, or the mean of a number.
    pub(super) fn mean_asked(&self, task: ZooTask, head: usize) -> f64 {
        let asked: Vec<f64> = self.labels_of(&self.fit).into_iter().map(|y| task.asked(y, head)).collect();
        asked.iter().sum::<f64>() / f64::from(u32::try_from(asked.len()).unwrap_or(u32::MAX))
    }

    /// Moments and labels of the rows to judge by.
    pub(super) fn judged(&self) -> (Vec<Ts>, Vec<f64>) {
        let at = |r: &u32| usize::try_from(*r).unwrap_or(usize::MAX);
        (self.test.iter().map(|r| self.times[at(r)]).collect(), self.test.iter().map(|r| self.labels[at(r)]).collect())
    }
}

/// What a target is to the zoo.
pub(super) fn task_of(target: TargetId) -> ZooTask {
    match (target, target.kind()) {
        (TargetId::VolRegime, _) => ZooTask::Classes,
        (_, TargetKind::Regression) => ZooTask::Regression,
        (_, TargetKind::Binary) => ZooTask::Binary,
        (_, TargetKind::Classes3) => ZooTask::Classes,
    }
}
