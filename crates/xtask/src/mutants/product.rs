//! The product's files of a crate, and the order in which a seed draws mutants from them.
//!
//! A file belongs when `lib.rs` reaches it by `mod` lines that stand under no condition: test modules and suites do not.

use super::place::{Change, Place};
use super::sites;
use crate::synth::Random;
use crate::tree;
use std::ops::Range;
use std::path::Path;
use syn::Item;

/// Every place of one file.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) places: Vec<Place>,
}

/// A place with the change that was drawn for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mutant {
    /// The crate's name and the mutant's number in the order of its seed: `engine-7`.
    pub(super) id: String,
    /// The number by which the copy knows it.
    pub(super) number: u32,
    /// Folder under `crates`.
    pub(super) folder: &'static str,
    pub(super) file: String,
    pub(super) range: Range<usize>,
    pub(super) change: Change,
}

impl Mutant {
    /// File and line.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.file, self.change.line)
    }
}

/// Mutants of one crate that the copy can tell apart.
pub(super) const PER_CRATE_MAX: u32 = 2_000;

/// The product's files of a crate, parsed.
pub(super) fn sources(root: &Path, folder: &str) -> Result<Vec<Source>, String> {
    let mut open = vec![format!("crates/{folder}/src/lib.rs")];
    let mut found = Vec::new();
    while let Some(name) = open.pop() {
        let text = tree::text(root, &name)?.ok_or_else(|| format!("{name} is not text"))?;
        let file = syn::parse_file(&text).map_err(|e| format!("{name}: {e}"))?;
        open.extend(modules(root, &name, &file)?);
        found.push(Source { places: sites::places(&text, &file), name });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Files of the modules that a file declares.
fn modules(root: &Path, name: &str, file: &syn::File) -> Result<Vec<String>, String> {
    let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
    let below = match last {
        "lib.rs" | "mod.rs" => folder.to_owned(),
        _ => format!("{folder}/{}", last.trim_end_matches(".rs")),
    };
    let declared = file.items.iter().filter_map(|item| match item {
        Item::Mod(m) if m.content.is_none() && !sites::conditional(&m.attrs) => Some(m.ident.to_string()),
        _ => None,
    });
    declared
        .map(|module| {
            let at = [format!("{below}/{module}.rs"), format!("{below}/{module}/mod.rs")];
            at.into_iter()
                .find(|path| root.join(path).is_file())
                .ok_or_else(|| format!("{name} declares '{module}', which has no file"))
        })
        .collect()
}

/// All places of a crate in the order of a seed, each with one of its changes; a place that overlaps an earlier one is left out, as
/// the copy holds them all at once.
pub(super) fn order(folder: &'static str, base: u32, seed: u64, sources: &[Source]) -> Vec<Mutant> {
    let mut rng = Random::new(seed);
    let mut all: Vec<_> = sources.iter().flat_map(|s| s.places.iter().map(move |p| (s.name.as_str(), p))).collect();
    for last in (1..all.len()).rev() {
        all.swap(last, below(&mut rng, last + 1));
    }
    let mut drawn: Vec<Mutant> = Vec::new();
    for (file, place) in all {
        let Some(change) = place.changes.get(below(&mut rng, place.changes.len())) else { continue };
        let overlaps =
            |m: &Mutant| m.file == file && m.range.start < place.range.end && place.range.start < m.range.end;
        let Some(n) = u32::try_from(drawn.len() + 1).ok().filter(|n| *n < PER_CRATE_MAX) else { break };
        if !drawn.iter().any(overlaps) {
            drawn.push(Mutant {
                id: format!("{folder}-{n}"),
                number: base + n,
                folder,
                file: file.to_owned(),
                range: place.range.clone(),
                change: change.clone(),
            });
        }
    }
    drawn
}

/// Whole number below `n`, 0 when that is 0.
fn below(rng: &mut Random, n: usize) -> usize {
    let scaled = (u128::from(rng.bits()) * n as u128) >> 64;
    usize::try_from(scaled).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, text: &str) -> Source {
        Source { name: name.to_owned(), places: sites::places(text, &syn::parse_file(text).unwrap()) }
    }

    #[test]
    fn a_seed_draws_the_same_places_every_time() {
        let text = "fn f(a: u8) -> bool { g(1, 2, 3, a + 4, a < 5) && h(6.0, -a, Some(7)) }";
        let sources = [source("a.rs", text), source("b.rs", text)];
        let ids = |seed| {
            let order = order("engine", 10_000, seed, &sources);
            order.iter().map(|m| (m.file.clone(), m.range.clone(), m.change.what.clone())).collect::<Vec<_>>()
        };
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
        let order = order("engine", 10_000, 1, &sources);
        assert_eq!((order[0].id.as_str(), order[0].number), ("engine-1", 10_001));
        for (i, a) in order.iter().enumerate() {
            for b in &order[..i] {
                let apart = a.file != b.file || a.range.end <= b.range.start || b.range.end <= a.range.start;
                assert!(apart, "{a:?} overlaps {b:?}");
            }
        }
    }

    #[test]
    fn product_files_are_those_that_no_condition_hides() {
        let sources = sources(&tree::root(), "notify").unwrap();
        let has = |end: &str| sources.iter().any(|s| s.name.ends_with(end));
        assert!(has("notify/src/lib.rs") && has("plan/storm.rs") && has("dispatch/run.rs"));
        assert!(!has("src/testing.rs") && sources.iter().all(|s| !s.name.contains("tests")));
        assert!(sources.iter().map(|s| s.places.len()).sum::<usize>() > 500);
    }
}
