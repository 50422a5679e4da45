//! Signals: values that somebody brings beside what venues publish, as they are sent and as they are answered (R1.13, R1.19).

use barograph_domain::{InstrumentName, Ts};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A value somebody brings: a metric point (payloads §1) of a name that begins with `x.`.
///
/// Described here for the documents; it is read where files of the same form are read.
#[derive(Debug, ToSchema)]
pub struct NewSignalPoint {
    /// The moment it is of: ISO 8601, or an epoch number in s, ms, us or ns.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Ts,
    /// Left out, or the market of the address.
    #[schema(example = "BTCUSDT")]
    pub symbol: Option<String>,
    /// What is measured: `x.` and words of a-z, 0-9 and _ joined by dots.
    #[schema(example = "x.desk_flow")]
    pub metric_name: String,
    /// The value; null takes back what was there.
    pub value: Option<f64>,
    /// Who measured it.
    #[schema(example = "my_desk")]
    pub source: String,
    /// What else is to be kept of it: 16 texts at most.
    pub tags: Option<BTreeMap<String, String>>,
    /// Since when it was known, for history; left out: since it arrives. Never later than now, never before `timestamp`.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub known_ts: Option<Ts>,
}

/// What became of values that were brought; all were stored, or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct SignalsTaken {
    /// Were not there.
    pub new: u64,
    /// Say something else of a moment that had a value; the earlier one stays for answers as of before.
    pub revised: u64,
    /// Were there already.
    pub same: u64,
    /// Rows of a CSV without a value, left out.
    pub empty: u64,
}

/// One signal from one source, and what it amounts to.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct SignalView {
    /// What is measured.
    #[schema(example = "x.desk_flow")]
    pub name: String,
    /// `venue:symbol`, or `*` where it speaks of every market.
    pub scope: String,
    /// Who measured it.
    pub source: String,
    /// Its newest value that was not taken back; null where all of the last 31 days were.
    pub value: Option<f64>,
    /// The moment that is of; null with the value.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub timestamp: Option<Ts>,
    /// Seconds since then.
    pub age_s: Option<i64>,
    /// Change since the value of a day before, as a fraction.
    pub delta_24h: Option<f64>,
    /// Score against the values of 7 days, itself among them, in standard deviations.
    pub z_7d: Option<f64>,
    /// Rank among the values of 30 days, in [0, 1].
    pub percentile_30d: Option<f64>,
    /// Why a number is null, by its name.
    #[schema(value_type = BTreeMap<String, String>)]
    pub reasons: BTreeMap<&'static str, &'static str>,
    /// Moments that have a value or had one.
    pub points: u64,
    /// Revisions beyond the first of each moment.
    pub revisions: u64,
    /// When the newest of them became known.
    #[schema(value_type = String, format = DateTime)]
    pub known_ts: Ts,
}

/// The signals that speak of one market.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct SignalsView {
    /// `venue:symbol`.
    #[schema(value_type = String, example = "binance-usdm:BTCUSDT")]
    pub instrument: InstrumentName,
    /// By name, those of every market first.
    pub items: Vec<SignalView>,
}
