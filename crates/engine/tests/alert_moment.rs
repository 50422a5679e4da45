//! What an alert of a label says is what its minute says: number against threshold, side, price, what would end it (U3).

mod rules_common;
use barograph_domain::{
    Axis, AxisState, Instrument, InstrumentName, MarketKind, MinuteRow, RiskRegime, TrendRegime, VolRegime,
};
use barograph_engine::explain::{Context, Moment, moment};
use barograph_engine::rules::{Book, RiskAxis};
use rules_common::{live_streams, minute, minute_row, shipped};

fn said(book: &Book, row: &MinuteRow, axis: Axis) -> Moment {
    let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap_or_else(|e| panic!("{e}"));
    let instrument = Instrument::from_name(name, MarketKind::Perpetual);
    let streams = live_streams();
    moment(&Context { book, logic_version: "v1", instrument: &instrument, streams: &streams, held: None }, row, axis)
}

/// The third row with these readings: labels that need two readings have been entered.
fn row(book: &Book, readings: &[(&str, f64)]) -> MinuteRow {
    let mut axis = RiskAxis::new();
    let streams = live_streams();
    let mut last = None;
    let quiet = [("funding_zscore_24h", 0.4), ("oi_delta_1h", 0.01), ("oi_delta_4h", 0.01), ("realized_vol_4h", 0.40)];
    let unsaid = quiet.iter().filter(|(id, _)| readings.iter().all(|(said, _)| said != id));
    let readings: Vec<(&str, f64)> = unsaid.chain(readings).copied().collect();
    for n in 0..3 {
        let mut row = minute_row(book, minute(n), &readings, &[]);
        row.risk = axis.step(book, row.ts, &row.cells, &row.inputs, &streams);
        last = Some(row);
    }
    last.unwrap_or_else(|| panic!("three rows"))
}

#[test]
fn a_label_says_number_against_threshold_price_and_exit() {
    let book = shipped("absolute");
    let wild = row(&book, &[("funding_zscore_24h", 0.4), ("oi_delta_4h", 0.01), ("realized_vol_1h", 1.24)]);
    assert_eq!(wild.risk.label, RiskRegime::HighVol);
    let of = said(&book, &wild, Axis::Risk);
    assert_eq!(of.text(), "Extreme volatility: 1 h volatility is 124 % annualised, limit 80 %. Price 63,120.");
    assert!(of.clears.starts_with("It would clear to ") && of.clears.contains("fell below"), "{}", of.clears);
    assert_eq!((of.statistics.len(), of.side), (1, None));
    assert_eq!((of.statistics[0].value, of.statistics[0].threshold), (Some(1.24), 0.80));
    let exit = of.exit.unwrap_or_else(|| panic!("a single reading ends it"));
    assert_eq!((exit.feature, exit.direction, exit.value), ("realized_vol_1h", "below", 1.24));
    assert!(of.flip.is_some());
}

#[test]
fn a_squeeze_names_its_side_and_a_quiet_market_what_would_turn_it() {
    let book = shipped("absolute");
    let quiet = [("oi_delta_4h", 0.12), ("realized_vol_1h", 0.20)];
    let squeeze = |z: f64, code: f64| {
        let readings = [("funding_zscore_24h", z), ("squeeze_direction", code), quiet[0], quiet[1]];
        said(&book, &row(&book, &readings), Axis::Risk)
    };
    let longs = squeeze(2.6, 0.0);
    assert!(longs.why.starts_with("Squeeze risk, ") && longs.why.contains("2.6σ"), "{}", longs.why);
    assert!(longs.side.is_some());
    assert_ne!(longs.side, squeeze(-2.6, 1.0).side);
    let calm = row(&book, &[("funding_zscore_24h", 0.4), ("oi_delta_4h", 0.05), ("realized_vol_1h", 0.40)]);
    let of = said(&book, &calm, Axis::Risk);
    assert!(of.why.starts_with("No risk rule fires any more."), "{}", of.why);
    assert!(of.clears.starts_with("It would turn "), "{}", of.clears);
}

#[test]
fn every_axis_has_words_for_every_label() {
    let book = shipped("default");
    let mut any = row(&book, &[("realized_vol_1h", 0.40)]);
    for label in [TrendRegime::StrongUptrend, TrendRegime::Sideways, TrendRegime::Unknown] {
        any.trend = AxisState { label, ..AxisState::default() };
        let of = said(&book, &any, Axis::Trend);
        assert!(of.why.ends_with('.') && of.clears.ends_with('.'), "{of:?}");
        assert_eq!(of.why.starts_with("No reading"), label == TrendRegime::Unknown);
    }
    any.volatility = AxisState { label: VolRegime::Extreme, ..AxisState::default() };
    assert!(said(&book, &any, Axis::Volatility).why.starts_with("Extreme moves"));
    assert!(said(&book, &any, Axis::Heat).why.ends_with('.'));
}
