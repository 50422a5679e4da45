//! Advice on trades and baskets, and positions that are watched.

use super::QueryError;
use barograph_domain::Ts;
use barograph_domain::advice::{AdviceRequest, AdviceView, NewPosition, PositionCard, PositionNotice};
use barograph_domain::portfolio::{PortfolioRequest, PortfolioView};

/// Advice, registered positions and notices about them.
pub trait AskPositions {
    /// Advice on a trade somebody has in mind. A market without a snapshot is answered too: AVOID for want of data.
    ///
    /// # Errors
    /// [`QueryError::UnknownSymbol`], [`QueryError::Ambiguous`], [`QueryError::BadField`], or the store's failure;
    /// [`QueryError::Unavailable`] where this process keeps no positions.
    fn advise(&self, request: &AdviceRequest, as_of: Option<Ts>) -> Result<AdviceView, QueryError>;

    /// A basket judged as one.
    ///
    /// # Errors
    /// [`QueryError::NotCompared`], [`QueryError::UnknownSymbol`], [`QueryError::Ambiguous`], [`QueryError::BadField`], or the
    /// store's failure.
    fn portfolio(&self, request: &PortfolioRequest, as_of: Option<Ts>) -> Result<PortfolioView, QueryError>;

    /// Registered positions with what is around them, oldest first.
    ///
    /// # Errors
    /// As [`Self::advise`].
    fn positions(&self, as_of: Option<Ts>) -> Result<Vec<PositionCard>, QueryError>;

    /// One of them.
    ///
    /// # Errors
    /// [`QueryError::UnknownPosition`], and as [`Self::advise`].
    fn position(&self, id: &str, as_of: Option<Ts>) -> Result<PositionCard, QueryError> {
        let found = self.positions(as_of)?.into_iter().find(|c| c.position.id == id);
        found.ok_or_else(|| QueryError::UnknownPosition { id: id.to_owned() })
    }

    /// Registers a position to be watched.
    ///
    /// # Errors
    /// [`QueryError::BadField`], [`QueryError::Conflict`], and as [`Self::advise`].
    fn register(&self, new: &NewPosition) -> Result<PositionCard, QueryError>;

    /// Takes a position out.
    ///
    /// # Errors
    /// [`QueryError::UnknownPosition`], [`QueryError::Conflict`], and as [`Self::advise`].
    fn unregister(&self, id: &str) -> Result<(), QueryError>;

    /// Notices about positions, newest first.
    ///
    /// # Errors
    /// As [`Self::advise`].
    fn notices(
        &self,
        position: Option<&str>,
        as_of: Option<Ts>,
        limit: usize,
    ) -> Result<Vec<PositionNotice>, QueryError>;
}
