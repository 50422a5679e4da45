//! Where agents ask: the Model Context Protocol over HTTP.

use crate::agents::{AgentDoor, Inside};
use crate::params::Params;
use crate::problem::{Problem, ProblemKind};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;

/// Tools for language models, over the Model Context Protocol (streamable HTTP, revisions 2025-11-25 and 2026-07-28).
///
/// One JSON-RPC message a request; the answer is JSON. The tools ask the routes of this document and change nothing. A program built
/// without them answers 404.
#[utoipa::path(
    post,
    path = "/mcp",
    operation_id = "askAsAgent",
    tag = "agents",
    request_body(content = Object, description = "a JSON-RPC message"),
    responses((status = 200, description = "its answer", body = Object), (status = 202, description = "a notification was taken"))
)]
pub(super) async fn ask(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    // Whoever came with the token of a session is answered by it.
    let of_session = request.extensions().get::<AgentDoor>().cloned();
    match of_session.or_else(|| app.config.agents.clone()) {
        Some(door) => Ok(door.0.answer(Inside::at(&app, request.extensions()), request).await),
        None => Err(Problem::new(ProblemKind::UnknownRoute, "this program has no tools for agents")
            .hint("`make build` builds one that has")),
    }
}
