//! Opening: new and old files, other people's files, damaged files, folders that cannot be written.

use super::schema::migrations;
use crate::schema::VERSION;
use crate::sql::fault::{self, Inner, SqlFault};
use crate::{Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// "baro" in the file's header: `file` and we can distinguish the store from other people's databases.
const APPLICATION_ID: i64 = 0x6261_726f;
/// Writers commit in milliseconds; whoever waits longer than this meets something stuck.
const BUSY: Duration = Duration::from_secs(10);
/// Pages of 4 KiB before the log is copied into the file: 16 MiB, so that sorted bulk loads write a page about once.
const CHECKPOINT_PAGES: i64 = 4096;
/// KiB of page cache of a writer (a reader takes SQLite's default of 2 MiB).
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// Opens for writing, makes the file where there is none, and brings its schema up to date.
pub(crate) fn writer(path: &Path) -> Result<Connection> {
    refuse_folder(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> Inner<Connection> {
        let mut conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(BUSY)?;
        if conn.is_readonly("main")? {
            return Err(fault_read_only());
        }
        belongs_to_us(&conn)?;
        let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |r| r.get(0))?;
        if mode != "wal" {
            let what = "this file system does not allow a write-ahead log; choose a data folder on a local disk";
            return Err(SqlFault::Io(std::io::Error::new(std::io::ErrorKind::Unsupported, what)));
        }
        conn.pragma_update(None, "synchronous", "NORMAL")?;
        conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        conn.pragma_update(None, "journal_size_limit", CHECKPOINT_PAGES * 4096)?;
        keep_plans(&conn)?;
        migrate(&mut conn, &migrations())?;
        Ok(conn)
    };
    let conn = open().map_err(|f| refine(f, path))?;
    check_version(&conn, path, known())?;
    Ok(conn)
}

/// Statements are prepared once. Else SQLite looks at parameters when it makes a plan, for a limit among other things, and makes
/// it anew whenever they differ: half the time of a small question.
fn keep_plans(conn: &Connection) -> Inner<()> {
    conn.set_prepared_statement_cache_capacity(64);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn fault_read_only() -> SqlFault {
    SqlFault::Io(std::io::ErrorKind::PermissionDenied.into())
}

/// A folder where the file should be would else be called unreadable, damaged or full, depending on the day.
fn refuse_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::NotAStore { path: path.to_owned(), detail: "it is a folder".to_owned() });
    }
    Ok(())
}

/// SQLite reports a folder it may not write into as a file it cannot open.
fn refine(f: SqlFault, path: &Path) -> Error {
    match &f {
        SqlFault::Sql(e) if e.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            Error::ReadOnly { path: path.to_owned() }
        }
        _ => f.at(path),
    }
}

/// Opens for reading only; on a folder that cannot be written too, as long as no log waits to be merged.
pub(crate) fn reader(path: &Path) -> Result<Connection> {
    refuse_folder(path)?;
    if !path.try_exists().map_err(|e| fault::io(path.to_owned(), e))? {
        return Err(Error::Missing { path: path.to_owned() });
    }
    let conn = match try_reader(path, "mode=ro") {
        Err(SqlFault::Sql(e)) if is_shut_out(&e) => immutable_reader(path)?,
        other => other.map_err(|f| f.at(path))?,
    };
    check_version(&conn, path, known())?;
    Ok(conn)
}

fn try_reader(path: &Path, options: &str) -> Inner<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(uri(path, options), flags)?;
    conn.busy_timeout(BUSY)?;
    keep_plans(&conn)?;
    belongs_to_us(&conn)?;
    Ok(conn)
}

/// A log file cannot be joined without writing its index, so a read-only folder is read as it lies, provided nothing
/// is in the log; else the answer would silently lack the newest writes.
fn immutable_reader(path: &Path) -> Result<Connection> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    if std::fs::metadata(&log).is_ok_and(|m| m.len() > 0) {
        return Err(Error::ReadOnly { path: log });
    }
    try_reader(path, "mode=ro&immutable=1").map_err(|f| f.at(path))
}

fn is_shut_out(e: &rusqlite::Error) -> bool {
    matches!(e.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// A `file:` URI in which no byte of the path can be taken for syntax.
fn uri(path: &Path, options: &str) -> String {
    let mut out = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out.push('?');
    out.push_str(options);
    out
}

/// Refuses databases of other programs. The first read of the file happens here.
fn belongs_to_us(conn: &Connection) -> Inner<()> {
    let id: i64 = conn.pragma_query_value(None, "application_id", |r| r.get(0))?;
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    if id == APPLICATION_ID || (id == 0 && tables == 0) { Ok(()) } else { Err(SqlFault::Foreign) }
}

fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "user_version", |r| r.get(0))
}

/// Newest version this build knows.
pub(crate) fn known() -> i64 {
    VERSION.into()
}

fn check_version(conn: &Connection, path: &Path, known: i64) -> Result<()> {
    let found = version(conn).map_err(|e| SqlFault::Sql(e).at(path))?;
    let path = path.to_owned();
    match found {
        0 => Err(Error::Missing { path }),
        v if v > known => Err(Error::Newer { path, found, known }),
        v if v < known => Err(Error::Outdated { path, found, known }),
        _ => Ok(()),
    }
}

/// Applies what is missing, each step in a transaction of its own; a new file gets all of them in one, so that whoever
/// finds it finds the present schema. Leaves newer files alone.
pub(super) fn migrate(conn: &mut Connection, migrations: &[impl AsRef<str>]) -> Inner<()> {
    if version(conn)? == 0 {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if version(&tx)? == 0 {
            for (step, sql) in (1_i64..).zip(migrations) {
                tx.execute_batch(sql.as_ref())?;
                tx.pragma_update(None, "user_version", step)?;
            }
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
            tx.commit()?;
        }
    }
    for (step, sql) in (1_i64..).zip(migrations) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if version(&tx)? < step {
            tx.execute_batch(sql.as_ref())?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
            tx.pragma_update(None, "user_version", step)?;
            tx.commit()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [&str; 2] = [
        "CREATE TABLE fruit (name TEXT) STRICT; INSERT INTO fruit VALUES ('apple')",
        "ALTER TABLE fruit ADD COLUMN colour TEXT NOT NULL DEFAULT 'green'",
    ];

    fn content(conn: &Connection) -> (i64, String, Option<String>) {
        let name = conn.query_row("SELECT name FROM fruit", [], |r| r.get(0)).unwrap();
        let colour = conn.query_row("SELECT colour FROM fruit", [], |r| r.get(0)).ok();
        (version(conn).unwrap(), name, colour)
    }

    #[test]
    fn each_version_leads_to_the_next() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, &STEPS[..1]).unwrap();
        assert_eq!(content(&conn), (1, "apple".into(), None));
        for _ in 0..2 {
            migrate(&mut conn, &STEPS).unwrap();
            assert_eq!(content(&conn), (2, "apple".into(), Some("green".into())));
        }
        // An older build leaves the newer file alone.
        migrate(&mut conn, &STEPS[..1]).unwrap();
        assert_eq!(content(&conn).0, 2);
        let mut fresh = Connection::open_in_memory().unwrap();
        migrate(&mut fresh, &STEPS).unwrap();
        assert_eq!(content(&fresh), content(&conn));
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, &STEPS[..1]).unwrap();
        let broken = [STEPS[0], "CREATE TABLE veg (name TEXT); INSERT INTO nowhere VALUES (1)"];
        assert!(migrate(&mut conn, &broken).is_err());
        assert_eq!(content(&conn), (1, "apple".into(), None));
        assert!(conn.prepare("SELECT * FROM veg").is_err(), "half a step is left");
        migrate(&mut conn, &STEPS).unwrap();
        assert_eq!(content(&conn).0, 2);
    }

    #[test]
    fn versions_older_and_newer_are_told_apart() {
        let conn = Connection::open_in_memory().unwrap();
        let path = Path::new("there");
        for (found, good) in [(0, false), (known(), true), (known() + 1, false)] {
            conn.pragma_update(None, "user_version", found).unwrap();
            assert_eq!(check_version(&conn, path, known()).is_ok(), good);
        }
        let outdated = check_version(&conn, path, known() + 2).unwrap_err();
        assert!(matches!(outdated, Error::Outdated { .. }), "{outdated}");
        assert!(outdated.to_string().contains("run any writing command once"), "{outdated}");
    }
}
