//! What callers name: markets, stretches of time, targets; and errors of the lab as this module's own.

use super::super::convert::{instant, span, wrong};
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_study::targets::TargetId;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

/// An error whose text says what is wrong with what was asked.
pub(super) fn refused(e: impl core::fmt::Display) -> PyErr {
    wrong(e.to_string())
}

/// What the lab's machine refuses is the caller's to mend; what fails is the disk's.
pub(super) fn of_lab(e: barograph_research::ResearchError) -> PyErr {
    match e {
        barograph_research::ResearchError::Refused(text) => wrong(text),
        barograph_research::ResearchError::Failed(text) => PyOSError::new_err(text),
    }
}

/// `venue:symbol`; a symbol alone where only one of the markets that are there answers to it.
pub(super) fn market(text: &str, there: impl FnOnce() -> PyResult<Vec<InstrumentName>>) -> PyResult<InstrumentName> {
    if text.contains(':') {
        return InstrumentName::parse(text).map_err(refused);
    }
    let there = there()?;
    let named = |all: &[&InstrumentName]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let found: Vec<&InstrumentName> = there.iter().filter(|m| m.answers_to(text)).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] if there.is_empty() => Err(wrong(format!("'{text}': there is no market here"))),
        [] => Err(wrong(format!("no market '{text}'; there are {}", named(&there.iter().collect::<Vec<_>>())))),
        several => Err(wrong(format!("{text} is there on several venues: write one of {}", named(several)))),
    }
}

/// From an instant until another; all of time where one is `None`.
pub(super) fn stretch(from: Option<&Bound<'_, PyAny>>, until: Option<&Bound<'_, PyAny>>) -> PyResult<(Ts, Ts)> {
    let of =
        |value: Option<&Bound<'_, PyAny>>, otherwise: Ts| value.filter(|v| !v.is_none()).map_or(Ok(otherwise), instant);
    let (from, until) = (of(from, Ts::MIN)?, of(until, Ts::MAX)?);
    if from < until { Ok((from, until)) } else { Err(wrong(format!("start {from} is not before end {until}"))) }
}

/// A target by its name.
pub(super) fn target(name: &str) -> PyResult<TargetId> {
    TargetId::parse(name).map_err(refused)
}

/// A length of time that may be nothing.
pub(super) fn length(value: &Bound<'_, PyAny>) -> PyResult<Span> {
    let nothing = value.extract::<f64>().is_ok_and(|s| s == 0.0) || value.extract::<String>().is_ok_and(|s| s == "0s");
    if nothing { Ok(Span::ZERO) } else { span(value) }
}
