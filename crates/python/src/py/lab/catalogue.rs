//! The 197 columns and the targets by name.

use super::super::convert::wire;
use barograph_columns::catalogue;
use barograph_study::targets::{TargetId, TargetKind};
use pyo3::prelude::*;
use serde_json::{Value, json};

/// Where each group ends, by the number of its last column (features §7).
const GROUPS: [(usize, &str); 9] = [
    (109, "structural"),
    (132, "dynamic"),
    (145, "rolling"),
    (149, "advanced"),
    (173, "trade flow"),
    (185, "derivatives"),
    (190, "session"),
    (193, "other venues"),
    (197, "data quality"),
];

fn group_of(number: usize) -> &'static str {
    GROUPS.iter().find(|(last, _)| number <= *last).map_or("", |(_, group)| group)
}

/// Every column of the data set in its order.
#[pyfunction]
pub(super) fn research_columns(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let one = |(at, c): (usize, &barograph_columns::ResearchColumn)| {
        json!({
            "number": at + 1, "name": c.id, "group": group_of(at + 1), "meaning": c.formula, "made_of": c.levels, "unit": c.unit,
            "window": c.window, "warm_up": c.warm_up, "undefined": c.undefined,
        })
    };
    wire(py, &catalogue().iter().enumerate().map(one).collect::<Vec<Value>>())
}

/// Name, kind and horizon in seconds of every target.
#[pyfunction]
pub(super) fn target_names() -> Vec<(&'static str, &'static str, Option<f64>)> {
    TargetId::all().map(|t| (t.name(), kind_of(t), t.horizon().map(barograph_domain::Span::as_secs_f64))).collect()
}

pub(super) const fn kind_of(target: TargetId) -> &'static str {
    match target.kind() {
        TargetKind::Binary => "binary",
        TargetKind::Classes3 => "classes",
        TargetKind::Regression => "regression",
    }
}
