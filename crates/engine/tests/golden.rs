//! Golden vectors: numbers computed outside the project with other libraries (`testdata/golden/README.md`).
//!
//! One comparison; each test says which kernel a file exercises. An empty expected cell must be undefined, a filled one must be
//! ready. The reader ([`GoldenTable`]) fails a test that leaves a column of its file unread; the last test here fails where a file has no
//! such reader.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads its own sources and may panic")]

use barograph_domain::{
    Event, Instrument, InstrumentName, Kind, LevelType, MarketKind, Metric, Payload, Span, Stamp, StreamDecl,
    StreamIndex, Ts,
};
use barograph_engine::catalogue::Feature;
use barograph_engine::features::atr::Atr;
use barograph_engine::features::bars::{BarSample, BuiltBar};
use barograph_engine::features::basis::{BasisPair, PairReadings};
use barograph_engine::features::funding_signals::Farming;
use barograph_engine::features::open_interest::delta_at;
use barograph_engine::features::reading::{ReadinessSettings, ReadingOrigin, Slot};
use barograph_engine::features::settled::Settled;
use barograph_engine::features::volatility::{self, Volatility, VolatilitySlots, parkinson};
use barograph_engine::kernel::moments::Score;
use barograph_engine::kernel::rank::quantile;
use barograph_engine::kernel::{Fold, Moments, RankWindow, Sum};
use barograph_engine::liquidity::profile::Profile;
use barograph_engine::liquidity::{Happening, LevelHappening, LevelSink, Liquidity, TimeframeOptions, kde};
use barograph_engine::rules::RuleBook;
use barograph_engine::series::Series;
use barograph_engine::{Config, Engine, Outputs};
use barograph_testkit::{GoldenRow, GoldenTable};
use std::collections::BTreeMap;
use std::sync::Arc;

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
    for (i, row) in GoldenTable::whole("zscore").rows().enumerate() {
        let (index, x) = (i64::try_from(i).unwrap(), row.need("x"));
        fold.set(index, Some(x));
        let w = fold.window(index - 24, index);
        let enough = w.n >= 6;
        let z = match w.score(x) {
            Score::Of(z) if enough => Some(z),
            _ => None,
        };
        same("zscore", i, "mean", enough.then_some(w.mean), row.number("mean"), 1e-10);
        same("zscore", i, "sd_pop", enough.then_some(w.sd()), row.number("sd_pop"), 1e-10);
        same("zscore", i, "z", z, row.number("z"), 1e-10);
    }
}

#[test]
fn mean_over_8_samples() {
    let mut fold = Fold::<Sum>::new(8);
    for (i, row) in GoldenTable::whole("window_mean").rows().enumerate() {
        let index = i64::try_from(i).unwrap();
        fold.set(index, Some(row.need("x")));
        let w = fold.window(index - 8, index);
        same("window_mean", i, "ma8", w.mean().filter(|_| w.n >= 6), row.number("ma8"), 1e-10);
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
    for (i, row) in GoldenTable::whole("oi_delta").rows().enumerate() {
        #[expect(clippy::cast_possible_truncation, reason = "minutes")]
        let at = Ts(0) + Span::mins(row.need("t_min") as i64);
        if let Some(oi) = row.number("oi") {
            s.push(at, oi);
        }
        s.settle(at);
        let index = at.0 / s.step().0;
        for (column, hours) in [("oi_delta_1h", 1), ("oi_delta_4h", 4), ("oi_delta_24h", 24)] {
            same("oi_delta", i, column, delta_at(&s, index, Span::hours(hours)).ok(), row.number(column), 1e-10);
        }
    }
}

fn origin(at: Ts, kind: Kind) -> ReadingOrigin {
    ReadingOrigin { anchor: at, event: at, expires: Ts::MAX, kind, stream: StreamIndex(0) }
}

#[test]
fn realized_volatility_of_minute_marks() {
    let mut s = series::<f64>(Metric::MarkPrice, Span::mins(1));
    let mut v = Volatility::new(Span::mins(1), false);
    let settings =
        ReadinessSettings { span_min: 0.0, coverage_min: 0.0, allow_proxy: true, ..ReadinessSettings::default() };
    // The file shows full windows only.
    let full = |slot: &Slot| slot.cell.ready().filter(|_| (slot.cell.coverage - 1.0).abs() < 1e-6);
    let mut slots = VolatilitySlots::MISSING;
    for (i, row) in GoldenTable::whole("realized_vol").rows().enumerate() {
        #[expect(clippy::cast_possible_truncation, reason = "minutes")]
        let at = Ts(0) + Span::mins(row.need("minute") as i64);
        s.push(at, row.need("mark"));
        s.settle(at);
        v.settle(&s, &settings);
        s.seen();
        let origin = origin(at, Kind::Measured);
        v.read(&s, &origin, &settings, volatility::VolatilityReadings::ALL, &mut slots);
        same("realized_vol", i, "1h", full(&slots.realized[0][0]), row.number("realized_vol_1h"), 1e-10);
        same("realized_vol", i, "1h lo", full(&slots.realized[0][1]), row.number("realized_vol_1h_lo"), 1e-10);
        same("realized_vol", i, "1h hi", full(&slots.realized[0][2]), row.number("realized_vol_1h_hi"), 1e-10);
        // The standard error is shown as the band it makes: the value and 1.96 of it.
        let error = full(&slots.realized[0][2]).zip(full(&slots.realized[0][0])).map(|(hi, value)| (hi - value) / 1.96);
        same("realized_vol", i, "1h se", error, row.number("realized_vol_1h_se"), 1e-10);
        same("realized_vol", i, "4h", full(&slots.realized[1][0]), row.number("realized_vol_4h"), 1e-10);
    }
}

#[test]
fn parkinson_over_24_hourly_bars() {
    let table = GoldenTable::part("range_vol");
    let rows: Vec<GoldenRow<'_>> = table.rows().collect();
    let last = rows.len() - 1;
    let ranges: f64 =
        rows[1..].iter().map(|r| barograph_domain::math::ln(r.need("high") / r.need("low"))).map(|r| r * r).sum();
    let annual = parkinson(ranges, 24.0) * 8_760.0_f64.sqrt();
    same("range_vol", last, "vol_parkinson", Some(annual), rows[last].number("vol_parkinson"), 1e-10);

    // The same through the feature: 24 h of bars of 4 h hold six returns, so the range estimator is used.
    let mut s = series::<BarSample>(Metric::Bar, Span::hours(4));
    let mut v = Volatility::new(Span::hours(4), true);
    let settings = ReadinessSettings::default();
    for (i, r) in rows[1..7].iter().enumerate() {
        let at = Ts(0) + Span::hours(4).times(i64::try_from(i).unwrap() + 1);
        let bar = BarSample {
            open: r.need("open"),
            high: r.need("high"),
            low: r.need("low"),
            close: r.need("close"),
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
        rows[1..7].iter().map(|r| barograph_domain::math::ln(r.need("high") / r.need("low"))).map(|r| r * r).sum();
    let want = parkinson(six, 6.0) * (8_760.0_f64 / 4.0).sqrt();
    let mut slots = VolatilitySlots::MISSING;
    v.read(&s, &origin, &settings, volatility::VolatilityReadings::ALL, &mut slots);
    same("range_vol", 6, "24 h from 4 h bars", slots.realized[2][0].cell.ready(), Some(want), 1e-10);
}

#[test]
fn mid_rank_percentile_and_type_7_quantile() {
    let mut w = RankWindow::new(30);
    for (i, row) in GoldenTable::whole("percentile_rank").rows().enumerate() {
        w.push(i64::try_from(i).unwrap(), row.number("x"));
        let x = row.need("x");
        let (pct, n) = w.percentile_at(i64::try_from(i).unwrap(), x);
        let got = (n >= 10).then_some(pct);
        same("percentile_rank", i, "pct_30", got, row.number("pct_30"), 1e-10);
    }
    let mut xs: Vec<f64> = GoldenTable::whole("quantile").rows().map(|r| r.need("x")).collect();
    xs.sort_by(f64::total_cmp);
    for (i, row) in GoldenTable::whole("quantile_expected").rows().enumerate() {
        same("quantile", i, "value", quantile(&xs, row.need("p")), row.number("value"), 1e-10);
    }
}

#[test]
fn average_true_range_of_wilder() {
    let mut atr = Atr::default();
    let (mut before, mut ranges) = (None, 0.0);
    for (i, row) in GoldenTable::whole("atr").rows().enumerate() {
        atr.push(row.need("high"), row.need("low"), row.need("close"));
        same("atr", i, "atr_14", atr.value(), row.number("atr_14"), 1e-10);
        // The average shows the range it has just taken: the first fourteen in all, then each for itself.
        ranges += row.number("tr").unwrap_or_default();
        match (before, atr.value()) {
            (Some(before), Some(now)) => {
                same("atr", i, "tr", Some(before + 14.0 * (now - before)), row.number("tr"), 1e-10);
            }
            (None, Some(first)) => same("atr", i, "the first fourteen", Some(14.0 * first), Some(ranges), 1e-10),
            _ => {}
        }
        before = atr.value();
    }
}

/// Changes of levels over the bars of `swings.csv`.
fn level_changes(bars: &GoldenTable) -> Vec<LevelHappening> {
    struct Heard(Vec<LevelHappening>);
    impl LevelSink for Heard {
        fn level(&mut self, change: &LevelHappening) {
            self.0.push(*change);
        }
    }
    let mut heard = Heard(Vec::new());
    let mut levels = Liquidity::new(TimeframeOptions::default());
    for (i, row) in bars.rows().enumerate() {
        let index = i64::try_from(i).unwrap();
        let bar = BuiltBar {
            index,
            open: row.need("open"),
            high: row.need("high"),
            low: row.need("low"),
            close: row.need("close"),
            volume: row.number("volume"),
            quote_volume: None,
        };
        levels.push(&bar, Ts(index), &mut heard);
    }
    heard.0
}

#[test]
fn swings_are_confirmed_two_bars_later() {
    let bars = GoldenTable::whole("swings");
    let confirmed: BTreeMap<(i64, bool), i64> = level_changes(&bars)
        .iter()
        .filter(|c| c.what == Happening::Known)
        .filter(|c| matches!(c.record.kind, LevelType::SwingHigh | LevelType::SwingLow))
        .map(|c| ((c.record.formed, c.record.kind == LevelType::SwingHigh), c.record.confirmed))
        .collect();
    for (i, row) in bars.rows().enumerate() {
        let index = i64::try_from(i).unwrap();
        for (column, high) in [("swing_high", true), ("swing_low", false)] {
            let got = confirmed.get(&(index, high)).copied();
            let want = row.truth(column).then(|| index + 2);
            assert_eq!(got, want, "swings row {i}, {column}");
            if let Some(at) = got {
                assert_eq!(row.text("confirmed_bar"), at.to_string(), "swings row {i}");
            }
        }
        // Two lower bars on either side leave no higher peak within three: scipy's peaks are these and more.
        assert!(row.truth("find_peaks_d3") || !confirmed.contains_key(&(index, true)), "swings row {i}: no peak");
    }
}

#[test]
fn fair_value_gaps_with_touch_and_fill() {
    let changes = level_changes(&GoldenTable::part("swings"));
    let is_gap = |c: &&LevelHappening| matches!(c.record.kind, LevelType::BullishFvg | LevelType::BearishFvg);
    let known: Vec<_> = changes.iter().filter(is_gap).filter(|c| c.what == Happening::Known).collect();
    let table = GoldenTable::whole("fvg");
    assert_eq!(known.len(), table.rows().len());
    for (i, row) in table.rows().enumerate() {
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
        assert_eq!(got, columns.map(|c| row.text(c).to_owned()), "fvg row {i}");
    }
}

#[test]
fn density_of_weighted_swings() {
    let points: Vec<(f64, f64)> =
        GoldenTable::whole("kde_input").rows().map(|r| (r.need("price"), r.need("weight"))).collect();
    for (i, row) in GoldenTable::whole("kde_expected").rows().enumerate() {
        let got = kde::density(&points, 35.0, row.need("grid"));
        same("kde_expected", i, "density", got, row.number("density"), 1e-9);
    }
}

#[test]
fn point_of_control_and_value_area() {
    let table = GoldenTable::whole("market_profile");
    let rows: Vec<GoldenRow<'_>> = table.rows().collect();
    let volumes: Vec<f64> = rows.iter().map(|r| r.need("volume")).collect();
    let width = rows[1].need("bin_centre") - rows[0].need("bin_centre");
    let profile = Profile::of_bins(width, rows[0].need("bin_centre"), volumes, 1_440);
    for ((centre, _), row) in profile.bins().zip(&rows) {
        assert_eq!(Some(centre), row.number("bin_centre"));
    }
    let area = profile.value_area().unwrap();
    let last = table.last();
    for (column, got) in [("profile_poc", area.poc), ("profile_vah", area.vah), ("profile_val", area.val)] {
        assert_eq!(Some(got), last.number(column), "{column}");
    }
    same("market_profile", rows.len() - 1, "share", Some(area.share), last.number("value_area_share"), 1e-10);
}

#[test]
fn funding_blocks_of_eight_hours_and_the_share_of_extreme_ones() {
    let mut settled = Settled::new(StreamIndex(0), Kind::Measured, Span::hours(4), Span::hours(9), 0.0001);
    let mut farming = Farming::default();
    for (i, row) in GoldenTable::whole("funding_farming").rows().enumerate() {
        #[expect(clippy::cast_possible_truncation, reason = "hours")]
        let hour = row.need("settle_h") as i64;
        settled.push(Ts(0) + Span::hours(hour), row.need("settled_rate"), Some(4.0), false);
        settled.settle(&ReadinessSettings::default());
        // The file shows a block, and the share, on the settlement that completes the block.
        let completes = hour % 8 == 4;
        let block = settled.slots().block_8h.cell.ready().filter(|_| completes);
        same("funding_farming", i, "block_8h", block, row.number("block_8h"), 1e-10);
        if let Some(sum) = row.number("block_8h") {
            farming.push(Ts(0) + Span::hours(hour - 4), sum);
        }
        let share = farming.share(0.0001).filter(|_| completes);
        same("funding_farming", i, "farming_share", share, row.number("farming_share"), 1e-10);
    }
}

#[test]
fn basis_and_premium() {
    for (i, row) in GoldenTable::part("basis_premium").rows().enumerate() {
        let ratio = |a: &str, b: &str| {
            let mut pair = BasisPair::new(Span::mins(1), Span::mins(1));
            let at = Ts(0) + Span::mins(5);
            pair.settle(PairReadings::Score, (at, at), |_| row.number(a), |_| row.number(b));
            let origin = origin(at, Kind::Measured);
            pair.slots(&origin, Span::mins(5), &ReadinessSettings::default(), PairReadings::Score, |_, _| false, |t| t)
                .value
                .cell
                .ready()
        };
        same("basis_premium", i, "basis", ratio("futures", "spot"), row.number("basis"), 1e-10);
        same("basis_premium", i, "premium", ratio("mark", "index"), row.number("premium"), 1e-10);
    }
}

#[test]
fn funding_is_normalised_to_eight_hours_exactly() {
    let instrument =
        Instrument::from_name(InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(), MarketKind::Perpetual);
    let streams = [StreamDecl { filled: true, ..decl(Metric::FundingRate, Span::secs(1)) }];
    for (i, row) in GoldenTable::whole("funding_normalise").rows().enumerate() {
        let config = Config::new(Arc::new(RuleBook::shipped("default").unwrap()));
        let mut engine = Engine::new(config, core::slice::from_ref(&instrument), &streams);
        let at = Ts::from_civil(2026, 2, 5, 0, 0, 0);
        let payload = Payload::Funding {
            rate: row.need("rate"),
            interval_h: row.number("interval_h"),
            next_ts: None,
            special: false,
        };
        let mut out = Outputs::default();
        engine.step(&Event { recv_ts: at, event_ts: at, stream: StreamIndex(0), seq: 0, payload }, &mut out);
        engine.finish(Ts::MAX, &mut out);
        let cell = |f: Feature| out.rows()[0].cells[f.index()].ready();
        assert_eq!(cell(Feature::FundingRate8h), row.number("funding_rate_8h"), "row {i}: exact");
        same("funding_normalise", i, "funding_apr", cell(Feature::FundingApr), row.number("funding_apr"), 1e-10);
        let flag = cell(Feature::FundingExtremeFlag).map(|v| v > 0.5);
        assert_eq!(
            flag.map(|b| b.to_string()),
            Some(row.text("funding_extreme_flag").to_owned()).filter(|s| !s.is_empty()),
            "row {i}"
        );
    }
}

/// A file that no test reads whole has columns that hold nobody to anything.
#[test]
fn every_golden_file_is_read_whole() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    // Each crate reads those of what it computes.
    let mut folders = vec![here.join("..")];
    let mut sources = String::new();
    while let Some(folder) = folders.pop() {
        for path in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut files = 0;
    for path in here.join("../../testdata/golden").read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|e| e == "csv") {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(sources.contains(&format!("Table::whole(\"{name}\")")), "nobody reads {name}.csv whole");
            files += 1;
        }
    }
    assert!(files > 30, "{files} files");
}
