//! What an earlier writer of a market left, seen before the first row is taken.

use super::disk::LakeDisk;
use super::folder::hours_of;
use super::hour::OpenHour;
use super::manifest::{HourGap, HourManifest, UNFLUSHED, is_closed};
use super::place::{LakeMarket, hour_folder};
use super::schema::LakeTable;
use super::{LayerError, LayerResult};
use crate::file_lock::{FileLock, LockRefusal};
use barograph_domain::Ts;
use std::path::{Path, PathBuf};

/// The state of a market's folder.
#[derive(Debug, Default)]
pub(super) struct LeftBehind {
    /// The hour that goes on.
    pub(super) open: Option<OpenHour>,
    /// Where rows may be missing behind it: the last moment that is known.
    pub(super) loss: Option<Ts>,
    /// Temporary files that were taken away.
    pub(super) removed: Vec<PathBuf>,
    /// The `ts` of the latest row there is.
    pub(super) last_ts: Option<Ts>,
}

/// Reads what is there. Of several hours under way, as imports leave them, the last is read; the others wait for rows of theirs.
pub(super) fn recover(disk: &mut dyn LakeDisk, folder: &Path, table: &LakeTable) -> LayerResult<LeftBehind> {
    let mut recovered = LeftBehind::default();
    let mut open = None;
    for (begin, folder) in hours_of(folder, Ts::MIN, Ts::MAX)? {
        if is_closed(&folder) {
            recovered.last_ts = Some(begin);
        } else {
            open = Some((begin, folder));
        }
    }
    if let Some(begin) = recovered.last_ts {
        let closed = HourManifest::load(&hour_folder(folder, begin))?;
        recovered.last_ts = closed.and_then(|m| m.last_ts).or(recovered.last_ts);
    }
    if let Some((begin, folder)) = open {
        let (hour, removed, torn) = OpenHour::resume(disk, &folder, begin, table)?;
        recovered.removed.extend(removed);
        recovered.loss = torn.then(|| hour.last_ts.unwrap_or(hour.begin));
        recovered.last_ts = recovered.last_ts.max(hour.last_ts);
        recovered.open = Some(hour);
    }
    Ok(recovered)
}

/// The gap behind the last row of an hour whose writer did not stop in order. It has a length: one without is the beginning of a run.
pub(super) fn loss(hour: &OpenHour, until: Ts) -> HourGap {
    let from = hour.last_ts.unwrap_or(hour.begin);
    HourGap { from, until: until.max(Ts(from.0 + 1)), reason: UNFLUSHED.to_owned() }
}

/// Closes an hour that has no writer, when it ended before a moment.
pub(super) fn close_abandoned(
    disk: &mut dyn LakeDisk,
    folder: &Path,
    begin: Ts,
    table: &LakeTable,
    market: &LakeMarket,
) -> LayerResult<()> {
    let (mut hour, _, torn) = OpenHour::resume(disk, folder, begin, table)?;
    if torn {
        hour.gap(loss(&hour, hour.end));
    }
    hour.close(disk, table, market).map(drop)
}

/// The lock of a file in a market's folder.
pub(super) fn hold(path: &Path) -> LayerResult<FileLock> {
    let mut lock = match FileLock::take(path) {
        Ok(lock) => lock,
        Err(LockRefusal::Io(e)) => return Err(LayerError::io(path)(e)),
        Err(LockRefusal::Held(pid)) => return Err(LayerError::Held { pid, path: path.to_path_buf() }),
    };
    lock.write(&format!("{}\n", std::process::id())).map_err(LayerError::io(path))?;
    Ok(lock)
}
