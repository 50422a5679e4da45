//! Rows between markets over a store: after an import the hours touched are computed again from stored minutes and put in
//! place of what was there. Hours that a live process has published stay.
//!
//! What a row says depends on 180 days of correlations and 90 days of states before it, so the minutes of that long before
//! the first hour touched are read too; from further back nothing reaches it. Pairs that part are judged on the same way and
//! their records go with the hours; only an episode that has lasted since before all of that would begin anew.

use crate::failure::Failure;
use crate::progress::{Progress, Unit};
use barograph_domain::{Instrument, InstrumentName, Span, Ts, UniverseRow};
use barograph_engine::detect::Judging;
use barograph_engine::detect::pairs::PairWatches;
use barograph_engine::universe::{Universe, Watch};
use barograph_live::setup::Setup;
use barograph_live::universe::{REACH, WatchMarkets, rule, stored_samples};
use barograph_store::{PairRecord, Range, Reader, RunKey, UniversePart, Writer, watch_words};
use std::io::Write as _;

/// Minutes read at once, per market.
const STRETCH: Span = Span::days(1);
/// Rows per transaction: some megabytes.
const PIECE: usize = 500;
const HOUR: Span = Span::hours(1);

/// Brings the rows up to date; how many were stored. Nothing where there are not two markets.
pub(crate) fn update(reader: &dyn Reader, writer: &mut dyn Writer, setup: &Setup) -> Result<u64, Failure> {
    let instruments: Vec<Instrument> = reader.instruments(None)?.into_iter().map(|i| i.instrument).collect();
    let watch = list(&setup.watch, &instruments, &setup.default_venue);
    let logic = setup.logic_version.as_str();
    let state = reader.universe_state(logic)?;
    let words = watch_words(watch.iter().map(|w| &w.instrument));
    let since = match &state {
        None if watch.is_empty() => return Ok(0),
        // Minutes that were stored before there were rows between markets.
        None => Some(Ts::MIN),
        Some(state) if state.watch == words => state.dirty_since,
        Some(_) => Some(Ts::MIN),
    };
    let Some(since) = since else { return Ok(0) };
    if watch.is_empty() {
        // One market, or none wanted: what was computed for several goes.
        let part = UniversePart { logic_version: logic, range: Range::ALL, rows: &[], alerts: &[], done: Some(&words) };
        return Ok(writer.replace_universe(&part)?);
    }
    let Some((first, last)) = extent(reader, logic, &watch)? else { return Ok(0) };
    let from = if since == Ts::MIN { first } else { since.max(first) };
    let mut writing = Writing {
        writer,
        logic,
        since,
        by: (&setup.book.detectors, &setup.book.severity),
        pairs: PairWatches::default(),
        next: since,
        rows: Vec::new(),
        alerts: Vec::new(),
        stored: 0,
    };
    let begin = first.max(Ts(from.0.saturating_sub(REACH.0)).floor(STRETCH));
    let mut universe = Universe::new(watch, rule(&setup.book.name));
    let days = |t: Ts| u64::try_from((t - begin).0.div_euclid(STRETCH.0)).unwrap_or(0);
    let mut progress = Progress::new(days(last), "comparing markets", Unit::Steps);
    let mut start = begin.floor(STRETCH);
    while start <= last {
        let range = Range { start, end: start + STRETCH };
        for sample in stored_samples(reader, logic, universe.watch(), range)? {
            if let Some(row) = universe.push(sample) {
                writing.take(row)?;
            }
        }
        start = range.end;
        progress.set(days(start));
    }
    if let Some(row) = universe.close() {
        writing.take(row)?;
    }
    writing.finish(&words)
}

/// The markets to compare. Names that nothing has been imported for are reported; they may come later.
fn list(wanted: &WatchMarkets, instruments: &[Instrument], default_venue: &str) -> Vec<Watch> {
    let WatchMarkets::Named(names) = wanted else { return wanted.list(instruments) };
    let known: Vec<InstrumentName> = instruments.iter().map(|i| i.name.clone()).collect();
    let mut found = Vec::new();
    for name in names {
        match WatchMarkets::Named(vec![name.clone()]).found_in(&known, default_venue) {
            Ok(WatchMarkets::Named(whole)) => found.extend(whole),
            Ok(_) => {}
            Err(why) => drop(writeln!(std::io::stderr(), "barograph: {why}; it is left out")),
        }
    }
    WatchMarkets::Named(found).list(instruments)
}

fn key(market: &InstrumentName, logic: &str) -> RunKey {
    RunKey { instrument: market.clone(), logic_version: logic.to_owned() }
}

/// First and last minute of any of them.
fn extent(reader: &dyn Reader, logic: &str, watch: &[Watch]) -> Result<Option<(Ts, Ts)>, Failure> {
    let mut found: Option<(Ts, Ts)> = None;
    for market in watch {
        let Some((a, b)) = reader.run(&key(&market.instrument, logic), None)?.and_then(|info| info.minutes) else {
            continue;
        };
        found = Some(found.map_or((a, b), |(x, y)| (x.min(a), y.max(b))));
    }
    Ok(found)
}

/// Rows on their way into the store.
struct Writing<'a> {
    writer: &'a mut dyn Writer,
    logic: &'a str,
    /// The first hour touched.
    since: Ts,
    by: Judging<'a>,
    pairs: PairWatches,
    /// From here on hours are still to be replaced.
    next: Ts,
    rows: Vec<UniverseRow>,
    alerts: Vec<PairRecord>,
    stored: u64,
}

impl Writing<'_> {
    fn take(&mut self, row: UniverseRow) -> Result<(), Failure> {
        let told = self.pairs.step(&row, self.by);
        if row.ts < self.since {
            return Ok(());
        }
        self.alerts.extend(told.into_iter().map(|a| PairRecord { instrument: a.instrument, alert: a.known }));
        let ts = row.ts;
        self.rows.push(row);
        if self.rows.len() == PIECE { self.write(ts + HOUR, None) } else { Ok(()) }
    }

    fn write(&mut self, end: Ts, done: Option<&str>) -> Result<(), Failure> {
        let range = Range { start: self.next, end };
        let part = UniversePart { logic_version: self.logic, range, rows: &self.rows, alerts: &self.alerts, done };
        self.stored += self.writer.replace_universe(&part)?;
        self.rows.clear();
        self.alerts.clear();
        self.next = end;
        Ok(())
    }

    fn finish(mut self, words: &str) -> Result<u64, Failure> {
        self.write(Ts::MAX, Some(words))?;
        Ok(self.stored)
    }
}
