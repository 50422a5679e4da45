//! What the specification and the sheets of venues and services define: numbered headings per document, and ids in bold
//! (requirements) or at the head of a row (`S01`); and which decisions there are.

use super::super::Tree;
use super::refs::{id_at, number_at};
use std::collections::{BTreeMap, BTreeSet};

/// Where the specification is.
pub(super) const FOLDER: &str = "docs/spec/";

/// Where it is written down how venues and services for messages speak: a sheet each.
pub(super) const SHEETS: &str = "docs/sheets/";

/// Where decisions are, a file each: `0021-` and its subject.
pub(super) const DECISIONS: &str = "docs/adr/";

/// Folders of code that speak as a sheet says: there it is *the* sheet.
const VENUES: [&str; 2] = ["crates/venues/src/", "crates/venues/tests/"];

/// Sheets that are named otherwise than their file.
const SHORT: [(&str, &str); 3] = [("usd-m", "binance_usdm"), ("spot", "binance_spot"), ("binance", "binance_usdm")];

/// The document that a file is.
pub(super) fn document_at(name: &str) -> Option<&str> {
    [FOLDER, SHEETS].iter().find_map(|folder| name.strip_prefix(folder)?.strip_suffix(".md"))
}

/// The number of the decision that a file is.
fn decision_at(name: &str) -> Option<u32> {
    name.strip_prefix(DECISIONS)?.split_once('-')?.0.parse().ok()
}

/// What a sheet is called, in full.
fn in_full(word: &str) -> &str {
    SHORT.iter().find(|(short, _)| *short == word).map_or(word, |(_, name)| *name)
}

/// The venue a file of code belongs to: the head of the folder's name.
fn venue_of(name: &str) -> Option<&str> {
    let folder = VENUES.iter().find_map(|v| name.strip_prefix(v))?.split('/').next()?;
    folder.split('_').next()
}

/// A section's number, so that 10 comes after 9.
type Number = Vec<u32>;

/// Sections and ids that may be referred to.
#[derive(Default, Debug)]
pub(super) struct Spec {
    documents: BTreeMap<String, BTreeSet<Number>>,
    /// Series (`R1`, `A`) and number within it.
    ids: BTreeMap<String, BTreeSet<u32>>,
    /// Numbers of the decisions.
    decisions: BTreeSet<u32>,
}

impl Spec {
    pub(super) fn read(tree: &Tree<'_>) -> Result<Self, String> {
        let mut spec = Self::default();
        for name in tree.having(&[".md"]) {
            spec.decisions.extend(decision_at(name));
            if let Some(document) = document_at(name) {
                spec.add(document, &tree.required(name)?);
            }
        }
        Ok(spec)
    }

    pub(super) fn add(&mut self, document: &str, text: &str) {
        let headings = text.lines().filter(|l| l.starts_with("##"));
        let numbers = headings.filter_map(|l| number_at(l.trim_start_matches('#').trim_start()));
        self.documents.insert(document.to_owned(), numbers.map(parsed).collect());
        for id in text.lines().filter_map(defined) {
            let (series, number) = parts(id);
            self.ids.entry(series.to_owned()).or_default().insert(number);
        }
    }

    /// The document that a word in lower case names in a file: by its name, or as the sheet of the venue the file is of.
    pub(super) fn document(&self, word: &str, file: &str) -> Option<String> {
        let name = if matches!(word, "sheet" | "sheets") { venue_of(file)? } else { word };
        Some(in_full(name)).filter(|n| self.documents.contains_key(*n)).map(str::to_owned)
    }

    pub(super) fn has_section(&self, document: &str, number: &str) -> bool {
        self.documents.get(document).is_some_and(|all| all.contains(&parsed(number)))
    }

    pub(super) fn has_id(&self, id: &str) -> bool {
        let (series, number) = parts(id);
        self.ids.get(series).is_some_and(|all| all.contains(&number))
    }

    pub(super) fn has_decision(&self, number: u32) -> bool {
        self.decisions.contains(&number)
    }

    /// First and last decision.
    pub(super) fn decisions_near(&self) -> String {
        let ends = self.decisions.first().zip(self.decisions.last());
        ends.map_or_else(|| "nothing".to_owned(), |(a, b)| format!("ADR {a} … ADR {b}"))
    }

    /// Sections of the same chapter, else the first and the last of the document.
    pub(super) fn sections_near(&self, document: &str, number: &str) -> String {
        let wanted = parsed(number);
        let all: Vec<&Number> = self.documents.get(document).into_iter().flatten().collect();
        let same: Vec<String> = all.iter().filter(|n| n.first() == wanted.first()).map(|n| shown(n)).collect();
        match (all.first(), all.last()) {
            _ if !same.is_empty() => same.join(", "),
            (Some(first), Some(last)) => format!("{} … {}", shown(first), shown(last)),
            _ => "nothing".to_owned(),
        }
    }

    /// First and last id of the same series.
    pub(super) fn ids_near(&self, id: &str) -> String {
        let (series, _) = parts(id);
        let all = self.ids.get(series);
        let ends = all.and_then(|all| Some((all.first()?, all.last()?)));
        ends.map_or_else(|| "nothing".to_owned(), |(a, b)| format!("{} … {}", named(series, *a), named(series, *b)))
    }
}

/// The id that a line defines: the first in bold at its head, or the first cell of a row.
fn defined(line: &str) -> Option<&str> {
    let head = line.strip_prefix("- **").or_else(|| line.strip_prefix("| **"));
    let head = head.or_else(|| line.strip_prefix("| S").map(|_| &line[2..]))?;
    id_at(head)
}

fn parsed(number: &str) -> Number {
    number.split('.').filter_map(|part| part.parse().ok()).collect()
}

fn shown(number: &Number) -> String {
    let parts: Vec<String> = number.iter().map(u32::to_string).collect();
    format!("§{}", parts.join("."))
}

/// `R1.15` is 15 of the series `R1`, `A07` is 7 of `A`.
fn parts(id: &str) -> (&str, u32) {
    let (series, number) = id.split_once('.').unwrap_or_else(|| id.split_at(1));
    (series, number.parse().unwrap_or_default())
}

fn named(series: &str, number: u32) -> String {
    if series.len() == 1 { format!("{series}{number:02}") } else { format!("{series}.{number}") }
}
