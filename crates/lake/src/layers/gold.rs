//! Rows of the gold tables as the program has them: predictions, signals and bars.
//!
//! Their order is that of `ts`, which never falls within an hour; rows of one `ts` stand in the order in which they were given.

use super::place::LakeMarket;
use super::schema::LakeTable;
use super::settings::LakeConfig;
use super::writer::{OpenedPartition, PartitionWriter, RowHead};
use super::{LayerError, LayerResult};
use barograph_domain::Ts;

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
        match prediction.value {
            Some(value) => buffer.columns[6].push_f64(value),
            None => buffer.columns[6].push_null(row),
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
    use barograph_domain::Span;

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
