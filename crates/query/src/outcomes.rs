//! What the market did after an alert began, and the earlier episodes of its detector most like it (surveillance §7 and §8), read from
//! stored minutes when somebody asks.

use crate::render::align;
use barograph_api::outcome::{AlertOutcome, AlertOutcomeSpan, SimilarAlert};
use barograph_domain::alert::{AlertChange, Severity, Statistic};
use barograph_domain::time::LATENESS;
use barograph_domain::{Alert, Cell, KnownAlert, Metric, MinuteRow, Reason, Span, Ts};
use barograph_engine::Feature;
use barograph_store::run::GRID;
use barograph_store::{AlertQuery, Range, Reader, Result, RowQuery, RunKey};
use std::collections::{BTreeMap, BTreeSet};

const HOUR: Span = Span::hours(1);
/// Stretches after the beginning.
const SPANS: [(&str, Span); 3] = [("5m", Span::mins(5)), ("1h", HOUR), ("4h", Span::hours(4))];
/// Prices of a stretch that differ in their moment, at least: hours say nothing of five minutes.
const PRICES_MIN: usize = 4;
/// A move is given where so many of its minutes have a price.
const PRESENT_MIN: f64 = 0.8;
/// Similar episodes that are shown.
const SIMILAR: usize = 3;
/// Records of the detector that similar episodes are looked for among, the newest before the episode.
const RECORDS_MAX: usize = 5_000;
const READ: [Feature; 4] = [Feature::Atr14, Feature::RealizedVol1h, Feature::LiqLongUsd1h, Feature::LiqShortUsd1h];

/// The moment that what followed an alert is counted from: when it began, or happened. Of a label that changed, `opened_at` is when the
/// label before it began.
#[must_use]
pub const fn began(alert: &Alert) -> Ts {
    if matches!(alert.change, AlertChange::Happened) { alert.ts } else { alert.opened_at }
}

/// What followed `begin`, as far as `now` knows: minutes that ended by then, and of them only what was known at `as_of`.
///
/// # Errors
/// When the store cannot be read.
pub fn outcome(reader: &dyn Reader, key: &RunKey, begin: Ts, as_of: Option<Ts>, now: Ts) -> Result<AlertOutcome> {
    let from = begin.floor(GRID);
    Ok(of_rows(&minutes(reader, key, from, as_of)?, from, now))
}

/// The same, long after it perhaps: `None` where all of it has passed and none of its minutes is stored.
///
/// # Errors
/// When the store cannot be read.
pub fn outcome_if_stored(
    reader: &dyn Reader,
    key: &RunKey,
    begin: Ts,
    as_of: Option<Ts>,
    now: Ts,
) -> Result<Option<AlertOutcome>> {
    let from = begin.floor(GRID);
    let rows = minutes(reader, key, from, as_of)?;
    let is_gone = rows.is_empty() && from + SPANS[2].1 + LATENESS <= now;
    Ok((!is_gone).then(|| of_rows(&rows, from, now)))
}

/// The minutes of the longest stretch that begins at `from`, with what is read of them.
fn minutes(reader: &dyn Reader, key: &RunKey, from: Ts, as_of: Option<Ts>) -> Result<Vec<MinuteRow>> {
    let end = from + SPANS[2].1 + GRID;
    let query = RowQuery { range: Range { start: from, end }, every: None, after: None, limit: usize::MAX, as_of };
    let mut rows = reader.glances(key, &query, &READ.map(Feature::id))?;
    align(&mut rows.rows, &rows.columns);
    Ok(rows.rows)
}

/// The same from the minutes themselves, which begin at `from`.
fn of_rows(rows: &[MinuteRow], from: Ts, now: Ts) -> AlertOutcome {
    let at = |ts: Ts| rows.binary_search_by_key(&ts, |r| r.ts).ok().map(|n| &rows[n]);
    let first = at(from);
    let price = first.and_then(|r| r.price).filter(|p| *p > 0.0);
    let read = |row: Option<&MinuteRow>, feature: Feature| row.and_then(|r| r.cells[feature.index()].ready());
    let atr = read(first, Feature::Atr14).filter(|a| *a > 0.0);
    let vol = read(first, Feature::RealizedVol1h);
    let is_over = |span: Span| from + span + LATENESS <= now;
    let span = |(horizon, span): (&'static str, Span)| {
        let none = |reason| AlertOutcomeSpan {
            horizon,
            max_move: None,
            max_move_atr: None,
            vol_change: None,
            reason: Some(reason),
        };
        if !is_over(span) {
            return none("not_over");
        }
        let Some(price) = price else { return none("gap") };
        let after = || rows.iter().filter(|r| r.ts > from && r.ts <= from + span);
        let anchors: BTreeSet<Ts> = after().filter_map(priced_at).collect();
        let moves: Vec<f64> = after().filter_map(|r| Some(r.price.filter(|p| *p > 0.0)? / price - 1.0)).collect();
        #[expect(clippy::cast_precision_loss, reason = "minutes of four hours")]
        let present = moves.len() as f64 / (span.0 / GRID.0) as f64;
        let Some(max_move) = moves.into_iter().max_by(|a, b| a.abs().total_cmp(&b.abs())) else { return none("gap") };
        if present < PRESENT_MIN {
            return none("gap");
        }
        if anchors.len() < PRICES_MIN {
            return none("too_coarse");
        }
        AlertOutcomeSpan {
            horizon,
            max_move: Some(max_move),
            max_move_atr: atr.map(|atr| max_move.abs() * price / atr),
            vol_change: read(at(from + span), Feature::RealizedVol1h).zip(vol).map(|(after, before)| after - before),
            reason: None,
        }
    };
    let closed = if is_over(HOUR) { liquidated(at(from + HOUR)) } else { Err("not_over") };
    AlertOutcome {
        from,
        price,
        atr,
        spans: SPANS.into_iter().map(span).collect(),
        liquidated_usd_1h: closed.ok(),
        liquidated_usd_1h_reason: closed.err(),
    }
}

/// When the price of a minute was last made.
fn priced_at(row: &MinuteRow) -> Option<Ts> {
    row.inputs.iter().find(|i| i.metric == Metric::MarkPrice && i.stream.is_some()).map(|i| i.anchor)
}

/// Both sides of the hour before a minute, or why that is not known.
fn liquidated(row: Option<&MinuteRow>) -> core::result::Result<f64, &'static str> {
    let row = row.ok_or("gap")?;
    let side = |feature: Feature| {
        let cell: &Cell = &row.cells[feature.index()];
        cell.ready().ok_or_else(|| cell.reason().map_or("stale", Reason::name))
    };
    Ok(side(Feature::LiqLongUsd1h)? + side(Feature::LiqShortUsd1h)?)
}

/// The episodes of the same detector and trigger before one, nearest first, each by its most extreme
/// record before that one, with what became of it and what followed.
///
/// # Errors
/// When the store cannot be read.
pub fn similar(
    reader: &dyn Reader,
    key: &RunKey,
    of: &KnownAlert,
    as_of: Option<Ts>,
    now: Ts,
) -> Result<Vec<SimilarAlert>> {
    let query = AlertQuery {
        patterns: vec![of.alert.pattern],
        range: Range { start: Ts::MIN, end: began(&of.alert) },
        newest_first: true,
        limit: RECORDS_MAX,
        as_of,
        ..AlertQuery::default()
    };
    let records = reader.alerts(key, &query)?.items;
    let mut peaks: BTreeMap<String, KnownAlert> = BTreeMap::new();
    for known in records.into_iter().filter(|known| is_of_a_kind(&known.alert, &of.alert)) {
        let id = known.alert.id(&key.instrument, &key.logic_version);
        match peaks.get_mut(&id) {
            Some(peak) if known.alert.score > peak.alert.score => *peak = known,
            Some(_) => {}
            None => drop(peaks.insert(id, known)),
        }
    }
    let has_numbers = !of.alert.statistics.is_empty();
    let far = |peak: &KnownAlert| distance(&of.alert.statistics, &peak.alert.statistics);
    let mut near: Vec<(Option<f64>, String, KnownAlert)> = peaks
        .into_iter()
        .map(|(id, peak)| (far(&peak), id, peak))
        .filter(|(distance, ..)| distance.is_some() || !has_numbers)
        .collect();
    near.sort_by(|(a, _, x), (b, _, y)| {
        let nearest = a.unwrap_or_default().total_cmp(&b.unwrap_or_default());
        nearest.then_with(|| began(&y.alert).cmp(&began(&x.alert)))
    });
    near.truncate(SIMILAR);
    let whole = |(distance, alert_id, peak): (Option<f64>, String, KnownAlert)| {
        let opened_at = began(&peak.alert);
        let query = AlertQuery { episode: alert_id.clone(), as_of, ..AlertQuery::default() };
        let course = EpisodeCourse::of(&peak, &reader.alerts(key, &query)?.items);
        Ok(SimilarAlert {
            alert_id,
            opened_at,
            closed_at: course.closed_at,
            severity: course.severity,
            anomaly_score: course.score,
            distance,
            outcome: outcome(reader, key, opened_at, as_of, now)?,
        })
    };
    near.into_iter().map(whole).collect()
}

/// What became of an episode, by all its records: it may have gone on, and got worse, after another alert began that is asked about.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct EpisodeCourse {
    closed_at: Option<Ts>,
    severity: Severity,
    /// The greatest of its records.
    pub(crate) score: f64,
}

impl EpisodeCourse {
    pub(crate) fn of(first: &KnownAlert, records: &[KnownAlert]) -> Self {
        let all = || records.iter().chain([first]).map(|known| &known.alert);
        Self {
            closed_at: all().max_by_key(|alert| alert.revision).and_then(|newest| newest.closed_at),
            severity: all().map(|alert| alert.severity).fold(first.alert.severity, Severity::max),
            score: all().map(|alert| alert.score).fold(first.alert.score, f64::max),
        }
    }
}

/// Did the same detector see the same thing? Of labels: the same axis came to the same one.
fn is_of_a_kind(one: &Alert, other: &Alert) -> bool {
    let word =
        |alert: &Alert, name: &str| alert.data.iter().find(|(n, _)| &**n == name).map(|(_, datum)| datum.clone());
    one.trigger == other.trigger
        && one.other == other.other
        && one.rule == other.rule
        && ["axis", "to", "regime"].into_iter().all(|name| word(one, name) == word(other, name))
}

/// Root mean square of `ln(u)` against `ln(u)` over the statistics that both have; `None` where they share none.
fn distance(own: &[Statistic], theirs: &[Statistic]) -> Option<f64> {
    let u = |s: &Statistic| s.u.filter(|u| *u > 0.0).map(f64::ln);
    let both: Vec<f64> = own
        .iter()
        .filter_map(|s| {
            let other = theirs.iter().find(|t| t.name == s.name && t.decides == s.decides)?;
            Some((u(s)? - u(other)?).powi(2))
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a few statistics")]
    let n = both.len() as f64;
    (!both.is_empty()).then(|| (both.iter().sum::<f64>() / n).sqrt())
}

#[cfg(test)]
#[path = "outcomes_tests.rs"]
mod tests;
