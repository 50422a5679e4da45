//! The tables, declared once for both databases ([`tables`], and those of the originals beside what writes them).
//!
//! A declaration says what each column holds and since which version of the schema it is there. From it come the statements
//! that make a version ([`step`]) and those that insert ([`insert!`]). What the databases do not share — views, functions, an
//! index of one's own, what an old version has to be brought into — is SQL in `sqlite/schema.rs` and `postgres/schema.rs`.
//!
//! Forward only: what a published version made is never made otherwise, a new version adds to it.

mod statement;
pub(crate) mod tables;

pub(crate) use statement::{Otherwise, select};
pub(crate) use tables::VERSION;

use crate::sql::originals;
use std::fmt::Write as _;

/// Which database a statement is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Database {
    File,
    Server,
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ColumnKind {
    Int,
    Real,
    /// Servers only.
    Reals,
    Bytes,
    Text,
    /// A text that is compared, byte by byte whatever a server's language is.
    Word,
    /// A moment as people read it; all others are whole nanoseconds since 1970, UTC.
    Time,
    /// Of the originals' tables: a market's symbol, in either spelling.
    Symbol,
    /// The same, where rows are ordered by it.
    SymbolKey,
}

impl ColumnKind {
    const fn word(self, on: Database) -> &'static str {
        match (self, on) {
            (Self::Int, Database::File) => "INTEGER",
            (Self::Int, Database::Server) => "bigint",
            (Self::Real, Database::File) => "REAL",
            (Self::Real, Database::Server) => "float8",
            (Self::Reals, _) => "float8[]",
            (Self::Bytes, Database::File) => "BLOB",
            (Self::Bytes, Database::Server) => "bytea",
            (Self::Text | Self::Word | Self::Time, Database::File) => "TEXT",
            (Self::Text, Database::Server) => "text",
            (Self::Word, Database::Server) => "text COLLATE \"C\"",
            (Self::Time, Database::Server) => "timestamptz",
            // The affinity of a view's argument, without which halves of a view would not be read in the order of an index.
            (Self::Symbol | Self::SymbolKey, Database::File) => "NUMERIC",
            (Self::Symbol, Database::Server) => "market_symbol",
            (Self::SymbolKey, Database::Server) => "market_symbol COLLATE \"C\"",
        }
    }
}

/// The versions of the schema that brought something, one for each database. 0: it has none, or makes it in SQL of its own. Of a
/// column or an index 0 for both: it came with its table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since {
    pub(crate) file: u8,
    pub(crate) server: u8,
}

impl Since {
    const fn on(self, database: Database) -> u8 {
        match database {
            Database::File => self.file,
            Database::Server => self.server,
        }
    }

    /// Of something in a table.
    pub(crate) const fn within(self, table: Self, database: Database) -> u8 {
        if self.file == 0 && self.server == 0 { table.on(database) } else { self.on(database) }
    }
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColumnDef {
    pub(crate) name: &'static str,
    pub(crate) kind: ColumnKind,
    /// What both databases say behind the type.
    pub(crate) rest: &'static str,
    /// What stands beside it in the schema of a file.
    pub(crate) note: &'static str,
    pub(crate) since: Since,
}

impl ColumnDef {
    fn definition(&self, on: Database) -> String {
        format!("{} {} {}", self.name, self.kind.word(on), self.rest).trim_end().to_owned()
    }
}

/// An index: its name, what of the table it is on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Index {
    pub(crate) name: &'static str,
    pub(crate) on: &'static str,
    pub(crate) since: Since,
}

/// One table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableDef {
    pub(crate) name: &'static str,
    pub(crate) note: &'static str,
    pub(crate) since: Since,
    /// The column of the number that the database gives each row, if any.
    pub(crate) id: Option<&'static str>,
    /// The others.
    pub(crate) columns: &'static [ColumnDef],
    /// Columns that only a server has, behind the others.
    pub(crate) more: &'static [ColumnDef],
    /// The key of several columns, or what is unique beside a key of one.
    pub(crate) key: &'static [&'static str],
    /// What stands behind the columns in a file, where it does not follow from them.
    pub(crate) files: &'static str,
    /// The same on a server.
    pub(crate) servers: &'static str,
    pub(crate) indices: &'static [Index],
}

impl TableDef {
    /// The columns of a database, but for the number of the row.
    pub(crate) fn columns(&self, on: Database) -> impl Iterator<Item = &'static ColumnDef> {
        let more = if on == Database::Server { self.more } else { &[] };
        self.columns.iter().chain(more)
    }

    /// The statement that makes the table as it first was, under a name.
    pub(crate) fn create_as(&self, name: &str, on: Database) -> String {
        let mut lines: Vec<(String, &str)> = Vec::new();
        if let Some(id) = self.id {
            let number = if on == Database::File { "INTEGER" } else { "bigint GENERATED ALWAYS AS IDENTITY" };
            lines.push((format!("{id} {number} PRIMARY KEY"), ""));
        }
        for column in self.columns(on).filter(|c| c.since.within(self.since, on) == self.since.on(on)) {
            let mut text = column.definition(on);
            // A table in parts, one for each month, checks no references.
            if on == Database::Server && !self.servers.is_empty() {
                text.truncate(text.find(" REFERENCES").unwrap_or(text.len()));
            }
            lines.push((text, column.note));
        }
        if !self.key.is_empty() {
            let kind = if self.has_key_of_one() { "UNIQUE" } else { "PRIMARY KEY" };
            lines.push((format!("{kind} ({})", self.key.join(", ")), ""));
        }
        let mut sql = line(&format!("CREATE TABLE {name} ("), self.note);
        let last = lines.len().saturating_sub(1);
        for (at, (text, note)) in lines.iter().enumerate() {
            sql += &line(&format!("    {text}{}", if at < last { "," } else { "" }), note);
        }
        format!("{sql}) {}", self.behind(on)).trim_end().to_owned() + ";\n"
    }

    fn has_key_of_one(&self) -> bool {
        self.id.is_some() || self.columns.iter().any(|c| c.rest == "PRIMARY KEY")
    }

    /// What stands behind the columns.
    fn behind(&self, on: Database) -> &'static str {
        if on == Database::Server || !self.files.is_empty() {
            return if on == Database::Server { self.servers } else { self.files };
        }
        // Symbols have a type that strict tables do not know.
        let strict = self.columns.iter().all(|c| !matches!(c.kind, ColumnKind::Symbol | ColumnKind::SymbolKey));
        let numbered =
            self.id.is_some() || self.columns.iter().any(|c| (c.kind, c.rest) == (ColumnKind::Int, "PRIMARY KEY"));
        match (strict, numbered) {
            (true, true) => "STRICT",
            (true, false) => "STRICT, WITHOUT ROWID",
            (false, true) => "",
            (false, false) => "WITHOUT ROWID",
        }
    }
}

fn line(text: &str, note: &str) -> String {
    if note.is_empty() { format!("{text}\n") } else { format!("{text:<43} -- {note}\n") }
}

/// What the declarations say that a version brings to a database.
pub(crate) fn step(version: u8, on: Database) -> String {
    let mut sql = String::new();
    for table in tables::ALL.iter().chain(originals::schema::ALL) {
        let (name, made) = (table.name, table.since.on(on));
        if made == version {
            sql += &table.create_as(name, on);
        }
        for column in table.columns(on).filter(|c| c.since.on(on) == version && version != made) {
            // Writing to a string cannot fail.
            let _infallible = writeln!(sql, "ALTER TABLE {name} ADD COLUMN {};", column.definition(on));
        }
        for index in table.indices.iter().filter(|i| i.since.within(table.since, on) == version) {
            let _infallible = writeln!(sql, "CREATE INDEX {} ON {name} {};", index.name, index.on);
        }
    }
    sql
}

/// Versions of both databases from those that a declaration names.
macro_rules! since {
    () => {
        $crate::schema::Since { file: 0, server: 0 }
    };
    ($both:literal) => {
        $crate::schema::Since { file: $both, server: $both }
    };
    ($file:literal, $server:literal) => {
        $crate::schema::Since { file: $file, server: $server }
    };
}
pub(crate) use since;

macro_rules! columns {
    ($(
        $column:ident: $kind:ident $($rest:ident)* $(($default:literal))? $([since $($since:literal),+])? $(-- $note:literal)?
    ),* $(,)?) => {
        &[$($crate::schema::ColumnDef {
            name: stringify!($column),
            kind: $crate::schema::ColumnKind::$kind,
            rest: stringify!($($rest)* $($default)?),
            note: concat!($($note)?),
            since: $crate::schema::since!($($($since),+)?),
        }),*]
    };
}
pub(crate) use columns;

/// Tables: name and version, columns, those of servers, key, what stands behind the columns, indices. `ALL` is all of them, in
/// the order in which they are made.
macro_rules! declare {
    ($(
        $table:ident [since $($since:literal),+] $(-- $note:literal)? $(id $id:ident)? { $($columns:tt)* }
        $(more { $($more:tt)* })?
        $(key ($($key:ident),+))?
        $(files $files:literal)?
        $(servers $servers:literal)?
        $(index $index:ident $on:literal $([since $($later:literal),+])?)*;
    )*) => {
        $(
            #[expect(non_upper_case_globals, reason = "it is named as in the databases")]
            pub(crate) const $table: $crate::schema::TableDef = $crate::schema::TableDef {
                name: stringify!($table),
                note: concat!($($note)?),
                since: $crate::schema::since!($($since),+),
                id: [$(Some(stringify!($id)),)? None][0],
                columns: $crate::schema::columns!($($columns)*),
                more: $crate::schema::columns!($($($more)*)?),
                key: &[$($(stringify!($key)),+)?],
                files: concat!($($files)?),
                servers: concat!($($servers)?),
                indices: &[$($crate::schema::Index {
                    name: stringify!($index),
                    on: $on,
                    since: $crate::schema::since!($($($later),+)?),
                }),*],
            };
        )*
        pub(crate) const ALL: &[$crate::schema::TableDef] = &[$($table),*];
    };
}
pub(crate) use declare;

/// The text of a statement that inserts a row; `Keep`, `Update` and the others are those of [`Otherwise`]. With `on Server` the
/// row has all columns of a server.
macro_rules! insert_sql {
    ($table:ident $(on $database:ident)? or $otherwise:ident $(($tail:literal))?) => {{
        static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
            let otherwise = $crate::schema::Otherwise::$otherwise $(($tail))?;
            $crate::schema::tables::$table.insert($crate::schema::database!($($database)?), otherwise)
        });
        SQL.as_str()
    }};
}
pub(crate) use insert_sql;

macro_rules! database {
    () => {
        $crate::schema::Database::File
    };
    ($database:ident) => {
        $crate::schema::Database::$database
    };
}
pub(crate) use database;

/// The values of a row, each beside the name of its column, or under it. That they are the table's, all of them and in its
/// order, is checked at compile time.
macro_rules! row {
    ($table:ident $(on $database:ident)? { $($column:ident $(: $value:expr)?),* $(,)? }) => {{
        const {
            $crate::schema::tables::$table.takes($crate::schema::database!($($database)?), &[$(stringify!($column)),*]);
        }
        [$($crate::schema::row!(@ $column $($value)?)),*]
    }};
    (@ $column:ident) => {
        $crate::sql::db::SqlValue::from($column)
    };
    (@ $column:ident $value:expr) => {
        $crate::sql::db::SqlValue::from($value)
    };
}
pub(crate) use row;

/// A statement that inserts a row, and its values.
macro_rules! insert {
    ($table:ident $(on $database:ident)? or $otherwise:ident $(($tail:literal))? { $($values:tt)* }) => {
        (
            $crate::schema::insert_sql!($table $(on $database)? or $otherwise $(($tail))?),
            $crate::schema::row!($table $(on $database)? { $($values)* }),
        )
    };
}
pub(crate) use insert;

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    /// A published version is never made otherwise: a change of one of these is a column, table or index that lacks its `since`.
    #[test]
    fn published_versions_stay_as_they_are() {
        for (on, want) in [
            (Database::File, "e7b69484b0e7401b955e8ffebf2ba17745b2dc97eafff8b5bfb29632fb380f62"),
            (Database::Server, "9deafb99007799dd62503f45a72e82ad468d772dd0d277108452995640d3c10d"),
        ] {
            let sql: String = (1..=11).map(|version| step(version, on)).collect();
            let words: Vec<&str> = sql.split_whitespace().collect();
            let hash = Sha256::digest(words.join(" ")).iter().fold(String::new(), |text, b| text + &format!("{b:02x}"));
            assert_eq!(hash, want, "{on:?}");
        }
    }
}
