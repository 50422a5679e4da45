//! Compatibility with the fourth original: its six events in its envelope (payloads §5, R4.28–R4.29).

use super::markets::pair_of;
use crate::events::{Data, DatumView, EventView, HourOfLiquidations};
use crate::problem::{Problem, ProblemKind};
use barograph_domain::alert::AlertChange;
use barograph_domain::pattern::Seed4;
use barograph_domain::thresholds::CORRELATION_BREAK;
use barograph_domain::time::YEAR_DAYS;
use barograph_domain::{InstrumentName, Pattern};
use serde::Serialize;
use utoipa::ToSchema;

/// The changes that the fourth original sends: it has no word for an end.
pub const SEED4_CHANGES: [AlertChange; 3] = [AlertChange::Opened, AlertChange::Updated, AlertChange::Happened];

/// The envelope of the fourth original, exactly (payloads §5, R4.29).
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct AliasEvent {
    /// One of the original's six.
    pub event_type: Pattern,
    /// With milliseconds.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// `BASE/QUOTE`; left out where two markets are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Both pairs, only where two markets are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_pair: Option<String>,
    /// WARNING for MEDIUM and below, CRITICAL for HIGH and above.
    #[schema(example = "WARNING")]
    pub severity: &'static str,
    /// A heading.
    pub title: String,
    /// The explanation.
    pub description: String,
    /// Part that speaks.
    pub source: &'static str,
    /// The facts of its type; null with `<name>_reason` where undefined.
    #[schema(value_type = BTreeMap<String, DatumView>)]
    pub data: Data,
}

impl EventView {
    /// As the fourth original sent it; none for what it did not know.
    #[must_use]
    pub fn seed4(&self) -> Option<AliasEvent> {
        let known = self.pattern_type.seed4().filter(|_| SEED4_CHANGES.contains(&self.change))?;
        if self.pattern_type == Pattern::CorrelationBreak && !self.is_break() {
            return None;
        }
        let mut data = Data::new();
        for own in known.facts {
            let name = Seed4::name_of(own);
            let value = self.data.get(*own).cloned().unwrap_or(DatumView::Null);
            let value = match value {
                // The fourth original's volatility is that of a day (payloads §4), ours that of a year.
                DatumView::Number(annual) if name == "volatility" => DatumView::Number(annual / YEAR_DAYS.sqrt()),
                other => other,
            };
            if value == DatumView::Null {
                let reason = self.data.get(&format!("{own}_reason")).cloned();
                let none = DatumView::Word("not_available".to_owned());
                data.insert(format!("{name}_reason"), reason.unwrap_or(none));
            }
            data.insert(name.to_owned(), value);
        }
        Some(AliasEvent {
            event_type: self.event_type,
            timestamp: self.timestamp.iso_millis(),
            symbol: self.asset_pair.is_none().then(|| self.symbol.clone()),
            asset_pair: self.asset_pair.clone(),
            severity: self.severity.seed4(),
            title: self.title.clone(),
            description: match self.moment {
                // The original has no field of its own for what would end it.
                Some(_) => format!("{} {}", self.description, self.clears),
                None => self.description.clone(),
            },
            source: self.source,
            data,
        })
    }

    /// Have the two markets parted as the original means it: a correlation below its threshold (R4.24)? Below the pair's own
    /// band is less, and the original has no word for it.
    fn is_break(&self) -> bool {
        let threshold = self
            .evidence
            .statistics
            .iter()
            .find(|s| s.name == "pair_corr_20")
            .map_or(CORRELATION_BREAK, |s| s.threshold);
        matches!(self.data.get("return_correlation"), Some(DatumView::Number(r)) if *r < threshold)
    }
}

/// Which of these patterns it knows; of none asked for, all that it knows.
pub(crate) fn known(asked: &[Pattern]) -> Result<Vec<Pattern>, Problem> {
    let known: Vec<Pattern> = Pattern::SEED4.into_iter().filter(|p| asked.is_empty() || asked.contains(p)).collect();
    if known.is_empty() {
        let words = Pattern::SEED4.map(Pattern::name).join(", ");
        let none = "pattern: the fourth original has no such event".to_owned();
        return Err(Problem::new(ProblemKind::BadRequest, none).hint(format!("with format=seed4 there are {words}")));
    }
    Ok(known)
}

/// Two pairs as the fourth original writes them.
#[must_use]
pub fn asset_pair(one: &InstrumentName, other: &InstrumentName) -> String {
    format!("{}/{}", pair_of(one), pair_of(other))
}

/// `GET /api/cascades`.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct AliasCascades {
    /// As asked.
    pub hours: u32,
    /// Number of events.
    pub count: usize,
    /// Cascades, newest first; each episode once: a burst with the figures of its whole, as far as it is known.
    pub events: Vec<AliasEvent>,
    /// Liquidations by hour, the earliest first: as many whole hours as were asked for, the newest of them the last one that
    /// was over.
    pub series: Vec<HourOfLiquidations>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{BaseRateView, EvidenceView, EvidenceWindow};
    use barograph_domain::alert::AlertState;
    use barograph_domain::{Severity, Ts};

    fn event(pattern: Pattern, data: &[(&str, DatumView)]) -> EventView {
        let window = EvidenceWindow { from: Ts(0), to: Ts(0) };
        let base_rate = BaseRateView {
            per_day_30d: None,
            fired_30d: 0,
            fired_90d: 0,
            known_days: 0.0,
            known_days_30d: 0.0,
            held_share_90d: None,
        };
        EventView {
            alert_id: String::new(),
            revision: 1,
            event_type: pattern,
            pattern_type: pattern,
            trigger: None,
            source: pattern.source(),
            experimental: pattern.is_experimental(),
            change: AlertChange::Opened,
            state: AlertState::Open,
            timestamp: Ts(1_500_000_000),
            known_at: Ts(0),
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
            symbol: "BTC/USDT".to_owned(),
            asset_pair: None,
            severity: Severity::Medium,
            risk_level: "MEDIUM",
            anomaly_score: 63.2,
            title: "t".to_owned(),
            moment: None,
            description: "d".to_owned(),
            explanation: "d".to_owned(),
            new_entries: String::new(),
            open_positions: String::new(),
            clears: String::new(),
            rule: None,
            opened_at: Ts(0),
            last_seen_at: Ts(0),
            closed_at: None,
            inhibited_by: None,
            data: data.iter().map(|(n, d)| ((*n).to_owned(), d.clone())).collect(),
            evidence: EvidenceView {
                window,
                statistics: Vec::new(),
                base_rate,
                limits: Vec::new(),
                similar: None,
                similar_reason: EvidenceView::ASK_BY_ID,
                outcome: None,
            },
            logic_version: String::new(),
        }
    }

    fn apart(correlation: f64) -> [(&'static str, DatumView); 1] {
        [("return_correlation", DatumView::Number(correlation))]
    }

    #[test]
    fn the_envelope_of_the_fourth_original_is_exact() {
        let cascade = event(
            Pattern::LiquidationCascade,
            &[
                ("total_liquidated_usd", DatumView::Number(1.5)),
                ("velocity_usd_per_hour", DatumView::Null),
                ("velocity_usd_per_hour_reason", DatumView::Word("warming".to_owned())),
                ("side_bias", DatumView::Word("LONG".to_owned())),
                ("severity_ratio", DatumView::Number(1.875)),
                ("trigger", DatumView::Word("burst".to_owned())),
                ("another", DatumView::Number(1.0)),
            ],
        );
        let want = serde_json::json!({
            "event_type": "LIQUIDATION_CASCADE", "timestamp": "1970-01-01T00:00:01.500Z", "symbol": "BTC/USDT",
            "severity": "WARNING", "title": "t", "description": "d", "source": "CASCADE",
            "data": {
                "total_liquidated_usd": 1.5, "velocity_usd_per_hour": null, "velocity_usd_per_hour_reason": "warming",
                "side_bias": "LONG", "severity": 1.875, "trigger": "burst",
            },
        });
        assert_eq!(serde_json::to_value(cascade.seed4()).unwrap(), want);
        let pair = EventView {
            asset_pair: Some("BTC/USDT/ETH/USDT".to_owned()),
            ..event(Pattern::CorrelationBreak, &apart(-0.6))
        };
        let band = EventView { data: event(Pattern::CorrelationBreak, &apart(-0.4)).data, ..pair.clone() };
        assert_eq!(band.seed4(), None, "below its own band only");
        let pair = serde_json::to_value(pair.seed4()).unwrap();
        assert_eq!((pair.get("symbol"), &pair["asset_pair"]), (None, &"BTC/USDT/ETH/USDT".into()));
        assert_eq!(pair["data"]["signal_reason"], "not_available");
        let class = event(Pattern::VolatilityRegimeChange, &[("volatility", DatumView::Number(0.5 * 365_f64.sqrt()))]);
        let class = serde_json::to_value(class.seed4()).unwrap();
        assert_eq!(class["data"]["volatility"], 0.5, "of a day, as in /api/features");
        assert_eq!(EventView { change: AlertChange::Closed, ..cascade }.seed4(), None, "it has no word for an end");
        for pattern in Pattern::ALL {
            let known = Pattern::SEED4.contains(pattern);
            assert_eq!(event(*pattern, &apart(-0.6)).seed4().is_some(), known);
        }
    }
}
