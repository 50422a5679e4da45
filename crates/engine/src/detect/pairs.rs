//! Two markets that part (surveillance §2, CORRELATION_BREAK; features S10). What they are compared by comes from the rows
//! between markets, once an hour; here it is judged and becomes episodes.
//!
//! A record belongs to the pair's first market and names the other one. A pair that is not compared any more ends its episode.

use super::ended_by_start;
use super::episode::Episode;
use super::judge::{Judgement, RuleFinding};
use super::ranks::Rank;
use super::rarity::{Judging, SeverityTable};
use super::shown::Shown;
use super::thresholds::Thresholds;
use super::{base_rate::Spoken, inputs::Seen};
use barograph_domain::alert::{AlertChange, BaseRate, Statistic, Word};
use barograph_domain::universe::{Gauge, PairReading, PairState};
use barograph_domain::{
    Alert, Cell, InstrumentName, Kind, KnownAlert, Pattern, Reason, Severity, Span, State, Ts, UniverseRow,
};
use serde::{Deserialize, Serialize};

const CLEAR: Span = Span::mins(5);
/// `pair_corr_20` is of twenty hourly returns.
const WINDOW: Span = Span::hours(20);
/// The same, as a number of returns.
const RETURNS: u16 = 20;
/// Hours of `pair_corr_20_pct_180d`.
const RANKED: u16 = 180 * 24;
/// A pair is judged once an hour.
const MINUTES: u16 = 60;

/// A pair at one moment.
#[derive(Clone, Copy, Debug)]
pub struct PairInputs {
    /// The moment.
    pub ts: Ts,
    /// `pair_corr_20`.
    pub correlation: Cell,
    /// Lower end of what is usual for the pair.
    pub band_low: Cell,
    /// `pair_corr_20_pct_180d`.
    pub pct_180d: Cell,
    /// The pair is below its band, rare or not: worth a look.
    pub watch: bool,
}

impl PairInputs {
    /// What a row says of a pair.
    #[must_use]
    pub fn of(ts: Ts, pair: &PairReading) -> Self {
        Self {
            ts,
            correlation: cell(&pair.corr_20, ts, RETURNS),
            band_low: match pair.band {
                Some(band) => Cell::ready_at(band.low, ts, Kind::Measured),
                None => Cell::undefined(Reason::Warming),
            },
            pct_180d: cell(&pair.corr_20_pct_180d, ts, RANKED),
            watch: matches!(pair.state, Some(PairState::Watch | PairState::Break)),
        }
    }

    /// Nobody compares the two any more.
    const fn gone(ts: Ts) -> Self {
        let cell = Cell::undefined(Reason::NotOffered);
        Self { ts, correlation: cell, band_low: cell, pct_180d: cell, watch: false }
    }
}

/// A gauge over a window of `full` samples as a cell.
fn cell(gauge: &Gauge, ts: Ts, full: u16) -> Cell {
    let state = match (gauge.value, gauge.reason) {
        (Some(_), _) => State::Ready,
        (None, Some(Reason::Warming) | None) => State::Warming { have: gauge.n, need: gauge.need },
        (None, Some(reason)) => State::Undefined(reason),
    };
    let have = u16::try_from(gauge.n).unwrap_or(u16::MAX).min(full);
    let coverage = f32::from(have) / f32::from(full);
    let partial = gauge.partial;
    Cell { value: gauge.value.unwrap_or(0.0), coverage, state, partial, ..Cell::ready_at(0.0, ts, Kind::Measured) }
}

/// A record about a pair, of its first market.
#[derive(Clone, PartialEq, Debug)]
pub struct PairAlert {
    /// The pair's first market; the other one is in the record.
    pub instrument: InstrumentName,
    /// The record and when it was known: with its row.
    pub known: KnownAlert,
}

/// The episodes of all pairs that are compared.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct PairWatches {
    /// In the order of the rows.
    pairs: Vec<(InstrumentName, InstrumentName, PairWatch)>,
}

impl PairWatches {
    /// Judges an hour: rows come in order of time. Records in the order of the row's pairs, those of pairs that are gone first.
    pub fn step(&mut self, row: &UniverseRow, by: Judging<'_>) -> Vec<PairAlert> {
        let mut out = Vec::new();
        let mut tell = |one: &InstrumentName, alert: Option<Alert>| {
            let of = |alert| KnownAlert { known_at: row.known_ts, alert };
            out.extend(alert.map(|alert| PairAlert { instrument: one.clone(), known: of(alert) }));
        };
        let mut before = core::mem::take(&mut self.pairs);
        let names = row.pairs.iter().filter_map(|pair| {
            let name = |at: u16| Some(&row.markets.get(usize::from(at))?.instrument);
            Some((name(pair.a)?, name(pair.b)?, pair))
        });
        let mut now = Vec::with_capacity(row.pairs.len());
        for (one, other, pair) in names {
            let known = before.iter().position(|(a, b, _)| (a, b) == (one, other));
            let watch = known.map_or_else(PairWatch::default, |at| before.remove(at).2);
            now.push((one, other, pair, watch));
        }
        for (one, other, mut watch) in before {
            tell(&one, watch.step_by(&other, &PairInputs::gone(row.ts), by));
        }
        for (one, other, pair, mut watch) in now {
            tell(one, watch.step_by(other, &PairInputs::of(row.ts, pair), by));
            self.pairs.push((one.clone(), other.clone(), watch));
        }
        out
    }
}

impl PairWatches {
    /// Ends every episode, each with a record, because nothing follows them any more ([`super::episode::ENDED_BY`]).
    pub fn end(&mut self, ts: Ts) -> Vec<PairAlert> {
        let ended = self.pairs.iter_mut().filter_map(|(one, other, watch)| {
            let record = watch.episode.end(ts)?.record(Pattern::CorrelationBreak, ts);
            let alert = Alert { data: vec![ended_by_start()], other: Some(other.clone()), ..record };
            Some(PairAlert { instrument: one.clone(), known: KnownAlert { known_at: ts, alert } })
        });
        ended.collect()
    }
}

/// One pair's episode.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct PairWatch {
    episode: Episode,
    spoken: Spoken,
    rank: Rank,
}

impl PairWatch {
    /// Judges one hour by a book that knows no rarity.
    pub fn step(&mut self, other: &InstrumentName, inputs: &PairInputs, thresholds: &Thresholds) -> Option<Alert> {
        self.step_by(other, inputs, (thresholds, &SeverityTable::FIXED))
    }

    /// Judges one hour of the pair whose other market is `other`.
    pub fn step_by(
        &mut self,
        other: &InstrumentName,
        inputs: &PairInputs,
        (thresholds, table): Judging<'_>,
    ) -> Option<Alert> {
        let judged = self.ranked(judge(inputs, thresholds), inputs.ts, table);
        let report = self.episode.step(inputs.ts, &judged, thresholds.keep, CLEAR);
        // Before this hour is counted: it says nothing of what was usual before it.
        let before = self.spoken.judged(inputs.ts);
        self.spoken.minutes(inputs.ts, MINUTES, matches!(judged, Judgement::Of(_)), self.episode.running().is_some());
        let report = report?;
        let rate = self.spoken.rate_of(report.change, inputs.ts, report.of.opened_at);
        let base_rate = if report.change == AlertChange::Opened {
            BaseRate { fired_90d: rate.fired_90d, fired_30d: rate.fired_30d, ..before }
        } else {
            rate
        };
        let Shown { statistics, mut data } = show(inputs, thresholds);
        self.rank.note(table, &mut data);
        let (window_from, other) = (inputs.ts - WINDOW, Some(other.clone()));
        let record = report.record(Pattern::CorrelationBreak, inputs.ts);
        Some(Alert { window_from, statistics, data, base_rate, other, ..record })
    }
}

impl PairWatch {
    /// What is judged, with the severity that people hear of.
    fn ranked(&mut self, judged: Judgement, t: Ts, table: &SeverityTable) -> Judgement {
        let Judgement::Of(finding) = judged else { return judged };
        let opened_at = self.episode.running().map(|running| running.opened_at);
        let rate = || self.spoken.rate_beside(t, opened_at.unwrap_or(t));
        Judgement::Of(self.rank.take(Pattern::CorrelationBreak, (t, opened_at.is_some()), finding, (rate, None), table))
    }
}

/// Rare for the pair and below its band (S10).
fn rare(i: &PairInputs, r: f64, t: &Thresholds) -> bool {
    t.own_history
        && i.pct_180d.ready().is_some_and(|p| p < t.correlation_pct)
        && i.band_low.ready().is_some_and(|low| r < low)
}

/// How far below its threshold a correlation is: below the fixed one, or rare for the pair and below its band. `u` counts
/// from the middle of the band down, so that it is 1 at the threshold whichever sign it has.
fn judge(i: &PairInputs, t: &Thresholds) -> Judgement {
    // A price that does not move is neither close to another nor far from it: that is no calm here.
    let r = match Seen::of(&i.correlation) {
        Seen::Value(r) => r,
        Seen::NotOffered => return Judgement::NotApplicable,
        Seen::Calm | Seen::Unknown => return Judgement::NoData,
    };
    let below_fixed = r < t.correlation;
    let rare = rare(i, r, t);
    let severity = match (below_fixed, rare) {
        (true, _) => Severity::High,
        (false, true) => Severity::Medium,
        (false, false) => Severity::Info,
    };
    let severity = if t.own_history { severity } else { severity.min(Severity::Medium) };
    let c = if t.own_history { i.band_low.ready().unwrap_or(t.correlation).max(t.correlation) } else { t.correlation };
    let u = if 1.0 - c > 0.0 { (1.0 - r) / (1.0 - c) } else { 0.0 };
    Judgement::Of(RuleFinding { fires: below_fixed || rare || i.watch, u, severity })
}

/// `divergence_strength`, only of a break: `|corr|` below the fixed threshold, else how far it lies below the band.
fn strength(i: &PairInputs, t: &Thresholds) -> Option<f64> {
    let r = i.correlation.ready()?;
    if r < t.correlation {
        return Some(r.abs());
    }
    i.band_low.ready().filter(|_| rare(i, r, t)).map(|low| low - r)
}

/// What it is called: the original's word for the break it knew (R4.26), words of our own for what is short of it.
fn signal(i: &PairInputs, t: &Thresholds) -> &'static str {
    match i.correlation.ready() {
        Some(r) if r < t.correlation => "POTENTIAL_PAIR_TRADE",
        Some(r) if rare(i, r, t) => "DIVERGENCE",
        Some(_) if i.watch => "BELOW_BAND",
        Some(_) | None => "NONE",
    }
}

fn show(i: &PairInputs, t: &Thresholds) -> Shown {
    let mut shown = Shown::default();
    let mut statistic = |name: &'static str, cell: &Cell, threshold: f64, decides: bool| {
        let value = cell.ready();
        shown.statistics.push(Statistic {
            name: Word::from(name),
            value,
            reason: cell.reason(),
            threshold,
            u: None,
            unit: Word::from("correlation"),
            kind: cell.kind,
            coverage: cell.coverage,
            decides,
            uncalibrated: false,
        });
    };
    statistic("pair_corr_20", &i.correlation, t.correlation, true);
    if let Some(low) = i.band_low.ready() {
        statistic("pair_corr_20", &i.correlation, low, t.own_history);
    }
    statistic("pair_corr_20_pct_180d", &i.pct_180d, t.correlation_pct, t.own_history);
    shown.cell("return_correlation", &i.correlation);
    if let Some(strength) = strength(i, t) {
        shown.number("divergence_strength", strength);
    }
    shown.word("signal", signal(i, t));
    shown
}
