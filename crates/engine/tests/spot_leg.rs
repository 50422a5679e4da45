//! The basis against a spot market (R3.6, R3.44): measured where that is a stream of the contract, a proxy where the index stands
//! in, and stale when the spot price is.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use barograph_domain::{
    Bar, Event, Instrument, InstrumentName, Kind, MarketKind, Metric, MinuteRow, Payload, Span, Stamp, State,
    StreamDecl, StreamIndex, Ts,
};
use barograph_engine::models::ModelPolicy;
use barograph_engine::rules::RuleBook;
use barograph_engine::{Config, Engine, Feature, Outputs};
use std::ops::RangeInclusive;
use std::sync::Arc;

const START: Ts = Ts::from_civil(2026, 2, 5, 0, 0, 0);

fn stream(metric: Metric) -> StreamDecl {
    StreamDecl {
        instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
        metric,
        kind: Kind::Measured,
        cadence: Span::mins(1),
        source: "binance-usdm".to_owned(),
        delay: Span::ZERO,
        stamp: Stamp::Close,
        filled: false,
    }
}

/// Rows of an hour; the spot price, where there is one, is there in these minutes.
fn rows(with_spot: bool, heard: RangeInclusive<i64>) -> Vec<MinuteRow> {
    let instrument = Instrument { name: stream(Metric::Bar).instrument, kind: MarketKind::Perpetual, expiry: None };
    let mut streams = vec![stream(Metric::Bar), stream(Metric::MarkPrice), stream(Metric::IndexPrice)];
    if with_spot {
        streams.push(StreamDecl { source: "binance-spot:BTCUSDT".to_owned(), ..stream(Metric::SpotPrice) });
    }
    let config = Config {
        book: Arc::new(RuleBook::parse("default.toml", RuleBook::shipped_text("default").unwrap()).unwrap()),
        models: ModelPolicy::default(),
        calendar: None,
    };
    let mut engine = Engine::new(config, &[instrument], &streams);
    let (mut out, mut made) = (Outputs::default(), Vec::new());
    for minute in 1..=60 {
        let ts = START + Span::mins(minute);
        for (at, decl) in (0_u16..).zip(&streams) {
            let payload = match decl.metric {
                Metric::Bar => {
                    let (open, close) = (50_050.0, 50_050.0);
                    Payload::Bar(Bar { open, high: open, low: open, close, volume: Some(1.0), quote_volume: None })
                }
                Metric::MarkPrice => Payload::Value(50_100.0),
                Metric::IndexPrice => Payload::Value(49_950.0),
                _ if !heard.contains(&minute) => continue,
                _ => Payload::Value(50_000.0),
            };
            let event = Event { recv_ts: ts, event_ts: ts, stream: StreamIndex(at), seq: 0, payload };
            engine.step(&event, &mut out);
            made.extend(out.rows().iter().cloned());
            out.clear();
        }
    }
    engine.finish(START + Span::mins(60), &mut out);
    made.extend(out.rows().iter().cloned());
    made
}

fn basis(row: &MinuteRow) -> barograph_domain::Cell {
    row.cells[Feature::Basis.index()]
}

#[test]
fn the_spot_market_is_the_leg_and_the_index_only_stands_in() {
    for (with_spot, leg, kind) in [(true, 50_000.0, Kind::Measured), (false, 49_950.0, Kind::Proxy)] {
        let rows = rows(with_spot, 1..=60);
        let cell = basis(&rows[30]);
        assert_eq!((cell.state, cell.kind), (State::Ready, kind));
        assert!((cell.value - (50_050.0 / leg - 1.0)).abs() < 1e-12, "{cell:?}");
        let premium = rows[30].cells[Feature::Premium.index()];
        assert!((premium.value - (50_100.0 / 49_950.0 - 1.0)).abs() < 1e-12 && premium.kind == Kind::Measured);
    }
}

/// The contract goes on alone: no index takes the place of a spot price that was there.
#[test]
fn a_basis_is_as_old_as_its_spot_price() {
    let rows = rows(true, 1..=20);
    let last = basis(rows.last().unwrap());
    assert_ne!(last.state, State::Ready, "{last:?}");
    assert_eq!(basis(&rows[21]).kind, Kind::Measured);
    let premium = rows.last().unwrap().cells[Feature::Premium.index()];
    assert_eq!(premium.state, State::Ready);
}

/// Nothing earlier shows that an archive of the spot market will begin.
#[test]
fn a_spot_market_that_begins_late_changes_no_earlier_row() {
    let (late, without) = (rows(true, 31..=60), rows(false, 1..=60));
    for (a, b) in late.iter().zip(&without).take(29) {
        assert_eq!(a.cells, b.cells, "{}", a.ts);
    }
    assert_eq!(basis(&late[45]).kind, Kind::Measured);
}
