//! Studies of the lab's own models, run from Python.

use super::super::convert::{wire, wrong};
use super::asked::{length, market, of_lab, target};
use super::read::markets;
use barograph_lab::zoo::Preset;
use barograph_research::train::{Lineup, RowWeights, StudyRequest, folder_of, importance, study, usual_limit};
use barograph_study::folds::FoldPlan;
use pyo3::prelude::*;
use std::path::PathBuf;

/// A study's settings, as `barograph lab train` takes them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(super) struct StudyWords<'py> {
    lake: PathBuf,
    market: String,
    target: String,
    studies: PathBuf,
    folds: usize,
    embargo: Bound<'py, PyAny>,
    rows_min: usize,
    preset: String,
    seed: u64,
    models: Option<Vec<String>>,
    weights: String,
}

impl StudyWords<'_> {
    fn request(&self) -> PyResult<StudyRequest> {
        let name = market(&self.market, || markets(&self.lake))?;
        let target = target(&self.target)?;
        let preset = match self.preset.as_str() {
            "quick" => Preset::Quick,
            "best" => Preset::Best,
            other => return Err(wrong(format!("preset is '{other}': give quick or best"))),
        };
        let weights = match self.weights.as_str() {
            "even" => RowWeights::Even,
            "uniqueness" => RowWeights::Uniqueness,
            other => return Err(wrong(format!("weights is '{other}': give even or uniqueness"))),
        };
        let plan = FoldPlan {
            folds: self.folds,
            memory: length(&self.embargo)?,
            train_rows_min: self.rows_min,
            ..FoldPlan::default()
        };
        let lineup =
            self.models.as_ref().map_or_else(|| Ok(Lineup::all()), |names| Lineup::named(names)).map_err(of_lab)?;
        let folder = folder_of(&self.studies, &name, target);
        Ok(StudyRequest {
            lake: self.lake.clone(),
            market: name,
            target,
            plan,
            preset,
            time_limit: usual_limit(preset),
            seed: self.seed,
            weights,
            lineup,
            folder,
        })
    }
}

/// Fits the models of the lab, fold by fold, and leaves board, folds and models in the folder of the study. The board.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive owned")]
pub(super) fn fit_study<'py>(py: Python<'py>, words: StudyWords<'py>) -> PyResult<Bound<'py, PyAny>> {
    let request = words.request()?;
    let board = py.detach(|| study(&request, None, &mut |_| {})).map_err(of_lab)?;
    wire(py, &board)
}

/// What a fitted model of a study goes by.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "arguments from Python arrive owned")]
pub(super) fn study_importance<'py>(
    py: Python<'py>,
    words: StudyWords<'py>,
    model: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let request = words.request()?;
    let report = py.detach(|| importance(&request, model, &mut |_, _| {})).map_err(of_lab)?;
    wire(py, &report)
}
