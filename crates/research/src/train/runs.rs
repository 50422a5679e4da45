//! Boards of earlier runs: each is kept under the digest of its settings, and none replaces another.

use super::artefact::{BOARD, StudyBoard, read_board};
use crate::ResearchError;
use std::path::{Path, PathBuf};

/// Folder of the runs of a target.
pub const RUNS: &str = "runs";

/// Folders of all runs of a target that have a board.
fn folders(target: &Path) -> Result<Vec<PathBuf>, ResearchError> {
    let root = target.join(RUNS);
    let failed = |e: std::io::Error| ResearchError::Failed(format!("cannot read {}: {e}", root.display()));
    let entries = match std::fs::read_dir(&root) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.join(BOARD).is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Boards of this target but for one run's.
pub(super) fn earlier_runs(target: &Path, run: &str) -> Result<usize, ResearchError> {
    Ok(folders(target)?.iter().filter(|f| !f.ends_with(run)).count())
}

/// All boards of a target's folder, the oldest first.
///
/// # Errors
/// One of them cannot be read.
pub fn boards(target: &Path) -> Result<Vec<StudyBoard>, ResearchError> {
    let mut found: Vec<StudyBoard> = folders(target)?.iter().map(|f| read_board(f)).collect::<Result<_, _>>()?;
    found.sort_by(|a, b| a.made.cmp(&b.made));
    Ok(found)
}
