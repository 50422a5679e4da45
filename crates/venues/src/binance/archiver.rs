//! CSV files of the `binance-archiver` recorder: one row per changed level, trade or snapshot level, of one market and day.
//!
//! [`audit`] says what is wrong with a file, each fault by name and line: what a session would refuse in a frame (numbers, times,
//! broken sequences) and what only a file can have (rows of another day, one event with two times, a snapshot that ends
//! early). A file without faults is one that can be trusted row by row.
//!
//! Source: header rows and quality reports of the recorder's own test files (`raw/binance-archiver` of the shared data).

use crate::number;
use crate::session::Decimal;
use barograph_domain::{Span, Ts};
use core::fmt;

/// What is wrong with a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FaultKind {
    /// The header is of no known file, or a row has another number of cells.
    BadShape,
    /// A row is commented out: there are comments before the header only.
    CommentedOut,
    /// A receive, request or event time is no instant.
    BadTime,
    /// A time is not of the file's day (receive times may be a minute before it).
    OutsideDay,
    /// Receive or event times go backwards.
    TimeBackwards,
    /// An event is stamped after it was received.
    EventAfterReceipt,
    /// Rows of one update disagree about when it happened.
    EventTimeDiffers,
    /// A price or quantity is no number.
    BadNumber,
    /// A price is zero or negative.
    PriceNotAboveZero,
    /// A quantity is negative; of trades and snapshots also zero.
    BadQuantity,
    /// An update does not follow the one before; a trade id is missing.
    SequenceJump,
    /// The last snapshot has fewer levels on one side than on the other: the file ends inside of it.
    SnapshotCutShort,
    /// A snapshot was received before it was asked for, or more than three seconds after.
    SnapshotDelay,
}

/// A fault and where it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fault {
    /// Line of the file, from 1, comments counted.
    pub line: usize,
    /// What is wrong.
    pub kind: FaultKind,
    /// With which value.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {:?}: {}", self.line, self.kind, self.detail)
    }
}

/// Positions of what a file has.
#[derive(Debug, Default)]
struct Columns {
    count: usize,
    receive: Option<usize>,
    request: Option<usize>,
    event: Option<usize>,
    first: Option<usize>,
    last: Option<usize>,
    previous: Option<usize>,
    snapshot: Option<usize>,
    trade: Option<usize>,
    trade_kind: Option<usize>,
    is_ask: Option<usize>,
    price: Option<usize>,
    qty: Option<usize>,
}

impl Columns {
    fn of(header: &str) -> Option<Self> {
        let names: Vec<&str> = header.split(',').collect();
        let at = |name: &str| names.iter().position(|n| *n == name);
        let columns = Self {
            count: names.len(),
            receive: at("TimestampOfReceive"),
            request: at("TimestampOfRequest"),
            event: at("EventTime"),
            first: at("FirstUpdateId"),
            last: at("FinalUpdateId"),
            previous: at("FinalUpdateIdInLastStream"),
            snapshot: at("LastUpdateId"),
            trade: at("TradeId"),
            trade_kind: at("XUnknownParameter"),
            is_ask: at("IsAsk"),
            price: at("Price"),
            qty: at("Quantity"),
        };
        let known = columns.receive.is_some() && columns.price.is_some() && columns.qty.is_some();
        (known && (columns.last.or(columns.snapshot).or(columns.trade)).is_some()).then_some(columns)
    }
}

/// The update, trade or snapshot of the row before.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Group {
    id: u64,
    first: Option<u64>,
    event: Option<Ts>,
    bids: usize,
    asks: usize,
}

struct Audit<'a> {
    columns: Columns,
    day: Ts,
    faults: Vec<Fault>,
    line: usize,
    cells: Vec<&'a str>,
    receive: Option<Ts>,
    event: Option<Ts>,
    group: Option<Group>,
}

/// Everything wrong with a file of this day (its first instant), in order of lines.
#[must_use]
pub fn audit(day: Ts, text: &str) -> Vec<Fault> {
    let is_comment = |l: &str| l.starts_with('#');
    let mut lines = text.lines().enumerate().skip_while(|(_, l)| is_comment(l)).filter(|(_, l)| !l.is_empty());
    let Some((at, header)) = lines.next() else {
        return vec![Fault { line: 1, kind: FaultKind::BadShape, detail: "no rows".to_owned() }];
    };
    let Some(columns) = Columns::of(header) else {
        return vec![Fault { line: at + 1, kind: FaultKind::BadShape, detail: header.to_owned() }];
    };
    let (faults, cells) = (Vec::new(), Vec::new());
    let mut audit = Audit { columns, day, faults, line: at + 1, cells, receive: None, event: None, group: None };
    for (at, line) in lines {
        audit.line = at + 1;
        if is_comment(line) {
            audit.add_fault(FaultKind::CommentedOut, line);
            continue;
        }
        audit.cells.clear();
        audit.cells.extend(line.split(','));
        if audit.cells.len() == audit.columns.count {
            audit.row();
        } else {
            audit.add_fault(FaultKind::BadShape, line);
        }
    }
    audit.end();
    audit.faults
}

impl<'a> Audit<'a> {
    fn add_fault(&mut self, kind: FaultKind, value: &str) {
        self.faults.push(Fault { line: self.line, kind, detail: value.to_owned() });
    }

    fn cell(&self, column: Option<usize>) -> Option<&'a str> {
        column.and_then(|at| self.cells.get(at)).copied()
    }

    /// A time of the file's day; `None` after saying what is wrong with it.
    fn time(&mut self, column: Option<usize>) -> Option<Ts> {
        let text = self.cell(column)?;
        let Some(at) = number::instant(text.as_bytes()).filter(|t| number::PLAUSIBLE.contains(t)) else {
            self.add_fault(FaultKind::BadTime, text);
            return None;
        };
        if at < self.day - Span::mins(1) || at >= self.day + Span::days(1) {
            self.add_fault(FaultKind::OutsideDay, text);
        }
        Some(at)
    }

    fn id(&mut self, column: Option<usize>) -> Option<u64> {
        let text = self.cell(column)?;
        let id = number::unsigned(text.as_bytes());
        if id.is_none() {
            self.add_fault(FaultKind::BadNumber, text);
        }
        id
    }

    fn row(&mut self) {
        self.times();
        self.numbers();
        if self.columns.trade.is_some() {
            self.trade();
        } else if self.columns.snapshot.is_some() {
            self.snapshot();
        } else {
            self.update();
        }
    }

    fn times(&mut self) {
        let receive = self.time(self.columns.receive);
        if let (Some(now), Some(before)) = (receive, self.receive)
            && now < before
        {
            self.add_fault(FaultKind::TimeBackwards, &now.iso());
        }
        self.receive = receive.or(self.receive);
        if self.columns.event.is_some() {
            let event = self.time(self.columns.event);
            // Recorder and venue disagree by less than a millisecond in these files; one millisecond is rounding.
            if let (Some(event), Some(receive)) = (event, receive)
                && event > receive + Span::millis(1)
            {
                self.add_fault(FaultKind::EventAfterReceipt, &event.iso());
            }
            self.event = event;
        }
        if let Some(request) = self.time(self.columns.request)
            && let Some(receive) = receive
            && (receive < request - Span::millis(1) || receive - request > Span::secs(3))
        {
            self.add_fault(FaultKind::SnapshotDelay, &receive.iso());
        }
    }

    fn numbers(&mut self) {
        // Fills by the insurance fund are no trades and have a price of zero.
        if self.cell(self.columns.trade_kind).is_some_and(|kind| kind != "MARKET") {
            return;
        }
        for (column, is_price) in [(self.columns.price, true), (self.columns.qty, false)] {
            let Some(text) = self.cell(column) else { continue };
            let deletes = !is_price && self.columns.last.is_some();
            match Decimal::parse(text.as_bytes()).map(|d| d.mantissa) {
                None => self.add_fault(FaultKind::BadNumber, text),
                Some(..=0) if is_price => self.add_fault(FaultKind::PriceNotAboveZero, text),
                Some(n) if n < 0 || (n == 0 && !deletes) => self.add_fault(FaultKind::BadQuantity, text),
                Some(_) => {}
            }
        }
    }

    fn trade(&mut self) {
        let Some(id) = self.id(self.columns.trade) else { return };
        if self.group.is_some_and(|g| id != g.id + 1) {
            self.add_fault(FaultKind::SequenceJump, &id.to_string());
        }
        self.group = Some(Group { id, first: None, event: self.event, bids: 0, asks: 0 });
    }

    fn snapshot(&mut self) {
        let Some(id) = self.id(self.columns.snapshot) else { return };
        let is_ask = self.cell(self.columns.is_ask) == Some("1");
        if self.group.is_some_and(|g| id < g.id) {
            self.add_fault(FaultKind::SequenceJump, &id.to_string());
        }
        let mut group =
            self.group.filter(|g| g.id == id).unwrap_or(Group { id, first: None, event: None, bids: 0, asks: 0 });
        if is_ask {
            group.asks += 1;
        } else {
            group.bids += 1;
        }
        self.group = Some(group);
    }

    fn update(&mut self) {
        let (Some(first), Some(last)) = (self.id(self.columns.first), self.id(self.columns.last)) else { return };
        let previous = self.columns.previous.and_then(|_| self.id(self.columns.previous));
        let text = format!("{first} to {last}");
        match self.group {
            Some(g) if g.id == last => {
                if self.event.is_some() && g.event.is_some() && self.event != g.event {
                    self.add_fault(FaultKind::EventTimeDiffers, &text);
                }
                if g.first != Some(first) {
                    self.add_fault(FaultKind::SequenceJump, &text);
                }
                // A row that has no time of its own does not make the update's unknown.
                self.group = Some(Group { event: g.event.or(self.event), ..g });
            }
            before => {
                let follows = before.is_none_or(|g| previous.map_or(first == g.id + 1, |pu| pu == g.id));
                if !follows || first > last {
                    self.add_fault(FaultKind::SequenceJump, &text);
                }
                let backwards = before.and_then(|g| g.event).zip(self.event).is_some_and(|(was, is)| is < was);
                if backwards {
                    self.add_fault(FaultKind::TimeBackwards, &text);
                }
                self.group = Some(Group { id: last, first: Some(first), event: self.event, bids: 0, asks: 0 });
            }
        }
    }

    fn end(&mut self) {
        if let Some(g) = self.group.filter(|g| self.columns.snapshot.is_some() && g.asks < g.bids) {
            self.add_fault(FaultKind::SnapshotCutShort, &format!("{} bids and {} asks", g.bids, g.asks));
        }
    }
}
