//! Which hours there are.

use super::compact::digest_of;
use super::folder::{by_key, entries, files_of, hours_of};
use super::manifest::OpenNote;
use super::place::{LakeMarket, Layer};
use super::{HourManifest, LayerResult};
use barograph_domain::Ts;
use std::path::{Path, PathBuf};

/// Which hours are wanted; what is `None` is not asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LakeQuery {
    /// Of this layer only.
    pub layer: Option<Layer>,
    /// Of this table only.
    pub table: Option<String>,
    /// Of this venue only.
    pub exchange: Option<String>,
    /// Of this market only.
    pub symbol: Option<String>,
    /// Bars of this length only.
    pub timeframe: Option<String>,
    /// Hours that end after this.
    pub from: Option<Ts>,
    /// Hours that begin before this.
    pub until: Option<Ts>,
}

/// An hour of a market's table.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LakeHour {
    /// The layer.
    pub layer: Layer,
    /// The table.
    pub table: String,
    /// Whose rows.
    pub market: LakeMarket,
    /// Where it begins.
    pub hour: Ts,
    /// Its folder.
    pub folder: PathBuf,
}

impl LakeHour {
    /// What was said when it was closed; `None` while it is open.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn manifest(&self) -> LayerResult<Option<HourManifest>> {
        HourManifest::load(&self.folder)
    }

    /// What its manifest would be if nothing more came; `None` when it is closed, or its writer runs or did not stop in order.
    ///
    /// # Errors
    /// When what the hour notes of itself cannot be read.
    pub fn so_far(&self) -> LayerResult<Option<HourManifest>> {
        Ok(OpenNote::load(&self.folder)?.and_then(|note| note.so_far))
    }

    /// Digest of its rows ([`super::digest`]), 64 hexadecimal digits: as its manifest says, or of the rows there are so far.
    ///
    /// # Errors
    /// When the manifest, or a file of an hour under way, cannot be read.
    pub fn content_digest(&self) -> LayerResult<String> {
        if let Some(manifest) = self.manifest()? {
            return Ok(manifest.content_sha256);
        }
        match self.so_far()? {
            Some(so_far) => Ok(so_far.content_sha256),
            None => digest_of(&self.files()?),
        }
    }

    /// Its files in the order of their rows: those of the manifest, or the parts so far.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn files(&self) -> LayerResult<Vec<PathBuf>> {
        let names = match self.manifest()? {
            Some(manifest) => manifest.files.into_iter().map(|f| f.name).collect(),
            None => files_of(&self.folder)?.0,
        };
        Ok(names.into_iter().map(|name| self.folder.join(name)).collect())
    }
}

/// A market's folder of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct MarketFolder {
    pub(super) layer: Layer,
    pub(super) table: String,
    pub(super) market: LakeMarket,
    pub(super) folder: PathBuf,
}

impl MarketFolder {
    pub(super) fn hours(&self, from: Ts, until: Ts) -> LayerResult<Vec<LakeHour>> {
        let hour = |(hour, folder)| LakeHour {
            layer: self.layer,
            table: self.table.clone(),
            market: self.market.clone(),
            hour,
            folder,
        };
        Ok(hours_of(&self.folder, from, until)?.into_iter().map(hour).collect())
    }
}

/// Hours that are there, by layer, table, market and time.
///
/// # Errors
/// When a folder cannot be read.
pub fn hours(root: &Path, query: &LakeQuery) -> LayerResult<Vec<LakeHour>> {
    let mut found = Vec::new();
    for market in markets(root, query)? {
        found.extend(market.hours(query.from.unwrap_or(Ts::MIN), query.until.unwrap_or(Ts::MAX))?);
    }
    Ok(found)
}

/// Markets that are there.
pub(super) fn markets(root: &Path, query: &LakeQuery) -> LayerResult<Vec<MarketFolder>> {
    let wanted = |want: &Option<String>, have: &str| want.as_deref().is_none_or(|want| want == have);
    let mut found = Vec::new();
    for layer in Layer::ALL.into_iter().filter(|l| query.layer.is_none_or(|want| want == *l)) {
        for (table, path) in entries(&root.join(layer.word()))? {
            if !wanted(&query.table, &table) {
                continue;
            }
            for (exchange, path) in by_key(&path, "exchange")?.into_iter().filter(|(e, _)| wanted(&query.exchange, e)) {
                for (symbol, folder) in by_key(&path, "symbol")?.into_iter().filter(|(s, _)| wanted(&query.symbol, s)) {
                    let market = LakeMarket::new(&exchange, symbol);
                    let bars = by_key(&folder, "timeframe")?;
                    if bars.is_empty() && query.timeframe.is_none() {
                        found.push(MarketFolder { layer, table: table.clone(), market: market.clone(), folder });
                    }
                    for (timeframe, folder) in bars.into_iter().filter(|(t, _)| wanted(&query.timeframe, t)) {
                        let market = market.clone().with_timeframe(timeframe);
                        found.push(MarketFolder { layer, table: table.clone(), market, folder });
                    }
                }
            }
        }
    }
    Ok(found)
}
