//! What-if over what is stored: columns are kept and books written in the data folder, where the process was given one.

use super::Service;
use crate::whatif::{self, WhatIfLimits, WhatIfQuestion};
use barograph_api::{AskMarkets as _, AskWhatIf, QueryError};
use barograph_domain::whatif::{BookThresholds, KeptBook, NewBook, WhatIfRequest, WhatIfView};
use std::path::PathBuf;

/// Derived of stored rows, and made again when it is gone.
const COLUMNS: &str = "whatif";
/// The user's own; nothing of it is ever removed.
const BOOKS: &str = "books";

impl Service {
    /// What lies beside the store is in this folder: columns made of stored rows, which without it are made for each question, books
    /// of one's own, the log of decisions on paper. Once.
    pub fn keep_in(&self, folder: PathBuf) {
        // A second folder is not meant by anybody.
        drop(self.folder.set(folder));
    }

    /// As [`AskWhatIf::what_if`] within other limits, reporting how many weeks of stored rows were read, of how many.
    ///
    /// # Errors
    /// As there.
    pub fn what_if_watched(
        &self,
        request: &WhatIfRequest,
        limits: WhatIfLimits,
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<WhatIfView, QueryError> {
        let columns = self.folder.get().map(|folder| folder.join(COLUMNS));
        let names = self.instruments();
        let asked = WhatIfQuestion {
            names: Some(&names),
            reader: self.reader.as_ref(),
            book: &self.book,
            default_venue: &self.default_venue,
            kept: columns.as_deref(),
            limits,
            request,
        };
        whatif::answer(&asked, progress)
    }
}

impl AskWhatIf for Service {
    fn thresholds(&self, base: Option<&str>) -> Result<BookThresholds, QueryError> {
        whatif::thresholds(&self.book, base)
    }

    fn what_if(&self, request: &WhatIfRequest) -> Result<WhatIfView, QueryError> {
        self.what_if_watched(request, WhatIfLimits::SERVED, &|_, _| {})
    }

    fn keep_book(&self, new: &NewBook) -> Result<KeptBook, QueryError> {
        let nowhere = || QueryError::Unavailable { reason: "this process has no folder for books".to_owned() };
        whatif::keep(&self.folder.get().ok_or_else(nowhere)?.join(BOOKS), &self.book, new)
    }
}
