//! What a lake holds, by market.

use super::catalogue::{LakeHour, LakeQuery, markets};
use super::check::LakeFinding;
use super::gaps::UnknownTime;
use super::place::{LakeMarket, Layer};
use super::reader::{LakeReader, PartReader};
use super::{HourManifest, LayerResult};
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
    /// `ts` of the first and the last row; `None` without rows.
    pub span: Option<(Ts, Ts)>,
    /// Rows of all its hours.
    pub rows: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Gaps that manifests declare between rows that are there.
    pub gaps: u64,
    /// Hours that could not be read, and why; their rows are not counted.
    pub faults: Vec<LakeFinding>,
}

/// Every market's tables, by manifests; of open hours, what their parts say.
///
/// # Errors
/// When a folder cannot be read. An hour that cannot be is among the faults of its table, and the others are listed.
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
            span: None,
            rows: 0,
            bytes: 0,
            gaps: 0,
            faults: Vec::new(),
        };
        let mut walk = UnknownTime::default();
        for hour in hours {
            if let Err(e) = listing.add(&hour, &mut walk) {
                listing.faults.push(LakeFinding { path: hour.folder, what: e.to_string() });
            }
        }
        found.push(listing);
    }
    Ok(found)
}

impl LakeListing {
    fn add(&mut self, hour: &LakeHour, walk: &mut UnknownTime) -> LayerResult<()> {
        if let Some(manifest) = hour.manifest()? {
            self.count(&manifest, walk);
            return Ok(());
        }
        self.open += 1;
        if let Some(so_far) = hour.so_far()? {
            self.count(&so_far, walk);
            return Ok(());
        }
        for path in hour.files()? {
            self.rows += PartReader::open(&path, None)?.rows();
            self.bytes += path.metadata().map_or(0, |m| m.len());
        }
        for batch in LakeReader::new(vec![hour.clone()], Some(&["ts"])) {
            let batch = batch?;
            batch.moments("ts").unwrap_or_default().iter().for_each(|ts| self.reach(Some((Ts(*ts), Ts(*ts)))));
        }
        Ok(())
    }

    fn count(&mut self, manifest: &HourManifest, walk: &mut UnknownTime) {
        self.rows += manifest.rows;
        self.bytes += manifest.files.iter().map(|f| f.bytes).sum::<u64>();
        self.gaps += walk.of(manifest).len() as u64;
        self.reach(manifest.first_ts.zip(manifest.last_ts));
    }

    /// Rows from one moment to another are there.
    fn reach(&mut self, rows: Option<(Ts, Ts)>) {
        let Some((first, last)) = rows else { return };
        self.span = Some(self.span.map_or((first, last), |(from, until)| (from.min(first), until.max(last))));
    }
}
