//! What a watched signal was in minutes: of each what was known when it was, and nothing later (R1.19).
//!
//! A minute's number is made of that minute alone: the same whether it is judged as it is published, with others after an absence, or over
//! thirty days that are over. Which values count, of which scope and source, is decided where what-if questions ask
//! ([`crate::declared`], `engine::signal_scopes`).

use super::signal::{SeenSignal, SeenValue, WatchedSignal};
use crate::declared::{DeclaredFault, SIGNAL_VALUES_READ_MAX, StoredSignal, signal_minutes, stored_signal};
use barograph_domain::whatif::SignalMinutes;
use barograph_domain::{InstrumentName, SignalNumber, Span, Ts};
use barograph_engine::signal_scopes::{ScopedSignal, SignalPart, SignalSourceFault, part_numbers, signal_parts};
use barograph_engine::signal_track::{SIGNAL_STANDS, SignalRevision, SignalTrack};
use barograph_engine::signals::{SIGNAL_LAG, SIGNAL_MONTH, SIGNAL_WEEK};
use barograph_store::{Range, Reader};

/// Beyond the window of a number, for values that were taken back; the change of a day also looks so much further.
const SPARE: Span = Span::days(1);

/// Numbers of a signal on minutes, and which values they are made of.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct NumbersOnMinutes {
    /// One for each minute.
    pub numbers: Vec<Option<f64>>,
    /// The values, by scope and source.
    pub used: Vec<SignalMinutes>,
    /// What the newest of them are in.
    pub unit: Option<String>,
}

/// How old the newest value may be.
fn within(of: &WatchedSignal) -> Span {
    of.declared.within.unwrap_or(SIGNAL_STANDS)
}

/// What lies before this matters to no minute from `first` on.
fn begin(of: &WatchedSignal, first: Ts) -> Ts {
    let window = match of.number {
        SignalNumber::Value => Span(0),
        SignalNumber::Delta24h => SIGNAL_LAG,
        SignalNumber::Z7d => SIGNAL_WEEK,
        SignalNumber::Percentile30d => SIGNAL_MONTH,
    };
    first - within(of) - window - SPARE
}

fn stored(
    reader: &dyn Reader,
    of: &WatchedSignal,
    market: &InstrumentName,
    (first, last): (Ts, Ts),
) -> Result<Option<StoredSignal>, DeclaredFault> {
    let range = Range { start: begin(of, first), end: Ts(last.0.saturating_add(1)) };
    stored_signal(reader, &of.declared, market, (range, last), SIGNAL_VALUES_READ_MAX)
}

/// What counts on minutes between two moments, both among them.
fn parts(
    of: &WatchedSignal,
    scoped: &[ScopedSignal],
    (first, last): (Ts, Ts),
) -> Result<Vec<SignalPart>, SignalSourceFault> {
    let (name, source) = (of.declared.name.as_str(), of.declared.source.as_deref());
    // So far back that the oldest value that may count has its whole window.
    signal_parts(name, source, scoped, (first - within(of), last))
}

/// What minutes between two moments could know of.
fn known_between(of: &WatchedSignal, all: &[ScopedSignal], (first, last): (Ts, Ts)) -> Vec<ScopedSignal> {
    let start = begin(of, first);
    let there = |s: &&ScopedSignal| s.from <= last && first < s.until;
    let cut = |s: &ScopedSignal| {
        let counts = |r: &&SignalRevision| r.event_ts >= start && r.known_ts <= last;
        let sources = s.sources.iter().map(|(by, all)| (by.clone(), all.iter().filter(counts).copied().collect()));
        ScopedSignal { scope: s.scope.clone(), from: s.from, until: s.until, sources: sources.collect() }
    };
    all.iter().filter(there).map(cut).collect()
}

/// Numbers at moments that ascend. Where it cannot be stated whose values count there is none, from the very minute on that knows of a second
/// source.
fn numbers_at(of: &WatchedSignal, scoped: &[ScopedSignal], known: &[Ts]) -> Vec<Option<f64>> {
    let Some(ends) = known.first().copied().zip(known.last().copied()) else { return Vec::new() };
    let scoped = known_between(of, scoped, ends);
    match parts(of, &scoped, ends) {
        Ok(parts) => part_numbers(&parts, known, within(of), &[of.number]).columns.remove(0),
        // Of the source that is named there is nothing at all.
        Err(SignalSourceFault::Other { .. }) => vec![None; known.len()],
        Err(SignalSourceFault::Several { .. }) if known.len() == 1 => vec![None],
        Err(SignalSourceFault::Several { .. }) => {
            let (before, after) = known.split_at(known.len() / 2);
            let mut numbers = numbers_at(of, &scoped, before);
            numbers.extend(numbers_at(of, &scoped, after));
            numbers
        }
    }
}

/// Numbers of a signal on minutes that are known at these moments, which ascend: what a watch judges.
///
/// # Errors
/// The store's failure. Where there are more values than can be read no minute has a number.
pub fn judged_numbers(
    reader: &dyn Reader,
    of: &WatchedSignal,
    market: &InstrumentName,
    known: &[Ts],
) -> Result<Vec<Option<f64>>, crate::Error> {
    let Some(ends) = known.first().copied().zip(known.last().copied()) else { return Ok(Vec::new()) };
    match stored(reader, of, market, ends) {
        Ok(Some(stored)) => Ok(numbers_at(of, &stored.scoped, known)),
        Ok(None) | Err(DeclaredFault::Meant(_)) => Ok(vec![None; known.len()]),
        Err(DeclaredFault::Store(e)) => Err(e),
    }
}

/// The same over a stretch that is over, with which values it is made of: what a watch would have seen.
///
/// # Errors
/// As [`stored_signal`], and where minutes of it know of several sources and none is named.
pub fn tried_numbers(
    reader: &dyn Reader,
    of: &WatchedSignal,
    market: &InstrumentName,
    known: &[Ts],
) -> Result<NumbersOnMinutes, DeclaredFault> {
    let none = || NumbersOnMinutes { numbers: vec![None; known.len()], ..NumbersOnMinutes::default() };
    let Some(ends) = known.first().copied().zip(known.last().copied()) else { return Ok(none()) };
    let Some(stored) = stored(reader, of, market, ends)? else { return Ok(none()) };
    let scoped = known_between(of, &stored.scoped, ends);
    let parts = parts(of, &scoped, ends).map_err(|fault| DeclaredFault::Meant(sentence(of, &fault)))?;
    let found = part_numbers(&parts, known, within(of), &[of.number]);
    let unit = parts.last().and_then(|part| stored.units.get(&(part.scope.clone(), part.source.clone())).cloned());
    let used = signal_minutes(market, (&of.declared, within(of)), parts, found.rows);
    Ok(NumbersOnMinutes { numbers: found.columns.into_iter().next().unwrap_or_default(), used, unit })
}

/// What is known of a signal in the minute that is known at a moment, with its value, unit, age and source.
///
/// # Errors
/// As [`tried_numbers`].
pub fn seen_signal(
    reader: &dyn Reader,
    of: &WatchedSignal,
    market: &InstrumentName,
    at: Ts,
) -> Result<SeenSignal, DeclaredFault> {
    let none = |why: String| SeenSignal { why_none: Some(why), ..SeenSignal::default() };
    let name = &of.declared.name;
    let unknown = || none(format!("no value of {name} is known yet"));
    let Some(stored) = stored(reader, of, market, (at, at))? else { return Ok(unknown()) };
    let scoped = known_between(of, &stored.scoped, (at, at));
    let mut parts = parts(of, &scoped, (at, at)).map_err(|fault| DeclaredFault::Meant(sentence(of, &fault)))?;
    parts.retain(|part| part.from <= at && at < part.until);
    let Some(part) = parts.pop() else { return Ok(unknown()) };
    let mut track = match of.number {
        SignalNumber::Percentile30d => SignalTrack::ranked(part.used.revisions),
        SignalNumber::Value | SignalNumber::Delta24h | SignalNumber::Z7d => SignalTrack::new(part.used.revisions),
    };
    track.advance(at);
    let Some((event_ts, value)) = track.newest() else {
        return Ok(none(format!("no value of {name} counts now: none is known that is new enough")));
    };
    let age = at - event_ts;
    if age > within(of) {
        let (age, within) = (age.spoken(), within(of).spoken());
        return Ok(none(format!("the newest value of {name} is {age} old, and counts for {within}")));
    }
    let unit = stored.units.get(&(part.scope, part.source.clone())).cloned();
    let value = Some(SeenValue { value, unit, age, source: part.source });
    let number = track.number(of.number);
    let why_none = number.is_none().then(|| format!("too few values for the {}, or all alike", of.spoken()));
    Ok(SeenSignal { number, value, why_none })
}

fn sentence(of: &WatchedSignal, fault: &SignalSourceFault) -> String {
    fault.sentence(of.declared.name.as_str(), of.declared.source.as_deref())
}
