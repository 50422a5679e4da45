//! Somebody's table as rows of research, or as columns of plain numbers.

use super::super::arrow::Table;
use super::super::convert::wrong;
use super::super::frames::{Ints, Times};
use super::asked::refused;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array as _, ArrayRef};
use barograph_domain::Ts;
use barograph_study::{FrameColumn, ResearchFrame};
use pyo3::prelude::*;

/// Names a time column may have, in the order they are looked for.
pub(super) const TIME: [&str; 7] = ["ts", "timestamp", "event_ts", "exchange_ts", "datetime", "time", "date"];
/// Columns that say what a row is, and those a hive folder adds: no numbers of the market.
const NOT_NUMBERS: [&str; 10] =
    ["known_ts", "row_valid", "reason_mask", "exchange", "symbol", "timeframe", "year", "month", "day", "hour"];

/// A column of instants.
pub(super) fn instants(table: &Table, name: &str) -> PyResult<Vec<Ts>> {
    let Times { stamps, unit } = table.times(name)?;
    let owned;
    let all: &[i64] = match &stamps {
        Ints::Arrow(a) => a.values(),
        Ints::Own(v) => v,
        Ints::Numpy(_) => {
            owned = Vec::new();
            &owned
        }
    };
    let of = |(row, t): (usize, &i64)| {
        t.checked_mul(unit).map(Ts).ok_or_else(|| wrong(format!("'{name}' of row {row} lies beyond the year 2262")))
    };
    all.iter().enumerate().map(of).collect()
}

/// A column of numbers; what is null or no finite number is absent. `None` where the column holds something else.
pub(super) fn numbers(pieces: &[ArrayRef]) -> Option<Vec<Option<f64>>> {
    let mut out = Vec::with_capacity(pieces.iter().map(|p| p.len()).sum());
    pieces.iter().all(|piece| append(&mut out, piece)).then_some(out)
}

fn append(out: &mut Vec<Option<f64>>, piece: &ArrayRef) -> bool {
    macro_rules! first {
        ($($kind:ty => $to:expr),*) => { $(
            if let Some(a) = piece.as_primitive_opt::<$kind>() {
                out.extend(a.iter().map(|x| x.map($to).filter(|x| x.is_finite())));
                return true;
            }
        )* };
    }
    #[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 keep 53 bits")]
    {
        first!(
            Float64Type => |x| x, Float32Type => f64::from, UInt8Type => f64::from, UInt16Type => f64::from,
            UInt32Type => f64::from, Int8Type => f64::from, Int16Type => f64::from, Int32Type => f64::from,
            Int64Type => |x| x as f64, UInt64Type => |x| x as f64
        );
    }
    if let Some(a) = piece.as_boolean_opt() {
        out.extend(a.iter().map(|x| x.map(|yes| f64::from(u8::from(yes)))));
        return true;
    }
    // A column in which nothing is there has no type of its own.
    if *piece.data_type() == arrow_schema::DataType::Null {
        out.extend((0..piece.len()).map(|_| None));
        return true;
    }
    false
}

/// A column that must be there, of numbers.
pub(super) fn required(table: &Table, name: &str) -> PyResult<Vec<Option<f64>>> {
    let pieces = table.pieces(name)?;
    numbers(&pieces).ok_or_else(|| not_numbers(name, &pieces))
}

fn not_numbers(name: &str, pieces: &[ArrayRef]) -> PyErr {
    let kind = pieces.first().map(|p| p.data_type().to_string()).unwrap_or_default();
    wrong(format!("column '{name}' is {kind}: give numbers"))
}

/// The first of these names that the table has.
pub(super) fn found<'a>(table_names: &'a [String], wanted: &[&str]) -> Option<&'a str> {
    wanted.iter().find_map(|w| table_names.iter().find(|n| n.as_str() == *w)).map(String::as_str)
}

/// Yes or no in every row; a row without is taken for `otherwise`.
pub(super) fn flags(table: &Table, name: &str, otherwise: bool) -> PyResult<Vec<bool>> {
    Ok(required(table, name)?.into_iter().map(|v| v.map_or(otherwise, |v| v > 0.5)).collect())
}

/// Feature rows as the studies know them: `ts` on whole seconds, ascending; `row_valid`, without which a row counts whose `mid_price` is
/// there; every other column of numbers.
pub(super) fn research_frame(frame: &Bound<'_, PyAny>) -> PyResult<ResearchFrame> {
    let table = Table::of(frame)?;
    let names = table.names();
    let Some(time) = found(&names, &TIME) else {
        let there = if names.is_empty() { "no rows".to_owned() } else { shown(&names) };
        return Err(wrong(format!("no time: the rows have {there}; give a column ts")));
    };
    let times = instants(&table, time)?;
    let mut columns = Vec::new();
    for name in names.iter().filter(|n| *n != time && !NOT_NUMBERS.contains(&n.as_str())) {
        let pieces = table.pieces(name)?;
        match numbers(&pieces) {
            Some(all) => columns.push((name.clone(), all.into_iter().collect::<FrameColumn>())),
            None if barograph_columns::place_of(name).is_some() => return Err(not_numbers(name, &pieces)),
            None => {}
        }
    }
    let mid = columns.iter().find(|(name, _)| name == "mid_price").map(|(_, column)| column);
    let valid = match (names.iter().any(|n| n == "row_valid"), mid) {
        (true, _) => flags(&table, "row_valid", false)?,
        (false, Some(mid)) => mid.iter().map(|v| v.is_some()).collect(),
        (false, None) => return Err(wrong("no column 'mid_price': targets are made of it")),
    };
    ResearchFrame::new(times, valid, columns).map_err(refused)
}

/// Names, the first few of many.
pub(super) fn shown(names: &[String]) -> String {
    let more = names.len().saturating_sub(8);
    let first = names.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{first} and {more} more") } else { first }
}
