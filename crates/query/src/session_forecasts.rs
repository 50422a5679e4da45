//! Forecasts that agents put on the record of their sessions, beside the ledger's cases of the same event, market and moment: outcomes and
//! references are the ledger's, resolved by the code that resolves those of the rules (agents §4).

use crate::Error;
use crate::scores::{ForecastsAsked, forecasts};
use barograph_api::ForecastView;
use barograph_api::agent_sessions::SessionForecast;
use barograph_domain::{Span, Ts};
use barograph_store::{Range, Reader};
use core::ops::ControlFlow;
use std::collections::BTreeMap;

/// Between forecasts that lie further apart the ledger is not read: outcomes are looked for so far behind an issue.
const APART: Span = Span::days(8);

/// The forecasts of a session with what came of them, ascending by the moment of issue. One whose case the ledger does not have is there
/// without an outcome.
///
/// # Errors
/// When the store cannot be read.
pub fn session_forecasts(
    reader: &dyn Reader,
    logic_version: &str,
    session: &str,
    stated: &[SessionForecast],
    as_of: Option<Ts>,
) -> Result<Vec<ForecastView>, Error> {
    let mut stated: Vec<&SessionForecast> =
        stated.iter().filter(|one| as_of.is_none_or(|as_of| one.issued_ts <= as_of)).collect();
    stated.sort_by_key(|one| one.issued_ts);
    let mut all = Vec::with_capacity(stated.len());
    for stretch in stated.chunk_by(|one, next| next.issued_ts - one.issued_ts <= APART) {
        let mut cases = cases(reader, logic_version, stretch, as_of)?;
        all.extend(stretch.iter().map(|one| {
            let case = cases.remove(&(one.issued_ts, one.event.id(), one.market.to_string()));
            ForecastView::of_session(session, one, case, logic_version)
        }));
    }
    Ok(all)
}

/// Moment of issue, event and market.
type CaseKey = (Ts, &'static str, String);

/// What the ledger has of the cases of a stretch.
fn cases(
    reader: &dyn Reader,
    logic_version: &str,
    stretch: &[&SessionForecast],
    as_of: Option<Ts>,
) -> Result<BTreeMap<CaseKey, ForecastView>, Error> {
    let mut found = BTreeMap::new();
    let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { return Ok(found) };
    let mut events: Vec<_> = stretch.iter().map(|one| one.event).collect();
    events.sort_unstable();
    events.dedup();
    let is_of_one = stretch.iter().all(|one| one.market == first.market);
    let asked = ForecastsAsked {
        range: Some(Range { start: first.issued_ts, end: last.issued_ts + Span(1) }),
        events,
        classifier: None,
        market: is_of_one.then(|| first.market.clone()),
        as_of,
    };
    let mut wanted: Vec<CaseKey> =
        stretch.iter().map(|one| (one.issued_ts, one.event.id(), one.market.to_string())).collect();
    wanted.sort_unstable();
    forecasts(reader, logic_version, &asked, &mut |view| {
        let key = (view.issued_ts, view.event_id, view.symbol.clone());
        // Levels and pairs have cases of their own at the same moment.
        if view.subject.is_none() && wanted.binary_search(&key).is_ok() {
            found.insert(key, view);
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
