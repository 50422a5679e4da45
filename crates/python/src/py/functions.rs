//! The detectors and views over plain lists, by their original names (R4.7, R4.13, R4.17, R4.21). `barograph.functions`
//! turns frames into the lists these take.

use super::context::volatility_view;
use super::convert::{positive, wire, wrong};
use super::frames::Frames;
use crate::columns::FrameError;
use barograph_domain::alert::Datum;
use barograph_domain::thresholds::FUNDING_EXTREME;
use barograph_domain::time::YEAR_DAYS;
use barograph_domain::{Alert, Cell, HeatRegime, Kind, Label, Reason, Side, Span, State, Ts};
use barograph_engine::catalogue::{CATALOGUE, Feature};
use barograph_engine::chart::Read;
use barograph_engine::context::FrameOptions;
use barograph_engine::detect::plain::{self, FundingPoint};
use barograph_engine::detect::{Thresholds, explain};
use barograph_engine::features::daily_vol::DailyVariance;
use barograph_engine::features::reading::Slot;
use barograph_engine::liquidations::plain::{Closed, compute_liquidation_metrics, identify_liquidation_support_zones};
use barograph_engine::rules::{RuleBook, evaluate};
use pyo3::prelude::*;
use pyo3::types::PyList;
use serde_json::{Map, Value, json};

pub(super) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(liquidation_metrics, m)?)?;
    m.add_function(wrap_pyfunction!(liquidation_zones, m)?)?;
    m.add_function(wrap_pyfunction!(cascade_events, m)?)?;
    m.add_function(wrap_pyfunction!(funding_metrics, m)?)?;
    m.add_function(wrap_pyfunction!(funding_alerts, m)?)?;
    m.add_function(wrap_pyfunction!(volatility_metrics, m)?)?;
    m.add_function(wrap_pyfunction!(volatility_persistence, m)?)?;
    m.add_function(wrap_pyfunction!(classify_regime_simple, m)?)
}

/// A value; null where there is none.
pub(super) fn put(out: &mut Map<String, Value>, id: &str, value: impl Into<Value>) {
    out.insert(id.to_owned(), value.into());
}

/// A value, or null with `<id>_reason` beside it.
pub(super) fn put_read<T: Into<Value>>(out: &mut Map<String, Value>, id: &str, read: Read<T>) {
    match read {
        Ok(v) => put(out, id, v),
        Err(state) => put_reason(out, id, reason_of(state)),
    }
}

/// Null, and why.
fn put_reason(out: &mut Map<String, Value>, id: &str, reason: &str) {
    put(out, id, Value::Null);
    put(out, &format!("{id}_reason"), reason);
}

fn reason_of(state: State) -> &'static str {
    let cell = Cell { state, ..Cell::undefined(Reason::MissingInput) };
    cell.reason().map_or("missing_input", Reason::name)
}

/// A word or a flag that may not be there.
pub(super) fn put_or<T: Into<Value>>(out: &mut Map<String, Value>, id: &str, value: Option<T>, otherwise: State) {
    put_read(out, id, value.ok_or(otherwise));
}

fn put_slot(out: &mut Map<String, Value>, id: &str, slot: &Slot) {
    put_read(out, id, slot.cell.ready().ok_or(slot.cell.state));
}

/// Liquidations as tuples (nanoseconds, longs were closed, price, base quantity).
type Event = (i64, bool, f64, f64);

fn closed(events: &[Event]) -> PyResult<Vec<Closed>> {
    let of = |(row, (ts, long, price, qty)): (usize, &Event)| {
        let at = |name: &str| format!("{name} of row {row}");
        positive(&at("price"), *price)?;
        positive(&at("quantity"), *qty)?;
        let liquidated_side = if *long { Side::Long } else { Side::Short };
        Ok(Closed { ts: Ts(*ts), liquidated_side, price: *price, qty: *qty })
    };
    events.iter().enumerate().map(of).collect()
}

fn end(events: &[Closed], at: Option<i64>) -> Ts {
    at.map(Ts).unwrap_or_else(|| {
        let last = events.iter().map(|e| e.ts).max().unwrap_or(Ts(0));
        (last + Span(1)).ceil(Span::mins(1))
    })
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "lists arrive owned")]
fn liquidation_metrics<'py>(py: Python<'py>, events: Vec<Event>, at: Option<i64>) -> PyResult<Bound<'py, PyAny>> {
    let events = closed(&events)?;
    let at = end(&events, at);
    let thresholds = Thresholds::default();
    let s = py.detach(|| compute_liquidation_metrics(&events, at, thresholds.liquidations));
    let mut out = Map::new();
    put(&mut out, "timestamp", at.to_string());
    for (i, window) in ["5m", "1h", "4h", "24h"].into_iter().enumerate() {
        put_slot(&mut out, &format!("liq_long_usd_{window}"), &s.long[i]);
        put_slot(&mut out, &format!("liq_short_usd_{window}"), &s.short[i]);
    }
    for (id, slot) in [
        ("liq_count_60s", &s.count_60s),
        ("liq_burst_ratio", &s.burst_ratio),
        ("liq_elapsed_h", &s.elapsed_h),
        ("liq_velocity_4h", &s.velocity_4h),
        ("liq_velocity_4h_pct_30d", &s.velocity_pct),
        ("liq_severity_ratio", &s.severity_ratio),
        ("liq_long_share_1h", &s.long_share_1h),
        ("liq_long_share_4h", &s.long_share_4h),
    ] {
        put_slot(&mut out, id, slot);
    }
    for (id, slot) in [
        ("liq_burst_flag", &s.burst_flag),
        ("liq_cascade_flag", &s.cascade_flag),
        ("liq_one_sided_flag", &s.one_sided_flag),
    ] {
        put_flag(&mut out, id, slot);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a code of three")]
    let bias = s.side_bias.cell.ready().and_then(|c| SIDES.get(c as usize).copied());
    put_or(&mut out, "liq_side_bias", bias, s.side_bias.cell.state);
    put(&mut out, "uncalibrated", s.uncalibrated);
    wire(py, &out)
}

const SIDES: &[&str] = barograph_engine::liquidations::slots::SIDE_BIAS;

fn put_flag(out: &mut Map<String, Value>, id: &str, slot: &Slot) {
    match slot.cell.ready() {
        Some(x) => put(out, id, x > 0.0),
        None => put_slot(out, id, slot),
    }
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "lists arrive owned")]
fn liquidation_zones<'py>(py: Python<'py>, events: Vec<Event>, at: Option<i64>) -> PyResult<Bound<'py, PyAny>> {
    let events = closed(&events)?;
    let at = end(&events, at);
    let zones = py.detach(|| identify_liquidation_support_zones(&events, at));
    let view: Vec<Value> = zones
        .iter()
        .map(|z| {
            json!({
                "price": z.price, "top": z.top, "bottom": z.bottom, "usd": z.usd, "share": z.share,
                "liquidated_side": match z.liquidated_side { Side::Long => "LONG", Side::Short => "SHORT" },
            })
        })
        .collect();
    wire(py, &view)
}

/// The event's own facts as HTTP has them: a value, or null with `<name>_reason` beside it.
fn data(alert: &Alert) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, datum) in &alert.data {
        match datum {
            Datum::Number(x) => put(&mut out, name, *x),
            Datum::Word(word) => put(&mut out, name, &**word),
            Datum::Words(words) => put(&mut out, name, words.iter().map(|w| &**w).collect::<Vec<&str>>()),
            Datum::Flag(is) => put(&mut out, name, *is),
            Datum::Missing(reason) => put_reason(&mut out, name, reason.name()),
        }
    }
    // Under its short name funding's own score is another number (S01).
    if alert.pattern.has_own_score() {
        put(&mut out, "score_100", alert.score);
    }
    if let Some(ratio) = out.get("severity_ratio").cloned() {
        put(&mut out, "severity", ratio);
    }
    out
}

/// Alerts as plain records with their sentences.
fn alerts<'py>(py: Python<'py>, alerts: &[Alert], symbol: &str) -> PyResult<Bound<'py, PyAny>> {
    let out = PyList::empty(py);
    for alert in alerts {
        let mut record = serde_json::to_value(alert).map_err(|e| wrong(e.to_string()))?;
        if let Some(o) = record.as_object_mut() {
            o.insert("data".to_owned(), data(alert).into());
            o.insert("event_type".to_owned(), alert.pattern.name().into());
            o.insert("symbol".to_owned(), symbol.into());
            o.insert("timestamp".to_owned(), alert.ts.to_string().into());
            o.insert("title".to_owned(), explain::title(alert).into());
            o.insert("description".to_owned(), explain::description(alert).into());
        }
        out.append(super::convert::plain(py, &record)?)?;
    }
    Ok(out.into_any())
}

fn thresholds(own_history: bool) -> Thresholds {
    Thresholds { own_history, ..Thresholds::default() }
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "lists arrive owned")]
fn cascade_events<'py>(
    py: Python<'py>,
    events: Vec<Event>,
    until: Option<i64>,
    own_history: bool,
    symbol: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let events = closed(&events)?;
    let until = end(&events, until);
    let found = py.detach(|| plain::detect_cascade_events(&events, until, &thresholds(own_history)));
    alerts(py, &found, symbol)
}

/// Observations as tuples (nanoseconds, fraction per interval, hours).
type Rate = (i64, f64, f64);

fn rates(points: &[Rate]) -> PyResult<Vec<FundingPoint>> {
    let of = |(row, (ts, rate, interval_h)): (usize, &Rate)| {
        if !rate.is_finite() || rate.abs() >= 1.0 {
            return Err(wrong(format!("rate of row {row} is {rate}: give a fraction per interval, as 0.0001")));
        }
        positive(&format!("interval of row {row}"), *interval_h)?;
        Ok(FundingPoint { ts: Ts(*ts), rate: *rate, interval_h: *interval_h })
    };
    points.iter().enumerate().map(of).collect()
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "lists arrive owned")]
fn funding_metrics<'py>(py: Python<'py>, points: Vec<Rate>) -> PyResult<Bound<'py, PyAny>> {
    let points = rates(&points)?;
    let s = py.detach(|| plain::compute_funding_metrics(&points));
    let mut out = Map::new();
    for (id, slot) in [
        ("funding_rate_8h", &s.rate),
        ("funding_zscore_24h", &s.zscore),
        ("funding_ma_8h", &s.ma_8h),
        ("funding_mean_24h", &s.mean_24h),
        ("funding_std_24h", &s.std_24h),
        ("funding_vol_24h", &s.vol_24h),
        ("funding_trend_24h", &s.trend_24h),
        ("funding_pct_30d", &s.pct_30d),
        ("funding_change_8h", &s.change_8h),
    ] {
        put_slot(&mut out, id, slot);
    }
    put_read(&mut out, "funding_apr", s.rate.cell.ready().map(|f| f * 3.0 * YEAR_DAYS).ok_or(s.rate.cell.state));
    put_read(&mut out, "funding_rate_deviation_std", s.zscore.cell.ready().map(f64::abs).ok_or(s.zscore.cell.state));
    put_or(&mut out, "funding_extreme_flag", s.rate.cell.ready().map(|f| f.abs() > FUNDING_EXTREME), s.rate.cell.state);
    wire(py, &out)
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "lists arrive owned")]
fn funding_alerts<'py>(
    py: Python<'py>,
    points: Vec<Rate>,
    reversals: bool,
    symbol: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let points = rates(&points)?;
    let thresholds = Thresholds::default();
    let find = if reversals { plain::detect_reversal_signals } else { plain::detect_funding_anomalies };
    let found = py.detach(|| find(&points, &thresholds));
    alerts(py, &found, symbol)
}

#[pyfunction]
fn volatility_metrics<'py>(
    py: Python<'py>,
    df: &Bound<'py, PyAny>,
    timeframe: Option<&Bound<'py, PyAny>>,
    last_bar_open: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let frames = Frames::of(df)?;
    let columns = frames.columns();
    let columns = if last_bar_open { columns.without_last() } else { columns };
    let step = timeframe.map(super::convert::span).transpose()?;
    let book = book()?;
    let said = py.detach(|| -> Result<_, FrameError> {
        let frame = columns.frame(step, &FrameOptions::of(&book))?;
        Ok(frame.and_then(|f| {
            let price = f.newest()?.close;
            Some((f.read(&book, price)?, f))
        }))
    });
    let (reading, frame) =
        said.map_err(|e| wrong(e.0))?.ok_or_else(|| wrong("the frame has fewer than two closed bars"))?;
    let mut out = volatility_view(&reading, &frame);
    put(&mut out, "timestamp", reading.now.to_string());
    put(&mut out, "bar_s", frame.step().as_secs_f64());
    wire(py, &out)
}

fn book() -> PyResult<RuleBook> {
    RuleBook::shipped("default").ok_or_else(|| wrong("the default rule book is not there"))
}

#[pyfunction]
fn volatility_persistence<'py>(
    py: Python<'py>,
    df: &Bound<'py, PyAny>,
    timeframe: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let frames = Frames::of(df)?;
    let columns = frames.columns();
    columns.check_lengths().map_err(|e| wrong(e.0))?;
    let step = timeframe.map(super::convert::span).transpose()?;
    let step = columns.step(step).map_err(|e| wrong(e.0))?;
    let step = step.ok_or_else(|| wrong("the frame has fewer than two closed bars"))?;
    if step > Span::days(1) {
        return Err(wrong(format!("bars of {} s: persistence needs bars of a day or less", step.as_secs_f64())));
    }
    let daily = py.detach(|| daily_variance(&columns, step));
    let mut out = Map::new();
    let har = daily.har();
    put_read(&mut out, "vol_har_forecast", har.map(|h| h.forecast));
    put_read(&mut out, "vol_har_forecast_annual", har.map(|h| (h.forecast * YEAR_DAYS).sqrt()));
    put_read(&mut out, "har_r2", har.map(|h| h.r2));
    put_read(&mut out, "har_beta", har.map(|h| h.beta.to_vec()));
    let half = daily.halflife();
    put_read(&mut out, "phi", half.map(|(phi, _)| phi));
    put_read(&mut out, "vol_halflife", half.map(|(_, days)| days));
    put_read(&mut out, "persistent", half.map(|(phi, _)| phi > 0.5));
    wire(py, &out)
}

/// Sums of squared returns of whole UTC days; a day with less than four fifths of its returns is a hole.
fn daily_variance(columns: &crate::columns::FrameColumns<'_>, step: Span) -> DailyVariance {
    let day = Span::days(1);
    let expected = day.0 / step.0;
    let mut daily = DailyVariance::default();
    let mut open: Option<(i64, f64, i64)> = None;
    let enter = |daily: &mut DailyVariance, (day, sum, n): (i64, f64, i64)| {
        daily.push(day, (5 * n >= 4 * expected).then_some(sum));
    };
    for row in 1..columns.len() {
        if (columns.time[row] - columns.time[row - 1]) * columns.unit != step.0 {
            continue;
        }
        // The day in which the bar closes; midnight ends the day before it.
        let close = Ts(columns.time[row] * columns.unit) + step;
        let at = barograph_engine::features::daily_vol::day_of(close);
        let r = barograph_domain::math::ln(columns.close[row] / columns.close[row - 1]);
        match &mut open {
            Some((d, sum, n)) if *d == at => {
                *sum += r * r;
                *n += 1;
            }
            _ => {
                if let Some(done) = open.replace((at, r * r, 1)) {
                    enter(&mut daily, done);
                }
            }
        }
    }
    // The last day counts once its last bar is there.
    if let (Some(done), Some(last)) = (open, columns.time.last()) {
        let close = Ts(last * columns.unit) + step;
        if close.0.rem_euclid(day.0) == 0 {
            enter(&mut daily, done);
        }
    }
    daily
}

/// Label of the heat axis and its score (regimes §5); the score is no probability. Without `heat`: its middle, so that the two
/// z-scores decide nothing by themselves.
#[pyfunction]
#[pyo3(signature = (price_z, vol_z, heat=0.5))]
fn classify_regime_simple(price_z: f64, vol_z: f64, heat: f64) -> PyResult<(&'static str, f64)> {
    for (name, x) in [("price_z", price_z), ("vol_z", vol_z), ("heat", heat)] {
        if !x.is_finite() {
            return Err(wrong(format!("{name} is {x}: give a number")));
        }
    }
    if !(0.0..=1.0).contains(&heat) {
        return Err(wrong(format!("heat is {heat}: it must lie within 0 and 1")));
    }
    let mut cells = vec![Cell::undefined(Reason::NotOffered); CATALOGUE.len()];
    for (feature, x) in [(Feature::PriceZ24h, price_z), (Feature::VolZ30d, vol_z), (Feature::Heat, heat)] {
        cells[feature.index()] = Cell::ready_at(x, Ts(0), Kind::Measured);
    }
    let label = evaluate::<HeatRegime>(&book()?, &cells).raw;
    let score = match label {
        HeatRegime::SuperHot => 0.95,
        HeatRegime::Hot => heat,
        HeatRegime::Cold | HeatRegime::Cool => 1.0 - heat,
        HeatRegime::Neutral => 1.0 - 2.0 * (heat - 0.5).abs(),
        HeatRegime::Unknown => 0.0,
    };
    Ok((label.word(), score.clamp(0.0, 1.0)))
}
