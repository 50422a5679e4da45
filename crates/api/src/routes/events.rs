//! Events of one market and of all: what detectors found, as it was known (surveillance §1, §7; payloads §4–6).

use super::context::{Id, instrument};
use super::paging::{PageView, SERIES, Series};
use super::{docs, reply};
use crate::etag;
use crate::events::{AliasCascades, AliasEvent, EventView, SEED4_CHANGES};
use crate::params::{Params, stranger};
use crate::problem::{Problem, ProblemKind};
use crate::query::{EventFilter, Query, QueryError, Window};
use crate::state::Shared;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response};
use barograph_domain::{InstrumentName, Pattern, Severity, Span, Ts};
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};

/// Events on a page: by default, and at most. An event is about 2 kB of JSON.
const LIMITS: (usize, usize) = (100, 1_000);
/// Hours that `/api/cascades` looks back.
const HOURS: (u32, u32) = (24, 720);
/// Cascades read at a time.
const PAGE: usize = 500;
const OWN: &[&str] = &["pattern", "severity", "open", "order", "format", "book"];

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the schema generator alone")]
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

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the schema generator alone")]
pub(super) struct Market {
    /// One market only: `venue:symbol`, or a bare symbol where only one instrument answers to it.
    #[param(example = "binance-usdm:BTCUSDT")]
    market: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the schema generator alone")]
pub(super) struct Hours {
    /// How far to look back: 1 to 720; 24 unless told.
    #[param(example = 24)]
    hours: Option<u32>,
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
    params(docs::Id, Which, docs::Range, docs::Paging, docs::AsOf, docs::Book),
    responses(
        (status = 200, description = "one page, at most 1000 events, 100 unless told; with format=seed4 items are AliasEvent", body = EventsPage),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn of_market(
    State(app): State<Shared>,
    id: Id,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(query.as_deref(), &[SERIES, OWN].concat())?;
    let id = instrument(&app, "events", id)?;
    answer(app, &params, Some(id), &headers).await
}

/// Events of all markets, ascending by the moment they were known.
///
/// As for one market. Of equal moments the markets come in the order of their names.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "getEvents",
    tag = "context",
    params(Market, Which, docs::Range, docs::Paging, docs::AsOf, docs::Book),
    responses(
        (status = 200, description = "one page, at most 1000 events, 100 unless told; with format=seed4 items are AliasEvent", body = EventsPage),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn of_all(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(query.as_deref(), &[SERIES, OWN, &["market"]].concat())?;
    let resolve = |name| app.query.resolve(name, false).map_err(|e| app.problem("events", &e));
    let id = params.text("market").map(resolve).transpose()?;
    answer(app, &params, id, &headers).await
}

async fn answer(
    app: Shared,
    params: &Params,
    id: Option<InstrumentName>,
    headers: &HeaderMap,
) -> Result<Response<Body>, Problem> {
    let (filter, seed4) = filter(params)?;
    let whose = id.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
    let series = Series::of(params, &format!("events {whose}"), app.query.now(), LIMITS, filter.newest_first)?;
    let book = params.text("book").map(str::to_owned);
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

fn bad(name: &str, word: &str, hint: &str) -> Problem {
    Problem::new(ProblemKind::BadRequest, format!("{name}: '{word}' is not understood")).value(word).hint(hint)
}

fn filter(params: &Params) -> Result<(EventFilter, bool), Problem> {
    let seed4 = match params.text("format") {
        None => false,
        Some("seed4") => true,
        Some(other) => return Err(bad("format", other, "write format=seed4, or leave it out for the whole envelope")),
    };
    let newest_first = match params.text("order") {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(other) => return Err(bad("order", other, "write order=asc or order=desc")),
    };
    let open = params.flag("open", "all events")?;
    let severity = match params.text("severity") {
        None => None,
        Some(word) => Some(Severity::from_name(&word.to_uppercase()).ok_or_else(|| {
            bad("severity", word, "there are INFO, LOW, MEDIUM, HIGH and CRITICAL")
                .candidates(Severity::ALL.map(|s| s.name().to_owned()).to_vec())
        })?),
    };
    let known: Vec<&'static str> = Pattern::ALL.iter().map(|p| p.name()).collect();
    let mut patterns = Vec::new();
    let words = params.text("pattern").into_iter().flat_map(|t| t.split(','));
    for word in words.map(str::trim).filter(|w| !w.is_empty()) {
        patterns.push(
            Pattern::from_name(&word.to_uppercase()).ok_or_else(|| stranger("pattern", "pattern", word, &known))?,
        );
    }
    let mut changes = Vec::new();
    if seed4 {
        let asked = patterns.clone();
        patterns = Pattern::SEED4.into_iter().filter(|p| asked.is_empty() || asked.contains(p)).collect();
        changes = SEED4_CHANGES.to_vec();
        if patterns.is_empty() {
            let words = Pattern::SEED4.map(Pattern::name).join(", ");
            return Err(Problem::new(
                ProblemKind::BadRequest,
                "pattern: the fourth original has no such event".to_owned(),
            )
            .hint(format!("with format=seed4 there are {words}")));
        }
    }
    Ok((EventFilter { patterns, changes, severity, open, newest_first }, seed4))
}

/// Liquidation cascades of the last hours, and liquidations by hour (payloads §4).
///
/// Each episode once, as it was when it was last told to open or to have grown. Hours count back from `as_of`, or from now. The
/// series has exactly so many whole hours of UTC and ends with the last one that was over then: 24 at 14:35 are those from 14:00
/// of the day before to 14:00. An hour in which nobody listened is null, with the reason.
#[utoipa::path(
    get,
    path = "/api/cascades",
    operation_id = "originalCascades",
    tag = "original paths",
    params(Hours, docs::AsOf),
    responses((status = 200, description = "cascades and the series they are made of", body = AliasCascades))
)]
pub(super) async fn cascades(State(app): State<Shared>, RawQuery(query): RawQuery) -> Result<Response<Body>, Problem> {
    let params = Params::parse(query.as_deref(), &["hours", "as_of"])?;
    let hours = hours(&params)?;
    let now = app.query.now();
    let as_of = params.as_of(now)?;
    let found = app.read("alias cascades", move |q| look_back(q, hours, as_of.unwrap_or(now), as_of)).await?;
    let json = reply::json(&found).map_err(|e| app.problem("alias cascades", &e))?;
    Ok(reply::json_body(json))
}

fn hours(params: &Params) -> Result<u32, Problem> {
    let Some(text) = params.text("hours") else { return Ok(HOURS.0) };
    let known = text.parse::<u32>().ok().filter(|n| (1..=HOURS.1).contains(n));
    known.ok_or_else(|| {
        Problem::new(ProblemKind::BadNumber, format!("hours: '{text}' is not between 1 and {}", HOURS.1))
            .value(text)
            .hint("write a whole number of hours, as in hours=24; /api/v1/events reaches further back")
    })
}

fn look_back(q: &dyn Query, hours: u32, at: Ts, as_of: Option<Ts>) -> Result<AliasCascades, QueryError> {
    let start = at - Span::hours(hours.into());
    let filter = EventFilter {
        patterns: vec![Pattern::LiquidationCascade],
        changes: SEED4_CHANGES.to_vec(),
        newest_first: true,
        ..EventFilter::default()
    };
    let mut window = Window { start: Some(start), end: Some(at + Span(1)), every: None, skip: 0, limit: PAGE, as_of };
    let (mut seen, mut events) = (BTreeSet::new(), Vec::new());
    loop {
        let page = q.events(None, None, &filter, &window)?;
        let last = page.items.last().map(|e| e.known_at);
        for event in &page.items {
            if seen.insert((event.alert_id.clone(), event.instrument.clone())) {
                events.extend(event.seed4());
            }
        }
        match last.filter(|_| page.more) {
            Some(t) => {
                let again = page.items.iter().rev().take_while(|e| e.known_at == t).count();
                let before = if window.end == Some(t + Span(1)) { window.skip } else { 0 };
                (window.end, window.skip) = (Some(t + Span(1)), before + again);
            }
            None => break,
        }
    }
    let over = at.floor(Span::hours(1));
    let series = q.liquidations_by_hour(over - Span::hours(hours.into()), over, as_of)?;
    Ok(AliasCascades { hours, count: events.len(), events, series })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Result<(EventFilter, bool), Problem> {
        filter(&Params::parse(Some(query), OWN).unwrap())
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

    #[test]
    fn hours_have_bounds() {
        let of = |query: &str| hours(&Params::parse(Some(query), &["hours"]).unwrap());
        assert_eq!((of(""), of("hours=1"), of("hours=720")), (Ok(24), Ok(1), Ok(720)));
        for query in ["hours=0", "hours=721", "hours=-3", "hours=1.5", "hours=day"] {
            assert_eq!(of(query).unwrap_err().kind, ProblemKind::BadNumber, "{query}");
        }
    }
}
