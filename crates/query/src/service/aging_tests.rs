//! What is shown while no minute comes: the board grows old as the context of a market does, a burst grows between two records, and a
//! moment before all data is of no origin.

use super::hand_clock::Hand;
use super::test_rows::{each_second, standard_run};
use super::{BookId, Service};
use barograph_api::events::DatumView;
use barograph_api::live::DataOrigin;
use barograph_api::{AskBoard as _, AskEvents as _, AskMarkets as _};
use barograph_domain::alert::{AlertChange, Datum, Statistic};
use barograph_domain::{
    Alert, AlertState, Event, InputAge, Instrument, InstrumentName, Kind, KnownAlert, MarketKind, Metric, MinuteRow,
    Pattern, Payload, Severity, Side, Span, StreamDecl, StreamIndex, Trigger, Ts,
};
use barograph_store::{LiveAlert, LiveBatch, RunSpec, SqliteReader, SqliteWriter, Writer as _, WriterRole};
use std::sync::Arc;

/// The one minute of every market.
pub(super) const ROW: Ts = Ts::from_civil(2026, 2, 5, 12, 0, 0);
pub(super) const MARKETS: [&str; 7] = ["AUSDT", "BUSDT", "CUSDT", "DUSDT", "EUSDT", "FUSDT", "GUSDT"];

pub(super) fn market(symbol: &str) -> InstrumentName {
    InstrumentName::new("binance-usdm", symbol).unwrap()
}

/// Markets with one minute each whose newest prices are of different seconds; with these points and records of the first of them.
pub(super) fn service(folder: &std::path::Path, points: &[Event], alerts: &[KnownAlert]) -> (Service, Arc<Hand>) {
    let instrument = |s: &&str| Instrument { name: market(s), kind: MarketKind::Perpetual, expiry: None };
    let instruments: Vec<Instrument> = MARKETS.iter().map(instrument).collect();
    let streams: Vec<StreamDecl> = MARKETS
        .iter()
        .flat_map(|s| [Metric::MarkPrice, Metric::Liquidation].map(|m| each_second(&market(s), m)))
        .collect();
    let runs: Vec<RunSpec> = MARKETS.iter().map(|s| standard_run(&market(s))).collect();
    let newest = |n: u16| ROW - Span::secs(i64::from(n) * 7);
    let price = |n: u16| {
        let (event_ts, stream) = (newest(n), StreamIndex(n * 2));
        Event { recv_ts: event_ts, event_ts, stream, seq: 0, payload: Payload::Value(100.0) }
    };
    let row = |n: u16| {
        let (stream, anchor) = (Some(StreamIndex(n * 2)), newest(n));
        let inputs = vec![InputAge { metric: Metric::MarkPrice, stream, anchor, gap: None }];
        MinuteRow { instrument: n.into(), inputs, price: Some(100.0), ..MinuteRow::bare(ROW) }
    };
    let places = 0..u16::try_from(MARKETS.len()).unwrap();
    let points: Vec<Event> = places.clone().map(price).chain(points.iter().copied()).collect();
    let rows: Vec<MinuteRow> = places.map(row).collect();
    let alerts: Vec<LiveAlert> = alerts.iter().map(|a| LiveAlert { instrument: 0, alert: a.clone() }).collect();
    let mut writer = SqliteWriter::open(folder, &WriterRole::ALL).unwrap();
    let batch = LiveBatch {
        instruments: &instruments,
        streams: &streams,
        runs: &runs,
        rows: &rows,
        points: &points,
        alerts: &alerts,
        ..LiveBatch::default()
    };
    writer.append(&batch).unwrap();
    let clock = Arc::new(Hand::at(ROW));
    let reader = Box::new(SqliteReader::open(folder).unwrap());
    let venue = "binance-usdm".to_owned();
    let service = Service::new(reader, Arc::<Hand>::clone(&clock), None, BookId::named("default"), venue).unwrap();
    (service, clock)
}

/// Name and headline of every row of the board.
fn headlines(service: &Service) -> Vec<(InstrumentName, String)> {
    let board: serde_json::Value = serde_json::from_slice(&service.board().unwrap().json()).unwrap();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
    let row = |row| (InstrumentName::parse(&text(row, "instrument")).unwrap(), text(row, "headline"));
    board["rows"].as_array().unwrap().iter().map(row).collect()
}

/// The age stood still until a restart. Turned at every look and at every fifth of a second.
#[test]
fn the_board_grows_old_as_contexts_do() {
    for turns in [1, 5] {
        let folder = tempfile::tempdir().unwrap();
        let (service, clock) = service(folder.path(), &[], &[]);
        let mut seen = std::collections::BTreeSet::new();
        let hours = [1, 3, 24 * 262 + 2, 24 * 262 + 3].map(Span::hours);
        for after in (7..12).map(Span::mins).chain(hours) {
            let at = ROW + after + Span::millis(1_350);
            // Whoever is followed turns it all the time.
            for turn in 0..turns {
                clock.set(at - super::board::EVERY.times(turns - 1 - turn));
                service.update_board();
            }
            let shown = headlines(&service);
            assert_eq!(shown.len(), MARKETS.len());
            for (name, text) in shown {
                let context = service.context(&name, None, None).unwrap();
                assert_eq!(text, context.snapshot.headline, "{name} after {}", after.spoken());
                seen.insert((name, text));
            }
        }
        assert!(seen.len() >= MARKETS.len() * 8, "ages are said: {seen:?}");
    }
}

#[test]
fn of_a_moment_before_all_data_nothing_is_called_synthetic() {
    let folder = tempfile::tempdir().unwrap();
    let (service, _) = service(folder.path(), &[], &[]);
    for (at, rows, origin) in [
        (Ts::from_civil(2020, 1, 1, 0, 0, 0), 0, DataOrigin::Measured),
        (ROW + Span::mins(1), MARKETS.len(), DataOrigin::Synthetic),
    ] {
        let board = service.board_at(at).unwrap();
        assert_eq!((board.rows.len(), board.origin), (rows, origin), "{at}");
    }
}

/// A burst of liquidations as it was reported when five had been closed, of which the fifth came at `ROW`.
fn told(change: AlertChange, state: AlertState) -> KnownAlert {
    let statistic = Statistic {
        name: "liq_count_60s".into(),
        value: Some(5.0),
        reason: None,
        threshold: 5.0,
        u: Some(1.0),
        unit: "count".into(),
        kind: Kind::Measured,
        coverage: 1.0,
        decides: true,
        uncalibrated: false,
    };
    let number = |name: &'static str, x| (name.into(), Datum::Number(x));
    let over = state == AlertState::Closed;
    let at = if over { ROW + Span::mins(4) } else { ROW };
    let alert = Alert {
        trigger: Some(Trigger::Burst),
        change,
        state,
        revision: if over { 2 } else { 1 },
        score: 63.2,
        opened_at: ROW,
        last_seen_at: ROW,
        closed_at: over.then_some(at),
        window_from: ROW - Span::mins(1),
        statistics: vec![statistic],
        data: vec![
            number("total_liquidated_usd", 5_000.0),
            number("count", 5.0),
            number("span_s", 8.0),
            ("trigger".into(), Datum::Word("burst".into())),
        ],
        ..Alert::opened(Pattern::LiquidationCascade, at, Severity::High)
    };
    KnownAlert { known_at: at, alert }
}

/// Twenty closes, two seconds apart, of which the fifth comes at `ROW`; longs and then shorts.
fn closes() -> Vec<Event> {
    let close = |n: u64| {
        let at = ROW + Span::secs(i64::try_from(n).unwrap() * 2 - 8);
        let liquidated_side = if n < 15 { Side::Long } else { Side::Short };
        let payload = Payload::Liquidation { liquidated_side, price: 100.0, qty: 10.0 };
        Event { recv_ts: at + Span::millis(20), event_ts: at, stream: StreamIndex(1), seq: n, payload }
    };
    (0..20).map(close).collect()
}

/// Growth is reported at steps of the score, which rises no more from ten closes on.
#[test]
fn a_burst_that_goes_on_is_told_by_what_is_stored_of_it() {
    let opened = told(AlertChange::Opened, AlertState::Open);
    let folder = tempfile::tempdir().unwrap();
    let (service, _) = service(folder.path(), &closes(), core::slice::from_ref(&opened));
    for (as_of, count, shorts) in [(None, 20.0, 5_000.0), (Some(ROW + Span::secs(19)), 14.0, 0.0)] {
        let event = service.burst_so_far(&market(MARKETS[0]), as_of).unwrap().unwrap();
        let data = |name: &str| event.data.get(name).cloned().unwrap();
        assert_eq!(data("count"), DatumView::Number(count), "{as_of:?}");
        assert_eq!(data("total_liquidated_usd"), DatumView::Number(count * 1_000.0));
        assert_eq!(data("liquidated_short_usd"), DatumView::Number(shorts));
        assert_eq!(data("span_s"), DatumView::Number(count * 2.0 - 2.0));
        let said = format!("{count:.0} liquidations in {:.0} s", count * 2.0 - 2.0);
        assert!(event.description.starts_with(&said), "{}", event.description);
        assert_eq!(event.alert_id, opened.alert.id(&market(MARKETS[0]), "test"));
    }
    assert!(service.burst_so_far(&market(MARKETS[0]), Some(ROW - Span(1))).unwrap().is_none(), "not known yet");
    assert!(service.burst_so_far(&market(MARKETS[1]), None).unwrap().is_none(), "of another market");

    let folder = tempfile::tempdir().unwrap();
    let records = [opened, told(AlertChange::Closed, AlertState::Closed)];
    let (service, _) = self::service(folder.path(), &closes(), &records);
    assert!(service.burst_so_far(&market(MARKETS[0]), None).unwrap().is_none(), "it is over");
}
