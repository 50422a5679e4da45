//! Wide snapshots: a row per state of the book with a column for each price and size, in CSV, Parquet or Feather.
//!
//! Two spellings: `asks[0].price, asks[0].amount, bids[0].price, bids[0].amount, …` of Tardis `book_snapshot_5` and `book_snapshot_25`
//! (docs.tardis.dev, data types: `timestamp` is the venue's clock, `local_timestamp` the receipt, both in microseconds), and
//! `bid_price_L0 … ask_size_L19` of the data set's own bronze layer (R5.14), whose sizes are in base. Where there is one time column it
//! stands for both clocks. Levels whose cells are empty, or whose size is zero, do not exist; a row with a level that is none, such as a
//! negative size or a price without one, is refused and counted.
//!
//! Rows are in the order of receipt. One that was received and happened before the row above it is refused and counted, and a file that runs
//! backwards is refused as a whole; one that says the same again, or lies in what an earlier file has brought, is passed over and counted.

use super::counted::Counted;
use super::listener::{RecordListener, RecordStamps};
use super::passed_on::HeardOut;
use super::piece::Piece;
use super::snapshots::SnapshotBook;
use super::table::{TableRows, TableStep, same_symbol};
use crate::error::Error;
use barograph_domain::{GapReason, Ts};
use barograph_venues::TableCell;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Names of columns that hold the venue's time.
const EVENT: [&str; 8] =
    ["ts", "timestamp", "event_ts", "exchange_timestamp", "exchange_ts", "event_time", "time", "datetime"];
/// Names of columns that hold the time of receipt.
const RECV: [&str; 6] = ["known_ts", "local_timestamp", "recv_ts", "receive_ts", "received_at", "local_ts"];

/// Where a wide table has what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct WideColumns {
    event: usize,
    recv: usize,
    symbol: Option<usize>,
    /// Columns of the exchange, where rows name it.
    pub(super) exchange: Option<usize>,
    updates: Option<usize>,
    sequence: Option<usize>,
    gap: Option<usize>,
    /// Price and size of each level, best first.
    bids: Vec<(usize, usize)>,
    asks: Vec<(usize, usize)>,
    /// Sizes are as the venue counts, not in base.
    pub(super) raw_sizes: bool,
}

impl WideColumns {
    pub(super) fn of(names: &[String]) -> Option<Self> {
        let find = |name: &str| names.iter().position(|n| n == name);
        let any = |known: &[&str]| known.iter().find_map(|n| find(n));
        let levels = |price: &dyn Fn(usize) -> String, size: &dyn Fn(usize) -> String| -> Vec<(usize, usize)> {
            (0..).map_while(|k| Some((find(&price(k))?, find(&size(k))?))).collect()
        };
        let tardis = |side: &'static str| {
            levels(&move |k| format!("{side}[{k}].price"), &move |k| format!("{side}[{k}].amount"))
        };
        let own =
            |side: &'static str| levels(&move |k| format!("{side}_price_l{k}"), &move |k| format!("{side}_size_l{k}"));
        let (mut bids, mut asks) = (tardis("bids"), tardis("asks"));
        let raw_sizes = !bids.is_empty();
        if !raw_sizes {
            (bids, asks) = (own("bid"), own("ask"));
        }
        if bids.is_empty() || asks.is_empty() {
            return None;
        }
        let (event, recv) = (any(&EVENT), any(&RECV));
        Some(Self {
            event: event.or(recv)?,
            recv: recv.or(event)?,
            symbol: find("symbol"),
            exchange: find("exchange"),
            updates: find("updates"),
            sequence: find("sequence"),
            gap: find("gap"),
            bids,
            asks,
            raw_sizes,
        })
    }

    /// When the row was received.
    pub(super) fn begins(&self, rows: &TableRows) -> Option<Ts> {
        rows.moment(self.recv)
    }
}

/// Wide files of one market.
pub(super) struct WideBooks<'a> {
    /// In their order.
    pub(super) files: &'a [Piece],
    pub(super) symbol: &'a str,
    pub(super) counted: Counted,
    pub(super) read: &'a Arc<AtomicU64>,
    /// Reasons that the origin keeps beside its rows: the last known moment before a gap, the first behind it, and why.
    pub(super) reasons: &'a [(Ts, Ts, GapReason)],
}

impl WideBooks<'_> {
    pub(super) fn play<L: RecordListener>(&self, to: &mut HeardOut<'_, L>) -> Result<(), L::Failure> {
        let mut book = SnapshotBook::default();
        for piece in self.files {
            let (names, mut rows) = TableRows::open(piece, self.read)?;
            let columns = WideColumns::of(&names)
                .ok_or_else(|| Error::Usage(format!("{} has no columns of a wide book any more", piece.shown)))?;
            self.file(piece, &columns, &mut rows, &mut book, to)?;
        }
        Ok(())
    }

    fn file<L: RecordListener>(
        &self,
        piece: &Piece,
        columns: &WideColumns,
        rows: &mut TableRows,
        book: &mut SnapshotBook,
        to: &mut HeardOut<'_, L>,
    ) -> Result<(), L::Failure> {
        let (mut first, mut order) = (true, ReceiptOrder { brought: to.heard_until_book(), last: None });
        loop {
            match rows.step() {
                TableStep::Row => {}
                TableStep::Ragged => {
                    to.unreadable(&piece.shown, rows.number());
                    continue;
                }
                TableStep::End => return Ok(()),
                TableStep::Torn(why) => {
                    to.torn(&piece.shown, rows.number(), &why);
                    return Ok(());
                }
            }
            to.done.lines += 1;
            if columns.symbol.and_then(|c| rows.text(c)).is_some_and(|s| !same_symbol(s, self.symbol)) {
                continue;
            }
            let Some((at, broken)) = self.levels(columns, rows, book) else {
                to.unreadable(&piece.shown, rows.number());
                continue;
            };
            if let Some((side, level)) = broken {
                to.refused(|| format!("{}, row {}: level {level} of the {side} is none", piece.shown, rows.number()));
                continue;
            }
            if !book.is_ordered() {
                to.refused(|| format!("{}, row {}: levels are not in their order", piece.shown, rows.number()));
                continue;
            }
            let sequence = columns.sequence.and_then(|c| rows.whole(c)).and_then(|s| u64::try_from(s).ok());
            let (number, last) = (rows.number(), order.last.replace((at, sequence)));
            match order.place((at, sequence), last, book.is_as_before()) {
                RowOrder::Next => {}
                RowOrder::Again => {
                    to.repeated(&piece.shown, number);
                    continue;
                }
                RowOrder::Back(before) => {
                    order.last = last;
                    to.refused(|| {
                        format!(
                            "{}, line {number}: it was received at {}, and a row above it at {before}; rows have to be in the order of receipt: \
                             sort the file by it and give it again",
                            piece.shown, at.recv
                        )
                    });
                    continue;
                }
            }
            let at = match sequence {
                Some(sequence) => to.reach_behind(at, sequence)?,
                None => to.reach(at)?,
            };
            // Where rows say what is missing before them, nothing else is.
            if core::mem::take(&mut first) && columns.gap.is_none() {
                to.next_file(at, false)?;
            }
            if columns.gap.and_then(|c| rows.flag(c)) == Some(true) {
                let known = self.reasons.iter().find(|(_, until, _)| *until == at.event);
                let unknown = (to.newest().unwrap_or(at.event), GapReason::MissingRows);
                let (from, why) = known.map_or(unknown, |(from, _, why)| (*from, *why));
                to.lose_book(from, why)?;
            }
            let said = columns.updates.and_then(|c| rows.whole(c)).and_then(|n| u32::try_from(n).ok());
            let updates = said.unwrap_or_else(|| book.changed());
            if to.state(at, &book.sides(to.reach_bps()), updates)? {
                book.keep();
            }
        }
    }

    /// Reads the row's levels into the book; the first that is broken is given back.
    fn levels(
        &self,
        columns: &WideColumns,
        rows: &TableRows,
        book: &mut SnapshotBook,
    ) -> Option<(RecordStamps, Option<(&'static str, usize)>)> {
        let at = RecordStamps { event: rows.moment(columns.event)?, recv: rows.moment(columns.recv)? };
        let mut broken = None;
        book.begin();
        for (side, levels) in [("bids", &columns.bids), ("asks", &columns.asks)] {
            for (place, cells) in levels.iter().enumerate() {
                match WideLevel::of(rows, *cells) {
                    WideLevel::There(price, size) => {
                        let size = if columns.raw_sizes { self.counted.base(size, price) } else { size };
                        if side == "bids" { book.bid(price, size) } else { book.ask(price, size) }
                    }
                    WideLevel::Absent => {}
                    WideLevel::Broken => broken = broken.or(Some((side, place))),
                }
            }
        }
        Some((at, broken))
    }
}

/// Where the rows of a file have come to.
struct ReceiptOrder {
    /// What files before have brought.
    brought: Option<RecordStamps>,
    /// The row above, with its place in the order of receipt where rows say that.
    last: Option<(RecordStamps, Option<u64>)>,
}

/// What a row is to those above it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum RowOrder {
    /// It follows.
    Next,
    /// It says the same again.
    Again,
    /// It was received and happened before one that was received at this moment.
    Back(Ts),
}

impl ReceiptOrder {
    fn place(
        &self,
        (at, sequence): (RecordStamps, Option<u64>),
        last: Option<(RecordStamps, Option<u64>)>,
        same_book: bool,
    ) -> RowOrder {
        let is_back = |from: RecordStamps| at.recv < from.recv && at.event <= from.event;
        if self.brought.is_some_and(|brought| is_back(brought) || (at == brought && same_book && sequence.is_none())) {
            return RowOrder::Again;
        }
        match last {
            Some(last) if (at, sequence) == last && same_book => RowOrder::Again,
            Some((last, _)) if is_back(last) => RowOrder::Back(last.recv),
            _ => RowOrder::Next,
        }
    }
}

/// Of so many rows is looked whether they run backwards.
const ROWS_CHECKED: usize = 1_000;

/// Refuses a file whose rows run backwards: more of the first ones step back than go on.
pub(super) fn runs_forward(piece: &Piece, columns: &WideColumns, rows: &mut TableRows) -> Result<(), Error> {
    let (mut last, mut back, mut on) = (rows.moment(columns.recv), 0_u32, 0_u32);
    for _ in 0..ROWS_CHECKED {
        match rows.step() {
            TableStep::Row => {}
            TableStep::Ragged => continue,
            TableStep::End | TableStep::Torn(_) => break,
        }
        let Some(at) = rows.moment(columns.recv) else { continue };
        match last.replace(at).map(|last| at.cmp(&last)) {
            Some(core::cmp::Ordering::Less) => back += 1,
            Some(core::cmp::Ordering::Greater) => on += 1,
            Some(core::cmp::Ordering::Equal) | None => {}
        }
    }
    if back > on {
        let (shown, rows) = (&piece.shown, back + on);
        return Err(Error::Usage(format!(
            "{shown}: its rows are not in the order of receipt: {back} of the first {rows} were received before the row above them; sort the file by \
             the time of receipt and give it again"
        )));
    }
    Ok(())
}

/// A level of a row.
#[derive(Clone, Copy, PartialEq, Debug)]
enum WideLevel {
    /// Price in quote, and size as the row counts it.
    There(f64, f64),
    Absent,
    /// Its cells are no level, and not empty.
    Broken,
}

impl WideLevel {
    fn of(rows: &TableRows, (price, size): (usize, usize)) -> Self {
        match (NumberCell::of(rows, price), NumberCell::of(rows, size)) {
            (NumberCell::Number(price), NumberCell::Number(size)) if price > 0.0 && size > 0.0 => {
                Self::There(price, size)
            }
            (NumberCell::Number(price), NumberCell::Number(size)) if price >= 0.0 && size == 0.0 => Self::Absent,
            (NumberCell::Number(zero), NumberCell::Empty) | (NumberCell::Empty, NumberCell::Number(zero))
                if zero == 0.0 =>
            {
                Self::Absent
            }
            (NumberCell::Empty, NumberCell::Empty) => Self::Absent,
            _ => Self::Broken,
        }
    }
}

/// A cell that should hold a number.
#[derive(Clone, Copy, PartialEq, Debug)]
enum NumberCell {
    Number(f64),
    Empty,
    Other,
}

impl NumberCell {
    fn of(rows: &TableRows, column: usize) -> Self {
        match (rows.number_of(column), rows.cell(column)) {
            (Some(number), _) => Self::Number(number),
            (None, TableCell::Empty) => Self::Empty,
            (None, TableCell::Float(v)) if v.is_nan() => Self::Empty,
            (None, TableCell::Text(text)) if text.eq_ignore_ascii_case(b"nan") => Self::Empty,
            _ => Self::Other,
        }
    }
}
