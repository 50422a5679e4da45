//! `cargo x tidy`: house rules that neither the compiler nor clippy can see.
//!
//! Each check takes the tree as it is and returns findings; a finding says where, what is wrong and what to do. Checks
//! are plain functions over text, so that each is tested with the fault it exists for.

mod data;
mod figures;
mod files;
mod graph;
mod links;
mod lints;
mod spec;
mod table;
mod terms;
mod words;

use crate::{Args, Failure, tree};
use std::fmt;
use std::path::Path;

/// One broken rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Finding {
    /// File, with the line where there is one.
    place: String,
    /// What is wrong and what to do.
    message: String,
}

impl Finding {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// What a check looks at.
pub(crate) struct Tree<'a> {
    root: &'a Path,
    files: &'a [String],
}

impl Tree<'_> {
    /// UTF-8 text of a file of the tree.
    fn text(&self, name: &str) -> Result<Option<String>, String> {
        tree::text(self.root, name)
    }

    /// Text of a file that has to be there.
    fn required(&self, name: &str) -> Result<String, String> {
        self.text(name)?.ok_or_else(|| format!("{name} is not text"))
    }

    fn having(&self, ends: &[&str]) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str).filter(move |n| ends.iter().any(|e| n.ends_with(e)))
    }
}

type Check = fn(&Tree<'_>) -> Result<Vec<Finding>, String>;

const CHECKS: [(&str, Check); 9] = [
    ("crate edges", graph::check),
    ("lints", lints::check),
    ("file sizes", files::check),
    ("test data", data::check),
    ("words", words::check),
    ("glossary", terms::check),
    ("links", links::check),
    ("figures", figures::check),
    ("specification", spec::check),
];

/// Runs every check on the workspace and prints what it found.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    args.finish()?;
    let root = tree::root();
    let files = tree::files(&root)?;
    let findings = all(&Tree { root: &root, files: &files })?;
    for finding in &findings {
        println!("{finding}");
    }
    let names: Vec<_> = CHECKS.iter().map(|(name, _)| *name).collect();
    if findings.is_empty() {
        println!("tidy: {} files, nothing to complain about ({})", files.len(), names.join(", "));
        Ok(())
    } else {
        println!("tidy: {} findings", findings.len());
        Err(Failure::Refused)
    }
}

fn all(tree: &Tree<'_>) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for (_, check) in CHECKS {
        findings.extend(check(tree)?);
    }
    findings.sort();
    Ok(findings)
}
