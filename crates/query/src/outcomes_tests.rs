use super::*;
use barograph_domain::{InputAge, Kind, Pattern, StreamIndex};
use barograph_engine::CATALOGUE;

fn minute(n: i64) -> Ts {
    Ts::from_civil(2026, 2, 5, 12, 0, 0) + Span::mins(n)
}

/// A minute with a price, an ATR of 2, a volatility and liquidations of 3 and 4.
fn row(n: i64, price: Option<f64>, vol: f64) -> MinuteRow {
    let mut cells = vec![Cell::undefined(Reason::MissingInput); CATALOGUE.len()];
    let mut set = |feature: Feature, value| cells[feature.index()] = Cell::ready_at(value, minute(n), Kind::Measured);
    set(Feature::Atr14, 2.0);
    set(Feature::RealizedVol1h, vol);
    set(Feature::LiqLongUsd1h, 3.0);
    set(Feature::LiqShortUsd1h, 4.0);
    let inputs = vec![priced(n)];
    MinuteRow { cells, inputs, price, ..MinuteRow::bare(minute(n)) }
}

fn priced(n: i64) -> InputAge {
    InputAge { metric: Metric::MarkPrice, stream: Some(StreamIndex(0)), anchor: minute(n), gap: None }
}

fn hours(of: impl Fn(i64) -> Option<f64>) -> Vec<MinuteRow> {
    (0..=240).map(|n| row(n, of(n), if n < 60 { 0.4 } else { 0.7 })).collect()
}

fn moves(outcome: &AlertOutcome) -> Vec<(Option<f64>, Option<f64>, Option<&'static str>)> {
    let round = |x: f64| (x * 1e6).round() / 1e6;
    outcome.spans.iter().map(|s| (s.max_move.map(round), s.max_move_atr.map(round), s.reason)).collect()
}

#[test]
fn the_farthest_price_of_each_stretch_counts_in_atr_and_with_its_sign() {
    // Down by 4 at minute 5, up by 6 at minute 60, down by 10 at minute 240, each for one minute.
    let rows = hours(|n| {
        Some(match n {
            5 => 96.0,
            60 => 106.0,
            240 => 90.0,
            _ => 100.0,
        })
    });
    let found = of_rows(&rows, minute(0), minute(300));
    let want = [(Some(-0.04), Some(2.0), None), (Some(0.06), Some(3.0), None), (Some(-0.1), Some(5.0), None)];
    assert_eq!(moves(&found), want);
    let change: Vec<Option<f64>> = found.spans.iter().map(|s| s.vol_change.map(|v| (v * 1e6).round() / 1e6)).collect();
    assert_eq!(change, [Some(0.0), Some(0.3), Some(0.3)]);
    assert_eq!((found.liquidated_usd_1h, found.liquidated_usd_1h_reason), (Some(7.0), None));
}

#[test]
fn what_has_not_ended_is_not_said_and_what_was_missed_says_so() {
    let rows = hours(|_| Some(100.0));
    // The fifth minute is known as soon as its row may be used, and not before.
    let usable = minute(5) + LATENESS;
    for (now, want) in [(usable, None), (usable - Span::millis(1), Some("not_over"))] {
        let found = of_rows(&rows, minute(0), now);
        assert_eq!(found.spans[0].reason, want, "{now}");
        assert_eq!((found.spans[1].reason, found.liquidated_usd_1h_reason), (Some("not_over"), Some("not_over")));
    }
    // A third of the four hours without a price.
    let found = of_rows(&hours(|n| (n < 160).then_some(100.0)), minute(0), minute(300));
    assert_eq!(moves(&found)[1..], [(Some(0.0), Some(0.0), None), (None, None, Some("gap"))]);
    let none = of_rows(&[], minute(0), minute(300));
    assert!(none.spans.iter().all(|s| s.reason == Some("gap")) && none.liquidated_usd_1h_reason == Some("gap"));
}

#[test]
fn liquidations_that_the_venue_does_not_publish_have_their_reason() {
    let mut rows = hours(|_| Some(100.0));
    rows[60].cells[Feature::LiqShortUsd1h.index()] = Cell::undefined(Reason::NotOffered);
    let found = of_rows(&rows, minute(0), minute(300));
    assert_eq!((found.liquidated_usd_1h, found.liquidated_usd_1h_reason), (None, Some("not_offered")));
}

/// Bars of an hour say nothing of five minutes, and of an hour no more than its end.
#[test]
fn prices_that_come_seldom_are_no_moves_of_minutes() {
    let mut rows = hours(|n| Some(100.0 + f64::from(u32::try_from(n / 60).unwrap())));
    for (n, row) in rows.iter_mut().enumerate() {
        row.inputs = vec![priced(i64::try_from(n / 60 * 60).unwrap())];
    }
    let found = of_rows(&rows, minute(0), minute(300));
    let reasons: Vec<Option<&str>> = found.spans.iter().map(|s| s.reason).collect();
    assert_eq!(reasons, [Some("too_coarse"), Some("too_coarse"), None]);
}

fn statistic(name: &str, u: Option<f64>) -> Statistic {
    Statistic {
        name: name.to_owned().into(),
        value: u,
        reason: None,
        threshold: 1.0,
        u,
        unit: "1".into(),
        kind: Kind::Measured,
        coverage: 1.0,
        decides: true,
        uncalibrated: false,
    }
}

#[test]
fn distance_is_of_the_statistics_that_both_have() {
    let own = [statistic("a", Some(2.0)), statistic("b", Some(1.0)), statistic("c", None)];
    let near = [statistic("a", Some(2.0 * core::f64::consts::E)), statistic("b", Some(1.0)), statistic("c", Some(9.0))];
    assert!((distance(&own, &near).unwrap() - core::f64::consts::FRAC_1_SQRT_2).abs() < 1e-12);
    assert_eq!(distance(&own, &own), Some(0.0));
    assert_eq!(distance(&own, &[statistic("d", Some(1.0))]), None);
}

/// It was MEDIUM when the alert began that is asked about, HIGH an hour later, and is over by now.
#[test]
fn an_earlier_episode_is_shown_as_what_became_of_it() {
    let record = |revision, severity, score, closed_at| {
        let alert =
            Alert { revision, score, closed_at, ..Alert::opened(Pattern::PremiumDeviation, minute(0), severity) };
        KnownAlert { known_at: minute(60), alert }
    };
    let before = record(1, Severity::Medium, 64.0, None);
    let all =
        [before.clone(), record(3, Severity::High, 70.0, Some(minute(120))), record(2, Severity::High, 91.0, None)];
    let course = EpisodeCourse::of(&before, &all);
    assert_eq!(course, EpisodeCourse { closed_at: Some(minute(120)), severity: Severity::High, score: 91.0 });
    let alone = EpisodeCourse::of(&before, &[]);
    assert_eq!((alone.closed_at, alone.severity), (None, Severity::Medium));
}
