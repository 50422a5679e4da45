//! Decisions on paper and what came of them.

use super::QueryError;
use barograph_domain::Ts;
use barograph_domain::paper::PaperView;

/// The log of `paper`, week by week.
pub trait AskPaper {
    /// An ISO week as in `2026-W08`, else the newest; of what was written by `as_of`. Empty where nothing was logged yet.
    ///
    /// # Errors
    /// [`QueryError::BadField`] for what is no week, or the log's failure.
    fn paper(&self, week: Option<&str>, as_of: Option<Ts>) -> Result<PaperView, QueryError>;
}
