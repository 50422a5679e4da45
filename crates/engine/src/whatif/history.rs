//! What a run stored of one market, as a replay reads it: rows in order, with only the columns that rules need.
//!
//! [`Builder`] takes stored rows. Whoever keeps a history elsewhere puts stretches of it together again ([`StoredHistory::append`]).
//! What clauses said is kept beside the columns under a key of the clause ([`super::clause_truth_key`]), so that a book with one other
//! threshold needs one column of numbers.

use super::column::{Anchored, ReadingColumn};
use super::runs::Runs;
use super::truths::ClauseTruth;
use crate::catalogue::Feature;
use crate::rules::{AxisStates, Ruled, Staleness};
use barograph_domain::{
    Axis, AxisState, HeatRegime, InputAge, Metric, MinuteRow, RiskRegime, StreamDecl, StreamIndex, TrendRegime, Ts,
    VolRegime,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The newest sample of an input.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct InputSeen {
    /// The stream in use.
    pub stream: StreamIndex,
    /// When the sample was.
    pub anchor: Anchored,
}

/// Stored rows of one market, by column.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StoredHistory {
    /// Minute of each row, ascending.
    pub ts: Vec<Ts>,
    /// What stream indexes mean.
    pub streams: Vec<StreamDecl>,
    /// The axes as the first row has them: every replay goes on from there.
    pub first: Option<[StoredAxis; 4]>,
    /// Published labels as stored, by code, in the order risk, trend, volatility, heat.
    pub stored: [Runs<u8>; 4],
    /// Price of each row; zero where there is none. Empty where it was not read.
    pub price: Vec<f64>,
    /// The features that were read.
    pub columns: BTreeMap<Feature, ReadingColumn>,
    /// The newest sample of each input, by which ages are judged.
    pub inputs: BTreeMap<Metric, Runs<Option<InputSeen>>>,
    /// What clauses said of each row, by their keys.
    pub said: BTreeMap<String, Runs<ClauseTruth>>,
    /// Which rows had inputs that were too old, by the keys of [`StoredHistory::staleness`].
    pub stale: BTreeMap<String, Runs<(bool, bool)>>,
}

/// The memory of an axis by codes.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct StoredAxis {
    label: u8,
    raw: u8,
    since: Ts,
    candidate: Option<u8>,
    count: u32,
}

impl StoredAxis {
    fn of<L: Ruled>(state: &AxisState<L>) -> Self {
        Self {
            label: state.label.code(),
            raw: state.raw_label.code(),
            since: state.since,
            candidate: state.candidate.map(L::code),
            count: state.candidate_count,
        }
    }
    pub(super) fn state<L: Ruled>(&self) -> AxisState<L> {
        let label = |code| L::from_code(code).unwrap_or(L::UNKNOWN);
        AxisState {
            label: label(self.label),
            raw_label: label(self.raw),
            since: self.since,
            candidate: self.candidate.map(label),
            candidate_count: self.count,
            ..AxisState::default()
        }
    }
}

/// Position of an axis in what is kept by axis.
pub(super) const fn place(axis: Axis) -> usize {
    match axis {
        Axis::Risk => 0,
        Axis::Trend => 1,
        Axis::Volatility => 2,
        Axis::Heat => 3,
    }
}

impl StoredHistory {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> u32 {
        u32::try_from(self.ts.len()).unwrap_or(u32::MAX)
    }
    /// The first row not before a moment.
    #[must_use]
    pub fn row_at(&self, at: Ts) -> u32 {
        u32::try_from(self.ts.partition_point(|ts| *ts < at)).unwrap_or(u32::MAX)
    }
    /// The row of exactly this minute, looked for near a place first.
    pub(super) fn row_of(&self, at: Ts, near: u32) -> Option<u32> {
        let is_it = |row: u32| usize::try_from(row).ok().and_then(|r| self.ts.get(r)) == Some(&at);
        if is_it(near) {
            return Some(near);
        }
        Some(self.row_at(at)).filter(|row| is_it(*row))
    }
    /// Labels of an axis as they were published.
    #[must_use]
    pub fn published<L: Ruled>(&self) -> Runs<L> {
        let mut out = Runs::default();
        out.append(&self.stored[place(L::AXIS)], |code| L::from_code(code).unwrap_or(L::UNKNOWN));
        out
    }
    /// The rows of a later stretch behind these. Columns that either of the two lacks are dropped.
    pub fn append(&mut self, later: &Self) {
        if self.ts.is_empty() {
            *self = later.clone();
            return;
        }
        if later.ts.is_empty() {
            return;
        }
        let (before, rows) = (self.rows(), later.rows());
        let map: Vec<StreamIndex> = later.streams.iter().map(|decl| index_of(&mut self.streams, decl)).collect();
        let moved = |s: StreamIndex| map.get(s.index()).copied().unwrap_or(s);
        self.ts.extend_from_slice(&later.ts);
        self.price.extend_from_slice(&later.price);
        for (own, other) in self.stored.iter_mut().zip(&later.stored) {
            own.append(other, |code| code);
        }
        self.columns.retain(|feature, own| {
            let Some(other) = later.columns.get(feature) else { return false };
            own.values.extend_from_slice(&other.values);
            own.standing.append(&other.standing, |s| super::ReadingStanding { stream: s.stream.map(moved), ..s });
            own.anchors.append(&other.anchors, |a| a);
            true
        });
        // An input that no row of a stretch names was not seen then.
        for metric in later.inputs.keys() {
            self.inputs.entry(*metric).or_insert_with(|| Runs::of(None, before));
        }
        for (metric, own) in &mut self.inputs {
            match later.inputs.get(metric) {
                Some(other) => own.append(other, |seen| seen.map(|s| InputSeen { stream: moved(s.stream), ..s })),
                None => own.push(None, rows),
            }
        }
        self.said.retain(|key, own| later.said.get(key).map(|other| own.append(other, |s| s)).is_some());
        self.stale.retain(|key, own| later.stale.get(key).map(|other| own.append(other, |s| s)).is_some());
    }
    /// Which rows have an input of an axis that is too old, as [`Staleness::of_axis`] says it.
    pub(super) fn staleness_of<L: Ruled>(&self, book: &crate::rules::RuleBook) -> Runs<(bool, bool)> {
        match self.stale.get(&stale_key::<L>(book)) {
            Some(kept) => kept.clone(),
            None => self.staleness::<L>(book),
        }
    }
    /// The same, from the ages of inputs and closes.
    fn staleness<L: Ruled>(&self, book: &crate::rules::RuleBook) -> Runs<(bool, bool)> {
        let set = L::of(book);
        let mut out = Runs::default();
        let mut inputs: Vec<_> = set.metrics.iter().filter_map(|m| Some((*m, self.inputs.get(m)?.reading()))).collect();
        let mut closes: Vec<_> = set
            .closes
            .iter()
            .filter_map(|f| self.columns.get(f).map(|c| (*f, c.standing.reading(), c.anchors.reading())))
            .collect();
        let mut cells = vec![barograph_domain::Cell::undefined(barograph_domain::Reason::MissingInput); Feature::COUNT];
        let mut ages = Vec::with_capacity(inputs.len());
        for (row, ts) in (0_u32..).zip(&self.ts) {
            ages.clear();
            for (metric, seen) in &mut inputs {
                seen.go_to(row);
                let now = seen.now().and_then(|(seen, _)| seen);
                let stream = now.map(|s| s.stream);
                let anchor = now.map_or(*ts, |s| s.anchor.seen_from(*ts));
                ages.push(InputAge { metric: *metric, stream, anchor, gap: None });
            }
            for (feature, standing, anchors) in &mut closes {
                standing.go_to(row);
                anchors.go_to(row);
                let (Some((s, _)), Some((a, _))) = (standing.now(), anchors.now()) else { continue };
                let cell = &mut cells[feature.index()];
                (cell.state, cell.stream, cell.anchor) = (s.state, s.stream, a.seen_from(*ts));
            }
            let Staleness { any, past_gap_alert } = Staleness::of_axis::<L>(book, *ts, &cells, &ages, &self.streams);
            out.push((any, past_gap_alert), 1);
        }
        out
    }
    /// Notes what the clauses of a book say and which rows are stale, so that the columns are not needed for them again.
    pub fn note(&mut self, book: &crate::rules::RuleBook) {
        super::truths::note(self, book);
        macro_rules! stale {
            ($($label:ty)*) => { $(
                let (key, runs) = (stale_key::<$label>(book), self.staleness::<$label>(book));
                self.stale.insert(key, runs);
            )* };
        }
        stale!(RiskRegime TrendRegime VolRegime HeatRegime);
    }
    /// The keys of what [`Self::note`] notes of ages.
    #[must_use]
    pub fn stale_keys(book: &crate::rules::RuleBook) -> [String; 4] {
        [
            stale_key::<RiskRegime>(book),
            stale_key::<TrendRegime>(book),
            stale_key::<VolRegime>(book),
            stale_key::<HeatRegime>(book),
        ]
    }
}

/// What the ages of an axis are judged by: two books of the same key say the same of every row.
fn stale_key<L: Ruled>(book: &crate::rules::RuleBook) -> String {
    let set = L::of(book);
    let metrics: Vec<&str> = set.metrics.iter().map(|m| m.name()).collect();
    let closes: Vec<&str> = set.closes.iter().map(|f| f.id()).collect();
    format!("{} {} {} {}", book.freshness.name(), book.trend_tf.0, metrics.join(","), closes.join(","))
}

fn index_of(streams: &mut Vec<StreamDecl>, decl: &StreamDecl) -> StreamIndex {
    let at = streams.iter().position(|s| s == decl).unwrap_or_else(|| {
        streams.push(decl.clone());
        streams.len() - 1
    });
    StreamIndex(u16::try_from(at).unwrap_or(u16::MAX))
}

/// Makes a history of stored rows.
#[derive(Clone, Debug)]
pub struct Builder {
    features: Vec<Feature>,
    made: StoredHistory,
}

impl Builder {
    /// Of these features, whose readings the rows will have in this order.
    #[must_use]
    pub fn new(features: Vec<Feature>) -> Self {
        let columns = features.iter().map(|f| (*f, ReadingColumn::default())).collect();
        Self { features, made: StoredHistory { columns, ..StoredHistory::default() } }
    }
    /// Takes a row; `streams` says what its stream indexes mean.
    pub fn push(&mut self, row: &MinuteRow, streams: &[StreamDecl]) {
        let made = &mut self.made;
        let AxisStates { risk, trend, volatility, heat } = AxisStates::of(row);
        let axes = [StoredAxis::of(&risk), StoredAxis::of(&trend), StoredAxis::of(&volatility), StoredAxis::of(&heat)];
        let before = made.rows();
        let before_ts = made.ts.last().copied();
        made.first.get_or_insert(axes);
        made.ts.push(row.ts);
        made.price.push(row.price.unwrap_or(0.0));
        for (runs, axis) in made.stored.iter_mut().zip(axes) {
            runs.push(axis.label, 1);
        }
        let own = &mut made.streams;
        let mut of = |s: StreamIndex| streams.get(s.index()).map(|decl| index_of(own, decl));
        for (feature, cell) in self.features.iter().zip(&row.cells) {
            let Some(column) = made.columns.get_mut(feature) else { continue };
            column.push(row.ts, &barograph_domain::Cell { stream: cell.stream.and_then(&mut of), ..*cell }, before_ts);
        }
        for input in &row.inputs {
            let runs = made.inputs.entry(input.metric).or_default();
            runs.push(None, before - runs.rows().min(before));
            let last = before.checked_sub(1).and_then(|row| runs.at(row)).flatten();
            let stream = input.stream.and_then(&mut of);
            let anchor = Anchored::of(input.anchor, row.ts, last.map(|l| l.anchor).zip(before_ts));
            runs.push(stream.map(|stream| InputSeen { stream, anchor }), 1);
        }
    }
    /// The history; an input that a row did not name was not seen then.
    #[must_use]
    pub fn finish(mut self) -> StoredHistory {
        let rows = self.made.rows();
        for runs in self.made.inputs.values_mut() {
            let missing = rows - runs.rows().min(rows);
            runs.push(None, missing);
        }
        self.made
    }
}
