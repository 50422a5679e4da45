//! The current models of a market over rows of the lake that are new to them: predictions as gold, and forecasts in the shadow ledger.

use super::fold::task_of;
use super::registry::OpenedArtefact;
use super::shadow::{GRID, ShadowEntry, ShadowLedger, ShadowScore};
use crate::ResearchError;
use crate::clock::now;
use crate::dataset::CLOSE_AFTER;
use crate::load::load_from;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lab::zoo::ZooPrediction;
use barograph_lake::layers::{GoldPrediction, LakeConfig, LakeMarket, PredictionWriter};
use barograph_study::targets::TargetId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is to be predicted.
#[derive(Clone, Debug)]
pub struct PredictRequest {
    /// The lake.
    pub lake: PathBuf,
    /// Whose rows.
    pub market: InstrumentName,
    /// Targets with their folders.
    pub targets: Vec<(TargetId, PathBuf)>,
}

/// What was predicted of one target.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PredictedTarget {
    /// The target.
    pub target: TargetId,
    /// The artefact that predicts it.
    pub artefact: String,
    /// Its model.
    pub model: String,
    /// Rows predicted since the start.
    pub rows: usize,
    /// The last of them, with what is stated: a probability, three of them, or a number.
    pub latest: Option<(Ts, Vec<f64>)>,
    /// How its forecasts did so far, of this start and of earlier ones.
    pub shadow: ShadowScore,
}

/// The models of a market, ready to predict.
pub struct Predictor {
    request: PredictRequest,
    opened: Vec<(OpenedArtefact, ShadowLedger, Predicted)>,
    writer: PredictionWriter,
    /// Rows up to here are done.
    done: Ts,
}

#[derive(Default)]
struct Predicted {
    rows: usize,
    latest: Option<(Ts, Vec<f64>)>,
}

impl core::fmt::Debug for Predictor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Predictor").field("request", &self.request).field("done", &self.done).finish_non_exhaustive()
    }
}

impl Predictor {
    /// Opens the current artefact of every target, and the table of predictions.
    ///
    /// # Errors
    /// A target has no artefact, or its horizon is no time; another process writes the predictions of this market.
    pub fn open(request: PredictRequest) -> Result<Self, ResearchError> {
        let mut opened = Vec::new();
        let mut done = Ts::MAX;
        for (target, folder) in &request.targets {
            if target.horizon().is_none() {
                return Err(ResearchError::Refused(format!(
                    "{target} is about changes of the book, and nobody knows when they come: its predictions have no end to stand in the lake with"
                )));
            }
            let artefact = OpenedArtefact::current(folder, &request.market.to_string(), *target)?;
            let data_to = Ts::parse(&artefact.files.data_to).map_err(ResearchError::Failed)?;
            done = done.min(data_to);
            opened.push((artefact, ShadowLedger::open(folder)?, Predicted::default()));
        }
        let place = LakeMarket::new(request.market.venue.as_str(), request.market.symbol.as_str());
        let (writer, _) = PredictionWriter::open(LakeConfig::live(&request.lake), place)?;
        let mut predictor = Self { request, opened, writer, done };
        predictor.done = predictor.writer.partition().last_ts().map_or(done, |last| last.max(done));
        Ok(predictor)
    }

    /// Moment up to which rows were predicted, or are left to what the models were made with.
    #[must_use]
    pub const fn done(&self) -> Ts {
        self.done
    }

    /// Predicts what is new in the lake, and resolves forecasts whose outcome is known by now; how many rows there were.
    ///
    /// # Errors
    /// The lake cannot be read or written.
    pub fn step(&mut self) -> Result<usize, ResearchError> {
        let longest = self.request.targets.iter().filter_map(|(t, _)| t.horizon()).max().unwrap_or(Span::ZERO);
        let waits = self.opened.iter().filter_map(|(_, ledger, _)| ledger.waits_since()).min();
        // What was said last looks back over a horizon.
        let from = waits.map_or(self.done, |t| t.min(self.done));
        let loaded = load_from(&self.request.lake, &self.request.market, Some(Ts(from.0.saturating_sub(longest.0))))?;
        let frame = &loaded.frame;
        let rows: Vec<usize> =
            (0..frame.len()).filter(|row| frame.times()[*row] > self.done && frame.is_valid(*row)).collect();
        let made_at = now();
        let mut gold: BTreeMap<(Ts, usize), Vec<f64>> = BTreeMap::new();
        for (n, (artefact, ledger, predicted)) in self.opened.iter_mut().enumerate() {
            let data_to = Ts::parse(&artefact.files.data_to).map_err(ResearchError::Failed)?;
            let target = artefact.maker.target();
            let own: Vec<usize> = rows.iter().copied().filter(|row| frame.times()[*row] > data_to).collect();
            let stated = stated(artefact, &loaded.frame, &own)?;
            let mut issues = Vec::new();
            for (row, stated) in own.iter().zip(stated) {
                let t = frame.times()[*row];
                if t == t.floor(GRID) {
                    issues.push(ShadowEntry::Issue {
                        artefact: artefact.files.artefact.clone(),
                        t,
                        resolve_after: t + target.horizon().unwrap_or(Span::ZERO),
                        made: made_at.max(t + CLOSE_AFTER),
                        stated: stated.clone(),
                        base: artefact.model.base().to_vec(),
                    });
                }
                predicted.rows += 1;
                predicted.latest = Some((t, stated.clone()));
                gold.insert((t, n), stated);
            }
            ledger.add(issues)?;
            ledger.resolve(frame, &artefact.maker, &artefact.files.artefact)?;
        }
        self.write(&gold, made_at)?;
        if let Some(last) = rows.last() {
            self.done = frame.times()[*last];
        }
        Ok(rows.len())
    }

    fn write(&mut self, gold: &BTreeMap<(Ts, usize), Vec<f64>>, made_at: Ts) -> Result<(), ResearchError> {
        for ((ts, n), stated) in gold {
            let artefact = &self.opened[*n].0;
            let target = artefact.maker.target();
            let model = format!("{}@{}", artefact.files.model, artefact.files.artefact);
            for (class, value) in stated.iter().enumerate() {
                self.writer.push(&GoldPrediction {
                    ts: *ts,
                    known_ts: made_at.max(*ts + CLOSE_AFTER),
                    model: &model,
                    target: target.name(),
                    label_end: *ts + target.horizon().unwrap_or(Span::ZERO),
                    class: if stated.len() > 1 { u8::try_from(class).ok() } else { None },
                    value: Some(*value),
                })?;
            }
        }
        self.writer.partition().flush()?;
        Ok(())
    }

    /// What was predicted, and how forecasts did.
    #[must_use]
    pub fn report(&self) -> Vec<PredictedTarget> {
        let of = |(artefact, ledger, predicted): &(OpenedArtefact, ShadowLedger, Predicted)| {
            let target = artefact.maker.target();
            let horizon = target.horizon().unwrap_or(Span::secs(1));
            let (files, task) = (&artefact.files, task_of(target));
            PredictedTarget {
                target,
                artefact: files.artefact.clone(),
                model: files.model.clone(),
                rows: predicted.rows,
                latest: predicted.latest.clone(),
                shadow: ledger.score(&files.artefact, &files.model, task, horizon),
            }
        };
        self.opened.iter().map(of).collect()
    }

    /// Stops within the hour, which a later start goes on with.
    ///
    /// # Errors
    /// The lake cannot be written.
    pub fn close(self) -> Result<(), ResearchError> {
        self.writer.into_partition().close()?;
        Ok(())
    }
}

/// What the model states of some rows: a probability, three of them, or a number.
fn stated(
    artefact: &OpenedArtefact,
    frame: &barograph_study::ResearchFrame,
    rows: &[usize],
) -> Result<Vec<Vec<f64>>, ResearchError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let made = artefact.maker.make(frame, rows)?;
    let all: Vec<u32> = (0..u32::try_from(rows.len()).map_err(|e| ResearchError::Failed(e.to_string()))?).collect();
    Ok(match artefact.model.predict(made.of(&artefact.files.model), &all) {
        ZooPrediction::Binary { probabilities, .. } => probabilities.into_iter().map(|p| vec![p]).collect(),
        ZooPrediction::Classes { probabilities, .. } => probabilities.into_iter().map(|p| p.to_vec()).collect(),
        ZooPrediction::Values(values) => values.into_iter().map(|v| vec![v]).collect(),
    })
}
