//! One writer per role: advisory locks of the writing connection. The server drops them with the connection, so a lock is
//! never stale; the process id in the connection's name only serves the message.

use super::DatabaseAddress;
use crate::sql::db::{Connection, params};
use crate::sql::fault::SqlFault;
use crate::{Error, Result, WriterRole};
use std::time::{Duration, Instant};

/// How long the server may take to notice that the holder of a lock is gone.
const LETTING_GO: Duration = Duration::from_millis(500);

/// A number for a name, apart from those of other programs (FNV-1a).
pub(super) fn key(name: &str) -> i64 {
    let step = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    (*b"barograph:").into_iter().chain(name.bytes()).fold(0xcbf2_9ce4_8422_2325, step).cast_signed() >> 8
}

/// Takes the lock of each role or says who has it. Each schema of a database has roles of its own.
pub(crate) fn take_roles(conn: &Connection, address: &DatabaseAddress, roles: &[WriterRole]) -> Result<()> {
    for role in roles {
        let mine = || {
            conn.query_row(
                "SELECT pg_try_advisory_lock(?1 # CAST(hashtext(current_schema()) AS bigint))",
                [key(role.name())],
                |r| r.get::<bool>(0),
            )
        };
        let begin = Instant::now();
        let mut taken = false;
        while !taken && begin.elapsed() < LETTING_GO {
            taken = mine().map_err(|f| f.at(address.path()))?;
            if !taken {
                std::thread::sleep(LETTING_GO / 10);
            }
        }
        if taken {
            continue;
        }
        let pid = holder(conn, *role).unwrap_or(None);
        let path = address.path().join(format!("{}.lock", role.name()));
        return Err(Error::Locked { role: role.name(), pid, path });
    }
    Ok(())
}

/// The process that holds a role, if its connection says so.
fn holder(conn: &Connection, role: WriterRole) -> std::result::Result<Option<u32>, SqlFault> {
    let mut statement = conn.prepare(
        "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
            AND (CAST(l.classid AS bigint) << 32 | CAST(l.objid AS bigint))
                = (?1 # CAST(hashtext(current_schema()) AS bigint))",
    )?;
    let mut rows = statement.query(params![key(role.name())])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let name: String = row.get(0)?;
    Ok(name.strip_prefix("barograph ").and_then(|pid| pid.parse().ok()))
}
