//! Events: records of alerts as they go over the wire, with evidence a person can check.
//!
//! The canonical envelope holds that of the fourth original (payloads §5) and the alert of the third (payloads §6) and more; with
//! `format=seed4` exactly the former goes out. Nothing here says that anything was detected.

use crate::alias::markets::pair_of;
use barograph_domain::alert::{AlertChange, AlertState, Statistic};
use barograph_domain::pattern::Seed4;
use barograph_domain::thresholds::CORRELATION_BREAK;
use barograph_domain::time::YEAR_DAYS;
use barograph_domain::{InstrumentName, Pattern, Reason, Severity, Trigger, Ts};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The changes that the fourth original sends: it has no word for an end.
pub const SEED4_CHANGES: [AlertChange; 3] = [AlertChange::Opened, AlertChange::Updated, AlertChange::Happened];

/// A fact of an event.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum DatumView {
    /// A number.
    Number(f64),
    /// A word.
    Word(String),
    /// Words.
    Words(Vec<String>),
    /// Yes or no.
    Flag(bool),
    /// Nothing; `<name>_reason` beside it says why.
    Null,
}

/// Facts by name.
pub type Data = BTreeMap<String, DatumView>;

/// Stretch of time the statistics speak of.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct EvidenceWindow {
    /// Its beginning, by the venue's clock.
    #[schema(value_type = String, format = DateTime)]
    pub from: Ts,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    pub to: Ts,
}

/// How often the same detector spoke here, so that nobody mistakes an alert for news.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct BaseRateView {
    /// Firings a day over the days of the last 30 on which it could be judged; null before there was a day.
    pub per_day_30d: Option<f64>,
    /// Episodes that began in the last 30 days, before this one.
    pub fired_30d: u32,
    /// The same over 90 days.
    pub fired_90d: u32,
    /// Days of the last 90 on which it could be judged at all.
    pub known_days: f64,
    /// The same of the last 30, which `fired_30d` speaks of.
    pub known_days_30d: f64,
    /// Share of the judged minutes of the last 90 days in which an episode was open; null before the first one.
    pub held_share_90d: Option<f64>,
}

/// What a person needs to check an alert (surveillance §7).
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct EvidenceView {
    /// When it was measured.
    pub window: EvidenceWindow,
    /// What was measured, against what.
    pub statistics: Vec<Statistic>,
    /// How often it happens here.
    pub base_rate: BaseRateView,
    /// What the evidence cannot show, in sentences.
    pub limits: Vec<String>,
    /// Earlier episodes with their outcomes; null: not built.
    #[schema(value_type = Option<Vec<String>>)]
    pub similar: Option<()>,
    /// Why there are none.
    #[schema(example = "not_available")]
    pub similar_reason: &'static str,
}

/// The smallest change of one feature that turns a label.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(as = TurnView)]
pub struct SmallestChangeView {
    /// Feature id.
    #[schema(example = "realized_vol_1h")]
    pub feature: &'static str,
    /// Its value in that minute.
    pub value: f64,
    /// The threshold, in the feature's own unit.
    pub threshold: f64,
    /// `above` or `below`: on which side of the threshold it would have to be.
    #[schema(example = "below")]
    pub direction: &'static str,
    /// The label reached.
    #[schema(example = "CHOP_RISK")]
    pub label: &'static str,
    /// Consecutive readings it must stand.
    pub readings: u32,
}

/// What the minute of a changed label says of it.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct MomentView {
    /// Price of that minute.
    pub price: Option<f64>,
    /// Side of a squeeze: `LONG_SQUEEZE` or `SHORT_SQUEEZE`; null where there is none.
    pub side: Option<&'static str>,
    /// Why the label holds: number against threshold. Where timeframes confirm another one, why the axis's own does.
    #[schema(example = "Extreme volatility: 1 h volatility is 124 % annualised, limit 80 %.")]
    pub why: String,
    /// What would turn the raw label; null where no single reading does.
    pub flip: Option<SmallestChangeView>,
    /// What would end the published label; null where no single reading does.
    pub exit: Option<SmallestChangeView>,
}

/// One moment in the life of an alert: opened, worse than before, suspended by a gap, resumed, closed, or a change that has no
/// length.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct EventView {
    /// Name-based UUID of detector, market, beginning and logic version: the same for all records of an episode, and the same
    /// in every replay.
    #[schema(example = "0f8fad5b-d9cb-569f-a165-70867728950e")]
    pub alert_id: String,
    /// Counts the records of an episode from 1.
    pub revision: u32,
    /// What it is an event of: the same word as `pattern_type`.
    pub event_type: Pattern,
    /// What the detector looks for.
    pub pattern_type: Pattern,
    /// Which of several ways; null where there is one.
    pub trigger: Option<Trigger>,
    /// Part that speaks.
    #[schema(example = "CASCADE")]
    pub source: &'static str,
    /// What this record reports.
    pub change: AlertChange,
    /// State after it.
    pub state: AlertState,
    /// Moment of the evaluation, by the venue's clock.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Ts,
    /// The earliest moment it may be used; it is shown to nobody earlier.
    #[schema(value_type = String, format = DateTime)]
    pub known_at: Ts,
    /// Whose.
    #[schema(value_type = String, example = "binance-usdm:BTCUSDT")]
    pub instrument: InstrumentName,
    /// `BASE/QUOTE`.
    #[schema(example = "BTC/USDT")]
    pub symbol: String,
    /// Both pairs, where two markets are compared; else null.
    #[schema(example = "BTC/USDT/ETH/USDT")]
    pub asset_pair: Option<String>,
    /// Greatest severity so far.
    pub severity: Severity,
    /// The same in the words of the third original: HIGH, MEDIUM or LOW.
    #[schema(example = "HIGH")]
    pub risk_level: &'static str,
    /// 0 to 100; 63.2 at the threshold.
    pub anomaly_score: f64,
    /// A heading.
    pub title: String,
    /// What was measured, against what, over which time, how often it happens here.
    pub description: String,
    /// The same, under the name of the third original.
    pub explanation: String,
    /// What it means for entries not yet made.
    #[schema(example = "smaller size, wider stop or wait")]
    pub new_entries: String,
    /// What it means for positions already held.
    #[schema(example = "review, reduce or trail stop")]
    pub open_positions: String,
    /// What would clear it.
    pub clears: String,
    /// The user's own rule that made it; null: a detector did.
    pub rule: Option<String>,
    /// When the episode began.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Ts,
    /// When the pattern last held.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Ts,
    /// When it was over; null while it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Ts>,
    /// An open alert that says the same more strongly; this one is kept, but nobody is called.
    pub inhibited_by: Option<Pattern>,
    /// The event's own facts; null with `<name>_reason` where undefined.
    #[schema(value_type = BTreeMap<String, DatumView>)]
    pub data: Data,
    /// Of an event about a label: what its minute says; null for others, and where that minute is no longer kept.
    pub moment: Option<MomentView>,
    /// What a person needs to check it.
    pub evidence: EvidenceView,
    /// Logic that made it.
    pub logic_version: String,
}

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

/// Two pairs as the fourth original writes them.
#[must_use]
pub fn asset_pair(one: &InstrumentName, other: &InstrumentName) -> String {
    format!("{}/{}", pair_of(one), pair_of(other))
}

/// Liquidations of one hour over all markets.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct HourOfLiquidations {
    /// Beginning of the hour.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Ts,
    /// Longs that were liquidated, quote units; null for an hour in which nobody listened to any market's liquidations.
    pub long_usd: Option<f64>,
    /// Why it is null: `gap`, or `missing_input` where nothing of then is stored. Left out where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub long_usd_reason: Option<&'static str>,
    /// Shorts.
    pub short_usd: Option<f64>,
    /// As for longs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_usd_reason: Option<&'static str>,
}

impl HourOfLiquidations {
    /// What was liquidated in the hour from `timestamp` on, longs and shorts, or why that is not known.
    #[must_use]
    pub fn new(timestamp: Ts, sums: Result<(f64, f64), Reason>) -> Self {
        let reason = sums.err().map(Reason::name);
        let of = |side: fn((f64, f64)) -> f64| sums.ok().map(side);
        Self {
            timestamp,
            long_usd: of(|s| s.0),
            long_usd_reason: reason,
            short_usd: of(|s| s.1),
            short_usd_reason: reason,
        }
    }
}

/// Liquidations by hour, all markets together.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct LiquidationHours {
    /// As asked.
    pub hours: u32,
    /// The earliest first: as many whole hours as were asked for, the newest of them the last one that was over.
    pub items: Vec<HourOfLiquidations>,
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
                similar_reason: "not_available",
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
