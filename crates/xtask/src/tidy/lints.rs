//! Every member inherits the workspace lints, and pure crates carry the strict `clippy.toml`.
//!
//! A forgotten `[lints] workspace = true` is silent, and a member's own `clippy.toml` replaces the root one rather than
//! adding to it: both mistakes look like a clean build.

use super::{Finding, Tree};
use std::collections::BTreeSet;
use toml::{Table, Value};

/// Crates that promise purity by a `clippy.toml` of their own.
const PURE: [&str; 5] = ["domain", "engine", "lab", "venues", "verify"];

/// What that file has to forbid at least.
const FORBIDDEN: [&str; 17] = [
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "std::thread::sleep",
    "std::thread::spawn",
    "std::env::var",
    "std::env::args",
    "std::fs::read",
    "std::fs::read_to_string",
    "std::fs::write",
    "f64::ln",
    "f64::exp",
    "f64::powf",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::fs::File",
    "std::net::TcpStream",
    "std::time::Instant",
];

pub(super) fn check(tree: &Tree<'_>) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for name in tree.files.iter().filter(|n| n.starts_with("crates/") && n.ends_with("/Cargo.toml")) {
        findings.extend(inherits(&tree.required(name)?).map(|text| Finding::new(name, text)));
    }
    for folder in PURE {
        let name = format!("crates/{folder}/clippy.toml");
        if tree.files.contains(&name) {
            let missing = strict(&tree.required(&name)?);
            findings.extend(missing.iter().map(|path| Finding::new(&name, format!("does not forbid '{path}'"))));
        } else {
            findings.push(Finding::new(name, "missing: a pure crate forbids clocks, files, threads and hash maps"));
        }
    }
    Ok(findings)
}

fn inherits(manifest: &str) -> Option<&'static str> {
    let table: Table = match manifest.parse() {
        Ok(table) => table,
        Err(_e) => return Some("is not TOML"),
    };
    let inherited = table.get("lints").and_then(|l| l.get("workspace")).and_then(Value::as_bool);
    (inherited != Some(true)).then_some("does not say [lints] workspace = true, so no house lint applies")
}

fn strict(clippy: &str) -> Vec<&'static str> {
    let table: Table = clippy.parse().unwrap_or_default();
    let entries = ["disallowed-methods", "disallowed-types"].into_iter().filter_map(|k| table.get(k)?.as_array());
    let paths: BTreeSet<&str> =
        entries.flatten().filter_map(|e| e.as_str().or_else(|| e.get("path").and_then(Value::as_str))).collect();
    FORBIDDEN.into_iter().filter(|p| !paths.contains(p)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inheritance_is_required() {
        assert_eq!(inherits("[lints]\nworkspace = true"), None);
        for text in ["[package]", "[lints]\nworkspace = false", "[lints.clippy]\ntodo = \"warn\""] {
            assert!(inherits(text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_loosened_list_is_named() {
        let all: Vec<_> = FORBIDDEN.iter().map(|p| format!("{{ path = \"{p}\" }}")).collect();
        let text = format!("disallowed-methods = [{}]", all.join(", "));
        assert!(strict(&text).is_empty());
        assert_eq!(strict(&text.replace("f64::exp", "f64::exp2")), ["f64::exp"]);
        assert_eq!(strict("").len(), FORBIDDEN.len());
    }
}
