//! What the columns are, in their order; the table is `columns.tsv`, from which names, count and documents follow.

use std::sync::LazyLock;

/// How many columns a row has (R5.17).
pub const COLUMNS: usize = 197;

/// One column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ResearchColumn {
    /// Its name.
    pub id: &'static str,
    /// How it is computed; symbols as in features §7.
    pub formula: &'static str,
    /// Levels of the book, or what else it is made of.
    pub levels: &'static str,
    /// Unit of its numbers.
    pub unit: &'static str,
    /// How far back it looks.
    pub window: &'static str,
    /// What it needs before there is a number.
    pub warm_up: &'static str,
    /// When there is none.
    pub undefined: &'static str,
    /// How it is kept up to date.
    pub update: &'static str,
}

static TABLE: LazyLock<Vec<ResearchColumn>> =
    LazyLock::new(|| include_str!("columns.tsv").lines().skip(1).map(spec).collect());

fn spec(line: &'static str) -> ResearchColumn {
    let mut cells = line.split('\t');
    let mut next = || cells.next().unwrap_or_default();
    ResearchColumn {
        id: next(),
        formula: next(),
        levels: next(),
        unit: next(),
        window: next(),
        warm_up: next(),
        undefined: next(),
        update: next(),
    }
}

/// All columns, in the order of a row.
#[must_use]
pub fn catalogue() -> &'static [ResearchColumn] {
    &TABLE
}

/// The place of a column in a row.
#[must_use]
pub fn place_of(id: &str) -> Option<usize> {
    catalogue().iter().position(|column| column.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_column_has_a_name_of_its_own_and_says_all_of_itself() {
        let table = include_str!("columns.tsv");
        assert!(table.lines().all(|line| line.split('\t').count() == 8), "eight cells in each line");
        assert_eq!(catalogue().len(), COLUMNS);
        let names: BTreeSet<&str> = catalogue().iter().map(|c| c.id).collect();
        assert_eq!(names.len(), COLUMNS);
        for c in catalogue() {
            let cells = [c.id, c.formula, c.levels, c.unit, c.window, c.warm_up, c.undefined, c.update];
            assert!(cells.iter().all(|cell| !cell.is_empty()), "{c:?}");
        }
        assert_eq!(
            (place_of("bid_price_L0"), place_of("dq_valid_fraction_300s"), place_of("x")),
            (Some(0), Some(196), None)
        );
    }
}
