//! Stored minutes of any market as a table.

use super::super::convert::{span, wrong};
use super::asked::{market, refused, stretch};
use super::table::{ArrowTable, moments};
use arrow_array::{ArrayRef, Float64Array, StringArray};
use barograph_store::{
    MinuteColumns, MinuteRequest, Range, Reader, StoreTarget, minute_columns, newest_run, open_reader,
};
use pyo3::prelude::*;
use std::sync::Arc;

/// Minutes of a market in a data folder or on a server: price, labels, and every reading or those that are named.
#[pyfunction]
#[pyo3(signature = (data, of, start=None, end=None, every=None, features=None))]
pub(super) fn stored_minutes(
    py: Python<'_>,
    data: &str,
    of: &str,
    start: Option<&Bound<'_, PyAny>>,
    end: Option<&Bound<'_, PyAny>>,
    every: Option<&Bound<'_, PyAny>>,
    features: Option<Vec<String>>,
) -> PyResult<ArrowTable> {
    let target = StoreTarget::parse(data);
    let reader: Box<dyn Reader> = py.detach(|| open_reader(&target)).map_err(refused)?;
    let of = market(of, || {
        let all = reader.instruments(None).map_err(refused)?;
        Ok(all.into_iter().map(|i| i.instrument.name).collect())
    })?;
    let (from, until) = stretch(start, end)?;
    let run = newest_run(reader.as_ref(), &of).map_err(refused)?;
    let run = run.ok_or_else(|| wrong(format!("{target} holds no minutes of {of}")))?;
    if let Some(unknown) = features.iter().flatten().find(|id| run.spec.columns.features.iter().all(|f| f.id != **id)) {
        return Err(wrong(format!(
            "the minutes of {of} have no feature '{unknown}'; barograph features lists those there are"
        )));
    }
    let wish = MinuteRequest {
        range: Range { start: from, end: until },
        every: every.filter(|e| !e.is_none()).map(span).transpose()?,
        features,
    };
    let columns = py.detach(|| minute_columns(reader.as_ref(), &run.spec.key, &wish)).map_err(refused)?;
    if columns.ts.is_empty() {
        let reach = run.minutes.map(|(a, b)| format!("; they reach from {a} to {b}")).unwrap_or_default();
        return Err(wrong(format!("{target} holds no minutes of {of} in that time{reach}")));
    }
    table(columns)
}

fn table(columns: MinuteColumns) -> PyResult<ArrowTable> {
    let number = |all: Vec<Option<f64>>| Arc::new(Float64Array::from(all)) as ArrayRef;
    let mut out: Vec<(String, ArrayRef)> = vec![
        ("ts".to_owned(), moments(columns.ts)),
        ("known_ts".to_owned(), moments(columns.known_ts)),
        ("price".to_owned(), number(columns.price)),
    ];
    for (axis, words) in columns.labels {
        out.push((format!("{axis}_label"), Arc::new(StringArray::from(words))));
    }
    out.extend(columns.readings.into_iter().map(|(id, all)| (id, number(all))));
    ArrowTable::of(out)
}
