//! `barograph.features`: the 197 columns of somebody's own books and trades.

use super::super::arrow::Table;
use super::super::convert::{positive, wrong};
use super::asked::of_lab;
use super::frame::{TIME, flags, found, instants, required, shown};
use super::table::{ArrowTable, moments};
use arrow_array::builder::{Float64Builder, UInt8Builder};
use arrow_array::{ArrayRef, BooleanArray, UInt16Array};
use barograph_columns::{DepthLevel, ResearchRow, catalogue, place_of};
use barograph_domain::Ts;
use barograph_lake::recorded::{HeldBooks, HeldTrade, RecordStamps, RecordedTrade};
use barograph_research::dataset::rows_of_held;
use pyo3::prelude::*;
use std::sync::Arc;

/// Names that the time of receipt may have.
const RECV: [&str; 6] = ["known_ts", "local_timestamp", "recv_ts", "receive_ts", "received_at", "local_ts"];

type Numbers = Vec<Option<f64>>;

/// Wide snapshots: a row per state of the book.
struct WideFrame {
    at: Vec<RecordStamps>,
    /// Price and size of each level, best first.
    bids: Vec<(Numbers, Numbers)>,
    asks: Vec<(Numbers, Numbers)>,
    updates: Option<Numbers>,
    sequence: Option<Numbers>,
    gap: Option<Vec<bool>>,
}

impl WideFrame {
    fn of(frame: &Bound<'_, PyAny>) -> PyResult<Self> {
        let table = Table::of(frame)?;
        let names = table.names();
        let mut bids = side(&table, &names, "bid")?;
        let mut asks = side(&table, &names, "ask")?;
        if bids.is_empty() && asks.is_empty() {
            (bids, asks) = (nested(&table, &names, "bids")?, nested(&table, &names, "asks")?);
        }
        for (levels, first) in [(&bids, "bid"), (&asks, "ask")] {
            if levels.is_empty() {
                let there = if names.is_empty() { "no rows".to_owned() } else { shown(&names) };
                return Err(wrong(format!(
                    "no column '{first}_price_L0' and '{first}_size_L0': the frame has {there}; it needs bid_price_L0, bid_size_L0, \
                     ask_price_L0, ask_size_L0 and, as far as it has them, levels up to L19"
                )));
            }
        }
        let optional = |name: &str| names.iter().any(|n| n == name).then(|| required(&table, name)).transpose();
        let gap = names.iter().any(|n| n == "gap").then(|| flags(&table, "gap", false)).transpose()?;
        Ok(Self {
            at: stamps(&table, &names)?,
            bids,
            asks,
            updates: optional("updates")?,
            sequence: optional("sequence")?,
            gap,
        })
    }
}

/// `bid_price_L0, bid_size_L0, …` as far as there are both.
fn side(table: &Table, names: &[String], side: &str) -> PyResult<Vec<(Numbers, Numbers)>> {
    let mut levels = Vec::new();
    for k in 0.. {
        let [price, size] = ["price", "size"].map(|what| format!("{side}_{what}_L{k}"));
        match (names.contains(&price), names.contains(&size)) {
            (true, true) => levels.push((required(table, &price)?, required(table, &size)?)),
            (false, false) => break,
            (true, false) => return Err(wrong(format!("'{price}' is there without '{size}'"))),
            (false, true) => return Err(wrong(format!("'{size}' is there without '{price}'"))),
        }
    }
    Ok(levels)
}

/// `bids[0].price, bids[0].amount, …` of Tardis.
fn nested(table: &Table, names: &[String], side: &str) -> PyResult<Vec<(Numbers, Numbers)>> {
    let mut levels = Vec::new();
    for k in 0.. {
        let [price, size] = ["price", "amount"].map(|what| format!("{side}[{k}].{what}"));
        if !names.contains(&price) || !names.contains(&size) {
            break;
        }
        levels.push((required(table, &price)?, required(table, &size)?));
    }
    Ok(levels)
}

/// Both clocks of every row, in the order of receipt. Where there is one column it stands for both.
fn stamps(table: &Table, names: &[String]) -> PyResult<Vec<RecordStamps>> {
    let (event, recv) = (found(names, &TIME), found(names, &RECV));
    let Some(event) = event.or(recv) else {
        return Err(wrong(format!(
            "no time: the frame has {}; give a column ts, and known_ts where receipt is known",
            shown(names)
        )));
    };
    let happened = instants(table, event)?;
    let received = recv.map_or_else(|| Ok(happened.clone()), |name| instants(table, name))?;
    if let Some(row) = received.windows(2).position(|w| w[1] < w[0]) {
        let name = recv.unwrap_or(event);
        return Err(wrong(format!("'{name}' steps back in row {}: sort the rows by the time of receipt", row + 1)));
    }
    Ok(happened.into_iter().zip(received).map(|(event, recv)| RecordStamps { event, recv }).collect())
}

fn whole(column: Option<&Numbers>, row: usize) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, not negative")]
    column.and_then(|c| c[row]).filter(|n| *n >= 0.0).map(|n| n as u64)
}

impl HeldBooks for WideFrame {
    fn rows(&self) -> usize {
        self.at.len()
    }

    fn stamps(&self, row: usize) -> RecordStamps {
        self.at[row]
    }

    fn levels(&self, row: usize, bids: &mut Vec<DepthLevel>, asks: &mut Vec<DepthLevel>) {
        for (side, out) in [(&self.bids, bids), (&self.asks, asks)] {
            let level = |(price, size): &(Numbers, Numbers)| {
                let price = price[row].filter(|p| *p > 0.0)?;
                let size = size[row].filter(|s| *s > 0.0)?;
                Some(DepthLevel { price, size })
            };
            out.extend(side.iter().filter_map(level));
        }
    }

    fn updates(&self, row: usize) -> Option<u32> {
        whole(self.updates.as_ref(), row).and_then(|n| u32::try_from(n).ok())
    }

    fn sequence(&self, row: usize) -> Option<u64> {
        whole(self.sequence.as_ref(), row)
    }

    fn gap(&self, row: usize) -> Option<bool> {
        self.gap.as_ref().map(|g| g[row])
    }
}

/// `ts, price, size, is_buy`; beside them `known_ts`, `sequence` and `gap` where they are known.
fn trades_of(frame: &Bound<'_, PyAny>) -> PyResult<Vec<HeldTrade>> {
    let table = Table::of(frame)?;
    let names = table.names();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let need = |wanted: &[&str]| {
        found(&names, wanted)
            .ok_or_else(|| wrong(format!("trades have no column '{}': they have {}", wanted[0], shown(&names))))
    };
    let price = required(&table, need(&["price"])?)?;
    let size = required(&table, need(&["size", "amount", "qty", "quantity"])?)?;
    let is_buy = takers(&table, &names)?;
    let at = stamps(&table, &names)?;
    let sequence = names.iter().any(|n| n == "sequence").then(|| required(&table, "sequence")).transpose()?;
    let gap = names.iter().any(|n| n == "gap").then(|| flags(&table, "gap", false)).transpose()?;
    let mut out = Vec::with_capacity(at.len());
    for (row, at) in at.into_iter().enumerate() {
        let number = |column: &Numbers, what: &str| {
            column[row].map_or_else(
                || Err(wrong(format!("{what} of trade {row} is missing"))),
                |x| positive(&format!("{what} of trade {row}"), x),
            )
        };
        let trade =
            RecordedTrade { price: number(&price, "price")?, size: number(&size, "size")?, is_buy: is_buy[row] };
        let gap = gap.as_ref().is_some_and(|g| g[row]);
        out.push(HeldTrade { at, sequence: whole(sequence.as_ref(), row).unwrap_or(0), gap, trade });
    }
    Ok(out)
}

/// Who took: a flag `is_buy`, or the word of a column `side`.
fn takers(table: &Table, names: &[String]) -> PyResult<Vec<bool>> {
    if names.iter().any(|n| n == "is_buy") {
        let all = required(table, "is_buy")?;
        let of = |(row, v): (usize, Option<f64>)| {
            v.map(|v| v > 0.5).ok_or_else(|| wrong(format!("is_buy of trade {row} is missing: leave the trade out")))
        };
        return all.into_iter().enumerate().map(of).collect();
    }
    let Some(name) = found(names, &["side", "aggressor_side", "taker_side"]) else {
        return Err(wrong(format!(
            "trades have no column 'is_buy' or 'side', which says who took: they have {}",
            shown(names)
        )));
    };
    let words = table.words(name)?;
    let of = |(row, word): (usize, Option<String>)| match word.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("buy" | "b" | "bid") => Ok(true),
        Some("sell" | "s" | "ask") => Ok(false),
        _ => Err(wrong(format!(
            "side of trade {row} is {}: give buy or sell, the side that took",
            word.as_deref().unwrap_or("missing")
        ))),
    };
    words.into_iter().enumerate().map(of).collect()
}

/// Rows as they are made, column by column.
struct Columns {
    ts: Vec<Ts>,
    known: Vec<Ts>,
    valid: Vec<bool>,
    mask: Vec<u16>,
    numbers: Vec<Float64Builder>,
    mid: usize,
}

impl Columns {
    fn push(&mut self, t: Ts, known: Ts, row: &ResearchRow) {
        self.ts.push(t);
        self.known.push(known);
        self.valid.push(row.get(self.mid).is_ok());
        self.mask.push(row.reason_mask());
        for (at, column) in self.numbers.iter_mut().enumerate() {
            column.append_option(row.get(at).ok());
        }
    }

    fn table(self) -> PyResult<ArrowTable> {
        let mut columns: Vec<(String, ArrayRef)> = vec![
            ("ts".to_owned(), moments(self.ts)),
            ("known_ts".to_owned(), moments(self.known)),
            ("row_valid".to_owned(), Arc::new(BooleanArray::from(self.valid))),
            ("reason_mask".to_owned(), Arc::new(UInt16Array::from(self.mask))),
        ];
        for (spec, mut column) in catalogue().iter().zip(self.numbers) {
            let numbers = column.finish();
            let array: ArrayRef = if spec.unit == "category" { categories(&numbers) } else { Arc::new(numbers) };
            columns.push((spec.id.to_owned(), array));
        }
        ArrowTable::of(columns)
    }
}

/// Categories are whole numbers from 0 to 255, as in a lake.
fn categories(numbers: &arrow_array::Float64Array) -> ArrayRef {
    let mut out = UInt8Builder::with_capacity(numbers.len());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a category, from 0 to 255")]
    numbers.iter().for_each(|x| out.append_option(x.map(|x| x as u8)));
    Arc::new(out.finish())
}

/// The 197 columns of every second of wide snapshots and, where there are any, trades.
#[pyfunction]
#[pyo3(signature = (books, trades=None, tick=None))]
pub(super) fn held_features(
    py: Python<'_>,
    books: &Bound<'_, PyAny>,
    trades: Option<&Bound<'_, PyAny>>,
    tick: Option<f64>,
) -> PyResult<ArrowTable> {
    let books = WideFrame::of(books)?;
    let trades = trades.filter(|t| !t.is_none()).map(trades_of).transpose()?;
    let tick = tick.map(|t| positive("tick", t)).transpose()?;
    let mid = place_of("mid_price").ok_or_else(|| wrong("the catalogue has no mid_price"))?;
    let numbers = catalogue().iter().map(|_| Float64Builder::new()).collect();
    let mut columns = Columns { ts: Vec::new(), known: Vec::new(), valid: Vec::new(), mask: Vec::new(), numbers, mid };
    py.detach(|| rows_of_held(&books, trades.as_deref(), tick, &mut |t, known, row| columns.push(t, known, row)))
        .map_err(of_lab)?;
    columns.table()
}
