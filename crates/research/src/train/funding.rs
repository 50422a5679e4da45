//! Settled funding out of files that a person has: whatever the importers understand.

use crate::ResearchError;
use crate::clock::now;
use barograph_domain::{InstrumentName, Metric, Payload};
use barograph_lake::ImportOptions;
use barograph_study::money::blotter::FundingPayment;
use std::path::PathBuf;

/// The settlements of a market in files or folders.
///
/// # Errors
/// Nothing can be read, or nothing of it is settled funding of this market.
pub fn funding_of(market: &InstrumentName, paths: &[PathBuf]) -> Result<Vec<FundingPayment>, ResearchError> {
    let options = ImportOptions {
        venue: Some(market.venue.as_str().to_owned()),
        symbol: Some(market.symbol.clone()),
        ..ImportOptions::new(now())
    };
    let plan = barograph_lake::plan(paths, &options)?;
    let wanted: Vec<bool> =
        plan.streams().iter().map(|s| s.metric == Metric::FundingRateSettled && s.instrument == *market).collect();
    let mut found = Vec::new();
    for event in plan.open(None) {
        let of_market = wanted.get(usize::from(event.stream.0)).copied().unwrap_or_default();
        if let (true, Payload::Funding { rate, .. }) = (of_market, &event.payload) {
            found.push(FundingPayment { at: event.event_ts, rate: *rate, mark: None });
        }
    }
    if found.is_empty() {
        return Err(ResearchError::Refused(format!("no file holds settled funding of {market}")));
    }
    Ok(found)
}
