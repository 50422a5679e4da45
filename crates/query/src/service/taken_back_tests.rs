//! A stream that was taken back whole has no part in a chart, in continuity, in lists and in hours of liquidations; what was answered
//! before that stays.

use super::hand_clock::Hand;
use super::{BookId, Service};
use barograph_api::chart::ChartQuery;
use barograph_api::{AskBoard as _, AskEvents as _, AskMarkets as _, SeriesWindow};
use barograph_domain::stream::SYNTHETIC;
use barograph_domain::{
    Event, Instrument, InstrumentName, Kind, MarketKind, Metric, MinuteRow, Payload, Side, Span, Stamp, StreamDecl,
    StreamIndex, Ts,
};
use barograph_engine::rules::RuleBook;
use barograph_store::{
    Columns, LiveBatch, OneBatch, RunKey, RunSpec, SqliteReader, SqliteWriter, Writer as _, WriterRole,
};
use std::sync::Arc;

const HOUR: Ts = Ts::from_civil(2026, 2, 5, 10, 0, 0);
const IMPORTED: Ts = Ts::from_civil(2026, 2, 6, 0, 0, 0);
const TAKEN_BACK: Ts = Ts::from_civil(2026, 2, 7, 0, 0, 0);
const NOW: Ts = Ts::from_civil(2026, 2, 8, 0, 0, 0);
const VENUE: &str = "binance-usdm";

fn market() -> InstrumentName {
    InstrumentName::parse("binance-usdm:BTCUSDT").unwrap()
}

fn stream(metric: Metric, source: &str) -> StreamDecl {
    StreamDecl {
        instrument: market(),
        metric,
        kind: Kind::Measured,
        cadence: Span::secs(1),
        source: source.to_owned(),
        delay: Span::ZERO,
        stamp: Stamp::Instant,
        filled: false,
    }
}

fn event(stream: u16, minute: i64, payload: Payload) -> Event {
    let at = HOUR + Span::mins(minute);
    Event { recv_ts: at, event_ts: at, stream: StreamIndex(stream), seq: 0, payload }
}

/// A market with a minute and trades that count; made-up trades and all liquidations were taken back.
fn store(folder: &std::path::Path) {
    let mut writer = SqliteWriter::open(folder, &WriterRole::ALL).unwrap();
    let instruments = [Instrument { name: market(), kind: MarketKind::Perpetual, expiry: None }];
    let streams = [stream(Metric::Trade, VENUE), stream(Metric::Trade, SYNTHETIC), stream(Metric::Liquidation, VENUE)];
    let trade = Payload::Trade { price: 100.0, qty: 1.0, aggressor_side: None };
    let forced = Payload::Liquidation { liquidated_side: Side::Long, price: 100.0, qty: 1.0 };
    let counting = [event(0, 10, trade), event(0, 20, trade)];
    let gone = [event(1, 10, trade), event(2, 10, forced), event(1, 50, trade), event(2, 50, forced)];
    writer.import_points(&instruments, &streams, &[counting.as_slice(), &gone].concat(), IMPORTED).unwrap();
    let book = RuleBook::standard();
    let spec = RunSpec {
        key: RunKey { instrument: market(), logic_version: "test".to_owned() },
        release: "test".to_owned(),
        book_text: RuleBook::shipped_text(&book.name).unwrap().to_owned(),
        book: book.name,
        config: String::new(),
        columns: Columns::default(),
        streams: Vec::new(),
    };
    let row = MinuteRow::bare(HOUR + Span::mins(30));
    let batch =
        LiveBatch { instruments: &instruments, streams: &streams, runs: &[spec], rows: &[row], ..LiveBatch::default() };
    writer.append(&batch).unwrap();
    let done = writer.forget_batches(&streams, &mut OneBatch::new(&gone), TAKEN_BACK, false).unwrap();
    assert_eq!(done.taken_back, 4);
}

#[test]
fn a_stream_that_was_taken_back_whole_is_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path());
    let reader = Box::new(SqliteReader::open(folder.path()).unwrap());
    let service =
        Service::new(reader, Arc::new(Hand::at(NOW)), None, BookId::named("default"), VENUE.to_owned()).unwrap();
    let id = market();
    let [trade, liquidation] = [Metric::Trade, Metric::Liquidation].map(Metric::name);
    // Now only the trades of the venue count; before, all three did.
    for (as_of, sources, liquidated) in [
        (None, vec![(trade, VENUE)], [None, None]),
        (
            Some(TAKEN_BACK - Span(1)),
            vec![(trade, VENUE), (trade, SYNTHETIC), (liquidation, VENUE)],
            [Some(200.0), None],
        ),
    ] {
        let chart = ChartQuery { interval: Some(Span::mins(10)), end: None, bars: 100, as_of };
        let chart = service.chart(&id, &chart).unwrap();
        assert_eq!(chart.synthetic, as_of.is_some(), "{as_of:?}");

        let (start, end) = (Some(HOUR), Some(HOUR + Span::hours(2)));
        let window = SeriesWindow { start, end, every: None, skip: 0, limit: 100, as_of };
        let continuity = service.continuity(&id, &window).unwrap();
        let mut shown: Vec<(&str, &str)> = continuity.streams.iter().map(|s| (s.metric, s.source.as_str())).collect();
        shown.sort_unstable();
        let mut want = sources;
        want.sort_unstable();
        assert_eq!(shown, want, "{as_of:?}");
        assert_eq!(service.streams(&id, as_of).unwrap().len(), want.len(), "{as_of:?}");

        let hours = service.liquidations_by_hour(HOUR, HOUR + Span::hours(2), as_of).unwrap();
        let sums: Vec<Option<f64>> = hours.iter().map(|h| h.long_usd).collect();
        assert_eq!(sums, liquidated, "{as_of:?}: nobody listened, so that nothing is known, not nothing happened");
    }
}
