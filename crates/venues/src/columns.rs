//! The column map a user writes for a table nobody else writes: `time=ts,value=oi,metric=open_interest`.
//!
//! Left sides are ours, right sides the table's: a column name, or `#3` for the third column of a file without a header.
//! `metric` and `where.<column>` take a value, not a column. Names are compared without regard to case.

use barograph_domain::Metric;
use std::collections::BTreeMap;

/// Fields of a map that name a column.
const FIELDS: [&str; 18] = [
    "time",
    "close_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "quote_volume",
    "value",
    "usd",
    "rate",
    "interval_h",
    "venue",
    "symbol",
    "price",
    "qty",
    "side",
    "id",
];

/// The metric that a person has named. The price of a spot market beside a contract is made here and offered to nobody.
///
/// # Errors
/// A sentence naming those there are.
pub fn metric_named(text: &str) -> Result<Metric, String> {
    Metric::from_name(text).ok_or_else(|| {
        let offered = Metric::ALL.iter().filter(|m| **m != Metric::SpotPrice);
        let known: Vec<&str> = offered.map(|m| m.name()).collect();
        let known = known.join(", ");
        format!("'{text}' is no metric; signals of your own come in with: barograph signals import FILE; write one of {known}")
    })
}

/// Which column is what.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ColumnMap {
    /// Our field name to the table's column name.
    columns: BTreeMap<&'static str, String>,
    /// What `value` or the candle is, where the field names do not say it.
    metric: Option<Metric>,
    /// Rows to keep: column name and the text it must hold.
    filter: BTreeMap<String, String>,
}

impl ColumnMap {
    /// Reads `time=ts,open=o,high=h,low=l,close=c,where.venue=Binance`.
    ///
    /// # Errors
    /// A sentence naming the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pairs = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (field, column) =
                part.split_once('=').ok_or_else(|| format!("'{part}' is not field=column, as in time=ts,value=oi"))?;
            let (field, column) = (field.trim().to_owned(), column.trim().to_owned());
            if pairs.insert(field.clone(), column).is_some() {
                return Err(format!("column map names '{field}' twice"));
            }
        }
        Self::from_table(&pairs)
    }

    /// From a table of a configuration file: the same names.
    ///
    /// # Errors
    /// A sentence naming the part that is wrong.
    pub fn from_table(pairs: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut map = Self::default();
        for (field, column) in pairs {
            map.set(field, column)?;
        }
        map.checked()
    }

    /// Adds conditions written as `venue=Binance,coin=BTC`: only rows that hold these texts are read.
    ///
    /// # Errors
    /// A sentence naming the part that is wrong.
    pub fn with_filter(mut self, text: &str) -> Result<Self, String> {
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (column, value) =
                part.split_once('=').ok_or_else(|| format!("'{part}' is not column=value, as in venue=Binance"))?;
            self.filter.insert(column.trim().to_owned(), value.trim().to_owned());
        }
        Ok(self)
    }

    fn set(&mut self, field: &str, column: &str) -> Result<(), String> {
        if column.is_empty() {
            return Err(format!("column map gives no column for '{field}'"));
        }
        if let Some(name) = field.strip_prefix("where.") {
            self.filter.insert(name.to_owned(), column.to_owned());
            return Ok(());
        }
        if field == "metric" {
            self.metric = Some(metric_named(column)?);
            return Ok(());
        }
        // `timestamp` is what most people call it.
        let field = if field == "timestamp" { "time" } else { field };
        let known = FIELDS.iter().find(|f| **f == field).ok_or_else(|| {
            format!("column map has no field '{field}'; fields are {}, metric and where.<column>", FIELDS.join(", "))
        })?;
        self.columns.insert(known, column.to_owned());
        Ok(())
    }

    fn checked(self) -> Result<Self, String> {
        if self.column("time").is_none() {
            return Err("column map has no time; write time=<column>".to_owned());
        }
        let bar = ["open", "high", "low", "close"];
        let given = bar.iter().filter(|f| self.column(f).is_some()).count();
        if given != 0 && given != bar.len() {
            return Err("column map has part of a candle; give all of open, high, low and close".to_owned());
        }
        let has = |field| self.column(field).is_some();
        if given == 0 && !["value", "usd", "rate", "price"].into_iter().any(has) {
            return Err(
                "column map has nothing to read; give open, high, low and close, or value, usd or rate".to_owned()
            );
        }
        if has("value") && self.metric.is_none() && given == 0 {
            return Err("column map has value without metric; add metric=open_interest or another metric".to_owned());
        }
        Ok(self)
    }

    /// The table's column for one of our fields.
    #[must_use]
    pub fn column(&self, field: &str) -> Option<&str> {
        self.columns.get(field).map(String::as_str)
    }
    /// What `value` or the candle is.
    #[must_use]
    pub fn metric(&self) -> Option<Metric> {
        self.metric
    }
    /// Rows to keep.
    #[must_use]
    pub fn filter(&self) -> &BTreeMap<String, String> {
        &self.filter
    }
    /// Column names the table must have, for choosing the map at all.
    pub fn wanted(&self) -> impl Iterator<Item = &str> {
        self.columns.values().chain(self.filter.keys()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_reads_back_what_was_written() {
        let map = ColumnMap::parse("time=ts, value=oi ,metric=open_interest,where.venue=Binance").unwrap();
        assert_eq!((map.column("time"), map.column("value")), (Some("ts"), Some("oi")));
        assert_eq!(map.metric(), Some(Metric::OpenInterest));
        assert_eq!(map.filter().get("venue").map(String::as_str), Some("Binance"));
        let same = map.clone().with_filter("coin=BTC").unwrap();
        assert_eq!(same.filter().len(), 2);
    }

    #[test]
    fn every_mistake_is_named() {
        let cases = [
            ("time", "field=column"),
            ("value=oi,metric=open_interest", "no time"),
            ("time=t,open=o", "part of a candle"),
            ("time=t", "nothing to read"),
            ("time=t,value=x", "without metric"),
            (
                "time=t,value=x,metric=oi",
                "'oi' is no metric; signals of your own come in with: barograph signals import FILE; write one of bar, trade",
            ),
            ("time=t,valu=x,metric=open_interest", "no field 'valu'"),
            ("time=t,time=u,usd=x", "twice"),
            ("time=,usd=x", "no column for 'time'"),
        ];
        for (text, want) in cases {
            let error = ColumnMap::parse(text).unwrap_err();
            assert!(error.contains(want), "{text}: {error}");
            assert!(!error.contains("spot_price"), "made here, and no table's: {error}");
        }
    }
}
