//! How often a label came, as records and their texts say it, and which of two alerts about one thing speaks for the other.

use crate::support;
use barograph_domain::alert::{Alert, BaseRate};
use barograph_domain::{Cell, Kind, Pattern, RiskRegime, Severity, Span, Ts};
use barograph_engine::detect::{Inputs, Surveillance, Thresholds, explain};
use support::Random;

fn at(minute: i64) -> Ts {
    Ts::from_civil(2026, 2, 5, 0, 0, 0) + Span::mins(minute)
}

fn ready(value: f64) -> Cell {
    Cell::ready_at(value, at(0), Kind::Measured)
}

/// What a reader finds who counts the records again: entries into the label on this market in the 30 days before.
#[test]
fn the_count_of_a_label_is_that_of_its_records() {
    use RiskRegime::{ChopRisk, HighVol, Normal};
    let (mut surveillance, mut out, mut r) = (Surveillance::default(), Vec::new(), Random(11));
    let mut label = Normal;
    // Fifty days by the hour.
    for hour in 0..1_200 {
        if r.unit() < 0.2 {
            label = [Normal, ChopRisk, HighVol][usize::try_from(r.next() % 3).unwrap()];
        }
        let mut inputs = Inputs::nothing(at(60 * hour + 17));
        inputs.labels.risk = Some(label);
        surveillance.step(&inputs, &Thresholds::floors(), &mut out);
    }
    assert!(out.len() > 100, "{}", out.len());
    for (i, alert) in out.iter().enumerate() {
        let earlier = out[..i].iter().filter(|a| a.word("to") == alert.word("to"));
        let count = earlier.filter(|a| a.ts > alert.ts - Span::days(30)).count();
        assert_eq!(usize::try_from(alert.base_rate.fired_30d), Ok(count), "{}", alert.ts);
    }
}

/// The clause of the text says the count, and over how much data where that is less than the 30 days.
#[test]
fn how_often_it_came_is_said_with_the_days_it_is_counted_over() {
    let mut inputs = Inputs::nothing(at(0));
    inputs.labels.risk = Some(RiskRegime::Normal);
    let (mut surveillance, mut out) = (Surveillance::default(), Vec::new());
    surveillance.step(&inputs, &Thresholds::floors(), &mut out);
    inputs.labels.risk = Some(RiskRegime::HighVol);
    surveillance.step(&inputs, &Thresholds::floors(), &mut out);
    // Whatever came before the last 30 days, and however much of the last 90 is known, is another matter.
    for (fired_30d, known_days_30d, want) in [
        (0, Some(30.0), "First time on this market in 30 days."),
        (1, Some(30.0), "Once before in the last 30 days."),
        (22, None, "22 times before in the last 30 days."),
        (0, Some(20.9), "First time on this market in 20 days of data."),
        (3, Some(12.0), "3 times before in 12 days of data."),
        (0, Some(1.4), "First time on this market in one day of data."),
    ] {
        let text = counted(&out[0], fired_30d, known_days_30d);
        assert!(text.ends_with(want), "{text}");
    }
    let text = counted(&out[0], 3, Some(0.9));
    assert!(!text.contains("before in") && !text.contains("days"), "part of a day says nothing: {text}");
}

/// The text of an alert that came so often in so many of the last 30 days.
fn counted(alert: &Alert, fired_30d: u32, known_days_30d: Option<f64>) -> String {
    let base_rate = BaseRate { fired_30d, fired_90d: 40, known_days: 64.2, known_days_30d, held_share_90d: None };
    explain::description(&Alert { base_rate, ..alert.clone() })
}

/// Between the limits of manipulation's severities an anomaly is the more severe of the two, and says so to everybody.
#[test]
fn a_milder_alert_does_not_say_the_same_more_strongly() {
    for (z, manipulation, inhibited_by) in
        [(3.5, Severity::Medium, None), (4.5, Severity::High, Some(Pattern::FundingManipulation))]
    {
        let mut inputs = Inputs::nothing(at(0));
        (inputs.funding_rate, inputs.funding_zscore) = (ready(0.0012), ready(z));
        (inputs.funding_change, inputs.funding_volatility) = (ready(0.0001), ready(0.0001));
        let mut out = Vec::new();
        Surveillance::default().step(&inputs, &Thresholds::floors(), &mut out);
        let told: Vec<_> = out.iter().map(|a| (a.pattern, a.severity, a.inhibited_by)).collect();
        let want = [
            (Pattern::FundingManipulation, manipulation, None),
            (Pattern::FundingAnomaly, Severity::High, inhibited_by),
        ];
        assert_eq!(told, want, "at {z}σ");
        assert_eq!(explain::description(&out[1]).contains("A stronger alert covers it"), inhibited_by.is_some());
    }
}
