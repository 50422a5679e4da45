//! Settled funding out of files that a person has: whatever the importers understand.

use crate::ResearchError;
use crate::clock::now;
use barograph_domain::{InstrumentName, MarketKind, Metric, Payload};
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
        // Of a venue that nobody knows: what pays funding is a perpetual.
        market: Some(MarketKind::Perpetual),
        ..ImportOptions::new(now())
    };
    let plan = barograph_lake::plan(paths, &options).map_err(|e| stored_first(market, &e.into()))?;
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

/// The importers' errors name options of theirs, which a back-test has not; what has them stores the file.
fn stored_first(market: &InstrumentName, e: &ResearchError) -> ResearchError {
    let text = e.to_string();
    let is_advice = |clause: &&str| ["--columns", "--metric", "--market"].iter().any(|option| clause.contains(option));
    if !text.split("; ").any(|clause| is_advice(&clause)) {
        return ResearchError::Refused(text);
    }
    let said: Vec<&str> = text.split("; ").filter(|clause| !is_advice(clause)).collect();
    ResearchError::Refused(format!(
        "{}; store it first, then it counts without --funding: barograph collect --source FILE --venue {} --symbol {} --columns \
         time=<column>,rate=<column>,metric=funding_rate_settled",
        said.join("; "),
        market.venue.as_str(),
        market.symbol
    ))
}
