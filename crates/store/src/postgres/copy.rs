//! Points by COPY, with the columns that people ask for beside the exact payload.

use super::ensure_months;
use crate::schema::{ColumnKind, Database, row, tables};
use crate::sql::db::{Connection, SqlValue};
use crate::sql::fault::Inner;
use barograph_domain::{Bar, Payload, Side, Ts};
use std::borrow::Cow;
use tokio_postgres::types::Type;

/// One row of the table of points.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct PointRow {
    pub(crate) stream: i64,
    pub(crate) event_ts: Ts,
    pub(crate) seq: i64,
    pub(crate) rev: i64,
    pub(crate) known_ts: Option<i64>,
    pub(crate) value: Option<f64>,
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) provenance: u8,
    pub(crate) payload: Payload,
}

/// Rows per COPY: spelt out as parameters they take 600 bytes each.
const ROWS: usize = 20_000;

/// What people ask for beside the value.
#[derive(Default)]
struct Shown {
    bar: Option<Bar>,
    price: Option<f64>,
    quantity: Option<f64>,
    side: Option<Side>,
    ask: Option<f64>,
    interval_h: Option<f64>,
    next_ts: Option<Ts>,
}

impl Shown {
    fn of(payload: Payload) -> Self {
        let none = Self::default();
        match payload {
            Payload::Bar(bar) => Self { bar: Some(bar), ..none },
            Payload::Trade { price, qty, aggressor_side } => {
                Self { price: Some(price), quantity: Some(qty), side: aggressor_side, ..none }
            }
            Payload::Liquidation { liquidated_side, price, qty } => {
                Self { price: Some(price), quantity: Some(qty), side: Some(liquidated_side), ..none }
            }
            Payload::BestBidAsk { bid, ask } => Self { price: Some(bid), ask: Some(ask), ..none },
            Payload::Funding { interval_h, next_ts, .. } => Self { interval_h, next_ts, ..none },
            Payload::Value(_) | Payload::Status(_) | Payload::Tick => none,
        }
    }
}

impl PointRow {
    /// All columns.
    fn values(&self) -> [SqlValue<'_>; tables::points.width(Database::Server)] {
        let shown = Shown::of(self.payload);
        let bar = shown.bar;
        row!(points on Server {
            stream: self.stream, event_ts: self.event_ts.0, seq: self.seq, rev: self.rev, known_ts: self.known_ts,
            value: self.value, payload: self.bytes.as_ref(), provenance: self.provenance, open: bar.map(|b| b.open),
            high: bar.map(|b| b.high), low: bar.map(|b| b.low), volume: bar.and_then(|b| b.volume),
            quote_volume: bar.and_then(|b| b.quote_volume), price: shown.price, quantity: shown.quantity,
            side: shown.side.map(word), ask: shown.ask, interval_h: shown.interval_h,
            next_ts: shown.next_ts.map(|t| t.0),
        })
    }
}

const fn word(side: Side) -> &'static str {
    match side {
        Side::Long => "long",
        Side::Short => "short",
    }
}

/// Writes rows whose keys are new.
pub(crate) fn copy_points(conn: &Connection, rows: &[PointRow]) -> Inner<()> {
    let Some(session) = conn.server().filter(|_| !rows.is_empty()) else { return Ok(()) };
    ensure_months(conn, "points", rows.iter().map(|r| r.event_ts))?;
    let sql = format!("COPY points ({}) FROM STDIN BINARY", tables::points.names(Database::Server));
    let types: Vec<Type> = tables::points.columns(Database::Server).map(|c| wire(c.kind)).collect();
    for part in rows.chunks(ROWS) {
        let values: Vec<_> = part.iter().map(PointRow::values).collect();
        session.copy_in(&sql, &types, &values)?;
    }
    Ok(())
}

/// How a column goes over.
const fn wire(kind: ColumnKind) -> Type {
    match kind {
        ColumnKind::Int => Type::INT8,
        ColumnKind::Real => Type::FLOAT8,
        ColumnKind::Reals => Type::FLOAT8_ARRAY,
        ColumnKind::Bytes => Type::BYTEA,
        ColumnKind::Text | ColumnKind::Word | ColumnKind::Symbol | ColumnKind::SymbolKey => Type::TEXT,
        ColumnKind::Time => Type::TIMESTAMPTZ,
    }
}

/// A list of numbers as a parameter.
pub(crate) fn reals(list: Vec<f64>) -> SqlValue<'static> {
    SqlValue::Reals(Cow::Owned(list))
}
