//! Bodies as they were received, before anything is read in them: kept compressed beside the journal, as long as that is kept.

use super::folder;
use barograph_domain::{Span, Ts};
use std::path::{Path, PathBuf};

/// zstd's own default: charts shrink to a fifth.
const LEVEL: i32 = 3;

fn of_series(data: &Path, name: &str) -> PathBuf {
    folder(data).join("raw").join(name)
}

/// Hex digits of the SHA-256 of a body.
pub(super) fn digest(body: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(body).iter().map(|b| format!("{b:02x}")).collect()
}

/// Writes a body under the moment it was received, and removes those older than `keep`.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn keep(data: &Path, name: &str, recv: Ts, body: &[u8], keep: Span) -> std::io::Result<()> {
    let folder = of_series(data, name);
    std::fs::create_dir_all(&folder)?;
    let packed = zstd::bulk::compress(body, LEVEL)?;
    let (new, path) = (folder.join("new"), folder.join(file_name(recv)));
    std::fs::write(&new, packed)?;
    std::fs::rename(new, path)?;
    let oldest = file_name(recv - keep);
    for entry in std::fs::read_dir(&folder)? {
        let entry = entry?;
        // Names of one length: older is smaller.
        if entry.file_name().to_string_lossy().as_ref() < oldest.as_str() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A name that sorts by time and is one on every system.
fn file_name(recv: Ts) -> String {
    let (y, mo, d, h, mi, s, ns) = recv.civil();
    format!("{y:04}{mo:02}{d:02}T{h:02}{mi:02}{s:02}.{:03}Z.zst", ns / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_kept_for_a_time() {
        let data = tempfile::tempdir().unwrap();
        let at = |d| Ts::from_civil(2026, 11, d, 1, 2, 3);
        for d in [1, 5, 9] {
            keep(data.path(), "fng.value", at(d), b"{\"data\":[]}", Span::days(7)).unwrap();
        }
        let folder = of_series(data.path(), "fng.value");
        let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["20261105T010203.000Z.zst", "20261109T010203.000Z.zst"]);
        let packed = std::fs::read(folder.join(&names[0])).unwrap();
        assert_eq!(zstd::bulk::decompress(&packed, 100).unwrap(), b"{\"data\":[]}");
        assert_eq!(digest(b"").len(), 64);
    }
}
