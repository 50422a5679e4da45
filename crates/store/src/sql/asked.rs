//! What is asked of a table: a struct whose fields are named as the columns. The list in the statement and the reader of a row
//! follow from it.

use super::db::DbRow;
use super::fault::Inner;
use barograph_domain::Ts;

/// What a column can be read as, where it stands.
pub(super) trait Cell<'r>: Sized {
    fn of(row: DbRow<'r>, at: usize) -> Inner<Self>;
}

macro_rules! cells {
    ($($type:ty),*) => {
        $(impl<'r> Cell<'r> for $type {
            fn of(row: DbRow<'r>, at: usize) -> Inner<Self> {
                row.get(at)
            }
        })*
    };
}
cells!(i64, Option<i64>, Option<f64>, String, Option<String>);

impl<'r> Cell<'r> for Ts {
    fn of(row: DbRow<'r>, at: usize) -> Inner<Self> {
        row.get(at).map(Ts)
    }
}
impl<'r> Cell<'r> for Option<Ts> {
    fn of(row: DbRow<'r>, at: usize) -> Inner<Self> {
        Ok(row.get::<Option<i64>>(at)?.map(Ts))
    }
}
impl<'r> Cell<'r> for &'r [u8] {
    fn of(row: DbRow<'r>, at: usize) -> Inner<Self> {
        row.blob(at)
    }
}
impl<'r> Cell<'r> for Option<&'r [u8]> {
    fn of(row: DbRow<'r>, at: usize) -> Inner<Self> {
        row.blob_or_null(at)
    }
}

/// What is asked.
pub(super) trait Asked<'r>: Sized {
    /// Its columns.
    const COLUMNS: &'static [&'static str];

    /// Reads it from the columns of a row that begin at one.
    fn read_from(first: usize, row: DbRow<'r>) -> Inner<Self>;

    /// Reads it from the first columns of a row.
    fn read(row: DbRow<'r>) -> Inner<Self> {
        Self::read_from(0, row)
    }
}

/// Declares what is asked, for [`select!`].
macro_rules! asked {
    ($(#[$about:meta])* struct $name:ident $(<$life:lifetime>)? { $($column:ident: $type:ty),* $(,)? }) => {
        $(#[$about])*
        pub(super) struct $name $(<$life>)? { $(pub(super) $column: $type),* }

        impl<'r> $crate::sql::asked::Asked<'r> for $name $(<$life>)? {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),*];

            fn read_from(first: usize, row: $crate::sql::db::DbRow<'r>) -> $crate::sql::fault::Inner<Self> {
                let mut columns = first..first + Self::COLUMNS.len();
                let mut next = || columns.next().unwrap_or_default();
                Ok(Self { $($column: $crate::sql::asked::Cell::of(row, next())?),* })
            }
        }
    };
}
pub(super) use asked;

/// The text of a question for what is declared: the columns, each behind the name of its table if one is given, and what follows
/// on them.
macro_rules! select {
    ($($name:ident $(of $table:literal)?),+; $rest:expr) => {{
        static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
            $crate::schema::select(&[$((concat!($($table, ".")?), $name::COLUMNS)),+], $rest)
        });
        SQL.as_str()
    }};
}
pub(super) use select;
