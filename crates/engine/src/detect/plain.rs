//! The detectors over plain lists (R4.7, R4.13), through the streaming parts.

use super::inputs::{Inputs, LiquidationInputs};
use super::surveillance::Surveillance;
use super::thresholds::Thresholds;
use crate::features::funding::{FundingSlots, RunningFunding};
use crate::features::reading::{ReadinessSettings, ReadingOrigin};
use crate::liquidations::plain::{Closed, replay};
use crate::series::Series;
use barograph_domain::{Alert, InstrumentName, Kind, Metric, Pattern, Span, Stamp, StreamDecl, StreamIndex, Ts};

/// Cascades of a list of liquidations that is complete from its first event to `until` (R4.7): every record of every
/// episode, in order of time.
#[must_use]
pub fn detect_cascade_events(events: &[Closed], until: Ts, thresholds: &Thresholds) -> Vec<Alert> {
    let Some(since) = events.iter().map(|e| e.ts).min() else { return Vec::new() };
    let mut surveillance = Surveillance::default();
    let mut out = Vec::new();
    replay(events, since, until, thresholds.liquidations, |stream, burst, ts| {
        let liquidations = LiquidationInputs::of(stream.slots(), ts);
        match burst {
            None => surveillance.step(&Inputs { liquidations, ..Inputs::nothing(ts) }, thresholds, &mut out),
            Some(burst) => {
                let liquidations = liquidations.at_event(&burst);
                surveillance.at_event(&Inputs { liquidations, ..Inputs::nothing(burst.ts) }, thresholds, &mut out);
            }
        }
    });
    out.retain(|a| a.pattern == Pattern::LiquidationCascade);
    out
}

/// One observation of the running rate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FundingPoint {
    /// Time of the settlement.
    pub ts: Ts,
    /// Fraction per interval.
    pub rate: f64,
    /// Hours between settlements.
    pub interval_h: f64,
}

/// Readings of running funding at the last of these observations (R4.13), on a grid as fine as they come.
#[must_use]
pub fn compute_funding_metrics(points: &[FundingPoint]) -> FundingSlots {
    let mut out = FundingSlots::MISSING;
    each_funding(points, |_, slots| out = *slots);
    out
}

/// Funding anomalies of a list of observations (R4.10, R4.13).
#[must_use]
pub fn detect_funding_anomalies(points: &[FundingPoint], thresholds: &Thresholds) -> Vec<Alert> {
    funding_alerts(points, thresholds, Pattern::FundingAnomaly)
}

/// Funding reversals of a list of observations (R4.9, R4.13).
#[must_use]
pub fn detect_reversal_signals(points: &[FundingPoint], thresholds: &Thresholds) -> Vec<Alert> {
    funding_alerts(points, thresholds, Pattern::FundingReversal)
}

fn funding_alerts(points: &[FundingPoint], thresholds: &Thresholds, pattern: Pattern) -> Vec<Alert> {
    let mut surveillance = Surveillance::default();
    let mut out = Vec::new();
    each_funding(points, |ts, slots| {
        let inputs = Inputs {
            funding_rate: slots.rate.at(ts),
            funding_zscore: slots.zscore.at(ts),
            funding_change: slots.change_8h.at(ts),
            funding_volatility: slots.vol_24h.at(ts),
            ..Inputs::nothing(ts)
        };
        surveillance.step(&inputs, thresholds, &mut out);
    });
    out.retain(|a| a.pattern == pattern);
    out
}

/// Feeds the observations to the streaming windows, one grid instant after another.
fn each_funding(points: &[FundingPoint], mut each: impl FnMut(Ts, &FundingSlots)) {
    let mut points: Vec<FundingPoint> =
        points.iter().copied().filter(|p| p.rate.is_finite() && p.interval_h > 0.0).collect();
    points.sort_by_key(|p| p.ts);
    points.dedup_by_key(|p| p.ts);
    let Some(cadence) = cadence(&points) else { return };
    let Ok(instrument) = InstrumentName::new("list", "LIST") else { return };
    let decl = StreamDecl {
        instrument,
        metric: Metric::FundingRate,
        kind: Kind::Measured,
        cadence,
        source: String::new(),
        delay: Span::ZERO,
        stamp: Stamp::Instant,
        filled: false,
    };
    let mut series: Series<f64> = Series::new(&decl, Span::mins(1), Span::hours(26), decl.max_age());
    let (mut windows, mut slots) = (RunningFunding::new(series.step()), FundingSlots::MISSING);
    let settings =
        ReadinessSettings { span_min: 0.0, coverage_min: 0.0, allow_proxy: true, ..ReadinessSettings::default() };
    for p in &points {
        series.push(p.ts, p.rate * (8.0 / p.interval_h));
        let at = p.ts.ceil(series.step());
        if series.settle(at) {
            windows.settle(&series);
            let event = series.event_at(at);
            let (expires, stream) = (series.expires(), StreamIndex(0));
            let origin = ReadingOrigin { anchor: at, event, expires, kind: Kind::Measured, stream };
            windows.read(&series, &origin, &settings, &mut slots);
            series.seen();
            each(at, &slots);
        }
    }
}

/// The usual time between observations: the median of the differences, in whole minutes.
fn cadence(points: &[FundingPoint]) -> Option<Span> {
    let mut steps: Vec<i64> = points.windows(2).map(|w| (w[1].ts - w[0].ts).0).collect();
    steps.sort_unstable();
    let median = Span(*steps.get(steps.len() / 2)?);
    let minute = Span::mins(1);
    Some(Span(((median.0 + minute.0 / 2) / minute.0).max(1) * minute.0).min(Span::hours(8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_time_between_observations_is_their_median_in_whole_minutes() {
        let seconds_apart = |steps: &[i64]| {
            let mut ts = Ts(0);
            let mut points = vec![FundingPoint { ts, rate: 0.0, interval_h: 8.0 }];
            for step in steps {
                ts = ts + Span::secs(*step);
                points.push(FundingPoint { ts, rate: 0.0, interval_h: 8.0 });
            }
            cadence(&points)
        };
        assert_eq!(seconds_apart(&[]), None);
        for (steps, minutes) in [
            (&[3_600, 3_600, 3_600][..], 60),
            (&[3_589, 3_611, 3_600], 60),
            (&[300, 301, 7_200], 5),
            (&[20, 20], 1),
            (&[28_800, 28_801, 28_800], 480),
            (&[86_400, 86_400], 480),
        ] {
            assert_eq!(seconds_apart(steps), Some(Span::mins(minutes)), "{steps:?}");
        }
    }
}
