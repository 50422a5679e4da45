//! Commands as sentences name them: with the folders that were meant, so that they can be typed as they stand.

use barograph_domain::InstrumentName;
use std::path::Path;

/// A path as one word of a shell.
#[must_use]
pub fn shell_word(path: &Path) -> String {
    barograph_domain::text::shell_word(&path.display().to_string())
}

/// The options that name a lake and a folder of studies.
#[must_use]
pub fn placed(lake: &Path, studies: &Path) -> String {
    format!(" --lake {} --studies {}", shell_word(lake), shell_word(studies))
}

/// What makes rows and books of a market; `FILE` is whatever recording there is.
pub(crate) fn dataset_command(lake: &Path, market: &InstrumentName) -> String {
    format!("barograph lab dataset {market} --source FILE --lake {}", shell_word(lake))
}
