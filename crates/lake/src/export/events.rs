//! Books and trades of any recording as hftbacktest's array of events, in a NumPy file (`.npy`) that it loads as it is: for venues whose
//! messages it has no converter for, Coinbase among them.
//!
//! A record is that of hftbacktest 2 (`hftbacktest.types.event_dtype`): kind and side in the bits of `ev`, the venue's and the recorder's
//! clock, price, quantity, and three fields that stay zero. The first book is a snapshot; each later one is what changed since the one before,
//! also where the book was lost in between: quantity zero removes a level. Levels that the recording does not look at, beyond ten basis
//! points and twenty levels, are removed when they fall out.
//!
//! hftbacktest needs both clocks to rise, and the recorder's not to be before the venue's. Where the recorder's clock was behind, one span is
//! added to all of its stamps, so that the smallest latency is the one that is asked for and their differences stay what they were: what
//! `correct_local_timestamp` of hftbacktest (`data/validation.py`) does. Where the venue's clock steps back, it is moved to where it was, and
//! counted.

use crate::error::Error;
use crate::recorded::{RecordListener, RecordStamps, RecordedFeed, RecordedTrade};
use barograph_domain::depth::{BookSides, DepthLevel};
use barograph_domain::{GapReason, Span, Ts};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

const DEPTH: u64 = 1;
const TRADE: u64 = 2;
const SNAPSHOT: u64 = 4;
const SELL: u64 = 1 << 28;
const BUY: u64 = 1 << 29;
/// The event is processed by both sides: the exchange's and the local one.
const BOTH: u64 = 1 << 30 | 1 << 31;

/// Bytes of a record, and where the stamp of the recorder is in it.
const RECORD: usize = 64;
const LOCAL: core::ops::Range<usize> = 16..24;

/// Bytes before the first record; a multiple of 64, as NumPy aligns it.
const HEAD: usize = 256;

/// What was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EventReport {
    /// Records in the file.
    pub events: u64,
    /// Trades among them.
    pub trades: u64,
    /// Times the book was lost: it stands as it was until it is found again, because hftbacktest has no event for a book that nobody knows.
    pub book_losses: u64,
    /// Events whose venue stamp was moved, because it was before the last.
    pub moved: u64,
    /// What was added to every stamp of the recorder; zero where its clock was never behind the venue's.
    pub shift: Span,
    /// First and last receive stamp; `None` when nothing was written.
    pub span: Option<(Ts, Ts)>,
}

/// Writes what it hears.
#[derive(Debug)]
pub struct EventWriter<W: Write + Seek> {
    out: BufWriter<W>,
    /// Received in this time, both ends included.
    within: (Ts, Ts),
    bids: Vec<DepthLevel>,
    asks: Vec<DepthLevel>,
    /// A book was written.
    begun: bool,
    /// The last stamps written.
    last: (Ts, Ts),
    /// The smallest time from the venue's stamp to the recorder's.
    latency_min: Option<Span>,
    /// What it is to be, where it would be below zero.
    base: Span,
    report: EventReport,
}

impl<W: Write + Seek> EventWriter<W> {
    /// Begins a file; only what is received in `range` is written, both ends included, by the recorder's clock as it was. Where that was
    /// behind the venue's, `base` becomes the smallest latency.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(out: W, range: (Option<Ts>, Option<Ts>), base: Span) -> io::Result<Self> {
        let mut out = BufWriter::new(out);
        out.write_all(&head(0))?;
        let within = (range.0.unwrap_or(Ts::MIN), range.1.unwrap_or(Ts::MAX));
        let (bids, asks, report) = (Vec::new(), Vec::new(), EventReport::default());
        Ok(Self { out, within, bids, asks, begun: false, last: (Ts(0), Ts(0)), latency_min: None, base, report })
    }

    fn wants(&self, at: RecordStamps) -> bool {
        self.within.0 <= at.recv && at.recv <= self.within.1
    }

    /// Stamps as they are written at first: both rise.
    fn stamps(&self, at: RecordStamps) -> (Ts, Ts) {
        (at.event.max(self.last.0), at.recv.max(self.last.1))
    }

    /// Events were written with these stamps. A state that changed nothing that is looked at has none, and counts for nothing.
    fn written(&mut self, at: RecordStamps, (venue, local): (Ts, Ts), before: u64) {
        if self.report.events == before {
            return;
        }
        let latency = local - at.event;
        self.latency_min = Some(self.latency_min.map_or(latency, |least| least.min(latency)));
        self.report.moved += u64::from(venue != at.event);
        self.last = (venue, local);
        self.report.span = Some((self.report.span.map_or(local, |(first, _)| first), local));
    }

    fn event(&mut self, ev: u64, (venue, local): (Ts, Ts), price: f64, qty: f64) -> Result<(), Error> {
        let mut record = [0; RECORD];
        let fields = [
            (ev | BOTH).to_le_bytes(),
            venue.0.to_le_bytes(),
            local.0.to_le_bytes(),
            price.to_le_bytes(),
            qty.to_le_bytes(),
        ];
        for (out, field) in record.chunks_exact_mut(8).zip(fields) {
            out.copy_from_slice(&field);
        }
        self.report.events += 1;
        self.out.write_all(&record).map_err(|source| Error::Path { path: PathBuf::from("the exported file"), source })
    }

    /// What is other than before, on one side; `better` compares prices, the best first.
    fn changes(
        &mut self,
        (ev, stamps): (u64, (Ts, Ts)),
        before: &[DepthLevel],
        now: &[DepthLevel],
        better: impl Fn(f64, f64) -> bool,
    ) -> Result<(), Error> {
        let (mut old, mut new) = (before.iter().peekable(), now.iter().peekable());
        loop {
            let gone = match (old.peek(), new.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some(o), Some(n)) if o.price.to_bits() == n.price.to_bits() => {
                    if o.size.to_bits() != n.size.to_bits() {
                        self.event(ev, stamps, n.price, n.size)?;
                    }
                    old.next();
                    new.next();
                    continue;
                }
                (Some(o), Some(n)) => better(o.price, n.price),
            };
            let next = if gone { old.next().map(|o| (o.price, 0.0)) } else { new.next().map(|n| (n.price, n.size)) };
            if let Some((price, qty)) = next {
                self.event(ev, stamps, price, qty)?;
            }
        }
    }
}

impl<W: Read + Write + Seek> EventWriter<W> {
    /// Ends the file. Where the recorder's clock was behind the venue's, its stamps are moved now, because only the whole says by how much.
    ///
    /// # Errors
    /// When it cannot be written, or not read again.
    pub fn finish(mut self) -> io::Result<(W, EventReport)> {
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&head(self.report.events))?;
        let mut out = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        if let Some(behind) = self.latency_min.filter(|least| *least < Span::ZERO) {
            let shift = self.base - behind;
            move_local(&mut out, shift)?;
            self.report.shift = shift;
            self.report.span = self.report.span.map(|(from, until)| (from + shift, until + shift));
        }
        Ok((out, self.report))
    }
}

/// Adds a span to the recorder's stamp of every record.
fn move_local<W: Read + Write + Seek>(out: &mut W, shift: Span) -> io::Result<()> {
    let mut part = vec![0; 4_096 * RECORD];
    let mut at = HEAD as u64;
    loop {
        out.seek(SeekFrom::Start(at))?;
        let mut filled = 0;
        while filled < part.len() {
            match out.read(&mut part[filled..])? {
                0 => break,
                n => filled += n,
            }
        }
        if filled == 0 {
            return Ok(());
        }
        for record in part[..filled].chunks_exact_mut(RECORD) {
            let mut stamp = [0; 8];
            stamp.copy_from_slice(&record[LOCAL]);
            let moved = Ts(i64::from_le_bytes(stamp)) + shift;
            record[LOCAL].copy_from_slice(&moved.0.to_le_bytes());
        }
        out.seek(SeekFrom::Start(at))?;
        out.write_all(&part[..filled])?;
        at += filled as u64;
    }
}

impl<W: Write + Seek> RecordListener for EventWriter<W> {
    type Failure = Error;

    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, _updates: u32) -> Result<(), Error> {
        if !self.wants(at) {
            return Ok(());
        }
        let (stamps, before) = (self.stamps(at), self.report.events);
        let kind = if core::mem::replace(&mut self.begun, true) { DEPTH } else { SNAPSHOT };
        let (bids, asks) = (core::mem::take(&mut self.bids), core::mem::take(&mut self.asks));
        self.changes((kind | BUY, stamps), &bids, sides.bids, |a, b| a > b)?;
        self.changes((kind | SELL, stamps), &asks, sides.asks, |a, b| a < b)?;
        self.written(at, stamps, before);
        (self.bids, self.asks) = (bids, asks);
        self.bids.clear();
        self.bids.extend_from_slice(sides.bids);
        self.asks.clear();
        self.asks.extend_from_slice(sides.asks);
        Ok(())
    }

    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), Error> {
        if !self.wants(at) {
            return Ok(());
        }
        let (stamps, before) = (self.stamps(at), self.report.events);
        self.report.trades += 1;
        self.event(TRADE | if trade.is_buy { BUY } else { SELL }, stamps, trade.price, trade.size)?;
        self.written(at, stamps, before);
        Ok(())
    }

    fn lost(&mut self, feed: RecordedFeed, _from: Ts, _why: GapReason) -> Result<(), Error> {
        self.report.book_losses += u64::from(feed == RecordedFeed::Book);
        Ok(())
    }

    fn trades_begin(&mut self, _from: Ts) -> Result<(), Error> {
        Ok(())
    }

    fn passed(&mut self, _recv: Ts) -> Result<(), Error> {
        Ok(())
    }
}

/// The head of a NumPy file of version 1.0 with so many records.
fn head(records: u64) -> [u8; HEAD] {
    let text = format!(
        "{{'descr': [('ev', '<u8'), ('exch_ts', '<i8'), ('local_ts', '<i8'), ('px', '<f8'), ('qty', '<f8'), ('order_id', '<u8'), \
         ('ival', '<i8'), ('fval', '<f8')], 'fortran_order': False, 'shape': ({records},), }}"
    );
    let mut head = [b' '; HEAD];
    head[..8].copy_from_slice(b"\x93NUMPY\x01\x00");
    head[8..10].copy_from_slice(&u16::try_from(HEAD - 10).unwrap_or(u16::MAX).to_le_bytes());
    head[10..10 + text.len()].copy_from_slice(text.as_bytes());
    head[HEAD - 1] = b'\n';
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn at(event: i64, recv: i64) -> RecordStamps {
        RecordStamps { event: Ts(event), recv: Ts(recv) }
    }

    fn levels(levels: &[(f64, f64)]) -> Vec<DepthLevel> {
        levels.iter().map(|(price, size)| DepthLevel { price: *price, size: *size }).collect()
    }

    /// (kind and side without the two clocks' bits, venue stamp, receive stamp, price, quantity)
    fn events(bytes: &[u8]) -> Vec<(u64, i64, i64, f64, f64)> {
        let field = |r: &[u8], at: usize| <[u8; 8]>::try_from(&r[at * 8..at * 8 + 8]).unwrap();
        let record = |r: &[u8]| {
            let ev = u64::from_le_bytes(field(r, 0));
            assert_eq!((ev & BOTH, &r[40..]), (BOTH, &[0; 24][..]));
            let float = |at| f64::from_le_bytes(field(r, at));
            (ev & !BOTH, i64::from_le_bytes(field(r, 1)), i64::from_le_bytes(field(r, 2)), float(3), float(4))
        };
        bytes[HEAD..].chunks_exact(64).map(record).collect()
    }

    #[test]
    fn a_book_is_written_whole_and_then_by_what_changes() {
        let mut out = EventWriter::new(Cursor::new(Vec::new()), (None, Some(Ts(1_000))), Span(2)).unwrap();
        let (asks, bids) = (levels(&[(11.0, 1.0)]), levels(&[(10.0, 1.0), (9.0, 2.0)]));
        let book = |out: &mut EventWriter<_>, at, bids: &[DepthLevel]| {
            out.book(at, &BookSides { bids, asks: &asks }, 1).unwrap();
        };
        book(&mut out, at(5, 10), &bids);
        book(&mut out, at(4, 12), &levels(&[(10.5, 3.0), (9.0, 1.0)]));
        out.trade(at(20, 15), RecordedTrade { price: 11.0, size: 0.5, is_buy: true }).unwrap();
        out.lost(RecordedFeed::Trades, Ts(15), GapReason::Disconnected).unwrap();
        book(&mut out, at(16, 17), &levels(&[(10.5, 3.0), (9.0, 1.0)]));
        out.lost(RecordedFeed::Book, Ts(17), GapReason::Disconnected).unwrap();
        book(&mut out, at(30, 31), &levels(&[(8.0, 1.0)]));
        book(&mut out, at(1_001, 1_001), &bids);
        let (file, report) = out.finish().unwrap();
        let want = [
            (SNAPSHOT | BUY, 5, 17, 10.0, 1.0),
            (SNAPSHOT | BUY, 5, 17, 9.0, 2.0),
            (SNAPSHOT | SELL, 5, 17, 11.0, 1.0),
            // The venue's clock has stepped back.
            (DEPTH | BUY, 5, 19, 10.5, 3.0),
            (DEPTH | BUY, 5, 19, 10.0, 0.0),
            (DEPTH | BUY, 5, 19, 9.0, 1.0),
            // It was ahead by five, which becomes a latency of two.
            (TRADE | BUY, 20, 22, 11.0, 0.5),
            // What was known before the loss is no more.
            (DEPTH | BUY, 30, 38, 10.5, 0.0),
            (DEPTH | BUY, 30, 38, 9.0, 0.0),
            (DEPTH | BUY, 30, 38, 8.0, 1.0),
        ];
        let file = file.into_inner();
        assert_eq!(events(&file), want);
        let (events, span) = (want.len() as u64, Some((Ts(17), Ts(38))));
        assert_eq!(report, EventReport { events, trades: 1, book_losses: 1, moved: 1, shift: Span(7), span });
        // The book of 16, which is that of before, is no event, and that its stamp steps back counts for nothing.
        assert!(String::from_utf8_lossy(&file[10..HEAD]).contains("'shape': (10,)"));
    }

    /// A clock that is behind moves all stamps by one span, however many parts the file is read in; one that is not moves none.
    #[test]
    fn latencies_keep_their_differences() {
        for (behind, base, shift) in [(0, 5, 0), (-3, 5, 0), (1, 0, 1), (1_000, 5, 1_005)] {
            let mut out = EventWriter::new(Cursor::new(Vec::new()), (None, None), Span(base)).unwrap();
            let recv = |n: i64| 10_000 + 10 * n + (n * n) % 7 - behind;
            for n in 0..10_000 {
                out.trade(at(10_000 + 10 * n, recv(n)), RecordedTrade { price: 1.0, size: 1.0, is_buy: true }).unwrap();
            }
            let (file, report) = out.finish().unwrap();
            assert_eq!((report.shift, report.moved, report.events), (Span(shift), 0, 10_000));
            for (n, event) in (0..).zip(events(file.get_ref())) {
                assert_eq!((event.1, event.2), (10_000 + 10 * n, recv(n) + shift), "{n}, {behind} behind");
            }
        }
    }
}
