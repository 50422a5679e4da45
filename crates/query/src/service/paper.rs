//! The log of decisions on paper, read anew for each question: another process writes it.

use super::Service;
use crate::paper;
use barograph_api::{AskPaper, QueryError};
use barograph_domain::Ts;
use barograph_domain::paper::PaperView;

impl AskPaper for Service {
    fn paper(&self, week: Option<&str>, as_of: Option<Ts>) -> Result<PaperView, QueryError> {
        let bad = |week: &str| QueryError::BadField {
            field: "week".to_owned(),
            value: week.to_owned(),
            reason: format!("'{week}' is no ISO week; write one as 2026-W08"),
        };
        let week = week.map(|text| paper::week_start(text).ok_or_else(|| bad(text))).transpose()?;
        let Some(folder) = self.folder.get() else { return Ok(paper::view(&[], week)) };
        let mut records =
            paper::read(&paper::path(folder)).map_err(|e| QueryError::Internal { source: Box::new(e) })?;
        records.retain(|r| as_of.is_none_or(|t| r.written_at() <= t));
        Ok(paper::view(&records, week))
    }
}
