//! Seeded markets for tests and benchmarks: instruments, streams, events and rows of the shape the engine makes.

use crate::{Columns, FeatureColumn, RunKey, RunSpec};
use barograph_domain::row::HeldCount;
use barograph_domain::{
    AxisState, Bar, Cell, Event, HeatRegime, HeldBy, InputAge, Instrument, InstrumentName, Kind, MarketKind, Metric,
    MinuteRow, Model, ModelReading, ModelState, OpenAlert, OpenAlerts, OpenExperimental, Pattern, Payload, Reason,
    RiskRegime, Severity, Side, Span, Stamp, State, StreamDecl, StreamIndex, Timeframes, TrendRegime, Ts, VolRegime,
};

/// 2026-01-01T00:00:00Z.
pub const START: Ts = Ts::from_civil(2026, 1, 1, 0, 0, 0);
/// Readings of a row, as many as the catalogue had when this was written.
pub const FEATURES: usize = 54;
/// Of them, those that change every minute.
pub const MOVING: usize = 45;

/// Numbers from a seed (xorshift64*, Vigna 2016).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }
    /// Any 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    /// A number below `n`.
    pub const fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }
    /// A number in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
    /// True once in `n`.
    pub const fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
    /// Any order of a slice.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = usize::try_from(self.below(at as u64 + 1)).unwrap_or(0);
            items.swap(at, other);
        }
    }
}

/// `binance-usdm:<symbol>`, a perpetual.
#[must_use]
pub fn instrument(symbol: &str) -> Instrument {
    let name = InstrumentName::new("binance-usdm", symbol).unwrap_or_else(|e| unreachable!("{e}"));
    Instrument { name, kind: MarketKind::Perpetual, expiry: None }
}

/// Minute candles, mark, funding and 5-minute open interest of each instrument, in rank order.
#[must_use]
pub fn streams(instruments: &[Instrument]) -> Vec<StreamDecl> {
    let kinds = [
        (Metric::Bar, Span::mins(1), Span::secs(2), Kind::Measured),
        (Metric::Trade, Span::secs(1), Span::ZERO, Kind::Measured),
        (Metric::MarkPrice, Span::mins(1), Span::secs(2), Kind::Measured),
        (Metric::FundingRate, Span::mins(1), Span::secs(2), Kind::Measured),
        (Metric::OpenInterest, Span::mins(5), Span::mins(1), Kind::Proxy),
        (Metric::Liquidation, Span::secs(1), Span::ZERO, Kind::Sampled),
    ];
    let of = |i: &Instrument| {
        let instrument = i.name.clone();
        kinds.map(|(metric, cadence, delay, kind)| StreamDecl {
            instrument: instrument.clone(),
            metric,
            kind,
            cadence,
            source: "binance-usdm".to_owned(),
            delay,
            stamp: Stamp::Close,
            filled: false,
        })
    };
    let mut all: Vec<StreamDecl> = instruments.iter().flat_map(of).collect();
    all.sort();
    all
}

/// One market's streams over some minutes, in the engine's order.
#[must_use]
pub fn events(streams: &[StreamDecl], minutes: i64, seed: u64) -> Vec<Event> {
    let mut random = Random::new(seed);
    let mut price = 50_000.0;
    let mut all = Vec::new();
    for minute in 1..=minutes {
        let ts = START + Span::mins(minute);
        price *= 1.0 + 0.001 * (random.unit() - 0.5);
        for (at, stream) in (0_u16..).zip(streams) {
            if (minute * 60) % stream.cadence.as_secs().max(60) == 0 {
                let payload = payload(stream.metric, price, &mut random);
                let seq = if stream.metric == Metric::Trade { minute.unsigned_abs() } else { 0 };
                all.push(Event { recv_ts: ts + stream.delay, event_ts: ts, stream: StreamIndex(at), seq, payload });
            }
        }
    }
    all.sort_by(Event::order);
    all
}

/// Something that fits the metric.
pub fn payload(metric: Metric, price: f64, random: &mut Random) -> Payload {
    match metric {
        Metric::Bar => Payload::Bar(Bar {
            open: price,
            high: price * 1.001,
            low: price * 0.999,
            close: price * (1.0 + 0.001 * (random.unit() - 0.5)),
            volume: Some(random.unit() * 100.0),
            quote_volume: (!random.once_in(5)).then_some(random.unit() * 1e6),
        }),
        Metric::Trade => Payload::Trade { price, qty: random.unit(), aggressor_side: Some(Side::Long) },
        Metric::BestBidAsk | Metric::Book => Payload::BestBidAsk { bid: price, ask: price + 0.1 },
        Metric::FundingRate | Metric::FundingRateSettled => Payload::Funding {
            rate: (random.unit() - 0.5) * 1e-4,
            interval_h: (!random.once_in(3)).then_some(8.0),
            next_ts: None,
            special: false,
        },
        Metric::Liquidation => Payload::Liquidation { liquidated_side: Side::Short, price, qty: random.unit() },
        Metric::MarkPrice
        | Metric::IndexPrice
        | Metric::PremiumIndex
        | Metric::OpenInterest
        | Metric::OpenInterestUsd
        | Metric::TopTraderAccountRatio
        | Metric::TopTraderPositionRatio
        | Metric::LongShortRatio
        | Metric::TakerVolumeRatio
        | Metric::SpotPrice => Payload::Value(price * (1.0 + 1e-4 * random.unit())),
    }
}

/// A run of the sample rows.
#[must_use]
pub fn spec(instrument: &Instrument, streams: &[StreamDecl]) -> RunSpec {
    RunSpec {
        key: RunKey { instrument: instrument.name.clone(), logic_version: "v0.1.0+0123456789ab".to_owned() },
        release: "0.1.0".to_owned(),
        book: "default".to_owned(),
        book_text: "name = \"default\"\n".to_owned(),
        config: String::new(),
        columns: Columns {
            features: (0..FEATURES).map(|i| FeatureColumn { id: format!("feature_{i}"), version: 1 }).collect(),
            cuts: (0..4).map(|i| format!("cut_{i}")).collect(),
            rules: ["HIGH_VOL", "SQUEEZE_RISK", "CHOP_RISK"].map(str::to_owned).to_vec(),
        },
        streams: streams.to_vec(),
    }
}

/// Rows as the engine leaves them: most readings move every minute, a few change slowly, labels seldom.
#[derive(Clone, Debug)]
pub struct SampleMarket {
    random: Random,
    values: Vec<f64>,
    label: RiskRegime,
    since: Ts,
    held: u32,
}

impl SampleMarket {
    /// A market from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let values = (0..FEATURES).map(|_| random.unit()).collect();
        Self { random, values, label: RiskRegime::Unknown, since: START, held: 0 }
    }

    /// The row of a minute. Stream indexes are those of one instrument's [`streams`].
    pub fn row(&mut self, ts: Ts) -> MinuteRow {
        for (at, value) in self.values.iter_mut().enumerate() {
            if at < MOVING || self.random.once_in(60) {
                *value *= 1.0 + 0.01 * (self.random.unit() - 0.5);
            }
        }
        if self.random.once_in(200) {
            self.label = RiskRegime::ALL[usize::try_from(self.random.below(5)).unwrap_or(0)];
            self.since = ts;
        }
        self.held += u32::from(self.random.once_in(10));
        let minute = u32::try_from((ts - START).as_secs() / 60).unwrap_or(0);
        MinuteRow {
            instrument: 0,
            ts,
            cells: (0..FEATURES).map(|at| self.cell(at, ts, minute)).collect(),
            cuts: (0..4).map(|at| (minute > 336).then(|| 0.5 + f64::from(minute / 60 * 4 + at))).collect(),
            risk: AxisState {
                label: self.label,
                raw_label: self.label,
                held_by: HeldBy::None,
                since: self.since,
                candidate: self.random.once_in(9).then_some(RiskRegime::ChopRisk),
                candidate_count: u32::from(self.random.once_in(9)),
                stale: false,
            },
            trend: AxisState { label: TrendRegime::Uptrend, since: self.since, ..AxisState::default() },
            volatility: AxisState {
                raw_label: VolRegime::Explosive,
                candidate: self.random.once_in(9).then_some(VolRegime::Extreme),
                ..AxisState::default()
            },
            heat: AxisState { label: HeatRegime::Hot, stale: self.random.once_in(99), ..AxisState::default() },
            timeframes: Timeframes {
                trend: [TrendRegime::Uptrend, TrendRegime::Sideways, TrendRegime::Unknown, TrendRegime::Downtrend],
                heat: [HeatRegime::SuperHot; 4],
                ..Timeframes::default()
            },
            held: vec![HeldCount { held: self.held, known: minute }; 3],
            inputs: vec![
                InputAge { metric: Metric::MarkPrice, stream: Some(StreamIndex(2)), anchor: ts, gap: None },
                InputAge {
                    metric: Metric::OpenInterest,
                    stream: Some(StreamIndex(4)),
                    anchor: ts.floor(Span::mins(5)),
                    gap: self.random.once_in(50).then_some(barograph_domain::GapReason::Disconnected),
                },
            ],
            price: Some(50_000.0 * self.values[0]),
            models: (minute > 90).then(|| self.reading(ts, minute)).into_iter().collect(),
            open: self.open(minute),
        }
    }

    /// An alert in every fifth quarter of an hour, worse in some.
    fn open(&self, minute: u32) -> OpenAlerts {
        let mut open = OpenAlerts::default();
        if (minute / 15).is_multiple_of(5) {
            let severity = if (minute / 15).is_multiple_of(2) { Severity::High } else { Severity::Low };
            open.add(OpenAlert { pattern: Pattern::AlertRule, severity, rule: Some(3) });
        }
        if (minute / 20).is_multiple_of(3) {
            open.experimental = OpenExperimental { count: 2, first: Some(Pattern::Layering) };
        }
        open
    }

    /// What a model says from its second hour on.
    fn reading(&self, ts: Ts, minute: u32) -> ModelReading {
        ModelReading {
            model: Model::Hmm,
            state: Some(ModelState::Mid),
            probabilities: [0.125, 0.75 + self.values[1] / 1e6, 0.125],
            since: ts.floor(Span::hours(4)),
            expected_remaining: Some(Span::mins(500)),
            recent_change: None,
            have: minute / 60,
            need: 720,
            digest: 0x1234_5678_9abc,
            fitted_until: Some(START),
        }
    }

    fn cell(&self, at: usize, ts: Ts, minute: u32) -> Cell {
        let need = 6 * u32::try_from(at).unwrap_or(0);
        if minute < need {
            let state = State::Warming { have: minute, need };
            return Cell { state, partial: true, ..Cell::undefined(Reason::Warming) };
        }
        let anchor = if at.is_multiple_of(5) { ts.floor(Span::mins(5)) } else { ts };
        let stream = Some(StreamIndex(u16::try_from(at % 5).unwrap_or(0)));
        Cell { stream, ..Cell::ready_at(self.values[at], anchor, Kind::Measured) }
    }
}
