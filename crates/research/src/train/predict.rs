//! The current models of a market over rows of the lake that are new to them: predictions as gold, and forecasts in the shadow ledger.

use super::drift::{DriftWindow, windows_of};
use super::fold::task_of;
use super::registry::OpenedArtefact;
use super::rolling::RollingSkill;
use super::shadow::{GRID, ShadowEntry, ShadowLedger, ShadowScore};
use crate::ResearchError;
use crate::clock::now;
use crate::dataset::CLOSE_AFTER;
use crate::load::{load_every, load_from};
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lab::zoo::ZooPrediction;
use barograph_lake::layers::{GoldPrediction, LakeConfig, LakeMarket, PredictionWriter};
use barograph_study::targets::TargetId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    /// Rows that were new to this target but lie before the end of the table of predictions, which only grows there; up to five minutes of
    /// them may be in it all the same.
    pub not_in_gold: usize,
    /// The last row that was predicted, with what is stated: a probability, three of them, or a number.
    pub latest: Option<(Ts, Vec<f64>)>,
    /// How its forecasts did so far, of this start and of earlier ones.
    pub shadow: ShadowScore,
    /// The same of the newest thirty days, with its calibration; `None` before any outcome is known.
    pub rolling: Option<RollingSkill>,
    /// What inputs and predictions are held against; `None` where the artefact has none.
    pub usual: Option<UsualWindows>,
    /// Whole windows behind what the artefact was made with, the newest four, in the order of time.
    pub windows: Vec<DriftWindow>,
}

/// Windows of the training rows that others are held against.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct UsualWindows {
    /// Length of one, seconds.
    pub window_s: i64,
    /// How many there are.
    pub windows: usize,
    /// Most columns beyond the bounds of the other windows in any of them.
    pub moved_most: usize,
}

/// Windows that are shown.
const SHOWN: i64 = 4;

/// The models of a market, ready to predict.
pub struct Predictor {
    request: PredictRequest,
    opened: Vec<OpenedTarget>,
    writer: PredictionWriter,
}

struct OpenedTarget {
    artefact: OpenedArtefact,
    ledger: ShadowLedger,
    predicted: Predicted,
    data_to: Ts,
    /// Rows up to here are done.
    done: Ts,
    /// Windows behind the training rows, and the end of the last.
    windows: Vec<DriftWindow>,
    compared_to: Option<Ts>,
}

impl OpenedTarget {
    /// Holds what came since training against it, once for each window that is over.
    fn compare(&mut self, lake: &Path, market: &InstrumentName) -> Result<(), ResearchError> {
        let Some(usual) = &self.artefact.drift else { return Ok(()) };
        let end = self.done.floor(usual.span());
        if end <= self.data_to || self.compared_to == Some(end) {
            return Ok(());
        }
        let first = Ts(end.0.saturating_sub(SHOWN.saturating_mul(usual.span().0)).saturating_sub(1)).max(self.data_to);
        let loaded = load_every(lake, market, Some(first), usual.step())?;
        let OpenedArtefact { files, maker, model, .. } = &self.artefact;
        self.windows = windows_of(usual, (maker, model, &files.model), &loaded.frame, first, end)?;
        self.compared_to = Some(end);
        Ok(())
    }
}

#[derive(Default)]
struct Predicted {
    rows: usize,
    not_in_gold: usize,
    latest: Option<(Ts, Vec<f64>)>,
}

impl core::fmt::Debug for Predictor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Predictor").field("request", &self.request).field("done", &self.done()).finish_non_exhaustive()
    }
}

impl Predictor {
    /// Opens the current artefact of every target, and the table of predictions.
    ///
    /// # Errors
    /// A target has no artefact, or its horizon is no time; another process writes the predictions of this market.
    pub fn open(request: PredictRequest) -> Result<Self, ResearchError> {
        let mut artefacts = Vec::new();
        for (target, folder) in &request.targets {
            if target.horizon().is_none() {
                return Err(ResearchError::Refused(format!(
                    "{target} is about changes of the book, and their times are not known in advance: its predictions have no end to be stored with"
                )));
            }
            artefacts
                .push((folder, OpenedArtefact::current(&request.lake, folder, &request.market.to_string(), *target)?));
        }
        let place = LakeMarket::new(request.market.venue.as_str(), request.market.symbol.as_str());
        let (mut writer, _) = PredictionWriter::open(LakeConfig::live(&request.lake), place)?;
        let end = writer.partition().last_ts();
        let mut opened = Vec::new();
        for (folder, artefact) in artefacts {
            let data_to = Ts::parse(&artefact.files.data_to).map_err(ResearchError::Failed)?;
            // Read behind the lock alone: what another process adds would be missing in the chain.
            let ledger = ShadowLedger::open(folder)?;
            let done = ledger.issued_to(&artefact.files.artefact).map_or(data_to, |last| {
                // Without an instant of the grid between them, this target was predicted to the end of the table too.
                let end = end.filter(|end| last.floor(GRID) + GRID > *end);
                end.unwrap_or(last).max(last).max(data_to)
            });
            opened.push(OpenedTarget {
                artefact,
                ledger,
                predicted: Predicted::default(),
                data_to,
                done,
                windows: Vec::new(),
                compared_to: None,
            });
        }
        Ok(Self { request, opened, writer })
    }

    /// Moment up to which the rows of every target were predicted, or are left to what the models were made with.
    #[must_use]
    pub fn done(&self) -> Ts {
        self.opened.iter().map(|of| of.done).min().unwrap_or(Ts::MAX)
    }

    /// Predicts what is new in the lake to any of the targets, and resolves forecasts whose outcome is known by now; how many rows there
    /// were. The table of predictions only grows at its end: of rows before it, which another target has been predicted on, the instants of
    /// the shadow ledger's grid are predicted.
    ///
    /// # Errors
    /// The lake cannot be read or written.
    pub fn step(&mut self) -> Result<usize, ResearchError> {
        let longest = self.request.targets.iter().filter_map(|(t, _)| t.horizon()).max().unwrap_or(Span::ZERO);
        let done = self.done();
        let waits = |of: &OpenedTarget| of.ledger.waits_since(of.artefact.maker.target(), &of.artefact.files.artefact);
        // What was said last looks back over a horizon.
        let from = self.opened.iter().filter_map(waits).min().map_or(done, |t| t.min(done));
        let loaded = load_from(&self.request.lake, &self.request.market, Some(Ts(from.0.saturating_sub(longest.0))))?;
        let frame = &loaded.frame;
        let rows: Vec<usize> =
            (0..frame.len()).filter(|row| frame.times()[*row] > done && frame.is_valid(*row)).collect();
        let (made_at, end) = (now(), self.writer.partition().last_ts());
        let mut gold: BTreeMap<(Ts, usize), Vec<f64>> = BTreeMap::new();
        for (n, of) in self.opened.iter_mut().enumerate() {
            let OpenedTarget { artefact, ledger, predicted, .. } = of;
            let target = artefact.maker.target();
            let (is_past, on_grid) = (|t: Ts| end.is_some_and(|end| t <= end), |t: Ts| t == t.floor(GRID));
            let time = |row: &usize| frame.times()[*row];
            let mut own: Vec<usize> = rows.iter().copied().filter(|row| time(row) > of.done.max(of.data_to)).collect();
            if own.iter().any(|row| is_past(time(row)) && on_grid(time(row))) {
                predicted.not_in_gold += own.iter().filter(|row| is_past(time(row))).count();
            }
            own.retain(|row| !is_past(time(row)) || on_grid(time(row)));
            let stated = stated(artefact, frame, &own)?;
            let mut issues = Vec::new();
            for (row, stated) in own.iter().zip(stated) {
                let t = time(row);
                if on_grid(t) {
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
                if !is_past(t) {
                    gold.insert((t, n), stated);
                }
            }
            ledger.add(issues)?;
            ledger.resolve(frame, &artefact.maker, &artefact.files.artefact)?;
            of.done = rows.last().map_or(of.done, |last| frame.times()[*last].max(of.done));
            of.compare(&self.request.lake, &self.request.market)?;
        }
        self.write(&gold, made_at)?;
        Ok(rows.len())
    }

    fn write(&mut self, gold: &BTreeMap<(Ts, usize), Vec<f64>>, made_at: Ts) -> Result<(), ResearchError> {
        for ((ts, n), stated) in gold {
            let artefact = &self.opened[*n].artefact;
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
        let of = |OpenedTarget { artefact, ledger, predicted, windows, .. }: &OpenedTarget| {
            let target = artefact.maker.target();
            let horizon = target.horizon().unwrap_or(Span::secs(1));
            let (files, task) = (&artefact.files, task_of(target));
            PredictedTarget {
                target,
                artefact: files.artefact.clone(),
                model: files.model.clone(),
                rows: predicted.rows,
                not_in_gold: predicted.not_in_gold,
                latest: predicted.latest.clone(),
                shadow: ledger.score(&files.artefact, &files.model, task, horizon),
                rolling: ledger.rolling(&files.artefact, task, horizon),
                usual: artefact.drift.as_ref().map(|usual| UsualWindows {
                    window_s: usual.span().0 / Span::secs(1).0,
                    windows: usual.windows,
                    moved_most: usual.moved_most,
                }),
                windows: windows.clone(),
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
