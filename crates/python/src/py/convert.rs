//! Words and plain values between both languages; the module's own exception.

use barograph_domain::{Side, Ts};
use pyo3::create_exception;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};
use serde_json::Value;

create_exception!(barograph, FrameError, PyValueError, "A frame, a bar or an option that cannot be meant.");

/// An error that says what is wrong with the caller's input.
pub(super) fn wrong(text: impl Into<String>) -> PyErr {
    FrameError::new_err(text.into())
}

/// `long`, `LONG`, `BUY`, 1 and their opposites; `None` for `None` and 0.
pub(super) fn side_of(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Side>> {
    let Some(value) = value.filter(|v| !v.is_none()) else { return Ok(None) };
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_cow()?;
        return barograph_engine::advice::side_of(&text)
            .map(Some)
            .ok_or_else(|| wrong(format!("side is '{text}': give long, short, BUY, SELL, 1, -1 or None")));
    }
    if !value.is_instance_of::<PyBool>()
        && let Ok(number) = value.extract::<f64>()
    {
        if number > 0.5 && number < 1.5 {
            return Ok(Some(Side::Long));
        }
        if number < -0.5 && number > -1.5 {
            return Ok(Some(Side::Short));
        }
    }
    // Members of enumerations, of this module and of others.
    if let Ok(inner) = value.getattr("value") {
        return side_of(Some(&inner));
    }
    Err(wrong(format!("side is {}: give long, short, BUY, SELL, 1, -1 or None", value.repr()?)))
}

/// A side that must be there.
pub(super) fn given_side(value: Option<&Bound<'_, PyAny>>, otherwise: Option<Side>) -> PyResult<Side> {
    side_of(value)?.or(otherwise).ok_or_else(|| wrong("side is None: the context has no side either, so give one"))
}

/// A price above zero.
pub(super) fn positive(name: &str, x: f64) -> PyResult<f64> {
    if x.is_finite() && x > 0.0 { Ok(x) } else { Err(wrong(format!("{name} is {x}: it must be a number above zero"))) }
}

/// An instant: a datetime (naive is UTC), a pandas or NumPy stamp, ISO text, or a number since 1970 whose unit follows from
/// its size.
pub(super) fn instant(value: &Bound<'_, PyAny>) -> PyResult<Ts> {
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_cow()?;
        return Ts::parse(&text)
            .map_err(|_ignored| wrong(format!("'{text}' is no instant: write 2026-01-31T00:00:00Z")));
    }
    if let Ok(ns) = value.getattr("value")
        && let Ok(ns) = ns.extract::<i64>()
    {
        // pandas.Timestamp counts nanoseconds here, whatever its unit.
        return Ok(Ts(ns));
    }
    if value.hasattr("timestamp")? {
        let py = value.py();
        let utc = py.import("datetime")?.getattr("timezone")?.getattr("utc")?;
        let aware = if value.getattr("tzinfo")?.is_none() {
            let options = PyDict::new(py);
            options.set_item("tzinfo", utc)?;
            value.call_method("replace", (), Some(&options))?
        } else {
            value.clone()
        };
        let seconds: f64 = aware.call_method0("timestamp")?.extract()?;
        #[expect(clippy::cast_possible_truncation, reason = "microseconds since 1970")]
        return Ok(Ts((seconds * 1e6).round() as i64 * 1_000));
    }
    if value.hasattr("astype")? && !value.is_instance_of::<PyFloat>() {
        let stamp =
            value.call_method1("astype", ("datetime64[ns]",)).and_then(|v| v.call_method1("astype", ("int64",)));
        if let Ok(ns) = stamp.and_then(|v| v.extract::<i64>())
            && value.getattr("dtype")?.getattr("kind")?.extract::<String>()? == "M"
        {
            return Ok(Ts(ns));
        }
    }
    let number: f64 = value.extract().map_err(|_ignored| {
        PyTypeError::new_err("an instant must be a datetime, a stamp, ISO text or a number since 1970")
    })?;
    #[expect(clippy::cast_possible_truncation, reason = "an instant since 1970")]
    let whole = number as i64;
    Ok(Ts(if number.fract() == 0.0 {
        whole * unit_of(whole)
    } else {
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "an instant since 1970")]
        let ns = (number * unit_of(whole) as f64) as i64;
        ns
    }))
}

/// Nanoseconds of a unit, by the size of a stamp: seconds below 10^11 (year 5138), milliseconds below 10^14, microseconds
/// below 10^17.
pub(super) const fn unit_of(stamp: i64) -> i64 {
    match stamp.unsigned_abs() {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    }
}

/// A timeframe: `1h`, `15m`, seconds, or a timedelta.
pub(super) fn span(value: &Bound<'_, PyAny>) -> PyResult<barograph_domain::Span> {
    use barograph_domain::Span;
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_cow()?;
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let n = text[..split].parse::<i64>().ok().filter(|n| *n > 0);
        let unit = match &text[split..] {
            "s" => Some(Span::secs(1)),
            "m" | "min" => Some(Span::mins(1)),
            "h" | "H" => Some(Span::hours(1)),
            "d" | "D" => Some(Span::days(1)),
            "w" | "W" => Some(Span::days(7)),
            _ => None,
        };
        return match (n, unit) {
            (Some(n), Some(unit)) => Ok(unit.times(n)),
            _ => Err(wrong(format!("timeframe is '{text}': write 1m, 15m, 1h, 4h, 1d or 1w"))),
        };
    }
    let seconds: f64 = match value.call_method0("total_seconds") {
        Ok(s) => s.extract()?,
        Err(_) => value.extract().map_err(|_ignored| wrong("timeframe must be text as 1h, seconds, or a timedelta"))?,
    };
    #[expect(clippy::cast_possible_truncation, reason = "a bar length")]
    let ns = (positive("timeframe", seconds)? * 1e9).round() as i64;
    Ok(Span(ns))
}

/// A datetime with zone UTC.
pub(super) fn datetime(py: Python<'_>, t: Ts) -> PyResult<Bound<'_, PyAny>> {
    let module = py.import("datetime")?;
    let utc = module.getattr("timezone")?.getattr("utc")?;
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    let seconds = t.0 as f64 / 1e9;
    module.getattr("datetime")?.call_method1("fromtimestamp", (seconds, utc))
}

/// Plain values as Python's own.
pub(super) fn plain<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(b) => PyBool::new(py, *b).to_owned().into_any(),
        Value::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) => PyInt::new(py, i).into_any(),
            (None, Some(x)) => PyFloat::new(py, x).into_any(),
            (None, None) => py.None().into_bound(py),
        },
        Value::String(s) => PyString::new(py, s).into_any(),
        Value::Array(a) => {
            let list = PyList::empty(py);
            for x in a {
                list.append(plain(py, x)?)?;
            }
            list.into_any()
        }
        Value::Object(o) => {
            let dict = PyDict::new(py);
            for (k, x) in o {
                dict.set_item(k, plain(py, x)?)?;
            }
            dict.into_any()
        }
    })
}

/// Anything that has a wire form, as plain Python values.
pub(super) fn wire<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    plain(py, &serde_json::to_value(value).map_err(|e| wrong(e.to_string()))?)
}
