//! The contest over a store: the rules' ledger and the rows beside it go through [`Contest`], and what contestants say goes into
//! ledgers of their own, day by day. A run goes on where the last one ended while the rules' ledger before that is what it was.

use crate::failure::Failure;
use crate::progress::{Progress, Unit};
use barograph_domain::forecast::{ForecastEvent, Forecaster, LedgerTick};
use barograph_domain::time::DAY;
use barograph_domain::{InstrumentName, Ts};
use barograph_lab::contest::{Contest, Fit, FitJob, Sighting, features, run as fit};
use barograph_store::{LedgerHead, LedgerPart, LedgerState, Range, Reader, RowQuery, RunKey, Writer};
use barograph_verify::contest::{CONTESTANTS, EVENTS, ledger_of, state_of};
use barograph_verify::ledger::GRID;
use barograph_verify::ledger::chain::{Chains, day_of};
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicUsize, Ordering};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Days per transaction.
const DAYS_AT_ONCE: usize = 14;
/// Rows read at once, per market: a day.
const PAGE: usize = 1_440;

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Contested {
    /// Ticks of contestants that were stored.
    pub(crate) ticks: u64,
    /// The first day that was made; `None` where there was nothing to do.
    pub(crate) from: Option<Ts>,
}

/// Makes what contestants say of the ticks that the rules' ledger of a logic version has.
pub(crate) fn update(reader: &dyn Reader, writer: &mut dyn Writer, rules: &str) -> Result<Contested, Failure> {
    let (Some(first), Some(newest)) = (first_tick(reader, rules)?, reader.latest_ledger(rules, None)?) else {
        return Ok(Contested::default());
    };
    let (ledgers, last_day) = (Ledgers::of(reader, rules)?, newest.ts.floor(DAY));
    let (state, words) = (state_of(rules), ledgers.words(last_day));
    let before = reader.ledger_progress(&state)?.map(|p| p.markets).unwrap_or_default();
    if before == words {
        return Ok(Contested::default());
    }
    let saved = ledgers.resumed(reader, &state, &before)?;
    let day = saved.as_ref().map_or(first.floor(DAY), |(day, _)| *day);
    let from = if saved.is_some() { day } else { Ts::MIN };
    let contest = saved.map_or_else(Contest::default, |(_, contest)| contest);
    let sources = sources(reader, rules)?;
    let records = CONTESTANTS.map(|who| Record { logic: ledger_of(rules, who), ..Record::default() });
    let mut making = Making { reader, writer: Some(&mut *writer), rules, contest, sources, records, from };
    let (ticks, bytes) = making.run(day, last_day)?;
    drop(making);
    // Last: killed before, the next run begins where this one did.
    let states = [LedgerState { ts: last_day, bytes }];
    let part = LedgerPart {
        logic_version: &state,
        range: Range::ALL,
        ticks: &[],
        heads: &[],
        states: &states,
        revisions: &[],
        alerts: &[],
        done: Some(&words),
    };
    writer.replace_ledger(&part)?;
    Ok(Contested { ticks, from: Some(day) })
}

/// Heads of a contestant's chains, made again.
pub(crate) struct Again {
    /// The contestant whose ledger it is.
    pub(crate) who: Forecaster,
    /// Heads that are stored.
    pub(crate) heads: usize,
    /// Of them those that came out the same.
    pub(crate) equal: usize,
}

/// Makes everything that contestants have said again, from the rules' ledger and the rows beside it, and compares the heads of their
/// chains with those that are stored. Nothing where no contest has been held, or where ticks have come since.
pub(crate) fn check(reader: &dyn Reader, rules: &str) -> Result<Vec<Again>, Failure> {
    let (Some(first), Some(newest)) = (first_tick(reader, rules)?, reader.latest_ledger(rules, None)?) else {
        return Ok(Vec::new());
    };
    let last_day = newest.ts.floor(DAY);
    let done = reader.ledger_progress(&state_of(rules))?.map(|p| p.markets);
    if done != Some(Ledgers::of(reader, rules)?.words(last_day)) {
        return Ok(Vec::new());
    }
    let records = CONTESTANTS.map(|who| Record { logic: ledger_of(rules, who), ..Record::default() });
    let (contest, sources) = (Contest::default(), sources(reader, rules)?);
    let mut making = Making { reader, writer: None, rules, contest, sources, records, from: Ts::MIN };
    making.run(first.floor(DAY), last_day)?;
    let compare = |(who, record): (Forecaster, &Record)| {
        let stored = reader.ledger_heads(&record.logic, Range::ALL)?;
        let same = |h: &&LedgerHead| record.heads.get(&(h.day, h.event)) == Some(h);
        let equal = stored.iter().filter(same).count();
        // What was made and is not stored counts too.
        Ok(Again { who, heads: stored.len().max(record.heads.len()), equal })
    };
    CONTESTANTS.into_iter().zip(&making.records).map(compare).collect()
}

/// The rules' ledger by the heads of its chains.
struct Ledgers(Vec<LedgerHead>);

impl Ledgers {
    fn of(reader: &dyn Reader, rules: &str) -> Result<Self, Failure> {
        Ok(Self(reader.ledger_heads(rules, Range::ALL)?))
    }

    /// What stands in the days before one, as a hash.
    fn before(&self, end: Ts) -> String {
        let mut hash = Sha256::new();
        for head in self.0.iter().filter(|h| h.day < end) {
            hash.update(head.day.0.to_be_bytes());
            hash.update(head.event.id());
            hash.update(head.head);
        }
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// What is written of a contest that has seen all of it and was saved before a day.
    fn words(&self, day: Ts) -> String {
        format!("{} {} {}", day.0, self.before(day), self.before(Ts::MAX))
    }

    /// The contest as it was saved, and before which day, where the ledger until then is what it was.
    fn resumed(&self, reader: &dyn Reader, state: &str, before: &str) -> Result<Option<(Ts, Contest)>, Failure> {
        let mut parts = before.split(' ');
        let (Some(day), Some(hash)) = (parts.next().and_then(|d| d.parse().ok()).map(Ts), parts.next()) else {
            return Ok(None);
        };
        if self.before(day) != hash {
            return Ok(None);
        }
        let saved = reader.ledger_state(state, day)?.filter(|s| s.ts == day);
        Ok(saved.and_then(|s| Contest::restore(&s.bytes)).map(|contest| (day, contest)))
    }
}

fn first_tick(reader: &dyn Reader, rules: &str) -> Result<Option<Ts>, Failure> {
    let mut first = None;
    reader.ledger_scan(rules, Range::ALL, &EVENTS, None, &mut |tick| {
        first = Some(tick.ts);
        ControlFlow::Break(())
    })?;
    Ok(first)
}

/// Rows of one market, a day of them.
struct Source {
    key: RunKey,
    rows: VecDeque<(Ts, Sighting)>,
}

fn sources(reader: &dyn Reader, rules: &str) -> Result<Vec<Source>, Failure> {
    let mut keys: Vec<RunKey> = reader
        .runs(None)?
        .into_iter()
        .filter(|r| r.spec.key.logic_version == rules && r.minutes.is_some())
        .map(|r| r.spec.key)
        .collect();
    keys.sort_by(|a, b| a.instrument.cmp(&b.instrument));
    Ok(keys.into_iter().map(|key| Source { key, rows: VecDeque::new() }).collect())
}

impl Source {
    fn read(&mut self, reader: &dyn Reader, ids: &[&str], range: Range) -> Result<(), Failure> {
        self.rows.clear();
        let mut start = range.start;
        loop {
            let query = RowQuery {
                range: Range { start, end: range.end },
                every: Some(GRID),
                after: None,
                limit: PAGE,
                as_of: None,
            };
            let found = reader.glances(&self.key, &query, ids)?;
            self.rows.extend(found.rows.iter().map(|row| (row.ts, Sighting::of(&row.cells, row.price))));
            match found.next {
                Some(next) => start = next,
                None => return Ok(()),
            }
        }
    }

    /// What was seen at a minute; what lies before it is gone then.
    fn at(&mut self, ts: Ts) -> Option<(InstrumentName, Sighting)> {
        while self.rows.front().is_some_and(|(at, _)| *at < ts) {
            self.rows.pop_front();
        }
        let (_, sighting) = self.rows.front().filter(|(at, _)| *at == ts)?;
        Some((self.key.instrument.clone(), *sighting))
    }
}

/// A contestant's ticks on their way into the store.
#[derive(Default)]
struct Record {
    logic: String,
    chains: Chains,
    ticks: Vec<LedgerTick>,
    heads: BTreeMap<(Ts, ForecastEvent), LedgerHead>,
}

impl Record {
    fn push(&mut self, tick: LedgerTick) {
        let day = day_of(tick.ts);
        for (event, head) in self.chains.add(&tick, &self.logic) {
            self.heads.insert((day, event), LedgerHead { day, event, rows: head.rows, head: head.hash });
        }
        self.ticks.push(tick);
    }
}

struct Making<'a> {
    reader: &'a dyn Reader,
    /// `None`: nothing is stored, heads are kept.
    writer: Option<&'a mut dyn Writer>,
    rules: &'a str,
    contest: Contest,
    sources: Vec<Source>,
    records: [Record; CONTESTANTS.len()],
    /// From here on ticks are replaced.
    from: Ts,
}

impl Making<'_> {
    /// All days from one on; how many ticks were stored, and the contest as it was before the last day.
    fn run(&mut self, first_day: Ts, last_day: Ts) -> Result<(u64, Vec<u8>), Failure> {
        let days = |t: Ts| u64::try_from((t - first_day).0.div_euclid(DAY.0)).unwrap_or(0);
        let mut progress = Progress::new(days(last_day) + 1, "holding the contest", Unit::Steps);
        let ids: Vec<&str> = features().iter().map(|f| f.spec().id).collect();
        let (mut stored, mut saved, mut day) = (0, Vec::new(), first_day);
        for n in 1_usize.. {
            if day == last_day {
                saved = self.contest.save();
            }
            self.day(day, &ids)?;
            progress.set(days(day) + 1);
            let last = day >= last_day;
            day = day + DAY;
            if last || n.is_multiple_of(DAYS_AT_ONCE) {
                stored += self.write(if last { Ts::MAX } else { day })?;
            }
            if last {
                break;
            }
        }
        Ok((stored, saved))
    }

    fn day(&mut self, day: Ts, ids: &[&str]) -> Result<(), Failure> {
        let range = Range { start: day, end: day + DAY };
        let mut ticks: Vec<LedgerTick> = Vec::new();
        self.reader.ledger_scan(self.rules, range, &EVENTS, None, &mut |tick| {
            ticks.push(tick.clone());
            ControlFlow::Continue(())
        })?;
        for source in &mut self.sources {
            source.read(self.reader, ids, range)?;
        }
        for tick in &ticks {
            let due = self.contest.jobs(tick.ts);
            if !due.is_empty() {
                self.contest.enter(on_all_cores(&due));
            }
            let seen: Vec<(InstrumentName, Sighting)> = self.sources.iter_mut().filter_map(|s| s.at(tick.ts)).collect();
            for (record, tick) in self.records.iter_mut().zip(self.contest.tick(tick, &seen)) {
                if !tick.is_empty() {
                    record.push(tick);
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, end: Ts) -> Result<u64, Failure> {
        let range = Range { start: self.from, end };
        let mut stored = 0;
        let Some(writer) = &mut self.writer else {
            self.records.iter_mut().for_each(|r| r.ticks.clear());
            return Ok(0);
        };
        for record in &mut self.records {
            let heads: Vec<LedgerHead> = core::mem::take(&mut record.heads).into_values().collect();
            let ticks = core::mem::take(&mut record.ticks);
            let part = LedgerPart {
                logic_version: &record.logic,
                range,
                ticks: &ticks,
                heads: &heads,
                states: &[],
                revisions: &[],
                alerts: &[],
                done: None,
            };
            stored += writer.replace_ledger(&part)?;
        }
        self.from = end;
        Ok(stored)
    }
}

/// Runs fits, each on one core; the order in which they end leaves no trace.
fn on_all_cores(jobs: &[FitJob]) -> Vec<Fit> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(jobs.len())));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(at) else { break };
                    let fitted = fit(job);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, fitted));
                }
            });
        }
    });
    let mut fits = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    fits.sort_by_key(|(at, _)| *at);
    fits.into_iter().map(|(_, fitted)| fitted).collect()
}
