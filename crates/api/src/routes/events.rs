//! Events of one market and of all: what detectors found, as it was known (surveillance §1, §7; payloads §4–6).

use super::context::instrument;
use super::paging::{Listed, PageView};
use super::reply;
use super::segment::{self, MarketId, Segment};
use crate::alias::events::{AliasEvent, SEED4_CHANGES, known};
use crate::etag;
use crate::events::EventView;
use crate::params::{AsOf, Given, Paging, Params, RuleBookChoice, TimeRange, parameters, stranger};
use crate::problem::{Problem, ProblemKind};
use crate::query::EventFilter;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::{InstrumentName, Pattern, Severity};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Events on a page: by default, and at most. An event is about 2 kB of JSON.
const LIMITS: (usize, usize) = (100, 1_000);

parameters! {
    /// Which events.
    pub(super) struct Which {
        /// Only these patterns, separated by commas. CASCADE is understood as `LIQUIDATION_CASCADE`.
        #[param(example = "LIQUIDATION_CASCADE,FUNDING_ANOMALY")]
        pattern: Option<String>,
        /// At least as severe: INFO, LOW, MEDIUM, HIGH or CRITICAL. WARNING is understood as MEDIUM.
        #[param(example = "MEDIUM")]
        severity: Option<String>,
        /// `true`: only episodes that are not over, each by the last that was known of it.
        #[param(example = "true")]
        open: Option<bool>,
        /// `desc`: the newest first. `asc`, the usual: the earliest first.
        #[param(example = "desc")]
        order: Option<String>,
        /// `seed4`: exactly the envelope of the fourth original, for its six event types, without ends.
        #[param(example = "seed4")]
        format: Option<String>,
    }
}

parameters! {
    /// Of which market.
    pub(super) struct Market {
        /// One market only: `venue:symbol`, or a bare symbol where only one instrument answers to it.
        #[param(example = "binance-usdm:BTCUSDT")]
        market: Option<String>,
    }
}

/// Which event, in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct EventPath {
    /// `alert_id`, or its first eight characters or more.
    id: String,
}

/// One page of events.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "read by the schema generator alone")]
pub(crate) enum EventsPage {
    /// As they are.
    Canonical(PageView<EventView>),
    /// As the fourth original sent them.
    Seed4(PageView<AliasEvent>),
}

/// Events of a market, ascending by the moment they were known.
///
/// Each is a record of an alert: opened, worse than before, suspended by a gap, resumed, closed, or a change without length.
/// Records are appended and never changed. `start` and `end` are by `known_at`.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/events",
    operation_id = "getMarketEvents",
    tag = "context",
    params(MarketId, Which, TimeRange, Paging, AsOf, RuleBookChoice),
    responses(
        (status = 200, description = "one page, at most 1000 events, 100 by default; with format=seed4 items are AliasEvent", body = EventsPage),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn of_market(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((listed, which, book)): Params<(Listed, Which, RuleBookChoice)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "events", id)?;
    answer(app, (&listed, &which, book), Some(id), &headers).await
}

/// Events of all markets, ascending by the moment they were known.
///
/// As for one market. Of equal moments the markets come in the order of their names.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "getEvents",
    tag = "context",
    params(Market, Which, TimeRange, Paging, AsOf, RuleBookChoice),
    responses(
        (status = 200, description = "one page, at most 1000 events, 100 by default; with format=seed4 items are AliasEvent", body = EventsPage),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn of_all(
    State(app): State<SharedState>,
    Params((listed, which, book, market)): Params<(Listed, Which, RuleBookChoice, Market)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let resolve = |name| app.query.resolve(name, false).map_err(|e| app.problem("events", &e));
    let id = market.market.text().map(resolve).transpose()?;
    answer(app, (&listed, &which, book), id, &headers).await
}

/// One event by its id, or the beginning of it that is its own: its newest record.
///
/// `evidence` has what followed it and up to three earlier episodes of the same detector with what followed those. `as_of` shows only
/// what was known then.
#[utoipa::path(
    get,
    path = "/api/v1/events/{id}",
    operation_id = "getEvent",
    tag = "context",
    params(EventPath, AsOf),
    responses(
        (status = 200, description = "the event", body = EventView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn one(
    State(app): State<SharedState>,
    id: Segment<EventPath>,
    Params((as_of,)): Params<(AsOf,)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = segment::read(id, "id", "use an alert_id that /api/v1/events lists")?.id;
    let as_of = as_of.moment(app.query.now())?;
    let json = app.read("event", move |q| reply::json(&q.event(&id, as_of)?)).await?;
    Ok(etag::answer(&headers, json))
}

async fn answer(
    app: SharedState,
    (listed, which, book): (&Listed, &Which, RuleBookChoice),
    id: Option<InstrumentName>,
    headers: &HeaderMap,
) -> Result<Response<Body>, Problem> {
    let (filter, seed4) = filter(which)?;
    let whose = id.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
    let series = listed.series(&format!("events {whose}"), None, app.query.now(), LIMITS, filter.newest_first)?;
    let book = book.name();
    let json = app
        .read("events", move |q| {
            let page = q.events(id.as_ref(), book.as_deref(), &filter, &series.window)?;
            let view = series.view(page, |e| e.known_at);
            if !seed4 {
                return reply::json(&view);
            }
            let items: Vec<AliasEvent> = view.items.iter().filter_map(EventView::seed4).collect();
            reply::json(&PageView { items, next_cursor: view.next_cursor })
        })
        .await?;
    Ok(etag::answer(headers, json))
}

fn bad(given: &Given, word: &str, hint: &str) -> Problem {
    given.refused(ProblemKind::BadRequest, format!("'{word}' is not understood"), hint)
}

fn filter(which: &Which) -> Result<(EventFilter, bool), Problem> {
    let seed4 = match which.format.text() {
        None => false,
        Some("seed4") => true,
        Some(other) => {
            return Err(bad(&which.format, other, "write format=seed4, or leave it out for the whole envelope"));
        }
    };
    let newest_first = match which.order.text() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(other) => return Err(bad(&which.order, other, "write order=asc or order=desc")),
    };
    let open = which.open.flag("all events")?;
    let severity = match which.severity.text() {
        None => None,
        Some(word) => Some(Severity::from_name(&word.to_uppercase()).ok_or_else(|| {
            bad(&which.severity, word, "there are INFO, LOW, MEDIUM, HIGH and CRITICAL")
                .candidates(Severity::ALL.map(|s| s.name().to_owned()).to_vec())
        })?),
    };
    let words: Vec<&'static str> = Pattern::ALL.iter().map(|p| p.name()).collect();
    let mut patterns = Vec::new();
    for word in which.pattern.words() {
        patterns.push(
            Pattern::from_name(&word.to_uppercase()).ok_or_else(|| stranger("pattern", "pattern", word, &words))?,
        );
    }
    let changes = if seed4 { SEED4_CHANGES.to_vec() } else { Vec::new() };
    let patterns = if seed4 { known(&patterns)? } else { patterns };
    Ok((EventFilter { patterns, changes, severity, open, newest_first }, seed4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Result<(EventFilter, bool), Problem> {
        filter(&Params::parse(Some(query)).unwrap().0)
    }

    #[test]
    fn words_are_understood_in_any_case_and_strangers_are_refused() {
        let (all, seed4) = of("").unwrap();
        assert_eq!((all, seed4), (EventFilter::default(), false));
        let (some, _) = of("pattern=cascade,FUNDING_ANOMALY&severity=warning&open=true&order=desc").unwrap();
        assert_eq!(some.patterns, [Pattern::LiquidationCascade, Pattern::FundingAnomaly]);
        assert_eq!((some.severity, some.open, some.newest_first), (Some(Severity::Medium), true, true));
        let (seed4, is) = of("format=seed4&pattern=CASCADE,REGIME_CHANGE").unwrap();
        assert_eq!((seed4.patterns.as_slice(), is), (&[Pattern::LiquidationCascade][..], true));
        for (query, words) in [
            ("pattern=CASCADES", "there is no pattern 'CASCADES'"),
            ("severity=LOUD", "severity: 'LOUD'"),
            ("open=maybe", "open: 'maybe'"),
            ("order=up", "order: 'up'"),
            ("format=seed9", "format: 'seed9'"),
            ("format=seed4&pattern=REGIME_CHANGE", "no such event"),
        ] {
            let problem = of(query).unwrap_err();
            let document = problem.document();
            assert!(document.detail.contains(words), "{query}: {}", document.detail);
            assert!(document.hint.is_some());
        }
    }
}
