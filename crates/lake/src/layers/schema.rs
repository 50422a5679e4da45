//! Tables and their columns.
//!
//! Every table begins with `ts`, the moment a row is about by the venue's clock, and `known_ts`, when it was known here. Absence is null.

use super::{LayerError, LayerResult, place::Layer};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use std::sync::Arc;

/// Levels of each side in the wide book table (R5.17).
pub(super) const LEVELS: usize = 20;

/// Place of its first column of levels.
pub(super) const FIRST_LEVEL: usize = 5;

/// Type of a column's cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CellType {
    /// Nanoseconds since 1970, UTC.
    Moment,
    /// Floating-point number.
    F64,
    /// Count up to 2⁶⁴.
    U64,
    /// Count up to 2³².
    U32,
    /// Bits or count up to 2¹⁶.
    U16,
    /// Category or count up to 2⁸.
    U8,
    /// Yes or no.
    Bool,
    /// UTF-8.
    Text,
}

impl CellType {
    pub(super) fn arrow(self) -> DataType {
        match self {
            Self::Moment => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
            Self::F64 => DataType::Float64,
            Self::U64 => DataType::UInt64,
            Self::U32 => DataType::UInt32,
            Self::U16 => DataType::UInt16,
            Self::U8 => DataType::UInt8,
            Self::Bool => DataType::Boolean,
            Self::Text => DataType::Utf8,
        }
    }

    fn of(arrow: &DataType) -> Option<Self> {
        let all =
            [Self::Moment, Self::F64, Self::U64, Self::U32, Self::U16, Self::U8, Self::Bool, Self::Text].into_iter();
        all.into_iter().find(|t| t.arrow() == *arrow)
    }

    /// The word for messages and digests.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Moment => "moment",
            Self::F64 => "f64",
            Self::U64 => "u64",
            Self::U32 => "u32",
            Self::U16 => "u16",
            Self::U8 => "u8",
            Self::Bool => "bool",
            Self::Text => "text",
        }
    }
}

/// One column of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LakeColumn {
    /// Its name.
    pub name: String,
    /// What its cells are.
    pub cells: CellType,
    /// May cells be absent?
    pub nullable: bool,
}

impl LakeColumn {
    /// A column whose cells are all there.
    pub fn required(name: impl Into<String>, cells: CellType) -> Self {
        Self { name: name.into(), cells, nullable: false }
    }

    /// A column whose cells may be absent.
    pub fn nullable(name: impl Into<String>, cells: CellType) -> Self {
        Self { name: name.into(), cells, nullable: true }
    }
}

/// A column of a feature row, as its catalogue names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResearchName<'a> {
    /// Its id, which is the column's name.
    pub id: &'a str,
    /// Is it a category, a whole number from 0 to 255? Otherwise it is a floating-point number.
    pub category: bool,
}

/// A table: its layer, its name and its columns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LakeTable {
    layer: Layer,
    name: String,
    columns: Vec<LakeColumn>,
    /// Its markets have a folder for the length of their bars.
    by_timeframe: bool,
}

impl LakeTable {
    /// `bronze/orderbook`: a row per state of the book, after each update of the venue. `updates` level changes made it, `sequence` is
    /// its place in the order of receipt, `gap` says that nothing is known of the time between the row before and this one, or, of the first row
    /// of a run, of the time before it. Levels that do not exist are null.
    #[must_use]
    pub fn orderbook() -> Self {
        let mut columns = vec![
            LakeColumn::required("updates", CellType::U32),
            LakeColumn::required("sequence", CellType::U64),
            LakeColumn::required("gap", CellType::Bool),
        ];
        for group in ["bid_price", "bid_size", "ask_price", "ask_size"] {
            columns.extend((0..LEVELS).map(|k| LakeColumn::nullable(format!("{group}_L{k}"), CellType::F64)));
        }
        Self::made(Layer::Bronze, "orderbook", columns)
    }

    /// `bronze/trades`: a row per trade; `size` in base, `is_buy` when the buyer was the aggressor.
    #[must_use]
    pub fn trades() -> Self {
        let columns = vec![
            LakeColumn::required("sequence", CellType::U64),
            LakeColumn::required("price", CellType::F64),
            LakeColumn::required("size", CellType::F64),
            LakeColumn::required("is_buy", CellType::Bool),
            LakeColumn::required("gap", CellType::Bool),
        ];
        Self::made(Layer::Bronze, "trades", columns)
    }

    /// `silver/features`: a row per second with the columns the caller names, all of which may be absent (features §7). Bit `n` of
    /// `reason_mask` says that a column is withheld for reason `n`.
    ///
    /// # Errors
    /// When two columns have one name.
    pub fn features(names: &[ResearchName<'_>]) -> LayerResult<Self> {
        let mut columns =
            vec![LakeColumn::required("row_valid", CellType::Bool), LakeColumn::required("reason_mask", CellType::U16)];
        columns.extend(
            names.iter().map(|n| LakeColumn::nullable(n.id, if n.category { CellType::U8 } else { CellType::F64 })),
        );
        Self::made(Layer::Silver, "features", columns).distinct()
    }

    /// `gold/bars`: `ts` is where a bar begins, `known_ts` when its close was known (features §8). Volumes, `trades` and `vwap` are null where
    /// the source does not say so; `source` is `trades` or `venue_candle`. Labels and predictions as of the close are the caller's own
    /// columns behind these.
    ///
    /// # Errors
    /// When two columns have one name.
    pub fn bars(own: Vec<LakeColumn>) -> LayerResult<Self> {
        let price = |name| LakeColumn::required(name, CellType::F64);
        let mut columns = vec![price("open"), price("high"), price("low"), price("close")];
        columns.push(LakeColumn::nullable("volume", CellType::F64));
        columns.push(LakeColumn::nullable("quote_volume", CellType::F64));
        columns.push(LakeColumn::nullable("trades", CellType::U64));
        columns.push(LakeColumn::nullable("buy_volume", CellType::F64));
        columns.push(LakeColumn::nullable("vwap", CellType::F64));
        columns.push(LakeColumn::required("source", CellType::Text));
        columns.extend(own);
        Self { by_timeframe: true, ..Self::made(Layer::Gold, "bars", columns) }.distinct()
    }

    /// `gold/signals`: a named signal's number, its word, or both (R5.13).
    #[must_use]
    pub fn signals() -> Self {
        let columns = vec![
            LakeColumn::required("signal", CellType::Text),
            LakeColumn::nullable("value", CellType::F64),
            LakeColumn::nullable("word", CellType::Text),
        ];
        Self::made(Layer::Gold, "signals", columns)
    }

    /// `gold/predictions`: what a model says of a target: a probability or a return, for a class where the target has several, about
    /// the time from `ts` to `label_end` (research §1, R5.13).
    #[must_use]
    pub fn predictions() -> Self {
        let columns = vec![
            LakeColumn::required("model", CellType::Text),
            LakeColumn::required("target", CellType::Text),
            LakeColumn::required("label_end", CellType::Moment),
            LakeColumn::nullable("class", CellType::U8),
            LakeColumn::nullable("value", CellType::F64),
        ];
        Self::made(Layer::Gold, "predictions", columns)
    }

    fn made(layer: Layer, name: &str, own: Vec<LakeColumn>) -> Self {
        let mut columns =
            vec![LakeColumn::required("ts", CellType::Moment), LakeColumn::required("known_ts", CellType::Moment)];
        columns.extend(own);
        Self { layer, name: name.to_owned(), columns, by_timeframe: false }
    }

    /// A table as it was found on disk.
    pub(super) fn found(layer: Layer, name: &str, columns: &[LakeColumn]) -> Self {
        Self { layer, name: name.to_owned(), columns: columns.to_vec(), by_timeframe: false }
    }

    fn distinct(self) -> LayerResult<Self> {
        let mut names: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        names.extend(["exchange", "symbol", "timeframe", "year", "month", "day", "hour"]);
        names.sort_unstable();
        match names.windows(2).find(|w| w[0] == w[1]) {
            Some(twice) => Err(LayerError::Misuse(format!("two columns are called '{}'", twice[0]))),
            None => Ok(self),
        }
    }

    /// The layer.
    #[must_use]
    pub const fn layer(&self) -> Layer {
        self.layer
    }

    /// Name of the table's folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every column in order.
    #[must_use]
    pub fn columns(&self) -> &[LakeColumn] {
        &self.columns
    }

    /// Have its markets a folder for the length of their bars?
    #[must_use]
    pub const fn by_timeframe(&self) -> bool {
        self.by_timeframe
    }

    /// Place of a column.
    #[must_use]
    pub fn place_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}

/// The Arrow schema of columns.
pub(super) fn arrow_schema(columns: &[LakeColumn]) -> Arc<Schema> {
    let field = |c: &LakeColumn| Field::new(&c.name, c.cells.arrow(), c.nullable);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// The columns of a file; what has another type is named.
pub(super) fn columns_of(schema: &Schema) -> Result<Vec<LakeColumn>, String> {
    let column = |f: &Arc<Field>| match CellType::of(f.data_type()) {
        Some(cells) => Ok(LakeColumn { name: f.name().clone(), cells, nullable: f.is_nullable() }),
        None => Err(format!("its column '{}' has a type that the lake does not write: {}", f.name(), f.data_type())),
    };
    schema.fields().iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wide_book_has_its_columns_in_order_and_types_survive_arrow() {
        let book = LakeTable::orderbook();
        assert_eq!(book.columns().len(), 85);
        assert_eq!(book.place_of("bid_price_L0"), Some(FIRST_LEVEL));
        assert_eq!(book.place_of("ask_size_L19"), Some(84));
        for table in [book, LakeTable::trades(), LakeTable::signals(), LakeTable::predictions()] {
            assert_eq!(columns_of(&arrow_schema(table.columns())).unwrap(), table.columns());
        }
    }

    #[test]
    fn names_that_stand_twice_or_are_folders_are_refused() {
        let name = |id| ResearchName { id, category: false };
        assert!(LakeTable::features(&[name("a"), name("b")]).is_ok());
        for bad in ["a", "ts", "row_valid", "hour", "symbol"] {
            assert!(LakeTable::features(&[name("a"), name(bad)]).is_err(), "{bad}");
        }
        assert!(LakeTable::bars(vec![LakeColumn::nullable("close", CellType::F64)]).is_err());
    }
}
