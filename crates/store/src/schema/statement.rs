//! Statements made from declarations. Each is made once, where it is first used.

use super::{ColumnDef, Database, TableDef};

/// What an insertion does where a row of the key is there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Otherwise {
    /// The statement fails.
    Fail,
    /// Leaves it.
    Keep,
    /// Gives it the new values.
    Update,
    /// Puts the new row in its place. Files only.
    Replace,
    /// What the text says, which may also be about another thing.
    Then(&'static str),
}

fn list(columns: impl Iterator<Item = String>) -> String {
    columns.collect::<Vec<_>>().join(", ")
}

/// The statement that asks for lists of columns, each behind a prefix of its list, and goes on with `rest`.
pub(crate) fn select(lists: &[(&str, &[&str])], rest: &str) -> String {
    let columns = lists.iter().flat_map(|(prefix, columns)| columns.iter().map(move |c| format!("{prefix}{c}")));
    format!("SELECT {}{rest}", list(columns))
}

impl TableDef {
    /// The columns as a statement lists them.
    pub(crate) fn names(&self, on: Database) -> String {
        list(self.columns(on).map(|c| c.name.to_owned()))
    }

    /// The statement that inserts a row with all columns of a database.
    pub(crate) fn insert(&self, on: Database, otherwise: Otherwise) -> String {
        let holes = list((1..=self.columns(on).count()).map(|n| format!("?{n}")));
        let (verb, tail) = match otherwise {
            Otherwise::Fail => ("INSERT", String::new()),
            Otherwise::Keep => ("INSERT", " ON CONFLICT DO NOTHING".to_owned()),
            Otherwise::Update => ("INSERT", self.update(on)),
            Otherwise::Replace => ("INSERT OR REPLACE", String::new()),
            Otherwise::Then(text) => ("INSERT", format!(" {text}")),
        };
        format!("{verb} INTO {} ({}) VALUES ({holes}){tail}", self.name, self.names(on))
    }

    fn update(&self, on: Database) -> String {
        let is_key = |c: &&ColumnDef| self.key.contains(&c.name) || (self.key.is_empty() && c.rest == "PRIMARY KEY");
        let key = list(self.columns(on).filter(is_key).map(|c| c.name.to_owned()));
        let values = self.columns(on).filter(|c| !is_key(c)).map(|c| format!("{0} = excluded.{0}", c.name));
        format!(" ON CONFLICT ({key}) DO UPDATE SET {}", list(values))
    }

    /// The beginning of a statement that inserts rows once more, with another value in one column.
    pub(crate) fn copy_of(&self, other: &str, value: &str) -> String {
        let values = self.columns.iter().map(|c| if c.name == other { value } else { c.name }.to_owned());
        format!("INSERT INTO {0} ({1}) SELECT {2} FROM {0}", self.name, self.names(Database::File), list(values))
    }

    /// Number of columns of a database, but for the number of the row.
    pub(crate) const fn width(&self, on: Database) -> usize {
        self.columns.len() + if matches!(on, Database::Server) { self.more.len() } else { 0 }
    }

    /// Are these all the columns of a database, in their order?
    ///
    /// # Panics
    /// If they are not: at compile time, where [`super::row!`] asks.
    pub(crate) const fn takes(&self, on: Database, names: &[&str]) {
        assert!(names.len() == self.width(on), "a row names all columns of its table, and no others");
        let (mut at, own) = (0, self.columns.len());
        while at < names.len() {
            let column = if at < own { &self.columns[at] } else { &self.more[at - own] };
            assert!(
                same(names[at].as_bytes(), column.name.as_bytes()),
                "a row names columns in the order of its table"
            );
            at += 1;
        }
    }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}
