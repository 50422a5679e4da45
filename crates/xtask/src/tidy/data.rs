//! Test data has an origin: every folder explains its files, and every declared hash is true.
//!
//! A folder under `testdata/` is explained by the nearest README.md in it or above it; that README says "licence" and
//! names every file. An `import.toml` beside files states their sha256, which the README repeats.

use super::{Finding, Tree};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use toml::{Table, Value};

pub(super) fn check(tree: &Tree<'_>) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    let data = |n: &&String| n.starts_with("testdata/") && !n.ends_with("/README.md");
    for name in tree.files.iter().filter(data) {
        match readme_of(name, tree.files) {
            None => findings.push(Finding::new(name, "no README.md in its folder or above says where it comes from")),
            Some(readme) => findings.extend(explained(name, readme, &tree.required(readme)?)),
        }
        if name.ends_with("/import.toml") {
            findings.extend(hashes(tree, name)?);
        }
    }
    Ok(findings)
}

/// Nearest README.md at or above the file, inside `testdata/` but not its root.
fn readme_of<'a>(name: &str, files: &'a [String]) -> Option<&'a str> {
    let mut folder = name;
    while let Some((above, _)) = folder.rsplit_once('/') {
        if above == "testdata" {
            return None;
        }
        let wanted = format!("{above}/README.md");
        if let Some(found) = files.iter().find(|f| **f == wanted) {
            return Some(found);
        }
        folder = above;
    }
    None
}

fn explained(name: &str, readme: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let folder = readme.trim_end_matches("README.md");
    let inside = name.strip_prefix(folder).unwrap_or(name);
    if !text.contains(&format!("`{inside}`")) {
        findings.push(Finding::new(readme, format!("does not name `{inside}`")));
    }
    if !text.contains("licence") {
        findings.push(Finding::new(readme, "says nothing of a licence"));
    }
    findings
}

fn hashes(tree: &Tree<'_>, name: &str) -> Result<Vec<Finding>, String> {
    let folder = name.trim_end_matches("import.toml");
    let readme = tree.required(&format!("{folder}README.md"))?;
    let table: Table = tree.required(name)?.parse().map_err(|e| format!("{name}: {e}"))?;
    let mut findings = Vec::new();
    for entry in table.get("file").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let path = format!("{folder}{}", text("path"));
        if !tree.files.contains(&path) {
            findings.push(Finding::new(name, format!("lists '{path}', which does not exist")));
            continue;
        }
        let bytes = std::fs::read(tree.root.join(&path)).map_err(|e| format!("cannot read {path}: {e}"))?;
        let hash = sha256(&bytes);
        if hash != text("sha256") {
            findings.push(Finding::new(name, format!("'{path}' has sha256 {hash}, not what is stated")));
        }
        if !readme.contains(&hash) {
            findings.push(Finding::new(format!("{folder}README.md"), format!("does not state the sha256 of '{path}'")));
        }
    }
    Ok(findings)
}

/// Hex of the SHA-256 of `bytes`.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_nearest_readme_speaks_for_a_file() {
        let files = ["testdata/a/README.md", "testdata/a/b/README.md", "testdata/README.md"].map(str::to_owned);
        assert_eq!(readme_of("testdata/a/b/c/x.csv", &files), Some("testdata/a/b/README.md"));
        assert_eq!(readme_of("testdata/a/x.csv", &files), Some("testdata/a/README.md"));
        assert_eq!(readme_of("testdata/other/x.csv", &files), None);
    }

    #[test]
    fn silence_about_a_file_or_its_licence_is_found() {
        let readme = "testdata/a/README.md";
        assert_eq!(explained("testdata/a/b/x.csv", readme, "`b/x.csv`, licence: MIT"), []);
        let found = explained("testdata/a/b/x.csv", readme, "`x.csv`");
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn a_wrong_hash_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let good = sha256(b"1,2\n");
        write("testdata/a/x.csv", "1,2\n");
        write("testdata/a/import.toml", &format!("[[file]]\npath = \"x.csv\"\nsha256 = \"{good}\""));
        write("testdata/a/README.md", &format!("licence: MIT; `x.csv` {good}, `import.toml`"));
        let files = ["testdata/a/README.md", "testdata/a/import.toml", "testdata/a/x.csv"].map(str::to_owned);
        let found = |root: &Path| check(&Tree { root, files: &files }).unwrap();
        assert_eq!(found(dir.path()), []);
        write("testdata/a/x.csv", "1,3\n");
        assert_eq!(found(dir.path()).len(), 2, "hash in import.toml and in the README");
    }
}
