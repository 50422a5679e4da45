//! Thresholds of the original configurations over those of the rule book (R3.26, R3.50, R4.41 to R4.43).
//!
//! They become numbers of the book's own `[detectors]` table, in its text: what is stored, journalled and hashed with a run is
//! then one book that says all of it, and nothing else has to know that settings took part. A number the book has already
//! leaves its text as it is. Those of the volatility classes become rules of the volatility axis.

use super::SettingOrigin;
use crate::failure::Failure;
use barograph_engine::detect::Thresholds;
use barograph_engine::rules::RuleBook;
use toml_edit::{DocumentMut, Item, Table, Value};

/// Table of a rule book that holds them.
const TABLE: &str = "detectors";

/// A threshold of the settings.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    /// Original key.
    pub(super) key: &'static str,
    /// Key of the `[detectors]` table, or label of the volatility axis.
    pub(super) name: &'static str,
    /// In the unit of that key.
    pub(super) value: f64,
    pub(super) origin: SettingOrigin,
}

/// The book's text with these thresholds in it; `None` where it says all of them already.
///
/// `file` is the book's, for messages; `text` is what `book` was read from.
pub(crate) fn over(file: &str, text: &str, book: &RuleBook, given: &[Over]) -> Result<Option<String>, Failure> {
    let (classes, detectors): (Vec<Over>, Vec<Over>) =
        given.iter().cloned().partition(|one| CLASSES.iter().any(|(label, ..)| *label == one.name));
    let with_detectors = detectors_over(file, text, book, &detectors)?;
    let new = classes_over(file, with_detectors.as_deref().unwrap_or(text), &classes)?;
    Ok(new.or(with_detectors))
}

/// Labels of the volatility axis from the top: where each begins, how it is entered, and its place in the originals.
const CLASSES: [(&str, f64, &str); 3] =
    [("EXTREME", 0.10, "\"immediate\""), ("EXPLOSIVE", 0.05, "2"), ("HIGH_VOL", 0.01, "2")];

/// The text with rules of the volatility axis at these thresholds; `None` where the standard ones are the same.
fn classes_over(file: &str, text: &str, given: &[Over]) -> Result<Option<String>, Failure> {
    let bounds = CLASSES
        .map(|(label, standard, _)| given.iter().rev().find(|one| one.name == label).map_or(standard, |one| one.value));
    let differs = |(bound, (_, standard, _)): (&f64, &(&str, f64, &str))| bound.to_bits() != standard.to_bits();
    let Some(one) = given.first().filter(|_| bounds.iter().zip(&CLASSES).any(differs)) else { return Ok(None) };
    if let Some(pair) = bounds.windows(2).find(|pair| pair[0] <= pair[1]) {
        let why = format!("the classes would begin at {} and {}; each begins above the one before", pair[1], pair[0]);
        return Err(wrong(one, &format!("{why}; state all three")));
    }
    let document: DocumentMut = text.parse().map_err(|e| Failure::usage(format!("{file}: {e}")))?;
    let rules = document.get("rule").and_then(Item::as_array_of_tables);
    let own = |t: &Table| t.get("axis").and_then(Item::as_str) == Some("volatility");
    if rules.is_some_and(|all| all.iter().any(own)) {
        return Err(wrong(one, &format!("{file} states rules of axis volatility itself; change them there")));
    }
    let mut new = format!("{}\n", text.trim_end());
    for ((label, _, enter), bound) in CLASSES.iter().zip(bounds) {
        new.push_str(&format!(
            "\n[[rule]]\nid = \"{label}\"\naxis = \"volatility\"\nall = [{{ feature = \"vol_daily\", op = \">\", \
             value = {bound:?}, exit = {:?}, scale = 0.01 }}]\nenter = {enter}\nmin_dwell = \"15m\"\n\
             text = \"More than {} % a day\"\n",
            bound * 0.95,
            (bound * 1e4).round() / 100.0
        ));
    }
    Ok(Some(new))
}

fn detectors_over(file: &str, text: &str, book: &RuleBook, given: &[Over]) -> Result<Option<String>, Failure> {
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
        Over { key: "an.original", name, value, origin: SettingOrigin::Environment("X".to_owned()) }
    }

    fn read(text: &str) -> RuleBook {
        RuleBook::parse("default.toml", text).unwrap()
    }

    fn said(text: &str, given: &[Over]) -> Option<String> {
        over("default.toml", text, &read(text), given).unwrap()
    }

    #[test]
    fn thresholds_become_numbers_of_the_book_and_nothing_else_of_it_changes() {
        for name in RuleBook::SHIPPED {
            let text = RuleBook::shipped_text(name).unwrap();
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
        let text = RuleBook::shipped_text("default").unwrap();
        assert_eq!(said(text, &[]), None);
        assert_eq!(said(text, &[one("burst_count", 5.0)]), None, "the number where the book says nothing");
    }

    #[test]
    fn volatility_classes_become_rules_of_their_axis() {
        let bound = |book: &RuleBook, label: &str| {
            use barograph_engine::rules::Ruled as _;
            let rules = barograph_domain::VolRegime::of(book).rules();
            match rules.iter().find(|r| r.id == label).unwrap().groups[0].clauses[0].test {
                barograph_engine::rules::Test::Number { value, .. } => value,
                barograph_engine::rules::Test::Codes { .. } => panic!("{label} is no number"),
            }
        };
        for name in RuleBook::SHIPPED {
            let text = RuleBook::shipped_text(name).unwrap();
            let new = said(text, &[one("EXPLOSIVE", 0.03), one("burst_count", 7.0)]).unwrap();
            let book = read(&new);
            for (label, want) in [("HIGH_VOL", 0.01_f64), ("EXPLOSIVE", 0.03), ("EXTREME", 0.1)] {
                assert_eq!(bound(&book, label).to_bits(), want.to_bits(), "{name}: {label}");
            }
            assert_eq!(book.detectors.get("burst_count"), Some(7.0));
            assert_eq!(said(text, &[one("EXPLOSIVE", 0.05), one("HIGH_VOL", 0.01)]), None, "the standard ones");
            let why = over(name, text, &read(text), &[one("EXPLOSIVE", 0.2)]).unwrap_err().text().unwrap();
            assert!(why.contains("each begins above the one before"), "{why}");
            let why = over("mine.toml", &new, &book, &[one("EXTREME", 0.3)]).unwrap_err().text().unwrap();
            assert!(why.contains("mine.toml states rules of axis volatility itself"), "{why}");
        }
    }

    #[test]
    fn a_number_of_the_book_is_replaced_in_its_place() {
        let rest = RuleBook::shipped_text("seed3").unwrap();
        assert!(rest.contains("\nburst_count = 5\n"), "{rest}");
        let text = rest.replace("\nburst_count = 5\n", "\nburst_count = 5 # as found\n");
        assert_eq!(said(&text, &[one("burst_count", 9.0)]).unwrap(), text.replace("= 5 # as", "= 9.0 # as"));
    }

    #[test]
    fn what_does_not_fit_the_book_names_where_it_comes_from() {
        let text = RuleBook::shipped_text("seed3").unwrap();
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
