//! One process at a time in a folder.

use super::request::StudyRequest;
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

/// Held by whoever fits models of a target: what one keeps another would take away.
pub(super) fn training(request: &StudyRequest) -> Result<File, ResearchError> {
    let folder = request.folder.display();
    let busy = format!(
        "another process trains {} of {} in {folder}; wait for it, or name another folder with --studies",
        request.target, request.market
    );
    held(&request.folder, "train.lock", || busy)
}
