//! A row of the board by itself: every cell under the name of its column, and labels as words, for readers that hold no table.

use super::columns::CellKind;
use super::{COLUMNS, Cells, Column, Value, labels};
use crate::alias::markets::pair_of;
use barograph_domain::{Axis, InstrumentName, Ts};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// One market, as it is written to a mirror.
#[derive(Serialize)]
pub(super) struct NamedRow<'a> {
    /// `venue:symbol`.
    pub(super) instrument: &'a InstrumentName,
    /// `BASE/QUOTE`.
    pub(super) symbol: String,
    /// When the table was turned.
    pub(super) ts: Ts,
    /// Arithmetic and rule book of the table's newest row.
    pub(super) logic_version: &'a str,
    /// As in the table, unless another is given.
    pub(super) headline: &'a str,
    /// As in the table, by column.
    pub(super) cells: NamedCells<'a>,
    /// Why a cell is null, by column.
    pub(super) reasons: BTreeMap<&'static str, &'static str>,
}

impl<'a> NamedRow<'a> {
    pub(super) fn new(row: &'a super::BoardRow, ts: Ts, logic_version: &'a str, headline: Option<&'a str>) -> Self {
        Self {
            instrument: &row.instrument,
            symbol: pair_of(&row.instrument),
            ts,
            logic_version,
            headline: headline.unwrap_or(&row.headline),
            cells: NamedCells(&row.cells),
            reasons: row.standing().map(|(column, why)| (COLUMNS[column as usize], why)).collect(),
        }
    }
}

/// Cells by name, in the order of columns.
pub(super) struct NamedCells<'a>(&'a Cells);

impl Serialize for NamedCells<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let words = labels();
        let mut map = s.serialize_map(Some(COLUMNS.len()))?;
        for (spec, value) in Column::ALL.iter().zip(self.0) {
            match (spec.kind, value) {
                (CellKind::Code(axis), Value::Whole(code)) => {
                    let of_axis = match axis {
                        Axis::Risk => &words.risk,
                        Axis::Trend => &words.trend,
                        Axis::Volatility => &words.volatility,
                        Axis::Heat => &words.heat,
                    };
                    map.serialize_entry(spec.name, &usize::try_from(*code).ok().and_then(|at| of_axis.get(at)))?;
                }
                (_, value) => map.serialize_entry(spec.name, value)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Hub;
    use super::*;
    use crate::live::DataOrigin;

    #[test]
    fn a_row_by_itself_has_names_and_words() {
        let hub = Hub::new(DataOrigin::Measured);
        let name = |symbol: &str| InstrumentName::new("okx", symbol).unwrap();
        hub.update(Ts::from_secs(90), |table| {
            for symbol in ["BTC-USDT-SWAP", "ETH-USDT-SWAP"] {
                let i = table.admit(&name(symbol));
                table.set(i, Column::Price, Value::full(63_120.5));
                table.set(i, Column::Risk, Value::Whole(4));
                table.set(i, Column::TfTrend, Value::Digits(*b"12.."));
                table.explain(i, vec![(Column::Vol, "warming up"), (Column::Price, "none yet")]);
                table.headline(i, "Calm.");
                table.made_by("v1+ab");
            }
        });
        let rows = hub.named_rows(&[name("ETH-USDT-SWAP"), name("XRP-USDT-SWAP")], &BTreeMap::new());
        assert_eq!(rows.len(), 1, "what is not in the table has no row");
        assert_eq!(rows[0].0, name("ETH-USDT-SWAP"));
        let row: serde_json::Value = serde_json::from_slice(&rows[0].1).unwrap();
        assert_eq!(row["instrument"], "okx:ETH-USDT-SWAP");
        assert_eq!(row["symbol"], "ETH/USDT");
        assert_eq!(row["ts"], "1970-01-01T00:01:30Z");
        assert_eq!((&row["headline"], &row["logic_version"]), (&"Calm.".into(), &"v1+ab".into()));
        assert_eq!(row["cells"].as_object().unwrap().len(), COLUMNS.len());
        assert_eq!(row["cells"]["price"], 63_120.5);
        assert_eq!((&row["cells"]["risk"], &row["cells"]["tf_trend"]), (&"HIGH_VOL".into(), &"12..".into()));
        assert!(row["cells"]["trend"].is_null() && row["cells"]["vol"].is_null());
        assert_eq!(row["reasons"], serde_json::json!({"vol": "warming up"}), "a value that is there needs no reason");
    }
}
