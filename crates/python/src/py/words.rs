//! Enumerations of the Python side, by name: `barograph._words` holds them, members are looked up when somebody asks.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

static WORDS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// The member `word` of the enumeration `class`.
pub(super) fn word<'py>(py: Python<'py>, class: &str, word: &str) -> PyResult<Bound<'py, PyAny>> {
    let words = WORDS.get_or_try_init(py, || {
        py.import("barograph._words")?.getattr("BY_NAME")?.cast_into::<PyDict>().map(Bound::unbind).map_err(PyErr::from)
    })?;
    words.bind(py).as_any().get_item(class)?.get_item(word)
}
