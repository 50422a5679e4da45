//! `barograph.lab`: the data set, its targets and folds, and what outside models are worth, for Python.
//!
//! Everything that is computed comes from `columns`, `study`, `lab` and `research`; here tables become frames and answers become Python's own.
//! Tables come and go through the Arrow C stream interface, so that Polars, pandas and pyarrow share their memory.

mod asked;
mod catalogue;
mod folds;
mod frame;
mod held;
mod minutes;
mod money;
mod read;
mod record;
mod study;
mod table;

use pyo3::prelude::*;

pub(super) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<table::ArrowTable>()?;
    m.add_class::<folds::PurgedFolds>()?;
    m.add_function(wrap_pyfunction!(catalogue::research_columns, m)?)?;
    m.add_function(wrap_pyfunction!(catalogue::target_names, m)?)?;
    m.add_function(wrap_pyfunction!(read::lake_rows, m)?)?;
    m.add_function(wrap_pyfunction!(read::lake_tables, m)?)?;
    m.add_function(wrap_pyfunction!(record::record_recording, m)?)?;
    m.add_function(wrap_pyfunction!(study::fit_study, m)?)?;
    m.add_function(wrap_pyfunction!(study::study_importance, m)?)?;
    m.add_function(wrap_pyfunction!(folds::label_rows, m)?)?;
    m.add_function(wrap_pyfunction!(held::held_features, m)?)?;
    m.add_function(wrap_pyfunction!(money::traded_calls, m)?)?;
    m.add_function(wrap_pyfunction!(minutes::stored_minutes, m)?)
}
