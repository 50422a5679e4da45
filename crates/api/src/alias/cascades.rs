//! The original path that answers with cascades and liquidations by hour.

use super::events::{AliasCascades, AliasEvent, SEED4_CHANGES};
use crate::events::EventView;
use crate::params::{AsOf, Params};
use crate::problem::Problem;
use crate::query::{EventFilter, Query, QueryError, SeriesWindow};
use crate::routes::liquidations::{HoursBack, series};
use crate::routes::reply;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use barograph_domain::{AlertState, InstrumentName, Pattern, Span, Trigger, Ts};
use std::collections::BTreeMap;

/// Records of cascades read at a time.
const PAGE: usize = 500;

/// Liquidation cascades of the last hours, and liquidations by hour (payloads §4).
///
/// Each episode once, at the moment it opened or was last reported to have grown. The figures of a burst are those of all its
/// liquidations, of one still going those so far; the figures of a sustained cascade are those of its window at that moment. Hours
/// count back from `as_of`, or from now. The series has exactly that many whole hours of UTC and ends with the last one that was over
/// by then: 24 at 14:35 are those from 14:00 of the day before to 14:00. An hour in which nobody listened is null, with the reason.
#[utoipa::path(
    get,
    path = "/api/cascades",
    operation_id = "originalCascades",
    tag = "original paths",
    params(HoursBack, AsOf),
    responses((status = 200, description = "cascades and the series they are made of", body = AliasCascades))
)]
pub(crate) async fn cascades(
    State(app): State<SharedState>,
    Params((hours, as_of)): Params<(HoursBack, AsOf)>,
) -> Result<Response<Body>, Problem> {
    let hours = hours.wanted("/api/v1/events")?;
    let now = app.query.now();
    let as_of = as_of.moment(now)?;
    let found = app.read("alias cascades", move |q| recent_cascades(q, hours, as_of.unwrap_or(now), as_of)).await?;
    let json = reply::json(&found).map_err(|e| app.problem("alias cascades", &e))?;
    Ok(reply::json_body(json))
}

fn recent_cascades(q: &dyn Query, hours: u32, at: Ts, as_of: Option<Ts>) -> Result<AliasCascades, QueryError> {
    let start = at - Span::hours(hours.into());
    // Ends too, for which the original has no word: they alone say what a burst was.
    let filter =
        EventFilter { patterns: vec![Pattern::LiquidationCascade], newest_first: true, ..EventFilter::default() };
    let mut window =
        SeriesWindow { start: Some(start), end: Some(at + Span(1)), every: None, skip: 0, limit: PAGE, as_of };
    let mut found = Episodes::default();
    loop {
        let page = q.events(None, None, &filter, &window)?;
        let last = page.items.last().map(|e| e.known_at);
        let again = page.items.iter().rev().take_while(|e| Some(e.known_at) == last).count();
        page.items.into_iter().for_each(|event| found.take(event));
        match last.filter(|_| page.more) {
            Some(t) => {
                let before = if window.end == Some(t + Span(1)) { window.skip } else { 0 };
                (window.end, window.skip) = (Some(t + Span(1)), before + again);
            }
            None => break,
        }
    }
    let events = found.told.iter().filter_map(|told| found.whole(q, told, as_of).transpose());
    let events = events.collect::<Result<Vec<_>, _>>()?;
    Ok(AliasCascades { hours, count: events.len(), events, series: series(q, hours, at, as_of)? })
}

/// Cascades by their records, which are taken in from the newest to the oldest.
#[derive(Default)]
struct Episodes {
    /// The last record of each that the original has a word for.
    told: Vec<EventView>,
    /// The newest record of each, and whether it is in `told`.
    newest: BTreeMap<(String, InstrumentName), (EventView, bool)>,
}

impl Episodes {
    fn take(&mut self, event: EventView) {
        let key = (event.alert_id.clone(), event.instrument.clone());
        let (_, told) = self.newest.entry(key).or_insert_with(|| (event.clone(), false));
        if !*told && SEED4_CHANGES.contains(&event.change) {
            *told = true;
            self.told.push(event);
        }
    }

    /// An episode in the original's envelope. Of a burst facts and sentence are those of its end, or of now while it goes on; the sums
    /// of a sustained cascade are of its window, which is calm again at its end.
    fn whole(&self, q: &dyn Query, told: &EventView, as_of: Option<Ts>) -> Result<Option<AliasEvent>, QueryError> {
        let key = (told.alert_id.clone(), told.instrument.clone());
        let Some((newest, _)) = self.newest.get(&key).filter(|_| told.trigger == Some(Trigger::Burst)) else {
            return Ok(told.seed4());
        };
        let grown = match newest.state {
            AlertState::Closed => None,
            AlertState::Open | AlertState::NoData => {
                q.burst_so_far(&told.instrument, as_of)?.filter(|now| now.alert_id == told.alert_id)
            }
        };
        let EventView { data, description, .. } = grown.unwrap_or_else(|| newest.clone());
        Ok(EventView { data, description, ..told.clone() }.seed4())
    }
}
