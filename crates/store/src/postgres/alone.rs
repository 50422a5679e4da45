//! What several writers create, one creates at a time: instruments, streams, layouts, runs, partitions.
//!
//! One lock for all of it, held until the transaction ends. A writer takes it before it locks anything else that another may want,
//! so that none waits for another in a circle; and whoever has waited looks again, because what he wanted may be there by now.

use super::role::key;
use crate::sql::db::Connection;
use crate::sql::fault::Inner;

/// Waits for whoever creates something; true when that was done now. False on a file, which has one writer at a time, and where
/// the transaction has the lock already.
pub(crate) fn alone(conn: &Connection) -> Inner<bool> {
    let Some(session) = conn.server().filter(|session| !session.alone.get()) else { return Ok(false) };
    let sql = "SELECT pg_advisory_xact_lock(?1 # CAST(hashtext(current_schema()) AS bigint))";
    conn.execute(sql, [key("dictionary")])?;
    session.alone.set(true);
    Ok(true)
}

/// What is found, if need be after waiting. `None`: it is not there, and nobody else creates it before this transaction ends.
pub(crate) fn find_or_alone<T>(conn: &Connection, find: impl Fn() -> Inner<Option<T>>) -> Inner<Option<T>> {
    match find()? {
        None if alone(conn)? => find(),
        found => Ok(found),
    }
}
