//! Where the workspace is and which files belong to it.
//!
//! A file belongs when git tracks it or would (not ignored). Outside a git checkout, as in an unpacked source archive,
//! every file counts except build output.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace root.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or_else(|| here.clone(), Path::to_path_buf)
}

/// Files of the project, relative to `root`, with `/` between parts, sorted.
pub(crate) fn files(root: &Path) -> Result<Vec<String>, String> {
    let mut names = tracked(root).map_or_else(|| walk(root), Ok)?;
    names.retain(|n| root.join(n).is_file());
    names.sort();
    names.dedup();
    Ok(names)
}

/// Text of a file, or `None` when it is not UTF-8.
pub(crate) fn text(root: &Path, name: &str) -> Result<Option<String>, String> {
    let bytes = std::fs::read(root.join(name)).map_err(|e| format!("cannot read {name}: {e}"))?;
    Ok(String::from_utf8(bytes).ok())
}

fn tracked(root: &Path) -> Option<Vec<String>> {
    let out = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .ok()
        .filter(|o| o.status.success())?;
    let text = String::from_utf8(out.stdout).ok()?;
    Some(text.split('\0').filter(|n| !n.is_empty()).map(str::to_owned).collect())
}

/// Every file below `root`, build output and git's own left out.
pub(crate) fn walk(root: &Path) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        let entries = std::fs::read_dir(&dir).map_err(|e| format!("cannot list {}: {e}", dir.display()))?;
        for entry in entries {
            let path = entry.map_err(|e| format!("cannot list {}: {e}", dir.display()))?.path();
            let skipped = path.file_name().is_some_and(|n| n == "target" || n == ".git");
            if path.is_dir() && !skipped {
                open.push(path);
            } else if let Ok(relative) = path.strip_prefix(root) {
                let parts: Vec<_> = relative.components().map(|c| c.as_os_str().to_string_lossy()).collect();
                found.push(parts.join("/"));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_itself_with_and_without_git() {
        let root = root();
        for names in [files(&root).unwrap(), walk(&root.join("crates/xtask")).unwrap()] {
            assert!(names.iter().any(|n| n.ends_with("src/tree.rs")), "{names:?}");
        }
        assert!(files(&root).unwrap().iter().all(|n| !n.starts_with("target/")));
    }
}
