//! The table as it was published last, and what is told of it.
//!
//! One thread turns it: within a turn it sets cells, and what differs from what was published goes out as one batch, written
//! once and shared by reference by everybody who listens. Unchanged rows cost a comparison and no memory. Nothing here waits
//! for a client: the channel holds [`BUFFER`] events, and who falls behind that far is the reader's affair
//! (`routes/board_stream.rs`).

use super::view::{BoardView, ChangeView, HeaderView, RowView};
use super::wire::{batch, frame};
use super::{Cells, Column, Value, WIDTH};
use crate::live::DataOrigin;
use barograph_domain::{InstrumentName, Span, Ts};
use bytes::Bytes;
use core::sync::atomic::{AtomicUsize, Ordering};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Events that wait for slow readers: five batches, a tick and a header a second make half a minute. At 16 to 60 kB a batch of a
/// thousand markets that is some megabytes, whatever the number of clients.
const BUFFER: usize = 256;
/// Changes of labels that are listed.
const CHANGES_MAX: usize = 50;
/// How far back they are listed.
const CHANGES_FOR: Span = Span::hours(1);

/// What an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// Changed cells.
    Cells,
    /// The line above the table.
    Header,
    /// A label changed.
    Change,
    /// Markets that came.
    Rows,
    /// A record of an alert.
    Alert,
    /// Streams whose state changed.
    Feeds,
    /// A second has passed.
    Tick,
}

/// One event, ready to be sent.
#[derive(Clone, Debug)]
pub struct News {
    /// What it is about.
    pub topic: Topic,
    /// Number of a batch of cells; 0 for everything else.
    pub n: u64,
    /// A server-sent event, whole.
    pub bytes: Bytes,
}

/// One market as it was published last.
#[derive(Clone, Debug)]
pub struct Row {
    /// Whose.
    pub instrument: InstrumentName,
    /// Its cells.
    pub cells: Cells,
    /// Why some are null.
    pub reasons: Vec<(Column, &'static str)>,
    /// Closes of the last hour.
    pub spark: Vec<Option<f64>>,
}

/// The table, while it is being turned.
#[derive(Debug)]
pub struct Table {
    ts: Ts,
    n: u64,
    origin: DataOrigin,
    logic_version: String,
    rows: Vec<Row>,
    places: BTreeMap<InstrumentName, usize>,
    header: HeaderView,
    changes: VecDeque<ChangeView>,
    /// Changed columns by row, since the last batch.
    masks: Vec<u32>,
    dirty: Vec<usize>,
    /// Rows below this have been told of.
    told: usize,
    header_moved: bool,
    news: Vec<ChangeView>,
    /// The document and the event that begins a stream, until something moves.
    written: Option<(Bytes, Bytes)>,
    scratch: String,
}

/// See the module.
#[derive(Debug)]
pub struct Hub {
    table: Mutex<Table>,
    sender: broadcast::Sender<News>,
    /// Clients that want `feeds`.
    feeds: AtomicUsize,
}

/// What a client gets when it joins: nothing falls between the two.
#[derive(Debug)]
pub struct Joined {
    /// The whole table, as the event `board`.
    pub board: Bytes,
    /// What follows.
    pub news: broadcast::Receiver<News>,
}

impl Hub {
    /// A hub of no markets yet.
    #[must_use]
    pub fn new(origin: DataOrigin) -> Arc<Self> {
        let table = Table {
            ts: Ts(0),
            n: 0,
            origin,
            logic_version: String::new(),
            rows: Vec::new(),
            places: BTreeMap::new(),
            header: HeaderView::default(),
            changes: VecDeque::new(),
            masks: Vec::new(),
            dirty: Vec::new(),
            told: 0,
            header_moved: false,
            news: Vec::new(),
            written: None,
            scratch: String::new(),
        };
        Arc::new(Self { table: Mutex::new(table), sender: broadcast::channel(BUFFER).0, feeds: AtomicUsize::new(0) })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns the table: what `set` changes is published when it returns.
    pub fn turn<R>(&self, now: Ts, set: impl FnOnce(&mut Table) -> R) -> R {
        let mut table = self.lock();
        let done = set(&mut table);
        let second = now.0.div_euclid(1_000_000_000) != table.ts.0.div_euclid(1_000_000_000);
        table.ts = now;
        table.publish(&self.sender);
        if second {
            table.written = None;
            let tick = format!("{{\"t\":{}}}", now.as_millis());
            tell(&self.sender, Topic::Tick, "tick", tick.as_bytes());
        }
        done
    }

    /// When it was turned last; the beginning of time before the first turn.
    #[must_use]
    pub fn turned(&self) -> Ts {
        self.lock().ts
    }

    /// Tells of an alert; `json` is that of an item of `/api/v1/events`.
    pub fn alert(&self, json: &[u8]) {
        tell(&self.sender, Topic::Alert, "alert", json);
    }

    /// Tells of streams whose state changed; `json` is a list of `[instrument, metric, state, reason, age_ms]`.
    pub fn feeds(&self, json: &[u8]) {
        tell(&self.sender, Topic::Feeds, "feeds", json);
    }

    /// Does anybody listen?
    #[must_use]
    pub fn heard(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Does anybody want `feeds`?
    #[must_use]
    pub fn feeds_wanted(&self) -> bool {
        self.feeds.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn want_feeds(&self) {
        self.feeds.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn leave_feeds(&self) {
        self.feeds.fetch_sub(1, Ordering::Relaxed);
    }

    /// The whole table as JSON.
    #[must_use]
    pub fn json(&self) -> Bytes {
        self.lock().written().0
    }

    /// The whole table, and what follows it.
    #[must_use]
    pub fn join(&self) -> Joined {
        let mut table = self.lock();
        Joined { board: table.written().1, news: self.sender.subscribe() }
    }

    /// The table again, for a client that has fallen behind: the event, and the last batch that is in it.
    pub(crate) fn again(&self) -> (Bytes, u64) {
        let mut table = self.lock();
        (table.written().1, table.n)
    }

    /// The number of a market in batches.
    #[must_use]
    pub fn place(&self, instrument: &InstrumentName) -> Option<usize> {
        self.lock().place(instrument)
    }

    /// The minute of a market's row, and whether it is stale: when either moves, there is a new snapshot to be read.
    #[must_use]
    pub(crate) fn stamp(&self, place: usize) -> Option<[Value; 3]> {
        let table = self.lock();
        let cells = &table.rows.get(place)?.cells;
        Some([Column::RowTs, Column::Flags, Column::Risk].map(|c| cells[c as usize]))
    }
}

fn tell(sender: &broadcast::Sender<News>, topic: Topic, event: &str, json: &[u8]) {
    tell_batch(sender, topic, event, 0, json);
}

fn tell_batch(sender: &broadcast::Sender<News>, topic: Topic, event: &str, n: u64, json: &[u8]) {
    if sender.receiver_count() > 0 {
        // Nobody listening is fine.
        drop(sender.send(News { topic, n, bytes: frame(event, None, json) }));
    }
}

fn json_of<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    // Plain data with finite numbers and words: writing it cannot fail.
    serde_json::to_vec(value).unwrap_or_default()
}

impl Table {
    /// The number of a market.
    #[must_use]
    pub fn place(&self, instrument: &InstrumentName) -> Option<usize> {
        self.places.get(instrument).copied()
    }

    /// The number of a market, which is new to the table if need be.
    pub fn admit(&mut self, instrument: &InstrumentName) -> usize {
        if let Some(at) = self.place(instrument) {
            return at;
        }
        let row =
            Row { instrument: instrument.clone(), cells: [Value::Null; WIDTH], reasons: Vec::new(), spark: Vec::new() };
        self.rows.push(row);
        self.masks.push(0);
        self.places.insert(instrument.clone(), self.rows.len() - 1);
        self.rows.len() - 1
    }

    /// Sets a cell.
    pub fn set(&mut self, i: usize, column: Column, value: Value) {
        let (Some(row), Some(mask)) = (self.rows.get_mut(i), self.masks.get_mut(i)) else { return };
        let cell = &mut row.cells[column as usize];
        if *cell == value {
            return;
        }
        *cell = value;
        if *mask == 0 && i < self.told {
            self.dirty.push(i);
        }
        *mask |= 1 << column as u32;
    }

    /// What a cell shows.
    #[must_use]
    pub fn cell(&self, i: usize, column: Column) -> Value {
        self.rows.get(i).map_or(Value::Null, |row| row.cells[column as usize])
    }

    /// Says why cells of a row are null.
    pub fn explain(&mut self, i: usize, reasons: Vec<(Column, &'static str)>) {
        if let Some(row) = self.rows.get_mut(i).filter(|row| row.reasons != reasons) {
            row.reasons = reasons;
            self.written = None;
        }
    }

    /// Sets the closes of the last hour.
    pub fn spark(&mut self, i: usize, closes: Vec<Option<f64>>) {
        if let Some(row) = self.rows.get_mut(i).filter(|row| row.spark != closes) {
            row.spark = closes;
            self.written = None;
        }
    }

    /// Sets the line above the table.
    pub fn header(&mut self, header: HeaderView) {
        self.header_moved |= self.header != header;
        self.header = header;
    }

    /// Says where the data come from.
    pub fn of_origin(&mut self, origin: DataOrigin) {
        if self.origin != origin {
            self.origin = origin;
            self.written = None;
        }
    }

    /// Says what made the newest row.
    pub fn made_by(&mut self, logic_version: &str) {
        if self.logic_version != logic_version {
            self.logic_version = logic_version.to_owned();
            self.written = None;
        }
    }

    /// A label has just changed.
    pub fn changed(&mut self, change: ChangeView) {
        self.news.push(change.clone());
        self.remember(change);
    }

    /// A label changed before anybody could be told.
    pub fn remember(&mut self, change: ChangeView) {
        if self.changes.contains(&change) {
            return;
        }
        let at = self.changes.partition_point(|c| c.at > change.at);
        self.changes.insert(at, change);
        self.changes.truncate(CHANGES_MAX);
        self.written = None;
    }

    /// The cells of every market.
    pub fn cells(&self) -> impl Iterator<Item = &Cells> {
        self.rows.iter().map(|row| &row.cells)
    }

    /// Markets in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn publish(&mut self, sender: &broadcast::Sender<News>) {
        if self.told < self.rows.len() {
            let views: Vec<RowView> = (self.told..self.rows.len()).map(|i| self.view(i)).collect();
            tell(sender, Topic::Rows, "rows", &json_of(&views));
            self.masks[self.told..].fill(0);
            self.told = self.rows.len();
            self.written = None;
        }
        if !self.dirty.is_empty() {
            self.n += 1;
            let (rows, masks) = (&self.rows, &self.masks);
            let changed = self.dirty.iter().map(|i| (*i, masks[*i], &rows[*i].cells));
            batch(&mut self.scratch, self.n, self.ts.as_millis(), changed);
            tell_batch(sender, Topic::Cells, "cells", self.n, self.scratch.as_bytes());
            for i in self.dirty.drain(..) {
                self.masks[i] = 0;
            }
            self.written = None;
        }
        for change in core::mem::take(&mut self.news) {
            tell(sender, Topic::Change, "change", &json_of(&change));
        }
        if core::mem::take(&mut self.header_moved) {
            tell(sender, Topic::Header, "header", &json_of(&self.header));
            self.written = None;
        }
    }

    fn view(&self, i: usize) -> RowView {
        let row = &self.rows[i];
        RowView { spark: row.spark.clone(), ..RowView::new(i, &row.instrument, row.cells, &row.reasons) }
    }

    fn written(&mut self) -> (Bytes, Bytes) {
        if let Some(written) = &self.written {
            return written.clone();
        }
        let oldest = self.ts.0.saturating_sub(CHANGES_FOR.0);
        while self.changes.back().is_some_and(|c| c.at.0 < oldest) {
            self.changes.pop_back();
        }
        let view = BoardView {
            n: self.n,
            logic_version: self.logic_version.clone(),
            header: self.header,
            rows: (0..self.rows.len()).map(|i| self.view(i)).collect(),
            changes: self.changes.iter().cloned().collect(),
            ..BoardView::empty(self.ts, self.origin)
        };
        let json = Bytes::from(json_of(&view));
        let event = frame("board", None, &json);
        self.written.insert((json, event)).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> InstrumentName {
        InstrumentName::parse(text).unwrap()
    }

    fn told(news: &mut broadcast::Receiver<News>) -> Vec<(Topic, String)> {
        let text = |n: News| (n.topic, String::from_utf8(n.bytes.to_vec()).unwrap());
        core::iter::from_fn(|| news.try_recv().ok()).map(text).filter(|(topic, _)| *topic != Topic::Tick).collect()
    }

    #[test]
    fn only_what_moved_is_told_and_the_document_follows() {
        let hub = Hub::new(DataOrigin::Measured);
        let mut news = hub.join().news;
        let at = |s: i64| Ts::from_secs(1_770_000_000 + s);
        hub.turn(at(0), |t| {
            for market in ["okx:A-USDT", "okx:B-USDT"] {
                let i = t.admit(&name(market));
                t.set(i, Column::Price, Value::full(1.5));
            }
        });
        let first = told(&mut news);
        assert_eq!(first.len(), 1, "{first:?}");
        assert!(first[0].0 == Topic::Rows && first[0].1.contains("\"okx:B-USDT\""), "{first:?}");
        hub.turn(at(1), |t| t.set(1, Column::Price, Value::full(1.5)));
        assert_eq!(told(&mut news), [], "the same is no news");
        hub.turn(at(2), |t| {
            t.set(1, Column::Price, Value::full(2.5));
            t.set(1, Column::Risk, Value::Whole(1));
        });
        let batch = "event: cells\ndata: {\"n\":1,\"t\":1770000002000,\"c\":[[1,5,2.5,1]]}\n\n".to_owned();
        assert_eq!(told(&mut news), [(Topic::Cells, batch)]);
        let board: serde_json::Value = serde_json::from_slice(&hub.json()).unwrap();
        assert_eq!((&board["n"], &board["rows"][1]["cells"][0]), (&1.into(), &2.5.into()));
        assert_eq!(board["rows"][0]["symbol"], "A/USDT");
        hub.turn(at(2), |t| t.header(HeaderView { markets: 2, ..HeaderView::default() }));
        assert_eq!(told(&mut news).len(), 1);
        let board: serde_json::Value = serde_json::from_slice(&hub.json()).unwrap();
        assert_eq!(board["header"]["markets"], 2);
    }

    #[test]
    fn changes_are_those_of_the_last_hour_newest_first_and_at_most_fifty() {
        let hub = Hub::new(DataOrigin::Measured);
        let change = |minute: i64| ChangeView {
            instrument: name("okx:A-USDT"),
            axis: barograph_domain::Axis::Risk,
            from: "NORMAL",
            to: "CHOP_RISK",
            at: Ts(0) + Span::mins(minute),
        };
        hub.turn(Ts(0) + Span::mins(100), |t| [90, 30, 95, 90].map(|m| t.remember(change(m))));
        let listed = || -> Vec<String> {
            let board: serde_json::Value = serde_json::from_slice(&hub.json()).unwrap();
            board["changes"].as_array().unwrap().iter().map(|c| c["at"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(listed(), ["1970-01-01T01:35:00Z", "1970-01-01T01:30:00Z"]);
        hub.turn(Ts(0) + Span::mins(100), |t| (40..95).for_each(|m| t.changed(change(m))));
        assert_eq!((listed().len(), listed()[0].as_str()), (50, "1970-01-01T01:35:00Z"));
    }
}
