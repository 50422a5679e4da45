//! Golden vectors of trend, ranges, persistence of volatility, classes and sessions (`testdata/golden/README.md`).
#![expect(clippy::cast_possible_truncation, reason = "days and rows of a vector")]

use barograph_domain::time::YEAR_DAYS;
use barograph_domain::{Cell, Kind, Label as _, Span, State, TradingSession, TrendRegime, Ts};
use barograph_engine::catalogue::{CATALOGUE, Feature};
use barograph_engine::chart::{Chart, RangeVolatility};
use barograph_engine::features::bars::BuiltBar;
use barograph_engine::features::daily_vol::{DailyVariance, halflife};
use barograph_engine::rules::{RuleBook, evaluate};
use barograph_engine::sessions::{Conditions, SEED_BASE, SessionSet, adjust};
use barograph_engine::vol_class;
use barograph_testkit::{GoldenRow, GoldenTable};

/// Equal to a relative tolerance or an absolute floor; undefined exactly where the vector is empty.
fn same(what: &str, got: Option<f64>, want: Option<f64>, relative: f64, floor: f64) {
    match (got, want) {
        (None, None) => {}
        (Some(g), Some(w)) => {
            assert!((g - w).abs() <= relative * w.abs() || (g - w).abs() <= floor, "{what}: {g} is not {w}")
        }
        _ => panic!("{what}: got {got:?}, want {want:?}"),
    }
}

/// A bar of these four prices.
fn bar(row: GoldenRow<'_>, [open, high, low, close]: [&str; 4]) -> BuiltBar {
    BuiltBar {
        index: row.need("i") as i64,
        open: row.need(open),
        high: row.need(high),
        low: row.need(low),
        close: row.need(close),
        volume: None,
        quote_volume: None,
    }
}

#[test]
fn regression_of_fifty_closes() {
    let book = RuleBook::shipped("default").unwrap();
    let mut chart = Chart::new(Span::hours(1));
    for (i, row) in GoldenTable::whole("trend_linreg").rows().enumerate() {
        chart.push(&bar(row, ["close"; 4]));
        let trend = chart.trend().ok();
        for (column, got, tolerance, floor) in [
            ("slope", trend.map(|t| t.slope), 1e-8, 1e-12),
            ("intercept", trend.map(|t| t.intercept), 1e-8, 1e-12),
            ("r", trend.map(|t| t.r), 1e-8, 1e-12),
            ("stderr", trend.map(|t| t.stderr), 1e-8, 1e-12),
            ("slope_pct", trend.map(|t| t.slope_pct), 1e-8, 1e-12),
            ("p", trend.map(|t| t.p), 1e-6, 1e-30),
            ("p_hac", trend.map(|t| t.p_hac), 1e-6, 1e-30),
        ] {
            same(&format!("row {i} {column}"), got, row.number(column), tolerance, floor);
        }
        let Some(trend) = trend else { continue };
        let mut cells = vec![Cell::undefined(barograph_domain::Reason::MissingInput); CATALOGUE.len()];
        for (feature, value) in [(Feature::SlopePct, trend.slope_pct), (Feature::TrendP, trend.p)] {
            cells[feature.index()] = Cell::ready_at(value, Ts(0), Kind::Measured);
        }
        assert_eq!(evaluate::<TrendRegime>(&book, &cells).raw.name(), row.text("trend_regime"), "row {i}");
    }
}

#[test]
fn range_estimators_of_a_day() {
    let table = GoldenTable::whole("range_vol");
    let bars: Vec<BuiltBar> = table.rows().map(|r| bar(r, ["open", "high", "low", "close"])).collect();
    let got = RangeVolatility::of(bars[1..].iter(), bars[0].close, Span::hours(1)).unwrap();
    let last = table.last();
    for (column, got) in [
        ("vol_parkinson", Some(got.parkinson)),
        ("vol_garman_klass", got.garman_klass.ok()),
        ("vol_rogers_satchell", Some(got.rogers_satchell)),
        ("vol_yang_zhang", Some(got.yang_zhang)),
    ] {
        same(column, got, last.number(column), 1e-10, 0.0);
    }
    let mut chart = Chart::new(Span::hours(1));
    bars.iter().for_each(|b| chart.push(b));
    assert_eq!(chart.range_volatility().unwrap(), (got, 1.0), "the chart's own window is the same one");
}

#[test]
fn persistence_of_daily_variance() {
    let table = GoldenTable::whole("har");
    let mut days = DailyVariance::default();
    for row in table.rows() {
        let day = row.need("day") as i64;
        days.push(day, row.number("rv"));
        if day < 89 {
            assert!(matches!(days.har(), Err(State::Warming { need: 90, .. })), "day {day}");
        }
    }
    let (har, last) = (days.har().unwrap(), table.last());
    for (i, column) in ["beta0", "beta_d", "beta_w", "beta_m"].into_iter().enumerate() {
        same(column, Some(har.beta[i]), last.number(column), 1e-8, 0.0);
    }
    same("r2", Some(har.r2), last.number("r2"), 1e-8, 0.0);
    same("forecast_next", Some(har.forecast), last.number("forecast_next"), 1e-8, 0.0);

    let table = GoldenTable::whole("vol_halflife");
    assert!((0_i64..).zip(table.rows()).all(|(day, row)| row.need("day") as i64 == day), "one day after the other");
    let (phi, half) = halflife(table.rows().map(|r| r.number("rv"))).unwrap();
    let last = table.last();
    same("phi", Some(phi), last.number("phi"), 1e-9, 0.0);
    same("halflife_days", Some(half), last.number("halflife_days"), 1e-9, 0.0);
}

#[test]
fn classes_of_daily_volatility() {
    for row in GoldenTable::whole("vol_class").rows() {
        let class = vol_class(row.need("vol_daily"));
        assert_eq!(class.word(), row.text("vol_class"));
        same("vol_annual", Some(row.need("vol_daily") * YEAR_DAYS.sqrt()), row.number("vol_annual"), 1e-10, 0.0);
        same("risk_multiplier", class.risk_multiplier(), row.number("risk_multiplier"), 1e-10, 0.0);
        same("size_factor", class.size_factor(), row.number("size_factor"), 1e-10, 0.0);
    }
}

#[test]
fn multipliers_of_sessions() {
    for row in GoldenTable::whole("session_multiplier").rows() {
        let session = SessionSet::UTC.session(Ts::parse(row.text("ts")).unwrap());
        assert_eq!(session.name(), row.text("session"), "{}", row.text("ts"));
        let base = SEED_BASE[session.index()];
        same("base", Some(base), row.number("base_mult"), 0.0, 0.0);
        let got = adjust(&Conditions {
            base,
            vol_ratio: Some(row.need("realized_vol") / row.need("expected_vol")),
            volume_ratio: Some(row.need("volume") / row.need("expected_volume")),
        });
        same("vol", Some(got.vol_adjustment), row.number("vol_adjustment"), 1e-10, 0.0);
        same("volume", Some(got.volume_adjustment), row.number("volume_adjustment"), 1e-10, 0.0);
        same("adaptive", Some(got.adaptive_mult), row.number("adaptive_mult"), 1e-10, 0.0);
    }
    let unknown =
        adjust(&Conditions { base: SEED_BASE[TradingSession::Ny.index()], vol_ratio: None, volume_ratio: None });
    assert!((unknown.adaptive_mult - 1.8).abs() < 1e-12, "the base alone where nothing is known");
}
