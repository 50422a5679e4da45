//! The originals' tables, asked as their users ask, with the same questions in a file and on a server.

use barograph_domain::{
    Event, HeatRegime, Instrument, InstrumentName, Kind, KnownAlert, MarketKind, Metric, MinuteRow, Payload, Side,
    Span, StreamDecl, StreamIndex, TrendRegime, VolRegime,
};
use barograph_store::suite::alerts;
use barograph_store::suite::sample::{self, START, SampleMarket};
use barograph_store::{LiveAlert, LiveBatch, OneBatch, PointsVersion, Retention, Writer};
use std::collections::BTreeSet;

const MINUTES: i64 = 600;
const LIVE_FROM: i64 = 400;

fn market(name: &str, kind: MarketKind) -> Instrument {
    Instrument { name: InstrumentName::parse(name).unwrap(), kind, expiry: None }
}

struct World {
    instruments: Vec<Instrument>,
    streams: Vec<StreamDecl>,
    events: Vec<Event>,
}

impl World {
    /// Ten hours of a perpetual, its spot market and the same perpetual elsewhere.
    fn new() -> Self {
        let instruments = vec![
            market("binance-usdm:BTCUSDT", MarketKind::Perpetual),
            market("binance-spot:BTCUSDT", MarketKind::Spot),
            market("okx:BTC-USDT-SWAP", MarketKind::Perpetual),
        ];
        let mut streams = sample::streams(&instruments);
        streams.retain(|s| s.metric == Metric::Bar || s.instrument.venue.as_str() != "binance-spot");
        streams.retain(|s| s.metric != Metric::Trade);
        let more: Vec<StreamDecl> = streams
            .iter()
            .filter(|s| s.metric == Metric::MarkPrice)
            .flat_map(|s| {
                [Metric::IndexPrice, Metric::FundingRateSettled].map(|metric| StreamDecl { metric, ..s.clone() })
            })
            .collect();
        let own = streams.iter().find(|s| s.metric == Metric::OpenInterest).unwrap().clone();
        let stands_in = |source: &str| StreamDecl {
            metric: Metric::OpenInterestUsd,
            kind: Kind::Proxy,
            source: source.to_owned(),
            ..own.clone()
        };
        let elsewhere = StreamDecl { source: "archive".to_owned(), ..own.clone() };
        streams.extend([stands_in("hyperliquid"), stands_in("okx"), elsewhere]);
        streams.extend(more);
        streams.sort();
        let mut events = Vec::new();
        for n in 1..=MINUTES {
            let ts = START + Span::mins(n);
            for (at, stream) in (0_u16..).zip(&streams) {
                if let Some(payload) = said(stream, n) {
                    let event =
                        Event { recv_ts: ts + stream.delay, event_ts: ts, stream: StreamIndex(at), seq: 0, payload };
                    events.push(event);
                }
            }
        }
        events.sort_by(Event::order);
        Self { instruments, streams, events }
    }
}

/// Prices that say of what and when they are.
fn said(stream: &StreamDecl, n: i64) -> Option<Payload> {
    let count = f64::from(i32::try_from(n).unwrap());
    let at = |base: f64| base + count;
    let bar = |close: f64| {
        let bar = barograph_domain::Bar {
            open: close,
            high: close,
            low: close,
            close,
            volume: Some(1.0),
            quote_volume: None,
        };
        Payload::Bar(bar)
    };
    let spot = stream.instrument.venue.as_str() == "binance-spot";
    Some(match stream.metric {
        Metric::Bar if spot => bar(at(100_000.0)),
        Metric::Bar => bar(at(100_000.0) * 1.001),
        Metric::MarkPrice => Payload::Value(at(100_000.0) * 1.002),
        Metric::IndexPrice => Payload::Value(at(100_000.0) * 0.999),
        Metric::FundingRate => {
            Payload::Funding { rate: count * 1e-6, interval_h: Some(8.0), next_ts: None, special: false }
        }
        Metric::FundingRateSettled if n == 480 => {
            Payload::Funding { rate: 0.0001, interval_h: Some(8.0), next_ts: None, special: false }
        }
        Metric::OpenInterest if stream.source == "archive" => {
            return (n == 60 || n == 120).then_some(Payload::Value(count));
        }
        Metric::OpenInterest if n % 5 == 0 => Payload::Value(count),
        // One stands in until the other does.
        Metric::OpenInterestUsd if n % 60 == 0 && n < 540 && (stream.source == "okx") == (n > 240) => {
            Payload::Value(count)
        }
        Metric::Liquidation if n % 100 == 0 => {
            Payload::Liquidation { liquidated_side: Side::Long, price: at(100_000.0), qty: 2.0 }
        }
        _ => return None,
    })
}

fn rows(n: i64, market: &mut SampleMarket) -> MinuteRow {
    let mut row = market.row(START + Span::mins(n));
    (row.trend.label, row.volatility.label) = (TrendRegime::Uptrend, VolRegime::Stable);
    row.heat.label = if n < 300 { HeatRegime::Cool } else { HeatRegime::Hot };
    if n >= 450 {
        row.trend.label = TrendRegime::StrongUptrend;
    }
    row
}

/// Files first, then live to the end, as one goes on after the other.
fn fill(writer: &mut dyn Writer) {
    let world = World::new();
    let split = START + Span::mins(LIVE_FROM);
    let (old, live): (Vec<Event>, Vec<Event>) = world.events.iter().copied().partition(|e| e.event_ts <= split);
    // In whatever pieces and order.
    let mut pieces: Vec<&[Event]> = old.chunks(311).collect();
    pieces.rotate_left(2);
    for piece in pieces {
        writer.insert_points(&world.instruments, &world.streams, piece).unwrap();
    }
    let own = [world.instruments[0].clone()];
    let own_streams: Vec<StreamDecl> = sample::streams(&own);
    let spec = sample::spec(&own[0], &own_streams);
    let mut made = SampleMarket::new(1);
    let mut run = writer.replace(&spec, None, PointsVersion(99)).unwrap();
    (1..=LIVE_FROM).for_each(|n| run.row(&rows(n, &mut made)).unwrap());
    run.finish().unwrap();
    // Rows name streams by their places in the list of a batch.
    let mut streams = own_streams;
    let first = streams.len();
    streams.extend(world.streams.iter().cloned());
    for n in LIVE_FROM + 1..=MINUTES {
        let ts = START + Span::mins(n);
        let shift = |e: &Event| StreamIndex(e.stream.0 + u16::try_from(first).unwrap());
        let points: Vec<Event> =
            live.iter().filter(|e| e.event_ts == ts).map(|e| Event { stream: shift(e), ..*e }).collect();
        let told = if n % 100 == 0 { alerts::story(n) } else { Vec::new() };
        let told: Vec<LiveAlert> = told.into_iter().map(|alert| LiveAlert { instrument: 0, alert }).collect();
        let batch = LiveBatch {
            instruments: &world.instruments,
            streams: &streams,
            points: &points,
            runs: std::slice::from_ref(&spec),
            rows: &[rows(n, &mut made)],
            alerts: &told,
            ..LiveBatch::default()
        };
        writer.append(&batch).unwrap();
    }
}

/// The tables as people ask for them.
pub(crate) fn answer_as_the_originals_did(writer: &mut dyn Writer, ask: &dyn Fn(&str) -> Vec<Vec<String>>) {
    fill(writer);
    let check = |writer: &str| {
        for (sql, want) in QUESTIONS {
            let line = |row: &Vec<String>| row.iter().map(|v| plain(v)).collect::<Vec<_>>().join("|");
            let found: Vec<String> = ask(sql).iter().map(line).collect();
            assert_eq!(found, *want, "{writer}: {sql}");
        }
        spellings(ask);
    };
    check("as written");
    writer.prune(&Retention::default()).unwrap();
    check("after a prune");
    corrected(writer, ask);
    check("after a correction that was taken back");
}

/// What makes a store one of before its tables said sources by streams, the version aside.
pub(crate) const BEFORE_SOURCES: &str =
    "DROP VIEW market_metrics; DROP VIEW futures_funding_rates; DROP VIEW futures_liquidations;
     ALTER TABLE table_markets DROP COLUMN sources; CREATE VIEW market_metrics AS SELECT 1 AS one;
     CREATE VIEW futures_funding_rates AS SELECT 1 AS one; CREATE VIEW futures_liquidations AS SELECT 1 AS one;
     DROP TABLE ledger_pieces; DROP TABLE ledger_heads; DROP TABLE ledger_states; DROP TABLE ledger_progress; DROP TABLE ledger_notes;
     DROP TABLE signals; DROP TABLE cases; DROP TABLE case_entries; DROP TABLE case_recordings;
     DROP TABLE live_groups;";

/// Who said what of each market, as the tables have it.
pub(crate) const SOURCES: &str = "SELECT DISTINCT instrument, metric_name, source FROM market_metrics ORDER BY 1, 2, 3";

/// Minutes that a correction leaves as they were keep the labels of all axes, also where the correction takes back how an
/// episode ended in published minutes.
pub(crate) fn corrected_runs_keep_their_labels(writer: &mut dyn Writer, ask: &dyn Fn(&str) -> Vec<Vec<String>>) {
    let own = [market("binance-usdm:BTCUSDT", MarketKind::Perpetual)];
    let streams = sample::streams(&own);
    let spec = sample::spec(&own[0], &streams);
    let mut made = SampleMarket::new(1);
    let minutes: Vec<MinuteRow> = (1..=30).map(|n| rows(if n < 5 { n } else { n + 445 }, &mut made)).collect();
    let minutes: Vec<MinuteRow> =
        (1..).zip(minutes).map(|(n, row)| MinuteRow { ts: START + Span::mins(n), ..row }).collect();
    let runs = std::slice::from_ref(&spec);
    let live = LiveBatch { instruments: &own, streams: &streams, runs, rows: &minutes[10..20], ..LiveBatch::default() };
    writer.append(&live).unwrap();
    let stream = streams.iter().position(|s| s.metric == Metric::MarkPrice).unwrap();
    let say = |writer: &mut dyn Writer, day: i64, from: usize, told: &[KnownAlert]| {
        let event_ts = START + Span::mins(11);
        let event = Event {
            recv_ts: event_ts + streams[stream].delay,
            event_ts,
            stream: StreamIndex(u16::try_from(stream).unwrap()),
            seq: 0,
            payload: Payload::Value(f64::from(i32::try_from(day).unwrap())),
        };
        writer.import_points(&own, &streams, &[event], START + Span::days(day)).unwrap();
        let mut run = writer.replace(&spec, (from > 1).then(|| minutes[from - 1].ts), PointsVersion(99)).unwrap();
        minutes[from - 1..].iter().for_each(|r| run.row(r).unwrap());
        told.iter().for_each(|k| run.alert(k).unwrap());
        run.finish().unwrap();
    };
    let labels =
        || ask("SELECT ts, axis, regime, previous_regime FROM regimes WHERE symbol = 'BTC/USDT' ORDER BY axis, ts");
    say(writer, 10, 1, &alerts::story(8));
    let before = labels();
    let axes: BTreeSet<&str> = before.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(axes.len(), 4, "{before:?}");
    say(writer, 20, 11, &[]);
    assert_eq!(labels(), before);
    assert_eq!(ask("SELECT count(*) FROM past_runs"), [["1"]]);
}

/// A later import wins in the tables too, and what is taken back is gone from them.
fn corrected(writer: &mut dyn Writer, ask: &dyn Fn(&str) -> Vec<Vec<String>>) {
    let world = World::new();
    let own = |e: &&Event| {
        let stream = &world.streams[e.stream.index()];
        let wanted = matches!(stream.metric, Metric::FundingRateSettled | Metric::IndexPrice);
        wanted && stream.instrument == world.instruments[0].name && e.event_ts == START + Span::mins(480)
    };
    let another = |e: &Event| Event {
        payload: match e.payload {
            Payload::Funding { interval_h, next_ts, special, .. } => {
                Payload::Funding { rate: 0.0007, interval_h, next_ts, special }
            }
            _ => Payload::Value(99.0),
        },
        recv_ts: e.event_ts + world.streams[e.stream.index()].delay,
        ..*e
    };
    let new: Vec<Event> = world.events.iter().filter(own).map(another).collect();
    assert_eq!(new.len(), 2);
    let shown = || {
        let rate = "SELECT funding_rate FROM futures_funding_rates WHERE symbol = 'BTCUSDT' AND settled = true
            AND instrument = 'binance-usdm:BTCUSDT'";
        let price = "SELECT value FROM market_metrics WHERE symbol = 'BTCUSDT' AND metric_name = 'index_price'
            AND instrument = 'binance-usdm:BTCUSDT' AND value < 100";
        [ask(rate), ask(price)].map(|rows| rows.iter().map(|r| plain(&r[0])).collect::<Vec<_>>().join(" "))
    };
    let before = shown();
    let at = START + Span::days(2);
    let done = writer.import_points(&world.instruments, &world.streams, &new, at).unwrap();
    assert_eq!(done.inserted.revised, 2, "{done:?}");
    assert_eq!(shown(), ["0.0007", "99"]);
    writer.forget_batches(&world.streams, &mut OneBatch::new(&new), at + Span::hours(1), false).unwrap();
    assert_eq!(shown(), before);
}

/// Numbers to six digits behind the point, whoever prints them.
fn plain(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(n) if text.contains(['.', 'e']) => {
            let short = format!("{n:.6}");
            short.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => text.to_owned(),
    }
}

/// Either spelling finds the same rows, no row is there twice, and a name that nobody has finds none.
fn spellings(ask: &dyn Fn(&str) -> Vec<Vec<String>>) {
    for table in [
        "market_metrics",
        "futures_funding_rates",
        "futures_liquidations",
        "futures_basis_history",
        "market_snapshots",
        "regimes",
        "market_alerts",
    ] {
        let count = |rest: &str| ask(&format!("SELECT count(*) FROM {table} {rest}")).remove(0).remove(0);
        let all = count("");
        assert_ne!(all, "0", "{table}");
        for by in ["= 'BTC/USDT'", "= 'BTCUSDT'", "IN ('ETH/USDT', 'BTC/USDT')", "IN ('ETHUSDT', 'BTCUSDT')"] {
            assert_eq!(count(&format!("WHERE symbol {by}")), all, "{table} {by}");
        }
        assert_eq!(count("WHERE symbol = 'ETH/USDT'"), "0", "{table}");
        assert_eq!(ask(&format!("SELECT DISTINCT symbol FROM {table}")), [["BTC/USDT"]], "{table}");
    }
    let joined = "SELECT count(*) FROM market_metrics a JOIN market_metrics b ON b.symbol = a.symbol AND b.ts = a.ts
        AND b.metric_name = 'mark_price' AND b.instrument = a.instrument
        WHERE a.metric_name = 'index_price' AND a.symbol = ";
    assert_eq!(ask(&format!("{joined}'BTCUSDT'")), ask(&format!("{joined}'BTC/USDT'")));
    assert_ne!(ask(&format!("{joined}'BTCUSDT'")), [["0"]]);
}

const QUESTIONS: &[(&str, &[&str])] = &[
    // The newest, minute by minute; and the hours before.
    (
        "SELECT metric_name, value FROM market_metrics WHERE symbol = 'BTC/USDT' AND instrument = 'binance-usdm:BTCUSDT'
         AND metric_name <> 'bar' ORDER BY ts DESC, metric_name LIMIT 4",
        &["funding_rate|0.0006", "index_price|100499.4", "mark_price|100801.2", "open_interest|600"],
    ),
    (
        "SELECT count(*), count(DISTINCT ts), min(value) * 1000000 FROM market_metrics WHERE symbol = 'BTCUSDT'
         AND metric_name = 'funding_rate' AND venue = 'okx'",
        // Eight whole hours, and the minutes of the last two.
        &["128|128|60"],
    ),
    (
        "SELECT funding_rate, interval_h, source FROM futures_funding_rates WHERE symbol = 'BTC/USDT' AND settled = true
         AND venue = 'binance-usdm'",
        &["0.0001|8|binance_futures"],
    ),
    // Who said it: of the market itself, of what stands in for it, and of several where it may have been either.
    (
        "SELECT metric_name, source, count(*) FROM market_metrics WHERE symbol = 'BTCUSDT'
         AND instrument = 'binance-usdm:BTCUSDT' AND metric_name LIKE 'open_interest%' GROUP BY 1, 2 ORDER BY 1, 2",
        &[
            "open_interest|archive,binance_futures|2",
            "open_interest|binance_futures|30",
            "open_interest_usd|hyperliquid|4",
            "open_interest_usd|okx|4",
        ],
    ),
    (
        "SELECT metric_name FROM market_metrics WHERE symbol = 'BTC/USDT' AND source = 'hyperliquid' ORDER BY ts DESC LIMIT 1",
        &["open_interest_usd"],
    ),
    (
        "SELECT DISTINCT source FROM futures_liquidations WHERE symbol = 'BTC/USDT' AND venue = 'okx'",
        &["binance_futures"],
    ),
    (
        "SELECT liquidated_side, side, price, quantity, value_usd FROM futures_liquidations
         WHERE symbol = 'BTC/USDT' AND venue = 'okx' ORDER BY ts DESC LIMIT 1",
        &["long|SELL|100600|2|201200"],
    ),
    // Against the spot market where it is recorded, else against the index, and never the mark.
    (
        "SELECT venue, spot_price, spot_source, round(CAST(basis_fraction * 10000 AS numeric), 2) FROM futures_basis_history
         WHERE symbol = 'BTC/USDT' ORDER BY ts DESC, venue LIMIT 2",
        &["binance-usdm|100600|spot|10", "okx|100499.4|index|20.02"],
    ),
    (
        "SELECT kind, interval_s, close, volume FROM market_snapshots WHERE symbol = 'BTCUSDT' AND venue = 'binance-spot'
         ORDER BY ts DESC LIMIT 1",
        &["kline|60|100600|1"],
    ),
    (
        "SELECT axis, regime, previous_regime FROM regimes WHERE symbol = 'BTC/USDT' AND axis <> 'risk' ORDER BY axis, ts",
        &["heat|COOL|", "heat|HOT|COOL", "trend|UPTREND|", "trend|STRONG_UPTREND|UPTREND", "volatility|STABLE|"],
    ),
    ("SELECT count(DISTINCT axis) FROM regimes WHERE symbol = 'BTCUSDT'", &["4"]),
];
