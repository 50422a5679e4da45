//! What a lake holds, by market.

use super::LayerResult;
use super::catalogue::{LakeQuery, markets};
use super::place::{LakeMarket, Layer};
use super::reader::PartReader;
use barograph_domain::Ts;
use std::path::Path;

/// A market's table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LakeListing {
    /// The layer.
    pub layer: Layer,
    /// The table.
    pub table: String,
    /// Whose rows.
    pub market: LakeMarket,
    /// Hours that are there.
    pub hours: u64,
    /// Those of them that are not closed.
    pub open: u64,
    /// Where the first and the last of them begin; `None` without hours.
    pub range: Option<(Ts, Ts)>,
    /// Rows of all its hours.
    pub rows: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Gaps that manifests declare.
    pub gaps: u64,
}

/// Every market's tables, by manifests; of open hours, what their parts say.
///
/// # Errors
/// When a folder or a manifest cannot be read.
pub fn list(root: &Path) -> LayerResult<Vec<LakeListing>> {
    let mut found = Vec::new();
    for market in markets(root, &LakeQuery::default())? {
        let hours = market.hours(Ts::MIN, Ts::MAX)?;
        let range = hours.first().zip(hours.last()).map(|(first, last)| (first.hour, last.hour));
        let mut listing = LakeListing {
            layer: market.layer,
            table: market.table,
            market: market.market,
            hours: hours.len() as u64,
            open: 0,
            range,
            rows: 0,
            bytes: 0,
            gaps: 0,
        };
        for hour in hours {
            if let Some(manifest) = hour.manifest()? {
                listing.rows += manifest.rows;
                listing.bytes += manifest.files.iter().map(|f| f.bytes).sum::<u64>();
                listing.gaps += manifest.gaps.len() as u64;
                continue;
            }
            listing.open += 1;
            for path in hour.files()? {
                listing.rows += PartReader::open(&path, None)?.rows();
                listing.bytes += path.metadata().map_or(0, |m| m.len());
            }
        }
        found.push(listing);
    }
    Ok(found)
}
