//! Nothing too long to read, nothing too big to clone, and lock entries from the public index only.
//!
//! Limits: 600 lines for source and documents (two ideas in one room), 2 MB for any file, 5 MB for all test data.

use super::{Finding, Tree};

const LINES_MAX: usize = 600;
const BYTES_MAX: u64 = 2_000_000;
const TESTDATA_BYTES_MAX: u64 = 5_000_000;

/// Files that may be longer, each with its reason.
const LONG: [(&str, &str); 5] = [
    ("docs/scorecard.md", "written by docs/scorecard.sh: tables of every recorded set"),
    ("Cargo.lock", "written by cargo"),
    ("crates/api/openapi.json", "written by `cargo x gen`"),
    ("web/package-lock.json", "written by npm"),
    ("web/src/api/schema.d.ts", "written by `npm run types`"),
];

const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(tree: &Tree<'_>) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    let mut testdata = 0;
    for name in tree.files {
        let meta = std::fs::metadata(tree.root.join(name)).map_err(|e| format!("cannot read {name}: {e}"))?;
        findings.extend(too_big(meta.len()).map(|text| Finding::new(name, text)));
        if name.starts_with("testdata/") {
            testdata += meta.len();
        }
    }
    if testdata > TESTDATA_BYTES_MAX {
        findings.push(Finding::new("testdata", format!("{testdata} bytes in all, the limit is {TESTDATA_BYTES_MAX}")));
    }
    for name in tree.having(&[".rs", ".md", ".toml", ".py", ".ts", ".json", ".sh", ".sql"]) {
        if let Some(text) = tree.text(name)? {
            findings.extend(too_long(name, text.lines().count()).map(|message| Finding::new(name, message)));
        }
    }
    findings.extend(sources(&tree.required("Cargo.lock")?));
    Ok(findings)
}

fn too_big(bytes: u64) -> Option<String> {
    (bytes > BYTES_MAX)
        .then(|| format!("{bytes} bytes, the limit is {BYTES_MAX}: it does not belong in the repository"))
}

fn too_long(name: &str, lines: usize) -> Option<String> {
    let listed = LONG.iter().any(|(n, _)| *n == name) || name.starts_with("testdata/");
    (lines > LINES_MAX && !listed)
        .then(|| format!("{lines} lines, the limit is {LINES_MAX}: two ideas in one file, or an entry in tidy's list"))
}

fn sources(lock: &str) -> Vec<Finding> {
    let foreign = |line: &&str| line.starts_with("source = ") && !line.contains(INDEX);
    let place = |n: usize| format!("Cargo.lock:{}", n + 1);
    lock.lines()
        .enumerate()
        .filter(|(_, line)| foreign(line))
        .map(|(n, line)| Finding::new(place(n), format!("{line}: only the public index may be locked")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_bite_one_past_the_limit() {
        assert_eq!(too_big(BYTES_MAX), None);
        assert!(too_big(BYTES_MAX + 1).is_some());
        assert_eq!(too_long("a.rs", LINES_MAX), None);
        assert!(too_long("a.rs", LINES_MAX + 1).is_some());
        assert_eq!(too_long("Cargo.lock", 10_000), None);
    }

    #[test]
    fn a_foreign_registry_is_found_with_its_line() {
        let text = format!("[[package]]\nsource = \"{INDEX}\"\nsource = \"git+https://example.org/x\"");
        let found = sources(&text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "Cargo.lock:3");
    }
}
