//! Points by COPY, with the columns that people ask for beside the exact payload.

use super::ensure_months;
use crate::sql::db::{Connection, Value};
use crate::sql::fault::Inner;
use barograph_domain::{Payload, Side, Ts};
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
/// Columns after the first eight, in the order of [`PointRow::values`].
const EXTRA: usize = 11;

impl PointRow {
    /// All columns.
    pub(crate) fn values(&self) -> Vec<Value<'_>> {
        let mut row = vec![
            Value::Int(self.stream),
            Value::Int(self.event_ts.0),
            Value::Int(self.seq),
            Value::Int(self.rev),
            self.known_ts.into(),
            self.value.into(),
            self.bytes.as_ref().into(),
            self.provenance.into(),
        ];
        let mut extra: [Value<'_>; EXTRA] = [const { Value::Null }; EXTRA];
        match self.payload {
            Payload::Bar(b) => {
                extra[0] = b.open.into();
                extra[1] = b.high.into();
                extra[2] = b.low.into();
                extra[3] = b.volume.into();
                extra[4] = b.quote_volume.into();
            }
            Payload::Trade { price, qty, aggressor_side } => {
                (extra[5], extra[6]) = (price.into(), qty.into());
                extra[7] = aggressor_side.map(word).into();
            }
            Payload::Liquidation { liquidated_side, price, qty } => {
                (extra[5], extra[6]) = (price.into(), qty.into());
                extra[7] = word(liquidated_side).into();
            }
            Payload::BestBidAsk { bid, ask } => {
                extra[5] = bid.into();
                extra[8] = ask.into();
            }
            Payload::Funding { interval_h, next_ts, .. } => {
                extra[9] = interval_h.into();
                extra[10] = next_ts.map(|t| t.0).into();
            }
            Payload::Value(_) | Payload::Status(_) | Payload::Tick => {}
        }
        row.extend(extra);
        row
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
    let mut types = vec![Type::INT8; 5];
    types.extend([Type::FLOAT8, Type::BYTEA, Type::INT8]);
    types.extend(vec![Type::FLOAT8; 7]);
    types.extend([Type::TEXT, Type::FLOAT8, Type::FLOAT8, Type::INT8]);
    for part in rows.chunks(ROWS) {
        let values: Vec<Vec<Value<'_>>> = part.iter().map(PointRow::values).collect();
        session.copy_in(
            "COPY points (stream, event_ts, seq, rev, known_ts, value, payload, provenance, open, high, low, volume,
                quote_volume, price, quantity, side, ask, interval_h, next_ts) FROM STDIN BINARY",
            &types,
            &values,
        )?;
    }
    Ok(())
}

/// A list of numbers as a parameter.
pub(crate) fn reals(list: Vec<f64>) -> Value<'static> {
    Value::Reals(Cow::Owned(list))
}
