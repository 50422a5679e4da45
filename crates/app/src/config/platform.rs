//! Where this platform keeps data of applications.

use std::path::PathBuf;

/// The platform's folder for application data.
pub(super) fn default_data() -> String {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    let base = if cfg!(target_os = "macos") {
        home().map(|h| h.join("Library/Application Support"))
    } else if cfg!(windows) {
        std::env::var_os("LOCALAPPDATA").map(PathBuf::from)
    } else {
        std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(|| home().map(|h| h.join(".local/share")))
    };
    base.map_or_else(|| PathBuf::from("barograph-data"), |b| b.join("barograph")).display().to_string()
}
