//! Models that are fitted outside this program: the same rows, labels, inputs and metrics as the models of the zoo (research §3–§5).
//!
//! Whoever fits a model elsewhere is given row numbers, never the rows of the hold-out, and hands back what the model says of each fold's
//! test rows. It is scored by the code that makes a board, beside the two baselines that need no fit.

use super::fold::task_of;
use super::inputs::{class_label, last_of};
use crate::ResearchError;
use barograph_domain::{Span, Ts};
use barograph_lab::zoo::board::{FoldPrediction, ZooBoard, ZooEntry};
use barograph_lab::zoo::{
    CalibrationRule, Calibrator, Features, FitThreads, Recipe, TrainSet, ZooModel, ZooPrediction, ZooTask,
};
use barograph_study::ResearchFrame;
use barograph_study::folds::{FoldPlan, FoldSheet, StudyFold, StudyFolds};
use barograph_study::targets::{LabelledRows, Labeller, TargetId, VolTerciles};
use barograph_study::transforms::{InputForm, Matrix, Transforms};

/// Which of a fold's rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FoldPart {
    /// All that may be learnt from.
    Train,
    /// The inner split: to fit on.
    Fit,
    /// The inner split: to stop, calibrate and weigh by.
    Tune,
    /// To judge by.
    Test,
}

impl FoldPart {
    /// Every part with its name.
    pub const NAMES: [(&'static str, Self); 4] =
        [("train", Self::Train), ("fit", Self::Fit), ("tune", Self::Tune), ("test", Self::Test)];
}

/// What an outside model said, fold by fold in the order of time: a number for each row, for classes three.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OutsideScores {
    /// Of the test rows.
    pub test: Vec<Vec<[f64; 3]>>,
    /// Of the rows of the inner split, to calibrate by; without it what is said of test rows has to be probabilities.
    pub tune: Option<Vec<Vec<[f64; 3]>>>,
}

/// A target over somebody's rows, divided.
#[derive(Debug)]
pub struct OutsideStudy {
    frame: ResearchFrame,
    labels: LabelledRows,
    folds: StudyFolds,
    task: ZooTask,
}

impl OutsideStudy {
    /// Labels rows and divides them as planned.
    ///
    /// # Errors
    /// The rows lack a column that the target is made of, or are too few for the plan.
    pub fn new(frame: ResearchFrame, target: TargetId, plan: &FoldPlan) -> Result<Self, ResearchError> {
        let labels = labels_of(&frame, target)?;
        let folds = StudyFolds::new(labels.spans(), plan).map_err(|e| refused(&e))?;
        Ok(Self { frame, labels, folds, task: task_of(target) })
    }

    /// The rows.
    #[must_use]
    pub const fn frame(&self) -> &ResearchFrame {
        &self.frame
    }

    /// Their labels.
    #[must_use]
    pub const fn labels(&self) -> &LabelledRows {
        &self.labels
    }

    /// How they are divided.
    #[must_use]
    pub fn folds(&self) -> &[StudyFold] {
        self.folds.folds()
    }

    /// Of what kind the target is.
    #[must_use]
    pub const fn task(&self) -> ZooTask {
        self.task
    }

    /// The folds as row numbers: what `barograph lab train` leaves as `folds.json` for the same rows and plan.
    #[must_use]
    pub fn sheet(&self) -> FoldSheet {
        FoldSheet::new(self.labels.target(), self.frame.len(), &self.folds)
    }

    /// Rows of a part of a fold, in order.
    #[must_use]
    pub fn rows(fold: &StudyFold, part: FoldPart) -> Vec<usize> {
        match part {
            FoldPart::Train => fold.learn.train.rows().collect(),
            FoldPart::Fit => fold.learn.fit.rows().collect(),
            FoldPart::Tune => fold.learn.tune.rows().collect(),
            FoldPart::Test => fold.test.rows().collect(),
        }
    }

    /// Their labels as models learn them: 0 or 1; classes 0, 1 and 2, those of volatility cut by the fold's training rows; else numbers.
    ///
    /// # Errors
    /// The fold is one of other rows.
    pub fn labels_in(&self, fold: &StudyFold, part: FoldPart) -> Result<Vec<f64>, ResearchError> {
        let values = match part {
            FoldPart::Train => self.labels.of(&fold.learn.train),
            FoldPart::Fit => self.labels.of(&fold.learn.fit),
            FoldPart::Tune => self.labels.of(&fold.learn.tune),
            FoldPart::Test => self.labels.of(&fold.test),
        };
        let other = || ResearchError::Failed("the fold was made from other labels".to_owned());
        let (target, cuts) = (self.labels.target(), self.cuts(fold));
        Ok(values.ok_or_else(other)?.into_iter().map(|v| class_label(target, cuts, v)).collect())
    }

    fn cuts(&self, fold: &StudyFold) -> Option<VolTerciles> {
        VolTerciles::fit(&self.labels, &fold.learn.train)
    }

    /// Inputs of rows as the models of the zoo see them (research §2), by what the fold's training rows taught.
    ///
    /// # Errors
    /// A row is not there, or its book could not be used.
    pub fn inputs(&self, fold: &StudyFold, rows: &[usize], form: InputForm) -> Result<Matrix, ResearchError> {
        let transforms = Transforms::fit(&self.frame, &fold.learn.train).map_err(|e| refused(&e))?;
        transforms.apply(&self.frame, rows.iter().copied(), form).map_err(|e| refused(&e))
    }

    /// The board of an outside model and of `prior` and `persistence` on the same test rows. `trials` are the configurations that were
    /// fitted for it, whatever came of them.
    ///
    /// # Errors
    /// Scores do not fit the folds, or are no probabilities where nothing is given to calibrate by.
    pub fn score(&self, model: &str, scores: &OutsideScores, trials: usize) -> Result<ZooBoard, ResearchError> {
        let mut outside = entry(model, trials);
        let mut prior = entry("prior", 0);
        let mut lasting = ZooEntry { is_persistence: true, ..entry("persistence", 0) };
        if [&prior.model, &lasting.model].contains(&&outside.model) {
            return Err(ResearchError::Refused(format!(
                "a model may not be called '{model}', which is a baseline's name"
            )));
        }
        self.check("test", FoldPart::Test, &scores.test)?;
        if let Some(tune) = &scores.tune {
            self.check("tune", FoldPart::Tune, tune)?;
        }
        for (n, fold) in self.folds().iter().enumerate() {
            let rows = BaselineRows::new(self, fold)?;
            let (times, labels) = rows.judged();
            let baseline = |model| {
                let fitted = Recipe::quick(model, self.task).fit(&rows.train_set()).map_err(|e| refused(&e))?;
                let said = fitted.predict(&rows.last, &rows.test);
                Ok::<_, ResearchError>((fitted.base().to_vec(), said, fitted.trials()))
            };
            let (base, said, tried) = baseline(ZooModel::Prior)?;
            let judged =
                |said| FoldPrediction { times: times.clone(), labels: labels.clone(), said, base: base.clone() };
            prior.trials += tried;
            prior.folds.push(judged(said));
            let (_, said, tried) = baseline(ZooModel::Persistence { column: 0 })?;
            lasting.trials += tried;
            lasting.folds.push(judged(said));
            let tune = scores.tune.as_ref().map(|all| (all[n].as_slice(), rows.tuned()));
            outside.folds.push(judged(self.meaning(fold.number, &scores.test[n], tune)?));
        }
        let horizon = self.labels.target().horizon().unwrap_or(Span::secs(1));
        let block = Span(horizon.0.saturating_mul(60)).max(Span::mins(10));
        Ok(ZooBoard::of(self.task, &[prior, lasting, outside], horizon, block))
    }

    /// As many scores as rows, all of them numbers.
    fn check(&self, what: &str, part: FoldPart, scores: &[Vec<[f64; 3]>]) -> Result<(), ResearchError> {
        let folds = self.folds();
        if scores.len() != folds.len() {
            let (got, want) = (scores.len(), folds.len());
            return Err(ResearchError::Refused(format!(
                "{what} scores of {got} folds were given, and there are {want}"
            )));
        }
        for (fold, scores) in folds.iter().zip(scores) {
            let want = Self::rows(fold, part).len();
            if scores.len() != want {
                return Err(ResearchError::Refused(format!(
                    "fold {} has {want} {what} rows, and {} scores were given; give one for each row, in their order",
                    fold.number,
                    scores.len()
                )));
            }
            let heads = self.task.heads();
            if let Some(row) = scores.iter().position(|s| s[..heads].iter().any(|v| !v.is_finite())) {
                return Err(ResearchError::Refused(format!("{what} score {row} of fold {} is no number", fold.number)));
            }
        }
        Ok(())
    }

    /// What the scores of a fold's test rows mean.
    fn meaning(
        &self,
        fold: usize,
        test: &[[f64; 3]],
        tune: Option<(&[[f64; 3]], &[f64])>,
    ) -> Result<ZooPrediction, ResearchError> {
        let column = |scores: &[[f64; 3]], head: usize| scores.iter().map(|s| s[head]).collect::<Vec<f64>>();
        if self.task == ZooTask::Regression {
            return Ok(ZooPrediction::Values(column(test, 0)));
        }
        let mut answers: Vec<Vec<f64>> = Vec::new();
        for head in 0..self.task.heads() {
            let mut said = column(test, head);
            match tune {
                Some((scores, labels)) => {
                    let came = labels.iter().map(|y| self.task.asked(*y, head) > 0.5);
                    let cases: Vec<_> = column(scores, head).into_iter().zip(came).collect();
                    let curve = Calibrator::fit(CalibrationRule::Platt, &cases);
                    let curve = curve.ok_or_else(|| ResearchError::Refused(format!("fold {fold} has no tune rows")))?;
                    said.iter_mut().for_each(|s| *s = curve.at(*s));
                }
                None => {
                    if let Some(row) = said.iter().position(|p| !(0.0..=1.0).contains(p)) {
                        return Err(ResearchError::Refused(format!(
                            "test score {row} of fold {fold} is {}, which is no probability; give the scores of the tune rows too, \
                             and scores are calibrated by them",
                            said[row]
                        )));
                    }
                }
            }
            answers.push(said);
        }
        if self.task == ZooTask::Binary {
            return Ok(ZooPrediction::Binary { scores: column(test, 0), probabilities: answers.swap_remove(0) });
        }
        let mut probabilities = Vec::with_capacity(test.len());
        let mut heads = answers.into_iter().map(Vec::into_iter);
        let (Some(low), Some(middle), Some(high)) = (heads.next(), heads.next(), heads.next()) else {
            return Err(ResearchError::Failed("a class has no answers".to_owned()));
        };
        for (row, ((low, middle), high)) in low.zip(middle).zip(high).enumerate() {
            let sum = low + middle + high;
            if sum <= 0.0 {
                let text =
                    format!("the three test scores {row} of fold {fold} are all 0; give a probability for each class");
                return Err(ResearchError::Refused(text));
            }
            probabilities.push([low / sum, middle / sum, high / sum]);
        }
        let likeliest = |p: &[f64; 3]| if p[2] > p[0].max(p[1]) { 2 } else { u8::from(p[1] > p[0]) };
        let chosen = probabilities.iter().map(likeliest).collect();
        Ok(ZooPrediction::Classes { probabilities, chosen })
    }
}

/// The labels of a target over somebody's rows.
///
/// # Errors
/// The rows lack a column that the target is made of.
pub fn labels_of(frame: &ResearchFrame, target: TargetId) -> Result<LabelledRows, ResearchError> {
    Labeller::new(frame).and_then(|l| l.label(target)).map_err(|e| refused(&e))
}

fn refused(e: &dyn std::fmt::Display) -> ResearchError {
    ResearchError::Refused(e.to_string())
}

fn entry(model: &str, trials: usize) -> ZooEntry {
    ZooEntry { model: model.to_owned(), is_shuffled: false, is_persistence: false, trials, folds: Vec::new() }
}

/// Rows of a fold for models that look at nothing but what was last.
struct BaselineRows {
    times: Vec<Ts>,
    labels: Vec<f64>,
    fit: Vec<u32>,
    tune: Vec<u32>,
    test: Vec<u32>,
    last: Features,
}

impl BaselineRows {
    fn new(study: &OutsideStudy, fold: &StudyFold) -> Result<Self, ResearchError> {
        let parts = [FoldPart::Fit, FoldPart::Tune, FoldPart::Test];
        let (mut rows, mut labels, mut ranges) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            let from = rows.len();
            rows.extend(OutsideStudy::rows(fold, part));
            labels.extend(study.labels_in(fold, part)?);
            let number = |n: usize| u32::try_from(n).map_err(|e| ResearchError::Failed(e.to_string()));
            ranges.push((number(from)?..number(rows.len())?).collect::<Vec<u32>>());
        }
        let (target, cuts) = (study.labels.target(), study.cuts(fold));
        let last: Vec<Option<f64>> = rows.iter().map(|row| last_of(&study.frame, *row, target, cuts)).collect();
        let last = Features::new(rows.len(), [last]).map_err(|e| ResearchError::Failed(e.to_string()))?;
        let times = rows.iter().map(|row| study.frame.times()[*row]).collect();
        let (test, tune, fit) = (ranges.pop(), ranges.pop(), ranges.pop());
        let of = |range: Option<Vec<u32>>| range.unwrap_or_default();
        Ok(Self { times, labels, fit: of(fit), tune: of(tune), test: of(test), last })
    }

    fn train_set(&self) -> TrainSet<'_> {
        TrainSet {
            features: &self.last,
            labels: &self.labels,
            weights: None,
            fit: &self.fit,
            inner: &self.tune,
            threads: FitThreads::default(),
        }
    }

    fn judged(&self) -> (Vec<Ts>, Vec<f64>) {
        let from = self.times.len() - self.test.len();
        (self.times[from..].to_vec(), self.labels[from..].to_vec())
    }

    fn tuned(&self) -> &[f64] {
        &self.labels[self.fit.len()..self.fit.len() + self.tune.len()]
    }
}
