//! Each axis is stale by what it reads itself, and advice rests on no label whose inputs are too old (regimes §9, risk §1).

use crate::rules_common;
use barograph_domain::advice::{Missing, ReasonCode, Verdict};
use barograph_domain::{
    Cell, Instrument, InstrumentName, Kind, MarketKind, Metric, Posture, RiskRegime, Side, Span, Stamp, StreamDecl,
    StreamIndex, TIMEFRAMES, TradingSession, TrendRegime, Ts,
};
use barograph_engine::advice::{AdviceBasis, Intent, OperatorSettings, advise};
use barograph_engine::explain::{Context, at_present};
use barograph_engine::rules::{AxisMemory, RuleBook};
use rules_common::{feature, live_streams, minute, minute_row, shipped, stream};
use std::sync::Arc;

/// Closes of candles of a stream that speaks for no input: what the trend axis reads.
const CANDLES: StreamIndex = StreamIndex(3);

struct World {
    book: RuleBook,
    streams: Vec<StreamDecl>,
    row: barograph_domain::MinuteRow,
    instrument: Instrument,
}

impl World {
    fn ctx(&self) -> Context<'_> {
        Context {
            book: &self.book,
            logic_version: "v0.1.0+0123456789ab",
            instrument: &self.instrument,
            streams: &self.streams,
            held: None,
            calls: None,
        }
    }
}

/// A confirmed steep rise, read from the hourly close at 00:00 while every input is fresh.
fn world() -> World {
    let book = shipped("default");
    let bars = StreamDecl { delay: Span::secs(2), stamp: Stamp::Open, ..stream(Metric::Bar, Span::mins(1), false) };
    let mut streams = live_streams();
    streams.push(bars);
    let readings = [
        ("slope_pct", 0.3),
        ("trend_p", 0.01),
        ("adaptive_mult", 2.0),
        ("session_base_mult", 2.0),
        ("session_elapsed_frac", 0.0),
        ("atr_14", 400.0),
    ];
    let mut row = minute_row(&book, minute(0), &readings, &[]);
    for id in ["slope_pct", "trend_p"] {
        row.cells[feature(id).index()] = Cell {
            stream: Some(CANDLES),
            ..Cell::ready_at(row.cells[feature(id).index()].value, minute(0), Kind::Measured)
        };
    }
    row.trend = AxisMemory::new().step(&book, minute(0), &row.cells, &row.inputs, &streams);
    row.risk.label = RiskRegime::Normal;
    row.risk.raw_label = RiskRegime::Normal;
    row.timeframes.trend = TIMEFRAMES.map(|_| TrendRegime::StrongUptrend);
    let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap_or_else(|e| panic!("{e}"));
    World { book, streams, row, instrument: Instrument::from_name(name, MarketKind::Perpetual) }
}

/// Minutes after the row, the label shown, whether it is read, stale, the ratio and why it is a fallback.
type Reading = (i64, TrendRegime, bool, bool, f64, Option<Missing>);

const READ: &[Reading] = &[
    (0, TrendRegime::StrongUptrend, true, false, 4.0, None),
    // The inputs are six minutes old, the last close is not.
    (6, TrendRegime::StrongUptrend, true, false, 4.0, None),
    (62, TrendRegime::StrongUptrend, true, false, 4.0, None),
    // An hour, and twice a minute with its delay.
    (63, TrendRegime::StrongUptrend, false, true, 1.5, Some(Missing::ContextUnusable)),
    // Two hours after the close that did not come.
    (180, TrendRegime::StrongUptrend, false, true, 1.5, Some(Missing::ContextUnusable)),
    (181, TrendRegime::Unknown, false, true, 1.5, Some(Missing::ContextUnusable)),
    (260 * 1_440, TrendRegime::Unknown, false, true, 1.5, Some(Missing::ContextUnusable)),
];

#[test]
fn the_trend_grows_old_by_its_own_closes_and_advice_falls_back() {
    let w = world();
    let ctx = w.ctx();
    for (minutes, label, read, stale, ratio, fallback) in READ {
        let now: Ts = w.row.ts + Span::mins(*minutes);
        let s = at_present(&ctx, &w.row, None, now);
        let trend = &s.regimes.trend;
        let is_read = trend.raw_label != TrendRegime::Unknown;
        assert_eq!((trend.label, is_read, trend.stale), (*label, *read, *stale), "after {minutes} min");
        assert_eq!(trend.confirmation.confirmed, *read, "after {minutes} min");
        assert_eq!(s.explanation.stale_metrics.contains(&"bar"), *stale, "after {minutes} min");
        assert_eq!(s.explanation.freshness_warning.is_some(), *minutes > 5);
        let basis = AdviceBasis::new(Arc::new(s), &w.row, now);
        let intent = Intent::new("BTCUSDT", Side::Long, 50_000.0);
        let advice = advise(Some(&basis.context()), &intent, &OperatorSettings::default()).unwrap();
        let p = &advice.parameters;
        assert_eq!((p.risk_reward_ratio, p.ratio_fallback), (*ratio, *fallback), "after {minutes} min");
        assert_eq!(advice.judgement.reasons.has(ReasonCode::DataStale), *minutes > 5);
        assert_eq!(advice.judgement.verdict == Verdict::Avoid, *minutes > 5, "after {minutes} min");
    }
    // Candles alone are enough to make careful.
    let mut fresh = w.row.clone();
    let now = w.row.ts + Span::mins(63);
    fresh.inputs.iter_mut().for_each(|i| i.anchor = now);
    let s = at_present(&ctx, &fresh, None, now);
    assert_eq!((s.regimes.trend.stale, s.regimes.volatility.stale, s.guidance.posture), (true, false, Posture::Hold));
    assert_eq!(s.explanation.freshness_warning.as_deref(), Some("Data stale (3 minutes old)"));
}

/// A label is given up when the first of its inputs grows too old, in whatever order the inputs are listed.
#[test]
fn a_label_is_given_up_with_the_first_input_that_is_too_old() {
    let mut w = world();
    // Of the three the mark price is two minutes older.
    w.row.inputs[0].anchor = w.row.ts - Span::mins(2);
    let ctx = w.ctx();
    let mut row = w.row.clone();
    for reversed in [false, true] {
        if reversed {
            row.inputs.reverse();
        }
        let risk = at_present(&ctx, &row, None, w.row.ts + Span::hours(9)).regimes.risk;
        assert_eq!((risk.label, risk.since), (RiskRegime::Unknown, w.row.ts + Span::mins(4)), "reversed: {reversed}");
    }
}

#[test]
fn an_old_row_read_now_is_in_the_session_of_now() {
    let w = world();
    let ctx = w.ctx();
    // Session, its multiplier: the row's while it lasts, the book's own for another.
    let cases = [(10, TradingSession::Asian, 2.0, Some(0.0)), (15 * 60, TradingSession::Ny, 1.8, None)];
    for (minutes, session, mult, elapsed) in cases {
        let s = at_present(&ctx, &w.row, None, w.row.ts + Span::mins(minutes)).session;
        let said = (s.name, s.adaptive_multiplier, s.elapsed_frac);
        assert_eq!(said, (session, Some(mult), elapsed), "after {minutes} min");
    }
}
