//! Tardis `incremental_book_L2` (docs.tardis.dev, data types): a row per level with `exchange, symbol, timestamp, local_timestamp,
//! is_snapshot, side, price, amount`, times in microseconds. `timestamp` is the venue's clock, `local_timestamp` the receipt; rows of one
//! receipt are one message. An amount of zero removes the level; a level that is none is counted, and the book is not known behind it. A snapshot behind changes is a connection that was made anew: the book
//! before it is void, and what happened in between is lost.

use super::counted::Counted;
use super::deltas::DeltaBook;
use super::listener::{RecordListener, RecordStamps};
use super::passed_on::HeardOut;
use super::piece::Piece;
use super::table::{TableRows, TableStep, same_symbol};
use crate::error::Error;
use barograph_domain::{GapReason, Ts};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Where the columns are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TardisColumns {
    pub(super) exchange: usize,
    symbol: usize,
    event: usize,
    recv: usize,
    snapshot: usize,
    side: usize,
    price: usize,
    amount: usize,
}

impl TardisColumns {
    pub(super) fn of(names: &[String]) -> Option<Self> {
        let find = |name: &str| names.iter().position(|n| n == name);
        Some(Self {
            exchange: find("exchange")?,
            symbol: find("symbol")?,
            event: find("timestamp")?,
            recv: find("local_timestamp")?,
            snapshot: find("is_snapshot")?,
            side: find("side")?,
            price: find("price")?,
            amount: find("amount")?,
        })
    }

    /// When the row was received.
    pub(super) fn begins(&self, rows: &TableRows) -> Option<Ts> {
        rows.moment(self.recv)
    }
}

/// Files of one market in their order.
pub(super) struct TardisDeltas<'a> {
    pub(super) files: &'a [Piece],
    pub(super) symbol: &'a str,
    pub(super) counted: Counted,
    pub(super) read: &'a Arc<AtomicU64>,
}

/// The message whose rows are being read.
#[derive(Clone, Copy)]
struct Message {
    at: RecordStamps,
    snapshot: bool,
}

impl TardisDeltas<'_> {
    pub(super) fn play<L: RecordListener>(&self, to: &mut HeardOut<'_, L>) -> Result<(), L::Failure> {
        let mut book = DeltaBook::new(self.counted);
        for piece in self.files {
            let (names, mut rows) = TableRows::open(piece, self.read)?;
            let columns = TardisColumns::of(&names)
                .ok_or_else(|| Error::Usage(format!("{} has no columns of a Tardis book any more", piece.shown)))?;
            self.file(piece, columns, &mut rows, &mut book, to)?;
        }
        Ok(())
    }

    fn file<L: RecordListener>(
        &self,
        piece: &Piece,
        columns: TardisColumns,
        rows: &mut TableRows,
        book: &mut DeltaBook,
        to: &mut HeardOut<'_, L>,
    ) -> Result<(), L::Failure> {
        let mut message: Option<Message> = None;
        let mut first = true;
        loop {
            match rows.step() {
                TableStep::Row => {}
                TableStep::Ragged => {
                    to.done.lines += 1;
                    to.unreadable(&piece.shown, rows.number());
                    book.spoil();
                    continue;
                }
                TableStep::End => break,
                TableStep::Torn(why) => {
                    // The message that it breaks off in is not whole.
                    to.torn(&piece.shown, rows.number(), &why);
                    book.forget();
                    return match to.newest() {
                        Some(newest) => to.lose_book(newest, GapReason::MissingRows),
                        None => Ok(()),
                    };
                }
            }
            to.done.lines += 1;
            if rows.text(columns.symbol).is_some_and(|s| !same_symbol(s, self.symbol)) {
                continue;
            }
            let Some((at, snapshot)) = head(rows, columns) else {
                to.unreadable(&piece.shown, rows.number());
                book.spoil();
                continue;
            };
            let before = message.replace(Message { at, snapshot });
            if let Some(before) = before.filter(|b| b.at.recv != at.recv || b.snapshot != snapshot) {
                book.given(before.at, before.snapshot, to)?;
            }
            if core::mem::take(&mut first) {
                to.next_file(at, false)?;
            }
            if snapshot && !before.is_some_and(|b| b.snapshot) {
                if let (Some(_), Some(newest)) = (before, to.newest()) {
                    to.lose_book(newest, GapReason::Disconnected)?;
                }
                book.begin();
            }
            let is_bid = match rows.text(columns.side) {
                Some(b"bid") => Some(true),
                Some(b"ask") => Some(false),
                _ => None,
            };
            let amount = rows.number_of(columns.amount).filter(|amount| *amount >= 0.0);
            let price = rows.decimal(columns.price).filter(|price| price.mantissa > 0);
            let level = (is_bid, price, amount);
            let (Some(is_bid), Some(price), Some(amount)) = level else {
                to.unreadable(&piece.shown, rows.number());
                book.spoil();
                continue;
            };
            book.set(is_bid, price, amount);
        }
        match message {
            Some(last) => book.given(last.at, last.snapshot, to),
            None => Ok(()),
        }
    }
}

fn head(rows: &TableRows, columns: TardisColumns) -> Option<(RecordStamps, bool)> {
    let at = RecordStamps { event: rows.moment(columns.event)?, recv: rows.moment(columns.recv)? };
    Some((at, rows.flag(columns.snapshot)?))
}
