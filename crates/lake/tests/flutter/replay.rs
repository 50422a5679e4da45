//! One pass over a set: what the engine reads is made once, and any number of books judge it.
//!
//! What an axis reads does not depend on its dwell, exit bands or thresholds, so that books which differ in these alone see the same
//! readings (a test of the engine says so for its own book). A book whose label is not waiting is asked only where a reading changed.

use crate::flutter::events::{Onsets, Recall, Squeezes};
use crate::flutter::runs::{Period, Runs};
use crate::flutter::sets::Set;
use barograph_domain::{
    AxisState, Cell, HeatRegime, Label as _, MinuteRow, Payload, RiskRegime, Span, StreamDecl, TrendRegime, Ts,
    VolRegime,
};
use barograph_engine::catalogue::Feature;
use barograph_engine::rules::{AxisMemory, RuleBook, Ruled};
use barograph_engine::{Config, Engine, Outputs};
use std::sync::Arc;

/// One axis under one book.
pub(crate) struct Judge<'a, L: Ruled> {
    book: &'a RuleBook,
    memory: AxisMemory<L>,
    features: Vec<Feature>,
    last: Vec<Cell>,
    state: AxisState<L>,
    pub(crate) label: Runs,
    pub(crate) raw: Runs,
}

impl<'a, L: Ruled> Judge<'a, L> {
    fn new(book: &'a RuleBook) -> Self {
        let runs = Runs::new(L::UNKNOWN.code());
        Self {
            book,
            memory: AxisMemory::new(),
            features: L::of(book).features().to_vec(),
            last: Vec::new(),
            state: AxisState::default(),
            label: runs.clone(),
            raw: runs,
        }
    }

    fn take(&mut self, row: &MinuteRow, streams: &[StreamDecl]) {
        if self.is_news(&row.cells) || self.state.label != self.state.raw_label {
            self.state = self.memory.step(self.book, row.ts, &row.cells, &row.inputs, streams);
        }
        self.label.push(row.ts, self.state.label.code());
        self.raw.push(row.ts, self.state.raw_label.code());
    }

    fn is_news(&mut self, cells: &[Cell]) -> bool {
        let same = |(feature, last): (&Feature, &Cell)| {
            let cell = &cells[feature.index()];
            cell.state == last.state && cell.value.to_bits() == last.value.to_bits() && cell.anchor == last.anchor
        };
        if self.last.len() == self.features.len() && self.features.iter().zip(&self.last).all(same) {
            return false;
        }
        self.last.clear();
        self.last.extend(self.features.iter().map(|f| cells[f.index()]));
        true
    }
}

/// The axes of one market under every book, and what happened to it.
pub(crate) struct Market<'a> {
    pub(crate) name: String,
    pub(crate) risk: Vec<Judge<'a, RiskRegime>>,
    pub(crate) trend: Vec<Judge<'a, TrendRegime>>,
    pub(crate) volatility: Vec<Judge<'a, VolRegime>>,
    pub(crate) heat: Vec<Judge<'a, HeatRegime>>,
    pub(crate) hv: Onsets,
    pub(crate) squeezes: Squeezes,
}

/// Volatility of an hour that `hv_1h` is about.
const EXTREME: f64 = 0.80;

impl<'a> Market<'a> {
    fn new(name: String, books: &'a [RuleBook], others: usize) -> Self {
        Self {
            name,
            risk: books.iter().map(Judge::new).collect(),
            trend: books.iter().take(others).map(Judge::new).collect(),
            volatility: books.iter().take(others).map(Judge::new).collect(),
            heat: books.iter().take(others).map(Judge::new).collect(),
            hv: Onsets::new(Span::hours(1)),
            squeezes: Squeezes::new(),
        }
    }

    /// The share of the extreme hours and of the squeezes of a period that a risk label preceded.
    pub(crate) fn foreseen(&self, label: &Runs, within: Period) -> (Recall, Recall) {
        let unknown = RiskRegime::Unknown.code();
        let squeezes = &self.squeezes.onsets;
        (
            self.hv.recall(label, RiskRegime::HighVol.code(), unknown, within),
            squeezes.recall(label, RiskRegime::SqueezeRisk.code(), unknown, within),
        )
    }

    fn take(&mut self, row: &MinuteRow, streams: &[StreamDecl]) {
        self.risk.iter_mut().for_each(|j| j.take(row, streams));
        self.trend.iter_mut().for_each(|j| j.take(row, streams));
        self.volatility.iter_mut().for_each(|j| j.take(row, streams));
        self.heat.iter_mut().for_each(|j| j.take(row, streams));
        let vol = row.cells[Feature::RealizedVol1h.index()].ready();
        self.hv.push(row.ts, vol.is_some_and(|v| v > EXTREME));
        self.squeezes.row(row);
    }
}

/// Replays a set; `None`, and said so, where a recording is missing. The first book is the engine's own; the axes beside risk are
/// judged by so many of the books.
pub(crate) fn replay<'a>(set: &Set, books: &'a [RuleBook], others: usize) -> Option<Vec<Market<'a>>> {
    let folder = tempfile::tempdir().unwrap();
    let plan = set.plan(folder.path())?;
    let (from, until) = set.between();
    let streams = plan.streams().to_vec();
    let mut markets: Vec<Market<'_>> =
        plan.instruments().iter().map(|i| Market::new(i.name.to_string(), books, others)).collect();
    let mut engine = Engine::new(Config::new(Arc::new(books[0].clone())), plan.instruments(), &streams);
    let mut out = Outputs::default();
    let mut events = plan.open(None);
    for event in events.by_ref().filter(|e| e.event_ts >= from && e.event_ts < until) {
        engine.step(&event, &mut out);
        take(&mut markets, &mut out, &streams);
        if let (Payload::Bar(bar), Some(market)) = (&event.payload, engine.market_of(event.stream)) {
            let step = streams[event.stream.index()].cadence;
            markets[market].squeezes.bar(event.event_ts, step, bar.high, bar.low);
        }
    }
    engine.finish(Ts::MAX, &mut out);
    take(&mut markets, &mut out, &streams);
    let failed = events.finish();
    assert!(failed.failed.is_empty(), "{}: {:?}", set.name, failed.failed);
    Some(markets)
}

fn take(markets: &mut [Market<'_>], out: &mut Outputs, streams: &[StreamDecl]) {
    for row in out.rows() {
        markets[row.instrument as usize].take(row, streams);
    }
    out.clear();
}
