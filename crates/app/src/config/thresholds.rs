//! Thresholds of the original configurations over those of the rule book (R3.26, R3.50, R4.41, R4.42).
//!
//! They become numbers of the book's own `[detectors]` table, in its text: what is stored, journalled and hashed with a run is
//! then one book that says all of it, and nothing else has to know that settings took part. A number the book has already
//! leaves its text as it is.

use super::Origin;
use crate::failure::Failure;
use barograph_engine::detect::Thresholds;
use barograph_engine::rules::Book;
use toml_edit::{DocumentMut, Item, Table, Value};

/// Table of a rule book that holds them.
const TABLE: &str = "detectors";

/// A threshold of the settings.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    /// Original key.
    pub(super) key: &'static str,
    /// Key of the `[detectors]` table.
    pub(super) name: &'static str,
    /// In the unit of that key.
    pub(super) value: f64,
    pub(super) origin: Origin,
}

/// The book's text with these thresholds in it; `None` where it says all of them already.
///
/// `file` is the book's, for messages; `text` is what `book` was read from.
pub(crate) fn over(file: &str, text: &str, book: &Book, given: &[Over]) -> Result<Option<String>, Failure> {
    let mut all = book.detectors;
    let mut new: Vec<(&Over, f64)> = Vec::new();
    for one in given {
        let before = all.get(one.name);
        all.set(one.name, one.value).map_err(|why| wrong(one, &why))?;
        let after = all.get(one.name);
        if let Some(value) = after.filter(|_| after.map(f64::to_bits) != before.map(f64::to_bits)) {
            new.push((one, value));
        }
    }
    check(file, &all, given)?;
    if new.is_empty() {
        return Ok(None);
    }
    let new: Vec<(&str, Value)> = new.iter().map(|(one, value)| (one.name, Value::from(*value))).collect();
    with(file, text, TABLE, &new).map(Some)
}

/// The book's text with these values in one of its tables; nothing else of it changes.
pub(crate) fn with(file: &str, text: &str, table: &str, new: &[(&str, Value)]) -> Result<String, Failure> {
    let mut document: DocumentMut = text.parse().map_err(|e| Failure::usage(format!("{file}: {e}")))?;
    let item = document.entry(table).or_insert_with(|| Item::Table(Table::new()));
    let Some(entries) = item.as_table_like_mut() else {
        return Err(Failure::usage(format!("{file}: '{table}' is not a table")));
    };
    for (name, value) in new {
        let mut value = value.clone();
        match entries.get_mut(name).and_then(Item::as_value_mut) {
            Some(old) => {
                *value.decor_mut() = old.decor().clone();
                *old = value;
            }
            None => drop(entries.insert(name, Item::Value(value))),
        }
    }
    Ok(document.to_string())
}

/// Two steps of severity in order, the settings' and the book's taken together.
fn check(file: &str, all: &Thresholds, given: &[Over]) -> Result<(), Failure> {
    for (first, second, why) in all.steps_down() {
        let of = |name: &str| given.iter().find(|one| one.name == name);
        // Without one of them it is the book's own, which was checked when it was read.
        let Some(one) = of(first).or_else(|| of(second)) else { continue };
        return Err(wrong(one, &format!("{why}; state both, or the other in [{TABLE}] of {file}")));
    }
    Ok(())
}

fn wrong(one: &Over, why: &str) -> Failure {
    Failure::usage(format!("{}: `{}`: {why}", one.origin, one.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &'static str, value: f64) -> Over {
        Over { key: "an.original", name, value, origin: Origin::Environment("X".to_owned()) }
    }

    fn read(text: &str) -> Book {
        Book::parse("default.toml", text).unwrap()
    }

    fn said(text: &str, given: &[Over]) -> Option<String> {
        over("default.toml", text, &read(text), given).unwrap()
    }

    #[test]
    fn thresholds_become_numbers_of_the_book_and_nothing_else_of_it_changes() {
        for name in Book::SHIPPED {
            let text = Book::shipped_text(name).unwrap();
            let given = [one("burst_count", 7.0), one("concentration", 0.4), one("cascade_window_h", 2.0)];
            let new = said(text, &given).unwrap();
            let (before, mut after) = (read(text), read(&new));
            let changed: Vec<_> =
                before.detectors.lines().zip(after.detectors.lines()).filter(|(a, b)| a != b).collect();
            assert_eq!(changed.len(), 3, "{name}: {changed:?}");
            for over in &given {
                assert_eq!(after.detectors.get(over.name), Some(over.value), "{name}");
            }
            after.detectors = before.detectors;
            // A book with other numbers is not the one whose verdicts were measured.
            after.verdict = before.verdict;
            assert_eq!(after, before, "{name}");
            // What it says already is not said again.
            assert_eq!(said(&new, &given), None);
        }
        let text = Book::shipped_text("default").unwrap();
        assert_eq!(said(text, &[]), None);
        assert_eq!(said(text, &[one("burst_count", 5.0)]), None, "the number where the book says nothing");
    }

    #[test]
    fn a_number_of_the_book_is_replaced_in_its_place() {
        let rest = Book::shipped_text("seed3").unwrap();
        assert!(rest.contains("\nburst_count = 5\n"), "{rest}");
        let text = rest.replace("\nburst_count = 5\n", "\nburst_count = 5 # as found\n");
        assert_eq!(said(&text, &[one("burst_count", 9.0)]).unwrap(), text.replace("= 5 # as", "= 9.0 # as"));
    }

    #[test]
    fn what_does_not_fit_the_book_names_where_it_comes_from() {
        let text = Book::shipped_text("seed3").unwrap();
        for (given, words) in [
            (vec![one("basis", 0.05)], "environment X: `an.original`: 'basis_high' is 0.03, below 'basis' of 0.05"),
            (vec![one("funding_manipulation_z", 1.0)], "below 'funding_anomaly_z' of 2"),
            (vec![one("burst_count", 0.0)], "'burst_count' is 0; it lies between 1 and 10000"),
        ] {
            let why = over("mine.toml", text, &read(text), &given).unwrap_err().text().unwrap();
            assert!(why.contains(words), "{why}");
        }
        assert!(over("", text, &read(text), &[one("basis", 0.05), one("basis_high", 0.06)]).is_ok());
    }
}
