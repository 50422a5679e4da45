//! Sessions of agents in which nobody can see the future: begun here, spoken with at `/mcp`, judged here.

use super::segment::{self, Segment};
use super::{body, reply};
use crate::agent_sessions::{
    AgentSessionBegun, AgentSessionList, AgentSessions, NewAgentSession, SessionFault, SessionReport,
};
use crate::agents::Inside;
use crate::params::Params;
use crate::problem::{Problem, ProblemKind};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, Response};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// When a place may have become free, seconds.
const FULL_RETRY_S: u32 = 600;

/// Which session, in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct SessionPath {
    /// Id of the session.
    #[param(example = "momentum-1")]
    id: String,
}

pub(super) fn room(app: &SharedState) -> Result<Arc<dyn AgentSessions>, Problem> {
    let room = app.config.agent_sessions.as_ref().map(|room| Arc::clone(&room.0));
    room.ok_or_else(|| {
        Problem::new(ProblemKind::UnknownRoute, "this program keeps no sessions of agents")
            .hint("`make build` builds one that does")
    })
}

pub(super) fn problem(app: &SharedState, fault: SessionFault) -> Problem {
    match fault {
        SessionFault::Refused(why) => Problem::new(ProblemKind::BadField, why),
        SessionFault::Unknown(why) => {
            Problem::new(ProblemKind::UnknownSession, why).hint("/api/v1/agent-sessions lists those there are")
        }
        SessionFault::Full(why) => {
            Problem::new(ProblemKind::TooManyRequests, why).retry_after(Some(FULL_RETRY_S)).hint("try again later")
        }
        SessionFault::Broken(why) => {
            app.incident("agent-sessions", why);
            Problem::internal()
        }
    }
}

/// Sessions of agents there are a record of, the newest first.
#[utoipa::path(
    get,
    path = "/api/v1/agent-sessions",
    operation_id = "listAgentSessions",
    tag = "agents",
    responses((status = 200, description = "the sessions", body = AgentSessionList))
)]
pub(super) async fn list(State(app): State<SharedState>, Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    let room = room(&app)?;
    let found = app.read("agent-sessions", move |_| Ok(room.list())).await?;
    let found = found.map_err(|fault| problem(&app, fault))?;
    Ok(reply::json_body(reply::json(&found).map_err(|e| app.problem("agent-sessions", &e))?))
}

/// Begins a session with a clock of its own, for those who test agents.
///
/// `/mcp` with `Authorization: Bearer` and the token of the answer is this session: tools answer as of its clock, and two more move it
/// and put forecasts on record. The token opens nothing else. An agent that can reach this server without a token can ask it what it
/// likes: have the server ask for tokens, or give the agent no other way to it.
#[utoipa::path(
    post,
    path = "/api/v1/agent-sessions",
    operation_id = "beginAgentSession",
    tag = "agents",
    request_body = NewAgentSession,
    responses((status = 201, description = "the session, with its token", body = AgentSessionBegun))
)]
pub(super) async fn begin(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let room = room(&app)?;
    let new: NewAgentSession = body::json(&headers, sent).await?;
    let begun = room.begin(Inside::of(&app), new).await.map_err(|fault| problem(&app, fault))?;
    let mut response = reply::created(reply::json(&begun).map_err(|e| app.problem("agent-sessions", &e))?);
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/agent-sessions/{}", begun.id)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// What a session was worth: its forecasts against the ledger's outcomes, beside those of the rules and of the references.
#[utoipa::path(
    get,
    path = "/api/v1/agent-sessions/{id}",
    operation_id = "getAgentSession",
    tag = "agents",
    params(SessionPath),
    responses((status = 200, description = "the report", body = SessionReport))
)]
pub(super) async fn one(
    State(app): State<SharedState>,
    given: Segment<SessionPath>,
    Params(()): Params<()>,
) -> Result<Response<Body>, Problem> {
    let room = room(&app)?;
    let id = segment::read(given, "id", "use an id that /api/v1/agent-sessions lists")?.id;
    let report = room.report(Inside::of(&app), &id).await.map_err(|fault| problem(&app, fault))?;
    Ok(reply::json_body(reply::json(&report).map_err(|e| app.problem("agent-sessions", &e))?))
}
