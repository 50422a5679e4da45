//! `MarketContextEngine`: the shared engine with its injected components, and the module's own one.

use super::components::{bar_of, base_of, choose};
use super::context::MarketContext;
use super::convert::{instant, positive, side_of, span, wrong};
use super::frames::Frames;
use crate::answer::{Beside, PricedContext, priced};
use crate::columns::FrameError;
use crate::shared::{Analysis, PricedFrame, SharedEngine};
use barograph_domain::{Label, Side, Span, TrendRegime, Ts};
use barograph_engine::context::{Frame, FrameOptions};
use barograph_engine::rules::{RuleBook, logic_version};
use barograph_engine::sessions::SessionSet;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyMapping};
use std::sync::Arc;
use std::time::Instant;

/// What happens to input that cannot be meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum OnError {
    Raise,
    Fallback,
}

/// One engine for many strategies: thread-safe, with a cache of analyses and markets that grow bar by bar.
///
/// Components can be swapped: the session set, base multipliers, options of liquidity, the rule book, a risk calculator, a
/// regime classifier, the cache's time to live, a clock.
#[pyclass(frozen, module = "barograph")]
#[derive(Debug)]
pub(super) struct MarketContextEngine {
    shared: SharedEngine,
    book: RuleBook,
    options: FrameOptions,
    version: Arc<str>,
    ttl_ms: u64,
    began: Instant,
    clock: Option<Py<PyAny>>,
    calculator: Option<Py<PyAny>>,
    classifier: Option<Py<PyAny>>,
    on_error: OnError,
}

/// What a call may say beside the frame.
struct Call {
    symbol: String,
    side: Option<Side>,
    price: Option<f64>,
    beside: Beside,
    now: Option<Ts>,
    max_age: Option<Span>,
}

#[pymethods]
impl MarketContextEngine {
    #[new]
    #[pyo3(signature = (*, session_set=None, base_multipliers=None, liquidity=None, risk_calculator=None,
        regime_classifier=None, ttl=60.0, book="default", on_error="raise", clock=None))]
    #[expect(clippy::too_many_arguments, reason = "one keyword for each component that can be swapped")]
    fn new(
        session_set: Option<&str>,
        base_multipliers: Option<&Bound<'_, PyAny>>,
        liquidity: Option<&Bound<'_, PyDict>>,
        risk_calculator: Option<Py<PyAny>>,
        regime_classifier: Option<Py<PyAny>>,
        ttl: f64,
        book: &str,
        on_error: &str,
        clock: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let book = RuleBook::shipped(book)
            .ok_or_else(|| wrong(format!("no rule book '{book}': there are {}", RuleBook::SHIPPED.join(", "))))?;
        let mut options = FrameOptions::of(&book);
        if let Some(name) = session_set {
            options.sessions = match name {
                "utc" => SessionSet::UTC,
                "local" => SessionSet::LOCAL,
                "forex" => SessionSet::FOREX,
                "stocks" => SessionSet::STOCKS,
                _ => return Err(wrong(format!("no session set '{name}': there are utc, local, forex, stocks"))),
            };
        }
        if let Some(base) = base_multipliers {
            options.base = Some(base_of(base)?);
        }
        if let Some(chosen) = liquidity {
            choose(&mut options, chosen)?;
        }
        if !(ttl.is_finite() && ttl >= 0.0) {
            return Err(wrong(format!("ttl is {ttl}: give seconds, 0 for no cache")));
        }
        let on_error = match on_error {
            "raise" => OnError::Raise,
            "fallback" => OnError::Fallback,
            _ => return Err(wrong(format!("on_error is '{on_error}': give raise or fallback"))),
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time to live in milliseconds")]
        let ttl_ms = (ttl * 1e3).round() as u64;
        Ok(Self {
            shared: SharedEngine::default(),
            version: logic_version(&book, "").into(),
            book,
            options,
            ttl_ms,
            began: Instant::now(),
            clock,
            calculator: risk_calculator,
            classifier: regime_classifier,
            on_error,
        })
    }

    /// The context of a frame at a price, for a side.
    ///
    /// Analyses are kept for the time to live and shared by all strategies that ask with the same bars. A frame with no bar
    /// gives the legacy parameters with the reason; one that cannot be meant raises :class:`FrameError`, or with
    /// `on_error="fallback"` gives the legacy parameters and a warning in the log.
    #[pyo3(signature = (df, current_price=None, signal_direction=None, *, symbol="FRAME", timeframe=None,
        last_bar_open=false, now=None, max_age=None, tick_size=None, minutes_to_event=None, event_name=None, use_cache=true))]
    #[expect(clippy::too_many_arguments, reason = "keywords of the Python interface")]
    pub(super) fn get_context(
        &self,
        df: &Bound<'_, PyAny>,
        current_price: Option<f64>,
        signal_direction: Option<&Bound<'_, PyAny>>,
        symbol: &str,
        timeframe: Option<&Bound<'_, PyAny>>,
        last_bar_open: bool,
        now: Option<&Bound<'_, PyAny>>,
        max_age: Option<f64>,
        tick_size: Option<f64>,
        minutes_to_event: Option<f64>,
        event_name: Option<&str>,
        use_cache: bool,
    ) -> PyResult<MarketContext> {
        let py = df.py();
        let call =
            call(symbol, current_price, signal_direction, now, max_age, tick_size, minutes_to_event, event_name)?;
        if df.is_none() {
            return Ok(self.fallback(py, call, "there is no frame"));
        }
        let mut bars = 0;
        let analysis = Frames::of(df).and_then(|frames| {
            bars = frames.columns().len();
            let step = timeframe.map(span).transpose()?;
            self.analyse(py, &frames, step, last_bar_open, symbol, use_cache)
        });
        match analysis {
            Ok(Some(analysis)) => self.answer(py, call, analysis),
            Ok(None) => {
                let MarketContext(answer) = self.fallback(py, call, "the frame has fewer than two closed bars");
                Ok(MarketContext(PricedContext { too_few: bars > 0, ..answer }))
            }
            Err(e) if self.on_error == OnError::Fallback => Ok(self.fallback(py, call, &e.value(py).to_string())),
            Err(e) => Err(e),
        }
    }

    /// Begins a live market with the bars of a frame; the number of bars taken.
    #[pyo3(signature = (symbol, df, *, timeframe=None, last_bar_open=false))]
    fn load(
        &self,
        symbol: &str,
        df: &Bound<'_, PyAny>,
        timeframe: Option<&Bound<'_, PyAny>>,
        last_bar_open: bool,
    ) -> PyResult<u64> {
        let py = df.py();
        let frames = Frames::of(df)?;
        let step = timeframe.map(span).transpose()?;
        let made = self.analyse(py, &frames, step, last_bar_open, symbol, false)?;
        let made = made.ok_or_else(|| wrong("a live market needs at least two closed bars, or timeframe="))?;
        let bars = made.frame.bars();
        self.shared.begin(symbol, made);
        Ok(bars)
    }

    /// Adds the next closed bar of a live market: a mapping or a sequence (timestamp, open, high, low, close[, volume]),
    /// stamped with its open. False when the bar is not newer than the last.
    fn update(&self, symbol: &str, bar: &Bound<'_, PyAny>) -> PyResult<bool> {
        let market = self.shared.market(symbol).ok_or_else(|| wrong(no_market(symbol)))?;
        let (open_ts, sample) = bar_of(bar)?;
        self.shared.feed(&market, |frame| {
            let close = open_ts + frame.step();
            if (close - frame.phase()).0.rem_euclid(frame.step().0) != 0 {
                return Err(wrong(format!(
                    "the bar of {open_ts} does not begin where bars of {} s begin",
                    frame.step().as_secs_f64()
                )));
            }
            Ok(frame.push(close, &sample))
        })
    }

    /// The context of a live market.
    #[pyo3(signature = (symbol, current_price=None, signal_direction=None, *, now=None, max_age=None, tick_size=None,
        minutes_to_event=None, event_name=None))]
    #[expect(clippy::too_many_arguments, reason = "keywords of the Python interface")]
    fn context(
        &self,
        py: Python<'_>,
        symbol: &str,
        current_price: Option<f64>,
        signal_direction: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
        max_age: Option<f64>,
        tick_size: Option<f64>,
        minutes_to_event: Option<f64>,
        event_name: Option<&str>,
    ) -> PyResult<MarketContext> {
        let call =
            call(symbol, current_price, signal_direction, now, max_age, tick_size, minutes_to_event, event_name)?;
        let market = self.shared.market(symbol).ok_or_else(|| wrong(no_market(symbol)))?;
        self.answer(py, call, self.shared.now(&market))
    }

    /// Forgets a live market; True if it was there.
    fn forget(&self, symbol: &str) -> bool {
        self.shared.end(symbol)
    }

    /// Hits, misses, size, evictions, and how long strategies waited for each other's locks.
    fn cache_stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let s = self.shared.statistics(self.now_ms(py)?, self.ttl_ms.max(1));
        let out = PyDict::new(py);
        out.set_item("hits", s.hits)?;
        out.set_item("misses", s.misses)?;
        out.set_item("size", s.size)?;
        out.set_item("evictions", s.evictions)?;
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let rate = if s.hits + s.misses == 0 { 0.0 } else { s.hits as f64 / (s.hits + s.misses) as f64 };
        out.set_item("hit_rate", rate)?;
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        out.set_item("ttl", self.ttl_ms as f64 / 1e3)?;
        out.set_item("locks", s.locks)?;
        out.set_item("lock_waits", s.lock_waits)?;
        out.set_item("lock_wait_p99_us", s.lock_wait_p99_us)?;
        Ok(out)
    }

    /// Forgets every kept analysis.
    fn clear_cache(&self) {
        self.shared.clear();
    }

    /// Drops analyses older than the time to live now; how many. It also happens by itself.
    fn cleanup(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.shared.sweep(self.now_ms(py)?, self.ttl_ms.max(1)))
    }

    /// Rules and code the numbers are made by.
    #[getter]
    fn logic_version(&self) -> &str {
        &self.version
    }

    fn __repr__(&self) -> String {
        format!("MarketContextEngine({}, ttl {} ms)", self.version, self.ttl_ms)
    }
}

impl MarketContextEngine {
    fn now_ms(&self, py: Python<'_>) -> PyResult<u64> {
        match &self.clock {
            None => Ok(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a clock")]
            Some(clock) => Ok((clock.call0(py)?.extract::<f64>(py)? * 1e3).max(0.0) as u64),
        }
    }

    fn analyse(
        &self,
        py: Python<'_>,
        frames: &Frames<'_>,
        step: Option<Span>,
        last_bar_open: bool,
        symbol: &str,
        use_cache: bool,
    ) -> PyResult<Option<Arc<Analysis>>> {
        let columns = frames.columns();
        columns.check_lengths().map_err(|e| wrong(e.0))?;
        let columns = if last_bar_open { columns.without_last() } else { columns };
        let ttl_ms = if use_cache { self.ttl_ms } else { 0 };
        let now = if ttl_ms > 0 { self.now_ms(py)? } else { 0 };
        let (shared, options) = (&self.shared, &self.options);
        let made = py.detach(|| {
            let extra = symbol.bytes().fold(step.map_or(0, |s| s.0.cast_unsigned()), |h, b| {
                h.wrapping_mul(0x0000_0100_0000_01B3) ^ u64::from(b)
            });
            let key = if ttl_ms > 0 { columns.digest(extra) } else { 0 };
            shared.analysis(key, (now, ttl_ms), || {
                let frame = columns.frame(step, options)?;
                Ok(frame.map(|frame: Frame| Analysis { frame, symbol: symbol.to_owned() }))
            })
        });
        made.map_err(|e: FrameError| wrong(e.0))
    }

    fn fallback(&self, py: Python<'_>, call: Call, why: &str) -> MarketContext {
        log(py, "warning", &format!("{}: legacy parameters, because {why}", call.symbol));
        MarketContext(PricedContext {
            analysis: None,
            said: None,
            beside: call.beside,
            symbol: call.symbol,
            side: call.side,
            price: call.price,
            version: Arc::clone(&self.version),
            too_few: false,
        })
    }

    fn answer(&self, py: Python<'_>, call: Call, analysis: Arc<Analysis>) -> PyResult<MarketContext> {
        let close = analysis.frame.newest().map(|b| b.close);
        let Some(price) = call.price.or(close) else { return Ok(self.fallback(py, call, "the frame has no bar")) };
        let book = &self.book;
        let said = py.detach(|| priced(&analysis.frame, book, price));
        let Some(mut said) = said else { return Ok(self.fallback(py, call, "the frame has no bar")) };
        let mut beside = call.beside;
        beside.stale = stale(&said, analysis.frame.step(), call.now, call.max_age);
        if let Some(classifier) = &self.classifier {
            match self.classify(py, classifier, &said) {
                Ok(label) => said.reading.trend.label = label,
                Err(e) => self.component(py, "regime_classifier", e)?,
            }
        }
        let mut answer = PricedContext {
            analysis: Some(analysis),
            said: Some(Arc::new(said)),
            beside,
            symbol: call.symbol,
            side: call.side,
            price: Some(price),
            version: Arc::clone(&self.version),
            too_few: false,
        };
        if let Some(calculator) = &self.calculator {
            match calculate(py, calculator, &answer) {
                Ok((mult, ratio)) => (answer.beside.own_mult, answer.beside.own_ratio) = (mult, ratio),
                Err(e) => self.component(py, "risk_calculator", e)?,
            }
        }
        Ok(MarketContext(answer))
    }

    /// A component that fails: the engine's own numbers stay, where falling back was asked for.
    fn component(&self, py: Python<'_>, name: &str, e: PyErr) -> PyResult<()> {
        if self.on_error == OnError::Raise {
            return Err(e);
        }
        log(py, "warning", &format!("{name} failed, the engine's own numbers are used: {}", e.value(py)));
        Ok(())
    }

    fn classify(&self, py: Python<'_>, classifier: &Py<PyAny>, said: &PricedFrame) -> PyResult<TrendRegime> {
        let r = &said.reading;
        let line = r.trend.line.ok();
        let inputs = super::convert::plain(
            py,
            &serde_json::json!({
                "label": r.trend.label.name(),
                "slope_pct": line.map(|l| l.slope_pct),
                "r2": line.map(|l| l.r * l.r),
                "p": line.map(|l| l.p),
                "timeframes": r.trend.timeframes.map(|l| l.name()),
                "vol_daily": r.volatility.daily.ok(),
                "vol_class": r.volatility.label.name(),
                "session": r.session.name.name(),
                "atr": r.atr,
                "price": r.price,
            }),
        )?;
        let label = classifier.call1(py, (inputs,))?;
        let label = label.bind(py);
        let label = label.getattr("value").unwrap_or_else(|_| label.clone());
        let text: String = label.extract()?;
        TrendRegime::of_word(&text)
            .ok_or_else(|| wrong(format!("regime_classifier said '{text}': it must be one of {}", trend_words())))
    }
}

fn trend_words() -> String {
    TrendRegime::LABELS.iter().map(|l| l.name()).collect::<Vec<_>>().join(", ")
}

/// Multiplier and ratio by the caller's own calculator.
fn calculate(py: Python<'_>, calculator: &Py<PyAny>, answer: &PricedContext) -> PyResult<(Option<f64>, Option<f64>)> {
    let p = answer.parameters(answer.side);
    let inputs = answer.said.as_ref().map(|s| &s.reading).map(|r| {
        serde_json::json!({
            "stop_loss_atr_mult": p.stop_loss_atr_mult,
            "risk_reward_ratio": p.risk_reward_ratio,
            "market_regime": p.market_regime.name(),
            "vol_class": r.volatility.label.name(),
            "session": r.session.name.name(),
            "confidence": p.confidence,
            "atr": r.atr,
            "price": r.price,
            "side": answer.side.map(|s| match s { Side::Long => "long", Side::Short => "short" }),
        })
    });
    let inputs = super::convert::plain(py, &inputs.unwrap_or_default())?;
    let out = calculator.call1(py, (inputs,))?;
    let out =
        out.bind(py).cast::<PyMapping>().map_err(|_ignored| wrong("risk_calculator must give a mapping"))?.clone();
    let read = |name: &str, least: f64, most: f64| -> PyResult<Option<f64>> {
        let Ok(value) = out.get_item(name) else { return Ok(None) };
        let x: f64 = value.extract()?;
        if x.is_finite() && x >= least && x <= most {
            Ok(Some(x))
        } else {
            Err(wrong(format!("risk_calculator gave {name} = {x}: it must lie within {least} and {most}")))
        }
    };
    Ok((read("stop_loss_atr_mult", 0.5, 4.0)?, read("risk_reward_ratio", 0.1, 20.0)?))
}

#[expect(clippy::too_many_arguments, reason = "keywords of the Python interface")]
fn call(
    symbol: &str,
    price: Option<f64>,
    side: Option<&Bound<'_, PyAny>>,
    now: Option<&Bound<'_, PyAny>>,
    max_age: Option<f64>,
    tick: Option<f64>,
    minutes: Option<f64>,
    event: Option<&str>,
) -> PyResult<Call> {
    let minutes = minutes.filter(|m| m.is_finite());
    let event = match (minutes, event) {
        (Some(m), name) => Some(Some((name.unwrap_or("A calendar event").to_owned(), m))),
        (None, _) => None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "seconds")]
    let max_age = max_age.map(|s| positive("max_age", s).map(|s| Span((s * 1e9) as i64))).transpose()?;
    Ok(Call {
        symbol: symbol.to_owned(),
        side: side_of(side)?,
        price: price.map(|p| positive("current_price", p)).transpose()?,
        beside: Beside { event, tick: tick.map(|t| positive("tick_size", t)).transpose()?, ..Beside::default() },
        now: now.map(instant).transpose()?,
        max_age,
    })
}

/// A frame is stale when its newest close is more than a bar and a minute old (features §9), or older than the caller allows.
fn stale(said: &PricedFrame, step: Span, now: Option<Ts>, max_age: Option<Span>) -> Option<String> {
    let age = now? - said.reading.now;
    let limit = max_age.unwrap_or(step + Span::mins(1));
    (age > limit).then(|| format!("Data stale ({} minutes old)", age.0 / Span::mins(1).0))
}

fn no_market(symbol: &str) -> String {
    format!("no live market '{symbol}': begin it with load('{symbol}', df)")
}

/// A line in Python's own log, under the name `barograph`.
fn log(py: Python<'_>, level: &str, text: &str) {
    let written = py
        .import("logging")
        .and_then(|l| l.call_method1("getLogger", ("barograph",)))
        .and_then(|logger| logger.call_method1(level, (text,)));
    if let Err(e) = written {
        e.write_unraisable(py, None);
    }
}

static DEFAULT: PyOnceLock<Py<MarketContextEngine>> = PyOnceLock::new();

/// The engine of the module, made at the first call with the defaults and shared from then on.
#[pyfunction]
pub(super) fn get_engine(py: Python<'_>) -> PyResult<Py<MarketContextEngine>> {
    let engine = DEFAULT.get_or_try_init(py, || {
        Py::new(py, MarketContextEngine::new(None, None, None, None, None, 60.0, "default", "raise", None)?)
    })?;
    Ok(engine.clone_ref(py))
}

/// The context of a frame at a price, for a side, from the module's own engine. See
/// :meth:`MarketContextEngine.get_context`.
#[pyfunction]
#[pyo3(signature = (df, current_price=None, signal_direction=None, **options))]
pub(super) fn get_context<'py>(
    df: &Bound<'py, PyAny>,
    current_price: Option<f64>,
    signal_direction: Option<&Bound<'py, PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = df.py();
    let engine = get_engine(py)?;
    match options {
        None => {
            let engine = engine.get();
            let made = engine.get_context(
                df,
                current_price,
                signal_direction,
                "FRAME",
                None,
                false,
                None,
                None,
                None,
                None,
                None,
                true,
            )?;
            Ok(Bound::new(py, made)?.into_any())
        }
        Some(_) => engine.bind(py).call_method("get_context", (df, current_price, signal_direction), options),
    }
}
