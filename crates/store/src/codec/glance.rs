//! A few readings of a chunk without the rest of it: what compares markets reads one of a hundred columns of every minute.
//!
//! Sequences that were written out are read, because later ones may repeat them; constant and repeated ones are stepped over
//! unless they are asked for, and of the bits of numbers only the columns asked for are looked at.

use super::bytes::Input;
use super::kin::{self, Kin};
use super::read::{self, AXES_BEFORE, Columns};
use super::seq::{Dictionary, Seq};
use super::{CodecError, FORMAT_RISK_ONLY, FORMAT_WITHOUT_OPEN, Width};
use barograph_domain::{MinuteRow, Ts};

/// The rows of a blob that are picked, with the readings at these places, in their order, the labels of the axes, the ages of the inputs and the
/// price. What else a row has is left out.
///
/// # Errors
/// As [`super::decode_at`]; damage in what is left out is not seen, but for the checksum of the whole.
pub fn glance(
    blob: &[u8],
    width: Width,
    features: &[usize],
    pick: impl FnOnce(&[Ts]) -> Vec<usize>,
) -> Result<Vec<MinuteRow>, CodecError> {
    if features.iter().any(|f| *f >= width.features) {
        return Err(CodecError("has no such reading"));
    }
    let raw = read::unpacked(blob)?;
    let mut input = Input(&raw);
    let head = read::Head::read(&mut input, width)?;
    let rows = head.rows;
    let mut seen = Dictionary::default();
    let ts = seen.get(&mut input, rows)?;
    seen.skip(&mut input, rows, width.cuts)?;
    let present = seen.get(&mut input, rows)?;
    let mut parts = [const { Vec::new() }; 5];
    for part in &mut parts {
        *part = some(&mut seen, &mut input, rows, width.features, features)?;
    }
    let [state, samples, flags, coverage, anchor] = parts;
    let axes = if head.format == FORMAT_RISK_ONLY { AXES_BEFORE } else { 4 };
    let axes = (0..axes)
        .map(|_| Ok([seen.get(&mut input, rows)?, seen.get(&mut input, rows)?, seen.get(&mut input, rows)?]))
        .collect::<Result<_, CodecError>>()?;
    let timeframes_and_open =
        usize::from(head.format > FORMAT_RISK_ONLY) + usize::from(head.format > FORMAT_WITHOUT_OPEN);
    seen.skip(&mut input, rows, timeframes_and_open + 2 * width.rules)?;
    let inputs = (0..head.inputs)
        .map(|_| Ok([seen.get(&mut input, rows)?, seen.get(&mut input, rows)?, seen.get(&mut input, rows)?]))
        .collect::<Result<_, CodecError>>()?;
    let kin = read::read_kin(&mut input, head.format, width.features + width.cuts + 1)?;
    let values = planes(&input, &kin, rows, features, width.features + width.cuts)?;
    let narrow = Width { features: features.len(), cuts: 0, rules: 0 };
    let columns = Columns {
        ts,
        values,
        present: vec![present],
        state,
        samples,
        flags,
        coverage,
        anchor,
        axes,
        inputs,
        ..Columns::none(narrow, rows)
    };
    columns.rows(pick)
}

/// Of so many sequences those at these places.
fn some(
    seen: &mut Dictionary,
    input: &mut Input<'_>,
    rows: usize,
    count: usize,
    places: &[usize],
) -> Result<Vec<Seq>, CodecError> {
    let mut found = vec![[0; super::ROWS_MAX]; places.len()];
    for at in 0..count {
        if places.contains(&at) {
            let seq = seen.get(input, rows)?;
            for (out, _) in found.iter_mut().zip(places).filter(|(_, p)| **p == at) {
                *out = seq;
            }
        } else {
            seen.skip(input, rows, 1)?;
        }
    }
    Ok(found)
}

/// Bits of the columns at these places, and of the price behind them.
fn planes(
    input: &Input<'_>,
    kin: &[Option<Kin>],
    rows: usize,
    places: &[usize],
    price: usize,
) -> Result<Vec<Seq>, CodecError> {
    let columns = kin.len();
    let bytes = input.0.get(..8 * columns * rows).ok_or(CodecError("ends too early"))?;
    let read = |column: usize| {
        let mut values: Seq = [0; super::ROWS_MAX];
        for (n, plane) in (0..8).rev().enumerate() {
            let start = (n * columns + column) * rows;
            for (value, byte) in values.iter_mut().zip(&bytes[start..start + rows]) {
                *value |= u64::from(*byte) << (8 * plane);
            }
        }
        values
    };
    let alone = |column: usize| {
        let mut values = read(column);
        for row in 1..rows {
            values[row] ^= values[row - 1];
        }
        values
    };
    let whole = |column: usize| match &kin[column] {
        None => alone(column),
        Some(kin) => {
            let mut values = read(column);
            kin::join(kin, &mut values, &alone(kin::of(kin)), rows);
            values
        }
    };
    Ok(places.iter().copied().chain([price]).map(whole).collect())
}
