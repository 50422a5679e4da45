//! A condition on signals over the stored minutes of a what-if: how often it held, and what followed (R1.19).
//!
//! It stands beside the books and changes none of them: labels follow from market data alone. Each minute it sees what was known when the
//! minute was, and of market data the risk label that the base gives.

use super::ask::bad;
use super::show::{FoundSignal, SignalHits};
use crate::declared::{DeclaredFault, SIGNAL_VALUES_READ_MAX, StoredSignal, signal_minutes, stored_signal};
use crate::service::unreadable;
use barograph_api::QueryError;
use barograph_domain::time::LATENESS;
use barograph_domain::whatif::SignalMinutes;
use barograph_domain::{Axis, InstrumentName, Label, RiskRegime, SignalNumber, Ts};
use barograph_engine::signal_rows::SIGNAL_BEFORE;
use barograph_engine::signal_scopes::{part_numbers, signal_parts};
use barograph_engine::whatif::{Outcomes, ReplayedAxis, StoredHistory, chop_4h, hv_1h, judge, losses};
use barograph_store::{Range, Reader};
use barograph_study::ResearchFrame;
use barograph_study::money::rule::{DeclaredSignal, RuleCondition, RuleVocabulary};
use barograph_study::money::simulator::{LabelTrack, RuleRow};

/// Reads the condition of a question.
pub(super) fn condition(text: &str) -> Result<RuleCondition, QueryError> {
    let labels = RiskRegime::LABELS.iter().map(|l| l.word().to_owned()).collect();
    let known = RuleVocabulary { columns: Vec::new(), axes: vec![(Axis::Risk.name().to_owned(), labels)] };
    let read = RuleCondition::parse(text, &known).map_err(|faults| {
        let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
        bad("when", text, &all.join("\n"))
    })?;
    if read.signals.is_empty() {
        let why = "it declares no signal, and what follows from market data alone is a rule of a book; write it as in 'signal x.desk_flow; \
                   x.desk_flow.z_7d > 2'";
        return Err(bad("when", text, &why));
    }
    Ok(read)
}

/// What a condition gave on the minutes of one market; `None` where one of its signals does not speak of it.
pub(super) fn count(
    reader: &dyn Reader,
    condition: &RuleCondition,
    (history, base): (&StoredHistory, &ReplayedAxis<RiskRegime>),
    market: &InstrumentName,
    range: (Ts, Ts),
) -> Result<Option<FoundSignal>, QueryError> {
    // Of what lies before the stretch one minute counts: whether the condition held already when the stretch began.
    let [begin, end] = [range.0, range.1].map(|limit| history.ts.partition_point(|t| *t < limit));
    if begin == end && !history.ts.is_empty() {
        return Ok(Some(FoundSignal::default()));
    }
    let asked = AskedRows { from: begin.saturating_sub(1), inside: begin..end };
    let Some((frame, used)) = rows(reader, condition, history, market, &asked)? else { return Ok(None) };
    let labels = [risk_track(history, base)];
    let holds = |at: usize| {
        let known = *history.ts.get(at)? + LATENESS;
        condition.when.holds(&RuleRow::of(&frame, &labels, at.checked_sub(asked.from)?, known))
    };
    let said: Vec<Option<bool>> = (0..history.ts.len()).map(holds).collect();
    let is_met = |t: Ts| usize::try_from(history.row_at(t)).ok().and_then(|row| *said.get(row)?);
    let begun = said.windows(2).zip(history.ts.iter().skip(1));
    let entries: Vec<Ts> =
        begun.filter(|(pair, _)| pair[1] == Some(true) && pair[0] != Some(true)).map(|(_, ts)| *ts).collect();
    let inside = |t: Ts| range.0 <= t && t < range.1;
    let mut found = FoundSignal { used, ..FoundSignal::default() };
    for (_, said) in history.ts.iter().zip(&said).filter(|(ts, _)| inside(**ts)) {
        found.minutes += 1;
        found.known += u64::from(said.is_some());
        found.held += u64::from(*said == Some(true));
    }
    found.entries = entries.iter().filter(|t| inside(**t)).count() as u64;
    let hits = |of: &dyn Outcomes| {
        let mut hits = judge(of, &entries, |t| is_met(t) == Some(true), range);
        hits.losses = losses(of, is_met, range);
        SignalHits { event: of.event().to_owned(), horizon: of.horizon(), hits }
    };
    found.forecasts.extend(hv_1h(history, range).map(|of| hits(&of)));
    found.forecasts.extend(chop_4h(history, range).map(|of| hits(&of)));
    Ok(Some(found))
}

/// Which rows of a history a condition is counted on.
struct AskedRows {
    /// The first that is read.
    from: usize,
    /// Those of the stretch.
    inside: std::ops::Range<usize>,
}

/// The numbers that a condition names, minute by minute from the first that is read on, and which values they are made of.
fn rows(
    reader: &dyn Reader,
    condition: &RuleCondition,
    history: &StoredHistory,
    market: &InstrumentName,
    asked: &AskedRows,
) -> Result<Option<(ResearchFrame, Vec<SignalMinutes>)>, QueryError> {
    let odd =
        |why: String| QueryError::Unavailable { reason: format!("the minutes of {market} cannot be read: {why}") };
    let times = history.ts.get(asked.from..asked.inside.end).unwrap_or_default().to_vec();
    let known: Vec<Ts> = times.iter().map(|t| *t + LATENESS).collect();
    let inside = known.get(asked.inside.start - asked.from..).unwrap_or_default();
    let Some(ends) = inside.first().copied().zip(inside.last().copied()) else { return Ok(None) };
    let frame = ResearchFrame::new(times, vec![true; known.len()], Vec::new());
    let mut frame = frame.map_err(|e| odd(e.to_string()))?;
    let range = Range { start: ends.0 - SIGNAL_BEFORE, end: Ts(ends.1.0 + 1) };
    let mut used = Vec::new();
    for declared in &condition.signals {
        let DeclaredSignal { name, source, .. } = declared;
        let meant = |why: String| bad("when", name.as_str(), &why);
        let stored = stored_signal(reader, declared, market, (range, ends.1), SIGNAL_VALUES_READ_MAX);
        let stored = stored.map_err(|fault| match fault {
            DeclaredFault::Meant(why) => meant(why),
            DeclaredFault::Store(e) => unreadable(&e),
        })?;
        let Some(StoredSignal { within, scoped, .. }) = stored else { return Ok(None) };
        let parts = signal_parts(name.as_str(), source.as_deref(), &scoped, ends)
            .map_err(|fault| meant(fault.sentence(name.as_str(), source.as_deref())))?;
        let wanted = SignalNumber::ALL.into_iter().filter(|n| condition.asks_for(declared, *n));
        let numbers: Vec<SignalNumber> = wanted.collect();
        let found = part_numbers(&parts, &known, within, &numbers);
        for (number, column) in numbers.iter().zip(found.columns) {
            let column = column.into_iter().collect();
            frame.add(number.of(name), column).map_err(|e| odd(e.to_string()))?;
        }
        let minutes = part_numbers(&parts, inside, within, &[]).rows;
        used.extend(signal_minutes(market, (declared, within), parts, minutes));
    }
    Ok(Some((frame, used)))
}

/// The label of each minute under the base, from the moment it was known.
fn risk_track(history: &StoredHistory, base: &ReplayedAxis<RiskRegime>) -> LabelTrack {
    let at = |row: u32| usize::try_from(row).ok().and_then(|row| history.ts.get(row)).copied();
    let begun = base.labels.iter().filter_map(|(row, _, label)| Some((at(row)? + LATENESS, label.word())));
    LabelTrack::new(Axis::Risk.name(), begun.map(|(known, word)| (known, Some(word.to_owned()))).collect())
}
