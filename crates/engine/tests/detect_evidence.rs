//! What records say of themselves: a burst by its own closes, a funding anomaly by its market's own month, a stand-in by what it is.

#![expect(clippy::float_cmp, reason = "exact numbers are meant")]

use barograph_domain::alert::AlertChange;
use barograph_domain::{Alert, Cell, Kind, Pattern, Side, Span, State, Trigger, Ts};
use barograph_engine::detect::plain::detect_cascade_events;
use barograph_engine::detect::{Inputs, Surveillance, Thresholds, explain};
use barograph_engine::liquidations::plain::Closed;

fn at(minute: i64) -> Ts {
    Ts::from_civil(2026, 2, 5, 0, 0, 0) + Span::mins(minute)
}

fn ready(value: f64) -> Cell {
    Cell::ready_at(value, at(0), Kind::Measured)
}

fn state(state: State) -> Cell {
    Cell { state, ..ready(0.0) }
}

/// A burst is reported by its own closes: how many, how much of each side, over how long, between which prices (W1).
#[test]
fn a_burst_is_made_of_its_own_closes() {
    let close = |ms: i64, liquidated_side: Side, price: f64, qty: f64| Closed {
        ts: at(180) + Span::millis(ms),
        liquidated_side,
        price,
        qty,
    };
    // One close three hours before, so that the stream was listened to; then seven within nine seconds, one of them a short.
    let mut events = vec![Closed { ts: at(0), ..close(0, Side::Long, 63_000.0, 0.001) }];
    for i in 0..7_i32 {
        let side = if i == 3 { Side::Short } else { Side::Long };
        events.push(close(i64::from(i) * 1_500, side, 62_900.0 - 10.0 * f64::from(i), 0.5));
    }
    // A lone close in the calm behind it is none of the burst's.
    events.push(close(100_000, Side::Short, 70_000.0, 9.0));
    let out = detect_cascade_events(&events, at(200), &Thresholds::default());
    let bursts: Vec<&Alert> = out.iter().filter(|a| a.trigger == Some(Trigger::Burst)).collect();
    let (opened, closed) = (bursts[0], bursts[bursts.len() - 1]);
    assert_eq!((opened.change, closed.change), (AlertChange::Opened, AlertChange::Closed));
    let number = |a: &Alert, name: &str| a.number(name).unwrap();
    let usd = |range: core::ops::Range<i32>| range.map(|i| 0.5 * (62_900.0 - 10.0 * f64::from(i))).sum::<f64>();
    assert_eq!([number(opened, "count"), number(opened, "span_s")], [5.0, 6.0]);
    assert_eq!(number(opened, "total_liquidated_usd"), usd(0..5));
    assert_eq!(number(opened, "liquidated_short_usd"), usd(3..4));
    assert_eq!([number(closed, "count"), number(closed, "span_s")], [7.0, 9.0], "the end tells the whole burst");
    assert_eq!(number(closed, "total_liquidated_usd"), usd(0..7));
    assert_eq!([number(closed, "price_low"), number(closed, "price_high")], [62_840.0, 62_900.0]);
    assert_eq!(number(closed, "velocity_usd_per_hour"), usd(0..7), "counted over an hour at least");
    assert_eq!((closed.word("side_bias"), closed.is("lower_bound")), (Some("LONG"), false));
    assert!((number(closed, "severity_ratio") - usd(0..7) / 200_000.0).abs() < 1e-12);
    let told = explain::description(opened);
    assert!(
        told.starts_with(
            "5 liquidations in 6.0 s (alert at 5 within 60 s): 157 K USD, mostly longs, at 62,860 to 62,900. Pattern"
        ),
        "{told}"
    );
    // In the first minute of a stream nobody knows what was before: the same sums are lower bounds, never nothing.
    let young = detect_cascade_events(&events[1..8], at(190), &Thresholds::default());
    assert!(young[0].is("lower_bound") && number(&young[0], "total_liquidated_usd") == usd(0..5));
    assert!(explain::description(&young[0]).starts_with("At least 5 liquidations in 6.0 s"));
}

/// Judged by a market's own history, a score that comes every day is no anomaly; before there is history the floor decides,
/// and says so (W18).
#[test]
fn a_funding_anomaly_is_rare_for_its_own_market() {
    let judged = |rank: Cell, thresholds: &Thresholds| {
        let mut out = Vec::new();
        let inputs = Inputs { funding_zscore: ready(-2.6), funding_pct: rank, ..Inputs::nothing(at(0)) };
        Surveillance::default().step(&inputs, thresholds, &mut out);
        out.into_iter().find(|a| a.pattern == Pattern::FundingAnomaly)
    };
    let own = Thresholds::default();
    assert!(judged(ready(0.40), &own).is_none(), "far from its day, and as it was in most of its month");
    assert!(judged(ready(0.40), &Thresholds::floors()).is_some(), "the originals to the letter");
    let low = judged(ready(0.01), &own).unwrap();
    let said = explain::description(&low);
    assert!(
        said.starts_with(
            "Funding is 2.6σ below its 24-hour mean (alert at 2σ), lower than in 99 % of its last 30 days."
        ),
        "{said}"
    );
    let young = judged(state(State::Warming { have: 20, need: 168 }), &own).unwrap();
    assert!(explain::description(&young).contains("uncalibrated"), "{}", explain::description(&young));
}

/// The stand-in for position tiers is said to be what it is (W9t).
#[test]
fn a_long_short_ratio_is_no_tier() {
    let mut out = Vec::new();
    // Three longs to one short: 75 % on one side, `2·0.75 − 1`.
    let concentration = Cell { kind: Kind::Proxy, ..ready(0.5) };
    let inputs = Inputs { concentration, ..Inputs::nothing(at(0)) };
    Surveillance::default().step(&inputs, &Thresholds::default(), &mut out);
    assert_eq!(
        explain::description(&out[0]),
        "Top traders hold 75 % of their positions on one side (alert at 65 %). A proxy: the venue publishes no position tiers."
    );
    assert_eq!(explain::title(&out[0]), "Top traders lean one way");
}
