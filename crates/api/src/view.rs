//! What goes over the wire beside [`barograph_domain::Snapshot`]: markets, streams, metric points, feature rows and the
//! catalogue. Plain data, filled by whoever implements [`crate::Query`].

use barograph_domain::snapshot::WireValue;
use barograph_domain::{
    HeatRegime, InstrumentName, Kind, LevelEvent, LevelType, MarketKind, RiskRegime, Stamp, TrendRegime, Ts, VolRegime,
};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// One instrument and what is known about it.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct MarketView {
    /// `venue:symbol`.
    #[schema(value_type = String, example = "binance-usdm:BTCUSDT")]
    pub instrument: InstrumentName,
    /// Spot, perpetual or dated.
    pub kind: MarketKind,
    /// First minute with a snapshot; null when there is none yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_minute: Option<Ts>,
    /// Newest minute with a snapshot; null when there is none yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_minute: Option<Ts>,
    /// Published risk label now (or at `as_of`); null before the first snapshot.
    pub label: Option<RiskRegime>,
    /// Published trend label; null before the first snapshot.
    pub trend: Option<TrendRegime>,
    /// Published volatility label; null before the first snapshot.
    pub volatility: Option<VolRegime>,
    /// Published heat label; null before the first snapshot.
    pub heat: Option<HeatRegime>,
    /// When that label was entered.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Ts>,
    /// An input of the label is too old.
    pub stale: bool,
    /// Seconds between the newest minute and now (or `as_of`); null before the first snapshot.
    pub age_s: Option<i64>,
    /// The market is a recording that ends here: nothing listens to it, and its newest minute is older than a day. Null otherwise,
    /// and with `as_of`.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub recorded_until: Option<Ts>,
    /// Its streams, in source rank order.
    pub streams: Vec<StreamView>,
}

/// One stream of a market, as declared, with how far it has come.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct StreamView {
    /// What is measured; the name `metrics` takes.
    #[schema(example = "open_interest")]
    pub metric: &'static str,
    /// Unit of its value.
    #[schema(example = "base")]
    pub unit: &'static str,
    /// Who said it.
    #[schema(example = "binance-usdm")]
    pub source: String,
    /// measured, sampled, modelled or proxy.
    pub kind: Kind,
    /// Seconds between rows (bars: the timeframe).
    pub cadence_s: i64,
    /// Seconds after its stamp before a row may be used.
    pub delay_s: i64,
    /// What the time stamp of the original row means: open, close or instant.
    pub stamp: Stamp,
    /// Seconds after which it is stale.
    pub max_age_s: i64,
    /// Time of the newest event; null when none has arrived.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub newest_event: Option<Ts>,
    /// Seconds since then; null when none has arrived.
    pub age_s: Option<i64>,
}

/// One normalised observation (R1.13, payloads §1) and when it was known.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct MetricPoint {
    /// When it happened, by the venue's clock (bars: the close).
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Ts,
    /// The venue's symbol, bare.
    #[schema(example = "BTCUSDT")]
    pub symbol: String,
    /// What is measured.
    #[schema(example = "funding_rate")]
    #[schema(value_type = String)]
    pub metric_name: Cow<'static, str>,
    /// The value; null when the stream says that it has none.
    pub value: Option<f64>,
    /// Source word: `binance_futures` for binance-usdm, else the venue id or the provider's name.
    // `Query` gives the declared source; the word is put in its place on the way out.
    #[schema(example = "binance_futures")]
    pub source: String,
    /// What else is known of it: contract, interval, side, cadence.
    pub tags: BTreeMap<String, String>,
    /// The earliest moment it may be used; `as_of` filters on this.
    #[schema(value_type = String, format = DateTime)]
    pub known_ts: Ts,
    /// Of a value somebody brought: `received` then, or `stated` by whoever brought it; left out of all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub known: Option<&'static str>,
}

/// The readings of one minute.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct FeatureRowView {
    /// The grid instant.
    #[schema(value_type = String, format = DateTime)]
    pub ts: Ts,
    /// Feature id to number, boolean, word or null.
    #[schema(value_type = BTreeMap<String, WireValue>)]
    pub values: BTreeMap<&'static str, WireValue>,
    /// What made the values: release and hash of arithmetic, rule book and policy (R1.21).
    pub computation_version: String,
    /// Metrics of the streams behind the values, in rank order (R1.21).
    pub source_metrics: Vec<&'static str>,
    /// Feature id to the reason there is no value; only where there is none.
    #[schema(value_type = BTreeMap<String, String>)]
    pub readings: BTreeMap<&'static str, &'static str>,
    /// Ids whose value is of a window that is not yet full.
    #[serde(skip)]
    pub partial: BTreeSet<&'static str>,
}

/// The newest feature row of one market.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(crate) struct MarketFeatures {
    /// `venue:symbol`.
    #[schema(value_type = String, example = "binance-usdm:BTCUSDT")]
    pub(crate) instrument: InstrumentName,
    /// Its readings.
    pub(crate) row: FeatureRowView,
}

/// The newest feature rows of all markets.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(crate) struct AllFeatures {
    /// Markets that have a row, in the order of their names.
    pub(crate) items: Vec<MarketFeatures>,
}

/// A price level as it was known to be (features §4.1).
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct LevelView {
    /// Name-based UUID of symbol, timeframe, type, `formed_at` and price; the same for all revisions.
    #[schema(example = "0f8fad5b-d9cb-569f-a165-70867728950e")]
    pub level_id: String,
    /// Counts from 1; a cluster that takes another member has a further one.
    pub revision: u32,
    /// What made it.
    #[serde(rename = "type")]
    pub level_type: LevelType,
    /// Timeframe of its bars.
    #[schema(example = "1h")]
    pub timeframe: String,
    /// Whose stops are thought to lie there: `LONG` below the market, `SHORT` above it; null for a volume node.
    #[schema(example = "LONG")]
    pub side: Option<&'static str>,
    /// Reference price.
    pub price: f64,
    /// Upper edge, at least the price.
    pub top: f64,
    /// Lower edge, at most the price.
    pub bottom: f64,
    /// Close of the bar that carries the price.
    #[schema(value_type = String, format = DateTime)]
    pub formed_at: Ts,
    /// Close of the bar that completes the definition.
    #[schema(value_type = String, format = DateTime)]
    pub confirmed_at: Ts,
    /// When this revision could first be used; it is shown to nobody earlier.
    #[schema(value_type = String, format = DateTime)]
    pub known_at: Ts,
    /// Close of the first later bar that entered the zone.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub touched_at: Option<Ts>,
    /// Close of the first later bar that traded through the far edge.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub mitigated_at: Option<Ts>,
    /// Close of the first bar that went beyond it and closed back.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub swept_at: Option<Ts>,
    /// Bars after confirmation that entered the zone.
    pub touches: u32,
    /// Members of a cluster; 1 for everything else.
    pub members: u32,
    /// Base volume of the defining bar; null where bars have none.
    pub volume: Option<f64>,
    /// In [0, 1] at `as_of` (features §4.9).
    pub strength: f64,
    /// measured or modelled.
    pub kind: Kind,
    /// What happened to it last.
    pub last_event: LevelEvent,
}

/// One line of the feature catalogue.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct CatalogueEntry {
    /// Name in code, API and storage.
    #[schema(example = "funding_zscore_24h")]
    pub id: &'static str,
    /// Raised when the arithmetic changes.
    pub version: u16,
    /// Group heading.
    pub group: &'static str,
    /// Unit of the value.
    pub unit: &'static str,
    /// `number`, `bool` or `enum`.
    #[schema(example = "number")]
    pub value_type: &'static str,
    /// The words of an `enum`; empty otherwise.
    pub words: Vec<&'static str>,
    /// Definition in one line.
    pub formula: String,
    /// Metrics it needs.
    pub inputs: Vec<&'static str>,
    /// Window and clock.
    pub window: &'static str,
    /// Samples needed before it is ready.
    pub warm_up: &'static str,
    /// How it is kept up to date: `instant`, `window` or `recursive`.
    #[schema(example = "window")]
    pub update: &'static str,
    /// The feature whose history a percentile ranks.
    pub ranks: Option<&'static str>,
    /// Margin unit of clauses that state none.
    pub scale: Option<f64>,
    /// Requirement ids.
    pub source: &'static str,
    /// What people call it in a sentence.
    pub spoken: &'static str,
}

/// The whole catalogue.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(crate) struct Catalogue {
    /// In row order.
    pub(crate) items: Vec<CatalogueEntry>,
}
