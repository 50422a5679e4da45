//! Connections for reading, handed out one per question, so that questions from several threads run side by side.

use super::open;
use crate::Result;
use rusqlite::Connection;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Idle connections kept; each holds a page cache of at most 2 MiB.
const IDLE_MAX: usize = 4;

/// Opens connections when none is idle.
#[derive(Debug)]
pub(super) struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// A connection on loan.
#[derive(Debug)]
pub(super) struct Loan<'a> {
    pool: &'a Pool,
    conn: Option<Connection>,
    path: &'a Path,
}

impl Pool {
    /// Opens the first connection, so that a store that cannot be read fails here.
    pub(super) fn open(path: PathBuf) -> Result<Self> {
        let first = open::reader(&path)?;
        Ok(Self { path, idle: Mutex::new(vec![first]) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn get(&self) -> Result<Loan<'_>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => open::reader(&self.path)?,
        };
        Ok(Loan { pool: self, conn: Some(conn), path: &self.path })
    }
}

impl Loan<'_> {
    pub(super) fn path(&self) -> &Path {
        self.path
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
        let clean = conn.is_autocommit() || conn.execute_batch("ROLLBACK").is_ok();
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if clean && idle.len() < IDLE_MAX {
            idle.push(conn);
        }
    }
}
