//! Binance's archive of futures books (`T_DEPTH`; "Binance Futures Order Book Historical Data", support page): a row per level with
//! `symbol, timestamp, first_update_id, last_update_id, side, update_type, price, qty, pu`, in files of snapshots (`snap`) and files of
//! changes (`set`, where zero removes). There is one time, the venue's; it stands for the receipt too.
//!
//! As the venue's own procedure has it: changes are built on a snapshot whose `last_update_id` lies within the first of them, and each
//! one names the one before it in `pu`; archives that leave it out (-1) go on with the next id. Where that does not hold, or there is no
//! such snapshot, nothing is known of the book until the next one that fits.

use super::counted::Counted;
use super::deltas::DeltaBook;
use super::listener::{RecordListener, RecordStamps};
use super::passed_on::HeardOut;
use super::piece::Piece;
use super::table::{TableRows, TableStep, same_symbol};
use crate::error::Error;
use barograph_domain::{GapReason, Ts};
use barograph_venues::session::Decimal;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Where the columns are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct DepthColumns {
    symbol: usize,
    time: usize,
    first: usize,
    last: usize,
    side: usize,
    /// `snap` or `set`.
    pub(super) kind: usize,
    price: usize,
    qty: usize,
    before: Option<usize>,
}

impl DepthColumns {
    pub(super) fn of(names: &[String]) -> Option<Self> {
        let find = |name: &str| names.iter().position(|n| n == name);
        Some(Self {
            symbol: find("symbol")?,
            time: find("timestamp").or_else(|| find("time"))?,
            first: find("first_update_id")?,
            last: find("last_update_id")?,
            side: find("side")?,
            kind: find("update_type")?,
            price: find("price")?,
            qty: find("qty")?,
            before: find("pu"),
        })
    }

    /// When the row was received.
    pub(super) fn begins(&self, rows: &TableRows) -> Option<Ts> {
        rows.moment(self.time)
    }
}

/// Rows that belong together.
#[derive(Clone, PartialEq, Debug)]
struct Message {
    at: Ts,
    first: i64,
    last: i64,
    /// The last id before it, where that is said.
    before: Option<i64>,
    levels: Vec<(bool, Decimal, f64)>,
    /// A row of it could not be read.
    spoilt: bool,
}

/// Files of one market in their order.
pub(super) struct DepthFiles<'a> {
    pub(super) snapshots: &'a [Piece],
    pub(super) changes: &'a [Piece],
    pub(super) symbol: &'a str,
    pub(super) counted: Counted,
    pub(super) read: &'a Arc<AtomicU64>,
}

impl DepthFiles<'_> {
    pub(super) fn play<L: RecordListener>(&self, to: &mut HeardOut<'_, L>) -> Result<(), L::Failure> {
        let mut snapshots = Messages::new(self.snapshots, self);
        let mut changes = Messages::new(self.changes, self);
        let mut book = DeltaBook::new(self.counted);
        let mut snapshot = snapshots.next(to)?;
        // The id that the book has come to.
        let mut reached: Option<i64> = None;
        while let Some(message) = changes.next(to)? {
            let follows = |id: i64| message.before.map_or(message.first == id + 1, |before| before == id);
            let at = to.reach(RecordStamps { event: message.at, recv: message.at })?;
            if reached.is_some_and(|id| !follows(id)) {
                to.lose_book(message.at, GapReason::SequenceJump)?;
                book.forget();
                reached = None;
            }
            // Snapshots that these changes have come to; the newest of them that they go on from is used where one is needed.
            while let Some(known) = snapshot.take_if(|s| s.last <= message.last) {
                let fits = known.last + 1 >= message.first && !known.spoilt;
                if reached.is_none() && fits {
                    book.begin();
                    for (is_bid, price, qty) in known.levels {
                        book.set(is_bid, price, qty);
                    }
                }
                snapshot = snapshots.next(to)?;
            }
            if !book.is_whole() {
                continue;
            }
            let built = reached.is_none();
            for (is_bid, price, qty) in &message.levels {
                book.set(*is_bid, *price, *qty);
            }
            if message.spoilt {
                book.spoil();
            }
            book.given(at, built, to)?;
            reached = book.is_whole().then_some(message.last);
        }
        Ok(())
    }
}

/// Messages of some files, one after the other.
struct Messages<'a> {
    files: VecDeque<&'a Piece>,
    open: Option<(&'a Piece, TableRows, DepthColumns)>,
    symbol: &'a str,
    read: &'a Arc<AtomicU64>,
    next: Option<Message>,
}

impl<'a> Messages<'a> {
    fn new(files: &'a [Piece], of: &'a DepthFiles<'_>) -> Self {
        Self { files: files.iter().collect(), open: None, symbol: of.symbol, read: of.read, next: None }
    }

    /// The next message that is whole; the last of a file that breaks off is not.
    fn next<L: RecordListener>(&mut self, to: &mut HeardOut<'_, L>) -> Result<Option<Message>, Error> {
        loop {
            let Some((piece, rows, columns)) = &mut self.open else {
                let Some(piece) = self.files.pop_front() else { return Ok(self.next.take()) };
                let (names, rows) = TableRows::open(piece, self.read)?;
                let columns = DepthColumns::of(&names).ok_or_else(|| {
                    Error::Usage(format!("{} has no columns of a depth archive any more", piece.shown))
                })?;
                self.open = Some((piece, rows, columns));
                continue;
            };
            match rows.step() {
                TableStep::Row => {}
                TableStep::Ragged => {
                    to.done.lines += 1;
                    to.unreadable(&piece.shown, rows.number());
                    if let Some(next) = &mut self.next {
                        next.spoilt = true;
                    }
                    continue;
                }
                TableStep::End => {
                    self.open = None;
                    continue;
                }
                TableStep::Torn(why) => {
                    to.torn(&piece.shown, rows.number(), &why);
                    (self.open, self.next) = (None, None);
                    continue;
                }
            }
            to.done.lines += 1;
            if rows.text(columns.symbol).is_some_and(|s| !same_symbol(s, self.symbol)) {
                continue;
            }
            let Some(head) = head(rows, *columns) else {
                to.unreadable(&piece.shown, rows.number());
                if let Some(next) = &mut self.next {
                    next.spoilt = true;
                }
                continue;
            };
            let is_new = self.next.as_ref().is_none_or(|n| (n.first, n.last, n.at) != (head.first, head.last, head.at));
            let complete = if is_new { self.next.replace(head) } else { None };
            if let Some(next) = &mut self.next {
                match level(rows, *columns) {
                    Some(level) => next.levels.push(level),
                    None => {
                        to.unreadable(&piece.shown, rows.number());
                        next.spoilt = true;
                    }
                }
            }
            if complete.is_some() {
                return Ok(complete);
            }
        }
    }
}

fn head(rows: &TableRows, columns: DepthColumns) -> Option<Message> {
    Some(Message {
        at: rows.moment(columns.time)?,
        first: rows.whole(columns.first)?,
        last: rows.whole(columns.last)?,
        before: columns.before.and_then(|c| rows.whole(c)).filter(|before| *before >= 0),
        levels: Vec::new(),
        spoilt: false,
    })
}

fn level(rows: &TableRows, columns: DepthColumns) -> Option<(bool, Decimal, f64)> {
    let is_bid = match rows.text(columns.side)? {
        b"b" | b"bid" => true,
        b"a" | b"ask" => false,
        _ => return None,
    };
    let qty = rows.number_of(columns.qty).filter(|q| *q >= 0.0)?;
    Some((is_bid, rows.decimal(columns.price)?, qty))
}
