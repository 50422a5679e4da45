//! Recordings that are not in the repository.

use crate::skipped::skipped_part;
use std::path::{Path, PathBuf};

/// The file or folder of this name below the recorded data: in `../shared/data` beside the checkout, or where
/// `BAROGRAPH_SHARED_DATA` says. `None`, and the test is said to be skipped, where it is missing.
///
/// # Panics
/// As [`crate::skipped`].
#[must_use]
pub fn recorded(below: &str) -> Option<PathBuf> {
    let root = std::env::var_os("BAROGRAPH_SHARED_DATA").map_or_else(beside, PathBuf::from);
    let path = root.join(below);
    if path.exists() {
        return Some(path);
    }
    // `.ci/run` looks for these words: where there is recorded data, no test may miss it.
    skipped_part(below, &format!("recorded data not found in {}", root.display()));
    None
}

fn beside() -> PathBuf {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    checkout.and_then(Path::parent).unwrap_or(Path::new("..")).join("shared/data")
}
