//! One writer per role: advisory locks of the writing connection. The server drops them with the connection, so a lock is
//! never stale; the process id in the connection's name only serves the message. Writers of groups share the locks that one writer
//! of all markets would have for itself.

use super::DatabaseAddress;
use crate::sql::db::{Connection, params};
use crate::sql::fault::SqlFault;
use crate::{Error, Result, WriterRole};
use std::time::Duration;

/// A lock that is held is asked for this often again, with this pause: the server may take half a second to notice that its
/// holder is gone.
const AGAIN: usize = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// The writer of a group that stops in the middle of a transaction is cut off after this, so that what it has locked is free for
/// the others.
const PAUSED_MAX: Duration = Duration::from_secs(20);

/// A number for a name, apart from those of other programs (FNV-1a).
pub(crate) fn key(name: &str) -> i64 {
    let step = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    (*b"barograph:").into_iter().chain(name.bytes()).fold(0xcbf2_9ce4_8422_2325, step).cast_signed() >> 8
}

/// The locks of a role, and whether it shares them.
const fn locks(role: WriterRole) -> (&'static [WriterRole], bool) {
    match role {
        WriterRole::Ingest => (&[WriterRole::Ingest], false),
        WriterRole::Context => (&[WriterRole::Context], false),
        WriterRole::Delivery => (&[WriterRole::Delivery], false),
        // Any number of groups beside each other, and one group also beside an owner that was paused: tokens decide there.
        WriterRole::Group(_) => (&WriterRole::ALL, true),
    }
}

/// Takes the locks of each role or says who has one. Each schema of a database has roles of its own.
pub(crate) fn take_roles(conn: &Connection, address: &DatabaseAddress, roles: &[WriterRole]) -> Result<()> {
    for role in roles {
        let (locks, shared) = locks(*role);
        locks.iter().try_for_each(|lock| take(conn, address, *lock, shared))?;
        if shared {
            let limit = format!("SET idle_in_transaction_session_timeout = '{}s'", PAUSED_MAX.as_secs());
            conn.execute_batch(&limit).map_err(|f| f.at(address.path()))?;
        }
    }
    Ok(())
}

fn take(conn: &Connection, address: &DatabaseAddress, role: WriterRole, shared: bool) -> Result<()> {
    let sql = if shared {
        "SELECT pg_try_advisory_lock_shared(?1 # CAST(hashtext(current_schema()) AS bigint))"
    } else {
        "SELECT pg_try_advisory_lock(?1 # CAST(hashtext(current_schema()) AS bigint))"
    };
    let mine = || conn.query_row(sql, [key(role.name())], |r| r.get::<bool>(0));
    if !patiently(mine).map_err(|f| f.at(address.path()))? {
        let pid = holder(conn, role).unwrap_or(None);
        let path = address.path().join(format!("{}.lock", role.name()));
        return Err(Error::Locked { role: role.name(), pid, path });
    }
    Ok(())
}

/// Whether it is `mine`, now or within the time the server may take.
fn patiently(mut mine: impl FnMut() -> std::result::Result<bool, SqlFault>) -> std::result::Result<bool, SqlFault> {
    for _ in 0..AGAIN {
        if mine()? {
            return Ok(true);
        }
        std::thread::sleep(PAUSE);
    }
    mine()
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// Asks for a lock that is let go after so many questions. Whether it was taken, the questions, and how long it took.
    fn asked(let_go_after: usize) -> (bool, usize, Duration) {
        let (mut questions, begin) = (0, Instant::now());
        let taken = patiently(|| {
            questions += 1;
            Ok(questions > let_go_after)
        });
        (taken.is_ok_and(|t| t), questions, begin.elapsed())
    }

    #[test]
    fn a_lock_is_waited_for_as_long_as_the_server_may_take_to_let_it_go() {
        let (taken, questions, _) = asked(0);
        assert_eq!((taken, questions), (true, 1), "a free one at once");
        let (taken, questions, took) = asked(3);
        assert!((taken, questions) == (true, 4) && took >= PAUSE * 3, "with pauses between: {took:?}");
        let (taken, questions, took) = asked(usize::MAX);
        assert!((taken, questions) == (false, 11) && took >= Duration::from_millis(500), "half a second: {took:?}");
    }
}
