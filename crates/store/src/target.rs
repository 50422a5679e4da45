//! Where a store is, and opening it there: a data folder, or a PostgreSQL server (`DB_URL`, `--db-url`).

use crate::{
    CaseWriter, OutboxDesk, OutboxStore, PgReader, PgWriter, PositionWriter, Reader, Result, SignalStore, SqliteReader,
    SqliteWriter, Writer, WriterRole,
};
use barograph_domain::Span;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreTarget {
    /// A data folder; the store is one file in it.
    Folder(PathBuf),
    /// A server, as `postgres://user:password@host:port/database`. Printed without the password.
    Postgres(String),
}

impl StoreTarget {
    /// A server if the text is the address of one, else a folder.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Postgres(text.to_owned())
        } else {
            Self::Folder(PathBuf::from(text))
        }
    }
}

impl fmt::Display for StoreTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => match crate::postgres::DatabaseAddress::parse(url) {
                Ok(address) => write!(f, "{}", address.path().display()),
                // An address that is not understood may have its password anywhere.
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl fmt::Debug for StoreTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

/// Opens a store for reading.
///
/// # Errors
/// [`crate::Error::Missing`] when nothing is stored there, and all that opening can bring.
pub fn open_reader(target: &StoreTarget) -> Result<Box<dyn Reader>> {
    Ok(match target {
        StoreTarget::Folder(folder) => Box::new(SqliteReader::open(folder)?),
        StoreTarget::Postgres(url) => Box::new(PgReader::connect(url)?),
    })
}

/// Opens a store for writing in some roles; makes it where there is none, and brings its tables up to date.
///
/// # Errors
/// [`crate::Error::Locked`] when another process holds a role, and all that opening can bring.
pub fn open_writer(target: &StoreTarget, roles: &[WriterRole]) -> Result<Box<dyn Writer>> {
    Ok(match target {
        StoreTarget::Folder(folder) => Box::new(SqliteWriter::open(folder, roles)?),
        StoreTarget::Postgres(url) => Box::new(PgWriter::connect(url, roles)?),
    })
}

/// The same for someone who asks again by himself: a call says [`crate::Error::Unavailable`] once a server has been away for
/// `patience`, instead of half a minute.
///
/// # Errors
/// As [`open_writer`].
pub fn open_writer_patient_for(
    target: &StoreTarget,
    roles: &[WriterRole],
    patience: Duration,
) -> Result<Box<dyn Writer>> {
    match target {
        StoreTarget::Folder(_) => open_writer(target, roles),
        StoreTarget::Postgres(url) => Ok(Box::new(PgWriter::connect(url, roles)?.with_patience(patience))),
    }
}

/// Opens a store for publishing the markets of one group, beside the writers of the others; each call says
/// [`crate::Error::Unavailable`] once a server has been away for `patience`. An owner before that is paused or cut off is in
/// nobody's way: [`Writer::fence`] decides who writes.
///
/// # Errors
/// [`crate::Error::Locked`] when one process writes all markets, or, of a file, when any other does; and all that opening can
/// bring.
pub fn open_group_writer(target: &StoreTarget, group: u16, patience: Duration) -> Result<Box<dyn Writer>> {
    open_writer_patient_for(target, &[WriterRole::Group(group)], patience)
}

/// Opens a store for registering positions; takes no role, so it works beside a live process.
///
/// # Errors
/// All that opening can bring.
pub fn open_positions(target: &StoreTarget) -> Result<Box<dyn PositionWriter>> {
    Ok(match target {
        StoreTarget::Folder(folder) => Box::new(SqliteWriter::open(folder, &[])?),
        StoreTarget::Postgres(url) => Box::new(PgWriter::connect(url, &[])?),
    })
}

/// Opens a store for bringing signals; takes no role, so it works beside a live process.
///
/// # Errors
/// All that opening can bring.
pub fn open_signals(target: &StoreTarget) -> Result<Box<dyn SignalStore>> {
    Ok(match target {
        StoreTarget::Folder(folder) => Box::new(SqliteWriter::open(folder, &[])?),
        StoreTarget::Postgres(url) => Box::new(PgWriter::connect(url, &[])?),
    })
}

/// Opens a store for filing cases and writing into them; takes no role, so it works beside a live process.
///
/// # Errors
/// All that opening can bring.
pub fn open_cases(target: &StoreTarget) -> Result<Box<dyn CaseWriter>> {
    Ok(match target {
        StoreTarget::Folder(folder) => Box::new(SqliteWriter::open(folder, &[])?),
        StoreTarget::Postgres(url) => Box::new(PgWriter::connect(url, &[])?),
    })
}

/// Opens the outbox for the dispatcher, in the role of it.
///
/// # Errors
/// [`crate::Error::Locked`] when another process delivers, and all that opening can bring.
pub fn open_outbox(target: &StoreTarget) -> Result<Box<dyn OutboxStore>> {
    let roles = [WriterRole::Delivery];
    Ok(match target {
        StoreTarget::Folder(folder) => Box::new(SqliteWriter::open(folder, &roles)?),
        StoreTarget::Postgres(url) => Box::new(PgWriter::connect(url, &roles)?),
    })
}

/// Opens the outbox for what people ask of it, beside the dispatcher of the same process; takes no role.
///
/// # Errors
/// All that opening can bring.
pub fn open_desk(target: &StoreTarget) -> Result<Box<dyn OutboxDesk>> {
    Ok(match target {
        StoreTarget::Folder(folder) => Box::new(SqliteWriter::open(folder, &[])?),
        StoreTarget::Postgres(url) => Box::new(PgWriter::connect(url, &[])?),
    })
}

/// Makes the tables of a store, or brings them up to date; takes no role (R3.46).
///
/// # Errors
/// All that opening can bring.
pub fn migrate(target: &StoreTarget) -> Result<()> {
    open_writer(target, &[]).map(drop)
}

/// Says how dense `futures_basis_history` is to be (R3.39): a whole number of minutes.
///
/// # Errors
/// All that opening can bring.
pub fn show_basis_every(target: &StoreTarget, every: Span) -> Result<()> {
    match target {
        StoreTarget::Folder(folder) => crate::sqlite::set(&folder.join(crate::sqlite::FILE), "basis_every", every.0),
        StoreTarget::Postgres(url) => crate::postgres::set(url, "basis_every", every.0),
    }
}

/// Version of the tables that this build makes and reads.
#[must_use]
pub fn schema_version(target: &StoreTarget) -> i64 {
    match target {
        StoreTarget::Folder(_) => crate::sqlite::known(),
        StoreTarget::Postgres(_) => crate::postgres::known(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_apart_and_keep_secrets() {
        let server = StoreTarget::parse("postgres://ann:s3cret@db.example/market");
        assert_eq!(server.to_string(), "postgres://db.example:5432/market");
        assert_eq!(format!("{server:?}"), "Target(postgres://db.example:5432/market)");
        assert_eq!(StoreTarget::parse("postgres://ann:s3cret@").to_string(), "postgres://…");
        assert_eq!(StoreTarget::parse("data/here"), StoreTarget::Folder(PathBuf::from("data/here")));
    }
}
