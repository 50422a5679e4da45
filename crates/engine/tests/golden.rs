//! Golden vectors: numbers computed outside the project with other libraries (`testdata/golden/README.md`).
//!
//! One reader and one comparison; each test says which kernel a file exercises. An empty expected cell must be undefined, a
//! filled one must be ready.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads its vectors and may panic")]

use barograph_domain::{
    Event, Instrument, InstrumentName, Kind, LevelType, MarketKind, Metric, Payload, Span, Stamp, StreamDecl,
    StreamIndex, Ts,
};
use barograph_engine::catalogue::Feature;
use barograph_engine::features::atr::Atr;
use barograph_engine::features::bars::{BarSample, BuiltBar};
use barograph_engine::features::basis::{Pair, Wanted};
use barograph_engine::features::open_interest::delta_at;
use barograph_engine::features::reading::{Origin, Settings, Slot};
use barograph_engine::features::settled::Settled;
use barograph_engine::features::volatility::{self, Volatility, VolatilitySlots, parkinson};
use barograph_engine::kernel::moments::Score;
use barograph_engine::kernel::rank::quantile;
use barograph_engine::kernel::{Fold, Moments, RankWindow, Sum};
use barograph_engine::liquidity::profile::Profile;
use barograph_engine::liquidity::{Change, Happening, Liquidity, Options, Sink, kde};
use barograph_engine::rules::Book;
use barograph_engine::series::Series;
use barograph_engine::{Config, Engine, Outputs, composite};
use std::collections::BTreeMap;
use std::sync::Arc;

struct Vector(Vec<BTreeMap<String, String>>);

impl Vector {
    fn load(name: &str) -> Self {
        let path = format!("{}/../../testdata/golden/{name}.csv", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap().split(',').collect();
        let row = |line: &str| header.iter().map(|h| (*h).to_owned()).zip(line.split(',').map(str::to_owned)).collect();
        Self(lines.map(row).collect())
    }
}

fn number(row: &BTreeMap<String, String>, column: &str) -> Option<f64> {
    let cell = row.get(column).unwrap_or_else(|| panic!("no column {column}"));
    if cell.is_empty() { None } else { Some(cell.parse().unwrap_or_else(|_| panic!("{column}: '{cell}'"))) }
}

fn need(row: &BTreeMap<String, String>, column: &str) -> f64 {
    number(row, column).unwrap_or_else(|| panic!("{column} is empty"))
}

/// Equal to the relative tolerance of the table, absolute below 1e-12; undefined exactly where the vector is empty.
fn same(file: &str, line: usize, column: &str, got: Option<f64>, want: Option<f64>, tolerance: f64) {
    match (got, want) {
        (None, None) => {}
        (Some(g), Some(w)) => {
            let fine = (g - w).abs() <= tolerance * w.abs() || ((g - w).abs() < 1e-12 && w.abs() < 1e-12);
            assert!(fine, "{file} row {line}, {column}: {g} is not {w}");
        }
        _ => panic!("{file} row {line}, {column}: got {got:?}, want {want:?}"),
    }
}

#[test]
fn zscore_over_24_samples() {
    let mut fold = Fold::<Moments>::new(24);
    for (i, row) in Vector::load("zscore").0.iter().enumerate() {
        let (index, x) = (i64::try_from(i).unwrap(), need(row, "x"));
        fold.set(index, Some(x));
        let w = fold.window(index - 24, index);
        let enough = w.n >= 6;
        let z = match w.score(x) {
            Score::Of(z) if enough => Some(z),
            _ => None,
        };
        same("zscore", i, "mean", enough.then_some(w.mean), number(row, "mean"), 1e-10);
        same("zscore", i, "sd_pop", enough.then_some(w.sd()), number(row, "sd_pop"), 1e-10);
        same("zscore", i, "z", z, number(row, "z"), 1e-10);
    }
}

#[test]
fn moving_average_over_8_samples() {
    let mut fold = Fold::<Sum>::new(8);
    for (i, row) in Vector::load("moving_average").0.iter().enumerate() {
        let index = i64::try_from(i).unwrap();
        fold.set(index, Some(need(row, "x")));
        let w = fold.window(index - 8, index);
        same("moving_average", i, "ma8", w.mean().filter(|_| w.n >= 6), number(row, "ma8"), 1e-10);
    }
}

fn decl(metric: Metric, cadence: Span) -> StreamDecl {
    StreamDecl {
        instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
        metric,
        kind: Kind::Measured,
        cadence,
        source: "binance-usdm".to_owned(),
        delay: Span::secs(60),
        stamp: Stamp::Instant,
        filled: false,
    }
}

fn series<V: Copy>(metric: Metric, cadence: Span) -> Series<V> {
    let d = decl(metric, cadence);
    Series::new(&d, cadence, Span::hours(26), d.max_age())
}

#[test]
fn open_interest_deltas_on_the_five_minute_grid() {
    let mut s = series::<f64>(Metric::OpenInterest, Span::secs(300));
    for (i, row) in Vector::load("oi_delta").0.iter().enumerate() {
        #[expect(clippy::cast_possible_truncation, reason = "minutes")]
        let at = Ts(0) + Span::mins(need(row, "t_min") as i64);
        if let Some(oi) = number(row, "oi") {
            s.push(at, oi);
        }
        s.settle(at);
        let index = at.0 / s.step().0;
        for (column, hours) in [("oi_delta_1h", 1), ("oi_delta_4h", 4), ("oi_delta_24h", 24)] {
            same("oi_delta", i, column, delta_at(&s, index, Span::hours(hours)).ok(), number(row, column), 1e-10);
        }
    }
}

fn origin(at: Ts, kind: Kind) -> Origin {
    Origin { anchor: at, event: at, expires: Ts::MAX, kind, stream: StreamIndex(0) }
}

#[test]
fn realized_volatility_of_minute_marks() {
    let mut s = series::<f64>(Metric::MarkPrice, Span::mins(1));
    let mut v = Volatility::new(Span::mins(1), false);
    let settings = Settings { span_min: 0.0, coverage_min: 0.0, allow_proxy: true, ..Settings::default() };
    // The file shows full windows only.
    let full = |slot: &Slot| slot.cell.ready().filter(|_| (slot.cell.coverage - 1.0).abs() < 1e-6);
    let mut slots = VolatilitySlots::MISSING;
    for (i, row) in Vector::load("realized_vol").0.iter().enumerate() {
        let at = Ts(0) + Span::mins(i64::try_from(i).unwrap());
        s.push(at, need(row, "mark"));
        s.settle(at);
        v.settle(&s, &settings);
        s.seen();
        let origin = origin(at, Kind::Measured);
        v.read(&s, &origin, &settings, volatility::Wanted::ALL, &mut slots);
        same("realized_vol", i, "1h", full(&slots.realized[0][0]), number(row, "realized_vol_1h"), 1e-10);
        same("realized_vol", i, "1h lo", full(&slots.realized[0][1]), number(row, "realized_vol_1h_lo"), 1e-10);
        same("realized_vol", i, "1h hi", full(&slots.realized[0][2]), number(row, "realized_vol_1h_hi"), 1e-10);
        same("realized_vol", i, "4h", full(&slots.realized[1][0]), number(row, "realized_vol_4h"), 1e-10);
    }
}

#[test]
fn parkinson_over_24_hourly_bars() {
    let rows = Vector::load("range_vol").0;
    let last = rows.len() - 1;
    let ranges: f64 =
        rows[1..].iter().map(|r| barograph_domain::math::ln(need(r, "high") / need(r, "low"))).map(|r| r * r).sum();
    let annual = parkinson(ranges, 24.0) * 8_760.0_f64.sqrt();
    same("range_vol", last, "vol_parkinson", Some(annual), number(&rows[last], "vol_parkinson"), 1e-10);

    // The same through the feature: 24 h of bars of 4 h hold six returns, so the range estimator is used.
    let mut s = series::<BarSample>(Metric::Bar, Span::hours(4));
    let mut v = Volatility::new(Span::hours(4), true);
    let settings = Settings::default();
    for (i, r) in rows[1..7].iter().enumerate() {
        let at = Ts(0) + Span::hours(4).times(i64::try_from(i).unwrap() + 1);
        let bar = BarSample {
            open: need(r, "open"),
            high: need(r, "high"),
            low: need(r, "low"),
            close: need(r, "close"),
            volume: None,
            quote_volume: None,
        };
        s.push(at, bar);
        s.settle(at);
        v.settle(&s, &settings);
        s.seen();
    }
    let origin = origin(Ts(0), Kind::Proxy);
    let six: f64 =
        rows[1..7].iter().map(|r| barograph_domain::math::ln(need(r, "high") / need(r, "low"))).map(|r| r * r).sum();
    let want = parkinson(six, 6.0) * (8_760.0_f64 / 4.0).sqrt();
    let mut slots = VolatilitySlots::MISSING;
    v.read(&s, &origin, &settings, volatility::Wanted::ALL, &mut slots);
    same("range_vol", 6, "24 h from 4 h bars", slots.realized[2][0].cell.ready(), Some(want), 1e-10);
}

#[test]
fn mid_rank_percentile_and_type_7_quantile() {
    let mut w = RankWindow::new(30);
    for (i, row) in Vector::load("percentile_rank").0.iter().enumerate() {
        w.push(i64::try_from(i).unwrap(), number(row, "x"));
        let x = need(row, "x");
        let (pct, n) = w.percentile_at(i64::try_from(i).unwrap(), x);
        let got = (n >= 10).then_some(pct);
        same("percentile_rank", i, "pct_30", got, number(row, "pct_30"), 1e-10);
    }
    let mut xs: Vec<f64> = Vector::load("quantile").0.iter().map(|r| need(r, "x")).collect();
    xs.sort_by(f64::total_cmp);
    for (i, row) in Vector::load("quantile_expected").0.iter().enumerate() {
        same("quantile", i, "value", quantile(&xs, need(row, "p")), number(row, "value"), 1e-10);
    }
}

#[test]
fn average_true_range_of_wilder() {
    let mut atr = Atr::default();
    for (i, row) in Vector::load("atr").0.iter().enumerate() {
        atr.push(need(row, "high"), need(row, "low"), need(row, "close"));
        same("atr", i, "atr_14", atr.value(), number(row, "atr_14"), 1e-10);
    }
}

/// Changes of levels over the bars of `swings.csv`.
fn level_changes() -> Vec<Change> {
    struct Heard(Vec<Change>);
    impl Sink for Heard {
        fn level(&mut self, change: &Change) {
            self.0.push(*change);
        }
    }
    let mut heard = Heard(Vec::new());
    let mut levels = Liquidity::new(Options::default());
    for (i, row) in Vector::load("swings").0.iter().enumerate() {
        let index = i64::try_from(i).unwrap();
        let bar = BuiltBar {
            index,
            open: need(row, "open"),
            high: need(row, "high"),
            low: need(row, "low"),
            close: need(row, "close"),
            volume: number(row, "volume"),
            quote_volume: None,
        };
        levels.push(&bar, Ts(index), &mut heard);
    }
    heard.0
}

#[test]
fn swings_are_confirmed_two_bars_later() {
    let confirmed: BTreeMap<(i64, bool), i64> = level_changes()
        .iter()
        .filter(|c| c.what == Happening::Known)
        .filter(|c| matches!(c.record.kind, LevelType::SwingHigh | LevelType::SwingLow))
        .map(|c| ((c.record.formed, c.record.kind == LevelType::SwingHigh), c.record.confirmed))
        .collect();
    for (i, row) in Vector::load("swings").0.iter().enumerate() {
        let index = i64::try_from(i).unwrap();
        for (column, high) in [("swing_high", true), ("swing_low", false)] {
            let got = confirmed.get(&(index, high)).copied();
            let want = (row[column] == "true").then(|| index + 2);
            assert_eq!(got, want, "swings row {i}, {column}");
            if let Some(at) = got {
                assert_eq!(row["confirmed_bar"], at.to_string(), "swings row {i}");
            }
        }
    }
}

#[test]
fn fair_value_gaps_with_touch_and_fill() {
    let changes = level_changes();
    let is_gap = |c: &&Change| matches!(c.record.kind, LevelType::BullishFvg | LevelType::BearishFvg);
    let known: Vec<_> = changes.iter().filter(is_gap).filter(|c| c.what == Happening::Known).collect();
    let rows = Vector::load("fvg").0;
    assert_eq!(known.len(), rows.len());
    for (i, row) in rows.iter().enumerate() {
        let record = known[i].record;
        let last = changes.iter().rfind(|c| c.record.key == record.key).unwrap().record;
        let bar = |b: Option<i64>| b.map(|b| b.to_string()).unwrap_or_default();
        let got = [
            record.kind.name().to_owned(),
            bar(Some(record.formed)),
            bar(Some(record.confirmed)),
            record.bottom.to_string(),
            record.top.to_string(),
            bar(last.touched),
            bar(last.mitigated),
        ];
        let columns = ["type", "formed_bar", "confirmed_bar", "bottom", "top", "touched_bar", "mitigated_bar"];
        assert_eq!(got, columns.map(|c| row[c].clone()), "fvg row {i}");
    }
}

#[test]
fn density_of_weighted_swings() {
    let points: Vec<(f64, f64)> =
        Vector::load("kde_input").0.iter().map(|r| (need(r, "price"), need(r, "weight"))).collect();
    for (i, row) in Vector::load("kde_expected").0.iter().enumerate() {
        let got = kde::density(&points, 35.0, need(row, "grid"));
        same("kde_expected", i, "density", got, number(row, "density"), 1e-9);
    }
}

#[test]
fn point_of_control_and_value_area() {
    let rows = Vector::load("market_profile").0;
    let volumes: Vec<f64> = rows.iter().map(|r| need(r, "volume")).collect();
    let width = need(&rows[1], "bin_centre") - need(&rows[0], "bin_centre");
    let profile = Profile::of_bins(width, need(&rows[0], "bin_centre"), volumes, 1_440);
    for ((centre, _), row) in profile.bins().zip(&rows) {
        assert_eq!(Some(centre), number(row, "bin_centre"));
    }
    let area = profile.value_area().unwrap();
    let last = rows.last().unwrap();
    for (column, got) in [("profile_poc", area.poc), ("profile_vah", area.vah), ("profile_val", area.val)] {
        assert_eq!(Some(got), number(last, column), "{column}");
    }
    same("market_profile", rows.len() - 1, "share", Some(area.share), number(last, "value_area_share"), 1e-10);
}

#[test]
fn funding_blocks_of_eight_hours() {
    let mut settled = Settled::new(StreamIndex(0), Kind::Measured, Span::hours(4), Span::hours(9), 0.0001);
    for (i, row) in Vector::load("funding_farming").0.iter().enumerate() {
        #[expect(clippy::cast_possible_truncation, reason = "hours")]
        let hour = need(row, "settle_h") as i64;
        settled.push(Ts(0) + Span::hours(hour), need(row, "settled_rate"), Some(4.0), false);
        settled.settle(&Settings::default());
        // The file shows a block on the settlement that completes it.
        let completes = hour % 8 == 4;
        let block = settled.slots().block_8h.cell.ready().filter(|_| completes);
        same("funding_farming", i, "block_8h", block, number(row, "block_8h"), 1e-10);
    }
}

#[test]
fn basis_and_premium() {
    for (i, row) in Vector::load("basis_premium").0.iter().enumerate() {
        let ratio = |a: &str, b: &str| {
            let mut pair = Pair::new(Span::mins(1), Span::mins(1));
            let at = Ts(0) + Span::mins(5);
            pair.settle(Wanted::Score, (at, at), |_| number(row, a), |_| number(row, b));
            let origin = origin(at, Kind::Measured);
            pair.slots(&origin, Span::mins(5), &Settings::default(), Wanted::Score, |_, _| false, |t| t)
                .value
                .cell
                .ready()
        };
        same("basis_premium", i, "basis", ratio("futures", "spot"), number(row, "basis"), 1e-10);
        same("basis_premium", i, "premium", ratio("mark", "index"), number(row, "premium"), 1e-10);
    }
}

#[test]
fn squeeze_score_ramps() {
    for (i, row) in Vector::load("squeeze").0.iter().enumerate() {
        let parts = ["oi_delta_4h", "funding_zscore_24h", "realized_vol_1h"].map(|c| number(row, c));
        let got = match parts {
            [Some(d), Some(z), Some(v)] => Some(composite::squeeze_score(d, z, v)),
            _ => None,
        };
        same("squeeze", i, "squeeze_risk_score", got, number(row, "squeeze_risk_score"), 1e-10);
    }
}

#[test]
fn funding_is_normalised_to_eight_hours_exactly() {
    let instrument =
        Instrument::from_name(InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(), MarketKind::Perpetual);
    let streams = [StreamDecl { filled: true, ..decl(Metric::FundingRate, Span::secs(1)) }];
    for (i, row) in Vector::load("funding_normalise").0.iter().enumerate() {
        let config = Config::new(Arc::new(Book::shipped("default").unwrap()));
        let mut engine = Engine::new(config, core::slice::from_ref(&instrument), &streams);
        let at = Ts::from_civil(2026, 2, 5, 0, 0, 0);
        let payload = Payload::Funding {
            rate: need(row, "rate"),
            interval_h: number(row, "interval_h"),
            next_ts: None,
            special: false,
        };
        let mut out = Outputs::default();
        engine.step(&Event { recv_ts: at, event_ts: at, stream: StreamIndex(0), seq: 0, payload }, &mut out);
        engine.finish(Ts::MAX, &mut out);
        let cell = |f: Feature| out.rows()[0].cells[f.index()].ready();
        assert_eq!(cell(Feature::FundingRate8h), number(row, "funding_rate_8h"), "row {i}: exact");
        same("funding_normalise", i, "funding_apr", cell(Feature::FundingApr), number(row, "funding_apr"), 1e-10);
        let flag = cell(Feature::FundingExtremeFlag).map(|v| v > 0.5);
        assert_eq!(
            flag.map(|b| b.to_string()),
            Some(row["funding_extreme_flag"].clone()).filter(|s| !s.is_empty()),
            "row {i}"
        );
    }
}
