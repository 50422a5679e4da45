//! The whole engine, and the universe, over plain lists (R3.16, R4.27).

use super::convert::{instant, plain, wire, wrong};
use super::frames::Frames;
use super::functions::{put, put_read};
use crate::columns::FrameColumns;
use barograph_domain::thresholds::BASIS_FAR;
use barograph_domain::{
    Bar, Event, Instrument, InstrumentName, Kind, MarketKind, Metric, Payload, Reason, RiskRegime, Span, Stamp, State,
    StreamDecl, StreamIndex, Ts, VolRegime,
};
use barograph_engine::catalogue::{CATALOGUE, Feature};
use barograph_engine::features::ReadinessSettings;
use barograph_engine::features::basis::{BasisPair, PairReadings};
use barograph_engine::features::reading::ReadingOrigin;
use barograph_engine::rules::{RuleBook, word_of, words_of};
use barograph_engine::universe::{PairRule, Universe, UniverseSample, Watch};
use barograph_engine::{Config, Engine, Outputs};
use pyo3::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(engine_features, m)?)?;
    m.add_function(wrap_pyfunction!(basis_features, m)?)?;
    m.add_function(wrap_pyfunction!(concentration, m)?)?;
    m.add_function(wrap_pyfunction!(universe, m)?)?;
    m.add_function(wrap_pyfunction!(instant_ns, m)?)
}

/// Nanoseconds since 1970 of an instant in any form.
#[pyfunction]
fn instant_ns(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    instant(value).map(|t| t.0)
}

/// Nanoseconds, value, hours between settlements (funding only).
type Point = (i64, f64, f64);

/// Readings of every feature at the last input: by an engine that is fed these series and bars.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "lists arrive owned")]
fn engine_features<'py>(
    py: Python<'py>,
    klines: Option<&Bound<'py, PyAny>>,
    series: Vec<(String, Vec<Point>)>,
) -> PyResult<Bound<'py, PyAny>> {
    let frames = klines.map(Frames::of).transpose()?;
    let columns = frames.as_ref().map(Frames::columns);
    let mut inputs = Inputs::default();
    if let Some(columns) = &columns {
        inputs.bars(columns)?;
    }
    for (name, points) in &series {
        let metric = Metric::ALL.into_iter().find(|m| m.name() == name);
        inputs.points(metric.ok_or_else(|| wrong(format!("no metric '{name}'")))?, points)?;
    }
    let map = py.detach(|| inputs.read())?;
    wire(py, &map)
}

/// Known, happened, what.
type Fact = (Ts, Ts, Payload);

#[derive(Default)]
struct Inputs {
    streams: Vec<(StreamDecl, Vec<Fact>)>,
}

fn market() -> PyResult<InstrumentName> {
    InstrumentName::new("list", "LIST").map_err(|e| wrong(e.to_string()))
}

impl Inputs {
    fn add(&mut self, metric: Metric, cadence: Span, stamp: Stamp, rows: Vec<Fact>) -> PyResult<()> {
        let decl = StreamDecl {
            instrument: market()?,
            metric,
            kind: Kind::Measured,
            cadence,
            source: "list".to_owned(),
            delay: Span::ZERO,
            stamp,
            filled: false,
        };
        self.streams.push((decl, rows));
        Ok(())
    }

    fn bars(&mut self, columns: &FrameColumns<'_>) -> PyResult<()> {
        columns.check_lengths().map_err(|e| wrong(e.0))?;
        let Some(step) = columns.step(None).map_err(|e| wrong(e.0))? else { return Ok(()) };
        let mut rows = Vec::with_capacity(columns.len());
        for row in 0..columns.len() {
            let close_ts = Ts(columns.time[row] * columns.unit) + step;
            let (open, high, low, close) = (columns.open[row], columns.high[row], columns.low[row], columns.close[row]);
            let volume = columns.volume[row];
            crate::columns::check_bar((open, high, low, close), volume)
                .map_err(|why| wrong(format!("klines row {row}: {why}")))?;
            let bar = Bar { open, high, low, close, volume: (!volume.is_nan()).then_some(volume), quote_volume: None };
            rows.push((close_ts, close_ts, Payload::Bar(bar)));
        }
        self.add(Metric::Bar, step, Stamp::Open, rows)
    }

    fn points(&mut self, metric: Metric, points: &[Point]) -> PyResult<()> {
        let mut points: Vec<Point> = points.to_vec();
        points.sort_by_key(|p| p.0);
        points.dedup_by_key(|p| p.0);
        if points.is_empty() {
            return Ok(());
        }
        let mut steps: Vec<i64> = points.windows(2).map(|w| w[1].0 - w[0].0).collect();
        steps.sort_unstable();
        let minute = Span::mins(1).0;
        let median = steps.get(steps.len() / 2).copied().unwrap_or(minute);
        let cadence = Span(((median + minute / 2) / minute).max(1) * minute);
        let mut rows = Vec::with_capacity(points.len());
        for (ts, value, hours) in points {
            if !value.is_finite() {
                return Err(wrong(format!("{} at {} is {value}: give a number", metric.name(), Ts(ts))));
            }
            let payload = match metric {
                Metric::FundingRate | Metric::FundingRateSettled => {
                    Payload::Funding { rate: value, interval_h: Some(hours), next_ts: None, special: false }
                }
                _ => Payload::Value(value),
            };
            rows.push((Ts(ts), Ts(ts), payload));
        }
        self.add(metric, cadence, Stamp::Instant, rows)
    }

    fn read(mut self) -> PyResult<Map<String, Value>> {
        self.streams.sort_by(|a, b| a.0.cmp(&b.0));
        let decls: Vec<StreamDecl> = self.streams.iter().map(|s| s.0.clone()).collect();
        let mut events: Vec<Event> = Vec::new();
        for (stream, (_, rows)) in (0_u16..).zip(&self.streams) {
            events.extend((0_u64..).zip(rows).map(|(seq, (recv_ts, event_ts, payload))| Event {
                recv_ts: *recv_ts,
                event_ts: *event_ts,
                stream: StreamIndex(stream),
                seq,
                payload: *payload,
            }));
        }
        events.sort_by_key(|e| (e.recv_ts, e.stream, e.event_ts, e.seq));
        let book = RuleBook::shipped("default").ok_or_else(|| wrong("the default rule book is not there"))?;
        let instrument = Instrument { name: market()?, kind: MarketKind::Perpetual, expiry: None };
        let mut engine = Engine::new(Config::new(Arc::new(book)), &[instrument], &decls);
        let mut rows = Outputs::default();
        let mut last = None;
        for event in &events {
            engine.step(event, &mut rows);
            if let Some(row) = rows.rows().last() {
                last = Some(row.clone());
                rows.clear();
            }
        }
        let end = events.last().map_or(Ts(0), |e| e.recv_ts);
        engine.finish(end + Span::mins(1), &mut rows);
        let last = rows.rows().last().cloned().or(last);
        let mut out = Map::new();
        put(&mut out, "timestamp", last.as_ref().map(|r| r.ts.to_string()));
        for spec in CATALOGUE {
            let cell = last.as_ref().and_then(|r| r.cells.get(spec.feature.index()));
            let read = cell.map_or(Err(State::Undefined(Reason::MissingInput)), |c| c.ready().ok_or(c.state));
            put_read(&mut out, spec.id, read.map(|x| typed(spec.feature, x)));
        }
        Ok(out)
    }
}

/// A flag is a bool, a word a text, all else a number.
fn typed(feature: Feature, x: f64) -> Value {
    match words_of(feature) {
        Some(["false", "true"]) => (x > 0.5).into(),
        Some(_) => word_of(feature, x).map_or(Value::Null, Value::from),
        None => x.into(),
    }
}

/// Basis of a list of (nanoseconds, futures price, spot price), with its score within a week.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "lists arrive owned")]
fn basis_features(py: Python<'_>, rows: Vec<(i64, f64, f64)>) -> PyResult<Bound<'_, PyAny>> {
    let mut by_time = BTreeMap::new();
    let minute = Span::mins(1);
    for (ts, futures, spot) in &rows {
        by_time.insert(Ts(*ts).ceil(minute), (*futures, *spot));
    }
    let stamps: Vec<Ts> = by_time.keys().copied().collect();
    let mut steps: Vec<i64> = stamps.windows(2).map(|w| (w[1] - w[0]).0).collect();
    steps.sort_unstable();
    let step = Span(steps.get(steps.len() / 2).copied().unwrap_or(minute.0));
    let settings = ReadinessSettings::default();
    let read = |wanted| {
        let mut pair = BasisPair::new(step, step);
        for t in &stamps {
            pair.settle(wanted, (*t, *t), |at| by_time.get(&at).map(|v| v.0), |at| by_time.get(&at).map(|v| v.1));
        }
        let at = pair.anchor_ts().unwrap_or(Ts(0));
        let origin =
            ReadingOrigin { anchor: at, event: at, expires: Ts::MAX, kind: Kind::Measured, stream: StreamIndex(0) };
        pair.slots(&origin, Span::days(7), &settings, wanted, |_, _| false, |t| t)
    };
    let (mean, s) = (read(PairReadings::Mean), read(PairReadings::Score));
    let mut out = Map::new();
    put_read(&mut out, "basis", s.value.cell.ready().ok_or(s.value.cell.state));
    put_read(&mut out, "basis_ma_8h", mean.ma_8h.cell.ready().ok_or(mean.ma_8h.cell.state));
    put_read(&mut out, "basis_zscore_7d", s.zscore_7d.cell.ready().ok_or(s.zscore_7d.cell.state));
    put_read(&mut out, "basis_anomaly", s.value.cell.ready().map(|b| b.abs() > BASIS_FAR).ok_or(s.value.cell.state));
    wire(py, &out)
}

/// Largest share and sum of squared shares of exposures.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "lists arrive owned")]
fn concentration(exposures: Vec<f64>) -> (Option<f64>, Option<f64>) {
    use barograph_engine::features::positions::{concentration, hhi};
    (concentration(&exposures), hhi(&exposures))
}

/// Correlations and leads of price series at the last whole hour.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "lists arrive owned")]
fn universe(py: Python<'_>, prices: Vec<(String, Vec<i64>, Vec<f64>)>) -> PyResult<Bound<'_, PyAny>> {
    if prices.len() < 2 || prices.len() > barograph_engine::universe::WATCH_MAX {
        let most = barograph_engine::universe::WATCH_MAX;
        return Err(wrong(format!("{} price series: give 2 to {most}", prices.len())));
    }
    let mut watch = Vec::with_capacity(prices.len());
    for (name, times, values) in &prices {
        if times.len() != values.len() {
            return Err(wrong(format!("'{name}' has {} instants and {} prices", times.len(), values.len())));
        }
        if let Some(row) = values.iter().position(|p| !(p.is_finite() && *p > 0.0)) {
            return Err(wrong(format!(
                "row {row} of '{name}' is {}: give a price above zero, or leave it out",
                values[row]
            )));
        }
        let symbol: String = name.chars().filter(|c| !c.is_whitespace() && !matches!(c, ':' | '/')).collect();
        let instrument = InstrumentName::new("list", &symbol).map_err(|e| wrong(e.to_string()))?;
        let asset = match Watch::of(&instrument).asset {
            asset if name.contains('/') => name.split('/').next().map_or(asset, str::to_owned),
            asset => asset,
        };
        watch.push((Watch { instrument, asset }, name.clone()));
    }
    let row = py.detach(|| {
        let mut universe = Universe::new(watch.iter().map(|w| w.0.clone()).collect(), PairRule::Default);
        let order: Vec<usize> = watch
            .iter()
            .map(|(w, _)| universe.watch().iter().position(|u| u.instrument == w.instrument).unwrap_or(0))
            .collect();
        let mut samples: Vec<(i64, usize, f64)> = Vec::new();
        for ((_, times, values), market) in prices.iter().zip(&order) {
            samples.extend(times.iter().zip(values).map(|(t, p)| (*t, *market, *p)));
        }
        samples.sort_by_key(|s| (s.0, s.1));
        let mut last = None;
        for (ts, market, price) in samples {
            let ts = Ts(ts);
            let sample = UniverseSample {
                market,
                ts,
                known_ts: ts,
                price: Some(price),
                vol_annual: None,
                risk: RiskRegime::Unknown,
                volatility: VolRegime::Unknown,
            };
            last = universe.push(sample).or(last);
        }
        universe.close().or(last).map(|row| (row, universe))
    });
    let Some((row, universe)) = row else {
        return Err(wrong("no price on a whole hour: stamps must be instants on whole minutes"));
    };
    let names: Vec<&str> = universe
        .watch()
        .iter()
        .map(|u| watch.iter().find(|(w, _)| w.instrument == u.instrument).map_or("", |(_, n)| n.as_str()))
        .collect();
    let (mut pairs, mut leads) = (Vec::new(), Vec::new());
    for p in &row.pairs {
        let (a, b) = (names[usize::from(p.a)], names[usize::from(p.b)]);
        let mut pair = serde_json::to_value(p).map_err(|e| wrong(e.to_string()))?;
        let lead = pair.as_object_mut().and_then(|o| {
            o.insert("a".to_owned(), a.into());
            o.insert("b".to_owned(), b.into());
            o.remove("lead")
        });
        leads.push(json!({"a": a, "b": b, "lead": lead}));
        pairs.push(pair);
    }
    let scores: Map<String, Value> = names
        .iter()
        .zip(&row.markets)
        .map(|(n, m)| ((*n).to_owned(), m.lead_score.map_or(Value::Null, Value::from)))
        .collect();
    let leading = row.leading.and_then(|l| names.get(usize::from(l)).copied());
    plain(py, &json!({"ts": row.ts.to_string(), "pairs": pairs, "leads": leads, "leading": leading, "scores": scores}))
}
