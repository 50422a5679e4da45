//! Watches that people ask for.

use super::QueryError;
use crate::watches::{NewWatch, WatchPast, WatchView, Watches};

/// Watches: listed, added, removed.
pub trait AskWatches {
    /// Every watch that goes on, and those that ended last.
    ///
    /// # Errors
    /// The failure of the file they are kept in.
    fn watches(&self) -> Result<Watches, QueryError>;

    /// How often a condition came true within the newest 30 days that are stored of a market.
    ///
    /// # Errors
    /// [`QueryError::BadField`], [`QueryError::UnknownSymbol`], and the failure of the store.
    fn watch_past(&self, market: &str, when: &str) -> Result<WatchPast, QueryError>;

    /// Adds a watch that begins now. The same market and condition again is the watch that goes on already.
    ///
    /// # Errors
    /// [`QueryError::BadField`]; [`QueryError::Conflict`] where there are as many as there may be; [`QueryError::Unavailable`] where
    /// this process judges none.
    fn put_watch(&self, new: &NewWatch) -> Result<WatchView, QueryError>;

    /// Removes a watch, whether it goes on or has ended.
    ///
    /// # Errors
    /// [`QueryError::Unknown`], and as [`Self::put_watch`].
    fn remove_watch(&self, id: &str) -> Result<(), QueryError>;
}
