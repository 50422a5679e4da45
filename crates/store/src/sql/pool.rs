//! Connections for reading, handed out one per question, so that questions from several threads run side by side.

use super::db::Connection;
use super::fault::Inner;
use crate::postgres::{self, DatabaseAddress};
use crate::sqlite;
use crate::{Error, Result};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Idle connections kept; one to a file holds a page cache of at most 2 MiB, one to a server a process there.
const IDLE_MAX: usize = 4;

/// Where connections come from.
#[derive(Clone, Debug)]
pub(crate) enum ConnectionOrigin {
    /// The file.
    File(PathBuf),
    /// The server.
    Server(Box<DatabaseAddress>),
}

impl ConnectionOrigin {
    /// As it is named in messages.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Server(address) => address.path(),
        }
    }

    fn reader(&self) -> Result<Connection> {
        match self {
            Self::File(path) => Ok(Connection::File(sqlite::open_reader(path)?)),
            Self::Server(address) => {
                Ok(Connection::Server(Box::new(address.connect().map_err(|f| f.at(address.path()))?)))
            }
        }
    }
}

/// Opens connections when none is idle.
#[derive(Debug)]
pub(crate) struct ConnectionPool {
    origin: ConnectionOrigin,
    idle: Mutex<Vec<Connection>>,
}

/// A connection on loan.
#[derive(Debug)]
pub(crate) struct Loan<'a> {
    pool: &'a ConnectionPool,
    conn: Option<Connection>,
}

impl ConnectionPool {
    /// Opens the first connection, so that a store that cannot be read fails here.
    pub(crate) fn open(origin: ConnectionOrigin) -> Result<Self> {
        let first = origin.reader()?;
        if let ConnectionOrigin::Server(address) = &origin {
            postgres::check_version(&first, address)?;
        }
        Ok(Self { origin, idle: Mutex::new(vec![first]) })
    }

    pub(crate) fn path(&self) -> &Path {
        self.origin.path()
    }

    /// A connection; an idle one, if there is one and `fresh` does not forbid it.
    pub(crate) fn get(&self, fresh: bool) -> Result<Loan<'_>> {
        let idle = if fresh { None } else { self.lock().pop() };
        let conn = match idle {
            Some(conn) => conn,
            None => self.origin.reader()?,
        };
        Ok(Loan { pool: self, conn: Some(conn) })
    }

    /// Asks a question in a view of one moment. A connection that died while it lay idle costs one more attempt.
    pub(crate) fn ask<T>(&self, question: impl Fn(&Connection) -> Inner<T>) -> Result<T> {
        let once = |fresh: bool| {
            let conn = self.get(fresh)?;
            let answer = conn.begin_read().and_then(|()| question(&conn));
            answer.map_err(|f| f.at(self.path()))
        };
        match once(false) {
            Err(Error::Unavailable { .. }) => {
                // What lies idle died with it.
                self.lock().clear();
                once(true)
            }
            other => other,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loan<'_> {
    pub(crate) fn path(&self) -> &Path {
        self.pool.path()
    }
}

impl Deref for Loan<'_> {
    type Target = Connection;

    #[expect(clippy::expect_used, reason = "only drop takes the connection out")]
    fn deref(&self) -> &Connection {
        self.conn.as_ref().expect("a loan holds its connection until it is dropped")
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        // A reader that still holds a view of the past would keep the log from being merged.
        let clean = conn.end_read();
        let mut idle = self.pool.lock();
        if clean && idle.len() < IDLE_MAX {
            idle.push(conn);
        }
    }
}
