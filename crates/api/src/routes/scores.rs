//! Was it right: the scorecard, its badge, and the forecasts it is of (verification §7, §8).

use super::paging::PageView;
use super::{agent_sessions, reply};
use crate::agent_sessions::{AGENT, SessionForecast};
use crate::badge;
use crate::cursor::CursorPosition;
use crate::etag;
use crate::params::{AsOf, Bound, Given, Paging, Params, check_range, parameters, stranger};
use crate::problem::{Problem, ProblemKind};
use crate::query::{DriftFilter, ForecastFilter, Page, QueryError, ScorecardFilter};
use crate::scores::ForecastView;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::Ts;
use barograph_domain::drift::DriftReport;
use barograph_domain::forecast::{ForecastEvent, Forecaster};
use barograph_domain::scorecard::Scorecard;
use bytes::Bytes;
use std::sync::Arc;

/// Forecasts on a page: by default, and at most. A forecast is about 900 bytes of JSON.
const LIMITS: (usize, usize) = (100, 1_000);
/// Groups of markets that have scores of their own; any other scope is a market.
const GROUPS: [&str; 4] = ["all", "btc", "eth", "other"];
/// Weeks looked back: by default, and at most.
const WEEKS: u32 = 12;
const WEEKS_MAX: u32 = 104;
const WINDOWS: [&str; 4] = ["30d", "90d", "365d", "all"];

parameters! {
    /// Which forecasts.
    pub(super) struct Events {
        /// These events only, separated by commas. Left out: all.
        #[param(example = "hv_1h,squeeze_4h")]
        event: Option<String>,
        /// Whose forecasts: `rules`, or a contestant of `barograph contest`: `hmm`, `bocpd`, `logistic`, `boosting`. Left out: `rules`. A
        /// list of forecasts also takes `agent:` with the id of an agent's session, as in `agent:momentum-1`.
        #[param(example = "hmm")]
        classifier: Option<String>,
    }

    /// Which rows of the scorecard.
    pub(super) struct Rows {
        /// All markets together (`all`), a group (`btc`, `eth`, `other`) or markets, separated by commas. Left out: everything there is.
        #[param(example = "all,binance-usdm:BTCUSDT")]
        market: Option<String>,
        /// `30d`, `90d`, `365d` or `all`, separated by commas. Left out: `all,90d`.
        #[param(example = "90d")]
        window: Option<String>,
    }

    /// Which forecasts, by market and moment of issue.
    pub(super) struct Stretch {
        /// One market only: `venue:symbol`, or a bare symbol where only one instrument answers to it.
        #[param(example = "binance-usdm:BTCUSDT")]
        market: Option<String>,
        /// First moment of issue, included. Left out: each page looks a day back from where it ends; at most
        /// 31 days before the end.
        #[param(example = "2026-02-05T00:00:00Z")]
        from: Option<String>,
        /// Last moment of issue, excluded. Left out: to the newest.
        #[param(example = "2026-02-06T00:00:00Z")]
        to: Option<String>,
    }

    /// Whose readings, and how far back.
    pub(super) struct Weeks {
        /// Markets, separated by commas. Left out: all there are.
        #[param(example = "binance-usdm:BTCUSDT")]
        market: Option<String>,
        /// Weeks looked back, 1 to 104. Left out: 12.
        #[param(example = "12")]
        weeks: Option<String>,
    }

    /// Which badge.
    pub(super) struct BadgeOf {
        /// The event.
        #[param(example = "hv_1h")]
        event: String,
        /// A market or a group. Left out: all markets together.
        #[param(example = "binance-usdm:BTCUSDT")]
        market: Option<String>,
        /// `30d`, `90d`, `365d` or `all`. Left out: `all`.
        #[param(example = "90d")]
        window: Option<String>,
    }
}

fn events(given: &Given) -> Result<Vec<ForecastEvent>, Problem> {
    let known = ForecastEvent::ALL.map(ForecastEvent::id);
    let read = |word: &str| ForecastEvent::from_id(word).ok_or_else(|| stranger(given.name(), "event", word, &known));
    given.words().map(read).collect()
}

fn classifier(given: &Given) -> Result<Option<Forecaster>, Problem> {
    let known = Forecaster::ALL.map(Forecaster::id);
    if let Some(session) = session_of(given) {
        let plain = session.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let hint = format!("how good it was: /api/v1/agent-sessions/{}", if plain { session } else { "{id}" });
        return Err(given.refused(ProblemKind::BadWord, "a session is not part of the scorecard", &hint));
    }
    let read = |word| Forecaster::from_id(word).ok_or_else(|| stranger(given.name(), "classifier", word, &known));
    given.text().map(read).transpose()
}

/// The session of an agent whose forecasts are asked for.
fn session_of(given: &Given) -> Option<&str> {
    given.text().and_then(|text| text.strip_prefix(AGENT))
}

fn windows(given: &Given, otherwise: &[&str]) -> Result<Vec<String>, Problem> {
    let read = |word: &str| {
        let known = WINDOWS.contains(&word).then(|| word.to_owned());
        known.ok_or_else(|| stranger(given.name(), "window", word, &WINDOWS))
    };
    let asked = given.words().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(if asked.is_empty() { otherwise.iter().map(|&w| w.to_owned()).collect() } else { asked })
}

/// Groups as they are, markets by their full names.
fn scopes(app: &SharedState, route: &'static str, given: &Given) -> Result<Vec<String>, Problem> {
    let read = |word: &str| match GROUPS.contains(&word) {
        true => Ok(word.to_owned()),
        false => app.query.resolve(word, false).map(|id| id.to_string()).map_err(|e| app.problem(route, &e)),
    };
    given.words().map(read).collect()
}

/// What is shown of a scorecard: at once of one that was made before, else of a new one, made when nobody else makes one.
async fn scored(
    app: &SharedState,
    route: &'static str,
    asked: ScorecardFilter,
    show: impl Fn(Result<Arc<Scorecard>, QueryError>) -> Result<Bytes, QueryError> + Clone + Send + 'static,
) -> Result<Bytes, Problem> {
    let (first, of) = (show.clone(), asked.clone());
    let kept = app.read(route, move |q| q.scorecard_kept(&of).transpose().map(first).transpose()).await?;
    match kept {
        Some(shown) => Ok(shown),
        None => app.read_alone(&app.scorecards, route, move |q| show(q.scorecard(&asked))).await,
    }
}

/// How good calls were, by event, market and window.
///
/// Every call is registered before its outcome is known, resolved by itself and scored against two references: how often the event
/// came at all (climatology), and how often it followed the state it was in (persistence), which is the hurdle that counts. A skill
/// carries its 90 % band and the number of windows that do not overlap; where the band holds zero, no skill is shown. One is computed at
/// a time: a fifth that comes meanwhile is answered 503 with `Retry-After`. At most 4 million cases of an event, 38 years of one market:
/// more is answered 422 and asks for single markets. `barograph scorecard` knows no such bound.
#[utoipa::path(
    get,
    path = "/api/v1/scorecard",
    operation_id = "getScorecard",
    tag = "verification",
    params(Events, Rows, AsOf),
    responses(
        (status = 200, description = "the scorecard", body = Scorecard),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn scorecard(
    State(app): State<SharedState>,
    Params((which, rows, as_of)): Params<(Events, Rows, AsOf)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let asked = ScorecardFilter {
        events: events(&which.event)?,
        classifier: classifier(&which.classifier)?,
        scopes: scopes(&app, "scorecard", &rows.market)?,
        windows: windows(&rows.window, &["all", "90d"])?,
        as_of: as_of.moment(app.query.now())?,
    };
    let json = scored(&app, "scorecard", asked, |card| match card {
        Ok(card) => reply::json(&*card),
        Err(e) => Err(e),
    });
    let json = json.await?;
    Ok(etag::answer(&headers, json))
}

/// Has the market changed? How differently each reading of the rules was spread last week than in the 13 weeks before, and how good
/// forecasts were in 30 days.
///
/// An index over one week of what moves slowly is large by nature, so it is held against the reading's own earlier weeks: `changed` is
/// beyond 19 of 20 of them and above 0.25, `shifted` beyond four of five and above 0.1. It says that something is different, not that
/// it is worse.
#[utoipa::path(
    get,
    path = "/api/v1/drift",
    operation_id = "getDrift",
    tag = "verification",
    params(Weeks, AsOf),
    responses(
        (status = 200, description = "readings and skills", body = DriftReport),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn drift(
    State(app): State<SharedState>,
    Params((which, as_of)): Params<(Weeks, AsOf)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let resolve = |word: &str| app.query.resolve(word, false).map(|id| id.to_string());
    let markets =
        which.market.words().map(|w| resolve(w).map_err(|e| app.problem("drift", &e))).collect::<Result<_, _>>()?;
    let weeks = which.weeks.count((WEEKS, WEEKS_MAX), "a number of weeks, 1 to 104")?;
    let asked = DriftFilter { markets, weeks, as_of: as_of.moment(app.query.now())? };
    let json = app.read("drift", move |q| reply::json(&q.drift(&asked)?)).await?;
    Ok(etag::answer(&headers, json))
}

/// The skill of one event as a picture for a web page: with its band, or in words that there is none to show.
#[utoipa::path(
    get,
    path = "/api/v1/scorecard/badge.svg",
    operation_id = "getScorecardBadge",
    tag = "verification",
    params(BadgeOf, AsOf),
    responses(
        (status = 200, description = "the picture", body = String, content_type = "image/svg+xml"),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn badge(
    State(app): State<SharedState>,
    Params((of, as_of)): Params<(BadgeOf, AsOf)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    of.event.need("hv_1h")?;
    let as_of = as_of.moment(app.query.now())?;
    let (mut events, mut windows) = (events(&of.event)?, windows(&of.window, &["all"])?);
    let mut scopes = scopes(&app, "scorecard_badge", &of.market)?;
    if scopes.is_empty() {
        scopes.push("all".to_owned());
    }
    for (given, n) in [(&of.event, events.len()), (&of.window, windows.len()), (&of.market, scopes.len())] {
        if n != 1 {
            return Err(given.refused(ProblemKind::BadWord, "a badge is of one", "name one"));
        }
    }
    let (Some(event), Some(window), Some(scope)) = (events.pop(), windows.pop(), scopes.pop()) else {
        return Err(Problem::internal());
    };
    let asked = ScorecardFilter {
        events: vec![event],
        classifier: None,
        scopes: vec![scope.clone()],
        windows: vec![window.clone()],
        as_of,
    };
    let svg = scored(&app, "scorecard_badge", asked, move |card| {
        let card = match card {
            Ok(card) => Some(card),
            Err(QueryError::NoForecasts { .. }) => None,
            Err(other) => return Err(other),
        };
        let row = card.as_ref().and_then(|c| c.rows.iter().find(|r| r.event == event));
        Ok(Bytes::from(badge::svg(event, &scope, &window, row)))
    });
    let svg = svg.await?;
    let etag = etag::strong(&svg);
    Ok(etag::typed(&headers, "image/svg+xml", svg, &etag))
}

/// Forecasts with what came of them, by the moment of issue, newest last.
///
/// Of an agent's session, everything is looked through that is on its record. A page has the newest of the stretch; `next_cursor` leads
/// to older ones. Outcomes are those known now, or at `as_of`. For all of
/// them at once: `barograph forecasts --export`.
#[utoipa::path(
    get,
    path = "/api/v1/forecasts",
    operation_id = "getForecasts",
    tag = "verification",
    params(Events, Stretch, Paging, AsOf),
    responses(
        (status = 200, description = "one page, at most 1000 forecasts, 100 by default", body = PageView<ForecastView>),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn forecasts(
    State(app): State<SharedState>,
    Params((which, stretch, (paging, as_of, bound))): Params<(Events, Stretch, (Paging, AsOf, Bound))>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let resolve = |name| app.query.resolve(name, false).map_err(|e| app.problem("forecasts", &e));
    let session = session_of(&which.classifier).map(str::to_owned);
    let (from, to) = stretch.ends(session.is_some())?;
    let fingerprint = bound.fingerprint("forecasts ");
    let place = paging.cursor.text().map(|text| CursorPosition::decode(text, &fingerprint)).transpose()?;
    let asked = ForecastFilter {
        events: events(&which.event)?,
        classifier: if session.is_some() { None } else { classifier(&which.classifier)? },
        market: stretch.market.text().map(resolve).transpose()?,
        from,
        to: place.map_or(to, |p| Some(Ts(p.ts.0.saturating_add(1)))),
        skip: place.map_or(0, |p| p.skip),
        limit: paging.limit.limit(LIMITS)?,
        as_of: as_of.moment(app.query.now())?,
    };
    let stated = match &session {
        Some(id) => Some(stated(&app, id.clone(), &asked).await?),
        None => None,
    };
    let json = app
        .read("forecasts", move |q| {
            let page = match session.zip(stated) {
                Some((session, (stated, more))) => {
                    let cases = q.session_cases(&session, &stated, asked.as_of)?;
                    Page { items: cases.into_iter().map(|one| one.view).collect(), more }
                }
                None => q.forecasts(&asked)?,
            };
            let instants: Vec<Ts> = page.items.iter().rev().map(|v| v.issued_ts).collect();
            let after = CursorPosition::after(place, instants.into_iter());
            let next_cursor = after.filter(|_| page.more).map(|p| p.encode(&fingerprint));
            reply::json(&PageView { items: page.items, next_cursor })
        })
        .await?;
    Ok(etag::answer(&headers, json))
}

/// The forecasts of a session that are on a page: the newest of the stretch, and whether there are older ones.
async fn stated(
    app: &SharedState,
    session: String,
    asked: &ForecastFilter,
) -> Result<(Vec<SessionForecast>, bool), Problem> {
    let room = agent_sessions::room(app)?;
    let found = app.read("forecasts", move |_| Ok(room.forecasts(&session))).await?;
    let mut found = found.map_err(|fault| agent_sessions::problem(app, fault))?;
    found.retain(|one| {
        (asked.events.is_empty() || asked.events.contains(&one.event))
            && asked.market.as_ref().is_none_or(|market| *market == one.market)
            && asked.from.is_none_or(|from| from <= one.issued_ts)
            && asked.to.is_none_or(|to| one.issued_ts < to)
            && asked.as_of.is_none_or(|as_of| one.stated_ts <= as_of)
    });
    found.sort_by_key(|one| one.issued_ts);
    found.truncate(found.len().saturating_sub(asked.skip));
    let more = found.len() > asked.limit;
    found.drain(..found.len().saturating_sub(asked.limit));
    Ok((found, more))
}

impl Stretch {
    /// Both ends, in order and not too far apart; of a session, whose forecasts are looked through one by one, as far as one likes.
    fn ends(&self, is_of_session: bool) -> Result<(Option<Ts>, Option<Ts>), Problem> {
        let (from, to) = (self.from.instant()?, self.to.instant()?);
        check_range(from, to)?;
        match (from, to) {
            (Some(from), Some(to)) if !is_of_session && ForecastFilter::is_too_long(from, to) => {
                Err(self.from.refused(
                    ProblemKind::BadRange,
                    "more than 31 days before the end",
                    "ask for shorter stretches, or write all of them with: barograph forecasts --export ledger.parquet",
                ))
            }
            _ => Ok((from, to)),
        }
    }
}
