//! The suite of the contract, run against a server; each store is a schema of its own.

use crate::server::{Server, shared};
use barograph_store::suite::{Factory, Site};
use barograph_store::{
    CaseWriter, OutboxStore, PgReader, PgWriter, PositionWriter, Reader, Result, SignalStore, Writer, WriterRole,
};

struct Schema(String);

impl Site for Schema {
    fn writer(&self, roles: &[WriterRole]) -> Result<Box<dyn Writer>> {
        Ok(Box::new(PgWriter::connect(&self.0, roles)?))
    }
    fn positions(&self) -> Result<Box<dyn PositionWriter>> {
        Ok(Box::new(PgWriter::connect(&self.0, &[])?))
    }
    fn signals(&self) -> Result<Box<dyn SignalStore>> {
        Ok(Box::new(PgWriter::connect(&self.0, &[])?))
    }
    fn cases(&self) -> Result<Box<dyn CaseWriter>> {
        Ok(Box::new(PgWriter::connect(&self.0, &[])?))
    }
    fn outbox(&self) -> Result<Box<dyn OutboxStore>> {
        Ok(Box::new(PgWriter::connect(&self.0, &[WriterRole::Delivery])?))
    }
    fn reader(&self) -> Result<Box<dyn Reader>> {
        Ok(Box::new(PgReader::connect(&self.0)?))
    }
}

struct Postgres(&'static Server);

impl Factory for Postgres {
    fn site(&self) -> Box<dyn Site> {
        Box::new(Schema(self.0.schema()))
    }
}

barograph_store::suite!(match shared() {
    Some(server) => Postgres(server),
    None => return,
});
