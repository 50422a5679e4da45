//! The ledger once more from a store: what was published, in the order of time, through the same fold.
//!
//! An import computes its ledger this way, and `verify forecasts` compares what this gives with what is stored. Rows are read a day at
//! a time with the few features that the ledger looks at, so memory does not grow with the history.
//!
//! Where minutes were corrected more than a day after an outcome, the stored outcome stands and is counted; what the corrected minutes
//! would make of it is a note ([`Refold::take_revisions`]).

use crate::Error;
use crate::setup::Setup;
use barograph_domain::forecast::{
    ForecastEvent, LedgerTick, OutcomeKey, OutcomeRevision, REVISED_AFTER, WindowOutcome,
};
use barograph_domain::pattern::Family;
use barograph_domain::time::{DAY, LATENESS};
use barograph_domain::{InstrumentName, KnownAlert, LevelChange, Span, StreamDecl, Ts, UniverseRow};
use barograph_engine::Feature;
use barograph_store::{AlertQuery, LedgerState, PairRecord, Range, Reader, RowQuery, RunKey};
use barograph_verify::ledger::{Ledger, MinuteSample, StandingOutcome, features, of_glance};
use core::ops::ControlFlow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Minutes read at once, per market.
const PAGE: usize = 1_440;

/// One market of a logic version.
struct Source {
    key: RunKey,
    place: usize,
    minutes: (Ts, Ts),
    /// From which minute on a correction made it anew, and since when that is known; the newest first.
    corrections: Vec<(Ts, Ts)>,
    samples: VecDeque<MinuteSample>,
    alerts: VecDeque<KnownAlert>,
    levels: VecDeque<LevelChange>,
}

/// Everything that is stored of a logic version, in order.
#[allow(missing_debug_implementations, clippy::allow_attributes, reason = "a reader of a store has nothing to show")]
pub struct Refold<'a> {
    reader: &'a dyn Reader,
    setup: &'a Setup,
    features: Vec<Feature>,
    sources: Vec<Source>,
    hours: VecDeque<UniverseRow>,
    ledger: Ledger,
    /// The newest note on each outcome that has one.
    notes: BTreeMap<OutcomeKey, WindowOutcome>,
    revisions: Vec<OutcomeRevision>,
    /// What a live process knew beside minutes, by the tick that says so, oldest first.
    facts: VecDeque<(Ts, Fact)>,
    /// What the book reports of ticks that were made.
    told: Vec<PairRecord>,
    /// The next minute.
    at: Ts,
    last: Ts,
    /// What is read reaches to here.
    read: Ts,
}

impl<'a> Refold<'a> {
    /// From the first minute on, or behind the last that a saved ledger has seen.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn begin(reader: &'a dyn Reader, setup: &'a Setup, ledger: Option<Ledger>) -> Result<Self, Error> {
        Self::begin_at(reader, setup, ledger.map_or(Base::Nothing(Ts::MIN), Base::Saved))
    }

    /// From what is known already.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn begin_at(reader: &'a dyn Reader, setup: &'a Setup, base: Base) -> Result<Self, Error> {
        let (mut ledger, from) = match base {
            Base::Saved(ledger) => (ledger, Ts::MIN),
            Base::Nothing(from) => (Ledger::default(), from),
        };
        let mut sources = Vec::new();
        let mut runs: Vec<(InstrumentName, (Ts, Ts))> = reader
            .runs(None)?
            .into_iter()
            .filter(|r| r.spec.key.logic_version == setup.logic_version)
            .filter_map(|r| Some((r.spec.key.instrument, r.minutes?)))
            .collect();
        runs.sort();
        for (instrument, minutes) in runs {
            let place = ledger.place(&instrument);
            let key = RunKey { instrument, logic_version: setup.logic_version.clone() };
            let corrections = reader.corrections(&key)?;
            let (samples, alerts, levels) = Default::default();
            sources.push(Source { key, place, minutes, corrections, samples, alerts, levels });
        }
        let first = sources.iter().map(|s| s.minutes.0).min();
        let first = first.map(|first| first.max(from));
        let at = ledger.closed().map(|t| t + barograph_store::run::GRID).or(first).unwrap_or(Ts::MAX);
        let notes = reader.ledger_revisions(&setup.logic_version)?.into_iter().map(|n| (n.key, n.now)).collect();
        let last = sources.iter().map(|s| s.minutes.1).max().unwrap_or(Ts::MIN);
        let features = features(&setup.book);
        let (hours, revisions, facts, told) = Default::default();
        Ok(Self { reader, setup, features, sources, hours, ledger, notes, revisions, facts, told, at, last, read: at })
    }

    /// First minute that is still to be made and last minute of all.
    #[must_use]
    pub const fn extent(&self) -> (Ts, Ts) {
        (self.at, self.last)
    }

    /// The next minute that is made.
    #[must_use]
    pub const fn at(&self) -> Ts {
        self.at
    }

    /// The ledger after the last day that was made.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The ledger after the last day that was made, for good.
    #[must_use]
    pub fn into_ledger(self) -> Ledger {
        self.ledger
    }

    /// What the corrected minutes of the days that were made say of outcomes that stand, and no note says yet.
    pub fn take_revisions(&mut self) -> Vec<OutcomeRevision> {
        core::mem::take(&mut self.revisions)
    }

    /// What the ticks made so far say of drift, in order; each once.
    pub fn take_alerts(&mut self) -> Vec<PairRecord> {
        core::mem::take(&mut self.told)
    }

    /// Makes the ticks of the next UTC day; `None` where there are no more minutes.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn next_day(&mut self) -> Result<Option<Vec<LedgerTick>>, Error> {
        if self.at > self.last {
            return Ok(None);
        }
        self.until(self.at.floor(DAY) + DAY).map(Some)
    }

    /// Goes on while minutes are published: makes the ticks up to this minute, all markets of which are in the store, and markets that
    /// were published since are taken up. A day at a time, as [`Self::next_day`]; `None` where there is nothing more up to there.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn next_until(&mut self, minute: Ts) -> Result<Option<Vec<LedgerTick>>, Error> {
        for (instrument, _newest) in self.reader.published(&self.setup.logic_version)? {
            match self.sources.iter_mut().find(|s| s.key.instrument == instrument) {
                // A market that is published now may be published at any minute.
                Some(known) => known.minutes.1 = Ts::MAX,
                None => {
                    let key = RunKey { instrument, logic_version: self.setup.logic_version.clone() };
                    let Some((first, _)) = self.reader.run(&key, None)?.and_then(|run| run.minutes) else { continue };
                    let place = self.ledger.place(&key.instrument);
                    let (corrections, samples, alerts, levels) = Default::default();
                    let minutes = (Ts::MIN, Ts::MAX);
                    // Minutes that are closed stay closed.
                    if self.ledger.closed().is_none() {
                        self.at = self.at.min(first);
                    }
                    self.sources.push(Source { key, place, minutes, corrections, samples, alerts, levels });
                }
            }
        }
        self.read = self.read.min(self.at);
        if self.at > minute {
            return Ok(None);
        }
        self.last = minute;
        self.until((self.at.floor(DAY) + DAY).min(minute + barograph_store::run::GRID)).map(Some)
    }

    /// Makes the ticks before this minute.
    fn until(&mut self, end: Ts) -> Result<Vec<LedgerTick>, Error> {
        self.fetch(end)?;
        self.stand(end)?;
        self.learn(end)?;
        let mut ticks = Vec::new();
        while self.at < end && self.at <= self.last {
            self.minute();
            for tick in self.ledger.close() {
                let told = self.ledger.judge(&tick, self.setup.book.drift_rules()).into_iter();
                self.told.extend(told.map(|a| PairRecord { instrument: a.instrument, alert: a.known }));
                ticks.push(tick);
            }
            self.at = self.at + barograph_store::run::GRID;
        }
        for found in self.ledger.take_revisions() {
            if *self.notes.get(&found.key).unwrap_or(&found.stands) != found.now {
                self.notes.insert(found.key.clone(), found.now);
                self.revisions.push(found);
            }
        }
        Ok(ticks)
    }

    /// Reads what published ticks say that no minute does: where the ledger began anew, and which markets were not listened to any
    /// more.
    fn learn(&mut self, end: Ts) -> Result<(), Error> {
        let logic = self.setup.logic_version.as_str();
        let range = Range { start: self.at, end };
        let published = self.reader.published_ticks(logic, range)?;
        let (Some(first), Some(last)) = (published.first(), published.last()) else { return Ok(()) };
        let range = Range { start: *first, end: *last + Span(1) };
        let facts = &mut self.facts;
        self.reader.ledger_scan(logic, range, &[], None, &mut |tick| {
            if published.binary_search(&tick.ts).is_ok() {
                facts.extend(facts_of(tick).into_iter().map(|fact| (tick.ts, fact)));
            }
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    /// Names the stored outcomes that a correction came too late for.
    fn stand(&mut self, end: Ts) -> Result<(), Error> {
        if self.sources.iter().all(|s| s.corrections.is_empty()) {
            return Ok(());
        }
        let known: BTreeMap<&InstrumentName, &[(Ts, Ts)]> =
            self.sources.iter().map(|s| (&s.key.instrument, &s.corrections[..])).collect();
        let range = Range { start: self.at, end };
        let mut found = Vec::new();
        self.reader.ledger_scan(&self.setup.logic_version, range, &[], None, &mut |tick| {
            for one in tick.resolutions.iter().filter(|r| r.outcome.is_resolved()) {
                let Some(market) = tick.market(one.market) else { continue };
                let corrections = known.get(market).copied().unwrap_or_default();
                let Some((_, known_ts)) = corrections.iter().find(|(from, _)| *from <= tick.ts) else { continue };
                if *known_ts > tick.ts + REVISED_AFTER {
                    let (event, subject, market) = (one.event, one.subject.clone(), market.clone());
                    let key = OutcomeKey { issued_ts: one.issued_ts, event, market, subject };
                    found.push((
                        key,
                        StandingOutcome { outcome: one.outcome, evidence: one.evidence, known_ts: *known_ts },
                    ));
                }
            }
            ControlFlow::Continue(())
        })?;
        found.into_iter().for_each(|(key, standing)| self.ledger.stands(key, standing));
        Ok(())
    }

    /// Hands everything of a minute to the ledger.
    fn minute(&mut self) {
        let (ts, ledger) = (self.at, &mut self.ledger);
        let known = ts + LATENESS;
        while let Some((_, fact)) = due(&mut self.facts, |(at, _)| *at <= ts) {
            fact.report_to(ledger);
        }
        for source in &mut self.sources {
            while let Some(alert) = due(&mut source.alerts, |a| a.known_at <= known) {
                ledger
                    .alert(source.place, &alert, || alert.alert.id(&source.key.instrument, &self.setup.logic_version));
            }
            while let Some(level) = due(&mut source.levels, |l| l.known_at <= known) {
                ledger.level(source.place, &level);
            }
            while let Some(sample) = due(&mut source.samples, |s| s.ts <= ts) {
                ledger.minute(source.place, sample);
            }
        }
        while let Some(row) = due(&mut self.hours, |h| h.ts <= ts) {
            ledger.hour(&row);
        }
    }

    fn fetch(&mut self, end: Ts) -> Result<(), Error> {
        let range = Range { start: self.read, end };
        // What a minute sees was known 200 ms after it at the latest.
        let seen_by = |minute: Ts| minute - barograph_store::run::GRID + LATENESS + Span(1);
        let known = Range { start: seen_by(self.read), end: seen_by(end) };
        let ids: Vec<&str> = self.features.iter().map(|f| f.spec().id).collect();
        for source in &mut self.sources {
            if source.minutes.1 >= range.start && source.minutes.0 < range.end {
                read_minutes(self.reader, self.setup, &self.features, &ids, source, range)?;
                read_alerts(self.reader, source, known)?;
                read_levels(self.reader, source, known)?;
            }
        }
        let mut start = range.start;
        loop {
            let page = self.reader.universe(&self.setup.logic_version, Range { start, end: range.end }, 1_000, None)?;
            self.hours.extend(page.items);
            match page.next {
                Some(next) => start = next,
                None => break,
            }
        }
        self.read = end;
        Ok(())
    }
}

/// What a live process knew beside minutes.
enum Fact {
    /// It went on from nothing.
    Began,
    /// The market was not listened to any more.
    Gone(InstrumentName),
    /// One of the pair was not: its first market, and the other's name.
    PairGone(InstrumentName, Box<str>),
}

impl Fact {
    fn report_to(self, ledger: &mut Ledger) {
        match self {
            Self::Began => ledger.begin_anew(),
            Self::Gone(market) => {
                let place = ledger.place(&market);
                ledger.gone(place);
            }
            Self::PairGone(market, other) => {
                let place = ledger.place(&market);
                ledger.pair_gone(place, &other);
            }
        }
    }
}

fn facts_of(tick: &LedgerTick) -> Vec<Fact> {
    let mut found: Vec<Fact> = tick.begins.then_some(Fact::Began).into_iter().collect();
    let mut gone = BTreeSet::new();
    for void in tick.resolutions.iter().filter(|r| r.outcome == WindowOutcome::Void) {
        let Some(market) = tick.market(void.market) else { continue };
        match &void.subject {
            Some(other) if void.event == ForecastEvent::CorrBreak7d => {
                found.push(Fact::PairGone(market.clone(), other.clone()));
            }
            _ => {
                gone.insert(market);
            }
        }
    }
    found.extend(gone.into_iter().cloned().map(Fact::Gone));
    found
}

/// What a fold goes on from.
#[allow(
    missing_debug_implementations,
    clippy::allow_attributes,
    clippy::large_enum_variant,
    reason = "there is one of it"
)]
pub enum Base {
    /// A ledger as it was saved.
    Saved(Ledger),
    /// Nothing: it begins anew with the first minute from here on.
    Nothing(Ts),
}

/// A saved state as a ledger; `None` where another build wrote it.
#[must_use]
pub fn restore(state: &LedgerState) -> Option<Ledger> {
    Ledger::restore(&state.bytes)
}

/// Where retention has thinned minutes of a logic version; those of all markets are whole from here on.
///
/// # Errors
/// When the store cannot be read.
pub fn thinned_until(reader: &dyn Reader, logic_version: &str) -> Result<Option<Ts>, Error> {
    let mut until = None;
    for run in reader.runs(None)?.into_iter().filter(|r| r.spec.key.logic_version == logic_version) {
        until = until.max(reader.thinned_until(&run.spec.key)?);
    }
    Ok(until)
}

/// The first ledger that was saved at a moment or later, and the minute it goes on from.
///
/// # Errors
/// When the store cannot be read.
pub fn saved_from(reader: &dyn Reader, logic_version: &str, from: Ts) -> Result<Option<(Ts, Ledger)>, Error> {
    for ts in reader.ledger_states(logic_version)?.into_iter().filter(|ts| *ts >= from) {
        let state = reader.ledger_state(logic_version, ts)?;
        if let Some(ledger) = state.as_ref().and_then(restore) {
            return Ok(Some((ts, ledger)));
        }
    }
    Ok(None)
}

/// The ledger as it stands behind the stored minutes before a moment, from the newest saved state on; `None` where none is saved that
/// can be gone on from. A process that finds no checkpoint of its own goes on from it.
///
/// # Errors
/// When the store cannot be read.
pub fn stored_before(reader: &dyn Reader, setup: &Setup, moment: Ts) -> Result<Option<Ledger>, Error> {
    let logic = setup.logic_version.as_str();
    let clean = reader.ledger_progress(logic)?.and_then(|p| p.dirty_since).unwrap_or(Ts::MAX);
    let Some(state) = reader.ledger_state(logic, clean.min(moment))? else { return Ok(None) };
    let whole = thinned_until(reader, logic)?.is_none_or(|until| until <= state.ts);
    let Some(ledger) = restore(&state).filter(|_| whole) else { return Ok(None) };
    let mut refold = Refold::begin(reader, setup, Some(ledger))?;
    refold.last = refold.last.min((moment - LATENESS - Span(1)).floor(barograph_store::run::GRID));
    while refold.next_day()?.is_some() {}
    Ok(Some(refold.into_ledger()))
}

/// The first of a queue, where it is due.
fn due<T>(queue: &mut VecDeque<T>, is_due: impl Fn(&T) -> bool) -> Option<T> {
    if queue.front().is_some_and(is_due) { queue.pop_front() } else { None }
}

fn read_minutes(
    reader: &dyn Reader,
    setup: &Setup,
    features: &[Feature],
    ids: &[&str],
    source: &mut Source,
    range: Range,
) -> Result<(), Error> {
    let mut start = range.start;
    loop {
        let query =
            RowQuery { range: Range { start, end: range.end }, every: None, after: None, limit: PAGE, as_of: None };
        let found = reader.glances(&source.key, &query, ids)?;
        let streams: Vec<StreamDecl> = found.streams;
        for row in found.rows {
            let row = of_glance(row, features);
            source.samples.push_back(MinuteSample::of(&row, &streams, &setup.book));
        }
        match found.next {
            Some(next) => start = next,
            None => return Ok(()),
        }
    }
}

fn read_alerts(reader: &dyn Reader, source: &mut Source, range: Range) -> Result<(), Error> {
    let mut query = AlertQuery { range, ..AlertQuery::default() };
    loop {
        let page = reader.alerts(&source.key, &query)?;
        // What is said of pairs goes with their hours, what is said of drift follows from the ledger, and what books and trades look
        // like is no forecast.
        let elsewhere = [Family::Correlation, Family::Drift, Family::OrderFlow];
        source.alerts.extend(page.items.into_iter().filter(|a| !elsewhere.contains(&a.alert.pattern.family())));
        match page.next {
            Some(next) => query.range = query.after(next),
            None => return Ok(()),
        }
    }
}

fn read_levels(reader: &dyn Reader, source: &mut Source, range: Range) -> Result<(), Error> {
    let mut start = range.start;
    loop {
        let page = reader.level_changes(&source.key, Range { start, end: range.end }, 10_000, None)?;
        source.levels.extend(page.items);
        match page.next {
            Some(next) => start = next,
            None => return Ok(()),
        }
    }
}
