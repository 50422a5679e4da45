//! Every text that detectors say of themselves, in words that a person has read: `alert_texts.txt`, one alert of each pattern, way
//! and change. A text that is changed on purpose is changed there too: the test writes what it found beside the compiled tests and
//! names that file.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a test reads its text and may panic; its numbers are small"
)]

use crate::support;
use barograph_domain::alert::AlertChange;
use barograph_domain::pattern::Family;
use barograph_domain::{
    Alert, Axis, Cell, HeatRegime, InstrumentName, Kind, Pattern, RiskRegime, Side, Span, TradingSession, TrendRegime,
    Trigger, Ts, VolRegime,
};
use barograph_engine::detect::inputs::Confirmed;
use barograph_engine::detect::meaning::meaning_at;
use barograph_engine::detect::pairs::{PairInputs, PairWatch};
use barograph_engine::detect::plain::detect_cascade_events;
use barograph_engine::detect::{AxisLabels, Inputs, Surveillance, Thresholds, explain};
use barograph_engine::liquidations::plain::Closed;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use support::Random;

const READ: &str = include_str!("alert_texts.txt");

fn at(minute: i64) -> Ts {
    Ts::from_civil(2026, 2, 5, 0, 0, 0) + Span::mins(minute)
}

/// A reading somewhere around a threshold, mostly beyond it, of either sign.
fn around(r: &mut Random, threshold: f64, ts: Ts) -> Cell {
    let sign = if r.next().is_multiple_of(2) { 1.0 } else { -1.0 };
    Cell::ready_at(sign * threshold * (0.6 + 2.0 * r.unit()), ts, Kind::Measured)
}

fn share(r: &mut Random, ts: Ts) -> Cell {
    let ends = [0.004, 0.04, 0.5, 0.96, 0.996];
    Cell::ready_at(ends[usize::try_from(r.next() % 5).unwrap()], ts, Kind::Measured)
}

fn pick<T: Copy>(r: &mut Random, of: &[T]) -> T {
    of[usize::try_from(r.next() % of.len() as u64).unwrap()]
}

/// What the detectors read in one minute of a market in which much happens.
fn minute(r: &mut Random, ts: Ts) -> Inputs {
    let mut i = Inputs::nothing(ts);
    i.funding_rate = around(r, 0.0003, ts);
    i.minutes_to_funding = Cell::ready_at(127.0, ts, Kind::Measured);
    i.funding_zscore = around(r, 2.6, ts);
    i.funding_pct = share(r, ts);
    i.funding_change = around(r, 0.0005, ts);
    i.funding_volatility = around(r, 0.0003, ts);
    i.farming_share = share(r, ts);
    i.basis = around(r, 0.02, ts);
    i.premium = around(r, 0.01, ts);
    i.concentration = share(r, ts);
    i.volatility = Cell::ready_at(0.3 + r.unit(), ts, Kind::Measured);
    let l = &mut i.liquidations;
    l.count_60s = Cell::ready_at((12.0 * r.unit()).floor(), ts, Kind::Measured);
    l.burst_threshold = Cell::ready_at(6.5, ts, Kind::Measured);
    l.velocity = Cell::ready_at(500_000.0 * r.unit(), ts, Kind::Measured);
    l.velocity_threshold = Cell::ready_at(230_000.0, ts, Kind::Measured);
    l.velocity_pct = share(r, ts);
    l.total = Cell::ready_at(1_200_000.0 * r.unit(), ts, Kind::Measured);
    l.severity_ratio = Cell::ready_at(2.0 * r.unit(), ts, Kind::Measured);
    l.side = Cell::ready_at(pick(r, &[0.0, 1.0, 2.0]), ts, Kind::Measured);
    l.long_share_1h = share(r, ts);
    l.events_1h = Cell::ready_at(9.0, ts, Kind::Measured);
    i.labels = AxisLabels {
        risk: Some(pick(r, &RiskRegime::ALL)),
        trend: Some(pick(r, TrendRegime::ALL)),
        volatility: Some(pick(r, VolRegime::ALL)),
        heat: Some(pick(r, HeatRegime::ALL)),
    };
    let is = Some(r.next().is_multiple_of(2));
    let (label, timeframes, confidence) = ("STRONG_UPTREND", &["1h", "4h"][..], Some(0.7));
    i.confirmed[1] = Confirmed { label, is, timeframes, confidence, ..Confirmed::unknown(Axis::Trend) };
    i.session = Some(pick(r, &TradingSession::ALL));
    i
}

/// Alerts of a wild market, of bursts of liquidations, and of a pair that parts.
pub(crate) fn alerts() -> Vec<Alert> {
    let (mut r, mut out, thresholds) = (Random(2_026), Vec::new(), Thresholds::default());
    let mut market = Surveillance::default();
    for n in 0..4_000 {
        let inputs = minute(&mut r, at(7 * n));
        market.step(&inputs, &thresholds, &mut out);
    }
    let close = |n: i64| Closed {
        ts: at(0) + Span::millis(400 * n),
        liquidated_side: if n % 9 == 0 { Side::Short } else { Side::Long },
        price: 62_000.0 + n as f64,
        qty: 0.5,
    };
    out.extend(detect_cascade_events(&(0..40).map(close).collect::<Vec<_>>(), at(1_000), &thresholds));
    let other = InstrumentName::new("binance-usdm", "ETHUSDT").unwrap();
    let mut pair = PairWatch::default();
    for hour in 0..40 {
        let ts = at(60 * hour);
        let cell = |value: f64| Cell::ready_at(value, ts, Kind::Measured);
        let parted = hour % 12 > 5;
        let (correlation, pct) = if parted { (-0.62, 0.004) } else { (0.8, 0.6) };
        let inputs =
            PairInputs { ts, correlation: cell(correlation), band_low: cell(-0.7), pct_180d: cell(pct), watch: false };
        out.extend(pair.step(&other, &inputs, &thresholds));
    }
    out
}

#[test]
fn every_text_is_the_one_that_was_read() {
    let mut first: BTreeMap<(&str, &str, &str), Alert> = BTreeMap::new();
    for alert in alerts() {
        let way = alert.trigger.map_or("", Trigger::name);
        first.entry((alert.pattern.name(), way, alert.change.name())).or_insert(alert);
    }
    let mut said = String::new();
    for ((pattern, way, change), alert) in &first {
        let meaning = meaning_at(alert, Thresholds::default().keep, None);
        writeln!(
            said,
            "{}",
            [*pattern, way, change].into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
        )
        .unwrap();
        writeln!(said, "  title    {}", explain::title_at(alert, None)).unwrap();
        writeln!(said, "  says     {}", explain::description_at(alert, None)).unwrap();
        writeln!(said, "  entries  {}", meaning.new_entries).unwrap();
        writeln!(said, "  held     {}", meaning.open_positions).unwrap();
        writeln!(said, "  clears   {}", meaning.clears).unwrap();
        explain::limits(alert).into_iter().for_each(|limit| writeln!(said, "  limit    {limit}").unwrap());
    }
    if said != READ {
        let found = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("alert_texts.txt");
        std::fs::write(&found, &said).unwrap();
        let line = said.lines().zip(READ.lines()).find(|(a, b)| a != b);
        panic!("texts differ from alert_texts.txt, first {line:?}; what was found is in {}", found.display());
    }
}

/// What a market alone can make: feeds, a rule of one's own, and what the ledger says of drift, speak elsewhere.
#[test]
fn every_pattern_of_a_market_is_among_them() {
    let elsewhere =
        [Pattern::DataGap, Pattern::FeedStale, Pattern::AlertRule, Pattern::FeatureDrift, Pattern::SkillLost];
    // Books and trades have texts of their own, see `order_flow`.
    let of_market = |p: &&Pattern| !elsewhere.contains(p) && p.family() != Family::OrderFlow;
    for pattern in Pattern::ALL.iter().filter(of_market) {
        let heads = READ.lines().filter(|l| !l.starts_with(' '));
        let changes: Vec<_> = heads.filter(|l| l.split(' ').next() == Some(pattern.name())).collect();
        let opens = |l: &&str| l.ends_with(AlertChange::Opened.name()) || l.ends_with(AlertChange::Happened.name());
        assert!(changes.iter().any(opens), "{pattern:?}: {changes:?}");
    }
}
