//! Deep snapshots: a row per state of the book with a list of prices and one of sizes for each side, in Parquet, as a collector of
//! Binance books writes them (`ts_ms, exch_ts_ms, symbol, bids_px, bids_qty, asks_px, asks_qty, reconnect_flag`). `exch_ts_ms` is the
//! venue's clock, `ts_ms` the receipt. All levels that the collector kept are compared; those that research looks at are handed on.

use super::counted::Counted;
use super::listener::{RecordListener, RecordStamps};
use super::passed_on::HeardOut;
use super::piece::Piece;
use super::snapshots::SnapshotBook;
use super::table::same_symbol;
use crate::columnar::guarded;
use crate::error::Error;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array as _, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow_schema::DataType;
use barograph_domain::{GapReason, Ts};
use barograph_venues::number;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows decoded at a time: a thousand levels a side are 32 KB a row.
const BATCH: usize = 256;
/// What has to be there.
const NEEDED: [&str; 6] = ["ts_ms", "exch_ts_ms", "bids_px", "bids_qty", "asks_px", "asks_qty"];
/// What is used where it is there.
const USED: [&str; 2] = ["symbol", "reconnect_flag"];

/// Files of one market in this form.
pub(super) struct ListBooks<'a> {
    /// In their order.
    pub(super) files: &'a [Piece],
    pub(super) symbol: &'a str,
    pub(super) counted: Counted,
    pub(super) read: &'a Arc<AtomicU64>,
}

/// Are these the columns of the form?
pub(super) fn is_lists(names: &[String]) -> bool {
    NEEDED.iter().all(|want| names.iter().any(|n| n == want))
}

impl ListBooks<'_> {
    pub(super) fn play<L: RecordListener>(&self, to: &mut HeardOut<'_, L>) -> Result<(), L::Failure> {
        let mut book = SnapshotBook::default();
        for piece in self.files {
            let broken = |e: String| Error::Usage(format!("{} is {e}", piece.shown));
            let (mut batches, rows) = guarded(|| open(piece)).map_err(broken)?;
            let bytes = piece.path.metadata().map_or(0, |m| m.len());
            let (mut number, mut counted) = (0_u64, 0);
            loop {
                let next = guarded(|| batches.next().transpose().map_err(|e| e.to_string()));
                let batch = match next {
                    Ok(None) => break,
                    Ok(Some(batch)) => batch,
                    Err(why) => {
                        to.torn(&piece.shown, number, &why);
                        break;
                    }
                };
                let Some(batch) = ListBatch::of(&batch) else {
                    return Err(broken("of the right names, but not of the right types".to_owned()).into());
                };
                for row in 0..batch.recv.len() {
                    self.row(piece, &batch, row, number == 0, &mut book, to)?;
                    number += 1;
                }
                let done = bytes.saturating_mul(number) / rows.max(1);
                self.read.fetch_add(done.saturating_sub(counted), Ordering::Relaxed);
                counted = done;
            }
        }
        Ok(())
    }

    fn row<L: RecordListener>(
        &self,
        piece: &Piece,
        batch: &ListBatch,
        row: usize,
        first: bool,
        book: &mut SnapshotBook,
        to: &mut HeardOut<'_, L>,
    ) -> Result<(), L::Failure> {
        to.done.lines += 1;
        if batch.symbol(row).is_some_and(|s| !same_symbol(s.as_bytes(), self.symbol)) {
            return Ok(());
        }
        let Some(at) = batch.at(row) else {
            to.unreadable(&piece.shown, to.done.lines);
            return Ok(());
        };
        book.begin();
        for (price, size) in batch.levels(0, row) {
            book.bid(price, self.counted.base(size, price));
        }
        for (price, size) in batch.levels(1, row) {
            book.ask(price, self.counted.base(size, price));
        }
        if !book.is_ordered() {
            to.refused(|| format!("{}: levels are not in their order at {}", piece.shown, at.recv.iso()));
            return Ok(());
        }
        let at = to.reach(at)?;
        if first {
            to.next_file(at, false)?;
        }
        if batch.reconnected(row) {
            let from = to.newest().unwrap_or(at.event);
            to.lose_book(from, GapReason::Disconnected)?;
        }
        let updates = book.changed();
        if to.state(at, &book.sides(to.reach_bps()), updates)? {
            book.keep();
        }
        Ok(())
    }
}

fn open(piece: &Piece) -> Result<(ParquetRecordBatchReader, u64), String> {
    let file = File::open(&piece.path).map_err(|e| format!("not readable: {e}"))?;
    let said = |e: parquet::errors::ParquetError| format!("not a readable parquet file: {e}");
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(said)?;
    let wanted = |name: &str| NEEDED.contains(&name) || USED.contains(&name);
    let fields = builder.schema().fields().iter().enumerate();
    let places: Vec<usize> = fields.filter(|(_, f)| wanted(&f.name().to_ascii_lowercase())).map(|(at, _)| at).collect();
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let mask = ProjectionMask::roots(builder.parquet_schema(), places);
    Ok((builder.with_projection(mask).with_batch_size(BATCH).build().map_err(said)?, rows))
}

/// Some rows, by column.
struct ListBatch {
    recv: Int64Array,
    event: Int64Array,
    /// Prices and sizes of bids, then of asks: lists of floats.
    sides: [[ArrayRef; 2]; 2],
    symbol: Option<ArrayRef>,
    reconnect: Option<ArrayRef>,
}

impl ListBatch {
    fn of(batch: &RecordBatch) -> Option<Self> {
        let schema = batch.schema();
        let column = |name: &str| {
            let at = schema.fields().iter().position(|f| f.name().eq_ignore_ascii_case(name))?;
            Some(Arc::clone(batch.column(at)))
        };
        let whole = |name: &str| Some(column(name)?.as_primitive_opt::<Int64Type>()?.clone());
        let list = |name: &str| column(name).filter(is_floats);
        Some(Self {
            recv: whole("ts_ms")?,
            event: whole("exch_ts_ms")?,
            sides: [[list("bids_px")?, list("bids_qty")?], [list("asks_px")?, list("asks_qty")?]],
            symbol: column("symbol"),
            reconnect: column("reconnect_flag"),
        })
    }

    fn at(&self, row: usize) -> Option<RecordStamps> {
        let moment = |a: &Int64Array| {
            let ms = a.is_valid(row).then(|| a.value(row))?;
            ms.checked_mul(1_000_000).map(Ts).filter(|t| number::PLAUSIBLE.contains(t))
        };
        // A state that came with an answer to a request has no time of the venue.
        let recv = moment(&self.recv)?;
        Some(RecordStamps { event: moment(&self.event).unwrap_or(recv), recv })
    }

    fn symbol(&self, row: usize) -> Option<&str> {
        let array = self.symbol.as_ref()?;
        match array.data_type() {
            DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
            DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
            _ => None,
        }
    }

    fn reconnected(&self, row: usize) -> bool {
        let Some(array) = &self.reconnect else { return false };
        if array.is_null(row) {
            return false;
        }
        if let Some(flags) = array.as_any().downcast_ref::<BooleanArray>() {
            return flags.value(row);
        }
        array.as_primitive_opt::<Int64Type>().is_some_and(|n| n.value(row) != 0)
    }

    /// Levels that are there, as they stand in the lists.
    fn levels(&self, side: usize, row: usize) -> impl Iterator<Item = (f64, f64)> {
        let [prices, sizes] = &self.sides[side];
        let (prices, sizes) = (floats(prices, row), floats(sizes, row));
        let count = prices.len().min(sizes.len());
        let level = move |k: usize| {
            let there = prices.is_valid(k) && sizes.is_valid(k);
            let (price, size) = if there { (prices.value(k), sizes.value(k)) } else { (0.0, 0.0) };
            (price > 0.0 && size > 0.0 && price.is_finite() && size.is_finite()).then_some((price, size))
        };
        (0..count).filter_map(level)
    }
}

fn is_floats(array: &ArrayRef) -> bool {
    match array.data_type() {
        DataType::List(item) | DataType::LargeList(item) => *item.data_type() == DataType::Float64,
        _ => false,
    }
}

/// The list of a row; an absent one is empty.
fn floats(array: &ArrayRef, row: usize) -> Float64Array {
    let list = if array.is_null(row) {
        None
    } else if let Some(lists) = array.as_list_opt::<i32>() {
        Some(lists.value(row))
    } else {
        array.as_list_opt::<i64>().map(|lists| lists.value(row))
    };
    list.and_then(|l| l.as_primitive_opt::<Float64Type>().cloned())
        .unwrap_or_else(|| Float64Array::from(Vec::<f64>::new()))
}
