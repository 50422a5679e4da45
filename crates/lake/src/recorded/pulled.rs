//! Trades that lie in files of their own, one after the other in the order of receipt.

use super::capture::CapturePlayed;
use super::counted::Counted;
use super::listener::{RecordStamps, RecordedTrade};
use super::piece::Piece;
use super::table::{TableRows, TableStep, same_symbol};
use crate::error::Error;
use crate::merge::EventReader;
use crate::options::ImportOptions;
use crate::plan;
use barograph_domain::event::Side;
use barograph_domain::{GapReason, InstrumentName, Metric, Payload, StreamIndex, Ts};
use barograph_venues::number;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What a row of trades says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum PulledWhat {
    Trade(RecordedTrade),
    /// A trade whose taker is not said.
    Unsided,
}

/// A row of trades.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Pulled {
    pub(super) at: RecordStamps,
    /// Its place in the order of receipt, where the origin has one for books and trades together.
    pub(super) sequence: u64,
    /// Since when, and why, nothing is known before it.
    pub(super) lost: Option<(Ts, GapReason)>,
    pub(super) what: PulledWhat,
}

/// Rows of trades.
pub(super) enum PulledTrades {
    /// Of any layout that the importers know, in the venue's quantities.
    Imported(Box<EventReader>, StreamIndex, Counted),
    /// Of a table with a header, file after file.
    Table(Box<TradeTable>),
    /// That somebody holds in memory.
    Held(VecDeque<Pulled>),
}

impl PulledTrades {
    /// The market's trades in files that the importers know: archives of Binance and Bybit, Tardis `trades`, and others.
    pub(super) fn imported(market: &InstrumentName, files: &[PathBuf], counted: Counted) -> Result<Self, Error> {
        let options = ImportOptions {
            venue: Some(market.venue.as_str().to_owned()),
            symbol: Some(market.symbol.clone()),
            metric: Some(Metric::Trade),
            // There is no clock here, and recordings are not of the future.
            ..ImportOptions::new(number::PLAUSIBLE.end)
        };
        let plan = plan::plan(files, &options)?;
        if let Some(failed) = plan.failed().first() {
            return Err(Error::Usage(format!("{}: {}", failed.path, failed.error)));
        }
        let own = |d: &barograph_domain::StreamDecl| d.instrument == *market && d.metric == Metric::Trade;
        let found = plan.streams().iter().position(own).and_then(|at| u16::try_from(at).ok());
        let Some(stream) = found else {
            return Err(Error::Usage(format!("the files of trades hold none of {market}")));
        };
        Ok(Self::Imported(Box::new(plan.open(None)), StreamIndex(stream), counted))
    }

    /// The next row; what cannot be read is accounted for.
    pub(super) fn next(&mut self, done: &mut CapturePlayed) -> Result<Option<Pulled>, Error> {
        match self {
            Self::Table(table) => table.next(done),
            Self::Held(rows) => Ok(rows.pop_front()),
            Self::Imported(events, stream, counted) => loop {
                let Some(event) = events.next() else {
                    let report = events.report();
                    done.unreadable += report.rejected_rows;
                    if let Some(first) = report.rejected.first() {
                        done.first_unreadable.get_or_insert_with(|| first.example.clone());
                    }
                    done.torn.extend(report.failed.iter().map(|f| format!("{}: {}", f.path, f.error)));
                    *self = Self::Table(Box::default());
                    return Ok(None);
                };
                if event.stream != *stream {
                    continue;
                }
                let Payload::Trade { price, qty, aggressor_side } = event.payload else { continue };
                let size = counted.base(qty, price);
                let what = match aggressor_side {
                    Some(side) => PulledWhat::Trade(RecordedTrade { price, size, is_buy: side == Side::Long }),
                    None => PulledWhat::Unsided,
                };
                let at = RecordStamps { event: event.event_ts, recv: event.recv_ts };
                return Ok(Some(Pulled { at, sequence: 0, lost: None, what }));
            },
        }
    }
}

/// Where the columns of a table of trades are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TradeColumns {
    event: usize,
    recv: usize,
    price: usize,
    size: usize,
    side: usize,
    symbol: Option<usize>,
    sequence: Option<usize>,
    /// Sizes are base units, as the lake has them, and not the venue's.
    pub(super) in_base: bool,
    /// Set where nothing is known between this row and the one before.
    gap: Option<(usize, GapReason)>,
}

impl TradeColumns {
    /// `ts, known_ts, sequence, price, size, is_buy, gap` as the lake writes them;
    /// `ts_ms, exch_ts_ms, symbol, price, qty, side, reconnect_flag` of the collector of the wide snapshot form; and
    /// `timestamp, symbol, side, size, price, …, trdMatchID` of Bybit's archive, where seconds with decimals stand for both clocks.
    pub(super) fn of(names: &[String]) -> Option<Self> {
        let find = |name: &str| names.iter().position(|n| n == name);
        if let (Some(recv), Some(event), Some(size)) = (find("ts_ms"), find("exch_ts_ms"), find("qty")) {
            let gap = find("reconnect_flag").map(|at| (at, GapReason::Disconnected));
            let (price, side) = (find("price")?, find("side")?);
            return Some(Self {
                event,
                recv,
                price,
                size,
                side,
                symbol: find("symbol"),
                sequence: None,
                in_base: false,
                gap,
            });
        }
        if let (Some(event), Some(size), Some(_)) = (find("timestamp"), find("size"), find("trdmatchid")) {
            let (price, side) = (find("price")?, find("side")?);
            let symbol = find("symbol");
            return Some(Self {
                event,
                recv: event,
                price,
                size,
                side,
                symbol,
                sequence: None,
                in_base: false,
                gap: None,
            });
        }
        Some(Self {
            event: find("ts")?,
            recv: find("known_ts")?,
            price: find("price")?,
            size: find("size")?,
            side: find("is_buy")?,
            symbol: None,
            sequence: find("sequence"),
            in_base: true,
            gap: find("gap").map(|at| (at, GapReason::MissingRows)),
        })
    }

    /// When the row was received.
    pub(super) fn begins(&self, rows: &TableRows) -> Option<Ts> {
        rows.moment(self.recv)
    }
}

/// Trades of tables, file after file.
#[derive(Default)]
pub(super) struct TradeTable {
    files: VecDeque<Piece>,
    open: Option<(String, TableRows, TradeColumns)>,
    symbol: String,
    counted: Option<Counted>,
    read: Arc<AtomicU64>,
    last: Option<Ts>,
    /// Reasons that the origin keeps beside its rows: what lies before a row that happened at this moment.
    pub(super) reasons: Vec<(Ts, Ts, GapReason)>,
}

impl TradeTable {
    /// Files in their order; `None` counts sizes in base already.
    pub(super) fn new(files: Vec<Piece>, symbol: &str, counted: Option<Counted>, read: &Arc<AtomicU64>) -> Self {
        let (symbol, read) = (symbol.to_owned(), Arc::clone(read));
        Self { files: files.into(), open: None, symbol, counted, read, last: None, reasons: Vec::new() }
    }

    fn next(&mut self, done: &mut CapturePlayed) -> Result<Option<Pulled>, Error> {
        loop {
            let Some((shown, rows, columns)) = &mut self.open else {
                let Some(piece) = self.files.pop_front() else { return Ok(None) };
                let (names, rows) = TableRows::open(&piece, &self.read)?;
                let columns = TradeColumns::of(&names)
                    .ok_or_else(|| Error::Usage(format!("{} is no table of trades", piece.shown)))?;
                self.open = Some((piece.shown, rows, columns));
                continue;
            };
            match rows.step() {
                TableStep::Row => {}
                TableStep::Ragged => {
                    done.cannot_read(shown, rows.number());
                    continue;
                }
                end => {
                    if let TableStep::Torn(why) = end {
                        done.torn.push(format!("{shown} breaks off after line {}: {why}", rows.number()));
                    }
                    self.open = None;
                    continue;
                }
            }
            if columns.symbol.and_then(|c| rows.text(c)).is_some_and(|s| !same_symbol(s, &self.symbol)) {
                continue;
            }
            let Some(mut row) = pulled(rows, columns, self.counted) else {
                done.cannot_read(shown, rows.number());
                continue;
            };
            let gap = columns.gap.filter(|(at, _)| rows.flag(*at) == Some(true));
            let from = self.last.unwrap_or(row.at.event);
            row.lost = gap.map(|(_, why)| {
                let known = self.reasons.iter().find(|(_, until, _)| *until == row.at.event);
                known.map_or((from, why), |(from, _, why)| (*from, *why))
            });
            self.last = Some(row.at.event);
            return Ok(Some(row));
        }
    }
}

fn pulled(rows: &TableRows, columns: &TradeColumns, counted: Option<Counted>) -> Option<Pulled> {
    let at = RecordStamps { event: rows.moment(columns.event)?, recv: rows.moment(columns.recv)? };
    let price = rows.number_of(columns.price).filter(|p| *p > 0.0)?;
    let size = rows.number_of(columns.size).filter(|s| *s > 0.0)?;
    let size = counted.filter(|_| !columns.in_base).map_or(size, |c| c.base(size, price));
    let is_buy = rows.flag(columns.side).or_else(|| match rows.text(columns.side)?.to_ascii_lowercase().as_slice() {
        b"buy" | b"b" | b"bid" => Some(true),
        b"sell" | b"s" | b"ask" => Some(false),
        _ => None,
    });
    let what = is_buy.map_or(PulledWhat::Unsided, |is_buy| PulledWhat::Trade(RecordedTrade { price, size, is_buy }));
    let sequence = columns.sequence.and_then(|c| rows.whole(c)).and_then(|s| u64::try_from(s).ok()).unwrap_or(0);
    Some(Pulled { at, sequence, lost: None, what })
}
