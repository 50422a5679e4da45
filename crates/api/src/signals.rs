//! Signals: values that somebody brings beside what venues publish, as they are sent and as they are answered (R1.13, R1.19).

use barograph_domain::{InstrumentName, SignalName, Span, Ts};
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

/// Signals beside the candles of a chart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignalBarsQuery {
    /// Which; of none what there is to draw is listed.
    pub names: Vec<SignalName>,
    /// Length of a candle.
    pub interval: Span,
    /// The moment before which the last one begins; `None`: now.
    pub end: Option<Ts>,
    /// Places for candles.
    pub bars: usize,
    /// Only what was known then.
    pub as_of: Option<Ts>,
}

/// A signal that can be drawn beside a market's candles.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct SignalOffer {
    /// What is measured.
    #[schema(example = "x.desk_flow")]
    pub name: String,
    /// `venue:symbol`, or `*` where it speaks of every market. Of Deribit's options it is the perpetual of the same currency.
    pub scope: String,
    /// Who measured it.
    pub source: String,
}

/// One signal from one source at the candles of a chart. Where a market has values of its own they count from the moment on since when one of
/// them was known; before that those of every market do, which are an item of their own.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct SignalBars {
    /// What is measured.
    #[schema(example = "x.desk_flow")]
    pub name: String,
    /// `venue:symbol`, or `*` where it speaks of every market.
    pub scope: String,
    /// Who measured it.
    pub source: String,
    /// The tag `unit` of its newest value; null without one.
    pub unit: Option<String>,
    /// Values and revisions of them that these candles could know of.
    pub revisions: u64,
    /// Of these, those whose owner states since when they were known; all others but the assumed count since they arrived.
    pub stated: u64,
    /// Of these, those of which it is assumed since when they were known, from how late their source usually is.
    pub assumed: u64,
    /// The newest value known at each candle's close, of the open candle at this moment; null where there was none, or none of the
    /// seven days before.
    pub v: Vec<Option<f64>>,
    /// The moment that value is of, epoch seconds; null with it.
    pub of: Vec<Option<i64>>,
}

/// A signal that was asked for and is left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct SignalTooLong {
    /// What is measured.
    pub name: String,
    /// Why, in a sentence.
    pub reason: String,
    /// What would bring it.
    pub hint: String,
}

/// Signals as they were known at the candles of a chart: the lists are as long as `t`.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct SignalBarsView {
    /// `venue:symbol`.
    #[schema(value_type = String, example = "binance-usdm:BTCUSDT")]
    pub instrument: InstrumentName,
    /// Length of a candle, seconds.
    pub interval_s: i64,
    /// Beginnings, epoch seconds.
    pub t: Vec<i64>,
    /// Those asked for, by name and source; what does not speak of this market is not among them.
    pub items: Vec<SignalBars>,
    /// Those asked for that have more values than one answer reads.
    pub too_long: Vec<SignalTooLong>,
    /// What there is to draw, where no name was given; else empty.
    pub offered: Vec<SignalOffer>,
}
