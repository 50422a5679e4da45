//! Rows of the data set out of the lake.

use crate::ResearchError;
use crate::typed::dataset_command;
use barograph_columns::catalogue;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::layers::{LakeBatch, LakeQuery, LakeReader, Layer, hours};
use barograph_study::{FrameColumn, ResearchFrame};
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// One market's rows, and what they are known by.
#[derive(Clone, Debug)]
pub struct LoadedRows {
    /// The rows.
    pub frame: ResearchFrame,
    /// Digest of the content of all their hours, in order; 64 hexadecimal digits. Hours that are still open are in it as they are.
    pub digest: String,
}

/// All rows of a market in a lake.
///
/// # Errors
/// There are none, or the lake cannot be read.
pub fn load(lake: &Path, market: &InstrumentName) -> Result<LoadedRows, ResearchError> {
    load_hours(lake, market, (None, None), None)
}

/// Rows from one moment until another, which is not among them; the digest is that of the hours they are of. All of them where neither is
/// given, and none is no error where one is.
pub(crate) fn load_between(
    lake: &Path,
    market: &InstrumentName,
    (from, until): (Option<Ts>, Option<Ts>),
) -> Result<LoadedRows, ResearchError> {
    let LoadedRows { frame, digest } = load_hours(lake, market, (from, until), None)?;
    if from.is_none() && until.is_none() {
        return Ok(LoadedRows { frame, digest });
    }
    Ok(LoadedRows { frame: frame.between(from.unwrap_or(Ts::MIN), until.unwrap_or(Ts::MAX)), digest })
}

/// Rows of the hours that end after a moment; all with `None`.
pub(crate) fn load_from(lake: &Path, market: &InstrumentName, from: Option<Ts>) -> Result<LoadedRows, ResearchError> {
    load_hours(lake, market, (from, None), None)
}

/// The same, of which only rows at multiples of a step are kept: weeks of seconds would not fit into memory.
pub(crate) fn load_every(
    lake: &Path,
    market: &InstrumentName,
    from: Option<Ts>,
    step: Span,
) -> Result<LoadedRows, ResearchError> {
    load_hours(lake, market, (from, None), Some(step))
}

fn load_hours(
    lake: &Path,
    market: &InstrumentName,
    (from, until): (Option<Ts>, Option<Ts>),
    step: Option<Span>,
) -> Result<LoadedRows, ResearchError> {
    let query = LakeQuery {
        layer: Some(Layer::Silver),
        table: Some("features".to_owned()),
        exchange: Some(market.venue.as_str().to_owned()),
        symbol: Some(market.symbol.clone()),
        from,
        until,
        ..LakeQuery::default()
    };
    let hours = hours(lake, &query)?;
    if hours.is_empty() && from.is_none() && until.is_none() {
        return Err(ResearchError::Refused(format!(
            "{} holds no feature rows of {market}; they are made by: {}",
            lake.display(),
            dataset_command(lake, market)
        )));
    }
    let mut digest = Sha256::new();
    for hour in &hours {
        digest.update(hour.content_digest()?.as_bytes());
    }
    let digest = digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let mut rows = Rows { step, ..Rows::default() };
    for batch in LakeReader::new(hours, None) {
        rows.add(&batch?)?;
    }
    let names = catalogue().iter().map(|c| c.id.to_owned());
    let frame = ResearchFrame::new(rows.times, rows.valid, names.zip(rows.columns).collect())
        .map_err(|e| ResearchError::Failed(e.to_string()))?;
    Ok(LoadedRows { frame, digest })
}

struct Rows {
    /// Only rows at its multiples are kept.
    step: Option<Span>,
    times: Vec<Ts>,
    valid: Vec<bool>,
    columns: Vec<FrameColumn>,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            step: None,
            times: Vec::new(),
            valid: Vec::new(),
            columns: vec![FrameColumn::default(); catalogue().len()],
        }
    }
}

impl Rows {
    fn add(&mut self, batch: &LakeBatch) -> Result<(), ResearchError> {
        let missing = |name: &str| ResearchError::Failed(format!("feature rows have no column '{name}'"));
        let times: Vec<Ts> = batch.moments("ts").ok_or_else(|| missing("ts"))?.iter().map(|t| Ts(*t)).collect();
        let is_kept = |row: &usize| self.step.is_none_or(|step| times[*row].floor(step) == times[*row]);
        let kept: Vec<usize> = (0..batch.rows()).filter(is_kept).collect();
        for row in &kept {
            self.times.push(times[*row]);
            self.valid.push(batch.flag("row_valid", *row).ok_or_else(|| missing("row_valid"))?);
        }
        for (spec, column) in catalogue().iter().zip(&mut self.columns) {
            match batch.numbers(spec.id) {
                Some(numbers) => kept.iter().for_each(|row| column.push(numbers.get(*row))),
                // Categories are small whole numbers.
                None => kept.iter().for_each(|row| {
                    let code = batch.count(spec.id, *row).and_then(|c| u32::try_from(c).ok());
                    column.push(code.map(f64::from));
                }),
            }
        }
        Ok(())
    }
}
