//! Every member inherits the workspace lints, pure crates carry the strict `clippy.toml`, and an example in documentation is run.
//!
//! A crate without examples says `doctest = false`, which saves reading it once more; one that got an example since would leave it untested.
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
        let manifest = tree.required(name)?;
        findings.extend(inherits(&manifest).map(|text| Finding::new(name, text)));
        let source = format!("{}src/", name.trim_end_matches("Cargo.toml"));
        if without_examples(&manifest) {
            for file in tree.files.iter().filter(|f| f.starts_with(&source) && f.ends_with(".rs")) {
                if has_example(&tree.required(file)?) {
                    findings.push(Finding::new(file, "has an example that [lib] doctest = false leaves untested"));
                }
            }
        }
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

fn without_examples(manifest: &str) -> bool {
    let table: Table = manifest.parse().unwrap_or_default();
    table.get("lib").and_then(|l| l.get("doctest")).and_then(Value::as_bool) == Some(false)
}

/// Whether documentation in a source file has Rust that `cargo test` would run.
fn has_example(source: &str) -> bool {
    let mut inside = false;
    for line in source.lines().map(str::trim_start) {
        let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            inside = false;
            continue;
        };
        let Some(kind) = text.trim().strip_prefix("```") else { continue };
        inside = !inside;
        let kind = kind.split(',').next().unwrap_or_default();
        if inside && matches!(kind, "" | "rust" | "no_run" | "should_panic" | "compile_fail") {
            return true;
        }
    }
    false
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
    fn examples_are_found_where_rust_is_meant() {
        for (source, found) in [
            ("/// ```\n/// f();\n/// ```\nfn f() {}", true),
            ("    /// ```rust,no_run\n    /// run();\n    /// ```", true),
            ("//! ```text\n//! a | b\n//! ```\n//! and ``` in between", false),
            ("let fence = \"```\";\n/// words", false),
        ] {
            assert_eq!(has_example(source), found, "{source}");
        }
        assert!(without_examples("[lib]\ndoctest = false") && !without_examples("[lib]\nname = \"a\""));
    }

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
