//! Fits what a study asks for, fold by fold.

use super::artefact::{BOARD, FOLDS, StudyBoard, StudyModelCost, StudyTarget, read, unlabelled, write};
use super::fold::{FoldRows, HAR, LAST, task_of};
use super::lineup::Lineup;
use super::reliability::{RELIABILITY, reliability_of};
use crate::ResearchError;
use crate::load::{LoadedRows, load};
use barograph_domain::{InstrumentName, Span};
use barograph_lab::zoo::board::{FoldPrediction, ZooBoard, ZooEntry};
use barograph_lab::zoo::{CalibrationRule, Features, FittedModel, Preset, Recipe, RecipeError, ZooModel, ZooTask};
use barograph_study::folds::{FoldPlan, FoldSheet, StudyFold, StudyFolds};
use barograph_study::targets::{LabelledRows, Labeller, TargetId};
use barograph_study::transforms::{DropReason, Transforms};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Regimes with fewer rows to fit on are left to the model of all rows (research §4).
const REGIME_ROWS_MIN: usize = 5_000;

/// What is asked.
#[derive(Clone, Debug)]
pub struct StudyRequest {
    /// The lake.
    pub lake: PathBuf,
    /// Whose rows.
    pub market: InstrumentName,
    /// What is predicted.
    pub target: TargetId,
    /// How rows are divided.
    pub plan: FoldPlan,
    /// How much is tried.
    pub preset: Preset,
    /// Decides every draw.
    pub seed: u64,
    /// Which models.
    pub lineup: Lineup,
    /// The folder of the study; a study of the same settings that was stopped there goes on.
    pub folder: PathBuf,
}

/// How far a study is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StudyStep {
    /// Models fitted, of all folds.
    pub done: usize,
    /// Models to fit.
    pub of: usize,
    /// The one that is fitted now.
    pub model: &'static str,
}

/// A model of one fold, as it is kept between two starts.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptFit {
    pub(super) model: FittedModel,
    fit_s: f64,
}

/// A study with its rows, labels and folds.
pub(super) struct Study<'a> {
    request: &'a StudyRequest,
    pub(super) rows: LoadedRows,
    pub(super) labels: LabelledRows,
    pub(super) folds: StudyFolds,
    task: ZooTask,
    config_hash: String,
    parts: PathBuf,
    left_out: BTreeMap<String, String>,
}

/// Fits every model of the line-up on every fold, scores them on the same rows, and leaves board, folds and models in the folder.
///
/// # Errors
/// There are no rows, too few of them for the plan, or the folder cannot be written.
pub fn study(request: &StudyRequest, step: &mut dyn FnMut(&StudyStep)) -> Result<StudyBoard, ResearchError> {
    let mut study = Study::open(request)?;
    std::fs::create_dir_all(&study.parts)
        .map_err(|e| ResearchError::Refused(format!("cannot write into {}: {e}", request.folder.display())))?;
    let sheet = FoldSheet::new(request.target, study.rows.frame.len(), &study.folds);
    write(&request.folder.join(FOLDS), &sheet, false)?;
    let board = study.board(step)?;
    write(&request.folder.join(BOARD), &board, true)?;
    Ok(board)
}

fn hash(request: &StudyRequest, data: &str) -> Result<String, ResearchError> {
    // Not the line-up: a model is the same whoever else is fitted.
    let of = (data, request.target, request.plan, request.preset, request.seed);
    let text = serde_json::to_vec(&of).map_err(|e| ResearchError::Failed(e.to_string()))?;
    Ok(Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect())
}

impl<'r> Study<'r> {
    pub(super) fn open(request: &'r StudyRequest) -> Result<Self, ResearchError> {
        let refused = |e: &dyn std::fmt::Display| ResearchError::Refused(e.to_string());
        let rows = load(&request.lake, &request.market)?;
        let labels = Labeller::new(&rows.frame).and_then(|l| l.label(request.target)).map_err(|e| refused(&e))?;
        let folds = StudyFolds::new(labels.spans(), &request.plan).map_err(|e| refused(&e))?;
        let config_hash = hash(request, &rows.digest)?;
        let parts = request.folder.join(format!("fits-{}", &config_hash[..12]));
        let task = task_of(request.target);
        Ok(Self { request, rows, labels, folds, task, config_hash, parts, left_out: BTreeMap::new() })
    }

    /// A model as an earlier run of this study left it.
    pub(super) fn kept(&self, name: &str, fold: &StudyFold) -> Result<KeptFit, ResearchError> {
        read(&self.parts.join(format!("{name}-{}.json", fold.number))).map_err(|e| match e {
            ResearchError::Refused(_) => ResearchError::Refused(format!(
                "{name} was not fitted for fold {} with these settings; run it first: barograph lab train {} --target {}",
                fold.number, self.request.market, self.request.target
            )),
            failed @ ResearchError::Failed(_) => failed,
        })
    }

    fn board(&mut self, step: &mut dyn FnMut(&StudyStep)) -> Result<StudyBoard, ResearchError> {
        let names = self.request.lineup.names();
        let folds: Vec<StudyFold> = self.folds.folds().to_vec();
        let mut entries: Vec<ZooEntry> = names.iter().map(|name| entry_of(name)).collect();
        let outside = self.request.lineup.outside();
        let mut others: Vec<ZooEntry> = outside.iter().map(|files| entry_of(&files.name)).collect();
        let mut costs: BTreeMap<String, StudyModelCost> = BTreeMap::new();
        let (mut inputs, mut dropped) = (Vec::new(), BTreeMap::new());
        let mut done = 0;
        for fold in &folds {
            let transforms = Transforms::fit(&self.rows.frame, &fold.learn.train)
                .map_err(|e| ResearchError::Refused(e.to_string()))?;
            let rows = FoldRows::new(&self.rows.frame, &self.labels, &fold.learn, &fold.test, &transforms)?;
            for (entry, name) in entries.iter_mut().zip(names) {
                step(&StudyStep { done, of: names.len() * folds.len(), model: name });
                done += 1;
                let Some((fitted, features)) = self.fitted(fold, name, &rows)? else { continue };
                self.judge(entry, &rows, &fitted, features, costs.entry((*name).to_owned()).or_default())?;
            }
            for (entry, files) in others.iter_mut().zip(outside) {
                let began = Instant::now();
                let said = files.predicted(&self.rows.frame, fold, &rows, self.task)?;
                let judged = f64::from(u32::try_from(said.labels.len()).unwrap_or(u32::MAX).max(1));
                costs.entry(files.name.clone()).or_default().predict_us_row =
                    began.elapsed().as_secs_f64() * 1e6 / judged;
                entry.trials += 1;
                entry.folds.push(said);
            }
            inputs = rows.names;
            dropped = transforms.dropped().iter().map(|d| (d.name.clone(), why_dropped(d.why).to_owned())).collect();
        }
        entries.extend(others);
        // A model that could not be fitted on one of the folds is not compared with those that were.
        entries.retain(|e| e.folds.len() == folds.len() && !self.left_out.contains_key(&e.model));
        let horizon = self.request.target.horizon().unwrap_or(Span::secs(1));
        let block = Span(horizon.0.saturating_mul(60)).max(Span::mins(10));
        let board = ZooBoard::of(self.task, &entries, horizon, block);
        write(&self.request.folder.join(RELIABILITY), &reliability_of(self.task, &entries, horizon), false)?;
        Ok(StudyBoard {
            about: self.about(),
            plan: self.request.plan,
            embargo_s: folds.iter().map(|f| f.embargo.as_secs_f64()).collect(),
            seed: self.request.seed,
            preset: if self.request.preset == Preset::Best { "best" } else { "quick" }.to_owned(),
            config_hash: self.config_hash.clone(),
            stamp: board.leak.stamp().map(str::to_owned),
            board,
            costs,
            left_out: self.left_out.clone(),
            dropped,
            inputs,
        })
    }

    fn about(&self) -> StudyTarget {
        let frame = &self.rows.frame;
        let span = frame.times().first().zip(frame.times().last());
        let zeros = span.and_then(|(from, to)| self.labels.zeros_between(*from, *to));
        StudyTarget {
            target: self.request.target.name().to_owned(),
            market: self.request.market.to_string(),
            horizon_s: self.request.target.horizon().map(|h| h.as_secs_f64()),
            rows: frame.len(),
            labelled: self.labels.spans().as_slice().len(),
            unlabelled: unlabelled(self.labels.unlabelled()),
            zero_share: zeros.and_then(barograph_study::targets::ZeroShare::share),
            span: span.map(|(from, to)| [from.to_string(), to.to_string()]),
            data_digest: self.rows.digest.clone(),
        }
    }

    /// The model of a fold: as an earlier start left it, or fitted now. `None`: it cannot be fitted, and is left out.
    fn fitted<'a>(
        &mut self,
        fold: &StudyFold,
        name: &'static str,
        rows: &'a FoldRows,
    ) -> Result<Option<(KeptFit, &'a Features)>, ResearchError> {
        if self.left_out.contains_key(name) {
            return Ok(None);
        }
        let Some((model, features)) = self.model_of(name, rows) else { return Ok(None) };
        let path = self.parts.join(format!("{name}-{}.json", fold.number));
        if let Ok(kept) = read::<KeptFit>(&path) {
            return Ok(Some((kept, features)));
        }
        let began = Instant::now();
        let recipe = Recipe {
            model,
            task: self.task,
            preset: self.request.preset,
            seed: self.request.seed,
            calibration: CalibrationRule::Platt,
        };
        let train = rows.train_set(features);
        let fitted = match name {
            "ensemble" => self.members(fold).and_then(|members| Ok(recipe.blend(&members, &train)?)),
            _ => recipe.fit(&train).map_err(NotFitted::from),
        };
        match fitted {
            Ok(model) => {
                let kept = KeptFit { model, fit_s: began.elapsed().as_secs_f64() };
                write(&path, &kept, false)?;
                Ok(Some((kept, features)))
            }
            Err(why) => {
                self.left_out.insert(name.to_owned(), format!("fold {}: {}", fold.number, why.0));
                Ok(None)
            }
        }
    }

    /// What the ensemble may draw on: the learners of this fold that see the same inputs.
    fn members(&self, fold: &StudyFold) -> Result<Vec<FittedModel>, NotFitted> {
        let of = |name: &&str| {
            let path = self.parts.join(format!("{name}-{}.json", fold.number));
            read::<KeptFit>(&path).ok().map(|kept| kept.model)
        };
        let members: Vec<FittedModel> = ["linear", "gbm", "mlp"].iter().filter_map(of).collect();
        if members.len() < 2 {
            return Err(NotFitted("there are not two models to draw on; add linear, gbm or mlp".to_owned()));
        }
        Ok(members)
    }

    fn model_of<'a>(&mut self, name: &'static str, rows: &'a FoldRows) -> Option<(ZooModel, &'a Features)> {
        let mut leave = |why: String| {
            self.left_out.insert(name.to_owned(), why);
            None
        };
        Some(match name {
            "prior" => (ZooModel::Prior, &rows.plain),
            "persistence" => (ZooModel::Persistence { column: LAST }, &rows.plain),
            "har" if self.request.target != TargetId::VolRegime => {
                return leave("it predicts volatility only".to_owned());
            }
            "har" => (ZooModel::Har { columns: HAR }, &rows.plain),
            "linear" => (ZooModel::Linear, &rows.inputs),
            "mlp" => (ZooModel::Mlp, &rows.inputs),
            "ensemble" => (ZooModel::Ensemble { of: Vec::new() }, &rows.inputs),
            "regime_gbm" if rows.regimes.iter().all(|n| *n < REGIME_ROWS_MIN) => {
                let most = rows.regimes.iter().max().copied().unwrap_or_default();
                return leave(format!(
                    "no volatility regime has {REGIME_ROWS_MIN} rows to fit on (the largest has {most}), so it would be gbm"
                ));
            }
            "regime_gbm" => {
                let of = Box::new(ZooModel::Gbm);
                let column = rows.inputs.columns();
                (ZooModel::ByRegime { column, of, rows_min: REGIME_ROWS_MIN }, &rows.routed)
            }
            "shuffled" => {
                let horizon = self.request.target.horizon().unwrap_or(Span::secs(5));
                let seconds = usize::try_from(horizon.0 / Span::secs(1).0).unwrap_or(1).max(1);
                (ZooModel::Shuffled { of: Box::new(ZooModel::Gbm), block_rows: 10 * seconds }, &rows.inputs)
            }
            _ => (ZooModel::Gbm, &rows.inputs),
        })
    }

    fn judge(
        &self,
        entry: &mut ZooEntry,
        rows: &FoldRows,
        kept: &KeptFit,
        features: &Features,
        cost: &mut StudyModelCost,
    ) -> Result<(), ResearchError> {
        let began = Instant::now();
        let said = kept.model.predict(features, &rows.test);
        let judged = u32::try_from(rows.test.len()).unwrap_or(u32::MAX).max(1);
        cost.predict_us_row = began.elapsed().as_secs_f64() * 1e6 / f64::from(judged);
        cost.fit_s += kept.fit_s;
        let bytes = serde_json::to_vec(&kept.model).map_err(|e| ResearchError::Failed(e.to_string()))?.len();
        cost.size_kb = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1_024.0;
        let (times, labels) = rows.judged();
        entry.trials += kept.model.trials();
        entry.folds.push(FoldPrediction { times, labels, said, base: kept.model.base().to_vec() });
        Ok(())
    }
}

/// Why a model was not fitted.
struct NotFitted(String);

impl From<RecipeError> for NotFitted {
    fn from(e: RecipeError) -> Self {
        Self(e.to_string())
    }
}

fn entry_of(name: &str) -> ZooEntry {
    ZooEntry {
        model: name.to_owned(),
        is_shuffled: name == "shuffled",
        is_persistence: name == "persistence",
        trials: 0,
        folds: Vec::new(),
    }
}

/// Where studies of a target are kept, below a folder.
#[must_use]
pub fn folder_of(root: &Path, market: &InstrumentName, target: TargetId) -> PathBuf {
    root.join(market.venue.as_str()).join(&market.symbol).join(target.name())
}

const fn why_dropped(why: DropReason) -> &'static str {
    match why {
        DropReason::Meta => "says what the row is",
        DropReason::Target => "is what is predicted",
        DropReason::NeverThere => "no training row has it",
        DropReason::Constant => "does not vary over the training rows",
    }
}
