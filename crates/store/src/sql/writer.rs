//! The writing side: locks, transactions, and what follows when one fails.
//!
//! A failed write of a file ends its writer, because nobody knows what is on disk until it is read again. A server
//! undoes a failed transaction itself; when it goes away in the middle, the writer connects again, takes its locks again,
//! asks whether the transaction had been committed, and else repeats it: for [`PATIENCE`], then the caller hears.

use super::db::{Connection, NONE, params};
use super::fault::{self, Inner, SqlFault};
use super::{
    corrections, fences, ledger, live, originals, outbox, outbox_read, points, prune, replace, segment, silences,
    universe,
};
use crate::postgres::{self, DatabaseAddress};
use crate::schema::insert;
use crate::sqlite::{self, RoleLock};
use crate::{
    Appended, Batches, DeliveryChange, Error, Fence, FenceState, Firing, Forgotten, ImportRecord, Imported, Inserted,
    Join, LedgerPart, LiveBatch, OutboxDesk, OutboxStore, Outgoing, PointsVersion, Pruned, ReplayOutcome, Result,
    Retention, RunKey, RunSpec, RunWriter, UniversePart, Writer, WriterRole,
};
use barograph_domain::delivery::{Attempt, EndpointState, Message, Silence};
use barograph_domain::{CalendarEntry, Event, Instrument, StreamDecl, Ts};
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

mod desk;

/// How long a transaction is repeated while a server is away: a restart with recovery takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first pause; each is twice as long as the one before, up to the last.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Between two tries of a transaction that met another: about as long as one takes.
const COLLIDED: Duration = Duration::from_millis(5);

/// Writes into one store in one or both roles.
#[derive(Debug)]
pub struct SqlWriter<K> {
    core: Core,
    kind: PhantomData<fn() -> K>,
}

/// The writer, whatever the database.
pub(super) struct Core {
    conn: Connection,
    home: Home,
    roles: Vec<WriterRole>,
    poisoned: Option<String>,
    /// What the last live batch referred to; forgotten when anything else is written.
    live: Option<Box<live::Cache>>,
    /// The token shown last by the writer of a group.
    token: Option<u64>,
    /// Numbers of the markets in the last batch of such a writer: what retention may touch.
    markets: BTreeSet<i64>,
    patience: Duration,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("store", &self.home.path()).field("roles", &self.roles).finish()
    }
}

/// Where it writes, and what it holds there.
enum Home {
    File { path: PathBuf, _locks: Vec<RoleLock> },
    Server(Box<DatabaseAddress>),
}

impl Home {
    fn path(&self) -> &Path {
        match self {
            Self::File { path, .. } => path,
            Self::Server(address) => address.path(),
        }
    }
}

impl<K> SqlWriter<K> {
    pub(crate) fn over_file(folder: &Path, roles: &[WriterRole]) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|e| fault::io(folder.to_owned(), e))?;
        let locks = RoleLock::take_all(folder, roles)?;
        let path = folder.join(sqlite::FILE);
        let conn = Connection::File(sqlite::open_writer(&path)?);
        Ok(Self { core: Core::begin(conn, Home::File { path, _locks: locks }, roles)?, kind: PhantomData })
    }

    pub(crate) fn over_server(address: DatabaseAddress, roles: &[WriterRole]) -> Result<Self> {
        let conn = Connection::Server(Box::new(address.connect().map_err(|f| f.at(address.path()))?));
        postgres::migrate(&conn).map_err(|f| f.at(address.path()))?;
        postgres::check_version(&conn, &address)?;
        postgres::take_roles(&conn, &address, roles)?;
        Ok(Self { core: Core::begin(conn, Home::Server(Box::new(address)), roles)?, kind: PhantomData })
    }

    /// Repeats a transaction for no longer than this while a server is away.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.core.patience = patience;
        self
    }

    /// Lets the file grow by no more than this many pages of 4 KiB: what a full disk does, for tests.
    ///
    /// # Errors
    /// When the limit cannot be set.
    #[doc(hidden)]
    pub fn limit_pages(&mut self, more: u32) -> Result<()> {
        let limit = || -> Inner<()> {
            let Some(conn) = self.core.conn.file() else { return Ok(()) };
            let now: i64 = conn.pragma_query_value(None, "page_count", |r| r.get(0))?;
            conn.pragma_update(None, "max_page_count", now + i64::from(more))?;
            Ok(())
        };
        limit().map_err(|f| f.at(self.core.home.path()))
    }
}

impl Core {
    fn begin(conn: Connection, home: Home, roles: &[WriterRole]) -> Result<Self> {
        let roles = roles.to_vec();
        let (token, markets) = (None, BTreeSet::new());
        let mut writer = Self { conn, home, roles, poisoned: None, live: None, token, markets, patience: PATIENCE };
        if writer.holds(WriterRole::Context) {
            writer.collect_garbage()?;
        }
        while writer.change(originals::adopt_one)? {}
        Ok(writer)
    }

    fn holds(&self, role: WriterRole) -> bool {
        self.roles.contains(&role)
    }

    /// The group that this writes, if it does not write all markets.
    fn group(&self) -> Option<u16> {
        self.roles.iter().find_map(|role| match role {
            WriterRole::Group(group) => Some(*group),
            WriterRole::Ingest | WriterRole::Context | WriterRole::Delivery => None,
        })
    }

    /// The markets that retention may touch; `None`: all.
    pub(super) fn own_markets(&self) -> Option<BTreeSet<i64>> {
        self.group().map(|_| self.markets.clone())
    }

    pub(super) fn need(&self, role: WriterRole) -> Result<()> {
        if self.holds(role) {
            return Ok(());
        }
        Err(Error::Invalid(format!("this writer was not opened in the role '{}'", role.name())))
    }

    /// May a batch be published with this fence?
    fn may_publish(&self, fence: Option<Fence>) -> Result<()> {
        let group = self.group();
        if group.is_none() {
            self.need(WriterRole::Ingest)?;
            self.need(WriterRole::Context)?;
        }
        fences::fits(group, fence).map_err(Error::Invalid)
    }

    /// Reads. On a file without a transaction, which would shut out the other role's writer.
    pub(super) fn read<T>(&mut self, mut question: impl FnMut(&Connection) -> Inner<T>) -> Result<T> {
        if self.conn.is_server() {
            return self.persist(question);
        }
        question(&self.conn).map_err(|f| f.at(self.home.path()))
    }

    /// Does something in one transaction, by the right of its token where it writes a group.
    pub(super) fn write<T>(&mut self, mut work: impl FnMut(&Connection) -> Inner<T>) -> Result<T> {
        let Some(group) = self.group() else { return self.change(work) };
        let Some(token) = self.token else {
            return Err(Error::Invalid(format!(
                "group {group} has no owner yet; raise its fence before anything is written"
            )));
        };
        self.change(|tx| {
            fences::claim(tx, Fence { group, token, through: None })?;
            work(tx)
        })
    }

    /// Does something in one transaction, whoever owns what.
    fn change<T>(&mut self, work: impl FnMut(&Connection) -> Inner<T>) -> Result<T> {
        if let Some(cause) = &self.poisoned {
            return Err(Error::Poisoned { cause: cause.clone() });
        }
        self.live = None;
        self.persist(work)
    }

    /// A transaction, repeated while the server is away.
    fn persist<T>(&mut self, mut work: impl FnMut(&Connection) -> Inner<T>) -> Result<T> {
        let (begin, mut pause) = (Instant::now(), PAUSE);
        loop {
            let attempt = transact(&self.conn, &mut work);
            let (f, doubt) = match attempt {
                Ok(out) => return Ok(out),
                Err(Failed::Before(f)) => (f, None),
                Err(Failed::During { fault, id, out }) => (fault, Some((id, out))),
            };
            if f.is_collision() && begin.elapsed() < self.patience {
                std::thread::sleep(COLLIDED);
                continue;
            }
            if !f.is_lost() {
                return Err(self.failed(f));
            }
            let (mut last, mut refusal) = (f, None);
            // The connection is gone: another one, with the locks, and the truth about the transaction in doubt.
            while last.is_lost() {
                if begin.elapsed() >= self.patience {
                    return Err(refusal.unwrap_or_else(|| last.at(self.home.path())));
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(PAUSE_MAX);
                match self.reconnect() {
                    Ok(()) => break,
                    Err(Lost::Fault(f)) if f.is_lost() => (last, refusal) = (f, None),
                    // It is there and does not want us any more, or we do not trust it: for someone to mend while we wait.
                    Err(Lost::Fault(f)) => {
                        let path = self.home.path();
                        let reason = f.at(path).to_string();
                        refusal = Some(Error::Unavailable { path: path.to_owned(), retry_after: PAUSE_MAX, reason });
                    }
                    Err(Lost::Role(error)) => return Err(error),
                }
            }
            if let Some((id, out)) = doubt
                && self.was_committed(&id)
            {
                return Ok(out);
            }
        }
    }

    fn failed(&mut self, f: SqlFault) -> Error {
        let harmless = f.is_harmless() || self.conn.is_server();
        let error = f.at(self.home.path());
        if !harmless {
            self.poisoned = Some(error.to_string());
        }
        error
    }

    fn reconnect(&mut self) -> std::result::Result<(), Lost> {
        let Home::Server(address) = &self.home else { return Ok(()) };
        let conn = Connection::Server(Box::new(address.connect().map_err(Lost::Fault)?));
        // A server that has just restarted may still hold the locks of the dead connection for a moment.
        postgres::take_roles(&conn, address, &self.roles).map_err(|e| match e {
            Error::Locked { pid, .. } if pid == Some(std::process::id()) => Lost::Fault(SqlFault::Away),
            Error::Unavailable { .. } => Lost::Fault(SqlFault::Away),
            other => Lost::Role(other),
        })?;
        self.conn = conn;
        Ok(())
    }

    /// Did a transaction take effect whose commit was not answered?
    fn was_committed(&self, id: &str) -> bool {
        let ask = || {
            self.conn.query_row("SELECT pg_xact_status(CAST(CAST(?1 AS text) AS xid8))", params![id], |r| {
                r.get::<Option<String>>(0)
            })
        };
        // One that still runs ends soon: its connection is gone.
        for _ in 0..50 {
            match ask() {
                Ok(Some(status)) if status == "in progress" => std::thread::sleep(PAUSE),
                Ok(status) => return status.as_deref() == Some("committed"),
                Err(_) => return false,
            }
        }
        false
    }

    /// Removes what replaced or unfinished runs left behind, a little at a time so that nobody waits.
    pub(super) fn collect_garbage(&mut self) -> Result<()> {
        while self.write(segment::collect_some_garbage)? {}
        Ok(())
    }
}

impl Drop for Core {
    /// Merges the log into the file, so that the folder can be copied or made read-only as it lies.
    fn drop(&mut self) {
        if let Some(server) = self.conn.server() {
            // The server would notice by itself, a moment later.
            drop(server.batch("SELECT pg_advisory_unlock_all()"));
        }
        if let Some(conn) = self.conn.file().filter(|_| self.poisoned.is_none()) {
            // A reader in the middle of something keeps the log; the next writer merges it.
            let merged: rusqlite::Result<i64> = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0));
            drop(merged);
        }
    }
}

/// Why there is no new connection.
enum Lost {
    Fault(SqlFault),
    Role(Error),
}

/// A transaction that did not end well.
enum Failed<T> {
    /// It did not happen.
    Before(SqlFault),
    /// The commit was sent and not answered.
    During {
        fault: SqlFault,
        /// The server's number of it.
        id: String,
        out: T,
    },
}

fn transact<T>(conn: &Connection, work: &mut impl FnMut(&Connection) -> Inner<T>) -> std::result::Result<T, Failed<T>> {
    conn.execute_batch(if conn.is_server() { "BEGIN ISOLATION LEVEL READ COMMITTED" } else { "BEGIN IMMEDIATE" })
        .map_err(Failed::Before)?;
    let undo = |f: SqlFault| {
        // Whatever stands in its way also ends the connection, and the transaction with it.
        drop(conn.execute_batch("ROLLBACK"));
        Failed::Before(f)
    };
    let out = work(conn).map_err(undo)?;
    let mut id = None;
    if let Some(session) = conn.server() {
        session.flush().map_err(undo)?;
        id = conn
            .query_row("SELECT CAST(pg_current_xact_id_if_assigned() AS text)", NONE, |r| r.get::<Option<String>>(0))
            .map_err(undo)?;
    }
    match (conn.execute_batch("COMMIT"), id) {
        (Ok(()), _) => Ok(out),
        (Err(fault), Some(id)) if fault.is_lost() => Err(Failed::During { fault, id, out }),
        (Err(fault), _) => Err(undo(fault)),
    }
}

impl<K> OutboxDesk for SqlWriter<K> {
    fn put_silence(&mut self, silence: &Silence) -> Result<bool> {
        self.core.write(|tx| silences::put(tx, silence))
    }

    fn end_silence(&mut self, id: &str, at: Ts, by: &str) -> Result<bool> {
        self.core.write(|tx| silences::end(tx, id, at, by))
    }

    fn replay(&mut self, endpoint: &str, message: &str, now: Ts) -> Result<ReplayOutcome> {
        self.core.write(|tx| outbox::replay(tx, endpoint, message, now))
    }

    fn enable_endpoint(&mut self, name: &str) -> Result<bool> {
        self.core.write(|tx| outbox::enable_endpoint(tx, name))
    }
}

impl<K> OutboxStore for SqlWriter<K> {
    fn unfinished(&mut self, limit: usize) -> Result<Vec<Outgoing>> {
        self.core.read(|conn| outbox_read::unfinished(conn, None, limit))
    }

    fn unfinished_after(&mut self, last: &Message, limit: usize) -> Result<Vec<Outgoing>> {
        self.core.read(|conn| outbox_read::unfinished(conn, Some(last), limit))
    }

    fn last_sign(&mut self) -> Result<Option<Ts>> {
        self.core.read(outbox_read::last_sign)
    }

    fn recent(&mut self, since: Ts) -> Result<Vec<Outgoing>> {
        self.core.read(|conn| outbox_read::recent(conn, since))
    }

    fn firing(&mut self) -> Result<Vec<Firing>> {
        self.core.read(outbox_read::firing)
    }

    fn endpoint_states(&mut self) -> Result<Vec<EndpointState>> {
        self.core.read(outbox_read::endpoint_states)
    }

    fn silences(&mut self, as_of: Option<Ts>, active_at: Option<Ts>) -> Result<Vec<Silence>> {
        self.core.read(|conn| silences::list(conn, as_of, active_at))
    }

    fn enqueue(&mut self, messages: &[Outgoing], joins: &[Join]) -> Result<()> {
        self.core.need(WriterRole::Delivery)?;
        self.core.write(|tx| outbox::enqueue(tx, messages, joins))
    }

    fn record(&mut self, changes: &[DeliveryChange], attempts: &[Attempt], endpoints: &[EndpointState]) -> Result<()> {
        self.core.need(WriterRole::Delivery)?;
        self.core.write(|tx| outbox::record(tx, changes, attempts, endpoints))
    }
}

impl<K> Writer for SqlWriter<K> {
    fn insert_points(
        &mut self,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        events: &[Event],
    ) -> Result<Inserted> {
        self.core.need(WriterRole::Ingest)?;
        if u32::try_from(events.len()).is_err() {
            return Err(Error::Invalid("a batch holds at most 4,294,967,295 events".to_owned()));
        }
        self.core.write(|tx| points::insert(tx, instruments, streams, events))
    }

    fn import_points(
        &mut self,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        events: &[Event],
        at: Ts,
    ) -> Result<Imported> {
        self.core.need(WriterRole::Ingest)?;
        if u32::try_from(events.len()).is_err() {
            return Err(Error::Invalid("a batch holds at most 4,294,967,295 events".to_owned()));
        }
        self.core.write(|tx| corrections::import(tx, instruments, streams, events, at))
    }

    fn import_batches(
        &mut self,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        batches: &mut dyn Batches,
        at: Ts,
    ) -> Result<Imported> {
        self.core.need(WriterRole::Ingest)?;
        let (mut total, mut done, mut batch) = (Imported::default(), 0, Vec::new());
        loop {
            batches.next(&mut batch);
            if batch.is_empty() {
                return Ok(total);
            }
            let part = self.core.write(|tx| corrections::import_plain(tx, instruments, streams, &batch, at))?;
            let Some(part) = part else { break };
            total.add(&part);
            done += 1;
        }
        let mut again = false;
        let rest = self.core.write(|tx| {
            if core::mem::replace(&mut again, true) {
                batches.rewind(done);
                batches.next(&mut batch);
            }
            let mut rest = Imported::default();
            while !batch.is_empty() {
                rest.add(&corrections::import(tx, instruments, streams, &batch, at)?);
                batches.next(&mut batch);
            }
            Ok(rest)
        })?;
        total.add(&rest);
        Ok(total)
    }

    fn forget_batches(
        &mut self,
        streams: &[StreamDecl],
        batches: &mut dyn Batches,
        at: Ts,
        dry: bool,
    ) -> Result<Forgotten> {
        self.core.need(WriterRole::Ingest)?;
        let (mut again, mut batch) = (false, Vec::new());
        self.core.write(|tx| {
            if core::mem::replace(&mut again, true) {
                batches.rewind(0);
            }
            let mut total = Forgotten::default();
            loop {
                batches.next(&mut batch);
                if batch.is_empty() {
                    return Ok(total);
                }
                total.add(&corrections::forget(tx, streams, &batch, at, dry)?);
            }
        })
    }

    fn fence(&mut self, group: u16, token: u64) -> Result<FenceState> {
        let shown = Fence { group, token, through: None };
        self.core.may_publish(Some(shown))?;
        let through = match self.core.change(|tx| fences::raise(tx, group, token)) {
            Err(Error::Busy { .. }) if self.core.conn.is_server() => {
                self.core.change(|tx| fences::cut_off(tx, group))?;
                self.core.change(|tx| fences::raise(tx, group, token))?
            }
            other => other?,
        };
        self.core.token = Some(token);
        Ok(FenceState { through })
    }

    fn append(&mut self, batch: &LiveBatch<'_>) -> Result<Appended> {
        self.core.may_publish(batch.fence)?;
        let mut known = self.core.live.take();
        let (done, cache) = self.core.change(|tx| {
            // An attempt that failed has remembered what was undone.
            let mut cache = known.take();
            if let Some(fence) = batch.fence {
                fences::claim(tx, fence)?;
            }
            let done = live::append(tx, &mut cache, batch)?;
            Ok((done, cache))
        })?;
        if let Some(fence) = batch.fence {
            self.core.token = Some(fence.token);
            self.core.markets = cache.as_ref().map(|c| c.markets()).unwrap_or_default();
        }
        self.core.live = cache;
        Ok(done)
    }

    fn replace<'a>(
        &'a mut self,
        spec: &RunSpec,
        from: Option<Ts>,
        seen: PointsVersion,
    ) -> Result<Box<dyn RunWriter + 'a>> {
        self.core.need(WriterRole::Context)?;
        Ok(Box::new(replace::Replacement::begin(&mut self.core, spec, from, seen)?))
    }

    fn remove_run(&mut self, run: &RunKey) -> Result<()> {
        self.core.need(WriterRole::Context)?;
        self.core.write(|tx| segment::remove_run(tx, run))?;
        self.core.collect_garbage()
    }

    fn replace_universe(&mut self, part: &UniversePart<'_>) -> Result<u64> {
        self.core.need(WriterRole::Context)?;
        self.core.write(|tx| universe::replace(tx, part))
    }

    fn replace_ledger(&mut self, part: &LedgerPart<'_>) -> Result<u64> {
        self.core.need(WriterRole::Context)?;
        self.core.write(|tx| ledger::replace(tx, part))
    }

    fn put_calendar(&mut self, entries: &[CalendarEntry]) -> Result<u64> {
        self.core.need(WriterRole::Ingest)?;
        self.core.write(|tx| universe::put_calendar(tx, entries))
    }

    fn record_import(&mut self, r: &ImportRecord) -> Result<()> {
        self.core.need(WriterRole::Ingest)?;
        let count = |n: u64| i64::try_from(n).map_err(|_e| SqlFault::Invalid(format!("{n} is no count")));
        self.core.write(|tx| {
            let (sql, row) = insert!(imports or Fail {
                started: r.started.0, finished: r.finished.0, release: &r.release, source: &r.source,
                points_new: count(r.inserted.new)?, points_revised: count(r.inserted.revised)?,
                points_same: count(r.inserted.same)?, points_earlier: count(r.inserted.earlier)?,
                rejected: count(r.rejected)?, detail: &r.detail,
            });
            tx.execute(sql, row).map(drop)
        })
    }

    fn prune(&mut self, retention: &Retention) -> Result<Pruned> {
        prune::prune(&mut self.core, retention)
    }
}
