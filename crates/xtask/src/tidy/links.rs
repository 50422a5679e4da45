//! Links and file names in documents point at something.
//!
//! Checked: relative Markdown links with their anchors, and names in backticks that look like a file of this repository
//! (`crates/…`, `testdata/…`, `docs/…`). Addresses on the web are left alone: tidy works offline.

use super::{Finding, Tree};
use std::collections::BTreeSet;

/// First folders of names that are checked when they stand in backticks.
const FOLDERS: [&str; 3] = ["crates/", "testdata/", "docs/"];

pub(super) fn check(tree: &Tree<'_>) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for name in tree.having(&[".md"]) {
        let text = tree.required(name)?;
        for (n, line) in prose(&text) {
            let place = format!("{name}:{n}");
            for target in links(line) {
                findings.extend(broken(tree, name, target)?.map(|message| Finding::new(&place, message)));
            }
            for file in backticked(line) {
                if !exists(tree.files, file) {
                    findings.push(Finding::new(&place, format!("'{file}' does not exist")));
                }
            }
        }
    }
    Ok(findings)
}

/// Lines outside fenced blocks, counted from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(n, line)| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            return None;
        }
        (!fenced).then_some((n + 1, line))
    })
}

/// Targets of `[text](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(|(at, _)| line[at + 2..].split_once(')').map(|(target, _)| target))
}

/// Names in backticks that claim to be files here.
fn backticked(line: &str) -> impl Iterator<Item = &str> {
    let plain = |t: &&str| t.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
    line.split('`').skip(1).step_by(2).filter(|t| FOLDERS.iter().any(|f| t.starts_with(f))).filter(plain)
}

fn broken(tree: &Tree<'_>, from: &str, target: &str) -> Result<Option<String>, String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(None);
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let name = if path.is_empty() { from.to_owned() } else { resolve(from, path) };
    if !exists(tree.files, &name) {
        return Ok(Some(format!("the link '{target}' leads to '{name}', which does not exist")));
    }
    let there = anchor.is_empty() || anchors(&tree.required(&name)?).contains(anchor);
    Ok((!there).then(|| format!("'{name}' has no heading '#{anchor}'")))
}

/// The file or folder a relative path means, seen from the document.
fn resolve(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn exists(files: &[String], name: &str) -> bool {
    let name = name.trim_end_matches('/');
    files.iter().any(|f| f == name || f.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
}

/// Anchors of the headings, in the way code hosts make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let heading =
        |(_, line): (usize, &str)| line.starts_with('#').then(|| line.trim_start_matches('#').trim().to_owned());
    let slug = |title: String| -> String {
        let kept = title
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .collect::<String>();
        kept.replace(' ', "-")
    };
    prose(text).filter_map(heading).map(slug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_resolve_from_their_document() {
        assert_eq!(resolve("docs/adr/0001.md", "../faq.md"), "docs/faq.md");
        assert_eq!(resolve("README.md", "docs/"), "docs");
        let files = ["docs/faq.md".to_owned()];
        assert!(exists(&files, "docs") && exists(&files, "docs/") && !exists(&files, "doc"));
    }

    #[test]
    fn only_what_claims_to_be_a_file_is_checked() {
        let line =
            "see `crates/a/src/lib.rs`, `crates/<name>`, `cargo x`, [faq](docs/faq.md#why) and [web](https://a.b)";
        assert_eq!(backticked(line).collect::<Vec<_>>(), ["crates/a/src/lib.rs"]);
        assert_eq!(links(line).collect::<Vec<_>>(), ["docs/faq.md#why", "https://a.b"]);
    }

    #[test]
    fn a_broken_link_and_a_missing_heading_are_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.md"), "# One, two\n```\n# not a heading\n```\n[x](#one-two)").unwrap();
        let files = ["a.md".to_owned()];
        let tree = Tree { root: dir.path(), files: &files };
        assert_eq!(check(&tree).unwrap(), []);
        assert!(broken(&tree, "a.md", "#not-a-heading").unwrap().unwrap().contains("no heading"));
        assert!(broken(&tree, "a.md", "b.md").unwrap().unwrap().contains("does not exist"));
    }
}
