//! Cases: filed from alerts, written into, exported, replayed.

use super::QueryError;
use crate::cases::{CaseFilter, CaseFormat, CaseList, CaseReplay, CaseView, NewCase, NewCaseEntry};
use barograph_domain::Ts;
use barograph_domain::case::StepBounds;

/// Cases, their entries, and the evidence behind them.
pub trait AskCases {
    /// Cases, the one filed last first.
    ///
    /// # Errors
    /// [`QueryError::Unavailable`] or [`QueryError::Internal`]; so for every method here.
    fn cases(&self, filter: &CaseFilter) -> Result<CaseList, QueryError>;

    /// One case.
    ///
    /// # Errors
    /// [`QueryError::Unknown`], and as [`Self::cases`].
    fn case(&self, id: &str, as_of: Option<Ts>) -> Result<CaseView, QueryError>;

    /// Files a case with all that is known of its alerts; whether it is new, or was there.
    ///
    /// # Errors
    /// [`QueryError::BadField`], [`QueryError::Unknown`] of an alert, and as [`Self::cases`].
    fn file_case(&self, new: &NewCase) -> Result<(CaseView, bool), QueryError>;

    /// Writes an entry; one that says what the newest says already changes nothing.
    ///
    /// # Errors
    /// [`QueryError::BadField`], [`QueryError::Conflict`], [`QueryError::Unknown`], and as [`Self::cases`].
    fn write_case(&self, id: &str, entry: &NewCaseEntry) -> Result<CaseView, QueryError>;

    /// A case as a document.
    ///
    /// # Errors
    /// As [`Self::case`].
    fn export_case(&self, id: &str, format: CaseFormat) -> Result<Vec<u8>, QueryError>;

    /// Books and trades around its alerts: those that were kept with it, or, where more are wanted, what is still recorded.
    ///
    /// # Errors
    /// As [`Self::case`].
    fn replay_case(&self, id: &str, bounds: StepBounds) -> Result<CaseReplay, QueryError>;
}
