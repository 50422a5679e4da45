//! Events: records of alerts as they go over the wire, with evidence a person can check.
//!
//! The canonical envelope holds that of the fourth original (payloads §5) and the alert of the third (payloads §6) and more; with
//! `format=seed4` exactly the former goes out ([`crate::alias::events`]). Nothing here says that anything was detected.

use crate::outcome::{AlertOutcome, SimilarAlert};
use barograph_domain::alert::{AlertChange, AlertState, Statistic};
use barograph_domain::{InstrumentName, Pattern, Reason, Severity, Trigger, Ts};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

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
    /// Up to three earlier episodes of the same detector with the nearest statistics, and what followed them; null in lists.
    pub similar: Option<Vec<SimilarAlert>>,
    /// Why that is null: `ask_by_id`, in lists and in the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ask_by_id")]
    pub similar_reason: Option<&'static str>,
    /// What followed this one, as far as it is known; null in lists, as `similar` is.
    pub outcome: Option<AlertOutcome>,
}

impl EvidenceView {
    /// Of `similar` and `outcome`, which only an event that is asked for by its id has.
    pub const ASK_BY_ID: Option<&'static str> = Some("ask_by_id");
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
    #[schema(example = "High volatility: 1 h volatility is 124 % annualised, limit 80 %.")]
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
    /// How often this pattern is a false alarm on real markets is not measured yet: it is shown and counted apart, and sent to no receiver.
    pub experimental: bool,
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
