//! One way to speak SQL to both databases: the little of it that the store needs.
//!
//! Statements are written once, with parameters `?1`, `?2`, in the SQL that both understand; PostgreSQL gets them with its
//! own parameter signs and without SQLite's index hints. Where the two must differ, callers ask [`Connection::is_server`].
//! Rows of a server are fetched whole, so whoever may meet many asks for them in pages.

use super::fault::{Inner, SqlFault};
use crate::postgres::PostgresSession;
use rusqlite::CachedStatement;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::borrow::Cow;

/// A database that is open.
#[derive(Debug)]
pub(crate) enum Connection {
    /// A file.
    File(rusqlite::Connection),
    /// A server.
    Server(Box<PostgresSession>),
}

/// A parameter.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum SqlValue<'a> {
    Null,
    Int(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Blob(Cow<'a, [u8]>),
    /// Servers only.
    Ints(Cow<'a, [i64]>),
    /// Servers only.
    Reals(Cow<'a, [f64]>),
}

/// A statement, prepared once per connection.
pub(crate) enum Statement<'c> {
    File(CachedStatement<'c>),
    Server(&'c PostgresSession, Cow<'static, str>),
}

/// Rows of an answer.
pub(crate) enum Rows<'s> {
    File(rusqlite::Rows<'s>),
    Server(Vec<tokio_postgres::Row>, usize),
}

/// One row.
#[derive(Clone, Copy)]
pub(crate) enum DbRow<'r> {
    File(&'r rusqlite::Row<'r>),
    Server(&'r tokio_postgres::Row),
}

/// What a column can be read as.
pub(crate) trait FromColumn: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a> {}
impl<T: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a>> FromColumn for T {}

/// No parameters.
pub(crate) const NONE: [SqlValue<'static>; 0] = [];

/// Parameters of different kinds.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        [$($crate::sql::db::SqlValue::from($value)),*]
    };
}
pub(crate) use params;

impl From<i64> for SqlValue<'_> {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}
impl From<u8> for SqlValue<'_> {
    fn from(n: u8) -> Self {
        Self::Int(n.into())
    }
}
impl From<bool> for SqlValue<'_> {
    fn from(b: bool) -> Self {
        Self::Int(b.into())
    }
}
impl From<f64> for SqlValue<'_> {
    fn from(x: f64) -> Self {
        Self::Real(x)
    }
}
impl From<String> for SqlValue<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}
impl<'a> From<&'a String> for SqlValue<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}
impl<'a> From<&'a str> for SqlValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}
impl From<Vec<u8>> for SqlValue<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(Cow::Owned(bytes))
    }
}
impl<'a> From<&'a Vec<u8>> for SqlValue<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Blob(Cow::Borrowed(bytes))
    }
}
impl<'a> From<&'a [u8]> for SqlValue<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Blob(Cow::Borrowed(bytes))
    }
}
impl<'a, T: Into<Self>> From<Option<T>> for SqlValue<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl SqlValue<'_> {
    /// The same, for later.
    pub(crate) fn into_owned(self) -> SqlValue<'static> {
        match self {
            Self::Null => SqlValue::Null,
            Self::Int(n) => SqlValue::Int(n),
            Self::Real(x) => SqlValue::Real(x),
            Self::Text(text) => SqlValue::Text(Cow::Owned(text.into_owned())),
            Self::Blob(bytes) => SqlValue::Blob(Cow::Owned(bytes.into_owned())),
            Self::Ints(list) => SqlValue::Ints(Cow::Owned(list.into_owned())),
            Self::Reals(list) => SqlValue::Reals(Cow::Owned(list.into_owned())),
        }
    }
}

impl rusqlite::ToSql for SqlValue<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Real(x) => ValueRef::Real(*x),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Ints(_) | Self::Reals(_) => {
                return Err(rusqlite::Error::ToSqlConversionFailure("files store no lists of numbers".into()));
            }
        }))
    }
}

fn values<'a, T: Into<SqlValue<'a>>, const N: usize>(params: [T; N]) -> [SqlValue<'a>; N] {
    params.map(Into::into)
}

impl Connection {
    /// Is it a server, with other processes and a network in between?
    pub(crate) const fn is_server(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// The file; none for a server.
    pub(crate) const fn file(&self) -> Option<&rusqlite::Connection> {
        match self {
            Self::File(conn) => Some(conn),
            Self::Server(_) => None,
        }
    }

    /// The server; none for a file.
    pub(crate) const fn server(&self) -> Option<&PostgresSession> {
        match self {
            Self::File(_) => None,
            Self::Server(session) => Some(session),
        }
    }

    /// A statement that is prepared once.
    pub(crate) fn prepare(&self, sql: impl Into<Cow<'static, str>>) -> Inner<Statement<'_>> {
        Ok(match self {
            Self::File(conn) => Statement::File(conn.prepare_cached(&sql.into())?),
            Self::Server(session) => Statement::Server(session, sql.into()),
        })
    }

    /// Changes something; the number of rows changed.
    pub(crate) fn execute<'p, T: Into<SqlValue<'p>>, const N: usize>(
        &self,
        sql: impl Into<Cow<'static, str>>,
        params: [T; N],
    ) -> Inner<usize> {
        self.prepare(sql)?.execute(params)
    }

    /// Changes something and does not wait to hear what: a failure shows at the next question or at the commit.
    pub(crate) fn send<'p, T: Into<SqlValue<'p>>, const N: usize>(
        &self,
        sql: impl Into<Cow<'static, str>>,
        params: [T; N],
    ) -> Inner<()> {
        match self.prepare(sql)? {
            statement @ Statement::File(_) => {
                let mut statement = statement;
                statement.execute(params).map(drop)
            }
            Statement::Server(session, sql) => session.send(sql, values(params).map(SqlValue::into_owned).to_vec()),
        }
    }

    /// The one row of an answer.
    pub(crate) fn query_row<'p, T: Into<SqlValue<'p>>, R, const N: usize>(
        &self,
        sql: impl Into<Cow<'static, str>>,
        params: [T; N],
        read: impl FnOnce(DbRow<'_>) -> Inner<R>,
    ) -> Inner<R> {
        self.prepare(sql)?.query_row(params, read)
    }

    /// Several statements without parameters.
    pub(crate) fn execute_batch(&self, sql: &str) -> Inner<()> {
        match self {
            Self::File(conn) => Ok(conn.execute_batch(sql)?),
            Self::Server(session) => session.batch(sql),
        }
    }

    /// Begins a view of one moment.
    pub(crate) fn begin_read(&self) -> Inner<()> {
        self.execute_batch(match self {
            Self::File(_) => "BEGIN",
            Self::Server(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        })
    }

    /// Ends it. False when the connection cannot be used again.
    pub(crate) fn end_read(&self) -> bool {
        match self {
            Self::File(conn) => conn.is_autocommit() || conn.execute_batch("ROLLBACK").is_ok(),
            Self::Server(session) => session.batch("ROLLBACK").is_ok(),
        }
    }
}

impl Statement<'_> {
    /// Changes something; the number of rows changed.
    pub(crate) fn execute<'p, T: Into<SqlValue<'p>>, const N: usize>(&mut self, params: [T; N]) -> Inner<usize> {
        let params = values(params);
        match self {
            Self::File(statement) => Ok(statement.execute(rusqlite::params_from_iter(params))?),
            Self::Server(session, sql) => session.execute(sql, &params),
        }
    }

    /// Asks something.
    pub(crate) fn query<'p, T: Into<SqlValue<'p>>, const N: usize>(&mut self, params: [T; N]) -> Inner<Rows<'_>> {
        let params = values(params);
        match self {
            Self::File(statement) => Ok(Rows::File(statement.query(rusqlite::params_from_iter(params))?)),
            Self::Server(session, sql) => Ok(Rows::Server(session.query(sql, &params)?, 0)),
        }
    }

    /// The one row of an answer.
    pub(crate) fn query_row<'p, T: Into<SqlValue<'p>>, R, const N: usize>(
        &mut self,
        params: [T; N],
        read: impl FnOnce(DbRow<'_>) -> Inner<R>,
    ) -> Inner<R> {
        let mut rows = self.query(params)?;
        match rows.next()? {
            Some(row) => read(row),
            None => Err(SqlFault::NoRow),
        }
    }

    /// Every row of an answer.
    pub(crate) fn query_map<'p, T: Into<SqlValue<'p>>, R, const N: usize>(
        &mut self,
        params: [T; N],
        mut read: impl FnMut(DbRow<'_>) -> Inner<R>,
    ) -> Inner<std::vec::IntoIter<Inner<R>>> {
        let mut rows = self.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row));
        }
        Ok(found.into_iter())
    }
}

impl Rows<'_> {
    pub(crate) fn next(&mut self) -> Inner<Option<DbRow<'_>>> {
        match self {
            Self::File(rows) => Ok(rows.next()?.map(DbRow::File)),
            Self::Server(rows, at) => {
                *at += 1;
                Ok(rows.get(*at - 1).map(DbRow::Server))
            }
        }
    }
}

impl<'r> DbRow<'r> {
    pub(crate) fn get<T: FromColumn>(self, at: usize) -> Inner<T> {
        match self {
            Self::File(row) => Ok(row.get(at)?),
            Self::Server(row) => Ok(row.try_get(at)?),
        }
    }

    /// Bytes, without copying them.
    pub(crate) fn blob(self, at: usize) -> Inner<&'r [u8]> {
        self.blob_or_null(at)?.ok_or_else(|| SqlFault::Damaged("bytes that are missing".to_owned()))
    }

    /// Bytes where there are any.
    pub(crate) fn blob_or_null(self, at: usize) -> Inner<Option<&'r [u8]>> {
        match self {
            Self::File(row) => {
                row.get_ref(at)?.as_blob_or_null().map_err(|e| SqlFault::Damaged(format!("a stored value: {e}")))
            }
            Self::Server(row) => Ok(row.try_get(at)?),
        }
    }
}

/// An answer that may have no row.
pub(crate) trait Optional<T> {
    fn optional(self) -> Inner<Option<T>>;
}

impl<T> Optional<T> for Inner<T> {
    fn optional(self) -> Inner<Option<T>> {
        match self {
            Ok(found) => Ok(Some(found)),
            Err(SqlFault::NoRow) => Ok(None),
            Err(other) => Err(other),
        }
    }
}
