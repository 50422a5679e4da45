//! Studies of the lab.

use super::QueryError;
use crate::studies::{LabStudies, LabStudyView};

/// What `barograph lab train` has left, read from its folder.
pub trait AskStudies {
    /// All studies. Empty where there are none.
    ///
    /// # Errors
    /// The folder's failure.
    fn studies(&self) -> Result<LabStudies, QueryError>;

    /// One of them, by its place in the list.
    ///
    /// # Errors
    /// [`QueryError::BadField`] where there is no such study or its board cannot be read, or the folder's failure.
    fn study(&self, study: &str) -> Result<LabStudyView, QueryError>;
}
