//! Rows of the gold tables as the program has them: predictions, signals and bars.
//!
//! Their order is that of `ts`, which never falls within an hour; rows of one `ts` stand in the order in which they were given.

use super::buffer::ColumnBuffer;
use super::place::LakeMarket;
use super::schema::{CellType, LakeColumn, LakeTable};
use super::settings::LakeConfig;
use super::writer::{OpenedPartition, PartitionWriter, RowHead};
use super::{LayerError, LayerResult};
use barograph_domain::{Span, Ts};

/// What a model expects of a target (research §1).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GoldPrediction<'a> {
    /// The moment that the row of inputs is about.
    pub ts: Ts,
    /// When it could first be used.
    pub known_ts: Ts,
    /// Name of the model.
    pub model: &'a str,
    /// Id of the target, such as `dir_5s`.
    pub target: &'a str,
    /// The end of what is predicted, which begins at `ts`.
    pub label_end: Ts,
    /// The class whose probability `value` is; `None` where the target has one number only.
    pub class: Option<u8>,
    /// A probability from 0 to 1, or a return in the target's unit; `None` where the model had no answer.
    pub value: Option<f64>,
}

/// Writes `gold/predictions`: all models and targets of a market, by the moment they are about (R5.13).
#[derive(Debug)]
pub struct PredictionWriter {
    partition: PartitionWriter,
}

impl PredictionWriter {
    /// Takes the partition of a market. One writer holds it at a time.
    ///
    /// # Errors
    /// As [`PartitionWriter::open`].
    pub fn open(config: LakeConfig, market: LakeMarket) -> LayerResult<(Self, OpenedPartition)> {
        let (partition, opened) = PartitionWriter::open(config, LakeTable::predictions(), market)?;
        Ok((Self { partition }, opened))
    }

    /// Adds a prediction; its `ts` is not before that of the last one.
    ///
    /// # Errors
    /// When the value is not finite, a name is empty, the row is out of order or of a closed hour, or the disk refuses.
    pub fn push(&mut self, prediction: &GoldPrediction<'_>) -> LayerResult<()> {
        named("a model", prediction.model)?;
        named("a target", prediction.target)?;
        finite("a prediction", prediction.value)?;
        let head = RowHead { ts: prediction.ts, known_ts: prediction.known_ts, sequence: 0, gap: None };
        let buffer = self.partition.begin_row(&head)?;
        let row = buffer.rows;
        buffer.columns[2].push_text(prediction.model);
        buffer.columns[3].push_text(prediction.target);
        buffer.columns[4].push_i64(prediction.label_end.0);
        match prediction.class {
            Some(class) => buffer.columns[5].push_i32(class.into()),
            None => buffer.columns[5].push_null(row),
        }
        number(&mut buffer.columns[6], prediction.value, row);
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

/// A named signal at a moment: a number, a word, or both (R5.13).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GoldSignal<'a> {
    /// The moment that it is about.
    pub ts: Ts,
    /// When it could first be used.
    pub known_ts: Ts,
    /// Its name: `risk_label` and the like for the axes, or the id of a reading.
    pub signal: &'a str,
    /// A reading's number; `None` for labels, and where it is withheld.
    pub value: Option<f64>,
    /// A label, or the reason why a reading is withheld.
    pub word: Option<&'a str>,
}

/// Writes `gold/signals`.
#[derive(Debug)]
pub struct SignalWriter {
    partition: PartitionWriter,
}

impl SignalWriter {
    /// Takes the partition of a market.
    ///
    /// # Errors
    /// As [`PartitionWriter::open`].
    pub fn open(config: LakeConfig, market: LakeMarket) -> LayerResult<(Self, OpenedPartition)> {
        let (partition, opened) = PartitionWriter::open(config, LakeTable::signals(), market)?;
        Ok((Self { partition }, opened))
    }

    /// Adds a signal; its `ts` is not before that of the last one.
    ///
    /// # Errors
    /// As [`PredictionWriter::push`].
    pub fn push(&mut self, signal: &GoldSignal<'_>) -> LayerResult<()> {
        named("a signal", signal.signal)?;
        finite("a signal", signal.value)?;
        let head = RowHead { ts: signal.ts, known_ts: signal.known_ts, sequence: 0, gap: None };
        let buffer = self.partition.begin_row(&head)?;
        let row = buffer.rows;
        buffer.columns[2].push_text(signal.signal);
        number(&mut buffer.columns[3], signal.value, row);
        text(&mut buffer.columns[4], signal.word, row);
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

/// Labels of the four axes as of a bar's close.
pub const BAR_LABELS: [&str; 4] = ["risk", "trend", "volatility", "heat"];

/// A bar (features §8). What its source does not say is `None`.
#[derive(Clone, PartialEq, Debug)]
pub struct GoldBar {
    /// Where it begins.
    pub ts: Ts,
    /// When its close was known.
    pub known_ts: Ts,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// In base.
    pub volume: Option<f64>,
    /// In quote.
    pub quote_volume: Option<f64>,
    /// Number of trades.
    pub trades: Option<u64>,
    /// What buyers took, in base.
    pub buy_volume: Option<f64>,
    /// `quote_volume / volume`.
    pub vwap: Option<f64>,
    /// `trades` or `venue_candle`.
    pub source: &'static str,
    /// A part of its time is not known; `None` where the source does not say.
    pub gap: Option<bool>,
    /// Labels as of its close, in the order of [`BAR_LABELS`].
    pub labels: [Option<&'static str>; 4],
}

/// Writes `gold/bars` of one length.
#[derive(Debug)]
pub struct BarWriter {
    partition: PartitionWriter,
}

impl BarWriter {
    /// Takes the partition of a market's bars of a length.
    ///
    /// # Errors
    /// As [`PartitionWriter::open`].
    pub fn open(config: LakeConfig, market: LakeMarket, every: Span) -> LayerResult<(Self, OpenedPartition)> {
        let labels = BAR_LABELS.map(|name| LakeColumn::nullable(name, CellType::Text));
        let own = [LakeColumn::nullable("gap", CellType::Bool)].into_iter().chain(labels);
        let (table, market) = (LakeTable::bars(own.collect())?, market.with_timeframe(every.compact()));
        let (partition, opened) = PartitionWriter::open(config, table, market)?;
        Ok((Self { partition }, opened))
    }

    /// Adds a bar, which does not begin before the last one.
    ///
    /// # Errors
    /// When a number is not finite, the row is out of order or of a closed hour, or the disk refuses.
    pub fn push(&mut self, bar: &GoldBar) -> LayerResult<()> {
        let prices = [bar.open, bar.high, bar.low, bar.close];
        for value in prices.map(Some).into_iter().chain([bar.volume, bar.quote_volume, bar.buy_volume, bar.vwap]) {
            finite("a bar's number", value)?;
        }
        let head = RowHead { ts: bar.ts, known_ts: bar.known_ts, sequence: 0, gap: None };
        let buffer = self.partition.begin_row(&head)?;
        let row = buffer.rows;
        let [_, _, open, high, low, close, volume, quote_volume, trades, buy_volume, vwap, source, gap, labels @ ..] =
            &mut buffer.columns[..]
        else {
            return Err(LayerError::Misuse("the table of bars has other columns".to_owned()));
        };
        for (column, price) in [open, high, low, close].into_iter().zip(prices) {
            column.push_f64(price);
        }
        number(volume, bar.volume, row);
        number(quote_volume, bar.quote_volume, row);
        match bar.trades {
            Some(count) => trades.push_i64(count.cast_signed()),
            None => trades.push_null(row),
        }
        number(buy_volume, bar.buy_volume, row);
        number(vwap, bar.vwap, row);
        source.push_text(bar.source);
        match bar.gap {
            Some(there) => gap.push_bool(there),
            None => gap.push_null(row),
        }
        labels.iter_mut().zip(bar.labels).for_each(|(column, label)| text(column, label, row));
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

fn number(column: &mut ColumnBuffer, value: Option<f64>, row: usize) {
    match value {
        Some(value) => column.push_f64(value),
        None => column.push_null(row),
    }
}

fn text(column: &mut ColumnBuffer, value: Option<&str>, row: usize) {
    match value {
        Some(value) => column.push_text(value),
        None => column.push_null(row),
    }
}

fn named(what: &str, name: &str) -> LayerResult<()> {
    if name.is_empty() { Err(LayerError::Misuse(format!("{what} without a name"))) } else { Ok(()) }
}

fn finite(what: &str, value: Option<f64>) -> LayerResult<()> {
    match value.filter(|v| !v.is_finite()) {
        Some(value) => Err(LayerError::Misuse(format!("{what} cannot be {value}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{LakeQuery, LakeReader, check, hours};

    #[test]
    fn bars_and_signals_have_their_columns() {
        let root = tempfile::tempdir().unwrap();
        let market = LakeMarket::new("okx", "BTC-USDT-SWAP");
        let config = LakeConfig::import(root.path());
        let ts = Ts::from_civil(2026, 5, 1, 10, 0, 0);
        let bar = GoldBar {
            ts,
            known_ts: ts + Span::mins(5),
            open: 1.0,
            high: 4.0,
            low: 0.5,
            close: 2.0,
            volume: Some(8.0),
            quote_volume: Some(16.0),
            trades: Some(3),
            buy_volume: Some(6.0),
            vwap: Some(2.0),
            source: "trades",
            gap: Some(true),
            labels: [Some("NORMAL"), None, Some("LOW"), None],
        };
        let bare = GoldBar {
            ts: ts + Span::mins(5),
            volume: None,
            quote_volume: None,
            trades: None,
            buy_volume: None,
            vwap: None,
            source: "venue_candle",
            gap: None,
            labels: [None; 4],
            ..bar.clone()
        };
        let (mut bars, _) = BarWriter::open(config.clone(), market.clone(), Span::mins(5)).unwrap();
        bars.push(&bar).unwrap();
        bars.push(&bare).unwrap();
        assert!(bars.push(&GoldBar { open: f64::INFINITY, ..bar }).is_err());
        bars.into_partition().close().unwrap();
        let (mut signals, _) = SignalWriter::open(config, market).unwrap();
        let signal = GoldSignal { ts, known_ts: ts, signal: "atr", value: None, word: Some("warming") };
        signals.push(&signal).unwrap();
        signals.push(&GoldSignal { value: Some(3.0), word: None, ..signal }).unwrap();
        signals.into_partition().close().unwrap();
        let found = hours(root.path(), &LakeQuery::default()).unwrap();
        assert_eq!(found[0].market.timeframe.as_deref(), Some("5m"));
        let batches: Vec<_> = LakeReader::new(found, None).map(Result::unwrap).collect();
        let number = |name: &str| batches[0].numbers(name).unwrap().iter().collect::<Vec<_>>();
        assert_eq!((number("high"), number("vwap")), (vec![Some(4.0); 2], vec![Some(2.0), None]));
        assert_eq!((batches[0].count("trades", 0), batches[0].flag("gap", 0)), (Some(3), Some(true)));
        assert_eq!((batches[0].text("volatility", 0), batches[0].text("volatility", 1)), (Some("LOW"), None));
        assert_eq!(
            (batches[1].text("word", 0), batches[1].numbers("value").unwrap().get(1)),
            (Some("warming"), Some(3.0))
        );
        assert_eq!(check(root.path()).unwrap(), []);
    }

    #[test]
    fn predictions_come_back_as_they_were_given() {
        let root = tempfile::tempdir().unwrap();
        let market = LakeMarket::new("okx", "BTC-USDT-SWAP");
        let (mut writer, _) = PredictionWriter::open(LakeConfig::import(root.path()), market).unwrap();
        let ts = Ts::from_civil(2026, 5, 1, 10, 59, 59);
        let row = GoldPrediction {
            ts,
            known_ts: ts + Span::millis(200),
            model: "gbm",
            target: "dir_5s",
            label_end: ts + Span::secs(5),
            class: Some(1),
            value: Some(0.625),
        };
        writer.push(&row).unwrap();
        writer.push(&GoldPrediction { class: None, value: None, model: "har", ..row }).unwrap();
        assert!(writer.push(&GoldPrediction { value: Some(f64::NAN), ..row }).is_err());
        assert!(writer.push(&GoldPrediction { model: "", ..row }).is_err());
        assert!(writer.push(&GoldPrediction { ts: ts - Span(1), ..row }).is_err(), "time does not go back");
        writer.push(&GoldPrediction { ts: ts + Span::secs(1), ..row }).unwrap();
        writer.into_partition().finish().unwrap();
        let found = hours(root.path(), &LakeQuery::default()).unwrap();
        assert_eq!(found.len(), 2);
        let batches: Vec<_> = LakeReader::new(found, None).map(Result::unwrap).collect();
        let cells = |batch: usize, row: usize| {
            let batch = &batches[batch];
            let value = batch.numbers("value").unwrap().get(row);
            (batch.text("model", row).unwrap().to_owned(), batch.count("class", row), value)
        };
        assert_eq!(cells(0, 0), ("gbm".to_owned(), Some(1), Some(0.625)));
        assert_eq!(cells(0, 1), ("har".to_owned(), None, None));
        assert_eq!(batches[1].moments("label_end").unwrap(), [(ts + Span::secs(5)).0]);
        assert_eq!(check(root.path()).unwrap(), []);
    }
}
