//! Cells of one row to one payload, checked: prices that a market can have, quantities not below, rates below 100 %, candles whose high
//! is the highest and whose low is the lowest.

use crate::layout::{BarColumns, SideColumn};
use crate::number;
use crate::reject::{Reject, RejectReason};
use crate::row::{Row, TableCell};
use barograph_domain::{Bar, Metric, Payload, Price, Side};

pub(crate) fn bar(row: &Row<'_>, metric: Metric, c: &BarColumns) -> Result<Option<Payload>, Reject> {
    let prices = [c.open, c.high, c.low, c.close];
    if prices.iter().all(|p| row.cell(*p) == TableCell::Empty) {
        return Ok(None);
    }
    let read = |column| match metric {
        Metric::PremiumIndex => fraction(row, column)?.ok_or(Reject::cell(RejectReason::MissingValue, column)),
        _ => price(row, column),
    };
    let (open, high, low, close) = (read(c.open)?, read(c.high)?, read(c.low)?, read(c.close)?);
    if high < low || open < low || open > high || close < low || close > high {
        return Err(Reject::cell(RejectReason::HighBelowLow, c.high));
    }
    if metric != Metric::Bar {
        return Ok(Some(Payload::Value(close)));
    }
    let optional = |column: Option<usize>| match column {
        Some(column) => row.optional(column).and_then(|v| match v {
            Some(v) if v < 0.0 => Err(Reject::cell(RejectReason::Negative, column)),
            v => Ok(v),
        }),
        None => Ok(None),
    };
    let (mut volume, mut quote_volume) = (optional(c.volume)?, optional(c.quote_volume)?);
    if let Some(size) = c.contract_size {
        (volume, quote_volume) = (quote_volume, volume.map(|contracts| contracts * f64::from(size)));
    }
    Ok(Some(Payload::Bar(Bar { open, high, low, close, volume, quote_volume })))
}

pub(crate) fn funding(
    row: &Row<'_>,
    rate: usize,
    interval_h: Option<usize>,
    rate_type: Option<usize>,
) -> Result<Option<Payload>, Reject> {
    let Some(value) = fraction(row, rate)? else { return Ok(None) };
    let hours = match interval_h {
        None => None,
        Some(column) => match row.optional(column)? {
            Some(h) if !(h > 0.0 && h <= 24.0 * 7.0) => return Err(Reject::cell(RejectReason::OutOfRange, column)),
            h => h,
        },
    };
    let special = rate_type.and_then(|c| row.text(c)).is_some_and(|t| t.eq_ignore_ascii_case(b"special"));
    Ok(Some(Payload::Funding { rate: value, interval_h: hours, next_ts: None, special }))
}

/// A rate: below 100 % in either direction.
pub(crate) fn fraction(row: &Row<'_>, column: usize) -> Result<Option<f64>, Reject> {
    match row.optional(column)? {
        Some(v) if v.abs() >= 1.0 => Err(Reject::cell(RejectReason::OutOfRange, column)),
        v => Ok(v),
    }
}

pub(crate) fn value(row: &Row<'_>, metric: Metric, column: usize) -> Result<Option<f64>, Reject> {
    match metric {
        Metric::PremiumIndex => fraction(row, column),
        _ => match row.optional(column)? {
            Some(v) if v < 0.0 => Err(Reject::cell(RejectReason::Negative, column)),
            Some(v) if is_price(metric) && Price::new(v).is_none() => {
                Err(Reject::cell(RejectReason::of_price(v), column))
            }
            v => Ok(v),
        },
    }
}

const fn is_price(metric: Metric) -> bool {
    matches!(metric, Metric::MarkPrice | Metric::IndexPrice)
}

pub(crate) fn price(row: &Row<'_>, column: usize) -> Result<f64, Reject> {
    let v = row.number(column)?;
    Price::new(v).map(Price::get).ok_or(Reject::cell(RejectReason::of_price(v), column))
}

pub(crate) fn not_negative(row: &Row<'_>, column: usize) -> Result<f64, Reject> {
    let v = row.number(column)?;
    if v >= 0.0 { Ok(v) } else { Err(Reject::cell(RejectReason::Negative, column)) }
}

/// The sequence of a trade, and the number its order is checked by. Ids that are no numbers are told apart by a hash.
pub(crate) fn trade_id(row: &Row<'_>, column: Option<usize>) -> Result<(u64, Option<u64>), Reject> {
    let Some(column) = column else { return Ok((0, None)) };
    match row.cell(column) {
        TableCell::Empty => Ok((0, None)),
        TableCell::Text(text) => match number::unsigned(text) {
            Some(id) => Ok((id, Some(id))),
            None => Ok((fnv1a(text), None)),
        },
        TableCell::Int(_) => row.id(column).map(|id| (id, Some(id))),
        TableCell::Float(_) | TableCell::Time(_) => Err(Reject::cell(RejectReason::NotANumber, column)),
    }
}

/// FNV-1a, 64 bit.
fn fnv1a(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

pub(crate) fn acting_side(row: &Row<'_>, column: SideColumn) -> Result<Option<Side>, Reject> {
    match column {
        SideColumn::None => Ok(None),
        SideColumn::BuyerIsMaker(column) => match row.text(column) {
            Some(t) if t.eq_ignore_ascii_case(b"true") || t == b"1" => Ok(Some(Side::Short)),
            Some(t) if t.eq_ignore_ascii_case(b"false") || t == b"0" => Ok(Some(Side::Long)),
            _ => Err(Reject::cell(RejectReason::UnknownWord, column)),
        },
        SideColumn::Word(column) => match row.text(column) {
            None => Ok(None),
            Some(t) if t.eq_ignore_ascii_case(b"unknown") => Ok(None),
            Some(_) => side_word(row, column).map(Some),
        },
    }
}

/// Whose position was closed. `buy` and `sell` are the side of the order that closed it, which is the other one; `long` and
/// `short` are the position itself.
pub(crate) fn liquidated_side(row: &Row<'_>, column: usize) -> Result<Side, Reject> {
    match row.text(column) {
        Some(t) if t.eq_ignore_ascii_case(b"long") => Ok(Side::Long),
        Some(t) if t.eq_ignore_ascii_case(b"short") => Ok(Side::Short),
        _ => side_word(row, column).map(|order| match order {
            Side::Short => Side::Long,
            Side::Long => Side::Short,
        }),
    }
}

pub(crate) fn side_word(row: &Row<'_>, column: usize) -> Result<Side, Reject> {
    match row.text(column) {
        Some(t) if t.eq_ignore_ascii_case(b"buy") => Ok(Side::Long),
        Some(t) if t.eq_ignore_ascii_case(b"sell") => Ok(Side::Short),
        _ => Err(Reject::cell(RejectReason::UnknownWord, column)),
    }
}
