//! What the snapshots of the test world say. Everything follows from the minute's number, so tests can compute what they
//! expect.

use super::world::{MINUTES, minute};
use barograph_api::{FeatureRowView, MetricPoint};
use barograph_domain::model::ModelView;
use barograph_domain::similar::{EpisodeView, MovesView, SimilarView, SpreadView};
use barograph_domain::snapshot::{
    AxisView, CallView, CallsView, Changed, ChangedFeature, ClauseTrace, ConfirmationView, Explanation, FeatureView,
    Flip, Guidance, InputView, Regimes, RuleTrace, SessionView, StopVulnerabilityView, TimeframeLabels, WireValue,
};
use barograph_domain::{
    Axis, HeatRegime, HeldBy, InstrumentName, Kind, Label, Metric, ModelState, Posture, RiskBias, RiskRegime, Snapshot,
    Span, StopVulnerability, TradingSession, TrendRegime, Ts, VolRegime,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) fn feature_row(s: &Snapshot) -> FeatureRowView {
    let mut row = FeatureRowView {
        ts: s.timestamp,
        values: BTreeMap::new(),
        computation_version: s.logic_version.clone(),
        source_metrics: vec!["mark_price"],
        readings: BTreeMap::new(),
        partial: BTreeSet::new(),
    };
    for (id, view) in &s.explanation.features {
        row.values.insert(*id, view.value.clone());
        if let Some(reason) = view.reason {
            row.readings.insert(*id, reason);
        }
    }
    row.values.insert("squeeze_direction", WireValue::Word("LONG_SQUEEZE"));
    row.values.insert("funding_extreme_flag", WireValue::Bool(true));
    row
}

/// The present-moment view of regimes §9, as far as the API can show the difference.
pub(crate) fn overlay(published: &Snapshot, now: Ts) -> Arc<Snapshot> {
    let mut s = published.clone();
    let age = now - s.timestamp;
    s.age_s = Some(age.as_secs());
    s.regimes.risk.age_s = (now - s.regimes.risk.since).as_secs();
    for input in &mut s.explanation.inputs {
        input.age_s = input.age_s.map(|_| age.as_secs());
        input.stale = age > Span::mins(5);
    }
    if age > Span::mins(5) {
        s.regimes.risk.stale = true;
        s.guidance.risk_bias = RiskBias::Conservative;
        s.guidance.posture = s.guidance.posture.min(Posture::Hold);
        s.explanation.freshness_warning = Some(format!("Data stale ({} minutes old)", age.as_secs() / 60));
        s.explanation.stale_metrics = vec!["funding_rate", "open_interest"];
    }
    Arc::new(s)
}

fn reading(value: Option<f64>, reason: &'static str, unit: &'static str) -> FeatureView {
    FeatureView {
        value: value.map_or(WireValue::Null, WireValue::Number),
        unit,
        state: if value.is_some() { "ready" } else { "undefined" },
        reason: if value.is_some() { None } else { Some(reason) },
        age_s: value.map(|_| 0),
        sources: vec!["binance-usdm".to_owned()],
        kind: Kind::Measured,
        coverage: if value.is_some() { 1.0 } else { 0.0 },
        partial: false,
        have: (reason == "warming" && value.is_none()).then_some(12),
        need: (reason == "warming" && value.is_none()).then_some(48),
    }
}

fn clause(feature: &'static str, value: Option<f64>, threshold: f64) -> ClauseTrace {
    let result = match value {
        None => "unknown",
        Some(v) if v > threshold => "true",
        Some(_) => "false",
    };
    ClauseTrace {
        feature,
        abs: false,
        value: value.map_or(WireValue::Null, WireValue::Number),
        op: ">",
        threshold: serde_json::json!(threshold),
        exit: Some(threshold * 0.9),
        result,
        margin: value.map(|v| v - threshold),
        group: None,
        by_default: false,
    }
}

/// Minute `n` of a market: the label changes every hour, readings are missing in every fifth.
pub(crate) fn snapshot(id: &InstrumentName, book: &str, n: i64) -> Snapshot {
    use RiskRegime::{ChopRisk, HighVol, Normal, SqueezeRisk, Unknown};
    let hour = n.div_euclid(60);
    let label = [Normal, ChopRisk, SqueezeRisk, HighVol, Unknown][usize::try_from(hour.rem_euclid(5)).unwrap()];
    let (risk_bias, posture) = match label {
        SqueezeRisk | HighVol => (RiskBias::Conservative, Posture::Reduce),
        ChopRisk | Unknown => (RiskBias::Conservative, Posture::Hold),
        Normal => (RiskBias::Neutral, Posture::Normal),
    };
    #[expect(clippy::cast_precision_loss, reason = "minutes of a day")]
    let x = n as f64 / 1000.0;
    let z = (label != Unknown).then_some(2.0 + x);
    let worst = (hour % 2 == 0).then_some(StopVulnerability::High);
    let ts = minute(n);
    let version = if book == "default" { "v0.1.0+0123456789ab" } else { "v0.1.0+ba9876543210" };
    Snapshot {
        snapshot_id: format!("{:08x}-0000-5000-8000-{n:012x}", fnv(&format!("{book} {id}"))),
        timestamp: ts,
        known_ts: ts + Span::millis(200),
        instrument: id.clone(),
        symbol: id.symbol.clone(),
        logic_version: version.to_owned(),
        book: book.to_owned(),
        sources_used: vec!["binance-usdm".to_owned(), "hyperliquid-archive".to_owned()],
        price: Some(63_120.5 + x),
        headline: "Nothing unusual: uptrend, +0.4 % in 24 h.".to_owned(),
        headline_parts: Vec::new(),
        regimes: Regimes {
            risk: axis(label, ts, hour),
            trend: axis(TrendRegime::Uptrend, ts, hour),
            volatility: axis(VolRegime::HighVol, ts, hour),
            heat: axis(HeatRegime::Neutral, ts, hour),
        },
        session: session(),
        models: (hour % 2 == 0).then(|| vec![hidden_states(ts)]),
        guidance: Guidance {
            risk_bias,
            risk_bias_action: "standard size",
            posture,
            posture_action: "follow your own rules",
            new_entries: "follow own rules".to_owned(),
            entries_alone: "follow own rules".to_owned(),
            open_positions: "no action needed".to_owned(),
            upgrade_blocked_by: vec!["trend"],
        },
        stop_vulnerability: StopVulnerabilityView {
            long: worst,
            short: worst.map(|_| StopVulnerability::Low),
            worst,
            coverage: 0.5,
            label: "estimated",
        },
        probability: None,
        calibration: "uncalibrated",
        horizon: None,
        event_id: None,
        calls: Some(calls(ts)),
        explanation: explanation(version, label, z, x),
        not_available: vec!["regimes.trend", "regimes.volatility", "regimes.heat"],
        age_s: None,
        recorded_until: None,
        health: None,
    }
}

/// What a statistical model says beside the rules.
fn hidden_states(ts: Ts) -> ModelView {
    ModelView {
        classifier: "hmm",
        role: "shadow",
        state: Some(ModelState::Mid),
        probability: Some(0.75),
        probabilities: [("LOW", 0.125), ("MID", 0.75), ("HIGH", 0.125)].into(),
        since: Some(ts - Span::hours(4)),
        age_s: Some(14_400),
        expected_remaining_s: Some(30_000),
        recent_change: None,
        parameters: Some("0123456789ab".to_owned()),
        fitted_until: Some(ts - Span::hours(30)),
        calibration: "uncalibrated",
        hours: 2_000,
        hours_needed: 720,
        reason: None,
    }
}

fn session() -> SessionView {
    SessionView {
        name: TradingSession::London,
        elapsed_frac: Some(0.4),
        base_multiplier: Some(1.5),
        adaptive_multiplier: Some(1.6),
        vol_ratio: Some(1.2),
        bad_period: Vec::new(),
        defaults_used: Vec::new(),
    }
}

fn axis<L: Label>(label: L, ts: Ts, hour: i64) -> AxisView<L> {
    let since = minute(hour * 60);
    AxisView {
        label,
        raw_label: label,
        held_by: HeldBy::None,
        since,
        age_s: (ts - since).as_secs(),
        margin: Some(0.5),
        stale: false,
        axis_coverage: 1.0,
        held_share_90d: Some(0.1),
        nearest_flip: None,
        nearest_exit: None,
        confirmation: ConfirmationView {
            timeframes: TimeframeLabels { h1: Some(label), h4: Some(label), d1: None, w1: None },
            primary: None,
            confidence: None,
            confirmed: false,
        },
        confidence: Some(0.5),
        confidence_kind: "heuristic",
        direction: (label.word() == RiskRegime::SqueezeRisk.name()).then_some("LONG_SQUEEZE"),
        probability: None,
        calibration: "uncalibrated",
        event_id: None,
    }
}

/// The hours most like the newest minute.
pub(crate) fn similar(id: &InstrumentName) -> SimilarView {
    let spread = SpreadView { n: 50, p10: Some(-0.02), p50: Some(0.0), p90: Some(0.02) };
    let episode = EpisodeView {
        ts: minute(0),
        distance: 0.25,
        raw_label: RiskRegime::Normal,
        price: Some(100.0),
        move_4h: Some(0.01),
        move_24h: None,
        realized_vol_1h_after: Some(0.5),
        raw_label_4h_after: Some(RiskRegime::HighVol),
    };
    SimilarView {
        instrument: id.to_string(),
        logic_version: "v0.1.0+0123456789ab".to_owned(),
        ts: minute(MINUTES - 1),
        raw_label: RiskRegime::Normal,
        hours: 4_000,
        span: Some([minute(0), minute(1)]),
        sentence: "After the 50 most similar of 4000 hours ...".to_owned(),
        moments: 50,
        moves: vec![MovesView { horizon: "4h", similar: spread, all: spread }],
        episodes: vec![episode],
    }
}

/// What the ledger states, and one thing that it does not.
fn calls(ts: Ts) -> CallsView {
    let known = CallView {
        event_id: "hv_1h",
        horizon: "1h",
        forecaster: "rules",
        probability: Some(0.25),
        interval: Some([0.2, 0.3]),
        classes: None,
        calibration: "calibrated",
        calibration_scope: Some("market"),
        abstain_reason: None,
        cases: 400,
        windows: 90,
        usual: Some(0.2),
        after_state: Some(0.3),
    };
    let unknown = CallView {
        event_id: "chop_4h",
        horizon: "4h",
        probability: None,
        interval: None,
        calibration: "uncalibrated",
        calibration_scope: None,
        abstain_reason: Some("few_forecasts"),
        cases: 0,
        windows: 0,
        usual: None,
        after_state: None,
        ..known.clone()
    };
    CallsView {
        ts: ts - Span::mins(2),
        sentence: "After 400 moments like this one …".to_owned(),
        events: vec![known, unknown],
    }
}

/// FNV-1a, 32 bits: another id for every market and book.
fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn explanation(version: &str, label: RiskRegime, z: Option<f64>, x: f64) -> Explanation {
    let input = |metric: Metric, age_s: Option<i64>| InputView {
        metric: metric.name(),
        served_by: age_s.map(|_| metric.name()),
        source: age_s.map(|_| "binance-usdm".to_owned()),
        kind: age_s.map(|_| Kind::Measured),
        age_s,
        max_age_s: age_s.map(|_| 300),
        cadence_s: age_s.map(|_| 60),
        stale: false,
        gap: None,
    };
    Explanation {
        reasoning: format!("Funding is {} σ above its day.", 2.0 + x),
        rule_text: match label {
            RiskRegime::SqueezeRisk => "High funding + rising OI + low vol = squeeze risk",
            RiskRegime::HighVol => "Extreme volatility = higher risk of stop-outs and slippage",
            RiskRegime::ChopRisk => "High vol + flat OI = noise, not trend",
            RiskRegime::Normal | RiskRegime::Unknown => "No extremes detected, standard market conditions",
        }
        .to_owned(),
        features: BTreeMap::from([
            ("funding_zscore_24h", reading(z, "missing_input", "σ")),
            ("oi_delta_4h", reading(Some(0.1 + x), "gap", "fraction")),
            ("realized_vol_1h", reading(z.map(|_| 0.25), "warming", "fraction per year")),
        ]),
        logic_version: version.to_owned(),
        input_digest: "ab".repeat(32),
        trace: vec![RuleTrace {
            id: "SQUEEZE_RISK".to_owned(),
            axis: Axis::Risk,
            label: "SQUEEZE_RISK",
            result: if z.is_some() { "false" } else { "unknown" },
            margin: z.map(|_| -0.5),
            held_share_90d: Some(0.004),
            judged_days: 42.5,
            clauses: vec![
                clause("funding_zscore_24h", z, 2.0),
                clause("oi_delta_4h", Some(0.1 + x), 0.1),
                clause("realized_vol_1h", z.map(|_| 0.25), 0.3),
            ],
        }],
        fired: Vec::new(),
        also_matched: Vec::new(),
        held_by: HeldBy::None,
        nearest_flip: Some(Flip {
            feature: "realized_vol_1h",
            value: 0.25,
            needed: 0.800_000_000_1,
            direction: "above",
            threshold: 0.8,
            delta: 0.55,
            distance: 5.5,
            label: RiskRegime::HighVol,
            readings: 1,
            cadence_s: 60,
            dwell_left_s: 0,
            percentile: None,
            exact: true,
        }),
        nearest_exit: None,
        changed_since_last: Some(Changed {
            label_from: None,
            features: vec![ChangedFeature { feature: "oi_delta_4h", from: Some(0.1), to: None, distance: None }],
        }),
        similar_episodes: None,
        freshness_warning: None,
        stale_metrics: Vec::new(),
        inputs: vec![input(Metric::FundingRate, z.map(|_| 3)), input(Metric::OpenInterest, Some(41))],
        partial: vec![],
        defaults_used: Vec::new(),
        modelled_inputs: vec!["open_interest from hyperliquid-archive".to_owned()],
        not_applicable: Vec::new(),
    }
}

/// Points as known at a moment: funding each minute, every tenth revised an hour later; open interest from two sources
/// at equal stamps.
pub(crate) fn points(id: &InstrumentName, metric: Metric, as_of: Option<Ts>) -> Vec<MetricPoint> {
    let known = |t: Ts| as_of.is_none_or(|a| t <= a);
    let mut out = Vec::new();
    for n in 0..MINUTES {
        let ts = minute(n);
        let point = |value: f64, source: &str, known_ts: Ts| MetricPoint {
            timestamp: ts,
            symbol: id.symbol.clone(),
            metric_name: metric.name().into(),
            value: Some(value),
            source: source.to_owned(),
            tags: BTreeMap::from([("contract".to_owned(), "perpetual".to_owned())]),
            known_ts,
            known: None,
        };
        #[expect(clippy::cast_precision_loss, reason = "minutes of a day")]
        let x = n as f64;
        let soon = ts + Span::secs(5);
        match metric {
            Metric::FundingRate => {
                let revised = ts + Span::hours(1);
                if n % 10 == 0 && known(revised) {
                    out.push(point(x / 1e6 + 1.0, "binance-usdm", revised));
                } else if known(soon) {
                    out.push(point(x / 1e6, "binance-usdm", soon));
                }
            }
            Metric::OpenInterest if n % 5 == 0 && known(soon) => {
                out.push(point(1000.0 + x, "binance-usdm", soon));
                out.push(point(2000.0 + x, "hyperliquid-archive", soon));
            }
            _ => {}
        }
    }
    out
}
