//! What is said about an hour beside its rows: `_manifest.json` when it is closed, `_open.json` while it is open.

use super::disk::{LakeDisk, put};
use super::place::{LakeMarket, Layer};
use super::{LayerError, LayerResult};
use barograph_domain::Ts;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Name of the file that closes an hour. Readers of data sets leave out what begins with an underscore.
pub const MANIFEST: &str = "_manifest.json";

/// Name of the file of an open hour.
pub(super) const NOTE: &str = "_open.json";

/// Version of folders, columns and manifest; a change that older readers would misread raises it.
pub const SCHEMA_VERSION: u32 = 1;

/// Reason of a gap in which rows may have been that a crash took before they were flushed.
pub const UNFLUSHED: &str = "unflushed_rows_lost";

/// A closed hour.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HourManifest {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// The layer.
    pub layer: Layer,
    /// The table.
    pub table: String,
    /// Id of the venue.
    pub exchange: String,
    /// The market's name, unescaped.
    pub symbol: String,
    /// Length of a bar; `None` for tables without bars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeframe: Option<String>,
    /// Where the hour begins.
    pub hour: Ts,
    /// Rows of all files together.
    pub rows: u64,
    /// The earliest `ts`; `None` without rows.
    pub first_ts: Option<Ts>,
    /// The latest `ts`; `None` without rows.
    pub last_ts: Option<Ts>,
    /// Where nothing is known, in order.
    pub gaps: Vec<HourGap>,
    /// Digest of the rows ([`super::digest`]), 64 hexadecimal digits.
    pub content_sha256: String,
    /// What the rows were made of, where they are made of other rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made_of: Vec<HourSource>,
    /// The files, in order of their rows. Others in the folder do not count.
    pub files: Vec<PartEntry>,
}

/// What the rows of an hour were made of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HourSource {
    /// A table, such as `bronze/trades`, or what else it was.
    pub what: String,
    /// Its hour, where it has hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<Ts>,
    /// The digest of that hour's rows then; `None` where it said none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<String>,
}

/// One file of an hour.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartEntry {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A stretch of time of which nothing is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HourGap {
    /// The last moment before it that is known; it may be before the hour. The end itself where a run began with nothing before it:
    /// [`super::unknown_times`] says how far back it reaches by what is there now.
    pub from: Ts,
    /// The first moment behind it.
    pub until: Ts,
    /// Why: a word of `barograph_domain::GapReason`, or [`UNFLUSHED`].
    pub reason: String,
}

/// What an open hour says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct OpenNote {
    pub(super) schema_version: u32,
    /// Was everything flushed when the writer stopped? Otherwise it is still running, or was killed.
    pub(super) stopped_in_order: bool,
    pub(super) gaps: Vec<HourGap>,
    /// What its manifest would be if nothing more came; of a writer that stopped in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) so_far: Option<HourManifest>,
}

impl HourManifest {
    /// The manifest of an hour's folder; `None` while the hour is open.
    ///
    /// # Errors
    /// When it cannot be read, or was written by a newer release.
    pub fn load(folder: &Path) -> LayerResult<Option<Self>> {
        load::<Self>(&folder.join(MANIFEST), |m| m.schema_version)
    }

    /// Whose rows these are.
    #[must_use]
    pub fn market(&self) -> LakeMarket {
        let market = LakeMarket::new(&self.exchange, &self.symbol);
        LakeMarket { timeframe: self.timeframe.clone(), ..market }
    }

    pub(super) fn store(&self, disk: &mut dyn LakeDisk, folder: &Path) -> LayerResult<()> {
        store(self, disk, &folder.join(MANIFEST))
    }
}

impl OpenNote {
    pub(super) fn load(folder: &Path) -> LayerResult<Option<Self>> {
        load::<Self>(&folder.join(NOTE), |n| n.schema_version)
    }

    pub(super) fn store(&self, disk: &mut dyn LakeDisk, folder: &Path) -> LayerResult<()> {
        store(self, disk, &folder.join(NOTE))
    }
}

fn store<T: Serialize>(what: &T, disk: &mut dyn LakeDisk, path: &Path) -> LayerResult<()> {
    let mut text = serde_json::to_vec_pretty(what).map_err(|e| LayerError::damaged(path, e))?;
    text.push(b'\n');
    put(disk, path, &text)
}

fn load<T: for<'de> Deserialize<'de>>(path: &Path, version: impl Fn(&T) -> u32) -> LayerResult<Option<T>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(LayerError::io(path)(e)),
    };
    let read: T = serde_json::from_slice(&text).map_err(|e| LayerError::damaged(path, e))?;
    if version(&read) > SCHEMA_VERSION {
        let newer = format!("it was written by a newer release (schema {}); upgrade to read it", version(&read));
        return Err(LayerError::damaged(path, newer));
    }
    Ok(Some(read))
}

/// Is the hour of this folder closed?
pub(super) fn is_closed(folder: &Path) -> bool {
    folder.join(MANIFEST).exists()
}
