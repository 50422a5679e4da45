//! The writing side: locks, transactions, and the rule that a failed write ends a writer.

use super::fault::{Fault, Inner};
use super::lock::RoleLock;
use super::{FILE, fault, live, open, points, prune, replace, segment};
use crate::{
    Appended, Error, ImportRecord, Inserted, LiveBatch, PointsVersion, Pruned, Result, Retention, Role, RunKey,
    RunSpec, RunWriter, Writer,
};
use barograph_domain::{Event, Instrument, StreamDecl, Ts};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};

/// Writes into one data folder in one or both roles.
#[derive(Debug)]
pub struct SqliteWriter {
    conn: Connection,
    path: PathBuf,
    locks: Vec<(Role, RoleLock)>,
    poisoned: Option<String>,
    /// What the last live batch referred to; forgotten when anything else is written.
    live: Option<Box<live::Cache>>,
}

impl SqliteWriter {
    /// Opens the store of a data folder for writing, making both where they do not exist. Takes the lock of each role.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process holds a role, and all that opening a file can bring.
    pub fn open(folder: &Path, roles: &[Role]) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|e| fault::io(folder.to_owned(), e))?;
        let locks = roles.iter().map(|r| Ok((*r, RoleLock::take(folder, *r)?))).collect::<Result<_>>()?;
        let path = folder.join(FILE);
        let conn = open::writer(&path)?;
        let mut writer = Self { conn, path, locks, poisoned: None, live: None };
        if writer.holds(Role::Context) {
            writer.collect_garbage()?;
        }
        Ok(writer)
    }

    /// Lets the file grow by no more than this many pages of 4 KiB: what a full disk does, for tests.
    ///
    /// # Errors
    /// When the limit cannot be set.
    #[doc(hidden)]
    pub fn limit_pages(&mut self, more: u32) -> Result<()> {
        let limit = || -> Inner<()> {
            let now: i64 = self.conn.pragma_query_value(None, "page_count", |r| r.get(0))?;
            self.conn.pragma_update(None, "max_page_count", now + i64::from(more))?;
            Ok(())
        };
        limit().map_err(|f| f.at(&self.path))
    }

    fn holds(&self, role: Role) -> bool {
        self.locks.iter().any(|(held, _)| *held == role)
    }

    pub(super) fn need(&self, role: Role) -> Result<()> {
        if self.holds(role) {
            return Ok(());
        }
        Err(Error::Invalid(format!("this writer was not opened in the role '{}'", role.name())))
    }

    /// Reads outside of a transaction.
    pub(super) fn read<T>(&self, question: impl FnOnce(&Connection) -> Inner<T>) -> Result<T> {
        question(&self.conn).map_err(|f| f.at(&self.path))
    }

    /// Does something in one transaction. After a failure that may have reached the disk the writer refuses everything:
    /// nobody knows what is there until it is read again.
    pub(super) fn write<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Inner<T>) -> Result<T> {
        if let Some(cause) = &self.poisoned {
            return Err(Error::Poisoned { cause: cause.clone() });
        }
        self.live = None;
        let done = transact(&mut self.conn, work);
        done.map_err(|f| {
            let harmless = f.is_harmless();
            let error = f.at(&self.path);
            if !harmless {
                self.poisoned = Some(error.to_string());
            }
            error
        })
    }

    /// Removes what replaced or unfinished runs left behind, a little at a time so that nobody waits.
    pub(super) fn collect_garbage(&mut self) -> Result<()> {
        while self.write(|tx| segment::collect_some_garbage(tx))? {}
        Ok(())
    }
}

impl Drop for SqliteWriter {
    /// Merges the log into the file, so that the folder can be copied or made read-only as it lies.
    fn drop(&mut self) {
        if self.poisoned.is_none() {
            // A reader in the middle of something keeps the log; the next writer merges it.
            let merged: rusqlite::Result<i64> =
                self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0));
            drop(merged);
        }
    }
}

fn transact<T>(conn: &mut Connection, work: impl FnOnce(&Transaction<'_>) -> Inner<T>) -> Inner<T> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let out = work(&tx)?;
    tx.commit()?;
    Ok(out)
}

impl Writer for SqliteWriter {
    fn insert_points(
        &mut self,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        events: &[Event],
    ) -> Result<Inserted> {
        self.need(Role::Ingest)?;
        if u32::try_from(events.len()).is_err() {
            return Err(Error::Invalid("a batch holds at most 4,294,967,295 events".to_owned()));
        }
        self.write(|tx| points::insert(tx, instruments, streams, events))
    }

    fn append(&mut self, batch: &LiveBatch<'_>) -> Result<Appended> {
        self.need(Role::Ingest)?;
        self.need(Role::Context)?;
        let mut known = self.live.take();
        let done = self.write(|tx| live::append(tx, &mut known, batch))?;
        self.live = known;
        Ok(done)
    }

    fn replace<'a>(
        &'a mut self,
        spec: &RunSpec,
        from: Option<Ts>,
        seen: PointsVersion,
    ) -> Result<Box<dyn RunWriter + 'a>> {
        self.need(Role::Context)?;
        Ok(Box::new(replace::Replacement::begin(self, spec, from, seen)?))
    }

    fn remove_run(&mut self, run: &RunKey) -> Result<()> {
        self.need(Role::Context)?;
        self.write(|tx| segment::remove_run(tx, run))?;
        self.collect_garbage()
    }

    fn record_import(&mut self, r: &ImportRecord) -> Result<()> {
        self.need(Role::Ingest)?;
        let count = |n: u64| i64::try_from(n).map_err(|_e| Fault::Invalid(format!("{n} is no count")));
        self.write(|tx| {
            tx.execute(
                "INSERT INTO imports (started, finished, release, source, points_new, points_revised, points_same,
                    points_earlier, rejected, detail)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    r.started.0,
                    r.finished.0,
                    r.release,
                    r.source,
                    count(r.inserted.new)?,
                    count(r.inserted.revised)?,
                    count(r.inserted.same)?,
                    count(r.inserted.earlier)?,
                    count(r.rejected)?,
                    r.detail
                ],
            )?;
            Ok(())
        })
    }

    fn prune(&mut self, retention: &Retention) -> Result<Pruned> {
        prune::prune(self, retention)
    }
}
