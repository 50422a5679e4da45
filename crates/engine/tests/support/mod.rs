//! Markets for tests: a seeded random one with every stream, and the built-in history.
#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "each test binary uses another part of this module; tests read files and may panic"
)]

use barograph_domain::math::exp;
use barograph_domain::{
    Bar, Event, Instrument, InstrumentName, Kind, MarketKind, Metric, MinuteRow, Payload, Side, Span, Stamp,
    StreamDecl, StreamIndex, Ts,
};
use barograph_engine::rules::RuleBook;
use barograph_engine::{AlertOut, Config, Engine, Outputs};
use std::sync::Arc;

/// A market as the engine gets it.
pub(crate) struct World {
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) streams: Vec<StreamDecl>,
    pub(crate) events: Vec<Event>,
}

/// SplitMix64 (Steele, Lea & Flood 2014): enough for tests, and the seed says everything.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// Uniform in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
    /// Roughly normal: the sum of four uniforms, centred, with unit variance.
    pub(crate) fn normal(&mut self) -> f64 {
        (self.unit() + self.unit() + self.unit() + self.unit() - 2.0) * 3.0_f64.sqrt()
    }
}

pub(crate) fn decl(metric: Metric, cadence: Span, delay: Span, stamp: Stamp, filled: bool) -> StreamDecl {
    StreamDecl {
        instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
        metric,
        kind: Kind::Measured,
        cadence,
        source: "binance-usdm".to_owned(),
        delay,
        stamp,
        filled,
    }
}

/// Every stream a perpetual has, at its usual cadence.
pub(crate) fn all_streams() -> Vec<StreamDecl> {
    let minute = Span::mins(1);
    let mut streams = vec![
        decl(Metric::Bar, minute, Span::secs(2), Stamp::Open, false),
        decl(Metric::MarkPrice, minute, Span::secs(2), Stamp::Open, false),
        decl(Metric::IndexPrice, minute, Span::secs(2), Stamp::Open, false),
        decl(Metric::FundingRate, Span::secs(1), Span::ZERO, Stamp::Instant, true),
        decl(Metric::FundingRateSettled, Span::hours(8), Span::secs(60), Stamp::Instant, false),
        decl(Metric::OpenInterest, Span::secs(300), Span::secs(60), Stamp::Instant, false),
        decl(Metric::Liquidation, Span::secs(1), Span::ZERO, Stamp::Instant, true),
        decl(Metric::LongShortRatio, Span::secs(300), Span::secs(60), Stamp::Instant, false),
        decl(Metric::TopTraderPositionRatio, Span::secs(300), Span::secs(60), Stamp::Instant, false),
    ];
    streams.sort();
    streams
}

/// `days` of a seeded perpetual with calm and wild weeks.
pub(crate) fn random_world(seed: u64, days: i64) -> World {
    let streams = all_streams();
    let of = |m: Metric| StreamIndex(u16::try_from(streams.iter().position(|s| s.metric == m).unwrap()).unwrap());
    let mut r = Random(seed);
    let mut events = Vec::new();
    let start = Ts::from_civil(2025, 6, 1, 0, 0, 0);
    let (mut price, mut oi, mut funding) = (60_000.0_f64, 90_000.0_f64, 0.0001_f64);
    // A source of its own, so that prices are those of worlds without liquidations.
    let mut forced = Random(seed ^ 0x11_0c_1d);
    let mut push = |metric: Metric, at: Ts, payload: Payload| {
        let stream = of(metric);
        let recv_ts = at + streams[stream.index()].delay;
        events.push(Event { recv_ts, event_ts: at, stream, seq: 0, payload });
    };
    for minute in 1..=days * 1_440 {
        let at = start + Span::mins(minute);
        let wild = if (minute / 4_000) % 3 == 2 { 4.0 } else { 1.0 };
        let open = price;
        price *= exp(0.0004 * wild * r.normal());
        let index = price * exp(0.0002 * r.normal());
        let (high, low) = (open.max(price) * (1.0 + 0.0002 * r.unit()), open.min(price) * (1.0 - 0.0002 * r.unit()));
        let volume = 20.0 * wild * (0.2 + r.unit());
        let bar = Bar { open, high, low, close: price, volume: Some(volume), quote_volume: Some(volume * price) };
        push(Metric::Bar, at, Payload::Bar(bar));
        push(Metric::MarkPrice, at, Payload::Value(price * exp(0.00005 * r.normal())));
        push(Metric::IndexPrice, at, Payload::Value(index));
        funding += 0.02 * (0.0001 - funding) + 0.000_01 * wild * r.normal();
        let next = Ts((at.0 / Span::hours(8).0 + 1) * Span::hours(8).0);
        let rate = Payload::Funding { rate: funding, interval_h: Some(8.0), next_ts: Some(next), special: false };
        push(Metric::FundingRate, at - Span::millis(300), rate);
        if minute % 5 == 0 {
            oi *= exp(0.003 * wild * r.normal());
            push(Metric::OpenInterest, at, Payload::Value(oi));
            push(Metric::LongShortRatio, at, Payload::Value(exp(0.4 * forced.normal())));
            push(Metric::TopTraderPositionRatio, at, Payload::Value(exp(0.4 * forced.normal())));
        }
        for (at, payload) in liquidations_of_minute(&mut forced, at, price, wild) {
            push(Metric::Liquidation, at, payload);
        }
        if minute % 480 == 0 {
            let settled = Payload::Funding { rate: funding, interval_h: Some(8.0), next_ts: None, special: false };
            push(Metric::FundingRateSettled, at + Span::millis(4), settled);
        }
    }
    events.sort_by(Event::order);
    World { instruments: vec![perpetual()], streams, events }
}

/// Liquidations of one minute: mostly none, now and then a few, rarely a burst of one side.
fn liquidations_of_minute(r: &mut Random, close: Ts, price: f64, wild: f64) -> Vec<(Ts, Payload)> {
    let n = match r.unit() {
        u if u < 0.002 * wild => 4 + r.next() % 12,
        u if u < 0.03 * wild => 1 + r.next() % 2,
        _ => 0,
    };
    let liquidated_side = if r.unit() < 0.5 { Side::Long } else { Side::Short };
    let mut out: Vec<(Ts, Payload)> = (0..n)
        .map(|_| {
            #[expect(clippy::cast_possible_truncation, reason = "a moment within a minute")]
            let before = Span((r.unit() * 5.9e10) as i64 + 1);
            let (price, qty) = (price * (1.0 + 0.004 * (r.unit() - 0.5)), 0.05 + 2.0 * r.unit());
            (close - before, Payload::Liquidation { liquidated_side, price, qty })
        })
        .collect();
    out.sort_by_key(|(at, _)| *at);
    out
}

pub(crate) fn perpetual() -> Instrument {
    Instrument::from_name(InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(), MarketKind::Perpetual)
}

/// Of a shipped book; `NAME+lift` is one whose lifts measure themselves.
pub(crate) fn config(book: &str) -> Config {
    let (name, lift) = book.split_once('+').map_or((book, false), |(name, more)| (name, more == "lift"));
    let mut book = RuleBook::shipped(name).unwrap();
    book.severity.measures = lift;
    Config::new(Arc::new(book))
}

impl World {
    pub(crate) fn engine(&self, book: &str) -> Engine {
        Engine::new(config(book), &self.instruments, &self.streams)
    }

    /// All rows for which `keep` is true.
    pub(crate) fn rows(&self, book: &str, events: &[Event], keep: impl Fn(&MinuteRow) -> bool) -> Vec<MinuteRow> {
        self.run(book, events, keep).0
    }

    /// The same with every record of an alert.
    pub(crate) fn run(
        &self,
        book: &str,
        events: &[Event],
        keep: impl Fn(&MinuteRow) -> bool,
    ) -> (Vec<MinuteRow>, Vec<AlertOut>) {
        let mut engine = self.engine(book);
        let (mut out, mut rows, mut alerts) = (Outputs::default(), Vec::new(), Vec::new());
        let mut take = |out: &mut Outputs| {
            rows.extend(out.rows().iter().filter(|r| keep(r)).cloned());
            alerts.extend_from_slice(out.alerts());
            out.clear();
        };
        for event in events {
            engine.step(event, &mut out);
            take(&mut out);
        }
        engine.finish(Ts::MAX, &mut out);
        take(&mut out);
        (rows, alerts)
    }
}

/// The built-in history of one market as events, read here with the smallest possible CSV reader so that this crate's
/// tests do not depend on the importers they come before.
pub(crate) fn built_in_world(symbol: &str) -> World {
    let name = InstrumentName::new("binance-usdm", symbol).unwrap();
    let own = |d: StreamDecl| StreamDecl { instrument: name.clone(), ..d };
    let bars = own(decl(Metric::Bar, Span::hours(1), Span::secs(2), Stamp::Open, false));
    let settled = own(decl(Metric::FundingRateSettled, Span::hours(8), Span::secs(60), Stamp::Instant, false));
    let oi = StreamDecl {
        kind: Kind::Proxy,
        source: "hyperliquid".to_owned(),
        ..own(decl(Metric::OpenInterestUsd, Span::hours(1), Span::secs(60), Stamp::Open, false))
    };
    let mut streams = vec![bars, settled, oi];
    streams.sort();
    let of = |m: Metric| StreamIndex(u16::try_from(streams.iter().position(|s| s.metric == m).unwrap()).unwrap());
    let mut events = Vec::new();
    let folder = format!("{}/../../testdata/history/binance-usdm/{symbol}", env!("CARGO_MANIFEST_DIR"));
    let mut read = |file: &str, metric: Metric, shift: Span, payload: &dyn Fn(&[f64]) -> Payload| {
        let bytes = std::fs::read(format!("{folder}/{file}")).unwrap();
        let text = String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap();
        for line in text.lines().skip(1) {
            let mut cells = line.split(',');
            let event_ts = Ts::parse(cells.next().unwrap()).unwrap() + shift;
            let numbers: Vec<f64> = cells.map(|c| c.parse().unwrap()).collect();
            let stream = of(metric);
            let recv_ts = event_ts + streams[stream.index()].delay;
            events.push(Event { recv_ts, event_ts, stream, seq: 0, payload: payload(&numbers) });
        }
    };
    read("candles_1h.csv.zst", Metric::Bar, Span::hours(1), &|n| {
        Payload::Bar(Bar { open: n[0], high: n[1], low: n[2], close: n[3], volume: Some(n[4]), quote_volume: None })
    });
    read("funding_8h.csv.zst", Metric::FundingRateSettled, Span::ZERO, &|n| Payload::Funding {
        rate: n[0],
        interval_h: Some(8.0),
        next_ts: None,
        special: false,
    });
    read("open_interest_usd_1h.hyperliquid.csv.zst", Metric::OpenInterestUsd, Span::hours(1), &|n| {
        Payload::Value(n[0])
    });
    events.sort_by(Event::order);
    World { instruments: vec![Instrument::from_name(name, MarketKind::Perpetual)], streams, events }
}

/// Text of a recorded file beside the repository, gzip undone; `None`, said as a skip, where there is none.
pub(crate) fn recorded(below: &str) -> Option<String> {
    use std::io::Read as _;
    let bytes = std::fs::read(barograph_testkit::recorded(below)?).unwrap();
    let mut text = String::new();
    if below.ends_with(".gz") {
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    Some(text)
}

/// A stream of a market made from the lines of one CSV file: a time and then numbers.
pub(crate) struct Rows<'a> {
    pub(crate) decl: StreamDecl,
    pub(crate) csv: &'a str,
    /// Added to the time as written: a bar stamped by its open closes one step later.
    pub(crate) shift: Span,
    /// Rows of `[from, until)` only.
    pub(crate) between: (Ts, Ts),
    pub(crate) payload: fn(&[f64]) -> Payload,
}

pub(crate) fn candle(n: &[f64]) -> Payload {
    Payload::Bar(Bar { open: n[0], high: n[1], low: n[2], close: n[3], volume: Some(n[4]), quote_volume: None })
}

/// The market of these files.
pub(crate) fn world_of(files: &[Rows<'_>]) -> World {
    let name = files[0].decl.instrument.clone();
    let mut streams: Vec<StreamDecl> = files.iter().map(|f| f.decl.clone()).collect();
    streams.sort();
    let mut events = Vec::new();
    for file in files {
        let position = streams.iter().position(|s| *s == file.decl).unwrap();
        let stream = StreamIndex(u16::try_from(position).unwrap());
        for line in file.csv.lines().skip(1) {
            let (time, cells) = line.split_once(',').unwrap();
            let event_ts = Ts::parse(time).unwrap() + file.shift;
            if event_ts < file.between.0 || event_ts >= file.between.1 {
                continue;
            }
            let numbers: Vec<f64> = cells.split(',').map(|c| c.parse().unwrap()).collect();
            let recv_ts = event_ts + file.decl.delay;
            events.push(Event { recv_ts, event_ts, stream, seq: 0, payload: (file.payload)(&numbers) });
        }
    }
    events.sort_by(Event::order);
    World { instruments: vec![Instrument::from_name(name, MarketKind::Perpetual)], streams, events }
}
