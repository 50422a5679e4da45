//! The board as a document: what [`super::Hub`] and a moment of the past both look like.

use super::{COLUMNS, Cells, Value, labels};
use crate::alias::markets::pair_of;
use crate::live::DataOrigin;
use barograph_domain::{Axis, InstrumentName, Ts};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How the data behind the board are, in a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataState {
    /// Every market is heard.
    Live,
    /// Some market is lost or too old.
    Degraded,
    /// Nothing is listened to: what is shown is from a store, a recording, or a moment of the past.
    #[default]
    Recorded,
    /// Every market is lost or too old.
    Stale,
}

/// The line above the table (R4.46).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct HeaderView {
    /// Markets in the table.
    pub markets: u32,
    /// Of these, neither lost nor too old.
    pub live: u32,
    /// Of these, with a lost stream that the rule book reads.
    pub lost: u32,
    /// Liquidation cascades that began in the last 24 hours.
    pub cascades_24h: u32,
    /// Changes of the volatility label in the last 24 hours.
    pub volatility_events_24h: u32,
    /// Episodes that are not over.
    pub open_alerts: u32,
    /// Of these, those of experimental patterns.
    pub open_experimental: u32,
    /// How the data are.
    pub data: DataState,
}

/// The words that codes in cells stand for: the position in the list is the code.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct LabelsView {
    /// Of the risk axis.
    pub risk: Vec<&'static str>,
    /// Of the trend axis.
    pub trend: Vec<&'static str>,
    /// Of the volatility axis.
    pub volatility: Vec<&'static str>,
    /// Of the heat axis.
    pub heat: Vec<&'static str>,
}

/// One market.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct RowView {
    /// Its number in `cells` batches, for as long as the process lives.
    pub i: usize,
    /// `venue:symbol`.
    #[schema(value_type = String, example = "binance-usdm:BTCUSDT")]
    pub instrument: InstrumentName,
    /// `BASE/QUOTE`, or the venue's own symbol where it does not tell them apart.
    #[schema(example = "BTC/USDT")]
    pub symbol: String,
    /// The venue's id.
    pub venue: String,
    /// The most telling thing of everything known about it; empty before its first minute.
    #[schema(
        example = "Strong downtrend, −6.1 % in 24 h, moves larger than usual (24 h vol 69 % annualised). No risk rule fires."
    )]
    pub headline: String,
    /// In the order of `columns`; null where unknown.
    #[schema(value_type = Vec<serde_json::Value>)]
    pub cells: Cells,
    /// Why a cell is null, by column.
    #[schema(value_type = BTreeMap<String, String>)]
    pub reasons: BTreeMap<&'static str, &'static str>,
    /// Closes of the last 60 minutes up to the row, the oldest first; null where there is no minute.
    pub spark: Vec<Option<f64>>,
}

impl RowView {
    /// A row with what follows from its name.
    #[must_use]
    pub fn new(i: usize, instrument: &InstrumentName, cells: Cells, reasons: &[(super::Column, &'static str)]) -> Self {
        Self {
            i,
            symbol: pair_of(instrument),
            venue: instrument.venue.as_str().to_owned(),
            instrument: instrument.clone(),
            // A value may have come since the reasons were given.
            reasons: reasons
                .iter()
                .filter(|(column, _)| cells[*column as usize] == Value::Null)
                .map(|(column, why)| (COLUMNS[*column as usize], *why))
                .collect(),
            headline: String::new(),
            cells,
            spark: Vec::new(),
        }
    }
}

/// A label that changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ChangeView {
    /// Whose.
    #[schema(value_type = String)]
    pub instrument: InstrumentName,
    /// On which axis.
    pub axis: Axis,
    /// The label before.
    pub from: &'static str,
    /// The label since.
    pub to: &'static str,
    /// The minute of the change.
    #[schema(value_type = String, format = DateTime)]
    pub at: Ts,
}

/// The whole table.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct BoardView {
    /// The moment it shows.
    #[schema(value_type = String, format = DateTime)]
    pub ts: Ts,
    /// The last batch of `cells` that is in it: batches with a greater `n` are news. 0 for a moment of the past.
    pub n: u64,
    /// Arithmetic and rule book of the newest row; empty before the first.
    pub logic_version: String,
    /// Where the data come from.
    pub origin: DataOrigin,
    /// First stored minute of all markets, as far as it was known; null where nothing is stored.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_ts: Option<Ts>,
    /// Last stored minute of all markets, as far as it was known; null where nothing is stored.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_ts: Option<Ts>,
    /// The line above the table.
    pub header: HeaderView,
    /// Names of the cells, in order.
    #[schema(value_type = Vec<String>)]
    pub columns: [&'static str; super::WIDTH],
    /// Words of the codes.
    pub labels: LabelsView,
    /// Every market, `i` counts from 0; or those that were asked for, the worst risk label first.
    pub rows: Vec<RowView>,
    /// How many markets fit, where not all were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<usize>,
    /// Changes of labels in the last hour, the newest first, at most 50.
    pub changes: Vec<ChangeView>,
}

impl BoardView {
    /// An empty table of a moment.
    #[must_use]
    pub fn empty(ts: Ts, origin: DataOrigin) -> Self {
        Self {
            ts,
            n: 0,
            logic_version: String::new(),
            origin,
            first_ts: None,
            last_ts: None,
            header: HeaderView::default(),
            columns: COLUMNS,
            labels: labels(),
            rows: Vec::new(),
            found: None,
            changes: Vec::new(),
        }
    }
}
