//! The lake: books, trades, feature rows and bars as Parquet files that any tool reads (R5.13–R5.15).
//!
//! ```text
//! <root>/bronze/{orderbook,trades}/exchange=<id>/symbol=<s>/year=YYYY/month=MM/day=DD/hour=HH/*.parquet
//! <root>/silver/features/exchange=…
//! <root>/gold/{signals,predictions}/exchange=…
//! <root>/gold/bars/exchange=<id>/symbol=<s>/timeframe=<tf>/year=…
//! ```
//!
//! An hour is that of the column `ts`, UTC. While it is under way its rows become part files, each whole when it appears: what a crash costs
//! is what was not yet flushed, and the manifest of the hour says so as a gap. When a row of a later hour comes its `_manifest.json` says
//! rows, first and last stamp, gaps and a digest of the rows ([`digest`]); from then on no row of it changes. A writer that ends leaves its
//! last hour under way, and another goes on with it. Compaction makes one file of its parts and
//! puts it in their place only after the rows read back have the same digest.
//!
//! Names that begin with an underscore are this program's own. Readers that are given the pattern `**/*.parquet` never see them; between
//! the moment a compacted file appears and its parts are gone, which is milliseconds, such a reader sees both. [`LakeReader`] goes by the
//! manifest and sees one.
//!
//! Bars and signals are made of other rows, and replaced where they would be made otherwise now: see [`DerivedTable`].
//!
//! Left out on purpose: what rows mean and where they come from, clocks (moments are arguments), retention.

mod absent;
mod buffer;
mod catalogue;
mod check;
mod compact;
#[cfg(test)]
mod crash;
mod derive;
pub mod digest;
mod disk;
mod encode;
mod error;
mod folder;
mod gaps;
mod gold;
mod hour;
mod list;
mod manifest;
mod order;
mod page;
mod place;
mod reader;
mod recover;
mod rows;
mod schema;
mod settings;
mod share;
mod slices;
mod stage;
mod under_way;
mod writer;

pub use absent::{AbsentHours, HourAbsence};
pub use catalogue::{LakeHour, LakeQuery, hours};
pub use check::{LakeFinding, absent_hours, check};
pub use compact::{CompactionReport, compact};
pub use derive::{DerivedReport, DerivedTable, SourcesOfHour};
pub use error::{LayerError, LayerResult};
pub use gaps::{RUNS_FOLLOW, UnknownTime, follows_now, unknown_times};
pub use gold::{BAR_LABELS, BarWriter, GoldBar, GoldPrediction, GoldSignal, PredictionWriter, SignalWriter};
pub use list::{LakeListing, list};
pub use manifest::{HourGap, HourManifest, HourSource, MANIFEST, PartEntry, SCHEMA_VERSION, UNFLUSHED};
pub use place::{LakeMarket, Layer, escape_name};
pub use reader::{LakeBatch, LakeNumbers, LakeReader};
pub use rows::{BookHead, BookWriter, FeatureHead, FeatureWriter, TradeWriter, WideTrade};
pub use schema::{CellType, LakeColumn, LakeTable, ResearchName};
pub use settings::{FloatEncoding, LakeCompression, LakeConfig};
pub use slices::CellSlice;
pub use under_way::RowPlace;
pub use writer::{OpenedPartition, PartitionStats, PartitionWriter};
