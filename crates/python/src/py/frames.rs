//! Columns of a Python frame as slices: pandas, Polars, Arrow tables, and mappings of NumPy arrays.
//!
//! Arrays of 64-bit numbers that lie in one piece are read where they are; everything else is converted once. The frame
//! must not be written to by another thread while it is read, as with every library that reads arrays without the lock.

use super::arrow::Table;
use super::convert::{unit_of, wrong};
use crate::columns::FrameColumns;
use barograph_domain::Span;
use barograph_domain::time::DAY;
use numpy::{PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// Names a time column may have, in the order they are looked for.
const TIME: [&str; 5] = ["timestamp", "date", "open_time", "datetime", "time"];

/// Numbers in one piece.
#[derive(Debug)]
pub(super) enum Floats<'py> {
    Numpy(PyReadonlyArray1<'py, f64>),
    Arrow(arrow_array::Float64Array),
    Own(Vec<f64>),
}

impl Floats<'_> {
    fn slice(&self) -> &[f64] {
        match self {
            Self::Numpy(a) => a.as_slice().unwrap_or(&[]),
            Self::Arrow(a) => a.values(),
            Self::Own(v) => v,
        }
    }
}

/// Stamps in one piece.
#[derive(Debug)]
pub(super) enum Ints<'py> {
    Numpy(PyReadonlyArray1<'py, i64>),
    Arrow(arrow_array::Int64Array),
    Own(Vec<i64>),
}

/// Stamps and the nanoseconds of their unit.
#[derive(Debug)]
pub(super) struct Times<'py> {
    pub(super) stamps: Ints<'py>,
    pub(super) unit: i64,
}

/// The six columns.
#[derive(Debug)]
pub(super) struct Frames<'py> {
    time: Times<'py>,
    /// Open, high, low, close, volume.
    numbers: [Floats<'py>; 5],
}

const NAMES: [&str; 5] = ["open", "high", "low", "close", "volume"];

impl<'py> Frames<'py> {
    /// The columns of whatever frame this is.
    pub(super) fn of(frame: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = frame.py();
        if let Ok(dict) = frame.cast::<PyDict>() {
            return of_mapping(frame, |name| dict.get_item(name));
        }
        if frame.hasattr(intern!(py, "iloc"))? {
            return of_pandas(frame);
        }
        if frame.hasattr(intern!(py, "__arrow_c_stream__"))? {
            return of_table(&Table::of(frame)?);
        }
        if frame.hasattr(intern!(py, "__getitem__"))? && !frame.is_instance_of::<PyString>() {
            return of_mapping(frame, |name| Ok(frame.get_item(name).ok()));
        }
        Err(wrong(format!(
            "a frame must be a pandas or Polars frame, an Arrow table, or a mapping of arrays, not {}",
            frame.get_type().name()?
        )))
    }

    /// As slices.
    pub(super) fn columns(&self) -> FrameColumns<'_> {
        let [open, high, low, close, volume] = &self.numbers;
        let time = match &self.time.stamps {
            Ints::Numpy(a) => a.as_slice().unwrap_or(&[]),
            Ints::Arrow(a) => a.values(),
            Ints::Own(v) => v,
        };
        FrameColumns {
            time,
            unit: self.time.unit,
            open: open.slice(),
            high: high.slice(),
            low: low.slice(),
            close: close.slice(),
            volume: volume.slice(),
        }
    }
}

fn of_table(table: &Table) -> PyResult<Frames<'static>> {
    let names = table.names();
    if names.is_empty() {
        let none = || Floats::Own(Vec::new());
        return Ok(Frames {
            time: Times { stamps: Ints::Own(Vec::new()), unit: 1 },
            numbers: [none(), none(), none(), none(), none()],
        });
    }
    let find = |wanted: &str| names.iter().find(|n| n.eq_ignore_ascii_case(wanted));
    let time = TIME.iter().find_map(|t| find(t)).ok_or_else(|| wrong(no_time(&names.join(", "))))?;
    let mut numbers = Vec::with_capacity(5);
    for name in NAMES {
        let column = find(name).ok_or_else(|| wrong(missing(name, &names.join(", "))))?;
        numbers.push(table.floats(column, name == "volume")?);
    }
    Ok(Frames { time: table.times(time)?, numbers: five(numbers)? })
}

fn five(numbers: Vec<Floats<'_>>) -> PyResult<[Floats<'_>; 5]> {
    numbers.try_into().map_err(|_ignored| wrong("five columns are needed"))
}

fn missing(name: &str, there: &str) -> String {
    format!("no column '{name}': the frame has {there}; it needs open, high, low, close and volume")
}

fn no_time(there: &str) -> String {
    format!("no time: the frame has {there}; give a DatetimeIndex, or a column timestamp, date or open_time")
}

fn of_pandas<'py>(frame: &Bound<'py, PyAny>) -> PyResult<Frames<'py>> {
    let py = frame.py();
    let index = frame.getattr(intern!(py, "index"))?;
    let time = if index.get_type().name()? == "DatetimeIndex" {
        let unit = match index.getattr_opt(intern!(py, "unit"))? {
            Some(unit) => unit_named(&unit.extract::<String>()?)?,
            None => 1,
        };
        Times { stamps: ints(&index.getattr(intern!(py, "asi8"))?)?, unit }
    } else {
        let found = TIME.iter().find_map(|name| frame.get_item(name).ok());
        let Some(series) = found else { return Err(wrong(no_time(&names_of(frame)))) };
        times(&series)?
    };
    let mut numbers = Vec::with_capacity(5);
    for name in NAMES {
        let series = frame.get_item(PyString::intern(py, name)).or_else(|_| frame.get_item(capital(name)));
        let series = series.map_err(|_ignored| wrong(missing(name, &names_of(frame))))?;
        numbers.push(floats(&series.getattr(intern!(py, "values"))?, name)?);
    }
    Ok(Frames { time, numbers: five(numbers)? })
}

fn of_mapping<'py>(
    frame: &Bound<'py, PyAny>,
    get: impl Fn(&str) -> PyResult<Option<Bound<'py, PyAny>>>,
) -> PyResult<Frames<'py>> {
    let mut time = None;
    for name in TIME {
        if let Some(column) = get(name)? {
            time = Some(times(&column)?);
            break;
        }
    }
    let time = time.ok_or_else(|| wrong(no_time(&names_of(frame))))?;
    let mut numbers = Vec::with_capacity(5);
    for name in NAMES {
        let column = match get(name)? {
            None => get(&capital(name))?,
            some => some,
        };
        let column = column.ok_or_else(|| wrong(missing(name, &names_of(frame))))?;
        numbers.push(floats(&column, name)?);
    }
    Ok(Frames { time, numbers: five(numbers)? })
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + letters.as_str())
}

fn names_of(frame: &Bound<'_, PyAny>) -> String {
    let columns = frame.getattr("columns").or_else(|_| frame.call_method0("keys"));
    let text = columns.and_then(|c| c.try_iter()?.map(|n| Ok(n?.str()?.to_string())).collect::<PyResult<Vec<_>>>());
    text.map_or_else(|_| "no names".to_owned(), |n| if n.is_empty() { "no columns".to_owned() } else { n.join(", ") })
}

/// Numbers of an array, a series or a list.
pub(super) fn floats<'py>(column: &Bound<'py, PyAny>, name: &str) -> PyResult<Floats<'py>> {
    if let Ok(array) = column.extract::<PyReadonlyArray1<'py, f64>>()
        && array.is_contiguous()
    {
        return Ok(Floats::Numpy(array));
    }
    let numpy = column.py().import(intern!(column.py(), "numpy"))?;
    let copy = numpy
        .call_method1("ascontiguousarray", (column, "float64"))
        .map_err(|e| wrong(format!("column '{name}' is no column of numbers: {}", e.value(column.py()))))?;
    let array = copy.extract::<PyReadonlyArray1<'py, f64>>();
    array.map(Floats::Numpy).map_err(|_ignored| wrong(format!("column '{name}' must have one dimension")))
}

fn ints<'py>(column: &Bound<'py, PyAny>) -> PyResult<Ints<'py>> {
    if let Ok(array) = column.extract::<PyReadonlyArray1<'py, i64>>()
        && array.is_contiguous()
    {
        return Ok(Ints::Numpy(array));
    }
    let numpy = column.py().import("numpy")?;
    let copy = numpy.call_method1("ascontiguousarray", (column, "int64"))?;
    let array = copy.extract::<PyReadonlyArray1<'py, i64>>();
    array.map(Ints::Numpy).map_err(|_ignored| wrong("the time column must have one dimension"))
}

fn unit_named(unit: &str) -> PyResult<i64> {
    Ok(match unit {
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" | "μs" => 1_000,
        "ns" => 1,
        "m" => Span::mins(1).0,
        "h" => Span::hours(1).0,
        "D" => DAY.0,
        _ => return Err(wrong(format!("stamps in units of '{unit}': use ns, us, ms, s"))),
    })
}

/// Stamps of an array, a series or a list: instants, whole numbers, or what pandas can read as UTC.
fn times<'py>(column: &Bound<'py, PyAny>) -> PyResult<Times<'py>> {
    let py = column.py();
    let numpy = py.import(intern!(py, "numpy"))?;
    // A series gives its array; one with a zone is taken to UTC first.
    let zoned =
        column.getattr_opt(intern!(py, "dtype"))?.is_some_and(|d| d.hasattr(intern!(py, "tz")).unwrap_or(false));
    let values = if zoned {
        column.getattr("dt")?.call_method1("tz_convert", (py.None(),))?.call_method0("to_numpy")?
    } else {
        match column.getattr_opt(intern!(py, "values"))? {
            Some(values) => values,
            None => column.clone(),
        }
    };
    let array =
        if values.hasattr(intern!(py, "dtype"))? { values } else { numpy.call_method1("asarray", (values,))? };
    let kind: String = array.getattr(intern!(py, "dtype"))?.getattr(intern!(py, "kind"))?.extract()?;
    match kind.as_str() {
        "M" => {
            // "<M8[ns]" and its relatives.
            let code: String = array.getattr(intern!(py, "dtype"))?.getattr(intern!(py, "str"))?.extract()?;
            let unit = code.split(['[', ']']).nth(1).unwrap_or("ns");
            let stamps = ints(&array.call_method1(intern!(py, "view"), (intern!(py, "int64"),))?)?;
            Ok(Times { stamps, unit: unit_named(unit)? })
        }
        "i" | "u" => {
            let stamps = ints(&array)?;
            let first = match &stamps {
                Ints::Numpy(a) => a.as_slice().ok().and_then(|s| s.first().copied()),
                Ints::Arrow(_) | Ints::Own(_) => None,
            };
            Ok(Times { stamps, unit: unit_of(first.unwrap_or(0)) })
        }
        "f" => Err(wrong("the time column is of fractions: give instants, or whole numbers since 1970")),
        _ => {
            let pandas = py
                .import("pandas")
                .map_err(|_ignored| wrong("the time column is text: convert it to instants first"))?;
            let options = PyDict::new(py);
            options.set_item("utc", true)?;
            let read = pandas.call_method("to_datetime", (array,), Some(&options));
            let read = read.map_err(|e| wrong(format!("the time column cannot be read: {}", e.value(py))))?;
            times(&read.call_method1("to_numpy", ("datetime64[ns]",))?)
        }
    }
}
