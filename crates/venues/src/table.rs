//! Rows of a table to events: stamps, checks, streams. One mapper per file, no allocation per row.

use crate::binance::archive::LabelShift;
use crate::layout::{BarColumns, Layout, Shape};
use crate::payload::{acting_side, bar, fraction, funding, liquidated_side, not_negative, price, trade_id, value};
use crate::policy;
use crate::reject::{Reject, RejectReason, RowOutcome, Unused};
use crate::row::{Row, TableCell};
use barograph_domain::{Event, Metric, Payload, Span, Stamp, StreamIndex, Ts};

/// Where the events of one metric go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MetricTarget {
    /// The declared stream.
    pub stream: StreamIndex,
    /// How long after its stamp a row was known.
    pub delay: Span,
}

/// Events of one row, in the order of the shape's metrics.
pub type EventSink = Vec<Event>;

/// Reads rows by a [`Layout`].
#[derive(Clone, Debug)]
pub struct TableMapper {
    layout: Layout,
    cadence: Span,
    now: Ts,
    per_key: usize,
    /// Of each key, its targets one after the other; `None` for keys the user left out.
    targets: Vec<Option<Vec<MetricTarget>>>,
    keys: Vec<RowKey>,
    last_key: usize,
    shift: LabelShift,
    last: Option<(Ts, u64)>,
}

/// Venue and symbol as they stand in the rows of a shared table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RowKey {
    /// Text of the venue column, empty without one.
    pub venue: Vec<u8>,
    /// Text of the symbol column, empty without one.
    pub symbol: Vec<u8>,
}

/// A row's two clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Clocks {
    event_ts: Ts,
    /// Receive time of a recorded row.
    recv_ts: Option<Ts>,
}

impl TableMapper {
    /// For a layout. `cadence` is the timeframe of bars and the step of series; rows stamped after `now` are refused.
    #[must_use]
    pub fn new(layout: Layout, cadence: Span, now: Ts) -> Self {
        let per_key = layout.shape.metrics().len();
        let keys = if layout.symbol.is_none() && layout.venue.is_none() { vec![RowKey::default()] } else { Vec::new() };
        let shift = layout.clock.shift;
        Self { layout, cadence, now, per_key, targets: Vec::new(), keys, last_key: 0, shift, last: None }
    }
    /// The meaning of the columns.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
    /// Timeframe of bars, step of series.
    #[must_use]
    pub fn cadence(&self) -> Span {
        self.cadence
    }
    /// Keys seen so far by [`Self::plan`].
    #[must_use]
    pub fn keys(&self) -> &[RowKey] {
        &self.keys
    }
    /// Says where events go: one list of targets per key, in the order of the shape's metrics; `None` leaves a key out.
    pub fn bind(&mut self, targets: Vec<Option<Vec<MetricTarget>>>) {
        debug_assert!(targets.iter().flatten().all(|t| t.len() == self.per_key));
        self.targets = targets;
    }

    /// First pass: the stamp of a row; a new key is noted. `None` for rows the filter leaves out.
    ///
    /// # Errors
    /// The row has no stamp, or one later than the present.
    pub fn plan(&mut self, row: &Row<'_>) -> Result<Option<Ts>, Reject> {
        if !self.passes(row) {
            return Ok(None);
        }
        let clocks = self.clocks(row)?;
        if clocks.event_ts > self.now {
            return Err(Reject::cell(RejectReason::Future, self.layout.clock.column));
        }
        self.last_key = match self.find_key(row) {
            Some(key) => key,
            None => {
                self.keys.push(self.read_key(row));
                self.keys.len() - 1
            }
        };
        Ok(Some(clocks.recv_ts.unwrap_or(clocks.event_ts)))
    }

    /// When a row was first known to anyone: the earliest use any of its events allows.
    ///
    /// # Errors
    /// The row has no stamp.
    pub fn known_ts(&self, row: &Row<'_>) -> Result<Ts, Reject> {
        let clocks = self.clone_shift().clocks_with(&self.layout, self.cadence, row)?;
        Ok(clocks.recv_ts.unwrap_or(clocks.event_ts + self.shortest_delay()))
    }

    /// The shortest delay of any bound target.
    #[must_use]
    pub fn shortest_delay(&self) -> Span {
        let all = self.targets.iter().flatten().flatten();
        all.map(|t| t.delay).min().unwrap_or(Span::ZERO)
    }

    /// Second pass: the events of a row.
    ///
    /// # Errors
    /// Why the row is wrong. Nothing was pushed then.
    pub fn map(&mut self, row: &Row<'_>, sink: &mut EventSink) -> RowOutcome {
        if let (Row::Text { cells, .. }, Some(width)) = (row, self.layout.width)
            && cells.len() != width
        {
            return Err(Reject::row(RejectReason::WrongColumnCount));
        }
        if !self.passes(row) {
            return Ok(Some(Unused::Filtered));
        }
        let unknown = Reject { reason: RejectReason::UnknownWord, column: self.layout.symbol.or(self.layout.venue) };
        let key = self.find_key(row).ok_or(unknown)?;
        self.last_key = key;
        if self.targets.get(key).is_none_or(Option::is_none) {
            return Ok(Some(Unused::Filtered));
        }
        let clocks = self.clocks(row)?;
        if clocks.event_ts > self.now || clocks.recv_ts.is_some_and(|t| t > self.now) {
            return Err(Reject::cell(RejectReason::Future, self.layout.clock.column));
        }
        let before = sink.len();
        let outcome = self.payloads(row, key, clocks, sink);
        if outcome.is_err() {
            sink.truncate(before);
        }
        outcome
    }

    fn passes(&self, row: &Row<'_>) -> bool {
        self.layout.filter.iter().all(|(column, want)| match row.cell(*column) {
            TableCell::Empty => want.is_empty(),
            TableCell::Text(text) => text.eq_ignore_ascii_case(want.as_bytes()),
            TableCell::Float(_) | TableCell::Int(_) | TableCell::Time(_) => row.shown(*column) == *want,
        })
    }

    fn read_key(&self, row: &Row<'_>) -> RowKey {
        let text = |column: Option<usize>| column.and_then(|c| row.text(c)).unwrap_or_default().to_vec();
        RowKey { venue: text(self.layout.venue), symbol: text(self.layout.symbol) }
    }

    fn find_key(&self, row: &Row<'_>) -> Option<usize> {
        if self.layout.symbol.is_none() && self.layout.venue.is_none() {
            return Some(0);
        }
        let text = |column: Option<usize>| column.and_then(|c| row.text(c)).unwrap_or_default();
        let (venue, symbol) = (text(self.layout.venue), text(self.layout.symbol));
        let fits = |k: &RowKey| k.symbol == symbol && k.venue == venue;
        if self.keys.get(self.last_key).is_some_and(fits) {
            return Some(self.last_key);
        }
        self.keys.iter().position(fits)
    }

    fn clone_shift(&self) -> Shifter {
        Shifter { shift: self.shift }
    }

    fn clocks(&mut self, row: &Row<'_>) -> Result<Clocks, Reject> {
        let mut shifter = self.clone_shift();
        let clocks = shifter.clocks_with(&self.layout, self.cadence, row)?;
        self.shift = shifter.shift;
        Ok(clocks)
    }

    /// A format that promises order keeps it, by time and by id.
    fn in_order(&mut self, at: Ts, id: u64) -> Result<(), Reject> {
        if self.layout.ordered {
            if self.last.is_some_and(|(t, n)| at < t || id < n) {
                return Err(Reject::cell(RejectReason::OutOfOrder, self.layout.clock.column));
            }
            self.last = Some((at, id));
        }
        Ok(())
    }

    fn payloads(&mut self, row: &Row<'_>, key: usize, clocks: Clocks, sink: &mut EventSink) -> RowOutcome {
        let order_key = clocks.recv_ts.unwrap_or(clocks.event_ts);
        let no_id = (0, None);
        let (seq, payload) = match &self.layout.shape {
            Shape::Bars { metric, columns } => (no_id, bar(row, *metric, columns)?),
            Shape::Funding { rate, interval_h, rate_type, .. } => {
                (no_id, funding(row, *rate, *interval_h, *rate_type)?)
            }
            Shape::Values(_) | Shape::Ticker { .. } => {
                self.in_order(order_key, 0)?;
                return self.several(row, key, clocks, sink);
            }
            Shape::Trades { id, price: price_column, qty, side } => {
                let seq = trade_id(row, *id)?;
                let qty_column = *qty;
                let paid = price(row, *price_column)?;
                let qty = not_negative(row, qty_column)?;
                let aggressor_side = acting_side(row, *side)?;
                (seq, Some(Payload::Trade { price: paid, qty, aggressor_side }))
            }
            Shape::Liquidations { side, price: price_column, average, qty, id } => {
                let seq = trade_id(row, *id)?;
                let liquidated_side = liquidated_side(row, *side)?;
                // Zero is the average of what was not filled.
                let at = match average.map(|c| row.optional(c).map(|v| (c, v))).transpose()? {
                    Some((column, Some(average))) if average > 0.0 => price(row, column)?,
                    _ => price(row, *price_column)?,
                };
                let qty = not_negative(row, *qty)?;
                (seq, Some(Payload::Liquidation { liquidated_side, price: at, qty }))
            }
        };
        let (seq, order_id) = seq;
        // Recordings promise the order of receipt; ids are the venue's business there.
        let id = if clocks.recv_ts.is_none() { order_id.unwrap_or(0) } else { 0 };
        self.in_order(order_key, id)?;
        match payload {
            None => Ok(Some(Unused::Empty)),
            Some(payload) => {
                self.push(key, 0, clocks, seq, payload, sink);
                Ok(None)
            }
        }
    }

    /// Several metrics side by side: an empty cell is absence, a row of nothing but empty cells is not used.
    fn several(&self, row: &Row<'_>, key: usize, clocks: Clocks, sink: &mut EventSink) -> RowOutcome {
        let before = sink.len();
        match &self.layout.shape {
            Shape::Values(columns) => {
                for (slot, (metric, column)) in columns.iter().enumerate() {
                    if let Some(v) = value(row, *metric, *column)? {
                        self.push(key, slot, clocks, 0, Payload::Value(v), sink);
                    }
                }
            }
            Shape::Ticker { funding_rate, funding_timestamp, open_interest, index_price, mark_price } => {
                let plain = [
                    (0, Metric::MarkPrice, *mark_price),
                    (1, Metric::IndexPrice, *index_price),
                    (3, Metric::OpenInterest, *open_interest),
                ];
                for (slot, metric, column) in plain {
                    if let Some(v) = value(row, metric, column)? {
                        self.push(key, slot, clocks, 0, Payload::Value(v), sink);
                    }
                }
                if let Some(rate) = fraction(row, *funding_rate)? {
                    let next_ts = row.optional_time(*funding_timestamp)?;
                    let interval_h = Some(policy::FUNDING_INTERVAL.as_secs_f64() / 3_600.0);
                    let payload = Payload::Funding { rate, interval_h, next_ts, special: false };
                    self.push(key, 2, clocks, 0, payload, sink);
                }
            }
            Shape::Bars { .. } | Shape::Funding { .. } | Shape::Trades { .. } | Shape::Liquidations { .. } => {}
        }
        Ok((sink.len() == before).then_some(Unused::Empty))
    }

    fn push(&self, key: usize, slot: usize, clocks: Clocks, seq: u64, payload: Payload, sink: &mut EventSink) {
        if let Some(Some(targets)) = self.targets.get(key) {
            let target = targets[slot];
            let recv_ts = clocks.recv_ts.unwrap_or(clocks.event_ts + target.delay);
            sink.push(Event { recv_ts, event_ts: clocks.event_ts, stream: target.stream, seq, payload });
        }
    }
}

/// The only state a stamp depends on.
struct Shifter {
    shift: LabelShift,
}

impl Shifter {
    fn clocks_with(&mut self, layout: &Layout, cadence: Span, row: &Row<'_>) -> Result<Clocks, Reject> {
        let clock = &layout.clock;
        let recv_ts = clock.recv.map(|column| row.time(column)).transpose()?;
        let label = row.time(clock.column)?;
        let event_ts = match &layout.shape {
            Shape::Bars { columns, .. } => bar_close(row, label, clock.stamp, cadence, columns)?,
            Shape::Funding { .. }
            | Shape::Values(_)
            | Shape::Trades { .. }
            | Shape::Liquidations { .. }
            | Shape::Ticker { .. } => match clock.stamp {
                Stamp::Open => label + cadence,
                Stamp::Close | Stamp::Instant => label + self.shift.of(label),
            },
        };
        Ok(Clocks { event_ts, recv_ts })
    }
}

/// When the bar ended. Where the file states it, the timeframe must agree; calendar months have nothing else to go by.
fn bar_close(row: &Row<'_>, label: Ts, stamp: Stamp, cadence: Span, columns: &BarColumns) -> Result<Ts, Reject> {
    if stamp != Stamp::Open {
        return Ok(label);
    }
    let Some(column) = columns.close_time else { return Ok(label + cadence) };
    // The venue's close time is the last unit inside the bar: …59.999 or …59.999999.
    match row.optional_time(column)?.map(|t| t.ceil(Span::secs(1))) {
        None => Ok(label + cadence),
        Some(close) if columns.calendar_month || close == label + cadence => Ok(close),
        Some(_) => Err(Reject::cell(RejectReason::WrongTimeframe, column)),
    }
}
