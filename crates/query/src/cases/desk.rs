//! The one way by which this process writes cases: opened when first needed, and again after a failure.

use barograph_domain::case::{CaseFile, CaseRecording, EntryDraft, StepBounds};
use barograph_domain::{InstrumentName, Ts};
use barograph_store::{CaseOutcome, CaseWriter, Result, StoreTarget, open_cases};
use std::sync::{Mutex, PoisonError};

/// Around which moment of which market books and trades are wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseStretch {
    /// Whose alert.
    pub alert_id: String,
    /// Which market.
    pub instrument: InstrumentName,
    /// The moment.
    pub moment: Ts,
    /// Beginning of what is looked at.
    pub from: Ts,
    /// Its end.
    pub until: Ts,
}

/// Whoever can rebuild books and trades from what was received.
pub trait CaseRecorder: Send + Sync {
    /// Books and trades of each stretch that is covered; of the others nothing.
    ///
    /// # Errors
    /// Why nothing can be rebuilt, as a sentence that says what to do.
    fn record(&self, stretches: &[CaseStretch], bounds: StepBounds)
    -> core::result::Result<Vec<CaseRecording>, String>;
}

/// Writer of cases.
pub struct CaseDesk {
    target: StoreTarget,
    writer: Mutex<Option<Box<dyn CaseWriter>>>,
    recorder: Option<Box<dyn CaseRecorder>>,
}

impl core::fmt::Debug for CaseDesk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CaseDesk").field("target", &self.target).finish_non_exhaustive()
    }
}

impl CaseDesk {
    /// Writes into this store, once something is to be written; `recorder` rebuilds books and trades, where there is one.
    #[must_use]
    pub fn new(target: StoreTarget, recorder: Option<Box<dyn CaseRecorder>>) -> Self {
        Self { target, writer: Mutex::default(), recorder }
    }

    /// Who rebuilds books and trades.
    pub(crate) fn recorder(&self) -> Option<&dyn CaseRecorder> {
        self.recorder.as_deref()
    }

    pub(crate) fn file(&self, file: &CaseFile, first: &EntryDraft, recordings: &[CaseRecording]) -> Result<bool> {
        self.with(|w| w.file_case(file, first, recordings))
    }

    pub(crate) fn keep(&self, id: &str, recordings: &[CaseRecording], at: Ts) -> Result<usize> {
        self.with(|w| w.record_case(id, recordings, at))
    }

    pub(crate) fn write(&self, id: &str, entry: &EntryDraft) -> Result<CaseOutcome> {
        self.with(|w| w.write_case(id, entry))
    }

    fn with<T>(&self, work: impl FnOnce(&mut dyn CaseWriter) -> Result<T>) -> Result<T> {
        let mut held = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = Some(open_cases(&self.target)?);
        }
        let Some(writer) = held.as_mut() else { return Err(barograph_store::Error::Invalid("no writer".to_owned())) };
        let done = work(writer.as_mut());
        if done.is_err() {
            // After a failed write nobody knows what is on disk until it is opened again.
            *held = None;
        }
        done
    }
}
