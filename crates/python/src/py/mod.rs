//! Everything that knows Python.

mod arrow;
mod components;
mod context;
mod convert;
mod engine;
mod frames;
mod functions;
mod futures;
mod lab;
mod words;

use pyo3::prelude::*;

/// The native half of `barograph`.
#[pymodule]
#[pyo3(name = "_native")]
fn native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<engine::MarketContextEngine>()?;
    m.add_class::<context::MarketContext>()?;
    m.add_class::<context::SessionInfo>()?;
    m.add_class::<context::RiskParams>()?;
    m.add("FrameError", m.py().get_type::<convert::FrameError>())?;
    m.add_function(wrap_pyfunction!(engine::get_context, m)?)?;
    m.add_function(wrap_pyfunction!(engine::get_engine, m)?)?;
    functions::register(m)?;
    futures::register(m)?;
    lab::register(m)?;
    m.add("__version__", env!("CARGO_PKG_VERSION"))
}
