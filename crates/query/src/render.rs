//! From rows to snapshots, feature views and lines: the only place that calls `explain`.

use barograph_api::FeatureRowView;
use barograph_domain::forecast::Calls;
use barograph_domain::snapshot::WireValue;
use barograph_domain::time::LATENESS;
use barograph_domain::{
    Alert, Cell, Instrument, InstrumentName, MarketKind, Metric, MinuteRow, Reason, Snapshot, StreamDecl, Ts,
};
use barograph_engine::catalogue::ValueType;
use barograph_engine::detect::Thresholds;
use barograph_engine::explain::headline::Held;
use barograph_engine::explain::{Minute, PresentReading, StopCare};
use barograph_engine::rules::{AxisStates, RuleBook};
use barograph_engine::{CATALOGUE, Feature, explain};
use barograph_store::run::GRID;
use barograph_store::{Columns, Rows, RunInfo};
use barograph_venues::session::registry;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What rows of one market need to be explained.
#[derive(Clone, Debug)]
pub struct Lens {
    /// The rule book they were made by.
    pub book: Arc<RuleBook>,
    /// The arithmetic they were made by.
    pub logic_version: String,
    /// Their market.
    pub instrument: Instrument,
    /// What their stream numbers mean.
    pub streams: Arc<[StreamDecl]>,
    /// Since when rows count that a correction made, by their minutes.
    pub corrected: Arc<BTreeMap<Ts, Ts>>,
    /// A position of the reader's in this market whose stop is reached or near.
    pub held: Option<Held>,
    /// What the ledger had stated of the market before the row that is looked at, where that was asked for.
    pub calls: Option<Arc<Calls>>,
}

/// Rule books by their texts. Few, even over years: each is another text.
#[derive(Debug, Default)]
pub struct Books(Vec<(String, String, Arc<RuleBook>)>);

impl Books {
    /// The book of this name and text. `None` when this build cannot read it.
    fn read(&mut self, name: &str, text: &str) -> Option<Arc<RuleBook>> {
        if let Some((.., book)) = self.0.iter().find(|(n, t, _)| n == name && t == text) {
            return Some(Arc::clone(book));
        }
        let book = Arc::new(RuleBook::parse(&format!("{name}.toml"), text).ok()?);
        self.0.push((name.to_owned(), text.to_owned(), Arc::clone(&book)));
        Some(book)
    }

    /// Part of a threshold above which episodes of a run go on.
    pub fn keep(&mut self, info: &RunInfo) -> f64 {
        let book = self.read(&info.spec.book, &info.spec.book_text);
        book.map_or_else(|| Thresholds::default().keep, |b| b.detectors.keep)
    }
}

impl Lens {
    /// For a stored run: its own book, as it was; one that has been read is not read again. `None` when this build cannot
    /// read that book any more.
    pub fn stored(books: &mut Books, info: &RunInfo, instrument: &Instrument) -> Option<Self> {
        let spec = &info.spec;
        Some(Self {
            book: books.read(&spec.book, &spec.book_text)?,
            logic_version: spec.key.logic_version.clone(),
            instrument: instrument.clone(),
            streams: spec.streams.as_slice().into(),
            corrected: Arc::default(),
            held: None,
            calls: None,
        })
    }

    /// The same for these rows: what their stream numbers mean, and since when those count that a correction made.
    pub fn over(&self, rows: &Rows) -> Self {
        Self { streams: rows.streams.as_slice().into(), corrected: Arc::new(rows.corrected.clone()), ..self.clone() }
    }

    /// The same for a reader with this position, or with none.
    pub fn holding(&self, held: Option<Held>) -> Self {
        Self { held, ..self.clone() }
    }

    /// The same with what the ledger had stated before a row.
    pub fn stating(self, calls: Option<Arc<Calls>>) -> Self {
        Self { calls, ..self }
    }

    fn context(&self) -> explain::Context<'_> {
        explain::Context {
            book: &self.book,
            logic_version: &self.logic_version,
            instrument: &self.instrument,
            streams: &self.streams,
            held: self.held,
            calls: self.calls.as_deref(),
        }
    }

    /// The snapshot of a row as it was published.
    pub fn snapshot(&self, row: &MinuteRow, previous: Option<&MinuteRow>) -> Snapshot {
        self.dated(row, explain::render(&self.context(), row, previous))
    }

    /// A row that a correction made may be used since then, not since its minute.
    fn dated(&self, row: &MinuteRow, snapshot: Snapshot) -> Snapshot {
        let since = self.corrected.get(&row.ts).copied().unwrap_or(snapshot.known_ts);
        Snapshot { known_ts: snapshot.known_ts.max(since), ..snapshot }
    }

    /// The snapshot as it stood at a moment: the published one while its minute is the newest there can be, and past the
    /// end of the data the same with freshness judged at that moment.
    pub fn as_of(&self, row: &MinuteRow, previous: Option<&MinuteRow>, moment: Ts) -> Snapshot {
        if moment < row.ts + GRID + LATENESS {
            self.snapshot(row, previous)
        } else {
            self.at_present(row, previous, moment)
        }
    }

    /// The same with freshness judged at the present moment.
    pub fn at_present(&self, row: &MinuteRow, previous: Option<&MinuteRow>, now: Ts) -> Snapshot {
        self.dated(row, explain::at_present(&self.context(), row, previous, now))
    }

    /// What the row asks of positions as it reads at a moment; `None` where its book has no posture table.
    pub fn care_by_stop(&self, row: &MinuteRow, moment: Ts) -> Option<StopCare> {
        explain::care_by_stop(&self.context(), row, moment)
    }

    /// What the row of an alert's minute says of it; `None` for a row of another minute.
    pub fn minute(&self, alert: &Alert, row: &MinuteRow) -> Option<Minute> {
        (row.ts == alert.ts).then(|| explain::minute(&self.context(), row, alert))
    }

    /// The labels alone, as the snapshot of the present moment has them.
    pub fn axes_at_present(&self, row: &MinuteRow, now: Ts) -> AxisStates {
        explain::axes_at_present(&self.context(), row, now)
    }

    /// What of the snapshot of the present moves while no minute comes.
    pub fn reading_at_present(&self, row: &MinuteRow, now: Ts) -> PresentReading {
        explain::reading_at_present(&self.context(), row, now)
    }
}

/// An instrument by name; venues unknown to this build are taken for spot.
pub fn instrument(name: &InstrumentName) -> Instrument {
    Instrument::from_name(name.clone(), registry::kind(name).unwrap_or(MarketKind::Spot))
}

/// A reading as it goes over the wire.
pub fn wire_value(feature: Feature, cell: &Cell) -> WireValue {
    let Some(v) = cell.ready() else { return WireValue::Null };
    match feature.spec().value {
        ValueType::Number => WireValue::Number(v),
        ValueType::Bool => WireValue::Bool(v > 0.5),
        ValueType::Enum(words) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "codes are small whole numbers"
            )]
            let code = v as usize;
            words.get(code).map_or(WireValue::Null, |w| WireValue::Word(w))
        }
    }
}

/// Values and reasons of a row.
pub fn features(row: &MinuteRow, lens: &Lens) -> FeatureRowView {
    let mut values = BTreeMap::new();
    let mut readings = BTreeMap::new();
    for spec in CATALOGUE {
        let cell = &row.cells[spec.feature.index()];
        values.insert(spec.id, wire_value(spec.feature, cell));
        if let Some(reason) = cell.reason() {
            readings.insert(spec.id, reason.name());
        }
    }
    let behind = row.cells.iter().filter_map(|c| c.stream).chain(row.inputs.iter().filter_map(|i| i.stream));
    let mut metrics: Vec<Metric> = behind.filter_map(|s| lens.streams.get(s.index())).map(|d| d.metric).collect();
    metrics.sort_unstable();
    metrics.dedup();
    FeatureRowView {
        ts: row.ts,
        values,
        computation_version: lens.logic_version.clone(),
        source_metrics: metrics.into_iter().map(Metric::name).collect(),
        readings,
        partial: CATALOGUE.iter().filter(|s| row.cells[s.feature.index()].partial).map(|s| s.id).collect(),
    }
}

/// Rows of an older build in this build's column order; what it did not have is missing input.
pub fn align(rows: &mut [MinuteRow], columns: &Columns) {
    let current =
        columns.features.len() == CATALOGUE.len() && columns.features.iter().zip(CATALOGUE).all(|(c, s)| c.id == s.id);
    if current {
        return;
    }
    let places: Vec<Option<usize>> =
        CATALOGUE.iter().map(|s| columns.features.iter().position(|c| c.id == s.id)).collect();
    for row in rows {
        row.cells = places
            .iter()
            .map(|p| p.and_then(|i| row.cells.get(i).copied()).unwrap_or(Cell::undefined(Reason::MissingInput)))
            .collect();
    }
}
