//! Golden vectors of trend, ranges, persistence of volatility, classes and sessions (`testdata/golden/README.md`).
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads its vectors and may panic")]

use barograph_domain::{Cell, Kind, Label as _, Session, Span, State, TrendRegime, Ts};
use barograph_engine::catalogue::{CATALOGUE, Feature};
use barograph_engine::chart::{Chart, RangeVolatility};
use barograph_engine::features::bars::BuiltBar;
use barograph_engine::features::daily_vol::{DailyVariance, halflife};
use barograph_engine::rules::{Book, evaluate};
use barograph_engine::sessions::{Conditions, SEED_BASE, SessionSet, adjust};
use barograph_engine::vol_class;
use std::collections::BTreeMap;

type Row = BTreeMap<String, String>;

fn load(name: &str) -> Vec<Row> {
    let path = format!("{}/../../testdata/golden/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines.map(|l| header.iter().map(|h| (*h).to_owned()).zip(l.split(',').map(str::to_owned)).collect()).collect()
}

fn number(row: &Row, column: &str) -> Option<f64> {
    let cell = &row[column];
    (!cell.is_empty()).then(|| cell.parse().unwrap())
}

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

fn bar(index: i64, row: &Row) -> BuiltBar {
    let price =
        |column: &str| row.get(column).map_or_else(|| number(row, "close").unwrap(), |_| number(row, column).unwrap());
    BuiltBar {
        index,
        open: price("open"),
        high: price("high"),
        low: price("low"),
        close: price("close"),
        volume: None,
        quote_volume: None,
    }
}

#[test]
fn regression_of_fifty_closes() {
    let book = Book::shipped("default").unwrap();
    let mut chart = Chart::new(Span::hours(1));
    for (i, row) in load("trend_linreg").iter().enumerate() {
        chart.push(&bar(i64::try_from(i).unwrap(), row));
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
            same(&format!("row {i} {column}"), got, number(row, column), tolerance, floor);
        }
        let Some(trend) = trend else { continue };
        let mut cells = vec![Cell::undefined(barograph_domain::Reason::MissingInput); CATALOGUE.len()];
        for (feature, value) in [(Feature::SlopePct, trend.slope_pct), (Feature::TrendP, trend.p)] {
            cells[feature.index()] = Cell::ready_at(value, Ts(0), Kind::Measured);
        }
        assert_eq!(evaluate::<TrendRegime>(&book, &cells).raw.name(), row["trend_regime"], "row {i}");
    }
}

#[test]
fn range_estimators_of_a_day() {
    let rows = load("range_vol");
    let bars: Vec<BuiltBar> = (0..).zip(&rows).map(|(i, r)| bar(i, r)).collect();
    let got = RangeVolatility::of(bars[1..].iter(), bars[0].close, Span::hours(1)).unwrap();
    let last = rows.last().unwrap();
    for (column, got) in [
        ("vol_parkinson", Some(got.parkinson)),
        ("vol_garman_klass", got.garman_klass.ok()),
        ("vol_rogers_satchell", Some(got.rogers_satchell)),
        ("vol_yang_zhang", Some(got.yang_zhang)),
    ] {
        same(column, got, number(last, column), 1e-10, 0.0);
    }
    let mut chart = Chart::new(Span::hours(1));
    bars.iter().for_each(|b| chart.push(b));
    assert_eq!(chart.range_volatility().unwrap(), (got, 1.0), "the chart's own window is the same one");
}

#[test]
fn persistence_of_daily_variance() {
    let rows = load("har");
    let mut days = DailyVariance::default();
    for (day, row) in (0..).zip(&rows) {
        days.push(day, number(row, "rv"));
        if day < 89 {
            assert!(matches!(days.har(), Err(State::Warming { need: 90, .. })), "day {day}");
        }
    }
    let (har, last) = (days.har().unwrap(), rows.last().unwrap());
    for (i, column) in ["beta0", "beta_d", "beta_w", "beta_m"].into_iter().enumerate() {
        same(column, Some(har.beta[i]), number(last, column), 1e-8, 0.0);
    }
    same("r2", Some(har.r2), number(last, "r2"), 1e-8, 0.0);
    same("forecast_next", Some(har.forecast), number(last, "forecast_next"), 1e-8, 0.0);

    let rows = load("vol_halflife");
    let (phi, half) = halflife(rows.iter().map(|r| number(r, "rv"))).unwrap();
    let last = rows.last().unwrap();
    same("phi", Some(phi), number(last, "phi"), 1e-9, 0.0);
    same("halflife_days", Some(half), number(last, "halflife_days"), 1e-9, 0.0);
}

#[test]
fn classes_of_daily_volatility() {
    for row in load("vol_class") {
        let class = vol_class(number(&row, "vol_daily").unwrap());
        assert_eq!(class.word(), row["vol_class"]);
        same("risk_multiplier", class.risk_multiplier(), number(&row, "risk_multiplier"), 1e-10, 0.0);
        same("size_factor", class.size_factor(), number(&row, "size_factor"), 1e-10, 0.0);
    }
}

#[test]
fn multipliers_of_sessions() {
    for row in load("session_multiplier") {
        let get = |column: &str| number(&row, column).unwrap();
        let session = SessionSet::UTC.session(Ts::parse(&row["ts"]).unwrap());
        assert_eq!(session.name(), row["session"], "{}", row["ts"]);
        let base = SEED_BASE[session.index()];
        same("base", Some(base), number(&row, "base_mult"), 0.0, 0.0);
        let got = adjust(&Conditions {
            base,
            vol_ratio: Some(get("realized_vol") / get("expected_vol")),
            volume_ratio: Some(get("volume") / get("expected_volume")),
        });
        same("vol", Some(got.vol_adjustment), number(&row, "vol_adjustment"), 1e-10, 0.0);
        same("volume", Some(got.volume_adjustment), number(&row, "volume_adjustment"), 1e-10, 0.0);
        same("adaptive", Some(got.adaptive_mult), number(&row, "adaptive_mult"), 1e-10, 0.0);
    }
    let unknown = adjust(&Conditions { base: SEED_BASE[Session::Ny.index()], vol_ratio: None, volume_ratio: None });
    assert!((unknown.adaptive_mult - 1.8).abs() < 1e-12, "the base alone where nothing is known");
}
