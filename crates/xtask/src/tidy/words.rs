//! Words that have no place here: paths of one machine, promises nobody can keep, and a few the glossary replaces.
//!
//! The glossary's full list of words to avoid is longer than a machine can judge (many are right in another sense), so
//! only those stand here that are wrong wherever they appear.

use super::{Finding, Tree};

/// Beginnings of paths that exist on one machine only. Split so that this file does not find itself.
const PATHS: [&str; 7] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/mn", "t/"),
    concat!("C:", "\\"),
    concat!("/pri", "vate/"),
];

/// In documents: the word, and what to write in its place.
const DOCUMENTS: [(&str, &str); 9] = [
    (concat!("pro", "ven"), "checked at N points"),
    (concat!("guaran", "teed"), "say what is checked"),
    (concat!("stop ", "hunt"), "sweep"),
    (concat!("fair value ", "imbalance"), "fair value gap"),
    (concat!("order", "book "), "order book"),
    (concat!("whale ", "index"), "concentration"),
    (concat!("sha", "red/"), "name the set, not a folder of one machine"),
    (concat!("TO", "DO"), "finish it or write an issue"),
    (concat!("FIX", "ME"), "finish it or write an issue"),
];

/// In code: marks of unfinished work.
const CODE: [(&str, &str); 3] = [
    (concat!("TO", "DO"), "finish it or write an issue"),
    (concat!("FIX", "ME"), "finish it or write an issue"),
    (concat!("unimple", "mented!"), "finish it"),
];

/// Names the words to avoid beside those to use.
const GLOSSARY: &str = "docs/spec/glossary.md";

pub(super) fn check(tree: &Tree<'_>) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for name in tree.having(&[".rs", ".md", ".toml", ".yml", ".yaml", ".sh", ".json", "Makefile", ".ci/run"]) {
        let Some(text) = tree.text(name)? else { continue };
        let words: &[(&str, &str)] = match name.rsplit('.').next() {
            _ if name == GLOSSARY => &[],
            Some("md") => &DOCUMENTS,
            Some("rs") => &CODE,
            _ => &[],
        };
        for (n, line) in text.lines().enumerate() {
            findings.extend(in_line(line, words).map(|message| Finding::new(format!("{name}:{}", n + 1), message)));
        }
    }
    Ok(findings)
}

fn in_line(line: &str, words: &[(&str, &str)]) -> Option<String> {
    if let Some(path) = PATHS.iter().find(|p| begins_path(line, p)) {
        return Some(format!("'{path}' is a path of one machine"));
    }
    let (word, instead) = words.iter().find(|(w, _)| line.contains(w))?;
    Some(format!("'{}': {instead}", word.trim_end()))
}

/// Does the path begin here, rather than in the middle of a longer one or of an address?
fn begins_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        line[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-' | '>' | '}' | '*'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_paths_are_found_where_they_begin() {
        for line in [concat!("see /ho", "me/me/x"), concat!("\"/ro", "ot/.cargo\""), concat!("(/wo", "rk/x)")] {
            assert!(in_line(line, &[]).is_some(), "{line}");
        }
        for line in [concat!("a/wo", "rk/b"), concat!("https://example.org/ho", "me/x"), "network/x", "/var/lib"] {
            assert_eq!(in_line(line, &[]), None, "{line}");
        }
    }

    #[test]
    fn words_come_with_their_replacement() {
        let line = concat!("causality is pro", "ven");
        assert_eq!(in_line(line, &DOCUMENTS), Some(format!("'{}': checked at N points", DOCUMENTS[0].0)));
        assert_eq!(in_line("an order book of a venue", &DOCUMENTS), None);
    }
}
