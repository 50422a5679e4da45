//! Cases: what was filed, what people wrote into it, and the books and trades around it (surveillance §12).
//!
//! They are the user's, not the market's: no part of the content hash, never pruned, and written without a role, so that a
//! command line can file one beside a live process. A file and its recordings are written once; entries are only added.

use crate::Result;
use barograph_domain::case::{
    CaseCount, CaseEntry, CaseFile, CaseRecording, CaseRefusal, CaseStanding, CaseState, EntryDraft,
};
use barograph_domain::{Pattern, Ts};

/// Which cases are wanted; the one filed last comes first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseQuery {
    /// In this state only.
    pub state: Option<CaseState>,
    /// Only what was written by then; `None`: all.
    pub as_of: Option<Ts>,
    /// At most so many.
    pub limit: usize,
}

/// Which closed cases are like another one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CasesLike {
    /// The other one, which is not among them.
    pub case_id: String,
    /// With an alert of one of these patterns.
    pub patterns: Vec<Pattern>,
    /// Filed by then.
    pub filed_until: Ts,
    /// Closed by then; `None`: by now.
    pub as_of: Option<Ts>,
    /// At most so many, those filed last.
    pub limit: usize,
}

/// A case as it is stored.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredCase {
    /// What was filed.
    pub file: CaseFile,
    /// What people wrote, the first entry first; at least the one that filed it.
    pub entries: Vec<CaseEntry>,
    /// Where that leaves it.
    pub standing: CaseStanding,
}

/// What became of a request to write into a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CaseOutcome {
    /// It is written.
    Written(CaseEntry),
    /// The newest entry says the same; nothing was added.
    Same,
    /// There is no such case.
    Missing,
    /// The case does not take it.
    Refused(CaseRefusal),
}

/// Questions about cases; no lock is needed.
pub trait CaseReader: Send + Sync {
    /// Cases, the one filed last first, and whether there are more than were asked for.
    ///
    /// # Errors
    /// When the store cannot be read; so for every method here.
    fn cases(&self, query: &CaseQuery) -> Result<(Vec<StoredCase>, bool)>;

    /// One case.
    ///
    /// # Errors
    /// See [`Self::cases`].
    fn case(&self, id: &str, as_of: Option<Ts>) -> Result<Option<StoredCase>>;

    /// Ids that begin like this, at most two: enough to know whether it means one.
    ///
    /// # Errors
    /// See [`Self::cases`].
    fn case_ids(&self, beginning: &str) -> Result<Vec<String>>;

    /// Books and trades that are kept with a case, by alert;
    /// of one alert what the journal gave first, and of that what reaches furthest. Only what had been put there by `as_of`.
    ///
    /// # Errors
    /// See [`Self::cases`].
    fn case_recordings(&self, id: &str, as_of: Option<Ts>) -> Result<Vec<CaseRecording>>;

    /// Closed cases that may be compared with another, the one filed last first.
    ///
    /// # Errors
    /// See [`Self::cases`].
    fn cases_like(&self, query: &CasesLike) -> Result<Vec<StoredCase>>;

    /// Closed cases by pattern; a pattern without any is not in it.
    ///
    /// # Errors
    /// See [`Self::cases`].
    fn case_counts(&self, as_of: Option<Ts>) -> Result<Vec<CaseCount>>;
}

/// Writes cases; several processes may at once. Takes no role.
pub trait CaseWriter: Send {
    /// Files a case with its first entry and what was recorded around its alerts, all or nothing; false when one of this id is
    /// there, which stays as it is.
    ///
    /// # Errors
    /// `Invalid` when it has no alert, one without a record, or too many; else when the store cannot be written, as for every
    /// method here.
    fn file_case(&mut self, file: &CaseFile, first: &EntryDraft, recordings: &[CaseRecording]) -> Result<bool>;

    /// Keeps more of what was recorded around its alerts, as of this moment; how many were added. What is there stays as it is; of one
    /// alert and source only what reaches further is added.
    ///
    /// # Errors
    /// See [`Self::file_case`].
    fn record_case(&mut self, id: &str, recordings: &[CaseRecording], at: Ts) -> Result<usize>;

    /// Adds an entry.
    ///
    /// # Errors
    /// See [`Self::file_case`].
    fn write_case(&mut self, id: &str, entry: &EntryDraft) -> Result<CaseOutcome>;
}
