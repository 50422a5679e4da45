//! Gathers rows into columns and writes them.

use super::bytes::put_uint;
use super::kin::{self, Kin};
use super::models::ModelColumns;
use super::seq::{Coder, Dictionary, Seq};
use super::{CodecError, FORMAT, ROWS_MAX, Width, ZSTD_LEVEL, words};
use barograph_domain::{Cell, InputAge, MinuteRow, StreamIndex};

/// One chunk in the making; used again for the next one, without allocating.
pub struct ChunkBuilder {
    width: Width,
    /// `remap[i]`: position in the layout of the stream that rows call `i`.
    remap: Vec<Option<u16>>,
    rows: usize,
    inputs_max: usize,
    ts: Seq,
    /// Bits of cells, then of cuts, then of the price.
    values: Vec<Seq>,
    /// Is there a cut (a price)?
    present: Vec<Seq>,
    anchor: Vec<Seq>,
    coverage: Vec<Seq>,
    state: Vec<Seq>,
    samples: Vec<Seq>,
    flags: Vec<Seq>,
    /// The cell of the row before in each column, and the row from which on it stands: most cells are those of the minute before,
    /// and are written into their columns when they end.
    standing: Vec<(usize, Cell)>,
    /// Label, since and count of the risk, trend, volatility and heat axis.
    axes: [[Seq; 3]; 4],
    /// Labels of all axes on the four timeframes.
    timeframes: Seq,
    /// Alerts that are open.
    open: Seq,
    /// Held and known of each rule.
    held: Vec<[Seq; 2]>,
    /// Metric, stream and anchor of each place in `MinuteRow::inputs`.
    inputs: Vec<[Seq; 3]>,
    models: ModelColumns,
    kin: Vec<Option<Kin>>,
    dictionary: Dictionary,
    raw: Vec<u8>,
    zstd: zstd::bulk::Compressor<'static>,
}

impl std::fmt::Debug for ChunkBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkBuilder").field("width", &self.width).field("rows", &self.rows).finish_non_exhaustive()
    }
}

const ZERO: Seq = [0; ROWS_MAX];

impl ChunkBuilder {
    /// An empty chunk. `remap` turns the rows' stream indexes into positions of the layout; an index it does not hold
    /// is an error of the row.
    ///
    /// # Errors
    /// When the compressor cannot be set up (memory).
    pub fn new(width: Width, remap: Vec<Option<u16>>) -> std::io::Result<Self> {
        let mut zstd = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
        zstd.include_checksum(true)?;
        let columns = |n: usize| vec![ZERO; n];
        Ok(Self {
            width,
            remap,
            rows: 0,
            inputs_max: 0,
            ts: ZERO,
            values: columns(width.features + width.cuts + 1),
            present: columns(width.cuts + 1),
            anchor: columns(width.features),
            coverage: columns(width.features),
            state: columns(width.features),
            samples: columns(width.features),
            flags: columns(width.features),
            standing: Vec::with_capacity(width.features),
            axes: [[ZERO; 3]; 4],
            timeframes: ZERO,
            open: ZERO,
            held: vec![[ZERO; 2]; width.rules],
            inputs: Vec::new(),
            models: ModelColumns::default(),
            kin: Vec::new(),
            dictionary: Dictionary::default(),
            raw: Vec::new(),
            zstd,
        })
    }

    /// An empty chunk of the same layout.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn another(&self) -> std::io::Result<Self> {
        Self::new(self.width, self.remap.clone())
    }

    /// Rows gathered since the last [`Self::finish`].
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the chunk is full, or the row has other widths or names a stream the layout does not have. Nothing is added
    /// then.
    pub fn push(&mut self, row: &MinuteRow) -> Result<(), CodecError> {
        if self.rows == ROWS_MAX {
            return Err(CodecError("has more than 60 rows in one hour"));
        }
        let got = Width { features: row.cells.len(), cuts: row.cuts.len(), rules: row.held.len() };
        if got != self.width {
            return Err(CodecError("has other numbers of readings, cuts or rules than its run declares"));
        }
        let at = self.rows;
        for cell in &row.cells {
            self.stream(cell.stream)?;
        }
        self.ts[at] = row.ts.0.cast_unsigned();
        if at == 0 {
            self.standing.clear();
            self.standing.extend(row.cells.iter().map(|cell| (0, *cell)));
        }
        for (column, cell) in row.cells.iter().enumerate() {
            if !is_same(&self.standing[column].1, cell) {
                self.settle(column, at)?;
                self.standing[column] = (at, *cell);
            }
        }
        let optional = row.cuts.iter().chain([&row.price]);
        for (i, value) in optional.enumerate() {
            self.present[i][at] = u64::from(value.is_some());
            self.values[self.width.features + i][at] = value.map_or(0, f64::to_bits);
        }
        for (column, held) in self.held.iter_mut().zip(&row.held) {
            column[0][at] = u64::from(held.held);
            column[1][at] = u64::from(held.known);
        }
        self.put_axes(at, row);
        self.put_inputs(at, &row.inputs)?;
        self.models.put(at, &row.models)?;
        self.rows += 1;
        Ok(())
    }

    fn stream(&self, stream: Option<StreamIndex>) -> Result<u64, CodecError> {
        let Some(stream) = stream else { return Ok(0) };
        let place = self.remap.get(stream.index()).copied().flatten();
        place.map(|p| u64::from(p) + 1).ok_or(CodecError("names a stream its run does not declare"))
    }

    /// Writes the standing cell of a column into its rows before `until`.
    fn settle(&mut self, column: usize, until: usize) -> Result<(), CodecError> {
        let (from, cell) = self.standing[column];
        let (state, samples) = words::put_state(cell.state);
        let flags = words::put_kind(cell.kind) | u64::from(cell.partial) << 2 | self.stream(cell.stream)? << 3;
        self.values[column][from..until].fill(cell.value.to_bits());
        self.anchor[column][from..until].fill(cell.anchor.0.cast_unsigned());
        self.coverage[column][from..until].fill(u64::from(cell.coverage.to_bits()));
        self.state[column][from..until].fill(state);
        self.samples[column][from..until].fill(samples);
        self.flags[column][from..until].fill(flags);
        Ok(())
    }

    fn put_axes(&mut self, at: usize, row: &MinuteRow) {
        for (columns, words) in self.axes.iter_mut().zip(words::all_axes(row)) {
            for (column, word) in columns.iter_mut().zip(words) {
                column[at] = word;
            }
        }
        self.timeframes[at] = words::put_timeframes(&row.timeframes);
        self.open[at] = words::put_open(&row.open);
    }

    fn put_inputs(&mut self, at: usize, inputs: &[InputAge]) -> Result<(), CodecError> {
        while self.inputs.len() < inputs.len() {
            self.inputs.push([ZERO; 3]);
        }
        self.inputs_max = self.inputs_max.max(inputs.len());
        for place in 0..self.inputs.len() {
            // Metric 0 means that the row has fewer inputs.
            let [metric, stream, anchor] = match inputs.get(place) {
                None => [0; 3],
                Some(i) => [words::put_input(i), self.stream(i.stream)?, i.anchor.0.cast_unsigned()],
            };
            let column = &mut self.inputs[place];
            (column[0][at], column[1][at], column[2][at]) = (metric, stream, anchor);
        }
        Ok(())
    }

    /// Writes the rows gathered and begins the next chunk.
    ///
    /// # Errors
    /// When there is no row, or the compressor fails (memory).
    pub fn finish(&mut self) -> std::io::Result<Vec<u8>> {
        if self.rows == 0 {
            return Err(std::io::Error::other("a chunk without rows"));
        }
        for column in 0..self.standing.len() {
            self.settle(column, self.rows).map_err(std::io::Error::other)?;
        }
        self.write_raw();
        let mut blob = Vec::with_capacity(zstd::zstd_safe::compress_bound(self.raw.len()) + 5);
        put_uint(&mut blob, self.raw.len() as u64);
        blob.extend_from_slice(&self.zstd.compress(&self.raw)?);
        self.rows = 0;
        self.inputs_max = 0;
        Ok(blob)
    }

    fn write_raw(&mut self) {
        let (n, out, seen) = (self.rows, &mut self.raw, &mut self.dictionary);
        out.clear();
        seen.clear();
        out.push(FORMAT);
        for size in [n, self.width.features, self.width.cuts, self.width.rules, self.inputs_max] {
            put_uint(out, size as u64);
        }
        seen.put(out, &self.ts, n, Coder::Steps);
        for (columns, coder) in [
            (&self.present, Coder::Runs),
            (&self.state, Coder::Runs),
            (&self.samples, Coder::Steps),
            (&self.flags, Coder::Runs),
            (&self.coverage, Coder::Xor),
            (&self.anchor, Coder::Steps),
        ] {
            for column in columns {
                seen.put(out, column, n, coder);
            }
        }
        for [axis, since, count] in &self.axes {
            seen.put(out, axis, n, Coder::Runs);
            seen.put(out, since, n, Coder::Steps);
            seen.put(out, count, n, Coder::Steps);
        }
        seen.put(out, &self.timeframes, n, Coder::Runs);
        seen.put(out, &self.open, n, Coder::Runs);
        for [held, known] in &self.held {
            seen.put(out, held, n, Coder::Steps);
            seen.put(out, known, n, Coder::Steps);
        }
        for [metric, stream, anchor] in &self.inputs[..self.inputs_max] {
            seen.put(out, metric, n, Coder::Runs);
            seen.put(out, stream, n, Coder::Runs);
            seen.put(out, anchor, n, Coder::Steps);
        }
        kin::part(&mut self.values, n, &mut self.kin);
        kin::put(out, &self.kin);
        write_planes(out, &mut self.values, n, &self.kin);
        self.models.write(out, seen, n);
    }
}

/// Bit for bit; numbers that are equal and written differently are not the same.
fn is_same(a: &Cell, b: &Cell) -> bool {
    a.value.to_bits() == b.value.to_bits() && a.coverage.to_bits() == b.coverage.to_bits() && a == b
}

/// XORs each column that stands for itself with itself one row up and writes byte planes, most significant first, column after
/// column.
fn write_planes(out: &mut Vec<u8>, columns: &mut [Seq], rows: usize, kin: &[Option<Kin>]) {
    for (column, _) in columns.iter_mut().zip(kin).filter(|(_, kin)| kin.is_none()) {
        for row in (1..rows).rev() {
            column[row] ^= column[row - 1];
        }
    }
    for plane in (0..8).rev() {
        for column in columns.iter() {
            out.extend(column[..rows].iter().map(|v| v.to_le_bytes()[plane]));
        }
    }
}
