//! The board as it is held: events of the stream go in, nothing else. No clock and no screen (`docs/board.md`).

use barograph_api::board::{COLUMNS, CellKind, Column};
use barograph_domain::Axis;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Closes in a sparkline.
const SPARK: usize = 60;
/// Changes of labels that are kept.
const CHANGES: usize = 50;
/// Alerts that are kept.
pub(super) const ALERTS: usize = 50;

/// One market.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
pub(crate) struct WatchRow {
    i: usize,
    pub(crate) instrument: String,
    pub(crate) symbol: String,
    pub(crate) venue: String,
    #[serde(default)]
    pub(crate) headline: String,
    pub(crate) cells: Vec<Value>,
    #[serde(default)]
    pub(crate) reasons: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) spark: Vec<Option<f64>>,
}

impl WatchRow {
    /// A number in a cell; `None` where it is not known.
    pub(crate) fn number(&self, column: Column) -> Option<f64> {
        self.cells.get(column as usize)?.as_f64()
    }

    /// A code, a count or epoch seconds.
    pub(crate) fn whole(&self, column: Column) -> Option<i64> {
        self.cells.get(column as usize)?.as_i64()
    }

    pub(crate) fn flag(&self, bit: i64) -> bool {
        self.whole(Column::Flags).unwrap_or(0) & bit != 0
    }
}

/// The line above the table.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Header {
    pub(crate) markets: u32,
    pub(crate) live: u32,
    pub(crate) lost: u32,
    pub(crate) cascades_24h: u32,
    pub(crate) volatility_events_24h: u32,
    pub(crate) open_alerts: u32,
    pub(crate) data: String,
}

/// Words of codes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub(crate) struct LabelWords {
    pub(crate) risk: Vec<String>,
    pub(crate) trend: Vec<String>,
    pub(crate) volatility: Vec<String>,
    pub(crate) heat: Vec<String>,
}

impl LabelWords {
    /// Those of an axis, by code.
    pub(crate) fn of(&self, axis: Axis) -> &[String] {
        match axis {
            Axis::Risk => &self.risk,
            Axis::Trend => &self.trend,
            Axis::Volatility => &self.volatility,
            Axis::Heat => &self.heat,
        }
    }
}

/// A label that changed.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct ChangedLabel {
    pub(crate) instrument: String,
    pub(crate) axis: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) at: String,
}

#[derive(Deserialize)]
struct Whole {
    n: u64,
    ts: String,
    origin: String,
    header: Header,
    columns: Vec<String>,
    labels: LabelWords,
    rows: Vec<WatchRow>,
    changes: Vec<ChangedLabel>,
}

#[derive(Deserialize)]
struct Batch {
    n: u64,
    t: i64,
    #[serde(default)]
    r: i64,
    c: Vec<Vec<Value>>,
}

/// Everything that is known of the server's board.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct KnownBoard {
    /// Whether a table has come.
    pub(crate) here: bool,
    n: u64,
    /// The server's clock, epoch milliseconds.
    pub(crate) now_ms: i64,
    pub(crate) origin: String,
    pub(crate) header: Header,
    pub(crate) labels: LabelWords,
    pub(crate) rows: Vec<WatchRow>,
    /// The newest first.
    pub(crate) changes: Vec<ChangedLabel>,
    /// The newest first.
    pub(crate) alerts: Vec<Value>,
    /// Of the market that is followed.
    pub(crate) market: Value,
    /// Of the market that is followed.
    pub(crate) snapshot: Value,
}

impl KnownBoard {
    /// Takes an event in. An error means that what is held can no longer be trusted: connect again.
    pub(crate) fn apply(&mut self, event: &str, data: Value) -> Result<(), String> {
        let unread = |e: serde_json::Error| format!("the server sent a {event} that cannot be read: {e}");
        match event {
            "board" => self.whole(serde_json::from_value(data).map_err(unread)?)?,
            "cells" => self.batch(&serde_json::from_value(data).map_err(unread)?)?,
            "rows" => {
                for row in serde_json::from_value::<Vec<WatchRow>>(data).map_err(unread)? {
                    self.rows.retain(|held| held.i != row.i);
                    self.rows.push(row);
                }
            }
            "header" => self.header = serde_json::from_value(data).map_err(unread)?,
            "changes" => {
                let news: Vec<ChangedLabel> = serde_json::from_value(data).map_err(unread)?;
                self.changes.splice(0..0, news);
                self.changes.truncate(CHANGES);
            }
            "alerts" => {
                serde_json::from_value::<Vec<Value>>(data).map_err(unread)?.into_iter().for_each(|a| self.alert(a))
            }
            "reasons" => {
                for (i, reasons) in serde_json::from_value::<Vec<(usize, _)>>(data).map_err(unread)? {
                    if let Some(row) = self.rows.iter_mut().find(|row| row.i == i) {
                        row.reasons = reasons;
                    }
                }
            }
            "headlines" => {
                for (i, headline) in serde_json::from_value::<Vec<(usize, String)>>(data).map_err(unread)? {
                    if let Some(row) = self.rows.iter_mut().find(|row| row.i == i) {
                        row.headline = headline;
                    }
                }
            }
            "tick" => self.now_ms = data["t"].as_i64().unwrap_or(self.now_ms),
            "market" => self.market = data,
            "snapshot" => self.snapshot = data,
            "problem" => return Err(data["detail"].as_str().unwrap_or("the server has a problem").to_owned()),
            "lagged" => return Err("this terminal was too slow for the stream".to_owned()),
            "closing" => return Err("the server is closing".to_owned()),
            // A newer server may answer more.
            _ => {}
        }
        Ok(())
    }

    /// An alert replaces its earlier revision.
    pub(crate) fn alert(&mut self, alert: Value) {
        self.alerts.retain(|held| held["alert_id"] != alert["alert_id"]);
        self.alerts.insert(0, alert);
        self.alerts.truncate(ALERTS);
    }

    /// Alerts of before, the newest first; those that are held already stay as they are.
    pub(crate) fn remember(&mut self, alerts: Value) {
        let Value::Array(alerts) = alerts else { return };
        for alert in alerts {
            if self.alerts.len() < ALERTS && !self.alerts.iter().any(|held| held["alert_id"] == alert["alert_id"]) {
                self.alerts.push(alert);
            }
        }
    }

    /// Another market is followed, or none: what is held of the last one goes.
    pub(crate) fn forget_market(&mut self, next: Option<&str>) {
        let of = |held: &Value| held["instrument"].as_str() == next && next.is_some();
        if !of(&self.market) {
            self.market = Value::Null;
        }
        if !of(&self.snapshot) {
            self.snapshot = Value::Null;
        }
    }

    fn whole(&mut self, whole: Whole) -> Result<(), String> {
        if !whole.columns.iter().map(String::as_str).take(COLUMNS.len()).eq(COLUMNS) {
            return Err("the server's board has other columns; watch it with a barograph of its version".to_owned());
        }
        let ts = barograph_domain::Ts::parse(&whole.ts)?;
        self.now_ms = ts.as_millis();
        (self.here, self.n, self.origin) = (true, whole.n, whole.origin);
        (self.header, self.labels, self.rows, self.changes) = (whole.header, whole.labels, whole.rows, whole.changes);
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> Result<(), String> {
        // The table that was sent first may hold it already.
        if batch.n <= self.n {
            return Ok(());
        }
        if batch.n != self.n + 1 {
            return Err(format!("batch {} follows batch {}", batch.n, self.n));
        }
        self.n = batch.n;
        self.now_ms = self.now_ms.max(batch.t);
        for change in &batch.c {
            let [i, mask, values @ ..] = change.as_slice() else { return Err("an empty change".to_owned()) };
            let (Some(i), Some(mask)) = (i.as_u64(), mask.as_u64()) else {
                return Err("a change of nothing".to_owned());
            };
            let Some(row) = self.rows.iter_mut().find(|row| row.i as u64 == i) else {
                return Err(format!("row {i} is not known"));
            };
            row.take(mask, values, batch.r);
        }
        Ok(())
    }
}

impl WatchRow {
    fn take(&mut self, mask: u64, values: &[Value], from: i64) {
        let set = (0..64).filter(|column| mask & (1 << column) != 0);
        for (column, value) in set.zip(values) {
            let counted = Column::ALL.get(column).is_some_and(|spec| spec.kind == CellKind::Epoch);
            let epoch = value.as_i64().filter(|_| counted);
            if let Some(cell) = self.cells.get_mut(column) {
                *cell = epoch.map_or_else(|| value.clone(), |v| Value::from(from + v));
            }
        }
        // A new minute: the stream sends no closes, the price of the moment is nearest to one.
        if mask & (1 << Column::RowTs as u64) != 0 {
            self.spark.push(self.number(Column::Price));
            let over = self.spark.len().saturating_sub(SPARK);
            self.spark.drain(..over);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    /// Two markets at 2026-02-05 14:35:00Z.
    pub(crate) fn board() -> KnownBoard {
        let labels = json!({
            "risk": ["UNKNOWN", "NORMAL", "CHOP_RISK", "SQUEEZE_RISK", "HIGH_VOL"],
            "trend": ["UNKNOWN", "STRONG_UPTREND", "UPTREND", "SIDEWAYS", "DOWNTREND", "STRONG_DOWNTREND"],
            "volatility": ["UNKNOWN", "STABLE", "HIGH_VOL", "EXPLOSIVE", "EXTREME"],
            "heat": ["UNKNOWN", "COLD", "COOL", "NEUTRAL", "HOT", "SUPER_HOT"],
        });
        let btc = json!([
            63120.5, -0.0812, 4, 5, 3, 4, 0, 0.9, 1.18, -0.000121, -0.091, 1770299820, 1770302100, 0, null, null, null,
            "....", "....", 1, 1.21
        ]);
        let sol = json!([
            87.456, null, 3, 3, 1, 5, 1, 0.42, null, 0.0001, 0.031, 1770301380, 1770301260, 9, null, null, null,
            "....", "....", 0, 0.92
        ]);
        let mut board = KnownBoard::default();
        let whole = json!({
            "ts": "2026-02-05T14:35:00Z", "n": 7, "logic_version": "v", "origin": "synthetic",
            "header": {"markets": 2, "live": 1, "lost": 1, "cascades_24h": 3, "volatility_events_24h": 4, "open_alerts": 1, "data": "degraded"},
            "columns": COLUMNS, "labels": labels,
            "rows": [
                {"i": 0, "instrument": "binance-usdm:BTCUSDT", "symbol": "BTC/USDT", "venue": "binance-usdm", "headline": "High volatility (1 h vol 118 % annualised).", "cells": btc, "reasons": {}, "spark": [1.0, 2.0, null, 3.0]},
                {"i": 1, "instrument": "bybit:SOLUSDT", "symbol": "SOL/USDT", "venue": "bybit", "cells": sol, "reasons": {"change_24h": "warming"}, "spark": []},
            ],
            "changes": [{"instrument": "bybit:SOLUSDT", "axis": "risk", "from": "NORMAL", "to": "SQUEEZE_RISK", "at": "2026-02-05T14:23:00Z"}],
        });
        board.apply("board", whole).unwrap();
        board
    }

    /// The context of the first of them.
    pub(crate) fn snapshot() -> Value {
        let exit = json!({
            "feature": "realized_vol_1h", "value": 1.18, "needed": 0.7199, "direction": "below", "threshold": 0.72,
            "label": "CHOP_RISK", "readings": 2, "cadence_s": 3600, "dwell_left_s": 900,
        });
        let none = json!({"label": "UNKNOWN", "age_s": 60, "margin": null, "stale": false});
        let risk = json!({"label": "HIGH_VOL", "age_s": 2280, "margin": 0.9, "stale": false, "nearest_exit": exit, "nearest_flip": null});
        let clause = json!({
            "feature": "realized_vol_1h", "abs": false, "value": 1.18, "op": ">", "threshold": 0.8, "result": "true", "margin": 0.9,
            "group": null,
        });
        json!({
            "instrument": "binance-usdm:BTCUSDT",
            "headline": "High volatility (1 h vol 118 % annualised), strong downtrend, −8.1 % in 24 h.",
            "regimes": {"risk": risk, "trend": none, "volatility": none, "heat": none},
            "session": {"name": "NY", "elapsed_frac": 0.4, "adaptive_multiplier": 1.8},
            "guidance": {"risk_bias": "CONSERVATIVE", "posture": "REDUCE", "new_entries": "smaller size", "open_positions": "review"},
            "explanation": {
                "reasoning": "High volatility: 1 h volatility is 118 %, limit 80 %.",
                "freshness_warning": null,
                "features": {"realized_vol_1h": {"unit": "annualised fraction"}},
                "trace": [{"id": "HIGH_VOL", "axis": "risk", "label": "HIGH_VOL", "result": "true", "margin": 0.9, "held_share_90d": 0.004, "clauses": [clause]}],
            },
        })
    }

    #[test]
    fn batches_change_what_their_masks_name_and_epochs_count_from_the_reference() {
        let mut board = board();
        // The bits of price, risk_since and row_ts, as in the format's own example.
        let batch = json!({"n": 8, "t": 1770302161000_i64, "r": 1770302160, "c": [[0, 6145, 63121.5, -300, 0], [1, 3, 88.0, null]]});
        board.apply("cells", batch.clone()).unwrap();
        let btc = &board.rows[0];
        assert_eq!(btc.number(Column::Price), Some(63121.5));
        assert_eq!(btc.whole(Column::RiskSince), Some(1770301860));
        assert_eq!(btc.whole(Column::RowTs), Some(1770302160));
        assert_eq!(btc.spark, [Some(1.0), Some(2.0), None, Some(3.0), Some(63121.5)]);
        assert_eq!((btc.number(Column::Change24h), board.now_ms), (Some(-0.0812), 1770302161000));
        assert_eq!(board.rows[1].number(Column::Change24h), None);
        let before = board.clone();
        board.apply("cells", batch).unwrap();
        assert_eq!(board, before, "a batch that is in the table already changes nothing");
        assert!(
            board.apply("cells", json!({"n": 10, "t": 1, "c": []})).unwrap_err().contains("batch 10 follows batch 8")
        );
        let stood = json!({"n": 9, "t": 1, "c": [[1, 2048, 1770301000]]});
        board.apply("cells", stood).unwrap();
        assert_eq!(board.rows[1].whole(Column::RiskSince), Some(1770301000), "without an r they stand as they are");
        assert!(board.apply("cells", json!({"n": 10, "t": 1, "c": [[9, 1, 1.0]]})).is_err());
    }

    #[test]
    fn other_events_are_taken_in() {
        let mut board = board();
        let take = |board: &mut KnownBoard, event: &str, data| board.apply(event, data);
        take(&mut board, "tick", json!({"t": 1770302162000_i64})).unwrap();
        take(&mut board, "header", json!({"markets": 3, "live": 3})).unwrap();
        let change = json!([{"instrument": "binance-usdm:BTCUSDT", "axis": "heat", "from": "HOT", "to": "SUPER_HOT", "at": "2026-02-05T14:36:00Z"}]);
        take(&mut board, "changes", change).unwrap();
        take(&mut board, "reasons", json!([[1, {"vol": "gap"}]])).unwrap();
        assert_eq!(board.rows[1].reasons, [("vol".to_owned(), "gap".to_owned())].into());
        take(&mut board, "headlines", json!([[1, "Nothing unusual."], [9, "no such row"]])).unwrap();
        assert_eq!(board.rows[1].headline, "Nothing unusual.");
        let row = json!([{"i": 2, "instrument": "okx:X", "symbol": "X", "venue": "okx", "cells": [1.0]}]);
        take(&mut board, "rows", row).unwrap();
        let two = json!([{"alert_id": "a", "title": "old"}, {"alert_id": "b", "title": "other"}]);
        take(&mut board, "alerts", two).unwrap();
        take(&mut board, "alerts", json!([{"alert_id": "a", "title": "new"}])).unwrap();
        take(&mut board, "of tomorrow", json!({})).unwrap();
        assert_eq!((board.now_ms, board.header.markets, board.rows.len()), (1770302162000, 3, 3));
        assert_eq!((board.changes.len(), board.changes[0].to.as_str()), (2, "SUPER_HOT"));
        let titles: Vec<_> = board.alerts.iter().map(|a| a["title"].as_str().unwrap()).collect();
        assert_eq!(titles, ["new", "other"]);
        for last in ["lagged", "closing", "problem"] {
            assert!(take(&mut board, last, json!({})).is_err(), "{last}");
        }
        let other = json!({"ts": "2026-02-05T14:35:00Z", "n": 1, "origin": "measured", "header": {}, "columns": ["price"], "labels": board_labels(), "rows": [], "changes": []});
        assert!(take(&mut board, "board", other).unwrap_err().contains("other columns"));
    }

    fn board_labels() -> Value {
        json!({"risk": [], "trend": [], "volatility": [], "heat": []})
    }
}
