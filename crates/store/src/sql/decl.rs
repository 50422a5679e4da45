//! Stream declarations and layouts as stored text.
//!
//! One spelling per declaration, in whole nanoseconds: the text is the stream's key. (The wire form of a span is for
//! people and rounds.)

use super::db::{Connection, Optional};
use super::fault::{Inner, SqlFault};
use crate::codec::Width;
use crate::postgres::find_or_alone;
use crate::run::Columns;
use crate::schema::insert;
use barograph_domain::{InstrumentName, Kind, Metric, Span, Stamp, StreamDecl};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclText {
    instrument: InstrumentName,
    metric: Metric,
    kind: Kind,
    cadence_ns: i64,
    source: String,
    delay_ns: i64,
    stamp: Stamp,
    filled: bool,
}

impl From<&StreamDecl> for DeclText {
    fn from(d: &StreamDecl) -> Self {
        Self {
            instrument: d.instrument.clone(),
            metric: d.metric,
            kind: d.kind,
            cadence_ns: d.cadence.0,
            source: d.source.clone(),
            delay_ns: d.delay.0,
            stamp: d.stamp,
            filled: d.filled,
        }
    }
}

impl From<DeclText> for StreamDecl {
    fn from(d: DeclText) -> Self {
        Self {
            instrument: d.instrument,
            metric: d.metric,
            kind: d.kind,
            cadence: Span(d.cadence_ns),
            source: d.source,
            delay: Span(d.delay_ns),
            stamp: d.stamp,
            filled: d.filled,
        }
    }
}

/// The text of a declaration.
pub(super) fn to_text(decl: &StreamDecl) -> Inner<String> {
    json(&DeclText::from(decl))
}

/// The declaration of a text.
pub(super) fn from_text(text: &str) -> Inner<StreamDecl> {
    serde_json::from_str::<DeclText>(text)
        .map(Into::into)
        .map_err(|e| SqlFault::Damaged(format!("a stream '{text}': {e}")))
}

fn json<T: Serialize>(value: &T) -> Inner<String> {
    serde_json::to_string(value).map_err(|e| SqlFault::Damaged(format!("cannot be written as JSON: {e}")))
}

/// What the positions and stream indexes in the rows of a chunk mean.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Layout {
    pub(super) columns: Columns,
    pub(super) streams: Vec<StreamDecl>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayoutText {
    columns: Columns,
    streams: Vec<DeclText>,
}

impl Layout {
    pub(super) fn width(&self) -> Width {
        Width { features: self.columns.features.len(), cuts: self.columns.cuts.len(), rules: self.columns.rules.len() }
    }

    /// Id of this layout, stored on first sight.
    pub(super) fn ensure(&self, conn: &Connection) -> Inner<i64> {
        let text =
            LayoutText { columns: self.columns.clone(), streams: self.streams.iter().map(DeclText::from).collect() };
        let body = json(&text)?;
        let sha256 = Sha256::digest(body.as_bytes());
        let find = || {
            let sql = "SELECT layout FROM layouts WHERE sha256 = ?1";
            conn.query_row(sql, [sha256.as_slice()], |r| r.get(0)).optional()
        };
        if let Some(id) = find_or_alone(conn, find)? {
            return Ok(id);
        }
        let (sql, row) = insert!(layouts or Then("RETURNING layout") { sha256: sha256.as_slice(), body });
        conn.query_row(sql, row, |r| r.get(0))
    }

    /// The layout with this id.
    pub(super) fn load(conn: &Connection, id: i64) -> Inner<Self> {
        let (body, sha256): (String, Vec<u8>) = conn
            .prepare("SELECT body, sha256 FROM layouts WHERE layout = ?1")?
            .query_row([id], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?
            .ok_or_else(|| SqlFault::Damaged(format!("layout {id} is missing")))?;
        if Sha256::digest(body.as_bytes()).as_slice() != sha256 {
            return Err(SqlFault::Damaged(format!("layout {id} is not what was written")));
        }
        let text: LayoutText =
            serde_json::from_str(&body).map_err(|e| SqlFault::Damaged(format!("layout {id}: {e}")))?;
        Ok(Self { columns: text.columns, streams: text.streams.into_iter().map(Into::into).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_survives_to_the_nanosecond() {
        let decl = StreamDecl {
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
            metric: Metric::OpenInterest,
            kind: Kind::Proxy,
            cadence: Span(1),
            source: "hyper \"liquid\"".into(),
            delay: Span::ZERO,
            stamp: Stamp::Instant,
            filled: true,
        };
        let text = to_text(&decl).unwrap();
        assert_eq!(from_text(&text).unwrap(), decl);
        assert!(from_text(&text.replace("proxy", "guess")).is_err());
    }
}
