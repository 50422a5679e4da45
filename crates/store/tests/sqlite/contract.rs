//! The suite of the contract, run against SQLite.

use barograph_store::suite::{Factory, Site};
use barograph_store::{
    CaseWriter, OutboxStore, PositionWriter, Reader, Result, SignalStore, SqliteReader, SqliteWriter, Writer,
    WriterRole,
};
use tempfile::TempDir;

struct Folder(TempDir);

impl Site for Folder {
    fn writer(&self, roles: &[WriterRole]) -> Result<Box<dyn Writer>> {
        Ok(Box::new(SqliteWriter::open(self.0.path(), roles)?))
    }
    fn positions(&self) -> Result<Box<dyn PositionWriter>> {
        Ok(Box::new(SqliteWriter::open(self.0.path(), &[])?))
    }
    fn signals(&self) -> Result<Box<dyn SignalStore>> {
        Ok(Box::new(SqliteWriter::open(self.0.path(), &[])?))
    }
    fn cases(&self) -> Result<Box<dyn CaseWriter>> {
        Ok(Box::new(SqliteWriter::open(self.0.path(), &[])?))
    }
    fn outbox(&self) -> Result<Box<dyn OutboxStore>> {
        Ok(Box::new(SqliteWriter::open(self.0.path(), &[WriterRole::Delivery])?))
    }
    fn reader(&self) -> Result<Box<dyn Reader>> {
        Ok(Box::new(SqliteReader::open(self.0.path())?))
    }
}

struct Sqlite;

impl Factory for Sqlite {
    fn site(&self) -> Box<dyn Site> {
        Box::new(Folder(tempfile::tempdir().unwrap()))
    }
}

barograph_store::suite!(Sqlite);
