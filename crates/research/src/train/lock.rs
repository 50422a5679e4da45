//! One process at a time in a folder.

use crate::ResearchError;
use std::fs::{File, TryLockError};
use std::path::Path;

/// Holds a file of a folder as long as what is returned lives; `busy` says what another process does there, and what to do.
///
/// # Errors
/// Another process holds it, or the operating system refuses.
pub(super) fn held(folder: &Path, name: &str, busy: impl FnOnce() -> String) -> Result<File, ResearchError> {
    let path = folder.join(name);
    let opened = File::options().write(true).create(true).truncate(false).open(&path);
    let failed = |e: std::io::Error| ResearchError::Refused(format!("cannot hold {}: {e}", path.display()));
    let file = opened.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(e)) => Err(failed(e)),
        Err(TryLockError::WouldBlock) => Err(ResearchError::Refused(busy())),
    }
}
