//! Recordings into a lake.

use super::super::convert::wire;
use super::asked::{of_lab, refused};
use barograph_domain::InstrumentName;
use barograph_research::dataset::{DatasetRequest, record};
use pyo3::prelude::*;
use serde_json::json;
use std::path::PathBuf;

/// Plays recordings of a market into a lake: books, trades and feature rows. What `barograph lab dataset` does.
#[pyfunction]
#[pyo3(signature = (market, files, lake, tick=None, contract_size=None))]
pub(super) fn record_recording<'py>(
    py: Python<'py>,
    market: &str,
    files: Vec<PathBuf>,
    lake: PathBuf,
    tick: Option<f64>,
    contract_size: Option<f64>,
) -> PyResult<Bound<'py, PyAny>> {
    let tick = tick.map(|t| super::super::convert::positive("tick", t)).transpose()?;
    let contract_size = contract_size.map(|s| super::super::convert::positive("contract_size", s)).transpose()?;
    let request =
        DatasetRequest { market: InstrumentName::parse(market).map_err(refused)?, files, lake, tick, contract_size };
    let report = py.detach(|| record(&request, &mut |_, _| {})).map_err(of_lab)?;
    let played = &report.played;
    wire(
        py,
        &json!({
            "market": request.market.to_string(), "lines": played.lines, "unreadable": played.unreadable, "torn": played.torn,
            "books": played.played.books, "trades": played.played.trades, "book_losses": played.played.book_losses,
            "span": played.span.map(|(from, to)| [from.to_string(), to.to_string()]), "rows": report.rows,
            "rows_valid": report.valid, "already_there": report.already,
        }),
    )
}
