//! Targets and purged folds over somebody's rows, and the scores of models that were fitted on them.

use super::super::convert::{wire, wrong};
use super::asked::{length, of_lab, refused, target};
use super::catalogue::kind_of;
use super::frame::research_frame;
use super::table::{ArrowTable, moments};
use arrow_array::{ArrayRef, Float64Array, Int64Array};
use barograph_domain::Span;
use barograph_research::train::{FoldPart, OutsideScores, OutsideStudy, labels_of};
use barograph_study::folds::{FoldPlan, StudyFold, TrainWindow};
use barograph_study::targets::LabelledRows;
use barograph_study::transforms::{InputForm, Matrix};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

/// Labels of a target: a row for each row that has one.
#[pyfunction]
pub(super) fn label_rows(py: Python<'_>, rows: &Bound<'_, PyAny>, name: &str) -> PyResult<ArrowTable> {
    let target = target(name)?;
    let frame = research_frame(rows)?;
    let labels = py.detach(|| labels_of(&frame, target)).map_err(of_lab)?;
    labelled(&labels)
}

fn labelled(labels: &LabelledRows) -> PyResult<ArrowTable> {
    let spans = labels.spans().as_slice();
    let rows = spans.iter().map(|s| i64::try_from(s.row).map_err(refused)).collect::<PyResult<Vec<i64>>>()?;
    let values = Float64Array::from(labels.values().to_vec());
    ArrowTable::of(vec![
        ("row".to_owned(), Arc::new(Int64Array::from(rows)) as ArrayRef),
        ("ts".to_owned(), moments(spans.iter().map(|s| s.start))),
        ("label_end".to_owned(), moments(spans.iter().map(|s| s.end))),
        (labels.target().name().to_owned(), Arc::new(values)),
    ])
}

/// A target over rows, divided into purged folds.
#[pyclass(module = "barograph._native", frozen)]
#[derive(Debug)]
pub(crate) struct PurgedFolds {
    study: OutsideStudy,
}

impl PurgedFolds {
    fn fold(&self, number: usize) -> PyResult<&StudyFold> {
        let folds = self.study.folds();
        let found = folds.iter().find(|f| f.number == number);
        found.ok_or_else(|| wrong(format!("there is no fold {number}; they are numbered from 1 to {}", folds.len())))
    }
}

fn part(name: &str) -> PyResult<FoldPart> {
    let found = FoldPart::NAMES.iter().find(|(n, _)| *n == name).map(|(_, part)| *part);
    found.ok_or_else(|| wrong(format!("part is '{name}': give train, fit, tune or test")))
}

#[pymethods]
impl PurgedFolds {
    /// `rolling`: how far back training rows go, from the first row on for `None`.
    #[new]
    #[pyo3(signature = (rows, name, *, folds, embargo, rows_min, tested_percent, tuned_percent, held_out_percent, rolling))]
    #[expect(clippy::too_many_arguments, reason = "the plan, which Python names word by word")]
    fn new(
        py: Python<'_>,
        rows: &Bound<'_, PyAny>,
        name: &str,
        folds: usize,
        embargo: &Bound<'_, PyAny>,
        rows_min: usize,
        tested_percent: u8,
        tuned_percent: u8,
        held_out_percent: u8,
        rolling: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let window = rolling.filter(|r| !r.is_none()).map(length).transpose()?;
        let plan = FoldPlan {
            folds,
            window: window.map_or(TrainWindow::Expanding, TrainWindow::Rolling),
            memory: length(embargo)?,
            tested_percent,
            tuned_percent,
            held_out_percent,
            train_rows_min: rows_min,
        };
        let target = target(name)?;
        let frame = research_frame(rows)?;
        let study = py.detach(|| OutsideStudy::new(frame, target, &plan)).map_err(of_lab)?;
        Ok(Self { study })
    }

    fn __len__(&self) -> usize {
        self.study.folds().len()
    }

    /// What is known of the whole: rows, labels, why rows have none, the folds with their times, where the hold-out begins.
    fn about<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let labels = self.study.labels();
        let target = labels.target();
        let spans = labels.spans().as_slice();
        let ends = spans.first().zip(spans.last());
        let zeros = ends.and_then(|(a, b)| labels.zeros_between(a.start, b.start)).and_then(|z| z.share());
        let unlabelled = labels.unlabelled();
        let sheet = self.study.sheet();
        let folds: Vec<Value> = self.study.folds().iter().map(fold_about).collect();
        wire(
            py,
            &json!({
                "target": target.name(), "kind": kind_of(target), "horizon_s": target.horizon().map(Span::as_secs_f64),
                "rows": self.study.frame().len(), "labelled": spans.len(), "zero_share": zeros,
                "unlabelled": {
                    "no_usable_book": unlabelled.now, "book_unchanged": unlabelled.unchanged, "data_ends_first": unlabelled.end,
                    "gap_before_horizon": unlabelled.gap,
                    "book_stale_before_horizon": unlabelled.stale, "book_crossed_before_horizon": unlabelled.unusable,
                    "input_missing": unlabelled.input, "mid_did_not_move": unlabelled.zero,
                },
                "hold_out_from": sheet.hold_out_from.map(|t| t.to_string()), "folds": folds,
            }),
        )
    }

    /// The folds as `barograph lab train` writes them into `folds.json`.
    fn sheet(&self) -> PyResult<String> {
        serde_json::to_string(&self.study.sheet()).map_err(refused)
    }

    /// All labels, as from `label_rows`.
    fn labels(&self) -> PyResult<ArrowTable> {
        labelled(self.study.labels())
    }

    /// Row numbers of a part of a fold.
    fn rows<'py>(&self, py: Python<'py>, number: usize, of: &str) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let rows = OutsideStudy::rows(self.fold(number)?, part(of)?);
        let rows = rows.into_iter().map(|row| i64::try_from(row).map_err(refused)).collect::<PyResult<Vec<i64>>>()?;
        Ok(PyArray1::from_vec(py, rows))
    }

    /// Labels of the same rows, as models learn them.
    fn values<'py>(&self, py: Python<'py>, number: usize, of: &str) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let values = self.study.labels_in(self.fold(number)?, part(of)?).map_err(of_lab)?;
        Ok(PyArray1::from_vec(py, values))
    }

    /// Inputs of a part of a fold, transformed by what its training rows taught. `rows`: of these instead.
    #[pyo3(signature = (number, of, filled, rows=None))]
    #[expect(clippy::needless_pass_by_value, reason = "arrays arrive owned")]
    fn inputs(
        &self,
        py: Python<'_>,
        number: usize,
        of: &str,
        filled: bool,
        rows: Option<PyReadonlyArray1<'_, i64>>,
    ) -> PyResult<ArrowTable> {
        let fold = self.fold(number)?;
        let rows = match &rows {
            None => OutsideStudy::rows(fold, part(of)?),
            Some(rows) => {
                let number =
                    |row: &i64| usize::try_from(*row).map_err(|_e| wrong(format!("row {row} is not in the frame")));
                rows.as_slice().map_err(refused)?.iter().map(number).collect::<PyResult<Vec<usize>>>()?
            }
        };
        let form = if filled { InputForm::Filled } else { InputForm::Sparse };
        let matrix = py.detach(|| self.study.inputs(fold, &rows, form)).map_err(of_lab)?;
        matrix_table(&matrix)
    }

    /// Board rows of an outside model and of the baselines, from the best.
    #[pyo3(signature = (model, test, tune, trials))]
    fn score<'py>(
        &self,
        py: Python<'py>,
        model: &str,
        test: Vec<Vec<[f64; 3]>>,
        tune: Option<Vec<Vec<[f64; 3]>>>,
        trials: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let scores = OutsideScores { test, tune };
        let board = py.detach(|| self.study.score(model, &scores, trials)).map_err(of_lab)?;
        wire(py, &board.rows)
    }
}

fn fold_about(fold: &StudyFold) -> Value {
    json!({
        "number": fold.number, "embargo_s": fold.embargo.as_secs_f64(), "test_from": fold.test.begins().map(|t| t.to_string()),
        "test_to": fold.test.ends().map(|t| t.to_string()), "train_rows": fold.learn.train.len(), "fit_rows": fold.learn.fit.len(),
        "tune_rows": fold.learn.tune.len(), "test_rows": fold.test.len(),
    })
}

fn matrix_table(matrix: &Matrix) -> PyResult<ArrowTable> {
    let column = |(at, name): (usize, &String)| {
        let values: Float64Array = (0..matrix.rows()).map(|row| matrix.get(row, at)).collect();
        (name.clone(), Arc::new(values) as ArrayRef)
    };
    ArrowTable::of(matrix.names().iter().enumerate().map(column).collect())
}
