//! Does later data ever change an earlier reading? The input is cut at seeded moments, the whole import and the engine run
//! again on what was known then, and everything published by that moment is compared with the full run.
//!
//! The full run is kept as one hash per row (levels and texts: one per market and hour), so memory stays small; rows whose
//! hashes differ are looked at reading by reading afterwards.

use crate::failure::Failure;
use crate::run::Run;
use barograph_domain::time::LATENESS;
use barograph_domain::{AxisState, Cell, Label, MinuteRow, OpenAlerts, Reason, Span, Ts};
use barograph_engine::{AlertOut, CATALOGUE, LevelOut};
use barograph_live::digest::{alert_bytes, cell_bytes, level_bytes, row_bytes};
use barograph_query::render::Lens;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

/// Rows kept per cut for a closer look, some 5 kB each; further ones count as one difference, however many readings of
/// them differ.
const KEPT_MAX: usize = 64;
const HOUR: Span = Span::hours(1);

/// Something that can be run on all of its input, or on what was known at a moment.
pub(crate) trait Experiment: Sync {
    /// Runs and reports everything published, in order; with a cut also the minutes between the last input and the cut,
    /// because those are what looking ahead would change.
    fn run(&self, cut: Option<Ts>, sink: &mut dyn CausalSink) -> Result<(), Failure>;
}

/// Takes what an experiment publishes.
pub(crate) trait CausalSink {
    /// A minute.
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure>;
    /// Something happened to a level in the minute whose row comes next.
    fn level(&mut self, _level: &LevelOut) -> Result<(), Failure> {
        Ok(())
    }
    /// A record of an alert; that of a minute comes before its row.
    fn alert(&mut self, _alert: &AlertOut) -> Result<(), Failure> {
        Ok(())
    }
    /// Called between events: the run may be asked for its levels.
    fn levels(&mut self, run: &Run) -> Result<(), Failure>;
}

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CausalityVerdict {
    /// Readings, levels, alerts, labels and texts that differ.
    pub(crate) rewritten: u64,
    /// How many were compared.
    pub(crate) compared: u64,
    /// One line per difference, the earliest first.
    pub(crate) differences: Vec<String>,
}

type Key = (u32, i64);

/// Hashes of a full run.
#[derive(Default)]
struct Published {
    rows: BTreeMap<Key, u64>,
    texts: BTreeMap<Key, u64>,
    levels: BTreeMap<Key, (u64, u64)>,
    /// What happened to levels in each minute: how many things, and a hash over them.
    happened: BTreeMap<Key, (u64, u64)>,
    /// Hash of each record of an alert: by market, the moment it was known, and its place among those of that moment.
    alerts: BTreeMap<(u32, i64, u32), u64>,
    /// Last minute of each market.
    last: BTreeMap<u32, Ts>,
}

/// Cuts at `points` seeded moments of `span` and compares.
pub(crate) fn check(
    experiment: &dyn Experiment,
    lenses: &[Lens],
    span: (Ts, Ts),
    points: u32,
    seed: u64,
    progress: &mut dyn FnMut(u32),
) -> Result<CausalityVerdict, Failure> {
    let mut full = Recorder::new(lenses);
    experiment.run(None, &mut full)?;
    let published = full.published;
    let cuts = cuts(span, points, seed);
    let next = AtomicU32::new(0);
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(cuts.len());
    let (found, results) = std::sync::mpsc::sync_channel::<(usize, Result<Compared, Failure>)>(workers);
    let mut parts = BTreeMap::new();
    std::thread::scope(|scope| -> Result<(), Failure> {
        for _ in 0..workers {
            let (next, cuts, published, found) = (&next, &cuts, &published, found.clone());
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed) as usize;
                    let Some(cut) = cuts.get(at) else { break };
                    let mut comparer = Comparer::new(lenses, published, *cut);
                    let result = experiment.run(Some(*cut), &mut comparer).map(|()| comparer.finish());
                    if found.send((at, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(found);
        for (done, (at, result)) in (1..).zip(results) {
            parts.insert(at, result?);
            progress(done);
        }
        Ok(())
    })?;
    // In the order of cuts, whichever thread was first: a finding must come back with its seed.
    let mut total = Compared::default();
    parts.into_values().for_each(|part| total.add(part));
    explain(experiment, lenses, total)
}

/// Seeded moments inside the span.
fn cuts(span: (Ts, Ts), points: u32, seed: u64) -> Vec<Ts> {
    let mut random = barograph_live::random::Random::new(seed);
    let length = (span.1 - span.0).0.max(1);
    (0..points).map(|_| span.0 + Span(random.below(length))).collect()
}

/// What one cut, or all of them, gave.
#[derive(Default)]
struct Compared {
    count: u64,
    rewritten: u64,
    rows: Vec<(Ts, MinuteRow)>,
    others: Vec<(Ts, String)>,
}

impl Compared {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.rewritten += other.rewritten;
        self.rows.extend(other.rows);
        self.others.extend(other.others.into_iter().take(10));
    }
}

/// Hash of bytes: FNV-1a over 8-byte words; equality is what matters here, not strength.
fn hash(bytes: &[u8]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    let (words, rest) = bytes.as_chunks();
    for word in words {
        h = (h ^ u64::from_le_bytes(*word)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }
    for b in rest {
        h = (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    h
}

/// Levels of one market: how many, and a hash over them.
fn levels_of(run: &Run, market: usize) -> (u64, u64) {
    let mut bytes = Vec::new();
    let mut count = 0;
    for level in run.engine.markets()[market].levels() {
        count += 1;
        level_bytes(&level, &mut bytes);
    }
    (count, hash(&bytes))
}

/// The hour whose levels stand when the next minute to make is `next`.
fn levels_key(run: &Run, market: usize) -> Option<Ts> {
    run.engine.markets()[market].next_tick().map(|t| t.floor(HOUR))
}

fn key(row: &MinuteRow) -> Key {
    (row.instrument, row.ts.0)
}

/// Rows whose text is compared: whole hours and label changes.
fn text_due(row: &MinuteRow) -> bool {
    row.ts.0 % HOUR.0 == 0 || row.risk.since == row.ts
}

/// Over everything that is said: headline, guidance and explanation among it.
fn text_hash(lenses: &[Lens], row: &MinuteRow) -> Result<u64, Failure> {
    let snapshot = lenses[row.instrument as usize].snapshot(row, None);
    Ok(hash(&serde_json::to_vec(&snapshot).map_err(Failure::broken)?))
}

/// Records a full run.
struct Recorder<'a> {
    lenses: &'a [Lens],
    published: Published,
    buffer: Vec<u8>,
    happened: Happened,
    hours: Vec<Option<Ts>>,
    told: RecordKeys,
}

impl<'a> Recorder<'a> {
    fn new(lenses: &'a [Lens]) -> Self {
        Self {
            lenses,
            published: Published::default(),
            buffer: Vec::new(),
            happened: Happened::default(),
            hours: vec![None; lenses.len()],
            told: RecordKeys::default(),
        }
    }
}

/// Numbers the records of alerts of one market and moment.
#[derive(Default)]
struct RecordKeys {
    last: BTreeMap<u32, (i64, u32)>,
    bytes: Vec<u8>,
}

impl RecordKeys {
    /// Key and hash of the next record.
    fn next(&mut self, alert: &AlertOut) -> ((u32, i64, u32), u64) {
        let at = alert.known.known_at.0;
        let last = self.last.entry(alert.instrument).or_insert((at, 0));
        *last = if last.0 == at { (at, last.1 + 1) } else { (at, 1) };
        self.bytes.clear();
        alert_bytes(&alert.known.alert, &mut self.bytes);
        ((alert.instrument, at, last.1), hash(&self.bytes))
    }
}

/// What happened to levels since the last row; markets do not mix within a minute.
#[derive(Default)]
struct Happened {
    instrument: u32,
    count: u64,
    bytes: Vec<u8>,
}

impl Happened {
    fn add(&mut self, level: &LevelOut) {
        self.instrument = level.instrument;
        self.count += 1;
        level_bytes(level, &mut self.bytes);
    }

    /// Of the row of this market that comes now; nothing where nothing happened.
    fn take(&mut self, instrument: u32) -> Option<(u64, u64)> {
        if self.count == 0 || self.instrument != instrument {
            return None;
        }
        let found = (core::mem::take(&mut self.count), hash(&self.bytes));
        self.bytes.clear();
        Some(found)
    }
}

impl CausalSink for Recorder<'_> {
    fn alert(&mut self, alert: &AlertOut) -> Result<(), Failure> {
        let (key, hash) = self.told.next(alert);
        self.published.alerts.insert(key, hash);
        Ok(())
    }
    fn level(&mut self, level: &LevelOut) -> Result<(), Failure> {
        self.happened.add(level);
        Ok(())
    }
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        if let Some(happened) = self.happened.take(row.instrument) {
            self.published.happened.insert(key(row), happened);
        }
        self.buffer.clear();
        row_bytes(row, &mut self.buffer);
        self.published.rows.insert(key(row), hash(&self.buffer));
        self.published.last.insert(row.instrument, row.ts);
        if text_due(row) {
            self.published.texts.insert(key(row), text_hash(self.lenses, row)?);
        }
        Ok(())
    }
    fn levels(&mut self, run: &Run) -> Result<(), Failure> {
        for (market, seen) in self.hours.iter_mut().enumerate() {
            let hour = levels_key(run, market);
            if hour.is_some() && hour != *seen {
                *seen = hour;
                let at = (u32::try_from(market).unwrap_or(u32::MAX), hour.map_or(0, |h| h.0));
                self.published.levels.insert(at, levels_of(run, market));
            }
        }
        Ok(())
    }
}

/// Compares a truncated run with the full one.
struct Comparer<'a> {
    lenses: &'a [Lens],
    published: &'a Published,
    cut: Ts,
    compared: Compared,
    buffer: Vec<u8>,
    happened: Happened,
    hours: Vec<Option<Ts>>,
    told: RecordKeys,
    /// Records of alerts that were reported again.
    again: BTreeSet<(u32, i64, u32)>,
}

impl<'a> Comparer<'a> {
    fn new(lenses: &'a [Lens], published: &'a Published, cut: Ts) -> Self {
        Self {
            lenses,
            published,
            cut,
            compared: Compared::default(),
            buffer: Vec::new(),
            happened: Happened::default(),
            hours: vec![None; lenses.len()],
            told: RecordKeys::default(),
            again: BTreeSet::new(),
        }
    }

    /// Minutes after a market's last input are made by nobody.
    fn ended(&self, market: u32, minute: Ts) -> bool {
        self.published.last.get(&market).is_none_or(|last| minute > *last)
    }

    /// Records of alerts that were reported by the cut and are not reported by what was known then.
    fn finish(mut self) -> Compared {
        let due = |key: &(u32, i64, u32)| key.1 < self.cut.0 && !self.again.contains(key);
        for (market, at, _) in self.published.alerts.keys().filter(|k| due(k)) {
            self.compared.rewritten += 1;
            let (name, at) = (&self.lenses[*market as usize].instrument.name, Ts(*at));
            self.compared.others.push((at, format!("{name} {at} an alert is missing, cut at {}", self.cut)));
        }
        self.compared
    }
}

impl CausalSink for Comparer<'_> {
    fn alert(&mut self, alert: &AlertOut) -> Result<(), Failure> {
        let (key, hash) = self.told.next(alert);
        let (market, at) = (alert.instrument, alert.known.known_at);
        self.again.insert(key);
        if at > self.cut || self.ended(market, at - LATENESS) {
            return Ok(());
        }
        self.compared.count += 1;
        if self.published.alerts.get(&key) != Some(&hash) {
            self.compared.rewritten += 1;
            let (name, pattern) = (&self.lenses[market as usize].instrument.name, alert.known.alert.pattern.name());
            self.compared.others.push((at, format!("{name} {at} {pattern} differs, cut at {}", self.cut)));
        }
        Ok(())
    }
    fn level(&mut self, level: &LevelOut) -> Result<(), Failure> {
        self.happened.add(level);
        Ok(())
    }
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        let happened = self.happened.take(row.instrument);
        if row.ts + LATENESS > self.cut || self.ended(row.instrument, row.ts) {
            return Ok(());
        }
        self.compared.count += happened.map_or(0, |(count, _)| count);
        if self.published.happened.get(&key(row)).copied() != happened {
            self.compared.rewritten += 1;
            let text = format!("{} changes of levels differ, cut at {}", place(self.lenses, row), self.cut);
            self.compared.others.push((row.ts, text));
        }
        self.buffer.clear();
        row_bytes(row, &mut self.buffer);
        // All readings, and the label.
        self.compared.count += CATALOGUE.len() as u64 + 1;
        if self.published.rows.get(&key(row)) != Some(&hash(&self.buffer)) {
            self.compared.rewritten += 1;
            if self.compared.rows.len() < KEPT_MAX {
                self.compared.rows.push((self.cut, row.clone()));
            }
        }
        if text_due(row) {
            self.compared.count += 1;
            if self.published.texts.get(&key(row)) != Some(&text_hash(self.lenses, row)?) {
                self.compared.rewritten += 1;
                let text = format!("{} text differs, cut at {}", place(self.lenses, row), self.cut);
                self.compared.others.push((row.ts, text));
            }
        }
        Ok(())
    }
    fn levels(&mut self, run: &Run) -> Result<(), Failure> {
        for (market, seen) in self.hours.iter_mut().enumerate() {
            let hour = levels_key(run, market);
            if hour.is_none() || hour == *seen || hour.is_some_and(|h| h + LATENESS > self.cut) {
                continue;
            }
            *seen = hour;
            let at = (u32::try_from(market).unwrap_or(u32::MAX), hour.map_or(0, |h| h.0));
            let (count, found) = levels_of(run, market);
            self.compared.count += count;
            if self.published.levels.get(&at) != Some(&(count, found)) {
                self.compared.rewritten += 1;
                let (name, hour) = (&self.lenses[market].instrument.name, hour.unwrap_or(self.cut));
                self.compared.others.push((hour, format!("{name} {hour} levels differ, cut at {}", self.cut)));
            }
        }
        Ok(())
    }
}

fn place(lenses: &[Lens], row: &MinuteRow) -> String {
    format!("{} {}", lenses[row.instrument as usize].instrument.name, row.ts)
}

/// Finds what exactly differs in the rows kept, by running the full input once more.
fn explain(experiment: &dyn Experiment, lenses: &[Lens], total: Compared) -> Result<CausalityVerdict, Failure> {
    let Compared { count, mut rewritten, mut rows, others: mut differences } = total;
    if !rows.is_empty() {
        rows.sort_by_key(|(cut, row)| (row.ts, row.instrument, *cut));
        let wanted = rows.iter().map(|(_, r)| key(r)).collect();
        let mut finder = Finder { wanted, rows: BTreeMap::new() };
        experiment.run(None, &mut finder)?;
        for (cut, row) in &rows {
            let Some(full) = finder.rows.get(&key(row)) else {
                differences.push((row.ts, format!("{} exists only when cut at {cut}", place(lenses, row))));
                continue;
            };
            let found = differing(full, row);
            // The row was counted once; its further readings are counted here.
            rewritten += (found.len() as u64).saturating_sub(1);
            let at = place(lenses, row);
            differences.extend(found.into_iter().map(|d| (row.ts, format!("{at} {d}, cut at {cut}"))));
        }
    }
    // The earliest first, and of one minute the readings before what follows from them.
    differences.sort_by_key(|(ts, text)| {
        (*ts, text.contains(" text differs") || text.contains("levels differ") || text.contains("an alert is"))
    });
    Ok(CausalityVerdict {
        rewritten,
        compared: count,
        differences: differences.into_iter().map(|(_, text)| text).collect(),
    })
}

fn differing(full: &MinuteRow, cut: &MinuteRow) -> Vec<String> {
    let mut out = Vec::new();
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for spec in CATALOGUE {
        let (x, y) = (&full.cells[spec.feature.index()], &cut.cells[spec.feature.index()]);
        a.clear();
        b.clear();
        cell_bytes(x, &mut a);
        cell_bytes(y, &mut b);
        if a != b {
            out.push(format!("{} was {} and became {}", spec.id, cell_text(y), cell_text(x)));
        }
    }
    axis_changed("risk", &full.risk, &cut.risk, &mut out);
    axis_changed("trend", &full.trend, &cut.trend, &mut out);
    axis_changed("volatility", &full.volatility, &cut.volatility, &mut out);
    axis_changed("heat", &full.heat, &cut.heat, &mut out);
    if full.timeframes != cut.timeframes {
        out.push("labels on longer timeframes differ".to_owned());
    }
    if full.open != cut.open {
        out.push(format!("open alerts were {} and became {}", open_text(&cut.open), open_text(&full.open)));
    }
    if out.is_empty() {
        out.push("held shares, cuts, price or input ages differ".to_owned());
    }
    out
}

fn axis_changed<L: Label>(axis: &str, full: &AxisState<L>, cut: &AxisState<L>, out: &mut Vec<String>) {
    if full != cut {
        out.push(format!("{axis} label was {} and became {}", cut.label.word(), full.label.word()));
    }
}

/// How many are open, the worst of them, and how many experimental ones beside them.
fn open_text(open: &OpenAlerts) -> String {
    let worst = open.worst.map_or(String::new(), |w| format!(" ({} {})", w.severity.name(), w.pattern.name()));
    let experimental = match open.experimental.count {
        0 => String::new(),
        n => format!(" and {n} experimental"),
    };
    format!("{}{worst}{experimental}", open.count)
}

/// A reading's value or the reason why there is none, and what else may differ.
fn cell_text(cell: &Cell) -> String {
    let value =
        cell.ready().map_or_else(|| cell.reason().map_or("nothing", Reason::name).to_owned(), |v| v.to_string());
    format!("{value} ({}, coverage {:.3})", cell.anchor, cell.coverage)
}

/// Fetches rows of a full run.
struct Finder {
    wanted: std::collections::BTreeSet<Key>,
    rows: BTreeMap<Key, MinuteRow>,
}

impl CausalSink for Finder {
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        if self.wanted.contains(&key(row)) {
            self.rows.insert(key(row), row.clone());
        }
        Ok(())
    }
    fn levels(&mut self, _run: &Run) -> Result<(), Failure> {
        Ok(())
    }
}

pub(crate) mod stamps;
#[cfg(test)]
mod tests;
