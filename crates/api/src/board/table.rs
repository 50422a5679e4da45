//! The table while it is turned: cells, reasons and closes are set, and what differs from what was published is reported.

use super::hub::{News, Topic, publish_batch, publish_event};
use super::named::NamedRow;
use super::part::{BoardPart, risk};
use super::view::{BoardView, ChangeView, HeaderView, RowView};
use super::wire::{batch, frame};
use super::{COLUMNS, Cells, Column, Value, WIDTH};
use crate::alias::markets::pair_of;
use crate::live::DataOrigin;
use barograph_domain::{InstrumentName, Span, Ts};
use bytes::Bytes;
use core::cmp::Reverse;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use tokio::sync::broadcast;

/// Changes of labels that are listed.
const CHANGES_MAX: usize = 50;
/// How far back they are listed.
const CHANGES_FOR: Span = Span::hours(1);

/// One market as it was published last.
#[derive(Clone, Debug)]
pub struct BoardRow {
    /// Market of the row.
    pub instrument: InstrumentName,
    /// Its cells.
    pub cells: Cells,
    /// Why some are null.
    pub reasons: Vec<(Column, &'static str)>,
    /// Closes of the last hour.
    pub spark: Vec<Option<f64>>,
    /// Its headline.
    pub headline: String,
    /// The reasons that listeners have received.
    told: Vec<(Column, &'static str)>,
}

impl BoardRow {
    /// Reasons of cells that are null; a value may have come since the others were given.
    pub(super) fn standing(&self) -> impl Iterator<Item = (Column, &'static str)> + '_ {
        self.reasons.iter().filter(|(column, _)| self.cells[*column as usize] == Value::Null).copied()
    }
}

/// The table, while it is being turned.
#[derive(Debug)]
pub struct Table {
    pub(super) ts: Ts,
    pub(super) n: u64,
    origin: DataOrigin,
    logic_version: String,
    rows: Vec<BoardRow>,
    places: BTreeMap<InstrumentName, usize>,
    header: HeaderView,
    changes: VecDeque<ChangeView>,
    /// Changed columns by row, since the last batch.
    masks: Vec<u32>,
    dirty: Vec<usize>,
    /// Rows whose reasons were set since the last turn.
    explained: Vec<usize>,
    /// Rows whose headline is another one since the last turn.
    retold: Vec<usize>,
    /// First and last stored minute of all markets.
    reach: Option<(Ts, Ts)>,
    /// Rows below this have been reported.
    told: usize,
    header_moved: bool,
    news: Vec<ChangeView>,
    /// The document and the event that begins a stream, until something moves.
    pub(super) written: Option<(Bytes, Bytes)>,
    scratch: String,
}

fn json_of<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    // Plain data with finite numbers and words: writing it cannot fail.
    serde_json::to_vec(value).unwrap_or_default()
}

impl Table {
    /// Of no markets yet.
    pub(super) fn new(origin: DataOrigin) -> Self {
        Self {
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
            explained: Vec::new(),
            retold: Vec::new(),
            reach: None,
            told: 0,
            header_moved: false,
            news: Vec::new(),
            written: None,
            scratch: String::new(),
        }
    }

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
        self.rows.push(BoardRow {
            instrument: instrument.clone(),
            cells: [Value::Null; WIDTH],
            reasons: Vec::new(),
            spark: Vec::new(),
            headline: String::new(),
            told: Vec::new(),
        });
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
            self.explained.push(i);
            self.written = None;
        }
    }

    /// Sets the headline of a row.
    pub fn headline(&mut self, i: usize, text: &str) {
        if let Some(row) = self.rows.get_mut(i).filter(|row| row.headline != text) {
            text.clone_into(&mut row.headline);
            if i < self.told {
                self.retold.push(i);
            }
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

    /// Says from when to when minutes are stored.
    pub fn reaches(&mut self, reach: Option<(Ts, Ts)>) {
        if self.reach != reach {
            self.reach = reach;
            self.written = None;
        }
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

    /// A label changed before anybody could hear of it.
    pub fn remember(&mut self, change: ChangeView) {
        if self.changes.contains(&change) {
            return;
        }
        let at = self.changes.partition_point(|c| c.at > change.at);
        self.changes.insert(at, change);
        self.changes.truncate(CHANGES_MAX);
        self.written = None;
    }

    /// The minute of a market's row, and whether it is stale: when either moves, there is a new snapshot to be read.
    pub(super) fn stamp(&self, place: usize) -> Option<[Value; 3]> {
        let cells = &self.rows.get(place)?.cells;
        Some([Column::RowTs, Column::Flags, Column::Risk].map(|c| cells[c as usize]))
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

    pub(super) fn publish(&mut self, sender: &broadcast::Sender<News>) {
        if self.told < self.rows.len() {
            let views: Vec<RowView> = (self.told..self.rows.len()).map(|i| self.view(i)).collect();
            publish_event(sender, Topic::Rows, "rows", &json_of(&views));
            self.masks[self.told..].fill(0);
            for row in &mut self.rows[self.told..] {
                row.told = row.standing().collect();
            }
            self.told = self.rows.len();
            self.written = None;
        }
        self.publish_reasons(sender);
        if !self.retold.is_empty() {
            let rows = &self.rows;
            let news: Vec<(usize, &str)> = self.retold.drain(..).map(|i| (i, rows[i].headline.as_str())).collect();
            publish_event(sender, Topic::Headlines, "headlines", &json_of(&news));
        }
        if !self.dirty.is_empty() {
            self.n += 1;
            let (rows, masks) = (&self.rows, &self.masks);
            let changed = self.dirty.iter().map(|i| (*i, masks[*i], &rows[*i].cells));
            batch(&mut self.scratch, self.n, self.ts.as_millis(), changed);
            publish_batch(sender, Topic::Cells, "cells", self.n, self.scratch.as_bytes());
            for i in self.dirty.drain(..) {
                self.masks[i] = 0;
            }
            self.written = None;
        }
        if !self.news.is_empty() {
            publish_event(sender, Topic::Changes, "changes", &json_of(&core::mem::take(&mut self.news)));
        }
        if core::mem::take(&mut self.header_moved) {
            publish_event(sender, Topic::Header, "header", &json_of(&self.header));
            self.written = None;
        }
    }

    /// Reports rows whose nulls have other reasons than were published: one event, before the cells that it is about.
    fn publish_reasons(&mut self, sender: &broadcast::Sender<News>) {
        let mut news: Vec<(usize, BTreeMap<&'static str, &'static str>)> = Vec::new();
        for i in self.explained.drain(..).chain(self.dirty.iter().copied()) {
            let row = &mut self.rows[i];
            if row.standing().eq(row.told.iter().copied()) {
                continue;
            }
            row.told = row.standing().collect();
            news.push((i, row.told.iter().map(|(column, why)| (COLUMNS[*column as usize], *why)).collect()));
        }
        if !news.is_empty() {
            publish_event(sender, Topic::Reasons, "reasons", &json_of(&news));
        }
    }

    fn view(&self, i: usize) -> RowView {
        let row = &self.rows[i];
        RowView {
            spark: row.spark.clone(),
            headline: row.headline.clone(),
            ..RowView::new(i, &row.instrument, row.cells, &row.reasons)
        }
    }

    /// The row of a market as JSON under the names of its columns, with another headline where one is given; `None` for one that
    /// is not in the table.
    pub(super) fn named(&self, instrument: &InstrumentName, headline: Option<&str>) -> Option<Bytes> {
        let row = &self.rows[self.place(instrument)?];
        Some(Bytes::from(json_of(&NamedRow::new(row, self.ts, &self.logic_version, headline))))
    }

    /// The markets of a part as JSON: what is not in it is not written.
    pub(super) fn part(&self, part: &BoardPart) -> Bytes {
        let fitting = part.fitting();
        let has = |i: &usize| {
            let row = &self.rows[*i];
            fitting.has(&row.instrument, || pair_of(&row.instrument), &row.cells)
        };
        let mut fit: Vec<usize> = (0..self.rows.len()).filter(has).collect();
        let found = Some(fit.len());
        // Stable: markets of one label stay in the order of the table.
        fit.sort_by_key(|i| Reverse(risk(&self.rows[*i].cells)));
        fit.truncate(part.top.unwrap_or(usize::MAX));
        Bytes::from(json_of(&BoardView {
            found,
            rows: fit.into_iter().map(|i| self.view(i)).collect(),
            ..self.around()
        }))
    }

    /// What stands around the rows.
    fn around(&self) -> BoardView {
        let oldest = self.ts.0.saturating_sub(CHANGES_FOR.0);
        BoardView {
            n: self.n,
            logic_version: self.logic_version.clone(),
            header: self.header,
            first_ts: self.reach.map(|r| r.0),
            last_ts: self.reach.map(|r| r.1),
            changes: self.changes.iter().filter(|c| c.at.0 >= oldest).cloned().collect(),
            ..BoardView::empty(self.ts, self.origin)
        }
    }

    /// The document, and the event that begins a stream.
    pub(super) fn written(&mut self) -> (Bytes, Bytes) {
        if let Some(written) = &self.written {
            return written.clone();
        }
        let oldest = self.ts.0.saturating_sub(CHANGES_FOR.0);
        while self.changes.back().is_some_and(|c| c.at.0 < oldest) {
            self.changes.pop_back();
        }
        let view = BoardView { rows: (0..self.rows.len()).map(|i| self.view(i)).collect(), ..self.around() };
        let json = Bytes::from(json_of(&view));
        let event = frame("board", None, &json);
        self.written.insert((json, event)).clone()
    }
}
