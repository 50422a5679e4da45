//! The history of a market: from the columns that are kept, or from stored rows, which are then kept as columns.

use super::books::features_of;
use super::kept::{self, Wanted};
use barograph_api::QueryError;
use barograph_domain::{Span, Ts};
use barograph_engine::Feature;
use barograph_engine::rules::RuleBook;
use barograph_engine::whatif::{Builder, StoredHistory};
use barograph_store::{Range, Reader, RowQuery, RunInfo};
use std::path::Path;

/// Rows of one file; all of them begin at multiples of it since 1970.
const WEEK: Span = Span::days(7);
/// Rows read at once.
const PAGE: usize = 1_440;

/// Where to read a market's rows.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) reader: &'a dyn Reader,
    /// Folder of kept columns; `None`: nothing is kept.
    pub(super) kept: Option<&'a Path>,
    pub(super) run: &'a RunInfo,
    /// The book that made the rows.
    pub(super) book: &'a RuleBook,
}

impl Source<'_> {
    /// The rows from the week of `from` on, before `to`, with what is wanted. `done` is called after each week.
    pub(super) fn history(
        &self,
        from: Ts,
        to: Ts,
        wanted: &Wanted,
        done: &dyn Fn(),
    ) -> Result<StoredHistory, QueryError> {
        let mut out = StoredHistory::default();
        let mut start = from.floor(WEEK);
        while start < to {
            let range = Range { start, end: (start + WEEK).min(to) };
            let mut week = self.week(range, wanted)?;
            // Without what was read for the columns to be kept, and not for this question.
            week.columns.retain(|feature, _| wanted.numbers.contains(feature) || wanted.ages.contains(feature));
            for (_, column) in week.columns.iter_mut().filter(|(feature, _)| !wanted.numbers.contains(feature)) {
                column.values = Vec::new();
            }
            if !week.ts.is_empty() {
                out.append(&week);
            }
            start = start + WEEK;
            done();
        }
        Ok(out)
    }

    fn week(&self, range: Range, wanted: &Wanted) -> Result<StoredHistory, QueryError> {
        let key = &self.run.spec.key;
        let Some(kept) = self.kept else { return self.made(range, wanted) };
        let mark = self.reader.mark(key, range).map_err(crate::service::internal)?;
        let mark = format!("{}\n{key:?}\n{}\n{mark}", env!("CARGO_PKG_VERSION"), self.run.spec.book_text.len());
        let days = range.start.0.div_euclid(Span::days(1).0);
        let path = kept::folder(kept, key).join(format!("{days}.cols"));
        if let Some(found) = kept::load(&path, &mark, range.end, wanted) {
            return Ok(found);
        }
        let made = self.made(range, wanted)?;
        // A folder that cannot be written to costs time, not the answer.
        drop(kept::save(&path, &mark, range.end, &made));
        Ok(made)
    }

    /// From stored rows: everything the book's rules read, and what else is wanted.
    fn made(&self, range: Range, wanted: &Wanted) -> Result<StoredHistory, QueryError> {
        let mut features = features_of(self.book);
        features.extend(wanted.numbers.iter().chain(&wanted.ages));
        let features: Vec<Feature> = features.into_iter().collect();
        let ids: Vec<&str> = features.iter().map(|f| f.id()).collect();
        let mut builder = Builder::new(features.clone());
        let mut start = range.start;
        loop {
            let query =
                RowQuery { range: Range { start, end: range.end }, every: None, after: None, limit: PAGE, as_of: None };
            let found = self.reader.glances(&self.run.spec.key, &query, &ids).map_err(crate::service::internal)?;
            if !found.rows.is_empty() && found.columns.features.len() != features.len() {
                let has = |id: &&&str| found.columns.features.iter().any(|c| c.id == **id);
                let lacks = ids.iter().find(|id| !has(id)).unwrap_or(&"");
                return Err(QueryError::BadField {
                    field: "book".to_owned(),
                    value: (*lacks).to_owned(),
                    reason: format!(
                        "the stored rows of {} were made by release {}, which did not read it; replay the recordings with \
                         this release",
                        self.run.spec.key.instrument, self.run.spec.release
                    ),
                });
            }
            for row in &found.rows {
                builder.push(row, &found.streams);
            }
            match found.next {
                Some(next) => start = next,
                None => break,
            }
        }
        let mut history = builder.finish();
        history.note(self.book);
        Ok(history)
    }
}

/// Files that a stretch needs, of one market.
pub(super) fn weeks(from: Ts, to: Ts) -> u64 {
    u64::try_from((to - from.floor(WEEK)).0.div_euclid(WEEK.0) + 1).unwrap_or(0)
}
