//! What a changed rule book would have said of what is stored.

use super::QueryError;
use barograph_domain::whatif::{BookThresholds, KeptBook, NewBook, WhatIfRequest, WhatIfView};

/// Replays of rule books over stored readings, which change nothing; and a changed book kept as a file.
pub trait AskWhatIf {
    /// The thresholds of a book that comes with the program, or of the configured one.
    ///
    /// # Errors
    /// [`QueryError::BadField`] for another name.
    fn thresholds(&self, base: Option<&str>) -> Result<BookThresholds, QueryError>;

    /// A changed book beside the base. It takes every core and much memory, so this crate asks for one at a time.
    ///
    /// # Errors
    /// [`QueryError::BadField`] for what cannot be meant, or not be shown by stored readings; [`QueryError::TooMuch`] for more than a
    /// process may hold; [`QueryError::UnknownSymbol`],
    /// [`QueryError::Ambiguous`], [`QueryError::OtherBook`], or the store's failure.
    fn what_if(&self, request: &WhatIfRequest) -> Result<WhatIfView, QueryError>;

    /// Writes a changed book into the data folder. The book in use stays the one in use.
    ///
    /// # Errors
    /// [`QueryError::BadField`] for what cannot be meant, [`QueryError::Conflict`] where there is a book of that name and it is not to
    /// be replaced, [`QueryError::Unavailable`] without a folder, or the folder's failure.
    fn keep_book(&self, new: &NewBook) -> Result<KeptBook, QueryError>;
}
