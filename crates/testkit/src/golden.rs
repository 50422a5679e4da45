//! Golden vectors (`testdata/golden`) as tables that notice when nobody reads one of their columns.
//!
//! The first column is the number of the row where it is called `i`; that is checked here, and it counts as read.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

/// One file, cells as written.
#[derive(Debug)]
pub struct GoldenTable {
    name: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Is every column to be asked for?
    whole: bool,
    asked: RefCell<BTreeSet<usize>>,
}

/// One line of a [`GoldenTable`].
#[derive(Clone, Copy, Debug)]
pub struct GoldenRow<'a> {
    table: &'a GoldenTable,
    at: usize,
}

impl GoldenTable {
    /// The vector of this name. The test asks for every column of it, or fails when it lets go of the table.
    ///
    /// # Panics
    /// When there is no such file, or a line of it has not as many cells as the header.
    #[must_use]
    pub fn whole(name: &str) -> Self {
        Self::load(name, true)
    }

    /// The same for a test that needs only some columns. Another reads it whole.
    ///
    /// # Panics
    /// As [`Self::whole`].
    #[must_use]
    pub fn part(name: &str) -> Self {
        Self::load(name, false)
    }

    fn load(name: &str, whole: bool) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../testdata/golden/{name}.csv"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self::parse(name, &text, whole)
    }

    fn parse(name: &str, text: &str, whole: bool) -> Self {
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let header = lines.next().unwrap_or_else(|| panic!("{name}: no header"));
        let rows: Vec<_> = lines.collect();
        let numbered = header[0] == "i";
        for (at, row) in rows.iter().enumerate() {
            assert_eq!(row.len(), header.len(), "{name} row {at}: cells");
            assert!(!numbered || row[0] == at.to_string(), "{name} row {at}: i is {}", row[0]);
        }
        let asked = RefCell::new(numbered.then_some(0).into_iter().collect());
        Self { name: name.to_owned(), header, rows, whole, asked }
    }

    /// The rows from the first to the last.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = GoldenRow<'_>> + DoubleEndedIterator + Clone {
        (0..self.rows.len()).map(move |at| GoldenRow { table: self, at })
    }

    /// The row at this place, from 0.
    ///
    /// # Panics
    /// When the table is shorter.
    #[must_use]
    pub fn row(&self, at: usize) -> GoldenRow<'_> {
        assert!(at < self.rows.len(), "{}: no row {at}", self.name);
        GoldenRow { table: self, at }
    }

    /// The last row.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn last(&self) -> GoldenRow<'_> {
        self.row(self.rows.len().wrapping_sub(1))
    }

    /// Names of the columns. Knowing a name is not reading the column.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.header
    }

    fn unread(&self) -> Vec<&str> {
        let asked = self.asked.borrow();
        self.header.iter().enumerate().filter(|(at, _)| !asked.contains(at)).map(|(_, name)| name.as_str()).collect()
    }
}

impl Drop for GoldenTable {
    fn drop(&mut self) {
        if self.whole && !std::thread::panicking() {
            assert!(self.unread().is_empty(), "nobody reads of testdata/golden/{}.csv: {:?}", self.name, self.unread());
        }
    }
}

impl<'a> GoldenRow<'a> {
    /// The cell as written.
    ///
    /// # Panics
    /// When there is no such column.
    #[must_use]
    pub fn text(self, column: &str) -> &'a str {
        let at = self.table.header.iter().position(|name| name == column);
        let at = at.unwrap_or_else(|| panic!("{}: no column {column}", self.table.name));
        self.table.asked.borrow_mut().insert(at);
        &self.table.rows[self.at][at]
    }

    /// The cell as a number, `None` where it is empty.
    ///
    /// # Panics
    /// When there is no such column, or the cell is no number.
    #[must_use]
    pub fn number(self, column: &str) -> Option<f64> {
        let cell = self.text(column);
        let number =
            || cell.parse().unwrap_or_else(|_| panic!("{} row {}, {column}: '{cell}'", self.table.name, self.at));
        (!cell.is_empty()).then(number)
    }

    /// The cell as the number it has to hold.
    ///
    /// # Panics
    /// As [`Self::number`], and when the cell is empty.
    #[must_use]
    pub fn need(self, column: &str) -> f64 {
        self.number(column).unwrap_or_else(|| panic!("{} row {}: {column} is empty", self.table.name, self.at))
    }

    /// The cell as `true` or `false`.
    ///
    /// # Panics
    /// When there is no such column, or the cell says anything else.
    #[must_use]
    pub fn truth(self, column: &str) -> bool {
        let cell = self.text(column);
        cell.parse().unwrap_or_else(|_| panic!("{} row {}, {column}: '{cell}'", self.table.name, self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "i,x,y,z\n0,1.5,,true\n1,2,word,false\n";

    #[test]
    fn cells_are_read_by_name() {
        let table = GoldenTable::parse("t", TEXT, true);
        let [first, last] = [table.row(0), table.last()];
        assert_eq!((first.need("x"), first.number("y"), first.truth("z")), (1.5, None, true));
        assert_eq!((last.text("y"), table.rows().len(), table.columns()[3].as_str()), ("word", 2, "z"));
    }

    #[test]
    #[should_panic(expected = "nobody reads of testdata/golden/t.csv: [\"y\", \"z\"]")]
    fn a_column_that_nobody_asked_for_fails_the_test() {
        let table = GoldenTable::parse("t", TEXT, true);
        table.rows().for_each(|row| assert!(row.need("x") > 0.0));
    }

    #[test]
    fn a_part_may_leave_columns_to_another() {
        assert_eq!(GoldenTable::parse("t", TEXT, false).unread(), ["x", "y", "z"]);
    }
}
