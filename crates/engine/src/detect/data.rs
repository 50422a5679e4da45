//! What is wrong with the data of one market: a stream that the rule book reads is lost, or an input is older than its limit.
//!
//! Both are alerts like any other, so that a silent market is never mistaken for a calm one. A stream that comes back within a
//! minute calls nobody; a price that is lost is worse than another input, and so is an age past which labels are given up.

use super::base_rate::{Spoken, day_of};
use super::ended_by_start;
use super::episode::{DueRecord, Episode};
use super::judge::{Judgement, RuleFinding};
use crate::rules::{Freshness, Staleness};
use barograph_domain::alert::{Datum, Statistic, Word};
use barograph_domain::{Alert, InputAge, Kind, Metric, Pattern, Severity, Span, StreamDecl, Ts};
use serde::{Deserialize, Serialize};

/// Lost at two minutes in a row.
const LOST_FOR: Span = Span::mins(1);
/// Found again this long before it is over.
const CLEAR: Span = Span::mins(1);
/// It is over at the first minute that is whole.
const KEEP: f64 = 0.9;

/// State of both detectors of one market.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct DataWatch {
    lost: Episode,
    lost_since: Option<Ts>,
    stale: Episode,
    spoken: [Spoken; 2],
}

/// One minute's inputs and what is known of their streams.
#[derive(Clone, Copy, Debug)]
pub struct DataInputs<'a> {
    /// The minute.
    pub ts: Ts,
    /// What the rule book reads, with the age of each.
    pub inputs: &'a [InputAge],
    /// Declarations of the run's streams.
    pub streams: &'a [StreamDecl],
    /// The book's limits.
    pub freshness: Freshness,
}

impl<'a> DataInputs<'a> {
    fn lost(self) -> impl Iterator<Item = &'a InputAge> {
        self.inputs.iter().filter(|i| i.stream.is_some() && i.gap.is_some())
    }

    /// What the market really has behind an input: its trades or candles where nobody publishes a mark price.
    fn heard(self, input: &InputAge) -> Metric {
        let decl = input.stream.and_then(|stream| self.streams.get(stream.index()));
        decl.map_or(input.metric, |decl| decl.metric)
    }

    /// Inputs that have ever been seen, with age and limit.
    fn aged(self) -> impl Iterator<Item = (&'a InputAge, &'a StreamDecl, Span)> {
        let Self { ts, streams, .. } = self;
        self.inputs.iter().filter_map(move |i| {
            let decl = streams.get(i.stream?.index())?;
            Some((i, decl, ts - i.anchor))
        })
    }

    /// The greatest age over its limit, and whether one is past the age at which labels are given up.
    fn oldest(self) -> (f64, bool) {
        self.aged().fold((0.0, false), |(u, given_up), (_, decl, age)| {
            let limit = self.freshness.max_age(decl);
            (f64::max(u, age.as_secs_f64() / limit.as_secs_f64()), given_up || age > self.freshness.gap_alert(decl))
        })
    }
}

const fn is_price(metric: Metric) -> bool {
    matches!(metric, Metric::MarkPrice | Metric::Bar | Metric::Trade)
}

impl DataWatch {
    /// Judges one minute; records that follow are added to `out`.
    pub fn step(&mut self, data: DataInputs<'_>, out: &mut Vec<Alert>) {
        let fresh = !Staleness::of(data.freshness, data.ts, data.inputs, data.streams).any;
        self.step_aged(data, fresh, out);
    }

    /// As [`Self::step`], where it is known already whether all inputs are within their limits.
    pub(crate) fn step_aged(&mut self, data: DataInputs<'_>, fresh: bool, out: &mut Vec<Alert>) {
        let is_open = self.lost.running().is_some() || self.stale.running().is_some();
        if is_open || !fresh || data.lost().next().is_some() {
            self.judge(data, out);
        } else {
            self.lost_since = None;
        }
        let day = day_of(data.ts);
        self.spoken[0].minute_of(day, true, self.lost.running().is_some());
        self.spoken[1].minute_of(day, true, self.stale.running().is_some());
    }

    fn judge(&mut self, data: DataInputs<'_>, out: &mut Vec<Alert>) {
        let (lost, price) = data.lost().fold((0_u32, false), |(n, price), i| (n + 1, price || is_price(i.metric)));
        self.lost_since = (lost > 0).then(|| self.lost_since.unwrap_or(data.ts));
        let long_enough = self.lost_since.is_some_and(|since| data.ts - since >= LOST_FOR);
        let severity = if price { Severity::High } else { Severity::Medium };
        let finding = RuleFinding { fires: long_enough, u: f64::from(lost), severity };
        if let Some(report) = self.lost.step(data.ts, &Judgement::Of(finding), KEEP, CLEAR) {
            let alert = record(Pattern::DataGap, data.ts, &report, &mut self.spoken[0]);
            out.push(Alert { statistics: vec![count(lost)], data: vec![names("streams", data)], ..alert });
        }
        let (u, given_up) = data.oldest();
        let severity = if given_up { Severity::High } else { Severity::Medium };
        let finding = RuleFinding { fires: u > 1.0, u, severity };
        if let Some(report) = self.stale.step(data.ts, &Judgement::Of(finding), KEEP, CLEAR) {
            let alert = record(Pattern::FeedStale, data.ts, &report, &mut self.spoken[1]);
            out.push(Alert { statistics: ages(data), data: vec![old(data)], ..alert });
        }
    }
}

impl DataWatch {
    /// Ends what is open, each with a record, because nothing follows it any more ([`super::episode::ENDED_BY`]).
    pub fn end(&mut self, ts: Ts, out: &mut Vec<Alert>) {
        let both = [(Pattern::DataGap, &mut self.lost), (Pattern::FeedStale, &mut self.stale)];
        let ended = both.into_iter().filter_map(|(pattern, episode)| Some(episode.end(ts)?.record(pattern, ts)));
        out.extend(ended.map(|of| Alert { data: vec![ended_by_start()], ..of }));
        self.lost_since = None;
    }

    /// Episodes that are open now.
    pub fn open(&self) -> impl Iterator<Item = (Pattern, Severity)> {
        let both = [(Pattern::DataGap, &self.lost), (Pattern::FeedStale, &self.stale)];
        both.into_iter().filter_map(|(pattern, episode)| Some((pattern, episode.running()?.severity)))
    }
}

fn record(pattern: Pattern, ts: Ts, report: &DueRecord, spoken: &mut Spoken) -> Alert {
    let base_rate = spoken.rate_of(report.change, ts, report.of.opened_at);
    Alert { base_rate, ..report.record(pattern, ts) }
}

fn measured(name: &'static str, value: f64, threshold: f64, unit: &'static str) -> Statistic {
    Statistic {
        name: Word::from(name),
        value: Some(value),
        reason: None,
        threshold,
        u: Some(value / threshold),
        unit: Word::from(unit),
        kind: Kind::Measured,
        coverage: 1.0,
        decides: true,
        uncalibrated: false,
    }
}

fn count(lost: u32) -> Statistic {
    measured("lost_streams", f64::from(lost), 1.0, "count")
}

/// "open interest (sequence jump)" of every stream that is lost.
fn names(name: &'static str, data: DataInputs<'_>) -> (Word, Datum) {
    let said = |i: &InputAge| {
        let why = i.gap.map_or("", |reason| reason.spoken());
        Word::from(format!("{} ({why})", data.heard(i).spoken()))
    };
    (Word::from(name), Datum::Words(data.lost().map(said).collect()))
}

/// The ages that are past their limits; where none is any more, the oldest of all.
fn ages(data: DataInputs<'_>) -> Vec<Statistic> {
    let of = |(_, decl, age): (&InputAge, &StreamDecl, Span)| {
        let limit = data.freshness.max_age(decl);
        Statistic {
            name: Word::from(format!("{}_age", decl.metric.name())),
            ..measured("", age.as_secs_f64(), limit.as_secs_f64(), "s")
        }
    };
    let all: Vec<Statistic> = data.aged().map(of).collect();
    let past: Vec<Statistic> = all.iter().filter(|s| s.u.is_some_and(|u| u > 1.0)).cloned().collect();
    if past.is_empty() {
        all.into_iter().max_by(|a, b| a.u.unwrap_or(0.0).total_cmp(&b.u.unwrap_or(0.0))).into_iter().collect()
    } else {
        past
    }
}

/// "mark price (14 min old, limit 5 min)" of every input that is too old.
fn old(data: DataInputs<'_>) -> (Word, Datum) {
    let too_old = data.aged().filter(|(_, decl, age)| *age > data.freshness.max_age(decl));
    let words = too_old.map(|(_, decl, age)| {
        let limit = data.freshness.max_age(decl);
        Word::from(format!("{} ({} old, limit {})", decl.metric.spoken(), age.spoken(), limit.spoken()))
    });
    (Word::from("inputs"), Datum::Words(words.collect()))
}
