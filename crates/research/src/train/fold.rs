//! One fold as models see it: rows that teach, tune and judge, their labels and inputs.

use crate::ResearchError;
use barograph_domain::{Span, Ts, math};
use barograph_lab::zoo::{Features, FitThreads, TrainSet, ZooTask};
use barograph_study::ResearchFrame;
use barograph_study::folds::{LearningRows, TestRows};
use barograph_study::targets::{LabelledRows, TargetId, TargetKind, VolTerciles};
use barograph_study::transforms::{InputForm, Transforms};

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
    /// Training rows of the smallest and the largest regime.
    pub(super) regimes: [usize; 3],
}

/// Columns of [`FoldRows::plain`].
pub(super) const LAST: usize = 0;
pub(super) const HAR: [usize; 3] = [1, 2, 3];

impl FoldRows {
    pub(super) fn new(
        frame: &ResearchFrame,
        labels: &LabelledRows,
        learn: &LearningRows,
        test: &TestRows,
        transforms: &Transforms,
    ) -> Result<Self, ResearchError> {
        let failed = |e: &dyn std::fmt::Display| ResearchError::Failed(e.to_string());
        let rows: Vec<usize> = learn.fit.rows().chain(learn.tune.rows()).chain(test.rows()).collect();
        let number = |n: usize| u32::try_from(n).map_err(|e| failed(&e));
        let (fits, tunes, all) =
            (number(learn.fit.len())?, number(learn.fit.len() + learn.tune.len())?, number(rows.len())?);
        let values = [labels.of(&learn.fit), labels.of(&learn.tune), labels.of(test)];
        let Some(values) = values.into_iter().collect::<Option<Vec<_>>>() else {
            return Err(ResearchError::Failed("the folds were made from other labels".to_owned()));
        };
        let cuts = VolTerciles::fit(labels, &learn.train);
        let target = labels.target();
        let labels = values.into_iter().flatten().map(|v| class_label(target, cuts, v)).collect();

        let matrix = transforms.apply(frame, rows.iter().copied(), InputForm::Sparse).map_err(|e| failed(&e))?;
        let column = |c: usize| (0..matrix.rows()).map(move |r| (r, c));
        let cells = |c: usize| column(c).map(|(r, c)| matrix.get(r, c)).collect::<Vec<_>>();
        let width = matrix.names().len();
        let named = |name: &str| {
            let column = frame.column(name);
            rows.iter().map(|r| column.and_then(|c| c.get(*r))).collect::<Vec<_>>()
        };
        // Regimes are cut by the volatility of the training rows, whatever the target is.
        let recent = named("realized_vol_1800s");
        let taught = recent.iter().take(learn.fit.len() + learn.tune.len()).flatten().copied().collect();
        let regime_cuts = terciles_of(taught);
        let regime: Vec<Option<f64>> = recent
            .iter()
            .map(|v| {
                v.zip(regime_cuts)
                    .map(|(v, cuts)| f64::from(u8::from(v > cuts.lower)) + f64::from(u8::from(v > cuts.upper)))
            })
            .collect();
        let mut regimes = [0; 3];
        for class in regime.iter().take(learn.fit.len()).flatten() {
            regimes[[0.0, 1.0].iter().position(|c| class <= c).unwrap_or(2)] += 1;
        }
        let last: Vec<Option<f64>> = rows.iter().map(|r| last_of(frame, *r, target, cuts)).collect();
        let plain = [last, named("realized_vol_60s"), named("realized_vol_300s"), named("realized_vol_1800s")];
        Ok(Self {
            times: rows.iter().map(|r| frame.times()[*r]).collect(),
            labels,
            fit: (0..fits).collect(),
            tune: (fits..tunes).collect(),
            test: (tunes..all).collect(),
            inputs: Features::new(rows.len(), (0..width).map(cells)).map_err(|e| failed(&e))?,
            routed: Features::new(rows.len(), (0..width).map(cells).chain([regime])).map_err(|e| failed(&e))?,
            plain: Features::new(rows.len(), plain).map_err(|e| failed(&e))?,
            names: matrix.names().to_vec(),
            regimes,
        })
    }

    pub(super) fn train_set<'a>(&'a self, features: &'a Features) -> TrainSet<'a> {
        TrainSet {
            features,
            labels: &self.labels,
            weights: None,
            fit: &self.fit,
            inner: &self.tune,
            threads: FitThreads::default(),
        }
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

/// A label as the zoo counts classes: 0, 1, 2.
fn class_label(target: TargetId, cuts: Option<VolTerciles>, value: f64) -> f64 {
    match target {
        TargetId::VolRegime => cuts.map_or(value, |c| index_of(c, value)),
        TargetId::Direction3(_) => value + 1.0,
        _ => value,
    }
}

fn index_of(cuts: VolTerciles, value: f64) -> f64 {
    [0.0, 1.0, 2.0][cuts.class(value).index()]
}

fn terciles_of(mut values: Vec<f64>) -> Option<VolTerciles> {
    values.sort_by(f64::total_cmp);
    let at = |part: usize| values.get(values.len() * part / 3).copied();
    Some(VolTerciles { lower: at(1)?, upper: at(2)? })
}

/// What has just been, in the terms of the target (research §4, `persistence`): the move over the last horizon, the class of the last half
/// hour's volatility, the cost now.
fn last_of(frame: &ResearchFrame, row: usize, target: TargetId, cuts: Option<VolTerciles>) -> Option<f64> {
    let column = |name: &str| frame.column(name).and_then(|c| c.get(row));
    let moved = |over: Span| {
        let before = frame.row_at(frame.times()[row] - over)?;
        let mids = frame.column("mid_price")?;
        Some(math::ln(mids.get(row)? / mids.get(before)?))
    };
    match target {
        TargetId::VolRegime => column("realized_vol_1800s").zip(cuts).map(|(v, c)| index_of(c, v)),
        TargetId::CostBuy1m | TargetId::CostBuy5m => column("sweep_cost_buy_bps"),
        TargetId::CostSell1m | TargetId::CostSell5m => column("sweep_cost_sell_bps"),
        TargetId::Direction3(h) => moved(h.span()).map(|r| {
            if r > 0.0 {
                2.0
            } else if r < 0.0 {
                0.0
            } else {
                1.0
            }
        }),
        TargetId::Return(h) | TargetId::Direction(h) => moved(h.span()),
        TargetId::Tick1Return | TargetId::Tick5Return | TargetId::Tick5Direction => moved(Span::secs(1)),
    }
}
