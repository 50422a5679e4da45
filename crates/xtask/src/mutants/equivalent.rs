//! Changes that nobody can notice, each with its reason: `equivalent.toml`.
//!
//! An entry is found by file, text of the line and what became what, so that it moves with the code; one that names nothing any more
//! is an error.

use super::product::{Mutant, Source};
use toml::{Table, Value};

/// Where they are listed.
pub(super) const FILE: &str = "crates/xtask/src/mutants/equivalent.toml";

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    file: String,
    line: String,
    change: String,
    nth: usize,
    pub(super) reason: String,
}

/// Reads the list.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, String> {
    let table: Table = text.parse().map_err(|e| format!("{FILE}: {e}"))?;
    let entries = table.get("equivalent").and_then(Value::as_array).into_iter().flatten();
    entries.map(entry).collect()
}

fn entry(value: &Value) -> Result<Entry, String> {
    let text = |key: &str| {
        let found = value.get(key).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty());
        found.map(str::to_owned).ok_or_else(|| format!("{FILE}: an entry has no '{key}': {value}"))
    };
    let nth = match value.get("nth") {
        None => 1,
        Some(n) => n.as_integer().and_then(|n| usize::try_from(n).ok()).ok_or_else(|| {
            format!("{FILE}: 'nth' is {n}; write which of the equal changes on equal lines it is, from 1")
        })?,
    };
    Ok(Entry { file: text("file")?, line: text("line")?, change: text("change")?, nth, reason: text("reason")? })
}

impl Entry {
    fn names(&self, file: &str, change: &super::place::Change) -> bool {
        self.file == file && self.line == change.text && self.change == change.what && self.nth == change.nth
    }
}

/// Why nobody can notice this mutant, where that is known.
pub(super) fn reason<'e>(entries: &'e [Entry], mutant: &Mutant) -> Option<&'e str> {
    entries.iter().find(|e| e.names(&mutant.file, &mutant.change)).map(|e| e.reason.as_str())
}

/// Every entry about these files has to name a change that can be made.
pub(super) fn check(entries: &[Entry], sources: &[Source], folder: &str) -> Result<(), String> {
    let about = |e: &&Entry| e.file.starts_with(&format!("crates/{folder}/"));
    let named =
        |e: &Entry| sources.iter().any(|s| s.places.iter().flat_map(|p| &p.changes).any(|c| e.names(&s.name, c)));
    match entries.iter().filter(about).find(|e| !named(e)) {
        None => Ok(()),
        Some(e) => {
            Err(format!("{FILE}: no change '{}' (nth = {}) on a line '{}' of {}", e.change, e.nth, e.line, e.file))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::{CRATES, product};
    use crate::tree;

    #[test]
    fn an_entry_has_all_its_words() {
        let text =
            "[[equivalent]]\nfile = 'a.rs'\nline = 'a < b'\nchange = '`<` becomes `<=`'\nreason = 'never equal'\n";
        let entries = read(text).unwrap();
        assert_eq!((entries.len(), entries[0].nth), (1, 1));
        assert!(read(&text.replace("reason", "why")).unwrap_err().contains("no 'reason'"));
        assert!(read(&format!("{text}nth = 'first'")).unwrap_err().contains("'nth' is"));
    }

    #[test]
    fn every_entry_names_a_change_that_can_be_made() {
        let root = tree::root();
        let entries = read(&tree::text(&root, FILE).unwrap().unwrap()).unwrap();
        for folder in CRATES {
            check(&entries, &product::sources(&root, folder).unwrap(), folder).unwrap();
        }
        let known = |e: &Entry| CRATES.iter().any(|c| e.file.starts_with(&format!("crates/{c}/")));
        assert!(entries.iter().all(known), "an entry is about another crate");
    }
}
