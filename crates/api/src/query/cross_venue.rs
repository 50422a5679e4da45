//! One asset over several venues, this moment.

use super::QueryError;
use crate::cross_venue::CrossVenueView;

/// Best prices of the venues that are listened to, held against each other.
pub trait AskCrossVenue {
    /// Every asset that at least two listened venues quote; of one base currency where it is named. Answers from memory.
    ///
    /// # Errors
    /// [`QueryError::NotLive`] where this process listens to nothing.
    fn cross_venue(&self, base: Option<&str>) -> Result<CrossVenueView, QueryError>;
}
