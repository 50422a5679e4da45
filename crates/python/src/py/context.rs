//! The answer as Python sees it: frozen, everything looked up when it is asked for.

use super::convert::{datetime, given_side, positive, wire, wrong};
use super::words::word;
use crate::answer::PricedContext;
use barograph_domain::advice::Verdict;
use barograph_domain::time::YEAR_DAYS;
use barograph_domain::{Label, Level, LevelEvent, Reason, RiskRegime, Side, State};
use barograph_engine::context::{FrameReading, SessionReading};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// The session of a moment and the stop distance that follows from it.
#[pyclass(frozen, module = "barograph")]
#[derive(Clone, Debug)]
pub(super) struct SessionInfo(SessionReading);

#[pymethods]
impl SessionInfo {
    /// The session, a member of :class:`barograph.Session`.
    #[getter]
    fn name<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        word(py, "Session", self.0.name.name())
    }
    /// When it began, UTC.
    #[getter]
    fn start<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.from)
    }
    /// When it ends, UTC.
    #[getter]
    fn end<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.until)
    }
    /// Base multiplier of the session, in ATR.
    #[getter]
    fn base_multiplier(&self) -> f64 {
        self.0.base
    }
    /// True when the base multiplier was measured from the frame's own sessions.
    #[getter]
    fn base_measured(&self) -> bool {
        self.0.base_measured
    }
    /// Base times adjustments, within 0.5 and 4 ATR.
    #[getter]
    fn adaptive_multiplier(&self) -> f64 {
        self.0.adjusted.adaptive_mult
    }
    /// 1 + (vol_ratio - 1) / 2.
    #[getter]
    fn vol_adjustment(&self) -> f64 {
        self.0.adjusted.vol_adjustment
    }
    /// 1 + (volume_ratio - 1) / 4, within 0.8 and 1.25.
    #[getter]
    fn volume_adjustment(&self) -> f64 {
        self.0.adjusted.volume_adjustment
    }
    /// Volatility of the last hour over the session's usual one; None without history.
    #[getter]
    fn vol_ratio(&self) -> Option<f64> {
        self.0.vol_ratio
    }
    /// Quote volume a minute over the session's usual one; None without history.
    #[getter]
    fn volume_ratio(&self) -> Option<f64> {
        self.0.volume_ratio
    }
    fn __repr__(&self) -> String {
        format!("SessionInfo({}, {:.3} ATR)", self.0.name.name(), self.0.adjusted.adaptive_mult)
    }
}

/// Stop distance, reward over risk, trend label and confidence.
#[pyclass(frozen, module = "barograph")]
#[derive(Clone, Debug)]
pub(super) struct RiskParams {
    /// ATR.
    #[pyo3(get)]
    stop_loss_atr_mult: f64,
    /// Reward over risk.
    #[pyo3(get)]
    risk_reward_ratio: f64,
    /// In [0, 1]; a rule of thumb, not a probability. None where nothing is known.
    #[pyo3(get)]
    confidence: Option<f64>,
    /// `heuristic` or `not_available`.
    #[pyo3(get)]
    confidence_kind: &'static str,
    /// What volatility leaves of a size.
    #[pyo3(get)]
    size_factor: f64,
    /// What the posture leaves of a size.
    #[pyo3(get)]
    posture_factor: f64,
    /// Some of these stand in for what is missing.
    #[pyo3(get)]
    fallback: bool,
    regime: &'static str,
    reasons: Vec<(&'static str, &'static str)>,
}

#[pymethods]
impl RiskParams {
    /// Trend label, a member of :class:`barograph.TrendRegime`.
    #[getter]
    fn market_regime<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        word(py, "TrendRegime", self.regime)
    }
    /// Which parameter is the legacy one, and why.
    #[getter]
    fn fallback_reasons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let out = PyDict::new(py);
        for (what, why) in &self.reasons {
            out.set_item(what, why)?;
        }
        Ok(out)
    }
    fn __repr__(&self) -> String {
        format!(
            "RiskParams(stop {:.3} ATR, reward/risk {}, {}, confidence {}{})",
            self.stop_loss_atr_mult,
            self.risk_reward_ratio,
            self.regime,
            self.confidence.map_or_else(|| "None".to_owned(), |c| format!("{c:.2}")),
            if self.fallback { ", fallback" } else { "" }
        )
    }
}

/// What a frame says at a price, with advice for the side the caller named. Immutable.
#[pyclass(frozen, module = "barograph")]
#[derive(Debug)]
pub(super) struct MarketContext(pub(super) PricedContext);

impl MarketContext {
    fn reading(&self) -> Option<&FrameReading> {
        self.0.said.as_ref().map(|s| &s.reading)
    }
    fn fails(e: &barograph_engine::advice::IntentError) -> PyErr {
        wrong(e.to_string())
    }
    fn entry(&self, entry: Option<f64>) -> PyResult<f64> {
        let entry = entry.or(self.0.price).ok_or_else(|| wrong("entry is None: the context has no price either"))?;
        positive("entry", entry)
    }
    fn regime(&self, axis: &str) -> &'static str {
        match (axis, self.reading()) {
            ("trend", Some(r)) => r.trend.label.name(),
            ("volatility", Some(r)) => r.volatility.label.name(),
            ("risk", Some(r)) => r.risk.name(),
            _ => "UNKNOWN",
        }
    }
}

#[pymethods]
impl MarketContext {
    /// Session; None when nothing is known.
    #[getter]
    fn session(&self) -> Option<SessionInfo> {
        self.reading().map(|r| SessionInfo(r.session))
    }
    /// Parameters for the caller's side.
    #[getter]
    fn risk_params(&self) -> RiskParams {
        let p = self.0.parameters(self.0.side);
        let why = [
            ("stop_loss_atr_mult", p.mult_fallback),
            ("risk_reward_ratio", p.ratio_fallback),
            ("size_factor", p.size_fallback),
            ("posture_factor", p.posture_fallback),
        ];
        RiskParams {
            stop_loss_atr_mult: p.stop_loss_atr_mult,
            risk_reward_ratio: p.risk_reward_ratio,
            confidence: p.confidence,
            confidence_kind: p.confidence_kind,
            size_factor: p.size_factor,
            posture_factor: p.posture_factor,
            fallback: p.any_fallback(),
            regime: p.market_regime.name(),
            reasons: why.into_iter().filter_map(|(what, why)| Some((what, why?.name()))).collect(),
        }
    }
    /// Trend label; UNKNOWN when there are too few bars.
    #[getter]
    fn market_regime<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        word(py, "TrendRegime", self.regime("trend"))
    }
    /// The market in one or two sentences, as far as bars tell; None when nothing is known.
    #[getter]
    fn headline(&self) -> Option<String> {
        self.0.headline()
    }
    /// Labels of the axes that bars can tell: risk, trend, volatility.
    #[getter]
    fn regimes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let out = PyDict::new(py);
        for (axis, class) in [("risk", "RiskRegime"), ("trend", "TrendRegime"), ("volatility", "VolRegime")] {
            out.set_item(axis, word(py, class, self.regime(axis))?)?;
        }
        Ok(out)
    }
    /// In [0, 1], by rule of thumb.
    #[getter]
    fn confidence(&self) -> Option<f64> {
        self.0.parameters(self.0.side).confidence
    }
    /// ATR(14) of the frame's bars; None below fifteen bars.
    #[getter]
    fn atr(&self) -> Option<f64> {
        self.reading().and_then(|r| r.atr)
    }
    /// The price the context was asked for.
    #[getter]
    fn current_price(&self) -> Option<f64> {
        self.0.price
    }
    /// The side the caller named, `long`, `short` or None.
    #[getter]
    fn side(&self) -> Option<&'static str> {
        self.0.side.map(side_word)
    }
    /// Close of the newest bar, UTC.
    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.now().map(|t| datetime(py, t)).transpose()
    }
    /// Length of a bar in seconds.
    #[getter]
    fn timeframe_s(&self) -> Option<f64> {
        self.0.analysis.as_ref().map(|a| a.frame.step().as_secs_f64())
    }
    /// True when there is no frame to read, and the legacy parameters stand in.
    #[getter]
    fn is_fallback(&self) -> bool {
        self.0.falls_back()
    }
    /// Rules and code the numbers were made by.
    #[getter]
    fn logic_version(&self) -> &str {
        &self.0.version
    }

    /// Stop price: `entry` minus (plus for a short) the stop distance in `atr`. `side` and `atr` default to the context's.
    #[pyo3(signature = (entry=None, atr=None, side=None))]
    fn get_stop_loss(&self, entry: Option<f64>, atr: Option<f64>, side: Option<&Bound<'_, PyAny>>) -> PyResult<f64> {
        let (entry, side) = (self.entry(entry)?, given_side(side, self.0.side)?);
        let atr = self.range(atr)?;
        self.0.stop(entry, atr, side).ok_or_else(|| wrong(format!("no stop: {atr} ATR from {entry} is no price")))
    }
    /// Target price: before a liquidity level near the wanted distance, else by the ratio, else three ATR.
    #[pyo3(signature = (entry=None, atr=None, side=None))]
    fn get_take_profit(&self, entry: Option<f64>, atr: Option<f64>, side: Option<&Bound<'_, PyAny>>) -> PyResult<f64> {
        let (entry, side) = (self.entry(entry)?, given_side(side, self.0.side)?);
        let atr = self.range(atr)?;
        let target = self.0.target(entry, atr, side);
        target
            .price
            .ok_or_else(|| wrong(format!("no target: {}", target.missing.map_or("out of domain", |m| m.name()))))
    }
    /// `base_size` less what volatility and posture take away; never more than `base_size`.
    fn get_position_size(&self, base_size: f64) -> PyResult<f64> {
        let p = self.0.parameters(self.0.side);
        barograph_engine::advice::position_size(base_size, &p, None)
            .ok_or_else(|| wrong(format!("base_size is {base_size}: it must be zero or above")))
    }
    /// Where a target lies and why: `price`, `target_source`, `effective_rr` beside the nominal `risk_reward_ratio`, and `text`, which
    /// says it in words.
    #[pyo3(signature = (entry=None, atr=None, side=None))]
    fn get_target<'py>(
        &self,
        py: Python<'py>,
        entry: Option<f64>,
        atr: Option<f64>,
        side: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (entry, side) = (self.entry(entry)?, given_side(side, self.0.side)?);
        wire(py, &self.target_view(entry, self.range(atr)?, side)?)
    }
    /// Distance to the target over distance to the stop, for the context's own side, price and range: what the trade really
    /// offers. Never below half of `risk_params.risk_reward_ratio`. None without a side or a range.
    #[getter]
    fn effective_rr(&self) -> Option<f64> {
        let (entry, atr, side) = (self.0.price?, self.atr()?, self.0.side?);
        self.0.target(entry, atr, side).effective_rr
    }
    /// Whether the context speaks against an entry on the caller's side, and the reason that decides. False for AVOID only;
    /// `(True, 'fallback_no_data')` where there is no frame and the legacy parameters stand in.
    fn should_trade(&self) -> PyResult<(bool, &'static str)> {
        self.0.should_trade().map_err(|e| Self::fails(&e))
    }
    /// How often this verdict comes out, as a share of hours of the built-in history; None without a side, or with a book of
    /// one's own.
    #[getter]
    fn verdict_base_rate(&self) -> Option<f64> {
        self.0.base_rate()
    }
    /// ALLOW, CAUTION or AVOID, a member of :class:`barograph.Verdict`.
    #[getter]
    fn verdict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (verdict, ..) = self.0.judgement().map_err(|e| Self::fails(&e))?;
        word(py, "Verdict", verdict.name())
    }
    /// Every reason with what it asks for, in order of the table.
    #[getter]
    fn reasons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let (_, _, all) = self.0.judgement().map_err(|e| Self::fails(&e))?;
        let out = PyList::empty(py);
        for (code, verdict) in all {
            let reason = PyDict::new(py);
            reason.set_item("code", code.name())?;
            reason.set_item("verdict", verdict.name())?;
            out.append(reason)?;
        }
        Ok(out)
    }
    /// The whole advice for a side and an entry: verdict, reasons with texts, warnings, options, stop, target, size.
    #[pyo3(signature = (entry=None, side=None))]
    fn advice<'py>(
        &self,
        py: Python<'py>,
        entry: Option<f64>,
        side: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (entry, side) = (self.entry(entry)?, given_side(side, self.0.side)?);
        let view = self.0.view(side, entry).map_err(|e| Self::fails(&e))?;
        wire(py, &view)
    }
    /// All standing price levels, with the fields they have over HTTP: lows first, each side from the nearest outwards.
    #[getter]
    fn levels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let levels = self.0.analysis.as_ref().map_or_else(Vec::new, |a| a.frame.levels_in_full(&a.symbol));
        wire(py, &levels.iter().map(level_view).collect::<Vec<_>>())
    }
    /// Regression, label on the frame's bars and on 1 h, 4 h, 1 d, 1 w, and how far these agree.
    #[getter]
    fn trend<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Some(r) = self.reading() else { return Ok(py.None().into_bound(py)) };
        let t = &r.trend;
        let timeframes = t.timeframes.map(|l| (l.word() != "UNKNOWN").then_some(l.name()));
        let line = t.line.ok();
        wire(
            py,
            &serde_json::json!({
                "label": t.label.name(),
                "slope_pct": line.map(|l| l.slope_pct),
                "r2": line.map(|l| l.r * l.r),
                "p": line.map(|l| l.p),
                "p_hac": line.map(|l| l.p_hac),
                "timeframes": {"1h": timeframes[0], "4h": timeframes[1], "1d": timeframes[2], "1w": timeframes[3]},
                "mtf_primary": t.confirmation.primary.map(|l| l.name()),
                "mtf_confidence": t.confirmation.confidence,
                "mtf_confirmed": t.confirmation.confirmed,
            }),
        )
    }
    /// Annualised volatility of 1, 4 and 24 hours, the class, range estimators, rank within 90 days.
    #[getter]
    fn volatility<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (Some(r), Some(analysis)) = (self.reading(), &self.0.analysis) else { return Ok(py.None().into_bound(py)) };
        wire(py, &volatility_view(r, &analysis.frame))
    }
    /// Stop density below and above the price and its class.
    #[getter]
    fn stops<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Some(r) = self.reading() else { return Ok(py.None().into_bound(py)) };
        wire(
            py,
            &serde_json::json!({
                "density_long": r.density.map(|d| d[0]), "density_short": r.density.map(|d| d[1]),
                "vulnerability_long": r.stops[0], "vulnerability_short": r.stops[1], "vulnerability": r.stops[2],
            }),
        )
    }
    /// What could not be judged: rules whose inputs bars do not carry, and numbers that stand in for history.
    #[getter]
    fn defaults_used(&self) -> Vec<String> {
        let Some(r) = self.reading() else { return vec!["legacy parameters: there is no context".to_owned()] };
        let mut out = Vec::new();
        if r.session.vol_ratio.is_none() {
            out.push("vol_adjustment_default".to_owned());
        }
        if r.session.volume_ratio.is_none() {
            out.push("volume_adjustment_default".to_owned());
        }
        if r.risk_is_left_out {
            out.push("no risk rule can be judged from these bars: they are more than an hour apart".to_owned());
        } else if r.risk != RiskRegime::Unknown && r.risk_left_out != 0 {
            out.push("squeeze and chop cannot be judged from bars: funding and open interest are not there".to_owned());
        }
        out
    }
    /// Plain types: strings, numbers, lists, dicts, None.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let p = self.0.parameters(self.0.side);
        let out = PyDict::new(py);
        let (verdict, why, _) = self.0.judgement().map_err(|e| Self::fails(&e))?;
        out.set_item("symbol", &self.0.symbol)?;
        out.set_item("timestamp", self.0.now().map(|t| t.to_string()))?;
        out.set_item("session", self.reading().map(|r| r.session.name.name()))?;
        out.set_item("market_regime", p.market_regime.name())?;
        let regimes = PyDict::new(py);
        for axis in ["risk", "trend", "volatility"] {
            regimes.set_item(axis, self.regime(axis))?;
        }
        out.set_item("regimes", regimes)?;
        out.set_item("confidence", p.confidence)?;
        out.set_item("confidence_kind", p.confidence_kind)?;
        out.set_item("stop_loss_atr_mult", p.stop_loss_atr_mult)?;
        out.set_item("risk_reward_ratio", p.risk_reward_ratio)?;
        out.set_item("size_factor", p.size_factor)?;
        out.set_item("posture_factor", p.posture_factor)?;
        out.set_item("fallback", p.any_fallback())?;
        out.set_item("side", self.side())?;
        out.set_item("current_price", self.0.price)?;
        out.set_item("atr", self.atr())?;
        let target = self.0.price.zip(self.atr()).zip(self.0.side);
        let target = target.map(|((entry, atr), side)| wire(py, &self.target_view(entry, atr, side)?)).transpose()?;
        out.set_item("effective_rr", self.effective_rr())?;
        out.set_item("target", target)?;
        out.set_item("verdict", verdict.name())?;
        out.set_item("verdict_base_rate", self.verdict_base_rate())?;
        out.set_item("decided_by", why.name())?;
        out.set_item("reasons", self.reasons(py)?)?;
        out.set_item("levels", self.levels(py)?)?;
        out.set_item("trend", self.trend(py)?)?;
        out.set_item("volatility", self.volatility(py)?)?;
        out.set_item("stops", self.stops(py)?)?;
        out.set_item("defaults_used", self.defaults_used())?;
        out.set_item("logic_version", &*self.0.version)?;
        Ok(out)
    }
    fn __repr__(&self) -> String {
        let text = |v: Verdict| v.name();
        let verdict = self.0.judgement().map_or("?", |j| text(j.0));
        match self.reading() {
            None => "MarketContext(fallback)".to_owned(),
            Some(r) => format!(
                "MarketContext({} {}, {}, {}, {verdict})",
                self.0.symbol,
                r.now,
                r.session.name.name(),
                r.trend.label.name()
            ),
        }
    }
}

impl MarketContext {
    fn target_view(&self, entry: f64, atr: f64, side: Side) -> PyResult<serde_json::Value> {
        let (t, p) = (self.0.target(entry, atr, side), self.0.parameters(Some(side)));
        let text = self.0.target_text(entry, atr, side).map_err(|e| Self::fails(&e))?;
        Ok(serde_json::json!({
            "price": t.price,
            "target_source": t.source,
            "effective_rr": t.effective_rr,
            "risk_reward_ratio": p.risk_reward_ratio,
            "text": text,
            "capped": t.capped,
            "missing": t.missing,
        }))
    }
    fn range(&self, atr: Option<f64>) -> PyResult<f64> {
        match atr.or_else(|| self.atr()) {
            Some(atr) => positive("atr", atr),
            None => {
                Err(wrong("atr_undefined: a stop cannot be invented; give atr, or a frame of at least fifteen bars"))
            }
        }
    }
}

/// A level with the fields it has over HTTP.
fn level_view((level, members, last): &(Level, u32, LevelEvent)) -> serde_json::Value {
    serde_json::json!({
        "level_id": level.level_id,
        "revision": level.revision,
        "type": level.kind,
        "timeframe": level.timeframe.compact(),
        "side": level.side.map(|s| side_word(s).to_uppercase()),
        "price": level.price,
        "top": level.top,
        "bottom": level.bottom,
        "formed_at": level.formed_at,
        "confirmed_at": level.confirmed_at,
        "known_at": level.known_at,
        "touched_at": level.touched_at,
        "mitigated_at": level.mitigated_at,
        "swept_at": level.swept_at,
        "touches": level.touches,
        "members": members,
        "volume": level.volume,
        "strength": level.strength,
        "kind": level.source,
        "last_event": last,
    })
}

const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Long => "long",
        Side::Short => "short",
    }
}

const MISSING: State = State::Undefined(Reason::MissingInput);

/// Volatility of a reading in plain values; what is not there is null with the reason beside it.
pub(super) fn volatility_view(
    r: &FrameReading,
    frame: &barograph_engine::context::Frame,
) -> serde_json::Map<String, serde_json::Value> {
    use super::functions::{put, put_or, put_read};
    let mut out = serde_json::Map::new();
    for (id, read) in ["realized_vol_1h", "realized_vol_4h", "realized_vol_24h"].into_iter().zip(r.volatility.realized)
    {
        put_read(&mut out, id, read);
    }
    put_read(&mut out, "vol_daily", r.volatility.daily);
    put_read(&mut out, "vol_annual", r.volatility.daily.map(|d| d * YEAR_DAYS.sqrt()));
    put(&mut out, "vol_class", r.volatility.label.name());
    let undefined = r.volatility.daily.err().unwrap_or(MISSING);
    put_or(&mut out, "risk_multiplier", r.volatility.label.risk_multiplier(), undefined);
    put_or(&mut out, "size_factor", r.volatility.label.size_factor(), undefined);
    let rank = frame.volatility_rank();
    put_read(&mut out, "vol_pct_rank", rank);
    let class = rank.map(|x| match x {
        x if x < 0.25 => "LOW",
        x if x < 0.75 => "NORMAL",
        x if x < 0.95 => "HIGH",
        _ => "EXTREME",
    });
    put_read(&mut out, "vol_class_pct", class);
    let ranges = frame.range_volatility();
    put_read(&mut out, "vol_parkinson", ranges.map(|v| v.parkinson));
    put_read(
        &mut out,
        "vol_garman_klass",
        ranges.and_then(|v| v.garman_klass.map_err(barograph_domain::State::Undefined)),
    );
    put_read(&mut out, "vol_rogers_satchell", ranges.map(|v| v.rogers_satchell));
    put_read(&mut out, "vol_yang_zhang", ranges.map(|v| v.yang_zhang));
    if let Some(chart) = frame.chart() {
        put_read(&mut out, "vol_pct", chart.vol_pct());
        put_read(&mut out, "volume_ratio", chart.volume_ratio());
    }
    out
}
