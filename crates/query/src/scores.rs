//! The scorecard and the ledger's forecasts, read from a store (verification §7, §8).
//!
//! Events are scored one by one, as many at a time as there are cores: each goes through the ledger once and keeps its own cases.

use crate::Error;
pub use barograph_api::ForecastView;
use barograph_domain::forecast::{
    ForecastEvent, Forecaster, Issue, LedgerTick, NotIssued, NotIssuedReason, OutcomeKey, OutcomeRevision, Resolution,
};
use barograph_domain::scorecard::{HeadReading, Scorecard};
use barograph_domain::time::DAY;
use barograph_domain::{InstrumentName, Ts};
use barograph_store::{Range, Reader};
use barograph_verify::contest::ledger_of;
use barograph_verify::ledger::GRID;
use barograph_verify::scorecard::{EventScores, Gather, ScoreFilter};
use barograph_verify::scores::bootstrap::SEED;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Which part of the scorecard.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScorecardAsked {
    /// These events only; empty: all.
    pub events: Vec<ForecastEvent>,
    /// Whose forecasts; `None`: those of the rules.
    pub classifier: Option<Forecaster>,
    /// Scopes and windows.
    pub wanted: ScoreFilter,
    /// As the ledger was known then.
    pub as_of: Option<Ts>,
    /// Cases that are held at once, of an event and of all that are scored side by side; `None`: as many as there are.
    pub cases_max: Option<usize>,
}

/// Scores the ledger of a logic version of the rules, or that of a contestant beside it.
///
/// # Errors
/// When the store cannot be read, or an event has more cases than may be held.
pub fn scorecard(
    reader: &dyn Reader,
    logic_version: &str,
    book: &str,
    asked: &ScorecardAsked,
) -> Result<Scorecard, Error> {
    let logic_version = &ledger_of(logic_version, asked.classifier.unwrap_or(Forecaster::Rules));
    let events: Vec<ForecastEvent> =
        if asked.events.is_empty() { ForecastEvent::ALL.to_vec() } else { asked.events.clone() };
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(ForecastEvent, Result<Part, Error>)>> = Mutex::default();
    let at_once = at_once(reader, logic_version, asked)?;
    std::thread::scope(|scope| {
        for _ in 0..at_once.min(events.len()) {
            scope.spawn(|| {
                while let Some(event) = events.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let part = score(reader, logic_version, *event, asked);
                    if part.is_err() {
                        // There will be no answer: the other events need not be begun.
                        next.store(events.len(), Ordering::Relaxed);
                    }
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((*event, part));
                }
            });
        }
    });
    let mut parts = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    parts.sort_by_key(|(event, _)| *event);
    let mut card = Scorecard {
        logic_version: logic_version.to_owned(),
        book: book.to_owned(),
        span: None,
        markets: Vec::new(),
        seed: SEED,
        rows: Vec::new(),
        alerts: Vec::new(),
        stability: Vec::new(),
        heads: Vec::new(),
    };
    let mut coverage = None;
    for (_, part) in parts {
        let Part { scores, span, markets } = part?;
        card.span = span;
        card.markets = markets;
        coverage = coverage.or(scores.coverage);
        card.rows.extend(scores.rows);
        card.alerts.extend(scores.alerts);
        card.stability.extend(scores.stability);
    }
    // Alerts a day are over the time in which there was something to judge, which another event says.
    if card.alerts.iter().any(|a| a.per_day.is_none()) {
        let coverage = match coverage {
            Some(known) => known,
            None => gathered(reader, logic_version, ForecastEvent::HighVol1h, asked)?.0.coverage(&asked.wanted),
        };
        coverage.fill(&mut card.alerts);
    }
    if let Some([_, newest]) = card.span {
        let range = Range { start: newest.floor(DAY), end: newest.floor(DAY) + DAY };
        card.heads = reader.ledger_heads(logic_version, range)?.into_iter().map(head).collect();
    }
    Ok(card)
}

/// Events that are scored side by side: one on each core, fewer where their cases together would be more than may be held. A market
/// has a case of an event at each instant of the grid; there are events with fewer.
fn at_once(reader: &dyn Reader, logic: &str, asked: &ScorecardAsked) -> Result<usize, Error> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (Some(most), Some(newest)) = (asked.cases_max, reader.latest_ledger(logic, asked.as_of)?) else {
        return Ok(cores);
    };
    let mut first = newest.ts;
    reader.ledger_scan(logic, Range::ALL, &[ForecastEvent::HighVol1h], asked.as_of, &mut |tick| {
        first = tick.ts;
        ControlFlow::Break(())
    })?;
    let instants = usize::try_from((newest.ts - first).0.div_euclid(GRID.0)).unwrap_or(usize::MAX).saturating_add(1);
    let one = |scope: &String| scope.contains(':');
    let markets = match asked.wanted.scopes.as_slice() {
        scopes @ [_, ..] if scopes.iter().all(one) => scopes.len(),
        _ => newest.markets.len().max(1),
    };
    Ok((most / instants.saturating_mul(markets)).clamp(1, cores))
}

/// One event of it.
struct Part {
    scores: EventScores,
    span: Option<[Ts; 2]>,
    markets: Vec<String>,
}

fn score(reader: &dyn Reader, logic: &str, event: ForecastEvent, asked: &ScorecardAsked) -> Result<Part, Error> {
    let (gather, span, markets) = gathered(reader, logic, event, asked)?;
    Ok(Part { scores: gather.finish(&asked.wanted), span, markets })
}

/// An event's cases, first and newest tick, and markets.
type Gathered = (Gather, Option<[Ts; 2]>, Vec<String>);

fn gathered(reader: &dyn Reader, logic: &str, event: ForecastEvent, asked: &ScorecardAsked) -> Result<Gathered, Error> {
    let mut gather = Gather::of(event, asked.classifier.unwrap_or(Forecaster::Rules)).only(&asked.wanted.scopes);
    let most = asked.cases_max.unwrap_or(usize::MAX);
    gather.revised(notes(reader, logic, asked.as_of)?.into_keys());
    let (mut span, mut markets): (Option<[Ts; 2]>, _) = (None, Vec::new());
    reader.ledger_scan(logic, Range::ALL, &[event], asked.as_of, &mut |tick| {
        span = Some([span.map_or(tick.ts, |[first, _]| first), tick.ts]);
        if markets.len() != tick.markets.len() {
            markets = tick.markets.iter().map(ToString::to_string).collect();
        }
        gather.tick(tick);
        if gather.cases() > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if gather.cases() > most {
        return Err(Error::TooManyCases { event, most });
    }
    Ok((gather, span, markets))
}

fn head(one: barograph_store::LedgerHead) -> HeadReading {
    HeadReading { day: one.day, event: one.event, rows: one.rows, head: hex(&one.head) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, b| {
        out.push_str(&format!("{b:02x}"));
        out
    })
}

/// The newest note on each outcome that corrected minutes would now make another, as it was known.
fn notes(reader: &dyn Reader, logic: &str, as_of: Option<Ts>) -> Result<BTreeMap<OutcomeKey, OutcomeRevision>, Error> {
    let known = reader.ledger_revisions(logic)?.into_iter().filter(|n| as_of.is_none_or(|at| n.known_ts <= at));
    let mut newest: BTreeMap<OutcomeKey, OutcomeRevision> = known.map(|n| (n.key.clone(), n)).collect();
    newest.retain(|_, note| note.differs());
    Ok(newest)
}

/// Which forecasts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ForecastsAsked {
    /// By the moment of issue.
    pub range: Option<Range>,
    /// These events only; empty: all.
    pub events: Vec<ForecastEvent>,
    /// Whose forecasts; `None`: those of the rules.
    pub classifier: Option<Forecaster>,
    /// One market only.
    pub market: Option<InstrumentName>,
    /// These cases only, of those whose forecasts every market has at every grid instant.
    pub only: Option<BTreeSet<CaseName>>,
    /// As the ledger was known then.
    pub as_of: Option<Ts>,
}

/// Moment of issue, event and market: what names a case that every market has at every grid instant.
pub type CaseName = (Ts, ForecastEvent, InstrumentName);

/// An event that was asked and not forecast.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotIssuedView {
    /// What was asked.
    pub event: ForecastEvent,
    /// The market.
    pub symbol: String,
    /// The grid instant at which it was asked.
    pub issued_ts: Ts,
    /// Why there is no forecast.
    pub reason: NotIssuedReason,
}

impl NotIssuedView {
    fn of(ts: Ts, one: &NotIssued, market: &InstrumentName) -> Self {
        Self { event: one.event, symbol: market.to_string(), issued_ts: ts, reason: one.reason }
    }
}

/// How often prices of a market moved as alerts say they may, over a day's windows at any time: what lift of detectors is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseView {
    /// The market.
    pub symbol: String,
    /// The tick that says it.
    pub issued_ts: Ts,
    /// Windows of an hour that have been judged since the last such tick.
    pub windows: u32,
    /// Those of them in which price moved by an hourly ATR.
    pub moved: u32,
}

/// One line of the ledger as it is exported: denominators count both kinds of forecasts, lift is over bases.
#[derive(Clone, PartialEq, Debug)]
pub enum LedgerLine {
    /// A registered forecast with what came of it.
    Forecast(Box<ForecastView>),
    /// Something that was asked and not forecast.
    NotIssued(NotIssuedView),
    /// What lift is over.
    Base(BaseView),
}

/// Hands out forecasts with their outcomes, in the order of issue; each as soon as its outcome is known or the ledger ends.
///
/// # Errors
/// When the store cannot be read.
pub fn forecasts(
    reader: &dyn Reader,
    logic_version: &str,
    asked: &ForecastsAsked,
    each: &mut dyn FnMut(ForecastView) -> ControlFlow<()>,
) -> Result<(), Error> {
    lines(reader, logic_version, asked, &mut |line| match line {
        LedgerLine::Forecast(view) => each(*view),
        LedgerLine::NotIssued(_) | LedgerLine::Base(_) => ControlFlow::Continue(()),
    })
}

/// The same with what was asked and not issued; of one instant those come first.
///
/// # Errors
/// When the store cannot be read.
pub fn lines(
    reader: &dyn Reader,
    logic_version: &str,
    asked: &ForecastsAsked,
    each: &mut dyn FnMut(LedgerLine) -> ControlFlow<()>,
) -> Result<(), Error> {
    let logic_version = &asked.ledger(logic_version);
    let range = asked.range.unwrap_or(Range::ALL);
    let mut open = Open { notes: notes(reader, logic_version, asked.as_of)?, ..Open::default() };
    reader.ledger_scan(logic_version, with_outcomes(range), &asked.events, asked.as_of, &mut |tick| {
        for r in &tick.resolutions {
            let Some(market) = tick.market(r.market) else { continue };
            open.resolve(market, r, tick.ts);
        }
        if range.contains(tick.ts) {
            open.take(tick, asked, logic_version);
        } else if open.lines.is_empty() {
            return ControlFlow::Break(());
        }
        open.hand_out(each)
    })?;
    open.rest(each);
    Ok(())
}

/// The newest `wanted` forecasts with their outcomes, in the order of issue. No more than that, and those of their first tick, are
/// held at any time.
///
/// # Errors
/// When the store cannot be read.
pub fn newest(
    reader: &dyn Reader,
    logic_version: &str,
    asked: &ForecastsAsked,
    wanted: usize,
) -> Result<Vec<ForecastView>, Error> {
    let logic_version = &asked.ledger(logic_version);
    let range = asked.range.unwrap_or(Range::ALL);
    let Some(first) = first_tick(reader, logic_version, asked, range, wanted)? else { return Ok(Vec::new()) };
    let stretch = Range { start: first, end: range.end };
    let mut open = Open { notes: notes(reader, logic_version, asked.as_of)?, ..Open::default() };
    reader.ledger_scan(logic_version, with_outcomes(stretch), &asked.events, asked.as_of, &mut |tick| {
        for r in &tick.resolutions {
            let Some(market) = tick.market(r.market) else { continue };
            open.resolve(market, r, tick.ts);
        }
        if stretch.contains(tick.ts) {
            open.take(tick, asked, logic_version);
        } else if open.waiting.is_empty() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    let mut views: Vec<ForecastView> = open.lines.into_iter().filter_map(LedgerLine::forecast).collect();
    views.drain(..views.len().saturating_sub(wanted));
    Ok(views)
}

/// The tick that the newest `wanted` forecasts begin with; `None` where there are none.
fn first_tick(
    reader: &dyn Reader,
    logic_version: &str,
    asked: &ForecastsAsked,
    range: Range,
    wanted: usize,
) -> Result<Option<Ts>, Error> {
    let (mut ticks, mut held) = (std::collections::VecDeque::<(Ts, usize)>::new(), 0);
    reader.ledger_scan(logic_version, range, &asked.events, asked.as_of, &mut |tick| {
        let n = tick.issues.iter().filter(|i| asked.takes(tick, i)).count();
        if n > 0 {
            ticks.push_back((tick.ts, n));
            held += n;
        }
        while let Some((_, first)) = ticks.front().filter(|(_, first)| held - first >= wanted) {
            held -= first;
            ticks.pop_front();
        }
        ControlFlow::Continue(())
    })?;
    Ok(ticks.front().map(|(ts, _)| *ts))
}

/// A stretch with the ticks in which its forecasts resolve: at most a week after the last issue, and a little later where nobody was
/// there.
fn with_outcomes(range: Range) -> Range {
    Range { start: range.start, end: Ts(range.end.0.saturating_add(DAY.0.saturating_mul(30))) }
}

impl LedgerLine {
    fn forecast(self) -> Option<ForecastView> {
        match self {
            Self::Forecast(view) => Some(*view),
            Self::NotIssued(_) | Self::Base(_) => None,
        }
    }

    /// Nothing more will come of it.
    fn is_done(&self) -> bool {
        match self {
            Self::Forecast(view) => view.resolution_reason.is_some(),
            Self::NotIssued(_) | Self::Base(_) => true,
        }
    }
}

impl ForecastsAsked {
    /// The ledger they are in, beside that of the rules.
    fn ledger(&self, rules: &str) -> String {
        ledger_of(rules, self.classifier.unwrap_or(Forecaster::Rules))
    }

    fn takes(&self, tick: &LedgerTick, issue: &Issue) -> bool {
        self.takes_market(tick, issue.market) && self.only.as_ref().is_none_or(|only| Self::is_among(only, tick, issue))
    }

    fn is_among(only: &BTreeSet<CaseName>, tick: &LedgerTick, issue: &Issue) -> bool {
        let market = tick.market(issue.market).filter(|_| issue.subject.is_none());
        market.is_some_and(|market| only.contains(&(tick.ts, issue.event, market.clone())))
    }

    fn takes_market(&self, tick: &LedgerTick, at: u16) -> bool {
        tick.market(at).is_some_and(|market| self.market.as_ref().is_none_or(|m| m == market))
    }
}

/// Forecasts that wait for their turn.
#[derive(Default)]
struct Open {
    notes: BTreeMap<OutcomeKey, OutcomeRevision>,
    lines: std::collections::VecDeque<LedgerLine>,
    /// How many were handed out before the first of them.
    gone: usize,
    waiting: std::collections::BTreeMap<(String, &'static str, Option<String>, Ts), Vec<usize>>,
}

impl Open {
    fn take(&mut self, tick: &LedgerTick, asked: &ForecastsAsked, logic_version: &str) {
        let asks_all = asked.only.is_none();
        let asks_bases = asks_all && (asked.events.is_empty() || asked.events.contains(&ForecastEvent::AlertMove1h));
        for one in tick.bases.iter().filter(|b| asks_bases && asked.takes_market(tick, b.market)) {
            if let Some(market) = tick.market(one.market) {
                let (symbol, issued_ts) = (market.to_string(), tick.ts);
                let base = BaseView { symbol, issued_ts, windows: one.windows, moved: one.moved };
                self.lines.push_back(LedgerLine::Base(base));
            }
        }
        for one in tick.not_issued.iter().filter(|n| asks_all && asked.takes_market(tick, n.market)) {
            if let Some(market) = tick.market(one.market) {
                self.lines.push_back(LedgerLine::NotIssued(NotIssuedView::of(tick.ts, one, market)));
            }
        }
        for issue in tick.issues.iter().filter(|i| asked.takes(tick, i)) {
            if let Some(market) = tick.market(issue.market) {
                self.push(ForecastView::of(tick, issue, market, logic_version));
            }
        }
    }

    fn push(&mut self, view: ForecastView) {
        let key = (view.symbol.clone(), view.event_id, view.subject.clone(), view.issued_ts);
        self.waiting.entry(key).or_default().push(self.gone + self.lines.len());
        self.lines.push_back(LedgerLine::Forecast(Box::new(view)));
    }

    fn resolve(&mut self, market: &InstrumentName, r: &Resolution, at: Ts) {
        let note = self.note(market, r).cloned();
        let key = (market.to_string(), r.event.id(), r.subject.as_deref().map(str::to_owned), r.issued_ts);
        for place in self.waiting.remove(&key).unwrap_or_default() {
            let line = place.checked_sub(self.gone).and_then(|at| self.lines.get_mut(at));
            if let Some(LedgerLine::Forecast(view)) = line {
                view.resolve(at, r);
                if let Some(note) = &note {
                    view.revise(note);
                }
            }
        }
    }

    fn note(&self, market: &InstrumentName, r: &Resolution) -> Option<&OutcomeRevision> {
        if self.notes.is_empty() {
            return None;
        }
        let (issued_ts, event, subject) = (r.issued_ts, r.event, r.subject.clone());
        self.notes.get(&OutcomeKey { issued_ts, event, market: market.clone(), subject })
    }

    fn hand_out(&mut self, each: &mut dyn FnMut(LedgerLine) -> ControlFlow<()>) -> ControlFlow<()> {
        while self.lines.front().is_some_and(LedgerLine::is_done) {
            if let Some(line) = self.lines.pop_front() {
                self.gone += 1;
                each(line)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn rest(self, each: &mut dyn FnMut(LedgerLine) -> ControlFlow<()>) {
        for line in self.lines {
            if each(line).is_break() {
                return;
            }
        }
    }
}
