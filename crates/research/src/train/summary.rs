//! Everything that a study has left, in one place: what a report of it is made of.

use super::artefact::{BOARD, FOLDS, read};
use super::backtest::{BACKTEST, BacktestReport};
use super::held::{HoldOutReport, held_file};
use super::importance::{IMPORTANCE, ImportanceReport};
use super::predicted::answers_of;
use super::request::StudyRequest;
use super::run::Study;
use crate::ResearchError;
use barograph_domain::{Span, Ts};
use barograph_lab::zoo::{ZooPrediction, ZooTask};
use barograph_lake::layers::{HourGap, LakeQuery, Layer, hours, unknown_times};
use barograph_study::folds::FoldSheet;
use barograph_study::targets::{LabelledRows, VolTerciles};
use barograph_verify::scores::{Binning, Case, ReliabilityBin, n_eff, reliability};
use std::path::Path;

/// Models whose probabilities are looked at.
const LEARNERS: [&str; 4] = ["linear", "gbm", "mlp", "ensemble"];

/// A study as its folder and the lake have it.
#[derive(Clone, PartialEq, Debug)]
pub struct StudySummary {
    /// Its board as it was written: columns that a later version added are in it.
    pub board: serde_json::Value,
    /// Folds over time.
    pub folds: Vec<FoldStretch>,
    /// Where the hold-out begins.
    pub hold_out_from: Option<Ts>,
    /// First and last row.
    pub span: [Ts; 2],
    /// Hours of the lake that it was made from.
    pub hours: usize,
    /// Where the recording has nothing, in the order of time.
    pub gaps: Vec<StudyGap>,
    /// Is the lake still as it was when the board was made?
    pub same_data: bool,
    /// Labelled test rows of all folds.
    pub n_test: usize,
    /// How many of those have windows that do not overlap.
    pub n_eff: usize,
    /// Calibration of the models that say probabilities, where they were kept.
    pub calibration: Vec<LearnerCalibration>,
    /// Its back-test, where one was run.
    pub backtest: Option<BacktestReport>,
    /// What a model goes by, where that was asked.
    pub importance: Option<ImportanceReport>,
}

/// One fold in time.
#[derive(Clone, PartialEq, Debug)]
pub struct FoldStretch {
    /// From 1, in the order of time.
    pub number: usize,
    /// First and last training row.
    pub train: [Ts; 2],
    /// Training rows.
    pub train_rows: usize,
    /// Where the embargo before the block begins.
    pub embargo_from: Ts,
    /// First row of the block, and when the last of its labels is known.
    pub test: [Ts; 2],
    /// Rows of the block.
    pub test_rows: usize,
}

/// A stretch of which nothing was recorded.
#[derive(Clone, PartialEq, Debug)]
pub struct StudyGap {
    /// The last moment that is known.
    pub from: Ts,
    /// The first behind it.
    pub until: Ts,
    /// Why, as the lake's manifest has it.
    pub reason: String,
}

/// Probabilities stated and frequencies that came, in ten bins of equally many test rows.
#[derive(Clone, PartialEq, Debug)]
pub struct LearnerCalibration {
    /// The model.
    pub model: String,
    /// The question: 0 of a yes or no, else the class.
    pub head: usize,
    /// The bins.
    pub bins: Vec<ReliabilityBin>,
}

/// Gathers a study. `step` is called with how many of how many steps are done.
///
/// # Errors
/// The study has no board, or the lake no rows.
pub fn summary(request: &StudyRequest, step: &mut dyn FnMut(usize, usize)) -> Result<StudySummary, ResearchError> {
    step(0, 1 + LEARNERS.len() * request.plan.folds);
    let mut board: serde_json::Value = read(&request.folder.join(BOARD))?;
    add_hold_out(&mut board, &request.folder)?;
    let sheet: FoldSheet = read(&request.folder.join(FOLDS))?;
    let study = Study::open(request)?;
    let times = study.rows.frame.times();
    let Some(span) = times.first().zip(times.last()).map(|(from, to)| [*from, *to]) else {
        return Err(ResearchError::Refused(format!("{} holds no rows of {}", request.lake.display(), request.market)));
    };
    let known = board.pointer("/about/data_digest").and_then(serde_json::Value::as_str);
    let horizon = request.target.horizon().unwrap_or(Span::secs(1));
    let tested = || study.folds.folds().iter().flat_map(|f| f.test.rows()).map(|row| times[row]);
    let (hours, gaps) = gaps(request)?;
    Ok(StudySummary {
        same_data: known == Some(study.rows.digest.as_str()),
        folds: stretches(&sheet, &study),
        hold_out_from: sheet.hold_out_from,
        span,
        hours,
        gaps,
        n_test: tested().count(),
        n_eff: n_eff(tested(), horizon),
        calibration: calibration(&study, request, step)?,
        backtest: there(&request.folder.join(BACKTEST))?,
        importance: there(&request.folder.join(IMPORTANCE))?,
        board,
    })
}

/// What a file holds; `None` where there is none.
fn there<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, ResearchError> {
    if path.is_file() { read(path).map(Some) } else { Ok(None) }
}

fn stretches(sheet: &FoldSheet, study: &Study<'_>) -> Vec<FoldStretch> {
    let times = study.rows.frame.times();
    let at = |row: usize| times.get(row).copied();
    let one = |fold: &barograph_study::folds::SheetFold| {
        let rows = || fold.learn.train.rows();
        let test = [fold.test_from?, fold.test_to?];
        Some(FoldStretch {
            number: fold.number,
            train: [at(rows().next()?)?, at(rows().last()?)?],
            train_rows: rows().count(),
            embargo_from: test[0] - fold.embargo,
            test,
            test_rows: fold.test.rows().count(),
        })
    };
    sheet.folds.iter().filter_map(one).collect()
}

/// Hours of the rows, and gaps of books and trades.
fn gaps(request: &StudyRequest) -> Result<(usize, Vec<StudyGap>), ResearchError> {
    let query = |layer, table: &str| LakeQuery {
        layer: Some(layer),
        table: Some(table.to_owned()),
        exchange: Some(request.market.venue.as_str().to_owned()),
        symbol: Some(request.market.symbol.clone()),
        ..LakeQuery::default()
    };
    let made = hours(&request.lake, &query(Layer::Silver, "features"))?.len();
    let books = unknown_times(&hours(&request.lake, &query(Layer::Bronze, "orderbook"))?)?;
    let gap = |g: HourGap| StudyGap { from: g.from, until: g.until, reason: g.reason };
    Ok((made, books.into_iter().map(gap).collect()))
}

fn calibration(
    study: &Study<'_>,
    request: &StudyRequest,
    step: &mut dyn FnMut(usize, usize),
) -> Result<Vec<LearnerCalibration>, ResearchError> {
    let task = super::fold::task_of(request.target);
    if task == ZooTask::Regression {
        return Ok(Vec::new());
    }
    let frame = &study.rows.frame;
    let horizon = request.target.horizon().unwrap_or(Span::secs(1));
    let mut out = Vec::new();
    let folds = study.folds.folds();
    for (n, model) in LEARNERS.into_iter().enumerate() {
        let mut cases: Vec<Vec<Case>> = vec![Vec::new(); task.heads()];
        for (at, fold) in folds.iter().enumerate() {
            step(1 + n * folds.len() + at, 1 + LEARNERS.len() * folds.len());
            // A model that was not fitted, or with other settings, has no diagram.
            let Ok(kept) = study.kept(model, fold) else {
                cases.clear();
                break;
            };
            let rows: Vec<usize> = fold.test.rows().collect();
            let Some(came) = classes(&study.labels, fold) else { continue };
            let said = answers_of(study, model, fold, &kept, &rows)?;
            for (at, (row, class)) in rows.iter().zip(came).enumerate() {
                let issued = frame.times()[*row];
                match &said {
                    ZooPrediction::Binary { probabilities, .. } => {
                        cases[0].push(Case { issued, p: probabilities[at], happened: class == 1 });
                    }
                    ZooPrediction::Classes { probabilities, .. } => {
                        for (head, of) in cases.iter_mut().enumerate() {
                            of.push(Case { issued, p: probabilities[at][head], happened: class == head });
                        }
                    }
                    ZooPrediction::Values(_) => {}
                }
            }
        }
        for (head, of) in cases.iter().enumerate().filter(|(_, of)| !of.is_empty()) {
            let bins = reliability(of, Binning::EqualCount, horizon);
            out.push(LearnerCalibration { model: model.to_owned(), head, bins });
        }
    }
    Ok(out)
}

/// Classes of the labels of a fold's test rows.
fn classes(labels: &LabelledRows, fold: &barograph_study::folds::StudyFold) -> Option<Vec<usize>> {
    let values = labels.of(&fold.test)?;
    let cuts = VolTerciles::fit(labels, &fold.learn.train);
    let ternary = matches!(labels.target(), barograph_study::targets::TargetId::Direction3(_));
    let class = |v: f64| match cuts {
        Some(cuts) => cuts.class(v).index(),
        None if ternary => usize::from(v > -0.5) + usize::from(v > 0.5),
        None => usize::from(v > 0.5),
    };
    Some(values.into_iter().map(class).collect())
}

/// Puts what the hold-out gave beside the models of a board, where it was opened: `hold_out_auc`. The first opening counts, because a later
/// one knows of it.
fn add_hold_out(board: &mut serde_json::Value, folder: &Path) -> Result<(), ResearchError> {
    let Some(hash) = board.get("config_hash").and_then(serde_json::Value::as_str) else { return Ok(()) };
    let path = folder.join(held_file(hash, 1));
    if !path.is_file() {
        return Ok(());
    }
    let held: HoldOutReport = read(&path)?;
    for at in ["/board/rows", "/rows"] {
        for row in board.pointer_mut(at).and_then(serde_json::Value::as_array_mut).into_iter().flatten() {
            let model = row.get("model").and_then(serde_json::Value::as_str);
            let auc = held.board.rows.iter().find(|r| Some(r.model.as_str()) == model).and_then(|r| r.auc);
            row["hold_out_auc"] = auc.into();
        }
    }
    Ok(())
}
