//! A writer that is opened when it is first needed, and again after a failure.

use barograph_store::{Result, StoreTarget};
use std::sync::{Mutex, PoisonError};

/// Opens a writer of a store.
type Open<W> = fn(&StoreTarget) -> Result<Box<W>>;

/// One writer of one store, for one caller at a time.
pub(crate) struct Reopened<W: ?Sized> {
    target: StoreTarget,
    open: Open<W>,
    held: Mutex<Option<Box<W>>>,
}

impl<W: ?Sized> core::fmt::Debug for Reopened<W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Reopened").field("target", &self.target).finish_non_exhaustive()
    }
}

impl<W: ?Sized> Reopened<W> {
    /// Opens nothing yet.
    pub(crate) fn new(target: StoreTarget, open: Open<W>) -> Self {
        Self { target, open, held: Mutex::new(None) }
    }

    /// Does something with the writer.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut W) -> Result<T>) -> Result<T> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writer = match held.take() {
            Some(writer) => writer,
            None => (self.open)(&self.target)?,
        };
        let done = work(writer.as_mut());
        // After a failed write nobody knows what is on disk until it is opened again.
        if done.is_ok() {
            *held = Some(writer);
        }
        done
    }
}
