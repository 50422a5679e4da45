//! One market in one answer, from stored minutes and records (R3.27, R3.28; surveillance §6).
//!
//! What weighs on health: episodes of the market's own patterns that are open or closed less than six hours before. Not what says the
//! same a second time: an alert that a stronger one inhibits, lost or late data (which have their own part), rules of the user's own,
//! drift of a forecast, patterns that are experimental. Labels that changed have no length and no score.

use crate::events::Kept;
use crate::render::{Lens, align};
use barograph_api::EventView;
use barograph_api::alias::markets::pair_of;
use barograph_api::analysis::{AnalysisView, PatternCheck, SourceView};
use barograph_domain::health::{ALERTS_OF, AlertBurden, DATA_OF, HealthScore, PatternState, ValidShare};
use barograph_domain::pattern::Family;
use barograph_domain::snapshot::InputView;
use barograph_domain::time::LATENESS;
use barograph_domain::{AlertState, InputAge, KnownAlert, MinuteRow, Pattern, Snapshot, Span, StreamDecl, Ts};
use barograph_engine::detect::checks;
use barograph_store::run::GRID;
use barograph_store::{AlertQuery, Range, Reader, Result, RowQuery};
use std::sync::Arc;

/// The newest minute of a listened market may be so old: the store follows memory by seconds.
const BEHIND: Span = Span::mins(3);

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
    let patterns = patterns(of, &open);
    Ok(AnalysisView {
        instrument: lens.instrument.name.clone(),
        symbol: pair_of(&lens.instrument.name),
        timestamp: moment.floor(Span::secs(1)),
        recorded_until: snapshot.recorded_until,
        headline: snapshot.headline.clone(),
        price: row.price,
        health: HealthScore::of(burdens(reader, of, &open, moment)?, shares.into_iter().flatten().collect()),
        patterns_judged: patterns.iter().filter(|p| p.state.is_judged()).count(),
        patterns,
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

/// Does an alert of this pattern weigh on the health of a market? Patterns of books and trades will when they are no longer experimental.
const fn weighs(family: Family) -> bool {
    !matches!(
        family,
        Family::Data | Family::Rule | Family::Drift | Family::Regime | Family::Session | Family::OrderFlow
    )
}

/// Open alerts, and those that closed not long ago.
fn burdens(reader: &dyn Reader, of: &Subject<'_>, open: &[KnownAlert], moment: Ts) -> Result<Vec<AlertBurden>> {
    let range = Range { start: moment - ALERTS_OF, end: Ts(moment.0.saturating_add(1)) };
    let past = records(reader, of, &AlertQuery { range, ..AlertQuery::default() })?;
    let closed = past.iter().filter(|k| k.alert.state == AlertState::Closed);
    let all = open.iter().chain(closed).map(|known| &known.alert);
    let weigh = all.filter(|a| a.inhibited_by.is_none() && weighs(a.pattern.family()));
    let age = |a: &barograph_domain::Alert| a.closed_at.map(|t| (moment - t).max(Span::ZERO));
    let burden = |a| (age(a), a);
    Ok(weigh
        .map(burden)
        .filter(|(age, _)| age.is_none_or(|age| age < ALERTS_OF))
        .map(|(age, a)| AlertBurden::new((a.pattern, a.trigger), a.severity, a.score, age))
        .collect())
}

/// Of each input of the newest minute: metric, source, and the share of the last hour in which it was continuous and not too old.
/// `None` where it was never seen. A market that is younger than an hour is judged by what there is of it.
fn shares(reader: &dyn Reader, of: &Subject<'_>, inputs: &[InputView], moment: Ts) -> Result<Vec<Option<ValidShare>>> {
    let last = if moment - of.row.ts <= BEHIND { of.row.ts } else { moment.floor(GRID) };
    let from = (last - DATA_OF + GRID).max(of.first);
    let range = Range { start: from, end: Ts(last.0.saturating_add(1)) };
    let query = RowQuery { range, every: None, after: None, limit: usize::MAX, as_of: of.as_of };
    let mut rows = reader.history(of.kept.key, &query)?;
    align(&mut rows.rows, &rows.columns);
    let lens = of.lens.over(&rows);
    // The newest minute of a live process may not be in the store yet; its numbers of streams are its own.
    let own = core::iter::once((of.row, &of.lens.streams)).filter(|(row, _)| row.ts <= last && row.ts >= from);
    let stored = rows.rows.iter().filter(|row| row.ts != of.row.ts).map(|row| (row, &lens.streams));
    let seen: Vec<(&MinuteRow, &Arc<[StreamDecl]>)> = stored.chain(own).collect();
    let is_valid = |row: &MinuteRow, input: &InputAge, streams: &[StreamDecl]| {
        input.stream.is_some() && input.gap.is_none() && !lens.book.freshness.is_stale(row.ts, input, streams)
    };
    #[expect(clippy::cast_precision_loss, reason = "at most sixty minutes")]
    let minutes = ((last - from).0 / GRID.0 + 1).max(1) as f64;
    let share = |view: &InputView| {
        let source = view.source.clone()?;
        let valid = seen.iter().filter(|(row, streams)| {
            row.inputs.iter().any(|i| i.metric.name() == view.metric && is_valid(row, i, streams))
        });
        #[expect(clippy::cast_precision_loss, reason = "at most sixty minutes")]
        let share = valid.count() as f64 / minutes;
        Some(ValidShare { metric: view.metric, source, share: share.min(1.0) })
    };
    Ok(inputs.iter().map(share).collect())
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
fn patterns(of: &Subject<'_>, open: &[KnownAlert]) -> Vec<PatternCheck> {
    let is_open = |pattern: Pattern, trigger| {
        open.iter().find(|k| k.alert.pattern == pattern && (trigger == k.alert.trigger)).map(|k| &k.alert)
    };
    let zscore = &of.row.cells[barograph_engine::Feature::FundingZscore24h.index()];
    let settled = zscore.stream.and_then(|s| of.lens.streams.get(s.index()));
    let is_week = settled.is_some_and(|decl| decl.metric == barograph_domain::Metric::FundingRateSettled);
    let read = checks::read(of.row, is_week, &of.lens.book.detectors).into_iter().map(|read| PatternCheck {
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
