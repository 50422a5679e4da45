//! Where a store is, and opening it there: a data folder, or a PostgreSQL server (`DB_URL`, `--db-url`).

use crate::{
    OutboxDesk, OutboxStore, PgReader, PgWriter, PositionWriter, Reader, Result, Role, SqliteReader, SqliteWriter,
    Writer,
};
use barograph_domain::Span;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A data folder; the store is one file in it.
    Folder(PathBuf),
    /// A server, as `postgres://user:password@host:port/database`. Printed without the password.
    Postgres(String),
}

impl Target {
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

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => match crate::postgres::Address::parse(url) {
                Ok(address) => write!(f, "{}", address.path().display()),
                // An address that is not understood may have its password anywhere.
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

/// Opens a store for reading.
///
/// # Errors
/// [`crate::Error::Missing`] when nothing is stored there, and all that opening can bring.
pub fn open_reader(target: &Target) -> Result<Box<dyn Reader>> {
    Ok(match target {
        Target::Folder(folder) => Box::new(SqliteReader::open(folder)?),
        Target::Postgres(url) => Box::new(PgReader::connect(url)?),
    })
}

/// Opens a store for writing in some roles; makes it where there is none, and brings its tables up to date.
///
/// # Errors
/// [`crate::Error::Locked`] when another process holds a role, and all that opening can bring.
pub fn open_writer(target: &Target, roles: &[Role]) -> Result<Box<dyn Writer>> {
    Ok(match target {
        Target::Folder(folder) => Box::new(SqliteWriter::open(folder, roles)?),
        Target::Postgres(url) => Box::new(PgWriter::connect(url, roles)?),
    })
}

/// The same for someone who asks again by himself: a call says [`crate::Error::Unavailable`] once a server has been away for
/// `patience`, instead of half a minute.
///
/// # Errors
/// As [`open_writer`].
pub fn open_writer_patient_for(target: &Target, roles: &[Role], patience: Duration) -> Result<Box<dyn Writer>> {
    match target {
        Target::Folder(_) => open_writer(target, roles),
        Target::Postgres(url) => Ok(Box::new(PgWriter::connect(url, roles)?.with_patience(patience))),
    }
}

/// Opens a store for registering positions; takes no role, so it works beside a live process.
///
/// # Errors
/// All that opening can bring.
pub fn open_positions(target: &Target) -> Result<Box<dyn PositionWriter>> {
    Ok(match target {
        Target::Folder(folder) => Box::new(SqliteWriter::open(folder, &[])?),
        Target::Postgres(url) => Box::new(PgWriter::connect(url, &[])?),
    })
}

/// Opens the outbox for the dispatcher, in the role of it.
///
/// # Errors
/// [`crate::Error::Locked`] when another process delivers, and all that opening can bring.
pub fn open_outbox(target: &Target) -> Result<Box<dyn OutboxStore>> {
    let roles = [Role::Delivery];
    Ok(match target {
        Target::Folder(folder) => Box::new(SqliteWriter::open(folder, &roles)?),
        Target::Postgres(url) => Box::new(PgWriter::connect(url, &roles)?),
    })
}

/// Opens the outbox for what people ask of it, beside the dispatcher of the same process; takes no role.
///
/// # Errors
/// All that opening can bring.
pub fn open_desk(target: &Target) -> Result<Box<dyn OutboxDesk>> {
    Ok(match target {
        Target::Folder(folder) => Box::new(SqliteWriter::open(folder, &[])?),
        Target::Postgres(url) => Box::new(PgWriter::connect(url, &[])?),
    })
}

/// Makes the tables of a store, or brings them up to date; takes no role (R3.46).
///
/// # Errors
/// All that opening can bring.
pub fn migrate(target: &Target) -> Result<()> {
    open_writer(target, &[]).map(drop)
}

/// Says how dense `futures_basis_history` is to be (R3.39): a whole number of minutes.
///
/// # Errors
/// All that opening can bring.
pub fn show_basis_every(target: &Target, every: Span) -> Result<()> {
    match target {
        Target::Folder(folder) => crate::sqlite::set(&folder.join(crate::sqlite::FILE), "basis_every", every.0),
        Target::Postgres(url) => crate::postgres::set(url, "basis_every", every.0),
    }
}

/// Version of the tables that this build makes and reads.
#[must_use]
pub fn schema_version(target: &Target) -> i64 {
    match target {
        Target::Folder(_) => crate::sqlite::known(),
        Target::Postgres(_) => crate::postgres::known(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_apart_and_keep_secrets() {
        let server = Target::parse("postgres://ann:s3cret@db.example/market");
        assert_eq!(server.to_string(), "postgres://db.example:5432/market");
        assert_eq!(format!("{server:?}"), "Target(postgres://db.example:5432/market)");
        assert_eq!(Target::parse("postgres://ann:s3cret@").to_string(), "postgres://…");
        assert_eq!(Target::parse("data/here"), Target::Folder(PathBuf::from("data/here")));
    }
}
