//! One market in one answer, from stored minutes and records (R3.27, R3.28; surveillance §6).

use crate::events::Kept;
use crate::health::{JudgedHour, at_their_worst, judged, readings, valid_metrics, weighs};
use crate::render::{Lens, align};
use barograph_api::EventView;
use barograph_api::alias::markets::pair_of;
use barograph_api::analysis::{AnalysisView, PatternCheck, SourceView};
use barograph_domain::health::{ALERTS_OF, AlertBurden, HealthScore, PatternState, ValidShare};
use barograph_domain::pattern::Family;
use barograph_domain::snapshot::InputView;
use barograph_domain::time::LATENESS;
use barograph_domain::{AlertState, KnownAlert, MinuteRow, Pattern, Snapshot, Span, Ts};
use barograph_engine::detect::checks::PatternReading;
use barograph_store::{AlertQuery, Range, Reader, Result, RowQuery};

/// What is asked about: a market's newest minute, read.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its run with what its records are read with.
    pub kept: &'a Kept<'a>,
    /// What explains its rows.
    pub lens: &'a Lens,
    /// The newest minute.
    pub row: &'a MinuteRow,
    /// The one before it.
    pub previous: Option<&'a MinuteRow>,
    /// Somebody listens to the market: it is no recording, however old its newest minute.
    pub is_listened: bool,
    /// The first minute there is of the market.
    pub first: Ts,
    /// Only what was known then.
    pub as_of: Option<Ts>,
    /// The moment that is asked about.
    pub now: Ts,
}

/// The market, checked.
///
/// # Errors
/// When the store cannot be read.
pub fn analysis(reader: &dyn Reader, of: &Subject<'_>) -> Result<AnalysisView> {
    let Subject { lens, row, .. } = of;
    let snapshot = snapshot(of);
    let moment = if snapshot.recorded_until.is_some() { row.ts + LATENESS } else { of.now };
    let open = records(reader, of, &AlertQuery { open: true, ..AlertQuery::default() })?;
    let inputs = &snapshot.explanation.inputs;
    let shares = shares(reader, of, inputs, moment)?;
    let mut alerts: Vec<EventView> =
        open.iter().map(|known| of.kept.view(reader, known, of.as_of)).collect::<Result<_>>()?;
    alerts.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.anomaly_score.total_cmp(&a.anomaly_score)));
    let sources =
        inputs.iter().zip(&shares).map(|(input, share)| source(input, share.as_ref().map(|s| s.share))).collect();
    let readings = readings(row, lens);
    let burdens = burdens(reader, of, &open, moment)?;
    // Whether it weighs or not: one that a stronger one inhibits was judged too. One whose data are away was not.
    let with_data = open.iter().map(|known| &known.alert).filter(|a| a.state == AlertState::Open);
    let with_data: Vec<_> = with_data.map(|a| (a.pattern, a.trigger)).collect();
    let shares = shares.into_iter().flatten().collect();
    let health = HealthScore::of(row.ts, burdens, shares, &judged(row, lens), &with_data);
    Ok(AnalysisView {
        instrument: lens.instrument.name.clone(),
        symbol: pair_of(&lens.instrument.name),
        timestamp: moment.floor(Span::secs(1)),
        recorded_until: snapshot.recorded_until,
        headline: snapshot.headline.clone(),
        price: row.price,
        patterns_judged: health.patterns_judged,
        health,
        patterns: patterns(readings, &open),
        alerts,
        sources,
        logic_version: lens.logic_version.clone(),
    })
}

/// The newest minute as it reads at the moment; of a recording as it was published, with where it ends.
fn snapshot(of: &Subject<'_>) -> Snapshot {
    if let Some(moment) = of.as_of {
        return of.lens.as_of(of.row, of.previous, moment);
    }
    let present = of.lens.at_present_or_end(of.row, of.previous, of.now, || of.is_listened);
    match present.recorded_until {
        None => present,
        until => {
            Snapshot { recorded_until: until, headline: present.headline, ..of.lens.snapshot(of.row, of.previous) }
        }
    }
}

fn records(reader: &dyn Reader, of: &Subject<'_>, query: &AlertQuery) -> Result<Vec<KnownAlert>> {
    let query = AlertQuery { as_of: of.as_of, ..query.clone() };
    Ok(reader.alerts(of.kept.key, &query)?.items)
}

/// Open alerts, and those that closed not long ago.
fn burdens(reader: &dyn Reader, of: &Subject<'_>, open: &[KnownAlert], moment: Ts) -> Result<Vec<AlertBurden>> {
    let range = Range { start: moment - ALERTS_OF, end: Ts(moment.0.saturating_add(1)) };
    let past = records(reader, of, &AlertQuery { range, ..AlertQuery::default() })?;
    let closed = past.into_iter().filter(|k| k.alert.state == AlertState::Closed);
    let all = open.iter().cloned().chain(closed).filter(|known| weighs(&known.alert));
    let weigh = at_their_worst(reader, of.kept.key, all, of.as_of)?;
    let aged = weigh.iter().map(|known| {
        let age = known.alert.closed_at.map(|t| (moment - t).max(Span::ZERO));
        (age, &known.alert)
    });
    Ok(aged
        .filter(|(age, _)| age.is_none_or(|age| age < ALERTS_OF))
        .map(|(age, a)| AlertBurden::new((a.pattern, a.trigger), a.severity, a.score, age))
        .collect())
}

/// Of each input of the newest minute how much of the last hour it was valid, out of the stored minutes. `None` where it was never seen.
fn shares(reader: &dyn Reader, of: &Subject<'_>, inputs: &[InputView], moment: Ts) -> Result<Vec<Option<ValidShare>>> {
    let hour = JudgedHour::of(of.row.ts, of.first, moment);
    let range = Range { start: hour.from, end: Ts(hour.last.0.saturating_add(1)) };
    let query = RowQuery { range, every: None, after: None, limit: usize::MAX, as_of: of.as_of };
    let mut rows = reader.history(of.kept.key, &query)?;
    align(&mut rows.rows, &rows.columns);
    let stored = of.lens.over(&rows);
    // The newest minute of a live process may not be in the store yet; its numbers of streams are its own.
    let own = Some(of.row).filter(|row| hour.has(row.ts)).map(|row| valid_metrics(row, of.lens));
    let seen = rows.rows.iter().filter(|row| row.ts != of.row.ts).map(|row| valid_metrics(row, &stored));
    let seen: Vec<u32> = seen.chain(own).collect();
    Ok(hour.shares(inputs, &seen))
}

fn source(input: &InputView, valid_share_60m: Option<f64>) -> SourceView {
    SourceView {
        metric: input.metric,
        source: input.source.clone(),
        age_s: input.age_s,
        max_age_s: input.max_age_s,
        stale: input.stale,
        gap: input.gap,
        valid_share_60m,
    }
}

/// Every pattern of one market: those of readings by the newest minute, those of books and trades by their alerts.
fn patterns(readings: Vec<PatternReading>, open: &[KnownAlert]) -> Vec<PatternCheck> {
    let is_open = |pattern: Pattern, trigger| {
        open.iter().find(|k| k.alert.pattern == pattern && (trigger == k.alert.trigger)).map(|k| &k.alert)
    };
    let read = readings.into_iter().map(|read| PatternCheck {
        pattern: read.pattern,
        trigger: read.trigger,
        state: if is_open(read.pattern, read.trigger).is_some() { PatternState::Open } else { read.state },
        score: read.score,
        window_s: Some(read.window.as_secs()),
        statistics: read.statistics,
    });
    let of_books = Pattern::ALL.iter().filter(|p| p.family() == Family::OrderFlow).map(|pattern| {
        let alert = is_open(*pattern, None);
        PatternCheck {
            pattern: *pattern,
            trigger: None,
            state: if alert.is_some() { PatternState::Open } else { PatternState::AlertsOnly },
            score: alert.map(|a| a.score),
            window_s: alert.map(|a| (a.ts - a.window_from).as_secs()),
            statistics: alert.map_or_else(Vec::new, |a| a.statistics.clone()),
        }
    });
    read.chain(of_books).collect()
}
