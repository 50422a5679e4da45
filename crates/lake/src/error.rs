//! What can stop an import altogether. A single bad file does not: it is listed in the report.

use crate::report::FailedFile;
use std::fmt;
use std::path::PathBuf;

/// Variants by what the caller does next.
#[derive(Debug)]
pub enum Error {
    /// The options contradict each other or the files: change the command.
    Usage(String),
    /// Not one file can be imported: show each reason.
    Nothing {
        /// What was looked at.
        looked_at: usize,
        /// Why each file failed, in order.
        failed: Vec<FailedFile>,
    },
    /// A path given by the user cannot be read at all.
    Path {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) => f.write_str(text),
            Self::Nothing { looked_at: 0, .. } => f.write_str("no file to import: the folders are empty"),
            Self::Nothing { looked_at, failed } => {
                write!(f, "nothing to import in {looked_at} file{}", if *looked_at == 1 { "" } else { "s" })?;
                // One line per file, but not a screen full.
                for file in failed.iter().take(10) {
                    write!(f, "\n  {}: {}", file.path, file.error)?;
                }
                if failed.len() > 10 {
                    write!(f, "\n  and {} more", failed.len() - 10)?;
                }
                Ok(())
            }
            Self::Path { path, .. } => write!(f, "cannot read {}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Path { source, .. } => Some(source),
            Self::Usage(_) | Self::Nothing { .. } => None,
        }
    }
}
