//! Fits what a study asks for, fold by fold.

use super::artefact::{BOARD, FOLDS, StudyBoard, StudyModelCost, StudyTarget, read, unlabelled, write};
use super::fold::{FoldRows, task_of};
use super::inputs::{HAR, LAST};
use super::lineup::{ALWAYS, LIGHTGBM};
use super::lock;
use super::money::{BoardMoney, money_of};
use super::registry::keep_best;
use super::reliability::{RELIABILITY, ReliabilitySheet, reliability_of};
use super::request::StudyRequest;
use super::runs::{RUNS, earlier_runs};
use super::trades::{ModelTrades, MoneyTerms};
use super::trials::{TrialLine, TrialLog};
use super::unfitted::{no_label, to_fit};
use super::weights::RowWeights;
use crate::ResearchError;
use crate::clock::now;
use crate::load::{LoadedRows, load};
use barograph_domain::{InstrumentName, Span};
use barograph_lab::zoo::board::{FoldPrediction, ZooBoard, ZooEntry};
use barograph_lab::zoo::{CalibrationRule, Features, FittedModel, Recipe, RecipeError, ZooModel, ZooTask};
use barograph_lake::layers::escape_name;
use barograph_models::fit_lightgbm;
use barograph_study::folds::{FoldSheet, StudyFold, StudyFolds};
use barograph_study::targets::{LabelledRows, Labeller, TargetId};
use barograph_study::transforms::{DropReason, Transforms};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Regimes with fewer rows to fit on are left to the model of all rows (research §4).
const REGIME_ROWS_MIN: usize = 5_000;

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
    /// Models that an ensemble could draw on: with others it is another model.
    #[serde(default)]
    members: Vec<String>,
}

/// A study with its rows, labels and folds.
pub(super) struct Study<'a> {
    pub(super) request: &'a StudyRequest,
    pub(super) rows: LoadedRows,
    pub(super) labels: LabelledRows,
    pub(super) folds: StudyFolds,
    task: ZooTask,
    pub(super) config_hash: String,
    parts: PathBuf,
    began: Instant,
    /// A model was left out because time was up.
    pub(super) is_cut: bool,
    pub(super) left_out: BTreeMap<String, String>,
}

/// Models scored on the same folds.
pub(super) struct ScoredModels {
    pub(super) board: ZooBoard,
    /// How often came what models stated, on test rows.
    pub(super) reliability: ReliabilitySheet,
    pub(super) costs: BTreeMap<String, StudyModelCost>,
    /// What models of others are known by, and on which fold.
    pub(super) others: Vec<(String, usize)>,
    /// Inputs and columns that are none, as of the last fold.
    pub(super) inputs: Vec<String>,
    pub(super) dropped: BTreeMap<String, String>,
}

/// Fits every model of the line-up on every fold, scores them on the same rows, and leaves board, folds and models in the folder. With terms,
/// what calls of a direction were worth on them is on the board too. The best model that learns is fitted once more on everything that is not
/// held out, and becomes the current artefact.
///
/// # Errors
/// There are no rows, too few of them for the plan, or the folder cannot be written.
pub fn study(
    request: &StudyRequest,
    terms: Option<&MoneyTerms>,
    step: &mut dyn FnMut(&StudyStep),
) -> Result<StudyBoard, ResearchError> {
    let mut study = Study::open(request)?;
    std::fs::create_dir_all(&study.parts)
        .map_err(|e| ResearchError::Refused(format!("cannot write into {}: {e}", request.folder.display())))?;
    let _alone = lock::training(request)?;
    let sheet = FoldSheet::new(request.target, study.rows.frame.len(), &study.folds);
    let mut board = study.board(terms, step)?;
    keep_best(&mut study, &mut board, &sheet)?;
    let run = request.folder.join(RUNS).join(&board.run);
    std::fs::create_dir_all(&run)
        .map_err(|e| ResearchError::Refused(format!("cannot write into {}: {e}", run.display())))?;
    write(&run.join(FOLDS), &sheet, false)?;
    write(&run.join(BOARD), &board, true)?;
    // The newest of all runs is found beside them.
    write(&request.folder.join(FOLDS), &sheet, false)?;
    write(&request.folder.join(BOARD), &board, true)?;
    Ok(board)
}

fn hash(request: &StudyRequest, data: &str) -> Result<String, ResearchError> {
    // Not the line-up: a model is the same whoever else is fitted.
    let of = (data, request.target, request.plan, request.preset, request.seed);
    // Even weights add nothing, so that studies which know of none go on.
    let text = match request.weights {
        RowWeights::Even => serde_json::to_vec(&of),
        weights @ RowWeights::Uniqueness => serde_json::to_vec(&(of, weights)),
    };
    Ok(hex(&text.map_err(|e| ResearchError::Failed(e.to_string()))?))
}

/// SHA-256 in 64 hexadecimal digits.
pub(super) fn hex(text: &[u8]) -> String {
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

/// What names a board: the settings of its fits, its models and what was traded on.
fn run_of(config_hash: &str, own: &[&str], others: &[(String, usize)], terms: Option<&MoneyTerms>) -> String {
    let words = terms.map(MoneyTerms::words).unwrap_or_default();
    let funding: Vec<String> =
        terms.map(|t| t.funding.iter().map(|p| format!("{} {}", p.at.0, p.rate)).collect()).unwrap_or_default();
    let models =
        own.iter().copied().chain(others.iter().map(|(known, _)| known.as_str())).collect::<Vec<_>>().join(",");
    let mut run = hex(format!("{config_hash} {models} {words} {}", funding.join(",")).as_bytes());
    run.truncate(12);
    run
}

impl<'r> Study<'r> {
    pub(super) fn open(request: &'r StudyRequest) -> Result<Self, ResearchError> {
        let began = Instant::now();
        let refused = |e: &dyn std::fmt::Display| ResearchError::Refused(e.to_string());
        let rows = load(&request.lake, &request.market)?;
        let labels = Labeller::new(&rows.frame).and_then(|l| l.label(request.target)).map_err(|e| refused(&e))?;
        if labels.spans().as_slice().is_empty() {
            return Err(no_label(request.target, &rows, &labels));
        }
        let folds = StudyFolds::new(labels.spans(), &request.plan).map_err(|e| refused(&e))?;
        let config_hash = hash(request, &rows.digest)?;
        let parts = request.folder.join(format!("fits-{}", &config_hash[..12]));
        let task = task_of(request.target);
        Ok(Self {
            request,
            rows,
            labels,
            folds,
            task,
            config_hash,
            parts,
            began,
            is_cut: false,
            left_out: BTreeMap::new(),
        })
    }

    /// A model as an earlier run of this study left it.
    pub(super) fn kept(&self, name: &str, fold: &StudyFold) -> Result<KeptFit, ResearchError> {
        read(&self.parts.join(format!("{name}-{}.json", fold.number))).map_err(|e| match e {
            ResearchError::Refused(_) => ResearchError::Refused(format!(
                "{name} was not fitted for fold {} with these settings; {}",
                fold.number,
                to_fit(self.request, &self.config_hash, name)
            )),
            failed @ ResearchError::Failed(_) => failed,
        })
    }

    /// Digest of the fits of some models on some folds: with the same settings another program may have fitted others.
    pub(super) fn fits_digest(&self, models: &[&str], folds: &[StudyFold]) -> Result<String, ResearchError> {
        let mut digest = Sha256::new();
        for (name, fold) in models.iter().flat_map(|name| folds.iter().map(move |fold| (name, fold))) {
            match std::fs::read(self.parts.join(format!("{name}-{}.json", fold.number))) {
                Ok(fit) => digest.update(&fit),
                // Says why it is not there.
                Err(_) => drop(self.kept(name, fold)?),
            }
        }
        Ok(digest.finalize().iter().map(|b| format!("{b:02x}")).collect())
    }

    /// Where what belongs to these settings is kept.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.parts.join(name)
    }

    /// All trials so far for this target, of whatever settings.
    pub(super) fn trials(&self) -> Result<usize, ResearchError> {
        Ok(TrialLog::open(&self.request.folder)?.all())
    }

    /// All fits so far for this target, of whatever settings and models.
    pub(super) fn fits(&self) -> Result<usize, ResearchError> {
        Ok(TrialLog::open(&self.request.folder)?.fitted_beside(&self.config_hash, &[]))
    }

    fn log_fit(&self, model: &str, fold: usize, trials: usize, outcome: &str) -> Result<(), ResearchError> {
        let line = TrialLine {
            at: String::new(),
            config_hash: self.config_hash.clone(),
            model: model.to_owned(),
            fold: Some(fold),
            terms: None,
            trials,
            outcome: outcome.to_owned(),
            ratios: Vec::new(),
        };
        TrialLog::open(&self.request.folder)?.add(now(), line)
    }

    /// Sharpe ratios per day of all that was ever traded for this target.
    pub(super) fn ratios(&self) -> Result<Vec<f64>, ResearchError> {
        Ok(TrialLog::open(&self.request.folder)?.ratios())
    }

    /// Thresholds that were traded are trials too.
    pub(super) fn log_thresholds(
        &self,
        model: &str,
        terms: &MoneyTerms,
        traded: &ModelTrades,
    ) -> Result<(), ResearchError> {
        let line = TrialLine {
            at: String::new(),
            config_hash: self.config_hash.clone(),
            model: model.to_owned(),
            fold: None,
            terms: Some(terms.words()),
            trials: traded.tried,
            outcome: "traded".to_owned(),
            ratios: traded.ratios(),
        };
        TrialLog::open(&self.request.folder)?.add(now(), line)
    }

    /// Fits and scores the line-up over some folds; a model that could not be fitted on one of them is not compared with those that were.
    pub(super) fn scored(
        &mut self,
        folds: &[StudyFold],
        step: &mut dyn FnMut(&StudyStep),
    ) -> Result<ScoredModels, ResearchError> {
        let names = self.request.lineup.names();
        let mut entries: Vec<ZooEntry> = names.iter().map(|name| entry_of(name)).collect();
        let outside = self.request.lineup.outside();
        let mut known_by = Vec::new();
        let mut others: Vec<ZooEntry> = outside.iter().map(|files| entry_of(&files.name)).collect();
        let mut costs: BTreeMap<String, StudyModelCost> = BTreeMap::new();
        let (mut inputs, mut dropped) = (Vec::new(), BTreeMap::new());
        let mut done = 0;
        for fold in folds {
            let transforms = Transforms::fit(&self.rows.frame, &fold.learn.train)
                .map_err(|e| ResearchError::Refused(e.to_string()))?;
            let rows = FoldRows::new(
                &self.rows.frame,
                &self.labels,
                &fold.learn,
                &fold.test,
                &transforms,
                self.request.weights,
            )?;
            for (entry, name) in entries.iter_mut().zip(names) {
                step(&StudyStep { done, of: names.len() * folds.len(), model: name });
                done += 1;
                let Some((fitted, features)) = self.fitted(fold.number, name, &rows)? else { continue };
                self.judge(entry, &rows, &fitted, features, costs.entry((*name).to_owned()).or_default())?;
            }
            for (entry, files) in others.iter_mut().zip(outside) {
                let began = Instant::now();
                let said = files.predicted(&self.rows.frame, fold, &rows, self.task)?;
                let judged = f64::from(u32::try_from(said.labels.len()).unwrap_or(u32::MAX).max(1));
                costs.entry(files.name.clone()).or_default().predict_us_row =
                    began.elapsed().as_secs_f64() * 1e6 / judged;
                let known = files.known_by(fold.number)?;
                self.log_fit(&known, fold.number, 1, "judged")?;
                known_by.push((known, fold.number));
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
        let reliability = reliability_of(self.task, &entries, horizon);
        Ok(ScoredModels {
            board: ZooBoard::of(self.task, &entries, horizon, block),
            reliability,
            costs,
            others: known_by,
            inputs,
            dropped,
        })
    }

    fn board(
        &mut self,
        terms: Option<&MoneyTerms>,
        step: &mut dyn FnMut(&StudyStep),
    ) -> Result<StudyBoard, ResearchError> {
        let names = self.request.lineup.names();
        let folds: Vec<StudyFold> = self.folds.folds().to_vec();
        let ScoredModels { mut board, reliability, costs, others, inputs, dropped } = self.scored(&folds, step)?;
        write(&self.request.folder.join(RELIABILITY), &reliability, false)?;
        // A model that was dropped counts like any other that is not on the board.
        let own = board.rows.iter().map(|r| (r.model.as_str(), None));
        let theirs = others.iter().map(|(known, fold)| (known.as_str(), Some(*fold)));
        let on_board: Vec<(&str, Option<usize>)> = own.chain(theirs).collect();
        let beside = TrialLog::open(&self.request.folder)?.fitted_beside(&self.config_hash, &on_board);
        board.rows.iter_mut().for_each(|row| row.n_trials += beside);
        let (money, no_money) = self.money(&board, &folds, terms, step)?;
        let run = run_of(&self.config_hash, names, &others, terms);
        let mut board = StudyBoard {
            about: self.about(),
            plan: self.request.plan,
            embargo_s: folds.iter().map(|f| f.embargo.as_secs_f64()).collect(),
            seed: self.request.seed,
            preset: self.request.preset_word().to_owned(),
            weights: self.request.weights,
            config_hash: self.config_hash.clone(),
            made: now().iso_millis(),
            artefact: None,
            no_artefact: None,
            earlier_runs: earlier_runs(&self.request.folder, &run)?,
            run,
            earlier_trials: beside,
            stamp: board.leak.stamp().map(str::to_owned),
            board,
            costs,
            money,
            no_money,
            rows: Vec::new(),
            left_out: self.left_out.clone(),
            dropped,
            inputs,
        };
        board.rows = board.table();
        Ok(board)
    }

    fn money(
        &self,
        board: &ZooBoard,
        folds: &[StudyFold],
        terms: Option<&MoneyTerms>,
        step: &mut dyn FnMut(&StudyStep),
    ) -> Result<(Option<BoardMoney>, Option<String>), ResearchError> {
        let absent = |why: &str| Ok((None, Some(why.to_owned())));
        if !matches!(self.request.target, TargetId::Direction(_)) {
            return absent("only calls of a direction over time are traded: dir_1s, dir_5s, dir_30s, dir_1m, dir_5m");
        }
        let Some(terms) = terms else {
            return absent("no fee was given, and none is assumed: --fee TIER=BPS, as in VIP0=5");
        };
        let models: Vec<&'static str> =
            self.request.lineup.names().iter().copied().filter(|n| board.rows.iter().any(|r| r.model == *n)).collect();
        let mut trading = |done, of| step(&StudyStep { done, of, model: "trading" });
        match money_of(self, &models, folds, terms, &mut trading) {
            Ok(money) => Ok((Some(money), None)),
            Err(ResearchError::Refused(why)) => Ok((None, Some(why))),
            Err(failed) => Err(failed),
        }
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

    /// The model of a fold: as an earlier start left it, or fitted now. `None`: it cannot be fitted, and is left out. Fold 0 is everything
    /// that is not held out: what is fitted on it is no other configuration, and no trial.
    pub(super) fn fitted<'a>(
        &mut self,
        fold: usize,
        name: &'static str,
        rows: &'a FoldRows,
    ) -> Result<Option<(KeptFit, &'a Features)>, ResearchError> {
        if self.left_out.contains_key(name) {
            return Ok(None);
        }
        let Some((model, features)) = self.model_of(name, rows) else { return Ok(None) };
        let path = self.parts.join(format!("{name}-{fold}.json"));
        let members = if name == "ensemble" { self.drawn_on() } else { Vec::new() };
        if let Some(kept) = read::<KeptFit>(&path).ok().filter(|kept| kept.members == members) {
            if fold > 0 {
                self.log_fit(name, fold, kept.model.trials(), "fitted")?;
            }
            return Ok(Some((kept, features)));
        }
        if let Some(why) = self.over_limit(fold, name) {
            self.left_out.insert(name.to_owned(), why);
            self.is_cut = true;
            return Ok(None);
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
            "ensemble" => self.members(fold, &members).and_then(|members| Ok(recipe.blend(&members, &train)?)),
            LIGHTGBM => fit_lightgbm(&recipe, &train).map_err(|e| NotFitted(e.to_string())),
            _ => recipe.fit(&train).map_err(NotFitted::from),
        };
        match fitted {
            Ok(model) => {
                // Counted before it is kept: a study that is stopped in between counts it once, as it is known by what was fitted.
                if fold > 0 {
                    self.log_fit(name, fold, model.trials(), "fitted")?;
                }
                let kept = KeptFit { model, fit_s: began.elapsed().as_secs_f64(), members };
                write(&path, &kept, false)?;
                Ok(Some((kept, features)))
            }
            Err(why) => {
                if fold > 0 {
                    self.log_fit(name, fold, 1, &why.0)?;
                }
                let which = if fold > 0 { format!("fold {fold}") } else { "all that is not held out".to_owned() };
                self.left_out.insert(name.to_owned(), format!("{which}: {}", why.0));
                Ok(None)
            }
        }
    }

    /// Why a model is not fitted any more: the clock decides nothing but whether there is a result, and without baselines and control no
    /// board says anything.
    fn over_limit(&self, fold: usize, name: &str) -> Option<String> {
        let limit = self.request.time_limit;
        let is_over = fold > 0 && !ALWAYS.contains(&name) && self.began.elapsed().as_secs_f64() >= limit.as_secs_f64();
        is_over.then(|| {
            let limit = limit.compact();
            format!(
                "the time limit of {limit} was up before fold {fold}; run the same command again to continue, or raise --time-limit"
            )
        })
    }

    /// Learners of the line-up that the ensemble may draw on: those that see the same inputs.
    fn drawn_on(&self) -> Vec<String> {
        let of_lineup = |name: &&str| self.request.lineup.names().contains(name);
        ["linear", "gbm", "mlp"].iter().filter(|n| of_lineup(n)).map(|n| (*n).to_owned()).collect()
    }

    /// Those of them that were fitted on this fold.
    fn members(&self, fold: usize, drawn_on: &[String]) -> Result<Vec<FittedModel>, NotFitted> {
        let of = |name: &String| {
            let path = self.parts.join(format!("{name}-{fold}.json"));
            read::<KeptFit>(&path).ok().map(|kept| kept.model)
        };
        let members: Vec<FittedModel> = drawn_on.iter().filter_map(of).collect();
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

/// Where studies of a target are kept, below a folder: names are escaped as in the lake, so that none leads out of it.
#[must_use]
pub fn folder_of(root: &Path, market: &InstrumentName, target: TargetId) -> PathBuf {
    let name = |of: &str| {
        let dots = of.bytes().all(|b| b == b'.');
        if dots { "%2E".repeat(of.len()) } else { escape_name(of) }
    };
    root.join(name(market.venue.as_str())).join(name(&market.symbol)).join(target.name())
}

const fn why_dropped(why: DropReason) -> &'static str {
    match why {
        DropReason::Meta => "says what the row is",
        DropReason::Target => "is what is predicted",
        DropReason::NeverThere => "no training row has it",
        DropReason::Constant => "does not vary over the training rows",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn another_file_of_somebody_else_makes_another_run() {
        let run = |others: &[&str]| {
            run_of("c", &["gbm"], &others.iter().map(|o| ((*o).to_owned(), 1)).collect::<Vec<_>>(), None)
        };
        let runs = BTreeSet::from([run(&[]), run(&["mine@a"]), run(&["mine@b"]), run(&["yours@a"])]);
        assert_eq!(runs.len(), 4);
        assert_eq!(run(&["mine@a"]), run(&["mine@a"]));
    }
}
