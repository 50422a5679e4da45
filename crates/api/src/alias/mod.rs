//! Compatibility with the originals: their paths, and their payloads as pure mappings from the canonical ones.
//!
//! Here, the payloads of the first: a mapping from the canonical snapshot (payloads §2, R1.35–R1.36, R1.50–R1.53, C13).
//!
//! No field is added to what the original interfaces had, except where payloads §2 says so: `<id>_reason` beside a null
//! number, `freshness_warning` when stale or unknown, `defaults_used` when any; and payloads §4, where the routes of all markets say
//! the age of each: `age_s`, `stale`, `freshness_warning`. What the original has no word for is
//! printed as its nearest word and said aloud: UNKNOWN as NORMAL with a warning and a default, an undefined stop vulnerability
//! as MEDIUM with a default. Sources wear the original's words; posture and bias are those of the canonical guidance.

pub(crate) mod cascades;
pub mod events;
pub(crate) mod market_routes;
pub mod markets;
pub(crate) mod routes;

use barograph_domain::snapshot::WireValue;
use barograph_domain::{Axis, RiskRegime, Snapshot, StopVulnerability, Ts, Venue};
use serde::Serialize;
use utoipa::ToSchema;

/// `GET /api/market-context/snapshot/`.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct AliasSnapshot {
    /// Name-based UUID.
    pub snapshot_id: String,
    /// The grid instant.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Ts,
    /// The venue's symbol, bare.
    #[schema(example = "BTCUSDT")]
    pub symbol: String,
    /// NORMAL, `CHOP_RISK`, `SQUEEZE_RISK` or `HIGH_VOL`; an unknown regime prints NORMAL with a `freshness_warning`, and is listed in
    /// `defaults_used`.
    #[schema(example = "NORMAL")]
    pub market_regime: &'static str,
    /// CONSERVATIVE, NEUTRAL or AGGRESSIVE.
    #[schema(example = "NEUTRAL")]
    pub risk_bias: &'static str,
    /// LOW, MEDIUM or HIGH; undefined prints MEDIUM and is listed in `defaults_used`.
    #[schema(example = "MEDIUM")]
    pub stop_vulnerability: &'static str,
    /// REDUCE, HOLD, NORMAL or AGGRESSIVE.
    #[schema(example = "NORMAL")]
    pub recommended_posture: &'static str,
    /// Why it is so, in words.
    pub explanation_payload: AliasExplanation,
    /// Source words.
    pub sources_used: Vec<String>,
}

/// The part of the original payload that explains it (R1.36).
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct AliasExplanation {
    /// Funding against its day, σ.
    pub funding_zscore_24h: Option<f64>,
    /// Why it is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funding_zscore_24h_reason: Option<&'static str>,
    /// Open interest growth in four hours, fraction.
    pub oi_delta_4h: Option<f64>,
    /// Why it is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oi_delta_4h_reason: Option<&'static str>,
    /// One-hour volatility, annualised fraction.
    pub realized_vol_1h: Option<f64>,
    /// Why it is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realized_vol_1h_reason: Option<&'static str>,
    /// Release and hash of everything that touches the numbers.
    pub logic_version: String,
    /// The rule's own text (R1.46).
    pub reasoning: String,
    /// "Data stale (6 minutes old)", or what is missing; only when stale or unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness_warning: Option<String>,
    /// What stands in for something undefined; only when there is any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub defaults_used: Vec<String>,
}

/// One element of `GET /api/market-context/metrics/`.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct AliasPoint {
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Ts,
    /// The value.
    pub value: Option<f64>,
    /// Source word.
    #[schema(example = "binance_futures")]
    pub source: String,
}

impl From<&Snapshot> for AliasSnapshot {
    fn from(s: &Snapshot) -> Self {
        Self {
            snapshot_id: s.snapshot_id.clone(),
            timestamp: s.timestamp,
            symbol: s.symbol.clone(),
            market_regime: regime_word(s.regimes.risk.label),
            risk_bias: s.guidance.risk_bias.name(),
            stop_vulnerability: s.stop_vulnerability.worst.unwrap_or(StopVulnerability::Medium).name(),
            recommended_posture: s.guidance.posture.name(),
            explanation_payload: AliasExplanation::from(s),
            sources_used: source_words(&s.sources_used),
        }
    }
}

impl From<&Snapshot> for AliasExplanation {
    fn from(s: &Snapshot) -> Self {
        let (funding_zscore_24h, funding_zscore_24h_reason) = number(s, "funding_zscore_24h");
        let (oi_delta_4h, oi_delta_4h_reason) = number(s, "oi_delta_4h");
        let (realized_vol_1h, realized_vol_1h_reason) = number(s, "realized_vol_1h");
        let mut defaults_used = s.explanation.defaults_used.clone();
        if s.regimes.risk.label == RiskRegime::Unknown {
            defaults_used.push("market_regime is UNKNOWN: NORMAL stands in".to_owned());
        }
        if s.stop_vulnerability.worst.is_none() {
            defaults_used.push("stop_vulnerability is undefined: MEDIUM stands in".to_owned());
        }
        Self {
            funding_zscore_24h,
            funding_zscore_24h_reason,
            oi_delta_4h,
            oi_delta_4h_reason,
            realized_vol_1h,
            realized_vol_1h_reason,
            logic_version: s.logic_version.clone(),
            reasoning: s.explanation.rule_text.clone(),
            freshness_warning: freshness_warning(s),
            defaults_used,
        }
    }
}

/// The word the original interfaces print for a source (payloads §1); names of other providers stay as they are.
#[must_use]
pub fn source_word(source: &str) -> String {
    Venue::new(source).map_or_else(|_not_a_venue| source.to_owned(), |venue| venue.source_word().to_owned())
}

fn source_words(sources: &[String]) -> Vec<String> {
    let mut words: Vec<String> = Vec::with_capacity(sources.len());
    for word in sources.iter().map(|s| source_word(s)) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

const fn regime_word(label: RiskRegime) -> &'static str {
    match label {
        RiskRegime::Unknown => RiskRegime::Normal.name(),
        RiskRegime::Normal | RiskRegime::ChopRisk | RiskRegime::SqueezeRisk | RiskRegime::HighVol => label.name(),
    }
}

/// The reading of a feature as the original prints it: the number, or null and why.
fn number(s: &Snapshot, id: &str) -> (Option<f64>, Option<&'static str>) {
    match s.explanation.features.get(id) {
        Some(view) => match view.value {
            WireValue::Number(value) => (Some(value), None),
            WireValue::Bool(_) | WireValue::Word(_) | WireValue::Null => {
                (None, Some(view.reason.unwrap_or("undefined")))
            }
        },
        None => (None, Some("not_offered")),
    }
}

/// The stale text (R1.53), and for a label that could not be judged what it waits for.
fn freshness_warning(s: &Snapshot) -> Option<String> {
    let stale = s.explanation.freshness_warning.clone();
    if s.regimes.risk.label != RiskRegime::Unknown {
        return stale;
    }
    let missing = missing_inputs(s);
    Some(match (stale, missing.is_empty()) {
        (Some(stale), true) => stale,
        (Some(stale), false) => format!("{stale}; no reading without {}", missing.join(", ")),
        (None, true) => "No reading yet".to_owned(),
        (None, false) => format!("No reading: missing {}", missing.join(", ")),
    })
}

/// What the undecided rules of the risk axis wait for, in rule order, each with its reason; then inputs that were never seen.
fn missing_inputs(s: &Snapshot) -> Vec<String> {
    let undecided = s.explanation.trace.iter().filter(|rule| rule.axis == Axis::Risk && rule.result == "unknown");
    let clauses = undecided.flat_map(|rule| &rule.clauses).filter(|clause| clause.result == "unknown");
    let mut missing: Vec<String> = Vec::new();
    for clause in clauses {
        let reason = s.explanation.features.get(clause.feature).and_then(|view| view.reason);
        let text = reason.map_or_else(|| clause.feature.to_owned(), |why| format!("{} ({why})", clause.feature));
        if !missing.contains(&text) {
            missing.push(text);
        }
    }
    let unseen = s.explanation.inputs.iter().filter(|input| input.age_s.is_none());
    missing.extend(unseen.map(|input| format!("{} (never seen)", input.metric)));
    missing
}
