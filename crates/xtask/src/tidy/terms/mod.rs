//! One idea, one word: names, comments and docstrings use the words of the glossary, and a docstring says more than one word.
//!
//! docs/spec/glossary.md has two tables for this check. Test code names things as it likes; its comments are checked like all others.
//! Texts with which the program answers are left as they are: help of the command line and of Python, descriptions of the API.

mod glossary;
mod source;

use super::{Finding, Tree};
use glossary::{Glossary, Word};
use source::{Item, Reach, Token};
use std::collections::{BTreeMap, BTreeSet};

const GLOSSARY: &str = "docs/spec/glossary.md";

/// Docstrings here are the help of the command line and of Python.
const HELP: [&str; 2] = ["crates/app/src/cli", "crates/python/src/py/"];

/// Docstrings here may be descriptions of the API, which stand in its document.
const SCHEMAS: [&str; 2] = ["crates/api/src/", "crates/domain/src/"];
const DOCUMENT: &str = "crates/api/openapi.json";

/// A word that makes a phrase right stands at most this many words behind it: "tell two such channels apart".
const BESIDE_MAX: usize = 8;

pub(super) fn check(tree: &Tree<'_>) -> Result<Vec<Finding>, String> {
    let glossary = Glossary::parse(&tree.required(GLOSSARY)?)?;
    let document = if tree.files.iter().any(|f| f == DOCUMENT) { tree.required(DOCUMENT)? } else { String::new() };
    let answered = Answered { document: document.replace("\\\"", "\"") };
    let mut sources = Vec::new();
    for name in tree.having(&[".rs"]).filter(|n| n.starts_with("crates/")) {
        sources.extend(tree.text(name)?.map(|text| (name, text)));
    }
    let parsed: Vec<(&str, Vec<Token<'_>>)> = sources.iter().map(|(n, text)| (*n, source::tokens(text))).collect();
    let tests = test_places(&parsed);
    let mut findings = Vec::new();
    let mut types = Types::new();
    for (name, tokens) in &parsed {
        findings.extend(comments(name, tokens, &glossary.words, &answered));
        if is_test(name, &tests) {
            continue;
        }
        findings.extend(docstrings(name, tokens, &answered));
        let (code, _) = source::product(tokens);
        let items = source::items(&code);
        findings.extend(names(name, &items, &glossary.words));
        for item in items.iter().filter(|i| i.is_type && i.reach == Reach::Crate) {
            let place = format!("{name}:{}", item.line);
            types.entry(item.name).or_default().entry(crate_of(name)).or_insert(place);
        }
    }
    findings.extend(shared(&types, &glossary));
    Ok(findings)
}

/// Texts that the program answers with.
struct Answered {
    document: String,
}

impl Answered {
    /// Is this line of a comment a text, or part of one?
    fn has(&self, name: &str, text: &str) -> bool {
        HELP.iter().any(|p| name.starts_with(p)) || is_schema(name) && self.document.contains(text)
    }

    /// Is this docstring the whole of a text?
    fn has_whole(&self, name: &str, text: &str) -> bool {
        let description = format!("\"description\": \"{text}\"");
        HELP.iter().any(|p| name.starts_with(p)) || is_schema(name) && self.document.contains(&description)
    }
}

fn is_schema(name: &str) -> bool {
    SCHEMAS.iter().any(|p| name.starts_with(p))
}

/// Places of types by name and folder of the crate: the first of each crate.
type Types<'a> = BTreeMap<&'a str, BTreeMap<&'a str, String>>;

fn crate_of(name: &str) -> &str {
    name.split('/').nth(1).unwrap_or_default()
}

/// Files, and folders with their slash, of modules that are tests.
fn test_places(parsed: &[(&str, Vec<Token<'_>>)]) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (name, tokens) in parsed {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", *name));
        let folder = match file {
            "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
            file => format!("{folder}/{}", file.trim_end_matches(".rs")),
        };
        for module in source::product(tokens).1 {
            out.extend([format!("{folder}/{module}.rs"), format!("{folder}/{module}/")]);
        }
    }
    out
}

fn is_test(name: &str, tests: &BTreeSet<String>) -> bool {
    let mut folders = name.match_indices('/').map(|(at, _)| &name[..=at]);
    name.ends_with("_tests.rs")
        || ["/tests/", "/benches/", "/examples/"].iter().any(|f| name.contains(f))
        || tests.contains(name)
        || folders.any(|f| tests.contains(f))
}

/// Comments that say what the glossary says otherwise.
fn comments(name: &str, tokens: &[Token<'_>], words: &[Word], answered: &Answered) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lines in source::comments(tokens) {
        let said: Vec<_> =
            lines.iter().flat_map(|(line, text)| spoken(text).map(move |word| (*line, *text, word))).collect();
        for word in words {
            for phrase in &word.not_in_comments {
                let parts: Vec<_> = phrase.split(' ').collect();
                for (at, (line, text, _)) in said.iter().enumerate() {
                    let found = said[at..].iter().map(|(_, _, w)| w).take(parts.len()).eq(&parts);
                    let mut next = said[at..].iter().take(BESIDE_MAX);
                    if found && !next.any(|(_, _, w)| word.unless_before.contains(w)) && !answered.has(name, bare(text))
                    {
                        findings.push(Finding::new(format!("{name}:{line}"), instead(phrase, &word.word)));
                    }
                }
            }
        }
    }
    findings
}

fn instead(said: &str, word: &str) -> String {
    format!("'{said}': the word is {word} ({GLOSSARY})")
}

/// A line of comment without its marks.
fn bare(line: &str) -> &str {
    line.trim().trim_start_matches(['/', '!', '*']).trim()
}

/// Its words in lower case, without what stands in backticks.
fn spoken(line: &str) -> impl Iterator<Item = String> {
    let outside = bare(line).split('`').step_by(2).flat_map(str::split_whitespace);
    outside.map(|w| w.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()).filter(|w| !w.is_empty())
}

/// Docstrings that leave what they are of to the reader.
fn docstrings(name: &str, tokens: &[Token<'_>], answered: &Answered) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lines in source::comments(tokens) {
        let [(line, text)] = lines[..] else { continue };
        let Some(said) = text.strip_prefix("///").map(str::trim) else { continue };
        let is_word = !said.is_empty() && said.trim_end_matches('.').chars().all(char::is_alphabetic);
        if (is_word || said == "See the module.") && !answered.has_whole(name, said) {
            findings.push(Finding::new(
                format!("{name}:{line}"),
                format!("the docstring is '{said}': what is it, in which unit or shape, from where?"),
            ));
        }
    }
    findings
}

/// Names that say what the glossary says otherwise.
fn names(name: &str, items: &[Item<'_>], words: &[Word]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in items {
        let parts = parts(item.name);
        for word in words {
            let found = word.not_in_names.iter().find(|not| parts.contains(not) || **not == item.name);
            findings.extend(found.map(|not| {
                Finding::new(format!("{name}:{}", item.line), format!("{} in {}", instead(not, &word.word), item.name))
            }));
        }
    }
    findings
}

/// `OrderBook`, `order_book` and `ORDER_BOOK` are "order" and "book".
fn parts(name: &str) -> Vec<String> {
    let mut out = Vec::new();
    for part in name.split('_').filter(|p| !p.is_empty()) {
        let mut last_is_small = false;
        for c in part.chars() {
            if out.is_empty() || c.is_uppercase() && last_is_small {
                out.push(String::new());
            }
            last_is_small = !c.is_uppercase();
            if let Some(open) = out.last_mut() {
                open.extend(c.to_lowercase());
            }
        }
        out.push(String::new());
    }
    out.retain(|p| !p.is_empty());
    out
}

/// Types of several crates with one name that the glossary does not list as one idea; and what it lists in vain.
fn shared(types: &Types<'_>, glossary: &Glossary) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, places) in types.iter().filter(|(_, places)| places.len() > 1) {
        let listed = glossary.types.iter().find(|t| t.name == **name);
        let is_listed = |folder: &str| listed.is_some_and(|t| t.crates.iter().any(|c| c == folder));
        if !places.keys().all(|folder| is_listed(folder)) {
            let others: Vec<_> = places.values().skip(1).map(String::as_str).collect();
            let first = places.values().next().cloned().unwrap_or_default();
            findings.push(Finding::new(
                first,
                format!(
                    "'{name}' is the name of a type at {} too: two ideas need two names, one idea a row in {GLOSSARY}",
                    others.join(", ")
                ),
            ));
        }
    }
    for listed in &glossary.types {
        let gone = |c: &&String| types.get(listed.name.as_str()).is_none_or(|places| !places.contains_key(c.as_str()));
        let gone: Vec<_> = listed.crates.iter().filter(gone).map(String::as_str).collect();
        if !gone.is_empty() {
            let message = format!("no type '{}' in {}: take it out of the table", listed.name, gone.join(", "));
            findings.push(Finding::new(GLOSSARY, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests;
