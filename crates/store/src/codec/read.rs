//! Reads a blob back into rows.

use super::bytes::Input;
use super::kin::{self, Kin};
use super::models::ModelColumns;
use super::seq::{Dictionary, Seq};
use super::{
    CodecError, FORMAT, FORMAT_RISK_ONLY, FORMAT_WITHOUT_KIN, FORMAT_WITHOUT_OPEN, RAW_BYTES_MAX, ROWS_MAX, Width,
    words,
};
use barograph_domain::row::HeldCount;
use barograph_domain::{AxisState, Cell, InputAge, Label, MinuteRow, StreamIndex, Ts};
use std::cell::RefCell;

/// Most inputs a row can name: the metrics there are, with room for new ones.
const INPUTS_MAX: usize = 255;

/// The rows of a blob; their stream indexes are positions in the layout, their `instrument` is 0.
///
/// # Errors
/// When the blob is damaged, of a newer format, or of other widths than its layout.
pub fn decode(blob: &[u8], width: Width) -> Result<Vec<MinuteRow>, CodecError> {
    decode_at(blob, width, every_row)
}

/// Some rows of a blob, those at the places that are picked by the times of all, in that order.
///
/// # Errors
/// As [`decode`]; damage in a row that is not picked is not seen.
pub fn decode_at(
    blob: &[u8],
    width: Width,
    pick: impl FnOnce(&[Ts]) -> Vec<usize>,
) -> Result<Vec<MinuteRow>, CodecError> {
    Columns::read(&unpacked(blob)?, width)?.rows(pick)
}

/// Picks all.
fn every_row(times: &[Ts]) -> Vec<usize> {
    (0..times.len()).collect()
}

/// What was compressed.
pub(super) fn unpacked(blob: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut input = Input(blob);
    let size = input.size(RAW_BYTES_MAX)?;
    decompressed(input.0, size)
}

/// What was compressed to these bytes, of a known size.
pub(super) fn decompressed(bytes: &[u8], size: usize) -> Result<Vec<u8>, CodecError> {
    // Kept by each thread that reads: setting one up costs as much as a small chunk.
    thread_local!(static ZSTD: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) });
    let raw = ZSTD.with_borrow_mut(|kept| {
        let zstd = match kept {
            Some(zstd) => zstd,
            None => kept.insert(zstd::bulk::Decompressor::new()?),
        };
        zstd.decompress(bytes, size)
    });
    let raw = raw.map_err(|_e| CodecError("does not decompress"))?;
    if raw.len() == size { Ok(raw) } else { Err(CodecError("decompresses to another length than it says")) }
}

/// Axes of the first format.
pub(super) const AXES_BEFORE: usize = 1;

/// What a chunk says of itself first.
pub(super) struct Head {
    pub(super) format: u8,
    pub(super) rows: usize,
    /// Inputs of a row, at most.
    pub(super) inputs: usize,
}

impl Head {
    pub(super) fn read(input: &mut Input<'_>, width: Width) -> Result<Self, CodecError> {
        let format = input.byte()?;
        if !(FORMAT_RISK_ONLY..=FORMAT).contains(&format) {
            return Err(CodecError("has a format this build does not know"));
        }
        let rows = input.size(ROWS_MAX)?;
        let found = Width {
            features: input.size(RAW_BYTES_MAX)?,
            cuts: input.size(RAW_BYTES_MAX)?,
            rules: input.size(RAW_BYTES_MAX)?,
        };
        if rows == 0 || found != width {
            return Err(CodecError("does not fit its layout"));
        }
        Ok(Self { format, rows, inputs: input.size(INPUTS_MAX)? })
    }
}

/// A chunk column by column.
pub(super) struct Columns {
    pub(super) width: Width,
    pub(super) rows: usize,
    pub(super) ts: Seq,
    pub(super) values: Vec<Seq>,
    pub(super) present: Vec<Seq>,
    pub(super) state: Vec<Seq>,
    pub(super) samples: Vec<Seq>,
    pub(super) flags: Vec<Seq>,
    pub(super) coverage: Vec<Seq>,
    pub(super) anchor: Vec<Seq>,
    /// Label, since and count of the risk, trend, volatility and heat axis; the risk axis alone in the first format.
    pub(super) axes: Vec<[Seq; 3]>,
    pub(super) timeframes: Option<Seq>,
    pub(super) open: Option<Seq>,
    pub(super) held: Vec<[Seq; 2]>,
    pub(super) inputs: Vec<[Seq; 3]>,
    pub(super) models: ModelColumns,
}

impl Columns {
    fn read(raw: &[u8], width: Width) -> Result<Self, CodecError> {
        let mut input = Input(raw);
        let Head { format, rows, inputs } = Head::read(&mut input, width)?;
        let mut seen = Dictionary::default();
        let mut one = || seen.get(&mut input, rows);
        let mut many = |n: usize| (0..n).map(|_| one()).collect::<Result<Vec<_>, _>>();
        let ts = many(1)?[0];
        let present = many(width.cuts + 1)?;
        let state = many(width.features)?;
        let samples = many(width.features)?;
        let flags = many(width.features)?;
        let coverage = many(width.features)?;
        let anchor = many(width.features)?;
        let axes = if format == FORMAT_RISK_ONLY { AXES_BEFORE } else { 4 };
        let axes = (0..axes).map(|_| Ok([one()?, one()?, one()?])).collect::<Result<_, _>>()?;
        let timeframes = if format == FORMAT_RISK_ONLY { None } else { Some(one()?) };
        let open = if format <= FORMAT_WITHOUT_OPEN { None } else { Some(one()?) };
        let held = (0..width.rules).map(|_| Ok([one()?, one()?])).collect::<Result<_, _>>()?;
        let inputs = (0..inputs).map(|_| Ok([one()?, one()?, one()?])).collect::<Result<_, _>>()?;
        let count = width.features + width.cuts + 1;
        let kin = read_kin(&mut input, format, count)?;
        let values = read_planes(&mut input, count, rows, &kin)?;
        let models = ModelColumns::read(&mut input, &mut seen, rows)?;
        if !input.0.is_empty() {
            return Err(CodecError("goes on after its end"));
        }
        Ok(Self {
            width,
            rows,
            ts,
            values,
            present,
            state,
            samples,
            flags,
            coverage,
            anchor,
            axes,
            timeframes,
            open,
            held,
            inputs,
            models,
        })
    }

    /// No column yet.
    pub(super) fn none(width: Width, rows: usize) -> Self {
        Self {
            width,
            rows,
            ts: [0; ROWS_MAX],
            values: Vec::new(),
            present: Vec::new(),
            state: Vec::new(),
            samples: Vec::new(),
            flags: Vec::new(),
            coverage: Vec::new(),
            anchor: Vec::new(),
            axes: Vec::new(),
            timeframes: None,
            open: None,
            held: Vec::new(),
            inputs: Vec::new(),
            models: ModelColumns::default(),
        }
    }

    pub(super) fn rows(&self, pick: impl FnOnce(&[Ts]) -> Vec<usize>) -> Result<Vec<MinuteRow>, CodecError> {
        let times: Vec<Ts> = self.ts[..self.rows].iter().map(|ts| Ts(ts.cast_signed())).collect();
        pick(&times).into_iter().map(|at| self.row(at)).collect()
    }

    fn row(&self, at: usize) -> Result<MinuteRow, CodecError> {
        let optional =
            |i: usize| (self.present[i][at] != 0).then(|| f64::from_bits(self.values[self.width.features + i][at]));
        let held = |h: &[Seq; 2]| HeldCount { held: words::low32(h[0][at]), known: words::low32(h[1][at]) };
        Ok(MinuteRow {
            instrument: 0,
            ts: Ts(self.ts[at].cast_signed()),
            cells: (0..self.width.features).map(|c| self.cell(c, at)).collect::<Result<_, _>>()?,
            cuts: (0..self.width.cuts).map(optional).collect(),
            risk: self.axis(0, at)?,
            trend: self.axis(1, at)?,
            volatility: self.axis(2, at)?,
            heat: self.axis(3, at)?,
            timeframes: match &self.timeframes {
                Some(column) => words::get_timeframes(column[at])?,
                None => barograph_domain::Timeframes::default(),
            },
            held: self.held.iter().map(held).collect(),
            inputs: self.inputs(at)?,
            price: optional(self.width.cuts),
            models: self.models.row(at)?,
            open: match &self.open {
                Some(column) => words::get_open(column[at])?,
                None => barograph_domain::OpenAlerts::default(),
            },
        })
    }

    fn cell(&self, column: usize, at: usize) -> Result<Cell, CodecError> {
        let flags = self.flags[column][at];
        Ok(Cell {
            value: f64::from_bits(self.values[column][at]),
            anchor: Ts(self.anchor[column][at].cast_signed()),
            coverage: f32::from_bits(words::low32(self.coverage[column][at])),
            state: words::get_state(self.state[column][at], self.samples[column][at])?,
            kind: words::get_kind(flags & 3)?,
            partial: flags >> 2 & 1 == 1,
            stream: stream(flags >> 3)?,
        })
    }

    /// The state of one axis; UNKNOWN where the format had none.
    fn axis<L: Label>(&self, axis: usize, at: usize) -> Result<AxisState<L>, CodecError> {
        match self.axes.get(axis) {
            Some([axis, since, count]) => words::get_axis(axis[at], since[at], count[at]),
            None => Ok(AxisState::default()),
        }
    }

    fn inputs(&self, at: usize) -> Result<Vec<InputAge>, CodecError> {
        let used = self.inputs.iter().take_while(|i| i[0][at] != 0);
        let one = |i: &[Seq; 3]| {
            let (metric, gap) = words::get_input(i[0][at])?;
            Ok(InputAge { metric, gap, stream: stream(i[1][at])?, anchor: Ts(i[2][at].cast_signed()) })
        };
        used.map(one).collect()
    }
}

fn stream(code: u64) -> Result<Option<StreamIndex>, CodecError> {
    if code == 0 {
        return Ok(None);
    }
    u16::try_from(code - 1).map(|i| Some(StreamIndex(i))).map_err(|_e| CodecError("names an impossible stream"))
}

/// Which columns follow others; none did before there was a word for it.
pub(super) fn read_kin(input: &mut Input<'_>, format: u8, columns: usize) -> Result<Vec<Option<Kin>>, CodecError> {
    if format <= FORMAT_WITHOUT_KIN { Ok(vec![None; columns]) } else { kin::get(input, columns) }
}

fn read_planes(
    input: &mut Input<'_>,
    columns: usize,
    rows: usize,
    kin: &[Option<Kin>],
) -> Result<Vec<Seq>, CodecError> {
    let mut values = vec![[0; ROWS_MAX]; columns];
    for plane in (0..8).rev() {
        for column in &mut values {
            for (value, byte) in column.iter_mut().zip(input.take(rows)?) {
                *value |= u64::from(*byte) << (8 * plane);
            }
        }
    }
    for (column, _) in values.iter_mut().zip(kin).filter(|(_, kin)| kin.is_none()) {
        for row in 1..rows {
            column[row] ^= column[row - 1];
        }
    }
    for (at, kin) in kin.iter().enumerate() {
        // Whom it follows comes earlier.
        if let Some(kin) = kin
            && let (before, [column, ..]) = values.split_at_mut(at)
        {
            kin::join(kin, column, &before[kin::of(kin)], rows);
        }
    }
    Ok(values)
}
