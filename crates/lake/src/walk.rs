//! Which files: arguments and what lies below them, in the order of names, without what nobody means as data.

use crate::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// Files to look into, and files left out.
#[derive(Debug, Default)]
pub(crate) struct FoundFiles {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) skipped: Vec<String>,
}

/// Levels of folders; more are taken for a link that leads back.
const DEEPEST: usize = 32;

/// Endings of files that lie beside data.
const BESIDE: [&str; 9] = ["md", "txt", "checksum", "toml", "log", "html", "pdf", "py", "ipynb"];

/// Walks arguments. A file named by the user is always looked into, whatever it is called.
pub(crate) fn walk(paths: &[PathBuf]) -> Result<FoundFiles, Error> {
    let mut found = FoundFiles::default();
    for path in paths {
        let meta = fs::metadata(path).map_err(|source| Error::Path { path: path.clone(), source })?;
        if meta.is_dir() {
            folder(path, DEEPEST, &mut found)?;
        } else {
            found.files.push(path.clone());
        }
    }
    // The same file twice would only be removed again row by row.
    found.files.sort();
    found.files.dedup();
    found.skipped.sort();
    found.skipped.dedup();
    Ok(found)
}

fn folder(path: &Path, levels: usize, found: &mut FoundFiles) -> Result<(), Error> {
    let failed = |source| Error::Path { path: path.to_path_buf(), source };
    if levels == 0 {
        return Err(failed(std::io::Error::other("folders are nested too deeply; is one linked into itself?")));
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path).map_err(failed)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>().map_err(failed)?;
    entries.sort();
    for entry in entries {
        let name = entry.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') {
            found.skipped.push(entry.display().to_string());
        } else if entry.is_dir() {
            folder(&entry, levels - 1, found)?;
        } else if is_beside(&name) {
            found.skipped.push(entry.display().to_string());
        } else {
            found.files.push(entry);
        }
    }
    Ok(())
}

pub(crate) fn is_beside(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let ending = lower.rsplit_once('.').map(|(_, e)| e);
    ending.is_some_and(|e| BESIDE.contains(&e))
        || (ending.is_none() && ["license", "licence", "copying", "readme", "makefile"].contains(&lower.as_str()))
}
