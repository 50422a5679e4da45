//! Forecasts that agents put on the record of their sessions, beside the ledger's cases of the same event, market and moment: outcomes and
//! references are the ledger's, resolved by the code that resolves those of the rules (agents §4).

use crate::Error;
use crate::scores::{CaseName, ForecastsAsked, forecasts};
use barograph_api::ForecastView;
use barograph_api::agent_sessions::{SessionCase, SessionForecast};
use barograph_domain::{Span, Ts};
use barograph_store::{Range, Reader};
use core::ops::ControlFlow;
use std::collections::BTreeMap;

/// Between forecasts that lie further apart the ledger is not read: outcomes are looked for so far behind an issue.
const APART: Span = Span::days(8);

/// The forecasts of a session that were on record at `as_of`, with what came of them, ascending by the moment of issue. No more is held
/// than these, however many markets the ledger has.
///
/// # Errors
/// When the store cannot be read.
pub fn session_cases(
    reader: &dyn Reader,
    logic_version: &str,
    session: &str,
    stated: &[SessionForecast],
    as_of: Option<Ts>,
) -> Result<Vec<SessionCase>, Error> {
    let mut stated: Vec<&SessionForecast> =
        stated.iter().filter(|one| as_of.is_none_or(|as_of| one.stated_ts <= as_of)).collect();
    stated.sort_by_key(|one| one.issued_ts);
    let mut all = Vec::with_capacity(stated.len());
    for stretch in stated.chunk_by(|one, next| next.issued_ts - one.issued_ts <= APART) {
        let cases = cases(reader, logic_version, stretch, as_of)?;
        all.extend(stretch.iter().map(|one| {
            let case = cases.get(&name(one)).cloned();
            SessionCase { view: ForecastView::of_session(session, one, case.clone(), logic_version), case }
        }));
    }
    Ok(all)
}

fn name(one: &SessionForecast) -> CaseName {
    (one.issued_ts, one.event, one.market.clone())
}

/// What the ledger has of the cases of a stretch.
fn cases(
    reader: &dyn Reader,
    logic_version: &str,
    stretch: &[&SessionForecast],
    as_of: Option<Ts>,
) -> Result<BTreeMap<CaseName, ForecastView>, Error> {
    let mut found = BTreeMap::new();
    let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { return Ok(found) };
    let mut events: Vec<_> = stretch.iter().map(|one| one.event).collect();
    events.sort_unstable();
    events.dedup();
    let asked = ForecastsAsked {
        range: Some(Range { start: first.issued_ts, end: last.issued_ts + Span(1) }),
        events,
        classifier: None,
        market: None,
        only: Some(stretch.iter().map(|one| name(one)).collect()),
        as_of,
    };
    let names: BTreeMap<(Ts, &str, String), CaseName> =
        stretch.iter().map(|one| ((one.issued_ts, one.event.id(), one.market.to_string()), name(one))).collect();
    forecasts(reader, logic_version, &asked, &mut |view| {
        if let Some(name) = names.get(&(view.issued_ts, view.event_id, view.symbol.clone())) {
            found.insert(name.clone(), view);
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
