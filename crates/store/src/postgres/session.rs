//! One connection to a server: statements prepared once, changes sent without waiting for each answer.
//!
//! The driver is asynchronous; each session has a runtime of its own on the thread that calls it, so that callers need
//! none. It moves only while something is asked: a connection that dies while idle is noticed at the next question.

use super::tls;
use crate::sql::db::SqlValue;
use crate::sql::fault::{Inner, SqlFault};
use futures_util::future::try_join_all;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, Row, Statement};

/// Changes under way at once. The driver keeps the order of the first thirty it is given together.
const PIPELINE: usize = 30;
/// Changes kept back before they are sent.
const QUEUE: usize = 3000;

/// The text of a statement and the kinds of its parameters.
type Shape = (String, Vec<u8>);
/// A change that waits to be sent.
type Change = (Cow<'static, str>, Vec<SqlValue<'static>>);

/// The runtime of one connection. A connection may be dropped within another runtime, where waiting for this one to end would panic:
/// it ends without being waited for.
struct OwnRuntime(Option<tokio::runtime::Runtime>);

impl OwnRuntime {
    fn new() -> std::io::Result<Self> {
        Ok(Self(Some(tokio::runtime::Builder::new_current_thread().enable_all().build()?)))
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let Some(runtime) = &self.0 else { unreachable!("taken only when dropped") };
        runtime.block_on(future)
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A connection.
pub(crate) struct PostgresSession {
    runtime: OwnRuntime,
    client: Client,
    statements: RefCell<BTreeMap<Shape, Statement>>,
    queue: RefCell<Vec<Change>>,
    /// Months of partitioned tables that are known to exist.
    pub(super) months: RefCell<BTreeSet<(&'static str, i64)>>,
    /// Nobody else creates what several want, until the transaction ends.
    pub(super) alone: Cell<bool>,
}

impl std::fmt::Debug for PostgresSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresSession").field("closed", &self.client.is_closed()).finish_non_exhaustive()
    }
}

impl PostgresSession {
    /// Opens a connection to the server.
    pub(crate) fn connect(config: &Config, tls: &tls::Tls) -> Inner<Self> {
        let runtime = OwnRuntime::new()?;
        let client = runtime.block_on(async {
            let (client, connection) = config.connect(tls.clone()).await?;
            // Its error reaches whoever asks next.
            drop(tokio::spawn(connection));
            Ok::<_, tokio_postgres::Error>(client)
        })?;
        Ok(Self {
            runtime,
            client,
            statements: RefCell::default(),
            queue: RefCell::default(),
            months: RefCell::default(),
            alone: Cell::default(),
        })
    }

    /// Rows of an answer, all of them.
    pub(crate) fn query(&self, sql: &str, params: &[SqlValue<'_>]) -> Inner<Vec<Row>> {
        self.flush()?;
        let statement = self.statement(sql, params)?;
        Ok(self.runtime.block_on(self.client.query(&statement, &references(params)))?)
    }

    /// Changes something; the number of rows changed.
    pub(crate) fn execute(&self, sql: &str, params: &[SqlValue<'_>]) -> Inner<usize> {
        self.flush()?;
        let statement = self.statement(sql, params)?;
        let changed = self.runtime.block_on(self.client.execute(&statement, &references(params)))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// Changes something later, in order, before anything else is asked.
    pub(crate) fn send(&self, sql: Cow<'static, str>, params: Vec<SqlValue<'static>>) -> Inner<()> {
        self.queue.borrow_mut().push((sql, params));
        if self.queue.borrow().len() < QUEUE { Ok(()) } else { self.flush() }
    }

    /// Sends what was kept back and waits for the answers.
    pub(crate) fn flush(&self) -> Inner<()> {
        let queue = std::mem::take(&mut *self.queue.borrow_mut());
        let mut ready = Vec::with_capacity(queue.len());
        for (sql, params) in &queue {
            ready.push((self.statement(sql, params)?, references(params)));
        }
        for some in ready.chunks(PIPELINE) {
            self.runtime.block_on(try_join_all(some.iter().map(|(s, p)| self.client.execute(s, p))))?;
        }
        Ok(())
    }

    /// Statements without parameters. A rollback forgets what was kept back.
    pub(crate) fn batch(&self, sql: &str) -> Inner<()> {
        if sql == "ROLLBACK" {
            self.queue.borrow_mut().clear();
            self.months.borrow_mut().clear();
        }
        if sql.starts_with("BEGIN") || sql == "COMMIT" || sql == "ROLLBACK" {
            self.alone.set(false);
        }
        self.flush()?;
        Ok(self.runtime.block_on(self.client.batch_execute(sql))?)
    }

    /// Many rows at once.
    pub(crate) fn copy_in<'v, const N: usize>(
        &self,
        sql: &str,
        types: &[Type],
        rows: &[[SqlValue<'v>; N]],
    ) -> Inner<u64> {
        self.flush()?;
        let copied = self.runtime.block_on(async {
            let sink = self.client.copy_in(sql).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, types));
            for row in rows {
                writer.as_mut().write_raw(row.iter()).await?;
            }
            writer.finish().await
        })?;
        Ok(copied)
    }

    fn statement(&self, sql: &str, params: &[SqlValue<'_>]) -> Inner<Statement> {
        let kinds: Vec<u8> = params.iter().map(kind).collect();
        let key = (sql.to_owned(), kinds);
        if let Some(known) = self.statements.borrow().get(&key) {
            return Ok(known.clone());
        }
        let types: Vec<Type> = params.iter().map(declared).collect();
        let made = self.runtime.block_on(self.client.prepare_typed(&translate(sql), &types))?;
        self.statements.borrow_mut().insert(key, made.clone());
        Ok(made)
    }
}

fn references<'p>(params: &'p [SqlValue<'_>]) -> Vec<&'p (dyn ToSql + Sync)> {
    params
        .iter()
        .map(|p| {
            let p: &(dyn ToSql + Sync) = p;
            p
        })
        .collect()
}

const fn kind(value: &SqlValue<'_>) -> u8 {
    match value {
        SqlValue::Null => 0,
        SqlValue::Int(_) => 1,
        SqlValue::Real(_) => 2,
        SqlValue::Text(_) => 3,
        SqlValue::Blob(_) => 4,
        SqlValue::Reals(_) => 5,
        SqlValue::Ints(_) => 6,
    }
}

/// `UNKNOWN` lets the server infer the type of a parameter from its place.
const fn declared(value: &SqlValue<'_>) -> Type {
    match value {
        SqlValue::Null => Type::UNKNOWN,
        SqlValue::Int(_) => Type::INT8,
        SqlValue::Real(_) => Type::FLOAT8,
        SqlValue::Text(_) => Type::TEXT,
        SqlValue::Blob(_) => Type::BYTEA,
        SqlValue::Reals(_) => Type::FLOAT8_ARRAY,
        SqlValue::Ints(_) => Type::INT8_ARRAY,
    }
}

/// The server's spelling of a statement: `$1` for `?1`, and none of SQLite's index hints.
fn translate(sql: &str) -> String {
    let mut out = sql.replace('?', "$");
    while let Some(at) = out.find("INDEXED BY ") {
        let rest = &out[at + "INDEXED BY ".len()..];
        let name = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let end = at + "INDEXED BY ".len() + name;
        out.replace_range(at..end, "");
    }
    out
}

impl ToSql for SqlValue<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut tokio_postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(n) => n.to_sql(ty, out),
            Self::Real(x) => x.to_sql(ty, out),
            Self::Text(text) => text.as_ref().to_sql(ty, out),
            Self::Blob(bytes) => bytes.as_ref().to_sql(ty, out),
            Self::Ints(list) => list.as_ref().to_sql(ty, out),
            Self::Reals(list) => list.as_ref().to_sql(ty, out),
        }
    }

    /// Statements are prepared with the types of their parameters.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl From<tokio_postgres::Error> for SqlFault {
    fn from(e: tokio_postgres::Error) -> Self {
        Self::Server(Box::new(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_spelt_for_the_server() {
        let sql = "SELECT a FROM t INDEXED BY t_a\n WHERE a = ?1 AND b > ?12";
        assert_eq!(translate(sql), "SELECT a FROM t \n WHERE a = $1 AND b > $12");
    }
}
