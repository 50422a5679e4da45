//! Rows as the program has them, one at a time, without an allocation.

use super::place::LakeMarket;
use super::schema::{CellType, LEVELS, LakeTable, ResearchName};
use super::settings::LakeConfig;
use super::stage::LevelRow;
use super::writer::{OpenedPartition, PartitionWriter, RowHead};
use super::{LayerError, LayerResult};
use barograph_domain::{GapReason, Ts};

/// A state of a book, but for its levels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookHead {
    /// When it was so, by the venue's clock.
    pub ts: Ts,
    /// When it was received.
    pub known_ts: Ts,
    /// Level changes of the update that made it.
    pub updates: u32,
    /// Its place in the order of receipt; strictly rising, with steps of any size, so that books and trades can share one count.
    pub sequence: u64,
    /// Why nothing is known since the row before; `None` when the row follows it.
    pub gap: Option<GapReason>,
}

/// Writes `bronze/orderbook`.
#[derive(Debug)]
pub struct BookWriter {
    partition: PartitionWriter,
    levels: LevelRow,
}

impl BookWriter {
    /// Takes the partition of a market.
    ///
    /// # Errors
    /// As [`PartitionWriter::open`].
    pub fn open(config: LakeConfig, market: LakeMarket) -> LayerResult<(Self, OpenedPartition)> {
        let (partition, opened) = PartitionWriter::open(config, LakeTable::orderbook(), market)?;
        Ok((Self { partition, levels: ([[0.0; LEVELS]; 4], [0; 4]) }, opened))
    }

    /// Adds a state: (price in quote, size in base) per level, best first; levels behind the twentieth are left out.
    ///
    /// # Errors
    /// When a number is not finite, the row is out of order or of a closed hour, or the disk refuses.
    pub fn push(
        &mut self,
        head: &BookHead,
        bids: impl IntoIterator<Item = (f64, f64)>,
        asks: impl IntoIterator<Item = (f64, f64)>,
    ) -> LayerResult<()> {
        let [bid_price, bid_size, ask_price, ask_size] = &mut self.levels.0;
        let bids = take(bids, bid_price, bid_size)?;
        let asks = take(asks, ask_price, ask_size)?;
        self.levels.1 = [bids, bids, asks, asks];
        let row = RowHead {
            ts: head.ts,
            known_ts: head.known_ts,
            sequence: head.sequence,
            gap: head.gap.map(GapReason::word),
        };
        let buffer = self.partition.begin_row(&row)?;
        buffer.columns[2].push_i32(head.updates.cast_signed());
        buffer.columns[3].push_i64(head.sequence.cast_signed());
        buffer.columns[4].push_bool(head.gap.is_some());
        buffer.push_levels(&self.levels);
        self.partition.end_row();
        Ok(())
    }

    /// The writer underneath: to flush, to close, to ask.
    pub const fn partition(&mut self) -> &mut PartitionWriter {
        &mut self.partition
    }

    /// The writer underneath, to close or finish.
    #[must_use]
    pub fn into_partition(self) -> PartitionWriter {
        self.partition
    }
}

fn take(
    levels: impl IntoIterator<Item = (f64, f64)>,
    prices: &mut [f64; LEVELS],
    sizes: &mut [f64; LEVELS],
) -> LayerResult<usize> {
    let mut count = 0;
    for ((price, size), (price_out, size_out)) in levels.into_iter().zip(prices.iter_mut().zip(sizes)) {
        if !(price.is_finite() && size.is_finite()) {
            return Err(LayerError::Misuse(format!("level {count} of a book is no number")));
        }
        (*price_out, *size_out) = (price, size);
        count += 1;
    }
    Ok(count)
}

/// A trade.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct WideTrade {
    /// When it was made, by the venue's clock.
    pub ts: Ts,
    /// When it was received.
    pub known_ts: Ts,
    /// Its place in the order of receipt; see [`BookHead::sequence`].
    pub sequence: u64,
    /// In quote.
    pub price: f64,
    /// In base.
    pub size: f64,
    /// Was the buyer the aggressor?
    pub is_buy: bool,
    /// Why nothing is known since the row before; `None` when the row follows it.
    pub gap: Option<GapReason>,
}

/// Writes `bronze/trades`.
#[derive(Debug)]
pub struct TradeWriter {
    partition: PartitionWriter,
}

impl TradeWriter {
    /// Takes the partition of a market.
    ///
    /// # Errors
    /// As [`PartitionWriter::open`].
    pub fn open(config: LakeConfig, market: LakeMarket) -> LayerResult<(Self, OpenedPartition)> {
        let (partition, opened) = PartitionWriter::open(config, LakeTable::trades(), market)?;
        Ok((Self::on(partition), opened))
    }

    pub(super) const fn on(partition: PartitionWriter) -> Self {
        Self { partition }
    }

    /// Adds a trade.
    ///
    /// # Errors
    /// As [`BookWriter::push`].
    pub fn push(&mut self, trade: &WideTrade) -> LayerResult<()> {
        if !(trade.price.is_finite() && trade.size.is_finite()) {
            return Err(LayerError::Misuse("price or size of a trade is no number".to_owned()));
        }
        let gap = trade.gap.map(GapReason::word);
        let row = RowHead { ts: trade.ts, known_ts: trade.known_ts, sequence: trade.sequence, gap };
        let buffer = self.partition.begin_row(&row)?;
        buffer.columns[2].push_i64(trade.sequence.cast_signed());
        buffer.columns[3].push_f64(trade.price);
        buffer.columns[4].push_f64(trade.size);
        buffer.columns[5].push_bool(trade.is_buy);
        buffer.columns[6].push_bool(trade.gap.is_some());
        self.partition.end_row();
        Ok(())
    }

    /// The writer underneath: to flush, to close, to ask.
    pub const fn partition(&mut self) -> &mut PartitionWriter {
        &mut self.partition
    }

    /// The writer underneath, to close or finish.
    #[must_use]
    pub fn into_partition(self) -> PartitionWriter {
        self.partition
    }
}

/// What a feature row has besides its columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeatureHead {
    /// The second it is about.
    pub ts: Ts,
    /// When it was known.
    pub known_ts: Ts,
    /// May it be used: is its book there, whole and fresh?
    pub row_valid: bool,
    /// Bit `n`: a column is withheld for reason `n`.
    pub reason_mask: u16,
    /// Why there are no rows since the one before; `None` when this one follows it. It goes to the manifest.
    pub gap: Option<GapReason>,
}

/// Writes `silver/features`.
#[derive(Debug)]
pub struct FeatureWriter {
    partition: PartitionWriter,
    /// Is a column a category?
    categories: Vec<bool>,
}

/// Columns of a feature row before the caller's.
const BEFORE_FEATURES: usize = 4;

impl FeatureWriter {
    /// Takes the partition of a market; `names` are the columns of every row.
    ///
    /// # Errors
    /// As [`PartitionWriter::open`], and when two columns have one name.
    pub fn open(
        config: LakeConfig,
        market: LakeMarket,
        names: &[ResearchName<'_>],
    ) -> LayerResult<(Self, OpenedPartition)> {
        let table = LakeTable::features(names)?;
        let own = &table.columns()[BEFORE_FEATURES..];
        let categories = own.iter().map(|c| c.cells == CellType::U8).collect();
        let (partition, opened) = PartitionWriter::open(config, table, market)?;
        Ok((Self { partition, categories }, opened))
    }

    /// Adds a row: a value per column in the order of the names. A category is a whole number from 0 to 255.
    ///
    /// # Errors
    /// When there are more or fewer values than columns, one is no number or no category, the row is out of order or of a closed hour,
    /// or the disk refuses.
    pub fn push(
        &mut self,
        head: &FeatureHead,
        values: impl IntoIterator<Item = Option<f64>, IntoIter: Clone + ExactSizeIterator>,
    ) -> LayerResult<()> {
        let values = values.into_iter();
        if values.len() != self.categories.len() {
            let what = format!("a row of {} values where there are {} columns", values.len(), self.categories.len());
            return Err(LayerError::Misuse(what));
        }
        for (at, (value, category)) in values.clone().zip(&self.categories).enumerate() {
            if value.is_some_and(|v| if *category { category_of(v).is_none() } else { !v.is_finite() }) {
                let name = &self.partition.table().columns()[BEFORE_FEATURES + at].name;
                return Err(LayerError::Misuse(format!("column '{name}' cannot hold {value:?}")));
            }
        }
        let gap = head.gap.map(GapReason::word);
        let row = RowHead { ts: head.ts, known_ts: head.known_ts, sequence: 0, gap };
        let buffer = self.partition.begin_row(&row)?;
        let number = buffer.rows;
        buffer.columns[2].push_bool(head.row_valid);
        buffer.columns[3].push_i32(head.reason_mask.into());
        let columns = buffer.columns[BEFORE_FEATURES..].iter_mut();
        for ((value, category), column) in values.zip(&self.categories).zip(columns) {
            match (value, category) {
                (None, _) => column.push_null(number),
                (Some(value), false) => column.push_f64(value),
                (Some(value), true) => column.push_i32(category_of(value).map_or(0, i32::from)),
            }
        }
        self.partition.end_row();
        Ok(())
    }

    /// The writer underneath: to flush, to close, to ask.
    pub const fn partition(&mut self) -> &mut PartitionWriter {
        &mut self.partition
    }

    /// The writer underneath, to close or finish.
    #[must_use]
    pub fn into_partition(self) -> PartitionWriter {
        self.partition
    }
}

fn category_of(value: f64) -> Option<u8> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be the number it was")]
    let category = value as u8;
    (f64::from(category).to_bits() == value.to_bits()).then_some(category)
}
