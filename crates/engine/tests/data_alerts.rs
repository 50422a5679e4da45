//! Alerts about the data themselves: when a lost stream and an old input are reported, and when they are over.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use barograph_domain::alert::AlertChange;
use barograph_domain::{
    Alert, GapReason, InputAge, InstrumentName, Kind, Metric, Pattern, Severity, Span, Stamp, StreamDecl, StreamIndex,
    Ts,
};
use barograph_engine::detect::data::{DataInputs, DataWatch};
use barograph_engine::detect::explain;
use barograph_engine::rules::Freshness;

fn decl(metric: Metric) -> StreamDecl {
    StreamDecl {
        instrument: InstrumentName::new("binance-usdm", "BTCUSDT").unwrap(),
        metric,
        kind: Kind::Measured,
        cadence: Span::mins(1),
        source: "binance-usdm".to_owned(),
        delay: Span::ZERO,
        stamp: Stamp::Instant,
        filled: true,
    }
}

/// One minute: age of the price and of open interest in seconds, and whether each is lost.
type Minute = ((i64, bool), (i64, bool));

fn told(minutes: &[Minute]) -> Vec<Alert> {
    told_of(Metric::MarkPrice, minutes)
}

/// The price is served by a stream of this metric.
fn told_of(price: Metric, minutes: &[Minute]) -> Vec<Alert> {
    let streams = [decl(price), decl(Metric::OpenInterest)];
    let mut watch = DataWatch::default();
    let mut out = Vec::new();
    for (n, (of_price, open_interest)) in (0_i64..).zip(minutes) {
        let ts = Ts::from_secs(60 * n);
        let input = |metric, stream, (age, lost): (i64, bool)| InputAge {
            metric,
            stream: Some(StreamIndex(stream)),
            anchor: ts - Span::secs(age),
            gap: lost.then_some(GapReason::SequenceJump),
        };
        let never =
            InputAge { metric: Metric::IndexPrice, stream: None, anchor: Ts(0), gap: Some(GapReason::Starting) };
        let inputs = [input(Metric::MarkPrice, 0, *of_price), input(Metric::OpenInterest, 1, *open_interest), never];
        watch.step(DataInputs { ts, inputs: &inputs, streams: &streams, freshness: Freshness::Default }, &mut out);
        let again: DataWatch = serde_json::from_str(&serde_json::to_string(&watch).unwrap()).unwrap();
        assert_eq!(again, watch, "saved and restored");
    }
    out
}

fn brief(alerts: &[Alert]) -> Vec<(Pattern, i64, AlertChange, Severity)> {
    alerts.iter().map(|a| (a.pattern, a.ts.0 / 60_000_000_000, a.change, a.severity)).collect()
}

const FINE: Minute = ((1, false), (40, false));

#[test]
fn a_stream_that_stays_away_is_told_and_its_return_too() {
    use AlertChange::{Closed, Opened};
    let lost = ((1, false), (40, true));
    let price_lost = ((50, true), (40, true));
    let gap = Pattern::DataGap;
    for (what, minutes, want) in [
        ("back within a minute", vec![FINE, lost, FINE, lost, FINE], vec![]),
        (
            "two minutes in a row",
            vec![FINE, lost, lost, FINE, FINE],
            vec![(gap, 2, Opened, Severity::Medium), (gap, 4, Closed, Severity::Medium)],
        ),
        ("a price is worse", vec![price_lost, price_lost], vec![(gap, 1, Opened, Severity::High)]),
    ] {
        assert_eq!(brief(&told(&minutes)), want, "{what}");
    }
    let said = told(&[FINE, lost, lost, FINE, FINE]);
    let lost = said[0].statistics.iter().find(|s| &*s.name == "lost_streams").unwrap();
    assert_eq!((lost.value, lost.threshold, lost.u), (Some(1.0), 1.0, Some(1.0)), "one is enough");
    let text = explain::description(&said[0]);
    assert!(text.starts_with("No reliable data: open interest ("), "{text}");
    assert!(explain::description(&said[1]).contains("All streams that the rules read are back."));
}

#[test]
fn a_market_without_a_mark_price_misses_its_trades() {
    let (gone, old) = (((50, true), (40, false)), ((400, false), (40, false)));
    for (metric, name) in [(Metric::Trade, "trades"), (Metric::Bar, "candles"), (Metric::MarkPrice, "mark price")] {
        let text = explain::description(&told_of(metric, &[gone, gone])[0]);
        assert!(text.starts_with(&format!("No reliable data: {name} (")), "{text}");
        let alert = &told_of(metric, &[old, old])[0];
        let text = explain::description(alert);
        assert!(text.starts_with(&format!("Too old: {name} (6 min old, limit ")), "{text}");
        assert_eq!(alert.statistics[0].name, format!("{}_age", metric.name()));
    }
}

#[test]
fn an_input_past_its_limit_is_told_with_its_age() {
    use AlertChange::{Closed, Opened, Updated};
    let limit = Freshness::Default.max_age(&decl(Metric::OpenInterest)).as_secs();
    let given_up = Freshness::Default.gap_alert(&decl(Metric::OpenInterest)).as_secs();
    let aged = |s| ((1, false), (s, false));
    let stale = Pattern::FeedStale;
    let minutes = [aged(limit), aged(limit + 1), aged(given_up + 1), FINE, FINE];
    let alerts = told(&minutes);
    let want =
        [(stale, 1, Opened, Severity::Medium), (stale, 2, Updated, Severity::High), (stale, 4, Closed, Severity::High)];
    assert_eq!(brief(&alerts), want);
    let text = explain::description(&alerts[0]);
    assert!(text.starts_with("Too old: open interest (5 min old, limit 5 min)"), "{text}");
    assert_eq!(alerts[0].statistics[0].name, "open_interest_age");
    let over = explain::description(&alerts[2]);
    assert!(over.contains("All inputs of the rules are within their limits again."), "{over}");
}

/// Windows that begin anew leave nothing open: it ends by a record that says why, once.
#[test]
fn what_nothing_follows_any_more_ends_by_a_record() {
    let stream = [decl(Metric::MarkPrice)];
    let mut watch = DataWatch::default();
    let mut out = Vec::new();
    for minute in 0..4 {
        let ts = Ts::from_secs(60 * minute);
        let gap = Some(GapReason::SequenceJump);
        let inputs = [InputAge { metric: Metric::MarkPrice, stream: Some(StreamIndex(0)), anchor: ts, gap }];
        watch.step(DataInputs { ts, inputs: &inputs, streams: &stream, freshness: Freshness::Default }, &mut out);
    }
    assert_eq!(watch.open().count(), 1);
    for _ in 0..2 {
        watch.end(Ts::from_secs(300), &mut out);
    }
    let [opened, ended] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!((opened.change, ended.change), (AlertChange::Opened, AlertChange::Closed));
    assert_eq!((ended.opened_at, ended.closed_at), (opened.opened_at, Some(Ts::from_secs(300))));
    assert_eq!((ended.revision, watch.open().count()), (opened.revision + 1, 0));
    let text = explain::description(ended);
    assert!(text.starts_with("No longer followed after 4 min: barograph was started with other"), "{text}");
}
