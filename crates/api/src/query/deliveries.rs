//! What people received, and silences.

use super::{Page, QueryError};
use crate::delivery::{
    DeliveryFilter, DeliveryView, EndpointView, GroupView, MessageView, NewReceiver, NewSilence, SampleView,
    SilenceView,
};
use barograph_domain::Ts;

/// Deliveries, endpoints, groups and silences.
pub trait AskDeliveries {
    /// Deliveries, newest first.
    ///
    /// # Errors
    /// The store's failure.
    fn deliveries(&self, filter: &DeliveryFilter) -> Result<Page<DeliveryView>, QueryError>;

    /// One message with its deliveries and tries.
    ///
    /// # Errors
    /// [`QueryError::Unknown`], and as [`Self::deliveries`].
    fn message(&self, id: &str) -> Result<MessageView, QueryError>;

    /// Has a message sent again to an endpoint.
    ///
    /// # Errors
    /// [`QueryError::Unknown`]; [`QueryError::Conflict`] where it has been delivered or still waits;
    /// [`QueryError::NotDelivering`] where another process would have to; and as [`Self::deliveries`].
    fn replay(&self, message: &str, endpoint: &str) -> Result<DeliveryView, QueryError>;

    /// Endpoints, by name.
    ///
    /// # Errors
    /// As [`Self::deliveries`].
    fn endpoints(&self) -> Result<Vec<EndpointView>, QueryError>;

    /// Uses an endpoint again that was disabled.
    ///
    /// # Errors
    /// [`QueryError::Unknown`], [`QueryError::NotDelivering`], and as [`Self::deliveries`].
    fn enable_endpoint(&self, name: &str) -> Result<EndpointView, QueryError>;

    /// Why this process carries out no commands about deliveries, and what to do; `None`: it does.
    fn why_not_delivering(&self) -> Option<String>;

    /// Sends a sample to an endpoint, outside of every queue.
    ///
    /// # Errors
    /// [`QueryError::Unknown`], [`QueryError::NotDelivering`], and [`QueryError::Conflict`] where its format has no words for it.
    fn try_endpoint(&self, name: &str) -> Result<SampleView, QueryError>;

    /// Makes a receiver, which is sent what becomes known from now on.
    ///
    /// # Errors
    /// [`QueryError::BadField`], [`QueryError::NotDelivering`], and as [`Self::deliveries`].
    fn make_receiver(&self, new: &NewReceiver) -> Result<EndpointView, QueryError>;

    /// Removes a receiver that was made so.
    ///
    /// # Errors
    /// [`QueryError::Unknown`]; [`QueryError::Conflict`] where it stands in the settings; [`QueryError::NotDelivering`].
    fn remove_receiver(&self, name: &str) -> Result<(), QueryError>;

    /// Groups of the 24 hours before `as_of` (`None`: now) and those that fired then, newest first.
    ///
    /// # Errors
    /// As [`Self::deliveries`].
    fn groups(&self, as_of: Option<Ts>) -> Result<Vec<GroupView>, QueryError>;

    /// Silences as they were known at `as_of` (`None`: now), by the moment they were made; those that are over only with `all`.
    ///
    /// # Errors
    /// As [`Self::deliveries`].
    fn silences(&self, all: bool, as_of: Option<Ts>) -> Result<Vec<SilenceView>, QueryError>;

    /// Adds a silence that begins now.
    ///
    /// # Errors
    /// [`QueryError::BadField`], [`QueryError::NotDelivering`], and as [`Self::deliveries`].
    fn put_silence(&self, new: &NewSilence) -> Result<SilenceView, QueryError>;

    /// Ends a silence now.
    ///
    /// # Errors
    /// [`QueryError::Unknown`] where there is none that holds now or later, [`QueryError::NotDelivering`], and as
    /// [`Self::deliveries`].
    fn end_silence(&self, id: &str) -> Result<(), QueryError>;
}
