//! The implementation on a PostgreSQL server, from version 14 on: the same statements as on a file, another connection.
//!
//! What is its own: partitions by month, points written by COPY, roles as advisory locks of the writing connection, and
//! that a server goes away and comes back. A writer then repeats its transaction, which either happened or did not, for a
//! bounded time; a reader says that the store is unavailable and for how long to wait.

mod address;
mod alone;
mod copy;
mod partitions;
pub(crate) mod role;
mod schema;
mod session;
mod tls;

pub(crate) use address::DatabaseAddress;
pub(crate) use alone::{alone, find_or_alone};
pub(crate) use copy::{PointRow, copy_points, reals};
pub(crate) use partitions::{drop_empty, ensure_months};
pub(crate) use role::take_roles;
pub(crate) use session::PostgresSession;
pub(crate) use tls::refused;

use crate::sql::db::{Connection, NONE, Optional, params};
use crate::sql::fault::{Inner, SqlFault};
use crate::sql::reader::SqlReader;
use crate::sql::writer::SqlWriter;
use crate::{Error, Result, WriterRole};

/// Marks the server in [`PgReader`] and [`PgWriter`].
#[derive(Clone, Copy, Debug)]
pub enum Postgres {}

/// Reads a server; may be shared between threads.
pub type PgReader = SqlReader<Postgres>;
/// Writes to a server.
pub type PgWriter = SqlWriter<Postgres>;

impl PgReader {
    /// Connects to `postgres://user:password@host:port/database` for reading.
    ///
    /// # Errors
    /// [`Error::Missing`] when nothing is stored there, [`Error::Unavailable`] when the server does not answer.
    pub fn connect(url: &str) -> Result<Self> {
        Self::over_server(DatabaseAddress::parse(url)?)
    }
}

impl PgWriter {
    /// Connects for writing, makes the tables where there are none, and takes the lock of each role.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process holds a role, [`Error::Unavailable`] when the server does not answer.
    pub fn connect(url: &str, roles: &[WriterRole]) -> Result<Self> {
        Self::over_server(DatabaseAddress::parse(url)?, roles)
    }
}

/// Sets something that the views read.
pub(crate) fn set(url: &str, name: &str, value: i64) -> Result<()> {
    let address = DatabaseAddress::parse(url)?;
    let write = || {
        let conn = Connection::Server(Box::new(address.connect()?));
        conn.execute("UPDATE settings SET value = ?2 WHERE name = ?1 AND value <> ?2", params![name, value])
    };
    write().map(drop).map_err(|f| f.at(address.path()))
}

/// Newest version this build knows.
pub(crate) fn known() -> i64 {
    crate::schema::VERSION.into()
}

/// Version of the schema; 0 where there is none.
fn version(conn: &Connection) -> Inner<i64> {
    let there: Option<String> =
        conn.query_row("SELECT CAST(to_regclass('barograph_schema') AS text)", NONE, |r| r.get(0))?;
    if there.is_none() {
        return Ok(0);
    }
    Ok(conn.query_row("SELECT version FROM barograph_schema", NONE, |r| r.get(0)).optional()?.unwrap_or(0))
}

/// Refuses what this build cannot read.
pub(crate) fn check_version(conn: &Connection, address: &DatabaseAddress) -> Result<()> {
    let found = version(conn).map_err(|f| f.at(address.path()))?;
    let (path, known) = (address.path().to_owned(), known());
    match found {
        0 => Err(Error::Missing { path }),
        v if v > known => Err(Error::Newer { path, found, known }),
        v if v < known => Err(Error::Outdated { path, found, known }),
        _ => Ok(()),
    }
}

/// Brings the schema up to date, each step in a transaction of its own. Leaves newer ones alone.
pub(crate) fn migrate(conn: &Connection) -> Inner<()> {
    for (step, sql) in (1_i64..).zip(schema::migrations()) {
        if version(conn)? >= step {
            continue;
        }
        conn.execute_batch("BEGIN")?;
        let done = upgrade(conn, step, &sql);
        conn.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        done?;
    }
    Ok(())
}

fn upgrade(conn: &Connection, step: i64, sql: &str) -> Inner<()> {
    // Two programs may start at once; the second finds the work done.
    conn.execute("SELECT pg_advisory_xact_lock(?1)", [role::key("schema")])?;
    if version(conn)? >= step {
        return Ok(());
    }
    if step == 1 {
        let strange: i64 = conn.query_row(
            "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()
             AND tablename IN ('instruments', 'streams', 'points', 'runs', 'books', 'gaps')",
            NONE,
            |r| r.get(0),
        )?;
        if strange > 0 {
            return Err(SqlFault::Foreign);
        }
        conn.execute_batch("CREATE TABLE barograph_schema (version bigint NOT NULL)")?;
        conn.execute("INSERT INTO barograph_schema (version) VALUES (?1)", params![0_i64])?;
    }
    conn.execute_batch(sql)?;
    conn.execute("UPDATE barograph_schema SET version = ?1", [step])?;
    Ok(())
}
