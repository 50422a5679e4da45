//! A changed rule book over stored readings: the question and what is found (verification §5, R4.62, C22).
//!
//! Rates are per market and day of stored minutes. Shares, precision and recall lie between 0 and 1 and are absent where there was
//! nothing to count.

use crate::scorecard::SkillReading;
use crate::{Axis, InstrumentName, Ts};
use serde::{Deserialize, Serialize};

/// What is to be replayed. Without `book` and `set` nothing changes.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WhatIfRequest {
    /// Text of the changed rule book; absent: the base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub book: Option<String>,
    /// Thresholds to change in it, as `HIGH_VOL.realized_vol_1h=0.85`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// Rule book that comes with the program, to compare with; absent: the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Markets, as `venue:symbol` or a symbol that one market answers to; none: all that are stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markets: Vec<String>,
    /// First moment, ISO-8601; absent: 90 days before the end. With neither end given they are those 90 days that hold most of what
    /// is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// First moment no longer counted, ISO-8601; absent: the end of what is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Most entries a day and market, as `3/day`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// A threshold to choose so that the budget is kept in the first half of the stretch; reported is the second half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tune: Option<String>,
    /// A condition on signals that it declares, as in `signal x.desk_flow; x.desk_flow.z_7d > 2`, to be counted over the same minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Name of the changed book in its text; absent: as it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A number under the base and under the changed book.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BeforeAfter {
    /// Under the base.
    pub before: Option<f64>,
    /// Under the changed book.
    pub after: Option<f64>,
}

/// A label before and after.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LabelWhatIf {
    /// The label's word.
    pub label: String,
    /// Times a day that it is entered: its alerts.
    pub entries_per_day: BeforeAfter,
    /// Share of the minutes it is published.
    pub share: BeforeAfter,
    /// Minutes in which both books publish it.
    pub minutes_both: u64,
    /// Minutes in which the base alone does.
    pub minutes_before_only: u64,
    /// Minutes in which the changed book alone does.
    pub minutes_after_only: u64,
    /// Minutes of both over minutes of either (Jaccard); absent where neither has any.
    pub overlap: Option<f64>,
}

/// An axis before and after.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AxisWhatIf {
    /// Which axis.
    pub axis: Axis,
    /// Changes of the published label a day: the cost in flips.
    pub changes_per_day: BeforeAfter,
    /// Changes of what the rules say a day, before exit bands and dwell.
    pub raw_changes_per_day: BeforeAfter,
    /// Share of the minutes with the same label under both.
    pub same_share: Option<f64>,
    /// Every label of the axis.
    pub labels: Vec<LabelWhatIf>,
}

/// An alert rule of the book's own, before and after; a side is absent where that book has no such rule.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AlertWhatIf {
    /// Its id.
    pub rule: String,
    /// Times a day that it fires.
    pub per_day: BeforeAfter,
}

/// How the entries of a label did as forecasts of an event.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HitRates {
    /// Entries of the label.
    pub alerts: u64,
    /// Those whose outcome is known.
    pub resolved: u64,
    /// Share of those that the event followed within the horizon.
    pub precision: Option<f64>,
    /// Lower end of its Wilson interval of 90 %.
    pub precision_low: Option<f64>,
    /// Upper end of it.
    pub precision_high: Option<f64>,
    /// Precision over the base rate.
    pub lift: Option<f64>,
    /// Events in the stretch.
    pub events: u64,
    /// Share of the events that an entry preceded, from one horizon before the onset up to it.
    pub recall: Option<f64>,
    /// Share of the events at whose onset the label was in force, whenever it was entered.
    pub in_force_at_onset: Option<f64>,
    /// Median of the minutes from the entry to the onset; 0: in the same minute.
    pub median_lead_min: Option<i64>,
    /// Skill of the label against persistence over the 5-minute grid: each states how often the event followed its state before.
    pub skill: SkillReading,
}

/// A label as a forecast, before and after.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ForecastWhatIf {
    /// Id of the event (verification §2).
    pub event: String,
    /// The label that asserts it.
    pub label: String,
    /// How far the event looks ahead, minutes.
    pub horizon_min: i64,
    /// Share of the moments of the 5-minute grid that the event follows.
    pub base_rate: Option<f64>,
    /// Under the base.
    pub before: HitRates,
    /// Under the changed book.
    pub after: HitRates,
}

/// What was found over some stored minutes.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WhatIfCounts {
    /// Days of stored minutes, over all markets that are counted together.
    pub market_days: f64,
    /// Entries a day of labels that assert something, on the axes shown, and firings of alert rules.
    pub alerts_per_day: BeforeAfter,
    /// The risk axis, and every other one that the change reaches.
    pub axes: Vec<AxisWhatIf>,
    /// Alert rules of either book; those that are judged at every event are left out.
    pub rules: Vec<AlertWhatIf>,
    /// Labels of the risk axis as forecasts.
    pub forecasts: Vec<ForecastWhatIf>,
    /// Minutes whose replayed label under the base is another than the published one: 0 where the base is the book that made them.
    pub minutes_not_as_published: Option<u64>,
}

/// One market.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MarketWhatIf {
    /// Which.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub instrument: InstrumentName,
    /// What was found.
    #[serde(flatten)]
    pub counts: WhatIfCounts,
}

/// A threshold of a book.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ThresholdView {
    /// Its name, as `set` takes it.
    pub name: String,
    /// Axis of the rule; `alert` for alert rules.
    pub axis: String,
    /// The rule.
    pub rule: String,
    /// What is compared.
    pub feature: String,
    /// The feature as people say it.
    pub spoken: String,
    /// Unit of the threshold.
    pub unit: String,
    /// Whether the absolute value is compared.
    pub abs: bool,
    /// The sign of the comparison.
    pub op: String,
    /// Full threshold.
    pub value: f64,
    /// Exit threshold.
    pub exit: f64,
    /// What counts as a step of it: the margin unit.
    pub scale: Option<f64>,
    /// The label that its rule asserts; absent for alert rules.
    pub label: Option<String>,
    /// The rule's own text.
    pub text: String,
    /// What it asks for and which way it moves what, in plain words.
    pub meaning: String,
    /// Lower end of what is worth trying.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
    /// A step between them.
    pub step: f64,
    /// Why stored readings cannot show another value; null where they can.
    pub refused: Option<String>,
}

/// The thresholds of a book.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BookThresholds {
    /// Name of the book.
    pub book: String,
    /// In the order of the book.
    pub items: Vec<ThresholdView>,
    /// Books that come with the program and can be compared with.
    pub shipped: Vec<String>,
    /// What else a book has that stored readings cannot show, and why.
    pub left_out: Vec<String>,
}

/// A changed book to be kept by the server.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewBook {
    /// Its name and that of its file: letters, digits, `-` and `_`, at most 40, and not that of a book that comes with the program.
    pub name: String,
    /// Rule book that comes with the program, to be changed; absent: the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Thresholds to change in it, as `HIGH_VOL.realized_vol_1h=0.85`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// Write over a book of this name; without it such a book stays and nothing is written.
    #[serde(default)]
    pub replace: bool,
}

/// A book that was kept.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct KeptBook {
    /// Its name.
    pub name: String,
    /// Its file on the server's machine.
    pub file: String,
    /// An older one of this name was written over.
    pub replaced: bool,
    /// How to use it.
    pub usage: String,
}

/// A threshold that differs between the books.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ThresholdChange {
    /// Its name.
    pub name: String,
    /// Under the base; absent where the base has no such threshold.
    pub before: Option<f64>,
    /// Under the changed book.
    pub after: Option<f64>,
}

/// Whether a number of alerts a day is kept.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AlertBudgetView {
    /// Most entries a day and market.
    pub per_day: f64,
    /// The changed book keeps it on average over all markets.
    pub kept: bool,
    /// Markets in which it does not.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    pub exceeded_in: Vec<InstrumentName>,
}

/// A stretch of time and what a label did in it.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TunedStretch {
    /// First moment.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub from: Ts,
    /// First moment no longer counted.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub to: Ts,
    /// Entries of the label a day and market.
    pub entries_per_day: Option<f64>,
}

/// A threshold chosen by a budget.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TunedView {
    /// Name of the threshold.
    pub name: String,
    /// The label whose entries are counted.
    pub label: String,
    /// What it is under the base.
    pub before: f64,
    /// The mildest that keeps the budget in the stretch it was chosen on; absent: none does.
    pub value: Option<f64>,
    /// Most entries a day and market.
    pub budget_per_day: f64,
    /// The stretch it was chosen on. A threshold always looks good there, so only its entries per day are given.
    pub chosen_on: TunedStretch,
    /// The stretch that follows, in which it was judged.
    pub following: Option<TunedStretch>,
    /// The label as a forecast in the following stretch.
    pub forecasts: Vec<ForecastWhatIf>,
}

/// Which values of a signal stood on the minutes of a market. Where a market has values of its own they count from the moment on since when one
/// of them was known; before that those of every market do, which are an entry of their own.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignalMinutes {
    /// The market.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub instrument: InstrumentName,
    /// What is measured.
    pub name: String,
    /// `venue:symbol`, or `*` where it speaks of every market.
    pub scope: String,
    /// Who measured it.
    pub source: String,
    /// An older value was absent, seconds.
    pub within_s: i64,
    /// Values and revisions of them that a minute of the stretch could know of.
    pub revisions: u64,
    /// Of these, those whose owner states since when they were known; all others but the assumed count since they arrived.
    pub stated: u64,
    /// Of these, those of which it is assumed since when they were known, from how late their source usually is.
    pub assumed: u64,
    /// Minutes of the stretch that had a value.
    pub minutes: u64,
    /// Digest of these values with the moments since when they were known; 64 hexadecimal digits.
    pub digest: String,
}

/// What followed after a condition on signals came to hold.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignalForecast {
    /// Id of the event (verification §2).
    pub event: String,
    /// How far the event looks ahead, minutes.
    pub horizon_min: i64,
    /// Share of the moments of the 5-minute grid that the event follows.
    pub base_rate: Option<f64>,
    /// How the condition did.
    pub hits: HitRates,
}

/// A condition on signals over stored minutes, all markets together that its signals speak of.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignalWhatIf {
    /// As it was asked.
    pub when: String,
    /// Days of stored minutes.
    pub market_days: f64,
    /// Times a day and market that it came to hold.
    pub entries_per_day: Option<f64>,
    /// Share of the minutes on which it held.
    pub share: Option<f64>,
    /// Share of the minutes on which it could be told whether it did; on the others a number was absent.
    pub known_share: Option<f64>,
    /// What followed.
    pub forecasts: Vec<SignalForecast>,
    /// Which values these were: what is counted here repeats only with them.
    pub used: Vec<SignalMinutes>,
}

/// The answer.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WhatIfView {
    /// Name of the base.
    pub base: String,
    /// Name of the changed book.
    pub changed: String,
    /// Thresholds that differ.
    pub changes: Vec<ThresholdChange>,
    /// First moment counted.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub from: Ts,
    /// First moment no longer counted.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub to: Ts,
    /// All markets together.
    pub all: WhatIfCounts,
    /// Each market, by name.
    pub markets: Vec<MarketWhatIf>,
    /// What could not be counted, and why.
    pub left_out: Vec<String>,
    /// Where a budget was named.
    pub budget: Option<AlertBudgetView>,
    /// Where a threshold was to be chosen.
    pub tuned: Option<TunedView>,
    /// Where a condition on signals was asked about. It is no part of any book, and not of market data alone.
    pub signals: Option<SignalWhatIf>,
    /// Text of the changed book, to be kept as a file of one's own.
    pub text: String,
}
