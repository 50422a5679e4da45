//! What anybody's calls of direction were worth (research §6): taker fills through the recorded book, fees of a named tier.

use crate::ResearchError;
use crate::books::{BOOK_AGE_MAX, books_at};
use barograph_domain::InstrumentName;
use barograph_study::money::backtest::{HoldRule, UpProbability, backtest, moments, threshold};
use barograph_study::money::blotter::TradeTerms;
use barograph_study::money::books::RecordedBooks;
use barograph_study::money::report::TradeReport;
use std::collections::BTreeSet;
use std::path::Path;

/// Trades probabilities of a rise, in the order in which they were known: long above `0.5 + delta`, short below `0.5 − delta`. The distance
/// is the caller's, who chooses it on other rows than these. Funding is not charged.
///
/// # Errors
/// There are no calls, they are not in order, or the lake holds no books of the market.
pub fn worth_of_calls(
    lake: &Path,
    market: &InstrumentName,
    calls: &[UpProbability],
    (holding, delta): (HoldRule, f64),
    terms: &TradeTerms,
) -> Result<TradeReport, ResearchError> {
    let signals = threshold(calls, delta);
    let wanted: BTreeSet<_> = moments(&signals, holding, terms.latency).into_iter().collect();
    let mut books = RecordedBooks::new(books_at(lake, market, &wanted, None)?, BOOK_AGE_MAX);
    backtest(&signals, holding, terms, &mut books, &[]).map_err(|e| ResearchError::Refused(e.to_string()))
}
