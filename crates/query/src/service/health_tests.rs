//! The health of markets as board and analysis say it, over a store.

use super::aging_tests::{MARKETS, ROW, market, service};
use super::hand_clock::Hand;
use super::test_rows::{each_second, price_at, standard_run};
use super::{BookId, Service, board};
use barograph_api::board::Column;
use barograph_api::{AskBoard as _, AskMarkets as _};
use barograph_domain::alert::AlertChange;
use barograph_domain::{
    Alert, AlertState, Cell, Event, InputAge, Instrument, Kind, KnownAlert, MarketKind, Metric, MinuteRow, Pattern,
    Severity, Span, StreamDecl, StreamIndex, Ts,
};
use barograph_engine::detect::{Inputs, Surveillance, Thresholds};
use barograph_store::{LiveBatch, RunSpec, SqliteReader, SqliteWriter, Writer as _, WriterRole};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// What the engine reports of a basis that is far out for ten minutes and calm again: all records, the last of them the end.
fn basis_records(from: Ts) -> Vec<Alert> {
    let (mut surveillance, mut out) = (Surveillance::default(), Vec::new());
    for minute in 0..60 {
        let mut inputs = Inputs::nothing(from + Span::mins(minute));
        let basis = if minute < 10 { 0.03 } else { 0.0 };
        inputs.basis = Cell::ready_at(basis, inputs.ts, Kind::Measured);
        surveillance.step(&inputs, &Thresholds::default(), &mut out);
    }
    out.retain(|alert| alert.pattern == Pattern::BasisManipulation);
    out
}

fn known(alert: Alert) -> KnownAlert {
    KnownAlert { known_at: alert.ts + Span::millis(200), alert }
}

/// A cell of the board, and why it is empty.
fn cell(service: &Service, symbol: &str, column: Column) -> (Value, Value) {
    let board: Value = serde_json::from_slice(&service.board().unwrap().json()).unwrap();
    let name = Column::ALL.iter().find(|spec| spec.column == column).unwrap().name;
    let at = board["columns"].as_array().unwrap().iter().position(|c| c == name).unwrap();
    let rows = board["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["instrument"] == market(symbol).to_string()).unwrap();
    (row["cells"][at].clone(), row["reasons"][name].clone())
}

/// R3.28: the record that ends an episode has the score of the last calm minute, by which the greatest burst would weigh nothing.
#[test]
fn what_has_closed_weighs_by_the_greatest_score_of_its_episode() {
    // Asked minutes after the end, and of a recording that ended long ago.
    for now in [ROW + Span::mins(1), ROW + Span::days(30)] {
        let records = basis_records(ROW - Span::hours(2));
        let (worst, end) = (records.iter().map(|a| a.score).fold(0.0, f64::max), records.last().unwrap());
        assert!(end.state == AlertState::Closed && end.score < 1.0 && worst > 80.0, "{records:?}");
        let all: Vec<KnownAlert> = records.iter().cloned().map(known).collect();
        let folder = tempfile::tempdir().unwrap();
        let (service, clock) = service(folder.path(), &[], &all);
        clock.set(now);
        let health = service.analysis(&market(MARKETS[0]), None).unwrap().health;
        assert_eq!((health.alerts.len(), health.as_of), (1, ROW), "{health:?}");
        assert!((health.alerts[0].anomaly_score - worst).abs() < 1e-9 && health.alert_points > 1.0, "{health:?}");
        service.update_board();
        assert_eq!(*service.health_on_board(&market(MARKETS[0])).unwrap(), health, "at {now:?}");
    }
}

fn at(minute: i64) -> Ts {
    ROW + Span::mins(minute)
}

/// Publishes minutes of so many markets, in each of which the price is fresh.
fn publish(folder: &Path, markets: u16, minutes: core::ops::Range<i64>) {
    let names = (0..markets).map(|n| market(&format!("M{n}USDT")));
    let instruments: Vec<Instrument> =
        names.map(|name| Instrument { name, kind: MarketKind::Perpetual, expiry: None }).collect();
    let streams: Vec<StreamDecl> = instruments.iter().map(|of| each_second(&of.name, Metric::MarkPrice)).collect();
    let runs: Vec<RunSpec> = instruments.iter().map(|of| standard_run(&of.name)).collect();
    let row = |ts: Ts, n: u16| {
        let inputs = vec![InputAge { metric: Metric::MarkPrice, stream: Some(StreamIndex(n)), anchor: ts, gap: None }];
        MinuteRow { instrument: n.into(), inputs, price: Some(100.0), ..MinuteRow::bare(ts) }
    };
    let point = |ts: Ts, n: u16| price_at(ts, StreamIndex(n), 100.0);
    let each = || minutes.clone().flat_map(|minute| (0..markets).map(move |n| (at(minute), n)));
    let rows: Vec<MinuteRow> = each().map(|(ts, n)| row(ts, n)).collect();
    let points: Vec<Event> = each().map(|(ts, n)| point(ts, n)).collect();
    let batch = LiveBatch {
        instruments: &instruments,
        streams: &streams,
        points: &points,
        runs: &runs,
        rows: &rows,
        ..LiveBatch::default()
    };
    SqliteWriter::open(folder, &WriterRole::ALL).unwrap().append(&batch).unwrap();
}

/// A server over a folder that another process writes.
fn serve(folder: &Path) -> (Service, Arc<Hand>) {
    let clock = Arc::new(Hand::at(at(0)));
    let reader = Box::new(SqliteReader::open(folder).unwrap());
    let venue = "binance-usdm".to_owned();
    let service = Service::new(reader, Arc::<Hand>::clone(&clock), None, BookId::named("default"), venue).unwrap();
    (service, clock)
}

/// So many updates of the board from a moment on.
fn update(service: &Service, clock: &Hand, from: Ts, times: i64) {
    for n in 0..times {
        clock.set(from + board::EVERY.times(n));
        service.update_board();
    }
}

/// Each minute was a reason to forget what was known of a market until its alerts had been read again, eight markets at a time.
#[test]
fn a_new_minute_leaves_no_market_without_its_health() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), 12, 0..70);
    let (service, clock) = serve(folder.path());
    update(&service, &clock, at(69) + Span::secs(5), 3);
    publish(folder.path(), 12, 70..71);
    service.refresh().unwrap();
    for times in [1, 2] {
        update(&service, &clock, at(70) + Span::secs(5 * times), 1);
        for n in 0..12 {
            let why = cell(&service, &format!("M{n}USDT"), Column::Health).1;
            assert_eq!(why, "few_patterns_judged", "M{n}USDT in update {times}");
        }
    }
}

/// What did not come by while the board was followed lies in the store: it is not lost.
#[test]
fn minutes_that_an_import_adds_by_hundreds_are_no_lost_data() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), 1, 0..70);
    let (service, clock) = serve(folder.path());
    update(&service, &clock, at(69) + Span::secs(5), 2);
    publish(folder.path(), 1, 70..400);
    service.refresh().unwrap();
    update(&service, &clock, at(399) + Span::secs(5), 2);
    let checked = service.analysis(&market("M0USDT"), None).unwrap().health;
    assert_eq!((checked.data_points, checked.as_of), (0.0, at(399)), "{checked:?}");
    assert_eq!(*service.health_on_board(&market("M0USDT")).unwrap(), checked);
}

/// What begins or ends between two minutes changes the number and the reason why there is none.
#[test]
fn an_alert_between_two_minutes_changes_the_health_of_its_market() {
    let folder = tempfile::tempdir().unwrap();
    let (service, clock) = service(folder.path(), &[], &[]);
    let mut alert = Alert::opened(Pattern::BasisManipulation, ROW - Span::hours(9), Severity::Critical);
    alert.score = 90.0;
    let note = |alert: &Alert, after: i64| {
        service.board.alerts.lock().unwrap().note(&market(MARKETS[0]), alert);
        update(&service, &clock, ROW + Span::secs(after), 1);
        cell(&service, MARKETS[0], Column::Health)
    };
    update(&service, &clock, ROW + Span::secs(1), 1);
    assert_eq!(cell(&service, MARKETS[0], Column::Health), (Value::Null, "few_patterns_judged".into()));
    assert_eq!(note(&alert, 2), (49.into(), Value::Null));
    (alert.change, alert.state) = (AlertChange::Closed, AlertState::Closed);
    alert.closed_at = Some(ROW - Span::hours(7));
    assert_eq!(note(&alert, 3), (Value::Null, "few_patterns_judged".into()));
}

/// One that a stronger one inhibits was judged too; one whose data are away was not, though it weighs.
#[test]
fn what_is_open_counts_as_judged_while_its_data_are_there() {
    let inhibited = Some(Pattern::FundingManipulation);
    for (state, inhibited_by, judged, weighing) in
        [(AlertState::Open, inhibited, 1, 0), (AlertState::Open, None, 1, 1), (AlertState::NoData, None, 0, 1)]
    {
        let opened = Alert::opened(Pattern::BasisManipulation, ROW - Span::mins(5), Severity::High);
        let alert = Alert { state, inhibited_by, score: 80.0, ..opened };
        let folder = tempfile::tempdir().unwrap();
        let (service, _clock) = service(folder.path(), &[], &[known(alert)]);
        service.update_board();
        let checked = service.analysis(&market(MARKETS[0]), None).unwrap().health;
        assert_eq!((checked.patterns_judged, checked.alerts.len()), (judged, weighing), "{state:?} {inhibited_by:?}");
        assert_eq!(*service.health_on_board(&market(MARKETS[0])).unwrap(), checked);
    }
}
