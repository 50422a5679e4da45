//! Rows of a lake as they lie there.

use super::super::convert::{wire, wrong};
use super::asked::{market, refused, stretch};
use super::table::ArrowTable;
use arrow_array::RecordBatch;
use barograph_domain::{InstrumentName, Ts};
use barograph_lake::layers::{LakeBatch, LakeQuery, LakeReader, Layer, LayerError, hours, list};
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Tables that have a market and hours, with their layers.
const TABLES: [(&str, Layer); 5] = [
    ("orderbook", Layer::Bronze),
    ("trades", Layer::Bronze),
    ("features", Layer::Silver),
    ("signals", Layer::Gold),
    ("predictions", Layer::Gold),
];

/// Markets of a lake.
pub(super) fn markets(root: &Path) -> PyResult<Vec<InstrumentName>> {
    let listed = list(root).map_err(refused)?;
    let mut all: Vec<InstrumentName> =
        listed.iter().filter_map(|l| InstrumentName::new(&l.market.exchange, &l.market.symbol).ok()).collect();
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Rows of a market's table from `start` until `end`, exclusive; `columns` in this order, all of them for `None`.
#[pyfunction]
#[pyo3(signature = (lake, table, of, start=None, end=None, columns=None))]
#[expect(clippy::needless_pass_by_value, reason = "paths and lists arrive owned")]
pub(super) fn lake_rows(
    py: Python<'_>,
    lake: PathBuf,
    table: &str,
    of: &str,
    start: Option<&Bound<'_, PyAny>>,
    end: Option<&Bound<'_, PyAny>>,
    columns: Option<Vec<String>>,
) -> PyResult<ArrowTable> {
    let known = || TABLES.map(|(name, _)| name).join(", ");
    let layer = TABLES.iter().find(|(name, _)| *name == table).map(|(_, layer)| *layer);
    let layer = layer.ok_or_else(|| wrong(format!("no table '{table}'; there are {}", known())))?;
    let of = market(of, || markets(&lake))?;
    let (from, until) = stretch(start, end)?;
    let query = LakeQuery {
        layer: Some(layer),
        table: Some(table.to_owned()),
        exchange: Some(of.venue.as_str().to_owned()),
        symbol: Some(of.symbol.clone()),
        from: Some(from),
        until: Some(until),
        ..LakeQuery::default()
    };
    let hours = hours(&lake, &query).map_err(refused)?;
    if hours.is_empty() {
        let shown = lake.display();
        return Err(wrong(format!(
            "{shown} holds no {table} of {of} in that time; barograph.lab.tables('{shown}') lists what it holds"
        )));
    }
    // Rows are chosen by their time, whether or not the caller wants to see it.
    let asked = columns.as_ref().map(|names| {
        let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
        if !all.contains(&"ts") {
            all.push("ts");
        }
        all
    });
    let read = || -> Result<Vec<RecordBatch>, LayerError> {
        let mut found = Vec::new();
        for batch in LakeReader::new(hours, asked.as_deref()) {
            within(&batch?, from, until, &mut found);
        }
        Ok(found)
    };
    let mut batches = py.detach(read).map_err(refused)?;
    if let Some(names) = &columns {
        let keep: Vec<usize> = (0..names.len()).collect();
        for batch in &mut batches {
            *batch = batch.project(&keep).map_err(refused)?;
        }
    }
    let Some(first) = batches.first() else {
        return Err(wrong(format!("{} holds no {table} of {of} in that time", lake.display())));
    };
    Ok(ArrowTable::new(first.schema(), batches))
}

/// Stretches of rows whose time is wanted, as slices of the batch.
fn within(batch: &LakeBatch, from: Ts, until: Ts, found: &mut Vec<RecordBatch>) {
    let Some(times) = batch.moments("ts") else { return };
    let wanted = |t: &i64| (from.0..until.0).contains(t);
    let mut at = 0;
    while at < times.len() {
        let begin = at + times[at..].iter().take_while(|t| !wanted(t)).count();
        at = begin + times[begin..].iter().take_while(|t| wanted(t)).count();
        if at > begin {
            found.push(batch.record_batch().slice(begin, at - begin));
        }
    }
}

/// What a lake holds: a record for each table of each market.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "paths arrive owned")]
pub(super) fn lake_tables(py: Python<'_>, lake: PathBuf) -> PyResult<Bound<'_, PyAny>> {
    let listed = list(&lake).map_err(refused)?;
    let one = |l: &barograph_lake::layers::LakeListing| {
        json!({
            "layer": l.layer.word(), "table": l.table, "market": format!("{}:{}", l.market.exchange, l.market.symbol),
            "hours": l.hours, "open": l.open, "first_hour": l.range.map(|(first, _)| first.to_string()),
            "last_hour": l.range.map(|(_, last)| last.to_string()), "rows": l.rows, "bytes": l.bytes, "gaps": l.gaps,
        })
    };
    wire(py, &listed.iter().map(one).collect::<Vec<Value>>())
}
