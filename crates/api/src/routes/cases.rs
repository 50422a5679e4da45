//! Cases: alerts somebody looks into, with the evidence as it was when they were filed, notes, and what came of them.

use super::segment::{self, Segment};
use super::{body, reply};
use crate::cases::{CaseFilter, CaseFormat, CaseList, CaseReplay, CaseView, NewCase, NewCaseEntry};
use crate::params::{AsOf, Given, Params, parameters};
use crate::problem::{Problem, ProblemKind};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use barograph_domain::case::{CaseState, STEPS, StepBounds};
use serde::Deserialize;
use utoipa::IntoParams;

/// Cases of an answer: by default, and at most.
const LIMITS: (usize, usize) = (100, 1_000);

parameters! {
    /// Which cases.
    pub(super) struct WhichCases {
        /// Only in this state: open, acknowledged or closed.
        #[param(example = "open")]
        state: Option<String>,
        /// How many; 100 by default, at most 1000.
        limit: Option<usize>,
    }

    /// As what a case is exported.
    pub(super) struct ExportAs {
        /// `json`, or `html` for a page to print; json by default.
        #[param(example = "html")]
        format: Option<String>,
    }

    /// How much of a recording.
    pub(super) struct Steps {
        /// Books of each alert; 20 by default, at most 200.
        books: Option<usize>,
        /// Trades of each alert; 200 by default, at most 2000.
        trades: Option<usize>,
    }
}

/// Which case, in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct CasePath {
    /// Id of the case.
    id: String,
}

fn id(given: Segment<CasePath>) -> Result<String, Problem> {
    segment::read(given, "id", "use an id that /api/v1/cases lists").map(|p| p.id)
}

fn word<T: Copy>(given: &Given, all: &[T], name: fn(T) -> &'static str) -> Result<Option<T>, Problem> {
    let Some(text) = given.text() else { return Ok(None) };
    let found = all.iter().copied().find(|t| name(*t).eq_ignore_ascii_case(text));
    found.map(Some).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|t| name(*t)).collect();
        let (what, hint) =
            (format!("there is no {} '{text}'", given.name()), format!("there are {}", known.join(", ")));
        given.refused(ProblemKind::BadWord, what, &hint).candidates(known.into_iter().map(str::to_owned).collect())
    })
}

/// Cases, the one filed last first, and what closed ones say of the precision of detectors.
#[utoipa::path(
    get,
    path = "/api/v1/cases",
    operation_id = "listCases",
    tag = "cases",
    params(WhichCases, AsOf),
    responses((status = 200, description = "the cases", body = CaseList))
)]
pub(super) async fn list(
    State(app): State<SharedState>,
    Params((which, as_of)): Params<(WhichCases, AsOf)>,
) -> Result<Response<Body>, Problem> {
    let filter = CaseFilter {
        state: word(&which.state, &CaseState::ALL, CaseState::name)?,
        as_of: as_of.moment(app.query.now())?,
        limit: which.limit.limit(LIMITS)?,
    };
    let json = app.read("cases", move |q| reply::json(&q.cases(&filter)?)).await?;
    Ok(reply::json_body(json))
}

/// Files a case from one alert or several, with all that is known of them.
///
/// The same alerts twice are one case: the answer is 200 then, and the case is as it was.
#[utoipa::path(
    post,
    path = "/api/v1/cases",
    operation_id = "fileCase",
    tag = "cases",
    request_body = NewCase,
    responses(
        (status = 201, description = "the case", body = CaseView),
        (status = 200, description = "the case, which was there", body = CaseView),
    )
)]
pub(super) async fn file(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let new: NewCase = body::json(&headers, sent).await?;
    let (case_id, is_new, json) = app
        .read("cases", move |q| {
            let (case, is_new) = q.file_case(&new)?;
            Ok((case.summary.case_id.clone(), is_new, reply::json(&case)?))
        })
        .await?;
    let mut response = reply::json_body(json);
    if is_new {
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/cases/{case_id}")) {
            response.headers_mut().insert(LOCATION, place);
        }
    }
    Ok(response)
}

/// One case with its evidence and everything that was written into it.
#[utoipa::path(
    get,
    path = "/api/v1/cases/{id}",
    operation_id = "getCase",
    tag = "cases",
    params(CasePath, AsOf),
    responses((status = 200, description = "the case", body = CaseView))
)]
pub(super) async fn one(
    State(app): State<SharedState>,
    given: Segment<CasePath>,
    Params((as_of,)): Params<(AsOf,)>,
) -> Result<Response<Body>, Problem> {
    let (id, as_of) = (id(given)?, as_of.moment(app.query.now())?);
    let json = app.read("cases", move |q| reply::json(&q.case(&id, as_of)?)).await?;
    Ok(reply::json_body(json))
}

/// Writes a note into a case, acknowledges it, or closes it as true, false or unclear.
///
/// Entries are only added. One that says what the newest says already changes nothing, so a request may be repeated.
#[utoipa::path(
    post,
    path = "/api/v1/cases/{id}/entries",
    operation_id = "writeCase",
    tag = "cases",
    params(CasePath),
    request_body = NewCaseEntry,
    responses((status = 201, description = "the case with the entry", body = CaseView))
)]
pub(super) async fn write(
    State(app): State<SharedState>,
    given: Segment<CasePath>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let id = id(given)?;
    let new: NewCaseEntry = body::json(&headers, sent).await?;
    let json = app.read("cases", move |q| reply::json(&q.write_case(&id, &new)?)).await?;
    Ok(reply::created(json))
}

/// A case as a document: JSON with the contents of its attachments, or a page to print.
#[utoipa::path(
    get,
    path = "/api/v1/cases/{id}/export",
    operation_id = "exportCase",
    tag = "cases",
    params(CasePath, ExportAs),
    responses((status = 200, description = "the document", content((Object = "application/json"), (String = "text/html"))))
)]
pub(super) async fn export(
    State(app): State<SharedState>,
    given: Segment<CasePath>,
    Params((wanted,)): Params<(ExportAs,)>,
) -> Result<Response<Body>, Problem> {
    let id = id(given)?;
    let format = word(&wanted.format, &CaseFormat::ALL, CaseFormat::name)?.unwrap_or(CaseFormat::Json);
    let bytes = app.read("cases", move |q| q.export_case(&id, format)).await?;
    let (content_type, shown) = match format {
        CaseFormat::Json => ("application/json", "attachment; filename=\"case.json\""),
        CaseFormat::Html => ("text/html; charset=utf-8", "inline"),
    };
    let mut response = reply::body(content_type, bytes);
    let headers = response.headers_mut();
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static(shown));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"));
    Ok(response)
}

/// Books and trades around the alerts of a case, step by step: those kept with it, or more where more is still recorded.
#[utoipa::path(
    get,
    path = "/api/v1/cases/{id}/replay",
    operation_id = "replayCase",
    tag = "cases",
    params(CasePath, Steps),
    responses((status = 200, description = "books and trades, the oldest first", body = CaseReplay))
)]
pub(super) async fn replay(
    State(app): State<SharedState>,
    given: Segment<CasePath>,
    Params((steps,)): Params<(Steps,)>,
) -> Result<Response<Body>, Problem> {
    let id = id(given)?;
    let (usual, most) = STEPS;
    let books = steps.books.limit((usual.books, most.books))?;
    let bounds = StepBounds { books, trades: steps.trades.limit((usual.trades, most.trades))? };
    let json = app.read("cases", move |q| reply::json(&q.replay_case(&id, bounds)?)).await?;
    Ok(reply::json_body(json))
}
