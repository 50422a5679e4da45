//! Options of one currency.

use super::QueryError;
use crate::options::OptionsView;
use barograph_domain::{InstrumentName, OptionCurrency, Ts};

/// What options state of volatility to come.
pub trait AskOptions {
    /// All that was known at `as_of` of the options of a currency, beside what `market` realised; `None`: the perpetual contract of the
    /// same venue, or the market of the default venue.
    ///
    /// # Errors
    /// [`QueryError::BadField`] for a market of another currency, or the store's failure. What has never been fetched is no error: the answer names the reason.
    fn options(
        &self,
        currency: &OptionCurrency,
        market: Option<&InstrumentName>,
        as_of: Option<Ts>,
    ) -> Result<OptionsView, QueryError>;
}
