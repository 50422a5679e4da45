//! Counts as they are shown: rates a day of stored minutes, shares, and intervals.

use barograph_domain::scorecard::SkillReading;
use barograph_domain::time::DAY as A_DAY;
use barograph_domain::whatif::{
    AlertWhatIf, AxisWhatIf, BeforeAfter, ForecastWhatIf, HitRates, LabelWhatIf, SignalForecast, SignalMinutes,
    SignalWhatIf, WhatIfCounts,
};
use barograph_domain::{Axis, InstrumentName, Span, Ts, math};
use barograph_engine::whatif::{AxisCounts, DayLosses, Hits, LabelCounts, median};
use barograph_verify::scores::bootstrap::{BlockSeries, DRAWS, SEED};

/// Minutes of a day.
const DAY: f64 = 1_440.0;

/// A label as a forecast of an event, before and after.
#[derive(Clone, Debug)]
pub(super) struct Forecast {
    pub(super) event: String,
    pub(super) label: String,
    pub(super) horizon: Span,
    pub(super) hits: [Hits; 2],
}

/// What followed after a condition on signals came to hold.
#[derive(Clone, Debug)]
pub(super) struct SignalHits {
    pub(super) event: String,
    pub(super) horizon: Span,
    pub(super) hits: Hits,
}

/// A condition on signals, counted over a market or several.
#[derive(Clone, Debug, Default)]
pub(super) struct FoundSignal {
    pub(super) minutes: u64,
    /// Minutes on which it held or did not.
    pub(super) known: u64,
    pub(super) held: u64,
    pub(super) entries: u64,
    pub(super) forecasts: Vec<SignalHits>,
    pub(super) used: Vec<SignalMinutes>,
}

impl FoundSignal {
    fn add(&mut self, other: &Self) {
        self.minutes += other.minutes;
        self.known += other.known;
        self.held += other.held;
        self.entries += other.entries;
        for more in &other.forecasts {
            match self.forecasts.iter_mut().find(|f| f.event == more.event) {
                Some(own) => own.hits.add(&more.hits),
                None => self.forecasts.push(more.clone()),
            }
        }
        self.used.extend_from_slice(&other.used);
    }
}

/// All markets together that were counted; `None` where none was.
pub(super) fn signal_counts(when: &str, all: &[Found]) -> Option<SignalWhatIf> {
    let mut counted = all.iter().filter_map(|f| f.signal.as_ref());
    let mut found = counted.next()?.clone();
    counted.for_each(|more| found.add(more));
    let days = number(found.minutes) / DAY;
    let forecast = |of: &SignalHits| SignalForecast {
        event: of.event.clone(),
        horizon_min: of.horizon.as_secs() / 60,
        base_rate: share(of.hits.base[0], of.hits.base[1]),
        hits: rates(&of.hits),
    };
    Some(SignalWhatIf {
        when: when.to_owned(),
        market_days: days,
        entries_per_day: (days > 0.0).then(|| number(found.entries) / days),
        share: share(found.held, found.minutes),
        known_share: share(found.known, found.minutes),
        forecasts: found.forecasts.iter().map(forecast).collect(),
        used: found.used,
    })
}

/// What was counted of a market, or of several.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) instrument: InstrumentName,
    pub(super) minutes: u64,
    pub(super) axes: Vec<AxisCounts>,
    alerts: Vec<(String, [Option<u64>; 2])>,
    pub(super) forecasts: Vec<Forecast>,
    pub(super) not_as_published: Option<u64>,
    /// `None` where no condition was asked about, or its signals do not speak of the market.
    pub(super) signal: Option<FoundSignal>,
}

impl Found {
    pub(super) const fn new(instrument: InstrumentName, minutes: u64) -> Self {
        Self {
            instrument,
            minutes,
            axes: Vec::new(),
            alerts: Vec::new(),
            forecasts: Vec::new(),
            not_as_published: None,
            signal: None,
        }
    }
    /// Notes how often an alert rule fired under one of the books.
    pub(super) fn alert(&mut self, rule: String, side: usize, fired: u64) {
        let at = self.alerts.iter().position(|(r, _)| *r == rule).unwrap_or_else(|| {
            self.alerts.push((rule, [None; 2]));
            self.alerts.len() - 1
        });
        let own = &mut self.alerts[at].1[side];
        *own = Some(own.unwrap_or(0) + fired);
    }
    fn add(&mut self, other: &Self) {
        self.minutes += other.minutes;
        self.axes.iter_mut().zip(&other.axes).for_each(|(a, b)| a.add(b));
        for (rule, fired) in &other.alerts {
            (0..2)
                .filter_map(|side| Some((side, fired[side]?)))
                .for_each(|(side, n)| self.alert(rule.clone(), side, n));
        }
        for more in &other.forecasts {
            match self.forecasts.iter_mut().find(|f| f.event == more.event && f.label == more.label) {
                Some(own) => own.hits.iter_mut().zip(&more.hits).for_each(|(a, b)| a.add(b)),
                None => self.forecasts.push(more.clone()),
            }
        }
        self.not_as_published = self.not_as_published.zip(other.not_as_published).map(|(a, b)| a + b);
    }
}

/// All markets together, under the name of the first; `None` where there is none.
pub(super) fn sum(all: &[Found]) -> Option<Found> {
    // Of an empty market nothing was counted, not even no label.
    let mut counted = all.iter().filter(|f| f.minutes > 0);
    let mut out = counted.next().or_else(|| all.first())?.clone();
    counted.for_each(|more| out.add(more));
    Some(out)
}

#[expect(clippy::cast_precision_loss, reason = "counts of minutes and entries")]
const fn number(n: u64) -> f64 {
    n as f64
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| number(part) / number(whole))
}

fn both(of: impl Fn(usize) -> Option<f64>) -> BeforeAfter {
    BeforeAfter { before: of(0), after: of(1) }
}

/// As rates and shares.
pub(super) fn counts(found: &Found) -> WhatIfCounts {
    let days = number(found.minutes) / DAY;
    let per_day = |n: u64| (days > 0.0).then(|| number(n) / days);
    let alerts = |side: usize| {
        let of_labels = found.axes.iter().flat_map(|a| a.labels.iter().filter(|l| asserts(a.axis, &l.label)));
        let fired = found.alerts.iter().filter_map(|(_, fired)| fired[side]);
        of_labels.map(|l| l.entries[side]).sum::<u64>() + fired.sum::<u64>()
    };
    WhatIfCounts {
        market_days: days,
        alerts_per_day: both(|side| per_day(alerts(side))),
        axes: found.axes.iter().map(|axis| of_axis(axis, per_day)).collect(),
        rules: found
            .alerts
            .iter()
            .map(|(rule, fired)| AlertWhatIf {
                rule: rule.clone(),
                per_day: both(|side| fired[side].and_then(per_day)),
            })
            .collect(),
        forecasts: found.forecasts.iter().map(forecast).collect(),
        minutes_not_as_published: found.not_as_published,
    }
}

/// Is an entry of a label an alert? What rests is none, and what is not known.
fn asserts(axis: Axis, label: &str) -> bool {
    let resting = match axis {
        Axis::Risk => "NORMAL",
        Axis::Trend => "SIDEWAYS",
        Axis::Volatility => "STABLE",
        Axis::Heat => "NEUTRAL",
    };
    label != resting && label != "UNKNOWN"
}

fn of_axis(axis: &AxisCounts, per_day: impl Fn(u64) -> Option<f64>) -> AxisWhatIf {
    let label = |l: &LabelCounts| {
        let [before, after] = l.minutes;
        LabelWhatIf {
            label: l.label.clone(),
            entries_per_day: both(|side| per_day(l.entries[side])),
            share: both(|side| share(l.minutes[side], axis.minutes)),
            minutes_both: l.both,
            minutes_before_only: before - l.both.min(before),
            minutes_after_only: after - l.both.min(after),
            overlap: share(l.both, before + after - l.both.min(before)),
        }
    };
    AxisWhatIf {
        axis: axis.axis,
        changes_per_day: both(|side| per_day(axis.changes[side])),
        raw_changes_per_day: both(|side| per_day(axis.raw_changes[side])),
        same_share: share(axis.same, axis.minutes),
        labels: axis.labels.iter().map(label).collect(),
    }
}

/// With rates.
pub(super) fn forecast(of: &Forecast) -> ForecastWhatIf {
    let [before, after] = &of.hits;
    ForecastWhatIf {
        event: of.event.clone(),
        label: of.label.clone(),
        horizon_min: of.horizon.as_secs() / 60,
        base_rate: share(before.base[0], before.base[1]),
        before: rates(before),
        after: rates(after),
    }
}

fn rates(hits: &Hits) -> HitRates {
    let precision = share(hits.hits, hits.resolved);
    let base = share(hits.base[0], hits.base[1]).filter(|b| *b > 0.0);
    let interval = wilson(hits.hits, hits.resolved);
    HitRates {
        alerts: hits.alerts,
        resolved: hits.resolved,
        precision,
        precision_low: interval.map(|i| i.0),
        precision_high: interval.map(|i| i.1),
        lift: precision.zip(base).map(|(p, b)| p / b),
        events: hits.events,
        recall: share(hits.preceded, hits.events),
        in_force_at_onset: share(hits.in_force, hits.events),
        median_lead_min: median(&hits.leads),
        skill: skill(&hits.losses),
    }
}

/// With its band over resampled UTC days (verification §4): neighbouring moments share their outcome, days hardly do.
fn skill(losses: &DayLosses) -> SkillReading {
    let days = losses.days.iter().map(|(day, sums)| (Ts(day.saturating_mul(A_DAY.0)), *sums));
    let series = BlockSeries::with_block(days, A_DAY, A_DAY);
    let score = |sums: &[f64; 3]| (sums[2] > 0.0).then(|| 1.0 - sums[1] / sums[2]);
    let band = series.resamples(DRAWS, SEED).and_then(|r| r.band(score));
    let total = series.total();
    let mean = |sum: f64| (total[0] > 0.0).then(|| sum / total[0]);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of moments")]
    let n = total[0] as u64;
    SkillReading {
        value: score(&total),
        low: band.map(|b| b.low),
        high: band.map(|b| b.high),
        n,
        brier: mean(total[1]),
        reference_brier: mean(total[2]),
    }
}

/// Wilson's interval of a share, 90 %.
fn wilson(hits: u64, of: u64) -> Option<(f64, f64)> {
    let [low, high] = math::wilson(share(hits, of)?, number(of), math::Z_90);
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe (1998), table I, at 95 %, with z of 90 % computed by hand.
    #[test]
    fn wilson_intervals_are_known_numbers() {
        for (hits, of, low, high) in [(81, 263, 0.2633, 0.3566), (0, 20, 0.0, 0.1192), (1, 1, 0.2699, 1.0)] {
            let (a, b) = wilson(hits, of).unwrap();
            assert!((a - low).abs() < 6e-4 && (b - high).abs() < 6e-4, "{hits}/{of}: {a} {b}");
        }
        assert_eq!(wilson(0, 0), None);
    }
}
