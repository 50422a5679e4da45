//! Folders as they stand on disk.

use super::disk::PARTIAL;
use super::place::value_of;
use super::{LayerError, LayerResult};
use barograph_domain::Ts;
use std::path::{Path, PathBuf};

/// Lock of a market's writer, in the market's folder.
pub(super) const WRITER_LOCK: &str = "_writer.lock";
/// Lock of whoever compacts a market.
pub(super) const COMPACT_LOCK: &str = "_compact.lock";

/// Entries of a folder with their names, sorted; none for a folder that is not there.
pub(super) fn entries(folder: &Path) -> LayerResult<Vec<(String, PathBuf)>> {
    let read = match std::fs::read_dir(folder) {
        Ok(read) => read,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(e) => return Err(LayerError::io(folder)(e)),
    };
    let mut found = Vec::new();
    for entry in read {
        let path = entry.map_err(LayerError::io(folder))?.path();
        if let Some(name) = path.file_name().and_then(|n| n.to_str()) {
            found.push((name.to_owned(), path));
        }
    }
    found.sort();
    Ok(found)
}

/// Folders `key=…` in a folder, with their values.
pub(super) fn by_key(folder: &Path, key: &str) -> LayerResult<Vec<(String, PathBuf)>> {
    let value = |(name, path): (String, PathBuf)| value_of(&name, key).map(|value| (value, path));
    Ok(entries(folder)?.into_iter().filter_map(value).collect())
}

/// Hours of a market between two moments, earliest first.
pub(super) fn hours_of(market: &Path, from: Ts, until: Ts) -> LayerResult<Vec<(Ts, PathBuf)>> {
    let mut found = Vec::new();
    for (year, path) in numbered(market, "year")? {
        // Folders of whole years are passed over without a look: 8,760 hours each.
        if Ts::from_civil(year + 1, 1, 1, 0, 0, 0) <= from || Ts::from_civil(year, 1, 1, 0, 0, 0) >= until {
            continue;
        }
        for (month, path) in numbered(&path, "month")? {
            for (day, path) in numbered(&path, "day")? {
                for (hour, path) in numbered(&path, "hour")? {
                    let at = Ts::from_civil(year, month, day, hour, 0, 0);
                    let end = Ts::from_civil(year, month, day, hour + 1, 0, 0);
                    if end > from && at < until {
                        found.push((at, path));
                    }
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

fn numbered(folder: &Path, key: &str) -> LayerResult<Vec<(i64, PathBuf)>> {
    let number = |(value, path): (String, PathBuf)| Some((value.parse().ok().filter(|n| *n < 10_000)?, path));
    Ok(by_key(folder, key)?.into_iter().filter_map(number).collect())
}

/// Parquet files and temporary files of an hour, by name.
pub(super) fn files_of(hour: &Path) -> LayerResult<(Vec<String>, Vec<String>)> {
    let names = entries(hour)?.into_iter().map(|(name, _)| name);
    let (partial, other): (Vec<_>, Vec<_>) = names.partition(|name| name.ends_with(PARTIAL));
    Ok((other.into_iter().filter(|name| name.ends_with(".parquet")).collect(), partial))
}

/// Name of a file whose first row has this number among the moments of the hour.
pub(super) fn part_name(number: i64) -> String {
    format!("part-{number:019}.parquet")
}

/// The number in a file's name.
pub(super) fn number_of(name: &str) -> Option<i64> {
    let stem = name.strip_suffix(".parquet")?;
    stem.strip_prefix("part-").or_else(|| stem.strip_prefix("hour-"))?.parse().ok()
}
